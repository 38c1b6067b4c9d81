/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/backends/stream_end.c - our end of a stream connection: listening, connecting, trying again
 *
 * A server has one peer at a time: while there is one the listener is not watched, and who else comes waits in the kernel's queue. Those that
 * have gone away by the time it is their turn are skipped without a word. When no descriptor is left for a peer the listener rests for a moment,
 * instead of waking us without end.
 *
 * A client tries all addresses of a name, then waits retry_ms. Names are asked for in a thread, each time anew.
 */
#include "net/backends/stream_end.h"
#include "lib/bits.h"
#include "qapi/jval.h"
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 1, ACCEPTS = 32, ACCEPT_REST_MS = 100, CONNECT_LIMIT_MS = 30000 };

static void attempt(struct stream_end *e);
static void next_target(struct stream_end *e, int err);

static void arm(struct stream_end *e, uint32_t ms)
{
    timer_arm(&e->retry, clock_get_ns(CLOCK_RT) + (int64_t)ms * NS_PER_MS);
}

static void now_up(struct stream_end *e, int fd)
{
    int one = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));       /* fails on a UNIX socket, which has no delay */
    timer_disarm(&e->retry);
    stream_wire_attach(&e->wire, fd);
    net_client_set_carrier(e->c, true);
    e->ops->connected(e);
}

/* --- server ---------------------------------------------------------------------------------------------------- */

static void listener_event(void *opaque, GIOCondition revents);

static void watch_listener(struct stream_end *e)
{
    loop_watch_set(&e->watch, e->fd, G_IO_IN, listener_event, e);
}

