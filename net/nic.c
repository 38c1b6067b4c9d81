/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/nic.c - the NIC end of a cable, and the two properties that every NIC has
 *
 * A NIC is a client whose ops call the model's nic_ops. Padding of short frames happens here and nowhere else.
 */
#include "net/nic.h"
#include "core/device.h"
#include "core/timer.h"
#include "lib/bits.h"
#include "lib/strparse.h"
#include "net/net_int.h"
#include "qapi/schema.h"
#include <string.h>

enum { PAD_MAX = 64 };

struct nic {
    struct net_client c;
    const struct nic_ops *ops;
    struct nic_conf *conf;
    const char *model;
    void *opaque;
    nic_rx_filter_fn *rx_filter;    /* NULL: the model cannot tell */
    nic_announce_fn *announce;      /* NULL: the guest has no part in it */
    bool filter_told;               /* NIC_RX_FILTER_CHANGED was sent and nobody has asked since */
    bool ready;                     /* nic_new() is over: callbacks may come */
    struct timer replug;            /* when the cable is in its new place */
};

static enum net_tx client_send(struct net_client *c, const struct frame *f)
{
    struct nic *nic = c->nic;
    uint8_t buf[PAD_MAX] = { 0 };
    struct frame g;

    if (G_UNLIKELY(f->len < nic->ops->min_len)) {
        frame_copy_out(f, 0, buf, MIN(f->len, sizeof(buf)));
        frame_from_buf(&g, buf, MIN(nic->ops->min_len, sizeof(buf)));
        g.meta = f->meta;
        return nic->ops->receive(nic->opaque, &g);
    }
    return nic->ops->receive(nic->opaque, f);
}

static void client_rx_enable(struct net_client *c, bool on)
{
    if (c->nic->ready) {
        client_link_event(c, on);
        c->nic->ops->link_changed(c->nic->opaque, on);
    }
}

static void client_tx_ready(struct net_client *c)
{
    c->nic->ops->tx_ready(c->nic->opaque);
}

static uint32_t client_offloads(const struct net_client *c)
{
    return c->nic->ops->offloads(c->nic->opaque);
}

/* NICs are made by nic_new() and end in nic_free(): these two are never called. */
static bool client_open(struct net_client *c, const void *cfg, Error **errp)
{
    return true;
}

static void client_close(struct net_client *c)
{
}

static const struct net_backend_ops nic_client_ops = {
    .kind = "nic", .size = sizeof(struct nic), .open = client_open, .send = client_send, .rx_enable = client_rx_enable,
    .tx_ready = client_tx_ready, .offloads = client_offloads, .close = client_close,
};

/* MODEL.N with the first free N */
static char *default_name(const char *model)
{
    for (unsigned n = 0;; n++) {
        g_autofree char *s = g_strdup_printf("%s.%u", model, n);

        if (!net_client_find(s)) {
            return g_steal_pointer(&s);
        }
    }
}

static void replug_done(void *opaque)
{
    struct nic *nic = opaque;

    nic->c.replugged = false;
    client_update_wire(&nic->c);
}

struct nic *nic_new(const struct nic_ops *ops, struct nic_conf *conf, const char *model, const char *id, void *opaque, Error **errp)
{
    g_autofree char *made_up = id ? NULL : default_name(model);
    struct net_client *peer = conf->netdev;
    struct nic *nic;

    if (mac_is_multicast(conf->mac)) {
        error_setg(errp, "NIC cannot have multicast MAC address");
        return NULL;
    }
    if (peer && (peer->peer || (peer->prop_field && peer->prop_field != &conf->netdev))) {
        error_setg(errp, "netdev '%s' is in use", peer->name);
        return NULL;
    }
    nic = g_new0(struct nic, 1);
    nic->c.nic = nic;
    if (!client_setup(&nic->c, &nic_client_ops, id ? id : made_up, errp)) {
        g_free(nic);
        return NULL;
    }
    nic->ops = ops;
    nic->conf = conf;
    nic->model = model;
    nic->opaque = opaque;
    timer_setup(&nic->replug, CLOCK_VIRTUAL, replug_done, nic);
    mac_alloc(conf->mac);
    nic_set_info(nic, conf->mac);
    if (peer) {
        peer->prop_field = &conf->netdev;
        net_connect(&nic->c, peer);
    } else {
        client_update_wire(&nic->c);
    }
    nic->ready = true;
    return nic;
}

void nic_free(struct nic *nic)
{
    if (!nic) {
        return;
    }
    nic->ready = false;
    timer_fini(&nic->replug);
    if (nic->c.peer && nic->c.peer->prop_field == &nic->conf->netdev) {
        nic->c.peer->prop_field = NULL;
    }
    nic->conf->netdev = NULL;
    mac_release(nic->conf->mac);
    client_unlink(&nic->c);
    client_release(&nic->c);
}

