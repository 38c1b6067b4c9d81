/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/backends/user.c - the user-mode network: libslirp behind an airlock
 *
 * guest -> private copy -> checksum, if still open -> airlock_check() -> slirp_input(). TCP turns off before the last step, into a relay of our own
 * (user_tcp.c, unless fast-tcp=off); what libslirp does of it goes in whole, large frames too. stack -> send_packet -> (merged to large frames for
 * guests that take them) -> NIC, or its queue. While the guest is behind, sockets are not read (user_poll_pause), so nothing that TCP has accepted
 * is lost.
 *
 * The stack's clock is the guest's (CLOCK_VIRTUAL): time-outs stand still while the machine is stopped. libslirp 4.7 or newer, config version 4.
 */
#include "net/backends.h"
#include "lib/bits.h"
#include "lib/log.h"
#include "net/backends/user_int.h"
#include "net/backends/user_tcp.h"
#include "net/hub.h"
#include "net/info.h"
#include "net/offload/csum.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MTU = 1500, ETH_HEADER = 14, SPARE_FDS = 128, LOG_LINES_PER_MINUTE = 32 };

/* --- stack to guest -------------------------------------------------------------------------------------------- */

void user_to_guest(struct user *u, const uint8_t *frame, size_t len)
{
    struct frame f;

    if (frame_from_buf(&f, frame, len)) {
        f.meta.flags = PKT_CSUM_VALID;
        net_send_queued(&u->c, &f);
    }
}

bool user_wants_merged(const struct user *u)
{
    const struct net_client *p = u->c.peer;

    return p && p->nic && p->ops->offloads(p) & PKT_CAP_TSO4;
}

static void merged_to_guest(void *opaque, const uint8_t *frame, size_t len, unsigned segs, uint16_t mss, bool ip6, uint16_t l4_off)
{
    struct user *u = opaque;
    struct frame f;

    if (frame_from_merged(&f, frame, len, segs, mss, ip6, l4_off)) {
        net_send_queued(&u->c, &f);
    }
}

static ssize_t cb_send_packet(const void *buf, size_t len, void *opaque)
{
    struct user *u = opaque;
    uint8_t reply[MTU + ETH_HEADER];

    if (u->hostonly && len <= sizeof(reply)) {
        memcpy(reply, buf, len);
        buf = hostonly_hides(reply, len) ? reply : buf;
    }
    if (u->merging && len <= COALESCE_BYTES) {
        coalesce_add(&u->merge, buf, len);
    } else if (!u->closing) {
        user_to_guest(u, buf, len);
    }
    return (ssize_t)len;
}

/* --- callbacks of the stack ------------------------------------------------------------------------------------- */

static void cb_guest_error(const char *msg, void *opaque)
{
    log_guest(LOG_GUEST_ERROR, "user network: %s\n", msg);
}

static int64_t cb_clock_get_ns(void *opaque)
{
    return clock_get_ns(CLOCK_VIRTUAL);
}

struct user_timer {
    struct timer t;
    struct user *u;
    SlirpTimerId id;
    void *cb_opaque;
};

static void timer_fired(void *opaque)
{
    struct user_timer *ut = opaque;

    slirp_handle_timer(ut->u->slirp, ut->id, ut->cb_opaque);
    user_poll_kick(ut->u->poll);
}

static void *cb_timer_new(SlirpTimerId id, void *cb_opaque, void *opaque)
{
    struct user_timer *ut = g_new0(struct user_timer, 1);

    ut->u = opaque;
    ut->id = id;
    ut->cb_opaque = cb_opaque;
    timer_setup(&ut->t, CLOCK_VIRTUAL, timer_fired, ut);
    return ut;
}

static void cb_timer_free(void *timer, void *opaque)
{
    struct user_timer *ut = timer;

    timer_fini(&ut->t);
    g_free(ut);
}

static void cb_timer_mod(void *timer, int64_t expire_ms, void *opaque)
{
    struct user_timer *ut = timer;

    timer_arm(&ut->t, expire_ms * NS_PER_MS);
}

