/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/virtio/virtio_pci_modern.c - the 1.x interface: capabilities, BAR4, the common configuration (VIRTIO 1.3, 4.1.4)
 *
 *   0x0000  common configuration: the table below               0x1000  ISR: reading clears
 *   0x2000  device configuration                                 0x3000  notifications: 4 bytes a queue, or a page
 *
 * 64-bit fields are two registers of 4 bytes (4.1.3.1). What belongs to a queue acts on the one that queue_select
 * names; out of range, all of that reads 0 and is not written.
 */
#include "virtio_pci_internal.h"

#include "lib/bytes.h"
#include "lib/log.h"

enum { NOTIFY_MULT = 4, PAGE = 0x1000, MODERN_BAR = 4, PIO_BAR = 2 };

/* ---- the common configuration ---- */

static uint32_t feature_half(uint64_t f, uint32_t sel)
{
    return sel < 2 ? f >> 32 * sel : 0;
}

/* Bits that only legacy drivers know are not shown here: 6.3 */
static uint32_t device_feature(struct virtio_pci *p)
{
    uint64_t hidden = 1ULL << VIRTIO_F_NOTIFY_ON_EMPTY | 1ULL << VIRTIO_F_ANY_LAYOUT;

    return feature_half(p->vdev->host_features & ~hidden, p->device_feature_select);
}

static uint32_t device_feature_select(struct virtio_pci *p) { return p->device_feature_select; }
static void device_feature_select_w(struct virtio_pci *p, uint32_t v) { p->device_feature_select = v; }
static uint32_t driver_feature_select(struct virtio_pci *p) { return p->driver_feature_select; }
static void driver_feature_select_w(struct virtio_pci *p, uint32_t v) { p->driver_feature_select = v; }

static uint32_t driver_feature(struct virtio_pci *p)
{
    return feature_half(p->vdev->driver_features, p->driver_feature_select);
}

static void driver_feature_w(struct virtio_pci *p, uint32_t v)
{
    virtio_set_features(p->vdev, p->driver_feature_select, v);
}

static uint32_t config_vector(struct virtio_pci *p) { return p->vdev->config_vector; }
static void config_vector_w(struct virtio_pci *p, uint32_t v) { p->vdev->config_vector = vector_of(p, v); }
static uint32_t num_queues(struct virtio_pci *p) { return p->vdev->nqueues; }
static uint32_t status(struct virtio_pci *p) { return p->vdev->status; }
static void status_w(struct virtio_pci *p, uint32_t v) { virtio_pci_set_status(p, v, false); }
static uint32_t generation(struct virtio_pci *p) { return p->vdev->generation; }
static uint32_t queue_select(struct virtio_pci *p) { return p->queue_select; }
static void queue_select_w(struct virtio_pci *p, uint32_t v) { p->queue_select = v; }

static uint32_t queue_size(struct virtio_pci *p)
{
    struct virtio_queue *q = selected(p);

    return q ? q->size : 0;
}

/* 4.1.4.3.2: not more than what was on offer, and for a split ring a power of two */
static void queue_size_w(struct virtio_pci *p, uint32_t v)
{
    struct virtio_queue *q = selected(p);

    if (!q || q->enabled) {
        return;
    }
    if (!v || v > q->size_max || (!is_pow2(v) && !virtio_has(p->vdev, VIRTIO_F_RING_PACKED))) {
        log_guest(LOG_GUEST_ERROR, "%s: queue %u: size %u refused", p->vdev->ops->name, p->queue_select, v);
        return;
    }
    q->size = v;
}

static uint32_t queue_vector(struct virtio_pci *p)
{
    struct virtio_queue *q = selected(p);

    return q ? q->vector : VIRTIO_NO_VECTOR;
}

static void queue_vector_w(struct virtio_pci *p, uint32_t v)
{
    struct virtio_queue *q = selected(p);

    if (q) {
        q->vector = vector_of(p, v);
    }
}

static uint32_t queue_enable(struct virtio_pci *p)
{
    struct virtio_queue *q = selected(p);

    return q && q->enabled;
}

static void queue_enable_w(struct virtio_pci *p, uint32_t v)
{
    struct virtio_queue *q = selected(p);

    if (q && v == 1 && !q->enabled) {               /* writing 0 is not allowed: 4.1.4.3.2 */
        virtio_queue_enable(q);
    }
}

static uint32_t queue_notify_off(struct virtio_pci *p)
{
    return selected(p) ? p->queue_select : 0;
}

static void queue_reset_w(struct virtio_pci *p, uint32_t v)     /* done when the write is: reads 0 */
{
    struct virtio_queue *q = selected(p);

    if (q && v == 1 && virtio_has(p->vdev, VIRTIO_F_RING_RESET)) {
        virtio_queue_reset(q);
    }
}

