/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/test-user.c - the user-mode network with libslirp in this process and a played guest
 *
 * The guest is a NIC that answers ARP and keeps what it receives; TCP is played by hand. The world is this process: sockets on loopback.
 */
#include "chardev/chardev.h"
#include "core/clock.h"
#include "lib/bits.h"
#include "net/info.h"
#include "net/user.h"
#include "pkt.h"
#include "user-rig.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* --- the guest ------------------------------------------------------------------------------------------------------- */

/* An ARP request for us: answer and forget. */
static bool answer_arp(struct guest *g, const uint8_t *f)
{
    uint8_t out[60] = { 0 };

    if (ld_be16(f + 12) != 0x0806 || ld_be16(f + 20) != 1 || memcmp(f + 38, pkt_guest_ip, 4)) {
        return false;
    }
    pkt_eth(out, f + 6, pkt_guest_mac, 0x0806);
    memcpy(out + 14, (uint8_t[]){ 0, 1, 8, 0, 6, 4, 0, 2 }, 8);
    memcpy(out + 22, pkt_guest_mac, 6);
    memcpy(out + 28, pkt_guest_ip, 4);
    memcpy(out + 32, f + 22, 10);
    guest_tx(g, out, sizeof(out));
    return true;
}

typedef bool match_fn(const uint8_t *f, size_t len, const void *arg);

/* Wait up to @ms for a frame that matches; the caller frees it. NULL: none came */
static GBytes *await_ms(struct guest *g, match_fn *match, const void *arg, int ms)
{
    int64_t end = g_get_monotonic_time() + ms * 1000;

    do {
        while (g->rx->len) {
            GBytes *b = g_ptr_array_steal_index(g->rx, 0);
            size_t len;
            const uint8_t *f = g_bytes_get_data(b, &len);

            if (!answer_arp(g, f) && match(f, len, arg)) {
                return b;
            }
            g_bytes_unref(b);
        }
        if (!loop_iterate(false)) {
            g_usleep(500);
        }
    } while (g_get_monotonic_time() < end);
    return NULL;
}

static const uint8_t *await(struct guest *g, match_fn *match, const void *arg, GBytes **hold)
{
    *hold = await_ms(g, match, arg, 5000);
    g_assert_nonnull(*hold);
    return g_bytes_get_data(*hold, NULL);
}

static void run_ms(int ms)
{
    int64_t end = g_get_monotonic_time() + ms * 1000;

    while (g_get_monotonic_time() < end) {
        if (!loop_iterate(false)) {
            g_usleep(500);
        }
    }
}

/* --- ARP, ping --------------------------------------------------------------------------------------------------------- */

static bool is_arp_from(const uint8_t *f, size_t len, const void *ip)
{
    return ld_be16(f + 12) == 0x0806 && ld_be16(f + 20) == 2 && !memcmp(f + 28, ip, 4);
}

static bool is_icmp_from(const uint8_t *f, size_t len, const void *ip)
{
    return ld_be16(f + 12) == 0x0800 && f[23] == 1 && !memcmp(f + 26, ip, 4);
}

static void test_arp_ping(void)
{
    NetdevUser u = { 0 };
    struct guest g;

    guest_start(&g, &u);
    for (uint8_t host = 2; host <= 4; host++) {
        const uint8_t ip[4] = { 10, 0, 2, host }, mac[6] = { 0x52, 0x55, 10, 0, 2, host };
        uint8_t f[128], *p = pkt_eth(f, (uint8_t[]){ 255, 255, 255, 255, 255, 255 }, pkt_guest_mac, 0x0806);
        g_autoptr(GBytes) arp = NULL, echo = NULL;
        const uint8_t *r;
        struct pkt_layout l;
        size_t len;

        memcpy(p, (uint8_t[]){ 0, 1, 8, 0, 6, 4, 0, 1 }, 8);
        memcpy(p + 8, pkt_guest_mac, 6);
        memcpy(p + 14, pkt_guest_ip, 4);
        memset(p + 18, 0, 6);
        memcpy(p + 24, ip, 4);
        guest_tx(&g, f, 42);
        g_assert_cmpuint(g.rx->len, ==, 0);                     /* never from inside our own send */
        r = await(&g, is_arp_from, ip, &arp);
        g_assert_cmpmem(r + 22, 6, mac, 6);
        g_assert_cmpmem(r, 6, pkt_guest_mac, 6);

        p = pkt_ip4(pkt_eth(f, mac, pkt_guest_mac, 0x0800), pkt_guest_ip, ip, 1, 40);
        memset(p, 0x5A, 40);
        memcpy(p, (uint8_t[]){ 8, 0, 0, 0, 1, 2, 0, 9 }, 8);
        pkt_l4_csum(f, 74);
        guest_tx(&g, f, 74);
        r = await(&g, is_icmp_from, ip, &echo);
        len = g_bytes_get_size(echo);
        pkt_parse(r, len, len, &l);
        g_assert_cmpuint(r[34], ==, 0);
        g_assert_cmpuint(r[22], ==, 255);
        g_assert_cmpint(csum_check_ip4(r, &l), ==, CSUM_GOOD);
        g_assert_cmphex(csum_fold(csum_add(0, r + 34, 40)), ==, 0xFFFF);
        g_assert_cmpmem(r + 38, 36, f + 38, 36);
    }
    guest_stop(&g);
}

/* Without the right to open ICMP sockets a ping to the world is answered "prohibited" at once. */
static void test_ping_prohibited(void)
{
    NetdevUser u = { 0 };
    const uint8_t world[4] = { 192, 0, 2, 1 };
    g_autoptr(GBytes) b = NULL;
    uint8_t f[128], *p;
    const uint8_t *r;
    struct guest g;
    int fd;

    if (!g_test_subprocess()) {
        if (g_getenv("MESON_EXE_WRAPPER")) {      /* a cross-build: the kernel cannot start this program by itself */
            g_test_skip("run by a wrapper");
            return;
        }
        g_test_trap_subprocess(NULL, 0, G_TEST_SUBPROCESS_INHERIT_STDOUT);
        g_test_trap_assert_passed();
        return;
    }
    if (geteuid() == 0 && (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534))) {
        g_test_skip("cannot become another user");
        return;
    }
    fd = socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP);
    if (fd >= 0) {
        close(fd);
        g_test_skip("ping_group_range lets everybody ping");
        return;
    }
    guest_start(&g, &u);
    p = pkt_ip4(pkt_eth(f, pkt_host_mac, pkt_guest_mac, 0x0800), pkt_guest_ip, world, 1, 40);
    memset(p, 0, 40);
    p[0] = 8;
    pkt_l4_csum(f, 74);
    guest_tx(&g, f, 74);
    r = await(&g, is_icmp_from, pkt_host_ip, &b);
    g_assert_cmphex(ld_be16(r + 34), ==, 0x030d);
    g_assert_cmpmem(r + 42, 20, f + 14, 20);
    g_assert_cmphex(csum_fold(csum_add(0, r + 34, 36)), ==, 0xFFFF);
    guest_stop(&g);
}

