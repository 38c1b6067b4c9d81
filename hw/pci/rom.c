/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/pci/rom.c - option ROM: romfile= as a read-only memory behind the ROM BAR (PCI 3.0 sections 6.2.5.2, 6.3)
 *
 * The file is read once, at realize, into a block of the next power of two, filled up with ones. A file's PCI data
 * structure may name another chip of the same family (one ROM serves several models): then the ids in it are replaced
 * by ours and the image's checksum is made right again, because firmware compares them.
 */
#include "hw/pci/internal.h"
#include "lib/bits.h"
#include "mem/ram.h"

#include <string.h>

#define ROM_MIN (2 * KiB)
#define ROM_MAX (16 * MiB)

/* @name as it is; without a '/', also in the bus's directories. NULL: nowhere */
static char *rom_find(const struct pci_bus *b, const char *name)
{
    if (g_file_test(name, G_FILE_TEST_IS_REGULAR)) {
        return g_strdup(name);
    }
    for (unsigned i = 0; !strchr(name, '/') && b->rom_dirs && b->rom_dirs[i]; i++) {
        g_autofree char *path = g_build_filename(b->rom_dirs[i], name, NULL);

        if (g_file_test(path, G_FILE_TEST_IS_REGULAR)) {
            return g_steal_pointer(&path);
        }
    }
    return NULL;
}

/* Section 6.3.1: at 0x18 of an image a pointer to "PCIR", vendor id, device id; a legacy image's bytes sum up to 0 */
static void rom_patch_ids(const struct pci_device *d, uint8_t *rom, uint64_t size)
{
    enum { SIGNATURE = 0xAA55, PCIR_POINTER = 0x18, PCIR_LEN = 0x18, PCIR_VENDOR = 4, CHECKSUM = 6 };
    uint8_t *pcir, sum = 0;

    if (size < 512 || ld_le16(rom) != SIGNATURE || size < (uint64_t)ld_le16(rom + PCIR_POINTER) + PCIR_LEN) {
        return;
    }
    pcir = rom + ld_le16(rom + PCIR_POINTER);
    if (memcmp(pcir, "PCIR", 4) != 0 || ld_le16(pcir + PCIR_VENDOR) != d->info->vendor) {
        return;
    }
    for (unsigned i = 0; i < 2; i++) {
        sum += pcir[PCIR_VENDOR + 2 + i];
    }
    st_le16(pcir + PCIR_VENDOR + 2, d->info->device);
    for (unsigned i = 0; i < 2; i++) {
        sum -= pcir[PCIR_VENDOR + 2 + i];
    }
    rom[CHECKSUM] += sum;
}

static bool rom_size(const struct pci_device *d, gsize len, uint64_t *size, Error **errp)
{
    uint64_t s = ROM_MIN;

    while (s < len) {
        s <<= 1;
    }
    if (d->romsize != UINT32_MAX) {
        if (!is_pow2(d->romsize) || d->romsize < s) {
            error_setg(errp, "ROM size %u is not a power of two that holds the %zu bytes of '%s'", d->romsize,
                       (size_t)len, d->romfile);
            return false;
        }
        s = d->romsize;
    }
    if (len == 0 || s > ROM_MAX) {
        error_setg(errp, "romfile \"%s\" is %s", d->romfile, len ? "too large" : "empty");
        return false;
    }
    *size = s;
    return true;
}

bool pci_rom_load(struct pci_device *d, Error **errp)
{
    g_autofree char *path = NULL;
    g_autofree char *data = NULL;
    gsize len;
    uint64_t size;

    if (!d->romfile || !*d->romfile || d->rombar == 0) {
        return true;
    }
    path = rom_find(d->bus, d->romfile);
    if (!path) {
        error_setg(errp, "failed to find romfile \"%s\"", d->romfile);
        return false;
    }
    if (!g_file_get_contents(path, &data, &len, NULL)) {
        error_setg(errp, "failed to load romfile \"%s\"", d->romfile);
        return false;
    }
    if (!rom_size(d, len, &size, errp)) {
        return false;
    }
    d->rom = ram_new("pci.rom", align_up(size, RAM_PAGE_SIZE), errp);
    if (!d->rom) {
        return false;
    }
    memset(d->rom->host, 0xFF, d->rom->size);
    memcpy(d->rom->host, data, len);
    rom_patch_ids(d, d->rom->host, len);
    region_init_ram(&d->rom_region, "pci.rom", d->rom, true);
    d->rom_region.size = size;
    pci_bar(d, PCI_ROM_BAR, PCI_BAR_MEM32, &d->rom_region);
    return true;
}

void pci_rom_free(struct pci_device *d)
{
    if (d->rom) {
        region_fini(&d->rom_region);
        ram_free(d->rom);
        d->rom = NULL;
    }
}
