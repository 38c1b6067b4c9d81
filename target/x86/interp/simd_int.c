/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/interp/simd_int.c - packed integer instructions of MMX, SSE2, SSSE3, SSE4, AVX and AVX2, lane by lane
 *
 * The operations are in simd_host.h; here are the lists that turn them into handlers, and the shifts, whose count comes
 * from a register, memory or an immediate.
 */
#include "target/x86/interp/simd.h"

/* X(op, lane function, how MMX uses it, bytes of an MMX memory operand) */
#define INT_MMX(X)                                                                                                     \
    X(PADDB, paddb, MMX_LOW, 8) X(PADDW, paddw, MMX_LOW, 8) X(PADDD, paddd, MMX_LOW, 8) X(PADDQ, paddq, MMX_LOW, 8)    \
    X(PADDSB, paddsb, MMX_LOW, 8) X(PADDSW, paddsw, MMX_LOW, 8) X(PADDUSB, paddusb, MMX_LOW, 8)                        \
    X(PADDUSW, paddusw, MMX_LOW, 8) X(PSUBB, psubb, MMX_LOW, 8) X(PSUBW, psubw, MMX_LOW, 8)                            \
    X(PSUBD, psubd, MMX_LOW, 8) X(PSUBQ, psubq, MMX_LOW, 8) X(PSUBSB, psubsb, MMX_LOW, 8)                              \
    X(PSUBSW, psubsw, MMX_LOW, 8) X(PSUBUSB, psubusb, MMX_LOW, 8) X(PSUBUSW, psubusw, MMX_LOW, 8)                      \
    X(PMULLW, pmullw, MMX_LOW, 8) X(PMULHW, pmulhw, MMX_LOW, 8) X(PMULHUW, pmulhuw, MMX_LOW, 8)                        \
    X(PMULUDQ, pmuludq, MMX_LOW, 8) X(PMULHRSW, pmulhrsw, MMX_LOW, 8) X(PMADDWD, pmaddwd, MMX_LOW, 8)                  \
    X(PMADDUBSW, pmaddubsw, MMX_LOW, 8) X(PSADBW, psadbw, MMX_LOW, 8) X(PAVGB, pavgb, MMX_LOW, 8)                      \
    X(PAVGW, pavgw, MMX_LOW, 8) X(PAND, pand, MMX_LOW, 8) X(PANDN, pandn, MMX_LOW, 8) X(POR, por, MMX_LOW, 8)          \
    X(PXOR, pxor, MMX_LOW, 8) X(PCMPEQB, pcmpeqb, MMX_LOW, 8) X(PCMPEQW, pcmpeqw, MMX_LOW, 8)                          \
    X(PCMPEQD, pcmpeqd, MMX_LOW, 8) X(PCMPGTB, pcmpgtb, MMX_LOW, 8) X(PCMPGTW, pcmpgtw, MMX_LOW, 8)                    \
    X(PCMPGTD, pcmpgtd, MMX_LOW, 8) X(PMINUB, pminub, MMX_LOW, 8) X(PMINSW, pminsw, MMX_LOW, 8)                        \
    X(PMAXUB, pmaxub, MMX_LOW, 8) X(PMAXSW, pmaxsw, MMX_LOW, 8) X(PSIGNB, psignb, MMX_LOW, 8)                          \
    X(PSIGNW, psignw, MMX_LOW, 8) X(PSIGND, psignd, MMX_LOW, 8) X(PABSB, pabsb, MMX_LOW, 8)                            \
    X(PABSW, pabsw, MMX_LOW, 8) X(PABSD, pabsd, MMX_LOW, 8)                                                            \
    X(PACKSSWB, packsswb, MMX_PAIR, 8) X(PACKSSDW, packssdw, MMX_PAIR, 8) X(PACKUSWB, packuswb, MMX_PAIR, 8)           \
    X(PHADDW, phaddw, MMX_PAIR, 8) X(PHADDD, phaddd, MMX_PAIR, 8) X(PHADDSW, phaddsw, MMX_PAIR, 8)                     \
    X(PHSUBW, phsubw, MMX_PAIR, 8) X(PHSUBD, phsubd, MMX_PAIR, 8) X(PHSUBSW, phsubsw, MMX_PAIR, 8)                     \
    X(PUNPCKLBW, punpcklbw, MMX_LOW, 4) X(PUNPCKLWD, punpcklwd, MMX_LOW, 4) X(PUNPCKLDQ, punpckldq, MMX_LOW, 4)        \
    X(PUNPCKHBW, punpckhbw, MMX_UNPCKH, 8) X(PUNPCKHWD, punpckhwd, MMX_UNPCKH, 8)                                      \
    X(PUNPCKHDQ, punpckhdq, MMX_UNPCKH, 8) X(PSHUFB, pshufb, MMX_SHUFB, 8) X(PALIGNR, palignr, MMX_ALIGNR, 8)

