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
 * Blocks that were decoded from them die; the running one too: it is left at the next record. RAM_CODE is dropped
 * after some stores that hit nothing; then the page may get a write tag at its next miss.
 * Return: some block died
 */
bool x86_smc_store(struct x86_cpu *cpu, struct ram_block *ram, uint64_t off, uint64_t len);
/**
 * x86_smc_beside() - a store to these bytes, all in one page with RAM_CODE set, would hit no decoded code of any CPU
 * To be followed by that store. What x86_smc_store() counts is counted here, and the page may lose its blocks over it.
 */
bool x86_smc_beside(struct x86_cpu *cpu, struct ram_block *ram, uint64_t off, unsigned len);

#endif
