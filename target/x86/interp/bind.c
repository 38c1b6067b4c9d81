/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/interp/bind.c - which handler runs a record
 *
 * Every source file of handlers knows its own ops; here they are asked in turn. An op that nobody knows behaves as an
 * undefined opcode; NM and GP0 raise what they are named after.
 */
#include "target/x86/interp/fast.h"

static X86_OP(no_handler)
{
    if (r->op == OP_GP0) {
        x86_raise_err(cpu, r, EXC_GP, 0);
    }
    x86_raise(cpu, r, r->op == OP_NM ? EXC_NM : EXC_UD);
}

void x86_bind_one(struct x86_rec *r, uint32_t mode)
{
    x86_handler *fn = x86_bind_int(r, mode);

    fn = fn ? fn : x86_bind_flow(r, mode);
    fn = fn ? fn : x86_bind_string(r, mode);
    fn = fn ? fn : x86_bind_system(r, mode);
    fn = fn ? fn : x86_bind_simd(r, mode);
    fn = fn ? fn : x86_bind_fpu(r, mode);
    r->fn = fn ? fn : x86_no_handler;
}

void x86_bind(struct x86_rec *r, uint32_t mode)
{
    x86_handler *fn = r->flags & REC_LAST ? NULL : x86_bind_fused(r, mode);

    if (fn) {
        r->fn = fn;
    } else {
        x86_bind_one(r, mode);
    }
}
