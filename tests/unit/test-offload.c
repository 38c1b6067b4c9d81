/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/unit/test-offload.c - net/offload against RFC examples, published vectors, a slow reference, and itself reversed */
#include "lib/bits.h"
#include "net/caps.h"
#include "net/offload/coalesce.h"
#include "net/offload/segment.h"
#include "net/offload/toeplitz.h"
#include "net/offload/vlan.h"
#include "pkt.h"
#include <arpa/inet.h>
#include <glib.h>

/* --- checksum -------------------------------------------------------------------------------------------------- */

static uint16_t slow_sum(const uint8_t *p, size_t n)
{
    uint32_t s = 0;

    for (size_t i = 0; i < n; i++) {
        s += i % 2 ? p[i] : (uint32_t)p[i] << 8;
        s = (s & 0xFFFF) + (s >> 16);
    }
    return (uint16_t)s;
}

static uint16_t be(uint16_t v)
{
    return ntohs(v);
}

static void test_csum_rfc1071(void)
{
    static const uint8_t ex[] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 };        /* RFC 1071 section 3 */
    uint8_t ip[20] = { 0x45, 0, 0, 0x73, 0, 0, 0x40, 0, 0x40, 0x11, 0, 0, 0xc0, 0xa8, 0, 1, 0xc0, 0xa8, 0, 0xc7 };

    g_assert_cmphex(be(csum_fold(csum_add(0, ex, 8))), ==, 0xddf2);
    csum_ip4_header(ip, 20);
    g_assert_cmphex(ld_be16(ip + 10), ==, 0xb861);
}

static void test_csum_random(void)
{
    uint8_t buf[300];

    for (unsigned n = 0; n < 20000; n++) {
        size_t len = (size_t)g_test_rand_int_range(0, 290), off = (size_t)g_test_rand_int_range(0, 8), cut1, cut2;
        struct iovec iov[3];
        uint16_t want;

        for (size_t i = 0; i < sizeof(buf); i++) {
            buf[i] = n % 7 ? (uint8_t)g_test_rand_int() : 0xFF;
        }
        want = slow_sum(buf + off, len);
        g_assert_cmphex(be(csum_fold(csum_add(0, buf + off, len))), ==, want);
        cut1 = len ? (size_t)g_test_rand_int_range(0, (int)len + 1) : 0;
        cut2 = len - cut1 ? (size_t)g_test_rand_int_range(0, (int)(len - cut1) + 1) : 0;
        iov[0] = (struct iovec){ buf, off + cut1 };
        iov[1] = (struct iovec){ buf + off + cut1, cut2 };
        iov[2] = (struct iovec){ buf + off + cut1 + cut2, len - cut1 - cut2 };
        g_assert_cmphex(be(csum_fold(csum_add_iov(0, iov, 3, off, len))), ==, want);
    }
}

static void test_csum_finish(void)
{
    uint8_t f[64];

    memset(f, 0x11, sizeof(f));
    g_assert_false(csum_finish(f, 64, 64, 0));
    g_assert_false(csum_finish(f, 64, 60, 3));
    g_assert_false(csum_finish(f, 64, 34, SIZE_MAX));
    for (unsigned i = 0; i < 64; i++) {
        g_assert_cmphex(f[i], ==, 0x11);
    }
    st_be16(f + 40, 0);
    g_assert_true(csum_finish(f, 64, 34, 6));
    g_assert_cmphex(slow_sum(f + 34, 30), ==, 0xFFFF);
}

/* --- hash ------------------------------------------------------------------------------------------------------- */

static const uint8_t ms_key[40] = {
    0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb,
    0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
};

