/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/jit/tmpl_sys.c - templates: what kernels and C libraries execute often of the system instructions, where
 * it is a move or two
 *
 * The CPL is 3 or not by the mode; that it is 0 and not 1 or 2 is tested when they run. What has no privilege goes to
 * the interpreter.
 */
#include "target/x86/jit/operand.h"

/* Host flags must not be needed: what follows compares */
static bool may_compare(const struct jit_tr *t)
{
    return !(t->nat && t->ri[t->i].nat_out);
}

static bool kernel_ok(const struct jit_tr *t)
{
    return !(t->mode & (MODE_USER | MODE_VM)) && may_compare(t);
}

static void need_cpl0(struct jit_tr *t)
{
    t->nat = false;
    x64_op(&t->h, 0x80, X_CMP, JF(t->cpu, cpl));
    x64_b1(&t->h, 0);
    jit_check_out(t, x64_jcc(&t->h, X_NZ, 0));
}

/* Without MODE_VM and with CPL 0, or in real mode, it is IF and nothing else */
static bool tmpl_cli(struct jit_tr *t)
{
    if (!kernel_ok(t)) {
        return false;
    }
    need_cpl0(t);
    x64_alui(&t->h, X_AND, 0, JF(t->cpu, eflags), ~(int32_t)FL_IF);
    return true;
}

static bool tmpl_swapgs(struct jit_tr *t)
{
    if (!kernel_ok(t) || !(t->mode & MODE_64)) {
        return false;
    }
    need_cpl0(t);
    x64_ld(&t->h, JT0, JF(t->cpu, seg[SEG_GS].base));
    x64_ld(&t->h, JT1, JF(t->cpu, kernel_gs_base));
    x64_st(&t->h, JF(t->cpu, kernel_gs_base), JT0);
    x64_st(&t->h, JF(t->cpu, seg[SEG_GS].base), JT1);
    return true;
}

static bool tmpl_from_cr(struct jit_tr *t, const struct x86_rec *r)
{
    const uint64_t *cr = r->reg == 0 ? &t->cpu->cr0 : r->reg == 2 ? &t->cpu->cr2 : r->reg == 3 ? &t->cpu->cr3 : &t->cpu->cr4;

    if ((r->reg != 0 && r->reg != 2 && r->reg != 3 && r->reg != 4) || !kernel_ok(t)) {
        return false;
    }
    need_cpl0(t);
    get(t, JT0, r->size, x64_abs(cr));
    put(t, r->rm, r->size, JT0);
    return true;
}

/* RDFSBASE and its kin: #UD unless CR4.FSGSBASE, #GP for an address that is not canonical */
static bool tmpl_base(struct jit_tr *t, const struct x86_rec *r)
{
    bool fs = r->op == OP_RDFSBASE || r->op == OP_WRFSBASE;
    struct x64_rm base = JF(t->cpu, seg[fs ? SEG_FS : SEG_GS].base);

    if (!(t->mode & MODE_64) || !may_compare(t)) {
        return false;
    }
    t->nat = false;
    x64_op(&t->h, 0xF7, 0, JF(t->cpu, cr4));            /* TEST */
    x64_b4(&t->h, CR4_FSGSBASE);
    jit_check_out(t, x64_jcc(&t->h, X_Z, 0));
    if (r->op == OP_RDFSBASE || r->op == OP_RDGSBASE) {
        get(t, JT0, r->size, base);
        put(t, r->rm, r->size, JT0);
        return true;
    }
    get(t, JT0, r->size, jit_gop(t, r->rm, r->size));
    if (r->size == 3) {
        x64_mov(&t->h, JT1, JT0);
        x64_op(&t->h, 0xC1 | X_W, 4, x64_r(JT1));       /* SHL, SAR */
        x64_b1(&t->h, 16);
        x64_op(&t->h, 0xC1 | X_W, 7, x64_r(JT1));
        x64_b1(&t->h, 16);
        x64_alu(&t->h, X_CMP, X_W, JT1, x64_r(JT0));
        jit_check_out(t, x64_jcc(&t->h, X_NZ, 0));
    }
    x64_st(&t->h, base, JT0);
    return true;
}

