/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/i386/pc_start.c - what a firmware would do before a kernel runs, and starting the kernel
 *
 * With a kernel given there is no firmware: at each reset, after the devices', shadow RAM is switched on, the interrupt
 * controllers are set up for virtual wire mode, PIRQs are routed to 10 and 11, BARs placed, tables written, the kernel
 * loaded and the CPU put at its entry. Interrupt numbers in INTERRUPT_LINE, PIRQRC, ELCR, MADT and _PRT agree.
 */
#include "core/reset.h"
#include "core/runstate.h"
#include "hw/i386/acpi.h"
#include "hw/i386/pc_internal.h"
#include "lib/bits.h"
#include "lib/bytes.h"

enum { ACPI_AT = 0xF0000, SMBIOS_AT = 0xF8000, TABLES_END = 0x100000 };
enum { IO_WINDOW = 0xC000, IO_WINDOW_END = 0x10000 };
#define MEM_WINDOW_END 0xFEC00000u

static const uint8_t pirq_irqs[PIRQS] = { 10, 10, 11, 11 };

/* ---- chips ---- */

static void out8(struct pc *pc, unsigned port, uint8_t v)
{
    space_write(&pc->io, port, v, 1);
}

/* As a BIOS programs the 8259s: vectors 08 and 70; everything masked, as a kernel that wants one enables it */
static void setup_pic(struct pc *pc)
{
    static const uint8_t base[2] = { 0x20, 0xA0 }, icw2[2] = { 0x08, 0x70 }, icw3[2] = { 0x04, 0x02 };

    for (unsigned i = 0; i < 2; i++) {
        out8(pc, base[i], 0x11);
        out8(pc, base[i] + 1, icw2[i]);
        out8(pc, base[i] + 1, icw3[i]);
        out8(pc, base[i] + 1, 0x01);
        out8(pc, base[i] + 1, 0xFF);
    }
}

/* PIRQ routes, and level-triggered inputs for them and the SCI */
static void setup_irq_routing(struct pc *pc)
{
    uint16_t elcr = BIT(PM_SCI_IRQ);

    for (unsigned i = 0; i < PIRQS; i++) {
        pci_config_write(&pc->piix3->pci, PIIX3_PIRQRCA + i, pirq_irqs[i], 1);
        elcr |= BIT(pirq_irqs[i]);
    }
    out8(pc, 0x4D0, elcr & 0xFF);
    out8(pc, 0x4D1, elcr >> 8);
}

static uint8_t irq_line(void *opaque, int irq)
{
    return pirq_irqs[irq];
}

static void setup_pci(struct pc *pc)
{
    const struct pci_windows w = {
        .io_base = IO_WINDOW, .io_end = IO_WINDOW_END,
        .mem_base = pc->below_4g > 0xE0000000 ? pc->below_4g : MAX(pc->below_4g, 0xC0000000u),
        .mem_end = MEM_WINDOW_END,
        .irq_line = irq_line,
    };

    pci_config_write(&pc->i440fx->pci, I440FX_PAM0, 0x30, 1);
    for (unsigned reg = I440FX_PAM0 + 1; reg <= I440FX_PAM6; reg++) {
        pci_config_write(&pc->i440fx->pci, reg, 0x33, 1);
    }
    pci_assign_resources(&pc->host->bus, &w);
    piix4_pm_firmware_setup(pc->pm);
}

static void setup_chips(struct pc *pc)
{
    region_batch_begin();
    setup_pci(pc);
    region_batch_end();
    setup_irq_routing(pc);
    setup_pic(pc);
    for (unsigned i = 0; i < pc->ncpus; i++) {
        apic_virtual_wire(pc->cpu[i].apic);
    }
}

/* ---- tables ---- */

static void put_table(struct pc *pc, uint32_t at, uint32_t end, GByteArray *t)
{
    if (t->len <= end - at) {
        memcpy(pc->ram->host + at, t->data, t->len);
        ram_written(pc->ram, at, t->len);
    } else {
        warn_report("no room for %u bytes of tables at 0x%x", t->len, at);
    }
    g_byte_array_free(t, TRUE);
}

static void write_tables(struct pc *pc)
{
    struct acpi_info acpi = {
        .cpus = pc->ncpus, .pci_mem_base = pc->below_4g, .hpet = pc->hpet, .vga = pc->vga, .serial = pc->serial_mask,
    };
    struct smbios_info smbios = {
        .cpus = pc->ncpus, .ram_size = pc->ram_size, .product = PC_MACHINE_DESC,
        .version = PC_MACHINE_NAME,
        .uuid = pc->uuid,
    };

    if (!pc->no_acpi) {
        put_table(pc, ACPI_AT, SMBIOS_AT, acpi_build(&acpi, ACPI_AT));
    }
    put_table(pc, SMBIOS_AT, TABLES_END, smbios_build(&smbios, SMBIOS_AT));
}

