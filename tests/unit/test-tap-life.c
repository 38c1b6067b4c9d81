/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/test-tap-life.c - -netdev tap and bridged on real interfaces: interfaces that vanish and come back, descriptors, queues,
 * scripts, macvtaps, many times over
 */
#include "tests/lib/tap_rig.h"
#include "core/fdname.h"
#include "net/info.h"
#include "pkt.h"
#include "qapi/keyval.h"
#include "qapi/schema.h"
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* --- the interface goes ------------------------------------------------------------------------------------------------------ */

static struct {
    unsigned n;
    char id[32], ifname[IFNAMSIZ];
} vanish_seen;

static void event_sink(void *opaque, enum qapi_event ev, struct jval *data)
{
    if (ev == QAPI_EVENT_NETDEV_VANISHED) {
        vanish_seen.n++;
        g_strlcpy(vanish_seen.id, jval_get_str(data, "netdev-id"), sizeof(vanish_seen.id));
        g_strlcpy(vanish_seen.ifname, jval_get_str(data, "ifname") ? jval_get_str(data, "ifname") : "", IFNAMSIZ);
    }
    jval_free(data);
}

enum vanish_when { BUSY_TRAFFIC, IDLE, RX_OFF, GUEST_FULL, ON_WRITE };

static void vanish(enum vanish_when when, const char *opts, const char *ifname)
{
    struct pkt_meta none = { 0 };
    uint8_t buf[100];
    int fd;

    g_test_message("%d %s", when, opts);
    memset(&vanish_seen, 0, sizeof(vanish_seen));
    plugged(opts);
    ip("link set %s up", ifname);
    fd = packet_socket(ifname);
    plain(buf, 60, false, 1);
    guest.full = when == GUEST_FULL;
    if (when == RX_OFF) {
        g_assert_true(net_set_link("t", false, NULL));
    }
    for (unsigned i = 0; i < 300 && when != IDLE; i++) {
        host_send(fd, buf, 60, &none);
        if (when == BUSY_TRAFFIC && i % 50 == 0) {
            loop_iterate(false);
        }
    }
    if (when == GUEST_FULL) {
        WAIT(guest.refused);
    }
    ip("link del %s", ifname);
    if (when == ON_WRITE) {
        plain(buf, 60, true, 1);
        g_assert_cmpint(guest_send(buf, 60, &none), ==, NET_TX_DROP);
    }
    WAIT(vanish_seen.n);
    g_assert_cmpstr(vanish_seen.id, ==, "t");
    g_assert_cmpstr(vanish_seen.ifname, ==, ifname);
    g_assert_false(net_client_link_up(net_client_find("t")));
    if (when != RX_OFF && !strstr(opts, "link=up")) {
        WAIT(!guest.link);
    }
    assert_idle();
    g_assert_cmpint(guest.link, ==, strstr(opts, "link=up") != NULL);
    g_assert_cmpint(guest_send(buf, 60, &none), ==, NET_TX_DROP);
    g_assert_cmpuint(vanish_seen.n, ==, 1);
    close(fd);
}

static void test_vanish(void)
{
    for (enum vanish_when w = BUSY_TRAFFIC; w <= ON_WRITE; w++) {
        vanish(w, "tap,id=t,script=no,downscript=no", "tap0");
        unplug("t");
    }
    for (enum vanish_when w = BUSY_TRAFFIC; w <= RX_OFF; w++) {
        vanish(w, "tap,id=t,ifname=pt0,queues=3,script=no,downscript=no", "pt0");
        unplug("t");
    }
    vanish(IDLE, "tap,id=t,script=no,downscript=no,link=up", "tap0");
    unplug("t");
}

static void test_come_back(void)
{
    struct pkt_meta none = { 0 };
    uint8_t buf[100];
    int fd;

    ip("tuntap add pt0 mode tap");
    vanish(BUSY_TRAFFIC, "tap,id=t,ifname=pt0,script=no,downscript=no", "pt0");
    ip("tuntap add pt0 mode tap");
    ip("link set pt0 up");
    WAIT(guest.link);
    fd = packet_socket("pt0");
    host_send(fd, buf, plain(buf, 60, false, 77), &none);
    g_ptr_array_set_size(guest.rx, 0);
    WAIT(guest.rx->len);
    g_assert_cmpint(guest_send(buf, plain(buf, 60, true, 1), &none), ==, NET_TX_DONE);
    g_free(host_wait(fd));
    close(fd);
    unplug("t");
    g_assert_cmpuint(if_nametoindex("pt0"), !=, 0);     /* persistent: made by somebody else, stays */
    ip("link del pt0");
}

/* --- queues and descriptors --------------------------------------------------------------------------------------------------- */

