/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/unit/test-vnet-hdr.c - struct virtio_net_hdr (VIRTIO 1.2 5.1.6), IP fragments of UFO frames, RSS with extension
 * headers */
#include "lib/bits.h"
#include "lib/bytes.h"
#include "net/caps.h"
#include "net/offload/csum.h"
#include "net/offload/fragment.h"
#include "net/offload/toeplitz.h"
#include "net/vnet_hdr.h"
#include <glib.h>

/* ---- header ---- */

static void hdr_make(uint8_t h[10], uint8_t flags, uint8_t gso, uint16_t hdr_len, uint16_t size, uint16_t start,
                     uint16_t off)
{
    h[0] = flags;
    h[1] = gso;
    st_le16(h + 2, hdr_len);
    st_le16(h + 4, size);
    st_le16(h + 6, start);
    st_le16(h + 8, off);
}

/* 5.1.6.2: what each value means, and what contradicts the frame */
static void test_decode(void)
{
    static const struct {
        uint8_t flags, gso;
        uint16_t hdr_len, size, start, off;
        size_t frame;
        enum vnet_hdr_bad want;
        uint8_t kind, pkt_flags;
    } t[] = {
        { 0, 0,    0, 0, 0, 0,          60, VNET_HDR_OK, PKT_GSO_NONE, 0 },
        { 1, 0,    0, 0, 34, 16,        60, VNET_HDR_OK, PKT_GSO_NONE, PKT_NEEDS_CSUM },
        { 1, 0,    0, 0, 34, 24,        60, VNET_HDR_OK, PKT_GSO_NONE, PKT_NEEDS_CSUM },      /* its last two bytes */
        { 1, 0,    0, 0, 34, 25,        60, VNET_HDR_BAD_CSUM, 0, 0 },
        { 1, 0,    0, 0, 60, 0,         60, VNET_HDR_BAD_CSUM, 0, 0 },
        { 1, 0,    0, 0, 0xFFFF, 0xFFFF, 60, VNET_HDR_BAD_CSUM, 0, 0 },
        { 0, 0,    0, 0, 0xFFFF, 0xFFFF, 60, VNET_HDR_OK, PKT_GSO_NONE, 0 },         /* no NEEDS_CSUM: ignored */
        { 1, 1,    54, 1448, 34, 16,    4000, VNET_HDR_OK, PKT_GSO_TCP4, PKT_NEEDS_CSUM },
        { 1, 0x81, 54, 1448, 34, 16,    4000, VNET_HDR_OK, PKT_GSO_TCP4, PKT_NEEDS_CSUM | PKT_ECN },
        { 1, 4,    74, 1428, 54, 16,    4000, VNET_HDR_OK, PKT_GSO_TCP6, PKT_NEEDS_CSUM },
        { 1, 0x84, 74, 1428, 54, 16,    4000, VNET_HDR_OK, PKT_GSO_TCP6, PKT_NEEDS_CSUM | PKT_ECN },
        { 1, 3,    42, 1480, 34, 6,     4000, VNET_HDR_OK, PKT_GSO_UFO, PKT_NEEDS_CSUM },
        { 1, 5,    42, 1200, 34, 6,     4000, VNET_HDR_OK, PKT_GSO_UDP, PKT_NEEDS_CSUM },
        { 1, 0x85, 42, 1200, 34, 6,     4000, VNET_HDR_BAD_GSO, 0, 0 },                       /* ECN is TCP's */
        { 1, 2,    54, 1448, 34, 16,    4000, VNET_HDR_BAD_GSO, 0, 0 },
        { 1, 0x7F, 54, 1448, 34, 16,    4000, VNET_HDR_BAD_GSO, 0, 0 },
        { 1, 0x80, 54, 1448, 34, 16,    4000, VNET_HDR_BAD_GSO, 0, 0 },
        { 1, 1,    54, 0, 34, 16,       4000, VNET_HDR_BAD_GSO, 0, 0 },                       /* segments of nothing */
        { 1, 1,    4001, 1448, 34, 16,  4000, VNET_HDR_BAD_GSO, 0, 0 },
        { 2, 0,    0, 0, 0, 0,          60, VNET_HDR_OK, PKT_GSO_NONE, 0 },          /* DATA_VALID: receivers' */
        { 4, 0,    0, 0, 7, 7,          60, VNET_HDR_OK, PKT_GSO_NONE, 0 },
    };

    for (unsigned i = 0; i < ARRAY_LEN(t); i++) {
        uint8_t h[10];
        struct pkt_meta m;

        hdr_make(h, t[i].flags, t[i].gso, t[i].hdr_len, t[i].size, t[i].start, t[i].off);
        g_test_message("row %u", i);
        g_assert_cmpint(vnet_hdr_decode(h, t[i].frame, &m), ==, t[i].want);
        g_assert_cmpint(m.gso, ==, t[i].kind);
        g_assert_cmpint(m.flags, ==, t[i].pkt_flags);
        if (t[i].want == VNET_HDR_OK && m.gso) {
            g_assert_cmpuint(m.gso_size, ==, t[i].size);
            g_assert_cmpuint(m.hdr_len, ==, t[i].hdr_len);
        }
        if (m.flags & PKT_NEEDS_CSUM) {
            g_assert_cmpuint(m.csum_start, ==, t[i].start);
            g_assert_cmpuint(m.csum_off, ==, t[i].off);
        }
    }
}

