/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * softmmu/vcpu.c - CPU threads: run, park, sleep, wake
 *
 * A thread is in one of three places: inside x86_cpu_run() without the machine lock; parked or asleep on its own mutex; or
 * between the two with the machine lock, deciding. "Parked" is published under the machine lock, so that whoever asked
 * all CPUs to stand still (stop, reset, monitor) can wait for it there.
 */
#include "softmmu/vcpu.h"
#include "core/loop.h"
#include "core/runstate.h"
#include <sys/syscall.h>
#include <unistd.h>

struct vcpu {
    struct x86_cpu *cpu;
    GThread *thread;
    int tid;
    bool parked;            /* machine lock: not running guest code, and will not while pauses != 0 */
    bool dead;              /* machine lock: triple fault; waits for a reset */
    GMutex sleep_lock;      /* guards woken */
    GCond sleep_cond;
    bool woken;
};

static struct vcpu *vcpus;
static unsigned n_vcpus;
static unsigned pauses = 1;     /* machine lock: reasons to stand still; the machine starts stopped */
static bool quitting;           /* machine lock */
static GCond parked_cond;       /* with the machine lock: some CPU parked */

/* Any thread, with or without the machine lock. */
static void wake(void *opaque)
{
    struct vcpu *v = opaque;

    g_mutex_lock(&v->sleep_lock);
    v->woken = true;
    g_cond_signal(&v->sleep_cond);
    g_mutex_unlock(&v->sleep_lock);
}

static void sleep_until_woken(struct vcpu *v)
{
    machine_unlock();
    g_mutex_lock(&v->sleep_lock);
    while (!v->woken) {
        g_cond_wait(&v->sleep_cond, &v->sleep_lock);
    }
    v->woken = false;
    g_mutex_unlock(&v->sleep_lock);
    machine_lock();
}

static bool may_run(const struct vcpu *v)
{
    return !pauses && !v->dead && (!x86_cpu_halted(v->cpu) || x86_cpu_has_work(v->cpu));
}

static gpointer vcpu_main(gpointer opaque)
{
    struct vcpu *v = opaque;

    machine_lock();
    v->tid = (int)syscall(SYS_gettid);
    while (!quitting) {
        if (!may_run(v)) {
            v->parked = true;
            machine_lock_signal(&parked_cond);
            sleep_until_woken(v);
            continue;
        }
        v->parked = false;
        machine_unlock();
        enum x86_exit why = x86_cpu_run(v->cpu);
        machine_lock();
        if (why == X86_EXIT_SHUTDOWN) {
            v->dead = true;
            runstate_request_reset(SHUTDOWN_GUEST_RESET);
        }
    }
    machine_unlock();
    return NULL;
}

/* Stand still, all of you (or go on). */
static void pause_all(void *opaque, bool pause)
{
    pauses += pause ? 1 : -1;
    for (unsigned i = 0; i < n_vcpus; i++) {
        if (pause) {
            x86_cpu_kick(vcpus[i].cpu);
        } else {
            vcpus[i].dead = false;
        }
        wake(&vcpus[i]);
    }
    for (unsigned i = 0; pause && i < n_vcpus; i++) {
        while (!vcpus[i].parked) {
            machine_lock_wait(&parked_cond, -1);
        }
    }
}

static void run_state_changed(void *opaque, enum run_event ev, enum run_state state, enum shutdown_cause cause)
{
    static bool was_running;    /* the state before */

    if (ev == RUN_EVENT_STATE && was_running != (state == RUN_STATE_RUNNING)) {
        was_running = !was_running;
        pause_all(NULL, !was_running);
    }
}

void vcpus_start(struct x86_cpu *const *cpus, unsigned n)
{
    vcpus = g_new0(struct vcpu, n);
    n_vcpus = n;
    for (unsigned i = 0; i < n; i++) {
        struct vcpu *v = &vcpus[i];
        g_autofree char *name = g_strdup_printf("cpu%u", i);

        v->cpu = cpus[i];
        g_mutex_init(&v->sleep_lock);
        g_cond_init(&v->sleep_cond);
        x86_cpu_set_wake(v->cpu, wake, v);
        v->thread = g_thread_new(name, vcpu_main, v);
    }
    runstate_add_listener(run_state_changed, NULL);
    runstate_set_pause_hook(pause_all, NULL);
}

/* For a CPU without a thread: nobody is there to wake (its TLB is still flushed while the board is taken apart). */
static void wake_nobody(void *opaque)
{
}

void vcpus_stop(void)
{
    quitting = true;
    for (unsigned i = 0; i < n_vcpus; i++) {
        x86_cpu_kick(vcpus[i].cpu);
        wake(&vcpus[i]);
    }
    machine_unlock();
    for (unsigned i = 0; i < n_vcpus; i++) {
        g_thread_join(vcpus[i].thread);
        x86_cpu_set_wake(vcpus[i].cpu, wake_nobody, NULL);
        g_mutex_clear(&vcpus[i].sleep_lock);
        g_cond_clear(&vcpus[i].sleep_cond);
    }
    machine_lock();
    g_clear_pointer(&vcpus, g_free);
    n_vcpus = 0;
}

unsigned vcpus_count(void)
{
    return n_vcpus;
}

struct x86_cpu *vcpu_get(unsigned n)
{
    return n < n_vcpus ? vcpus[n].cpu : NULL;
}

int vcpu_thread_id(unsigned n)
{
    return n < n_vcpus ? vcpus[n].tid : 0;
}
