/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/interp/simd.h - what SIMD handlers are made of
 *
 * An operation is a lane function v128 pv_op(a, b, imm) (simd_host.h, simd_fp_host.h). The SIMD_* macros below make
 * the four handlers of an instruction from it: MMX, SSE with a register, SSE with memory, and VEX (128 and 256 bits,
 * register or memory), and a table row (SIMD_ROW) binds them to the op:
 *
 *     SIMD_WHOLE(paddb, SIMD_NOCHECK)        whole registers
 *     SIMD_WHOLE(addps, simd_fp_check)       the same; FP exceptions are looked at before the result is committed
 *     SIMD_SCALAR(addss, 4, simd_fp_check)   the low element, from memory 4 bytes; never 256 bits
 *     SIMD_WIDEN(pmovsxbw, 8, SIMD_NOCHECK)  a source lane is 8 bytes
 *     SIMD_MMX_HANDLER(paddb, MMX_LOW, 8)    the MMX form besides
 *
 * Legacy: dst = op(dst, src), upper lane kept. VEX: dst = op(vvvv, src), upper lane computed (VEX.L) or zeroed.
 * Operations of one operand ignore a. Memory is read before any register is written. 16-byte operands of legacy
 * instructions must be aligned: #GP(0).
 */
#ifndef TARGET_X86_INTERP_SIMD_H
#define TARGET_X86_INTERP_SIMD_H

#include "target/x86/fp.h"
#include "target/x86/interp/handler.h"
#include "target/x86/interp/simd_fp_host.h"
#include "target/x86/interp/simd_host.h"

/* The lanes of a register: lo(n) is XMMn, hi(n) the upper half of YMMn */
#define LO(n) (*(v128 *)&cpu->vec[n].q[0])
#define HI(n) (*(v128 *)&cpu->vec[n].q[2])
#define V128_ZERO ((v128){ 0, 0 })

/*
 * Memory
 */
/** simd_ld_slow() - @len (1..32) bytes over a TLB miss or a page boundary: they are in cpu->rmw_buf afterwards */
const void *simd_ld_slow(struct x86_cpu *cpu, const struct x86_rec *r, uint64_t la, unsigned len) __attribute__((cold));
/** simd_st_slow() - store @len bytes of @lo, @hi */
void simd_st_slow(struct x86_cpu *cpu, const struct x86_rec *r, uint64_t la, unsigned len, v128 lo, v128 hi)
    __attribute__((cold));
/** simd_gp() - #GP(0): a misaligned operand */
void simd_gp(struct x86_cpu *cpu, const struct x86_rec *r) __attribute__((noreturn, cold));

/** simd_host() - host address of @len bytes of guest memory to read; good until the next access */
SIMD_INLINE const void *simd_host(struct x86_cpu *cpu, const struct x86_rec *r, uint64_t la, unsigned len)
{
    const struct x86_tlb_entry *e = mem_tlb(cpu, la);

    if (unlikely(e->rtag != ((la + len - 1) & ~0xFFFULL))) {
        return simd_ld_slow(cpu, r, la, len);
    }
    host_before_load();
    return (const void *)(uintptr_t)(la + e->addend);
}

SIMD_INLINE v128 mem_ld128(struct x86_cpu *cpu, const struct x86_rec *r, uint64_t la)
{
    return *(const v128_u *)simd_host(cpu, r, la, 16);
}

SIMD_INLINE void mem_st128(struct x86_cpu *cpu, const struct x86_rec *r, uint64_t la, v128 v)
{
    const struct x86_tlb_entry *e = mem_tlb(cpu, la);

    if (unlikely(e->wtag != ((la + 15) & ~0xFFFULL))) {
        simd_st_slow(cpu, r, la, 16, v, V128_ZERO);
        return;
    }
    host_before_store();
    *(v128_u *)(uintptr_t)(la + e->addend) = v;
}

SIMD_INLINE void mem_st256(struct x86_cpu *cpu, const struct x86_rec *r, uint64_t la, v128 lo, v128 hi)
{
    const struct x86_tlb_entry *e = mem_tlb(cpu, la);

    if (unlikely(e->wtag != ((la + 31) & ~0xFFFULL))) {
        simd_st_slow(cpu, r, la, 32, lo, hi);
        return;
    }
    host_before_store();
    *(v128_u *)(uintptr_t)(la + e->addend) = lo;
    *(v128_u *)(uintptr_t)(la + e->addend + 16) = hi;
}

