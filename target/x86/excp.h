/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/excp.h - raising and delivering exceptions and interrupts (SDM vol. 3, chapter 6)
 *
 * A handler that finds a fault calls x86_raise*(): it does not return. All memory accesses of an instruction come
 * before its register writes, so that nothing has to be undone. The saved RIP is that of cpu->cur (faults) unless the
 * vector is a trap.
 */
#ifndef TARGET_X86_EXCP_H
#define TARGET_X86_EXCP_H

#include "target/x86/state.h"

/** x86_raise() - a fault without error code at record @r (NULL: cpu->cur is already right) */
void x86_raise(struct x86_cpu *cpu, const struct x86_rec *r, unsigned vec) __attribute__((noreturn, cold));
/** x86_raise_err() - with an error code */
void x86_raise_err(struct x86_cpu *cpu, const struct x86_rec *r, unsigned vec, uint32_t err)
    __attribute__((noreturn, cold));
/** x86_raise_pf() - page fault: CR2 = @la, @err as SDM vol. 3, 4.7 */
void x86_raise_pf(struct x86_cpu *cpu, const struct x86_rec *r, uint64_t la, uint32_t err)
    __attribute__((noreturn, cold));

enum x86_deliver_kind { DELIVER_EXC, DELIVER_SOFT, DELIVER_HW };
/**
 * x86_deliver() - take vector @vec now: cpu->regs[REG_RIP] is the RIP to save. May itself raise (double fault logic
 * inside)
 */
void x86_deliver(struct x86_cpu *cpu, unsigned vec, bool has_err, uint32_t err,
                 enum x86_deliver_kind kind);

/**
 * x86_deliver_raised() - after the jump of x86_raise*(): RIP becomes that of the instruction at fault, cpu->exc is
 * delivered Double and triple fault logic is here. May raise again; on a triple fault cpu->shutdown is set.
 */
void x86_deliver_raised(struct x86_cpu *cpu);
/**
 * x86_soft_int() - INT n, INT3, INTO at record @r: the saved RIP is the next instruction's, a fault in delivery is at
 * @r itself. @opcode_cd: INT n (VM86 rules)
 */
void x86_soft_int(struct x86_cpu *cpu, const struct x86_rec *r, unsigned vec, bool opcode_cd);

#endif
