/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/net/virtio_net_ctrl.c - the control queue (virtio 1.2 5.1.6.5) and the receive filter it sets
 *
 *   driver -> device    class, command, data        device -> driver    1 byte: 0 done, 1 refused
 *
 * A command is a row of a table: what it needs to have been negotiated and the function that carries it out. Data is
 * copied by offset with every length checked against what came; a command that does not hold together changes nothing.
 * Tables that do not fit are not an error: the overflow flag makes the filter let all through (5.1.6.5.2: filtering is
 * best effort).
 */
#include "virtio_net.h"

#include "lib/iov.h"
#include "net/offload/vlan.h"

enum { VNET_OK = 0, VNET_ERR = 1 };

enum { CLASS_RX = 0, CLASS_MAC = 1, CLASS_VLAN = 2, CLASS_ANNOUNCE = 3, CLASS_MQ = 4, CLASS_GUEST_OFFLOADS = 5 };
enum { RX_PROMISC, RX_ALLMULTI, RX_ALLUNI, RX_NOMULTI, RX_NOUNI, RX_NOBCAST, RX_MODES };

static size_t data_len(const struct vnet_cmd *c)
{
    return c->len - c->data_off;
}

static bool take(const struct vnet_cmd *c, size_t off, void *buf, size_t len)
{
    return iov_to_buf(c->iov, c->cnt, c->data_off + off, buf, len) == len;
}

static void filter_changed(struct virtio_net *s)
{
    g_autofree char *path = g_strdup_printf("%s/virtio-backend", s->dev->path);

    nic_rx_filter_changed(s->nic, path);
}

/* ---- receive modes: 5.1.6.5.1 ---- */

static bool rx_mode(struct virtio_net *s, const struct vnet_cmd *c)
{
    uint8_t on;
    bool *mode[RX_MODES] = {
        [RX_PROMISC] = &s->filter.promisc, [RX_ALLMULTI] = &s->filter.allmulti, [RX_ALLUNI] = &s->filter.alluni,
        [RX_NOMULTI] = &s->filter.nomulti, [RX_NOUNI] = &s->filter.nouni, [RX_NOBCAST] = &s->filter.nobcast,
    };

    if (c->command >= RX_MODES || !take(c, 0, &on, 1)) {
        return false;
    }
    if (c->command >= RX_ALLUNI && !vnet_has(s, VIRTIO_NET_F_CTRL_RX_EXTRA)) {
        return false;
    }
    *mode[c->command] = on != 0;
    filter_changed(s);
    return true;
}

/* ---- MAC addresses: 5.1.6.5.2 ---- */

/* One table at @off: a count and that many addresses. *n: stored; *over: there were more than fit. Return: bytes it
 * took, 0: cut short */
static size_t take_table(const struct vnet_cmd *c, size_t off, uint8_t macs[][6], unsigned room, unsigned *n,
                         bool *over)
{
    size_t left = off < data_len(c) ? data_len(c) - off : 0;
    uint8_t raw[4];
    uint32_t count;

    if (left < 4 || !take(c, off, raw, 4)) {
        return 0;
    }
    count = ld_le32(raw);
    if (count > (left - 4) / 6) {
        return 0;
    }
    *over = count > room;
    *n = *over ? 0 : count;
    if (*n && !take(c, off + 4, macs, 6u * *n)) {
        return 0;
    }
    return 4 + 6 * (size_t)count;
}

static bool mac_table_set(struct virtio_net *s, const struct vnet_cmd *c)
{
    struct vnet_filter t = s->filter;
    unsigned uni, multi;
    size_t used = take_table(c, 0, t.macs, VNET_MACS, &uni, &t.uni_overflow);

    if (!used || !take_table(c, used, t.macs + uni, VNET_MACS - uni, &multi, &t.multi_overflow)) {
        return false;
    }
    t.uni = (uint8_t)uni;
    t.multi = (uint8_t)multi;
    s->filter = t;
    filter_changed(s);
    return true;
}

