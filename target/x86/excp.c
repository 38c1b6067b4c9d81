/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/excp.c - raising, and delivery through the IVT or IDT (SDM vol. 3, chapter 6)
 *
 * Raising stores the event and jumps to the run loop, which calls x86_deliver_raised(). Delivery changes no register
 * before its last memory access, so a fault inside it finds RIP still at the instruction, and only has to be combined
 * with the event in exc_old: two contributory ones make a double fault, one more a shutdown.
 *
 * exc_ext is 1 while an event that the program did not ask for is delivered; it becomes the EXT bit of every selector
 * error code raised meanwhile.
 */
#include "target/x86/excp.h"
#include "target/x86/debug.h"
#include "target/x86/flags.h"
#include "target/x86/seg.h"
#include "target/x86/trace_log.h"
#include "lib/log.h"
#include <inttypes.h>

/* --- raising ------------------------------------------------------------------------------------------------------ */

static void __attribute__((noreturn)) jump(struct x86_cpu *cpu, const struct x86_rec *r, unsigned vec, bool has_err,
                                           uint32_t err)
{
    if (r) {
        cpu->cur = r;
    }
    cpu->exc.vec = (uint8_t)vec;
    cpu->exc.has_err = has_err;
    cpu->exc.err = err;
    cpu->exc.soft = false;
    cpu->jf.stay = false;
    siglongjmp(cpu->jmp, 1);
}

void x86_raise(struct x86_cpu *cpu, const struct x86_rec *r, unsigned vec)
{
    jump(cpu, r, vec, false, 0);
}

void x86_raise_err(struct x86_cpu *cpu, const struct x86_rec *r, unsigned vec, uint32_t err)
{
    if (vec >= EXC_TS && vec <= EXC_GP) {
        err |= cpu->exc_ext;
    }
    jump(cpu, r, vec, true, err);
}

void x86_raise_pf(struct x86_cpu *cpu, const struct x86_rec *r, uint64_t la, uint32_t err)
{
    cpu->exc.cr2 = la;
    cpu->cr2 = la;
    if (x86_logs(cpu, X86_LOG_MMU)) {
        x86_log_mmu(cpu, "page fault", la, err);
    }
    jump(cpu, r, EXC_PF, true, err);
}

/* --- delivery ----------------------------------------------------------------------------------------------------- */

struct event {
    unsigned vec;
    bool has_err;
    uint32_t err;
    bool soft;              /* INT n, INT3, INTO: gate DPL is checked */
    bool hw;                /* INTR, NMI */
    uint64_t ip;            /* saved RIP */
    uint32_t flags;         /* saved EFLAGS */
};

static void __attribute__((noreturn)) fault(struct x86_cpu *cpu, unsigned vec, uint32_t err)
{
    x86_raise_err(cpu, NULL, vec, err);
}

static void clear_flags(struct x86_cpu *cpu, uint32_t mask)
{
    cpu->eflags &= ~mask;
}

static void deliver_real(struct x86_cpu *cpu, const struct event *ev)
{
    struct x86_stack st;
    uint32_t entry;

    if (ev->vec * 4 + 3 > cpu->idt.limit) {
        fault(cpu, EXC_GP, ev->vec * 8 + 2);
    }
    entry = (uint32_t)sys_ld(cpu, cpu->idt.base + ev->vec * 4, 4);
    stack_init(cpu, &st);
    stack_push(cpu, &st, ev->flags & 0xFFFF, 2);
    stack_push(cpu, &st, cpu->seg[SEG_CS].sel, 2);
    stack_push(cpu, &st, ev->ip, 2);
    stack_commit(cpu, &st);
    clear_flags(cpu, FL_IF | FL_TF | FL_AC | FL_RF);
    seg_set_real(cpu, SEG_CS, (uint16_t)(entry >> 16));
    cpu->regs[REG_RIP] = entry & 0xFFFF;
}

/*
 * INT n in virtual-8086 mode that stays there: CR4.VME and a clear bit in the redirection map, or the map is not asked
 */
