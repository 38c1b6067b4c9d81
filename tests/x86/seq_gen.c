/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/x86/seq_gen.c - random programs out of the instruction table
 *
 * Three quarters of a program are single instructions: a row is drawn and encoded as for the oracle (gen.c), then its
 * memory operand is turned to one of the program's address registers. The rest are snippets (seq_snip.c) that mean
 * something together: loops, calls, jump tables, flag chains, strings, stores into code.
 */
#include "tests/x86/seq_gen.h"
#include <string.h>

/* --- rows --------------------------------------------------------------------------------------------------------- */

struct pick {
    uint8_t map;
    uint16_t row;
};
enum { PICK_INT, PICK_SIMD, PICK_X87, PICK_KINDS };

static struct {
    GArray *kind[2][PICK_KINDS];        /* [not 64-bit mode] */
    GArray *op[2][OP_COUNT];
} tables;

static const uint16_t everyday[] = {
    OP_ADD, OP_ADD, OP_SUB, OP_ADC, OP_ADC, OP_SBB, OP_AND, OP_OR, OP_XOR, OP_CMP, OP_CMP, OP_TEST, OP_INC, OP_DEC,
    OP_NEG, OP_NOT, OP_MOV, OP_MOV, OP_MOV, OP_MOV, OP_MOVZX8, OP_MOVZX16, OP_MOVSX8, OP_MOVSX16, OP_MOVSXD, OP_LEA,
    OP_LEA, OP_XCHG, OP_XADD, OP_CMPXCHG, OP_SETO, OP_SETO, OP_CMOVO, OP_CMOVO, OP_CBW, OP_CWD, OP_LAHF, OP_SAHF,
    OP_STC, OP_CLC, OP_CMC, OP_ROL, OP_ROR, OP_RCL, OP_RCR, OP_SHL, OP_SHL, OP_SHR, OP_SAR, OP_SHLD, OP_SHRD_CL,
    OP_BT, OP_BTS, OP_BTR, OP_BTC, OP_BSF, OP_BSR, OP_POPCNT, OP_IMUL_R, OP_MUL, OP_IMUL, OP_BSWAP,
};

static const char *const int_groups[] = { "alu", "shift", "muldiv", "bit", "mov", "flags", "bcd32", "cmpxchg", "bmi" };

/* Those whose result differs by vendor, whose operand is no plain ModRM, or that have a snippet of their own */
static bool left_out(const struct x86_row *row)
{
    if (row->op >= OP_VGATHERDPS && row->op <= OP_VPGATHERQQ) {
        return true;
    }
    switch (row->op) {
    case OP_MASKMOVQ: case OP_MASKMOVDQU: case OP_FXSAVE: case OP_FXRSTOR: case OP_FNSTENV: case OP_FLDENV:
    case OP_FNSAVE: case OP_FRSTOR: case OP_LDMXCSR: case OP_CLFLUSH: case OP_CLFLUSHOPT: case OP_CLWB:
    case OP_CLI: case OP_STI: case OP_STD: case OP_MOV_TO_SREG:
        return true;
    }
    return false;
}

static int kind_of(enum x86_map_id map, const struct x86_row *row)
{
    const char *why, *group = ox_group(map, row, &why);

    if (!group || left_out(row)) {
        return -1;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(int_groups); i++) {
        if (strcmp(group, int_groups[i]) == 0) {
            return PICK_INT;
        }
    }
    return strcmp(group, "x87") == 0 ? PICK_X87 : (x86_op_info[row->op].attr & XA_SIMD) || row->op == OP_STMXCSR ||
           row->op == OP_CRC32 ? PICK_SIMD : -1;
}

