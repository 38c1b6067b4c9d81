/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/lib/tap_rig.c - see tap_rig.h */
#include "tap_rig.h"

#include "tests/unit/pkt.h"
#include "core/clock.h"
#include "net/vnet_hdr.h"
#include "qapi/keyval.h"
#include "qapi/schema.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MARK = 0x88B5 };             /* local experimental Ethertype */

void *dup_bytes(const void *p, size_t n)
{
    return memcpy(g_malloc(n), p, n);
}

/* --- the guest -------------------------------------------------------------------------------------------------------- */

struct tap_guest guest;

static bool ours(const uint8_t *p)
{
    return !memcmp(p + 6, pkt_host_mac, 6);
}

static enum net_tx guest_receive(void *opaque, const struct frame *f)
{
    struct got *g;

    if (guest.full) {
        guest.refused++;
        return NET_TX_BUSY;
    }
    g = g_malloc(sizeof(*g) + f->len);
    g->len = frame_copy_out(f, 0, g->data, f->len);
    g->meta = f->meta;
    if (ours(g->data)) {
        g_ptr_array_add(guest.rx, g);
    } else {
        g_free(g);
    }
    return NET_TX_DONE;
}

static void guest_link(void *opaque, bool up)
{
    guest.link = up;
}

static void guest_tx_ready(void *opaque)
{
    guest.ready = true;
}

static uint32_t guest_offloads(void *opaque)
{
    return guest.caps;
}

static const struct nic_ops guest_ops = {
    .receive = guest_receive, .link_changed = guest_link, .tx_ready = guest_tx_ready, .offloads = guest_offloads, .min_len = 0,
};

/* --- the world -------------------------------------------------------------------------------------------------------- */

char *rig_dir;

void ip(const char *fmt, ...)
{
    g_autofree char *args = NULL, *cmd = NULL;
    va_list ap;

    va_start(ap, fmt);
    args = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    cmd = g_strdup_printf("ip %s", args);
    g_assert_cmpint(system(cmd), ==, 0);
}

char *script(const char *name, const char *body)
{
    char *path = g_build_filename(rig_dir, name, NULL);
    g_autofree char *text = g_strdup_printf("#!/bin/sh\n%s\n", body);

    g_assert_true(g_file_set_contents(path, text, -1, NULL));
    g_assert_cmpint(chmod(path, 0755), ==, 0);
    return path;
}

char *slurp(const char *path)
{
    char *s = NULL;

    return g_file_get_contents(path, &s, NULL, NULL) ? s : g_strdup("");
}

struct net_client *open_netdev(const char *opts, Error **errp)
{
    Netdev *n = opts_parse(&qapi_type_Netdev, opts, "type", errp);
    struct net_client *c = n ? netdev_new(n, errp) : NULL;

    qapi_free_Netdev(n);
    return c;
}

struct net_client *plugged(const char *opts)
{
    Error *err = NULL;
    struct net_client *c = open_netdev(opts, &err);

    if (!c) {
        g_error("%s: %s", opts, error_text(err));
    }
    guest.rx = g_ptr_array_new_with_free_func(g_free);
    guest.caps = PKT_CAP_ALL;
    guest.full = guest.ready = false;
    guest.refused = 0;
    guest.conf = (struct nic_conf){ .netdev = c };
    guest.nic = nic_new(&guest_ops, &guest.conf, "test", NULL, NULL, NULL);
    guest.link = nic_link_up(guest.nic);
    return c;
}

void unplug(const char *id)
{
    nic_free(guest.nic);
    guest.nic = NULL;
    g_ptr_array_unref(guest.rx);
    if (id) {
        g_assert_true(netdev_del(id, NULL));
    }
}

/* The loop comes to rest: nothing is ready again and again */
void assert_idle(void)
{
    unsigned busy = 0;

    for (unsigned i = 0; i < 200; i++) {
        busy += loop_iterate(false);
        g_usleep(500);
    }
    g_assert_cmpuint(busy, <, 40);
}

