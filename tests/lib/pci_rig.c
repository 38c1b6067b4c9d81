/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/lib/pci_rig.c - see pci_rig.h */
#include "tests/lib/pci_rig.h"

/* ---- the device ---- */

static uint64_t bar0_read(void *opaque, uint64_t off, unsigned size)
{
    return 0x40 + off;
}

static void bar0_write(void *opaque, uint64_t off, uint64_t val, unsigned size)
{
    struct toy *t = opaque;

    if (off == 0x10) {                  /* a register that moves the device's own BAR */
        pci_config_write(&t->pci, PCI_BAR0, (uint32_t)val, 4);
    }
}

static const struct region_ops bar0_ops = { bar0_read, bar0_write, 1, 4 };
static toy_make *next_make;

static bool toy_realize(struct device *dev, Error **errp)
{
    struct toy *t = (struct toy *)dev;

    region_init_io(&t->bar0, "toy", 0x10000, &bar0_ops, t);
    pci_bar(&t->pci, 0, PCI_BAR_MEM32, &t->bar0);
    return !next_make || next_make(t, errp);
}

static void toy_reset(struct device *dev)
{
    ((struct toy *)dev)->resets++;
}

static void toy_msi_changed(struct pci_device *d, int vector)
{
    struct toy *t = (struct toy *)d;
    size_t n = strlen(t->hooks);

    if (vector < 0) {
        g_snprintf(t->hooks + n, sizeof(t->hooks) - n, "* ");
    } else {
        g_snprintf(t->hooks + n, sizeof(t->hooks) - n, "%d ", vector);
    }
}

static const struct pci_class_info toy_class = {
    .vendor = 0x1234, .device = 0x5678, .class = PCI_CLASS_ETHERNET, .pin = 1, .msi_changed = toy_msi_changed,
};
static const struct device_type toy_type = {
    .name = "toy", .bus = "PCI", .parent = &pci_device_type, .size = sizeof(struct toy), .realize = toy_realize,
    .reset = toy_reset, .cls = &toy_class,
};

/* ---- the bench ---- */

static int map_irq(void *opaque, struct pci_device *d, int pin)
{
    return pin;
}

static void set_irq(void *opaque, int irq, bool level)
{
    ((struct bench *)opaque)->intx = level;
}

static bool message(void *opaque, struct pci_device *d, uint64_t addr, uint32_t data)
{
    struct bench *b = opaque;

    if (addr >> 20 != 0xFEE && addr >> 32 != 0x12345678) {
        return false;
    }
    b->n++;
    b->addr = addr;
    b->data = data;
    return true;
}

static const struct pci_bus_ops ops = { map_irq, set_irq, message };

bool bench_add(struct bench *b, toy_make *make, int devfn, bool multifunction, Error **errp)
{
    b->t = (struct toy *)pci_new("toy", NULL, devfn, NULL);
    b->d = &b->t->pci;
    b->d->multifunction = multifunction;
    next_make = make;
    if (!device_realize(&b->d->dev, &b->bus.bus, errp)) {
        device_free(&b->d->dev);
        return false;
    }
    return true;
}

struct bench *bench_new(toy_make *make)
{
    struct bench *b = g_new0(struct bench, 1);
    Error *err = NULL;

    b->ram = ram_new("ram", RAM_SIZE, NULL);
    region_init(&b->root, "memory", 0);
    region_init(&b->io_root, "io", 0x10000);
    region_init_ram(&b->ram_r, "ram", b->ram, false);
    region_add(&b->root, 0, &b->ram_r, 0);
    space_init(&b->as, "memory", &b->root);
    space_init(&b->io_as, "io", &b->io_root);
    pci_bus_init(&b->bus, "pci.0", NULL, &ops, b, 4, &b->root, &b->io_root, &b->as);
    if (!bench_add(b, make, 0x20, false, &err)) {
        g_error("%s", error_text(err));
    }
    pci_config_write(b->d, PCI_BAR0, BAR_AT, 4);
    pci_config_write(b->d, PCI_COMMAND, BUS_MASTER, 2);
    b->t->resets = 0;
    return b;
}

void bench_free(struct bench *b)
{
    for (unsigned i = 0; i < 256; i++) {
        if (b->bus.devices[i]) {
            device_free(&b->bus.devices[i]->dev);
        }
    }
    pci_bus_fini(&b->bus);
    region_fini(&b->ram_r);
    space_fini(&b->io_as);
    space_fini(&b->as);
    region_fini(&b->io_root);
    region_fini(&b->root);
    ram_free(b->ram);
    g_free(b);
}

void none(struct bench *b)
{
    g_assert_cmpuint(b->n, ==, 0);
}

void one(struct bench *b, uint64_t addr, uint32_t data)
{
    g_assert_cmpuint(b->n, ==, 1);
    g_assert_cmphex(b->addr, ==, addr);
    g_assert_cmphex(b->data, ==, data);
    b->n = 0;
}

void hooks(struct bench *b, const char *want)
{
    g_assert_cmpstr(b->t->hooks, ==, want);
    b->t->hooks[0] = '\0';
}

void expect_error(Error *err, const char *text)
{
    g_assert_nonnull(err);
    g_assert_cmpstr(error_text(err), ==, text);
    error_free(err);
}

void bench_once(void)
{
    loop_init();
    hw_pci_register_types();
    device_type_register(&toy_type);
}
