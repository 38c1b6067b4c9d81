/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/test-boot.c - kernel images: what is placed where, and what is said about broken ones
 *
 * Images are made here, byte by byte, from the boot protocols (Linux boot.rst; Multiboot 0.6.96; Xen pvh).
 */
#include "hw/i386/boot.h"
#include "lib/bits.h"
#include "lib/bytes.h"
#include <elf.h>
#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define RAM (32 * MiB)

static char *dir;

static char *file(const char *name, const void *data, size_t len)
{
    char *path = g_build_filename(dir, name, NULL);

    g_assert_true(g_file_set_contents(path, data, (gssize)len, NULL));
    return path;
}

/* ---- images ---- */

/* One setup sector and @klen bytes of kernel, 0xC0 0xC1 ... */
static GByteArray *bzimage(unsigned klen)
{
    GByteArray *b = g_byte_array_new();
    uint8_t *p;

    g_byte_array_set_size(b, 1024 + klen);
    p = b->data;
    memset(p, 0, b->len);
    p[0x1F1] = 1;
    st_le32(p + 0x1F4, klen / 16);
    st_le16(p + 0x1FE, 0xAA55);
    p[0x200] = 0xEB;
    p[0x201] = 0x66;
    memcpy(p + 0x202, "HdrS", 4);
    st_le16(p + 0x206, 0x20F);
    p[0x211] = 1;
    st_le32(p + 0x214, 0x100000);
    st_le32(p + 0x22C, 0x7FFFFFFF);
    p[0x234] = 1;
    st_le32(p + 0x238, 255);
    st_le64(p + 0x258, 0x1000000);
    st_le32(p + 0x260, 0x400000);
    for (unsigned i = 0; i < klen; i++) {
        p[1024 + i] = (uint8_t)(0xC0 + i);
    }
    return b;
}

/* A 64-bit ELF with one segment of 32 bytes (48 in memory) at 2 MiB, and room for a note */
static GByteArray *elf(bool note)
{
    GByteArray *b = g_byte_array_new();
    Elf64_Ehdr *e;
    Elf64_Phdr *p;
    uint8_t *n;

    g_byte_array_set_size(b, 512);
    memset(b->data, 0, b->len);
    e = (Elf64_Ehdr *)(void *)b->data;
    memcpy(e->e_ident, ELFMAG, 4);
    e->e_ident[EI_CLASS] = ELFCLASS64;
    e->e_ident[EI_DATA] = ELFDATA2LSB;
    e->e_machine = EM_X86_64;
    e->e_phoff = 64;
    e->e_phentsize = sizeof(Elf64_Phdr);
    e->e_phnum = note ? 2 : 1;
    e->e_entry = 0xFFFFFFFF80200004;
    p = (Elf64_Phdr *)(void *)(b->data + 64);
    p[0] = (Elf64_Phdr){
        .p_type = PT_LOAD, .p_offset = 256, .p_vaddr = 0xFFFFFFFF80200000, .p_paddr = 0x200000, .p_filesz = 32,
        .p_memsz = 48,
    };
    p[1] = (Elf64_Phdr){ .p_type = PT_NOTE, .p_offset = 320, .p_filesz = 20, .p_memsz = 20, .p_align = 4 };
    memset(b->data + 256, 0x5A, 32);
    n = b->data + 320;
    st_le32(n, 4);
    st_le32(n + 4, 4);
    st_le32(n + 8, 18);
    memcpy(n + 12, "Xen", 4);
    st_le32(n + 16, 0x200010);
    return b;
}

static void put_multiboot(uint8_t *h, uint32_t flags)
{
    st_le32(h, 0x1BADB002);
    st_le32(h + 4, flags);
    st_le32(h + 8, -(0x1BADB002 + flags));
}

/* ---- loading ---- */

static const struct e820_entry map[] = {
    { 0, 0x9FC00, E820_RAM }, { 0x9FC00, 0x400, E820_RESERVED }, { MiB, RAM - MiB, E820_RAM },
};

