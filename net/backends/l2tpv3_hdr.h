/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/backends/l2tpv3_hdr.h - the header of L2TPv3 data messages (RFC 3931 section 4.1, RFC 4719): pure functions on bytes
 *
 *     [ IPv4 header, as raw sockets deliver it ]            received over IPv4 without UDP
 *     0x00 0x03 | 0x00 0x00          T = 0, version 3       over UDP only (4.1.2.1)
 *     session id                     32 bits                (4.1)
 *     cookie                         0, 32 or 64 bits       (4.1)
 *     0S000000 | sequence number     8 + 24 bits            with counter=on: default L2-specific sublayer (4.6)
 *     offset                         0..255 bytes           not in the RFC; some peers pad
 *     Ethernet frame
 *
 * A sequence number counts only when its S bit is set. What is not newer than the newest seen (24-bit serial numbers) is late; after
 * L2TPV3_LATE_MAX of them in a row the peer has started anew.
 */
#ifndef NET_BACKENDS_L2TPV3_HDR_H
#define NET_BACKENDS_L2TPV3_HDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { L2TPV3_OFFSET_MAX = 255, L2TPV3_TX_MAX = 4 + 4 + 8 + 4 + L2TPV3_OFFSET_MAX, L2TPV3_LATE_MAX = 16 };

enum l2tpv3_drop {
    L2TPV3_SHORT,                   /* ends inside the header */
    L2TPV3_BAD_HEADER,              /* not version 3, or a control message */
    L2TPV3_SESSION,
    L2TPV3_COOKIE,
    L2TPV3_LATE,
    L2TPV3_DROPS,
};

struct l2tpv3_hdr {
    bool udp;
    bool ip_header;                 /* what is received begins with an IPv4 header */
    unsigned cookie_len;            /* 0, 4 or 8 bytes */
    bool counter;
    bool pinned;                    /* with counter: always 0, and not marked as valid */
    uint32_t tx_session, rx_session;
    uint64_t tx_cookie, rx_cookie;  /* the low cookie_len bytes count */
    unsigned offset;
    uint32_t tx_seq, rx_seq;        /* next to send; newest seen */
    bool rx_seen;                   /* rx_seq is valid */
    unsigned late;                  /* in a row */
};

/** l2tpv3_tx_len() - bytes that l2tpv3_put() writes, at most L2TPV3_TX_MAX */
size_t l2tpv3_tx_len(const struct l2tpv3_hdr *h);
/** l2tpv3_put() - the header of the next message */
void l2tpv3_put(struct l2tpv3_hdr *h, uint8_t *p);
/** l2tpv3_check() - where the frame starts in a received message, or -1 - enum l2tpv3_drop */
int l2tpv3_check(struct l2tpv3_hdr *h, const uint8_t *p, size_t len);

#endif
