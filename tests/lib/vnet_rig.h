/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/lib/vnet_rig.h - a driver for virtio-net on the bench of nic_rig.h: capabilities, negotiation, rings in the
 * bench's RAM
 *
 * Nothing of hw/virtio is used: the layouts are typed here once more, from VIRTIO 1.2 chapter 2 and section 4.1.
 */
#ifndef TESTS_VNET_RIG_H
#define TESTS_VNET_RIG_H

#include "nic_rig.h"

enum {                                      /* common configuration, 4.1.4.3 */
    VC_DEV_FEATURE_SELECT = 0, VC_DEV_FEATURE = 4, VC_DRV_FEATURE_SELECT = 8, VC_DRV_FEATURE = 12,
    VC_CONFIG_VECTOR = 16,
    VC_NUM_QUEUES = 18, VC_STATUS = 20, VC_GENERATION = 21, VC_QUEUE_SELECT = 22, VC_QUEUE_SIZE = 24,
    VC_QUEUE_VECTOR = 26,
    VC_QUEUE_ENABLE = 28, VC_QUEUE_NOTIFY_OFF = 30, VC_QUEUE_DESC = 32, VC_QUEUE_DRIVER = 40, VC_QUEUE_DEVICE = 48,
};

enum { VNET_QUEUES = 16, VNET_BAR1 = RIG_MMIO + RIG_BAR_STEP, VNET_BAR4 = RIG_MMIO + 4 * RIG_BAR_STEP };

struct vdq {                                /* one ring, the driver's side */
    unsigned index, size;
    uint64_t desc, driver, device;
    bool packed, avail_wrap, used_wrap;
    uint16_t avail, used;                   /* split: free running; packed: positions */
    uint16_t kicked;                        /* avail at the last kick */
    bool kicked_wrap;
    uint16_t nfree;
    uint16_t free[1024];                    /* split: descriptors; packed: ids */
    uint16_t chain[1024];                   /* by id: descriptors */
    uint16_t next[1024];
    uint64_t buf[1024];                     /* by id: a receive buffer's address */
    uint32_t buf_len[1024];
};

struct vnet {
    struct rig *g;
    uint64_t features;
    unsigned hdr_len;
    uint32_t notify_off, notify_mult;
    uint64_t bump;                          /* next free byte of RAM */
    struct vdq q[VNET_QUEUES];
    unsigned nqueues;
};

struct vbuf {
    uint64_t addr;
    uint32_t len;
};

struct vpacket {                            /* as the driver got it */
    uint8_t hdr[20];
    unsigned bufs;
    size_t len;
    uint8_t data[66000];
};

/** vnet_new() - a bench with a virtio-net of @type; @props: "a=b,c=d" or NULL */
struct vnet *vnet_new(const char *type, const char *props);
void vnet_free(struct vnet *v);
uint32_t vc_read(struct vnet *v, unsigned off, unsigned len);
void vc_write(struct vnet *v, unsigned off, uint32_t val, unsigned len);
/** vnet_offered() - feature bits of the device */
uint64_t vnet_offered(struct vnet *v);
/** vnet_negotiate() - reset, ask for @want; Return: the device agreed (FEATURES_OK) */
bool vnet_negotiate(struct vnet *v, uint64_t want);
/** vnet_start() - negotiate VERSION_1 and @want (all on offer), set up all queues, DRIVER_OK */
void vnet_start(struct vnet *v, uint64_t want);
/** vnet_cfg() - byte of the device configuration structure */
uint32_t vnet_cfg(struct vnet *v, unsigned off, unsigned len);
uint64_t vnet_alloc(struct vnet *v, size_t len);

void vdq_setup(struct vnet *v, unsigned n, unsigned size);
/** vdq_add() - a chain; Return: its id */
unsigned vdq_add(struct vnet *v, struct vdq *q, const struct vbuf *out, unsigned nout, const struct vbuf *in,
                 unsigned nin);
/** vdq_kick() - notify the device, if it wants to be (2.7.10, 2.8.10); vdq_kick_anyway(): whatever it wants */
void vdq_kick(struct vnet *v, struct vdq *q);
void vdq_kick_anyway(struct vnet *v, struct vdq *q);
/** vdq_get() - a returned chain; false: none */
bool vdq_get(struct vnet *v, struct vdq *q, unsigned *id, uint32_t *len);

/** vnet_fill() - @n receive buffers of @len bytes into queue @qn, and notify */
void vnet_fill(struct vnet *v, unsigned qn, unsigned n, uint32_t len);
/** vnet_got() - the next packet of receive queue @qn, its buffers put in again; false: none */
bool vnet_got(struct vnet *v, unsigned qn, struct vpacket *p);
/** vnet_send() - header and frame in @pieces parts (at least 1), notified; Return: it came back at once */
bool vnet_send(struct vnet *v, unsigned qn, const uint8_t *hdr, const void *p, size_t len, unsigned pieces);
/** vnet_ctrl_cmd() - a command on the control queue; Return: the answer, 0 done, 1 refused, 0xFF none */
uint8_t vnet_ctrl_cmd(struct vnet *v, unsigned class, unsigned cmd, const void *data, size_t len);
/** vnet_drops() - count that "info qtree" shows for a reason */
uint64_t vnet_drops(struct vnet *v, const char *reason);

#endif
