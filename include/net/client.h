/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/client.h - the two ends of a virtual cable: NICs, host backends and hub ports, and how a frame gets across
 *
 * Every client has at most one peer. A frame sent by one end passes the backend's filters, is adapted to what the other end takes (net/caps.h)
 * and is given to the other end's send/receive, at once when it is idle, else through its queue.
 *
 * Rules that hold for every client:
 *  - Frames arrive in the order in which they were sent.
 *  - A client is never entered twice: a frame that answers a frame which is still being sent waits in the queue for a bottom half.
 *  - A receiver that is full says NET_TX_BUSY, once; the core keeps frame and order until it calls net_client_flush(). That is the one waker.
 *  - A sender that was told NET_TX_BUSY keeps its frame; its tx_ready() is called once when there is room again.
 *  - What is lost is counted under a reason (enum net_drop).
 *
 * Main loop and machine lock for everything here, unless said.
 */
#ifndef NET_CLIENT_H
#define NET_CLIENT_H

#include "core/loop.h"
#include "lib/error.h"
#include "net/caps.h"
#include "net/filter.h"
#include "net/frame.h"
#include "net/queue.h"
#include <glib.h>

struct Netdev;                      /* qapi/qapi-types.h */
struct net_client;
struct nic;

enum { NET_REPLUG_MS = 3000 };      /* virtual time. Some drivers look at their link only now and then: Linux's e1000 every 2 s, 8139too 3 s */

enum net_tx {
    NET_TX_DONE,                    /* taken */
    NET_TX_BUSY,                    /* not taken: keep it, you will be called */
    NET_TX_DROP,                    /* gone, and counted */
};

enum net_drop {                     /* counted at the client that did not get the frame; names in net_drop_name() */
    NET_DROP_RUNT,                  /* shorter than an Ethernet header */
    NET_DROP_OVERSIZE,
    NET_DROP_BAD_META,              /* offload request that does not fit the frame */
    NET_DROP_LINK_DOWN,
    NET_DROP_NO_PEER,
    NET_DROP_QUEUE_FULL,
    NET_DROP_REFUSED,               /* the receiver said DROP */
    NET_DROP_PURGED,                /* link or peer went away while it was queued */
    NET_DROPS,
};
const char *net_drop_name(enum net_drop why);

struct net_stats {                  /* frames and bytes that this client sent and got */
    uint64_t tx_frames, tx_bytes, rx_frames, rx_bytes;
    uint64_t drops[NET_DROPS];      /* on the way to this client */
};

/* What a host backend (or hub port) is. All members are set. */
struct net_backend_ops {
    const char *kind;                                               /* as in -netdev KIND,... */
    size_t size;                                                    /* of the struct that starts with a struct net_client */
    bool (*open)(struct net_client *c, const void *cfg, Error **errp);  /* cfg: the member of Netdev.u; no frames before it is back */
    enum net_tx (*send)(struct net_client *c, const struct frame *f);   /* peer -> host */
    void (*rx_enable)(struct net_client *c, bool on);               /* off: send nothing until on (link is down, or no peer) */
    void (*tx_ready)(struct net_client *c);                         /* after net_send() was BUSY; in a bottom half */
    uint32_t (*offloads)(const struct net_client *c);               /* PKT_CAP_* that send() takes */
    void (*close)(struct net_client *c);                            /* also after a failed open */
    bool follows;                                                   /* link=follow is the default: the guest sees whether it is connected */
};

struct net_client {
    char *name;
    const struct net_backend_ops *ops;      /* of a NIC: internal */
    struct nic *nic;                        /* set: this client is a NIC's */
    struct net_client *peer;
    char *lost_peer;                        /* NIC: name of the netdev that was deleted under it */
    unsigned index;                         /* queue number */
    unsigned queues;                        /* of a multiqueue backend; else 1. See pkt_meta.queue */
    bool is_netdev;                         /* created by -netdev, -nic or netdev_add: netdev_del may take it */
    bool link_down;                         /* by set_link */
    bool no_carrier;                        /* by the backend: not connected */
    bool link_follows;                      /* backend: its peer sees no_carrier as a link that is down (link=follow) */
    bool replugged;                         /* NIC: the cable is being moved to another backend (netdev_swap); no link for a moment */
    bool wire_up;                           /* what link_changed()/rx_enable() heard last */
    bool delivering;                        /* inside send/receive of this client */
    bool blocked;                           /* said BUSY; until net_client_flush() */
    bool tx_waiting;                        /* was told BUSY */
    unsigned sending;                       /* inside net_send() of this client */
    unsigned hold;                          /* calls on the stack that use it */
    bool dead;
    struct net_queue queue;                 /* on the way to this client */
    struct bh bh;                           /* drains the queue, wakes the sender */
    GPtrArray *filters;                     /* of struct net_filter *, head first; backends only */
    struct net_client **prop_field;         /* the nic_conf.netdev that refers to this backend: cleared when it goes */
    GString *info;                          /* what "info network" shows after type=KIND, */
    struct net_stats stats;
    const char *const *own_drop_names;      /* backend: reasons of its own for "info network -s", or NULL */
    const uint64_t *own_drops;              /* ... and their counters */
    unsigned n_own_drops;
    struct net *net;
};

