/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/caps.c - do in software what the receiver does not take
 *
 * Order: tag, then segmentation or checksums. New header bytes live in buffers on this stack; payload is never copied. The meta of a guest
 * is checked against the frame before anything else uses it.
 */
#include "net/caps.h"
#include "net/offload/csum.h"
#include "net/offload/fragment.h"
#include "net/offload/segment.h"
#include "net/offload/vlan.h"
#include <glib.h>

uint32_t caps_needed(const struct pkt_meta *m)
{
    static const uint32_t gso[] = { 0, PKT_CAP_TSO4 | PKT_CAP_CSUM, PKT_CAP_TSO6 | PKT_CAP_CSUM, PKT_CAP_USO | PKT_CAP_CSUM,
                                    PKT_CAP_UFO | PKT_CAP_CSUM };
    uint32_t need = m->flags & PKT_NEEDS_CSUM ? PKT_CAP_CSUM : 0;

    if (m->gso && m->gso < G_N_ELEMENTS(gso)) {
        need |= gso[m->gso] | (m->flags & PKT_ECN ? PKT_CAP_ECN : 0);
    }
    return need | (m->flags & PKT_VLAN ? PKT_CAP_VLAN : 0);
}

static enum caps_result fragment(const struct frame *f, caps_emit_fn *emit, void *opaque)
{
    struct fragmenter fr;
    struct frame piece;
    size_t hdr, off, len;

    if (!frag_begin(&fr, f->iov, f->iovcnt, f->len, f->meta.gso_size, g_random_int())) {
        return CAPS_BAD_META;
    }
    while (frag_next(&fr, &hdr, &off, &len)) {
        if (!frame_compose(&piece, fr.hdr, hdr, f, off, len)) {
            return CAPS_BAD_META;
        }
        piece.meta = (struct pkt_meta){ .flags = (uint8_t)(f->meta.flags & PKT_VLAN), .vlan_tci = f->meta.vlan_tci, .queue = f->meta.queue };
        if (!emit(opaque, &piece)) {
            return CAPS_STOPPED;
        }
    }
    return CAPS_OK;
}

static enum caps_result segment(const struct frame *f, uint32_t caps, caps_emit_fn *emit, void *opaque)
{
    static const enum seg_kind kinds[] = { [PKT_GSO_TCP4] = SEG_TCP4, [PKT_GSO_TCP6] = SEG_TCP6, [PKT_GSO_UDP] = SEG_UDP,
                                           [PKT_GSO_UFO] = SEG_UDP };
    struct segmenter s;
    struct frame piece;
    size_t off, len;

    if (f->meta.gso >= G_N_ELEMENTS(kinds) || !seg_begin(&s, kinds[f->meta.gso], f->iov, f->iovcnt, f->len, f->meta.gso_size)) {
        return CAPS_BAD_META;
    }
    if (!(caps_needed(&f->meta) & ~caps) && f->len - s.l.payload_off > f->meta.gso_size) {
        if (!seg_whole(&s) || !frame_compose(&piece, s.hdr, s.l.payload_off, f, s.l.payload_off, f->len - s.l.payload_off)) {
            return CAPS_BAD_META;
        }
        piece.meta.flags = (uint8_t)((f->meta.flags & ~PKT_IP_CSUM) | PKT_NEEDS_CSUM | PKT_CSUM_VALID);
        piece.meta.csum_start = s.l.l4_off;
        piece.meta.csum_off = s.l.l4 == PKT_L4_TCP ? 16 : 6;
        piece.meta.hdr_len = s.l.payload_off;
        return emit(opaque, &piece) ? CAPS_OK : CAPS_STOPPED;
    }
    if (f->meta.gso == PKT_GSO_UFO) {
        return fragment(f, emit, opaque);
    }
    while (seg_next(&s, &off, &len)) {
        if (!frame_compose(&piece, s.hdr, s.l.payload_off, f, off, len)) {
            return CAPS_BAD_META;
        }
        piece.meta = (struct pkt_meta){ .flags = (uint8_t)((f->meta.flags & PKT_VLAN) | PKT_CSUM_VALID), .vlan_tci = f->meta.vlan_tci,
                                        .queue = f->meta.queue };
        if (!emit(opaque, &piece)) {
            return CAPS_STOPPED;
        }
    }
    return CAPS_OK;
}

