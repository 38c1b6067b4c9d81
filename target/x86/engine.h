/* SPDX-License-Identifier: BSD-2-Clause */
/* target/x86/engine.h - what the rest of the CPU calls in the block cache (target/x86/interp/) */
#ifndef TARGET_X86_ENGINE_H
#define TARGET_X86_ENGINE_H

#include "target/x86/state.h"

struct x86_engine *x86_engine_new(void);
void x86_engine_free(struct x86_engine *e);
void x86_engine_print_stats(struct x86_cpu *cpu, GString *out);

/**
 * x86_smc_store() - the vCPU thread itself has stored to a page with RAM_CODE set; call it after the bytes are in place
 * Blocks that were decoded from them die; the running one too: it is left at the next record. RAM_CODE is dropped when
 * nothing decoded is left of the page, so the caller may give the page a write tag at its next miss.
 * Return: some block died
 */
bool x86_smc_store(struct x86_cpu *cpu, struct ram_block *ram, uint64_t off, uint64_t len);

#endif
