/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/backends/user_airlock.c - what a guest may say to the user-mode stack
 *
 * Everything not listed here is dropped: ARP, IPv4 and IPv6 without extension headers, carrying TCP, UDP or ICMP whose lengths add up, from
 * addresses that a host can have. Protocols that the stack parses itself (DHCP, DHCPv6, TFTP, neighbour discovery) are walked to their end first.
 * Fragments are put together here, so the stack's own reassembly never runs. TCP urgent data becomes ordinary data.
 *
 * Which public bugs that keeps out: see the comment at each check.
 */
#include "net/backends/airlock.h"
#include "lib/bytes.h"
#include "net/offload/csum.h"
#include <stdlib.h>

static const char *const reason_names[AIR_REASONS] = {
    [AIR_RUNT] = "runt", [AIR_NOT_FOR_US] = "not-for-us", [AIR_NCSI] = "ncsi", [AIR_ETHERTYPE] = "ethertype",
    [AIR_ARP_SHORT] = "arp-short", [AIR_ARP_BAD] = "arp-bad",
    [AIR_IP4_HEADER] = "ip4-header", [AIR_IP4_LENGTH] = "ip4-length", [AIR_IP4_SOURCE] = "ip4-source", [AIR_IP4_DEST] = "ip4-dest",
    [AIR_IP4_PROTO] = "ip4-proto", [AIR_IP6_HEADER] = "ip6-header", [AIR_IP6_LENGTH] = "ip6-length", [AIR_IP6_SOURCE] = "ip6-source",
    [AIR_IP6_DEST] = "ip6-dest", [AIR_IP6_PROTO] = "ip6-proto", [AIR_TCP_SHORT] = "tcp-short", [AIR_UDP_SHORT] = "udp-short",
    [AIR_UDP_LENGTH] = "udp-length", [AIR_UDP_PORT] = "udp-port", [AIR_ICMP_SHORT] = "icmp-short", [AIR_ICMP6_SHORT] = "icmp6-short",
    [AIR_ICMP6_TYPE] = "icmp6-type", [AIR_ICMP6_OPTION] = "icmp6-option", [AIR_BOOTP_SHORT] = "bootp-short",
    [AIR_DHCP_OPTION] = "dhcp-option", [AIR_DHCP6_SHORT] = "dhcp6-short", [AIR_DHCP6_OPTION] = "dhcp6-option",
    [AIR_TFTP_OFF] = "tftp-off", [AIR_TFTP_SHORT] = "tftp-short", [AIR_FRAG_HEADER] = "frag-header", [AIR_FRAG_SIZE] = "frag-size",
    [AIR_FRAG_OVERLAP] = "frag-overlap", [AIR_FRAG_LIMIT] = "frag-limit", [AIR_FRAG_TIMEOUT] = "frag-timeout",
    [AIR_NEIGHBOUR_FLOOD] = "neighbour-flood",
    [AIR_NEIGHBOUR_PENDING] = "neighbour-pending", [AIR_FLOW_LIMIT] = "flow-limit", [AIR_URGENT_CLEARED] = "urgent-cleared",
};

const char *airlock_reason_name(enum airlock_reason r)
{
    return (unsigned)r < AIR_REASONS ? reason_names[r] : "?";
}

void airlock_init(struct airlock *a, const struct airlock_cfg *cfg)
{
    memset(a, 0, sizeof(*a));
    a->cfg = *cfg;
    a->tcp_limit = AIR_TCP_FLOWS;
    a->udp_limit = AIR_UDP_FLOWS;
    a->icmp_limit = AIR_ICMP_FLOWS;
    a->tokens = AIR_NEIGHBOUR_BURST;
    a->neighbours = calloc(AIR_NEIGHBOURS, sizeof(*a->neighbours));
    a->udp_seen = calloc(AIR_UDP_SEEN, sizeof(*a->udp_seen));
}

void airlock_fini(struct airlock *a)
{
    airlock_fragments_free(a);
    free(a->neighbours);
    free(a->udp_seen);
    free(a->whole);
    memset(a, 0, sizeof(*a));
}