/* desc, driver and device addresses, a half each */
#define ADDRESS(name)                                                                                                  \
    static uint32_t queue_##name##_lo(struct virtio_pci *p)                                                            \
    {                                                                                                                  \
        return selected(p) ? (uint32_t)selected(p)->name : 0;                                                          \
    }                                                                                                                  \
    static uint32_t queue_##name##_hi(struct virtio_pci *p)                                                            \
    {                                                                                                                  \
        return selected(p) ? (uint32_t)(selected(p)->name >> 32) : 0;                                                  \
    }                                                                                                                  \
    static void queue_##name##_lo_w(struct virtio_pci *p, uint32_t v)                                                  \
    {                                                                                                                  \
        address_write(p, offsetof(struct virtio_queue, name), 0, v);                                                   \
    }                                                                                                                  \
    static void queue_##name##_hi_w(struct virtio_pci *p, uint32_t v)                                                  \
    {                                                                                                                  \
        address_write(p, offsetof(struct virtio_queue, name), 32, v);                                                  \
    }

static void address_write(struct virtio_pci *p, size_t field, unsigned lo, uint32_t v)
{
    struct virtio_queue *q = selected(p);

    if (q && !q->enabled) {
        uint64_t *a = (uint64_t *)(void *)((char *)q + field);

        *a = bits_put(*a, lo, 32, v);
    }
}

ADDRESS(desc)
ADDRESS(driver)
ADDRESS(device)

static const struct vreg common[] = {                                                           /* 4.1.4.3 */
    { "device_feature_select", 0x00, 4, device_feature_select, device_feature_select_w },
    { "device_feature",        0x04, 4, device_feature },
    { "driver_feature_select", 0x08, 4, driver_feature_select, driver_feature_select_w },
    { "driver_feature",        0x0C, 4, driver_feature, driver_feature_w },
    { "config_msix_vector",    0x10, 2, config_vector, config_vector_w },
    { "num_queues",            0x12, 2, num_queues },
    { "device_status",         0x14, 1, status, status_w },
    { "config_generation",     0x15, 1, generation },
    { "queue_select",          0x16, 2, queue_select, queue_select_w },
    { "queue_size",            0x18, 2, queue_size, queue_size_w },
    { "queue_msix_vector",     0x1A, 2, queue_vector, queue_vector_w },
    { "queue_enable",          0x1C, 2, queue_enable, queue_enable_w },
    { "queue_notify_off",      0x1E, 2, queue_notify_off },
    { "queue_desc_lo",         0x20, 4, queue_desc_lo, queue_desc_lo_w },
    { "queue_desc_hi",         0x24, 4, queue_desc_hi, queue_desc_hi_w },
    { "queue_driver_lo",       0x28, 4, queue_driver_lo, queue_driver_lo_w },
    { "queue_driver_hi",       0x2C, 4, queue_driver_hi, queue_driver_hi_w },
    { "queue_device_lo",       0x30, 4, queue_device_lo, queue_device_lo_w },
    { "queue_device_hi",       0x34, 4, queue_device_hi, queue_device_hi_w },
    { "queue_notif_config_data", 0x38, 2, queue_notify_off },
    { "queue_reset",           0x3A, 2, NULL, queue_reset_w },
};

/* ---- BAR4, BAR2 ---- */

static unsigned notify_mult(const struct virtio_pci *p)
{
    return p->page_per_vq ? PAGE : NOTIFY_MULT;
}

static uint64_t modern_read(void *opaque, uint64_t off, unsigned size)
{
    struct virtio_pci *p = opaque;
    uint8_t buf[8] = { 0 };

    switch (off & ~(uint64_t)(PAGE - 1)) {
    case VIRTIO_PCI_COMMON:
        return vregs_read(p, common, ARRAY_LEN(common), off, size);
    case VIRTIO_PCI_ISR:
        return off == VIRTIO_PCI_ISR ? virtio_pci_isr_read(p) : 0;
    case VIRTIO_PCI_DEVICE:
        virtio_config_load(p->vdev, off - VIRTIO_PCI_DEVICE, buf, size);
        return ld_le_n(buf, size);
    default:
        return 0;
    }
}

static void modern_write(void *opaque, uint64_t off, uint64_t val, unsigned size)
{
    struct virtio_pci *p = opaque;
    uint8_t buf[8];

    if (off >= VIRTIO_PCI_NOTIFY) {         /* the place says which queue; what is written, too */
        virtio_kick(p->vdev, (off - VIRTIO_PCI_NOTIFY) / notify_mult(p));
    } else if (off >= VIRTIO_PCI_DEVICE) {
        st_le_n(buf, val, size);
        virtio_config_store(p->vdev, off - VIRTIO_PCI_DEVICE, buf, size);
    } else if (off < VIRTIO_PCI_ISR) {
        vregs_write(p, common, ARRAY_LEN(common), off, val, size);
    }
}

