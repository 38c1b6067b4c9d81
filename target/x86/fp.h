/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/fp.h - the floating-point environment of a vCPU thread
 *
 * While a vCPU thread is inside x86_cpu_run(), the host's MXCSR and x87 control word are the guest's with every
 * exception masked (the x87 word keeps its masks: fpu_host.h), so that the host's instructions give the guest's
 * results, NaNs, denormals and flags. Sticky flags gather in the host's MXCSR; x86_fp_sync() moves them to
 * cpu->fpu.mxcsr. Invariants between instructions, inside a run:
 * - the host's x87 stack is empty, and its flags are a subset of the guest's, none of them unmasked;
 * - when the guest has unmasked an SSE exception, the host's MXCSR has no flag set.
 */
#ifndef TARGET_X86_FP_H
#define TARGET_X86_FP_H

#include "target/x86/state.h"

enum {
    MXCSR_IE = 1 << 0, MXCSR_DE = 1 << 1, MXCSR_ZE = 1 << 2, MXCSR_OE = 1 << 3, MXCSR_UE = 1 << 4, MXCSR_PE = 1 << 5,
    MXCSR_FLAGS = 0x3F, MXCSR_DAZ = 1 << 6, MXCSR_MASKS = 0x1F80, MXCSR_RC = 3 << 13, MXCSR_FTZ = 1 << 15,
    MXCSR_RESET = 0x1F80, MXCSR_VALID = 0xFFFF,     /* MXCSR_MASK of FXSAVE */
};

/* Bits of x86_fpu.ptr_rule: which instructions record x87 pointers besides those with an unmasked exception */
enum {
    X87_FIP_ALWAYS = 1 << 0,    /* FIP: every non-control instruction (Intel) */
    X87_FDP_ALWAYS = 1 << 1,    /* FDP: every one with a memory operand (Intel without FDP_EXCPTN_ONLY) */
    X87_NO_SELECTORS = 1 << 2,  /* FCS and FDS are stored as zero (ZERO_FCS_FDS) */
};

/**
 * x86_fp_enter() - load the guest's environment into the host; first thing in x86_cpu_run(); not again after a
 * siglongjmp()
 */
void x86_fp_enter(struct x86_cpu *cpu);
/** x86_fp_leave() - sync flags, then the C environment again; on every way out of x86_cpu_run() */
void x86_fp_leave(struct x86_cpu *cpu);
/** x86_fp_sync() - bring cpu->fpu.mxcsr up to date (flags that the host gathered); inside a run only */
void x86_fp_sync(struct x86_cpu *cpu);
/** x86_mxcsr_set() - a new MXCSR; inside a run only. @v has no reserved bit set */
void x86_mxcsr_set(struct x86_cpu *cpu, uint32_t v);

/** x86_fpu_reset() - x87, MMX, SSE and AVX state at power-up or RESET; outside a run. INIT leaves all of it alone */
void x86_fpu_reset(struct x86_cpu *cpu);

/*
 * Device models are C code like any other: they get the environment that the ABI promises. Only what differs is
 * loaded, and most guests differ in nothing.
 */
struct x86_fp_host {
    uint32_t mxcsr;
    uint16_t fcw;
};

/** x86_fp_device_begin() - before a device model is called; @h keeps what x86_fp_device_end() puts back */
static inline void x86_fp_device_begin(struct x86_fp_host *h)
{
#ifdef __x86_64__
    static const struct x86_fp_host c = { MXCSR_RESET, 0x37F };

    __asm__ volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(h->mxcsr), "=m"(h->fcw));
    if (__builtin_expect((h->mxcsr & ~(uint32_t)MXCSR_FLAGS) != c.mxcsr, 0)) {
        __asm__ volatile("ldmxcsr %0" : : "m"(c.mxcsr));
    }
    if (__builtin_expect(h->fcw != c.fcw, 0)) {
        __asm__ volatile("fldcw %0" : : "m"(c.fcw));
    }
#endif
}

static inline void x86_fp_device_end(const struct x86_fp_host *h)
{
#ifdef __x86_64__
    __asm__ volatile("ldmxcsr %0" : : "m"(h->mxcsr));
    if (__builtin_expect(h->fcw != 0x37F, 0)) {
        __asm__ volatile("fldcw %0" : : "m"(h->fcw));
    }
#endif
}

/** x86_fp_mode() - MODE_XM, MODE_XF */
static inline uint32_t x86_fp_mode(const struct x86_cpu *cpu)
{
    return ((cpu->fpu.mxcsr & MXCSR_MASKS) != MXCSR_MASKS ? MODE_XM : 0) | ((cpu->fpu.fcw & 0x3F) != 0x3F ? MODE_XF : 0);
}

#endif
