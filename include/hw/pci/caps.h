/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/pci/caps.h - capabilities that many devices have in the same form: power management and PCI Express
 *
 * PCI Bus Power Management Interface Specification 1.2 (section numbers after "PM"), PCI Express Base Specification 3.0
 * ("PCIe"). Both are called from realize, need nothing undone, and their state is in configuration space.
 */
#ifndef HW_PCI_CAPS_H
#define HW_PCI_CAPS_H

#include "hw/pci/pci.h"

#define PCI_CAP_PM    0x01
#define PCI_CAP_PCIE  0x10

/* ---- power management ---- */

enum {                                  /* PMC, PM 3.2.3 */
    PCI_PM_VERSION_1_1 = 2,
    PCI_PM_VERSION_1_2 = 3,
    PCI_PM_DSI         = 1 << 5,        /* needs its driver to initialise it */
    PCI_PM_D1          = 1 << 9,
    PCI_PM_D2          = 1 << 10,
    PCI_PM_PME_D0      = 1 << 11,
    PCI_PM_PME_D1      = 1 << 12,
    PCI_PM_PME_D2      = 1 << 13,
    PCI_PM_PME_D3HOT   = 1 << 14,
    PCI_PM_PME_D3COLD  = 1 << 15,
};

enum {                                  /* PMCSR, PM 3.2.4 */
    PCI_PMCSR_STATE         = 3,
    PCI_PMCSR_NO_SOFT_RESET = 1 << 3,
    PCI_PMCSR_PME_EN        = 1 << 8,
    PCI_PMCSR_PME_STATUS    = 1 << 15,
};

/**
 * pci_add_pm() - the power management capability (8 bytes) at @off, or 0: after the last one
 * @pmc:    PCI_PM_VERSION_* and what the function supports
 * @pmcsr:  read-only bits of PMCSR: PCI_PMCSR_NO_SOFT_RESET or 0
 * A PowerState that @pmc does not list is not taken (PM 3.2.4). In D1, D2 and D3hot the function answers configuration
 * cycles only: its BARs are out of the tree, its DMA is off, INTx and messages are not sent (PM 5.4). From D3hot to D0
 * it keeps everything with NO_SOFT_RESET; without, it is reset (device_reset()), only PME_En and PME_Status stay. The
 * device's config_written hook sees each transition. Return: the offset, or 0 when there is no room.
 */
unsigned pci_add_pm(struct pci_device *d, unsigned off, uint16_t pmc, uint16_t pmcsr);
/** pci_power_state() - 0..3; 0 without the capability */
unsigned pci_power_state(const struct pci_device *d);

/* ---- PCI Express ---- */

enum pcie_flags {
    PCIE_FLR = 1 << 0,                  /* Function Level Reset: device_reset() when the guest asks for it */
};

/**
 * pcie_endpoint_cap() - the PCI Express capability of an endpoint at @off, or 0: after the last one
 * @version:  1 (20 bytes) or 2 (60 bytes), as the part has it
 * @flags:    enum pcie_flags
 * On a bus without links (the i440FX's, and a root complex's own) the type is Root Complex Integrated Endpoint and the
 * link registers are 0 (PCIe 7.8). Device Control is writable, without effect but for the reset. There are no
 * extended capabilities: configuration space has 256 bytes. Return: the offset, or 0 when there is no room.
 */
unsigned pcie_endpoint_cap(struct pci_device *d, unsigned off, unsigned version, unsigned flags);

#endif
