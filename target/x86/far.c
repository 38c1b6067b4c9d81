/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/far.c - far JMP, CALL, RET: direct, through call gates, to tasks (SDM vol. 2A; vol. 3, 5.8)
 *
 * Each function first finds the target and checks it, then pushes or pops, and changes registers last. Offsets from a
 * 16-bit operand or a 16-bit gate are 16 bits, whatever the unused bytes of the gate hold.
 */
#include "target/x86/excp.h"
#include "target/x86/seg.h"
#include "target/x86/trace_log.h"

static void __attribute__((noreturn)) fault(struct x86_cpu *cpu, unsigned vec, uint32_t err)
{
    x86_raise_err(cpu, NULL, vec, err & 0xFFFC);
}

static uint64_t cut(uint64_t ip, unsigned size)
{
    return size == 1 ? (uint16_t)ip : size == 2 ? (uint32_t)ip : ip;
}

static void set_cs(struct x86_cpu *cpu, uint16_t sel, struct x86_desc *d, unsigned cpl, uint64_t ip)
{
    seg_set(cpu, SEG_CS, (uint16_t)((sel & ~3) | cpl), d);
    cpu->cpl = (uint8_t)cpl;
    x86_mode_update(cpu);
    cpu->regs[REG_RIP] = cpu->mode & MODE_64 ? ip : (uint32_t)ip;
}

static void set_cs_real(struct x86_cpu *cpu, uint16_t sel, uint64_t ip)
{
    seg_set_real(cpu, SEG_CS, sel);
    cpu->regs[REG_RIP] = ip;
    x86_mode_update(cpu);
}

/* A code segment as the target of a direct transfer at the present level */
static void check_direct(struct x86_cpu *cpu, uint16_t sel, const struct x86_desc *d)
{
    unsigned dpl = desc_dpl(d);

    if ((cpu->mode & MODE_LMA) && desc_l(d) && desc_db(d)) {
        fault(cpu, EXC_GP, sel);
    }
    if (desc_is_conforming(d) ? dpl > cpu->cpl : (sel & 3u) > cpu->cpl || dpl != cpu->cpl) {
        fault(cpu, EXC_GP, sel);
    }
    if (!desc_p(d)) {
        fault(cpu, EXC_NP, sel);
    }
}

/* What a call gate leads to */
struct gate {
    uint16_t sel;
    uint64_t off;
    unsigned size;              /* log2 of what is pushed */
    unsigned params;
    struct x86_desc d;          /* the code segment */
};

static void gate_read(struct x86_cpu *cpu, uint16_t sel, struct x86_desc *g, bool jmp, struct gate *out)
{
    bool lma = cpu->mode & MODE_LMA;
    unsigned dpl;

    if (desc_dpl(g) < cpu->cpl || desc_dpl(g) < (sel & 3u)) {
        fault(cpu, EXC_GP, sel);
    }
    if (lma) {
        desc_read16(cpu, sel, g);
    }
    if (!desc_p(g)) {
        fault(cpu, EXC_NP, sel);
    }
    out->sel = (uint16_t)(g->lo >> 16);
    out->size = lma ? 3 : desc_type(g) == SYS_CALL16 ? 1 : 2;
    out->off = cut((g->lo & 0xFFFF) | (g->hi & 0xFFFF0000) | (uint64_t)g->base_hi << 32, out->size);
    out->params = lma ? 0 : g->hi & 31;
    if (!(out->sel & ~3)) {
        fault(cpu, EXC_GP, 0);
    }
    if (!desc_read(cpu, out->sel, &out->d) || !desc_is_code(&out->d)) {
        fault(cpu, EXC_GP, out->sel);
    }
    dpl = desc_dpl(&out->d);
    if (dpl > cpu->cpl || (jmp && !desc_is_conforming(&out->d) && dpl != cpu->cpl)) {
        fault(cpu, EXC_GP, out->sel);
    }
    if (lma && (!desc_l(&out->d) || desc_db(&out->d))) {
        fault(cpu, EXC_GP, out->sel);
    }
    if (!desc_p(&out->d)) {
        fault(cpu, EXC_NP, out->sel);
    }
}

/* The TSS that a task gate names */
static uint16_t task_gate(struct x86_cpu *cpu, uint16_t sel, struct x86_desc *d)
{
    uint16_t tss = (uint16_t)(d->lo >> 16);

    if (!desc_p(d)) {
        fault(cpu, EXC_NP, sel);
    }
    if ((tss & 4) || !desc_read(cpu, tss, d) || desc_s(d) || (desc_type(d) & ~8u) != SYS_TSS16) {
        fault(cpu, EXC_GP, tss);
    }
    return tss;
}

