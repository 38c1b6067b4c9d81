/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/unit/test-airlock.c - one row for each public bug that the airlock keeps out, limits, fragments, and random frames */
#include "lib/bits.h"
#include "net/backends/airlock.h"
#include "pkt.h"
#include <glib.h>

static const struct airlock_cfg cfg = {
    .tftp = false, .net4 = { 10, 0, 2, 0 }, .mask4 = { 255, 255, 255, 0 }, .host4 = { 10, 0, 2, 2 }, .dns4 = { 10, 0, 2, 3 },
    .host6 = { 0xfe, 0xc0, [15] = 2 }, .dns6 = { 0xfe, 0xc0, [15] = 3 },
};
static const uint8_t bcast[6] = { 255, 255, 255, 255, 255, 255 }, bcast4[4] = { 255, 255, 255, 255 }, zero4[4], world4[4] = { 192, 0, 2, 1 };
static const uint8_t guest6[16] = { 0xfe, 0xc0, [15] = 0x15 }, ll6[16] = { 0xfe, 0x80, [15] = 0x15 }, zero6[16];
static const uint8_t all_routers[16] = { 0xff, 2, [15] = 2 };

/* What a row does to the frame that make() built: offsets count from the start of the frame. */
struct patch {
    uint16_t off;
    uint8_t len;
    uint8_t bytes[8];
};

enum base { TCP4, UDP4, DHCP, TFTP, ECHO4, ARP, TCP6, UDP6, ECHO6, NS6, RS6, DHCP6, RAW };

static size_t make(enum base base, uint8_t *f)
{
    uint8_t *p = f;

    switch (base) {
    case TCP4:
        p = pkt_ip4(pkt_eth(f, pkt_host_mac, pkt_guest_mac, 0x0800), pkt_guest_ip, world4, 6, 20 + 11);
        p = pkt_tcp(p, 1000, 80, 1, 1, 0x18);
        memset(p, 'x', 11);
        p += 11;
        pkt_l4_csum(f, (size_t)(p - f));
        break;
    case UDP4:
        p = pkt_ip4(pkt_eth(f, pkt_host_mac, pkt_guest_mac, 0x0800), pkt_guest_ip, world4, 17, 8 + 12);
        p = pkt_udp(p, 1000, 53, 12) + 12;
        break;
    case DHCP:
        p = pkt_ip4(pkt_eth(f, bcast, pkt_guest_mac, 0x0800), zero4, bcast4, 17, 8 + 247);
        p = pkt_udp(p, 68, 67, 247);
        memset(p, 0, 247);
        p[0] = p[1] = 1;
        p[2] = 6;
        st_be32(p + 236, 0x63825363);
        memcpy(p + 240, (uint8_t[]){ 53, 1, 1, 12, 1, 'h', 255 }, 7);
        p += 247;
        break;
    case TFTP:
        p = pkt_ip4(pkt_eth(f, pkt_host_mac, pkt_guest_mac, 0x0800), pkt_guest_ip, pkt_host_ip, 17, 8 + 10);
        p = pkt_udp(p, 1000, 69, 10);
        memcpy(p, "\0\1a\0octet", 10);
        p += 10;
        break;
    case ECHO4:
        p = pkt_ip4(pkt_eth(f, pkt_host_mac, pkt_guest_mac, 0x0800), pkt_guest_ip, pkt_host_ip, 1, 16);
        memset(p, 0, 16);
        p[0] = 8;
        p += 16;
        break;
    case ARP:
        p = pkt_eth(f, bcast, pkt_guest_mac, 0x0806);
        memcpy(p, (uint8_t[]){ 0, 1, 8, 0, 6, 4, 0, 1 }, 8);
        memcpy(p + 8, pkt_guest_mac, 6);
        memcpy(p + 14, pkt_guest_ip, 4);
        memset(p + 18, 0, 6);
        memcpy(p + 24, pkt_host_ip, 4);
        p += 28;
        break;
    case TCP6:
        p = pkt_ip6(pkt_eth(f, pkt_host_mac, pkt_guest_mac, 0x86dd), guest6, cfg.host6, 6, 20);
        p = pkt_tcp(p, 1000, 80, 1, 1, 0x10);
        break;
    case UDP6:
        p = pkt_ip6(pkt_eth(f, pkt_host_mac, pkt_guest_mac, 0x86dd), guest6, cfg.dns6, 17, 8 + 12);
        p = pkt_udp(p, 1000, 53, 12) + 12;
        break;
    case ECHO6:
        p = pkt_ip6(pkt_eth(f, pkt_host_mac, pkt_guest_mac, 0x86dd), guest6, cfg.host6, 58, 12);
        memset(p, 0, 12);
        p[0] = 128;
        p += 12;
        break;
    case NS6:
        p = pkt_ip6(pkt_eth(f, (uint8_t[]){ 0x33, 0x33, 255, 0, 0, 2 }, pkt_guest_mac, 0x86dd), ll6, all_routers, 58, 32);
        memset(p, 0, 32);
        p[0] = 135;
        p[24] = p[25] = 1;
        p += 32;
        break;
    case RS6:
        p = pkt_ip6(pkt_eth(f, (uint8_t[]){ 0x33, 0x33, 0, 0, 0, 2 }, pkt_guest_mac, 0x86dd), zero6, all_routers, 58, 8);
        memset(p, 0, 8);
        p[0] = 133;
        p += 8;
        break;
    case DHCP6:
        p = pkt_ip6(pkt_eth(f, (uint8_t[]){ 0x33, 0x33, 0, 1, 0, 2 }, pkt_guest_mac, 0x86dd), ll6, all_routers, 17, 8 + 14);
        p = pkt_udp(p, 546, 547, 14);
        memcpy(p, (uint8_t[]){ 11, 1, 2, 3, 0, 1, 0, 2, 0xAA, 0xBB, 0, 6, 0, 0 }, 14);
        p += 14;
        break;
    case RAW:
        p = pkt_eth(f, pkt_host_mac, pkt_guest_mac, 0x1234);
        memset(p, 0, 46);
        p += 46;
        break;
    }
    return (size_t)(p - f);
}

