/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * core/clock.h - clocks in nanoseconds
 *
 * CLOCK_VIRTUAL is the guest's time: starts at 0, stands still while the machine is stopped, and under the test server
 * moves only when told. CLOCK_HOST is wall time (Unix epoch), CLOCK_RT monotonic host time. Any thread.
 */
#ifndef CORE_CLOCK_H
#define CORE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

enum clock_type { CLOCK_VIRTUAL, CLOCK_HOST, CLOCK_RT, CLOCK_TYPES };

#define NS_PER_SEC 1000000000LL
#define NS_PER_MS  1000000LL
#define NS_PER_US  1000LL

int64_t clock_get_ns(enum clock_type c);

/** clock_ticks() - CLOCK_VIRTUAL as ticks of a device clock of @hz, without overflow for 200 years */
uint64_t clock_ticks(int64_t ns, uint32_t hz);
/** clock_ticks_to_ns() - the first nanosecond at which clock_ticks() has reached @ticks */
int64_t clock_ticks_to_ns(uint64_t ticks, uint32_t hz);

/** clock_virtual_enable() - the machine runs or stands still (runstate.c calls it); machine lock */
void clock_virtual_enable(bool on);
/** clock_virtual_running() - it moves by itself: enabled and not manual */
bool clock_virtual_running(void);
/** clock_virtual_manual() - from now on only clock_virtual_set() moves it (test server) */
void clock_virtual_manual(void);
/** clock_virtual_set() - move a manual clock forward to @ns, running due timers in deadline order, each seeing its own time */
void clock_virtual_set(int64_t ns);

#endif
