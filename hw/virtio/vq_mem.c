/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/virtio/vq_mem.c - guest memory as virtqueues reach it: a few windows, found once
 *
 * A window is a stretch of guest addresses that lies in one RAM block. Each lookup of mem/space.h costs a lock and a
 * search; a PC has three stretches of RAM that a driver uses, so that after a few lookups none is needed. When the
 * memory map changes all windows are forgotten and gen moves on, which makes queues look for their rings again.
 * RAM blocks themselves stay (mem/ram.h), so pointers that are out in elements remain good.
 */
#include "vq_internal.h"

static void map_changed(void *opaque)
{
    struct vq_mem *m = opaque;

    m->gen++;
    for (unsigned i = 0; i < VQ_WINDOWS; i++) {
        m->win[i] = (struct vq_window){ .first = 1 };
    }
}

void vq_mem_init(struct vq_mem *m, struct dma *dma)
{
    *m = (struct vq_mem){ .dma = dma };
    map_changed(m);
    space_add_listener(dma->as, map_changed, m);
}

void vq_mem_fini(struct vq_mem *m)
{
    if (m->dma) {
        space_del_listener(m->dma->as, map_changed, m);
    }
    m->dma = NULL;
}

/* A window around @addr that starts at @base, if RAM is there without a gap */
static bool window_from(struct vq_mem *m, uint64_t base, uint64_t addr, struct vq_window *w)
{
    struct space_slot s;

    if (!space_lookup(m->dma->as, base, &s) || !s.host || addr - base >= s.len) {
        return false;
    }
    *w = (struct vq_window){ .first = base, .last = base + s.len - 1, .host = s.host, .ram = s.ram,
                             .readonly = s.readonly };
    return true;
}

/* A lookup tells where a stretch ends but not where it begins: try some places where stretches of RAM do */
static bool window_find(struct vq_mem *m, uint64_t addr, struct vq_window *w)
{
    static const uint64_t steps[] = { 1 * GiB, 16 * MiB, 1 * MiB, RAM_PAGE_SIZE };

    for (unsigned i = 0; i < ARRAY_LEN(steps); i++) {
        if (window_from(m, align_down(addr, steps[i]), addr, w)) {
            return true;
        }
    }
    return window_from(m, addr, addr, w);
}

uint8_t *vq_mem_find_slow(struct vq_mem *m, uint64_t addr, bool write, struct ram_block **ram, uint64_t *left)
{
    struct vq_window w;

    if (!window_find(m, addr, &w) || (write && w.readonly)) {
        m->dma->faults++;
        return NULL;
    }
    m->win[m->next] = w;
    m->next = (m->next + 1) % VQ_WINDOWS;
    *ram = w.ram;
    *left = w.last - addr + 1;
    return w.host + (addr - w.first);
}

void vq_area_map(struct vq_mem *m, struct vq_area *a, bool write)
{
    struct ram_block *ram;
    uint64_t left;
    uint8_t *host = vq_mem_find(m, a->addr, write, &ram, &left);

    if (!host || left < a->len) {
        a->host = NULL;
        a->ram = NULL;
        return;
    }
    a->host = host;
    a->ram = ram;
    a->ram_off = host - ram->host;
}

bool vq_area_read_slow(struct virtqueue *vq, const struct vq_area *a, uint32_t off, void *buf, size_t len)
{
    if (!dma_read(vq->mem->dma, a->addr + off, buf, len)) {
        vq_break(vq, VQ_FAULT_RING_DMA);
        return false;
    }
    return true;
}

bool vq_area_write_slow(struct virtqueue *vq, const struct vq_area *a, uint32_t off, const void *buf, size_t len)
{
    if (!dma_write(vq->mem->dma, a->addr + off, buf, len)) {
        vq_break(vq, VQ_FAULT_RING_DMA);
        return false;
    }
    return true;
}

/* ---- pieces ---- */

void vq_pieces_init(struct vq_pieces *p, unsigned max)
{
    p->used = 0;
    p->max = max;
    p->iov = g_new(struct iovec, max);
    p->ram = g_new(struct ram_block *, max);
}

void vq_pieces_fini(struct vq_pieces *p)
{
    g_free(g_steal_pointer(&p->iov));
    g_free(g_steal_pointer(&p->ram));
    p->used = p->max = 0;
}
