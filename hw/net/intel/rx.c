/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/net/intel/rx.c - a frame from the wire: what the guest will find in its descriptors (8254x SDM 3.2, 82574 7.1)
 *
 *   guest buffer:  frame without its tag (CTRL.VME) | FCS unless RCTL.SECRC
 *
 * Filters decide whether it is for the guest; then its headers are parsed, once, and checksums, RSS hash and queue,
 * time stamp and the end of the headers (for packet split) are worked out into a struct rx_data. rxq.c writes that.
 */
#include "core.h"

#include "net/offload/csum.h"
#include "net/offload/toeplitz.h"
#include "net/offload/vlan.h"

#include <string.h>
#include <zlib.h>

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
        r->status |= RXS_VP;
        r->vlan = tci;
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

/* ---- checksums ---- */

/* 13.4.32; the 82574 says it in RFCTL */
static bool checks_ip6(const struct intel_nic *s)
{
    return intel_has(s, INTEL_RXEXT) ? !(rd(s, R_RFCTL) & (RFCTL_IPV6_DIS | RFCTL_IPV6_XSUM_DIS))
                                     : rd(s, R_RXCSUM) & RXCSUM_IPV6OFL;
}

/* 3.2.9: what was checked and how it ended */
static void csum_status(struct intel_nic *s, struct rx_data *r, const struct frame *f)
{
    const struct pkt_layout *l = &r->l;
    uint32_t on = rd(s, R_RXCSUM);
    enum csum_state l4 = CSUM_NONE;

    if (l->l3 == PKT_L3_IP4 && on & RXCSUM_IPOFL) {
        r->status |= RXS_IPCS;
        r->errors |= csum_check_ip4(r->hdr, l) == CSUM_BAD ? RXE_IPE : 0;
    }
    if (on & RXCSUM_TUOFL && (l->l3 == PKT_L3_IP4 || (l->l3 == PKT_L3_IP6 && checks_ip6(s))) && !l->fragment &&
        (l->l4 == PKT_L4_TCP || l->l4 == PKT_L4_UDP)) {
        l4 = f->meta.flags & PKT_CSUM_VALID ? CSUM_GOOD : csum_check_l4(f->iov, f->iovcnt, r->hdr, l);
    }
    if (l4 != CSUM_NONE) {
        r->status |= RXS_TCPCS | (intel_has(s, INTEL_RXEXT) && l->l4 == PKT_L4_UDP ? RXS_UDPCS : 0);
        r->errors |= l4 == CSUM_BAD ? RXE_TCPE : 0;
    }
    if (!(r->status & (RXS_IPCS | RXS_TCPCS))) {
        r->status |= RXS_IXSM;
    }
}

/* 82574 7.1.11.2: fragments of UDP: sum of the IP payload, and the identification that they share */
static bool fragment_csum(struct rx_data *r, const struct frame *f)
{
    const struct pkt_layout *l = &r->l;

    if (l->l3 != PKT_L3_IP4 || !l->fragment || l->proto != IPPROTO_NR_UDP || l->l4_off > l->l3_end ||
        l->l3_end > f->len) {
        return false;
    }
    r->csum = csum_fold(csum_add_iov(0, f->iov, f->iovcnt, l->l4_off, l->l3_end - l->l4_off));
    r->ip_id = ld_be16(r->hdr + l->l3_off + 4);
    r->status |= RXS_IPIDV;
    if (l->l4 == PKT_L4_UDP && ld_be16(r->hdr + l->l4_off + 6)) {
        r->status |= RXS_UDPV;          /* the first one, and its checksum says something */
    }
    return true;
}

