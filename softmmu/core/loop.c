/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * softmmu/core/loop.c - the main loop on glib's default context, the machine lock, watches and bottom halves
 *
 * The context's poll function is replaced by one that gives up the machine lock while it sleeps. Bottom halves are a
 * lock-free stack that any thread pushes to; the loop takes all of it at once and runs it in order.
 */
#include "core/loop.h"
#include "core/clock.h"
#include "softmmu/core/timer_internal.h"
#include <assert.h>
#include <poll.h>
#include <stddef.h>
#include <time.h>

static struct bh *bh_stack;         /* atomic; scheduled, newest first */
static bool quit;

/* ---- sleeping ---- */

static bool in_poll;                /* atomic: the loop sleeps, or is about to */
static bool woken;                  /* atomic: it must look again */

static_assert(sizeof(GPollFD) == sizeof(struct pollfd) && offsetof(GPollFD, revents) == offsetof(struct pollfd, revents), "as glib promises");

/* @timeout_ms as of poll(); the timers may want less */
static gint sleep_in_poll(GPollFD *fds, guint n, gint timeout_ms, int64_t timers_ns)
{
    int64_t ns = timeout_ms < 0 ? -1 : timeout_ms * NS_PER_MS;
    struct timespec ts;

    if (timers_ns >= 0 && (ns < 0 || timers_ns < ns)) {
        ns = timers_ns;
    }
    ts.tv_sec = ns / NS_PER_SEC;
    ts.tv_nsec = ns % NS_PER_SEC;
    return ppoll((struct pollfd *)(void *)fds, n, ns < 0 ? NULL : &ts, NULL);
}

static gint poll_unlocked(GPollFD *fds, guint n, gint timeout)
{
    bool held = machine_locked();
    int64_t timers_ns;
    gint r;

    if (!held || timeout == 0) {
        r = g_poll(fds, n, timeout);
        if (held) {
            machine_lock_yield();           /* a loop that never sleeps */
        }
        return r;
    }
    timers_ns = timers_wait_ns();
    machine_unlock();
    __atomic_store_n(&in_poll, true, __ATOMIC_SEQ_CST);
    r = sleep_in_poll(fds, n, __atomic_load_n(&woken, __ATOMIC_SEQ_CST) ? 0 : timeout, timers_ns);
    __atomic_store_n(&in_poll, false, __ATOMIC_SEQ_CST);
    __atomic_store_n(&woken, false, __ATOMIC_SEQ_CST);
    machine_lock();
    return r;
}

/* ---- bottom halves ---- */

/* Taken off the stack and still to run, oldest first; main thread. bh_fini() may take one out. */
static struct bh *bh_running;

static bool bh_run_all(void)
{
    struct bh *list = __atomic_exchange_n(&bh_stack, NULL, __ATOMIC_ACQUIRE), *rev = NULL, **end = &bh_running;
    bool any = false;

    while (list) {
        struct bh *next = list->next;

        list->next = rev;
        rev = list;
        list = next;
    }
    while (*end) {
        end = &(*end)->next;
    }
    *end = rev;
    while (bh_running) {
        struct bh *bh = bh_running;

        bh_running = bh->next;
        bh->next = NULL;
        /*
         * Off the list first: the callback may schedule it again, or end it. With a full barrier: who leaves something for it and finds it
         * scheduled counts on its being seen, and may not hold the machine lock (a doorbell)
         */
        __atomic_exchange_n(&bh->scheduled, 0, __ATOMIC_SEQ_CST);
        if (!bh->deleted) {
            any = true;
            bh->fn(bh->opaque);
            machine_lock_yield();
        }
    }
    return any;
}

static gboolean bh_prepare(GSource *s, gint *timeout)
{
    *timeout = -1;
    return __atomic_load_n(&bh_stack, __ATOMIC_ACQUIRE) != NULL;
}

static gboolean bh_check(GSource *s)
{
    return __atomic_load_n(&bh_stack, __ATOMIC_ACQUIRE) != NULL;
}

static gboolean bh_dispatch(GSource *s, GSourceFunc fn, gpointer data)
{
    bh_run_all();
    return G_SOURCE_CONTINUE;
}

static GSourceFuncs bh_source = { .prepare = bh_prepare, .check = bh_check, .dispatch = bh_dispatch };

void bh_init(struct bh *bh, const char *name, bh_fn *fn, void *opaque)
{
    *bh = (struct bh){ .fn = fn, .opaque = opaque, .name = name };
}

void bh_schedule(struct bh *bh)
{
    if (__atomic_exchange_n(&bh->scheduled, 1, __ATOMIC_SEQ_CST)) {
        return;
    }
    bh->next = __atomic_load_n(&bh_stack, __ATOMIC_RELAXED);
    while (!__atomic_compare_exchange_n(&bh_stack, &bh->next, bh, true, __ATOMIC_RELEASE, __ATOMIC_RELAXED)) {
    }
    loop_wakeup();
}

