/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/lib/bzimage.c - see bzimage.h */
#include "tests/lib/bzimage.h"
#include "config-host.h"
#include "lib/bytes.h"
#include <elf.h>
#include <string.h>
#include <zlib.h>
#ifdef HAVE_LZMA
#include <lzma.h>
#endif
#ifdef HAVE_ZSTD
#include <zstd.h>
#endif

/* ---- the kernel ---- */

static const uint32_t add64[] = { 0x1008, 0x2003, 0x220010 }, sub32[] = { 0x220020, 0x3001 },
                      add32[] = { 0x10, 0x1FFE, 0x42341, 0x220100, (uint32_t)KERNEL_SIZE - 4 };

uint64_t virt_of(enum layout l)
{
    return l == BITS32 ? 0xC0000000 + BASE : 0xFFFFFFFF80000000 + BASE;
}

static uint8_t pattern(unsigned i)
{
    return (i >> 12) % 37 < 17 ? 0 : (uint8_t)(i * 7 + (i >> 8) + 1);     /* with long runs of zeros */
}

static void put_elf64(uint8_t *p)
{
    Elf64_Ehdr e = { .e_machine = EM_X86_64, .e_phoff = 64, .e_phentsize = 56, .e_phnum = 3, .e_entry = BASE + ENTRY,
                     .e_shoff = SEG1 + SEG1_LEN, .e_shentsize = 64, .e_shnum = 2 };
    Elf64_Phdr ph[3] = {
        { .p_type = PT_LOAD, .p_offset = SEG0, .p_vaddr = 0xFFFFFFFF80000000 + BASE, .p_paddr = BASE,
          .p_filesz = SEG0_LEN, .p_memsz = SEG0_LEN },
        { .p_type = PT_LOAD, .p_offset = SEG1, .p_vaddr = 0, .p_paddr = BASE + SEG1_AT, .p_filesz = SEG1_LEN,
          .p_memsz = KERNEL_SIZE - SEG1_AT },
        { .p_type = PT_NOTE, .p_offset = 256, .p_filesz = 16 },
    };

    memcpy(e.e_ident, ELFMAG "\2\1\1", 7);
    memcpy(p, &e, sizeof(e));
    memcpy(p + 64, ph, sizeof(ph));
}

static void put_elf32(uint8_t *p)
{
    Elf32_Ehdr e = { .e_machine = EM_386, .e_phoff = 52, .e_phentsize = 32, .e_phnum = 2, .e_entry = BASE + ENTRY,
                     .e_shoff = SEG1 + SEG1_LEN, .e_shentsize = 40, .e_shnum = 1 };
    Elf32_Phdr ph[2] = {
        { .p_type = PT_LOAD, .p_offset = SEG0, .p_vaddr = 0xC0000000 + BASE, .p_paddr = BASE, .p_filesz = SEG0_LEN,
          .p_memsz = SEG0_LEN },
        { .p_type = PT_LOAD, .p_offset = SEG1, .p_vaddr = 0xC0000000 + BASE + SEG1_AT, .p_paddr = BASE + SEG1_AT,
          .p_filesz = SEG1_LEN, .p_memsz = KERNEL_SIZE - SEG1_AT },
    };

    memcpy(e.e_ident, ELFMAG "\1\1\1", 7);
    memcpy(p, &e, sizeof(e));
    memcpy(p + 52, ph, sizeof(ph));
}

static void put_words(GByteArray *b, const uint32_t *offsets, unsigned n, enum layout l)
{
    uint8_t w[4] = { 0 };

    g_byte_array_append(b, w, 4);
    for (unsigned i = 0; i < n; i++) {
        st_le32(w, (uint32_t)(virt_of(l) + offsets[i]));
        g_byte_array_append(b, w, 4);
    }
}

