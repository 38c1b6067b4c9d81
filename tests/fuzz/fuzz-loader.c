/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/fuzz/fuzz-loader.c - kernel images from hostile files: Linux, multiboot, ELF with notes
 *
 * Byte 0 chooses what the rest is laid over: 0 nothing (the input is the image), 1 a bzImage, 2 a 64-bit PVH ELF, 3 a
 * multiboot image with addresses, 4 a 32-bit ELF, 5 and 6 a bzImage with a packed 64- or 32-bit kernel proper. Then
 * triples (offset low, offset high, value) change bytes of it, for 5 and 6 also before it is packed. What parses is
 * loaded twice into a small machine; nothing may be written outside of its RAM (a guard page follows it).
 */
#include "hw/i386/boot.h"
#include "lib/bits.h"
#include "lib/bytes.h"
#include <elf.h>
#include <string.h>
#include <zlib.h>

#define RAM (4 * MiB)
#define IMAGE 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void bzimage(uint8_t *p)
{
    p[0x1F1] = 1;
    st_le16(p + 0x1FE, 0xAA55);
    p[0x201] = 0x66;
    memcpy(p + 0x202, "HdrS", 4);
    st_le16(p + 0x206, 0x20F);
    p[0x211] = 1;
    st_le32(p + 0x214, 0x100000);
    st_le32(p + 0x22C, 0x7FFFFFFF);
    st_le32(p + 0x238, 255);
    st_le32(p + 0x258, 0x100000);
    st_le32(p + 0x260, 0x100000);
}

static void elf64(uint8_t *p)
{
    Elf64_Ehdr e = { .e_machine = EM_X86_64, .e_phoff = 64, .e_phentsize = 56, .e_phnum = 3, .e_entry = 0x200000 };
    Elf64_Phdr ph[3] = {
        { .p_type = PT_LOAD,
          .p_offset = 512,
          .p_vaddr = 0x200000,
          .p_paddr = 0x200000,
          .p_filesz = 256,
          .p_memsz = 512 },
        { .p_type = PT_LOAD,
          .p_offset = 1024,
          .p_vaddr = 0x300000,
          .p_paddr = 0x300000,
          .p_filesz = 16,
          .p_memsz = 4096 },
        { .p_type = PT_NOTE, .p_offset = 320, .p_filesz = 40, .p_align = 4 },
    };

    memcpy(e.e_ident, ELFMAG "\2\1\1", 7);
    memcpy(p, &e, sizeof(e));
    memcpy(p + 64, ph, sizeof(ph));
    st_le32(p + 320, 4);
    st_le32(p + 324, 4);
    st_le32(p + 328, 18);
    memcpy(p + 332, "Xen", 4);
    st_le32(p + 336, 0x200000);
}

static void elf32(uint8_t *p)
{
    Elf32_Ehdr e = { .e_machine = EM_386, .e_phoff = 64, .e_phentsize = 32, .e_phnum = 1, .e_entry = 0x200000 };
    Elf32_Phdr ph = {
        .p_type = PT_LOAD, .p_offset = 512, .p_vaddr = 0x200000, .p_paddr = 0x200000, .p_filesz = 256, .p_memsz = 512,
    };

    memcpy(e.e_ident, ELFMAG "\1\1\1", 7);
    memcpy(p, &e, sizeof(e));
    memcpy(p + 64, &ph, sizeof(ph));
    st_le32(p + 400, 0x1BADB002);
    st_le32(p + 404, 3);
    st_le32(p + 408, -(0x1BADB002u + 3));
}

static void multiboot(uint8_t *p)
{
    static const uint32_t h[] = {
        0x1BADB002, 0x10003, -(0x1BADB002u + 0x10003), 0x200040, 0x200000, 0x200800, 0x201000, 0x200100,
    };

    for (unsigned i = 0; i < ARRAY_LEN(h); i++) {
        st_le32(p + 64 + 4 * i, h[i]);
    }
}

/* ---- a bzImage with a payload: an ELF file and relocations, as one literal of an LZ4 block, or deflated ---- */

enum { VM_AT = 1024, VM_LEN = 1024, VM_TABLE = VM_LEN - 40 };

