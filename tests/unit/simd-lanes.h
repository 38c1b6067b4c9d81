/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/simd-lanes.h - the lane operations of the interpreter by number: simd-lanes.c is compiled once with the
 * host's instructions (lanes_host) and once with X86_SIMD_PORTABLE (lanes_portable)
 */
#ifndef TESTS_UNIT_SIMD_LANES_H
#define TESTS_UNIT_SIMD_LANES_H

#include <stdint.h>

#define LANES_INT(X)                                                                                                   \
    X(paddb) X(paddw) X(paddd) X(paddq) X(psubb) X(psubw) X(psubd) X(psubq) X(paddsb) X(paddsw) X(paddusb)             \
    X(paddusw) X(psubsb) X(psubsw) X(psubusb) X(psubusw) X(pmullw) X(pmulhw) X(pmulhuw) X(pmuludq) X(pmuldq)           \
    X(pmulld) X(pmulhrsw) X(pmaddwd) X(pmaddubsw) X(pavgb) X(pavgw) X(psadbw) X(pand) X(pandn) X(por) X(pxor)          \
    X(pcmpeqb) X(pcmpeqw) X(pcmpeqd) X(pcmpeqq) X(pcmpgtb) X(pcmpgtw) X(pcmpgtd) X(pcmpgtq) X(pminub) X(pminsb)        \
    X(pminuw) X(pminsw) X(pminud) X(pminsd) X(pmaxub) X(pmaxsb) X(pmaxuw) X(pmaxsw) X(pmaxud) X(pmaxsd) X(psignb)      \
    X(psignw) X(psignd) X(pabsb) X(pabsw) X(pabsd) X(phminposuw) X(phaddw) X(phaddd) X(phaddsw) X(phsubw) X(phsubd)    \
    X(phsubsw) X(packsswb) X(packuswb) X(packssdw) X(packusdw) X(punpcklbw) X(punpcklwd) X(punpckldq) X(punpcklqdq)    \
    X(punpckhbw) X(punpckhwd) X(punpckhdq) X(punpckhqdq) X(psllw) X(pslld) X(psllq) X(psrlw) X(psrld) X(psrlq)         \
    X(psraw) X(psrad) X(pshufb) X(movsldup) X(movshdup) X(pmovsxbw) X(pmovsxbd) X(pmovsxbq) X(pmovsxwd) X(pmovsxwq)    \
    X(pmovsxdq) X(pmovzxbw) X(pmovzxbd) X(pmovzxbq) X(pmovzxwd) X(pmovzxwq) X(pmovzxdq) X(aesenc) X(aesenclast)        \
    X(aesdec) X(aesdeclast) X(aesimc) X(pclmulqdq)
#define LANES_FP(X)                                                                                                    \
    X(addps) X(addpd) X(addss) X(addsd) X(subps) X(subpd) X(subss) X(subsd) X(mulps) X(mulpd) X(mulss) X(mulsd)        \
    X(divps) X(divpd) X(divss) X(divsd) X(minps) X(minpd) X(minss) X(minsd) X(maxps) X(maxpd) X(maxss) X(maxsd)        \
    X(sqrtps) X(sqrtpd) X(sqrtss) X(sqrtsd) X(addsubps) X(addsubpd) X(haddps) X(haddpd) X(hsubps) X(hsubpd)            \
    X(cvtdq2ps) X(cvtps2dq) X(cvttps2dq) X(cvtdq2pd) X(cvtpd2dq) X(cvttpd2dq) X(cvtps2pd) X(cvtpd2ps) X(cvtss2sd)      \
    X(cvtsd2ss) X(cmpps) X(cmppd) X(cmpss) X(cmpsd) X(roundps) X(roundpd) X(roundss) X(roundsd) X(dpps) X(dppd)        \
    X(vcvtph2ps) X(vcvtps2ph)
/* three operands, the third is what out holds before; to a general register; to flags; from a general register */
#define LANES_FMA_FORMS(X, n, t) X(n##132##t) X(n##213##t) X(n##231##t)
#define LANES_FMA_OPS(X, t)                                                                                            \
    LANES_FMA_FORMS(X, vfmadd, t) LANES_FMA_FORMS(X, vfmsub, t) LANES_FMA_FORMS(X, vfnmadd, t)                         \
    LANES_FMA_FORMS(X, vfnmsub, t)
#define LANES_FMA(X)                                                                                                   \
    LANES_FMA_OPS(X, ps) LANES_FMA_OPS(X, pd) LANES_FMA_OPS(X, ss) LANES_FMA_OPS(X, sd)                                \
    LANES_FMA_FORMS(X, vfmaddsub, ps) LANES_FMA_FORMS(X, vfmaddsub, pd)                                                \
    LANES_FMA_FORMS(X, vfmsubadd, ps) LANES_FMA_FORMS(X, vfmsubadd, pd)
#define LANES_TO_GPR(X)                                                                                                \
    X(cvtss2si32) X(cvtss2si64) X(cvttss2si32) X(cvttss2si64) X(cvtsd2si32) X(cvtsd2si64) X(cvttsd2si32)               \
    X(cvttsd2si64)
#define LANES_COMI(X) X(comiss) X(comisd) X(ucomiss) X(ucomisd)
#define LANES_FROM_GPR(X) X(cvtsi2ss32) X(cvtsi2ss64) X(cvtsi2sd32) X(cvtsi2sd64)

enum {
#define LANES_ENUM(n) LANE_##n,
    LANES_INT(LANES_ENUM)
    LANES_FIRST_FP,
    LANES_BEFORE_FP = LANES_FIRST_FP - 1,
    LANES_FP(LANES_ENUM)
    LANES_FMA(LANES_ENUM)
    LANES_TO_GPR(LANES_ENUM)
    LANES_COMI(LANES_ENUM)
    LANES_FROM_GPR(LANES_ENUM)
#undef LANES_ENUM
    LANES_COUNT,
};

extern const char *const lanes_name[LANES_COUNT];

/* @op by its LANE_ number on a, b (16 bytes each) */
void lanes_host(unsigned op, const uint64_t *a, const uint64_t *b, unsigned imm, uint64_t *out);
void lanes_portable(unsigned op, const uint64_t *a, const uint64_t *b, unsigned imm, uint64_t *out);

#endif
