/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/input/i8042.c - PC keyboard controller (Intel 8042 / UPI-41 with the IBM AT and PS/2 programs)
 *
 *   0x60  data            0x64 read: status, write: command
 *   status        0 OBF  1 IBF (never seen set)  2 system flag  3 last write was a command  4 not locked  5 OBF: mouse
 *   command byte  0 IRQ1 on  1 IRQ12 on  2 system flag  4 keyboard off  5 mouse off  6 translate to scan code set 1
 *   output port   0 reset, low active  1 A20  4, 5 OBF of keyboard, mouse
 *
 * One output buffer serves both devices: it is refilled when it has been read, answers of the controller first. Each
 * byte makes an edge: the wires fall before the next byte raises one.
 */
#include "core/runstate.h"
#include "hw/input/ps2.h"
#include "hw/isa/isa.h"
#include "lib/bits.h"
#include <string.h>

enum { ST_OBF = 1 << 0, ST_SYS = 1 << 2, ST_CMD = 1 << 3, ST_UNLOCKED = 1 << 4, ST_AUX = 1 << 5 };
enum {
    CTR_KBD_INT = 1 << 0, CTR_AUX_INT = 1 << 1, CTR_SYS = 1 << 2, CTR_KBD_OFF = 1 << 4, CTR_AUX_OFF = 1 << 5,
    CTR_XLATE = 1 << 6,
};
enum { OUT_RESET_N = 1 << 0, OUT_A20 = 1 << 1 };
enum {
    C_READ_RAM = 0x20, C_WRITE_RAM = 0x60, C_AUX_OFF = 0xA7, C_AUX_ON = 0xA8, C_AUX_TEST = 0xA9, C_SELF_TEST = 0xAA,
    C_KBD_TEST = 0xAB, C_KBD_OFF = 0xAD, C_KBD_ON = 0xAE, C_READ_INPUT = 0xC0, C_READ_OUT = 0xD0, C_WRITE_OUT = 0xD1,
    C_WRITE_KBD_OBUF = 0xD2, C_WRITE_AUX_OBUF = 0xD3, C_WRITE_AUX = 0xD4, C_A20_OFF = 0xDD, C_A20_ON = 0xDF,
    C_PULSE = 0xF0,
};

/* Scan code set 2 -> set 1, the table in the controller's program; 0x83 is F7 */
static const uint8_t set1[128] = {
    0xFF, 0x43, 0x41, 0x3F, 0x3D, 0x3B, 0x3C, 0x58, 0x64, 0x44, 0x42, 0x40, 0x3E, 0x0F, 0x29, 0x59,
    0x65, 0x38, 0x2A, 0x70, 0x1D, 0x10, 0x02, 0x5A, 0x66, 0x71, 0x2C, 0x1F, 0x1E, 0x11, 0x03, 0x5B,
    0x67, 0x2E, 0x2D, 0x20, 0x12, 0x05, 0x04, 0x5C, 0x68, 0x39, 0x2F, 0x21, 0x14, 0x13, 0x06, 0x5D,
    0x69, 0x31, 0x30, 0x23, 0x22, 0x15, 0x07, 0x5E, 0x6A, 0x72, 0x32, 0x24, 0x16, 0x08, 0x09, 0x5F,
    0x6B, 0x33, 0x25, 0x17, 0x18, 0x0B, 0x0A, 0x60, 0x6C, 0x34, 0x35, 0x26, 0x27, 0x19, 0x0C, 0x61,
    0x6D, 0x73, 0x28, 0x74, 0x1A, 0x0D, 0x62, 0x6E, 0x3A, 0x36, 0x1C, 0x1B, 0x75, 0x2B, 0x63, 0x76,
    0x55, 0x56, 0x77, 0x78, 0x79, 0x7A, 0x0E, 0x7B, 0x7C, 0x4F, 0x7D, 0x4B, 0x47, 0x7E, 0x7F, 0x6F,
    0x52, 0x53, 0x50, 0x4C, 0x4D, 0x48, 0x01, 0x45, 0x57, 0x4E, 0x51, 0x4A, 0x37, 0x49, 0x46, 0x54,
};

static void update_irqs(struct i8042 *s)
{
    irq_set(s->irq_kbd, s->obf && !s->obf_aux && (s->ctr & CTR_KBD_INT));
    irq_set(s->irq_aux, s->obf && s->obf_aux && (s->ctr & CTR_AUX_INT));
}

static void obuf_put(struct i8042 *s, uint8_t v, bool aux)
{
    s->obuf = v;
    s->obf = true;
    s->obf_aux = aux;
    update_irqs(s);
}

