/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * core/timer.h - one-shot timers on the clocks of core/clock.h; callbacks run in the main loop with the machine lock held
 */
#ifndef CORE_TIMER_H
#define CORE_TIMER_H

#include "core/clock.h"

typedef void timer_fn(void *opaque);

/* Embedded in its owner. Armed and disarmed with the machine lock held. */
struct timer {
    enum clock_type clock;
    timer_fn *fn;
    void *opaque;
    int64_t expire_ns;          /* -1: not armed */
    unsigned heap_pos;
};

void timer_setup(struct timer *t, enum clock_type clock, timer_fn *fn, void *opaque);
/** timer_arm() - (re)arm for an absolute time of its clock; a time in the past fires in the next loop round */
void timer_arm(struct timer *t, int64_t expire_ns);
void timer_disarm(struct timer *t);
static inline bool timer_armed(const struct timer *t)
{
    return t->expire_ns >= 0;
}
/** timer_fini() - disarm; afterwards the callback cannot run */
void timer_fini(struct timer *t);
/** timer_next_ns() - deadline of the earliest timer on @clock, -1: none */
int64_t timer_next_ns(enum clock_type clock);

#endif
