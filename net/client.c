/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/client.c - clients, cables and delivery
 *
 * A frame is handed over at once when its receiver is idle: nothing queued, not blocked, not inside a call of its own. Else it is copied to the
 * receiver's queue, which a bottom half drains. Invariants:
 *  - queue not empty => blocked, or the machine is stopped, or the bottom half is scheduled, or deliver_now() is on the stack (which
 *    schedules it);
 *  - tx_waiting at one end => blocked or bottom half scheduled at the other: the drain wakes it;
 *  - a frame is taken off the queue before the receiver sees it, so that the receiver may purge its own queue.
 */
#include "net/client.h"
#include "core/runstate.h"
#include "net/net_int.h"
#include "net/nic.h"
#include "qapi/schema.h"

enum {
    DRAIN_BUDGET = 256,                 /* frames of one bottom half run; the rest comes in the next */
    MAX_DEPTH = 16,                     /* hubs that a frame passes on one stack; a longer chain goes on in a bottom half */
};

static const char *const drop_names[NET_DROPS] = {
    [NET_DROP_RUNT] = "runt", [NET_DROP_OVERSIZE] = "oversize", [NET_DROP_BAD_META] = "bad-offload", [NET_DROP_LINK_DOWN] = "link-down",
    [NET_DROP_NO_PEER] = "no-peer", [NET_DROP_QUEUE_FULL] = "queue-full", [NET_DROP_REFUSED] = "refused", [NET_DROP_PURGED] = "purged",
};

const char *net_drop_name(enum net_drop why)
{
    return (unsigned)why < NET_DROPS ? drop_names[why] : "?";
}

/* --- the list ------------------------------------------------------------------------------------------------- */

static void flush_client(struct net_client *c, void *opaque)
{
    net_client_flush(c);
}

static void runstate_changed(void *opaque, enum run_event ev, enum run_state state, enum shutdown_cause cause)
{
    struct net *n = opaque;

    if (ev == RUN_EVENT_STATE) {
        n->stopped = state != RUN_STATE_RUNNING && state != RUN_STATE_PRELAUNCH;
        if (!n->stopped) {
            net_client_foreach(flush_client, NULL);
        }
    }
}

struct net *net_get(void)
{
    GMainContext *ctx = g_main_context_default();
    struct net *n = g_dataset_get_data(ctx, "patchbay-net");

    if (!n) {
        n = g_new0(struct net, 1);
        n->clients = g_ptr_array_new();
        n->segments = g_ptr_array_new();
        n->macs = g_array_new(FALSE, FALSE, 6);
        g_dataset_set_data(ctx, "patchbay-net", n);
        runstate_add_listener(runstate_changed, n);
    }
    return n;
}

void net_forget(struct net *n)
{
    runstate_del_listener(runstate_changed, n);
    g_dataset_set_data(g_main_context_default(), "patchbay-net", NULL);
}

static struct net_client *find(const char *name, bool nic)
{
    struct net *n = net_get();

    for (unsigned i = 0; i < n->clients->len; i++) {
        struct net_client *c = n->clients->pdata[i];

        if (!strcmp(c->name, name) && nic == (c->nic != NULL)) {
            return c;
        }
    }
    return NULL;
}

struct net_client *net_client_find_nic(const char *name)
{
    return find(name, true);
}

struct net_client *net_client_find(const char *name)
{
    struct net_client *c = find(name, false);

    return c ? c : net_client_find_nic(name);
}

void net_client_foreach(void (*fn)(struct net_client *c, void *opaque), void *opaque)
{
    struct net *n = net_get();
    g_autoptr(GPtrArray) copy = g_ptr_array_copy(n->clients, NULL, NULL);

    for (unsigned i = 0; i < copy->len; i++) {
        fn(copy->pdata[i], opaque);
    }
}

