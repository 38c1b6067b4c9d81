/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/test-net-link.c - what a NIC sees of its link: carrier, link=follow|up, set_link, netdev_swap; and what management is told
 *
 * A NIC and two backends are played; events are collected as "NAME:up " and "NAME:down ".
 */
#include "core/clock.h"
#include "lib/bits.h"
#include "net/backends.h"
#include "net/hub.h"
#include "net/info.h"
#include "net/nic.h"
#include "net/user.h"
#include "qapi/qapi-types.h"
#include "qapi/schema.h"
#include <glib.h>
#include <string.h>

struct backend {
    struct net_client c;
    unsigned got, ready;
    bool on, busy;
};

static enum net_tx backend_send(struct net_client *c, const struct frame *f)
{
    struct backend *b = container_of(c, struct backend, c);

    if (b->busy) {
        return NET_TX_BUSY;
    }
    g_assert_true(b->on);                       /* nothing comes to a backend that was switched off */
    b->got++;
    return NET_TX_DONE;
}

static bool backend_open(struct net_client *c, const void *cfg, Error **errp)
{
    return true;
}

static void backend_rx_enable(struct net_client *c, bool on)
{
    container_of(c, struct backend, c)->on = on;
}

static void backend_tx_ready(struct net_client *c)
{
    container_of(c, struct backend, c)->ready++;
}

static uint32_t backend_offloads(const struct net_client *c)
{
    return 0;
}

static void backend_close(struct net_client *c)
{
}

#define OPS(k, f) { .kind = k, .size = sizeof(struct backend), .open = backend_open, .send = backend_send, .rx_enable = backend_rx_enable, \
                    .tx_ready = backend_tx_ready, .offloads = backend_offloads, .close = backend_close, .follows = f }
static const struct net_backend_ops follow_ops = OPS("follow", true), up_ops = OPS("up", false);

struct station {
    struct nic *nic;
    struct nic_conf conf;
    unsigned got, ready;
    GString *heard;                             /* link_changed(): U, D */
};

static enum net_tx receive(void *opaque, const struct frame *f)
{
    ((struct station *)opaque)->got++;
    return NET_TX_DONE;
}

static void link_changed(void *opaque, bool up)
{
    g_string_append_c(((struct station *)opaque)->heard, up ? 'U' : 'D');
}

static void tx_ready(void *opaque)
{
    ((struct station *)opaque)->ready++;
}

static uint32_t offloads(void *opaque)
{
    return 0;
}

static const struct nic_ops ops = { .receive = receive, .link_changed = link_changed, .tx_ready = tx_ready, .offloads = offloads, .min_len = 60 };

static GString *events;

static void sink(void *opaque, enum qapi_event ev, struct jval *data)
{
    if (ev == QAPI_EVENT_NETDEV_LINK_CHANGED) {
        g_string_append_printf(events, "%s:%s ", jval_get_str(data, "name"), jval_bool_of(jval_get(data, "up")) ? "up" : "down");
    }
    jval_free(data);
}

static void expect_events(const char *text)
{
    g_assert_cmpstr(events->str, ==, text);
    g_string_truncate(events, 0);
}

static void expect_heard(struct station *s, const char *text)
{
    g_assert_cmpstr(s->heard->str, ==, text);
    g_string_truncate(s->heard, 0);
}

static void setup(struct station *s, const struct net_backend_ops *bops, struct backend **b)
{
    *s = (struct station){ .heard = g_string_new(NULL) };
    s->conf.netdev = net_client_new(bops, "b", NULL, NULL);
    *b = container_of(s->conf.netdev, struct backend, c);
    s->nic = nic_new(&ops, &s->conf, "m", "n", s, NULL);
    expect_events("");
    expect_heard(s, "");
}

static void teardown(struct station *s)
{
    nic_free(s->nic);
    g_string_free(s->heard, TRUE);
    net_cleanup();
    bh_drain(10);
    expect_events("");
}

static enum net_tx send_from(struct net_client *c)
{
    uint8_t buf[64] = { 0 };
    struct frame f;

    frame_from_buf(&f, buf, sizeof(buf));
    return net_send(c, &f);
}

