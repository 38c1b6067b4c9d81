/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/net/intel/tsync.c - time stamps of PTP packets (IEEE 1588; 82574 datasheet 7.7, 10.2.10)
 *
 * SYSTIM counts in units that the driver chooses: every TIMINCA.IP x 40 ns it grows by TIMINCA.IV. It is computed when
 * somebody looks: s->systim is its value at s->systim_ns. Reading SYSTIML holds SYSTIMH.
 *
 * A stamp register takes one time and keeps it, VALID set, until its upper half is read. Transmit: descriptors with
 * TX_EXT_TS. Receive: the packets that TSYNCRXCTL.TYPE, RXCFGL and RXUDP describe; their descriptors have TST.
 */
#include "core.h"

enum { TICK_NS = 40, PTP_HDR = 34, V1_CONTROL_OFF = 32,
       V1_UUID_OFF = 22, V2_IDENTITY_OFF = 20, SEQUENCE_OFF = 30 };
enum { TYPE_L2_V2 = 0, TYPE_L4_V1 = 1, TYPE_V2 = 2, TYPE_ALL = 4, TYPE_EVENT_V2 = 5 };
enum { MSG_DELAY_REQ = 1, MSG_PDELAY_REQ = 2, MSG_PDELAY_RESP = 3 };

static uint64_t now_systim(struct intel_nic *s)
{
    uint32_t inca = rd(s, R_TIMINCA);
    uint64_t period = (uint64_t)(inca >> 24) * TICK_NS, ticks;
    int64_t now = clock_get_ns(CLOCK_VIRTUAL);

    if (!period || now < s->systim_ns) {
        return s->systim;
    }
    ticks = (uint64_t)(now - s->systim_ns) / period;
    s->systim += ticks * (inca & 0xFFFFFF);
    s->systim_ns += (int64_t)(ticks * period);
    return s->systim;
}

void tsync_reset(struct intel_nic *s)
{
    s->systim = 0;
    s->systim_ns = clock_get_ns(CLOCK_VIRTUAL);
}

uint32_t systim_read(void *opaque, const struct reg_access *a)
{
    struct intel_nic *s = opaque;
    uint64_t t;

    if (a->reg->off == R_SYSTIMH) {
        return a->val;
    }
    t = now_systim(s);
    reg_set(&s->regs, R_SYSTIMH, t >> 32);
    return t;
}

/* SYSTIML, SYSTIMH: set; TIMINCA: another speed from now on; TIMADJH: add or (bit 31) subtract what is in the pair */
void systim_written(void *opaque, const struct reg_access *a)
{
    struct intel_nic *s = opaque;
    uint32_t inca = rd(s, R_TIMINCA);
    uint64_t t, adj;

    if (a->reg->off == R_TIMINCA) {
        reg_set(&s->regs, R_TIMINCA, a->old);
        now_systim(s);
        reg_set(&s->regs, R_TIMINCA, inca);
        s->systim_ns = clock_get_ns(CLOCK_VIRTUAL);
        return;
    }
    t = now_systim(s);
    switch (a->reg->off) {
    case R_SYSTIML:
        s->systim = bits_put(t, 0, 32, a->val);
        s->systim_ns = clock_get_ns(CLOCK_VIRTUAL);
        break;
    case R_SYSTIMH:
        s->systim = bits_put(t, 32, 32, a->val);
        break;
    default:
        adj = rd(s, R_TIMADJL) | (uint64_t)(a->val & 0x7FFFFFFF) << 32;
        s->systim = a->val >> 31 ? t - adj : t + adj;
        break;
    }
}

static void take(struct intel_nic *s, uint32_t ctl, uint32_t low)
{
    uint64_t t = now_systim(s);

    reg_set(&s->regs, low, t);
    reg_set(&s->regs, low + 4, t >> 32);
    reg_or(&s->regs, ctl, TSYNC_VALID);
}

