/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/net/intel/txsend.c - a complete packet leaves: offload requests become pkt_meta (8254x SDM 3.3.5-3.3.7, 3.5, 9.1)
 *
 * The context's byte offsets are translated to what net/offload understands and the frame is sent in one piece, large
 * or with open checksums: the net layer does what the other end does not take. What has no equivalent there (a
 * checksum over part of the packet, a tag with a type of its own) is done here, on a copy in fifo.
 */
#include "core.h"

#include "net/offload/csum.h"
#include "net/offload/vlan.h"

#include <string.h>

enum { MIN_FRAME = 60 };            /* without FCS */

static bool drop(struct txq *q, enum nic_drop why)
{
    nic_drop(&q->nic->drops, why);
    return false;
}

static void frame_trim(struct frame *f, size_t n)
{
    while (n && f->iovcnt) {
        struct iovec *last = &f->iov[f->iovcnt - 1];
        size_t take = MIN(n, last->iov_len);

        last->iov_len -= take;
        f->len -= take;
        n -= take;
        if (!last->iov_len) {
            f->iovcnt--;
        }
    }
}

/* ---- checksums ---- */

/*
 * 3.5.1: sum over [css, cse] (cse 0: to the end), complemented, stored at cso. Offsets beyond the packet: the chip
 * inserts nothing.
 */
static void insert_csum(struct txq *q, unsigned css, unsigned cso, unsigned cse)
{
    size_t len = q->pkt.frame.len, end = cse && cse < len ? cse + 1u : len;

    if (css >= end || cso + 2u > len) {
        return;
    }
    txq_spill(q);
    csum_store(q->fifo + cso, csum_add(0, q->fifo + css, end - css));
}

static void l4_csum(struct txq *q, unsigned css, unsigned cso, unsigned cse)
{
    struct frame *f = &q->pkt.frame;

    if (cso < css || (cse && cse + 1u < f->len)) {
        insert_csum(q, css, cso, cse);
    } else if (css < f->len && cso + 2u <= f->len) {
        f->meta.flags |= PKT_NEEDS_CSUM;
        f->meta.csum_start = css;
        f->meta.csum_off = cso - css;
    }
}

/* The net layer fills in the header checksum of an IPv4 packet that follows the Ethernet header and its tags */
static bool is_plain_ip4(const struct frame *f, const struct tx_ctx *c)
{
    uint8_t hdr[64];
    struct pkt_layout l;
    size_t n = frame_copy_out(f, 0, hdr, sizeof(hdr));

    pkt_parse(hdr, n, f->len, &l);
    return l.l3 == PKT_L3_IP4 && l.l3_off == c->ipcss && c->ipcso == c->ipcss + 10 && c->ipcse + 1 == l.l4_off;
}

static void describe_csum(struct txq *q)
{
    struct tx_packet *p = &q->pkt;
    const struct tx_ctx *c = &p->ctx;

    if (p->kind == TX_LEGACY) {
        if (p->ic) {
            l4_csum(q, p->css, p->cso, 0);
        }
        return;
    }
    if (p->popts & TX_POPT_IXSM) {
        if (is_plain_ip4(&p->frame, c)) {
            p->frame.meta.flags |= PKT_IP_CSUM;
        } else {
            insert_csum(q, c->ipcss, c->ipcso, c->ipcse);
        }
    }
    if (p->popts & TX_POPT_TXSM) {
        l4_csum(q, c->tucss, c->tucso, c->tucse);
    }
}

/* 3.5: segmentation */
static bool describe_tso(struct txq *q)
{
    struct tx_packet *p = &q->pkt;
    const struct tx_ctx *c = &p->ctx;
    struct pkt_meta *m = &p->frame.meta;

    if (!c->mss || !c->hdr_len || c->hdr_len > p->frame.len || c->tucso < c->tucss) {
        return drop(q, NIC_DROP_BAD_TSO);
    }
    m->gso = !c->tcp ? PKT_GSO_UDP : c->ip4 ? PKT_GSO_TCP4 : PKT_GSO_TCP6;
    m->gso_size = c->mss;
    m->hdr_len = c->hdr_len;
    m->csum_start = c->tucss;
    m->csum_off = c->tucso - c->tucss;
    m->flags |= PKT_NEEDS_CSUM | (c->ip4 ? PKT_IP_CSUM : 0);
    return true;
}

/* ---- tag and padding ---- */

/* 9.5: a tag with the type in VET. Whole frames with another type than 0x8100 get it here */
static void insert_tag(struct txq *q)
{
    struct frame *f = &q->pkt.frame;
    struct pkt_meta m = f->meta;
    uint16_t tpid = rd(q->nic, R_VET);

    if (tpid == ETHERTYPE_VLAN || m.gso) {
        f->meta.flags |= PKT_VLAN;
        f->meta.vlan_tci = q->pkt.special;
        return;
    }
    if (f->len > FRAME_MAX - VLAN_HLEN) {
        return;
    }
    txq_spill(q);
    memmove(q->fifo + 16, q->fifo + 12, f->len - 12);
    vlan_push(q->fifo, q->fifo, tpid, q->pkt.special);
    frame_from_buf(f, q->fifo, f->len + VLAN_HLEN);
    f->meta = m;
    q->fifo_len = f->len;
    if (m.flags & PKT_NEEDS_CSUM) {
        f->meta.csum_start += VLAN_HLEN;
    }
}

static void pad(struct txq *q)
{
    struct frame *f = &q->pkt.frame;
    struct pkt_meta m = f->meta;

    if (f->len < MIN_FRAME) {
        txq_spill(q);
        memset(q->fifo + f->len, 0, MIN_FRAME - f->len);
        frame_from_buf(f, q->fifo, MIN_FRAME);
        f->meta = m;
        q->fifo_len = MIN_FRAME;
    }
}

/* ---- sending ---- */

bool tx_resend(struct txq *q)
{
    struct intel_nic *s = q->nic;
    const struct frame *f = &q->pkt.frame;
    enum net_tx r = intel_loopback(s) ? nic_loopback(s->nic, f) : nic_send(s->nic, f);

    return r != NET_TX_BUSY;
}

bool tx_finish(struct txq *q)
{
    struct intel_nic *s = q->nic;
    struct tx_packet *p = &q->pkt;
    uint8_t dst[6];

    if (!p->ifcs) {
        frame_trim(&p->frame, FCS_LEN);         /* the guest brought its own */
    }
    if (p->frame.len < FRAME_MIN) {
        drop(q, NIC_DROP_TX_TOO_SHORT);
        return true;
    }
    if (p->tse && p->kind == TX_DATA) {
        if (!describe_tso(q)) {
            return true;
        }
    } else {
        describe_csum(q);
    }
    if (p->vle && rd(s, R_CTRL) & CTRL_VME) {
        insert_tag(q);
    }
    if (rd(s, R_TCTL) & TCTL_PSP) {
        pad(q);
    }
    if (p->stamp) {
        tsync_tx(s);
    }
    frame_copy_out(&p->frame, 0, dst, sizeof(dst));
    stats_tx(s, &p->frame, dst);
    return tx_resend(q);
}
