/* SPDX-License-Identifier: BSD-2-Clause */
/* net/switch_table.c - chained hashing over an array that doubles up to its bound */
#include "net/switch_table.h"
#include "core/clock.h"
#include <glib.h>

enum { FIRST_ROOM = 64 };

static uint32_t *bucket_of(const struct mac_table *t, uint64_t key)
{
    return &t->buckets[(key * t->seed) >> (64 - t->bucket_bits)];
}

void mac_table_init(struct mac_table *t, uint32_t max, int64_t age_ns)
{
    *t = (struct mac_table){ .max = max, .age_ns = age_ns, .seed = ((uint64_t)g_random_int() << 32 | g_random_int()) | 1 };
}

void mac_table_fini(struct mac_table *t)
{
    g_clear_pointer(&t->entries, g_free);
    g_clear_pointer(&t->buckets, g_free);
}

static bool too_old(const struct mac_table *t, const struct mac_entry *e, int64_t now_ns)
{
    return now_ns - e->seen_ns > t->age_ns;
}

/* The link that points to @key's entry, or to the end of its chain. */
static uint32_t *link_to(const struct mac_table *t, uint64_t key)
{
    uint32_t *link = bucket_of(t, key);

    while (*link && t->entries[*link - 1].key != key) {
        link = &t->entries[*link - 1].next;
    }
    return link;
}

static void drop(struct mac_table *t, uint32_t i)
{
    struct mac_entry *e = &t->entries[i];
    uint32_t *link = link_to(t, e->key);

    *link = e->next;
    e->owner = NULL;
    e->next = t->free;
    t->free = i + 1;
    t->used--;
}

static void grow(struct mac_table *t)
{
    uint32_t room = t->room ? MIN(t->room * 2, t->max) : MIN(FIRST_ROOM, t->max);

    t->entries = g_renew(struct mac_entry, t->entries, room);
    t->room = room;
    for (t->bucket_bits = 1; 1u << t->bucket_bits < room; t->bucket_bits++) {
    }
    g_free(t->buckets);
    t->buckets = g_new0(uint32_t, (size_t)1 << t->bucket_bits);
    for (uint32_t i = 0; i < t->fresh; i++) {       /* nothing is free now, or there would be no need to grow */
        uint32_t *head = bucket_of(t, t->entries[i].key);

        t->entries[i].next = *head;
        *head = i + 1;
    }
}

/* Look for entries whose time is over, at most once a second. */
static void sweep(struct mac_table *t, int64_t now_ns)
{
    if (now_ns - t->swept_ns < NS_PER_SEC) {
        return;
    }
    t->swept_ns = now_ns;
    for (uint32_t i = 0; i < t->fresh; i++) {
        if (t->entries[i].owner && too_old(t, &t->entries[i], now_ns)) {
            drop(t, i);
        }
    }
}

static bool find_room(struct mac_table *t, int64_t now_ns)
{
    if (!t->free && t->fresh == t->room && t->room < t->max) {
        grow(t);
    }
    if (!t->free && t->fresh == t->room) {
        sweep(t, now_ns);
    }
    return t->free || t->fresh < t->room;
}

enum mac_learned mac_table_learn(struct mac_table *t, uint64_t key, void *owner, int64_t now_ns)
{
    uint32_t *link = t->room ? link_to(t, key) : NULL, i;
    struct mac_entry *e;

    if (link && *link) {
        bool moved;

        e = &t->entries[*link - 1];
        moved = e->owner != owner;
        e->owner = owner;
        e->seen_ns = now_ns;
        return moved ? MAC_MOVED : MAC_KNOWN;
    }
    if (!find_room(t, now_ns)) {
        return MAC_TABLE_FULL;
    }
    if (t->free) {
        i = t->free - 1;
        t->free = t->entries[i].next;
    } else {
        i = t->fresh++;
    }
    t->entries[i] = (struct mac_entry){ .key = key, .owner = owner, .seen_ns = now_ns, .next = *bucket_of(t, key) };
    *bucket_of(t, key) = i + 1;
    t->used++;
    return MAC_NEW;
}

void *mac_table_find(const struct mac_table *t, uint64_t key, int64_t now_ns)
{
    const uint32_t *link = t->room ? link_to(t, key) : NULL;
    const struct mac_entry *e = link && *link ? &t->entries[*link - 1] : NULL;

    return e && !too_old(t, e, now_ns) ? e->owner : NULL;
}

void mac_table_forget(struct mac_table *t, const void *owner)
{
    for (uint32_t i = 0; i < t->fresh; i++) {
        if (t->entries[i].owner == owner) {
            drop(t, i);
        }
    }
}

const struct mac_entry *mac_table_next(const struct mac_table *t, uint32_t *pos, int64_t now_ns)
{
    while (*pos < t->fresh) {
        const struct mac_entry *e = &t->entries[(*pos)++];

        if (e->owner && !too_old(t, e, now_ns)) {
            return e;
        }
    }
    return NULL;
}
