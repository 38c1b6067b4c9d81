/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/interp/int_alu.c - ADD SUB ADC SBB AND OR XOR CMP TEST INC DEC NEG NOT XADD CMPXCHG (SDM vol. 2)
 *
 * x86_alu_any() and its sisters are the reference: every form, size, address, LOCK. The tables at the end hold
 * specialised handlers of the frequent ones: operation x size x operands x (flags dead or not).
 */
#include "target/x86/interp/fast.h"

/*
 * Generic
 */

/* Result and flags of a two-operand operation; @size at run time */
static uint64_t alu_compute(struct x86_cpu *cpu, unsigned op, unsigned size, uint64_t a, uint64_t b)
{
    unsigned c;

    switch (op) {
    case OP_ADD:
    case OP_XADD:
        cc_set(cpu, CC_ADD8, size, a + b, b);
        return a + b;
    case OP_ADC:
        c = flags_cond(cpu, 2);
        cc_set(cpu, c ? CC_ADC8 : CC_ADD8, size, a + b + c, b);
        return a + b + c;
    case OP_SBB:
        c = flags_cond(cpu, 2);
        cc_set(cpu, c ? CC_SBB8 : CC_SUB8, size, a - b - c, b);
        return a - b - c;
    case OP_SUB:
    case OP_CMP:
    case OP_CMPXCHG:
        cc_set(cpu, CC_SUB8, size, a - b, b);
        return a - b;
    case OP_AND:
    case OP_TEST:
        cc_logic(cpu, size, a & b);
        return a & b;
    case OP_OR:
        cc_logic(cpu, size, a | b);
        return a | b;
    case OP_XOR:
        cc_logic(cpu, size, a ^ b);
        return a ^ b;
    case OP_INC:
        c = flags_cond(cpu, 2);
        cc_set(cpu, CC_INC8, size, a + 1, c);
        return a + 1;
    case OP_DEC:
        c = flags_cond(cpu, 2);
        cc_set(cpu, CC_DEC8, size, a - 1, c);
        return a - 1;
    case OP_NEG:
        cc_set(cpu, CC_SUB8, size, 0 - a, a);
        return 0 - a;
    default:        /* OP_NOT */
        return ~a;
    }
}

/* The same without the flags, for the retries of an atomic update */
static uint64_t alu_value(unsigned op, uint64_t a, uint64_t b, unsigned c)
{
    switch (op) {
    case OP_ADD:
    case OP_XADD:
        return a + b;
    case OP_ADC:
        return a + b + c;
    case OP_SBB:
        return a - b - c;
    case OP_SUB:
        return a - b;
    case OP_AND:
        return a & b;
    case OP_OR:
        return a | b;
    case OP_XOR:
        return a ^ b;
    case OP_INC:
        return a + 1;
    case OP_DEC:
        return a - 1;
    case OP_NEG:
        return 0 - a;
    default:
        return ~a;
    }
}

/* Compare-and-swap of any size: the value that was there */
UNALIGNED_ATOMIC static uint64_t host_cas(void *p, unsigned size, uint64_t old, uint64_t new)
{
    switch (size) {
    case 0:
        return __sync_val_compare_and_swap((uint8_t *)p, (uint8_t)old, (uint8_t)new);
    case 1:
        return __sync_val_compare_and_swap((uint16_t *)p, (uint16_t)old, (uint16_t)new);
    case 2:
        return __sync_val_compare_and_swap((uint32_t *)p, (uint32_t)old, (uint32_t)new);
    default:
        return __sync_val_compare_and_swap((uint64_t *)p, old, new);
    }
}

/* Read-modify-write of memory. Return: the value before */
static uint64_t alu_rmw(struct x86_cpu *cpu, const struct x86_rec *r, uint64_t b)
{
    unsigned size = r->size, c;
    void *p = mem_rmw_begin(cpu, r, rec_la(cpu, r, 1u << size, true), 1u << size);
    uint64_t a = host_ld(p, size);

    if (r->flags & REC_LOCK) {
        c = r->op == OP_ADC || r->op == OP_SBB ? flags_cond(cpu, 2) : 0;
        for (;;) {
            uint64_t was = host_cas(p, size, a, alu_value(r->op, a, b, c));

            if (was == a) {
                break;
            }
            a = was;
        }
        alu_compute(cpu, r->op, size, a, b);
    } else {
        host_st(p, size, alu_compute(cpu, r->op, size, a, b));
    }
    mem_rmw_end(cpu, r, p);
    return a;
}

