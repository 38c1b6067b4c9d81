/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/x86/gen_block.c - short programs, for what only shows between instructions
 *
 * The engine leaves out flags that nobody reads (REC_NF), runs compare and branch as one (REC_X2), and has handlers
 * for common shapes. So: two to ten instructions of the everyday kind, memory operands through RSI only (sometimes
 * near an edge, so that one of them faults in the middle and shows the flags then), and conditional branches that
 * skip the instruction behind them. Only instructions whose flags are all defined, or that every processor leaves
 * alike, take part.
 */
#include "tests/x86/gen.h"
#include <string.h>

static const uint16_t ops[] = {
    OP_ADD,     OP_SUB,    OP_ADC, OP_SBB,  OP_AND,  OP_OR,      OP_XOR,  OP_CMP,    OP_CMP,     OP_TEST,
    OP_TEST,    OP_INC,    OP_DEC, OP_NEG,  OP_NOT,  OP_MOV,     OP_MOV,  OP_MOVZX8, OP_MOVZX16, OP_MOVSX8,
    OP_MOVSX16, OP_MOVSXD, OP_LEA, OP_XCHG, OP_XADD, OP_CMPXCHG, OP_SETO, OP_CMOVO,  OP_JO,      OP_JO,
    OP_JO,      OP_PUSH,   OP_POP, OP_CBW,  OP_CWD,  OP_LAHF,    OP_SAHF, OP_STC,    OP_CLC,     OP_CMC,
    OP_ROL,     OP_ROR,    OP_RCL, OP_RCR,  OP_BT,   OP_PUSHF,
};

static const struct x86_row *pick_row(struct ox_rng *g, bool mode32, enum x86_map_id *map)
{
    for (;;) {
        uint16_t op = ops[ox_below(g, sizeof(ops) / sizeof(ops[0]))];
        unsigned start, n;

        *map = ox_below(g, 2) ? MAP_ONE : MAP_0F;
        n = x86_maps[*map].nrows;
        start = ox_below(g, n);
        for (unsigned k = 0; k < n; k++) {
            const struct x86_row *row = &x86_maps[*map].rows[(start + k) % n];

            if (row->op == op && row->sel & (mode32 ? SEL_NO64 : SEL_64)) {
                return row;
            }
        }
    }
}

static bool writes(const struct x86_rec *r, unsigned reg)
{
    bool rm = !(r->flags & REC_MEM) && r->form != FORM_R_RM && r->form != FORM_R_RM_I && r->form != FORM_NONE &&
              r->form != FORM_I;
    bool both = r->op == OP_XCHG || r->op == OP_XADD;

    return (rm && r->rm >> 3 == reg) ||
           ((r->form == FORM_R_RM || r->form == FORM_R_RM_I || both) && r->reg >> 3 == reg);
}

/* Nothing moves the pointers, and every memory operand goes through RSI */
static bool fits(const struct x86_rec *r)
{
    if (writes(r, R_SI) || writes(r, R_SP) || r->op == OP_UD || (r->flags & REC_LOCK && r->op != OP_XCHG)) {
        return false;
    }
    if ((r->op == OP_ROL || r->op == OP_ROR || r->op == OP_RCL || r->op == OP_RCR) && r->form != FORM_RM_1) {
        return false;
    }
    if (r->op == OP_BT && (r->form != FORM_RM_I || r->flags & REC_MEM)) {
        return false;
    }
    if (!(r->flags & REC_MEM)) {
        return true;
    }
    if (r->form == FORM_R_MOFFS || r->form == FORM_MOFFS_R || r->asize == 1 || r->seg != SEG_DS) {
        return false;
    }
    return r->op == OP_LEA || (r->base == R_SI && r->index == REG_ZERO && r->disp >= -128 && r->disp < 128);
}

void ox_make_block(struct ox_rng *g, bool mode32, const struct x86_features *feat, struct ox_case *c)
{
    unsigned want = 2 + ox_below(g, 9), skip_at = 0;

    memset(c, 0, sizeof(*c));
    c->mode = mode32 ? OX_32 : OX_64;
    c->mode32 = mode32;
    for (unsigned n = 0; n < want;) {
        enum x86_map_id map;
        const struct x86_row *row = pick_row(g, mode32, &map);
        struct ox_bytes o = { .n = 0 };
        struct x86_rec r;
        unsigned len;

        if (row->op == OP_JO && map == MAP_0F) {
            continue;
        }
        ox_encode(g, &o, map, row, mode32);
        len = x86_decode(o.b, o.n < 15 ? o.n : 15, mode32 ? OX_MODE32 : OX_MODE64, c->len, feat, &r);
        if (!len || (r.op != row->op && !(row->pat & PAT_CC)) || !fits(&r)) {
            continue;
        }
        if (c->len + len + 16 > OX_CODE_MAX) {
            break;
        }
        memcpy(c->code + c->len, o.b, len);
        c->len += len;
        if (skip_at) {
            c->code[skip_at] = (uint8_t)(c->len - skip_at - 1);
            skip_at = 0;
        }
        if (row->op == OP_JO) {
            skip_at = c->len - 1;
            c->code[skip_at] = 0;
        }
        if (n++ == 0) {
            c->rec = r;
        }
    }
    ox_random_state(g, &c->in, mode32);
    c->in.gpr[R_SI] = ox_below(g, 6) ? OX_ARENA + 0x400 + ox_below(g, 0x1800) : ox_address(g, mode32);
}