/* "#net" + counter + two random digits: no legal user id, unlikely to be guessed by scripts that should not */
char *client_made_up_name(void)
{
    return g_strdup_printf("#net%u%02d", net_get()->next_id++, g_random_int_range(0, 100));
}

const char *net_client_kind(const struct net_client *c)
{
    return c->ops->kind;
}

/* --- life ----------------------------------------------------------------------------------------------------- */

static void client_bh(void *opaque);

bool client_setup(struct net_client *c, const struct net_backend_ops *ops, const char *name, Error **errp)
{
    if (name && find(name, c->nic != NULL)) {
        error_setg(errp, "Duplicate ID '%s'", name);
        return false;
    }
    c->name = name ? g_strdup(name) : client_made_up_name();
    c->ops = ops;
    c->net = net_get();
    c->queues = 1;
    c->filters = g_ptr_array_new();
    c->info = g_string_new(NULL);
    bh_init(&c->bh, "net-client", client_bh, c);
    g_ptr_array_add(c->net->clients, c);
    return true;
}

/* Off the list and off the cable; no callback comes after it. */
void client_unlink(struct net_client *c)
{
    net_disconnect(c);
    while (c->filters->len) {
        struct net_filter *nf = c->filters->pdata[c->filters->len - 1];

        net_filter_detach(nf);
        nf->ops->detached(nf);
    }
    if (c->prop_field) {
        *c->prop_field = NULL;
        c->prop_field = NULL;
    }
    g_ptr_array_remove(c->net->clients, c);
    net_queue_purge(&c->queue);
    bh_fini(&c->bh);
    c->dead = true;
}

static void client_destroy(struct net_client *c)
{
    g_ptr_array_free(c->filters, TRUE);
    g_string_free(c->info, TRUE);
    g_free(c->name);
    g_free(c->lost_peer);
    g_free(c);
}

/* Free now, or when the last call on the stack is back. */
void client_release(struct net_client *c)
{
    if (!c->hold) {
        client_destroy(c);
    }
}

static void client_unhold(struct net_client *c)
{
    if (!--c->hold && c->dead) {
        client_destroy(c);
    }
}

struct net_client *net_client_new(const struct net_backend_ops *ops, const char *name, const void *cfg, Error **errp)
{
    struct net_client *c = g_malloc0(ops->size);

    if (!client_setup(c, ops, name, errp)) {
        g_free(c);
        return NULL;
    }
    c->link_follows = ops->follows;
    if (!ops->open(c, cfg, errp)) {
        net_client_free(c);
        return NULL;
    }
    return c;
}

void net_client_free(struct net_client *c)
{
    client_unlink(c);
    c->ops->close(c);
    client_release(c);
}

void net_client_set_info(struct net_client *c, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    g_string_vprintf(c->info, fmt, ap);
    va_end(ap);
}

/* --- link ----------------------------------------------------------------------------------------------------- */

bool net_client_link_up(const struct net_client *c)
{
    const struct net_client *p = c->peer;

    if (c->link_down || c->no_carrier || c->lost_peer || c->replugged) {
        return false;
    }
    return !p || (!p->link_down && !p->replugged && !(p->no_carrier && p->link_follows));
}

/* A NIC reports its changes itself (nic.c); other clients only what set_link does to them. Rate limited by the schema. */
void client_link_event(const struct net_client *c, bool up)
{
    struct jval *d = jval_dict();

    jval_set_str(d, "name", c->name);
    jval_set_bool(d, "up", up);
    qapi_event_emit(QAPI_EVENT_NETDEV_LINK_CHANGED, d);
}

static void purge(struct net_client *c)
{
    c->stats.drops[NET_DROP_PURGED] += net_queue_purge(&c->queue);
    c->blocked = false;
}

static void wake_sender(struct net_client *c)
{
    if (c->tx_waiting && !c->dead) {
        c->tx_waiting = false;
        c->hold++;
        c->ops->tx_ready(c);
        client_unhold(c);
    }
}

