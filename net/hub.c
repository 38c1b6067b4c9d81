/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/hub.c - hubs
 *
 * A port is a client whose peer is the NIC or backend plugged into it. What the peer sends is sent on by every other port of the hub. Each
 * way out has the queue of the client at its end, so a slow one loses its own frames only, and nothing is ever waited for.
 */
#include "net/hub.h"
#include "lib/bits.h"
#include "net/backends.h"
#include "net/net_int.h"
#include "net/nic.h"
#include "qapi/qapi-types.h"

struct net_hub {
    unsigned id, next_port;
    GPtrArray *ports;               /* of struct hub_port *, in order of creation */
};

struct hub_port {
    struct net_client c;
    struct net_hub *hub;
    unsigned number;
};

static struct net_hub *hub_get(unsigned id)
{
    struct net *n = net_get();
    struct net_hub *h;

    for (unsigned i = 0; i < n->hubs->len; i++) {
        h = n->hubs->pdata[i];
        if (h->id == id) {
            return h;
        }
    }
    h = g_new0(struct net_hub, 1);
    h->id = id;
    h->ports = g_ptr_array_new();
    g_ptr_array_add(n->hubs, h);
    return h;
}

static enum net_tx hub_send(struct net_client *c, const struct frame *f)
{
    struct hub_port *from = container_of(c, struct hub_port, c);
    GPtrArray *ports = from->hub->ports;

    for (unsigned i = 0; i < ports->len; i++) {
        struct hub_port *p = ports->pdata[i];

        if (p != from && p->c.peer) {
            net_send_queued(&p->c, f);
        }
    }
    return NET_TX_DONE;
}

static bool hub_open(struct net_client *c, const void *cfg, Error **errp)
{
    struct hub_port *p = container_of(c, struct hub_port, c);
    const NetdevHubport *o = cfg;
    struct net_client *peer = NULL;

    if (o->netdev) {
        peer = net_client_find(o->netdev);
        if (!peer || peer->nic || peer == c) {
            error_setg(errp, "netdev '%s' not found", o->netdev);
            return false;
        }
        if (peer->peer || peer->prop_field) {
            error_setg(errp, "netdev '%s' is in use", o->netdev);
            return false;
        }
    }
    p->hub = hub_get(o->hubid);
    p->number = p->hub->next_port++;
    g_ptr_array_add(p->hub->ports, p);
    if (peer) {
        net_connect(c, peer);
    }
    return true;
}

static void hub_close(struct net_client *c)
{
    struct hub_port *p = container_of(c, struct hub_port, c);
    struct net_hub *h = p->hub;

    if (!h) {
        return;
    }
    g_ptr_array_remove(h->ports, p);
    if (!h->ports->len) {
        g_ptr_array_remove(c->net->hubs, h);
        g_ptr_array_free(h->ports, TRUE);
        g_free(h);
    }
    p->hub = NULL;
}

static void hub_rx_enable(struct net_client *c, bool on)
{
}

static void hub_tx_ready(struct net_client *c)
{
}

static uint32_t hub_offloads(const struct net_client *c)
{
    return PKT_CAP_ALL;             /* each way out adapts the frame for itself */
}

const struct net_backend_ops net_backend_hubport = {
    .kind = "hubport", .size = sizeof(struct hub_port), .open = hub_open, .send = hub_send, .rx_enable = hub_rx_enable,
    .tx_ready = hub_tx_ready, .offloads = hub_offloads, .close = hub_close,
};

struct net_client *net_hub_add_port(unsigned hub_id, const char *name, struct net_client *peer, Error **errp)
{
    g_autofree char *made_up = name ? NULL : g_strdup_printf("hub%uport%u", hub_id, hub_get(hub_id)->next_port);
    NetdevHubport cfg = { .hubid = hub_id };
    struct net_client *c = net_client_new(&net_backend_hubport, name ? name : made_up, &cfg, errp);

    if (c && peer) {
        net_connect(c, peer);
    }
    return c;
}

static const struct hub_port *port_of(const struct net_client *c)
{
    return c && c->ops == &net_backend_hubport ? container_of(c, struct hub_port, c) : NULL;
}

bool net_hub_port_id(const struct net_client *c, unsigned *hub_id, unsigned *port)
{
    const struct hub_port *p = port_of(c);

    if (!p) {
        return false;
    }
    *hub_id = p->hub->id;
    *port = p->number;
    return true;
}

int net_hub_id_for(const struct net_client *c)
{
    const struct hub_port *p = port_of(c) ? port_of(c) : port_of(c->peer);

    return p ? (int)p->hub->id : -1;
}

void hub_print_all(GString *out, void (*line)(GString *out, struct net_client *c, const char *before))
{
    struct net *n = net_get();

    for (unsigned i = n->hubs->len; i-- > 0;) {
        struct net_hub *h = n->hubs->pdata[i];

        g_string_append_printf(out, "hub %u\n", h->id);
        for (unsigned k = h->ports->len; k-- > 0;) {
            struct hub_port *p = h->ports->pdata[k];

            g_string_append_printf(out, " \\ %s", p->c.name);
            if (p->c.peer) {
                line(out, p->c.peer, ": ");
            } else {
                g_string_append_c(out, '\n');
            }
        }
    }
}

void hub_check_all(void)
{
    struct net *n = net_get();

    for (unsigned i = n->hubs->len; i-- > 0;) {
        struct net_hub *h = n->hubs->pdata[i];
        bool has_nic = false, has_host = false;

        for (unsigned k = h->ports->len; k-- > 0;) {
            struct hub_port *p = h->ports->pdata[k];

            if (!p->c.peer) {
                warn_report("hub port %s has no peer", p->c.name);
                continue;
            }
            has_nic |= p->c.peer->nic != NULL || port_of(p->c.peer);
            has_host |= p->c.peer->nic == NULL;
        }
        if (has_host && !has_nic) {
            warn_report("hub %u with no nics", h->id);
        }
        if (has_nic && !has_host) {
            warn_report("hub %u is not connected to host network", h->id);
        }
    }
}
