/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/pci/host.c - configuration mechanism #1 (PCI 3.0 section 3.2.2.3.2)
 *
 * CONFIG_ADDRESS (0xCF8, dword accesses only)      CONFIG_DATA (0xCFC..0xCFF, any size)
 *   31      enable
 *   30:24   reserved, 0
 *   23:16   bus    15:11 device    10:8 function    7:2 register
 *   1:0     0 on real chips; kept here and ored to the data port's offset, because device test suites write a full
 *           register number and then always access 0xCFC
 * Byte and word accesses to 0xCF8 are not ours: 0xCF9 is the reset control register of the south bridge.
 */
#include "hw/pci/host.h"
#include "lib/bits.h"

enum { CONFIG_ADDRESS = 0xCF8, CONFIG_DATA = 0xCFC, RESET_CONTROL = 1 /* offset from CONFIG_ADDRESS */ };
#define CONFIG_ENABLE   0x80000000u
#define CONFIG_WRITABLE 0x80FFFFFFu

static uint64_t addr_read(void *opaque, uint64_t off, unsigned size)
{
    struct pci_host *h = opaque;

    if (off == RESET_CONTROL && size == 1 && h->rcr_read) {
        return h->rcr_read(h->rcr_opaque);
    }
    return off == 0 && size == 4 ? h->config_addr : bits_mask(8 * size);
}

static void addr_write(void *opaque, uint64_t off, uint64_t val, unsigned size)
{
    struct pci_host *h = opaque;

    if (off == 0 && size == 4) {
        h->config_addr = val & CONFIG_WRITABLE;
    } else if (off == RESET_CONTROL && size == 1 && h->rcr_write) {
        h->rcr_write(h->rcr_opaque, val);
    }
}

static uint64_t data_read(void *opaque, uint64_t off, unsigned size)
{
    struct pci_host *h = opaque;
    uint32_t a = h->config_addr;

    if (!(a & CONFIG_ENABLE)) {
        return bits_mask(8 * size);
    }
    return pci_config_cycle_read(h->bus, a >> 16, a >> 8, (a & 0xFF) | (off & 3), size);
}

static void data_write(void *opaque, uint64_t off, uint64_t val, unsigned size)
{
    struct pci_host *h = opaque;
    uint32_t a = h->config_addr;

    if (a & CONFIG_ENABLE) {
        pci_config_cycle_write(h->bus, a >> 16, a >> 8, (a & 0xFF) | (off & 3), val, size);
    }
}

static const struct region_ops addr_ops = { addr_read, addr_write, 1, 4 };
static const struct region_ops data_ops = { data_read, data_write, 1, 4 };

void pci_host_init(struct pci_host *h, struct pci_bus *root, struct region *io)
{
    h->bus = root;
    h->config_addr = 0;
    region_init_io(&h->addr_io, "pci-conf-idx", 4, &addr_ops, h);
    region_init_io(&h->data_io, "pci-conf-data", 4, &data_ops, h);
    region_add(io, CONFIG_ADDRESS, &h->addr_io, 0);
    region_add(io, CONFIG_DATA, &h->data_io, 0);
}

void pci_host_fini(struct pci_host *h)
{
    region_fini(&h->data_io);
    region_fini(&h->addr_io);
}

void pci_host_reset(struct pci_host *h)
{
    h->config_addr = 0;
}
