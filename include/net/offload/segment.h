/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/offload/segment.h - one large TCP or UDP frame becomes many small ones
 *
 * Headers are made new for each piece (lengths, IPv4 id, TCP sequence, flags, all checksums); payload is not copied. FIN and PSH stay on the
 * last piece only, CWR on the first. What the sender's header says about lengths and checksums is ignored: NICs leave it zero or partial.
 */
#ifndef NET_OFFLOAD_SEGMENT_H
#define NET_OFFLOAD_SEGMENT_H

#include "net/offload/parse.h"
#include <sys/uio.h>

enum { SEG_HDR_MAX = 256, SEG_PIECES_MAX = 2048 };

enum seg_kind { SEG_TCP4, SEG_TCP6, SEG_UDP };

struct segmenter {
    const struct iovec *iov;
    unsigned iovcnt;
    struct pkt_layout l;
    size_t frame_len, next;         /* next payload byte */
    unsigned piece;
    uint16_t mss, ip_id;
    uint32_t seq;
    uint8_t tcp_flags;
    uint8_t hdr[SEG_HDR_MAX];       /* the only read of the header bytes */
};

/** seg_begin() - false: not a frame of this kind, no payload size, header too long, or more than SEG_PIECES_MAX pieces */
bool seg_begin(struct segmenter *s, enum seg_kind kind, const struct iovec *iov, unsigned iovcnt, size_t frame_len, uint16_t mss);
/**
 * seg_next() - the next piece: header in s->hdr (l.payload_off bytes), payload = bytes [*off, *off + *len) of the frame
 * Return: false: that was all. A frame without payload gives one piece.
 */
bool seg_next(struct segmenter *s, size_t *off, size_t *len);
/**
 * seg_whole() - instead of cutting: make s->hdr right for the whole frame (IP length, header checksum) with the pseudo header's sum in
 * the L4 checksum field, as a receiver of large frames expects; false: longer than an IP datagram can be
 */
bool seg_whole(struct segmenter *s);

#endif
