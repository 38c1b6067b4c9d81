/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/backends/rx_merge.h - a batch of frames from the host, on its way to the guest
 *
 * A guest's work is per frame, not per byte. For a NIC that takes large frames, checksums are verified here and consecutive TCP segments of a
 * flow become one frame (net/offload/coalesce.h), as a NIC with receive offload does. Any other receiver, and a backend with filters, which
 * have to see what was on the wire, gets every frame as it came.
 *
 *     rx_merge_begin(m);
 *     while (...) { if (!rx_merge_add(m, frame, len)) { pause; keep the frame; break; } }
 *     rx_merge_end(m);
 *
 * Frames of a flow stay in order; nothing is held over the end. Main loop and machine lock.
 */
#ifndef NET_BACKENDS_RX_MERGE_H
#define NET_BACKENDS_RX_MERGE_H

#include "net/client.h"
#include "net/offload/coalesce.h"

struct rx_merge {
    struct net_client *c;
    struct coalesce merge;
    bool on;                            /* in this batch */
};

void rx_merge_init(struct rx_merge *m, struct net_client *c);
void rx_merge_fini(struct rx_merge *m);
void rx_merge_begin(struct rx_merge *m);
/** rx_merge_add() - false: the receiver is behind, keep the frame; tx_ready() will be called. The frame is copied, or done with. */
bool rx_merge_add(struct rx_merge *m, const uint8_t *frame, size_t len);
void rx_merge_end(struct rx_merge *m);

#endif
