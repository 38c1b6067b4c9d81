/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/unit/test-l2tpv3.c - L2TPv3: headers byte by byte, a tunnel over UDP and over IP, and what must not get into it */
#include "core/loop.h"
#include "lib/bits.h"
#include "lib/bytes.h"
#include "net/backends/l2tpv3_hdr.h"
#include "wire_nic.h"
#include <arpa/inet.h>
#include <errno.h>
#include <malloc.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- headers ------------------------------------------------------------------------------------------------------------ */

static const struct header_case {
    struct l2tpv3_hdr h;
    size_t len;
    uint8_t bytes[24];                  /* what l2tpv3_put() makes of it, the first time */
} headers[] = {
    { { .tx_session = 0x11223344 }, 4, { 0x11, 0x22, 0x33, 0x44 } },
    { { .udp = true, .tx_session = 0xFFFFFFFF }, 8, { 0, 3, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF } },
    { { .udp = true, .tx_session = 1, .cookie_len = 4, .tx_cookie = 0x123456789ABCDEF0 }, 12, { 0, 3, 0, 0, 0, 0, 0, 1, 0x9A, 0xBC, 0xDE, 0xF0 } },
    { { .tx_session = 1, .cookie_len = 8, .tx_cookie = 0x123456789ABCDEF0 }, 12, { 0, 0, 0, 1, 0x12, 0x34, 0x56, 0x78, 0x9A, 0xBC, 0xDE, 0xF0 } },
    { { .tx_session = 1, .counter = true, .tx_seq = 0xFFFFFF }, 8, { 0, 0, 0, 1, 0x40, 0xFF, 0xFF, 0xFF } },
    { { .tx_session = 1, .counter = true, .pinned = true, .tx_seq = 5 }, 8, { 0, 0, 0, 1, 0, 0, 0, 0 } },
    { { .tx_session = 1, .offset = 3 }, 7, { 0, 0, 0, 1, 0, 0, 0 } },
    { { .udp = true, .tx_session = 2, .cookie_len = 4, .tx_cookie = 7, .counter = true, .offset = 2 }, 18,
      { 0, 3, 0, 0, 0, 0, 0, 2, 0, 0, 0, 7, 0x40, 0, 0, 0, 0, 0 } },
};

static void test_header(void)
{
    for (unsigned i = 0; i < ARRAY_LEN(headers); i++) {
        struct l2tpv3_hdr h = headers[i].h, rx = headers[i].h;
        uint8_t buf[L2TPV3_TX_MAX + 1];

        memset(buf, 0xEE, sizeof(buf));
        g_assert_cmpuint(l2tpv3_tx_len(&h), ==, headers[i].len);
        l2tpv3_put(&h, buf);
        g_assert_cmpmem(buf, headers[i].len, headers[i].bytes, headers[i].len);
        g_assert_cmphex(buf[headers[i].len], ==, 0xEE);
        /* the other end takes it, whole, and at no smaller length */
        rx.rx_session = h.tx_session;
        rx.rx_cookie = h.tx_cookie;
        for (size_t n = 0; n < headers[i].len; n++) {
            g_autofree uint8_t *exact = g_memdup2(buf, n ? n : 1);

            g_assert_cmpint(l2tpv3_check(&rx, exact, n), ==, -1 - L2TPV3_SHORT);
        }
        g_assert_cmpint(l2tpv3_check(&rx, buf, headers[i].len), ==, (int)headers[i].len);
        /* every byte but the reserved ones and the padding is looked at */
        for (size_t n = 0; n < headers[i].len - h.offset - (h.counter ? 4 : 0); n++) {
            bool reserved = h.udp && (n == 2 || n == 3);

            buf[n] ^= 0x80 >> (n == 1);
            rx.rx_seen = false;
            g_assert_cmpint(l2tpv3_check(&rx, buf, headers[i].len) >= 0, ==, reserved || (h.udp && n == 1));
            buf[n] ^= 0x80 >> (n == 1);
        }
    }
}

