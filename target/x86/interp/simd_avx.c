/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/interp/simd_avx.c - VEX-only instructions that move data between lanes, broadcasts, FMA
 *
 * All write the whole YMM register: the upper lane is a result (VEX.L) or zero.
 */
#include "target/x86/interp/simd.h"

SIMD_INLINE void put256(struct x86_cpu *cpu, unsigned n, v128 lo, v128 hi)
{
    LO(n) = lo;
    HI(n) = hi;
}

/* VZEROUPPER, VZEROALL: the eight or sixteen registers of the mode */
static X86_OP(vzeroupper)
{
    for (unsigned i = 0; i < (cpu->mode & MODE_64 ? 16u : 8u); i++) {
        HI(i) = V128_ZERO;
    }
    X86_NEXT;
}

static X86_OP(vzeroall)
{
    for (unsigned i = 0; i < (cpu->mode & MODE_64 ? 16u : 8u); i++) {
        put256(cpu, i, V128_ZERO, V128_ZERO);
    }
    X86_NEXT;
}

/*
 * Broadcasts of 1, 2, 4, 8 bytes from memory or a register; of 16 from memory
 */
#define BROADCAST(n, len, spread)                                                                                      \
    static X86_OP(n)                                                                                                   \
    {                                                                                                                  \
        uint64_t q = simd_rm(cpu, r, len, false)[0] & bits_mask(8 * (len));                                            \
        v128 v = { q * (spread), q * (spread) };                                                                       \
                                                                                                                       \
        put256(cpu, r->reg, v, r->flags & REC_VEX_L ? v : V128_ZERO);                                                  \
        X86_NEXT;                                                                                                      \
    }
BROADCAST(vbroadcast8, 1, 0x0101010101010101ull)
BROADCAST(vbroadcast16, 2, 0x0001000100010001ull)
BROADCAST(vbroadcast32, 4, 0x0000000100000001ull)
BROADCAST(vbroadcast64, 8, 1ull)

static X86_OP(vbroadcast128)
{
    v128 v = mem_ld128(cpu, r, rec_la(cpu, r, 16, false));

    put256(cpu, r->reg, v, v);
    X86_NEXT;
}

/*
 * Lanes in and out
 */
static X86_OP(vinsert128)
{
    v128 s = simd_rm(cpu, r, 16, false), lo = LO(r->vvvv), hi = HI(r->vvvv);

    put256(cpu, r->reg, SIMD_IMM & 1 ? lo : s, SIMD_IMM & 1 ? s : hi);
    X86_NEXT;
}

static X86_OP(vextract128)
{
    v128 v = SIMD_IMM & 1 ? HI(r->reg) : LO(r->reg);

    if (r->flags & REC_MEM) {
        mem_st128(cpu, r, rec_la(cpu, r, 16, true), v);
    } else {
        put256(cpu, r->rm, v, V128_ZERO);
    }
    X86_NEXT;
}

/* two bits pick one of four lanes, the bit at 3 zeroes */
SIMD_INLINE v128 pick_lane(v128 a0, v128 a1, v128 b0, v128 b1, unsigned sel)
{
    if (sel & 8) {
        return V128_ZERO;
    }
    return sel & 2 ? (sel & 1 ? b1 : b0) : sel & 1 ? a1 : a0;
}

static X86_OP(vperm2x128)
{
    const v128_u *s = simd_src(cpu, r, 32);
    v128 a0 = LO(r->vvvv), a1 = HI(r->vvvv), b0 = s[0], b1 = s[1];

    put256(cpu, r->reg, pick_lane(a0, a1, b0, b1, SIMD_IMM), pick_lane(a0, a1, b0, b1, SIMD_IMM >> 4));
    X86_NEXT;
}

/*
 * Permutations
 */
