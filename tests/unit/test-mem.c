/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/unit/test-mem.c - regions, views, accesses, DMA */
#include "core/loop.h"
#include "lib/bits.h"
#include "mem/dma.h"
#include <inttypes.h>
#include <string.h>

struct rig {
    struct region root, ram_r, rom_r, io_r, alias_r;
    struct ram_block *ram, *rom;
    struct addr_space as;
    struct dma dma;
    GString *log;           /* "r OFF SIZE" / "w OFF SIZE VAL" of each I/O access */
    struct region_ops ops;
    unsigned changes;
};

static uint64_t io_read(void *opaque, uint64_t off, unsigned size)
{
    struct rig *g = opaque;

    g_string_append_printf(g->log, "r%" G_GINT64_MODIFIER "x/%u ", off, size);
    return 0x1122334455667788ULL >> (8 * (off & 7));
}

static void io_write(void *opaque, uint64_t off, uint64_t val, unsigned size)
{
    struct rig *g = opaque;

    g_string_append_printf(g->log, "w%" G_GINT64_MODIFIER "x/%u=%" G_GINT64_MODIFIER "x ", off, size, val);
}

static void changed(void *opaque)
{
    ((struct rig *)opaque)->changes++;
}

/* RAM 0-0xFFFF, ROM at 0x20000, I/O at 0x30000 (256 bytes), an alias of RAM's second half at 0x40000 */
static void rig_new(struct rig *g, unsigned min, unsigned max)
{
    memset(g, 0, sizeof(*g));
    g->log = g_string_new(NULL);
    g->ops = (struct region_ops){ io_read, io_write, (uint8_t)min, (uint8_t)max };
    g->ram = ram_new("ram", 0x10000, NULL);
    g->rom = ram_new("rom", 0x1000, NULL);
    region_init(&g->root, "root", 0);
    region_init_ram(&g->ram_r, "ram", g->ram, false);
    region_init_ram(&g->rom_r, "rom", g->rom, true);
    region_init_io(&g->io_r, "io", 0x100, &g->ops, g);
    region_init_alias(&g->alias_r, "alias", &g->ram_r, 0x8000, 0x8000);
    region_add(&g->root, 0, &g->ram_r, 0);
    region_add(&g->root, 0x20000, &g->rom_r, 0);
    region_add(&g->root, 0x30000, &g->io_r, 0);
    region_add(&g->root, 0x40000, &g->alias_r, 0);
    space_init(&g->as, "test", &g->root);
    space_add_listener(&g->as, changed, g);
    g->dma = (struct dma){ .as = &g->as, .enabled = true };
}

static void rig_free(struct rig *g)
{
    space_fini(&g->as);
    ram_free(g->ram);
    ram_free(g->rom);
    g_string_free(g->log, TRUE);
}

static void test_ram_rom(void)
{
    struct rig g;

    rig_new(&g, 1, 4);
    space_write(&g.as, 0x1234, 0xAABBCCDD, 4);
    g_assert_cmphex(space_read(&g.as, 0x1234, 4), ==, 0xAABBCCDD);
    g_assert_cmphex(g.ram->host[0x1235], ==, 0xCC);
    g_assert_cmphex(g.ram->page_flags[1], ==, RAM_DIRTY);
    space_write(&g.as, 0x20000, 0x55, 1);                       /* ROM ignores it */
    g_assert_cmphex(g.rom->host[0], ==, 0);
    g_assert_true(space_write_rom(&g.as, 0x20000, "\x55", 1));
    g_assert_cmphex(space_read(&g.as, 0x20000, 1), ==, 0x55);
    g_assert_cmphex(space_read(&g.as, 0x50000, 2), ==, 0xFFFF); /* nothing there */
    g_assert_cmphex(space_read(&g.as, ~0ULL, 1), ==, 0xFF);
    space_write(&g.as, 0x40010, 0x77, 1);                       /* through the alias */
    g_assert_cmphex(g.ram->host[0x8010], ==, 0x77);
    space_write(&g.as, 0xFFFE, 0x44332211, 4);                  /* over the end: bytes */
    g_assert_cmphex(g.ram->host[0xFFFF], ==, 0x22);
    rig_free(&g);
}

static void test_io_sizes(void)
{
    static const struct { unsigned min, max, size, off; const char *reads, *writes; } rows[] = {
        { 1, 4, 1, 3, "r3/1 ", "w3/1=dd " },
        { 1, 4, 4, 0, "r0/4 ", "w0/4=aabbccdd " },
        { 1, 4, 8, 0, "r0/4 r4/4 ", "w0/4=aabbccdd w4/4=11223344 " },
        { 4, 4, 1, 2, "r0/4 ", "w0/4=dd0000 " },
        { 4, 4, 2, 6, "r4/4 ", "w4/4=ccdd0000 " },
        { 1, 8, 8, 0, "r0/8 ", "w0/8=11223344aabbccdd " },
        { 1, 1, 2, 1, "r1/1 r2/1 ", "w1/1=dd w2/1=cc " },
    };

    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        struct rig g;
        uint64_t v;

        rig_new(&g, rows[i].min, rows[i].max);
        v = space_read(&g.as, 0x30000 + rows[i].off, rows[i].size);
        g_assert_cmphex(v, ==, (0x1122334455667788ULL >> (8 * rows[i].off)) & bits_mask(8 * rows[i].size));
        g_assert_cmpstr(g.log->str, ==, rows[i].reads);
        g_string_truncate(g.log, 0);
        space_write(&g.as, 0x30000 + rows[i].off, 0x11223344AABBCCDDULL, rows[i].size);
        g_assert_cmpstr(g.log->str, ==, rows[i].writes);
        rig_free(&g);
    }
}

