/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/virtio/virtio_pci.h - virtio over PCI: the 1.x interface by capabilities and the legacy I/O BAR (VIRTIO 1.3, 4.1)
 *
 *     struct virtio_foo_pci { struct virtio_pci vp; struct virtio_foo foo; };              foo embeds its virtio_device
 *
 *     static const struct virtio_pci_class foo_class =
 *         VIRTIO_PCI_CLASS(PCI_CLASS_ETHERNET, 0x1000, VIRTIO_PCI_GENERIC);
 *     device_type:  .parent = &virtio_pci_type, .cls = &foo_class.pci, .size, .realize, .unrealize, .props
 *                   props of the generic variant: ..., VIRTIO_PCI_VARIANT_PROPS(struct virtio_foo_pci, vp), { NULL }
 *     realize:      virtio_init(&foo->vdev, &foo_ops, &vp->conf, len, nqueues, &vp->pci.dma); set sizes;
 *                   return virtio_pci_plug(vp, &foo->vdev, default_vectors, errp);
 *     unrealize:    virtio_pci_unplug(vp); virtio_fini(&foo->vdev);      (the parent's unrealize comes by itself)
 *     reset:        the parent's, which calls virtio_reset(): a device needs none of its own
 *
 * Three variants of each device: generic (properties disable-legacy and disable-modern decide; on a conventional bus
 * both interfaces are there), transitional (both) and non-transitional (1.x only).
 *
 *   BAR0  I/O     legacy registers and configuration structure: 32 bytes or more       (not when legacy is off)
 *   BAR1  mem     MSI-X table and pending bits, 4 KiB                                  (not with vectors=0)
 *   BAR2  I/O     4 bytes, notifications                                               (modern-pio-notify=on)
 *   BAR4  mem64p  16 KiB: common 0x0000, ISR 0x1000, device configuration 0x2000, notifications 0x3000
 *                 (page-per-vq=on: a page a queue from 0x3000 on, the BAR grows)       (not when modern is off)
 */
#ifndef HW_VIRTIO_VIRTIO_PCI_H
#define HW_VIRTIO_VIRTIO_PCI_H

#include "hw/pci/pci.h"
#include "hw/virtio/virtio.h"

enum { VIRTIO_PCI_VENDOR = 0x1AF4, VIRTIO_PCI_MODERN_ID = 0x1040 };

enum virtio_pci_variant { VIRTIO_PCI_GENERIC, VIRTIO_PCI_TRANSITIONAL, VIRTIO_PCI_NON_TRANSITIONAL };

enum on_off_auto { OOA_AUTO, OOA_ON, OOA_OFF };
/** prop_on_off_auto - uint8_t, enum on_off_auto: "auto", "on", "off" */
extern const struct prop_kind prop_on_off_auto;

struct virtio_pci_class {
    struct pci_class_info pci;          /* first; .cls points here. .device: transitional id, 0: no legacy interface */
    enum virtio_pci_variant variant;
};

void virtio_pci_config_written(struct pci_device *d, unsigned off, unsigned len);
void virtio_pci_config_reading(struct pci_device *d, unsigned off, unsigned len);

#define VIRTIO_PCI_CLASS(class_code, transitional_id, which)                                                           \
    {                                                                                                                  \
        .pci = { .vendor = VIRTIO_PCI_VENDOR, .device = (transitional_id), .class = (class_code), .pin = 1,            \
                 .config_written = virtio_pci_config_written,                                                          \
                 .config_reading = virtio_pci_config_reading },                                                        \
        .variant = (which)                                                                                             \
    }

/* Pages of BAR4 */
enum { VIRTIO_PCI_COMMON = 0x0000, VIRTIO_PCI_ISR = 0x1000, VIRTIO_PCI_DEVICE = 0x2000, VIRTIO_PCI_NOTIFY = 0x3000 };

struct virtio_pci {
    struct pci_device pci;              /* first member */
    struct virtio_device *vdev;         /* from plug to unplug */
    struct virtio_conf conf;
    struct region legacy, modern, pio;
    bool has_legacy, has_modern;
    uint32_t nvectors;                  /* MSI-X; 0: none */
    uint8_t cfg_cap;                    /* offset of the configuration access capability (4.1.4.9), 0: none */

    /* guest-visible state */
    uint32_t device_feature_select, driver_feature_select;
    uint16_t queue_select;
    bool legacy_driver;                 /* status was last written through the legacy interface */
    bool bus_master_quirk;              /* legacy driver that never set bus mastering: see virtio_pci_legacy.c */
    bool was_master;                    /* DMA was possible when configuration space was last written */

    /* properties */
    uint8_t disable_legacy;             /* enum on_off_auto */
    bool disable_modern;
    uint32_t vectors;                   /* UINT32_MAX: the device's default */
    bool ioeventfd, modern_pio_notify, page_per_vq, ats, aer, bus_master_bug, ats_page_aligned;
};

/** virtio_pci_type - abstract parent, derived from pci_device_type; has the properties of ring format and transport */
extern const struct device_type virtio_pci_type;

#define VIRTIO_PCI_VARIANT_PROPS(type, f)                                                                              \
    { "disable-legacy", &prop_on_off_auto, offsetof(type, f.disable_legacy), "auto", "on/off/auto", 0 },               \
    { "disable-modern", &prop_bool, offsetof(type, f.disable_modern), "off", NULL, 0 }

/**
 * virtio_pci_plug() - ids, BARs, capabilities, MSI-X for @v, which virtio_init() has set up; from realize
 * @vectors: default number of MSI-X vectors (the vectors= property overrides it)
 * Errors: both interfaces switched off; iommu_platform with a legacy interface; too many vectors
 */
bool virtio_pci_plug(struct virtio_pci *p, struct virtio_device *v, unsigned vectors, Error **errp);
/** virtio_pci_unplug() - also after a failed plug, or none; the caller then calls virtio_fini() */
void virtio_pci_unplug(struct virtio_pci *p);

#endif
