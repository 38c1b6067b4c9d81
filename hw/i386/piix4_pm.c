/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/i386/piix4_pm.c - 82371AB (PIIX4) function 3: power management (Intel 290562, chapter 7; ACPI 6.3, 4.8.3)
 *
 * Configuration: PMBA at 0x40 (I/O base 15:6), PMREGMISC at 0x80 bit 0 decodes it. Registers behind it:
 *
 *   00 PM1_STS  0 TMR  4 BM  5 GBL  8 PWRBTN  10 RTC  15 WAK; a written 1 clears
 *   02 PM1_EN   0 TMR  5 GBL  8 PWRBTN  10 RTC
 *   04 PM1_CNT  0 SCI_EN (ro)  1 BM_RLD  2 GBL_RLS (w)  12:10 SLP_TYP  13 SLP_EN (w)
 *   08 PM_TMR   24 bits         0C GPE0_STS   0E GPE0_EN
 *
 * SCI is asserted while an enabled status bit is set and SCI_EN is on. SCI_EN follows what is written to the APM
 * control port 0xB2: there is no SMM here, so the device itself does what a firmware's SMI handler would.
 */
#include "core/runstate.h"
#include "hw/i386/piix.h"
#include "lib/bits.h"

enum { CFG_PMBA = 0x40, CFG_PMREGMISC = 0x80, CFG_SMBBA = 0x90, PMIOSE = 1 << 0 };
enum { TMR = 1 << 0, GBL = 1 << 5, PWRBTN = 1 << 8, RTC = 1 << 10, WAK = 1 << 15, BM = 1 << 4 };
enum { CNT_SCI_EN = 1 << 0, CNT_BM_RLD = 1 << 1, CNT_SLP_TYP_SHIFT = 10, CNT_SLP_EN = 1 << 13, CNT_WRITABLE = 0x1C02 };
enum { STS_ALL = TMR | BM | GBL | PWRBTN | RTC | WAK, EN_ALL = TMR | GBL | PWRBTN | RTC };

static struct piix4_pm *pm_of(struct pci_device *d)
{
    return (struct piix4_pm *)d;
}

static void update(struct piix4_pm *s)
{
    bool sci = (s->pm1_sts & s->pm1_en & EN_ALL) || (s->gpe_sts & s->gpe_en);

    irq_set(s->sci, sci && (s->pm1_cnt & CNT_SCI_EN));
    pm_timer_enable(&s->timer, (s->pm1_en & TMR) && !(s->pm1_sts & TMR));
}

static void poll_timer(struct piix4_pm *s)
{
    if (pm_timer_poll(&s->timer)) {
        s->pm1_sts |= TMR;
    }
}

static void timer_carry(void *opaque)
{
    struct piix4_pm *s = opaque;

    poll_timer(s);
    update(s);
}

void piix4_pm_power_button(struct piix4_pm *s)
{
    s->pm1_sts |= PWRBTN;
    update(s);
}

/* SLP_EN: go to the state that SLP_TYP names; only soft-off exists (the DSDT names no other) */
static void sleep_now(struct piix4_pm *s)
{
    if (bits_get(s->pm1_cnt, CNT_SLP_TYP_SHIFT, 3) == PM_SLP_TYP_S5) {
        runstate_request_shutdown(SHUTDOWN_GUEST_SHUTDOWN);
    }
}

static void cnt_write(struct piix4_pm *s, uint16_t v)
{
    s->pm1_cnt = (s->pm1_cnt & CNT_SCI_EN) | (v & CNT_WRITABLE);
    if (v & CNT_SLP_EN) {
        sleep_now(s);
    }
}

/* ---- ports: 16-bit registers; a wider or narrower access is made of them ---- */

static uint16_t reg_get(struct piix4_pm *s, unsigned reg)
{
    switch (reg) {
    case PM_PM1_STS:
        poll_timer(s);
        return s->pm1_sts;
    case PM_PM1_EN:
        return s->pm1_en;
    case PM_PM1_CNT:
        return s->pm1_cnt;
    case PM_TMR:
        return pm_timer_read(&s->timer);
    case PM_TMR + 2:
        return pm_timer_read(&s->timer) >> 16;
    case PM_GPE0_STS:
        return s->gpe_sts;
    case PM_GPE0_EN:
        return s->gpe_en;
    default:
        return 0;
    }
}

static void reg_put(struct piix4_pm *s, unsigned reg, uint16_t v, uint16_t mask)
{
    switch (reg) {
    case PM_PM1_STS:
        poll_timer(s);
        s->pm1_sts &= ~(v & mask & STS_ALL);
        break;
    case PM_PM1_EN:
        s->pm1_en = ((s->pm1_en & ~mask) | (v & mask)) & EN_ALL;
        break;
    case PM_PM1_CNT:
        cnt_write(s, (s->pm1_cnt & ~mask) | (v & mask));
        break;
    case PM_GPE0_STS:
        s->gpe_sts &= ~(v & mask);
        break;
    case PM_GPE0_EN:
        s->gpe_en = (s->gpe_en & ~mask) | (v & mask);
        break;
    default:
        break;
    }
    update(s);
}

