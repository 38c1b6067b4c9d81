/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/pci/bar.c - base address registers (PCI 3.0 section 6.2.5)
 *
 * A BAR's register holds what the guest wrote under a mask of its size, so sizing (write ones, read back) needs no
 * code. After every write pci_bars_update() compares where each region is with where it should be and moves those that
 * differ, all in one new view. A region is out of the tree while
 *   - decoding of its kind is off in COMMAND (for the ROM also while its own enable bit is clear), or
 *   - the function sleeps (hw/pci/caps.h), or
 *   - its address is 0, which means "none yet" on a PC, or
 *   - it would reach past the space: so the all-ones value of a sizing write maps nothing, even with decoding on.
 * Invariant: bars[n].addr == PCI_UNMAPPED <=> the region has no parent.
 */
#include "hw/pci/caps.h"
#include "hw/pci/internal.h"
#include "lib/bits.h"

enum { ROM_ENABLE = 1 << 0 };           /* section 6.2.5.2 */

unsigned pci_bar_reg(unsigned n)
{
    return n == PCI_ROM_BAR ? PCI_ROM_ADDRESS : PCI_BAR0 + 4 * n;
}

void pci_bar(struct pci_device *d, unsigned n, unsigned type, struct region *r)
{
    unsigned reg = pci_bar_reg(n);
    bool io = type & PCI_BAR_IO;
    uint64_t mask = ~(r->size - 1);

    g_return_if_fail(n <= PCI_ROM_BAR && is_pow2(r->size) && r->size >= (io ? 4 : 16));
    d->bars[n] = (struct pci_bar){ .region = r, .size = r->size, .addr = PCI_UNMAPPED, .type = type };
    if (n == PCI_ROM_BAR) {
        st_le32(d->wmask + reg, (uint32_t)mask | ROM_ENABLE);
        return;
    }
    st_le32(d->config + reg, type);
    st_le32(d->wmask + reg, (uint32_t)mask);
    if (type & PCI_BAR_MEM64) {
        st_le32(d->wmask + reg + 4, (uint32_t)(mask >> 32));
    }
}

uint64_t pci_bar_addr(const struct pci_device *d, unsigned n)
{
    return n <= PCI_ROM_BAR && d->bars[n].region ? d->bars[n].addr : PCI_UNMAPPED;
}

/* Where BAR @n should be now */
static uint64_t bar_target(const struct pci_device *d, unsigned n)
{
    const struct pci_bar *b = &d->bars[n];
    unsigned reg = pci_bar_reg(n);
    bool io = b->type & PCI_BAR_IO;
    uint64_t addr = ld_le32(d->config + reg), last, space_last = io ? 0xFFFF : UINT32_MAX - 1;

    if (!(pci_command(d) & (io ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY)) || pci_power_state(d) ||
        (n == PCI_ROM_BAR && !(addr & ROM_ENABLE))) {
        return PCI_UNMAPPED;
    }
    if (b->type & PCI_BAR_MEM64) {
        addr |= (uint64_t)ld_le32(d->config + reg + 4) << 32;
        space_last = (1ULL << 52) - 1;
    }
    addr &= ~(b->size - 1);
    if (__builtin_add_overflow(addr, b->size - 1, &last) || last > space_last || addr == 0) {
        return PCI_UNMAPPED;
    }
    return addr;
}

static void bar_move(struct pci_device *d, struct pci_bar *b, uint64_t addr)
{
    if (b->addr != PCI_UNMAPPED) {
        region_del(b->region);
    }
    b->addr = addr;
    if (addr != PCI_UNMAPPED) {
        region_add(b->type & PCI_BAR_IO ? d->bus->io : d->bus->mem, addr, b->region, 1);
    }
}

void pci_bars_update(struct pci_device *d)
{
    region_batch_begin();
    for (unsigned n = 0; n <= PCI_ROM_BAR; n++) {
        struct pci_bar *b = &d->bars[n];
        uint64_t addr = b->region ? bar_target(d, n) : PCI_UNMAPPED;

        if (b->region && addr != b->addr) {
            bar_move(d, b, addr);
        }
    }
    region_batch_end();
}

void pci_bar_remove(struct pci_device *d, unsigned n)
{
    struct pci_bar *b = &d->bars[n];

    if (b->region) {
        bar_move(d, b, PCI_UNMAPPED);
        b->region = NULL;
    }
}

void pci_bars_remove(struct pci_device *d)
{
    region_batch_begin();
    for (unsigned n = 0; n <= PCI_ROM_BAR; n++) {
        pci_bar_remove(d, n);
    }
    region_batch_end();
}
