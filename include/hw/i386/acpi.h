/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/i386/acpi.h - the ACPI tables and the SMBIOS tables of the board, built as bytes
 *
 * Both builders make one blob that is to lie at a stated address below 1 MiB; all pointers in it are final.
 */
#ifndef HW_I386_ACPI_H
#define HW_I386_ACPI_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* What the tables describe */
struct acpi_info {
    unsigned cpus;
    uint64_t pci_mem_base;      /* first address above low RAM: the PCI window runs from here to 0xFEBFFFFF */
    bool hpet, vga;
    uint8_t serial;             /* bit n: COM(n + 1) is there */
};

/** acpi_build() - RSDP at offset 0, then FACS, DSDT, FADT, MADT, HPET, RSDT, XSDT; @base is a multiple of 64 */
GByteArray *acpi_build(const struct acpi_info *info, uint32_t base);

/** acpi_dsdt_build() - the DSDT alone, header and checksum included (tests) */
GByteArray *acpi_dsdt_build(const struct acpi_info *info);

struct smbios_info {
    unsigned cpus;
    uint64_t ram_size;
    const char *product, *version;
    const char *uuid;           /* 36 characters, or NULL */
};

/** smbios_parse_uuid() - 36 characters of a checked UUID to 16 bytes in the order they are written */
void smbios_parse_uuid(const char *text, uint8_t out[16]);

/** smbios_build() - entry point at offset 0, then the structures; @base is a multiple of 16 in 0xF0000..0xFFFFF */
GByteArray *smbios_build(const struct smbios_info *info, uint32_t base);

#endif