/* VPERMILPS, VPERMILPD by immediate or by a register (bits 1:0, or bit 1, of each element) */
SIMD_INLINE v128 pv_vpermilps(v128 va, v128 vb, unsigned imm)
{
    union lane a = { .v = va }, b = { .v = vb };

    return (v128)(v4u32){ a.d[b.d[0] & 3], a.d[b.d[1] & 3], a.d[b.d[2] & 3], a.d[b.d[3] & 3] };
}
SIMD_INLINE v128 pv_vpermilpd(v128 a, v128 b, unsigned imm)
{
    return (v128){ b[0] & 2 ? a[1] : a[0], b[1] & 2 ? a[1] : a[0] };
}
SIMD_INLINE v128 pv_vpermilpd_i(v128 a, v128 b, unsigned imm)
{
    return (v128){ imm & 1 ? b[1] : b[0], imm & 2 ? b[1] : b[0] };
}
SIMD_INLINE v128 pv_vpermilps_i(v128 a, v128 b, unsigned imm) { return pv_pshufd(a, b, imm); }

#define VEX_WHOLE(n, CHECK, HI_IMM)                                                                                    \
    static X86_OP(n)                                                                                                   \
    {                                                                                                                  \
        const v128_u *s = simd_src(cpu, r, r->flags & REC_VEX_L ? 32 : 16);                                            \
        v128 hi = V128_ZERO;                                                                                           \
        v128 lo = pv_##n(LO(r->vvvv), s[0], SIMD_IMM);                                                                 \
                                                                                                                       \
        if (r->flags & REC_VEX_L) {                                                                                    \
            hi = pv_##n(HI(r->vvvv), s[1], HI_IMM);                                                                    \
        }                                                                                                              \
        CHECK(cpu, r, lo, hi);                                                                                         \
        put256(cpu, r->reg, lo, hi);                                                                                   \
        X86_NEXT;                                                                                                      \
    }
VEX_WHOLE(vpermilps, SIMD_NOCHECK, 0)
VEX_WHOLE(vpermilpd, SIMD_NOCHECK, 0)
VEX_WHOLE(vpermilps_i, SIMD_NOCHECK, SIMD_IMM)
VEX_WHOLE(vpermilpd_i, SIMD_NOCHECK, SIMD_IMM >> 2)

/*
 * VPERMD, VPERMPS: indices in vvvv; VPERMQ, VPERMPD: immediate. Across lanes, so through copies of the whole register
 */
static __attribute__((noinline)) void permute8(struct x86_cpu *cpu, const struct x86_rec *r)
{
    union x86_vec s, ix = cpu->vec[r->vvvv];

    memcpy(&s, simd_src(cpu, r, 32), 32);
    for (unsigned i = 0; i < 8; i++) {
        cpu->vec[r->reg].d[i] = s.d[ix.d[i] & 7];
    }
}

static X86_OP(vpermd)
{
    permute8(cpu, r);
    X86_NEXT;
}

static __attribute__((noinline)) void permute4(struct x86_cpu *cpu, const struct x86_rec *r)
{
    union x86_vec s;

    memcpy(&s, simd_src(cpu, r, 32), 32);
    for (unsigned i = 0; i < 4; i++) {
        cpu->vec[r->reg].q[i] = s.q[SIMD_IMM >> (2 * i) & 3];
    }
}

static X86_OP(vpermq)
{
    permute4(cpu, r);
    X86_NEXT;
}

/*
 * FMA
 */
#define FMA_WHOLE(OP, n)                                                                                               \
    static X86_OP(n)                                                                                                   \
    {                                                                                                                  \
        const v128_u *s = simd_src(cpu, r, r->flags & REC_VEX_L ? 32 : 16);                                            \
        v128 hi = V128_ZERO;                                                                                           \
        v128 lo = pv_##n(LO(r->reg), LO(r->vvvv), s[0]);                                                               \
                                                                                                                       \
        if (r->flags & REC_VEX_L) {                                                                                    \
            hi = pv_##n(HI(r->reg), HI(r->vvvv), s[1]);                                                                \
        }                                                                                                              \
        simd_fp_check(cpu, r, lo, hi);                                                                                 \
        put256(cpu, r->reg, lo, hi);                                                                                   \
        X86_NEXT;                                                                                                      \
    }
