/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/test-virtqueue-hostile.c - virtqueues and drivers that break the rules
 *
 * Each test breaks one rule after some good work, at a place where the ring has wrapped. A broken ring stops the queue,
 * once, by name; a buffer that cannot be used costs its chain only.
 */
#include "tests/lib/vq_rig.h"

/* ---- hostile drivers ---- */

/* The queue is dead, said so once, and has written nothing since */
static void expect_broken(struct bench *t, enum vq_fault f)
{
    uint64_t used = ld_le64(t->host + t->d.device);
    struct vq_elem e;

    vq_pieces_reset(&t->p);
    g_assert_cmpint(vq_pop(&t->vq, &e, &t->p), ==, VQ_BROKEN);
    g_assert_cmpstr(vq_fault_name(t->vq.fault), ==, vq_fault_name(f));
    g_assert_cmpint(vq_pop(&t->vq, &e, &t->p), ==, VQ_BROKEN);
    g_assert_cmpuint(t->broken, ==, 1);
    g_assert_cmpuint(t->p.used, ==, 0);
    g_assert_true(vq_empty(&t->vq));
    g_assert_false(vq_set_notify(&t->vq, true));
    vq_flush(&t->vq);
    g_assert_false(vq_should_notify(&t->vq));
    g_assert_cmpuint(vq_drain(&t->vq, &t->p, 10), ==, 0);
    g_assert_cmphex(ld_le64(t->host + t->d.device), ==, used);
    bench_free(t);
}

/* A chain of descriptors written by hand at the place the device looks at next; flags of the first given last */
struct bad_desc {
    uint64_t addr;
    uint32_t len;
    uint16_t flags, last;
};

static struct bench *offer(const struct kind *k, const struct bad_desc *b, unsigned n)
{
    struct bench *t = bench_new(k);
    unsigned start = k->packed ? 5 : 0;

    warm_up(t, k->packed ? 13 : 21);
    for (unsigned i = n; i-- > 0;) {
        unsigned at = k->packed ? (start + i) % k->size : i;

        vqd_put_desc(&t->d, at, b[i].addr, b[i].len, b[i].flags | (k->packed ? (t->d.avail_wrap ? 0x80 : 0x8000) : 0),
                     b[i].last);
    }
    if (!k->packed) {
        vqd_put_avail(&t->d, 0);
    }
    return t;
}

struct hostile {
    const char *name;
    const struct kind *k;
    enum vq_fault fault;
    struct bad_desc b[8];
    unsigned n;
    struct bad_desc table[4];           /* put at TABLE */
};

enum { TABLE = 0x300000 };