/* Every header that decodes encodes to the same bytes again, in all three lengths */
static void test_round_trip(void)
{
    static const uint8_t types[] = { 0, 1, 3, 4, 5, 0x81, 0x84 };
    static const size_t lens[] = { 10, 12, 20 };

    for (unsigned i = 0; i < ARRAY_LEN(types); i++) {
        for (unsigned k = 0; k < 3; k++) {
            uint8_t in[10], out[20];
            struct pkt_meta m;

            hdr_make(in, 1, types[i], types[i] ? 54 : 0, types[i] ? 1000 : 0, 34, 16);
            g_assert_cmpint(vnet_hdr_decode(in, 5000, &m), ==, VNET_HDR_OK);
            memset(out, 0xEE, sizeof(out));
            vnet_hdr_encode(&m, true, out, lens[k]);
            g_assert_cmpmem(in, 10, out, 10);
            if (k) {
                g_assert_cmpuint(ld_le16(out + 10), ==, 1);
            }
            for (unsigned b = 12; b < lens[k]; b++) {
                g_assert_cmphex(out[b], ==, 0);                 /* nothing uninitialised */
            }
            for (unsigned b = (unsigned)lens[k]; b < 20; b++) {
                g_assert_cmphex(out[b], ==, 0xEE);
            }
        }
    }
}

/* 5.1.6.4: DATA_VALID, hash report, RSC */
static void test_receiver_fields(void)
{
    struct pkt_meta m = { .flags = PKT_CSUM_VALID | PKT_HASH, .hash = 0x51CCC178, .hash_type = 2 };
    uint8_t h[20];

    vnet_hdr_encode(&m, true, h, 20);
    g_assert_cmphex(h[0], ==, 2);
    g_assert_cmphex(ld_le32(h + 12), ==, 0x51CCC178);
    g_assert_cmpuint(ld_le16(h + 16), ==, 2);
    g_assert_cmpuint(ld_le16(h + 18), ==, 0);
    vnet_hdr_encode(&m, false, h, 20);
    g_assert_cmphex(h[0], ==, 0);
    m = (struct pkt_meta){ .flags = PKT_CSUM_VALID, .gso = PKT_GSO_TCP4, .gso_size = 1460, .hdr_len = 54 };
    vnet_hdr_encode(&m, true, h, 12);
    vnet_hdr_set_rsc(h, 17, 2);
    g_assert_cmphex(h[0], ==, 2 | 4);
    g_assert_cmpuint(ld_le16(h + 6), ==, 17);
    g_assert_cmpuint(ld_le16(h + 8), ==, 2);
    for (unsigned i = 0; i < 9; i++) {
        g_assert_cmpuint(vnet_hash_report(1u << i), ==, i + 1);
    }
    g_assert_cmpuint(vnet_hash_report(0), ==, 0);
    g_assert_cmpuint(vnet_hash_report(1u << 9), ==, 0);
}

