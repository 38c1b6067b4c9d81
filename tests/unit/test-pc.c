/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/test-pc.c - the pc board as a whole, without CPU: memory map, wires, power, the four ways to reset,
 * start-up state
 *
 * The kernel is a bzImage of 4 KiB made here; nothing runs it.
 */
#include "core/reset.h"
#include "core/runstate.h"
#include "hw/i386/fw_cfg.h"
#include "hw/i386/pc.h"
#include "hw/intc/apic.h"
#include "hw/pci/msi.h"
#include "lib/bits.h"
#include "tests/lib/isa_rig.h"
#include <glib/gstdio.h>
#include <string.h>

static struct pc *pc;
static char *kernel;
static unsigned resets, shutdowns;

static void make_kernel(void)
{
    uint8_t b[1024 + 4096] = { 0 };

    b[0x1F1] = 1;
    st_le16(b + 0x1FE, 0xAA55);
    b[0x201] = 0x66;
    memcpy(b + 0x202, "HdrS", 4);
    st_le16(b + 0x206, 0x20F);
    b[0x211] = 1;
    st_le32(b + 0x214, 0x100000);
    st_le32(b + 0x22C, 0x7FFFFFFF);
    st_le32(b + 0x238, 255);
    memset(b + 1024, 0x90, 4096);
    kernel = g_build_filename(g_get_tmp_dir(), "patchbay-pc-XXXXXX", NULL);
    close(g_mkstemp(kernel));
    g_assert_true(g_file_set_contents(kernel, (const char *)b, sizeof(b), NULL));
}

static void setup(uint64_t ram, bool with_kernel)
{
    struct pc_config cfg = {
        .ram_size = ram, .kernel = with_kernel ? kernel : NULL, .default_vga = true, .rtc_date = -1,
        .serial_port = { true },
    };
    Error *err = NULL;

    pc = pc_new(&cfg, &err);
    if (!pc || !pc_boot_init(pc, &err)) {
        g_error("%s", error_text(err));
    }
    resets = shutdowns = 0;
}

static void teardown(void)
{
    pc_free(pc);
    pc = NULL;
}

static uint64_t in(unsigned port, unsigned size)
{
    return space_read(pc_io(pc), port, size);
}

static void out(unsigned port, uint32_t v, unsigned size)
{
    space_write(pc_io(pc), port, v, size);
}

static uint32_t config(unsigned devfn, unsigned off, unsigned size)
{
    out(0xCF8, 0x80000000 | devfn << 8 | off, 4);
    return (uint32_t)in(0xCFC, size);
}

static void config_set(unsigned devfn, unsigned off, uint32_t v, unsigned size)
{
    out(0xCF8, 0x80000000 | devfn << 8 | off, 4);
    out(0xCFC, v, size);
}

static void event(void *opaque, enum run_event ev, enum run_state state, enum shutdown_cause cause)
{
    resets += ev == RUN_EVENT_RESET && cause == SHUTDOWN_GUEST_RESET;
    shutdowns += ev == RUN_EVENT_SHUTDOWN && cause == SHUTDOWN_GUEST_SHUTDOWN;
}

/* ---- memory ---- */

static void test_memory_map(void)
{
    static const struct { uint64_t ram, addr; bool there; uint64_t off; } rows[] = {
        { 128 * MiB, 0, true, 0 }, { 128 * MiB, 0x9FFFF, true, 0x9FFFF }, { 128 * MiB, 0x7FFFFFF, true, 0x7FFFFFF },
        { 128 * MiB, 0x8000000, false, 0 }, { 128 * MiB, 0xD0000, false, 0 },
        { 0xE0000000, 0xDFFFFFFF, true, 0xDFFFFFFF },
        { 0xE0000000, 4 * GiB, false, 0 }, { 4 * GiB, 0xBFFFFFFF, true, 0xBFFFFFFF }, { 4 * GiB, 0xC0000000, false, 0 },
        { 4 * GiB, 4 * GiB, true, 0xC0000000 }, { 4 * GiB, 5 * GiB - 1, true, 4 * GiB - 1 },
        { 4 * GiB, 5 * GiB, false, 0 },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct space_slot s;

        setup(rows[i].ram, false);
        g_assert_cmpint(space_lookup(pc_memory(pc), rows[i].addr, &s), ==, rows[i].there);
        g_assert_cmpint(s.host != NULL, ==, rows[i].there);
        if (rows[i].there) {
            g_assert_cmphex(s.ram_off, ==, rows[i].off);
        }
        teardown();
    }
}

