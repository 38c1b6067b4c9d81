/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/unit/test-pci.c - configuration cycles, masks, BARs, INTx, capabilities, ROMs, slots, resources, host bridge */
#include "core/loop.h"
#include "hw/pci/host.h"
#include "hw/pci/i440fx.h"
#include "lib/bits.h"
#include "mem/space.h"

#include <glib/gstdio.h>
#include <string.h>

/* ---- a device with every kind of BAR ---- */

struct toy {
    struct pci_device pci;
    struct region mem, io, mem64;
    unsigned hooks;
};

static uint64_t toy_read(void *opaque, uint64_t off, unsigned size)
{
    return 0x40 + off;
}

static void toy_write(void *opaque, uint64_t off, uint64_t val, unsigned size)
{
}

static const struct region_ops toy_ops = { toy_read, toy_write, 1, 4 };

static bool toy_realize(struct device *dev, Error **errp)
{
    struct toy *t = (struct toy *)dev;

    region_init_io(&t->mem, "toy-mem", 0x1000, &toy_ops, t);
    region_init_io(&t->io, "toy-io", 0x20, &toy_ops, t);
    region_init_io(&t->mem64, "toy-mem64", 0x10000, &toy_ops, t);
    pci_bar(&t->pci, 0, PCI_BAR_MEM32, &t->mem);
    pci_bar(&t->pci, 1, PCI_BAR_IO, &t->io);
    pci_bar(&t->pci, 2, PCI_BAR_MEM64 | PCI_BAR_PREFETCH, &t->mem64);
    t->pci.wmask[0x80] = 0x0F;
    t->pci.w1cmask[0x80] = 0x30;
    t->pci.config[0x80] = 0xF5;
    return true;
}

static void toy_config_written(struct pci_device *d, unsigned off, unsigned len)
{
    ((struct toy *)d)->hooks++;
}

static const struct pci_class_info toy_class = {
    .vendor = 0x1234, .device = 0x5678, .subvendor = 0xAAAA, .subdevice = 0xBBBB, .class = PCI_CLASS_ETHERNET,
    .revision = 7, .pin = 1, .config_written = toy_config_written,
};
static const struct device_type toy_type = {
    .name = "toy", .bus = "PCI", .parent = &pci_device_type, .size = sizeof(struct toy), .realize = toy_realize,
    .cls = &toy_class,
};
static const struct device_type toy_child_type = {      /* inherits class and realize */
    .name = "toy-child", .bus = "PCI", .parent = &toy_type, .size = sizeof(struct toy),
};

/* ---- the bench ---- */

struct bench {
    struct region root, io_root;
    struct addr_space as, io_as;
    struct pci_bus bus;
    struct pci_host host;
    char log[64];                       /* "+N" line N asserted, "-N" not any more */
};

static int map_irq(void *opaque, struct pci_device *d, int pin)
{
    return (PCI_SLOT(d->devfn) - 1 + pin) & 3;
}

static void set_irq(void *opaque, int irq, bool level)
{
    struct bench *b = opaque;
    size_t n = strlen(b->log);

    g_snprintf(b->log + n, sizeof(b->log) - n, "%c%d", level ? '+' : '-', irq);
}

static const struct pci_bus_ops ops = { map_irq, set_irq };

static struct bench *bench_new(void)
{
    struct bench *b = g_new0(struct bench, 1);

    region_init(&b->root, "memory", 0);
    region_init(&b->io_root, "io", 0x10000);
    space_init(&b->as, "memory", &b->root);
    space_init(&b->io_as, "io", &b->io_root);
    pci_bus_init(&b->bus, "pci.0", NULL, &ops, b, 4, &b->root, &b->io_root, &b->as);
    pci_host_init(&b->host, &b->bus, &b->io_root);
    return b;
}

static struct pci_device *add(struct bench *b, const char *type, int devfn)
{
    Error *err = NULL;
    struct pci_device *d = pci_new(type, NULL, devfn, &err);

    g_assert_nonnull(d);
    if (!device_realize(&d->dev, &b->bus.bus, &err)) {
        g_error("%s", error_text(err));
    }
    return d;
}

static void bench_free(struct bench *b)
{
    for (unsigned i = 0; i < 256; i++) {
        if (b->bus.devices[i]) {
            device_free(&b->bus.devices[i]->dev);
        }
    }
    pci_host_fini(&b->host);
    pci_bus_fini(&b->bus);
    space_fini(&b->io_as);
    space_fini(&b->as);
    region_fini(&b->io_root);
    region_fini(&b->root);
    g_free(b);
}