static uint64_t io_read(void *opaque, uint64_t off, unsigned size)
{
    struct piix4_pm *s = opaque;

    if (off == PM_TMR && size == 4) {
        return pm_timer_read(&s->timer);    /* in one piece: two halves could straddle a carry */
    }
    if (size == 4) {
        return reg_get(s, off & ~1u) | (uint32_t)reg_get(s, (off & ~1u) + 2) << 16;
    }
    return reg_get(s, off & ~1u) >> (off & 1) * 8;
}

static void io_write(void *opaque, uint64_t off, uint64_t val, unsigned size)
{
    struct piix4_pm *s = opaque;

    if (size == 1) {
        reg_put(s, off & ~1u, val << (off & 1) * 8, 0xFF << (off & 1) * 8);
        return;
    }
    reg_put(s, off & ~1u, val, 0xFFFF);
    if (size == 4) {
        reg_put(s, (off & ~1u) + 2, val >> 16, 0xFFFF);
    }
}

static uint64_t apm_read(void *opaque, uint64_t off, unsigned size)
{
    const struct piix4_pm *s = opaque;

    return off ? s->apm_sts : s->apm_cnt;
}

static void apm_write(void *opaque, uint64_t off, uint64_t val, unsigned size)
{
    struct piix4_pm *s = opaque;

    if (off) {
        s->apm_sts = val;
        return;
    }
    s->apm_cnt = val;
    if (val == APM_ACPI_ENABLE) {
        s->pm1_cnt |= CNT_SCI_EN;
    } else if (val == APM_ACPI_DISABLE) {
        s->pm1_cnt &= ~CNT_SCI_EN;
    }
    update(s);
}

static const struct region_ops io_ops = { io_read, io_write, 1, 4 };
static const struct region_ops apm_ops = { apm_read, apm_write, 1, 1 };

/* ---- PCI function ---- */

static void map_io(struct piix4_pm *s)
{
    bool on = s->pci.config[CFG_PMREGMISC] & PMIOSE;
    unsigned base = ld_le16(s->pci.config + CFG_PMBA) & 0xFFC0;

    region_batch_begin();
    if (s->io_mapped) {
        region_del(&s->io);
        s->io_mapped = false;
    }
    if (on && base) {
        region_add(s->pci.bus->io, base, &s->io, 0);
        s->io_mapped = true;
    }
    region_batch_end();
}

static void config_written(struct pci_device *d, unsigned off, unsigned len)
{
    if (d->bus && off <= CFG_PMREGMISC && off + len > CFG_PMBA) {
        map_io(pm_of(d));
    }
}

void piix4_pm_firmware_setup(struct piix4_pm *s)
{
    pci_config_write(&s->pci, CFG_PMBA, PM_IO_BASE | 1, 4);
    pci_config_write(&s->pci, CFG_PMREGMISC, PMIOSE, 1);
    pci_config_write(&s->pci, PCI_INTERRUPT_LINE, PM_SCI_IRQ, 1);
}

static bool pm_realize(struct device *dev, Error **errp)
{
    struct pci_device *d = pci_device_of(dev);
    struct piix4_pm *s = pm_of(d);

    st_le16(d->config + PCI_STATUS, PCI_STATUS_DEVSEL_MEDIUM | PCI_STATUS_FAST_BACK);
    st_le32(d->config + CFG_PMBA, 1);
    st_le32(d->wmask + CFG_PMBA, 0xFFC0);
    d->wmask[CFG_PMREGMISC] = PMIOSE;
    st_le32(d->config + CFG_SMBBA, 1);
    st_le32(d->wmask + CFG_SMBBA, 0xFFF0);
    for (unsigned i = 0x58; i < 0x5C; i++) {
        d->wmask[i] = 0xFF;                 /* DEVACTB: APMC_EN and friends */
    }
    region_init_io(&s->io, "piix4-pm", PM_SIZE, &io_ops, s);
    region_init_io(&s->apm, "apm-io", 2, &apm_ops, s);
    region_add(d->bus->io, APM_CNT, &s->apm, 0);
    pm_timer_init(&s->timer, timer_carry, s);
    return true;
}

static void pm_unrealize(struct device *dev)
{
    struct piix4_pm *s = pm_of(pci_device_of(dev));

    pm_timer_fini(&s->timer);
    region_fini(&s->io);
    region_fini(&s->apm);
    s->io_mapped = false;
}

static void pm_reset(struct device *dev)
{
    struct piix4_pm *s = pm_of(pci_device_of(dev));

    s->pm1_sts = s->pm1_en = s->pm1_cnt = s->gpe_sts = s->gpe_en = 0;
    s->apm_cnt = s->apm_sts = 0;
    pm_timer_poll(&s->timer);
    map_io(s);
    update(s);
}

static const struct pci_class_info pm_class = {
    .vendor = 0x8086, .device = 0x7113, .class = PCI_CLASS_OTHER_BRIDGE, .revision = 3, .pin = 1,
    .config_written = config_written,
};

const struct device_type piix4_pm_type = {
    .name = TYPE_PIIX4_PM,
    .desc = "PIIX4 power management",
    .bus = "PCI",
    .parent = &pci_device_type,
    .size = sizeof(struct piix4_pm),
    .category = DEVICE_CAT_BRIDGE,
    .realize = pm_realize,
    .unrealize = pm_unrealize,
    .reset = pm_reset,
    .cls = &pm_class,
};