static const struct hostile hostiles[] = {
    { "split/next-out-of-range", &split_k, VQ_FAULT_NEXT, { { DATA, 10, F_NEXT, 8 } }, 1 },
    { "split/next-65535", &split_k, VQ_FAULT_NEXT, { { DATA, 10, F_NEXT, 0xFFFF } }, 1 },
    { "split/loop-to-itself", &split_k, VQ_FAULT_LOOP, { { DATA, 10, F_NEXT, 0 } }, 1 },
    { "split/loop-of-two", &split_k, VQ_FAULT_LOOP, { { DATA, 10, F_NEXT, 1 }, { DATA, 10, F_NEXT, 0 } }, 2 },
    { "split/read-after-write", &split_k, VQ_FAULT_ORDER, { { DATA, 10, F_NEXT | F_WRITE, 1 }, { DATA, 10, 0, 0 } }, 2 },
    { "split/zero-length", &split_k, VQ_FAULT_ZERO_LEN, { { DATA, 10, F_NEXT, 1 }, { DATA, 0, 0, 0 } }, 2 },
    { "split/indirect-not-negotiated", &split_plain, VQ_FAULT_INDIRECT_OFF, { { TABLE, 16, F_INDIRECT, 0 } }, 1 },
    { "split/indirect-and-next", &split_k, VQ_FAULT_INDIRECT_NEXT, { { TABLE, 16, F_INDIRECT | F_NEXT, 1 } }, 1,
      { { DATA, 10, 0, 0 } } },
    { "split/indirect-in-indirect", &split_k, VQ_FAULT_INDIRECT_NESTED, { { TABLE, 32, F_INDIRECT, 0 } }, 1,
      { { TABLE, 16, F_INDIRECT, 0 } } },
    { "split/indirect-length-0", &split_k, VQ_FAULT_INDIRECT_LEN, { { TABLE, 0, F_INDIRECT, 0 } }, 1 },
    { "split/indirect-length-17", &split_k, VQ_FAULT_INDIRECT_LEN, { { TABLE, 17, F_INDIRECT, 0 } }, 1 },
    { "split/indirect-length-huge", &split_k, VQ_FAULT_INDIRECT_LEN, { { TABLE, 0xFFFFFFF0, F_INDIRECT, 0 } }, 1 },
    { "split/indirect-next-outside", &split_k, VQ_FAULT_NEXT, { { TABLE, 32, F_INDIRECT, 0 } }, 1,
      { { DATA, 10, F_NEXT, 2 } } },
    { "split/indirect-loop", &split_k, VQ_FAULT_LOOP, { { TABLE, 32, F_INDIRECT, 0 } }, 1,
      { { DATA, 10, F_NEXT, 1 }, { DATA, 10, F_NEXT, 0 } } },
    { "split/indirect-order", &split_k, VQ_FAULT_ORDER, { { TABLE, 32, F_INDIRECT, 0 } }, 1,
      { { DATA, 10, F_NEXT | F_WRITE, 1 }, { DATA, 10, 0, 0 } } },
    { "split/indirect-in-mmio", &split_k, VQ_FAULT_INDIRECT_DMA, { { MMIO, 32, F_INDIRECT, 0 } }, 1 },
    { "split/indirect-wraps", &split_k, VQ_FAULT_INDIRECT_DMA, { { UINT64_MAX - 15, 32, F_INDIRECT, 0 } }, 1 },
    { "split/indirect-past-ram", &split_k, VQ_FAULT_INDIRECT_DMA, { { RAM - 16, 32, F_INDIRECT, 0 } }, 1,
      { { DATA, 10, F_NEXT, 1 } } },
    { "split/chain-and-table-too-long", &split_k, VQ_FAULT_INDIRECT_LEN, { { DATA, 1, F_NEXT, 1 },
      { TABLE, 16 * (VQ_SIZE_MAX + 1), F_INDIRECT, 0 } }, 2 },
    { "packed/loop-whole-ring", &packed_k, VQ_FAULT_LOOP, { { DATA, 1, F_NEXT, 0 }, { DATA, 1, F_NEXT, 0 },
      { DATA, 1, F_NEXT, 0 }, { DATA, 1, F_NEXT, 0 }, { DATA, 1, F_NEXT, 0 }, { DATA, 1, F_NEXT, 0 },
      { DATA, 1, F_NEXT, 0 }, { DATA, 1, F_NEXT, 0 } }, 8 },
    { "packed/read-after-write", &packed_k, VQ_FAULT_ORDER, { { DATA, 10, F_NEXT | F_WRITE, 1 }, { DATA, 10, 0, 0 } }, 2 },
    { "packed/zero-length", &packed_k, VQ_FAULT_ZERO_LEN, { { DATA, 0, 0, 0 } }, 1 },
    { "packed/indirect-not-negotiated", &packed_plain, VQ_FAULT_INDIRECT_OFF, { { TABLE, 16, F_INDIRECT, 0 } }, 1 },
    { "packed/indirect-and-next", &packed_k, VQ_FAULT_INDIRECT_NEXT, { { TABLE, 16, F_INDIRECT | F_NEXT, 0 } }, 1,
      { { DATA, 10, 0, 0 } } },
    { "packed/indirect-in-chain", &packed_k, VQ_FAULT_INDIRECT_NEXT, { { DATA, 10, F_NEXT, 0 },
      { TABLE, 16, F_INDIRECT, 0 } }, 2, { { DATA, 10, 0, 0 } } },
    { "packed/indirect-in-indirect", &packed_k, VQ_FAULT_INDIRECT_NESTED, { { TABLE, 32, F_INDIRECT, 0 } }, 1,
      { { TABLE, 16, F_INDIRECT, 0 } } },
    { "packed/indirect-length-8", &packed_k, VQ_FAULT_INDIRECT_LEN, { { TABLE, 8, F_INDIRECT, 0 } }, 1 },
    { "packed/indirect-table-zero-length-inside", &packed_k, VQ_FAULT_ZERO_LEN, { { TABLE, 64, F_INDIRECT, 0 } }, 1,
      { { DATA, 10, 0, 0 } } },
    { "packed/indirect-in-mmio", &packed_k, VQ_FAULT_INDIRECT_DMA, { { MMIO, 32, F_INDIRECT, 0 } }, 1 },
    { "packed/indirect-wraps", &packed_k, VQ_FAULT_INDIRECT_DMA, { { UINT64_MAX - 31, 48, F_INDIRECT, 0 } }, 1 },
};

