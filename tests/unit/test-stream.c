/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/unit/test-stream.c - -netdev stream: every kind of socket, what is told about it, hostile and slow peers, coming and going */
#include "wire-rig.h"
#include "core/channel.h"
#include "lib/bits.h"
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/stat.h>
#include <time.h>

static char *dir;

static char *at(const char *name)
{
    return g_strdup_printf("%s/%s", dir, name);
}

/* A server on a UNIX socket, and a peer that has connected to it. */
static struct bench *server_new(int *peer)
{
    g_autofree char *path = at("s"), *opts = g_strdup_printf("stream,id=st0,server=on,addr.type=unix,addr.path=%s", path);
    struct bench *b = bench_new(opts);

    g_assert_true(info_is(b, "listening"));
    if (peer) {
        unsigned had = events_of("NETDEV_STREAM_CONNECTED");

        *peer = peer_connect_unix(path);
        WAIT(events_of("NETDEV_STREAM_CONNECTED") > had);
    }
    return b;
}

/* --- the kinds of sockets ---------------------------------------------------------------------------------------- */

static void both_ways(struct bench *a, struct bench *b)
{
    static const size_t sizes[] = { 18, 60, 1514, 9014, 65535, FRAME_MAX };
    unsigned na = a->got, nb = b->got;

    WAIT(a->link && b->link);
    for (unsigned i = 0; i < ARRAY_LEN(sizes); i++) {
        g_assert_cmpint(bench_send(a, i, sizes[i]), ==, NET_TX_DONE);
        g_assert_cmpint(bench_send(b, 100 + i, sizes[i]), ==, NET_TX_DONE);
        WAIT(a->got == na + i + 1 && b->got == nb + i + 1);
        bench_check(b, nb + i, i, sizes[i]);
        bench_check(a, na + i, 100 + i, sizes[i]);
    }
}

static void test_unix(void)
{
    g_autofree char *path = at("u"), *s = g_strdup_printf("stream,id=srv,server=on,addr.type=unix,addr.path=%s", path);
    g_autofree char *c = g_strdup_printf("stream,id=cli,server=off,addr.type=unix,addr.path=%s", path);
    g_autofree char *text = g_strdup_printf("unix:%s", path), *event = NULL;
    struct bench *a = bench_new(s), *b;
    struct stat st;

    g_assert_false(a->link);
    b = bench_new(c);
    WAIT(a->link && b->link);
    g_assert_true(info_is(a, text) && info_is(b, text));
    event = g_strdup_printf("NETDEV_STREAM_CONNECTED {\"netdev-id\": \"srv\", \"addr\": {\"path\": \"%s\", \"type\": \"unix\"}}", path);
    g_assert_cmpstr(last_event("NETDEV_STREAM_CONNECTED {\"netdev-id\": \"srv\""), ==, event);
    both_ways(a, b);
    bench_free(b);
    WAIT(!a->link);
    g_assert_true(info_is(a, "listening"));
    g_assert_cmpstr(last_event("NETDEV_STREAM_DISC"), ==, "NETDEV_STREAM_DISCONNECTED {\"netdev-id\": \"srv\"}");
    b = bench_new(c);
    both_ways(a, b);
    bench_free(a);
    WAIT(!b->link);
    g_assert_true(g_str_has_prefix(b->c->info->str, "disconnected"));
    bench_free(b);
    g_assert_cmpint(lstat(path, &st), <, 0);        /* removed by its maker */
}

static void test_unix_abstract(void)
{
    g_autofree char *s = g_strdup_printf("stream,id=srv,server=on,addr.type=unix,addr.path=patchbay-%d,addr.abstract=on", getpid());
    g_autofree char *c = g_strdup_printf("stream,id=cli,addr.type=unix,addr.path=patchbay-%d,abstract=on", getpid());
    g_autofree char *text = g_strdup_printf("unix:patchbay-%d", getpid()), *event = NULL;
    struct bench *a = bench_new(s), *b = bench_new(c);

    both_ways(a, b);
    g_assert_true(info_is(a, text) && info_is(b, text));
    event = g_strdup_printf("NETDEV_STREAM_CONNECTED {\"netdev-id\": \"cli\", \"addr\": {\"path\": \"patchbay-%d\", \"abstract\": true, "
                            "\"tight\": true, \"type\": \"unix\"}}", getpid());
    g_assert_cmpstr(last_event("NETDEV_STREAM_CONNECTED {\"netdev-id\": \"cli\""), ==, event);
    bench_free(a);
    bench_free(b);
}

