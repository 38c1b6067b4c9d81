/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/test-tap.c - -netdev tap on a real interface: option texts, frames of every kind both ways, backpressure, errors of write
 *
 * writev() of the backend is ours: it can fail on demand.
 */
#include "tests/lib/tap_rig.h"
#include "net/backends/tap_linux.h"
#include "net/client.h"
#include "pkt.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

/* --- injected errors -------------------------------------------------------------------------------------------------- */

static int fail_writes, fail_errno;

ssize_t writev(int fd, const struct iovec *iov, int n)
{
    if (fail_writes) {
        fail_writes--;
        errno = fail_errno;
        return -1;
    }
    return syscall(SYS_writev, fd, iov, n);
}

/* --- option texts ------------------------------------------------------------------------------------------------------- */

static void test_messages(void)
{
    static const struct {
        const char *opts, *text;
    } rows[] = {
        { "tap,id=t,fd=3,fds=4:5", "queues=, helper=, fds= and fd= are mutual exclusive" },
        { "tap,id=t,fd=3,helper=/bin/false", "queues=, helper=, fds= and fd= are mutual exclusive" },
        { "tap,id=t,fds=3:4,queues=2", "queues=, helper=, fds= and fd= are mutual exclusive" },
        { "tap,id=t,helper=/bin/false,queues=1", "queues=, helper=, fds= and fd= are mutual exclusive" },
        { "tap,id=t,fd=3,ifname=x", "ifname=, script=, downscript=, vnet_hdr= are invalid with fd=/fds=/helper=" },
        { "tap,id=t,fds=3:4,script=no", "ifname=, script=, downscript=, vnet_hdr= are invalid with fd=/fds=/helper=" },
        { "tap,id=t,helper=/bin/false,downscript=no", "ifname=, script=, downscript=, vnet_hdr= are invalid with fd=/fds=/helper=" },
        { "tap,id=t,fd=3,vnet_hdr=on", "ifname=, script=, downscript=, vnet_hdr= are invalid with fd=/fds=/helper=" },
        { "tap,id=t,queues=0", "queues must be greater than zero" },
        { "tap,id=t,queues=257", "257 queues, a tap has at most 256" },
        { "tap,id=t,ifname=abcdefghijklmnop", "interface name 'abcdefghijklmnop' is longer than 15 characters" },
        { "tap,id=t,ifname=lo,script=no,downscript=no", "could not configure /dev/net/tun (lo): Invalid argument" },
        { "tap,id=t,ifname=a/b,script=no,downscript=no", "could not configure /dev/net/tun (a/b): Invalid argument" },
        { "tap,id=t,fd=abc", "Invalid file descriptor number 'abc'" },
        { "tap,id=t,fd=3:4", "Invalid file descriptor number '3:4'" },
        { "tap,id=t,fd=-1", "Invalid file descriptor number '-1'" },
        { "tap,id=t,fd=99", "Can't set file descriptor 99 non-blocking: Bad file descriptor" },
        { "tap,id=t,fds=", "no fds passed" },
        { "tap,id=t,fds=99:abc", "Can't set file descriptor 99 non-blocking: Bad file descriptor" },
        { "tap,id=t,sndbuf=zz", "Parameter 'sndbuf' expects a size value" },
        { "tap,id=t,vhost=off,vhostfd=3", "vhostfd(s)= is not valid without vhost" },
        { "tap,id=t,vhost=off,vhostfds=3:4", "vhostfd(s)= is not valid without vhost" },
        { "tap,id=t,fds=3:4,vhostfds=5", "expected 2 socket fds, got 1" },
        { "tap,id=t,vhostfd=abc", "Invalid file descriptor number 'abc'" },
        { "tap,id=t,vhostfd=0,vhostforce=on", "vhost-net requested but could not be initialized" },
        { "tap,id=t,helper=/bin/false", "bridge helper failed" },
        { "tap,id=t,helper=/nonexistent/helper", "bridge helper failed" },
        { "tap,id=t,helper=exit 3 #", "bridge helper failed" },
        { "bridge,id=t,helper=/bin/false", "bridge helper failed" },
        { "bridged,id=t", "Parameter 'ifname' is missing" },
        { "bridged,id=t,ifname=nosuch", "there is no interface 'nosuch' on this host" },
        { "bridged,id=t,ifname=lo,mode=zz", "Parameter 'mode' does not accept value 'zz'" },
    };

    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        Error *err = NULL;

        g_test_message("%s", rows[i].opts);
        g_assert_null(open_netdev(rows[i].opts, &err));
        g_assert_cmpstr(error_text(err), ==, rows[i].text);
        error_free(err);
        g_assert_null(net_client_find("t"));
    }
    if (access("/dev/vhost-net", F_OK) < 0) {
        Error *err = NULL;

        g_assert_null(open_netdev("tap,id=t,vhostforce=on", &err));
        g_assert_cmpstr(error_text(err), ==, "Could not open '/dev/vhost-net': No such file or directory");
        error_free(err);
    }
}

