/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/segment.h - what hubs and switches have in common: a number, and ports that come and go
 *
 * A segment exists while it has ports. A port is a client whose peer is the NIC or backend plugged into it. Each way out has the queue of the
 * client at its end: a slow one loses its own frames only, nothing is ever waited for, and frames of one sender stay in order.
 */
#ifndef NET_SEGMENT_H
#define NET_SEGMENT_H

#include "net/net_int.h"

struct segment_type {
    const char *kind;                       /* "hub" */
    const struct net_backend_ops *port_ops;
    size_t size;                            /* of the struct that starts with a struct segment */
    void (*init)(struct segment *s);        /* the first port is coming; memory is zero */
    void (*fini)(struct segment *s);        /* the last one has gone */
};

struct segment {
    const struct segment_type *type;
    unsigned id, next_port;
    GPtrArray *ports;                       /* of struct segment_port *, in order of creation */
};

struct segment_port {
    struct net_client c;                    /* first member */
    struct segment *seg;                    /* NULL: not open */
    unsigned number;
};

extern const struct segment_type segment_hub;       /* net/hub.c */
extern const struct segment_type segment_switch;    /* net/switch.c */

/** segment_find() - by type and number; NULL: there is none */
struct segment *segment_find(const struct segment_type *type, unsigned id);
/** segment_of() - the segment that @c, a NIC or backend, is plugged into, or whose port it is; NULL: none */
struct segment *segment_of(const struct net_client *c);
/** segment_port_of() - @c as a port; NULL: it is none */
struct segment_port *segment_port_of(const struct net_client *c);
/**
 * segment_join() - the port gets its number, the segment is made if this is its first, and @netdev, if not NULL, is plugged in
 * Return: false: "netdev 'zz' not found", "netdev 'u' is in use"
 */
bool segment_join(struct segment_port *p, const struct segment_type *type, unsigned id, const char *netdev, Error **errp);
/** segment_leave() - undo segment_join(); harmless when that failed */
void segment_leave(struct segment_port *p);
/** segment_flood() - to all ports but @except that something is plugged into */
void segment_flood(const struct segment *s, const struct segment_port *except, const struct frame *f);

/* Ports keep nothing and wait for nobody: three of the net_backend_ops of both. */
void segment_rx_enable(struct net_client *c, bool on);
void segment_tx_ready(struct net_client *c);
uint32_t segment_offloads(const struct net_client *c);

#endif
