/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/net/intel/rxq.c - receive queue: frames become filled descriptors (8254x SDM 3.2)
 *
 * A frame that passes the filters takes as many descriptors as its length needs; all of them are fetched before the
 * first byte is written, so a frame is either delivered whole or waits in the net layer (BUSY) until RDT moves.
 * Descriptors with a null address take no data: they are passed over and handed back with DD and length 0.
 *
 *   guest buffer:  frame without its tag (CTRL.VME) | FCS unless RCTL.SECRC
 */
#include "core.h"

#include "net/offload/csum.h"
#include "net/offload/vlan.h"

#include <string.h>
#include <zlib.h>

/* What will be written, and where its next byte is */
struct rx_data {
    struct iovec v[FRAME_IOV_MAX + 3];
    unsigned cnt, at;
    size_t off;                     /* in v[at] */
    size_t len;
    uint8_t macs[12];
    uint8_t fcs[FCS_LEN];
    uint8_t hdr[FRAME_HDR_MAX];     /* copy of the first bytes: what decisions are made on */
    size_t hdr_len;
    struct rx_wire wb;              /* write-back of the last descriptor: checksum, status, errors, tag */
};

/* ---- what to write ---- */

static void data_add(struct rx_data *r, void *p, size_t len)
{
    if (len) {
        r->v[r->cnt++] = (struct iovec){ p, len };
        r->len += len;
    }
}

/* All of @f from @off */
static void data_add_frame(struct rx_data *r, const struct frame *f, size_t off)
{
    for (unsigned i = 0; i < f->iovcnt; i++) {
        size_t skip = MIN(off, f->iov[i].iov_len);

        data_add(r, (char *)f->iov[i].iov_base + skip, f->iov[i].iov_len - skip);
        off -= skip;
    }
}

static void fcs_make(struct rx_data *r, const struct frame *f)
{
    uLong crc = crc32(0, NULL, 0);

    for (unsigned i = 0; i < f->iovcnt; i++) {
        crc = crc32(crc, f->iov[i].iov_base, f->iov[i].iov_len);
    }
    st_le32(r->fcs, crc);
}

/* 9.3: with VME the tag goes to the descriptor */
static void data_make(struct intel_nic *s, struct rx_data *r, const struct frame *f)
{
    uint16_t tci;

    if (rd(s, R_CTRL) & CTRL_VME && f->len >= 18 && vlan_get(r->hdr, r->hdr_len, rd(s, R_VET), &tci)) {
        r->wb.status |= RXS_VP;
        r->wb.special = le16_of(tci);
        memcpy(r->macs, r->hdr, sizeof(r->macs));
        data_add(r, r->macs, sizeof(r->macs));
        data_add_frame(r, f, 16);
    } else {
        data_add_frame(r, f, 0);
    }
    if (!(rd(s, R_RCTL) & RCTL_SECRC)) {
        fcs_make(r, f);
        data_add(r, r->fcs, FCS_LEN);
    }
}

/* 3.2.9: what was checked and how it ended */
static void csum_status(struct intel_nic *s, struct rx_data *r, const struct frame *f)
{
    uint32_t on = rd(s, R_RXCSUM);
    enum csum_state l4 = CSUM_NONE;
    struct pkt_layout l;

    pkt_parse(r->hdr, r->hdr_len, f->len, &l);
    if (l.l3 == PKT_L3_IP4 && on & RXCSUM_IPOFL) {
        r->wb.status |= RXS_IPCS;
        r->wb.errors |= csum_check_ip4(r->hdr, &l) == CSUM_BAD ? RXE_IPE : 0;
    }
    if (on & RXCSUM_TUOFL && (l.l3 == PKT_L3_IP4 || (l.l3 == PKT_L3_IP6 && on & RXCSUM_IPV6OFL)) && !l.fragment &&
        (l.l4 == PKT_L4_TCP || l.l4 == PKT_L4_UDP)) {
        l4 = f->meta.flags & PKT_CSUM_VALID ? CSUM_GOOD : csum_check_l4(f->iov, f->iovcnt, r->hdr, &l);
    }
    if (l4 != CSUM_NONE) {
        r->wb.status |= RXS_TCPCS;
        r->wb.errors |= l4 == CSUM_BAD ? RXE_TCPE : 0;
    }
    if (!(r->wb.status & (RXS_IPCS | RXS_TCPCS))) {
        r->wb.status |= RXS_IXSM;
    }
}

/* 13.4.32 PCSS: 16-bit sum of what is stored from that byte on */
static void packet_csum(struct intel_nic *s, struct rx_data *r)
{
    size_t start = rd(s, R_RXCSUM) & RXCSUM_PCSS;
    uint64_t sum = start < r->len ? csum_add_iov(0, r->v, r->cnt, start, r->len - start) : 0;

    r->wb.csum.raw = csum_fold(sum);
}

