/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/test-apic-pv.c - PV-EOI: the end of an interrupt as a bit in the guest's memory (hw/intc/apic_pv.c)
 *
 * flag() is the guest's side: its handler tests and clears bit 0 of FLAG.
 */
#include "tests/lib/apic_rig.h"
#include "lib/bits.h"

enum { EOI = 0xB0, PPR = 0xA0, ISR = 0x100, ICR_LO = 0x300, SELF = 1 << 18, FLAG = 0x1000 };

static struct apic_rig rig;
static struct ram_block *ram;
static struct region ram_region;

static void start(void)
{
    apic_rig_init(&rig);
    ram = ram_new("ram", 64 * KiB, NULL);
    region_init_ram(&ram_region, "ram", ram, false);
    region_add(&rig.isa.mem, 0, &ram_region, 0);
    rig.apic[0]->mem = &rig.isa.mem_as;
}

static void end(void)
{
    region_del(&ram_region);
    region_fini(&ram_region);
    apic_rig_fini(&rig);
    ram_free(ram);
}

static void enable(uint64_t at)
{
    g_assert_true(apic_wrmsr(rig.apic[0], MSR_APIC_PV_EOI, at | 1));
}

static void self_ipi(uint8_t v)
{
    apic_rig_write(&rig, 0, ICR_LO, SELF | v);
}

static bool test_and_clear(void)
{
    bool was = ram->host[FLAG] & 1;

    ram->host[FLAG] &= 0xFE;
    return was;
}

static bool in_service(unsigned v)
{
    return apic_rig_read(&rig, 0, ISR + (v >> 5) * 0x10) >> (v & 31) & 1;
}

static void test_msr(void)
{
    uint64_t v;

    start();
    g_assert_true(apic_rdmsr(rig.apic[0], MSR_APIC_PV_EOI, &v));
    g_assert_cmphex(v, ==, 0);
    g_assert_false(apic_wrmsr(rig.apic[0], MSR_APIC_PV_EOI, FLAG | 3));     /* reserved bit */
    enable(FLAG);
    g_assert_true(apic_rdmsr(rig.apic[0], MSR_APIC_PV_EOI, &v));
    g_assert_cmphex(v, ==, FLAG | 1);
    device_reset(&rig.apic[0]->dev);
    g_assert_true(apic_rdmsr(rig.apic[0], MSR_APIC_PV_EOI, &v));
    g_assert_cmphex(v, ==, 0);
    rig.apic[1]->mem = NULL;                                                /* a board without it */
    g_assert_false(apic_wrmsr(rig.apic[1], MSR_APIC_PV_EOI, FLAG | 1));
    g_assert_false(apic_rdmsr(rig.apic[1], MSR_APIC_PV_EOI, &v));
    end();
}

static void test_given(void)
{
    start();
    enable(FLAG);
    self_ipi(0x31);
    g_assert_cmphex(ram->host[FLAG], ==, 0);            /* offered when it is taken, not when it comes */
    g_assert_cmphex(apic_ack(rig.apic[0]), ==, 0x31);
    g_assert_true(in_service(0x31));
    g_assert_true(test_and_clear());
    g_assert_false(in_service(0x31));
    g_assert_cmphex(apic_rig_read(&rig, 0, PPR), ==, 0);
    g_assert_cmpuint(rig.apic[0]->pv_eois, ==, 1);
    self_ipi(0x35);
    g_assert_cmphex(apic_ack(rig.apic[0]), ==, 0x35);
    g_assert_true(test_and_clear());
    self_ipi(0x36);                                     /* same class; nobody has looked since */
    g_assert_true(rig.cpu[0].intr);
    g_assert_cmphex(apic_ack(rig.apic[0]), ==, 0x36);
    g_assert_false(in_service(0x35));
    g_assert_true(in_service(0x36));
    end();
}

/* The next one comes before the handler's EOI: the offer is taken back, and the register decides */
static void test_taken_back(void)
{
    start();
    enable(FLAG);
    self_ipi(0x31);
    g_assert_cmphex(apic_ack(rig.apic[0]), ==, 0x31);
    g_assert_false(rig.cpu[0].intr);
    self_ipi(0x32);
    g_assert_true(rig.cpu[0].intr);                     /* the EOI may have been given */
    g_assert_cmphex(ram->host[FLAG], ==, 1);            /* another thread never writes there */
    g_assert_cmpint(apic_ack(rig.apic[0]), ==, -1);     /* it was not */
    g_assert_false(rig.cpu[0].intr);
    g_assert_false(test_and_clear());
    apic_rig_write(&rig, 0, EOI, 0);
    g_assert_true(rig.cpu[0].intr);
    g_assert_cmphex(apic_ack(rig.apic[0]), ==, 0x32);
    g_assert_cmphex(ram->host[FLAG], ==, 1);
    g_assert_cmpuint(rig.apic[0]->pv_eois, ==, 0);
    end();
}

/* One of lower class waits while a higher one is served */
static void test_waiting(void)
{
    start();
    enable(FLAG);
    self_ipi(0x31);
    self_ipi(0x52);
    g_assert_cmphex(apic_ack(rig.apic[0]), ==, 0x52);
    g_assert_true(rig.cpu[0].intr);
    g_assert_true(test_and_clear());
    g_assert_cmphex(apic_ack(rig.apic[0]), ==, 0x31);
    g_assert_false(rig.cpu[0].intr);
    end();
}

