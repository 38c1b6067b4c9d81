/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/input/i8042.h - PC keyboard controller (ports 0x60, 0x64) with an AT keyboard and a PS/2 mouse on it, and port
 * 0x92
 *
 * Device "i8042". Keyboard data raise .irq_kbd (IRQ1), mouse data .irq_aux (IRQ12). The controller's output port also
 * holds the A20 gate and the reset line. The board sets the wires and a20() before realize. Machine lock held
 * throughout.
 */
#ifndef HW_INPUT_I8042_H
#define HW_INPUT_I8042_H

#include "core/device.h"
#include "core/irq.h"
#include "mem/region.h"

#define TYPE_I8042 "i8042"

#define PS2_QUEUE 64

/* A device on one of the two serial lines: its answers and what a person does, in order */
struct ps2 {
    uint8_t queue[PS2_QUEUE];
    unsigned head, len;
    uint8_t last;               /* for RESEND */
    uint8_t command;            /* waits for a parameter byte, or 0 */
    bool is_mouse, enabled;
    uint8_t leds, rate, resolution, scancode_set, id;
    uint8_t rates[3];           /* last sample rates set: the wheel's secret handshake */
    uint8_t buttons;
    bool scaling, remote, wrap;
    unsigned long dropped;      /* bytes that found the queue full */
};

struct i8042 {
    struct device dev;          /* first member */
    struct irq *irq_kbd, *irq_aux;
    void (*a20)(void *opaque, bool on);     /* told of every change; may be NULL (tests) */
    void *a20_opaque;
    struct region data_io, cmd_io, port92;
    struct ps2 kbd, mouse;
    uint8_t ctr;                /* command byte */
    uint8_t status;             /* SYS and CMD bits; the rest is computed */
    uint8_t out;                /* output port: 0 reset (active low), 1 A20 */
    uint8_t ram[32];
    uint8_t pending;            /* command whose parameter is awaited at port 0x60, or 0 */
    uint8_t obuf;               /* output buffer */
    bool obf, obf_aux;          /* full; from the mouse */
    bool fast_reset;            /* port 0x92 bit 0 */
};

/**
 * i8042_put_key() - scan codes (set 2, as on the cable), e.g. from a "sendkey"; false: the queue is full, nothing was
 * taken
 */
bool i8042_put_key(struct i8042 *s, const uint8_t *codes, unsigned n);
/** i8042_move_mouse() - relative movement, buttons as bits 0 left, 1 right, 2 middle */
void i8042_move_mouse(struct i8042 *s, int dx, int dy, int dz, unsigned buttons);

extern const struct device_type i8042_type;

#endif
