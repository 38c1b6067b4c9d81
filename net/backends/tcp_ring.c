/* SPDX-License-Identifier: BSD-2-Clause */
/* net/backends/tcp_ring.c - a growing byte ring. head + len may pass cap: positions are masked when they are used. */
#include "net/backends/tcp_ring.h"
#include <stdlib.h>
#include <string.h>

static unsigned pieces(const struct tcp_ring *r, size_t at, size_t len, struct iovec iov[2])
{
    size_t first;

    if (!len) {
        return 0;
    }
    at &= r->cap - 1;
    first = r->cap - at < len ? r->cap - at : len;
    iov[0] = (struct iovec){ r->buf + at, first };
    iov[1] = (struct iovec){ r->buf, len - first };
    return len > first ? 2 : 1;
}

static bool grow(struct tcp_ring *r, size_t cap)
{
    struct iovec iov[2];
    unsigned n = pieces(r, r->head, r->len, iov);
    size_t done = 0;
    uint8_t *buf;

    if (r->budget && cap - r->cap > r->budget->max - r->budget->used) {
        return false;
    }
    buf = malloc(cap);
    if (!buf) {
        return false;
    }
    for (unsigned i = 0; i < n; i++) {
        memcpy(buf + done, iov[i].iov_base, iov[i].iov_len);
        done += iov[i].iov_len;
    }
    free(r->buf);
    if (r->budget) {
        r->budget->used += cap - r->cap;
    }
    r->buf = buf;
    r->cap = cap;
    r->head = 0;
    return true;
}

size_t tcp_ring_room(struct tcp_ring *r, size_t want, size_t bound)
{
    size_t cap = r->cap ? r->cap : TCP_RING_FIRST;

    while (cap - r->len < want && cap < bound) {
        cap *= 2;
    }
    while (cap > r->cap && cap <= bound && !grow(r, cap)) {
        cap /= 2;                                   /* the shared bound is near: less may do */
        if (cap < TCP_RING_FIRST) {
            break;
        }
    }
    return r->cap - r->len;
}

unsigned tcp_ring_space(const struct tcp_ring *r, size_t max, struct iovec iov[2])
{
    size_t room = r->cap - r->len;

    return pieces(r, r->head + r->len, room < max ? room : max, iov);
}

void tcp_ring_commit(struct tcp_ring *r, size_t n)
{
    r->len += n;
}

unsigned tcp_ring_peek(const struct tcp_ring *r, size_t off, size_t len, struct iovec iov[2])
{
    return pieces(r, r->head + off, len, iov);
}

void tcp_ring_consume(struct tcp_ring *r, size_t n)
{
    r->len -= n;
    r->head = r->len ? (r->head + n) & (r->cap - 1) : 0;
}

void tcp_ring_fini(struct tcp_ring *r)
{
    if (r->budget) {
        r->budget->used -= r->cap;
    }
    free(r->buf);
    r->buf = NULL;
    r->cap = r->head = r->len = 0;
}
