/* SPDX-License-Identifier: BSD-2-Clause */
/* net/vnet_hdr.c - decode and encode struct virtio_net_hdr (virtio 1.2 sections 5.1.6.2, 5.1.6.4) */
#include "net/vnet_hdr.h"
#include "lib/bytes.h"

enum {                              /* flags */
    F_NEEDS_CSUM = 1, F_DATA_VALID = 2, F_RSC_INFO = 4,
};
enum {                              /* gso_type */
    GSO_NONE = 0, GSO_TCP4 = 1, GSO_UFO = 3, GSO_TCP6 = 4, GSO_USO = 5, GSO_ECN = 0x80,
};
enum { OFF_FLAGS = 0, OFF_GSO = 1, OFF_HDR_LEN = 2, OFF_GSO_SIZE = 4, OFF_CSUM_START = 6, OFF_CSUM_OFF = 8,
       OFF_HASH = 12, OFF_REPORT = 16 };

static bool gso_kind(uint8_t type, uint8_t *gso)
{
    switch (type & ~GSO_ECN) {
    case GSO_TCP4:
        *gso = PKT_GSO_TCP4;
        return true;
    case GSO_TCP6:
        *gso = PKT_GSO_TCP6;
        return true;
    case GSO_USO:
        *gso = PKT_GSO_UDP;
        return !(type & GSO_ECN);
    case GSO_UFO:
        *gso = PKT_GSO_UFO;
        return !(type & GSO_ECN);
    }
    return false;
}

enum vnet_hdr_bad vnet_hdr_decode(const uint8_t hdr[VNET_HDR_LEN], size_t frame_len, struct pkt_meta *m)
{
    struct pkt_meta t = { 0 };

    *m = t;
    if (hdr[OFF_FLAGS] & F_NEEDS_CSUM) {
        t.flags |= PKT_NEEDS_CSUM;
        t.csum_start = ld_le16(hdr + OFF_CSUM_START);
        t.csum_off = ld_le16(hdr + OFF_CSUM_OFF);
        if ((size_t)t.csum_start + t.csum_off + 2 > frame_len) {
            return VNET_HDR_BAD_CSUM;
        }
    }
    if (hdr[OFF_GSO] != GSO_NONE) {
        t.gso_size = ld_le16(hdr + OFF_GSO_SIZE);
        t.hdr_len = ld_le16(hdr + OFF_HDR_LEN);
        if (!gso_kind(hdr[OFF_GSO], &t.gso) || !t.gso_size || t.hdr_len > frame_len) {
            return VNET_HDR_BAD_GSO;
        }
        t.flags |= hdr[OFF_GSO] & GSO_ECN ? PKT_ECN : 0;
    }
    *m = t;
    return VNET_HDR_OK;
}

uint16_t vnet_hash_report(unsigned hash_type)
{
    for (uint16_t i = 0; i < 9; i++) {
        if (hash_type == 1u << i) {
            return (uint16_t)(i + 1);
        }
    }
    return 0;
}

void vnet_hdr_encode(const struct pkt_meta *m, bool data_valid, uint8_t *hdr, size_t hdr_len)
{
    static const uint8_t types[] = {
        [PKT_GSO_NONE] = GSO_NONE, [PKT_GSO_TCP4] = GSO_TCP4, [PKT_GSO_TCP6] = GSO_TCP6, [PKT_GSO_UDP] = GSO_USO,
        [PKT_GSO_UFO] = GSO_UFO,
    };

    memset(hdr, 0, hdr_len);
    if (m->flags & PKT_NEEDS_CSUM) {
        hdr[OFF_FLAGS] = F_NEEDS_CSUM;
        st_le16(hdr + OFF_CSUM_START, m->csum_start);
        st_le16(hdr + OFF_CSUM_OFF, m->csum_off);
    } else if (m->flags & PKT_CSUM_VALID && data_valid) {
        hdr[OFF_FLAGS] = F_DATA_VALID;
    }
    if (m->gso && m->gso < sizeof(types)) {
        hdr[OFF_GSO] = (uint8_t)(types[m->gso] | (m->flags & PKT_ECN ? GSO_ECN : 0));
        st_le16(hdr + OFF_HDR_LEN, m->hdr_len);
        st_le16(hdr + OFF_GSO_SIZE, m->gso_size);
    }
    if (hdr_len >= VNET_HDR_LEN_MRG) {
        st_le16(hdr + VNET_NUM_BUFFERS_OFF, 1);
    }
    if (hdr_len >= VNET_HDR_LEN_HASH && m->flags & PKT_HASH) {
        st_le32(hdr + OFF_HASH, m->hash);
        st_le16(hdr + OFF_REPORT, m->hash_type);
    }
}

void vnet_hdr_set_rsc(uint8_t *hdr, uint16_t segments, uint16_t dup_acks)
{
    hdr[OFF_FLAGS] = (uint8_t)((hdr[OFF_FLAGS] & ~F_NEEDS_CSUM) | F_RSC_INFO);
    st_le16(hdr + OFF_CSUM_START, segments);
    st_le16(hdr + OFF_CSUM_OFF, dup_acks);
}
