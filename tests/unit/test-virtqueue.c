/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/test-virtqueue.c - split and packed virtqueues against a model
 *
 * The model test plays both sides for thousands of random steps: what the device pops must be, in order and byte for
 * byte, what the driver offered; what the driver gets back must be what the device pushed; whoever asked to be told must
 * be told. It runs for each kind of ring, with its memory in one piece of RAM and across two blocks (the slow road).
 */
#include "tests/lib/vq_rig.h"

static const struct kind kinds[] = {
    { "split",                  false, false, false, false, RING,       8 },
    { "split-event",            false, true,  true,  false, RING,       16 },
    { "split-indirect",         false, false, true,  false, RING,       4 },
    { "split-in-order",         false, true,  true,  true,  RING,       32 },
    { "split-two-blocks",       false, true,  true,  false, SPLIT_RING, 256 },
    { "packed",                 true,  false, false, false, RING,       8 },
    { "packed-event",           true,  true,  true,  false, RING,       16 },
    { "packed-odd-size",        true,  true,  true,  false, RING,       13 },
    { "packed-in-order",        true,  true,  true,  true,  RING,       32 },
    { "packed-two-blocks",      true,  true,  true,  false, BLOCK - 0x400, 100 },
    { "packed-one",             true,  true,  true,  false, RING,       1 },
    { "split-one",              false, true,  true,  false, RING,       1 },
};

/* ---- the model ---- */

enum { BUFS = 6, BUF_MAX = 400, CHAIN_BYTES = BUFS * 512, PLACES = 512 };

struct chain {
    struct vqd_buf b[BUFS];
    unsigned out, in, out_len, in_len;
    uint8_t data[BUFS * BUF_MAX];       /* readable bytes as offered */
    struct vq_elem e;
    struct vq_pieces p;                 /* each its own: elements stay out for long */
    unsigned written, place;
    uint8_t seed;
};

struct model {
    struct bench *t;
    const struct kind *k;
    GRand *r;
    GQueue avail, out, pushed;          /* of struct chain: offered; popped; pushed, in the order the driver will see */
    GQueue held;                        /* in-order: pushed, waiting for earlier ones */
    unsigned unflushed;
    bool taken[PLACES];
    bool driver_wants, device_wants;    /* asked, and was told that nothing is there yet */
    unsigned chains, bytes;
};

static unsigned pick(struct model *m, unsigned n)
{
    return n ? g_rand_int_range(m->r, 0, n) : 0;
}

static struct chain *chain_new(struct model *m)
{
    struct chain *c = g_new0(struct chain, 1);
    unsigned n = 1 + pick(m, MIN(BUFS, m->k->indirect ? BUFS : m->k->size)), place = pick(m, PLACES);
    uint64_t border = m->k->base == RING ? BLOCK - 128 * CHAIN_BYTES - 1000 : RAM - BLOCK / 2;     /* of the blocks */
    uint64_t at;

    while (m->taken[place]) {
        place = (place + 1) % PLACES;
    }
    m->taken[place] = true;
    c->place = place;
    at = (place & 1 ? border : DATA) + (uint64_t)(place / 2) * CHAIN_BYTES;
    vq_pieces_init(&c->p, 4 * BUFS);
    c->out = pick(m, n + 1);
    c->in = n - c->out;
    for (unsigned i = 0; i < n; i++) {
        c->b[i] = (struct vqd_buf){ at, 1 + pick(m, BUF_MAX) };
        at += pick(m, 2) ? c->b[i].len : 512;       /* touching or not */
        if (i < c->out) {
            for (unsigned j = 0; j < c->b[i].len; j++) {
                c->data[c->out_len + j] = g_rand_int(m->r);
            }
            memcpy(m->t->host + c->b[i].addr, c->data + c->out_len, c->b[i].len);
            c->out_len += c->b[i].len;
        } else {
            memset(m->t->host + c->b[i].addr, 0xEE, c->b[i].len);
            c->in_len += c->b[i].len;
        }
    }
    return c;
}

static void chain_free(struct model *m, struct chain *c)
{
    m->taken[c->place] = false;
    vq_pieces_fini(&c->p);
    g_free(c);
}

/* A notification is owed if the other side asked for it, saw nothing, and something came */
static void check_kick(struct model *m, bool kicked)
{
    if (m->device_wants) {
        g_assert_true(kicked);
        m->device_wants = false;
    }
}

