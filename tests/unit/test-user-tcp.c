/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/test-user-tcp.c - the TCP relay of -netdev user in this process: sockets on loopback at one side, a played guest at the other
 *
 * The guest is a NIC that answers ARP and sorts segments by its own port. Its TCP takes what is in order, and acknowledges when it is told to.
 */
#include "chardev/chardev.h"
#include "core/clock.h"
#include "lib/bits.h"
#include "net/backends/user_int.h"
#include "net/backends/user_tcp.h"
#include "net/info.h"
#include "net/user.h"
#include "pkt.h"
#include "user-rig.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <sys/un.h>
#include <unistd.h>

#define S(x) ((char *)(uintptr_t)(x))

enum { FIN = 0x01, SYN = 0x02, RST = 0x04, PSH = 0x08, ACK = 0x10, CONNS = 600, FIRST_PORT = 20000 };

/* --- the guest ------------------------------------------------------------------------------------------------------------ */

struct conn {
    struct caller *g;
    uint16_t sport, dport;
    uint8_t peer[4];
    uint32_t seq, ack, acked;           /* next to send, next expected, what the other end has acknowledged */
    uint32_t wnd;                       /* that the other end gives us */
    uint16_t our_wnd;                   /* field, scaled by 7 when the SYN said so */
    bool scaled, up, fin, rst, quiet;   /* quiet: acknowledges nothing */
    bool pieces;                        /* sends frames as a NIC with offloads does: checksum open, scattered over memory */
    unsigned segments;
    GByteArray *in;
};

struct caller {
    struct guest end;
    bool mute;                          /* no answer to ARP */
    unsigned asked;                     /* ARP requests */
    struct conn *conn[CONNS];           /* by sport - FIRST_PORT */
    struct conn called;                 /* the last SYN that came */
    unsigned syns;
};

/* As large as it is, in pieces, with the pseudo header's sum in place of the checksum. */
static void tx_pieces(struct caller *g, uint8_t *f, size_t len)
{
    uint16_t sum = csum_fold(csum_pseudo(f + 14, PKT_L3_IP4, 6, (uint32_t)(len - 34)));
    size_t at = 0, step = 40;
    struct frame fr;

    memcpy(f + 50, &sum, 2);
    frame_init(&fr);
    for (; at < len; at += step, step = 3001) {
        step = MIN(step, len - at);
        fr.iov[fr.iovcnt++] = (struct iovec){ f + at, step };
        fr.len += step;
    }
    fr.meta = (struct pkt_meta){ .flags = PKT_NEEDS_CSUM, .csum_start = 34, .csum_off = 16, .gso = len > 1514 ? PKT_GSO_TCP4 : 0, .gso_size = 1460 };
    g_assert_cmpint(nic_send(g->end.nic, &fr), ==, NET_TX_DONE);
}

static void start(struct caller *g, NetdevUser *u)
{
    *g = (struct caller){ 0 };
    guest_start(&g->end, u);
}

static struct user *the_user(void)
{
    return user_of(net_client_find("u"));
}

static unsigned flows(void)
{
    unsigned n = 0;

    if (the_user()->tcp) {
        user_tcp_memory(the_user()->tcp, &n);
    }
    return n;
}

static void send_to(struct conn *c, uint8_t flags, const void *data, size_t n)
{
    g_autofree uint8_t *f = g_malloc0(80 + n);
    size_t opt = flags & SYN && c->scaled ? 8 : 0;
    uint8_t *t = pkt_ip4(pkt_eth(f, pkt_host_mac, pkt_guest_mac, 0x0800), pkt_guest_ip, c->peer, 6, 20 + opt + n);

    pkt_tcp(t, c->sport, c->dport, c->seq, flags & ACK ? c->ack : 0, flags);
    t[12] = (uint8_t)((20 + opt) / 4 << 4);
    st_be16(t + 14, c->our_wnd);
    if (opt) {
        memcpy(t + 20, (uint8_t[]){ 2, 4, 0x05, 0xB4, 1, 3, 3, 7 }, 8);
    }
    if (n) {
        memcpy(t + 20 + opt, data, n);
    }
    pkt_l4_csum(f, 54 + opt + n);
    if (c->pieces && n) {
        tx_pieces(c->g, f, 54 + n);
    } else {
        guest_tx(&c->g->end, f, 54 + opt + n);
    }
    c->seq += (uint32_t)n + !!(flags & (SYN | FIN));
}

