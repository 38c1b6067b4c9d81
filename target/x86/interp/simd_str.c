/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/interp/simd_str.c - PCMPESTRI, PCMPESTRM, PCMPISTRI, PCMPISTRM (SDM vol. 2, 4.1)
 *
 *     imm bit  0    bytes, words                 5:4  polarity: as is, inverted, as is, inverted where b is valid
 *              1    unsigned, signed             6    index: lowest, highest set bit; mask: bits, whole elements
 *              3:2  any, ranges, each, ordered
 *
 * A result is a mask with bit j for element j of b (the rm operand). Elements at and beyond a string's length are
 * invalid.
 */
#include "target/x86/interp/simd.h"

enum { STR_WORDS = 1 << 0, STR_SIGNED = 1 << 1, STR_HIGH = 1 << 6 };
enum { AGG_ANY, AGG_RANGES, AGG_EACH, AGG_ORDERED };

/* bit j: element j of x equals element j of y */
static unsigned eq_mask(v128 x, v128 y, unsigned imm)
{
    if (imm & STR_WORDS) {
        return signs_b(pv_packsswb(pv_pcmpeqw(x, y, 0), V128_ZERO, 0));
    }
    return signs_b(pv_pcmpeqb(x, y, 0));
}

/* element i everywhere */
static v128 splat(union lane a, unsigned i, unsigned imm)
{
    uint64_t q = imm & STR_WORDS ? a.w[i] * 0x0001000100010001ull : a.b[i] * 0x0101010101010101ull;

    return (v128){ q, q };
}

static int element(union lane v, unsigned i, unsigned imm)
{
    if (imm & STR_WORDS) {
        return imm & STR_SIGNED ? v.sw[i] : v.w[i];
    }
    return imm & STR_SIGNED ? v.sb[i] : v.b[i];
}

/* Length of an implicit string: up to the first zero element */
static unsigned str_len(v128 v, unsigned imm)
{
    unsigned n = imm & STR_WORDS ? 8 : 16, zero = eq_mask(v, V128_ZERO, imm) & bits_mask(n);

    return zero ? (unsigned)__builtin_ctz(zero) : n;
}

/* Length from a register: its absolute value, at most all elements */
static unsigned reg_len(uint64_t v, bool wide, unsigned imm)
{
    unsigned n = imm & STR_WORDS ? 8 : 16;
    int64_t s = wide ? (int64_t)v : (int32_t)v;

    return s >= (int64_t)n || s <= -(int64_t)n ? n : (unsigned)(s < 0 ? -s : s);
}

/* IntRes2 of strings a, b with lengths la, lb */
static unsigned str_compare(v128 va, v128 vb, unsigned la, unsigned lb, unsigned imm)
{
    unsigned n = imm & STR_WORDS ? 8 : 16, all = bits_mask(n), valid = bits_mask(lb), res = 0;
    union lane a = { .v = va }, b = { .v = vb };

    switch (imm >> 2 & 3) {
    case AGG_ANY:
        for (unsigned i = 0; i < la; i++) {
            res |= eq_mask(splat(a, i, imm), vb, imm);
        }
        res &= valid;
        break;
    case AGG_RANGES:
        for (unsigned i = 0; i + 1 < la; i += 2) {
            int lo = element(a, i, imm), hi = element(a, i + 1, imm);

            for (unsigned j = 0; j < lb; j++) {
                int v = element(b, j, imm);

                res |= (unsigned)(v >= lo && v <= hi) << j;
            }
        }
        break;
    case AGG_EACH:
        res = eq_mask(va, vb, imm) & valid & bits_mask(la);
        res |= all & ~(valid | bits_mask(la));      /* both at their end */
        break;
    case AGG_ORDERED:
        res = all;
        for (unsigned i = 0; i < la; i++) {
            res &= (eq_mask(splat(a, i, imm), vb, imm) & valid) >> i | ~(all >> i);
        }
        break;
    }
    switch (imm >> 4 & 3) {
    case 1:
        res = ~res;
        break;
    case 3:
        res ^= valid;
        break;
    }
    return res & all;
}

static unsigned str_flags(unsigned res, unsigned la, unsigned lb, unsigned imm)
{
    unsigned n = imm & STR_WORDS ? 8 : 16;

    return (res ? FL_CF : 0) | (lb < n ? FL_ZF : 0) | (la < n ? FL_SF : 0) | (res & 1 ? FL_OF : 0);
}

static v128 str_mask(unsigned res, unsigned imm)
{
    union lane d = { .q = { res, 0 } };

    if (imm & STR_HIGH) {
        if (imm & STR_WORDS) {
            return imm_mask_w(res);
        }
        for (unsigned i = 0; i < 16; i++) {
            d.sb[i] = res >> i & 1 ? -1 : 0;
        }
    }
    return d.v;
}

static __attribute__((noinline)) void pcmpstr(struct x86_cpu *cpu, const struct x86_rec *r, bool explicit, bool mask)
{
    v128 b = simd_rm(cpu, r, 16, false), a = LO(r->reg);
    unsigned imm = SIMD_IMM, n = imm & STR_WORDS ? 8 : 16, la, lb, res;
    bool wide = r->flags & REC_REXW;

    la = explicit ? reg_len(cpu->regs[R_AX], wide, imm) : str_len(a, imm);
    lb = explicit ? reg_len(cpu->regs[R_DX], wide, imm) : str_len(b, imm);
    res = str_compare(a, b, la, lb, imm);
    if (mask) {
        LO(0) = str_mask(res, imm);
        if (r->flags & REC_VEX) {
            HI(0) = V128_ZERO;
        }
    } else if (!res) {
        cpu->regs[R_CX] = n;
    } else {
        cpu->regs[R_CX] = imm & STR_HIGH ? 31 - (unsigned)__builtin_clz(res) : (unsigned)__builtin_ctz(res);
    }
    flags_set_arith(cpu, str_flags(res, la, lb, imm));
}

static X86_OP(pcmpestri) { pcmpstr(cpu, r, true, false); X86_NEXT; }
static X86_OP(pcmpestrm) { pcmpstr(cpu, r, true, true); X86_NEXT; }
static X86_OP(pcmpistri) { pcmpstr(cpu, r, false, false); X86_NEXT; }
static X86_OP(pcmpistrm) { pcmpstr(cpu, r, false, true); X86_NEXT; }

x86_handler *simd_bind_str(const struct x86_rec *r)
{
    switch (r->op) {
    case OP_PCMPESTRI:
        return x86_pcmpestri;
    case OP_PCMPESTRM:
        return x86_pcmpestrm;
    case OP_PCMPISTRI:
        return x86_pcmpistri;
    case OP_PCMPISTRM:
        return x86_pcmpistrm;
    default:
        return NULL;
    }
}
