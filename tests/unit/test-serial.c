/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/test-serial.c - 16550A: registers, FIFOs, interrupts, loopback, backpressure (National PC16550D)
 *
 * The character back end is a stub of this file: what the UART sent, and how much it may send.
 */
#include "hw/char/serial.h"
#include "tests/lib/isa_rig.h"
#include <string.h>

struct chardev { int unused; };

static struct chardev stub;
static const struct chardev_fe_ops *fe;
static void *fe_opaque;
static GString *sent;
static size_t room;
static unsigned writes;

bool chardev_attach(struct chardev *c, const struct chardev_fe_ops *ops, void *opaque, Error **errp)
{
    fe = ops;
    fe_opaque = opaque;
    return true;
}

void chardev_detach(struct chardev *c, void *opaque)
{
    fe = NULL;
}

void chardev_accept_input(struct chardev *c)
{
}

struct chardev *chardev_find(const char *id)
{
    return NULL;
}

size_t chardev_write(struct chardev *c, const void *buf, size_t len)
{
    len = MIN(len, room);
    room -= len;
    writes++;
    g_string_append_len(sent, buf, (gssize)len);
    return len;
}

static struct isa_rig rig;
static struct isa_serial *com;

enum { DATA = 0x3F8, IER = 0x3F9, IIR = 0x3FA, LCR = 0x3FB, MCR = 0x3FC, LSR = 0x3FD, MSR = 0x3FE, SCR = 0x3FF };

static void setup(void)
{
    isa_rig_init(&rig);
    sent = g_string_new("");
    room = SIZE_MAX;
    writes = 0;
    com = (struct isa_serial *)device_new(&isa_serial_type, NULL);
    com->uart.chr = &stub;
    isa_rig_realize(&rig, &com->dev, true);
    out8(&rig, MCR, 0x08);
}

static void teardown(void)
{
    isa_rig_fini(&rig);
    g_string_free(sent, TRUE);
}

static void receive(const char *text)
{
    g_assert_cmpuint(fe->can_read(fe_opaque), >=, strlen(text));
    fe->read(fe_opaque, (const uint8_t *)text, strlen(text));
}

static void test_registers(void)
{
    setup();
    g_assert_cmphex(in8(&rig, IER), ==, 0);
    g_assert_cmphex(in8(&rig, IIR), ==, 0x01);
    g_assert_cmphex(in8(&rig, LSR), ==, 0x60);
    g_assert_cmphex(in8(&rig, MSR), ==, 0xB0);
    out8(&rig, SCR, 0x5A);
    g_assert_cmphex(in8(&rig, SCR), ==, 0x5A);
    out8(&rig, IER, 0xFF);
    g_assert_cmphex(in8(&rig, IER), ==, 0x0F);
    out8(&rig, LCR, 0x83);
    out8(&rig, DATA, 0x34);
    out8(&rig, IER, 0x12);
    g_assert_cmphex(in8(&rig, DATA), ==, 0x34);
    g_assert_cmphex(in8(&rig, IER), ==, 0x12);
    out8(&rig, LCR, 0x03);
    g_assert_cmphex(in8(&rig, IER), ==, 0x0F);
    out8(&rig, IIR, 0x01);
    g_assert_cmphex(in8(&rig, IIR) & 0xC0, ==, 0xC0);           /* FIFOs on */
    g_assert_cmpuint(sent->len, ==, 0);
    teardown();
}

static void test_transmit(void)
{
    setup();
    for (const char *p = "hello\n"; *p; p++) {
        g_assert_cmphex(in8(&rig, LSR) & 0x20, ==, 0x20);
        out8(&rig, DATA, (uint8_t)*p);
    }
    g_assert_cmpuint(writes, ==, 0);            /* not a write a byte ... */
    bh_drain(10);
    g_assert_cmpstr(sent->str, ==, "hello\n");
    g_assert_cmpuint(writes, ==, 1);            /* ... but one for all */
    teardown();
}

