/* SPDX-License-Identifier: BSD-2-Clause */
/* target/x86/jit/link.h - links between blocks, and the jump cache */
#ifndef TARGET_X86_JIT_LINK_H
#define TARGET_X86_JIT_LINK_H

#include "target/x86/jit/jit_int.h"

/** jit_link() - @x may go straight to @to from now on, if that is possible at all; @gen: generation of the mapping (cross-page edges) */
void jit_link(struct x86_cpu *cpu, struct jit_exit *x, struct x86_block *to, uint32_t gen);
/** jit_relink() - @x is linked, but no longer to the right block: undo */
void jit_relink(struct x86_cpu *cpu, struct jit_exit *x);
/** jit_jc_at() - where the jump cache has linear address @la, if it has */
static inline struct x86_jit_jc *jit_jc_at(struct x86_cpu *cpu, uint64_t la)
{
    return &cpu->jf.jc[((uint32_t)la ^ (uint32_t)la >> 12) & ((1u << JIT_JC_BITS) - 1)];
}
/** jit_jc_fill() - code for linear address @la, good while jf.gen of its kind is @gen */
void jit_jc_fill(struct x86_cpu *cpu, uint64_t la, uint32_t gen, uintptr_t code);

#endif