/* The guest writes the register although it was offered the flag: one EOI, not two */
static void test_register(void)
{
    start();
    self_ipi(0x31);
    g_assert_cmphex(apic_ack(rig.apic[0]), ==, 0x31);   /* before it is switched on */
    enable(FLAG);
    g_assert_cmphex(ram->host[FLAG], ==, 0);
    self_ipi(0x52);
    g_assert_cmphex(apic_ack(rig.apic[0]), ==, 0x52);   /* nested */
    apic_rig_write(&rig, 0, EOI, 0);
    g_assert_cmphex(ram->host[FLAG], ==, 0);
    g_assert_true(in_service(0x31));
    g_assert_false(in_service(0x52));
    self_ipi(0x53);
    g_assert_cmphex(apic_ack(rig.apic[0]), ==, 0x53);
    g_assert_true(test_and_clear());
    apic_rig_write(&rig, 0, EOI, 0);                    /* for the outer one */
    g_assert_false(in_service(0x31));
    g_assert_false(in_service(0x53));
    end();
}

/* A nested interrupt is offered the flag only after the outer's offer is settled */
static void test_nested(void)
{
    start();
    enable(FLAG);
    self_ipi(0x31);
    g_assert_cmphex(apic_ack(rig.apic[0]), ==, 0x31);
    self_ipi(0x52);
    g_assert_true(rig.cpu[0].intr);
    g_assert_cmphex(apic_ack(rig.apic[0]), ==, 0x52);
    g_assert_true(test_and_clear());                    /* the inner handler */
    g_assert_false(in_service(0x52));
    g_assert_true(in_service(0x31));
    g_assert_false(test_and_clear());                   /* the outer one has to use the register */
    apic_rig_write(&rig, 0, EOI, 0);
    g_assert_false(in_service(0x31));
    end();
}

/* The I/O APIC has to hear of a level interrupt's end */
static void test_level(void)
{
    start();
    enable(FLAG);
    ioapic_rig_route(&rig, 5, 1 << 15 | 0x41, 0);
    irq_raise(&rig.ioapic->in[5]);
    g_assert_cmphex(apic_ack(rig.apic[0]), ==, 0x41);
    g_assert_cmphex(ram->host[FLAG], ==, 0);
    g_assert_true(ioapic_rig_read(&rig, 0x10 + 2 * 5) & 1 << 14);       /* remote IRR */
    irq_lower(&rig.ioapic->in[5]);
    apic_rig_write(&rig, 0, EOI, 0);
    g_assert_false(ioapic_rig_read(&rig, 0x10 + 2 * 5) & 1 << 14);
    end();
}

static void test_hostile(void)
{
    static const uint64_t at[] = { 64 * KiB, ~3ull & ~2ull, 1ull << 51, APIC_BASE };

    start();
    for (unsigned i = 0; i < G_N_ELEMENTS(at); i++) {
        enable(at[i]);
        self_ipi(0x31);
        g_assert_cmphex(apic_ack(rig.apic[0]), ==, 0x31);
        self_ipi(0x32);
        g_assert_false(rig.cpu[0].intr);                /* nothing was offered: the register rules */
        apic_rig_write(&rig, 0, EOI, 0);
        g_assert_cmphex(apic_ack(rig.apic[0]), ==, 0x32);
        apic_rig_write(&rig, 0, EOI, 0);
    }
    enable(FLAG);
    self_ipi(0x31);
    g_assert_cmphex(apic_ack(rig.apic[0]), ==, 0x31);
    region_del(&ram_region);                            /* the flag's memory goes while it is offered */
    self_ipi(0x32);
    g_assert_cmpint(apic_ack(rig.apic[0]), ==, -1);
    apic_rig_write(&rig, 0, EOI, 0);
    g_assert_cmphex(apic_ack(rig.apic[0]), ==, 0x32);
    region_add(&rig.isa.mem, 0, &ram_region, 0);
    end();
}

static void test_off(void)
{
    start();
    enable(FLAG);
    self_ipi(0x31);
    g_assert_cmphex(apic_ack(rig.apic[0]), ==, 0x31);
    g_assert_true(apic_wrmsr(rig.apic[0], MSR_APIC_PV_EOI, 0));
    g_assert_cmphex(ram->host[FLAG], ==, 0);            /* taken back */
    self_ipi(0x52);
    g_assert_cmphex(apic_ack(rig.apic[0]), ==, 0x52);
    g_assert_cmphex(ram->host[FLAG], ==, 0);
    end();
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    isa_rig_once();
    g_test_add_func("/apic-pv/msr", test_msr);
    g_test_add_func("/apic-pv/given", test_given);
    g_test_add_func("/apic-pv/taken-back", test_taken_back);
    g_test_add_func("/apic-pv/waiting", test_waiting);
    g_test_add_func("/apic-pv/register", test_register);
    g_test_add_func("/apic-pv/nested", test_nested);
    g_test_add_func("/apic-pv/level", test_level);
    g_test_add_func("/apic-pv/hostile", test_hostile);
    g_test_add_func("/apic-pv/off", test_off);
    return g_test_run();
}