static void outl(struct bench *b, unsigned port, uint32_t v) { space_write(&b->io_as, port, v, 4); }
static uint32_t in(struct bench *b, unsigned port, unsigned n) { return space_read(&b->io_as, port, n); }

/* ---- tests ---- */

static void test_mechanism1(void)
{
    struct bench *b = bench_new();
    struct pci_device *d = add(b, "toy", PCI_DEVFN(4, 0));

    outl(b, 0xCF8, 0x80002000);
    g_assert_cmphex(in(b, 0xCF8, 4), ==, 0x80002000);
    g_assert_cmphex(in(b, 0xCFC, 4), ==, 0x56781234);
    g_assert_cmphex(in(b, 0xCFE, 2), ==, 0x5678);           /* as PC software does it */
    outl(b, 0xCF8, 0x80002002);
    g_assert_cmphex(in(b, 0xCFC, 2), ==, 0x5678);           /* as test suites do it */
    outl(b, 0xCF8, 0x8000200B);
    g_assert_cmphex(in(b, 0xCFC, 1), ==, 0x02);
    space_write(&b->io_as, 0xCF8, 0x11, 1);                 /* bytes are somebody else's */
    g_assert_cmphex(in(b, 0xCF8, 4), ==, 0x8000200B);
    outl(b, 0xCF8, 0x00002000);                             /* disabled */
    g_assert_cmphex(in(b, 0xCFC, 4), ==, 0xFFFFFFFF);
    outl(b, 0xCF8, 0x80002800);                             /* empty slot */
    g_assert_cmphex(in(b, 0xCFC, 4), ==, 0xFFFFFFFF);
    outl(b, 0xCF8, 0x80012000);                             /* no bus 1 */
    g_assert_cmphex(in(b, 0xCFC, 2), ==, 0xFFFF);
    outl(b, 0xCF8, 0xFFFFFFFF);
    outl(b, 0xCFC, 0xFFFFFFFF);
    g_assert_cmphex(pci_config_read(d, 0xFE, 4), ==, 0xFFFF0000);
    pci_config_write(d, 0xFE, ~0u, 4);
    pci_config_write(d, 0x1000, ~0u, 4);
    bench_free(b);
}

static void test_masks(void)
{
    struct bench *b = bench_new();
    struct pci_device *d = add(b, "toy", -1);
    struct toy *t = (struct toy *)d;

    pci_config_write(d, 0, ~0u, 4);                         /* ids are read-only */
    pci_config_write(d, 0x2C, ~0u, 4);
    pci_config_write(d, 0x08, ~0u, 4);
    g_assert_cmphex(pci_config_read(d, 0, 4), ==, 0x56781234);
    g_assert_cmphex(pci_config_read(d, 0x2C, 4), ==, 0xBBBBAAAA);
    g_assert_cmphex(pci_config_read(d, 8, 4), ==, 0x02000007);
    pci_config_write(d, PCI_COMMAND, 0xFFFF, 2);
    g_assert_cmphex(pci_config_read(d, PCI_COMMAND, 2), ==, 0x055F);
    g_assert_true(d->dma.enabled);
    t->hooks = 0;
    pci_config_write(d, 0x80, 0x1A, 1);                     /* F5: low nibble written, bit 4 cleared by 1 */
    g_assert_cmphex(pci_config_read(d, 0x80, 1), ==, 0xEA);
    g_assert_cmpuint(t->hooks, ==, 1);
    pci_config_write(d, PCI_INTERRUPT_LINE, 0x0B, 1);
    device_reset(&d->dev);
    g_assert_cmphex(pci_config_read(d, 0x80, 1), ==, 0xF5);
    g_assert_cmphex(pci_config_read(d, PCI_COMMAND, 2), ==, 0);
    g_assert_cmphex(pci_config_read(d, PCI_INTERRUPT_LINE, 1), ==, 0);
    g_assert_false(d->dma.enabled);
    bench_free(b);
}