/* JMP or CALL to a system descriptor that switches tasks; false: it is none */
static bool to_task(struct x86_cpu *cpu, uint16_t sel, struct x86_desc *d, enum task_why why, uint64_t next)
{
    unsigned type = desc_type(d);

    if ((cpu->mode & MODE_LMA) || (type != SYS_TSS && type != SYS_TSS16 && type != SYS_TASK)) {
        return false;
    }
    if (desc_dpl(d) < cpu->cpl || desc_dpl(d) < (sel & 3u)) {
        fault(cpu, EXC_GP, sel);
    }
    if (type == SYS_TASK) {
        sel = task_gate(cpu, sel, d);
    }
    if (!desc_p(d)) {
        fault(cpu, EXC_NP, sel);
    }
    x86_task_switch(cpu, sel, d, why, next, false, 0);
    return true;
}

static bool is_call_gate(const struct x86_cpu *cpu, const struct x86_desc *d)
{
    return desc_type(d) == SYS_CALL || (desc_type(d) == SYS_CALL16 && !(cpu->mode & MODE_LMA));
}

void x86_far_jmp(struct x86_cpu *cpu, uint16_t sel, uint64_t off, unsigned size, uint64_t next)
{
    struct x86_desc d;
    struct gate g;

    off = cut(off, size);
    if (x86_logs(cpu, X86_LOG_PCALL)) {
        x86_log_far(cpu, "ljmp", sel, off);
    }
    if (seg_is_real(cpu)) {
        if (off > cpu->seg[SEG_CS].limit) {
            fault(cpu, EXC_GP, 0);
        }
        set_cs_real(cpu, sel, off);
        return;
    }
    if (!desc_read(cpu, sel, &d)) {
        fault(cpu, EXC_GP, sel);
    }
    if (desc_s(&d)) {
        if (!desc_is_code(&d)) {
            fault(cpu, EXC_GP, sel);
        }
        check_direct(cpu, sel, &d);
        seg_check_ip(cpu, &d, off);
        desc_accessed(cpu, &d);
        set_cs(cpu, sel, &d, cpu->cpl, off);
        return;
    }
    if (to_task(cpu, sel, &d, TASK_JMP, next)) {
        return;
    }
    if (!is_call_gate(cpu, &d)) {
        fault(cpu, EXC_GP, sel);
    }
    gate_read(cpu, sel, &d, true, &g);
    seg_check_ip(cpu, &g.d, g.off);
    desc_accessed(cpu, &g.d);
    set_cs(cpu, g.sel, &g.d, cpu->cpl, g.off);
}

/* Call gate to an inner level: stack from the TSS, parameters copied */
static void call_inner(struct x86_cpu *cpu, struct gate *g, uint64_t next)
{
    unsigned cpl = desc_dpl(&g->d), bytes = 1u << g->size;
    uint16_t old_cs = cpu->seg[SEG_CS].sel, old_ss = cpu->seg[SEG_SS].sel;
    uint64_t old_sp = cpu->regs[R_SP], params[31];
    struct x86_stack st;
    struct x86_seg ss = { 0 };
    uint32_t esp;

    if (cpu->mode & MODE_LMA) {
        stack_init_new(cpu, &st, NULL, tss_stack64(cpu, cpl, 0), cpl);
        ss.sel = (uint16_t)cpl;
    } else {
        struct x86_stack from;

        stack_init(cpu, &from);
        old_sp &= from.mask;
        for (unsigned i = 0; i < g->params; i++) {
            params[i] = stack_pop(cpu, &from, bytes);
        }
        tss_stack(cpu, cpl, &ss, &esp);
        stack_init_new(cpu, &st, &ss, esp, cpl);
    }
    seg_check_ip(cpu, &g->d, g->off);
    stack_push(cpu, &st, old_ss, bytes);
    stack_push(cpu, &st, old_sp, bytes);
    for (unsigned i = g->params; i-- > 0;) {
        stack_push(cpu, &st, params[i], bytes);
    }
    stack_push(cpu, &st, old_cs, bytes);
    stack_push(cpu, &st, next, bytes);
    desc_accessed(cpu, &g->d);
    cpu->seg[SEG_SS] = ss;
    stack_commit(cpu, &st);
    set_cs(cpu, g->sel, &g->d, cpl, g->off);
}

/* Push CS:IP on the present stack and go */
static void call_same(struct x86_cpu *cpu, uint16_t sel, struct x86_desc *d, uint64_t off, unsigned size, uint64_t next)
{
    struct x86_stack st;

    seg_check_ip(cpu, d, off);
    stack_init(cpu, &st);
    stack_push(cpu, &st, cpu->seg[SEG_CS].sel, 1u << size);
    stack_push(cpu, &st, next, 1u << size);
    desc_accessed(cpu, d);
    stack_commit(cpu, &st);
    set_cs(cpu, sel, d, cpu->cpl, off);
}

