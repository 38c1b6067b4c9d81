/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/test-apic.c - local APIC: priorities, IPIs, timer, errors, x2APIC, virtual wire (Intel SDM vol. 3, chapter
 * 10)
 */
#include "tests/lib/apic_rig.h"

enum {
    ID = 0x20, VERSION = 0x30, TPR = 0x80, PPR = 0xA0, EOI = 0xB0, LDR = 0xD0, DFR = 0xE0, SVR = 0xF0, ISR = 0x100,
    TMR = 0x180,
    IRR = 0x200, ESR = 0x280, ICR_LO = 0x300, ICR_HI = 0x310, LVT_T = 0x320, LVT_0 = 0x350, LVT_1 = 0x360,
    LVT_E = 0x370,
    INITIAL = 0x380, CURRENT = 0x390, DIVIDE = 0x3E0,
};
enum {
    SELF = 1 << 18, ALL = 2 << 18, OTHERS = 3 << 18, LOGICAL = 1 << 11, MASKED = 1 << 16, PERIODIC = 1 << 17,
    DEADLINE = 2 << 17,
};

static struct apic_rig rig;

static void self_ipi(unsigned cpu, uint8_t v)
{
    apic_rig_write(&rig, cpu, ICR_LO, SELF | v);
}

static void test_reset_values(void)
{
    static const struct { unsigned off; uint32_t want; } rows[] = {     /* SDM table 10-1 and 10.4.7.1 */
        { ID, 0 }, { VERSION, 0x00050014 }, { TPR, 0 }, { PPR, 0 }, { DFR, 0xFFFFFFFF }, { SVR, 0xFF },
        { ESR, 0 }, { ICR_LO, 0 }, { LVT_T, MASKED }, { LVT_0, MASKED }, { LVT_1, MASKED }, { LVT_E, MASKED },
        { INITIAL, 0 },
        { CURRENT, 0 }, { DIVIDE, 0 }, { LDR, 0 },
    };

    apic_rig_init(&rig);
    device_reset(&rig.apic[0]->dev);
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_assert_cmphex(apic_rig_read(&rig, 0, rows[i].off), ==, rows[i].want);
    }
    g_assert_cmphex(rig.apic[0]->base, ==, 0xFEE00900);
    g_assert_cmphex(rig.apic[1]->base, ==, 0xFEE00800);
    apic_rig_fini(&rig);
}

static void test_priority(void)
{
    apic_rig_init(&rig);
    self_ipi(0, 0x31);
    self_ipi(0, 0x52);
    self_ipi(0, 0x45);
    g_assert_true(rig.cpu[0].intr);
    g_assert_cmphex(apic_rig_read(&rig, 0, IRR + 0x20), ==, 1u << 0x12 | 1u << 5);
    g_assert_cmphex(apic_ack(rig.apic[0]), ==, 0x52);
    g_assert_cmphex(apic_rig_read(&rig, 0, PPR), ==, 0x50);
    g_assert_false(rig.cpu[0].intr);            /* 0x45 is of a lower class */
    self_ipi(0, 0x5F);
    g_assert_false(rig.cpu[0].intr);            /* same class does not interrupt */
    self_ipi(0, 0x61);
    g_assert_cmphex(apic_ack(rig.apic[0]), ==, 0x61);
    apic_rig_write(&rig, 0, EOI, 0);
    g_assert_cmphex(apic_rig_read(&rig, 0, PPR), ==, 0x50);
    apic_rig_write(&rig, 0, EOI, 0);
    g_assert_cmphex(apic_ack(rig.apic[0]), ==, 0x5F);
    apic_rig_write(&rig, 0, EOI, 0);
    apic_rig_write(&rig, 0, TPR, 0x40);
    g_assert_false(rig.cpu[0].intr);            /* TPR holds 0x45 and 0x31 back */
    g_assert_cmpuint(apic_cr8_get(rig.apic[0]), ==, 4);
    apic_cr8_set(rig.apic[0], 3);
    g_assert_cmphex(apic_ack(rig.apic[0]), ==, 0x45);
    g_assert_cmpint(apic_ack(rig.apic[0]), ==, -1);
    apic_rig_fini(&rig);
}

