/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * softmmu/core/runstate.c - running or not, and the requests that change it
 *
 * A request is a flag set by any thread plus a bottom half; the main loop acts on it, so that a device that asks for a
 * reset is never reset from inside its own register write.
 */
#include "core/runstate.h"
#include "core/clock.h"
#include "core/loop.h"
#include "core/reset.h"

struct listener {
    runstate_listener *fn;
    void *opaque;
};

static enum run_state state = RUN_STATE_PRELAUNCH;      /* atomic reads */
static GList *listeners;
static gint want_reset, want_shutdown, want_powerdown;  /* atomic; causes, 0 none */
static bool no_reboot, no_shutdown;
static int exit_status;
static struct bh request_bh;
static gsize request_bh_ready;

static void notify(enum run_event ev, enum shutdown_cause cause)
{
    GList *next;

    for (GList *l = listeners; l; l = next) {
        struct listener *li = l->data;

        next = l->next;
        li->fn(li->opaque, ev, state, cause);
    }
}

enum run_state runstate_get(void)
{
    return __atomic_load_n(&state, __ATOMIC_ACQUIRE);
}

const char *runstate_name(enum run_state s)
{
    static const char *const names[] = { "prelaunch", "running", "paused", "shutdown", "internal-error", "inmigrate" };

    return names[s];
}

const char *shutdown_cause_name(enum shutdown_cause c)
{
    static const char *const names[] = { "none", "host-qmp-quit", "host-qmp-system-reset", "host-signal", "host-ui",
                                         "guest-shutdown", "guest-reset", "guest-panic", "host-error" };

    return names[c];
}

void runstate_set(enum run_state s)
{
    if (s == state) {
        return;
    }
    if (s != RUN_STATE_RUNNING) {
        /* CPUs stop (their listener waits for them) before the clock does */
        __atomic_store_n(&state, s, __ATOMIC_RELEASE);
        notify(RUN_EVENT_STATE, SHUTDOWN_NONE);
        clock_virtual_enable(false);
        return;
    }
    clock_virtual_enable(true);
    __atomic_store_n(&state, s, __ATOMIC_RELEASE);
    notify(RUN_EVENT_STATE, SHUTDOWN_NONE);
}

void runstate_add_listener(runstate_listener *fn, void *opaque)
{
    struct listener *l = g_new(struct listener, 1);

    *l = (struct listener){ fn, opaque };
    listeners = g_list_append(listeners, l);
}

void runstate_del_listener(runstate_listener *fn, void *opaque)
{
    for (GList *l = listeners; l; l = l->next) {
        struct listener *li = l->data;

        if (li->fn == fn && li->opaque == opaque) {
            listeners = g_list_delete_link(listeners, l);
            g_free(li);
            return;
        }
    }
}

static bool guest_asked(enum shutdown_cause cause)
{
    return cause == SHUTDOWN_GUEST_RESET || cause == SHUTDOWN_GUEST_SHUTDOWN || cause == SHUTDOWN_GUEST_PANIC;
}

static void do_shutdown(enum shutdown_cause cause)
{
    notify(RUN_EVENT_SHUTDOWN, cause);
    if (no_shutdown && guest_asked(cause)) {
        runstate_set(RUN_STATE_SHUTDOWN);
        return;
    }
    loop_quit();
}

static void do_reset(enum shutdown_cause cause)
{
    bool was_running = runstate_running();

    if (no_reboot && cause == SHUTDOWN_GUEST_RESET) {
        do_shutdown(cause);
        return;
    }
    /* CPUs stand still while the machine is put back */
    runstate_pause_quietly(true);
    reset_run();
    runstate_pause_quietly(false);
    notify(RUN_EVENT_RESET, cause);
    if (!was_running && state == RUN_STATE_SHUTDOWN) {
        runstate_set(RUN_STATE_PAUSED);
    }
}

static void act(void *opaque)
{
    gint cause;

    if (g_atomic_int_compare_and_exchange(&want_powerdown, 1, 0)) {
        notify(RUN_EVENT_POWERDOWN, SHUTDOWN_NONE);
    }
    if ((cause = g_atomic_int_exchange(&want_shutdown, 0))) {
        do_shutdown(cause);
        return;
    }
    if ((cause = g_atomic_int_exchange(&want_reset, 0))) {
        do_reset(cause);
    }
}

static void ask(gint *flag, gint v)
{
    if (g_once_init_enter(&request_bh_ready)) {
        bh_init(&request_bh, "runstate", act, NULL);
        g_once_init_leave(&request_bh_ready, 1);
    }
    g_atomic_int_set(flag, v);
    bh_schedule(&request_bh);
}

void runstate_request_reset(enum shutdown_cause cause)
{
    ask(&want_reset, cause);
}

void runstate_request_shutdown(enum shutdown_cause cause)
{
    ask(&want_shutdown, cause);
}

void runstate_request_powerdown(void)
{
    ask(&want_powerdown, 1);
}

void runstate_set_policy(bool no_reboot_, bool no_shutdown_)
{
    no_reboot = no_reboot_;
    no_shutdown = no_shutdown_;
}

bool runstate_no_shutdown(void)
{
    return no_shutdown;
}

int runstate_exit_status(void)
{
    return exit_status;
}

void runstate_set_exit_status(int status)
{
    exit_status = status;
}

/* ---- pausing CPUs around a reset ---- */

static void (*pause_hook)(void *opaque, bool pause);
static void *pause_opaque;

void runstate_set_pause_hook(void (*hook)(void *opaque, bool pause), void *opaque)
{
    pause_hook = hook;
    pause_opaque = opaque;
}

void runstate_pause_quietly(bool pause)
{
    if (pause_hook) {
        pause_hook(pause_opaque, pause);
    }
}
