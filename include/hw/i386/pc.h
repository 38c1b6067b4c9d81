/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/i386/pc.h - the board "pc": i440FX and PIIX3, everything soldered to it, and the way a kernel is started on it
 *
 * pc_new() builds the machine and opens the kernel. The caller adds its -device devices to pc_pci_bus() and
 * pc_isa_bus(), then calls pc_boot_init() once: that loads the kernel and resets the machine, which assigns PCI
 * resources, leaves the chips as firmware would and sets the CPU to the kernel's entry. Each later reset_run() puts
 * everything back to power-on state and loads the kernel again. Machine lock held throughout.
 */
#ifndef HW_I386_PC_H
#define HW_I386_PC_H

#include "chardev/chardev.h"
#include "core/irq.h"
#include "hw/isa/isa.h"
#include "hw/pci/pci.h"
#include "target/x86/cpu.h"

#define PC_SERIALS 4
#define PC_MACHINE_NAME "pc-i440fx-11.1"        /* in -machine help, query-machines and SMBIOS */
#define PC_MACHINE_DESC "Standard PC (i440FX + PIIX, 1996)"
#define PC_CPUS_MAX 1           /* what works today; the board itself is written for more */

struct pc_config {
    uint64_t ram_size;          /* bytes; 0: 128 MiB */
    const char *kernel, *initrd, *append;   /* NULL: none */
    bool no_kernel_decompress, no_kernel_cache;     /* see struct boot_config */
    const char *cpu;            /* as in -cpu; NULL: no CPU (test server) */
    unsigned cpus;              /* 0: 1 */
    const struct x86_engine_opts *engine;   /* NULL: the interpreter */
    struct chardev *serial[PC_SERIALS];     /* NULL: nothing behind the port */
    bool serial_port[PC_SERIALS];           /* the port exists, also without chardev */
    bool default_vga;
    bool no_hpet, no_acpi;
    bool rtc_virtual;           /* the date counts virtual time, not the host's */
    bool rtc_localtime;         /* shows local time, not UTC */
    int64_t rtc_date;           /* seconds since 1970 to show at the start; -1: the host's */
    const char *uuid;           /* 36 characters, or NULL */
};

struct pc;
struct fw_cfg;

/** pc_new() - NULL with *errp naming what is wrong; hw_board_register_types() must have been called */
struct pc *pc_new(const struct pc_config *cfg, Error **errp);
/** pc_boot_init() - all devices are there: load the kernel (if any) and reset the machine for its first start */
bool pc_boot_init(struct pc *pc, Error **errp);
/** pc_free() - frees all devices too (device_free_all()); NULL is fine */
void pc_free(struct pc *pc);

unsigned pc_cpus(const struct pc *pc);
/** pc_cpu() - NULL without CPU */
struct x86_cpu *pc_cpu(struct pc *pc, unsigned n);
struct addr_space *pc_memory(struct pc *pc);
struct addr_space *pc_io(struct pc *pc);
struct pci_bus *pc_pci_bus(struct pc *pc);
struct isa_bus *pc_isa_bus(struct pc *pc);
struct fw_cfg *pc_fw_cfg(struct pc *pc);
uint64_t pc_ram_size(const struct pc *pc);
/** pc_ioapic_pins() - the inputs of the I/O APIC, for the test server's irq_intercept_in */
struct irq *pc_ioapic_pins(struct pc *pc, unsigned *n);

/* Monitor */
void pc_print_irq(struct pc *pc, GString *out);     /* "info irq": how often each line was raised */
void pc_print_pic(struct pc *pc, GString *out);     /* "info pic" */
void pc_print_lapic(struct pc *pc, unsigned cpu, GString *out);     /* "info lapic" */
void pc_print_screen(struct pc *pc, GString *out);  /* the VGA's text page; nothing without one */

/**
 * hw_board_register_types() - everything in hw/{i386,isa,intc,timer,char,input,display}; after hw_pci_register_types()
 */
void hw_board_register_types(void);

#endif
