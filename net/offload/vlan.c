/* SPDX-License-Identifier: BSD-2-Clause */
/* net/offload/vlan.c - 802.1Q tags (IEEE 802.1Q 9.6): four bytes behind the two MACs */
#include "net/offload/vlan.h"
#include "lib/bytes.h"

bool vlan_get(const uint8_t *frame, size_t len, uint16_t tpid, uint16_t *tci)
{
    if (len < 18 || ld_be16(frame + 12) != tpid) {
        return false;
    }
    *tci = ld_be16(frame + 14);
    return true;
}

void vlan_push(uint8_t out[16], const uint8_t macs[12], uint16_t tpid, uint16_t tci)
{
    memcpy(out, macs, 12);
    st_be16(out + 12, tpid);
    st_be16(out + 14, tci);
}

size_t vlan_pop(uint8_t *frame, size_t len, uint16_t tpid, uint16_t *tci)
{
    if (!vlan_get(frame, len, tpid, tci)) {
        return len;
    }
    memmove(frame + 12, frame + 16, len - 16);
    return len - 4;
}
