/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/net/virtio_net_rss.c - which receive queue a frame goes to, and the hash that is reported
 * (virtio 1.2 5.1.6.4.3, 5.1.6.5.5-7)
 *
 *   RSS on                  queue = table[hash & mask]; no hash type applies: unclassified_queue
 *   more than one pair      queue of the flow's last transmitted packet; none yet: by a hash of the flow (5.1.6.5.5)
 *   one pair                queue 0
 *
 * The flow table has FLOW_SLOTS entries, indexed by a hash that is the same in both directions; a collision only means
 * that two flows share a queue. The configuration commands copy the guest's bytes once and check all of them before
 * anything changes.
 */
#include "virtio_net.h"

#include "lib/iov.h"
#include "net/vnet_hdr.h"

/* 5.1.6.5.6.4: the layout of VIRTIO_NET_CTRL_MQ_RSS_CONFIG and of VIRTIO_NET_CTRL_MQ_HASH_CONFIG */
enum { RSS_FIXED = 4 + 2 + 2, HASH_FIXED = 4 + 8 };

static bool take(const struct vnet_cmd *c, size_t off, void *buf, size_t len)
{
    return iov_to_buf(c->iov, c->cnt, c->data_off + off, buf, len) == len;
}

/* The key at the end: a length byte and that many bytes; shorter ones count as padded with zeros */
static bool take_key(const struct vnet_cmd *c, size_t off, uint8_t key[TOEPLITZ_KEY_LEN])
{
    uint8_t len;

    memset(key, 0, TOEPLITZ_KEY_LEN);
    return take(c, off, &len, 1) && len <= TOEPLITZ_KEY_LEN && take(c, off + 1, key, len);
}

bool vnet_rss_config(struct virtio_net *s, const struct vnet_cmd *c)
{
    struct vnet_rss r = { .on = true };
    uint8_t fixed[RSS_FIXED], raw[2 * VNET_RSS_TABLE_MAX], tx[2];
    uint16_t tx_pairs;

    if (!vnet_has(s, VIRTIO_NET_F_RSS) || !take(c, 0, fixed, sizeof(fixed))) {
        return false;
    }
    r.types = ld_le32(fixed);
    r.mask = ld_le16(fixed + 4);
    r.unclassified = ld_le16(fixed + 6);
    if (r.types & ~s->hash_types || r.mask >= VNET_RSS_TABLE_MAX || !is_pow2(r.mask + 1u) ||
        r.unclassified >= s->max_pairs) {
        return false;
    }
    if (!take(c, RSS_FIXED, raw, 2u * (r.mask + 1u)) || !take(c, RSS_FIXED + 2u * (r.mask + 1u), tx, 2)) {
        return false;
    }
    for (unsigned i = 0; i <= r.mask; i++) {
        r.table[i] = ld_le16(raw + 2 * i);
        if (r.table[i] >= s->max_pairs) {
            return false;
        }
    }
    tx_pairs = ld_le16(tx);
    if (!tx_pairs || tx_pairs > s->max_pairs || !take_key(c, RSS_FIXED + 2u * (r.mask + 1u) + 2, r.key)) {
        return false;
    }
    r.on = r.types != 0;                            /* no types: hashing is off, steering as with VQ_PAIRS_SET */
    r.report = vnet_has(s, VIRTIO_NET_F_HASH_REPORT);
    s->rss = r;
    vnet_set_pairs(s, tx_pairs);
    return true;
}

bool vnet_hash_config(struct virtio_net *s, const struct vnet_cmd *c)
{
    uint8_t fixed[HASH_FIXED], key[TOEPLITZ_KEY_LEN];
    uint32_t types;

    if (!vnet_has(s, VIRTIO_NET_F_HASH_REPORT) || !take(c, 0, fixed, sizeof(fixed)) || !take_key(c, HASH_FIXED, key)) {
        return false;
    }
    types = ld_le32(fixed);
    if (types & ~s->hash_types) {
        return false;
    }
    s->rss = (struct vnet_rss){ .report = true, .types = types };
    memcpy(s->rss.key, key, sizeof(key));
    return true;
}

