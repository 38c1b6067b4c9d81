/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/intc/i8259.h - two cascaded 8259A interrupt controllers with the edge/level registers of a PIIX3
 *
 * Device "isa-i8259": both chips, inputs in[0..15] (2 is the cascade and not connected), one output: the INTR wire,
 * that the board sets before realize. i8259_ack() is the INTA cycle. Machine lock held throughout.
 */
#ifndef HW_INTC_I8259_H
#define HW_INTC_I8259_H

#include "core/device.h"
#include "core/irq.h"
#include "mem/region.h"

#define TYPE_I8259 "isa-i8259"

/* One chip. The names of the registers are the data sheet's (Intel 231468). */
struct i8259_chip {
    uint8_t irr, imr, isr;
    uint8_t lines;              /* inputs as they are now */
    uint8_t elcr;               /* 1: the input is level-triggered (PIIX3 2.5.7) */
    uint8_t elcr_mask;          /* bits of elcr that can be set */
    uint8_t base;               /* ICW2, low three bits 0 */
    uint8_t icw3;
    uint8_t icw_step;           /* 0: operating; 2, 3, 4: that ICW is next */
    uint8_t lowest;             /* input with the lowest priority; 7 after initialisation */
    bool icw4_needed, single, ltim;
    bool auto_eoi, sfnm;        /* ICW4 */
    bool rotate_aeoi;
    bool special_mask, poll, read_isr;  /* OCW3 */
    bool master;
    struct region io, elcr_io;
};

struct i8259 {
    struct device dev;          /* first member */
    struct i8259_chip chip[2];  /* master, slave */
    struct irq in[16];
    struct irq *intr;           /* output; the board sets it */
    unsigned long spurious;     /* acknowledge cycles with nothing pending */
};

/**
 * i8259_ack() - interrupt acknowledge: the vector; spurious ones are IR7's of the chip concerned (data sheet,
 * "Interrupt Sequence")
 */
uint8_t i8259_ack(struct i8259 *s);
/** i8259_pending() - the state of the INTR output */
bool i8259_pending(const struct i8259 *s);
/** i8259_print() - "info pic", a line a chip */
void i8259_print(const struct i8259 *s, GString *out);

extern const struct device_type i8259_type;

#endif
