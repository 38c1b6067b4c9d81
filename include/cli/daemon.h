/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cli/daemon.h - -daemonize, -pidfile, -run-with exit-with-parent
 *
 * With -daemonize the process that the user started waits until the machine is set up and then exits with 0, or with
 * 1 when set-up failed (the messages have gone to its stderr by then).
 */
#ifndef CLI_DAEMON_H
#define CLI_DAEMON_H

#include "cli/options.h"

/** daemon_start() - before any thread exists; returns in the child when -daemonize was given */
bool daemon_start(const struct vm_options *o, Error **errp);
/** daemon_write_pidfile() - create and lock it; it is removed by daemon_end() */
bool daemon_write_pidfile(const struct vm_options *o, Error **errp);
/** daemon_ready() - set-up is done: let the parent go, close the terminal */
void daemon_ready(void);
/** daemon_end() - at exit */
void daemon_end(void);

#endif