void bh_fini(struct bh *bh)
{
    struct bh *list, *keep = NULL;

    bh->deleted = true;
    if (!__atomic_load_n(&bh->scheduled, __ATOMIC_ACQUIRE)) {
        return;
    }
    for (struct bh **p = &bh_running; *p; p = &(*p)->next) {
        if (*p == bh) {
            *p = bh->next;
            bh->next = NULL;
            bh->scheduled = 0;
            return;
        }
    }
    /* take it out of the stack: main thread only takes, so what is left goes back in the same order */
    list = __atomic_exchange_n(&bh_stack, NULL, __ATOMIC_ACQUIRE);
    while (list) {
        struct bh *next = list->next;

        list->next = NULL;
        if (list != bh) {
            list->next = keep;
            keep = list;
        }
        list = next;
    }
    while (keep) {
        struct bh *b = keep;

        keep = b->next;
        b->next = __atomic_load_n(&bh_stack, __ATOMIC_RELAXED);
        while (!__atomic_compare_exchange_n(&bh_stack, &b->next, b, true, __ATOMIC_RELEASE, __ATOMIC_RELAXED)) {
        }
    }
    bh->scheduled = 0;
}

bool bh_drain(unsigned rounds)
{
    while (rounds-- && __atomic_load_n(&bh_stack, __ATOMIC_ACQUIRE)) {
        bh_run_all();
    }
    return __atomic_load_n(&bh_stack, __ATOMIC_ACQUIRE) == NULL;
}

struct oneshot {
    struct bh bh;
    bh_fn *fn;
    void *opaque;
};

static void oneshot_run(void *opaque)
{
    struct oneshot *o = opaque;

    o->fn(o->opaque);
    g_free(o);
}

void loop_oneshot(bh_fn *fn, void *opaque)
{
    struct oneshot *o = g_new0(struct oneshot, 1);

    o->fn = fn;
    o->opaque = opaque;
    bh_init(&o->bh, "oneshot", oneshot_run, o);
    bh_schedule(&o->bh);
}

/* ---- file descriptors ---- */

static gboolean watch_dispatch(GSource *s, GSourceFunc fn, gpointer data)
{
    struct loop_watch *w = data;
    GIOCondition got = g_source_query_unix_fd(s, w->tag) & (w->events | G_IO_HUP | G_IO_ERR | G_IO_NVAL);

    if (got) {
        w->fn(w->opaque, got);      /* may end the watch: nothing of it is touched afterwards */
    }
    return G_SOURCE_CONTINUE;
}

static GSourceFuncs watch_source = { .dispatch = watch_dispatch };

void loop_watch_del(struct loop_watch *w)
{
    if (w->source) {
        g_source_destroy(w->source);
        g_source_unref(w->source);
    }
    w->source = NULL;
    w->events = 0;
}

void loop_watch_set(struct loop_watch *w, int fd, GIOCondition events, loop_watch_fn *fn, void *opaque)
{
    if (w->source && w->fd == fd && w->events == events && w->fn == fn && w->opaque == opaque) {
        return;
    }
    if (w->source && w->fd == fd && events) {
        w->events = events;
        w->fn = fn;
        w->opaque = opaque;
        g_source_modify_unix_fd(w->source, w->tag, events | G_IO_HUP | G_IO_ERR);
        return;
    }
    loop_watch_del(w);
    w->fd = fd;
    w->events = events;
    w->fn = fn;
    w->opaque = opaque;
    if (!events) {
        return;
    }
    w->source = g_source_new(&watch_source, sizeof(GSource));
    w->tag = g_source_add_unix_fd(w->source, fd, events | G_IO_HUP | G_IO_ERR);
    g_source_set_callback(w->source, NULL, w, NULL);
    g_source_attach(w->source, NULL);
}

/* ---- the loop ---- */

void loop_init(void)
{
    GSource *s;

    g_main_context_acquire(NULL);
    g_main_context_set_poll_func(NULL, poll_unlocked);
    s = g_source_new(&bh_source, sizeof(GSource));
    g_source_set_priority(s, G_PRIORITY_DEFAULT);
    g_source_attach(s, NULL);
    g_source_unref(s);
    machine_lock();
}

void loop_wakeup(void)
{
    __atomic_store_n(&woken, true, __ATOMIC_SEQ_CST);
    if (__atomic_load_n(&in_poll, __ATOMIC_SEQ_CST)) {
        g_main_context_wakeup(NULL);
    }
}

bool loop_iterate(bool block)
{
    return g_main_context_iteration(NULL, block);
}

void loop_run(void)
{
    quit = false;
    while (!__atomic_load_n(&quit, __ATOMIC_ACQUIRE)) {
        loop_iterate(true);
    }
}

void loop_quit(void)
{
    __atomic_store_n(&quit, true, __ATOMIC_RELEASE);
    loop_wakeup();
}
