/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/fuzz/fuzz-netgraph.c - a hub and a switch, their ports, queues and filters under random operations, against a model
 *
 * Input: bytes of operations on up to EIGHT stations: plug into hub or switch, unplug, delete the port, send, block, flush, link, filter on and
 * off, move to another port, run bottom halves. A frame says who sent it, its number with this sender, and the epoch of the sender's plug.
 *
 * Checked at every delivery: at most once and in order for each pair of stations, never back to the sender, never from the other segment.
 * Checked at the end, when all are flushed: queues empty, nobody told BUSY is left waiting, a broadcast reaches everybody; and over the whole
 * run, what ports sent to NICs was received, taken by a filter, or is counted under a reason. Nothing is lost for "queue-full" in runs that
 * cannot have filled a queue.
 */
#include "core/loop.h"
#include "core/runstate.h"
#include "lib/bits.h"
#include "lib/bytes.h"
#include "net/client.h"
#include "net/nic.h"
#include "net/switch.h"
#include "qapi/qapi-types.h"
#include <glib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { EIGHT = 8, LEN = 64 };

struct station {
    struct nic *nic;
    struct nic_conf conf;
    bool full;                      /* says BUSY */
    bool waiting;                   /* was told BUSY */
    bool hub;                       /* which segment its port is on */
    bool refuse;                    /* says DROP */
    uint32_t sent;
    uint32_t last[EIGHT];           /* number of the last frame from each */
    uint64_t taken, refused;
    unsigned replies;               /* answers to give from inside receive() */
    struct net_filter filter;
    bool filtered;
    uint64_t passed, stolen;
};

struct graph {
    struct station st[EIGHT];
    uint64_t port_tx, nic_rx, lost, stolen_rx;  /* of clients that are gone; the end adds those that are there */
};

static struct graph *cur;

static unsigned index_of(const struct station *s)
{
    return (unsigned)(s - cur->st);
}

static void send_frame(struct station *s, uint8_t to, unsigned copies)
{
    uint8_t buf[LEN] = { 0 };
    struct frame f;

    while (s->nic && copies-- && !s->waiting) {
        memcpy(buf, to < EIGHT ? "\2\0\0\0\0" : "\377\377\377\377\377", 5);
        buf[5] = to < EIGHT ? to : 0xFF;
        memcpy(buf + 6, "\2\0\0\0\0", 5);
        buf[11] = (uint8_t)index_of(s);
        st_be16(buf + 12, 0x88B5);
        st_be32(buf + 16, ++s->sent);
        buf[20] = s->hub;
        frame_from_buf(&f, buf, LEN);
        if (nic_send(s->nic, &f) == NET_TX_BUSY) {
            s->sent--;
            s->waiting = true;
        }
    }
}

static enum net_tx receive(void *opaque, const struct frame *f)
{
    struct station *s = opaque;
    uint8_t buf[LEN];
    uint32_t n;

    g_assert_cmpuint(frame_copy_out(f, 0, buf, LEN), ==, LEN);
    n = ld_be32(buf + 16);
    g_assert_cmpuint(buf[11], <, EIGHT);
    g_assert_cmpuint(buf[11], !=, index_of(s));
    g_assert_cmpuint(buf[20], ==, s->hub);
    g_assert_cmpuint(n, >, s->last[buf[11]]);
    if (s->full) {
        return NET_TX_BUSY;
    }
    s->last[buf[11]] = n;
    if (s->refuse) {
        s->refused++;
        return NET_TX_DROP;
    }
    s->taken++;
    return NET_TX_DONE;
}

static void link_changed(void *opaque, bool up)
{
}

static void tx_ready(void *opaque)
{
    struct station *s = opaque;

    g_assert_true(s->waiting);
    s->waiting = false;
}

static uint32_t offloads(void *opaque)
{
    return 0;
}

static const struct nic_ops ops = { .receive = receive, .link_changed = link_changed, .tx_ready = tx_ready, .offloads = offloads };

/* --- filters: one that steals every third frame -------------------------------------------------------------------- */

static enum net_verdict filter_frame(struct net_filter *nf, enum net_dir dir, const struct frame *f)
{
    struct station *s = container_of(nf, struct station, filter);

    if ((s->passed + s->stolen) % 3 == 2) {
        s->stolen++;
        cur->stolen_rx += dir == NET_DIR_RX;
        return NET_STOLEN;
    }
    s->passed++;
    return NET_PASS;
}