/* Fill in the checksums that are open and that the receiver does not fill in itself. */
static enum caps_result finish_csum(const struct frame *f, uint32_t caps, caps_emit_fn *emit, void *opaque)
{
    const struct pkt_meta *m = &f->meta;
    bool l4 = (m->flags & PKT_NEEDS_CSUM) && !(caps & PKT_CAP_CSUM);
    size_t field = (size_t)m->csum_start + m->csum_off, n = l4 ? field + 2 : 0;
    g_autofree uint8_t *big = NULL;
    uint8_t small[FRAME_HDR_MAX], *hdr = small;
    struct frame g;

    if (m->flags & PKT_IP_CSUM) {
        n = MAX(n, MIN(f->len, 14 + 2 * 4 + 60));
    }
    if (n > sizeof(small)) {
        hdr = big = g_malloc(n);
    }
    frame_copy_out(f, 0, hdr, n);
    if (!frame_compose(&g, hdr, n, f, n, f->len - n)) {
        return CAPS_BAD_META;
    }
    if (m->flags & PKT_IP_CSUM) {
        struct pkt_layout l;

        pkt_parse(hdr, n, f->len, &l);
        if (l.l3 == PKT_L3_IP4) {
            csum_ip4_header(hdr + l.l3_off, (size_t)l.l4_off - l.l3_off);
        }
    }
    if (l4) {
        csum_store(hdr + field, csum_add_iov(0, g.iov, g.iovcnt, m->csum_start, f->len - m->csum_start));
        g.meta.flags &= (uint8_t)~PKT_NEEDS_CSUM;
        g.meta.flags |= PKT_CSUM_VALID;
    }
    g.meta.flags &= (uint8_t)~PKT_IP_CSUM;
    return emit(opaque, &g) ? CAPS_OK : CAPS_STOPPED;
}

static enum caps_result adapt_untagged(const struct frame *f, uint32_t caps, caps_emit_fn *emit, void *opaque)
{
    const struct pkt_meta *m = &f->meta;

    if (m->gso) {
        return segment(f, caps, emit, opaque);
    }
    if ((m->flags & PKT_NEEDS_CSUM) && (size_t)m->csum_start + m->csum_off + 2 > f->len) {
        return CAPS_BAD_META;
    }
    if ((m->flags & PKT_IP_CSUM) || ((m->flags & PKT_NEEDS_CSUM) && !(caps & PKT_CAP_CSUM))) {
        return finish_csum(f, caps, emit, opaque);
    }
    return emit(opaque, f) ? CAPS_OK : CAPS_STOPPED;
}

static enum caps_result insert_tag(const struct frame *f, uint32_t caps, caps_emit_fn *emit, void *opaque)
{
    uint8_t macs[12], hdr[16];
    struct frame g;

    frame_copy_out(f, 0, macs, sizeof(macs));
    vlan_push(hdr, macs, ETHERTYPE_VLAN, f->meta.vlan_tci);
    if (!frame_compose(&g, hdr, sizeof(hdr), f, 12, f->len - 12)) {
        return CAPS_BAD_META;
    }
    g.meta.flags &= (uint8_t)~PKT_VLAN;
    if (g.meta.flags & PKT_NEEDS_CSUM) {
        g.meta.csum_start = (uint16_t)(g.meta.csum_start + VLAN_HLEN);
    }
    return adapt_untagged(&g, caps, emit, opaque);
}

enum caps_result caps_adapt(const struct frame *f, uint32_t caps, caps_emit_fn *emit, void *opaque)
{
    const struct pkt_meta *m = &f->meta;
    bool tag = (m->flags & PKT_VLAN) && !(caps & PKT_CAP_VLAN);

    if (!m->gso && !(m->flags & (PKT_NEEDS_CSUM | PKT_IP_CSUM | PKT_VLAN))) {
        return emit(opaque, f) ? CAPS_OK : CAPS_STOPPED;
    }
    if (f->len < ETH_HLEN || m->gso > PKT_GSO_UFO || ((m->flags & PKT_NEEDS_CSUM) && m->csum_start > f->len)) {
        return CAPS_BAD_META;
    }
    if (f->iovcnt > FRAME_IOV_MAX - 4) {                    /* no room for header pieces: one piece first */
        g_autofree uint8_t *buf = g_malloc(f->len);
        struct frame g;

        frame_copy_out(f, 0, buf, f->len);
        frame_from_buf(&g, buf, f->len);
        g.meta = *m;
        return caps_adapt(&g, caps, emit, opaque);
    }
    return tag ? insert_tag(f, caps, emit, opaque) : adapt_untagged(f, caps, emit, opaque);
}
