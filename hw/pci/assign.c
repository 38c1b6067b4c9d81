/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/pci/assign.c - the part of a firmware's work that a kernel started without one relies on
 *
 * BARs of a kind are placed largest first: then natural alignment leaves no holes. I/O grows up from io_base, memory
 * down from mem_end, as PC firmware does it. All through configuration writes, so masks and hooks apply.
 */
#include "hw/pci/internal.h"
#include "lib/bits.h"

struct slot {
    struct pci_device *d;
    unsigned bar;
};

static const struct pci_bar *slot_bar(const struct slot *s)
{
    return &s->d->bars[s->bar];
}

/* Largest first; same size: in order of devfn and BAR, which g_array_sort() keeps when we compare them */
static gint slot_cmp(gconstpointer a, gconstpointer b)
{
    const struct slot *x = a, *y = b;
    uint64_t sx = slot_bar(x)->size, sy = slot_bar(y)->size;

    if (sx != sy) {
        return sx > sy ? -1 : 1;
    }
    return x->d->devfn != y->d->devfn ? (int)x->d->devfn - y->d->devfn : (int)x->bar - (int)y->bar;
}

static void collect(struct pci_device *d, void *opaque)
{
    GArray *slots = opaque;

    for (unsigned n = 0; n < PCI_BARS; n++) {
        uint32_t v = ld_le32(d->config + pci_bar_reg(n));

        if (d->bars[n].region && !(v & ~0xFu)) {
            struct slot s = { d, n };

            g_array_append_val(slots, s);
        }
    }
}

static void bar_write(struct pci_device *d, unsigned bar, uint64_t addr)
{
    pci_config_write(d, pci_bar_reg(bar), addr, 4);
    if (d->bars[bar].type & PCI_BAR_MEM64) {
        pci_config_write(d, pci_bar_reg(bar) + 4, addr >> 32, 4);
    }
}

static void place(const struct slot *s, uint64_t *io_next, uint64_t *mem_end, const struct pci_windows *w)
{
    const struct pci_bar *b = slot_bar(s);

    if (b->type & PCI_BAR_IO) {
        uint64_t at = align_up(*io_next, b->size);

        if (at + b->size <= w->io_end) {
            *io_next = at + b->size;
            bar_write(s->d, s->bar, at);
        }
    } else if (*mem_end >= b->size) {
        uint64_t at = align_down(*mem_end - b->size, b->size);

        if (at >= w->mem_base) {
            *mem_end = at;
            bar_write(s->d, s->bar, at);
        }
    }
}

static void finish(struct pci_device *d, void *opaque)
{
    const struct pci_windows *w = opaque;
    unsigned pin = d->config[PCI_INTERRUPT_PIN];
    uint16_t cmd = pci_command(d);

    if (pin && w->irq_line) {
        int irq = d->bus->ops->map_irq(d->bus->opaque, d, pin - 1);

        pci_config_write(d, PCI_INTERRUPT_LINE, w->irq_line(w->opaque, irq), 1);
    }
    for (unsigned n = 0; n < PCI_BARS; n++) {
        if (d->bars[n].region) {
            cmd |= d->bars[n].type & PCI_BAR_IO ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY;
        }
    }
    pci_config_write(d, PCI_COMMAND, cmd, 2);
}

void pci_assign_resources(struct pci_bus *b, const struct pci_windows *w)
{
    g_autoptr(GArray) slots = g_array_new(FALSE, FALSE, sizeof(struct slot));
    uint64_t io_next = w->io_base, mem_end = w->mem_end;

    pci_foreach(b, collect, slots);
    g_array_sort(slots, slot_cmp);
    region_batch_begin();
    for (unsigned i = 0; i < slots->len; i++) {
        place(&g_array_index(slots, struct slot, i), &io_next, &mem_end, w);
    }
    pci_foreach(b, finish, (void *)w);
    region_batch_end();
}
