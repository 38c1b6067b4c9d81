/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/backends/hostonly.c - -netdev hostonly: the user-mode stack with a wall around it
 *
 * The guest reaches every port of the host's loopback at the gateway's address, and nothing else: frames to any other address are dropped
 * before the stack sees them, the stack does no DNS, and DHCP offers neither router nor name server (options 3 and 6 of RFC 2132 become pads).
 * IPv4 only. The host reaches the guest through hostfwd=.
 */
#include "lib/bits.h"
#include "lib/bytes.h"
#include "lib/strparse.h"
#include "net/backends/user_int.h"
#include <arpa/inet.h>
#include <string.h>

#define DEFAULT_NET "192.168.56.0/24"

enum { BITS_MIN = 8, BITS_MAX = 29, HOST = 1, DHCP_FIRST = 101 };

enum {                              /* RFC 894, 791, 768, 951, 2131 */
    OFF_TYPE = 12, OFF_IP = 14, OFF_PROTO = 23, OFF_DST = 30, OFF_UDP = 34, OFF_UDP_CSUM = 40, OFF_BOOTP = 42,
    OFF_OPTIONS = OFF_BOOTP + 236 + 4, IP4_PLAIN = 0x45, PROTO_UDP = 17, TYPE_IP4 = 0x0800, TYPE_ARP = 0x0806,
    PORT_SERVER = 67, PORT_CLIENT = 68, OPT_PAD = 0, OPT_ROUTER = 3, OPT_DNS = 6, OPT_END = 255,
};

bool hostonly_passes(const struct user *u, const uint8_t *frame, size_t len)
{
    uint32_t dst;

    if (len < OFF_IP || ld_be16(frame + OFF_TYPE) != TYPE_IP4) {
        return len >= OFF_IP && ld_be16(frame + OFF_TYPE) == TYPE_ARP;
    }
    if (len < OFF_DST + 4) {
        return false;
    }
    memcpy(&dst, frame + OFF_DST, 4);
    return dst == u->cfg.host.s_addr || dst == INADDR_BROADCAST || dst == (u->cfg.net.s_addr | ~u->cfg.mask.s_addr);
}

bool hostonly_hides(uint8_t *frame, size_t len)
{
    size_t i = OFF_OPTIONS;

    if (len < OFF_OPTIONS || ld_be16(frame + OFF_TYPE) != TYPE_IP4 || frame[OFF_IP] != IP4_PLAIN || frame[OFF_PROTO] != PROTO_UDP ||
        ld_be16(frame + OFF_UDP) != PORT_SERVER || ld_be16(frame + OFF_UDP + 2) != PORT_CLIENT) {
        return false;
    }
    while (i < len && frame[i] != OPT_END) {
        size_t n = frame[i] == OPT_PAD || i + 1 >= len ? 1 : 2u + frame[i + 1];

        if (frame[i] == OPT_ROUTER || frame[i] == OPT_DNS) {
            memset(frame + i, OPT_PAD, MIN(n, len - i));
        }
        i += n;
    }
    st_be16(frame + OFF_UDP_CSUM, 0);               /* none, RFC 768 */
    return true;
}

/* ADDR[/BITS] */
static bool parse_net(const char *s, uint32_t *net, unsigned *bits, Error **errp)
{
    const char *slash = strchr(s, '/');
    g_autofree char *addr = slash ? g_strndup(s, (gsize)(slash - s)) : g_strdup(s);
    uint64_t v = 24;
    struct in_addr a;

    if (inet_pton(AF_INET, addr, &a) != 1 || (slash && !parse_u64(slash + 1, 32, &v))) {
        error_setg(errp, "Parameter 'net' expects ADDRESS/BITS, not '%s'", s);
        return false;
    }
    if (v < BITS_MIN || v > BITS_MAX) {
        error_setg(errp, "Parameter 'net': %u bits, expected %d to %d", (unsigned)v, BITS_MIN, BITS_MAX);
        return false;
    }
    *bits = (unsigned)v;
    *net = ntohl(a.s_addr) & (uint32_t)~bits_mask(32 - *bits);
    return true;
}

static char *address(uint32_t host_order)
{
    struct in_addr a = { htonl(host_order) };
    char text[INET_ADDRSTRLEN];

    return g_strdup(inet_ntop(AF_INET, &a, text, sizeof(text)));
}

static bool hostonly_open(struct net_client *c, const void *arg, Error **errp)
{
    struct user *u = container_of(c, struct user, c);
    const NetdevHostonly *o = arg;
    g_autofree char *net_text = NULL, *host = NULL, *dhcp = NULL, *dns = NULL;
    uint32_t net, last;
    unsigned bits;

    user_prepare(u);
    if (!parse_net(o->net ? o->net : DEFAULT_NET, &net, &bits, errp)) {
        return false;
    }
    last = net | (uint32_t)bits_mask(32 - bits);
    net_text = address(net);
    host = o->host ? g_strdup(o->host) : address(net + HOST);
    dhcp = o->dhcpstart ? g_strdup(o->dhcpstart) : address(last - net > DHCP_FIRST + 16 ? net + DHCP_FIRST : net + HOST + 1);
    dns = address(last - 1);        /* the stack wants one; nothing gets to it */
    u->hostonly = true;
    {
        g_autofree char *whole = g_strdup_printf("%s/%u", net_text, bits);
        NetdevUser cfg = { .net = whole, .host = host, .dhcpstart = dhcp, .dns = dns, .has_ipv4 = true, .ipv4 = true, .has_ipv6 = true,
                           .hostfwd = o->hostfwd, .has_fast_tcp = o->has_fast_tcp, .fast_tcp = o->fast_tcp };

        if (!user_start(u, &cfg, errp)) {
            return false;
        }
    }
    net_client_set_info(c, "net=%s/%u,host=%s", net_text, bits, host);
    return true;
}

const struct net_backend_ops net_backend_hostonly = {
    .kind = "hostonly", .size = sizeof(struct user), .open = hostonly_open, .send = user_send, .rx_enable = user_rx_enable,
    .tx_ready = user_tx_ready, .offloads = user_offloads, .close = user_close,
};