/* The first free port of a range; the short spelling of addr.to; both ends' texts. */
static void test_inet(void)
{
    int taken = loopback_listener();
    unsigned port = channel_port(taken);
    g_autofree char *s = g_strdup_printf("stream,id=srv,server=on,addr.type=inet,addr.host=127.0.0.1,addr.port=%u,to=%u", port,
                                         MIN(port + 20, 65535));
    struct bench *a = bench_new(s), *b = NULL;
    g_autofree char *text = NULL, *event = NULL;
    unsigned p;

    for (p = port + 1; !b; p++) {
        g_autofree char *c = g_strdup_printf("stream,id=cli,addr.type=inet,addr.host=127.0.0.1,addr.port=%u,keep-alive=on", p);

        g_assert_cmpuint(p, <=, port + 20);
        b = bench_new(c);
        WAIT(!info_is(b, "connecting"));
        text = g_strdup_printf("tcp:127.0.0.1:%u", p);
        if (!info_is(b, text)) {
            g_assert_nonnull(strstr(b->c->info->str, "error: Failed to connect to '127.0.0.1:"));
            g_clear_pointer(&text, g_free);
            bench_free(b);
            b = NULL;
        }
    }
    both_ways(a, b);
    g_assert_true(g_str_has_prefix(a->c->info->str, "tcp:127.0.0.1:"));
    event = g_strdup_printf("NETDEV_STREAM_CONNECTED {\"netdev-id\": \"cli\", \"addr\": {\"port\": \"%u\", \"ipv4\": true, \"host\": \"127.0.0.1\", "
                            "\"type\": \"inet\"}}", p - 1);
    g_assert_cmpstr(last_event("NETDEV_STREAM_CONNECTED {\"netdev-id\": \"cli\""), ==, event);
    close(taken);
    bench_free(b);
    bench_free(a);
}

static void test_inet6(void)
{
    struct channel_addr any = { .kind = CHANNEL_INET, .host = "::1", .port = "0" };
    g_autofree char *c = NULL, *text = NULL;
    int listener = channel_listen(&any, NULL), fd = -1;
    struct bench *b;

    if (listener < 0) {
        g_test_skip("no IPv6 here");
        return;
    }
    c = g_strdup_printf("{'type':'stream','id':'cli','addr':{'type':'inet','host':'::1','port':'%u'}}", channel_port(listener));
    g_strdelimit(c, "'", '"');
    b = bench_new(c);
    WAIT((fd = channel_accept(listener)) >= 0);
    WAIT(b->link);
    text = g_strdup_printf("tcp:::1:%u", channel_port(listener));
    g_assert_cmpstr(b->c->info->str, ==, text);
    g_assert_nonnull(strstr(last_event("NETDEV_STREAM_CONNECTED"), "\"ipv6\": true, \"host\": \"::1\", \"type\": \"inet\""));
    close(fd);
    close(listener);
    bench_free(b);
}

/* A name: looked up aside, all its addresses tried. */
static void test_name(void)
{
    int listener = loopback_listener(), fd = -1;
    g_autofree char *c = g_strdup_printf("stream,id=cli,addr.type=inet,addr.host=localhost,addr.port=%u", channel_port(listener));
    struct bench *b = bench_new(c);

    g_assert_true(info_is(b, "connecting"));
    WAIT((fd = channel_accept(listener)) >= 0);
    WAIT(b->link);
    close(fd);
    close(listener);
    bench_free(b);
}

/* A name server that takes its time does not stop the machine, and the backend may go in the meantime. */
static void test_name_unknown(void)
{
    g_autofree char *name = g_strnfill(64, 'x');        /* a label that cannot be: no server is asked for long */
    g_autofree char *c = g_strdup_printf("stream,id=cli,addr.type=inet,addr.host=%s.invalid,addr.port=1,reconnect-ms=1", name);
    g_autofree char *error = g_strdup_printf("error: address resolution failed for %s.invalid:1", name);
    int64_t start = g_get_monotonic_time();
    struct bench *b = bench_new(c);

    g_assert_cmpint(g_get_monotonic_time() - start, <, G_USEC_PER_SEC);
    WAIT(g_str_has_prefix(b->c->info->str, error));
    bench_free(b);
    for (unsigned i = 0; i < 20; i++) {
        bench_free(bench_new(c));
    }
}