static enum airlock_verdict drop(struct airlock *a, enum airlock_reason why)
{
    a->count[why]++;
    return AIRLOCK_DROP;
}

static uint32_t hash_bytes(const uint8_t *p, size_t n, uint32_t h)
{
    while (n--) {
        h = (h ^ *p++) * 16777619u;                         /* FNV-1a */
    }
    return h ^ h >> 15;
}

/* The entry of a source address; a new one costs a token. NULL: none left */
static struct air_neighbour *neighbour_get(struct airlock *a, int64_t now_ns, const uint8_t *addr, size_t n)
{
    uint8_t key[16] = { 0 };
    struct air_neighbour *set, *victim;
    int64_t gain;

    if (!a->neighbours) {
        return NULL;
    }
    memcpy(key, addr, n);
    set = &a->neighbours[(hash_bytes(key, 16, 2166136261u) % (AIR_NEIGHBOURS / 4)) * 4];
    victim = set;
    for (unsigned i = 0; i < 4; i++) {
        if (set[i].used_ns && !memcmp(set[i].addr, key, 16)) {
            set[i].used_ns = now_ns + 1;
            return &set[i];
        }
        if (set[i].used_ns < victim->used_ns) {
            victim = &set[i];
        }
    }
    gain = (now_ns - a->tokens_ns) / (1000000000 / AIR_NEIGHBOUR_PER_SEC);
    if (gain > 0 || now_ns < a->tokens_ns) {
        a->tokens = gain < 0 || gain > AIR_NEIGHBOUR_BURST || a->tokens + (unsigned)gain > AIR_NEIGHBOUR_BURST
                        ? AIR_NEIGHBOUR_BURST : a->tokens + (unsigned)gain;
        a->tokens_ns = now_ns;
    }
    if (!a->tokens) {
        return NULL;
    }
    a->tokens--;
    *victim = (struct air_neighbour){ .used_ns = now_ns + 1 };
    memcpy(victim->addr, key, 16);
    return victim;
}

/*
 * The stack looks up, asks for and waits for a neighbour for each address it answers, and tries all that wait again in every round: random IPv6
 * sources cost it 150 us each, a guest that never answers ARP 300 us a frame. So new addresses come at a bounded rate, and one that the guest has
 * not announced yet gets a few frames a second until it answers the stack's question.
 * Return: -1, or why not
 */
static int neighbour_ok(struct airlock *a, int64_t now_ns, const uint8_t *addr, size_t n)
{
    struct air_neighbour *e = neighbour_get(a, now_ns, addr, n);

    if (!e) {
        return AIR_NEIGHBOUR_FLOOD;
    }
    if (e->announced) {
        return -1;
    }
    if (now_ns - e->pending_ns >= 1000000000 || now_ns < e->pending_ns) {
        e->pending_ns = now_ns;
        e->pending = 0;
    }
    if (e->pending == AIR_PENDING_PER_SEC) {
        return AIR_NEIGHBOUR_PENDING;
    }
    e->pending++;
    return -1;
}

static bool neighbour_announce(struct airlock *a, int64_t now_ns, const uint8_t *addr, size_t n)
{
    struct air_neighbour *e = neighbour_get(a, now_ns, addr, n);

    if (e) {
        e->announced = true;
    }
    return e != NULL;
}

void airlock_announce(struct airlock *a, int64_t now_ns, const uint8_t *addr, size_t n)
{
    neighbour_announce(a, now_ns, addr, n);
}

/* --- the stack's own services ---------------------------------------------------------------------------------- */

/* RFC 2131 2, RFC 2132 2. CVE-2017-11434: option length past the end; CVE-2021-3592: packet shorter than the BOOTP struct */
static int check_bootp(const uint8_t *p, size_t n)
{
    size_t i = 240;

    if (n < 240) {
        return AIR_BOOTP_SHORT;
    }
    if (ld_be32(p + 236) != 0x63825363) {
        return -1;                                          /* BOOTP without options (RFC 951) */
    }
    while (i < n && p[i] != 255) {
        if (p[i] == 0) {
            i++;
        } else if (i + 2 > n || p[i + 1] > n - i - 2) {
            return AIR_DHCP_OPTION;
        } else if (p[i] == 53 && p[i + 1] != 1) {
            return AIR_DHCP_OPTION;                         /* message type */
        } else if (p[i] == 50 && p[i + 1] != 4) {
            return AIR_DHCP_OPTION;                         /* requested address */
        } else {
            i += 2u + p[i + 1];
        }
    }
    return -1;
}

