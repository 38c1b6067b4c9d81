/* SPDX-License-Identifier: BSD-2-Clause */
/* net/user.h - run-time control of user-mode stacks (hostfwd_add, hostfwd_remove) */
#ifndef NET_USER_H
#define NET_USER_H

#include "lib/error.h"

/**
 * net_hostfwd_add() - @rule as in hostfwd=; @id NULL: the first user-mode stack
 * Errors: "unrecognized netdev id 'x'", "invalid device specified", "user mode network stack not in use",
 * "Invalid host forwarding rule 'R' (REASON)", "Could not set up host forwarding rule 'R': Address already in use"
 */
bool net_hostfwd_add(const char *id, const char *rule, Error **errp);
/**
 * net_hostfwd_remove() - @rule is PROTO:[ADDR]:PORT or unix:PATH
 * @result: the line for a person, also when there was nothing to remove: "host forwarding rule for tcp::15555 removed",
 *          "... not found"; caller frees
 * Return: false with "invalid format" or one of the first three errors above
 */
bool net_hostfwd_remove(const char *id, const char *rule, char **result, Error **errp);

#endif
