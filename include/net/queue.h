/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/queue.h - a bounded FIFO of copied frames: what waits for one receiver
 *
 * Bounds: NET_QUEUE_FRAMES and NET_QUEUE_BYTES, whichever comes first; then the newest is refused. Main loop, machine lock.
 */
#ifndef NET_QUEUE_H
#define NET_QUEUE_H

#include "net/frame.h"

enum {
    NET_QUEUE_FRAMES = 1000,
    NET_QUEUE_BYTES  = 2 * 1024 * 1024,
};

/* A frame with memory of its own. */
struct net_packet {
    struct net_packet *next;
    struct pkt_meta meta;
    uint32_t len;
    uint8_t data[];
};

struct net_queue {
    struct net_packet *head, *last;
    unsigned frames;
    size_t bytes;
};

/* Zeroed memory is an empty queue. */

/** net_queue_push() - copy @f to the end; false: full. @force: ignore the bounds (the rest of a frame that was cut in pieces) */
bool net_queue_push(struct net_queue *q, const struct frame *f, bool force);
/** net_queue_take() - the oldest frame leaves the queue and is the caller's; NULL: empty */
struct net_packet *net_queue_take(struct net_queue *q);
/** net_queue_prepend() - all of @front goes before all of @q; @front is empty afterwards */
void net_queue_prepend(struct net_queue *q, struct net_queue *front);
/** net_queue_purge() - forget all; Return: how many */
unsigned net_queue_purge(struct net_queue *q);
/** net_packet_frame() - make @f show it */
void net_packet_frame(const struct net_packet *p, struct frame *f);
void net_packet_free(struct net_packet *p);

static inline bool net_queue_empty(const struct net_queue *q)
{
    return q->frames == 0;
}
static inline bool net_queue_full(const struct net_queue *q)
{
    return q->frames >= NET_QUEUE_FRAMES || q->bytes >= NET_QUEUE_BYTES;
}

#endif
