/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/virtio/virtqueue.c - what split and packed virtqueues share: life, chains, order, faults
 *
 * The format's own part is behind l.packed in virtqueue_split.c and virtqueue_packed.c. Pushed elements are written
 * into the ring at once, where the driver does not look yet; the flush makes them visible.
 *
 * VIRTIO_F_IN_ORDER (2.7.9, 2.8.8): each popped element has a number; a pushed one is put aside until all with lower
 * numbers are there. Every element gets a used entry of its own, since the driver needs the lengths.
 */
#include "core/fence.h"
#include "vq_internal.h"

#include <glib.h>

static const char *const fault_names[VQ_FAULTS] = {
    [VQ_FAULT_NONE]            = "none",
    [VQ_FAULT_SETUP]           = "setup",
    [VQ_FAULT_RING_DMA]        = "ring-dma",
    [VQ_FAULT_AVAIL_JUMP]      = "avail-jump",
    [VQ_FAULT_OVERFLOW]        = "overflow",
    [VQ_FAULT_HEAD]            = "head",
    [VQ_FAULT_NEXT]            = "next",
    [VQ_FAULT_LOOP]            = "loop",
    [VQ_FAULT_TOO_LONG]        = "too-long",
    [VQ_FAULT_ORDER]           = "order",
    [VQ_FAULT_ZERO_LEN]        = "zero-length",
    [VQ_FAULT_INDIRECT_OFF]    = "indirect-off",
    [VQ_FAULT_INDIRECT_NESTED] = "indirect-nested",
    [VQ_FAULT_INDIRECT_NEXT]   = "indirect-next",
    [VQ_FAULT_INDIRECT_LEN]    = "indirect-length",
    [VQ_FAULT_INDIRECT_DMA]    = "indirect-dma",
};

const char *vq_fault_name(enum vq_fault f)
{
    return f < VQ_FAULTS ? fault_names[f] : "unknown";
}

enum vq_status vq_break(struct virtqueue *vq, enum vq_fault f)
{
    if (!vq->fault) {                   /* the first one counts */
        vq->running = false;
        vq->fault = f;
        if (vq->on_broken) {
            vq->on_broken(vq->opaque, vq);
        }
    }
    return VQ_BROKEN;
}

/* ---- life ---- */

void vq_init(struct virtqueue *vq, struct vq_mem *mem, uint16_t index, uint16_t size_max, vq_broken_fn *on_broken,
             void *opaque)
{
    *vq = (struct virtqueue){ .mem = mem, .index = index, .size_max = MIN(size_max, VQ_SIZE_MAX),
                              .on_broken = on_broken, .opaque = opaque };
}

void vq_fini(struct virtqueue *vq)
{
    vq->running = false;
    g_free(g_steal_pointer(&vq->order));
}

/* Everything but who owns the queue, and the counters */
static void state_clear(struct virtqueue *vq)
{
    vq->running = false;
    vq->fault = VQ_FAULT_NONE;
    vq->last_avail = vq->used = vq->shadow_avail = 0;
    vq->avail_wrap = vq->used_wrap = vq->signalled_wrap = true;
    vq->signalled = 0;
    vq->signalled_valid = vq->flushed = false;
    vq->notify_on = true;
    vq->in_flight = vq->pending = vq->pending_desc = 0;
    vq->seq = vq->seq_done = 0;
}

void vq_stop(struct virtqueue *vq)
{
    state_clear(vq);
}

void vq_legacy_layout(struct vq_layout *l, uint64_t addr)
{
    enum { ALIGN = 4096 };

    l->desc = addr;
    l->driver = addr + (uint64_t)l->size * DESC_SIZE;
    l->device = align_up(l->driver + RING_ENTRIES + (uint64_t)AVAIL_ENTRY * l->size + 2, ALIGN);
    l->legacy = true;
}

void vq_remap(struct virtqueue *vq)
{
    vq_area_map(vq->mem, &vq->desc, vq->l.packed);
    vq_area_map(vq->mem, &vq->driver, false);
    vq_area_map(vq->mem, &vq->device, true);
    vq->gen = vq->mem->gen;
}

