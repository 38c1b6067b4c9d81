/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/i386/boot_internal.h - between boot.c, boot_linux.c, boot_direct.c and boot_elf.c
 *
 * Low memory while booting:
 *   0x00400  BIOS data area (EBDA pointer, base memory size)
 *   0x01000  GDT        0x01800  way into 64-bit mode        0x02000  boot_params, multiboot info or hvm_start_info
 *   0x03000  memory map, module list; with a 64-bit kernel proper page tables instead
 *   0x10000..0x8FFFF  command line
 *   0x9FC00  EBDA       0xF0000  ACPI and SMBIOS tables
 */
#ifndef HW_I386_BOOT_INTERNAL_H
#define HW_I386_BOOT_INTERNAL_H

#include "hw/i386/boot.h"
#include "hw/i386/vmlinux.h"

enum {
    BOOT_GDT = 0x1000, BOOT_TO64 = 0x1800, BOOT_INFO = 0x2000, BOOT_LISTS = 0x3000, BOOT_LISTS_END = 0x10000, BOOT_CMDLINE = 0x10000,
    BOOT_CMDLINE_END = 0x90000, BOOT_LOW_END = 0x9FC00, BOOT_HIGH_START = 0x100000,
};

/* Linux Documentation/arch/x86/boot.rst */
enum {                                      /* setup header, offsets in file and in boot_params */
    H_SETUP_SECTS = 0x1F1, H_VID_MODE = 0x1FA, H_BOOT_FLAG = 0x1FE, H_JUMP = 0x200, H_MAGIC = 0x202, H_VERSION = 0x206,
    H_KERNEL_VERSION = 0x20E, H_LOADER = 0x210, H_LOADFLAGS = 0x211, H_CODE32_START = 0x214, H_RAMDISK_IMAGE = 0x218,
    H_RAMDISK_SIZE = 0x21C, H_HEAP_END = 0x224, H_CMDLINE = 0x228, H_INITRD_MAX = 0x22C, H_ALIGNMENT = 0x230,
    H_RELOCATABLE = 0x234, H_XLOADFLAGS = 0x236, H_CMDLINE_SIZE = 0x238, H_PAYLOAD_OFFSET = 0x248,
    H_PAYLOAD_LENGTH = 0x24C, H_PREF_ADDRESS = 0x258, H_INIT_SIZE = 0x260, H_END_MIN = 0x23C,
    H_END_MAX = 0x290,                      /* boot_params has other things from there on */
};
enum {                                      /* loadflags */
    LOADED_HIGH = 1 << 0, KASLR_FLAG = 1 << 1, CAN_USE_HEAP = 1 << 7,
};
enum { XLF_KERNEL_64 = 1 << 0, XLF_5LEVEL = 1 << 5 };

#define BOOT_MODULES_MAX 64

struct boot_module {
    struct boot_file file;
    char *path;
    char *cmdline;
    uint64_t addr;              /* where boot_load() put it */
};

/* Starting a Linux kernel proper without its boot stub: boot_direct.c */
struct direct {
    bool off;                   /* asked for, or found to be impossible */
    bool use_cache;
    char key[65];               /* name in the cache; "": not known yet */
    struct vmlinux vm;          /* src.size 0: not unpacked, or dropped after use */
    bool kaslr;                 /* what boot_params say of this start */
};

struct boot {
    enum boot_kind kind;
    struct boot_file kernel;
    char *kernel_path, *append;
    struct linux_image linux_img;
    struct direct direct;
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
/**
 * direct_load() - put the kernel proper into memory, where the guest's own boot stub could have put it
 * The initrd is in its place already. Return: false: not this kernel, or not here; the log says why, and the guest
 * shall unpack it as ever
 */
bool direct_load(struct boot *b, const struct boot_machine *m, struct boot_entry *e);
void direct_fini(struct direct *d);

/* The parts of an ELF header and of a program header that matter, from either class */
struct elf_head {
    bool is64;
    uint64_t entry, phoff, shoff;
    unsigned phentsize, phnum, shentsize, shnum;
};

struct elf_phdr {
    uint32_t type;
    uint64_t off, vaddr, paddr, filesz, memsz, align;
};

/** elf_read_head() - checked: class, byte order, machine, number and size of program headers */
bool elf_read_head(const struct boot_file *f, struct elf_head *h, Error **errp);
bool elf_read_phdr(const struct boot_file *f, const struct elf_head *h, unsigned i, struct elf_phdr *p, Error **errp);
/** elf_load_segments() - contents and zeroed rest */
bool elf_load_segments(const struct boot *b, const struct boot_machine *m, Error **errp);
/** boot_load_modules() - each at a page, upwards from @at */
bool boot_load_modules(struct boot *b, const struct boot_machine *m, uint64_t at, Error **errp);

#endif
