/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/timer/mc146818rtc.h - MC146818A real-time clock with 128 bytes of CMOS memory (ports 0x70-0x71)
 *
 * Device "mc146818rtc" on the ISA bus. The date follows a clock of ours plus an offset, so a guest that sets it only
 * moves the offset. The board sets .irq (IRQ8 through the HPET), .clock and .offset_ns before realize. Machine lock
 * held throughout.
 */
#ifndef HW_TIMER_MC146818RTC_H
#define HW_TIMER_MC146818RTC_H

#include "core/device.h"
#include "core/irq.h"
#include "core/timer.h"
#include "mem/region.h"

#define TYPE_MC146818RTC "mc146818rtc"

struct mc146818rtc {
    struct device dev;          /* first member */
    struct irq *irq;
    enum clock_type clock;      /* CLOCK_HOST: the host's date; CLOCK_VIRTUAL: counts with the guest's time */
    int64_t offset_ns;          /* Unix time shown - time of .clock */
    struct region io;
    uint8_t index;
    uint8_t cmos[128];          /* registers; 0..9 and the century are brought up to date when read */
    bool held;                  /* SET bit or divider reset: time stands still */
    int64_t held_frac_ns;       /* within the second, while held */
    int64_t seen_s;             /* second up to which UF and AF are accounted for */
    int64_t periodic_ns;        /* virtual time up to which PF is accounted for */
    struct timer update_timer;  /* on .clock: next update-ended or alarm interrupt */
    struct timer periodic_timer;/* on CLOCK_VIRTUAL */
};

enum { CMOS_CENTURY = 0x32 };

/** rtc_cmos_set() - fill a byte of CMOS memory (0x0E..0x7F) as firmware would; board, after reset */
void rtc_cmos_set(struct mc146818rtc *s, unsigned at, uint8_t v);
/** rtc_set_memory() - the sizes that firmware notes in CMOS memory */
void rtc_set_memory(struct mc146818rtc *s, uint64_t below_4g, uint64_t above_4g);

extern const struct device_type mc146818rtc_type;

#endif