/* Connected, waited for us, and gave up. */
static bool has_gone(int fd)
{
    char c;

    return recv(fd, &c, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

static void listener_event(void *opaque, GIOCondition revents)
{
    struct stream_end *e = opaque;

    for (unsigned i = 0; i < ACCEPTS; i++) {
        int fd = channel_accept(e->fd);

        if (fd >= 0 && has_gone(fd)) {
            close(fd);
        } else if (fd >= 0) {
            loop_watch_del(&e->watch);
            now_up(e, fd);
            return;
        } else if (errno == EAGAIN) {
            return;
        } else if (errno != ECONNABORTED) {
            loop_watch_del(&e->watch);
            arm(e, ACCEPT_REST_MS);
            return;
        }
    }
}

static void remember_path(struct stream_end *e)
{
    struct stat st;

    if (e->addr.kind == CHANNEL_UNIX && !e->addr.abstract && lstat(e->addr.path, &st) == 0) {
        e->unlink_path = g_strdup(e->addr.path);
        e->unlink_dev = st.st_dev;
        e->unlink_ino = st.st_ino;
    }
}

static void remove_path(struct stream_end *e)
{
    struct stat st;

    /* unless somebody else listens there by now */
    if (e->unlink_path && lstat(e->unlink_path, &st) == 0 && st.st_dev == e->unlink_dev && st.st_ino == e->unlink_ino) {
        unlink(e->unlink_path);
    }
    g_clear_pointer(&e->unlink_path, g_free);
}

/* --- client ---------------------------------------------------------------------------------------------------- */

/* Every address was tried. */
static void attempt_failed(struct stream_end *e, const char *error)
{
    g_clear_pointer(&e->targets, g_free);
    timer_disarm(&e->retry);
    if (e->retry_ms) {
        arm(e, e->retry_ms);
    }
    e->ops->waiting(e, error);
}

static void attempt_failed_errno(struct stream_end *e, int err)
{
    g_autofree char *at = channel_addr_text(&e->addr);
    g_autofree char *text = g_strdup_printf("Failed to connect to '%s': %s", at, strerror(err));

    attempt_failed(e, text);
}

static void drop_pending(struct stream_end *e)
{
    loop_watch_del(&e->watch);
    if (e->fd >= 0) {
        close(e->fd);
        e->fd = -1;
    }
}

/* The pending connection is there, or failed. */
static void connect_event(void *opaque, GIOCondition revents)
{
    struct stream_end *e = opaque;
    int err = channel_connect_done(e->fd), fd = e->fd;

    loop_watch_del(&e->watch);
    if (err) {
        drop_pending(e);
        next_target(e, err);
        return;
    }
    e->fd = -1;
    g_clear_pointer(&e->targets, g_free);
    now_up(e, fd);
}

static void wait_connected(struct stream_end *e, int fd, bool pending)
{
    if (pending) {
        e->fd = fd;
        arm(e, CONNECT_LIMIT_MS);
        loop_watch_set(&e->watch, fd, G_IO_OUT, connect_event, e);
    } else {
        g_clear_pointer(&e->targets, g_free);
        now_up(e, fd);
    }
}

/* @err: why the one before did not work */
static void next_target(struct stream_end *e, int err)
{
    while (e->targets && e->next_target < e->targets->n) {
        bool pending;
        int fd = channel_connect_target(&e->addr, &e->targets->at[e->next_target++], &pending);

        if (fd >= 0) {
            wait_connected(e, fd, pending);
            return;
        }
        err = errno;
    }
    attempt_failed_errno(e, err);
}

static void try_targets(struct stream_end *e, struct channel_targets *t)
{
    g_free(e->targets);
    e->targets = t;
    e->next_target = 0;
    next_target(e, EADDRNOTAVAIL);
}

static void looked_up(void *opaque, struct channel_targets *t, const char *error)
{
    struct stream_end *e = opaque;

    e->lookup = NULL;
    if (t) {
        try_targets(e, t);
    } else {
        attempt_failed(e, error);
    }
}

static void attempt_inet(struct stream_end *e)
{
    struct channel_targets *t = channel_targets_numeric(&e->addr, NULL);

    if (t) {
        try_targets(e, t);
    } else {
        e->lookup = channel_lookup(&e->addr, looked_up, e);
    }
}

static void attempt(struct stream_end *e)
{
    g_autoptr(Error) err = NULL;
    bool pending;
    int fd;

    if (e->addr.kind == CHANNEL_INET) {
        attempt_inet(e);
        return;
    }
    fd = channel_connect(&e->addr, &pending, &err);
    if (fd < 0) {
        attempt_failed(e, error_text(err));
    } else {
        wait_connected(e, fd, pending);
    }
}

/* Time to try again; or a connection attempt has taken too long; or a listener has rested. */
static void retry_fired(void *opaque)
{
    struct stream_end *e = opaque;

    if (e->server) {
        watch_listener(e);
    } else if (e->fd >= 0) {
        drop_pending(e);
        next_target(e, ETIMEDOUT);
    } else if (!e->lookup && !stream_wire_connected(&e->wire)) {
        attempt(e);
    }
}

/* --- both ------------------------------------------------------------------------------------------------------ */

static void wire_gone(void *opaque, const char *why)
{
    struct stream_end *e = opaque;

    stream_wire_detach(&e->wire);
    net_client_set_carrier(e->c, false);
    e->ops->lost(e, why);
    if (e->server) {
        watch_listener(e);
    } else if (e->retry_ms) {
        arm(e, e->retry_ms);
    }
    e->ops->waiting(e, NULL);
}

static bool check_fd(struct stream_end *e, Error **errp)
{
    int type = 0, listening = 0;
    socklen_t len = sizeof(type);
    struct sockaddr_storage ss;
    socklen_t sslen = sizeof(ss);

    if (getsockopt(e->addr.fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0 || type != SOCK_STREAM) {
        error_setg(errp, "netdev '%s': file descriptor %d is not a stream socket", e->c->name, e->addr.fd);
        return false;
    }
    len = sizeof(listening);
    getsockopt(e->addr.fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len);
    if (e->server != !!listening) {
        error_setg(errp, "netdev '%s': file descriptor %d is %sa listening socket", e->c->name, e->addr.fd, listening ? "" : "not ");
        return false;
    }
    if (!e->server && getpeername(e->addr.fd, (void *)&ss, &sslen) < 0) {
        error_setg_errno(errp, errno, "netdev '%s': file descriptor %d", e->c->name, e->addr.fd);
        return false;
    }
    if (!channel_nonblock(e->addr.fd)) {
        error_setg_errno(errp, errno, "Can't set file descriptor %d non-blocking", e->addr.fd);
        return false;
    }
    return true;
}

static bool open_server(struct stream_end *e, Error **errp)
{
    e->addr.backlog = BACKLOG;
    e->fd = channel_listen(&e->addr, errp);
    if (e->fd < 0) {
        return false;
    }
    remember_path(e);
    e->ops->waiting(e, NULL);
    watch_listener(e);
    return true;
}

bool stream_end_open(struct stream_end *e, Error **errp)
{
    e->fd = -1;
    e->opened = true;
    timer_setup(&e->retry, CLOCK_RT, retry_fired, e);
    stream_wire_init(&e->wire, e->c, wire_gone, e);
    net_client_set_carrier(e->c, false);
    if (e->addr.kind == CHANNEL_FD && !check_fd(e, errp)) {
        return false;
    }
    if (e->server) {
        return open_server(e, errp);
    }
    if (e->addr.kind == CHANNEL_FD) {
        e->retry_ms = 0;
        now_up(e, e->addr.fd);
        return true;
    }
    e->ops->waiting(e, NULL);
    attempt(e);
    return true;
}

void stream_end_close(struct stream_end *e)
{
    if (e->opened) {
        timer_fini(&e->retry);
        channel_lookup_cancel(g_steal_pointer(&e->lookup));
        g_clear_pointer(&e->targets, g_free);
        stream_wire_fini(&e->wire);
        drop_pending(e);
        remove_path(e);
        e->opened = false;
    }
    g_free((char *)e->addr.host);
    g_free((char *)e->addr.port);
    g_free((char *)e->addr.path);
    e->addr = (struct channel_addr){ 0 };
}

/* --- who is there ---------------------------------------------------------------------------------------------- */

static struct jval *describe_unix(const char *path, bool abstract, bool tight, char **text)
{
    struct jval *d = jval_dict();

    jval_set_str(d, "path", path);
    if (abstract) {
        jval_set_bool(d, "abstract", true);
        jval_set_bool(d, "tight", tight);
    }
    jval_set_str(d, "type", "unix");
    *text = g_strdup_printf("unix:%s", path);
    return d;
}

/* By the peer's name, or where it has none (a client of ours) by our own. */
static struct jval *describe_unix_socket(int fd, char **text)
{
    const size_t off = offsetof(struct sockaddr_un, sun_path);

    for (unsigned own = 0; own < 2; own++) {
        struct sockaddr_un un = { 0 };
        socklen_t len = sizeof(un);
        g_autofree char *path = NULL;

        if ((own ? getsockname(fd, (void *)&un, &len) : getpeername(fd, (void *)&un, &len)) < 0 || len <= off) {
            continue;
        }
        len = MIN(len, (socklen_t)sizeof(un));
        if (un.sun_path[0]) {
            path = g_strndup(un.sun_path, len - off);
            return describe_unix(path, false, false, text);
        }
        path = g_strndup(un.sun_path + 1, len - off - 1);
        return describe_unix(path, true, len < sizeof(un), text);
    }
    return describe_unix("", false, false, text);
}

struct jval *stream_end_peer(const struct stream_end *e, char **text)
{
    struct sockaddr_storage ss = { 0 };
    socklen_t len = sizeof(ss);
    char host[64] = "", port[16] = "";
    struct jval *d;

    if (e->addr.kind == CHANNEL_UNIX) {
        return describe_unix(e->addr.path, e->addr.abstract, !e->addr.loose, text);
    }
    if (getpeername(e->wire.fd, (void *)&ss, &len) < 0 || ss.ss_family == AF_UNIX) {
        return describe_unix_socket(e->wire.fd, text);
    }
    getnameinfo((void *)&ss, MIN(len, (socklen_t)sizeof(ss)), host, sizeof(host), port, sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV);
    d = jval_dict();
    jval_set_str(d, "port", port);
    jval_set_bool(d, ss.ss_family == AF_INET6 ? "ipv6" : "ipv4", true);
    jval_set_str(d, "host", host);
    jval_set_str(d, "type", "inet");
    *text = g_strdup_printf("tcp:%s:%s", host, port);
    return d;
}
