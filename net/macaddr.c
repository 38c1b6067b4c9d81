/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/macaddr.c - MAC addresses of this machine's NICs
 *
 * Defaults are 52:54:00:12:34:56 and up, the first that no NIC has: what guests, lease files and scripts are used to.
 */
#include "net/macaddr.h"
#include "lib/strparse.h"
#include "net/net_int.h"
#include <string.h>

enum { FIRST_DEFAULT = 0x123456 };

const char *mac_format(const uint8_t m[6], char buf[MAC_STR_LEN])
{
    g_snprintf(buf, MAC_STR_LEN, "%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);
    return buf;
}

bool mac_parse_cli(const char *s, bool legacy, uint8_t mac[6], Error **errp)
{
    if (!parse_mac(s, false, mac)) {
        error_setg(errp, "invalid syntax for ethernet address");
        return false;
    }
    if (mac_is_multicast(mac)) {
        error_setg(errp, "NIC cannot have multicast MAC address%s", legacy ? " (odd 1st byte)" : "");
        return false;
    }
    return true;
}

static bool in_use(GArray *macs, const uint8_t mac[6], guint *at)
{
    for (guint i = 0; i < macs->len; i++) {
        if (!memcmp(macs->data + i * 6, mac, 6)) {
            *at = i;
            return true;
        }
    }
    return false;
}

void mac_alloc(uint8_t mac[6])
{
    GArray *macs = net_get()->macs;
    char text[MAC_STR_LEN];
    guint at;

    if (mac_is_zero(mac)) {
        uint32_t n = FIRST_DEFAULT;

        do {
            const uint8_t m[6] = { 0x52, 0x54, 0x00, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n };

            memcpy(mac, m, 6);
            n++;
        } while (in_use(macs, mac, &at));
    } else if (in_use(macs, mac, &at)) {
        warn_report("MAC address %s is used by more than one NIC", mac_format(mac, text));
    }
    g_array_append_vals(macs, mac, 1);
}

void mac_release(const uint8_t mac[6])
{
    GArray *macs = net_get()->macs;
    guint at;

    if (in_use(macs, mac, &at)) {
        g_array_remove_index_fast(macs, at);
    }
}
