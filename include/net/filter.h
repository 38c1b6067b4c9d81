/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/filter.h - the chain of filters that hangs on a backend (-object filter-dump,netdev=...)
 *
 * Frames that the backend's peer sends to it (tx, as the guest sees it) pass the chain from head to tail, frames that the backend sends (rx)
 * from tail to head. A filter sees frames before any offload work is done.
 */
#ifndef NET_FILTER_H
#define NET_FILTER_H

#include "net/frame.h"
#include <glib.h>

struct net_client;
struct net_filter;

enum net_dir {
    NET_DIR_TX = 1 << 0,            /* guest to backend */
    NET_DIR_RX = 1 << 1,            /* backend to guest */
    NET_DIR_ALL = NET_DIR_TX | NET_DIR_RX,
};

enum net_verdict {
    NET_PASS,                       /* to the next filter */
    NET_STOLEN,                     /* the filter has copied or dropped it; counted there */
};

struct net_filter_ops {
    const char *type;               /* "filter-dump" */
    enum net_verdict (*frame)(struct net_filter *nf, enum net_dir dir, const struct frame *f);
    void (*describe)(const struct net_filter *nf, GString *out);    /* own properties: "file=/tmp/x.pcap,maxlen=65536" */
    void (*detached)(struct net_filter *nf);                        /* the backend goes away, the filter is off the chain already */
};

/* Embedded in its owner. */
struct net_filter {
    const struct net_filter_ops *ops;
    char *id;                       /* owner's */
    const char *position;           /* as given: "tail"; owner's */
    bool insert_before;
    bool on;
    enum net_dir dir;
    struct net_client *client;
};

/** net_filter_attach() - put on the chain of backend @c at the head, the tail, or behind/before @at */
void net_filter_attach(struct net_client *c, struct net_filter *nf, struct net_filter *at, bool head);
void net_filter_detach(struct net_filter *nf);
/** net_filter_inject() - continue with @f behind @nf in direction @dir, as if @nf had passed it (redirector, buffer) */
void net_filter_inject(struct net_filter *nf, enum net_dir dir, const struct frame *f);
/** net_filter_run() - the core: true when every filter of @c passed the frame */
bool net_filter_run(struct net_client *c, enum net_dir dir, const struct frame *f);

#endif
