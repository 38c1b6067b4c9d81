/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/jit/tmpl_stack.c - templates: PUSH, POP, LEAVE
 *
 * Memory first, then RSP: a miss hands the whole record to the interpreter, which must find nothing changed. For two
 * accesses the value waits in JT2 while the second one is checked; so native flags cannot live across those (they
 * would be saved there).
 */
#include "target/x86/jit/jit_int.h"

/* Operand as wide as the stack pointer */
static bool full_size(const struct jit_tr *t, const struct x86_rec *r)
{
    return r->size == (t->mode & MODE_64 ? 3 : 2);
}

static unsigned width(const struct x86_rec *r)
{
    return r->size == 3 ? X_W : 0;
}

/* RSP <- @base + @n; no flags change */
static void sp_from(struct jit_tr *t, const struct x86_rec *r, unsigned base, int32_t n)
{
    x64_op(&t->h, 0x8D | width(r), JSP, x64_m(base, X_NONE, 0, n));
}

/* A second access, with the value of the first in JT2 */
static bool two_accesses_ok(const struct jit_tr *t, const struct x86_rec *r)
{
    return jit_mem_ok(t, r) && !(t->nat && t->ri[t->i].nat_in);
}

static bool tmpl_push(struct jit_tr *t, const struct x86_rec *r)
{
    int32_t n = 1 << r->size;
    struct x64_rm m;

    if (r->flags & REC_MEM) {
        if (!two_accesses_ok(t, r)) {
            return false;
        }
        m = jit_mem(t, (unsigned)n, JA_LD);
        x64_op(&t->h, 0x8B | width(r), JT2, m);
        m = jit_stack(t, -n, (unsigned)n, JA_ST);
        x64_op(&t->h, 0x89 | width(r), JT2, m);
    } else if (r->form == FORM_I) {
        m = jit_stack(t, -n, (unsigned)n, JA_ST);
        x64_op(&t->h, 0xC7 | width(r), 0, m);
        x64_b4(&t->h, r->imm32);
    } else {
        m = jit_stack(t, -n, (unsigned)n, JA_ST);
        x64_op(&t->h, 0x89 | width(r), jit_src(t, r->rm, r->size, JT1), m);
    }
    sp_from(t, r, JSP, -n);
    return true;
}

static bool tmpl_pop(struct jit_tr *t, const struct x86_rec *r)
{
    int32_t n = 1 << r->size;
    unsigned h;
    struct x64_rm m;

    if (r->flags & REC_MEM) {
        if (r->base == R_SP || !two_accesses_ok(t, r)) {
            return false;
        }
        m = jit_stack(t, 0, (unsigned)n, JA_LD);
        x64_op(&t->h, 0x8B | width(r), JT2, m);
        m = jit_mem(t, (unsigned)n, JA_ST);
        x64_op(&t->h, 0x89 | width(r), JT2, m);
        sp_from(t, r, JSP, n);
        return true;
    }
    h = jit_greg(r->rm >> 3);
    m = jit_stack(t, 0, (unsigned)n, JA_LD);
    x64_op(&t->h, 0x8B | width(r), h == X_NONE ? JT0 : h, m);
    if (h == X_NONE) {
        x64_st(&t->h, jit_gop(t, r->rm, 3), JT0);
    }
    if (h != JSP) {                     /* POP RSP: what was popped stays */
        sp_from(t, r, JSP, n);
    }
    return true;
}

static bool tmpl_leave(struct jit_tr *t, const struct x86_rec *r)
{
    int32_t n = 1 << r->size;
    struct x64_rm m = jit_stack_at(t, X_BP, 0, (unsigned)n, JA_LD);

    sp_from(t, r, X_BP, n);
    x64_op(&t->h, 0x8B | width(r), X_BP, m);
    return true;
}

/* CLD, STD: DF is kept apart from the arithmetic flags */
static bool tmpl_df(struct jit_tr *t, const struct x86_rec *r)
{
    bool live = t->nat && t->ri[t->i].nat_out;

    if (live) {
        jit_flags_save(&t->h);
    }
    x64_op(&t->h, 0xBA | X_0F, r->op == OP_CLD ? 6 : 5, JF(t->cpu, eflags));   /* BTR, BTS */
    x64_b1(&t->h, __builtin_ctz(FL_DF));
    if (live) {
        jit_flags_restore(&t->h);
    }
    t->nat = live;
    return true;
}

bool jit_tmpl_stack(struct jit_tr *t, const struct x86_rec *r)
{
    if (r->op == OP_CLD || r->op == OP_STD) {
        return tmpl_df(t, r);
    }
    if ((r->op != OP_PUSH && r->op != OP_POP && r->op != OP_LEAVE) || !full_size(t, r) || !jit_stack_ok(t)) {
        return false;
    }
    return r->op == OP_PUSH ? tmpl_push(t, r) : r->op == OP_POP ? tmpl_pop(t, r) : tmpl_leave(t, r);
}
