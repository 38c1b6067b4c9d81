/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/backends/stream_wire.h - a connected stream socket as a wire
 *
 * Main loop and machine lock. The owner is a backend: it hands its send() and tx_ready() on to the wire.
 */
#ifndef NET_BACKENDS_STREAM_WIRE_H
#define NET_BACKENDS_STREAM_WIRE_H

#include "net/backends/rx_merge.h"
#include "net/client.h"
#include "net/framing.h"

/** stream_wire_gone_fn - the connection is over (@why: for people); in a bottom half. To be answered with stream_wire_detach() or _fini(). */
typedef void stream_wire_gone_fn(void *opaque, const char *why);

struct stream_wire {
    struct net_client *c;
    stream_wire_gone_fn *gone;
    void *opaque;
    int fd;                             /* -1: not connected */
    struct loop_watch watch;
    struct bh bh;
    struct framing in;
    struct rx_merge merge;
    bool paused;                        /* the guest's side is behind: the socket is not read until tx_ready() */
    bool rest;                          /* the bottom half goes on with frames that have been read */
    uint8_t *out;                       /* bytes on their way to the socket: out[out_start, out_end) */
    size_t out_start, out_end;
    bool corked;                        /* frames are collected until the bottom half */
    bool out_blocked;                   /* the socket is full: wait until it is writable */
    bool refused;                       /* send() has said BUSY */
    bool warned;
    char *death;                        /* why it is over: the bottom half tells the owner */
    uint64_t too_long;                  /* connections ended by a length above FRAMING_MAX */
};

void stream_wire_init(struct stream_wire *w, struct net_client *c, stream_wire_gone_fn *gone, void *opaque);
/** stream_wire_attach() - @fd, a connected non-blocking stream socket, is taken */
void stream_wire_attach(struct stream_wire *w, int fd);
/** stream_wire_detach() - close the socket, forget what was on its way; harmless without connection */
void stream_wire_detach(struct stream_wire *w);
/** stream_wire_fini() - afterwards nothing calls back; also on zeroed memory */
void stream_wire_fini(struct stream_wire *w);

static inline bool stream_wire_connected(const struct stream_wire *w)
{
    return w->fd >= 0;
}

/** stream_wire_send() - net_backend_ops.send */
enum net_tx stream_wire_send(struct stream_wire *w, const struct frame *f);
/** stream_wire_tx_ready() - net_backend_ops.tx_ready */
void stream_wire_tx_ready(struct stream_wire *w);

#endif
