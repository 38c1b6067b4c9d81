/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/test-pci-func.c - what PCI functions do besides interrupts: power states, the PCI Express capability, BARs
 * that move while they are accessed, several functions in a slot
 */
#include "tests/lib/pci_rig.h"

enum { TABLE = 0x2000, PBA = 0x3000 };

static bool make_msix(struct toy *t, Error **errp)
{
    return msix_init(&t->pci, 4, 0, TABLE, PBA, &t->bar0, CFG_AT, errp);
}

/* ---- power states (PM 1.2) ---- */

enum { PM_AT = 0xC8, PMCSR = PM_AT + 4 };
static uint16_t pm_flags;

static bool make_pm(struct toy *t, Error **errp)
{
    return pci_add_pm(&t->pci, PM_AT, PCI_PM_VERSION_1_1 | PCI_PM_D1 | PCI_PM_PME_D0 | PCI_PM_PME_D3HOT, pm_flags) &&
           make_msix(t, errp);
}

static void test_power(void)
{
    for (unsigned keep = 0; keep < 2; keep++) {
        struct bench *b;

        pm_flags = keep ? PCI_PMCSR_NO_SOFT_RESET : 0;
        b = bench_new(make_pm);
        g_assert_cmphex(cfg(b, PM_AT + 2, 2), ==, 0x4A02);
        cfgw(b, PM_AT + 2, 0xFFFF, 2);
        g_assert_cmphex(cfg(b, PM_AT + 2, 2), ==, 0x4A02);
        cfgw(b, CFG_AT + 2, 0x8000, 2);
        wr(b, TABLE, MSI_AT, 8);
        wr(b, TABLE + 8, 0x41, 4);
        cfgw(b, PMCSR, 2, 2);                   /* D2 is not there: discarded */
        g_assert_cmpuint(pci_power_state(b->d), ==, 0);
        cfgw(b, PMCSR, 0x7FFD, 2);              /* D1, PME_En; the rest is read-only */
        g_assert_cmphex(cfg(b, PMCSR, 2), ==, 0x0101 | pm_flags);
        g_assert_cmphex(rd(b, 0, 1), ==, 0xFF);
        cfgw(b, PMCSR, 0x103, 2);
        g_assert_cmpuint(pci_power_state(b->d), ==, 3);
        cfgw(b, PMCSR, 0x101, 2);               /* D3hot to D1: not possible */
        g_assert_cmpuint(pci_power_state(b->d), ==, 3);
        g_assert_false(b->d->dma.enabled);
        g_assert_cmphex(rd(b, 0, 1), ==, 0xFF);
        g_assert_cmphex(cfg(b, 0, 4), ==, 0x56781234);      /* configuration cycles are answered */
        msix_notify(b->d, 0);                   /* masked: pending */
        none(b);
        g_assert_cmpuint(b->t->resets, ==, 0);
        cfgw(b, PMCSR, 0x100, 2);
        g_assert_cmpuint(pci_power_state(b->d), ==, 0);
        g_assert_cmpuint(b->t->resets, ==, !keep);
        g_assert_cmphex(cfg(b, PMCSR, 2), ==, 0x100 | pm_flags);    /* PME_En survives either way */
        if (keep) {
            g_assert_true(msix_enabled(b->d));
            g_assert_cmphex(rd(b, 0, 1), ==, 0x40);
            wr(b, TABLE + 12, 0, 4);
            one(b, MSI_AT, 0x41);
        } else {
            g_assert_cmphex(cfg(b, PCI_COMMAND, 2), ==, 0);
            g_assert_cmphex(cfg(b, PCI_BAR0, 4), ==, 0);
            g_assert_false(msix_enabled(b->d));
        }
        bench_free(b);
    }
}