void seq_tables_init(const struct x86_features *feat)
{
    for (unsigned m = 0; m < 2; m++) {
        for (unsigned k = 0; k < PICK_KINDS; k++) {
            tables.kind[m][k] = g_array_new(FALSE, FALSE, sizeof(struct pick));
        }
    }
    for (unsigned map = 0; map < MAP_COUNT; map++) {
        for (unsigned i = 1; i < x86_maps[map].nrows; i++) {
            const struct x86_row *row = &x86_maps[map].rows[i];
            struct pick pick = { (uint8_t)map, (uint16_t)i };
            int kind = kind_of(map, row);
            unsigned need = row->feat == X86_FEAT_AVX12 ? X86_FEAT_AVX : row->feat;

            if (kind < 0 || (row->feat != X86_FEAT_ALWAYS && !x86_feat(feat, need))) {
                continue;
            }
            for (unsigned m = 0; m < 2; m++) {
                if (row->sel & (m ? SEL_NO64 : SEL_64)) {
                    GArray **op = &tables.op[m][row->op];

                    *op = *op ? *op : g_array_new(FALSE, FALSE, sizeof(pick));
                    g_array_append_val(*op, pick);
                    g_array_append_val(tables.kind[m][kind], pick);
                }
            }
        }
    }
}

static const struct x86_row *pick_row(struct seq_gen *s, unsigned kind, enum x86_map_id *map)
{
    unsigned m = s->p->mode != OX_64;
    GArray *from = tables.kind[m][kind];
    struct pick pick;

    if (kind == PICK_INT && seq_below(s, 4)) {
        GArray *by_op = tables.op[m][everyday[seq_below(s, G_N_ELEMENTS(everyday))]];

        from = by_op ? by_op : from;
    }
    pick = g_array_index(from, struct pick, seq_below(s, from->len));
    *map = pick.map;
    return &x86_maps[pick.map].rows[pick.row];
}

/* --- what an instruction writes ----------------------------------------------------------------------------------- */

static unsigned implied(uint16_t op)
{
    enum { AX = 1 << R_AX, CX = 1 << R_CX, DX = 1 << R_DX };

    switch (op) {
    case OP_MUL: case OP_IMUL: case OP_DIV: case OP_IDIV: case OP_CMPXCHG8B: case OP_CMPXCHG16B: case OP_CWD:
        return AX | DX;
    case OP_CMPXCHG: case OP_CBW: case OP_LAHF: case OP_SALC: case OP_DAA: case OP_DAS: case OP_AAA: case OP_AAS:
    case OP_AAM: case OP_AAD: case OP_XLAT: case OP_FNSTSW_AX:
        return AX;
    case OP_PCMPESTRI: case OP_PCMPISTRI:
        return CX;
    }
    return 0;
}

/* General registers written; some that are only read too */
static unsigned clobbers(const struct x86_row *row, const struct x86_rec *r)
{
    const struct x86_pattern_info *pat = &x86_patterns[row->pat & ~PAT_CC];
    bool reg_g = pat->reg == KIND_G || pat->reg == KIND_GB || pat->reg == KIND_GW;
    bool rm_g = (pat->rm == KIND_G || pat->rm == KIND_GB || pat->rm == KIND_GW || pat->rm == KIND_OP) &&
                !(r->flags & REC_MEM);
    unsigned mask = implied(r->op);

    if (r->op == OP_CMP || r->op == OP_TEST || r->op == OP_BT || r->op == OP_NOP || r->op == OP_PREFETCH) {
        return 0;
    }
    if (rm_g && r->form != FORM_R_V_RM && r->form != FORM_R_RM_V && r->form != FORM_V_RM) {
        bool source = r->form == FORM_R_RM || r->form == FORM_R_RM_I;

        mask |= source && r->op != OP_XCHG && r->op != OP_XADD ? 0 : 1u << (r->rm >> 3 & 15);
    }
    if (reg_g && (r->form == FORM_R_RM || r->form == FORM_R_RM_I || r->form == FORM_R_V_RM || r->form == FORM_R_RM_V ||
                  r->op == OP_XCHG || r->op == OP_XADD)) {
        mask |= 1u << (r->reg >> 3 & 15);
    }
    if (r->form == FORM_R_MOFFS || (r->form == FORM_R_I && pat->rm == KIND_NONE)) {
        mask |= 1u << R_AX;
    }
    if ((row->pat & ~PAT_CC) == PAT_V_E || r->op == OP_MULX) {
        mask |= 1u << (r->vvvv & 15);
    }
    return mask;
}