/* "Verifying the RSS hash calculation" (Microsoft) */
static const struct {
    int family;
    const char *src, *dst;
    uint16_t sport, dport;
    uint32_t ip, tcp;
} rss_vectors[] = {
    { AF_INET, "66.9.149.187", "161.142.100.80", 2794, 1766, 0x323e8fc2, 0x51ccc178 },
    { AF_INET, "199.92.111.2", "65.69.140.83", 14230, 4739, 0xd718262a, 0xc626b0ea },
    { AF_INET, "24.19.198.95", "12.22.207.184", 12898, 38024, 0xd2d0a5de, 0x5c2b394a },
    { AF_INET, "38.27.205.30", "209.142.163.6", 48228, 2217, 0x82989176, 0xafc7327f },
    { AF_INET, "153.39.163.191", "202.188.127.2", 44251, 1303, 0x5d1809c5, 0x10e828a2 },
    { AF_INET6, "3ffe:2501:200:1fff::7", "3ffe:2501:200:3::1", 2794, 1766, 0x2cc18cd5, 0x40207d3d },
    { AF_INET6, "3ffe:501:8::260:97ff:fe40:efab", "ff02::1", 14230, 4739, 0x0f0c461c, 0xdde51bbf },
    { AF_INET6, "3ffe:1900:4545:3:200:f8ff:fe21:67cf", "fe80::200:f8ff:fe21:67cf", 44251, 38024, 0x4b61e985, 0x02d1feef },
};

static void test_toeplitz(void)
{
    for (unsigned i = 0; i < ARRAY_LEN(rss_vectors); i++) {
        bool ip6 = rss_vectors[i].family == AF_INET6;
        uint8_t src[16], dst[16], f[128], in[RSS_INPUT_MAX], *p;
        struct pkt_layout l;
        size_t n;

        g_assert_cmpint(inet_pton(rss_vectors[i].family, rss_vectors[i].src, src), ==, 1);
        g_assert_cmpint(inet_pton(rss_vectors[i].family, rss_vectors[i].dst, dst), ==, 1);
        p = pkt_eth(f, pkt_host_mac, pkt_guest_mac, ip6 ? 0x86dd : 0x0800);
        p = ip6 ? pkt_ip6(p, src, dst, 6, 20) : pkt_ip4(p, src, dst, 6, 20);
        p = pkt_tcp(p, rss_vectors[i].sport, rss_vectors[i].dport, 1, 1, 0x10);
        pkt_parse(f, (size_t)(p - f), (size_t)(p - f), &l);
        g_assert_cmpuint(rss_input(f, &l, ip6 ? RSS_IP6 : RSS_IP4, in, &n), ==, ip6 ? RSS_IP6 : RSS_IP4);
        g_assert_cmphex(toeplitz_hash(ms_key, in, n), ==, rss_vectors[i].ip);
        g_assert_cmpuint(rss_input(f, &l, 0x3f, in, &n), ==, ip6 ? RSS_TCP6 : RSS_TCP4);
        g_assert_cmphex(toeplitz_hash(ms_key, in, n), ==, rss_vectors[i].tcp);
        g_assert_cmpuint(rss_input(f, &l, ip6 ? RSS_UDP6 : RSS_UDP4, in, &n), ==, 0);
    }
}

/* --- parser ----------------------------------------------------------------------------------------------------- */