static void answer_arp(struct caller *g, const uint8_t *f)
{
    uint8_t out[60] = { 0 };

    if (ld_be16(f + 20) != 1 || memcmp(f + 38, pkt_guest_ip, 4)) {
        return;
    }
    g->asked++;
    if (g->mute) {
        return;
    }
    pkt_eth(out, f + 6, pkt_guest_mac, 0x0806);
    memcpy(out + 14, (uint8_t[]){ 0, 1, 8, 0, 6, 4, 0, 2 }, 8);
    memcpy(out + 22, pkt_guest_mac, 6);
    memcpy(out + 28, pkt_guest_ip, 4);
    memcpy(out + 32, f + 22, 10);
    guest_tx(&g->end, out, sizeof(out));
}

static void segment(struct caller *g, const uint8_t *f, size_t len)
{
    struct pkt_layout l;
    struct conn *c;
    struct tcp_key key;
    struct tcp_seg s;
    unsigned slot;

    pkt_parse(f, len, len, &l);
    if (l.l4 != PKT_L4_TCP || l.l3 != PKT_L3_IP4) {
        return;
    }
    tcp_wire_parse(f, &l, &key, &s);                            /* of a frame to us: guest and world change places */
    if ((s.flags & (SYN | ACK)) == SYN) {
        g->syns++;
        g->called = (struct conn){ .g = g, .sport = key.world_port, .dport = key.guest_port, .ack = s.seq + 1 };
        memcpy(g->called.peer, f + 26, 4);
        return;
    }
    slot = key.world_port - FIRST_PORT;
    c = slot < CONNS ? g->conn[slot] : NULL;
    if (!c || key.guest_port != c->dport) {
        return;
    }
    c->segments++;
    c->rst = c->rst || s.flags & RST;
    c->acked = s.ack;
    c->wnd = (uint32_t)s.wnd << (c->up && c->scaled ? TCP_WSCALE : 0);
    if (s.flags & SYN) {
        c->ack = s.seq + 1;
        c->up = true;
        send_to(c, ACK, NULL, 0);
        return;
    }
    if (s.seq == c->ack && !c->quiet) {
        if (s.len) {
            g_byte_array_append(c->in, f + l.payload_off, s.len);
        }
        c->ack += s.len + !!(s.flags & FIN);
        c->fin = c->fin || s.flags & FIN;
    }
    if ((s.len || s.flags & FIN) && !c->quiet && !(s.flags & RST)) {
        send_to(c, ACK, NULL, 0);
    }
}

/* One round of the main loop, and what it brought. */
static void pump(struct caller *g)
{
    if (!loop_iterate(false)) {
        g_usleep(200);
    }
    while (g->end.rx->len) {
        GBytes *b = g_ptr_array_steal_index(g->end.rx, 0);
        size_t len;
        const uint8_t *f = g_bytes_get_data(b, &len);

        if (ld_be16(f + 12) == 0x0806) {
            answer_arp(g, f);
        } else {
            segment(g, f, len);
        }
        g_bytes_unref(b);
    }
}

static bool in_time(int64_t end)
{
    g_assert_cmpint(g_get_monotonic_time(), <, end);
    return true;
}

/* Do the next statement until a condition holds, 20 s at most. */
#define waiting_for(cond) for (int64_t end_ = g_get_monotonic_time() + 20000000; !(cond) && in_time(end_);)
#define until(g, cond) waiting_for(cond) { pump(g); }

static void run_ms(struct caller *g, int ms)
{
    for (int64_t end = g_get_monotonic_time() + ms * 1000; g_get_monotonic_time() < end;) {
        pump(g);
    }
}

static void conn_init(struct conn *c, struct caller *g, unsigned slot, uint16_t port, bool scaled)
{
    *c = (struct conn){ .g = g, .sport = (uint16_t)(FIRST_PORT + slot), .dport = port, .seq = 0xFFFFF000u + slot * 77, .our_wnd = 65535,
                        .scaled = scaled, .in = g_byte_array_new() };
    memcpy(c->peer, pkt_host_ip, 4);
    g->conn[slot] = c;
}

static void conn_fini(struct conn *c)
{
    c->g->conn[c->sport - FIRST_PORT] = NULL;
    g_byte_array_free(c->in, TRUE);
}

static void dial(struct conn *c, struct caller *g, unsigned slot, uint16_t port, bool scaled)
{
    conn_init(c, g, slot, port, scaled);
    send_to(c, SYN, NULL, 0);
    until(g, c->up);
}

static void to_blocking(int fd, bool on)
{
    fcntl(fd, F_SETFL, on ? 0 : O_NONBLOCK);
}

static int listen_any(uint16_t *port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_assert_cmpint(bind(fd, (struct sockaddr *)&a, sizeof(a)), ==, 0);
    g_assert_cmpint(listen(fd, 512), ==, 0);
    getsockname(fd, (struct sockaddr *)&a, &len);
    to_blocking(fd, false);
    *port = ntohs(a.sin_port);
    return fd;
}

