/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/backends/macvtap.h - make and remove a macvtap interface by rtnetlink (rtnetlink(7), linux/if_link.h)
 *
 * Needs CAP_NET_ADMIN in the network namespace.
 */
#ifndef NET_BACKENDS_MACVTAP_H
#define NET_BACKENDS_MACVTAP_H

#include "lib/error.h"
#include <net/if.h>
#include <stdint.h>

/**
 * macvtap_new() - a macvtap on @parent, up, under a free name
 * @mode:  MACVLAN_MODE_*
 * @name:  receives it
 * Return: its interface index; 0: *errp is set
 */
unsigned macvtap_new(const char *parent, uint32_t mode, char name[IFNAMSIZ], Error **errp);
/** macvtap_set_mac() - false: errno is set */
bool macvtap_set_mac(const char *name, const uint8_t mac[6]);
/** macvtap_del() - false: errno is set */
bool macvtap_del(unsigned index);

#endif