static void test_hostile(gconstpointer data)
{
    const struct hostile *h = data;
    struct bench *t = offer(h->k, h->b, h->n);

    for (unsigned i = 0; i < ARRAY_LEN(h->table); i++) {
        const struct bad_desc *b = &h->table[i];
        uint8_t *p = t->host + TABLE + 16 * i;

        st_le64(p, b->addr);
        st_le32(p + 8, b->len);
        st_le16(p + 12, h->k->packed ? b->last : b->flags);
        st_le16(p + 14, h->k->packed ? b->flags : b->last);
    }
    memcpy(t->host + RAM - 16, t->host + TABLE, 16);
    expect_broken(t, h->fault);
}

/* CVE-2016-5403: more requests than the ring has */
static void test_avail_jump(void)
{
    static const uint16_t jumps[] = { 9, 100, 0x7FFF, 0x8000, 0xFFFF };

    for (unsigned i = 0; i < ARRAY_LEN(jumps); i++) {
        struct bench *t = bench_new(&split_k);

        warm_up(t, 21);
        st_le16(t->host + t->d.driver + 2, 21 + jumps[i]);
        expect_broken(t, VQ_FAULT_AVAIL_JUMP);
    }
}

static void test_avail_backwards_while_popping(void)
{
    struct bench *t = bench_new(&split_k);
    struct vqd_buf b = { DATA, 100 };
    struct vq_elem e;

    vqd_add(&t->d, &b, 1, 0, false, t);
    vqd_add(&t->d, &b, 1, 0, false, t);
    g_assert_cmpint(vq_pop(&t->vq, &e, &t->p), ==, VQ_OK);
    g_assert_cmpint(vq_pop(&t->vq, &e, &t->p), ==, VQ_OK);
    st_le16(t->host + t->d.driver + 2, 1);
    expect_broken(t, VQ_FAULT_AVAIL_JUMP);
}

static void test_head_out_of_range(void)
{
    static const uint16_t heads[] = { 8, 9, 0x8000, 0xFFFF };

    for (unsigned i = 0; i < ARRAY_LEN(heads); i++) {
        struct bench *t = bench_new(&split_k);

        warm_up(t, 21);
        vqd_put_avail(&t->d, heads[i]);
        expect_broken(t, VQ_FAULT_HEAD);
    }
}

/* The same head again and again, never completed: no more chains in flight than the ring has */
static void test_same_head_for_ever(gconstpointer data)
{
    const struct kind *k = data;
    struct bench *t = bench_new(k);
    struct vq_elem e;

    for (unsigned i = 0; i < k->size; i++) {
        vqd_put_desc(&t->d, k->packed ? i : 0, DATA, 10, k->packed ? 0x80 : 0, 0);
        if (!k->packed) {
            vqd_put_avail(&t->d, 0);
        }
        g_assert_cmpint(vq_pop(&t->vq, &e, &t->p), ==, VQ_OK);
    }
    if (k->packed) {                    /* next lap over descriptors that were never used */
        vqd_put_desc(&t->d, 0, DATA, 10, 0x8000, 0);
    } else {
        vqd_put_avail(&t->d, 0);
    }
    expect_broken(t, VQ_FAULT_OVERFLOW);
}