/* A notification changes nothing but when the queue is looked at */
static bool modern_post(void *opaque, uint64_t off, uint64_t val, unsigned size)
{
    if (off < VIRTIO_PCI_NOTIFY) {
        return false;
    }
    modern_write(opaque, off, val, size);
    return true;
}

static uint64_t pio_read(void *opaque, uint64_t off, unsigned size)
{
    return 0;
}

/* The multiplier is 0 here: the low 16 bits written are the queue (4.1.5.2) */
static void pio_write(void *opaque, uint64_t off, uint64_t val, unsigned size)
{
    struct virtio_pci *p = opaque;

    if (off == 0 && size >= 2) {
        virtio_kick(p->vdev, val & 0xFFFF);
    }
}

static bool pio_post(void *opaque, uint64_t off, uint64_t val, unsigned size)
{
    pio_write(opaque, off, val, size);
    return true;
}

static const struct region_ops modern_ops = { modern_read, modern_write, 1, 4, modern_post };
static const struct region_ops pio_ops = { pio_read, pio_write, 1, 4, pio_post };

/* ---- capabilities, 4.1.4 ---- */

enum { CAP_VENDOR = 0x09, CAP_COMMON = 1, CAP_NOTIFY = 2, CAP_ISR = 3, CAP_DEVICE = 4, CAP_PCI = 5 };

struct cap_wire {
    uint8_t id, next, len, type, bar, cap_id, padding[2];
    le32 offset, length;
    le32 extra;                     /* CAP_NOTIFY: multiplier; CAP_PCI: data */
};
static_assert(sizeof(struct cap_wire) == 20, "guest-visible layout");

static unsigned add_cap(struct virtio_pci *p, uint8_t type, uint8_t bar, uint32_t offset, uint32_t length,
                        uint32_t mult)
{
    bool longer = type == CAP_NOTIFY || type == CAP_PCI;
    unsigned size = longer ? 20 : 16, off = pci_add_cap(&p->pci, CAP_VENDOR, 0, size);
    struct cap_wire w = { .len = size, .type = type, .bar = bar, .offset = le32_of(offset),
                          .length = le32_of(length), .extra = le32_of(mult) };

    if (off) {
        memcpy(p->pci.config + off + 2, &w.len, size - 2);      /* the first two bytes are the list's */
    }
    return off;
}

bool virtio_pci_modern_init(struct virtio_pci *p, Error **errp)
{
    uint32_t notify = MAX(p->vdev->nqueues * notify_mult(p), (unsigned)PAGE), size = 4 * PAGE;
    bool ok = true;

    while (size < VIRTIO_PCI_NOTIFY + notify) {
        size *= 2;
    }
    region_init_io(&p->modern, "virtio-pci-modern", size, &modern_ops, p);
    pci_bar(&p->pci, MODERN_BAR, PCI_BAR_MEM64 | PCI_BAR_PREFETCH, &p->modern);
    ok &= add_cap(p, CAP_COMMON, MODERN_BAR, VIRTIO_PCI_COMMON, PAGE, 0) != 0;
    ok &= add_cap(p, CAP_ISR, MODERN_BAR, VIRTIO_PCI_ISR, PAGE, 0) != 0;
    ok &= add_cap(p, CAP_DEVICE, MODERN_BAR, VIRTIO_PCI_DEVICE, PAGE, 0) != 0;
    if (p->modern_pio_notify) {             /* drivers take the first one that they can use */
        region_init_io(&p->pio, "virtio-pci-notify-pio", 4, &pio_ops, p);
        pci_bar(&p->pci, PIO_BAR, PCI_BAR_IO, &p->pio);
        ok &= add_cap(p, CAP_NOTIFY, PIO_BAR, 0, 4, 0) != 0;
    }
    ok &= add_cap(p, CAP_NOTIFY, MODERN_BAR, VIRTIO_PCI_NOTIFY, notify, notify_mult(p)) != 0;
    p->cfg_cap = add_cap(p, CAP_PCI, 0, 0, 0, 0);
    if (!ok || !p->cfg_cap) {
        error_setg(errp, "no room for virtio capabilities in configuration space");
        return false;
    }
    p->pci.wmask[p->cfg_cap + 4] = 0xFF;                        /* bar */
    memset(p->pci.wmask + p->cfg_cap + 8, 0xFF, 12);            /* offset, length, data */
    return true;
}
