/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/backends/user_tcp_hash.c - the relay's connections by addresses and ports
 *
 * The guest chooses what is looked up, so the hash has a random key: SipHash-2-4 (Aumasson, Bernstein: "SipHash: a fast short-input PRF", 2012). The
 * initial sequence numbers of RFC 6528 come out of the same function, with a key of their own.
 */
#include "lib/bytes.h"
#include "net/backends/user_tcp.h"

static inline uint64_t rotl(uint64_t v, unsigned n)
{
    return v << n | v >> (64 - n);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotl(v[1], 13) ^ v[0];
    v[3] = rotl(v[3], 16) ^ v[2];
    v[0] = rotl(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = rotl(v[1], 17) ^ v[2];
    v[3] = rotl(v[3], 21) ^ v[0];
    v[2] = rotl(v[2], 32);
}

uint64_t user_tcp_siphash(const uint64_t key[2], const void *ptr, size_t n)
{
    uint64_t v[4] = { key[0] ^ 0x736f6d6570736575, key[1] ^ 0x646f72616e646f6d, key[0] ^ 0x6c7967656e657261, key[1] ^ 0x7465646279746573 };
    const uint8_t *p = ptr;
    uint8_t last[8] = { 0 };
    uint64_t m;

    last[7] = (uint8_t)n;
    for (; n >= 8; p += 8, n -= 8) {
        m = ld_le64(p);
        v[3] ^= m;
        sip_round(v);
        sip_round(v);
        v[0] ^= m;
    }
    memcpy(last, p, n);
    m = ld_le64(last);
    v[3] ^= m;
    sip_round(v);
    sip_round(v);
    v[0] ^= m;
    v[2] ^= 0xFF;
    for (unsigned i = 0; i < 4; i++) {
        sip_round(v);
    }
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static unsigned slot_of(const struct user_tcp *t, const struct tcp_key *key)
{
    return (unsigned)(user_tcp_siphash(t->key, key, sizeof(*key)) % TCP_HASH_SIZE);
}

struct tcp_flow *user_tcp_find(const struct user_tcp *t, const struct tcp_key *key)
{
    struct tcp_flow *f = t->bucket[slot_of(t, key)];

    while (f && memcmp(&f->c.key, key, sizeof(*key))) {
        f = f->next_hash;
    }
    return f;
}

void user_tcp_insert(struct tcp_flow *f)
{
    struct tcp_flow **slot = &f->t->bucket[slot_of(f->t, &f->c.key)];

    f->next_hash = *slot;
    *slot = f;
    f->hashed = true;
}

void user_tcp_remove(struct tcp_flow *f)
{
    struct tcp_flow **p = &f->t->bucket[slot_of(f->t, &f->c.key)];

    if (!f->hashed) {
        return;
    }
    while (*p != f) {
        p = &(*p)->next_hash;
    }
    *p = f->next_hash;
    f->hashed = false;
}
