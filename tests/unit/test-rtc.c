/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/unit/test-rtc.c - MC146818A: date, formats, SET, alarms, periodic rates, update cycle (Motorola ADI856) */
#include "hw/timer/mc146818rtc.h"
#include "tests/lib/isa_rig.h"

static struct isa_rig rig;
static struct mc146818rtc *rtc;

/* 2024-02-29 23:59:58 UTC, a Thursday */
#define LEAP_EVE 1709251198LL

static uint8_t get(uint8_t n)
{
    out8(&rig, 0x70, n);
    return in8(&rig, 0x71);
}

static void set(uint8_t n, uint8_t v)
{
    out8(&rig, 0x70, n);
    out8(&rig, 0x71, v);
}

static void setup(int64_t date)
{
    isa_rig_init(&rig);
    rtc = (struct mc146818rtc *)device_new(&mc146818rtc_type, NULL);
    rtc->irq = &rig.line[8];
    rtc->clock = CLOCK_VIRTUAL;
    rtc->offset_ns = date * NS_PER_SEC - clock_get_ns(CLOCK_VIRTUAL);
    isa_rig_realize(&rig, &rtc->dev, true);
    get(0x0C);
}

static void test_date(void)
{
    static const struct {
        int64_t t;
        uint8_t cent, year, month, day, weekday, hour, min, sec;
    } rows[] = {
        { 0, 0x19, 0x70, 0x01, 0x01, 5, 0x00, 0x00, 0x00 },
        { LEAP_EVE, 0x20, 0x24, 0x02, 0x29, 5, 0x23, 0x59, 0x58 },
        { 951782400, 0x20, 0x00, 0x02, 0x29, 3, 0x00, 0x00, 0x00 },
        { 4102444799, 0x20, 0x99, 0x12, 0x31, 5, 0x23, 0x59, 0x59 },
        { 4107542400, 0x21, 0x00, 0x03, 0x01, 2, 0x00, 0x00, 0x00 },    /* 2100 is no leap year */
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        setup(rows[i].t);
        g_assert_cmphex(get(0x32), ==, rows[i].cent);
        g_assert_cmphex(get(9), ==, rows[i].year);
        g_assert_cmphex(get(8), ==, rows[i].month);
        g_assert_cmphex(get(7), ==, rows[i].day);
        g_assert_cmphex(get(6), ==, rows[i].weekday);
        g_assert_cmphex(get(4), ==, rows[i].hour);
        g_assert_cmphex(get(2), ==, rows[i].min);
        g_assert_cmphex(get(0), ==, rows[i].sec);
        isa_rig_fini(&rig);
    }
}

static void test_formats(void)
{
    static const struct { uint8_t b; unsigned hour; uint8_t want; } rows[] = {     /* table 2 of the data sheet */
        { 0x02, 0, 0x00 }, { 0x02, 13, 0x13 }, { 0x06, 13, 13 }, { 0x06, 23, 23 },
        { 0x00, 0, 0x12 }, { 0x00, 12, 0x92 }, { 0x00, 13, 0x81 }, { 0x04, 23, 0x8B }, { 0x04, 11, 11 },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        setup(rows[i].hour * 3600);
        set(0x0B, rows[i].b);
        g_assert_cmphex(get(4), ==, rows[i].want);
        set(4, rows[i].want);                   /* and it reads it back the same way */
        g_assert_cmpint(rtc->offset_ns + clock_get_ns(CLOCK_VIRTUAL), ==, rows[i].hour * 3600 * NS_PER_SEC);
        isa_rig_fini(&rig);
    }
}

static void test_rollover_and_set(void)
{
    setup(LEAP_EVE);
    isa_rig_step(2 * NS_PER_SEC);
    g_assert_cmphex(get(8), ==, 0x03);
    g_assert_cmphex(get(7), ==, 0x01);
    g_assert_cmphex(get(0), ==, 0x00);
    set(0x0B, 0x82);                            /* SET: time stands still */
    isa_rig_step(10 * NS_PER_SEC);
    g_assert_cmphex(get(0), ==, 0x00);
    set(9, 0x30);
    set(8, 0x12);
    set(7, 0x31);
    set(4, 0x23);
    set(2, 0x59);
    set(0, 0x59);
    set(0x0B, 0x02);
    isa_rig_step(NS_PER_SEC);
    g_assert_cmphex(get(9), ==, 0x31);
    g_assert_cmphex(get(8), ==, 0x01);
    g_assert_cmphex(get(7), ==, 0x01);
    /* the divider held in reset; let go, the first update comes half a second later */
    set(0x0A, 0x76);
    set(0, 0x10);
    isa_rig_step(5 * NS_PER_SEC);
    g_assert_cmphex(get(0), ==, 0x10);
    set(0x0A, 0x26);
    isa_rig_step(NS_PER_SEC / 2 - 1);
    g_assert_cmphex(get(0), ==, 0x10);
    isa_rig_step(1);
    g_assert_cmphex(get(0), ==, 0x11);
    isa_rig_fini(&rig);
}