static const struct row {
    const char *what;
    enum base base;
    struct patch patch[3];
    int cut;                        /* frame length, 0: as made, < 0: so many bytes less */
    int why;                        /* reason, -1: pass */
    bool fix_ip;                    /* header checksum matters to nobody here; lengths do */
} rows[] = {
    /* what a good guest does */
    { "tcp", TCP4, { { 0 } }, 0, -1, 0 },
    { "udp", UDP4, { { 0 } }, 0, -1, 0 },
    { "dhcp", DHCP, { { 0 } }, 0, -1, 0 },
    { "dhcp without end option", DHCP, { { 288, 1, { 0 } } }, 0, -1, 0 },
    { "echo", ECHO4, { { 0 } }, 0, -1, 0 },
    { "arp", ARP, { { 0 } }, 0, -1, 0 },
    { "arp probe (RFC 5227)", ARP, { { 28, 4, { 0 } } }, 0, -1, 0 },
    { "tcp6", TCP6, { { 0 } }, 0, -1, 0 },
    { "udp6", UDP6, { { 0 } }, 0, -1, 0 },
    { "echo6", ECHO6, { { 0 } }, 0, -1, 0 },
    { "neighbour solicitation", NS6, { { 0 } }, 0, -1, 0 },
    { "router solicitation from ::", RS6, { { 0 } }, 0, -1, 0 },
    { "dhcpv6", DHCP6, { { 0 } }, 0, -1, 0 },
    /* link */
    { "runt", TCP4, { { 0 } }, 13, AIR_RUNT, 0 },
    { "for another station on the hub", TCP4, { { 0, 6, { 0x52, 0x54, 0, 1, 2, 3 } } }, 0, AIR_NOT_FOR_US, 0 },
    { "CVE-2020-29129 NC-SI", RAW, { { 12, 2, { 0x88, 0xf8 } } }, 0, AIR_NCSI, 0 },
    { "unknown type", RAW, { { 0 } }, 0, AIR_ETHERTYPE, 0 },
    { "tagged", RAW, { { 12, 2, { 0x81, 0x00 } } }, 0, AIR_ETHERTYPE, 0 },
    { "CVE-2020-29130 short ARP", ARP, { { 0 } }, 41, AIR_ARP_SHORT, 0 },
    { "arp address length", ARP, { { 18, 1, { 7 } } }, 0, AIR_ARP_BAD, 0 },
    { "arp claims to be the router", ARP, { { 28, 4, { 10, 0, 2, 2 } } }, 0, AIR_ARP_BAD, 0 },
    /* IPv4 */
    { "short header", TCP4, { { 0 } }, 33, AIR_IP4_HEADER, 0 },
    { "version", TCP4, { { 14, 1, { 0x55 } } }, 0, AIR_IP4_HEADER, 0 },
    { "ihl 4", TCP4, { { 14, 1, { 0x44 } } }, 0, AIR_IP4_HEADER, 0 },
    { "ihl 15 past the end", TCP4, { { 14, 1, { 0x4f } } }, 0, AIR_IP4_HEADER, 0 },
    { "CVE-2015-5165 class: total length past the frame", TCP4, { { 16, 2, { 0xff, 0xff } } }, 0, AIR_IP4_LENGTH, 0 },
    { "total length below the header", TCP4, { { 16, 2, { 0, 19 } } }, 0, AIR_IP4_LENGTH, 0 },
    { "CVE-2014-3640 UDP from 0.0.0.0:0", UDP4, { { 26, 4, { 0 } }, { 34, 2, { 0 } }, { 30, 4, { 255, 255, 255, 255 } } }, 0, AIR_UDP_PORT, 0 },
    { "UDP from 0.0.0.0 to a host", UDP4, { { 26, 4, { 0 } } }, 0, AIR_IP4_SOURCE, 0 },
    { "UDP from 0.0.0.0 to all, not DHCP", UDP4, { { 26, 4, { 0 } }, { 30, 4, { 255, 255, 255, 255 } } }, 0, AIR_IP4_SOURCE, 0 },
    { "1a89b608 from 0/8", TCP4, { { 26, 4, { 0, 1, 2, 3 } } }, 0, AIR_IP4_SOURCE, 0 },
    { "1a89b608 to 0/8", UDP4, { { 30, 4, { 0, 1, 2, 3 } } }, 0, AIR_IP4_DEST, 0 },
    { "to 127/8", TCP4, { { 30, 4, { 127, 0, 0, 1 } } }, 0, AIR_IP4_DEST, 0 },
    { "from 127/8", TCP4, { { 26, 4, { 127, 0, 0, 1 } } }, 0, AIR_IP4_SOURCE, 0 },
    { "from multicast", TCP4, { { 26, 4, { 224, 0, 0, 1 } } }, 0, AIR_IP4_SOURCE, 0 },
    { "from the router's own address", TCP4, { { 26, 4, { 10, 0, 2, 2 } } }, 0, AIR_IP4_SOURCE, 0 },
    { "other protocol", TCP4, { { 23, 1, { 47 } } }, 0, AIR_IP4_PROTO, 0 },
    /* transport and services */
    { "tcp header cut", TCP4, { { 16, 2, { 0, 39 } } }, 0, AIR_TCP_SHORT, 0 },
    { "tcp offset past the segment", TCP4, { { 46, 1, { 0xf0 } } }, 0, AIR_TCP_SHORT, 0 },
    { "tcp offset 4", TCP4, { { 46, 1, { 0x40 } } }, 0, AIR_TCP_SHORT, 0 },
    { "CVE-2021-3594 udp header cut", UDP4, { { 16, 2, { 0, 27 } } }, 0, AIR_UDP_SHORT, 0 },
    { "CVE-2021-3594 udp length past the datagram", UDP4, { { 38, 2, { 0, 21 } } }, 0, AIR_UDP_LENGTH, 0 },
    { "udp length 7", UDP4, { { 38, 2, { 0, 7 } } }, 0, AIR_UDP_LENGTH, 0 },
    { "udp to port 0", UDP4, { { 36, 2, { 0, 0 } } }, 0, AIR_UDP_PORT, 0 },
    { "icmp cut", ECHO4, { { 16, 2, { 0, 27 } } }, 0, AIR_ICMP_SHORT, 0 },
    { "CVE-2021-3592 bootp shorter than its struct", UDP4, { { 36, 2, { 0, 67 } } }, 0, AIR_BOOTP_SHORT, 0 },
    { "bootp without options", DHCP, { { 278, 1, { 0 } }, { 286, 2, { 200 } } }, 0, -1, 0 },
    { "CVE-2017-11434 option past the end", DHCP, { { 286, 2, { 200 } } }, 0, AIR_DHCP_OPTION, 0 },
    { "CVE-2017-11434 tag 0x35 as last byte", DHCP, { { 288, 1, { 0x35 } } }, 0, AIR_DHCP_OPTION, 0 },
    { "CVE-2017-11434 tag 0x0c as last byte", DHCP, { { 288, 1, { 0x0c } } }, 0, AIR_DHCP_OPTION, 0 },
    { "message type of length 0", DHCP, { { 282, 6, { 53, 0, 0, 0, 0, 0 } } }, 0, AIR_DHCP_OPTION, 0 },
    { "tftp when it is off", TFTP, { { 0 } }, 0, AIR_TFTP_OFF, 0 },
    /* IPv6 */
    { "short header", TCP6, { { 0 } }, 53, AIR_IP6_HEADER, 0 },
    { "CVE-2020-10756 echo claims 65535", ECHO6, { { 18, 2, { 0xff, 0xff } } }, 0, AIR_IP6_LENGTH, 0 },
    { "payload length 0", ECHO6, { { 18, 2, { 0, 0 } } }, 0, AIR_IP6_LENGTH, 0 },
    { "from multicast", TCP6, { { 22, 1, { 0xff } } }, 0, AIR_IP6_SOURCE, 0 },
    { "from the router's own address", TCP6, { { 37, 1, { 2 } } }, 0, AIR_IP6_SOURCE, 0 },
    { "echo from ::", ECHO6, { { 22, 8, { 0 } }, { 30, 8, { 0 } } }, 0, AIR_IP6_SOURCE, 0 },
    { "to ::1", UDP6, { { 38, 8, { 0 } }, { 46, 8, { 0, 0, 0, 0, 0, 0, 0, 1 } } }, 0, AIR_IP6_DEST, 0 },
    { "tcp to multicast", TCP6, { { 38, 1, { 0xff } } }, 0, AIR_IP6_DEST, 0 },
    { "hop-by-hop", UDP6, { { 20, 1, { 0 } } }, 0, AIR_IP6_PROTO, 0 },
    { "fragment header", UDP6, { { 20, 1, { 44 } } }, 0, AIR_IP6_PROTO, 0 },
    { "CVE-2021-3593 udp6 length past the frame", UDP6, { { 58, 2, { 0, 30 } } }, 0, AIR_UDP_LENGTH, 0 },
    { "udp6 cut", UDP6, { { 18, 2, { 0, 7 } } }, 0, AIR_UDP_SHORT, 0 },
    { "echo6 of 4 bytes", ECHO6, { { 18, 2, { 0, 4 } } }, 0, AIR_ICMP6_SHORT, 0 },
    { "redirect", NS6, { { 54, 1, { 137 } } }, 0, AIR_ICMP6_TYPE, 0 },
    { "solicitation cut", NS6, { { 18, 2, { 0, 23 } } }, 0, AIR_ICMP6_SHORT, 0 },
    { "nd option of length 0", NS6, { { 79, 1, { 0 } } }, 0, AIR_ICMP6_OPTION, 0 },
    { "nd option past the end", NS6, { { 79, 1, { 2 } } }, 0, AIR_ICMP6_OPTION, 0 },
    { "dhcpv6 of 3 bytes", DHCP6, { { 58, 2, { 0, 11 } } }, 0, AIR_DHCP6_SHORT, 0 },
    { "CVE-2026-95508 class: dhcpv6 option past the end", DHCP6, { { 68, 2, { 0, 200 } } }, 0, AIR_DHCP6_OPTION, 0 },
    { "dhcpv6 option header cut", DHCP6, { { 58, 2, { 0, 8 + 13 } } }, 0, AIR_DHCP6_OPTION, 0 },
    { "tftp over IPv6 when it is off", UDP6, { { 56, 2, { 0, 69 } } }, 0, AIR_TFTP_OFF, 0 },
};