struct loaded {
    struct ram_block *ram;
    struct boot_entry entry;
    Error *err;
    bool ok;
};

static void load(struct loaded *l, const char *kernel, const char *initrd, const char *append)
{
    const struct boot_config cfg = { .kernel = kernel, .initrd = initrd, .append = append, .no_cache = true };
    struct boot_machine m = { .below_4g = RAM, .e820 = map, .ne820 = G_N_ELEMENTS(map), .rsdp = 0xF0000, .vga = true };
    struct boot *b;

    *l = (struct loaded){ .ram = ram_new("ram", RAM, NULL) };
    m.ram = l->ram;
    b = boot_open(&cfg, &l->err);
    l->ok = b && boot_load(b, &m, &l->entry, &l->err);
    if (l->ok) {                                /* a second load gives the same: reset */
        struct boot_entry again;

        memset(l->ram->host + MiB, 0, MiB);
        g_assert_true(boot_load(b, &m, &again, NULL));
        g_assert_cmpmem(&again, sizeof(again), &l->entry, sizeof(l->entry));
    }
    boot_close(b);
}

static void unload(struct loaded *l)
{
    g_assert_cmpint(l->ok, ==, l->err == NULL);
    error_free(l->err);
    ram_free(l->ram);
}

static void test_linux(void)
{
    GByteArray *b = bzimage(4096);
    g_autofree char *k = file("bz", b->data, b->len), *i = file("initrd", "INITRD-BYTES", 12);
    const uint8_t *ram, *z;
    struct loaded l;

    load(&l, k, i, "console=ttyS0 quiet");
    g_assert_true(l.ok);
    ram = l.ram->host;
    z = ram + l.entry.esi;
    g_assert_cmphex(l.entry.eip, ==, 0x100000);
    g_assert_cmphex(l.entry.cs_sel, ==, 0x10);
    g_assert_cmphex(l.entry.ds_sel, ==, 0x18);
    g_assert_cmphex(ld_le64(ram + l.entry.gdt_base + 0x10), ==, 0x00CF9B000000FFFF);
    g_assert_cmpmem(ram + 0x100000, 4096, b->data + 1024, 4096);
    g_assert_cmpmem(z + 0x202, 4, "HdrS", 4);
    g_assert_cmphex(z[0x210], ==, 0xFF);
    g_assert_cmpstr((const char *)ram + ld_le32(z + 0x228), ==, "console=ttyS0 quiet");
    g_assert_cmphex(ld_le32(z + 0x218), ==, RAM - 4096);        /* as high as it goes, on a page */
    g_assert_cmpuint(ld_le32(z + 0x21C), ==, 12);
    g_assert_cmpmem(ram + RAM - 4096, 12, "INITRD-BYTES", 12);
    g_assert_cmpuint(z[0x1E8], ==, G_N_ELEMENTS(map));
    g_assert_cmphex(ld_le64(z + 0x2D0 + 40), ==, MiB);
    g_assert_cmphex(ld_le64(z + 0x2D0 + 48), ==, RAM - MiB);
    g_assert_cmpuint(ld_le32(z + 0x2D0 + 36), ==, E820_RESERVED);
    g_assert_cmphex(ld_le64(z + 0x070), ==, 0xF0000);
    g_assert_cmphex(z[0x0F], ==, 1);                            /* VGA, 80 x 25 */
    g_assert_cmpuint(z[0x07], ==, 80);
    g_assert_cmphex(ld_le16(ram + 0x40E), ==, 0x9FC0);
    unload(&l);

    st_le32(b->data + 0x22C, 0x1800FFF);                        /* initrd_addr_max is honoured */
    g_free(k);
    k = file("bz", b->data, b->len);
    load(&l, k, i, NULL);
    g_assert_true(l.ok);
    g_assert_cmphex(ld_le32(l.ram->host + l.entry.esi + 0x218), ==, 0x1800000);
    unload(&l);
    g_byte_array_free(b, TRUE);
}

