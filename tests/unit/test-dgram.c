/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/test-dgram.c - datagram wires (dgram inet, unix, multicast, fd) against plain sockets and against each other
 *
 * sendmmsg() is ours: the tests make it fail as the kernel would. "-m perf" adds the measurements.
 */
#include "core/loop.h"
#include "lib/bits.h"
#include "lib/bytes.h"
#include "net/backends/dgram_wire.h"
#include "net/hub.h"
#include "qapi/schema.h"
#include "wire_nic.h"
#include <arpa/inet.h>
#include <errno.h>
#include <glib/gstdio.h>
#include <malloc.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* --- the kernel, with faults ------------------------------------------------------------------------------------------ */

static int send_error;              /* errno of the next calls */
static unsigned send_errors;        /* how many */
static unsigned gso_sent;           /* messages that asked for UDP_SEGMENT */
static unsigned send_calls;

int sendmmsg(int fd, struct mmsghdr *msg, unsigned n, int flags)
{
    send_calls++;
    if (send_errors) {
        send_errors--;
        errno = send_error;
        return -1;
    }
    for (unsigned i = 0; i < n; i++) {
        gso_sent += msg[i].msg_hdr.msg_control != NULL;
    }
    return (int)syscall(SYS_sendmmsg, fd, msg, n, flags);
}

/* --- sockets of the test's own ------------------------------------------------------------------------------------------ */

static int udp_socket(uint16_t *port)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(*port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    g_assert_cmpint(bind(fd, (void *)&a, len), ==, 0);
    g_assert_cmpint(getsockname(fd, (void *)&a, &len), ==, 0);
    *port = ntohs(a.sin_port);
    return fd;
}

static uint16_t free_port(void)
{
    uint16_t port = 0;

    close(udp_socket(&port));
    return port;
}

static void send_to(int fd, uint16_t port, const void *p, size_t len)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

    g_assert_cmpint(sendto(fd, p, len, 0, (void *)&a, sizeof(a)), ==, len);
}

static void send_frame(int fd, uint16_t port, size_t len, uint32_t seq)
{
    uint8_t buf[65536];

    wire_frame(buf, len, seq);
    send_to(fd, port, buf, len);
}

static char *inet_opts(uint16_t local, uint16_t remote)
{
    return g_strdup_printf("dgram,local.type=inet,local.host=127.0.0.1,local.port=%u,remote.type=inet,remote.host=127.0.0.1,remote.port=%u",
                           local, remote);
}

static char *unix_opts(const char *local, const char *remote)
{
    return g_strdup_printf("dgram,local.type=unix,local.path=%s,remote.type=unix,remote.path=%s", local, remote);
}

static void inet_pair(struct wire_nic *a, struct wire_nic *b)
{
    uint16_t pa = free_port(), pb = free_port();
    g_autofree char *oa = inet_opts(pa, pb), *ob = inet_opts(pb, pa);

    wire_nic_open_ok(a, oa);
    wire_nic_open_ok(b, ob);
}

/* --- inet --------------------------------------------------------------------------------------------------------------- */

static void test_inet_sizes(void)
{
    static const size_t sizes[] = { 14, 15, 59, 60, 1513, 1514, 1515, 9014, 16384, 65506, 65507 };
    struct wire_nic a, b;
    uint32_t seq = 0;

    inet_pair(&a, &b);
    for (unsigned i = 0; i < ARRAY_LEN(sizes); i++) {
        g_assert_cmpint(wire_nic_send(&a, sizes[i], ++seq), ==, NET_TX_DONE);
        wire_nic_expect(&b, sizes[i], seq);
        g_assert_cmpint(wire_nic_send(&b, sizes[i], ++seq), ==, NET_TX_DONE);
        wire_nic_expect(&a, sizes[i], seq);
    }
    g_assert_cmpint(wire_nic_send(&a, 65508, 1), ==, NET_TX_DONE);      /* no UDP datagram is that long */
    g_assert_cmpint(wire_nic_send(&a, 60, 77), ==, NET_TX_DONE);
    wire_nic_expect(&b, 60, 77);
    g_assert_cmpuint(wire_nic_drops(&a, "too-big-to-send"), ==, 1);
    wire_nic_close(&a);
    wire_nic_close(&b);
}

