/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/intc/i8259.c - 8259A programmable interrupt controller, master and slave (Intel 231468; PIIX3 290550 section 2.5)
 *
 * An edge latches its IRR bit until the bit is acknowledged; a level input's IRR bit follows the wire. The chip asserts
 * INT when an unmasked IRR bit has a higher priority than everything in service. INT of the slave is IR2 of the master.
 *
 *   write A0=0, D4=1       ICW1, starts the initialisation sequence; A0=1 then takes ICW2, ICW3, ICW4
 *   write A0=0, D4=D3=0    OCW2: 7 R, 6 SL, 5 EOI, 2:0 level
 *   write A0=0, D3=1       OCW3: 6 ESMM, 5 SMM, 2 P, 1 RR, 0 RIS
 *   write A0=1             OCW1: the mask
 *
 * Unlike the data sheet, an edge stays latched when the wire falls before the acknowledge cycle: sources here pulse in
 * no time.
 */
#include "hw/intc/i8259.h"
#include "hw/isa/isa.h"
#include "lib/bits.h"

enum { CASCADE = 2 };
enum { ICW1 = 1 << 4, ICW1_IC4 = 1 << 0, ICW1_SNGL = 1 << 1, ICW1_LTIM = 1 << 3 };
enum { ICW4_AEOI = 1 << 1, ICW4_SFNM = 1 << 4 };
enum { OCW3 = 1 << 3, OCW3_RIS = 1 << 0, OCW3_RR = 1 << 1, OCW3_POLL = 1 << 2, OCW3_SMM = 1 << 5, OCW3_ESMM = 1 << 6 };
enum { POLL_INT = 0x80, NONE = 8 };

static uint8_t level_mask(const struct i8259_chip *c)
{
    return c->ltim ? 0xFF : c->elcr;
}

/* Place of the highest-priority bit of @mask in the order that starts after c->lowest: 0 is first, 8 none. */
static unsigned rank_of(const struct i8259_chip *c, uint8_t mask)
{
    unsigned n = 0;

    if (!mask) {
        return NONE;
    }
    while (!(mask & BIT((n + c->lowest + 1) & 7))) {
        n++;
    }
    return n;
}

/* The input to be served now, or -1 ("Fully nested mode", "Special mask mode", "Special fully nested mode"). */
static int chip_pending(const struct i8259_chip *c)
{
    unsigned rank = rank_of(c, c->irr & ~c->imr);
    uint8_t busy = c->isr;

    if (rank == NONE) {
        return -1;
    }
    if (c->special_mask) {
        busy &= ~c->imr;
    }
    if (c->sfnm && c->master) {
        busy &= ~BIT(CASCADE);
    }
    return rank < rank_of(c, busy) ? (int)((rank + c->lowest + 1) & 7) : -1;
}

static void line_set(struct i8259_chip *c, unsigned n, bool level)
{
    uint8_t bit = BIT(n);

    if (level_mask(c) & bit) {
        c->irr = level ? c->irr | bit : c->irr & ~bit;
    } else if (level && !(c->lines & bit)) {
        c->irr |= bit;
    }
    c->lines = level ? c->lines | bit : c->lines & ~bit;
}

static void update(struct i8259 *s)
{
    struct i8259_chip *m = &s->chip[0];

    /* the slave's INT falls at once when it has nothing left, also when the master has latched its edge */
    if (chip_pending(&s->chip[1]) >= 0) {
        m->lines |= BIT(CASCADE);
        m->irr |= BIT(CASCADE);
    } else {
        m->lines &= ~BIT(CASCADE);
        m->irr &= ~BIT(CASCADE);
    }
    irq_set(s->intr, chip_pending(m) >= 0);
}

static void input(void *opaque, unsigned n, bool level)
{
    struct i8259 *s = opaque;

    if (n != CASCADE) {
        line_set(&s->chip[n >> 3], n & 7, level);
        update(s);
    }
}

