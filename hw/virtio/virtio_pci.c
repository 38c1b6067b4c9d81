/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/virtio/virtio_pci.c - the PCI transport: properties, ids, interrupts, the window in configuration space
 *
 * Two interfaces lead to one device (virtio_pci_modern.c, virtio_pci_legacy.c). Which one wrote the status last says
 * what kind of driver it is. Interrupts are MSI-X messages while the guest has MSI-X enabled, each queue and the
 * configuration with the vector it was given; otherwise bits in the ISR, and the INTx line while any of them is set.
 *
 * VIRTIO_PCI_CAP_PCI_CFG (4.1.4.9) is a window for firmware that cannot reach a BAR above 4 GiB: offset and length are
 * written to configuration space, then an access to its data register is an access to the BAR.
 */
#include "virtio_pci_internal.h"

#include "hw/pci/msi.h"
#include "lib/bytes.h"
#include "migration/vmstate.h"

/* ---- registers ---- */

static uint32_t reg_value(struct virtio_pci *p, const struct vreg *r)
{
    return r->read ? r->read(p) & bits_mask(8 * r->size) : 0;
}

static bool touched(const struct vreg *r, unsigned off, unsigned size)
{
    return off < r->off + r->size && r->off < off + size;
}

uint32_t vregs_read(struct virtio_pci *p, const struct vreg *r, unsigned n, unsigned off, unsigned size)
{
    uint32_t val = 0;

    for (unsigned i = 0; i < n; i++) {
        if (touched(&r[i], off, size)) {
            uint32_t v = reg_value(p, &r[i]);

            val |= r[i].off >= off ? v << 8 * (r[i].off - off) : v >> 8 * (off - r[i].off);
        }
    }
    return val & bits_mask(8 * size);
}

void vregs_write(struct virtio_pci *p, const struct vreg *r, unsigned n, unsigned off, uint32_t val, unsigned size)
{
    for (unsigned i = 0; i < n; i++) {
        unsigned lo, hi;
        uint64_t v;

        if (!touched(&r[i], off, size) || !r[i].write) {
            continue;
        }
        lo = MAX(off, r[i].off) - r[i].off;             /* bytes of the register that are written */
        hi = MIN(off + size, r[i].off + r[i].size) - r[i].off;
        v = r[i].off >= off ? val >> 8 * (r[i].off - off) : (uint64_t)val << 8 * (off - r[i].off);
        if (hi - lo < r[i].size) {
            v = bits_put(reg_value(p, &r[i]), 8 * lo, 8 * (hi - lo), bits_get(v, 8 * lo, 8 * (hi - lo)));
        }
        r[i].write(p, v & bits_mask(8 * r[i].size));
    }
}

/* ---- interrupts ---- */

void virtio_pci_irq_update(struct virtio_pci *p)
{
    pci_set_irq(&p->pci, p->vdev && p->vdev->isr);
}

uint32_t virtio_pci_isr_read(struct virtio_pci *p)
{
    uint8_t isr = virtio_isr_read(p->vdev);

    virtio_pci_irq_update(p);
    return isr;
}

static void interrupt(void *transport, uint16_t vector, uint8_t isr_bits)
{
    struct virtio_pci *p = transport;

    if (msix_enabled(&p->pci)) {
        if (vector != VIRTIO_NO_VECTOR) {
            msix_notify(&p->pci, vector);
        }
        return;
    }
    p->vdev->isr |= isr_bits;
    virtio_pci_irq_update(p);
}

static bool legacy_driver(void *transport)
{
    return ((struct virtio_pci *)transport)->legacy_driver;
}

static const struct virtio_transport_ops transport_ops = { interrupt, legacy_driver };

/* ---- status, reset ---- */

static void transport_reset(struct virtio_pci *p)
{
    p->device_feature_select = p->driver_feature_select = 0;
    p->queue_select = 0;
    p->legacy_driver = p->bus_master_quirk = false;
}

void virtio_pci_set_status(struct virtio_pci *p, uint8_t status, bool legacy)
{
    p->legacy_driver = legacy;
    if (!status) {
        transport_reset(p);
    }
    virtio_set_status(p->vdev, status);
    if (!status) {                      /* the quirk may have held DMA on */
        p->pci.dma.enabled = p->pci.dma.enabled && pci_command(&p->pci) & PCI_COMMAND_MASTER;
    }
    virtio_pci_irq_update(p);
}

static void virtio_pci_reset(struct device *dev)
{
    struct virtio_pci *p = (struct virtio_pci *)dev;

    if (p->vdev) {
        transport_reset(p);
        virtio_reset(p->vdev);
        virtio_pci_irq_update(p);
    }
}

/* ---- configuration space ---- */