/* RFC 8415 8, 21.1. CVE-2026-95508: client id larger than what fits the answer (the identifier has at most 128 + 2 bytes, 11.1) */
static int check_dhcp6(const uint8_t *p, size_t n)
{
    size_t i = 4;

    if (n < 4) {
        return AIR_DHCP6_SHORT;
    }
    while (i < n) {
        size_t len;

        if (n - i < 4) {
            return AIR_DHCP6_OPTION;
        }
        len = ld_be16(p + i + 2);
        if (len > n - i - 4 || (ld_be16(p + i) == 1 && len > 130)) {
            return AIR_DHCP6_OPTION;
        }
        i += 4 + len;
    }
    return -1;
}

/* RFC 1350 5. CVE-2021-3595: struct cast over a short packet; write requests and data have no business here */
static int check_tftp(const struct airlock *a, const uint8_t *p, size_t n)
{
    if (!a->cfg.tftp) {
        return AIR_TFTP_OFF;
    }
    if (n < 4) {
        return AIR_TFTP_SHORT;
    }
    switch (ld_be16(p)) {
    case 1: {                                               /* read request: strings, the last one ended, at least two */
        unsigned strings = 0;

        for (size_t i = 2; i < n; i++) {
            strings += p[i] == 0;
        }
        return p[n - 1] == 0 && strings >= 2 ? -1 : AIR_TFTP_SHORT;
    }
    case 4:                                                 /* ack */
    case 5:                                                 /* error */
        return -1;
    default:
        return AIR_TFTP_SHORT;
    }
}

/* RFC 4861 4.6: option length in units of 8, not 0. CVE-2020-10756 class: lengths claimed by the header */
static int check_nd_options(const uint8_t *p, size_t n, size_t i)
{
    if (n < i) {
        return AIR_ICMP6_SHORT;
    }
    while (i < n) {
        if (n - i < 8 || !p[i + 1] || p[i + 1] * 8u > n - i) {
            return AIR_ICMP6_OPTION;
        }
        i += p[i + 1] * 8u;
    }
    return -1;
}

/* --- transport ------------------------------------------------------------------------------------------------- */

/*
 * CVE-2026-9539: an urgent pointer beyond the data makes the stack send heap to the peer. The flag and the pointer go; the checksum is
 * corrected by the difference (RFC 1624), so a wrong one stays wrong.
 */
static void clear_urgent(struct airlock *a, uint8_t *tcp)
{
    uint8_t old[4] = { tcp[12], tcp[13], tcp[18], tcp[19] }, new[4] = { tcp[12], (uint8_t)(tcp[13] & ~0x20), 0, 0 };
    uint16_t c, o[2], n[2];
    uint32_t sum;

    if (!(tcp[13] & 0x20) && !tcp[18] && !tcp[19]) {
        return;
    }
    memcpy(&c, tcp + 16, 2);
    memcpy(o, old, 4);
    memcpy(n, new, 4);
    sum = (uint16_t)~c + (uint32_t)(uint16_t)~o[0] + n[0] + (uint16_t)~o[1] + n[1];
    sum = (sum & 0xFFFF) + (sum >> 16);
    sum = (sum & 0xFFFF) + (sum >> 16);
    c = (uint16_t)~sum;
    memcpy(tcp + 16, &c, 2);
    tcp[13] = new[1];
    tcp[18] = tcp[19] = 0;
    a->count[AIR_URGENT_CLEARED]++;
}

static enum airlock_verdict check_tcp(struct airlock *a, uint8_t *p, size_t n)
{
    size_t hlen = n >= 20 ? (size_t)(p[12] >> 4) * 4 : 0;

