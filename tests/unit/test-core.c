/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/unit/test-core.c - timers, clocks, bottom halves, watches, devices and their properties */
#include "core/clock.h"
#include "core/device.h"
#include "core/loop.h"
#include "core/timer.h"
#include "lib/bits.h"
#include "lib/strparse.h"
#include <string.h>
#include <unistd.h>

/* ---- strparse ---- */

static void test_strparse(void)
{
    static const struct { const char *s; bool ok; uint64_t v; } sizes[] = {
        { "256", true, 256ULL << 20 }, { "1G", true, 1ULL << 30 }, { "1.5G", true, 3ULL << 29 }, { "4k", true, 4096 },
        { "0", true, 0 }, { "0x10", true, 16ULL << 20 }, { "16777216T", false, 0 }, { "1X", false, 0 }, { "-1", false, 0 },
        { "", false, 0 }, { "1GG", false, 0 }, { ".5G", false, 0 }, { "18446744073709551616B", false, 0 },
    };
    static const struct { const char *s; bool strict, ok; } macs[] = {
        { "52:54:00:12:34:56", true, true }, { "52-54-00-12-34-56", true, true }, { "52:54:0:12:34:56", true, false },
        { "52:54:0:12:34:56", false, true }, { "52:54-00:12:34:56", true, false }, { "52:54:00:12:34", true, false },
        { "52:54:00:12:34:56:78", true, false }, { "zz", true, false }, { "52:54:00:12:34:567", true, false },
    };
    uint64_t v;
    uint8_t mac[6];

    for (unsigned i = 0; i < ARRAY_LEN(sizes); i++) {
        g_assert_true(parse_size(sizes[i].s, MiB, &v) == sizes[i].ok);
        g_assert_true(!sizes[i].ok || v == sizes[i].v);
    }
    for (unsigned i = 0; i < ARRAY_LEN(macs); i++) {
        g_assert_true(parse_mac(macs[i].s, macs[i].strict, mac) == macs[i].ok);
    }
    g_assert_true(parse_u64("0x1f", 31, &v) && v == 31);
    g_assert_false(parse_u64("32", 31, &v));
    g_assert_false(parse_u64("3x", 31, &v));
    g_assert_true(id_wellformed("a1-b_c.d"));
    g_assert_false(id_wellformed("1a"));
    g_assert_false(id_wellformed("#net000"));
}

/* ---- timers ---- */

struct tick {
    struct timer t;
    GString *log;
    char name;
    int64_t rearm;
};

static void tick(void *opaque)
{
    struct tick *k = opaque;

    g_string_append_printf(k->log, "%c%" G_GINT64_FORMAT " ", k->name, clock_get_ns(CLOCK_VIRTUAL));
    if (k->rearm) {
        timer_arm(&k->t, clock_get_ns(CLOCK_VIRTUAL) + k->rearm);
    }
}

/* Each timer sees its own deadline as the time, in order, also when it is armed by an earlier one. */
static void test_manual_clock(void)
{
    GString *log = g_string_new(NULL);
    struct tick a = { .log = log, .name = 'a' }, b = { .log = log, .name = 'b', .rearm = 30 };

    clock_virtual_manual();
    timer_setup(&a.t, CLOCK_VIRTUAL, tick, &a);
    timer_setup(&b.t, CLOCK_VIRTUAL, tick, &b);
    timer_arm(&a.t, 50);
    timer_arm(&b.t, 10);
    clock_virtual_set(5);
    g_assert_cmpstr(log->str, ==, "");
    g_assert_cmpint(timer_next_ns(CLOCK_VIRTUAL), ==, 10);
    clock_virtual_set(75);
    g_assert_cmpstr(log->str, ==, "b10 b40 a50 b70 ");
    g_assert_cmpint(clock_get_ns(CLOCK_VIRTUAL), ==, 75);
    g_assert_false(timer_armed(&a.t));
    timer_fini(&b.t);
    g_assert_cmpint(timer_next_ns(CLOCK_VIRTUAL), ==, -1);
    g_string_free(log, TRUE);
}

static void test_heap(void)
{
    GRand *rnd = g_rand_new_with_seed(7);
    GString *log = g_string_new(NULL);
    struct tick t[64];

    for (unsigned i = 0; i < 64; i++) {
        t[i] = (struct tick){ .log = log, .name = 'x' };
        timer_setup(&t[i].t, CLOCK_HOST, tick, &t[i]);
    }
    for (unsigned n = 0; n < 20000; n++) {
        struct tick *k = &t[g_rand_int_range(rnd, 0, 64)];
        int64_t min = -1;

        if (g_rand_boolean(rnd)) {
            timer_arm(&k->t, g_rand_int_range(rnd, 0, 1000));
        } else {
            timer_disarm(&k->t);
        }
        for (unsigned i = 0; i < 64; i++) {
            if (timer_armed(&t[i].t) && (min < 0 || t[i].t.expire_ns < min)) {
                min = t[i].t.expire_ns;
            }
        }
        g_assert_cmpint(timer_next_ns(CLOCK_HOST), ==, min);
    }
    for (unsigned i = 0; i < 64; i++) {
        timer_fini(&t[i].t);
    }
    g_string_free(log, TRUE);
    g_rand_free(rnd);
}

