/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/i386/boot_unpack.c - the compressed part of a Linux kernel image
 *
 * The kernel's build (scripts/Makefile.lib) makes one stream with the ordinary program of each format and puts the size
 * of the result behind it, 4 bytes, little-endian; gzip ends in that number anyway. All output goes into one buffer of
 * exactly that size, so nothing that a hostile stream says makes us write or allocate more, except for the dictionary
 * of XZ and LZMA, which has a limit of its own.
 */
#include "hw/i386/boot_unpack.h"
#include "config-host.h"
#include "lib/bits.h"
#include "lib/bytes.h"
#include <string.h>
#include <zlib.h>
#ifdef HAVE_LZMA
#include <lzma.h>
#endif
#ifdef HAVE_ZSTD
#include <zstd.h>
#endif

struct packed {
    const uint8_t *in;
    size_t in_len;              /* without the size behind it */
    uint8_t *out;
    size_t out_len;
};

/* Each returns NULL when it wrote exactly out_len bytes, or the reason why not. */
typedef const char *unpack_fn(const struct packed *p);

static const char *unpack_gzip(const struct packed *p)
{
    /* the size at the end belongs to the format: RFC 1952, 2.3.1 */
    z_stream z = {
        .next_in = (Bytef *)p->in, .avail_in = (uInt)p->in_len + 4, .next_out = p->out, .avail_out = (uInt)p->out_len,
    };
    int rc;

    if (inflateInit2(&z, 15 + 16) != Z_OK) {
        return "no memory";
    }
    rc = inflate(&z, Z_FINISH);
    inflateEnd(&z);
    return rc == Z_STREAM_END && z.total_out == p->out_len ? NULL : "damaged data";
}

/* ---- LZMA ---- */

#ifdef HAVE_LZMA
enum { LZMA_MEMORY = 192 << 20 };       /* the largest dictionary that kernels are made with has 128 MiB */

static const char *run_lzma(lzma_stream *s, lzma_ret rc, const struct packed *p)
{
    size_t len;

    if (rc == LZMA_OK) {
        s->next_in = p->in;
        s->avail_in = p->in_len;
        s->next_out = p->out;
        s->avail_out = p->out_len + 1;  /* an end marker is only looked for while there is room */
        rc = lzma_code(s, LZMA_FINISH);
    }
    len = s->next_out ? (size_t)(s->next_out - p->out) : 0;
    lzma_end(s);
    return rc == LZMA_MEMLIMIT_ERROR ? "its dictionary is too large"
           : rc == LZMA_STREAM_END && len == p->out_len ? NULL : "damaged data";
}

static const char *unpack_xz(const struct packed *p)
{
    lzma_stream s = LZMA_STREAM_INIT;

    return run_lzma(&s, lzma_stream_decoder(&s, LZMA_MEMORY, 0), p);
}

static const char *unpack_lzma(const struct packed *p)
{
    lzma_stream s = LZMA_STREAM_INIT;

    return run_lzma(&s, lzma_alone_decoder(&s, LZMA_MEMORY), p);
}
#else
static const char *unpack_xz(const struct packed *p)
{
    return "built without liblzma";
}

static const char *unpack_lzma(const struct packed *p)
{
    return "built without liblzma";
}
#endif

/* ---- Zstandard ---- */

static const char *unpack_zstd(const struct packed *p)
{
#ifdef HAVE_ZSTD
    size_t n = ZSTD_decompress(p->out, p->out_len, p->in, p->in_len);

    return ZSTD_isError(n) ? ZSTD_getErrorName(n) : n == p->out_len ? NULL : "wrong size";
#else
    return "built without libzstd";
#endif
}

/* ---- LZ4 ---- */

enum { LZ4_BLOCK = 8 << 20, LZ4_MIN_MATCH = 4, LZ4_MAGIC = 4 };

