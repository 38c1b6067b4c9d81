/* SPDX-License-Identifier: BSD-2-Clause */
/* target/x86/interp/sysops.h - pieces that the system instructions' handlers share */
#ifndef TARGET_X86_INTERP_SYSOPS_H
#define TARGET_X86_INTERP_SYSOPS_H

#include "target/x86/control.h"
#include "target/x86/debug.h"
#include "target/x86/interp/fast.h"
#include "target/x86/seg.h"

/*
 * For what hands out the address of a local: inlined into a handler it would keep the handler's frame alive, and the
 * jump to the next handler would become a call.
 */
#define OUT_OF_LINE __attribute__((noinline))

x86_handler *x86_bind_far(const struct x86_rec *r);         /* interp/far_ops.c */
x86_handler *x86_bind_seg(const struct x86_rec *r);         /* interp/seg_ops.c */
x86_handler *x86_bind_control(const struct x86_rec *r);     /* interp/control_ops.c */
x86_handler *x86_bind_system_misc(const struct x86_rec *r); /* interp/system.c */
x86_handler *x86_bind_io(const struct x86_rec *r);          /* interp/io_ops.c */

static inline void __attribute__((noreturn)) op_gp0(struct x86_cpu *cpu, const struct x86_rec *r)
{
    x86_raise_err(cpu, r, EXC_GP, 0);
}

/* #GP(0) unless CPL is 0 */
static inline void need_cpl0(struct x86_cpu *cpu, const struct x86_rec *r)
{
    cpu->cur = r;
    if (unlikely(cpu->cpl != 0)) {
        op_gp0(cpu, r);
    }
}

/* RIP behind the instruction */
static inline uint64_t op_next(const struct x86_cpu *cpu, const struct x86_rec *r)
{
    uint64_t ip = cpu->regs[REG_RIP] + r->off + r->len;

    return cpu->mode & MODE_64 ? ip : (uint32_t)ip;
}

/* A 16-bit source operand: register or memory */
static inline uint16_t op_ld16(struct x86_cpu *cpu, const struct x86_rec *r)
{
    return r->flags & REC_MEM ? mem_ld16(cpu, r, rec_la(cpu, r, 2, false)) : REG16(r->rm);
}

/* A 16-bit value to memory, or zero-extended to the operand size in a register */
static inline void op_st16(struct x86_cpu *cpu, const struct x86_rec *r, uint64_t v)
{
    if (r->flags & REC_MEM) {
        mem_st16(cpu, r, rec_la(cpu, r, 2, true), (uint16_t)v);
    } else {
        reg_set(cpu, r->rm, r->size, v);
    }
}

/* Control goes elsewhere: RIP, CS and the mode are set */
static inline const struct x86_rec *op_gone(struct x86_cpu *cpu, const struct x86_rec *r)
{
    cpu->icount += tail_of(r)->n;
    return x86_leave_to(cpu);
}

#endif
