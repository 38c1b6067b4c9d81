/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/offload/parse.h - where the layers of a frame lie: Ethernet, VLAN tags, IPv4, IPv6 with extension headers, TCP, UDP
 *
 * Pure; every length is checked against the bytes at hand. What cannot be parsed is "no such layer", never an error. An IP length that
 * contradicts the frame makes the layer bad (l3_len_ok false), because a large frame may legitimately carry a wrong one.
 */
#ifndef NET_OFFLOAD_PARSE_H
#define NET_OFFLOAD_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    ETH_HLEN = 14, VLAN_HLEN = 4,
    ETHERTYPE_IP4 = 0x0800, ETHERTYPE_ARP = 0x0806, ETHERTYPE_RARP = 0x8035, ETHERTYPE_VLAN = 0x8100, ETHERTYPE_QINQ = 0x88A8,
    ETHERTYPE_IP6 = 0x86DD, ETHERTYPE_NCSI = 0x88F8,
    IPPROTO_NR_ICMP = 1, IPPROTO_NR_TCP = 6, IPPROTO_NR_UDP = 17, IPPROTO_NR_ICMP6 = 58, IPPROTO_NR_SCTP = 132,
};

enum pkt_l3 { PKT_L3_NONE, PKT_L3_IP4, PKT_L3_IP6 };
enum pkt_l4 { PKT_L4_NONE, PKT_L4_TCP, PKT_L4_UDP, PKT_L4_OTHER };

struct pkt_layout {
    uint16_t ethertype;         /* behind the tags */
    uint16_t vlan_tci;          /* of the outer tag */
    uint8_t vlans;              /* tags in the frame: 0..2 */
    uint8_t l3;                 /* enum pkt_l3 */
    uint8_t l4;                 /* enum pkt_l4: not NONE only in an unfragmented packet or the first fragment */
    uint8_t proto;              /* IP protocol behind the extension headers */
    bool fragment;              /* part of a larger datagram */
    bool l3_len_ok;             /* the IP length fits the frame */
    bool ip6_home_addr;         /* a home address option or type 2 routing header is there: RSS takes that address */
    uint16_t l3_off;
    uint16_t l4_off;            /* L4 header, or what lies there */
    uint16_t payload_off;       /* behind the L4 header; TCP and UDP only */
    size_t l3_end;              /* end of the IP datagram in the frame; trailing padding lies behind */
    uint16_t proto_off;         /* IPv6: offset of the next-header byte that names the L4 protocol */
    uint16_t ip6_src, ip6_dst;  /* IPv6: offsets of the addresses that RSS with extension headers takes: home address, final destination */
};

/**
 * pkt_parse() - look at the first bytes of a frame
 * @p, @avail:  the bytes at hand, from the destination MAC; headers beyond them do not exist
 * @frame_len:  whole frame, >= avail
 */
void pkt_parse(const uint8_t *p, size_t avail, size_t frame_len, struct pkt_layout *l);

#endif