/**
 * net_client_new() - create and open a backend
 * @ops:   kind and behaviour
 * @name:  copied; NULL: "#netNRR" is made up
 * @cfg:   for ops->open
 * Return: the client, without a peer; NULL: *errp is set, nothing remains
 */
struct net_client *net_client_new(const struct net_backend_ops *ops, const char *name, const void *cfg, Error **errp);
/** net_client_free() - unplug, purge, close, free; the memory goes when the last call on its stack has returned */
void net_client_free(struct net_client *c);

/** net_connect() - plug two clients together; both must be free. Links come up. */
void net_connect(struct net_client *a, struct net_client *b);
/** net_disconnect() - unplug; frames on the way are counted as purged */
void net_disconnect(struct net_client *c);

/** net_send() - to the peer. BUSY only if ops->tx_ready() will follow. Not from inside the client's own send/receive. */
enum net_tx net_send(struct net_client *c, const struct frame *f);
/** net_send_queued() - for senders that cannot keep a frame: queued behind a busy receiver up to its bound, never BUSY */
enum net_tx net_send_queued(struct net_client *c, const struct frame *f);
/** net_can_send() - the peer is not congested; false: stop reading from the host, tx_ready() will be called */
bool net_can_send(struct net_client *c);
/** net_client_flush() - this client takes frames again: the waker. Works in a bottom half, so calling it anywhere is fine. Machine lock. */
void net_client_flush(struct net_client *c);

/** net_client_set_info() - text of "info network" after type=KIND, */
void net_client_set_info(struct net_client *c, const char *fmt, ...) G_GNUC_PRINTF(2, 3);
/**
 * net_client_set_carrier() - backend: connected or not
 *
 * Without carrier rx_enable(off) is said, and nothing is sent either way: what the peer sends is counted as lost to a link that is down. With
 * link=follow the NIC at the other end sees its link change, with link=up it does not.
 */
void net_client_set_carrier(struct net_client *c, bool up);
/**
 * net_client_link_up() - the link as this end sees it: no end is switched off, the peer has not been deleted, the own end has carrier and the
 * other one has or hides that it has not
 */
bool net_client_link_up(const struct net_client *c);
const char *net_client_kind(const struct net_client *c);

/** net_client_find() - by name, any kind; a NIC and its backend may have the same: then it is the backend. NULL: none */
struct net_client *net_client_find(const char *name);
/** net_client_find_nic() - a NIC by name */
struct net_client *net_client_find_nic(const char *name);
void net_client_foreach(void (*fn)(struct net_client *c, void *opaque), void *opaque);

/*
 * What -netdev, -nic, -net, netdev_add, netdev_del, set_link do. Errors are the texts users know.
 */
/** netdev_new() - id NULL: made up (-nic, -net). "Duplicate ID 'a'". A NIC that lost a netdev of this name gets it back. */
struct net_client *netdev_new(const struct Netdev *cfg, Error **errp);
/** netdev_create() - as netdev_new() */
bool netdev_create(const struct Netdev *cfg, Error **errp);
/** netdev_create_on_hub() - -net TYPE: a backend on a new port of hub @hub_id */
bool netdev_create_on_hub(const struct Netdev *cfg, unsigned hub_id, Error **errp);
/** netdev_del() - "Device 'nosuch' not found" (DeviceNotFound), "Device 'X' is not a netdev"; its NIC stays, link down */
bool netdev_del(const char *id, Error **errp);
/** netdev_type_built() - this binary has the backend @type, a NetdevDriver */
bool netdev_type_built(int type);
/** net_set_link() - NIC, netdev or hub port by name; "Device 'nosuch' not found" (DeviceNotFound) */
bool net_set_link(const char *name, bool up, Error **errp);
/**
 * netdev_swap() - plug a NIC into another backend or hub port, which must be free; the old one stays, without a peer
 *
 * MAC and guest state stay. The guest sees its link go down and, NET_REPLUG_MS later, come up again. A NIC that is on @netdev already: nothing
 * happens. "Device 'zz' not found" (DeviceNotFound), "Device 'u0' is not a NIC", "netdev 'zz' not found", "netdev 'u1' is in use"
 */
bool netdev_swap(const char *nic, const char *netdev, Error **errp);
/** net_check_clients() - the start-up warnings on stderr: no peer, hub without NIC or host side */
void net_check_clients(void);
/** net_cleanup() - at exit, after the devices: close every backend */
void net_cleanup(void);

#endif
