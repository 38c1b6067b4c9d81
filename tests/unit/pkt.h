/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/unit/pkt.h - frames for the net tests: built from fields, checksums right unless the test breaks them */
#ifndef TESTS_UNIT_PKT_H
#define TESTS_UNIT_PKT_H

#include "lib/bytes.h"
#include "net/offload/csum.h"
#include <string.h>

static const uint8_t pkt_guest_mac[6] = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 };
static const uint8_t pkt_host_mac[6] = { 0x52, 0x55, 10, 0, 2, 2 };
static const uint8_t pkt_guest_ip[4] = { 10, 0, 2, 15 };
static const uint8_t pkt_host_ip[4] = { 10, 0, 2, 2 };

static inline uint8_t *pkt_eth(uint8_t *p, const uint8_t *dst, const uint8_t *src, uint16_t type)
{
    memcpy(p, dst, 6);
    memcpy(p + 6, src, 6);
    st_be16(p + 12, type);
    return p + 14;
}

/* IPv4 header for @n bytes of payload; returns where they go */
static inline uint8_t *pkt_ip4(uint8_t *p, const uint8_t *src, const uint8_t *dst, uint8_t proto, size_t n)
{
    memset(p, 0, 20);
    p[0] = 0x45;
    st_be16(p + 2, (uint16_t)(20 + n));
    st_be16(p + 4, 0x1234);
    p[8] = 64;
    p[9] = proto;
    memcpy(p + 12, src, 4);
    memcpy(p + 16, dst, 4);
    csum_ip4_header(p, 20);
    return p + 20;
}

static inline uint8_t *pkt_ip6(uint8_t *p, const uint8_t *src, const uint8_t *dst, uint8_t next, size_t n)
{
    memset(p, 0, 40);
    p[0] = 0x60;
    st_be16(p + 4, (uint16_t)n);
    p[6] = next;
    p[7] = 255;
    memcpy(p + 8, src, 16);
    memcpy(p + 24, dst, 16);
    return p + 40;
}

/* Fill in the L4 checksum of a complete frame (TCP, UDP, ICMP, ICMPv6). */
static inline void pkt_l4_csum(uint8_t *frame, size_t len)
{
    struct pkt_layout l;
    size_t off, n;
    uint64_t sum = 0;

    pkt_parse(frame, len, len, &l);
    off = l.proto == 6 ? 16 : l.proto == 17 ? 6 : 2;
    n = l.l3_end - l.l4_off;
    st_be16(frame + l.l4_off + off, 0);
    if (l.proto != 1) {
        sum = csum_pseudo(frame + l.l3_off, l.l3, l.proto, (uint32_t)n);
    }
    csum_store(frame + l.l4_off + off, csum_add(sum, frame + l.l4_off, n));
}

static inline uint8_t *pkt_tcp(uint8_t *p, uint16_t sport, uint16_t dport, uint32_t seq, uint32_t ack, uint8_t flags)
{
    memset(p, 0, 20);
    st_be16(p, sport);
    st_be16(p + 2, dport);
    st_be32(p + 4, seq);
    st_be32(p + 8, ack);
    p[12] = 0x50;
    p[13] = flags;
    st_be16(p + 14, 65535);
    return p + 20;
}

static inline uint8_t *pkt_udp(uint8_t *p, uint16_t sport, uint16_t dport, size_t n)
{
    st_be16(p, sport);
    st_be16(p + 2, dport);
    st_be16(p + 4, (uint16_t)(8 + n));
    st_be16(p + 6, 0);
    return p + 8;
}

#endif
