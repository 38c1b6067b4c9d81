/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/unit/test-hub.c - hubs: everybody else gets every frame, in order, whatever one port does; what info network prints */
#include "core/timer.h"
#include "lib/bits.h"
#include "lib/bytes.h"
#include "net/announce.h"
#include "net/hub.h"
#include "net/info.h"
#include "net/nic.h"
#include <glib.h>
#include <string.h>

enum { PORTS = 8 };

struct station {
    struct nic *nic;
    struct nic_conf conf;
    uint64_t last[PORTS], got[PORTS], next;
    bool full;
    size_t last_len;
    uint32_t caps;
    struct pkt_meta meta;
};

static enum net_tx receive(void *opaque, const struct frame *f)
{
    struct station *s = opaque;
    uint8_t buf[64] = { 0 };

    if (s->full) {
        return NET_TX_BUSY;
    }
    frame_copy_out(f, 0, buf, sizeof(buf));
    s->last_len = f->len;
    s->meta = f->meta;
    g_assert_cmpuint(buf[14], <, PORTS);
    g_assert_cmpuint(ld_be64(buf + 16), >, s->last[buf[14]]);
    s->last[buf[14]] = ld_be64(buf + 16);
    s->got[buf[14]]++;
    return NET_TX_DONE;
}

static void link_changed(void *opaque, bool up)
{
}

static void tx_ready(void *opaque)
{
}

static uint32_t offloads(void *opaque)
{
    return ((struct station *)opaque)->caps;
}

static const struct nic_ops ops = { .receive = receive, .link_changed = link_changed, .tx_ready = tx_ready, .offloads = offloads, .min_len = 60 };

static void station_send(struct station *s, unsigned me, size_t len)
{
    uint8_t buf[64] = { 0 };
    struct frame f;

    buf[14] = (uint8_t)me;
    st_be64(buf + 16, ++s->next);
    frame_from_buf(&f, buf, len);
    nic_send(s->nic, &f);
}

static void stations_new(struct station *s, unsigned n)
{
    memset(s, 0, n * sizeof(*s));
    for (unsigned i = 0; i < n; i++) {
        s[i].conf.netdev = net_hub_add_port(3, NULL, NULL, NULL);
        s[i].nic = nic_new(&ops, &s[i].conf, "m", NULL, &s[i], NULL);
    }
}

static void stations_free(struct station *s, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        struct net_client *port = s[i].conf.netdev;

        nic_free(s[i].nic);
        net_client_free(port);
    }
}

/* Slow readers come and go; who is not slow loses nothing, and nobody sees two frames of a sender in the wrong order. */
static void test_flood(void)
{
    struct station s[PORTS];

    stations_new(s, PORTS);
    for (unsigned n = 0; n < 40000; n++) {
        unsigned me = (unsigned)g_test_rand_int_range(0, PORTS), r = (unsigned)g_test_rand_int_range(0, 30);

        station_send(&s[me], me, 64);
        if (r == 0 && me) {
            s[me].full = true;
        } else if (r == 1) {
            s[me].full = false;
            nic_rx_ready(s[me].nic);
        } else if (r == 2) {
            bh_drain(2);
        }
    }
    for (unsigned i = 0; i < PORTS; i++) {
        s[i].full = false;
        nic_rx_ready(s[i].nic);
    }
    g_assert_true(bh_drain(1000));
    for (unsigned i = 0; i < PORTS; i++) {
        uint64_t lost = nic_client(s[i].nic)->stats.drops[NET_DROP_QUEUE_FULL], got = 0, sent = 0;

        for (unsigned k = 0; k < PORTS; k++) {
            got += s[i].got[k];
            sent += k == i ? 0 : s[k].next;
        }
        g_assert_cmpuint(s[i].got[i], ==, 0);
        g_assert_cmpuint(got + lost, ==, sent);
        g_assert_true(i != 0 || !lost);
    }
    stations_free(s, PORTS);
}

/* One port alone, then a second: the first is not stuck. */
static void test_one_port(void)
{
    struct station s[2];

    stations_new(s, 1);
    for (unsigned i = 0; i < 2000; i++) {
        station_send(&s[0], 0, 64);
    }
    bh_drain(10);
    s[1] = (struct station){ 0 };
    s[1].conf.netdev = net_hub_add_port(3, NULL, NULL, NULL);
    s[1].nic = nic_new(&ops, &s[1].conf, "m", NULL, &s[1], NULL);
    station_send(&s[0], 0, 64);
    g_assert_cmpuint(s[1].got[0], ==, 1);
    g_assert_cmpuint(s[1].last[0], ==, 2001);
    stations_free(s, 2);
}

