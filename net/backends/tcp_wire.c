/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/backends/tcp_wire.c - TCP segments as bytes
 *
 *      0                   1                   2                   3
 *      |          Source Port          |       Destination Port        |
 *      |                        Sequence Number                        |
 *      |                    Acknowledgment Number                      |
 *      | Offset| 0 |     Flags     |            Window             |       RFC 9293 3.1
 *      |           Checksum            |         Urgent Pointer        |
 */
#include "net/backends/tcp_wire.h"
#include "lib/bytes.h"
#include "net/offload/csum.h"

enum {
    OPT_END = 0, OPT_NOP = 1, OPT_MSS = 2, OPT_WSCALE = 3,
    OFF_SEQ = 4, OFF_ACK = 8, OFF_DATA = 12, OFF_FLAGS = 13, OFF_WND = 14, OFF_CSUM = 16,
    IP4_HLEN = 20, IP6_HLEN = 40, TTL = 64, ICMP_HLEN = 8, FRAME_PAD = 60,
};

/* RFC 9293 3.2: a list of kind, length, value; what does not add up ends it */
static void parse_options(const uint8_t *p, size_t n, struct tcp_seg *s)
{
    size_t i = 0;

    while (i < n && p[i] != OPT_END) {
        size_t len = p[i] == OPT_NOP ? 1 : i + 1 < n ? p[i + 1] : 0;

        if (!len || len > n - i || (p[i] != OPT_NOP && len < 2)) {
            return;
        }
        if (p[i] == OPT_MSS && len == 4) {
            s->mss = ld_be16(p + i + 2);
        } else if (p[i] == OPT_WSCALE && len == 3) {
            s->wscale = (int8_t)(p[i + 2] > TCP_WSCALE_MAX ? TCP_WSCALE_MAX : p[i + 2]);
        }
        i += len;
    }
}

void tcp_wire_parse(const uint8_t *hdr, const struct pkt_layout *l, struct tcp_key *key, struct tcp_seg *seg)
{
    const uint8_t *ip = hdr + l->l3_off, *t = hdr + l->l4_off;

    *key = (struct tcp_key){ .guest_port = ld_be16(t), .world_port = ld_be16(t + 2), .six = l->l3 == PKT_L3_IP6 };
    memcpy(key->guest, ip + (key->six ? 8 : 12), key->six ? 16 : 4);
    memcpy(key->world, ip + (key->six ? 24 : 16), key->six ? 16 : 4);
    *seg = (struct tcp_seg){
        .seq = ld_be32(t + OFF_SEQ), .ack = ld_be32(t + OFF_ACK), .len = (uint32_t)(l->l3_end - l->payload_off), .wnd = ld_be16(t + OFF_WND),
        .wscale = TCP_WSCALE_NONE, .flags = t[OFF_FLAGS] & (TCP_FIN | TCP_SYN | TCP_RST | TCP_PSH | TCP_ACK), .off = l->payload_off,
    };
    if (seg->flags & TCP_SYN) {
        parse_options(t + TCP_HLEN, (size_t)l->payload_off - l->l4_off - TCP_HLEN, seg);
    }
}

static size_t put_ip(uint8_t *ip, const struct tcp_key *key, uint8_t proto, const uint8_t *src, uint16_t id, size_t payload)
{
    if (key->six) {
        memset(ip, 0, 8);
        ip[0] = 0x60;
        st_be16(ip + 4, (uint16_t)payload);
        ip[6] = proto;
        ip[7] = proto == IPPROTO_NR_TCP ? TTL : 255;
        memcpy(ip + 8, src, 16);
        memcpy(ip + 24, key->guest, 16);
        return IP6_HLEN;
    }
    memset(ip, 0, 12);
    ip[0] = 0x45;
    st_be16(ip + 2, (uint16_t)(IP4_HLEN + payload));
    st_be16(ip + 4, id);
    ip[6] = 0x40;                                               /* DF */
    ip[8] = TTL;
    ip[9] = proto;
    memcpy(ip + 12, src, 4);
    memcpy(ip + 16, key->guest, 4);
    csum_ip4_header(ip, IP4_HLEN);
    return IP4_HLEN;
}

static uint8_t *put_eth(uint8_t *p, const uint8_t dst[6], const uint8_t src[6], bool six)
{
    memcpy(p, dst, 6);
    memcpy(p + 6, src, 6);
    st_be16(p + 12, six ? ETHERTYPE_IP6 : ETHERTYPE_IP4);
    return p + ETH_HLEN;
}

