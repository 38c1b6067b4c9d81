/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/interp/run.c - x86_cpu_run(): events, then blocks, until somebody wants the CPU back
 *
 * Blocks hand control to each other (flow.c) and come back here, by returning NULL, only when there is something to see
 * to: the exit word is set, an event is pending after an instruction that may have opened the way for it, an interrupt
 * shadow or single step. The exit word is cleared before cpu->pending is read, and set by other threads after they have
 * written it: nothing is lost.
 *
 * Faults jump: x86_raise() lands in the sigsetjmp() here with cpu->exc filled in and cpu->cur at the record to blame
 * (NULL: RIP is right already).
 *
 * Interrupt shadow (SDM vol. 3, 6.8.3). When nothing is pending, the next block just runs: its first instruction is
 * past before anybody looks. With something pending, and where the next block may be translated code, which looks when
 * it begins, a one-instruction block goes first.
 */
#include "core/loop.h"
#include "target/x86/control.h"
#include "target/x86/debug.h"
#include "target/x86/fp.h"
#include "target/x86/interp/fast.h"
#include "target/x86/jit/jit.h"

const struct x86_rec *x86_goto(struct x86_cpu *cpu)
{
    const struct x86_rec *n;

    if (exit_asked(cpu) || cpu->mode & MODE_STEP) {
        return NULL;
    }
    n = x86_block_at(cpu, cpu->mode);
    X86_GO(cpu, n);
}

const struct x86_rec *x86_follow_slow(struct x86_cpu *cpu, struct x86_tail *t, unsigned i)
{
    const struct x86_block *from, *to;
    const struct x86_rec *n;
    uint64_t flushes = cpu->eng->flushes;

    if (!(cpu->mode & MODE_64)) {
        cpu->regs[REG_RIP] = (uint32_t)cpu->regs[REG_RIP];
    }
    if (exit_asked(cpu)) {
        return NULL;
    }
    if (!t->linkable[i] && cpu->mode & (MODE_64 | MODE_FLAT_CS) && !x86_logs(cpu, ENTER_LOGS)) {    /* another page: the jump cache may know it */
        n = x86_jc_find(cpu, cpu->regs[REG_RIP]);
        if (likely(n)) {
            X86_GO(cpu, n);
        }
    }
    n = x86_block_at(cpu, cpu->mode);
    if (flushes == cpu->eng->flushes && t->linkable[i] && !x86_logs(cpu, X86_LOG_NOCHAIN)) {
        from = x86_tail_block(t);
        to = container_of(n, struct x86_block, recs);
        if (!((from->flags | to->flags) & (BLOCK_IO | BLOCK_DEAD)) && to->phys2 == ~0ULL && to->mode == from->mode &&
            from->phys >> RAM_PAGE_BITS == to->phys >> RAM_PAGE_BITS) {
            t->to[i] = n;
        }
    }
    X86_GO(cpu, n);
}

const struct x86_rec *x86_leave_to(struct x86_cpu *cpu)
{
    const struct x86_rec *n;

    if (cpu->jf.stay || x86_must_look(cpu)) {
        return NULL;
    }
    n = x86_block_at(cpu, cpu->mode);
    if (cpu->shadow && cpu->jit) {
        return x86_jit_shadowed(cpu, n);
    }
    cpu->shadow = 0;
    X86_GO(cpu, n);
}

const struct x86_rec *x86_leave(struct x86_cpu *cpu, const struct x86_rec *r)
{
    cpu->regs[REG_RIP] += r->off + r->len;
    if (!(cpu->mode & MODE_64)) {
        cpu->regs[REG_RIP] = (uint32_t)cpu->regs[REG_RIP];
    }
    if (r->flags & REC_LAST) {
        cpu->icount += tail_of(r)->n;
    }
    return x86_leave_to(cpu);
}

static void run_from(struct x86_cpu *cpu, const struct x86_rec *r)
{
    while (r) {
        r = r->fn(cpu, r);
    }
}

static void pending_clear(struct x86_cpu *cpu, uint32_t bits)
{
    __atomic_fetch_and(&cpu->pending, ~bits, __ATOMIC_SEQ_CST);
}

/* Changes that other threads asked for, not visible as events of the processor */
static void run_housekeeping(struct x86_cpu *cpu, uint32_t pending)
{
    pending_clear(cpu, pending & (PEND_CODE | PEND_FLUSH | PEND_A20 | PEND_LOG));
    if (pending & PEND_CODE) {
        x86_engine_wrote(cpu);
    }
    if (pending & PEND_LOG) {
        x86_engine_flush(cpu);
    }
    if (pending & PEND_A20) {
        cpu->a20_mask_low = __atomic_load_n(&cpu->a20_next, __ATOMIC_SEQ_CST) ? 0xFFFFFFFF : 0xFFEFFFFF;
    }
    if (pending & (PEND_FLUSH | PEND_A20)) {
        x86_tlb_flush_all(cpu);
    }
}

static bool intr_open(const struct x86_cpu *cpu)
{
    return cpu->eflags & FL_IF && !cpu->shadow;
}

