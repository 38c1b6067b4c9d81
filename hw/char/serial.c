/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/char/serial.c - PC16550D UART with FIFOs (National Semiconductor, 1995)
 *
 *   0 RBR/THR, DLL   1 IER, DLM   2 IIR/FCR   3 LCR   4 MCR   5 LSR   6 MSR   7 SCR
 *
 * Transmission takes no time: a byte goes to an output buffer, and THRE is set again while that has room. The buffer is
 * passed to the back end by a bottom half, so a console that writes byte after byte costs one write a line, not one a
 * byte. When the back end is full, THRE stays clear until it takes more: the guest waits, nothing is lost.
 *
 * Interrupts (8.4, table III) in order of priority: line status, received data, character timeout, THR empty, modem
 * status. OUT2 gates the wire, as on every PC.
 */
#include "hw/char/serial.h"
#include "lib/bits.h"
#include <string.h>

enum { R_DATA, R_IER, R_IIR, R_LCR, R_MCR, R_LSR, R_MSR, R_SCR };
enum { IER_RDA = 1 << 0, IER_THRE = 1 << 1, IER_LINE = 1 << 2, IER_MODEM = 1 << 3 };
enum {
    IIR_NONE = 0x01, IIR_MODEM = 0x00, IIR_THRE = 0x02, IIR_RDA = 0x04, IIR_LINE = 0x06, IIR_TIMEOUT = 0x0C,
    IIR_FIFO = 0xC0,
};
enum { FCR_ENABLE = 1 << 0, FCR_CLEAR_RX = 1 << 1, FCR_CLEAR_TX = 1 << 2 };
enum { LCR_BREAK = 1 << 6, LCR_DLAB = 1 << 7 };
enum { MCR_DTR = 1 << 0, MCR_RTS = 1 << 1, MCR_OUT1 = 1 << 2, MCR_OUT2 = 1 << 3, MCR_LOOP = 1 << 4 };
enum {
    LSR_DR = 1 << 0, LSR_OE = 1 << 1, LSR_BI = 1 << 4, LSR_THRE = 1 << 5, LSR_TEMT = 1 << 6, LSR_ERRORS = 0x1E,
    LSR_FIFO_ERROR = 1 << 7,
};
enum { MSR_DELTAS = 0x0F, MSR_TERI = 1 << 2, MSR_CTS = 1 << 4, MSR_DSR = 1 << 5, MSR_RI = 1 << 6, MSR_DCD = 1 << 7 };

static bool fifo_on(const struct serial *s)
{
    return s->fcr & FCR_ENABLE;
}

static unsigned rx_capacity(const struct serial *s)
{
    return fifo_on(s) ? SERIAL_FIFO : 1;
}

static unsigned rx_trigger(const struct serial *s)
{
    static const uint8_t levels[4] = { 1, 4, 8, 14 };   /* FCR 7:6 */

    return fifo_on(s) ? levels[s->fcr >> 6] : 1;
}

/* Start, data, parity and stop bits at 115200 / divisor */
static int64_t char_ns(const struct serial *s)
{
    unsigned bits = 1 + 5 + (s->lcr & 3) + (s->lcr >> 3 & 1) + 1 + (s->lcr >> 2 & 1);

    return NS_PER_SEC / 115200 * (s->divisor ? s->divisor : 1) * bits;
}

static bool thr_empty(const struct serial *s)
{
    return s->out_len < SERIAL_OUT;
}

/* ---- interrupts ---- */

static uint8_t interrupt_id(const struct serial *s)
{
    if ((s->ier & IER_LINE) && (s->lsr_errors & LSR_ERRORS)) {
        return IIR_LINE;
    }
    if ((s->ier & IER_RDA) && s->rx_len >= rx_trigger(s)) {
        return IIR_RDA;
    }
    if ((s->ier & IER_RDA) && s->timeout_pending) {
        return IIR_TIMEOUT;
    }
    if ((s->ier & IER_THRE) && s->thre_pending) {
        return IIR_THRE;
    }
    if ((s->ier & IER_MODEM) && (s->msr & MSR_DELTAS)) {
        return IIR_MODEM;
    }
    return IIR_NONE;
}

static void update(struct serial *s)
{
    irq_set(s->irq, interrupt_id(s) != IIR_NONE && (s->mcr & MCR_OUT2));
}

/* ---- receiver ---- */

static void rx_clear(struct serial *s)
{
    s->rx_head = s->rx_len = 0;
    s->timeout_pending = false;
    timer_disarm(&s->rx_timer);
}