/* ---- the kernel ---- */

/* @first: nothing has run yet */
static bool load(struct pc *pc, bool first, Error **errp)
{
    struct x86_cpu *cpu = pc->cpu[0].x86;
    const struct boot_machine m = {
        .ram = pc->ram, .below_4g = pc->below_4g, .above_4g = pc->above_4g, .e820 = pc->e820, .ne820 = pc->ne820,
        .rsdp = pc->no_acpi ? 0 : ACPI_AT, .vga = pc->vga,
        .long_mode = cpu && x86_cpu_has_feature(cpu, "lm"), .la57 = cpu && x86_cpu_has_feature(cpu, "la57"),
        .ram_is_zero = first,
    };

    return boot_load(pc->boot, &m, &pc->entry, errp);
}

static void start_cpu(struct pc *pc)
{
    const struct boot_entry *e = &pc->entry;

    if (pc->cpu[0].x86) {
        x86_cpu_start_flat32(pc->cpu[0].x86, e->eip, e->eax, e->ebx, e->esi, e->gdt_base, e->gdt_limit, e->cs_sel,
                             e->ds_sel);
    }
}

void pc_start_reset(void *opaque)
{
    struct pc *pc = opaque;
    Error *err = NULL;

    pc_cpus_reset(pc);
    if (!pc->boot) {
        return;
    }
    setup_chips(pc);
    write_tables(pc);
    if (!pc->loaded && !load(pc, false, &err)) {
        error_report_err(err);
        runstate_set_exit_status(1);
        runstate_request_shutdown(SHUTDOWN_HOST_ERROR);
        return;
    }
    pc->loaded = false;                     /* the next reset loads again */
    start_cpu(pc);
}

/* ---- fw_cfg ---- */

struct e820_wire { le64 addr, size; le32 type; } __attribute__((packed));
static_assert(sizeof(struct e820_wire) == 20, "guest-visible layout");

static bool fill_fw_cfg(struct pc *pc, Error **errp)
{
    struct e820_wire map[PC_E820_MAX];
    uint8_t uuid[16] = { 0 };

    for (unsigned i = 0; i < pc->ne820; i++) {
        map[i] = (struct e820_wire){ le64_of(pc->e820[i].addr), le64_of(pc->e820[i].size), le32_of(pc->e820[i].type) };
    }
    if (pc->uuid) {
        smbios_parse_uuid(pc->uuid, uuid);
    }
    fw_cfg_set(pc->fw_cfg, FW_CFG_UUID, uuid, sizeof(uuid));
    fw_cfg_set_u64(pc->fw_cfg, FW_CFG_RAM_SIZE, pc->ram_size);
    fw_cfg_set_u16(pc->fw_cfg, FW_CFG_NOGRAPHIC, !pc->vga);
    fw_cfg_set_u16(pc->fw_cfg, FW_CFG_NB_CPUS, pc->ncpus);
    fw_cfg_set_u16(pc->fw_cfg, FW_CFG_MAX_CPUS, pc->ncpus);
    fw_cfg_set_u16(pc->fw_cfg, FW_CFG_BOOT_MENU, 0);
    return fw_cfg_set_file(pc->fw_cfg, "etc/e820", map, pc->ne820 * sizeof(map[0]), errp);
}

bool pc_start_init(struct pc *pc, const struct pc_config *cfg, Error **errp)
{
    const struct boot_config b = {
        cfg->kernel, cfg->initrd, cfg->append, cfg->no_kernel_decompress, cfg->no_kernel_cache,
    };

    pc->no_acpi = cfg->no_acpi;
    pc->uuid = g_strdup(cfg->uuid);
    if (!fill_fw_cfg(pc, errp)) {
        return false;
    }
    if (!cfg->kernel) {
        if (cfg->initrd || cfg->append) {
            error_setg(errp, cfg->initrd ? "-initrd only allowed with -kernel option"
                                         : "-append only allowed with -kernel option");
            return false;
        }
        return true;
    }
    pc->boot = boot_open(&b, errp);
    return pc->boot != NULL;
}

bool pc_boot_init(struct pc *pc, Error **errp)
{
    if (pc->boot) {
        if (!load(pc, true, errp)) {
            return false;
        }
        pc->loaded = true;
    }
    reset_run();
    return true;
}

void pc_start_fini(struct pc *pc)
{
    g_clear_pointer(&pc->uuid, g_free);
    boot_close(g_steal_pointer(&pc->boot));
}