/* 13.4.32 PCSS: 16-bit sum of what is stored from that byte on */
static void packet_csum(struct intel_nic *s, struct rx_data *r, const struct frame *f)
{
    uint32_t on = rd(s, R_RXCSUM);
    size_t start = on & RXCSUM_PCSS;
    uint64_t sum;

    if (on & RXCSUM_PCSD || (on & RXCSUM_IPPCSE && fragment_csum(r, f))) {
        return;
    }
    sum = start < r->len ? csum_add_iov(0, r->v, r->cnt, start, r->len - start) : 0;
    r->csum = csum_fold(sum);
}

static bool is_multicast(const struct rx_data *r)
{
    return r->hdr[0] & 1 && memcmp(r->hdr, "\xff\xff\xff\xff\xff\xff", 6) != 0;
}

/* 13.2.2: packets that matched a hash only may be someone else's */
static void inexact_status(struct intel_nic *s, struct rx_data *r)
{
    if (is_multicast(r) && !(rd(s, R_RCTL) & RCTL_MPE)) {
        r->status |= RXS_PIF;
    }
}

/* ---- what the 82574 finds out beyond that ---- */

/* MRQC 20:16 (82574 10.2.5.22) in the words of net/offload, and the number that the descriptor reports */
static const struct {
    unsigned type;
    uint8_t field, report;
} rss_fields[] = {
    { RSS_TCP4, 0, RSS_TYPE_TCP4 },    { RSS_IP4, 1, RSS_TYPE_IP4 }, { RSS_TCP6, 2, RSS_TYPE_TCP6 },
    { RSS_TCP6_EX, 2, RSS_TYPE_TCP6 }, { RSS_IP6_EX, 3, RSS_TYPE_IP6_EX }, { RSS_IP6, 4, RSS_TYPE_IP6 },
};

/* 82574 7.1.11.7: hash, and the queue that RETA gives for its low seven bits */
static unsigned rss(struct intel_nic *s, struct rx_data *r)
{
    uint32_t mrqc = rd(s, R_MRQC);
    uint8_t key[TOEPLITZ_KEY_LEN], input[RSS_INPUT_MAX];
    unsigned types = 0, type;
    size_t len;

    if (!intel_has(s, INTEL_RXEXT) || (mrqc & 3) != MRQC_RSS) {
        return 0;
    }
    for (unsigned i = 0; i < ARRAY_LEN(rss_fields); i++) {
        types |= mrqc >> (MRQC_FIELDS_SHIFT + rss_fields[i].field) & 1 ? rss_fields[i].type : 0;
    }
    if (r->l.l3 == PKT_L3_IP6 && rd(s, R_RFCTL) & RFCTL_IPV6_DIS) {
        types = 0;
    }
    type = types ? rss_input(r->hdr, &r->l, types, input, &len) : 0;
    if (!type) {
        return 0;
    }
    for (unsigned i = 0; i < TOEPLITZ_KEY_LEN / 4; i++) {
        st_le32(key + 4 * i, rd(s, R_RSSRK + 4 * i));
    }
    r->hash = toeplitz_hash(key, input, len);
    for (unsigned i = 0; i < ARRAY_LEN(rss_fields); i++) {
        if (rss_fields[i].type == type) {
            r->rss_type = rss_fields[i].report;
        }
    }
    return rd(s, R_RETA + (r->hash & 0x7C)) >> (8 * (r->hash & 3)) >> 7 & 1;
}

/* 82574 7.1.5.2: where the headers of a packet end: behind TCP or UDP, else behind IP, else nowhere */
static size_t header_end(const struct intel_nic *s, const struct rx_data *r)
{
    const struct pkt_layout *l = &r->l;
    uint32_t rfctl = rd(s, R_RFCTL);
    size_t end;

    if (l->l3 == PKT_L3_NONE || (l->l3 == PKT_L3_IP6 && rfctl & RFCTL_IPV6_DIS) ||
        (l->fragment && rfctl & RFCTL_IPFRSP_DIS)) {
        return 0;
    }
    end = !l->fragment && (l->l4 == PKT_L4_TCP || l->l4 == PKT_L4_UDP) ? l->payload_off : l->l4_off;
    if (r->status & RXS_VP && end >= ETH_HLEN + VLAN_HLEN) {
        end -= VLAN_HLEN;
    }
    return end <= RXH_LEN_MAX && end < r->len ? end : 0;
}

