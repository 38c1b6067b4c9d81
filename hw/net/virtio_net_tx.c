/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/net/virtio_net_tx.c - transmit queues: chains become frames (VIRTIO 1.2 5.1.6.1, 5.1.6.2)
 *
 * A run pops chain after chain, copies and checks the header, points a frame at the rest and sends it; the peer has
 * copied it, or passed it on, when nic_send() is back, so the chain is returned at once. All that a run returned is
 * published together, with one interrupt at most. A busy peer: the chain goes back into the ring and the queue waits
 * for tx_ready(). The driver's notifications are off while we are at work, on when the ring was seen empty.
 *
 * Every transmit queue is served, also beyond the number of pairs in use: Linux 6.1 sends there after an RSS command with
 * a stale max_tx_vq, and 5.1.6.5.5 binds the device for receive queues only.
 *
 * Chains that are not a packet (too short for the header, too long for a frame, not RAM, a header that contradicts the
 * frame) are returned and counted; they cost the guest its data only.
 */
#include "virtio_net.h"

#include "lib/iov.h"

/* The pieces behind the first @skip bytes. false: too many of them */
static bool frame_from_pieces(struct frame *f, const struct iovec *iov, unsigned cnt, size_t skip)
{
    for (unsigned i = 0; i < cnt; i++) {
        size_t n = iov[i].iov_len;

        if (skip >= n) {
            skip -= n;
            continue;
        }
        if (!frame_append(f, (char *)iov[i].iov_base + skip, n - skip)) {
            return false;
        }
        skip = 0;
    }
    return true;
}

static void frame_copy(struct virtio_net *s, struct frame *f, const struct vq_elem *e)
{
    size_t len = e->out_len - s->hdr_len;

    if (!s->bounce) {
        s->bounce = g_malloc(FRAME_MAX);
    }
    iov_to_buf(e->out, e->out_cnt, s->hdr_len, s->bounce, len);
    frame_from_buf(f, s->bounce, len);
}

static bool drop(struct virtio_net *s, enum nic_drop why)
{
    nic_drop(&s->drops, why);
    return false;
}

/* false: nothing to send, counted */
static bool packet_make(struct virtio_net *s, const struct vq_elem *e, struct frame *f)
{
    uint8_t hdr[VNET_HDR_LEN];
    struct pkt_meta m;

    frame_init(f);
    if (e->bad) {
        return drop(s, NIC_DROP_BAD_DMA);
    }
    if (e->out_len < s->hdr_len + FRAME_MIN) {
        return drop(s, NIC_DROP_TX_TOO_SHORT);
    }
    if (e->out_len - s->hdr_len > FRAME_MAX) {
        return drop(s, NIC_DROP_TX_TOO_LONG);
    }
    iov_to_buf(e->out, e->out_cnt, 0, hdr, sizeof(hdr));
    switch (vnet_hdr_decode(hdr, e->out_len - s->hdr_len, &m)) {
    case VNET_HDR_OK:
        break;
    case VNET_HDR_BAD_CSUM:
        return drop(s, NIC_DROP_BAD_CSUM);
    case VNET_HDR_BAD_GSO:
        return drop(s, NIC_DROP_BAD_TSO);
    }
    if (!frame_from_pieces(f, e->out, e->out_cnt, s->hdr_len)) {
        frame_copy(s, f, e);
    }
    f->meta = m;
    return true;
}

enum tx_end { TX_EMPTY, TX_MORE, TX_WAIT };

/* Up to the budget; *done: chains returned */
static enum tx_end tx_batch(struct virtio_net *s, struct virtio_queue *q, unsigned pair, unsigned *done)
{
    size_t bytes = 0;
    struct vq_elem e;
    struct frame f;

    for (unsigned n = 0, work = 0; n < VNET_TX_BUDGET && work < VNET_TX_WORK_MAX && bytes < VNET_TX_BYTES_MAX &&
         !(n && machine_lock_wanted()); n++, work += e.work) {
        vq_pieces_reset(&s->tx_pieces);
        if (vq_pop(&q->vq, &e, &s->tx_pieces) != VQ_OK) {
            return TX_EMPTY;
        }
        if (packet_make(s, &e, &f)) {
            f.meta.queue = (uint16_t)(pair + 1);
            vnet_flow_sent(s, &f, pair);
            if (nic_send(s->nic, &f) == NET_TX_BUSY) {
                vq_rewind(&q->vq, &e);
                return TX_WAIT;
            }
            bytes += f.len;
            s->tx_frames++;
            s->tx_bytes += f.len;
        }
        vq_push(&q->vq, &e, 0);
        ++*done;
    }
    return TX_MORE;
}

void vnet_tx_run(struct virtio_net *s, struct virtio_queue *q)
{
    unsigned pair = q->vq.index / 2, done = 0;

    if (s->pair[pair].tx_blocked) {
        return;
    }
    vq_set_notify(&q->vq, false);
    switch (tx_batch(s, q, pair, &done)) {
    case TX_WAIT:
        s->pair[pair].tx_blocked = true;
        break;
    case TX_MORE:
        virtio_queue_schedule(q);
        break;
    case TX_EMPTY:
        if (vq_set_notify(&q->vq, true)) {
            virtio_queue_schedule(q);
        }
        break;
    }
    if (done) {
        virtio_notify(&s->vdev, q);
    }
}

void vnet_tx_ready(void *opaque)
{
    struct virtio_net *s = opaque;

    for (unsigned i = 0; i < s->npairs; i++) {
        if (s->pair[i].tx_blocked) {
            s->pair[i].tx_blocked = false;
            virtio_queue_schedule(virtio_queue(&s->vdev, 2 * i + 1));
        }
    }
}
