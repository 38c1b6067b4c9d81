/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/virtio/virtqueue_packed.c - packed virtqueues (VIRTIO 1.3, 2.8)
 *
 * One ring of descriptors that both sides write; a descriptor is available when its AVAIL bit equals the driver's wrap
 * counter and its USED bit does not, used when both equal ours. A chain takes ndesc places one after the other; its
 * used descriptor is written at our next place, which then moves on by ndesc.
 *
 *     used            used + pending_desc        last_avail
 *      | written, flags of the first not  | out       | to be popped
 *
 * Of a batch the flags of the first are written last (packed_flush()), so that the driver sees all of it or nothing.
 * Each position has a wrap counter that flips when it passes the end.
 * Invariant while running: last_avail < size, used < size, pending_desc <= in_flight <= size.
 */
#include "vq_internal.h"

/* @pos moves on by @n <= size */
static inline void advance(const struct virtqueue *vq, uint16_t *pos, bool *wrap, uint16_t n)
{
    unsigned to = (unsigned)*pos + n;

    if (to >= vq->l.size) {
        to -= vq->l.size;
        *wrap = !*wrap;
    }
    *pos = to;
}

static inline bool is_avail(uint16_t flags, bool wrap)
{
    return !!(flags & DESC_F_AVAIL) == wrap && !!(flags & DESC_F_USED) != wrap;
}

/* Flags of the next descriptor; what was written before them is seen after them */
static bool next_flags(struct virtqueue *vq, uint16_t *flags)
{
    return area_ld16(vq, &vq->desc, vq->last_avail * DESC_SIZE + PACKED_FLAGS, flags);
}

bool packed_empty(struct virtqueue *vq)
{
    uint16_t flags;

    return !next_flags(vq, &flags) || !is_avail(flags, vq->avail_wrap);
}

/* @first: flags of the first descriptor. Return: the fault, *n descriptors, the buffer's *id */
static enum vq_fault walk(struct virtqueue *vq, struct vq_chain *c, uint16_t first, uint16_t *n, uint16_t *id)
{
    uint16_t pos = vq->last_avail;

    for (*n = 1; *n <= vq->l.size; ++*n) {
        struct packed_desc_wire w;
        struct vq_desc d;
        enum vq_fault f;

        if (unlikely(vq->in_flight + *n > vq->l.size)) {
            return VQ_FAULT_OVERFLOW;
        }
        if (!area_desc(vq, &vq->desc, pos, &w)) {
            return VQ_FAULT_RING_DMA;
        }
        d = packed_desc_decode(&w);
        if (*n == 1) {
            d.flags = first;                    /* those that said "available" */
        }
        *id = d.next;
        if (d.flags & DESC_F_INDIRECT) {        /* never part of a list: 2.8.7 */
            return d.flags & DESC_F_NEXT || *n > 1 ? VQ_FAULT_INDIRECT_NEXT : vq_chain_indirect(c, &d, false);
        }
        f = vq_chain_add(c, &d);
        if (f || !(d.flags & DESC_F_NEXT)) {
            return f;
        }
        pos = pos + 1u == vq->l.size ? 0 : pos + 1;
    }
    return VQ_FAULT_LOOP;
}

enum vq_status packed_pop(struct virtqueue *vq, struct vq_elem *e, struct vq_pieces *p)
{
    struct vq_chain c = { .vq = vq, .p = p, .start = p->used, .dir_start = p->used };
    uint16_t flags, n, id = 0;
    enum vq_status st;
    enum vq_fault f;

    if (!next_flags(vq, &flags)) {
        return VQ_BROKEN;
    }
    if (!is_avail(flags, vq->avail_wrap)) {
        return VQ_EMPTY;
    }
    f = walk(vq, &c, flags, &n, &id);
    if (unlikely(f)) {
        p->used = c.start;
        return vq_break(vq, f);
    }
    st = vq_chain_end(&c, e);
    if (st == VQ_OK) {
        e->id = id;
        e->ndesc = n;
        e->pos = vq->last_avail;
        e->wrap = vq->avail_wrap;
        advance(vq, &vq->last_avail, &vq->avail_wrap, n);
        vq->in_flight += n;
    }
    return st;
}

