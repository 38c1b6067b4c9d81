/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/test-net-queue.c - delivery between a NIC and a backend, against a model
 *
 * Both ends are played. Frames are numbered; random operations send, block, unblock, cut the link, reset and run bottom halves. The model:
 * frames arrive in order, each at most once; every one is delivered, still queued, or counted under a drop reason; a sender that was told BUSY
 * is woken; nobody is entered twice or from inside its own send.
 */
#include "core/runstate.h"
#include "lib/bits.h"
#include "lib/bytes.h"
#include "net/hub.h"
#include "net/info.h"
#include "net/nic.h"
#include "qapi/qapi-types.h"
#include <glib.h>
#include <string.h>

struct end {
    struct net_client *c;
    uint64_t next, sent, got, refused, busy;    /* next number to send; accepted; received; dropped by our own receive */
    uint64_t last;                              /* last number seen at this end */
    bool full;                                  /* say BUSY */
    bool inside;                                /* in a call to or from here */
    bool waiting;                               /* told BUSY */
    unsigned reply;                             /* frames to send from inside receive */
    struct end *peer;
};

struct fake {
    struct net_client c;
    struct end *e;
};

static struct end *cur_backend;     /* for fake_open */

static enum net_tx end_send(struct end *e, bool queued)
{
    uint8_t buf[64] = { 0 };
    struct frame f;
    enum net_tx r;

    st_be64(buf + 16, e->next + 1);
    frame_from_buf(&f, buf, sizeof(buf));
    r = queued ? net_send_queued(e->c, &f) : net_send(e->c, &f);
    if (r == NET_TX_BUSY) {
        e->waiting = true;
        e->busy++;
    } else {
        e->next++;
        e->sent++;
    }
    return r;
}

static enum net_tx end_receive(struct end *e, const struct frame *f)
{
    uint8_t buf[64];
    uint64_t n;

    g_assert_false(e->inside);
    g_assert_cmpuint(frame_copy_out(f, 0, buf, 64), ==, 64);
    n = ld_be64(buf + 16);
    g_assert_cmpuint(n, >, e->last);
    if (e->full) {
        return NET_TX_BUSY;
    }
    e->last = n;
    if (g_test_rand_int_range(0, 20) == 0) {
        e->refused++;
        return NET_TX_DROP;
    }
    e->got++;
    e->inside = true;
    if (e->reply) {
        e->reply--;
        end_send(e, true);
    }
    e->inside = false;
    if (g_test_rand_int_range(0, 8) == 0) {
        e->full = true;
    }
    return NET_TX_DONE;
}

static bool fake_open(struct net_client *c, const void *cfg, Error **errp)
{
    struct fake *b = container_of(c, struct fake, c);

    b->e = cur_backend;
    b->e->c = c;
    return true;
}

static enum net_tx fake_send(struct net_client *c, const struct frame *f)
{
    return end_receive(container_of(c, struct fake, c)->e, f);
}

static void fake_rx_enable(struct net_client *c, bool on)
{
}

static void end_tx_ready(struct end *e)
{
    g_assert_true(e->waiting);
    e->waiting = false;
}

static void fake_tx_ready(struct net_client *c)
{
    end_tx_ready(container_of(c, struct fake, c)->e);
}

static uint32_t fake_offloads(const struct net_client *c)
{
    return 0;
}

static void fake_close(struct net_client *c)
{
}

static const struct net_backend_ops fake_ops = {
    .kind = "fake", .size = sizeof(struct fake), .open = fake_open, .send = fake_send, .rx_enable = fake_rx_enable,
    .tx_ready = fake_tx_ready, .offloads = fake_offloads, .close = fake_close,
};

static enum net_tx nic_receive(void *opaque, const struct frame *f)
{
    return end_receive(opaque, f);
}

static void nic_tx_ready(void *opaque)
{
    end_tx_ready(opaque);
}

static void nic_link_changed(void *opaque, bool up)
{
}

static uint32_t nic_offloads(void *opaque)
{
    return 0;
}

static const struct nic_ops test_nic_ops = {
    .receive = nic_receive, .link_changed = nic_link_changed, .tx_ready = nic_tx_ready, .offloads = nic_offloads, .min_len = 60,
};

static uint64_t dropped(const struct end *to)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < NET_DROPS; i++) {
        n += to->c->stats.drops[i];
    }
    return n;
}

static void check_balance(const struct end *from, const struct end *to)
{
    g_assert_cmpuint(from->sent, ==, to->got + dropped(to) + to->c->queue.frames);
    g_assert_cmpuint(to->c->stats.drops[NET_DROP_REFUSED], ==, to->refused);
    g_assert_cmpuint(to->c->queue.frames, <=, NET_QUEUE_FRAMES);
}

