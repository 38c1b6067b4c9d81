/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/pci/msix.c - MSI-X: a table of interrupt messages and an array of pending bits in memory space (PCI 3.0, 6.8.2)
 *
 *   table entry   0 address   4 upper address   8 data   C vector control (bit 0 mask, the rest reserved, reads 0)
 *   capability    +2 control: 10:0 entries - 1, 14 function mask, 15 enable   +4 table place   +8 place of pending bits
 *
 * Guests may access both only with aligned double or quad words (6.8.2). Of other accesses, undefined by the standard,
 * reads give the bytes that are there and writes are ignored. The pending bits are read-only. A quad word write is
 * stored whole before its effects, so a message is never sent from half an entry.
 *
 * Invariant: a pending bit is set only while its vector can not be sent: masked, or the function is, or is off, or may
 * not master the bus.
 */
#include "hw/pci/internal.h"
#include "hw/pci/msi.h"
#include "lib/bits.h"

enum {                                  /* Message Control, 6.8.2.3 */
    CTL_FUNCTION_MASK = 1 << 14, CTL_ENABLE = 1 << 15,
};

enum {                                  /* table entry, 6.8.2.6 to 6.8.2.9 */
    ENTRY_ADDR = 0, ENTRY_DATA = 8, ENTRY_CONTROL = 12, VECTOR_MASK = 1 << 0,
};

struct msix {
    struct pci_device *d;
    unsigned nvectors;
    uint8_t cap, bar;
    bool own_bar;                       /* bar_r is behind BAR .bar */
    bool enabled, function_mask;        /* as pci_msix_config_written() saw them last */
    uint32_t table_size, pba_size;
    uint8_t *table, *pba;               /* little-endian, as the guest reads them */
    struct region table_r, pba_r, bar_r;
};

/* ---- state ---- */

static uint16_t control(const struct pci_device *d)
{
    return ld_le16(d->config + d->msix->cap + 2);
}

bool msix_enabled(const struct pci_device *d)
{
    return d->msix && control(d) & CTL_ENABLE;
}

unsigned msix_vectors(const struct pci_device *d)
{
    return d->msix ? d->msix->nvectors : 0;
}

static bool entry_masked(const struct msix *x, unsigned v)
{
    return x->table[v * MSIX_ENTRY_SIZE + ENTRY_CONTROL] & VECTOR_MASK;
}

bool msix_vector_masked(const struct pci_device *d, unsigned v)
{
    return v >= msix_vectors(d) || (control(d) & (CTL_ENABLE | CTL_FUNCTION_MASK)) != CTL_ENABLE ||
           entry_masked(d->msix, v);
}

bool msix_pending(const struct pci_device *d, unsigned v)
{
    return v < msix_vectors(d) && d->msix->pba[v / 8] & BIT(v % 8);
}

void msix_clear_pending(struct pci_device *d, unsigned v)
{
    if (v < msix_vectors(d)) {
        d->msix->pba[v / 8] &= (uint8_t)~BIT(v % 8);
    }
}

bool msix_message(const struct pci_device *d, unsigned v, uint64_t *addr, uint32_t *data)
{
    const uint8_t *e;

    if (v >= msix_vectors(d)) {
        return false;
    }
    e = d->msix->table + v * MSIX_ENTRY_SIZE;
    *addr = ld_le64(e + ENTRY_ADDR);
    *data = ld_le32(e + ENTRY_DATA);
    return true;
}

uint8_t *pci_msix_table(struct pci_device *d, uint32_t *size)
{
    *size = d->msix ? d->msix->table_size : 0;
    return d->msix ? d->msix->table : NULL;
}

uint8_t *pci_msix_pba(struct pci_device *d, uint32_t *size)
{
    *size = d->msix ? d->msix->pba_size : 0;
    return d->msix ? d->msix->pba : NULL;
}

/* ---- the interrupt ---- */

static void send_vector(struct pci_device *d, unsigned v)
{
    uint64_t addr;
    uint32_t data;

    if (msix_message(d, v, &addr, &data)) {
        pci_msi_send(d, addr, data);
    }
}

