/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/timer/acpi_pm_timer.h - the ACPI power management timer: 24 bits at 3.579545 MHz (ACPI 6.3, 4.8.3.3)
 *
 * Embedded in whoever decodes its port. TMR_STS is set each time bit 23 changes; it is brought up to date by
 * pm_timer_poll(), and a host timer is armed only while its interrupt is enabled. Machine lock held.
 */
#ifndef HW_TIMER_ACPI_PM_TIMER_H
#define HW_TIMER_ACPI_PM_TIMER_H

#include "core/timer.h"

#define PM_TIMER_HZ 3579545u

struct pm_timer {
    struct timer timer;
    void (*carry)(void *opaque);    /* bit 23 changed while the interrupt is enabled */
    void *opaque;
    uint64_t seen;                  /* half turns accounted for */
};

void pm_timer_init(struct pm_timer *t, void (*carry)(void *opaque), void *opaque);
void pm_timer_fini(struct pm_timer *t);
/** pm_timer_read() - the port */
uint32_t pm_timer_read(const struct pm_timer *t);
/** pm_timer_poll() - did bit 23 change since the last call? */
bool pm_timer_poll(struct pm_timer *t);
/** pm_timer_enable() - call carry() at the next change, or never */
void pm_timer_enable(struct pm_timer *t, bool on);

#endif