/** simd_align() - legacy and aligned-move operands */
SIMD_INLINE uint64_t simd_align(struct x86_cpu *cpu, const struct x86_rec *r, uint64_t la, unsigned len)
{
    if (unlikely(la & (len - 1))) {
        simd_gp(cpu, r);
    }
    return la;
}

/** simd_m128() - the 16-byte memory operand of a legacy instruction */
SIMD_INLINE v128 simd_m128(struct x86_cpu *cpu, const struct x86_rec *r)
{
    return mem_ld128(cpu, r, simd_align(cpu, r, rec_la(cpu, r, 16, false), 16));
}

/** simd_mn() - a memory operand of 1, 2, 4, 8 bytes, zero extended, or 16 unaligned */
SIMD_INLINE v128 simd_mn(struct x86_cpu *cpu, const struct x86_rec *r, unsigned len)
{
    uint64_t la = rec_la(cpu, r, len, false);

    switch (len) {
    case 1:
        return (v128){ mem_ld8(cpu, r, la), 0 };
    case 2:
        return (v128){ mem_ld16(cpu, r, la), 0 };
    case 4:
        return (v128){ mem_ld32(cpu, r, la), 0 };
    case 8:
        return (v128){ mem_ld64(cpu, r, la), 0 };
    default:
        return mem_ld128(cpu, r, la);
    }
}

/**
 * simd_src() - the rm operand, @len bytes of it when in memory (16 and 32: no alignment wanted): host address of its
 * lanes
 */
SIMD_INLINE const v128_u *simd_src(struct x86_cpu *cpu, const struct x86_rec *r, unsigned len)
{
    return r->flags & REC_MEM ? simd_host(cpu, r, rec_la(cpu, r, len, false), len) : (const void *)&cpu->vec[r->rm];
}

/**
 * simd_rm() - the rm operand of an XMM instruction whose memory operand has @len bytes; @aligned: legacy 16-byte rule
 */
SIMD_INLINE v128 simd_rm(struct x86_cpu *cpu, const struct x86_rec *r, unsigned len, bool aligned)
{
    if (!(r->flags & REC_MEM)) {
        return LO(r->rm);
    }
    return aligned && len == 16 && !(r->flags & REC_VEX) ? simd_m128(cpu, r) : simd_mn(cpu, r, len);
}

/** simd_put() - result of an XMM instruction: VEX zeroes the upper lane */
SIMD_INLINE void simd_put(struct x86_cpu *cpu, const struct x86_rec *r, v128 v)
{
    LO(r->reg) = v;
    if (r->flags & REC_VEX) {
        HI(r->reg) = V128_ZERO;
    }
}

/** simd_src1() - first source: vvvv under VEX, the destination otherwise */
SIMD_INLINE v128 simd_src1(struct x86_cpu *cpu, const struct x86_rec *r)
{
    return LO(r->flags & REC_VEX ? r->vvvv : r->reg);
}

/*
 * SIMD floating-point exceptions (SDM vol. 1, 11.5). With all masked, flags just gather in the host's MXCSR.
 */
/**
 * simd_fp_unmasked() - move the flags of this instruction to cpu->fpu.mxcsr; raises #XM (#UD) when one is unmasked
 * @lo, @hi: its result, not committed yet
 */
void simd_fp_unmasked(struct x86_cpu *cpu, const struct x86_rec *r, v128 lo, v128 hi) __attribute__((cold));

SIMD_INLINE void simd_fp_check(struct x86_cpu *cpu, const struct x86_rec *r, v128 lo, v128 hi)
{
    if (unlikely((cpu->fpu.mxcsr & MXCSR_MASKS) != MXCSR_MASKS)) {
        simd_fp_unmasked(cpu, r, lo, hi);
    }
}

/*
 * MMX: any instruction but EMMS first waits for x87 exceptions, then makes all registers valid and TOP 0 (SDM vol. 1,
 * 9.5)
 */
/** simd_mmx_mf() - a pending x87 exception: #MF, or FERR# and go on */
void simd_mmx_mf(struct x86_cpu *cpu, const struct x86_rec *r) __attribute__((cold));

SIMD_INLINE void mmx_wait(struct x86_cpu *cpu, const struct x86_rec *r)
{
    if (unlikely(cpu->fpu.fsw & 0x80)) {
        simd_mmx_mf(cpu, r);
    }
}

