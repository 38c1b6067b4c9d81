/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/backends/user_ping.c - what we answer ourselves
 *
 *  - ARP and echo for the fourth address of the network (10.0.2.4), which users expect to be there beside .2 and .3;
 *  - echo requests to the world when this process may not open ICMP sockets: "administratively prohibited" (RFC 1812 5.2.7.1) instead of
 *    silence (the stack would send UDP to port 7, which nobody answers);
 *  - TCP connections beyond the limit: a reset (RFC 9293 3.10.7.1).
 * Frames have passed the airlock: lengths add up.
 */
#include "lib/bytes.h"
#include "net/backends/user_int.h"
#include "net/offload/csum.h"
#include <sys/socket.h>
#include <unistd.h>

enum { IP4_HLEN = 20, ARP_LEN = 28, ECHO_MAX = 1500, UNREACH_DATA = 8 };

bool user_ping_allowed(void)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_ICMP);

    if (fd < 0) {
        fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP);
    }
    if (fd < 0) {
        return false;
    }
    close(fd);
    return true;
}

static struct in_addr fourth(const struct user *u)
{
    return (struct in_addr){ u->cfg.net.s_addr | (htonl(4) & ~u->cfg.mask.s_addr) };
}

static bool fourth_is_free(const struct user *u, struct in_addr a)
{
    return u->cfg.ipv4 && a.s_addr != u->cfg.host.s_addr && a.s_addr != u->cfg.dns.s_addr && a.s_addr != u->cfg.dhcp.s_addr;
}

/* Ethernet header of an answer to @req, from the stack's MAC for @from */
static void put_eth(uint8_t *out, const uint8_t *req, const uint8_t from[4])
{
    memcpy(out, req + 6, 6);
    out[6] = 0x52;
    out[7] = 0x55;
    memcpy(out + 8, from, 4);
    memcpy(out + 12, req + 12, 2);
}

static void put_ip4(uint8_t *ip, const uint8_t src[4], const uint8_t dst[4], uint8_t proto, size_t payload)
{
    memset(ip, 0, IP4_HLEN);
    ip[0] = 0x45;
    st_be16(ip + 2, (uint16_t)(IP4_HLEN + payload));
    ip[8] = 255;
    ip[9] = proto;
    memcpy(ip + 12, src, 4);
    memcpy(ip + 16, dst, 4);
    csum_ip4_header(ip, IP4_HLEN);
}

static bool answer_arp(struct user *u, const uint8_t *f, struct in_addr a)
{
    uint8_t out[60] = { 0 };
    const uint8_t *arp = f + ETH_HLEN;

    if (ld_be16(arp + 6) != 1 || memcmp(arp + 24, &a, 4) || !memcmp(arp + 14, &a, 4)) {
        return false;
    }
    put_eth(out, f, arp + 24);
    memcpy(out + ETH_HLEN, arp, 6);
    st_be16(out + ETH_HLEN + 6, 2);
    memcpy(out + ETH_HLEN + 8, out + 6, 6);
    memcpy(out + ETH_HLEN + 14, arp + 24, 4);
    memcpy(out + ETH_HLEN + 18, arp + 8, 10);
    user_to_guest(u, out, sizeof(out));
    return true;
}

static bool echo_reply(struct user *u, const uint8_t *f, const struct pkt_layout *l)
{
    uint8_t out[ETH_HLEN + IP4_HLEN + ECHO_MAX] = { 0 };
    size_t n = l->l3_end - l->l4_off;
    const uint8_t *ip = f + l->l3_off;
    uint8_t *icmp = out + ETH_HLEN + IP4_HLEN;

    if (n > ECHO_MAX) {
        return false;
    }
    put_eth(out, f, ip + 16);
    put_ip4(out + ETH_HLEN, ip + 16, ip + 12, IPPROTO_NR_ICMP, n);
    memcpy(icmp, f + l->l4_off, n);
    icmp[0] = 0;
    st_be16(icmp + 2, 0);
    csum_store(icmp + 2, csum_add(0, icmp, n));
    user_to_guest(u, out, ETH_HLEN + IP4_HLEN + n);
    return true;
}

static bool echo_prohibited(struct user *u, const uint8_t *f, const struct pkt_layout *l)
{
    uint8_t out[ETH_HLEN + IP4_HLEN + 8 + 60 + UNREACH_DATA] = { 0 };
    size_t hlen = (size_t)l->l4_off - l->l3_off, n = 8 + hlen + UNREACH_DATA;
    const uint8_t *ip = f + l->l3_off, *host = (const uint8_t *)&u->cfg.host;
    uint8_t *icmp = out + ETH_HLEN + IP4_HLEN;

    put_eth(out, f, host);
    put_ip4(out + ETH_HLEN, host, ip + 12, IPPROTO_NR_ICMP, n);
    icmp[0] = 3;
    icmp[1] = 13;
    memcpy(icmp + 8, ip, hlen + UNREACH_DATA);
    csum_store(icmp + 2, csum_add(0, icmp, n));
    user_to_guest(u, out, ETH_HLEN + IP4_HLEN + n);
    return true;
}

bool user_answer(struct user *u, const uint8_t *f, size_t len)
{
    struct in_addr a = fourth(u), dst;
    struct pkt_layout l;

    if (ld_be16(f + 12) == ETHERTYPE_ARP) {
        return fourth_is_free(u, a) && answer_arp(u, f, a);
    }
    if (!u->cfg.ipv4 || ld_be16(f + 12) != ETHERTYPE_IP4 || f[ETH_HLEN + 9] != IPPROTO_NR_ICMP) {
        return false;
    }
    pkt_parse(f, len, len, &l);
    if (l.l3 != PKT_L3_IP4 || l.l3_end < l.l4_off + 8u || f[l.l4_off] != 8) {
        return false;
    }
    memcpy(&dst, f + l.l3_off + 16, 4);
    if (dst.s_addr == a.s_addr && fourth_is_free(u, a)) {
        return echo_reply(u, f, &l);
    }
    if (u->no_ping && !u->cfg.restricted && (dst.s_addr & u->cfg.mask.s_addr) != u->cfg.net.s_addr && !IN_MULTICAST(ntohl(dst.s_addr))) {
        return echo_prohibited(u, f, &l);
    }
    return false;
}

void user_refuse(struct user *u, const uint8_t *f, size_t len)
{
    uint8_t out[60] = { 0 }, *tcp = out + ETH_HLEN + IP4_HLEN;
    struct pkt_layout l;
    const uint8_t *req;

    pkt_parse(f, len, len, &l);
    if (l.l3 != PKT_L3_IP4 || l.l4 != PKT_L4_TCP) {
        return;                                             /* IPv6: the guest's own time-out */
    }
    req = f + l.l4_off;
    put_eth(out, f, (const uint8_t *)&u->cfg.host);
    put_ip4(out + ETH_HLEN, f + l.l3_off + 16, f + l.l3_off + 12, IPPROTO_NR_TCP, 20);
    memcpy(tcp, req + 2, 2);
    memcpy(tcp + 2, req, 2);
    st_be32(tcp + 8, ld_be32(req + 4) + 1);
    tcp[12] = 0x50;
    tcp[13] = 0x14;                                         /* RST, ACK */
    csum_store(tcp + 16, csum_add(csum_pseudo(out + ETH_HLEN, PKT_L3_IP4, IPPROTO_NR_TCP, 20), tcp, 20));
    user_to_guest(u, out, sizeof(out));
}