static void test_ipi(void)
{
    static const struct {
        uint32_t high, low;
        bool hit0, hit1;
    } rows[] = {
        { 0x00000000, 0x40, true, false }, { 0x01000000, 0x40, false, true }, { 0xFF000000, 0x40, true, true },
        { 0x07000000, 0x40, false, false }, { 0x02000000, LOGICAL | 0x40, false, true },
        { 0x03000000, LOGICAL | 0x40, true, true }, { 0x0C000000, LOGICAL | 0x40, false, false },
        { 0, SELF | 0x40, true, false }, { 0, ALL | 0x40, true, true }, { 0, OTHERS | 0x40, false, true },
        { 0x03000000, LOGICAL | 1 << 8 | 0x40, true, false },   /* lowest priority: one of them */
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        apic_rig_init(&rig);
        apic_rig_write(&rig, 0, ICR_HI, rows[i].high);
        apic_rig_write(&rig, 0, ICR_LO, rows[i].low);
        g_assert_cmpint(rig.cpu[0].intr, ==, rows[i].hit0);
        g_assert_cmpint(rig.cpu[1].intr, ==, rows[i].hit1);
        apic_rig_fini(&rig);
    }
}

static void test_cluster(void)
{
    apic_rig_init(&rig);
    for (unsigned i = 0; i < 2; i++) {
        apic_rig_write(&rig, i, DFR, 0x0FFFFFFF);
        apic_rig_write(&rig, i, LDR, (0x10u + 0x10 * i) << 24 | 0x01000000);
    }
    apic_rig_write(&rig, 0, ICR_HI, 0x21000000);
    apic_rig_write(&rig, 0, ICR_LO, LOGICAL | 0x40);
    g_assert_false(rig.cpu[0].intr);
    g_assert_true(rig.cpu[1].intr);
    apic_rig_fini(&rig);
}

static void test_init_sipi_nmi(void)
{
    apic_rig_init(&rig);
    apic_rig_write(&rig, 0, ICR_HI, 0x01000000);
    apic_rig_write(&rig, 0, ICR_LO, 0xC500);    /* INIT, assert, level */
    apic_rig_write(&rig, 0, ICR_LO, 0x8500);    /* de-assert: nothing */
    apic_rig_write(&rig, 0, ICR_LO, 0x4699);    /* start-up at 0x99000 */
    apic_rig_write(&rig, 0, ICR_LO, 0x4400);    /* NMI */
    g_assert_cmpuint(rig.cpu[1].inits, ==, 1);
    g_assert_cmpuint(rig.cpu[1].sipis, ==, 1);
    g_assert_cmphex(rig.cpu[1].sipi_vector, ==, 0x99);
    g_assert_cmpuint(rig.cpu[1].nmis, ==, 1);
    g_assert_cmphex(apic_rig_read(&rig, 1, SVR), ==, 0xFF);     /* INIT cleared the APIC, */
    g_assert_cmphex(apic_rig_read(&rig, 1, ID), ==, 0x01000000);/* not its id */
    g_assert_cmpuint(rig.cpu[0].inits, ==, 0);
    apic_rig_fini(&rig);
}

