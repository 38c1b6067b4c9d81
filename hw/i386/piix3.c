/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/i386/piix3.c - 82371SB (PIIX3) function 0: PCI-ISA bridge (Intel 290550, chapter 2)
 *
 * PIRQRC[A:D] at 0x60-0x63: bit 7 set switches the route off, bits 3:0 name an ISA interrupt (0, 1, 2, 8, 13 are
 * reserved: no route). Several PIRQs may share a line, which is asserted while one of them is.
 *
 * RCR, port 0xCF9: bit 2 going from 0 to 1 resets, bit 1 says hard or soft (the same here).
 */
#include "core/runstate.h"
#include "hw/i386/piix.h"
#include "lib/bits.h"

enum { RCR_HARD = 1 << 1, RCR_GO = 1 << 2 };

static struct piix3 *piix3_of(struct pci_device *d)
{
    return (struct piix3 *)d;
}

int piix3_pirq_irq(const struct piix3 *s, unsigned n)
{
    uint8_t r = s->pci.config[PIIX3_PIRQRCA + n];
    static const uint16_t routable = 0xDEF8;    /* 3-7, 9-12, 14, 15 */

    return !(r & PIRQ_OFF) && (routable & BIT(r & 0xF)) ? r & 0xF : -1;
}

/* Drive the ISA lines from the PIRQs and their routes as they are now. */
static void route(struct piix3 *s)
{
    uint16_t lines = 0, changed;

    for (unsigned n = 0; n < PIRQS; n++) {
        int irq = piix3_pirq_irq(s, n);

        if ((s->pirq & BIT(n)) && irq >= 0) {
            lines |= BIT(irq);
        }
    }
    changed = lines ^ s->routed;
    s->routed = lines;
    for (unsigned i = 0; i < ISA_IRQS; i++) {
        if (changed & BIT(i)) {
            irq_set(s->isa_irq[i], lines & BIT(i));
        }
    }
}

void piix3_set_pirq(struct piix3 *s, unsigned n, bool level)
{
    if (n < PIRQS) {
        s->pirq = level ? s->pirq | BIT(n) : s->pirq & ~BIT(n);
        route(s);
    }
}

uint8_t piix3_rcr_read(struct piix3 *s)
{
    return s->rcr;
}

void piix3_rcr_write(struct piix3 *s, uint8_t v)
{
    bool go = (v & RCR_GO) && !(s->rcr & RCR_GO);

    s->rcr = v & RCR_HARD;                  /* bit 2 does not stay: the reset clears it */
    if (go) {
        runstate_request_reset(SHUTDOWN_GUEST_RESET);
    }
}

static void config_written(struct pci_device *d, unsigned off, unsigned len)
{
    if (off < PIIX3_PIRQRCA + PIRQS && off + len > PIIX3_PIRQRCA) {
        route(piix3_of(d));
    }
}

/* Register, reset value, writable bits (chapter 2.1) */
static const struct {
    uint8_t off, reset, wmask;
} regs[] = {
    { 0x4C, 0x4D, 0xFF },                                                                   /* IORT */
    { 0x4E, 0x03, 0xFF }, { 0x4F, 0x00, 0x0F },                                             /* XBCS */
    { 0x60, 0x80, 0x8F }, { 0x61, 0x80, 0x8F }, { 0x62, 0x80, 0x8F }, { 0x63, 0x80, 0x8F }, /* PIRQRC */
    { 0x69, 0x02, 0xFE },                                                                   /* TOM */
    { 0x6A, 0x04, 0x15 }, { 0x6B, 0x00, 0x80 },                                             /* MSTAT */
    { 0x70, 0x80, 0xEF }, { 0x71, 0x80, 0xEF },                                             /* MBIRQ */
    { 0x76, 0x0C, 0x8F }, { 0x77, 0x0C, 0x8F },                                             /* MBDMA */
    { 0x78, 0x02, 0xFF }, { 0x79, 0x00, 0xFF },                                             /* PCSC */
    { 0x80, 0x00, 0x7F },                                                                   /* APICBASE */
    { 0x82, 0x00, 0x0F },                                                                   /* DLC */
    { 0xA0, 0x08, 0x1F }, { 0xA2, 0x00, 0xFF }, { 0xA3, 0x00, 0xFF },                       /* SMICNTL, SMIEN */
    { 0xA8, 0x0F, 0xFF }, { 0xAA, 0x00, 0xFF }, { 0xAB, 0x00, 0xFF }, { 0xAC, 0x00, 0xFF }, { 0xAE, 0x00, 0xFF },
};

static bool piix3_realize(struct device *dev, Error **errp)
{
    struct pci_device *d = pci_device_of(dev);
    struct piix3 *s = piix3_of(d);

    st_le16(d->config + PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    st_le16(d->wmask + PCI_COMMAND, PCI_COMMAND_SPECIAL);
    st_le16(d->config + PCI_STATUS, PCI_STATUS_DEVSEL_MEDIUM);
    d->wmask[PCI_INTERRUPT_LINE] = 0;
    for (unsigned i = 0; i < ARRAY_LEN(regs); i++) {
        d->config[regs[i].off] = regs[i].reset;
        d->wmask[regs[i].off] = regs[i].wmask;
    }
    isa_bus_init(&s->isa, dev, d->bus->io, d->bus->mem, s->isa_irq);
    return true;
}

static void piix3_unrealize(struct device *dev)
{
    struct piix3 *s = piix3_of(pci_device_of(dev));

    if (s->isa.bus.name) {
        isa_bus_fini(&s->isa);
    }
}

static void piix3_reset(struct device *dev)
{
    struct piix3 *s = piix3_of(pci_device_of(dev));

    s->rcr = 0;
    route(s);
}

static const struct pci_class_info piix3_class = {
    .vendor = 0x8086, .device = 0x7000, .class = PCI_CLASS_ISA_BRIDGE, .config_written = config_written,
};

const struct device_type piix3_type = {
    .name = TYPE_PIIX3,
    .desc = "PCI-ISA bridge",
    .bus = "PCI",
    .parent = &pci_device_type,
    .size = sizeof(struct piix3),
    .category = DEVICE_CAT_BRIDGE,
    .realize = piix3_realize,
    .unrealize = piix3_unrealize,
    .reset = piix3_reset,
    .cls = &piix3_class,
};