static void test_fd(void)
{
    g_autofree char *c = NULL;
    struct bench *b;
    int sv[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv), ==, 0);
    c = g_strdup_printf("stream,id=st0,addr.type=fd,addr.str=%d", sv[0]);
    b = bench_new(c);
    g_assert_true(b->link && info_is(b, "unix:"));
    g_assert_cmpint(bench_send(b, 7, 100), ==, NET_TX_DONE);
    peer_expect(sv[1], 7, 100);
    close(sv[1]);
    WAIT(!b->link);
    bench_free(b);
}

static void test_fd_listening(void)
{
    g_autofree char *path = at("lf"), *c = NULL;
    int listener = peer_listen_unix(path), fd;
    struct bench *b;

    c = g_strdup_printf("stream,id=st0,server=on,addr.type=fd,addr.str=%d", listener);
    b = bench_new(c);
    fd = peer_connect_unix(path);
    WAIT(b->link);
    g_assert_cmpint(bench_send(b, 7, 100), ==, NET_TX_DONE);
    peer_expect(fd, 7, 100);
    close(fd);
    bench_free(b);
}

/* Both options of a socket that have to be set before it connects; an accepted one inherits them. */
static void test_keep_alive(void)
{
    struct channel_addr any = { .kind = CHANNEL_INET, .host = "127.0.0.1", .port = "0", .keep_alive = true, .keep_alive_idle = 77 };
    int listener = channel_listen(&any, NULL), fd[2] = { -1, -1 };
    g_autofree char *port = g_strdup_printf("%u", channel_port(listener));
    bool pending;

    any.port = port;
    fd[0] = channel_connect(&any, &pending, NULL);
    WAIT((fd[1] = channel_accept(listener)) >= 0);
    for (unsigned i = 0; i < 2; i++) {
        int on = 0, idle = 0;
        socklen_t len = sizeof(int);

        getsockopt(fd[i], SOL_SOCKET, SO_KEEPALIVE, &on, &len);
        len = sizeof(int);
        getsockopt(fd[i], IPPROTO_TCP, TCP_KEEPIDLE, &idle, &len);
        g_assert_true(on && idle == 77);
        close(fd[i]);
    }
    close(listener);
}

static void test_options(void)
{
    g_autofree char *path = at("opt"), *no_dir = at("nowhere/x"), *c = NULL, *text = NULL;
    int udp = socket(AF_INET, SOCK_DGRAM, 0), idle = socket(AF_UNIX, SOCK_STREAM, 0);

    rig_refused("stream,id=a", "Parameter 'addr' is missing");
    rig_refused("stream,id=a,addr.type=zz", "Parameter 'type' does not accept value 'zz'");
    rig_refused("stream,id=a,server=on,reconnect-ms=5,addr.type=unix,addr.path=/x",
                "'reconnect-ms' option is incompatible with socket in server mode");
    rig_refused("stream,id=a,server=on,reconnect=5,addr.type=unix,addr.path=/x", "'reconnect' option is incompatible with socket in server mode");
    rig_refused("stream,id=a,reconnect=5,reconnect-ms=1,addr.type=unix,addr.path=/x", "'reconnect' and 'reconnect-ms' are mutually exclusive");
    rig_refused("stream,id=a,to=5,addr.type=unix,addr.path=/x", "Parameter 'to' is unexpected");
    rig_refused("stream,id=a,abstract=on,addr.type=inet,addr.host=h,addr.port=1", "Parameter 'abstract' is unexpected");
    rig_refused("stream,id=a,addr.type=inet,addr.host=127.0.0.1", "Parameter 'addr.port' is missing");
    rig_refused("stream,id=a,addr.type=inet,addr.port=1", "Parameter 'addr.host' is missing");
    rig_refused("stream,id=a,ipv4=off,ipv6=off,addr.type=inet,addr.port=1,addr.host=127.0.0.1", "Cannot disable IPv4 and IPv6 at same time");
    rig_refused("stream,id=a,addr.type=fd,addr.str=abc", "Invalid file descriptor number 'abc'");
    c = g_strdup_printf("stream,id=a,addr.type=fd,addr.str=%d", udp);
    text = g_strdup_printf("netdev 'a': file descriptor %d is not a stream socket", udp);
    rig_refused(c, text);
    g_free(g_steal_pointer(&c));
    g_free(g_steal_pointer(&text));
    c = g_strdup_printf("stream,id=a,server=on,addr.type=fd,addr.str=%d", idle);
    text = g_strdup_printf("netdev 'a': file descriptor %d is not a listening socket", idle);
    rig_refused(c, text);
    g_free(g_steal_pointer(&c));
    g_free(g_steal_pointer(&text));
    c = g_strdup_printf("stream,id=a,server=on,addr.type=unix,addr.path=%s", no_dir);
    text = g_strdup_printf("Failed to bind socket to '%s': No such file or directory", no_dir);
    rig_refused(c, text);
    close(udp);
    close(idle);
}

