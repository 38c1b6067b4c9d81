/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/net/virtio_net.c - the network device behind any transport: features, configuration structure, link, announcement,
 * state
 *
 * A feature is a row of a table: its bit, the property that offers it. What depends on a feature that is not on offer
 * is not offered, and a driver that asks for a bit without what it needs is refused (5.1.3.1). The net layer does in
 * software whatever the other end of the cable does not take, so offloads of the host side never depend on the backend.
 *
 * Until the driver says otherwise the filter lets all through (drivers without CTRL_RX never say). guest_offloads is
 * what the guest takes at this moment; offloads() is that in the net layer's words, so large frames and open checksums
 * reach exactly the guests that want them.
 */
#include "virtio_net.h"

#include "lib/iov.h"
#include "migration/vmstate.h"

#include <inttypes.h>

/* ---- features ---- */

#define OFFER(feature, prop) { VIRTIO_NET_F_##feature, offsetof(struct vnet_conf, prop) }
static const struct {
    uint8_t bit;
    size_t on;                          /* bool */
} offered[] = {                         /* 5.1.3 */
    OFFER(CSUM, csum), OFFER(GUEST_CSUM, guest_csum), OFFER(CTRL_GUEST_OFFLOADS, ctrl_guest_offloads), OFFER(GSO, gso),
    OFFER(GUEST_TSO4, guest_tso4), OFFER(GUEST_TSO6, guest_tso6), OFFER(GUEST_ECN, guest_ecn),
    OFFER(GUEST_UFO, guest_ufo),
    OFFER(HOST_TSO4, host_tso4), OFFER(HOST_TSO6, host_tso6), OFFER(HOST_ECN, host_ecn), OFFER(HOST_UFO, host_ufo),
    OFFER(MRG_RXBUF, mrg_rxbuf), OFFER(STATUS, status), OFFER(CTRL_VQ, ctrl_vq), OFFER(CTRL_RX, ctrl_rx),
    OFFER(CTRL_VLAN, ctrl_vlan), OFFER(CTRL_RX_EXTRA, ctrl_rx_extra), OFFER(GUEST_ANNOUNCE, guest_announce),
    OFFER(CTRL_MAC_ADDR, ctrl_mac_addr), OFFER(GUEST_USO4, guest_uso4), OFFER(GUEST_USO6, guest_uso6),
    OFFER(HOST_USO, host_uso),
    OFFER(RSS, rss), OFFER(HASH_REPORT, hash), OFFER(RSC_EXT, guest_rsc_ext), OFFER(STANDBY, failover),
};

#define F(x) BIT(VIRTIO_NET_F_##x)
static const struct virtio_dep deps[] = {        /* 5.1.3.1 */
    { VIRTIO_NET_F_GUEST_TSO4, F(GUEST_CSUM) }, { VIRTIO_NET_F_GUEST_TSO6, F(GUEST_CSUM) },
    { VIRTIO_NET_F_GUEST_ECN, F(GUEST_TSO4) | F(GUEST_TSO6) }, { VIRTIO_NET_F_GUEST_UFO, F(GUEST_CSUM) },
    { VIRTIO_NET_F_GUEST_USO4, F(GUEST_CSUM) }, { VIRTIO_NET_F_GUEST_USO6, F(GUEST_CSUM) },
    { VIRTIO_NET_F_HOST_TSO4, F(CSUM) }, { VIRTIO_NET_F_HOST_TSO6, F(CSUM) },
    { VIRTIO_NET_F_HOST_ECN, F(HOST_TSO4) | F(HOST_TSO6) }, { VIRTIO_NET_F_HOST_UFO, F(CSUM) },
    { VIRTIO_NET_F_HOST_USO, F(CSUM) },
    { VIRTIO_NET_F_CTRL_RX, F(CTRL_VQ) }, { VIRTIO_NET_F_CTRL_VLAN, F(CTRL_VQ) },
    { VIRTIO_NET_F_CTRL_RX_EXTRA, F(CTRL_VQ) }, { VIRTIO_NET_F_GUEST_ANNOUNCE, F(CTRL_VQ) },
    { VIRTIO_NET_F_MQ, F(CTRL_VQ) }, { VIRTIO_NET_F_CTRL_MAC_ADDR, F(CTRL_VQ) },
    { VIRTIO_NET_F_CTRL_GUEST_OFFLOADS, F(CTRL_VQ) }, { VIRTIO_NET_F_RSS, F(CTRL_VQ) },
    { VIRTIO_NET_F_HASH_REPORT, F(CTRL_VQ) },
    { VIRTIO_NET_F_RSC_EXT, F(GUEST_TSO4) | F(GUEST_TSO6) },
    { 0, 0 },
};