static int accept_soon(struct caller *g, int lfd)
{
    int fd = -1;

    until(g, (fd = accept(lfd, NULL, NULL)) >= 0);
    to_blocking(fd, false);
    return fd;
}

/* Read until @want bytes are there, or (want 0) until the end. */
static GByteArray *host_reads(struct caller *g, int fd, size_t want)
{
    GByteArray *a = g_byte_array_new();
    uint8_t buf[4096];

    for (;;) {
        ssize_t n = read(fd, buf, want ? MIN(sizeof(buf), want - a->len) : sizeof(buf));

        if (n > 0) {
            g_byte_array_append(a, buf, (guint)n);
        } else if (n == 0) {
            return a;
        } else {
            g_assert_cmpint(errno, ==, EAGAIN);
            pump(g);
        }
        if (want && a->len == want) {
            return a;
        }
    }
}

static void assert_reads(struct caller *g, int fd, const char *text)
{
    GByteArray *a = host_reads(g, fd, strlen(text));

    g_assert_cmpmem(a->data, a->len, text, strlen(text));
    g_byte_array_free(a, TRUE);
}

/* All that the relay had is gone, but for the list of what was just closed. */
static void assert_empty(struct caller *g)
{
    unsigned n;

    until(g, the_user()->air.tcp_flows == 0);
    until(g, (user_tcp_memory(the_user()->tcp, &n), the_user()->tcp->time_waits.length == n));
    g_assert_cmpuint(the_user()->tcp->active.length + the_user()->tcp->blocked.length, ==, 0);
}

/* --- opening, closing ------------------------------------------------------------------------------------------------------- */

static void test_half_close_guest_first(void)
{
    NetdevUser u = { 0 };
    struct caller g;
    struct conn c;
    uint16_t port;
    int lfd = listen_any(&port), fd;
    GByteArray *all;

    start(&g, &u);
    dial(&c, &g, 0, port, true);
    fd = accept_soon(&g, lfd);
    send_to(&c, ACK | PSH | FIN, "question", 8);
    all = host_reads(&g, fd, 0);                                /* to the end */
    g_assert_cmpmem(all->data, all->len, "question", 8);
    g_byte_array_free(all, TRUE);
    g_assert_cmpint(write(fd, "a late answer", 13), ==, 13);
    until(&g, c.in->len == 13);
    g_assert_cmpmem(c.in->data, c.in->len, "a late answer", 13);
    g_assert_false(c.fin);
    close(fd);
    until(&g, c.fin);
    assert_empty(&g);
    g_assert_cmpuint(flows(), ==, 0);                           /* the guest waits, not we */
    g_assert_false(c.rst);
    conn_fini(&c);
    guest_stop(&g.end);
    close(lfd);
}

static void test_half_close_host_first(void)
{
    NetdevUser u = { 0 };
    struct caller g;
    struct conn c, again;
    uint16_t port;
    int lfd = listen_any(&port), fd;
    GByteArray *all;

    start(&g, &u);
    dial(&c, &g, 0, port, true);
    fd = accept_soon(&g, lfd);
    g_assert_cmpint(write(fd, "all I have", 10), ==, 10);
    shutdown(fd, SHUT_WR);
    until(&g, c.fin);
    g_assert_cmpmem(c.in->data, c.in->len, "all I have", 10);
    send_to(&c, ACK | PSH, "thanks", 6);
    run_ms(&g, 20);
    send_to(&c, ACK | FIN, NULL, 0);
    all = host_reads(&g, fd, 0);
    g_assert_cmpmem(all->data, all->len, "thanks", 6);
    g_byte_array_free(all, TRUE);
    assert_empty(&g);
    g_assert_cmpuint(flows(), ==, 1);
    g_assert_cmpuint(the_user()->tcp->time_waits.length, ==, 1);
    close(fd);

    conn_fini(&c);                                              /* the same ports at once: RFC 9293 3.6.1 */
    dial(&again, &g, 0, port, true);
    fd = accept_soon(&g, lfd);
    send_to(&again, ACK | PSH, "second", 6);
    assert_reads(&g, fd, "second");
    g_assert_cmpuint(flows(), ==, 1);
    close(fd);
    conn_fini(&again);
    guest_stop(&g.end);
    close(lfd);
}

static void test_reset_by_guest(void)
{
    NetdevUser u = { 0 };
    struct caller g;
    struct conn c;
    uint16_t port;
    char buf[8];
    int lfd = listen_any(&port), fd;

    start(&g, &u);
    dial(&c, &g, 0, port, false);
    fd = accept_soon(&g, lfd);
    send_to(&c, RST, NULL, 0);
    assert_empty(&g);
    g_assert_cmpuint(flows(), ==, 0);
    g_assert_cmpint(read(fd, buf, sizeof(buf)), ==, -1);
    g_assert_cmpint(errno, ==, ECONNRESET);
    close(fd);
    conn_fini(&c);
    guest_stop(&g.end);
    close(lfd);
}

