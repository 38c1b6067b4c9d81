/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/pci/i440fx.c - Intel 82441FX PMC: host bridge at 0:0.0 (datasheet 290549, chapter 3)
 *
 * What matters to a guest are the seven PAM registers (is 0xC0000..0xFFFFF RAM or PCI, for reads and for writes) and
 * SMRAM. Both are passed to the board, which owns the memory map. The DRAM registers can be written and read back.
 */
#include "hw/pci/i440fx.h"
#include "hw/pci/internal.h"
#include "lib/bits.h"

#include <string.h>

/* Registers that keep what is written, with their reset value and writable bits. Datasheet sections 3.2.x */
static const struct {
    uint8_t off, reset, wmask;
} regs[] = {
    { 0x50, 0x00, 0x5C }, { 0x51, 0x01, 0x8F },                         /* PMCCFG, 3.2.13 */
    { 0x52, 0x00, 0xC0 },                                               /* DETURBO */
    { 0x53, 0x80, 0xFF },                                               /* DBC */
    { 0x54, 0x00, 0x03 },                                               /* AXC */
    { 0x55, 0x00, 0xFF }, { 0x56, 0x00, 0xFF },                         /* DRT */
    { 0x57, 0x01, 0xFF },                                               /* DRAMC */
    { 0x58, 0x10, 0xFF },                                               /* DRAMT */
    { 0x59, 0x00, 0x33 }, { 0x5A, 0x00, 0x33 }, { 0x5B, 0x00, 0x33 },   /* PAM0..6, 3.2.16 */
    { 0x5C, 0x00, 0x33 }, { 0x5D, 0x00, 0x33 }, { 0x5E, 0x00, 0x33 }, { 0x5F, 0x00, 0x33 },
    { 0x60, 0x01, 0xFF }, { 0x61, 0x01, 0xFF }, { 0x62, 0x01, 0xFF }, { 0x63, 0x01, 0xFF },    /* DRB0..7 */
    { 0x64, 0x01, 0xFF }, { 0x65, 0x01, 0xFF }, { 0x66, 0x01, 0xFF }, { 0x67, 0x01, 0xFF },
    { 0x68, 0x00, 0xC0 },                                               /* FDHC */
    { 0x70, 0x00, 0xFF }, { 0x71, 0x10, 0xFF },                         /* MTT, CLT */
    { 0x72, 0x02, 0x78 },                                               /* SMRAM, 3.2.20 */
    { 0x90, 0x00, 0xFF }, { 0x93, 0x00, 0x0E },                         /* ERRCMD, TRC */
};

enum { SMRAM_D_LCK = 1 << 4, SMRAM_D_OPEN = 1 << 6, SMRAM_WRITABLE = 0x78 };

static inline struct i440fx *i440fx_of(struct pci_device *d)
{
    return (struct i440fx *)d;
}

/*
 * PAM0[5:4] is 0xF0000..0xFFFFF; each later register has two areas of 16 KiB, low nibble first:
 * PAM1 0xC0000 0xC4000, PAM2 0xC8000 0xCC000, ... PAM6 0xE8000 0xEC000
 */
void i440fx_pam(const struct i440fx *s, struct pam_area areas[PAM_AREAS])
{
    for (unsigned i = 0; i < PAM_AREAS - 1; i++) {
        uint8_t reg = s->pci.config[I440FX_PAM0 + 1 + i / 2];

        areas[i] = (struct pam_area){ 0xC0000 + i * 0x4000, 0x4000, bits_get(reg, i % 2 * 4, 2) };
    }
    areas[PAM_AREAS - 1] = (struct pam_area){ 0xF0000, 0x10000, bits_get(s->pci.config[I440FX_PAM0], 4, 2) };
}

static void i440fx_config_written(struct pci_device *d, unsigned off, unsigned len)
{
    struct i440fx *s = i440fx_of(d);
    struct pam_area areas[PAM_AREAS];
    bool reset = off == 0 && len == PCI_CONFIG_SIZE;

    if (off > I440FX_SMRAM || off + len <= I440FX_PAM0) {
        return;
    }
    if (reset) {
        d->wmask[I440FX_SMRAM] = SMRAM_WRITABLE;
    }
    if (d->config[I440FX_SMRAM] & SMRAM_D_LCK) {        /* locked and closed until the next reset */
        d->config[I440FX_SMRAM] &= ~SMRAM_D_OPEN;
        d->wmask[I440FX_SMRAM] = 0x20;                  /* D_CLS stays writable */
    }
    if (s->pam_changed) {
        i440fx_pam(s, areas);
        s->pam_changed(s->opaque, areas, d->config[I440FX_SMRAM]);
    }
}

static bool i440fx_realize(struct device *dev, Error **errp)
{
    struct pci_device *d = pci_device_of(dev);

    st_le16(d->config + PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    st_le16(d->wmask + PCI_COMMAND, PCI_COMMAND_SERR);
    st_le16(d->config + PCI_STATUS, PCI_STATUS_DEVSEL_MEDIUM | PCI_STATUS_FAST_BACK);
    d->wmask[PCI_CACHE_LINE_SIZE] = 0;
    d->wmask[PCI_INTERRUPT_LINE] = 0;
    for (unsigned i = 0; i < ARRAY_LEN(regs); i++) {
        d->config[regs[i].off] = regs[i].reset;
        d->wmask[regs[i].off] = regs[i].wmask;
    }
    return true;
}

/* The parent's reset cannot restore SMRAM while it is locked: its mask no longer has those bits. */
static void i440fx_reset(struct device *dev)
{
    struct pci_device *d = pci_device_of(dev);

    d->config[I440FX_SMRAM] = 0x02;
    i440fx_config_written(d, 0, PCI_CONFIG_SIZE);
}

static const struct pci_class_info i440fx_class = {
    .vendor = 0x8086, .device = 0x1237, .class = PCI_CLASS_HOST_BRIDGE, .revision = 2,
    .config_written = i440fx_config_written,
};

const struct device_type i440fx_type = {
    .name = TYPE_I440FX,
    .desc = "Host bridge",
    .bus = "PCI",
    .parent = &pci_device_type,
    .size = sizeof(struct i440fx),
    .category = DEVICE_CAT_BRIDGE,
    .realize = i440fx_realize,
    .reset = i440fx_reset,
    .cls = &i440fx_class,
};
