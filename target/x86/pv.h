/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/pv.h - what a guest kernel asks its hypervisor for, in the words of KVM: clock pages and hypercalls
 *
 * Linux: Documentation/virt/kvm/x86/{cpuid,msr,hypercalls}.rst. PV-EOI is the local APIC's (hw/intc/apic_pv.c).
 */
#ifndef TARGET_X86_PV_H
#define TARGET_X86_PV_H

#include "target/x86/state.h"

#define MSR_KVM_WALL_CLOCK_OLD  0x11u
#define MSR_KVM_SYSTEM_TIME_OLD 0x12u
#define MSR_KVM_WALL_CLOCK      0x4B564D00u
#define MSR_KVM_SYSTEM_TIME     0x4B564D01u
#define MSR_KVM_PV_EOI          0x4B564D04u

/** x86_pv_rdmsr()/x86_pv_wrmsr() - the clock registers; false: not one of them, or not offered */
bool x86_pv_rdmsr(const struct x86_cpu *cpu, uint32_t msr, uint64_t *v);
bool x86_pv_wrmsr(struct x86_cpu *cpu, uint32_t msr, uint64_t v);
/** x86_pv_tsc_changed() - the guest has moved its TSC: the clock page is written anew */
void x86_pv_tsc_changed(struct x86_cpu *cpu);
/** x86_pv_reset() - no page is shared any more */
void x86_pv_reset(struct x86_cpu *cpu);
/** x86_pv_leaf() - CPUID 4000_0001h and up, behind KVM's signature */
struct x86_cpuid_regs x86_pv_leaf(const struct x86_cpu *cpu, uint32_t leaf);
/** x86_pv_hypercall() - VMCALL, VMMCALL: the new RAX */
uint64_t x86_pv_hypercall(const struct x86_cpu *cpu, uint64_t nr);

#endif
