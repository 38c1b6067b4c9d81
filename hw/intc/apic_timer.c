/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/intc/apic_timer.c - the local APIC timer: one-shot, periodic, TSC deadline (Intel SDM vol. 3, 10.5.4)
 *
 * The count is not counted: it follows from the virtual time since the initial count was written. A host timer is armed
 * only while its end would interrupt (unmasked), so a masked or unused timer costs nothing.
 */
#include "hw/intc/apic_internal.h"

/* A periodic timer fires no more often than this, whatever the guest asks for (missed periods are left out). */
#define PERIOD_FLOOR_NS (10 * NS_PER_US)
/* A TSC deadline farther away than a century never comes. */
#define DEADLINE_MAX_NS (100ull * 366 * 86400 * NS_PER_SEC)

static unsigned mode(const struct apic *s)
{
    return bits_get(s->lvt[LVT_TIMER], LVT_TIMER_MODE_SHIFT, 2);
}

/*
 * Divide configuration, figure 10-10: bits 3, 1, 0 make 0..7 for 2, 4, ... 128, 1; 1 GHz bus: count << shift is
 * nanoseconds
 */
static unsigned shift(const struct apic *s)
{
    return (((s->divide & 3) | ((s->divide >> 1) & 4)) + 1) & 7;
}

uint32_t apic_timer_current(const struct apic *s)
{
    uint64_t elapsed;

    if (!s->init_count || mode(s) == TIMER_DEADLINE) {
        return 0;
    }
    elapsed = (uint64_t)(clock_get_ns(CLOCK_VIRTUAL) - s->timer_start) >> shift(s);
    if (mode(s) == TIMER_PERIODIC) {
        return s->init_count - elapsed % s->init_count;
    }
    return elapsed >= s->init_count ? 0 : s->init_count - (uint32_t)elapsed;
}

void apic_timer_schedule(struct apic *s)
{
    int64_t now = clock_get_ns(CLOCK_VIRTUAL), period = (int64_t)((uint64_t)s->init_count << shift(s)), elapsed;

    timer_disarm(&s->timer);
    if (s->lvt[LVT_TIMER] & LVT_MASKED) {
        return;
    }
    if (mode(s) == TIMER_DEADLINE) {
        uint64_t tsc = s->ops->tsc(s->opaque), left = s->deadline > tsc ? s->deadline - tsc : 0;

        if (s->deadline && left < DEADLINE_MAX_NS) {
            timer_arm(&s->timer, now + (int64_t)left);
        }
        return;
    }
    if (!period) {
        return;
    }
    elapsed = now - s->timer_start;
    if (mode(s) == TIMER_ONESHOT) {
        if (elapsed < period) {
            timer_arm(&s->timer, s->timer_start + period);
        }
        return;
    }
    timer_arm(&s->timer, MAX(now - elapsed % period + period, now + (period < PERIOD_FLOOR_NS ? PERIOD_FLOOR_NS : 1)));
}

static void expired(void *opaque)
{
    struct apic *s = opaque;

    if (mode(s) == TIMER_DEADLINE) {
        s->deadline = 0;
    }
    apic_lvt_fire(s, LVT_TIMER);
    if (mode(s) == TIMER_PERIODIC) {
        apic_timer_schedule(s);
    }
}

void apic_timer_setup(struct apic *s)
{
    timer_setup(&s->timer, CLOCK_VIRTUAL, expired, s);
}

void apic_timer_set_count(struct apic *s, uint32_t v)
{
    if (mode(s) == TIMER_DEADLINE) {
        return;                             /* 10.5.4.1: ignored */
    }
    s->init_count = v;
    s->timer_start = clock_get_ns(CLOCK_VIRTUAL);
    apic_timer_schedule(s);
}

void apic_timer_set_divide(struct apic *s, uint32_t v)
{
    uint32_t left = apic_timer_current(s);

    s->divide = v & 0xB;
    s->timer_start = clock_get_ns(CLOCK_VIRTUAL) - (int64_t)((uint64_t)(s->init_count - left) << shift(s));
    apic_timer_schedule(s);
}

void apic_timer_set_lvt(struct apic *s, uint32_t v)
{
    unsigned before = mode(s);

    s->lvt[LVT_TIMER] = v;
    if (mode(s) != before && (before == TIMER_DEADLINE || mode(s) == TIMER_DEADLINE)) {
        s->init_count = 0;                  /* a change to or from deadline mode disarms the timer */
        s->deadline = 0;
    }
    apic_timer_schedule(s);
}

void apic_timer_set_deadline(struct apic *s, uint64_t v)
{
    if (mode(s) != TIMER_DEADLINE) {
        return;
    }
    s->deadline = v;
    if (v && v <= s->ops->tsc(s->opaque)) {
        timer_disarm(&s->timer);
        expired(s);                         /* already over: no detour through the main loop */
    } else {
        apic_timer_schedule(s);
    }
}
