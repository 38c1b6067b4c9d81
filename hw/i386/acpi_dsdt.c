/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/i386/acpi_dsdt.c - the DSDT of the pc board, in AML
 *
 *   \_S5  soft-off
 *   \_SB  PCI0 (PNP0A03, _CRS, _PRT)  ISA (1.0: PIRQ routing registers; keyboard, mouse, clock, serial ports)
 *         LNKA..LNKD  interrupt link devices over the four PIRQ registers      LNKS  the SCI, fixed at 9
 *         HPET, FWCF (configuration channel), MBRD (motherboard resources), CPUs
 *
 * _PRT: pin p of slot s is wired to PIRQ (p + s - 1) mod 4, as the board has it; the power management function, slot 1,
 * has the SCI.
 */
#include "hw/i386/acpi.h"
#include "hw/i386/acpi_internal.h"
#include "hw/i386/aml.h"
#include "hw/i386/piix.h"
#include "hw/timer/hpet.h"
#include "lib/bits.h"

static const uint8_t link_irqs[] = { 5, 10, 11 };
static const uint8_t sci_irq[] = { PM_SCI_IRQ };

enum { STA_PRESENT_DISABLED = 0x09, STA_PRESENT = 0x0B, REGION_PCI_CONFIG = 2 };

static void hid(GByteArray *b, const char *id)
{
    aml_name(b, "_HID");
    aml_eisaid(b, id);
}

/* ---- interrupt routing ---- */

/* Name (NAME, ResourceTemplate () { Interrupt (ResourceConsumer, Level, ActiveHigh, Shared) { irqs } }) */
static void interrupts(GByteArray *b, const char *name, const uint8_t *irqs, unsigned n)
{
    GByteArray *r = aml_resources();

    aml_name(b, name);
    res_interrupts_level(r, irqs, n);
    aml_resources_end(b, r);
}

/*
 * Device (LNKx) {
 *   _STA: If (PRQx & 0x80) { 9 } else 11      _DIS: PRQx |= 0x80
 *   _CRS: the interrupt in PRQx               _SRS: PRQx = the interrupt in Arg0
 * }
 */
static void link_device(GByteArray *b, unsigned n)
{
    g_autofree char *name = g_strdup_printf("LNK%c", 'A' + n), *reg = g_strdup_printf("\\_SB.PCI0.ISA.PRQ%c", 'A' + n);
    static const uint8_t none[1];
    aml_mark dev = aml_device(b, name), m, c;

    hid(b, "PNP0C0F");
    aml_name_int(b, "_UID", n + 1);
    interrupts(b, "_PRS", link_irqs, sizeof(link_irqs));
    interrupts(b, "BUF0", none, 1);

    m = aml_method(b, "_STA", 0);
    c = aml_if(b);
    aml_and(b);
    aml_path(b, reg);
    aml_int(b, PIRQ_OFF);
    aml_no_target(b);
    aml_return(b);
    aml_int(b, STA_PRESENT_DISABLED);
    aml_close(b, c);
    aml_return(b);
    aml_int(b, STA_PRESENT);
    aml_close(b, m);

    m = aml_method(b, "_DIS", 0);
    aml_or(b);
    aml_path(b, reg);
    aml_int(b, PIRQ_OFF);
    aml_path(b, reg);
    aml_close(b, m);

    m = aml_method(b, "_CRS", 0);
    aml_dword_field(b, "BUF0", 5, "IRQN");
    aml_and(b);
    aml_path(b, reg);
    aml_int(b, 0x0F);
    aml_path(b, "IRQN");
    aml_return(b);
    aml_path(b, "BUF0");
    aml_close(b, m);

    m = aml_method(b, "_SRS", 1);
    aml_dword_field_arg(b, 0, 5, "IRQN");
    aml_and(b);
    aml_path(b, "IRQN");
    aml_int(b, 0x0F);
    aml_path(b, reg);
    aml_close(b, m);
    aml_close(b, dev);
}

static void sci_link(GByteArray *b)
{
    aml_mark dev = aml_device(b, "LNKS"), m;

    hid(b, "PNP0C0F");
    aml_name_int(b, "_UID", 5);
    aml_name_int(b, "_STA", STA_PRESENT);
    interrupts(b, "_PRS", sci_irq, 1);
    interrupts(b, "_CRS", sci_irq, 1);
    m = aml_method(b, "_DIS", 0);
    aml_close(b, m);
    m = aml_method(b, "_SRS", 1);
    aml_close(b, m);
    aml_close(b, dev);
}

static void prt(GByteArray *b)
{
    aml_mark all, one;

    aml_name(b, "_PRT");
    all = aml_package(b, 32 * PIRQS);
    for (unsigned slot = 0; slot < 32; slot++) {
        for (unsigned pin = 0; pin < PIRQS; pin++) {
            g_autofree char *link = g_strdup_printf("\\_SB.LNK%c", 'A' + (pin + slot + 3) % PIRQS);

            one = aml_package(b, 4);
            aml_int(b, slot << 16 | 0xFFFF);
            aml_int(b, pin);
            aml_path(b, slot == 1 && pin == 0 ? "\\_SB.LNKS" : link);
            aml_int(b, 0);
            aml_close(b, one);
        }
    }
    aml_close(b, all);
}