SIMD_INLINE void mmx_use(struct x86_cpu *cpu)
{
    cpu->fpu.top = 0;
    cpu->fpu.ftw = 0xFF;
}

SIMD_INLINE void mmx_put(struct x86_cpu *cpu, unsigned n, uint64_t v)
{
    mmx_use(cpu);
    cpu->fpu.r[n & 7].m = v;
    cpu->fpu.r[n & 7].se = 0xFFFF;
}

#define MMX(n) cpu->fpu.r[(n) & 7].m

SIMD_INLINE uint64_t mmx_rm(struct x86_cpu *cpu, const struct x86_rec *r, unsigned len)
{
    if (!(r->flags & REC_MEM)) {
        return MMX(r->rm);
    }
    return len == 4 ? mem_ld32(cpu, r, rec_la(cpu, r, 4, false)) : mem_ld64(cpu, r, rec_la(cpu, r, 8, false));
}

/* How an MMX operation uses the lane function */
#define MMX_LOW(f, a, b, imm)   f((v128){ (a), 0 }, (v128){ (b), 0 }, imm)[0]
/* both operands side by side: packs and horizontal operations */
#define MMX_PAIR(f, a, b, imm)  f((v128){ (a), (b) }, (v128){ (a), (b) }, imm)[0]

#define SIMD_IMM (r->imm32 & 0xFF)

/* A row of a bind table */
struct simd_row {
    uint16_t op;
    x86_handler *mmx, *reg, *mem, *vex;
};
x86_handler *simd_bind_row(const struct simd_row *rows, unsigned n, const struct x86_rec *r);

/* One table in each source file */
x86_handler *simd_bind_int(const struct x86_rec *r);
x86_handler *simd_bind_move(const struct x86_rec *r);
x86_handler *simd_bind_fp(const struct x86_rec *r);
x86_handler *simd_bind_cvt(const struct x86_rec *r);
x86_handler *simd_bind_misc(const struct x86_rec *r);
x86_handler *simd_bind_str(const struct x86_rec *r);
x86_handler *simd_bind_crypto(const struct x86_rec *r);
x86_handler *simd_bind_avx(const struct x86_rec *r);
x86_handler *simd_bind_avxmem(const struct x86_rec *r);

/*
 * Handler makers
 */