/* --- DHCP ---------------------------------------------------------------------------------------------------------------- */

static bool is_dhcp(const uint8_t *f, size_t len, const void *arg)
{
    return len > 282 && ld_be16(f + 12) == 0x0800 && f[23] == 17 && ld_be16(f + 36) == 68;
}

static const uint8_t *dhcp_option(const uint8_t *f, size_t len, uint8_t tag, uint8_t *n)
{
    for (size_t i = 282; i + 2 < len && f[i] != 255; i += f[i] ? 2u + f[i + 1] : 1) {
        if (f[i] == tag) {
            *n = f[i + 1];
            return f + i + 2;
        }
    }
    return NULL;
}

static GBytes *dhcp(struct guest *g, uint8_t type, const uint8_t *want)
{
    uint8_t f[400] = { 0 }, *p = pkt_eth(f, (uint8_t[]){ 255, 255, 255, 255, 255, 255 }, pkt_guest_mac, 0x0800);
    static const uint8_t zero[4], all[4] = { 255, 255, 255, 255 };
    GBytes *b;

    p = pkt_udp(pkt_ip4(p, zero, all, 17, 308), 68, 67, 300);
    p[0] = p[1] = 1;
    p[2] = 6;
    st_be32(p + 4, 0xCAFE);
    memcpy(p + 28, pkt_guest_mac, 6);
    st_be32(p + 236, 0x63825363);
    memcpy(p + 240, (uint8_t[]){ 53, 1, type }, 3);
    if (want) {
        memcpy(p + 243, (uint8_t[]){ 50, 4 }, 2);
        memcpy(p + 245, want, 4);
        p[249] = 255;
    } else {
        p[243] = 255;
    }
    guest_tx(g, f, 342);
    await(g, is_dhcp, NULL, &b);
    return b;
}

static void test_dhcp(void)
{
    char *search[] = { (char *)(uintptr_t)"a.example", NULL };
    NetdevUser u = {
        .hostname = (char *)(uintptr_t)"box", .domainname = (char *)(uintptr_t)"example.org", .bootfile = (char *)(uintptr_t)"boot.0",
        .dnssearch = search,
    };
    g_autoptr(GBytes) offer = NULL, ack = NULL;
    const uint8_t *o, *f;
    struct guest g;
    uint8_t n;

    guest_start(&g, &u);
    offer = dhcp(&g, 1, NULL);
    f = g_bytes_get_data(offer, NULL);
    g_assert_cmpmem(f + 58, 4, pkt_guest_ip, 4);
    o = dhcp_option(f, g_bytes_get_size(offer), 53, &n);
    g_assert_true(o && *o == 2);
    ack = dhcp(&g, 3, pkt_guest_ip);
    f = g_bytes_get_data(ack, NULL);
    o = dhcp_option(f, g_bytes_get_size(ack), 53, &n);
    g_assert_true(o && *o == 5);
    o = dhcp_option(f, g_bytes_get_size(ack), 1, &n);
    g_assert_cmpmem(o, 4, ((uint8_t[]){ 255, 255, 255, 0 }), 4);
    o = dhcp_option(f, g_bytes_get_size(ack), 3, &n);
    g_assert_cmpmem(o, 4, pkt_host_ip, 4);
    o = dhcp_option(f, g_bytes_get_size(ack), 6, &n);
    g_assert_cmpmem(o, 4, ((uint8_t[]){ 10, 0, 2, 3 }), 4);
    o = dhcp_option(f, g_bytes_get_size(ack), 12, &n);
    g_assert_cmpmem(o, n, "box", 3);
    o = dhcp_option(f, g_bytes_get_size(ack), 15, &n);
    g_assert_cmpmem(o, n, "example.org", 11);
    g_assert_nonnull(dhcp_option(f, g_bytes_get_size(ack), 119, &n));
    g_assert_cmpstr((const char *)f + 42 + 108, ==, "boot.0");
    guest_stop(&g);
}

static void test_dhcp_net_restrict(void)
{
    NetdevUser u = { .net = (char *)(uintptr_t)"192.168.76.0/24", .dhcpstart = (char *)(uintptr_t)"192.168.76.9", .has_restrict = true, .q_restrict = true };
    g_autoptr(GBytes) offer = NULL;
    g_autoptr(GString) info = g_string_new(NULL);
    const uint8_t *f;
    struct guest g;
    uint8_t n;

    guest_start(&g, &u);
    offer = dhcp(&g, 1, NULL);
    f = g_bytes_get_data(offer, NULL);
    g_assert_cmpmem(f + 58, 4, ((uint8_t[]){ 192, 168, 76, 9 }), 4);
    g_assert_null(dhcp_option(f, g_bytes_get_size(offer), 3, &n));
    g_assert_null(dhcp_option(f, g_bytes_get_size(offer), 6, &n));
    net_print_info(info);
    g_assert_cmpstr(info->str, ==,
                    "test.0: index=0,type=nic,model=test,macaddr=52:54:00:12:34:56\n"
                    " \\ u: index=0,type=user,net=192.168.76.0,restrict=on\n");
    guest_stop(&g);
}

/* --- TCP ------------------------------------------------------------------------------------------------------------------ */

struct conn {
    struct guest *g;
    uint16_t sport, dport;
    uint32_t seq, ack;              /* next to send; next expected */
    GByteArray *in;
};

static void tcp_tx(struct conn *c, uint8_t flags, const void *data, size_t n)
{
    g_autofree uint8_t *f = g_malloc(60 + n + 20);
    uint8_t *p = pkt_ip4(pkt_eth(f, pkt_host_mac, pkt_guest_mac, 0x0800), pkt_guest_ip, pkt_host_ip, 6, 20 + n);

    p = pkt_tcp(p, c->sport, c->dport, c->seq, c->ack, flags);
    if (n) {
        memcpy(p, data, n);
    }
    pkt_l4_csum(f, 54 + n);
    guest_tx(c->g, f, 54 + n);
    c->seq += (uint32_t)n + !!(flags & 0x03);
}

static bool is_tcp_for(const uint8_t *f, size_t len, const void *arg)
{
    const struct conn *c = arg;

    return ld_be16(f + 12) == 0x0800 && f[23] == 6 && ld_be16(f + 36) == c->sport;
}

