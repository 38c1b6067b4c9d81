/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/input/ps2.c - AT keyboard and PS/2 mouse as the cable sees them (IBM PS/2 Technical Reference, keyboard and mouse)
 *
 * A device acknowledges every byte with FA; some commands take a parameter byte, some answer with more. The mouse
 * becomes a wheel mouse (id 3) after the sample rates 200, 100, 80. Bytes that find the queue full are dropped and
 * counted.
 */
#include "hw/input/ps2.h"
#include "lib/bits.h"

enum { ACK = 0xFA, RESEND = 0xFE, BAT_OK = 0xAA, ECHO = 0xEE };
enum {                          /* keyboard */
    KBD_LEDS = 0xED, KBD_ECHO = 0xEE, KBD_SCANCODE = 0xF0, KBD_RATE = 0xF3,
};
enum {                          /* both */
    CMD_ID = 0xF2, CMD_ENABLE = 0xF4, CMD_DISABLE = 0xF5, CMD_DEFAULTS = 0xF6, CMD_RESEND = 0xFE, CMD_RESET = 0xFF,
};
enum {                          /* mouse */
    MOUSE_SCALE11 = 0xE6, MOUSE_SCALE21 = 0xE7, MOUSE_RESOLUTION = 0xE8, MOUSE_STATUS = 0xE9, MOUSE_STREAM = 0xEA,
    MOUSE_POLL = 0xEB, MOUSE_WRAP_OFF = 0xEC, MOUSE_WRAP = 0xEE, MOUSE_REMOTE = 0xF0, MOUSE_RATE = 0xF3,
};

bool ps2_put(struct ps2 *p, const uint8_t *b, unsigned n)
{
    if (n > PS2_QUEUE - p->len) {
        p->dropped += n;
        return false;
    }
    for (unsigned i = 0; i < n; i++) {
        p->queue[(p->head + p->len++) % PS2_QUEUE] = b[i];
    }
    return true;
}

static void put1(struct ps2 *p, uint8_t v)
{
    ps2_put(p, &v, 1);
}

bool ps2_get(struct ps2 *p, uint8_t *v)
{
    if (!p->len) {
        return false;
    }
    *v = p->last = p->queue[p->head];
    p->head = (p->head + 1) % PS2_QUEUE;
    p->len--;
    return true;
}

static void defaults(struct ps2 *p)
{
    p->command = 0;
    p->leds = 0;
    p->rate = p->is_mouse ? 100 : 0x2B;
    p->resolution = 2;
    p->scancode_set = 2;
    p->scaling = p->remote = p->wrap = false;
}

void ps2_reset(struct ps2 *p, bool is_mouse)
{
    *p = (struct ps2){ .is_mouse = is_mouse, .enabled = !is_mouse, .dropped = p->dropped };
    defaults(p);
}

static void power_on(struct ps2 *p)
{
    bool is_mouse = p->is_mouse;

    ps2_reset(p, is_mouse);
    put1(p, ACK);
    put1(p, BAT_OK);
    if (is_mouse) {
        put1(p, p->id);
    }
}

/* ---- keyboard ---- */

static void kbd_param(struct ps2 *p, uint8_t v)
{
    uint8_t cmd = p->command;

    p->command = 0;
    put1(p, ACK);
    switch (cmd) {
    case KBD_LEDS:
        p->leds = v & 7;
        break;
    case KBD_RATE:
        p->rate = v & 0x7F;
        break;
    default:                                /* KBD_SCANCODE; 0 asks */
        if (!v) {
            put1(p, p->scancode_set);
        } else if (v <= 3) {
            p->scancode_set = v;
        }
        break;
    }
}

