/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/backends/dgram_wire.h - a datagram socket as a wire: one Ethernet frame in each datagram
 *
 * For -netdev dgram, -netdev socket (mcast=, udp=, fd= of a datagram socket), l2tpv3. A backend embeds a struct dgram_wire, opens a
 * struct dgram_sock in its open(), gives both to dgram_wire_init() and forwards its operations:
 *
 *     send      -> return dgram_wire_send(&b->wire, f);           rx_enable -> dgram_wire_rx_enable(&b->wire, on);
 *     tx_ready  -> dgram_wire_tx_ready(&b->wire);                 offloads  -> return dgram_wire_offloads(&b->wire);
 *     close     -> dgram_wire_fini(&b->wire);                     (also when init was never called: the struct is zeroed)
 *
 * Receiving: one recvmmsg() a wake-up into buffers made at the start; nothing is allocated afterwards. What the guest's side does not
 * take stays there, and the socket is not read until tx_ready(). Sending: frames are copied to a bounded buffer, which is flushed with
 * sendmmsg() in a bottom half at the end of the burst, or when full. When the socket takes no more (EAGAIN, ENOBUFS) the buffer fills,
 * then send() says BUSY until it has drained. UDP segmentation offload (UDP_SEGMENT, UDP_GRO) carries runs of equally long frames where
 * the kernel has it; on the wire they are ordinary datagrams.
 *
 * A datagram is dropped and counted (enum dgram_drop; "info network -s" shows it) when it is not from the peer, is this process's own
 * that came back from a multicast group, is longer than any frame, or when the codec refuses it. A zero-length datagram is a frame of
 * 0 bytes, which the core counts as a runt: never "would block", never the end. ICMP errors (ECONNREFUSED, EHOSTUNREACH, ...) are
 * counted; the wire goes on.
 *
 * Main loop and machine lock, as everything in net/client.h.
 */
#ifndef NET_BACKENDS_DGRAM_WIRE_H
#define NET_BACKENDS_DGRAM_WIRE_H

#include "core/loop.h"
#include "core/timer.h"
#include "net/client.h"
#include <netinet/in.h>
#include <sys/socket.h>

/* --- addresses and sockets --------------------------------------------------------------------------------------- */

struct dgram_addr {
    struct sockaddr_storage ss;
    socklen_t len;                          /* 0: none */
};

/**
 * dgram_resolve() - HOST and PORT of a UDP address
 * @host:    NULL or "": all addresses (@remote: the loopback)
 * @port:    number or service name
 * @family:  AF_INET, AF_INET6, or AF_UNSPEC: what the name says, IPv4 first
 * Errors: "can't resolve host address 'H'", "host address 'H' is not a valid IPv4 address", "port number 'P' is invalid"
 */
bool dgram_resolve(struct dgram_addr *a, const char *host, const char *port, int family, bool remote, Error **errp);
/**
 * dgram_addr_unix() - a path; @abstract: a name in Linux's abstract namespace, @loose: padded with zeros
 * "UNIX socket path 'P' is too long"
 */
bool dgram_addr_unix(struct dgram_addr *a, const char *path, bool abstract, bool loose, Error **errp);
/** dgram_addr_text() - "127.0.0.1:80", "[::1]:80", a path, "" for none; caller frees */
char *dgram_addr_text(const struct dgram_addr *a);
bool dgram_addr_is_multicast(const struct dgram_addr *a);

/* An open socket and what is allowed on it. The descriptors belong to it until dgram_wire_init() takes them. */
struct dgram_sock {
    int fd;
    int tx_fd;                              /* multicast: frames are sent from a port of their own; else -1 */
    struct dgram_addr dest;                 /* len 0: the socket is connected */
    struct dgram_addr own;                  /* set: drop what comes from there (our own frames, back from the group) */
    bool check_source;                      /* drop what does not come from dest */
    bool pinned;                            /* multicast: own is exact; before, only its port is */
    bool ours;                              /* opened here: socket options may be set */
    char *unlink_path;                      /* a UNIX path that we have bound: removed at the end, unless somebody has replaced it */
    uint64_t unlink_ino;
};

/** dgram_sock_udp() - a UDP socket bound to @local that talks with @remote only. "can't bind ip=1.2.3.4 to socket: ERRNO" */
bool dgram_sock_udp(struct dgram_sock *s, const struct dgram_addr *local, const struct dgram_addr *remote, Error **errp);
/**
 * dgram_sock_mcast() - join the UDP group @group (IPv4 or IPv6); other processes of this host may be in it too
 * @iface: IPv4: address of the local interface; IPv6: any of its addresses. len 0: what the routing table says
 */