static void test_version(void)
{
    static const struct {
        uint8_t word[4];
        bool ok;
    } cases[] = {
        { { 0x00, 0x03, 0x00, 0x00 }, true },   { { 0x80, 0x03, 0x00, 0x00 }, false },   /* T: a control message */
        { { 0x00, 0x02, 0x00, 0x00 }, false },  { { 0x00, 0x01, 0x00, 0x00 }, false },   { { 0x00, 0x00, 0x00, 0x00 }, false },
        { { 0x7F, 0xF3, 0xFF, 0xFF }, true },   /* reserved bits mean nothing on receipt */
        { { 0x00, 0x0B, 0x00, 0x00 }, false },
    };
    struct l2tpv3_hdr h = { .udp = true, .rx_session = 9 };

    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        uint8_t buf[8] = { 0, 0, 0, 0, 0, 0, 0, 9 };

        memcpy(buf, cases[i].word, 4);
        g_assert_cmpint(l2tpv3_check(&h, buf, 8), ==, cases[i].ok ? 8 : -1 - L2TPV3_BAD_HEADER);
    }
}

static void test_ip_header(void)
{
    struct l2tpv3_hdr h = { .ip_header = true, .rx_session = 9 };
    uint8_t buf[80] = { 0x45 };

    st_be32(buf + 20, 9);
    g_assert_cmpint(l2tpv3_check(&h, buf, 24), ==, 24);
    g_assert_cmpint(l2tpv3_check(&h, buf, 23), ==, -1 - L2TPV3_SHORT);
    g_assert_cmpint(l2tpv3_check(&h, buf, 19), ==, -1 - L2TPV3_SHORT);
    buf[0] = 0x46;                              /* an option: the session is four bytes further on */
    st_be32(buf + 24, 9);
    g_assert_cmpint(l2tpv3_check(&h, buf, 28), ==, 28);
    buf[0] = 0x4F;
    g_assert_cmpint(l2tpv3_check(&h, buf, 59), ==, -1 - L2TPV3_SHORT);
    buf[0] = 0x44;
    g_assert_cmpint(l2tpv3_check(&h, buf, 60), ==, -1 - L2TPV3_BAD_HEADER);
    buf[0] = 0x65;
    g_assert_cmpint(l2tpv3_check(&h, buf, 60), ==, -1 - L2TPV3_BAD_HEADER);
}

static int seq(struct l2tpv3_hdr *h, uint32_t word)
{
    uint8_t buf[8] = { 0, 0, 0, 9 };

    st_be32(buf + 4, word);
    return l2tpv3_check(h, buf, 8);
}

static void test_sequence(void)
{
    struct l2tpv3_hdr h = { .counter = true, .rx_session = 9 };
    enum { S = 0x40000000, LATE = -1 - L2TPV3_LATE };

    g_assert_cmpint(seq(&h, 5), ==, 8);                 /* S is not set: no number */
    g_assert_cmpint(seq(&h, 5), ==, 8);
    g_assert_cmpint(seq(&h, S | 0xFFFFF0), ==, 8);      /* the first number counts, whichever */
    g_assert_cmpint(seq(&h, S | 0xFFFFF0), ==, LATE);   /* twice */
    g_assert_cmpint(seq(&h, S | 0xFFFFEF), ==, LATE);
    g_assert_cmpint(seq(&h, S | 0xFFFFFF), ==, 8);      /* a gap is no reason */
    g_assert_cmpint(seq(&h, S | 0), ==, 8);             /* it wraps */
    g_assert_cmpint(seq(&h, S | 0xFFFFFF), ==, LATE);
    g_assert_cmpint(seq(&h, S | 1), ==, 8);
    g_assert_cmpint(seq(&h, S | 0x7FFFFF), ==, 8);
    for (unsigned i = 0; i < L2TPV3_LATE_MAX; i++) {    /* the peer has started anew: it is believed after a while */
        g_assert_cmpint(seq(&h, S | (0x600000 + i)), ==, LATE);
    }
    g_assert_cmpint(seq(&h, S | 0x600100), ==, 8);
    g_assert_cmpint(seq(&h, S | 0x600101), ==, 8);
    /* what we send ourselves counts up and wraps at 24 bits */
    h = (struct l2tpv3_hdr){ .counter = true, .rx_session = 9, .tx_session = 9, .tx_seq = 0xFFFFFE };
    for (unsigned i = 0; i < 5; i++) {
        uint8_t buf[8];

        l2tpv3_put(&h, buf);
        g_assert_cmphex(ld_be32(buf + 4), ==, S | ((0xFFFFFE + i) & 0xFFFFFF));
        g_assert_cmpint(l2tpv3_check(&h, buf, 8), ==, 8);
    }
}

