/* SPDX-License-Identifier: BSD-2-Clause */
/* net/hub.c - hubs: what the peer of one port sends is sent on by every other port */
#include "net/hub.h"
#include "lib/bits.h"
#include "net/backends.h"
#include "net/segment.h"
#include "qapi/qapi-types.h"

static enum net_tx hub_send(struct net_client *c, const struct frame *f)
{
    struct segment_port *from = container_of(c, struct segment_port, c);

    segment_flood(from->seg, from, f);
    return NET_TX_DONE;
}

static bool hub_open(struct net_client *c, const void *cfg, Error **errp)
{
    const NetdevHubport *o = cfg;

    return segment_join(container_of(c, struct segment_port, c), &segment_hub, o->hubid, o->netdev, errp);
}

static void hub_close(struct net_client *c)
{
    segment_leave(container_of(c, struct segment_port, c));
}

static void hub_nothing(struct segment *s)
{
}

const struct net_backend_ops net_backend_hubport = {
    .kind = "hubport", .size = sizeof(struct segment_port), .open = hub_open, .send = hub_send, .rx_enable = segment_rx_enable,
    .tx_ready = segment_tx_ready, .offloads = segment_offloads, .close = hub_close,
};

const struct segment_type segment_hub = {
    .kind = "hub", .port_ops = &net_backend_hubport, .size = sizeof(struct segment), .init = hub_nothing, .fini = hub_nothing,
};

struct net_client *net_hub_add_port(unsigned hub_id, const char *name, struct net_client *peer, Error **errp)
{
    const struct segment *s = segment_find(&segment_hub, hub_id);
    g_autofree char *made_up = name ? NULL : g_strdup_printf("hub%uport%u", hub_id, s ? s->next_port : 0);
    NetdevHubport cfg = { .hubid = hub_id };
    struct net_client *c = net_client_new(&net_backend_hubport, name ? name : made_up, &cfg, errp);

    if (c && peer) {
        net_connect(c, peer);
    }
    return c;
}

bool net_hub_port_id(const struct net_client *c, unsigned *hub_id, unsigned *port)
{
    const struct segment_port *p = segment_port_of(c);

    if (!p || p->seg->type != &segment_hub) {
        return false;
    }
    *hub_id = p->seg->id;
    *port = p->number;
    return true;
}

int net_hub_id_for(const struct net_client *c)
{
    const struct segment *s = segment_of(c);

    return s && s->type == &segment_hub ? (int)s->id : -1;
}
