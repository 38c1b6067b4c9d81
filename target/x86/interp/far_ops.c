/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/interp/far_ops.c - far transfers, software interrupts, system calls
 *
 * SYSCALL and SYSENTER follow the vendor: Intel has SYSCALL in 64-bit mode only, AMD has SYSENTER outside long mode
 * only.
 */
#include "target/x86/interp/sysops.h"

/* --- far transfers ------------------------------------------------------------------------------------------------ */

/* Far CALL or JMP; the pointer is in the instruction, or in memory (offset first) */
static OUT_OF_LINE void do_far(struct x86_cpu *cpu, const struct x86_rec *r)
{
    unsigned bytes = 1u << r->size;
    uint64_t la, off;
    uint16_t sel;

    if (r->form == FORM_FAR) {
        off = (uint32_t)r->imm;
        sel = (uint16_t)(r->imm >> 32);
    } else {
        la = rec_la(cpu, r, bytes + 2, false);
        off = bytes == 2 ? mem_ld16(cpu, r, la) : bytes == 4 ? mem_ld32(cpu, r, la) : mem_ld64(cpu, r, la);
        sel = mem_ld16(cpu, r, la + bytes);
    }
    cpu->cur = r;
    if (r->op == OP_CALLF) {
        x86_far_call(cpu, sel, off, r->size, op_next(cpu, r));
    } else {
        x86_far_jmp(cpu, sel, off, r->size, op_next(cpu, r));
    }
}

static X86_OP(callf_jmpf)
{
    do_far(cpu, r);
    return op_gone(cpu, r);
}

static X86_OP(retf)
{
    cpu->cur = r;
    x86_far_ret(cpu, r->size, r->form == FORM_I ? (uint16_t)r->imm : 0);
    return op_gone(cpu, r);
}

static X86_OP(iret_op)
{
    cpu->cur = r;
    x86_iret(cpu, r->size, op_next(cpu, r));
    return op_gone(cpu, r);
}

/* --- software interrupts ------------------------------------------------------------------------------------------ */

static X86_OP(int_n)
{
    x86_soft_int(cpu, r, (uint8_t)r->imm, true);
    return op_gone(cpu, r);
}

static X86_OP(int3)
{
    x86_soft_int(cpu, r, EXC_BP, false);
    return op_gone(cpu, r);
}

static X86_OP(int1)
{
    x86_soft_int(cpu, r, EXC_DB, false);
    return op_gone(cpu, r);
}

static X86_OP(into)
{
    if (!(flags_arith(cpu) & FL_OF)) {
        return x86_leave(cpu, r);
    }
    x86_soft_int(cpu, r, EXC_OF, false);
    return op_gone(cpu, r);
}

/* --- system calls ------------------------------------------------------------------------------------------------- */

enum { FLAT_CODE = SEGA_G | SEGA_P | SEGA_S | SEGA_CODE | SEGA_RW | SEGA_ACCESSED,
       FLAT_DATA = SEGA_G | SEGA_DB | SEGA_P | SEGA_S | SEGA_RW | SEGA_ACCESSED };

static void flat_cs_ss(struct x86_cpu *cpu, unsigned cs, unsigned ss, unsigned cpl, unsigned cs_bits)
{
    cpu->seg[SEG_CS] = (struct x86_seg){
        .limit = 0xFFFFFFFF, .sel = (uint16_t)cs, .attr = (uint16_t)(FLAT_CODE | cpl << 5 | cs_bits),
    };
    cpu->seg[SEG_SS] = (struct x86_seg){
        .limit = 0xFFFFFFFF, .sel = (uint16_t)ss, .attr = (uint16_t)(FLAT_DATA | cpl << 5),
    };
    cpu->cpl = (uint8_t)cpl;
}

static X86_OP(syscall)
{
    uint32_t fl = flags_get(cpu) & ~(uint32_t)FL_RF;
    uint64_t next = op_next(cpu, r);
    unsigned cs = cpu->star >> 32 & 0xFFFC;

    if (!(cpu->efer & EFER_SCE) || (cpu->feat->intel && !(cpu->mode & MODE_64)) || !(cpu->mode & MODE_PE)) {
        x86_raise(cpu, r, EXC_UD);
    }
    if (cpu->mode & MODE_LMA) {
        cpu->regs[R_CX] = next;
        cpu->regs[11] = fl;
        cpu->regs[REG_RIP] = cpu->mode & MODE_64 ? cpu->lstar : cpu->cstar;
        flags_set(cpu, fl & ~(uint32_t)cpu->fmask);
        flat_cs_ss(cpu, cs, cs + 8, 0, SEGA_L);
    } else {
        cpu->regs[R_CX] = (uint32_t)next;
        cpu->regs[REG_RIP] = (uint32_t)cpu->star;
        flags_set(cpu, fl & ~(uint32_t)(FL_IF | FL_VM));
        flat_cs_ss(cpu, cs, cs + 8, 0, SEGA_DB);
    }
    x86_mode_update(cpu);
    return op_gone(cpu, r);
}