/* Runs of equal length, of mixed lengths, longer than any batch: all frames, in order, unchanged, on a wire and at a plain socket. */
static void test_runs(void)
{
    static const size_t lens[] = { 1514, 1514, 1514, 700, 1514, 60, 60, 60, 61, 9014, 1514, 1513 };
    struct wire_nic a, b;
    uint16_t port, pa = free_port();
    g_autofree char *oa = NULL;
    uint8_t buf[65536], want[65536];
    int fd;

    inet_pair(&a, &b);
    a.keep_max = b.keep_max = 1000;
    gso_sent = 0;
    for (unsigned round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < 600; i++) {
            size_t len = round == 0 ? 1514 : round == 1 ? 60 : lens[i % ARRAY_LEN(lens)];

            g_assert_cmpint(wire_nic_send(&a, len, i + 1), ==, NET_TX_DONE);
        }
        for (uint32_t i = 0; i < 600; i++) {
            wire_nic_expect(&b, round == 0 ? 1514 : round == 1 ? 60 : lens[i % ARRAY_LEN(lens)], i + 1);
        }
    }
    g_test_message("%u messages with UDP_SEGMENT", gso_sent);
    wire_nic_close(&a);
    wire_nic_close(&b);

    port = 0;
    fd = udp_socket(&port);
    oa = inet_opts(pa, port);
    wire_nic_open_ok(&a, oa);
    for (uint32_t i = 0; i < 50; i++) {
        wire_nic_send(&a, lens[i % ARRAY_LEN(lens)], i);
    }
    bh_drain(10);
    for (uint32_t i = 0; i < 50; i++) {
        size_t len = lens[i % ARRAY_LEN(lens)];
        ssize_t n = recv(fd, buf, sizeof(buf), 0);

        wire_frame(want, len, i);
        g_assert_cmpmem(buf, (size_t)n, want, len);
    }
    close(fd);
    wire_nic_close(&a);
}

/* The kernel refuses to cut for us (long frames on a narrow path, an interface without checksums): frames go one by one, none is lost. */
static void test_no_gso(void)
{
    static const int errors[] = { EINVAL, EIO, EMSGSIZE };
    struct wire_nic a, b;

    for (unsigned e = 0; e < ARRAY_LEN(errors); e++) {
        inet_pair(&a, &b);
        send_error = errors[e];
        send_errors = 1;
        for (uint32_t i = 0; i < 200; i++) {
            g_assert_cmpint(wire_nic_send(&a, 1514, i + 1), ==, NET_TX_DONE);
        }
        bh_drain(1);
        gso_sent = 0;
        for (uint32_t i = 0; i < 200; i++) {
            wire_nic_send(&a, 1514, i + 201);
        }
        for (uint32_t i = 0; i < 400; i++) {
            wire_nic_expect(&b, 1514, i + 1);
        }
        g_assert_cmpuint(gso_sent, ==, 0);
        wire_nic_close(&a);
        wire_nic_close(&b);
    }
}

/* Strangers, nothing, the longest: dropped and counted, or delivered; no memory is taken for a bad one. */
static void test_hostile(void)
{
    uint16_t peer = 0, stranger = 0, local = free_port();
    int pfd = udp_socket(&peer), sfd = udp_socket(&stranger);
    g_autofree char *opts = inet_opts(local, peer);
    struct net_client *nic;
    struct mallinfo2 before, after;
    struct wire_nic a;

    wire_nic_open_ok(&a, opts);
    a.keep_max = 10;
    nic = nic_client(a.nic);
    send_to(pfd, local, "", 0);
    WIRE_WAIT(nic->stats.drops[NET_DROP_RUNT] == 1);
    send_to(pfd, local, "thirteen bytes", 13);
    WIRE_WAIT(nic->stats.drops[NET_DROP_RUNT] == 2);
    send_frame(pfd, local, 65507, 1);
    wire_nic_expect(&a, 65507, 1);
    send_frame(sfd, local, 60, 2);
    send_to(sfd, local, "", 0);
    send_frame(sfd, local, 65507, 3);
    WIRE_WAIT(wire_nic_drops(&a, "wrong-source") == 3);
    before = mallinfo2();
    for (unsigned i = 1; i <= 10000; i++) {
        send_to(i & 1 ? sfd : pfd, local, "", 0);
        if (i % 50 == 0) {
            while (wire_nic_drops(&a, "wrong-source") + nic->stats.drops[NET_DROP_RUNT] != 5 + i) {
                loop_iterate(false);
            }
        }
    }
    after = mallinfo2();
    g_assert_cmpuint(after.uordblks, <=, before.uordblks + 256);
    send_frame(pfd, local, 60, 4);
    wire_nic_expect(&a, 60, 4);
    g_assert_cmpuint(a.total, ==, 2);
    close(pfd);
    close(sfd);
    wire_nic_close(&a);
}