static void test_overlap_and_moves(void)
{
    struct rig g;
    struct space_slot s;

    rig_new(&g, 1, 4);
    region_del(&g.io_r);
    region_add(&g.root, 0x8000, &g.io_r, 1);        /* on top of RAM */
    g_assert_true(space_lookup(&g.as, 0x8010, &s));
    g_assert_true(s.region == &g.io_r && s.off == 0x10 && s.len == 0xF0 && !s.host);
    g_assert_true(space_lookup(&g.as, 0x7FFF, &s));
    g_assert_true(s.host == g.ram->host + 0x7FFF && s.len == 1);
    g_assert_true(space_lookup(&g.as, 0x8100, &s));
    g_assert_true(s.host == g.ram->host + 0x8100 && s.len == 0x7F00);
    g.changes = 0;
    region_batch_begin();
    region_set_addr(&g.io_r, 0x9000);
    region_set_enabled(&g.alias_r, false);
    g_assert_cmpuint(g.changes, ==, 0);
    region_batch_end();
    g_assert_cmpuint(g.changes, ==, 1);
    g_assert_true(space_lookup(&g.as, 0x8010, &s) && s.host);
    g_assert_true(space_lookup(&g.as, 0x9000, &s) && s.region == &g.io_r);
    g_assert_false(space_lookup(&g.as, 0x40000, &s));
    region_set_readonly(&g.ram_r, true);
    g_assert_true(space_lookup(&g.as, 0, &s) && s.readonly);
    region_set_enabled(&g.alias_r, true);
    region_set_alias_off(&g.alias_r, 0);
    g_assert_true(space_lookup(&g.as, 0x40004, &s) && s.host == g.ram->host + 4 && s.readonly);
    rig_free(&g);
}

static void test_dma(void)
{
    struct rig g;
    uint8_t buf[64] = { 1, 2, 3 };
    struct iovec iov[4];

    rig_new(&g, 1, 4);
    g_assert_true(dma_write(&g.dma, 0x100, buf, 64));
    g_assert_cmphex(g.ram->host[0x102], ==, 3);
    g_assert_true(dma_read(&g.dma, 0x20000, buf, 4));           /* ROM may be read */
    g_assert_false(dma_write(&g.dma, 0x20000, buf, 4));
    g_assert_false(dma_read(&g.dma, 0x30000, buf, 4));          /* I/O never: the callbacks were not called */
    g_assert_false(dma_write(&g.dma, 0x2FFFE, buf, 4));
    g_assert_cmpstr(g.log->str, ==, "");
    g_assert_false(dma_write(&g.dma, 0xFFF0, buf, 64));         /* runs off the end: not one byte moves */
    g_assert_cmphex(g.ram->host[0xFFF0], ==, 0);
    g_assert_false(dma_read(&g.dma, ~0ULL - 3, buf, 8));        /* wraps */
    g_assert_cmpuint(g.dma.faults, ==, 5);
    g_assert_cmpuint(dma_map(&g.dma, 0x100, 16, iov, 4), ==, 1);
    g_assert_true(iov[0].iov_base == g.ram->host + 0x100 && iov[0].iov_len == 16);
    g.dma.enabled = false;
    g_assert_false(dma_read(&g.dma, 0, buf, 1));
    rig_free(&g);
}

struct seen {
    uint64_t off, len;
    unsigned n;
};

static void hook(void *opaque, struct ram_block *b, uint64_t off, uint64_t len)
{
    struct seen *s = opaque;

    s->off = off;
    s->len = len;
    s->n++;
}

static void test_code_hook(void)
{
    struct rig g;
    struct seen s = { 0 };
    uint8_t buf[0x2000] = { 0 };

    rig_new(&g, 1, 4);
    ram_set_code_hook(hook, &s);
    g.ram->page_flags[2] = RAM_CODE;
    dma_write(&g.dma, 0x1000, buf, 0x1000);
    g_assert_cmpuint(s.n, ==, 0);
    dma_write(&g.dma, 0x1F00, buf, 0x200);
    g_assert_cmpuint(s.n, ==, 1);
    g_assert_cmphex(s.off, ==, 0x2000);
    g_assert_cmphex(s.len, ==, 0x100);
    ram_set_code_hook(NULL, NULL);
    rig_free(&g);
}

