/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/offload/segment.c - cut a large TCP or UDP frame
 *
 * The header is read once, into s->hdr, and every piece gets it with its own lengths, id, sequence and checksums. TCP flags: RFC 9293 3.1;
 * CWR belongs to the first segment only (RFC 3168 6.1.2), FIN and PSH to the last.
 */
#include "net/offload/segment.h"
#include "lib/bytes.h"
#include "lib/iov.h"
#include "net/offload/csum.h"

enum { TCP_FIN = 0x01, TCP_PSH = 0x08, TCP_CWR = 0x80, TCP_CSUM = 16, UDP_CSUM = 6 };

static bool kind_fits(enum seg_kind kind, const struct pkt_layout *l)
{
    if (l->fragment) {
        return false;
    }
    switch (kind) {
    case SEG_TCP4:
        return l->l3 == PKT_L3_IP4 && l->l4 == PKT_L4_TCP;
    case SEG_TCP6:
        return l->l3 == PKT_L3_IP6 && l->l4 == PKT_L4_TCP;
    case SEG_UDP:
        return l->l4 == PKT_L4_UDP;
    }
    return false;
}

/* Lengths in the header of a large frame mean nothing (drivers leave 0 or the wrapped value): make the parser see the frame's. */
static void forget_lengths(uint8_t *hdr, size_t avail)
{
    struct pkt_layout l;

    pkt_parse(hdr, avail, avail, &l);
    if (l.l3 == PKT_L3_IP4) {
        st_be16(hdr + l.l3_off + 2, 0);
    } else if (l.l3 == PKT_L3_IP6) {
        st_be16(hdr + l.l3_off + 4, 0);
    }
}

bool seg_begin(struct segmenter *s, enum seg_kind kind, const struct iovec *iov, unsigned iovcnt, size_t frame_len, uint16_t mss)
{
    size_t avail = iov_to_buf(iov, iovcnt, 0, s->hdr, sizeof(s->hdr));

    s->iov = iov;
    s->iovcnt = iovcnt;
    s->frame_len = frame_len;
    s->mss = mss;
    s->piece = 0;
    if (avail > frame_len) {
        avail = frame_len;
    }
    forget_lengths(s->hdr, avail);
    pkt_parse(s->hdr, avail, frame_len, &s->l);
    if (!mss || !kind_fits(kind, &s->l)) {
        return false;
    }
    s->next = s->l.payload_off;
    if ((frame_len - s->next + mss - 1) / mss > SEG_PIECES_MAX || mss + (size_t)s->next - s->l.l3_off > 65535) {
        return false;
    }
    if (s->l.l3 == PKT_L3_IP4) {
        s->ip_id = ld_be16(s->hdr + s->l.l3_off + 4);
    }
    if (s->l.l4 == PKT_L4_TCP) {
        s->seq = ld_be32(s->hdr + s->l.l4_off + 4);
        s->tcp_flags = s->hdr[s->l.l4_off + 13];
    }
    return true;
}

/* IP and UDP lengths and the IPv4 header checksum for @payload bytes */
static void put_lengths(struct segmenter *s, size_t payload)
{
    uint8_t *ip = s->hdr + s->l.l3_off;
    size_t l3 = (size_t)s->l.payload_off - s->l.l3_off + payload;

    if (s->l.l3 == PKT_L3_IP4) {
        st_be16(ip + 2, (uint16_t)l3);
        csum_ip4_header(ip, (size_t)s->l.l4_off - s->l.l3_off);
    } else {
        st_be16(ip + 4, (uint16_t)(l3 - 40));
    }
    if (s->l.l4 == PKT_L4_UDP) {
        st_be16(s->hdr + s->l.l4_off + 4, (uint16_t)(8 + payload));
    }
}

static uint8_t *csum_field(struct segmenter *s)
{
    return s->hdr + s->l.l4_off + (s->l.l4 == PKT_L4_TCP ? TCP_CSUM : UDP_CSUM);
}

bool seg_next(struct segmenter *s, size_t *off, size_t *len)
{
    size_t left = s->frame_len - s->next;
    size_t n = left < s->mss ? left : s->mss;
    uint8_t *l4 = s->hdr + s->l.l4_off;
    size_t l4_hdr = (size_t)s->l.payload_off - s->l.l4_off;
    uint64_t sum;

    if (!n && s->piece) {
        return false;
    }
    if (s->l.l3 == PKT_L3_IP4) {
        st_be16(s->hdr + s->l.l3_off + 4, (uint16_t)(s->ip_id + s->piece));
    }
    if (s->l.l4 == PKT_L4_TCP) {
        uint8_t flags = s->tcp_flags;

        if (n < left) {
            flags &= (uint8_t)~(TCP_FIN | TCP_PSH);
        }
        if (s->piece) {
            flags &= (uint8_t)~TCP_CWR;
        }
        l4[13] = flags;
        st_be32(l4 + 4, s->seq + (uint32_t)(s->next - s->l.payload_off));
    }
    put_lengths(s, n);
    st_be16(csum_field(s), 0);
    sum = csum_pseudo(s->hdr + s->l.l3_off, s->l.l3, s->l.proto, (uint32_t)(l4_hdr + n));
    sum = csum_add(sum, l4, l4_hdr);                        /* a multiple of 4: the payload begins even */
    csum_store(csum_field(s), csum_add_iov(sum, s->iov, s->iovcnt, s->next, n));
    *off = s->next;
    *len = n;
    s->next += n;
    s->piece++;
    return true;
}

bool seg_whole(struct segmenter *s)
{
    size_t payload = s->frame_len - s->l.payload_off;
    size_t l3 = s->frame_len - s->l.l3_off - (s->l.l3 == PKT_L3_IP6 ? 40 : 0);
    uint16_t v;

    if (l3 > 65535) {
        return false;
    }
    put_lengths(s, payload);
    v = csum_fold(csum_pseudo(s->hdr + s->l.l3_off, s->l.l3, s->l.proto, (uint32_t)(s->frame_len - s->l.l4_off)));
    memcpy(csum_field(s), &v, 2);
    return true;
}
