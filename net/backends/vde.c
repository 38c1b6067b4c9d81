/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/backends/vde.c - -netdev vde: a port of a VDE switch, or any other network that libvdeplug knows by URL
 *
 * States: OPEN; LOST, while a timer runs; TRYING, while a thread is inside vde_open(), which may wait for a switch that does not answer.
 * The switch's death is seen on the library's control descriptor, which delivers nothing but its end. Then the link goes down (link=follow,
 * the default) and the port is opened anew every second until it is there. The first open is waited for, OPEN_LIMIT_S at most, so that its
 * error is reported to who asked for the port.
 *
 * The library takes and gives one frame a call. A frame for a switch whose queue is full waits (BUSY) for the data socket to be writable,
 * or a moment where that says nothing. Errors of single frames (a ptp:// peer that is not there) are counted.
 */
#include "core/channel.h"
#include "core/timer.h"
#include "lib/bits.h"
#include "net/backends.h"
#include "qapi/qapi-types.h"
#include <errno.h>
#include <libvdeplug.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    RX_BUDGET = 64,                         /* frames a wake-up */
    BUFFER = FRAME_MAX + 4,
    RETRY_MS = 1000,
    OPEN_LIMIT_S = 5,
    MODE = 0700,
};
#define PAUSE_NS (1 * NS_PER_MS)

enum vde_state { VDE_OPEN, VDE_LOST, VDE_TRYING };

enum vde_drop { VDE_DROP_REFUSED, VDE_DROP_TOO_BIG, VDE_DROP_ERROR, VDE_DROPS };
static const char *const drop_names[VDE_DROPS] = {
    [VDE_DROP_REFUSED] = "nobody-there", [VDE_DROP_TOO_BIG] = "too-big-to-send", [VDE_DROP_ERROR] = "send-error",
};

/* An attempt to open, in a thread of its own. */
struct vde;
struct attempt {
    GMutex lock;                            /* finished, detached */
    GCond cond;
    bool finished;
    bool detached;                          /* nobody waits for cond: attempt_done() is to run in the main loop */
    struct vde *owner;                      /* detached: NULL: nobody wants it any more; main loop only */
    char *url, *group, *descr;
    struct vde_open_args args;
    VDECONN *conn;
    int err;
};

struct vde {
    struct net_client c;
    enum vde_state state;
    VDECONN *conn;
    char *url;                              /* "": the library's default */
    char *group;
    struct vde_open_args args;
    struct loop_watch rx_watch, tx_watch, ctl_watch;
    struct timer timer;                     /* LOST: the next attempt; OPEN: end of a pause in sending */
    struct attempt *attempt;
    uint8_t *buf, *scratch;
    size_t left;                            /* length of the frame in buf that the peer did not take; 0: none */
    bool rx_on, said_busy, paused;
    uint64_t drops[VDE_DROPS];
};

static void update_reading(struct vde *v);

/* --- connection ------------------------------------------------------------------------------------------------------ */

static void lost(struct vde *v);

static void control_event(void *opaque, GIOCondition got)
{
    struct vde *v = opaque;
    char b[64];

    if (!(got & (G_IO_HUP | G_IO_ERR | G_IO_NVAL)) && recv(v->ctl_watch.fd, b, sizeof(b), MSG_DONTWAIT) > 0) {
        return;
    }
    lost(v);
}

static void connected(struct vde *v, VDECONN *conn)
{
    int fd = vde_datafd(conn), ctl = vde_ctlfd(conn);

    v->conn = conn;
    v->state = VDE_OPEN;
    channel_nonblock(fd);
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &(int){ 1 << 20 }, sizeof(int));
    if (ctl >= 0) {
        loop_watch_set(&v->ctl_watch, ctl, G_IO_IN, control_event, v);
    }
    net_client_set_info(&v->c, "sock=%s,fd=%d", v->url, fd);
    update_reading(v);
}

static void disconnect(struct vde *v)
{
    loop_watch_del(&v->rx_watch);
    loop_watch_del(&v->tx_watch);
    loop_watch_del(&v->ctl_watch);
    timer_disarm(&v->timer);
    v->paused = false;
    if (v->conn) {
        vde_close(v->conn);
        v->conn = NULL;
    }
}

static void lost(struct vde *v)
{
    warn_report("netdev '%s': the VDE switch '%s' is gone", v->c.name, v->url);
    disconnect(v);
    v->state = VDE_LOST;
    timer_arm(&v->timer, clock_get_ns(CLOCK_RT) + RETRY_MS * NS_PER_MS);
    net_client_set_info(&v->c, "sock=%s,disconnected", v->url);
    net_client_set_carrier(&v->c, false);
    if (v->said_busy) {
        v->said_busy = false;
        net_client_flush(&v->c);
    }
}

