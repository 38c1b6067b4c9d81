/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/timer/i8254.c - 8254 programmable interval timer (Intel 231164)
 *
 *   control word (port 0x43)   7:6 counter (3: read-back)   5:4 access (0: latch)   3:1 mode   0 BCD
 *   read-back                  5: 0 = latch count   4: 0 = latch status   3:1 counters
 *   status                     7 OUT   6 null count   5:0 as the control word
 *
 * d is the number of clocks since the count N was loaded. The element and OUT in each mode:
 *
 *   0 terminal count   N - d         OUT high once d >= N
 *   1 one-shot         N - d         OUT low from the trigger until d >= N
 *   2 rate generator   N - d % N     OUT low during the last clock of a period
 *   3 square wave      N - 2d % N    OUT high in the first half, (N + 1) / 2 clocks
 *   4 software strobe  N - d         OUT low for the clock d == N
 *   5 hardware strobe  as 4 from the trigger
 *
 * Only channel 0 interrupts; a timer is armed for its next rising edge, at most one every EDGE_FLOOR_NS.
 */
#include "hw/timer/i8254.h"
#include "hw/isa/isa.h"
#include "lib/bits.h"

#define EDGE_FLOOR_NS (20 * NS_PER_US)

enum { ACCESS_LATCH, ACCESS_LOW, ACCESS_HIGH, ACCESS_BOTH };
enum { READBACK_NO_COUNT = 1 << 5, READBACK_NO_STATUS = 1 << 4 };
enum { STATUS_OUT = 1 << 7, STATUS_NULL = 1 << 6 };

static bool periodic(const struct pit_channel *c)
{
    return c->mode == 2 || c->mode == 3;
}

static bool triggered(const struct pit_channel *c)
{
    return c->mode == 1 || c->mode == 5;
}

static uint32_t modulus(const struct pit_channel *c)
{
    return c->bcd ? 10000 : 65536;
}

static uint16_t from_bcd(uint16_t v)
{
    return (v >> 12) * 1000 + (v >> 8 & 0xF) * 100 + (v >> 4 & 0xF) * 10 + (v & 0xF);
}

static uint16_t to_bcd(uint32_t v)
{
    return v / 1000 % 10 << 12 | v / 100 % 10 << 8 | v / 10 % 10 << 4 | v % 10;
}

/* Clocks since the count was loaded, with a new count of modes 2 and 3 put into effect where its period begins */
static uint64_t ticks(struct pit_channel *c)
{
    int64_t now = clock_get_ns(CLOCK_VIRTUAL);
    uint64_t d;

    if (!c->gate && (c->mode == 0 || c->mode == 4)) {
        return c->paused;
    }
    d = clock_ticks(now - c->start_ns, PIT_HZ);
    if (c->next_count && d >= c->count) {
        c->start_ns += clock_ticks_to_ns(c->count, PIT_HZ);
        c->count = c->next_count;
        c->next_count = 0;
        d = clock_ticks(now - c->start_ns, PIT_HZ);
    }
    return d;
}

static uint16_t element(struct pit_channel *c)
{
    uint64_t d, n = c->count;
    uint32_t v;

    if (!c->counting) {
        return c->bcd ? to_bcd(n % 10000) : n;
    }
    d = ticks(c);
    n = c->count;
    switch (c->mode) {
    case 2:
        v = c->gate ? n - d % n : n;
        break;
    case 3:
        v = c->gate ? n - 2 * d % n : n;
        break;
    default:                                /* goes on through 0 to FFFF (9999) */
        v = (n + modulus(c) - d % modulus(c)) % modulus(c);
        break;
    }
    return c->bcd ? to_bcd(v % 10000) : v;
}

static bool out(struct pit_channel *c)
{
    uint64_t d;

    if (!c->counting) {
        return c->mode != 0;
    }
    d = ticks(c);
    switch (c->mode) {
    case 0:
    case 1:
        return d >= c->count;
    case 2:
        return !c->gate || d % c->count != c->count - 1;
    case 3:
        return !c->gate || d % c->count < (c->count + 1) / 2;
    default:
        return d != c->count;
    }
}