#define INT_XMM(X)                                                                                                     \
    X(PMULDQ, pmuldq) X(PMULLD, pmulld) X(PCMPEQQ, pcmpeqq) X(PCMPGTQ, pcmpgtq) X(PMINSB, pminsb) X(PMINSD, pminsd)    \
    X(PMINUW, pminuw) X(PMINUD, pminud) X(PMAXSB, pmaxsb) X(PMAXSD, pmaxsd) X(PMAXUW, pmaxuw) X(PMAXUD, pmaxud)        \
    X(PACKUSDW, packusdw) X(PUNPCKLQDQ, punpcklqdq) X(PUNPCKHQDQ, punpckhqdq) X(PSHUFD, pshufd)                        \
    X(PSHUFLW, pshuflw) X(PSHUFHW, pshufhw) X(PHMINPOSUW, phminposuw) X(PBLENDW, pblendw)                              \
    X(VPSLLVD, vpsllvd) X(VPSLLVQ, vpsllvq) X(VPSRLVD, vpsrlvd) X(VPSRLVQ, vpsrlvq) X(VPSRAVD, vpsravd)

/* X(op, lane function, source bytes of a lane) */
#define INT_WIDEN(X)                                                                                                   \
    X(PMOVSXBW, pmovsxbw, 8) X(PMOVSXBD, pmovsxbd, 4) X(PMOVSXBQ, pmovsxbq, 2) X(PMOVSXWD, pmovsxwd, 8)                \
    X(PMOVSXWQ, pmovsxwq, 4) X(PMOVSXDQ, pmovsxdq, 8) X(PMOVZXBW, pmovzxbw, 8) X(PMOVZXBD, pmovzxbd, 4)                \
    X(PMOVZXBQ, pmovzxbq, 2) X(PMOVZXWD, pmovzxwd, 8) X(PMOVZXWQ, pmovzxwq, 4) X(PMOVZXDQ, pmovzxdq, 8)

/* PUNPCKHxx of operands in the upper half of a lane interleaves all 16 bytes: the upper 8 are the MMX result */
#define MMX_UNPCKH(f, a, b, imm) f((v128){ 0, (a) }, (v128){ 0, (b) }, imm)[1]
#define MMX_SHUFB(f, a, b, imm) f((v128){ (a), 0 }, (v128){ (b) & 0x8787878787878787ull, 0 }, imm)[0]
#define MMX_ALIGNR(f, a, b, imm) ((imm) < 16 ? lane_shr((v128){ (b), (a) }, imm)[0] : 0)

#define MAKE_MMX(OP, n, how, len) SIMD_MMX_HANDLER(n, how, len) SIMD_WHOLE(n, SIMD_NOCHECK)
INT_MMX(MAKE_MMX)
#define MAKE_XMM(OP, n) SIMD_WHOLE(n, SIMD_NOCHECK)
INT_XMM(MAKE_XMM)
#define MAKE_WIDEN(OP, n, len) SIMD_WIDEN(n, len, SIMD_NOCHECK)
INT_WIDEN(MAKE_WIDEN)

/* MPSADBW: the upper lane uses bits 5:3 of the immediate */
#undef SIMD_HI_IMM
#define SIMD_HI_IMM (SIMD_IMM >> 3)
SIMD_WHOLE(mpsadbw, SIMD_NOCHECK)
#undef SIMD_HI_IMM
#define SIMD_HI_IMM SIMD_IMM

/* PSHUFW: PSHUFLW of an MMX register */
static X86_OP(pshufw_mmx)
{
    uint64_t s;

    mmx_wait(cpu, r);
    s = mmx_rm(cpu, r, 8);
    mmx_put(cpu, r->reg, shuffle_words(s, SIMD_IMM));
    X86_NEXT;
}

/*
 * Shifts. By register or memory: the count is the low quadword of a 16-byte operand, for both lanes. By immediate:
 * legacy shifts rm itself (FORM_RM_I); VEX writes vvvv from rm (FORM_V_RM_I).
 */