/* --- tunnels ------------------------------------------------------------------------------------------------------------- */

static int udp_socket(const char *addr, uint16_t *port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(*port) };
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    inet_pton(AF_INET, addr, &a.sin_addr);
    g_assert_cmpint(bind(fd, (void *)&a, len), ==, 0);
    g_assert_cmpint(getsockname(fd, (void *)&a, &len), ==, 0);
    *port = ntohs(a.sin_port);
    return fd;
}

static uint16_t free_port(void)
{
    uint16_t port = 0;

    close(udp_socket("127.0.0.1", &port));
    return port;
}

static void send_to(int fd, uint16_t port, const void *p, size_t len)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

    g_assert_cmpint(sendto(fd, p, len, 0, (void *)&a, sizeof(a)), ==, len);
}

static const char *const variants[] = {
    "txsession=1", "txsession=0xffffffff,rxsession=0xffffffff", "txsession=1,txcookie=5,rxcookie=5",
    "txsession=1,cookie64=on,txcookie=0x1122334455667788,rxcookie=0x1122334455667788", "txsession=1,counter=on", "txsession=1,pincounter=on",
    "txsession=1,offset=255", "txsession=1,txcookie=1,rxcookie=1,counter=on,offset=4",
    /* off is off: 32 bits */
    "txsession=1,cookie64=off,txcookie=0x55667788,rxcookie=0x55667788", "txsession=1,counter=off,pincounter=off,offset=0",
};

static void both_ways(struct wire_nic *a, struct wire_nic *b)
{
    static const size_t sizes[] = { 14, 60, 1514, 1514, 1514, 1000, 9014, 60000 };

    for (uint32_t i = 0; i < ARRAY_LEN(sizes); i++) {
        wire_nic_send(a, sizes[i], i + 1);
        wire_nic_send(b, sizes[i], i + 100);
    }
    for (uint32_t i = 0; i < ARRAY_LEN(sizes); i++) {
        wire_nic_expect(b, sizes[i], i + 1);
        wire_nic_expect(a, sizes[i], i + 100);
    }
}

static void test_udp(void)
{
    for (unsigned i = 0; i < ARRAY_LEN(variants); i++) {
        uint16_t pa = free_port(), pb = free_port();
        g_autofree char *oa = g_strdup_printf("l2tpv3,src=127.0.0.1,dst=127.0.0.1,udp=on,srcport=%u,dstport=%u,%s", pa, pb, variants[i]);
        g_autofree char *ob = g_strdup_printf("l2tpv3,src=127.0.0.1,dst=127.0.0.1,udp=on,srcport=%u,dstport=%u,%s", pb, pa, variants[i]);
        struct wire_nic a, b;

        wire_nic_open_ok(&a, oa);
        wire_nic_open_ok(&b, ob);
        g_assert_cmpstr(a.net->info->str, ==, "l2tpv3: connected");
        both_ways(&a, &b);
        wire_nic_close(&a);
        wire_nic_close(&b);
    }
}

static void raw_variant(const char *pa, const char *pb, const char *more)
{
    g_autofree char *oa = g_strdup_printf("l2tpv3,src=%s,dst=%s,%s", pa, pb, more);
    g_autofree char *ob = g_strdup_printf("l2tpv3,src=%s,dst=%s,%s", pb, pa, more);
    struct wire_nic a, b;

    wire_nic_open_ok(&a, oa);
    wire_nic_open_ok(&b, ob);
    both_ways(&a, &b);
    wire_nic_close(&a);
    wire_nic_close(&b);
}

