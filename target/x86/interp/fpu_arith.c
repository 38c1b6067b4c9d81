/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/interp/fpu_arith.c - x87 arithmetic, comparisons, transcendental functions
 *
 * An operand register that is empty is a stack underflow: masked, the result is the default NaN (comparisons:
 * unordered) and the instruction pops as usual; unmasked, nothing changes. Unmasked IE, DE and ZE hold an instruction
 * back (no result, no pop); OE, UE and PE do not. SDM vol. 1, 8.5; vol. 2, the instruction pages.
 */
#include "target/x86/interp/fpu.h"

enum { PRE_EXC = FSW_IE | FSW_DE | FSW_ZE };

/* The eight operations in ModRM.reg order, as ops.h lists them; -1 and -2: FCOM, FCOMP */
static const int8_t arith_of[8] = { FPH_ADD, FPH_MUL, -1, -2, FPH_SUB, FPH_SUBR, FPH_DIV, FPH_DIVR };
/* The six of the register forms */
static const uint8_t arith6[6] = { FPH_ADD, FPH_MUL, FPH_SUB, FPH_SUBR, FPH_DIV, FPH_DIVR };

static void set_cc(struct x86_cpu *cpu, uint16_t sw, unsigned which)
{
    cpu->fpu.fsw = (cpu->fpu.fsw & ~which) | (sw & which);
}

/* ST(d) = ST(d) op ST(s) */
static void arith_reg(struct x86_cpu *cpu, const struct x86_rec *r, enum fph_arith op, unsigned d, unsigned s, bool pop)
{
    uint16_t sw;

    fpu_wait(cpu, r);
    if (unlikely(fpu_empty(cpu, d) || fpu_empty(cpu, s))) {
        if (fpu_stack_fault(cpu, r, false)) {
            fpu_set_st(cpu, d, &x87_indefinite);
            if (pop) {
                fpu_pop(cpu);
            }
        }
        return;
    }
    sw = fph_arith(cpu->fpu.fcw, op, fpu_st(cpu, d), fpu_st(cpu, s));
    fpu_flags(cpu, r, sw);
    if (pop && !fpu_open(cpu, sw, PRE_EXC)) {
        fpu_pop(cpu);
    }
}

X87(arith_st0)
{
    arith_reg(cpu, r, arith6[r->op - OP_FADD_ST0_STI], 0, r->rm & 7, false);
}

X87(arith_sti)
{
    arith_reg(cpu, r, arith6[r->op - OP_FADD_STI_ST0], r->rm & 7, 0, false);
}

X87(arith_pop)
{
    arith_reg(cpu, r, arith6[r->op - OP_FADDP], r->rm & 7, 0, true);
}

/*
 * Comparisons
 */
enum { CC_UNORDERED = FSW_C0 | FSW_C2 | FSW_C3 };

static void com_done(struct x86_cpu *cpu, const struct x86_rec *r, uint16_t sw, unsigned pops)
{
    fpu_flags(cpu, r, sw);
    set_cc(cpu, sw, CC_UNORDERED);          /* also with an unmasked exception */
    if (!fpu_open(cpu, sw, PRE_EXC)) {
        while (pops--) {
            fpu_pop(cpu);
        }
    }
}

static void com_underflow(struct x86_cpu *cpu, const struct x86_rec *r, unsigned pops)
{
    cpu->fpu.fsw |= CC_UNORDERED;
    if (fpu_stack_fault(cpu, r, false)) {
        while (pops--) {
            fpu_pop(cpu);
        }
    }
}

static void com_reg(struct x86_cpu *cpu, const struct x86_rec *r, unsigned i, bool quiet, unsigned pops)
{
    fpu_wait(cpu, r);
    if (unlikely(fpu_empty(cpu, 0) || fpu_empty(cpu, i))) {
        com_underflow(cpu, r, pops);
        return;
    }
    com_done(cpu, r, fph_com(cpu->fpu.fcw, fpu_st(cpu, 0), fpu_st(cpu, i), quiet), pops);
}

X87(fcom) { com_reg(cpu, r, r->rm & 7, false, 0); }
X87(fcomp) { com_reg(cpu, r, r->rm & 7, false, 1); }
X87(fcompp) { com_reg(cpu, r, 1, false, 2); }
X87(fucom) { com_reg(cpu, r, r->rm & 7, true, 0); }
X87(fucomp) { com_reg(cpu, r, r->rm & 7, true, 1); }
X87(fucompp) { com_reg(cpu, r, 1, true, 2); }

