/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/backends/user_reass.c - IPv4 reassembly in front of the user-mode stack
 *
 * The stack's own has a history (CVE-2018-11806, CVE-2019-14378, CVE-2019-15890, CVE-2020-1983, fragments of differing header length); this
 * one keeps it from ever running. Data goes into one buffer per datagram, a bitmap says which 8-byte units are there. Two fragments that
 * overlap end the datagram (as RFC 5722 does for IPv6). Bounds: AIR_FRAG_DATAGRAMS, AIR_FRAG_BYTES, AIR_FRAG_NS; the oldest one goes first.
 */
#include "lib/bytes.h"
#include "net/backends/airlock.h"
#include "net/offload/csum.h"
#include <stdlib.h>

enum { UNITS = 8192, DATAGRAM_MAX = 65535, GRAIN = 2048 };

struct frag_dgram {
    uint8_t key[11];                /* source, destination, id, protocol */
    uint8_t ihl;                    /* bytes; the same in every fragment */
    uint8_t head[ETH_HLEN + 60];    /* of the first fragment to come, then of the one at offset 0 */
    int64_t deadline_ns;
    size_t have, total, room;       /* total 0: the last one is not there yet */
    size_t top;                     /* end of the furthest one */
    uint8_t *data;
    uint64_t units[UNITS / 64];
};

static void dgram_free(struct airlock *a, unsigned i)
{
    if (a->frag[i]) {
        a->frag_bytes -= a->frag[i]->room + sizeof(struct frag_dgram);
        free(a->frag[i]->data);
        free(a->frag[i]);
        a->frag[i] = NULL;
    }
}

void airlock_fragments_free(struct airlock *a)
{
    for (unsigned i = 0; i < AIR_FRAG_DATAGRAMS; i++) {
        dgram_free(a, i);
    }
}

void airlock_fragments_expire(struct airlock *a, int64_t now_ns)
{
    for (unsigned i = 0; i < AIR_FRAG_DATAGRAMS; i++) {
        if (a->frag[i] && a->frag[i]->deadline_ns <= now_ns) {
            a->count[AIR_FRAG_TIMEOUT]++;
            dgram_free(a, i);
        }
    }
}

static void free_oldest(struct airlock *a, const struct frag_dgram *except)
{
    int oldest = -1;

    for (int i = 0; i < AIR_FRAG_DATAGRAMS; i++) {
        if (a->frag[i] && a->frag[i] != except && (oldest < 0 || a->frag[i]->deadline_ns < a->frag[oldest]->deadline_ns)) {
            oldest = i;
        }
    }
    if (oldest >= 0) {
        a->count[AIR_FRAG_LIMIT]++;
        dgram_free(a, (unsigned)oldest);
    }
}

static int find_or_make(struct airlock *a, int64_t now_ns, const uint8_t key[11], uint8_t ihl)
{
    int slot = -1;

    for (int i = 0; i < AIR_FRAG_DATAGRAMS; i++) {
        if (a->frag[i] && !memcmp(a->frag[i]->key, key, 11)) {
            return i;
        }
    }
    for (int pass = 0; pass < 2 && slot < 0; pass++) {
        for (int i = 0; i < AIR_FRAG_DATAGRAMS && slot < 0; i++) {
            slot = a->frag[i] ? -1 : i;
        }
        if (slot < 0) {
            free_oldest(a, NULL);
        }
    }
    if (slot >= 0) {
        a->frag[slot] = calloc(1, sizeof(struct frag_dgram));
        if (!a->frag[slot]) {
            return -1;
        }
        memcpy(a->frag[slot]->key, key, 11);
        a->frag[slot]->ihl = ihl;
        a->frag[slot]->deadline_ns = now_ns + AIR_FRAG_NS;
        a->frag_bytes += sizeof(struct frag_dgram);
    }
    return slot;
}

static bool grow(struct airlock *a, struct frag_dgram *d, size_t end)
{
    size_t room = (end + GRAIN - 1) / GRAIN * GRAIN;
    uint8_t *p;

    if (end <= d->room) {
        return true;
    }
    for (unsigned n = 0; n < AIR_FRAG_DATAGRAMS && a->frag_bytes + room - d->room > AIR_FRAG_BYTES; n++) {
        free_oldest(a, d);
    }
    p = realloc(d->data, room);
    if (!p) {
        return false;
    }
    memset(p + d->room, 0, room - d->room);
    a->frag_bytes += room - d->room;
    d->data = p;
    d->room = room;
    return true;
}

