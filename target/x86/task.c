/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/task.c - task state segments: stacks for inner levels, task switches (SDM vol. 3, chapter 7)
 *
 * A 286 TSS holds 16-bit registers and four segments; the 386 one 32-bit registers, six segments and CR3. One table of
 * field offsets says where each is. A switch reads the whole new TSS, saves the old one, then (past the commit point)
 * loads; faults from there on belong to the new task.
 */
#include "target/x86/excp.h"
#include "target/x86/flags.h"
#include "target/x86/seg.h"
#include "target/x86/trace_log.h"
#include "target/x86/debug.h"

struct tss_layout {
    uint8_t size;               /* of a register, bytes */
    uint8_t cr3, eip, eflags, regs, sregs, ldt, nseg, min_limit;
};
static const struct tss_layout tss286 = { 2, 0, 14, 16, 18, 34, 42, 4, 43 };
static const struct tss_layout tss386 = { 4, 28, 32, 36, 40, 72, 96, 6, 103 };
static const uint8_t tss_seg_order[] = { SEG_ES, SEG_CS, SEG_SS, SEG_DS, SEG_FS, SEG_GS };

static void __attribute__((noreturn)) fault(struct x86_cpu *cpu, unsigned vec, uint32_t err)
{
    x86_raise_err(cpu, NULL, vec, err & 0xFFFC);
}

static const struct tss_layout *layout_of(unsigned type)
{
    return type & 8 ? &tss386 : &tss286;
}

/* --- stacks ------------------------------------------------------------------------------------------------------- */

void tss_stack(struct x86_cpu *cpu, unsigned cpl, struct x86_seg *ss, uint32_t *sp)
{
    const struct x86_seg *tr = &cpu->seg[SEG_TR];
    bool is386 = tr->attr & 8;
    uint32_t at = is386 ? 4 + 8 * cpl : 2 + 4 * cpl;
    uint16_t sel;
    struct x86_desc d;

    if (!tr->attr || at + (is386 ? 5 : 3) > tr->limit) {
        fault(cpu, EXC_TS, tr->sel);
    }
    *sp = (uint32_t)sys_ld(cpu, tr->base + at, is386 ? 4 : 2);
    sel = (uint16_t)sys_ld(cpu, tr->base + at + (is386 ? 4 : 2), 2);
    if (!desc_read(cpu, sel, &d) || (sel & 3u) != cpl || desc_dpl(&d) != cpl || !desc_is_data_rw(&d)) {
        fault(cpu, EXC_TS, sel);
    }
    if (!desc_p(&d)) {
        fault(cpu, EXC_SS, sel);
    }
    desc_accessed(cpu, &d);
    *ss = (struct x86_seg){
        .base = desc_base(&d), .limit = desc_limit(&d), .sel = sel, .attr = d.hi >> 8 & 0xF0FF,
    };
}

uint64_t tss_stack64(struct x86_cpu *cpu, unsigned cpl, unsigned ist)
{
    const struct x86_seg *tr = &cpu->seg[SEG_TR];
    uint32_t at = ist ? 36 + 8 * (ist - 1) : 4 + 8 * cpl;
    uint64_t sp;

    if (!tr->attr || at + 7 > tr->limit) {
        fault(cpu, EXC_TS, tr->sel);
    }
    sp = sys_ld(cpu, tr->base + at, 8);
    if (!x86_canonical(sp)) {
        x86_raise_err(cpu, NULL, EXC_SS, 0);
    }
    return sp;
}

/* --- switches ----------------------------------------------------------------------------------------------------- */

struct tss_image {
    uint32_t cr3, eip, eflags, regs[8];
    uint16_t sreg[6], ldt, trap;
};

static void tss_read(struct x86_cpu *cpu, uint64_t base, const struct tss_layout *l, struct tss_image *t)
{
    memset(t, 0, sizeof(*t));
    if (l->cr3) {
        t->cr3 = (uint32_t)sys_ld(cpu, base + l->cr3, 4);
        t->trap = (uint16_t)sys_ld(cpu, base + 100, 2);
    }
    t->eip = (uint32_t)sys_ld(cpu, base + l->eip, l->size);
    t->eflags = (uint32_t)sys_ld(cpu, base + l->eflags, l->size);
    for (unsigned i = 0; i < 8; i++) {
        t->regs[i] = (uint32_t)sys_ld(cpu, base + l->regs + i * l->size, l->size);
        if (l->size == 2) {
            t->regs[i] |= 0xFFFF0000;
        }
    }
    for (unsigned i = 0; i < l->nseg; i++) {
        t->sreg[i] = (uint16_t)sys_ld(cpu, base + l->sregs + i * l->size, 2);
    }
    t->ldt = (uint16_t)sys_ld(cpu, base + l->ldt, 2);
}

static void tss_save(struct x86_cpu *cpu, uint64_t base, const struct tss_layout *l, uint32_t eip, uint32_t eflags)
{
    sys_st(cpu, base + l->eip, eip, l->size);
    sys_st(cpu, base + l->eflags, eflags, l->size);
    for (unsigned i = 0; i < 8; i++) {
        sys_st(cpu, base + l->regs + i * l->size, cpu->regs[i], l->size);
    }
    for (unsigned i = 0; i < l->nseg; i++) {
        sys_st(cpu, base + l->sregs + i * l->size, cpu->seg[tss_seg_order[i]].sel, 2);
    }
}

static void set_busy(struct x86_cpu *cpu, uint16_t sel, bool busy)
{
    struct x86_desc d;

    if (desc_read(cpu, sel, &d)) {
        sys_st(cpu, d.la + 5, (d.hi >> 8 & 0xFD) | (busy ? 2 : 0), 1);
    }
}

