/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/unit/test-socket.c - -netdev socket: every message, both start orders, each kind of wire, texts of info network */
#include "wire-rig.h"
#include "core/channel.h"
#include "lib/bits.h"
#include <netinet/in.h>

static unsigned free_port(int type)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, type, 0);

    g_assert_cmpint(bind(fd, (void *)&a, sizeof(a)), ==, 0);
    getsockname(fd, (void *)&a, &len);
    close(fd);
    return ntohs(a.sin_port);
}

/* a label that cannot be: no name server is asked for long */
#define LONG "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.invalid"

static void test_errors(void)
{
    static const char *const bad[][2] = {
        { "", "exactly one of listen=, connect=, mcast= or udp= is required" },
        { ",listen=:1,connect=127.0.0.1:1", "exactly one of listen=, connect=, mcast= or udp= is required" },
        { ",listen=:1,fd=3", "exactly one of listen=, connect=, mcast= or udp= is required" },
        { ",listen=:1,localaddr=127.0.0.1", "localaddr= is only valid with mcast= or udp=" },
        { ",connect=127.0.0.1:1,localaddr=127.0.0.1", "localaddr= is only valid with mcast= or udp=" },
        { ",udp=127.0.0.1:1", "localaddr= is mandatory with udp=" },
        { ",listen=1234", "host address '1234' doesn't contain ':' separating host from port" },
        { ",connect=1234", "host address '1234' doesn't contain ':' separating host from port" },
        { ",mcast=1234", "host address '1234' doesn't contain ':' separating host from port" },
        { ",udp=1234,localaddr=127.0.0.1:0", "host address '1234' doesn't contain ':' separating host from port" },
        { ",udp=127.0.0.1:1,localaddr=1234", "host address '1234' doesn't contain ':' separating host from port" },
        { ",connect=" LONG ":1", "can't resolve host address '" LONG "'" },
        { ",listen=" LONG ":1", "can't resolve host address '" LONG "'" },
        { ",connect=1.2.3.4.5:1", "host address '1.2.3.4.5' is not a valid IPv4 address" },
        { ",connect=127.0.0.1:abc", "port number 'abc' is invalid" },
        { ",listen=:99999", "port number '99999' is invalid" },
        { ",mcast=1.2.3.4:1234", "specified mcastaddr 1.2.3.4 (0x01020304) does not contain a multicast address" },
        { ",mcast=230.0.0.1:1234,localaddr=zz", "localaddr 'zz' is not a valid IPv4 address" },
        { ",listen=1.2.3.4:1", "can't bind ip=1.2.3.4 to socket: Cannot assign requested address" },
        { ",udp=127.0.0.1:1,localaddr=1.2.3.4:1", "can't bind ip=1.2.3.4 to socket: Cannot assign requested address" },
        { ",fd=abc", "Invalid file descriptor number 'abc'" },
        { ",listen=:0,reconnect-ms=5", "reconnect-ms= is only valid with connect=" },
    };
    g_autofree char *fd = NULL;
    unsigned fds = open_fds();
    int file;

    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        g_autofree char *opts = g_strdup_printf("socket,id=a%s", bad[i][0]);

        rig_refused(opts, bad[i][1]);
    }
    file = open("/dev/null", O_RDONLY);
    fd = g_strdup_printf("socket,id=a,fd=%d", file);
    rig_refused(fd, "can't get socket option SO_TYPE: Socket operation on non-socket");
    close(file);
    g_assert_cmpuint(open_fds(), ==, fds);
}

static void exchange(struct bench *a, struct bench *b)
{
    static const size_t sizes[] = { 18, 60, 1514, 9014, 60000 };
    unsigned na = a->got, nb = b->got;

    for (unsigned i = 0; i < ARRAY_LEN(sizes); i++) {
        g_assert_cmpint(bench_send(a, i, sizes[i]), ==, NET_TX_DONE);
        g_assert_cmpint(bench_send(b, 100 + i, sizes[i]), ==, NET_TX_DONE);
        WAIT(a->got == na + i + 1 && b->got == nb + i + 1);
        bench_check(b, nb + i, i, sizes[i]);
        bench_check(a, na + i, 100 + i, sizes[i]);
    }
}

