/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/unit/test-i8254.c - 8254: the six modes, latches, read-back, BCD, gate, IRQ0 (Intel 231164) and port 0x61 */
#include "hw/timer/i8254.h"
#include "tests/lib/isa_rig.h"

static struct isa_rig rig;
static struct i8254 *pit;

static void setup(void)
{
    isa_rig_init(&rig);
    pit = (struct i8254 *)device_new(&i8254_type, NULL);
    pit->irq = &rig.line[0];
    isa_rig_realize(&rig, &pit->dev, true);
}

/* Virtual time to exactly @t clocks after @start */
static void at_clock(int64_t start, uint64_t t)
{
    clock_virtual_set(start + clock_ticks_to_ns(t, PIT_HZ));
}

static int64_t program(unsigned ch, unsigned mode, uint16_t count)
{
    out8(&rig, 0x43, ch << 6 | 0x30 | mode << 1);
    out8(&rig, 0x40 + ch, count & 0xFF);
    out8(&rig, 0x40 + ch, count >> 8);
    return clock_get_ns(CLOCK_VIRTUAL);
}

static uint16_t latched(unsigned ch)
{
    uint8_t low;

    out8(&rig, 0x43, ch << 6);
    low = in8(&rig, 0x40 + ch);
    return low | in8(&rig, 0x40 + ch) << 8;
}

/* Count and OUT at a clock after the load (figures 15 to 20 of the data sheet) */
static void test_modes(void)
{
    static const struct {
        unsigned mode, count, clock, element;
        bool out;
    } rows[] = {
        { 0, 1000, 0, 1000, false }, { 0, 1000, 999, 1, false }, { 0, 1000, 1000, 0, true },
        { 0, 1000, 1001, 0xFFFF, true },
        { 2, 1000, 0, 1000, true }, { 2, 1000, 998, 2, true }, { 2, 1000, 999, 1, false },
        { 2, 1000, 1000, 1000, true },
        { 2, 1000, 5999, 1, false },
        { 3, 1000, 0, 1000, true }, { 3, 1000, 100, 800, true }, { 3, 1000, 499, 2, true },
        { 3, 1000, 500, 1000, false },
        { 3, 1000, 999, 2, false }, { 3, 1000, 1000, 1000, true }, { 3, 5, 2, 1, true }, { 3, 5, 3, 4, false },
        { 4, 1000, 0, 1000, true }, { 4, 1000, 1000, 0, false }, { 4, 1000, 1001, 0xFFFF, true },
        { 0, 0, 1, 0xFFFF, false },             /* 0 is 65536 */
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        int64_t t;

        setup();
        t = program(0, rows[i].mode, rows[i].count);
        at_clock(t, rows[i].clock);
        g_assert_cmphex(latched(0), ==, rows[i].element);
        g_assert_cmpint(pit_out(pit, 0), ==, rows[i].out);
        isa_rig_fini(&rig);
    }
}

/* Modes 1 and 5 count from a rising gate; only channel 2 has one (port 0x61 bit 0). */
static void test_triggered(void)
{
    int64_t t;

    setup();
    out8(&rig, 0x61, 0);
    program(2, 1, 100);
    isa_rig_step(NS_PER_SEC);
    g_assert_true(pit_out(pit, 2));             /* not triggered: OUT is high */
    out8(&rig, 0x61, 1);
    t = clock_get_ns(CLOCK_VIRTUAL);
    g_assert_false(pit_out(pit, 2));
    at_clock(t, 50);
    out8(&rig, 0x61, 0);
    out8(&rig, 0x61, 1);                        /* retriggered */
    at_clock(t, 149);
    g_assert_cmphex(in8(&rig, 0x61) & 0x20, ==, 0);
    at_clock(t, 151);
    g_assert_cmphex(in8(&rig, 0x61) & 0x20, ==, 0x20);
    isa_rig_fini(&rig);
}

static void test_gate_pauses(void)
{
    int64_t t;

    setup();
    out8(&rig, 0x61, 1);
    t = program(2, 0, 1000);
    at_clock(t, 300);
    out8(&rig, 0x61, 0);
    isa_rig_step(NS_PER_SEC);
    g_assert_cmpuint(latched(2), ==, 700);      /* mode 0: a low gate stops the count */
    t = clock_get_ns(CLOCK_VIRTUAL);
    out8(&rig, 0x61, 1);
    at_clock(t, 700);
    g_assert_cmpuint(latched(2), <=, 1);
    isa_rig_fini(&rig);
}