static void deliver_vm86_local(struct x86_cpu *cpu, const struct event *ev)
{
    bool vif = (cpu->eflags & FL_IOPL) != FL_IOPL;
    uint32_t entry = (uint32_t)mmu_ld(cpu, NULL, TLB_USER, ev->vec * 4, 4), flags = ev->flags;
    struct x86_stack st;

    if (vif) {
        flags = (flags & ~(uint32_t)FL_IF) | FL_IOPL | (flags & FL_VIF ? FL_IF : 0);
    }
    stack_init(cpu, &st);
    stack_push(cpu, &st, flags & 0xFFFF, 2);
    stack_push(cpu, &st, cpu->seg[SEG_CS].sel, 2);
    stack_push(cpu, &st, ev->ip, 2);
    stack_commit(cpu, &st);
    clear_flags(cpu, FL_TF | FL_RF | (vif ? FL_VIF : FL_IF));
    seg_set_real(cpu, SEG_CS, (uint16_t)(entry >> 16));
    cpu->regs[REG_RIP] = entry & 0xFFFF;
}

/* SDM vol. 3, 20.2.3: the interrupt redirection bitmap is the 32 bytes below the I/O bitmap */
static bool vm86_redirected(struct x86_cpu *cpu, unsigned vec)
{
    const struct x86_seg *tr = &cpu->seg[SEG_TR];
    uint32_t at;

    if (!(cpu->cr4 & CR4_VME) || tr->limit < 103) {
        return false;
    }
    at = (uint32_t)sys_ld(cpu, tr->base + 102, 2) - 32 + vec / 8;
    return at <= tr->limit && !(sys_ld(cpu, tr->base + at, 1) >> (vec & 7) & 1);
}

static void gate_fetch(struct x86_cpu *cpu, const struct event *ev, struct x86_desc *g)
{
    bool lma = cpu->mode & MODE_LMA;
    unsigned size = lma ? 16 : 8, type;
    uint64_t v;

    if (ev->vec * size + size - 1 > cpu->idt.limit) {
        fault(cpu, EXC_GP, ev->vec * 8 + 2);
    }
    g->la = cpu->idt.base + ev->vec * size;
    v = sys_ld(cpu, g->la, 8);
    g->lo = (uint32_t)v;
    g->hi = (uint32_t)(v >> 32);
    g->base_hi = lma ? (uint32_t)sys_ld(cpu, g->la + 8, 4) : 0;
    type = desc_type(g);
    if (desc_s(g) || !(type == SYS_INT || type == SYS_TRAP || (!lma && type >= SYS_TASK && type <= SYS_TRAP16))) {
        fault(cpu, EXC_GP, ev->vec * 8 + 2);
    }
    if (ev->soft && desc_dpl(g) < cpu->cpl) {
        fault(cpu, EXC_GP, ev->vec * 8 + 2);
    }
    if (!desc_p(g)) {
        fault(cpu, EXC_NP, ev->vec * 8 + 2);
    }
}

static void deliver_task(struct x86_cpu *cpu, const struct event *ev, const struct x86_desc *g)
{
    uint16_t sel = (uint16_t)(g->lo >> 16);
    struct x86_desc d;

    if ((sel & 4) || !desc_read(cpu, sel, &d) || desc_s(&d) || (desc_type(&d) & ~8u) != SYS_TSS16) {
        fault(cpu, EXC_GP, sel & 0xFFFC);
    }
    if (!desc_p(&d)) {
        fault(cpu, EXC_NP, sel & 0xFFFC);
    }
    cpu->eflags = ev->flags & ~(uint32_t)FL_ARITH;     /* RF of a fault goes into the old TSS */
    x86_task_switch(cpu, sel, &d, TASK_INT, ev->ip, ev->has_err, ev->err);
}

/* The frame of a 64-bit gate: always SS:RSP, on a stack aligned to 16 bytes */
static void push_frame64(struct x86_cpu *cpu, const struct event *ev, struct x86_stack *st)
{
    st->sp &= ~15ULL;
    stack_push(cpu, st, cpu->seg[SEG_SS].sel, 8);
    stack_push(cpu, st, cpu->regs[R_SP], 8);
    stack_push(cpu, st, ev->flags, 8);
    stack_push(cpu, st, cpu->seg[SEG_CS].sel, 8);
    stack_push(cpu, st, ev->ip, 8);
    if (ev->has_err) {
        stack_push(cpu, st, ev->err, 8);
    }
}