static const struct {
    const char *what, *hex;
    unsigned vlans, l3, l4, l4_off, payload_off, end;
    bool fragment, len_ok;
} parse_rows[] = {
    { "runt", "ffffffffffff", 0, 0, 0, 0, 0, 0, 0, 0 },
    { "arp", "ffffffffffff525400123456 0806 0001", 0, 0, 0, 0, 0, 16, 0, 0 },
    { "udp4", "ffffffffffff525400123456 0800 4500001c000000004011 0000 0a00020f0a000202 0001000200080000 00000000", 0, PKT_L3_IP4,
      PKT_L4_UDP, 34, 42, 42, false, true },
    { "udp4 vlan", "ffffffffffff525400123456 8100 0064 0800 4500001c000000004011 0000 0a00020f0a000202 0001000200080000", 1, PKT_L3_IP4,
      PKT_L4_UDP, 38, 46, 46, false, true },
    { "qinq", "ffffffffffff525400123456 88a8 0001 8100 0064 0800 4500001c000000004011 0000 0a00020f0a000202 0001000200080000", 2, PKT_L3_IP4,
      PKT_L4_UDP, 42, 50, 50, false, true },
    { "ihl 4", "ffffffffffff525400123456 0800 4400001c000000004011 0000 0a00020f0a000202 0001000200080000", 0, 0, 0, 0, 0, 42, 0, 0 },
    { "ihl past end", "ffffffffffff525400123456 0800 4f00001c000000004011 0000 0a00020f0a000202 0001000200080000", 0, 0, 0, 0, 0, 42, 0, 0 },
    { "total too long", "ffffffffffff525400123456 0800 4500ffff000000004011 0000 0a00020f0a000202 0001000200080000", 0, PKT_L3_IP4,
      PKT_L4_UDP, 34, 42, 42, false, false },
    { "later fragment", "ffffffffffff525400123456 0800 4500001c000000b94011 0000 0a00020f0a000202 0001000200080000", 0, PKT_L3_IP4, 0, 34, 0,
      42, true, true },
    { "tcp offset past end", "ffffffffffff525400123456 0800 45000028000000004006 0000 0a00020f0a000202 00010002 00000001 00000001 f0100000 00000000",
      0, PKT_L3_IP4, PKT_L4_OTHER, 34, 0, 54, false, true },
    { "udp6 behind hop-by-hop", "ffffffffffff525400123456 86dd 60000000 0010 00 40 fe800000000000000000000000000001 ff020000000000000000000000000001"
      "1100050200000000 0001000200080000", 0, PKT_L3_IP6, PKT_L4_UDP, 62, 70, 70, false, true },
    { "fragment6", "ffffffffffff525400123456 86dd 60000000 0010 2c 40 fe800000000000000000000000000001 ff020000000000000000000000000001"
      "1100000900000001 0001000200080000", 0, PKT_L3_IP6, 0, 62, 0, 70, true, true },
    { "ext header past end", "ffffffffffff525400123456 86dd 60000000 0010 00 40 fe800000000000000000000000000001 ff020000000000000000000000000001"
      "11ff050200000000 0001000200080000", 0, PKT_L3_IP6, PKT_L4_OTHER, 54, 0, 70, false, true },
};

static size_t unhex(const char *s, uint8_t *out)
{
    size_t n = 0;

    while (*s) {
        if (*s == ' ') {
            s++;
            continue;
        }
        out[n++] = (uint8_t)(g_ascii_xdigit_value(s[0]) << 4 | g_ascii_xdigit_value(s[1]));
        s += 2;
    }
    return n;
}

static void test_parse(void)
{
    for (unsigned i = 0; i < ARRAY_LEN(parse_rows); i++) {
        uint8_t f[256];
        size_t n = unhex(parse_rows[i].hex, f);
        struct pkt_layout l;

        pkt_parse(f, n, n, &l);
        g_test_message("%s", parse_rows[i].what);
        g_assert_cmpuint(l.vlans, ==, parse_rows[i].vlans);
        g_assert_cmpuint(l.l3, ==, parse_rows[i].l3);
        g_assert_cmpuint(l.l4, ==, parse_rows[i].l4);
        g_assert_cmpuint(l.l4_off, ==, parse_rows[i].l4_off);
        g_assert_cmpuint(l.payload_off, ==, parse_rows[i].payload_off);
        g_assert_cmpuint(l.l3_end, ==, parse_rows[i].end);
        g_assert_cmpuint(l.fragment, ==, parse_rows[i].fragment);
        g_assert_cmpuint(l.l3_len_ok, ==, parse_rows[i].len_ok);
    }
}

/* Every length of every row, in memory that ends where the frame ends: the sanitizers see any byte too many. */
static void test_parse_truncated(void)
{
    for (unsigned i = 0; i < ARRAY_LEN(parse_rows); i++) {
        uint8_t f[256];
        size_t n = unhex(parse_rows[i].hex, f);

        for (size_t k = 0; k <= n; k++) {
            g_autofree uint8_t *exact = g_memdup2(f, k);
            struct pkt_layout l;

            pkt_parse(exact, k, k, &l);
            g_assert_cmpuint(l.l3_end, <=, k);
            g_assert_cmpuint(l.payload_off, <=, k);
        }
    }
}

/* --- segmentation ------------------------------------------------------------------------------------------------ */