static void test_rows(void)
{
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        uint8_t buf[1024] = { 0 }, *frame;
        size_t len = make(rows[i].base, buf);
        enum airlock_verdict v;
        struct airlock a;

        airlock_init(&a, &cfg);
        for (unsigned k = 0; k < 3; k++) {
            memcpy(buf + rows[i].patch[k].off, rows[i].patch[k].bytes, rows[i].patch[k].len);
        }
        len = rows[i].cut > 0 ? (size_t)rows[i].cut : len;
        frame = g_memdup2(buf, len);            /* ends where the frame ends */
        g_test_message("%s", rows[i].what);
        {
            uint8_t *p = frame;

            v = airlock_check(&a, 1000, &p, &len);
        }
        g_assert_cmpint(v, ==, rows[i].why < 0 ? AIRLOCK_PASS : AIRLOCK_DROP);
        for (int k = 0; k < AIR_REASONS; k++) {
            if (a.count[k] != (k == rows[i].why)) {
                g_error("%s: counter %s is %d", rows[i].what, airlock_reason_name(k), (int)a.count[k]);
            }
        }
        g_assert_cmpuint(a.passed, ==, rows[i].why < 0);
        g_free(frame);
        airlock_fini(&a);
    }
}

static void test_names(void)
{
    for (int k = 0; k < AIR_REASONS; k++) {
        g_assert_nonnull(airlock_reason_name(k));
    }
}