/* INTA for input @n of one chip */
static void chip_ack(struct i8259_chip *c, unsigned n)
{
    if (c->auto_eoi) {
        if (c->rotate_aeoi) {
            c->lowest = n;
        }
    } else {
        c->isr |= BIT(n);
    }
    if (!(level_mask(c) & BIT(n))) {
        c->irr &= ~BIT(n);
    }
}

uint8_t i8259_ack(struct i8259 *s)
{
    struct i8259_chip *m = &s->chip[0], *sl = &s->chip[1];
    int n = chip_pending(m), k;
    uint8_t vec;

    if (n < 0) {
        s->spurious++;
        return m->base + 7;
    }
    chip_ack(m, n);
    vec = m->base + n;
    if (n == CASCADE) {
        k = chip_pending(sl);
        if (k >= 0) {
            chip_ack(sl, k);
        } else {
            s->spurious++;
            k = 7;
        }
        vec = sl->base + k;
    }
    update(s);
    return vec;
}

bool i8259_pending(const struct i8259 *s)
{
    return chip_pending(&s->chip[0]) >= 0;
}

/* ---- registers ---- */

static void chip_init(struct i8259_chip *c)
{
    c->irr &= level_mask(c) & c->lines;     /* edge sense is reset: a line must go low and high again */
    c->imr = c->isr = 0;
    c->lowest = 7;
    c->special_mask = c->poll = c->read_isr = c->auto_eoi = c->sfnm = c->rotate_aeoi = false;
}

static void icw1_write(struct i8259_chip *c, uint8_t v)
{
    c->ltim = v & ICW1_LTIM;
    c->single = v & ICW1_SNGL;
    c->icw4_needed = v & ICW1_IC4;
    chip_init(c);
    c->icw_step = 2;
}

/* OCW2: what R, SL and EOI together command */
static void ocw2_write(struct i8259_chip *c, uint8_t v)
{
    unsigned cmd = v >> 5, n = v & 7;

    switch (cmd) {
    case 0:                                 /* rotate in automatic EOI mode: clear */
    case 4:                                 /* set */
        c->rotate_aeoi = cmd == 4;
        break;
    case 1:                                 /* non-specific EOI */
    case 5:                                 /* ... and rotate */
    {
        /* in special mask mode a masked in-service bit is not cleared by it */
        uint8_t isr = c->special_mask ? c->isr & ~c->imr : c->isr;
        unsigned rank = rank_of(c, isr);

        if (rank != NONE) {
            n = (rank + c->lowest + 1) & 7;
            c->isr &= ~BIT(n);
            if (cmd == 5) {
                c->lowest = n;
            }
        }
        break;
    }
    case 3:                                 /* specific EOI */
        c->isr &= ~BIT(n);
        break;
    case 6:                                 /* set priority */
        c->lowest = n;
        break;
    case 7:                                 /* rotate on specific EOI */
        c->isr &= ~BIT(n);
        c->lowest = n;
        break;
    default:                                /* 2: no operation */
        break;
    }
}

static void ocw3_write(struct i8259_chip *c, uint8_t v)
{
    if (v & OCW3_POLL) {
        c->poll = true;
    } else if (v & OCW3_RR) {
        c->read_isr = v & OCW3_RIS;
    }
    if (v & OCW3_ESMM) {
        c->special_mask = v & OCW3_SMM;
    }
}

static void icw_next(struct i8259_chip *c, uint8_t v)
{
    switch (c->icw_step) {
    case 2:
        c->base = v & 0xF8;
        c->icw_step = !c->single ? 3 : c->icw4_needed ? 4 : 0;
        break;
    case 3:
        c->icw3 = v;
        c->icw_step = c->icw4_needed ? 4 : 0;
        break;
    default:
        c->auto_eoi = v & ICW4_AEOI;
        c->sfnm = v & ICW4_SFNM;
        c->icw_step = 0;
        break;
    }
}

static struct i8259 *chip_owner(struct i8259_chip *c)
{
    return c->master ? container_of(c, struct i8259, chip[0]) : container_of(c, struct i8259, chip[1]);
}

