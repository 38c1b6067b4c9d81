/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/lib/backend_rig.c - the outside ends: sockets with and without framing, NICs on hubs, l2tpv3, vde, taps, the user-mode stack */
#include "backend_rig.h"
#include "config-host.h"
#include "lib/bits.h"
#include "lib/bytes.h"
#include "net/client.h"
#include "net/nic.h"
#include "net/offload/csum.h"
#include "qapi/qapi-types.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <netpacket/packet.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef HAVE_VDE
#include <libvdeplug.h>
#endif

static const uint8_t macs[2][6] = { [RIG_IN] = { 0x52, 0x54, 0, 0xAA, 0xAA, 1 }, [RIG_OUT] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 } };
static const uint8_t user_router[6] = { 0x52, 0x55, 10, 0, 2, 2 };

/* --- frames ------------------------------------------------------------------------------------------------------ */

static uint8_t pattern(size_t i)
{
    return (uint8_t)(i * 131 + (i >> 8) * 7);
}

/* UDP over IPv4, 10.0.2.15:7 to the host, which the guest sees at 10.0.2.2 */
void rig_dress(const struct outside *o, uint8_t *p, size_t len)
{
    static const uint8_t src[4] = { 10, 0, 2, 15 }, dst[4] = { 10, 0, 2, 2 };

    if (!(o->rig->flags & RIG_ROUTED) || len < 14) {
        return;
    }
    memcpy(p, user_router, 6);
    memcpy(p + 6, macs[RIG_OUT], 6);
    st_be16(p + 12, 0x0800);
    if (len < RIG_HDR) {
        return;
    }
    memset(p + 14, 0, 28);
    p[14] = 0x45;
    st_be16(p + 16, (uint16_t)(len - 14));
    p[22] = 64;
    p[23] = 17;
    memcpy(p + 26, src, 4);
    memcpy(p + 30, dst, 4);
    csum_ip4_header(p + 14, 20);
    st_be16(p + 34, 7);
    st_be16(p + 36, o->port2);
    st_be16(p + 38, (uint16_t)(len - 34));
}

void rig_fill(const struct rig *r, uint8_t *p, size_t len, enum rig_dir dir, uint32_t seq)
{
    uint8_t hdr[RIG_SEQ] = { 0 };

    memcpy(hdr, macs[!dir], 6);
    memcpy(hdr + 6, macs[dir], 6);
    st_be16(hdr + 12, 0x88B5);
    st_be32(hdr + RIG_HDR, seq);
    for (size_t i = 14; i < RIG_HDR; i++) {
        hdr[i] = (uint8_t)(i + seq);
    }
    memcpy(p, hdr, MIN(len, sizeof(hdr)));
    for (size_t i = sizeof(hdr); i < len; i++) {
        p[i] = pattern(i + seq);
    }
}

uint32_t rig_seq(const uint8_t *p)
{
    return ld_be32(p + RIG_HDR);
}

bool rig_is(const struct rig *r, const uint8_t *p, size_t len, enum rig_dir dir)
{
    return len >= 14 && !memcmp(p + 6, macs[dir], 6) && ld_be16(p + 12) == 0x88B5;
}

/* --- sockets ----------------------------------------------------------------------------------------------------- */

static void nonblock(int fd)
{
    g_assert_cmpint(fcntl(fd, F_SETFL, O_NONBLOCK), ==, 0);
}

static struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = { htonl(INADDR_LOOPBACK) } };
}

static int inet_socket(int type, uint16_t *port)
{
    struct sockaddr_in a = loopback(*port);
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0), one = 1;

    if (*port) {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    }
    g_assert_cmpint(bind(fd, (struct sockaddr *)&a, len), ==, 0);
    getsockname(fd, (struct sockaddr *)&a, &len);
    *port = ntohs(a.sin_port);
    nonblock(fd);
    return fd;
}

static uint16_t free_port(int type)
{
    uint16_t port = 0;

    close(inet_socket(type, &port));
    return port;
}

static void unix_addr(struct outside *o, const char *path, bool abstract)
{
    struct sockaddr_un *u = (struct sockaddr_un *)&o->to;

    memset(u, 0, sizeof(*u));
    u->sun_family = AF_UNIX;
    g_strlcpy(u->sun_path + abstract, path, sizeof(u->sun_path) - 1);
    o->to_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path) + 1);
}