/* CVE-2026-9539: whatever the pointer, it is gone, and a right checksum stays right, a wrong one wrong. */
static void test_urgent(void)
{
    for (unsigned n = 0; n < 2000; n++) {
        bool six = n & 1, wrong = n & 2;
        uint8_t f[256], *frame = f;
        size_t len = make(six ? TCP6 : TCP4, f), tcp = six ? 54 : 34;
        struct iovec one = { f, len };
        struct pkt_layout l;
        struct airlock a;

        airlock_init(&a, &cfg);
        f[tcp + 13] |= n % 5 ? 0x20 : 0;
        st_be16(f + tcp + 18, n % 3 ? (uint16_t)g_test_rand_int() : 2048);
        st_be32(f + tcp + 4, (uint32_t)g_test_rand_int());
        pkt_l4_csum(f, len);
        f[tcp + 17] ^= wrong;
        g_assert_cmpint(airlock_check(&a, 1, &frame, &len), ==, AIRLOCK_PASS);
        g_assert_cmpuint(a.count[AIR_URGENT_CLEARED], ==, 1);
        g_assert_cmphex(f[tcp + 13] & 0x20, ==, 0);
        g_assert_cmphex(ld_be16(f + tcp + 18), ==, 0);
        pkt_parse(f, len, len, &l);
        g_assert_cmpint(csum_check_l4(&one, 1, f, &l), ==, wrong ? CSUM_BAD : CSUM_GOOD);
        airlock_fini(&a);
    }
}