static void tcp_connect(struct conn *c, struct guest *g, uint16_t port)
{
    g_autoptr(GBytes) b = NULL;
    const uint8_t *f;

    *c = (struct conn){ .g = g, .sport = 40000, .dport = port, .seq = 1000, .in = g_byte_array_new() };
    tcp_tx(c, 0x02, NULL, 0);
    f = await(g, is_tcp_for, c, &b);
    g_assert_cmphex(f[47], ==, 0x12);
    g_assert_cmphex(ld_be32(f + 42), ==, 1001);
    c->ack = ld_be32(f + 38) + 1;
    tcp_tx(c, 0x10, NULL, 0);
}

/* Take one segment; what is new and in order goes to c->in and is acknowledged. false: none came. */
static bool tcp_pull(struct conn *c, int ms)
{
    g_autoptr(GBytes) b = await_ms(c->g, is_tcp_for, c, ms);
    struct pkt_layout l;
    const uint8_t *f;
    size_t len, n;
    uint32_t seq;

    if (!b) {
        return false;
    }
    f = g_bytes_get_data(b, &len);
    pkt_parse(f, len, len, &l);
    g_assert_cmpint(l.l4, ==, PKT_L4_TCP);
    n = l.l3_end - l.payload_off;
    seq = ld_be32(f + l.l4_off + 4);
    if (n && seq == c->ack) {
        g_byte_array_append(c->in, f + l.payload_off, (guint)n);
        c->ack += (uint32_t)n;
    }
    if (n) {
        tcp_tx(c, 0x10, NULL, 0);
    }
    return true;
}

static int listen_any(int type, uint16_t *port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

    g_assert_cmpint(bind(fd, (struct sockaddr *)&a, sizeof(a)), ==, 0);
    g_assert_true(type == SOCK_DGRAM || listen(fd, 8) == 0);
    getsockname(fd, (struct sockaddr *)&a, &len);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    *port = ntohs(a.sin_port);
    return fd;
}

static int accept_soon(int lfd)
{
    for (int i = 0; i < 2000; i++) {
        int fd = accept(lfd, NULL, NULL);

        if (fd >= 0) {
            fcntl(fd, F_SETFL, O_NONBLOCK);
            return fd;
        }
        run_ms(1);
    }
    g_assert_not_reached();
}

static void read_exactly(int fd, uint8_t *buf, size_t n)
{
    for (size_t got = 0; got < n;) {
        ssize_t r = read(fd, buf + got, n - got);

        if (r > 0) {
            got += (size_t)r;
        } else {
            g_assert_true(r < 0 && errno == EAGAIN);
            run_ms(1);
        }
    }
}

static void test_tcp(void)
{
    NetdevUser u = { 0 };
    uint8_t buf[16];
    struct guest g;
    struct conn c;
    uint16_t port;
    int lfd = listen_any(SOCK_STREAM, &port), fd;

    guest_start(&g, &u);
    tcp_connect(&c, &g, port);
    fd = accept_soon(lfd);
    tcp_tx(&c, 0x18, "hello", 5);
    read_exactly(fd, buf, 5);
    g_assert_cmpmem(buf, 5, "hello", 5);
    g_assert_cmpint(write(fd, "world!", 6), ==, 6);
    while (c.in->len < 6) {
        g_assert_true(tcp_pull(&c, 5000));
    }
    g_assert_cmpmem(c.in->data, c.in->len, "world!", 6);
    close(fd);
    close(lfd);
    g_byte_array_free(c.in, TRUE);
    guest_stop(&g);
}

/* One 60 KB frame with an open checksum and a zero IP length goes in whole and comes out right. */
static void test_tcp_large_frame(void)
{
    enum { N = 60000 };
    NetdevUser u = { 0 };
    g_autofree uint8_t *f = g_malloc(N + 54), *buf = g_malloc(N);
    struct frame fr;
    struct guest g;
    struct conn c;
    uint64_t before;
    uint16_t port;
    int lfd = listen_any(SOCK_STREAM, &port), fd;
    uint8_t *p;

    guest_start(&g, &u);
    tcp_connect(&c, &g, port);
    fd = accept_soon(lfd);
    p = pkt_ip4(pkt_eth(f, pkt_host_mac, pkt_guest_mac, 0x0800), pkt_guest_ip, pkt_host_ip, 6, 0);
    st_be16(f + 16, 0);
    st_be16(f + 24, 0);
    p = pkt_tcp(p, c.sport, c.dport, c.seq, c.ack, 0x18);
    for (unsigned i = 0; i < N; i++) {
        p[i] = (uint8_t)(i * 13 >> 4);
    }
    before = net_client_find("u")->stats.rx_frames;
    frame_from_buf(&fr, f, N + 54);
    fr.meta = (struct pkt_meta){ .gso = PKT_GSO_TCP4, .gso_size = 1460, .flags = PKT_NEEDS_CSUM, .csum_start = 34, .csum_off = 16, .hdr_len = 54 };
    g_assert_cmpint(nic_send(g.nic, &fr), ==, NET_TX_DONE);
    g_assert_cmpuint(net_client_find("u")->stats.rx_frames, ==, before + 1);
    read_exactly(fd, buf, N);
    g_assert_cmpmem(buf, N, f + 54, N);
    close(fd);
    close(lfd);
    g_byte_array_free(c.in, TRUE);
    guest_stop(&g);
}

/* 1 MB to a guest that is now and then full: every byte arrives. With @caps it comes in large frames. */
static void download(uint32_t caps, size_t min_largest, size_t max_largest)
{
    enum { N = 1 << 20 };
    g_autofree uint8_t *data = g_malloc(N);
    NetdevUser u = { 0 };
    struct guest g;
    struct conn c;
    uint16_t port;
    size_t sent = 0;
    unsigned n = 0;
    int lfd = listen_any(SOCK_STREAM, &port), fd;

    for (unsigned i = 0; i < N; i++) {
        data[i] = (uint8_t)(i ^ i >> 8 ^ i >> 16);
    }
    guest_start(&g, &u);
    g.caps = caps;
    tcp_connect(&c, &g, port);
    fd = accept_soon(lfd);
    while (c.in->len < N) {
        ssize_t r = sent < N ? write(fd, data + sent, N - sent) : 0;

        sent += r > 0 ? (size_t)r : 0;
        if (n++ % 64 == 50) {
            g.full = true;
            run_ms(3);
            g.full = false;
            nic_rx_ready(g.nic);
        }
        tcp_pull(&c, 20);
        g_assert_cmpuint(n, <, 100000);
    }
    g_assert_cmpmem(c.in->data, c.in->len, data, N);
    g_assert_cmpuint(nic_client(g.nic)->stats.drops[NET_DROP_QUEUE_FULL], ==, 0);
    g_assert_cmpuint(g.largest, >=, min_largest);
    g_assert_cmpuint(g.largest, <=, max_largest);
    close(fd);
    close(lfd);
    g_byte_array_free(c.in, TRUE);
    guest_stop(&g);
}