static void vmlinux(uint8_t *p, bool is64)
{
    const uint32_t virt = is64 ? 0x80200000 : 0xC0200000;
    static const uint16_t table64[] = { 0, 0x10, 0x28, 0, 0x44, 0x1040, 0, 0x50, 0x80, 0x10F0 },
                          table32[] = { 0, 0x10, 0x28, 4, 0x44, 0x1040, 8, 0x50, 0x80, 0x10F0 };

    if (is64) {
        Elf64_Ehdr e = { .e_machine = EM_X86_64, .e_phoff = 64, .e_phentsize = 56, .e_phnum = 2, .e_entry = 0x200010 };
        Elf64_Phdr ph[2] = {
            { .p_type = PT_LOAD, .p_offset = 256, .p_vaddr = 0xFFFFFFFF80200000, .p_paddr = 0x200000, .p_filesz = 512,
              .p_memsz = 512 },
            { .p_type = PT_LOAD, .p_offset = 768, .p_vaddr = 0, .p_paddr = 0x201000, .p_filesz = VM_TABLE - 768,
              .p_memsz = 512 },
        };

        memcpy(e.e_ident, ELFMAG "\2\1\1", 7);
        memcpy(p, &e, sizeof(e));
        memcpy(p + 64, ph, sizeof(ph));
    } else {
        Elf32_Ehdr e = { .e_machine = EM_386, .e_phoff = 64, .e_phentsize = 32, .e_phnum = 1, .e_entry = 0x200010 };
        Elf32_Phdr ph = {
            .p_type = PT_LOAD, .p_offset = 256, .p_vaddr = virt, .p_paddr = 0x200000, .p_filesz = VM_TABLE - 256,
            .p_memsz = 0x1100,
        };

        memcpy(e.e_ident, ELFMAG "\1\1\1", 7);
        memcpy(p, &e, sizeof(e));
        memcpy(p + 64, &ph, sizeof(ph));
    }
    for (unsigned i = 0; i < 10; i++) {
        uint16_t v = is64 ? table64[i] : table32[i];

        st_le32(p + VM_TABLE + 4 * i, v || (!is64 && i) ? virt + v : 0);
    }
}

/* Return: bytes at @to, with the size of what is packed at the end */
static size_t pack(uint8_t *to, const uint8_t *vm, bool deflated)
{
    size_t len;

    if (deflated) {
        z_stream z = { .next_in = (Bytef *)vm, .avail_in = VM_LEN, .next_out = to, .avail_out = IMAGE - VM_AT };

        deflateInit2(&z, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
        deflate(&z, Z_FINISH);
        len = z.total_out;
        deflateEnd(&z);
        return len;
    }
    memcpy(to, "\x02\x21\x4C\x18", 4);
    st_le32(to + 4, 1 + 4 + VM_LEN);
    memset(to + 8, 255, 4);                     /* token: literals; 15 + 3 * 255 + 244 = 1024 */
    to[8] = 0xF0;
    to[12] = VM_LEN - 15 - 3 * 255;
    memcpy(to + 13, vm, VM_LEN);
    st_le32(to + 13 + VM_LEN, VM_LEN);
    return 13 + VM_LEN + 4;
}

static void direct(uint8_t *p, const uint8_t *vm, bool is64, bool deflated)
{
    size_t len = pack(p + VM_AT, vm, deflated);

    bzimage(p);
    st_le16(p + 0x20E, 0x100);
    st_le32(p + 0x230, is64 ? 0x200000 : 0x1000);
    p[0x234] = 1;
    p[0x236] = is64;
    st_le32(p + 0x24C, (uint32_t)len);
    st_le32(p + 0x258, 0x200000);
    strcpy((char *)p + 0x300, "6.1.0");
}

static void load(const uint8_t *image, size_t size)
{
    static const struct e820_entry map[] = { { 0, 0x9FC00, E820_RAM }, { MiB, RAM - MiB, E820_RAM } };
    struct boot_machine m = {
        .below_4g = RAM, .e820 = map, .ne820 = ARRAY_LEN(map), .vga = true, .long_mode = true, .ram_is_zero = true,
    };
    struct boot *b = boot_open_mem(image, size, "quiet", NULL);
    struct boot_entry entry;

    if (!b) {
        return;
    }
    m.ram = ram_new("ram", RAM + RAM_PAGE_SIZE, NULL);
    if (m.ram) {
        boot_load(b, &m, &entry, NULL);
        m.ram_is_zero = false;
        boot_load(b, &m, &entry, NULL);
        for (unsigned i = 0; i < RAM_PAGE_SIZE; i++) {
            if (m.ram->host[RAM + i]) {
                __builtin_trap();
            }
        }
    }
    ram_free(m.ram);
    boot_close(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static void (*const templates[])(uint8_t *p) = { bzimage, elf64, multiboot, elf32 };
    uint8_t *image, vm[VM_LEN];
    unsigned kind, limit;

    if (!size) {
        return 0;
    }
    kind = data[0] % (ARRAY_LEN(templates) + 3);
    if (!kind) {
        load(data + 1, size - 1);
        return 0;
    }
    image = g_malloc0(IMAGE);
    if (kind <= ARRAY_LEN(templates)) {
        templates[kind - 1](image);
    } else {
        memset(vm, 0x11, sizeof(vm));
        vmlinux(vm, kind == 5);
        for (size_t i = 1; data[0] & 0x40 && i + 2 < MIN(size, (size_t)10); i += 3) {
            vm[(data[i] % 2 ? VM_TABLE + data[i + 1] % 40 : data[i + 1])] = data[i + 2];
        }
        direct(image, vm, kind == 5, data[0] & 0x20);
    }
    /* few changes at a time: of many, one breaks the image for sure */
    limit = kind > ARRAY_LEN(templates) && data[0] & 0x40 ? 0 : data[0] & 0x80 ? 0x280 : IMAGE;
    for (size_t i = 1; limit && i + 2 < MIN(size, (size_t)data[0] + 4); i += 3) {
        image[(data[i] | data[i + 1] << 8) % limit] = data[i + 2];
    }
    load(image, IMAGE);
    g_free(image);
    return 0;
}
