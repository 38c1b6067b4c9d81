/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/test-af-xdp.c - the af-xdp backend on a veth pair in a network namespace of this process; the far end is an AF_PACKET socket
 *
 * Needs root, ip(8) and a kernel with AF_XDP; else it is skipped, but for the options.
 */
#include "core/loop.h"
#include "lib/bits.h"
#include "lib/bytes.h"
#include "qapi/schema.h"
#include "wire_nic.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_xdp.h>
#include <net/if.h>
#include <netpacket/packet.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *missing;             /* why the tests with an interface cannot run */

static bool deaf;                       /* the kernel does not hear that there is something to send */

ssize_t sendto(int fd, const void *p, size_t len, int flags, const struct sockaddr *to, socklen_t to_len)
{
    if (deaf && !p) {
        errno = EAGAIN;
        return -1;
    }
    return syscall(SYS_sendto, fd, p, len, flags, to, to_len);
}

static void sh(const char *cmd)
{
    g_assert_cmpint(system(cmd), ==, 0);
}

static void prepare(void)
{
    int fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        missing = "AF_XDP sockets (root, kernel)";
        return;
    }
    close(fd);
    if (unshare(CLONE_NEWNET) < 0) {
        missing = "a network namespace (root)";
    } else if (system("ip link add xa numrxqueues 2 numtxqueues 2 type veth peer name xb numrxqueues 2 numtxqueues 2 2>/dev/null")) {
        missing = "ip and veth interfaces";
    } else {
        sh("ip link set xa up && ip link set xb up arp off");
        sh("for i in xa xb; do echo 1 > /proc/sys/net/ipv6/conf/$i/disable_ipv6; done 2>/dev/null; true");
    }
}

static int far_end(void)
{
    struct sockaddr_ll a = { .sll_family = AF_PACKET, .sll_protocol = htons(0x88B5), .sll_ifindex = (int)if_nametoindex("xb") };
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(0x88B5));

    g_assert_cmpint(bind(fd, (void *)&a, sizeof(a)), ==, 0);
    g_assert_cmpint(setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &(int){ 64 << 20 }, sizeof(int)), ==, 0);
    return fd;
}

static void far_send(int fd, size_t len, uint32_t seq)
{
    uint8_t buf[4096];

    wire_frame(buf, len, seq);
    g_assert_cmpint(send(fd, buf, len, 0), ==, len);
}

/* The next frame that the NIC's side sent, 0: none now */
static size_t far_recv(int fd, uint8_t *buf, size_t room)
{
    struct sockaddr_ll from;
    socklen_t len = sizeof(from);
    ssize_t n;

    do {
        n = recvfrom(fd, buf, room, MSG_DONTWAIT, (void *)&from, &len);
    } while (n >= 0 && from.sll_pkttype == PACKET_OUTGOING);
    return n < 0 ? 0 : (size_t)n;
}

static void both_ways(struct wire_nic *w, int fd)
{
    static const size_t sizes[] = { 60, 61, 64, 590, 1514 };
    uint8_t buf[4096], want[4096];

    for (uint32_t i = 0; i < ARRAY_LEN(sizes); i++) {
        size_t n;

        far_send(fd, sizes[i], i + 1);
        wire_nic_expect(w, sizes[i], i + 1);
        g_assert_cmpint(wire_nic_send(w, sizes[i], i + 100), ==, NET_TX_DONE);
        WIRE_WAIT((n = far_recv(fd, buf, sizeof(buf))));
        wire_frame(want, sizes[i], i + 100);
        g_assert_cmpmem(buf, n, want, sizes[i]);
    }
}

static bool skip(void)
{
    if (missing) {
        g_test_skip(missing);
    }
    return missing != NULL;
}