/* The guest sees the carrier, and frames are lost to a link that is down. */
static void test_follow(void)
{
    struct station s;
    struct backend *b;
    g_autoptr(GString) out = g_string_new(NULL);

    setup(&s, &follow_ops, &b);
    net_client_set_carrier(&b->c, false);
    expect_events("n:down ");
    expect_heard(&s, "D");
    g_assert_false(nic_link_up(s.nic));
    g_assert_false(b->on);
    g_assert_cmpint(send_from(nic_client(s.nic)), ==, NET_TX_DROP);
    g_assert_cmpuint(b->c.stats.drops[NET_DROP_LINK_DOWN], ==, 1);
    net_print_info(out);                        /* not by anybody's order: no link=down here, the backend has its own words */
    g_assert_cmpstr(out->str, ==, "n: index=0,type=nic,model=m,macaddr=52:54:00:12:34:56\n \\ b: index=0,type=follow,\n");
    net_client_set_carrier(&b->c, false);
    expect_events("");
    net_client_set_carrier(&b->c, true);
    expect_events("n:up ");
    expect_heard(&s, "U");
    g_assert_true(b->on);
    g_assert_cmpint(send_from(nic_client(s.nic)), ==, NET_TX_DONE);
    teardown(&s);
}

/* The guest sees nothing, but nothing is sent to a backend that is not connected; a NIC that waits for it goes on. */
static void test_up(void)
{
    struct station s;
    struct backend *b;

    setup(&s, &up_ops, &b);
    b->busy = true;
    g_assert_cmpint(send_from(nic_client(s.nic)), ==, NET_TX_DONE);
    g_assert_cmpint(send_from(nic_client(s.nic)), ==, NET_TX_BUSY);
    net_client_set_carrier(&b->c, false);
    expect_events("");
    expect_heard(&s, "");
    g_assert_true(nic_link_up(s.nic));
    g_assert_false(net_client_link_up(&b->c));
    g_assert_false(b->on);
    bh_drain(10);
    g_assert_cmpuint(s.ready, ==, 1);
    g_assert_cmpuint(b->c.stats.drops[NET_DROP_PURGED], ==, 1);
    g_assert_cmpint(send_from(nic_client(s.nic)), ==, NET_TX_DROP);
    g_assert_cmpuint(b->c.stats.drops[NET_DROP_LINK_DOWN], ==, 1);
    g_assert_cmpint(send_from(&b->c), ==, NET_TX_DROP);
    b->busy = false;
    net_client_set_carrier(&b->c, true);
    g_assert_true(b->on);
    g_assert_cmpint(send_from(nic_client(s.nic)), ==, NET_TX_DONE);
    g_assert_cmpuint(b->got, ==, 1);
    teardown(&s);
}

/* link= of -netdev overrides the kind's default; the hub port has no carrier to lose, so both do the same here. */
static void test_option(void)
{
    static const struct {
        bool has;
        NetdevLink link;
        bool follows;
    } rows[] = { { false, 0, false }, { true, NETDEV_LINK_FOLLOW, true }, { true, NETDEV_LINK_UP, false } };

    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        Netdev cfg = { .id = (char *)"h", .type = NETDEV_DRIVER_HUBPORT, .has_link = rows[i].has, .link = rows[i].link };

        g_assert_true(netdev_create(&cfg, NULL));
        g_assert_true(net_client_find("h")->link_follows == rows[i].follows);
        g_assert_true(netdev_del("h", NULL));
    }
    g_assert_false(net_backend_hubport.follows || net_backend_switch.follows);
}

/* Events: the NIC's name for what the guest sees, another name when set_link was used on that; nothing without a change. */
static void test_events(void)
{
    struct station s;
    struct backend *b;

    setup(&s, &follow_ops, &b);
    net_set_link("n", false, NULL);
    expect_events("n:down ");
    net_set_link("n", false, NULL);
    expect_events("");
    net_client_set_carrier(&b->c, false);       /* down already */
    net_set_link("n", true, NULL);
    expect_events("");
    net_client_set_carrier(&b->c, true);
    expect_events("n:up ");
    net_set_link("b", false, NULL);
    expect_events("b:down n:down ");
    net_set_link("b", true, NULL);
    expect_events("b:up n:up ");
    net_client_free(&b->c);                     /* netdev_del */
    expect_events("n:down ");
    expect_heard(&s, "DUDUD");
    teardown(&s);
}

/* --- netdev_swap ------------------------------------------------------------------------------------------------- */

static void expect_error(bool ok, Error **errp, const char *text)
{
    g_assert_false(ok);
    g_assert_cmpstr(error_text(*errp), ==, text);
    error_free(g_steal_pointer(errp));
}

