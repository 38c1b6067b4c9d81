/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/hub.h - emulated hubs: what comes in at one port goes out at all others, in order, each port with a bounded queue of its own
 *
 * A hub exists while it has ports. Hub 0 is where the legacy -net option plugs everything in. No learning. Large frames cross a hub whole
 * and are cut only for ports that need it.
 */
#ifndef NET_HUB_H
#define NET_HUB_H

#include "net/client.h"

/**
 * net_hub_add_port() - a new port on hub @hub_id (created on demand)
 * @name:  NULL: "hubHportN"
 * @peer:  plugged in when not NULL; must be free
 * Return: the port; a NIC takes it as conf->netdev. NULL: *errp is set
 */
struct net_client *net_hub_add_port(unsigned hub_id, const char *name, struct net_client *peer, Error **errp);
/** net_hub_port_id() - hub and port number of a hub port; false: @c is none */
bool net_hub_port_id(const struct net_client *c, unsigned *hub_id, unsigned *port);
/** net_hub_id_for() - the hub that @c, a NIC or backend, is plugged into; -1: none */
int net_hub_id_for(const struct net_client *c);

#endif