enum { CFG_BAR = 4, CFG_OFFSET = 8, CFG_LENGTH = 12, CFG_DATA = 16, CFG_SIZE = 20 };

static bool covers_data(const struct virtio_pci *p, unsigned off, unsigned len)
{
    return p->cfg_cap && off < p->cfg_cap + CFG_DATA + 4u && p->cfg_cap + (unsigned)CFG_DATA < off + len;
}

/* What the window shows now; NULL: nothing, or the driver has set it up wrongly */
static struct region *window(struct virtio_pci *p, uint32_t *off, uint32_t *len)
{
    const uint8_t *cap = p->pci.config + p->cfg_cap;
    struct region *r = p->pci.bars[MIN(cap[CFG_BAR], PCI_BARS)].region;

    *off = ld_le32(cap + CFG_OFFSET);
    *len = ld_le32(cap + CFG_LENGTH);
    if ((r != &p->modern && r != &p->legacy && r != &p->pio) || (*len != 1 && *len != 2 && *len != 4) ||
        *off % *len || *off > r->size - *len) {
        return NULL;
    }
    return r;
}

void virtio_pci_config_reading(struct pci_device *d, unsigned off, unsigned len)
{
    struct virtio_pci *p = (struct virtio_pci *)d;
    uint32_t woff, wlen;
    struct region *r;

    if (p->vdev && covers_data(p, off, len)) {
        r = window(p, &woff, &wlen);
        if (r) {
            st_le32(d->config + p->cfg_cap + CFG_DATA, region_io_read(r, woff, wlen));
        }
    }
}

void virtio_pci_config_written(struct pci_device *d, unsigned off, unsigned len)
{
    struct virtio_pci *p = (struct virtio_pci *)d;
    bool whole = len == PCI_CONFIG_SIZE;            /* a reset */
    uint32_t woff, wlen;
    struct region *r;

    if (!p->vdev) {
        return;
    }
    if (whole) {
        p->bus_master_quirk = false;
    } else if (p->bus_master_quirk) {
        d->dma.enabled = true;
    }
    if (d->dma.enabled && !p->was_master) {         /* notifications that came meanwhile found nothing */
        for (unsigned i = 0; i < p->vdev->nqueues; i++) {
            if (p->vdev->queues[i].started) {
                virtio_queue_schedule(&p->vdev->queues[i]);
            }
        }
    }
    p->was_master = d->dma.enabled;
    if (!whole && covers_data(p, off, len)) {
        r = window(p, &woff, &wlen);
        if (r) {
            region_io_write(r, woff, ld_le32(d->config + p->cfg_cap + CFG_DATA), wlen);
        }
    }
}

/* ---- life ---- */

/* Which interfaces; properties decide for the generic variant only */
static bool choose_interfaces(struct virtio_pci *p, Error **errp)
{
    const struct virtio_pci_class *c = container_of(p->pci.info, struct virtio_pci_class, pci);

    p->has_modern = c->variant != VIRTIO_PCI_GENERIC || !p->disable_modern;
    p->has_legacy = c->variant == VIRTIO_PCI_TRANSITIONAL ||
                    (c->variant == VIRTIO_PCI_GENERIC && p->disable_legacy != OOA_ON);
    p->has_legacy = p->has_legacy && c->pci.device;
    if (!p->has_legacy && !p->has_modern) {
        error_setg(errp, "device cannot work as neither modern nor legacy mode is enabled");
        error_hint(errp, "Set either disable-modern or disable-legacy to off\n");
        return false;
    }
    if (p->has_legacy && p->conf.iommu_platform) {
        error_setg(errp, "VIRTIO_F_IOMMU_PLATFORM was supported by neither legacy nor transitional device");
        return false;
    }
    return true;
}

/* 4.1.2.1, 4.1.2.3 */
static void set_ids(struct virtio_pci *p)
{
    uint8_t *c = p->pci.config;

    if (p->has_legacy) {
        st_le16(c + PCI_SUBSYSTEM_VENDOR_ID, VIRTIO_PCI_VENDOR);
        st_le16(c + PCI_SUBSYSTEM_ID, p->vdev->ops->id);
    } else {
        st_le16(c + PCI_DEVICE_ID, VIRTIO_PCI_MODERN_ID + p->vdev->ops->id);
        c[PCI_REVISION_ID] = 1;
    }
}