/* Short frames are padded for NICs; large ones are cut for those that need it only. */
static void test_padding_and_gso(void)
{
    g_autofree uint8_t *big = g_malloc0(10054);
    struct station s[3];
    struct frame f;

    stations_new(s, 3);
    s[1].caps = PKT_CAP_CSUM | PKT_CAP_TSO4;
    station_send(&s[0], 0, 24);
    g_assert_cmpuint(s[1].last_len, ==, 60);
    st_be16(big + 12, 0x0800);
    big[14] = 0x45;
    big[23] = 6;
    big[46] = 0x50;
    frame_from_buf(&f, big, 10054);
    f.meta = (struct pkt_meta){ .gso = PKT_GSO_TCP4, .gso_size = 1000 };
    /* the stations look at byte 14 and 16..23 of a frame: not of these */
    s[1].got[0] = s[2].got[0] = 0;
    s[1].full = s[2].full = true;
    nic_send(s[0].nic, &f);
    g_assert_cmpuint(nic_client(s[1].nic)->queue.frames, ==, 1);
    g_assert_cmpuint(nic_client(s[1].nic)->queue.bytes, ==, 10054);
    g_assert_cmpuint(nic_client(s[2].nic)->queue.frames, ==, 10);
    g_assert_cmpuint(nic_client(s[2].nic)->queue.bytes, ==, 10 * 1054);
    stations_free(s, 3);
}

static void cable(unsigned hub_a, unsigned hub_b)
{
    struct net_client *a = net_hub_add_port(hub_a, NULL, NULL, NULL);

    g_assert_nonnull(net_hub_add_port(hub_b, NULL, a, NULL));
}

/* Frames cross a chain of hubs that is longer than the stack is deep, in order. */
static void test_chain(void)
{
    struct station s[2];

    stations_new(s, 1);
    for (unsigned i = 0; i < 5000; i++) {
        cable(i ? 100 + i : 3, 101 + i);
    }
    s[1] = (struct station){ 0 };
    s[1].conf.netdev = net_hub_add_port(5100, NULL, NULL, NULL);
    s[1].nic = nic_new(&ops, &s[1].conf, "m", NULL, &s[1], NULL);
    for (unsigned i = 0; i < 50; i++) {
        station_send(&s[0], 0, 64);
    }
    g_assert_true(bh_drain(10000));
    g_assert_cmpuint(s[1].got[0], ==, 50);
    g_assert_cmpuint(s[0].got[0], ==, 0);
    stations_free(s, 2);
    net_cleanup();
}

static enum net_tx storm_receive(void *opaque, const struct frame *f)
{
    ((struct station *)opaque)->got[0]++;
    return NET_TX_DONE;
}

static void note_time(void *opaque)
{
    *(gint64 *)opaque = g_get_monotonic_time();
}

/* P6: hubs in rings. One frame never ends, and with three cables becomes more; memory is bounded and the main loop does its other work. */
static void test_rings(void)
{
    static const struct nic_ops storm_ops = { .receive = storm_receive, .link_changed = link_changed, .tx_ready = tx_ready,
                                              .offloads = offloads, .min_len = 60 };

    for (unsigned cables = 2; cables <= 6; cables += 2) {
        struct station s = { 0 };
        struct timer t;
        gint64 worst = 0, fired;

        s.conf.netdev = net_hub_add_port(3, NULL, NULL, NULL);
        s.nic = nic_new(&storm_ops, &s.conf, "m", NULL, &s, NULL);
        for (unsigned i = 0; i < cables; i++) {
            cable(3, 4);
        }
        timer_setup(&t, CLOCK_RT, note_time, &fired);
        station_send(&s, 0, 64);
        for (unsigned i = 0; i < 20; i++) {
            gint64 due = g_get_monotonic_time() + 2000;

            fired = 0;
            timer_arm(&t, clock_get_ns(CLOCK_RT) + 2 * NS_PER_MS);
            while (!fired) {
                loop_iterate(true);
            }
            worst = MAX(worst, fired - due);
        }
        timer_fini(&t);
        g_test_message("%u cables: the loop is at most %d us late", cables, (int)worst);
        g_assert_cmpint(worst, <, 500 * 1000);          /* milliseconds on a machine that has nothing else to do */
        g_assert_cmpuint(s.got[0], >, 100);             /* a storm it is */
        for (unsigned i = 0; i < 2 * cables; i++) {
            g_autofree char *name = g_strdup_printf("hub%uport%u", 3 + i % 2, i / 2 + (i % 2 == 0));
            const struct net_client *c = net_client_find(name);

            g_assert_cmpuint(c->queue.frames, <=, NET_QUEUE_FRAMES);
        }
        nic_free(s.nic);
        net_cleanup();
        bh_drain(10);
    }
}