#define FMA_SCALAR(n, len)                                                                                             \
    static X86_OP(n)                                                                                                   \
    {                                                                                                                  \
        v128 s = simd_rm(cpu, r, len, false);                                                                          \
        v128 d = pv_##n(LO(r->reg), LO(r->vvvv), s);                                                                   \
                                                                                                                       \
        simd_fp_check(cpu, r, d, d);                                                                                   \
        put256(cpu, r->reg, d, V128_ZERO);                                                                             \
        X86_NEXT;                                                                                                      \
    }
#define FMA_SS(OP, n) FMA_SCALAR(n, 4)
#define FMA_SD(OP, n) FMA_SCALAR(n, 8)

#define EACH_FORM(X, OP, n, S, s) X(OP##132##S, n##132##s) X(OP##213##S, n##213##s) X(OP##231##S, n##231##s)
#define EACH_OP(X, S, s)                                                                                               \
    EACH_FORM(X, VFMADD, vfmadd, S, s) EACH_FORM(X, VFMSUB, vfmsub, S, s) EACH_FORM(X, VFNMADD, vfnmadd, S, s)         \
    EACH_FORM(X, VFNMSUB, vfnmsub, S, s)
#define EACH_ALT(X, S, s) EACH_FORM(X, VFMADDSUB, vfmaddsub, S, s) EACH_FORM(X, VFMSUBADD, vfmsubadd, S, s)
EACH_OP(FMA_WHOLE, PS, ps)
EACH_OP(FMA_WHOLE, PD, pd)
EACH_ALT(FMA_WHOLE, PS, ps)
EACH_ALT(FMA_WHOLE, PD, pd)
EACH_OP(FMA_SS, SS, ss)
EACH_OP(FMA_SD, SD, sd)

#define ROW(OP, n) SIMD_ROW_ONE(OP, n),
static const struct simd_row rows[] = {
    ROW(VZEROUPPER, vzeroupper) ROW(VZEROALL, vzeroall)
    ROW(VPBROADCASTB, vbroadcast8) ROW(VPBROADCASTW, vbroadcast16) ROW(VPBROADCASTD, vbroadcast32)
    ROW(VPBROADCASTQ, vbroadcast64) ROW(VBROADCASTSS, vbroadcast32) ROW(VBROADCASTSD, vbroadcast64)
    ROW(VBROADCASTF128, vbroadcast128) ROW(VBROADCASTI128, vbroadcast128)
    ROW(VINSERTF128, vinsert128) ROW(VINSERTI128, vinsert128) ROW(VEXTRACTF128, vextract128)
    ROW(VEXTRACTI128, vextract128) ROW(VPERM2F128, vperm2x128) ROW(VPERM2I128, vperm2x128)
    ROW(VPERMD, vpermd) ROW(VPERMPS, vpermd) ROW(VPERMQ, vpermq) ROW(VPERMPD, vpermq)
    EACH_OP(ROW, PS, ps) EACH_OP(ROW, PD, pd) EACH_ALT(ROW, PS, ps) EACH_ALT(ROW, PD, pd)
    EACH_OP(ROW, SS, ss) EACH_OP(ROW, SD, sd)
};

x86_handler *simd_bind_avx(const struct x86_rec *r)
{
    bool imm = r->form == FORM_R_RM_I;

    switch (r->op) {
    case OP_VPERMILPS:
        return imm ? x86_vpermilps_i : x86_vpermilps;
    case OP_VPERMILPD:
        return imm ? x86_vpermilpd_i : x86_vpermilpd;
    default:
        return simd_bind_row(rows, ARRAY_LEN(rows), r);
    }
}