static void test_bars(void)
{
    struct bench *b = bench_new();
    struct pci_device *d = add(b, "toy-child", -1);
    static const struct {
        unsigned reg;
        uint32_t sized;
    } t[] = { { 0x10, 0xFFFFF000 }, { 0x14, 0xFFFFFFE1 }, { 0x18, 0xFFFF000C }, { 0x1C, 0xFFFFFFFF }, { 0x20, 0 },
              { 0x30, 0 } };

    for (unsigned on = 0; on < 2; on++) {                   /* sizing, decoding off and on: never mapped */
        pci_config_write(d, PCI_COMMAND, on ? 3 : 0, 2);
        for (unsigned i = 0; i < ARRAY_LEN(t); i++) {
            pci_config_write(d, t[i].reg, ~0u, 4);
            g_assert_cmphex(pci_config_read(d, t[i].reg, 4), ==, t[i].sized);
        }
        for (unsigned n = 0; n < 3; n++) {
            g_assert_true(pci_bar_addr(d, n) == PCI_UNMAPPED);
        }
        for (unsigned i = 0; i < ARRAY_LEN(t); i++) {
            pci_config_write(d, t[i].reg, 0, 4);
        }
    }
    pci_config_write(d, 0x10, 0xE0000ABC, 4);               /* low bits are not address */
    pci_config_write(d, 0x14, 0xC000, 4);
    pci_config_write(d, 0x18, 0x40000000, 4);
    pci_config_write(d, 0x1C, 0x12, 4);
    g_assert_cmphex(space_read(&b->as, 0xE0000004, 1), ==, 0x44);
    g_assert_cmphex(space_read(&b->io_as, 0xC005, 1), ==, 0x45);
    g_assert_cmphex(space_read(&b->as, 0x1240000006, 1), ==, 0x46);
    pci_config_write(d, PCI_COMMAND, 1, 2);
    g_assert_cmphex(space_read(&b->as, 0xE0000004, 1), ==, 0xFF);
    g_assert_cmphex(space_read(&b->io_as, 0xC005, 1), ==, 0x45);
    pci_config_write(d, PCI_COMMAND, 2, 2);
    g_assert_cmphex(space_read(&b->as, 0xE0000004, 1), ==, 0x44);
    g_assert_cmphex(space_read(&b->io_as, 0xC005, 1), ==, 0xFF);
    pci_config_write(d, 0x13, 0xE8, 1);                     /* one byte of the address */
    g_assert_cmphex(pci_bar_addr(d, 0), ==, 0xE8000000);
    g_assert_cmphex(space_read(&b->as, 0xE8000004, 1), ==, 0x44);
    device_unrealize(&d->dev);
    g_assert_cmphex(space_read(&b->as, 0xE8000004, 1), ==, 0xFF);
    g_assert_null(b->bus.devices[0]);
    g_assert_true(device_realize(&d->dev, &b->bus.bus, NULL));     /* and again */
    bench_free(b);
}

static void test_intx(void)
{
    struct bench *b = bench_new();
    struct pci_device *x = add(b, "toy", PCI_DEVFN(1, 0)), *y = add(b, "toy", PCI_DEVFN(5, 0));   /* share line 0 */
    struct pci_device *z = add(b, "toy", PCI_DEVFN(2, 0));

    pci_set_irq(x, true);
    pci_set_irq(x, true);
    pci_set_irq(y, true);
    pci_set_irq(z, true);
    g_assert_cmpstr(b->log, ==, "+0+1");
    g_assert_cmphex(pci_config_read(x, PCI_STATUS, 2) & PCI_STATUS_INTX, ==, PCI_STATUS_INTX);
    pci_set_irq(x, false);
    g_assert_cmpstr(b->log, ==, "+0+1");
    pci_config_write(y, PCI_COMMAND, PCI_COMMAND_INTX_OFF, 2);
    g_assert_cmpstr(b->log, ==, "+0+1-0");
    g_assert_cmphex(pci_config_read(y, PCI_STATUS, 2) & PCI_STATUS_INTX, ==, PCI_STATUS_INTX);     /* stays visible */
    pci_config_write(y, PCI_COMMAND, 0, 2);
    device_reset(&y->dev);
    device_unrealize(&z->dev);                              /* unplugged while asserting */
    g_assert_cmpstr(b->log, ==, "+0+1-0+0-0-1");
    device_free(&z->dev);
    bench_free(b);
}