static void rx_timeout(void *opaque)
{
    struct serial *s = opaque;

    s->timeout_pending = s->rx_len > 0;
    update(s);
}

/* 8.5: four character times without a read or a new character */
static void rx_timer_restart(struct serial *s)
{
    s->timeout_pending = false;
    if (fifo_on(s) && s->rx_len) {
        timer_arm(&s->rx_timer, clock_get_ns(CLOCK_VIRTUAL) + 4 * char_ns(s));
    } else {
        timer_disarm(&s->rx_timer);
    }
}

static void rx_push(struct serial *s, uint8_t c)
{
    if (s->rx_len == rx_capacity(s)) {
        s->overruns++;
        s->lsr_errors |= LSR_OE;
        if (!fifo_on(s)) {
            s->rx[s->rx_head] = c;          /* the newer character replaces the one not read */
        }
        return;
    }
    s->rx[(s->rx_head + s->rx_len) % SERIAL_FIFO] = c;
    s->rx_len++;
}

static uint8_t rx_pop(struct serial *s)
{
    uint8_t c = s->rx[s->rx_head];

    if (!s->rx_len) {
        return 0;
    }
    s->rx_head = (s->rx_head + 1) % SERIAL_FIFO;
    s->rx_len--;
    rx_timer_restart(s);
    if (s->chr && !(s->mcr & MCR_LOOP)) {
        chardev_accept_input(s->chr);
    }
    return c;
}

static size_t be_can_read(void *opaque)
{
    struct serial *s = opaque;

    return s->mcr & MCR_LOOP ? 0 : rx_capacity(s) - MIN(s->rx_len, rx_capacity(s));
}

static void be_read(void *opaque, const uint8_t *buf, size_t len)
{
    struct serial *s = opaque;

    for (size_t i = 0; i < len; i++) {
        rx_push(s, buf[i]);
    }
    rx_timer_restart(s);
    update(s);
}

static void be_event(void *opaque, enum chardev_event ev)
{
    struct serial *s = opaque;

    if (ev == CHARDEV_BREAK) {
        rx_push(s, 0);
        s->lsr_errors |= LSR_BI;
        rx_timer_restart(s);
        update(s);
    }
}

/* ---- transmitter ---- */

static void thr_emptied(struct serial *s)
{
    if (!s->thre_pending) {
        s->thre_pending = true;
        update(s);
    }
}

static void flush(void *opaque)
{
    struct serial *s = opaque;
    bool was_full = !thr_empty(s);
    size_t n = s->chr ? chardev_write(s->chr, s->out, s->out_len) : s->out_len;

    n = MIN(n, s->out_len);
    s->out_len -= n;
    memmove(s->out, s->out + n, s->out_len);
    s->blocked = s->out_len > 0;
    if (was_full && thr_empty(s)) {
        thr_emptied(s);
    }
}

static void be_writable(void *opaque)
{
    struct serial *s = opaque;

    if (s->out_len) {
        flush(s);
    }
}

static const struct chardev_fe_ops be_ops = { be_can_read, be_read, be_event, be_writable };

static void transmit(struct serial *s, uint8_t c)
{
    if (s->mcr & MCR_LOOP) {
        rx_push(s, c);
        rx_timer_restart(s);
    } else if (s->out_len == SERIAL_OUT) {
        s->dropped++;                       /* written although THRE was clear */
        return;
    } else {
        s->out[s->out_len++] = c;
        if (!s->blocked) {
            if (s->out_len == SERIAL_OUT) {
                flush(s);
            } else {
                bh_schedule(&s->flush_bh);
            }
        }
    }
    s->thre_pending = thr_empty(s);
    update(s);
}

/* ---- modem lines ---- */

/* What the inputs show: the outputs in loopback (8.6), else a peer that is always ready */
static uint8_t modem_inputs(const struct serial *s)
{
    if (!(s->mcr & MCR_LOOP)) {
        return MSR_CTS | MSR_DSR | MSR_DCD;
    }
    return (s->mcr & MCR_RTS ? MSR_CTS : 0) | (s->mcr & MCR_DTR ? MSR_DSR : 0) | (s->mcr & MCR_OUT1 ? MSR_RI : 0) |
           (s->mcr & MCR_OUT2 ? MSR_DCD : 0);
}

static void modem_update(struct serial *s)
{
    uint8_t now = modem_inputs(s), was = s->msr & 0xF0, delta = (now ^ was) >> 4;

    if (!(was & ~now & MSR_RI)) {
        delta &= ~MSR_TERI;                 /* ring: the trailing edge only */
    }
    s->msr = now | (s->msr & MSR_DELTAS) | delta;
}

