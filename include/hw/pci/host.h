/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/pci/host.h - configuration mechanism #1 (PCI 3.0 section 3.2.2.3.2): ports 0xCF8 and 0xCFC
 */
#ifndef HW_PCI_HOST_H
#define HW_PCI_HOST_H

#include "hw/pci/pci.h"

/* Embedded in the board (or in a host bridge that decodes the ports itself). */
struct pci_host {
    struct pci_bus *bus;                /* root */
    uint32_t config_addr;               /* CONFIG_ADDRESS */
    struct region addr_io, data_io;
    /* byte accesses to 0xCF9, the south bridge's reset control register; NULL: nobody there. Set after pci_host_init() */
    uint8_t (*rcr_read)(void *opaque);
    void (*rcr_write)(void *opaque, uint8_t v);
    void *rcr_opaque;
};

/** pci_host_init() - ports 0xCF8..0xCFB (dword accesses only) and 0xCFC..0xCFF in @io */
void pci_host_init(struct pci_host *h, struct pci_bus *root, struct region *io);
void pci_host_fini(struct pci_host *h);
void pci_host_reset(struct pci_host *h);

#endif
