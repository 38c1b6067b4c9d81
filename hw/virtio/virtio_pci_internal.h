/* SPDX-License-Identifier: BSD-2-Clause */
/* hw/virtio/virtio_pci_internal.h - between the files of the PCI transport: registers as rows, the two interfaces */
#ifndef HW_VIRTIO_VIRTIO_PCI_INTERNAL_H
#define HW_VIRTIO_VIRTIO_PCI_INTERNAL_H

#include "hw/virtio/virtio_pci.h"

/*
 * A register of 1, 2 or 4 bytes. An access may cover several, or a part of one (4.1.3.1 forbids both, so drivers do
 * neither): each register it touches is read or written once, in ascending order, the bytes of a partial write merged
 * into what reading gives. No row: reads 0, writes are dropped.
 */
struct vreg {
    const char *name;
    uint16_t off;
    uint8_t size;
    uint32_t (*read)(struct virtio_pci *p);             /* NULL: 0 */
    void (*write)(struct virtio_pci *p, uint32_t val);  /* NULL: read-only */
};

uint32_t vregs_read(struct virtio_pci *p, const struct vreg *r, unsigned n, unsigned off, unsigned size);
void vregs_write(struct virtio_pci *p, const struct vreg *r, unsigned n, unsigned off, uint32_t val, unsigned size);

/* The queue that queue_select names; NULL: out of range */
static inline struct virtio_queue *selected(struct virtio_pci *p)
{
    return virtio_queue(p->vdev, p->queue_select);
}

/* 4.1.4.3: a vector that the device does not have becomes VIRTIO_NO_VECTOR */
static inline uint16_t vector_of(const struct virtio_pci *p, uint32_t val)
{
    return val < p->nvectors ? val : VIRTIO_NO_VECTOR;
}

/* virtio_pci.c: the status register of either interface */
void virtio_pci_set_status(struct virtio_pci *p, uint8_t status, bool legacy);
/* the line follows the ISR */
void virtio_pci_irq_update(struct virtio_pci *p);
/* the ISR is read and cleared */
uint32_t virtio_pci_isr_read(struct virtio_pci *p);

/* virtio_pci_legacy.c, virtio_pci_modern.c: BARs and capabilities; from plug */
void virtio_pci_legacy_init(struct virtio_pci *p);
bool virtio_pci_modern_init(struct virtio_pci *p, Error **errp);
/* virtio_pci_legacy.c: see there */
void virtio_pci_bus_master_quirk(struct virtio_pci *p);

#endif