static void chip_write(void *opaque, uint64_t off, uint64_t val, unsigned size)
{
    struct i8259_chip *c = opaque;

    if (off) {
        if (c->icw_step) {
            icw_next(c, val);
        } else {
            c->imr = val;
        }
    } else if (val & ICW1) {
        icw1_write(c, val);
    } else if (val & OCW3) {
        ocw3_write(c, val);
    } else {
        ocw2_write(c, val);
    }
    update(chip_owner(c));
}

/* Poll command: the read is the acknowledge cycle of this chip alone. */
static uint8_t poll_read(struct i8259_chip *c)
{
    int n = chip_pending(c);

    c->poll = false;
    if (n < 0) {
        return 7;
    }
    chip_ack(c, n);
    update(chip_owner(c));
    return POLL_INT | n;
}

static uint64_t chip_read(void *opaque, uint64_t off, unsigned size)
{
    struct i8259_chip *c = opaque;

    if (c->poll) {
        return poll_read(c);
    }
    if (off) {
        return c->imr;
    }
    return c->read_isr ? c->isr : c->irr;
}

static uint64_t elcr_read(void *opaque, uint64_t off, unsigned size)
{
    const struct i8259_chip *c = opaque;

    return c->elcr;
}

static void elcr_write(void *opaque, uint64_t off, uint64_t val, unsigned size)
{
    struct i8259_chip *c = opaque;

    c->elcr = val & c->elcr_mask;
    c->irr = (c->irr & ~c->elcr) | (c->lines & c->elcr);
    update(chip_owner(c));
}

static const struct region_ops chip_ops = { chip_read, chip_write, 1, 1 };
static const struct region_ops elcr_ops = { elcr_read, elcr_write, 1, 1 };

/* ---- device ---- */

static bool i8259_realize(struct device *d, Error **errp)
{
    static const uint8_t elcr_masks[2] = { 0xF8, 0xDE };    /* IRQ0-2, 8 and 13 are always edges */
    struct i8259 *s = (struct i8259 *)d;

    for (unsigned i = 0; i < ARRAY_LEN(s->in); i++) {
        irq_init(&s->in[i], input, s, i);
    }
    for (unsigned i = 0; i < 2; i++) {
        struct i8259_chip *c = &s->chip[i];

        c->master = i == 0;
        c->elcr_mask = elcr_masks[i];
        region_init_io(&c->io, "pic", 2, &chip_ops, c);
        region_init_io(&c->elcr_io, "elcr", 1, &elcr_ops, c);
        isa_io_add(d, i ? 0xA0 : 0x20, &c->io);
        isa_io_add(d, 0x4D0 + i, &c->elcr_io);
    }
    return true;
}

static void i8259_unrealize(struct device *d)
{
    struct i8259 *s = (struct i8259 *)d;

    for (unsigned i = 0; i < 2; i++) {
        region_fini(&s->chip[i].io);
        region_fini(&s->chip[i].elcr_io);
    }
}

static void i8259_reset(struct device *d)
{
    struct i8259 *s = (struct i8259 *)d;

    for (unsigned i = 0; i < 2; i++) {
        struct i8259_chip *c = &s->chip[i];

        c->elcr = 0;
        c->ltim = c->single = c->icw4_needed = false;
        c->base = c->icw3 = c->icw_step = 0;
        c->irr = 0;
        chip_init(c);
    }
    update(s);
}

void i8259_print(const struct i8259 *s, GString *out)
{
    for (unsigned i = 0; i < 2; i++) {
        const struct i8259_chip *c = &s->chip[i];

        g_string_append_printf(out,
                               "pic%u: irr=%02x imr=%02x isr=%02x hprio=%d irq_base=%02x rr_sel=%d elcr=%02x fnm=%d\n",
                               i, c->irr, c->imr, c->isr, (c->lowest + 1) & 7, c->base, c->read_isr, c->elcr, c->sfnm);
    }
}

const struct device_type i8259_type = {
    .name = TYPE_I8259,
    .desc = "Pair of 8259A interrupt controllers",
    .bus = "ISA",
    .size = sizeof(struct i8259),
    .category = DEVICE_CAT_MISC,
    .realize = i8259_realize,
    .unrealize = i8259_unrealize,
    .reset = i8259_reset,
};
