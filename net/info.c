/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/info.c - "info network" as scripts parse it
 *
 * Hubs first, newest first, newest port first; then the other clients in order of creation, a NIC's backend below its NIC.
 */
#include "net/info.h"
#include "net/backends.h"
#include "net/net_int.h"
#include "net/nic.h"
#include "net/segment.h"
#include <inttypes.h>

static void print_filters(GString *out, const struct net_client *c)
{
    static const char *const dir_names[] = { [NET_DIR_TX] = "tx", [NET_DIR_RX] = "rx", [NET_DIR_ALL] = "all" };

    if (!c->filters->len) {
        return;
    }
    g_string_append(out, "filters:\n");
    for (unsigned i = 0; i < c->filters->len; i++) {
        const struct net_filter *nf = c->filters->pdata[i];

        g_string_append_printf(out, "  - %s: type=%s", nf->id, nf->ops->type);
        g_string_append_c(out, ',');
        nf->ops->describe(nf, out);
        g_string_append_printf(out, ",position=%s,status=%s,insert=%s,netdev=%s,queue=%s\n", nf->position, nf->on ? "on" : "off",
                               nf->insert_before ? "before" : "behind", c->name, dir_names[nf->dir & NET_DIR_ALL]);
    }
}

/* "by somebody's order", not merely unconnected: those backends say so in their own text */
static bool switched_off(const struct net_client *c)
{
    return c->link_down || c->lost_peer || (c->peer && c->peer->link_down);
}

static void print_client(GString *out, struct net_client *c, const char *before)
{
    g_string_append_printf(out, "%s%s: index=%u,type=%s,%s%s\n", before, c->name, c->index, net_client_kind(c), c->info->str,
                           switched_off(c) ? ",link=down" : "");
    print_filters(out, c);
}

/* The further queues of a multiqueue backend, each below its NIC's, which has its text only once */
static void print_queues(GString *out, const struct net_client *nic, const struct net_client *c)
{
    for (unsigned i = 1; i < c->queues; i++) {
        if (nic) {
            g_string_append_printf(out, "%s: index=%u,type=%s,\n", nic->name, i, net_client_kind(nic));
        }
        g_string_append_printf(out, "%s%s: index=%u,type=%s,%s\n", nic ? " \\ " : "", c->name, i, net_client_kind(c), c->info->str);
    }
}

void net_print_info(GString *out)
{
    struct net *n = net_get();

    segment_print_all(out, print_client);
    for (unsigned i = 0; i < n->clients->len; i++) {
        struct net_client *c = n->clients->pdata[i];

        if (segment_of(c) || (!c->nic && c->peer && c->peer->nic)) {
            continue;
        }
        print_client(out, c, "");
        if (c->nic && c->peer) {
            print_client(out, c->peer, " \\ ");
            print_queues(out, c, c->peer);
        } else if (!c->nic) {
            print_queues(out, NULL, c);
        }
    }
}

static void print_stats(struct net_client *c, void *opaque)
{
    GString *out = opaque;

    g_string_append_printf(out, "%s: tx-frames=%" PRIu64 ",tx-bytes=%" PRIu64 ",rx-frames=%" PRIu64 ",rx-bytes=%" PRIu64 ",queued=%u", c->name,
                           c->stats.tx_frames, c->stats.tx_bytes, c->stats.rx_frames, c->stats.rx_bytes, c->queue.frames);
    for (unsigned i = 0; i < NET_DROPS; i++) {
        if (c->stats.drops[i]) {
            g_string_append_printf(out, ",drop-%s=%" PRIu64, net_drop_name(i), c->stats.drops[i]);
        }
    }
    for (unsigned i = 0; i < c->n_own_drops; i++) {
        if (c->own_drops[i]) {
            g_string_append_printf(out, ",drop-%s=%" PRIu64, c->own_drop_names[i], c->own_drops[i]);
        }
    }
    g_string_append_c(out, '\n');
}

void net_print_stats(GString *out)
{
    net_client_foreach(print_stats, out);
}
