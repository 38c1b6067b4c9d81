/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/net/intel/rxq.c - receive queue: where a frame's bytes go (8254x SDM 3.2, 82574 7.1.4-7.1.8)
 *
 * A frame takes as many descriptors as its length needs; all of them are fetched before the first byte is written, so a
 * frame is either delivered whole or waits in the net layer (BUSY) until RDT moves. Descriptors whose buffers hold
 * nothing (null address) take no data: they are passed over and handed back with DD and length 0.
 *
 *   RX_LEGACY  16 bytes, one buffer of RCTL's size; the second half is written back
 *   RX_EXT     16 bytes, one buffer; all of it is written back
 *   RX_SPLIT   32 bytes, four buffers of PSRCTL's sizes. Headers that end where the part can tell, and fit buffer 0,
 *              lie there alone; data starts in buffer 1. Else the frame starts in buffer 0 and goes on in the others.
 *              More descriptors of the same frame use buffers 1 to 3 only, with length 0 for buffer 0.
 *              RDH and RDT still count 16 bytes: Linux's driver moves its tail by two for each of these.
 */
#include "core.h"

#include <string.h>

struct rx_slot {                    /* the buffers of one descriptor, and what goes into them */
    uint64_t addr[RX_BUFS];
    size_t len[RX_BUFS];
};

/* 82574 10.2.5.1: extended status with 4-buffer descriptors; DTYP 2 and 3 are reserved and count as 0 */
enum rx_format rx_format(const struct intel_nic *s)
{
    if (!intel_has(s, INTEL_RXEXT) || !(rd(s, R_RFCTL) & RFCTL_EXSTEN)) {
        return RX_LEGACY;
    }
    return bits_get(rd(s, R_RCTL), RCTL_DTYP_SHIFT, 2) == 1 ? RX_SPLIT : RX_EXT;
}

/* ---- sizes ---- */

/* 13.4.22: BSIZE and BSEX; the reserved combination counts as 2048. The 82574 has FLXBUF, in KiB, too */
static size_t buffer_size(const struct intel_nic *s)
{
    uint32_t rctl = rd(s, R_RCTL);
    unsigned bsize = bits_get(rctl, RCTL_BSIZE_SHIFT, 2), flex = bits_get(rctl, RCTL_FLXBUF_SHIFT, 4);

    if (flex && intel_has(s, INTEL_RXEXT)) {
        return flex * 1024u;
    }
    return rctl & RCTL_BSEX && bsize ? 32768u >> bsize : 2048u >> bsize;
}

/* 82574 10.2.5.2: BSIZE0 counts 128 bytes, the others 1024 */
static void buffer_sizes(const struct rxq *q, size_t size[RX_BUFS])
{
    uint32_t ps = rd(q->nic, R_PSRCTL);

    memset(size, 0, RX_BUFS * sizeof(*size));
    if (q->format != RX_SPLIT) {
        size[0] = buffer_size(q->nic);
        return;
    }
    size[0] = bits_get(ps, 0, 7) * 128;
    for (unsigned i = 1; i < RX_BUFS; i++) {
        size[i] = bits_get(ps, 8 * i, 6) * 1024;
    }
}

/* ---- descriptors ---- */

/* What RDH and RDT count by */
static unsigned units(const struct rxq *q)
{
    return q->format == RX_SPLIT ? 2 : 1;
}

static void ring_take(struct rxq *q)
{
    struct intel_nic *s = q->nic;
    uint32_t head = rd(s, q->regs + Q_HEAD), tail = rd(s, q->regs + Q_TAIL), bytes = rd(s, q->regs + Q_LEN) & 0xFFF80;
    uint64_t base = rd(s, q->regs + Q_BAL) | (uint64_t)rd(s, q->regs + Q_BAH) << 32;
    unsigned n;

    q->ring_taken = true;
    q->format = rx_format(s);
    n = units(q);
    if (!ring_setup(&q->ring, &s->pci.dma, base, bytes, 16 * n, head / n, tail / n) && head != tail) {
        nic_drop(&s->drops, NIC_DROP_BAD_RING);
    }
}