static void test_tftp(void)
{
    static const struct {
        const char *bytes;
        size_t n;
        int why;
    } t[] = {
        { "\0\1a\0octet", 10, -1 }, { "\0\1a\0octet\0blksize\0001400", 23, -1 }, { "\0\1a\0octet", 9, AIR_TFTP_SHORT }, { "\0\1aaaaaaaa", 10, AIR_TFTP_SHORT },
        { "\0\1a\0", 4, AIR_TFTP_SHORT }, { "\0\1", 2, AIR_TFTP_SHORT }, { "", 0, AIR_TFTP_SHORT }, { "\0\2a\0octet", 10, AIR_TFTP_SHORT },
        { "\0\3\0\1data", 8, AIR_TFTP_SHORT }, { "\0\4\0\1", 4, -1 }, { "\0\4\0", 3, AIR_TFTP_SHORT }, { "\0\5\0\1x", 6, -1 },
    };
    struct airlock_cfg on = cfg;

    on.tftp = true;
    for (unsigned i = 0; i < ARRAY_LEN(t); i++) {
        uint8_t f[256], *frame = f, *p;
        struct airlock a;
        size_t len;

        airlock_init(&a, &on);
        p = pkt_ip4(pkt_eth(f, pkt_host_mac, pkt_guest_mac, 0x0800), pkt_guest_ip, pkt_host_ip, 17, 8 + t[i].n);
        p = pkt_udp(p, 1000, 69, t[i].n);
        memcpy(p, t[i].bytes, t[i].n);
        len = (size_t)(p - f) + t[i].n;
        g_assert_cmpint(airlock_check(&a, 1, &frame, &len), ==, t[i].why < 0 ? AIRLOCK_PASS : AIRLOCK_DROP);
        g_assert_cmpuint(a.count[AIR_TFTP_SHORT], ==, t[i].why == AIR_TFTP_SHORT);
        airlock_fini(&a);
    }
}

static void announce_guest(struct airlock *a)
{
    uint8_t f[64], *frame = f;
    size_t len = make(ARP, f);

    g_assert_cmpint(airlock_check(a, 1, &frame, &len), ==, AIRLOCK_PASS);
}