/* Over IP, protocol 115; IPv6 has one address on the loopback: both ends hear what either sends, sessions tell whose it is. */
static void test_raw(void)
{
    int fd = socket(AF_INET, SOCK_RAW, 115);
    struct wire_nic a, b;

    if (fd < 0) {
        g_test_skip("CAP_NET_RAW");
        return;
    }
    close(fd);
    for (unsigned i = 0; i < ARRAY_LEN(variants); i++) {
        raw_variant("127.0.0.1", "127.0.0.2", variants[i]);
    }
    fd = socket(AF_INET6, SOCK_RAW, 115);
    if (fd < 0 || bind(fd, (void *)&(struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT }, sizeof(struct sockaddr_in6))) {
        g_test_message("no IPv6 loopback");
        close(fd);
        return;
    }
    close(fd);
    wire_nic_open_ok(&a, "l2tpv3,src=::1,dst=::1,ipv6=on,txsession=1,rxsession=2");
    wire_nic_open_ok(&b, "l2tpv3,src=::1,dst=::1,ipv6=on,txsession=2,rxsession=1");
    both_ways(&a, &b);
    g_assert_cmpuint(wire_nic_drops(&a, "wrong-session"), ==, 8);
    g_assert_cmpuint(a.total, ==, 8);
    wire_nic_close(&a);
    wire_nic_close(&b);
}

/* Wrong session, wrong cookie, cut short, from somebody else: nothing gets in, each is counted, no memory is used, few lines are printed. */
static void test_hostile(void)
{
    uint16_t peer = 0, other = 0, local = free_port();
    int pfd = udp_socket("127.0.0.1", &peer), ofd = udp_socket("127.0.0.1", &other), sfd = udp_socket("127.0.0.2", &peer);
    g_autofree char *opts = g_strdup_printf("l2tpv3,src=127.0.0.1,dst=127.0.0.1,udp=on,srcport=%u,dstport=%u,txsession=1,rxsession=2,"
                                            "txcookie=3,rxcookie=4,counter=on", local, peer);
    uint8_t good[16 + 60] = { 0, 3, 0, 0, 0, 0, 0, 2, 0, 0, 0, 4, 0x40, 0, 0, 1 }, bad[16 + 60], big[65507];
    struct mallinfo2 before, after;
    struct wire_nic a;

    wire_frame(good + 16, 60, 7);
    wire_nic_open_ok(&a, opts);
    a.keep_max = 10;
    send_to(pfd, local, good, sizeof(good));
    wire_nic_expect(&a, 60, 7);

    memcpy(bad, good, sizeof(good));
    bad[7] = 3;
    send_to(pfd, local, bad, sizeof(bad));
    WIRE_WAIT(wire_nic_drops(&a, "wrong-session") == 1);
    memcpy(bad, good, sizeof(good));
    bad[11] = 5;
    send_to(pfd, local, bad, sizeof(bad));
    WIRE_WAIT(wire_nic_drops(&a, "wrong-cookie") == 1);
    memcpy(bad, good, sizeof(good));
    bad[0] = 0xC8;
    send_to(pfd, local, bad, sizeof(bad));
    WIRE_WAIT(wire_nic_drops(&a, "bad-header") == 1);
    for (size_t n = 0; n < 16; n++) {
        send_to(pfd, local, good, n);
    }
    WIRE_WAIT(wire_nic_drops(&a, "short") == 16);
    send_to(pfd, local, good, sizeof(good));                /* replayed */
    WIRE_WAIT(wire_nic_drops(&a, "late") == 1);
    send_to(ofd, local, good, sizeof(good));                /* another port */
    send_to(sfd, local, good, sizeof(good));                /* another host */
    send_to(sfd, local, good, 0);
    WIRE_WAIT(wire_nic_drops(&a, "wrong-source") == 3);
    memset(big, 0xFF, sizeof(big));
    before = mallinfo2();
    for (unsigned i = 1; i <= 5000; i++) {
        send_to(pfd, local, big, i % 100 ? i % 64 : sizeof(big));
        if (i % 20 == 0) {
            while (wire_nic_drops(&a, "bad-header") + wire_nic_drops(&a, "short") < 17 + i) {
                loop_iterate(false);
            }
        }
    }
    after = mallinfo2();
    g_assert_cmpuint(after.uordblks, <=, before.uordblks + 256);
    g_assert_cmpuint(a.total, ==, 1);
    good[15] = 2;
    send_to(pfd, local, good, sizeof(good));
    wire_nic_expect(&a, 60, 7);
    wire_nic_close(&a);
    close(pfd);
    close(ofd);
    close(sfd);
}