static unsigned *flow_counter(struct user *u, uint8_t kind)
{
    return kind == USER_FD_TCP ? &u->air.tcp_flows : kind == USER_FD_UDP ? &u->air.udp_flows : &u->air.icmp_flows;
}

/* A new socket: counted for the airlock's limits, and never allowed to block the main loop. */
static void cb_register_fd(int fd, void *opaque)
{
    struct user *u = opaque;
    int type = 0, proto = 0, flags = fcntl(fd, F_GETFL);
    socklen_t len = sizeof(int);
    uint8_t kind;

    if (fd < 0) {
        return;
    }
    if (flags >= 0 && !(flags & O_NONBLOCK)) {
        fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    }
    getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len);
    len = sizeof(int);
    getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &proto, &len);
    kind = type == SOCK_STREAM ? USER_FD_TCP : proto == IPPROTO_ICMP || type == SOCK_RAW ? USER_FD_ICMP : USER_FD_UDP;
    if ((guint)fd >= u->fd_kind->len) {
        g_array_set_size(u->fd_kind, (guint)fd + 64);
    }
    g_array_index(u->fd_kind, uint8_t, fd) = kind;
    ++*flow_counter(u, kind);
    user_poll_forget(u->poll, fd);
}

static void cb_unregister_fd(int fd, void *opaque)
{
    struct user *u = opaque;

    if (fd >= 0 && (guint)fd < u->fd_kind->len && g_array_index(u->fd_kind, uint8_t, fd) != USER_FD_NONE) {
        unsigned *n = flow_counter(u, g_array_index(u->fd_kind, uint8_t, fd));

        *n -= *n > 0;
        g_array_index(u->fd_kind, uint8_t, fd) = USER_FD_NONE;
    }
    user_poll_forget(u->poll, fd);
}

static void notify_run(void *opaque)
{
    user_guestfwd_resume(opaque);
}

static void cb_notify(void *opaque)
{
    struct user *u = opaque;

    bh_schedule(&u->notify_bh);
    user_poll_kick(u->poll);
}

static void cb_init_completed(Slirp *slirp, void *opaque)
{
}

static const SlirpCb callbacks = {
    .send_packet = cb_send_packet, .guest_error = cb_guest_error, .clock_get_ns = cb_clock_get_ns, .timer_free = cb_timer_free,
    .timer_mod = cb_timer_mod, .register_poll_fd = cb_register_fd, .unregister_poll_fd = cb_unregister_fd, .notify = cb_notify,
    .init_completed = cb_init_completed, .timer_new_opaque = cb_timer_new,
};

/* What the library prints: as warnings, so many a minute, the rest is not shown (a guest can cause them). */
static void library_message(const gchar *domain, GLogLevelFlags level, const gchar *text, gpointer opaque)
{
    struct user *u = opaque;
    int64_t now = clock_get_ns(CLOCK_RT);

    if (now - u->log_ns > 60 * NS_PER_SEC) {
        u->log_ns = now;
        u->log_lines = 0;
    }
    if (level & (G_LOG_LEVEL_DEBUG | G_LOG_LEVEL_INFO)) {
        return;
    }
    if (u->log_lines++ < LOG_LINES_PER_MINUTE) {
        warn_report("Slirp: %s", text);
    }
}

/* --- guest to stack -------------------------------------------------------------------------------------------- */

enum net_tx user_send(struct net_client *c, const struct frame *f)
{
    struct user *u = container_of(c, struct user, c);
    uint8_t *frame = u->txbuf;
    size_t len;