    if (hlen < 20 || hlen > n) {
        return drop(a, AIR_TCP_SHORT);
    }
    clear_urgent(a, p);
    if ((p[13] & 0x17) == 0x02 && a->tcp_flows >= a->tcp_limit) {       /* SYN alone */
        a->count[AIR_FLOW_LIMIT]++;
        return AIRLOCK_REFUSE;
    }
    return AIRLOCK_PASS;
}

/* UDP flows are by source address and port; when there are many, only those that have spoken before go on. */
static bool udp_flow_ok(struct airlock *a, const uint8_t *src, size_t src_len, const uint8_t *udp)
{
    uint32_t h = hash_bytes(udp, 2, hash_bytes(src, src_len, 2166136261u)) | 1;
    uint32_t *slot = a->udp_seen ? &a->udp_seen[h % AIR_UDP_SEEN] : NULL;

    if (!slot || (a->udp_flows >= a->udp_limit && *slot != h)) {
        return false;
    }
    *slot = h;
    return true;
}

/* @to_us: sent to an address of the stack (or to all). CVE-2021-3592..3595: UDP shorter than what is cast over it */
static enum airlock_verdict check_udp(struct airlock *a, const uint8_t *p, size_t n, const uint8_t *src, size_t src_len, bool to_us)
{
    size_t ulen;
    uint16_t dport;
    int why = -1;

    if (n < 8) {
        return drop(a, AIR_UDP_SHORT);
    }
    ulen = ld_be16(p + 4);
    if (ulen < 8 || ulen > n) {
        return drop(a, AIR_UDP_LENGTH);
    }
    dport = ld_be16(p + 2);
    if (!dport || (src_len == 4 && !ld_be16(p) && !ld_be32(src))) {
        return drop(a, AIR_UDP_PORT);                       /* CVE-2014-3640: 0.0.0.0:0 is the stack's socket stub */
    }
    if (src_len == 4 && dport == 67) {
        why = check_bootp(p + 8, ulen - 8);
    } else if (src_len == 16 && dport == 547) {
        why = check_dhcp6(p + 8, ulen - 8);
    } else if (to_us && dport == 69) {
        why = check_tftp(a, p + 8, ulen - 8);
    }
    if (why >= 0) {
        return drop(a, (enum airlock_reason)why);
    }
    return udp_flow_ok(a, src, src_len, p) ? AIRLOCK_PASS : drop(a, AIR_FLOW_LIMIT);
}

/* --- network --------------------------------------------------------------------------------------------------- */

/* RFC 1122 3.2.1.3: addresses that no host sends from or to */
static int check_ip4_addrs(const struct airlock *a, const uint8_t *ip)
{
    const uint8_t *src = ip + 12, *dst = ip + 16;

    if (dst[0] == 0 || dst[0] == 127 || (dst[0] >= 240 && ld_be32(dst) != 0xFFFFFFFF)) {
        return AIR_IP4_DEST;                                /* 0/8: 1a89b608 */
    }
    if (src[0] == 0) {
        bool dhcp = !ld_be32(src) && ip[9] == IPPROTO_NR_UDP && ld_be32(dst) == 0xFFFFFFFF;

        return dhcp ? -1 : AIR_IP4_SOURCE;
    }
    if (src[0] == 127 || src[0] >= 224 || !memcmp(src, a->cfg.host4, 4) || !memcmp(src, a->cfg.dns4, 4)) {
        return AIR_IP4_SOURCE;
    }
    return -1;
}

static enum airlock_verdict check_ip4(struct airlock *a, int64_t now_ns, uint8_t **frame, size_t *len, const struct pkt_layout *l)
{
    uint8_t *ip = *frame + l->l3_off, *p = *frame + l->l4_off;
    size_t n;
    int why;