static bool fits(struct seq_gen *s, const struct x86_row *row, const struct x86_rec *r)
{
    const struct seq_prog *p = s->p;
    struct ox_case c = { .rec = *r, .mode = p->mode };
    bool bits = r->op >= OP_BT && r->op <= OP_BTC && r->form == FORM_RM_R && (r->flags & REC_MEM);

    if (r->op != row->op && !(row->pat & PAT_CC)) {
        return false;
    }
    if (r->op == OP_UD || r->seg == SEG_FS || (clobbers(row, r) & p->reserved)) {
        return false;
    }
    if ((r->op == OP_DIV || r->op == OP_IDIV || r->op == OP_AAM) && seq_below(s, 6)) {
        return false;                                   /* mostly #DE */
    }
    if (bits && r->reg >> 3 != p->index) {
        return false;                                   /* the bit offset would go anywhere */
    }
    if (r->op == OP_XLAT && !seq_is_base(p, R_BX)) {
        return false;
    }
    if ((r->form == FORM_R_MOFFS || r->form == FORM_MOFFS_R) && p->mode >= OX_SEG32) {
        return false;
    }
    c.in.gpr[R_CX] = 31;
    return !ox_undefined_result(&c);
}

/* --- memory operands ---------------------------------------------------------------------------------------------- */

bool seq_is_base(const struct seq_prog *p, unsigned reg)
{
    for (unsigned i = 0; i < p->nbase; i++) {
        if (p->base[i] == reg) {
            return true;
        }
    }
    return false;
}

/* From a few places, so that accesses share lines, overlap and alias; some odd, some far */
int32_t seq_disp(struct seq_gen *s, bool aligned)
{
    static const int8_t near[] = { 0, 0, 1, 2, 4, 8, 16, 32, -1, -4, -8, -16, 7, 3 };
    int32_t d = s->disp[seq_below(s, G_N_ELEMENTS(s->disp))];

    if (aligned && seq_below(s, 12)) {
        return (d & ~15) + 16 * (int32_t)seq_below(s, 3);
    }
    return d + near[seq_below(s, G_N_ELEMENTS(near))];
}

/* 16-bit addresses: SDM vol. 2, table 2-1. Return: bytes of displacement */
static unsigned modrm16(struct seq_gen *s, uint8_t *m, bool aligned, int32_t *disp)
{
    static const uint8_t base[8] = { R_BX, R_BX, R_BP, R_BP, R_SI, R_DI, R_BP, R_BX };
    static const uint8_t index[8] = { R_SI, R_DI, R_SI, R_DI, 16, 16, 16, 16 };
    unsigned rm = seq_below(s, 8);

    *disp = seq_disp(s, aligned);
    for (unsigned k = 0; k < 8; k++, rm = (rm + 1) & 7) {
        if (seq_is_base(s->p, base[rm]) && (index[rm] == 16 || index[rm] == s->p->index)) {
            bool small = *disp >= -128 && *disp < 128;

            *m = (uint8_t)((*m & 0x38) | (small ? 0x40 : 0x80) | rm);
            return small ? 1 : 2;
        }
    }
    *m = (*m & 0x38) | 6;
    *disp = (uint16_t)(0x500 + seq_below(s, 0x1000));
    return 2;
}

/* One of our registers that ModRM and SIB can name without (@high: with) REX.B */
static unsigned pick_base(struct seq_gen *s, bool high)
{
    unsigned at = seq_below(s, s->p->nbase + 1u);

    for (unsigned k = 0; k <= s->p->nbase; k++) {
        unsigned i = (at + k) % (s->p->nbase + 1u), r = i < s->p->nbase ? s->p->base[i] : R_SP;

        if (r < 8 || high) {
            return r;
        }
    }
    return R_SP;
}

struct place {                  /* of ModRM in an encoding */
    unsigned rex, vex, modrm, end;      /* offsets; rex, vex: 0 when there is none, else offset + 1 */
    unsigned asize;
};