static void test_reset_by_host(void)
{
    struct linger now = { .l_onoff = 1 };
    NetdevUser u = { 0 };
    struct caller g;
    struct conn c;
    uint16_t port;
    int lfd = listen_any(&port), fd;

    start(&g, &u);
    for (unsigned half = 0; half < 2; half++) {                 /* also when the relay has read all it will ever read */
        dial(&c, &g, half, port, true);
        fd = accept_soon(&g, lfd);
        if (half) {
            shutdown(fd, SHUT_WR);
            until(&g, c.fin);
        }
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
        close(fd);
        until(&g, c.rst);
        assert_empty(&g);
        conn_fini(&c);
    }
    g_assert_cmpuint(flows(), ==, 0);
    guest_stop(&g.end);
    close(lfd);
}

static void test_refused(void)
{
    NetdevUser u = { 0 };
    struct caller g;
    struct conn c;
    uint16_t port;

    start(&g, &u);
    close(listen_any(&port));
    conn_init(&c, &g, 0, port, true);
    send_to(&c, SYN, NULL, 0);
    g_assert_cmpuint(g.end.rx->len, ==, 0);                         /* never from inside our own send */
    until(&g, c.rst);
    g_assert_cmpuint(c.acked, ==, c.seq);                       /* RFC 9293 3.10.7.1: or the guest would not believe it */
    assert_empty(&g);
    conn_fini(&c);
    guest_stop(&g.end);
}

/* RFC 9293 3.1: a segment with a wrong checksum is none */
static void test_checksum(void)
{
    NetdevUser u = { 0 };
    struct caller g;
    struct conn c;
    uint16_t port;
    uint8_t f[60] = { 0 }, *t;
    int lfd = listen_any(&port), fd;
    g_autoptr(GString) info = g_string_new(NULL);

    start(&g, &u);
    dial(&c, &g, 0, port, false);
    fd = accept_soon(&g, lfd);
    t = pkt_ip4(pkt_eth(f, pkt_host_mac, pkt_guest_mac, 0x0800), pkt_guest_ip, pkt_host_ip, 6, 24);
    memcpy(pkt_tcp(t, c.sport, c.dport, c.seq, c.ack, ACK), "evil", 4);
    pkt_l4_csum(f, 58);
    t[20] ^= 1;
    guest_tx(&g.end, f, 58);
    send_to(&c, ACK, "good", 4);
    assert_reads(&g, fd, "good");
    g_assert_cmpuint(the_user()->tcp->drops[TCP_DROP_CHECKSUM], ==, 1);
    close(fd);
    conn_fini(&c);
    guest_stop(&g.end);
    close(lfd);
}

/* --- bulk --------------------------------------------------------------------------------------------------------------------- */

static uint8_t byte_at(size_t i)
{
    return (uint8_t)(i ^ i >> 8 ^ i >> 16 ^ i * 5 >> 3);
}

/* To a guest that is now and then full; large frames when it takes them, and then more in flight than 64 KiB. */
static void download(uint32_t caps, bool scaled)
{
    enum { N = 3 << 20 };
    NetdevUser u = { 0 };
    struct caller g;
    struct conn c;
    uint16_t port;
    size_t sent = 0;
    unsigned n = 0;
    g_autofree uint8_t *data = g_malloc(N);
    int lfd = listen_any(&port), fd;

    for (size_t i = 0; i < N; i++) {
        data[i] = byte_at(i);
    }
    start(&g, &u);
    g.end.caps = caps;
    dial(&c, &g, 0, port, scaled);
    fd = accept_soon(&g, lfd);
    waiting_for(c.in->len == N && c.fin) {
        ssize_t r = sent < N ? write(fd, data + sent, N - sent) : 0;

        sent += r > 0 ? (size_t)r : 0;
        if (sent == N && fd >= 0) {
            shutdown(fd, SHUT_WR);
        }
        if (n++ % 64 == 50) {
            g.end.full = true;
            for (unsigned i = 0; i < 20; i++) {
                loop_iterate(false);
            }
            g.end.full = false;
            nic_rx_ready(g.end.nic);
        }
        pump(&g);
    }
    g_assert_cmpmem(c.in->data, c.in->len, data, N);
    g_assert_cmpuint(nic_client(g.end.nic)->stats.drops[NET_DROP_QUEUE_FULL], ==, 0);
    g_assert_cmpuint(g.end.largest, >=, caps ? 50000 : 1514);
    g_assert_cmpuint(g.end.largest, <=, caps ? 65549 : 1514);
    close(fd);
    conn_fini(&c);
    guest_stop(&g.end);
    close(lfd);
}