static void do_add(struct model *m)
{
    unsigned n = 1 + pick(m, 3), added = 0;

    while (n--) {
        struct chain *c;

        if (m->avail.length + m->out.length + m->pushed.length + m->held.length >= 200) {
            break;
        }
        c = chain_new(m);
        if (!vqd_add(&m->t->d, c->b, c->out, c->in, m->k->indirect && (pick(m, 2) || c->out + c->in > m->k->size), c)) {
            chain_free(m, c);
            break;
        }
        g_queue_push_tail(&m->avail, c);
        added++;
    }
    if (added) {
        check_kick(m, vqd_kick_needed(&m->t->d));
    }
}

static void check_elem(struct model *m, struct chain *c)
{
    uint8_t buf[BUFS * BUF_MAX];

    g_assert_false(c->e.bad);
    g_assert_cmpuint(c->e.out_len, ==, c->out_len);
    g_assert_cmpuint(c->e.in_len, ==, c->in_len);
    g_assert_cmpuint(iov_size(c->e.out, c->e.out_cnt), ==, c->out_len);
    g_assert_cmpuint(iov_size(c->e.in, c->e.in_cnt), ==, c->in_len);
    g_assert_cmpuint(iov_to_buf(c->e.out, c->e.out_cnt, 0, buf, sizeof(buf)), ==, c->out_len);
    g_assert_cmpmem(buf, c->out_len, c->data, c->out_len);
}

static void do_pop(struct model *m)
{
    struct chain *c = m->avail.head ? m->avail.head->data : NULL;
    struct vq_pieces scratch;
    struct vq_elem e;

    m->device_wants = false;
    if (!c) {
        vq_pieces_init(&scratch, 64);
        g_assert_true(vq_empty(&m->t->vq));
        g_assert_cmpint(vq_pop(&m->t->vq, &e, &scratch), ==, VQ_EMPTY);
        vq_pieces_fini(&scratch);
        return;
    }
    g_assert_false(vq_empty(&m->t->vq));
    g_assert_cmpint(vq_pop(&m->t->vq, &c->e, &c->p), ==, VQ_OK);
    check_elem(m, c);
    g_queue_push_tail(&m->out, g_queue_pop_head(&m->avail));
    m->chains++;
}

/* Elements pushed out of order cannot be rewound over: only those popped after the last one that was */
static void do_rewind(struct model *m)
{
    unsigned n = pick(m, MIN(m->out.length, 3) + 1);
    struct chain *c = NULL;

    while (n--) {
        c = g_queue_pop_tail(&m->out);
        g_queue_push_head(&m->avail, c);
        vq_pieces_reset(&c->p);
    }
    if (c) {
        vq_rewind(&m->t->vq, &c->e);
    }
}

static void pushed_in_order(struct model *m)
{
    /* all held ones that come before everything still out */
    for (;;) {
        struct chain *best = NULL;

        for (GList *l = m->held.head; l; l = l->next) {
            struct chain *c = l->data;

            if (c->e.seq == (uint16_t)(m->t->vq.seq_done - 1) ||
                (int16_t)(c->e.seq - m->t->vq.seq_done) < 0) {
                if (!best || (int16_t)(c->e.seq - best->e.seq) < 0) {
                    best = c;
                }
            }
        }
        if (!best) {
            return;
        }
        g_queue_remove(&m->held, best);
        g_queue_push_tail(&m->pushed, best);
        m->unflushed++;
    }
}

static void do_push(struct model *m)
{
    unsigned i = pick(m, m->out.length);
    struct chain *c = g_queue_peek_nth(&m->out, i);

    if (!c) {
        return;
    }
    c->written = pick(m, 4) ? c->in_len : pick(m, c->in_len + 1);
    c->seed = g_rand_int(m->r);
    for (unsigned j = 0; j < c->written; j++) {
        uint8_t v = c->seed + j * 7;

        iov_from_buf(c->e.in, c->e.in_cnt, j, &v, 1);
    }
    m->bytes += c->written;
    g_queue_pop_nth(&m->out, i);
    vq_push(&m->t->vq, &c->e, pick(m, 8) ? c->written : c->written == c->in_len ? UINT32_MAX : c->written);
    if (m->k->in_order) {
        g_queue_push_tail(&m->held, c);
        pushed_in_order(m);
    } else {
        g_queue_push_tail(&m->pushed, c);
        m->unflushed++;
    }
}