static void test_tcp_download(void)
{
    download(0, 1400, 1514);
    download(PKT_CAP_CSUM | PKT_CAP_TSO4, 5000, 65536);
}

/* Too many connections: refused at once, not silence; those that are there go on. */
static void test_tcp_limit(void)
{
    enum { N = 400 };
    struct rlimit old, lim;
    NetdevUser u = { 0 };
    uint16_t port;
    int lfd = listen_any(SOCK_STREAM, &port);
    unsigned up = 0, refused = 0;
    struct guest g;

    g_assert_cmpint(getrlimit(RLIMIT_NOFILE, &old), ==, 0);
    lim = old;
    lim.rlim_cur = 512;
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &lim), ==, 0);
    guest_start(&g, &u);
    for (unsigned i = 0; i < N; i++) {
        struct conn c = { .g = &g, .sport = (uint16_t)(20000 + i), .dport = port, .seq = 1000 };
        g_autoptr(GBytes) b = NULL;
        int64_t t0 = g_get_monotonic_time();
        const uint8_t *f;
        int fd;

        tcp_tx(&c, 0x02, NULL, 0);
        f = await(&g, is_tcp_for, &c, &b);
        g_assert_cmpint(g_get_monotonic_time() - t0, <, 100000);
        up += f[47] == 0x12;
        refused += f[47] == 0x14;
        fd = accept(lfd, NULL, NULL);           /* our own descriptors count, too */
        if (fd >= 0) {
            close(fd);
        }
    }
    g_assert_cmpuint(up, >=, 250);
    g_assert_cmpuint(refused, >=, 20);
    g_assert_cmpuint(up + refused, ==, N);
    guest_stop(&g);
    setrlimit(RLIMIT_NOFILE, &old);
    close(lfd);
}

static void test_tcp_refused(void)
{
    NetdevUser u = { 0 };
    struct guest g;
    struct conn c = { .g = &g, .sport = 40000, .dport = 9, .seq = 1000 };
    g_autoptr(GBytes) b = NULL;
    const uint8_t *f;

    guest_start(&g, &u);
    tcp_tx(&c, 0x02, NULL, 0);
    f = await(&g, is_tcp_for, &c, &b);                          /* the host refuses: RST through the stack */
    g_assert_cmphex(f[47] & 0x04, ==, 0x04);
    guest_stop(&g);
}

/* --- UDP, TFTP -------------------------------------------------------------------------------------------------------------- */

static void udp_tx(struct guest *g, uint16_t sport, uint16_t dport, const void *data, size_t n)
{
    uint8_t f[1500], *p = pkt_ip4(pkt_eth(f, pkt_host_mac, pkt_guest_mac, 0x0800), pkt_guest_ip, pkt_host_ip, 17, 8 + n);

    p = pkt_udp(p, sport, dport, n);
    memcpy(p, data, n);
    guest_tx(g, f, 42 + n);
}

static bool is_udp_to(const uint8_t *f, size_t len, const void *port)
{
    return ld_be16(f + 12) == 0x0800 && f[23] == 17 && ld_be16(f + 36) == *(const uint16_t *)port;
}

static void test_udp(void)
{
    NetdevUser u = { 0 };
    struct sockaddr_in from;
    socklen_t flen = sizeof(from);
    g_autoptr(GBytes) b = NULL;
    const uint8_t *f;
    uint16_t port, back = 5000;
    struct guest g;
    char buf[64];
    ssize_t n = -1;
    int fd = listen_any(SOCK_DGRAM, &port);

    guest_start(&g, &u);
    udp_tx(&g, 5000, port, "query", 5);
    for (int i = 0; i < 2000 && n < 0; i++) {
        n = recvfrom(fd, buf, sizeof(buf), 0, (struct sockaddr *)&from, &flen);
        run_ms(1);
    }
    g_assert_cmpmem(buf, n, "query", 5);
    g_assert_cmpint(sendto(fd, "answer", 6, 0, (struct sockaddr *)&from, flen), ==, 6);
    f = await(&g, is_udp_to, &back, &b);
    g_assert_cmpmem(f + 42, 6, "answer", 6);
    g_assert_cmpmem(f + 26, 4, pkt_host_ip, 4);
    close(fd);
    guest_stop(&g);
}

/* A guest that takes nothing: datagrams stay in the host's socket (and are lost there), the queue does not overflow. */
static void test_udp_pause(void)
{
    NetdevUser u = { 0 };
    struct sockaddr_in from;
    socklen_t flen = sizeof(from);
    struct guest g;
    uint16_t port;
    char buf[1000] = { 0 };
    ssize_t n = -1;
    int fd = listen_any(SOCK_DGRAM, &port);

    guest_start(&g, &u);
    udp_tx(&g, 5000, port, "query", 5);
    for (int i = 0; i < 2000 && n < 0; i++) {
        n = recvfrom(fd, buf, sizeof(buf), 0, (struct sockaddr *)&from, &flen);
        await_ms(&g, is_tcp_for, &(struct conn){ 0 }, 1);
    }
    g_assert_cmpint(sendto(fd, buf, 1, 0, (struct sockaddr *)&from, flen), ==, 1);
    await_ms(&g, is_tcp_for, &(struct conn){ 0 }, 50);          /* answers ARP */
    g.full = true;
    for (unsigned i = 0; i < 3000; i++) {
        sendto(fd, buf, 100, 0, (struct sockaddr *)&from, flen);
        loop_iterate(false);
    }
    g_assert_cmpuint(nic_client(g.nic)->stats.drops[NET_DROP_QUEUE_FULL], ==, 0);
    g_assert_cmpuint(nic_client(g.nic)->queue.frames, <, NET_QUEUE_FRAMES);
    g.full = false;
    g_ptr_array_set_size(g.rx, 0);
    nic_rx_ready(g.nic);
    run_ms(50);
    g_assert_cmpuint(g.rx->len, >, 1);                          /* and it goes on */
    close(fd);
    guest_stop(&g);
}