static void test_download(void)
{
    download(0, true);
    download(PKT_CAP_CSUM | PKT_CAP_TSO4, true);
    download(PKT_CAP_CSUM | PKT_CAP_TSO4, false);
}

/* A guest that acknowledges nothing gets what its window permits, once, and the relay's memory has its bound. */
static void test_download_bound(void)
{
    NetdevUser u = { 0 };
    struct caller g;
    struct conn c;
    uint16_t port;
    g_autofree uint8_t *data = g_malloc0(1 << 20);
    size_t most = 0, put = 0;
    unsigned n;
    int lfd = listen_any(&port), fd;

    start(&g, &u);
    g.end.caps = PKT_CAP_CSUM | PKT_CAP_TSO4;
    dial(&c, &g, 0, port, true);
    fd = accept_soon(&g, lfd);
    for (int i = 0; i < 100; i++) {                             /* grows */
        ssize_t r = write(fd, data, 1 << 20);

        put += r > 0 ? (size_t)r : 0;
        pump(&g);
    }
    c.quiet = true;
    for (int i = 0; i < 100; i++) {
        ssize_t r = write(fd, data, 1 << 20);

        put += r > 0 ? (size_t)r : 0;
        pump(&g);
        most = MAX(most, user_tcp_memory(the_user()->tcp, &n));
    }
    g_assert_cmpuint(most, >=, 256 * 1024);
    g_assert_cmpuint(most, <=, TCP_TX_MAX);
    c.quiet = false;
    send_to(&c, ACK, NULL, 0);
    until(&g, c.in->len == put);                                /* after the time-out */
    close(fd);
    conn_fini(&c);
    guest_stop(&g.end);
    close(lfd);
}

/* To a host that reads slowly: the window closes and opens again, nothing is lost; in large frames and in small ones. */
static void upload(size_t piece, bool pieces)
{
    enum { N = 6 << 20 };
    NetdevUser u = { 0 };
    struct caller g;
    struct conn c;
    uint16_t port;
    g_autofree uint8_t *data = g_malloc(N), *got = g_malloc(N);
    size_t sent = 0, have = 0;
    uint32_t least = UINT32_MAX, first;
    unsigned idle = 0;
    int lfd = listen_any(&port), fd;

    for (size_t i = 0; i < N; i++) {
        data[i] = byte_at(i);
    }
    start(&g, &u);
    dial(&c, &g, 0, port, true);
    c.pieces = pieces;
    run_ms(&g, 5);
    first = c.seq;
    fd = accept_soon(&g, lfd);
    waiting_for(have == N) {
        size_t room = c.acked + c.wnd - c.seq, n = MIN(MIN(piece, N - sent), (int32_t)room > 0 ? room : 0);

        if (n) {
            send_to(&c, ACK, data + sent, n);
            sent += n;
            idle = 0;
        } else {
            idle++;
        }
        least = MIN(least, c.wnd);
        if (have || sent == N || idle > 20) {                   /* the host begins late: the window has to close first */
            ssize_t r = read(fd, got + have, MIN(50000, N - have));

            have += r > 0 ? (size_t)r : 0;
        }
        pump(&g);
    }
    g_assert_cmpuint(c.acked - first, ==, N);
    g_assert_cmpuint(least, <, 100000);
    g_assert_cmpmem(got, N, data, N);
    close(fd);
    conn_fini(&c);
    guest_stop(&g.end);
    close(lfd);
}

static void test_upload(void)
{
    upload(60000, false);
    upload(1460, false);
    upload(60000, true);
    upload(1460, true);
}

/* Hundreds at once, each with a few bytes both ways; afterwards nothing is left. */
static void test_many(void)
{
    enum { N = 400 };
    NetdevUser u = { 0 };
    struct caller g;
    uint16_t port;
    g_autofree struct conn *c = g_new0(struct conn, N);
    int lfd = listen_any(&port), fd[N];
    unsigned n;

    start(&g, &u);
    for (unsigned i = 0; i < N; i++) {
        dial(&c[i], &g, i, port, i & 1);
        fd[i] = accept_soon(&g, lfd);
    }
    g_assert_cmpuint(flows(), ==, N);
    g_assert_cmpuint(the_user()->air.tcp_flows, ==, N);
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < N; i++) {
            send_to(&c[i], ACK | PSH, "ping", 4);
            g_assert_cmpint(write(fd[i], "pong!", 5), ==, 5);
        }
        for (unsigned i = 0; i < N; i++) {
            assert_reads(&g, fd[i], "ping");
            until(&g, c[i].in->len == 5 * (round + 1));
        }
    }
    run_ms(&g, 5);                                              /* the last acknowledgements */
    g_assert_cmpuint(user_tcp_memory(the_user()->tcp, &n), <=, TCP_MEMORY_EASY);
    for (unsigned i = 0; i < N; i++) {
        close(fd[i]);
    }
    for (unsigned i = 0; i < N; i++) {
        until(&g, c[i].fin);
        send_to(&c[i], ACK | FIN, NULL, 0);
    }
    assert_empty(&g);
    for (unsigned i = 0; i < N; i++) {
        conn_fini(&c[i]);
    }
    guest_stop(&g.end);
    close(lfd);
}

