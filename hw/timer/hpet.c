/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/timer/hpet.c - high precision event timer (IA-PC HPET specification 1.0a, chapter 2)
 *
 * The main counter runs at 100 MHz (10,000,000 fs a tick) and is derived from virtual time. A host timer per comparator
 * is armed for its next match while counter and timer are enabled. Timer 0 can be periodic; all are 64 bits wide with a
 * 32-bit mode. Routes offered: I/O APIC inputs 20-23; legacy replacement sends timer 0 to IRQ0 and timer 1 to IRQ8.
 * FSB (MSI) delivery is not offered.
 *
 *   General status bit n and the line of timer n: level mode keeps both until the bit is cleared; edge mode pulses.
 */
#include "hw/timer/hpet.h"
#include "lib/bits.h"

#define TICK_NS         (NS_PER_SEC / HPET_HZ)
#define PERIOD_FS       10000000ull
#define PERIOD_FLOOR_NS (20 * NS_PER_US)

enum { REG_CAP = 0x000, REG_CONFIG = 0x010, REG_STATUS = 0x020, REG_COUNTER = 0x0F0, REG_TIMERS = 0x100 };
enum { T_CONFIG = 0x00, T_COMPARATOR = 0x08, T_FSB = 0x10, T_STRIDE = 0x20 };
enum { CFG_ENABLE = 1 << 0, CFG_LEGACY = 1 << 1 };
enum {
    TN_LEVEL = 1 << 1, TN_INT_ENABLE = 1 << 2, TN_PERIODIC = 1 << 3, TN_PERIODIC_CAP = 1 << 4, TN_64BIT_CAP = 1 << 5,
    TN_VAL_SET = 1 << 6, TN_32MODE = 1 << 8, TN_ROUTE_SHIFT = 9, TN_WRITABLE = 0x3F4E & ~TN_VAL_SET,
};
#define ROUTE_CAP 0x00F00000ull

uint32_t hpet_event_timer_id(void)
{
    return 0x8086u << 16 | 1u << 15 /* legacy route */ | 1u << 13 /* 64 bits */ | (HPET_TIMERS - 1) << 8 | 0x01;
}

static bool enabled(const struct hpet *s)
{
    return s->config & CFG_ENABLE;
}

static bool legacy(const struct hpet *s)
{
    return s->config & CFG_LEGACY;
}

static uint64_t counter(const struct hpet *s)
{
    return enabled(s) ? (uint64_t)(clock_get_ns(CLOCK_VIRTUAL) - s->start_ns) / TICK_NS : s->counter;
}

static uint64_t width_mask(const struct hpet_timer *t)
{
    return t->config & TN_32MODE ? 0xFFFFFFFF : ~0ull;
}

static struct irq *line(const struct hpet_timer *t)
{
    unsigned route = bits_get(t->config, TN_ROUTE_SHIFT, 5);

    if (legacy(t->hpet) && t->n < 2) {
        return t->hpet->out[t->n == 0 ? 0 : 8];
    }
    return route < HPET_GSIS && (ROUTE_CAP & BIT(route)) ? t->hpet->out[route] : NULL;
}

/* ---- matches ---- */

static void schedule(struct hpet_timer *t)
{
    struct hpet *s = t->hpet;
    uint64_t now = counter(s), ticks;
    int64_t at;

    timer_disarm(&t->timer);
    if (!enabled(s) || !(t->config & TN_INT_ENABLE)) {
        return;
    }
    ticks = (t->comparator - now) & width_mask(t);
    if (!ticks) {                           /* matches once a full turn */
        ticks = width_mask(t);
    }
    if (now + ticks > INT64_MAX / TICK_NS / 2 || now + ticks < now) {
        return;                             /* centuries away */
    }
    at = s->start_ns + (int64_t)(now + ticks) * TICK_NS;
    if ((t->config & TN_PERIODIC) && t->period < PERIOD_FLOOR_NS / TICK_NS) {
        at = MAX(at, clock_get_ns(CLOCK_VIRTUAL) + PERIOD_FLOOR_NS);
    }
    timer_arm(&t->timer, at);
}