void msix_notify(struct pci_device *d, unsigned v)
{
    if (!msix_enabled(d) || v >= d->msix->nvectors) {
        return;
    }
    if (msix_vector_masked(d, v)) {
        d->msix->pba[v / 8] |= (uint8_t)BIT(v % 8);
    } else {
        send_vector(d, v);
    }
}

static void send_if_pending(struct pci_device *d, unsigned v)
{
    if (msix_pending(d, v) && !msix_vector_masked(d, v) && d->dma.enabled) {
        msix_clear_pending(d, v);
        send_vector(d, v);
    }
}

static void send_all_pending(struct pci_device *d)
{
    const struct msix *x = d->msix;

    for (unsigned i = 0; i < x->pba_size; i += 8) {
        for (unsigned v = 8 * i; ld_le64(x->pba + i) && v < 8 * i + 64; v++) {
            send_if_pending(d, v);
        }
    }
}

void pci_msix_config_written(struct pci_device *d)
{
    struct msix *x = d->msix;
    bool enabled, function_mask;

    if (!x) {
        return;
    }
    enabled = control(d) & CTL_ENABLE;
    function_mask = control(d) & CTL_FUNCTION_MASK;
    if (enabled && !function_mask && d->dma.enabled) {
        send_all_pending(d);
    }
    if (enabled != x->enabled || function_mask != x->function_mask) {
        x->enabled = enabled;
        x->function_mask = function_mask;
        pci_irq_update(d);
        pci_msi_changed(d, -1);
    }
}

void pci_msix_reset(struct pci_device *d)
{
    struct msix *x = d->msix;

    if (!x) {
        return;
    }
    memset(x->table, 0, x->table_size);
    memset(x->pba, 0, x->pba_size);
    for (unsigned v = 0; v < x->nvectors; v++) {
        x->table[v * MSIX_ENTRY_SIZE + ENTRY_CONTROL] = VECTOR_MASK;
    }
}

/* ---- windows ---- */

static uint64_t bytes_read(const uint8_t *p, uint32_t len, uint64_t off, unsigned size)
{
    return off < len && size <= len - off ? ld_le_n(p + off, size) : 0;
}

static uint64_t table_read(void *opaque, uint64_t off, unsigned size)
{
    const struct msix *x = opaque;

    return bytes_read(x->table, x->table_size, off, size);
}

static void table_write(void *opaque, uint64_t off, uint64_t val, unsigned size)
{
    struct msix *x = opaque;
    unsigned v = (unsigned)(off / MSIX_ENTRY_SIZE);
    bool masked;

    if ((size != 4 && size != 8) || off % size || off >= x->table_size) {
        return;                         /* aligned and inside: then its end is inside too */
    }
    masked = entry_masked(x, v);
    for (unsigned i = 0; i < size; i += 4, val >>= 32) {
        bool ctl = (off + i) % MSIX_ENTRY_SIZE == ENTRY_CONTROL;

        st_le32(x->table + off + i, (uint32_t)val & (ctl ? VECTOR_MASK : ~0u));
    }
    if (entry_masked(x, v) != masked) {
        send_if_pending(x->d, v);
        pci_msi_changed(x->d, (int)v);
    }
}

static uint64_t pba_read(void *opaque, uint64_t off, unsigned size)
{
    const struct msix *x = opaque;

    return bytes_read(x->pba, x->pba_size, off, size);
}

static uint64_t gap_read(void *opaque, uint64_t off, unsigned size)
{
    return 0;
}

static void ignore_write(void *opaque, uint64_t off, uint64_t val, unsigned size)
{
}

static const struct region_ops table_ops = { table_read, table_write, 1, 8 };
static const struct region_ops pba_ops = { pba_read, ignore_write, 1, 8 };
static const struct region_ops gap_ops = { gap_read, ignore_write, 1, 8 };

/* ---- life ---- */

static bool place_ok(uint32_t off, uint32_t len, uint64_t bar_size)
{
    return off % 8 == 0 && off < bar_size && len <= bar_size - off;
}