/* The guest does not fetch: the socket is not read, the queue stays short, and afterwards all goes on in order. */
static void test_busy_guest(void)
{
    uint16_t peer = 0, local = free_port();
    int fd = udp_socket(&peer);
    g_autofree char *opts = inet_opts(local, peer);
    struct net_client *nic;
    struct wire_nic a;

    wire_nic_open_ok(&a, opts);
    nic = nic_client(a.nic);
    a.numbered = true;
    a.full = true;
    for (uint32_t i = 1; i <= 500; i++) {
        send_frame(fd, local, 60, i);
        loop_iterate(false);
    }
    wire_settle(20);
    g_assert_cmpuint(nic->queue.frames, <=, 2);
    wire_nic_unblock(&a);
    WIRE_WAIT_TOTAL(&a, 500);
    g_assert_cmpuint(a.last, ==, 500);
    close(fd);
    wire_nic_close(&a);
}

/* What came while the cable was out is not delivered when it is plugged in again. */
static void test_link(void)
{
    uint16_t peer = 0, local = free_port();
    int fd = udp_socket(&peer);
    g_autofree char *opts = inet_opts(local, peer);
    struct wire_nic a;

    wire_nic_open_ok(&a, opts);
    net_set_link(a.net->name, false, NULL);
    g_assert_false(a.link);
    for (uint32_t i = 1; i <= 100; i++) {
        send_frame(fd, local, 60, i);
        loop_iterate(false);
    }
    net_set_link(a.net->name, true, NULL);
    g_assert_true(a.link);
    send_frame(fd, local, 60, 101);
    wire_nic_expect(&a, 60, 101);
    g_assert_cmpuint(a.total, ==, 1);
    close(fd);
    wire_nic_close(&a);
}

/* --- errors of the socket ------------------------------------------------------------------------------------------------- */

static void test_send_errors(void)
{
    static const int passing[] = { ECONNREFUSED, EHOSTUNREACH, ENETUNREACH, ENETDOWN, EPERM };
    struct wire_nic a, b;
    unsigned n = 0;

    inet_pair(&a, &b);
    /* an error that belongs to an older datagram costs nothing */
    for (unsigned i = 0; i < ARRAY_LEN(passing); i++) {
        send_error = passing[i];
        send_errors = 1;
        wire_nic_send(&a, 60, i);
        wire_nic_expect(&b, 60, i);
    }
    /* one that stays costs the frame, and is counted */
    for (unsigned i = 0; i < ARRAY_LEN(passing); i++) {
        send_error = passing[i];
        send_errors = 2;
        wire_nic_send(&a, 60, 100 + i);
        bh_drain(4);
    }
    g_assert_cmpuint(wire_nic_drops(&a, "nobody-there") + wire_nic_drops(&a, "send-error"), ==, ARRAY_LEN(passing));
    /* no memory, no room: everything waits, the NIC hears BUSY and is woken, nothing is lost */
    send_error = ENOBUFS;
    send_errors = 20;
    send_calls = 0;
    for (uint32_t i = 1; i <= 2000; i++) {
        while (wire_nic_send(&a, 1514, i) == NET_TX_BUSY) {
            unsigned wakes = a.wakes;

            n++;
            WIRE_WAIT(a.wakes != wakes);
        }
    }
    g_assert_cmpuint(n, >, 0);
    for (uint32_t i = 1; i <= 2000; i++) {
        wire_nic_expect(&b, 1514, i);
    }
    wire_nic_close(&a);
    wire_nic_close(&b);
}

static unsigned vanished;

static void event_sink(void *opaque, enum qapi_event ev, struct jval *data)
{
    vanished += ev == QAPI_EVENT_NETDEV_VANISHED;
    jval_free(data);
}

