/* SPDX-License-Identifier: BSD-2-Clause */
/* hw/pci/info.c - what monitors tell about a bus: "info pci" and the facts behind query-pci */
#include "hw/pci/internal.h"
#include "lib/bits.h"

#include <inttypes.h>

/* Class names as existing tools know them; PCI 3.0 appendix D */
static const struct {
    uint16_t class;
    const char *name;
} class_names[] = {
    { 0x0001, "VGA controller" },       { 0x0100, "SCSI controller" },      { 0x0101, "IDE controller" },
    { 0x0102, "Floppy controller" },    { 0x0103, "IPI controller" },       { 0x0104, "RAID controller" },
    { 0x0106, "SATA controller" },      { 0x0107, "SAS controller" },       { 0x0180, "Storage controller" },
    { 0x0200, "Ethernet controller" },  { 0x0201, "Token Ring controller" },{ 0x0202, "FDDI controller" },
    { 0x0203, "ATM controller" },       { 0x0280, "Network controller" },   { 0x0300, "VGA controller" },
    { 0x0301, "XGA controller" },       { 0x0302, "3D controller" },        { 0x0380, "Display controller" },
    { 0x0400, "Video controller" },     { 0x0401, "Audio controller" },     { 0x0480, "Multimedia controller" },
    { 0x0500, "RAM controller" },       { 0x0501, "Flash controller" },     { 0x0580, "Memory controller" },
    { 0x0600, "Host bridge" },          { 0x0601, "ISA bridge" },           { 0x0602, "EISA bridge" },
    { 0x0603, "MC bridge" },            { 0x0604, "PCI bridge" },           { 0x0605, "PCMCIA bridge" },
    { 0x0680, "Bridge" },               { 0x0700, "Serial port" },          { 0x0701, "Parallel port" },
    { 0x0880, "System peripheral" },    { 0x0900, "Keyboard" },             { 0x0902, "Mouse" },
    { 0x0C00, "IEEE 1394 controller" }, { 0x0C03, "USB controller" },       { 0x0C05, "SMBus" },
};

static const char *class_name(uint16_t class)
{
    for (unsigned i = 0; i < ARRAY_LEN(class_names); i++) {
        if (class_names[i].class == class) {
            return class_names[i].name;
        }
    }
    return NULL;
}

void pci_query(const struct pci_device *d, struct pci_device_info *out)
{
    *out = (struct pci_device_info){
        .bus = d->bus ? d->bus->num : 0, .slot = PCI_SLOT(d->devfn), .function = PCI_FUNC(d->devfn),
        .vendor = ld_le16(d->config + PCI_VENDOR_ID), .device = ld_le16(d->config + PCI_DEVICE_ID),
        .subvendor = ld_le16(d->config + PCI_SUBSYSTEM_VENDOR_ID),
        .subdevice = ld_le16(d->config + PCI_SUBSYSTEM_ID),
        .class = ld_le16(d->config + PCI_CLASS_DEVICE),
        .id = d->dev.id ? d->dev.id : "",
        .pin = d->config[PCI_INTERRUPT_PIN], .irq = d->config[PCI_INTERRUPT_LINE],
    };
    out->class_desc = class_name(out->class);
    for (unsigned n = 0; n <= PCI_ROM_BAR; n++) {
        const struct pci_bar *b = &d->bars[n];

        if (b->region) {
            out->regions[out->nregions++] = (struct pci_region_info){
                .bar = n, .io = b->type & PCI_BAR_IO, .prefetch = !(b->type & PCI_BAR_IO) && b->type & PCI_BAR_PREFETCH,
                .mem64 = !(b->type & PCI_BAR_IO) && b->type & PCI_BAR_MEM64, .address = b->addr, .size = b->size,
            };
        }
    }
}

static void print_region(const struct pci_region_info *r, GString *out)
{
    uint64_t last = r->address + r->size - 1;       /* unmapped: as existing tools print it */

    if (r->io) {
        g_string_append_printf(out, "      BAR%u: I/O at 0x%04" PRIx64 " [0x%04" PRIx64 "].\n", r->bar, r->address,
                               last);
    } else {
        g_string_append_printf(out, "      BAR%u: %u bit%s memory at 0x%08" PRIx64 " [0x%08" PRIx64 "].\n", r->bar,
                               r->mem64 ? 64 : 32, r->prefetch ? " prefetchable" : "", r->address, last);
    }
}

static void print_device(struct pci_device *d, void *opaque)
{
    GString *out = opaque;
    struct pci_device_info i;

    pci_query(d, &i);
    g_string_append_printf(out, "  Bus %2u, device %3u, function %u:\n", i.bus, i.slot, i.function);
    if (i.class_desc) {
        g_string_append_printf(out, "    %s", i.class_desc);
    } else {
        g_string_append_printf(out, "    Class %04u", i.class);
    }
    g_string_append_printf(out, ": PCI device %04x:%04x\n", i.vendor, i.device);
    g_string_append_printf(out, "      PCI subsystem %04x:%04x\n", i.subvendor, i.subdevice);
    if (i.pin) {
        g_string_append_printf(out, "      IRQ %u, pin %c\n", i.irq, (char)('A' + i.pin - 1));
    }
    for (unsigned n = 0; n < i.nregions; n++) {
        print_region(&i.regions[n], out);
    }
    g_string_append_printf(out, "      id \"%s\"\n", i.id);
}

void pci_print_info(struct pci_bus *b, GString *out)
{
    pci_foreach(b, print_device, out);
}
