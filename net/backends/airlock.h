/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/backends/airlock.h - every guest frame is looked at here before the user-mode stack (third-party code) sees it
 *
 * Pure but for its own state: no clock, no sockets, no allocation except for fragments. The caller gives it a private copy of the frame.
 * Each reason is a counter; the numbers in airlock_table (user_airlock.c) say which public bug a reason keeps out.
 */
#ifndef NET_BACKENDS_AIRLOCK_H
#define NET_BACKENDS_AIRLOCK_H

#include "net/offload/parse.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum airlock_reason {
    AIR_RUNT, AIR_NOT_FOR_US, AIR_NCSI, AIR_ETHERTYPE,
    AIR_ARP_SHORT, AIR_ARP_BAD,
    AIR_IP4_HEADER, AIR_IP4_LENGTH, AIR_IP4_SOURCE, AIR_IP4_DEST, AIR_IP4_PROTO,
    AIR_IP6_HEADER, AIR_IP6_LENGTH, AIR_IP6_SOURCE, AIR_IP6_DEST, AIR_IP6_PROTO,
    AIR_TCP_SHORT, AIR_UDP_SHORT, AIR_UDP_LENGTH, AIR_UDP_PORT, AIR_ICMP_SHORT, AIR_ICMP6_SHORT, AIR_ICMP6_TYPE, AIR_ICMP6_OPTION,
    AIR_BOOTP_SHORT, AIR_DHCP_OPTION, AIR_DHCP6_SHORT, AIR_DHCP6_OPTION, AIR_TFTP_OFF, AIR_TFTP_SHORT,
    AIR_FRAG_HEADER, AIR_FRAG_SIZE, AIR_FRAG_OVERLAP, AIR_FRAG_LIMIT, AIR_FRAG_TIMEOUT,
    AIR_NEIGHBOUR_FLOOD, AIR_NEIGHBOUR_PENDING, AIR_FLOW_LIMIT,
    AIR_URGENT_CLEARED,             /* not a drop: the frame was changed */
    AIR_REASONS,
};
const char *airlock_reason_name(enum airlock_reason r);

enum airlock_verdict {
    AIRLOCK_PASS,                   /* *frame, *len are fit for the stack */
    AIRLOCK_DROP,
    AIRLOCK_HELD,                   /* a fragment; the datagram is not complete */
    AIRLOCK_REFUSE,                 /* too many flows: a TCP SYN that deserves an RST */
};

enum {
    AIR_FRAG_DATAGRAMS = 64, AIR_FRAG_BYTES = 1024 * 1024,
    AIR_PENDING_PER_SEC = 4,
    AIR_NEIGHBOURS = 256, AIR_NEIGHBOUR_BURST = 64, AIR_NEIGHBOUR_PER_SEC = 10,
    AIR_TCP_FLOWS = 16384, AIR_UDP_FLOWS = 4096, AIR_ICMP_FLOWS = 256, AIR_UDP_SEEN = 8192,
};
#define AIR_FRAG_NS 10000000000LL   /* 10 s */

struct airlock_cfg {
    bool tftp;
    uint8_t net4[4], mask4[4], host4[4], dns4[4];
    uint8_t host6[16], dns6[16];
};

struct frag_dgram;
struct air_neighbour {
    uint8_t addr[16];
    int64_t used_ns;                /* 0: free */
    int64_t pending_ns;             /* start of the second in which pending counts */
    uint8_t pending;                /* frames let through before it was announced */
    bool announced;                 /* the guest has said by ARP or neighbour discovery that it has the address */
};

struct airlock {
    struct airlock_cfg cfg;
    uint64_t count[AIR_REASONS];
    uint64_t passed;
    /* kept up to date by the owner */
    unsigned tcp_flows, udp_flows, icmp_flows, tcp_limit, udp_limit, icmp_limit;
    /* fragments */
    struct frag_dgram *frag[AIR_FRAG_DATAGRAMS];
    size_t frag_bytes;
    uint8_t *whole;                 /* the last reassembled frame */
    /* source addresses seen */
    struct air_neighbour *neighbours;
    int64_t tokens_ns;
    unsigned tokens;
    uint32_t *udp_seen;
};

void airlock_init(struct airlock *a, const struct airlock_cfg *cfg);
void airlock_fini(struct airlock *a);
/**
 * airlock_check() - may this frame go in?
 * @frame, @len: in: a private copy, which may be changed; out (PASS): what to give to the stack - shorter, or a reassembled frame that
 *               belongs to @a until the next call
 * @now_ns:      any steady clock
 */
enum airlock_verdict airlock_check(struct airlock *a, int64_t now_ns, uint8_t **frame, size_t *len);
/** airlock_announce() - a guest has this address beyond doubt (@n: 4 or 16 bytes): it has answered to it */
void airlock_announce(struct airlock *a, int64_t now_ns, const uint8_t *addr, size_t n);

/* user_reass.c: IPv4 fragments (RFC 791, 3.2) */
enum airlock_verdict airlock_fragment(struct airlock *a, int64_t now_ns, uint8_t **frame, size_t *len, const struct pkt_layout *l);
void airlock_fragments_expire(struct airlock *a, int64_t now_ns);
void airlock_fragments_free(struct airlock *a);

#endif
