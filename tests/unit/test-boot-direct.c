/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/test-boot-direct.c - a bzImage unpacked by the host: formats, relocations, random places, the cache, and
 * everything that must leave the kernel to unpack itself
 *
 * The kernels come from tests/lib/bzimage.h, which also says what a load must leave in memory: every byte is compared.
 */
#include "hw/i386/boot.h"
#include "lib/bits.h"
#include "lib/bytes.h"
#include "tests/lib/bzimage.h"
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RAM (64 * MiB)
static char *dir, *cache;

/* ---- images ---- */

static GByteArray *image_of(GByteArray *vm, enum format f, enum layout l)
{
    GByteArray *packed = pack(f, vm->data, vm->len), *b = packed ? bzimage(packed, l) : NULL;

    if (packed) {
        g_byte_array_free(packed, TRUE);
    }
    g_byte_array_free(vm, TRUE);
    return b;
}

static GByteArray *image(enum format f, enum layout l)
{
    return image_of(vmlinux(l), f, l);
}

static char *file(const char *name, const GByteArray *b)
{
    char *path = g_build_filename(dir, name, NULL);

    g_assert_true(g_file_set_contents(path, (const char *)b->data, b->len, NULL));
    return path;
}

/* ---- loading ---- */

static const struct e820_entry map[] = {
    { 0, 0x9FC00, E820_RAM }, { 0x9FC00, 0x400, E820_RESERVED }, { MiB, RAM - MiB, E820_RAM },
};

struct rig {
    struct ram_block *ram;
    struct boot_machine m;
    struct boot_entry e;
    struct boot *b;
};

static void rig_init(struct rig *r, const struct boot_config *cfg)
{
    Error *err = NULL;

    *r = (struct rig){ .ram = ram_new("ram", RAM, NULL) };
    r->m = (struct boot_machine){
        .ram = r->ram, .below_4g = RAM, .e820 = map, .ne820 = G_N_ELEMENTS(map), .long_mode = true, .ram_is_zero = true,
    };
    r->b = boot_open(cfg, &err);
    g_assert_cmpstr(err ? error_text(err) : "", ==, "");
}

static void rig_load(struct rig *r)
{
    Error *err = NULL;

    boot_load(r->b, &r->m, &r->e, &err);
    g_assert_cmpstr(err ? error_text(err) : "", ==, "");
    r->m.ram_is_zero = false;
}

static void rig_fini(struct rig *r)
{
    boot_close(r->b);
    ram_free(r->ram);
}

static uint8_t loadflags(const struct rig *r)
{
    return r->ram->host[r->e.esi + 0x211];
}

/* It lies at a place that the boot protocol allows, with every byte as it should be there, and will be entered */
static void check_kernel(const struct rig *r, enum layout l, bool random)
{
    uint64_t delta = r->e.kernel_virt - virt_of(l), entry = r->e.kernel_phys + ENTRY;
    g_autofree uint8_t *want = expected(l, delta);

    g_assert_cmphex(r->e.kernel_phys, >=, BASE);
    g_assert_cmphex(r->e.kernel_phys, <=, RAM - INIT_SIZE);
    g_assert_cmphex(r->e.kernel_phys % ALIGN, ==, 0);
    g_assert_cmphex(delta % ALIGN, ==, 0);
    if (l == BITS32) {
        g_assert_cmphex(delta, ==, r->e.kernel_phys - BASE);
        g_assert_cmphex(r->e.eip, ==, entry);
        g_assert_cmphex(r->e.cs_sel, ==, 0x10);
    } else {
        g_assert_cmphex(BASE + delta + KERNEL_SIZE, <=, GiB);
        g_assert_cmphex(ld_le64(r->ram->host + r->e.gdt_base + 0x10), ==, 0x00AF9B000000FFFF);
        g_assert_cmphex(r->e.cs_sel, ==, 0x08);
        g_assert_cmphex(ld_le32(r->ram->host + r->e.eip + 55), ==, entry);
    }
    g_assert_cmpmem(r->ram->host + r->e.kernel_phys, KERNEL_SIZE, want, KERNEL_SIZE);
    g_assert_cmphex(loadflags(r) & KASLR, ==, random ? KASLR : 0);
    if (!random) {
        g_assert_cmphex(r->e.kernel_phys, ==, BASE);
        g_assert_cmphex(delta, ==, 0);
    }
}