static void test_pam(void)
{
    struct addr_space *mem;

    setup(16 * MiB, false);
    mem = pc_memory(pc);
    g_assert_cmphex(space_read(mem, 0xC8000, 1), ==, 0xFF);
    config_set(0, 0x5B, 0x03, 1);               /* PAM2 low: 0xC8000, read and write */
    space_write(mem, 0xC8000, 0x12, 1);
    g_assert_cmphex(space_read(mem, 0xC8000, 1), ==, 0x12);
    g_assert_cmphex(space_read(mem, 0xCC000, 1), ==, 0xFF);
    config_set(0, 0x5B, 0x01, 1);               /* read-only */
    space_write(mem, 0xC8000, 0x34, 1);
    g_assert_cmphex(space_read(mem, 0xC8000, 1), ==, 0x12);
    config_set(0, 0x5B, 0x00, 1);
    g_assert_cmphex(space_read(mem, 0xC8000, 1), ==, 0xFF);
    teardown();
}

/* ---- interrupts ---- */

static void test_pirq(void)
{
    static const uint8_t want[4] = { 10, 10, 11, 11 };
    struct pci_bus *bus;
    struct irq *pins;
    unsigned n;

    setup(16 * MiB, true);
    bus = pc_pci_bus(pc);
    pins = pc_ioapic_pins(pc, &n);
    g_assert_cmpuint(n, ==, 24);
    for (unsigned slot = 0; slot < 8; slot++) {
        for (int pin = 0; pin < 4; pin++) {
            struct pci_device d = { .devfn = PCI_DEVFN(slot, 0) };

            g_assert_cmpint(bus->ops->map_irq(bus->opaque, &d, pin), ==, (pin + slot + 3) % 4);
        }
    }
    for (int line = 0; line < 4; line++) {
        g_assert_cmphex(config(PCI_DEVFN(1, 0), 0x60 + (unsigned)line, 1), ==, want[line]);
        bus->ops->set_irq(bus->opaque, line, true);
        g_assert_true(pins[want[line]].level);
        bus->ops->set_irq(bus->opaque, line, false);
        g_assert_false(pins[want[line]].level);
    }
    bus->ops->set_irq(bus->opaque, 0, true);
    bus->ops->set_irq(bus->opaque, 1, true);    /* two on one line */
    bus->ops->set_irq(bus->opaque, 0, false);
    g_assert_true(pins[10].level);
    config_set(PCI_DEVFN(1, 0), 0x61, 5, 1);    /* re-routed while asserted */
    g_assert_false(pins[10].level);
    g_assert_true(pins[5].level);
    config_set(PCI_DEVFN(1, 0), 0x61, 0x80, 1);
    g_assert_false(pins[5].level);
    config_set(PCI_DEVFN(1, 0), 0x61, 2, 1);    /* reserved: no route */
    g_assert_false(pins[2].level);
    g_assert_cmphex(in(0x4D0, 2), ==, 1 << 9 | 1 << 10 | 1 << 11);
    teardown();
}

/* A device with MSI and MSI-X, for the way to the local APIC */
static bool toy_realize(struct device *d, Error **errp)
{
    struct pci_device *p = pci_device_of(d);

    return msi_init(p, 0x50, 1, true, false, errp) && msix_init_exclusive(p, 3, 0, errp);
}

static const struct pci_class_info toy_class = { .vendor = 0x1234, .device = 1, .class = PCI_CLASS_ETHERNET, .pin = 1 };
static const struct device_type toy_type = {
    .name = "msi-toy", .bus = "PCI", .parent = &pci_device_type, .size = sizeof(struct pci_device),
    .realize = toy_realize, .cls = &toy_class,
};

