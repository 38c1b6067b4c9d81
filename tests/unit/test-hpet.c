/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/unit/test-hpet.c - HPET: counter, one-shot, periodic, level, legacy replacement, widths (IA-PC HPET 1.0a) */
#include "hw/timer/hpet.h"
#include "tests/lib/isa_rig.h"

enum { CAP = 0, CONFIG = 0x10, STATUS = 0x20, COUNTER = 0xF0, T0 = 0x100, T1 = 0x120, CMP = 8 };
enum { LEVEL = 1 << 1, ENABLE = 1 << 2, PERIODIC = 1 << 3, VAL_SET = 1 << 6, MODE32 = 1 << 8 };

static struct isa_rig rig;
static struct hpet *hpet;

static uint64_t get(unsigned off, unsigned size)
{
    return space_read(&rig.mem_as, HPET_BASE + off, size);
}

static void set(unsigned off, uint64_t v, unsigned size)
{
    space_write(&rig.mem_as, HPET_BASE + off, v, size);
}

static void setup(void)
{
    isa_rig_init(&rig);
    hpet = (struct hpet *)device_new(&hpet_type, NULL);
    hpet->mem = &rig.mem;
    for (unsigned i = 0; i < RIG_LINES; i++) {
        hpet->out[i] = &rig.line[i];
    }
    isa_rig_realize(&rig, &hpet->dev, false);
}

static void test_capabilities(void)
{
    setup();
    /* 10,000,000 fs; 8086; legacy, 64 bits, 3 timers, rev 1 */
    g_assert_cmphex(get(CAP, 8), ==, 0x009896808086A201);
    g_assert_cmphex(get(CAP + 4, 4), ==, 10000000);
    g_assert_cmphex(get(T0, 8), ==, 0x00F0000000000030);        /* routes 20-23, 64 bits, periodic */
    g_assert_cmphex(get(T1, 8), ==, 0x00F0000000000020);
    g_assert_cmphex(get(T0 + CMP, 8), ==, ~0ull);
    set(T0, ~0ull, 8);
    g_assert_cmphex(get(T0, 8), ==, 0x00F0000000003F3E);        /* FSB not offered; bit 6 reads 0 */
    isa_rig_fini(&rig);
}

static void test_counter(void)
{
    setup();
    isa_rig_step(NS_PER_MS);
    g_assert_cmpuint(get(COUNTER, 8), ==, 0);                   /* halted */
    set(CONFIG, 1, 4);
    isa_rig_step(NS_PER_MS);
    g_assert_cmpuint(get(COUNTER, 8), ==, 100000);
    set(CONFIG, 0, 4);
    isa_rig_step(NS_PER_MS);
    g_assert_cmpuint(get(COUNTER, 4), ==, 100000);
    set(COUNTER, 0x1FFFFFFFFull, 8);
    set(CONFIG, 1, 4);
    isa_rig_step(10);
    g_assert_cmphex(get(COUNTER, 8), ==, 0x200000000);
    g_assert_cmphex(get(COUNTER + 4, 4), ==, 2);
    isa_rig_fini(&rig);
}

static void test_oneshot(void)
{
    setup();
    set(CONFIG, 1, 4);
    set(T1, ENABLE | 20 << 9, 4);
    set(T1 + CMP, get(COUNTER, 8) + 1000, 8);
    isa_rig_step(9999);
    g_assert_cmpuint(rig.rises[20], ==, 0);
    isa_rig_step(1);
    g_assert_cmpuint(rig.rises[20], ==, 1);
    isa_rig_step(NS_PER_SEC);
    g_assert_cmpuint(rig.rises[20], ==, 1);
    set(T1, ENABLE | 5 << 9, 4);                                /* a route that is not offered leads nowhere */
    set(T1 + CMP, get(COUNTER, 8) + 1000, 8);
    isa_rig_step(20000);
    g_assert_cmpuint(rig.rises[5], ==, 0);
    isa_rig_fini(&rig);
}

