/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/i386/acpi.c - RSDP, RSDT, XSDT, FADT, FACS, MADT, HPET (ACPI 6.3, 5.2; tables in the layout of ACPI 2.0)
 *
 * The tables say what the board has, from the same constants that the devices use: PM registers at 0x600 (piix.h),
 * SCI 9, I/O APIC with ISA interrupts one to one except 0 -> 2, and the PCI interrupts 5, 9, 10, 11 as active-high
 * levels.
 */
#include "hw/i386/acpi.h"
#include "hw/i386/acpi_internal.h"
#include "hw/i386/aml.h"
#include "hw/i386/piix.h"
#include "hw/intc/apic.h"
#include "hw/intc/ioapic.h"
#include "hw/timer/hpet.h"
#include "hw/timer/mc146818rtc.h"
#include "lib/bits.h"
#include "lib/bytes.h"
#include <string.h>

enum { HEADER_SIZE = 36, HEADER_LENGTH = 4, HEADER_CHECKSUM = 9 };
enum { SPACE_MEMORY = 0, SPACE_IO = 1 };

static uint8_t checksum(const uint8_t *p, size_t len)
{
    uint8_t sum = 0;

    for (size_t i = 0; i < len; i++) {
        sum += p[i];
    }
    return -sum;
}

GByteArray *acpi_table_begin(void)
{
    GByteArray *t = g_byte_array_new();

    g_byte_array_set_size(t, HEADER_SIZE);
    memset(t->data, 0, HEADER_SIZE);
    return t;
}

void acpi_table_end(GByteArray *t, const char signature[4], uint8_t revision)
{
    uint8_t *h = t->data;

    memcpy(h, signature, 4);
    st_le32(h + HEADER_LENGTH, t->len);
    h[8] = revision;
    memcpy(h + 10, "PTCHBY", 6);
    memcpy(h + 16, "PATCHBAY", 8);
    st_le32(h + 24, 1);
    memcpy(h + 28, "PTCH", 4);
    st_le32(h + 32, 1);
    h[HEADER_CHECKSUM] = 0;
    h[HEADER_CHECKSUM] = checksum(h, t->len);
}

/* Generic address structure, 5.2.3.2 */
static void gas(GByteArray *t, uint8_t space, uint8_t bits, uint8_t access, uint64_t addr)
{
    aml_byte(t, space);
    aml_byte(t, bits);
    aml_byte(t, 0);
    aml_byte(t, access);
    aml_bytes(t, 8, addr);
}

/* 5.2.9 */
enum {
    FADT_WBINVD = 1 << 0, FADT_PROC_C1 = 1 << 2, FADT_SLP_BUTTON = 1 << 5, FADT_FIX_RTC = 1 << 6,
    FADT_RESET_REG_SUP = 1 << 10,
};
enum { BOOT_LEGACY = 1 << 0, BOOT_8042 = 1 << 1, BOOT_NO_VGA = 1 << 2 };
enum { RESET_PORT = 0xCF9, RESET_VALUE = 0x06 };

static GByteArray *fadt(const struct acpi_info *info, uint32_t facs, uint32_t dsdt)
{
    GByteArray *t = acpi_table_begin();

    aml_bytes(t, 4, facs);
    aml_bytes(t, 4, dsdt);
    aml_byte(t, 0);
    aml_byte(t, 1);                                 /* preferred profile: desktop */
    aml_bytes(t, 2, PM_SCI_IRQ);
    aml_bytes(t, 4, APM_CNT);                       /* SMI_CMD */
    aml_byte(t, APM_ACPI_ENABLE);
    aml_byte(t, APM_ACPI_DISABLE);
    aml_bytes(t, 2, 0);                             /* S4BIOS_REQ, PSTATE_CNT */
    aml_bytes(t, 4, PM_IO_BASE + PM_PM1_STS);       /* PM1a_EVT_BLK */
    aml_bytes(t, 4, 0);
    aml_bytes(t, 4, PM_IO_BASE + PM_PM1_CNT);       /* PM1a_CNT_BLK */
    aml_bytes(t, 4, 0);
    aml_bytes(t, 4, 0);                             /* PM2_CNT_BLK */
    aml_bytes(t, 4, PM_IO_BASE + PM_TMR);
    aml_bytes(t, 4, PM_IO_BASE + PM_GPE0_STS);
    aml_bytes(t, 4, 0);
    aml_byte(t, 4);                                 /* lengths: PM1_EVT, PM1_CNT, PM2_CNT, PM_TMR, GPE0, GPE1 */
    aml_byte(t, 2);
    aml_byte(t, 0);
    aml_byte(t, 4);
    aml_byte(t, 4);
    aml_byte(t, 0);
    aml_bytes(t, 2, 0);                             /* GPE1_BASE, CST_CNT */
    aml_bytes(t, 2, 0xFFF);                         /* no C2 */
    aml_bytes(t, 2, 0xFFF);                         /* no C3 */
    aml_bytes(t, 4, 0);                             /* FLUSH_SIZE, FLUSH_STRIDE */
    aml_bytes(t, 4, 0);                             /* DUTY_*, DAY_ALRM, MON_ALRM */
    aml_byte(t, CMOS_CENTURY);
    aml_bytes(t, 2, BOOT_LEGACY | BOOT_8042 | (info->vga ? 0 : BOOT_NO_VGA));
    aml_byte(t, 0);
    aml_bytes(t, 4, FADT_WBINVD | FADT_PROC_C1 | FADT_SLP_BUTTON | FADT_FIX_RTC | FADT_RESET_REG_SUP);
    gas(t, SPACE_IO, 8, 1, RESET_PORT);
    aml_byte(t, RESET_VALUE);
    aml_bytes(t, 3, 0);
    aml_bytes(t, 8, 0);                             /* X_FIRMWARE_CTRL: the 32-bit field is used */
    aml_bytes(t, 8, dsdt);
    gas(t, SPACE_IO, 32, 0, PM_IO_BASE + PM_PM1_STS);
    gas(t, 0, 0, 0, 0);
    gas(t, SPACE_IO, 16, 0, PM_IO_BASE + PM_PM1_CNT);
    gas(t, 0, 0, 0, 0);
    gas(t, 0, 0, 0, 0);
    gas(t, SPACE_IO, 32, 0, PM_IO_BASE + PM_TMR);
    gas(t, SPACE_IO, 32, 0, PM_IO_BASE + PM_GPE0_STS);
    gas(t, 0, 0, 0, 0);
    acpi_table_end(t, "FACP", 3);
    return t;
}

