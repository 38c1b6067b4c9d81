/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/test-i8259.c - 8259A pair: initialisation, priorities, EOI kinds, poll, levels (Intel 231468; PIIX3 290550
 * 2.5)
 */
#include "hw/intc/i8259.h"
#include "tests/lib/isa_rig.h"

static struct isa_rig rig;
static struct i8259 *pic;

static void setup(uint8_t icw4)
{
    isa_rig_init(&rig);
    pic = (struct i8259 *)device_new(&i8259_type, NULL);
    pic->intr = &rig.line[20];
    isa_rig_realize(&rig, &pic->dev, true);
    for (unsigned i = 0; i < 2; i++) {
        unsigned port = i ? 0xA0 : 0x20;

        out8(&rig, port, 0x11);
        out8(&rig, port + 1, i ? 0x70 : 0x08);
        out8(&rig, port + 1, i ? 2 : 4);
        out8(&rig, port + 1, icw4);
        out8(&rig, port + 1, 0);
    }
}

static void edge(unsigned n)
{
    irq_pulse(&pic->in[n]);
}

/* Vectors in the order in which everything pending is served, each ended with a non-specific EOI */
static void test_priority(void)
{
    static const struct {
        uint16_t raise;
        uint8_t want[6];
    } rows[] = {
        { 0x0001, { 0x08 } },
        { 0x000A, { 0x09, 0x0B } },
        { 0x8080, { 0x77, 0x0F } },             /* the slave comes in at IR2 */
        { 0x1102, { 0x09, 0x70, 0x74 } },
        { 0xC000, { 0x76, 0x77 } },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        setup(0x01);
        for (unsigned n = 0; n < 16; n++) {
            if (rows[i].raise & 1u << n) {
                edge(n);
            }
        }
        for (unsigned k = 0; k < 6 && rows[i].want[k]; k++) {
            uint8_t v;

            g_assert_true(rig.level[20]);
            v = i8259_ack(pic);
            g_assert_cmphex(v, ==, rows[i].want[k]);
            if (v >= 0x70) {
                out8(&rig, 0xA0, 0x20);
            }
            out8(&rig, 0x20, 0x20);
        }
        g_assert_false(rig.level[20]);
        isa_rig_fini(&rig);
    }
}

static void test_nesting(void)
{
    setup(0x01);
    edge(4);
    g_assert_cmphex(i8259_ack(pic), ==, 0x0C);
    edge(5);
    g_assert_false(rig.level[20]);              /* lower than what is in service */
    edge(3);
    g_assert_true(rig.level[20]);               /* higher */
    g_assert_cmphex(i8259_ack(pic), ==, 0x0B);
    out8(&rig, 0x20, 0x0B);                     /* OCW3: read ISR */
    g_assert_cmphex(in8(&rig, 0x20), ==, 0x18);
    out8(&rig, 0x20, 0x64);                     /* specific EOI of 4: 3 stays */
    g_assert_cmphex(in8(&rig, 0x20), ==, 0x08);
    g_assert_false(rig.level[20]);
    out8(&rig, 0x20, 0x20);
    g_assert_cmphex(i8259_ack(pic), ==, 0x0D);
    isa_rig_fini(&rig);
}

static void test_mask_and_special_mask(void)
{
    setup(0x01);
    out8(&rig, 0x21, 0x10);
    edge(4);
    g_assert_false(rig.level[20]);
    out8(&rig, 0x20, 0x0A);
    g_assert_cmphex(in8(&rig, 0x20), ==, 0x10); /* requested, masked */
    out8(&rig, 0x21, 0x00);
    g_assert_cmphex(i8259_ack(pic), ==, 0x0C);
    edge(6);
    g_assert_false(rig.level[20]);
    out8(&rig, 0x21, 0x10);
    out8(&rig, 0x20, 0x68);                     /* special mask: a masked one in service blocks nobody */
    g_assert_true(rig.level[20]);
    g_assert_cmphex(i8259_ack(pic), ==, 0x0E);
    g_assert_cmphex(in8(&rig, 0x21), ==, 0x10);
    isa_rig_fini(&rig);
}