static void test_tftp(void)
{
    g_autofree char *dir = g_dir_make_tmp("tftpXXXXXX", NULL), *file = g_build_filename(dir, "hello.txt", NULL);
    NetdevUser u = { .tftp = dir }, off = { 0 };
    g_autoptr(GBytes) b = NULL, e = NULL;
    uint16_t back = 5001;
    const uint8_t *f;
    struct guest g;

    g_assert_true(g_file_set_contents(file, "file contents", -1, NULL));
    guest_start(&g, &u);
    udp_tx(&g, 5001, 69, "\0\1hello.txt\0octet", 18);
    f = await(&g, is_udp_to, &back, &b);
    g_assert_cmphex(ld_be32(f + 42), ==, 0x00030001);           /* data, block 1 */
    g_assert_cmpmem(f + 46, ld_be16(f + 38) - 12u, "file contents", 13);
    udp_tx(&g, 5001, 69, "\0\1../hello.txt\0octet", 21);
    f = await(&g, is_udp_to, &back, &e);
    g_assert_cmphex(ld_be32(f + 42), ==, 0x00050002);           /* error 2, access violation */
    guest_stop(&g);
    guest_start(&g, &off);
    udp_tx(&g, 5001, 69, "\0\1hello.txt\0octet", 18);
    g_assert_null(await_ms(&g, is_udp_to, &back, 100));
    guest_stop(&g);
    g_unlink(file);
    g_rmdir(dir);
}

/* --- forwarding ---------------------------------------------------------------------------------------------------------------- */

static bool is_syn(const uint8_t *f, size_t len, const void *arg)
{
    return ld_be16(f + 12) == 0x0800 && f[23] == 6 && (f[47] & 0x3F) == 0x02;
}

/* A connection from the host: the guest sees it from 10.0.2.2 and can talk. */
static void answer_forwarded(struct guest *g, int fd, uint16_t want_port)
{
    g_autoptr(GBytes) b = NULL;
    struct conn c = { .g = g, .sport = want_port, .seq = 5000, .in = g_byte_array_new() };
    uint8_t buf[8];
    const uint8_t *f = await(g, is_syn, NULL, &b);

    g_assert_cmpmem(f + 26, 4, pkt_host_ip, 4);
    g_assert_cmpmem(f + 30, 4, pkt_guest_ip, 4);
    g_assert_cmpuint(ld_be16(f + 36), ==, want_port);
    c.dport = ld_be16(f + 34);
    c.ack = ld_be32(f + 38) + 1;
    tcp_tx(&c, 0x12, NULL, 0);
    g_assert_true(tcp_pull(&c, 5000));
    tcp_tx(&c, 0x18, "banner", 6);
    read_exactly(fd, buf, 6);
    g_assert_cmpmem(buf, 6, "banner", 6);
    g_assert_cmpint(write(fd, "reply", 5), ==, 5);
    while (c.in->len < 5) {
        g_assert_true(tcp_pull(&c, 5000));
    }
    g_assert_cmpmem(c.in->data, c.in->len, "reply", 5);
    g_byte_array_free(c.in, TRUE);
}

static int connect_to(uint16_t port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_assert_cmpint(connect(fd, (struct sockaddr *)&a, sizeof(a)), ==, 0);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static void test_hostfwd_tcp(void)
{
    uint16_t port;
    int tmp = listen_any(SOCK_STREAM, &port), fd;
    g_autofree char *rule = g_strdup_printf("tcp:127.0.0.1:%u-:22", port), *remove = g_strdup_printf("tcp:127.0.0.1:%u", port);
    g_autofree char *busy = g_strdup_printf("Could not set up host forwarding rule '%s': Address already in use", rule), *want = NULL, *got = NULL;
    char *rules[] = { rule, NULL };
    NetdevUser u = { .hostfwd = rules };
    Error *err = NULL;
    struct guest g;
    g_autoptr(GString) info = g_string_new(NULL);

    g_assert_false(guest_start_err(&g, &u, &err));                    /* taken by us */
    g_assert_cmpstr(error_text(err), ==, busy);
    error_free(err);
    g_assert_null(net_client_find("u"));
    close(tmp);
    guest_start(&g, &u);
    net_user_print_info(info);
    g_assert_true(g_str_has_prefix(info->str, "Hub -1 (u):\n  Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ\n"));
    g_assert_nonnull(strstr(info->str, "TCP[HOST_FORWARD]"));
    fd = connect_to(port);
    answer_forwarded(&g, fd, 22);
    close(fd);
    g_assert_true(net_hostfwd_remove(NULL, remove, &got, NULL));
    want = g_strdup_printf("host forwarding rule for %s removed", remove);
    g_assert_cmpstr(got, ==, want);
    g_clear_pointer(&got, g_free);
    g_clear_pointer(&want, g_free);
    g_assert_true(net_hostfwd_remove("u", remove, &got, NULL));
    want = g_strdup_printf("host forwarding rule for %s not found", remove);
    g_assert_cmpstr(got, ==, want);
    guest_stop(&g);
}

static void test_hostfwd_unix(void)
{
    g_autofree char *dir = g_dir_make_tmp("fwd-XXXXXX", NULL), *path = g_build_filename(dir, "a-b.sock", NULL);
    g_autofree char *rule = g_strdup_printf("unix:%s-10.0.2.15:80", path), *rm = g_strdup_printf("unix:%s", path), *got = NULL;
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_autoptr(GString) info = g_string_new(NULL);
    NetdevUser u = { 0 };
    struct guest g;

    guest_start(&g, &u);
    g_assert_true(net_hostfwd_add("u", "tcp:127.0.0.1:0-:23", NULL));
    g_assert_true(net_hostfwd_add("u", rule, NULL));
    net_user_print_info(info);
    g_assert_nonnull(strstr(info->str, path));
    g_strlcpy(a.sun_path, path, sizeof(a.sun_path));
    g_assert_cmpint(connect(fd, (struct sockaddr *)&a, sizeof(a)), ==, 0);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    answer_forwarded(&g, fd, 80);
    g_assert_true(net_hostfwd_remove("u", rm, &got, NULL));
    g_assert_true(g_str_has_suffix(got, " removed"));
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    close(fd);
    guest_stop(&g);
    g_rmdir(dir);
}

static void test_hostfwd_texts(void)
{
    static const char *const rows[][2] = {
        { "tcp", "No : separators" }, { "sctp::1-:2", "Bad protocol name" }, { "tcp:5", "Missing : separator" },
        { "tcp:x.y:5-:6", "Bad host address" }, { "tcp::15555", "Bad host port separator" }, { "tcp::99999-:1", "Bad host port" },
        { "tcp::x-:1", "Bad host port" }, { "tcp::5-22", "Missing guest address" }, { "tcp::5-x.y:22", "Bad guest address" },
        { "tcp::5-:0", "Bad guest port" }, { "tcp::5-:70000", "Bad guest port" }, { "unix:/tmp/x", "Missing - separator" },
        { "unix:-:22", "Missing unix socket path" }, { "unix:a-:22", "unix socket path must be absolute" },
        { "unix:/0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234567-:22",
          "Unix socket path is too long" },
        { "unix:/etc/passwd-:22", "file exists and it's not unix socket" },
    };
    NetdevUser u = { 0 };
    Error *err = NULL;
    char *text = NULL;
    struct guest g;

    guest_start(&g, &u);
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        g_autofree char *want = g_strdup_printf("Invalid host forwarding rule '%s' (%s)", rows[i][0], rows[i][1]);

        g_assert_false(net_hostfwd_add("u", rows[i][0], &err));
        g_assert_cmpstr(error_text(err), ==, want);
        g_clear_pointer(&err, error_free);
    }
    g_assert_false(net_hostfwd_remove("u", "tcp", &text, &err));
    g_assert_cmpstr(error_text(err), ==, "invalid format");
    g_clear_pointer(&err, error_free);
    g_assert_false(net_hostfwd_add("x", "tcp::5-:6", &err));
    g_assert_cmpstr(error_text(err), ==, "unrecognized netdev id 'x'");
    g_clear_pointer(&err, error_free);
    g_assert_false(net_hostfwd_add("test.0", "tcp::5-:6", &err));
    g_assert_cmpstr(error_text(err), ==, "invalid device specified");
    g_clear_pointer(&err, error_free);
    guest_stop(&g);
    g_assert_false(net_hostfwd_add(NULL, "tcp::5-:6", &err));
    g_assert_cmpstr(error_text(err), ==, "user mode network stack not in use");
    g_clear_pointer(&err, error_free);
}