static void push_frame(struct x86_cpu *cpu, const struct event *ev, struct x86_stack *st, bool inner, unsigned size)
{
    static const uint8_t vm86_order[] = { SEG_GS, SEG_FS, SEG_DS, SEG_ES };

    if (inner) {
        if (cpu->eflags & FL_VM) {
            for (unsigned i = 0; i < 4; i++) {
                stack_push(cpu, st, cpu->seg[vm86_order[i]].sel, size);
            }
        }
        stack_push(cpu, st, cpu->seg[SEG_SS].sel, size);
        stack_push(cpu, st, cpu->regs[R_SP], size);
    }
    stack_push(cpu, st, ev->flags, size);
    stack_push(cpu, st, cpu->seg[SEG_CS].sel, size);
    stack_push(cpu, st, ev->ip, size);
    if (ev->has_err) {
        stack_push(cpu, st, ev->err, size);
    }
}

/* The handler's code segment, checked; Return: its privilege level */
static unsigned handler_cs(struct x86_cpu *cpu, uint16_t sel, struct x86_desc *d)
{
    unsigned dpl;

    if (!(sel & ~3)) {
        fault(cpu, EXC_GP, 0);
    }
    if (!desc_read(cpu, sel, d) || !desc_is_code(d) || desc_dpl(d) > cpu->cpl ||
        ((cpu->mode & MODE_LMA) && (!desc_l(d) || desc_db(d)))) {
        fault(cpu, EXC_GP, sel & 0xFFFC);
    }
    if (!desc_p(d)) {
        fault(cpu, EXC_NP, sel & 0xFFFC);
    }
    dpl = desc_is_conforming(d) ? cpu->cpl : desc_dpl(d);
    if ((cpu->eflags & FL_VM) && dpl != 0) {
        fault(cpu, EXC_GP, sel & 0xFFFC);
    }
    return dpl;
}

static void deliver_prot(struct x86_cpu *cpu, const struct event *ev)
{
    static const uint8_t data[] = { SEG_ES, SEG_DS, SEG_FS, SEG_GS };
    bool lma = cpu->mode & MODE_LMA, inner;
    struct x86_seg ss = cpu->seg[SEG_SS];
    struct x86_desc g, d;
    struct x86_stack st;
    uint64_t ip;
    unsigned cpl;

    gate_fetch(cpu, ev, &g);
    if (desc_type(&g) == SYS_TASK) {
        deliver_task(cpu, ev, &g);
        return;
    }
    cpl = handler_cs(cpu, (uint16_t)(g.lo >> 16), &d);
    inner = cpl < cpu->cpl;
    ip = (g.lo & 0xFFFF) | (desc_type(&g) & 8 ? g.hi & 0xFFFF0000 : 0) | (uint64_t)g.base_hi << 32;
    if (lma) {
        unsigned ist = g.hi & 7;

        stack_init_new(cpu, &st, NULL, ist || inner ? tss_stack64(cpu, cpl, ist) : cpu->regs[R_SP], cpl);
        seg_check_ip(cpu, &d, ip);
        push_frame64(cpu, ev, &st);
        if (inner) {
            ss = (struct x86_seg){ .sel = (uint16_t)cpl };
        }
    } else {
        if (inner) {
            uint32_t esp;

            tss_stack(cpu, cpl, &ss, &esp);
            stack_init_new(cpu, &st, &ss, esp, cpl);
        } else {
            stack_init(cpu, &st);
        }
        seg_check_ip(cpu, &d, ip);
        push_frame(cpu, ev, &st, inner, desc_type(&g) & 8 ? 4 : 2);
    }
    desc_accessed(cpu, &d);
    if (cpu->eflags & FL_VM) {
        for (unsigned i = 0; i < 4; i++) {
            seg_set_null(cpu, data[i], 0);
        }
    }
    cpu->seg[SEG_SS] = ss;
    stack_commit(cpu, &st);
    seg_set(cpu, SEG_CS, (uint16_t)(((g.lo >> 16) & ~3u) | cpl), &d);
    cpu->cpl = (uint8_t)cpl;
    cpu->regs[REG_RIP] = ip;
    clear_flags(cpu, FL_TF | FL_VM | FL_RF | FL_NT | (desc_type(&g) & 1 ? 0 : FL_IF));
}