/* ---- devices ---- */

static void simple_device(GByteArray *b, const char *name, const char *id, unsigned uid, GByteArray *res)
{
    aml_mark dev = aml_device(b, name);

    hid(b, id);
    aml_name_int(b, "_UID", uid);
    aml_name(b, "_CRS");
    aml_resources_end(b, res);
    aml_close(b, dev);
}

static void isa_devices(GByteArray *b, const struct acpi_info *info)
{
    static const uint16_t ports[] = { 0x3F8, 0x2F8, 0x3E8, 0x2E8 };
    static const uint8_t irqs[] = { 4, 3, 4, 3 };
    GByteArray *r = aml_resources();

    res_io(r, 0x60, 1);
    res_io(r, 0x64, 1);
    res_irq(r, 1);
    simple_device(b, "KBD", "PNP0303", 0, r);
    r = aml_resources();
    res_irq(r, 12);
    simple_device(b, "MOU", "PNP0F13", 0, r);
    r = aml_resources();
    res_io(r, 0x70, 2);
    res_irq(r, 8);
    simple_device(b, "RTC", "PNP0B00", 0, r);
    for (unsigned i = 0; i < ARRAY_LEN(ports); i++) {
        g_autofree char *name = g_strdup_printf("COM%u", i + 1);

        if (info->serial & BIT(i)) {
            r = aml_resources();
            res_io(r, ports[i], 8);
            res_irq(r, irqs[i]);
            simple_device(b, name, "PNP0501", i + 1, r);
        }
    }
}

static void isa_bridge(GByteArray *b, const struct acpi_info *info)
{
    aml_mark dev = aml_device(b, "ISA"), f;

    aml_name_int(b, "_ADR", 0x00010000);
    aml_op_region(b, "PIRR", REGION_PCI_CONFIG, PIIX3_PIRQRCA, PIRQS);
    f = aml_field(b, "PIRR");
    for (unsigned n = 0; n < PIRQS; n++) {
        g_autofree char *reg = g_strdup_printf("PRQ%c", 'A' + n);

        aml_field_unit(b, reg, 8);
    }
    aml_close(b, f);
    isa_devices(b, info);
    aml_close(b, dev);
}

static void host_bridge(GByteArray *b, const struct acpi_info *info)
{
    aml_mark dev = aml_device(b, "PCI0");
    GByteArray *r = aml_resources();

    hid(b, "PNP0A03");
    aml_name_int(b, "_ADR", 0);
    aml_name_int(b, "_UID", 0);
    res_bus_numbers(r, 0, 255);
    res_io(r, 0xCF8, 8);
    res_word_io(r, 0x0000, 0x0CF7);
    res_word_io(r, 0x0D00, 0xFFFF);
    res_dword_memory(r, 0xA0000, 0xBFFFF);
    res_dword_memory(r, info->pci_mem_base, 0xFEBFFFFF);
    aml_name(b, "_CRS");
    aml_resources_end(b, r);
    prt(b);
    isa_bridge(b, info);
    aml_close(b, dev);
}

static void system_devices(GByteArray *b, const struct acpi_info *info)
{
    GByteArray *r;
    aml_mark dev;

    if (info->hpet) {
        r = aml_resources();
        res_memory32(r, HPET_BASE, 0x400);
        simple_device(b, "HPET", "PNP0103", 0, r);
    }
    r = aml_resources();
    res_io(r, PM_IO_BASE, PM_SIZE);
    res_io(r, APM_CNT, 2);
    res_io(r, 0x4D0, 2);
    res_io(r, 0x92, 1);
    res_memory32(r, 0xFEC00000, 0x1000);
    res_memory32(r, 0xFEE00000, 0x1000);
    simple_device(b, "MBRD", "PNP0C02", 0, r);

    dev = aml_device(b, "FWCF");
    aml_name(b, "_HID");
    aml_string(b, "QEMU0002");
    aml_name_int(b, "_STA", STA_PRESENT);
    r = aml_resources();
    res_io(r, 0x510, 12);
    aml_name(b, "_CRS");
    aml_resources_end(b, r);
    aml_close(b, dev);

    for (unsigned i = 0; i < info->cpus; i++) {
        g_autofree char *name = g_strdup_printf("C%03X", i);

        dev = aml_device(b, name);
        aml_name(b, "_HID");
        aml_string(b, "ACPI0007");
        aml_name_int(b, "_UID", i);
        aml_close(b, dev);
    }
}

GByteArray *acpi_dsdt_build(const struct acpi_info *info)
{
    GByteArray *b = acpi_table_begin();
    aml_mark sb, s5;

    sb = aml_scope(b, "\\_SB");
    host_bridge(b, info);
    for (unsigned n = 0; n < PIRQS; n++) {
        link_device(b, n);
    }
    sci_link(b);
    system_devices(b, info);
    aml_close(b, sb);

    aml_name(b, "\\_S5");
    s5 = aml_package(b, 4);
    for (unsigned i = 0; i < 4; i++) {
        aml_int(b, i < 2 ? PM_SLP_TYP_S5 : 0);
    }
    aml_close(b, s5);
    acpi_table_end(b, "DSDT", 2);
    return b;
}
