/* SPDX-License-Identifier: BSD-2-Clause */
/* net/backends/user_cfg.c - addresses of the virtual network: parse, default, check; the texts are those users know */
#include "lib/strparse.h"
#include "net/backends/user_int.h"
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

static bool fail(Error **errp, const char *text)
{
    error_setg(errp, "%s", text);
    return false;
}

static bool parse_ip4(const char *s, struct in_addr *a)
{
    return inet_aton(s, a) != 0;
}

/* The mask that addresses without one have always had here (host order). */
static uint32_t classful_mask(uint32_t addr)
{
    static const struct {
        uint32_t bits, of, mask;
    } rules[] = {
        { 0x80000000, 0x00000000, 0xFF000000 },     /* class A */
        { 0xFFF00000, 0xAC100000, 0xFFF00000 },     /* 172.16/12 */
        { 0xC0000000, 0x80000000, 0xFFFF0000 },     /* class B */
        { 0xFFFF0000, 0xC0A80000, 0xFFFF0000 },     /* 192.168/16 */
        { 0xFFFF0000, 0xC6120000, 0xFFFE0000 },     /* 198.18/15 */
        { 0xE0000000, 0xC0000000, 0xFFFFFF00 },     /* class C */
    };

    for (size_t i = 0; i < G_N_ELEMENTS(rules); i++) {
        if ((addr & rules[i].bits) == rules[i].of) {
            return rules[i].mask;
        }
    }
    return 0xFFFFFFF0;
}

/* ADDR, ADDR/BITS or ADDR/MASK */
static bool parse_net(struct user_config *u, const char *s, Error **errp)
{
    const char *slash = strchr(s, '/');
    g_autofree char *addr = slash ? g_strndup(s, (gsize)(slash - s)) : g_strdup(s);
    char *end;
    long bits;

    if (!parse_ip4(addr, &u->net)) {
        return fail(errp, "Failed to parse netmask");
    }
    if (!slash) {
        u->mask.s_addr = htonl(classful_mask(ntohl(u->net.s_addr)));
    } else if (strchr(slash, '.')) {
        if (!parse_ip4(slash + 1, &u->mask)) {
            return fail(errp, "Failed to parse netmask");
        }
    } else {
        bits = strtol(slash + 1, &end, 10);
        if (end == slash + 1) {
            return fail(errp, "Failed to parse netmask");
        }
        if (*end) {
            return fail(errp, "Invalid netmask provided (trailing chars)");
        }
        if (bits < 4 || bits > 32) {
            return fail(errp, "Invalid netmask provided (must be in range 4-32)");
        }
        u->mask.s_addr = htonl((uint32_t)(0xFFFFFFFFULL << (32 - bits)));
    }
    u->net.s_addr &= u->mask.s_addr;
    return true;
}

static struct in_addr nth(const struct user_config *u, uint32_t n)
{
    return (struct in_addr){ u->net.s_addr | (htonl(n) & ~u->mask.s_addr) };
}

static bool in_net(const struct user_config *u, struct in_addr a)
{
    return (a.s_addr & u->mask.s_addr) == u->net.s_addr;
}

static bool config_ip4(struct user_config *u, const NetdevUser *o, Error **errp)
{
    g_autofree char *legacy = o->ip && !o->net ? g_strdup_printf("%s/24", o->ip) : NULL;

    if (!parse_net(u, o->net ? o->net : legacy ? legacy : "10.0.2.0/24", errp)) {
        return false;
    }
    u->host = nth(u, 2);
    u->dns = nth(u, 3);
    u->dhcp = nth(u, 15);
    if (o->host && !parse_ip4(o->host, &u->host)) {
        return fail(errp, "Failed to parse host");
    }
    if (!in_net(u, u->host)) {
        return fail(errp, "Host doesn't belong to network");
    }
    if (o->dns && !parse_ip4(o->dns, &u->dns)) {
        return fail(errp, "Failed to parse DNS");
    }
    if (u->restricted && !in_net(u, u->dns)) {
        return fail(errp, "DNS doesn't belong to network");
    }
    if (u->dns.s_addr == u->host.s_addr) {
        return fail(errp, "DNS must be different from host");
    }
    if (o->dhcpstart && !parse_ip4(o->dhcpstart, &u->dhcp)) {
        return fail(errp, "Failed to parse DHCP start address");
    }
    if (!in_net(u, u->dhcp)) {
        return fail(errp, "DHCP doesn't belong to network");
    }
    if (u->dhcp.s_addr == u->host.s_addr || u->dhcp.s_addr == u->dns.s_addr) {
        return fail(errp, "DHCP must be different from host and DNS");
    }
    return true;
}