/* --- fragments ------------------------------------------------------------------------------------------------------ */

static enum airlock_verdict fragment(struct airlock *a, int64_t now, uint16_t id, unsigned ihl, size_t off, size_t n, bool more, uint8_t **out, size_t *out_len)
{
    static const uint8_t head[8] = { 0x03, 0xE8, 0x03, 0xE9, 0, 0, 0, 0 };
    uint8_t f[2048], *p = pkt_eth(f, pkt_host_mac, pkt_guest_mac, 0x0800), *ip = p;

    pkt_ip4(p, pkt_guest_ip, world4, 17, n + ihl - 20);
    ip[0] = (uint8_t)(0x40 | ihl / 4);
    memset(ip + 20, 1, ihl - 20);
    st_be16(ip + 4, id);
    st_be16(ip + 6, (uint16_t)((more ? 0x2000 : 0) | off / 8));
    for (size_t i = 0; i < n; i++) {
        ip[ihl + i] = off + i < 8 ? head[off + i] : (uint8_t)((off + i) * 3);
    }
    *out = f;
    *out_len = 14 + ihl + n;
    return airlock_check(a, now, out, out_len);
}

static void test_fragments_whole(void)
{
    for (unsigned round = 0; round < 200; round++) {
        size_t sizes[40], offs[40], total = 0, len = 0;
        unsigned n = (unsigned)g_test_rand_int_range(2, 40), order[40];
        enum airlock_verdict v = AIRLOCK_HELD;
        uint8_t *out = NULL;
        struct airlock a;

        airlock_init(&a, &cfg);
        announce_guest(&a);
        for (unsigned i = 0; i < n; i++) {
            sizes[i] = (size_t)g_test_rand_int_range(1, 180) * 8;
            offs[i] = total;
            total += sizes[i];
            order[i] = i;
        }
        for (unsigned i = n - 1; i; i--) {
            unsigned k = (unsigned)g_test_rand_int_range(0, (int)i + 1), t = order[i];

            order[i] = order[k];
            order[k] = t;
        }
        for (unsigned i = 0; i < n; i++) {
            unsigned k = order[i];

            g_assert_cmpint(v, ==, AIRLOCK_HELD);
            v = fragment(&a, 5, 77, 20, offs[k], sizes[k], k != n - 1, &out, &len);
        }
        /* the UDP length in it (0) is nonsense, so the whole datagram is judged: put together, then dropped for that */
        g_assert_cmpint(v, ==, AIRLOCK_DROP);
        g_assert_cmpuint(a.count[AIR_UDP_LENGTH], ==, 1);
        g_assert_cmpuint(ld_be16(a.whole + 16), ==, 20 + total);
        g_assert_cmphex(ld_be16(a.whole + 20), ==, 0);
        for (size_t i = 8; i < total; i++) {
            g_assert_cmphex(a.whole[34 + i], ==, (uint8_t)(i * 3));
        }
        g_assert_cmpuint(a.frag_bytes, ==, 0);
        airlock_fini(&a);
    }
}

