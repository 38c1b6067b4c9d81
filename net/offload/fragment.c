/* SPDX-License-Identifier: BSD-2-Clause */
/* net/offload/fragment.c - IP fragments of a UDP datagram */
#include "net/offload/fragment.h"
#include "lib/bytes.h"
#include "lib/iov.h"
#include "net/offload/csum.h"

enum { UDP_HLEN = 8, IP6_FRAG = 44, IP4_MF = 0x2000, IP4_DF = 0x4000 };

/* Lengths in the headers of a large frame mean nothing; the parser shall see the frame's */
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

bool frag_begin(struct fragmenter *f, const struct iovec *iov, unsigned iovcnt, size_t frame_len, uint16_t size,
                uint32_t id6)
{
    size_t avail = iov_to_buf(iov, iovcnt, 0, f->hdr, FRAG_HDR_MAX), n;
    uint64_t sum;

    avail = avail < frame_len ? avail : frame_len;
    forget_lengths(f->hdr, avail);
    pkt_parse(f->hdr, avail, frame_len, &f->l);
    f->size = size & ~7;
    if (f->l.l4 != PKT_L4_UDP || f->l.fragment || !f->size || frame_len - f->l.l3_off > 65535 ||
        (frame_len - f->l.l4_off) / f->size >= FRAG_PIECES_MAX) {
        return false;
    }
    f->frame_len = frame_len;
    f->next = 0;
    f->id = id6;
    n = frame_len - f->l.l4_off;
    f->whole = n <= size;
    memcpy(f->udp, f->hdr + f->l.l4_off, UDP_HLEN);
    st_be16(f->udp + 4, (uint16_t)n);
    st_be16(f->udp + 6, 0);
    sum = csum_pseudo(f->hdr + f->l.l3_off, f->l.l3, f->l.proto, (uint32_t)n);
    sum = csum_add(sum, f->udp, UDP_HLEN);
    csum_store(f->udp + 6, csum_add_iov(sum, iov, iovcnt, f->l.payload_off, frame_len - f->l.payload_off));
    return true;
}

static size_t header4(struct fragmenter *f, size_t n, bool more)
{
    uint8_t *ip = f->hdr + f->l.l3_off;
    uint16_t flags = f->whole ? ld_be16(ip + 6) & IP4_DF : (uint16_t)(f->next / 8 | (more ? IP4_MF : 0));

    st_be16(ip + 2, (uint16_t)(f->l.l4_off - f->l.l3_off + n));
    st_be16(ip + 6, flags);
    csum_ip4_header(ip, (size_t)f->l.l4_off - f->l.l3_off);
    return f->l.l4_off;
}

static size_t header6(struct fragmenter *f, size_t n, bool more)
{
    uint8_t *frag = f->hdr + f->l.l4_off;
    size_t ext = (size_t)f->l.l4_off - f->l.l3_off - 40;

    if (f->whole) {
        st_be16(f->hdr + f->l.l3_off + 4, (uint16_t)(ext + n));
        return f->l.l4_off;
    }
    st_be16(f->hdr + f->l.l3_off + 4, (uint16_t)(ext + 8 + n));
    f->hdr[f->l.proto_off] = IP6_FRAG;
    frag[0] = f->l.proto;
    frag[1] = 0;
    st_be16(frag + 2, (uint16_t)(f->next | more));
    st_be32(frag + 4, f->id);
    return f->l.l4_off + 8u;
}

bool frag_next(struct fragmenter *f, size_t *hdr_len, size_t *off, size_t *len)
{
    size_t left = f->frame_len - f->l.l4_off - f->next;
    size_t n = f->whole || left <= f->size ? left : f->size;
    bool more = n < left;

    if (!n) {
        return false;
    }
    *hdr_len = f->l.l3 == PKT_L3_IP4 ? header4(f, n, more) : header6(f, n, more);
    *off = f->l.l4_off + f->next;
    *len = n;
    if (!f->next) {                                     /* size is at least 8: the UDP header is whole */
        memcpy(f->hdr + *hdr_len, f->udp, UDP_HLEN);
        *hdr_len += UDP_HLEN;
        *off += UDP_HLEN;
        *len -= UDP_HLEN;
    }
    f->next += n;
    return true;
}