static void test_rotation(void)
{
    setup(0x01);
    edge(0);
    g_assert_cmphex(i8259_ack(pic), ==, 0x08);
    out8(&rig, 0x20, 0xA0);                     /* rotate on non-specific EOI: 0 becomes the lowest */
    edge(0);
    edge(1);
    g_assert_cmphex(i8259_ack(pic), ==, 0x09);
    out8(&rig, 0x20, 0x20);
    out8(&rig, 0x20, 0xC4);                     /* set priority: 4 lowest, so 5 first */
    edge(5);
    g_assert_cmphex(i8259_ack(pic), ==, 0x0D);
    isa_rig_fini(&rig);
}

static void test_auto_eoi(void)
{
    setup(0x03);
    edge(3);
    g_assert_cmphex(i8259_ack(pic), ==, 0x0B);
    out8(&rig, 0x20, 0x0B);
    g_assert_cmphex(in8(&rig, 0x20), ==, 0);    /* nothing stays in service */
    out8(&rig, 0x20, 0x80);                     /* rotate in automatic EOI mode */
    edge(3);
    g_assert_cmphex(i8259_ack(pic), ==, 0x0B);
    edge(3);
    edge(7);
    g_assert_cmphex(i8259_ack(pic), ==, 0x0F);  /* 3 was served last */
    isa_rig_fini(&rig);
}

static void test_spurious_and_poll(void)
{
    setup(0x01);
    g_assert_cmphex(i8259_ack(pic), ==, 0x0F);
    g_assert_cmpuint(pic->spurious, ==, 1);
    out8(&rig, 0x20, 0x0C);
    g_assert_cmphex(in8(&rig, 0x20), ==, 0x07); /* poll: nothing */
    edge(6);
    out8(&rig, 0x20, 0x0C);
    g_assert_cmphex(in8(&rig, 0x20), ==, 0x86); /* poll acknowledges */
    g_assert_false(rig.level[20]);
    out8(&rig, 0x20, 0x0B);
    g_assert_cmphex(in8(&rig, 0x20), ==, 0x40);
    isa_rig_fini(&rig);
}

static void test_level(void)
{
    setup(0x01);
    out8(&rig, 0x4D0, 0xFF);
    out8(&rig, 0x4D1, 0xFF);
    g_assert_cmphex(isa_rig_in(&rig, 0x4D0, 2), ==, 0xDEF8);    /* 0, 1, 2, 8, 13 are always edges */
    irq_raise(&pic->in[11]);
    g_assert_cmphex(i8259_ack(pic), ==, 0x73);
    out8(&rig, 0xA0, 0x20);
    out8(&rig, 0x20, 0x20);
    g_assert_true(rig.level[20]);               /* still asserted: again */
    irq_lower(&pic->in[11]);
    g_assert_false(rig.level[20]);
    isa_rig_fini(&rig);
}

static void test_icw1(void)
{
    setup(0x01);
    edge(3);
    out8(&rig, 0x21, 0x55);
    out8(&rig, 0x20, 0x11);                     /* clears mask, edges, in service */
    out8(&rig, 0x21, 0x47);                     /* the low bits of ICW2 are the input */
    out8(&rig, 0x21, 0x04);
    out8(&rig, 0x21, 0x01);
    g_assert_cmphex(in8(&rig, 0x21), ==, 0);
    g_assert_false(rig.level[20]);
    edge(1);
    g_assert_cmphex(i8259_ack(pic), ==, 0x41);
    isa_rig_fini(&rig);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    isa_rig_once();
    g_test_add_func("/i8259/priority", test_priority);
    g_test_add_func("/i8259/nesting", test_nesting);
    g_test_add_func("/i8259/mask", test_mask_and_special_mask);
    g_test_add_func("/i8259/rotation", test_rotation);
    g_test_add_func("/i8259/auto-eoi", test_auto_eoi);
    g_test_add_func("/i8259/spurious-poll", test_spurious_and_poll);
    g_test_add_func("/i8259/level", test_level);
    g_test_add_func("/i8259/icw1", test_icw1);
    return g_test_run();
}
