/* SPDX-License-Identifier: BSD-2-Clause */
/* net/segment.c - the list of hubs and switches, their ports, and what "info network" and the start-up warnings say about them */
#include "net/segment.h"
#include "net/nic.h"

struct segment *segment_find(const struct segment_type *type, unsigned id)
{
    struct net *n = net_get();

    for (unsigned i = 0; i < n->segments->len; i++) {
        struct segment *s = n->segments->pdata[i];

        if (s->type == type && s->id == id) {
            return s;
        }
    }
    return NULL;
}

static struct segment *segment_new(const struct segment_type *type, unsigned id)
{
    struct segment *s = g_malloc0(type->size);

    s->type = type;
    s->id = id;
    s->ports = g_ptr_array_new();
    type->init(s);
    g_ptr_array_add(net_get()->segments, s);
    return s;
}

struct segment_port *segment_port_of(const struct net_client *c)
{
    const struct net_backend_ops *ops = c ? c->ops : NULL;

    return ops == segment_hub.port_ops || ops == segment_switch.port_ops ? (struct segment_port *)(uintptr_t)c : NULL;
}

struct segment *segment_of(const struct net_client *c)
{
    const struct segment_port *p = segment_port_of(c);

    p = p ? p : segment_port_of(c->peer);
    return p ? p->seg : NULL;
}

bool segment_join(struct segment_port *p, const struct segment_type *type, unsigned id, const char *netdev, Error **errp)
{
    struct net_client *peer = NULL;

    if (netdev) {
        peer = net_client_find(netdev);
        if (!peer || peer->nic || peer == &p->c) {
            error_setg(errp, "netdev '%s' not found", netdev);
            return false;
        }
        if (peer->peer || peer->prop_field) {
            error_setg(errp, "netdev '%s' is in use", netdev);
            return false;
        }
        if (peer->queues > 1) {
            error_setg(errp, "Multiqueue tap cannot be used with hubs");
            return false;
        }
    }
    p->seg = segment_find(type, id);
    p->seg = p->seg ? p->seg : segment_new(type, id);
    p->number = p->seg->next_port++;
    g_ptr_array_add(p->seg->ports, p);
    if (peer) {
        net_connect(&p->c, peer);
    }
    return true;
}

void segment_leave(struct segment_port *p)
{
    struct segment *s = p->seg;

    if (!s) {
        return;
    }
    p->seg = NULL;
    g_ptr_array_remove(s->ports, p);
    if (!s->ports->len) {
        g_ptr_array_remove(p->c.net->segments, s);
        g_ptr_array_free(s->ports, TRUE);
        s->type->fini(s);
        g_free(s);
    }
}

void segment_flood(const struct segment *s, const struct segment_port *except, const struct frame *f)
{
    for (unsigned i = 0; i < s->ports->len; i++) {
        struct segment_port *p = s->ports->pdata[i];

        if (p != except && p->c.peer) {
            net_send_queued(&p->c, f);
        }
    }
}

void segment_rx_enable(struct net_client *c, bool on)
{
}

void segment_tx_ready(struct net_client *c)
{
}

uint32_t segment_offloads(const struct net_client *c)
{
    return PKT_CAP_ALL;             /* each way out adapts the frame for itself */
}

void segment_print_all(GString *out, void (*line)(GString *out, struct net_client *c, const char *before))
{
    struct net *n = net_get();

    for (unsigned i = n->segments->len; i-- > 0;) {
        struct segment *s = n->segments->pdata[i];

        g_string_append_printf(out, "%s %u\n", s->type->kind, s->id);
        for (unsigned k = s->ports->len; k-- > 0;) {
            struct segment_port *p = s->ports->pdata[k];

            g_string_append_printf(out, " \\ %s", p->c.name);
            if (p->c.peer) {
                line(out, p->c.peer, ": ");
            } else {
                g_string_append_c(out, '\n');
            }
        }
    }
}

void segment_check_all(void)
{
    struct net *n = net_get();

    for (unsigned i = n->segments->len; i-- > 0;) {
        struct segment *s = n->segments->pdata[i];
        bool has_nic = false, has_host = false;

        for (unsigned k = s->ports->len; k-- > 0;) {
            struct segment_port *p = s->ports->pdata[k];

            if (!p->c.peer) {
                warn_report("%s port %s has no peer", s->type->kind, p->c.name);
                continue;
            }
            has_nic |= p->c.peer->nic != NULL || segment_port_of(p->c.peer);
            has_host |= p->c.peer->nic == NULL;
        }
        if (has_host && !has_nic) {
            warn_report("%s %u with no nics", s->type->kind, s->id);
        }
        if (has_nic && !has_host) {
            warn_report("%s %u is not connected to host network", s->type->kind, s->id);
        }
    }
}
