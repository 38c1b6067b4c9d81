/* SPDX-License-Identifier: BSD-2-Clause */
/* net/netdev.c - what -netdev, netdev_add, netdev_del and set_link do; the table of backends */
#include "config-host.h"
#include "lib/bits.h"
#include "net/backends.h"
#include "net/hub.h"
#include "net/net_int.h"
#include "net/nic.h"
#include "net/segment.h"
#include "qapi/qapi-types.h"

static const struct backend {
    NetdevDriver type;
    const struct net_backend_ops *ops;      /* NULL: this binary was built without */
} backends[] = {                            /* in the order of -netdev help */
    { NETDEV_DRIVER_SOCKET, &net_backend_socket },
    { NETDEV_DRIVER_STREAM, &net_backend_stream },
    { NETDEV_DRIVER_DGRAM, &net_backend_dgram },
    { NETDEV_DRIVER_HUBPORT, &net_backend_hubport },
    { NETDEV_DRIVER_SWITCH, &net_backend_switch },
    { NETDEV_DRIVER_TAP, &net_backend_tap },
#ifdef HAVE_SLIRP
    { NETDEV_DRIVER_USER, &net_backend_user },
#else
    { NETDEV_DRIVER_USER, NULL },
#endif
    { NETDEV_DRIVER_L2TPV3, &net_backend_l2tpv3 },
#ifdef HAVE_VDE
    { NETDEV_DRIVER_VDE, &net_backend_vde },
#else
    { NETDEV_DRIVER_VDE, NULL },
#endif
    { NETDEV_DRIVER_BRIDGE, &net_backend_bridge },
#ifdef HAVE_SLIRP
    { NETDEV_DRIVER_HOSTONLY, &net_backend_hostonly },
#else
    { NETDEV_DRIVER_HOSTONLY, NULL },
#endif
    { NETDEV_DRIVER_BRIDGED, &net_backend_bridged },
#ifdef HAVE_AF_XDP
    { NETDEV_DRIVER_AF_XDP, &net_backend_af_xdp },
#else
    { NETDEV_DRIVER_AF_XDP, NULL },
#endif
    { NETDEV_DRIVER_VHOST_VDPA, NULL },
};

bool netdev_type_built(int type)
{
    for (unsigned i = 0; i < ARRAY_LEN(backends); i++) {
        if ((int)backends[i].type == type) {
            return backends[i].ops != NULL;
        }
    }
    return false;
}

/* A NIC whose netdev @c->name was deleted gets the new one. */
static void reattach(struct net_client *c)
{
    struct net *n = net_get();

    for (unsigned i = 0; i < n->clients->len; i++) {
        struct net_client *x = n->clients->pdata[i];

        if (x->nic && !x->peer && x->lost_peer && !strcmp(x->lost_peer, c->name)) {
            nic_plug_into(x->nic, c);
            return;
        }
    }
}

struct net_client *netdev_new(const struct Netdev *cfg, Error **errp)
{
    for (unsigned i = 0; i < ARRAY_LEN(backends); i++) {
        struct net_client *c;

        if (backends[i].type != cfg->type) {
            continue;
        }
        if (!backends[i].ops) {
            error_setg(errp, "network backend '%s' is not compiled into this binary", qapi_enum_name(&qapi_type_NetdevDriver, cfg->type));
            return NULL;
        }
        c = net_client_new(backends[i].ops, cfg->id, &cfg->u, errp);
        if (c) {
            c->is_netdev = true;
            if (cfg->has_link) {
                c->link_follows = cfg->link == NETDEV_LINK_FOLLOW;
            }
            if (!c->peer) {
                reattach(c);
            }
        }
        return c;
    }
    error_setg(errp, "Parameter 'type' does not accept value '%d'", (int)cfg->type);
    return NULL;
}

bool netdev_create(const struct Netdev *cfg, Error **errp)
{
    return netdev_new(cfg, errp) != NULL;
}

bool netdev_create_on_hub(const struct Netdev *cfg, unsigned hub_id, Error **errp)
{
    struct net_client *c;

    if (cfg->type == NETDEV_DRIVER_HUBPORT) {
        error_setg(errp, "network backend 'hubport' is only supported with -netdev/-nic");
        return false;
    }
    c = netdev_new(cfg, errp);
    if (c && c->queues > 1) {
        error_setg(errp, "Multiqueue tap cannot be used with hubs");
        net_client_free(c);
        return false;
    }
    if (c && !net_hub_add_port(hub_id, NULL, c, errp)) {
        net_client_free(c);
        return false;
    }
    return c != NULL;
}

bool netdev_del(const char *id, Error **errp)
{
    struct net_client *c = net_client_find(id);

    if (!c) {
        error_set(errp, ERROR_DEVICE_NOT_FOUND, "Device '%s' not found", id);
        return false;
    }
    if (!c->is_netdev) {
        error_setg(errp, "Device '%s' is not a netdev", id);
        return false;
    }
    net_client_free(c);
    return true;
}

bool net_set_link(const char *name, bool up, Error **errp)
{
    struct net_client *c = net_client_find(name);

    if (!c) {
        error_set(errp, ERROR_DEVICE_NOT_FOUND, "Device '%s' not found", name);
        return false;
    }
    if (c->link_down == up && !c->nic) {
        client_link_event(c, up);
    }
    c->link_down = !up;
    client_update_wire(c);
    return true;
}

bool netdev_swap(const char *nic, const char *netdev, Error **errp)
{
    struct net_client *n = net_client_find_nic(nic), *to = net_client_find(netdev);

    n = n ? n : net_client_find(nic);
    if (!n) {
        error_set(errp, ERROR_DEVICE_NOT_FOUND, "Device '%s' not found", nic);
        return false;
    }
    if (!n->nic) {
        error_setg(errp, "Device '%s' is not a NIC", nic);
        return false;
    }
    if (!to || to->nic) {
        error_setg(errp, "netdev '%s' not found", netdev);
        return false;
    }
    if (to->peer != n && (to->peer || to->prop_field)) {
        error_setg(errp, "netdev '%s' is in use", netdev);
        return false;
    }
    nic_plug_into(n->nic, to);
    return true;
}

void net_check_clients(void)
{
    struct net *n = net_get();

    segment_check_all();
    for (unsigned i = 0; i < n->clients->len; i++) {
        struct net_client *c = n->clients->pdata[i];

        if (!c->peer && !segment_port_of(c)) {
            warn_report("%s %s has no peer", c->nic ? "nic" : "netdev", c->name);
        }
    }
}

void net_cleanup(void)
{
    struct net *n = net_get();

    for (unsigned i = n->clients->len; i-- > 0;) {
        struct net_client *c = n->clients->pdata[i];

        if (!c->nic) {
            net_client_free(c);
            i = n->clients->len;            /* freeing one may have freed others */
        }
    }
    if (n->clients->len) {
        return;                             /* NICs that their devices still own */
    }
    net_forget(n);
    g_ptr_array_free(n->clients, TRUE);
    g_ptr_array_free(n->segments, TRUE);
    g_array_free(n->macs, TRUE);
    g_free(n);
}