static void kbd_command(struct ps2 *p, uint8_t v)
{
    static const uint8_t id[] = { ACK, 0xAB, 0x83 };

    switch (v) {
    case KBD_LEDS:
    case KBD_RATE:
    case KBD_SCANCODE:
        p->command = v;
        put1(p, ACK);
        break;
    case KBD_ECHO:
        put1(p, ECHO);
        break;
    case CMD_ID:
        ps2_put(p, id, sizeof(id));
        break;
    case CMD_ENABLE:
        p->enabled = true;
        put1(p, ACK);
        break;
    case CMD_DISABLE:
    case CMD_DEFAULTS:
        defaults(p);
        p->enabled = v == CMD_DEFAULTS;
        put1(p, ACK);
        break;
    case CMD_RESEND:
        put1(p, p->last);
        break;
    case CMD_RESET:
        power_on(p);
        break;
    default:
        put1(p, v >= 0xF7 && v <= 0xFD ? ACK : RESEND);    /* F7..FD: key types of set 3 */
        break;
    }
}

/* ---- mouse ---- */

static void mouse_set_rate(struct ps2 *p, uint8_t v)
{
    p->rates[0] = p->rates[1];
    p->rates[1] = p->rates[2];
    p->rates[2] = v;
    p->rate = v;
    if (p->rates[0] == 200 && p->rates[1] == 100 && p->rates[2] == 80) {
        p->id = 3;
    }
}

static void mouse_param(struct ps2 *p, uint8_t v)
{
    if (p->command == MOUSE_RATE) {
        mouse_set_rate(p, v);
    } else {
        p->resolution = v & 3;
    }
    p->command = 0;
    put1(p, ACK);
}

static void mouse_status(struct ps2 *p)
{
    uint8_t flags = (p->remote ? 0x40 : 0) | (p->enabled ? 0x20 : 0) | (p->scaling ? 0x10 : 0) |
                    (p->buttons & 1 ? 4 : 0) | (p->buttons & 4 ? 2 : 0) | (p->buttons & 2 ? 1 : 0);
    uint8_t b[] = { ACK, flags, p->resolution, p->rate };

    ps2_put(p, b, sizeof(b));
}

static void mouse_poll(struct ps2 *p)
{
    uint8_t b[] = { ACK, 0x08 | (p->buttons & 7), 0, 0, 0 };

    ps2_put(p, b, p->id == 3 ? 5 : 4);
}

static void mouse_command(struct ps2 *p, uint8_t v)
{
    if (p->wrap && v != CMD_RESET && v != MOUSE_WRAP_OFF) {
        put1(p, v);
        return;
    }
    switch (v) {
    case MOUSE_SCALE11:
    case MOUSE_SCALE21:
        p->scaling = v == MOUSE_SCALE21;
        break;
    case MOUSE_RESOLUTION:
    case MOUSE_RATE:
        p->command = v;
        break;
    case MOUSE_STATUS:
        mouse_status(p);
        return;
    case MOUSE_STREAM:
    case MOUSE_REMOTE:
        p->remote = v == MOUSE_REMOTE;
        break;
    case MOUSE_POLL:
        mouse_poll(p);
        return;
    case MOUSE_WRAP:
    case MOUSE_WRAP_OFF:
        p->wrap = v == MOUSE_WRAP;
        break;
    case CMD_ID:
        put1(p, ACK);
        put1(p, p->id);
        return;
    case CMD_ENABLE:
    case CMD_DISABLE:
        p->enabled = v == CMD_ENABLE;
        break;
    case CMD_DEFAULTS:
        defaults(p);
        p->enabled = false;
        break;
    case CMD_RESEND:
        put1(p, p->last);
        return;
    case CMD_RESET:
        power_on(p);
        return;
    default:
        put1(p, RESEND);
        return;
    }
    put1(p, ACK);
}

void ps2_write(struct ps2 *p, uint8_t v)
{
    p->head = p->len = 0;                   /* a command discards what was not yet sent */
    if (p->command) {
        if (p->is_mouse) {
            mouse_param(p, v);
        } else {
            kbd_param(p, v);
        }
    } else if (p->is_mouse) {
        mouse_command(p, v);
    } else {
        kbd_command(p, v);
    }
}