/* A break code F0 xx becomes xx | 0x80; nothing is sent for the F0 itself. */
static bool translate(struct i8042 *s, uint8_t *v)
{
    uint8_t c = *v;

    if (!(s->ctr & CTR_XLATE)) {
        return true;
    }
    if (c == 0xF0) {
        uint8_t key;

        if (!ps2_get(&s->kbd, &key)) {
            return false;
        }
        *v = (key == 0x83 ? 0x41 : key < 0x80 ? set1[key] : key) | 0x80;
        return true;
    }
    *v = c == 0x83 ? 0x41 : c < 0x80 ? set1[c] : c;
    return true;
}

/* Move the next byte into the output buffer when that is empty. */
static void refill(struct i8042 *s)
{
    uint8_t v;

    if (s->obf) {
        return;
    }
    if (!(s->ctr & CTR_KBD_OFF) && ps2_get(&s->kbd, &v)) {
        if (translate(s, &v)) {
            obuf_put(s, v, false);
        }
    } else if (!(s->ctr & CTR_AUX_OFF) && ps2_get(&s->mouse, &v)) {
        obuf_put(s, v, true);
    }
}

/* ---- output port: reset and A20 ---- */

static void out_write(struct i8042 *s, uint8_t v)
{
    uint8_t changed = s->out ^ v;

    s->out = (v & ~(uint8_t)OUT_RESET_N) | OUT_RESET_N;
    if ((changed & OUT_A20) && s->a20) {
        s->a20(s->a20_opaque, v & OUT_A20);
    }
    if (!(v & OUT_RESET_N)) {
        runstate_request_reset(SHUTDOWN_GUEST_RESET);
    }
}

static void set_a20(struct i8042 *s, bool on)
{
    out_write(s, on ? s->out | OUT_A20 : s->out & ~OUT_A20);
}

static uint64_t port92_read(void *opaque, uint64_t off, unsigned size)
{
    const struct i8042 *s = opaque;

    return (s->out & OUT_A20) | (s->fast_reset ? 1 : 0);
}

/* PIIX3 2.5.8.2: bit 0 going from 0 to 1 resets, bit 1 is A20 */
static void port92_write(void *opaque, uint64_t off, uint64_t val, unsigned size)
{
    struct i8042 *s = opaque;
    bool reset = val & 1;

    set_a20(s, val & OUT_A20);
    if (reset && !s->fast_reset) {
        runstate_request_reset(SHUTDOWN_GUEST_RESET);
    }
    s->fast_reset = reset;
}

/* ---- commands ---- */

static void ctr_write(struct i8042 *s, uint8_t v)
{
    s->ctr = v;
    s->status = v & CTR_SYS ? s->status | ST_SYS : s->status & ~ST_SYS;
    update_irqs(s);
}

static void command(struct i8042 *s, uint8_t v)
{
    s->status |= ST_CMD;
    s->pending = 0;
    switch (v) {
    case C_READ_RAM ... C_READ_RAM + 31:
        obuf_put(s, v == C_READ_RAM ? s->ctr : s->ram[v & 31], false);
        break;
    case C_WRITE_RAM ... C_WRITE_RAM + 31:
    case C_WRITE_OUT:
    case C_WRITE_KBD_OBUF:
    case C_WRITE_AUX_OBUF:
    case C_WRITE_AUX:
        s->pending = v;
        break;
    case C_AUX_OFF:
    case C_AUX_ON:
        ctr_write(s, v == C_AUX_OFF ? s->ctr | CTR_AUX_OFF : s->ctr & ~CTR_AUX_OFF);
        break;
    case C_KBD_OFF:
    case C_KBD_ON:
        ctr_write(s, v == C_KBD_OFF ? s->ctr | CTR_KBD_OFF : s->ctr & ~CTR_KBD_OFF);
        break;
    case C_AUX_TEST:
    case C_KBD_TEST:
        obuf_put(s, 0x00, false);
        break;
    case C_SELF_TEST:
        ctr_write(s, s->ctr | CTR_SYS);
        obuf_put(s, 0x55, false);
        break;
    case C_READ_INPUT:
        obuf_put(s, 0x80, false);           /* keyboard not locked */
        break;
    case C_READ_OUT:
        obuf_put(s, s->out | (s->obf && !s->obf_aux ? 0x10 : 0) | (s->obf && s->obf_aux ? 0x20 : 0), false);
        break;
    case C_A20_OFF:
    case C_A20_ON:
        set_a20(s, v == C_A20_ON);
        break;
    case C_PULSE ... 0xFF:                  /* a 0 in bits 3:0 pulses that line of the output port */
        if (!(v & OUT_RESET_N)) {
            runstate_request_reset(SHUTDOWN_GUEST_RESET);
        }
        break;
    default:
        break;
    }
}