/* The descriptor is no socket any more: said once, link down where asked for, and the main loop sleeps. */
static void test_descriptor_dies(void)
{
    int sv[2], pipes[2];
    g_autofree char *opts = NULL;
    struct wire_nic a;
    unsigned turns = 0;
    int64_t start;

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_DGRAM, 0, sv), ==, 0);
    g_assert_cmpint(pipe(pipes), ==, 0);
    opts = g_strdup_printf("dgram,local.type=fd,local.str=%d,link=follow", sv[1]);
    wire_nic_open_ok(&a, opts);
    qapi_event_set_sink(event_sink, NULL);
    g_assert_true(a.link);
    g_assert_cmpint(dup2(pipes[1], sv[1]), ==, sv[1]);
    wire_nic_send(&a, 60, 1);
    WIRE_WAIT(vanished == 1);
    g_assert_false(a.link);
    g_assert_cmpint(wire_nic_send(&a, 60, 1), ==, NET_TX_DROP);
    start = g_get_monotonic_time();
    while (g_get_monotonic_time() - start < 100000) {
        turns += loop_iterate(false);
        g_usleep(1000);
    }
    g_assert_cmpuint(turns, <, 10);
    g_assert_cmpuint(vanished, ==, 1);
    qapi_event_set_sink(NULL, NULL);
    close(sv[0]);
    close(pipes[0]);
    close(pipes[1]);
    wire_nic_close(&a);
}

/* A connected UDP socket hears of every closed port: that is no end. */
static void test_refused(void)
{
    uint16_t local = 0, port = free_port();
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    int fd = udp_socket(&local), peer;
    g_autofree char *opts = g_strdup_printf("dgram,local.type=fd,local.str=%d", fd);
    struct wire_nic a;

    g_assert_cmpint(connect(fd, (void *)&to, sizeof(to)), ==, 0);
    wire_nic_open_ok(&a, opts);
    for (uint32_t i = 0; i < 3000; i++) {
        g_assert_cmpint(wire_nic_send(&a, 60, i), ==, NET_TX_DONE);
        loop_iterate(false);
        loop_iterate(false);
    }
    wire_settle(5);
    peer = udp_socket(&port);
    send_frame(peer, local, 60, 9);
    wire_nic_expect(&a, 60, 9);
    wire_nic_send(&a, 60, 10);
    bh_drain(4);
    g_assert_cmpint(recv(peer, &to, sizeof(to), 0), ==, sizeof(to));
    close(peer);
    wire_nic_close(&a);
}

/* --- UNIX ------------------------------------------------------------------------------------------------------------------- */

static char *tmp_path(const char *dir, const char *name)
{
    return g_build_filename(dir, name, NULL);
}

/* A slow reader: the queue of its socket is short, the sender waits, no frame is lost and none overtakes another. */
static void test_unix_slow(void)
{
    g_autofree char *dir = g_dir_make_tmp("dgramXXXXXX", NULL), *pa = tmp_path(dir, "a"), *pb = tmp_path(dir, "b");
    g_autofree char *oa = unix_opts(pa, pb), *ob = unix_opts(pb, pa);
    struct wire_nic a, b;
    unsigned busy = 0;

    wire_nic_open_ok(&a, oa);
    wire_nic_open_ok(&b, ob);
    b.numbered = true;
    b.keep_max = 0;
    b.full = true;
    for (uint32_t i = 1; i <= 20000; i++) {
        while (wire_nic_send(&a, 1514, i) == NET_TX_BUSY) {
            unsigned wakes = a.wakes;

            busy++;
            if (b.full) {
                unsigned before = send_calls;
                int64_t start = g_get_monotonic_time();

                while (g_get_monotonic_time() - start < 20000) {
                    loop_iterate(false);
                }
                g_assert_cmpuint(send_calls - before, <, 200);      /* it waits, it does not try all the time */
                g_assert_cmpuint(a.wakes, ==, wakes);
                wire_nic_unblock(&b);
            }
            WIRE_WAIT(a.wakes != wakes);
        }
        if (i % 1000 == 0) {
            b.full = true;
        }
    }
    wire_nic_unblock(&b);
    WIRE_WAIT_TOTAL(&b, 20000);
    g_assert_cmpuint(busy, >, 0);
    g_assert_cmpuint(b.last, ==, 20000);
    wire_nic_close(&a);
    wire_nic_close(&b);
    g_assert_false(g_file_test(pa, G_FILE_TEST_EXISTS));
    g_assert_false(g_file_test(pb, G_FILE_TEST_EXISTS));
    g_rmdir(dir);
}

