/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/backends/tap_int.h - a running tap: what -netdev tap, bridge and bridged share once they have descriptors
 *
 * One client, one descriptor a queue. A frame goes to the queue that its meta names (a NIC's transmit queue), a frame from a queue says so in
 * its meta; the kernel steers a flow's answers to the queue that its last frame was written to.
 */
#ifndef NET_BACKENDS_TAP_INT_H
#define NET_BACKENDS_TAP_INT_H

#include "core/timer.h"
#include "net/backends/tap_linux.h"
#include "net/client.h"

enum { TAP_QUEUES_MAX = 256 };      /* MAX_TAP_QUEUES of the kernel */

struct tap;

struct tap_queue {
    struct tap *t;
    int fd;                         /* -1: none */
    uint16_t index;
    bool full;                      /* a write would have blocked: wait until it is writable */
    unsigned again;                 /* ... how often in a row, though it was said to be */
    struct loop_watch watch;
};

struct tap {
    struct net_client c;            /* first member; c.queues is the number of descriptors */
    struct tap_queue *q;
    struct tap_info info;
    char *downscript;               /* run at the end; NULL: none */
    char *reopen;                   /* name under which the interface may come back; NULL: it was handed to us */
    enum tap_vnet vnet;             /* as asked for, to open it again */
    uint32_t caps;                  /* PKT_CAP_* that the kernel takes */
    uint64_t sndbuf;
    unsigned hdr_len;               /* bytes of vnet header in front of each frame; 0: none */
    uint8_t *rxbuf;
    bool rx_on;
    bool gone;                      /* the interface has vanished */
    struct bh gone_bh;              /* says so */
    struct timer check;             /* looks whether it has gone, or is back */
};

/** tap_init() - first step of every open(): @n queues without descriptors */
void tap_init(struct tap *t, unsigned n);
/** tap_start() - the descriptors are in place and t->info says what they are: configure them and begin */
bool tap_start(struct tap *t, Error **errp);

enum net_tx tap_send(struct net_client *c, const struct frame *f);
void tap_rx_enable(struct net_client *c, bool on);
void tap_tx_ready(struct net_client *c);
uint32_t tap_offloads(const struct net_client *c);
void tap_close(struct net_client *c);

#endif
