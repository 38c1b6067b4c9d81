/* SPDX-License-Identifier: BSD-2-Clause */
/* target/x86/interp/control_ops.c - control and debug registers, MSRs, XCR0, TLB invalidation */
#include "target/x86/interp/sysops.h"
#include "core/loop.h"

static uint64_t gpr_in(const struct x86_cpu *cpu, const struct x86_rec *r)
{
    return r->size == 3 ? REG64(r->rm) : REG32(r->rm);
}

/* --- CRn ---------------------------------------------------------------------------------------------------------- */

static X86_OP(mov_to_cr)
{
    uint64_t v = gpr_in(cpu, r);

    need_cpl0(cpu, r);
    switch (r->reg) {
    case 0:
        x86_cr0_write(cpu, v);
        break;
    case 2:
        cpu->cr2 = v;
        break;
    case 3:
        x86_cr3_write(cpu, v);
        break;
    case 4:
        x86_cr4_write(cpu, v);
        break;
    case 8:
        if (v > 15) {
            op_gp0(cpu, r);
        }
        machine_lock();
        cpu->plat.cr8_set(cpu->plat.opaque, (uint8_t)v);
        machine_unlock();
        break;
    default:
        x86_raise(cpu, r, EXC_UD);
    }
    return x86_leave(cpu, r);
}

static X86_OP(mov_from_cr)
{
    uint64_t v = 0;

    need_cpl0(cpu, r);
    switch (r->reg) {
    case 0:
        v = cpu->cr0;
        break;
    case 2:
        v = cpu->cr2;
        break;
    case 3:
        v = cpu->cr3;
        break;
    case 4:
        v = cpu->cr4;
        break;
    case 8:
        machine_lock();
        v = cpu->plat.cr8_get(cpu->plat.opaque);
        machine_unlock();
        break;
    default:
        x86_raise(cpu, r, EXC_UD);
    }
    reg_set(cpu, r->rm, r->size, v);
    X86_NEXT;
}

static X86_OP(lmsw)
{
    uint16_t v;

    need_cpl0(cpu, r);
    v = op_ld16(cpu, r);
    x86_cr0_write(cpu, (cpu->cr0 & ~0xEULL) | (v & 0xF));  /* PE can be set, not cleared */
    return x86_leave(cpu, r);
}

static X86_OP(smsw)
{
    cpu->cur = r;
    if ((cpu->cr4 & CR4_UMIP) && cpu->cpl) {
        op_gp0(cpu, r);
    }
    op_st16(cpu, r, cpu->cr0);
    X86_NEXT;
}

static X86_OP(clts)
{
    need_cpl0(cpu, r);
    if (cpu->cr0 & CR0_TS) {
        cpu->cr0 &= ~(uint64_t)CR0_TS;
        x86_mode_update(cpu);
    }
    return x86_leave(cpu, r);
}

/* --- DRn ---------------------------------------------------------------------------------------------------------- */

/* DR4 and DR5 are DR6 and DR7 unless CR4.DE; DR7.GD traps every access */
static unsigned dr_number(struct x86_cpu *cpu, const struct x86_rec *r)
{
    unsigned n = r->reg;

    if (n > 7 || (n >= 4 && n <= 5 && (cpu->cr4 & CR4_DE))) {
        x86_raise(cpu, r, EXC_UD);
    }
    need_cpl0(cpu, r);
    if (cpu->dr[7] & DR7_GD) {
        cpu->dr[6] |= DR6_BD;
        x86_raise(cpu, r, EXC_DB);
    }
    return n >= 4 && n <= 5 ? n + 2 : n;
}

static X86_OP(mov_to_dr)
{
    unsigned n = dr_number(cpu, r);
    uint64_t v = gpr_in(cpu, r);

    if (n >= 6 && v >> 32) {
        op_gp0(cpu, r);
    }
    x86_dr_write(cpu, n, v);
    return x86_leave(cpu, r);
}

static X86_OP(mov_from_dr)
{
    reg_set(cpu, r->rm, r->size, cpu->dr[dr_number(cpu, r)]);
    X86_NEXT;
}

/* --- TLB ---------------------------------------------------------------------------------------------------------- */

static X86_OP(invlpg)
{
    uint64_t la = rec_ea(cpu, r);

    need_cpl0(cpu, r);
    if (!(r->flags & (REC_FLAT32 | REC_FLAT64))) {
        la += cpu->mode & MODE_64 && r->seg < SEG_FS ? 0 : cpu->seg[r->seg].base;
    }
    la = cpu->mode & MODE_64 ? la : (uint32_t)la;
    if (!(cpu->mode & MODE_64) || x86_canonical(la)) {
        x86_tlb_flush_page(cpu, la);
    }
    return x86_leave(cpu, r);
}

