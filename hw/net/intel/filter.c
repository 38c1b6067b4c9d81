/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/net/intel/filter.c - which frames reach the guest (8254x SDM 3.2.1, 9.2, 13.5)
 *
 *   length      over 1522: only with LPE or SBP; over 16384: never
 *   MAC control pause frames unless DPF; other control frames only with PMCF
 *   address     promiscuous (UPE, MPE), broadcast (BAM), exact (RAL/RAH), multicast hash (MTA)
 *   VLAN        with VFE, a tagged frame needs its VFTA bit (and CFI as wanted)
 */
#include "core.h"

#include "net/offload/vlan.h"

#include <string.h>

enum { RA_COUNT = 16, ETHERTYPE_MAC_CONTROL = 0x8808 };

bool rx_length_ok(struct intel_nic *s, size_t len_with_fcs)
{
    if (len_with_fcs > RX_LEN_MAX) {
        return false;
    }
    return len_with_fcs <= RX_LEN_STD || rd(s, R_RCTL) & (RCTL_LPE | RCTL_SBP);
}

/* 13.5.2: AS (bits 17:16 of RAH) 0 compares the destination, 1 the source */
static bool exact_match(struct intel_nic *s, const uint8_t *hdr)
{
    for (unsigned i = 0; i < RA_COUNT; i++) {
        uint32_t low = rd(s, R_RAL + 8 * i), high = rd(s, R_RAH + 8 * i);
        unsigned as = bits_get(high, 16, 2);
        const uint8_t *mac = as == 1 ? hdr + 6 : hdr;

        if (high & RAH_AV && as <= 1 && low == ld_le32(mac) && (high & 0xFFFF) == ld_le16(mac + 4)) {
            return true;
        }
    }
    return false;
}

/* 13.5.1: twelve bits of the address, which ones RCTL.MO says: 47:36, 46:35, 45:34 or 43:32 */
static bool hash_match(struct intel_nic *s, const uint8_t *dst)
{
    static const uint8_t shift[4] = { 4, 3, 2, 0 };
    unsigned bit = (ld_le16(dst + 4) >> shift[bits_get(rd(s, R_RCTL), RCTL_MO_SHIFT, 2)]) & 0xFFF;

    return rd(s, R_MTA + (bit >> 5) * 4) >> (bit & 31) & 1;
}

static bool address_match(struct intel_nic *s, const uint8_t *hdr)
{
    static const uint8_t broadcast[6] = { 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF };
    uint32_t rctl = rd(s, R_RCTL);
    bool multicast = hdr[0] & 1;

    if (rctl & (multicast ? RCTL_MPE : RCTL_UPE)) {
        return true;
    }
    if (rctl & RCTL_BAM && memcmp(hdr, broadcast, 6) == 0) {
        return true;
    }
    return exact_match(s, hdr) || (multicast && hash_match(s, hdr));
}

static bool vlan_match(struct intel_nic *s, const uint8_t *hdr, size_t len)
{
    uint32_t rctl = rd(s, R_RCTL);
    uint16_t tci, vid;

    if (!(rctl & RCTL_VFE) || !vlan_get(hdr, len, rd(s, R_VET), &tci)) {
        return true;
    }
    vid = tci & 0xFFF;
    if (!(rd(s, R_VFTA + (vid >> 5) * 4) >> (vid & 31) & 1)) {
        return false;
    }
    return !(rctl & RCTL_CFIEN) || !!(tci & 0x1000) == !!(rctl & RCTL_CFI);
}

/* 9.2: flow control frames are counted whether or not they are passed on */
static bool mac_control_match(struct intel_nic *s, const uint8_t *hdr, size_t len)
{
    uint32_t rctl = rd(s, R_RCTL);

    if (len < 18 || ld_be16(hdr + 12) != ETHERTYPE_MAC_CONTROL) {
        return true;
    }
    if (ld_be16(hdr + 14) != 1) {                   /* not a pause frame */
        return rctl & RCTL_PMCF;
    }
    stats_count(s, ld_be16(hdr + 16) ? S_XOFFRXC : S_XONRXC);
    return !(rctl & RCTL_DPF);
}

bool rx_filter(struct intel_nic *s, const uint8_t *hdr, size_t len)
{
    return address_match(s, hdr) && vlan_match(s, hdr, len) && mac_control_match(s, hdr, len);
}

/* The guest's idea of its own address is what "info network" shows */
void ra_written(void *opaque, const struct reg_access *a)
{
    struct intel_nic *s = opaque;
    uint8_t mac[6];

    if (a->idx == 0 && rd(s, R_RAH) & RAH_AV) {
        st_le32(mac, rd(s, R_RAL));
        st_le16(mac + 4, rd(s, R_RAH));
        nic_set_info(s->nic, mac);
    }
}
