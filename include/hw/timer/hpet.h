/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/timer/hpet.h - high precision event timer (IA-PC HPET 1.0a): three comparators on a 100 MHz counter
 *
 * Device "hpet" on the system bus at 0xFED00000. The interval timer and the clock chip drive in[HPET_PIT] and
 * in[HPET_RTC]; the HPET passes them on to out[0] and out[8], or puts its own timers 0 and 1 there (legacy
 * replacement). The board sets .mem and .out before realize. Machine lock held throughout.
 */
#ifndef HW_TIMER_HPET_H
#define HW_TIMER_HPET_H

#include "core/device.h"
#include "core/irq.h"
#include "core/timer.h"
#include "mem/region.h"

#define TYPE_HPET       "hpet"
#define HPET_BASE       0xFED00000u
#define HPET_HZ         100000000u
#define HPET_TIMERS     3
#define HPET_GSIS       24

enum { HPET_PIT, HPET_RTC };

struct hpet;

struct hpet_timer {
    struct hpet *hpet;
    unsigned n;
    uint64_t config;
    uint64_t comparator;        /* next match, in the timer's width */
    uint64_t period;            /* periodic: last value written */
    bool set_value;             /* Tn_VAL_SET_CNF: the next comparator write goes to the comparator itself */
    struct timer timer;
};

struct hpet {
    struct device dev;          /* first member */
    struct region *mem;
    struct irq *out[HPET_GSIS]; /* global system interrupts; [0] and [8] are what the 8259 calls IRQ0 and IRQ8 */
    struct irq in[2];
    bool in_level[2];
    struct region io;
    uint64_t config, status;
    uint64_t counter;           /* while halted */
    int64_t start_ns;           /* while enabled: virtual time of count 0 */
    struct hpet_timer t[HPET_TIMERS];
};

/** hpet_event_timer_id() - General Capabilities 31:0, as the ACPI HPET table repeats it */
uint32_t hpet_event_timer_id(void);

extern const struct device_type hpet_type;

#endif