static void fire(struct hpet_timer *t)
{
    struct hpet *s = t->hpet;
    struct irq *irq = line(t);

    if (t->config & TN_LEVEL) {
        s->status |= BIT(t->n);
        irq_raise(irq);
    } else {
        irq_lower(irq);                     /* a pulse; the wire stays high as that of the interval timer does */
        irq_raise(irq);
    }
}

static void match(void *opaque)
{
    struct hpet_timer *t = opaque;

    if ((t->config & TN_PERIODIC) && t->period) {
        uint64_t late = (counter(t->hpet) - t->comparator) & width_mask(t);

        /* missed periods are left out */
        t->comparator = (t->comparator + (late / t->period + 1) * t->period) & width_mask(t);
    }
    fire(t);
    schedule(t);
}

static void schedule_all(struct hpet *s)
{
    for (unsigned i = 0; i < HPET_TIMERS; i++) {
        schedule(&s->t[i]);
    }
}

/* ---- the wires of the older timers ---- */

static void input(void *opaque, unsigned n, bool level)
{
    struct hpet *s = opaque;

    s->in_level[n] = level;
    if (!legacy(s)) {
        irq_set(s->out[n == HPET_PIT ? 0 : 8], level);
    }
}

static void legacy_changed(struct hpet *s)
{
    for (unsigned n = 0; n < 2; n++) {
        irq_set(s->out[n == HPET_PIT ? 0 : 8], legacy(s) ? false : s->in_level[n]);
    }
}

/* ---- registers, by 32-bit halves ---- */

static void config_write(struct hpet *s, uint64_t v)
{
    uint64_t old = s->config;

    v &= CFG_ENABLE | CFG_LEGACY;
    if ((v ^ old) & CFG_ENABLE) {
        if (v & CFG_ENABLE) {
            s->start_ns = clock_get_ns(CLOCK_VIRTUAL) - (int64_t)(s->counter * TICK_NS);
        } else {
            s->counter = counter(s);
        }
    }
    s->config = v;
    if ((v ^ old) & CFG_LEGACY) {
        legacy_changed(s);
    }
    schedule_all(s);
}

static void status_write(struct hpet *s, uint64_t v)
{
    for (unsigned i = 0; i < HPET_TIMERS; i++) {
        if (v & s->status & BIT(i)) {
            s->status &= ~BIT(i);
            irq_lower(line(&s->t[i]));
        }
    }
}

static void counter_write(struct hpet *s, uint64_t v)
{
    if (enabled(s)) {
        /* the specification wants it halted; the result is what hardware would show */
        s->start_ns = clock_get_ns(CLOCK_VIRTUAL) - (int64_t)(v * TICK_NS);
        schedule_all(s);
    }
    s->counter = v;
}

static void timer_config_write(struct hpet_timer *t, uint64_t v)
{
    struct hpet *s = t->hpet;
    uint64_t old = t->config, ro = t->config & ~(uint64_t)TN_WRITABLE;

    if ((s->status & BIT(t->n)) && ((v ^ old) & (TN_LEVEL | TN_INT_ENABLE))) {
        status_write(s, BIT(t->n));
    }
    if (!(t->config & TN_PERIODIC_CAP)) {
        v &= ~(uint64_t)TN_PERIODIC;
    }
    t->config = ro | (v & TN_WRITABLE);
    t->set_value = (v & TN_VAL_SET) && (t->config & TN_PERIODIC);
    if (t->config & TN_32MODE) {
        t->comparator = (uint32_t)t->comparator;
        t->period = (uint32_t)t->period;
    }
    schedule(t);
}

/* 2.3.9.2.2: a periodic timer takes the value as its period; with VAL_SET just written, as the next match too */
static void comparator_write(struct hpet_timer *t, uint64_t v, uint64_t mask)
{
    uint64_t period = (t->period & ~mask) | v, comparator = (t->comparator & ~mask) | v;

    if (!(t->config & TN_PERIODIC) || t->set_value) {
        t->comparator = comparator & width_mask(t);
    }
    if (t->config & TN_PERIODIC) {
        /* the driver writes the comparator with VAL_SET first, then the period without */
        t->period = period & width_mask(t);
    }
    if (mask != 0xFFFFFFFF || (t->config & TN_32MODE)) {
        t->set_value = false;
    }
    schedule(t);
}