static const uint8_t ip6_a[16] = { 0xfe, 0xc0, [15] = 0x15 }, ip6_b[16] = { 0xfe, 0xc0, [15] = 2 };

/* A large frame with the IP length and checksum left wrong, as drivers leave them. Payload byte i is i * 7. */
static size_t large_frame(uint8_t *f, bool ip6, bool udp, bool tag, uint8_t flags, size_t payload)
{
    uint8_t *p = pkt_eth(f, pkt_host_mac, pkt_guest_mac, tag ? 0x8100 : ip6 ? 0x86dd : 0x0800), *ip;

    if (tag) {
        st_be16(p, 0x2064);
        st_be16(p + 2, ip6 ? 0x86dd : 0x0800);
        p += 4;
    }
    ip = p;
    p = ip6 ? pkt_ip6(p, ip6_a, ip6_b, udp ? 17 : 6, 0) : pkt_ip4(p, pkt_guest_ip, pkt_host_ip, udp ? 17 : 6, 0);
    if (!ip6) {
        st_be16(ip + 2, 0);
        st_be16(ip + 10, 0xdead);
    }
    if (udp) {
        p = pkt_udp(p, 1000, 2000, 0);
    } else {
        p = pkt_tcp(p, 1000, 2000, 0xfffffff0, 77, flags);
        p[-8] = 0x80;                               /* 12 bytes of options */
        memset(p, 1, 12);
        p += 12;
    }
    for (size_t i = 0; i < payload; i++) {
        *p++ = (uint8_t)(i * 7);
    }
    return (size_t)(p - f);
}

static void check_pieces(bool ip6, bool udp, bool tag, uint16_t mss, size_t payload)
{
    g_autofree uint8_t *f = g_malloc(70000);
    size_t len = large_frame(f, ip6, udp, tag, 0xD9, payload), off, n, got = 0;     /* CWR ECE ACK PSH FIN */
    struct iovec iov[2] = { { f, 57 }, { f + 57, len - 57 } };
    struct segmenter s;
    unsigned pieces = 0, want = (unsigned)((payload + mss - 1) / mss);

    g_assert_true(seg_begin(&s, udp ? SEG_UDP : ip6 ? SEG_TCP6 : SEG_TCP4, iov, 2, len, mss));
    while (seg_next(&s, &off, &n)) {
        g_autofree uint8_t *piece = g_malloc(s.l.payload_off + n);
        size_t plen = s.l.payload_off + n;
        struct iovec one = { piece, plen };
        struct pkt_layout l;

        memcpy(piece, s.hdr, s.l.payload_off);
        memcpy(piece + s.l.payload_off, f + off, n);
        pkt_parse(piece, plen, plen, &l);
        g_assert_true(l.l3_len_ok);
        g_assert_cmpuint(l.l3_end, ==, plen);
        g_assert_cmpuint(l.vlans, ==, tag);
        g_assert_cmpint(csum_check_l4(&one, 1, piece, &l), ==, CSUM_GOOD);
        if (!ip6) {
            g_assert_cmpint(csum_check_ip4(piece, &l), ==, CSUM_GOOD);
            g_assert_cmphex(ld_be16(piece + l.l3_off + 4), ==, 0x1234 + pieces);
        }
        if (udp) {
            g_assert_cmpuint(ld_be16(piece + l.l4_off + 4), ==, 8 + n);
        } else {
            bool last = got + n == payload;

            g_assert_cmphex(ld_be32(piece + l.l4_off + 4), ==, (uint32_t)(0xfffffff0 + got));
            g_assert_cmphex(piece[l.l4_off + 13], ==, 0x50 | (last ? 0x09 : 0) | (pieces ? 0 : 0x80));
        }
        g_assert_cmpuint(n, ==, MIN(mss, payload - got));
        for (size_t i = 0; i < n; i++) {
            g_assert_cmphex(piece[l.payload_off + i], ==, (uint8_t)((got + i) * 7));
        }
        got += n;
        pieces++;
    }
    g_assert_cmpuint(got, ==, payload);
    g_assert_cmpuint(pieces, ==, want ? want : 1);
}