static void test_pvh(void)
{
    GByteArray *b = elf(true);
    g_autofree char *k = file("pvh", b->data, b->len), *i = file("initrd", "INITRD-BYTES", 12);
    const uint8_t *ram, *info, *mod;
    struct loaded l;

    load(&l, k, i, "hello");
    g_assert_true(l.ok);
    ram = l.ram->host;
    info = ram + l.entry.ebx;
    g_assert_cmphex(l.entry.eip, ==, 0x200010);
    g_assert_cmpmem(ram + 0x200000, 32, b->data + 256, 32);
    g_assert_cmphex(ram[0x200020], ==, 0);
    g_assert_cmphex(ld_le32(info), ==, 0x336EC578);
    g_assert_cmpuint(ld_le32(info + 4), ==, 1);
    g_assert_cmpuint(ld_le32(info + 12), ==, 1);
    mod = ram + ld_le64(info + 16);
    g_assert_cmpmem(ram + ld_le64(mod), ld_le64(mod + 8), "INITRD-BYTES", 12);
    g_assert_cmpstr((const char *)ram + ld_le64(info + 24), ==, "hello");
    g_assert_cmphex(ld_le64(info + 32), ==, 0xF0000);
    g_assert_cmpuint(ld_le32(info + 48), ==, G_N_ELEMENTS(map));
    g_assert_cmphex(ld_le64(ram + ld_le64(info + 40) + 48), ==, MiB);
    unload(&l);
    g_byte_array_free(b, TRUE);
}

static void test_multiboot_elf(void)
{
    GByteArray *b = elf(false);
    g_autofree char *k = NULL, *i = file("m1", "one", 3), *j = file("m2", "twotwo", 6), *mods = NULL, *cmd = NULL,
                    *name = NULL;
    const uint8_t *ram, *info, *m, *mm;
    struct loaded l;

    put_multiboot(b->data + 400, 3);
    k = file("mb", b->data, b->len);
    mods = g_strdup_printf("%s a b,%s", i, j);
    load(&l, k, mods, "x=1");
    g_assert_true(l.ok);
    ram = l.ram->host;
    info = ram + l.entry.ebx;
    g_assert_cmphex(l.entry.eax, ==, 0x2BADB002);
    g_assert_cmphex(l.entry.eip, ==, 0x200004);                 /* virtual entry -> physical */
    g_assert_cmpuint(ld_le32(info + 8), ==, RAM / KiB - 1024);
    cmd = g_strdup_printf("%s x=1", k);
    g_assert_cmpstr((const char *)ram + ld_le32(info + 16), ==, cmd);
    g_assert_cmpuint(ld_le32(info + 20), ==, 2);
    m = ram + ld_le32(info + 24);
    name = g_strdup_printf("%s a b", i);
    g_assert_cmpmem(ram + ld_le32(m), ld_le32(m + 4) - ld_le32(m), "one", 3);
    g_assert_cmpstr((const char *)ram + ld_le32(m + 8), ==, name);
    g_assert_cmpmem(ram + ld_le32(m + 16), ld_le32(m + 20) - ld_le32(m + 16), "twotwo", 6);
    g_assert_cmphex(ld_le32(m + 16) & 4095, ==, 0);
    g_assert_cmpuint(ld_le32(info + 44), ==, 24 * G_N_ELEMENTS(map));
    mm = ram + ld_le32(info + 48);
    g_assert_cmpuint(ld_le32(mm + 24), ==, 20);
    g_assert_cmphex(ld_le64(mm + 48 + 4), ==, MiB);
    unload(&l);
    g_byte_array_free(b, TRUE);
}

