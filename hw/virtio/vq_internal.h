/* SPDX-License-Identifier: BSD-2-Clause */
/* hw/virtio/vq_internal.h - between the files of the virtqueue: wire formats, ring memory, chains */
#ifndef HW_VIRTIO_VQ_INTERNAL_H
#define HW_VIRTIO_VQ_INTERNAL_H

#include "hw/virtio/virtqueue.h"
#include "lib/bits.h"
#include "lib/bytes.h"

/* ---- wire formats ---- */

enum {                              /* descriptor flags: 2.7.5, 2.8.13; the last two are of packed rings only */
    DESC_F_NEXT     = 1 << 0,
    DESC_F_WRITE    = 1 << 1,
    DESC_F_INDIRECT = 1 << 2,
    DESC_F_AVAIL    = 1 << 7,
    DESC_F_USED     = 1 << 15,
};

struct split_desc_wire {            /* 2.7.5 */
    le64 addr;
    le32 len;
    le16 flags;
    le16 next;
};
static_assert(sizeof(struct split_desc_wire) == 16, "guest-visible layout");

struct split_used_wire {            /* 2.7.8 */
    le32 id;
    le32 len;
};
static_assert(sizeof(struct split_used_wire) == 8, "guest-visible layout");

struct packed_desc_wire {           /* 2.8.13 */
    le64 addr;
    le32 len;
    le16 id;
    le16 flags;
};
static_assert(sizeof(struct packed_desc_wire) == 16, "guest-visible layout");

enum { DESC_SIZE = 16, PACKED_FLAGS = 14, PACKED_LEN = 8, PACKED_ID = 12 };

/* Available and used ring: flags, idx, entries, and one event index behind them (2.7.6, 2.7.8) */
enum { RING_FLAGS = 0, RING_IDX = 2, RING_ENTRIES = 4, AVAIL_ENTRY = 2, USED_ENTRY = 8 };
enum { AVAIL_F_NO_INTERRUPT = 1, USED_F_NO_NOTIFY = 1 };

enum {                              /* event suppression structure, 2.8.14 */
    EVENT_OFF     = 0,
    EVENT_FLAGS   = 2,
    EVENT_ENABLE  = 0,
    EVENT_DISABLE = 1,
    EVENT_DESC    = 2,
};

struct vq_desc {                    /* either kind, decoded */
    uint64_t addr;
    uint32_t len;
    uint16_t flags;
    uint16_t next;                  /* split: index; packed: buffer id */
};

static inline struct vq_desc split_desc_decode(const struct split_desc_wire *w)
{
    return (struct vq_desc){ le64_get(w->addr), le32_get(w->len), le16_get(w->flags), le16_get(w->next) };
}

static inline struct vq_desc packed_desc_decode(const struct packed_desc_wire *w)
{
    return (struct vq_desc){ le64_get(w->addr), le32_get(w->len), le16_get(w->flags), le16_get(w->id) };
}

/* ---- vq_mem.c: guest memory ---- */

uint8_t *vq_mem_find_slow(struct vq_mem *m, uint64_t addr, bool write, struct ram_block **ram, uint64_t *left);

/* Host address of guest byte @addr, and in *left how many bytes follow it there (itself counted); NULL: not RAM */
static inline uint8_t *vq_mem_find(struct vq_mem *m, uint64_t addr, bool write, struct ram_block **ram, uint64_t *left)
{
    for (unsigned i = 0; i < VQ_WINDOWS; i++) {
        const struct vq_window *w = &m->win[i];

        if (addr >= w->first && addr <= w->last && !(write && w->readonly)) {
            *ram = w->ram;
            *left = w->last - addr + 1;
            return w->host + (addr - w->first);
        }
    }
    return vq_mem_find_slow(m, addr, write, ram, left);
}

/* Find the host memory of @a again */
void vq_area_map(struct vq_mem *m, struct vq_area *a, bool write);

/* ---- virtqueue.c ---- */

/* The queue breaks: stops, counts, tells. Return: VQ_BROKEN, to be handed on */
enum vq_status vq_break(struct virtqueue *vq, enum vq_fault f);
/* Translate the areas again after the memory map has changed */
void vq_remap(struct virtqueue *vq);

static inline void vq_check_map(struct virtqueue *vq)
{
    if (unlikely(vq->gen != vq->mem->gen)) {
        vq_remap(vq);
    }
}

/* ---- ring memory; every one of these can fail, which breaks the queue ---- */

bool vq_area_read_slow(struct virtqueue *vq, const struct vq_area *a, uint32_t off, void *buf, size_t len);
bool vq_area_write_slow(struct virtqueue *vq, const struct vq_area *a, uint32_t off, const void *buf, size_t len);