/* FCOMI and friends: the result goes to ZF, PF, CF; OF, SF, AF are cleared; C1 stays unless the stack underflows */
static void comi(struct x86_cpu *cpu, const struct x86_rec *r, bool quiet, bool pop)
{
    unsigned i = r->rm & 7, fl = FL_ZF | FL_PF | FL_CF;
    uint16_t sw = FSW_IE;

    fpu_wait(cpu, r);
    if (unlikely(fpu_empty(cpu, 0) || fpu_empty(cpu, i))) {
        fpu_stack_fault(cpu, r, false);
    } else {
        sw = fph_com(cpu->fpu.fcw, fpu_st(cpu, 0), fpu_st(cpu, i), quiet);
        fpu_flags(cpu, r, (sw & ~FSW_C1) | (cpu->fpu.fsw & FSW_C1));
        fl = (sw & FSW_C3 ? FL_ZF : 0) | (sw & FSW_C2 ? FL_PF : 0) | (sw & FSW_C0 ? FL_CF : 0);
    }
    flags_set_arith(cpu, fl);                   /* also with an unmasked exception */
    if (pop && !fpu_open(cpu, sw, PRE_EXC)) {
        fpu_pop(cpu);
    }
}

X87(fcomi) { comi(cpu, r, false, false); }
X87(fcomip) { comi(cpu, r, false, true); }
X87(fucomi) { comi(cpu, r, true, false); }
X87(fucomip) { comi(cpu, r, true, true); }

/*
 * Memory operands: the number is copied to cpu->rmw_buf, then the host reads it there
 */
static void arith_mem(struct x86_cpu *cpu, const struct x86_rec *r, enum fph_mem kind, unsigned row)
{
    int op = arith_of[row];
    uint64_t v;
    uint16_t sw;

    fpu_wait(cpu, r);
    switch (kind) {
    case FPH_I16:
        v = mem_ld16(cpu, r, rec_la(cpu, r, 2, false));
        break;
    case FPH_M64:
        v = mem_ld64(cpu, r, rec_la(cpu, r, 8, false));
        break;
    default:
        v = mem_ld32(cpu, r, rec_la(cpu, r, 4, false));
        break;
    }
    if (unlikely(fpu_empty(cpu, 0))) {
        if (op < 0) {
            com_underflow(cpu, r, op == -2);
        } else if (fpu_stack_fault(cpu, r, false)) {
            fpu_set_st(cpu, 0, &x87_indefinite);
        }
        return;
    }
    if (op < 0) {
        struct x87_reg x = fpu_get(cpu, 0);

        com_done(cpu, r, fph_com_mem(cpu->fpu.fcw, kind, &x, &v), op == -2);
        return;
    }
    sw = fph_arith_mem(cpu->fpu.fcw, (enum fph_arith)op, kind, fpu_st(cpu, 0), &v);
    fpu_flags(cpu, r, sw);
}

X87(arith_m32) { arith_mem(cpu, r, FPH_M32, r->op - OP_FADD_M32); }
X87(arith_m64) { arith_mem(cpu, r, FPH_M64, r->op - OP_FADD_M64); }
X87(arith_i16) { arith_mem(cpu, r, FPH_I16, r->op - OP_FIADD_M16); }
X87(arith_i32) { arith_mem(cpu, r, FPH_I32, r->op - OP_FIADD_M32); }

/*
 * One operand
 */
static void unary(struct x86_cpu *cpu, const struct x86_rec *r, enum fph_unary op)
{
    uint16_t sw;

    fpu_wait(cpu, r);
    if (unlikely(fpu_empty(cpu, 0))) {
        if (op == FPH_SIN || op == FPH_COS) {
            cpu->fpu.fsw &= ~FSW_C2;
        }
        if (fpu_stack_fault(cpu, r, false)) {
            fpu_set_st(cpu, 0, &x87_indefinite);
        }
        return;
    }
    sw = fph_unary(cpu->fpu.fcw, op, fpu_st(cpu, 0));
    fpu_flags(cpu, r, sw);
    if (op == FPH_SIN || op == FPH_COS) {
        set_cc(cpu, sw, FSW_C2);            /* out of range: ST(0) is as it was */
    }
}

