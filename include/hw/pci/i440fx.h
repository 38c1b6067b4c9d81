/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/pci/i440fx.h - the 82441FX PCI and memory controller (PMC) as PCI function 0:0.0
 *
 * The board sets the hook before realize; it is called whenever PAM or SMRAM registers change, and after reset.
 */
#ifndef HW_PCI_I440FX_H
#define HW_PCI_I440FX_H

#include "hw/pci/pci.h"

#define TYPE_I440FX "i440FX"

enum {
    I440FX_PAM0  = 0x59,                /* 82441FX 3.2.16: PAM0..PAM6 */
    I440FX_PAM6  = 0x5F,
    I440FX_SMRAM = 0x72,                /* 3.2.20 */
};

enum { PAM_READ = 1 << 0, PAM_WRITE = 1 << 1 };    /* RE: reads go to RAM; WE: writes go to RAM; else to PCI */

/* One shadow area and who controls it */
struct pam_area {
    uint32_t start, size;
    uint8_t attr;                       /* PAM_READ | PAM_WRITE */
};
#define PAM_AREAS 13

struct i440fx {
    struct pci_device pci;
    /* board's hook; @areas as the registers say now, lowest first */
    void (*pam_changed)(void *opaque, const struct pam_area areas[PAM_AREAS], uint8_t smram);
    void *opaque;
};

/** i440fx_pam() - the thirteen areas 0xC0000..0xFFFFF as the registers describe them */
void i440fx_pam(const struct i440fx *s, struct pam_area areas[PAM_AREAS]);

#endif