X86_OP(alu_any)
{
    unsigned size = r->size, op = r->op;
    uint64_t a, b, v;

    switch (r->form) {
    case FORM_R_RM:
        b = rm_get(cpu, r, size);
        a = reg_get(cpu, r->reg, size);
        v = alu_compute(cpu, op, size, a, b);
        if (op != OP_CMP && op != OP_TEST) {
            reg_set(cpu, r->reg, size, v);
        }
        X86_NEXT;
    case FORM_RM_R:
        b = reg_get(cpu, r->reg, size);
        break;
    case FORM_RM_I:
    case FORM_R_I:
        b = zx(r->imm, size);
        break;
    default:
        b = 0;
        break;
    }
    if (op == OP_CMP || op == OP_TEST) {
        alu_compute(cpu, op, size, rm_get(cpu, r, size), b);
    } else if (r->flags & REC_MEM) {
        alu_rmw(cpu, r, b);
    } else {
        reg_set(cpu, r->rm, size, alu_compute(cpu, op, size, reg_get(cpu, r->rm, size), b));
    }
    X86_NEXT;
}

static X86_OP(xadd)
{
    unsigned size = r->size;
    uint64_t a, b = reg_get(cpu, r->reg, size);

    if (r->flags & REC_MEM) {
        a = alu_rmw(cpu, r, b);
        reg_set(cpu, r->reg, size, a);
    } else {
        a = reg_get(cpu, r->rm, size);
        reg_set(cpu, r->reg, size, a);
        reg_set(cpu, r->rm, size, alu_compute(cpu, OP_ADD, size, a, b));
    }
    X86_NEXT;
}

/*
 * A memory destination is written in any case: with its own value when the comparison fails. A register is not, which
 * shows in bits 63:32.
 */
static X86_OP(cmpxchg)
{
    unsigned size = r->size;
    uint64_t acc = reg_get(cpu, R_AX * 8, size), new = reg_get(cpu, r->reg, size), old;

    if (r->flags & REC_MEM) {
        void *p = mem_rmw_begin(cpu, r, rec_la(cpu, r, 1u << size, true), 1u << size);

        if (r->flags & REC_LOCK) {
            old = host_cas(p, size, acc, new);
        } else {
            old = host_ld(p, size);
            host_st(p, size, old == acc ? new : old);
        }
        mem_rmw_end(cpu, r, p);
        if (old != acc) {
            reg_set(cpu, R_AX * 8, size, old);
        }
    } else {
        old = reg_get(cpu, r->rm, size);
        if (old == acc) {
            reg_set(cpu, r->rm, size, new);
        } else {
            reg_set(cpu, R_AX * 8, size, old);
        }
    }
    cc_set(cpu, CC_SUB8, size, acc - old, old);
    X86_NEXT;
}

static void set_zf(struct x86_cpu *cpu, bool z)
{
    uint32_t f = flags_arith(cpu);

    flags_set_arith(cpu, z ? f | FL_ZF : f & ~(uint32_t)FL_ZF);
}

static X86_OP(cmpxchg8b)
{
    void *p = mem_rmw_begin(cpu, r, rec_la(cpu, r, 8, true), 8);
    uint64_t acc = (uint32_t)cpu->regs[R_AX] | cpu->regs[R_DX] << 32;
    uint64_t new = (uint32_t)cpu->regs[R_BX] | cpu->regs[R_CX] << 32;
    uint64_t old = host_cas(p, 3, acc, new);

    mem_rmw_end(cpu, r, p);
    if (old != acc) {
        cpu->regs[R_AX] = (uint32_t)old;
        cpu->regs[R_DX] = old >> 32;
    }
    set_zf(cpu, old == acc);
    X86_NEXT;
}

