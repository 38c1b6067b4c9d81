/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/switch_table.h - where stations are: a bounded hash table of (VLAN, MAC) to owner, with ageing
 *
 * Hostile stations send what they like: the table never grows beyond its bound, a full one keeps whom it knows and learns nobody new until
 * somebody's time is over, and the hash has a random seed, so that chains stay short. No clock of its own: the caller says what time it is.
 */
#ifndef NET_SWITCH_TABLE_H
#define NET_SWITCH_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mac_entry {
    uint64_t key;                   /* VLAN in bits 48-59, MAC below as a big-endian number */
    void *owner;                    /* NULL: free */
    int64_t seen_ns;
    uint32_t next;                  /* in the chain of the bucket, or of free entries; 0: end, else index + 1 */
};

struct mac_table {
    struct mac_entry *entries;
    uint32_t *buckets;
    uint32_t room;                  /* entries there is memory for; grows up to max */
    uint32_t used, max, free, fresh;    /* entries from fresh on were never in use */
    uint32_t bucket_bits;
    uint64_t seed;                  /* odd */
    int64_t age_ns, swept_ns;
};

enum mac_learned { MAC_KNOWN, MAC_NEW, MAC_MOVED, MAC_TABLE_FULL };

/** mac_table_init() - @max at least 1 */
void mac_table_init(struct mac_table *t, uint32_t max, int64_t age_ns);
void mac_table_fini(struct mac_table *t);
/** mac_table_learn() - the station @key was heard at @owner now */
enum mac_learned mac_table_learn(struct mac_table *t, uint64_t key, void *owner, int64_t now_ns);
/** mac_table_find() - where @key was heard last; NULL: unknown, or too long ago */
void *mac_table_find(const struct mac_table *t, uint64_t key, int64_t now_ns);
/** mac_table_forget() - everything about @owner */
void mac_table_forget(struct mac_table *t, const void *owner);
/** mac_table_next() - entries that are in use and not too old, from index *@pos on; NULL: no more */
const struct mac_entry *mac_table_next(const struct mac_table *t, uint32_t *pos, int64_t now_ns);

static inline uint64_t mac_key(unsigned vlan, const uint8_t mac[6])
{
    return (uint64_t)vlan << 48 | (uint64_t)mac[0] << 40 | (uint64_t)mac[1] << 32 | (uint64_t)mac[2] << 24 | (uint64_t)mac[3] << 16 |
           (uint64_t)mac[4] << 8 | mac[5];
}

#endif
