/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/iret.c - IRET in all modes (SDM vol. 2A, IRET)
 *
 * The end of an NMI: an IRET, even one that faults, opens the way for the next (SDM vol. 3, 6.7.1).
 */
#include "target/x86/excp.h"
#include "target/x86/flags.h"
#include "target/x86/seg.h"
#include "target/x86/trace_log.h"

static void __attribute__((noreturn)) fault(struct x86_cpu *cpu, unsigned vec, uint32_t err)
{
    x86_raise_err(cpu, NULL, vec, err & 0xFFFC);
}

/* RF matters only while breakpoints are on; otherwise keep it out of the way of PUSHF and friends */
static uint32_t rf_mask(const struct x86_cpu *cpu)
{
    return cpu->dr[7] & 0xFF ? FL_RF : 0;
}

void x86_flags_load(struct x86_cpu *cpu, uint32_t v, uint32_t mask)
{
    uint32_t old = flags_get(cpu);

    flags_set(cpu, (old & ~mask) | (v & mask) | FL_1);
    if ((old ^ v) & mask & (FL_VM | FL_AC | FL_TF | FL_IF | FL_RF)) {
        x86_mode_update(cpu);
    }
}

enum {
    FL_ANY = FL_ARITH | FL_TF | FL_DF | FL_NT | FL_AC | FL_ID,      /* what any level may load */
};

static void iret_real(struct x86_cpu *cpu, unsigned size)
{
    unsigned bytes = 1u << size;
    struct x86_stack st;
    uint32_t flags, mask = FL_ANY | FL_IF | rf_mask(cpu);
    uint64_t ip;
    uint16_t cs;

    stack_init(cpu, &st);
    ip = stack_pop(cpu, &st, bytes);
    cs = (uint16_t)stack_pop(cpu, &st, bytes);
    flags = (uint32_t)stack_pop(cpu, &st, bytes);
    if (ip > cpu->seg[SEG_CS].limit) {
        fault(cpu, EXC_GP, 0);
    }
    if (!(cpu->eflags & FL_VM)) {
        mask |= FL_IOPL;
    }
    if (size == 1) {
        mask &= 0xFFFF;
    }
    stack_commit(cpu, &st);
    seg_set_real(cpu, SEG_CS, cs);
    cpu->regs[REG_RIP] = ip;
    x86_flags_load(cpu, flags, mask);
    x86_mode_update(cpu);
}

/* CR4.VME, IOPL < 3, 16-bit operand: IF goes to VIF (SDM vol. 3, 20.3.3.4) */
static void iret_vme(struct x86_cpu *cpu)
{
    struct x86_stack st;
    uint32_t flags;
    uint64_t ip;
    uint16_t cs;

    stack_init(cpu, &st);
    ip = stack_pop(cpu, &st, 2);
    cs = (uint16_t)stack_pop(cpu, &st, 2);
    flags = (uint32_t)stack_pop(cpu, &st, 2);
    if (((flags & FL_IF) && (cpu->eflags & FL_VIP)) || (flags & FL_TF)) {
        fault(cpu, EXC_GP, 0);
    }
    stack_commit(cpu, &st);
    seg_set_real(cpu, SEG_CS, cs);
    cpu->regs[REG_RIP] = ip;
    if (flags & FL_IF) {
        flags |= FL_VIF;
    }
    x86_flags_load(cpu, flags, (FL_ANY & 0xFFFF) | FL_VIF);
    x86_mode_update(cpu);
}

static void iret_to_vm86(struct x86_cpu *cpu, struct x86_stack *st, uint32_t ip, uint16_t cs, uint32_t flags)
{
    static const uint8_t order[] = { SEG_ES, SEG_DS, SEG_FS, SEG_GS };
    uint32_t esp = (uint32_t)stack_pop(cpu, st, 4);
    uint16_t ss = (uint16_t)stack_pop(cpu, st, 4), sel[4];

    for (unsigned i = 0; i < 4; i++) {
        sel[i] = (uint16_t)stack_pop(cpu, st, 4);
    }
    if (ip > 0xFFFF) {
        fault(cpu, EXC_GP, 0);
    }
    flags_set(cpu, (flags & (FL_ANY | FL_IF | FL_IOPL | FL_VIF | FL_VIP | FL_VM | rf_mask(cpu))) | FL_1);
    for (unsigned i = 0; i < 4; i++) {
        seg_set_vm86(cpu, order[i], sel[i]);
    }
    seg_set_vm86(cpu, SEG_SS, ss);
    seg_set_vm86(cpu, SEG_CS, cs);
    cpu->cpl = 3;
    cpu->regs[R_SP] = esp;
    cpu->regs[REG_RIP] = ip;
    x86_mode_update(cpu);
}

static void iret_task(struct x86_cpu *cpu, uint64_t next)
{
    struct x86_desc d;
    uint16_t sel = (uint16_t)sys_ld(cpu, cpu->seg[SEG_TR].base, 2);

    if ((sel & 4) || !desc_read(cpu, sel, &d) || desc_s(&d) || (desc_type(&d) & ~8u) != SYS_TSS16_BUSY) {
        fault(cpu, EXC_TS, sel);
    }
    if (!desc_p(&d)) {
        fault(cpu, EXC_NP, sel);
    }
    x86_task_switch(cpu, sel, &d, TASK_IRET, next, false, 0);
}