/* --- hostile peers ------------------------------------------------------------------------------------------------ */

/* Lengths that no frame can have: the peer is dropped as soon as they are there, and the next one works. */
static void test_too_long(void)
{
    static const uint32_t bad[] = { FRAMING_MAX + 1, 0x80000000, 0xFFFFFFFF, 0x01000000 };
    struct bench *b = server_new(NULL);
    g_autofree char *path = at("s");

    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        unsigned gone = events_of("NETDEV_STREAM_DISCONNECTED");
        int fd = peer_connect_unix(path);

        peer_send(fd, i, 100, 100);
        peer_send(fd, 0, bad[i], 0);                /* four bytes, nothing behind them */
        WAIT(events_of("NETDEV_STREAM_DISCONNECTED") == gone + 1);
        WAIT(peer_closed(fd));
        g_assert_cmpuint(b->got, ==, i + 1);
        bench_check(b, i, i, 100);
        g_assert_cmpuint(b->c->own_drops[0], ==, i + 1);
        g_assert_true(info_is(b, "listening"));
        close(fd);
    }
    bench_free(b);
}

/* Short frames and those longer than the net core takes are counted and dropped; the wire goes on. */
static void test_odd_lengths(void)
{
    static const uint8_t zeros[FRAMING_MAX];
    int fd;
    struct bench *b = server_new(&fd);
    unsigned n = 0;

    for (uint32_t len = 0; len <= 20; len++) {
        uint8_t h[4];

        framing_put_header(h, len);
        peer_write(fd, h, 4);
        peer_write(fd, zeros, len);
        n += len >= FRAME_MIN;
        peer_send(fd, n, 64, 64);
        n++;
        WAIT(b->got == n);
    }
    g_assert_cmpuint(nic_client(b->nic)->stats.drops[NET_DROP_RUNT], ==, FRAME_MIN);
    for (uint32_t len = FRAME_MAX - 1; len <= FRAMING_MAX; len += len < FRAME_MAX + 2 ? 1 : FRAMING_MAX - FRAME_MAX - 3) {
        uint8_t h[4];
        size_t sent = 0;

        framing_put_header(h, len);
        peer_write(fd, h, 4);
        while (sent < len) {
            ssize_t w = send(fd, zeros + sent, len - sent, MSG_DONTWAIT | MSG_NOSIGNAL);

            sent += w > 0 ? (size_t)w : 0;
            loop_iterate(false);
        }
        n += len <= FRAME_MAX;
        peer_send(fd, n, 64, 64);
        n++;
        WAIT(b->got == n);
    }
    g_assert_cmpuint(nic_client(b->nic)->stats.drops[NET_DROP_OVERSIZE], >=, 3);
    g_assert_true(b->link);
    close(fd);
    bench_free(b);
}

static void test_byte_at_a_time(void)
{
    uint8_t buf[3 * 104];
    int fd;
    struct bench *b = server_new(&fd);

    for (unsigned i = 0; i < 3; i++) {
        framing_put_header(buf + i * 104, 100);
        rig_frame(buf + i * 104 + 4, 100, i);
    }
    for (unsigned i = 0; i < sizeof(buf); i++) {
        peer_write(fd, buf + i, 1);
        while (loop_iterate(false)) {
        }
        g_assert_cmpuint(b->got, ==, (i + 1) / 104);
    }
    for (unsigned i = 0; i < 3; i++) {
        bench_check(b, i, i, 100);
    }
    close(fd);
    bench_free(b);
}

