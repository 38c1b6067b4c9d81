/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/backends/tcp_ring.h - a byte ring that grows by doubling, up to a bound of its own and one that many rings share
 *
 * Its bytes are seen and filled in place, as one or two pieces. It has no memory until the first byte comes. Zeroed memory but for budget is an
 * empty ring.
 */
#ifndef NET_BACKENDS_TCP_RING_H
#define NET_BACKENDS_TCP_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

enum { TCP_RING_FIRST = 64 * 1024 };        /* bytes that it begins with */

/* Shared by all rings of an owner. */
struct tcp_budget {
    size_t used, max;
};

struct tcp_ring {
    uint8_t *buf;
    size_t cap;                             /* 0 or a power of two */
    size_t head, len;                       /* the first byte lies at head */
    struct tcp_budget *budget;
};

/** tcp_ring_room() - make room for @want more bytes if that takes no more than @bound; Return: bytes that fit now, maybe fewer */
size_t tcp_ring_room(struct tcp_ring *r, size_t want, size_t bound);
/** tcp_ring_space() - up to @max free bytes behind the last one; Return: pieces, 0..2 */
unsigned tcp_ring_space(const struct tcp_ring *r, size_t max, struct iovec iov[2]);
/** tcp_ring_commit() - the first @n bytes of that space are filled */
void tcp_ring_commit(struct tcp_ring *r, size_t n);
/** tcp_ring_peek() - bytes [@off, @off + @len), which must be there; Return: pieces, 0..2 */
unsigned tcp_ring_peek(const struct tcp_ring *r, size_t off, size_t len, struct iovec iov[2]);
/** tcp_ring_consume() - the first @n bytes go */
void tcp_ring_consume(struct tcp_ring *r, size_t n);
/** tcp_ring_fini() - all bytes and the memory go; it can be used again */
void tcp_ring_fini(struct tcp_ring *r);

#endif