static bool is_multicast(const struct rx_data *r)
{
    return r->hdr[0] & 1 && memcmp(r->hdr, "\xff\xff\xff\xff\xff\xff", 6) != 0;
}

/* 13.2.2: packets that matched a hash only may be someone else's */
static void inexact_status(struct intel_nic *s, struct rx_data *r)
{
    if (is_multicast(r) && !(rd(s, R_RCTL) & RCTL_MPE)) {
        r->wb.status |= RXS_PIF;
    }
}

/* ---- where to write it ---- */

/* 13.4.22: BSIZE and BSEX; the reserved combination counts as 2048 */
static size_t buffer_size(const struct intel_nic *s)
{
    uint32_t rctl = rd(s, R_RCTL);
    unsigned bsize = bits_get(rctl, RCTL_BSIZE_SHIFT, 2);

    return rctl & RCTL_BSEX && bsize ? 32768u >> bsize : 2048u >> bsize;
}

static void ring_take(struct rxq *q)
{
    struct intel_nic *s = q->nic;
    uint32_t head = rd(s, q->regs + Q_HEAD), tail = rd(s, q->regs + Q_TAIL);
    uint64_t base = rd(s, q->regs + Q_BAL) | (uint64_t)rd(s, q->regs + Q_BAH) << 32;

    q->ring_taken = true;
    if (!ring_setup(&q->ring, &s->pci.dma, base, rd(s, q->regs + Q_LEN), sizeof(struct rx_wire), head, tail) &&
        head != tail) {
        nic_drop(&s->drops, NIC_DROP_BAD_RING);
    }
}

enum reserve { RESERVE_OK, RESERVE_WAIT, RESERVE_NEVER, RESERVE_BROKEN };

/* Fetch descriptors until @bufs of them have a buffer; *n: how many that were */
static enum reserve reserve(struct rxq *q, size_t bufs, unsigned *n)
{
    bool all_posted = ring_ready(&q->ring) == q->ring.count - 1;

    *n = 0;
    if (bufs >= q->ring.count || bufs > RX_DESCS_MAX) {
        return RESERVE_NEVER;
    }
    if (ring_ready(&q->ring) < bufs) {
        return RESERVE_WAIT;
    }
    while (bufs) {
        enum ring_status st = *n == RX_DESCS_MAX ? RING_EMPTY : ring_pop(&q->ring, &q->desc[*n]);

        if (st == RING_FAULT) {
            return RESERVE_BROKEN;
        }
        if (st == RING_EMPTY) {
            return all_posted || *n == RX_DESCS_MAX ? RESERVE_NEVER : RESERVE_WAIT;
        }
        q->idx[*n] = ring_last(&q->ring);
        bufs -= le64_get(q->desc[(*n)++].addr) != 0;
    }
    return RESERVE_OK;
}

/* Next @len bytes of @r to guest address @addr */
static bool data_put(struct rxq *q, struct rx_data *r, uint64_t addr, size_t len)
{
    bool ok = true;

    while (len && r->at < r->cnt) {
        size_t n = MIN(len, r->v[r->at].iov_len - r->off);

        ok = dma_write(&q->nic->pci.dma, addr, (char *)r->v[r->at].iov_base + r->off, n) && ok;
        addr += n;
        len -= n;
        r->off += n;
        if (r->off == r->v[r->at].iov_len) {
            r->at++;
            r->off = 0;
        }
    }
    return ok;
}

static void descs_fill(struct rxq *q, struct rx_data *r, unsigned n)
{
    size_t left = r->len, bsize = buffer_size(q->nic);
    bool ok = true;

    for (unsigned i = 0; i < n; i++) {
        struct rx_wire *w = &q->desc[i];
        size_t len = le64_get(w->addr) ? MIN(left, bsize) : 0;

        if (len) {
            ok = data_put(q, r, le64_get(w->addr), len) && ok;
        }
        left -= len;
        w->length = le16_of(len);
        w->csum = r->wb.csum;
        w->status = RXS_DD | (len ? r->wb.status : 0) | (len && !left ? RXS_EOP : 0);
        w->errors = len && !left ? r->wb.errors : 0;
        w->special = r->wb.special;
        ring_put(&q->ring, q->idx[i], RX_WRITE_BACK_OFF, (const uint8_t *)w + RX_WRITE_BACK_OFF,
                 sizeof(*w) - RX_WRITE_BACK_OFF);
    }
    if (!ok) {
        nic_drop(&q->nic->drops, NIC_DROP_BAD_DMA);
    }
}

