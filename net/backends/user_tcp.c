/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/backends/user_tcp.c - the relay: connections, and the rounds in which they work
 *
 * A segment of the guest is taken by its connection at once, its payload goes straight to the socket; what that makes necessary (an
 * acknowledgement, bytes for which there is room now) is done once for the whole batch, in a bottom half: user_tcp_mark() puts the connection
 * into a queue, run() takes it out. So do events of the sockets and timers. Invariants:
 *  - a connection with something to do is in active or in blocked (the NIC said BUSY), or its timer is armed (starved);
 *  - active not empty => the bottom half is scheduled; blocked not empty => tx_ready() will come;
 *  - a connection is freed in flow_work(), or in user_tcp_free(), nowhere else.
 */
#include "net/backends/user_tcp.h"
#include "lib/bits.h"
#include "lib/iov.h"
#include "net/backends/user_int.h"
#include "net/offload/csum.h"
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <unistd.h>

enum {
    EVENTS_MAX = 256,
    FLOW_BUDGET = 256 * 1024,           /* bytes to the guest, of one connection in one round */
    ROUND_BUDGET = 1024 * 1024,         /* of all */
    FLOW_COST = 2048,                   /* what a connection's turn counts at least */
    DIRECT_MIN = 8 * 1024,              /* payloads from here on go to the socket by themselves; smaller ones are collected */
    FLUSH_AT = 64 * 1024,
};
#define STARVED_NS 20000000LL           /* until it is tried again */

static const char *const drop_names[TCP_DROPS] = { [TCP_DROP_CHECKSUM] = "tcp-checksum", [TCP_DROP_MEMORY] = "tcp-memory" };

/* --- frames to the guest ------------------------------------------------------------------------------------------------ */

static struct tcp_flow *flow_of(struct tcp_conn *c)
{
    return container_of(c, struct tcp_flow, c);
}

static bool flow_emit(struct tcp_conn *c, const struct frame *f)
{
    struct tcp_flow *flow = flow_of(c);
    struct user_tcp *t = flow->t;

    if (!flow->mac_known) {
        user_tcp_ask_mac(flow);
        return true;                    /* as lost; tcp_conn_again() when the answer is there */
    }
    if (t->stalled || !net_can_send(&t->u->c) || net_send(&t->u->c, f) == NET_TX_BUSY) {
        t->stalled = true;
        return false;
    }
    return true;
}

static void flow_emit_now(struct tcp_conn *c, const struct frame *f)
{
    if (flow_of(c)->mac_known) {
        net_send_queued(&flow_of(c)->t->u->c, f);
    }
}

/* --- the guest's bytes to the host ----------------------------------------------------------------------------------------- */

static size_t flow_room(struct tcp_conn *c)
{
    const struct tcp_flow *f = flow_of(c);
    size_t free = f->rx.cap - f->rx.len + f->t->budget.max - f->t->budget.used, left = TCP_RX_MAX - MIN(f->rx.len, TCP_RX_MAX);

    return MIN(free, left);
}

static size_t keep(struct tcp_flow *f, const struct tcp_seg *s, size_t skip, size_t len)
{
    struct iovec iov[2];
    size_t room = tcp_ring_room(&f->rx, len, TCP_RX_MAX), done = 0;
    unsigned cnt = tcp_ring_space(&f->rx, MIN(len, room), iov);

    for (unsigned i = 0; i < cnt; i++) {
        done += iov_to_buf(s->iov, s->iovcnt, s->off + skip + done, iov[i].iov_base, iov[i].iov_len);
    }
    tcp_ring_commit(&f->rx, done);
    f->t->drops[TCP_DROP_MEMORY] += done < len;
    return done;
}