    if (l->l3 != PKT_L3_IP4) {
        return drop(a, AIR_IP4_HEADER);
    }
    if (!l->l3_len_ok) {
        return drop(a, AIR_IP4_LENGTH);
    }
    *len = l->l3_end;                                       /* padding behind the datagram stays outside */
    why = check_ip4_addrs(a, ip);
    if (why >= 0) {
        return drop(a, (enum airlock_reason)why);
    }
    if (ip[9] != IPPROTO_NR_TCP && ip[9] != IPPROTO_NR_UDP && ip[9] != IPPROTO_NR_ICMP) {
        return drop(a, AIR_IP4_PROTO);
    }
    why = ip[12] ? neighbour_ok(a, now_ns, ip + 12, 4) : -1;
    if (why >= 0) {
        return drop(a, (enum airlock_reason)why);
    }
    if (l->fragment) {
        return airlock_fragment(a, now_ns, frame, len, l);
    }
    n = l->l3_end - l->l4_off;
    switch (ip[9]) {
    case IPPROTO_NR_TCP:
        return check_tcp(a, p, n);
    case IPPROTO_NR_UDP:
        if (!ip[12] && (n < 4 || ld_be16(p) != 68 || ld_be16(p + 2) != 67)) {
            return drop(a, n < 4 ? AIR_UDP_SHORT : ld_be16(p) ? AIR_IP4_SOURCE : AIR_UDP_PORT);
        }
        return check_udp(a, p, n, ip + 12, 4, !memcmp(ip + 16, a->cfg.host4, 4) || ld_be32(ip + 16) == 0xFFFFFFFF);
    default:
        if (n < 8) {
            return drop(a, AIR_ICMP_SHORT);
        }
        if (p[0] == 8 && a->icmp_flows >= a->icmp_limit && memcmp(ip + 16, a->cfg.host4, 4)) {
            return drop(a, AIR_FLOW_LIMIT);
        }
        return AIRLOCK_PASS;
    }
}

static bool is_zero16(const uint8_t *p)
{
    static const uint8_t zero[16];

    return !memcmp(p, zero, 16);
}

static bool is_loopback6(const uint8_t *p)
{
    static const uint8_t one[16] = { [15] = 1 };

    return !memcmp(p, one, 16);
}

static bool is_ours6(const struct airlock *a, const uint8_t *p)
{
    static const uint8_t ll_host[16] = { 0xFE, 0x80, [15] = 2 };

    return !memcmp(p, a->cfg.host6, 16) || !memcmp(p, a->cfg.dns6, 16) || !memcmp(p, ll_host, 16);
}

static enum airlock_verdict check_icmp6(struct airlock *a, int64_t now_ns, const uint8_t *ip, const uint8_t *p, size_t n)
{
    bool unspecified = is_zero16(ip + 8);
    int why;

    if (n < 8) {
        return drop(a, AIR_ICMP6_SHORT);
    }
    switch (p[0]) {
    case 128:                                               /* echo request */
        why = unspecified ? AIR_IP6_SOURCE : neighbour_ok(a, now_ns, ip + 8, 16);
        break;
    case 133:                                               /* router solicitation */
        why = check_nd_options(p, n, 8);
        break;
    case 135:                                               /* neighbour solicitation, advertisement */
    case 136:
        why = check_nd_options(p, n, 24);
        break;
    default:
        why = AIR_ICMP6_TYPE;
    }
    if (why < 0 && p[0] == 136 && !neighbour_announce(a, now_ns, p + 8, 16)) {
        why = AIR_NEIGHBOUR_FLOOD;
    }
    if (why < 0 && p[0] != 128 && !unspecified && !neighbour_announce(a, now_ns, ip + 8, 16)) {
        why = AIR_NEIGHBOUR_FLOOD;
    }
    return why < 0 ? AIRLOCK_PASS : drop(a, (enum airlock_reason)why);
}

static enum airlock_verdict check_ip6(struct airlock *a, int64_t now_ns, uint8_t *frame, size_t *len, const struct pkt_layout *l)
{
    uint8_t *ip = frame + l->l3_off, *p = ip + 40;
    size_t n, flen = *len;
    int why;