/* 64 ports, every eighth of them stuck: those lose their own frames only, and hold at most their bound. */
static void test_slow_ports(void)
{
    enum { N = 64, SENT = 3000 };
    static struct station s[N];
    uint8_t big[1514] = { 0 };
    struct frame f;

    stations_new(s, N);
    for (unsigned i = 7; i < N; i += 8) {
        s[i].full = true;
    }
    for (unsigned n = 1; n <= SENT; n++) {
        big[14] = 0;
        st_be64(big + 16, n);
        frame_from_buf(&f, big, sizeof(big));
        nic_send(s[0].nic, &f);
        if (n % 100 == 0) {
            bh_drain(4);
        }
    }
    for (unsigned i = 1; i < N; i++) {
        const struct net_client *c = nic_client(s[i].nic);

        if (i % 8 == 7) {
            g_assert_cmpuint(c->queue.bytes, <=, NET_QUEUE_BYTES + sizeof(big));
            g_assert_cmpuint(c->queue.frames + c->stats.drops[NET_DROP_QUEUE_FULL], ==, SENT);
        } else {
            g_assert_cmpuint(s[i].got[0], ==, SENT);
        }
    }
    for (unsigned i = 7; i < N; i += 8) {
        s[i].full = false;
        nic_rx_ready(s[i].nic);
    }
    g_assert_true(bh_drain(100));
    g_assert_cmpuint(s[7].got[0], ==, NET_QUEUE_FRAMES);
    stations_free(s, N);
}

static void test_info(void)
{
    g_autoptr(GString) out = g_string_new(NULL);
    struct net_client *h;
    struct station s[2];
    unsigned hub, port;

    stations_new(s, 2);
    h = net_hub_add_port(5, "h0", NULL, NULL);
    g_assert_true(net_hub_port_id(h, &hub, &port));
    g_assert_cmpuint(hub, ==, 5);
    g_assert_cmpuint(port, ==, 0);
    g_assert_cmpint(net_hub_id_for(nic_client(s[1].nic)), ==, 3);
    g_assert_true(net_set_link("m.1", false, NULL));
    net_print_info(out);
    g_assert_cmpstr(out->str, ==,
                    "hub 5\n"
                    " \\ h0\n"
                    "hub 3\n"
                    " \\ hub3port1: m.1: index=0,type=nic,model=m,macaddr=52:54:00:12:34:57,link=down\n"
                    " \\ hub3port0: m.0: index=0,type=nic,model=m,macaddr=52:54:00:12:34:56\n");
    net_client_free(h);
    stations_free(s, 2);
}

static void test_warnings(void)
{
    if (g_test_subprocess()) {
        struct station s[1];

        error_set_program("prog");
        stations_new(s, 1);
        net_hub_add_port(4, "lone", NULL, NULL);
        s[0].nic = nic_new(&ops, &(struct nic_conf){ 0 }, "x", "alone", &s[0], NULL);
        net_check_clients();
        return;
    }
    if (g_getenv("MESON_EXE_WRAPPER")) {      /* a cross-build: the kernel cannot start this program by itself */
        g_test_skip("run by a wrapper");
        return;
    }
    g_test_trap_subprocess(NULL, 0, 0);
    g_test_trap_assert_passed();
    g_test_trap_assert_stderr("*prog: warning: hub port lone has no peer\n*");
    g_test_trap_assert_stderr("*prog: warning: hub 3 is not connected to host network\n*");
    g_test_trap_assert_stderr("*prog: warning: nic alone has no peer\n*");
    g_test_trap_assert_stderr_unmatched("*hub port hub3port0*");
}

static void test_announce(void)
{
    static const uint8_t mac[6] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 };
    uint8_t f[ANNOUNCE_LEN];

    announce_frame(mac, f);
    g_assert_cmphex(ld_be16(f + 12), ==, 0x8035);
    g_assert_cmphex(ld_be16(f + 20), ==, 3);
    g_assert_cmpmem(f + 22, 6, mac, 6);
    g_assert_cmpmem(f + 32, 6, mac, 6);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    loop_init();
    g_test_add_func("/net/hub/flood", test_flood);
    g_test_add_func("/net/hub/one-port", test_one_port);
    g_test_add_func("/net/hub/padding-gso", test_padding_and_gso);
    g_test_add_func("/net/hub/chain", test_chain);
    g_test_add_func("/net/hub/rings", test_rings);
    g_test_add_func("/net/hub/slow-ports", test_slow_ports);
    g_test_add_func("/net/hub/info", test_info);
    g_test_add_func("/net/hub/warnings", test_warnings);
    g_test_add_func("/net/announce/frame", test_announce);
    return g_test_run();
}
