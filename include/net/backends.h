/* SPDX-License-Identifier: BSD-2-Clause */
/* net/backends.h - the backends there are; net/netdev.c has the table that -netdev uses */
#ifndef NET_BACKENDS_H
#define NET_BACKENDS_H

#include "net/client.h"

extern const struct net_backend_ops net_backend_hubport;    /* net/hub.c; cfg: const NetdevHubport * */
extern const struct net_backend_ops net_backend_user;       /* net/backends/user.c, where libslirp was found; cfg: const NetdevUser * */

#endif