/* Nobody there, there, dead and back: frames of the times without a peer are counted, the others arrive. */
static void test_unix_peer(void)
{
    g_autofree char *dir = g_dir_make_tmp("dgramXXXXXX", NULL), *pa = tmp_path(dir, "a"), *pb = tmp_path(dir, "b");
    g_autofree char *oa = unix_opts(pa, pb), *ob = unix_opts(pb, pa), *text = NULL;
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    struct wire_nic a, b;
    int fd;

    wire_nic_open_ok(&a, oa);
    wire_nic_send(&a, 60, 1);
    bh_drain(4);
    g_assert_cmpuint(wire_nic_drops(&a, "nobody-there"), ==, 1);
    for (unsigned i = 0; i < 3; i++) {
        wire_nic_open_ok(&b, ob);
        wire_nic_send(&a, 60, 2);
        wire_nic_expect(&b, 60, 2);
        wire_nic_send(&b, 65536, 3);
        wire_nic_expect(&a, 65536, 3);
        wire_nic_close(&b);
        wire_nic_send(&a, 60, 4);
        bh_drain(4);
        g_assert_cmpuint(wire_nic_drops(&a, "nobody-there"), ==, 2 + i);
    }
    /* a path that a living socket has is not taken away from it; one that a killed process left is */
    text = wire_nic_fails(oa);
    g_assert_true(g_str_has_prefix(text, "can't bind unix="));
    g_assert_true(g_str_has_suffix(text, "Address already in use"));
    fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    g_strlcpy(un.sun_path, pb, sizeof(un.sun_path));
    g_assert_cmpint(bind(fd, (void *)&un, sizeof(un)), ==, 0);
    close(fd);
    wire_nic_open_ok(&b, ob);
    wire_nic_send(&b, 60, 5);
    wire_nic_expect(&a, 60, 5);
    /* somebody else has put his socket there meanwhile: it is his */
    g_unlink(pb);
    fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    g_assert_cmpint(bind(fd, (void *)&un, sizeof(un)), ==, 0);
    wire_nic_close(&b);
    g_assert_true(g_file_test(pb, G_FILE_TEST_EXISTS));
    close(fd);
    g_unlink(pb);
    wire_nic_close(&a);
    g_assert_cmpint(g_rmdir(dir), ==, 0);
}

static void test_fd(void)
{
    int sv[2];
    g_autofree char *opts = NULL;
    uint8_t buf[70000];
    struct wire_nic a;

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_DGRAM, 0, sv), ==, 0);
    opts = g_strdup_printf("dgram,local.type=fd,local.str=%d", sv[1]);
    wire_nic_open_ok(&a, opts);
    wire_frame(buf, 65600, 1);
    g_assert_cmpint(send(sv[0], buf, 65600, 0), ==, 65600);
    wire_nic_expect(&a, 65600, 1);
    g_assert_cmpint(send(sv[0], buf, 66500, 0), ==, 66500);            /* longer than any frame */
    g_assert_cmpint(send(sv[0], buf, 0, 0), ==, 0);
    wire_frame(buf, 60, 2);
    g_assert_cmpint(send(sv[0], buf, 60, 0), ==, 60);
    wire_nic_expect(&a, 60, 2);
    g_assert_cmpuint(wire_nic_drops(&a, "too-long"), ==, 1);
    wire_nic_send(&a, 1514, 3);
    bh_drain(4);
    g_assert_cmpint(recv(sv[0], buf, sizeof(buf), 0), ==, 1514);
    close(sv[0]);                                                       /* the other end is gone: frames are lost, the rest lives */
    for (unsigned i = 0; i < 100; i++) {
        g_assert_cmpint(wire_nic_send(&a, 60, i), ==, NET_TX_DONE);
        loop_iterate(false);
    }
    g_assert_cmpuint(wire_nic_drops(&a, "nobody-there"), >=, 99);
    wire_nic_close(&a);
}

/* --- multicast ---------------------------------------------------------------------------------------------------------------- */

static char *mcast_opts(uint16_t port)
{
    return g_strdup_printf("dgram,remote.type=inet,remote.host=230.0.0.1,remote.port=%u,local.type=inet,local.host=127.0.0.1", port);
}

/* Everybody on the bus hears everybody else, once; nobody hears himself. */
static void test_mcast(void)
{
    g_autofree char *opts = mcast_opts(free_port()), *want = NULL;
    struct wire_nic m[3];

    for (unsigned i = 0; i < 3; i++) {
        wire_nic_open_ok(&m[i], opts);
    }
    want = g_strdup_printf("mcast=230.0.0.1:%s", strstr(opts, "port=") + 5);
    *strchr(want, ',') = '\0';
    g_assert_cmpstr(m[0].net->info->str, ==, want);
    for (unsigned round = 0; round < 20; round++) {
        for (unsigned i = 0; i < 3; i++) {
            wire_nic_send(&m[i], 60 + round * 100, 100 * i + round);
            for (unsigned k = 0; k < 3; k++) {
                if (k != i) {
                    wire_nic_expect(&m[k], 60 + round * 100, 100 * i + round);
                }
            }
        }
    }
    for (unsigned i = 0; i < 3; i++) {
        WIRE_WAIT(wire_nic_drops(&m[i], "own") == 20);
        g_assert_cmpuint(m[i].total, ==, 40);
        wire_nic_close(&m[i]);
    }
}

