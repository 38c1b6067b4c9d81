/* SPDX-License-Identifier: BSD-2-Clause */
/* net/filter.c - order in the chain, and who sees what */
#include "net/filter.h"
#include "net/client.h"
#include "net/net_int.h"

void net_filter_attach(struct net_client *c, struct net_filter *nf, struct net_filter *at, bool head)
{
    guint pos = c->filters->len;

    nf->client = c;
    if (at && g_ptr_array_find(c->filters, at, &pos)) {
        pos += nf->insert_before ? 0 : 1;
    } else if (head) {
        pos = 0;
    }
    g_ptr_array_insert(c->filters, (int)pos, nf);
}

void net_filter_detach(struct net_filter *nf)
{
    if (nf->client) {
        g_ptr_array_remove(nf->client->filters, nf);
        nf->client = NULL;
    }
}

/* From chain position @from on: upward for TX, downward for RX. */
static bool run_from(struct net_client *c, int from, enum net_dir dir, const struct frame *f)
{
    int step = dir == NET_DIR_TX ? 1 : -1;

    for (int i = from; i >= 0 && i < (int)c->filters->len; i += step) {
        struct net_filter *nf = c->filters->pdata[i];

        if (nf->on && (nf->dir & dir) && nf->ops->frame(nf, dir, f) == NET_STOLEN) {
            return false;
        }
    }
    return true;
}

bool net_filter_run(struct net_client *c, enum net_dir dir, const struct frame *f)
{
    if (G_LIKELY(!c->filters->len)) {
        return true;
    }
    return run_from(c, dir == NET_DIR_TX ? 0 : (int)c->filters->len - 1, dir, f);
}

void net_filter_inject(struct net_filter *nf, enum net_dir dir, const struct frame *f)
{
    struct net_client *c = nf->client, *to, *from;
    guint pos;

    if (!c || !c->peer || !net_client_link_up(c) || f->len < FRAME_MIN || f->len > FRAME_MAX || !g_ptr_array_find(c->filters, nf, &pos)) {
        return;
    }
    from = dir == NET_DIR_TX ? c->peer : c;
    to = dir == NET_DIR_TX ? c : c->peer;
    if (to->no_carrier) {
        return;
    }
    if (run_from(c, (int)pos + (dir == NET_DIR_TX ? 1 : -1), dir, f)) {
        client_forward(from, to, f);
    }
}
