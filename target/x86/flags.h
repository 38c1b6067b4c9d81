/* SPDX-License-Identifier: BSD-2-Clause */
/* target/x86/flags.h - lazy arithmetic flags: evaluate, set, test a condition (state.h, enum x86_cc) */
#ifndef TARGET_X86_FLAGS_H
#define TARGET_X86_FLAGS_H

#include "target/x86/state.h"

/** flags_arith() - CF PF AF ZF SF OF as FL_* bits */
uint32_t flags_arith(const struct x86_cpu *cpu);
/** flags_cond() - condition code 0..15 as in Jcc (SDM vol. 1, appendix B) */
bool flags_cond(const struct x86_cpu *cpu, unsigned cc);

/** flags_get() - the whole EFLAGS register, bit 1 set */
static inline uint32_t flags_get(const struct x86_cpu *cpu)
{
    return (cpu->eflags & ~(uint32_t)FL_ARITH) | flags_arith(cpu) | FL_1;
}

/** flags_set_arith() - the six flags from @bits; the rest of EFLAGS is untouched */
static inline void flags_set_arith(struct x86_cpu *cpu, uint32_t bits)
{
    cpu->cc_op = CC_FLAGS;
    cpu->cc_src = bits & FL_ARITH;
}

/** flags_set() - EFLAGS as a whole; the caller has masked what may change, and calls x86_mode_update() when VM, AC or TF did */
static inline void flags_set(struct x86_cpu *cpu, uint32_t v)
{
    cpu->eflags = (v & ~(uint32_t)FL_ARITH) | FL_1;
    flags_set_arith(cpu, v);
}

#endif
