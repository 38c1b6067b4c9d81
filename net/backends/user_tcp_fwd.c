/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/backends/user_tcp_fwd.c - connections from the host to the guest (hostfwd=): listening sockets, and where the guest is
 *
 * A connection that is accepted becomes a SYN to the guest, from the peer's address, or from the gateway's when the peer is this host. The guest's
 * MAC is what its ARP has said last; while that is not known, each SYN becomes a question (RFC 826), and the answer sends the SYN at once.
 */
#include "lib/bits.h"
#include "lib/bytes.h"
#include "net/backends/user_int.h"
#include "net/backends/user_tcp.h"
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 128, ACCEPTS = 64, PORT_FIRST = 49152, PORT_TRIES = 16384, ARP_FRAME = 60 };

/* --- neighbours ------------------------------------------------------------------------------------------------------- */

static struct tcp_neighbour *neighbour(const struct user_tcp *t, uint32_t ip)
{
    for (unsigned i = 0; i < t->neighbours; i++) {
        if (t->neighbour[i].ip == ip) {
            return (struct tcp_neighbour *)(uintptr_t)&t->neighbour[i];
        }
    }
    return NULL;
}

const uint8_t *user_tcp_mac_of(const struct user_tcp *t, uint32_t ip)
{
    const struct tcp_neighbour *n = neighbour(t, ip);

    return n ? n->mac : NULL;
}

uint32_t user_tcp_guest_ip(const struct tcp_flow *f)
{
    uint32_t ip;

    memcpy(&ip, f->c.key.guest, 4);
    return ip;
}

static void mac_is_known(struct tcp_flow *f, const uint8_t mac[6])
{
    memcpy(f->c.guest_mac, mac, 6);
    f->mac_known = true;
    user_tcp_wait(f, NULL);
    tcp_conn_again(&f->c);
    user_tcp_mark(f);
}

void user_tcp_learn(struct user_tcp *t, uint32_t ip, const uint8_t mac[6])
{
    struct tcp_neighbour *n = neighbour(t, ip);
    GList *next;

    if (!ip || mac[0] & 1 || (n && !memcmp(n->mac, mac, 6))) {
        return;
    }
    if (!n) {
        n = &t->neighbour[t->neighbours < TCP_NEIGHBOURS ? t->neighbours++ : t->next_neighbour++ % TCP_NEIGHBOURS];
        n->ip = ip;
    }
    memcpy(n->mac, mac, 6);
    for (GList *l = t->no_mac.head; l; l = next) {
        next = l->next;
        if (user_tcp_guest_ip(l->data) == ip) {
            mac_is_known(l->data, mac);
        }
    }
}

void user_tcp_ask_mac(struct tcp_flow *f)
{
    struct user_tcp *t = f->t;
    uint8_t out[ARP_FRAME] = { 0 }, *arp = out + ETH_HLEN;
    struct frame fr;

    memset(out, 0xFF, 6);
    memcpy(out + 6, f->c.our_mac, 6);
    st_be16(out + 12, ETHERTYPE_ARP);
    memcpy(arp, (const uint8_t[]){ 0, 1, 8, 0, 6, 4, 0, 1 }, 8);
    memcpy(arp + 8, f->c.our_mac, 6);
    memcpy(arp + 14, &t->u->cfg.host, 4);
    memcpy(arp + 24, f->c.key.guest, 4);
    frame_from_buf(&fr, out, sizeof(out));
    net_send_queued(&t->u->c, &fr);
}

/* --- connections ------------------------------------------------------------------------------------------------------- */

/* Who the guest believes to be called by. false: every port is taken */
static bool make_key(struct user_tcp *t, const struct tcp_listener *l, const struct sockaddr_storage *peer, struct tcp_key *key)
{
    const struct sockaddr_in *in = (const struct sockaddr_in *)peer;
    bool inet = peer->ss_family == AF_INET;

    *key = (struct tcp_key){ .guest_port = ntohs(l->guest.sin_port), .world_port = inet ? ntohs(in->sin_port) : 0 };
    memcpy(key->guest, &l->guest.sin_addr, 4);
    if (inet && ntohl(in->sin_addr.s_addr) >> 24 != IN_LOOPBACKNET) {
        memcpy(key->world, &in->sin_addr, 4);
    } else {
        memcpy(key->world, &t->u->cfg.host, 4);
    }
    for (unsigned i = 0; !key->world_port || user_tcp_find(t, key); i++) {
        if (i == PORT_TRIES) {
            return false;
        }
        key->world_port = t->next_port;
        t->next_port = t->next_port == UINT16_MAX ? PORT_FIRST : (uint16_t)(t->next_port + 1);
    }
    return true;
}

static void take(struct user_tcp *t, const struct tcp_listener *l, int fd, const struct sockaddr_storage *peer)
{
    const uint8_t *mac = user_tcp_mac_of(t, l->guest.sin_addr.s_addr);
    struct tcp_key key;
    struct tcp_flow *f;

    if (t->u->air.tcp_flows >= t->u->air.tcp_limit || !make_key(t, l, peer, &key)) {
        close(fd);
        return;
    }
    if (peer->ss_family == AF_INET) {
        user_tcp_sock_options(fd);
    }
    f = user_tcp_flow_new(t, &key, mac, fd);
    f->incoming = true;
    f->s.got = TCP_GOT_OUT;
    if (!mac) {
        user_tcp_wait(f, &t->no_mac);
    }
    tcp_conn_active(&f->c);
    user_tcp_mark(f);
}

