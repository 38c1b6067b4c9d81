/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/net/intel/vmstate.c - what a saved machine holds of a gigabit NIC
 *
 * Registers, EEPROM, PHY and the timers are what a guest sees. Of the rings there is nothing: between two runs of a
 * queue all that was fetched has been published, so base, length, head and tail in the registers say everything, and
 * the queues take them over (with all the checks of a guest's write) when they next run. Only that a ring was refused,
 * or broke, and is out of use until the guest sets it up again, is a fact of its own. A packet that is half gathered,
 * or that waits for a busy peer, is in the queue's fifo and comes along in a subsection.
 *
 * Not here: sizes of descriptors and buffers (registers), the state of the interrupt line (recomputed), and whether
 * a cable is plugged in: that is as the destination has it, and the guest hears of a difference.
 */
#include "core.h"

#include "hw/net/vmstate.h"

/* ---- transmit ---- */

static const struct vmstate vmstate_tx_ctx = {
    .name = "tx-context", .version = 1,
    .fields = (const struct vmstate_field[]){
        VMS(struct tx_ctx, ipcss),
        VMS(struct tx_ctx, ipcso),
        VMS(struct tx_ctx, ipcse),
        VMS(struct tx_ctx, tucss),
        VMS(struct tx_ctx, tucso),
        VMS(struct tx_ctx, tucse),
        VMS(struct tx_ctx, paylen, .mask = 0xFFFFF),
        VMS(struct tx_ctx, hdr_len),
        VMS(struct tx_ctx, mss),
        VMS(struct tx_ctx, tcp),
        VMS(struct tx_ctx, ip4),
        VMS_END,
    },
};

static bool packet_open(const void *opaque)
{
    return ((const struct txq *)opaque)->pkt.open;
}

/* No pointer into guest memory may be left. A ring that works is taken again from the registers, here as there */
static void txq_pre_save(void *opaque)
{
    struct txq *q = opaque;

    if (q->pkt.open && q->pkt.frame.len != q->fifo_len) {
        txq_spill(q);
    }
    q->ring_taken = q->ring_taken && !q->ring.running;
}

static bool txq_post_load(void *opaque, Error **errp)
{
    struct txq *q = opaque;

    if (q->nic) {
        q->ring.head = q->ring.next = rd(q->nic, q->regs + Q_HEAD);     /* of a ring out of use: it stays there */
    }
    return true;
}

static bool packet_pre_load(void *opaque, Error **errp)
{
    struct txq *q = opaque;

    if (!q->nic) {
        error_setg(errp, "this model has no such queue");
        return false;
    }
    txq_fifo_make(q);
    return true;
}

static bool packet_post_load(void *opaque, Error **errp)
{
    struct txq *q = opaque;
    struct tx_packet *p = &q->pkt;
    struct pkt_meta m = p->frame.meta;

    if (q->held && (q->fifo_len < FRAME_MIN || p->bad)) {
        error_setg(errp, "a packet of %u bytes cannot wait for its receiver", q->fifo_len);
        return false;
    }
    frame_from_buf(&p->frame, q->fifo, q->fifo_len);
    if (q->held) {
        p->frame.meta = m;
    }
    p->open = true;
    return true;
}

/* What only the last descriptor says is not here: it has not come, or has been used up */
static const struct vmstate vmstate_tx_packet = {
    .name = "packet", .version = 1, .needed = packet_open, .pre_load = packet_pre_load, .post_load = packet_post_load,
    .fields = (const struct vmstate_field[]){
        VMS(struct txq, held),
        VMS(struct txq, pkt.bad),
        VMS(struct txq, pkt.kind, .max = TX_UNKNOWN),
        VMS(struct txq, pkt.tse),
        VMS(struct txq, pkt.stamp),
        VMS(struct txq, pkt.popts),
        VMS_STRUCT(struct txq, pkt.ctx, vmstate_tx_ctx),
        VMS(struct txq, pkt.frame.meta.flags),      /* of a held packet; the net layer checks them against the frame */
        VMS(struct txq, pkt.frame.meta.gso, .max = PKT_GSO_UFO),
        VMS(struct txq, pkt.frame.meta.gso_size),
        VMS(struct txq, pkt.frame.meta.hdr_len),
        VMS(struct txq, pkt.frame.meta.csum_start),
        VMS(struct txq, pkt.frame.meta.csum_off),
        VMS(struct txq, pkt.frame.meta.vlan_tci),
        VMS(struct txq, fifo_len, .max = FRAME_MAX),
        VMS_VBYTES_PTR(struct txq, fifo, fifo_len, FRAME_MAX),
        VMS_END,
    },
};

static const struct vmstate vmstate_txq = {
    .name = "txq", .version = 1, .pre_save = txq_pre_save, .post_load = txq_post_load,
    .fields = (const struct vmstate_field[]){
        VMS(struct txq, ring_taken),                /* and not running: out of use */
        VMS_STRUCT_ARRAY(struct txq, ctx, vmstate_tx_ctx),
        VMS_END,
    },
    .subsections = (const struct vmstate *const[]){ &vmstate_tx_packet, NULL },
};

/* ---- receive ---- */

static void rxq_pre_save(void *opaque)
{
    struct rxq *q = opaque;

    q->ring_taken = q->ring_taken && !q->ring.running;
}

static const struct vmstate vmstate_rxq = {
    .name = "rxq", .version = 1, .pre_save = rxq_pre_save,
    .fields = (const struct vmstate_field[]){
        VMS(struct rxq, ring_taken),
        VMS(struct rxq, format, .max = RX_SPLIT),
        VMS_END,
    },
};

/* ---- interrupts ---- */

static const struct vmstate vmstate_vector = {
    .name = "vector", .version = 1,
    .fields = (const struct vmstate_field[]){
        VMS_TIMER(struct intel_vector, itr),
        VMS(struct intel_vector, next_ns),
        VMS(struct intel_vector, waiting),
        VMS_END,
    },
};

static bool has_vectors(const void *opaque)
{
    return ((const struct intel_nic *)opaque)->model->vectors > 0;
}

static bool vectors_pre_load(void *opaque, Error **errp)
{
    struct intel_nic *s = opaque;

    if (s->model->vectors != INTEL_VECTORS_MAX) {
        error_setg(errp, "this model has %u", s->model->vectors);
        return false;
    }
    return true;
}

static const struct vmstate vmstate_vectors = {
    .name = "vectors", .version = 1, .needed = has_vectors, .pre_load = vectors_pre_load,
    .fields = (const struct vmstate_field[]){
        VMS_STRUCT_ARRAY(struct intel_nic, intr.vec, vmstate_vector),
        VMS_END,
    },
};

/* ---- the NIC ---- */

static bool phy_pages_ok(const struct intel_nic *s, Error **errp)
{
    for (unsigned i = 0; i < PHY_PAGED_MAX; i++) {
        const struct phy_page_reg *r = i < s->model->nphy_pages ? &s->model->phy_pages[i] : NULL;
        uint16_t wrong = r ? (s->phy_paged[i] ^ r->reset) & (uint16_t)~r->rw : s->phy_paged[i];

        if (wrong) {
            error_setg(errp, "PHY page register %u: 0x%x: bits 0x%x never change", i, s->phy_paged[i], wrong);
            return false;
        }
    }
    return true;
}

static bool intel_post_load(void *opaque, Error **errp)
{
    struct intel_nic *s = opaque;

    if (!phy_pages_ok(s, errp)) {
        return false;
    }
    s->intr.line = s->pci.irq_level;
    mii_set_cable(&s->phy, nic_link_up(s->nic));
    intel_link_update(s);
    intr_update(s);
    ra_written(s, &(struct reg_access){ .idx = 0 });
    tctl_written(s, NULL);
    rctl_written(s, NULL);
    return true;
}

static void intel_pre_save(void *opaque)
{
    intel_doors(opaque);
}

const struct vmstate vmstate_intel = {
    .name = "intel-gigabit", .version = 1, .pre_save = intel_pre_save, .post_load = intel_post_load,
    .fields = (const struct vmstate_field[]){
        VMS_CODED(struct intel_nic, regs, vmstate_regfile, REGFILE_STREAM_MAX),
        VMS(struct intel_nic, io_addr),
        VMS(struct intel_nic, link),
        VMS_STRUCT(struct intel_nic, eeprom, vmstate_eeprom93),
        VMS_STRUCT(struct intel_nic, phy, vmstate_mii),
        VMS(struct intel_nic, phy_page),
        VMS_ARRAY(struct intel_nic, phy_paged),
        VMS(struct intel_nic, systim),
        VMS(struct intel_nic, systim_ns),
        VMS_TIMER(struct intel_nic, intr.itr),
        VMS_TIMER(struct intel_nic, intr.tidv),
        VMS_TIMER(struct intel_nic, intr.tadv),
        VMS_TIMER(struct intel_nic, intr.rdtr),
        VMS_TIMER(struct intel_nic, intr.radv),
        VMS(struct intel_nic, intr.tx_late, .mask = ICR_QUEUES),
        VMS(struct intel_nic, intr.rx_late, .mask = ICR_QUEUES),
        VMS(struct intel_nic, intr.next_ns),
        VMS_STRUCT_ARRAY(struct intel_nic, txq, vmstate_txq),
        VMS_STRUCT_ARRAY(struct intel_nic, rxq, vmstate_rxq),
        VMS_END,
    },
    .subsections = (const struct vmstate *const[]){ &vmstate_vectors, NULL },
};