static bool mac_addr_set(struct virtio_net *s, const struct vnet_cmd *c)
{
    uint8_t mac[6];

    if (!vnet_has(s, VIRTIO_NET_F_CTRL_MAC_ADDR) || data_len(c) != 6 || !take(c, 0, mac, 6)) {
        return false;
    }
    vnet_set_mac(s, mac);
    filter_changed(s);
    return true;
}

static bool mac_command(struct virtio_net *s, const struct vnet_cmd *c)
{
    switch (c->command) {
    case 0:
        return vnet_has(s, VIRTIO_NET_F_CTRL_RX) && mac_table_set(s, c);
    case 1:
        return mac_addr_set(s, c);
    }
    return false;
}

/* ---- VLANs: 5.1.6.5.3 ---- */

static bool vlan_command(struct virtio_net *s, const struct vnet_cmd *c)
{
    uint8_t raw[2];
    uint16_t vid;

    if (c->command > 1 || !take(c, 0, raw, 2)) {
        return false;
    }
    vid = ld_le16(raw);
    if (vid >= VNET_VLANS) {
        return false;
    }
    if (c->command == 0) {
        s->filter.vlans[vid >> 5] |= 1u << (vid & 31);
    } else {
        s->filter.vlans[vid >> 5] &= ~(1u << (vid & 31));
    }
    filter_changed(s);
    return true;
}

/* ---- announcement: 5.1.6.5.4 ---- */

static bool announce_command(struct virtio_net *s, const struct vnet_cmd *c)
{
    if (c->command != 0 || !s->announce) {
        return false;
    }
    s->announce = false;
    return true;
}

/* ---- queues: 5.1.6.5.5 ---- */

static bool mq_command(struct virtio_net *s, const struct vnet_cmd *c)
{
    uint8_t raw[2];
    uint16_t n;

    switch (c->command) {
    case 0:
        if (!vnet_has(s, VIRTIO_NET_F_MQ) || !take(c, 0, raw, 2)) {
            return false;
        }
        n = ld_le16(raw);
        if (!n || n > s->max_pairs) {
            return false;
        }
        s->rss.on = false;
        vnet_set_pairs(s, n);
        return true;
    case 1:
        return vnet_rss_config(s, c);
    case 2:
        return vnet_hash_config(s, c);
    }
    return false;
}

/* ---- offloads of the guest: 5.1.6.5.8 ---- */

static bool guest_offloads_command(struct virtio_net *s, const struct vnet_cmd *c)
{
    uint8_t raw[8];
    uint64_t on;

    if (c->command != 0 || !take(c, 0, raw, 8)) {
        return false;
    }
    on = ld_le64(raw);
    if (on & ~(s->vdev.features & VNET_GUEST_OFFLOADS)) {
        return false;
    }
    vnet_set_guest_offloads(s, on);
    return true;
}

/* ---- dispatch ---- */

static const struct {
    uint8_t class;
    uint8_t needs;                      /* feature */
    bool (*run)(struct virtio_net *s, const struct vnet_cmd *c);
} classes[] = {
    { CLASS_RX,             VIRTIO_NET_F_CTRL_RX,             rx_mode },
    { CLASS_MAC,            VIRTIO_NET_F_CTRL_VQ,             mac_command },
    { CLASS_VLAN,           VIRTIO_NET_F_CTRL_VLAN,           vlan_command },
    { CLASS_ANNOUNCE,       VIRTIO_NET_F_GUEST_ANNOUNCE,      announce_command },
    { CLASS_MQ,             VIRTIO_NET_F_CTRL_VQ,             mq_command },
    { CLASS_GUEST_OFFLOADS, VIRTIO_NET_F_CTRL_GUEST_OFFLOADS, guest_offloads_command },
};