static struct place find_modrm(const struct ox_bytes *o, enum x86_map_id map, enum ox_mode mode)
{
    struct place at = { .asize = mode == OX_64 ? 3 : mode == OX_16 ? 1 : 2 };
    unsigned i = 0;

    for (; strchr("\x66\xF0\xF2\xF3\x2E\x36\x3E\x26\x64\x65\x67", o->b[i]) && o->b[i]; i++) {
        if (o->b[i] == 0x67) {
            at.asize = mode == OX_32 || mode == OX_SEG32 ? 1 : 2;
        }
    }
    if (mode == OX_64 && (o->b[i] & 0xF0) == 0x40) {
        at.rex = ++i;
    }
    if (map >= MAP_VEX1) {
        at.vex = o->b[i] == 0xC4 ? i + 1 : 0;
        i += o->b[i] == 0xC4 ? 3 : 2;
    } else if (map != MAP_ONE && map != MAP_X87) {
        i += map == MAP_0F ? 1 : 2;
    }
    at.modrm = i + 1;
    at.end = at.modrm + 1;
    if (o->b[at.modrm] >> 6 != 3) {
        unsigned mod = o->b[at.modrm] >> 6, rm = o->b[at.modrm] & 7;
        bool none = mod == 0 && (rm == 4 ? o->b[at.modrm + 1] & 7 : rm) == 5;

        at.end += (rm == 4) + (mod == 1 ? 1 : mod == 2 || none ? 4 : 0);
    }
    return at;
}

/* REX or VEX bits for base and index; those of a VEX prefix are inverted */
static void extend(struct ox_bytes *o, const struct place *at, unsigned base, unsigned index)
{
    if (at->rex) {
        o->b[at->rex - 1] = (uint8_t)((o->b[at->rex - 1] & ~3u) | (index >> 3) << 1 | base >> 3);
    } else if (at->vex) {
        o->b[at->vex] = (uint8_t)((o->b[at->vex] & ~0x60u) | (index >> 3 ? 0 : 0x40) | (base >> 3 ? 0 : 0x20));
    }
}

/* Turn the memory operand to a place of ours */
static void aim(struct seq_gen *s, struct ox_bytes *o, enum x86_map_id map, bool aligned)
{
    struct place at = find_modrm(o, map, s->p->mode);
    bool high = s->p->mode == OX_64 && (at.rex || at.vex);
    uint8_t m[8] = { o->b[at.modrm] & 0x38 }, tail[8];
    unsigned n = 1, width, index = s->p->index, k = seq_below(s, 20), base;
    int32_t disp = seq_disp(s, aligned);

    memcpy(tail, o->b + at.end, 8);
    if (at.asize == 1) {
        width = modrm16(s, &m[0], aligned, &disp);
    } else if (k == 0 && s->p->mode < OX_SEG32) {
        disp = (int32_t)OX_ARENA + 0x500 + 16 * (int32_t)seq_below(s, 0x140) + (int32_t)seq_below(s, 2);
        m[0] |= s->p->mode == OX_64 ? 4 : 5;
        m[1] = 0x25;
        n += s->p->mode == OX_64;
        width = 4;
        extend(o, &at, 0, 0);
    } else {
        bool sib = k < 5 && index < 16 && (index < 8 || high);

        base = pick_base(s, high);
        width = disp >= -128 && disp < 128 ? 1 : 4;
        width = !disp && (base & 7) != R_BP ? 0 : width;
        m[0] |= width == 0 ? 0 : width == 1 ? 0x40 : 0x80;
        if (sib || (base & 7) == R_SP) {
            m[0] |= 4;
            m[n++] = (uint8_t)(sib ? seq_below(s, 4) << 6 | (index & 7) << 3 | (base & 7) : 0x20 | (base & 7));
        } else {
            m[0] |= base & 7;
        }
        extend(o, &at, base, sib ? index : 0);
    }
    memcpy(m + n, &disp, width < sizeof(m) - n ? width : 0);
    memcpy(o->b + at.modrm, m, n + width);
    memcpy(o->b + at.modrm + n + width, tail, 8);
    o->n = at.modrm + n + width + 8;
}

/* --- one instruction ---------------------------------------------------------------------------------------------- */