static bool bell_post(void *opaque, uint64_t off, uint64_t val, unsigned size)
{
    struct rig *g = opaque;

    g_string_append_printf(g->log, "p%" PRIx64 "/%u=%" PRIx64 " ", off, size, val);
    return off == 8;
}

/* A doorbell is taken by its whole width only, and what is none goes the usual way */
static void test_doorbell(void)
{
    static const struct region_ops ops = { io_read, io_write, 2, 4, bell_post };
    struct region bell;
    struct rig g;

    rig_new(&g, 1, 4);
    region_init_io(&bell, "bell", 0x10, &ops, &g);
    region_add(&g.root, 0x60000, &bell, 0);
    g_assert_true(space_write_posted(&g.as, 0x60008, 0x11223344, 4));
    g_assert_true(space_write_posted(&g.as, 0x60008, 0x11223344, 2));
    g_assert_false(space_write_posted(&g.as, 0x60004, 5, 4));
    g_assert_cmpstr(g.log->str, ==, "p8/4=11223344 p8/2=3344 p4/4=5 ");
    g_assert_false(space_write_posted(&g.as, 0x60008, 1, 1));           /* narrower than it is, wider, over its end */
    g_assert_false(space_write_posted(&g.as, 0x60008, 1, 8));
    g_assert_false(space_write_posted(&g.as, 0x6000E, 1, 4));
    g_assert_false(space_write_posted(&g.as, 0x30008, 1, 4));           /* one without */
    g_assert_false(space_write_posted(&g.as, 0x1000, 1, 4));            /* RAM, nothing */
    g_assert_false(space_write_posted(&g.as, 0x90000, 1, 4));
    g_assert_cmpstr(g.log->str, ==, "p8/4=11223344 p8/2=3344 p4/4=5 ");
    region_del(&bell);
    rig_free(&g);
}

/* Random trees against a byte-by-byte answer found by walking the regions. */
static const struct region *slow_lookup(const struct region *r, uint64_t off, uint64_t *roff)
{
    if (!r->enabled || (r->size && off >= r->size)) {
        return NULL;
    }
    if (r->kind == REGION_ALIAS) {
        return slow_lookup(r->alias, off + r->alias_off, roff);
    }
    for (const GList *l = r->children.head; l; l = l->next) {
        const struct region *c = l->data, *hit;

        if (off >= c->addr && (hit = slow_lookup(c, off - c->addr, roff))) {
            return hit;
        }
    }
    *roff = off;
    return r->kind == REGION_CONTAINER ? NULL : r;
}

static void test_random_trees(void)
{
    static const struct region_ops ops = { io_read, io_write, 1, 4 };
    GRand *rnd = g_rand_new_with_seed(1);

    for (unsigned round = 0; round < 200; round++) {
        struct region root, r[12];
        struct addr_space as;

        region_init(&root, "root", 0x400);
        for (unsigned i = 0; i < ARRAY_LEN(r); i++) {
            uint64_t size = 1 + (uint64_t)g_rand_int_range(rnd, 0, 0x180);
            unsigned kind = (unsigned)g_rand_int_range(rnd, 0, 4);

            if (kind == 0 && i > 0) {
                region_init_alias(&r[i], "alias", &r[g_rand_int_range(rnd, 0, (gint)i)], (uint64_t)g_rand_int_range(rnd, 0, 0x80), size);
            } else if (kind == 1) {
                region_init(&r[i], "container", size);
            } else {
                region_init_io(&r[i], "io", size, &ops, NULL);
            }
        }
        for (unsigned i = 0; i < ARRAY_LEN(r); i++) {
            /* children only of earlier containers, so that there is no loop */
            unsigned p = (unsigned)g_rand_int_range(rnd, 0, (gint)i + 1);
            struct region *parent = p < i && r[p].kind == REGION_CONTAINER ? &r[p] : &root;

            region_add(parent, (uint64_t)g_rand_int_range(rnd, 0, 0x300), &r[i], g_rand_int_range(rnd, -2, 3));
        }
        space_init(&as, "random", &root);
        for (uint64_t a = 0; a < 0x400; a++) {
            struct space_slot s;
            uint64_t off = 0;
            const struct region *want = slow_lookup(&root, a, &off);
            bool found = space_lookup(&as, a, &s);

            g_assert_true(found == (want != NULL));
            g_assert_true(!want || (s.region == want && s.off == off));
        }
        space_fini(&as);
        for (unsigned i = 0; i < ARRAY_LEN(r); i++) {
            region_del(&r[i]);
        }
    }
    g_rand_free(rnd);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    loop_init();
    g_test_add_func("/mem/ram-rom", test_ram_rom);
    g_test_add_func("/mem/io-sizes", test_io_sizes);
    g_test_add_func("/mem/doorbell", test_doorbell);
    g_test_add_func("/mem/overlap", test_overlap_and_moves);
    g_test_add_func("/mem/dma", test_dma);
    g_test_add_func("/mem/code-hook", test_code_hook);
    g_test_add_func("/mem/random-trees", test_random_trees);
    return g_test_run();
}