/* PM 5.4: the pin is driven in D0 only */
static void test_power_intx(void)
{
    struct bench *b = bench_new(make_pm);

    pci_set_irq(b->d, true);
    g_assert_true(b->intx);
    for (unsigned state = 1; state <= 3; state += 2) {
        cfgw(b, PMCSR, state, 2);
        g_assert_false(b->intx);
        g_assert_cmphex(cfg(b, PCI_STATUS, 2) & PCI_STATUS_INTX, ==, PCI_STATUS_INTX);
        cfgw(b, PMCSR, 0, 2);
        g_assert_cmpint(b->intx, ==, pm_flags || state == 1);       /* a reset takes the cause away */
        pci_set_irq(b->d, true);
    }
    bench_free(b);
}

/* ---- PCI Express ---- */

static bool make_pcie(struct toy *t, Error **errp) { return pcie_endpoint_cap(&t->pci, 0xE0, 1, 0); }
static bool make_pcie_flr(struct toy *t, Error **errp) { return pcie_endpoint_cap(&t->pci, 0, 2, PCIE_FLR); }
static bool make_pcie_full(struct toy *t, Error **errp)
{
    bool ok = pcie_endpoint_cap(&t->pci, 0xE0, 2, 0);

    g_assert_false(ok);
    return true;
}

static void test_pcie(void)
{
    struct bench *b = bench_new(make_pcie);

    g_assert_cmphex(cfg(b, 0xE0, 4), ==, 0x00910010);           /* version 1, integrated endpoint */
    g_assert_cmphex(cfg(b, 0xE4, 4), ==, 0x00008000);
    g_assert_cmphex(cfg(b, 0xE8, 4), ==, 0x00002810);
    cfgw(b, 0xE8, 0xFFFF, 2);
    g_assert_cmphex(cfg(b, 0xE8, 2), ==, 0x7FFF);
    g_assert_cmpuint(b->t->resets, ==, 0);
    g_assert_cmphex(cfg(b, 0xEC, 4) | cfg(b, 0xF0, 4), ==, 0);
    bench_free(b);

    b = bench_new(make_pcie_flr);
    g_assert_cmphex(cfg(b, 0x40, 4), ==, 0x00920010);
    g_assert_cmphex(cfg(b, 0x44, 4), ==, 0x10008000);
    cfgw(b, 0x48, 0x0000, 2);
    cfgw(b, 0x48, 0x8000, 2);
    g_assert_cmpuint(b->t->resets, ==, 1);
    g_assert_cmphex(cfg(b, 0x48, 2), ==, 0x2810);
    g_assert_cmphex(cfg(b, PCI_COMMAND, 2), ==, 0);
    g_assert_true(pci_bar_addr(b->d, 0) == PCI_UNMAPPED);
    bench_free(b);

    b = bench_new(make_pcie_full);
    g_assert_cmpuint(pci_find_cap(b->d, PCI_CAP_PCIE), ==, 0);
    bench_free(b);
}

/* ---- BARs under traffic ---- */

struct traffic {
    struct bench *b;
    gint stop;
    uint64_t seen, gone, wrong;
};

/* Reads through the address space as a CPU thread does: the device's byte, or nobody */
static void *traffic_run(void *opaque)
{
    struct traffic *t = opaque;

    while (!g_atomic_int_get(&t->stop)) {
        for (unsigned i = 0; i < 3; i++) {
            uint64_t v;

            machine_lock();
            v = space_read(&t->b->as, BAR_AT + i * 0x10000 + 4, 1);
            machine_unlock();
            t->seen += v == 0x44;
            t->gone += v == 0xFF;
            t->wrong += v != 0x44 && v != 0xFF;
        }
    }
    return NULL;
}