/* --- opening --------------------------------------------------------------------------------------------------------- */

static void attempt_free(struct attempt *a)
{
    if (a->conn) {
        vde_close(a->conn);
    }
    g_mutex_clear(&a->lock);
    g_cond_clear(&a->cond);
    g_free(a->url);
    g_free(a->group);
    g_free(a->descr);
    g_free(a);
}

static void attempt_done(void *opaque)
{
    struct attempt *a = opaque;
    struct vde *v = a->owner;

    if (v) {
        v->attempt = NULL;
        if (a->conn) {
            info_report("netdev '%s': the VDE switch '%s' is back", v->c.name, v->url);
            connected(v, g_steal_pointer(&a->conn));
            net_client_set_carrier(&v->c, true);
        } else {
            v->state = VDE_LOST;
            timer_arm(&v->timer, clock_get_ns(CLOCK_RT) + RETRY_MS * NS_PER_MS);
        }
    }
    attempt_free(a);
}

static void *attempt_thread(void *opaque)
{
    struct attempt *a = opaque;
    bool detached;

    errno = 0;
    a->conn = vde_open(*a->url ? a->url : NULL, a->descr, &a->args);
    a->err = errno ? errno : ENOENT;
    g_mutex_lock(&a->lock);
    a->finished = true;
    detached = a->detached;
    g_cond_signal(&a->cond);
    g_mutex_unlock(&a->lock);
    if (detached) {                         /* else it belongs to who waited, and may be gone */
        loop_oneshot(attempt_done, a);
    }
    return NULL;
}

/* NULL: errno */
static struct attempt *attempt_start(struct vde *v, bool detached)
{
    struct attempt *a = g_new0(struct attempt, 1);
    GThread *t;

    g_mutex_init(&a->lock);
    g_cond_init(&a->cond);
    a->owner = v;
    a->detached = detached;
    a->url = g_strdup(v->url);
    a->group = g_strdup(v->group);
    a->descr = g_strdup_printf("Patchbay %s", v->c.name);
    a->args = v->args;
    a->args.group = a->group;
    t = g_thread_try_new("vde-open", attempt_thread, a, NULL);
    if (!t) {
        attempt_free(a);
        errno = EAGAIN;
        return NULL;
    }
    g_thread_unref(t);
    return a;
}

static void try_again(struct vde *v)
{
    v->attempt = attempt_start(v, true);
    if (v->attempt) {
        v->state = VDE_TRYING;
    } else {
        timer_arm(&v->timer, clock_get_ns(CLOCK_RT) + RETRY_MS * NS_PER_MS);
    }
}

/* On the spot. NULL: errno; ETIMEDOUT: the switch does not answer, the thread is left to itself */
static VDECONN *open_now(struct vde *v)
{
    int64_t end = g_get_monotonic_time() + OPEN_LIMIT_S * G_USEC_PER_SEC;
    struct attempt *a = attempt_start(v, false);
    VDECONN *conn;
    int err;

    if (!a) {
        return NULL;
    }
    g_mutex_lock(&a->lock);
    while (!a->finished && g_cond_wait_until(&a->cond, &a->lock, end)) {
    }
    if (!a->finished) {
        a->owner = NULL;
        a->detached = true;
        g_mutex_unlock(&a->lock);
        errno = ETIMEDOUT;
        return NULL;
    }
    g_mutex_unlock(&a->lock);
    conn = g_steal_pointer(&a->conn);
    err = a->err;
    attempt_free(a);
    errno = err;
    return conn;
}

/* --- switch to guest ------------------------------------------------------------------------------------------------- */

/* The frame in buf; false: it has to wait. */
static bool deliver(struct vde *v)
{
    struct frame f;

    if (v->left) {
        if (!net_can_send(&v->c) || !frame_from_buf(&f, v->buf, v->left) || net_send(&v->c, &f) == NET_TX_BUSY) {
            return false;
        }
        v->left = 0;
    }
    return true;
}

static void readable(void *opaque, GIOCondition got)
{
    struct vde *v = opaque;

    if (got & G_IO_NVAL) {
        lost(v);
        return;
    }
    for (unsigned n = RX_BUDGET; n && v->rx_on && v->conn && deliver(v) && net_can_send(&v->c); n--) {
        ssize_t len = vde_recv(v->conn, v->buf, BUFFER, MSG_DONTWAIT);

        if (len <= 0 && (got & (G_IO_HUP | G_IO_ERR)) && (len == 0 || errno != EAGAIN)) {
            lost(v);                        /* networks over pipes and streams end here, they have no control descriptor */
            return;
        }
        if (len < 0) {
            break;
        }
        v->left = len <= 1 || len > FRAME_MAX ? 0 : (size_t)len;     /* 1: the library has dealt with it; 0: an empty datagram */
    }
    if (v->conn) {
        update_reading(v);
    }
}

