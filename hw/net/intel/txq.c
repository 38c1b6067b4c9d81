/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/net/intel/txq.c - transmit queue: descriptors become packets (8254x SDM 3.3, 3.4)
 *
 * Writing TDT schedules a bottom half, which fetches descriptors and gathers the buffers of one packet after another
 * into a frame of pointers to guest memory. The last descriptor (EOP) sends it (txsend.c). Descriptors with RS are
 * reported (DD) and TDH moves on when the packet no longer needs guest memory: when it has been sent, or when it was
 * copied to fifo, our stand-in for the chip's packet buffer. That happens to
 *   - a packet that is not complete when the run ends (no pointer into guest memory outlives a run),
 *   - a complete one whose receiver is busy (held; tx_ready() starts the next run),
 *   - one with more pieces than a frame takes, or that needs its bytes changed.
 * A run ends after ring_budget() descriptors or TX_BYTES_MAX bytes and schedules the next one. Reports (DD, TDH) are
 * written in batches; interrupts are considered once, at its end.
 */
#include "core.h"

static void write_backs_flush(struct txq *q)
{
    for (unsigned i = 0; i < q->wbs; i++) {
        uint8_t sts = q->wb[i].sts | TX_STATUS_DD;

        ring_put(&q->ring, q->wb[i].idx, TX_STATUS_OFF, &sts, 1);
    }
    if (q->ring_taken) {
        ring_publish(&q->ring);
        reg_set(&q->nic->regs, q->regs + Q_HEAD, q->ring.head);
    }
    for (unsigned i = 0; i < q->wbs; i++) {
        if (q->wb[i].ide) {
            q->done_late = true;
        } else {
            q->done_now = true;
        }
    }
    q->wbs = 0;
}

void txq_fifo_make(struct txq *q)
{
    if (!q->fifo) {
        q->fifo = g_malloc(TX_FIFO_SIZE);
    }
}

void txq_spill(struct txq *q)
{
    struct frame *f = &q->pkt.frame;
    struct pkt_meta m = f->meta;
    size_t len = f->len;

    txq_fifo_make(q);
    frame_copy_out(f, q->fifo_len, q->fifo + q->fifo_len, len - q->fifo_len);
    frame_from_buf(f, q->fifo, len);
    f->meta = m;
    q->fifo_len = len;
    write_backs_flush(q);
}

/* ---- gathering ---- */

static void packet_end(struct txq *q)
{
    q->pkt.open = false;
    q->fifo_len = 0;
}

static void packet_bad(struct txq *q, enum nic_drop why)
{
    if (!q->pkt.bad) {
        q->pkt.bad = true;
        nic_drop(&q->nic->drops, why);
    }
}

static void packet_begin(struct txq *q, const struct tx_desc *d)
{
    struct tx_packet *p = &q->pkt;

    p->open = true;
    p->bad = false;
    p->kind = d->kind;
    p->tse = d->tse;
    p->stamp = d->kind == TX_DATA && d->sts & TX_EXT_TS;
    p->popts = d->popts;            /* valid in the first descriptor only: 3.3.7.2 */
    p->ctx = q->ctx[d->tse];
    frame_init(&p->frame);
    q->fifo_len = 0;
}

/* Memory that cannot be pointed at (ROM, too many pieces) is copied */
static void gather_copy(struct txq *q, const struct tx_desc *d)
{
    txq_spill(q);
    if (!dma_read(&q->nic->pci.dma, d->addr, q->fifo + q->fifo_len, d->len)) {
        packet_bad(q, NIC_DROP_BAD_DMA);
        return;
    }
    frame_append(&q->pkt.frame, q->fifo + q->fifo_len, d->len);
    q->fifo_len += d->len;
}

static void gather(struct txq *q, const struct tx_desc *d)
{
    struct frame *f = &q->pkt.frame;
    struct iovec v[4];
    unsigned n;

    if (q->pkt.bad || !d->len) {
        return;
    }
    if (d->len > FRAME_MAX - f->len) {
        packet_bad(q, NIC_DROP_TX_TOO_LONG);
        return;
    }
    n = dma_map(&q->nic->pci.dma, d->addr, d->len, v, ARRAY_LEN(v));
    if (n == 0 || f->iovcnt + n > FRAME_IOV_MAX) {
        gather_copy(q, d);
        return;
    }
    for (unsigned i = 0; i < n; i++) {
        frame_append(f, v[i].iov_base, v[i].iov_len);
    }
}

static void report_later(struct txq *q, const struct tx_desc *d)
{
    if (d->rs) {
        q->wb[q->wbs].idx = ring_last(&q->ring);
        q->wb[q->wbs].sts = d->sts;
        q->wb[q->wbs++].ide = d->ide;
    }
}

/* Return: false: a complete packet waits for its receiver */
static bool packet_descriptor(struct txq *q, const struct tx_desc *d)
{
    struct tx_packet *p = &q->pkt;
    bool sent = true;

    if (!p->open) {
        packet_begin(q, d);
    }
    if (d->kind != p->kind || d->kind == TX_UNKNOWN) {
        packet_bad(q, NIC_DROP_MIXED_TYPES);
    }
    gather(q, d);
    report_later(q, d);
    if (d->eop) {
        p->ifcs = d->ifcs;          /* qualified by EOP: 3.3.3.1, 3.3.7.1 */
        p->vle = d->vle;
        p->special = d->special;
        p->ic = d->ic;
        p->cso = d->cso;
        p->css = d->css;
        sent = p->bad || tx_finish(q);
        q->held = !sent;
        if (sent) {
            packet_end(q);
        }
    }
    if (q->held || (p->open && q->wbs == TX_WRITE_BACKS)) {
        txq_spill(q);               /* reports them too */
    } else if (q->wbs == TX_WRITE_BACKS) {
        write_backs_flush(q);
    }
    return sent;
}

