/* SPDX-License-Identifier: BSD-2-Clause */
/* target/x86/interp/int.c - the integer instructions' entry for x86_bind(): asks the files that implement them */
#include "target/x86/interp/fast.h"

x86_handler *x86_bind_int(const struct x86_rec *r, uint32_t mode)
{
    x86_handler *fn = x86_bind_mov(r, mode);

    fn = fn ? fn : x86_bind_alu(r, mode);
    fn = fn ? fn : x86_bind_stack(r, mode);
    fn = fn ? fn : x86_bind_shift(r, mode);
    fn = fn ? fn : x86_bind_bits(r, mode);
    return fn ? fn : x86_bind_muldiv(r, mode);
}