static void test_multiboot_addresses(void)
{
    uint8_t b[256] = { 0 };
    g_autofree char *k = NULL;
    struct loaded l;

    for (unsigned i = 0; i < sizeof(b); i++) {
        b[i] = (uint8_t)i;
    }
    put_multiboot(b + 16, 0x10003);
    st_le32(b + 28, 0x300010);                  /* the header lies here, so offset 0 is at 0x300000; */
    st_le32(b + 32, 0x300008);                  /* loaded from offset 8 */
    st_le32(b + 36, 0x300080);
    st_le32(b + 40, 0x300100);
    st_le32(b + 44, 0x300044);
    k = file("kludge", b, sizeof(b));
    load(&l, k, NULL, NULL);
    g_assert_true(l.ok);
    g_assert_cmphex(l.entry.eip, ==, 0x300044);
    g_assert_cmpmem(l.ram->host + 0x300008, 0x78, b + 8, 0x78);
    g_assert_cmphex(l.ram->host[0x300080], ==, 0);
    unload(&l);
}

/* ---- what goes wrong ---- */

struct spoil {
    const char *what;           /* in the error text */
    unsigned at, width;
    uint64_t value;
    unsigned truncate;          /* file length; 0: whole */
};

static void spoiled(const char *kind, GByteArray *b, const struct spoil *rows, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        g_autofree uint8_t *copy = g_memdup2(b->data, b->len);
        g_autofree char *k = NULL;
        struct loaded l;

        st_le_n(copy + rows[i].at, rows[i].value, rows[i].width);
        k = file(kind, copy, rows[i].truncate ? rows[i].truncate : b->len);
        load(&l, k, NULL, NULL);
        if (l.ok || !strstr(error_text(l.err), rows[i].what) || !strstr(error_text(l.err), k)) {
            g_error("%s row %u: want \"%s\" about '%s', got \"%s\"", kind, i, rows[i].what, k,
                    l.ok ? "success" : error_text(l.err));
        }
        unload(&l);
    }
    g_byte_array_free(b, TRUE);
}

static void test_bad_linux(void)
{
    static const struct spoil rows[] = {
        { "boot protocol 2.05", 0x206, 2, 0x205 }, { "zImage", 0x211, 1, 0 }, { "header is too short", 0x201, 1, 0x10 },
        { "truncated", 0x1F1, 1, 1, 1000 }, { "truncated", 0x1F1, 1, 1, 1024 + 2000 }, { "truncated", 0x1F1, 1, 255 },
        { "needs RAM up to", 0x260, 4, 0x7FFFFFFF }, { "no RAM for its kernel", 0x214, 4, 0xA0000 },
        { "needs RAM up to", 0x214, 4, 0xFFFFFFF0 },
    };

    spoiled("bz", bzimage(4096), rows, G_N_ELEMENTS(rows));
}

static void test_bad_elf(void)
{
    static const struct spoil rows[] = {
        { "neither a multiboot header nor a PVH", 320 + 8, 4, 17 },
        { "neither a multiboot header nor a PVH", 320, 4, 0xFFFFFFFF },
        { "neither a multiboot header nor a PVH", 320 + 4, 4, 0xFFFFFFF0 }, { "another machine (40)", 18, 2, 40 },
        { "damaged ELF header", 4, 1, 7 }, { "damaged ELF header", 5, 1, 2 }, { "0 program headers", 56, 2, 0 },
        { "65535 program headers", 56, 2, 0xFFFF }, { "of 8 bytes", 54, 2, 8 },
        { "truncated", 32, 8, 0x7FFFFFFFFFFFFFFF },
        { "truncated", 32, 8, 0xFFFFFFFFFFFFFFF0 }, { "truncated", 64 + 8, 8, 0xFFFFFFFFFFFFFF00 },
        { "truncated", 64 + 32, 8, 512 },
        { "is to lie at", 64 + 40, 8, 16 }, { "is to lie at", 64 + 24, 8, 0xFFFFFFFFFFFF0000 },
        { "no RAM for its segment", 64 + 24, 8, 0x80000000 },
        { "no RAM for its segment", 64 + 40, 8, RAM }, { "nothing to load", 64, 4, PT_NULL },
        { "truncated", 0, 1, 0x7F, 100 },
        { "damaged ELF header", 0, 1, 0x7F, 20 },
    };

    spoiled("elf", elf(true), rows, G_N_ELEMENTS(rows));
}

