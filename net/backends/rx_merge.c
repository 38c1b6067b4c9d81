/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/backends/rx_merge.c - a batch of frames from the host, on its way to the guest
 *
 * What the host side has sent is not trusted: only a segment whose checksums are right may be merged, because the large frame says that
 * they are. One with a wrong checksum goes to the guest as it is, behind what is held.
 */
#include "net/backends/rx_merge.h"
#include "net/nic.h"
#include "net/offload/csum.h"

static void emit(void *opaque, const uint8_t *frame, size_t len, unsigned segs, uint16_t mss, bool ip6, uint16_t l4_off)
{
    struct rx_merge *m = opaque;
    struct frame f;

    if (frame_from_merged(&f, frame, len, segs, mss, ip6, l4_off)) {
        net_send_queued(m->c, &f);      /* within bounds: the receiver was not behind when the first of them came */
    }
}

void rx_merge_init(struct rx_merge *m, struct net_client *c)
{
    m->c = c;
    m->on = false;
    coalesce_init(&m->merge, emit, m);
}

void rx_merge_fini(struct rx_merge *m)
{
    coalesce_fini(&m->merge);
}

void rx_merge_begin(struct rx_merge *m)
{
    const uint32_t large = PKT_CAP_TSO4 | PKT_CAP_TSO6;
    struct net_client *p = m->c->peer;

    m->on = p && p->nic && !m->c->filters->len && (p->ops->offloads(p) & large) == large;
}

void rx_merge_end(struct rx_merge *m)
{
    if (m->on) {
        coalesce_flush(&m->merge);
    }
}

static bool checksums_good(const uint8_t *frame, size_t len, const struct pkt_layout *l)
{
    struct iovec iov = { (void *)(uintptr_t)frame, len };

    return (l->l3 != PKT_L3_IP4 || csum_check_ip4(frame, l) == CSUM_GOOD) && csum_check_l4(&iov, 1, frame, l) == CSUM_GOOD;
}

bool rx_merge_add(struct rx_merge *m, const uint8_t *frame, size_t len)
{
    struct pkt_layout l = { .l4 = PKT_L4_NONE };
    struct frame f;

    if (!net_can_send(m->c)) {
        return false;
    }
    if (m->on) {
        pkt_parse(frame, len, len, &l);
    }
    if (l.l4 == PKT_L4_TCP && checksums_good(frame, len, &l)) {
        coalesce_add(&m->merge, frame, len);
        return true;
    }
    if (l.l4 == PKT_L4_TCP || l.fragment) {
        coalesce_flush(&m->merge);      /* it may belong behind what is held */
    }
    if (!frame_from_buf(&f, frame, len)) {
        (m->c->peer ? m->c->peer : m->c)->stats.drops[NET_DROP_OVERSIZE]++;
        return true;
    }
    if (l.l4 == PKT_L4_UDP && checksums_good(frame, len, &l)) {
        f.meta.flags = PKT_CSUM_VALID;
    }
    return net_send(m->c, &f) != NET_TX_BUSY;
}
