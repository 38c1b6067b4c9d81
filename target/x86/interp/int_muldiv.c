/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/interp/int_muldiv.c - MUL IMUL DIV IDIV, and decimal adjustment: DAA DAS AAA AAS AAM AAD (SDM vol. 2)
 *
 * MUL and IMUL define CF and OF only (the product does not fit); the other four come out as zero. DIV and IDIV leave
 * the flags alone, and raise #DE before anything is written.
 */
#include "target/x86/interp/fast.h"

static void set_overflow(struct x86_cpu *cpu, bool v)
{
    flags_set_arith(cpu, v ? FL_CF | FL_OF : 0);
}

/* rDX:rAX = rAX * rm; AX for bytes */
static void put_product(struct x86_cpu *cpu, unsigned size, uint64_t lo, uint64_t hi)
{
    if (size == 0) {
        REG16(R_AX * 8) = (uint16_t)lo;
        return;
    }
    reg_set(cpu, R_AX * 8, size, lo);
    reg_set(cpu, R_DX * 8, size, hi);
}

static X86_OP(mul)
{
    unsigned size = r->size, w = 8u << size;
    uint64_t a = reg_get(cpu, R_AX * 8, size), b = rm_get(cpu, r, size), lo, hi;

    if (size == 3) {
        unsigned __int128 p = (unsigned __int128)a * b;

        lo = (uint64_t)p;
        hi = (uint64_t)(p >> 64);
    } else {
        lo = a * b;
        hi = lo >> w;
    }
    put_product(cpu, size, lo, hi);
    set_overflow(cpu, hi != 0);
    X86_NEXT;
}

static X86_OP(imul)
{
    unsigned size = r->size, w = 8u << size;
    int64_t a = (int64_t)sx(reg_get(cpu, R_AX * 8, size), size), b = (int64_t)sx(rm_get(cpu, r, size), size);
    uint64_t lo, hi;

    if (size == 3) {
        __int128 p = (__int128)a * b;

        lo = (uint64_t)p;
        hi = (uint64_t)(p >> 64);
        set_overflow(cpu, p != (int64_t)lo);
    } else {
        lo = (uint64_t)(a * b);
        hi = lo >> w;
        set_overflow(cpu, lo != sx(lo, size));
    }
    put_product(cpu, size, lo, hi);
    X86_NEXT;
}

/* Two and three operands */
FAST void imul_put(struct x86_cpu *cpu, const struct x86_rec *r, unsigned size, uint64_t ua, uint64_t ub, bool nf)
{
    int64_t a = (int64_t)sx(ua, size), b = (int64_t)sx(ub, size), v;
    bool over = __builtin_mul_overflow(a, b, &v);

    if (size < 3) {
        over = v != (int64_t)sx((uint64_t)v, size);
    }
    if (!nf) {
        set_overflow(cpu, over);
    }
    reg_set(cpu, r->reg, size, (uint64_t)v);
}

static X86_OP(imul_r)
{
    uint64_t b = rm_get(cpu, r, r->size);
    uint64_t a = r->form == FORM_R_RM_I ? r->imm : reg_get(cpu, r->reg, r->size);

    imul_put(cpu, r, r->size, a, b, false);
    X86_NEXT;
}