/* Vector @v waits in the IRR of the local APIC; and no other of 0x40-0x5F does */
static bool requested(unsigned v)
{
    return space_read(pc_memory(pc), APIC_BASE + 0x220, 4) == BIT(v & 31);
}

/* Messages reach the local APIC, by its id and by a logical destination; others, or while INTx is meant, do not */
static void test_msi(void)
{
    enum { DEVFN = PCI_DEVFN(9, 0) };
    struct pci_device *d;
    struct addr_space *mem;
    struct irq *pins;
    uint64_t bar;
    unsigned n;

    setup(16 * MiB, false);
    mem = pc_memory(pc);
    pins = pc_ioapic_pins(pc, &n);
    d = pci_new("msi-toy", NULL, DEVFN, NULL);
    g_assert_true(device_realize(&d->dev, &pc_pci_bus(pc)->bus, NULL));
    config_set(DEVFN, PCI_BAR0, 0xFEB00000, 4);
    config_set(DEVFN, PCI_COMMAND, PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY, 2);
    bar = pci_bar_addr(d, 0);
    g_assert_cmphex(bar, ==, 0xFEB00000);
    space_write(mem, APIC_BASE + 0xF0, 0x1FF, 4);           /* software enable */
    space_write(mem, APIC_BASE + 0xD0, 0x04000000, 4);      /* logical id, flat */
    g_assert_true(space_read(mem, APIC_BASE + 0x220, 4) == 0);

    config_set(DEVFN, 0x54, 0xFEE00000, 4);                 /* MSI to APIC 0 */
    config_set(DEVFN, 0x5C, 0x0041, 2);
    config_set(DEVFN, 0x52, 1, 2);
    pci_set_irq(d, true);
    g_assert_cmpuint(pins[10].count + pins[11].count + pins[5].count, ==, 0);
    msi_notify(d, 0);
    g_assert_true(requested(0x41));
    config_set(DEVFN, 0x54, 0xFEE01000, 4);                 /* to APIC 1: there is none */
    config_set(DEVFN, 0x5C, 0x0042, 2);
    msi_notify(d, 0);
    g_assert_true(requested(0x41));
    config_set(DEVFN, 0x52, 0, 2);

    config_set(DEVFN, pci_find_cap(d, PCI_CAP_MSIX) + 2, 0x8000, 2);
    space_write(mem, bar + 2 * 16, 0xFEE0400C, 8);          /* logical 4, lowest priority */
    space_write(mem, bar + 2 * 16 + 8, 0x0143, 8);
    config_set(DEVFN, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
    msix_notify(d, 2);
    g_assert_true(requested(0x41));                         /* no bus mastering */
    config_set(DEVFN, PCI_COMMAND, PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY, 2);
    msix_notify(d, 2);
    g_assert_cmphex(space_read(mem, APIC_BASE + 0x220, 4), ==, BIT(1) | BIT(3));
    space_write(mem, bar + 2 * 16, 0x5000, 8);              /* a message to RAM is a write */
    msix_notify(d, 2);
    g_assert_cmphex(space_read(mem, 0x5000, 4), ==, 0x0143);
    space_write(mem, bar + 2 * 16, APIC_BASE + 0x100000 - 0x1000, 8);   /* 0xFEEFF000: broadcast */
    space_write(mem, bar + 2 * 16 + 8, 0x45, 8);
    msix_notify(d, 2);
    g_assert_cmphex(space_read(mem, APIC_BASE + 0x220, 4), ==, BIT(1) | BIT(3) | BIT(5));
    teardown();
}

static void test_timer_wiring(void)
{
    struct irq *pins;
    unsigned n;

    setup(16 * MiB, false);
    pins = pc_ioapic_pins(pc, &n);
    out(0x43, 0x34, 1);
    out(0x40, 0x9C, 1);
    out(0x40, 0x2E, 1);
    isa_rig_step(100 * NS_PER_MS);
    g_assert_cmpuint(pins[2].count, >=, 9);     /* GSI 0 is on pin 2 */
    g_assert_cmpuint(pins[0].count, ==, 0);
    teardown();
}

/* ---- power ---- */

static void test_pm(void)
{
    struct irq *pins;
    unsigned n;

    setup(16 * MiB, true);
    pins = pc_ioapic_pins(pc, &n);
    g_assert_cmphex(in(0x604, 2), ==, 0);
    out(0xB2, 0xF1, 1);
    g_assert_cmphex(in(0x604, 2), ==, 1);       /* SCI_EN */
    runstate_request_powerdown();
    bh_drain(10);
    g_assert_cmphex(in(0x600, 2) & 0x100, ==, 0x100);
    g_assert_false(pins[9].level);
    out(0x602, 0x100, 2);
    g_assert_true(pins[9].level);
    out(0x600, 0x100, 2);                       /* written 1 clears */
    g_assert_false(pins[9].level);
    g_assert_cmphex(in(0x600, 2) & 0x100, ==, 0);
    out(0x600, 1, 2);
    out(0x602, 0x001, 2);                       /* TMR_EN: bit 23 changes every 2.34 s */
    g_assert_false(pins[9].level);
    isa_rig_step(2400 * NS_PER_MS);
    g_assert_true(pins[9].level);
    out(0xB2, 0xF0, 1);
    g_assert_false(pins[9].level);
    out(0x604, 0x2000, 2);                      /* SLP_EN, S5 */
    bh_drain(10);
    g_assert_cmpuint(shutdowns, ==, 1);
    teardown();
}

static void test_pm_timer(void)
{
    uint32_t a;

    setup(16 * MiB, true);
    a = (uint32_t)in(0x608, 4);
    isa_rig_step(NS_PER_SEC);
    g_assert_cmpuint((in(0x608, 4) - a) & 0xFFFFFF, ==, 3579545);
    g_assert_cmpuint(in(0x608, 4) >> 24, ==, 0);
    teardown();
}

static void test_resets(void)
{
    static const struct { unsigned port; uint8_t v[2]; unsigned want; } rows[] = {
        { 0xCF9, { 0x02, 0x06 }, 1 }, { 0xCF9, { 0x00, 0x04 }, 1 }, { 0xCF9, { 0x00, 0x02 }, 0 },
        { 0x92, { 0x02, 0x03 }, 1 },
        { 0x92, { 0x00, 0x02 }, 0 }, { 0x64, { 0xAE, 0xFE }, 1 }, { 0x64, { 0xFF, 0xFF }, 0 },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        setup(16 * MiB, false);
        out(rows[i].port, rows[i].v[0], 1);
        bh_drain(10);
        resets = 0;
        out(rows[i].port, rows[i].v[1], 1);
        bh_drain(10);
        g_assert_cmpuint(resets, ==, rows[i].want);
        teardown();
    }
}

/* ---- starting ---- */

static void test_start(void)
{
    struct addr_space *mem;
    uint8_t rsdp[8];

    setup(16 * MiB, true);
    mem = pc_memory(pc);
    for (unsigned round = 0; round < 2; round++) {
        g_assert_true(space_rw(mem, 0xF0000, rsdp, 8, false));
        g_assert_cmpmem(rsdp, 8, "RSD PTR ", 8);
        g_assert_cmphex(space_read(mem, 0xF8000, 4), ==, 0x5F4D535F);       /* _SM_ */
        g_assert_cmphex(space_read(mem, 0x100000, 8), ==, 0x9090909090909090);
        g_assert_cmphex(in(0x21, 1), ==, 0xFF);
        g_assert_cmphex(space_read(mem, 0xFEE000F0, 4), ==, 0x1FF);         /* virtual wire */
        g_assert_cmphex(space_read(mem, 0xFEE00350, 4), ==, 0x700);
        g_assert_cmphex(config(PCI_DEVFN(1, 3), 0x40, 4), ==, 0x601);
        g_assert_cmphex(config(PCI_DEVFN(1, 3), 0x3C, 2), ==, 0x0109);      /* INTA#, 9 */
        /* a reset brings all of it back, and leaves other RAM alone */
        space_write(mem, 0x100000, 0, 8);
        space_write(mem, 0xF0000, 0, 8);
        space_write(mem, 0x900000, 0xABCD, 2);
        space_write(mem, 0xFEE000F0, 0xFF, 4);
        config_set(PCI_DEVFN(1, 3), 0x80, 0, 1);
        out(0x21, 0, 1);
        reset_run();
        g_assert_cmphex(space_read(mem, 0x900000, 2), ==, 0xABCD);
    }
    teardown();
}

static void test_fw_cfg(void)
{
    uint64_t v = 0;

    setup(48 * MiB, false);
    out(0x510, 3, 2);
    for (unsigned i = 0; i < 8; i++) {
        v |= in(0x511, 1) << (8 * i);
    }
    g_assert_cmpuint(v, ==, 48 * MiB);
    teardown();
}

static void test_tree(void)
{
    static const char *const names[] = {
        "i440FX-pcihost", "bus: pci.0", "dev: i440FX", "dev: PIIX3", "bus: isa.0", "PIIX4_PM", "isa-serial", "i8042",
        "mc146818rtc",
        "hpet", "ioapic", "isa-i8259", "isa-pit", "fw_cfg", "isa-vga", "apic",
    };
    GString *s = g_string_new("");

    setup(16 * MiB, false);
    device_print_tree(s);
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        if (!strstr(s->str, names[i])) {
            g_error("no %s in:\n%s", names[i], s->str);
        }
    }
    g_string_truncate(s, 0);
    pc_print_irq(pc, s);
    pc_print_pic(pc, s);
    pc_print_lapic(pc, 0, s);
    g_assert_nonnull(strstr(s->str, "IRQ statistics for ioapic:"));
    g_assert_nonnull(strstr(s->str, "pic1: irr="));
    g_assert_nonnull(strstr(s->str, "LVT0"));
    g_string_free(s, TRUE);
    teardown();
}

