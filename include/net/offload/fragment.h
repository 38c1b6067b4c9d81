/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/offload/fragment.h - one large UDP datagram becomes IP fragments (UFO)
 *
 * The UDP checksum is finished over the whole datagram first. IPv4: RFC 791 section 3.2; IPv6: RFC 8200 section 4.5,
 * the fragment header goes in front of the UDP header, behind all extension headers. Payload is not copied.
 */
#ifndef NET_OFFLOAD_FRAGMENT_H
#define NET_OFFLOAD_FRAGMENT_H

#include "net/offload/parse.h"
#include <sys/uio.h>

enum { FRAG_HDR_MAX = 256, FRAG_PIECES_MAX = 2048 };

struct fragmenter {
    struct pkt_layout l;
    size_t frame_len, next;         /* next byte of the IP payload */
    uint16_t size;                  /* IP payload bytes of a fragment, a multiple of 8 */
    uint32_t id;
    bool whole;                     /* fits one packet: nothing to cut */
    uint8_t udp[8];
    uint8_t hdr[FRAG_HDR_MAX + 16]; /* the only read of the header bytes; room for a fragment and a UDP header */
};

/**
 * frag_begin() - false: no UDP datagram, already a fragment, header too long, or more than FRAG_PIECES_MAX pieces
 * @size: IP payload of a fragment: UDP header and data; rounded down to a multiple of 8
 * @id6:  identification for IPv6; IPv4 has its own
 */
bool frag_begin(struct fragmenter *f, const struct iovec *iov, unsigned iovcnt, size_t frame_len, uint16_t size,
                uint32_t id6);
/** frag_next() - next piece: *hdr_len bytes in f->hdr, then bytes [*off, *off + *len) of the frame; false: that was all
 */
bool frag_next(struct fragmenter *f, size_t *hdr_len, size_t *off, size_t *len);

#endif
