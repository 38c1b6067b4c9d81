/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/interp/simd_host.h - packed integer operations on one 16-byte lane: a row each
 *
 *     LANE(name, host instruction, host feature, n, statement for element i of n)
 *
 * makes v128 pv_name(v128 a, v128 b, unsigned imm), where the destination's old value is a and the source is b. On
 * x86-64 hosts that have the feature it is the host's own instruction; elsewhere the statement, which is the
 * definition, runs. With X86_SIMD_PORTABLE or X86_PORTABLE only the statements are used (tests/unit/test-simd.c
 * compares the two). A YMM operation is the same on both lanes; an MMX operation is the low half of it, for packs and
 * the like after MMX_PAIR (simd.h).
 */
#ifndef TARGET_X86_INTERP_SIMD_HOST_H
#define TARGET_X86_INTERP_SIMD_HOST_H

#include "lib/bits.h"
#include <stdint.h>
#include <string.h>

typedef uint64_t v128 __attribute__((vector_size(16)));
typedef uint64_t v128_u __attribute__((vector_size(16), aligned(1), may_alias));
typedef uint16_t v8u16 __attribute__((vector_size(16)));
typedef int8_t v16i8 __attribute__((vector_size(16)));
typedef int32_t v4i32 __attribute__((vector_size(16)));
typedef uint32_t v4u32 __attribute__((vector_size(16)));
typedef int64_t v2i64 __attribute__((vector_size(16)));

union lane {
    v128 v;
    uint8_t b[16];
    uint16_t w[8];
    uint32_t d[4];
    uint64_t q[2];
    int8_t sb[16];
    int16_t sw[8];
    int32_t sd[4];
    int64_t sq[2];
    float s[4];
    double f[2];
};