static void test_clock_ticks(void)
{
    g_assert_cmpuint(clock_ticks(NS_PER_SEC, 1193182), ==, 1193182);
    g_assert_cmpuint(clock_ticks(NS_PER_SEC * 3600 * 24 * 365 * 100, 100000000), ==, 100000000ULL * 3600 * 24 * 365 * 100);
    for (uint64_t n = 0; n < 5000; n += 7) {
        int64_t ns = clock_ticks_to_ns(n, 3579545);

        g_assert_cmpuint(clock_ticks(ns, 3579545), ==, n);
        g_assert_true(!ns || clock_ticks(ns - 1, 3579545) < n);
    }
}

static void rt_fired(void *opaque)
{
    *(bool *)opaque = true;
}

static void test_loop_timer(void)
{
    struct timer t;
    bool fired = false;
    int64_t start = clock_get_ns(CLOCK_RT);

    timer_setup(&t, CLOCK_RT, rt_fired, &fired);
    timer_arm(&t, start + 2 * NS_PER_MS);
    while (!fired) {
        loop_iterate(true);
    }
    g_assert_cmpint(clock_get_ns(CLOCK_RT), >=, start + 2 * NS_PER_MS);
    timer_fini(&t);
}

/* ---- bottom halves and watches ---- */

static void count(void *opaque)
{
    (*(int *)opaque)++;
}

static gpointer schedule_many(gpointer opaque)
{
    for (int i = 0; i < 10000; i++) {
        bh_schedule(opaque);
    }
    return NULL;
}

static void test_bh(void)
{
    struct bh a, b;
    int na = 0, nb = 0;
    GThread *t;

    bh_init(&a, "a", count, &na);
    bh_init(&b, "b", count, &nb);
    bh_schedule(&a);
    bh_schedule(&a);
    bh_schedule(&b);
    g_assert_true(bh_drain(10));
    g_assert_cmpint(na, ==, 1);
    g_assert_cmpint(nb, ==, 1);
    bh_schedule(&a);
    bh_schedule(&b);
    bh_fini(&a);                        /* cancelled; b stays */
    g_assert_true(bh_drain(10));
    g_assert_cmpint(na, ==, 1);
    g_assert_cmpint(nb, ==, 2);
    t = g_thread_new("s", schedule_many, &b);
    while (nb < 3) {
        loop_iterate(true);             /* the other thread wakes us */
    }
    g_thread_join(t);
    bh_drain(10);
    bh_schedule(&b);
    bh_drain(1);
    g_assert_cmpint(nb, >=, 4);
    bh_fini(&b);
}

struct pipe_end {
    struct loop_watch w;
    int fd;
    GIOCondition got;
    char c;
};

static void readable(void *opaque, GIOCondition got)
{
    struct pipe_end *p = opaque;

    p->got = got;
    if (got & G_IO_IN) {
        g_assert_cmpint(read(p->fd, &p->c, 1), ==, 1);
    } else {
        loop_watch_del(&p->w);
    }
}

/* A loop that is busy for ever, in pieces longer than a thread looks for the lock before it sleeps, lets it in all the same. */
enum { TURNS = 200 };
struct busy {
    struct bh bh;
    unsigned turns;             /* machine lock */
    bool done;                  /* machine lock */
};

static void busy_work(void *opaque)
{
    struct busy *b = opaque;
    int64_t until = g_get_monotonic_time() + 300;

    while (g_get_monotonic_time() < until) {
    }
    if (!b->done) {
        bh_schedule(&b->bh);
    }
}

static void *wants_lock(void *opaque)
{
    struct busy *b = opaque;

    for (unsigned i = 0; i < TURNS; i++) {
        machine_lock();
        b->turns++;
        b->done = b->turns == TURNS;
        machine_unlock();
        g_usleep(100);
    }
    return NULL;
}

static void test_busy_loop(void)
{
    struct busy b = { 0 };
    int64_t end = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
    GThread *t;

    bh_init(&b.bh, "busy", busy_work, &b);
    bh_schedule(&b.bh);
    t = g_thread_new("wants", wants_lock, &b);
    while (!b.done) {
        loop_iterate(true);
        g_assert_cmpint(g_get_monotonic_time(), <, end);
    }
    machine_unlock();
    g_thread_join(t);
    machine_lock();
    bh_fini(&b.bh);
}