/* It was left to the guest */
static void check_stub(const struct rig *r, const GByteArray *b)
{
    g_assert_cmphex(r->e.kernel_phys, ==, 0);
    g_assert_cmphex(r->e.eip, ==, LOAD_ADDR);
    g_assert_cmphex(r->e.cs_sel, ==, 0x10);
    g_assert_cmphex(ld_le64(r->ram->host + r->e.gdt_base + 0x10), ==, 0x00CF9B000000FFFF);
    g_assert_cmpmem(r->ram->host + LOAD_ADDR, b->len - 1024, b->data + 1024, b->len - 1024);
    g_assert_cmphex(loadflags(r) & KASLR, ==, 0);
}

static void test_formats(void)
{
    for (enum format f = 0; f < FORMATS; f++) {
        GByteArray *b = image(f, THREE);
        g_autofree char *k = b ? file(format_names[f], b) : NULL;
        const struct boot_config cfg = { .kernel = k, .no_cache = true };
        struct rig r;

        if (!b) {
            g_test_message("%s: not built in", format_names[f]);
            continue;
        }
        rig_init(&r, &cfg);
        for (unsigned i = 0; i < 3; i++) {      /* and after a reset, over what was there */
            rig_load(&r);
            check_kernel(&r, THREE, true);
        }
        rig_fini(&r);
        g_byte_array_free(b, TRUE);
    }
}

static void test_layouts(void)
{
    for (enum layout l = THREE; l <= BITS32; l++) {
        GByteArray *b = image(GZIP, l);
        g_autofree char *k = file("layout", b);

        for (unsigned nokaslr = 0; nokaslr < 2; nokaslr++) {
            const struct boot_config cfg = { .kernel = k, .append = nokaslr ? "quiet nokaslr" : "quiet kaslr nokaslr2",
                                             .no_cache = true };
            struct rig r;

            rig_init(&r, &cfg);
            r.m.long_mode = l != BITS32;        /* which a 32-bit kernel does not miss */
            for (unsigned i = 0; i < 8; i++) {
                rig_load(&r);
                check_kernel(&r, l, !nokaslr && l != NONE);
            }
            rig_fini(&r);
        }
        g_byte_array_free(b, TRUE);
    }
}

/* Every place is reached, none overlaps the initrd, and physical and virtual ones are independent */
static void test_random(void)
{
    GByteArray *b = image(LZ4, TWO), *rd = g_byte_array_new();
    g_autofree char *k = NULL, *i = NULL;
    bool seen[RAM / ALIGN] = { false };
    GHashTable *virts = g_hash_table_new(g_direct_hash, g_direct_equal);
    struct boot_config cfg = { .no_cache = true };
    unsigned places = 0;
    struct rig r;

    st_le32(b->data + 0x22C, 40 * MiB - 1);     /* the initrd goes below 40 MiB: 39 to 40 */
    g_byte_array_set_size(rd, MiB);
    memset(rd->data, 0x33, rd->len);
    cfg.kernel = k = file("random", b);
    cfg.initrd = i = file("initrd", rd);
    rig_init(&r, &cfg);
    for (unsigned n = 0; n < 400; n++) {
        rig_load(&r);
        check_kernel(&r, TWO, true);
        g_assert_cmpmem(r.ram->host + 39 * MiB, MiB, rd->data, rd->len);
        places += !seen[r.e.kernel_phys / ALIGN];
        seen[r.e.kernel_phys / ALIGN] = true;
        g_hash_table_add(virts, GSIZE_TO_POINTER(r.e.kernel_virt));
    }
    /* 16, 18..34 (to 38), 40..60 */
    g_assert_cmpuint(places, ==, (34 - 16) / 2 + 1 + (60 - 40) / 2 + 1);
    g_assert_cmpuint(g_hash_table_size(virts), >, 200);         /* of 503 */
    rig_fini(&r);
    g_hash_table_unref(virts);
    g_byte_array_free(b, TRUE);
    g_byte_array_free(rd, TRUE);
}