static void set_wire(struct net_client *c, bool up)
{
    if (c->wire_up == up) {
        return;
    }
    c->wire_up = up;
    if (!up) {
        purge(c);
    }
    c->ops->rx_enable(c, up);
    if (!up && (c->tx_waiting || (c->peer && c->peer->tx_waiting))) {
        bh_schedule(&c->bh);            /* nobody is waited for any more: frames will be dropped as on a cut cable */
    }
}

void client_update_wire(struct net_client *c)
{
    struct net_client *p = c->peer;

    set_wire(c, net_client_link_up(c) && (c->nic || p));
    if (p) {
        set_wire(p, net_client_link_up(p));
    }
}

void net_client_set_carrier(struct net_client *c, bool up)
{
    c->no_carrier = !up;
    client_update_wire(c);
}

void net_connect(struct net_client *a, struct net_client *b)
{
    a->peer = b;
    b->peer = a;
    g_clear_pointer(&a->lost_peer, g_free);
    g_clear_pointer(&b->lost_peer, g_free);
    client_update_wire(a);
}

void net_disconnect(struct net_client *c)
{
    struct net_client *p = c->peer;

    if (!p) {
        return;
    }
    c->peer = p->peer = NULL;
    if (p->nic) {
        g_free(p->lost_peer);
        p->lost_peer = g_strdup(c->name);
    }
    purge(c);
    purge(p);
    client_update_wire(c);
    client_update_wire(p);
    if (p->tx_waiting) {
        bh_schedule(&p->bh);
    }
}

/* --- delivery ------------------------------------------------------------------------------------------------- */

struct delivery {
    struct net_client *to;
    struct net_queue rest;              /* pieces that came after BUSY */
    enum net_tx result;
};

static bool deliver_piece(void *opaque, const struct frame *f)
{
    struct delivery *d = opaque;
    struct net_client *to = d->to;
    enum net_tx r;

    if (to->dead) {
        return false;
    }
    if (to->blocked) {
        net_queue_push(&d->rest, f, true);
        return true;
    }
    to->delivering = true;
    r = to->ops->send(to, f);
    to->delivering = false;
    if (r == NET_TX_DONE) {
        to->stats.rx_frames++;
        to->stats.rx_bytes += f->len;
    } else if (r == NET_TX_DROP) {
        to->stats.drops[NET_DROP_REFUSED]++;
        d->result = NET_TX_DROP;
    } else if (!to->dead) {
        to->blocked = true;
        net_queue_push(&d->rest, f, true);
    }
    return true;
}

/* To an idle receiver. What it does not take is at the front of its queue afterwards. */
static enum net_tx deliver_now(struct net_client *to, const struct frame *f)
{
    struct delivery d = { .to = to, .result = NET_TX_DONE };

    to->hold++;
    if (caps_adapt(f, to->ops->offloads(to), deliver_piece, &d) == CAPS_BAD_META) {
        to->stats.drops[NET_DROP_BAD_META]++;
        d.result = NET_TX_DROP;
    }
    if (to->dead) {
        net_queue_purge(&d.rest);
    } else {
        net_queue_prepend(&to->queue, &d.rest);
        if (to->queue.frames && !to->blocked) {
            bh_schedule(&to->bh);
        }
    }
    client_unhold(to);
    return d.result;
}

static bool stands_still(const struct net_client *c)
{
    return c->nic && c->net->stopped;
}

static bool is_idle(const struct net_client *c)
{
    return !c->queue.frames && !c->blocked && !c->delivering && !c->sending && !stands_still(c);
}

static enum net_tx enqueue(struct net_client *to, const struct frame *f)
{
    if (!net_queue_push(&to->queue, f, false)) {
        to->stats.drops[NET_DROP_QUEUE_FULL]++;
        return NET_TX_DROP;
    }
    if (!to->blocked) {
        bh_schedule(&to->bh);
    }
    return NET_TX_DONE;
}