static void test_modes(void)
{
    static const char *const opts[] = { "af-xdp,ifname=xa,mode=skb", "af-xdp,ifname=xa", "af-xdp,ifname=xa,mode=native,force-copy=on",
                                        "af-xdp,ifname=xa,queues=2", "af-xdp,ifname=xa,mode=skb" };
    struct wire_nic w;
    int fd;

    if (skip()) {
        return;
    }
    fd = far_end();
    for (unsigned i = 0; i < ARRAY_LEN(opts); i++) {
        wire_nic_open_ok(&w, opts[i]);
        g_assert_cmpstr(w.net->info->str, ==, "af-xdp0 to xa");
        both_ways(&w, fd);
        g_assert_cmpint(wire_nic_send(&w, 5000, 1), ==, NET_TX_DROP);
        g_assert_cmpuint(wire_nic_drops(&w, "too-big-to-send"), ==, 1);
        wire_nic_close(&w);
        sh("! ip link show xa | grep -q xdp");              /* nothing of ours stays on the interface */
    }
    close(fd);
}

/* More frames than there is memory for, at once: BUSY, woken, all sent, in order. */
static void test_burst(void)
{
    uint8_t buf[4096];
    uint32_t got = 0, busy = 0;
    struct wire_nic w;
    int fd;

    if (skip()) {
        return;
    }
    fd = far_end();
    wire_nic_open_ok(&w, "af-xdp,ifname=xa,mode=skb");
    for (uint32_t i = 1; i <= 20000;) {
        unsigned wakes = w.wakes;

        deaf = !busy;
        if (wire_nic_send(&w, 1514, i) == NET_TX_DONE) {
            i++;
        } else {
            busy++;
            deaf = false;
            WIRE_WAIT(w.wakes != wakes);
        }
        while (far_recv(fd, buf, sizeof(buf))) {
            g_assert_cmpuint(ld_be32(buf + 14), ==, ++got);
        }
    }
    while (got < 20000) {
        wire_turn();
        while (far_recv(fd, buf, sizeof(buf))) {
            g_assert_cmpuint(ld_be32(buf + 14), ==, ++got);
        }
    }
    wire_turn_end();
    g_assert_cmpuint(busy, >, 0);
    close(fd);
    wire_nic_close(&w);
}

/* The guest does not fetch: nothing is taken from the rings, which the kernel lets overflow; afterwards all goes on, in order. */
static void test_busy_guest(void)
{
    struct wire_nic w;
    int fd;

    if (skip()) {
        return;
    }
    fd = far_end();
    wire_nic_open_ok(&w, "af-xdp,ifname=xa,mode=skb");
    w.full = w.numbered = true;
    w.keep_max = 0;
    for (uint32_t i = 1; i <= 6000; i++) {
        far_send(fd, 64, i);
        loop_iterate(false);
    }
    wire_settle(20);
    g_assert_cmpuint(nic_client(w.nic)->queue.frames, <=, 2);
    wire_nic_unblock(&w);
    WIRE_WAIT(w.total >= 2000);
    wire_settle(20);
    far_send(fd, 64, 7000);
    WIRE_WAIT(w.last == 7000);
    for (uint32_t i = 7001; i <= 17000; i++) {              /* the fill ring has come round several times */
        far_send(fd, 64, i);
        if (i % 500 == 0) {
            WIRE_WAIT(w.last == i);
        }
    }
    close(fd);
    wire_nic_close(&w);
}

static unsigned vanished;

static void event_sink(void *opaque, enum qapi_event ev, struct jval *data)
{
    vanished += ev == QAPI_EVENT_NETDEV_VANISHED;
    jval_free(data);
}

static void test_vanishes(void)
{
    struct wire_nic w;

    if (skip()) {
        return;
    }
    sh("ip link add xc type veth peer name xd && ip link set xc up && ip link set xd up");
    wire_nic_open_ok(&w, "af-xdp,ifname=xc,mode=skb");
    qapi_event_set_sink(event_sink, NULL);
    sh("ip link del xc");
    for (uint32_t i = 0; i < 100; i++) {
        wire_nic_send(&w, 1514, i);
    }
    WIRE_WAIT(vanished == 1);
    g_assert_false(w.link);
    g_assert_cmpint(wire_nic_send(&w, 60, 1), ==, NET_TX_DROP);
    qapi_event_set_sink(NULL, NULL);
    wire_nic_close(&w);
}

