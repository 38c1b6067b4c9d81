/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * softmmu/chardev/socket.c - a stream socket, as server or as client, with telnet on demand
 *
 *   server:  LISTENING --accept--> CONNECTED --hang-up--> LISTENING      one peer; others wait in the kernel's backlog
 *   client:  CONNECTING --ok--> CONNECTED --hang-up--> IDLE --timer (reconnect-ms)--> CONNECTING
 *
 * Nothing waits for a peer but wait=on at start-up (which the user asked for) and the first connect of a client without
 * reconnect-ms, bounded by CONNECT_TIMEOUT_MS. On a UNIX socket up to MAX_FDS descriptors may come along with the data.
 */
#include "chardev_internal.h"
#include "core/channel.h"
#include "core/timer.h"
#include "telnet.h"
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONNECT_TIMEOUT_MS 10000
#define MIN_RECONNECT_MS   100
#define MAX_FDS            16

enum state { SOCK_IDLE, SOCK_LISTENING, SOCK_CONNECTING, SOCK_CONNECTED };

struct sock_chr {
    struct chardev c;
    struct fdio io;
    struct channel_addr addr;       /* its strings are ours */
    enum state state;
    bool server, fd_connected;      /* the address is an already connected descriptor */
    uint32_t reconnect_ms;
    int listen_fd, fd;              /* -1: none */
    struct loop_watch watch;        /* of listen_fd, or of fd while connecting */
    struct timer retry;
    struct telnet *telnet;          /* NULL: raw */
    char *unlink_path;              /* our UNIX socket, removed at the end */
};

static void connect_start(struct sock_chr *s);
static void on_accept(void *opaque, GIOCondition ev);

static void watch_listener(struct sock_chr *s)
{
    loop_watch_set(&s->watch, s->listen_fd, G_IO_IN, on_accept, s);
}

static void went_idle(struct sock_chr *s)
{
    if (s->server && s->listen_fd >= 0) {
        s->state = SOCK_LISTENING;
        watch_listener(s);
        return;
    }
    s->state = SOCK_IDLE;
    if (!s->server && s->reconnect_ms) {
        timer_arm(&s->retry, clock_get_ns(CLOCK_RT) + MAX(s->reconnect_ms, MIN_RECONNECT_MS) * NS_PER_MS);
    }
}

static void disconnected(struct fdio *f)
{
    struct sock_chr *s = (struct sock_chr *)f->c;

    loop_watch_del(&f->in);
    loop_watch_del(&f->out);
    f->in_fd = f->out_fd = -1;
    g_byte_array_set_size(f->outq, 0);
    close(s->fd);
    s->fd = -1;
    s->state = SOCK_IDLE;
    chardev_be_set_connected(f->c, false);
    went_idle(s);
}

static ssize_t recv_with_fds(struct fdio *f, void *buf, size_t len)
{
    union {
        struct cmsghdr align;
        char buf[CMSG_SPACE(sizeof(int) * MAX_FDS)];
    } ctl;
    struct iovec iov = { buf, len };
    struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &ctl, .msg_controllen = sizeof(ctl) };
    ssize_t n = recvmsg(f->in_fd, &msg, MSG_CMSG_CLOEXEC);

    for (struct cmsghdr *c = n < 0 ? NULL : CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c)) {
        size_t nfds = c->cmsg_len > CMSG_LEN(0) ? (c->cmsg_len - CMSG_LEN(0)) / sizeof(int) : 0;

        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        for (size_t i = 0; i < nfds; i++) {
            int fd;

            memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
            if (f->c->fds.length < MAX_FDS) {
                g_queue_push_tail(&f->c->fds, GINT_TO_POINTER(fd + 1));
            } else {
                close(fd);
            }
        }
    }
    return n;
}

static size_t decode_telnet(struct fdio *f, uint8_t *buf, size_t len)
{
    struct sock_chr *s = (struct sock_chr *)f->c;
    bool brk = false;
    size_t n = telnet_decode(s->telnet, buf, len, &brk);

    if (brk) {
        chardev_be_event(f->c, CHARDEV_BREAK);
    }
    return n;
}

static void connected(struct sock_chr *s, int fd)
{
    loop_watch_del(&s->watch);
    s->fd = fd;
    s->state = SOCK_CONNECTED;
    fdio_init(&s->io, &s->c, fd, fd, false);
    g_byte_array_set_size(s->io.pending, 0);    /* of the one before */
    s->io.watch_hup = true;
    s->io.hangup = disconnected;
    s->io.recv = channel_is_unix(fd) ? recv_with_fds : NULL;
    s->io.decode = s->telnet ? decode_telnet : NULL;
    if (s->telnet) {
        telnet_reset(s->telnet);
        fdio_write(&s->io, telnet_greeting, TELNET_GREETING_LEN);
    }
    chardev_be_set_connected(&s->c, true);
    if (s->state == SOCK_CONNECTED) {
        fdio_read_update(&s->io);
    }
}