static void test_config_texts(void)
{
#define S(x) ((char *)(uintptr_t)(x))
    static const struct {
        NetdevUser u;
        const char *error;
    } rows[] = {
        { { .has_ipv4 = true, .has_ipv6 = true }, "IPv4 and IPv6 disabled" },
        { { .has_ipv4 = true, .net = S("10.1.0.0/16") }, "IPv4 disabled but netmask/host/dns provided" },
        { { .has_ipv6 = true, .ipv6_host = S("fec0::2") }, "IPv6 disabled but prefix/host6/dns6 provided" },
        { { .net = S("zz") }, "Failed to parse netmask" },
        { { .net = S("10.0.2.0/255.x") }, "Failed to parse netmask" },
        { { .net = S("10.0.2.0/3") }, "Invalid netmask provided (must be in range 4-32)" },
        { { .net = S("10.0.2.0/33") }, "Invalid netmask provided (must be in range 4-32)" },
        { { .net = S("10.0.2.0/24x") }, "Invalid netmask provided (trailing chars)" },
        { { .host = S("x") }, "Failed to parse host" },
        { { .host = S("10.0.3.2") }, "Host doesn't belong to network" },
        { { .dns = S("x") }, "Failed to parse DNS" },
        { { .dns = S("10.0.2.2") }, "DNS must be different from host" },
        { { .dns = S("10.0.3.2"), .has_restrict = true, .q_restrict = true }, "DNS doesn't belong to network" },
        { { .dhcpstart = S("x") }, "Failed to parse DHCP start address" },
        { { .dhcpstart = S("10.0.3.1") }, "DHCP doesn't belong to network" },
        { { .dhcpstart = S("10.0.2.3") }, "DHCP must be different from host and DNS" },
        { { .ipv6_prefix = S("zz") }, "Failed to parse IPv6 prefix" },
        { { .has_ipv6_prefixlen = true, .ipv6_prefixlen = 127 }, "Invalid IPv6 prefix provided (IPv6 prefix length must be between 0 and 126)" },
        { { .ipv6_host = S("zz") }, "Failed to parse IPv6 host" },
        { { .ipv6_host = S("2001:db8::1") }, "IPv6 Host doesn't belong to network" },
        { { .ipv6_dns = S("zz") }, "Failed to parse IPv6 DNS" },
        { { .domainname = S("") }, "'domainname' parameter cannot be empty" },
    };

    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        NetdevUser u = rows[i].u;
        Error *err = NULL;
        struct guest g;

        g_assert_false(guest_start_err(&g, &u, &err));
        g_assert_cmpstr(error_text(err), ==, rows[i].error);
        error_free(err);
        g_assert_null(net_client_find("u"));
    }
}

static bool is_from_fwd(const uint8_t *f, size_t len, const void *arg)
{
    return is_tcp_for(f, len, arg) && !memcmp(f + 26, ((uint8_t[]){ 10, 0, 2, 100 }), 4);
}

/* guestfwd to a command and to a character device (a file: what the guest says ends there) */
static void test_guestfwd(void)
{
    g_autofree char *dir = g_dir_make_tmp("gfXXXXXX", NULL), *file = g_build_filename(dir, "out", NULL), *text = NULL;
    g_autofree char *rule = g_strdup_printf("tcp:10.0.2.100:1234-file:%s", file);
    char *rules[] = { rule, NULL }, *bad[] = { S("tcp:10.0.2.100:0-file:/x"), NULL }, *outside[] = { S("tcp:10.0.3.100:1-null"), NULL };
    NetdevUser u = { .guestfwd = rules }, ub = { .guestfwd = bad }, uo = { .guestfwd = outside };
    struct guest g;
    struct conn c;
    Error *err = NULL;
    uint8_t f[128], *p;
    g_autoptr(GBytes) b = NULL;
    const uint8_t *r;

    g_assert_false(guest_start_err(&g, &ub, &err));
    g_assert_cmpstr(error_text(err), ==, "Invalid guest forwarding rule 'tcp:10.0.2.100:0-file:/x'");
    g_clear_pointer(&err, error_free);
    g_assert_false(guest_start_err(&g, &uo, &err));
    g_assert_cmpstr(error_text(err), ==, "Conflicting/invalid host:port in guest forwarding rule 'tcp:10.0.3.100:1-null'");
    g_clear_pointer(&err, error_free);

    guest_start(&g, &u);
    c = (struct conn){ .g = &g, .sport = 41000, .dport = 1234, .seq = 1 };
    for (unsigned step = 0; step < 2; step++) {
        p = pkt_ip4(pkt_eth(f, pkt_host_mac, pkt_guest_mac, 0x0800), pkt_guest_ip, (uint8_t[]){ 10, 0, 2, 100 }, 6, 20 + (step ? 4 : 0));
        p = pkt_tcp(p, c.sport, c.dport, c.seq, c.ack, step ? 0x18 : 0x02);
        memcpy(p, "ping", 4);
        pkt_l4_csum(f, step ? 58 : 54);
        guest_tx(&g, f, step ? 58 : 54);
        if (!step) {
            r = await(&g, is_from_fwd, &c, &b);
            g_assert_cmphex(r[47], ==, 0x12);
            c.ack = ld_be32(r + 38) + 1;
            c.seq++;
        }
    }
    run_ms(100);
    g_assert_true(g_file_get_contents(file, &text, NULL, NULL));
    g_assert_cmpstr(text, ==, "ping");
    guest_stop(&g);
    g_unlink(file);
    g_rmdir(dir);
}