static void test_options(void)
{
    static const struct {
        const char *opts, *error;
    } cases[] = {
        { "af-xdp", "Parameter 'ifname' is missing" },
        { "af-xdp,ifname=nosuch", "failed to get ifindex for 'nosuch': No such device" },
        { "af-xdp,ifname=lo,inhibit=on", "'inhibit=on' requires 'sock-fds' or 'map-path'" },
        { "af-xdp,ifname=lo,sock-fds=3", "'sock-fds' and 'map-path' require 'inhibit=on'" },
        { "af-xdp,ifname=lo,map-path=/x", "'sock-fds' and 'map-path' require 'inhibit=on'" },
        { "af-xdp,ifname=lo,inhibit=on,map-path=/x,sock-fds=3", "'sock-fds' and 'map-path' are mutually exclusive" },
        { "af-xdp,ifname=lo,inhibit=on,sock-fds=3,map-start-index=1", "'map-start-index' requires 'map-path'" },
        { "af-xdp,ifname=lo,queues=0", "invalid number of queues (0) for 'lo'" },
        { "af-xdp,ifname=lo,queues=4294967296", "invalid number of queues (4294967296) for 'lo'" },
        { "af-xdp,ifname=lo,inhibit=on,queues=2,sock-fds=0", "expected 2 socket fds, got 1" },
        { "af-xdp,ifname=lo,inhibit=on,sock-fds=0", "fd=0 is not an AF_XDP socket" },
        { "af-xdp,ifname=lo,mode=zz", "Parameter 'mode' does not accept value 'zz'" },
    };

    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        g_autofree char *text = wire_nic_fails(cases[i].opts);

        g_assert_cmpstr(text, ==, cases[i].error);
    }
    if (!missing) {
        g_autofree char *text = wire_nic_fails("af-xdp,ifname=xa,mode=skb,start-queue=2");

        g_assert_cmpstr(text, ==, "failed to create AF_XDP socket for queue 2 of 'xa': Invalid argument");
        g_free(text);
        text = wire_nic_fails("af-xdp,ifname=xa,inhibit=on,map-path=/nonexistent");
        g_assert_cmpstr(text, ==, "failed to open map '/nonexistent': No such file or directory");
    }
}

/* A socket that somebody else has made, in a map of somebody else: here there is no program, so only sending can be seen. */
static void test_socket_given(void)
{
    g_autofree char *opts = NULL;
    uint8_t buf[4096];
    struct wire_nic w;
    int fd;

    if (skip()) {
        return;
    }
    fd = far_end();
    opts = g_strdup_printf("af-xdp,ifname=xa,inhibit=on,sock-fds=%d", socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0));
    wire_nic_open_ok(&w, opts);
    wire_nic_send(&w, 100, 5);
    WIRE_WAIT(far_recv(fd, buf, sizeof(buf)) == 100);
    wire_nic_close(&w);
    close(fd);
}

static unsigned open_fds(void)
{
    g_autoptr(GDir) d = g_dir_open("/proc/self/fd", 0, NULL);
    unsigned n = 0;

    while (g_dir_read_name(d)) {
        n++;
    }
    return n;
}

static void test_reopen(void)
{
    struct wire_nic w;
    unsigned before;

    if (skip()) {
        return;
    }
    before = open_fds();
    for (unsigned i = 0; i < 10; i++) {
        g_autofree char *text = wire_nic_fails("af-xdp,ifname=xa,mode=skb,queues=3");       /* the third fails, the first two are undone */

        wire_nic_open_ok(&w, "af-xdp,ifname=xa,mode=skb");
        wire_nic_send(&w, 60, i);
        wire_nic_close(&w);
    }
    g_assert_cmpuint(open_fds(), ==, before);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    prepare();
    loop_init();
    g_test_add_func("/af-xdp/modes", test_modes);
    g_test_add_func("/af-xdp/burst", test_burst);
    g_test_add_func("/af-xdp/busy-guest", test_busy_guest);
    g_test_add_func("/af-xdp/vanishes", test_vanishes);
    g_test_add_func("/af-xdp/options", test_options);
    g_test_add_func("/af-xdp/socket-given", test_socket_given);
    g_test_add_func("/af-xdp/reopen", test_reopen);
    return g_test_run();
}