bool rxq_set_tail(struct rxq *q)
{
    return ring_set_tail(&q->ring, rd(q->nic, q->regs + Q_TAIL) / units(q));
}

/* Buffers of descriptor @w and how much of @left goes into each; @first: the frame starts here. Return: bytes taken */
static size_t slot_plan(const struct rxq *q, const struct rx_read *w, const size_t size[RX_BUFS], size_t left,
                        size_t split, bool first, struct rx_slot *slot)
{
    size_t taken = 0;
    unsigned n = q->format == RX_SPLIT ? RX_BUFS : 1;

    memset(slot, 0, sizeof(*slot));
    for (unsigned i = 0; i < n && left; i++) {
        size_t room;

        slot->addr[i] = le64_get(w->addr[i]);
        room = slot->addr[i] ? size[i] : 0;
        if (i == 0 && n > 1) {
            room = !first ? 0 : split && split <= room ? split : room;
        }
        slot->len[i] = MIN(left, room);
        left -= slot->len[i];
        taken += slot->len[i];
    }
    return taken;
}

enum reserve { RESERVE_OK, RESERVE_WAIT, RESERVE_NEVER, RESERVE_BROKEN };

/* Fetch descriptors until they hold all of @r; *n: how many that were */
static enum reserve reserve(struct rxq *q, const struct rx_data *r, const size_t size[RX_BUFS], unsigned *n)
{
    size_t most = size[0] + size[1] + size[2] + size[3], left = r->len, least = most ? (r->len + most - 1) / most : 0;
    bool all_posted = ring_ready(&q->ring) == q->ring.count - 1;

