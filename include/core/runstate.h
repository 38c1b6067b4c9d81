/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * core/runstate.h - does the machine run, and what was asked of it
 *
 * Requests (reset, power-off) may come from any thread and any device; the main loop acts on them. Listeners hear of
 * each change with the machine lock held: vCPUs pause, the virtual clock stops, the monitor sends events.
 */
#ifndef CORE_RUNSTATE_H
#define CORE_RUNSTATE_H

#include <stdbool.h>

enum run_state {                /* QMP RunState names in runstate_name() */
    RUN_STATE_PRELAUNCH, RUN_STATE_RUNNING, RUN_STATE_PAUSED, RUN_STATE_SHUTDOWN, RUN_STATE_INTERNAL_ERROR, RUN_STATE_INMIGRATE,
};

enum shutdown_cause {           /* QMP ShutdownCause */
    SHUTDOWN_NONE, SHUTDOWN_HOST_QMP_QUIT, SHUTDOWN_HOST_QMP_SYSTEM_RESET, SHUTDOWN_HOST_SIGNAL, SHUTDOWN_HOST_UI,
    SHUTDOWN_GUEST_SHUTDOWN, SHUTDOWN_GUEST_RESET, SHUTDOWN_GUEST_PANIC, SHUTDOWN_HOST_ERROR,
};

enum run_event { RUN_EVENT_STATE, RUN_EVENT_RESET, RUN_EVENT_SHUTDOWN, RUN_EVENT_POWERDOWN };

enum run_state runstate_get(void);
const char *runstate_name(enum run_state s);
const char *shutdown_cause_name(enum shutdown_cause c);
static inline bool runstate_running(void)
{
    return runstate_get() == RUN_STATE_RUNNING;
}

/** runstate_set() - main thread, machine lock; starts or stops the virtual clock */
void runstate_set(enum run_state s);

typedef void runstate_listener(void *opaque, enum run_event ev, enum run_state state, enum shutdown_cause cause);
void runstate_add_listener(runstate_listener *fn, void *opaque);
void runstate_del_listener(runstate_listener *fn, void *opaque);

/* Any thread. The main loop carries them out. */
void runstate_request_reset(enum shutdown_cause cause);
void runstate_request_shutdown(enum shutdown_cause cause);
void runstate_request_powerdown(void);      /* ACPI power button: RUN_EVENT_POWERDOWN goes to the board */

/** runstate_set_policy() - -no-reboot: a reset request shuts down; -no-shutdown: a shutdown request only stops */
void runstate_set_policy(bool no_reboot, bool no_shutdown);
bool runstate_no_shutdown(void);

/**
 * runstate_set_pause_hook() - how vCPUs are made to stand still without a change of run state (vcpu.c sets it)
 * After hook(true) returns no CPU runs guest code until hook(false). Called with the machine lock held, which the hook
 * may give up while it waits.
 */
void runstate_set_pause_hook(void (*hook)(void *opaque, bool pause), void *opaque);
void runstate_pause_quietly(bool pause);

/** runstate_exit_status() - process exit status once the loop has ended */
int runstate_exit_status(void);
void runstate_set_exit_status(int status);

#endif