/* SS of an IRET that changes stacks */
static void check_ss(struct x86_cpu *cpu, uint16_t ss, unsigned rpl, bool to64, struct x86_desc *sd)
{
    if (!(ss & ~3)) {
        if (!to64 || rpl == 3 || (ss & 3u) != rpl) {
            fault(cpu, EXC_GP, 0);
        }
        return;
    }
    if (!desc_read(cpu, ss, sd) || (ss & 3u) != rpl || !desc_is_data_rw(sd) || desc_dpl(sd) != rpl) {
        fault(cpu, EXC_GP, ss);
    }
    if (!desc_p(sd)) {
        fault(cpu, EXC_SS, ss);
    }
}

static void iret_prot(struct x86_cpu *cpu, unsigned size)
{
    unsigned bytes = 1u << size, rpl, old_cpl = cpu->cpl;
    bool mode64 = cpu->mode & MODE_64, lma = cpu->mode & MODE_LMA;
    uint32_t flags, mask = FL_ANY | rf_mask(cpu);
    struct x86_desc d, sd = { 0 };
    struct x86_stack st;
    uint64_t ip, sp = 0;
    uint16_t cs, ss = 0;

    stack_init(cpu, &st);
    ip = stack_pop(cpu, &st, bytes);
    cs = (uint16_t)stack_pop(cpu, &st, bytes);
    flags = (uint32_t)stack_pop(cpu, &st, bytes);
    if ((flags & FL_VM) && old_cpl == 0 && size == 2 && !lma) {
        iret_to_vm86(cpu, &st, (uint32_t)ip, cs, flags);
        return;
    }
    rpl = cs & 3;
    if (!desc_read(cpu, cs, &d) || !desc_is_code(&d) || rpl < old_cpl ||
        (desc_is_conforming(&d) ? desc_dpl(&d) > rpl : desc_dpl(&d) != rpl) || (lma && desc_l(&d) && desc_db(&d))) {
        fault(cpu, EXC_GP, cs);
    }
    if (!desc_p(&d)) {
        fault(cpu, EXC_NP, cs);
    }
    if (mode64 || rpl > old_cpl) {
        sp = stack_pop(cpu, &st, bytes);
        ss = (uint16_t)stack_pop(cpu, &st, bytes);
        check_ss(cpu, ss, rpl, lma && desc_l(&d), &sd);
    }
    seg_check_ip(cpu, &d, ip);
    desc_accessed(cpu, &d);
    if (mode64 || rpl > old_cpl) {
        if (ss & ~3) {
            desc_accessed(cpu, &sd);
            seg_set(cpu, SEG_SS, ss, &sd);
        } else {
            seg_set_null(cpu, SEG_SS, ss);
        }
    }
    mask |= old_cpl == 0 ? FL_IOPL | FL_VIF | FL_VIP : 0;
    mask |= old_cpl <= (cpu->eflags & FL_IOPL) >> 12 ? FL_IF : 0;
    if (size == 1) {
        mask &= 0xFFFF;
    }
    seg_set(cpu, SEG_CS, cs, &d);
    cpu->cpl = (uint8_t)rpl;
    flags_set(cpu, (flags_get(cpu) & ~mask) | (flags & mask) | FL_1);
    x86_mode_update(cpu);
    cpu->regs[REG_RIP] = cpu->mode & MODE_64 ? ip : (uint32_t)ip;
    if (mode64 || rpl > old_cpl) {
        stack_init(cpu, &st);
        st.sp = size == 1 && st.mask == 0xFFFFFFFF ? (uint16_t)sp : sp;
    }
    stack_commit(cpu, &st);
    if (rpl > old_cpl) {
        seg_drop_data(cpu, rpl);
        x86_mode_update(cpu);
    }
}

void x86_iret(struct x86_cpu *cpu, unsigned size, uint64_t next)
{
    cpu->nmi_blocked = false;
    if (!(cpu->cr0 & CR0_PE)) {
        iret_real(cpu, size);
    } else if (cpu->eflags & FL_VM) {
        if ((cpu->eflags & FL_IOPL) == FL_IOPL) {
            iret_real(cpu, size);
        } else if ((cpu->cr4 & CR4_VME) && size == 1) {
            iret_vme(cpu);
        } else {
            fault(cpu, EXC_GP, 0);
        }
    } else if (cpu->eflags & FL_NT) {
        if (cpu->mode & MODE_LMA) {
            fault(cpu, EXC_GP, 0);
        }
        iret_task(cpu, next);
    } else {
        iret_prot(cpu, size);
    }
    if (x86_logs(cpu, X86_LOG_PCALL)) {
        x86_log_far(cpu, "iret", cpu->seg[SEG_CS].sel, cpu->regs[REG_RIP]);
    }
}
