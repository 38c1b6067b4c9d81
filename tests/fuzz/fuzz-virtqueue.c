/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/fuzz/fuzz-virtqueue.c - a virtqueue, split or packed, whose ring memory is anything at all
 *
 * The first bytes choose the format and features; the rest is a stream of operations: the guest writes descriptors,
 * indices, flags and tables (addresses biased towards the rings themselves, ROM, MMIO and the ends of memory), the device
 * pops, pushes in any order, rewinds, peeks, flushes and asks about notifications; the memory map and bus mastering
 * change. What is popped must lie in RAM and add up; the queue's invariants must hold after each step; and a queue that
 * broke must work again after it was set up anew. No register is ever touched. One bench serves all inputs.
 */
#include "hw/virtio/virtqueue.h"
#include "lib/bits.h"
#include "lib/bytes.h"
#include "lib/iov.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OPS_MAX = 256, OUT_MAX = 64, RAM = 0x20000, BLOCK = 0x10000, ROM = 0x30000, MMIO = 0xE0000000 };
enum { DESC = 0x1000, DRIVER = 0x2000, DEVICE = 0x3000, TABLE = 0x4000, DATA = 0x8000, DIRTY_END = 0x5000 };

struct bench {
    struct region root, a, b, rom_r, io, toggle;
    struct ram_block *ram[2], *rom;
    struct addr_space as;
    struct dma dma;
    struct vq_mem mem;
    struct virtqueue vq;
    struct vq_pieces p;
    unsigned broken, io_accesses;
};

struct input {
    const uint8_t *p;
    size_t left;
};

static uint64_t take(struct input *in, unsigned n)
{
    uint64_t v = 0;

    n = MIN(n, in->left);
    memcpy(&v, in->p, n);
    in->p += n;
    in->left -= n;
    return v;
}

static void check(bool ok)
{
    if (!ok) {
        abort();
    }
}

static uint64_t io_read(void *opaque, uint64_t off, unsigned size)
{
    ((struct bench *)opaque)->io_accesses++;
    return 0;
}

static void io_write(void *opaque, uint64_t off, uint64_t val, unsigned size)
{
    ((struct bench *)opaque)->io_accesses++;
}

static const struct region_ops io_ops = { io_read, io_write, 1, 4 };

static void on_broken(void *opaque, struct virtqueue *vq)
{
    ((struct bench *)opaque)->broken++;
}

static struct bench *bench_new(void)
{
    struct bench *t = g_new0(struct bench, 1);

    t->ram[0] = ram_new("a", BLOCK, NULL);
    t->ram[1] = ram_new("b", BLOCK, NULL);
    t->rom = ram_new("rom", RAM_PAGE_SIZE, NULL);
    region_init(&t->root, "root", 0);
    region_init_ram(&t->a, "a", t->ram[0], false);
    region_init_ram(&t->b, "b", t->ram[1], false);
    region_init_ram(&t->rom_r, "rom", t->rom, true);
    region_init_io(&t->io, "io", 0x1000, &io_ops, t);
    region_init_io(&t->toggle, "toggle", 0x1000, &io_ops, t);
    region_add(&t->root, 0, &t->a, 0);
    region_add(&t->root, BLOCK, &t->b, 0);
    region_add(&t->root, ROM, &t->rom_r, 0);
    region_add(&t->root, MMIO, &t->io, 0);
    region_add(&t->root, DEVICE, &t->toggle, 1);        /* covers the device area while it is enabled */
    region_set_enabled(&t->toggle, false);
    space_init(&t->as, "memory", &t->root);
    t->dma = (struct dma){ .as = &t->as, .enabled = true };
    vq_mem_init(&t->mem, &t->dma);
    vq_init(&t->vq, &t->mem, 0, VQ_SIZE_MAX, on_broken, t);
    vq_pieces_init(&t->p, 24);
    return t;
}

static uint64_t address(struct input *in)
{
    static const uint64_t bases[] = { DATA, DATA + 0x1000, DESC, DRIVER, DEVICE, TABLE, TABLE + 0x100, 0, ROM, MMIO,
                                      BLOCK - 16, RAM - 16, 0x80000000, UINT64_MAX - 31, BLOCK, DATA };
    unsigned sel = take(in, 1);

    return sel & 0x80 ? take(in, 8) : bases[sel & 15] + (sel & 0x40 ? take(in, 1) : 0);
}