/* cmd: runs a command for each connection */
static void test_guestfwd_cmd(void)
{
    char *rules[] = { S("tcp:10.0.2.100:1234-cmd:cat"), NULL };
    NetdevUser u = { .guestfwd = rules };
    struct guest g;
    struct conn c;
    g_autoptr(GBytes) b = NULL, e = NULL;
    const uint8_t *r;
    uint8_t f[128], *p;

    guest_start(&g, &u);
    c = (struct conn){ .g = &g, .sport = 41000, .dport = 1234, .seq = 1 };
    for (unsigned step = 0; step < 2; step++) {
        size_t n = step ? 4 : 0;

        p = pkt_ip4(pkt_eth(f, pkt_host_mac, pkt_guest_mac, 0x0800), pkt_guest_ip, (uint8_t[]){ 10, 0, 2, 100 }, 6, 20 + n);
        p = pkt_tcp(p, c.sport, c.dport, c.seq, c.ack, step ? 0x18 : 0x02);
        memcpy(p, "ping", 4);
        pkt_l4_csum(f, 54 + n);
        guest_tx(&g, f, 54 + n);
        if (!step) {
            r = await(&g, is_from_fwd, &c, &b);
            g_assert_cmphex(r[47], ==, 0x12);
            c.ack = ld_be32(r + 38) + 1;
            c.seq++;
        }
    }
    do {
        g_clear_pointer(&e, g_bytes_unref);
        r = await(&g, is_from_fwd, &c, &e);
    } while (ld_be16(r + 16) != 44);
    g_assert_cmpmem(r + 54, 4, "ping", 4);
    guest_stop(&g);
}

/* --- IPv6 ------------------------------------------------------------------------------------------------------------------------ */

static const uint8_t ll[16] = { 0xfe, 0x80, [15] = 0x15 }, guest6[16] = { 0xfe, 0xc0, [15] = 0x15 }, host6[16] = { 0xfe, 0xc0, [15] = 2 };

static bool is_icmp6(const uint8_t *f, size_t len, const void *type)
{
    return ld_be16(f + 12) == 0x86dd && f[20] == 58 && f[54] == *(const uint8_t *)type;
}

static void icmp6_tx(struct guest *g, const uint8_t *dmac, const uint8_t *src, const uint8_t *dst, const uint8_t *body, size_t n)
{
    uint8_t f[200], *p = pkt_ip6(pkt_eth(f, dmac, pkt_guest_mac, 0x86dd), src, dst, 58, n);

    memcpy(p, body, n);
    pkt_l4_csum(f, 54 + n);
    guest_tx(g, f, 54 + n);
}

static void test_ip6(void)
{
    static const uint8_t routers[16] = { 0xff, 2, [15] = 2 }, routers_mac[6] = { 0x33, 0x33, 0, 0, 0, 2 };
    uint8_t rs[8] = { 133 }, echo[16] = { 128, 0, 0, 0, 0, 7, 0, 1, 'd', 'a', 't', 'a' }, na[32] = { 136, 0, 0, 0, 0x60 }, type;
    g_autoptr(GBytes) ra = NULL, reply = NULL, ns = NULL;
    NetdevUser u = { 0 };
    struct guest g;
    const uint8_t *f;

    guest_start(&g, &u);
    icmp6_tx(&g, routers_mac, ll, routers, rs, sizeof(rs));
    type = 134;
    f = await(&g, is_icmp6, &type, &ra);
    g_assert_cmpuint(ld_be16(f + 60), ==, 1800);                /* router lifetime */
    icmp6_tx(&g, (uint8_t[]){ 0x52, 0x56, 0, 0, 0, 2 }, guest6, host6, echo, sizeof(echo));
    type = 135;
    ns = await_ms(&g, is_icmp6, &type, 500);                    /* the stack asks who we are, unless it has learnt it */
    if (ns) {
        memcpy(na + 8, guest6, 16);
        na[24] = 2;
        na[25] = 1;
        memcpy(na + 26, pkt_guest_mac, 6);
        icmp6_tx(&g, (uint8_t[]){ 0x52, 0x56, 0, 0, 0, 2 }, guest6, host6, na, sizeof(na));
        icmp6_tx(&g, (uint8_t[]){ 0x52, 0x56, 0, 0, 0, 2 }, guest6, host6, echo, sizeof(echo));
    }
    type = 129;
    f = await(&g, is_icmp6, &type, &reply);
    g_assert_cmpmem(f + 22, 16, host6, 16);
    g_assert_cmpmem(f + 58, 12, echo + 4, 12);
    guest_stop(&g);
}

static bool is_tcp6(const uint8_t *f, size_t len, const void *arg)
{
    return ld_be16(f + 12) == 0x86dd && f[20] == 6;
}

static void test_tcp6(void)
{
    struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    socklen_t alen = sizeof(a);
    uint8_t na[32] = { 136, 0, 0, 0, 0x60 }, f[128], *p, buf[8];
    g_autoptr(GBytes) b = NULL;
    NetdevUser u = { 0 };
    uint32_t seq = 100, ack = 0;
    struct guest g;
    const uint8_t *r;
    int lfd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), fd;

    if (lfd < 0 || bind(lfd, (struct sockaddr *)&a, sizeof(a)) < 0) {
        g_test_skip("no IPv6 loopback");
        return;
    }
    listen(lfd, 1);
    fcntl(lfd, F_SETFL, O_NONBLOCK);
    getsockname(lfd, (struct sockaddr *)&a, &alen);
    guest_start(&g, &u);
    memcpy(na + 8, guest6, 16);
    na[24] = 2;
    na[25] = 1;
    memcpy(na + 26, pkt_guest_mac, 6);
    icmp6_tx(&g, (uint8_t[]){ 0x52, 0x56, 0, 0, 0, 2 }, guest6, host6, na, sizeof(na));
    for (unsigned step = 0; step < 3; step++) {
        size_t n = step == 2 ? 5 : 0;

        p = pkt_ip6(pkt_eth(f, (uint8_t[]){ 0x52, 0x56, 0, 0, 0, 2 }, pkt_guest_mac, 0x86dd), guest6, host6, 6, 20 + n);
        p = pkt_tcp(p, 42000, ntohs(a.sin6_port), seq, ack, (uint8_t[]){ 0x02, 0x10, 0x18 }[step]);
        memcpy(p, "hello", n);
        pkt_l4_csum(f, 74 + n);
        guest_tx(&g, f, 74 + n);
        if (step == 0) {
            r = await(&g, is_tcp6, NULL, &b);
            g_assert_cmphex(r[67], ==, 0x12);
            ack = ld_be32(r + 58) + 1;
            seq++;
        }
    }
    fd = accept_soon(lfd);
    read_exactly(fd, buf, 5);
    g_assert_cmpmem(buf, 5, "hello", 5);
    close(fd);
    close(lfd);
    guest_stop(&g);
}