    if (u->tcp && user_tcp_fast(u->tcp, f)) {
        return NET_TX_DONE;
    }
    len = frame_copy_out(f, 0, frame, FRAME_MAX);
    if (f->meta.flags & PKT_NEEDS_CSUM) {
        csum_finish(frame, len, f->meta.csum_start, f->meta.csum_off);
    }
    if (u->hostonly && !hostonly_passes(u, frame, len)) {
        u->air.count[AIR_NOT_FOR_US]++;
        return NET_TX_DROP;
    }
    switch (airlock_check(&u->air, clock_get_ns(CLOCK_RT), &frame, &len)) {
    case AIRLOCK_PASS:
        if (u->tcp && user_tcp_input(u->tcp, frame, len, f->meta.flags)) {
            return NET_TX_DONE;
        }
        if (!user_answer(u, frame, len)) {
            u->merging = user_wants_merged(u);      /* what an acknowledgement sets free; the kick below ends in a flush */
            slirp_input(u->slirp, frame, (int)len);
        }
        user_poll_kick(u->poll);
        return NET_TX_DONE;
    case AIRLOCK_REFUSE:
        user_refuse(u, frame, len);
        return NET_TX_DROP;
    case AIRLOCK_HELD:
        return NET_TX_DONE;
    case AIRLOCK_DROP:
        break;
    }
    return NET_TX_DROP;
}

void user_rx_enable(struct net_client *c, bool on)
{
    struct user *u = container_of(c, struct user, c);

    user_poll_pause(u->poll, false);
    if (u->tcp) {
        user_tcp_ready(u->tcp);
    }
}

void user_tx_ready(struct net_client *c)
{
    struct user *u = container_of(c, struct user, c);

    user_poll_pause(u->poll, false);
    user_poll_kick(u->poll);
    if (u->tcp) {
        user_tcp_ready(u->tcp);
    }
}

uint32_t user_offloads(const struct net_client *c)
{
    return PKT_CAP_CSUM | PKT_CAP_TSO4 | PKT_CAP_TSO6 | PKT_CAP_ECN;
}

static void print_limits(struct net_client *c, void *opaque)
{
    GString *out = opaque;
    const struct airlock *a;

    if (!user_of(c)) {
        return;
    }
    a = &user_of(c)->air;
    g_string_append_printf(out, "%s: tcp=%u/%u,udp=%u/%u,icmp=%u/%u,fragment-bytes=%zu/%d,passed=%" PRIu64, c->name, a->tcp_flows, a->tcp_limit,
                           a->udp_flows, a->udp_limit, a->icmp_flows, a->icmp_limit, a->frag_bytes, AIR_FRAG_BYTES, a->passed);
    for (unsigned i = 0; i < AIR_REASONS; i++) {
        if (a->count[i]) {
            g_string_append_printf(out, ",%s=%" PRIu64, airlock_reason_name(i), a->count[i]);
        }
    }
    g_string_append_c(out, '\n');
}

void net_user_print_limits(GString *out)
{
    net_client_foreach(print_limits, out);
}

/* --- life ------------------------------------------------------------------------------------------------------ */

static Slirp *start_stack(struct user *u, const NetdevUser *o)
{
    const struct user_config *c = &u->cfg;
    SlirpConfig cfg = {
        .version = 4, .restricted = c->restricted, .in_enabled = c->ipv4, .vnetwork = c->net, .vnetmask = c->mask, .vhost = c->host,
        .in6_enabled = c->ipv6, .vprefix_addr6 = c->prefix, .vprefix_len = c->prefix_len, .vhost6 = c->host6, .vhostname = o->hostname,
        .tftp_server_name = o->tftp_server_name, .tftp_path = o->tftp, .bootfile = o->bootfile, .vdhcp_start = c->dhcp,
        .vnameserver = c->dns, .vnameserver6 = c->dns6, .vdnssearch = (const char **)o->dnssearch, .vdomainname = o->domainname,
        .if_mtu = MTU, .if_mru = MTU,
    };

    return slirp_new(&cfg, &callbacks, u);
}