/* Flags of all sorts in a packed ring: nothing but the right pair is "available" (CVE-2026-16457) */
static void test_packed_flags(void)
{
    for (unsigned f = 0; f < 0x10000; f++) {
        static struct bench *t;
        struct vq_elem e;
        enum vq_status st;

        if (!t) {
            t = bench_new(&packed_k);
        }
        vq_stop(&t->vq);
        struct vq_layout l;
        layout_of(t, &packed_k, &l);
        g_assert_true(vq_setup(&t->vq, &l));
        vq_pieces_reset(&t->p);
        memset(t->host + TABLE, 0, 64);
        st_le32(t->host + TABLE + 8, 1);
        st_le32(t->host + TABLE + 24, 1);
        vqd_put_desc(&t->d, 1, DATA, 10, 0x80 | F_WRITE, 7);
        vqd_put_desc(&t->d, 0, TABLE, 32, f, 7);
        st = vq_pop(&t->vq, &e, &t->p);
        if ((f & 0x8080) != 0x80) {
            g_assert_cmpint(st, ==, VQ_EMPTY);
        } else if (f & F_INDIRECT && f & F_NEXT) {
            g_assert_cmpint(st, ==, VQ_BROKEN);
        } else {
            g_assert_cmpint(st, ==, VQ_OK);
            g_assert_cmpuint(e.id, ==, 7);
            g_assert_cmpuint(e.ndesc, ==, f & F_NEXT ? 2 : 1);
            g_assert_cmpuint(e.out_len + e.in_len, ==, f & F_INDIRECT ? 2 : f & F_NEXT ? 42 : 32);
        }
        if (f == 0xFFFF) {
            bench_free(g_steal_pointer(&t));
        }
    }
}

/* Setup: sizes (32768: CVE-2026-50626), alignment, wrap; none of it starts the queue */
static void test_setup(void)
{
    static const struct {
        uint64_t desc, driver, device;
        uint16_t size;
        bool packed, ok;
    } t[] = {
        { 0x1000, 0x2000, 0x3000, 8, false, true },
        { 0x1000, 0x2000, 0x3000, 0, false, false },
        { 0x1000, 0x2000, 0x3000, 7, false, false },
        { 0x1000, 0x2000, 0x3000, 7, true, true },
        { 0x1000, 0x2000, 0x3000, 1024, false, true },
        { 0x1000, 0x2000, 0x3000, 2048, false, false },
        { 0x1000, 0x2000, 0x3000, 32768, false, false },
        { 0x1000, 0x2000, 0x3000, 32768, true, false },
        { 0x1000, 0x2000, 0x3000, 65535, true, false },
        { 0x1008, 0x2000, 0x3000, 8, false, false },
        { 0x1000, 0x2001, 0x3000, 8, false, false },
        { 0x1000, 0x2002, 0x3000, 8, false, true },
        { 0x1000, 0x2000, 0x3002, 8, false, false },
        { 0x1000, 0x2002, 0x3000, 8, true, false },
        { UINT64_MAX - 0x6F, 0x2000, 0x3000, 8, false, false },
        { 0x1000, UINT64_MAX - 3, 0x3000, 8, false, false },
        { 0x1000, 0x2000, UINT64_MAX - 3, 8, false, false },
    };
    struct bench *b = bench_new(&split_k);

    for (unsigned i = 0; i < ARRAY_LEN(t); i++) {
        struct vq_layout l = { .desc = t[i].desc, .driver = t[i].driver, .device = t[i].device, .size = t[i].size,
                               .packed = t[i].packed };
        struct vq_elem e;

        b->broken = 0;
        g_assert_cmpint(vq_setup(&b->vq, &l), ==, t[i].ok);
        g_assert_cmpuint(b->broken, ==, !t[i].ok);
        if (!t[i].ok) {
            g_assert_cmpint(b->vq.fault, ==, VQ_FAULT_SETUP);
            g_assert_cmpint(vq_pop(&b->vq, &e, &b->p), ==, VQ_BROKEN);
        }
    }
    bench_free(b);
}