X87(fsqrt) { unary(cpu, r, FPH_SQRT); }
X87(frndint) { unary(cpu, r, FPH_RNDINT); }
X87(f2xm1) { unary(cpu, r, FPH_2XM1); }
X87(fsin) { unary(cpu, r, FPH_SIN); }
X87(fcos) { unary(cpu, r, FPH_COS); }

X87(ftst)
{
    struct x87_reg x;

    fpu_wait(cpu, r);
    if (unlikely(fpu_empty(cpu, 0))) {
        com_underflow(cpu, r, 0);
        return;
    }
    x = fpu_get(cpu, 0);
    com_done(cpu, r, fph_unary(cpu->fpu.fcw, FPH_TST, &x), 0);
}

/* The class of ST(0) in C3, C2, C0; its sign in C1, also when it is empty */
X87(fxam)
{
    struct x87_reg x = fpu_get(cpu, 0);
    uint16_t cc;

    fpu_wait(cpu, r);
    if (fpu_empty(cpu, 0)) {
        cc = FSW_C3 | FSW_C0 | (x.se & 0x8000 ? FSW_C1 : 0);
    } else {
        cc = fph_unary(cpu->fpu.fcw, FPH_XAM, &x);
    }
    set_cc(cpu, cc, FSW_CC);
    fpu_ptrs(cpu, r, false);
}

static void sign_op(struct x86_cpu *cpu, const struct x86_rec *r, uint16_t keep, uint16_t flip)
{
    fpu_wait(cpu, r);
    if (unlikely(fpu_empty(cpu, 0))) {
        if (fpu_stack_fault(cpu, r, false)) {
            fpu_set_st(cpu, 0, &x87_indefinite);
        }
        return;
    }
    fpu_st(cpu, 0)->se = (fpu_st(cpu, 0)->se & keep) ^ flip;
    fpu_flags(cpu, r, 0);
}

X87(fchs) { sign_op(cpu, r, 0xFFFF, 0x8000); }
X87(fabs) { sign_op(cpu, r, 0x7FFF, 0); }

/*
 * Two operands, ST(0) and ST(1)
 */
static void binary(struct x86_cpu *cpu, const struct x86_rec *r, enum fph_binary op)
{
    bool pops = op >= FPH_YL2X;
    uint16_t sw;

    fpu_wait(cpu, r);
    if (unlikely(fpu_empty(cpu, 0) || fpu_empty(cpu, 1))) {
        if (op == FPH_PREM || op == FPH_PREM1) {
            cpu->fpu.fsw &= ~FSW_C2;
        }
        if (fpu_stack_fault(cpu, r, false)) {
            fpu_set_st(cpu, pops, &x87_indefinite);
            if (pops) {
                fpu_pop(cpu);
            }
        }
        return;
    }
    sw = fph_binary(cpu->fpu.fcw, op, fpu_st(cpu, 0), fpu_st(cpu, 1));
    fpu_flags(cpu, r, sw);
    if (op == FPH_PREM || op == FPH_PREM1) {
        const struct x87_reg *x = fpu_st(cpu, 0);

        if (fpu_open(cpu, sw, PRE_EXC) || (x->se & 0x7FFF) == 0x7FFF) {
            cpu->fpu.fsw &= ~FSW_C2;        /* no quotient: C0 and C3 stay */
        } else {
            set_cc(cpu, sw, FSW_CC);
        }
    } else if (pops && (sw & FSW_TOP) == 7 << 11) {
        fpu_pop(cpu);
    }
}

X87(fprem) { binary(cpu, r, FPH_PREM); }
X87(fprem1) { binary(cpu, r, FPH_PREM1); }
X87(fscale) { binary(cpu, r, FPH_SCALE); }
X87(fyl2x) { binary(cpu, r, FPH_YL2X); }
X87(fyl2xp1) { binary(cpu, r, FPH_YL2XP1); }
X87(fpatan) { binary(cpu, r, FPH_ATAN); }

