/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/unit/test-framing.c - frames in a byte stream: every cut, every length, and what a broken stream may not do */
#include "net/framing.h"
#include "lib/bits.h"
#include <glib.h>

enum { LIMIT = 2000, LEAST = 14 };

struct parser {
    struct framing f;
    uint8_t *buf;
};

static void parser_init(struct parser *p, uint32_t max)
{
    p->buf = g_malloc(framing_bytes(max));
    framing_init(&p->f, p->buf, LEAST, max);
}

static void feed(struct framing *f, const uint8_t *p, size_t n)
{
    size_t room;
    uint8_t *to = framing_room(f, &room);

    g_assert_cmpuint(room, >=, FRAMING_READ);
    g_assert_cmpuint(n, <=, room);
    memcpy(to, p, n);
    framing_filled(f, n);
}

static void put(GByteArray *a, uint32_t len, uint8_t fill)
{
    uint8_t h[FRAMING_HEADER];

    framing_put_header(h, len);
    g_byte_array_append(a, h, sizeof(h));
    for (uint32_t i = 0; i < len; i++) {
        g_byte_array_append(a, &fill, 1);
    }
}

/* One frame of every length, in pieces of every kind: those that are long enough come out as they went in. */
static void test_every_length(void)
{
    static const size_t steps[] = { 1, 2, 3, 7, 1000, 65536 };
    g_autoptr(GByteArray) all = g_byte_array_new();

    for (uint32_t len = 0; len <= LIMIT; len++) {
        put(all, len, (uint8_t)len);
    }
    for (unsigned s = 0; s < ARRAY_LEN(steps); s++) {
        uint32_t next = LEAST;
        struct parser p;

        parser_init(&p, LIMIT);
        for (size_t at = 0; at < all->len; at += steps[s]) {
            const uint8_t *frame;
            size_t len;

            feed(&p.f, all->data + at, MIN(steps[s], all->len - at));
            while (framing_peek(&p.f, &frame, &len) == FRAMING_FRAME) {
                g_assert_cmpuint(len, ==, next);
                g_assert_cmpuint(frame[0], ==, next & 0xFF);
                g_assert_cmpuint(frame[len - 1], ==, next & 0xFF);
                framing_take(&p.f);
                next++;
            }
        }
        g_assert_cmpuint(next, ==, LIMIT + 1);
        g_assert_cmpuint(p.f.short_frames, ==, LEAST);
        g_assert_cmpuint(p.f.start, ==, p.f.end);
        g_free(p.buf);
    }
}

static void test_header(void)
{
    uint8_t h[FRAMING_HEADER];

    framing_put_header(h, 0x00010203);
    g_assert_cmpmem(h, 4, ((uint8_t[]){ 0, 1, 2, 3 }), 4);
}

/* Too long: said when the fourth byte of the header is there, not before, and again; not by the frames before it. */
static void test_too_long(void)
{
    static const uint32_t bad[] = { LIMIT + 1, 65550, FRAMING_MAX, FRAMING_MAX + 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFFC };

    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        uint8_t h[FRAMING_HEADER];
        const uint8_t *frame;
        struct parser p;
        size_t len;

        parser_init(&p, LIMIT);
        feed(&p.f, (const uint8_t[]){ 0, 0, 0, 14, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14 }, 18);
        framing_put_header(h, bad[i]);
        feed(&p.f, h, 3);
        g_assert_cmpint(framing_peek(&p.f, &frame, &len), ==, FRAMING_FRAME);
        framing_take(&p.f);
        g_assert_cmpint(framing_peek(&p.f, &frame, &len), ==, FRAMING_MORE);
        feed(&p.f, h + 3, 1);
        g_assert_cmpint(framing_peek(&p.f, &frame, &len), ==, FRAMING_TOO_LONG);
        g_assert_cmpuint(len, ==, bad[i]);
        g_assert_cmpint(framing_peek(&p.f, &frame, &len), ==, FRAMING_TOO_LONG);
        framing_reset(&p.f);
        feed(&p.f, (const uint8_t[18]){ [3] = 14 }, 18);
        g_assert_cmpint(framing_peek(&p.f, &frame, &len), ==, FRAMING_FRAME);
        g_free(p.buf);
    }
}

/* The longest frame, with a read of 64 KiB behind half of it: there is always room for a read, the buffer never grows. */
static void test_longest(void)
{
    g_autoptr(GByteArray) all = g_byte_array_new();
    const uint8_t *frame;
    struct parser p;
    unsigned got = 0;
    size_t len;

    for (unsigned i = 0; i < 20; i++) {
        put(all, FRAMING_MAX, (uint8_t)i);
        put(all, 0, 0);
    }
    parser_init(&p, FRAMING_MAX);
    for (size_t at = 0; at < all->len;) {
        size_t n = MIN((size_t)FRAMING_READ, all->len - at);

        feed(&p.f, all->data + at, n);
        at += n;
        while (framing_peek(&p.f, &frame, &len) == FRAMING_FRAME) {
            g_assert_cmpuint(len, ==, FRAMING_MAX);
            g_assert_cmpuint(frame[0], ==, got);
            g_assert_cmpuint(frame[len - 1], ==, got);
            framing_take(&p.f);
            got++;
        }
    }
    g_assert_cmpuint(got, ==, 20);
    g_assert_cmpuint(p.f.short_frames, ==, 20);
    g_free(p.buf);
}

/* A frame that is not taken stays where it is. */
static void test_peek_stays(void)
{
    const uint8_t *a, *b;
    struct parser p;
    size_t len;

    parser_init(&p, LIMIT);
    feed(&p.f, (const uint8_t[40]){ [3] = 14, [4] = 0xAA, [21] = 15, [22] = 0xBB }, 37);
    g_assert_cmpint(framing_peek(&p.f, &a, &len), ==, FRAMING_FRAME);
    g_assert_cmpint(framing_peek(&p.f, &b, &len), ==, FRAMING_FRAME);
    g_assert_true(a == b && len == 14 && a[0] == 0xAA);
    framing_take(&p.f);
    g_assert_cmpint(framing_peek(&p.f, &b, &len), ==, FRAMING_FRAME);
    g_assert_true(len == 15 && b[0] == 0xBB);
    g_free(p.buf);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/net/framing/header", test_header);
    g_test_add_func("/net/framing/every-length", test_every_length);
    g_test_add_func("/net/framing/too-long", test_too_long);
    g_test_add_func("/net/framing/longest", test_longest);
    g_test_add_func("/net/framing/peek-stays", test_peek_stays);
    return g_test_run();
}