static void on_accept(void *opaque, GIOCondition ev)
{
    struct sock_chr *s = opaque;
    int fd = channel_accept(s->listen_fd);

    if (fd >= 0) {
        connected(s, fd);
    } else if (errno == EMFILE || errno == ENFILE) {
        loop_watch_del(&s->watch);      /* no descriptors left: look again in a moment instead of spinning */
        timer_arm(&s->retry, clock_get_ns(CLOCK_RT) + NS_PER_SEC);
    }
}

static void on_connecting(void *opaque, GIOCondition ev)
{
    struct sock_chr *s = opaque;
    int fd = s->fd;

    loop_watch_del(&s->watch);
    s->fd = -1;
    if (channel_connect_done(fd) == 0) {
        connected(s, fd);
    } else {
        close(fd);
        went_idle(s);
    }
}

static void connect_start(struct sock_chr *s)
{
    bool pending;
    int fd = channel_connect(&s->addr, &pending, NULL);

    if (fd < 0) {
        went_idle(s);
    } else if (pending) {
        s->fd = fd;
        s->state = SOCK_CONNECTING;
        loop_watch_set(&s->watch, fd, G_IO_OUT, on_connecting, s);
    } else {
        connected(s, fd);
    }
}

static void on_retry(void *opaque)
{
    struct sock_chr *s = opaque;

    if (s->state == SOCK_IDLE && !s->server) {
        connect_start(s);
    } else if (s->state == SOCK_LISTENING) {
        watch_listener(s);
    }
}

/* ---- opening ---- */

static bool take_addr(struct sock_chr *s, const ChardevSocket *o, Error **errp)
{
    struct channel_addr *a = &s->addr;

    if (!!o->path + !!o->port + !!o->fd != 1) {
        error_setg(errp, o->host && !o->port ? "chardev: socket: no port given" :
                   "'path', 'host' and 'port', or 'fd' is needed, and only one of them");
        return false;
    }
    if (o->path) {
        a->kind = CHANNEL_UNIX;
        a->path = g_strdup(o->path);
        a->abstract = o->abstract;
        a->loose = o->has_tight && !o->tight;
    } else if (o->port) {
        a->kind = CHANNEL_INET;
        a->host = g_strdup(o->host);
        a->port = g_strdup(o->port);
        a->to = o->has_to ? o->to : 0;
        a->only4 = o->has_ipv4 && o->ipv4;
        a->only6 = o->has_ipv6 && o->ipv6;
    } else {
        a->kind = CHANNEL_FD;
        if (!channel_fd_parse(o->fd, &a->fd, errp)) {
            return false;
        }
    }
    return true;
}

static bool check_options(struct sock_chr *s, const ChardevSocket *o, Error **errp)
{
    if (o->has_websocket && o->websocket) {
        error_setg(errp, "websocket=on is not built yet");
        return false;
    }
    if (o->has_reconnect && o->has_reconnect_ms) {
        error_setg(errp, "'reconnect' and 'reconnect-ms' are mutually exclusive");
        return false;
    }
    if (s->server && s->reconnect_ms) {
        error_setg(errp, "'reconnect' option is incompatible with socket in server listen mode");
        return false;
    }
    if (!s->server && o->has_wait && o->wait) {
        error_setg(errp, "'wait' option is incompatible with socket in client connect mode");
        return false;
    }
    return true;
}

static bool wait_for_client(struct sock_chr *s, Error **errp)
{
    char *text = chardev_describe(&s->c);
    int fd = -1;

    info_report("waiting for connection on: %s", text);
    g_free(text);
    while (fd < 0) {
        struct pollfd p = { .fd = s->listen_fd, .events = POLLIN };

        if (poll(&p, 1, -1) < 0 && errno != EINTR) {
            error_setg_errno(errp, errno, "Failed to wait for a connection");
            return false;
        }
        fd = channel_accept(s->listen_fd);
    }
    connected(s, fd);
    return true;
}

static bool open_server(struct sock_chr *s, bool wait, Error **errp)
{
    s->listen_fd = channel_listen(&s->addr, errp);
    if (s->listen_fd < 0) {
        return false;
    }
    if (s->addr.kind == CHANNEL_UNIX && !s->addr.abstract) {
        s->unlink_path = g_strdup(s->addr.path);
    }
    s->state = SOCK_LISTENING;
    if (wait) {
        return wait_for_client(s, errp);
    }
    watch_listener(s);
    return true;
}