static void make_dir(struct outside *o)
{
    g_snprintf(o->dir, sizeof(o->dir), "%s/pbrigXXXXXX", g_get_tmp_dir());
    g_assert_nonnull(g_mkdtemp(o->dir));
    g_snprintf(o->path, sizeof(o->path), "%s/s", o->dir);
}

static void remove_dir(struct outside *o)
{
    g_autofree char *other = NULL;

    if (*o->dir) {
        g_unlink(o->path);
        other = g_strdup_printf("%s/o", o->dir);
        g_unlink(other);
        g_rmdir(o->dir);
    }
}

G_GNUC_PRINTF(2, 0) static void format_opts(struct outside *o, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    g_vsnprintf(o->opts, sizeof(o->opts), fmt, ap);
    va_end(ap);
}

#pragma GCC diagnostic ignored "-Wformat-nonliteral"

/* We are the server: the backend connects. */
static bool listen_prepare(struct outside *o)
{
    if (o->rig->domain == AF_INET) {
        o->listener = inet_socket(SOCK_STREAM, &o->port);
        format_opts(o, o->rig->text, o->port);
    } else {
        make_dir(o);
        unix_addr(o, o->path, false);
        o->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        g_assert_cmpint(bind(o->listener, (struct sockaddr *)&o->to, sizeof(struct sockaddr_un)), ==, 0);
        format_opts(o, o->rig->text, o->path);
    }
    g_assert_cmpint(listen(o->listener, 4), ==, 0);
    return true;
}

static void no_delay(struct outside *o)
{
    if (o->rig->domain == AF_INET) {
        setsockopt(o->fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
    }
}

static bool listen_open(struct outside *o)
{
    o->fd = accept4(o->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    no_delay(o);
    return o->fd >= 0;
}

/* The backend is the server. */
static bool connect_prepare(struct outside *o)
{
    if (o->rig->domain == AF_INET) {
        struct sockaddr_in a;

        o->port = free_port(SOCK_STREAM);
        a = loopback(o->port);
        memcpy(&o->to, &a, o->to_len = sizeof(a));
        format_opts(o, o->rig->text, o->port);
    } else if (strstr(o->rig->text, "abstract")) {
        g_snprintf(o->path, sizeof(o->path), "pbrig-%d-%08x", getpid(), g_random_int());
        unix_addr(o, o->path, true);
        format_opts(o, o->rig->text, o->path);
    } else {
        make_dir(o);
        unix_addr(o, o->path, false);
        format_opts(o, o->rig->text, o->path);
    }
    return true;
}

static bool connect_open(struct outside *o)
{
    o->fd = socket(o->rig->domain, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(o->fd, (struct sockaddr *)&o->to, o->to_len)) {
        close(o->fd);
        o->fd = -1;
        return false;
    }
    nonblock(o->fd);
    no_delay(o);
    return true;
}

/* A pair of sockets: the backend gets one of them by its number. */
static bool pair_prepare(struct outside *o)
{
    int sv[2];

    g_assert_cmpint(socketpair(AF_UNIX, o->rig->type | SOCK_CLOEXEC, 0, sv), ==, 0);
    nonblock(sv[0]);
    o->spare = sv[0];
    format_opts(o, o->rig->text, sv[1]);
    return true;
}

static bool pair_open(struct outside *o)
{
    if (o->spare < 0) {
        return false;
    }
    o->fd = o->spare;
    o->spare = -1;
    return true;
}

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        close(*fd);
        *fd = -1;
    }
}

static void sock_close(struct outside *o)
{
    close_fd(&o->fd);
    g_byte_array_set_size(o->rx, 0);
    g_byte_array_set_size(o->tx, 0);
}

static void sock_fini(struct outside *o)
{
    close_fd(&o->listener);
    close_fd(&o->spare);
    remove_dir(o);
}

static bool stream_flush(struct outside *o)
{
    while (o->tx->len) {
        ssize_t n = send(o->fd, o->tx->data, o->tx->len, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n <= 0) {
            return false;
        }
        g_byte_array_remove_range(o->tx, 0, (guint)n);
    }
    return true;
}