/* Gone in the middle of a header, or of a frame: nothing of it is seen, and nothing of it is left for the next peer. */
static void test_close_in_the_middle(void)
{
    struct bench *b = server_new(NULL);
    g_autofree char *path = at("s");

    for (unsigned cut = 0; cut < 104; cut += 3) {
        unsigned gone = events_of("NETDEV_STREAM_DISCONNECTED");
        uint8_t buf[104];
        int fd = peer_connect_unix(path);

        framing_put_header(buf, 100);
        rig_frame(buf + 4, 100, cut);
        peer_send(fd, cut, 60, 60);
        peer_write(fd, buf, cut);
        close(fd);
        WAIT(events_of("NETDEV_STREAM_DISCONNECTED") == gone + 1);
        g_assert_cmpuint(b->got, ==, cut / 3 + 1);
        bench_check(b, cut / 3, cut, 60);
    }
    bench_free(b);
}

/* The guest has its receiver off, or nobody is plugged in, or the link is off: the end of the peer is noticed all the same. */
static void test_death_while_paused(void)
{
    g_autofree char *path = at("lone"), *opts = g_strdup_printf("stream,id=lone,server=on,addr.type=unix,addr.path=%s", path);
    struct net_client *lone;
    int fd;
    struct bench *b = server_new(&fd);
    unsigned gone = events_of("NETDEV_STREAM_DISCONNECTED");

    b->busy = true;
    for (unsigned i = 0; i < 3000; i++) {
        if (send(fd, (uint8_t[68]){ [3] = 64 }, 68, MSG_DONTWAIT | MSG_NOSIGNAL) < 68) {
            break;
        }
        loop_iterate(false);
    }
    close(fd);
    WAIT(events_of("NETDEV_STREAM_DISCONNECTED") == gone + 1);
    WAIT(!b->link);
    bench_free(b);

    lone = rig_netdev(opts, NULL);
    for (unsigned i = 0; i < 2; i++) {
        static const uint8_t zero_length[4];

        fd = peer_connect_unix(path);
        WAIT(strcmp(lone->info->str, "listening"));
        peer_write(fd, zero_length, i * 4);         /* the one that stopped others for ever */
        peer_send(fd, 1, 64, 64 * i);
        close(fd);
        WAIT(!strcmp(lone->info->str, "listening"));
    }
    g_assert_cmpuint(lone->stats.drops[NET_DROP_RUNT], ==, 1);
    net_client_free(lone);
    g_assert_cmpuint(events_of("NETDEV_STREAM_DISCONNECTED"), ==, gone + 3);
}

/* With the link off, frames are lost, as on a cut cable; what comes later is not a backlog of what was. */
static void test_link_off(void)
{
    int fd;
    struct bench *b = server_new(&fd);

    g_assert_true(net_set_link("st0", false, NULL));
    for (unsigned i = 0; i < 1000; i++) {
        peer_send(fd, i, 1000, 1000);
        loop_iterate(false);
    }
    WAIT(nic_client(b->nic)->stats.drops[NET_DROP_LINK_DOWN] == 1000);
    g_assert_true(net_set_link("st0", true, NULL));
    peer_send(fd, 5000, 64, 64);
    WAIT(b->got == 1);
    bench_check(b, 0, 5000, 64);
    close(fd);
    bench_free(b);
}

