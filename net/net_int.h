/* SPDX-License-Identifier: BSD-2-Clause */
/* net/net_int.h - inside the net layer: the list of everything, and how clients are made */
#ifndef NET_NET_INT_H
#define NET_NET_INT_H

#include "net/client.h"

/*
 * All clients, hubs and MAC addresses of the machine. It hangs on the main loop that serves them (a data set on glib's default main context),
 * because nothing in net/ is a file-scope variable. Made when first asked for; net_cleanup() removes it.
 */
struct net {
    GPtrArray *clients;             /* of struct net_client *, in order of creation */
    GPtrArray *segments;            /* of struct segment *, hubs and switches in order of creation */
    GArray *macs;                   /* of uint8_t[6]: in use, duplicates more than once */
    unsigned next_id;               /* of made-up names */
    unsigned depth;                 /* deliveries on the stack: from hub to hub */
    bool stopped;                   /* the machine stands still: NICs get nothing, so that guest memory does not change */
};
struct segment;
struct net *net_get(void);
void net_forget(struct net *n);

/* Steps of client_new that NICs and backends share. */
bool client_setup(struct net_client *c, const struct net_backend_ops *ops, const char *name, Error **errp);
void client_unlink(struct net_client *c);
void client_release(struct net_client *c);
/* Recompute the link and tell both ends if it changed. */
void client_update_wire(struct net_client *c);
/* NETDEV_LINK_CHANGED */
void client_link_event(const struct net_client *c, bool up);
char *client_made_up_name(void);
/* A filter's frame enters behind the filters. */
enum net_tx client_forward(struct net_client *from, struct net_client *to, const struct frame *f);

/* net/segment.c, for "info network" and the start-up warnings */
void segment_print_all(GString *out, void (*line)(GString *out, struct net_client *c, const char *before));
void segment_check_all(void);

#endif
