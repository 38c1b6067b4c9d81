/* SPDX-License-Identifier: BSD-2-Clause */
/* net/offload/toeplitz.c - for every set bit of the input, the 32 key bits that start at that position are xored into the hash */
#include "net/offload/toeplitz.h"
#include "lib/bytes.h"

uint32_t toeplitz_hash(const uint8_t key[TOEPLITZ_KEY_LEN], const uint8_t *data, size_t len)
{
    uint32_t hash = 0;

    for (size_t i = 0; i < len && i + 4 < TOEPLITZ_KEY_LEN; i++) {
        uint64_t window = (uint64_t)ld_be32(key + i) << 8 | key[i + 4];     /* 40 key bits from bit 8 * i */

        for (unsigned b = 0; b < 8; b++) {
            hash ^= data[i] & (0x80u >> b) ? (uint32_t)(window >> (8 - b)) : 0;
        }
    }
    return hash;
}

/* virtio 1.2 5.1.6.4.3.4: with extension headers, home address and final destination count */
static unsigned ip6_ex_input(const uint8_t *hdr, const struct pkt_layout *l, unsigned types, uint8_t out[RSS_INPUT_MAX], size_t *len)
{
    unsigned l4 = l->fragment ? 0 : l->l4 == PKT_L4_TCP ? types & RSS_TCP6_EX : l->l4 == PKT_L4_UDP ? types & RSS_UDP6_EX : 0;

    if (!l4 && !(types & RSS_IP6_EX)) {
        return 0;
    }
    memcpy(out, hdr + l->ip6_src, 16);
    memcpy(out + 16, hdr + l->ip6_dst, 16);
    *len = 32;
    if (l4) {
        memcpy(out + 32, hdr + l->l4_off, 4);
        *len = 36;
    }
    return l4 ? l4 : RSS_IP6_EX;
}

unsigned rss_input(const uint8_t *hdr, const struct pkt_layout *l, unsigned types, uint8_t out[RSS_INPUT_MAX], size_t *len)
{
    bool ip4 = l->l3 == PKT_L3_IP4;
    unsigned l4 = 0;

    *len = 0;
    if (l->l3 == PKT_L3_NONE) {
        return 0;
    }
    if (!ip4 && l->proto_off != l->l3_off + 6) {
        unsigned t = ip6_ex_input(hdr, l, types, out, len);

        if (t) {
            return t;
        }
    }
    if (!l->fragment && l->l4 == PKT_L4_TCP) {
        l4 = types & (ip4 ? RSS_TCP4 : RSS_TCP6);
    } else if (!l->fragment && l->l4 == PKT_L4_UDP) {
        l4 = types & (ip4 ? RSS_UDP4 : RSS_UDP6);
    }
    if (!l4 && !(types & (ip4 ? RSS_IP4 : RSS_IP6))) {
        return 0;
    }
    *len = ip4 ? 8 : 32;
    memcpy(out, hdr + l->l3_off + (ip4 ? 12 : 8), *len);
    if (l4) {
        memcpy(out + *len, hdr + l->l4_off, 4);
        *len += 4;
        return l4;
    }
    return ip4 ? RSS_IP4 : RSS_IP6;
}