void user_tcp_accept(struct user_tcp *t, struct tcp_listener *l)
{
    for (unsigned i = 0; i < ACCEPTS; i++) {
        struct sockaddr_storage peer = { 0 };
        socklen_t len = sizeof(peer);
        int fd = accept4(l->s.fd, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

        if (fd >= 0) {
            take(t, l, fd, &peer);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            t->accept_again = true;                         /* when a descriptor is closed */
            return;
        } else if (errno != ECONNABORTED && errno != EINTR) {
            return;
        }
    }
    t->accept_again = true;
    bh_schedule(&t->bh);
}

void user_tcp_accept_all(struct user_tcp *t)
{
    for (guint i = 0; i < t->listeners->len; i++) {
        user_tcp_accept(t, t->listeners->pdata[i]);
    }
}

/* --- listeners --------------------------------------------------------------------------------------------------------- */

static void listener_free(struct tcp_listener *l)
{
    close(l->s.fd);
    g_free(l);
}

bool user_tcp_listen(struct user_tcp *t, const struct sockaddr *host, socklen_t len, const struct sockaddr_in *guest)
{
    int fd = socket(host->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1, err;
    struct tcp_listener *l;

    if (fd < 0) {
        return false;
    }
    l = g_new0(struct tcp_listener, 1);
    l->s = (struct tcp_source){ .fd = fd, .listener = true };
    l->guest = *guest;
    memcpy(&l->given, host, MIN(len, sizeof(l->given)));
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (bind(fd, host, len) < 0 || listen(fd, BACKLOG) < 0 || !user_tcp_epoll_add(t, &l->s)) {
        err = errno;
        listener_free(l);
        errno = err;
        return false;
    }
    g_ptr_array_add(t->listeners, l);
    return true;
}

bool user_tcp_unlisten(struct user_tcp *t, const struct sockaddr *host)
{
    for (guint i = 0; i < t->listeners->len; i++) {
        struct tcp_listener *l = t->listeners->pdata[i];
        struct sockaddr_storage at = { 0 };
        socklen_t len = sizeof(at);

        if (user_same_address((const struct sockaddr *)&l->given, host) || (getsockname(l->s.fd, (struct sockaddr *)&at, &len) == 0 && user_same_address((const struct sockaddr *)&at, host))) {
            g_ptr_array_remove_index(t->listeners, i);
            listener_free(l);
            return true;
        }
    }
    return false;
}

void user_tcp_listeners_free(struct user_tcp *t)
{
    for (guint i = 0; i < t->listeners->len; i++) {
        listener_free(t->listeners->pdata[i]);
    }
    g_ptr_array_free(t->listeners, TRUE);
}

/* --- "info usernet" ----------------------------------------------------------------------------------------------------- */

static void print_flow(const struct tcp_flow *f, GString *out)
{
    const struct tcp_key *k = &f->c.key;
    g_autofree char *state = g_strdup_printf("  TCP[%s]", tcp_state_name(f->c.state));
    char guest[INET6_ADDRSTRLEN], world[INET6_ADDRSTRLEN];
    bool in = f->incoming;

    inet_ntop(k->six ? AF_INET6 : AF_INET, k->guest, guest, sizeof(guest));
    inet_ntop(k->six ? AF_INET6 : AF_INET, k->world, world, sizeof(world));
    g_string_append_printf(out, "%-19s %3d %15s %5u %15s %5u %5zu %5zu\n", state, f->s.fd, in ? world : guest,
                           in ? k->world_port : k->guest_port, in ? guest : world, in ? k->guest_port : k->world_port, f->rx.len, f->c.tx.len);
}

static void print_listener(const struct tcp_listener *l, GString *out)
{
    struct sockaddr_storage at = { 0 };
    const struct sockaddr_in *in = (const struct sockaddr_in *)&at;
    socklen_t len = sizeof(at);
    char host[INET_ADDRSTRLEN], guest[INET_ADDRSTRLEN];
    unsigned port = ntohs(l->guest.sin_port);

    inet_ntop(AF_INET, &l->guest.sin_addr, guest, sizeof(guest));
    if (l->given.ss_family == AF_UNIX) {
        g_string_append_printf(out, "  UNIX[HOST_FORWARD] %3d %21s %15s %5u %5u %5u\n", l->s.fd,
                               ((const struct sockaddr_un *)&l->given)->sun_path, guest, port, 0, 0);
        return;
    }
    getsockname(l->s.fd, (struct sockaddr *)&at, &len);
    inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
    g_string_append_printf(out, "%-19s %3d %15s %5u %15s %5u %5u %5u\n", "  TCP[HOST_FORWARD]", l->s.fd, in->sin_addr.s_addr ? host : "*",
                           ntohs(in->sin_port), guest, port, 0, 0);
}

void user_tcp_print(const struct user_tcp *t, GString *out)
{
    for (const GList *l = t->all.head; l; l = l->next) {
        print_flow(l->data, out);
    }
    for (guint i = 0; i < t->listeners->len; i++) {
        print_listener(t->listeners->pdata[i], out);
    }
}