static inline bool area_ld16(struct virtqueue *vq, const struct vq_area *a, uint32_t off, uint16_t *v)
{
    if (likely(a->host)) {
        *v = le16toh(__atomic_load_n((const uint16_t *)(const void *)(a->host + off), __ATOMIC_ACQUIRE));
        return true;
    }
    if (!vq_area_read_slow(vq, a, off, v, 2)) {
        return false;
    }
    *v = le16toh(*v);
    return true;
}

static inline bool area_ld32(struct virtqueue *vq, const struct vq_area *a, uint32_t off, uint32_t *v)
{
    if (likely(a->host)) {
        *v = le32toh(__atomic_load_n((const uint32_t *)(const void *)(a->host + off), __ATOMIC_ACQUIRE));
        return true;
    }
    if (!vq_area_read_slow(vq, a, off, v, 4)) {
        return false;
    }
    *v = le32toh(*v);
    return true;
}

/* Everything written before is visible to the guest before this is */
static inline bool area_st16(struct virtqueue *vq, const struct vq_area *a, uint32_t off, uint16_t v)
{
    v = htole16(v);
    if (likely(a->host)) {
        __atomic_store_n((uint16_t *)(void *)(a->host + off), v, __ATOMIC_RELEASE);
        ram_written(a->ram, a->ram_off + off, 2);
        return true;
    }
    return vq_area_write_slow(vq, a, off, &v, 2);
}

/* 16 bytes, once */
static inline bool area_desc(struct virtqueue *vq, const struct vq_area *a, uint32_t idx, void *w)
{
    if (likely(a->host)) {
        memcpy(w, a->host + (size_t)idx * DESC_SIZE, DESC_SIZE);
        return true;
    }
    return vq_area_read_slow(vq, a, idx * DESC_SIZE, w, DESC_SIZE);
}

/* ---- virtqueue.c: a chain being gathered ---- */

struct vq_chain {
    struct virtqueue *vq;
    struct vq_pieces *p;
    unsigned start;                 /* first piece */
    unsigned dir_start;             /* first piece of the present direction */
    unsigned ndesc;                 /* descriptors so far, tables included */
    uint64_t out_len, in_len;
    bool writable;                  /* a writable one was seen */
    bool bad, full;
};

/* Map a descriptor's bytes and append them as pieces; false: bad or full is set */
bool vq_chain_map(struct vq_chain *c, uint64_t addr, uint32_t len, bool write);

static inline enum vq_fault vq_chain_add(struct vq_chain *c, const struct vq_desc *d)
{
    bool write = d->flags & DESC_F_WRITE;

    if (unlikely(++c->ndesc > VQ_SIZE_MAX)) {
        return VQ_FAULT_TOO_LONG;
    }
    if (unlikely(!d->len)) {
        return VQ_FAULT_ZERO_LEN;
    }
    if (write) {
        if (!c->writable) {
            c->writable = true;
            c->dir_start = c->p->used;
        }
        c->in_len += d->len;
    } else {
        if (unlikely(c->writable)) {
            return VQ_FAULT_ORDER;
        }
        c->out_len += d->len;
    }
    if (likely(!c->bad && !c->full)) {
        vq_chain_map(c, d->addr, d->len, write);
    }
    return VQ_FAULT_NONE;
}

/* The chain is complete: fill in @e's pieces. Return: VQ_OK or VQ_NO_ROOM */
enum vq_status vq_chain_end(struct vq_chain *c, struct vq_elem *e);

/*
 * The table behind an indirect descriptor; @chained: the table's descriptors are linked by NEXT (split), else they
 * follow each other to its end (packed)
 */
enum vq_fault vq_chain_indirect(struct vq_chain *c, const struct vq_desc *d, bool chained);

/* ---- virtqueue_split.c, virtqueue_packed.c ---- */

enum vq_status split_pop(struct virtqueue *vq, struct vq_elem *e, struct vq_pieces *p);
void split_rewind(struct virtqueue *vq, const struct vq_elem *e);
bool split_empty(struct virtqueue *vq);
void split_put(struct virtqueue *vq, uint16_t id, uint32_t len);
void split_flush(struct virtqueue *vq);
bool split_wants_interrupt(struct virtqueue *vq);
void split_set_notify(struct virtqueue *vq, bool on);

enum vq_status packed_pop(struct virtqueue *vq, struct vq_elem *e, struct vq_pieces *p);
void packed_rewind(struct virtqueue *vq, const struct vq_elem *e);
bool packed_empty(struct virtqueue *vq);
void packed_put(struct virtqueue *vq, uint16_t id, uint16_t ndesc, uint32_t len);
void packed_flush(struct virtqueue *vq);
bool packed_wants_interrupt(struct virtqueue *vq);
void packed_set_notify(struct virtqueue *vq, bool on);

#endif
