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

/* bar.c: take BAR @n out for good */
void pci_bar_remove(struct pci_device *d, unsigned n);

/* msi.c, msix.c: configuration space may have changed (sends what a mask held back); function reset */
void pci_msi_config_written(struct pci_device *d);
void pci_msix_config_written(struct pci_device *d);
void pci_msi_reset(struct pci_device *d);
void pci_msix_reset(struct pci_device *d);
/* msi.c: send a message now; false: bus mastering is off, or the function sleeps */
bool pci_msi_send(struct pci_device *d, uint64_t addr, uint32_t data);
void pci_msi_changed(struct pci_device *d, int vector);

/* pm.c, pcie.c: as above. True: the device was reset by this write, there is nothing left to do. */
bool pci_pm_config_written(struct pci_device *d, unsigned old_state);
bool pcie_config_written(struct pci_device *d);

/* pci.c: d->config came out of a stream: all that depends on it follows */
void pci_config_loaded(struct pci_device *d);
/* msix.c: the bytes behind the two windows; NULL without MSI-X */
uint8_t *pci_msix_table(struct pci_device *d, uint32_t *size);
uint8_t *pci_msix_pba(struct pci_device *d, uint32_t *size);
/* pci_vmstate.c */
extern const struct vmstate vmstate_pci_device;

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