static void run_all(struct end *a, struct end *b)
{
    for (unsigned i = 0; i < 5000; i++) {
        a->full = b->full = false;
        net_client_flush(a->c);
        net_client_flush(b->c);
        bh_drain(4);
        if (!a->c->queue.frames && !b->c->queue.frames && !a->waiting && !b->waiting) {
            return;
        }
    }
    g_assert_not_reached();
}

static void test_model(void)
{
    uint64_t got[2] = { 0 };

    for (unsigned round = 0; round < 60; round++) {
        struct end a = { 0 }, b = { 0 }, *e[2] = { &a, &b };
        struct nic_conf conf = { 0 };
        struct nic *nic;

        a.peer = &b;
        b.peer = &a;
        cur_backend = &b;
        conf.netdev = net_client_new(&fake_ops, "b", NULL, NULL);
        nic = nic_new(&test_nic_ops, &conf, "model", NULL, &a, NULL);
        a.c = nic_client(nic);
        for (unsigned n = 0; n < 3000; n++) {
            struct end *x = e[g_test_rand_int_range(0, 2)];

            switch (g_test_rand_int_range(0, 14)) {
            case 0: case 1: case 2: case 3: case 4:
                end_send(x, false);
                break;
            case 5: case 6:
                end_send(x, true);
                break;
            case 7:
                for (unsigned k = 0; k < 300 && round % 4 == 0; k++) {
                    end_send(x, true);
                }
                break;
            case 8:
                x->full = true;
                break;
            case 9: case 10:
                x->full = false;
                net_client_flush(x->c);
                break;
            case 11:
                x->reply += 3;
                break;
            case 12:
                bh_drain(1);
                break;
            default:
                if (g_test_rand_int_range(0, 20) == 0) {
                    net_set_link(x->c->name, g_test_rand_int_range(0, 2), NULL);
                } else if (g_test_rand_int_range(0, 20) == 0) {
                    nic_purge(nic);
                }
            }
            check_balance(&a, &b);
            check_balance(&b, &a);
        }
        a.reply = b.reply = 0;
        run_all(&a, &b);
        check_balance(&a, &b);
        check_balance(&b, &a);
        got[0] += a.got;
        got[1] += b.got;
        nic_free(nic);
        net_client_free(b.c);
        g_assert_null(net_client_find("b"));
    }
    g_assert_cmpuint(got[0], >, 10000);
    g_assert_cmpuint(got[1], >, 10000);
}

/* A blocked receiver: the core keeps one frame, says BUSY to the next, wakes exactly once. */
static void test_busy(void)
{
    struct end a = { 0 }, b = { 0 };
    struct nic_conf conf = { 0 };
    struct nic *nic;

    cur_backend = &b;
    conf.netdev = net_client_new(&fake_ops, "b", NULL, NULL);
    nic = nic_new(&test_nic_ops, &conf, "model", NULL, &a, NULL);
    a.c = nic_client(nic);
    b.full = true;
    g_assert_cmpint(end_send(&a, false), ==, NET_TX_DONE);
    g_assert_cmpint(end_send(&a, false), ==, NET_TX_BUSY);
    bh_drain(10);
    g_assert_true(a.waiting);
    net_client_flush(b.c);                          /* still full: keeps waiting */
    bh_drain(10);
    g_assert_true(a.waiting);
    g_assert_cmpint(end_send(&a, false), ==, NET_TX_BUSY);
    b.full = false;
    net_client_flush(b.c);
    g_assert_cmpuint(b.got, ==, 0);                 /* not from inside the flush */
    bh_drain(10);
    g_assert_false(a.waiting);
    g_assert_cmpuint(b.got + b.refused, ==, 1);
    /* a cut cable frees a waiting sender, too */
    b.full = true;
    while (end_send(&a, false) != NET_TX_BUSY) {
    }
    g_assert_true(net_set_link("b", false, NULL));
    bh_drain(10);
    g_assert_false(a.waiting);
    g_assert_false(nic_link_up(nic));
    g_assert_cmpint(end_send(&a, false), ==, NET_TX_DROP);
    nic_free(nic);
    net_client_free(b.c);
}

