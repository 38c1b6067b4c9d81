/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/i386/boot_internal.h - between boot.c, boot_linux.c and boot_elf.c
 *
 * Low memory while booting:
 *   0x00400  BIOS data area (EBDA pointer, base memory size)
 *   0x01000  GDT        0x02000  boot_params, multiboot info or hvm_start_info
 *   0x03000  memory map, module list        0x10000..0x8FFFF  command line
 *   0x9FC00  EBDA       0xF0000  ACPI and SMBIOS tables
 */
#ifndef HW_I386_BOOT_INTERNAL_H
#define HW_I386_BOOT_INTERNAL_H

#include "hw/i386/boot.h"

enum {
    BOOT_GDT = 0x1000, BOOT_INFO = 0x2000, BOOT_LISTS = 0x3000, BOOT_LISTS_END = 0x10000, BOOT_CMDLINE = 0x10000,
    BOOT_CMDLINE_END = 0x90000, BOOT_LOW_END = 0x9FC00, BOOT_HIGH_START = 0x100000,
};

#define BOOT_MODULES_MAX 64

struct boot_module {
    struct boot_file file;
    char *path;
    char *cmdline;
    uint64_t addr;              /* where boot_load() put it */
};

struct boot {
    enum boot_kind kind;
    struct boot_file kernel;
    char *kernel_path, *append;
    struct linux_image linux_img;
    struct elf_image elf;
    struct boot_module mod[BOOT_MODULES_MAX];
    unsigned nmod;
};

/** boot_bytes() - host address of guest RAM [addr, addr + len), or NULL with an error that says what should go there */
uint8_t *boot_bytes(const struct boot_machine *m, uint64_t addr, uint64_t len, const struct boot_file *f,
                    const char *part, Error **errp);
/** boot_put_file() - read a piece of a file into guest RAM */
bool boot_put_file(const struct boot_machine *m, uint64_t addr, const struct boot_file *f, uint64_t off, uint64_t len,
                   const char *part, Error **errp);
bool boot_put(const struct boot_machine *m, uint64_t addr, const void *data, uint64_t len, const struct boot_file *f,
              const char *part, Error **errp);
/** boot_put_cmdline() - text at BOOT_CMDLINE; @max without the NUL */
bool boot_put_cmdline(const struct boot *b, const struct boot_machine *m, const char *text, uint64_t max, Error **errp);
/** boot_put_gdt() - null, null, code at 0x10, data at 0x18; fills the entry's descriptor fields */
bool boot_put_gdt(const struct boot *b, const struct boot_machine *m, struct boot_entry *e, Error **errp);

bool linux_load(struct boot *b, const struct boot_machine *m, struct boot_entry *e, Error **errp);
bool multiboot_load(struct boot *b, const struct boot_machine *m, struct boot_entry *e, Error **errp);
bool pvh_load(struct boot *b, const struct boot_machine *m, struct boot_entry *e, Error **errp);
/** elf_load_segments() - contents and zeroed rest */
bool elf_load_segments(const struct boot *b, const struct boot_machine *m, Error **errp);
/** boot_load_modules() - each at a page, upwards from @at */
bool boot_load_modules(struct boot *b, const struct boot_machine *m, uint64_t at, Error **errp);

#endif