/* One operand, two results */
static void twin(struct x86_cpu *cpu, const struct x86_rec *r, enum fph_twin op)
{
    struct x87_reg z = { 0 };
    bool empty = fpu_empty(cpu, 0), full = !fpu_empty(cpu, 7);
    uint16_t sw;

    fpu_wait(cpu, r);
    if (unlikely(empty || full)) {
        if (op != FPH_XTRACT) {
            cpu->fpu.fsw &= ~FSW_C2;
        }
        if (fpu_stack_fault(cpu, r, !empty)) {
            fpu_set_st(cpu, 0, &x87_indefinite);
            fpu_push(cpu, &x87_indefinite);
        }
        return;
    }
    sw = fph_twin(cpu->fpu.fcw, op, fpu_st(cpu, 0), &z);
    fpu_flags(cpu, r, sw);
    if (op != FPH_XTRACT) {
        set_cc(cpu, sw, FSW_C2);
    }
    if ((sw & FSW_TOP) == 6 << 11) {
        fpu_push(cpu, &z);
    }
}

X87(fptan) { twin(cpu, r, FPH_PTAN); }
X87(fsincos) { twin(cpu, r, FPH_SINCOS); }
X87(fxtract) { twin(cpu, r, FPH_XTRACT); }

static const struct {
    uint16_t op;
    x86_handler *fn;
} rows[] = {
    { OP_FCOM_STI, x86_fcom }, { OP_FCOMP_STI, x86_fcomp }, { OP_FCOMPP, x86_fcompp }, { OP_FUCOM, x86_fucom },
    { OP_FUCOMP, x86_fucomp }, { OP_FUCOMPP, x86_fucompp }, { OP_FCOMI, x86_fcomi }, { OP_FCOMIP, x86_fcomip },
    { OP_FUCOMI, x86_fucomi }, { OP_FUCOMIP, x86_fucomip }, { OP_FSQRT, x86_fsqrt }, { OP_FRNDINT, x86_frndint },
    { OP_F2XM1, x86_f2xm1 }, { OP_FSIN, x86_fsin }, { OP_FCOS, x86_fcos }, { OP_FTST, x86_ftst }, { OP_FXAM, x86_fxam },
    { OP_FCHS, x86_fchs }, { OP_FABS, x86_fabs }, { OP_FPREM, x86_fprem }, { OP_FPREM1, x86_fprem1 },
    { OP_FSCALE, x86_fscale }, { OP_FYL2X, x86_fyl2x }, { OP_FYL2XP1, x86_fyl2xp1 }, { OP_FPATAN, x86_fpatan },
    { OP_FPTAN, x86_fptan }, { OP_FSINCOS, x86_fsincos }, { OP_FXTRACT, x86_fxtract },
};

x86_handler *fpu_bind_arith(const struct x86_rec *r)
{
    static const struct {
        uint16_t first, last;
        x86_handler *fn;
    } ranges[] = {
        { OP_FADD_M32, OP_FDIVR_M32, x86_arith_m32 }, { OP_FADD_M64, OP_FDIVR_M64, x86_arith_m64 },
        { OP_FIADD_M16, OP_FIDIVR_M16, x86_arith_i16 }, { OP_FIADD_M32, OP_FIDIVR_M32, x86_arith_i32 },
        { OP_FADD_ST0_STI, OP_FDIVR_ST0_STI, x86_arith_st0 }, { OP_FADD_STI_ST0, OP_FDIVR_STI_ST0, x86_arith_sti },
        { OP_FADDP, OP_FDIVRP, x86_arith_pop },
    };

    static_assert(OP_FDIVR_M32 - OP_FADD_M32 == 7 && OP_FDIVR_M64 - OP_FADD_M64 == 7, "arith_of[] order");
    static_assert(OP_FIDIVR_M16 - OP_FIADD_M16 == 7 && OP_FIDIVR_M32 - OP_FIADD_M32 == 7, "arith_of[] order");
    static_assert(OP_FDIVR_ST0_STI - OP_FADD_ST0_STI == 5 && OP_FDIVR_STI_ST0 - OP_FADD_STI_ST0 == 5, "arith6[] order");
    static_assert(OP_FDIVRP - OP_FADDP == 5, "arith6[] order");
    for (unsigned i = 0; i < ARRAY_LEN(ranges); i++) {
        if (r->op >= ranges[i].first && r->op <= ranges[i].last) {
            return ranges[i].fn;
        }
    }
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].op == r->op) {
            return rows[i].fn;
        }
    }
    return NULL;
}