/* Either first; then each end goes and comes back. The guest's link stays up all the time. */
static void both_orders(bool listener_first)
{
    unsigned port = free_port(SOCK_STREAM);
    g_autofree char *l = g_strdup_printf("socket,id=l,listen=127.0.0.1:%u", port);
    g_autofree char *c = g_strdup_printf("socket,id=c,connect=127.0.0.1:%u,reconnect-ms=20", port);
    g_autofree char *listening = g_strdup_printf("socket: listening on 127.0.0.1:%u", port);
    g_autofree char *refused = g_strdup_printf("socket: error: Failed to connect to '127.0.0.1:%u': Connection refused", port);
    g_autofree char *connected = g_strdup_printf("socket: connect to 127.0.0.1:%u", port);
    struct bench *a = NULL, *b = NULL;

    if (listener_first) {
        a = bench_new(l);
        g_assert_cmpstr(a->c->info->str, ==, listening);
        b = bench_new(c);
    } else {
        b = bench_new(c);
        WAIT(info_is(b, refused));
        g_usleep(30000);
        WAIT(info_is(b, refused));
        g_assert_true(b->link);
        g_assert_cmpint(bench_send(b, 0, 100), ==, NET_TX_DROP);
        a = bench_new(l);
    }
    WAIT(info_is(b, connected) && g_str_has_prefix(a->c->info->str, "socket: connection from 127.0.0.1:"));
    exchange(a, b);
    bench_free(a);
    WAIT(!info_is(b, connected));
    g_assert_true(b->link);
    a = bench_new(l);
    WAIT(info_is(b, connected) && !info_is(a, listening));
    exchange(a, b);
    bench_free(b);
    WAIT(info_is(a, listening));
    b = bench_new(c);
    WAIT(info_is(b, connected) && !info_is(a, listening));
    exchange(a, b);
    bench_free(b);
    bench_free(a);
}

static void test_listener_first(void)
{
    both_orders(true);
}

static void test_connector_first(void)
{
    both_orders(false);
}

/* reconnect-ms=0: one attempt, and what came of it is told. */
static void test_no_retry(void)
{
    unsigned port = free_port(SOCK_STREAM);
    g_autofree char *c = g_strdup_printf("socket,id=c,connect=127.0.0.1:%u,reconnect-ms=0", port);
    g_autofree char *refused = g_strdup_printf("socket: error: Failed to connect to '127.0.0.1:%u': Connection refused", port);
    struct channel_addr at = { .kind = CHANNEL_INET, .host = "127.0.0.1" };
    g_autofree char *text = g_strdup_printf("%u", port);
    struct bench *b = bench_new(c);
    int listener;

    WAIT(info_is(b, refused));
    at.port = text;
    listener = channel_listen(&at, NULL);
    for (unsigned i = 0; i < 100; i++) {
        g_usleep(500);
        loop_iterate(false);
        g_assert_cmpint(channel_accept(listener), <, 0);
    }
    close(listener);
    bench_free(b);
}

/* link=follow: the guest sees who is there. */
static void test_link_follow(void)
{
    unsigned port = free_port(SOCK_STREAM);
    g_autofree char *l = g_strdup_printf("socket,id=l,listen=127.0.0.1:%u,link=follow", port);
    g_autofree char *c = g_strdup_printf("socket,id=c,connect=127.0.0.1:%u", port);
    struct bench *a = bench_new(l), *b;

    g_assert_false(a->link);
    b = bench_new(c);
    WAIT(a->link);
    bench_free(b);
    WAIT(!a->link);
    bench_free(a);
}

/* stream and socket speak the same. */
static void test_with_stream(void)
{
    unsigned port = free_port(SOCK_STREAM);
    g_autofree char *l = g_strdup_printf("socket,id=l,listen=:%u", port);
    g_autofree char *s = g_strdup_printf("stream,id=s,addr.type=inet,addr.host=127.0.0.1,addr.port=%u,reconnect-ms=20", port);
    struct bench *a = bench_new(l), *b = bench_new(s);

    WAIT(a->link && b->link && g_str_has_prefix(a->c->info->str, "socket: connection from"));
    exchange(a, b);
    bench_free(a);
    bench_free(b);
}

static void test_fd_stream(void)
{
    g_autofree char *opts = NULL, *info = NULL;
    struct bench *b;
    int sv[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv), ==, 0);
    opts = g_strdup_printf("socket,id=net1,fd=%d", sv[0]);
    info = g_strdup_printf("socket: fd=%d", sv[0]);
    b = bench_new(opts);
    g_assert_true(info_is(b, info));
    peer_send(sv[1], 1, 60, 60);
    WAIT(b->got == 1);
    bench_send(b, 2, 1514);
    peer_expect(sv[1], 2, 1514);
    close(sv[1]);
    WAIT(!info_is(b, info));
    g_assert_cmpint(bench_send(b, 2, 1514), ==, NET_TX_DROP);
    bench_free(b);
}

