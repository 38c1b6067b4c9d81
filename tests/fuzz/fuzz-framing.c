/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/fuzz/fuzz-framing.c - a byte stream cut at random: the parser agrees with the simplest reader there is, whatever the cuts
 *
 * Input: 2 bytes of limits, then operations { kind and count, bytes }: feed bytes as they are, feed a good frame, look but do not take. The
 * reference keeps the whole stream and walks it from the start. The buffer has the exact size that framing_bytes() says.
 */
#include "lib/bits.h"
#include "net/framing.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { STREAM_MAX = 8192 };

static void promise(bool kept)
{
    if (!kept) {
        abort();
    }
}

struct reference {
    uint8_t stream[STREAM_MAX];
    size_t len, at;
    uint64_t short_frames;
};

static enum framing_status reference_next(struct reference *r, uint32_t min, uint32_t max, size_t *off, size_t *len)
{
    for (;;) {
        if (r->len - r->at < 4) {
            return FRAMING_MORE;
        }
        *len = ld_be32(r->stream + r->at);
        if (*len > max) {
            return FRAMING_TOO_LONG;
        }
        if (r->len - r->at - 4 < *len) {
            return FRAMING_MORE;
        }
        *off = r->at + 4;
        if (*len >= min) {
            return FRAMING_FRAME;
        }
        r->at += 4 + *len;
        r->short_frames++;
    }
}

static void feed(struct framing *f, struct reference *r, const uint8_t *p, size_t n)
{
    size_t room;
    uint8_t *to;

    n = n < STREAM_MAX - r->len ? n : STREAM_MAX - r->len;
    to = framing_room(f, &room);
    promise(room >= FRAMING_READ);
    memcpy(to, p, n);
    framing_filled(f, n);
    memcpy(r->stream + r->len, p, n);
    r->len += n;
}

/* @take: how many frames at the most; the rest waits, as when the guest is behind. Return: nothing whole is left. */
static bool compare(struct framing *f, struct reference *r, unsigned take)
{
    for (;;) {
        const uint8_t *frame = NULL;
        size_t len = 0, want_len = 0, off = 0;
        enum framing_status st = framing_peek(f, &frame, &len), want = reference_next(r, f->min, f->max, &off, &want_len);

        promise(st == want);
        promise(f->short_frames == r->short_frames);
        promise(f->start <= f->end && f->end <= framing_bytes(f->max));
        if (st == FRAMING_TOO_LONG) {
            promise(len == want_len);
            framing_reset(f);                   /* the owner ends the connection; the next one starts afresh */
            r->at = r->len;
        }
        if (st != FRAMING_FRAME) {
            return true;
        }
        promise(len == want_len && !memcmp(frame, r->stream + off, len));
        if (!take--) {
            return false;
        }
        framing_take(f);
        r->at = off + len;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t *buf;
    static size_t buf_bytes;
    static struct reference r;
    struct framing f;
    uint32_t min, max;

    if (size < 2) {
        return 0;
    }
    min = data[0] & 31;
    max = min + data[1] * 4u;
    if (buf_bytes != framing_bytes(max)) {      /* ends where the parser must end; the same one again is not made again */
        buf_bytes = framing_bytes(max);
        free(buf);
        buf = malloc(buf_bytes);
    }
    r.len = r.at = r.short_frames = 0;
    framing_init(&f, buf, min, max);
    for (data += 2, size -= 2; size;) {
        uint8_t op = *data++, bytes[FRAMING_HEADER + 63];
        size_t n = op & 63, header = op & 64 ? FRAMING_HEADER : 0;

        size--;
        n = n < size ? n : size;
        framing_put_header(bytes, (uint32_t)n); /* what a well-behaved sender says */
        memcpy(bytes + header, data, n);
        feed(&f, &r, bytes, header + n);
        data += n;
        size -= n;
        if (!compare(&f, &r, op & 128 ? 1 : 1000)) {
            compare(&f, &r, 1000);              /* only then may more be read */
        }
    }
    return 0;
}
