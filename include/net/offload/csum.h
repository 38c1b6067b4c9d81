/* SPDX-License-Identifier: BSD-2-Clause */
/* net/offload/csum.h - the Internet checksum (RFC 1071): sums, finishing what a guest left open, verifying */
#ifndef NET_OFFLOAD_CSUM_H
#define NET_OFFLOAD_CSUM_H

#include "net/offload/parse.h"
#include <sys/uio.h>

/** csum_add() - one's complement sum of @len bytes, added to @sum; the bytes count as if they began at an even offset. 8 bytes a step. */
uint64_t csum_add(uint64_t sum, const void *p, size_t len);
/** csum_add_iov() - as csum_add() over part of a scatter list, odd pieces included */
uint64_t csum_add_iov(uint64_t sum, const struct iovec *iov, unsigned cnt, size_t off, size_t len);
/** csum_fold() - to 16 bits, not complemented, in the byte order of memory (store it with memcpy) */
uint16_t csum_fold(uint64_t sum);
/** csum_pseudo() - sum of the pseudo header; addresses are read at @ip (L3 header), @len is L4 header and data */
uint64_t csum_pseudo(const uint8_t *ip, enum pkt_l3 l3, uint8_t proto, uint32_t len);
/** csum_store() - complement @sum and store it at @p; 0 becomes 0xFFFF as UDP wants it */
void csum_store(uint8_t *p, uint64_t sum);
/** csum_ip4_header() - compute and store the header checksum of @hlen bytes at @ip */
void csum_ip4_header(uint8_t *ip, size_t hlen);
/** csum_finish() - sum [start, len) of a frame and store it at start + off; false: out of bounds, frame untouched */
bool csum_finish(uint8_t *frame, size_t len, size_t start, size_t off);

enum csum_state { CSUM_NONE, CSUM_GOOD, CSUM_BAD };     /* NONE: there is none, or it cannot be known */
enum csum_state csum_check_ip4(const uint8_t *frame, const struct pkt_layout *l);
/** csum_check_l4() - TCP and UDP of an unfragmented packet; the whole frame is at @iov */
enum csum_state csum_check_l4(const struct iovec *iov, unsigned cnt, const uint8_t *hdr, const struct pkt_layout *l);

#endif
