/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * softmmu/core/lock.c - the machine lock
 *
 * A futex word: 0 free, 1 held, 2 held and somebody may sleep on it. Who finds it held looks for a while before he sleeps, because its
 * holder lets go within microseconds once he sees that somebody looks (machine_lock_wanted(), machine_lock_yield()), and to
 * sleep and be woken takes longer than that. Who is woken looks again, so that a holder who has it again meanwhile sees him.
 */
#include "core/clock.h"
#include "core/loop.h"
#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { FREE, HELD, CONTENDED };
enum { SPIN_NS = 50000, YIELD_NS = 50000, SPINS_A_LOOK = 16 };

static int word;                    /* atomic */
static unsigned waiters;            /* atomic; threads that want it: they look, or sleep */
static unsigned lookers;            /* atomic; threads that look for it at this moment */
static unsigned taken;              /* atomic; how often it has been taken */
static GThread *owner;              /* atomic */

static void relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#endif
}

/* Where there is one processor only, nobody lets go while we look. */
static bool spinning_pays(void)
{
    static int many = -1;           /* benign: every thread finds the same */
    int m = __atomic_load_n(&many, __ATOMIC_RELAXED);
    cpu_set_t set;

    if (m < 0) {
        m = sched_getaffinity(0, sizeof(set), &set) || CPU_COUNT(&set) > 1;
        __atomic_store_n(&many, m, __ATOMIC_RELAXED);
    }
    return m;
}

static bool take(int as)
{
    int was = FREE;

    return __atomic_load_n(&word, __ATOMIC_RELAXED) == FREE &&
           __atomic_compare_exchange_n(&word, &was, as, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static bool look(int as)
{
    int64_t until = clock_get_ns(CLOCK_RT) + SPIN_NS;
    bool got = false;

    __atomic_fetch_add(&lookers, 1, __ATOMIC_RELAXED);
    do {
        for (unsigned i = 0; i < SPINS_A_LOOK && !(got = take(as)); i++) {
            relax();
        }
    } while (!got && spinning_pays() && clock_get_ns(CLOCK_RT) < until);
    __atomic_fetch_sub(&lookers, 1, __ATOMIC_RELAXED);
    return got;
}

static void acquire(void)
{
    int as = HELD;

    while (!look(as)) {
        if (__atomic_exchange_n(&word, CONTENDED, __ATOMIC_ACQUIRE) == FREE) {
            return;
        }
        syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, CONTENDED, NULL, NULL, 0);
        as = CONTENDED;             /* others may sleep still */
    }
}

void machine_lock(void)
{
    if (!take(HELD)) {
        __atomic_fetch_add(&waiters, 1, __ATOMIC_SEQ_CST);
        acquire();
        __atomic_fetch_sub(&waiters, 1, __ATOMIC_RELAXED);
    }
    __atomic_store_n(&taken, taken + 1, __ATOMIC_RELAXED);
    __atomic_store_n(&owner, g_thread_self(), __ATOMIC_RELAXED);
}

void machine_unlock(void)
{
    __atomic_store_n(&owner, NULL, __ATOMIC_RELAXED);
    if (__atomic_exchange_n(&word, FREE, __ATOMIC_RELEASE) == CONTENDED) {
        syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
    }
}

bool machine_locked(void)
{
    return __atomic_load_n(&owner, __ATOMIC_RELAXED) == g_thread_self();
}

bool machine_lock_wanted(void)
{
    return __atomic_load_n(&lookers, __ATOMIC_RELAXED) != 0;
}

/* To unlock wakes one who sleeps. He looks by the time of the next yield, and then gets it. */
void machine_lock_yield(void)
{
    unsigned was = __atomic_load_n(&taken, __ATOMIC_RELAXED);
    int64_t until;

    if (!__atomic_load_n(&waiters, __ATOMIC_SEQ_CST)) {
        return;
    }
    until = clock_get_ns(CLOCK_RT) + YIELD_NS;
    machine_unlock();
    while (machine_lock_wanted() && __atomic_load_n(&taken, __ATOMIC_RELAXED) == was && clock_get_ns(CLOCK_RT) < until) {
        relax();
    }
    machine_lock();
}

static GMutex parking;              /* between giving up the lock and waiting nothing is signalled */

bool machine_lock_wait(GCond *cond, int64_t until_us)
{
    bool in_time = true;

    g_mutex_lock(&parking);
    machine_unlock();
    if (until_us < 0) {
        g_cond_wait(cond, &parking);
    } else {
        in_time = g_cond_wait_until(cond, &parking, until_us);
    }
    g_mutex_unlock(&parking);
    machine_lock();
    return in_time;
}

void machine_lock_signal(GCond *cond)
{
    g_mutex_lock(&parking);
    g_cond_broadcast(cond);
    g_mutex_unlock(&parking);
}