static bool stream_send(struct outside *o, const void *p, size_t len)
{
    uint8_t hdr[4];

    if (!stream_flush(o)) {
        return false;
    }
    st_be32(hdr, (uint32_t)len);
    g_byte_array_append(o->tx, hdr, 4);
    g_byte_array_append(o->tx, p, (guint)len);
    stream_flush(o);
    return true;
}

static ssize_t stream_recv(struct outside *o, void *p, size_t room)
{
    uint8_t buf[65536];
    ssize_t n;
    size_t len;

    stream_flush(o);
    while (o->rx->len < 4 || o->rx->len - 4 < ld_be32(o->rx->data)) {
        n = recv(o->fd, buf, sizeof(buf), MSG_DONTWAIT);
        if (n <= 0) {
            return -1;
        }
        g_byte_array_append(o->rx, buf, (guint)n);
    }
    len = ld_be32(o->rx->data);
    g_assert_cmpuint(len, <=, room);
    memcpy(p, o->rx->data + 4, len);
    g_byte_array_remove_range(o->rx, 0, (guint)(4 + len));
    return (ssize_t)len;
}

/* --- datagrams --------------------------------------------------------------------------------------------------- */

/* Ours is bound and connected to the backend's; it can go and come back. */
static bool udp_prepare(struct outside *o)
{
    struct sockaddr_in a;

    o->port2 = free_port(SOCK_DGRAM);           /* ours */
    do {
        o->port = free_port(SOCK_DGRAM);        /* the backend's */
    } while (o->port == o->port2);
    a = loopback(o->port);
    memcpy(&o->to, &a, o->to_len = sizeof(a));
    format_opts(o, o->rig->text, o->port2, o->port);
    return true;
}