static void do_flush(struct model *m)
{
    bool any = m->unflushed, told;

    vq_flush(&m->t->vq);
    m->unflushed = 0;
    told = vq_should_notify(&m->t->vq);
    if (m->driver_wants && any) {
        g_assert_true(told);
        m->driver_wants = false;
    }
    if (!any) {
        g_assert_false(told);
    }
    g_assert_false(vq_should_notify(&m->t->vq));
}

static void do_get(struct model *m)
{
    uint32_t len = 0;
    struct chain *c = vqd_get(&m->t->d, &len, NULL);
    unsigned visible = m->pushed.length - m->unflushed, at = 0;

    m->driver_wants = false;
    if (!c) {
        g_assert_cmpuint(visible, ==, 0);
        return;
    }
    g_assert_cmpuint(visible, >, 0);
    g_assert_true(c == g_queue_pop_head(&m->pushed));
    if (c->written || !m->k->packed) {
        g_assert_cmpuint(len, ==, c->written);
    }
    for (unsigned i = c->out; i < c->out + c->in; i++) {
        for (unsigned j = 0; j < c->b[i].len; j++, at++) {
            g_assert_cmphex(m->t->host[c->b[i].addr + j], ==, at < c->written ? (uint8_t)(c->seed + at * 7) : 0xEE);
        }
    }
    chain_free(m, c);
}

static void do_notify_switches(struct model *m)
{
    switch (pick(m, 4)) {
    case 0:
        vq_set_notify(&m->t->vq, false);
        m->device_wants = false;
        break;
    case 1: {
        bool more = vq_set_notify(&m->t->vq, true);

        g_assert_cmpint(more, ==, m->avail.length != 0);
        m->device_wants = !more;
        break;
    }
    case 2:
        vqd_callbacks(&m->t->d, false);
        m->driver_wants = false;
        break;
    default:
        m->driver_wants = !vqd_callbacks(&m->t->d, true);
        break;
    }
}

static void do_peek(struct model *m)
{
    unsigned n = pick(m, 5);
    uint64_t want = pick(m, 2000), sum = 0, i = 0;
    struct vq_pieces p;

    vq_pieces_init(&p, 64);
    for (GList *l = m->avail.head; l && i < n && sum < want; l = l->next, i++) {
        sum += ((struct chain *)l->data)->in_len;
    }
    g_assert_cmpuint(vq_in_bytes(&m->t->vq, &p, want, n), ==, sum);
    vq_pieces_fini(&p);
}

static void play(const struct kind *k, unsigned seed, unsigned steps)
{
    struct model m = { .t = bench_new(k), .k = k, .r = g_rand_new_with_seed(seed) };
    bool can_rewind = true;

    for (unsigned i = 0; i < steps; i++) {
        switch (pick(&m, 12)) {
        case 0: case 1: case 2:
            do_add(&m);
            break;
        case 3: case 4:
            do_pop(&m);
            break;
        case 5: case 6:
            can_rewind = false;
            do_push(&m);
            break;
        case 7:
            do_flush(&m);
            break;
        case 8: case 9:
            do_get(&m);
            break;
        case 10:
            do_notify_switches(&m);
            break;
        default:
            if (pick(&m, 8) == 0) {
                map_changes(m.t);
            } else if (pick(&m, 2)) {
                do_peek(&m);
            } else if (can_rewind) {
                do_rewind(&m);
            }
            break;
        }
        /* what was popped after the last push may be rewound: in this model, once nothing older is out */
        if (!m.out.length) {
            can_rewind = true;
        }
        g_assert_cmpuint(m.t->broken, ==, 0);
    }
    while (m.avail.length || m.out.length || m.pushed.length) {         /* run dry */
        if (m.avail.length) {
            do_pop(&m);
        }
        do_push(&m);
        do_flush(&m);
        do_get(&m);
    }
    g_assert_cmpuint(m.held.length, ==, 0);
    g_assert_cmpuint(m.t->d.free, ==, k->size);
    g_assert_cmpuint(m.chains, >, steps / 100);
    g_assert_cmpuint(m.bytes, >, steps / 10);
    g_assert_cmpuint(m.t->vq.popped, >=, m.t->vq.pushed);
    g_rand_free(m.r);
    bench_free(m.t);
}