static bool open_client(struct sock_chr *s, Error **errp)
{
    bool pending;
    struct pollfd p = { .events = POLLOUT };
    int err;

    if (s->reconnect_ms) {
        connect_start(s);
        return true;
    }
    p.fd = channel_connect(&s->addr, &pending, errp);
    if (p.fd < 0) {
        return false;
    }
    if (pending) {
        err = poll(&p, 1, CONNECT_TIMEOUT_MS) == 1 ? channel_connect_done(p.fd) : ETIMEDOUT;
        if (err) {
            char *text = channel_addr_text(&s->addr);

            error_setg_errno(errp, err, "Failed to connect to '%s'", text);
            g_free(text);
            close(p.fd);
            return false;
        }
    }
    connected(s, p.fd);
    return true;
}

static bool sock_open(struct chardev *c, const ChardevOptions *o, Error **errp)
{
    struct sock_chr *s = (struct sock_chr *)c;
    const ChardevSocket *so = &o->u.socket;

    s->listen_fd = s->fd = -1;
    s->addr.fd = -1;
    timer_setup(&s->retry, CLOCK_RT, on_retry, s);
    s->server = so->has_server && so->server;
    s->reconnect_ms = so->has_reconnect_ms ? so->reconnect_ms : so->has_reconnect ? MIN(so->reconnect,
                                                                                        4000000u) * 1000 : 0;
    if (!take_addr(s, so, errp) || !check_options(s, so, errp)) {
        return false;
    }
    if (so->has_telnet && so->telnet) {
        s->telnet = telnet_new();
    }
    return s->server ? open_server(s, !so->has_wait || so->wait, errp) : open_client(s, errp);
}

/* ---- the rest ---- */

static size_t sock_write(struct chardev *c, const uint8_t *buf, size_t len)
{
    struct sock_chr *s = (struct sock_chr *)c;

    if (s->state != SOCK_CONNECTED) {
        return len;
    }
    if (s->telnet && memchr(buf, TELNET_IAC, len)) {
        size_t done = 0;

        while (done < len) {        /* 0xFF is sent twice: RFC 854 */
            const uint8_t twice[2] = { buf[done], buf[done] };

            if (CHARDEV_QUEUE_MAX - fdio_queued(&s->io) < 2 || !fdio_write(&s->io, twice, twice[0] == TELNET_IAC ? 2 :
                                                                           1)) {
                break;
            }
            done++;
        }
        return done;
    }
    return fdio_write(&s->io, buf, len);
}

static size_t sock_queued(const struct chardev *c)
{
    return fdio_queued(&((const struct sock_chr *)c)->io);
}

static void sock_read_update(struct chardev *c)
{
    struct sock_chr *s = (struct sock_chr *)c;

    if (s->io.outq) {
        fdio_read_update(&s->io);
    }
}

static char *sock_describe(const struct chardev *c)
{
    const struct sock_chr *s = (const struct sock_chr *)c;
    const char *kind = s->addr.kind == CHANNEL_UNIX ? "unix" : s->addr.kind == CHANNEL_FD ? "fd" : s->telnet ?
        "telnet" : "tcp";
    char *addr, *peer, *text;

    if (s->addr.kind == CHANNEL_INET && s->listen_fd >= 0) {
        addr = channel_name(s->listen_fd, false);       /* the real port */
    } else {
        addr = channel_addr_text(&s->addr);
    }
    peer = s->state == SOCK_CONNECTED && s->addr.kind == CHANNEL_INET ? channel_name(s->fd, true) : NULL;
    text = g_strdup_printf("%s%s:%s%s%s%s", s->state == SOCK_CONNECTED ? "" : "disconnected:", kind, addr,
                           s->server ? ",server=on" : "", peer ? " <-> " : "", peer ? peer : "");
    g_free(addr);
    g_free(peer);
    return text;
}

static void sock_close(struct chardev *c)
{
    struct sock_chr *s = (struct sock_chr *)c;

    timer_fini(&s->retry);
    loop_watch_del(&s->watch);
    if (s->state == SOCK_CONNECTED && s->io.outq && s->io.outq->len) {
        if (write(s->fd, s->io.outq->data, s->io.outq->len) < 0) {
            s->io.lost += s->io.outq->len;      /* last words that nobody reads */
        }
    }
    fdio_close(&s->io);
    if (s->fd >= 0) {
        close(s->fd);
    }
    if (s->listen_fd >= 0) {
        close(s->listen_fd);
    }
    if (s->unlink_path) {
        unlink(s->unlink_path);
        g_free(s->unlink_path);
    }
    telnet_free(s->telnet);
    g_free((char *)s->addr.path);
    g_free((char *)s->addr.host);
    g_free((char *)s->addr.port);
}

const struct chardev_ops chardev_socket_ops = {
    .kind = "socket",
    .size = sizeof(struct sock_chr),
    .open = sock_open,
    .write = sock_write,
    .queued = sock_queued,
    .read_update = sock_read_update,
    .describe = sock_describe,
    .close = sock_close,
};
