/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * softmmu/vcpu.h - the threads that run CPUs
 *
 * One thread a CPU. It runs guest code while the machine runs and nothing has asked it to stand still; it sleeps while
 * the CPU is halted with nothing to do. Main thread, machine lock held, unless marked otherwise.
 */
#ifndef SOFTMMU_VCPU_H
#define SOFTMMU_VCPU_H

#include "target/x86/cpu.h"

/** vcpus_start() - threads for @n CPUs; they stand still until runstate_set(RUN_STATE_RUNNING) */
void vcpus_start(struct x86_cpu *const *cpus, unsigned n);
/** vcpus_stop() - ends the threads; afterwards the CPUs may be freed */
void vcpus_stop(void);
unsigned vcpus_count(void);
struct x86_cpu *vcpu_get(unsigned n);
/** vcpu_thread_id() - kernel thread id, for query-cpus-fast */
int vcpu_thread_id(unsigned n);

#endif