/* ---- what is left to the guest ---- */

struct spoil {
    const char *what;
    unsigned at, width;
    uint64_t value;
};

static void expect_stub(const char *what, const GByteArray *b, const char *append)
{
    g_autofree char *k = file("spoiled", b);
    const struct boot_config cfg = { .kernel = k, .append = append };
    struct rig r;

    rig_init(&r, &cfg);
    rig_load(&r);
    if (r.e.kernel_phys) {
        g_error("%s: was started directly", what);
    }
    check_stub(&r, b);
    rig_load(&r);
    check_stub(&r, b);
    rig_fini(&r);
}

static void survive(const GByteArray *b)
{
    g_autofree char *k = file("survive", b);
    const struct boot_config cfg = { .kernel = k };
    struct rig r;

    rig_init(&r, &cfg);
    rig_load(&r);
    rig_fini(&r);
}

static void test_bad_header(void)
{
    static const struct spoil rows[] = {
        { "protocol 2.11", 0x206, 2, 0x20B }, { "no version text", 0x20E, 2, 0 },
        { "version text elsewhere", 0x20E, 2, 0xFFFF },
        { "Linux 4.7", 0x300, 4, 'G' << 24 | '7' << 16 | '.' << 8 | '4' }, { "no version", 0x300, 1, 'x' },
        { "payload behind the end", 0x248, 4, 0xFFFFFF00 }, { "long payload", 0x24C, 4, 0x7FFFFFFF },
        { "no payload", 0x24C, 4, 0 }, { "tiny payload", 0x24C, 4, 16 }, { "short payload", 0x24C, 4, 4000 },
        { "payload elsewhere", 0x248, 4, 0 }, { "alignment", 0x230, 4, 0x300000 }, { "alignment", 0x230, 4, 0 },
        { "small alignment", 0x230, 4, 0x100000 }, { "other base", 0x258, 8, 0x1200000 },
        { "odd base", 0x258, 8, 0x1000010 }, { "no base", 0x258, 8, 0 }, { "small init_size", 0x260, 4, 0x200000 },
        { "tiny init_size", 0x260, 4, 1 }, { "32-bit by header", 0x236, 2, 0 }, { "short header", 0x201, 1, 0x60 },
    };
    GByteArray *b = image(GZIP, THREE);

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        GByteArray *copy = g_byte_array_append(g_byte_array_new(), b->data, b->len);

        st_le_n(copy->data + rows[i].at, rows[i].value, rows[i].width);
        expect_stub(rows[i].what, copy, NULL);
        g_byte_array_free(copy, TRUE);
    }
    g_byte_array_free(b, TRUE);
}

static void test_bad_words(void)
{
    static const char *const words[] = { "mem=48M", "quiet memmap=1M!32M", "hugepages=3", "acpi_rsdp=0x1" };
    GByteArray *b = image(GZIP, THREE);
    g_autofree char *k = file("words", b);
    const struct boot_config cfg = { .kernel = k, .append = "no5lvl" };
    struct rig r;

    for (unsigned i = 0; i < G_N_ELEMENTS(words); i++) {
        expect_stub(words[i], b, words[i]);
    }
    rig_init(&r, &cfg);                         /* the CPU */
    r.m.long_mode = false;
    rig_load(&r);
    check_stub(&r, b);
    rig_fini(&r);
    /* 5-level paging: only with a kernel that has it, unless it shall not */
    st_le16(b->data + 0x236, 0x21);
    g_free(k);
    k = file("words", b);
    for (unsigned i = 0; i < 2; i++) {
        const struct boot_config five = { .kernel = k, .append = i ? "no5lvl" : "" };

        rig_init(&r, &five);
        r.m.la57 = true;
        rig_load(&r);
        if (i) {
            check_kernel(&r, THREE, true);
        } else {
            check_stub(&r, b);
        }
        rig_fini(&r);
    }
    g_byte_array_free(b, TRUE);
}

