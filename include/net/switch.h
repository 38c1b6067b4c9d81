/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/switch.h - what there is to see of emulated switches (-netdev switch); main loop, machine lock
 */
#ifndef NET_SWITCH_H
#define NET_SWITCH_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct net_client;

struct net_switch_info {
    unsigned id;
    uint32_t macs, max_macs, ageing_s;      /* addresses known, bound, seconds */
    bool forward_reserved;
    uint64_t moved;                         /* stations that were heard at another port than before */
    uint64_t not_learned;                   /* because the table was full */
};

struct net_switch_mac {
    uint16_t vlan;
    uint8_t mac[6];
    const struct net_client *port;
    unsigned age_s;                         /* since it was heard */
};

struct net_switch_visitor {
    void (*each)(void *opaque, const struct net_switch_info *s);
    void (*port)(void *opaque, const struct net_client *port, unsigned vlan, const char *trunk);    /* trunk: as "2,10-20"; NULL: access port */
    void (*mac)(void *opaque, const struct net_switch_mac *m);
};
/** net_switch_visit() - every switch, each followed by its ports and its addresses */
void net_switch_visit(const struct net_switch_visitor *v, void *opaque);
/** net_switch_print_info() - "info switch" */
void net_switch_print_info(GString *out);

#endif
