/* SPDX-License-Identifier: BSD-2-Clause */
/* softmmu/core/timer_internal.h - between the clocks, the timers and the loop */
#ifndef CORE_TIMER_INTERNAL_H
#define CORE_TIMER_INTERNAL_H

#include "core/clock.h"

/** timers_changed() - a clock was started or stopped: the loop must compute its sleep again */
void timers_changed(void);
/** timers_wait_ns() - how long until a timer is due, 0: now, -1: none. Machine lock */
int64_t timers_wait_ns(void);
/** timers_run_one() - run the earliest timer of @clock if it is due; Return: one ran */
bool timers_run_one(enum clock_type clock);

#endif