static void test_segment(void)
{
    static const struct {
        uint16_t mss;
        size_t payload;
    } rows[] = { { 1448, 1 }, { 1448, 1448 }, { 1448, 1449 }, { 1448, 4344 }, { 1448, 64000 }, { 100, 999 }, { 37, 5000 }, { 1, 3 }, { 1400, 0 } };

    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        for (unsigned k = 0; k < 8; k++) {
            check_pieces(k & 1, k & 2, k & 4, rows[i].mss, rows[i].payload);
        }
    }
}

static void test_segment_rejects(void)
{
    uint8_t f[4096];
    size_t len = large_frame(f, false, false, false, 0x10, 3000);
    struct iovec iov = { f, len };
    struct segmenter s;

    g_assert_true(seg_begin(&s, SEG_TCP4, &iov, 1, len, 1000));
    g_assert_false(seg_begin(&s, SEG_TCP4, &iov, 1, len, 0));
    g_assert_false(seg_begin(&s, SEG_TCP4, &iov, 1, len, 1));                 /* 3000 pieces */
    g_assert_false(seg_begin(&s, SEG_TCP6, &iov, 1, len, 1000));
    g_assert_false(seg_begin(&s, SEG_UDP, &iov, 1, len, 1000));
    f[14 + 20 + 12] = 0xF0;                                                   /* data offset 60, still inside */
    g_assert_true(seg_begin(&s, SEG_TCP4, &iov, 1, len, 1000));
    f[14 + 20 + 12] = 0x40;                                                   /* 16: too short */
    g_assert_false(seg_begin(&s, SEG_TCP4, &iov, 1, len, 1000));
    f[14 + 20 + 12] = 0x80;
    f[14 + 6] = 0x20;                                                         /* more fragments */
    g_assert_false(seg_begin(&s, SEG_TCP4, &iov, 1, len, 1000));
    for (size_t k = 0; k < 66; k++) {
        struct iovec cut = { f, k };

        g_assert_false(seg_begin(&s, SEG_TCP4, &cut, 1, k, 1000));
    }
}

/* --- VLAN -------------------------------------------------------------------------------------------------------- */

static void test_vlan(void)
{
    uint8_t f[64], out[68];
    uint16_t tci;

    for (unsigned i = 0; i < 60; i++) {
        f[i] = (uint8_t)i;
    }
    g_assert_false(vlan_get(f, 60, 0x8100, &tci));
    vlan_push(out, f, 0x8100, 0xA123);
    memcpy(out + 16, f + 12, 48);
    g_assert_true(vlan_get(out, 64, 0x8100, &tci));
    g_assert_cmphex(tci, ==, 0xA123);
    g_assert_false(vlan_get(out, 17, 0x8100, &tci));
    g_assert_cmpuint(vlan_pop(out, 64, 0x88a8, &tci), ==, 64);
    g_assert_cmpuint(vlan_pop(out, 64, 0x8100, &tci), ==, 60);
    g_assert_cmpmem(out, 60, f, 60);
}

/* --- coalescing --------------------------------------------------------------------------------------------------- */

struct collected {
    GByteArray *bytes[32];
    unsigned segs[32], n;
    uint16_t mss[32];
};

static void collect(void *opaque, const uint8_t *frame, size_t len, unsigned segs, uint16_t mss, bool ip6, uint16_t l4_off)
{
    struct collected *c = opaque;

    g_assert_cmpuint(c->n, <, 32);
    c->bytes[c->n] = g_byte_array_append(g_byte_array_new(), frame, (guint)len);
    c->segs[c->n] = segs;
    c->mss[c->n++] = mss;
}

static void collected_free(struct collected *c)
{
    while (c->n) {
        g_byte_array_unref(c->bytes[--c->n]);
    }
}