static void start_airlock(struct user *u, const NetdevUser *o)
{
    struct airlock_cfg cfg = { .tftp = o->tftp != NULL };
    struct rlimit lim;

    memcpy(cfg.net4, &u->cfg.net, 4);
    memcpy(cfg.mask4, &u->cfg.mask, 4);
    memcpy(cfg.host4, &u->cfg.host, 4);
    memcpy(cfg.dns4, &u->cfg.dns, 4);
    memcpy(cfg.host6, &u->cfg.host6, 16);
    memcpy(cfg.dns6, &u->cfg.dns6, 16);
    airlock_init(&u->air, &cfg);
    /* With few descriptors the guest hears "refused" instead of nothing: 3/4 for TCP, a quarter of the rest each for UDP and ICMP. */
    if (!getrlimit(RLIMIT_NOFILE, &lim) && lim.rlim_cur != RLIM_INFINITY) {
        unsigned n = lim.rlim_cur > 2 * SPARE_FDS ? (unsigned)MIN(lim.rlim_cur, 1u << 20) - SPARE_FDS : SPARE_FDS / 2;

        u->air.tcp_limit = MIN(u->air.tcp_limit, n / 4 * 3);
        u->air.udp_limit = MIN(u->air.udp_limit, n / 5);
        u->air.icmp_limit = MIN(u->air.icmp_limit, n / 20);
    }
}

void user_prepare(struct user *u)
{
    u->hostfwd = g_ptr_array_new();
    u->guestfwd = g_ptr_array_new();
    u->fd_kind = g_array_new(FALSE, TRUE, 1);
    bh_init(&u->notify_bh, "user-notify", notify_run, u);
}

bool user_start(struct user *u, const NetdevUser *o, Error **errp)
{
    struct net_client *c = &u->c;
    struct stat st;

    if (!user_config_parse(&u->cfg, o, errp)) {
        return false;
    }
    if (o->tftp && (stat(o->tftp, &st) < 0 || !S_ISDIR(st.st_mode))) {
        warn_report("netdev '%s': tftp directory '%s': %s", c->name, o->tftp, strerror(errno ? errno : ENOTDIR));
    }
    u->no_ping = !user_ping_allowed();
    u->txbuf = g_malloc(FRAME_MAX);
    start_airlock(u, o);
    coalesce_init(&u->merge, merged_to_guest, u);
    u->poll = user_poll_new(u, errp);
    if (!u->poll) {
        return false;
    }
    u->log_handler = g_log_set_handler("Slirp", G_LOG_LEVEL_MASK, library_message, u);
    u->slirp = start_stack(u, o);
    if (!u->slirp) {
        error_setg(errp, "netdev '%s': the user network could not be started", c->name);
        return false;
    }
    if (!u->cfg.restricted && (!o->has_fast_tcp || o->fast_tcp)) {
        u->tcp = user_tcp_new(u, errp);
        if (!u->tcp) {
            return false;
        }
    }
    for (char **s = o->hostfwd; s && *s; s++) {
        if (!user_hostfwd_add(u, *s, errp)) {
            return false;
        }
    }
    for (char **s = o->guestfwd; s && *s; s++) {
        if (!user_guestfwd_add(u, *s, errp)) {
            return false;
        }
    }
    return true;
}

static bool user_open(struct net_client *c, const void *arg, Error **errp)
{
    struct user *u = container_of(c, struct user, c);
    char text[INET_ADDRSTRLEN];

    user_prepare(u);
    if (!user_start(u, arg, errp)) {
        return false;
    }
    net_client_set_info(c, "net=%s,restrict=%s", inet_ntop(AF_INET, &u->cfg.net, text, sizeof(text)), u->cfg.restricted ? "on" : "off");
    return true;
}

void user_close(struct net_client *c)
{
    struct user *u = container_of(c, struct user, c);

    u->closing = true;
    bh_fini(&u->notify_bh);
    user_fwd_free(u);
    user_tcp_free(u->tcp);
    if (u->slirp) {
        slirp_cleanup(u->slirp);
    }
    user_poll_free(u->poll);
    if (u->log_handler) {
        g_log_remove_handler("Slirp", u->log_handler);
    }
    coalesce_fini(&u->merge);
    airlock_fini(&u->air);
    g_array_free(u->fd_kind, TRUE);
    g_free(u->txbuf);
}

const struct net_backend_ops net_backend_user = {
    .kind = "user", .size = sizeof(struct user), .open = user_open, .send = user_send, .rx_enable = user_rx_enable,
    .tx_ready = user_tx_ready, .offloads = user_offloads, .close = user_close,
};