static void test_caps(void)
{
    struct bench *b = bench_new();
    struct pci_device *d = add(b, "toy", -1);

    g_assert_cmpuint(pci_find_cap(d, 1), ==, 0);
    g_assert_cmphex(pci_add_cap(d, 0x01, 0xDC, 8), ==, 0xDC);
    g_assert_cmphex(pci_add_cap(d, 0x05, 0, 10), ==, 0xE4);
    g_assert_cmphex(pci_add_cap(d, 0x11, 0, 12), ==, 0xF0);
    g_assert_cmphex(pci_add_cap(d, 0x10, 0, 64), ==, 0);    /* full */
    g_assert_cmphex(pci_config_read(d, PCI_STATUS, 2) & PCI_STATUS_CAPS, ==, PCI_STATUS_CAPS);
    g_assert_cmphex(pci_config_read(d, PCI_CAP_POINTER, 1), ==, 0xDC);
    g_assert_cmphex(pci_config_read(d, 0xDC, 2), ==, 0xE401);
    g_assert_cmphex(pci_config_read(d, 0xE4, 2), ==, 0xF005);
    g_assert_cmphex(pci_config_read(d, 0xF0, 2), ==, 0x0011);
    g_assert_cmphex(pci_find_cap(d, 0x11), ==, 0xF0);
    bench_free(b);
}

static void expect_error(Error *err, const char *text)
{
    g_assert_nonnull(err);
    g_assert_cmpstr(error_text(err), ==, text);
    error_free(err);
}

static void test_slots(void)
{
    struct bench *b = bench_new();
    Error *err = NULL;
    struct pci_device *d, *auto1;
    static const struct {
        const char *text;
        int devfn;                      /* -1: refused */
    } t[] = { { "0", 0 }, { "04.0", 0x20 }, { "1f.7", 0xFF }, { "0x3", 0x18 }, { "1F", 0xF8 }, { "20", -1 },
              { "99", -1 }, { "3.8", -1 }, { "", -1 }, { ".", -1 }, { "3.", -1 }, { "3.1.1", -1 }, { "zz", -1 },
              { "-1.0", -1 } };

    d = pci_new("toy", "x", -1, NULL);
    for (unsigned i = 0; i < ARRAY_LEN(t); i++) {
        bool ok = device_set_prop(&d->dev, "addr", t[i].text, &err);

        g_assert_cmpint(ok, ==, t[i].devfn >= 0);
        if (ok) {
            g_assert_cmpint(d->addr, ==, t[i].devfn);
        } else {
            g_autofree char *want = g_strdup_printf("Property 'toy.addr' doesn't take value '%s'", t[i].text);

            expect_error(g_steal_pointer(&err), want);
        }
    }
    d->addr = 0;
    g_assert_true(device_realize(&d->dev, &b->bus.bus, &err));
    auto1 = add(b, "toy", -1);
    g_assert_cmphex(auto1->devfn, ==, 8);
    d = pci_new("toy", "y", 8, NULL);
    g_assert_false(device_realize(&d->dev, &b->bus.bus, &err));
    expect_error(g_steal_pointer(&err), "PCI: slot 1 function 0 not available for toy, in use by toy,id=");
    d->addr = 9;
    g_assert_false(device_realize(&d->dev, &b->bus.bus, &err));
    expect_error(g_steal_pointer(&err), "PCI: single function device can't be populated in function 1.1");
    device_free(&d->dev);
    for (unsigned i = 2; i < 32; i++) {
        add(b, "toy", -1);
    }
    d = pci_new("toy", NULL, -1, NULL);
    g_assert_false(device_realize(&d->dev, &b->bus.bus, &err));
    expect_error(g_steal_pointer(&err), "PCI: no slot/function available for toy, all in use or reserved");
    device_free(&d->dev);
    g_assert_null(pci_new("nosuchnic", NULL, -1, &err));
    expect_error(g_steal_pointer(&err), "'nosuchnic' is not a valid device model name");
    bench_free(b);
}