static void test_fragments_bad(void)
{
    struct airlock a;
    uint8_t *out;
    size_t len;

    airlock_init(&a, &cfg);
    announce_guest(&a);
    /* CVE-2018-11806 class: up to and past 65,535 */
    g_assert_cmpint(fragment(&a, 1, 1, 20, 65504, 8, false, &out, &len), ==, AIRLOCK_HELD);
    g_assert_cmpint(fragment(&a, 1, 2, 20, 65504, 16, false, &out, &len), ==, AIRLOCK_DROP);
    g_assert_cmpuint(a.count[AIR_FRAG_SIZE], ==, 1);
    /* not a multiple of 8 in the middle; empty */
    g_assert_cmpint(fragment(&a, 1, 3, 20, 0, 9, true, &out, &len), ==, AIRLOCK_DROP);
    g_assert_cmpint(fragment(&a, 1, 3, 20, 8, 0, false, &out, &len), ==, AIRLOCK_DROP);
    g_assert_cmpuint(a.count[AIR_FRAG_SIZE], ==, 3);
    /* CVE-2019-15890 class: overlap ends the datagram */
    g_assert_cmpint(fragment(&a, 1, 4, 20, 0, 16, true, &out, &len), ==, AIRLOCK_HELD);
    g_assert_cmpint(fragment(&a, 1, 4, 20, 8, 16, true, &out, &len), ==, AIRLOCK_DROP);
    g_assert_cmpuint(a.count[AIR_FRAG_OVERLAP], ==, 1);
    /* data behind the last one */
    g_assert_cmpint(fragment(&a, 1, 5, 20, 32, 8, true, &out, &len), ==, AIRLOCK_HELD);
    g_assert_cmpint(fragment(&a, 1, 5, 20, 8, 8, false, &out, &len), ==, AIRLOCK_DROP);
    g_assert_cmpuint(a.count[AIR_FRAG_OVERLAP], ==, 2);
    /* 4.9.4: differing header length */
    g_assert_cmpint(fragment(&a, 1, 6, 20, 0, 8, true, &out, &len), ==, AIRLOCK_HELD);
    g_assert_cmpint(fragment(&a, 1, 6, 60, 8, 8, false, &out, &len), ==, AIRLOCK_DROP);
    g_assert_cmpuint(a.count[AIR_FRAG_HEADER], ==, 1);
    /* time */
    g_assert_cmpint(fragment(&a, 1, 7, 20, 0, 8, true, &out, &len), ==, AIRLOCK_HELD);
    airlock_fragments_expire(&a, AIR_FRAG_NS + 1);
    g_assert_cmpuint(a.count[AIR_FRAG_TIMEOUT], ==, 2);
    g_assert_cmpuint(a.frag_bytes, ==, 0);
    airlock_fini(&a);
}

static void test_fragments_caps(void)
{
    struct airlock a;
    uint8_t *out;
    size_t len;

    airlock_init(&a, &cfg);
    announce_guest(&a);
    for (unsigned i = 0; i < 20000; i++) {
        fragment(&a, i, (uint16_t)i, 20, i % 3 ? 65496 : 8, 8, true, &out, &len);
        g_assert_cmpuint(a.frag_bytes, <=, AIR_FRAG_BYTES);
    }
    g_assert_cmpuint(a.count[AIR_FRAG_LIMIT], >, 19900);
    airlock_fini(&a);
}

/* --- floods ---------------------------------------------------------------------------------------------------------- */

static void test_neighbour_flood(void)
{
    struct airlock a;
    uint8_t f[256];
    size_t len;
    unsigned passed = 0;

    airlock_init(&a, &cfg);
    for (unsigned i = 0; i < 100000; i++) {
        uint8_t *frame = f;

        len = make(UDP6, f);
        st_be32(f + 14 + 8 + 8, i);
        passed += airlock_check(&a, (int64_t)i * 1000, &frame, &len) == AIRLOCK_PASS;      /* 0.1 s in all */
    }
    g_assert_cmpuint(passed, >=, AIR_NEIGHBOUR_BURST);
    g_assert_cmpuint(passed, <=, AIR_NEIGHBOUR_BURST + 2);
    g_assert_cmpuint(a.count[AIR_NEIGHBOUR_FLOOD], ==, 100000 - passed);
    /* the first of them is known and still welcome; one a tenth of a second later on is new and welcome */
    {
        uint8_t *frame = f;

        len = make(UDP6, f);
        st_be32(f + 30, 0xABCDEF);
        g_assert_cmpint(airlock_check(&a, 100000000 + 200000000, &frame, &len), ==, AIRLOCK_PASS);
    }
    airlock_fini(&a);
}

/* An address that the guest does not own up to gets four frames a second, until it does. */
static void test_neighbour_pending(void)
{
    static const struct {
        enum base data, announce;
    } t[] = { { UDP4, ARP }, { TCP6, NS6 } };

    for (unsigned i = 0; i < ARRAY_LEN(t); i++) {
        unsigned passed = 0;
        struct airlock a;
        uint8_t f[256];

        airlock_init(&a, &cfg);
        for (unsigned n = 0; n < 10; n++) {
            uint8_t *frame = f;
            size_t len = make(t[i].data, f);

            passed += airlock_check(&a, 1000 + n, &frame, &len) == AIRLOCK_PASS;
        }
        g_assert_cmpuint(passed, ==, AIR_PENDING_PER_SEC);
        g_assert_cmpuint(a.count[AIR_NEIGHBOUR_PENDING], ==, 10 - AIR_PENDING_PER_SEC);
        for (unsigned n = 0; n < 10; n++) {
            uint8_t *frame = f;
            size_t len = make(n ? t[i].data : t[i].announce, f);

            if (!n && t[i].announce == NS6) {
                memcpy(f + 22, guest6, 16);
            }
            g_assert_cmpint(airlock_check(&a, 2000 + n, &frame, &len), ==, AIRLOCK_PASS);
        }
        airlock_fini(&a);
    }
}