static size_t put_options(uint8_t *p, const struct tcp_out *o)
{
    if (!o->mss) {
        return 0;
    }
    p[0] = OPT_MSS;
    p[1] = 4;
    st_be16(p + 2, o->mss);
    if (o->wscale < 0) {
        return 4;
    }
    p[4] = OPT_NOP;
    p[5] = OPT_WSCALE;
    p[6] = 3;
    p[7] = (uint8_t)o->wscale;
    return 8;
}

size_t tcp_wire_header(uint8_t *out, const uint8_t dst[6], const uint8_t src[6], const struct tcp_key *key, const struct tcp_out *o)
{
    uint8_t *ip = put_eth(out, dst, src, key->six), *t = ip + (key->six ? IP6_HLEN : IP4_HLEN);
    size_t hlen = TCP_HLEN + put_options(t + TCP_HLEN, o);
    uint16_t sum;

    put_ip(ip, key, IPPROTO_NR_TCP, key->world, o->ip_id, hlen + o->payload);
    st_be16(t, key->world_port);
    st_be16(t + 2, key->guest_port);
    st_be32(t + OFF_SEQ, o->seq);
    st_be32(t + OFF_ACK, o->ack);
    t[OFF_DATA] = (uint8_t)(hlen / 4 << 4);
    t[OFF_FLAGS] = o->flags;
    st_be16(t + OFF_WND, o->wnd);
    st_be32(t + OFF_CSUM, 0);                                   /* and no urgent pointer */
    sum = csum_fold(csum_pseudo(ip, key->six ? PKT_L3_IP6 : PKT_L3_IP4, IPPROTO_NR_TCP, (uint32_t)(hlen + o->payload)));
    memcpy(t + OFF_CSUM, &sum, 2);
    return (size_t)(t - out) + hlen;
}

static uint16_t l4_off(const struct tcp_key *key)
{
    return key->six ? ETH_HLEN + IP6_HLEN : ETH_HLEN + IP4_HLEN;
}

void tcp_wire_meta(struct pkt_meta *m, const struct tcp_key *key, const struct tcp_out *o, uint16_t mss)
{
    m->flags = PKT_CSUM_VALID | PKT_NEEDS_CSUM;
    m->csum_start = l4_off(key);
    m->csum_off = OFF_CSUM;
    if (o->payload > mss) {
        m->gso = key->six ? PKT_GSO_TCP6 : PKT_GSO_TCP4;
        m->gso_size = mss;
    }
}

void tcp_wire_finish(uint8_t *hdr, size_t len, const struct tcp_key *key)
{
    csum_finish(hdr, len, l4_off(key), OFF_CSUM);
}

size_t tcp_wire_unreachable(uint8_t *out, const uint8_t dst[6], const uint8_t src[6], const struct tcp_key *key, const uint8_t router[16],
                            uint32_t seq, bool net)
{
    uint8_t quoted[IP6_HLEN + ICMP_HLEN], *ip = put_eth(out, dst, src, key->six), *icmp;
    struct tcp_key back = *key;
    size_t hlen, n;

    /* the start of what the guest sent: its IP header and 8 bytes of TCP; both ends change places */
    memcpy(back.guest, key->world, 16);
    hlen = put_ip(quoted, &back, IPPROTO_NR_TCP, key->guest, 0, TCP_HLEN);
    st_be16(quoted + hlen, key->guest_port);
    st_be16(quoted + hlen + 2, key->world_port);
    st_be32(quoted + hlen + OFF_SEQ, seq);
    n = ICMP_HLEN + hlen + ICMP_HLEN;
    icmp = ip + put_ip(ip, key, key->six ? IPPROTO_NR_ICMP6 : IPPROTO_NR_ICMP, router, 0, n);
    memset(icmp, 0, ICMP_HLEN);
    icmp[0] = key->six ? 1 : 3;                                 /* destination unreachable */
    icmp[1] = net ? 0 : key->six ? 3 : 1;
    memcpy(icmp + ICMP_HLEN, quoted, hlen + ICMP_HLEN);
    csum_store(icmp + 2, csum_add(key->six ? csum_pseudo(ip, PKT_L3_IP6, IPPROTO_NR_ICMP6, (uint32_t)n) : 0, icmp, n));
    n += (size_t)(icmp - out);
    if (n < FRAME_PAD) {
        memset(out + n, 0, FRAME_PAD - n);
        n = FRAME_PAD;
    }
    return n;
}
