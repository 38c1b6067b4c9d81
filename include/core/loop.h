/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * core/loop.h - the main loop: file watches, bottom halves and the machine lock, on glib's default main context
 *
 * The main thread holds the machine lock while it runs callbacks and gives it up while it sleeps in poll. CPU threads
 * take it for device access. So every callback and every device function runs with the lock held, one at a time.
 * A CPU thread that waits stands still, so long work (a ring, a batch) ends early when the lock is wanted.
 */
#ifndef CORE_LOOP_H
#define CORE_LOOP_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/** machine_lock()/machine_unlock() - not recursive; machine_locked() tells whether this thread holds it */
void machine_lock(void);
void machine_unlock(void);
bool machine_locked(void);
/** machine_lock_wanted() - another thread looks for it right now: who holds it ends what he does soon, then yields. Any thread */
bool machine_lock_wanted(void);
/** machine_lock_yield() - let those in who wait, if any, then hold it again. Only where nothing is half done: anything may have changed */
void machine_lock_yield(void);

/**
 * machine_lock_wait() - give up the lock until @cond is signalled, then hold it again; Return: false on time-out
 * @until_us: g_get_monotonic_time() scale, or -1 for ever
 */
bool machine_lock_wait(GCond *cond, int64_t until_us);
/** machine_lock_signal() - wake all who wait for @cond there; with the lock held */
void machine_lock_signal(GCond *cond);

/** loop_init() - main thread, once, before anything else here; it then holds the machine lock */
void loop_init(void);
/** loop_run() - run callbacks until loop_quit() */
void loop_run(void);
void loop_quit(void);
/** loop_iterate() - one round; @block: may sleep; Return: something ran */
bool loop_iterate(bool block);

/* A file descriptor watch. Embedded in its owner; main thread. Zeroed memory is a valid, inactive watch. */
typedef void loop_watch_fn(void *opaque, GIOCondition revents);
struct loop_watch {
    int fd;
    GIOCondition events;        /* asked for; 0: inactive */
    loop_watch_fn *fn;
    void *opaque;
    GSource *source;
    void *tag;
};
/** loop_watch_set() - start, change (also to 0 = pause) or restart; HUP and ERR are always reported while active */
void loop_watch_set(struct loop_watch *w, int fd, GIOCondition events, loop_watch_fn *fn, void *opaque);
/** loop_watch_del() - when it returns the callback cannot run any more; harmless when inactive */
void loop_watch_del(struct loop_watch *w);

/*
 * Bottom halves: work put off to the main loop. bh_schedule() may be called by any thread, any number of times; the callback runs once
 * after it. Embedded in the owner; zeroed memory is valid once bh_init() has set the callback.
 */
typedef void bh_fn(void *opaque);
struct bh {
    bh_fn *fn;
    void *opaque;
    const char *name;
    gint scheduled;             /* atomic */
    struct bh *next;            /* in the loop's list */
    bool deleted;
};
void bh_init(struct bh *bh, const char *name, bh_fn *fn, void *opaque);
void bh_schedule(struct bh *bh);
/** bh_fini() - cancels; when it returns the callback cannot run */
void bh_fini(struct bh *bh);
/** bh_drain() - run scheduled bottom halves until none is left or @rounds are done (test server); main thread. Return: none is left */
bool bh_drain(unsigned rounds);

/** loop_wakeup() - make a sleeping loop look again; any thread */
void loop_wakeup(void);

/** loop_oneshot() - run @fn once in the main loop (for code that has no object to embed a bh in); any thread */
void loop_oneshot(bh_fn *fn, void *opaque);

#endif