static void test_model(gconstpointer data)
{
    const struct kind *k = data;

    for (unsigned seed = 1; seed <= 6; seed++) {
        play(k, seed, 6000);
    }
}

/* Pieces: consecutive elements lie behind each other; too little room is no loss */
static void test_room(gconstpointer data)
{
    struct bench *t = bench_new(data);
    struct vqd_buf b[3] = { { DATA, 10 }, { DATA + 100, 10 }, { DATA + 200, 10 } };
    struct vq_pieces p;
    struct vq_elem e[2];

    vq_pieces_init(&p, 5);
    vqd_add(&t->d, b, 0, 3, false, t);
    vqd_add(&t->d, b, 0, 3, false, t);
    g_assert_cmpint(vq_pop(&t->vq, &e[0], &p), ==, VQ_OK);
    g_assert_cmpint(vq_pop(&t->vq, &e[1], &p), ==, VQ_NO_ROOM);
    g_assert_cmpuint(p.used, ==, 3);
    vq_pieces_reset(&p);
    g_assert_cmpint(vq_pop(&t->vq, &e[1], &p), ==, VQ_OK);
    g_assert_false(e[1].bad);
    vq_rewind(&t->vq, &e[0]);
    vq_pieces_fini(&p);

    vq_pieces_init(&p, 2);                  /* never enough: it comes, without pieces */
    g_assert_cmpint(vq_pop(&t->vq, &e[0], &p), ==, VQ_OK);
    g_assert_true(e[0].bad);
    vq_rewind(&t->vq, &e[0]);
    vq_pieces_fini(&p);

    vq_pieces_init(&p, 6);
    g_assert_cmpint(vq_pop(&t->vq, &e[0], &p), ==, VQ_OK);
    g_assert_cmpint(vq_pop(&t->vq, &e[1], &p), ==, VQ_OK);
    g_assert_true(e[1].in == p.iov + 3);
    vq_pieces_fini(&p);
    bench_free(t);
}

/* ---- what is written is seen ---- */

struct hook_log {
    GString *pages;
};

static void code_hook(void *opaque, struct ram_block *b, uint64_t off, uint64_t len)
{
    g_string_append_printf(((struct hook_log *)opaque)->pages, "%x,", (unsigned)(off >> RAM_PAGE_BITS));
}

/* Payload and ring pages that hold decoded code: the engine hears of the write (self-modifying code by DMA) */
static void test_written(gconstpointer data)
{
    const struct kind *k = data;
    struct bench *t = bench_new(k);
    struct hook_log log = { g_string_new("") };
    struct vqd_buf b[2] = { { DATA + 0xFF0, 32 }, { DATA + 0x5000, 100 } };
    struct vq_elem e;
    char want[64];

    memset(t->ram[0]->page_flags, RAM_CODE, RAM >> RAM_PAGE_BITS);
    ram_set_code_hook(code_hook, &log);
    vqd_add(&t->d, b, 0, 2, false, t);
    g_assert_cmpint(vq_pop(&t->vq, &e, &t->p), ==, VQ_OK);
    g_assert_cmpstr(log.pages->str, ==, "");
    vq_push(&t->vq, &e, 32);                /* the second buffer was not written */
    g_assert_cmpstr(log.pages->str, ==, "200,201,");
    vq_flush(&t->vq);
    g_snprintf(want, sizeof(want), "200,201,%x,%x,", (unsigned)((k->packed ? t->d.desc : t->d.device) >> 12),
               (unsigned)((k->packed ? t->d.desc : t->d.device) >> 12));
    g_assert_cmpstr(log.pages->str, ==, want);
    g_assert_true(t->ram[0]->page_flags[0x201] & RAM_DIRTY);
    g_assert_false(t->ram[0]->page_flags[0x205] & RAM_DIRTY);
    ram_set_code_hook(NULL, NULL);
    g_string_free(log.pages, TRUE);
    bench_free(t);
}

/* ---- notifications ---- */

