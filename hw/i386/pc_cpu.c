/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/i386/pc_cpu.c - CPUs on the board: engine and local APIC made to fit each other
 *
 * CPU -> APIC: struct x86_platform (acknowledge, MSRs, CR8, FERR#). APIC -> CPU: struct apic_cpu_ops. Both run with the
 * machine lock held. Without a CPU (test server) the APIC is there all the same and its pins lead nowhere.
 */
#include "hw/i386/pc_internal.h"

/* ---- CPU asks ---- */

static int ack_irq(void *opaque)
{
    return apic_ack(((struct pc_cpu *)opaque)->apic);
}

static bool rdmsr(void *opaque, uint32_t msr, uint64_t *val)
{
    return apic_rdmsr(((struct pc_cpu *)opaque)->apic, msr, val);
}

static bool wrmsr(void *opaque, uint32_t msr, uint64_t val)
{
    return apic_wrmsr(((struct pc_cpu *)opaque)->apic, msr, val);
}

static uint8_t cr8_get(void *opaque)
{
    return apic_cr8_get(((struct pc_cpu *)opaque)->apic);
}

static void cr8_set(void *opaque, uint8_t v)
{
    apic_cr8_set(((struct pc_cpu *)opaque)->apic, v);
}

/* PIIX3 2.5.8.3: FERR# raises IRQ13 until port 0xF0 is written */
static void ferr(void *opaque)
{
    irq_raise(&((struct pc_cpu *)opaque)->pc->gsi[13]);
}

/* The date of the board's clock; the host's where the board shows local time, which is nobody's business but its guest's */
static int64_t wall_ns(void *opaque)
{
    const struct pc *pc = opaque;
    int64_t ns = 0;

    machine_lock();
    if (pc->rtc) {
        ns = pc->rtc_localtime ? clock_get_ns(CLOCK_HOST) : clock_get_ns(pc->rtc->clock) + pc->rtc->offset_ns;
    }
    machine_unlock();
    return ns;
}

static const struct x86_platform platform_hooks = {
    .ack_irq = ack_irq, .rdmsr = rdmsr, .wrmsr = wrmsr, .cr8_get = cr8_get, .cr8_set = cr8_set, .ferr = ferr,
};

/* ---- APIC drives ---- */

static void pin_intr(void *opaque, bool level)
{
    struct pc_cpu *c = opaque;

    if (c->x86) {
        x86_cpu_set_intr(c->x86, level);
    }
}

static void pin_nmi(void *opaque)
{
    struct pc_cpu *c = opaque;

    if (c->x86) {
        x86_cpu_nmi(c->x86);
    }
}

static void pin_init(void *opaque)
{
    struct pc_cpu *c = opaque;

    if (c->x86) {
        x86_cpu_init(c->x86);
    }
}

static void pin_sipi(void *opaque, uint8_t vector)
{
    struct pc_cpu *c = opaque;

    if (c->x86) {
        x86_cpu_sipi(c->x86, vector);
    }
}

static uint64_t tsc(void *opaque)
{
    struct pc_cpu *c = opaque;

    return c->x86 ? x86_tsc(c->x86) : (uint64_t)clock_get_ns(CLOCK_VIRTUAL);
}

static const struct apic_cpu_ops apic_pins = { pin_intr, pin_nmi, pin_init, pin_sipi, tsc };

void pc_set_a20(void *opaque, bool on)
{
    struct pc *pc = opaque;

    for (unsigned i = 0; i < pc->ncpus; i++) {
        if (pc->cpu[i].x86) {
            x86_cpu_set_a20(pc->cpu[i].x86, on);
        }
    }
}

/* ---- life ---- */

static int pic_ack(void *opaque)
{
    return i8259_ack(((struct pc *)opaque)->pic);
}

static bool cpu_init(struct pc *pc, unsigned n, const struct pc_config *cfg, Error **errp)
{
    struct pc_cpu *c = &pc->cpu[n];
    struct apic *a;

    c->pc = pc;
    c->n = n;
    if (cfg->cpu) {
        struct x86_platform hooks = platform_hooks;
        struct x86_features *f = x86_features_parse(cfg->cpu, errp);

        hooks.opaque = c;
        c->x86 = f ? x86_cpu_new(f, &pc->mem, &pc->io, &hooks, errp) : NULL;
        if (!c->x86 || (cfg->engine && !x86_cpu_set_engine(c->x86, cfg->engine, errp))) {
            return false;
        }
        x86_cpu_set_wall_clock(c->x86, wall_ns, pc);
    }
    a = c->apic = (struct apic *)device_new(&apic_type, NULL);
    a->bus = &pc->apics;
    a->ops = &apic_pins;
    a->opaque = c;
    a->index = n;
    a->mem = &pc->mem;
    a->has_x2apic = c->x86 && x86_cpu_has_feature(c->x86, "x2apic");
    a->has_deadline = c->x86 && x86_cpu_has_feature(c->x86, "tsc-deadline");
    if (!device_realize(&a->dev, NULL, errp)) {
        device_free(&a->dev);
        c->apic = NULL;
        return false;
    }
    return true;
}

static void cpu_free(struct pc_cpu *c)
{
    if (c->x86) {
        x86_cpu_free(g_steal_pointer(&c->x86));
    }
}

bool pc_cpus_init(struct pc *pc, const struct pc_config *cfg, Error **errp)
{
    unsigned n = cfg->cpus ? cfg->cpus : 1;

    if (n > PC_CPUS_MAX) {
        error_setg(errp, "Invalid SMP CPUs %u. The max CPUs supported by machine 'pc-i440fx-11.1' is %d", n,
                   PC_CPUS_MAX);
        return false;
    }
    pc->cpu = g_new0(struct pc_cpu, n);
    apic_bus_init(&pc->apics, &pc->mem_root);
    pc->apics.pic_ack = pic_ack;
    pc->apics.pic_opaque = pc;
    for (; pc->ncpus < n; pc->ncpus++) {
        if (!cpu_init(pc, pc->ncpus, cfg, errp)) {
            cpu_free(&pc->cpu[pc->ncpus]);
            return false;
        }
        if (pc->ncpus) {
            x86_cpu_join(pc->cpu[0].x86, pc->cpu[pc->ncpus].x86);
        }
        if (pc->cpu[pc->ncpus].x86) {
            x86_cpu_set_topology(pc->cpu[pc->ncpus].x86, pc->ncpus, n);
        }
    }
    return true;
}

/* The APICs are devices and already gone. */
void pc_cpus_fini(struct pc *pc)
{
    for (unsigned i = 0; i < pc->ncpus; i++) {
        cpu_free(&pc->cpu[i]);
    }
    if (pc->cpu) {
        apic_bus_fini(&pc->apics);
    }
    g_clear_pointer(&pc->cpu, g_free);
    pc->ncpus = 0;
}

void pc_cpus_reset(struct pc *pc)
{
    for (unsigned i = 0; i < pc->ncpus; i++) {
        if (pc->cpu[i].x86) {
            x86_cpu_reset(pc->cpu[i].x86);
            x86_cpu_set_intr(pc->cpu[i].x86, pc->cpu[i].apic->intr_level);
        }
    }
}
