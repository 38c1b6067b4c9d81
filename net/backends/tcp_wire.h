/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/backends/tcp_wire.h - TCP segments as bytes: taken apart when the guest sends one, put together when we do
 *
 * Pure: no state, no clock, no sockets. RFC 9293 3.1 (header), 3.2 (options), RFC 7323 2 (window scale).
 */
#ifndef NET_BACKENDS_TCP_WIRE_H
#define NET_BACKENDS_TCP_WIRE_H

#include "net/frame.h"
#include "net/offload/parse.h"

enum { TCP_FIN = 0x01, TCP_SYN = 0x02, TCP_RST = 0x04, TCP_PSH = 0x08, TCP_ACK = 0x10 };

enum {
    TCP_HLEN = 20,
    TCP_HEADER_ROOM = ETH_HLEN + 40 + TCP_HLEN + 8,     /* the longest header that tcp_wire_header() writes: IPv6, two options */
    TCP_WSCALE_NONE = -1, TCP_WSCALE_MAX = 14,          /* RFC 7323 2.3 */
};

/* Who talks to whom. Zeroed before it is filled, so that bytes can be compared; IPv4 addresses have 12 zero bytes behind them. */
struct tcp_key {
    uint8_t guest[16], world[16];       /* addresses as the guest sees them */
    uint16_t guest_port, world_port;
    uint8_t six, zero[3];
};

/* One segment of the guest. */
struct tcp_seg {
    uint32_t seq, ack;
    uint32_t len;                       /* payload bytes */
    uint16_t wnd;                       /* as it stands in the header */
    uint16_t mss;                       /* option of a SYN, 0: none */
    int8_t wscale;                      /* likewise, or TCP_WSCALE_NONE */
    uint8_t flags;
    const struct iovec *iov;            /* the payload is bytes [off, off + len) of these */
    unsigned iovcnt;
    size_t off;
};

/* What a header of ours needs beside the path. */
struct tcp_out {
    uint32_t seq, ack, payload;
    uint16_t wnd, mss;                  /* mss: 0 for none; wscale follows it in a SYN */
    int8_t wscale;
    uint8_t flags;
    uint16_t ip_id;
};

/* Sequence numbers compare modulo 2^32 (RFC 9293 3.4). */
static inline bool seq_lt(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}
static inline bool seq_le(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) <= 0;
}

/**
 * tcp_wire_parse() - fill in @key and @seg
 * @hdr:  the headers, a private copy, with the layout @l of them: an unfragmented IPv4 or IPv6 packet with TCP whose lengths add up
 * seg->iov is left for the caller; seg->off is the payload's offset in the frame.
 */
void tcp_wire_parse(const uint8_t *hdr, const struct pkt_layout *l, struct tcp_key *key, struct tcp_seg *seg);
/**
 * tcp_wire_header() - Ethernet, IP and TCP header for @o to the guest
 * The checksum field holds the pseudo header's sum; whoever sends the frame says so with tcp_wire_meta(), or uses tcp_wire_finish().
 * Return: bytes at @out, at most TCP_HEADER_ROOM
 */
size_t tcp_wire_header(uint8_t *out, const uint8_t dst[6], const uint8_t src[6], const struct tcp_key *key, const struct tcp_out *o);
/** tcp_wire_meta() - checksum open; large when there is more payload than @mss */
void tcp_wire_meta(struct pkt_meta *m, const struct tcp_key *key, const struct tcp_out *o, uint16_t mss);
/** tcp_wire_finish() - the checksum of a header that nothing follows */
void tcp_wire_finish(uint8_t *hdr, size_t len, const struct tcp_key *key);

enum { TCP_UNREACHABLE_ROOM = ETH_HLEN + 40 + 8 + 40 + 8 };
/**
 * tcp_wire_unreachable() - an ICMP error for the guest's SYN with @seq (RFC 792, RFC 4443 3.1)
 * @out:    TCP_UNREACHABLE_ROOM bytes
 * @router: who says so
 * @net:    the network cannot be reached; else the host
 * Return: bytes at @out, at least 60
 */
size_t tcp_wire_unreachable(uint8_t *out, const uint8_t dst[6], const uint8_t src[6], const struct tcp_key *key, const uint8_t router[16],
                            uint32_t seq, bool net);

#endif