static void test_screen(void)
{
    static const char text[] = "Patchbay";
    GString *s = g_string_new("");

    setup(16 * MiB, false);
    for (unsigned i = 0; text[i]; i++) {
        space_write(pc_memory(pc), 0xB8000 + 160 * 2 + 2 * i, (uint8_t)text[i] | 0x0700u, 2);
    }
    pc_print_screen(pc, s);
    g_assert_true(g_str_has_prefix(s->str, "\n\nPatchbay\n"));
    g_string_free(s, TRUE);
    teardown();
}

static void test_errors(void)
{
    const struct { struct pc_config cfg; const char *what; } rows[] = {
        { { .ram_size = 4096 }, "RAM size of 4096 bytes" }, { { .ram_size = 1ull << 50 }, "RAM size of" },
        { { .cpus = 2 }, "Invalid SMP CPUs 2" },
        { { .kernel = "/nonexistent/vmlinuz" }, "could not load kernel '/nonexistent/vmlinuz'" },
        { { .initrd = "x" }, "-initrd only allowed with -kernel option" },
        { { .append = "x" }, "-append only allowed with -kernel option" },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        Error *err = NULL;

        g_assert_null(pc_new(&rows[i].cfg, &err));
        g_assert_nonnull(strstr(error_text(err), rows[i].what));
        error_free(err);
    }
}

int main(int argc, char **argv)
{
    int rc;

    g_test_init(&argc, &argv, NULL);
    isa_rig_once();
    hw_pci_register_types();
    hw_board_register_types();
    device_type_register(&toy_type);
    runstate_add_listener(event, NULL);
    make_kernel();
    g_test_add_func("/pc/memory-map", test_memory_map);
    g_test_add_func("/pc/pam", test_pam);
    g_test_add_func("/pc/pirq", test_pirq);
    g_test_add_func("/pc/msi", test_msi);
    g_test_add_func("/pc/timer-wiring", test_timer_wiring);
    g_test_add_func("/pc/pm", test_pm);
    g_test_add_func("/pc/pm-timer", test_pm_timer);
    g_test_add_func("/pc/resets", test_resets);
    g_test_add_func("/pc/start", test_start);
    g_test_add_func("/pc/fw-cfg", test_fw_cfg);
    g_test_add_func("/pc/tree", test_tree);
    g_test_add_func("/pc/screen", test_screen);
    g_test_add_func("/pc/errors", test_errors);
    rc = g_test_run();
    g_unlink(kernel);
    g_free(kernel);
    return rc;
}