/* ---- UFO ---- */

enum { DATA = 5000 };

/* Ethernet, IP (4, or 6 with an optional destination options header), UDP, pattern; checksum fields not filled in */
static size_t udp_frame(uint8_t *p, bool ip6, bool ext, size_t data)
{
    size_t l4 = ip6 ? ext ? 62 : 54 : 34, len = l4 + 8 + data;

    for (size_t i = 0; i < len; i++) {
        p[i] = (uint8_t)(i * 13 + (i >> 8));
    }
    st_be16(p + 12, ip6 ? 0x86DD : 0x0800);
    if (ip6) {
        p[14] = 0x60;
        p[15] = p[16] = p[17] = 0;
        st_be16(p + 18, (uint16_t)(len - 54));
        p[20] = ext ? 60 : 17;
        p[21] = 64;
        if (ext) {
            static const uint8_t opt[8] = { 17, 0, 1, 4, 0, 0, 0, 0 };      /* PadN */

            memcpy(p + 54, opt, 8);
        }
    } else {
        static const uint8_t ip[12] = { 0x45, 0, 0, 0, 0xAB, 0xCD, 0, 0, 64, 17, 0, 0 };

        memcpy(p + 14, ip, 12);
        st_be16(p + 16, (uint16_t)(len - 14));
    }
    st_be16(p + l4, 1000);
    st_be16(p + l4 + 2, 2000);
    st_be16(p + l4 + 4, (uint16_t)(8 + data));
    st_be16(p + l4 + 6, 0);
    return len;
}

struct pieces {
    uint8_t joined[66000];              /* IP payload, put together by offset */
    size_t end, top;
    unsigned n, whole;
    uint16_t id4;
    uint32_t id6;
    size_t biggest;
    struct pkt_meta meta;
};

static bool join(void *opaque, const struct frame *f)
{
    struct pieces *j = opaque;
    uint8_t p[66000];
    struct pkt_layout l;
    size_t off, at, n;
    bool more;

    frame_copy_out(f, 0, p, f->len);
    pkt_parse(p, f->len, f->len, &l);
    g_assert_true(l.l3_len_ok);
    g_assert_cmpuint(l.l3_end, ==, f->len);
    j->meta = f->meta;
    if (l.l3 == PKT_L3_IP4) {
        g_assert_cmpint(csum_check_ip4(p, &l), ==, CSUM_GOOD);
        off = (size_t)(ld_be16(p + 20) & 0x1FFF) * 8;
        more = ld_be16(p + 20) & 0x2000;
        g_assert_cmphex(ld_be16(p + 18), ==, 0xABCD);
        at = l.l4_off;
    } else if (l.fragment || !l.l4) {
        const uint8_t *fh = p + l.l4_off - 8;

        g_assert_cmpuint(fh[0], ==, 17);
        off = ld_be16(fh + 2) & 0xFFF8;
        more = fh[3] & 1;
        if (j->n) {
            g_assert_cmphex(ld_be32(fh + 4), ==, j->id6);
        }
        j->id6 = ld_be32(fh + 4);
        at = l.l4_off;
    } else {
        off = 0;
        more = false;
        at = l.l4_off;
    }
    j->whole += !l.fragment;
    n = f->len - at;
    g_assert_cmpuint(off, ==, j->end);              /* in order, no gap */
    memcpy(j->joined + off, p + at, n);
    j->end += n;
    j->biggest = MAX(j->biggest, n);
    if (!more) {
        j->top = j->end;
    }
    j->n++;
    return true;
}

