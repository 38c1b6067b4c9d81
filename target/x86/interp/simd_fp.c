/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/interp/simd_fp.c - packed and scalar floating point, lane by lane (simd_fp_host.h has the operations)
 */
#include "target/x86/interp/simd.h"

/* whole registers with exceptions; without; scalars of 4 and of 8 bytes with exceptions; 4 bytes without */
#define FP_WHOLE(X)                                                                                                    \
    X(ADDPS, addps) X(ADDPD, addpd) X(SUBPS, subps) X(SUBPD, subpd) X(MULPS, mulps) X(MULPD, mulpd) X(DIVPS, divps)    \
    X(DIVPD, divpd) X(MINPS, minps) X(MINPD, minpd) X(MAXPS, maxps) X(MAXPD, maxpd) X(SQRTPS, sqrtps)                  \
    X(SQRTPD, sqrtpd) X(ADDSUBPS, addsubps) X(ADDSUBPD, addsubpd) X(HADDPS, haddps) X(HADDPD, haddpd)                  \
    X(HSUBPS, hsubps) X(HSUBPD, hsubpd) X(ROUNDPS, roundps) X(ROUNDPD, roundpd) X(DPPS, dpps) X(DPPD, dppd)            \
    X(CVTDQ2PS, cvtdq2ps) X(CVTPS2DQ, cvtps2dq) X(CVTTPS2DQ, cvttps2dq)
#define FP_QUIET(X)                                                                                                    \
    X(RCPPS, rcpps) X(RSQRTPS, rsqrtps) X(ANDPS, pand) X(ANDPD, pand) X(ANDNPS, pandn) X(ANDNPD, pandn) X(ORPS, por)   \
    X(ORPD, por) X(XORPS, pxor) X(XORPD, pxor) X(UNPCKLPS, punpckldq) X(UNPCKLPD, punpcklqdq)                          \
    X(UNPCKHPS, punpckhdq) X(UNPCKHPD, punpckhqdq) X(SHUFPS, shufps) X(SHUFPD, shufpd) X(BLENDPS, blendps)             \
    X(BLENDPD, blendpd) X(MOVSLDUP, movsldup) X(MOVSHDUP, movshdup)
#define FP_SS(X)                                                                                                       \
    X(ADDSS, addss) X(SUBSS, subss) X(MULSS, mulss) X(DIVSS, divss) X(MINSS, minss) X(MAXSS, maxss) X(SQRTSS, sqrtss)  \
    X(ROUNDSS, roundss) X(CVTSS2SD, cvtss2sd)
#define FP_SD(X)                                                                                                       \
    X(ADDSD, addsd) X(SUBSD, subsd) X(MULSD, mulsd) X(DIVSD, divsd) X(MINSD, minsd) X(MAXSD, maxsd) X(SQRTSD, sqrtsd)  \
    X(ROUNDSD, roundsd) X(CVTSD2SS, cvtsd2ss)
#define FP_SS_QUIET(X) X(RCPSS, rcpss) X(RSQRTSS, rsqrtss)

/* One handler set a lane function: ANDPS and ANDPD share theirs */
#define FP_QUIET_FNS(X)                                                                                                \
    X(, rcpps) X(, rsqrtps) X(, pand) X(, pandn) X(, por) X(, pxor) X(, punpckldq) X(, punpcklqdq) X(, punpckhdq)      \
    X(, punpckhqdq) X(, shufps) X(, movsldup) X(, movshdup)

/* SHUFPD, BLENDPx: the immediate goes on in the upper lane */
#define MAKE_WHOLE(OP, n) SIMD_WHOLE(n, simd_fp_check)
FP_WHOLE(MAKE_WHOLE)
#define MAKE_QUIET(OP, n) SIMD_WHOLE(n, SIMD_NOCHECK)
FP_QUIET_FNS(MAKE_QUIET)
#undef SIMD_HI_IMM
#define SIMD_HI_IMM (SIMD_IMM >> 2)
SIMD_WHOLE(shufpd, SIMD_NOCHECK)
SIMD_WHOLE(blendpd, SIMD_NOCHECK)
#undef SIMD_HI_IMM
#define SIMD_HI_IMM (SIMD_IMM >> 4)
SIMD_WHOLE(blendps, SIMD_NOCHECK)
#undef SIMD_HI_IMM
#define SIMD_HI_IMM SIMD_IMM
#define MAKE_SS(OP, n) SIMD_SCALAR(n, 4, simd_fp_check)
FP_SS(MAKE_SS)
#define MAKE_SD(OP, n) SIMD_SCALAR(n, 8, simd_fp_check)
FP_SD(MAKE_SD)
#define MAKE_SS_QUIET(OP, n) SIMD_SCALAR(n, 4, SIMD_NOCHECK)
FP_SS_QUIET(MAKE_SS_QUIET)

/* MOVDDUP: 8 bytes of memory, or 32 for 256 bits */
static X86_OP(movddup)
{
    if (r->flags & REC_VEX_L) {
        const v128_u *s = simd_src(cpu, r, 32);
        v128 lo = s[0], hi = s[1];

        LO(r->reg) = (v128){ lo[0], lo[0] };
        HI(r->reg) = (v128){ hi[0], hi[0] };
    } else {
        v128 s = simd_rm(cpu, r, 8, false);

        simd_put(cpu, r, (v128){ s[0], s[0] });
    }
    X86_NEXT;
}

/* CMPxx: three bits of predicate, five under VEX */
#undef SIMD_IMM
#define SIMD_IMM (r->imm32 & (r->flags & REC_VEX ? 31 : 7))
SIMD_WHOLE(cmpps, simd_fp_check)
SIMD_WHOLE(cmppd, simd_fp_check)
SIMD_SCALAR(cmpss, 4, simd_fp_check)
SIMD_SCALAR(cmpsd, 8, simd_fp_check)

/* COMISx, UCOMISx: OF, AF, SF are cleared */
#define COMI(n, len)                                                                                                   \
    static X86_OP(n)                                                                                                   \
    {                                                                                                                  \
        v128 s = simd_rm(cpu, r, len, false);                                                                          \
        unsigned fl = pv_##n(LO(r->reg), s);                                                                           \
                                                                                                                       \
        simd_fp_check(cpu, r, s, s);                                                                                   \
        flags_set_arith(cpu, fl);                                                                                      \
        X86_NEXT;                                                                                                      \
    }
COMI(comiss, 4)
COMI(comisd, 8)
COMI(ucomiss, 4)
COMI(ucomisd, 8)

static const struct simd_row rows[] = {
#define ROW(OP, n) SIMD_ROW(OP, n),
    FP_WHOLE(ROW)
    FP_QUIET(ROW)
    FP_SS(ROW)
    FP_SD(ROW)
    FP_SS_QUIET(ROW)
    SIMD_ROW(CMPPS, cmpps), SIMD_ROW(CMPPD, cmppd), SIMD_ROW(CMPSS, cmpss), SIMD_ROW(CMPSD, cmpsd),
    SIMD_ROW_ONE(COMISS, comiss), SIMD_ROW_ONE(COMISD, comisd), SIMD_ROW_ONE(UCOMISS, ucomiss),
    SIMD_ROW_ONE(UCOMISD, ucomisd), SIMD_ROW_ONE(MOVDDUP, movddup),
};

x86_handler *simd_bind_fp(const struct x86_rec *r)
{
    return simd_bind_row(rows, ARRAY_LEN(rows), r);
}