static void test_fd_dgram(void)
{
    g_autofree char *opts = NULL, *info = NULL;
    uint8_t buf[2000], want[1514];
    struct bench *b;
    ssize_t n = -1;
    int sv[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, sv), ==, 0);
    opts = g_strdup_printf("socket,id=net1,fd=%d", sv[0]);
    info = g_strdup_printf("socket: fd=%d unix", sv[0]);
    b = bench_new(opts);
    g_assert_cmpstr(b->c->info->str, ==, info);
    rig_frame(buf, 60, 1);
    peer_write(sv[1], buf, 60);
    WAIT(b->got == 1);
    bench_check(b, 0, 1, 60);
    bench_send(b, 2, sizeof(want));
    WAIT((n = recv(sv[1], buf, sizeof(buf), MSG_DONTWAIT)) >= 0);
    rig_frame(want, sizeof(want), 2);
    g_assert_cmpmem(buf, n, want, sizeof(want));
    close(sv[1]);
    bench_free(b);
}

static void test_udp(void)
{
    unsigned p1 = free_port(SOCK_DGRAM), p2 = free_port(SOCK_DGRAM);
    g_autofree char *o1 = g_strdup_printf("socket,id=gns3-0,udp=127.0.0.1:%u,localaddr=127.0.0.1:%u", p1, p2);
    g_autofree char *o2 = g_strdup_printf("socket,id=gns3-1,udp=127.0.0.1:%u,localaddr=127.0.0.1:%u", p2, p1);
    g_autofree char *info = g_strdup_printf("socket: udp=127.0.0.1:%u", p1);
    struct bench *a = bench_new(o1), *b = bench_new(o2);

    g_assert_cmpstr(a->c->info->str, ==, info);
    exchange(a, b);
    bench_free(a);
    bench_free(b);
}

static void test_mcast(void)
{
    unsigned port = free_port(SOCK_DGRAM);
    g_autofree char *o1 = g_strdup_printf("socket,id=a,mcast=230.0.0.1:%u,localaddr=127.0.0.1", port);
    g_autofree char *o2 = g_strdup_printf("socket,id=b,mcast=230.0.0.1:%u,localaddr=127.0.0.1", port);
    g_autofree char *info = g_strdup_printf("socket: mcast=230.0.0.1:%u", port);
    struct bench *a = bench_new(o1), *b = bench_new(o2);

    g_assert_cmpstr(a->c->info->str, ==, info);
    exchange(a, b);             /* counts: what one sends does not come back to it */
    bench_free(a);
    bench_free(b);
}

/* A length above the limit ends the connection; the listener takes the next, the connector comes back. */
static void test_too_long(void)
{
    int listener = loopback_listener(), fd = -1;
    g_autofree char *c = g_strdup_printf("socket,id=c,connect=127.0.0.1:%u,reconnect-ms=10", channel_port(listener));
    struct bench *b = bench_new(c);

    for (unsigned i = 0; i < 3; i++) {
        WAIT((fd = channel_accept(listener)) >= 0);
        peer_send(fd, i, 60, 60);
        WAIT(b->got == i + 1);
        peer_send(fd, 0, 0x80000000, 0);
        WAIT(peer_closed(fd));
        close(fd);
    }
    g_assert_cmpuint(b->c->own_drops[0], ==, 3);
    bench_free(b);
    close(listener);
}

static void test_cycles(void)
{
    unsigned port = free_port(SOCK_STREAM), fds;
    g_autofree char *l = g_strdup_printf("socket,id=l,listen=127.0.0.1:%u", port);
    g_autofree char *c = g_strdup_printf("socket,id=c,connect=127.0.0.1:%u,reconnect-ms=1", port);
    struct bench *a = bench_new(l), *b;

    fds = open_fds();
    for (unsigned i = 0; i < 500; i++) {
        b = bench_new(c);
        WAIT(g_str_has_prefix(b->c->info->str, "socket: connect to") && g_str_has_prefix(a->c->info->str, "socket: connection"));
        bench_send(b, i, 60);
        WAIT(a->got == i + 1);
        bench_free(b);
        WAIT(g_str_has_prefix(a->c->info->str, "socket: listening"));
        g_ptr_array_set_size(a->frames, 0);
    }
    g_assert_cmpuint(open_fds(), ==, fds);
    bench_free(a);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    rig_setup();
    g_test_add_func("/net/socket/errors", test_errors);
    g_test_add_func("/net/socket/listener-first", test_listener_first);
    g_test_add_func("/net/socket/connector-first", test_connector_first);
    g_test_add_func("/net/socket/no-retry", test_no_retry);
    g_test_add_func("/net/socket/link-follow", test_link_follow);
    g_test_add_func("/net/socket/with-stream", test_with_stream);
    g_test_add_func("/net/socket/fd-stream", test_fd_stream);
    g_test_add_func("/net/socket/fd-dgram", test_fd_dgram);
    g_test_add_func("/net/socket/udp", test_udp);
    g_test_add_func("/net/socket/mcast", test_mcast);
    g_test_add_func("/net/socket/too-long", test_too_long);
    g_test_add_func("/net/socket/cycles", test_cycles);
    return g_test_run();
}