static void check_ufo(bool ip6, bool ext, size_t data, uint16_t size)
{
    g_autofree struct pieces *j = g_new0(struct pieces, 1);
    g_autofree uint8_t *p = g_malloc(66000);
    size_t len = udp_frame(p, ip6, ext, data), l4 = ip6 ? ext ? 62 : 54 : 34;
    struct iovec v = { j->joined, 0 };
    uint64_t sum;
    struct frame f;

    frame_from_buf(&f, p, len);
    f.meta = (struct pkt_meta){ .flags = PKT_NEEDS_CSUM, .gso = PKT_GSO_UFO, .gso_size = size,
                                .csum_start = (uint16_t)l4, .csum_off = 6 };
    g_assert_cmpint(caps_adapt(&f, PKT_CAP_ALL & ~PKT_CAP_UFO, join, j), ==, CAPS_OK);
    g_assert_cmpuint(j->top, ==, 8 + data);
    g_assert_cmpuint(j->biggest, <=, size);
    g_assert_cmpuint(j->n, ==, 8 + data <= size ? 1 : (8 + data + (size & ~7u) - 1) / (size & ~7u));
    g_assert_cmpuint(j->whole, ==, j->n == 1);
    g_assert_cmpmem(j->joined + 8, data, p + l4 + 8, data);
    v.iov_len = 8 + data;                           /* the checksum is that of the datagram */
    sum = csum_pseudo(p + 14, ip6 ? PKT_L3_IP6 : PKT_L3_IP4, 17, (uint32_t)(8 + data));
    g_assert_cmphex(csum_fold(csum_add_iov(sum, &v, 1, 0, v.iov_len)), ==, 0xFFFF);
    g_assert_cmphex(j->meta.flags & PKT_NEEDS_CSUM, ==, 0);
}

static void test_ufo(void)
{
    for (unsigned i = 0; i < 3; i++) {
        check_ufo(i > 0, i > 1, DATA, 1480);
        check_ufo(i > 0, i > 1, DATA, 1477);        /* rounded down to 8 bytes */
        check_ufo(i > 0, i > 1, DATA + 1, 8);
        check_ufo(i > 0, i > 1, 1000, 1480);        /* fits: no fragment */
        check_ufo(i > 0, i > 1, 60000, 65000);
    }
}

static bool refuse(void *opaque, const struct frame *f)
{
    ++*(unsigned *)opaque;
    return false;
}

static void test_ufo_hostile(void)
{
    uint8_t p[4000];
    unsigned n = 0;
    struct frame f;
    size_t len = udp_frame(p, false, false, 3000);

    frame_from_buf(&f, p, len);
    f.meta = (struct pkt_meta){ .gso = PKT_GSO_UFO, .gso_size = 7 };
    g_assert_cmpint(caps_adapt(&f, 0, refuse, &n), ==, CAPS_BAD_META);          /* no byte a fragment */
    f.meta.gso_size = 1480;
    p[23] = 6;
    g_assert_cmpint(caps_adapt(&f, 0, refuse, &n), ==, CAPS_BAD_META);          /* TCP */
    p[23] = 17;
    st_be16(p + 20, 0x2000);
    g_assert_cmpint(caps_adapt(&f, 0, refuse, &n), ==, CAPS_BAD_META);          /* a fragment already */
    st_be16(p + 20, 0);
    for (size_t cut = 14; cut < 42; cut++) {
        frame_from_buf(&f, p, cut);
        f.meta = (struct pkt_meta){ .gso = PKT_GSO_UFO, .gso_size = 1480 };
        g_assert_cmpint(caps_adapt(&f, 0, refuse, &n), ==, CAPS_BAD_META);
    }
    g_assert_cmpuint(n, ==, 0);
    frame_from_buf(&f, p, len);
    f.meta = (struct pkt_meta){ .gso = PKT_GSO_UFO, .gso_size = 1480 };
    g_assert_cmpint(caps_adapt(&f, 0, refuse, &n), ==, CAPS_STOPPED);
    g_assert_cmpuint(n, ==, 1);
}

static bool keep(void *opaque, const struct frame *f)
{
    *(struct pkt_meta *)opaque = f->meta;
    return true;
}