static size_t flow_deliver(struct tcp_conn *c, const struct tcp_seg *s, size_t skip, size_t len)
{
    struct tcp_flow *f = flow_of(c);
    struct iovec iov[FRAME_IOV_MAX];
    size_t done = 0;
    int n;

    if (f->s.fd < 0 || f->dead) {
        return len;                                         /* nobody wants it any more */
    }
    if (!f->rx.len && len >= DIRECT_MIN && f->s.got & TCP_GOT_OUT) {
        n = iov_slice(iov, FRAME_IOV_MAX, s->iov, s->iovcnt, s->off + skip, len);
        done = n > 0 ? user_tcp_sock_send(f, iov, (unsigned)n) : 0;
    }
    if (done < len) {
        done += keep(f, s, skip + done, len - done);
        if (f->rx.len >= FLUSH_AT) {
            user_tcp_sock_flush(f);
        }
    }
    return done;
}

static const struct tcp_conn_ops conn_ops = { .emit = flow_emit, .emit_now = flow_emit_now, .deliver = flow_deliver, .room = flow_room };

/* --- connections ----------------------------------------------------------------------------------------------------------- */

static void flow_timer(void *opaque)
{
    struct tcp_flow *f = opaque;

    tcp_conn_timer(&f->c, clock_get_ns(CLOCK_VIRTUAL));
    user_tcp_mark(f);
}

/* RFC 6528 3: a clock of 4 us, and a secret for each pair of ends */
static uint32_t initial_seq(const struct user_tcp *t, const struct tcp_key *key)
{
    return (uint32_t)(clock_get_ns(CLOCK_RT) / 4000) + (uint32_t)user_tcp_siphash(t->iss_key, key, sizeof(*key));
}

struct tcp_flow *user_tcp_flow_new(struct user_tcp *t, const struct tcp_key *key, const uint8_t *guest_mac, int fd)
{
    struct tcp_flow *f = g_new0(struct tcp_flow, 1);
    static const uint8_t mac6[6] = { 0x52, 0x56, 0, 0, 0, 2 };

    f->t = t;
    f->s = (struct tcp_source){ .fd = fd };
    f->c.key = *key;
    f->c.tx.budget = f->rx.budget = &t->budget;
    f->work.data = f->all.data = f->wait.data = f;
    if (guest_mac) {
        memcpy(f->c.guest_mac, guest_mac, 6);
        f->mac_known = true;
    }
    memcpy(f->c.our_mac, mac6, 6);
    if (!key->six) {
        f->c.our_mac[1] = 0x55;
        memcpy(f->c.our_mac + 2, &t->u->cfg.host, 4);
    }
    timer_setup(&f->timer, CLOCK_VIRTUAL, flow_timer, f);
    tcp_conn_init(&f->c, &conn_ops, initial_seq(t, key), clock_get_ns(CLOCK_VIRTUAL));
    user_tcp_insert(f);
    g_queue_push_tail_link(&t->all, &f->all);
    if (fd >= 0) {
        t->u->air.tcp_flows++;
        f->counted = true;
        if (!user_tcp_epoll_add(t, &f->s)) {
            f->dead = true;
        }
    }
    return f;
}

void user_tcp_wait(struct tcp_flow *f, GQueue *q)
{
    if (f->wait_queue) {
        g_queue_unlink(f->wait_queue, &f->wait);
    }
    f->wait_queue = q;
    if (q) {
        g_queue_push_tail_link(q, &f->wait);
    }
}

static void flow_queue(struct tcp_flow *f, GQueue *q)
{
    if (f->queue) {
        g_queue_unlink(f->queue, &f->work);
    }
    f->queue = q;
    if (q) {
        g_queue_push_tail_link(q, &f->work);
    }
}

/* The host's side is over: a reset if the guest's was, or if something is wrong. */
static void close_socket(struct tcp_flow *f)
{
    if (f->s.fd >= 0) {
        if (f->c.end == TCP_END_RESET || f->c.end == TCP_END_TIMEOUT) {
            struct linger l = { .l_onoff = 1 };

            setsockopt(f->s.fd, SOL_SOCKET, SO_LINGER, &l, sizeof(l));
        }
        close(f->s.fd);
        f->s.fd = -1;
    }
    if (f->counted) {
        f->t->u->air.tcp_flows -= f->t->u->air.tcp_flows > 0;
        f->counted = false;
    }
    if (f->t->accept_again) {
        bh_schedule(&f->t->bh);
    }
}