static void test_flow_limits(void)
{
    struct airlock a;
    uint8_t f[256], *frame = f;
    size_t len = make(TCP4, f);

    airlock_init(&a, &cfg);
    announce_guest(&a);
    a.tcp_flows = a.tcp_limit;
    g_assert_cmpint(airlock_check(&a, 1, &frame, &len), ==, AIRLOCK_PASS);         /* an old connection goes on */
    f[47] = 0x02;
    g_assert_cmpint(airlock_check(&a, 1, &frame, &len), ==, AIRLOCK_REFUSE);
    len = make(UDP4, f);
    g_assert_cmpint(airlock_check(&a, 1, &frame, &len), ==, AIRLOCK_PASS);
    a.udp_flows = a.udp_limit;
    g_assert_cmpint(airlock_check(&a, 1, &frame, &len), ==, AIRLOCK_PASS);         /* known */
    st_be16(f + 34, 4711);
    g_assert_cmpint(airlock_check(&a, 1, &frame, &len), ==, AIRLOCK_DROP);
    a.udp_flows = 0;
    a.icmp_flows = a.icmp_limit;
    len = make(ECHO4, f);
    g_assert_cmpint(airlock_check(&a, 1, &frame, &len), ==, AIRLOCK_PASS);         /* the router itself */
    memcpy(f + 30, world4, 4);
    g_assert_cmpint(airlock_check(&a, 1, &frame, &len), ==, AIRLOCK_DROP);
    g_assert_cmpuint(a.count[AIR_FLOW_LIMIT], ==, 3);
    airlock_fini(&a);
}

/* Random bytes on random bases: no crash (sanitizers), and what passes obeys the rules that the stack relies on. */
static void test_random(void)
{
    struct airlock_cfg on = cfg;
    struct airlock a;
    unsigned passed = 0;

    on.tftp = true;
    airlock_init(&a, &on);
    announce_guest(&a);
    for (unsigned n = 0; n < 200000; n++) {
        uint8_t buf[1024] = { 0 }, *exact, *frame;
        size_t len = make((enum base)g_test_rand_int_range(0, RAW + 1), buf);

        for (int k = g_test_rand_int_range(0, 5); k > 0; k--) {
            buf[g_test_rand_int_range(0, (int)len)] = (uint8_t)g_test_rand_int();
        }
        len -= n % 5 ? 0 : (size_t)g_test_rand_int_range(0, (int)len);
        exact = frame = g_memdup2(buf, len);
        if (airlock_check(&a, (int64_t)n * 50000, &frame, &len) == AIRLOCK_PASS) {
            struct pkt_layout l;

            passed++;
            pkt_parse(frame, len, len, &l);
            g_assert_true(l.ethertype == 0x0806 || (l.l3 != PKT_L3_NONE && l.l3_len_ok && l.l3_end == len && !l.fragment));
            g_assert_true(l.l4 != PKT_L4_TCP || !(frame[l.l4_off + 13] & 0x20));
            g_assert_true(l.proto != 17 || ld_be16(frame + l.l4_off + 4) <= len - l.l4_off);
        }
        g_free(exact);
    }
    g_assert_cmpuint(passed, >, 1000);
    g_assert_cmpuint(passed + 1, ==, a.passed);                                     /* and the announcement */
    airlock_fini(&a);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/airlock/rows", test_rows);
    g_test_add_func("/airlock/names", test_names);
    g_test_add_func("/airlock/urgent", test_urgent);
    g_test_add_func("/airlock/tftp", test_tftp);
    g_test_add_func("/airlock/fragments/whole", test_fragments_whole);
    g_test_add_func("/airlock/fragments/bad", test_fragments_bad);
    g_test_add_func("/airlock/fragments/caps", test_fragments_caps);
    g_test_add_func("/airlock/neighbour-flood", test_neighbour_flood);
    g_test_add_func("/airlock/neighbour-pending", test_neighbour_pending);
    g_test_add_func("/airlock/flow-limits", test_flow_limits);
    g_test_add_func("/airlock/random", test_random);
    return g_test_run();
}