/* Two 64-bit halves: atomic only where the host has a 16-byte compare-and-swap without a library */
static void cas16(uint64_t *p, uint64_t old[2], const uint64_t new[2])
{
#if defined(__x86_64__) && !defined(X86_PORTABLE)
    bool ok;

    __asm__ volatile("lock cmpxchg16b %1" : "=@ccz"(ok), "+m"(*(unsigned __int128 *)p), "+a"(old[0]), "+d"(old[1])
                     : "b"(new[0]), "c"(new[1]) : "memory");
    (void)ok;
#elif defined(__aarch64__)
    uint64_t lo, hi;
    uint32_t failed;

    __asm__ volatile("1:  ldaxp   %[lo], %[hi], %[p]\n\t"
                     "cmp     %[lo], %[olo]\n\t"
                     "ccmp    %[hi], %[ohi], #0, eq\n\t"
                     "b.ne    2f\n\t"
                     "stlxp   %w[failed], %[nlo], %[nhi], %[p]\n\t"
                     "cbnz    %w[failed], 1b\n\t"
                     "b       3f\n"
                     "2:  stlxp   %w[failed], %[lo], %[hi], %[p]\n\t"      /* what was read was there at one time */
                     "cbnz    %w[failed], 1b\n"
                     "3:"
                     : [lo] "=&r"(lo), [hi] "=&r"(hi), [failed] "=&r"(failed), [p] "+Q"(*(unsigned __int128 *)p)
                     : [olo] "r"(old[0]), [ohi] "r"(old[1]), [nlo] "r"(new[0]), [nhi] "r"(new[1]) : "cc", "memory");
    old[0] = lo;
    old[1] = hi;
#else
    uint64_t was[2] = { p[0], p[1] };

    if (was[0] == old[0] && was[1] == old[1]) {
        p[0] = new[0];
        p[1] = new[1];
    }
    old[0] = was[0];
    old[1] = was[1];
#endif
}

static __attribute__((noinline)) void do_cmpxchg16b(struct x86_cpu *cpu, const struct x86_rec *r)
{
    uint64_t la = rec_la(cpu, r, 16, true);
    uint64_t old[2] = { cpu->regs[R_AX], cpu->regs[R_DX] };
    const uint64_t new[2] = { cpu->regs[R_BX], cpu->regs[R_CX] };
    uint64_t *p;
    bool same;

    if (la & 15) {
        x86_raise_err(cpu, r, EXC_GP, 0);
    }
    p = mem_rmw_begin(cpu, r, la, 16);
    cas16(p, old, new);
    mem_rmw_end(cpu, r, p);
    same = old[0] == cpu->regs[R_AX] && old[1] == cpu->regs[R_DX];
    cpu->regs[R_AX] = old[0];
    cpu->regs[R_DX] = old[1];
    set_zf(cpu, same);
}

static X86_OP(cmpxchg16b)
{
    do_cmpxchg16b(cpu, r);
    X86_NEXT;
}

/*
 * Specialised
 */
#define IS_LOGIC(op) ((op) == OP_AND || (op) == OP_OR || (op) == OP_XOR || (op) == OP_TEST)
#define HAS_RESULT(op) ((op) != OP_CMP && (op) != OP_TEST)

FAST uint64_t alu_do(struct x86_cpu *cpu, unsigned op, unsigned size, bool nf, uint64_t a, uint64_t b)
{
    uint64_t v = op == OP_ADD ? a + b : op == OP_SUB || op == OP_CMP ? a - b : op == OP_OR ? a | b :
                 op == OP_XOR ? a ^ b : a & b;

    if (nf) {
        return v;
    }
    if (IS_LOGIC(op)) {
        cc_logic(cpu, size, v);
    } else {
        cc_set(cpu, op == OP_ADD ? CC_ADD8 : CC_SUB8, size, v, b);
    }
    return v;
}

/* Register with register (@d is the destination) or immediate */
FAST void alu_reg(struct x86_cpu *cpu, unsigned op, unsigned size, bool nf, unsigned d, uint64_t b)
{
    uint64_t v = alu_do(cpu, op, size, nf, reg_get(cpu, d, size), b);

    if (HAS_RESULT(op)) {
        reg_set(cpu, d, size, v);
    }
}

