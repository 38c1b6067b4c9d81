/* SPDX-License-Identifier: BSD-2-Clause */
/* net/info.h - what "info network" and "info usernet" print; lines end in \n */
#ifndef NET_INFO_H
#define NET_INFO_H

#include <glib.h>

void net_print_info(GString *out);
/** net_user_print_info() - one table for each user-mode stack: "Hub -1 (u):" and its connections */
void net_user_print_info(GString *out);
/** net_user_print_limits() - ours: flows against their limits and every counter of the airlock that is not 0 */
void net_user_print_limits(GString *out);
/** net_print_stats() - frames, bytes and drops by reason for every client (ours; "info network-stats") */
void net_print_stats(GString *out);

#endif