static X86_OP(sysret)
{
    unsigned sel = cpu->star >> 48 & 0xFFFC;

    cpu->cur = r;
    if (!(cpu->efer & EFER_SCE) || (cpu->feat->intel && !(cpu->mode & MODE_64))) {
        x86_raise(cpu, r, EXC_UD);
    }
    if (!(cpu->mode & MODE_PE) || cpu->cpl) {
        op_gp0(cpu, r);
    }
    if (cpu->mode & MODE_LMA) {
        if (r->size == 3) {
            if (!x86_canonical(cpu->regs[R_CX])) {
                op_gp0(cpu, r);
            }
            flat_cs_ss(cpu, (sel + 16) | 3, (sel + 8) | 3, 3, SEGA_L);
            cpu->regs[REG_RIP] = cpu->regs[R_CX];
        } else {
            flat_cs_ss(cpu, sel | 3, (sel + 8) | 3, 3, SEGA_DB);
            cpu->regs[REG_RIP] = (uint32_t)cpu->regs[R_CX];
        }
        flags_set(cpu, ((uint32_t)cpu->regs[11] & 0x3C7FD7) | FL_1);
    } else {
        flat_cs_ss(cpu, sel | 3, (sel + 8) | 3, 3, SEGA_DB);
        cpu->regs[REG_RIP] = (uint32_t)cpu->regs[R_CX];
        cpu->eflags |= FL_IF;
    }
    x86_mode_update(cpu);
    return op_gone(cpu, r);
}

static X86_OP(sysenter)
{
    unsigned cs = cpu->sysenter_cs & 0xFFFC;
    bool lma = cpu->mode & MODE_LMA;

    if (lma && !cpu->feat->intel) {
        x86_raise(cpu, r, EXC_UD);
    }
    if (!(cpu->mode & MODE_PE) || !cs) {
        op_gp0(cpu, r);
    }
    cpu->eflags &= ~(uint32_t)(FL_VM | FL_IF | FL_RF);
    flat_cs_ss(cpu, cs, cs + 8, 0, lma ? SEGA_L : SEGA_DB);
    cpu->regs[REG_RIP] = lma ? cpu->sysenter_eip : (uint32_t)cpu->sysenter_eip;
    cpu->regs[R_SP] = lma ? cpu->sysenter_esp : (uint32_t)cpu->sysenter_esp;
    x86_mode_update(cpu);
    return op_gone(cpu, r);
}

static X86_OP(sysexit)
{
    unsigned cs = cpu->sysenter_cs & 0xFFFC;

    if ((cpu->mode & MODE_LMA) && !cpu->feat->intel) {
        x86_raise(cpu, r, EXC_UD);
    }
    if (!(cpu->mode & MODE_PE) || cpu->cpl || !cs) {
        op_gp0(cpu, r);
    }
    if (r->size == 3) {
        if (!x86_canonical(cpu->regs[R_DX]) || !x86_canonical(cpu->regs[R_CX])) {
            op_gp0(cpu, r);
        }
        flat_cs_ss(cpu, (cs + 32) | 3, (cs + 40) | 3, 3, SEGA_L);
        cpu->regs[REG_RIP] = cpu->regs[R_DX];
        cpu->regs[R_SP] = cpu->regs[R_CX];
    } else {
        flat_cs_ss(cpu, (cs + 16) | 3, (cs + 24) | 3, 3, SEGA_DB);
        cpu->regs[REG_RIP] = (uint32_t)cpu->regs[R_DX];
        cpu->regs[R_SP] = (uint32_t)cpu->regs[R_CX];
    }
    x86_mode_update(cpu);
    return op_gone(cpu, r);
}

x86_handler *x86_bind_far(const struct x86_rec *r)
{
    switch (r->op) {
    case OP_CALLF:
    case OP_JMPF:
        return x86_callf_jmpf;
    case OP_RETF:
        return x86_retf;
    case OP_IRET:
        return x86_iret_op;
    case OP_INT:
        return x86_int_n;
    case OP_INT3:
        return x86_int3;
    case OP_INT1:
        return x86_int1;
    case OP_INTO:
        return x86_into;
    case OP_SYSCALL:
        return x86_syscall;
    case OP_SYSRET:
        return x86_sysret;
    case OP_SYSENTER:
        return x86_sysenter;
    case OP_SYSEXIT:
        return x86_sysexit;
    default:
        return NULL;
    }
}