GByteArray *vmlinux(enum layout l)
{
    GByteArray *b = g_byte_array_new();

    g_byte_array_set_size(b, ELF_LEN(l));
    memset(b->data, 0xEE, b->len);              /* between segments: nobody's */
    if (l == BITS32) {
        put_elf32(b->data);
    } else {
        put_elf64(b->data);
    }
    for (unsigned i = 0; i < SEG0_LEN; i++) {
        b->data[SEG0 + i] = pattern(i);
    }
    for (unsigned i = 0; i < SEG1_LEN; i++) {
        b->data[SEG1 + i] = pattern(SEG1_AT + i);
    }
    if (l == THREE || l == TWO) {
        put_words(b, add64, G_N_ELEMENTS(add64), l);
    }
    if (l == THREE) {
        put_words(b, sub32, G_N_ELEMENTS(sub32), l);
    }
    if (l != NONE) {
        put_words(b, add32, G_N_ELEMENTS(add32), l);
    }
    return b;
}

uint8_t *expected(enum layout l, uint64_t delta)
{
    uint8_t *p = g_malloc0(KERNEL_SIZE);

    for (unsigned i = 0; i < SEG0_LEN; i++) {
        p[i] = pattern(i);
    }
    for (unsigned i = 0; i < SEG1_LEN; i++) {
        p[SEG1_AT + i] = pattern(SEG1_AT + i);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(add64) && (l == THREE || l == TWO); i++) {
        st_le64(p + add64[i], ld_le64(p + add64[i]) + delta);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(sub32) && l == THREE; i++) {
        st_le32(p + sub32[i], ld_le32(p + sub32[i]) - (uint32_t)delta);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(add32) && l != NONE; i++) {
        st_le32(p + add32[i], ld_le32(p + add32[i]) + (uint32_t)delta);
    }
    return p;
}

/* ---- compression ---- */

const char *const format_names[FORMATS] = { "gzip", "xz", "lzma", "zstd", "lz4" };

static GByteArray *gzip(const uint8_t *in, size_t len)
{
    GByteArray *b = g_byte_array_new();
    z_stream z = { .next_in = (Bytef *)in, .avail_in = (uInt)len };

    g_byte_array_set_size(b, (guint)len + 4096);
    g_assert_cmpint(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), ==, Z_OK);
    z.next_out = b->data;
    z.avail_out = b->len;
    g_assert_cmpint(deflate(&z, Z_FINISH), ==, Z_STREAM_END);
    g_byte_array_set_size(b, (guint)z.total_out);
    deflateEnd(&z);
    return b;
}

static void lz4_len(GByteArray *b, size_t n)
{
    uint8_t c;

    for (; n >= 255; n -= 255) {
        c = 255;
        g_byte_array_append(b, &c, 1);
    }
    c = (uint8_t)n;
    g_byte_array_append(b, &c, 1);
}

static void lz4_sequence(GByteArray *b, const uint8_t *lit, size_t n, size_t match)
{
    uint8_t token = (uint8_t)(MIN(n, (size_t)15) << 4 | (match ? MIN(match - 4, (size_t)15) : 0)), one[2] = { 1, 0 };

    g_byte_array_append(b, &token, 1);
    if (n >= 15) {
        lz4_len(b, n - 15);
    }
    g_byte_array_append(b, lit, (guint)n);
    if (match) {
        g_byte_array_append(b, one, 2);
        if (match - 4 >= 15) {
            lz4_len(b, match - 4 - 15);
        }
    }
}

/* Runs of one byte become matches that overlap themselves; everything else is literal. */
static void lz4_pack_block(GByteArray *b, const uint8_t *in, size_t len)
{
    size_t lit = 0, at = b->len;

    g_byte_array_set_size(b, b->len + 4);
    for (size_t i = 1, run; i < len; i += MAX(run, (size_t)1)) {
        for (run = 0; i + run < len - 5 && in[i + run] == in[i - 1]; run++) {
        }
        if (run >= 8) {
            lz4_sequence(b, in + lit, i - lit, run);
            lit = i + run;
        }
    }
    lz4_sequence(b, in + lit, len - lit, 0);
    st_le32(b->data + at, (uint32_t)(b->len - at - 4));
}