/* Interrupts by event index: exactly when the driver's entry is passed, over more than one lap of 16 bits */
static void test_event_every_nth(gconstpointer data)
{
    const struct kind *k = data;
    struct bench *t = bench_new(k);
    unsigned interrupts = 0;

    for (unsigned i = 0; i < 70000; i++) {
        struct vqd_buf b = { DATA, 100 };
        struct vq_elem e;
        uint32_t len;

        if (i % 5 == 0) {
            g_assert_false(vqd_callbacks(&t->d, true));
        }
        g_assert_true(vqd_add(&t->d, &b, 0, 1, false, t));
        vq_pieces_reset(&t->p);
        g_assert_cmpint(vq_pop(&t->vq, &e, &t->p), ==, VQ_OK);
        vq_push(&t->vq, &e, 1);
        vq_flush(&t->vq);
        interrupts += vq_should_notify(&t->vq);
        g_assert_true(vqd_get(&t->d, &len, NULL) == t);
    }
    /* packed: an event also matches when the ring comes by again; of a ring of 8, asked each fifth, it does not */
    g_assert_cmpuint(interrupts, ==, 14000);
    bench_free(t);
}

static void test_notify_on_empty(void)
{
    struct bench *t = bench_new(&split_plain);
    struct vqd_buf b = { DATA, 100 };
    struct vq_layout l;
    struct vq_elem e;

    layout_of(t, &split_plain, &l);
    l.notify_on_empty = true;
    g_assert_true(vq_setup(&t->vq, &l));
    vqd_callbacks(&t->d, false);
    vqd_add(&t->d, &b, 0, 1, false, t);
    vqd_add(&t->d, &b, 0, 1, false, t);
    for (unsigned i = 0; i < 2; i++) {
        g_assert_cmpint(vq_pop(&t->vq, &e, &t->p), ==, VQ_OK);
        vq_push(&t->vq, &e, 1);
        vq_flush(&t->vq);
        g_assert_cmpint(vq_should_notify(&t->vq), ==, i == 1);
    }
    bench_free(t);
}

/* ---- the rest of the life ---- */

/* Elements from before a stop are nothing to the queue after it */
static void test_stop(gconstpointer data)
{
    const struct kind *k = data;
    struct bench *t = bench_new(k);
    struct vqd_buf b = { DATA, 100 };
    struct vq_layout l;
    struct vq_elem e;

    vqd_add(&t->d, &b, 0, 1, false, t);
    g_assert_cmpint(vq_pop(&t->vq, &e, &t->p), ==, VQ_OK);
    vq_stop(&t->vq);
    vq_push(&t->vq, &e, 5);
    vq_flush(&t->vq);
    g_assert_cmpint(vq_pop(&t->vq, &e, &t->p), ==, VQ_EMPTY);
    vqd_init(&t->d, t->host, k->base, k->size, k->packed, k->event_idx);
    layout_of(t, k, &l);
    g_assert_true(vq_setup(&t->vq, &l));
    vq_push(&t->vq, &e, 5);
    vq_flush(&t->vq);
    g_assert_cmphex(ld_le64(t->host + t->d.device), ==, 0);
    warm_up(t, 30);
    bench_free(t);
}

static void test_drain(gconstpointer data)
{
    struct bench *t = bench_new(data);
    struct vqd_buf b = { DATA, 100 };
    uint32_t len;

    for (unsigned i = 0; i < 6; i++) {
        vqd_add(&t->d, &b, 0, 1, false, t);
    }
    g_assert_cmpuint(vq_drain(&t->vq, &t->p, 4), ==, 4);
    g_assert_cmpuint(vq_drain(&t->vq, &t->p, 4), ==, 2);
    for (unsigned i = 0; i < 6; i++) {
        g_assert_true(vqd_get(&t->d, &len, NULL) == t);
        g_assert_true(len == 0 || t->d.packed);
    }
    bench_free(t);
}

