/* SPDX-License-Identifier: BSD-2-Clause */
/* net/backends.h - the backends there are; net/netdev.c has the table that -netdev uses */
#ifndef NET_BACKENDS_H
#define NET_BACKENDS_H

#include "net/client.h"

extern const struct net_backend_ops net_backend_hubport;    /* net/hub.c; cfg: const NetdevHubport * */
extern const struct net_backend_ops net_backend_switch;     /* net/switch.c; cfg: const NetdevSwitch * */
extern const struct net_backend_ops net_backend_socket;     /* net/backends/socket.c; cfg: const NetdevSocket * */
extern const struct net_backend_ops net_backend_stream;     /* net/backends/stream.c; cfg: const NetdevStream * */
extern const struct net_backend_ops net_backend_user;       /* net/backends/user.c, where libslirp was found; cfg: const NetdevUser * */
extern const struct net_backend_ops net_backend_hostonly;   /* net/backends/hostonly.c, likewise; cfg: const NetdevHostonly * */
extern const struct net_backend_ops net_backend_tap;        /* net/backends/tap_open.c; cfg: const NetdevTap * */
extern const struct net_backend_ops net_backend_bridge;     /* the same file; cfg: const NetdevBridge * */
extern const struct net_backend_ops net_backend_bridged;    /* net/backends/bridged.c; cfg: const NetdevBridged * */
extern const struct net_backend_ops net_backend_dgram;      /* net/backends/dgram.c; cfg: const NetdevDgram * */
extern const struct net_backend_ops net_backend_l2tpv3;     /* net/backends/l2tpv3.c; cfg: const NetdevL2TPv3 * */
extern const struct net_backend_ops net_backend_vde;        /* net/backends/vde.c, where libvdeplug was found; cfg: const NetdevVde * */
extern const struct net_backend_ops net_backend_af_xdp;     /* net/backends/af_xdp.c, where the kernel's headers have it; cfg: const NetdevAFXDP * */

#endif
