/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/pci/pcie.c - the PCI Express capability of an endpoint that sits where no link leads (PCIe 3.0, section 7.8)
 *
 *   +2 capabilities: 3:0 version, 7:4 type   +4 device capabilities   +8 device control   +A device status
 *   +C, +10 link registers, +14 slot, +1C root: 0   (version 2:) +24 device capabilities 2, +28 control 2, rest 0
 */
#include "hw/pci/caps.h"
#include "hw/pci/internal.h"

enum { TYPE_RC_ENDPOINT = 9 };          /* 7.8.2 */

enum {
    PCIECAP = 2, DEVCAP = 4, DEVCTL = 8, DEVSTA = 0xA, DEVCTL2 = 0x28,
};

#define DEVCAP_ROLE_ERRORS  (1u << 15)  /* 7.8.3 */
#define DEVCAP_FLR          (1u << 28)

enum {                                  /* 7.8.4 */
    DEVCTL_RW = 0x7FFF,
    DEVCTL_RESET = 0x2810,              /* relaxed ordering, no snoop, read requests of 512 bytes */
    DEVCTL_FLR = 1 << 15,
    DEVSTA_W1C = 0x000F,                /* 7.8.5 */
};

unsigned pcie_endpoint_cap(struct pci_device *d, unsigned off, unsigned version, unsigned flags)
{
    unsigned cap = pci_add_cap(d, PCI_CAP_PCIE, off, version >= 2 ? 0x3C : 0x14);
    bool flr = flags & PCIE_FLR;

    if (!cap) {
        return 0;
    }
    d->pcie_cap = (uint8_t)cap;
    st_le16(d->config + cap + PCIECAP, (uint16_t)(TYPE_RC_ENDPOINT << 4 | version));
    st_le32(d->config + cap + DEVCAP, DEVCAP_ROLE_ERRORS | (flr ? DEVCAP_FLR : 0));
    st_le16(d->config + cap + DEVCTL, DEVCTL_RESET);
    st_le16(d->wmask + cap + DEVCTL, DEVCTL_RW | (flr ? DEVCTL_FLR : 0));
    st_le16(d->w1cmask + cap + DEVSTA, DEVSTA_W1C);
    if (version >= 2) {
        st_le16(d->wmask + cap + DEVCTL2, 0x001F);      /* completion timeout: value and disable */
    }
    return cap;
}

/* Initiate Function Level Reset reads as 0 always (7.8.4, 6.6.2). */
bool pcie_config_written(struct pci_device *d)
{
    uint8_t *ctl = d->config + d->pcie_cap + DEVCTL;

    if (!d->pcie_cap || !(ld_le16(ctl) & DEVCTL_FLR)) {
        return false;
    }
    st_le16(ctl, ld_le16(ctl) & (uint16_t)~DEVCTL_FLR);
    device_reset(&d->dev);
    return true;
}