/* A position from a stream: taken up again where it was; nonsense is refused */
static void test_restore(gconstpointer data)
{
    const struct kind *k = data;
    struct bench *t = bench_new(k);
    struct vq_layout l;
    Error *err = NULL;
    uint16_t pos;
    bool wrap;

    warm_up(t, 21);
    pos = t->vq.last_avail;
    wrap = t->vq.avail_wrap;
    vq_stop(&t->vq);
    layout_of(t, k, &l);
    g_assert_true(vq_restore(&t->vq, &l, pos, wrap, &err));
    warm_up(t, 21);
    if (k->packed) {
        g_assert_false(vq_restore(&t->vq, &l, 8, true, &err));
        g_assert_nonnull(strstr(error_text(err), "position 8 is beyond its size 8"));
        error_free(g_steal_pointer(&err));
    } else {
        struct vq_elem e;

        g_assert_true(vq_restore(&t->vq, &l, pos + 1000, true, &err));      /* cannot be known: the first pop will */
        g_assert_cmpint(vq_pop(&t->vq, &e, &t->p), ==, VQ_BROKEN);
    }
    l.size = 32768;
    g_assert_false(vq_restore(&t->vq, &l, 0, true, &err));
    g_assert_nonnull(strstr(error_text(err), "size 32768"));
    error_free(err);
    bench_free(t);
}

static void test_legacy_layout(void)
{
    static const struct { uint16_t size; uint64_t driver, device; } t[] = {
        { 8, 0x10080, 0x11000 }, { 256, 0x11000, 0x12000 }, { 1024, 0x14000, 0x15000 }, { 128, 0x10800, 0x11000 },
    };

    for (unsigned i = 0; i < ARRAY_LEN(t); i++) {
        struct vq_layout l = { .size = t[i].size };

        vq_legacy_layout(&l, 0x10000);
        g_assert_cmphex(l.desc, ==, 0x10000);
        g_assert_cmphex(l.driver, ==, t[i].driver);
        g_assert_cmphex(l.device, ==, t[i].device);
    }
}

/* -m perf: nanoseconds for a chain of one buffer, popped, pushed, flushed in batches of 32 */
static void test_speed(gconstpointer data)
{
    struct kind k = *(const struct kind *)data;
    struct bench *t;
    struct vqd_buf b = { DATA, 1500 };
    enum { ROUNDS = 100000, BATCH = 32 };
    int64_t ns = 0;

    k.size = 256;
    t = bench_new(&k);
    for (unsigned r = 0; r < (g_test_perf() ? ROUNDS : 100); r++) {
        uint32_t len;
        int64_t start;

        for (unsigned i = 0; i < BATCH; i++) {
            vqd_add(&t->d, &b, 0, 1, false, t);
        }
        start = g_get_monotonic_time();
        for (unsigned i = 0; i < BATCH; i++) {
            struct vq_elem e;

            vq_pieces_reset(&t->p);
            g_assert_cmpint(vq_pop(&t->vq, &e, &t->p), ==, VQ_OK);
            vq_push(&t->vq, &e, 1500);
        }
        vq_flush(&t->vq);
        vq_should_notify(&t->vq);
        ns += (g_get_monotonic_time() - start) * 1000;
        for (unsigned i = 0; i < BATCH; i++) {
            vqd_get(&t->d, &len, NULL);
        }
    }
    if (g_test_perf()) {
        g_test_message("%s: %.1f ns an element", k.name, (double)ns / ROUNDS / BATCH);
    }
    bench_free(t);
}

int main(int argc, char **argv)
{
    static const struct kind *const both[] = { &split_k, &packed_k, &split_plain, &packed_plain };
    static const struct { const char *name; GTestDataFunc fn; unsigned n; } each[] = {
        { "room", test_room, 4 }, { "written", test_written, 4 }, { "event-every-nth", test_event_every_nth, 2 },
        { "stop", test_stop, 4 }, { "drain", test_drain, 4 }, { "restore", test_restore, 4 }, { "speed", test_speed, 4 },
    };

    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < ARRAY_LEN(kinds); i++) {
        g_autofree char *path = g_strdup_printf("/virtqueue/model/%s", kinds[i].name);

        g_test_add_data_func(path, &kinds[i], test_model);
    }
    for (unsigned i = 0; i < ARRAY_LEN(each); i++) {
        for (unsigned j = 0; j < each[i].n; j++) {
            g_autofree char *path = g_strdup_printf("/virtqueue/%s/%s%s", each[i].name, both[j]->name, j < 2 ? "" : "-plain");

            g_test_add_data_func(path, both[j], each[i].fn);
        }
    }
    g_test_add_func("/virtqueue/notify-on-empty", test_notify_on_empty);
    g_test_add_func("/virtqueue/legacy-layout", test_legacy_layout);
    return g_test_run();
}
