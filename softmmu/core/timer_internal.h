/* SPDX-License-Identifier: BSD-2-Clause */
/* softmmu/core/timer_internal.h - between the clocks and the timers */
#ifndef CORE_TIMER_INTERNAL_H
#define CORE_TIMER_INTERNAL_H

#include "core/clock.h"

/** timers_changed() - a clock was started or stopped: the loop must compute its sleep again */
void timers_changed(void);
/** timers_run_one() - run the earliest timer of @clock if it is due; Return: one ran */
bool timers_run_one(enum clock_type clock);

#endif