static bool area_set(struct vq_area *a, uint64_t addr, uint32_t len, uint32_t align)
{
    *a = (struct vq_area){ .addr = addr, .len = len };
    return !(addr & (align - 1)) && addr + len - 1 >= addr;
}

/* Sizes and alignment: 2.7, 2.8.10.1 */
static bool layout_ok(struct virtqueue *vq, const struct vq_layout *l)
{
    if (!l->size || l->size > vq->size_max || (!l->packed && !is_pow2(l->size))) {
        return false;
    }
    if (l->packed) {
        return area_set(&vq->desc, l->desc, DESC_SIZE * l->size, 16) && area_set(&vq->driver, l->driver, 4, 4) &&
               area_set(&vq->device, l->device, 4, 4);
    }
    return area_set(&vq->desc, l->desc, DESC_SIZE * l->size, 16) &&
           area_set(&vq->driver, l->driver, RING_ENTRIES + AVAIL_ENTRY * l->size + (l->event_idx ? 2 : 0), 2) &&
           area_set(&vq->device, l->device, RING_ENTRIES + USED_ENTRY * l->size + (l->event_idx ? 2 : 0), 4);
}

bool vq_setup(struct virtqueue *vq, const struct vq_layout *l)
{
    state_clear(vq);
    vq->l = *l;
    if (!layout_ok(vq, l)) {
        vq_break(vq, VQ_FAULT_SETUP);
        return false;
    }
    if (l->in_order && !vq->order) {
        vq->order = g_new0(struct vq_order, VQ_SIZE_MAX);
    }
    vq_remap(vq);
    vq->running = true;
    return true;
}

bool vq_restore(struct virtqueue *vq, const struct vq_layout *l, uint16_t pos, bool wrap, Error **errp)
{
    if (!vq_setup(vq, l)) {
        error_setg(errp, "virtqueue %u: size %u or addresses are not possible", vq->index, l->size);
        return false;
    }
    if (l->packed && pos >= l->size) {
        error_setg(errp, "virtqueue %u: position %u is beyond its size %u", vq->index, pos, l->size);
        vq_stop(vq);
        return false;
    }
    vq->last_avail = vq->shadow_avail = vq->used = pos;
    vq->avail_wrap = vq->used_wrap = wrap;
    return true;
}

/* ---- chains ---- */

bool vq_chain_map(struct vq_chain *c, uint64_t addr, uint32_t len, bool write)
{
    struct vq_pieces *p = c->p;

    if (addr + len - 1 < addr) {
        c->bad = true;
        return false;
    }
    while (len) {
        struct iovec *prev = p->iov + p->used - 1;
        struct ram_block *ram;
        uint64_t n;
        uint8_t *host = vq_mem_find(c->vq->mem, addr, write, &ram, &n);

        if (unlikely(!host)) {
            c->bad = true;
            return false;
        }
        n = MIN(n, len);
        if (p->used > c->dir_start && (uint8_t *)prev->iov_base + prev->iov_len == host && p->ram[p->used - 1] == ram) {
            prev->iov_len += n;
        } else if (unlikely(p->used == p->max)) {
            c->full = true;
            return false;
        } else {
            p->iov[p->used] = (struct iovec){ host, n };
            p->ram[p->used++] = ram;
        }
        addr += n;
        len -= n;
    }
    return true;
}

enum vq_status vq_chain_end(struct vq_chain *c, struct vq_elem *e)
{
    struct vq_pieces *p = c->p;
    unsigned in_start = c->writable ? c->dir_start : p->used;

    if (unlikely(c->full && c->start)) {
        p->used = c->start;
        return VQ_NO_ROOM;
    }
    e->bad = c->bad || c->full || c->out_len + c->in_len > UINT32_MAX;
    if (unlikely(e->bad)) {
        p->used = in_start = c->start;
        c->out_len = c->in_len = 0;
        c->vq->bad++;
    }
    e->work = c->ndesc;
    e->out = p->iov + c->start;
    e->out_cnt = in_start - c->start;
    e->out_len = c->out_len;
    e->in = p->iov + in_start;
    e->in_cnt = p->used - in_start;
    e->in_len = c->in_len;
    e->in_ram = p->ram + in_start;
    return VQ_OK;
}