/* netdev_del while bytes fly both ways: the host hears of it, nothing else happens. */
static void test_delete(void)
{
    NetdevUser u = { 0 };
    struct caller g;
    struct conn c;
    uint16_t port;
    char buf[65536] = { 0 };
    int lfd = listen_any(&port), fd;
    ssize_t n;

    start(&g, &u);
    dial(&c, &g, 0, port, true);
    fd = accept_soon(&g, lfd);
    for (unsigned i = 0; i < 30; i++) {
        n = write(fd, buf, sizeof(buf));
        send_to(&c, ACK, buf, 1000);
        g.end.full = i > 20;
        pump(&g);
    }
    g_assert_cmpuint(the_user()->tcp->blocked.length, ==, 1);   /* in the middle of it */
    g_assert_true(netdev_del("u", NULL));
    do {
        n = read(fd, buf, sizeof(buf));
    } while (n > 0);
    g_assert_true(n == 0 || errno == ECONNRESET);
    close(fd);
    conn_fini(&c);
    nic_free(g.end.nic);
    g_ptr_array_free(g.end.rx, TRUE);
    close(lfd);
}

/* --- whose it is ----------------------------------------------------------------------------------------------------------------- */

static void assert_not_ours(struct caller *g, const uint8_t *dst, uint16_t port)
{
    struct conn c;

    conn_init(&c, g, 0, port, true);
    memcpy(c.peer, dst, 4);
    send_to(&c, SYN, NULL, 0);
    g_assert_cmpuint(flows(), ==, 0);
    run_ms(g, 5);
    conn_fini(&c);
}

static void test_whose(void)
{
    static const uint8_t dns[4] = { 10, 0, 2, 3 }, fwd[4] = { 10, 0, 2, 100 }, all[4] = { 255, 255, 255, 255 }, fourth[4] = { 10, 0, 2, 4 };
    char *rules[] = { S("tcp:10.0.2.100:1234-null"), NULL };
    NetdevUser u = { .guestfwd = rules }, restricted = { .has_restrict = true, .q_restrict = true }, off = { .has_fast_tcp = true };
    struct caller g;
    struct conn c;
    uint16_t port;
    int lfd = listen_any(&port), fd;

    start(&g, &u);
    assert_not_ours(&g, dns, 53);
    assert_not_ours(&g, fwd, 1234);
    assert_not_ours(&g, all, 80);
    conn_init(&c, &g, 1, port, true);                           /* what nobody knows is libslirp's: a reset */
    send_to(&c, ACK | PSH, "x", 1);
    g_assert_cmpuint(flows(), ==, 0);
    until(&g, c.rst);
    conn_fini(&c);
    conn_init(&c, &g, 2, port, true);                           /* other addresses of the network are this host, as with libslirp */
    memcpy(c.peer, fourth, 4);
    send_to(&c, SYN, NULL, 0);
    until(&g, c.up);
    g_assert_cmpuint(flows(), ==, 1);
    close(accept_soon(&g, lfd));
    conn_fini(&c);
    guest_stop(&g.end);

    start(&g, &restricted);
    g_assert_null(the_user()->tcp);
    assert_not_ours(&g, pkt_host_ip, port);
    guest_stop(&g.end);

    start(&g, &off);
    g_assert_null(the_user()->tcp);
    dial(&c, &g, 0, port, true);
    fd = accept_soon(&g, lfd);
    send_to(&c, ACK | PSH, "by libslirp", 11);
    assert_reads(&g, fd, "by libslirp");
    close(fd);
    conn_fini(&c);
    guest_stop(&g.end);
    close(lfd);
}