/* A packet socket on an interface; frames with vnet header */
int packet_socket(const char *ifname)
{
    struct sockaddr_ll ll = { .sll_family = AF_PACKET, .sll_protocol = htobe16(0x0003), .sll_ifindex = (int)if_nametoindex(ifname) };
    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, htobe16(0x0003)), one = 1, big = 8 << 20;

    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one)), ==, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &big, sizeof(big));
    g_assert_cmpint(bind(fd, (struct sockaddr *)&ll, sizeof(ll)), ==, 0);
    return fd;
}

void host_send(int fd, const uint8_t *frame, size_t len, const struct pkt_meta *m)
{
    uint8_t hdr[VNET_HDR_LEN];
    struct iovec iov[2] = { { hdr, sizeof(hdr) }, { (void *)(uintptr_t)frame, len } };

    vnet_hdr_encode(m, false, hdr, sizeof(hdr));
    g_assert_cmpint(syscall(SYS_writev, fd, iov, 2), ==, (long)(len + sizeof(hdr)));
}

/* The next frame of the guest; NULL: none yet */
static struct got *host_recv(int fd)
{
    static uint8_t buf[VNET_HDR_LEN + FRAME_MAX];

    for (;;) {
        struct sockaddr_ll from;
        socklen_t n = sizeof(from);
        ssize_t len = recvfrom(fd, buf, sizeof(buf), 0, (struct sockaddr *)&from, &n);
        struct got *g;

        if (len < 0) {
            return NULL;
        }
        if (from.sll_pkttype == PACKET_OUTGOING || memcmp(buf + VNET_HDR_LEN + 6, pkt_guest_mac, 6)) {
            continue;
        }
        g = g_malloc(sizeof(*g) + (size_t)len);
        g->len = (size_t)len - VNET_HDR_LEN;
        memcpy(g->data, buf + VNET_HDR_LEN, g->len);
        g_assert_cmpint(vnet_hdr_decode(buf, g->len, &g->meta), ==, VNET_HDR_OK);
        return g;
    }
}

struct got *host_wait(int fd)
{
    struct got *g = NULL;

    WAIT((g = g ? g : host_recv(fd)) != NULL);
    return g;
}

enum net_tx guest_send(const uint8_t *frame, size_t len, const struct pkt_meta *m)
{
    struct frame f;

    /* in pieces, as NICs give it */
    frame_init(&f);
    for (size_t off = 0, n; off < len; off += n) {
        n = MIN(len - off, 4096 - off % 7);
        g_assert_true(frame_append(&f, dup_bytes(frame + off, n), n));
    }
    f.meta = *m;
    {
        enum net_tx r = nic_send(guest.nic, &f);

        for (unsigned i = 0; i < f.iovcnt; i++) {
            g_free(f.iov[i].iov_base);
        }
        return r;
    }
}

size_t plain(uint8_t *p, size_t len, bool from_guest, unsigned seed)
{
    memset(p, 0xFF, 6);
    memcpy(p + 6, from_guest ? pkt_guest_mac : pkt_host_mac, 6);
    st_be16(p + 12, MARK);
    for (size_t i = 14; i < len; i++) {
        p[i] = (uint8_t)(i * 7 + seed);
    }
    return len;
}