static void test_bad_multiboot(void)
{
    static const struct spoil rows[] = {
        { "does not lie in what is loaded", 412, 4, 0x100 }, { "truncated", 420, 4, 0x7FFFFFFF },
        { "lies behind its end", 420, 4, 0x1FFFFF },
        { "no RAM for its segment", 424, 4, 0x7FFFFFFF },
    };
    GByteArray *b = elf(false);

    put_multiboot(b->data + 400, 0x10000);
    st_le32(b->data + 412, 0x200000);
    st_le32(b->data + 416, 0x200000);
    st_le32(b->data + 420, 0x200010);
    st_le32(b->data + 424, 0x200020);
    spoiled("mb", b, rows, G_N_ELEMENTS(rows));

    b = elf(false);
    put_multiboot(b->data + 400, 1 << 5);       /* a flag we must know and do not */
    {
        static const struct spoil unknown[] = { { "something unknown", 0, 1, 0x7F } };

        spoiled("mb2", b, unknown, 1);
    }
}

static void test_bad_files(void)
{
    g_autofree char *none = g_build_filename(dir, "not-there", NULL), *empty = file("empty", "", 0),
                    *text = file("text", "hello world", 11);
    g_autofree char *big = g_build_filename(dir, "big", NULL), *k = NULL, *longline = g_strnfill(256, 'x');
    GByteArray *b = bzimage(4096);
    const struct { const char *kernel, *initrd, *append, *what; } rows[] = {
        { none, NULL, NULL, "No such file" }, { empty, NULL, NULL, "is empty" },
        { text, NULL, NULL, "not a kernel image" },
        { dir, NULL, NULL, "not a regular file" }, { "bz", none, NULL, "No such file" },
        { "bz", big, NULL, "does not fit" },
        { "bz", NULL, longline, "at most 255" },
    };
    FILE *f = g_fopen(big, "w");

    g_assert_cmpint(ftruncate(fileno(f), RAM), ==, 0);
    fclose(f);
    k = file("bz", b->data, b->len);
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct loaded l;

        load(&l, strcmp(rows[i].kernel, "bz") ? rows[i].kernel : k, rows[i].initrd, rows[i].append);
        if (l.ok || !strstr(error_text(l.err), rows[i].what)) {
            g_error("row %u: want \"%s\", got \"%s\"", i, rows[i].what, l.ok ? "success" : error_text(l.err));
        }
        unload(&l);
    }
    g_byte_array_free(b, TRUE);
}

static void clean(void)
{
    GDir *d = g_dir_open(dir, 0, NULL);
    const char *name;

    while ((name = g_dir_read_name(d))) {
        g_autofree char *path = g_build_filename(dir, name, NULL);

        g_unlink(path);
    }
    g_dir_close(d);
    g_rmdir(dir);
    g_free(dir);
}

int main(int argc, char **argv)
{
    int rc;

    g_test_init(&argc, &argv, NULL);
    dir = g_dir_make_tmp("patchbay-boot-XXXXXX", NULL);
    g_test_add_func("/boot/linux", test_linux);
    g_test_add_func("/boot/pvh", test_pvh);
    g_test_add_func("/boot/multiboot-elf", test_multiboot_elf);
    g_test_add_func("/boot/multiboot-addresses", test_multiboot_addresses);
    g_test_add_func("/boot/bad-linux", test_bad_linux);
    g_test_add_func("/boot/bad-elf", test_bad_elf);
    g_test_add_func("/boot/bad-multiboot", test_bad_multiboot);
    g_test_add_func("/boot/bad-files", test_bad_files);
    rc = g_test_run();
    clean();
    return rc;
}