bool dgram_sock_mcast(struct dgram_sock *s, const struct dgram_addr *group, const struct dgram_addr *iface, Error **errp);
/**
 * dgram_sock_fd() - a datagram socket that somebody else opened; taken on success. Connected, or bound to a group
 * @group: len 0, or the multicast group to send to ("cloned": its frames go out from a socket of our own)
 * "can't get socket option SO_TYPE: ERRNO", "fd=3 is not a datagram socket"
 */
bool dgram_sock_fd(struct dgram_sock *s, int fd, const struct dgram_addr *group, Error **errp);
/** dgram_sock_unix() - bind @local (a stale socket there is replaced), send to @remote. "can't bind unix=P to socket: ERRNO" */
bool dgram_sock_unix(struct dgram_sock *s, const struct dgram_addr *local, const struct dgram_addr *remote, Error **errp);
/** dgram_sock_close() - for a sock that no wire has taken */
void dgram_sock_close(struct dgram_sock *s);
/** dgram_sock_pin() - learn the address that our multicast frames come from; false: there is no route yet */
bool dgram_sock_pin(struct dgram_sock *s);

/* --- headers in front of the frame ------------------------------------------------------------------------------- */

enum {
    DGRAM_HDR_MAX = 512,
    DGRAM_REASONS = 6,
};

/* What a tunnel puts into each datagram before the frame. All members are set. */
struct dgram_codec {
    size_t tx_len;                                                          /* bytes that put() writes, at most DGRAM_HDR_MAX */
    void (*put)(void *opaque, uint8_t *hdr);                                /* called once for every frame sent */
    int (*check)(void *opaque, const uint8_t *p, size_t len);               /* offset of the frame; -1 - n: drop it, for reasons[n] */
    const char *reasons[DGRAM_REASONS];                                     /* names for "info network -s" */
};

/* --- the wire ---------------------------------------------------------------------------------------------------- */

enum dgram_drop {
    DGRAM_DROP_SOURCE,              /* rx: not from the peer */
    DGRAM_DROP_OWN,                 /* rx: our own, back from the group */
    DGRAM_DROP_LONG,                /* rx: longer than any frame */
    DGRAM_DROP_REFUSED,             /* tx: nobody there (ICMP, no such path) */
    DGRAM_DROP_TOO_BIG,             /* tx: the socket does not take datagrams of this length */
    DGRAM_DROP_ERROR,               /* tx: any other error */
    DGRAM_DROP_HEADER,              /* rx: refused by the codec, the first of its reasons */
    DGRAM_DROPS = DGRAM_DROP_HEADER + DGRAM_REASONS,
};

struct dgram_wire {
    struct net_client *c;           /* NULL: not initialised, or finished */
    struct dgram_sock sock;
    const struct dgram_codec *codec;        /* NULL: the datagram is the frame */
    void *codec_opaque;
    bool rx_on, was_on;
    bool broken;                    /* the descriptor is no socket any more: NETDEV_VANISHED was sent */
    uint64_t drops[DGRAM_DROPS];
    const char *drop_names[DGRAM_DROPS];
    uint64_t rx_errors;             /* errors that recvmmsg() reported and we survived */
    struct loop_watch rx_watch;     /* sock.fd */
    struct loop_watch tx_watch;     /* the socket that must become writable, while sending has to wait */
    struct timer retry;             /* ... where no descriptor can tell (ENOBUFS) */
    bool resting;                   /* recvmmsg() found no memory: no reading until ... */
    struct timer rest;
    struct bh flush;
    struct dgram_rx *rx;            /* dgram_rx.c */
    struct dgram_tx *tx;            /* dgram_tx.c */
};

/**
 * dgram_wire_init() - in open(): take @sock, make the buffers; reading starts with rx_enable()
 * @codec: NULL, or what stands before the frame; it must outlive the wire
 */
void dgram_wire_init(struct dgram_wire *w, struct net_client *c, struct dgram_sock *sock, const struct dgram_codec *codec, void *opaque);
/** dgram_wire_fini() - what has not been flushed is tried once more, then lost; the sockets are closed */
void dgram_wire_fini(struct dgram_wire *w);
enum net_tx dgram_wire_send(struct dgram_wire *w, const struct frame *f);
void dgram_wire_rx_enable(struct dgram_wire *w, bool on);
void dgram_wire_tx_ready(struct dgram_wire *w);
uint32_t dgram_wire_offloads(const struct dgram_wire *w);
/** dgram_wire_fd() - the descriptor, for info texts */
static inline int dgram_wire_fd(const struct dgram_wire *w)
{
    return w->sock.fd;
}

#endif