static bool udp_open(struct outside *o)
{
    int size = 4 << 20;

    o->fd = inet_socket(SOCK_DGRAM, &o->port2);
    setsockopt(o->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    setsockopt(o->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    return true;
}

static bool unix_dgram_prepare(struct outside *o)
{
    g_autofree char *other = NULL;

    make_dir(o);
    other = g_strdup_printf("%s/o", o->dir);    /* the backend's */
    unix_addr(o, other, false);
    o->to_len = sizeof(struct sockaddr_un);
    format_opts(o, o->rig->text, o->path, other);
    return true;
}

static bool unix_dgram_open(struct outside *o)
{
    struct sockaddr_un u = { .sun_family = AF_UNIX };
    int size = 1 << 20;

    g_unlink(o->path);
    g_strlcpy(u.sun_path, o->path, sizeof(u.sun_path));
    o->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    g_assert_cmpint(bind(o->fd, (struct sockaddr *)&u, sizeof(u)), ==, 0);
    setsockopt(o->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    return true;
}

static bool mcast_prepare(struct outside *o)
{
    struct sockaddr_in a = { .sin_family = AF_INET };

    o->port = free_port(SOCK_DGRAM);
    a.sin_addr.s_addr = htonl(0xEFC0A801);      /* 239.192.168.1 */
    a.sin_port = htons(o->port);
    memcpy(&o->to, &a, o->to_len = sizeof(a));
    format_opts(o, o->rig->text, o->port);
    return true;
}

static bool mcast_open(struct outside *o)
{
    const struct sockaddr_in *a = (const struct sockaddr_in *)&o->to;
    struct ip_mreq m = { .imr_multiaddr = a->sin_addr, .imr_interface = { htonl(INADDR_LOOPBACK) } };
    int one = 1, size = 4 << 20;

    o->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    setsockopt(o->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    setsockopt(o->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    setsockopt(o->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    g_assert_cmpint(bind(o->fd, (const struct sockaddr *)a, sizeof(*a)), ==, 0);
    g_assert_cmpint(setsockopt(o->fd, IPPROTO_IP, IP_MULTICAST_IF, &m.imr_interface, sizeof(m.imr_interface)), ==, 0);
    g_assert_cmpint(setsockopt(o->fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m, sizeof(m)), ==, 0);
    return true;
}

static bool dgram_send(struct outside *o, const void *p, size_t len)
{
    ssize_t n = o->to_len ? sendto(o->fd, p, len, 0, (struct sockaddr *)&o->to, o->to_len) : send(o->fd, p, len, MSG_NOSIGNAL);

    return n >= 0 || errno == EMSGSIZE || errno == ECONNREFUSED;     /* a frame too long for the medium is lost here */
}

static ssize_t dgram_recv(struct outside *o, void *p, size_t room)
{
    return recv(o->fd, p, room, MSG_DONTWAIT);
}

/* --- l2tpv3 over UDP: version word, session, cookie, frame (RFC 3931 4.1.2.1) ------------------------------------ */

enum { L2TP_HDR = 12 };

static bool l2tp_send(struct outside *o, const void *p, size_t len)
{
    g_autofree uint8_t *buf = g_malloc(L2TP_HDR + len);

    st_be32(buf, 0x00030000);
    st_be32(buf + 4, 0x20);
    st_be32(buf + 8, 0x01020304);
    memcpy(buf + L2TP_HDR, p, len);
    return dgram_send(o, buf, L2TP_HDR + len);
}

static ssize_t l2tp_recv(struct outside *o, void *p, size_t room)
{
    static uint8_t buf[RIG_ROOM];
    ssize_t n = recv(o->fd, buf, sizeof(buf), MSG_DONTWAIT);

    if (n < L2TP_HDR) {
        return -1;
    }
    g_assert_cmphex(ld_be32(buf), ==, 0x00030000);
    g_assert_cmphex(ld_be32(buf + 4), ==, 0x10);
    g_assert_cmphex(ld_be32(buf + 8), ==, 0x05060708);
    memcpy(p, buf + L2TP_HDR, (size_t)n - L2TP_HDR);
    return n - L2TP_HDR;
}

/* --- another NIC on the same hub or switch ----------------------------------------------------------------------- */

struct far_nic {
    struct nic *nic;
    struct nic_conf conf;
    GQueue rx;                          /* of GBytes */
};

static enum net_tx far_receive(void *opaque, const struct frame *f)
{
    struct far_nic *n = opaque;
    uint8_t *p;

    if (g_queue_get_length(&n->rx) >= 64) {
        return NET_TX_BUSY;
    }
    p = g_malloc(f->len);
    frame_copy_out(f, 0, p, f->len);
    g_queue_push_tail(&n->rx, g_bytes_new_take(p, f->len));
    return NET_TX_DONE;
}

static void far_link(void *opaque, bool up)
{
}

static void far_ready(void *opaque)
{
}

static uint32_t far_offloads(void *opaque)
{
    return 0;
}

static const struct nic_ops far_ops = { .receive = far_receive, .link_changed = far_link, .tx_ready = far_ready, .offloads = far_offloads };

static bool hub_prepare(struct outside *o)
{
    format_opts(o, "%s", o->rig->text);
    return true;
}

static bool hub_open(struct outside *o)
{
    bool hub = strstr(o->rig->text, "hubport");
    Netdev cfg = { .id = (char *)"far", .type = hub ? NETDEV_DRIVER_HUBPORT : NETDEV_DRIVER_SWITCH };
    struct far_nic *n = g_new0(struct far_nic, 1);

    if (hub) {
        cfg.u.hubport.hubid = 9;
    } else {
        cfg.u.q_switch.switchid = 9;
    }
    g_assert_true(netdev_create(&cfg, NULL));
    memcpy(n->conf.mac, macs[RIG_IN], 6);
    n->conf.netdev = net_client_find("far");
    n->nic = nic_new(&far_ops, &n->conf, "far", "far-nic", n, NULL);
    o->far = n;
    return true;
}

static bool hub_send(struct outside *o, const void *p, size_t len)
{
    struct frame f;

    return !frame_from_buf(&f, p, len) || nic_send(((struct far_nic *)o->far)->nic, &f) != NET_TX_BUSY;
}

static ssize_t hub_recv(struct outside *o, void *p, size_t room)
{
    struct far_nic *n = o->far;
    GBytes *b = g_queue_pop_head(&n->rx);
    size_t len;

    if (!b) {
        nic_rx_ready(n->nic);
        return -1;
    }
    len = g_bytes_get_size(b);
    memcpy(p, g_bytes_get_data(b, NULL), len);
    g_bytes_unref(b);
    return (ssize_t)len;
}

static void hub_close(struct outside *o)
{
    struct far_nic *n = g_steal_pointer(&o->far);
    GBytes *b;

    nic_free(n->nic);
    g_assert_true(netdev_del("far", NULL));
    while ((b = g_queue_pop_head(&n->rx))) {
        g_bytes_unref(b);
    }
    g_free(n);
}

static void hub_fini(struct outside *o)
{
}

/* --- tap: the kernel's side of it, in a network namespace of this process ---------------------------------------- */

static bool tap_prepare(struct outside *o)
{
    if (geteuid() || access("/dev/net/tun", R_OK | W_OK)) {
        o->skip = "/dev/net/tun and root";
        return false;
    }
    g_snprintf(o->path, sizeof(o->path), "pbrig%u", g_random_int_range(0, 100000));
    format_opts(o, o->rig->text, o->path);
    return true;
}

static bool tap_ioctl(struct outside *o, unsigned long req, struct ifreq *r)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    bool ok;

    g_strlcpy(r->ifr_name, o->path, IFNAMSIZ);
    ok = !ioctl(fd, req, r);
    close(fd);
    return ok;
}

static bool tap_open(struct outside *o)
{
    struct ifreq r = { .ifr_mtu = 65521 };
    struct sockaddr_ll a = { .sll_family = AF_PACKET, .sll_protocol = htons(0x0003), .sll_ifindex = (int)if_nametoindex(o->path) };
    int size = 8 << 20;

    if (!a.sll_ifindex || !tap_ioctl(o, SIOCSIFMTU, &r)) {
        return false;
    }
    r.ifr_flags = IFF_UP | IFF_NOARP;
    g_assert_true(tap_ioctl(o, SIOCSIFFLAGS, &r));
    o->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(0x0003));
    setsockopt(o->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
    setsockopt(o->fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
    g_assert_cmpint(bind(o->fd, (struct sockaddr *)&a, sizeof(a)), ==, 0);
    return true;
}

static bool tap_send(struct outside *o, const void *p, size_t len)
{
    return send(o->fd, p, len, 0) >= 0 || (errno != EAGAIN && errno != ENOBUFS);
}

/* --- vde --------------------------------------------------------------------------------------------------------- */

#ifdef HAVE_VDE
static bool vde_prepare(struct outside *o)
{
    g_autofree char *prog = g_find_program_in_path("vde_switch");
    char *argv[] = { prog, (char *)"-hub", (char *)"-s", o->path, NULL };

#ifdef __SANITIZE_ADDRESS__
    g_clear_pointer(&prog, g_free);             /* libvdeplug loads its parts with RTLD_DEEPBIND */
#endif
    if (!prog) {
        o->skip = "vde_switch (vde2), and a build without ASan";
        return false;
    }
    make_dir(o);
    g_assert_true(g_spawn_async_with_pipes(NULL, argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &o->pid, &o->spare, NULL, NULL, NULL));
    format_opts(o, o->rig->text, o->path);
    for (unsigned i = 0; i < 2000; i++) {
        VDECONN *probe = vde_open(o->path, (char *)"probe", NULL);      /* its socket is there before it listens */

        if (probe) {
            vde_close(probe);
            return true;
        }
        g_usleep(1000);
    }
    g_assert_not_reached();
}

static bool vde_rig_open(struct outside *o)
{
    o->far = vde_open(o->path, (char *)"rig", NULL);
    if (o->far) {
        nonblock(vde_datafd(o->far));
    }
    return o->far != NULL;
}

static bool vde_rig_send(struct outside *o, const void *p, size_t len)
{
    return vde_send(o->far, p, len, 0) >= 0 || errno != EAGAIN;
}

static ssize_t vde_rig_recv(struct outside *o, void *p, size_t room)
{
    ssize_t n = vde_recv(o->far, p, room, MSG_DONTWAIT);

    return n > 1 ? n : -1;
}

static void vde_rig_close(struct outside *o)
{
    vde_close(g_steal_pointer(&o->far));
}

static void vde_fini(struct outside *o)
{
    if (!o->pid) {
        return;                                 /* never started */
    }
    kill(o->pid, SIGTERM);
    close_fd(&o->spare);
    g_spawn_close_pid(o->pid);
    waitpid(o->pid, NULL, 0);
    g_rmdir(o->path);
    g_rmdir(o->dir);
}
#endif

/* --- the user-mode stack ----------------------------------------------------------------------------------------- */

static bool user_prepare(struct outside *o)
{
    struct sockaddr_in a;

    o->port = free_port(SOCK_DGRAM);
    o->port2 = 0;
    o->spare = inet_socket(SOCK_DGRAM, &o->port2);
    a = loopback(o->port);
    memcpy(&o->to, &a, o->to_len = sizeof(a));
    format_opts(o, o->rig->text, o->port);
    return true;
}

static bool user_send(struct outside *o, const void *p, size_t len)
{
    return len <= RIG_HDR || dgram_send(o, (const uint8_t *)p + RIG_HDR, len - RIG_HDR);
}

static ssize_t user_recv(struct outside *o, void *p, size_t room)
{
    uint8_t *b = p;
    ssize_t n = recv(o->fd, b + RIG_HDR, room - RIG_HDR, MSG_DONTWAIT);
    uint8_t hdr[RIG_SEQ];

    if (n < 4) {
        return -1;
    }
    rig_fill(o->rig, hdr, RIG_SEQ, RIG_OUT, ld_be32(b + RIG_HDR));
    memcpy(b, hdr, RIG_HDR);
    return n + RIG_HDR;
}

bool rig_guest_got(struct outside *o, uint8_t *p, size_t len)
{
    uint8_t hdr[RIG_SEQ];

    if (!(o->rig->flags & RIG_ROUTED)) {
        return true;
    }
    if (len >= 42 && ld_be16(p + 12) == 0x0806 && ld_be16(p + 20) == 1 && p[41] == 15) {
        o->answer_arp = true;
    }
    if (len < RIG_SEQ || ld_be16(p + 12) != 0x0800 || p[23] != 17 || ld_be16(p + 36) != 7) {
        return false;
    }
    rig_fill(o->rig, hdr, RIG_SEQ, RIG_IN, rig_seq(p));
    memcpy(p, hdr, RIG_HDR);
    return true;
}

size_t rig_arp_reply(uint8_t *p)
{
    memset(p, 0, 60);
    memcpy(p, user_router, 6);
    memcpy(p + 6, macs[RIG_OUT], 6);
    memcpy(p + 12, "\x08\x06\0\1\x08\0\6\4\0\2", 10);
    memcpy(p + 22, macs[RIG_OUT], 6);
    memcpy(p + 28, "\x0A\0\2\x0F", 4);
    memcpy(p + 32, user_router, 6);
    memcpy(p + 38, "\x0A\0\2\2", 4);
    return 60;
}

/* --- the table --------------------------------------------------------------------------------------------------- */

#define STREAM_RIG(how, dom) .prepare = how##_prepare, .open = how##_open, .send = stream_send, .recv = stream_recv, .close = sock_close, \
    .fini = sock_fini, .min_in = 14, .max_in = RIG_FRAME_MAX, .max_out = RIG_FRAME_MAX, .domain = dom, .type = SOCK_STREAM
#define DGRAM_RIG(how, max) .prepare = how##_prepare, .open = how##_open, .send = dgram_send, .recv = dgram_recv, .close = sock_close, \
    .fini = sock_fini, .min_in = 14, .max_in = max, .max_out = max, .type = SOCK_DGRAM
enum {
    LIVE = RIG_LOSSLESS_IN | RIG_LOSSLESS_OUT | RIG_SEES_DEATH | RIG_REOPENS | RIG_CLOSES,
    UDP_MAX = 65507, UNIX_MAX = RIG_FRAME_MAX,
};

static const struct rig socket_listen = { "socket-listen", .flags = LIVE, .text = "socket,id=x,listen=127.0.0.1:%u", STREAM_RIG(connect, AF_INET) };
static const struct rig socket_connect = { "socket-connect", .flags = LIVE, .text = "socket,id=x,reconnect-ms=5,connect=127.0.0.1:%u",
                                           STREAM_RIG(listen, AF_INET) };
static const struct rig socket_fd = { "socket-fd", .flags = LIVE & ~RIG_REOPENS, .text = "socket,id=x,fd=%d", STREAM_RIG(pair, AF_UNIX) };
static const struct rig socket_fd_dgram = { "socket-fd-dgram", .flags = 0, .text = "socket,id=x,fd=%d", DGRAM_RIG(pair, UNIX_MAX) };
static const struct rig socket_udp = { "socket-udp", .flags = RIG_REOPENS | RIG_CLOSES,
                                       .text = "socket,id=x,udp=127.0.0.1:%u,localaddr=127.0.0.1:%u", DGRAM_RIG(udp, UDP_MAX) };
static const struct rig socket_mcast = { "socket-mcast", .flags = RIG_REOPENS | RIG_CLOSES,
                                         .text = "socket,id=x,mcast=239.192.168.1:%u,localaddr=127.0.0.1", DGRAM_RIG(mcast, UDP_MAX) };
static const struct rig stream_server = { "stream-inet-server", .flags = LIVE | RIG_EVENTS,
                                          .text = "stream,id=x,server=on,addr.type=inet,addr.host=127.0.0.1,addr.port=%u",
                                          STREAM_RIG(connect, AF_INET) };
static const struct rig stream_client = { "stream-inet-client", .flags = LIVE | RIG_EVENTS,
                                          .text = "stream,id=x,reconnect-ms=5,addr.type=inet,addr.host=127.0.0.1,addr.port=%u",
                                          STREAM_RIG(listen, AF_INET) };
static const struct rig stream_unix_server = { "stream-unix-server", .flags = LIVE | RIG_EVENTS,
                                               .text = "stream,id=x,server=on,addr.type=unix,addr.path=%s", STREAM_RIG(connect, AF_UNIX) };
static const struct rig stream_unix_client = { "stream-unix-client", .flags = LIVE | RIG_EVENTS,
                                               .text = "stream,id=x,reconnect-ms=5,addr.type=unix,addr.path=%s", STREAM_RIG(listen, AF_UNIX) };
static const struct rig stream_abstract = { "stream-abstract", .flags = LIVE | RIG_EVENTS,
                                            .text = "stream,id=x,server=on,addr.type=unix,addr.abstract=on,addr.path=%s",
                                            STREAM_RIG(connect, AF_UNIX) };
static const struct rig stream_fd = { "stream-fd", .flags = (LIVE & ~RIG_REOPENS) | RIG_EVENTS, .text = "stream,id=x,addr.type=fd,addr.str=%d",
                                      STREAM_RIG(pair, AF_UNIX) };
static const struct rig dgram_inet = { "dgram-inet", .flags = RIG_REOPENS | RIG_CLOSES,
                                       .text = "dgram,id=x,remote.type=inet,remote.host=127.0.0.1,remote.port=%u,local.type=inet,"
                                               "local.host=127.0.0.1,local.port=%u", DGRAM_RIG(udp, UDP_MAX) };
static const struct rig dgram_mcast = { "dgram-mcast", .flags = RIG_REOPENS | RIG_CLOSES,
                                        .text = "dgram,id=x,remote.type=inet,remote.host=239.192.168.1,remote.port=%u,local.type=inet,"
                                                "local.host=127.0.0.1,local.port=0", DGRAM_RIG(mcast, UDP_MAX) };
static const struct rig dgram_unix = { "dgram-unix", .flags = RIG_REOPENS | RIG_CLOSES,
                                       .text = "dgram,id=x,remote.type=unix,remote.path=%s,local.type=unix,local.path=%s",
                                       DGRAM_RIG(unix_dgram, UNIX_MAX) };
static const struct rig dgram_fd = { "dgram-fd", .flags = 0, .text = "dgram,id=x,local.type=fd,local.str=%d", DGRAM_RIG(pair, UNIX_MAX) };
static const struct rig l2tpv3 = { "l2tpv3-udp", .flags = RIG_REOPENS | RIG_CLOSES, .prepare = udp_prepare, .open = udp_open, .send = l2tp_send,
                                   .recv = l2tp_recv, .close = sock_close, .fini = sock_fini, .min_in = 14, .max_in = UDP_MAX - L2TP_HDR,
                                   .max_out = UDP_MAX - L2TP_HDR,
                                   .text = "l2tpv3,id=x,src=127.0.0.1,dst=127.0.0.1,udp=on,dstport=%u,srcport=%u,txsession=0x10,rxsession=0x20,"
                                           "rxcookie=0x01020304,txcookie=0x05060708" };
static const struct rig hub = { "hubport", .flags = RIG_LOSSLESS_IN | RIG_REOPENS | RIG_CLOSES, .text = "hubport,id=x,hubid=9", .min_in = 14,
                                .max_in = RIG_FRAME_MAX, .max_out = RIG_FRAME_MAX, .prepare = hub_prepare, .open = hub_open, .send = hub_send,
                                .recv = hub_recv, .close = hub_close, .fini = hub_fini };
static const struct rig swtch = { "switch", .flags = RIG_LOSSLESS_IN | RIG_REOPENS | RIG_CLOSES, .text = "switch,id=x,switchid=9", .min_in = 14,
                                  .max_in = RIG_FRAME_MAX, .max_out = RIG_FRAME_MAX, .prepare = hub_prepare, .open = hub_open, .send = hub_send,
                                  .recv = hub_recv, .close = hub_close, .fini = hub_fini };
static const struct rig tap = { "tap", .flags = RIG_NEEDS_ROOT | RIG_SLOW_START, .text = "tap,id=x,ifname=%s,script=no,downscript=no", .min_in = 15,
                                .max_in = 65535, .max_out = 65535, .prepare = tap_prepare, .open = tap_open, .send = tap_send,
                                .recv = dgram_recv, .close = sock_close, .fini = hub_fini };
static const struct rig user = { "user", .flags = RIG_ROUTED | RIG_CUTS, .text = "user,id=x,hostfwd=udp:127.0.0.1:%u-10.0.2.15:7", .min_in = RIG_SEQ,
                                 .max_in = 1514, .max_out = 1514, .prepare = user_prepare, .open = pair_open, .send = user_send,
                                 .recv = user_recv, .close = sock_close, .fini = sock_fini };
#ifdef HAVE_VDE
static const struct rig vde = { "vde", .flags = RIG_CUTS | RIG_REOPENS | RIG_CLOSES | RIG_SLOW_START, .text = "vde,id=x,sock=%s", .min_in = 14,
                                .max_in = 1514, .max_out = 1514, .prepare = vde_prepare, .open = vde_rig_open, .send = vde_rig_send,
                                .recv = vde_rig_recv, .close = vde_rig_close, .fini = vde_fini };
#endif

const struct rig *const rigs[] = {
    &user, &hub, &swtch, &socket_listen, &socket_connect, &socket_fd, &socket_fd_dgram, &socket_udp, &socket_mcast, &stream_server,
    &stream_client, &stream_unix_server, &stream_unix_client, &stream_abstract, &stream_fd, &dgram_inet, &dgram_mcast, &dgram_unix, &dgram_fd,
    &l2tpv3,
#ifdef HAVE_VDE
    &vde,
#endif
    &tap, NULL,
};

/* --- what tests call --------------------------------------------------------------------------------------------- */

bool rig_prepare(struct outside *o, const struct rig *r)
{
    *o = (struct outside){ .rig = r, .listener = -1, .fd = -1, .spare = -1, .rx = g_byte_array_new(), .tx = g_byte_array_new() };
    return r->prepare(o);
}

bool rig_open(struct outside *o)
{
    return o->rig->open(o);
}

bool rig_send(struct outside *o, const void *p, size_t len)
{
    return o->rig->send(o, p, len);
}

ssize_t rig_recv(struct outside *o, void *p, size_t room)
{
    ssize_t n;

    do {
        n = o->rig->recv(o, p, room);
    } while (n >= 0 && !rig_is(o->rig, p, (size_t)n, RIG_OUT));
    return n;
}

void rig_close(struct outside *o)
{
    if (o->fd >= 0 || o->far) {
        o->rig->close(o);
    }
}

void rig_abort(struct outside *o)
{
    if (o->rig->domain == AF_INET && o->fd >= 0) {
        setsockopt(o->fd, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 }, sizeof(struct linger));
    }
    rig_close(o);
}

bool rig_raw(struct outside *o, const void *p, size_t len)
{
    return o->rig->type == SOCK_STREAM && stream_flush(o) && send(o->fd, p, len, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)len;
}

void rig_fini(struct outside *o)
{
    rig_close(o);
    o->rig->fini(o);
    g_byte_array_unref(o->rx);
    g_byte_array_unref(o->tx);
}
