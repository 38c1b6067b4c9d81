/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/interp/bind.c - which handler runs a record
 *
 * Every source file of handlers knows its own ops; here they are asked in turn. An op that nobody knows behaves as an
 * undefined opcode.
 */
#include "target/x86/interp/fast.h"

static X86_OP(no_handler)
{
    x86_raise(cpu, r, EXC_UD);
}

void x86_bind(struct x86_rec *r, uint32_t mode)
{
    x86_handler *fn = NULL;

    if (!(r->flags & REC_LAST)) {
        fn = x86_bind_fused(r, mode);
    }
    fn = fn ? fn : x86_bind_int(r, mode);
    fn = fn ? fn : x86_bind_flow(r, mode);
    fn = fn ? fn : x86_bind_string(r, mode);
    fn = fn ? fn : x86_bind_system(r, mode);
    fn = fn ? fn : x86_bind_simd(r, mode);
    fn = fn ? fn : x86_bind_fpu(r, mode);
    r->fn = fn ? fn : x86_no_handler;
}