void nic_plug_into(struct nic *nic, struct net_client *to)
{
    struct net_client *old = nic->c.peer;

    if (old == to) {
        return;
    }
    if (old) {
        nic->c.replugged = true;
        timer_arm(&nic->replug, clock_get_ns(CLOCK_VIRTUAL) + NET_REPLUG_MS * NS_PER_MS);
        net_disconnect(old);
        if (old->prop_field == &nic->conf->netdev) {
            old->prop_field = NULL;
        }
    }
    nic->conf->netdev = to;
    to->prop_field = &nic->conf->netdev;
    net_connect(&nic->c, to);
}

enum net_tx nic_send(struct nic *nic, const struct frame *f)
{
    return net_send(&nic->c, f);
}

static bool loop_piece(void *opaque, const struct frame *f)
{
    struct nic *nic = opaque;

    if (!net_queue_push(&nic->c.queue, f, false)) {
        nic->c.stats.drops[NET_DROP_QUEUE_FULL]++;
        return false;
    }
    return true;
}

enum net_tx nic_loopback(struct nic *nic, const struct frame *f)
{
    if (f->len < FRAME_MIN || f->len > FRAME_MAX) {
        nic->c.stats.drops[f->len < FRAME_MIN ? NET_DROP_RUNT : NET_DROP_OVERSIZE]++;
        return NET_TX_DROP;
    }
    switch (caps_adapt(f, client_offloads(&nic->c), loop_piece, nic)) {
    case CAPS_OK:
        if (!nic->c.blocked) {
            bh_schedule(&nic->c.bh);
        }
        return NET_TX_DONE;
    case CAPS_BAD_META:
        nic->c.stats.drops[NET_DROP_BAD_META]++;
        break;
    case CAPS_STOPPED:
        break;
    }
    return NET_TX_DROP;
}

void nic_rx_ready(struct nic *nic)
{
    net_client_flush(&nic->c);
}

void nic_purge(struct nic *nic)
{
    nic->c.stats.drops[NET_DROP_PURGED] += net_queue_purge(&nic->c.queue);
    net_client_flush(&nic->c);
}

bool nic_link_up(const struct nic *nic)
{
    return net_client_link_up(&nic->c);
}

bool nic_has_peer(const struct nic *nic)
{
    return nic->c.peer != NULL;
}

void nic_set_info(struct nic *nic, const uint8_t mac[6])
{
    char text[MAC_STR_LEN];

    net_client_set_info(&nic->c, "model=%s,macaddr=%s", nic->model, mac_format(mac, text));
}

struct net_client *nic_client(struct nic *nic)
{
    return &nic->c;
}

const char *nic_name(const struct nic *nic)
{
    return nic->c.name;
}

const char *nic_model(const struct nic *nic)
{
    return nic->model;
}

struct nic *nic_of(struct net_client *c)
{
    return c->nic;
}

struct nic_conf *nic_get_conf(struct nic *nic)
{
    return nic->conf;
}

void nic_set_rx_filter_fn(struct nic *nic, nic_rx_filter_fn *fn)
{
    nic->rx_filter = fn;
}

void nic_rx_filter_changed(struct nic *nic, const char *path)
{
    struct jval *d;

    if (nic->filter_told || !nic->rx_filter) {
        return;
    }
    nic->filter_told = true;
    d = jval_dict();
    jval_set_str(d, "name", nic->c.name);
    jval_set_str(d, "path", path);
    qapi_event_emit(QAPI_EVENT_NIC_RX_FILTER_CHANGED, d);
}

void nic_set_announce_fn(struct nic *nic, nic_announce_fn *fn)
{
    nic->announce = fn;
}

void nic_announce(struct nic *nic)
{
    if (nic->announce) {
        nic->announce(nic->opaque);
    }
}

void nic_failover_negotiated(struct nic *nic, const char *id)
{
    struct jval *d = jval_dict();

    jval_set_str(d, "device-id", id ? id : "");
    qapi_event_emit(QAPI_EVENT_FAILOVER_NEGOTIATED, d);
}

bool nic_query_rx_filter(const char *name, struct nic_rx_filter *out, Error **errp)
{
    struct net_client *c = net_client_find_nic(name);

    c = c ? c : net_client_find(name);
    if (!c) {
        error_setg(errp, "invalid net client name: %s", name);
        return false;
    }
    if (!c->nic) {
        error_setg(errp, "net client(%s) isn't a NIC", name);
        return false;
    }
    if (!c->nic->rx_filter) {
        error_setg(errp, "net client(%s) doesn't support rx-filter querying", name);
        return false;
    }
    *out = (struct nic_rx_filter){
        .unicast_table = g_array_new(FALSE, FALSE, 6), .multicast_table = g_array_new(FALSE, FALSE, 6),
        .vlan_table = g_array_new(FALSE, FALSE, sizeof(uint16_t)),
    };
    c->nic->filter_told = false;
    c->nic->rx_filter(c->nic->opaque, out);
    return true;
}

void nic_rx_filter_fini(struct nic_rx_filter *f)
{
    g_array_free(f->unicast_table, TRUE);
    g_array_free(f->multicast_table, TRUE);
    g_array_free(f->vlan_table, TRUE);
}
