/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/i386/pc_internal.h - the board's own structure, for the files that build it
 *
 * pc.c: life, accessors; pc_mem.c: memory map; pc_devices.c: chips and wires; pc_cpu.c: CPUs and their pins;
 * pc_start.c: what firmware would do, and the kernel.
 */
#ifndef HW_I386_PC_INTERNAL_H
#define HW_I386_PC_INTERNAL_H

#include "hw/char/serial.h"
#include "hw/display/vga.h"
#include "hw/i386/boot.h"
#include "hw/i386/fw_cfg.h"
#include "hw/i386/pc.h"
#include "hw/i386/piix.h"
#include "hw/input/i8042.h"
#include "hw/intc/apic.h"
#include "hw/intc/i8259.h"
#include "hw/intc/ioapic.h"
#include "hw/pci/host.h"
#include "hw/pci/i440fx.h"
#include "hw/timer/hpet.h"
#include "hw/timer/i8254.h"
#include "hw/timer/mc146818rtc.h"

#define PC_GSIS 24
#define PC_E820_MAX 8

/* The i440FX as provider of bus and configuration ports */
struct pc_host {
    struct device dev;          /* first member */
    struct pc *pc;
    struct pci_bus bus;
    struct pci_host host;
};

struct pc_cpu {
    struct pc *pc;
    unsigned n;
    struct x86_cpu *x86;        /* NULL: test server */
    struct apic *apic;
};

struct pc {
    /* memory map */
    struct ram_block *ram, *bios;
    uint64_t ram_size, below_4g, above_4g;
    struct region mem_root, io_root, pci_mem;
    struct region ram_rw, ram_ro;               /* all RAM, as targets of the windows below */
    struct region low, high, above;             /* 0..640K, 1M.., 4G.. */
    struct region pam[PAM_AREAS];
    struct region bios_rom;
    struct addr_space mem, io;
    bool spaces;                                /* initialised */
    struct e820_entry e820[PC_E820_MAX];
    unsigned ne820;

    /* chips; freed by device_free_all() */
    struct pc_host *host;
    struct i440fx *i440fx;
    struct piix3 *piix3;
    struct piix4_pm *pm;
    struct i8259 *pic;
    struct ioapic *ioapic;
    struct i8254 *pit;
    struct mc146818rtc *rtc;
    struct hpet *hpet;
    struct i8042 *kbc;
    struct vga *vga;
    struct fw_cfg *fw_cfg;
    struct irq gsi[PC_GSIS];
    uint32_t gsi_level;
    bool rtc_localtime;                         /* what the RTC shows is not UTC */
    struct irq intr;                            /* output of the 8259 */
    struct region port80, port_f0;
    uint8_t post_code[16];
    uint8_t serial_mask;

    /* CPUs */
    unsigned ncpus;
    struct pc_cpu *cpu;
    struct apic_bus apics;

    /* start */
    struct boot *boot;
    struct boot_entry entry;
    bool loaded;                                /* by pc_new(), not yet started */
    bool no_acpi;
    char *uuid;                                 /* or NULL */
};

bool pc_mem_init(struct pc *pc, const struct pc_config *cfg, Error **errp);
void pc_mem_fini(struct pc *pc);
/** pc_pam_changed() - hook of the i440FX */
void pc_pam_changed(void *opaque, const struct pam_area areas[PAM_AREAS], uint8_t smram);

bool pc_cpus_init(struct pc *pc, const struct pc_config *cfg, Error **errp);
void pc_cpus_fini(struct pc *pc);
void pc_cpus_reset(struct pc *pc);
void pc_set_a20(void *opaque, bool on);

bool pc_devices_init(struct pc *pc, const struct pc_config *cfg, Error **errp);
void pc_devices_fini(struct pc *pc);

bool pc_start_init(struct pc *pc, const struct pc_config *cfg, Error **errp);
void pc_start_fini(struct pc *pc);
/** pc_start_reset() - the machine's reset, after that of the devices */
void pc_start_reset(void *opaque);

/** pc_host_bridge_type - provider of the PCI bus */
extern const struct device_type pc_host_bridge_type;

#endif
