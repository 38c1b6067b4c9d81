/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/x86/gen_far.c - segment loads, far transfers, IRET, POPF: what depends on descriptors and frames
 *
 * The guest's GDT has the entries that Linux shows to programs (guest.c), so selectors mean the same on both sides.
 * Frames and far pointers are patched into memory where the instruction will look for them. FS and GS stay out: the
 * child's C library lives on FS.
 */
#include "tests/x86/gen.h"
#include <string.h>

static const uint16_t ops[] = {
    OP_MOV_TO_SREG, OP_MOV_FROM_SREG, OP_POP_SREG, OP_PUSH_SREG, OP_LES, OP_LDS,  OP_LSS,  OP_JMPF,
    OP_CALLF,       OP_RETF,          OP_IRET,     OP_LAR,       OP_LSL, OP_VERR, OP_VERW, OP_POPF,
};

bool ox_is_far(uint16_t op)
{
    for (unsigned i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
        if (ops[i] == op) {
            return true;
        }
    }
    return false;
}

/* Good ones, null, DPL 0, wrong RPL, wrong type, an empty entry, the TSS, the LDT (there is none), behind the limit */
static uint16_t selector(struct ox_rng *g, bool code)
{
    static const uint16_t any[] = {
        0,    1,    2,    3,    0x08, 0x0B, 0x10, 0x13, 0x18, 0x1B, 0x20,   0x21, 0x23, 0x28,
        0x2A, 0x2B, 0x30, 0x33, 0x38, 0x3B, 0x40, 0x43, 0x83, 0x80, 0xFFFB, 0x2F, 0x07, 0x04,
    };

    if (ox_below(g, 2)) {
        return code ? (ox_below(g, 2) ? OX_SEL_CODE32 : OX_SEL_CODE64) : OX_SEL_DATA;
    }
    return any[ox_below(g, sizeof(any) / sizeof(any[0]))];
}

static uint64_t code_address(struct ox_rng *g)
{
    switch (ox_below(g, 12)) {
    case 0:
        return ox_rand(g);
    case 1:
        return ox_rand(g) & 0x7FFFFFFFFFFF;
    default:
        return OX_CODE + 0x100 + ox_below(g, 0x600);
    }
}

static void put(struct ox_case *c, uint64_t v, unsigned bytes)
{
    memcpy(c->patch + c->patch_len, &v, bytes);
    c->patch_len += bytes;
}

/* What stands on the stack for RETF (with @flags: for IRET) and POPF */
static void make_frame(struct ox_rng *g, struct ox_case *c, bool iret)
{
    unsigned n = 1u << c->rec.size;

    c->patch_at = 0x800 + 8 * ox_below(g, 0x100);
    c->in.gpr[R_SP] = OX_ARENA + c->patch_at;
    put(c, code_address(g), n);
    put(c, selector(g, true), n);
    if (iret) {
        put(c, 0x202 ^ (ox_rand(g) & 0x3F7FD5), n);
    }
    if (!iret && c->rec.form == FORM_I) {
        c->patch_len += (unsigned)c->rec.imm;
    }
    put(c, OX_ARENA + 0x400 + 8 * ox_below(g, 0x300), n);
    put(c, selector(g, false), n);
}

static void far_pointer(struct ox_rng *g, struct ox_case *c, bool code)
{
    unsigned n = 1u << c->rec.size;

    c->patch_at = 0x400 + ox_below(g, 0x1400);
    put(c, code ? code_address(g) : ox_rand(g), n);
    put(c, selector(g, code), 2);
}

static void set_sel(struct ox_rng *g, struct ox_case *c)
{
    if (c->rec.flags & REC_MEM) {
        c->patch_at = 0x400 + ox_below(g, 0x1400);
        put(c, selector(g, false), 2);
    } else {
        c->in.gpr[c->rec.rm >> 3 & 15] = selector(g, false) | (uint64_t)ox_below(g, 2) << 20;
    }
}

/* Return: false when the shape cannot be tested (memory operand that cannot be aimed, FS, GS) */
bool ox_make_far(struct ox_rng *g, enum x86_map_id map, const struct x86_row *row, bool mode32,
                 const struct x86_features *feat, struct ox_case *c)
{
    struct ox_bytes o = { .n = 0 };

    memset(c, 0, sizeof(*c));
    c->row = row;
    c->mode = mode32 ? OX_32 : OX_64;
    c->mode32 = mode32;
    ox_encode(g, &o, map, row, mode32);
    if (row->pat == PAT_FAR) {
        uint32_t off = (uint32_t)code_address(g);
        struct x86_rec r;
        unsigned len = x86_decode(o.b, 15, OX_MODE32, 0, feat, &r), at;

        if (!len || r.op != row->op) {
            return false;
        }
        at = len - (r.size == 1 ? 4 : 6);
        memcpy(o.b + at, &off, r.size == 1 ? 2 : 4);
        off = selector(g, true);
        memcpy(o.b + len - 2, &off, 2);
    }
    if (!x86_decode(o.b, 15, mode32 ? OX_MODE32 : OX_MODE64, 0, feat, &c->rec) || c->rec.op != row->op) {
        return false;
    }
    if (((row->op == OP_MOV_TO_SREG || row->op == OP_POP_SREG) && c->rec.reg >= SEG_FS) ||
        (row->op == OP_RETF && c->rec.form == FORM_I && c->rec.imm > 16)) {
        return false;
    }
    if ((c->rec.flags & REC_MEM) &&
        (c->rec.base > 15 || c->rec.index != REG_ZERO || c->rec.asize == 1 || c->rec.seg >= SEG_FS)) {
        return false;
    }
    c->len = c->rec.len;
    memcpy(c->code, o.b, c->len);
    ox_random_state(g, &c->in, mode32);
    switch (row->op) {
    case OP_RETF:
    case OP_IRET:
        make_frame(g, c, row->op == OP_IRET);
        break;
    case OP_POPF:
        c->patch_at = 0x800;
        c->in.gpr[R_SP] = OX_ARENA + c->patch_at;
        put(c, 0x202 ^ (ox_rand(g) & 0x3F7FD5), 8);
        break;
    case OP_POP_SREG:
        c->patch_at = 0x800;
        c->in.gpr[R_SP] = OX_ARENA + c->patch_at;
        put(c, selector(g, false), 2);
        break;
    case OP_LES: case OP_LDS: case OP_LSS:
        far_pointer(g, c, false);
        break;
    case OP_JMPF: case OP_CALLF:
        if (c->rec.flags & REC_MEM) {
            far_pointer(g, c, true);
        }
        break;
    default:
        set_sel(g, c);
        break;
    }
    if (c->rec.flags & REC_MEM) {
        c->in.gpr[c->rec.base] = OX_ARENA + c->patch_at - (uint64_t)(int64_t)c->rec.disp;
        if (mode32) {
            c->in.gpr[c->rec.base] = (uint32_t)c->in.gpr[c->rec.base];
        }
    }
    return true;
}