static void load_ldt(struct x86_cpu *cpu, uint16_t sel)
{
    struct x86_desc d;

    if (!(sel & ~3)) {
        seg_set_null(cpu, SEG_LDT, sel);
        return;
    }
    if ((sel & 4) || !desc_read(cpu, sel, &d) || desc_s(&d) || desc_type(&d) != SYS_LDT || !desc_p(&d)) {
        fault(cpu, EXC_TS, sel);
    }
    seg_set(cpu, SEG_LDT, sel, &d);
}

/* One segment of the new task (SDM vol. 3, table 7-1): all errors are #TS, but for "not present" */
static void load_seg(struct x86_cpu *cpu, unsigned seg, uint16_t sel, unsigned cpl)
{
    struct x86_desc d;
    bool null = !(sel & ~3);
    unsigned dpl, rpl = sel & 3;

    if (null && seg != SEG_CS && seg != SEG_SS) {
        seg_set_null(cpu, seg, sel);
        return;
    }
    if (null || !desc_read(cpu, sel, &d) || !desc_s(&d)) {
        fault(cpu, EXC_TS, sel);
    }
    dpl = desc_dpl(&d);
    if (seg == SEG_CS) {
        if (!desc_is_code(&d) || (desc_is_conforming(&d) ? dpl > rpl : dpl != rpl)) {
            fault(cpu, EXC_TS, sel);
        }
    } else if (seg == SEG_SS) {
        if (!desc_is_data_rw(&d) || dpl != cpl || rpl != cpl) {
            fault(cpu, EXC_TS, sel);
        }
    } else if ((desc_type(&d) & 10) == 8 || (!desc_is_conforming(&d) && (dpl < cpl || dpl < rpl))) {
        fault(cpu, EXC_TS, sel);
    }
    if (!desc_p(&d)) {
        fault(cpu, seg == SEG_SS ? EXC_SS : EXC_NP, sel);
    }
    desc_accessed(cpu, &d);
    seg_set(cpu, seg, sel, &d);
}

/* Past the commit point: cpu has the new registers and selectors; descriptors follow, each may fault in the new task */
static void load_segments(struct x86_cpu *cpu, const struct tss_image *t)
{
    static const uint8_t load_order[] = { 2, 0, 3, 4, 5 };  /* SS, ES, DS, FS, GS: indices into sreg[] */

    if (cpu->eflags & FL_VM) {
        for (unsigned i = 0; i < 6; i++) {
            seg_set_vm86(cpu, tss_seg_order[i], t->sreg[i]);
        }
        cpu->cpl = 3;
        x86_mode_update(cpu);
        return;
    }
    for (unsigned i = 0; i < 6; i++) {
        seg_set_null(cpu, tss_seg_order[i], t->sreg[i]);
    }
    cpu->cpl = t->sreg[1] & 3;
    load_ldt(cpu, t->ldt);
    load_seg(cpu, SEG_CS, t->sreg[1], cpu->cpl);
    x86_mode_update(cpu);
    for (unsigned i = 0; i < 5; i++) {
        load_seg(cpu, tss_seg_order[load_order[i]], t->sreg[load_order[i]], cpu->cpl);
    }
    x86_mode_update(cpu);
}

void x86_task_switch(struct x86_cpu *cpu, uint16_t sel, struct x86_desc *d, enum task_why why, uint64_t next,
                     bool push_err, uint32_t err)
{
    const struct x86_seg old = cpu->seg[SEG_TR];
    const struct tss_layout *nl = layout_of(desc_type(d)), *ol = layout_of(old.attr);
    uint64_t base = desc_base(d);
    uint32_t flags = flags_get(cpu);
    struct tss_image t;

    if (x86_logs(cpu, X86_LOG_PCALL)) {
        x86_log_far(cpu, "task switch", sel, base);
    }
    if (desc_limit(d) < nl->min_limit || !old.attr || old.limit < ol->min_limit) {
        fault(cpu, EXC_TS, sel);
    }
    tss_read(cpu, base, nl, &t);
    sys_probe(cpu, old.base, ol->min_limit + 1u, true, false);
    if (why == TASK_IRET) {
        flags &= ~(uint32_t)FL_NT;
    }
    tss_save(cpu, old.base, ol, (uint32_t)next, flags);
    if (why == TASK_JMP || why == TASK_IRET) {
        set_busy(cpu, old.sel, false);
    }
    if (why != TASK_IRET) {
        set_busy(cpu, sel, true);
    }
    if (why == TASK_CALL || why == TASK_INT) {
        sys_st(cpu, base, old.sel, 2);
        t.eflags |= FL_NT;
    }

    /* commit point */
    d->hi |= 2 << 8;
    seg_set(cpu, SEG_TR, sel, d);
    cpu->cr0 |= CR0_TS;
    cpu->cur = NULL;
    cpu->regs[REG_RIP] = t.eip;
    if (nl->cr3 && (cpu->cr0 & CR0_PG) && t.cr3 != cpu->cr3) {
        x86_cr3_write(cpu, t.cr3);
    }
    flags_set(cpu, t.eflags | FL_1);
    for (unsigned i = 0; i < 8; i++) {
        cpu->regs[i] = t.regs[i];
    }
    cpu->dr[7] &= ~0x155ULL;        /* local breakpoints belong to the task */
    load_segments(cpu, &t);
    if (push_err) {
        struct x86_stack st;

        stack_init(cpu, &st);
        stack_push(cpu, &st, err, nl->size);
        stack_commit(cpu, &st);
    }
    if (t.eip > cpu->seg[SEG_CS].limit) {
        fault(cpu, EXC_GP, 0);
    }
    if (t.trap & 1) {
        cpu->dr[6] |= DR6_BT;
        x86_raise(cpu, NULL, EXC_DB);
    }
}
