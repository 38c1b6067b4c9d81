/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/unit/test-ioapic.c - 82093AA: registers, edges, levels with remote IRR, destinations (Intel 290566) */
#include "tests/lib/apic_rig.h"

enum {
    MASKED = 1 << 16, LEVEL = 1 << 15, REMOTE_IRR = 1 << 14, LOW = 1 << 13, LOGICAL = 1 << 11, EOI = 0xB0, TMR = 0x180,
};

static struct apic_rig rig;

static void test_registers(void)
{
    apic_rig_init(&rig);
    g_assert_cmphex(ioapic_rig_read(&rig, 1), ==, 0x00170011);
    for (unsigned pin = 0; pin < IOAPIC_PINS; pin++) {
        g_assert_cmphex(ioapic_rig_read(&rig, 0x10 + 2 * pin), ==, MASKED);     /* reset, 3.2.4 */
        ioapic_rig_write(&rig, 0x10 + 2 * pin, 0xFFFFFFFF);
        ioapic_rig_write(&rig, 0x11 + 2 * pin, 0xFFFFFFFF);
        /* delivery status, remote IRR: read-only */
        g_assert_cmphex(ioapic_rig_read(&rig, 0x10 + 2 * pin), ==, 0x1AFFF);
        g_assert_cmphex(ioapic_rig_read(&rig, 0x11 + 2 * pin), ==, 0xFF000000);
    }
    ioapic_rig_write(&rig, 0, 0xFFFFFFFF);
    g_assert_cmphex(ioapic_rig_read(&rig, 0), ==, 0x0F000000);
    g_assert_cmphex(ioapic_rig_read(&rig, 0x40), ==, 0);
    g_assert_cmphex(ioapic_rig_read(&rig, 0xFF), ==, 0);
    apic_rig_fini(&rig);
}

static void test_edge(void)
{
    apic_rig_init(&rig);
    ioapic_rig_route(&rig, 4, 0x44, 0);
    irq_raise(&rig.ioapic->in[4]);
    g_assert_cmphex(apic_ack(rig.apic[0]), ==, 0x44);
    apic_rig_write(&rig, 0, EOI, 0);
    irq_raise(&rig.ioapic->in[4]);              /* no edge */
    g_assert_false(rig.cpu[0].intr);
    irq_lower(&rig.ioapic->in[4]);
    ioapic_rig_route(&rig, 4, MASKED | 0x44, 0);
    irq_raise(&rig.ioapic->in[4]);              /* masked edges are lost */
    ioapic_rig_route(&rig, 4, 0x44, 0);
    g_assert_false(rig.cpu[0].intr);
    apic_rig_fini(&rig);
}

static void test_level(void)
{
    apic_rig_init(&rig);
    ioapic_rig_route(&rig, 11, LEVEL | LOW | 0x55, 0);
    irq_raise(&rig.ioapic->in[11]);
    g_assert_cmphex(ioapic_rig_read(&rig, 0x10 + 22), ==, LEVEL | LOW | REMOTE_IRR | 0x55);
    g_assert_cmphex(apic_ack(rig.apic[0]), ==, 0x55);
    g_assert_cmphex(apic_rig_read(&rig, 0, TMR + 0x20), ==, 1u << 0x15);
    g_assert_false(rig.cpu[0].intr);
    apic_rig_write(&rig, 0, EOI, 0);            /* still asserted: again */
    g_assert_cmphex(apic_ack(rig.apic[0]), ==, 0x55);
    irq_lower(&rig.ioapic->in[11]);
    apic_rig_write(&rig, 0, EOI, 0);
    g_assert_false(rig.cpu[0].intr);
    g_assert_cmphex(ioapic_rig_read(&rig, 0x10 + 22), ==, LEVEL | LOW | 0x55);
    ioapic_rig_route(&rig, 11, MASKED | LEVEL | 0x55, 0);
    irq_raise(&rig.ioapic->in[11]);
    g_assert_false(rig.cpu[0].intr);
    ioapic_rig_route(&rig, 11, LEVEL | 0x55, 0);    /* levels wait for the mask */
    g_assert_true(rig.cpu[0].intr);
    apic_rig_fini(&rig);
}

static void test_destinations(void)
{
    static const struct {
        uint32_t low;
        uint8_t dest;
        bool hit0, hit1;
    } rows[] = {
        { 0x44, 0, true, false }, { 0x44, 1, false, true }, { 0x44, 0xFF, true, true },
        { LOGICAL | 0x44, 1, true, false },
        { LOGICAL | 0x44, 2, false, true }, { LOGICAL | 0x44, 3, true, true },
        { LOGICAL | 1 << 8 | 0x44, 3, true, false },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        apic_rig_init(&rig);
        ioapic_rig_route(&rig, 7, rows[i].low, rows[i].dest);
        irq_raise(&rig.ioapic->in[7]);
        g_assert_cmpint(rig.cpu[0].intr, ==, rows[i].hit0);
        g_assert_cmpint(rig.cpu[1].intr, ==, rows[i].hit1);
        apic_rig_fini(&rig);
    }
}

static void test_modes(void)
{
    apic_rig_init(&rig);
    ioapic_rig_route(&rig, 3, 4 << 8, 1);       /* NMI */
    irq_raise(&rig.ioapic->in[3]);
    g_assert_cmpuint(rig.cpu[1].nmis, ==, 1);
    ioapic_rig_route(&rig, 5, 5 << 8, 1);       /* INIT */
    irq_raise(&rig.ioapic->in[5]);
    g_assert_cmpuint(rig.cpu[1].inits, ==, 1);
    apic_rig_fini(&rig);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    isa_rig_once();
    g_test_add_func("/ioapic/registers", test_registers);
    g_test_add_func("/ioapic/edge", test_edge);
    g_test_add_func("/ioapic/level", test_level);
    g_test_add_func("/ioapic/destinations", test_destinations);
    g_test_add_func("/ioapic/modes", test_modes);
    return g_test_run();
}