/* Cut a large frame, merge the pieces, and get the large frame's payload and sequence back. */
static void test_coalesce_reverses_segment(void)
{
    for (unsigned ip6 = 0; ip6 < 2; ip6++) {
        uint8_t f[16384];
        size_t len = large_frame(f, ip6, false, false, 0x18, 10000), off, n;
        struct iovec iov = { f, len };
        struct collected got = { 0 };
        struct segmenter s;
        struct coalesce c;
        struct pkt_layout l;

        coalesce_init(&c, collect, &got);
        g_assert_true(seg_begin(&s, ip6 ? SEG_TCP6 : SEG_TCP4, &iov, 1, len, 1448));
        while (seg_next(&s, &off, &n)) {
            uint8_t piece[2000];

            memcpy(piece, s.hdr, s.l.payload_off);
            memcpy(piece + s.l.payload_off, f + off, n);
            coalesce_add(&c, piece, s.l.payload_off + n);
        }
        g_assert_cmpuint(got.n, ==, 0);
        coalesce_flush(&c);
        g_assert_cmpuint(got.n, ==, 1);
        g_assert_cmpuint(got.segs[0], ==, 7);
        g_assert_cmpuint(got.mss[0], ==, 1448);
        pkt_parse(got.bytes[0]->data, got.bytes[0]->len, got.bytes[0]->len, &l);
        g_assert_true(l.l3_len_ok);
        g_assert_cmpuint(got.bytes[0]->len, ==, len);
        g_assert_cmphex(ld_be32(got.bytes[0]->data + l.l4_off + 4), ==, 0xfffffff0);
        g_assert_cmphex(got.bytes[0]->data[l.l4_off + 13], ==, 0x18);
        g_assert_cmpmem(got.bytes[0]->data + l.payload_off, 10000, f + l.payload_off, 10000);
        g_assert_true(csum_finish(got.bytes[0]->data, len, l.l4_off, 16));      /* the field held the pseudo header's sum */
        iov.iov_base = got.bytes[0]->data;
        g_assert_cmpint(csum_check_l4(&iov, 1, iov.iov_base, &l), ==, CSUM_GOOD);
        collected_free(&got);
        coalesce_fini(&c);
    }
}

static size_t data_frame(uint8_t *f, uint16_t sport, uint32_t seq, uint8_t flags, size_t n)
{
    uint8_t *p = pkt_eth(f, pkt_guest_mac, pkt_host_mac, 0x0800);

    p = pkt_ip4(p, pkt_host_ip, pkt_guest_ip, 6, 20 + n);
    p = pkt_tcp(p, sport, 80, seq, 1, flags);
    memset(p, (int)seq, n);
    pkt_l4_csum(f, 54 + n);
    return 54 + n;
}

static void test_coalesce_limits(void)
{
    static const struct {
        const char *what;
        uint16_t port2;
        uint32_t seq2;
        uint8_t flags1, flags2;
        size_t n2;
        unsigned frames;
    } rows[] = {
        { "merge", 10, 101, 0x10, 0x10, 100, 1 },   { "shorter last", 10, 101, 0x10, 0x10, 50, 1 }, { "longer", 10, 101, 0x10, 0x10, 101, 2 },
        { "gap", 10, 102, 0x10, 0x10, 100, 2 },     { "old", 10, 1, 0x10, 0x10, 100, 2 },           { "other flow", 11, 101, 0x10, 0x10, 100, 2 },
        { "push ends", 10, 101, 0x18, 0x10, 100, 2 }, { "push joins", 10, 101, 0x10, 0x18, 100, 1 }, { "fin", 10, 101, 0x10, 0x11, 100, 2 },
        { "syn", 10, 101, 0x10, 0x12, 100, 2 },     { "rst", 10, 101, 0x10, 0x14, 100, 2 },         { "urg", 10, 101, 0x10, 0x30, 100, 2 },
        { "pure ack", 10, 101, 0x10, 0x10, 0, 2 },
    };

    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        struct collected got = { 0 };
        struct coalesce c;
        uint8_t a[256], b[256];
        size_t la = data_frame(a, 10, 1, rows[i].flags1, 100), lb = data_frame(b, rows[i].port2, rows[i].seq2, rows[i].flags2, rows[i].n2);

        g_test_message("%s", rows[i].what);
        coalesce_init(&c, collect, &got);
        coalesce_add(&c, a, la);
        coalesce_add(&c, b, lb);
        coalesce_flush(&c);
        g_assert_cmpuint(got.n, ==, rows[i].frames);
        if (got.n == 2) {                           /* untouched and in order */
            g_assert_cmpmem(got.bytes[0]->data, got.bytes[0]->len, a, la);
            g_assert_cmpmem(got.bytes[1]->data, got.bytes[1]->len, b, lb);
        } else {
            g_assert_cmpuint(got.bytes[0]->len, ==, 154 + rows[i].n2);
        }
        collected_free(&got);
        coalesce_fini(&c);
    }
}