/* 82574 7.4.2.4: a TCP segment without data that acknowledges something; RAID is stored, the cause comes at once */
static void ack_detect(struct intel_nic *s, struct rx_data *r)
{
    const struct pkt_layout *l = &r->l;

    if (intel_has(s, INTEL_RXEXT) && !(rd(s, R_RFCTL) & RFCTL_ACK_DIS) && l->l4 == PKT_L4_TCP && !l->fragment &&
        l->payload_off >= l->l3_end && r->hdr[l->l4_off + 13] & 0x10) {
        r->status |= RXS_ACK;
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
    return rd(s, R_RCTL) & RCTL_EN && intel_may_dma(s) && (intel_link_up(s) || intel_loopback(s));
}

static unsigned describe(struct intel_nic *s, struct rx_data *r, const struct frame *f)
{
    unsigned queue;

    pkt_parse(r->hdr, r->hdr_len, f->len, &r->l);
    data_make(s, r, f);
    csum_status(s, r, f);
    packet_csum(s, r, f);
    inexact_status(s, r);
    queue = rss(s, r);
    ack_detect(s, r);
    if (rx_format(s) == RX_SPLIT) {
        r->split = header_end(s, r);
    }
    return queue;
}

enum net_tx intel_receive(void *opaque, const struct frame *f)
{
    struct intel_nic *s = opaque;
    struct rx_data r;
    enum net_tx st;
    unsigned queue;

    intel_doors(s);
    if (!enabled(s)) {
        return rx_drop(s, NIC_DROP_RX_DISABLED);
    }
    if (!rx_length_ok(s, f->len + FCS_LEN)) {
        stats_count(s, S_ROC);
        return rx_drop(s, NIC_DROP_RX_TOO_LONG);
    }
    r.cnt = r.at = 0;
    r.off = r.len = r.split = 0;
    r.status = r.hash = 0;
    r.errors = r.rss_type = 0;
    r.csum = r.ip_id = r.vlan = 0;
    r.hdr_len = frame_copy_out(f, 0, r.hdr, sizeof(r.hdr));
    if (r.hdr_len < FRAME_MIN || !rx_filter(s, r.hdr, r.hdr_len)) {
        return rx_drop(s, NIC_DROP_RX_FILTER);
    }
    queue = describe(s, &r, f);
    st = rxq_deliver(&s->rxq[queue], &r);
    if (st == NET_TX_DONE) {
        stats_rx(s, f->len, r.hdr);
        if (r.status & RXS_ACK) {
            intr_cause(s, ICR_ACK);
        }
        intr_rx_done(&s->rxq[queue], f->len);
    } else if (st == NET_TX_BUSY) {
        intel_rx_starved(s);
    }
    return st;
}

/* ---- registers ---- */

void rx_ring_written(void *opaque, const struct reg_access *a)
{
    struct intel_nic *s = opaque;

    s->rxq[a->idx].ring_taken = false;
}

void rx_tail_written(void *opaque, const struct reg_access *a)
{
    struct intel_nic *s = opaque;
    struct rxq *q = &s->rxq[a->idx];

    __atomic_store_n(&s->rx_starved, false, __ATOMIC_SEQ_CST);
    if (q->ring_taken && q->ring.running && !rxq_set_tail(q)) {
        nic_drop(&s->drops, NIC_DROP_BAD_RING);
    }
    nic_rx_ready(s->nic);
}

/* RCTL, RFCTL; also called when bus mastering is switched on */
void rctl_written(void *opaque, const struct reg_access *a)
{
    struct intel_nic *s = opaque;

    if (enabled(s)) {
        nic_rx_ready(s->nic);
    }
}
