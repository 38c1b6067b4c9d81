/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/backends/tap_script.h - programs that a tap needs: the scripts that configure an interface, and the bridge helper
 *
 * Both keep our stdin, stdout and stderr and get no other descriptor of ours (the helper: its end of a socket pair). Both are waited for, at most
 * TAP_PROGRAM_MS; then they are killed.
 */
#ifndef NET_BACKENDS_TAP_SCRIPT_H
#define NET_BACKENDS_TAP_SCRIPT_H

#include "lib/error.h"

enum { TAP_PROGRAM_MS = 60000 };

/**
 * tap_script_run() - run @script with the interface's name as its argument
 * Return: false: "network script S failed with status 768 (exit code 3)": the first number is the raw wait status
 */
bool tap_script_run(const char *script, const char *ifname, Error **errp);

/** tap_helper_find() - the bridge helper to use when none is named: ours beside this program or installed, else the distribution's; caller frees */
char *tap_helper_find(void);

/**
 * tap_helper_run() - have @helper make a tap on bridge @br
 * @helper:  a program, or, with blanks in it, a shell command; run with --use-vnet --fd=N --br=BR
 * Return: the tap's descriptor, -1: "bridge helper failed"
 */
int tap_helper_run(const char *helper, const char *br, Error **errp);

#endif
