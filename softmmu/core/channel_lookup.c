/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * softmmu/core/channel_lookup.c - asking a name server in a thread
 *
 * The thread has copies of what it needs and touches nothing else; it hands its result to the main loop, which is also where a lookup is
 * cancelled, so neither has to wait for the other.
 */
#include "core/channel.h"
#include "core/loop.h"
#include <netdb.h>

struct channel_lookup {
    channel_lookup_fn *fn;              /* NULL: cancelled; main thread */
    void *opaque;
    struct channel_addr addr;           /* its strings are ours */
    struct channel_targets *found;
    Error *err;
};

struct channel_targets *channel_targets_numeric(const struct channel_addr *a, Error **errp)
{
    return channel_targets_find(a, AI_NUMERICHOST, errp);
}

static void lookup_done(void *opaque)
{
    struct channel_lookup *l = opaque;

    if (l->fn) {
        l->fn(l->opaque, g_steal_pointer(&l->found), l->err ? error_text(l->err) : "");
    }
    g_free(l->found);
    error_free(l->err);
    g_free((char *)l->addr.host);
    g_free((char *)l->addr.port);
    g_free(l);
}

static gpointer lookup_thread(gpointer data)
{
    struct channel_lookup *l = data;

    l->found = channel_targets_find(&l->addr, 0, &l->err);
    loop_oneshot(lookup_done, l);
    return NULL;
}

struct channel_lookup *channel_lookup(const struct channel_addr *a, channel_lookup_fn *fn, void *opaque)
{
    struct channel_lookup *l = g_new0(struct channel_lookup, 1);

    l->fn = fn;
    l->opaque = opaque;
    l->addr = *a;
    l->addr.host = g_strdup(a->host);
    l->addr.port = g_strdup(a->port);
    l->addr.path = NULL;
    g_thread_unref(g_thread_new("name-lookup", lookup_thread, l));
    return l;
}

void channel_lookup_cancel(struct channel_lookup *l)
{
    if (l) {
        l->fn = NULL;
    }
}