static void test_uip(void)
{
    setup(1000000);
    g_assert_cmphex(get(0x0A) & 0x80, ==, 0);
    isa_rig_step(NS_PER_SEC - 300 * NS_PER_US);
    g_assert_cmphex(get(0x0A) & 0x80, ==, 0);
    isa_rig_step(100 * NS_PER_US);
    g_assert_cmphex(get(0x0A) & 0x80, ==, 0x80);
    isa_rig_step(200 * NS_PER_US);
    g_assert_cmphex(get(0x0A) & 0x80, ==, 0);
    isa_rig_fini(&rig);
}

static void test_update_interrupt(void)
{
    setup(1000000);
    isa_rig_step(3 * NS_PER_SEC);
    g_assert_cmpuint(rig.rises[8], ==, 0);
    g_assert_cmphex(get(0x0C), ==, 0x50);       /* the flags are set without interrupt, */
    g_assert_cmphex(get(0x0C), ==, 0x00);       /* and reading clears it */
    set(0x0B, 0x12);
    isa_rig_step(NS_PER_SEC);
    g_assert_true(rig.level[8]);
    isa_rig_step(NS_PER_SEC);
    g_assert_cmpuint(rig.rises[8], ==, 1);      /* stays until it is read */
    g_assert_cmphex(get(0x0C) & 0xB0, ==, 0x90);
    g_assert_false(rig.level[8]);
    isa_rig_step(NS_PER_SEC);
    g_assert_cmpuint(rig.rises[8], ==, 2);
    isa_rig_fini(&rig);
}

static void test_alarm(void)
{
    static const struct {
        uint8_t hour, min, sec;
        unsigned after;             /* seconds from 12:34:56 to the alarm */
    } rows[] = {
        { 0x12, 0x34, 0x57, 1 }, { 0xC0, 0xC0, 0x00, 4 }, { 0xFF, 0x35, 0x00, 4 }, { 0xFF, 0x30, 0x00, 3304 },
        { 0x12, 0x34, 0x56, 86400 }, { 0xFF, 0xFF, 0xFF, 1 }, { 0x00, 0x00, 0x00, 41104 },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        setup(12 * 3600 + 34 * 60 + 56);
        set(5, rows[i].hour);
        set(3, rows[i].min);
        set(1, rows[i].sec);
        set(0x0B, 0x22);
        isa_rig_step(rows[i].after * NS_PER_SEC - 1);
        g_assert_cmpuint(rig.rises[8], ==, 0);
        isa_rig_step(1);
        g_assert_cmpuint(rig.rises[8], ==, 1);
        g_assert_cmphex(get(0x0C) & 0xA0, ==, 0xA0);
        isa_rig_fini(&rig);
    }
    setup(0);
    set(3, 0x75);                               /* no such minute: never, and no endless search */
    set(0x0B, 0x22);
    isa_rig_step(2 * 86400 * NS_PER_SEC);
    g_assert_cmpuint(rig.rises[8], ==, 0);
    isa_rig_fini(&rig);
}

static void test_periodic(void)
{
    static const struct { uint8_t rs; unsigned hz; } rows[] = {     /* table 5 */
        { 6, 1024 }, { 15, 2 }, { 3, 8192 }, { 1, 256 }, { 2, 128 }, { 10, 64 },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        unsigned n = 0;

        setup(0);
        set(0x0A, 0x20 | rows[i].rs);
        set(0x0B, 0x42);
        for (unsigned k = 0; k < rows[i].hz; k++) {
            isa_rig_step(NS_PER_SEC / rows[i].hz + 1);
            n += get(0x0C) == 0xC0 || n;
        }
        g_assert_cmpuint(n, ==, rows[i].hz);
        g_assert_cmpuint(rig.rises[8], >=, rows[i].hz - 1);
        g_assert_cmpuint(rig.rises[8], <=, rows[i].hz);
        isa_rig_fini(&rig);
    }
}

static void test_memory(void)
{
    setup(0);
    rtc_set_memory(rtc, 0xC0000000, 0x40000000);
    g_assert_cmphex(get(0x15) | get(0x16) << 8, ==, 640);
    g_assert_cmphex(get(0x17) | get(0x18) << 8, ==, 0xFFFF);
    g_assert_cmphex(get(0x34) | get(0x35) << 8, ==, 0xBF00);
    g_assert_cmphex(get(0x5B) | get(0x5C) << 8 | get(0x5D) << 16, ==, 0x4000);
    set(0x40, 0xA5);
    device_reset(&rtc->dev);                    /* has a battery */
    g_assert_cmphex(get(0x40), ==, 0xA5);
    g_assert_cmphex(get(0x0D), ==, 0x80);
    set(0x0D, 0);
    g_assert_cmphex(get(0x0D), ==, 0x80);
    isa_rig_fini(&rig);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    isa_rig_once();
    g_test_add_func("/rtc/date", test_date);
    g_test_add_func("/rtc/formats", test_formats);
    g_test_add_func("/rtc/rollover-set", test_rollover_and_set);
    g_test_add_func("/rtc/uip", test_uip);
    g_test_add_func("/rtc/update-interrupt", test_update_interrupt);
    g_test_add_func("/rtc/alarm", test_alarm);
    g_test_add_func("/rtc/periodic", test_periodic);
    g_test_add_func("/rtc/memory", test_memory);
    return g_test_run();
}