static struct virtio_net *net_of(struct virtio_device *v)
{
    return container_of(v, struct virtio_net, vdev);
}

static bool speed_known(const struct vnet_conf *c)
{
    return c->speed >= 0 || (c->duplex && *c->duplex);
}

static uint64_t features_offered(const struct virtio_net *s)
{
    const struct vnet_conf *c = &s->conf;
    uint64_t f = F(MAC);

    for (unsigned i = 0; i < ARRAY_LEN(offered); i++) {
        f |= *(const bool *)((const char *)c + offered[i].on) ? BIT(offered[i].bit) : 0;
    }
    f |= c->host_mtu ? F(MTU) : 0;
    f |= c->mq && s->npairs > 1 ? F(MQ) : 0;
    f |= speed_known(c) ? F(SPEED_DUPLEX) : 0;
    return virtio_feature_deps(deps, f);
}

static uint64_t op_features(struct virtio_device *v)
{
    return features_offered(net_of(v));
}

/* What follows from v->features */
static void derive(struct virtio_net *s)
{
    s->max_pairs = vnet_has(s, VIRTIO_NET_F_MQ) || vnet_has(s, VIRTIO_NET_F_RSS) ? s->npairs : 1;
    s->mergeable = vnet_has(s, VIRTIO_NET_F_MRG_RXBUF);
    s->hdr_len = vnet_has(s, VIRTIO_NET_F_HASH_REPORT) ? VNET_HDR_LEN_HASH :
                 s->mergeable || virtio_modern(&s->vdev) ? VNET_HDR_LEN_MRG : VNET_HDR_LEN;
}

static void op_features_set(struct virtio_device *v)
{
    struct virtio_net *s = net_of(v);

    derive(s);
    s->guest_offloads = v->features & VNET_GUEST_OFFLOADS;
    if (vnet_has(s, VIRTIO_NET_F_STANDBY)) {
        nic_failover_negotiated(s->nic, s->dev->id);
    }
}

/* ---- configuration structure: 5.1.4 ---- */

struct config_wire {
    uint8_t mac[6];
    le16 status, max_pairs, mtu;
    le32 speed;
    uint8_t duplex, rss_key_max;
    le16 rss_table_max;
    le32 hash_types;
} __attribute__((packed));
static_assert(sizeof(struct config_wire) == 24, "guest-visible layout");

/* As long as the last field that a feature on offer gives a meaning to: legacy drivers expect the rest to be absent */
static unsigned config_len(uint64_t f)
{
    if (f & (F(RSS) | F(HASH_REPORT))) {
        return sizeof(struct config_wire);
    }
    if (f & F(SPEED_DUPLEX)) {
        return offsetof(struct config_wire, rss_key_max);
    }
    return f & F(MTU) ? offsetof(struct config_wire, speed) : f & F(MQ) ? offsetof(struct config_wire, mtu) :
           offsetof(struct config_wire, max_pairs);
}

/* "half", "full" as the driver reads it; 0xFF: unknown */
static uint8_t duplex_code(const char *s)
{
    return s && !strcmp(s, "full") ? 1 : s && !strcmp(s, "half") ? 0 : 0xFF;
}

static void op_config_read(struct virtio_device *v, uint8_t *cfg)
{
    struct virtio_net *s = net_of(v);
    struct config_wire w = { .max_pairs = le16_of(s->npairs), .mtu = le16_of(s->conf.host_mtu),
                             .speed = le32_of(s->conf.speed),
                             .duplex = duplex_code(s->conf.duplex), .rss_key_max = TOEPLITZ_KEY_LEN,
                             .rss_table_max = le16_of(VNET_RSS_TABLE_MAX), .hash_types = le32_of(s->hash_types) };

    memcpy(w.mac, s->mac, 6);
    w.status = le16_of((s->link ? VNET_S_LINK_UP : 0) | (s->announce ? VNET_S_ANNOUNCE : 0));
    memcpy(cfg, &w, MIN(v->config_len, sizeof(w)));
}

void vnet_set_mac(struct virtio_net *s, const uint8_t mac[6])
{
    if (memcmp(s->mac, mac, 6)) {
        memcpy(s->mac, mac, 6);
        nic_set_info(s->nic, mac);
    }
}