static void update_reading(struct vde *v)
{
    bool on = v->rx_on && v->conn && deliver(v) && net_can_send(&v->c);

    if (v->conn) {
        loop_watch_set(&v->rx_watch, vde_datafd(v->conn), on ? G_IO_IN : 0, readable, v);
    }
}

static void vde_rx_enable(struct net_client *c, bool on)
{
    struct vde *v = container_of(c, struct vde, c);

    v->rx_on = on;
    if (!on) {
        v->left = 0;
    }
    update_reading(v);
}

static void vde_tx_ready(struct net_client *c)
{
    update_reading(container_of(c, struct vde, c));
}

/* --- guest to switch ------------------------------------------------------------------------------------------------- */

static void resume(struct vde *v)
{
    loop_watch_del(&v->tx_watch);
    v->said_busy = false;
    net_client_flush(&v->c);
}

static void writable(void *opaque, GIOCondition got)
{
    struct vde *v = opaque;

    v->paused = true;                       /* if it is full even so, it cannot tell: wait by time */
    resume(v);
}

static void timer_fired(void *opaque)
{
    struct vde *v = opaque;

    if (v->state == VDE_LOST) {
        try_again(v);
    } else {
        resume(v);
    }
}

static enum net_tx vde_send_frame(struct net_client *c, const struct frame *f)
{
    struct vde *v = container_of(c, struct vde, c);
    const void *p = frame_peek(f, 0, f->len, v->scratch);

    if (!v->conn) {
        v->drops[VDE_DROP_REFUSED]++;
        return NET_TX_DROP;
    }
    if (vde_send(v->conn, p, f->len, MSG_DONTWAIT) >= 0) {
        v->paused = false;
        return NET_TX_DONE;
    }
    switch (errno) {
    case EAGAIN: case ENOBUFS: case ENOMEM:
        v->said_busy = true;
        if (errno == EAGAIN && !v->paused) {
            loop_watch_set(&v->tx_watch, vde_datafd(v->conn), G_IO_OUT, writable, v);
        } else {
            timer_arm(&v->timer, clock_get_ns(CLOCK_RT) + PAUSE_NS);
        }
        return NET_TX_BUSY;
    case EMSGSIZE:
        v->drops[VDE_DROP_TOO_BIG]++;
        return NET_TX_DROP;
    case ECONNREFUSED: case ENOENT: case ENOTCONN: case ECONNRESET: case EPIPE:
        v->drops[VDE_DROP_REFUSED]++;
        return NET_TX_DROP;
    default:
        v->drops[VDE_DROP_ERROR]++;
        return NET_TX_DROP;
    }
}

static uint32_t vde_offloads(const struct net_client *c)
{
    return 0;
}

/* --- life ------------------------------------------------------------------------------------------------------------ */

static bool vde_open_port(struct net_client *c, const void *cfg, Error **errp)
{
    struct vde *v = container_of(c, struct vde, c);
    const NetdevVde *o = cfg;
    VDECONN *conn;

    v->url = g_strdup(o->sock ? o->sock : "");
    v->group = g_strdup(o->group);
    v->args = (struct vde_open_args){ .port = o->has_port ? o->port : 0, .group = v->group, .mode = o->has_mode ? o->mode : MODE };
    v->buf = g_malloc(BUFFER);
    v->scratch = g_malloc(FRAME_MAX);
    v->state = VDE_LOST;
    timer_setup(&v->timer, CLOCK_RT, timer_fired, v);
    c->own_drop_names = drop_names;
    c->own_drops = v->drops;
    c->n_own_drops = VDE_DROPS;
    conn = open_now(v);
    if (!conn) {
        error_setg_errno(errp, errno, "Could not open vde");
        return false;
    }
    connected(v, conn);
    return true;
}

static void vde_close_port(struct net_client *c)
{
    struct vde *v = container_of(c, struct vde, c);

    disconnect(v);
    timer_fini(&v->timer);
    if (v->attempt) {
        v->attempt->owner = NULL;
        v->attempt = NULL;
    }
    c->n_own_drops = 0;
    g_free(v->url);
    g_free(v->group);
    g_free(v->buf);
    g_free(v->scratch);
}

const struct net_backend_ops net_backend_vde = {
    .kind = "vde", .size = sizeof(struct vde), .open = vde_open_port, .send = vde_send_frame, .rx_enable = vde_rx_enable,
    .tx_ready = vde_tx_ready, .offloads = vde_offloads, .close = vde_close_port, .follows = true,
};
