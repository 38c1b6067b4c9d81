/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/interp/handler.h - how a handler is written
 *
 *     X86_OP(movzx_r32_m8) { uint32_t v = mem_ld8(cpu, r, la64(cpu, r)); REG64(r->reg) = v; X86_NEXT; }
 *
 * X86_NEXT goes on with the record behind this one. In optimised builds it is a sibling call, which the compiler
 * emits as a jump (handlers must not hand out addresses of locals, or it cannot); elsewhere the handler returns and a
 * loop goes on.
 */
#ifndef TARGET_X86_INTERP_HANDLER_H
#define TARGET_X86_INTERP_HANDLER_H

#include "target/x86/access.h"
#include "target/x86/excp.h"
#include "target/x86/flags.h"
#include "target/x86/ops.h"

#if defined(__OPTIMIZE__) && !defined(__SANITIZE_ADDRESS__) && !defined(X86_NO_SIBCALL)
#define X86_GO(cpu, next) return (next)->fn((cpu), (next))
#else
#define X86_GO(cpu, next) return (next)
#endif

#define X86_OP(name) const struct x86_rec *x86_##name(struct x86_cpu *cpu, const struct x86_rec *r)
#define X86_NEXT X86_GO(cpu, r + 1)

/* General registers by byte offset (rec.h). Writing 32 bits clears the upper half: use REG64(x) = (uint32_t)v. */
#define REG8(o)  (*(uint8_t *)((char *)cpu->regs + (o)))
#define REG16(o) (*(uint16_t *)((char *)cpu->regs + (o)))
#define REG32(o) (*(uint32_t *)((char *)cpu->regs + (o)))
#define REG64(o) (*(uint64_t *)((char *)cpu->regs + (o)))

/*
 * Handler tables. Each source file of handlers gives a bind function for the ops it implements: it returns the
 * handler for the record (looking at op, form, size, flags), or NULL when the op is not its own. x86_bind() asks them
 * in turn at decode time, so speed does not matter there.
 */
x86_handler *x86_bind_int(const struct x86_rec *r, uint32_t mode);      /* interp/int*.c */
x86_handler *x86_bind_string(const struct x86_rec *r, uint32_t mode);   /* interp/string.c */
x86_handler *x86_bind_flow(const struct x86_rec *r, uint32_t mode);     /* interp/flow.c: branches, block ends */
x86_handler *x86_bind_system(const struct x86_rec *r, uint32_t mode);   /* interp/system.c */
x86_handler *x86_bind_fpu(const struct x86_rec *r, uint32_t mode);      /* interp/fpu.c */
x86_handler *x86_bind_simd(const struct x86_rec *r, uint32_t mode);     /* interp/simd_*.c */

/*
 * x86_leave() - end the block after an instruction that changed what blocks depend on (mode, mapping, interrupts):
 * RIP is set to the instruction behind @r, and the engine looks everything up afresh. Handlers of such
 * instructions (their ops are block enders in ops.h) finish with: return x86_leave(cpu, r);
 */
const struct x86_rec *x86_leave(struct x86_cpu *cpu, const struct x86_rec *r);
/** x86_leave_to() - the same with RIP already set (far transfers, IRET, SYSCALL) */
const struct x86_rec *x86_leave_to(struct x86_cpu *cpu);

#endif