/* Everything but the regions' place in the tree */
static bool setup(struct pci_device *d, unsigned nvectors, unsigned bar, uint32_t table_off, uint32_t pba_off,
                  uint64_t bar_size, unsigned cap_off, Error **errp)
{
    uint32_t table_size = nvectors * MSIX_ENTRY_SIZE, pba_size = (uint32_t)align_up(nvectors, 64) / 8;
    struct msix *x;
    unsigned cap;

    if (!nvectors || nvectors > MSIX_VECTORS_MAX) {
        error_setg(errp, "MSI-X: %u vectors: must be 1 to %u", nvectors, MSIX_VECTORS_MAX);
        return false;
    }
    if (d->msix) {
        error_setg(errp, "MSI-X: '%s' has it already", d->dev.type->name);
        return false;
    }
    if (bar >= PCI_BARS || !place_ok(table_off, table_size, bar_size) || !place_ok(pba_off, pba_size, bar_size) ||
        (table_off < (uint64_t)pba_off + pba_size && pba_off < (uint64_t)table_off + table_size)) {
        error_setg(errp, "MSI-X: table of %u vectors at 0x%x and pending bits at 0x%x do not fit into BAR %u", nvectors,
                   table_off, pba_off, bar);
        return false;
    }
    cap = pci_add_cap(d, PCI_CAP_MSIX, cap_off, 12);
    if (!cap) {
        error_setg(errp, "MSI-X: no room for the capability at 0x%x", cap_off);
        return false;
    }
    st_le16(d->config + cap + 2, (uint16_t)(nvectors - 1));
    st_le16(d->wmask + cap + 2, CTL_FUNCTION_MASK | CTL_ENABLE);
    st_le32(d->config + cap + 4, table_off | bar);
    st_le32(d->config + cap + 8, pba_off | bar);

    x = d->msix = g_new0(struct msix, 1);
    *x = (struct msix){ .d = d, .nvectors = nvectors, .cap = (uint8_t)cap, .bar = (uint8_t)bar,
                        .table_size = table_size, .pba_size = pba_size };
    x->table = g_malloc0(table_size);
    x->pba = g_malloc0(pba_size);
    pci_msix_reset(d);
    region_init_io(&x->table_r, "msix-table", table_size, &table_ops, x);
    region_init_io(&x->pba_r, "msix-pba", pba_size, &pba_ops, x);
    return true;
}

static void place(struct msix *x, struct region *bar_region, uint32_t table_off, uint32_t pba_off)
{
    region_batch_begin();
    region_add(bar_region, table_off, &x->table_r, 1);
    region_add(bar_region, pba_off, &x->pba_r, 1);
    region_batch_end();
}

bool msix_init(struct pci_device *d, unsigned nvectors, unsigned bar, uint32_t table_off, uint32_t pba_off,
               struct region *bar_region, unsigned cap_off, Error **errp)
{
    if (!setup(d, nvectors, bar, table_off, pba_off, bar_region->size, cap_off, errp)) {
        return false;
    }
    place(d->msix, bar_region, table_off, pba_off);
    return true;
}

bool msix_init_exclusive(struct pci_device *d, unsigned nvectors, unsigned bar, Error **errp)
{
    uint32_t half = 0x800;

    if (bar < PCI_BARS && d->bars[bar].region) {
        error_setg(errp, "MSI-X: BAR %u is in use", bar);
        return false;
    }
    while (nvectors <= MSIX_VECTORS_MAX && half < nvectors * MSIX_ENTRY_SIZE) {
        half *= 2;
    }
    if (!setup(d, nvectors, bar, 0, half, 2 * (uint64_t)half, 0, errp)) {
        return false;
    }
    region_init_io(&d->msix->bar_r, "msix", 2 * (uint64_t)half, &gap_ops, d->msix);
    place(d->msix, &d->msix->bar_r, 0, half);
    d->msix->own_bar = true;
    pci_bar(d, bar, PCI_BAR_MEM32, &d->msix->bar_r);
    return true;
}

void msix_fini(struct pci_device *d)
{
    struct msix *x = g_steal_pointer(&d->msix);

    if (!x) {
        return;
    }
    region_batch_begin();
    if (x->own_bar && d->bars[x->bar].region == &x->bar_r) {
        pci_bar_remove(d, x->bar);
    }
    region_fini(&x->pba_r);
    region_fini(&x->table_r);
    region_batch_end();
    g_free(x->pba);
    g_free(x->table);
    g_free(x);
}