static bool tmpl_from_sreg(struct jit_tr *t, const struct x86_rec *r)
{
    struct x64_rm sel = JF(t->cpu, seg[r->reg].sel), m;

    if (!(r->flags & REC_MEM)) {
        get(t, JT0, 1, sel);
        put(t, r->rm, r->size, JT0);
        return true;
    }
    if (!jit_mem_ok(t, r)) {
        return false;
    }
    m = jit_mem(t, 2, JA_ST);
    get(t, JT2, 1, sel);
    x64_op(&t->h, 0x89 | X_66, JT2, m);
    return true;
}

/* LFENCE, MFENCE, SFENCE as they are: stores of templates may be non-temporal */
static bool tmpl_fence(struct jit_tr *t, const struct x86_rec *r)
{
    x64_op(&t->h, 0xAE | X_0F, r->reg >= 5 && r->reg <= 7 ? r->reg : 6, x64_r(0));
    return true;
}

/* In C, but with a light way there. CR4.TSD is left to the interpreter at any level */
static bool tmpl_rdtsc(struct jit_tr *t, const struct x86_rec *r)
{
    if (!may_compare(t)) {
        return false;
    }
    t->nat = false;
    x64_op(&t->h, 0xF7, 0, JF(t->cpu, cr4));            /* TEST */
    x64_b4(&t->h, CR4_TSD);
    jit_check_out(t, x64_jcc(&t->h, X_NZ, 0));
    x64_call(&t->h, t->j->s_tsc);
    t->vec = t->x87 = 0;
    x64_mov(&t->h, X_DX, X_AX);
    x64_op(&t->h, 0xC1 | X_W, 5, x64_r(X_DX));          /* SHR */
    x64_b1(&t->h, 32);
    x64_op(&t->h, 0x8B, X_AX, x64_r(X_AX));
    if (r->op == OP_RDTSCP) {
        x64_ld32(&t->h, X_CX, JF(t->cpu, tsc_aux));
    }
    return true;
}

/*
 * The arithmetic flags are the host's when an instruction of this block has left them there (liveness.c does not count
 * PUSHF as somebody who wants them), otherwise C makes them of what memory says
 */
static bool tmpl_pushf(struct jit_tr *t, const struct x86_rec *r)
{
    int32_t n = 1 << r->size;
    struct x64_rm m;

    if (!may_compare(t) || t->mode & MODE_VM || r->size != (t->mode & MODE_64 ? 3 : 2) || !jit_stack_ok(t)) {
        return false;
    }
    if (t->nat && !t->nat_part) {
        x64_b1(&t->h, 0x9C);
        x64_pop(&t->h, JT2);
        x64_alui(&t->h, X_AND, 0, x64_r(JT2), FL_ARITH);
        t->nat = false;
    } else {
        t->nat = false;
        jit_fl_early(t);
        x64_call(&t->h, t->j->s_eflags);
        t->vec = t->x87 = 0;
    }
    m = jit_stack(t, -n, (unsigned)n, JA_ST);
    x64_alu(&t->h, X_OR, 0, JT2, JF(t->cpu, eflags));
    x64_alui(&t->h, X_AND, 0, x64_r(JT2), ~(int32_t)(FL_RF | FL_VM));
    x64_op(&t->h, 0x89 | (n == 8 ? X_W : 0), JT2, m);
    x64_op(&t->h, 0x8D | (n == 8 ? X_W : 0), JSP, x64_m(JSP, X_NONE, 0, -n));
    return true;
}

bool jit_tmpl_sys(struct jit_tr *t, const struct x86_rec *r)
{
    switch (r->op) {
    case OP_RDTSC:
    case OP_RDTSCP:
        return tmpl_rdtsc(t, r);
    case OP_PUSHF:
        return tmpl_pushf(t, r);
    case OP_CLI:
        return tmpl_cli(t);
    case OP_SWAPGS:
        return tmpl_swapgs(t);
    case OP_MOV_FROM_CR:
        return tmpl_from_cr(t, r);
    case OP_RDFSBASE:
    case OP_RDGSBASE:
    case OP_WRFSBASE:
    case OP_WRGSBASE:
        return tmpl_base(t, r);
    case OP_MOV_FROM_SREG:
        return tmpl_from_sreg(t, r);
    case OP_FENCE:
        return tmpl_fence(t, r);
    case OP_PAUSE:
        x64_b1(&t->h, 0xF3);
        x64_b1(&t->h, 0x90);
        return true;
    case OP_CLFLUSH:
        if (!jit_mem_ok(t, r)) {
            return false;
        }
        jit_mem(t, 1, JA_LD);
        return true;
    default:
        return false;
    }
}