/* 5.1.4.3: legacy drivers set their address by writing it here; CTRL_MAC_ADDR took its place */
static void op_config_write(struct virtio_device *v, unsigned off, const uint8_t *bytes, unsigned len)
{
    struct virtio_net *s = net_of(v);
    uint8_t mac[6];

    if (virtio_modern(v) || vnet_has(s, VIRTIO_NET_F_CTRL_MAC_ADDR) || off >= 6) {
        return;
    }
    memcpy(mac, s->mac, 6);
    memcpy(mac + off, bytes, MIN(len, 6 - off));
    vnet_set_mac(s, mac);
}

/* ---- link and announcement ---- */

static void link_changed(void *opaque, bool up)
{
    struct virtio_net *s = opaque;

    if (s->link == up) {
        return;
    }
    s->link = up;
    if (vnet_has(s, VIRTIO_NET_F_STATUS)) {
        virtio_config_changed(&s->vdev);
    }
}

/* 5.1.6.5.4: the guest sends its gratuitous ARP and neighbour advertisement when it sees the bit */
static void announce(void *opaque)
{
    struct virtio_net *s = opaque;

    if (virtio_running(&s->vdev) && vnet_has(s, VIRTIO_NET_F_GUEST_ANNOUNCE) && vnet_has(s, VIRTIO_NET_F_STATUS)) {
        s->announce = true;
        virtio_config_changed(&s->vdev);
    }
}

/* ---- the net layer's view ---- */

static uint32_t offloads(void *opaque)
{
    static const struct {
        uint64_t needs;
        uint32_t cap;
    } map[] = {
        { F(GUEST_CSUM), PKT_CAP_CSUM }, { F(GUEST_TSO4), PKT_CAP_TSO4 }, { F(GUEST_TSO6), PKT_CAP_TSO6 },
        { F(GUEST_ECN), PKT_CAP_ECN }, { F(GUEST_USO4) | F(GUEST_USO6), PKT_CAP_USO }, { F(GUEST_UFO), PKT_CAP_UFO },
    };
    struct virtio_net *s = opaque;
    uint32_t caps = 0;

    for (unsigned i = 0; i < ARRAY_LEN(map) && s->guest_offloads & F(GUEST_CSUM); i++) {
        caps |= (s->guest_offloads & map[i].needs) == map[i].needs ? map[i].cap : 0;
    }
    return caps;
}

static const struct nic_ops nic_ops = {
    .receive = vnet_receive, .link_changed = link_changed, .tx_ready = vnet_tx_ready, .offloads = offloads,
    .min_len = 0,
};

void vnet_set_guest_offloads(struct virtio_net *s, uint64_t on)
{
    s->guest_offloads = on;
}

void vnet_set_pairs(struct virtio_net *s, unsigned n)
{
    s->pairs = (uint16_t)n;
    memset(s->flows, 0, sizeof(s->flows));
}

/* ---- queues ---- */

static void ctrl_run(struct virtio_net *s, struct virtio_queue *q)
{
    unsigned budget = VNET_CTRL_QUEUE;
    struct vq_elem e;
    uint8_t ack;

    while (budget-- && !s->vdev.broken) {
        vq_pieces_reset(&s->tx_pieces);
        if (vq_pop(&q->vq, &e, &s->tx_pieces) != VQ_OK) {
            virtio_notify(&s->vdev, q);
            if (vq_set_notify(&q->vq, true)) {
                virtio_queue_schedule(q);
            }
            return;
        }
        if (e.bad) {
            nic_drop(&s->drops, NIC_DROP_BAD_DMA);
            vq_push(&q->vq, &e, 0);
            continue;
        }
        if (!e.in_len) {
            virtio_break(&s->vdev, "control command without room for its answer");
            return;
        }
        ack = vnet_ctrl(s, e.out, e.out_cnt);
        iov_from_buf(e.in, e.in_cnt, 0, &ack, 1);
        vq_push(&q->vq, &e, 1);
    }
    virtio_notify(&s->vdev, q);
    virtio_queue_schedule(q);
}

static void op_queue_notify(struct virtio_device *v, struct virtio_queue *q)
{
    struct virtio_net *s = net_of(v);
    unsigned n = q->vq.index;

    if (n == 2 * s->max_pairs) {
        if (vnet_has(s, VIRTIO_NET_F_CTRL_VQ)) {
            ctrl_run(s, q);
        }
    } else if (n < 2 * s->max_pairs && n & 1) {
        vnet_tx_run(s, q);
    } else if (n < 2 * s->max_pairs) {
        vnet_rx_kick(s);
    }
}