/* --- robustness ---------------------------------------------------------------------------------------------------------------------- */

/* Mutated good frames and noise: the stack lives and still answers. */
static void test_noise(void)
{
    NetdevUser u = { 0 };
    g_autoptr(GBytes) offer = NULL;
    g_autoptr(GString) limits = g_string_new(NULL);
    struct guest g;

    guest_start(&g, &u);
    for (unsigned n = 0; n < 30000; n++) {
        uint8_t f[600];
        size_t len = (size_t)g_test_rand_int_range(0, 600);

        for (size_t i = 0; i < sizeof(f); i++) {
            f[i] = (uint8_t)g_test_rand_int();
        }
        memcpy(f, pkt_host_mac, 6);
        switch (n % 4) {
        case 0:
            st_be16(f + 12, 0x0800);
            f[14] = 0x45;
            st_be16(f + 16, (uint16_t)(len > 14 ? len - 14 : 0));
            f[23] = (uint8_t[]){ 1, 6, 17 }[n % 3];
            memcpy(f + 26, pkt_guest_ip, 4);
            memcpy(f + 30, pkt_host_ip, 4);
            csum_ip4_header(f + 14, 20);
            break;
        case 1:
            st_be16(f + 12, 0x86dd);
            f[14] = 0x60;
            st_be16(f + 18, (uint16_t)(len > 54 ? len - 54 : 0));
            f[20] = (uint8_t[]){ 58, 6, 17 }[n % 3];
            memcpy(f + 22, guest6, 16);
            memcpy(f + 38, host6, 16);
            break;
        case 2:
            st_be16(f + 12, 0x0806);
            break;
        default:
            break;
        }
        guest_tx(&g, f, len);
        if (n % 64 == 0) {
            loop_iterate(false);
            g_ptr_array_set_size(g.rx, 0);
        }
    }
    run_ms(5);
    g_ptr_array_set_size(g.rx, 0);
    net_user_print_limits(limits);
    g_assert_true(g_str_has_prefix(limits->str, "u: tcp="));
    g_assert_nonnull(strstr(limits->str, ",ethertype="));
    offer = dhcp(&g, 1, NULL);
    guest_stop(&g);
}

/* 100,000 frames of what costs a stack most: random IPv6 sources, a neighbour that never answers. The machine must not notice. */
static void test_floods(void)
{
    NetdevUser u = { 0 };
    g_autoptr(GBytes) offer = NULL;
    struct guest g;
    int64_t t0;

    guest_start(&g, &u);
    t0 = g_get_monotonic_time();
    for (unsigned n = 0; n < 100000; n++) {
        uint8_t f[128] = { 0 }, src[16] = { 0xfe, 0xc0 }, *p;

        st_be32(src + 12, (uint32_t)g_test_rand_int());
        p = pkt_ip6(pkt_eth(f, (uint8_t[]){ 0x52, 0x56, 0, 0, 0, 2 }, pkt_guest_mac, 0x86dd), src, host6, 17, 46);
        pkt_udp(p, 1000, 2000, 38);
        pkt_l4_csum(f, 100);
        guest_tx(&g, f, 100);
        if (n % 100 == 0) {
            loop_iterate(false);
            g_ptr_array_set_size(g.rx, 0);
        }
    }
    g_test_message("random IPv6 sources: %d ms", (int)((g_get_monotonic_time() - t0) / 1000));
    g_assert_cmpint(g_get_monotonic_time() - t0, <, 5000000);
    t0 = g_get_monotonic_time();
    for (unsigned n = 0; n < 50000; n++) {                      /* never answers ARP */
        struct conn c = { .g = &g, .sport = (uint16_t)n, .dport = 9, .seq = 1000 };

        tcp_tx(&c, 0x02, NULL, 0);
        if (n % 50 == 0) {
            loop_iterate(false);
            g_ptr_array_set_size(g.rx, 0);
        }
    }
    g_test_message("SYNs from an address that does not answer: %d ms", (int)((g_get_monotonic_time() - t0) / 1000));
    g_assert_cmpint(g_get_monotonic_time() - t0, <, 3000000);
    g_ptr_array_set_size(g.rx, 0);
    offer = dhcp(&g, 1, NULL);
    guest_stop(&g);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    loop_init();
    clock_virtual_enable(true);
    g_test_add_func("/user/arp-ping", test_arp_ping);
    g_test_add_func("/user/ping-prohibited", test_ping_prohibited);
    g_test_add_func("/user/dhcp/options", test_dhcp);
    g_test_add_func("/user/dhcp/net-restrict", test_dhcp_net_restrict);
    g_test_add_func("/user/tcp/echo", test_tcp);
    g_test_add_func("/user/tcp/large-frame", test_tcp_large_frame);
    g_test_add_func("/user/tcp/download", test_tcp_download);
    g_test_add_func("/user/tcp/refused", test_tcp_refused);
    g_test_add_func("/user/udp", test_udp);
    g_test_add_func("/user/udp-pause", test_udp_pause);
    g_test_add_func("/user/tftp", test_tftp);
    g_test_add_func("/user/hostfwd/tcp", test_hostfwd_tcp);
    g_test_add_func("/user/hostfwd/unix", test_hostfwd_unix);
    g_test_add_func("/user/hostfwd/texts", test_hostfwd_texts);
    g_test_add_func("/user/config/texts", test_config_texts);
    g_test_add_func("/user/guestfwd", test_guestfwd);
    g_test_add_func("/user/guestfwd-cmd", test_guestfwd_cmd);
    g_test_add_func("/user/tcp/limit", test_tcp_limit);
    g_test_add_func("/user/ip6", test_ip6);
    g_test_add_func("/user/tcp6", test_tcp6);
    g_test_add_func("/user/floods", test_floods);
    g_test_add_func("/user/noise", test_noise);
    return g_test_run();
}