void user_tcp_flow_free(struct tcp_flow *f)
{
    user_tcp_remove(f);
    flow_queue(f, NULL);
    user_tcp_wait(f, NULL);
    g_queue_unlink(&f->t->all, &f->all);
    timer_fini(&f->timer);
    close_socket(f);
    tcp_conn_fini(&f->c);
    tcp_ring_fini(&f->rx);
    g_free(f);
}

void user_tcp_mark(struct tcp_flow *f)
{
    if (!f->queue) {
        flow_queue(f, &f->t->active);
        bh_schedule(&f->t->bh);
    }
}

/* --- work ------------------------------------------------------------------------------------------------------------------ */

/* The host cannot be reached: an ICMP message where there is one for it, else a reset. */
static void refuse(struct tcp_flow *f, int err)
{
    const struct user *u = f->t->u;
    uint8_t out[TCP_UNREACHABLE_ROOM], router[16] = { 0 };
    struct frame fr;

    if (err != ENETUNREACH && err != EHOSTUNREACH && err != ETIMEDOUT) {
        tcp_conn_abort(&f->c);
        return;
    }
    if (f->c.key.six) {
        memcpy(router, &u->cfg.host6, 16);
    } else {
        memcpy(router, &u->cfg.host, 4);
    }
    frame_from_buf(&fr, out, tcp_wire_unreachable(out, f->c.guest_mac, f->c.our_mac, &f->c.key, router, f->c.irs, err == ENETUNREACH));
    fr.meta.flags = PKT_CSUM_VALID;
    net_send_queued(&f->t->u->c, &fr);
    tcp_conn_close(&f->c, TCP_END_DONE);
}

static void connected(struct tcp_flow *f)
{
    int err = user_tcp_sock_error(f);

    f->connecting = false;
    if (err) {
        refuse(f, err);
    } else {
        tcp_conn_accept(&f->c);
    }
}

/* What comes from the host and goes to the guest. Return: there is more */
static bool to_guest(struct tcp_flow *f, int64_t now_ns, size_t *done)
{
    bool more;
    size_t n;

    do {
        n = f->s.got & TCP_GOT_IN && tcp_conn_may_read(&f->c) && !f->dead ? user_tcp_sock_read(f) : 0;
        more = tcp_conn_output(&f->c, FLOW_BUDGET, now_ns);
        *done += n;
    } while (n && !f->t->stalled && *done < FLOW_BUDGET);
    return more || n;
}

/* Everything that was to happen with the connection has happened, or never will. */
static bool is_over(struct tcp_flow *f)
{
    if (f->dead) {
        if (f->c.state != TCPS_TIME_WAIT) {
            tcp_conn_abort(&f->c);
        }
        return true;
    }
    if (f->c.state != TCPS_CLOSED) {
        return false;
    }
    user_tcp_remove(f);                                     /* the guest may use the ports again */
    return f->c.end != TCP_END_DONE || !f->rx.len || f->s.fd < 0;
}

static void enter_time_wait(struct tcp_flow *f)
{
    struct user_tcp *t = f->t;

    if (f->s.fd >= 0 && !f->rx.len) {
        close_socket(f);
        tcp_ring_fini(&f->c.tx);
        tcp_ring_fini(&f->rx);
        user_tcp_wait(f, &t->time_waits);
        if (t->time_waits.length > TCP_TIME_WAITS) {
            struct tcp_flow *oldest = t->time_waits.head->data;

            tcp_conn_close(&oldest->c, TCP_END_DONE);
            user_tcp_mark(oldest);
        }
    }
}