/* 300 at once: one is served, nobody crashes us, and who comes after them is served too. */
static void test_crowd(void)
{
    g_autofree char *path = at("s");
    struct bench *b = server_new(NULL);
    unsigned had = events_of("NETDEV_STREAM_CONNECTED"), inside = 0, fds = open_fds();
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    int fd[300], last;

    g_strlcpy(un.sun_path, path, sizeof(un.sun_path));
    for (unsigned i = 0; i < ARRAY_LEN(fd); i++) {
        fd[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        inside += connect(fd[i], (void *)&un, sizeof(un)) == 0;
        loop_iterate(false);
    }
    WAIT(b->link);
    g_assert_cmpuint(inside, >=, 1);
    g_assert_cmpuint(inside, <=, 4);
    g_assert_cmpuint(events_of("NETDEV_STREAM_CONNECTED"), ==, had + 1);
    for (unsigned i = 0; i < ARRAY_LEN(fd); i++) {
        close(fd[i]);
    }
    WAIT(!b->link);
    while (loop_iterate(false)) {
    }
    last = peer_connect_unix(path);
    WAIT(b->link);
    g_assert_cmpuint(events_of("NETDEV_STREAM_CONNECTED"), ==, had + 2);    /* those that had given up were not told about */
    peer_send(last, 1, 64, 64);
    WAIT(b->got == 1);
    close(last);
    WAIT(!b->link);
    g_assert_cmpuint(open_fds(), ==, fds);
    bench_free(b);
}

/* --- slow readers ------------------------------------------------------------------------------------------------- */

/* The other end does not read: the guest is told to wait, once, and woken; nothing is lost or out of order. */
static void test_backpressure_out(void)
{
    uint64_t sent = 0, got = 0;
    int fd;
    struct bench *b = server_new(&fd);
    g_autoptr(GRand) r = g_rand_new_with_seed(1);

    for (unsigned round = 0; round < 20; round++) {
        unsigned woken = b->tx_ready;
        uint8_t h[4];

        while (bench_send(b, (uint32_t)sent, 60 + sent % 1455) != NET_TX_BUSY) {
            sent++;
            if (sent % 32 == 0) {
                loop_iterate(false);
            }
            g_assert_cmpuint(sent - got, <, 20000);
        }
        for (unsigned i = 0; i < 300; i++) {
            loop_iterate(false);
        }
        g_assert_cmpuint(b->tx_ready, ==, woken);
        while (got < sent) {
            size_t len = 60 + got % 1455;
            uint8_t buf[1600], want[1600];

            peer_read(fd, h, 4);
            g_assert_cmpuint(ld_be32(h), ==, len);
            peer_read(fd, buf, len);
            rig_frame(want, len, (uint32_t)got);
            g_assert_cmpmem(buf, len, want, len);
            got++;
        }
        WAIT(b->tx_ready > woken);
    }
    close(fd);
    bench_free(b);
}

/* The guest is busy: its peer is slowed down, and gets going again; nothing is lost or out of order. */
static void test_backpressure_in(void)
{
    static uint8_t stream[4 << 20];
    size_t len = 0, at = 0;
    unsigned n = 0;
    int fd;
    struct bench *b = server_new(&fd);
    g_autoptr(GRand) r = g_rand_new_with_seed(1);

    while (len + 2000 < sizeof(stream)) {
        uint32_t flen = 60 + n % 1455;

        framing_put_header(stream + len, flen);
        rig_frame(stream + len + 4, flen, n++);
        len += 4 + flen;
    }
    b->busy = true;
    while (at < len || b->got < n) {
        ssize_t w = at < len ? send(fd, stream + at, MIN(len - at, 30000), MSG_DONTWAIT | MSG_NOSIGNAL) : 0;

        at += w > 0 ? (size_t)w : 0;
        if (b->busy && w < 0) {
            for (unsigned i = 0; i < 100; i++) {
                loop_iterate(false);
            }
            g_assert_cmpint(send(fd, "", 0, MSG_DONTWAIT | MSG_NOSIGNAL), <=, 0);
            b->busy = false;
            nic_rx_ready(b->nic);
        } else if (g_rand_int_range(r, 0, 100) == 0) {
            b->busy = true;
        } else if (w <= 0 && b->busy) {
            b->busy = false;
            nic_rx_ready(b->nic);
        }
        loop_iterate(false);
    }
    g_assert_cmpuint(b->got, ==, n);
    for (unsigned i = 0; i < b->frames->len; i++) {
        bench_check(b, i, i, 60 + i % 1455);
    }
    close(fd);
    bench_free(b);
}

/* The peer goes while frames for it are waiting: the guest is woken, not left waiting for nobody. */
static void test_gone_while_blocked(void)
{
    int fd;
    struct bench *b = server_new(&fd);
    unsigned woken;

    while (bench_send(b, 0, 1514) != NET_TX_BUSY) {
    }
    woken = b->tx_ready;
    close(fd);
    WAIT(!b->link);
    WAIT(b->tx_ready > woken);
    g_assert_cmpint(bench_send(b, 0, 1514), ==, NET_TX_DROP);
    bench_free(b);
}

/* --- coming and going --------------------------------------------------------------------------------------------- */

static void test_reconnect(void)
{
    g_autofree char *path = at("later"), *opts = g_strdup_printf("stream,id=cli,reconnect-ms=20,addr.type=unix,addr.path=%s", path);
    g_autofree char *text = g_strdup_printf("unix:%s", path);
    g_autofree char *error = g_strdup_printf("error: Failed to connect to '%s': No such file or directory", path);
    struct bench *b = bench_new(opts);
    unsigned had = events_of("NETDEV_STREAM_CONNECTED");

    g_assert_cmpstr(b->c->info->str, ==, error);
    g_assert_false(b->link);
    g_usleep(50000);
    while (loop_iterate(false)) {
    }
    g_assert_cmpstr(b->c->info->str, ==, error);
    for (unsigned i = 1; i <= 5; i++) {
        int listener = peer_listen_unix(path), fd = peer_accept(listener);

        WAIT(b->link);
        g_assert_true(info_is(b, text));
        g_assert_cmpuint(events_of("NETDEV_STREAM_CONNECTED"), ==, had + i);
        g_assert_cmpint(bench_send(b, i, 100), ==, NET_TX_DONE);
        peer_expect(fd, i, 100);
        close(listener);
        unlink(path);
        close(fd);
        WAIT(!b->link);
        g_assert_true(info_is(b, "connecting"));
    }
    bench_free(b);
}

/* Without reconnect-ms one attempt, and one connection. */
static void test_no_reconnect(void)
{
    g_autofree char *path = at("never"), *opts = g_strdup_printf("stream,id=cli,addr.type=unix,addr.path=%s", path);
    struct bench *b = bench_new(opts);
    int listener = peer_listen_unix(path);

    for (unsigned i = 0; i < 100; i++) {
        g_usleep(500);
        loop_iterate(false);
        g_assert_cmpint(accept4(listener, NULL, NULL, 0), <, 0);
    }
    close(listener);
    bench_free(b);
}

static void cycles(unsigned n)
{
    g_autofree char *path = at("s");
    struct bench *b = server_new(NULL);
    unsigned fds = open_fds();
    uint64_t rss = 0;

    for (unsigned i = 0; i < n; i++) {
        int fd = peer_connect_unix(path);

        peer_send(fd, i, 64, 64);
        WAIT(b->got == i + 1);
        bench_send(b, i, 1514);
        if (i % 2) {
            peer_expect(fd, i, 1514);
        }
        close(fd);
        WAIT(!b->link);
        if (i == n / 4) {
            rss = rss_kib();
        }
        g_ptr_array_set_size(b->frames, 0);
        g_ptr_array_set_size(rig_events, 0);
    }
    g_assert_cmpuint(open_fds(), ==, fds);
    g_assert_cmpuint(rss_kib(), <=, rss + 1024);
    bench_free(b);
}

static void test_cycles(void)
{
    cycles(1000);
}

static void test_netdev_cycles(void)
{
    g_autofree char *path = at("nc"), *s = g_strdup_printf("stream,id=srv,server=on,addr.type=unix,addr.path=%s", path);
    g_autofree char *c = g_strdup_printf("stream,id=cli,reconnect-ms=1,addr.type=unix,addr.path=%s", path);
    unsigned fds = open_fds();

    for (unsigned i = 0; i < 300; i++) {
        struct bench *a = bench_new(i % 2 ? s : c), *b = bench_new(i % 2 ? c : s);

        WAIT(a->link && b->link);
        bench_send(a, i, 1514);
        bench_send(b, i, 1514);
        if (i % 3) {
            loop_iterate(false);
        }
        bench_free(i % 5 ? a : b);
        bench_free(i % 5 ? b : a);
    }
    g_assert_cmpuint(open_fds(), ==, fds);
}

/* A frame is on the wire before the main loop goes round again; those behind it follow in that round. */
static void test_no_delay(void)
{
    uint8_t h[4];
    int fd;
    struct bench *b = server_new(&fd);

    bench_send(b, 1, 100);
    g_assert_cmpint(recv(fd, h, 4, MSG_DONTWAIT), ==, 4);
    bench_send(b, 2, 100);
    bench_send(b, 3, 100);
    g_assert_cmpint(recv(fd, (uint8_t[400]){ 0 }, 400, MSG_DONTWAIT), ==, 100);
    g_assert_true(bh_drain(2));
    g_assert_cmpint(recv(fd, (uint8_t[400]){ 0 }, 400, MSG_DONTWAIT), ==, 104 + 104);
    close(fd);
    bench_free(b);
}

/* More frames in one read than are taken in one go: the rest follows without anything new to read. */
static void test_burst(void)
{
    uint8_t buf[500 * 64];
    int fd;
    struct bench *b = server_new(&fd);

    for (unsigned i = 0; i < 500; i++) {
        framing_put_header(buf + i * 64, 60);
        rig_frame(buf + i * 64 + 4, 60, i);
    }
    peer_write(fd, buf, sizeof(buf));
    WAIT(b->got == 500);
    for (unsigned i = 0; i < 500; i++) {
        bench_check(b, i, i, 60);
    }
    close(fd);
    bench_free(b);
}

/* Frames that the socket takes only a part of, each in a round of its own. */
static void test_partial_writes(void)
{
    uint32_t sent = 0, got = 0;
    int fd;
    struct bench *b = server_new(&fd);

    for (unsigned round = 0; round < 10; round++) {
        while (bench_send(b, sent, FRAME_MAX - sent % 1000) != NET_TX_BUSY) {
            sent++;
            while (loop_iterate(false)) {
            }
        }
        g_assert_cmpuint(sent, >, got);
        for (; got < sent; got++) {
            peer_expect(fd, got, FRAME_MAX - got % 1000);
        }
    }
    close(fd);
    bench_free(b);
}

/* --- speed -------------------------------------------------------------------------------------------------------- */

static void measure(size_t len)
{
    unsigned n = len < 100 ? 3000000 : 1500000, sent = 0;
    g_autofree char *path = at("perf"), *s = g_strdup_printf("stream,id=srv,server=on,addr.type=unix,addr.path=%s", path);
    g_autofree char *c = g_strdup_printf("stream,id=cli,addr.type=unix,addr.path=%s", path);
    struct bench *a = bench_new(s), *b = bench_new(c);
    uint8_t buf[2000];
    struct frame f;
    clock_t cpu;
    double t;

    WAIT(a->link && b->link);
    a->count_only = b->count_only = true;
    rig_frame(buf, len, 0);
    frame_from_buf(&f, buf, len);
    cpu = clock();
    while (b->got < n) {
        for (unsigned i = 0; i < 64 && sent < n && nic_send(a->nic, &f) != NET_TX_BUSY; i++) {
            sent++;
        }
        loop_iterate(false);
    }
    t = (double)(clock() - cpu) / CLOCKS_PER_SEC;
    g_test_minimized_result(t, "both ends in this thread, %zu bytes: %.0f frames/s, %.2f Gbit/s, %.0f ns CPU a frame", len, n / t,
                            (double)n * (double)len * 8 / t / 1e9, t * 1e9 / n);
    bench_free(a);
    bench_free(b);
}

static void test_speed(void)
{
    measure(64);
    measure(1514);
}

int main(int argc, char **argv)
{
    int r;

    g_test_init(&argc, &argv, NULL);
    rig_setup();
    dir = g_dir_make_tmp("patchbay-stream-XXXXXX", NULL);
    g_test_add_func("/net/stream/unix", test_unix);
    g_test_add_func("/net/stream/unix-abstract", test_unix_abstract);
    g_test_add_func("/net/stream/inet", test_inet);
    g_test_add_func("/net/stream/inet6", test_inet6);
    g_test_add_func("/net/stream/name", test_name);
    g_test_add_func("/net/stream/name-unknown", test_name_unknown);
    g_test_add_func("/net/stream/fd", test_fd);
    g_test_add_func("/net/stream/fd-listening", test_fd_listening);
    g_test_add_func("/net/stream/keep-alive", test_keep_alive);
    g_test_add_func("/net/stream/options", test_options);
    g_test_add_func("/net/stream/too-long", test_too_long);
    g_test_add_func("/net/stream/odd-lengths", test_odd_lengths);
    g_test_add_func("/net/stream/byte-at-a-time", test_byte_at_a_time);
    g_test_add_func("/net/stream/close-in-the-middle", test_close_in_the_middle);
    g_test_add_func("/net/stream/death-while-paused", test_death_while_paused);
    g_test_add_func("/net/stream/link-off", test_link_off);
    g_test_add_func("/net/stream/crowd", test_crowd);
    g_test_add_func("/net/stream/backpressure-out", test_backpressure_out);
    g_test_add_func("/net/stream/backpressure-in", test_backpressure_in);
    g_test_add_func("/net/stream/gone-while-blocked", test_gone_while_blocked);
    g_test_add_func("/net/stream/reconnect", test_reconnect);
    g_test_add_func("/net/stream/no-reconnect", test_no_reconnect);
    g_test_add_func("/net/stream/no-delay", test_no_delay);
    g_test_add_func("/net/stream/burst", test_burst);
    g_test_add_func("/net/stream/partial-writes", test_partial_writes);
    g_test_add_func("/net/stream/cycles", test_cycles);
    g_test_add_func("/net/stream/netdev-cycles", test_netdev_cycles);
    if (g_test_perf()) {
        g_test_add_func("/net/stream/speed", test_speed);
    }
    r = g_test_run();
    rmdir(dir);
    g_free(dir);
    return r;
}