static bool try_one(struct seq_gen *s, unsigned kind)
{
    enum x86_map_id map;
    const struct x86_row *row = pick_row(s, kind, &map);
    bool mode32 = s->p->mode != OX_64, modrm = x86_patterns[row->pat & ~PAT_CC].modrm || map == MAP_X87;
    struct ox_bytes o = { .n = 0 };
    struct x86_rec r;
    unsigned len;

    ox_encode(s->g, &o, map, row, mode32);
    if (modrm && o.b[find_modrm(&o, map, s->p->mode).modrm] < 0xC0) {
        aim(s, &o, map, kind == PICK_SIMD);
    }
    len = x86_decode(o.b, o.n < 15 ? o.n : 15, ox_mode_bits(s->p->mode), 0, s->feat, &r);
    if (!len || !fits(s, row, &r)) {
        return false;
    }
    seq_bytes(s->p, o.b, len)->row = row;
    return true;
}

void seq_plain(struct seq_gen *s)
{
    static const uint8_t by_flavour[4][10] = {
        { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }, { 0, 0, 0, 0, 0, 0, 0, 1, 1, 2 }, { 0, 0, 0, 1, 1, 1, 1, 1, 1, 1 },
        { 0, 0, 0, 0, 1, 2, 2, 2, 2, 2 },
    };

    for (unsigned tries = 0; tries < 100; tries++) {
        if (try_one(s, by_flavour[s->flavour][seq_below(s, 10)])) {
            return;
        }
    }
}

/* --- the whole ---------------------------------------------------------------------------------------------------- */

static unsigned take(struct seq_gen *s, unsigned of)
{
    unsigned r, n = s->p->mode == OX_64 ? 16 : 8;

    do {
        r = seq_below(s, n);
    } while (!(of >> r & 1) || (s->p->reserved >> r & 1));
    s->p->reserved |= (uint16_t)(1u << r);
    return r;
}

static void choose_roles(struct seq_gen *s)
{
    struct seq_prog *p = s->p;
    const unsigned any = 0xFFFF, in16 = 1 << R_BX | 1 << R_BP | 1 << R_SI | 1 << R_DI;
    bool strings = seq_below(s, 2), wide = p->mode == OX_64;
    unsigned from = p->mode == OX_16 ? in16 : any & ~(strings ? 1u << R_CX | 1u << R_AX : 0u);

    p->reserved = 1 << R_SP;
    p->nbase = (uint8_t)(wide ? 2 + seq_below(s, 2) : 2);
    for (unsigned i = 0; i < p->nbase; i++) {
        p->base[i] = (uint8_t)take(s, strings && i == 0 ? 1u << R_SI : strings && i == 1 ? 1u << R_DI : from);
    }
    p->index = 16;
    if (wide || seq_below(s, 2)) {
        p->index = (uint8_t)take(s, from);
    }
    p->ncount = (uint8_t)(wide ? 2 : 1);
    for (unsigned i = 0; i < p->ncount; i++) {
        p->count[i] = (uint8_t)take(s, wide || seq_below(s, 3) || strings ? any & ~(1u << R_CX | 1u << R_AX) : any);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(s->disp); i++) {
        s->disp[i] = seq_below(s, 3) ? (int32_t)seq_below(s, 200) - 100 : (int32_t)seq_below(s, 0x700) - 0x380;
    }
}

/* Every flag that is read has to be defined: put something that defines all of them before the reader */
static bool settle(struct seq_gen *s)
{
    for (unsigned tries = 0; tries < 60; tries++) {
        struct seq_item *it;
        unsigned at = s->p->bad;

        if (seq_layout(s->p, s->feat)) {
            return true;
        }
        at = s->p->bad;
        it = at < SEQ_ITEMS ? seq_insert(s->p, at) : NULL;
        if (!it) {
            return false;
        }
        it->b[0] = (uint8_t)(0x38 | seq_below(s, 2));                    /* CMP */
        it->b[1] = (uint8_t)(0xC0 | seq_below(s, 64));
        it->len = 2;
    }
    return false;
}