static void test_backpressure(void)
{
    unsigned n = 0;

    setup();
    room = 100;
    while (in8(&rig, LSR) & 0x20) {
        out8(&rig, DATA, (uint8_t)n++);
        if (n % 64 == 0) {
            bh_drain(10);
        }
        g_assert_cmpuint(n, <, 100000);
    }
    g_assert_cmpuint(sent->len, ==, 100);
    out8(&rig, DATA, 0xEE);                     /* THRE is clear: lost, and counted */
    g_assert_cmpuint(com->uart.dropped, ==, 1);
    out8(&rig, IER, 0x02);
    g_assert_false(rig.level[4]);
    room = SIZE_MAX;
    fe->writable(fe_opaque);
    g_assert_true(rig.level[4]);                /* THR empty again */
    g_assert_cmpuint(sent->len, ==, n);
    for (unsigned i = 0; i < n; i++) {
        g_assert_cmphex((uint8_t)sent->str[i], ==, (uint8_t)i);
    }
    teardown();
}

static void test_thre_interrupt(void)
{
    setup();
    out8(&rig, IER, 0x02);
    g_assert_true(rig.level[4]);                /* enabling it with an empty THR */
    g_assert_cmphex(in8(&rig, IIR), ==, 0x02);
    g_assert_false(rig.level[4]);               /* reading IIR clears this one */
    g_assert_cmphex(in8(&rig, IIR), ==, 0x01);
    out8(&rig, DATA, 'x');
    g_assert_true(rig.level[4]);
    out8(&rig, MCR, 0x00);
    g_assert_false(rig.level[4]);               /* OUT2 gates the wire */
    out8(&rig, MCR, 0x08);
    g_assert_true(rig.level[4]);
    teardown();
}

static void test_receive(void)
{
    static const struct { uint8_t fcr; unsigned trigger; } rows[] = {
        { 0x01, 1 }, { 0x41, 4 }, { 0x81, 8 }, { 0xC1, 14 },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        setup();
        out8(&rig, IIR, rows[i].fcr);
        out8(&rig, IER, 0x01);
        for (unsigned k = 0; k < rows[i].trigger; k++) {
            g_assert_false(rig.level[4]);
            receive("a");
        }
        g_assert_true(rig.level[4]);
        g_assert_cmphex(in8(&rig, IIR), ==, 0xC4);
        g_assert_cmphex(in8(&rig, LSR), ==, 0x61);
        g_assert_cmphex(in8(&rig, DATA), ==, 'a');
        g_assert_false(rig.level[4]);           /* below the trigger level */
        teardown();
    }
}

static void test_timeout(void)
{
    setup();
    out8(&rig, LCR, 0x83);
    out8(&rig, DATA, 1);
    out8(&rig, IER, 0);
    out8(&rig, LCR, 0x03);                      /* 115200 8N1: a character takes 86.8 us */
    out8(&rig, IIR, 0xC1);
    out8(&rig, IER, 0x01);
    receive("ab");
    isa_rig_step(346 * NS_PER_US);
    g_assert_false(rig.level[4]);
    isa_rig_step(2 * NS_PER_US);
    g_assert_cmphex(in8(&rig, IIR), ==, 0xCC);
    g_assert_cmphex(in8(&rig, DATA), ==, 'a');
    g_assert_false(rig.level[4]);
    isa_rig_step(400 * NS_PER_US);
    g_assert_true(rig.level[4]);
    g_assert_cmphex(in8(&rig, DATA), ==, 'b');
    isa_rig_step(NS_PER_SEC);
    g_assert_false(rig.level[4]);
    teardown();
}

