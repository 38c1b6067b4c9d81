/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/lib/mon_rig.h - a monitor on a socket pair, with a machine of 64 KiB of memory and no CPU behind it
 */
#ifndef TESTS_MON_RIG_H
#define TESTS_MON_RIG_H

#include "monitor/monitor.h"

/** rig_init() - main loop, memory, device types; once */
void rig_init(void);
/** rig_open() - a socket pair; Return: our end; *spec names the other for chardev_new_compat() (caller frees) */
int rig_open(char **spec);
/** rig_connect_unix() - a client's end of the socket at @path */
int rig_connect_unix(const char *path);
/** rig_run() - let the main loop do what is ready */
void rig_run(void);
/** rig_send()/rig_read() - what the other side says, then all that it answers (freed by the caller) */
void rig_send(int fd, const char *text);
char *rig_read(int fd);
/** rig_ask() - both */
char *rig_ask(int fd, const char *text);

#endif