/* Half-closed by the host for good: only an error can still come, and nobody reads or writes to notice it. */
static bool failed_unseen(const struct tcp_flow *f)
{
    return f->s.got & TCP_GOT_ERR && (f->c.eof || !(f->s.got & TCP_GOT_IN)) && user_tcp_sock_error(f);
}

static void arm(struct tcp_flow *f, int64_t now_ns)
{
    int64_t at = f->starved ? now_ns + STARVED_NS : f->c.deadline_ns;

    if (at >= 0 && (!timer_armed(&f->timer) || f->timer.expire_ns > at)) {
        timer_arm(&f->timer, at);                           /* one that is early looks again: not moved with each segment */
    }
}

/* An empty ring is kept while memory is plenty. */
static void trim(struct tcp_flow *f)
{
    if (f->t->budget.used > TCP_MEMORY_EASY) {
        if (!f->c.tx.len) {
            tcp_ring_fini(&f->c.tx);
        }
        if (!f->rx.len) {
            tcp_ring_fini(&f->rx);
        }
    }
}

/* One turn of a connection that is in no queue. It may be freed. Return: bytes moved */
static size_t flow_work(struct tcp_flow *f, int64_t now_ns)
{
    size_t done = 0;
    bool more = false;

    f->starved = false;
    if (f->connecting && f->s.got & (TCP_GOT_OUT | TCP_GOT_ERR | TCP_GOT_HUP) && f->c.state != TCPS_CLOSED) {
        connected(f);
    }
    if (f->s.fd >= 0 && !f->connecting && f->c.state != TCPS_SYN_SENT) {
        user_tcp_sock_flush(f);
        f->dead = f->dead || failed_unseen(f);
    }
    if (!f->dead) {
        more = to_guest(f, now_ns, &done);
    }
    if (is_over(f)) {
        user_tcp_flow_free(f);
        return done;
    }
    if (f->c.state == TCPS_TIME_WAIT) {
        enter_time_wait(f);
    }
    trim(f);
    arm(f, now_ns);
    if (more) {
        flow_queue(f, f->t->stalled ? &f->t->blocked : &f->t->active);
    }
    return done;
}

/* A turn for each connection that was there when the round began, while the budget lasts. */
static void run(struct user_tcp *t)
{
    int64_t now_ns = clock_get_ns(CLOCK_VIRTUAL);
    size_t done = 0;

    for (guint n = t->active.length; n && t->active.length && done < ROUND_BUDGET; n--) {
        struct tcp_flow *f = t->active.head->data;

        flow_queue(f, NULL);
        done += flow_work(f, now_ns) + FLOW_COST;
    }
    if (t->active.length) {
        bh_schedule(&t->bh);
    }
}

static void run_bh(void *opaque)
{
    struct user_tcp *t = opaque;

    if (t->accept_again) {
        t->accept_again = false;
        user_tcp_accept_all(t);
    }
    run(t);
}

static void events(void *opaque, GIOCondition revents)
{
    struct user_tcp *t = opaque;
    struct epoll_event ev[EVENTS_MAX];
    int n = epoll_wait(t->epfd, ev, EVENTS_MAX, 0);

    for (int i = 0; i < n; i++) {
        struct tcp_source *s = ev[i].data.ptr;
        uint32_t e = ev[i].events;

        s->got |= (uint8_t)((e & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR) ? TCP_GOT_IN : 0) | (e & (EPOLLOUT | EPOLLERR) ? TCP_GOT_OUT : 0) |
                            (e & (EPOLLRDHUP | EPOLLHUP) ? TCP_GOT_HUP : 0) | (e & EPOLLERR ? TCP_GOT_ERR : 0));
        if (!s->listener) {
            user_tcp_mark(container_of(s, struct tcp_flow, s));
        }
    }
    for (int i = 0; i < n; i++) {
        struct tcp_source *s = ev[i].data.ptr;

        if (s->listener) {
            user_tcp_accept(t, container_of(s, struct tcp_listener, s));
        }
    }
    run(t);
}

