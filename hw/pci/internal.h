/* SPDX-License-Identifier: BSD-2-Clause */
/* hw/pci/internal.h - between the files of hw/pci */
#ifndef HW_PCI_INTERNAL_H
#define HW_PCI_INTERNAL_H

#include "hw/pci/pci.h"

/* bar.c: put every region where its register and COMMAND say; take all out */
void pci_bars_update(struct pci_device *d);
void pci_bars_remove(struct pci_device *d);
/* register of BAR @n (also PCI_ROM_BAR) */
unsigned pci_bar_reg(unsigned n);

/* rom.c */
bool pci_rom_load(struct pci_device *d, Error **errp);
void pci_rom_free(struct pci_device *d);

/* bus.c: find a place for the device and take it; leave it */
bool pci_bus_attach(struct pci_bus *b, struct pci_device *d, Error **errp);
void pci_bus_detach(struct pci_device *d);
/* pass irq_level on to the bus if INTx is not disabled */
void pci_irq_update(struct pci_device *d);

/* i440fx.c */
extern const struct device_type i440fx_type;

#endif