/* Changes of the unpacked file, before it is packed */
static void test_bad_vmlinux(void)
{
    enum { PH0 = 64, PH1 = 64 + 56, TABLE = ELF_LEN(THREE) };
    static const struct spoil rows[] = {
        { "no ELF", 0, 4, 0 }, { "class", 4, 1, 7 }, { "machine", 18, 2, 40 }, { "program headers", 56, 2, 0xFFFF },
        { "program headers elsewhere", 32, 8, 0xFFFFFFFFFFFFFFF0 }, { "entry before", 24, 8, BASE - 1 },
        { "entry behind", 24, 8, BASE + KERNEL_SIZE }, { "sections elsewhere", 40, 8, 0xFFFFFFFFFFFFFFC0 },
        { "many sections", 60, 2, 0xFFFF }, { "few sections", 60, 2, 1 },
        { "segment elsewhere", PH0 + 24, 8, BASE + ALIGN }, { "segment below", PH1 + 24, 8, BASE - 0x1000 },
        { "segments overlap", PH1 + 24, 8, BASE + 0x40000 }, { "segment far away", PH1 + 24, 8, 0xFFFFFFFFFFFFF000 },
        { "segment far away", PH1 + 24, 8, BASE + 8 * MiB }, { "long segment", PH1 + 40, 8, 0xFFFFFFFFFFFFF000 },
        { "long segment", PH1 + 40, 8, 4 * MiB }, { "segment behind the file", PH1 + 8, 8, 0xFFFFFFFFFFFFF800 },
        { "segment behind the file", PH1 + 32, 8, 0x30000 }, { "more in the file", PH1 + 32, 8, 0x200000 },
        { "virtual address", PH0 + 16, 8, 0xFFFFFFFF82000000 }, { "no segment", PH0, 4, PT_NULL },
        { "table without a zero", TABLE, 4, 0x81000000 }, { "four zeros", TABLE + 4, 4, 0 },
        { "relocation below", TABLE + 4, 4, 0x80FFFFFF }, { "relocation far below", TABLE + 4, 4, 0x00001000 },
        { "relocation behind", TABLE + 4, 4, 0x81000000 + KERNEL_SIZE },
        { "relocation half behind", TABLE + 4, 4, 0x81000000 + KERNEL_SIZE - 7 },
        { "32-bit one half behind", TABLE + 4 * 12, 4, 0x81000000 + KERNEL_SIZE - 3 },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        GByteArray *vm = vmlinux(THREE), *b;

        st_le_n(vm->data + rows[i].at, rows[i].value, rows[i].width);
        b = image_of(vm, LZ4, THREE);
        expect_stub(rows[i].what, b, NULL);
        g_byte_array_free(b, TRUE);
    }
    for (unsigned cut = 1; cut < 8; cut++) {    /* a table that is not whole words, or lost its beginning */
        GByteArray *vm = vmlinux(THREE), *b;

        g_byte_array_remove_range(vm, cut < 4 ? vm->len - cut : TABLE, cut < 4 ? cut : 4);
        b = image_of(vm, LZ4, THREE);
        expect_stub("cut table", b, NULL);
        g_byte_array_free(b, TRUE);
    }
}