#if defined(__x86_64__) && !defined(X86_SIMD_PORTABLE) && !defined(X86_PORTABLE)
#define SIMD_X86_HOST 1
#define HOST_SSE2   1
#define HOST_SSE3   __builtin_cpu_supports("sse3")
#define HOST_SSSE3  __builtin_cpu_supports("ssse3")
#define HOST_SSE41  __builtin_cpu_supports("sse4.1")
#define HOST_SSE42  __builtin_cpu_supports("sse4.2")
#define HOST_AES    __builtin_cpu_supports("aes")
#define HOST_CLMUL  __builtin_cpu_supports("pclmul")
#define HOST_AVX2   __builtin_cpu_supports("avx2")
#define HOST_FMA    (__builtin_cpu_supports("fma") && __builtin_cpu_supports("avx2"))
#define HOST_LANE(insn, feat)                                                                                          \
    if (likely(HOST_##feat)) {                                                                                         \
        __asm__(insn " %1, %0" : "+x"(va) : "x"(vb));                                                                  \
        return va;                                                                                                     \
    }
#else
#define SIMD_X86_HOST 0
#define HOST_LANE(insn, feat)
#endif

#define SIMD_INLINE static inline __attribute__((always_inline, unused))
#define LANE(name, insn, feat, n, stmt)                                                                                \
    SIMD_INLINE v128 pv_##name(v128 va, v128 vb, unsigned imm)                                                         \
    {                                                                                                                  \
        HOST_LANE(insn, feat)                                                                                          \
        union lane a = { .v = va }, b = { .v = vb }, d = { .v = va };                                                  \
        for (unsigned i = 0; i < (n); i++) {                                                                           \
            stmt;                                                                                                      \
        }                                                                                                              \
        (void)a, (void)b, (void)imm;                                                                                   \
        return d.v;                                                                                                    \
    }
/* No host instruction below AVX2: the statement everywhere */
#define LANE_C(name, n, stmt)                                                                                          \
    SIMD_INLINE v128 pv_##name(v128 va, v128 vb, unsigned imm)                                                         \
    {                                                                                                                  \
        union lane a = { .v = va }, b = { .v = vb }, d = { .v = va };                                                  \
        for (unsigned i = 0; i < (n); i++) {                                                                           \
            stmt;                                                                                                      \
        }                                                                                                              \
        return d.v;                                                                                                    \
    }
/* Pure vector expressions: the compiler does as well as an instruction */
#define LANE_V(name, expr) SIMD_INLINE v128 pv_##name(v128 a, v128 b, unsigned imm) { return (v128)(expr); }

static inline int8_t sat_i8(int v) { return v < -128 ? -128 : v > 127 ? 127 : v; }
static inline uint8_t sat_u8(int v) { return v < 0 ? 0 : v > 255 ? 255 : v; }
static inline int16_t sat_i16(int v) { return v < -32768 ? -32768 : v > 32767 ? 32767 : v; }
static inline uint16_t sat_u16(int v) { return v < 0 ? 0 : v > 65535 ? 65535 : v; }

/* Add, subtract, multiply, average */
LANE(paddb, "paddb", SSE2, 16, d.b[i] = a.b[i] + b.b[i])
LANE(paddw, "paddw", SSE2, 8, d.w[i] = a.w[i] + b.w[i])
LANE(paddd, "paddd", SSE2, 4, d.d[i] = a.d[i] + b.d[i])
LANE(paddq, "paddq", SSE2, 2, d.q[i] = a.q[i] + b.q[i])
LANE(psubb, "psubb", SSE2, 16, d.b[i] = a.b[i] - b.b[i])
LANE(psubw, "psubw", SSE2, 8, d.w[i] = a.w[i] - b.w[i])
LANE(psubd, "psubd", SSE2, 4, d.d[i] = a.d[i] - b.d[i])
LANE(psubq, "psubq", SSE2, 2, d.q[i] = a.q[i] - b.q[i])
LANE(paddsb, "paddsb", SSE2, 16, d.sb[i] = sat_i8(a.sb[i] + b.sb[i]))
LANE(paddsw, "paddsw", SSE2, 8, d.sw[i] = sat_i16(a.sw[i] + b.sw[i]))
LANE(paddusb, "paddusb", SSE2, 16, d.b[i] = sat_u8(a.b[i] + b.b[i]))
LANE(paddusw, "paddusw", SSE2, 8, d.w[i] = sat_u16(a.w[i] + b.w[i]))
LANE(psubsb, "psubsb", SSE2, 16, d.sb[i] = sat_i8(a.sb[i] - b.sb[i]))
LANE(psubsw, "psubsw", SSE2, 8, d.sw[i] = sat_i16(a.sw[i] - b.sw[i]))
LANE(psubusb, "psubusb", SSE2, 16, d.b[i] = sat_u8(a.b[i] - b.b[i]))
LANE(psubusw, "psubusw", SSE2, 8, d.w[i] = sat_u16(a.w[i] - b.w[i]))
LANE(pmullw, "pmullw", SSE2, 8, d.w[i] = (uint32_t)a.w[i] * b.w[i])
LANE(pmulhw, "pmulhw", SSE2, 8, d.w[i] = (a.sw[i] * b.sw[i]) >> 16)
LANE(pmulhuw, "pmulhuw", SSE2, 8, d.w[i] = ((uint32_t)a.w[i] * b.w[i]) >> 16)
LANE(pmuludq, "pmuludq", SSE2, 2, d.q[i] = (uint64_t)a.d[2 * i] * b.d[2 * i])
LANE(pmuldq, "pmuldq", SSE41, 2, d.q[i] = (int64_t)a.sd[2 * i] * b.sd[2 * i])
LANE(pmulld, "pmulld", SSE41, 4, d.d[i] = a.d[i] * b.d[i])
LANE(pmulhrsw, "pmulhrsw", SSSE3, 8, d.w[i] = (((a.sw[i] * b.sw[i]) >> 14) + 1) >> 1)
LANE(pmaddwd, "pmaddwd", SSE2, 4,
     d.d[i] = (uint32_t)(a.sw[2 * i] * b.sw[2 * i]) + (uint32_t)(a.sw[2 * i + 1] * b.sw[2 * i + 1]))
LANE(pmaddubsw, "pmaddubsw", SSSE3, 8,
     d.sw[i] = sat_i16(a.b[2 * i] * b.sb[2 * i] + a.b[2 * i + 1] * b.sb[2 * i + 1]))
LANE(pavgb, "pavgb", SSE2, 16, d.b[i] = (a.b[i] + b.b[i] + 1) >> 1)
LANE(pavgw, "pavgw", SSE2, 8, d.w[i] = (a.w[i] + b.w[i] + 1) >> 1)

static inline unsigned abs_diff(int x, int y) { return x < y ? y - x : x - y; }
LANE(psadbw, "psadbw", SSE2, 16,
     d.q[i >> 3] = (i & 7 ? d.q[i >> 3] : 0) + abs_diff(a.b[i], b.b[i]))
/* Eight sums of four differences: the block of b is picked by imm bits 1:0, the window of a starts at imm bit 2 * 4 */
SIMD_INLINE v128 pv_mpsadbw(v128 va, v128 vb, unsigned imm)
{
    union lane a = { .v = va }, b = { .v = vb }, d;
    unsigned ao = imm & 4, bo = (imm & 3) * 4;

    for (unsigned i = 0; i < 8; i++) {
        d.w[i] = 0;
        for (unsigned j = 0; j < 4; j++) {
            d.w[i] += abs_diff(a.b[ao + i + j], b.b[bo + j]);
        }
    }
    return d.v;
}

/* Logic */
LANE_V(pand, a & b)
LANE_V(pandn, ~a & b)
LANE_V(por, a | b)
LANE_V(pxor, a ^ b)

/* Comparisons, minimum, maximum, sign, absolute value */
#define LANE_IF(name, insn, feat, n, e, cond) LANE(name, insn, feat, n, d.e[i] = (cond) ? -1 : 0)
LANE_IF(pcmpeqb, "pcmpeqb", SSE2, 16, b, a.b[i] == b.b[i])
LANE_IF(pcmpeqw, "pcmpeqw", SSE2, 8, w, a.w[i] == b.w[i])
LANE_IF(pcmpeqd, "pcmpeqd", SSE2, 4, d, a.d[i] == b.d[i])
LANE_IF(pcmpeqq, "pcmpeqq", SSE41, 2, q, a.q[i] == b.q[i])
LANE_IF(pcmpgtb, "pcmpgtb", SSE2, 16, b, a.sb[i] > b.sb[i])
LANE_IF(pcmpgtw, "pcmpgtw", SSE2, 8, w, a.sw[i] > b.sw[i])
LANE_IF(pcmpgtd, "pcmpgtd", SSE2, 4, d, a.sd[i] > b.sd[i])
LANE_IF(pcmpgtq, "pcmpgtq", SSE42, 2, q, a.sq[i] > b.sq[i])
#define LANE_MIN(name, feat, n, e) LANE(name, #name, feat, n, d.e[i] = a.e[i] < b.e[i] ? a.e[i] : b.e[i])
#define LANE_MAX(name, feat, n, e) LANE(name, #name, feat, n, d.e[i] = a.e[i] > b.e[i] ? a.e[i] : b.e[i])
LANE_MIN(pminub, SSE2, 16, b)
LANE_MIN(pminsb, SSE41, 16, sb)
LANE_MIN(pminuw, SSE41, 8, w)
LANE_MIN(pminsw, SSE2, 8, sw)
LANE_MIN(pminud, SSE41, 4, d)
LANE_MIN(pminsd, SSE41, 4, sd)
LANE_MAX(pmaxub, SSE2, 16, b)
LANE_MAX(pmaxsb, SSE41, 16, sb)
LANE_MAX(pmaxuw, SSE41, 8, w)
LANE_MAX(pmaxsw, SSE2, 8, sw)
LANE_MAX(pmaxud, SSE41, 4, d)
LANE_MAX(pmaxsd, SSE41, 4, sd)
LANE(psignb, "psignb", SSSE3, 16, d.b[i] = b.sb[i] < 0 ? -a.b[i] : b.b[i] ? a.b[i] : 0)
LANE(psignw, "psignw", SSSE3, 8, d.w[i] = b.sw[i] < 0 ? -a.w[i] : b.w[i] ? a.w[i] : 0)
LANE(psignd, "psignd", SSSE3, 4, d.d[i] = b.sd[i] < 0 ? -a.d[i] : b.d[i] ? a.d[i] : 0)
LANE(pabsb, "pabsb", SSSE3, 16, d.b[i] = b.sb[i] < 0 ? -b.b[i] : b.b[i])
LANE(pabsw, "pabsw", SSSE3, 8, d.w[i] = b.sw[i] < 0 ? -b.w[i] : b.w[i])
LANE(pabsd, "pabsd", SSSE3, 4, d.d[i] = b.sd[i] < 0 ? -b.d[i] : b.d[i])
SIMD_INLINE v128 pv_phminposuw(v128 va, v128 vb, unsigned imm)
{
    HOST_LANE("phminposuw", SSE41)
    union lane b = { .v = vb };
    unsigned min = 0;

    for (unsigned i = 1; i < 8; i++) {
        min = b.w[i] < b.w[min] ? i : min;
    }
    return (v128){ b.w[min] | (uint64_t)min << 16, 0 };
}

/* Horizontal */
#define LANE_H(name, n, e, expr)                                                                                       \
    SIMD_INLINE v128 pv_##name(v128 va, v128 vb, unsigned imm)                                                         \
    {                                                                                                                  \
        HOST_LANE(#name, SSSE3)                                                                                        \
        union lane a = { .v = va }, b = { .v = vb }, d;                                                                \
        for (unsigned i = 0; i < (n); i++) {                                                                           \
            int x = i < (n) / 2 ? a.e[2 * i] : b.e[2 * i - (n)];                                                       \
            int y = i < (n) / 2 ? a.e[2 * i + 1] : b.e[2 * i + 1 - (n)];                                               \
            d.e[i] = expr;                                                                                             \
        }                                                                                                              \
        return d.v;                                                                                                    \
    }
LANE_H(phaddw, 8, sw, x + y)
LANE_H(phaddd, 4, sd, (int)((unsigned)x + (unsigned)y))
LANE_H(phaddsw, 8, sw, sat_i16(x + y))
LANE_H(phsubw, 8, sw, x - y)
LANE_H(phsubd, 4, sd, (int)((unsigned)x - (unsigned)y))
LANE_H(phsubsw, 8, sw, sat_i16(x - y))

/* Pack, unpack */
LANE(packsswb, "packsswb", SSE2, 16, d.sb[i] = sat_i8(i < 8 ? a.sw[i & 7] : b.sw[i & 7]))
LANE(packuswb, "packuswb", SSE2, 16, d.b[i] = sat_u8(i < 8 ? a.sw[i & 7] : b.sw[i & 7]))
LANE(packssdw, "packssdw", SSE2, 8, d.sw[i] = sat_i16(i < 4 ? a.sd[i & 3] : b.sd[i & 3]))
LANE(packusdw, "packusdw", SSE41, 8, d.w[i] = sat_u16(i < 4 ? a.sd[i & 3] : b.sd[i & 3]))
LANE(punpcklbw, "punpcklbw", SSE2, 16, d.b[i] = i & 1 ? b.b[i / 2] : a.b[i / 2])
LANE(punpcklwd, "punpcklwd", SSE2, 8, d.w[i] = i & 1 ? b.w[i / 2] : a.w[i / 2])
LANE(punpckldq, "punpckldq", SSE2, 4, d.d[i] = i & 1 ? b.d[i / 2] : a.d[i / 2])
LANE(punpcklqdq, "punpcklqdq", SSE2, 2, d.q[i] = i & 1 ? b.q[0] : a.q[0])
LANE(punpckhbw, "punpckhbw", SSE2, 16, d.b[i] = i & 1 ? b.b[8 + i / 2] : a.b[8 + i / 2])
LANE(punpckhwd, "punpckhwd", SSE2, 8, d.w[i] = i & 1 ? b.w[4 + i / 2] : a.w[4 + i / 2])
LANE(punpckhdq, "punpckhdq", SSE2, 4, d.d[i] = i & 1 ? b.d[2 + i / 2] : a.d[2 + i / 2])
LANE(punpckhqdq, "punpckhqdq", SSE2, 2, d.q[i] = i & 1 ? b.q[1] : a.q[1])

/* Shifts by the low 64 bits of b. A count of the element's width or more gives 0, or the sign for PSRAx. */
LANE(psllw, "psllw", SSE2, 8, d.w[i] = b.q[0] > 15 ? 0 : a.w[i] << b.q[0])
LANE(pslld, "pslld", SSE2, 4, d.d[i] = b.q[0] > 31 ? 0 : a.d[i] << b.q[0])
LANE(psllq, "psllq", SSE2, 2, d.q[i] = b.q[0] > 63 ? 0 : a.q[i] << b.q[0])
LANE(psrlw, "psrlw", SSE2, 8, d.w[i] = b.q[0] > 15 ? 0 : a.w[i] >> b.q[0])
LANE(psrld, "psrld", SSE2, 4, d.d[i] = b.q[0] > 31 ? 0 : a.d[i] >> b.q[0])
LANE(psrlq, "psrlq", SSE2, 2, d.q[i] = b.q[0] > 63 ? 0 : a.q[i] >> b.q[0])
LANE(psraw, "psraw", SSE2, 8, d.sw[i] = a.sw[i] >> (b.q[0] > 15 ? 15 : b.q[0]))
LANE(psrad, "psrad", SSE2, 4, d.sd[i] = a.sd[i] >> (b.q[0] > 31 ? 31 : b.q[0]))
/* the same with a count for each element (AVX2) */
LANE_C(vpsllvd, 4, d.d[i] = b.d[i] > 31 ? 0 : a.d[i] << b.d[i])
LANE_C(vpsllvq, 2, d.q[i] = b.q[i] > 63 ? 0 : a.q[i] << b.q[i])
LANE_C(vpsrlvd, 4, d.d[i] = b.d[i] > 31 ? 0 : a.d[i] >> b.d[i])
LANE_C(vpsrlvq, 2, d.q[i] = b.q[i] > 63 ? 0 : a.q[i] >> b.q[i])
LANE_C(vpsravd, 4, d.sd[i] = a.sd[i] >> (b.d[i] > 31 ? 31 : b.d[i]))

/* Bytes in and out of the lane: imm counts bytes */
SIMD_INLINE v128 lane_shr(v128 v, unsigned n)
{
    unsigned __int128 x = (unsigned __int128)v[1] << 64 | v[0];

    x = n > 15 ? 0 : x >> (8 * n);
    return (v128){ (uint64_t)x, (uint64_t)(x >> 64) };
}
SIMD_INLINE v128 lane_shl(v128 v, unsigned n)
{
    unsigned __int128 x = (unsigned __int128)v[1] << 64 | v[0];

    x = n > 15 ? 0 : x << (8 * n);
    return (v128){ (uint64_t)x, (uint64_t)(x >> 64) };
}
LANE_V(pslldq, lane_shl(a, imm))
LANE_V(psrldq, lane_shr(a, imm))
LANE_V(palignr, imm < 16 ? lane_shr(b, imm) | lane_shl(a, 16 - imm) : lane_shr(a, imm - 16))

/* Shuffles */
LANE(pshufb, "pshufb", SSSE3, 16, d.b[i] = b.b[i] & 0x80 ? 0 : a.b[b.b[i] & 15])
SIMD_INLINE v128 pv_pshufd(v128 va, v128 vb, unsigned imm)
{
    union lane b = { .v = vb };

    return (v128)(v4u32){ b.d[imm & 3], b.d[imm >> 2 & 3], b.d[imm >> 4 & 3], b.d[imm >> 6 & 3] };
}
static inline uint64_t shuffle_words(uint64_t q, unsigned imm)
{
    uint64_t d = 0;

    for (unsigned i = 0; i < 4; i++) {
        d |= (q >> (16 * (imm >> (2 * i) & 3)) & 0xFFFF) << (16 * i);
    }
    return d;
}
LANE_V(pshuflw, ((v128){ shuffle_words(b[0], imm), b[1] }))
LANE_V(pshufhw, ((v128){ b[0], shuffle_words(b[1], imm) }))
SIMD_INLINE v128 pv_shufps(v128 va, v128 vb, unsigned imm)
{
    union lane a = { .v = va }, b = { .v = vb };

    return (v128)(v4u32){ a.d[imm & 3], a.d[imm >> 2 & 3], b.d[imm >> 4 & 3], b.d[imm >> 6 & 3] };
}
LANE_V(shufpd, ((v128){ imm & 1 ? a[1] : a[0], imm & 2 ? b[1] : b[0] }))
LANE(movsldup, "movsldup", SSE3, 4, d.d[i] = b.d[i & 2])
LANE(movshdup, "movshdup", SSE3, 4, d.d[i] = b.d[i | 1])
LANE_V(movddup, ((v128){ b[0], b[0] }))

/* Widening moves: b has the narrow elements from its bottom */
LANE(pmovsxbw, "pmovsxbw", SSE41, 8, d.sw[i] = b.sb[i])
LANE(pmovsxbd, "pmovsxbd", SSE41, 4, d.sd[i] = b.sb[i])
LANE(pmovsxbq, "pmovsxbq", SSE41, 2, d.sq[i] = b.sb[i])
LANE(pmovsxwd, "pmovsxwd", SSE41, 4, d.sd[i] = b.sw[i])
LANE(pmovsxwq, "pmovsxwq", SSE41, 2, d.sq[i] = b.sw[i])
LANE(pmovsxdq, "pmovsxdq", SSE41, 2, d.sq[i] = b.sd[i])
LANE(pmovzxbw, "pmovzxbw", SSE41, 8, d.w[i] = b.b[i])
LANE(pmovzxbd, "pmovzxbd", SSE41, 4, d.d[i] = b.b[i])
LANE(pmovzxbq, "pmovzxbq", SSE41, 2, d.q[i] = b.b[i])
LANE(pmovzxwd, "pmovzxwd", SSE41, 4, d.d[i] = b.w[i])
LANE(pmovzxwq, "pmovzxwq", SSE41, 2, d.q[i] = b.w[i])
LANE(pmovzxdq, "pmovzxdq", SSE41, 2, d.q[i] = b.d[i])

/* Blends */
SIMD_INLINE v128 lane_blend(v128 a, v128 b, v128 mask) { return (a & ~mask) | (b & mask); }
SIMD_INLINE v128 mask_b(v128 m) { return (v128)((v16i8)m < 0); }
SIMD_INLINE v128 mask_d(v128 m) { return (v128)((v4i32)m >> 31); }
SIMD_INLINE v128 mask_q(v128 m) { return (v128)((v2i64)m >> 63); }
/* masks from the low bits of an immediate */
SIMD_INLINE v128 imm_mask_w(unsigned imm)
{
    const v8u16 bit = { 1, 2, 4, 8, 16, 32, 64, 128 };
    uint16_t n = imm;
    v8u16 v = { n, n, n, n, n, n, n, n };

    return (v128)((v & bit) == bit);
}
SIMD_INLINE v128 imm_mask_d(unsigned imm)
{
    const v4u32 bit = { 1, 2, 4, 8 };
    v4u32 v = { imm, imm, imm, imm };

    return (v128)((v & bit) == bit);
}
SIMD_INLINE v128 imm_mask_q(unsigned imm) { return (v128){ -(uint64_t)(imm & 1), -(uint64_t)(imm >> 1 & 1) }; }
LANE_V(pblendw, lane_blend(a, b, imm_mask_w(imm)))
LANE_V(blendps, lane_blend(a, b, imm_mask_d(imm)))
LANE_V(blendpd, lane_blend(a, b, imm_mask_q(imm)))

/* Sign bits of each element */
SIMD_INLINE unsigned signs_b(v128 v)
{
#if SIMD_X86_HOST
    unsigned m;

    __asm__("pmovmskb %1, %0" : "=r"(m) : "x"(v));
    return m;
#else
    union lane a = { .v = v };
    unsigned m = 0;

    for (unsigned i = 0; i < 16; i++) {
        m |= (unsigned)(a.b[i] >> 7) << i;
    }
    return m;
#endif
}
SIMD_INLINE unsigned signs_d(v128 v)
{
    return (v[0] >> 31 & 1) | (v[0] >> 62 & 2) | (v[1] >> 29 & 4) | (v[1] >> 60 & 8);
}
SIMD_INLINE unsigned signs_q(v128 v) { return (v[0] >> 63) | (v[1] >> 62 & 2); }

#endif