/* Publish; RXDMT0 when the free descriptors fall to the threshold (13.4.22 RDMTS: 1/2, 1/4, 1/8 of the ring) */
static void ring_advance(struct rxq *q, uint32_t ready_before)
{
    uint32_t threshold = q->ring.count >> (1 + MIN(bits_get(rd(q->nic, R_RCTL), RCTL_RDMTS_SHIFT, 2), 2));

    if (!q->ring.running) {
        return;
    }
    ring_publish(&q->ring);
    reg_set(&q->nic->regs, q->regs + Q_HEAD, q->ring.head);
    if (ready_before > threshold && ring_ready(&q->ring) <= threshold) {
        intr_cause(q->nic, ICR_RXDMT0);
    }
}

/* ---- receive ---- */

static enum net_tx rx_drop(struct intel_nic *s, enum nic_drop why)
{
    nic_drop(&s->drops, why);
    return NET_TX_DROP;
}

static bool enabled(const struct intel_nic *s)
{
    return rd(s, R_RCTL) & RCTL_EN && s->pci.dma.enabled && (intel_link_up(s) || intel_loopback(s));
}

static enum net_tx never_fits(struct rxq *q, struct rx_data *r, unsigned n)
{
    struct intel_nic *s = q->nic;
    uint32_t ready = ring_ready(&q->ring) + n;

    stats_count(s, S_MPC);
    r->len = 0;                             /* null descriptors go back empty, so that the guest can get on */
    if (n) {
        descs_fill(q, r, n);
        ring_advance(q, ready);
    }
    intr_cause(s, ICR_RXO);
    return rx_drop(s, NIC_DROP_RX_NO_ROOM);
}

static enum net_tx deliver(struct rxq *q, struct rx_data *r)
{
    size_t bsize = buffer_size(q->nic);
    uint32_t ready;
    unsigned n;

    if (!q->ring_taken) {
        ring_take(q);
    }
    if (!q->ring.running) {
        return rx_drop(q->nic, NIC_DROP_BAD_RING);
    }
    ready = ring_ready(&q->ring);
    switch (reserve(q, (r->len + bsize - 1) / bsize, &n)) {
    case RESERVE_NEVER:
        return never_fits(q, r, n);
    case RESERVE_WAIT:
        ring_unpop(&q->ring);
        stats_count(q->nic, S_RNBC);
        return NET_TX_BUSY;
    case RESERVE_BROKEN:
        return rx_drop(q->nic, NIC_DROP_BAD_RING);
    case RESERVE_OK:
        break;
    }
    descs_fill(q, r, n);
    ring_advance(q, ready);
    return NET_TX_DONE;
}

enum net_tx intel_receive(void *opaque, const struct frame *f)
{
    struct intel_nic *s = opaque;
    struct rx_data r;
    enum net_tx st;

    if (!enabled(s)) {
        return rx_drop(s, NIC_DROP_RX_DISABLED);
    }
    if (!rx_length_ok(s, f->len + FCS_LEN)) {
        stats_count(s, S_ROC);
        return rx_drop(s, NIC_DROP_RX_TOO_LONG);
    }
    r.cnt = r.at = 0;
    r.off = r.len = 0;
    r.wb = (struct rx_wire){ .status = 0 };
    r.hdr_len = frame_copy_out(f, 0, r.hdr, sizeof(r.hdr));
    if (r.hdr_len < FRAME_MIN || !rx_filter(s, r.hdr, r.hdr_len)) {
        return rx_drop(s, NIC_DROP_RX_FILTER);
    }
    data_make(s, &r, f);
    csum_status(s, &r, f);
    packet_csum(s, &r);
    inexact_status(s, &r);
    st = deliver(&s->rxq, &r);
    if (st == NET_TX_DONE) {
        stats_rx(s, f->len, r.hdr);
        intr_rx_done(s, f->len);
    }
    return st;
}

/* ---- registers ---- */

void rx_ring_written(void *opaque, const struct reg_access *a)
{
    struct intel_nic *s = opaque;

    s->rxq.ring_taken = false;
}

void rx_tail_written(void *opaque, const struct reg_access *a)
{
    struct intel_nic *s = opaque;
    struct rxq *q = &s->rxq;

    if (q->ring_taken && q->ring.running && !ring_set_tail(&q->ring, rd(s, q->regs + Q_TAIL))) {
        nic_drop(&s->drops, NIC_DROP_BAD_RING);
    }
    nic_rx_ready(s->nic);
}

/* Also called when bus mastering is switched on */
void rctl_written(void *opaque, const struct reg_access *a)
{
    struct intel_nic *s = opaque;

    if (enabled(s)) {
        nic_rx_ready(s->nic);
    }
}

void rxq_init(struct rxq *q, struct intel_nic *s, uint32_t regs)
{
    q->nic = s;
    q->regs = regs;
}

void rxq_reset(struct rxq *q)
{
    ring_stop(&q->ring);
    q->ring_taken = false;
}
