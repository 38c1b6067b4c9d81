/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/backends/tap_linux.h - descriptors of Linux's tap and macvtap interfaces: open, inspect, configure
 *
 * Two drivers answer to nearly the same ioctls (linux/if_tun.h): tun, where /dev/net/tun makes or joins an interface, and macvtap, where each
 * interface has a device node of its own, /dev/tapIFINDEX. Every descriptor from here is non-blocking and close-on-exec.
 */
#ifndef NET_BACKENDS_TAP_LINUX_H
#define NET_BACKENDS_TAP_LINUX_H

#include "lib/error.h"
#include <net/if.h>
#include <stdint.h>

enum tap_vnet { TAP_VNET_TRY, TAP_VNET_OFF, TAP_VNET_ON };

struct tap_info {
    char ifname[IFNAMSIZ];      /* "": the kernel does not tell */
    bool vnet_hdr;
    bool macvtap;               /* its end is not reported by poll */
};

/**
 * tap_linux_open() - make a tap interface, or a queue of one that exists
 * @ifname:  in: wanted name, "": the kernel picks tapN; out: its name. A macvtap's name opens its device node
 * @queues:  the interface is to have several
 * Return: -1: "Could not open '/dev/net/tun': ...", "could not configure /dev/net/tun (lo): Invalid argument",
 *         "vnet_hdr=1 requested, but no kernel support for IFF_VNET_HDR available"
 */
int tap_linux_open(char ifname[IFNAMSIZ], bool queues, enum tap_vnet vnet, struct tap_info *info, Error **errp);
/** tap_linux_inspect() - what is behind a descriptor that somebody else has made; false: no tap or none that we can use */
bool tap_linux_inspect(int fd, struct tap_info *info, Error **errp);
/** tap_linux_offloads() - ask for every offload that the kernel has; Return: PKT_CAP_* that may be written */
uint32_t tap_linux_offloads(int fd);
/** tap_linux_set_hdr_len() - length of the vnet header in front of each frame */
bool tap_linux_set_hdr_len(int fd, int len, Error **errp);
/** tap_linux_set_sndbuf() - bytes on their way to the host until a write would block; 0: no limit. "TUNSETSNDBUF ioctl failed: ..." */
bool tap_linux_set_sndbuf(int fd, uint64_t bytes, Error **errp);
/** tap_linux_alive() - the interface is still there (it may be down) */
bool tap_linux_alive(int fd);
/** tap_linux_open_node() - the device node of a macvtap interface, made in a private place when /dev does not have it; -1: *errp is set */
int tap_linux_open_node(const char *ifname, Error **errp);

#endif
