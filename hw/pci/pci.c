/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/pci/pci.c - what every PCI device has: header, configuration space under masks, capabilities, properties
 *
 * A configuration write changes the bytes of d->config under wmask and w1cmask, then whatever of BARs, bus mastering
 * INTx and messages depends on them is brought in line (config_apply()), then the type's config_written() hook runs. A
 * reset puts the writable bits back as they were when realize was done and takes the same road.
 */
#include "hw/pci/caps.h"
#include "hw/pci/internal.h"
#include "hw/pci/msi.h"
#include "lib/bits.h"

#include <inttypes.h>

/* ---- configuration space ---- */

/* What realize left is what reset restores. Realize hooks of the type run after ours, so it is taken at first use. */
static void reset_config_take(struct pci_device *d)
{
    if (!d->reset_config_valid) {
        memcpy(d->reset_config, d->config, sizeof(d->config));
        d->reset_config_valid = true;
    }
}

static void config_apply(struct pci_device *d, unsigned off, unsigned len, bool power_changed)
{
    if (off < PCI_ROM_ADDRESS + 4 || power_changed) {
        d->dma.enabled = (pci_command(d) & PCI_COMMAND_MASTER) && !pci_power_state(d);
        pci_bars_update(d);
        pci_irq_update(d);
    }
    pci_msi_config_written(d);
    pci_msix_config_written(d);
    if (d->info->config_written) {
        d->info->config_written(d, off, len);
    }
}

uint32_t pci_config_read(struct pci_device *d, unsigned off, unsigned len)
{
    uint32_t v = 0;

    if (d->info->config_reading) {
        d->info->config_reading(d, off, len);
    }
    for (unsigned i = 0; i < len && i < 4; i++) {
        v |= (uint32_t)(off + i < PCI_CONFIG_SIZE ? d->config[off + i] : 0xFF) << (8 * i);
    }
    return v;
}

void pci_config_write(struct pci_device *d, unsigned off, uint32_t val, unsigned len)
{
    unsigned power = pci_power_state(d);

    if (off >= PCI_CONFIG_SIZE || len > 4) {
        return;
    }
    len = MIN(len, PCI_CONFIG_SIZE - off);
    reset_config_take(d);
    for (unsigned i = off; i < off + len; i++, val >>= 8) {
        uint8_t v = (d->config[i] & ~d->wmask[i]) | (val & d->wmask[i]);

        d->config[i] = v & ~(val & d->w1cmask[i]);
    }
    if (!pci_pm_config_written(d, power) && !pcie_config_written(d)) {
        config_apply(d, off, len, pci_power_state(d) != power);
    }
}

void pci_config_loaded(struct pci_device *d)
{
    config_apply(d, 0, PCI_CONFIG_SIZE, true);
}

/* ---- capabilities (section 6.7) ---- */

unsigned pci_add_cap(struct pci_device *d, uint8_t id, unsigned off, unsigned size)
{
    enum { FIRST = 0x40 };

    size = align_up(MAX(size, 2), 4);
    if (!off) {
        off = d->cap_last ? d->cap_free : FIRST;
    }
    if (off < FIRST || off % 4 || off + size > PCI_CONFIG_SIZE) {
        return 0;
    }
    d->config[off] = id;
    d->config[d->cap_last ? d->cap_last : PCI_CAP_POINTER] = off;
    d->config[PCI_STATUS] |= PCI_STATUS_CAPS;
    d->cap_last = off + 1;
    d->cap_free = MIN(off + size, 0xFF);
    return off;
}

unsigned pci_find_cap(const struct pci_device *d, uint8_t id)
{
    unsigned off = d->config[PCI_CAP_POINTER] & 0xFC;

    for (unsigned n = 0; off >= 0x40 && n < 48; n++) {
        if (d->config[off] == id) {
            return off;
        }
        off = d->config[off + 1] & 0xFC;
    }
    return 0;
}

/* ---- life ---- */

static const struct pci_class_info *class_info(const struct device_type *t)
{
    while (t && !t->cls) {
        t = t->parent;
    }
    return t ? t->cls : NULL;
}