    *n = 0;
    if (!most || least >= q->ring.count || least > RX_DESCS_MAX) {
        return RESERVE_NEVER;
    }
    if (ring_ready(&q->ring) < least) {
        return RESERVE_WAIT;
    }
    while (left) {
        enum ring_status st = *n == RX_DESCS_MAX ? RING_EMPTY : ring_pop(&q->ring, &q->desc[*n]);
        struct rx_slot slot;

        if (st == RING_FAULT) {
            return RESERVE_BROKEN;
        }
        if (st == RING_EMPTY) {
            return all_posted || *n == RX_DESCS_MAX ? RESERVE_NEVER : RESERVE_WAIT;
        }
        q->at[*n] = ring_last(&q->ring);
        left -= slot_plan(q, &q->desc[*n], size, left, r->split, left == r->len, &slot);
        ++*n;
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

/* ---- write-back ---- */

static void write_back_legacy(struct rxq *q, const struct rx_data *r, uint32_t idx, const struct rx_slot *slot,
                              uint32_t status)
{
    struct rx_wire w = {
        .length = le16_of(slot->len[0]), .csum.raw = r->csum, .status = status,
        .errors = status & RXS_EOP ? r->errors : 0, .special = le16_of(r->vlan),
    };

    ring_put(&q->ring, idx, RX_WRITE_BACK_OFF, (const uint8_t *)&w + RX_WRITE_BACK_OFF, sizeof(w) - RX_WRITE_BACK_OFF);
}

/* 82574 7.1.4.2, 7.1.5.3 */
static void write_back_ext(struct rxq *q, const struct rx_data *r, uint32_t idx, const struct rx_slot *slot,
                           uint32_t status, bool split)
{
    bool pcsd = rd(q->nic, R_RXCSUM) & RXCSUM_PCSD;
    uint8_t csum[2];
    struct rx_split_wb w = {
        .ext.mrq = le32_of(r->rss_type | q->idx << 8),
        .ext.status_error = le32_of(status | (status & RXS_EOP ? (uint32_t)r->errors << 24 : 0)),
        .ext.length = le16_of(slot->len[0]),
        .ext.vlan = le16_of(r->vlan),
        .hdr_status = le16_of(split ? r->split | RXH_SPLIT : 0),
        .length = { le16_of(slot->len[1]), le16_of(slot->len[2]), le16_of(slot->len[3]) },
    };

    memcpy(csum, &r->csum, 2);
    w.ext.hash = le32_of(pcsd ? r->hash : r->ip_id | (uint32_t)ld_le16(csum) << 16);
    ring_put(&q->ring, idx, 0, &w, q->format == RX_SPLIT ? sizeof(w) : sizeof(w.ext));
}

static void descs_fill(struct rxq *q, struct rx_data *r, const size_t size[RX_BUFS], unsigned n)
{
    size_t left = r->len;
    bool ok = true;

    for (unsigned i = 0; i < n; i++) {
        struct rx_slot slot;
        size_t room = q->format == RX_SPLIT && le64_get(q->desc[i].addr[0]) ? size[0] : 0;
        bool split = r->split && left == r->len && r->split <= room;
        size_t taken = slot_plan(q, &q->desc[i], size, left, r->split, left == r->len, &slot);
        uint32_t status = RXS_DD;

        for (unsigned b = 0; b < RX_BUFS; b++) {
            ok = (!slot.len[b] || data_put(q, r, slot.addr[b], slot.len[b])) && ok;
        }
        left -= taken;
        if (taken) {
            status |= r->status | (left ? 0 : RXS_EOP);
        }
        if (q->format == RX_LEGACY) {
            write_back_legacy(q, r, q->at[i], &slot, status);
        } else {
            write_back_ext(q, r, q->at[i], &slot, status, split && taken);
        }
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
    reg_set(&q->nic->regs, q->regs + Q_HEAD, q->ring.head * units(q));
    if (ready_before > threshold && ring_ready(&q->ring) <= threshold) {
        intr_cause(q->nic, ICR_RXDMT0 | (msix_enabled(&q->nic->pci) ? ICR_RXQ0 << q->idx : 0));
    }
}

/* ---- delivery ---- */

static enum net_tx drop(struct rxq *q, enum nic_drop why)
{
    nic_drop(&q->nic->drops, why);
    return NET_TX_DROP;
}

static enum net_tx never_fits(struct rxq *q, struct rx_data *r, const size_t size[RX_BUFS], unsigned n)
{
    struct intel_nic *s = q->nic;
    uint32_t ready = ring_ready(&q->ring) + n;

    stats_count(s, S_MPC);
    r->len = r->split = 0;                  /* empty descriptors go back, so that the guest can get on */
    if (n) {
        descs_fill(q, r, size, n);
        ring_advance(q, ready);
    }
    intr_cause(s, ICR_RXO);
    return drop(q, NIC_DROP_RX_NO_ROOM);
}

enum net_tx rxq_deliver(struct rxq *q, struct rx_data *r)
{
    size_t size[RX_BUFS];
    uint32_t ready;
    unsigned n;

    if (!q->ring_taken || q->format != rx_format(q->nic)) {
        ring_take(q);
    }
    if (!q->ring.running) {
        return drop(q, NIC_DROP_BAD_RING);
    }
    buffer_sizes(q, size);
    ready = ring_ready(&q->ring);
    switch (reserve(q, r, size, &n)) {
    case RESERVE_NEVER:
        return never_fits(q, r, size, n);
    case RESERVE_WAIT:
        ring_unpop(&q->ring);
        stats_count(q->nic, S_RNBC);
        return NET_TX_BUSY;
    case RESERVE_BROKEN:
        return drop(q, NIC_DROP_BAD_RING);
    case RESERVE_OK:
        break;
    }
    if (tsync_rx(q->nic, r)) {
        r->status |= RXS_TST;
    }
    descs_fill(q, r, size, n);
    ring_advance(q, ready);
    return NET_TX_DONE;
}

/* ---- life ---- */

void rxq_init(struct rxq *q, struct intel_nic *s, unsigned idx)
{
    q->nic = s;
    q->idx = idx;
    q->regs = R_RDBAL + idx * Q_STRIDE;
}

void rxq_reset(struct rxq *q)
{
    ring_stop(&q->ring);
    q->door = 0;
    q->ring_taken = false;
    q->format = RX_LEGACY;
}