static void test_timer(void)
{
    static const struct { uint32_t divide; int64_t ns; } rows[] = {     /* figure 10-10; 1 GHz bus */
        { 0x0, 2000 }, { 0x1, 4000 }, { 0x2, 8000 }, { 0x3, 16000 }, { 0x8, 32000 }, { 0x9, 64000 }, { 0xA, 128000 },
        { 0xB, 1000 },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        apic_rig_init(&rig);
        apic_rig_write(&rig, 0, DIVIDE, rows[i].divide);
        apic_rig_write(&rig, 0, LVT_T, 0x40);
        apic_rig_write(&rig, 0, INITIAL, 1000);
        isa_rig_step(rows[i].ns / 2);
        g_assert_cmpuint(apic_rig_read(&rig, 0, CURRENT), ==, 500);
        g_assert_false(rig.cpu[0].intr);
        isa_rig_step(rows[i].ns / 2);
        g_assert_true(rig.cpu[0].intr);
        g_assert_cmphex(apic_ack(rig.apic[0]), ==, 0x40);
        g_assert_cmpuint(apic_rig_read(&rig, 0, CURRENT), ==, 0);
        apic_rig_write(&rig, 0, EOI, 0);
        isa_rig_step(rows[i].ns * 3);
        g_assert_false(rig.cpu[0].intr);        /* one shot */
        apic_rig_fini(&rig);
    }
}

static void test_timer_periodic(void)
{
    unsigned fired = 0;

    apic_rig_init(&rig);
    apic_rig_write(&rig, 0, DIVIDE, 0xB);
    apic_rig_write(&rig, 0, LVT_T, PERIODIC | 0x40);
    apic_rig_write(&rig, 0, INITIAL, 1000000);
    for (unsigned i = 0; i < 10; i++) {
        isa_rig_step(1000000);
        fired += apic_ack(rig.apic[0]) == 0x40;
        apic_rig_write(&rig, 0, EOI, 0);
    }
    g_assert_cmpuint(fired, ==, 10);
    apic_rig_write(&rig, 0, LVT_T, PERIODIC | MASKED | 0x40);
    isa_rig_step(5000000);
    g_assert_false(rig.cpu[0].intr);
    /* a period of 1 ns must not stop the world: rule R17 */
    apic_rig_write(&rig, 0, LVT_T, PERIODIC | 0x40);
    apic_rig_write(&rig, 0, INITIAL, 1);
    isa_rig_step(1000000);
    g_assert_true(rig.cpu[0].intr);
    apic_rig_fini(&rig);
}

static void test_deadline(void)
{
    uint64_t v, now;

    apic_rig_init(&rig);
    apic_rig_write(&rig, 0, LVT_T, DEADLINE | 0x40);
    now = (uint64_t)clock_get_ns(CLOCK_VIRTUAL);
    g_assert_true(apic_wrmsr(rig.apic[0], 0x6E0, now + 5000));
    isa_rig_step(4999);
    g_assert_false(rig.cpu[0].intr);
    g_assert_true(apic_rdmsr(rig.apic[0], 0x6E0, &v));
    g_assert_cmpuint(v, ==, now + 5000);
    isa_rig_step(1);
    g_assert_true(rig.cpu[0].intr);
    g_assert_true(apic_rdmsr(rig.apic[0], 0x6E0, &v));
    g_assert_cmpuint(v, ==, 0);
    apic_ack(rig.apic[0]);
    apic_rig_write(&rig, 0, EOI, 0);
    g_assert_true(apic_wrmsr(rig.apic[0], 0x6E0, 1));           /* in the past: at once */
    g_assert_true(rig.cpu[0].intr);
    apic_ack(rig.apic[0]);
    apic_rig_write(&rig, 0, EOI, 0);
    g_assert_true(apic_wrmsr(rig.apic[0], 0x6E0, now + 100000));
    g_assert_true(apic_wrmsr(rig.apic[0], 0x6E0, 0));           /* 0 disarms */
    isa_rig_step(200000);
    g_assert_false(rig.cpu[0].intr);
    apic_rig_write(&rig, 0, LVT_T, 0x40);
    g_assert_true(apic_wrmsr(rig.apic[0], 0x6E0, 1));           /* another mode: ignored */
    g_assert_false(rig.cpu[0].intr);
    apic_rig_fini(&rig);
}