#define SIMD_MMX_HANDLER(n, how, len)                                                                                  \
    static X86_OP(n##_mmx)                                                                                             \
    {                                                                                                                  \
        uint64_t s;                                                                                                    \
                                                                                                                       \
        mmx_wait(cpu, r);                                                                                              \
        s = mmx_rm(cpu, r, len);                                                                                       \
        mmx_put(cpu, r->reg, how(pv_##n, MMX(r->reg), s, SIMD_IMM));                                                   \
        X86_NEXT;                                                                                                      \
    }

/* Whole registers. CHECK: simd_fp_check or nothing */
#define SIMD_NOCHECK(cpu, r, lo, hi)
#define SIMD_WHOLE(n, CHECK)                                                                                           \
    static X86_OP(n##_r)                                                                                               \
    {                                                                                                                  \
        v128 d = pv_##n(LO(r->reg), LO(r->rm), SIMD_IMM);                                                              \
                                                                                                                       \
        CHECK(cpu, r, d, d);                                                                                           \
        LO(r->reg) = d;                                                                                                \
        X86_NEXT;                                                                                                      \
    }                                                                                                                  \
    static X86_OP(n##_m)                                                                                               \
    {                                                                                                                  \
        v128 s = simd_m128(cpu, r);                                                                                    \
        v128 d = pv_##n(LO(r->reg), s, SIMD_IMM);                                                                      \
                                                                                                                       \
        CHECK(cpu, r, d, d);                                                                                           \
        LO(r->reg) = d;                                                                                                \
        X86_NEXT;                                                                                                      \
    }                                                                                                                  \
    static X86_OP(n##_v)                                                                                               \
    {                                                                                                                  \
        const v128_u *s = simd_src(cpu, r, r->flags & REC_VEX_L ? 32 : 16);                                            \
        v128 hi = V128_ZERO;                                                                                           \
        v128 lo = pv_##n(LO(r->vvvv), s[0], SIMD_IMM);                                                                 \
                                                                                                                       \
        if (r->flags & REC_VEX_L) {                                                                                    \
            hi = pv_##n(HI(r->vvvv), s[1], SIMD_HI_IMM);                                                               \
        }                                                                                                              \
        CHECK(cpu, r, lo, hi);                                                                                         \
        LO(r->reg) = lo;                                                                                               \
        HI(r->reg) = hi;                                                                                               \
        X86_NEXT;                                                                                                      \
    }
/* the immediate of the upper lane; a file redefines it around operations whose bits go on there */
#define SIMD_HI_IMM SIMD_IMM

/* The low element; the rest is the first source's */
#define SIMD_SCALAR(n, len, CHECK)                                                                                     \
    static X86_OP(n##_r)                                                                                               \
    {                                                                                                                  \
        v128 d = pv_##n(LO(r->reg), LO(r->rm), SIMD_IMM);                                                              \
                                                                                                                       \
        CHECK(cpu, r, d, d);                                                                                           \
        LO(r->reg) = d;                                                                                                \
        X86_NEXT;                                                                                                      \
    }                                                                                                                  \
    static X86_OP(n##_m)                                                                                               \
    {                                                                                                                  \
        v128 s = simd_mn(cpu, r, len);                                                                                 \
        v128 d = pv_##n(LO(r->reg), s, SIMD_IMM);                                                                      \
                                                                                                                       \
        CHECK(cpu, r, d, d);                                                                                           \
        LO(r->reg) = d;                                                                                                \
        X86_NEXT;                                                                                                      \
    }                                                                                                                  \
    static X86_OP(n##_v)                                                                                               \
    {                                                                                                                  \
        v128 s = simd_rm(cpu, r, len, false);                                                                          \
        v128 d = pv_##n(LO(r->vvvv), s, SIMD_IMM);                                                                     \
                                                                                                                       \
        CHECK(cpu, r, d, d);                                                                                           \
        LO(r->reg) = d;                                                                                                \
        HI(r->reg) = V128_ZERO;                                                                                        \
        X86_NEXT;                                                                                                      \
    }

/* Widening: len source bytes make 16; VEX.256 takes twice as many */
#define SIMD_WIDEN(n, len, CHECK)                                                                                      \
    static X86_OP(n##_r)                                                                                               \
    {                                                                                                                  \
        v128 d = pv_##n(LO(r->reg), LO(r->rm), SIMD_IMM);                                                              \
                                                                                                                       \
        CHECK(cpu, r, d, d);                                                                                           \
        simd_put(cpu, r, d);                                                                                           \
        X86_NEXT;                                                                                                      \
    }                                                                                                                  \
    static X86_OP(n##_m)                                                                                               \
    {                                                                                                                  \
        v128 s = simd_mn(cpu, r, len);                                                                                 \
        v128 d = pv_##n(LO(r->reg), s, SIMD_IMM);                                                                      \
                                                                                                                       \
        CHECK(cpu, r, d, d);                                                                                           \
        simd_put(cpu, r, d);                                                                                           \
        X86_NEXT;                                                                                                      \
    }                                                                                                                  \
    static X86_OP(n##_v)                                                                                               \
    {                                                                                                                  \
        v128 s, lo, hi = V128_ZERO;                                                                                    \
                                                                                                                       \
        s = simd_rm(cpu, r, r->flags & REC_VEX_L ? 2 * (len) : (len), false);                                          \
        lo = pv_##n(V128_ZERO, s, SIMD_IMM);                                                                           \
        if (r->flags & REC_VEX_L) {                                                                                    \
            hi = pv_##n(V128_ZERO, lane_shr(s, len), SIMD_IMM);                                                        \
        }                                                                                                              \
        CHECK(cpu, r, lo, hi);                                                                                         \
        LO(r->reg) = lo;                                                                                               \
        HI(r->reg) = hi;                                                                                               \
        X86_NEXT;                                                                                                      \
    }

#define SIMD_ROW(OP, n)         { OP_##OP, NULL, x86_##n##_r, x86_##n##_m, x86_##n##_v }
#define SIMD_ROW_MMX(OP, n)     { OP_##OP, x86_##n##_mmx, x86_##n##_r, x86_##n##_m, x86_##n##_v }
#define SIMD_ROW_ONE(OP, h)     { OP_##OP, x86_##h, x86_##h, x86_##h, x86_##h }

#endif