/* Contexts may come anywhere, also inside a packet, which then keeps the one it began with */
static void context_descriptor(struct txq *q, const struct tx_desc *d, const struct tx_wire *w)
{
    struct tx_ctx c = tx_ctx_decode(w);

    q->ctx[c.tse] = c;
    report_later(q, d);
    if (q->wbs == TX_WRITE_BACKS) {
        if (q->pkt.open) {
            txq_spill(q);
        } else {
            write_backs_flush(q);
        }
    }
}

/* ---- runs ---- */

static bool enabled(const struct txq *q)
{
    const struct intel_nic *s = q->nic;

    /* 82574 10.2.6.14: queues have switches of their own */
    return rd(s, R_TCTL) & TCTL_EN && intel_may_dma(s) &&
           (!intel_has(s, INTEL_PCIE) || rd(s, R_TARC + q->idx * Q_STRIDE) & TARC_ENABLE);
}

static void ring_take(struct txq *q)
{
    struct intel_nic *s = q->nic;
    uint32_t head = rd(s, q->regs + Q_HEAD), tail = rd(s, q->regs + Q_TAIL);
    uint64_t base = rd(s, q->regs + Q_BAL) | (uint64_t)rd(s, q->regs + Q_BAH) << 32;

    q->ring_taken = true;
    if (!ring_setup(&q->ring, &s->pci.dma, base, rd(s, q->regs + Q_LEN) & 0xFFF80, sizeof(struct tx_wire), head,
                    tail) &&
        head != tail) {
        nic_drop(&s->drops, NIC_DROP_BAD_RING);
    }
}

/* TXQE, TXD_LOW: 13.4.17 */
static void run_ended(struct txq *q, bool worked)
{
    uint32_t low = bits_get(rd(q->nic, R_TXDCTL + q->idx * Q_STRIDE), 25, 7) * 8, ready = ring_ready(&q->ring), causes = 0;

    if (!worked) {
        return;
    }
    if (ready == 0 && q->ring.running) {
        causes |= ICR_TXQE;
    }
    if (low && ready <= low) {
        causes |= ICR_TXD_LOW;
    }
    if (causes) {
        intr_cause(q->nic, causes);
    }
}

static void txq_run(void *opaque)
{
    struct txq *q = opaque;
    enum ring_status st = RING_OK;
    size_t bytes = 0;
    bool ran;
    unsigned n;

    q->looking = true;
    intel_doors(q->nic);
    q->looking = false;
    if (!enabled(q)) {
        return;
    }
    if (!q->ring_taken) {
        ring_take(q);
    }
    if (q->held) {
        if (!tx_resend(q)) {
            return;
        }
        q->held = false;
        packet_end(q);
    }
    ran = q->ring.running;
    for (n = 0; n < ring_budget(&q->ring) && bytes < TX_BYTES_MAX && !(n && machine_lock_wanted()); n++) {
        struct tx_wire w;
        struct tx_desc d;

        st = ring_pop(&q->ring, &w);
        if (st != RING_OK) {
            break;
        }
        d = tx_decode(&w);
        if (d.kind == TX_CONTEXT) {
            context_descriptor(q, &d, &w);
            continue;
        }
        bytes += d.len;
        if (!packet_descriptor(q, &d)) {
            break;
        }
    }
    if (st == RING_FAULT && ran) {
        nic_drop(&q->nic->drops, NIC_DROP_BAD_RING);
    }
    if (q->pkt.open && !q->held) {
        txq_spill(q);
    } else {
        write_backs_flush(q);
    }
    intr_tx_done(q);
    run_ended(q, n > 0);
    if (!q->held && ring_ready(&q->ring)) {
        bh_schedule(&q->bh);
    }
}

/* ---- registers ---- */

static void kick(struct txq *q)
{
    if (enabled(q) && !q->looking) {
        bh_schedule(&q->bh);
    }
}

/* TDBAL, TDBAH, TDLEN, TDH: the ring is another one now */
void tx_ring_written(void *opaque, const struct reg_access *a)
{
    struct intel_nic *s = opaque;

    s->txq[a->idx].ring_taken = false;
}

void tx_tail_written(void *opaque, const struct reg_access *a)
{
    struct intel_nic *s = opaque;
    struct txq *q = &s->txq[a->idx];

    if (q->ring_taken && q->ring.running && !ring_set_tail(&q->ring, rd(s, q->regs + Q_TAIL))) {
        nic_drop(&s->drops, NIC_DROP_BAD_RING);
    }
    kick(q);
}

/* TCTL, TARC; also called when bus mastering is switched on */
void tctl_written(void *opaque, const struct reg_access *a)
{
    struct intel_nic *s = opaque;

    for (unsigned i = 0; i < s->model->tx_queues; i++) {
        kick(&s->txq[i]);
    }
}

/* ---- life ---- */

void txq_init(struct txq *q, struct intel_nic *s, unsigned idx)
{
    q->nic = s;
    q->idx = idx;
    q->regs = R_TDBAL + idx * Q_STRIDE;
    bh_init(&q->bh, "intel-tx", txq_run, q);
}

void txq_reset(struct txq *q)
{
    ring_stop(&q->ring);
    q->door = 0;
    q->ring_taken = false;
    q->held = q->done_now = q->done_late = false;
    q->wbs = 0;
    q->fifo_len = 0;
    q->pkt.open = false;
    memset(q->ctx, 0, sizeof(q->ctx));
}

void txq_fini(struct txq *q)
{
    if (q->nic) {
        bh_fini(&q->bh);
        g_clear_pointer(&q->fifo, g_free);
        q->nic = NULL;
    }
}
