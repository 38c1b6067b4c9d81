/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/lib/backend_rig.h - every kind of backend with what is at its other end, in one form
 *
 * A rig gives the options of a backend and plays its outside: a socket, a switch, a tap's far side, another NIC. Frames at both ends are made
 * by rig_fill(): number, direction and length say every byte.
 *
 *     struct outside o;
 *     rig_prepare(&o, rig);            o.opts: "stream,id=x,addr.type=inet,..."; servers listen already
 *     ... make the backend ...
 *     while (!rig_open(&o)) ...        connected; run the main loop meanwhile
 *     rig_send(&o, ...), rig_recv(&o, ...)
 *     rig_close(&o);  rig_open(&o);    the other end dies and comes back
 *     rig_fini(&o);
 */
#ifndef TESTS_BACKEND_RIG_H
#define TESTS_BACKEND_RIG_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

enum {
    RIG_LOSSLESS_IN = 1 << 0,   /* nothing is lost while both ends are there: who cannot go on is told so, or has a queue long enough here */
    RIG_LOSSLESS_OUT = 1 << 8,
    RIG_SEES_DEATH = 1 << 1,    /* the backend notices that the other end has gone: the NIC's link goes down */
    RIG_REOPENS = 1 << 2,       /* the other end can come back */
    RIG_CLOSES = 1 << 3,        /* it can go at all */
    RIG_EVENTS = 1 << 4,        /* NETDEV_STREAM_CONNECTED and _DISCONNECTED */
    RIG_ROUTED = 1 << 5,        /* not a wire: frames are UDP over IPv4, only payload arrives (user) */
    RIG_NEEDS_ROOT = 1 << 6,    /* only as root, in a network namespace of its own */
    RIG_SLOW_START = 1 << 7,    /* it takes milliseconds to make: fewer cycles */
    RIG_CUTS = 1 << 9,          /* frames beyond max_in may arrive in part */
    RIG_FRAME_MAX = 65600, RIG_ROOM = 70000, RIG_HDR = 42, RIG_SEQ = 46,
};

enum rig_dir { RIG_IN, RIG_OUT };   /* towards the NIC, from the NIC */

struct outside;

struct rig {
    const char *name;
    unsigned flags;
    size_t min_in, max_in, max_out;     /* frames that arrive */
    bool (*prepare)(struct outside *o);     /* false: o->skip says why this cannot be tested here */
    bool (*open)(struct outside *o);        /* true: connected */
    bool (*send)(struct outside *o, const void *p, size_t len);     /* false: not taken now */
    ssize_t (*recv)(struct outside *o, void *p, size_t room);       /* -1: nothing there now */
    void (*close)(struct outside *o);
    void (*fini)(struct outside *o);
    int domain, type;                   /* sockets */
    const char *text;                   /* options; %u, %s: by prepare */
};

struct outside {
    const struct rig *rig;
    char opts[400];
    const char *skip;
    int listener, fd, spare;
    uint16_t port, port2;
    char dir[64], path[108];
    GByteArray *rx, *tx;                /* streams: bytes not yet cut into frames, bytes not yet written */
    struct sockaddr_storage to;         /* where datagrams go */
    socklen_t to_len;
    void *far;                          /* struct far_nic, VDECONN */
    GPid pid;
    bool answer_arp;                    /* user: the guest was asked who it is */
};

extern const struct rig *const rigs[];  /* NULL at the end */

bool rig_prepare(struct outside *o, const struct rig *r);
bool rig_open(struct outside *o);
/** rig_send() - false: not now, try again when the loop has run */
bool rig_send(struct outside *o, const void *p, size_t len);
/** rig_recv() - the next frame; its own frames, which come back from a multicast group, are left out; -1: none now */
ssize_t rig_recv(struct outside *o, void *p, size_t room);
void rig_close(struct outside *o);
/**
 * rig_abort() - as rig_close(), without what is still in buffers: with TCP a reset
 *
 * A TCP peer that dies while our window is closed cannot be noticed in another way: its kernel keeps the end behind the data.
 */
void rig_abort(struct outside *o);
void rig_fini(struct outside *o);
/** rig_raw() - bytes on a stream, without framing (half a frame, nonsense); false: not a stream, or not now */
bool rig_raw(struct outside *o, const void *p, size_t len);

/** rig_fill() - the @len bytes of frame @seq in direction @dir, for @r */
void rig_fill(const struct rig *r, uint8_t *p, size_t len, enum rig_dir dir, uint32_t seq);
/** rig_dress() - RIG_ROUTED: a filled frame becomes one that the guest may send; nothing happens to others */
void rig_dress(const struct outside *o, uint8_t *p, size_t len);
/** rig_seq() - number of a frame that is at least RIG_SEQ long */
uint32_t rig_seq(const uint8_t *p);
/** rig_is() - a frame of ours of direction @dir, by its header */
bool rig_is(const struct rig *r, const uint8_t *p, size_t len, enum rig_dir dir);
/** rig_guest_got() - RIG_ROUTED: what the NIC got, put back to how it was sent; false: none of ours */
bool rig_guest_got(struct outside *o, uint8_t *p, size_t len);
/** rig_arp_reply() - RIG_ROUTED: the guest's answer; Return: its length */
size_t rig_arp_reply(uint8_t *p);

#endif