void packed_rewind(struct virtqueue *vq, const struct vq_elem *e)
{
    vq->in_flight -= vq->last_avail - e->pos + (vq->avail_wrap != e->wrap ? vq->l.size : 0);
    vq->last_avail = e->pos;
    vq->avail_wrap = e->wrap;
}

void packed_put(struct virtqueue *vq, uint16_t id, uint16_t ndesc, uint32_t len)
{
    uint16_t pos = vq->used, flags;
    bool wrap = vq->used_wrap;
    uint32_t off;
    struct packed_desc_wire w;

    advance(vq, &pos, &wrap, vq->pending_desc);
    off = pos * DESC_SIZE;
    flags = (wrap ? DESC_F_AVAIL | DESC_F_USED : 0) | (len ? DESC_F_WRITE : 0);
    w.len = le32_of(len);
    w.id = le16_of(id);
    w.flags = le16_of(flags);
    if (!vq->pending) {                         /* its flags wait for the flush */
        vq->pend_flags = flags;
    }
    if (likely(vq->desc.host)) {
        if (vq->pending) {
            memcpy(vq->desc.host + off + PACKED_LEN, &w.len, 8);
        } else {
            memcpy(vq->desc.host + off + PACKED_LEN, &w.len, 6);
        }
    } else if (!vq_area_write_slow(vq, &vq->desc, off + PACKED_LEN, &w.len, vq->pending ? 8 : 6)) {
        return;
    }
    vq->pending++;
    vq->pending_desc += ndesc;
}

void packed_flush(struct virtqueue *vq)
{
    uint16_t n = vq->pending_desc, first = vq->used;

    if (likely(vq->desc.host)) {
        uint16_t tail = MIN(n, vq->l.size - first);

        ram_written(vq->desc.ram, vq->desc.ram_off + (uint64_t)first * DESC_SIZE, tail * DESC_SIZE);
        if (n > tail) {
            ram_written(vq->desc.ram, vq->desc.ram_off, (n - tail) * DESC_SIZE);
        }
    }
    if (area_st16(vq, &vq->desc, first * DESC_SIZE + PACKED_FLAGS, vq->pend_flags)) {
        advance(vq, &vq->used, &vq->used_wrap, n);
        vq->in_flight -= n;
        vq->pending = vq->pending_desc = 0;
    }
}

/*
 * 2.8.10. The event names a place and a lap (wrap counter); places of the lap before ours count from -size. What was
 * used since the last look is old+1..new in the same count.
 */
bool packed_wants_interrupt(struct virtqueue *vq)
{
    uint16_t old = vq->signalled, event;
    bool old_wrap = vq->signalled_wrap, valid = vq->signalled_valid;
    uint32_t word;

    vq->signalled = vq->used;
    vq->signalled_wrap = vq->used_wrap;
    vq->signalled_valid = true;
    if (!area_ld32(vq, &vq->driver, EVENT_OFF, &word)) {
        return false;
    }
    switch (word >> 16 & 3) {
    case EVENT_DISABLE:
        return false;
    case EVENT_DESC:
        if (!vq->l.event_idx || !valid) {
            return true;
        }
        event = word & 0x7FFF;
        if (!!(word & 0x8000) != vq->used_wrap) {
            event -= vq->l.size;
        }
        if (old_wrap != vq->used_wrap) {
            old -= vq->l.size;
        }
        return (uint16_t)(vq->used - event - 1) < (uint16_t)(vq->used - old);
    default:
        return true;
    }
}

void packed_set_notify(struct virtqueue *vq, bool on)
{
    if (on && vq->l.event_idx) {
        uint16_t off = vq->last_avail | (vq->avail_wrap ? 0x8000 : 0);

        if (area_st16(vq, &vq->device, EVENT_OFF, off) && !vq->notify_on) {
            area_st16(vq, &vq->device, EVENT_FLAGS, EVENT_DESC);
        }
    } else if (on != vq->notify_on) {
        area_st16(vq, &vq->device, EVENT_FLAGS, on ? EVENT_ENABLE : EVENT_DISABLE);
    }
}