/* Rings where no RAM is: MMIO, ROM (device area), holes, the end of RAM */
static void test_ring_not_ram(void)
{
    static const uint64_t places[] = { MMIO, 0x80000000, RAM - 16, 0xFFFFFFFFFFFFE000, MMIO + 0xFF0 };

    for (unsigned packed = 0; packed < 2; packed++) {
        for (unsigned i = 0; i < ARRAY_LEN(places); i++) {
            struct bench *t = bench_new(packed ? &packed_k : &split_k);
            struct vq_layout l;

            layout_of(t, packed ? &packed_k : &split_k, &l);
            *(packed ? &l.desc : &l.driver) = places[i];
            g_assert_true(vq_setup(&t->vq, &l));
            if (places[i] == RAM - 16 && packed) {          /* the first descriptor is there, the second is not */
                st_le16(t->host + RAM - 2, 0x80 | F_NEXT);
                st_le32(t->host + RAM - 8, 1);
            }
            if (places[i] == RAM - 16 && !packed) {
                st_le16(t->host + RAM - 14, 7);             /* index there, entry 6 not */
                t->vq.last_avail = t->vq.shadow_avail = 6;
            }
            expect_broken(t, VQ_FAULT_RING_DMA);
        }
    }
    struct bench *t = bench_new(&split_k);                  /* ROM: readable, so that only the used ring fails */
    struct vqd_buf b = { DATA, 100 };
    struct vq_layout l;
    struct vq_elem e;

    layout_of(t, &split_k, &l);
    l.device = ROM;
    g_assert_true(vq_setup(&t->vq, &l));
    g_assert_true(vqd_add(&t->d, &b, 1, 0, false, t));
    g_assert_cmpint(vq_pop(&t->vq, &e, &t->p), ==, VQ_OK);
    vq_push(&t->vq, &e, 0);
    vq_flush(&t->vq);
    g_assert_cmpuint(ld_le64(t->rom->host), ==, 0);
    expect_broken(t, VQ_FAULT_RING_DMA);
}

/* The ring's memory goes away under it (a BAR laid over it): no stale pointer is used */
static void test_ring_memory_goes_away(gconstpointer data)
{
    const struct kind *k = data;
    struct bench *t = bench_new(k);

    warm_up(t, 21);
    region_add(&t->root, 0, &t->cover, 5);
    expect_broken(t, VQ_FAULT_RING_DMA);
}

/* ---- buffers that the device cannot use: the chain comes back, the queue goes on ---- */