static void test_fifo_limits(void)
{
    setup();
    g_assert_cmpuint(fe->can_read(fe_opaque), ==, 1);
    receive("x");
    g_assert_cmpuint(fe->can_read(fe_opaque), ==, 0);
    fe->read(fe_opaque, (const uint8_t *)"y", 1);               /* one too many */
    out8(&rig, IER, 0x04);
    g_assert_cmphex(in8(&rig, IIR), ==, 0x06);                  /* line status comes first */
    g_assert_cmphex(in8(&rig, LSR), ==, 0x63);                  /* overrun */
    g_assert_cmphex(in8(&rig, LSR), ==, 0x61);
    g_assert_cmphex(in8(&rig, DATA), ==, 'y');
    out8(&rig, IIR, 0x01);
    g_assert_cmpuint(fe->can_read(fe_opaque), ==, 16);
    receive("0123456789abcdef");
    g_assert_cmpuint(fe->can_read(fe_opaque), ==, 0);
    out8(&rig, IIR, 0x03);                                      /* clear the receive FIFO */
    g_assert_cmphex(in8(&rig, LSR), ==, 0x60);
    fe->event(fe_opaque, CHARDEV_BREAK);
    g_assert_cmphex(in8(&rig, LSR), ==, 0xF1);                  /* break, an error in the FIFO */
    teardown();
}

static void test_loopback(void)
{
    static const struct { uint8_t mcr, msr; } rows[] = {        /* 8.6: DTR-DSR, RTS-CTS, OUT1-RI, OUT2-DCD */
        { 0x10, 0x00 }, { 0x11, 0x20 }, { 0x12, 0x10 }, { 0x14, 0x40 }, { 0x18, 0x80 }, { 0x1F, 0xF0 },
    };

    setup();
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        out8(&rig, MCR, rows[i].mcr);
        g_assert_cmphex(in8(&rig, MSR) & 0xF0, ==, rows[i].msr);
        g_assert_cmphex(in8(&rig, MSR) & 0x0F, ==, 0);          /* deltas are cleared by reading */
    }
    out8(&rig, MCR, 0x10);
    in8(&rig, MSR);
    out8(&rig, MCR, 0x12);
    g_assert_cmphex(in8(&rig, MSR), ==, 0x11);                  /* delta CTS */
    out8(&rig, DATA, 'q');
    g_assert_cmphex(in8(&rig, LSR) & 1, ==, 1);
    g_assert_cmphex(in8(&rig, DATA), ==, 'q');
    bh_drain(10);
    g_assert_cmpuint(sent->len, ==, 0);                         /* nothing leaves the chip */
    g_assert_cmpuint(fe->can_read(fe_opaque), ==, 0);
    teardown();
}

static void test_ports(void)
{
    Error *err = NULL;
    struct device *d;

    setup();
    for (unsigned i = 1; i < 4; i++) {
        static const unsigned ports[] = { 0x3F8, 0x2F8, 0x3E8, 0x2E8 };

        d = device_new(&isa_serial_type, NULL);
        isa_rig_realize(&rig, d, true);
        out8(&rig, ports[i] + 7, (uint8_t)(0x10 + i));
        g_assert_cmphex(in8(&rig, ports[i] + 7), ==, 0x10 + i);
    }
    d = device_new(&isa_serial_type, NULL);
    g_assert_false(device_realize(d, &rig.isa.bus, &err));
    g_assert_cmpstr(error_text(err), ==, "Max. supported number of ISA serial ports is 4.");
    error_free(err);
    device_free(d);
    teardown();
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    isa_rig_once();
    g_test_add_func("/serial/registers", test_registers);
    g_test_add_func("/serial/transmit", test_transmit);
    g_test_add_func("/serial/backpressure", test_backpressure);
    g_test_add_func("/serial/thre-interrupt", test_thre_interrupt);
    g_test_add_func("/serial/receive", test_receive);
    g_test_add_func("/serial/timeout", test_timeout);
    g_test_add_func("/serial/fifo-limits", test_fifo_limits);
    g_test_add_func("/serial/loopback", test_loopback);
    g_test_add_func("/serial/ports", test_ports);
    return g_test_run();
}