/* 5.2.12 */
enum { MADT_LAPIC = 0, MADT_IOAPIC = 1, MADT_OVERRIDE = 2, MADT_LAPIC_NMI = 4 };
enum { MPS_LEVEL_HIGH = 0x0D };

static void override(GByteArray *t, uint8_t source, uint32_t gsi, uint16_t flags)
{
    aml_byte(t, MADT_OVERRIDE);
    aml_byte(t, 10);
    aml_byte(t, 0);
    aml_byte(t, source);
    aml_bytes(t, 4, gsi);
    aml_bytes(t, 2, flags);
}

static GByteArray *madt(const struct acpi_info *info)
{
    static const uint8_t levels[] = { 5, 9, 10, 11 };
    GByteArray *t = acpi_table_begin();

    aml_bytes(t, 4, APIC_BASE);
    aml_bytes(t, 4, 1);                             /* PCAT_COMPAT: 8259s are there too */
    for (unsigned i = 0; i < info->cpus; i++) {
        aml_byte(t, MADT_LAPIC);
        aml_byte(t, 8);
        aml_byte(t, i);
        aml_byte(t, i);
        aml_bytes(t, 4, 1);                         /* enabled */
    }
    aml_byte(t, MADT_IOAPIC);
    aml_byte(t, 12);
    aml_byte(t, 0);
    aml_byte(t, 0);
    aml_bytes(t, 4, IOAPIC_BASE);
    aml_bytes(t, 4, 0);
    override(t, 0, 2, 0);                           /* the interval timer is on pin 2 */
    for (unsigned i = 0; i < ARRAY_LEN(levels); i++) {
        override(t, levels[i], levels[i], MPS_LEVEL_HIGH);
    }
    aml_byte(t, MADT_LAPIC_NMI);
    aml_byte(t, 6);
    aml_byte(t, 0xFF);
    aml_bytes(t, 2, 0);
    aml_byte(t, 1);                                 /* LINT1 */
    acpi_table_end(t, "APIC", 1);
    return t;
}

/* IA-PC HPET 1.0a, 3.2.4 */
static GByteArray *hpet_table(void)
{
    GByteArray *t = acpi_table_begin();

    aml_bytes(t, 4, hpet_event_timer_id());
    gas(t, SPACE_MEMORY, 0, 0, HPET_BASE);
    aml_byte(t, 0);
    aml_bytes(t, 2, 0);
    aml_byte(t, 0);
    acpi_table_end(t, "HPET", 1);
    return t;
}

static GByteArray *facs_table(void)
{
    GByteArray *t = g_byte_array_new();

    g_byte_array_set_size(t, 64);
    memset(t->data, 0, 64);
    memcpy(t->data, "FACS", 4);
    st_le32(t->data + 4, 64);
    t->data[32] = 1;
    return t;
}

/* ---- putting it together ---- */

/* Append a table at the next multiple of 64 and free it. Return: its address. */
static uint32_t place(GByteArray *out, uint32_t base, GByteArray *t)
{
    guint at = (guint)align_up(out->len, 64), old = out->len;

    g_byte_array_set_size(out, at + t->len);
    memset(out->data + old, 0, at - old);
    memcpy(out->data + at, t->data, t->len);
    g_byte_array_free(t, TRUE);
    return base + at;
}

/* RSDT (4-byte pointers) or XSDT (8-byte pointers) */
static GByteArray *root_table(const char *signature, unsigned width, const uint32_t *tables, unsigned n)
{
    GByteArray *t = acpi_table_begin();

    for (unsigned i = 0; i < n; i++) {
        aml_bytes(t, width, tables[i]);
    }
    acpi_table_end(t, signature, 1);
    return t;
}

/* 5.2.5.3 */
static void rsdp(uint8_t p[36], uint32_t rsdt, uint64_t xsdt)
{
    memcpy(p, "RSD PTR ", 8);
    memcpy(p + 9, "PTCHBY", 6);
    p[15] = 2;
    st_le32(p + 16, rsdt);
    st_le32(p + 20, 36);
    st_le64(p + 24, xsdt);
    p[8] = checksum(p, 20);
    p[32] = checksum(p, 36);
}

GByteArray *acpi_build(const struct acpi_info *info, uint32_t base)
{
    GByteArray *out = g_byte_array_new();
    uint32_t tables[3], n = 0, facs, dsdt, rsdt, xsdt;

    g_byte_array_set_size(out, 36);
    memset(out->data, 0, 36);
    facs = place(out, base, facs_table());
    dsdt = place(out, base, acpi_dsdt_build(info));
    tables[n++] = place(out, base, fadt(info, facs, dsdt));
    tables[n++] = place(out, base, madt(info));
    if (info->hpet) {
        tables[n++] = place(out, base, hpet_table());
    }
    rsdt = place(out, base, root_table("RSDT", 4, tables, n));
    xsdt = place(out, base, root_table("XSDT", 8, tables, n));
    rsdp(out->data, rsdt, xsdt);
    return out;
}