static bool command_run(struct virtio_net *s, struct vnet_cmd *c)
{
    uint8_t head[2];

    c->data_off = sizeof(head);
    if (iov_to_buf(c->iov, c->cnt, 0, head, sizeof(head)) != sizeof(head)) {
        return false;
    }
    c->command = head[1];
    for (unsigned i = 0; i < ARRAY_LEN(classes); i++) {
        if (classes[i].class == head[0]) {
            return vnet_has(s, classes[i].needs) && classes[i].run(s, c);
        }
    }
    return false;
}

uint8_t vnet_ctrl(struct virtio_net *s, const struct iovec *iov, unsigned cnt)
{
    struct vnet_cmd c = { .iov = iov, .cnt = cnt, .len = iov_size(iov, cnt) };

    if (command_run(s, &c)) {
        return VNET_OK;
    }
    nic_drop(&s->drops, NIC_DROP_BAD_CTRL);
    return VNET_ERR;
}

/* ---- the filter ---- */

void vnet_filter_reset(struct virtio_net *s)
{
    s->filter = (struct vnet_filter){ .promisc = true };    /* until a driver says otherwise; many never do */
}

static bool in_table(const uint8_t macs[][6], unsigned n, const uint8_t *dst)
{
    for (unsigned i = 0; i < n; i++) {
        if (!memcmp(macs[i], dst, 6)) {
            return true;
        }
    }
    return false;
}

bool vnet_filter_match(const struct virtio_net *s, const uint8_t *hdr, size_t len)
{
    static const uint8_t broadcast[6] = { 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF };
    const struct vnet_filter *f = &s->filter;
    uint16_t tci, vid;

    if (f->promisc) {
        return true;
    }
    if (vnet_has(s, VIRTIO_NET_F_CTRL_VLAN) && vlan_get(hdr, len, ETHERTYPE_VLAN, &tci)) {
        vid = tci & 0xFFF;
        if (vid && !(f->vlans[vid >> 5] >> (vid & 31) & 1)) {       /* VID 0 is a priority and no VLAN (802.1Q 9.6) */
            return false;
        }
    }
    if (!memcmp(hdr, broadcast, 6)) {
        return !f->nobcast;
    }
    if (hdr[0] & 1) {
        return !f->nomulti && (f->allmulti || f->multi_overflow || in_table(f->macs + f->uni, f->multi, hdr));
    }
    return !f->nouni && (f->alluni || f->uni_overflow || !memcmp(hdr, s->mac, 6) || in_table(f->macs, f->uni, hdr));
}

static void add_macs(GArray *out, const uint8_t macs[][6], unsigned n)
{
    g_array_append_vals(out, macs, n);
}

void vnet_filter_tell(void *opaque, struct nic_rx_filter *out)
{
    const struct virtio_net *s = opaque;
    const struct vnet_filter *f = &s->filter;

    out->promiscuous = f->promisc;
    out->broadcast_allowed = !f->nobcast;
    out->unicast_overflow = f->uni_overflow;
    out->multicast_overflow = f->multi_overflow;
    out->unicast = f->nouni ? NIC_RX_NONE : f->alluni ? NIC_RX_ALL : NIC_RX_NORMAL;
    out->multicast = f->nomulti ? NIC_RX_NONE : f->allmulti ? NIC_RX_ALL : NIC_RX_NORMAL;
    out->vlan = vnet_has(s, VIRTIO_NET_F_CTRL_VLAN) ? NIC_RX_NORMAL : NIC_RX_ALL;
    memcpy(out->main_mac, s->mac, 6);
    add_macs(out->unicast_table, f->macs, f->uni);
    add_macs(out->multicast_table, f->macs + f->uni, f->multi);
    for (unsigned i = 0; i < VNET_VLANS && out->vlan == NIC_RX_NORMAL; i++) {
        uint16_t vid = (uint16_t)i;

        if (f->vlans[i >> 5] >> (i & 31) & 1) {
            g_array_append_val(out->vlan_table, vid);
        }
    }
}