    if (l->l3 != PKT_L3_IP6) {
        return drop(a, AIR_IP6_HEADER);
    }
    n = ld_be16(ip + 4);
    if (!n || n > flen - l->l3_off - 40) {
        return drop(a, AIR_IP6_LENGTH);                     /* CVE-2020-10756: the answer copies as much as the header claims */
    }
    *len = l->l3_off + 40 + n;
    if (ip[8] == 0xFF || is_loopback6(ip + 8) || is_ours6(a, ip + 8)) {
        return drop(a, AIR_IP6_SOURCE);
    }
    if (is_zero16(ip + 24) || is_loopback6(ip + 24)) {
        return drop(a, AIR_IP6_DEST);
    }
    if (ip[6] != IPPROTO_NR_TCP && ip[6] != IPPROTO_NR_UDP && ip[6] != IPPROTO_NR_ICMP6) {
        return drop(a, AIR_IP6_PROTO);
    }
    if (is_zero16(ip + 8) && ip[6] != IPPROTO_NR_ICMP6) {
        return drop(a, AIR_IP6_SOURCE);
    }
    if (ip[6] == IPPROTO_NR_ICMP6) {
        return check_icmp6(a, now_ns, ip, p, n);
    }
    why = neighbour_ok(a, now_ns, ip + 8, 16);              /* Q10 */
    if (why >= 0) {
        return drop(a, (enum airlock_reason)why);
    }
    if (ip[6] == IPPROTO_NR_UDP) {
        return check_udp(a, p, n, ip + 8, 16, ip[24] == 0xFF || is_ours6(a, ip + 24));
    }
    return ip[24] == 0xFF ? drop(a, AIR_IP6_DEST) : check_tcp(a, p, n);
}

/* --- link ------------------------------------------------------------------------------------------------------ */

/* RFC 826 for Ethernet and IPv4. CVE-2020-29129, -29130: shorter than the header */
static enum airlock_verdict check_arp(struct airlock *a, int64_t now_ns, uint8_t *frame, size_t *len, const struct pkt_layout *l)
{
    const uint8_t *p = frame + l->l3_off;

    if (*len < l->l3_off + 28u) {
        return drop(a, AIR_ARP_SHORT);
    }
    if (ld_be16(p) != 1 || ld_be16(p + 2) != ETHERTYPE_IP4 || p[4] != 6 || p[5] != 4 || (ld_be16(p + 6) != 1 && ld_be16(p + 6) != 2)) {
        return drop(a, AIR_ARP_BAD);
    }
    if (p[14] == 127 || p[14] >= 224 || !memcmp(p + 14, a->cfg.host4, 4) || !memcmp(p + 14, a->cfg.dns4, 4)) {
        return drop(a, AIR_ARP_BAD);                        /* nobody but us is the router */
    }
    if (p[14] && !neighbour_announce(a, now_ns, p + 14, 4)) {
        return drop(a, AIR_NEIGHBOUR_FLOOD);
    }
    *len = l->l3_off + 28u;
    return AIRLOCK_PASS;
}

/* The stack's addresses are 52:55 + IPv4 address and 52:56:00:00:00:02. On a hub there is traffic between others, too. */
static bool for_us(const uint8_t *dst)
{
    return (dst[0] & 1) || (dst[0] == 0x52 && (dst[1] == 0x55 || dst[1] == 0x56));
}

static enum airlock_verdict check_frame(struct airlock *a, int64_t now_ns, uint8_t **frame, size_t *len)
{
    struct pkt_layout l;

    pkt_parse(*frame, *len, *len, &l);
    if (l.vlans) {
        return drop(a, AIR_ETHERTYPE);
    }
    switch (l.ethertype) {
    case ETHERTYPE_ARP:
        return check_arp(a, now_ns, *frame, len, &l);
    case ETHERTYPE_IP4:
        return check_ip4(a, now_ns, frame, len, &l);
    case ETHERTYPE_IP6:
        return check_ip6(a, now_ns, *frame, len, &l);
    case ETHERTYPE_NCSI:
        return drop(a, AIR_NCSI);                           /* CVE-2020-29129 and later: a management protocol no guest needs */
    default:
        return drop(a, AIR_ETHERTYPE);
    }
}

enum airlock_verdict airlock_check(struct airlock *a, int64_t now_ns, uint8_t **frame, size_t *len)
{
    enum airlock_verdict v;

    if (*len < ETH_HLEN) {
        return drop(a, AIR_RUNT);
    }
    if (!for_us(*frame)) {
        return drop(a, AIR_NOT_FOR_US);
    }
    v = check_frame(a, now_ns, frame, len);
    a->passed += v == AIRLOCK_PASS;
    return v;
}
