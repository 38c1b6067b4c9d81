/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/pci/bus.c - a PCI bus: who sits in which slot, configuration cycles, shared interrupt lines
 *
 * Interrupt lines are wired-or. irq_count[] holds how many devices assert a line; the board hears of it when that
 * becomes or leaves 0. Invariant: irq_count[n] == number of devices on line n with irq_on_bus.
 */
#include "hw/pci/caps.h"
#include "hw/pci/internal.h"
#include "hw/pci/msi.h"
#include "lib/bits.h"

void pci_bus_init(struct pci_bus *b, const char *name, struct device *parent, const struct pci_bus_ops *ops,
                  void *opaque, unsigned nirq, struct region *mem, struct region *io, struct addr_space *dma_as)
{
    g_return_if_fail(nirq <= PCI_IRQS_MAX);
    memset(b, 0, sizeof(*b));
    bus_init(&b->bus, "PCI", name, parent);
    b->ops = ops;
    b->opaque = opaque;
    b->nirq = nirq;
    b->mem = mem;
    b->io = io;
    b->dma_as = dma_as;
}

void pci_bus_fini(struct pci_bus *b)
{
    bus_fini(&b->bus);
}

/* ---- slots ---- */

static bool slot_free(const struct pci_bus *b, unsigned slot)
{
    for (unsigned fn = 0; fn < 8; fn++) {
        if (b->devices[PCI_DEVFN(slot, fn)]) {
            return false;
        }
    }
    return true;
}

static bool place_auto(struct pci_bus *b, struct pci_device *d, Error **errp)
{
    for (unsigned slot = b->first_slot; slot < 32; slot++) {
        if (slot_free(b, slot)) {
            d->devfn = PCI_DEVFN(slot, 0);
            return true;
        }
    }
    error_setg(errp, "PCI: no slot/function available for %s, all in use or reserved", d->dev.type->name);
    return false;
}

static bool place_at(struct pci_bus *b, struct pci_device *d, uint8_t devfn, Error **errp)
{
    unsigned slot = PCI_SLOT(devfn), fn = PCI_FUNC(devfn);
    const struct pci_device *there = b->devices[devfn], *first = b->devices[PCI_DEVFN(slot, 0)];

    if (there) {
        error_setg(errp, "PCI: slot %u function %u not available for %s, in use by %s,id=%s", slot, fn,
                   d->dev.type->name, there->dev.type->name, there->dev.id ? there->dev.id : "");
        return false;
    }
    if (fn && first && !first->multifunction) {
        error_setg(errp, "PCI: single function device can't be populated in function %x.%x", slot, fn);
        return false;
    }
    for (unsigned other = 1; !fn && !d->multifunction && other < 8; other++) {
        if (b->devices[PCI_DEVFN(slot, other)]) {
            error_setg(errp, "PCI: %x.0 indicates single function, but %x.%x is already populated.", slot, slot, other);
            return false;
        }
    }
    d->devfn = devfn;
    return true;
}

bool pci_bus_attach(struct pci_bus *b, struct pci_device *d, Error **errp)
{
    if (d->addr < 0 ? !place_auto(b, d, errp) : !place_at(b, d, d->addr, errp)) {
        return false;
    }
    d->bus = b;
    b->devices[d->devfn] = d;
    return true;
}

void pci_bus_detach(struct pci_device *d)
{
    if (d->bus) {
        pci_set_irq(d, false);
        d->bus->devices[d->devfn] = NULL;
        d->bus = NULL;
    }
}

struct pci_device *pci_new(const char *type, const char *id, int devfn, Error **errp)
{
    const struct device_type *t = device_type_find(type);
    struct pci_device *d;

    if (!t || !device_type_is(t, &pci_device_type)) {
        error_setg(errp, "'%s' is not a valid device model name", type);
        return NULL;
    }
    d = pci_device_of(device_new(t, id));
    d->addr = devfn;
    return d;
}

struct pci_device *pci_find_device(struct pci_bus *root, uint8_t bus, uint8_t devfn)
{
    return bus == root->num ? root->devices[devfn] : NULL;
}

void pci_foreach(struct pci_bus *b, void (*fn)(struct pci_device *d, void *opaque), void *opaque)
{
    for (unsigned i = 0; i < ARRAY_LEN(b->devices); i++) {
        if (b->devices[i]) {
            fn(b->devices[i], opaque);
        }
    }
}

/* ---- configuration cycles ---- */

uint32_t pci_config_cycle_read(struct pci_bus *root, uint8_t bus, uint8_t devfn, unsigned off, unsigned len)
{
    struct pci_device *d = pci_find_device(root, bus, devfn);

    return d ? pci_config_read(d, off, len) : (uint32_t)bits_mask(8 * len);
}

void pci_config_cycle_write(struct pci_bus *root, uint8_t bus, uint8_t devfn, unsigned off, uint32_t val, unsigned len)
{
    struct pci_device *d = pci_find_device(root, bus, devfn);

    if (d) {
        pci_config_write(d, off, val, len);
    }
}

/* ---- interrupt lines ---- */

void pci_irq_update(struct pci_device *d)
{
    struct pci_bus *b = d->bus;
    bool on = d->irq_level && !(pci_command(d) & PCI_COMMAND_INTX_OFF) && !msi_enabled(d) && !msix_enabled(d) &&
              !pci_power_state(d);
    int irq;

    if (on == d->irq_on_bus || !d->config[PCI_INTERRUPT_PIN]) {
        return;
    }
    d->irq_on_bus = on;
    irq = b->ops->map_irq(b->opaque, d, d->config[PCI_INTERRUPT_PIN] - 1);
    if (irq < 0 || (unsigned)irq >= b->nirq) {
        return;
    }
    b->irq_count[irq] += on ? 1 : -1;
    if (b->irq_count[irq] == on) {      /* 0 -> 1 or 1 -> 0 */
        b->ops->set_irq(b->opaque, irq, on);
    }
}

void pci_set_irq(struct pci_device *d, bool level)
{
    if (level == d->irq_level || !d->bus) {
        return;
    }
    d->irq_level = level;
    d->config[PCI_STATUS] = bits_put(d->config[PCI_STATUS], 3, 1, level);      /* Interrupt Status, 6.2.3 */
    pci_irq_update(d);
}