/* The way the Linux driver does it: comparator with VAL_SET, then the period */
static void test_periodic(void)
{
    static const unsigned widths[] = { 4, 8 };

    for (unsigned i = 0; i < G_N_ELEMENTS(widths); i++) {
        unsigned w = widths[i];

        setup();
        set(CONFIG, 3, 4);                                      /* enable, legacy replacement */
        set(T0, ENABLE | PERIODIC | VAL_SET | (w == 4 ? MODE32 : 0), 4);
        set(T0 + CMP, 400000, w);
        set(T0 + CMP, 400000, w);
        isa_rig_step(40 * NS_PER_MS);
        g_assert_cmpuint(rig.rises[0], ==, 10);
        g_assert_cmpuint(get(T0 + CMP, w), ==, 11 * 400000);
        set(CONFIG, 2, 4);
        isa_rig_step(40 * NS_PER_MS);
        g_assert_cmpuint(rig.rises[0], ==, 10);
        isa_rig_fini(&rig);
    }
}

static void test_period_floor(void)
{
    setup();
    set(CONFIG, 3, 4);
    set(T0, ENABLE | PERIODIC | VAL_SET | MODE32, 4);
    set(T0 + CMP, 10, 4);
    set(T0 + CMP, 1, 4);                                        /* 10 ns: rule R17 */
    isa_rig_step(NS_PER_MS);
    g_assert_cmpuint(rig.rises[0], <=, 51);
    g_assert_cmpuint(rig.rises[0], >=, 40);
    isa_rig_fini(&rig);
}

static void test_level(void)
{
    setup();
    set(CONFIG, 1, 4);
    set(T1, ENABLE | LEVEL | 21 << 9, 4);
    set(T1 + CMP, 1000, 8);
    isa_rig_step(10000);
    g_assert_true(rig.level[21]);
    g_assert_cmphex(get(STATUS, 4), ==, 2);
    set(STATUS, 1, 4);
    g_assert_true(rig.level[21]);
    set(STATUS, 2, 4);
    g_assert_false(rig.level[21]);
    g_assert_cmphex(get(STATUS, 4), ==, 0);
    isa_rig_fini(&rig);
}

static void test_legacy(void)
{
    setup();
    irq_raise(&hpet->in[HPET_PIT]);
    irq_raise(&hpet->in[HPET_RTC]);
    g_assert_true(rig.level[0] && rig.level[8]);                /* passed on */
    set(CONFIG, 2, 4);
    g_assert_false(rig.level[0] || rig.level[8]);               /* cut off */
    irq_pulse(&hpet->in[HPET_PIT]);
    g_assert_cmpuint(rig.rises[0], ==, 1);
    set(T1, ENABLE, 4);
    set(T1 + CMP, 1000, 8);
    set(CONFIG, 3, 4);
    isa_rig_step(10000);
    g_assert_true(rig.level[8]);                                /* timer 1 is IRQ8 now */
    isa_rig_fini(&rig);
}

static void test_wrap32(void)
{
    setup();
    set(COUNTER, 0xFFFFFF00, 8);
    set(CONFIG, 1, 4);
    set(T1, ENABLE | MODE32 | 22 << 9, 4);
    set(T1 + CMP, 0x100, 4);
    isa_rig_step(0x200 * 10 - 1);
    g_assert_cmpuint(rig.rises[22], ==, 0);
    isa_rig_step(1);
    g_assert_cmpuint(rig.rises[22], ==, 1);
    isa_rig_fini(&rig);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    isa_rig_once();
    g_test_add_func("/hpet/capabilities", test_capabilities);
    g_test_add_func("/hpet/counter", test_counter);
    g_test_add_func("/hpet/oneshot", test_oneshot);
    g_test_add_func("/hpet/periodic", test_periodic);
    g_test_add_func("/hpet/period-floor", test_period_floor);
    g_test_add_func("/hpet/level", test_level);
    g_test_add_func("/hpet/legacy", test_legacy);
    g_test_add_func("/hpet/wrap32", test_wrap32);
    return g_test_run();
}
