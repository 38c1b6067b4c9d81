/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/net/virtio_net.h - the virtio network device (VIRTIO 1.2 section 5.1; section numbers in these files are its)
 *
 *   virtio_net.c         features, configuration structure, link, announcement, life, migration
 *   virtio_net_pci.c     properties and the three PCI device types
 *   virtio_net_tx.c      transmit queues to frames              virtio_net_rx.c    frames to receive queues
 *   virtio_net_ctrl.c    control queue, receive filter          virtio_net_rss.c   steering, RSS, hashes
 *
 * Queues: 0 receive, 1 transmit, 2 receive, ... of N pairs, and behind the last pair the control queue. N is the
 * property "queues" when the driver has accepted MQ or RSS, else 1: then queue 2 is the control queue. The net layer
 * sees one client, whatever N: frames of all transmit queues leave through it, what arrives is spread over the receive
 * queues.
 *
 * Everything runs with the machine lock held, ring work in the main loop only: queue_notify() of the queue's bottom
 * half, and receive(). No pointer into guest memory outlives such a call; a frame that the peer does not take is put
 * back into its ring and popped again later.
 */
#ifndef HW_NET_VIRTIO_NET_H
#define HW_NET_VIRTIO_NET_H

#include "core/device.h"
#include "core/timer.h"
#include "hw/net/drops.h"
#include "hw/virtio/virtio.h"
#include "lib/bytes.h"
#include "net/nic.h"
#include "net/offload/coalesce.h"
#include "net/offload/toeplitz.h"
#include "net/vnet_hdr.h"

enum vnet_feature {                     /* 5.1.3 */
    VIRTIO_NET_F_CSUM = 0, VIRTIO_NET_F_GUEST_CSUM = 1, VIRTIO_NET_F_CTRL_GUEST_OFFLOADS = 2, VIRTIO_NET_F_MTU = 3,
    VIRTIO_NET_F_MAC = 5, VIRTIO_NET_F_GSO = 6,         /* 6: legacy only */
    VIRTIO_NET_F_GUEST_TSO4 = 7, VIRTIO_NET_F_GUEST_TSO6 = 8, VIRTIO_NET_F_GUEST_ECN = 9, VIRTIO_NET_F_GUEST_UFO = 10,
    VIRTIO_NET_F_HOST_TSO4 = 11, VIRTIO_NET_F_HOST_TSO6 = 12, VIRTIO_NET_F_HOST_ECN = 13, VIRTIO_NET_F_HOST_UFO = 14,
    VIRTIO_NET_F_MRG_RXBUF = 15, VIRTIO_NET_F_STATUS = 16, VIRTIO_NET_F_CTRL_VQ = 17, VIRTIO_NET_F_CTRL_RX = 18,
    VIRTIO_NET_F_CTRL_VLAN = 19, VIRTIO_NET_F_CTRL_RX_EXTRA = 20, VIRTIO_NET_F_GUEST_ANNOUNCE = 21,
    VIRTIO_NET_F_MQ = 22,
    VIRTIO_NET_F_CTRL_MAC_ADDR = 23,
    VIRTIO_NET_F_GUEST_USO4 = 54, VIRTIO_NET_F_GUEST_USO6 = 55, VIRTIO_NET_F_HOST_USO = 56,
    VIRTIO_NET_F_HASH_REPORT = 57,
    VIRTIO_NET_F_RSS = 60, VIRTIO_NET_F_RSC_EXT = 61, VIRTIO_NET_F_STANDBY = 62, VIRTIO_NET_F_SPEED_DUPLEX = 63,
};

/* What CTRL_GUEST_OFFLOADS may switch (5.1.6.5.8) */
#define VNET_GUEST_OFFLOADS                                                                                            \
    (BIT(VIRTIO_NET_F_GUEST_CSUM) | BIT(VIRTIO_NET_F_GUEST_TSO4) | BIT(VIRTIO_NET_F_GUEST_TSO6) |                      \
     BIT(VIRTIO_NET_F_GUEST_ECN) | BIT(VIRTIO_NET_F_GUEST_UFO) | BIT(VIRTIO_NET_F_GUEST_USO4) |                        \
     BIT(VIRTIO_NET_F_GUEST_USO6) | BIT(VIRTIO_NET_F_RSC_EXT))