FAST const struct x86_rec *alu_load(struct x86_cpu *cpu, const struct x86_rec *r, unsigned op, unsigned size, bool nf,
                                    unsigned kind)
{
    char *p;

    if (unlikely(!tlb_rd(cpu, addr_of(cpu, r, kind), 1u << size, &p))) {
        return x86_alu_any(cpu, r);
    }
    alu_reg(cpu, op, size, nf, r->reg, host_ld(p, size));
    X86_NEXT;
}

/* Memory destination; @imm: source is the immediate */
FAST const struct x86_rec *alu_mem(struct x86_cpu *cpu, const struct x86_rec *r, unsigned op, unsigned size, bool imm,
                                   unsigned kind)
{
    uint64_t la = addr_of(cpu, r, kind), b, v;
    char *p;

    if (HAS_RESULT(op) ? unlikely(!tlb_wr(cpu, la, 1u << size, &p)) : unlikely(!tlb_rd(cpu, la, 1u << size, &p))) {
        return x86_alu_any(cpu, r);
    }
    b = imm ? zx(r->imm, size) : reg_get(cpu, r->reg, size);
    v = alu_do(cpu, op, size, false, host_ld(p, size), b);
    if (HAS_RESULT(op)) {
        host_st(p, size, v);
    }
    X86_NEXT;
}

