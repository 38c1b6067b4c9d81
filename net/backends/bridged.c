/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/backends/bridged.c - -netdev bridged: the guest as one more machine on the network of a host's interface
 *
 * A macvtap interface is made on it and removed at the end; its device is a tap (tap.c). A macvtap takes frames for its own address only, so it
 * gets the NIC's as soon as a NIC is plugged in. In mode passthru it takes all, and the guest may change its address as it likes.
 */
#include "lib/bits.h"
#include "net/backends.h"
#include "net/backends/macvtap.h"
#include "net/backends/tap_int.h"
#include "net/nic.h"
#include "qapi/qapi-types.h"
#include "qapi/schema.h"
#include <errno.h>
#include <linux/if_link.h>
#include <string.h>

struct bridged {
    struct tap t;                   /* first member */
    unsigned index;                 /* of the macvtap; 0: none made */
    uint8_t mac[6];                 /* that it was given last */
};

static struct bridged *bridged_of(struct net_client *c)
{
    return container_of(container_of(c, struct tap, c), struct bridged, t);
}

static bool bridged_open(struct net_client *c, const void *arg, Error **errp)
{
    static const uint32_t modes[] = {
        [NETDEV_BRIDGED_MODE_BRIDGE] = MACVLAN_MODE_BRIDGE, [NETDEV_BRIDGED_MODE_VEPA] = MACVLAN_MODE_VEPA,
        [NETDEV_BRIDGED_MODE_PRIVATE] = MACVLAN_MODE_PRIVATE, [NETDEV_BRIDGED_MODE_PASSTHRU] = MACVLAN_MODE_PASSTHRU,
    };
    struct bridged *b = bridged_of(c);
    const NetdevBridged *o = arg;
    NetdevBridgedMode mode = o->has_mode ? o->mode : NETDEV_BRIDGED_MODE_BRIDGE;

    tap_init(&b->t, 1);
    b->index = macvtap_new(o->ifname, modes[mode], b->t.info.ifname, errp);
    if (!b->index) {
        return false;
    }
    b->t.q[0].fd = tap_linux_open_node(b->t.info.ifname, errp);
    if (b->t.q[0].fd < 0 || !tap_linux_inspect(b->t.q[0].fd, &b->t.info, errp)) {
        return false;
    }
    net_client_set_info(c, "ifname=%s,mode=%s,macvtap=%s", o->ifname, qapi_enum_name(&qapi_type_NetdevBridgedMode, mode), b->t.info.ifname);
    return tap_start(&b->t, errp);
}

/* A cable was plugged in: to a NIC, or to a hub, which no single address fits */
static void adopt_mac(struct bridged *b)
{
    struct net_client *peer = b->t.c.peer;
    const uint8_t *mac = peer && peer->nic ? nic_get_conf(peer->nic)->mac : NULL;

    if (!mac || b->t.gone || !memcmp(mac, b->mac, 6)) {
        return;
    }
    if (macvtap_set_mac(b->t.info.ifname, mac)) {
        memcpy(b->mac, mac, 6);
    } else {
        warn_report("netdev '%s': the NIC's address could not be given to '%s': %s", b->t.c.name, b->t.info.ifname, strerror(errno));
    }
}

static void bridged_rx_enable(struct net_client *c, bool on)
{
    if (on) {
        adopt_mac(bridged_of(c));
    }
    tap_rx_enable(c, on);
}

static void bridged_close(struct net_client *c)
{
    struct bridged *b = bridged_of(c);
    g_autofree char *name = g_strdup(b->t.info.ifname);

    tap_close(c);
    if (b->index && !macvtap_del(b->index) && errno != ENODEV) {
        warn_report("netdev '%s': could not remove '%s': %s", c->name, name, strerror(errno));
    }
}

const struct net_backend_ops net_backend_bridged = {
    .kind = "bridged", .size = sizeof(struct bridged), .open = bridged_open, .send = tap_send, .rx_enable = bridged_rx_enable,
    .tx_ready = tap_tx_ready, .offloads = tap_offloads, .close = bridged_close, .follows = true,
};