#define DEF_IMUL(name, size, a, b) \
    static X86_OP(name) { imul_put(cpu, r, size, a, b, false); X86_NEXT; } \
    static X86_OP(name##_nf) { imul_put(cpu, r, size, a, b, true); X86_NEXT; }
DEF_IMUL(imul32_r_rm, 2, REG32(r->reg), REG32(r->rm))
DEF_IMUL(imul64_r_rm, 3, REG64(r->reg), REG64(r->rm))
DEF_IMUL(imul32_i, 2, REG32(r->rm), r->imm)
DEF_IMUL(imul64_i, 3, REG64(r->rm), r->imm)

/*
 * Division
 */

/* hi:lo / d, hi < d: so the quotient fits */
static uint64_t div128(uint64_t hi, uint64_t lo, uint64_t d, uint64_t *rem)
{
#if defined(__x86_64__) && !defined(X86_PORTABLE)
    uint64_t q;

    __asm__("divq %4" : "=a"(q), "=d"(*rem) : "0"(lo), "1"(hi), "r"(d) : "cc");
    return q;
#else
    unsigned __int128 n = (unsigned __int128)hi << 64 | lo;

    *rem = (uint64_t)(n % d);
    return (uint64_t)(n / d);
#endif
}

static __attribute__((noinline)) void do_div(struct x86_cpu *cpu, const struct x86_rec *r)
{
    unsigned size = r->size, w = 8u << size;
    uint64_t d = rm_get(cpu, r, size), n, q, rem, hi, lo;

    if (!d) {
        x86_raise(cpu, r, EXC_DE);
    }
    if (size == 3) {
        hi = cpu->regs[R_DX];
        lo = cpu->regs[R_AX];
        if (hi >= d) {
            x86_raise(cpu, r, EXC_DE);
        }
        cpu->regs[R_AX] = div128(hi, lo, d, &rem);
        cpu->regs[R_DX] = rem;
        return;
    }
    n = size == 0 ? REG16(R_AX * 8) : reg_get(cpu, R_AX * 8, size) | reg_get(cpu, R_DX * 8, size) << w;
    q = n / d;
    rem = n % d;
    if (q != zx(q, size)) {
        x86_raise(cpu, r, EXC_DE);
    }
    if (size == 0) {
        REG16(R_AX * 8) = (uint16_t)(q | rem << 8);
    } else {
        reg_set(cpu, R_AX * 8, size, q);
        reg_set(cpu, R_DX * 8, size, rem);
    }
}

/* On magnitudes; the remainder has the dividend's sign */
static void do_idiv64(struct x86_cpu *cpu, const struct x86_rec *r, int64_t d)
{
    uint64_t hi = cpu->regs[R_DX], lo = cpu->regs[R_AX], q, rem, ud = d < 0 ? 0 - (uint64_t)d : (uint64_t)d;
    bool neg = (int64_t)hi < 0, qneg = neg != (d < 0);

    if (neg) {
        hi = ~hi + (lo == 0);
        lo = 0 - lo;
    }
    if (hi >= ud) {
        x86_raise(cpu, r, EXC_DE);
    }
    q = div128(hi, lo, ud, &rem);
    if (q > (qneg ? 1ULL << 63 : INT64_MAX)) {
        x86_raise(cpu, r, EXC_DE);
    }
    cpu->regs[R_AX] = qneg ? 0 - q : q;
    cpu->regs[R_DX] = neg ? 0 - rem : rem;
}

static __attribute__((noinline)) void do_idiv(struct x86_cpu *cpu, const struct x86_rec *r)
{
    unsigned size = r->size, w = 8u << size;
    int64_t d = (int64_t)sx(rm_get(cpu, r, size), size), n, q, rem;

    if (!d) {
        x86_raise(cpu, r, EXC_DE);
    }
    if (size == 3) {
        do_idiv64(cpu, r, d);
        return;
    }
    if (size == 0) {
        n = (int16_t)REG16(R_AX * 8);
    } else {
        n = (int64_t)sx(reg_get(cpu, R_AX * 8, size) | reg_get(cpu, R_DX * 8, size) << w, size + 1);
    }
    if (n == INT64_MIN && d == -1) {
        x86_raise(cpu, r, EXC_DE);
    }
    q = n / d;
    rem = n % d;
    if (q != (int64_t)sx((uint64_t)q, size)) {
        x86_raise(cpu, r, EXC_DE);
    }
    if (size == 0) {
        REG16(R_AX * 8) = (uint16_t)((uint8_t)q | (uint8_t)rem << 8);
    } else {
        reg_set(cpu, R_AX * 8, size, (uint64_t)q);
        reg_set(cpu, R_DX * 8, size, (uint64_t)rem);
    }
}

static X86_OP(div)
{
    do_div(cpu, r);
    X86_NEXT;
}

static X86_OP(idiv)
{
    do_idiv(cpu, r);
    X86_NEXT;
}

/*
 * Decimal. SF, ZF, PF by AL, as the pseudo code of SDM vol. 2 sets them
 */
static uint32_t szp(uint8_t v)
{
    return (v & 0x80 ? FL_SF : 0) | (v ? 0 : FL_ZF) | (__builtin_parity(v) ? 0 : FL_PF);
}

static X86_OP(daa)
{
    uint32_t f = flags_arith(cpu), out = 0;
    uint8_t al = REG8(0), old = al;

    if ((al & 15) > 9 || f & FL_AF) {
        al += 6;
        out |= FL_AF;
    }
    if (old > 0x99 || f & FL_CF) {
        al += 0x60;
        out |= FL_CF;
    }
    REG8(0) = al;
    flags_set_arith(cpu, out | szp(al));
    X86_NEXT;
}

static X86_OP(das)
{
    uint32_t f = flags_arith(cpu), out = 0;
    uint8_t al = REG8(0), old = al;

    if ((al & 15) > 9 || f & FL_AF) {
        out |= FL_AF | (al < 6 || f & FL_CF ? FL_CF : 0);
        al -= 6;
    }
    if (old > 0x99 || f & FL_CF) {
        al -= 0x60;
        out |= FL_CF;
    }
    REG8(0) = al;
    flags_set_arith(cpu, out | szp(al));
    X86_NEXT;
}

static X86_OP(aaa)
{
    uint32_t f = flags_arith(cpu), out = 0;

    if ((REG8(0) & 15) > 9 || f & FL_AF) {
        REG16(0) = (uint16_t)(REG16(0) + 0x106);
        out = FL_AF | FL_CF;
    }
    REG8(0) &= 15;
    flags_set_arith(cpu, out | szp(REG8(0)));
    X86_NEXT;
}

static X86_OP(aas)
{
    uint32_t f = flags_arith(cpu), out = 0;

    if ((REG8(0) & 15) > 9 || f & FL_AF) {
        REG16(0) = (uint16_t)(REG16(0) - 6);
        REG8(1) = (uint8_t)(REG8(1) - 1);
        out = FL_AF | FL_CF;
    }
    REG8(0) &= 15;
    flags_set_arith(cpu, out | szp(REG8(0)));
    X86_NEXT;
}

static X86_OP(aam)
{
    uint8_t d = (uint8_t)r->imm, al = REG8(0);

    if (!d) {
        x86_raise(cpu, r, EXC_DE);
    }
    REG8(1) = al / d;
    REG8(0) = al % d;
    flags_set_arith(cpu, szp(REG8(0)));
    X86_NEXT;
}

static X86_OP(aad)
{
    REG16(0) = (uint8_t)(REG8(0) + REG8(1) * (uint8_t)r->imm);
    flags_set_arith(cpu, szp(REG8(0)));
    X86_NEXT;
}

static x86_handler *bind_imul_r(const struct x86_rec *r)
{
    static x86_handler *const rows[2][2][2] = {     /* [64-bit][immediate][flags dead] */
        { { x86_imul32_r_rm, x86_imul32_r_rm_nf }, { x86_imul32_i, x86_imul32_i_nf } },
        { { x86_imul64_r_rm, x86_imul64_r_rm_nf }, { x86_imul64_i, x86_imul64_i_nf } },
    };

    if (r->flags & REC_MEM || r->size < 2) {
        return x86_imul_r;
    }
    return rows[r->size == 3][r->form == FORM_R_RM_I][(r->flags & REC_NF) != 0];
}

x86_handler *x86_bind_muldiv(const struct x86_rec *r, uint32_t mode)
{
    (void)mode;
    switch (r->op) {
    case OP_MUL:
        return x86_mul;
    case OP_IMUL:
        return x86_imul;
    case OP_IMUL_R:
        return bind_imul_r(r);
    case OP_DIV:
        return x86_div;
    case OP_IDIV:
        return x86_idiv;
    case OP_DAA:
        return x86_daa;
    case OP_DAS:
        return x86_das;
    case OP_AAA:
        return x86_aaa;
    case OP_AAS:
        return x86_aas;
    case OP_AAM:
        return x86_aam;
    case OP_AAD:
        return x86_aad;
    default:
        return NULL;
    }
}
