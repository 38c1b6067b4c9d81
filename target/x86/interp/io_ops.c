/* SPDX-License-Identifier: BSD-2-Clause */
/* target/x86/interp/io_ops.c - IN and OUT; the string forms are in string.c, the right to do it in target/x86/io.c */
#include "target/x86/interp/sysops.h"

static uint16_t port_of(const struct x86_cpu *cpu, const struct x86_rec *r)
{
    return r->form == FORM_I ? (uint8_t)r->imm : (uint16_t)cpu->regs[R_DX];
}

/*
 * A device may have lowered or raised a line, changed the memory map, or stopped the machine: see to it after the block
 */
static X86_OP(in)
{
    uint16_t port = port_of(cpu, r);

    cpu->cur = r;
    x86_io_check(cpu, r, port, 1u << r->size);
    reg_set(cpu, 0, r->size, x86_io_in(cpu, port, 1u << r->size));
    X86_NEXT;
}

static X86_OP(out)
{
    uint16_t port = port_of(cpu, r);

    cpu->cur = r;
    x86_io_check(cpu, r, port, 1u << r->size);
    x86_io_out(cpu, port, (uint32_t)reg_get(cpu, 0, r->size), 1u << r->size);
    X86_NEXT;
}

x86_handler *x86_bind_io(const struct x86_rec *r)
{
    return r->op == OP_IN ? x86_in : r->op == OP_OUT ? x86_out : NULL;
}