static void test_fds(void)
{
    g_autofree char *one = NULL, *two = NULL, *mixed = NULL;
    struct pkt_meta none = { 0 };
    uint8_t buf[100];
    int a, b, fd;

    a = own_tap("pt1", IFF_TUN | IFF_NO_PI);
    one = g_strdup_printf("tap,id=t,fd=%d", a);
    expect_fail(one, "descriptor * is a tun interface, not a tap");
    g_free(one);
    g_assert_cmpint(fcntl(a, F_GETFD), ==, -1);         /* it was ours to close */
    a = dup(2);
    one = g_strdup_printf("tap,id=t,fd=%d", a);
    expect_fail(one, "descriptor * is not a tap interface: *");
    g_free(one);
    a = own_tap("pt1", IFF_TAP | IFF_NO_PI | IFF_VNET_HDR);
    b = own_tap("pt2", IFF_TAP | IFF_NO_PI);
    mixed = g_strdup_printf("tap,id=t,fds=%d:%d", a, b);
    expect_fail(mixed, "vnet_hdr not consistent across given tap fds");

    a = own_tap("pt1", IFF_TAP | IFF_NO_PI | IFF_VNET_HDR);
    one = g_strdup_printf("tap,id=t,fd=%d", a);
    g_assert_cmpint(ioctl(a, TUNSETVNETHDRSZ, &(int){ 12 }), ==, 0);        /* somebody's choice, not ours */
    plugged(one);
    ip("link set pt1 up");
    fd = packet_socket("pt1");
    g_assert_cmpint(guest_send(buf, plain(buf, 60, true, 1), &none), ==, NET_TX_DONE);
    g_free(host_wait(fd));
    host_send(fd, buf, plain(buf, 60, false, 1), &none);
    WAIT(guest.rx->len == 1);
    g_assert_cmpuint(((struct got *)guest.rx->pdata[0])->len, ==, 60);
    close(fd);
    unplug("t");
    g_assert_cmpint(fcntl(a, F_GETFD), ==, -1);

    a = own_tap("pt1", IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE);
    b = own_tap("pt1", IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE);
    two = g_strdup_printf("tap,id=t,fds=%d:%d", a, b);
    g_assert_cmpuint(plugged(two)->queues, ==, 2);
    unplug("t");
}

static void test_named_fd(void)
{
    int a = own_tap("pt1", IFF_TAP | IFF_NO_PI | IFF_VNET_HDR);

    expect_fail("tap,id=t,fd=guest-tap", "Invalid file descriptor number 'guest-tap'");
    fdname_enter();
    expect_fail("tap,id=t,fd=nosuch", "File descriptor named 'nosuch' has not been found");
    g_assert_true(fdname_put("guest-tap", a, NULL));
    plugged("tap,id=t,fd=guest-tap");
    expect_fail("tap,id=t2,fd=guest-tap", "File descriptor named 'guest-tap' has not been found");
    fdname_leave();
    g_assert_cmpstr(net_client_find("t")->info->str, ==, "fd=guest-tap");
    unplug("t");
    g_assert_cmpint(fcntl(a, F_GETFD), ==, -1);
}

