/* SPDX-License-Identifier: BSD-2-Clause */
/* hw/i386/acpi_internal.h - between acpi.c and acpi_dsdt.c */
#ifndef HW_I386_ACPI_INTERNAL_H
#define HW_I386_ACPI_INTERNAL_H

#include <glib.h>
#include <stdint.h>

/** acpi_table_begin() - a byte array with room for the common header (ACPI 6.3, 5.2.6) */
GByteArray *acpi_table_begin(void);
/** acpi_table_end() - fill in the header: signature, length, revision, checksum */
void acpi_table_end(GByteArray *t, const char signature[4], uint8_t revision);

#endif
