/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/net/virtio_net_rx.c - receive queues: frames into the guest's buffers (VIRTIO 1.2 5.1.6.3, 5.1.6.4)
 *
 *   buffer:  header (10, 12 or 20 bytes) | frame ...
 *   more buffers, with MRG_RXBUF and as many as it needs:  frame goes on ...
 *
 * All buffers that a frame needs are popped before its first byte is written. Too few: they go back and the frame waits
 * in the net layer (BUSY) until the driver notifies. The header with the number of buffers is written before any of
 * them is returned. A frame that no number of buffers can take (one buffer is all there may be, or the ring is full of
 * too small ones) is dropped.
 *
 * Interrupts come from a bottom half, once for all frames that came in the same round of the main loop.
 *
 * RSC (5.1.6.4, RSC_EXT): segments of a TCP flow with right checksums are held for up to rsc_interval and merged by
 * net/offload/coalesce. What leaves the coalescer when there is no buffer waits in rsc_out, a few frames at most; new
 * frames are not taken meanwhile.
 */
#include "virtio_net.h"

#include "net/offload/csum.h"

/* ---- filling buffers ---- */

struct source {                         /* header, then the frame */
    const struct iovec *v;
    unsigned cnt;
    size_t off;
};

/* Next @len bytes to @dst. memmove: the frame may lie in this guest's own memory */
static void source_read(struct source *src, uint8_t *dst, size_t len)
{
    while (len) {
        size_t n = MIN(len, src->v->iov_len - src->off);

        memmove(dst, (const char *)src->v->iov_base + src->off, n);
        dst += n;
        len -= n;
        src->off += n;
        if (src->off == src->v->iov_len) {
            src->v++;
            src->off = 0;
        }
    }
}

/* Return: bytes written into the buffer */
static size_t buffer_fill(const struct vq_elem *e, const uint8_t *hdr, size_t hdr_len, struct source *src, size_t len)
{
    size_t room, n, written = 0;

    for (unsigned i = 0; i < e->in_cnt && (hdr_len || len); i++) {
        uint8_t *p = e->in[i].iov_base;

        room = e->in[i].iov_len;
        n = MIN(room, hdr_len);
        if (n) {
            memcpy(p, hdr, n);
            hdr += n;
            hdr_len -= n;
        }
        p += n;
        room -= n;
        written += n;
        n = MIN(room, len);
        source_read(src, p, n);
        len -= n;
        written += n;
    }
    return written;
}

/* ---- taking buffers ---- */

enum take { TAKE_OK, TAKE_WAIT, TAKE_NEVER, TAKE_BROKEN };

static void returned(struct virtio_net *s, struct virtqueue *vq)
{
    vq_flush(vq);
    s->pair[vq->index / 2].rx_dirty = true;
    bh_schedule(&s->rx_bh);
}

/* The first buffer must hold the header; one that cannot, or that is no RAM, goes back empty */
static bool is_useless(const struct virtio_net *s, const struct vq_elem *e)
{
    return e->bad || e->in_len < s->hdr_len;
}

/* Before those that are popped go back: the driver shall tell of buffers beyond all that are there now */
static enum vq_status pop_or_ask(struct virtqueue *vq, struct vq_elem *e, struct vq_pieces *p)
{
    enum vq_status st = vq_pop(vq, e, p);

    return st == VQ_EMPTY && vq_set_notify(vq, true) ? vq_pop(vq, e, p) : st;
}

/* Pop buffers for @total bytes into s->rx_elems; *n: how many. Not TAKE_OK: none is kept */
static enum take buffers_take(struct virtio_net *s, struct virtqueue *vq, size_t total, unsigned *n)
{
    struct vq_elem *e = s->rx_elems;
    unsigned work = 0;
    enum vq_status st = VQ_OK;
    size_t room = 0;

    *n = 0;
    vq_pieces_reset(&s->rx_pieces);
    while (room < total && work < VNET_RX_WORK_MAX && (st = pop_or_ask(vq, &e[*n], &s->rx_pieces)) == VQ_OK) {
        work += e[*n].work;
        if (*n == 0 && is_useless(s, e)) {
            nic_drop(&s->drops, NIC_DROP_BAD_DMA);
            vq_push(vq, e, 0);
            returned(s, vq);
            vq_pieces_reset(&s->rx_pieces);
            continue;
        }
        room += e[(*n)++].in_len;
        if (!s->mergeable) {
            break;
        }
    }
    if (room >= total) {
        return TAKE_OK;
    }
    if (*n) {
        vq_rewind(vq, e);
    }
    if (st == VQ_BROKEN) {
        return TAKE_BROKEN;
    }
    return st == VQ_EMPTY && *n < vq->l.size ? TAKE_WAIT : TAKE_NEVER;
}

