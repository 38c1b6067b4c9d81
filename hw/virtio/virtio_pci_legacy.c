/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/virtio/virtio_pci_legacy.c - the legacy interface: one I/O BAR (VIRTIO 1.3, 4.1.4.10)
 *
 * Registers, then the device's configuration structure: from 24 on while MSI-X is enabled (its two vector registers are
 * at 20 and 22), from 20 on while it is not. A queue is one stretch of memory given by its page number; its size cannot
 * be changed, and page 0 takes it away. Features have 32 bits and there is no FEATURES_OK: they count at DRIVER_OK.
 */
#include "virtio_pci_internal.h"

#include "hw/pci/msi.h"
#include "lib/bytes.h"

enum { QUEUE_NOTIFY = 16, PAGE_SHIFT = 12, CONFIG = 20, CONFIG_MSIX = 24 };

/*
 * Linux before 2.6.34 never sets bus mastering on virtio devices, and they worked. A legacy driver that says DRIVER_OK
 * without it gets DMA all the same, until the reset.
 */
void virtio_pci_bus_master_quirk(struct virtio_pci *p)
{
    if (p->vdev->status & VIRTIO_S_DRIVER_OK && !p->pci.dma.enabled) {
        p->bus_master_quirk = true;
        p->pci.dma.enabled = p->was_master = true;
    }
}

static uint32_t host_features(struct virtio_pci *p) { return p->vdev->host_features; }
static uint32_t guest_features(struct virtio_pci *p) { return p->vdev->driver_features; }

static void guest_features_w(struct virtio_pci *p, uint32_t v)
{
    virtio_set_features(p->vdev, 0, v);
    virtio_set_features(p->vdev, 1, 0);
}

static uint32_t queue_pfn(struct virtio_pci *p)
{
    struct virtio_queue *q = selected(p);

    return q && q->legacy_pfn ? q->desc >> PAGE_SHIFT : 0;
}

static void queue_pfn_w(struct virtio_pci *p, uint32_t v)
{
    struct virtio_queue *q = selected(p);
    uint16_t vector;

    if (!q) {
        return;
    }
    vector = q->vector;
    virtio_queue_reset(q);
    q->vector = v ? vector : VIRTIO_NO_VECTOR;      /* Linux sets the vector before the page */
    if (v) {
        q->desc = (uint64_t)v << PAGE_SHIFT;
        q->legacy_pfn = true;
        virtio_queue_enable(q);
    }
}

static uint32_t queue_num(struct virtio_pci *p) { return selected(p) ? selected(p)->size_max : 0; }
static uint32_t queue_sel(struct virtio_pci *p) { return p->queue_select; }
static void queue_sel_w(struct virtio_pci *p, uint32_t v) { p->queue_select = v; }
static void queue_notify_w(struct virtio_pci *p, uint32_t v) { virtio_kick(p->vdev, v); }
static uint32_t status(struct virtio_pci *p) { return p->vdev->status; }

static void status_w(struct virtio_pci *p, uint32_t v)
{
    virtio_pci_set_status(p, v, true);
    virtio_pci_bus_master_quirk(p);
}

static uint32_t config_vector(struct virtio_pci *p) { return p->vdev->config_vector; }
static void config_vector_w(struct virtio_pci *p, uint32_t v) { p->vdev->config_vector = vector_of(p, v); }
static uint32_t queue_vector(struct virtio_pci *p) { return selected(p) ? selected(p)->vector : VIRTIO_NO_VECTOR; }

static void queue_vector_w(struct virtio_pci *p, uint32_t v)
{
    if (selected(p)) {
        selected(p)->vector = vector_of(p, v);
    }
}

static const struct vreg legacy[] = {                               /* 4.1.4.10 */
    { "device_features", 0,  4, host_features },
    { "driver_features", 4,  4, guest_features, guest_features_w },
    { "queue_address",   8,  4, queue_pfn, queue_pfn_w },
    { "queue_size",      12, 2, queue_num },
    { "queue_select",    14, 2, queue_sel, queue_sel_w },
    { "queue_notify",    QUEUE_NOTIFY, 2, NULL, queue_notify_w },
    { "device_status",   18, 1, status, status_w },
    { "isr_status",      19, 1, virtio_pci_isr_read },
    { "config_msix_vector", 20, 2, config_vector, config_vector_w },    /* rows from here on: with MSI-X only */
    { "queue_msix_vector",  22, 2, queue_vector, queue_vector_w },
};

enum { ROWS_PLAIN = 8 };

static unsigned config_at(const struct virtio_pci *p)
{
    return msix_enabled(&p->pci) ? CONFIG_MSIX : CONFIG;
}

static unsigned rows(const struct virtio_pci *p)
{
    return msix_enabled(&p->pci) ? ARRAY_LEN(legacy) : ROWS_PLAIN;
}

static uint64_t legacy_read(void *opaque, uint64_t off, unsigned size)
{
    struct virtio_pci *p = opaque;
    uint8_t buf[8];

    if (off < config_at(p)) {
        return vregs_read(p, legacy, rows(p), off, size);
    }
    virtio_config_load(p->vdev, off - config_at(p), buf, size);
    return ld_le_n(buf, size);
}

static void legacy_write(void *opaque, uint64_t off, uint64_t val, unsigned size)
{
    struct virtio_pci *p = opaque;
    uint8_t buf[8];

    if (off < config_at(p)) {
        vregs_write(p, legacy, rows(p), off, val, size);
        return;
    }
    st_le_n(buf, val, size);
    virtio_config_store(p->vdev, off - config_at(p), buf, size);
}

static bool legacy_post(void *opaque, uint64_t off, uint64_t val, unsigned size)
{
    if (off != QUEUE_NOTIFY || size != 2) {
        return false;
    }
    queue_notify_w(opaque, (uint32_t)val);
    return true;
}

static const struct region_ops legacy_ops = { legacy_read, legacy_write, 1, 4, legacy_post };

void virtio_pci_legacy_init(struct virtio_pci *p)
{
    uint32_t size = 32;

    while (size < CONFIG_MSIX + (uint32_t)p->vdev->config_len) {
        size *= 2;
    }
    region_init_io(&p->legacy, "virtio-pci-legacy", size, &legacy_ops, p);
    pci_bar(&p->pci, 0, PCI_BAR_IO, &p->legacy);
}