static void op_queue_started(struct virtio_device *v, struct virtio_queue *q)
{
    /* nothing: the core schedules queue_notify(), for what was put in before; no ring work in a CPU's write or a load */
}

static void op_queue_stopped(struct virtio_device *v, struct virtio_queue *q)
{
    struct virtio_net *s = net_of(v);
    unsigned pair = q->vq.index / 2;

    if (pair < s->npairs && q->vq.index & 1) {
        s->pair[pair].tx_blocked = false;
    }
}

static void op_status_changed(struct virtio_device *v, uint8_t old)
{
    struct virtio_net *s = net_of(v);

    if (!virtio_running(v) && s->nic) {
        nic_purge(s->nic);              /* frames for a driver that is gone */
    }
}

static void op_reset(struct virtio_device *v)
{
    struct virtio_net *s = net_of(v);

    s->pairs = 1;
    s->announce = false;
    s->guest_offloads = 0;
    s->rss = (struct vnet_rss){ .on = false };
    vnet_filter_reset(s);
    vnet_rx_reset(s);
    derive(s);
    if (s->nic) {
        vnet_set_mac(s, s->nic_conf.mac);
        nic_purge(s->nic);
    }
}

static const struct virtio_ops ops = {
    .name = "virtio-net", .id = 1, .features = op_features, .deps = deps, .features_set = op_features_set,
    .config_read = op_config_read, .config_write = op_config_write, .status_changed = op_status_changed,
    .reset = op_reset,
    .queue_started = op_queue_started, .queue_stopped = op_queue_stopped, .queue_notify = op_queue_notify,
};

/* ---- state ---- */

bool vnet_post_load(struct virtio_net *s, Error **errp)
{
    derive(s);
    if (!s->pairs || s->pairs > s->max_pairs) {
        error_setg(errp, "%u queue pairs in use, there are %u", s->pairs, s->max_pairs);
        return false;
    }
    if (s->filter.uni + s->filter.multi > VNET_MACS) {
        error_setg(errp, "%u addresses in the filter, room for %u", s->filter.uni + s->filter.multi, VNET_MACS);
        return false;
    }
    if (s->guest_offloads & ~(s->vdev.features & VNET_GUEST_OFFLOADS)) {
        error_setg(errp, "offloads that were not negotiated");
        return false;
    }
    if (!vnet_rss_valid(s)) {
        error_setg(errp, "RSS configuration out of range");
        return false;
    }
    nic_set_info(s->nic, s->mac);
    return true;
}

static bool post_load(void *opaque, Error **errp)
{
    return vnet_post_load(opaque, errp);
}

static const struct vmstate vmstate_filter = {
    .name = "filter", .version = 1,
    .fields = (const struct vmstate_field[]){
        VMS(struct vnet_filter, promisc), VMS(struct vnet_filter, allmulti), VMS(struct vnet_filter, alluni),
        VMS(struct vnet_filter, nomulti), VMS(struct vnet_filter, nouni), VMS(struct vnet_filter, nobcast),
        VMS(struct vnet_filter, uni_overflow), VMS(struct vnet_filter, multi_overflow),
        VMS(struct vnet_filter, uni, .max = VNET_MACS), VMS(struct vnet_filter, multi, .max = VNET_MACS),
        VMS_BYTES(struct vnet_filter, macs), VMS_ARRAY(struct vnet_filter, vlans),
        VMS_END,
    },
};

static const struct vmstate vmstate_rss = {
    .name = "rss", .version = 1,
    .fields = (const struct vmstate_field[]){
        VMS(struct vnet_rss, on), VMS(struct vnet_rss, report), VMS(struct vnet_rss, types, .mask = RSS_TYPES),
        VMS(struct vnet_rss, mask, .max = VNET_RSS_TABLE_MAX - 1),
        VMS(struct vnet_rss, unclassified, .max = VNET_PAIRS_MAX - 1),
        VMS_ARRAY(struct vnet_rss, table, .max = VNET_PAIRS_MAX - 1), VMS_BYTES(struct vnet_rss, key),
        VMS_END,
    },
};

const struct vmstate vmstate_vnet = {
    .name = "virtio-net", .version = 1, .post_load = post_load,
    .fields = (const struct vmstate_field[]){
        VMS_BYTES(struct virtio_net, mac), VMS(struct virtio_net, announce),
        VMS(struct virtio_net, pairs, .min = 1, .max = VNET_PAIRS_MAX),
        VMS(struct virtio_net, guest_offloads, .mask = VNET_GUEST_OFFLOADS),
        VMS_STRUCT(struct virtio_net, filter, vmstate_filter), VMS_STRUCT(struct virtio_net, rss, vmstate_rss),
        VMS_END,
    },
};