static enum net_tx refuse(struct virtio_net *s, enum nic_drop why)
{
    nic_drop(&s->drops, why);
    return NET_TX_DROP;
}

static enum net_tx give(struct virtio_net *s, unsigned pair, const struct frame *f)
{
    struct virtqueue *vq = &virtio_queue(&s->vdev, 2 * pair)->vq;
    struct source src = { f->iov, f->iovcnt, 0 };
    uint8_t hdr[VNET_HDR_LEN_HASH];
    size_t left = f->len, hdr_len = s->hdr_len;
    unsigned n;

    if (!vq->running) {
        return refuse(s, NIC_DROP_RX_DISABLED);
    }
    switch (buffers_take(s, vq, hdr_len + f->len, &n)) {
    case TAKE_OK:
        break;
    case TAKE_WAIT:
        return NET_TX_BUSY;
    case TAKE_NEVER:
        return refuse(s, NIC_DROP_RX_NO_ROOM);
    case TAKE_BROKEN:
        return refuse(s, NIC_DROP_BAD_RING);
    }
    if (vq->notify_on) {
        vq_set_notify(vq, false);
    }
    vnet_hdr_encode(&f->meta, s->guest_offloads & BIT(VIRTIO_NET_F_GUEST_CSUM), hdr, hdr_len);
    if (f->meta.gso && !(f->meta.flags & PKT_NEEDS_CSUM)) {
        vnet_hdr_set_rsc(hdr, f->meta.csum_start, 0);       /* merged here: see rsc_emit() */
    }
    if (hdr_len > VNET_HDR_LEN) {
        st_le16(hdr + VNET_NUM_BUFFERS_OFF, (uint16_t)n);
    }
    for (unsigned i = 0; i < n; i++) {
        size_t h = i ? 0 : hdr_len, w = buffer_fill(&s->rx_elems[i], hdr, h, &src, left);

        left -= w - h;
        vq_push(vq, &s->rx_elems[i], (uint32_t)w);
    }
    returned(s, vq);
    s->rx_frames++;
    s->rx_bytes += f->len;
    return NET_TX_DONE;
}

/* Choose the queue and deliver */
static enum net_tx deliver(struct virtio_net *s, const struct frame *f)
{
    uint8_t hdr[VNET_HDR_PEEK];
    struct frame g;
    unsigned pair;

    if (!vnet_steer_needed(s)) {
        return give(s, 0, f);
    }
    g = *f;
    pair = vnet_steer(s, hdr, frame_copy_out(f, 0, hdr, sizeof(hdr)), f->len, &g.meta);
    return give(s, pair, &g);
}

/* ---- coalescing ---- */

static bool rsc_on(const struct virtio_net *s)
{
    return s->guest_offloads & BIT(VIRTIO_NET_F_RSC_EXT);
}

static bool rsc_drain(struct virtio_net *s)
{
    struct net_packet *p;
    struct frame f;

    while ((p = s->rsc_out.head)) {
        net_packet_frame(p, &f);
        if (deliver(s, &f) == NET_TX_BUSY) {
            return false;
        }
        net_packet_free(net_queue_take(&s->rsc_out));
    }
    return true;
}

/*
 * A frame leaves the coalescer. Of a merged one the checksum is finished here (RSC_INFO takes the place of the checksum
 * fields, so the guest could not), and the number of segments travels in csum_start, which means nothing without
 * PKT_NEEDS_CSUM.
 */
static void rsc_emit(void *opaque, const uint8_t *p, size_t len, unsigned segs, uint16_t mss, bool ip6, uint16_t l4_off)
{
    struct virtio_net *s = opaque;
    uint8_t sum[2];
    struct frame f;

    if (segs > 1) {
        size_t field = l4_off + 16u;

        csum_store(sum, csum_add(0, p + l4_off, len - l4_off));
        frame_init(&f);
        frame_append(&f, p, field);
        frame_append(&f, sum, 2);
        frame_append(&f, p + field + 2, len - field - 2);
        f.meta.gso = ip6 ? PKT_GSO_TCP6 : PKT_GSO_TCP4;
        f.meta.gso_size = mss;
        f.meta.csum_start = (uint16_t)MIN(segs, UINT16_MAX);
        s->rsc_merged += segs;
    } else {
        frame_from_buf(&f, p, len);
    }
    f.meta.flags = PKT_CSUM_VALID;
    if (!net_queue_empty(&s->rsc_out) || deliver(s, &f) == NET_TX_BUSY) {
        net_queue_push(&s->rsc_out, &f, true);              /* bounded: flows of the coalescer, and one */
    }
}

static bool rsc_holds(const struct virtio_net *s)
{
    for (unsigned i = 0; i < COALESCE_FLOWS; i++) {
        if (s->rsc.flow[i].len) {
            return true;
        }
    }
    return false;
}