/* A flow's frames come back on the queue that its last frame left from, and each queue works */
static void test_queues(void)
{
    enum { QUEUES = 4 };
    g_autoptr(GString) text = g_string_new(NULL);
    struct net_client *c = plugged("tap,id=t,ifname=pt0,queues=4,script=no,downscript=no");
    int fd;

    g_assert_cmpuint(c->queues, ==, QUEUES);
    net_print_info(text);
    for (unsigned i = 0; i < QUEUES; i++) {
        g_autofree char *line = g_strdup_printf("\n \\ t: index=%u,type=tap,ifname=pt0,script=no,downscript=no\n", i);
        g_autofree char *nic = g_strdup_printf("\ntest.0: index=%u,type=nic,\n", i);

        g_assert_nonnull(strstr(text->str, line));
        g_assert_true(!i || strstr(text->str, nic));
    }
    ip("link set pt0 up");
    fd = packet_socket("pt0");
    for (unsigned q = 0; q < QUEUES; q++) {
        struct pkt_meta m = { .queue = (uint16_t)(q + 1) }, none = { 0 };
        uint8_t out[80], in[80];

        uint8_t *l4 = pkt_ip4(pkt_eth(out, pkt_host_mac, pkt_guest_mac, 0x0800), pkt_guest_ip, pkt_host_ip, 17, 46);
        memset(l4, 0, 46);
        st_be16(l4, 1000 + q);
        st_be16(l4 + 2, 53);
        st_be16(l4 + 4, 46);
        pkt_l4_csum(out, 80);
        l4 = pkt_ip4(pkt_eth(in, pkt_guest_mac, pkt_host_mac, 0x0800), pkt_host_ip, pkt_guest_ip, 17, 46);
        memset(l4, 0, 46);
        st_be16(l4, 53);
        st_be16(l4 + 2, 1000 + q);
        st_be16(l4 + 4, 46);
        pkt_l4_csum(in, 80);
        for (unsigned i = 0; i < 3; i++) {
            g_assert_cmpint(guest_send(out, 80, &m), ==, NET_TX_DONE);
            g_free(host_wait(fd));
        }
        host_send(fd, in, 80, &none);
        WAIT(guest.rx->len == 1);
        g_assert_cmpuint(((struct got *)guest.rx->pdata[0])->meta.queue, ==, q + 1);
        g_ptr_array_set_size(guest.rx, 0);
    }
    close(fd);
    unplug("t");
    expect_fail("hubport,id=h,hubid=1,netdev=t", "netdev 't' not found");
    g_assert_nonnull(open_netdev("tap,id=t,queues=2,script=no,downscript=no", NULL));
    expect_fail("hubport,id=h,hubid=1,netdev=t", "Multiqueue tap cannot be used with hubs");
    g_assert_true(netdev_del("t", NULL));
    {
        Netdev *n = opts_parse(&qapi_type_Netdev, "tap,id=t,queues=2,script=no,downscript=no", "type", NULL);
        Error *err = NULL;

        g_assert_false(netdev_create_on_hub(n, 0, &err));
        g_assert_cmpstr(error_text(err), ==, "Multiqueue tap cannot be used with hubs");
        error_free(err);
        qapi_free_Netdev(n);
        g_assert_null(net_client_find("t"));
    }
    ip("tuntap add pt3 mode tap multi_queue");          /* one queue of such an interface is fine */
    g_assert_nonnull(open_netdev("tap,id=t,ifname=pt3,script=no,downscript=no", NULL));
    g_assert_true(netdev_del("t", NULL));
    ip("link del pt3");
    ip("tuntap add pt3 mode tap");                      /* several of another are not */
    expect_fail("tap,id=t,ifname=pt3,queues=2,script=no,downscript=no", "could not configure /dev/net/tun (pt3): Invalid argument");
    ip("link del pt3");
}

/* --- scripts ------------------------------------------------------------------------------------------------------------------- */

static void test_scripts(void)
{
    g_autofree char *log = g_build_filename(rig_dir, "log", NULL);
    g_autofree char *body = g_strdup_printf("echo $0 $# $1 $(ls /proc/self/fd | wc -l) $(cat /sys/class/net/$1/ifindex) >>%s", log);
    g_autofree char *up = script("up", body), *down = script("down", body), *bad = script("bad", "exit 3"),
                    *killed = script("killed", "kill -9 $$");
    g_autofree char *opts = g_strdup_printf("tap,id=t,ifname=pt0,script=%s,downscript=%s", up, down), *text, *want;
    g_autofree char *o1 = g_strdup_printf("tap,id=t,script=%s,downscript=%s", bad, down),
                    *o2 = g_strdup_printf("tap,id=t,script=/nonexistent/up,downscript=%s", down),
                    *o3 = g_strdup_printf("tap,id=t,script=%s", killed);
    unsigned index;

    plugged(opts);
    index = if_nametoindex("pt0");
    text = slurp(log);
    want = g_strdup_printf("%s 1 pt0 4 %u\n", up, index);           /* 0, 1, 2 and what ls opens */
    g_assert_cmpstr(text, ==, want);
    unplug("t");
    g_free(text);
    g_free(want);
    text = slurp(log);
    want = g_strdup_printf("%s 1 pt0 4 %u\n%s 1 pt0 4 %u\n", up, index, down, index);
    g_assert_cmpstr(text, ==, want);
    expect_fail(o1, "network script */bad failed with status 768 (exit code 3)");
    expect_fail(o2, "network script /nonexistent/up failed with status 256 (No such file or directory)");
    expect_fail(o3, "network script */killed failed with status 9 (signal 9)");
    g_free(text);
    text = slurp(log);
    g_assert_cmpstr(text, ==, want);                                /* a script that failed is not undone */
    g_assert_nonnull(open_netdev("tap,id=t,script=,downscript=", NULL));
    g_assert_cmpstr(net_client_find("t")->info->str, ==, "ifname=tap0,script=no,downscript=no");
    g_assert_true(netdev_del("t", NULL));
}

/* --- macvtap -------------------------------------------------------------------------------------------------------------------- */

static bool macvtap_there(void)
{
    bool ok;

    ip("link add pv0 type veth peer name pv1");
    ip("link set pv0 up");
    ip("link set pv1 up");
    ok = system("ip link add link pv0 name mv0 type macvtap mode bridge 2>/dev/null") == 0;
    if (!ok) {
        ip("link del pv0");
    }
    return ok;
}