#define SHIFT(n)                                                                                                       \
    SIMD_MMX_HANDLER(n, MMX_LOW, 8)                                                                                    \
    static X86_OP(n##_sse)                                                                                             \
    {                                                                                                                  \
        v128 s = simd_rm(cpu, r, 16, true);                                                                            \
                                                                                                                       \
        LO(r->reg) = pv_##n(LO(r->reg), s, 0);                                                                         \
        X86_NEXT;                                                                                                      \
    }                                                                                                                  \
    static X86_OP(n##_vex)                                                                                             \
    {                                                                                                                  \
        v128 s = simd_rm(cpu, r, 16, false);                                                                           \
                                                                                                                       \
        LO(r->reg) = pv_##n(LO(r->vvvv), s, 0);                                                                        \
        HI(r->reg) = r->flags & REC_VEX_L ? pv_##n(HI(r->vvvv), s, 0) : V128_ZERO;                                     \
        X86_NEXT;                                                                                                      \
    }                                                                                                                  \
    static X86_OP(n##_mmx_i)                                                                                           \
    {                                                                                                                  \
        mmx_wait(cpu, r);                                                                                              \
        mmx_put(cpu, r->rm, MMX_LOW(pv_##n, MMX(r->rm), SIMD_IMM, 0));                                                 \
        X86_NEXT;                                                                                                      \
    }                                                                                                                  \
    SHIFT_IMM(n, ((v128){ SIMD_IMM, 0 }))
#define SHIFT_IMM(n, count)                                                                                            \
    static X86_OP(n##_sse_i)                                                                                           \
    {                                                                                                                  \
        LO(r->rm) = pv_##n(LO(r->rm), count, SIMD_IMM);                                                                \
        X86_NEXT;                                                                                                      \
    }                                                                                                                  \
    static X86_OP(n##_vex_i)                                                                                           \
    {                                                                                                                  \
        LO(r->vvvv) = pv_##n(LO(r->rm), count, SIMD_IMM);                                                              \
        HI(r->vvvv) = r->flags & REC_VEX_L ? pv_##n(HI(r->rm), count, SIMD_IMM) : V128_ZERO;                           \
        X86_NEXT;                                                                                                      \
    }
SHIFT(psllw)
SHIFT(pslld)
SHIFT(psllq)
SHIFT(psrlw)
SHIFT(psrld)
SHIFT(psrlq)
SHIFT(psraw)
SHIFT(psrad)
SHIFT_IMM(pslldq, V128_ZERO)
SHIFT_IMM(psrldq, V128_ZERO)

/* VPBLENDD: four bits a lane */
#undef SIMD_HI_IMM
#define SIMD_HI_IMM (SIMD_IMM >> 4)
SIMD_INLINE v128 pv_vpblendd(v128 a, v128 b, unsigned imm) { return pv_blendps(a, b, imm); }
SIMD_WHOLE(vpblendd, SIMD_NOCHECK)
#undef SIMD_HI_IMM
#define SIMD_HI_IMM SIMD_IMM

static const struct simd_row rows[] = {
#define ROW_MMX(OP, n, how, len) SIMD_ROW_MMX(OP, n),
    INT_MMX(ROW_MMX)
#define ROW_XMM(OP, n) SIMD_ROW(OP, n),
    INT_XMM(ROW_XMM)
#define ROW_WIDEN(OP, n, len) SIMD_ROW(OP, n),
    INT_WIDEN(ROW_WIDEN)
    SIMD_ROW(MPSADBW, mpsadbw),
    SIMD_ROW(VPBLENDD, vpblendd),
    { OP_PSHUFW, x86_pshufw_mmx },
};

#define SHIFT_ROW(OP, n) { OP_##OP, x86_##n##_mmx, x86_##n##_sse, x86_##n##_sse, x86_##n##_vex }
static const struct simd_row shift_rows[] = {
    SHIFT_ROW(PSLLW, psllw), SHIFT_ROW(PSLLD, pslld), SHIFT_ROW(PSLLQ, psllq), SHIFT_ROW(PSRLW, psrlw),
    SHIFT_ROW(PSRLD, psrld), SHIFT_ROW(PSRLQ, psrlq), SHIFT_ROW(PSRAW, psraw), SHIFT_ROW(PSRAD, psrad),
};
#define SHIFT_IROW(OP, n) { OP_##OP, x86_##n##_mmx_i, x86_##n##_sse_i, NULL, x86_##n##_vex_i }
static const struct simd_row shift_imm_rows[] = {
    SHIFT_IROW(PSLLW, psllw), SHIFT_IROW(PSLLD, pslld), SHIFT_IROW(PSLLQ, psllq), SHIFT_IROW(PSRLW, psrlw),
    SHIFT_IROW(PSRLD, psrld), SHIFT_IROW(PSRLQ, psrlq), SHIFT_IROW(PSRAW, psraw), SHIFT_IROW(PSRAD, psrad),
    { OP_PSLLDQ, NULL, x86_pslldq_sse_i, NULL, x86_pslldq_vex_i },
    { OP_PSRLDQ, NULL, x86_psrldq_sse_i, NULL, x86_psrldq_vex_i },
};

x86_handler *simd_bind_int(const struct x86_rec *r)
{
    x86_handler *h = simd_bind_row(rows, ARRAY_LEN(rows), r);

    if (!h && (r->form == FORM_RM_I || r->form == FORM_V_RM_I)) {
        h = simd_bind_row(shift_imm_rows, ARRAY_LEN(shift_imm_rows), r);
    } else if (!h) {
        h = simd_bind_row(shift_rows, ARRAY_LEN(shift_rows), r);
    }
    return h;
}