/* TXSTMPH, RXSTMPH */
uint32_t stamp_high_read(void *opaque, const struct reg_access *a)
{
    struct intel_nic *s = opaque;

    reg_clear(&s->regs, a->reg->off == R_TXSTMPH ? R_TSYNCTXCTL : R_TSYNCRXCTL, TSYNC_VALID);
    return a->val;
}

void tsync_tx(struct intel_nic *s)
{
    if (intel_has(s, INTEL_TSYNC) && (rd(s, R_TSYNCTXCTL) & (TSYNC_EN | TSYNC_VALID)) == TSYNC_EN) {
        take(s, R_TSYNCTXCTL, R_TXSTMPL);
    }
}

/* ---- which received packets ---- */

static bool v2_match(unsigned type, const uint8_t *ptp, uint8_t wanted)
{
    unsigned msg = ptp[0] & 0xF;

    if ((ptp[1] & 0xF) != 2) {
        return false;
    }
    if (type == TYPE_EVENT_V2) {
        return msg < 8;
    }
    return msg == (wanted & 0xF) || msg == MSG_PDELAY_REQ || msg == MSG_PDELAY_RESP;
}

/* The PTP message in the packet, or NULL; *l4: over UDP to the event port */
static const uint8_t *ptp_find(struct intel_nic *s, const struct rx_data *r, bool *l4)
{
    uint32_t port = rd(s, R_RXUDP) & 0xFFFF;
    size_t off;

    if (r->l.ethertype == (rd(s, R_RXCFGL) & 0xFFFF)) {
        *l4 = false;
        off = ETH_HLEN + r->l.vlans * VLAN_HLEN;
    } else if (r->l.l4 == PKT_L4_UDP && !r->l.fragment &&
               ld_be16(r->hdr + r->l.l4_off + 2) == (port >> 8 | (port & 0xFF) << 8)) {    /* in network order */
        *l4 = true;
        off = r->l.payload_off;
    } else {
        return NULL;
    }
    return off + PTP_HDR <= r->hdr_len ? r->hdr + off : NULL;
}

static bool wanted(struct intel_nic *s, const uint8_t *ptp, bool l4)
{
    unsigned type = bits_get(rd(s, R_TSYNCRXCTL), TSYNC_TYPE_SHIFT, 3);
    uint32_t cfg = rd(s, R_RXCFGL);

    switch (type) {
    case TYPE_L4_V1:
        return l4 && (ptp[1] & 0xF) == 1 && ptp[V1_CONTROL_OFF] == ((cfg >> 16) & 0xFF);
    case TYPE_L2_V2:
        return !l4 && v2_match(type, ptp, cfg >> 24);
    case TYPE_V2:
    case TYPE_EVENT_V2:
        return v2_match(type, ptp, cfg >> 24);
    default:
        return false;
    }
}

bool tsync_rx(struct intel_nic *s, const struct rx_data *r)
{
    uint32_t ctl;
    const uint8_t *ptp;
    bool l4;

    if (!intel_has(s, INTEL_TSYNC) || !((ctl = rd(s, R_TSYNCRXCTL)) & TSYNC_EN) || ctl & TSYNC_VALID) {
        return false;
    }
    ptp = ptp_find(s, r, &l4);
    if (bits_get(ctl, TSYNC_TYPE_SHIFT, 3) != TYPE_ALL && (!ptp || !wanted(s, ptp, l4))) {
        return false;
    }
    take(s, R_TSYNCRXCTL, R_RXSTMPL);
    if (ptp) {                          /* 10.2.10.5: who sent it, and its number */
        const uint8_t *id = ptp + ((ptp[1] & 0xF) == 1 ? V1_UUID_OFF : V2_IDENTITY_OFF);

        reg_set(&s->regs, R_RXSATRL, ld_le32(id));
        reg_set(&s->regs, R_RXSATRH, ld_le16(id + 4) | (uint32_t)ld_be16(ptp + SEQUENCE_OFF) << 16);
    }
    return true;
}