static uint32_t length(struct input *in)
{
    static const uint32_t lens[] = { 16, 32, 64, 1, 1514, 4096, 0x10000, 48 };
    unsigned sel = take(in, 1);

    return sel & 0x80 ? take(in, 4) : sel & 0x40 ? take(in, 1) : lens[sel & 7];
}

static void descriptor(struct bench *t, struct input *in, uint64_t at, bool packed)
{
    uint8_t *p = t->ram[0]->host + at;
    uint16_t flags = take(in, 1), last = take(in, 1) & 31;

    flags = (flags & 0x87) | (flags & 8 ? 0x8000 : 0);
    st_le64(p, address(in));
    st_le32(p + 8, length(in));
    st_le16(p + 12, packed ? last : flags);
    st_le16(p + 14, packed ? flags : last);
}

static void setup(struct bench *t, struct input *in)
{
    static const uint16_t sizes[] = { 1, 2, 4, 8, 16, 32, 5, 13 };
    unsigned f = take(in, 1), s = take(in, 1);
    struct vq_layout l = { .desc = DESC, .driver = DRIVER, .device = DEVICE, .size = sizes[s & 7],
                           .packed = f & 1, .event_idx = f & 2, .indirect = f & 4, .in_order = f & 8,
                           .notify_on_empty = f & 16 };

    if (s & 0x80) {
        l.size = take(in, 2);
    }
    if (s & 0x40) {
        *(s & 0x20 ? &l.driver : s & 0x10 ? &l.device : &l.desc) = address(in);
    }
    if (s & 8) {
        vq_restore(&t->vq, &l, take(in, 1), f & 32, NULL);
    } else {
        vq_setup(&t->vq, &l);
    }
}

struct out {
    struct vq_elem e[OUT_MAX];
    unsigned n;
    bool mixed;                 /* pushed out of order: no rewind any more */
};

static void check_elem(struct bench *t, const struct vq_elem *e)
{
    check(iov_size(e->out, e->out_cnt) == e->out_len && iov_size(e->in, e->in_cnt) == e->in_len);
    check(!e->bad || !(e->out_cnt + e->in_cnt));
    check(e->in == e->out + e->out_cnt);
    for (unsigned i = 0; i < e->in_cnt; i++) {
        struct ram_block *r = e->in_ram[i];
        uint8_t *b = e->in[i].iov_base;

        check(r == t->ram[0] || r == t->ram[1]);
        check(b >= r->host && e->in[i].iov_len <= r->size && b + e->in[i].iov_len <= r->host + r->size);
    }
    for (unsigned i = 0; i < e->out_cnt; i++) {         /* all of it can be read: ASan or a fault would tell */
        check(e->out[i].iov_len > 0);
        *(volatile uint8_t *)e->out[i].iov_base;
        *((volatile uint8_t *)e->out[i].iov_base + e->out[i].iov_len - 1);
    }
}

static void pop(struct bench *t, struct out *o)
{
    struct vq_elem e;

    if (o->n == OUT_MAX) {
        return;
    }
    if (vq_pop(&t->vq, &e, &t->p) == VQ_OK) {
        check_elem(t, &e);
        o->e[o->n++] = e;
    }
}

static void push(struct bench *t, struct out *o, unsigned i, uint32_t written)
{
    if (o->n) {
        i %= o->n;
        vq_push(&t->vq, &o->e[i], written);
        memmove(&o->e[i], &o->e[i + 1], (o->n - i - 1) * sizeof(o->e[0]));
        o->n--;
        o->mixed = true;
    }
}

