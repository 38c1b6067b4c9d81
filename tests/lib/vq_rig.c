/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/lib/vq_rig.c - see vq_rig.h */
#include "tests/lib/vq_rig.h"

const struct kind split_k = { "split", false, true, true, false, RING, 8 };
const struct kind packed_k = { "packed", true, true, true, false, RING, 8 };
const struct kind split_plain = { "split", false, false, false, false, RING, 8 };
const struct kind packed_plain = { "packed", true, false, false, false, RING, 8 };

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

void layout_of(struct bench *t, const struct kind *k, struct vq_layout *l)
{
    *l = (struct vq_layout){ .desc = t->d.desc, .driver = t->d.driver, .device = t->d.device, .size = k->size,
                             .packed = k->packed, .event_idx = k->event_idx, .indirect = k->indirect,
                             .in_order = k->in_order };
}

/* The driver sees RAM as one piece: block 1 is followed by block 0's memory only by luck, so both are parts of one mapping */
struct bench *bench_new(const struct kind *k)
{
    struct bench *t = g_new0(struct bench, 1);
    struct vq_layout l;

    t->ram[0] = ram_new("a", RAM, NULL);
    t->rom = ram_new("rom", RAM_PAGE_SIZE, NULL);
    /* one mapping under two blocks, so that the driver needs one pointer only and the device sees a border */
    t->ram[1] = g_new0(struct ram_block, 1);
    *t->ram[1] = *t->ram[0];
    t->ram[1]->host += BLOCK;
    t->ram[1]->page_flags += BLOCK >> RAM_PAGE_BITS;
    t->ram[1]->size = BLOCK;
    t->host = t->ram[0]->host;
    region_init(&t->root, "root", 0);
    region_init_ram(&t->a, "a", t->ram[0], false);
    t->a.size = BLOCK;
    region_init_ram(&t->b, "b", t->ram[1], false);
    region_init_ram(&t->rom_r, "rom", t->rom, true);
    region_init_io(&t->io, "io", 0x1000, &io_ops, t);
    region_init_io(&t->toggle, "toggle", 0x1000, &io_ops, t);
    region_init_io(&t->cover, "cover", 0x100000, &io_ops, t);
    region_add(&t->root, 0, &t->a, 0);
    region_add(&t->root, BLOCK, &t->b, 0);
    region_add(&t->root, ROM, &t->rom_r, 0);
    region_add(&t->root, MMIO, &t->io, 0);
    region_add(&t->root, MMIO + 0x10000, &t->toggle, 0);
    space_init(&t->as, "memory", &t->root);
    t->dma = (struct dma){ .as = &t->as, .enabled = true };
    vq_mem_init(&t->mem, &t->dma);
    vq_init(&t->vq, &t->mem, 3, VQ_SIZE_MAX, on_broken, t);
    vq_pieces_init(&t->p, VQ_PIECES_MAX);
    vqd_init(&t->d, t->host, k->base, k->size, k->packed, k->event_idx);
    layout_of(t, k, &l);
    g_assert_true(vq_setup(&t->vq, &l));
    return t;
}

void bench_free(struct bench *t)
{
    g_assert_cmpuint(t->io_accesses, ==, 0);    /* whatever a guest wrote, no device register was touched */
    vq_fini(&t->vq);
    vq_pieces_fini(&t->p);
    vq_mem_fini(&t->mem);
    vq_mem_fini(&t->mem);
    region_fini(&t->cover);
    region_fini(&t->toggle);
    region_fini(&t->io);
    region_fini(&t->rom_r);
    region_fini(&t->b);
    region_fini(&t->a);
    space_fini(&t->as);
    region_fini(&t->root);
    ram_free(t->rom);
    g_free(t->ram[1]);
    ram_free(t->ram[0]);
    g_free(t);
}

void map_changes(struct bench *t)
{
    region_set_enabled(&t->toggle, !t->toggle.enabled);
}

/* Some good chains, so that the ring stands at @n */
void warm_up(struct bench *t, unsigned n)
{
    struct vq_elem e;
    uint32_t len;

    while (n--) {
        struct vqd_buf b = { DATA, 100 };

        g_assert_true(vqd_add(&t->d, &b, 0, 1, false, t));
        vq_pieces_reset(&t->p);
        g_assert_cmpint(vq_pop(&t->vq, &e, &t->p), ==, VQ_OK);
        vq_push(&t->vq, &e, 10);
        vq_flush(&t->vq);
        g_assert_true(vqd_get(&t->d, &len, NULL) == t);
    }
    vq_pieces_reset(&t->p);
}
