/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/jit/tmpl_mmx.c - templates: MMX, and what moves between MMX and XMM registers
 *
 * MMX registers are the significands of the x87's, so these instructions want the x87 state live (tmpl_x87.c) and do to
 * tags, TOP and exponents on the host what they do on the guest. They are encoded as the decoder's table says, like SSE
 * in tmpl_simd.c. With an x87 exception unmasked one may be pending and every MMX instruction waits for it: the
 * interpreter does those.
 */
#include "target/x86/jit/jit_int.h"
#include "target/x86/optable.h"

/* MMX and XMM registers both */
static bool is_mixed(unsigned op)
{
    return (op >= OP_CVTPI2PS && op <= OP_CVTTPD2PI) || op == OP_MOVQ2DQ || op == OP_MOVDQ2Q;
}

static bool is_mmx(const struct x86_rec *r)
{
    static_assert(OP_CVTTPD2PI - OP_CVTPI2PS == 5, "the six conversions in a row");
    return x86_op_info[r->op].attr & XA_SIMD && !(r->flags & REC_VEX) && (r->size == 3 || is_mixed(r->op)) &&
           r->op != OP_MASKMOVQ;
}

bool jit_mmx_pure(const struct x86_rec *r)
{
    return is_mmx(r) && !(r->flags & REC_MEM);
}

static const struct x86_row *row_of(const struct x86_rec *r)
{
    uint32_t want = r->flags & REC_MEM ? SEL_MEM : SEL_REG;

    for (unsigned m = MAP_0F; m <= MAP_0F3A; m++) {
        const struct x86_map *map = &x86_maps[m];

        for (unsigned i = 1; i < map->nrows; i++) {
            const struct x86_row *row = &map->rows[i];

            if (row->op == r->op && row->sel & want && x86_patterns[row->pat & ~PAT_CC].form == r->form &&
                (row->size == SIZE_MX || row->size == SIZE_MM || is_mixed(r->op))) {
                return row;
            }
        }
    }
    return NULL;
}

/* Opcode word of emit_x64.h. A row for MMX and XMM allows no prefix and 66: no prefix is MMX */
static unsigned op_word(const struct x86_row *row)
{
    unsigned op = row->first, map = MAP_0F;

    while (!(row >= x86_maps[map].rows && row < x86_maps[map].rows + x86_maps[map].nrows)) {
        map++;
    }
    op |= (map - MAP_0F + 1) * X_0F;
    op |= row->sel & SEL_NP ? 0 : row->sel & SEL_66 ? X_66 : row->sel & SEL_F3 ? X_F3 : X_F2;
    return op | ((row->sel & (SEL_W0 | SEL_W1)) == SEL_W1 ? X_W : 0);
}

/*
 * Bytes of a memory operand. PUNPCKLxx reads four, or eight on some hosts: asking for eight sends those that cross a
 * page to the interpreter.
 */
static unsigned mem_len(const struct x86_rec *r)
{
    switch (r->op) {
    case OP_MOVD:
        return 4;
    case OP_PINSRW:
        return 2;
    case OP_CVTPD2PI:
    case OP_CVTTPD2PI:
        return 16;
    default:
        return 8;
    }
}

/*
 * A register operand of @kind; *put: where a general register that is written lives if not in a host register, JT0
 * stands for it
 */
static struct x64_rm operand(struct jit_tr *t, unsigned kind, unsigned v, bool written, struct x64_rm *put)
{
    struct x64_rm m;

    if (kind != KIND_GW) {
        return x64_r(v);
    }
    m = jit_gop(t, v, 3);
    if (m.mem && written) {
        *put = m;
        return x64_r(JT0);
    }
    return m;
}

static bool is_store(const struct x86_rec *r)
{
    return r->form == FORM_RM_R;
}

static void encode(struct jit_tr *t, const struct x86_rec *r, const struct x86_row *row)
{
    const struct x86_pattern_info *pat = &x86_patterns[row->pat];
    struct x64_rm put = { .mem = false }, rm;
    unsigned reg, len = mem_len(r);
    enum jit_acc acc = is_store(r) ? JA_ST : JA_LD;

    if (!(r->flags & REC_MEM)) {
        rm = operand(t, pat->rm, r->rm, is_store(r), &put);
    } else {
        rm = len == 16 ? jit_mem_aligned(t, len, acc) : jit_mem(t, len, acc);
    }
    reg = pat->reg == KIND_NONE ? (unsigned)__builtin_ctz(row->sel >> 14 & 0xFF) :
          operand(t, pat->reg, r->reg, true, &put).reg;
    x64_op(&t->h, op_word(row), reg, rm);
    if (pat->imm != IMM_NONE) {
        x64_b1(&t->h, r->imm32 & 0xFF);
    }
    if (put.mem) {
        x64_st(&t->h, put, JT0);        /* the instruction has zero-extended it */
    }
}

bool jit_tmpl_mmx(struct jit_tr *t, const struct x86_rec *r)
{
    const struct x86_row *row;

    if (!is_mmx(r) || (t->mode & MODE_XM && jit_simd_raises(r)) || (r->flags & REC_MEM && !jit_mem_ok(t, r))) {
        return false;
    }
    row = row_of(r);
    if (!row || (row->feat == X86_FEAT_SSSE3 && !(t->j->host_1_ecx >> (X86_FEAT_SSSE3 % 32) & 1))) {
        return false;
    }
    if (is_mixed(r->op)) {
        jit_vec_need(t, JV_SSE);
    }
    jit_x87_need(t);
    if (r->op == OP_EMMS) {
        x64_b1(&t->h, 0x0F);
        x64_b1(&t->h, 0x77);
    } else {
        encode(t, r, row);
    }
    return true;
}