/* Streams that end early, say the wrong size, are damaged, or hold far more than they say */
static void test_bad_stream(void)
{
    for (enum format f = 0; f < FORMATS; f++) {
        GByteArray *vm = vmlinux(THREE), *p = pack(f, vm->data, vm->len), *b;

        for (unsigned i = 0; p && i < 40; i++) {
            GByteArray *copy = g_byte_array_append(g_byte_array_new(), p->data, p->len);
            uint32_t size = i == 0 ? vm->len - 1 : i == 1 ? vm->len + 1 : i == 2 ? 0 : i == 3 ? 0xFFFFFFFF : vm->len;

            st_le32(copy->data + copy->len - 4, size);
            if (i >= 4 && i < 20) {             /* shorter, with the right size at the end */
                g_byte_array_remove_range(copy, copy->len * (i - 3) / 18, copy->len / 20);
            } else if (i >= 20) {
                memset(copy->data + 8 + (copy->len - 32) * (i - 20) / 20, (int)(0xA5 + i), 16);
            }
            b = bzimage(copy, THREE);
            if (i < 20 || (f != LZ4 && f != LZMA)) {
                expect_stub(format_names[f], b, NULL);
            } else {                            /* no checksum: all that counts is that nothing breaks */
                survive(b);
            }
            g_byte_array_free(b, TRUE);
            g_byte_array_free(copy, TRUE);
        }
        if (p) {
            g_byte_array_free(p, TRUE);
        }
        g_byte_array_free(vm, TRUE);
    }
    {
        static const char magic[][8] = { "\x89LZO\0\r\n", "BZh9", "nothing" };

        for (unsigned i = 0; i < G_N_ELEMENTS(magic); i++) {
            GByteArray *b = image(GZIP, THREE);

            memcpy(b->data + 1024 + STUB, magic[i], 8);
            expect_stub(magic[i], b, NULL);
            g_byte_array_free(b, TRUE);
        }
    }
}

static void test_bomb(void)
{
    g_autofree uint8_t *zeros = g_malloc0(16 * MiB);

    for (enum format f = 0; f < FORMATS; f++) {
        GByteArray *p = pack(f, zeros, 16 * MiB), *b;

        if (!p) {
            continue;
        }
        b = bzimage(p, THREE);
        expect_stub("bomb by its size", b, NULL);
        st_le32(b->data + 1024 + STUB + p->len - 4, 2 * MiB);
        expect_stub("bomb", b, NULL);
        g_byte_array_free(b, TRUE);
        g_byte_array_free(p, TRUE);
    }
    {
        GByteArray *b = image(LZMA, THREE);

        if (b) {
            st_le32(b->data + 1024 + STUB + 1, 0x80000000);     /* a dictionary of 2 GiB */
            expect_stub("dictionary", b, NULL);
            g_byte_array_free(b, TRUE);
        }
    }
}

/* ---- the cache ---- */

/* Delete what is in a directory, two more levels down */
static void clear_dir(const char *path, unsigned depth)
{
    GDir *d = g_dir_open(path, 0, NULL);
    const char *name;

    while (d && (name = g_dir_read_name(d))) {
        g_autofree char *sub = g_build_filename(path, name, NULL);

        if (depth) {
            clear_dir(sub, depth - 1);
        }
        g_remove(sub);
    }
    if (d) {
        g_dir_close(d);
    }
}

static void cache_clear(void)
{
    clear_dir(cache, 0);
    g_chmod(cache, 0700);
}

/* The number of files; the path of one of them */
static unsigned cached(char **path)
{
    GDir *d = g_dir_open(cache, 0, NULL);
    const char *name;
    unsigned n = 0;

    while (d && (name = g_dir_read_name(d))) {
        n++;
        if (path) {
            g_free(*path);
            *path = g_build_filename(cache, name, NULL);
        }
    }
    if (d) {
        g_dir_close(d);
    }
    return n;
}

static void start(const char *kernel, bool no_cache)
{
    const struct boot_config cfg = { .kernel = kernel, .no_cache = no_cache };
    struct rig r;

    rig_init(&r, &cfg);
    for (unsigned i = 0; i < 2; i++) {
        rig_load(&r);
        check_kernel(&r, THREE, true);
    }
    rig_fini(&r);
}

