/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/backends/stream_end.h - our end of a stream connection, over its whole life: listens or connects, again and again, one peer at a time
 *
 *                          +------------ lost ------------+
 *      listen, connect --> WAITING -- accepted, connected --> UP (a stream_wire)
 *                          connect fails: try again retry_ms later
 *
 * Main loop and machine lock. The owner is a backend: it fills addr, server, retry_ms and ops, then opens. The client's carrier follows UP.
 */
#ifndef NET_BACKENDS_STREAM_END_H
#define NET_BACKENDS_STREAM_END_H

#include "core/channel.h"
#include "core/timer.h"
#include "net/backends/stream_wire.h"

struct jval;
struct stream_end;

struct stream_end_ops {
    void (*connected)(struct stream_end *e);                        /* frames can travel */
    void (*lost)(struct stream_end *e, const char *why);            /* was connected; then waiting() follows */
    void (*waiting)(struct stream_end *e, const char *error);       /* not connected. @error: why the last attempt failed, or NULL */
};

struct stream_end {
    struct net_client *c;
    const struct stream_end_ops *ops;
    struct channel_addr addr;           /* its strings are ours; FD: a connected socket, or with server a listening one */
    bool server;
    uint32_t retry_ms;                  /* client: 0: never */
    struct stream_wire wire;
    int fd;                             /* while waiting: listening or connecting socket; -1: none */
    struct loop_watch watch;            /* of fd */
    struct timer retry;
    struct channel_lookup *lookup;
    struct channel_targets *targets;    /* still to be tried: from next_target */
    unsigned next_target;
    char *unlink_path;                  /* server: the path that we have made */
    uint64_t unlink_dev, unlink_ino;
    bool opened;
};

/** stream_end_open() - @c, @ops and the options are set, the rest is zero. False: only a server that cannot listen, or a wrong descriptor */
bool stream_end_open(struct stream_end *e, Error **errp);
/** stream_end_close() - also after a failed or without an open */
void stream_end_close(struct stream_end *e);

/**
 * stream_end_peer() - who is there
 * @text: receives "tcp:127.0.0.1:42526", "tcp:::1:80", "unix:/path", "unix:name", "unix:"; caller frees
 * Return: the same as a SocketAddress; the caller's
 */
struct jval *stream_end_peer(const struct stream_end *e, char **text);

#endif