/* A large TCP or UDP frame with the checksum left open, and what says so */
size_t big_frame(uint8_t *p, bool from_guest, bool ip6, enum pkt_gso gso, struct pkt_meta *m)
{
    static const uint8_t a6[16] = { 0xFE, 0xC0, [15] = 15 }, b6[16] = { 0xFE, 0xC0, [15] = 2 };
    bool udp = gso == PKT_GSO_UDP;
    size_t hdr = udp ? 8 : 20, n = hdr + TAP_RIG_BIG;
    uint8_t *l3 = pkt_eth(p, from_guest ? pkt_host_mac : pkt_guest_mac, from_guest ? pkt_guest_mac : pkt_host_mac, ip6 ? 0x86DD : 0x0800);
    uint8_t *l4 = ip6 ? pkt_ip6(l3, from_guest ? a6 : b6, from_guest ? b6 : a6, udp ? 17 : 6, n)
                      : pkt_ip4(l3, from_guest ? pkt_guest_ip : pkt_host_ip, from_guest ? pkt_host_ip : pkt_guest_ip, udp ? 17 : 6, n);
    uint16_t sum;

    memset(l4, 0, hdr);
    st_be16(l4, from_guest ? 1234 : 80);
    st_be16(l4 + 2, from_guest ? 80 : 1234);
    if (udp) {
        st_be16(l4 + 4, n);
    } else {
        l4[12] = 0x50;
        l4[13] = 0x10;
        st_be16(l4 + 14, 1000);
    }
    for (size_t i = 0; i < TAP_RIG_BIG; i++) {
        l4[hdr + i] = (uint8_t)(i * 3 + (i >> 8));
    }
    sum = csum_fold(csum_pseudo(l3, ip6 ? PKT_L3_IP6 : PKT_L3_IP4, udp ? 17 : 6, n));
    memcpy(l4 + (udp ? 6 : 16), &sum, 2);
    *m = (struct pkt_meta){ .flags = PKT_NEEDS_CSUM, .gso = (uint8_t)gso, .gso_size = TAP_RIG_MSS, .hdr_len = (uint16_t)(l4 + hdr - p),
                            .csum_start = (uint16_t)(l4 - p), .csum_off = udp ? 6 : 16 };
    return (size_t)(l4 + n - p);
}

bool csum_right(const uint8_t *p, size_t len)
{
    g_autofree uint8_t *copy = dup_bytes(p, len);

    pkt_l4_csum(copy, len);
    return !memcmp(copy, p, len);
}

int own_tap(const char *name, unsigned flags)
{
    int fd = open("/dev/net/tun", O_RDWR);
    struct ifreq ifr = { .ifr_flags = (short)flags };

    g_strlcpy(ifr.ifr_name, name, IFNAMSIZ);
    g_assert_cmpint(fd, >=, 0);
    g_assert_cmpint(ioctl(fd, TUNSETIFF, &ifr), ==, 0);
    return fd;
}

void expect_fail(const char *opts, const char *pattern)
{
    Error *err = NULL;

    g_assert_null(open_netdev(opts, &err));
    if (!g_pattern_match_simple(pattern, error_text(err))) {
        g_error("%s: '%s' is not '%s'", opts, error_text(err), pattern);
    }
    error_free(err);
}

/* --- the namespace ---------------------------------------------------------------------------------------------------------- */

static const char *why_not(void)
{
    if (access("/dev/net/tun", R_OK | W_OK) < 0) {
        return "no access to /dev/net/tun";
    }
    if (unshare(CLONE_NEWNET | CLONE_NEWNS) < 0) {
        return "a network namespace needs root";
    }
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || mount("sysfs", "/sys", "sysfs", 0, NULL) < 0) {
        return "sysfs of a network namespace cannot be mounted";
    }
    return system("ip link set lo up") ? "iproute2 is not installed" : NULL;
}

static const char *reason;

static void test_skipped(void)
{
    g_test_skip(reason);
}

int tap_rig_run(int *argc, char ***argv, void (*add)(void))
{
    g_autofree char *cmd = NULL;
    int rc;

    g_test_init(argc, argv, NULL);
    loop_init();
    clock_virtual_enable(true);
    reason = why_not();
    if (reason) {
        g_test_add_func("/tap", test_skipped);
        return g_test_run();
    }
    g_file_set_contents("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1", 1, NULL);
    rig_dir = g_dir_make_tmp("patchbay-tap-XXXXXX", NULL);
    add();
    rc = g_test_run();
    cmd = g_strdup_printf("rm -r '%s'", rig_dir);
    return system(cmd) ? 1 : rc;
}
