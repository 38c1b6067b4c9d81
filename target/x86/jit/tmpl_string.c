/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/jit/tmpl_string.c - templates: MOVS, STOS and LODS, and REP MOVS and REP STOS, upwards, between places that are in the TLB
 *
 * Single ones are two accesses off registers; downwards they are the interpreter's. For REP:
 * The stub (stubs_sys.c) does as many pages as it can; for the rest the interpreter does the record, from the registers
 * as they are then, as after an interrupt. So the flags as a fault would show them must not hang on those registers:
 * jit_string_early() has liveness.c see to it. SCAS and CMPS are the interpreter's.
 */
#include "target/x86/jit/operand.h"

static bool repeats(const struct x86_rec *r)
{
    return r->flags & (REC_REP | REC_REPNE);
}

/* With 32-bit addresses the upper halves of the registers are not looked at: outside 64-bit mode they count for nothing */
static bool can_do(const struct x86_rec *r, uint32_t mode)
{
    unsigned asize = mode & MODE_64 ? 3 : 2;
    bool from = r->op != OP_STOS, to = r->op != OP_LODS;

    if ((r->op != OP_MOVS && r->op != OP_STOS && (r->op != OP_LODS || repeats(r))) || r->asize != asize || mode & MODE_AC) {
        return false;
    }
    return (!to || mode & (MODE_64 | MODE_FLAT_ES)) && (!from || r->flags & (REC_FLAT64 | REC_FLAT32));
}

uint32_t jit_string_early(const struct x86_rec *r)
{
    return repeats(r) && (r->op == OP_MOVS || r->op == OP_STOS) ? jit_writes(r) : 0;
}

/* The address register behind one element; no flags change */
static void advance(struct jit_tr *t, const struct x86_rec *r, unsigned reg)
{
    x64_op(&t->h, 0x8D | (t->mode & MODE_64 ? X_W : 0), reg, x64_m(reg, X_NONE, 0, 1 << r->size));
}

/* Both accesses are checked before anything changes; what is on its way waits in JT2 */
static void single(struct jit_tr *t, const struct x86_rec *r)
{
    unsigned len = 1u << r->size;
    uint8_t *down;

    x64_op(&t->h, 0xF7, 0, JF(t->cpu, eflags));         /* TEST */
    x64_b4(&t->h, FL_DF);
    down = x64_jcc(&t->h, X_NZ, 0);
    if (r->op != OP_STOS) {
        get(t, JT2, r->size, jit_mem_reg(t, R_SI, len, JA_LD));
    }
    if (r->op != OP_LODS) {
        struct x64_rm to = jit_mem_reg(t, R_DI, len, JA_ST);

        x64_op(&t->h, sized(0x88, r->size), r->op == OP_STOS ? X_AX : JT2, to);
        advance(t, r, X_DI);
    } else {
        put(t, R_AX * 8, r->size, JT2);
    }
    if (r->op != OP_STOS) {
        advance(t, r, X_SI);
    }
    jit_check_out(t, down);
}

static void cut(struct x64_buf *b, unsigned reg)
{
    x64_op(b, 0x8B, reg, x64_r(reg));
}

bool jit_tmpl_string(struct jit_tr *t, const struct x86_rec *r)
{
    bool m64 = t->mode & MODE_64, live = t->nat && t->ri[t->i].nat_out;
    uint8_t *none, *down;

    if (!can_do(r, t->mode) || live) {
        return false;
    }
    t->nat = false;
    if (!repeats(r)) {
        single(t, r);
        return true;
    }
    if (!m64) {
        cut(&t->h, X_CX);
        cut(&t->h, X_SI);
        cut(&t->h, X_DI);
    }
    x64_op(&t->h, 0x85 | X_W, X_CX, x64_r(X_CX));
    none = x64_jcc8(&t->h, X_Z);
    x64_op(&t->h, 0xF7, 0, JF(t->cpu, eflags));         /* TEST */
    x64_b4(&t->h, FL_DF);
    down = x64_jcc(&t->h, X_NZ, 0);
    x64_call(&t->h, t->j->s_string[r->op == OP_STOS][jit_bank(t->mode)][r->size]);
    if (!m64) {                                         /* the last page's end is address 0 */
        x64_op(&t->h, 0x8D, X_SI, x64_m(X_SI, X_NONE, 0, 0));
        x64_op(&t->h, 0x8D, X_DI, x64_m(X_DI, X_NONE, 0, 0));
    }
    jit_check_out(t, x64_jcc(&t->h, X_B, 0));
    jit_check_out(t, down);
    x64_here8(&t->h, none);
    return true;
}