/* Section 6.1 and 6.2: the header of type 0 */
static void header_init(struct pci_device *d)
{
    const struct pci_class_info *ci = d->info;
    bool sub = ci->subvendor || ci->subdevice;

    st_le16(d->config + PCI_VENDOR_ID, ci->vendor);
    st_le16(d->config + PCI_DEVICE_ID, ci->device);
    d->config[PCI_REVISION_ID] = ci->revision;
    d->config[PCI_CLASS_PROG] = ci->prog_if;
    st_le16(d->config + PCI_CLASS_DEVICE, ci->class);
    d->config[PCI_HEADER_TYPE] = d->multifunction ? 0x80 : 0;
    st_le16(d->config + PCI_SUBSYSTEM_VENDOR_ID, sub ? ci->subvendor : PCI_DEFAULT_SUBVENDOR);
    st_le16(d->config + PCI_SUBSYSTEM_ID, sub ? ci->subdevice : PCI_DEFAULT_SUBDEVICE);
    d->config[PCI_INTERRUPT_PIN] = ci->pin;

    st_le16(d->wmask + PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_SPECIAL |
            PCI_COMMAND_MWI | PCI_COMMAND_PARITY | PCI_COMMAND_SERR | PCI_COMMAND_INTX_OFF);
    st_le16(d->w1cmask + PCI_STATUS, 0xF900);           /* error bits 15:11 and 8 */
    st_le16(d->hwmask + PCI_STATUS, PCI_STATUS_INTX);
    d->wmask[PCI_CACHE_LINE_SIZE] = 0xFF;
    d->wmask[PCI_LATENCY_TIMER] = 0xFF;
    d->wmask[PCI_INTERRUPT_LINE] = 0xFF;
}

/* failover_pair_id= is for the NIC that a virtio-net with failover=on stands in for; it must be on a bus that can unplug it natively */
static bool failover_ok(const struct pci_device *d, Error **errp)
{
    if (!d->failover_pair_id || !*d->failover_pair_id) {
        return true;
    }
    error_setg(errp, "%s", d->dev.id ? "failover primary device must be on PCIExpress bus" : "Device with failover_pair_id needs to have id");
    return false;
}

static bool pci_realize(struct device *dev, Error **errp)
{
    struct pci_device *d = pci_device_of(dev);

    d->info = class_info(dev->type);
    if (!d->info || !dev->bus || strcmp(dev->bus->kind, "PCI") != 0) {
        error_setg(errp, "Device '%s' needs a PCI bus", dev->type->name);
        return false;
    }
    if (!failover_ok(d, errp)) {
        return false;
    }
    memset(d->config, 0, sizeof(d->config));
    memset(d->wmask, 0, sizeof(d->wmask));
    memset(d->w1cmask, 0, sizeof(d->w1cmask));
    memset(d->hwmask, 0, sizeof(d->hwmask));
    d->reset_config_valid = false;
    d->cap_last = d->pm_cap = d->pcie_cap = 0;
    d->msi_sent = d->msi_lost = 0;
    d->irq_level = d->irq_on_bus = false;
    header_init(d);
    if (!pci_bus_attach(pci_bus_of(dev->bus), d, errp)) {
        return false;
    }
    d->dma = (struct dma){ .as = d->bus->dma_as };
    if (!pci_rom_load(d, errp)) {
        pci_bus_detach(d);
        return false;
    }
    return true;
}

static void pci_unrealize(struct device *dev)
{
    struct pci_device *d = pci_device_of(dev);

    if (!d->bus) {
        return;
    }
    d->dma.enabled = false;
    pci_bars_remove(d);
    msix_fini(d);
    msi_fini(d);
    pci_rom_free(d);
    pci_bus_detach(d);
}

static void pci_reset(struct device *dev)
{
    struct pci_device *d = pci_device_of(dev);

    reset_config_take(d);
    for (unsigned i = 0; i < PCI_CONFIG_SIZE; i++) {
        uint8_t m = d->wmask[i] | d->w1cmask[i];

        d->config[i] = (d->config[i] & ~m) | (d->reset_config[i] & m);
    }
    pci_msi_reset(d);
    pci_msix_reset(d);
    pci_set_irq(d, false);
    config_apply(d, 0, PCI_CONFIG_SIZE, true);
}

/* ---- properties ---- */

/* addr: "slot[.fn]", both hexadecimal */
static bool addr_set(struct device *dev, const struct property *p, void *field, const char *value, Error **errp)
{
    g_auto(GStrv) part = g_strsplit(value, ".", 3);
    uint64_t v[2] = { 0, 0 };
    unsigned n = g_strv_length(part);
    bool ok = n == 1 || n == 2;

    for (unsigned i = 0; ok && i < n; i++) {
        char *end;

        ok = g_ascii_isxdigit(part[i][0]);
        v[i] = g_ascii_strtoull(part[i], &end, 16);
        ok = ok && *end == '\0';
    }
    if (!ok || v[0] > 31 || v[1] > 7) {
        prop_error_value(errp, dev, p, value);
        return false;
    }
    *(int32_t *)field = PCI_DEVFN(v[0], v[1]);
    return true;
}

