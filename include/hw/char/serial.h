/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/char/serial.h - 16550A UART, and the four ISA ports that carry one
 *
 * struct serial is the chip, embedded in its device: eight registers, an interrupt wire, a character back end.
 * Device "isa-serial": index 0..3 gives 0x3F8/4, 0x2F8/3, 0x3E8/4, 0x2E8/3. Machine lock held throughout.
 */
#ifndef HW_CHAR_SERIAL_H
#define HW_CHAR_SERIAL_H

#include "chardev/chardev.h"
#include "core/device.h"
#include "core/irq.h"
#include "core/loop.h"
#include "core/timer.h"
#include "mem/region.h"

#define TYPE_ISA_SERIAL "isa-serial"

#define SERIAL_FIFO     16
#define SERIAL_OUT      4096    /* bytes on their way to the back end */

struct serial {
    struct irq *irq;
    struct chardev *chr;        /* NULL: output vanishes */
    uint8_t ier, lcr, mcr, msr, scr, fcr;
    uint8_t lsr_errors;         /* OE, PE, FE, BI not yet read */
    uint16_t divisor;
    bool thre_pending;          /* transmitter-empty interrupt waits for IIR read or THR write */
    bool timeout_pending;       /* characters below the trigger level have waited for four character times */
    uint8_t rx[SERIAL_FIFO];
    unsigned rx_head, rx_len;
    uint8_t out[SERIAL_OUT];
    unsigned out_len;
    bool blocked;               /* the back end's queue is full: it will call when there is room */
    struct bh flush_bh;
    struct timer rx_timer;
    unsigned long overruns, dropped;
};

/** serial_init() - attach to s->chr (may be NULL); false: it is in use */
bool serial_init(struct serial *s, Error **errp);
void serial_fini(struct serial *s);
void serial_reset(struct serial *s);
/** serial_ops - registers 0..7; opaque: struct serial */
extern const struct region_ops serial_ops;

struct isa_serial {
    struct device dev;          /* first member */
    struct serial uart;         /* .chr may be set before realize; property chardev wins */
    struct region io;
    uint32_t index, iobase, irq;    /* properties; index 255: next free; iobase, irq 0: by index */
    char *chardev;              /* property: id */
};

extern const struct device_type isa_serial_type;

#endif