static void test_bounds(void)
{
    struct end a = { 0 }, b = { 0 };
    g_autofree uint8_t *big = g_malloc0(FRAME_MAX + 100);
    struct nic_conf conf = { 0 };
    struct frame f;
    struct nic *nic;
    unsigned n;

    cur_backend = &b;
    conf.netdev = net_client_new(&fake_ops, "b", NULL, NULL);
    nic = nic_new(&test_nic_ops, &conf, "model", NULL, &a, NULL);
    a.c = nic_client(nic);
    a.full = true;
    for (n = 0; n < 5000; n++) {
        end_send(&b, true);
    }
    g_assert_cmpuint(a.c->queue.frames, ==, NET_QUEUE_FRAMES);
    g_assert_cmpuint(a.c->stats.drops[NET_DROP_QUEUE_FULL], ==, 5000 - NET_QUEUE_FRAMES);
    nic_purge(nic);
    g_assert_cmpuint(a.c->queue.frames, ==, 0);
    frame_from_buf(&f, big, 60000);
    for (n = 0; n < 200; n++) {
        net_send_queued(b.c, &f);
    }
    g_assert_cmpuint(a.c->queue.bytes, <, NET_QUEUE_BYTES + 60000);
    g_assert_cmpuint(a.c->queue.bytes, >=, NET_QUEUE_BYTES);
    /* at the entrance */
    g_assert_false(frame_from_buf(&f, big, FRAME_MAX + 1));
    g_assert_true(frame_from_buf(&f, big, 13));
    g_assert_cmpint(net_send(a.c, &f), ==, NET_TX_DROP);
    g_assert_cmpuint(b.c->stats.drops[NET_DROP_RUNT], ==, 1);
    nic_free(nic);
    net_client_free(b.c);
}

/* While the machine is stopped a NIC gets nothing; afterwards all of it. */
static void test_stopped(void)
{
    struct end a = { 0 }, b = { 0 };
    struct nic_conf conf = { 0 };
    struct nic *nic;

    cur_backend = &b;
    conf.netdev = net_client_new(&fake_ops, "b", NULL, NULL);
    nic = nic_new(&test_nic_ops, &conf, "model", NULL, &a, NULL);
    a.c = nic_client(nic);
    runstate_set(RUN_STATE_RUNNING);
    runstate_set(RUN_STATE_PAUSED);
    for (unsigned i = 0; i < 5; i++) {
        g_assert_cmpint(end_send(&b, false), ==, NET_TX_DONE);
    }
    bh_drain(10);
    g_assert_cmpuint(a.last, ==, 0);
    runstate_set(RUN_STATE_RUNNING);
    for (unsigned i = 0; i < 10; i++) {
        a.full = false;
        nic_rx_ready(nic);
        bh_drain(10);
    }
    g_assert_cmpuint(a.last, ==, 5);
    nic_free(nic);
    net_client_free(b.c);
}

/* --- life and names ---------------------------------------------------------------------------------------------- */

static bool create(const char *id, uint32_t hub, const char *peer, Error **errp)
{
    Netdev cfg = { .id = (char *)(uintptr_t)id, .type = NETDEV_DRIVER_HUBPORT, .u.hubport = { .hubid = hub, .netdev = (char *)(uintptr_t)peer } };

    return netdev_create(&cfg, errp);
}

static void expect_error(Error *err, const char *text)
{
    g_assert_nonnull(err);
    g_assert_cmpstr(error_text(err), ==, text);
    error_free(err);
}