static void test_bad_buffers(gconstpointer data)
{
    const struct kind *k = data;
    static const struct { struct vqd_buf b[3]; unsigned out, in; bool bad; } c[] = {
        { { { MMIO, 100 } }, 1, 0, true },
        { { { MMIO, 100 } }, 0, 1, true },
        { { { DATA, 10 }, { 0x80000000, 4 } }, 1, 1, true },
        { { { ROM, 100 } }, 1, 0, false },                  /* may be read */
        { { { ROM, 100 } }, 0, 1, true },
        { { { RAM - 4, 8 } }, 0, 1, true },
        { { { UINT64_MAX, 2 } }, 0, 1, true },
        { { { UINT64_MAX - 7, 8 } }, 1, 0, true },
        { { { DATA, 0xFFFFFFFF } }, 1, 0, true },
        { { { DATA, 1 }, { MMIO, 1 }, { DATA, 1 } }, 2, 1, true },
        { { { BLOCK - 4, 8 }, { DATA, 5 } }, 1, 1, false },
    };
    struct bench *t = bench_new(k);
    uint32_t len;

    for (unsigned i = 0; i < ARRAY_LEN(c); i++) {
        unsigned before = t->p.used;
        struct vq_elem e;

        g_assert_true(vqd_add(&t->d, c[i].b, c[i].out, c[i].in, false, t));
        g_assert_cmpint(vq_pop(&t->vq, &e, &t->p), ==, VQ_OK);
        g_assert_cmpint(e.bad, ==, c[i].bad);
        if (e.bad) {
            g_assert_cmpuint(e.out_cnt + e.in_cnt + e.out_len + e.in_len, ==, 0);
            g_assert_cmpuint(t->p.used, ==, before);
        }
        vq_push(&t->vq, &e, e.in_len);
        vq_flush(&t->vq);
        g_assert_true(vqd_get(&t->d, &len, NULL) == t);
    }
    g_assert_cmpuint(t->vq.bad, ==, 9);
    g_assert_cmpuint(t->broken, ==, 0);
    warm_up(t, 3);
    bench_free(t);
}

/* 65 descriptors of 69 KiB, then of more than 4 GiB in all: both come back (test server facts, section 5) */
static void test_long_chains(gconstpointer data)
{
    const struct kind proto = *(const struct kind *)data;
    struct kind k = proto;
    struct vqd_buf b[65];
    struct bench *t;
    struct vq_elem e;
    uint32_t len;

    k.size = 128;
    t = bench_new(&k);
    for (unsigned i = 0; i < 65; i++) {
        b[i] = (struct vqd_buf){ DATA + i * 0x1000, 1087 };
    }
    g_assert_true(vqd_add(&t->d, b, 65, 0, false, t));
    g_assert_cmpint(vq_pop(&t->vq, &e, &t->p), ==, VQ_OK);
    g_assert_cmpuint(e.out_cnt, ==, 65);
    g_assert_cmpuint(e.work, ==, 65);
    g_assert_cmpuint(e.out_len, ==, 65 * 1087);
    vq_push(&t->vq, &e, 0);
    vq_flush(&t->vq);
    g_assert_true(vqd_get(&t->d, &len, NULL) == t);
    for (unsigned i = 0; i < 65; i++) {
        b[i] = (struct vqd_buf){ 0, RAM };              /* whole RAM, 65 times: 520 MiB */
    }
    vq_pieces_reset(&t->p);
    g_assert_true(vqd_add(&t->d, b, 65, 0, false, t));
    g_assert_cmpint(vq_pop(&t->vq, &e, &t->p), ==, VQ_OK);
    g_assert_cmpuint(e.out_len, ==, 65u * RAM);
    vq_push(&t->vq, &e, 0);
    vq_flush(&t->vq);
    g_assert_true(vqd_get(&t->d, &len, NULL) == t);
    bench_free(t);

    k.size = VQ_SIZE_MAX;                               /* 1024 times 8 MiB: beyond 32 bits */
    k.base = 0;
    t = bench_new(&k);
    for (unsigned i = 0; i < k.size; i++) {
        uint16_t flags = i + 1u < k.size ? F_NEXT : 0;

        vqd_put_desc(&t->d, i, 0, RAM, flags | (k.packed ? 0x80 : 0), k.packed ? 0 : i + 1);
    }
    if (!k.packed) {
        vqd_put_avail(&t->d, 0);
    }
    g_assert_cmpint(vq_pop(&t->vq, &e, &t->p), ==, VQ_OK);
    g_assert_true(e.bad);
    vq_push(&t->vq, &e, 0);
    vq_flush(&t->vq);
    g_assert_cmpuint(t->vq.in_flight, ==, 0);
    g_assert_cmpuint(t->broken, ==, 0);
    bench_free(t);
}

/* ---- the guest changes its mind ---- */