/* The 16 bytes at @addr, once; false: not RAM */
static bool table_read(struct vq_chain *c, uint64_t addr, void *w)
{
    struct ram_block *ram;
    uint64_t left;
    const uint8_t *host = vq_mem_find(c->vq->mem, addr, false, &ram, &left);

    if (likely(host && left >= DESC_SIZE)) {
        memcpy(w, host, DESC_SIZE);
        return true;
    }
    return host && dma_read(c->vq->mem->dma, addr, w, DESC_SIZE);       /* across a border of blocks */
}

enum vq_fault vq_chain_indirect(struct vq_chain *c, const struct vq_desc *d, bool chained)
{
    unsigned n = d->len / DESC_SIZE, i = 0;

    if (!c->vq->l.indirect) {
        return VQ_FAULT_INDIRECT_OFF;
    }
    if (!n || d->len % DESC_SIZE || n > VQ_SIZE_MAX) {
        return VQ_FAULT_INDIRECT_LEN;
    }
    if (d->addr + d->len - 1 < d->addr) {
        return VQ_FAULT_INDIRECT_DMA;
    }
    for (unsigned seen = 0; seen < n; seen++) {
        struct vq_desc t;
        enum vq_fault f;
        union {
            struct split_desc_wire split;
            struct packed_desc_wire packed;
        } w;

        if (!table_read(c, d->addr + (uint64_t)i * DESC_SIZE, &w)) {
            return VQ_FAULT_INDIRECT_DMA;
        }
        t = chained ? split_desc_decode(&w.split) : packed_desc_decode(&w.packed);
        if (t.flags & DESC_F_INDIRECT) {
            return VQ_FAULT_INDIRECT_NESTED;
        }
        f = vq_chain_add(c, &t);
        if (f) {
            return f;
        }
        if (!chained) {                         /* other flags are reserved there: 2.8.7 */
            i++;
            continue;
        }
        if (!(t.flags & DESC_F_NEXT)) {
            return VQ_FAULT_NONE;
        }
        i = t.next;
        if (i >= n) {
            return VQ_FAULT_NEXT;
        }
    }
    return chained ? VQ_FAULT_LOOP : VQ_FAULT_NONE;
}

/* ---- popping ---- */

enum vq_status vq_pop(struct virtqueue *vq, struct vq_elem *e, struct vq_pieces *p)
{
    enum vq_status st;

    if (unlikely(!vq->running || !vq->mem->dma->enabled)) {
        return vq->fault ? VQ_BROKEN : VQ_EMPTY;
    }
    vq_check_map(vq);
    st = vq->l.packed ? packed_pop(vq, e, p) : split_pop(vq, e, p);
    if (likely(st == VQ_OK)) {
        e->seq = vq->seq++;
        vq->popped++;
        if (unlikely(vq->l.in_order)) {
            vq->order[e->seq % VQ_SIZE_MAX] = (struct vq_order){ .id = e->id, .ndesc = e->ndesc };
        }
    }
    return st;
}

void vq_rewind(struct virtqueue *vq, const struct vq_elem *e)
{
    if (!vq->running) {
        return;
    }
    if (vq->l.packed) {
        packed_rewind(vq, e);
    } else {
        split_rewind(vq, e);
    }
    vq->popped -= (uint16_t)(vq->seq - e->seq);
    vq->seq = e->seq;
}

bool vq_empty(struct virtqueue *vq)
{
    if (!vq->running || !vq->mem->dma->enabled) {
        return true;
    }
    vq_check_map(vq);
    return vq->l.packed ? packed_empty(vq) : split_empty(vq);
}

