/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/pci/msi.c - MSI: interrupt messages described in configuration space (PCI 3.0 section 6.8.1), and sending them
 *
 *   capability          32-bit address   64-bit
 *   Message Control          +2             +2      0 enable, 3:1 capable, 6:4 enabled count, 7 64-bit, 8 mask bits
 *   Message Address          +4             +4      bits 1:0 are zero
 *   Upper Address                           +8
 *   Message Data             +8             +C      16 bits; the low log2(count) are replaced by the vector
 *   Mask, Pending         +C, +10       +10, +14    with per-vector masking only
 *
 * All state is in d->config, changed under wmask, so configuration reads need no code here. struct msi only remembers
 * what was seen last, to tell a change. A message held back by a mask goes out in pci_msi_config_written(), which runs
 * after every configuration write: it also sees COMMAND.MASTER coming on.
 */
#include "hw/pci/internal.h"
#include "hw/pci/msi.h"
#include "lib/bits.h"

enum {                                  /* Message Control, 6.8.1.3 */
    CTL_ENABLE = 1 << 0, CTL_MME = 7 << 4, CTL_64BIT = 1 << 7, CTL_MASKS = 1 << 8,
};

struct msi {
    uint8_t cap;                        /* offset of the capability */
    uint8_t log2_vectors;
    bool is64, masks;
    bool enabled;                       /* as pci_msi_config_written() saw them last */
    uint32_t mask;
};

/* ---- sending, for MSI-X too (6.8.3.4) ---- */

bool pci_msi_send(struct pci_device *d, uint64_t addr, uint32_t data)
{
    uint8_t wire[4];
    bool ok = false;

    st_le32(wire, data);
    if (d->bus && d->dma.enabled) {
        ok = (d->bus->ops->msi && d->bus->ops->msi(d->bus->opaque, d, addr, data)) ||
             dma_write(&d->dma, addr, wire, sizeof(wire));
    }
    d->msi_sent += ok;
    d->msi_lost += !ok;
    return ok;
}

void pci_msi_changed(struct pci_device *d, int vector)
{
    if (d->info->msi_changed) {
        d->info->msi_changed(d, vector);
    }
}

/* ---- fields ---- */

static uint16_t control(const struct pci_device *d)
{
    return ld_le16(d->config + d->msi->cap + 2);
}

static unsigned data_off(const struct msi *m)
{
    return m->cap + (m->is64 ? 0xC : 8);
}

static unsigned mask_off(const struct msi *m)
{
    return m->cap + (m->is64 ? 0x10 : 0xC);
}

static unsigned pending_off(const struct msi *m)
{
    return mask_off(m) + 4;
}

static uint32_t mask_get(const struct pci_device *d)
{
    return d->msi->masks ? ld_le32(d->config + mask_off(d->msi)) : 0;
}

static uint32_t pending_get(const struct pci_device *d)
{
    return d->msi->masks ? ld_le32(d->config + pending_off(d->msi)) : 0;
}

static void pending_put(struct pci_device *d, uint32_t v)
{
    st_le32(d->config + pending_off(d->msi), v);
}

bool msi_enabled(const struct pci_device *d)
{
    return d->msi && control(d) & CTL_ENABLE;
}

/* Encodings 6 and 7 are reserved, and a guest may ask for more than was offered: both get what there is (6.8.1.3). */
unsigned msi_vectors(const struct pci_device *d)
{
    return msi_enabled(d) ? 1u << MIN(bits_get(control(d), 4, 3), d->msi->log2_vectors) : 0;
}

/* ---- the interrupt ---- */

static void send_vector(struct pci_device *d, unsigned vector)
{
    const struct msi *m = d->msi;
    uint64_t addr = ld_le32(d->config + m->cap + 4);
    uint32_t data = ld_le16(d->config + data_off(m));

    if (m->is64) {
        addr |= (uint64_t)ld_le32(d->config + m->cap + 8) << 32;
    }
    pci_msi_send(d, addr, (data & ~(msi_vectors(d) - 1)) | vector);
}