/* A length of 15 in a token goes on in bytes up to the first that is not 255. */
static bool lz4_length(const uint8_t **in, const uint8_t *end, size_t *len)
{
    uint8_t c;

    if (*len != 15) {
        return true;
    }
    do {
        if (*in == end || *len > LZ4_BLOCK) {
            return false;
        }
        c = *(*in)++;
        *len += c;
    } while (c == 255);
    return true;
}

/* LZ4 block format: sequences of token, literals, offset, match; the last has literals only. -1: damaged */
static ssize_t lz4_block(const uint8_t *in, size_t in_len, uint8_t *out, size_t room)
{
    const uint8_t *end = in + in_len;
    size_t n = 0;

    while (in < end) {
        size_t lit = *in >> 4, match = *in & 15, offset;

        in++;
        if (!lz4_length(&in, end, &lit) || lit > (size_t)(end - in) || lit > room - n) {
            return -1;
        }
        memcpy(out + n, in, lit);
        in += lit;
        n += lit;
        if (in == end) {
            return (ssize_t)n;
        }
        if (end - in < 2) {
            return -1;
        }
        offset = ld_le16(in);
        in += 2;
        if (!lz4_length(&in, end, &match)) {
            return -1;
        }
        match += LZ4_MIN_MATCH;
        if (!offset || offset > n || match > room - n) {
            return -1;
        }
        for (; match; match--, n++) {           /* the source may overlap: it repeats what was just written */
            out[n] = out[n - offset];
        }
    }
    return -1;
}

/* LZ4 "legacy" frames: a magic number, then blocks of 8 MiB (the last is shorter), each behind its packed size */
static const char *unpack_lz4(const struct packed *p)
{
    const uint8_t *in = p->in + LZ4_MAGIC;
    size_t left = p->in_len - LZ4_MAGIC, done = 0;

    while (left >= 4) {
        size_t len = ld_le32(in);
        ssize_t n;

        in += 4;
        left -= 4;
        if (len > left) {
            return "damaged data";
        }
        n = lz4_block(in, len, p->out + done, MIN(p->out_len - done, (size_t)LZ4_BLOCK));
        if (n < 0) {
            return "damaged data";
        }
        done += (size_t)n;
        in += len;
        left -= len;
    }
    return !left && done == p->out_len ? NULL : "wrong size";
}

/* ---- by magic number ---- */

static const char *unpack_none(const struct packed *p)
{
    return "a format that is not built in";
}

static const struct packer {
    const char *name;
    uint8_t magic[6], len;
    unpack_fn *unpack;
} packers[] = {
    { "gzip",  { 0x1F, 0x8B, 0x08 }, 3, unpack_gzip },
    { "xz",    { 0xFD, '7', 'z', 'X', 'Z', 0 }, 6, unpack_xz },
    { "lzma",  { 0x5D, 0x00, 0x00 }, 3, unpack_lzma },
    { "zstd",  { 0x28, 0xB5, 0x2F, 0xFD }, 4, unpack_zstd },
    { "lz4",   { 0x02, 0x21, 0x4C, 0x18 }, 4, unpack_lz4 },
    { "bzip2", { 'B', 'Z', 'h' }, 3, unpack_none },
    { "lzo",   { 0x89, 'L', 'Z', 'O', 0 }, 5, unpack_none },
};

bool boot_unpack(const uint8_t *in, size_t in_len, uint8_t *out, size_t out_len, Error **errp)
{
    const struct packed p = { in, in_len - 4, out, out_len };

    for (unsigned i = 0; i < ARRAY_LEN(packers) && in_len > 16 && in_len < GiB && out_len < GiB; i++) {
        const struct packer *k = &packers[i];
        const char *why;

        if (memcmp(in, k->magic, k->len)) {
            continue;
        }
        why = k->unpack(&p);
        if (why) {
            error_setg(errp, "its %s data: %s", k->name, why);
        }
        return !why;
    }
    error_setg(errp, "its compressed data has an unknown format");
    return false;
}