enum { VNET_S_LINK_UP = 1, VNET_S_ANNOUNCE = 2 };       /* configuration, status: 5.1.4 */

enum {
    VNET_PAIRS_MAX     = 128,
    VNET_MACS          = 64,            /* unicast and multicast together; more: overflow */
    VNET_VLANS         = 4096,
    VNET_RSS_TABLE_MAX = 128,
    VNET_FLOW_SLOTS    = 1024,
    VNET_HDR_PEEK      = 256,           /* bytes of a frame that decisions are made on */
    VNET_TX_BUDGET     = 256,           /* frames, descriptors and bytes of one run of a transmit queue */
    VNET_TX_WORK_MAX   = 2048,
    VNET_TX_BYTES_MAX  = 256 * 1024,
    VNET_RX_WORK_MAX   = 1100,          /* descriptors looked at for one received frame: 64 KiB in buffers of 60 bytes */
    VNET_CTRL_QUEUE    = 64,
    VNET_HASH_TYPE_OFF = 2,             /* OOA_OFF of virtio_pci.h */
};

/* 5.1.6.5.1-3; all zero but promisc after a reset */
struct vnet_filter {
    bool promisc, allmulti, alluni, nomulti, nouni, nobcast, uni_overflow, multi_overflow;
    uint8_t uni, multi;                 /* addresses in macs: unicast first */
    uint8_t macs[VNET_MACS][6];
    uint32_t vlans[VNET_VLANS / 32];
};

/* 5.1.6.5.6 and 5.1.6.5.7 */
struct vnet_rss {
    bool on;                            /* steering by table */
    bool report;                        /* hash in the header */
    uint32_t types;
    uint16_t mask, unclassified;
    uint16_t table[VNET_RSS_TABLE_MAX];
    uint8_t key[TOEPLITZ_KEY_LEN];
};

/* A command of the control queue */
struct vnet_cmd {
    const struct iovec *iov;
    unsigned cnt;
    size_t len, data_off;               /* of all; where the data begin */
    uint8_t command;
};

struct vnet_pair {
    bool tx_blocked;                    /* the peer was busy */
    bool rx_dirty;                      /* something was returned since the last interrupt */
};

/* The user's part */
struct vnet_conf {
    bool csum, gso, guest_csum, guest_tso4, guest_tso6, guest_ecn, guest_ufo, guest_uso4, guest_uso6, guest_rsc_ext;
    bool host_tso4, host_tso6, host_ecn, host_ufo, host_uso, mrg_rxbuf, status, ctrl_vq, ctrl_rx, ctrl_vlan;
    bool ctrl_rx_extra;
    bool ctrl_mac_addr, ctrl_guest_offloads, guest_announce, mq, rss, hash, failover;
    bool tunnel[4];                     /* accepted, without effect here: needs features beyond bit 63 */
    uint8_t hash_type[9];               /* enum on_off_auto; bit n of the hash types */
    uint32_t queues;                    /* pairs; 0: as many as the netdev has: 1 */
    uint16_t rx_queue_size, tx_queue_size, host_mtu;
    uint32_t rsc_interval_ns;
    int32_t speed;
    char *duplex, *tx, *ebpf_rss_fds;
    uint32_t txtimer;
    int32_t txburst;
};

struct virtio_net {
    struct virtio_device vdev;
    struct device *dev;                 /* the PCI function: its path and id */
    struct nic_conf nic_conf;
    struct vnet_conf conf;
    struct nic *nic;
    struct nic_drops drops;
    unsigned npairs;                    /* there are */
    struct vnet_pair *pair;
    uint32_t hash_types;                /* on offer */

    /* guest-visible state */
    uint8_t mac[6];
    bool announce;                      /* asked for, not acknowledged */
    uint16_t pairs;                     /* in use: 1..max_pairs */
    uint64_t guest_offloads;            /* what the guest takes at this moment */
    struct vnet_filter filter;
    struct vnet_rss rss;