void msi_notify(struct pci_device *d, unsigned vector)
{
    if (!msi_enabled(d)) {
        return;
    }
    vector &= msi_vectors(d) - 1;
    if (mask_get(d) & BIT(vector)) {
        pending_put(d, pending_get(d) | (uint32_t)BIT(vector));
    } else {
        send_vector(d, vector);
    }
}

static void send_pending(struct pci_device *d)
{
    uint32_t ready;

    if (!msi_enabled(d) || !d->dma.enabled) {
        return;
    }
    ready = pending_get(d) & ~mask_get(d) & (uint32_t)bits_mask(msi_vectors(d));
    if (!ready) {
        return;
    }
    pending_put(d, pending_get(d) & ~ready);
    for (unsigned v = 0; v < MSI_VECTORS_MAX; v++) {
        if (ready & BIT(v)) {
            send_vector(d, v);
        }
    }
}

void pci_msi_config_written(struct pci_device *d)
{
    struct msi *m = d->msi;
    uint32_t changed;

    if (!m) {
        return;
    }
    changed = mask_get(d) ^ m->mask;
    m->mask = mask_get(d);
    send_pending(d);
    if (msi_enabled(d) != m->enabled) {
        m->enabled = !m->enabled;
        pci_irq_update(d);
        pci_msi_changed(d, -1);
    }
    for (unsigned v = 0; changed && v < MSI_VECTORS_MAX; v++) {
        if (changed & BIT(v)) {
            pci_msi_changed(d, (int)v);
        }
    }
}

/* Pending bits are read-only, so the reset of writable bits leaves them. */
void pci_msi_reset(struct pci_device *d)
{
    if (d->msi && d->msi->masks) {
        pending_put(d, 0);
    }
}

/* ---- life ---- */

bool msi_init(struct pci_device *d, unsigned cap_off, unsigned nvectors, bool is64, bool per_vector_mask,
              Error **errp)
{
    struct msi *m;
    unsigned cap;

    if (!is_pow2(nvectors) || nvectors > MSI_VECTORS_MAX) {
        error_setg(errp, "MSI: %u vectors: must be 1, 2, 4, 8, 16 or 32", nvectors);
        return false;
    }
    if (d->msi) {
        error_setg(errp, "MSI: '%s' has it already", d->dev.type->name);
        return false;
    }
    cap = pci_add_cap(d, PCI_CAP_MSI, cap_off, (is64 ? 0xE : 0xA) + (per_vector_mask ? 0xA : 0));
    if (!cap) {
        error_setg(errp, "MSI: no room for the capability at 0x%x", cap_off);
        return false;
    }
    m = d->msi = g_new0(struct msi, 1);
    *m = (struct msi){ .cap = (uint8_t)cap, .is64 = is64, .masks = per_vector_mask };
    m->log2_vectors = (uint8_t)__builtin_ctz(nvectors);
    st_le16(d->config + cap + 2, m->log2_vectors << 1 | (is64 ? CTL_64BIT : 0) | (per_vector_mask ? CTL_MASKS : 0));
    st_le16(d->wmask + cap + 2, CTL_ENABLE | CTL_MME);
    st_le32(d->wmask + cap + 4, 0xFFFFFFFC);
    if (is64) {
        st_le32(d->wmask + cap + 8, 0xFFFFFFFF);
    }
    st_le16(d->wmask + data_off(m), 0xFFFF);
    if (per_vector_mask) {
        st_le32(d->wmask + mask_off(m), (uint32_t)bits_mask(nvectors));
        st_le32(d->hwmask + pending_off(m), (uint32_t)bits_mask(nvectors));
    }
    return true;
}

void msi_fini(struct pci_device *d)
{
    g_clear_pointer(&d->msi, g_free);
}