void x86_far_call(struct x86_cpu *cpu, uint16_t sel, uint64_t off, unsigned size, uint64_t next)
{
    struct x86_desc d;
    struct gate g;

    off = cut(off, size);
    if (x86_logs(cpu, X86_LOG_PCALL)) {
        x86_log_far(cpu, "lcall", sel, off);
    }
    if (seg_is_real(cpu)) {
        struct x86_stack st;

        if (off > cpu->seg[SEG_CS].limit) {
            fault(cpu, EXC_GP, 0);
        }
        stack_init(cpu, &st);
        stack_push(cpu, &st, cpu->seg[SEG_CS].sel, 1u << size);
        stack_push(cpu, &st, next, 1u << size);
        stack_commit(cpu, &st);
        set_cs_real(cpu, sel, off);
        return;
    }
    if (!desc_read(cpu, sel, &d)) {
        fault(cpu, EXC_GP, sel);
    }
    if (desc_s(&d)) {
        if (!desc_is_code(&d)) {
            fault(cpu, EXC_GP, sel);
        }
        check_direct(cpu, sel, &d);
        call_same(cpu, sel, &d, off, size, next);
        return;
    }
    if (to_task(cpu, sel, &d, TASK_CALL, next)) {
        return;
    }
    if (!is_call_gate(cpu, &d)) {
        fault(cpu, EXC_GP, sel);
    }
    gate_read(cpu, sel, &d, false, &g);
    if (!desc_is_conforming(&g.d) && desc_dpl(&g.d) < cpu->cpl) {
        call_inner(cpu, &g, next);
    } else {
        call_same(cpu, g.sel, &g.d, g.off, g.size, next);
    }
}

void x86_far_ret(struct x86_cpu *cpu, unsigned size, unsigned pop)
{
    unsigned bytes = 1u << size, rpl;
    struct x86_stack st;
    struct x86_desc d, sd;
    uint64_t ip, sp;
    uint16_t sel, ss;

    stack_init(cpu, &st);
    ip = stack_pop(cpu, &st, bytes);
    sel = (uint16_t)stack_pop(cpu, &st, bytes);
    st.sp += pop;
    if (x86_logs(cpu, X86_LOG_PCALL)) {
        x86_log_far(cpu, "lret", sel, ip);
    }
    if (seg_is_real(cpu)) {
        if (ip > cpu->seg[SEG_CS].limit) {
            fault(cpu, EXC_GP, 0);
        }
        stack_commit(cpu, &st);
        set_cs_real(cpu, sel, ip);
        return;
    }
    if (!desc_read(cpu, sel, &d) || !desc_is_code(&d)) {
        fault(cpu, EXC_GP, sel);
    }
    rpl = sel & 3;
    if (rpl < cpu->cpl || (desc_is_conforming(&d) ? desc_dpl(&d) > rpl : desc_dpl(&d) != rpl) ||
        ((cpu->mode & MODE_LMA) && desc_l(&d) && desc_db(&d))) {
        fault(cpu, EXC_GP, sel);
    }
    if (!desc_p(&d)) {
        fault(cpu, EXC_NP, sel);
    }
    if (rpl == cpu->cpl) {
        seg_check_ip(cpu, &d, ip);
        desc_accessed(cpu, &d);
        stack_commit(cpu, &st);
        set_cs(cpu, sel, &d, rpl, ip);
        return;
    }
    sp = stack_pop(cpu, &st, bytes);
    ss = (uint16_t)stack_pop(cpu, &st, bytes);
    if (!(ss & ~3)) {
        if (!(cpu->mode & MODE_LMA) || !desc_l(&d) || rpl == 3) {
            fault(cpu, EXC_GP, 0);
        }
    } else {
        if (!desc_read(cpu, ss, &sd) || (ss & 3u) != rpl || !desc_is_data_rw(&sd) || desc_dpl(&sd) != rpl) {
            fault(cpu, EXC_GP, ss);
        }
        if (!desc_p(&sd)) {
            fault(cpu, EXC_SS, ss);
        }
    }
    seg_check_ip(cpu, &d, ip);
    desc_accessed(cpu, &d);
    if (ss & ~3) {
        desc_accessed(cpu, &sd);
        seg_set(cpu, SEG_SS, ss, &sd);
    } else {
        seg_set_null(cpu, SEG_SS, ss);
    }
    set_cs(cpu, sel, &d, rpl, ip);
    stack_init(cpu, &st);
    st.sp = sp + pop;
    stack_commit(cpu, &st);
    seg_drop_data(cpu, rpl);
    x86_mode_update(cpu);
}
