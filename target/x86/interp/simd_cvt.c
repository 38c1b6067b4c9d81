/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/interp/simd_cvt.c - conversions whose source and destination differ in width or register file
 */
#include "target/x86/interp/simd.h"

/* Widening: 8 source bytes a lane */
SIMD_WIDEN(cvtps2pd, 8, simd_fp_check)
SIMD_WIDEN(cvtdq2pd, 8, SIMD_NOCHECK)
SIMD_WIDEN(vcvtph2ps, 8, simd_fp_check)

/* Narrowing: 16 or 32 source bytes to 8 or 16 */
#define NARROW(n)                                                                                                      \
    static X86_OP(n)                                                                                                   \
    {                                                                                                                  \
        v128 d;                                                                                                        \
                                                                                                                       \
        if (r->flags & REC_VEX_L) {                                                                                    \
            const v128_u *s = simd_src(cpu, r, 32);                                                                    \
                                                                                                                       \
            d = pv_##n(V128_ZERO, s[0], 0);                                                                            \
            d[1] = pv_##n(V128_ZERO, s[1], 0)[0];                                                                      \
        } else {                                                                                                       \
            d = pv_##n(V128_ZERO, simd_rm(cpu, r, 16, true), 0);                                                       \
        }                                                                                                              \
        simd_fp_check(cpu, r, d, d);                                                                                   \
        simd_put(cpu, r, d);                                                                                           \
        X86_NEXT;                                                                                                      \
    }
NARROW(cvtpd2ps)
NARROW(cvtpd2dq)
NARROW(cvttpd2dq)