static void one(struct bench *t, struct input *in, struct out *o)
{
    uint8_t *ram = t->ram[0]->host;
    unsigned op = take(in, 1), n;

    switch (op & 15) {
    case 0: case 1:
        descriptor(t, in, DESC + 16 * (op >> 4), t->vq.l.packed);
        break;
    case 2:
        descriptor(t, in, TABLE + 16 * (op >> 6), t->vq.l.packed);
        if (op & 0x20) {                                /* a table that is linked well */
            st_le16(ram + TABLE + 16 * (op >> 6) + 12, 1);
            st_le16(ram + TABLE + 16 * (op >> 6) + 14, (op >> 6) + 1);
        }
        break;
    case 3:                                             /* make something available */
        if (t->vq.l.packed) {
            n = DESC + 16 * t->vq.last_avail + 14;
            st_le16(ram + MIN(n, DIRTY_END), (ld_le16(ram + MIN(n, DIRTY_END)) & 7) | (t->vq.avail_wrap ? 0x80 : 0x8000));
        } else {
            st_le16(ram + DRIVER + 4 + 2 * (t->vq.last_avail & 31), op >> 4);
            st_le16(ram + DRIVER + 2, t->vq.last_avail + 1 + (op >> 7));
        }
        break;
    case 4:
        if (op & 0x10) {                                /* the driver's event, either format */
            st_le16(ram + DRIVER, (take(in, 1) & 0x0F) | (op & 0x20 ? 0x8000 : 0));
            st_le16(ram + DRIVER + 2, op >> 6);
        } else {
            st_le16(ram + DRIVER + (take(in, 1) & 0x7E), take(in, 2));
        }
        break;
    case 5: case 6: case 7:
        pop(t, o);
        break;
    case 8: case 9:
        push(t, o, op >> 4, length(in));
        break;
    case 10:
        vq_flush(&t->vq);
        vq_should_notify(&t->vq);
        break;
    case 11:
        vq_set_notify(&t->vq, op & 16);
        vq_empty(&t->vq);
        break;
    case 12:
        if (o->n && !o->mixed) {
            n = (op >> 4) % o->n;
            vq_rewind(&t->vq, &o->e[n]);
            o->n = n;
        }
        vq_in_bytes(&t->vq, &t->p, length(in), 8);
        break;
    case 13:
        ram[DESC + (take(in, 2) & 0x3FFF)] = take(in, 1);
        break;
    case 14:
        if (op & 0x80) {
            region_set_enabled(&t->toggle, op & 0x10);
        } else if (op & 0x40) {
            t->dma.enabled = op & 0x10;
        } else {
            vq_drain(&t->vq, &t->p, op >> 4);
            o->mixed = true;
        }
        break;
    default:
        if (op & 0x80) {
            o->n = 0;
            o->mixed = false;
            vq_stop(&t->vq);
            setup(t, in);
        }
        break;
    }
    if (!o->n) {
        vq_pieces_reset(&t->p);
        o->mixed = false;
    }
    check(t->vq.in_flight <= MAX(t->vq.l.size, 1) && t->vq.pending <= t->vq.in_flight);
    check(!t->vq.running || !t->vq.fault);
    check(!t->vq.l.packed || !t->vq.running || (t->vq.last_avail < t->vq.l.size && t->vq.used < t->vq.l.size));
}

/* A fresh queue in fresh memory works */
static void check_alive(struct bench *t)
{
    uint8_t *ram = t->ram[0]->host;
    struct vq_layout l = { .desc = DESC, .driver = DRIVER, .device = DEVICE, .size = 8 };
    struct vq_elem e;

    t->dma.enabled = true;
    region_set_enabled(&t->toggle, false);
    vq_pieces_reset(&t->p);
    memset(ram + DESC, 0, DIRTY_END - DESC);
    check(vq_setup(&t->vq, &l));
    st_le64(ram + DESC, DATA);
    st_le32(ram + DESC + 8, 64);
    st_le16(ram + DESC + 12, 2);
    st_le16(ram + DRIVER + 2, 1);
    check(vq_pop(&t->vq, &e, &t->p) == VQ_OK && e.in_len == 64);
    vq_push(&t->vq, &e, 64);
    vq_flush(&t->vq);
    check(ld_le16(ram + DEVICE + 2) == 1 && vq_should_notify(&t->vq));
    check(t->io_accesses == 0);
    vq_stop(&t->vq);
    memset(ram + DESC, 0, DIRTY_END - DESC);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct bench *t;
    static struct out o;
    struct input in = { data, size };

    if (!t) {
        t = bench_new();
    }
    o.n = 0;
    o.mixed = false;
    vq_pieces_reset(&t->p);
    t->broken = 0;
    setup(t, &in);
    for (unsigned i = 0; in.left && i < OPS_MAX; i++) {
        one(t, &in, &o);
    }
    check_alive(t);
    return 0;
}