static void test_cache(void)
{
    GByteArray *b = image(GZIP, THREE);
    g_autofree char *k = file("cached", b), *path = NULL;
    struct timespec old[2] = { { .tv_sec = 1000000 }, { .tv_sec = 1000000 } };
    struct stat st, st2;

    cache_clear();
    start(k, true);
    g_assert_cmpuint(cached(NULL), ==, 0);
    start(k, false);
    g_assert_cmpuint(cached(&path), ==, 1);
    g_assert_cmpint(stat(cache, &st), ==, 0);
    g_assert_cmphex(st.st_mode & 0777, ==, 0700);
    g_assert_cmpint(stat(path, &st), ==, 0);
    g_assert_cmphex(st.st_mode & 0777, ==, 0600);
    g_assert_cmpint(st.st_size, <, SEG0_LEN);   /* without the zeros */
    g_assert_cmpint(utimensat(AT_FDCWD, path, old, 0), ==, 0);
    start(k, false);                            /* the same file, and it was used: its time is new */
    g_assert_cmpint(stat(path, &st2), ==, 0);
    g_assert_cmpint(st.st_ino, ==, st2.st_ino);
    g_assert_cmpint(st2.st_mtime, >, 1000000);
    g_assert_cmpuint(cached(NULL), ==, 1);
    g_byte_array_free(b, TRUE);
}

/* Whichever byte of the file is wrong: the right kernel is started, and the file put right. */
static void test_cache_damaged(void)
{
    GByteArray *b = image(GZIP, THREE);
    g_autofree char *k = file("cached", b), *path = NULL, *good = NULL;
    gsize len = 0;

    cache_clear();
    start(k, false);
    g_assert_cmpuint(cached(&path), ==, 1);
    g_assert_true(g_file_get_contents(path, &good, &len, NULL));
    for (unsigned i = 0; i < 200; i++) {        /* all of the header, and some of the rest */
        gsize at = i < 120 ? i : (len - 1) * (i - 120) / 79, now_len = 0;
        g_autofree char *copy = g_memdup2(good, len), *now = NULL;

        copy[at] = (char)(copy[at] ^ (1 << i % 8));
        g_assert_true(g_file_set_contents(path, copy, (gssize)len, NULL));
        start(k, false);
        g_assert_true(g_file_get_contents(path, &now, &now_len, NULL));
        g_assert_cmpmem(now, now_len, good, len);
    }
    for (unsigned i = 0; i < 20; i++) {
        g_assert_true(g_file_set_contents(path, good, (gssize)(len * i / 20), NULL));
        start(k, false);
    }
    g_byte_array_free(b, TRUE);
}

/* A file, link or directory that others could have put there is not believed. */
static void test_cache_strangers(void)
{
    GByteArray *b = image(GZIP, THREE);
    g_autofree char *k = file("cached", b), *path = NULL, *elsewhere = g_build_filename(dir, "elsewhere", NULL);
    struct stat st, st2;

    cache_clear();
    start(k, false);
    g_assert_cmpuint(cached(&path), ==, 1);
    g_assert_cmpint(stat(path, &st), ==, 0);
    g_chmod(path, 0622);
    start(k, false);                            /* replaced by a file of ours */
    g_assert_cmpint(stat(path, &st2), ==, 0);
    g_assert_cmphex(st2.st_mode & 0777, ==, 0600);
    g_assert_cmpint(st.st_ino, !=, st2.st_ino);
    g_assert_cmpint(g_rename(path, elsewhere), ==, 0);
    g_assert_cmpint(symlink(elsewhere, path), ==, 0);
    start(k, false);
    g_assert_cmpint(lstat(path, &st), ==, 0);
    g_assert_true(S_ISREG(st.st_mode));
    g_unlink(path);
    g_assert_cmpint(mkfifo(path, 0600), ==, 0); /* and does not hang either */
    start(k, false);
    cache_clear();
    g_chmod(cache, 0777);
    start(k, false);
    g_assert_cmpuint(cached(NULL), ==, 0);
    g_chmod(cache, 0700);
    g_byte_array_free(b, TRUE);
}