/* INTR and NMI, SDM vol. 3, table 6-2. Return: something was delivered */
static bool run_interrupts(struct x86_cpu *cpu, uint32_t pending)
{
    int vec;

    if (pending & PEND_NMI && !cpu->nmi_blocked && !cpu->shadow) {
        pending_clear(cpu, PEND_NMI);
        cpu->halted = false;
        cpu->nmi_blocked = true;
        x86_deliver(cpu, EXC_NMI, false, 0, DELIVER_HW);
        return true;
    }
    if (pending & PEND_INTR && intr_open(cpu)) {
        machine_lock();
        vec = cpu->plat.ack_irq(cpu->plat.opaque);
        machine_unlock();
        if (vec >= 0) {
            cpu->halted = false;
            x86_deliver(cpu, (uint8_t)vec, false, 0, DELIVER_HW);
            return true;
        }
    }
    return false;
}

/* Return: x86_cpu_run() is over, *why says so */
static bool run_events(struct x86_cpu *cpu, enum x86_exit *why)
{
    uint32_t pending;

    __atomic_store_n(&cpu->exit_request, 0, __ATOMIC_SEQ_CST);
    pending = __atomic_load_n(&cpu->pending, __ATOMIC_SEQ_CST);
    cpu->cur = NULL;
    if (unlikely(pending & (PEND_CODE | PEND_FLUSH | PEND_A20 | PEND_LOG))) {
        run_housekeeping(cpu, pending);
    }
    if (unlikely(pending & PEND_KICK)) {
        pending_clear(cpu, PEND_KICK);
        *why = X86_EXIT_KICK;
        return true;
    }
    if (unlikely(pending & PEND_INIT)) {
        pending_clear(cpu, PEND_INIT);
        x86_cpu_do_init(cpu);
        pending = __atomic_load_n(&cpu->pending, __ATOMIC_SEQ_CST);
    }
    if (unlikely(cpu->wait_sipi)) {
        if (pending & PEND_SIPI) {
            pending_clear(cpu, PEND_SIPI);
            x86_cpu_do_sipi(cpu, __atomic_load_n(&cpu->sipi_vector, __ATOMIC_SEQ_CST));
        }
        *why = X86_EXIT_HALT;
        return cpu->wait_sipi;
    }
    if (unlikely(pending & PEND_SIPI)) {
        pending_clear(cpu, PEND_SIPI);      /* not waiting for it: ignored */
    }
    if (unlikely(cpu->shutdown)) {
        *why = X86_EXIT_SHUTDOWN;
        return true;
    }
    if (pending & (PEND_NMI | PEND_INTR)) {
        run_interrupts(cpu, pending);
    }
    if (cpu->halted) {
        if (cpu->jit) {
            x86_jit_idle(cpu);
        }
        *why = X86_EXIT_HALT;
        return true;
    }
    if (!(cpu->mode & MODE_STEP)) {
        cpu->eflags &= ~(uint32_t)FL_RF;    /* nobody was interested; x86_step_before() clears it otherwise */
    }
    return false;
}

/* Software interrupts clear TF on the way: no step trap after them (SDM vol. 3, 17.3.2) */
static bool step_silent(unsigned op)
{
    return op == OP_INT || op == OP_INT3 || op == OP_INT1 || op == OP_INTO || op == OP_SYSCALL || op == OP_SYSENTER;
}

/* One instruction: interrupt shadow with something pending, TF, breakpoints */
static void run_step(struct x86_cpu *cpu)
{
    bool stepping = cpu->mode & MODE_STEP, tf = cpu->eflags & FL_TF;
    const struct x86_rec *r;
    unsigned op;

    if (stepping) {
        x86_step_before(cpu);
    }
    r = x86_block_at(cpu, cpu->mode | MODE_STEP);
    op = r->op;
    cpu->shadow = 0;
    __atomic_store_n(&cpu->exit_request, 1, __ATOMIC_RELAXED);  /* whoever leaves the block comes back here */
    run_from(cpu, r);
    if (stepping || cpu->db_hit) {
        x86_step_after(cpu, tf && !step_silent(op));
    }
}

/* A fault, by x86_raise(). The interrupt shadow ends with it */
static void run_fault(struct x86_cpu *cpu)
{
    cpu->shadow = 0;
    x86_deliver_raised(cpu);
}

enum x86_exit x86_cpu_run(struct x86_cpu *cpu)
{
    enum x86_exit why = X86_EXIT_KICK;

    if (sigsetjmp(cpu->jmp, 0)) {
        run_fault(cpu);                 /* the floating-point environment is as the fault left it */
    } else {
        x86_fp_enter(cpu);
    }
    while (!run_events(cpu, &why)) {
        if (unlikely(cpu->shadow || cpu->mode & MODE_STEP)) {
            run_step(cpu);
        } else {
            run_from(cpu, x86_block_at(cpu, cpu->mode));
        }
    }
    x86_fp_leave(cpu);
    return why;
}