static unsigned ticks;
static int64_t worst_us, last_us;

/* Of this thread alone: how busy the host is makes no difference. */
static int64_t cpu_us(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void tick(void *opaque)
{
    int64_t now = cpu_us();
    struct timer *t = opaque;

    worst_us = MAX(worst_us, now - last_us);
    last_us = now;
    ticks++;
    timer_arm(t, clock_get_ns(CLOCK_RT) + NS_PER_MS);
}

/* Two hubs with two cables between them: a broadcast goes round for ever, but the main loop serves everybody else meanwhile. */
static void test_ring(void)
{
    struct net_client *side[4];
    uint16_t ports[4];
    struct timer t;
    struct wire_nic m = { .keep_max = 0 };
    int64_t start;

    for (unsigned i = 0; i < 4; i++) {
        ports[i] = free_port();
    }
    for (unsigned i = 0; i < 4; i++) {
        g_autofree char *opts = inet_opts(ports[i], ports[i ^ 2]);

        wire_nic_open_ok(&m, opts);                 /* parses and opens; the NIC goes again, a hub port takes its place */
        nic_free(m.nic);
        g_ptr_array_unref(m.frames);
        side[i] = m.net;
        g_assert_nonnull(net_hub_add_port(70 + i / 2, NULL, side[i], NULL));
    }
    m = (struct wire_nic){ .keep_max = 0 };
    {
        struct net_client *port = net_hub_add_port(70, NULL, NULL, NULL);
        g_autofree char *opts = inet_opts(free_port(), free_port());
        uint8_t buf[60];
        struct frame f;

        wire_frame(buf, sizeof(buf), 1);
        frame_from_buf(&f, buf, sizeof(buf));
        timer_setup(&t, CLOCK_RT, tick, &t);
        last_us = cpu_us();
        start = g_get_monotonic_time();
        tick(&t);
        wire_nic_open_ok(&m, opts);
        net_send_queued(side[0], &f);               /* as if it came from outside: all ports of hub 70 but this one */
        while (g_get_monotonic_time() - start < 300000) {
            loop_iterate(true);
        }
        timer_fini(&t);
        wire_nic_close(&m);
        net_client_free(port);
    }
    g_test_message("%u ticks, longest gap %d us, %u frames went round", ticks, (int)worst_us, (unsigned)side[1]->stats.rx_frames);
    g_assert_cmpuint(side[1]->stats.rx_frames, >, 100);
    g_assert_cmpuint(ticks, >, 20);
    g_assert_cmpint(worst_us, <, 100000);
    for (unsigned i = 0; i < 4; i++) {
        g_assert_cmpuint(side[i]->queue.frames, <=, NET_QUEUE_FRAMES);
    }
    for (unsigned i = 0; i < 4; i++) {
        struct net_client *port = side[i]->peer;

        net_client_free(side[i]);
        net_client_free(port);
    }
}

/* --- options -------------------------------------------------------------------------------------------------------------------- */

static void test_options(void)
{
    static const struct {
        const char *opts, *error;
    } cases[] = {
        { "dgram", "dgram requires local= parameter" },
        { "dgram,local.type=inet,local.host=127.0.0.1,local.port=0", "type=inet or type=unix requires remote parameter" },
        { "dgram,local.type=unix,local.path=/tmp/x", "type=inet or type=unix requires remote parameter" },
        { "dgram,local.type=inet,local.host=127.0.0.1,local.port=0,remote.type=unix,remote.path=/tmp/x",
          "remote and local types must be the same" },
        { "dgram,local.type=fd,local.str=0,remote.type=unix,remote.path=/tmp/x", "don't set remote with local.fd" },
        { "dgram,remote.type=unix,remote.path=/tmp/x", "multicast only support inet type" },
        { "dgram,remote.type=inet,remote.host=1.2.3.4,remote.port=1",
          "specified mcastaddr 1.2.3.4 (0x01020304) does not contain a multicast address" },
        { "dgram,remote.type=inet,remote.host=230.0.0.1,remote.port=1,local.type=unix,local.path=/tmp/x",
          "only support inet or fd type for local" },
        { "dgram,local.type=inet,local.host=1.2.3.4,local.port=0,remote.type=inet,remote.host=127.0.0.1,remote.port=1",
          "can't bind ip=1.2.3.4 to socket: Cannot assign requested address" },
        { "dgram,local.type=inet,local.host=127.0.0.1,local.port=0,remote.type=inet,remote.host=nosuchhost.invalid,remote.port=1",
          "can't resolve host address 'nosuchhost.invalid'" },
        { "dgram,local.type=inet,local.host=127.0.0.1,local.port=0,remote.type=inet,remote.host=300.1.1.1,remote.port=1",
          "host address '300.1.1.1' is not a valid IPv4 address" },
        { "dgram,local.type=inet,local.host=127.0.0.1,local.port=0,remote.type=inet,remote.host=127.0.0.1,remote.port=zz#",
          "port number 'zz#' is invalid" },
        { "dgram,local.type=inet,local.host=127.0.0.1,local.port=70000,remote.type=inet,remote.host=127.0.0.1,remote.port=1",
          "port number '70000' is invalid" },
        { "dgram,local.type=inet,local.host=127.0.0.1,remote.type=inet,remote.host=127.0.0.1,remote.port=1",
          "Parameter 'local.port' is missing" },
        { "dgram,local.type=fd,local.str=abc", "Invalid file descriptor number 'abc'" },
        { "dgram,local.type=zz", "Parameter 'local.type' does not accept value 'zz'" },
        { "dgram,local.type=unix,local.path=/tmp/0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
          "0123456789,remote.type=unix,remote.path=/tmp/x",
          "UNIX socket path '/tmp/0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
          "0123456789' is too long" },
    };

    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        g_autofree char *text = wire_nic_fails(cases[i].opts);

        if (strstr(cases[i].opts, "type=zz")) {
            g_assert_nonnull(strstr(text, "does not accept value 'zz'"));
        } else {
            g_assert_cmpstr(text, ==, cases[i].error);
        }
    }
}

