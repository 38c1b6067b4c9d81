/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/i386/boot.h - starting a kernel without firmware: Linux bzImage, multiboot (v1) and PVH images, chosen by content
 *
 * boot_open() opens and checks kernel and initrd once and keeps them open; boot_load() puts them into guest RAM, at
 * each reset anew, reading straight into the guest's pages. Files are hostile input: every offset and length is
 * checked, and an error names the file and the reason. A bzImage is unpacked by the host where that is possible, and
 * the result kept in a cache (boot_direct.c, kernel_cache.h).
 */
#ifndef HW_I386_BOOT_H
#define HW_I386_BOOT_H

#include "lib/error.h"
#include "mem/ram.h"

/* ---- a file, or bytes in memory (tests, fuzzing) ---- */

struct boot_file {
    const char *path;           /* for messages; borrowed */
    int fd;                     /* -1: in memory */
    const uint8_t *mem;
    uint64_t size;
};

/** boot_file_open() - @what: "kernel", "initrd" */
bool boot_file_open(struct boot_file *f, const char *path, const char *what, Error **errp);
void boot_file_mem(struct boot_file *f, const char *path, const void *mem, uint64_t size);
void boot_file_close(struct boot_file *f);
/** boot_file_read() - exactly @len bytes from @off; @part names them in the error */
bool boot_file_read(const struct boot_file *f, uint64_t off, void *buf, uint64_t len, const char *part, Error **errp);

/* ---- what an image says of itself ---- */

enum boot_kind { BOOT_LINUX, BOOT_MULTIBOOT, BOOT_PVH };

struct linux_image {
    uint8_t setup[0x300];       /* the first bytes of the file; the setup header is at 0x1F1 */
    uint32_t header_end;        /* offset at which the header ends */
    uint64_t kernel_off, kernel_len;    /* protected-mode part, in the file */
    uint32_t load_addr;         /* where it goes, and starts */
    uint64_t need_end;          /* RAM it wants up to here while it unpacks itself */
    uint32_t initrd_max;        /* highest address an initrd may have */
    uint32_t cmdline_max;       /* characters, without the NUL */
};

#define ELF_SEGMENTS_MAX 32

struct elf_segment {
    uint64_t off, filesz;       /* in the file */
    uint64_t addr, memsz;       /* physical */
};

struct elf_image {
    enum boot_kind kind;        /* BOOT_MULTIBOOT or BOOT_PVH */
    struct elf_segment seg[ELF_SEGMENTS_MAX];
    unsigned nseg;
    uint32_t entry;
    uint32_t flags;             /* of the multiboot header */
    uint64_t end;               /* first address behind everything loaded */
};

/** linux_parse() - false without error in *is_linux: not a Linux image at all */
bool linux_parse(const struct boot_file *f, struct linux_image *out, bool *is_linux, Error **errp);
/** elf_parse() - multiboot header first, then a PVH note */
bool elf_parse(const struct boot_file *f, struct elf_image *out, Error **errp);

/* ---- loading ---- */

enum e820_type { E820_RAM = 1, E820_RESERVED = 2, E820_ACPI = 3 };

struct e820_entry {
    uint64_t addr, size;
    uint32_t type;              /* enum e820_type */
};

struct boot_config {
    /* initrd, append: NULL for none; for multiboot initrd is "FILE ARGS,FILE ARGS" */
    const char *kernel, *initrd, *append;
    bool no_decompress;         /* a bzImage unpacks itself in the guest; else we do it and start the kernel proper */
    bool no_cache;              /* what was unpacked is not kept for the next start */
};

/* The machine as the loader sees it */
struct boot_machine {
    struct ram_block *ram;      /* offset == address, for addresses below 4 GiB */
    uint64_t below_4g;          /* end of RAM below 4 GiB */
    uint64_t above_4g;          /* bytes of RAM from 4 GiB up */
    const struct e820_entry *e820;
    unsigned ne820;
    uint64_t rsdp;              /* 0: none */
    bool vga;
    bool long_mode, la57;       /* what the CPU can do */
    bool ram_is_zero;           /* nothing has run yet */
};

/* How the CPU starts: flat 32-bit protected mode */
struct boot_entry {
    /* where a Linux kernel proper lies, physically and virtually; 0: it will unpack itself */
    uint64_t kernel_phys, kernel_virt;
    uint32_t eip, eax, ebx, esi;
    uint32_t gdt_base;
    uint16_t gdt_limit, cs_sel, ds_sel;
};

struct boot;

struct boot *boot_open(const struct boot_config *cfg, Error **errp);
/** boot_open_mem() - the same for an image in memory, which must outlive it (fuzzing); no cache */
struct boot *boot_open_mem(const void *kernel, uint64_t size, const char *append, Error **errp);
void boot_close(struct boot *b);
enum boot_kind boot_kind(const struct boot *b);
/** boot_load() - fill RAM and say where to start; on failure RAM is partly filled */
bool boot_load(struct boot *b, const struct boot_machine *m, struct boot_entry *entry, Error **errp);

#endif
