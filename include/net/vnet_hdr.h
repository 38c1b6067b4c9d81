/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/vnet_hdr.h - struct virtio_net_hdr and what it says in our words (virtio 1.2 section 5.1.6)
 *
 * The header in front of a frame on a virtio-net ring, a tap device with IFF_VNET_HDR, vhost-user and packets of
 * AF_PACKET. The bytes come from a guest or a peer: copy them once, decode the copy.
 *
 *      0       1       2       4       6       8       10      12      16      18
 *      +-------+-------+-------+-------+-------+-------+-------+-------+-------+-------+
 *      | flags | gso   |hdr_len|gso_siz|csum_st|csum_of|num_buf| hash  |report | 0     |
 *      +-------+-------+-------+-------+-------+-------+-------+-------+-------+-------+
 *      |<----------- VNET_HDR_LEN ------------------->|
 *      |<----------- VNET_HDR_LEN_MRG ---------------------->|
 *      |<----------- VNET_HDR_LEN_HASH ---------------------------------------------->|
 */
#ifndef NET_VNET_HDR_H
#define NET_VNET_HDR_H

#include "net/frame.h"

enum { VNET_HDR_LEN = 10, VNET_HDR_LEN_MRG = 12, VNET_HDR_LEN_HASH = 20 };

enum vnet_hdr_bad {
    VNET_HDR_OK,
    VNET_HDR_BAD_CSUM,              /* checksum start or place outside the frame */
    VNET_HDR_BAD_GSO,               /* unknown type, segment size 0, header longer than the frame */
};

/**
 * vnet_hdr_decode() - what the sender wants done to a frame
 * @hdr:        VNET_HDR_LEN bytes, little-endian (also for legacy devices: the guest is an x86); flags that mean
 * something to a receiver only are ignored
 * @frame_len:  bytes behind the header
 * @m:          VNET_HDR_OK: complete; else all zero
 */
enum vnet_hdr_bad vnet_hdr_decode(const uint8_t hdr[VNET_HDR_LEN], size_t frame_len, struct pkt_meta *m);

/**
 * vnet_hdr_encode() - the other way, for a receiver
 * @hdr_len:  one of the three; of the longer forms num_buffers is 1 and hash is filled from @m
 * @data_valid: the receiver may be told that the checksum has been verified (GUEST_CSUM)
 */
void vnet_hdr_encode(const struct pkt_meta *m, bool data_valid, uint8_t *hdr, size_t hdr_len);

/* vnet_hdr_set_rsc() - segments that were merged, duplicate acknowledgements (5.1.6.4: RSC_INFO, in place of the
 * checksum fields) */
void vnet_hdr_set_rsc(uint8_t *hdr, uint16_t segments, uint16_t dup_acks);

enum { VNET_NUM_BUFFERS_OFF = 10 };

/** vnet_hash_report() - 5.1.6.4.3.4: number of the report for one hash type (RSS_* bit); 0: none */
uint16_t vnet_hash_report(unsigned hash_type);

#endif