static void mcr_write(struct serial *s, uint8_t v)
{
    bool was_loop = s->mcr & MCR_LOOP;

    s->mcr = v & 0x1F;
    modem_update(s);
    if (was_loop && !(s->mcr & MCR_LOOP) && s->chr) {
        chardev_accept_input(s->chr);
    }
}

/* ---- registers ---- */

static void ier_write(struct serial *s, uint8_t v)
{
    bool rise = (v & ~s->ier) & IER_THRE;

    s->ier = v & 0x0F;
    if (rise && thr_empty(s)) {
        s->thre_pending = true;             /* enabling it with an empty THR interrupts at once */
    }
}

static void fcr_write(struct serial *s, uint8_t v)
{
    if ((v ^ s->fcr) & FCR_ENABLE) {
        rx_clear(s);                        /* changing modes empties both FIFOs */
    }
    if (v & FCR_CLEAR_RX) {
        rx_clear(s);
    }
    s->fcr = v & FCR_ENABLE ? v & 0xC9 : 0;
    if (s->chr && !s->rx_len) {
        chardev_accept_input(s->chr);
    }
}

static void reg_write(void *opaque, uint64_t off, uint64_t val, unsigned size)
{
    struct serial *s = opaque;

    switch (off) {
    case R_DATA:
        if (s->lcr & LCR_DLAB) {
            s->divisor = (s->divisor & 0xFF00) | val;
        } else {
            transmit(s, val);
        }
        break;
    case R_IER:
        if (s->lcr & LCR_DLAB) {
            s->divisor = (s->divisor & 0xFF) | val << 8;
        } else {
            ier_write(s, val);
        }
        break;
    case R_IIR:
        fcr_write(s, val);
        break;
    case R_LCR:
        s->lcr = val;
        break;
    case R_MCR:
        mcr_write(s, val);
        break;
    case R_SCR:
        s->scr = val;
        break;
    default:                                /* LSR, MSR: read-only */
        break;
    }
    update(s);
}

static uint8_t iir_read(struct serial *s)
{
    uint8_t id = interrupt_id(s);

    if (id == IIR_THRE) {
        s->thre_pending = false;
    }
    return id | (fifo_on(s) ? IIR_FIFO : 0);
}

static uint8_t lsr_read(struct serial *s)
{
    uint8_t v = s->lsr_errors | (s->rx_len ? LSR_DR : 0) | (thr_empty(s) ? LSR_THRE | LSR_TEMT : 0);

    if (fifo_on(s) && (s->lsr_errors & LSR_BI)) {
        v |= LSR_FIFO_ERROR;
    }
    s->lsr_errors = 0;
    return v;
}

static uint64_t reg_read(void *opaque, uint64_t off, unsigned size)
{
    struct serial *s = opaque;
    uint8_t v = 0xFF;

    switch (off) {
    case R_DATA:
        v = s->lcr & LCR_DLAB ? s->divisor & 0xFF : rx_pop(s);
        break;
    case R_IER:
        v = s->lcr & LCR_DLAB ? s->divisor >> 8 : s->ier;
        break;
    case R_IIR:
        v = iir_read(s);
        break;
    case R_LCR:
        return s->lcr;
    case R_MCR:
        return s->mcr;
    case R_LSR:
        v = lsr_read(s);
        break;
    case R_MSR:
        v = s->msr;
        s->msr &= ~MSR_DELTAS;
        break;
    default:
        return s->scr;
    }
    update(s);
    return v;
}

const struct region_ops serial_ops = { reg_read, reg_write, 1, 1 };

/* ---- life ---- */

bool serial_init(struct serial *s, Error **errp)
{
    bh_init(&s->flush_bh, "serial", flush, s);
    timer_setup(&s->rx_timer, CLOCK_VIRTUAL, rx_timeout, s);
    return !s->chr || chardev_attach(s->chr, &be_ops, s, errp);
}

void serial_fini(struct serial *s)
{
    if (s->flush_bh.fn) {
        flush(s);
        bh_fini(&s->flush_bh);
    }
    timer_fini(&s->rx_timer);
    if (s->chr) {
        chardev_detach(s->chr, s);
        s->chr = NULL;
    }
}

/* Master reset (table II). Bytes already accepted for the back end are still sent. */
void serial_reset(struct serial *s)
{
    s->ier = s->lcr = s->mcr = s->scr = s->fcr = s->lsr_errors = 0;
    s->divisor = 12;                        /* undefined on the chip; 9600 baud */
    s->msr = modem_inputs(s);
    s->thre_pending = false;
    rx_clear(s);
    update(s);
}