/* A short segment ends a large frame: cutting it again must give the same pieces. */
static void test_coalesce_short_ends(void)
{
    struct collected got = { 0 };
    struct coalesce c;
    uint8_t f[256];

    coalesce_init(&c, collect, &got);
    coalesce_add(&c, f, data_frame(f, 10, 1, 0x10, 100));
    coalesce_add(&c, f, data_frame(f, 10, 101, 0x10, 50));
    coalesce_add(&c, f, data_frame(f, 10, 151, 0x10, 50));
    coalesce_flush(&c);
    g_assert_cmpuint(got.n, ==, 2);
    g_assert_cmpuint(got.segs[0], ==, 2);
    g_assert_cmpuint(got.segs[1], ==, 1);
    collected_free(&got);
    coalesce_fini(&c);
}

/* --- caps ---------------------------------------------------------------------------------------------------------- */

struct emitted {
    unsigned n;
    size_t len;
    struct pkt_meta meta;
    uint8_t bytes[70000];
};

static bool emit(void *opaque, const struct frame *f)
{
    struct emitted *e = opaque;

    e->n++;
    e->meta = f->meta;
    e->len = frame_copy_out(f, 0, e->bytes, sizeof(e->bytes));
    g_assert_cmpuint(e->len, ==, f->len);
    return true;
}

static void test_caps(void)
{
    g_autofree struct emitted *e = g_new0(struct emitted, 1);
    g_autofree uint8_t *buf = g_malloc(70000);
    size_t len = large_frame(buf, false, false, false, 0x18, 20000);
    struct pkt_layout l;
    struct iovec one;
    struct frame f;

    /* whole, normalised */
    frame_from_buf(&f, buf, len);
    f.meta = (struct pkt_meta){ .gso = PKT_GSO_TCP4, .gso_size = 1448, .flags = PKT_NEEDS_CSUM, .csum_start = 34, .csum_off = 16 };
    g_assert_cmpint(caps_adapt(&f, PKT_CAP_CSUM | PKT_CAP_TSO4, emit, e), ==, CAPS_OK);
    g_assert_cmpuint(e->n, ==, 1);
    g_assert_cmpuint(e->meta.gso, ==, PKT_GSO_TCP4);
    g_assert_cmpuint(e->meta.hdr_len, ==, 66);
    pkt_parse(e->bytes, e->len, e->len, &l);
    g_assert_true(l.l3_len_ok);
    g_assert_cmpuint(ld_be16(e->bytes + 16), ==, len - 14);
    g_assert_cmpint(csum_check_ip4(e->bytes, &l), ==, CSUM_GOOD);
    csum_finish(e->bytes, e->len, e->meta.csum_start, e->meta.csum_off);
    one = (struct iovec){ e->bytes, e->len };
    g_assert_cmpint(csum_check_l4(&one, 1, e->bytes, &l), ==, CSUM_GOOD);
    /* cut, with a tag put in */
    e->n = 0;
    f.meta.flags |= PKT_VLAN;
    f.meta.vlan_tci = 0x0064;
    g_assert_cmpint(caps_adapt(&f, 0, emit, e), ==, CAPS_OK);
    g_assert_cmpuint(e->n, ==, 14);
    g_assert_cmphex(ld_be32(e->bytes + 12), ==, 0x81000064);
    g_assert_cmphex(e->meta.flags & (PKT_VLAN | PKT_NEEDS_CSUM), ==, 0);
    /* cut, tag beside */
    e->n = 0;
    g_assert_cmpint(caps_adapt(&f, PKT_CAP_VLAN, emit, e), ==, CAPS_OK);
    g_assert_cmpuint(e->n, ==, 14);
    g_assert_cmphex(e->meta.flags & PKT_VLAN, ==, PKT_VLAN);
    g_assert_cmphex(ld_be16(e->bytes + 12), ==, 0x0800);
    /* a frame that its receiver takes as it is is not copied */
    e->n = 0;
    frame_from_buf(&f, buf, 100);
    g_assert_cmpint(caps_adapt(&f, 0, emit, e), ==, CAPS_OK);
    g_assert_cmpuint(e->n, ==, 1);
}