static GByteArray *lz4(const uint8_t *in, size_t len)
{
    GByteArray *b = g_byte_array_new();

    g_byte_array_append(b, (const uint8_t *)"\x02\x21\x4C\x18", 4);
    for (size_t i = 0; i < len; i += 8 * MiB) {
        lz4_pack_block(b, in + i, MIN(len - i, 8 * MiB));
    }
    return b;
}

GByteArray *pack(enum format f, const uint8_t *in, size_t len)
{
    GByteArray *b = f == GZIP ? gzip(in, len) : f == LZ4 ? lz4(in, len) : g_byte_array_new();
    G_GNUC_UNUSED size_t n = 0;
    uint8_t size[4];

    if (f != GZIP && f != LZ4) {
        g_byte_array_set_size(b, (guint)len * 2 + 4096);
    }
#ifdef HAVE_LZMA
    if (f == XZ) {
        g_assert_cmpint(lzma_easy_buffer_encode(6, LZMA_CHECK_CRC32, NULL, in, len, b->data, &n, b->len), ==, LZMA_OK);
    } else if (f == LZMA) {
        lzma_stream s = LZMA_STREAM_INIT;
        lzma_options_lzma o;

        lzma_lzma_preset(&o, 6);
        g_assert_cmpint(lzma_alone_encoder(&s, &o), ==, LZMA_OK);
        s.next_in = in;
        s.avail_in = len;
        s.next_out = b->data;
        s.avail_out = b->len;
        g_assert_cmpint(lzma_code(&s, LZMA_FINISH), ==, LZMA_STREAM_END);
        n = s.total_out;
        lzma_end(&s);
    }
#endif
#ifdef HAVE_ZSTD
    if (f == ZSTD) {
        ZSTD_CCtx *c = ZSTD_createCCtx();

        ZSTD_CCtx_setParameter(c, ZSTD_c_checksumFlag, 1);      /* as the command does */
        n = ZSTD_compress2(c, b->data, b->len, in, len);
        g_assert_false(ZSTD_isError(n));
        ZSTD_freeCCtx(c);
    }
#endif
    if (f != GZIP && f != LZ4) {
        g_byte_array_set_size(b, (guint)n);
    }
    if (!b->len) {
        g_byte_array_free(b, TRUE);
        return NULL;
    }
    st_le32(size, (uint32_t)len);
    if (f != GZIP) {                            /* it has that at its end already */
        g_byte_array_append(b, size, 4);
    }
    return b;
}

/* ---- the bzImage ---- */

GByteArray *bzimage(const GByteArray *payload, enum layout l)
{
    GByteArray *b = g_byte_array_new();
    uint8_t *p;

    g_byte_array_set_size(b, 1024 + STUB + payload->len + 64);
    p = b->data;
    memset(p, 0x90, b->len);
    memset(p, 0, 1024);
    p[0x1F1] = 1;
    st_le32(p + 0x1F4, (b->len - 1024) / 16);
    st_le16(p + 0x1FE, 0xAA55);
    p[0x200] = 0xEB;
    p[0x201] = 0x66;
    memcpy(p + 0x202, "HdrS", 4);
    st_le16(p + 0x206, 0x20F);
    st_le16(p + 0x20E, 0x100);
    p[0x211] = 1;
    st_le32(p + 0x214, LOAD_ADDR);
    st_le32(p + 0x22C, 0x7FFFFFFF);
    st_le32(p + 0x230, ALIGN);
    p[0x234] = 1;
    st_le16(p + 0x236, l == BITS32 ? 0 : 1);
    st_le32(p + 0x238, 255);
    st_le32(p + 0x248, STUB);
    st_le32(p + 0x24C, payload->len);
    st_le64(p + 0x258, BASE);
    st_le32(p + 0x260, INIT_SIZE);
    strcpy((char *)p + 0x300, "6.1.0-test (a@b) #1");
    memcpy(p + 1024 + STUB, payload->data, payload->len);
    return b;
}