static void test_netdev_life(void)
{
    struct end a = { 0 };
    struct nic_conf conf = { 0 }, conf2 = { 0 };
    struct nic *nic, *nic2;
    Error *err = NULL;
    g_autoptr(GString) out = g_string_new(NULL);

    g_assert_true(create("u", 7, NULL, NULL));
    g_assert_false(create("u", 7, NULL, &err));
    expect_error(g_steal_pointer(&err), "Duplicate ID 'u'");
    g_assert_false(create("v", 7, "nosuch", &err));
    expect_error(g_steal_pointer(&err), "netdev 'nosuch' not found");
    g_assert_null(net_client_find("v"));
    conf.netdev = net_client_find("u");
    nic = nic_new(&test_nic_ops, &conf, "model", "n0", &a, NULL);
    g_assert_cmpstr(nic_name(nic), ==, "n0");
    g_assert_true(nic_link_up(nic));
    conf2.netdev = net_client_find("u");
    g_assert_null(nic_new(&test_nic_ops, &conf2, "model", NULL, &a, &err));
    expect_error(g_steal_pointer(&err), "netdev 'u' is in use");
    g_assert_false(netdev_del("nosuch", &err));
    g_assert_cmpint(error_class(err), ==, ERROR_DEVICE_NOT_FOUND);
    expect_error(g_steal_pointer(&err), "Device 'nosuch' not found");
    g_assert_false(netdev_del("n0", &err));
    expect_error(g_steal_pointer(&err), "Device 'n0' is not a netdev");
    g_assert_false(net_set_link("nosuch", false, &err));
    expect_error(g_steal_pointer(&err), "Device 'nosuch' not found");
    /* the netdev goes: link down; it comes back: the NIC has it again */
    g_assert_true(netdev_del("u", NULL));
    g_assert_null(conf.netdev);
    g_assert_false(nic_link_up(nic));
    net_print_info(out);
    g_assert_cmpstr(out->str, ==, "n0: index=0,type=nic,model=model,macaddr=52:54:00:12:34:56,link=down\n");
    g_assert_true(create("u", 7, NULL, NULL));
    g_assert_true(nic_link_up(nic));
    g_assert_true(conf.netdev == net_client_find("u"));
    /* names and MACs count up, and are free again */
    conf2.netdev = NULL;
    nic2 = nic_new(&test_nic_ops, &conf2, "model", NULL, &a, NULL);
    g_assert_cmpstr(nic_name(nic2), ==, "model.0");
    g_assert_cmphex(conf2.mac[5], ==, 0x57);
    nic_free(nic);
    g_assert_true(net_client_find("u")->peer == NULL);
    conf = (struct nic_conf){ 0 };
    nic = nic_new(&test_nic_ops, &conf, "model", NULL, &a, NULL);
    g_assert_cmpstr(nic_name(nic), ==, "model.1");
    g_assert_cmphex(conf.mac[5], ==, 0x56);
    nic_free(nic);
    nic_free(nic2);
    conf = (struct nic_conf){ .mac = { 1, 2, 3, 4, 5, 6 } };
    g_assert_null(nic_new(&test_nic_ops, &conf, "model", NULL, &a, &err));
    expect_error(g_steal_pointer(&err), "NIC cannot have multicast MAC address");
    net_cleanup();
    g_assert_null(net_client_find("u"));
}

static void tell_filter(void *opaque, struct nic_rx_filter *out)
{
    out->promiscuous = true;
    g_array_append_vals(out->multicast_table, "\1\2\3\4\5\6", 1);
}

static void test_rx_filter(void)
{
    struct nic_conf conf = { 0 };
    struct nic_rx_filter rf;
    struct end a = { 0 };
    Error *err = NULL;
    struct nic *nic;

    g_assert_true(create("u0", 7, NULL, NULL));
    nic = nic_new(&test_nic_ops, &conf, "model", "n", &a, NULL);
    g_assert_false(nic_query_rx_filter("zz", &rf, &err));
    expect_error(g_steal_pointer(&err), "invalid net client name: zz");
    g_assert_false(nic_query_rx_filter("u0", &rf, &err));
    expect_error(g_steal_pointer(&err), "net client(u0) isn't a NIC");
    g_assert_false(nic_query_rx_filter("n", &rf, &err));
    expect_error(g_steal_pointer(&err), "net client(n) doesn't support rx-filter querying");
    nic_set_rx_filter_fn(nic, tell_filter);
    g_assert_true(nic_query_rx_filter("n", &rf, NULL));
    g_assert_true(rf.promiscuous);
    g_assert_cmpuint(rf.multicast_table->len, ==, 1);
    nic_rx_filter_fini(&rf);
    nic_free(nic);
    g_assert_true(netdev_del("u0", NULL));
}

static void test_mac_texts(void)
{
    static const struct {
        const char *text, *error;
        bool legacy;
    } rows[] = {
        { "52:54:00:12:34:56", NULL, false }, { "52-54-0-1-2-3", NULL, false }, { "52:54:00:12:34", "invalid syntax for ethernet address", false },
        { "xx", "invalid syntax for ethernet address", true }, { "01:00:00:00:00:00", "NIC cannot have multicast MAC address", false },
        { "01:00:00:00:00:00", "NIC cannot have multicast MAC address (odd 1st byte)", true },
    };
    uint8_t mac[6];

    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        Error *err = NULL;

        g_assert_true(mac_parse_cli(rows[i].text, rows[i].legacy, mac, &err) == !rows[i].error);
        if (rows[i].error) {
            expect_error(err, rows[i].error);
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    loop_init();
    g_test_add_func("/net/queue/model", test_model);
    g_test_add_func("/net/queue/busy", test_busy);
    g_test_add_func("/net/queue/bounds", test_bounds);
    g_test_add_func("/net/queue/stopped", test_stopped);
    g_test_add_func("/net/netdev/life", test_netdev_life);
    g_test_add_func("/net/nic/rx-filter", test_rx_filter);
    g_test_add_func("/net/mac/texts", test_mac_texts);
    return g_test_run();
}