bool vnet_rss_valid(const struct virtio_net *s)
{
    const struct vnet_rss *r = &s->rss;

    if (r->mask >= VNET_RSS_TABLE_MAX || !is_pow2(r->mask + 1u) || r->unclassified >= s->max_pairs ||
        r->types & ~s->hash_types) {
        return false;
    }
    for (unsigned i = 0; i <= r->mask; i++) {
        if (r->table[i] >= s->max_pairs) {
            return false;
        }
    }
    return true;
}

/* ---- flows ---- */

/* The same for both directions of a flow. Not secret: who finds collisions slows down only that guest */
static unsigned flow_slot(const uint8_t *hdr, const struct pkt_layout *l)
{
    uint64_t h = l->proto;
    const uint8_t *ip = hdr + l->l3_off;

    if (l->l3 == PKT_L3_IP4) {
        h += (uint64_t)ld_be32(ip + 12) + ld_be32(ip + 16);
    } else if (l->l3 == PKT_L3_IP6) {
        h += ld_be64(ip + 8) + ld_be64(ip + 16) + ld_be64(ip + 24) + ld_be64(ip + 32);
    } else {
        return 0;
    }
    if (!l->fragment && (l->l4 == PKT_L4_TCP || l->l4 == PKT_L4_UDP)) {
        h += ((uint64_t)ld_be16(hdr + l->l4_off) + ld_be16(hdr + l->l4_off + 2)) << 32;
    }
    h *= 0x9E3779B97F4A7C15u;
    return (unsigned)(h >> 32) % VNET_FLOW_SLOTS;
}

void vnet_flow_sent(struct virtio_net *s, const struct frame *f, unsigned queue)
{
    uint8_t hdr[VNET_HDR_PEEK];
    struct pkt_layout l;

    if (s->pairs == 1 || s->rss.on) {
        return;
    }
    pkt_parse(hdr, frame_copy_out(f, 0, hdr, sizeof(hdr)), f->len, &l);
    if (l.l3 != PKT_L3_NONE) {
        s->flows[flow_slot(hdr, &l)] = (uint8_t)(queue + 1);
    }
}

/* ---- the choice ---- */

static uint32_t hash_of(const struct virtio_net *s, const uint8_t *hdr, const struct pkt_layout *l, unsigned *type)
{
    uint8_t in[RSS_INPUT_MAX];
    size_t len;

    *type = rss_input(hdr, l, s->rss.types, in, &len);
    return *type ? toeplitz_hash(s->rss.key, in, len) : 0;
}

unsigned vnet_steer(struct virtio_net *s, const uint8_t *hdr, size_t hdr_len, size_t frame_len, struct pkt_meta *m)
{
    struct pkt_layout l;
    unsigned type = 0, q, slot;
    uint32_t hash;

    if (s->pairs == 1 && !s->rss.on && !s->rss.report) {
        return 0;
    }
    pkt_parse(hdr, hdr_len, frame_len, &l);
    hash = hash_of(s, hdr, &l, &type);
    if (type && s->rss.report) {
        m->flags |= PKT_HASH;
        m->hash = hash;
        m->hash_type = (uint8_t)vnet_hash_report(type);
    }
    if (s->rss.on) {
        return type ? s->rss.table[hash & s->rss.mask] : s->rss.unclassified;
    }
    if (s->pairs == 1) {
        return 0;
    }
    if (m->queue) {
        return (m->queue - 1u) % s->pairs;              /* a multiqueue backend has chosen, as we would */
    }
    slot = flow_slot(hdr, &l);
    q = s->flows[slot] ? s->flows[slot] - 1u : slot;
    return q % s->pairs;
}