/* ---- life ---- */

static bool queue_size_ok(const char *name, unsigned v, unsigned max, const char *stop, Error **errp)
{
    if (v < 256 || v > max || !is_pow2(v)) {
        error_setg(errp, "Invalid %s (= %u), must be a power of 2 between 256 and %u%s", name, v, max, stop);
        return false;
    }
    return true;
}

/* Longer transmit queues only where the other end is a vhost-user process, as people know it */
static unsigned tx_queue_max(const struct virtio_net *s)
{
    struct net_client *peer = s->nic_conf.netdev;

    return peer && !strcmp(net_client_kind(peer), "vhost-user") ? VQ_SIZE_MAX : 256;
}

static bool conf_check(struct virtio_net *s, Error **errp)
{
    struct vnet_conf *c = &s->conf;

    if (c->speed < -1) {
        error_setg(errp, "'speed' must be between 0 and INT_MAX");
        return false;
    }
    if (c->duplex && *c->duplex && duplex_code(c->duplex) == 0xFF) {
        error_setg(errp, "'duplex' must be 'half' or 'full'");
        return false;
    }
    if (c->queues > VNET_PAIRS_MAX) {
        error_setg(errp, "Invalid number of queue pairs (= %u), must be a positive integer less than %u.", c->queues,
                   VNET_PAIRS_MAX + 1);
        return false;
    }
    return queue_size_ok("rx_queue_size", c->rx_queue_size, 1024, ".", errp) &&
           queue_size_ok("tx_queue_size", c->tx_queue_size, tx_queue_max(s), "", errp);
}

static uint32_t hash_types_of(const struct vnet_conf *c)
{
    uint32_t t = 0;

    for (unsigned i = 0; i < ARRAY_LEN(c->hash_type); i++) {
        t |= c->hash_type[i] == VNET_HASH_TYPE_OFF ? 0 : 1u << i;
    }
    return t;
}

bool vnet_realize(struct virtio_net *s, const struct virtio_conf *vc, struct dma *dma, const char *model, Error **errp)
{
    if (!conf_check(s, errp)) {
        return false;
    }
    s->drops.dev = model;
    s->npairs = s->conf.queues ? s->conf.queues : s->nic_conf.netdev ? MIN(s->nic_conf.netdev->queues, VNET_PAIRS_MAX) : 1;
    s->pair = g_new0(struct vnet_pair, s->npairs);
    s->hash_types = hash_types_of(&s->conf);
    vq_pieces_init(&s->tx_pieces, VQ_PIECES_MAX);
    vnet_rx_init(s);
    virtio_init(&s->vdev, &ops, vc, config_len(features_offered(s)), 2 * s->npairs + 1, dma);
    for (unsigned i = 0; i < s->npairs; i++) {
        virtio_set_queue_size(&s->vdev, 2 * i, s->conf.rx_queue_size);
        virtio_set_queue_size(&s->vdev, 2 * i + 1, s->conf.tx_queue_size);
    }
    virtio_set_queue_size(&s->vdev, 2 * s->npairs, VNET_CTRL_QUEUE);
    s->nic = nic_new(&nic_ops, &s->nic_conf, model, s->dev->id, s, errp);
    if (!s->nic) {
        return false;
    }
    nic_set_rx_filter_fn(s->nic, vnet_filter_tell);
    nic_set_announce_fn(s->nic, announce);
    s->link = nic_link_up(s->nic);
    op_reset(&s->vdev);
    return true;
}

void vnet_unrealize(struct virtio_net *s)
{
    nic_free(g_steal_pointer(&s->nic));
    virtio_fini(&s->vdev);
    vnet_rx_fini(s);
    if (s->pair) {
        vq_pieces_fini(&s->tx_pieces);
    }
    g_clear_pointer(&s->bounce, g_free);
    g_clear_pointer(&s->pair, g_free);
}

void vnet_describe(const struct virtio_net *s, GString *out, unsigned indent)
{
    g_string_append_printf(out, "%*squeue pairs %u of %u, header %u bytes, frames out %" PRIu64 ", in %" PRIu64 "\n",
                           (int)indent, "", s->pairs, s->npairs, s->hdr_len, s->tx_frames, s->rx_frames);
    nic_drops_print(&s->drops, out, indent);
}
