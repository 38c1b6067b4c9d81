/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * softmmu/core/clock.c - the three clocks
 *
 * The virtual clock is monotonic host time plus an offset; stopping remembers the value, starting makes a new offset. Readers in CPU
 * threads see offset and state together through a sequence counter.
 */
#include "core/clock.h"
#include "core/timer.h"
#include "softmmu/core/timer_internal.h"
#include <glib.h>
#include <time.h>

static struct {
    unsigned seq;       /* odd while being changed */
    bool running, manual;
    int64_t offset;     /* running: virtual = monotonic + offset */
    int64_t frozen;     /* not running: virtual */
} virt;

static int64_t host_ns(clockid_t id)
{
    struct timespec ts;

    clock_gettime(id, &ts);
    return ts.tv_sec * NS_PER_SEC + ts.tv_nsec;
}

int64_t clock_get_ns(enum clock_type c)
{
    int64_t v;
    unsigned seq;

    if (c == CLOCK_HOST) {
        return host_ns(CLOCK_REALTIME);
    }
    if (c == CLOCK_RT) {
        return host_ns(CLOCK_MONOTONIC);
    }
    do {
        seq = __atomic_load_n(&virt.seq, __ATOMIC_ACQUIRE);
        v = virt.running ? host_ns(CLOCK_MONOTONIC) + virt.offset : virt.frozen;
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
    } while ((seq & 1) || seq != __atomic_load_n(&virt.seq, __ATOMIC_RELAXED));
    return v;
}

static void virt_change(bool running, int64_t now)
{
    __atomic_fetch_add(&virt.seq, 1, __ATOMIC_ACQ_REL);
    virt.running = running;
    virt.frozen = now;
    virt.offset = now - host_ns(CLOCK_MONOTONIC);
    __atomic_fetch_add(&virt.seq, 1, __ATOMIC_ACQ_REL);
}

void clock_virtual_enable(bool on)
{
    if (!virt.manual && on != virt.running) {
        virt_change(on, clock_get_ns(CLOCK_VIRTUAL));
        timers_changed();
    }
}

bool clock_virtual_running(void)
{
    return virt.running;
}

void clock_virtual_manual(void)
{
    virt.manual = true;
    virt_change(false, clock_get_ns(CLOCK_VIRTUAL));
}

void clock_virtual_set(int64_t ns)
{
    int64_t next;

    while ((next = timer_next_ns(CLOCK_VIRTUAL)) >= 0 && next <= ns) {
        if (next > virt.frozen) {
            virt_change(false, next);
        }
        timers_run_one(CLOCK_VIRTUAL);
    }
    if (ns > virt.frozen) {
        virt_change(false, ns);
    }
}

uint64_t clock_ticks(int64_t ns, uint32_t hz)
{
    return (uint64_t)((unsigned __int128)(uint64_t)ns * hz / (uint64_t)NS_PER_SEC);
}

int64_t clock_ticks_to_ns(uint64_t ticks, uint32_t hz)
{
    return (int64_t)(((unsigned __int128)ticks * (uint64_t)NS_PER_SEC + hz - 1) / hz);
}
