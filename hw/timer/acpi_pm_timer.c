/* SPDX-License-Identifier: BSD-2-Clause */
/* hw/timer/acpi_pm_timer.c - the count follows from virtual time; a half turn is 2^23 ticks, 2.34 s */
#include "hw/timer/acpi_pm_timer.h"
#include "lib/bits.h"

static uint64_t half_turns(void)
{
    return clock_ticks(clock_get_ns(CLOCK_VIRTUAL), PM_TIMER_HZ) >> 23;
}

static void expired(void *opaque)
{
    struct pm_timer *t = opaque;

    t->carry(t->opaque);
}

void pm_timer_init(struct pm_timer *t, void (*carry)(void *opaque), void *opaque)
{
    t->carry = carry;
    t->opaque = opaque;
    t->seen = half_turns();
    timer_setup(&t->timer, CLOCK_VIRTUAL, expired, t);
}

void pm_timer_fini(struct pm_timer *t)
{
    timer_fini(&t->timer);
}

uint32_t pm_timer_read(const struct pm_timer *t)
{
    return clock_ticks(clock_get_ns(CLOCK_VIRTUAL), PM_TIMER_HZ) & 0xFFFFFF;
}

bool pm_timer_poll(struct pm_timer *t)
{
    uint64_t now = half_turns();
    bool changed = now != t->seen;

    t->seen = now;
    return changed;
}

void pm_timer_enable(struct pm_timer *t, bool on)
{
    if (on) {
        timer_arm(&t->timer, clock_ticks_to_ns((half_turns() + 1) << 23, PM_TIMER_HZ));
    } else {
        timer_disarm(&t->timer);
    }
}
