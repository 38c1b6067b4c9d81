/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * softmmu/core/timer.c - one-shot timers: a binary heap a clock, and one source in the main loop
 *
 * CPU threads arm timers too (with the machine lock held); when that makes an earlier deadline the loop is woken.
 * The loop sleeps in nanoseconds (loop.c asks timers_wait_ns()), so that a 50 us throttle timer is not rounded to milliseconds. No
 * timerfd: it would be set again in every round of a busy loop, and that programs the processor's timer each time.
 */
#include "core/timer.h"
#include "core/loop.h"
#include "core/runstate.h"
#include "softmmu/core/timer_internal.h"

#define FIRE_MAX 1000   /* timers run in one loop round: a callback that re-arms itself in the past cannot keep the loop */

struct heap {
    GPtrArray *t;       /* of struct timer, t[0] the earliest */
};

static struct heap heaps[CLOCK_TYPES];
static GSource *source;

static struct timer *at(struct heap *h, unsigned i)
{
    return g_ptr_array_index(h->t, i);
}

static void put(struct heap *h, unsigned i, struct timer *t)
{
    h->t->pdata[i] = t;
    t->heap_pos = i;
}

static void sift_up(struct heap *h, unsigned i)
{
    struct timer *t = at(h, i);

    while (i && at(h, (i - 1) / 2)->expire_ns > t->expire_ns) {
        put(h, i, at(h, (i - 1) / 2));
        i = (i - 1) / 2;
    }
    put(h, i, t);
}

static void sift_down(struct heap *h, unsigned i)
{
    struct timer *t = at(h, i);

    for (;;) {
        unsigned c = 2 * i + 1;

        if (c >= h->t->len) {
            break;
        }
        if (c + 1 < h->t->len && at(h, c + 1)->expire_ns < at(h, c)->expire_ns) {
            c++;
        }
        if (at(h, c)->expire_ns >= t->expire_ns) {
            break;
        }
        put(h, i, at(h, c));
        i = c;
    }
    put(h, i, t);
}

static void heap_remove(struct heap *h, struct timer *t)
{
    unsigned i = t->heap_pos, last = h->t->len - 1;
    struct timer *moved = at(h, last);

    g_ptr_array_set_size(h->t, (gint)last);
    if (i != last) {
        put(h, i, moved);
        sift_up(h, i);
        sift_down(h, moved->heap_pos);
    }
}

/* A stopped or manual virtual clock does not come due. */
int64_t timers_wait_ns(void)
{
    int64_t best = -1;

    for (enum clock_type c = 0; c < CLOCK_TYPES; c++) {
        int64_t next = timer_next_ns(c), left;

        if (next < 0 || (c == CLOCK_VIRTUAL && !clock_virtual_running())) {
            continue;
        }
        left = next - clock_get_ns(c);
        left = MAX(left, 0);
        best = best < 0 ? left : MIN(best, left);
    }
    return best;
}

static bool any_due(void)
{
    for (enum clock_type c = 0; c < CLOCK_TYPES; c++) {
        int64_t next = timer_next_ns(c);

        if (next >= 0 && (c != CLOCK_VIRTUAL || clock_virtual_running()) && next <= clock_get_ns(c)) {
            return true;
        }
    }
    return false;
}

static gboolean timers_prepare(GSource *s, gint *timeout)
{
    *timeout = -1;
    return any_due();
}

static gboolean timers_check(GSource *s)
{
    return any_due();
}

bool timers_run_one(enum clock_type clock)
{
    struct heap *h = &heaps[clock];
    struct timer *t;

    if (!h->t || !h->t->len || at(h, 0)->expire_ns > clock_get_ns(clock)) {
        return false;
    }
    t = at(h, 0);
    heap_remove(h, t);
    t->expire_ns = -1;
    t->fn(t->opaque);
    return true;
}

static gboolean timers_dispatch(GSource *s, GSourceFunc fn, gpointer data)
{
    for (enum clock_type c = 0; c < CLOCK_TYPES; c++) {
        if (c == CLOCK_VIRTUAL && !clock_virtual_running()) {
            continue;
        }
        for (unsigned n = 0; n < FIRE_MAX && timers_run_one(c); n++) {
        }
    }
    return G_SOURCE_CONTINUE;
}

static GSourceFuncs timer_source = { .prepare = timers_prepare, .check = timers_check, .dispatch = timers_dispatch };

static void source_init(void)
{
    source = g_source_new(&timer_source, sizeof(GSource));
    g_source_set_priority(source, G_PRIORITY_HIGH);
    g_source_attach(source, NULL);
}

void timers_changed(void)
{
    loop_wakeup();
}

void timer_setup(struct timer *t, enum clock_type clock, timer_fn *fn, void *opaque)
{
    *t = (struct timer){ .clock = clock, .fn = fn, .opaque = opaque, .expire_ns = -1 };
    if (!source) {
        source_init();
    }
}

void timer_arm(struct timer *t, int64_t expire_ns)
{
    struct heap *h = &heaps[t->clock];

    expire_ns = MAX(expire_ns, 0);
    if (!h->t) {
        h->t = g_ptr_array_new();
    }
    if (timer_armed(t)) {
        heap_remove(h, t);
    }
    t->expire_ns = expire_ns;
    g_ptr_array_add(h->t, t);
    sift_up(h, h->t->len - 1);
    if (!t->heap_pos) {
        loop_wakeup();
    }
}

void timer_disarm(struct timer *t)
{
    if (timer_armed(t)) {
        heap_remove(&heaps[t->clock], t);
        t->expire_ns = -1;
    }
}

void timer_fini(struct timer *t)
{
    if (t->fn) {
        timer_disarm(t);
    }
}

int64_t timer_next_ns(enum clock_type clock)
{
    struct heap *h = &heaps[clock];

    return h->t && h->t->len ? at(h, 0)->expire_ns : -1;
}
