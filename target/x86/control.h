/* SPDX-License-Identifier: BSD-2-Clause */
/* target/x86/control.h - EFER, MSRs, time stamp counter. The control registers proper are in target/x86/mmu.h */
#ifndef TARGET_X86_CONTROL_H
#define TARGET_X86_CONTROL_H

#include "target/x86/state.h"

/** x86_efer_write() - false: the processor refuses (#GP(0)) */
bool x86_efer_write(struct x86_cpu *cpu, uint64_t v);

/**
 * x86_rdmsr()/x86_wrmsr() - false: no such register, or a value it refuses (#GP(0)). Takes the machine lock for APIC
 * registers
 */
bool x86_rdmsr(struct x86_cpu *cpu, uint32_t msr, uint64_t *v);
bool x86_wrmsr(struct x86_cpu *cpu, uint32_t msr, uint64_t v);


/** x86_random() - bits for RDRAND and RDSEED, from the host kernel */
uint64_t x86_random(struct x86_cpu *cpu);

/** x86_cpu_do_init()/x86_cpu_do_sipi() - INIT and start-up IPI taken; vCPU thread */
void x86_cpu_do_init(struct x86_cpu *cpu);
void x86_cpu_do_sipi(struct x86_cpu *cpu, uint8_t vector);

#endif
