/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/offload/parse.c - find the layers of a frame
 *
 * IPv4: RFC 791. IPv6 and its extension headers: RFC 8200 section 4; at most EXT_MAX of them are followed.
 */
#include "net/offload/parse.h"
#include "lib/bytes.h"

enum {
    EXT_MAX = 8,
    EXT_HOP = 0, EXT_ROUTING = 43, EXT_FRAGMENT = 44, EXT_AUTH = 51, EXT_DEST = 60, EXT_MOBILITY = 135, EXT_HIP = 139, EXT_SHIM6 = 140,
    OPT_HOME_ADDR = 0xC9,
};

static void parse_l4(const uint8_t *p, size_t avail, struct pkt_layout *l)
{
    size_t left = avail > l->l4_off ? avail - l->l4_off : 0;
    size_t in_datagram = l->l3_end > l->l4_off ? l->l3_end - l->l4_off : 0;

    if (left > in_datagram) {
        left = in_datagram;
    }
    l->l4 = PKT_L4_OTHER;
    if (l->proto == IPPROTO_NR_TCP) {
        size_t hlen = left >= 20 ? (size_t)(p[l->l4_off + 12] >> 4) * 4 : 0;

        if (hlen >= 20 && hlen <= left) {
            l->l4 = PKT_L4_TCP;
            l->payload_off = (uint16_t)(l->l4_off + hlen);
        }
    } else if (l->proto == IPPROTO_NR_UDP && left >= 8) {
        l->l4 = PKT_L4_UDP;
        l->payload_off = (uint16_t)(l->l4_off + 8);
    }
}

static void parse_ip4(const uint8_t *p, size_t avail, size_t frame_len, struct pkt_layout *l)
{
    const uint8_t *ip = p + l->l3_off;
    size_t hlen, total;
    uint16_t frag;

    if (avail < l->l3_off + 20u || ip[0] >> 4 != 4) {
        return;
    }
    hlen = (size_t)(ip[0] & 15) * 4;
    if (hlen < 20 || avail < l->l3_off + hlen) {
        return;
    }
    total = ld_be16(ip + 2);
    l->l3 = PKT_L3_IP4;
    l->l3_len_ok = total >= hlen && l->l3_off + total <= frame_len;
    l->l3_end = l->l3_len_ok ? l->l3_off + total : frame_len;
    l->l4_off = (uint16_t)(l->l3_off + hlen);
    l->proto = ip[9];
    l->proto_off = (uint16_t)(l->l3_off + 9);
    frag = ld_be16(ip + 6);
    l->fragment = (frag & 0x3FFF) != 0;
    if (!(frag & 0x1FFF)) {
        parse_l4(p, avail, l);
    }
}

/* Offset of the address in a home address option (RFC 6275 6.3) of the destination options header of @len bytes at @e; 0: none */
static size_t home_addr(const uint8_t *e, size_t len)
{
    size_t i = 2;

    while (i + 2 <= len) {
        if (e[i] == 0) {
            i++;                                    /* Pad1 */
            continue;
        }
        if (e[i] == OPT_HOME_ADDR && e[i + 1] == 16 && i + 18 <= len) {
            return i + 2;
        }
        i += 2u + e[i + 1];
    }
    return 0;
}

static void parse_ip6(const uint8_t *p, size_t avail, size_t frame_len, struct pkt_layout *l)
{
    const uint8_t *ip = p + l->l3_off;
    size_t off = l->l3_off + 40u, plen;
    bool later_fragment = false;
    uint8_t next;

    if (avail < off || ip[0] >> 4 != 6) {
        return;
    }
    plen = ld_be16(ip + 4);
    l->l3 = PKT_L3_IP6;
    l->ip6_src = (uint16_t)(l->l3_off + 8);
    l->ip6_dst = (uint16_t)(l->l3_off + 24);
    l->l3_len_ok = off + plen <= frame_len;
    l->l3_end = l->l3_len_ok && plen ? off + plen : frame_len;
    next = ip[6];
    l->proto_off = (uint16_t)(l->l3_off + 6);
    for (unsigned n = 0; n < EXT_MAX && !later_fragment; n++) {
        const uint8_t *e = p + off;
        size_t elen, home;

        if (next != EXT_HOP && next != EXT_ROUTING && next != EXT_FRAGMENT && next != EXT_AUTH && next != EXT_DEST && next != EXT_MOBILITY &&
            next != EXT_HIP && next != EXT_SHIM6) {
            break;
        }
        if (avail < off + 8) {
            break;                                  /* next stays an extension header: no L4 */
        }
        elen = next == EXT_FRAGMENT ? 8 : next == EXT_AUTH ? (e[1] + 2u) * 4 : (e[1] + 1u) * 8;
        if (avail < off + elen) {
            break;
        }
        if (next == EXT_FRAGMENT) {
            l->fragment = (ld_be16(e + 2) & 0xFFF9) != 0;
            later_fragment = (ld_be16(e + 2) & 0xFFF8) != 0;
        } else if (next == EXT_ROUTING && e[2] == 2) {
            l->ip6_home_addr = true;
            if (elen >= 24) {
                l->ip6_dst = (uint16_t)(off + 8);       /* RFC 6275 6.4: one address */
            }
        } else if (next == EXT_DEST && (home = home_addr(e, elen)) != 0) {
            l->ip6_home_addr = true;
            l->ip6_src = (uint16_t)(off + home);
        }
        l->proto_off = (uint16_t)off;
        next = e[0];
        off += elen;
    }
    l->proto = next;
    l->l4_off = (uint16_t)off;
    if (!later_fragment) {
        parse_l4(p, avail, l);
    }
}

void pkt_parse(const uint8_t *p, size_t avail, size_t frame_len, struct pkt_layout *l)
{
    size_t off = 12;

    *l = (struct pkt_layout){ 0 };
    if (avail < ETH_HLEN) {
        return;
    }
    l->ethertype = ld_be16(p + off);
    while ((l->ethertype == ETHERTYPE_VLAN || l->ethertype == ETHERTYPE_QINQ) && l->vlans < 2 && avail >= off + 6) {
        if (!l->vlans++) {
            l->vlan_tci = ld_be16(p + off + 2);
        }
        off += VLAN_HLEN;
        l->ethertype = ld_be16(p + off);
    }
    l->l3_off = (uint16_t)(off + 2);
    l->l3_end = frame_len;
    if (l->ethertype == ETHERTYPE_IP4) {
        parse_ip4(p, avail, frame_len, l);
    } else if (l->ethertype == ETHERTYPE_IP6) {
        parse_ip6(p, avail, frame_len, l);
    }
}