static X86_OP(invpcid)
{
    uint64_t type = reg_get(cpu, r->reg, r->size), la, pcid, addr;

    need_cpl0(cpu, r);
    if (!(cpu->mode & MODE_PE) || (cpu->mode & MODE_VM)) {
        op_gp0(cpu, r);
    }
    la = rec_la(cpu, r, 16, false);
    pcid = mem_ld64(cpu, r, la);
    addr = mem_ld64(cpu, r, la + 8);
    if (type > 3 || pcid >> 12 || (type < 2 && pcid && !(cpu->cr4 & CR4_PCIDE)) ||
        (type == 0 && !x86_canonical(addr))) {
        op_gp0(cpu, r);
    }
    if (type == 2) {
        x86_tlb_flush_context(cpu, true);
    } else if (type == 3) {
        x86_tlb_flush_context(cpu, true);   /* more than asked for: global pages go as well */
    } else {
        x86_tlb_flush_pcid(cpu, (unsigned)pcid, type == 0, addr);
    }
    return x86_leave(cpu, r);
}

/* --- MSRs, XCR0 --------------------------------------------------------------------------------------------------- */

static void set_edx_eax(struct x86_cpu *cpu, uint64_t v)
{
    cpu->regs[R_AX] = (uint32_t)v;
    cpu->regs[R_DX] = v >> 32;
}

static uint64_t edx_eax(const struct x86_cpu *cpu)
{
    return (uint32_t)cpu->regs[R_AX] | cpu->regs[R_DX] << 32;
}

static OUT_OF_LINE uint64_t rdmsr_value(struct x86_cpu *cpu, const struct x86_rec *r)
{
    uint64_t v;

    if (!x86_rdmsr(cpu, (uint32_t)cpu->regs[R_CX], &v)) {
        op_gp0(cpu, r);
    }
    return v;
}

static X86_OP(rdmsr_op)
{
    need_cpl0(cpu, r);
    set_edx_eax(cpu, rdmsr_value(cpu, r));
    X86_NEXT;
}

static X86_OP(wrmsr_op)
{
    need_cpl0(cpu, r);
    if (!x86_wrmsr(cpu, (uint32_t)cpu->regs[R_CX], edx_eax(cpu))) {
        op_gp0(cpu, r);
    }
    return x86_leave(cpu, r);
}

static X86_OP(xgetbv)
{
    uint32_t n = (uint32_t)cpu->regs[R_CX];

    if (n > 1 || (n == 1 && !x86_feat(cpu->feat, X86_FEAT_XGETBV1))) {
        op_gp0(cpu, r);
    }
    set_edx_eax(cpu, cpu->xcr0);    /* 1: the components in use; all of them may be */
    X86_NEXT;
}

static X86_OP(xsetbv)
{
    uint64_t v = edx_eax(cpu);

    need_cpl0(cpu, r);
    if ((uint32_t)cpu->regs[R_CX] || !(v & XCR0_X87) || (v & ~x86_xcr0_valid(cpu->feat)) ||
        ((v & XCR0_AVX) && !(v & XCR0_SSE))) {
        op_gp0(cpu, r);
    }
    cpu->xcr0 = v;
    x86_mode_update(cpu);
    return x86_leave(cpu, r);
}

x86_handler *x86_bind_control(const struct x86_rec *r)
{
    switch (r->op) {
    case OP_MOV_TO_CR:
        return x86_mov_to_cr;
    case OP_MOV_FROM_CR:
        return x86_mov_from_cr;
    case OP_LMSW:
        return x86_lmsw;
    case OP_SMSW:
        return x86_smsw;
    case OP_CLTS:
        return x86_clts;
    case OP_MOV_TO_DR:
        return x86_mov_to_dr;
    case OP_MOV_FROM_DR:
        return x86_mov_from_dr;
    case OP_INVLPG:
        return x86_invlpg;
    case OP_INVPCID:
        return x86_invpcid;
    case OP_RDMSR:
        return x86_rdmsr_op;
    case OP_WRMSR:
        return x86_wrmsr_op;
    case OP_XGETBV:
        return x86_xgetbv;
    case OP_XSETBV:
        return x86_xsetbv;
    default:
        return NULL;
    }
}
