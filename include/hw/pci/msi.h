/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/pci/msi.h - message signalled interrupts: MSI and MSI-X (PCI Local Bus Specification 3.0, section 6.8)
 *
 * An interrupt is a memory write of four bytes that the function sends to the address, with the data, that the guest
 * gave it: in configuration space for MSI (up to 32 vectors that differ in the low bits of the data), in a table in
 * memory space for MSI-X (up to 2048 vectors, each its own address and data). The device calls msi_notify() or
 * msix_notify(); what is here decides whether the message goes out now, stays pending behind a mask, or is nothing:
 *
 *   not enabled                     nothing (the device uses pci_set_irq() then)
 *   enabled, masked                 the pending bit is set; the message goes out at the moment the mask is taken away
 *   enabled, COMMAND.MASTER clear   lost and counted (6.2.2: a function that may not master the bus sends no message)
 *   otherwise                       the message goes to the bus's msi() (pci.h): on a PC to the local APICs
 *
 * While MSI or MSI-X is enabled the function's INTx pin is not driven (6.8.3.3); pci_set_irq() still records the level
 * and the pin follows it again once both are off. So a device may call pci_set_irq() at every change of its causes
 * and, on a rising edge, msi_notify() as well: exactly one of them has an effect.
 *
 * The state hangs on the pci_device's own heap objects: pci_device_type's unrealize frees it, whether the device calls
 * the fini functions or not. A function reset clears all of it: MSI and MSI-X are off, the MSI-X table is zero with
 * every vector masked (6.8.2.9), nothing is pending. Machine lock held throughout.
 *
 * A device that wants to know when vectors are masked or the function is switched sets pci_class_info.msi_changed.
 */
#ifndef HW_PCI_MSI_H
#define HW_PCI_MSI_H

#include "hw/pci/pci.h"

#define PCI_CAP_MSI   0x05
#define PCI_CAP_MSIX  0x11

#define MSI_VECTORS_MAX    32
#define MSIX_VECTORS_MAX   2048
#define MSIX_ENTRY_SIZE    16

/* ---- MSI (6.8.1) ---- */

/**
 * msi_init() - give @d the MSI capability; from realize
 * @cap_off:          offset in configuration space, or 0: after the last capability
 * @nvectors:         1, 2, 4, 8, 16 or 32: what Multiple Message Capable tells
 * @is64:             the address has 64 bits
 * @per_vector_mask:  mask and pending bits are there
 * Return: false with *errp set when @nvectors is no such number, configuration space is full or @d has MSI already.
 */
bool msi_init(struct pci_device *d, unsigned cap_off, unsigned nvectors, bool is64, bool per_vector_mask,
              Error **errp);
/** msi_fini() - free the state; the capability's bytes stay where they are. Also after a failed or no msi_init(). */
void msi_fini(struct pci_device *d);
/** msi_enabled() - the guest has set MSI Enable. False without MSI. */
bool msi_enabled(const struct pci_device *d);
/** msi_vectors() - vectors that the guest allows: 1 << min(Multiple Message Enable, Capable); 0 while not enabled */
unsigned msi_vectors(const struct pci_device *d);
/**
 * msi_notify() - interrupt @vector happens
 * @vector: 0.. of those asked for in msi_init(). When the guest allows fewer, its low bits count (6.8.3.4 leaves the
 * choice to the function). Free of effect while not enabled.
 */
void msi_notify(struct pci_device *d, unsigned vector);

/* ---- MSI-X (6.8.2) ---- */

/**
 * msix_init() - give @d the MSI-X capability, table and pending bits inside a BAR of its own making; from realize
 * @nvectors:    1..2048
 * @bar:         0..5, in which @table_off and @pba_off lie (both multiples of 8)
 * @bar_region:  what is behind that BAR, a container or an I/O region: the two regions are added into it, with
 *               priority 1. It must outlive the state, that is, be part of the device or live until msix_fini().
 * @cap_off:     offset in configuration space, or 0: after the last capability
 * Table: @nvectors * 16 bytes; pending bits: (@nvectors + 63) / 64 * 8 bytes; they may share a page but not overlap.
 * Return: false with *errp set for a bad number, a place outside of the BAR, overlap, no room in configuration space,
 * or when @d has MSI-X already.
 */
bool msix_init(struct pci_device *d, unsigned nvectors, unsigned bar, uint32_t table_off, uint32_t pba_off,
               struct region *bar_region, unsigned cap_off, Error **errp);
/**
 * msix_init_exclusive() - as msix_init(), with a 32-bit memory BAR made for it
 * Its size is a power of two and at least 4 KiB; the table is at 0, the pending bits at half of it (0x800 at least).
 */
bool msix_init_exclusive(struct pci_device *d, unsigned nvectors, unsigned bar, Error **errp);
/** msix_fini() - free the state, take the regions out of the BAR. Also after a failed or no msix_init(). */
void msix_fini(struct pci_device *d);
/** msix_enabled() - the guest has set MSI-X Enable. False without MSI-X. */
bool msix_enabled(const struct pci_device *d);
/** msix_vectors() - as given to msix_init(); 0 without MSI-X */
unsigned msix_vectors(const struct pci_device *d);
/** msix_vector_masked() - a message of vector @v would not go out now: masked, function masked, off, or no such one */
bool msix_vector_masked(const struct pci_device *d, unsigned v);
/** msix_notify() - interrupt @v happens; nothing while not enabled or when @v is no vector of this device */
void msix_notify(struct pci_device *d, unsigned v);
/** msix_pending() - vector @v waits behind a mask */
bool msix_pending(const struct pci_device *d, unsigned v);
/** msix_clear_pending() - the cause went away before the vector was unmasked (6.8.3.5) */
void msix_clear_pending(struct pci_device *d, unsigned v);
/**
 * msix_message() - address and data of vector @v as the guest wrote them, whatever the masks say
 * For a device that hands its vectors to another sender. False: no such vector.
 */
bool msix_message(const struct pci_device *d, unsigned v, uint64_t *addr, uint32_t *data);

#endif
