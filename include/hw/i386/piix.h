/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/i386/piix.h - the south bridge: PIIX3 (PCI-ISA bridge, interrupt router, reset port) and PIIX4 power management
 *
 * The board sets the wires before realize. Machine lock held throughout.
 */
#ifndef HW_I386_PIIX_H
#define HW_I386_PIIX_H

#include "hw/isa/isa.h"
#include "hw/pci/pci.h"
#include "hw/timer/acpi_pm_timer.h"

#define TYPE_PIIX3      "PIIX3"
#define TYPE_PIIX4_PM   "PIIX4_PM"

/* ---- function 0: 8086:7000 ---- */

enum { PIIX3_PIRQRCA = 0x60, PIRQ_OFF = 0x80, PIRQS = 4 };

struct piix3 {
    struct pci_device pci;              /* first member */
    struct irq *isa_irq[ISA_IRQS];      /* set by the board: where IRQ0..15 go */
    struct isa_bus isa;                 /* provided from realize on */
    uint8_t pirq;                       /* PIRQA..D asserted, bits 3:0 */
    uint16_t routed;                    /* ISA lines that PIRQs assert now */
    uint8_t rcr;                        /* reset control register, port 0xCF9 */
};

/** piix3_set_pirq() - level of PIRQ @n (0: PIRQA#) */
void piix3_set_pirq(struct piix3 *s, unsigned n, bool level);
/** piix3_pirq_irq() - ISA interrupt that PIRQ @n is routed to, -1: none */
int piix3_pirq_irq(const struct piix3 *s, unsigned n);
uint8_t piix3_rcr_read(struct piix3 *s);
void piix3_rcr_write(struct piix3 *s, uint8_t v);

/* ---- function 3: 8086:7113 ---- */

enum {                                  /* offsets from the base in configuration register 0x40, 82371AB chapter 7.2 */
    PM_PM1_STS = 0x00, PM_PM1_EN = 0x02, PM_PM1_CNT = 0x04, PM_TMR = 0x08, PM_GPE0_STS = 0x0C, PM_GPE0_EN = 0x0E,
    PM_SIZE = 0x40,
};
enum {
    PM_IO_BASE = 0x600, APM_CNT = 0xB2, APM_STS = 0xB3, APM_ACPI_ENABLE = 0xF1, APM_ACPI_DISABLE = 0xF0, PM_SCI_IRQ = 9,
};
enum { PM_SLP_TYP_S5 = 0 };             /* what \_S5 names */

struct piix4_pm {
    struct pci_device pci;              /* first member */
    struct irq *sci;                    /* set by the board */
    struct region io, apm;
    bool io_mapped;
    uint16_t pm1_sts, pm1_en, pm1_cnt;
    uint16_t gpe_sts, gpe_en;
    uint8_t apm_cnt, apm_sts;
    struct pm_timer timer;
};

/** piix4_pm_power_button() - the ACPI power button was pressed */
void piix4_pm_power_button(struct piix4_pm *s);
/** piix4_pm_firmware_setup() - put the registers at PM_IO_BASE, as firmware does */
void piix4_pm_firmware_setup(struct piix4_pm *s);

extern const struct device_type piix3_type, piix4_pm_type;

#endif