static char *addr_get(struct device *dev, const struct property *p, const void *field)
{
    int32_t devfn = *(const int32_t *)field;

    if (dev->realized) {
        devfn = pci_device_of(dev)->devfn;
    }
    return devfn < 0 ? g_strdup("<unset>") : g_strdup_printf("%02x.%x", PCI_SLOT(devfn), PCI_FUNC(devfn));
}

/* Any address once realized is fixed; before, -1 stands for "next free", which text cannot express. */
static bool addr_default_set(struct device *dev, const struct property *p, void *field, const char *value, Error **errp)
{
    if (strcmp(value, "-1") == 0) {
        *(int32_t *)field = -1;
        return true;
    }
    return addr_set(dev, p, field, value, errp);
}

static const struct prop_kind prop_pci_addr = { .name = "str", .set = addr_default_set, .get = addr_get };

#define P(f) offsetof(struct pci_device, f)
static const struct property pci_props[] = {
    { "addr", &prop_pci_addr, P(addr), "-1", "Slot and optional function number, example: 06.0 or 06" },
    { "romfile", &prop_str, P(romfile), NULL, "Option ROM file" },
    { "romsize", &prop_uint32, P(romsize), "4294967295" },
    { "rombar", &prop_int32, P(rombar), "-1" },
    { "multifunction", &prop_bool, P(multifunction), "off", "on/off" },
    { "failover_pair_id", &prop_str, P(failover_pair_id) },
    { "acpi-index", &prop_uint32, P(acpi_index), "0" },
    { "sriov-pf", &prop_str, P(sriov_pf) },
    { "x-max-bounce-buffer-size", &prop_size, P(x_max_bounce), "4096" },
    { "x-pcie-lnksta-dllla", &prop_bool, P(x_compat[0]), "on", "on/off" },
    { "x-pcie-extcap-init", &prop_bool, P(x_compat[1]), "on", "on/off" },
    { "x-pcie-err-unc-mask", &prop_bool, P(x_compat[2]), "on", "on/off" },
    { "command_serr_enable", &prop_bool, P(x_compat[3]), "on", "on/off" },
    { NULL },
};
#undef P

static void pci_describe(struct device *dev, GString *out, unsigned indent)
{
    struct pci_device *d = pci_device_of(dev);

    if (!d->bus) {
        return;
    }
    g_string_append_printf(out, "%*sclass %04x, addr %02x:%02x.%x, pci id %04x:%04x (sub %04x:%04x)\n", indent, "",
                           ld_le16(d->config + PCI_CLASS_DEVICE), d->bus->num, PCI_SLOT(d->devfn), PCI_FUNC(d->devfn),
                           ld_le16(d->config + PCI_VENDOR_ID), ld_le16(d->config + PCI_DEVICE_ID),
                           ld_le16(d->config + PCI_SUBSYSTEM_VENDOR_ID), ld_le16(d->config + PCI_SUBSYSTEM_ID));
    if (d->msi || d->msix) {
        g_string_append_printf(out, "%*sinterrupts: %s, %" PRIu64 " messages, %" PRIu64 " lost\n", indent, "",
                               msix_enabled(d) ? "MSI-X" : msi_enabled(d) ? "MSI" : "INTx", d->msi_sent, d->msi_lost);
    }
    for (unsigned n = 0; n <= PCI_ROM_BAR; n++) {
        const struct pci_bar *b = &d->bars[n];

        if (b->region) {
            g_string_append_printf(out, "%*sbar %u: %s at 0x%" PRIx64 " [0x%" PRIx64 "]\n", indent, "", n,
                                   b->type & PCI_BAR_IO ? "i/o" : "mem", b->addr, b->addr + b->size - 1);
        }
    }
}

const struct device_type pci_device_type = {
    .name = "pci-device",
    .bus = "PCI",
    .size = sizeof(struct pci_device),
    .vmsd = &vmstate_pci_device,
    .props = pci_props,
    .category = DEVICE_CAT_MISC,
    .abstract = true,
    .realize = pci_realize,
    .unrealize = pci_unrealize,
    .reset = pci_reset,
    .describe = pci_describe,
};

void hw_pci_register_types(void)
{
    device_type_register(&pci_device_type);
    device_type_register(&i440fx_type);
}