/* A receiver that takes them gets them whole */
static void test_ufo_whole(void)
{
    uint8_t p[4000];
    struct pkt_meta m;
    struct frame f;

    frame_from_buf(&f, p, udp_frame(p, false, false, 3000));
    f.meta = (struct pkt_meta){ .flags = PKT_NEEDS_CSUM, .gso = PKT_GSO_UFO, .gso_size = 1480, .csum_start = 34,
                                .csum_off = 6 };
    g_assert_cmphex(caps_needed(&f.meta), ==, PKT_CAP_UFO | PKT_CAP_CSUM);
    g_assert_cmpint(caps_adapt(&f, PKT_CAP_ALL, keep, &m), ==, CAPS_OK);
    g_assert_cmpint(m.gso, ==, PKT_GSO_UFO);
    g_assert_cmpuint(m.csum_start, ==, 34);
    g_assert_cmpuint(m.csum_off, ==, 6);
    g_assert_cmpuint(m.hdr_len, ==, 42);
}

/* ---- RSS with extension headers: VIRTIO 1.2 5.1.6.4.3.4 ---- */

static void test_rss_ex(void)
{
    uint8_t p[200] = { 0 }, in[RSS_INPUT_MAX];
    struct pkt_layout l;
    size_t len;

    st_be16(p + 12, 0x86DD);
    p[14] = 0x60;
    st_be16(p + 18, 24 + 24 + 20);
    p[20] = 60;
    memset(p + 22, 0x11, 16);                       /* source */
    memset(p + 38, 0x22, 16);                       /* destination */
    p[54] = 43;                                     /* destination options: home address */
    p[55] = 2;
    p[56] = 1;
    p[57] = 2;                                      /* PadN of 4 bytes */
    p[60] = 0xC9;
    p[61] = 16;
    memset(p + 62, 0x33, 16);
    p[78] = 6;                                      /* routing header type 2 */
    p[79] = 2;
    p[80] = 2;
    p[81] = 1;
    memset(p + 86, 0x44, 16);
    st_be16(p + 102, 4321);
    st_be16(p + 104, 80);
    p[114] = 0x50;
    pkt_parse(p, 122, 122, &l);
    g_assert_cmpint(l.l4, ==, PKT_L4_TCP);
    g_assert_cmpuint(rss_input(p, &l, RSS_TYPES, in, &len), ==, RSS_TCP6_EX);
    g_assert_cmpuint(len, ==, 36);
    g_assert_cmphex(in[0], ==, 0x33);
    g_assert_cmphex(in[16], ==, 0x44);
    g_assert_cmpuint(ld_be16(in + 32), ==, 4321);
    g_assert_cmpuint(rss_input(p, &l, RSS_IP6_EX | RSS_TCP6, in, &len), ==, RSS_IP6_EX);
    g_assert_cmpuint(len, ==, 32);
    g_assert_cmpuint(rss_input(p, &l, RSS_TCP6 | RSS_UDP6_EX, in, &len), ==, RSS_TCP6);     /* as if there were none */
    g_assert_cmphex(in[0], ==, 0x11);
    g_assert_cmphex(in[16], ==, 0x22);
    p[20] = 6;                                      /* no extension headers: EX types do not apply */
    p[66] = 0x50;
    pkt_parse(p, 122, 122, &l);
    g_assert_cmpuint(rss_input(p, &l, RSS_TCP6_EX | RSS_IP6_EX, in, &len), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/vnet-hdr/decode", test_decode);
    g_test_add_func("/vnet-hdr/round-trip", test_round_trip);
    g_test_add_func("/vnet-hdr/receiver", test_receiver_fields);
    g_test_add_func("/vnet-hdr/ufo", test_ufo);
    g_test_add_func("/vnet-hdr/ufo-hostile", test_ufo_hostile);
    g_test_add_func("/vnet-hdr/ufo-whole", test_ufo_whole);
    g_test_add_func("/vnet-hdr/rss-ex", test_rss_ex);
    return g_test_run();
}