bool pit_out(struct i8254 *s, unsigned n)
{
    return out(&s->ch[n]);
}

/* ---- interrupts of channel 0 ---- */

/* The next rising edge, in clocks since the load, or 0 when none will come */
static uint64_t next_edge(const struct pit_channel *c, uint64_t d)
{
    if (!c->counting) {
        return 0;
    }
    switch (c->mode) {
    case 0:
    case 1:
        return d < c->count ? c->count : 0;
    case 2:
    case 3:
        return (d / c->count + 1) * c->count;
    default:
        return d <= c->count ? c->count + 1 : 0;
    }
}

static void schedule(struct i8254 *s)
{
    struct pit_channel *c = &s->ch[0];
    int64_t now = clock_get_ns(CLOCK_VIRTUAL);
    uint64_t edge = next_edge(c, ticks(c));

    if (edge) {
        int64_t at = c->start_ns + clock_ticks_to_ns(edge, PIT_HZ);

        timer_arm(&s->timer, clock_ticks_to_ns(c->count, PIT_HZ) < EDGE_FLOOR_NS ? MAX(at, now + EDGE_FLOOR_NS) : at);
    } else {
        timer_disarm(&s->timer);
    }
}

static void edge(void *opaque)
{
    struct i8254 *s = opaque;

    irq_lower(s->irq);
    irq_raise(s->irq);
    schedule(s);
}

static void changed(struct i8254 *s, struct pit_channel *c)
{
    if (c == &s->ch[0]) {
        irq_set(s->irq, out(c));
        schedule(s);
    }
}

/* ---- programming ---- */

static void start(struct pit_channel *c)
{
    c->start_ns = clock_get_ns(CLOCK_VIRTUAL);
    c->paused = 0;
    c->counting = true;
}

static void load(struct pit_channel *c, uint16_t v)
{
    uint32_t n = c->bcd ? from_bcd(v) : v;

    n = n ? n : modulus(c);
    if ((c->mode == 3 || c->mode == 2) && n == 1) {
        n = 2;                              /* illegal in mode 2 and 3 */
    }
    c->null_count = false;
    if (periodic(c) && c->counting && c->gate) {
        ticks(c);
        c->next_count = n;
        return;
    }
    c->count = n;
    c->next_count = 0;
    if (!triggered(c)) {
        start(c);
    }
}

void pit_set_gate(struct i8254 *s, unsigned n, bool level)
{
    struct pit_channel *c = &s->ch[n];

    if (level == c->gate) {
        return;
    }
    if (!level) {
        if (c->counting && (c->mode == 0 || c->mode == 4)) {
            c->paused = ticks(c);
        }
        c->gate = false;
    } else {
        c->gate = true;
        if (triggered(c) || (periodic(c) && c->counting)) {
            c->count = c->next_count ? c->next_count : c->count;
            c->next_count = 0;
            start(c);
        } else if (c->counting) {
            c->start_ns = clock_get_ns(CLOCK_VIRTUAL) - clock_ticks_to_ns(c->paused, PIT_HZ);
        }
    }
    changed(s, c);
}

static void latch_count(struct pit_channel *c)
{
    if (!c->count_latched) {
        c->count_latched = true;
        c->latched = element(c);
    }
}

static void latch_status(struct pit_channel *c)
{
    if (!c->status_latched) {
        c->status_latched = true;
        c->status =
            (out(c) ? STATUS_OUT : 0) | (c->null_count ? STATUS_NULL : 0) | c->access << 4 | c->mode << 1 | c->bcd;
    }
}