void user_tcp_ready(struct user_tcp *t)
{
    GList *l;

    t->stalled = false;
    while ((l = t->blocked.head)) {
        flow_queue(l->data, &t->active);
    }
    bh_schedule(&t->bh);
}

/* --- segments of the guest --------------------------------------------------------------------------------------------------- */

/* May a connection to there be the relay's? Not what libslirp answers itself, and nothing that is no host. */
static bool is_for_relay(const struct user *u, const struct tcp_key *key)
{
    struct in_addr a;

    if (key->six) {
        return u->cfg.ipv6 && memcmp(key->world, &u->cfg.dns6, 16) && key->world[0] != 0xFF && (key->world[0] != 0xFE || key->world[1] >= 0xC0);
    }
    memcpy(&a, key->world, 4);
    return u->cfg.ipv4 && a.s_addr != u->cfg.dns.s_addr && key->world[0] < 224 && key->world_port && !user_is_guestfwd(u, a, key->world_port);
}

static void new_connection(struct user_tcp *t, const struct tcp_key *key, const struct tcp_seg *s, const uint8_t *mac)
{
    bool pending = false;
    int fd = user_tcp_connect(t, key, &pending), err = errno;
    struct tcp_flow *f = user_tcp_flow_new(t, key, mac, fd);

    tcp_conn_passive(&f->c, s);
    f->connecting = pending;
    if (!key->six && !user_tcp_mac_of(t, user_tcp_guest_ip(f))) {
        user_tcp_ask_mac(f);                                /* so that the airlock hears who it is */
    }
    if (fd < 0) {
        refuse(f, err);
    } else if (!pending) {
        f->s.got = TCP_GOT_OUT;
        tcp_conn_accept(&f->c);
    }
    user_tcp_mark(f);
}

static bool is_plain_syn(const struct tcp_seg *s)
{
    return (s->flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) == TCP_SYN;
}

/* The connection of a segment. NULL: there is none */
static struct tcp_flow *flow_for(struct user_tcp *t, const struct tcp_key *key, const struct tcp_seg *s)
{
    struct tcp_flow *f = user_tcp_find(t, key);

    if (f && f->c.state == TCPS_TIME_WAIT && is_plain_syn(s)) {
        tcp_conn_close(&f->c, TCP_END_DONE);                /* RFC 9293 3.6.1: the ports are used again */
        user_tcp_remove(f);
        user_tcp_mark(f);
        return NULL;
    }
    return f;
}

bool user_tcp_input(struct user_tcp *t, const uint8_t *frame, size_t len, uint8_t flags)
{
    struct iovec iov = { (uint8_t *)(uintptr_t)frame, len };
    struct pkt_layout l;
    struct tcp_key key;
    struct tcp_seg s;
    struct tcp_flow *f;
    bool opening;

    pkt_parse(frame, len, len, &l);
    if (l.ethertype == ETHERTYPE_ARP && len >= ETH_HLEN + 28) {
        uint32_t ip;

        memcpy(&ip, frame + ETH_HLEN + 14, 4);
        user_tcp_learn(t, ip, frame + ETH_HLEN + 8);
    }
    if (l.l4 != PKT_L4_TCP || l.fragment || !l.l3_len_ok) {
        return false;
    }
    tcp_wire_parse(frame, &l, &key, &s);
    s.iov = &iov;
    s.iovcnt = 1;
    f = flow_for(t, &key, &s);
    if (!f && (!is_plain_syn(&s) || !is_for_relay(t->u, &key))) {
        return false;
    }
    if (!(flags & (PKT_NEEDS_CSUM | PKT_CSUM_VALID)) && csum_check_l4(&iov, 1, frame, &l) == CSUM_BAD) {
        t->drops[TCP_DROP_CHECKSUM]++;
        return true;
    }
    if (!f) {
        new_connection(t, &key, &s, frame + 6);
        return true;
    }
    opening = f->c.state == TCPS_SYN_RECEIVED;
    memcpy(f->c.guest_mac, frame + 6, 6);
    tcp_conn_input(&f->c, &s, clock_get_ns(CLOCK_VIRTUAL));
    if (opening && f->c.state == TCPS_ESTABLISHED) {
        airlock_announce(&t->u->air, clock_get_ns(CLOCK_RT), key.guest, key.six ? 16 : 4);
    }
    user_tcp_mark(f);
    return true;
}

