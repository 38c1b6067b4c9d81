/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/interp/simd_fp_host.h - packed and scalar floating point on one 16-byte lane
 *
 * As simd_host.h: v128 pv_name(a, b, imm). On x86-64 hosts every operation is the host's instruction in a volatile
 * asm: never folded, never commuted (the first NaN wins), in order with the reads of MXCSR. The statements serve
 * other hosts: the same bits and the same flags out of integers (simd_fp_soft.h); only RCPPS and RSQRTPS, which are
 * each processor's own, are exact divisions there.
 */
#ifndef TARGET_X86_INTERP_SIMD_FP_HOST_H
#define TARGET_X86_INTERP_SIMD_FP_HOST_H

#include "target/x86/interp/simd_fp_soft.h"
#include "target/x86/interp/simd_host.h"

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

/* Four shapes a row: expr(format, first, second operand) */
#define FP_FOUR(op, expr)                                                                                              \
    FP_LANE(op##ps, SSE2, 4, uint32_t x = a.d[i]; uint32_t y = b.d[i]; d.d[i] = (uint32_t)expr(&sf_f32, x, y))         \
    FP_LANE(op##pd, SSE2, 2, uint64_t x = a.q[i]; uint64_t y = b.q[i]; d.q[i] = expr(&sf_f64, x, y))                   \
    FP_LANE(op##ss, SSE2, 1, uint32_t x = a.d[i]; uint32_t y = b.d[i]; d.d[i] = (uint32_t)expr(&sf_f32, x, y))         \
    FP_LANE(op##sd, SSE2, 1, uint64_t x = a.q[i]; uint64_t y = b.q[i]; d.q[i] = expr(&sf_f64, x, y))
#define FP_ADD(f, x, y) fpv_arith(f, FPV_ADD, x, y)
#define FP_SUB(f, x, y) fpv_arith(f, FPV_SUB, x, y)
#define FP_MUL(f, x, y) fpv_arith(f, FPV_MUL, x, y)
#define FP_DIV(f, x, y) fpv_arith(f, FPV_DIV, x, y)
#define FP_MIN(f, x, y) fpv_pick(f, x, y, false)
#define FP_MAX(f, x, y) fpv_pick(f, x, y, true)
#define FP_SQRT(f, x, y) ((void)x, fpv_sqrt(f, y))
FP_FOUR(add, FP_ADD)
FP_FOUR(sub, FP_SUB)
FP_FOUR(mul, FP_MUL)
FP_FOUR(div, FP_DIV)
FP_FOUR(min, FP_MIN)
FP_FOUR(max, FP_MAX)
FP_FOUR(sqrt, FP_SQRT)
FP_LANE(rcpps, SSE2, 4, d.d[i] = (uint32_t)fpv_rcp(&sf_f32, b.d[i], false))
FP_LANE(rcpss, SSE2, 1, d.d[i] = (uint32_t)fpv_rcp(&sf_f32, b.d[i], false))
FP_LANE(rsqrtps, SSE2, 4, d.d[i] = (uint32_t)fpv_rcp(&sf_f32, b.d[i], true))
FP_LANE(rsqrtss, SSE2, 1, d.d[i] = (uint32_t)fpv_rcp(&sf_f32, b.d[i], true))

/* SSE3: alternating and horizontal */
#define FP_ODD_ADDS(i) ((i) & 1 ? FPV_ADD : FPV_SUB)
FP_LANE(addsubps, SSE3, 4, d.d[i] = (uint32_t)fpv_arith(&sf_f32, FP_ODD_ADDS(i), a.d[i], b.d[i]))
FP_LANE(addsubpd, SSE3, 2, d.q[i] = fpv_arith(&sf_f64, FP_ODD_ADDS(i), a.q[i], b.q[i]))
#define FP_H32(name, op)                                                                                               \
    FP_LANE(name, SSE3, 4, union lane s = i < 2 ? a : b;                                                               \
            d.d[i] = (uint32_t)fpv_arith(&sf_f32, op, s.d[2 * (i & 1)], s.d[2 * (i & 1) + 1]))
#define FP_H64(name, op)                                                                                               \
    FP_LANE(name, SSE3, 2, union lane s = i ? b : a; d.q[i] = fpv_arith(&sf_f64, op, s.q[0], s.q[1]))
FP_H32(haddps, FPV_ADD)
FP_H32(hsubps, FPV_SUB)
FP_H64(haddpd, FPV_ADD)
FP_H64(hsubpd, FPV_SUB)

/* Conversions: what does not fit an integer is the indefinite, and IE */
static inline int32_t f32_int(uint32_t v, bool trunc) { return (int32_t)fpv_to_int(&sf_f32, v, 32, trunc); }
static inline int32_t f64_int(uint64_t v, bool trunc) { return (int32_t)fpv_to_int(&sf_f64, v, 32, trunc); }
static inline uint32_t narrow_f64(uint64_t v) { return (uint32_t)fpv_convert(&sf_f32, &sf_f64, v); }
FP_LANE(cvtdq2ps, SSE2, 4, d.d[i] = (uint32_t)fpv_from_int(&sf_f32, b.sd[i]))
FP_LANE(cvtps2dq, SSE2, 4, d.sd[i] = f32_int(b.d[i], false))
FP_LANE(cvttps2dq, SSE2, 4, d.sd[i] = f32_int(b.d[i], true))
FP_LANE(cvtdq2pd, SSE2, 2, d.q[i] = fpv_from_int(&sf_f64, b.sd[i]))
FP_LANE(cvtpd2dq, SSE2, 4, d.sd[i] = i < 2 ? f64_int(b.q[i & 1], false) : 0)
FP_LANE(cvttpd2dq, SSE2, 4, d.sd[i] = i < 2 ? f64_int(b.q[i & 1], true) : 0)
FP_LANE(cvtps2pd, SSE2, 2, d.q[i] = fpv_convert(&sf_f64, &sf_f32, b.d[i]))
FP_LANE(cvtpd2ps, SSE2, 4, d.d[i] = i < 2 ? narrow_f64(b.q[i & 1]) : 0)
FP_LANE(cvtss2sd, SSE2, 1, d.q[0] = fpv_convert(&sf_f64, &sf_f32, b.d[0]))
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
FP_TO_GPR(cvtss2si32, int32_t, "cvtss2sil", f32_int(b.d[0], false))
FP_TO_GPR(cvtss2si64, int64_t, "cvtss2siq", fpv_to_int(&sf_f32, b.d[0], 64, false))
FP_TO_GPR(cvttss2si32, int32_t, "cvttss2sil", f32_int(b.d[0], true))
FP_TO_GPR(cvttss2si64, int64_t, "cvttss2siq", fpv_to_int(&sf_f32, b.d[0], 64, true))
FP_TO_GPR(cvtsd2si32, int32_t, "cvtsd2sil", f64_int(b.q[0], false))
FP_TO_GPR(cvtsd2si64, int64_t, "cvtsd2siq", fpv_to_int(&sf_f64, b.q[0], 64, false))
FP_TO_GPR(cvttsd2si32, int32_t, "cvttsd2sil", f64_int(b.q[0], true))
FP_TO_GPR(cvttsd2si64, int64_t, "cvttsd2siq", fpv_to_int(&sf_f64, b.q[0], 64, true))
FP_FROM_GPR(cvtsi2ss32, int32_t, "cvtsi2ssl", d.d[0] = (uint32_t)fpv_from_int(&sf_f32, n))
FP_FROM_GPR(cvtsi2ss64, int64_t, "cvtsi2ssq", d.d[0] = (uint32_t)fpv_from_int(&sf_f32, n))
FP_FROM_GPR(cvtsi2sd32, int32_t, "cvtsi2sdl", d.q[0] = fpv_from_int(&sf_f64, n))
FP_FROM_GPR(cvtsi2sd64, int64_t, "cvtsi2sdq", d.q[0] = fpv_from_int(&sf_f64, n))

/* COMISx, UCOMISx: ZF, PF, CF as FL_* bits (1, 4, 0x40) */
#if SIMD_X86_HOST
#define FP_COMI(name, f, m, quiet)                                                                                     \
    SIMD_INLINE unsigned pv_##name(v128 a, v128 b)                                                                     \
    {                                                                                                                  \
        bool z, p, c;                                                                                                  \
        __asm__ volatile(#name " %4, %3" : "=@ccz"(z), "=@ccp"(p), "=@ccc"(c) : "x"(a), "x"(b));                       \
        return z << 6 | p << 2 | c;                                                                                    \
    }
#else
#define FP_COMI(name, f, m, quiet)                                                                                     \
    SIMD_INLINE unsigned pv_##name(v128 va, v128 vb)                                                                   \
    {                                                                                                                  \
        union lane a = { .v = va }, b = { .v = vb };                                                                   \
        unsigned rel = fpv_cmp(f, a.m[0], b.m[0], quiet);                                                              \
        return rel == FPV_EQ ? 0x40 : rel == FPV_LT ? 1 : rel == FPV_GT ? 0 : 0x45;                                    \
    }
#endif
FP_COMI(comiss, &sf_f32, d, false)
FP_COMI(comisd, &sf_f64, q, false)
FP_COMI(ucomiss, &sf_f32, d, true)
FP_COMI(ucomisd, &sf_f64, q, true)

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
#define FP_CMP_C(t, f, n, e, m)                                                                                        \
    FP_LANE(cmp_eq_##t, SSE2, n, d.m[i] = fpv_cmp(f, a.e[i], b.e[i], true) == FPV_EQ ? -1 : 0)                         \
    FP_LANE(cmp_lt_##t, SSE2, n, d.m[i] = fpv_cmp(f, a.e[i], b.e[i], false) == FPV_LT ? -1 : 0)                        \
    FP_LANE(cmp_un_##t, SSE2, n, d.m[i] = fpv_cmp(f, a.e[i], b.e[i], true) == FPV_UN ? -1 : 0)                         \
    SIMD_INLINE v128 cmp_eq_##t(v128 a, v128 b) { return pv_cmp_eq_##t(a, b, 0); }                                     \
    SIMD_INLINE v128 cmp_lt_##t(v128 a, v128 b) { return pv_cmp_lt_##t(a, b, 0); }                                     \
    SIMD_INLINE v128 cmp_un_##t(v128 a, v128 b) { return pv_cmp_un_##t(a, b, 0); }
FP_CMP_C(ps, &sf_f32, 4, d, sd)
FP_CMP_C(pd, &sf_f64, 2, q, sq)
FP_CMP_C(ss, &sf_f32, 1, d, sd)
FP_CMP_C(sd, &sf_f64, 1, q, sq)
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
FP_ROUND(roundps, 4, d.d[i] = (uint32_t)fpv_round(&sf_f32, b.d[i], imm))
FP_ROUND(roundpd, 2, d.q[i] = fpv_round(&sf_f64, b.q[i], imm))
FP_ROUND(roundss, 1, d.d[i] = (uint32_t)fpv_round(&sf_f32, b.d[i], imm))
FP_ROUND(roundsd, 1, d.q[i] = fpv_round(&sf_f64, b.q[i], imm))

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
#if SIMD_X86_HOST
#define FMA_HOST(name)                                                                                                 \
    if (likely(HOST_FMA)) {                                                                                            \
        __asm__ volatile(#name " %2, %1, %0" : "+x"(vd) : "x"(vv), "x"(vs));                                           \
        return vd;                                                                                                     \
    }
#else
#define FMA_HOST(name)
#endif
/* x * y + z by operand letters; whether the product and z are negated in element i */
#define FMA_LANE(name, n, f, m, x, y, z, np, nz)                                                                       \
    SIMD_INLINE v128 pv_##name(v128 vd, v128 vv, v128 vs)                                                              \
    {                                                                                                                  \
        FMA_HOST(name)                                                                                                 \
        union lane d = { .v = vd }, v = { .v = vv }, s = { .v = vs }, r = { .v = vd };                                 \
        for (unsigned i = 0; i < (n); i++) {                                                                           \
            r.m[i] = fpv_fma(f, x.m[i], y.m[i], z.m[i], np, nz);                                                       \
        }                                                                                                              \
        return r.v;                                                                                                    \
    }
#define FMA_SHAPES(op, x, y, z, np, nz)                                                                                \
    FMA_LANE(op##ps, 4, &sf_f32, d, x, y, z, np, nz) FMA_LANE(op##pd, 2, &sf_f64, q, x, y, z, np, nz)
#define FMA_SCALARS(op, x, y, z, np, nz)                                                                               \
    FMA_LANE(op##ss, 1, &sf_f32, d, x, y, z, np, nz) FMA_LANE(op##sd, 1, &sf_f64, q, x, y, z, np, nz)
#define FMA_FORMS(op, S, np, nz) S(op##132, d, s, v, np, nz) S(op##213, v, d, s, np, nz) S(op##231, v, s, d, np, nz)
FMA_FORMS(vfmadd, FMA_SHAPES, 0, 0)
FMA_FORMS(vfmadd, FMA_SCALARS, 0, 0)
FMA_FORMS(vfmsub, FMA_SHAPES, 0, 1)
FMA_FORMS(vfmsub, FMA_SCALARS, 0, 1)
FMA_FORMS(vfnmadd, FMA_SHAPES, 1, 0)
FMA_FORMS(vfnmadd, FMA_SCALARS, 1, 0)
FMA_FORMS(vfnmsub, FMA_SHAPES, 1, 1)
FMA_FORMS(vfnmsub, FMA_SCALARS, 1, 1)
FMA_FORMS(vfmaddsub, FMA_SHAPES, 0, !(i & 1))
FMA_FORMS(vfmsubadd, FMA_SHAPES, 0, i & 1)

/* Half precision */
SIMD_INLINE v128 pv_vcvtph2ps(v128 va, v128 vb, unsigned imm)
{
    HOST_FP("vcvtph2ps", AVX2)
    union lane b = { .v = vb }, d;

    for (unsigned i = 0; i < 4; i++) {
        d.d[i] = (uint32_t)fpv_convert(&sf_f32, &sf_f16, b.w[i]);
    }
    return d.v;
}
#if SIMD_X86_HOST
#define PH_CASE(k) case k: __asm__ volatile("vcvtps2ph $" #k ", %1, %0" : "=x"(va) : "x"(vb)); return va;
#endif
/** pv_vcvtps2ph() - four halves in the low 8 bytes */
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
        d.w[i] = fpv_to_half(b.d[i], imm);
    }
    return d.v;
}

#endif
