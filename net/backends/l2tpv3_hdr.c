/* SPDX-License-Identifier: BSD-2-Clause */
/* net/backends/l2tpv3_hdr.c - the header of L2TPv3 data messages; its layout is drawn in l2tpv3_hdr.h */
#include "net/backends/l2tpv3_hdr.h"
#include "lib/bytes.h"

enum {
    VERSION_WORD  = 0x00030000,     /* RFC 3931 4.1.2.1: T and version, all other bits reserved */
    VERSION_MASK  = 0x800F0000u,    /* reserved bits are ignored on receipt */
    SEQ_VALID     = 0x40000000,     /* S, 4.6 */
    SEQ_MASK      = 0x00FFFFFF,
    SEQ_HALF      = 0x00800000,
};

size_t l2tpv3_tx_len(const struct l2tpv3_hdr *h)
{
    return (h->udp ? 4 : 0) + 4 + h->cookie_len + (h->counter ? 4 : 0) + h->offset;
}

void l2tpv3_put(struct l2tpv3_hdr *h, uint8_t *p)
{
    if (h->udp) {
        st_be32(p, VERSION_WORD);
        p += 4;
    }
    st_be32(p, h->tx_session);
    p += 4;
    if (h->cookie_len == 8) {
        st_be64(p, h->tx_cookie);
    } else if (h->cookie_len) {
        st_be32(p, (uint32_t)h->tx_cookie);
    }
    p += h->cookie_len;
    if (h->counter) {
        st_be32(p, h->pinned ? 0 : SEQ_VALID | h->tx_seq);
        h->tx_seq = (h->tx_seq + 1) & SEQ_MASK;
        p += 4;
    }
    memset(p, 0, h->offset);
}

/* May a message with this sublayer pass? */
static bool in_sequence(struct l2tpv3_hdr *h, uint32_t word)
{
    uint32_t seq = word & SEQ_MASK;

    if (!(word & SEQ_VALID)) {
        return true;
    }
    if (h->rx_seen && ((seq - h->rx_seq - 1) & SEQ_MASK) >= SEQ_HALF && ++h->late <= L2TPV3_LATE_MAX) {
        return false;
    }
    h->late = 0;
    h->rx_seen = true;
    h->rx_seq = seq;
    return true;
}

/* @p and @len behind the IP header; the number of bytes before the frame, or why not */
static int check_message(struct l2tpv3_hdr *h, const uint8_t *p, size_t len)
{
    const uint8_t *start = p;

    if (len < l2tpv3_tx_len(h)) {           /* both directions have the same layout */
        return -1 - L2TPV3_SHORT;
    }
    if (h->udp) {
        if ((ld_be32(p) & VERSION_MASK) != VERSION_WORD) {
            return -1 - L2TPV3_BAD_HEADER;
        }
        p += 4;
    }
    if (ld_be32(p) != h->rx_session) {
        return -1 - L2TPV3_SESSION;
    }
    p += 4;
    if (h->cookie_len && (h->cookie_len == 8 ? ld_be64(p) != h->rx_cookie : ld_be32(p) != (uint32_t)h->rx_cookie)) {
        return -1 - L2TPV3_COOKIE;
    }
    p += h->cookie_len;
    if (h->counter) {
        if (!in_sequence(h, ld_be32(p))) {
            return -1 - L2TPV3_LATE;
        }
        p += 4;
    }
    return (int)(p - start) + (int)h->offset;
}

int l2tpv3_check(struct l2tpv3_hdr *h, const uint8_t *p, size_t len)
{
    size_t ip = 0;
    int n;

    if (h->ip_header) {
        if (len < 20) {
            return -1 - L2TPV3_SHORT;
        }
        ip = (p[0] & 15u) * 4u;
        if (p[0] >> 4 != 4 || ip < 20) {
            return -1 - L2TPV3_BAD_HEADER;
        }
        if (ip > len) {
            return -1 - L2TPV3_SHORT;
        }
    }
    n = check_message(h, p + ip, len - ip);
    return n < 0 ? n : n + (int)ip;
}