static void filter_describe(const struct net_filter *nf, GString *out)
{
}

static void filter_detached(struct net_filter *nf)
{
    container_of(nf, struct station, filter)->filtered = false;
}

static const struct net_filter_ops filter_ops = { "filter-test", filter_frame, filter_describe, filter_detached };

/* --- operations ---------------------------------------------------------------------------------------------------- */

static const char *port_name(const struct station *s, bool hub, char buf[8])
{
    g_snprintf(buf, 8, "%c%u", hub ? 'h' : 's', index_of(s));
    return buf;
}

static struct net_client *port_of(const struct station *s, bool hub)
{
    char name[8];

    return net_client_find(port_name(s, hub, name));
}

static struct net_client *add_port(const struct station *s, bool hub)
{
    char name[8];
    Netdev cfg = { .id = name, .type = hub ? NETDEV_DRIVER_HUBPORT : NETDEV_DRIVER_SWITCH };

    port_name(s, hub, name);
    if (hub) {
        cfg.u.hubport.hubid = 1;
    } else {
        cfg.u.q_switch.switchid = 1;
    }
    g_assert_true(netdev_create(&cfg, NULL));
    return net_client_find(name);
}

static void account_nic(const struct net_client *c)
{
    cur->nic_rx += c->stats.rx_frames;
    cur->lost += c->stats.drops[NET_DROP_QUEUE_FULL] + c->stats.drops[NET_DROP_REFUSED] + c->stats.drops[NET_DROP_PURGED] + c->queue.frames;
}

/* What this station got so far is closed; numbers go on, so that order still shows. */
static void unplug(struct station *s)
{
    if (s->nic) {
        account_nic(nic_client(s->nic));
        nic_free(g_steal_pointer(&s->nic));
        s->waiting = false;
    }
}

static void plug(struct station *s, bool hub)
{
    char name[8];

    if (s->nic) {
        return;
    }
    s->conf = (struct nic_conf){ .mac = { 2, 0, 0, 0, 0, (uint8_t)index_of(s) }, .netdev = port_of(s, hub) };
    s->conf.netdev = s->conf.netdev ? s->conf.netdev : add_port(s, hub);
    s->hub = hub;
    s->taken = s->refused = 0;
    g_snprintf(name, sizeof(name), "n%u", index_of(s));
    s->nic = nic_new(&ops, &s->conf, "m", name, s, NULL);
    g_assert_nonnull(s->nic);
}

static void swap(struct station *s)
{
    char name[8], nic[8];

    if (s->nic && nic_has_peer(s->nic)) {
        if (!port_of(s, !s->hub)) {
            add_port(s, !s->hub);
        }
        s->hub = !s->hub;
        g_snprintf(nic, sizeof(nic), "n%u", index_of(s));
        g_assert_true(netdev_swap(nic, port_name(s, s->hub, name), NULL));
    }
}

static void del_port(struct station *s, bool hub)
{
    char name[8];

    port_name(s, hub, name);
    if (net_client_find(name)) {
        cur->port_tx += net_client_find(name)->stats.tx_frames;
        g_assert_true(netdev_del(name, NULL));
    }
}

static void set_filter(struct station *s)
{
    struct net_client *port = port_of(s, s->hub);

    if (s->filtered) {
        net_filter_detach(&s->filter);
        s->filtered = false;
    } else if (port) {
        s->filter = (struct net_filter){ .ops = &filter_ops, .id = (char *)(uintptr_t)"f", .on = true, .dir = NET_DIR_ALL };
        net_filter_attach(port, &s->filter, NULL, false);
        s->filtered = true;
    }
}

static void set_link(struct station *s, bool of_port, bool up)
{
    char name[8];

    if (of_port) {
        port_name(s, s->hub, name);
    } else {
        g_snprintf(name, sizeof(name), "n%u", index_of(s));
    }
    net_set_link(name, up, NULL);
}

