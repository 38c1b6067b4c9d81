/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/debug.h - debug registers and single step (SDM vol. 3, chapter 17)
 *
 * While DR7 enables any breakpoint, or EFLAGS.TF is set, the mode has MODE_STEP: blocks of one instruction. The run
 * loop then brackets each instruction: x86_step_before(), the block, x86_step_after(). Pages with data breakpoints get
 * no TLB tags, so every access to them passes x86_db_access(), which notes the hit; the trap is taken after the
 * instruction.
 */
#ifndef TARGET_X86_DEBUG_H
#define TARGET_X86_DEBUG_H

#include "target/x86/state.h"
#include "lib/bits.h"

enum { DR6_BD = 1 << 13, DR6_BS = 1 << 14, DR6_BT = 1 << 15, DR7_GD = 1 << 13, DR7_ENABLE = 0xFF };
#define DR6_FIXED 0xFFFF0FF0u
#define DR7_FIXED 0x400u

/**
 * x86_step_before() - MODE_STEP: before the instruction at regs[REG_RIP]; raises #DB for a code breakpoint, consumes
 * EFLAGS.RF
 */
void x86_step_before(struct x86_cpu *cpu);
/**
 * x86_step_after() - MODE_STEP: after an instruction that completed (regs[REG_RIP] is the next one)
 * @tf: EFLAGS.TF as it was before it. Delivers #DB for the step and for data breakpoints; not behind MOV SS (it stays
 * pending for one more instruction)
 */
void x86_step_after(struct x86_cpu *cpu, bool tf);

bool x86_db_page_slow(const struct x86_cpu *cpu, uint64_t page);
void x86_db_access_slow(struct x86_cpu *cpu, uint64_t la, unsigned len, bool write);
/** x86_db_io() - an I/O access to @port (CR4.DE) */
void x86_db_io(struct x86_cpu *cpu, uint16_t port, unsigned len);

/** x86_db_page() - does @page hold a data breakpoint */
static inline bool x86_db_page(const struct x86_cpu *cpu, uint64_t page)
{
    return unlikely(cpu->dr[7] & DR7_ENABLE) && x86_db_page_slow(cpu, page);
}

static inline void x86_db_access(struct x86_cpu *cpu, uint64_t la, unsigned len, bool write)
{
    if (unlikely(cpu->dr[7] & DR7_ENABLE)) {
        x86_db_access_slow(cpu, la, len, write);
    }
}

/** x86_dr_write() - MOV DRn; checks are done. DR4 and DR5 are aliases that the caller has resolved */
void x86_dr_write(struct x86_cpu *cpu, unsigned n, uint64_t v);

#endif
