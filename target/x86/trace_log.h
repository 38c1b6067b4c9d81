/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/trace_log.h - what -d shows of the engine: code as it is decoded and translated, blocks, events, transfers
 *
 * The callers test cpu->log_mask first (x86_logs()), in cold code only: a block that is decoded, translated, or entered
 * by way of the engine, an event that is delivered. x86_cpu_set_log() drops all blocks, so that what is switched on
 * later sees them made anew. vCPU thread. Nothing here is rate limited: who asks for a trace wants all of it.
 */
#ifndef TARGET_X86_TRACE_LOG_H
#define TARGET_X86_TRACE_LOG_H

#include "target/x86/state.h"
#include <stddef.h>

/** x86_logs() - is one of X86_LOG_* in @bits on */
static inline bool x86_logs(const struct x86_cpu *cpu, uint32_t bits)
{
    return __builtin_expect((__atomic_load_n(&cpu->log_mask, __ATOMIC_RELAXED) & bits) != 0, 0);
}

/**
 * x86_log_block() - X86_LOG_IN_ASM and X86_LOG_OP: a block has been decoded
 * @la:    linear address of its first byte
 * @n:     instructions in @recs
 * @bytes: those of the block, or NULL (not all in one place)
 */
void x86_log_block(struct x86_cpu *cpu, uint64_t la, const struct x86_rec *recs, unsigned n, const uint8_t *bytes);
/** x86_log_out_asm() - X86_LOG_OUT_ASM: @len bytes of host code at @host are the translation of the block at @guest_ip */
void x86_log_out_asm(struct x86_cpu *cpu, const void *host, size_t len, uint64_t guest_ip);
/** x86_log_enter() - X86_LOG_EXEC and X86_LOG_CPU: the block at regs[REG_RIP] is about to run */
void x86_log_enter(struct x86_cpu *cpu, uint32_t mode);

/* One event of X86_LOG_INT */
struct x86_log_event {
    unsigned vec;
    bool has_err, soft, hw;     /* INT n and its like; INTR or NMI; neither: exception */
    uint32_t err;
    uint64_t ip;                /* RIP that is saved */
};
void x86_log_int(struct x86_cpu *cpu, const struct x86_log_event *ev);
/** x86_log_far() - X86_LOG_PCALL: @what ("lcall", "lret", "iret"...) goes to @sel:@off; nothing in real mode */
void x86_log_far(struct x86_cpu *cpu, const char *what, uint16_t sel, uint64_t off);
/** x86_log_mmu() - X86_LOG_MMU: a page fault or a flush, in words; @addr: its address, or CR3 */
void x86_log_mmu(struct x86_cpu *cpu, const char *what, uint64_t addr, uint32_t err);
/** x86_log_reset() - X86_LOG_CPU_RESET: the registers as they were before a reset */
void x86_log_reset(struct x86_cpu *cpu);

#endif
