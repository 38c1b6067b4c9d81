/* SPDX-License-Identifier: BSD-2-Clause */
/* net/nic_props.c - the properties "mac" and "netdev" of every NIC */
#include "core/device.h"
#include "lib/strparse.h"
#include "net/nic.h"
#include <string.h>

static bool mac_set(struct device *d, const struct property *p, void *field, const char *value, Error **errp)
{
    uint8_t mac[6];

    if (!parse_mac(value, true, mac) || mac_is_multicast(mac)) {
        prop_error_value(errp, d, p, value);
        return false;
    }
    memcpy(field, mac, 6);
    return true;
}

static char *mac_get(struct device *d, const struct property *p, const void *field)
{
    char text[MAC_STR_LEN];

    return g_strdup(mac_format(field, text));
}

const struct prop_kind prop_mac = { .name = "str", .set = mac_set, .get = mac_get };

static void netdev_release(struct device *d, const struct property *p, void *field)
{
    struct net_client **ref = field;

    if (*ref && (*ref)->prop_field == ref) {
        (*ref)->prop_field = NULL;
    }
    *ref = NULL;
}

static bool netdev_set(struct device *d, const struct property *p, void *field, const char *value, Error **errp)
{
    struct net_client **ref = field;
    struct net_client *c = *value ? net_client_find(value) : NULL;

    if (*value && (!c || nic_of(c))) {
        error_setg(errp, "Property '%s.%s' can't find value '%s'", d->type->name, p->name, value);
        return false;
    }
    if (c && (c->peer || (c->prop_field && c->prop_field != ref))) {
        error_setg(errp, "Property '%s.%s' can't take value '%s', it's in use", d->type->name, p->name, value);
        return false;
    }
    netdev_release(d, p, field);
    *ref = c;
    if (c) {
        c->prop_field = ref;
    }
    return true;
}

static char *netdev_get(struct device *d, const struct property *p, const void *field)
{
    const struct net_client *c = *(struct net_client *const *)field;

    return g_strdup(c ? c->name : "");
}

const struct prop_kind prop_netdev = { .name = "str", .set = netdev_set, .get = netdev_get, .release = netdev_release };