/* Mark units [off, end) as there; false: one of them already is */
static bool mark(struct frag_dgram *d, size_t off, size_t end)
{
    size_t first = off / 8, last = (end + 7) / 8;

    for (size_t u = first; u < last; u++) {
        if (d->units[u / 64] >> (u % 64) & 1) {
            return false;
        }
    }
    for (size_t u = first; u < last; u++) {
        d->units[u / 64] |= 1ULL << (u % 64);
    }
    return true;
}

static enum airlock_verdict finish(struct airlock *a, int64_t now_ns, int slot, uint8_t **frame, size_t *len)
{
    struct frag_dgram *d = a->frag[slot];
    size_t hlen = (size_t)ETH_HLEN + d->ihl;
    enum airlock_verdict v;
    uint8_t *ip;

    if (!a->whole) {
        a->whole = malloc(ETH_HLEN + DATAGRAM_MAX + 1);
    }
    if (!a->whole) {
        dgram_free(a, (unsigned)slot);
        return AIRLOCK_DROP;
    }
    memcpy(a->whole, d->head, hlen);
    memcpy(a->whole + hlen, d->data, d->total);
    ip = a->whole + ETH_HLEN;
    st_be16(ip + 2, (uint16_t)(d->ihl + d->total));
    st_be16(ip + 6, 0);
    csum_ip4_header(ip, d->ihl);
    *frame = a->whole;
    *len = hlen + d->total;
    dgram_free(a, (unsigned)slot);
    v = airlock_check(a, now_ns, frame, len);
    a->passed -= v == AIRLOCK_PASS;                         /* the caller's check counts it */
    return v;
}

static enum airlock_verdict lose(struct airlock *a, int slot, enum airlock_reason why)
{
    a->count[why]++;
    dgram_free(a, (unsigned)slot);
    return AIRLOCK_DROP;
}

enum airlock_verdict airlock_fragment(struct airlock *a, int64_t now_ns, uint8_t **frame, size_t *len, const struct pkt_layout *l)
{
    const uint8_t *ip = *frame + l->l3_off;
    uint16_t fo = ld_be16(ip + 6);
    size_t ihl = (size_t)l->l4_off - l->l3_off, n = l->l3_end - l->l4_off, off = (fo & 0x1FFFu) * 8, end = off + n;
    bool more = fo & 0x2000;
    struct frag_dgram *d;
    uint8_t key[11];
    int slot;

    airlock_fragments_expire(a, now_ns);
    if (!n || (more && n % 8) || end > DATAGRAM_MAX - ihl) {
        a->count[AIR_FRAG_SIZE]++;
        return AIRLOCK_DROP;
    }
    memcpy(key, ip + 12, 8);
    memcpy(key + 8, ip + 4, 2);
    key[10] = ip[9];
    slot = find_or_make(a, now_ns, key, (uint8_t)ihl);
    if (slot < 0) {
        a->count[AIR_FRAG_LIMIT]++;
        return AIRLOCK_DROP;
    }
    d = a->frag[slot];
    if (d->ihl != ihl) {
        return lose(a, slot, AIR_FRAG_HEADER);
    }
    if (!grow(a, d, end)) {
        return lose(a, slot, AIR_FRAG_LIMIT);
    }
    if (!more && d->total && d->total != end) {
        return lose(a, slot, AIR_FRAG_OVERLAP);
    }
    if (!more) {
        d->total = end;
    }
    d->top = end > d->top ? end : d->top;
    if ((d->total && (d->top > d->total || d->have + n > d->total)) || !mark(d, off, end)) {
        return lose(a, slot, AIR_FRAG_OVERLAP);
    }
    if (!d->have || !off) {
        memcpy(d->head, *frame, ETH_HLEN + ihl);
    }
    memcpy(d->data + off, *frame + l->l4_off, n);
    d->have += n;
    return d->total && d->have == d->total ? finish(a, now_ns, slot, frame, len) : AIRLOCK_HELD;
}