static void test_stream_fd(void)
{
    int sv[2];
    g_autofree char *opts = NULL, *text = NULL, *want = NULL;

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), ==, 0);
    opts = g_strdup_printf("dgram,local.type=fd,local.str=%d", sv[1]);
    text = wire_nic_fails(opts);
    want = g_strdup_printf("fd=%d is not a datagram socket", sv[1]);
    g_assert_cmpstr(text, ==, want);
    close(sv[0]);
    close(sv[1]);
}

static void test_info(void)
{
    uint16_t pa = free_port(), pb = free_port();
    g_autofree char *dir = g_dir_make_tmp("dgramXXXXXX", NULL), *ua = tmp_path(dir, "a"), *ub = tmp_path(dir, "b");
    g_autofree char *oa = inet_opts(pa, pb), *want = g_strdup_printf("udp=127.0.0.1:%u/127.0.0.1:%u", pa, pb);
    g_autofree char *uo = unix_opts(ua, ub), *uwant = g_strdup_printf("udp=%s:%s", ua, ub), *fo = NULL, *fwant = NULL;
    struct wire_nic a;
    int sv[2];

    wire_nic_open_ok(&a, oa);
    g_assert_cmpstr(a.net->info->str, ==, want);
    wire_nic_close(&a);
    wire_nic_open_ok(&a, uo);
    g_assert_cmpstr(a.net->info->str, ==, uwant);
    wire_nic_close(&a);
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_DGRAM, 0, sv), ==, 0);
    fo = g_strdup_printf("dgram,local.type=fd,local.str=%d", sv[1]);
    fwant = g_strdup_printf("fd=%d unix", sv[1]);
    wire_nic_open_ok(&a, fo);
    g_assert_cmpstr(a.net->info->str, ==, fwant);
    wire_nic_close(&a);
    close(sv[0]);
    g_rmdir(dir);
}

static void test_ipv6(void)
{
    uint16_t pa = free_port(), pb = free_port();
    g_autofree char *oa = g_strdup_printf("dgram,local.type=inet,local.host=::1,local.port=%u,remote.type=inet,remote.host=::1,remote.port=%u",
                                          pa, pb);
    g_autofree char *ob = g_strdup_printf("dgram,local.type=inet,local.host=,local.port=%u,remote.type=inet,remote.host=::1,remote.port=%u",
                                          pb, pa);
    int fd = socket(AF_INET6, SOCK_DGRAM, 0);
    struct sockaddr_in6 lo = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    struct wire_nic a, b;

    if (fd < 0 || bind(fd, (void *)&lo, sizeof(lo)) < 0) {
        g_test_skip("IPv6 loopback");
        close(fd);
        return;
    }
    close(fd);
    wire_nic_open_ok(&a, oa);
    wire_nic_open_ok(&b, ob);
    wire_nic_send(&a, 1514, 1);
    wire_nic_expect(&b, 1514, 1);
    wire_nic_send(&b, 1514, 2);
    wire_nic_expect(&a, 1514, 2);
    wire_nic_close(&a);
    wire_nic_close(&b);
}