/*
 * What the airlock would look at is looked at here too, as far as it can matter to our own parser: the lengths add up (pkt_parse), the frame is for
 * us, and its addresses are those of a connection, whose SYN has passed. Openings, and frames that have to be summed, go the long way.
 */
bool user_tcp_fast(struct user_tcp *t, const struct frame *frame)
{
    uint8_t hdr[FRAME_HDR_MAX];
    struct pkt_layout l;
    struct tcp_key key;
    struct tcp_seg s;
    struct tcp_flow *f;

    if (!(frame->meta.flags & (PKT_NEEDS_CSUM | PKT_CSUM_VALID)) || frame->meta.flags & PKT_VLAN) {
        return false;
    }
    pkt_parse(hdr, frame_copy_out(frame, 0, hdr, sizeof(hdr)), frame->len, &l);
    if (l.l4 != PKT_L4_TCP || l.fragment || !l.l3_len_ok || l.vlans || hdr[0] != 0x52 || (hdr[1] != 0x55 && hdr[1] != 0x56)) {
        return false;
    }
    tcp_wire_parse(hdr, &l, &key, &s);
    f = user_tcp_find(t, &key);
    if (!f || s.flags & TCP_SYN || f->c.state < TCPS_ESTABLISHED || f->c.state == TCPS_TIME_WAIT) {
        return false;
    }
    s.iov = frame->iov;
    s.iovcnt = frame->iovcnt;
    memcpy(f->c.guest_mac, hdr + 6, 6);
    t->u->air.passed++;
    tcp_conn_input(&f->c, &s, clock_get_ns(CLOCK_VIRTUAL));
    user_tcp_mark(f);
    return true;
}

/* --- life ----------------------------------------------------------------------------------------------------------------------- */

size_t user_tcp_memory(const struct user_tcp *t, unsigned *flows)
{
    *flows = t->all.length;
    return t->budget.used;
}

struct user_tcp *user_tcp_new(struct user *u, Error **errp)
{
    int epfd = epoll_create1(EPOLL_CLOEXEC);
    struct user_tcp *t;

    if (epfd < 0) {
        error_setg_errno(errp, errno, "netdev '%s': cannot create an epoll set", u->c.name);
        return NULL;
    }
    t = g_new0(struct user_tcp, 1);
    t->u = u;
    t->epfd = epfd;
    t->budget.max = TCP_MEMORY;
    t->next_port = 49152;
    t->listeners = g_ptr_array_new();
    if (getrandom(t->key, sizeof(t->key), 0) != sizeof(t->key) || getrandom(t->iss_key, sizeof(t->iss_key), 0) != sizeof(t->iss_key)) {
        for (unsigned i = 0; i < 2; i++) {
            t->key[i] = (uint64_t)g_random_int() << 32 | g_random_int();
            t->iss_key[i] = (uint64_t)g_random_int() << 32 | g_random_int();
        }
    }
    bh_init(&t->bh, "user-tcp", run_bh, t);
    loop_watch_set(&t->watch, epfd, G_IO_IN, events, t);
    u->c.own_drop_names = drop_names;
    u->c.own_drops = t->drops;
    u->c.n_own_drops = TCP_DROPS;
    return t;
}

void user_tcp_free(struct user_tcp *t)
{
    if (!t) {
        return;
    }
    t->u->c.n_own_drops = 0;
    loop_watch_del(&t->watch);
    bh_fini(&t->bh);
    while (t->all.head) {
        user_tcp_flow_free(t->all.head->data);
    }
    user_tcp_listeners_free(t);
    close(t->epfd);
    g_free(t);
}