static void control_write(struct i8254 *s, uint8_t v)
{
    unsigned n = v >> 6, mode = v >> 1 & 7;
    struct pit_channel *c;

    if (n == 3) {
        for (unsigned i = 0; i < 3; i++) {
            if (v & BIT(i + 1)) {
                if (!(v & READBACK_NO_COUNT)) {
                    latch_count(&s->ch[i]);
                }
                if (!(v & READBACK_NO_STATUS)) {
                    latch_status(&s->ch[i]);
                }
            }
        }
        return;
    }
    c = &s->ch[n];
    if ((v >> 4 & 3) == ACCESS_LATCH) {
        latch_count(c);
        return;
    }
    c->access = v >> 4 & 3;
    c->mode = mode > 5 ? mode & 3 : mode;   /* x10 and x11 */
    c->bcd = v & 1;
    c->write_high = c->read_high = c->count_latched = c->status_latched = false;
    c->null_count = true;
    c->counting = false;
    c->next_count = 0;
    changed(s, c);
}

static void count_write(struct i8254 *s, struct pit_channel *c, uint8_t v)
{
    switch (c->access) {
    case ACCESS_LOW:
        load(c, v);
        break;
    case ACCESS_HIGH:
        load(c, v << 8);
        break;
    default:
        if (!c->write_high) {
            c->write_high = true;
            c->written = v;
            if (c->mode == 0) {             /* the first byte stops the counting, OUT goes low */
                c->counting = false;
            }
        } else {
            c->write_high = false;
            load(c, v << 8 | c->written);
        }
        break;
    }
    changed(s, c);
}

static uint8_t count_read(struct pit_channel *c)
{
    uint16_t v;

    if (c->status_latched) {
        c->status_latched = false;
        return c->status;
    }
    v = c->count_latched ? c->latched : element(c);
    switch (c->access) {
    case ACCESS_LOW:
        c->count_latched = false;
        return v;
    case ACCESS_HIGH:
        c->count_latched = false;
        return v >> 8;
    default:
        c->read_high = !c->read_high;
        if (c->read_high) {
            return v;
        }
        c->count_latched = false;
        return v >> 8;
    }
}

static uint64_t io_read(void *opaque, uint64_t off, unsigned size)
{
    struct i8254 *s = opaque;

    return off < 3 ? count_read(&s->ch[off]) : 0xFF;    /* the control word cannot be read */
}

static void io_write(void *opaque, uint64_t off, uint64_t val, unsigned size)
{
    struct i8254 *s = opaque;

    if (off == 3) {
        control_write(s, val);
    } else {
        count_write(s, &s->ch[off], val);
    }
}

static const struct region_ops io_ops = { io_read, io_write, 1, 1 };

/* ---- device ---- */

static bool pit_realize(struct device *d, Error **errp)
{
    struct i8254 *s = (struct i8254 *)d;

    timer_setup(&s->timer, CLOCK_VIRTUAL, edge, s);
    region_init_io(&s->io, "pit", 4, &io_ops, s);
    region_init_io(&s->port61, "port61", 1, &pit_port61_ops, s);
    isa_io_add(d, 0x40, &s->io);
    isa_io_add(d, 0x61, &s->port61);
    return true;
}

static void pit_unrealize(struct device *d)
{
    struct i8254 *s = (struct i8254 *)d;

    timer_fini(&s->timer);
    region_fini(&s->io);
    region_fini(&s->port61);
}

static void pit_reset(struct device *d)
{
    struct i8254 *s = (struct i8254 *)d;

    for (unsigned i = 0; i < 3; i++) {
        s->ch[i] = (struct pit_channel){
            .count = 65536, .mode = 3, .access = ACCESS_BOTH, .null_count = true, .gate = i != 2,
        };
    }
    s->speaker = false;
    timer_disarm(&s->timer);
}

const struct device_type i8254_type = {
    .name = TYPE_I8254,
    .desc = "8254 interval timer",
    .bus = "ISA",
    .size = sizeof(struct i8254),
    .category = DEVICE_CAT_MISC,
    .realize = pit_realize,
    .unrealize = pit_unrealize,
    .reset = pit_reset,
};