bool user_in_prefix(const struct user_config *u, const struct in6_addr *a)
{
    unsigned bytes = u->prefix_len / 8, bits = u->prefix_len % 8;

    return !memcmp(a, &u->prefix, bytes) && (!bits || ((a->s6_addr[bytes] ^ u->prefix.s6_addr[bytes]) >> (8 - bits)) == 0);
}

static bool config_ip6(struct user_config *u, const NetdevUser *o, Error **errp)
{
    if (inet_pton(AF_INET6, o->ipv6_prefix ? o->ipv6_prefix : "fec0::", &u->prefix) != 1) {
        return fail(errp, "Failed to parse IPv6 prefix");
    }
    if (o->has_ipv6_prefixlen && (o->ipv6_prefixlen < 0 || o->ipv6_prefixlen > 126)) {
        return fail(errp, "Invalid IPv6 prefix provided (IPv6 prefix length must be between 0 and 126)");
    }
    u->prefix_len = o->has_ipv6_prefixlen ? (uint8_t)o->ipv6_prefixlen : 64;
    u->host6 = u->dns6 = u->prefix;
    u->host6.s6_addr[15] |= 2;
    u->dns6.s6_addr[15] |= 3;
    if (o->ipv6_host && inet_pton(AF_INET6, o->ipv6_host, &u->host6) != 1) {
        return fail(errp, "Failed to parse IPv6 host");
    }
    if (!user_in_prefix(u, &u->host6)) {
        return fail(errp, "IPv6 Host doesn't belong to network");
    }
    if (o->ipv6_dns && inet_pton(AF_INET6, o->ipv6_dns, &u->dns6) != 1) {
        return fail(errp, "Failed to parse IPv6 DNS");
    }
    if (u->restricted && !user_in_prefix(u, &u->dns6)) {
        return fail(errp, "IPv6 DNS doesn't belong to network");
    }
    return true;
}

static bool check_names(const NetdevUser *o, Error **errp)
{
    if (o->hostname && strlen(o->hostname) > 255) {
        return fail(errp, "'vhostname' parameter cannot exceed 255 bytes");
    }
    if (o->domainname && !*o->domainname) {
        return fail(errp, "'domainname' parameter cannot be empty");
    }
    if (o->domainname && strlen(o->domainname) > 255) {
        return fail(errp, "'domainname' parameter cannot exceed 255 bytes");
    }
    if (o->tftp_server_name && strlen(o->tftp_server_name) > 255) {
        return fail(errp, "'tftp-server-name' parameter cannot exceed 255 bytes");
    }
    if (o->bootfile && strlen(o->bootfile) > 127) {
        return fail(errp, "'bootfile' parameter cannot exceed 127 bytes");
    }
    if (o->smb || o->smbserver) {
        return fail(errp, "'smb' is not built into this binary: share files with a server of your own on the host (10.0.2.2 in the guest)");
    }
    return true;
}

bool user_config_parse(struct user_config *u, const NetdevUser *o, Error **errp)
{
    *u = (struct user_config){ .restricted = o->has_restrict && o->q_restrict };
    u->ipv4 = o->has_ipv4 ? o->ipv4 : !(o->has_ipv6 && o->ipv6);
    u->ipv6 = o->has_ipv6 ? o->ipv6 : !(o->has_ipv4 && o->ipv4);
    if (!u->ipv4 && (o->net || o->ip || o->host || o->dns)) {
        return fail(errp, "IPv4 disabled but netmask/host/dns provided");
    }
    if (!u->ipv6 && (o->ipv6_prefix || o->ipv6_host || o->ipv6_dns)) {
        return fail(errp, "IPv6 disabled but prefix/host6/dns6 provided");
    }
    if (!u->ipv4 && !u->ipv6) {
        return fail(errp, "IPv4 and IPv6 disabled");
    }
    return config_ip4(u, o, errp) && config_ip6(u, o, errp) && check_names(o, errp);
}