/* A byte at port 0x60: the parameter of a command, or for the keyboard */
static void data(struct i8042 *s, uint8_t v)
{
    uint8_t cmd = s->pending;

    s->status &= ~ST_CMD;
    s->pending = 0;
    switch (cmd) {
    case 0:
        s->ctr &= ~CTR_KBD_OFF;             /* writing to the keyboard switches it on */
        ps2_write(&s->kbd, v);
        break;
    case C_WRITE_RAM:
        ctr_write(s, v);
        break;
    case C_WRITE_OUT:
        out_write(s, v);
        break;
    case C_WRITE_KBD_OBUF:
        obuf_put(s, v, false);
        break;
    case C_WRITE_AUX_OBUF:
        obuf_put(s, v, true);
        break;
    case C_WRITE_AUX:
        ps2_write(&s->mouse, v);
        break;
    default:
        s->ram[cmd & 31] = v;
        break;
    }
}

/* ---- ports ---- */

static uint64_t data_read(void *opaque, uint64_t off, unsigned size)
{
    struct i8042 *s = opaque;
    uint8_t v = s->obuf;

    if (s->obf) {
        s->obf = false;
        update_irqs(s);
        refill(s);
    }
    return v;
}

static void data_write(void *opaque, uint64_t off, uint64_t val, unsigned size)
{
    struct i8042 *s = opaque;

    data(s, val);
    refill(s);
}

static uint64_t cmd_read(void *opaque, uint64_t off, unsigned size)
{
    const struct i8042 *s = opaque;

    return s->status | ST_UNLOCKED | (s->obf ? ST_OBF : 0) | (s->obf && s->obf_aux ? ST_AUX : 0);
}

static void cmd_write(void *opaque, uint64_t off, uint64_t val, unsigned size)
{
    struct i8042 *s = opaque;

    command(s, val);
    refill(s);
}

static const struct region_ops data_ops = { data_read, data_write, 1, 1 };
static const struct region_ops cmd_ops = { cmd_read, cmd_write, 1, 1 };
static const struct region_ops port92_ops = { port92_read, port92_write, 1, 1 };

/* ---- input from a person ---- */

bool i8042_put_key(struct i8042 *s, const uint8_t *codes, unsigned n)
{
    bool ok = s->kbd.enabled && ps2_put(&s->kbd, codes, n);

    refill(s);
    return ok;
}

void i8042_move_mouse(struct i8042 *s, int dx, int dy, int dz, unsigned buttons)
{
    struct ps2 *m = &s->mouse;
    int x = CLAMP(dx, -255, 255), y = CLAMP(-dy, -255, 255), z = CLAMP(dz, -8, 7);
    uint8_t b[4] = {
        0x08 | (buttons & 7) | (x < 0 ? 0x10 : 0) | (y < 0 ? 0x20 : 0), (uint8_t)x, (uint8_t)y, (uint8_t)z,
    };

    m->buttons = buttons & 7;
    if (m->enabled && !m->remote) {
        ps2_put(m, b, m->id == 3 ? 4 : 3);
        refill(s);
    }
}

/* ---- device ---- */

static bool i8042_realize(struct device *d, Error **errp)
{
    struct i8042 *s = (struct i8042 *)d;

    region_init_io(&s->data_io, "i8042-data", 1, &data_ops, s);
    region_init_io(&s->cmd_io, "i8042-cmd", 1, &cmd_ops, s);
    region_init_io(&s->port92, "port92", 1, &port92_ops, s);
    isa_io_add(d, 0x60, &s->data_io);
    isa_io_add(d, 0x64, &s->cmd_io);
    isa_io_add(d, 0x92, &s->port92);
    return true;
}

static void i8042_unrealize(struct device *d)
{
    struct i8042 *s = (struct i8042 *)d;

    region_fini(&s->data_io);
    region_fini(&s->cmd_io);
    region_fini(&s->port92);
}

/* As firmware leaves it: self-test passed, translation and keyboard interrupt on, A20 open */
static void i8042_reset(struct device *d)
{
    struct i8042 *s = (struct i8042 *)d;

    ps2_reset(&s->kbd, false);
    ps2_reset(&s->mouse, true);
    s->ctr = CTR_KBD_INT | CTR_SYS | CTR_AUX_OFF | CTR_XLATE;
    s->status = ST_SYS;
    s->out = OUT_RESET_N | OUT_A20;
    s->pending = 0;
    s->obf = s->obf_aux = s->fast_reset = false;
    memset(s->ram, 0, sizeof(s->ram));
    update_irqs(s);
    if (s->a20) {
        s->a20(s->a20_opaque, true);
    }
}

const struct device_type i8042_type = {
    .name = TYPE_I8042,
    .desc = "Keyboard controller with keyboard and mouse",
    .bus = "ISA",
    .size = sizeof(struct i8042),
    .category = DEVICE_CAT_INPUT,
    .realize = i8042_realize,
    .unrealize = i8042_unrealize,
    .reset = i8042_reset,
};