static void test_rom(void)
{
    struct bench *b = bench_new();
    Error *err = NULL;
    g_autofree char *dir = g_dir_make_tmp("pci-test-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "nic.rom", NULL);
    const char *const dirs[] = { dir, NULL };
    uint8_t rom[5000] = { 0x55, 0xAA, 4 }, sum = 0;
    struct pci_device *d = pci_new("toy", NULL, -1, NULL);

    memcpy(rom + 0x40, "PCIR\x34\x12\x99\x99", 8);
    rom[0x18] = 0x40;
    for (unsigned i = 0; i < sizeof(rom); i++) {
        sum += rom[i];
    }
    rom[6] -= sum;
    g_assert_true(g_file_set_contents(path, (char *)rom, sizeof(rom), NULL));

    g_assert_true(device_set_prop(&d->dev, "romfile", "/nonexist", &err));
    g_assert_false(device_realize(&d->dev, &b->bus.bus, &err));
    expect_error(g_steal_pointer(&err), "failed to find romfile \"/nonexist\"");
    g_assert_null(b->bus.devices[0]);
    g_assert_true(device_set_prop(&d->dev, "romfile", "nic.rom", &err));
    g_assert_false(device_realize(&d->dev, &b->bus.bus, &err));
    error_free(g_steal_pointer(&err));
    b->bus.rom_dirs = dirs;
    g_assert_true(device_realize(&d->dev, &b->bus.bus, &err));
    pci_config_write(d, PCI_ROM_ADDRESS, ~0u, 4);
    g_assert_cmphex(pci_config_read(d, PCI_ROM_ADDRESS, 4), ==, 0xFFFFE001);    /* 8 KiB */
    pci_config_write(d, PCI_ROM_ADDRESS, 0xE0000000, 4);
    pci_config_write(d, PCI_COMMAND, 2, 2);
    g_assert_cmphex(space_read(&b->as, 0xE0000000, 2), ==, 0xFFFF);             /* not enabled yet */
    pci_config_write(d, PCI_ROM_ADDRESS, 0xE0000001, 4);
    g_assert_cmphex(space_read(&b->as, 0xE0000000, 2), ==, 0xAA55);
    g_assert_cmphex(space_read(&b->as, 0xE0000044, 4), ==, 0x56781234);         /* our device's id */
    space_write(&b->as, 0xE0000000, 0, 2);
    g_assert_cmphex(space_read(&b->as, 0xE0000000, 2), ==, 0xAA55);
    sum = 0;
    for (unsigned i = 0; i < sizeof(rom); i++) {
        sum += space_read(&b->as, 0xE0000000 + i, 1);
    }
    g_assert_cmpuint(sum, ==, 0);
    g_assert_cmphex(space_read(&b->as, 0xE0001FFF, 1), ==, 0xFF);
    device_unrealize(&d->dev);
    g_assert_true(device_set_prop(&d->dev, "rombar", "0", &err));
    g_assert_true(device_realize(&d->dev, &b->bus.bus, &err));
    g_assert_null(d->rom);
    bench_free(b);
    g_remove(path);
    g_rmdir(dir);
}

static uint8_t irq_number(void *opaque, int irq)
{
    return 10 + irq;
}

static void test_assign(void)
{
    struct bench *b = bench_new();
    struct pci_device *d[3] = { add(b, "toy", 0x08), add(b, "toy", 0x10), add(b, "toy", 0x18) };
    const struct pci_windows w = { .io_base = 0xC000, .io_end = 0xC050, .mem_base = 0xFEB00000, .mem_end = 0xFEC00000,
                                   .irq_line = irq_number };
    g_autoptr(GString) out = g_string_new(NULL);

    pci_config_write(d[0], 0x14, 0xD000, 4);                /* already placed: left alone */
    pci_assign_resources(&b->bus, &w);
    g_assert_cmphex(pci_bar_addr(d[0], 1), ==, 0xD000);
    g_assert_cmphex(pci_bar_addr(d[1], 1), ==, 0xC000);
    g_assert_cmphex(pci_bar_addr(d[2], 1), ==, 0xC020);
    g_assert_cmphex(pci_bar_addr(d[0], 2), ==, 0xFEBF0000); /* largest first, from the top */
    g_assert_cmphex(pci_bar_addr(d[1], 2), ==, 0xFEBE0000);
    g_assert_cmphex(pci_bar_addr(d[2], 2), ==, 0xFEBD0000);
    g_assert_cmphex(pci_bar_addr(d[0], 0), ==, 0xFEBCF000);
    g_assert_cmphex(pci_bar_addr(d[2], 0), ==, 0xFEBCD000);
    g_assert_cmphex(pci_config_read(d[1], PCI_COMMAND, 2), ==, 3);
    g_assert_cmpuint(d[0]->config[PCI_INTERRUPT_LINE], ==, 10);
    g_assert_cmpuint(d[2]->config[PCI_INTERRUPT_LINE], ==, 12);
    pci_config_write(d[2], PCI_COMMAND, 1, 2);
    pci_print_info(&b->bus, out);
    g_assert_nonnull(strstr(out->str, "  Bus  0, device   2, function 0:\n"
                                      "    Ethernet controller: PCI device 1234:5678\n"
                                      "      PCI subsystem aaaa:bbbb\n"
                                      "      IRQ 11, pin A\n"
                                      "      BAR0: 32 bit memory at 0xfebce000 [0xfebcefff].\n"
                                      "      BAR1: I/O at 0xc000 [0xc01f].\n"
                                      "      BAR2: 64 bit prefetchable memory at 0xfebe0000 [0xfebeffff].\n"
                                      "      id \"\"\n"));
    g_assert_nonnull(strstr(out->str, "      BAR0: 32 bit memory at 0xffffffffffffffff [0x00000ffe].\n"));
    bench_free(b);
}

/* ---- 82441FX ---- */

static struct pam_area seen[PAM_AREAS];
static uint8_t seen_smram;
static unsigned seen_calls;

static void pam_changed(void *opaque, const struct pam_area areas[PAM_AREAS], uint8_t smram)
{
    memcpy(seen, areas, sizeof(seen));
    seen_smram = smram;
    seen_calls++;
}

static void test_i440fx(void)
{
    struct bench *b = bench_new();
    struct pci_device *d = pci_new(TYPE_I440FX, NULL, 0, NULL);

    ((struct i440fx *)d)->pam_changed = pam_changed;
    g_assert_true(device_realize(&d->dev, &b->bus.bus, NULL));
    g_assert_cmphex(pci_config_read(d, 0, 4), ==, 0x12378086);
    g_assert_cmphex(pci_config_read(d, PCI_CLASS_DEVICE, 2), ==, 0x0600);
    g_assert_cmphex(pci_config_read(d, PCI_COMMAND, 4), ==, 0x02800006);
    pci_config_write(d, 0x59, 0x30, 1);                     /* BIOS area: RAM */
    g_assert_cmphex(seen[12].start, ==, 0xF0000);
    g_assert_cmphex(seen[12].size, ==, 0x10000);
    g_assert_cmphex(seen[12].attr, ==, PAM_READ | PAM_WRITE);
    pci_config_write(d, 0x5A, 0x12, 1);                     /* C0000 writes only, C4000 reads only */
    g_assert_cmphex(seen[0].start, ==, 0xC0000);
    g_assert_cmphex(seen[0].attr, ==, PAM_WRITE);
    g_assert_cmphex(seen[1].attr, ==, PAM_READ);
    pci_config_write(d, 0x5F, 0xFF, 1);
    g_assert_cmphex(pci_config_read(d, 0x5F, 1), ==, 0x33);
    g_assert_cmphex(seen[11].start, ==, 0xEC000);
    g_assert_cmphex(seen[11].attr, ==, 3);

    pci_config_write(d, 0x72, 0x4A, 1);                     /* SMRAM open, enabled */
    g_assert_cmphex(seen_smram, ==, 0x4A);
    pci_config_write(d, 0x72, 0x1A, 1);                     /* locked: D_OPEN can not come back */
    pci_config_write(d, 0x72, 0x4A, 1);
    g_assert_cmphex(seen_smram, ==, 0x1A);
    seen_calls = 0;
    pci_config_write(d, PCI_COMMAND, 0, 2);
    g_assert_cmpuint(seen_calls, ==, 0);
    device_reset(&d->dev);
    g_assert_cmphex(seen_smram, ==, 0x02);
    g_assert_cmphex(seen[12].attr | seen[0].attr | seen[11].attr, ==, 0);
    pci_config_write(d, 0x72, 0x4A, 1);
    g_assert_cmphex(seen_smram, ==, 0x4A);
    bench_free(b);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    loop_init();
    hw_pci_register_types();
    device_type_register(&toy_type);
    device_type_register(&toy_child_type);
    g_test_add_func("/pci/mechanism1", test_mechanism1);
    g_test_add_func("/pci/masks", test_masks);
    g_test_add_func("/pci/bars", test_bars);
    g_test_add_func("/pci/intx", test_intx);
    g_test_add_func("/pci/caps", test_caps);
    g_test_add_func("/pci/slots", test_slots);
    g_test_add_func("/pci/rom", test_rom);
    g_test_add_func("/pci/assign", test_assign);
    g_test_add_func("/pci/i440fx", test_i440fx);
    return g_test_run();
}