static void test_errors(void)
{
    apic_rig_init(&rig);
    apic_rig_write(&rig, 0, LVT_E, 0xFE);
    self_ipi(0, 5);                             /* vectors 0..15 cannot be sent */
    g_assert_cmphex(apic_ack(rig.apic[0]), ==, 0xFE);
    g_assert_cmphex(apic_rig_read(&rig, 0, ESR), ==, 0);
    apic_rig_write(&rig, 0, ESR, 0);
    g_assert_cmphex(apic_rig_read(&rig, 0, ESR), ==, 1 << 5);
    apic_rig_write(&rig, 0, ESR, 0);
    g_assert_cmphex(apic_rig_read(&rig, 0, ESR), ==, 0);
    apic_rig_read(&rig, 0, 0x3D0);
    apic_rig_write(&rig, 0, ESR, 0);
    g_assert_cmphex(apic_rig_read(&rig, 0, ESR), ==, 1 << 7);
    apic_rig_fini(&rig);
}

static void test_software_disable(void)
{
    apic_rig_init(&rig);
    apic_rig_write(&rig, 0, LVT_T, 0x40);
    apic_rig_write(&rig, 0, SVR, 0xFF);
    g_assert_cmphex(apic_rig_read(&rig, 0, LVT_T), ==, MASKED | 0x40);  /* 10.4.7.2 */
    apic_rig_write(&rig, 0, LVT_T, 0x40);
    g_assert_cmphex(apic_rig_read(&rig, 0, LVT_T), ==, MASKED | 0x40);
    self_ipi(0, 0x50);
    g_assert_false(rig.cpu[0].intr);
    apic_rig_fini(&rig);
}

static int pic_vector(void *opaque)
{
    return 0x21;
}

static void test_virtual_wire(void)
{
    apic_rig_init(&rig);
    rig.bus.pic_ack = pic_vector;
    device_reset(&rig.apic[0]->dev);
    apic_bus_set_pic(&rig.bus, true);
    g_assert_false(rig.cpu[0].intr);            /* LINT0 masked after reset */
    apic_virtual_wire(rig.apic[0]);
    g_assert_true(rig.cpu[0].intr);
    g_assert_cmphex(apic_ack(rig.apic[0]), ==, 0x21);
    apic_bus_set_pic(&rig.bus, false);
    g_assert_false(rig.cpu[0].intr);
    apic_set_lint1(rig.apic[0], true);
    g_assert_cmpuint(rig.cpu[0].nmis, ==, 1);
    /* switched off: the pins are INTR and NMI */
    apic_bus_set_pic(&rig.bus, true);
    apic_rig_write(&rig, 0, LVT_0, MASKED);
    g_assert_false(rig.cpu[0].intr);
    g_assert_true(apic_wrmsr(rig.apic[0], 0x1B, 0xFEE00100));
    g_assert_true(rig.cpu[0].intr);
    apic_rig_fini(&rig);
}

static void test_base_msr(void)
{
    static const struct { uint64_t from, to; bool ok; } rows[] = {      /* 10.12.5 */
        { 0x900, 0xD00, true }, { 0x900, 0x500, false }, { 0x900, 0x100, true }, { 0x900, 0xA00, false },
        { 0x900, 0x901, false },
        { 0xD00, 0x900, false }, { 0xD00, 0x100, true }, { 0x100, 0xD00, false }, { 0x100, 0x900, true },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        uint64_t before, v;

        apic_rig_init(&rig);
        g_assert_true(rows[i].from == 0x900 || apic_wrmsr(rig.apic[0], 0x1B, 0xFEE00000 | rows[i].from));
        before = rig.apic[0]->base;
        g_assert_cmpint(apic_wrmsr(rig.apic[0], 0x1B, 0xFEE00000 | rows[i].to), ==, rows[i].ok);
        g_assert_true(apic_rdmsr(rig.apic[0], 0x1B, &v));
        g_assert_cmphex(v, ==, rows[i].ok ? 0xFEE00000 | rows[i].to : before);
        apic_rig_fini(&rig);
    }
    apic_rig_init(&rig);
    rig.apic[0]->has_x2apic = false;
    g_assert_false(apic_wrmsr(rig.apic[0], 0x1B, 0xFEE00D00));
    apic_rig_fini(&rig);
}