    /* derived from what was negotiated */
    unsigned max_pairs;
    unsigned hdr_len;
    bool mergeable;
    bool link;                          /* as last reported */

    /* work */
    struct vq_pieces tx_pieces, rx_pieces;
    struct vq_elem *rx_elems;           /* VQ_SIZE_MAX */
    uint8_t *bounce;                    /* FRAME_MAX bytes, made when first needed: frames of too many pieces */
    struct bh rx_bh;                    /* interrupts for what receive() has returned */
    uint8_t flows[VNET_FLOW_SLOTS];     /* queue + 1 */
    struct coalesce rsc;
    struct timer rsc_timer;
    struct net_queue rsc_out;           /* left the coalescer, no buffer yet */
    uint64_t rx_frames, rx_bytes, tx_frames, tx_bytes, rsc_merged;
};

static inline bool vnet_has(const struct virtio_net *s, unsigned bit)
{
    return virtio_has(&s->vdev, bit);
}

/* virtio_net.c */
/** vnet_realize() - @s->conf, nic_conf, dev are set; @vc and @dma are the transport's. false: call vnet_unrealize() */
bool vnet_realize(struct virtio_net *s, const struct virtio_conf *vc, struct dma *dma, const char *model, Error **errp);
/** vnet_unrealize() - also after a failed or no vnet_realize(); the transport is unplugged already */
void vnet_unrealize(struct virtio_net *s);
void vnet_describe(const struct virtio_net *s, GString *out, unsigned indent);
void vnet_set_mac(struct virtio_net *s, const uint8_t mac[6]);
void vnet_set_pairs(struct virtio_net *s, unsigned n);
void vnet_set_guest_offloads(struct virtio_net *s, uint64_t on);
/** vnet_post_load() - check and recompute after the state was loaded */
bool vnet_post_load(struct virtio_net *s, Error **errp);
extern const struct vmstate vmstate_vnet;       /* of a struct virtio_net */

/* virtio_net_tx.c */
void vnet_tx_run(struct virtio_net *s, struct virtio_queue *q);
void vnet_tx_ready(void *opaque);

/* virtio_net_rx.c */
void vnet_rx_init(struct virtio_net *s);
void vnet_rx_fini(struct virtio_net *s);
/** vnet_rx_reset() - forget what is held back */
void vnet_rx_reset(struct virtio_net *s);
void vnet_rx_kick(struct virtio_net *s);
enum net_tx vnet_receive(void *opaque, const struct frame *f);

/* virtio_net_ctrl.c */
/** vnet_ctrl() - carry out the command at @iov; Return: the byte for the driver */
uint8_t vnet_ctrl(struct virtio_net *s, const struct iovec *iov, unsigned cnt);
void vnet_filter_reset(struct virtio_net *s);
/** vnet_filter_match() - is the frame that begins with @hdr for the guest? @len: at least FRAME_MIN */
bool vnet_filter_match(const struct virtio_net *s, const uint8_t *hdr, size_t len);
void vnet_filter_tell(void *opaque, struct nic_rx_filter *out);

/* virtio_net_rss.c */
bool vnet_rss_config(struct virtio_net *s, const struct vnet_cmd *c);
bool vnet_hash_config(struct virtio_net *s, const struct vnet_cmd *c);
/** vnet_rss_valid() - indices of s->rss are within bounds: after a load */
bool vnet_rss_valid(const struct virtio_net *s);
/** vnet_flow_sent() - remember that @queue is where the frame's flow is served */
void vnet_flow_sent(struct virtio_net *s, const struct frame *f, unsigned queue);
/** vnet_steer() - receive queue (pair) for a frame; also notes its hash in @m when the guest wants it */
unsigned vnet_steer(struct virtio_net *s, const uint8_t *hdr, size_t hdr_len, size_t frame_len, struct pkt_meta *m);
static inline bool vnet_steer_needed(const struct virtio_net *s)
{
    return s->pairs > 1 || s->rss.on || s->rss.report;
}

#endif