static void test_cache_bounded(void)
{
    g_autofree char *mine = g_build_filename(cache, "notes.txt", NULL);
    g_autofree char *left = g_build_filename(cache, "tmp-1-00000000", NULL);
    struct timespec old[2] = { { .tv_sec = 1000000 }, { .tv_sec = 1000000 } };

    cache_clear();
    g_mkdir_with_parents(cache, 0700);
    g_assert_true(g_file_set_contents(mine, "hello", 5, NULL));
    g_assert_true(g_file_set_contents(left, "half", 4, NULL));
    g_assert_cmpint(utimensat(AT_FDCWD, left, old, 0), ==, 0);
    for (unsigned i = 0; i < 6; i++) {
        GByteArray *vm = vmlinux(THREE), *b;
        g_autofree char *k = NULL;
        struct boot_config cfg = { 0 };
        struct rig r;

        vm->data[SEG0 + 0x20000 + i] ^= 0x55;
        b = image_of(vm, GZIP, THREE);
        cfg.kernel = k = file("many", b);
        rig_init(&r, &cfg);
        rig_load(&r);
        g_assert_cmphex(r.e.kernel_phys, !=, 0);
        rig_fini(&r);
        g_byte_array_free(b, TRUE);
    }
    g_assert_cmpuint(cached(NULL), ==, 4 + 1);  /* the newest, and what is not ours */
    g_assert_true(g_file_test(mine, G_FILE_TEST_EXISTS));
    g_assert_false(g_file_test(left, G_FILE_TEST_EXISTS));
}

/* Nowhere to write: it only takes longer */
static void test_cache_unwritable(void)
{
    GByteArray *b = image(GZIP, THREE);
    g_autofree char *k = file("cached", b), *away = g_strconcat(cache, ".away", NULL);

    cache_clear();
    g_assert_cmpint(g_rename(cache, away), ==, 0);
    g_assert_true(g_file_set_contents(cache, "a file", 6, NULL));
    start(k, false);
    g_unlink(cache);
    g_assert_cmpint(g_rename(away, cache), ==, 0);
    g_byte_array_free(b, TRUE);
}

int main(int argc, char **argv)
{
    g_autofree char *xdg = NULL;
    int rc;

    dir = g_dir_make_tmp("patchbay-boot-XXXXXX", NULL);
    xdg = g_build_filename(dir, "xdg", NULL);
    g_setenv("XDG_CACHE_HOME", xdg, TRUE);
    cache = g_build_filename(xdg, "patchbay", "kernels", NULL);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/boot-direct/formats", test_formats);
    g_test_add_func("/boot-direct/layouts", test_layouts);
    g_test_add_func("/boot-direct/random", test_random);
    g_test_add_func("/boot-direct/bad-header", test_bad_header);
    g_test_add_func("/boot-direct/bad-words", test_bad_words);
    g_test_add_func("/boot-direct/bad-vmlinux", test_bad_vmlinux);
    g_test_add_func("/boot-direct/bad-stream", test_bad_stream);
    g_test_add_func("/boot-direct/bomb", test_bomb);
    g_test_add_func("/boot-direct/cache", test_cache);
    g_test_add_func("/boot-direct/cache-damaged", test_cache_damaged);
    g_test_add_func("/boot-direct/cache-strangers", test_cache_strangers);
    g_test_add_func("/boot-direct/cache-bounded", test_cache_bounded);
    g_test_add_func("/boot-direct/cache-unwritable", test_cache_unwritable);
    rc = g_test_run();
    clear_dir(dir, 3);
    g_rmdir(dir);
    g_free(dir);
    g_free(cache);
    return rc;
}