static void step(uint8_t op, uint8_t arg)
{
    struct station *s = &cur->st[arg % EIGHT], *other = &cur->st[arg / EIGHT % EIGHT];

    switch (op % 16) {
    case 0:
        plug(s, arg & 0x80);
        break;
    case 1: case 2: case 3:
        send_frame(s, 0xFF, 1 + arg / 64);
        break;
    case 4: case 5:
        send_frame(s, (uint8_t)index_of(other), 1 + arg / 64);
        break;
    case 6:
        s->full = true;
        break;
    case 7: case 8:
        s->full = false;
        if (s->nic) {
            nic_rx_ready(s->nic);
        }
        break;
    case 9: case 10:
        bh_drain(1 + arg % 3);
        break;
    case 11:
        set_link(s, arg & 0x40, arg & 0x80);
        break;
    case 12:
        if (arg & 0x80) {
            unplug(s);
        } else {
            del_port(s, arg & 0x40);
        }
        break;
    case 13:
        set_filter(s);
        break;
    case 14:
        swap(s);
        break;
    default:
        if (arg & 0x80) {
            s->refuse = arg & 0x40;
        } else if (s->nic && arg & 0x40) {
            nic_purge(s->nic);
        } else {
            send_frame(s, 0xFF, op == 0xFF ? 1200 : 40);       /* up to what a queue holds, and beyond */
        }
    }
}

/* --- the end ------------------------------------------------------------------------------------------------------- */

static void check_station(struct station *s)
{
    const struct net_client *c;

    if (!s->nic) {
        return;
    }
    c = nic_client(s->nic);
    g_assert_cmpuint(c->queue.frames, ==, 0);
    g_assert_cmpuint(c->queue.bytes, ==, 0);
    g_assert_false(c->blocked);
    g_assert_false(c->tx_waiting);
    g_assert_false(s->waiting);
    g_assert_cmpuint(c->stats.rx_frames, ==, s->taken);
    g_assert_cmpuint(c->stats.drops[NET_DROP_REFUSED], ==, s->refused);
    if (c->peer) {
        g_assert_cmpuint(c->peer->queue.frames, ==, 0);
        g_assert_false(c->peer->blocked || c->peer->tx_waiting);
    }
}

/* With everybody awake, a broadcast reaches every station of its segment whose link is up: nothing is wedged. */
static void check_alive(void)
{
    for (unsigned i = 0; i < EIGHT; i++) {
        struct station *s = &cur->st[i];

        if (!s->nic || !nic_has_peer(s->nic) || !nic_link_up(s->nic) || s->filtered) {
            continue;
        }
        send_frame(s, 0xFF, 1);
        bh_drain(100);
        for (unsigned k = 0; k < EIGHT; k++) {
            const struct station *o = &cur->st[k];

            if (k != i && o->nic && o->hub == s->hub && nic_has_peer(o->nic) && nic_link_up(o->nic) && !o->filtered) {
                g_assert_cmpuint(o->last[i], ==, s->sent);
            }
        }
    }
}

/* A queue that never reached its bound lost nothing for lack of room. */
static void check_room(void)
{
    uint64_t sent = 0;

    for (unsigned i = 0; i < EIGHT; i++) {
        sent += cur->st[i].sent;
    }
    for (unsigned i = 0; i < EIGHT && sent <= NET_QUEUE_FRAMES; i++) {
        if (cur->st[i].nic) {
            g_assert_cmpuint(nic_client(cur->st[i].nic)->stats.drops[NET_DROP_QUEUE_FULL], ==, 0);
        }
    }
}

static void finish(void)
{
    for (unsigned i = 0; i < EIGHT; i++) {
        struct station *s = &cur->st[i];

        s->full = false;
        if (s->nic) {
            nic_rx_ready(s->nic);
        }
    }
    g_assert_true(bh_drain(2000));
    for (unsigned i = 0; i < EIGHT; i++) {
        check_station(&cur->st[i]);
    }
    check_room();
    for (unsigned i = 0; i < EIGHT; i++) {
        cur->st[i].refuse = false;
    }
    check_alive();
    for (unsigned i = 0; i < EIGHT; i++) {
        if (cur->st[i].filtered) {
            net_filter_detach(&cur->st[i].filter);
        }
        unplug(&cur->st[i]);
        del_port(&cur->st[i], true);
        del_port(&cur->st[i], false);
    }
    g_assert_cmpuint(cur->port_tx, ==, cur->nic_rx + cur->lost + cur->stolen_rx);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static gsize ready;
    struct graph g = { 0 };

    if (g_once_init_enter(&ready)) {
        loop_init();
        runstate_set(RUN_STATE_RUNNING);
        g_once_init_leave(&ready, 1);
    }
    cur = &g;
    for (unsigned i = 0; i < 3; i++) {          /* so that short inputs do something */
        plug(&g.st[i], size && data[0] & 1);
    }
    for (size_t i = 0; i + 1 < size && i < 400; i += 2) {
        step(data[i], data[i + 1]);
    }
    finish();
    cur = NULL;
    return 0;
}