static void test_swap_errors(void)
{
    struct station s, s2 = { .heard = g_string_new(NULL) };
    struct backend *b;
    Error *err = NULL;

    setup(&s, &up_ops, &b);
    s2.conf.netdev = net_client_new(&up_ops, "taken", NULL, NULL);
    s2.nic = nic_new(&ops, &s2.conf, "m", "n2", &s2, NULL);
    expect_error(netdev_swap("zz", "b", &err), &err, "Device 'zz' not found");
    expect_error(netdev_swap("b", "taken", &err), &err, "Device 'b' is not a NIC");
    expect_error(netdev_swap("n", "zz", &err), &err, "netdev 'zz' not found");
    expect_error(netdev_swap("n", "n2", &err), &err, "netdev 'n2' not found");
    expect_error(netdev_swap("n", "taken", &err), &err, "netdev 'taken' is in use");
    g_assert_true(netdev_swap("n", "b", &err));             /* is there already */
    expect_events("");
    g_assert_true(nic_link_up(s.nic));
    nic_free(s2.nic);
    g_string_free(s2.heard, TRUE);
    teardown(&s);
}

static void step_ms(int64_t ms)
{
    clock_virtual_set(clock_get_ns(CLOCK_VIRTUAL) + ms * NS_PER_MS);
}

/* Frames on the way are purged and counted, the link flaps, the MAC stays, the old backend is free for somebody else. */
static void test_swap(void)
{
    struct station s, s2 = { .heard = g_string_new(NULL) };
    struct backend *b, *b2;
    uint8_t mac[6];

    setup(&s, &follow_ops, &b);
    memcpy(mac, s.conf.mac, 6);
    b2 = container_of(net_client_new(&up_ops, "b2", NULL, NULL), struct backend, c);
    b->busy = true;
    send_from(nic_client(s.nic));
    g_assert_cmpint(send_from(nic_client(s.nic)), ==, NET_TX_BUSY);
    g_assert_true(netdev_swap("n", "b2", NULL));
    g_assert_cmpuint(b->c.stats.drops[NET_DROP_PURGED], ==, 1);
    g_assert_cmpuint(b->c.queue.frames, ==, 0);
    g_assert_null(b->c.peer);
    g_assert_null(b->c.prop_field);
    g_assert_false(b->on);
    g_assert_true(s.conf.netdev == &b2->c);
    expect_events("n:down ");
    bh_drain(10);
    g_assert_cmpuint(s.ready, ==, 1);                       /* who waited for the old one goes on */
    g_assert_false(b2->on);
    g_assert_cmpint(send_from(nic_client(s.nic)), ==, NET_TX_DROP);
    g_assert_cmpint(send_from(&b2->c), ==, NET_TX_DROP);
    step_ms(NET_REPLUG_MS - 1);
    g_assert_false(nic_link_up(s.nic));
    step_ms(1);
    g_assert_true(nic_link_up(s.nic));
    expect_events("n:up ");
    expect_heard(&s, "DU");
    g_assert_cmpint(send_from(nic_client(s.nic)), ==, NET_TX_DONE);
    g_assert_cmpint(send_from(&b2->c), ==, NET_TX_DONE);
    g_assert_cmpuint(b2->got, ==, 1);
    g_assert_cmpuint(s.got, ==, 1);
    g_assert_cmpmem(s.conf.mac, 6, mac, 6);
    /* a NIC without backend takes the old one at once; deleting the old one does not touch the first */
    s2.nic = nic_new(&ops, &s2.conf, "m", "n2", &s2, NULL);
    g_assert_true(netdev_swap("n2", "b", NULL));
    g_assert_true(nic_link_up(s2.nic));
    net_client_free(&b->c);
    expect_events("n2:down ");
    g_assert_true(nic_link_up(s.nic));
    /* and one that has lost its backend finds another */
    g_assert_nonnull(net_hub_add_port(1, "h", NULL, NULL));
    g_assert_true(netdev_swap("n2", "h", NULL));
    expect_events("n2:up ");
    /* unplugged while the cable is being moved: no timer is left */
    g_assert_nonnull(net_hub_add_port(1, "h2", NULL, NULL));
    g_assert_true(netdev_swap("n2", "h2", NULL));
    nic_free(s2.nic);
    expect_events("n2:down ");
    step_ms(2 * NET_REPLUG_MS);
    g_string_free(s2.heard, TRUE);
    teardown(&s);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    loop_init();
    clock_virtual_manual();
    events = g_string_new(NULL);
    qapi_event_set_sink(sink, NULL);
    g_test_add_func("/net/link/follow", test_follow);
    g_test_add_func("/net/link/up", test_up);
    g_test_add_func("/net/link/option", test_option);
    g_test_add_func("/net/link/events", test_events);
    g_test_add_func("/net/swap/errors", test_swap_errors);
    g_test_add_func("/net/swap/moves", test_swap);
    return g_test_run();
}