uint64_t vq_in_bytes(struct virtqueue *vq, struct vq_pieces *p, uint64_t want, unsigned max_elems)
{
    unsigned start = p->used;
    struct vq_elem first, e;
    uint64_t bytes = 0, bad = vq->bad;
    bool any = false;

    while (bytes < want && max_elems-- && vq_pop(vq, &e, p) == VQ_OK) {
        if (!any) {
            first = e;
            any = true;
        }
        bytes += e.in_len;
        p->used = start;
    }
    if (any) {
        vq_rewind(vq, &first);
    }
    vq->bad = bad;
    return bytes;
}

/* ---- pushing ---- */

static inline void put(struct virtqueue *vq, uint16_t id, uint16_t ndesc, uint32_t len)
{
    if (vq->l.packed) {
        packed_put(vq, id, ndesc, len);
    } else {
        split_put(vq, id, len);
    }
    vq->pushed++;
}

static void put_in_order(struct virtqueue *vq, const struct vq_elem *e, uint32_t len)
{
    struct vq_order *o = &vq->order[e->seq % VQ_SIZE_MAX];

    o->len = len;
    o->done = true;
    while (vq->running && vq->seq_done != vq->seq) {
        o = &vq->order[vq->seq_done % VQ_SIZE_MAX];
        if (!o->done) {
            return;
        }
        o->done = false;
        vq->seq_done++;
        put(vq, o->id, o->ndesc, o->len);
    }
}

static void note_written(const struct vq_elem *e, uint32_t len)
{
    for (unsigned i = 0; len; i++) {
        const struct iovec *v = &e->in[i];
        uint32_t n = MIN(v->iov_len, len);

        ram_written(e->in_ram[i], (uint8_t *)v->iov_base - e->in_ram[i]->host, n);
        len -= n;
    }
}

void vq_push(struct virtqueue *vq, const struct vq_elem *e, uint32_t written)
{
    written = MIN(written, e->in_len);
    note_written(e, written);
    if (unlikely(!vq->running)) {
        return;
    }
    vq_check_map(vq);
    if (unlikely(!vq->mem->dma->enabled)) {
        vq_break(vq, VQ_FAULT_RING_DMA);        /* the driver took bus mastering away from a queue in use */
    } else if (vq->l.packed ? vq->pending_desc + e->ndesc > vq->in_flight : vq->pending >= vq->in_flight) {
        return;                                 /* from before the last vq_stop() */
    } else if (vq->l.in_order) {
        put_in_order(vq, e, written);
    } else {
        put(vq, e->id, e->ndesc, written);
    }
}

void vq_flush(struct virtqueue *vq)
{
    if (!vq->pending || !vq->running) {
        return;
    }
    vq_check_map(vq);
    vq->flushed = true;
    if (unlikely(!vq->mem->dma->enabled)) {
        vq_break(vq, VQ_FAULT_RING_DMA);
    } else if (vq->l.packed) {
        packed_flush(vq);
    } else {
        split_flush(vq);
    }
}

/* ---- notifications ---- */

bool vq_should_notify(struct virtqueue *vq)
{
    bool yes;

    if (!vq->flushed || !vq->running || !vq->mem->dma->enabled) {
        return false;
    }
    vq->flushed = false;
    vq_check_map(vq);
    fence_all();                                /* what was published is seen before we look whether anyone cares */
    yes = vq->l.packed ? packed_wants_interrupt(vq) : split_wants_interrupt(vq);
    vq->notified += yes;
    vq->suppressed += !yes;
    return yes;
}

bool vq_set_notify(struct virtqueue *vq, bool on)
{
    if (!vq->running || !vq->mem->dma->enabled) {
        return false;
    }
    vq_check_map(vq);
    if (vq->l.packed) {
        packed_set_notify(vq, on);
    } else {
        split_set_notify(vq, on);
    }
    vq->notify_on = on;
    if (!on) {
        return false;
    }
    fence_all();                                /* the request is seen before we look for the last time */
    return !vq_empty(vq);
}

unsigned vq_drain(struct virtqueue *vq, struct vq_pieces *p, unsigned max)
{
    struct vq_elem e;
    unsigned n = 0, start = p->used;

    while (n < max && vq_pop(vq, &e, p) == VQ_OK) {
        p->used = start;
        vq_push(vq, &e, 0);
        n++;
    }
    vq_flush(vq);
    return n;
}