/* A descriptor rewritten after the pop changes nothing of the element (no second look at guest memory) */
static void test_rewritten_descriptor(gconstpointer data)
{
    struct bench *t = bench_new(data);
    struct vqd_buf b[2] = { { DATA, 10 }, { DATA + 100, 20 } };
    struct vq_elem e;
    uint16_t id;
    uint32_t len;

    vqd_add(&t->d, b, 1, 1, false, t);
    g_assert_cmpint(vq_pop(&t->vq, &e, &t->p), ==, VQ_OK);
    id = e.id;
    memset(vqd_desc(&t->d, 0), 0xFF, 16 * 8);
    g_assert_cmpuint(e.in_len, ==, 20);
    g_assert_cmpuint(e.in_cnt, ==, 1);
    vq_push(&t->vq, &e, 0xFFFFFFFF);
    vq_flush(&t->vq);
    if (!t->d.packed) {
        g_assert_cmpuint(ld_le32(t->host + t->d.device + 4), ==, id);
        g_assert_cmpuint(ld_le32(t->host + t->d.device + 8), ==, 20);
    } else {
        g_assert_true(vqd_get(&t->d, &len, NULL) == t);
        g_assert_cmpuint(len, ==, 20);
    }
    bench_free(t);
}

static void test_bus_master_off(gconstpointer data)
{
    struct bench *t = bench_new(data);
    struct vqd_buf b = { DATA, 100 };
    struct vq_elem e;

    vqd_add(&t->d, &b, 0, 1, false, t);
    t->dma.enabled = false;
    g_assert_cmpint(vq_pop(&t->vq, &e, &t->p), ==, VQ_EMPTY);
    g_assert_false(vq_set_notify(&t->vq, true));
    t->dma.enabled = true;
    g_assert_cmpint(vq_pop(&t->vq, &e, &t->p), ==, VQ_OK);
    t->dma.enabled = false;
    vq_push(&t->vq, &e, 0);
    vq_flush(&t->vq);
    g_assert_cmpint(t->vq.fault, ==, VQ_FAULT_RING_DMA);
    t->dma.enabled = true;
    expect_broken(t, VQ_FAULT_RING_DMA);
}

int main(int argc, char **argv)
{
    static const struct kind *const both[] = { &split_k, &packed_k, &split_plain, &packed_plain };
    static const struct { const char *name; GTestDataFunc fn; unsigned n; } each[] = {
        { "hostile/bad-buffers", test_bad_buffers, 4 }, { "hostile/long-chains", test_long_chains, 2 },
        { "hostile/rewritten-descriptor", test_rewritten_descriptor, 4 }, { "hostile/bus-master-off", test_bus_master_off, 4 },
        { "hostile/same-head-for-ever", test_same_head_for_ever, 4 },
        { "hostile/ring-memory-goes-away", test_ring_memory_goes_away, 4 },
    };

    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < ARRAY_LEN(hostiles); i++) {
        g_autofree char *path = g_strdup_printf("/virtqueue/hostile/%s", hostiles[i].name);

        g_test_add_data_func(path, &hostiles[i], test_hostile);
    }
    for (unsigned i = 0; i < ARRAY_LEN(each); i++) {
        for (unsigned j = 0; j < each[i].n; j++) {
            g_autofree char *path = g_strdup_printf("/virtqueue/%s/%s%s", each[i].name, both[j]->name, j < 2 ? "" : "-plain");

            g_test_add_data_func(path, both[j], each[i].fn);
        }
    }
    g_test_add_func("/virtqueue/hostile/split/avail-jump", test_avail_jump);
    g_test_add_func("/virtqueue/hostile/split/avail-backwards", test_avail_backwards_while_popping);
    g_test_add_func("/virtqueue/hostile/split/head-out-of-range", test_head_out_of_range);
    g_test_add_func("/virtqueue/hostile/packed/all-flags", test_packed_flags);
    g_test_add_func("/virtqueue/hostile/ring-not-ram", test_ring_not_ram);
    g_test_add_func("/virtqueue/hostile/setup", test_setup);
    return g_test_run();
}