static void test_irq(void)
{
    static const struct { unsigned mode, count, clocks, rises; } rows[] = {
        { 2, 11932, 119320, 10 }, { 3, 11932, 119320, 10 }, { 0, 11932, 119320, 1 }, { 4, 11932, 119320, 1 },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        unsigned before;
        int64_t t;

        setup();
        t = program(0, rows[i].mode, rows[i].count);
        before = rig.rises[0];
        at_clock(t, rows[i].clocks + 2);
        g_assert_cmpuint(rig.rises[0] - before, ==, rows[i].rises);
        isa_rig_fini(&rig);
    }
}

static void test_fastest_rate(void)
{
    setup();
    program(0, 2, 2);                           /* 596 kHz: must not fire more often than every 20 us (R17) */
    isa_rig_step(NS_PER_MS);
    g_assert_cmpuint(rig.rises[0], <=, 52);
    g_assert_cmpuint(rig.rises[0], >, 40);
    isa_rig_fini(&rig);
}

static void test_new_count(void)
{
    int64_t t;

    setup();
    t = program(0, 2, 1000);
    at_clock(t, 400);
    out8(&rig, 0x40, 500 & 0xFF);
    out8(&rig, 0x40, 500 >> 8);
    g_assert_cmpuint(latched(0), ==, 600);      /* the period goes on ... */
    at_clock(t, 1100);
    g_assert_cmpuint(latched(0), >=, 400);      /* ... and the new one begins after it, within a nanosecond */
    g_assert_cmpuint(latched(0), <=, 401);
    isa_rig_fini(&rig);
}

static void test_latches(void)
{
    int64_t t;

    setup();
    t = program(0, 2, 0x1234);
    at_clock(t, 0x34);
    out8(&rig, 0x43, 0x00);                     /* latch */
    at_clock(t, 0x234);
    out8(&rig, 0x43, 0x00);                     /* a second one is ignored until the first is read */
    g_assert_cmphex(in8(&rig, 0x40), ==, 0x00);
    g_assert_cmphex(in8(&rig, 0x40), ==, 0x12);
    g_assert_cmphex(in8(&rig, 0x40), ==, 0x00); /* unlatched: 0x1000 now */
    g_assert_cmphex(in8(&rig, 0x40), ==, 0x10);
    out8(&rig, 0x43, 0xC2);                     /* read-back: status and count of channel 0 */
    g_assert_cmphex(in8(&rig, 0x40), ==, 0xB4); /* OUT, both bytes, mode 2: status comes first */
    g_assert_cmphex(in8(&rig, 0x40), ==, 0x00);
    g_assert_cmphex(in8(&rig, 0x40), ==, 0x10);
    out8(&rig, 0x43, 0x74);                     /* control word for channel 1: null count until a count is written */
    out8(&rig, 0x43, 0xE4);
    g_assert_cmphex(in8(&rig, 0x41) & 0x40, ==, 0x40);
    program(1, 2, 100);
    out8(&rig, 0x43, 0xE4);
    g_assert_cmphex(in8(&rig, 0x41) & 0x40, ==, 0);
    isa_rig_fini(&rig);
}

static void test_access_and_bcd(void)
{
    int64_t t;

    setup();
    out8(&rig, 0x43, 0x15);                     /* channel 0, low byte, mode 2, BCD */
    out8(&rig, 0x40, 0x99);
    t = clock_get_ns(CLOCK_VIRTUAL);
    at_clock(t, 10);
    g_assert_cmphex(in8(&rig, 0x40), ==, 0x89);
    out8(&rig, 0x43, 0x24);                     /* high byte only */
    out8(&rig, 0x40, 0x10);
    t = clock_get_ns(CLOCK_VIRTUAL);
    at_clock(t, 0x101);
    g_assert_cmphex(in8(&rig, 0x40), ==, 0x0E);
    isa_rig_fini(&rig);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    isa_rig_once();
    g_test_add_func("/i8254/modes", test_modes);
    g_test_add_func("/i8254/triggered", test_triggered);
    g_test_add_func("/i8254/gate", test_gate_pauses);
    g_test_add_func("/i8254/irq", test_irq);
    g_test_add_func("/i8254/fastest-rate", test_fastest_rate);
    g_test_add_func("/i8254/new-count", test_new_count);
    g_test_add_func("/i8254/latches", test_latches);
    g_test_add_func("/i8254/access-bcd", test_access_and_bcd);
    return g_test_run();
}
