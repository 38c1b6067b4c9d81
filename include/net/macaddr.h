/* SPDX-License-Identifier: BSD-2-Clause */
/* net/macaddr.h - MAC addresses: text, the default allocator (52:54:00:12:34:56 and up), duplicates */
#ifndef NET_MACADDR_H
#define NET_MACADDR_H

#include "lib/error.h"
#include <stdbool.h>
#include <stdint.h>

#define MAC_STR_LEN 18              /* "52:54:00:12:34:56" and its NUL */

static inline bool mac_is_zero(const uint8_t m[6])
{
    return !(m[0] | m[1] | m[2] | m[3] | m[4] | m[5]);
}
static inline bool mac_is_multicast(const uint8_t m[6])
{
    return m[0] & 1;
}
/** mac_format() - into @buf, which it returns */
const char *mac_format(const uint8_t m[6], char buf[MAC_STR_LEN]);
/**
 * mac_parse_cli() - what -nic mac= and -net nic,macaddr= take: one or two digits a byte, ':' or '-'
 * Errors: "invalid syntax for ethernet address"; "NIC cannot have multicast MAC address" (+ " (odd 1st byte)" when @legacy: -net nic)
 */
bool mac_parse_cli(const char *s, bool legacy, uint8_t mac[6], Error **errp);
/** mac_alloc() - all zero: take the first free default; else note it as used, with a warning when a NIC of this machine has it already */
void mac_alloc(uint8_t mac[6]);
/** mac_release() - the NIC is gone */
void mac_release(const uint8_t mac[6]);

#endif