enum net_tx client_forward(struct net_client *from, struct net_client *to, const struct frame *f)
{
    enum net_tx r;

    from->sending++;
    from->net->depth++;
    r = is_idle(to) && from->net->depth <= MAX_DEPTH ? deliver_now(to, f) : enqueue(to, f);
    from->net->depth--;
    from->sending--;
    return r;
}

/* May the frame travel at all? Counts why not. */
static struct net_client *receiver_for(struct net_client *c, const struct frame *f)
{
    struct net_client *to = c->peer;

    if (f->len < FRAME_MIN || f->len > FRAME_MAX) {
        struct net_client *who = to ? to : c;

        who->stats.drops[f->len < FRAME_MIN ? NET_DROP_RUNT : NET_DROP_OVERSIZE]++;
        return NULL;
    }
    if (!to) {
        c->stats.drops[c->lost_peer ? NET_DROP_LINK_DOWN : NET_DROP_NO_PEER]++;
        return NULL;
    }
    if (!net_client_link_up(c) || to->no_carrier) {
        to->stats.drops[NET_DROP_LINK_DOWN]++;
        return NULL;
    }
    return to;
}

static enum net_tx send_to(struct net_client *c, struct net_client *to, const struct frame *f)
{
    enum net_tx r = NET_TX_DONE;
    bool pass;

    c->hold++;
    c->stats.tx_frames++;
    c->stats.tx_bytes += f->len;
    pass = c->nic ? net_filter_run(to, NET_DIR_TX, f) : net_filter_run(c, NET_DIR_RX, f);
    if (pass && c->peer == to) {
        r = client_forward(c, to, f);
    }
    client_unhold(c);
    return r;
}

enum net_tx net_send(struct net_client *c, const struct frame *f)
{
    struct net_client *to = receiver_for(c, f);

    if (!to) {
        return NET_TX_DROP;
    }
    if (to->blocked || net_queue_full(&to->queue)) {
        c->tx_waiting = true;
        return NET_TX_BUSY;
    }
    return send_to(c, to, f);
}

enum net_tx net_send_queued(struct net_client *c, const struct frame *f)
{
    struct net_client *to = receiver_for(c, f);

    return to ? send_to(c, to, f) : NET_TX_DROP;
}

bool net_can_send(struct net_client *c)
{
    struct net_client *to = c->peer;

    if (to && to->wire_up && (to->blocked || to->queue.frames >= NET_QUEUE_FRAMES / 4 || to->queue.bytes >= NET_QUEUE_BYTES / 4)) {
        c->tx_waiting = true;
        return false;
    }
    return true;
}

/* Drain the queue of @c, then wake whoever waits for it. */
static void client_bh(void *opaque)
{
    struct net_client *c = opaque, *p;
    unsigned budget = DRAIN_BUDGET;
    struct net_packet *pkt;
    struct frame f;

    if (c->delivering || c->sending) {
        bh_schedule(&c->bh);
        return;
    }
    if (stands_still(c)) {
        return;                         /* flushed when the machine goes on */
    }
    c->hold++;
    c->blocked = false;
    while (budget && !c->dead && !c->blocked && (pkt = net_queue_take(&c->queue))) {
        net_packet_frame(pkt, &f);
        deliver_now(c, &f);
        net_packet_free(pkt);
        budget--;
    }
    if (!c->dead && !c->blocked) {
        p = c->peer;
        if (c->queue.frames) {
            bh_schedule(&c->bh);
        } else if (p) {
            wake_sender(p);
        }
    }
    if (!c->dead && c->tx_waiting && (!c->peer || !c->wire_up)) {
        wake_sender(c);
    }
    client_unhold(c);
}

void net_client_flush(struct net_client *c)
{
    if (c->blocked || c->queue.frames || (c->peer && c->peer->tx_waiting)) {
        bh_schedule(&c->bh);
    }
}