static void test_x2apic(void)
{
    uint64_t v;

    apic_rig_init(&rig);
    g_assert_false(apic_rdmsr(rig.apic[1], 0x802, &v));         /* not in x2APIC mode */
    for (unsigned i = 0; i < 2; i++) {
        g_assert_true(apic_wrmsr(rig.apic[i], 0x1B, 0xFEE00C00 | (i ? 0 : 0x100)));
        g_assert_true(apic_wrmsr(rig.apic[i], 0x80F, 0x1FF));
    }
    g_assert_true(apic_rdmsr(rig.apic[1], 0x802, &v));
    g_assert_cmphex(v, ==, 1);
    g_assert_true(apic_rdmsr(rig.apic[1], 0x80D, &v));
    g_assert_cmphex(v, ==, 2);                                  /* cluster 0, bit 1 */
    g_assert_true(apic_wrmsr(rig.apic[0], 0x830, 1ull << 32 | 0x77));
    g_assert_cmphex(apic_ack(rig.apic[1]), ==, 0x77);
    g_assert_true(apic_wrmsr(rig.apic[1], 0x80B, 0));
    g_assert_true(apic_wrmsr(rig.apic[0], 0x83F, 0x66));
    g_assert_cmphex(apic_ack(rig.apic[0]), ==, 0x66);
    g_assert_false(apic_wrmsr(rig.apic[0], 0x80B, 1));          /* EOI takes 0 only */
    g_assert_false(apic_wrmsr(rig.apic[0], 0x802, 0));          /* read-only */
    g_assert_false(apic_wrmsr(rig.apic[0], 0x80D, 0));
    g_assert_false(apic_rdmsr(rig.apic[0], 0x80E, &v));         /* no DFR, no upper ICR */
    g_assert_false(apic_rdmsr(rig.apic[0], 0x831, &v));
    g_assert_false(apic_rdmsr(rig.apic[0], 0x8FF, &v));
    g_assert_cmphex(apic_rig_read(&rig, 0, ID), ==, 0xFFFFFFFF);/* the window is gone */
    apic_rig_fini(&rig);
}

static void test_msi(void)
{
    apic_rig_init(&rig);
    apic_bus_msi(&rig.bus, 0xFEE01000, 0x4055);
    g_assert_false(rig.cpu[0].intr);
    g_assert_cmphex(apic_ack(rig.apic[1]), ==, 0x55);
    apic_bus_msi(&rig.bus, 0xFED01000, 0x4055);                 /* not an interrupt address */
    apic_rig_write(&rig, 1, EOI, 0);
    g_assert_false(rig.cpu[1].intr);
    apic_rig_fini(&rig);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    isa_rig_once();
    g_test_add_func("/apic/reset", test_reset_values);
    g_test_add_func("/apic/priority", test_priority);
    g_test_add_func("/apic/ipi", test_ipi);
    g_test_add_func("/apic/cluster", test_cluster);
    g_test_add_func("/apic/init-sipi-nmi", test_init_sipi_nmi);
    g_test_add_func("/apic/timer", test_timer);
    g_test_add_func("/apic/timer-periodic", test_timer_periodic);
    g_test_add_func("/apic/deadline", test_deadline);
    g_test_add_func("/apic/errors", test_errors);
    g_test_add_func("/apic/software-disable", test_software_disable);
    g_test_add_func("/apic/virtual-wire", test_virtual_wire);
    g_test_add_func("/apic/base-msr", test_base_msr);
    g_test_add_func("/apic/x2apic", test_x2apic);
    g_test_add_func("/apic/msi", test_msi);
    return g_test_run();
}