static void test_caps_csum(void)
{
    g_autofree struct emitted *e = g_new0(struct emitted, 1);
    uint8_t buf[256], *p;
    struct pkt_layout l;
    struct iovec one;
    struct frame f;
    uint16_t v;

    p = pkt_eth(buf, pkt_host_mac, pkt_guest_mac, 0x0800);
    p = pkt_ip4(p, pkt_guest_ip, pkt_host_ip, 17, 8 + 99);
    st_be16(p - 10, 0xBAD);
    p = pkt_udp(p, 1, 2, 99);
    memset(p, 0x5A, 99);
    v = csum_fold(csum_pseudo(buf + 14, PKT_L3_IP4, 17, 107));
    memcpy(buf + 40, &v, 2);
    frame_init(&f);
    for (unsigned i = 0; i < 141; i += 3) {                 /* many odd pieces */
        frame_append(&f, g_memdup2(buf + i, 3), 3);
    }
    f.meta = (struct pkt_meta){ .flags = PKT_NEEDS_CSUM | PKT_IP_CSUM, .csum_start = 34, .csum_off = 6 };
    g_assert_cmpint(caps_adapt(&f, 0, emit, e), ==, CAPS_OK);
    pkt_parse(e->bytes, e->len, e->len, &l);
    one = (struct iovec){ e->bytes, e->len };
    g_assert_cmpint(csum_check_ip4(e->bytes, &l), ==, CSUM_GOOD);
    g_assert_cmpint(csum_check_l4(&one, 1, e->bytes, &l), ==, CSUM_GOOD);
    g_assert_cmphex(e->meta.flags, ==, PKT_CSUM_VALID);
    /* nonsense */
    f.meta.csum_start = 140;
    g_assert_cmpint(caps_adapt(&f, 0, emit, e), ==, CAPS_BAD_META);
    f.meta.csum_start = 65535;
    f.meta.csum_off = 65535;
    g_assert_cmpint(caps_adapt(&f, PKT_CAP_ALL, emit, e), ==, CAPS_BAD_META);
    f.meta = (struct pkt_meta){ .gso = 9, .gso_size = 1 };
    g_assert_cmpint(caps_adapt(&f, PKT_CAP_ALL, emit, e), ==, CAPS_BAD_META);
    f.meta = (struct pkt_meta){ .gso = PKT_GSO_TCP4, .gso_size = 100 };
    g_assert_cmpint(caps_adapt(&f, PKT_CAP_ALL, emit, e), ==, CAPS_BAD_META);
    for (unsigned i = 0; i < f.iovcnt; i++) {
        g_free(f.iov[i].iov_base);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/offload/csum/rfc1071", test_csum_rfc1071);
    g_test_add_func("/offload/csum/random", test_csum_random);
    g_test_add_func("/offload/csum/finish", test_csum_finish);
    g_test_add_func("/offload/toeplitz", test_toeplitz);
    g_test_add_func("/offload/parse/table", test_parse);
    g_test_add_func("/offload/parse/truncated", test_parse_truncated);
    g_test_add_func("/offload/segment/pieces", test_segment);
    g_test_add_func("/offload/segment/rejects", test_segment_rejects);
    g_test_add_func("/offload/vlan", test_vlan);
    g_test_add_func("/offload/coalesce/reverse", test_coalesce_reverses_segment);
    g_test_add_func("/offload/coalesce/limits", test_coalesce_limits);
    g_test_add_func("/offload/coalesce/short-ends", test_coalesce_short_ends);
    g_test_add_func("/offload/caps/gso", test_caps);
    g_test_add_func("/offload/caps/csum", test_caps_csum);
    return g_test_run();
}