bool virtio_pci_plug(struct virtio_pci *p, struct virtio_device *v, unsigned vectors, Error **errp)
{
    uint64_t version_1 = 1ULL << VIRTIO_F_VERSION_1;
    uint64_t legacy_only = 1ULL << VIRTIO_F_NOTIFY_ON_EMPTY | 1ULL << VIRTIO_F_ANY_LAYOUT;

    p->vdev = v;
    p->cfg_cap = 0;
    transport_reset(p);
    if (!choose_interfaces(p, errp)) {
        return false;
    }
    set_ids(p);
    p->nvectors = p->vectors = p->vectors == UINT32_MAX ? vectors : p->vectors;
    if (p->nvectors && !msix_init_exclusive(&p->pci, p->nvectors, 1, errp)) {
        return false;
    }
    if (p->has_legacy) {
        virtio_pci_legacy_init(p);
    }
    if (p->has_modern && !virtio_pci_modern_init(p, errp)) {
        return false;
    }
    virtio_plug(v, &transport_ops, p, p->has_modern ? version_1 : 0, p->has_legacy ? 0 : legacy_only);
    virtio_reset(v);
    return true;
}

void virtio_pci_unplug(struct virtio_pci *p)
{
    msix_fini(&p->pci);
    if (p->vdev) {
        p->vdev->transport = NULL;
    }
    p->vdev = NULL;
}

static void virtio_pci_describe(struct device *dev, GString *out, unsigned indent)
{
    struct virtio_pci *p = (struct virtio_pci *)dev;

    if (p->vdev) {
        virtio_print_status(p->vdev, out, indent);
    }
}

/* ---- migration ---- */

/* The section of pci-device came before: configuration space and MSI-X are there */
static bool post_load(void *opaque, Error **errp)
{
    struct virtio_pci *p = opaque;
    const struct virtio_device *v = p->vdev;

    for (unsigned i = 0; i <= v->nqueues; i++) {
        uint16_t vector = i < v->nqueues ? v->queues[i].vector : v->config_vector;

        if (vector != vector_of(p, vector)) {
            error_setg(errp, "vector %u, this device has %u", vector, p->nvectors);
            return false;
        }
    }
    if (p->bus_master_quirk) {
        p->pci.dma.enabled = true;
    }
    p->was_master = p->pci.dma.enabled;
    virtio_pci_irq_update(p);
    return true;
}

static const struct vmstate vmstate_virtio_pci = {
    .name = "virtio-pci", .version = 1, .post_load = post_load,
    .fields = (const struct vmstate_field[]){
        VMS(struct virtio_pci, device_feature_select),
        VMS(struct virtio_pci, driver_feature_select),
        VMS(struct virtio_pci, queue_select),
        VMS(struct virtio_pci, legacy_driver),
        VMS(struct virtio_pci, bus_master_quirk),
        { .name = "device", .offset = offsetof(struct virtio_pci, vdev), .size = sizeof(struct virtio_device), .num = 1,
          .kind = VMS_SECTION, .flags = VMF_POINTER, .vmsd = &vmstate_virtio },
        VMS_END,
    },
};

/* ---- properties ---- */

static const char *const ooa_names[] = { [OOA_AUTO] = "auto", [OOA_ON] = "on", [OOA_OFF] = "off" };

static bool ooa_set(struct device *d, const struct property *p, void *field, const char *value, Error **errp)
{
    for (unsigned i = 0; i < ARRAY_LEN(ooa_names); i++) {
        if (strcmp(value, ooa_names[i]) == 0) {
            *(uint8_t *)field = i;
            return true;
        }
    }
    prop_error_value(errp, d, p, value);
    return false;
}

static char *ooa_get(struct device *d, const struct property *p, const void *field)
{
    return g_strdup(ooa_names[MIN(*(const uint8_t *)field, OOA_OFF)]);
}

const struct prop_kind prop_on_off_auto = { .name = "OnOffAuto", .set = ooa_set, .get = ooa_get };

#define P(f) offsetof(struct virtio_pci, f)
static const struct property props[] = {
    { "vectors", &prop_uint32, P(vectors), "4294967295" },
    { "ioeventfd", &prop_bool, P(ioeventfd), "on", "on/off" },
    { "modern-pio-notify", &prop_bool, P(modern_pio_notify), "off", "on/off" },
    { "page-per-vq", &prop_bool, P(page_per_vq), "off", "on/off" },
    { "ats", &prop_bool, P(ats), "off", "on/off" },
    { "aer", &prop_bool, P(aer), "off", "on/off" },
    { "virtio-pci-bus-master-bug-migration", &prop_bool, P(bus_master_bug), "off", "on/off" },
    { "x-ats-page-aligned", &prop_bool, P(ats_page_aligned), "on", "on/off" },
    VIRTIO_CONF_PROPS(struct virtio_pci, conf),
    { NULL },
};
#undef P

const struct device_type virtio_pci_type = {
    .name = "virtio-pci",
    .bus = "PCI",
    .parent = &pci_device_type,
    .size = sizeof(struct virtio_pci),
    .props = props,
    .category = DEVICE_CAT_MISC,
    .abstract = true,
    .reset = virtio_pci_reset,
    .describe = virtio_pci_describe,
    .vmsd = &vmstate_virtio_pci,
};
