/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/net/drops.h - why a NIC model threw a frame or a descriptor away: named, counted, traced
 *
 * Everything here is the guest's or the peer's doing; the device goes on. Counters show in "info qtree".
 */
#ifndef HW_NET_DROPS_H
#define HW_NET_DROPS_H

#include <glib.h>
#include <stdint.h>

enum nic_drop {
    NIC_DROP_BAD_RING,          /* ring of length 0, head or tail outside it, ring memory not RAM */
    NIC_DROP_BAD_DMA,           /* buffer address is not RAM */
    NIC_DROP_TX_TOO_LONG,       /* more than FRAME_MAX bytes without an end of packet */
    NIC_DROP_TX_TOO_SHORT,      /* nothing, or no whole Ethernet header */
    NIC_DROP_BAD_TSO,           /* segment size or header length 0 or beyond the frame */
    NIC_DROP_BAD_CSUM,          /* checksum offsets outside the frame */
    NIC_DROP_MIXED_TYPES,       /* legacy and extended descriptors in one packet, or an unknown type */
    NIC_DROP_RX_DISABLED,       /* receiver switched off, or no bus mastering */
    NIC_DROP_RX_FILTER,         /* not addressed to the guest: not an error */
    NIC_DROP_RX_TOO_LONG,       /* longer than the guest accepts */
    NIC_DROP_RX_NO_ROOM,        /* the whole ring could not hold it */
    NIC_DROP_BAD_CTRL,          /* a command of the control queue that was refused (no frame) */
    NIC_DROPS,
};

struct nic_drops {
    const char *dev;            /* for the log */
    uint64_t count[NIC_DROPS];
};

const char *nic_drop_name(enum nic_drop why);
/** nic_drop() - count, and log under guest_errors unless it is ordinary filtering */
void nic_drop(struct nic_drops *d, enum nic_drop why);
/** nic_drops_print() - one line: "drops: bad-dma 3, rx-filter 17"; nothing when there were none */
void nic_drops_print(const struct nic_drops *d, GString *out, unsigned indent);

#endif
