/* SPDX-License-Identifier: BSD-2-Clause */
/* target/x86/jit/check.h - check=on: blocks run in the interpreter too (check.c) */
#ifndef TARGET_X86_JIT_CHECK_H
#define TARGET_X86_JIT_CHECK_H

#include "target/x86/jit/jit_int.h"

struct jit_check *jit_check_new(void);
void jit_check_free(struct jit_check *c);

/** jit_check_due() - is this run of @b one of those that are compared? */
bool jit_check_due(struct x86_cpu *cpu, struct x86_block *b);
/**
 * jit_check_run() - run block @b, at regs[REG_RIP], in the interpreter, take that back, run its translation, and
 * compare A difference is printed and ends the program. Return: the exit that the translation took, cpu as it left
 * it, with plain flags; NULL: nothing has been run, @b cannot be compared this time and may even be dead
 */
struct jit_exit *jit_check_run(struct x86_cpu *cpu, struct x86_block *b);
void jit_check_print_stats(const struct jit_check *c, GString *out);

#endif