/* To a general register: 64 bits with REX.W */
#define TO_GPR(n, len)                                                                                                 \
    static X86_OP(n##32)                                                                                               \
    {                                                                                                                  \
        v128 s = simd_rm(cpu, r, len, false);                                                                          \
        uint32_t d = (uint32_t)pv_##n##32(s);                                                                          \
                                                                                                                       \
        simd_fp_check(cpu, r, s, s);                                                                                   \
        REG64(r->reg) = d;                                                                                             \
        X86_NEXT;                                                                                                      \
    }                                                                                                                  \
    static X86_OP(n##64)                                                                                               \
    {                                                                                                                  \
        v128 s = simd_rm(cpu, r, len, false);                                                                          \
        uint64_t d = (uint64_t)pv_##n##64(s);                                                                          \
                                                                                                                       \
        simd_fp_check(cpu, r, s, s);                                                                                   \
        REG64(r->reg) = d;                                                                                             \
        X86_NEXT;                                                                                                      \
    }
TO_GPR(cvtss2si, 4)
TO_GPR(cvttss2si, 4)
TO_GPR(cvtsd2si, 8)
TO_GPR(cvttsd2si, 8)

#define FROM_GPR(n, bits, REG)                                                                                         \
    static X86_OP(n)                                                                                                   \
    {                                                                                                                  \
        uint##bits##_t s = r->flags & REC_MEM ? mem_ld##bits(cpu, r, rec_la(cpu, r, bits / 8, false)) : REG(r->rm);    \
        v128 d = pv_##n(simd_src1(cpu, r), (int##bits##_t)s);                                                          \
                                                                                                                       \
        simd_fp_check(cpu, r, d, d);                                                                                   \
        simd_put(cpu, r, d);                                                                                           \
        X86_NEXT;                                                                                                      \
    }
FROM_GPR(cvtsi2ss32, 32, REG32)
FROM_GPR(cvtsi2ss64, 64, REG64)
FROM_GPR(cvtsi2sd32, 32, REG32)
FROM_GPR(cvtsi2sd64, 64, REG64)

/*
 * MMX. From a register, the instruction is an MMX one (it makes all x87 tags valid); from memory it is not.
 */
static X86_OP(cvtpi2ps)
{
    uint64_t s;
    v128 d;

    if (!(r->flags & REC_MEM)) {
        mmx_wait(cpu, r);
    }
    s = mmx_rm(cpu, r, 8);
    d = pv_cvtdq2ps(V128_ZERO, (v128){ s, 0 }, 0);
    simd_fp_check(cpu, r, d, d);
    if (!(r->flags & REC_MEM)) {
        mmx_use(cpu);
    }
    cpu->vec[r->reg].q[0] = d[0];
    X86_NEXT;
}

static X86_OP(cvtpi2pd)
{
    uint64_t s;

    if (!(r->flags & REC_MEM)) {
        mmx_wait(cpu, r);
    }
    s = mmx_rm(cpu, r, 8);
    if (!(r->flags & REC_MEM)) {
        mmx_use(cpu);
    }
    LO(r->reg) = pv_cvtdq2pd(V128_ZERO, (v128){ s, 0 }, 0);
    X86_NEXT;
}

#define TO_MMX(name, fn, len)                                                                                          \
    static X86_OP(name)                                                                                                \
    {                                                                                                                  \
        v128 s, d;                                                                                                     \
                                                                                                                       \
        mmx_wait(cpu, r);                                                                                              \
        s = simd_rm(cpu, r, len, true);                                                                                \
        if ((len) == 8) {                                                                                              \
            s[1] = 0;                                                                                                  \
        }                                                                                                              \
        d = fn(V128_ZERO, s, 0);                                                                                       \
        simd_fp_check(cpu, r, d, d);                                                                                   \
        mmx_put(cpu, r->reg, d[0]);                                                                                    \
        X86_NEXT;                                                                                                      \
    }
TO_MMX(cvtps2pi, pv_cvtps2dq, 8)
TO_MMX(cvttps2pi, pv_cvttps2dq, 8)
TO_MMX(cvtpd2pi, pv_cvtpd2dq, 16)
TO_MMX(cvttpd2pi, pv_cvttpd2dq, 16)

/* VCVTPS2PH: store form; 8 or 16 bytes */
static X86_OP(vcvtps2ph)
{
    unsigned imm = SIMD_IMM & 7;
    v128 d = pv_vcvtps2ph(V128_ZERO, LO(r->reg), imm);

    d[1] = r->flags & REC_VEX_L ? pv_vcvtps2ph(V128_ZERO, HI(r->reg), imm)[0] : 0;
    simd_fp_check(cpu, r, d, d);                        /* #XM goes before #PF */
    if (!(r->flags & REC_MEM)) {
        LO(r->rm) = d;
        HI(r->rm) = V128_ZERO;
    } else if (r->flags & REC_VEX_L) {
        mem_st128(cpu, r, rec_la(cpu, r, 16, true), d);
    } else {
        mem_st64(cpu, r, rec_la(cpu, r, 8, true), d[0]);
    }
    X86_NEXT;
}

static const struct simd_row rows[] = {
    SIMD_ROW(CVTPS2PD, cvtps2pd), SIMD_ROW(CVTDQ2PD, cvtdq2pd), SIMD_ROW(VCVTPH2PS, vcvtph2ps),
    SIMD_ROW_ONE(CVTPD2PS, cvtpd2ps), SIMD_ROW_ONE(CVTPD2DQ, cvtpd2dq), SIMD_ROW_ONE(CVTTPD2DQ, cvttpd2dq),
    SIMD_ROW_ONE(CVTPI2PS, cvtpi2ps), SIMD_ROW_ONE(CVTPI2PD, cvtpi2pd), SIMD_ROW_ONE(CVTPS2PI, cvtps2pi),
    SIMD_ROW_ONE(CVTTPS2PI, cvttps2pi), SIMD_ROW_ONE(CVTPD2PI, cvtpd2pi), SIMD_ROW_ONE(CVTTPD2PI, cvttpd2pi),
    SIMD_ROW_ONE(VCVTPS2PH, vcvtps2ph),
};

x86_handler *simd_bind_cvt(const struct x86_rec *r)
{
    bool w = r->flags & REC_REXW;

    switch (r->op) {
    case OP_CVTSI2SS:
        return w ? x86_cvtsi2ss64 : x86_cvtsi2ss32;
    case OP_CVTSI2SD:
        return w ? x86_cvtsi2sd64 : x86_cvtsi2sd32;
    case OP_CVTSS2SI:
        return w ? x86_cvtss2si64 : x86_cvtss2si32;
    case OP_CVTTSS2SI:
        return w ? x86_cvttss2si64 : x86_cvttss2si32;
    case OP_CVTSD2SI:
        return w ? x86_cvtsd2si64 : x86_cvtsd2si32;
    case OP_CVTTSD2SI:
        return w ? x86_cvttsd2si64 : x86_cvttsd2si32;
    default:
        return simd_bind_row(rows, ARRAY_LEN(rows), r);
    }
}
