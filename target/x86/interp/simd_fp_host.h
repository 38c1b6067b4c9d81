/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/interp/simd_fp_host.h - packed and scalar floating point on one 16-byte lane
 *
 * As simd_host.h: v128 pv_name(a, b, imm). On x86-64 hosts every operation is the host's instruction in a volatile
 * asm: never folded, never commuted (the first NaN wins), in order with the reads of MXCSR. The statements serve
 * other hosts; they follow the NaN rules (SDM vol. 1, table 4-7) and rounding by <fenv.h>, but know neither DE nor
 * DAZ nor FTZ, and RCPPS and RSQRTPS are exact divisions there.
 */
#ifndef TARGET_X86_INTERP_SIMD_FP_HOST_H
#define TARGET_X86_INTERP_SIMD_FP_HOST_H

#include "target/x86/interp/simd_host.h"
#include <fenv.h>
#include <math.h>

#if SIMD_X86_HOST
#define HOST_FP(insn, feat)                                                                                            \
    if (likely(HOST_##feat)) {                                                                                         \
        __asm__ volatile(insn " %1, %0" : "+x"(va) : "x"(vb));                                                         \
        return va;                                                                                                     \
    }
#else
#define HOST_FP(insn, feat)
#endif

#define FP_LANE(name, feat, n, stmt)                                                                                   \
    SIMD_INLINE v128 pv_##name(v128 va, v128 vb, unsigned imm)                                                         \
    {                                                                                                                  \
        HOST_FP(#name, feat)                                                                                           \
        union lane a = { .v = va }, b = { .v = vb }, d = { .v = va };                                                  \
        for (unsigned i = 0; i < (n); i++) {                                                                           \
            stmt;                                                                                                      \
        }                                                                                                              \
        (void)a, (void)b, (void)imm;                                                                                   \
        return d.v;                                                                                                    \
    }

/*
 * NaN results: the first operand's, else the second's, quieted; else the default NaN. On bits: a float move may quiet.
 */
static inline uint32_t nan32(uint32_t a, uint32_t b)
{
    return (a << 1) > 0xFF000000u ? a | 0x400000 : (b << 1) > 0xFF000000u ? b | 0x400000 : 0xFFC00000u;
}
static inline uint64_t nan64(uint64_t a, uint64_t b)
{
    return (a << 1) > 0xFFE0ull << 48 ? a | 1ull << 51 : (b << 1) > 0xFFE0ull << 48 ? b | 1ull << 51 : 0xFFF8ull << 48;
}
static inline uint32_t f32_bits(float f) { uint32_t v; memcpy(&v, &f, 4); return v; }
static inline uint64_t f64_bits(double f) { uint64_t v; memcpy(&v, &f, 8); return v; }
static inline float bits_f32(uint32_t v) { float f; memcpy(&f, &v, 4); return f; }
static inline double bits_f64(uint64_t v) { double f; memcpy(&f, &v, 8); return f; }
static inline uint32_t res32(float r, uint32_t a, uint32_t b) { return r != r ? nan32(a, b) : f32_bits(r); }
static inline uint64_t res64(double r, uint64_t a, uint64_t b) { return r != r ? nan64(a, b) : f64_bits(r); }

/* Arithmetic: four shapes a row. min and max give the second operand when the two are equal or unordered. */
#define FP_ARITH(op, expr)                                                                                             \
    FP_LANE(op##ps, SSE2, 4, float x = a.s[i]; float y = b.s[i]; d.d[i] = res32(expr, a.d[i], b.d[i]))                 \
    FP_LANE(op##pd, SSE2, 2, double x = a.f[i]; double y = b.f[i]; d.q[i] = res64(expr, a.q[i], b.q[i]))               \
    FP_LANE(op##ss, SSE2, 1, float x = a.s[i]; float y = b.s[i]; d.d[i] = res32(expr, a.d[i], b.d[i]))                 \
    FP_LANE(op##sd, SSE2, 1, double x = a.f[i]; double y = b.f[i]; d.q[i] = res64(expr, a.q[i], b.q[i]))
FP_ARITH(add, x + y)
FP_ARITH(sub, x - y)
FP_ARITH(mul, x * y)
FP_ARITH(div, x / y)
#define FP_PICK(op, rel)                                                                                               \
    FP_LANE(op##ps, SSE2, 4, d.d[i] = a.s[i] rel b.s[i] ? a.d[i] : b.d[i])                                             \
    FP_LANE(op##pd, SSE2, 2, d.q[i] = a.f[i] rel b.f[i] ? a.q[i] : b.q[i])                                             \
    FP_LANE(op##ss, SSE2, 1, d.d[i] = a.s[i] rel b.s[i] ? a.d[i] : b.d[i])                                             \
    FP_LANE(op##sd, SSE2, 1, d.q[i] = a.f[i] rel b.f[i] ? a.q[i] : b.q[i])
FP_PICK(min, <)
FP_PICK(max, >)
FP_LANE(sqrtps, SSE2, 4, d.d[i] = res32(sqrtf(b.s[i]), b.d[i], b.d[i]))
FP_LANE(sqrtpd, SSE2, 2, d.q[i] = res64(sqrt(b.f[i]), b.q[i], b.q[i]))
FP_LANE(sqrtss, SSE2, 1, d.d[i] = res32(sqrtf(b.s[i]), b.d[i], b.d[i]))
FP_LANE(sqrtsd, SSE2, 1, d.q[i] = res64(sqrt(b.f[i]), b.q[i], b.q[i]))
FP_LANE(rcpps, SSE2, 4, d.d[i] = res32(1 / b.s[i], b.d[i], b.d[i]))
FP_LANE(rcpss, SSE2, 1, d.d[i] = res32(1 / b.s[i], b.d[i], b.d[i]))
FP_LANE(rsqrtps, SSE2, 4, d.d[i] = res32(1 / sqrtf(b.s[i]), b.d[i], b.d[i]))
FP_LANE(rsqrtss, SSE2, 1, d.d[i] = res32(1 / sqrtf(b.s[i]), b.d[i], b.d[i]))

/* SSE3: alternating and horizontal */
static inline uint32_t fsum32(uint32_t x, uint32_t y) { return res32(bits_f32(x) + bits_f32(y), x, y); }
static inline uint32_t fdif32(uint32_t x, uint32_t y) { return res32(bits_f32(x) - bits_f32(y), x, y); }
static inline uint64_t fsum64(uint64_t x, uint64_t y) { return res64(bits_f64(x) + bits_f64(y), x, y); }
static inline uint64_t fdif64(uint64_t x, uint64_t y) { return res64(bits_f64(x) - bits_f64(y), x, y); }
FP_LANE(addsubps, SSE3, 4, d.d[i] = i & 1 ? fsum32(a.d[i], b.d[i]) : fdif32(a.d[i], b.d[i]))
FP_LANE(addsubpd, SSE3, 2, d.q[i] = i & 1 ? fsum64(a.q[i], b.q[i]) : fdif64(a.q[i], b.q[i]))
FP_LANE(haddps, SSE3, 4, union lane s = i < 2 ? a : b; d.d[i] = fsum32(s.d[2 * (i & 1)], s.d[2 * (i & 1) + 1]))
FP_LANE(hsubps, SSE3, 4, union lane s = i < 2 ? a : b; d.d[i] = fdif32(s.d[2 * (i & 1)], s.d[2 * (i & 1) + 1]))
FP_LANE(haddpd, SSE3, 2, union lane s = i ? b : a; d.q[i] = fsum64(s.q[0], s.q[1]))
FP_LANE(hsubpd, SSE3, 2, union lane s = i ? b : a; d.q[i] = fdif64(s.q[0], s.q[1]))

/* Float to integer: what does not fit is the integer indefinite, and IE */
static inline int32_t f64_to_i32(double v)
{
    if (!(v > -2147483649.0 && v < 2147483648.0)) {
        feraiseexcept(FE_INVALID);
        return INT32_MIN;
    }
    return (int32_t)v;
}
static inline int64_t f64_to_i64(double v)
{
    if (!(v >= -9223372036854775808.0 && v < 9223372036854775808.0)) {
        feraiseexcept(FE_INVALID);
        return INT64_MIN;
    }
    return (int64_t)v;
}
FP_LANE(cvtdq2ps, SSE2, 4, d.s[i] = (float)b.sd[i])
FP_LANE(cvtps2dq, SSE2, 4, d.sd[i] = f64_to_i32(rintf(b.s[i])))
FP_LANE(cvttps2dq, SSE2, 4, d.sd[i] = f64_to_i32(truncf(b.s[i])))
FP_LANE(cvtdq2pd, SSE2, 2, d.f[i] = b.sd[i])
FP_LANE(cvtpd2dq, SSE2, 4, d.sd[i] = i < 2 ? f64_to_i32(rint(b.f[i & 1])) : 0)
FP_LANE(cvttpd2dq, SSE2, 4, d.sd[i] = i < 2 ? f64_to_i32(trunc(b.f[i & 1])) : 0)
static inline uint64_t widen_f32(uint32_t v)
{
    if ((v << 1) > 0xFF000000u) {       /* NaN: payload to the top, quiet */
        return (uint64_t)(v >> 31) << 63 | 0x7FF8ull << 48 | (uint64_t)(v & 0x7FFFFF) << 29;
    }
    return f64_bits((double)bits_f32(v));
}
static inline uint32_t narrow_f64(uint64_t v)
{
    if ((v << 1) > 0xFFE0ull << 48) {
        return (uint32_t)(v >> 63) << 31 | 0x7FC00000u | (uint32_t)(v >> 29 & 0x7FFFFF);
    }
    return f32_bits((float)bits_f64(v));
}
FP_LANE(cvtps2pd, SSE2, 2, d.q[i] = widen_f32(b.d[i]))
FP_LANE(cvtpd2ps, SSE2, 4, d.d[i] = i < 2 ? narrow_f64(b.q[i & 1]) : 0)
FP_LANE(cvtss2sd, SSE2, 1, d.q[0] = widen_f32(b.d[0]))
FP_LANE(cvtsd2ss, SSE2, 1, d.d[0] = narrow_f64(b.q[0]))

#if SIMD_X86_HOST
#define FP_TO_GPR(name, type, insn, expr)                                                                              \
    SIMD_INLINE type pv_##name(v128 b) { type r; __asm__ volatile(insn " %1, %0" : "=r"(r) : "x"(b)); return r; }
#define FP_FROM_GPR(name, type, insn, expr)                                                                            \
    SIMD_INLINE v128 pv_##name(v128 a, type n) { __asm__ volatile(insn " %1, %0" : "+x"(a) : "r"(n)); return a; }
#else
#define FP_TO_GPR(name, type, insn, expr)                                                                              \
    SIMD_INLINE type pv_##name(v128 v) { union lane b = { .v = v }; return expr; }
#define FP_FROM_GPR(name, type, insn, expr)                                                                            \
    SIMD_INLINE v128 pv_##name(v128 a, type n) { union lane d = { .v = a }; expr; return d.v; }
#endif
FP_TO_GPR(cvtss2si32, int32_t, "cvtss2sil", f64_to_i32(rintf(b.s[0])))
FP_TO_GPR(cvtss2si64, int64_t, "cvtss2siq", f64_to_i64(rintf(b.s[0])))
FP_TO_GPR(cvttss2si32, int32_t, "cvttss2sil", f64_to_i32(truncf(b.s[0])))
FP_TO_GPR(cvttss2si64, int64_t, "cvttss2siq", f64_to_i64(truncf(b.s[0])))
FP_TO_GPR(cvtsd2si32, int32_t, "cvtsd2sil", f64_to_i32(rint(b.f[0])))
FP_TO_GPR(cvtsd2si64, int64_t, "cvtsd2siq", f64_to_i64(rint(b.f[0])))
FP_TO_GPR(cvttsd2si32, int32_t, "cvttsd2sil", f64_to_i32(trunc(b.f[0])))
FP_TO_GPR(cvttsd2si64, int64_t, "cvttsd2siq", f64_to_i64(trunc(b.f[0])))
FP_FROM_GPR(cvtsi2ss32, int32_t, "cvtsi2ssl", d.s[0] = (float)n)
FP_FROM_GPR(cvtsi2ss64, int64_t, "cvtsi2ssq", d.s[0] = (float)n)
FP_FROM_GPR(cvtsi2sd32, int32_t, "cvtsi2sdl", d.f[0] = n)
FP_FROM_GPR(cvtsi2sd64, int64_t, "cvtsi2sdq", d.f[0] = (double)n)

/* COMISx, UCOMISx: ZF, PF, CF as FL_* bits (1, 4, 0x40) */
#if SIMD_X86_HOST
#define FP_COMI(name, e)                                                                                               \
    SIMD_INLINE unsigned pv_##name(v128 a, v128 b)                                                                     \
    {                                                                                                                  \
        bool z, p, c;                                                                                                  \
        __asm__ volatile(#name " %4, %3" : "=@ccz"(z), "=@ccp"(p), "=@ccc"(c) : "x"(a), "x"(b));                       \
        return z << 6 | p << 2 | c;                                                                                    \
    }
#else
#define FP_COMI(name, e)                                                                                               \
    SIMD_INLINE unsigned pv_##name(v128 va, v128 vb)                                                                   \
    {                                                                                                                  \
        union lane a = { .v = va }, b = { .v = vb };                                                                   \
        return a.e[0] == b.e[0] ? 0x40 : a.e[0] < b.e[0] ? 1 : a.e[0] > b.e[0] ? 0 : 0x45;                             \
    }
#endif
FP_COMI(comiss, s)
FP_COMI(comisd, f)
FP_COMI(ucomiss, s)
FP_COMI(ucomisd, f)

/*
 * CMPxx: the 32 predicates of AVX (SDM vol. 2, CMPPD, table 3-1) from three quiet comparisons. The relation set of a
 * predicate has a bit for less, equal, greater, unordered; signalling ones also run CMPLT for its IE.
 */
enum { REL_LT = 1, REL_EQ = 2, REL_GT = 4, REL_UN = 8 };
static const uint8_t cmp_rel[16] = {
    REL_EQ, REL_LT, REL_LT | REL_EQ, REL_UN, REL_LT | REL_GT | REL_UN, REL_EQ | REL_GT | REL_UN, REL_GT | REL_UN,
    REL_LT | REL_EQ | REL_GT, REL_EQ | REL_UN, REL_LT | REL_UN, REL_LT | REL_EQ | REL_UN, 0, REL_LT | REL_GT,
    REL_EQ | REL_GT, REL_GT, 15,
};
/* signalling: LT LE NLT NLE NGE NGT GE GT (1 2 5 6 9 10 13 14); bit 4 of the predicate turns it round */
static inline bool cmp_signals(unsigned imm)
{
    return (0x6666u >> (imm & 15) & 1) != (imm >> 4 & 1);
}

#if SIMD_X86_HOST
#define FP_CMP_ONE(name, insn)                                                                                         \
    SIMD_INLINE v128 name(v128 a, v128 b) { __asm__ volatile(insn " %1, %0" : "+x"(a) : "x"(b)); return a; }
#define FP_CMP_HOST(t)                                                                                                 \
    FP_CMP_ONE(cmp_eq_##t, "cmpeq" #t) FP_CMP_ONE(cmp_lt_##t, "cmplt" #t) FP_CMP_ONE(cmp_un_##t, "cmpunord" #t)
FP_CMP_HOST(ps)
FP_CMP_HOST(pd)
FP_CMP_HOST(ss)
FP_CMP_HOST(sd)
#else
#define FP_CMP_C(t, n, e, m)                                                                                           \
    FP_LANE(cmp_eq_##t, SSE2, n, d.m[i] = a.e[i] == b.e[i] ? -1 : 0)                                                   \
    FP_LANE(cmp_lt_##t, SSE2, n, d.m[i] = a.e[i] < b.e[i] ? -1 : 0)                                                    \
    FP_LANE(cmp_un_##t, SSE2, n, d.m[i] = a.e[i] != a.e[i] || b.e[i] != b.e[i] ? -1 : 0)                               \
    SIMD_INLINE v128 cmp_eq_##t(v128 a, v128 b) { return pv_cmp_eq_##t(a, b, 0); }                                     \
    SIMD_INLINE v128 cmp_lt_##t(v128 a, v128 b) { return pv_cmp_lt_##t(a, b, 0); }                                     \
    SIMD_INLINE v128 cmp_un_##t(v128 a, v128 b) { return pv_cmp_un_##t(a, b, 0); }
FP_CMP_C(ps, 4, s, sd)
FP_CMP_C(pd, 2, f, sq)
FP_CMP_C(ss, 1, s, sd)
FP_CMP_C(sd, 1, f, sq)
#endif
/* @el: the bits that take part; the others are the first operand's */
#define FP_CMP(t, el)                                                                                                  \
    SIMD_INLINE v128 pv_cmp##t(v128 a, v128 b, unsigned imm)                                                           \
    {                                                                                                                  \
        const v128 m = el;                                                                                             \
        unsigned rel = cmp_rel[imm & 15];                                                                              \
        v128 un, eq, lt, d;                                                                                            \
                                                                                                                       \
        if ((imm & 31) == 0) {                                                                                         \
            return cmp_eq_##t(a, b);                                                                                   \
        }                                                                                                              \
        if ((imm & 31) == 1) {                                                                                         \
            return cmp_lt_##t(a, b);                                                                                   \
        }                                                                                                              \
        if (cmp_signals(imm)) {                                                                                        \
            (void)cmp_lt_##t(a, b);                                                                                    \
        }                                                                                                              \
        un = cmp_un_##t(a, b) & m;                                                                                     \
        eq = cmp_eq_##t(a & ~un, b & ~un) & m & ~un;                                                                   \
        lt = cmp_lt_##t(a & ~un, b & ~un) & m & ~un;                                                                   \
        d = (rel & REL_UN ? un : un & ~un) | (rel & REL_EQ ? eq : eq & ~eq) | (rel & REL_LT ? lt : lt & ~lt);          \
        if (rel & REL_GT) {                                                                                            \
            d |= m & ~(un | eq | lt);                                                                                  \
        }                                                                                                              \
        return d | (a & ~m);                                                                                           \
    }
FP_CMP(ps, ((v128){ ~0ull, ~0ull }))
FP_CMP(pd, ((v128){ ~0ull, ~0ull }))
FP_CMP(ss, ((v128){ 0xFFFFFFFFull, 0 }))
FP_CMP(sd, ((v128){ ~0ull, 0 }))

/* ROUNDxx: imm bits 1:0 rounding, bit 2 by MXCSR, bit 3 no PE */
static inline double round_by(double v, unsigned imm)
{
    double r;

    switch (imm & 4 ? 4 : imm & 3) {
    case 0: {
        int rc = fegetround();

        fesetround(FE_TONEAREST);
        r = nearbyint(v);
        fesetround(rc);
        break;
    }
    case 1: r = floor(v); break;
    case 2: r = ceil(v); break;
    case 3: r = trunc(v); break;
    default: r = nearbyint(v); break;
    }
    return r;
}
#if SIMD_X86_HOST
#define ROUND_CASE(n, k) case k: __asm__ volatile(#n " $" #k ", %1, %0" : "+x"(va) : "x"(vb)); return va;
#define ROUND_HOST(n)                                                                                                  \
    if (likely(HOST_SSE41)) {                                                                                          \
        switch (imm & 15) {                                                                                            \
            ROUND_CASE(n, 0) ROUND_CASE(n, 1) ROUND_CASE(n, 2) ROUND_CASE(n, 3) ROUND_CASE(n, 4) ROUND_CASE(n, 5)      \
            ROUND_CASE(n, 6) ROUND_CASE(n, 7) ROUND_CASE(n, 8) ROUND_CASE(n, 9) ROUND_CASE(n, 10) ROUND_CASE(n, 11)    \
            ROUND_CASE(n, 12) ROUND_CASE(n, 13) ROUND_CASE(n, 14) ROUND_CASE(n, 15)                                    \
        }                                                                                                              \
    }
#else
#define ROUND_HOST(n)
#endif
#define FP_ROUND(name, n, stmt)                                                                                        \
    SIMD_INLINE v128 pv_##name(v128 va, v128 vb, unsigned imm)                                                         \
    {                                                                                                                  \
        ROUND_HOST(name)                                                                                               \
        union lane b = { .v = vb }, d = { .v = va };                                                                   \
        for (unsigned i = 0; i < (n); i++) {                                                                           \
            stmt;                                                                                                      \
        }                                                                                                              \
        return d.v;                                                                                                    \
    }
FP_ROUND(roundps, 4, d.d[i] = res32((float)round_by(b.s[i], imm), b.d[i], b.d[i]))
FP_ROUND(roundpd, 2, d.q[i] = res64(round_by(b.f[i], imm), b.q[i], b.q[i]))
FP_ROUND(roundss, 1, d.d[i] = res32((float)round_by(b.s[i], imm), b.d[i], b.d[i]))
FP_ROUND(roundsd, 1, d.q[i] = res64(round_by(b.f[i], imm), b.q[i], b.q[i]))

/*
 * Dot products: products picked by imm bits 7:4 (others +0), sums in pairs, stored where imm bits 3:0 say. Which of
 * several NaNs an element gets depends on the order of the operands: as here on Intel processors.
 */
SIMD_INLINE v128 pv_dpps(v128 a, v128 b, unsigned imm)
{
    v128 m = imm_mask_d(imm >> 4);
    v128 p = pv_mulps(a & m, b & m, 0);
    v128 s = pv_addps(pv_pshufd(p, p, 0xB1), p, 0);     /* 1+0, 0+1, 3+2, 2+3 */
    v128 t = pv_addps(s, pv_pshufd(s, s, 0x4E), 0);

    return t & imm_mask_d(imm);
}
SIMD_INLINE v128 pv_dppd(v128 a, v128 b, unsigned imm)
{
    v128 m = imm_mask_q(imm >> 4);
    v128 p = pv_mulpd(a & m, b & m, 0);
    v128 s = pv_addpd(p, (v128){ p[1], p[0] }, 0);

    return s & imm_mask_q(imm);
}

/* FMA: d = multiply-add of the three in the order that the form's digits say; d, v (vvvv), s (rm) */
static inline float fma_nan32(float r, uint32_t a, uint32_t b, uint32_t c)
{
    if (r == r) {
        return r;
    }
    return bits_f32((a << 1) > 0xFF000000u || (b << 1) > 0xFF000000u ? nan32(a, b) : nan32(c, c));
}
static inline double fma_nan64(double r, uint64_t a, uint64_t b, uint64_t c)
{
    const uint64_t inf = 0xFFE0ull << 48;

    if (r == r) {
        return r;
    }
    return bits_f64((a << 1) > inf || (b << 1) > inf ? nan64(a, b) : nan64(c, c));
}
#if SIMD_X86_HOST
#define FMA_HOST(name)                                                                                                 \
    if (likely(HOST_FMA)) {                                                                                            \
        __asm__ volatile(#name " %2, %1, %0" : "+x"(vd) : "x"(vv), "x"(vs));                                           \
        return vd;                                                                                                     \
    }
#else
#define FMA_HOST(name)
#endif
/* x * y + z by operand letters; sign of the product and of z for element i */
#define FMA_LANE(name, n, e, bitsof, fn, nan, x, y, z, sp, sz)                                                         \
    SIMD_INLINE v128 pv_##name(v128 vd, v128 vv, v128 vs)                                                              \
    {                                                                                                                  \
        FMA_HOST(name)                                                                                                 \
        union lane d = { .v = vd }, v = { .v = vv }, s = { .v = vs }, r = { .v = vd };                                 \
        for (unsigned i = 0; i < (n); i++) {                                                                           \
            r.e[i] = nan(fn(sp x.e[i], y.e[i], (sz) ? -z.e[i] : z.e[i]), x.bitsof[i], y.bitsof[i], z.bitsof[i]);       \
        }                                                                                                              \
        return r.v;                                                                                                    \
    }
#define FMA_SHAPES(op, x, y, z, sp, sz)                                                                                \
    FMA_LANE(op##ps, 4, s, d, fmaf, fma_nan32, x, y, z, sp, sz)                                                        \
    FMA_LANE(op##pd, 2, f, q, fma, fma_nan64, x, y, z, sp, sz)
#define FMA_SCALARS(op, x, y, z, sp, sz)                                                                               \
    FMA_LANE(op##ss, 1, s, d, fmaf, fma_nan32, x, y, z, sp, sz)                                                        \
    FMA_LANE(op##sd, 1, f, q, fma, fma_nan64, x, y, z, sp, sz)
#define FMA_FORMS(op, S, sp, sz) S(op##132, d, s, v, sp, sz) S(op##213, v, d, s, sp, sz) S(op##231, v, s, d, sp, sz)
FMA_FORMS(vfmadd, FMA_SHAPES, +, 0)
FMA_FORMS(vfmadd, FMA_SCALARS, +, 0)
FMA_FORMS(vfmsub, FMA_SHAPES, +, 1)
FMA_FORMS(vfmsub, FMA_SCALARS, +, 1)
FMA_FORMS(vfnmadd, FMA_SHAPES, -, 0)
FMA_FORMS(vfnmadd, FMA_SCALARS, -, 0)
FMA_FORMS(vfnmsub, FMA_SHAPES, -, 1)
FMA_FORMS(vfnmsub, FMA_SCALARS, -, 1)
FMA_FORMS(vfmaddsub, FMA_SHAPES, +, !(i & 1))
FMA_FORMS(vfmsubadd, FMA_SHAPES, +, i & 1)

/* Half precision. DAZ and FTZ do not touch the half side. */
static inline uint32_t widen_f16(uint16_t h)
{
    uint32_t sign = (uint32_t)(h >> 15) << 31, exp = h >> 10 & 31, frac = h & 0x3FF;

    if (exp == 31) {
        if (frac && !(frac & 0x200)) {
            feraiseexcept(FE_INVALID);
        }
        return sign | 0x7F800000u | (frac ? 0x400000u : 0) | frac << 13;
    }
    if (exp) {
        return sign | (exp + 112) << 23 | frac << 13;
    }
    return sign | f32_bits((float)frac * 0x1p-24f);
}
/* rounding @rc as in MXCSR.RC */
static inline uint16_t narrow_f32(uint32_t v, unsigned rc)
{
    uint16_t sign = v >> 16 & 0x8000;
    int exp = (int)(v >> 23 & 0xFF) - 112;
    uint64_t sig = v & 0x7FFFFF;
    unsigned shift = 13;
    uint64_t keep, rest, half;

    if (exp == 143) {
        if (sig && !(sig & 0x400000)) {
            feraiseexcept(FE_INVALID);
        }
        return sign | 0x7C00 | (sig ? 0x200 | sig >> 13 : 0);
    }
    if (v << 1 == 0) {
        return sign;
    }
    if (exp > -112) {
        sig |= 0x800000;
    } else {
        exp = -111;
    }
    if (exp <= 0) {                         /* denormal half */
        shift += exp < -20 ? 21 : 1 - exp;
        exp = 0;
    } else {
        exp--;                              /* the leading bit of sig adds one */
    }
    keep = sig >> shift;
    rest = sig & bits_mask(shift);
    half = 1ull << (shift - 1);
    if (rest) {
        bool up = rc == 0 ? rest > half || (rest == half && (keep & 1)) : rc == 1 ? sign != 0 : rc == 2 ? !sign : false;

        keep += up;
        feraiseexcept(FE_INEXACT | (exp == 0 && keep < 0x400 ? FE_UNDERFLOW : 0));
    }
    keep += (uint64_t)exp << 10;
    if (keep >= 0x7C00) {
        feraiseexcept(FE_OVERFLOW | FE_INEXACT);
        keep = rc == 3 || (rc == 1 && !sign) || (rc == 2 && sign) ? 0x7BFF : 0x7C00;
    }
    return sign | keep;
}
SIMD_INLINE v128 pv_vcvtph2ps(v128 va, v128 vb, unsigned imm)
{
    HOST_FP("vcvtph2ps", AVX2)
    union lane b = { .v = vb }, d;

    for (unsigned i = 0; i < 4; i++) {
        d.d[i] = widen_f16(b.w[i]);
    }
    return d.v;
}
#if SIMD_X86_HOST
#define PH_CASE(k) case k: __asm__ volatile("vcvtps2ph $" #k ", %1, %0" : "=x"(va) : "x"(vb)); return va;
#endif
/**
 * pv_vcvtps2ph() - four halves in the low 8 bytes. Without the host's, imm bit 2 (rounding by MXCSR) must be resolved
 */
SIMD_INLINE v128 pv_vcvtps2ph(v128 va, v128 vb, unsigned imm)
{
#if SIMD_X86_HOST
    if (likely(HOST_AVX2)) {
        switch (imm & 7) {
            PH_CASE(0) PH_CASE(1) PH_CASE(2) PH_CASE(3) PH_CASE(4) PH_CASE(5) PH_CASE(6) PH_CASE(7)
        }
    }
#endif
    union lane b = { .v = vb }, d = { .q = { 0, 0 } };

    for (unsigned i = 0; i < 4; i++) {
        d.w[i] = narrow_f32(b.d[i], imm & 3);
    }
    return d.v;
}

#endif
