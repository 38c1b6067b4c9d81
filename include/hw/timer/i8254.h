/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/timer/i8254.h - 8254 programmable interval timer (ports 0x40-0x43) and port 0x61, which gates its channel 2
 *
 * Device "isa-pit". Channel 0 drives .irq (set by the board before realize; normally IRQ0 through the HPET). Machine
 * lock held.
 */
#ifndef HW_TIMER_I8254_H
#define HW_TIMER_I8254_H

#include "core/device.h"
#include "core/irq.h"
#include "core/timer.h"
#include "mem/region.h"

#define TYPE_I8254  "isa-pit"
#define PIT_HZ      1193182u

/* One counter. Nothing is counted: element and output follow from the time since the count was loaded. */
struct pit_channel {
    uint32_t count;             /* 1..65536, or ..10000 in BCD: the count in use */
    uint32_t next_count;        /* modes 2 and 3: takes over at the end of the period; 0: none */
    uint16_t written;           /* low byte waiting for its high byte */
    uint16_t latched;           /* counter latch */
    uint8_t status;             /* status latch (read-back) */
    uint8_t mode, access;       /* 0..5; 1 low byte, 2 high byte, 3 both */
    bool bcd;
    bool write_high, read_high; /* access 3: the high byte is next */
    bool count_latched, status_latched;
    bool null_count;            /* nothing written since the control word */
    bool counting;              /* modes 1, 5: triggered; others: a count was loaded */
    bool gate;
    uint64_t paused;            /* ticks counted when the gate went low (modes 0, 4) */
    int64_t start_ns;           /* when the count was loaded */
};

struct i8254 {
    struct device dev;          /* first member */
    struct pit_channel ch[3];
    struct irq *irq;            /* output of channel 0 */
    struct timer timer;         /* next rising edge of it */
    struct region io, port61;
    bool speaker;               /* port 0x61 bit 1 */
};

/** pit_out() - level of the output of channel @n now */
bool pit_out(struct i8254 *s, unsigned n);
/** pit_set_gate() - the gate input of channel @n (channel 0 and 1: tied high) */
void pit_set_gate(struct i8254 *s, unsigned n, bool level);

extern const struct device_type i8254_type;
extern const struct region_ops pit_port61_ops;

#endif