static void exchange(const char *outer)
{
    struct pkt_meta none = { 0 };
    uint8_t buf[100];
    int fd = packet_socket(outer);

    g_assert_cmpint(guest_send(buf, plain(buf, 60, true, 1), &none), ==, NET_TX_DONE);
    g_free(host_wait(fd));
    plain(buf, 60, false, 1);
    memcpy(buf, guest.conf.mac, 6);                     /* to the NIC's own address */
    host_send(fd, buf, 60, &none);
    WAIT(guest.rx->len == 1);
    g_ptr_array_set_size(guest.rx, 0);
    close(fd);
}

static void test_macvtap(void)
{
    if (!macvtap_there()) {
        g_test_skip("this kernel has no macvtap");
        return;
    }
    ip("link set mv0 address 52:54:00:12:34:56");
    vanish(IDLE, "tap,id=t,ifname=mv0,script=no,downscript=no", "mv0");
    unplug("t");
    ip("link add link pv0 name mv0 type macvtap mode bridge");
    ip("link set mv0 address 52:54:00:12:34:56 up");
    plugged("tap,id=t,ifname=mv0,script=no,downscript=no");
    exchange("pv1");
    unplug("t");
    ip("link del mv0");
    ip("link del pv0");
}

static void test_bridged(void)
{
    static const char *const modes[] = { "", ",mode=vepa", ",mode=private", ",mode=passthru" };
    g_autofree char *file = NULL;

    if (!macvtap_there()) {
        g_test_skip("this kernel has no macvtap");
        return;
    }
    ip("link del mv0");
    for (unsigned i = 0; i < ARRAY_LEN(modes); i++) {
        g_autofree char *opts = g_strdup_printf("bridged,id=t,ifname=pv0%s", modes[i]);

        plugged(opts);
        g_assert_cmpuint(if_nametoindex("pbtap0"), !=, 0);
        exchange("pv1");
        unplug("t");
        g_assert_cmpuint(if_nametoindex("pbtap0"), ==, 0);
    }
    g_assert_nonnull(open_netdev("bridged,id=a,ifname=pv0", NULL));
    g_assert_nonnull(open_netdev("bridged,id=b,ifname=pv0", NULL));
    g_assert_cmpstr(net_client_find("b")->info->str, ==, "ifname=pv0,mode=bridge,macvtap=pbtap1");
    expect_fail("bridged,id=c,ifname=pv0,mode=passthru", "'pv0' cannot have a macvtap in this mode: *");
    g_assert_true(netdev_del("a", NULL));
    g_assert_true(netdev_del("b", NULL));
    vanish(IDLE, "bridged,id=t,ifname=pv0", "pbtap0");
    unplug("t");
    ip("link del pv0");
}

/* --- life ------------------------------------------------------------------------------------------------------------------------ */

static unsigned open_fds(void)
{
    GDir *d = g_dir_open("/proc/self/fd", 0, NULL);
    unsigned n = 0;

    while (g_dir_read_name(d)) {
        n++;
    }
    g_dir_close(d);
    return n;
}

static void test_cycles(void)
{
    struct pkt_meta none = { 0 };
    unsigned before;
    uint8_t buf[100];

    plain(buf, 60, true, 1);
    before = open_fds();
    for (unsigned i = 0; i < 200; i++) {
        plugged("tap,id=t,ifname=pt0,queues=2,script=no,downscript=no");
        guest_send(buf, 60, &none);                     /* down: lost */
        loop_iterate(false);
        if (i % 2) {
            unplug("t");
        } else {
            g_assert_true(netdev_del("t", NULL));       /* under the NIC */
            g_assert_cmpint(guest_send(buf, 60, &none), ==, NET_TX_DROP);
            unplug(NULL);
        }
    }
    g_assert_cmpuint(open_fds(), ==, before);
}

static void add(void)
{
    qapi_event_set_sink(event_sink, NULL);
    g_test_add_func("/tap/vanish", test_vanish);
    g_test_add_func("/tap/come-back", test_come_back);
    g_test_add_func("/tap/fds", test_fds);
    g_test_add_func("/tap/named-fd", test_named_fd);
    g_test_add_func("/tap/queues", test_queues);
    g_test_add_func("/tap/scripts", test_scripts);
    g_test_add_func("/tap/macvtap", test_macvtap);
    g_test_add_func("/tap/bridged", test_bridged);
    g_test_add_func("/tap/cycles", test_cycles);
}

int main(int argc, char **argv)
{
    return tap_rig_run(&argc, &argv, add);
}