static void test_bar_moves(void)
{
    struct bench *b = bench_new(make_msix);
    struct traffic t = { .b = b };
    GThread *th;

    th = g_thread_new("traffic", traffic_run, &t);
    for (unsigned i = 0; i < 3000; i++) {
        unsigned at = i % 3;

        cfgw(b, PCI_BAR0, BAR_AT + at * 0x10000, 4);
        for (unsigned k = 0; k < 3; k++) {      /* at its new place at once, and nowhere else */
            g_assert_cmphex(rd(b, k * 0x10000 + 4, 1), ==, k == at ? 0x44 : 0xFF);
            g_assert_cmphex(rd(b, k * 0x10000 + TABLE + 12, 4), ==, k == at ? 1 : 0xFFFFFFFF);
        }
        cfgw(b, PCI_COMMAND, i % 2 ? PCI_COMMAND_MASTER : BUS_MASTER, 2);
        g_assert_cmphex(rd(b, at * 0x10000 + 4, 1), ==, i % 2 ? 0xFF : 0x44);
        cfgw(b, PCI_COMMAND, BUS_MASTER, 2);
        machine_unlock();
        if (i % 16 == 0) {
            g_usleep(50);
        }
        machine_lock();
    }
    g_atomic_int_set(&t.stop, 1);
    machine_unlock();
    g_thread_join(th);
    machine_lock();
    g_assert_cmpuint(t.wrong, ==, 0);
    g_assert_cmpuint(t.seen, >, 0);
    g_assert_cmpuint(t.gone, >, 0);

    cfgw(b, PCI_BAR0, BAR_AT, 4);               /* moved by its own register: the next access misses */
    wr(b, 0x10, BAR_AT + 0x10000, 4);
    g_assert_cmphex(rd(b, 4, 1), ==, 0xFF);
    g_assert_cmphex(rd(b, 0x10004, 1), ==, 0x44);
    cfgw(b, PCI_BAR0, 0x8000, 4);               /* on top of RAM and away again */
    memset(b->ram->host, 0x11, RAM_SIZE);
    cfgw(b, PCI_BAR0, 0x10000, 4);
    g_assert_cmphex(space_read(&b->as, 0x8004, 1), ==, 0x11);
    bench_free(b);
}

/* ---- several functions in a slot ---- */

static void test_functions(void)
{
    struct bench *b = bench_new(NULL);
    Error *err = NULL;

    g_assert_true(bench_add(b, NULL, PCI_DEVFN(5, 0), true, &err));
    g_assert_cmphex(cfg(b, PCI_HEADER_TYPE, 1), ==, 0x80);
    g_assert_true(bench_add(b, make_msix, PCI_DEVFN(5, 1), false, &err));
    g_assert_cmphex(cfg(b, PCI_HEADER_TYPE, 1), ==, 0);
    cfgw(b, PCI_BAR0, BAR_AT + 0x10000, 4);
    cfgw(b, PCI_COMMAND, BUS_MASTER, 2);
    g_assert_cmphex(rd(b, 0x10004, 1), ==, 0x44);
    g_assert_true(bench_add(b, NULL, PCI_DEVFN(5, 7), true, &err));

    g_assert_true(bench_add(b, NULL, PCI_DEVFN(6, 0), false, &err));
    g_assert_false(bench_add(b, NULL, PCI_DEVFN(6, 1), true, &err));
    expect_error(g_steal_pointer(&err), "PCI: single function device can't be populated in function 6.1");
    g_assert_true(bench_add(b, NULL, PCI_DEVFN(7, 2), false, &err));          /* function 0 may come later, if it says so */
    g_assert_false(bench_add(b, NULL, PCI_DEVFN(7, 0), false, &err));
    expect_error(g_steal_pointer(&err), "PCI: 7.0 indicates single function, but 7.2 is already populated.");
    g_assert_true(bench_add(b, NULL, PCI_DEVFN(7, 0), true, &err));
    bench_free(b);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    bench_once();
    g_test_add_func("/pci/power", test_power);
    g_test_add_func("/pci/power-intx", test_power_intx);
    g_test_add_func("/pci/express", test_pcie);
    g_test_add_func("/pci/bar-moves", test_bar_moves);
    g_test_add_func("/pci/functions", test_functions);
    return g_test_run();
}
