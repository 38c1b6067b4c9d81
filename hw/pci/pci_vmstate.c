/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/pci/pci_vmstate.c - what of a PCI function a guest can see: configuration space, its pin, MSI-X table
 *
 * Configuration space of a stream must agree with ours in every bit that neither guest nor device can change: ids, BAR
 * types and sizes, the list of capabilities. So a stream of another model, revision or layout is refused here, with
 * the offset, before the model's own section is looked at. Where BARs are mapped, whether the function may master the
 * bus and what its pin shows follows from the registers and is recomputed (pci_config_loaded()).
 */
#include "hw/pci/internal.h"
#include "hw/pci/msi.h"
#include "lib/bits.h"
#include "migration/vmstate.h"

/* ---- configuration space ---- */

static void config_save(const void *field, const struct vmstate_field *f, GByteArray *out)
{
    g_byte_array_append(out, ((const struct pci_device *)field)->config, PCI_CONFIG_SIZE);
}

static bool config_load(void *field, const struct vmstate_field *f, const uint8_t *buf, size_t len, Error **errp)
{
    struct pci_device *d = field;

    if (len != PCI_CONFIG_SIZE) {
        error_setg(errp, "%zu bytes, %u expected", len, PCI_CONFIG_SIZE);
        return false;
    }
    for (unsigned i = 0; i < PCI_CONFIG_SIZE; i++) {
        uint8_t wrong = (buf[i] ^ d->config[i]) & (uint8_t)~(d->wmask[i] | d->w1cmask[i] | d->hwmask[i]);

        if (wrong) {
            error_setg(errp, "byte 0x%02x is 0x%02x, here 0x%02x: bits 0x%02x never change", i, buf[i], d->config[i],
                       wrong);
            return false;
        }
    }
    memcpy(d->config, buf, PCI_CONFIG_SIZE);
    return true;
}

static const struct vmstate_codec config_codec = { config_save, config_load };

/* ---- MSI-X: table and pending bits (6.8.2) ---- */

static bool has_msix(const void *opaque)
{
    return ((const struct pci_device *)opaque)->msix != NULL;
}

static void table_save(const void *field, const struct vmstate_field *f, GByteArray *out)
{
    uint32_t size;
    const uint8_t *p = pci_msix_table((struct pci_device *)(uintptr_t)field, &size);

    g_byte_array_append(out, p, size);
}

static bool table_load(void *field, const struct vmstate_field *f, const uint8_t *buf, size_t len, Error **errp)
{
    uint32_t size;
    uint8_t *p = pci_msix_table(field, &size);

    if (!p || len != size) {
        error_setg(errp, "%zu bytes, this device has %u", len, p ? size : 0);
        return false;
    }
    for (size_t at = 12; at < len; at += MSIX_ENTRY_SIZE) {
        if (ld_le32(buf + at) & ~1u) {
            error_setg(errp, "vector %zu: control 0x%x has reserved bits", at / MSIX_ENTRY_SIZE, ld_le32(buf + at));
            return false;
        }
    }
    memcpy(p, buf, len);
    return true;
}

static void pending_save(const void *field, const struct vmstate_field *f, GByteArray *out)
{
    uint32_t size;
    const uint8_t *p = pci_msix_pba((struct pci_device *)(uintptr_t)field, &size);

    g_byte_array_append(out, p, size);
}

static bool pending_load(void *field, const struct vmstate_field *f, const uint8_t *buf, size_t len, Error **errp)
{
    uint32_t size;
    uint8_t *p = pci_msix_pba(field, &size);
    unsigned n = msix_vectors(field);

    if (!p || len != size) {
        error_setg(errp, "%zu bytes, this device has %u", len, p ? size : 0);
        return false;
    }
    for (size_t v = n; v < len * 8; v++) {
        if (buf[v / 8] & BIT(v % 8)) {
            error_setg(errp, "vector %zu is pending, this device has %u", v, n);
            return false;
        }
    }
    memcpy(p, buf, len);
    return true;
}

static const struct vmstate_codec table_codec = { table_save, table_load };
static const struct vmstate_codec pending_codec = { pending_save, pending_load };

static const struct vmstate vmstate_msix = {
    .name = "msix", .version = 1, .needed = has_msix,
    .fields = (const struct vmstate_field[]){
        VMS_WHOLE("table", table_codec, MSIX_VECTORS_MAX * MSIX_ENTRY_SIZE),
        VMS_WHOLE("pending", pending_codec, MSIX_VECTORS_MAX / 8),
        VMS_END,
    },
};

/* ---- the function ---- */

static bool pci_post_load(void *opaque, Error **errp)
{
    struct pci_device *d = opaque;
    bool level = d->irq_level;

    d->irq_level = false;
    d->config[PCI_STATUS] &= (uint8_t)~PCI_STATUS_INTX;
    pci_config_loaded(d);
    pci_set_irq(d, level);
    return true;
}

const struct vmstate vmstate_pci_device = {
    .name = "pci-device", .version = 1, .post_load = pci_post_load,
    .fields = (const struct vmstate_field[]){
        VMS_WHOLE("config", config_codec, PCI_CONFIG_SIZE),
        VMS(struct pci_device, irq_level),
        VMS_END,
    },
    .subsections = (const struct vmstate *const[]){ &vmstate_msix, NULL },
};
