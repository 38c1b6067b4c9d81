/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/backends/user_tcp_sock.c - the host's side of the relay's connections: sockets, and the epoll set that they are in
 *
 * A socket is put into the set once, for all events, edge triggered. What it has said stays noted in tcp_source.got; a call that finds nothing
 * more takes the note away. So a busy connection makes no system call but those that move bytes, and an idle one costs nothing.
 */
#include "lib/iov.h"
#include "net/backends/user_int.h"
#include "net/backends/user_tcp.h"
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

bool user_tcp_epoll_add(struct user_tcp *t, struct tcp_source *s)
{
    struct epoll_event ev = { .events = EPOLLIN | EPOLLET | (s->listener ? 0 : (uint32_t)(EPOLLOUT | EPOLLRDHUP)), .data.ptr = s };

    return epoll_ctl(t->epfd, EPOLL_CTL_ADD, s->fd, &ev) == 0;
}

/* Addresses of the virtual network are this host (the name server and guestfwd= are not for the relay). */
static socklen_t destination(const struct user *u, const struct tcp_key *key, struct sockaddr_storage *out)
{
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)out;
    struct sockaddr_in *four = (struct sockaddr_in *)out;

    memset(out, 0, sizeof(*out));
    if (key->six) {
        six->sin6_family = AF_INET6;
        six->sin6_port = htons(key->world_port);
        memcpy(&six->sin6_addr, key->world, 16);
        if (user_in_prefix(&u->cfg, &six->sin6_addr)) {
            six->sin6_addr = in6addr_loopback;
        }
        return sizeof(*six);
    }
    four->sin_family = AF_INET;
    four->sin_port = htons(key->world_port);
    memcpy(&four->sin_addr, key->world, 4);
    if ((four->sin_addr.s_addr & u->cfg.mask.s_addr) == u->cfg.net.s_addr) {
        four->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    }
    return sizeof(*four);
}

void user_tcp_sock_options(int fd)
{
    int one = 1;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &one, sizeof(one));
}

int user_tcp_connect(struct user_tcp *t, const struct tcp_key *key, bool *pending)
{
    struct sockaddr_storage to;
    socklen_t len = destination(t->u, key, &to);
    int fd = socket(to.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), err;

    if (fd < 0) {
        return -1;
    }
    user_tcp_sock_options(fd);
    *pending = connect(fd, (struct sockaddr *)&to, len) < 0;
    if (*pending && errno != EINPROGRESS) {
        err = errno;
        close(fd);
        errno = err;
        return -1;
    }
    return fd;
}

int user_tcp_sock_error(const struct tcp_flow *f)
{
    int err = 0;
    socklen_t len = sizeof(err);

    return getsockopt(f->s.fd, SOL_SOCKET, SO_ERROR, &err, &len) < 0 ? errno : err;
}

/* A call has failed: later, or never? */
static void failed(struct tcp_flow *f, uint8_t wait_for)
{
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
        f->s.got &= (uint8_t)~wait_for;
    } else if (errno == EINTR || errno == ENOBUFS || errno == ENOMEM) {
        f->starved = true;                                  /* no edge will tell */
    } else {
        f->dead = true;
    }
}

size_t user_tcp_sock_send(struct tcp_flow *f, const struct iovec *iov, unsigned cnt)
{
    struct msghdr m = { .msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = cnt };
    ssize_t n = sendmsg(f->s.fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);

    if (n >= 0) {
        if ((size_t)n < iov_size(iov, cnt)) {
            f->s.got &= (uint8_t)~TCP_GOT_OUT;              /* full: room makes an edge */
        }
        return (size_t)n;
    }
    failed(f, TCP_GOT_OUT);
    return 0;
}

void user_tcp_sock_flush(struct tcp_flow *f)
{
    while (f->rx.len && f->s.got & TCP_GOT_OUT && !f->dead && !f->starved) {
        struct iovec iov[2];
        size_t len = f->rx.len, n = user_tcp_sock_send(f, iov, tcp_ring_peek(&f->rx, 0, len, iov));

        tcp_ring_consume(&f->rx, n);
    }
    if (f->c.guest_eof && !f->rx.len && !f->shut && !f->dead) {
        shutdown(f->s.fd, SHUT_WR);
        f->shut = true;
    }
}

/* Free bytes in tx that are worth a system call: a quarter of the ring. It grows when the guest takes more than there is. */
static size_t space(struct tcp_flow *f)
{
    struct tcp_ring *r = &f->c.tx;
    size_t free = r->cap - r->len;

    if (!r->cap || (free < r->cap / 4 && tcp_conn_can_grow(&f->c) && r->cap < TCP_TX_MAX)) {
        free = tcp_ring_room(r, free + 1, MAX(r->cap * 2, TCP_RING_FIRST));
        f->starved = !r->cap;
    }
    return free && free >= r->cap / 4 ? free : 0;
}

size_t user_tcp_sock_read(struct tcp_flow *f)
{
    struct iovec iov[2];
    size_t want = space(f);
    ssize_t n;

    if (!want) {
        return 0;
    }
    n = readv(f->s.fd, iov, (int)tcp_ring_space(&f->c.tx, want, iov));
    if (n > 0) {
        tcp_ring_commit(&f->c.tx, (size_t)n);
        if ((size_t)n < want && !(f->s.got & (TCP_GOT_HUP | TCP_GOT_ERR))) {
            f->s.got &= (uint8_t)~TCP_GOT_IN;               /* that was all: more makes another edge */
        }
        return (size_t)n;
    }
    if (n == 0) {
        f->s.got &= (uint8_t)~TCP_GOT_IN;
        tcp_conn_eof(&f->c);
    } else {
        failed(f, TCP_GOT_IN);
    }
    return 0;
}