static void test_watch(void)
{
    int fd[2];
    struct pipe_end p = { 0 };

    g_assert_cmpint(pipe(fd), ==, 0);
    p.fd = fd[0];
    loop_watch_set(&p.w, fd[0], G_IO_IN, readable, &p);
    g_assert_cmpint(write(fd[1], "x", 1), ==, 1);
    while (!p.c) {
        loop_iterate(true);
    }
    loop_watch_set(&p.w, fd[0], 0, readable, &p);       /* paused */
    p.c = 0;
    g_assert_cmpint(write(fd[1], "y", 1), ==, 1);
    for (int i = 0; i < 5; i++) {
        loop_iterate(false);
    }
    g_assert_cmpint(p.c, ==, 0);
    loop_watch_set(&p.w, fd[0], G_IO_IN, readable, &p);
    while (!p.c) {
        loop_iterate(true);
    }
    g_assert_cmpint(p.c, ==, 'y');
    close(fd[1]);
    while (p.w.source) {
        loop_iterate(true);                             /* HUP is seen and ends it */
    }
    g_assert_true(p.got & G_IO_HUP);
    close(fd[0]);
}

/* ---- devices ---- */

struct toy {
    struct device dev;
    uint32_t n;
    char *s;
    bool b, fail;
    GString *log;
};

static bool base_realize(struct device *d, Error **errp)
{
    g_string_append(((struct toy *)d)->log, "R");
    return true;
}

static void base_unrealize(struct device *d)
{
    g_string_append(((struct toy *)d)->log, "U");
}

static bool toy_realize(struct device *d, Error **errp)
{
    struct toy *t = (struct toy *)d;

    g_string_append(t->log, "r");
    if (t->fail) {
        error_setg(errp, "toy '%s': told to fail", d->id);
        return false;
    }
    return true;
}

static void toy_unrealize(struct device *d)
{
    g_string_append(((struct toy *)d)->log, "u");
}

static void toy_reset(struct device *d)
{
    g_string_append(((struct toy *)d)->log, "!");
}

static const struct property base_props[] = {
    { "b", &prop_bool, offsetof(struct toy, b), "on" },
    { NULL },
};
static const struct device_type base_type = {
    .name = "toy-base", .bus = "System", .abstract = true, .props = base_props,
    .realize = base_realize, .unrealize = base_unrealize,
};
static const struct property toy_props[] = {
    { "n", &prop_uint32, offsetof(struct toy, n), "7", .max = 100 },
    { "s", &prop_str, offsetof(struct toy, s) },
    { "fail", &prop_bool, offsetof(struct toy, fail) },
    { NULL },
};
static const struct device_type toy_type = {
    .name = "toy", .alias = "plaything", .bus = "System", .parent = &base_type, .size = sizeof(struct toy),
    .props = toy_props, .realize = toy_realize, .unrealize = toy_unrealize, .reset = toy_reset, .user_creatable = true,
};

static void expect_error(Error **err, const char *text)
{
    g_assert_cmpstr(error_text(*err), ==, text);
    error_free(*err);
    *err = NULL;
}

static void test_device(void)
{
    GString *log = g_string_new(NULL), *tree = g_string_new(NULL);
    Error *err = NULL;
    struct toy *t;

    device_type_register(&toy_type);
    g_assert_true(device_type_find("plaything") == &toy_type);
    t = (struct toy *)device_new(&toy_type, "t1");
    t->log = log;
    g_assert_true(t->n == 7 && t->b);
    g_assert_false(device_set_prop(&t->dev, "bogus", "1", &err));
    expect_error(&err, "Property 'toy.bogus' not found");
    g_assert_false(device_set_prop(&t->dev, "n", "101", &err));
    expect_error(&err, "Property 'toy.n' doesn't take value '101'");
    g_assert_true(device_set_prop(&t->dev, "n", "0x10", &err));
    g_assert_true(device_set_prop(&t->dev, "s", "hello", &err));
    g_assert_true(device_set_prop(&t->dev, "fail", "on", &err));
    g_assert_false(device_realize(&t->dev, NULL, &err));
    expect_error(&err, "toy 't1': told to fail");
    g_assert_cmpstr(log->str, ==, "RruU");
    g_assert_null(device_find("t1"));
    g_string_truncate(log, 0);
    t->fail = false;
    g_assert_true(device_realize(&t->dev, NULL, &err));
    g_assert_true(device_find("t1") == &t->dev);
    g_assert_cmpstr(t->dev.path, ==, "/machine/peripheral/t1");
    device_reset_all();
    device_print_tree(tree);
    g_assert_nonnull(strstr(tree->str, "dev: toy, id \"t1\""));
    g_assert_nonnull(strstr(tree->str, "s = \"hello\""));
    device_free(&t->dev);
    g_assert_cmpstr(log->str, ==, "Rr!!uU");
    g_string_free(log, TRUE);
    g_string_free(tree, TRUE);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    loop_init();
    g_test_add_func("/core/strparse", test_strparse);
    g_test_add_func("/core/manual-clock", test_manual_clock);
    g_test_add_func("/core/timer-heap", test_heap);
    g_test_add_func("/core/clock-ticks", test_clock_ticks);
    g_test_add_func("/core/loop-timer", test_loop_timer);
    g_test_add_func("/core/bh", test_bh);
    g_test_add_func("/core/busy-loop", test_busy_loop);
    g_test_add_func("/core/watch", test_watch);
    g_test_add_func("/core/device", test_device);
    return g_test_run();
}