static void test_limit(void)
{
    NetdevUser u = { 0 };
    struct caller g;
    struct conn c[4];
    uint16_t port;
    int lfd = listen_any(&port);

    start(&g, &u);
    the_user()->air.tcp_limit = 3;
    for (unsigned i = 0; i < 3; i++) {
        dial(&c[i], &g, i, port, true);
    }
    conn_init(&c[3], &g, 3, port, true);
    send_to(&c[3], SYN, NULL, 0);
    until(&g, c[3].rst);
    send_to(&c[0], RST, NULL, 0);
    until(&g, the_user()->air.tcp_flows == 2);
    conn_fini(&c[3]);
    dial(&c[3], &g, 4, port, true);
    for (unsigned i = 0; i < 4; i++) {
        conn_fini(&c[i]);
    }
    guest_stop(&g.end);
    close(lfd);
}

/* --- from the host to the guest ----------------------------------------------------------------------------------------------------- */

static int connect_unix(const char *path)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_strlcpy(a.sun_path, path, sizeof(a.sun_path));
    g_assert_cmpint(connect(fd, (struct sockaddr *)&a, sizeof(a)), ==, 0);
    to_blocking(fd, false);
    return fd;
}

static int connect_inet(uint16_t port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_assert_cmpint(connect(fd, (struct sockaddr *)&a, sizeof(a)), ==, 0);
    to_blocking(fd, false);
    return fd;
}

/* The guest takes the call (the SYN is in g->called), both say a word, the host hangs up. */
static void conversation(struct caller *g, int fd, uint16_t port)
{
    struct conn c = g->called;

    g_assert_cmpuint(c.sport, ==, port);
    g_assert_cmpmem(c.peer, 4, pkt_host_ip, 4);
    c.in = g_byte_array_new();
    c.our_wnd = 65535;
    c.scaled = true;
    c.seq = 900;
    g->conn[port - FIRST_PORT] = &c;
    send_to(&c, SYN | ACK, NULL, 0);
    c.up = true;
    until(g, c.acked == 901);
    send_to(&c, ACK | PSH, "banner", 6);
    assert_reads(g, fd, "banner");
    g_assert_cmpint(write(fd, "login", 5), ==, 5);
    until(g, c.in->len == 5);
    close(fd);
    until(g, c.fin);
    send_to(&c, ACK | FIN, NULL, 0);
    assert_empty(g);
    conn_fini(&c);
}

static void test_hostfwd(void)
{
    g_autofree char *dir = g_dir_make_tmp("fwd-XXXXXX", NULL), *path = g_build_filename(dir, "a.sock", NULL);
    g_autofree char *rule = g_strdup_printf("unix:%s-:%u", path, FIRST_PORT + 1), *rm = g_strdup_printf("unix:%s", path), *got = NULL;
    struct sockaddr_in a = { 0 };
    socklen_t len = sizeof(a);
    g_autofree char *rule2 = g_strdup_printf("tcp:127.0.0.1:0-:%u", FIRST_PORT);
    g_autoptr(GString) info = g_string_new(NULL);
    NetdevUser u = { 0 };
    struct caller g;
    uint16_t port;
    int fd;

    start(&g, &u);
    g_assert_true(net_hostfwd_add("u", rule2, NULL));
    g_assert_true(net_hostfwd_add("u", rule, NULL));
    g_assert_cmpuint(the_user()->tcp->listeners->len, ==, 2);
    getsockname(((struct tcp_listener *)the_user()->tcp->listeners->pdata[0])->s.fd, (struct sockaddr *)&a, &len);
    port = ntohs(a.sin_port);

    g.mute = true;                                              /* the guest is not up yet */
    fd = connect_inet(port);
    until(&g, g.asked >= 2);                                    /* asked again with each SYN */
    g_assert_cmpuint(g.syns, ==, 0);
    g.mute = false;
    until(&g, g.syns);                                          /* the answer sends the SYN */
    net_user_print_info(info);
    g_assert_nonnull(strstr(info->str, "  TCP[SYN_SENT] "));
    g_assert_nonnull(strstr(info->str, "  TCP[HOST_FORWARD] "));
    g_assert_nonnull(strstr(info->str, path));
    conversation(&g, fd, FIRST_PORT);

    g.syns = g.asked = 0;
    fd = connect_unix(path);
    until(&g, g.syns);
    g_assert_cmpuint(g.asked, ==, 0);                           /* known by now */
    conversation(&g, fd, FIRST_PORT + 1);
    g_assert_true(net_hostfwd_remove("u", rm, &got, NULL));
    g_assert_true(g_str_has_suffix(got, " removed"));
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    g_clear_pointer(&got, g_free);
    g_free(g_steal_pointer(&rm));
    rm = g_strdup_printf("tcp:127.0.0.1:%u", port);
    g_assert_true(net_hostfwd_remove("u", rm, &got, NULL));     /* by the port that the system chose */
    g_assert_true(g_str_has_suffix(got, " removed"));
    g_assert_cmpuint(the_user()->tcp->listeners->len, ==, 0);
    guest_stop(&g.end);
    g_rmdir(dir);
}

