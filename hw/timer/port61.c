/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/timer/port61.c - NMI status and control register, port 0x61 (PIIX3 290550, 2.5.8.1)
 *
 *   0 gate of timer channel 2 (rw)     1 speaker data enable (rw)    3:2 SERR#, IOCHK# enable (rw, nothing behind them)
 *   4 refresh toggle (ro), changes every 15.085 us as it does on a board with channel 1 at 18 clocks
 *   5 output of channel 2 (ro)         7:6 SERR#, IOCHK# status (ro, 0)
 */
#include "hw/timer/i8254.h"
#include "lib/bits.h"

enum { GATE2 = 1 << 0, SPEAKER = 1 << 1, REFRESH = 1 << 4, OUT2 = 1 << 5 };

static uint64_t port61_read(void *opaque, uint64_t off, unsigned size)
{
    struct i8254 *s = opaque;
    bool refresh = clock_get_ns(CLOCK_VIRTUAL) / 15085 & 1;

    return (s->ch[2].gate ? GATE2 : 0) | (s->speaker ? SPEAKER : 0) | (refresh ? REFRESH : 0) |
           (pit_out(s, 2) ? OUT2 : 0);
}

static void port61_write(void *opaque, uint64_t off, uint64_t val, unsigned size)
{
    struct i8254 *s = opaque;

    s->speaker = val & SPEAKER;
    pit_set_gate(s, 2, val & GATE2);
}

const struct region_ops pit_port61_ops = { port61_read, port61_write, 1, 1 };