static void deliver(struct x86_cpu *cpu, const struct event *ev, bool vm86_int)
{
    if (x86_logs(cpu, X86_LOG_INT)) {
        x86_log_int(cpu, &(struct x86_log_event){ ev->vec, ev->has_err, ev->soft, ev->hw, ev->err, ev->ip });
    }
    if (!(cpu->cr0 & CR0_PE)) {
        deliver_real(cpu, ev);
    } else if (vm86_int && vm86_redirected(cpu, ev->vec)) {
        deliver_vm86_local(cpu, ev);
    } else if (vm86_int && (cpu->eflags & FL_IOPL) != FL_IOPL) {
        fault(cpu, EXC_GP, 0);
    } else {
        deliver_prot(cpu, ev);
    }
    cpu->exc_old = -1;
    cpu->exc_ext = 0;
    cpu->shadow = 0;
    cpu->halted = false;
    x86_mode_update(cpu);
}

void x86_deliver(struct x86_cpu *cpu, unsigned vec, bool has_err, uint32_t err, enum x86_deliver_kind kind)
{
    struct event ev = {
        .vec = vec, .has_err = has_err, .err = err, .soft = kind == DELIVER_SOFT, .hw = kind == DELIVER_HW,
        .ip = cpu->regs[REG_RIP], .flags = flags_get(cpu),
    };

    cpu->cur = NULL;
    cpu->exc_ext = kind != DELIVER_SOFT;
    cpu->exc_old = kind == DELIVER_EXC ? (int)vec : -1;
    if (kind == DELIVER_HW && vec == EXC_NMI) {
        cpu->nmi_blocked = true;
    }
    deliver(cpu, &ev, false);
}

void x86_soft_int(struct x86_cpu *cpu, const struct x86_rec *r, unsigned vec, bool opcode_cd)
{
    /* as if from outside: no DPL check, EXT set (SDM vol. 3, 6.4.2, 6.13) */
    bool int1 = vec == EXC_DB && !opcode_cd;
    struct event ev = {
        .vec = vec, .soft = !int1, .ip = x86_ip(cpu, r) + r->len, .flags = flags_get(cpu),
    };

    if (!(cpu->mode & MODE_64)) {
        ev.ip = (uint32_t)ev.ip;
    }
    cpu->cur = r;
    cpu->exc_ext = int1;
    cpu->exc_old = -1;
    deliver(cpu, &ev, opcode_cd && (cpu->eflags & FL_VM));
}

/* --- faults, faults in faults ------------------------------------------------------------------------------------- */

static bool contributory(int vec)
{
    return vec == EXC_DE || (vec >= EXC_TS && vec <= EXC_GP);
}

/* SDM vol. 3, table 6-5. Return: false for a shutdown; else cpu->exc is what is to be delivered */
static bool combine(struct x86_cpu *cpu)
{
    int first = cpu->exc_old, second = cpu->exc.vec;

    if (first < 0) {
        return true;
    }
    if (first == EXC_DF && (contributory(second) || second == EXC_PF)) {
        return false;
    }
    if ((contributory(first) && contributory(second)) ||
        (first == EXC_PF && (contributory(second) || second == EXC_PF))) {
        cpu->exc.vec = EXC_DF;
        cpu->exc.has_err = true;
        cpu->exc.err = 0;
    }
    return true;
}

void x86_deliver_raised(struct x86_cpu *cpu)
{
    struct event ev;

    if (cpu->cur) {
        cpu->regs[REG_RIP] = x86_ip(cpu, cpu->cur);
        cpu->cur = NULL;
    }
    if (!combine(cpu)) {
        log_guest(LOG_INT | LOG_CPU_RESET, "triple fault at %04x:%016" PRIx64 "\n", cpu->seg[SEG_CS].sel,
                  cpu->regs[REG_RIP]);
        cpu->shutdown = true;
        cpu->exc_old = -1;
        cpu->exc_ext = 0;
        return;
    }
    ev = (struct event){
        .vec = cpu->exc.vec, .has_err = cpu->exc.has_err, .err = cpu->exc.err, .ip = cpu->regs[REG_RIP],
        .flags = flags_get(cpu) | (cpu->exc.vec != EXC_DB ? FL_RF : 0),
    };
    if (ev.vec == EXC_DB) {
        cpu->dr[7] &= ~(uint64_t)DR7_GD;
    }
    cpu->db_hit = 0;
    cpu->exc_ext = 1;
    cpu->exc_old = cpu->exc.vec;
    deliver(cpu, &ev, false);
}