/* --- how fast --------------------------------------------------------------------------------------------------------------------- */

static void pump(struct wire_nic *from, struct wire_nic *to, size_t len, const char *what)
{
    uint8_t buf[1514];
    int64_t start = g_get_monotonic_time(), us;
    unsigned n = 0, got = to->total;

    wire_frame(buf, len, 1);
    while (g_get_monotonic_time() - start < 1000000) {
        for (unsigned i = 0; i < 128 && wire_nic_send_raw(from, buf, len) == NET_TX_DONE; i++) {
            n++;
        }
        loop_iterate(false);
    }
    us = g_get_monotonic_time() - start;
    wire_settle(5);
    g_test_message("%s, %zu bytes: sent %.0f frames/s, %.2f us a frame both ends, %.1f%% arrived", what, len, n * 1e6 / (double)us,
                   (double)us / MAX(n, 1), 100.0 * (to->total - got) / MAX(n, 1));
}

static void test_speed(void)
{
    g_autofree char *dir = g_dir_make_tmp("dgramXXXXXX", NULL), *pa = tmp_path(dir, "a"), *pb = tmp_path(dir, "b");
    g_autofree char *oa = unix_opts(pa, pb), *ob = unix_opts(pb, pa);
    g_autofree char *fa = NULL, *fb = NULL;
    struct wire_nic a, b;
    int sv[2];

    inet_pair(&a, &b);
    a.keep_max = b.keep_max = 0;
    pump(&a, &b, 1514, "UDP forth");
    pump(&b, &a, 1514, "UDP back");
    pump(&a, &b, 64, "UDP forth");
    pump(&b, &a, 64, "UDP back");
    wire_nic_close(&a);
    wire_nic_close(&b);
    wire_nic_open_ok(&a, oa);
    wire_nic_open_ok(&b, ob);
    a.keep_max = b.keep_max = 0;
    pump(&a, &b, 1514, "UNIX");
    pump(&a, &b, 64, "UNIX");
    wire_nic_close(&a);
    wire_nic_close(&b);
    g_rmdir(dir);
    g_assert_cmpint(socketpair(AF_UNIX, SOCK_DGRAM, 0, sv), ==, 0);
    fa = g_strdup_printf("dgram,local.type=fd,local.str=%d", sv[0]);
    fb = g_strdup_printf("dgram,local.type=fd,local.str=%d", sv[1]);
    wire_nic_open_ok(&a, fa);
    wire_nic_open_ok(&b, fb);
    a.keep_max = b.keep_max = 0;
    pump(&a, &b, 1514, "pair");
    pump(&a, &b, 64, "pair");
    wire_nic_close(&a);
    wire_nic_close(&b);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    loop_init();
    g_test_add_func("/dgram/inet/sizes", test_inet_sizes);
    g_test_add_func("/dgram/inet/runs", test_runs);
    g_test_add_func("/dgram/inet/no-gso", test_no_gso);
    g_test_add_func("/dgram/inet/hostile", test_hostile);
    g_test_add_func("/dgram/inet/busy-guest", test_busy_guest);
    g_test_add_func("/dgram/inet/link", test_link);
    g_test_add_func("/dgram/inet/ipv6", test_ipv6);
    g_test_add_func("/dgram/errors/send", test_send_errors);
    g_test_add_func("/dgram/errors/descriptor", test_descriptor_dies);
    g_test_add_func("/dgram/errors/refused", test_refused);
    g_test_add_func("/dgram/unix/slow", test_unix_slow);
    g_test_add_func("/dgram/unix/peer", test_unix_peer);
    g_test_add_func("/dgram/fd", test_fd);
    g_test_add_func("/dgram/mcast", test_mcast);
    g_test_add_func("/dgram/ring", test_ring);
    g_test_add_func("/dgram/options", test_options);
    g_test_add_func("/dgram/stream-fd", test_stream_fd);
    g_test_add_func("/dgram/info", test_info);
    if (g_test_perf()) {
        g_test_add_func("/dgram/speed", test_speed);
    }
    return g_test_run();
}