/* The guest refuses: the host's connection is reset. */
static void test_hostfwd_refused(void)
{
    struct sockaddr_in a = { 0 };
    socklen_t len = sizeof(a);
    NetdevUser u = { 0 };
    struct caller g;
    struct conn c;
    char buf[8];
    int fd;

    start(&g, &u);
    g_assert_true(net_hostfwd_add("u", "tcp:127.0.0.1:0-:20005", NULL));
    getsockname(((struct tcp_listener *)the_user()->tcp->listeners->pdata[0])->s.fd, (struct sockaddr *)&a, &len);
    fd = connect_inet(ntohs(a.sin_port));
    until(&g, g.syns);
    c = g.called;
    send_to(&c, RST | ACK, NULL, 0);
    assert_empty(&g);
    g_assert_cmpint(read(fd, buf, sizeof(buf)), ==, -1);
    g_assert_cmpint(errno, ==, ECONNRESET);
    close(fd);
    guest_stop(&g.end);
}

/* --- robustness --------------------------------------------------------------------------------------------------------------------- */

/* Segments of every kind for connections that exist: nothing breaks, memory keeps its bounds, and a sound one still works. */
static void test_noise(void)
{
    NetdevUser u = { 0 };
    struct caller g;
    struct conn c[8];
    uint16_t port;
    g_autofree uint8_t *f = g_malloc0(4096);
    unsigned n;
    int lfd = listen_any(&port), fd;

    start(&g, &u);
    for (unsigned i = 0; i < 8; i++) {
        dial(&c[i], &g, i, port, i & 1);
    }
    for (unsigned i = 0; i < 60000; i++) {
        struct conn *x = &c[i % 7];
        size_t len = (size_t)g_test_rand_int_range(0, i % 3 ? 40 : 1500);
        uint8_t *t = pkt_ip4(pkt_eth(f, pkt_host_mac, pkt_guest_mac, 0x0800), pkt_guest_ip, pkt_host_ip, 6, 20 + len);
        int off = g_test_rand_int_range(0, 8) ? g_test_rand_int_range(-2000, 200000) : g_test_rand_int();

        pkt_tcp(t, x->sport, x->dport, x->seq + (uint32_t)off * (i & 1), x->ack + (uint32_t)off * (i >> 1 & 1),
                (uint8_t)(g_test_rand_int() & (i % 5 ? 0x1B : 0xFF)));
        st_be16(t + 14, (uint16_t)g_test_rand_int());
        pkt_l4_csum(f, 54 + len);
        guest_tx(&g.end, f, 54 + len);
        if (i % 16 == 0) {
            loop_iterate(false);
            g_ptr_array_set_size(g.end.rx, 0);
        }
        g_assert_cmpuint(user_tcp_memory(the_user()->tcp, &n), <=, TCP_MEMORY);
    }
    g_ptr_array_set_size(g.end.rx, 0);
    for (unsigned i = 0; i < 8; i++) {
        conn_fini(&c[i]);
    }
    while ((fd = accept(lfd, NULL, NULL)) >= 0) {
        close(fd);
    }
    dial(&c[0], &g, 99, port, true);
    fd = accept_soon(&g, lfd);
    send_to(&c[0], ACK | PSH, "still here", 10);
    assert_reads(&g, fd, "still here");
    close(fd);
    conn_fini(&c[0]);
    guest_stop(&g.end);
    close(lfd);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    loop_init();
    clock_virtual_enable(true);
    g_test_add_func("/user-tcp/half-close/guest-first", test_half_close_guest_first);
    g_test_add_func("/user-tcp/half-close/host-first", test_half_close_host_first);
    g_test_add_func("/user-tcp/reset/by-guest", test_reset_by_guest);
    g_test_add_func("/user-tcp/reset/by-host", test_reset_by_host);
    g_test_add_func("/user-tcp/refused", test_refused);
    g_test_add_func("/user-tcp/checksum", test_checksum);
    g_test_add_func("/user-tcp/download", test_download);
    g_test_add_func("/user-tcp/download-bound", test_download_bound);
    g_test_add_func("/user-tcp/upload", test_upload);
    g_test_add_func("/user-tcp/many", test_many);
    g_test_add_func("/user-tcp/delete", test_delete);
    g_test_add_func("/user-tcp/whose", test_whose);
    g_test_add_func("/user-tcp/limit", test_limit);
    g_test_add_func("/user-tcp/hostfwd", test_hostfwd);
    g_test_add_func("/user-tcp/hostfwd-refused", test_hostfwd_refused);
    g_test_add_func("/user-tcp/noise", test_noise);
    return g_test_run();
}