/* One operation and size: names end in what the operands are. nf: flags dead */
#define DEF(op, s) \
    static X86_OP(op##s##_rm_r) { alu_reg(cpu, OP_##op, s, false, r->rm, reg_get(cpu, r->reg, s)); X86_NEXT; } \
    static X86_OP(op##s##_rm_r_nf) { alu_reg(cpu, OP_##op, s, true, r->rm, reg_get(cpu, r->reg, s)); X86_NEXT; } \
    static X86_OP(op##s##_r_rm) { alu_reg(cpu, OP_##op, s, false, r->reg, reg_get(cpu, r->rm, s)); X86_NEXT; } \
    static X86_OP(op##s##_r_rm_nf) { alu_reg(cpu, OP_##op, s, true, r->reg, reg_get(cpu, r->rm, s)); X86_NEXT; } \
    static X86_OP(op##s##_i) { alu_reg(cpu, OP_##op, s, false, r->rm, zx(r->imm, s)); X86_NEXT; } \
    static X86_OP(op##s##_i_nf) { alu_reg(cpu, OP_##op, s, true, r->rm, zx(r->imm, s)); X86_NEXT; } \
    DEF_MEM(op, s, B64) DEF_MEM(op, s, X64) DEF_MEM(op, s, F32) DEF_MEM(op, s, S64)
#define DEF_MEM(op, s, k) \
    static X86_OP(op##s##_ld_##k) { return alu_load(cpu, r, OP_##op, s, false, ADDR_##k); } \
    static X86_OP(op##s##_ldnf_##k) { return alu_load(cpu, r, OP_##op, s, true, ADDR_##k); } \
    static X86_OP(op##s##_mr_##k) { return alu_mem(cpu, r, OP_##op, s, false, ADDR_##k); } \
    static X86_OP(op##s##_mi_##k) { return alu_mem(cpu, r, OP_##op, s, true, ADDR_##k); }
#define DEF_SIZES(op) DEF(op, 0) DEF(op, 1) DEF(op, 2) DEF(op, 3)

DEF_SIZES(ADD)
DEF_SIZES(SUB)
DEF_SIZES(AND)
DEF_SIZES(OR)
DEF_SIZES(XOR)
DEF_SIZES(CMP)
DEF_SIZES(TEST)

struct alu_row {
    x86_handler *rm_r[2], *r_rm[2], *i[2];      /* [1]: flags dead */
    struct { x86_handler *ld[2], *mr, *mi; } mem[ADDR_KINDS];
};

#define ROW(op, s) { \
    { x86_##op##s##_rm_r, x86_##op##s##_rm_r_nf }, { x86_##op##s##_r_rm, x86_##op##s##_r_rm_nf }, \
    { x86_##op##s##_i, x86_##op##s##_i_nf }, \
    { ROW_MEM(op, s, B64), ROW_MEM(op, s, X64), ROW_MEM(op, s, F32), ROW_MEM(op, s, S64) } }
#define ROW_MEM(op, s, k) \
    [ADDR_##k] = { { x86_##op##s##_ld_##k, x86_##op##s##_ldnf_##k }, x86_##op##s##_mr_##k, x86_##op##s##_mi_##k }
#define ROW_SIZES(op) [OP_##op - OP_ADD] = { ROW(op, 0), ROW(op, 1), ROW(op, 2), ROW(op, 3) }

static const struct alu_row alu_rows[][4] = {
    ROW_SIZES(ADD), ROW_SIZES(SUB), ROW_SIZES(AND), ROW_SIZES(OR), ROW_SIZES(XOR), ROW_SIZES(CMP), ROW_SIZES(TEST),
};

/* ADC and SBB of registers and immediates: multi-word arithmetic */
FAST const struct x86_rec *carry_reg(struct x86_cpu *cpu, const struct x86_rec *r, unsigned op, unsigned size,
                                     unsigned d, uint64_t b)
{
    uint64_t a = reg_get(cpu, d, size), v;
    unsigned c, n;
    int cf = cf_fast(cpu);

    if (cf < 0) {
        if (!cc_is(cpu, op == OP_ADC ? CC_ADC8 : CC_SBB8, &n)) {
            return x86_alu_any(cpu, r);
        }
        cf = op == OP_ADC ? cpu->cc_dst << n <= cpu->cc_src << n :
             (cpu->cc_dst + cpu->cc_src + 1) << n <= cpu->cc_src << n;
    }
    c = (unsigned)cf;
    v = op == OP_ADC ? a + b + c : a - b - c;
    cc_set(cpu, op == OP_ADC ? (c ? CC_ADC8 : CC_ADD8) : (c ? CC_SBB8 : CC_SUB8), size, v, b);
    reg_set(cpu, d, size, v);
    X86_NEXT;
}

#define DEF_CARRY(op, s) \
    static X86_OP(op##s##_rm_r) { return carry_reg(cpu, r, OP_##op, s, r->rm, reg_get(cpu, r->reg, s)); } \
    static X86_OP(op##s##_r_rm) { return carry_reg(cpu, r, OP_##op, s, r->reg, reg_get(cpu, r->rm, s)); } \
    static X86_OP(op##s##_i) { return carry_reg(cpu, r, OP_##op, s, r->rm, zx(r->imm, s)); }
DEF_CARRY(ADC, 2)
DEF_CARRY(ADC, 3)
DEF_CARRY(SBB, 2)
DEF_CARRY(SBB, 3)

/* INC, DEC, NEG, NOT of registers */
FAST const struct x86_rec *unary_reg(struct x86_cpu *cpu, const struct x86_rec *r, unsigned op, unsigned size, bool nf)
{
    uint64_t a = reg_get(cpu, r->rm, size);
    uint64_t v = op == OP_INC ? a + 1 : op == OP_DEC ? a - 1 : op == OP_NEG ? 0 - a : ~a;
    int cf;

    if (!nf && (op == OP_INC || op == OP_DEC)) {
        cf = cf_fast(cpu);
        if (unlikely(cf < 0)) {
            return x86_alu_any(cpu, r);
        }
        cc_set(cpu, op == OP_INC ? CC_INC8 : CC_DEC8, size, v, (unsigned)cf);
    } else if (!nf && op == OP_NEG) {
        cc_set(cpu, CC_SUB8, size, v, a);
    }
    reg_set(cpu, r->rm, size, v);
    X86_NEXT;
}

#define DEF_UNARY(op, s) \
    static X86_OP(op##s) { return unary_reg(cpu, r, OP_##op, s, false); } \
    static X86_OP(op##s##_nf) { return unary_reg(cpu, r, OP_##op, s, true); }
#define UNARY_SIZES(op) DEF_UNARY(op, 0) DEF_UNARY(op, 1) DEF_UNARY(op, 2) DEF_UNARY(op, 3)
UNARY_SIZES(INC)
UNARY_SIZES(DEC)
UNARY_SIZES(NEG)
UNARY_SIZES(NOT)

#define UNARY_ROW(op) { \
    { x86_##op##0, x86_##op##0_nf }, { x86_##op##1, x86_##op##1_nf }, \
    { x86_##op##2, x86_##op##2_nf }, { x86_##op##3, x86_##op##3_nf } }
static x86_handler *const unary_rows[4][4][2] = {
    [OP_INC - OP_INC] = UNARY_ROW(INC), [OP_DEC - OP_INC] = UNARY_ROW(DEC),
    [OP_NEG - OP_INC] = UNARY_ROW(NEG), [OP_NOT - OP_INC] = UNARY_ROW(NOT),
};

/* xor r, r and sub r, r: zero whatever was there */
static X86_OP(zero32)
{
    REG64(r->rm) = 0;
    cc_logic(cpu, 2, 0);
    X86_NEXT;
}

static X86_OP(test_self32)
{
    cc_logic(cpu, 2, REG32(r->rm));
    X86_NEXT;
}

static X86_OP(test_self64)
{
    cc_logic(cpu, 3, REG64(r->rm));
    X86_NEXT;
}

static x86_handler *bind_two(const struct x86_rec *r, uint32_t mode)
{
    const struct alu_row *row = &alu_rows[r->op - OP_ADD][r->size];
    unsigned kind = addr_kind(r, mode);
    bool nf = r->flags & REC_NF, same;

    if (r->flags & REC_MEM) {
        if (kind == ADDR_OTHER || r->flags & REC_LOCK) {
            return x86_alu_any;
        }
        return r->form == FORM_R_RM ? row->mem[kind].ld[nf] : r->form == FORM_RM_R ? row->mem[kind].mr :
               row->mem[kind].mi;
    }
    same = (r->form == FORM_RM_R || r->form == FORM_R_RM) && r->rm == r->reg;
    if (same && r->op == OP_XOR && r->size >= 2) {
        return x86_zero32;
    }
    if (same && (r->op == OP_TEST) && r->size >= 2) {
        return r->size == 2 ? x86_test_self32 : x86_test_self64;
    }
    return r->form == FORM_R_RM ? row->r_rm[nf] : r->form == FORM_RM_R ? row->rm_r[nf] : row->i[nf];
}

static x86_handler *bind_carry(const struct x86_rec *r)
{
    static x86_handler *const rows[2][2][3] = {
        { { x86_ADC2_rm_r, x86_ADC2_r_rm, x86_ADC2_i }, { x86_ADC3_rm_r, x86_ADC3_r_rm, x86_ADC3_i } },
        { { x86_SBB2_rm_r, x86_SBB2_r_rm, x86_SBB2_i }, { x86_SBB3_rm_r, x86_SBB3_r_rm, x86_SBB3_i } },
    };

    if (r->flags & REC_MEM || r->size < 2) {
        return x86_alu_any;
    }
    return rows[r->op == OP_SBB][r->size - 2][r->form == FORM_RM_R ? 0 : r->form == FORM_R_RM ? 1 : 2];
}

x86_handler *x86_bind_alu(const struct x86_rec *r, uint32_t mode)
{
    switch (r->op) {
    case OP_ADD:
    case OP_SUB:
    case OP_AND:
    case OP_OR:
    case OP_XOR:
    case OP_CMP:
    case OP_TEST:
        return bind_two(r, mode);
    case OP_ADC:
    case OP_SBB:
        return bind_carry(r);
    case OP_INC:
    case OP_DEC:
    case OP_NEG:
    case OP_NOT:
        return r->flags & REC_MEM ? x86_alu_any : unary_rows[r->op - OP_INC][r->size][(r->flags & REC_NF) != 0];
    case OP_XADD:
        return x86_xadd;
    case OP_CMPXCHG:
        return x86_cmpxchg;
    case OP_CMPXCHG8B:
        return x86_cmpxchg8b;
    case OP_CMPXCHG16B:
        return x86_cmpxchg16b;
    default:
        return NULL;
    }
}