static uint64_t reg_get(const struct hpet *s, unsigned reg)
{
    switch (reg) {
    case REG_CAP:
        return PERIOD_FS << 32 | hpet_event_timer_id();
    case REG_CONFIG:
        return s->config;
    case REG_STATUS:
        return s->status;
    case REG_COUNTER:
        return counter(s);
    default:
        if (reg >= REG_TIMERS && reg < REG_TIMERS + HPET_TIMERS * T_STRIDE) {
            const struct hpet_timer *t = &s->t[(reg - REG_TIMERS) / T_STRIDE];

            switch (reg % T_STRIDE) {
            case T_CONFIG:
                return t->config;
            case T_COMPARATOR:
                return t->comparator;
            default:
                return 0;
            }
        }
        return 0;
    }
}

static uint64_t io_read(void *opaque, uint64_t off, unsigned size)
{
    const struct hpet *s = opaque;
    unsigned shift = (off & 7) * 8;

    return off & (size - 1) ? 0 : reg_get(s, off & ~7u) >> shift;
}

static void io_write(void *opaque, uint64_t off, uint64_t val, unsigned size)
{
    struct hpet *s = opaque;
    unsigned reg = off & ~7u, shift = (off & 7) * 8;
    uint64_t mask = bits_mask(8 * size) << shift, v;
    struct hpet_timer *t;

    if (off & (size - 1)) {
        return;
    }
    v = (reg_get(s, reg) & ~mask) | (val << shift & mask);
    switch (reg) {
    case REG_CONFIG:
        config_write(s, v);
        return;
    case REG_STATUS:
        status_write(s, val << shift & mask);   /* write 1 to clear */
        return;
    case REG_COUNTER:
        counter_write(s, v);
        return;
    default:
        break;
    }
    if (reg < REG_TIMERS || reg >= REG_TIMERS + HPET_TIMERS * T_STRIDE) {
        return;
    }
    t = &s->t[(reg - REG_TIMERS) / T_STRIDE];
    if (reg % T_STRIDE == T_CONFIG) {
        timer_config_write(t, v);
    } else if (reg % T_STRIDE == T_COMPARATOR) {
        comparator_write(t, val << shift & mask, mask);
    }
}

static const struct region_ops io_ops = { io_read, io_write, 4, 8 };

/* ---- device ---- */

static bool hpet_realize(struct device *d, Error **errp)
{
    struct hpet *s = (struct hpet *)d;

    for (unsigned i = 0; i < HPET_TIMERS; i++) {
        s->t[i].hpet = s;
        s->t[i].n = i;
        timer_setup(&s->t[i].timer, CLOCK_VIRTUAL, match, &s->t[i]);
    }
    for (unsigned i = 0; i < 2; i++) {
        irq_init(&s->in[i], input, s, i);
    }
    region_init_io(&s->io, "hpet", 0x400, &io_ops, s);
    region_add(s->mem, HPET_BASE, &s->io, 0);
    return true;
}

static void hpet_unrealize(struct device *d)
{
    struct hpet *s = (struct hpet *)d;

    for (unsigned i = 0; i < HPET_TIMERS; i++) {
        timer_fini(&s->t[i].timer);
    }
    region_fini(&s->io);
}

static void hpet_reset(struct device *d)
{
    struct hpet *s = (struct hpet *)d;

    status_write(s, ~0ull);
    s->config = s->counter = 0;
    s->start_ns = 0;
    for (unsigned i = 0; i < HPET_TIMERS; i++) {
        struct hpet_timer *t = &s->t[i];

        timer_disarm(&t->timer);
        t->config = ROUTE_CAP << 32 | TN_64BIT_CAP | (i == 0 ? TN_PERIODIC_CAP : 0);
        t->comparator = ~0ull;
        t->period = 0;
        t->set_value = false;
    }
}

const struct device_type hpet_type = {
    .name = TYPE_HPET,
    .desc = "High precision event timer",
    .bus = "System",
    .size = sizeof(struct hpet),
    .category = DEVICE_CAT_MISC,
    .realize = hpet_realize,
    .unrealize = hpet_unrealize,
    .reset = hpet_reset,
};