static void rsc_timeout(void *opaque)
{
    struct virtio_net *s = opaque;

    coalesce_flush(&s->rsc);
}

/* Only what the merger may trust: TCP whose checksum is right, complete, for a guest that takes large frames of this
 * kind */
static bool rsc_wants(const struct virtio_net *s, const struct frame *f, const uint8_t *p)
{
    struct pkt_layout l;

    if (f->meta.gso || f->meta.flags & (PKT_NEEDS_CSUM | PKT_VLAN)) {
        return false;
    }
    pkt_parse(p, f->len, f->len, &l);
    if (l.l4 != PKT_L4_TCP ||
        !(s->guest_offloads & BIT(l.l3 == PKT_L3_IP4 ? VIRTIO_NET_F_GUEST_TSO4 : VIRTIO_NET_F_GUEST_TSO6))) {
        return false;
    }
    if (l.l3 == PKT_L3_IP4 && csum_check_ip4(p, &l) != CSUM_GOOD) {
        return false;
    }
    return f->meta.flags & PKT_CSUM_VALID || csum_check_l4(f->iov, f->iovcnt, p, &l) == CSUM_GOOD;
}

static enum net_tx rsc_receive(struct virtio_net *s, const struct frame *f)
{
    g_autofree uint8_t *copy = NULL;
    const uint8_t *p = f->iov[0].iov_base;

    if (!rsc_drain(s)) {
        return NET_TX_BUSY;
    }
    if (f->iovcnt > 1) {
        p = copy = g_malloc(f->len);
        frame_copy_out(f, 0, copy, f->len);
    }
    if (!rsc_wants(s, f, p)) {
        coalesce_flush(&s->rsc);                            /* what is held came before it */
        return rsc_drain(s) ? deliver(s, f) : NET_TX_BUSY;
    }
    coalesce_add(&s->rsc, p, f->len);
    if (!rsc_holds(s)) {
        timer_disarm(&s->rsc_timer);
    } else if (!timer_armed(&s->rsc_timer)) {
        timer_arm(&s->rsc_timer, clock_get_ns(CLOCK_VIRTUAL) + s->conf.rsc_interval_ns);
    }
    return NET_TX_DONE;
}

/* ---- receive ---- */

enum net_tx vnet_receive(void *opaque, const struct frame *f)
{
    struct virtio_net *s = opaque;
    uint8_t hdr[18];
    size_t n;

    if (!virtio_running(&s->vdev) || !s->vdev.mem.dma->enabled) {
        return refuse(s, NIC_DROP_RX_DISABLED);
    }
    n = frame_copy_out(f, 0, hdr, sizeof(hdr));
    if (n < FRAME_MIN || !vnet_filter_match(s, hdr, n)) {
        return refuse(s, NIC_DROP_RX_FILTER);
    }
    return rsc_on(s) ? rsc_receive(s, f) : deliver(s, f);
}

/* The driver has put buffers into a ring */
void vnet_rx_kick(struct virtio_net *s)
{
    if (rsc_drain(s)) {
        nic_rx_ready(s->nic);
    }
}

/* One interrupt for each queue that got something */
static void rx_interrupts(void *opaque)
{
    struct virtio_net *s = opaque;

    for (unsigned i = 0; i < s->npairs; i++) {
        if (s->pair[i].rx_dirty) {
            s->pair[i].rx_dirty = false;
            virtio_notify(&s->vdev, virtio_queue(&s->vdev, 2 * i));
        }
    }
}

void vnet_rx_init(struct virtio_net *s)
{
    s->rx_elems = g_new0(struct vq_elem, VQ_SIZE_MAX);
    vq_pieces_init(&s->rx_pieces, VQ_PIECES_MAX);
    bh_init(&s->rx_bh, "virtio-net-rx", rx_interrupts, s);
    coalesce_init(&s->rsc, rsc_emit, s);
    timer_setup(&s->rsc_timer, CLOCK_VIRTUAL, rsc_timeout, s);
}

void vnet_rx_reset(struct virtio_net *s)
{
    timer_disarm(&s->rsc_timer);
    coalesce_fini(&s->rsc);
    net_queue_purge(&s->rsc_out);
    memset(s->flows, 0, sizeof(s->flows));
    for (unsigned i = 0; i < s->npairs; i++) {
        s->pair[i] = (struct vnet_pair){ false };
    }
}

void vnet_rx_fini(struct virtio_net *s)
{
    if (!s->rx_elems) {
        return;
    }
    vnet_rx_reset(s);
    timer_fini(&s->rsc_timer);
    bh_fini(&s->rx_bh);
    vq_pieces_fini(&s->rx_pieces);
    g_clear_pointer(&s->rx_elems, g_free);
}