/* Refused datagrams are reported once, not each. */
static void test_log(void)
{
    uint16_t peer = 0, local = free_port();
    int fd, pipes[2], keep;
    g_autofree char *opts = NULL;
    char text[4096];
    struct wire_nic a;
    ssize_t n;

    fd = udp_socket("127.0.0.1", &peer);
    opts = g_strdup_printf("l2tpv3,src=127.0.0.1,dst=127.0.0.1,udp=on,srcport=%u,dstport=%u,txsession=1", local, peer);
    wire_nic_open_ok(&a, opts);
    g_assert_cmpint(pipe(pipes), ==, 0);
    keep = dup(2);
    dup2(pipes[1], 2);
    for (unsigned i = 0; i < 200; i++) {
        send_to(fd, local, "\0\3\0\0\0\0\0\7and a frame", 19);
        while (wire_nic_drops(&a, "wrong-session") != i + 1) {
            loop_iterate(false);
        }
    }
    dup2(keep, 2);
    close(pipes[1]);
    n = read(pipes[0], text, sizeof(text) - 1);
    text[MAX(n, 0)] = '\0';
    g_assert_nonnull(strstr(text, "session mismatch"));
    g_assert_null(strstr(strstr(text, "session mismatch") + 1, "session mismatch"));
    close(pipes[0]);
    close(keep);
    close(fd);
    wire_nic_close(&a);
}

static void test_options(void)
{
    static const struct {
        const char *opts, *error;
    } cases[] = {
        { "l2tpv3,src=127.0.0.1,dst=127.0.0.1", "Parameter 'txsession' is missing" },
        { "l2tpv3,src=127.0.0.1,txsession=1", "Parameter 'dst' is missing" },
        { "l2tpv3,dst=127.0.0.1,txsession=1", "Parameter 'src' is missing" },
        { "l2tpv3,src=127.0.0.1,dst=127.0.0.1,txsession=1,udp=on", "need both src and dst port for udp" },
        { "l2tpv3,src=127.0.0.1,dst=127.0.0.1,txsession=1,udp=on,srcport=1", "need both src and dst port for udp" },
        { "l2tpv3,src=127.0.0.1,dst=127.0.0.1,txsession=1,offset=256", "offset must be less than 256 bytes" },
        { "l2tpv3,src=127.0.0.1,dst=127.0.0.1,txsession=1,rxcookie=1", "require both 'rxcookie' and 'txcookie' or neither" },
        { "l2tpv3,src=127.0.0.1,dst=127.0.0.1,txsession=1,txcookie=1", "require both 'rxcookie' and 'txcookie' or neither" },
        { "l2tpv3,src=nosuch.invalid,dst=127.0.0.1,txsession=1,udp=on,srcport=0,dstport=1",
          "could not resolve src, errno = Name or service not known" },
        { "l2tpv3,src=127.0.0.1,dst=nosuch.invalid,txsession=1,udp=on,srcport=0,dstport=1",
          "could not resolve dst, error = Name or service not known" },
        { "l2tpv3,src=1.2.3.4,dst=127.0.0.1,txsession=1,udp=on,srcport=0,dstport=1",
          "can't bind ip=1.2.3.4 to socket: Cannot assign requested address" },
    };

    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        g_autofree char *text = wire_nic_fails(cases[i].opts);

        if (strstr(cases[i].error, "not known") && strstr(text, "Temporary failure")) {
            continue;                           /* no name server here */
        }
        g_assert_cmpstr(text, ==, cases[i].error);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    loop_init();
    g_test_add_func("/l2tpv3/header/put-check", test_header);
    g_test_add_func("/l2tpv3/header/version", test_version);
    g_test_add_func("/l2tpv3/header/ip", test_ip_header);
    g_test_add_func("/l2tpv3/header/sequence", test_sequence);
    g_test_add_func("/l2tpv3/udp", test_udp);
    g_test_add_func("/l2tpv3/raw", test_raw);
    g_test_add_func("/l2tpv3/hostile", test_hostile);
    g_test_add_func("/l2tpv3/log", test_log);
    g_test_add_func("/l2tpv3/options", test_options);
    return g_test_run();
}