bool seq_generate(struct ox_rng *g, enum ox_mode mode, const struct x86_features *feat, struct seq_prog *p)
{
    struct seq_gen s = { .g = g, .p = p, .feat = feat };
    unsigned want = 5 + ox_below(g, 56);

    memset(p, 0, offsetof(struct seq_prog, item));
    p->mode = mode;
    s.flavour = (uint8_t)ox_below(g, 4);
    choose_roles(&s);
    seq_body(&s, want);
    for (unsigned i = 0; i < p->n; i++) {
        if (p->item[i].len == 0 || p->item[i].len > 15) {
            return false;
        }
    }
    switch (ox_below(g, 8)) {
    case 0: case 1: case 2:
        break;
    case 3:
        p->cross = OX_CODE_BYTES;               /* runs off the end of the mapping */
        break;
    default:
        p->cross = OX_CODE_BYTES / 2;
    }
    p->cross_item = (uint8_t)ox_below(g, p->n);
    p->cross_by = (uint8_t)ox_rand(g);
    return settle(&s);
}

/* --- registers for a run ------------------------------------------------------------------------------------------ */

/* Most runs stay inside; some meet a page edge, the read-only page, the end, or an address that is not canonical */
static uint64_t base_value(struct ox_rng *g, bool mode32, bool tame)
{
    unsigned k = ox_below(g, tame ? 32 : 40);

    if (k < 32) {
        return OX_ARENA + 0x600 + 32 * ox_below(g, 0xA0);
    } else if (k < 34) {
        return OX_ARENA + 0x600 + ox_below(g, 0x1400);
    } else if (k < 36) {
        return OX_ARENA + 0x1000 - ox_below(g, 72);
    } else if (k < 37) {
        return OX_ARENA + OX_RW - ox_below(g, 160);
    } else if (k == 37) {
        return OX_ARENA + OX_IMAGE - ox_below(g, 160);
    } else if (k == 38) {
        return OX_ARENA + ox_below(g, 160);
    }
    return mode32 || ox_below(g, 2) ? OX_ARENA - ox_below(g, 64) : 0x00007FFFFFFFFFC0ULL + ox_below(g, 128);
}

void seq_entry(struct ox_rng *g, const struct seq_prog *p, struct ox_case *c)
{
    bool mode32 = p->mode != OX_64, segmented = p->mode >= OX_SEG32;
    bool tame = ox_below(g, 2);
    unsigned sp = tame ? 3 : ox_below(g, 12);

    memset(c, 0, sizeof(*c));
    c->mode = p->mode;
    c->mode32 = mode32;
    c->prog = &p->image;
    ox_random_state(g, &c->in, mode32);
    if (ox_below(g, 4)) {
        c->in.eflags &= ~0x40000u;
    }
    c->in.gpr[R_SP] = OX_ARENA + (sp == 0 ? 0x1000 : sp == 1 ? 0x20 : sp == 2 ? OX_RW : 0x1800) + 4 * ox_below(g, 5) -
                      (ox_below(g, 6) ? 0 : ox_below(g, 8));
    for (unsigned i = 0; i < p->nbase; i++) {
        c->in.gpr[p->base[i]] = base_value(g, mode32, tame);
    }
    if (p->index < 16) {
        c->in.gpr[p->index] = ox_below(g, 3) ? ox_below(g, 16) : ox_below(g, 64);
    }
    for (unsigned i = 0; i < p->ncount; i++) {
        c->in.gpr[p->count[i]] = 1 + ox_below(g, 5);
    }
    c->in.rip = OX_CODE + p->item[0].at;
    if (segmented) {
        c->in.rip -= OX_CODE;
        c->in.gpr[R_SP] -= OX_ARENA;
        for (unsigned i = 0; i < p->nbase; i++) {
            c->in.gpr[p->base[i]] = (uint32_t)(c->in.gpr[p->base[i]] - OX_ARENA);
        }
    }
    if (p->mode == OX_16 && !ox_below(g, 3)) {
        c->in.gpr[R_SP] |= ox_rand(g) & 0x7FFF0000;         /* SP is what counts */
    }
}