static void test_vhost_on(void)
{
    if (g_test_subprocess()) {
        g_autofree char *opts = NULL;
        int p[2];
        char b;

        g_assert_cmpint(pipe(p), ==, 0);
        opts = g_strdup_printf("tap,id=l,script=no,downscript=no,vhostfd=%d", p[1]);

        g_assert_nonnull(open_netdev("tap,id=t,script=no,downscript=no,vhost=on,poll-us=50", NULL));
        g_assert_nonnull(open_netdev(opts, NULL));      /* as libvirt does; it is ours to close */
        g_assert_cmpint(read(p[0], &b, 1), ==, 0);
        net_cleanup();
        return;
    }
    g_test_trap_subprocess(NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
    g_test_trap_assert_passed();
    g_test_trap_assert_stderr("*warning: netdev 't': *going on in user space*");
}

/* --- frames -------------------------------------------------------------------------------------------------------------- */

static void test_plain(void)
{
    static uint8_t buf[2000];
    int fd;

    plugged("tap,id=t,ifname=pt0,script=no,downscript=no");
    ip("link set pt0 up");
    fd = packet_socket("pt0");
    for (size_t len = 14; len <= 1514; len += len < 80 ? 1 : 61) {
        struct pkt_meta none = { 0 };
        struct got *g;

        g_test_message("%zu bytes", len);
        plain(buf, len, true, (unsigned)len);
        g_assert_cmpint(guest_send(buf, len, &none), ==, NET_TX_DONE);
        g = host_wait(fd);
        g_assert_cmpmem(g->data, g->len, buf, len);
        g_free(g);
        plain(buf, len, false, (unsigned)len);
        host_send(fd, buf, len, &none);
        WAIT(guest.rx->len == 1);
        g = guest.rx->pdata[0];
        g_assert_cmpmem(g->data, g->len, buf, len);
        g_assert_cmpint(g->meta.flags | g->meta.gso | g->meta.queue, ==, 0);
        g_ptr_array_set_size(guest.rx, 0);
    }
    close(fd);
    unplug("t");
    g_assert_cmpuint(if_nametoindex("pt0"), ==, 0);
}

/* Without vnet header the core finishes everything before it reaches the kernel */
static void test_no_header(void)
{
    static uint8_t buf[FRAME_MAX];
    struct pkt_meta m;
    struct got *g;
    size_t len, sum = 0;
    int fd;

    plugged("tap,id=t,ifname=pt0,script=no,downscript=no,vnet_hdr=off");
    ip("link set pt0 up");
    fd = packet_socket("pt0");
    len = big_frame(buf, true, false, PKT_GSO_TCP4, &m);
    g_assert_cmpint(guest_send(buf, len, &m), ==, NET_TX_DONE);
    while (sum < TAP_RIG_BIG) {
        g = host_wait(fd);
        g_assert_cmpuint(g->len, <=, 54 + TAP_RIG_MSS);
        g_assert_cmpint(g->meta.flags & PKT_NEEDS_CSUM, ==, 0);
        g_assert_true(csum_right(g->data, g->len));
        g_assert_cmpmem(g->data + 54, g->len - 54, buf + 54 + sum, MIN(TAP_RIG_MSS, TAP_RIG_BIG - sum));
        sum += g->len - 54;
        g_free(g);
    }
    close(fd);
    unplug("t");
}

static const struct big {
    bool ip6, ecn;
    enum pkt_gso gso;
} bigs[] = { { false, false, PKT_GSO_TCP4 }, { true, false, PKT_GSO_TCP6 }, { false, true, PKT_GSO_TCP4 }, { false, false, PKT_GSO_UDP },
             { true, false, PKT_GSO_UDP } };

static void check_whole(const struct got *g, const uint8_t *want, size_t len, const struct pkt_meta *m, const struct big *b)
{
    g_assert_cmpuint(g->len, ==, len);
    g_assert_cmpint(g->meta.gso, ==, b->gso);
    g_assert_cmpint(g->meta.gso_size, ==, TAP_RIG_MSS);
    g_assert_true(g->meta.flags & PKT_NEEDS_CSUM);
    g_assert_cmpint(!!(g->meta.flags & PKT_ECN), ==, b->ecn);
    g_assert_cmpint(g->meta.csum_start, ==, m->csum_start);
    g_assert_cmpint(g->meta.csum_off, ==, m->csum_off);
    g_assert_cmpmem(g->data + m->hdr_len, g->len - m->hdr_len, want + m->hdr_len, len - m->hdr_len);
}

/* 60,000 bytes cross the interface in one piece, both ways; for a NIC that cannot take them they are cut on our side */
static void test_whole(void)
{
    static uint8_t buf[FRAME_MAX];
    struct tap_info info;
    bool uso;
    int fd;

    {
        char name[IFNAMSIZ] = "pt9";
        int probe = tap_linux_open(name, false, TAP_VNET_ON, &info, NULL);

        g_assert_cmpint(probe, >=, 0);
        uso = tap_linux_offloads(probe) & PKT_CAP_USO;
        close(probe);
    }
    plugged("tap,id=t,ifname=pt0,script=no,downscript=no");
    ip("link set pt0 up");
    fd = packet_socket("pt0");
    for (unsigned i = 0; i < ARRAY_LEN(bigs); i++) {
        const struct big *b = &bigs[i];
        struct pkt_meta m;
        struct got *g;
        size_t len, sum = 0, hdr;

        if (b->gso == PKT_GSO_UDP && !uso) {
            continue;
        }
        g_test_message("gso %d ip6 %d ecn %d", b->gso, b->ip6, b->ecn);
        len = big_frame(buf, true, b->ip6, b->gso, &m);
        m.flags |= b->ecn ? PKT_ECN : 0;
        m.hdr_len = b->ecn ? 0 : m.hdr_len;             /* a guest's hint may be missing */
        g_assert_cmpint(guest_send(buf, len, &m), ==, NET_TX_DONE);
        g = host_wait(fd);
        m.hdr_len = (uint16_t)(m.csum_start + (b->gso == PKT_GSO_UDP ? 8 : 20));
        check_whole(g, buf, len, &m, b);
        g_free(g);

        len = big_frame(buf, false, b->ip6, b->gso, &m);
        m.flags |= b->ecn ? PKT_ECN : 0;
        hdr = m.hdr_len;
        guest.caps = PKT_CAP_ALL;
        host_send(fd, buf, len, &m);
        WAIT(guest.rx->len == 1);
        check_whole(guest.rx->pdata[0], buf, len, &m, b);
        g_ptr_array_set_size(guest.rx, 0);

        guest.caps = 0;
        host_send(fd, buf, len, &m);
        WAIT(guest.rx->len == (TAP_RIG_BIG + TAP_RIG_MSS - 1) / TAP_RIG_MSS);
        for (unsigned k = 0; k < guest.rx->len; k++) {
            g = guest.rx->pdata[k];
            g_assert_true(csum_right(g->data, g->len));
            g_assert_cmpmem(g->data + hdr, g->len - hdr, buf + hdr + sum, MIN(TAP_RIG_MSS, TAP_RIG_BIG - sum));
            sum += g->len - hdr;
        }
        g_assert_cmpuint(sum, ==, TAP_RIG_BIG);
        g_ptr_array_set_size(guest.rx, 0);
    }
    close(fd);
    unplug("t");
}

/* A checksum that is still open stays so across the interface */
static void test_open_csum(void)
{
    uint8_t buf[200];
    struct pkt_meta m = { .flags = PKT_NEEDS_CSUM, .csum_start = 34, .csum_off = 6 };
    struct got *g;
    uint16_t sum;
    int fd;

    plugged("tap,id=t,ifname=pt0,script=no,downscript=no");
    ip("link set pt0 up");
    fd = packet_socket("pt0");
    for (unsigned in = 0; in < 2; in++) {
        uint8_t *l3 = pkt_eth(buf, in ? pkt_guest_mac : pkt_host_mac, in ? pkt_host_mac : pkt_guest_mac, 0x0800);
        uint8_t *l4 = pkt_ip4(l3, in ? pkt_host_ip : pkt_guest_ip, in ? pkt_guest_ip : pkt_host_ip, 17, 28);

        memset(l4, 0x55, 28);
        st_be16(l4 + 4, 28);
        sum = csum_fold(csum_pseudo(l3, PKT_L3_IP4, 17, 28));
        memcpy(l4 + 6, &sum, 2);
        if (!in) {
            g_assert_cmpint(guest_send(buf, 62, &m), ==, NET_TX_DONE);
            g = host_wait(fd);
        } else {
            host_send(fd, buf, 62, &m);
            WAIT(guest.rx->len == 1);
            g = guest.rx->pdata[0];
        }
        g_assert_cmpmem(g->data, g->len, buf, 62);
        g_assert_true(g->meta.flags & PKT_NEEDS_CSUM);
        g_assert_cmpint(g->meta.csum_start, ==, 34);
        if (!in) {
            g_free(g);
        }
    }
    close(fd);
    unplug("t");
}

/* --- backpressure and errors ----------------------------------------------------------------------------------------------- */

static void test_busy_guest(void)
{
    enum { FRAMES = 400 };
    uint8_t buf[100];
    int fd;

    plugged("tap,id=t,ifname=pt0,script=no,downscript=no");
    ip("link set pt0 txqueuelen 1000 up");
    fd = packet_socket("pt0");
    guest.full = true;
    for (unsigned i = 0; i < FRAMES; i++) {
        struct pkt_meta none = { 0 };

        plain(buf, 60, false, i);
        st_be16(buf + 14, i);
        host_send(fd, buf, 60, &none);
    }
    WAIT(guest.refused == 1);
    assert_idle();                  /* reading has stopped, the rest waits in the kernel */
    g_assert_cmpuint(guest.refused, ==, 1);
    guest.full = false;
    nic_rx_ready(guest.nic);
    WAIT(guest.rx->len == FRAMES);
    for (unsigned i = 0; i < FRAMES; i++) {
        g_assert_cmpuint(ld_be16(((struct got *)guest.rx->pdata[i])->data + 14), ==, i);
    }
    close(fd);
    unplug("t");
}

static void test_write_errors(void)
{
    struct pkt_meta none = { 0 };
    struct net_client *c;
    uint8_t buf[100];
    struct got *g;
    int fd;

    c = plugged("tap,id=t,ifname=pt0,script=no,downscript=no,sndbuf=64k");
    ip("link set pt0 up");
    fd = packet_socket("pt0");
    plain(buf, 60, true, 1);

    fail_writes = 1;                /* full: kept by the core, sent when the descriptor is writable, nothing else goes first */
    fail_errno = EAGAIN;
    g_assert_cmpint(guest_send(buf, 60, &none), ==, NET_TX_DONE);
    buf[14] = 2;
    g_assert_cmpint(guest_send(buf, 60, &none), ==, NET_TX_BUSY);
    WAIT(guest.ready);
    g_assert_cmpint(guest_send(buf, 60, &none), ==, NET_TX_DONE);
    for (unsigned i = 0; i < 2; i++) {
        g = host_wait(fd);
        g_assert_cmpint(g->data[14], ==, i ? 2 : (uint8_t)(14 * 7 + 1));
        g_free(g);
    }
    static const int lost[] = { ENOBUFS, ENOMEM, EINVAL, EIO, EBADFD };    /* one frame is lost; the interface is there */
    for (unsigned i = 0; i < ARRAY_LEN(lost); i++) {
        uint64_t before = c->stats.drops[NET_DROP_REFUSED];

        fail_writes = 1;
        fail_errno = lost[i];
        g_assert_cmpint(guest_send(buf, 60, &none), ==, NET_TX_DROP);
        g_assert_cmpuint(c->stats.drops[NET_DROP_REFUSED], ==, before + 1);
        g_assert_cmpint(guest_send(buf, 60, &none), ==, NET_TX_DONE);
        g_free(host_wait(fd));
        g_assert_true(guest.link);
    }
    ip("link set pt0 down");        /* as a cut cable; it works again without anybody's help */
    g_assert_cmpint(guest_send(buf, 60, &none), ==, NET_TX_DROP);
    assert_idle();
    ip("link set pt0 up");
    g_assert_cmpint(guest_send(buf, 60, &none), ==, NET_TX_DONE);
    g_free(host_wait(fd));
    close(fd);
    unplug("t");
}

static void test_stale(void)
{
    struct pkt_meta none = { 0 };
    uint8_t buf[100];
    int fd;

    plugged("tap,id=t,ifname=pt0,script=no,downscript=no");
    ip("link set pt0 up");
    fd = packet_socket("pt0");
    g_assert_true(net_set_link("t", false, NULL));
    for (unsigned i = 0; i < 50; i++) {
        host_send(fd, buf, plain(buf, 60, false, 1), &none);
    }
    assert_idle();
    g_assert_true(net_set_link("t", true, NULL));
    host_send(fd, buf, plain(buf, 60, false, 9), &none);
    WAIT(guest.rx->len);
    g_assert_cmpint(((struct got *)guest.rx->pdata[0])->data[20], ==, (uint8_t)(20 * 7 + 9));
    close(fd);
    unplug("t");
}

static void add(void)
{
    g_test_add_func("/tap/messages", test_messages);
    g_test_add_func("/tap/vhost-on", test_vhost_on);
    g_test_add_func("/tap/plain", test_plain);
    g_test_add_func("/tap/no-header", test_no_header);
    g_test_add_func("/tap/open-checksum", test_open_csum);
    g_test_add_func("/tap/whole", test_whole);
    g_test_add_func("/tap/busy-guest", test_busy_guest);
    g_test_add_func("/tap/write-errors", test_write_errors);
    g_test_add_func("/tap/stale", test_stale);
}

int main(int argc, char **argv)
{
    return tap_rig_run(&argc, &argv, add);
}
