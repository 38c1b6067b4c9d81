/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/offload/coalesce.c - merge consecutive TCP segments
 *
 * A flow slot holds one growing frame. A segment either extends it, or makes it leave first. Anything that is not plain TCP data
 * (SYN, FIN, RST, URG, ECN marks, options that differ, no payload) passes by itself, behind what is held of its flow.
 */
#include "net/offload/coalesce.h"
#include "lib/bytes.h"
#include "net/offload/csum.h"
#include <stdlib.h>

enum { TCP_PSH = 0x08, TCP_ACK = 0x10 };

void coalesce_init(struct coalesce *c, coalesce_emit_fn *emit, void *opaque)
{
    memset(c, 0, sizeof(*c));
    c->emit = emit;
    c->opaque = opaque;
}

static void flow_emit(struct coalesce *c, struct coalesce_flow *f)
{
    size_t len = f->len;

    if (!len) {
        return;
    }
    f->len = 0;
    if (f->segs > 1) {
        uint8_t *ip = f->buf + f->l3_off;
        uint16_t v;

        if (f->ip6) {
            st_be16(ip + 4, (uint16_t)(len - f->l4_off));
        } else {
            st_be16(ip + 2, (uint16_t)(len - f->l3_off));
            csum_ip4_header(ip, 20);
        }
        v = csum_fold(csum_pseudo(ip, f->ip6 ? PKT_L3_IP6 : PKT_L3_IP4, IPPROTO_NR_TCP, (uint32_t)(len - f->l4_off)));
        memcpy(f->buf + f->l4_off + 16, &v, 2);
    }
    c->emit(c->opaque, f->buf, len, f->segs, f->mss, f->ip6, f->l4_off);
}

void coalesce_flush(struct coalesce *c)
{
    for (unsigned i = 0; i < COALESCE_FLOWS; i++) {
        flow_emit(c, &c->flow[i]);
    }
}

void coalesce_fini(struct coalesce *c)
{
    for (unsigned i = 0; i < COALESCE_FLOWS; i++) {
        free(c->flow[i].buf);
        c->flow[i] = (struct coalesce_flow){ 0 };
    }
}

/* MACs, EtherType, addresses and ports are equal */
static bool same_flow(const struct coalesce_flow *f, const uint8_t *p, const struct pkt_layout *l)
{
    size_t addr = f->ip6 ? 8 : 12, addr_len = f->ip6 ? 32 : 8;

    return f->len && f->l3_off == l->l3_off && f->l4_off == l->l4_off && !memcmp(f->buf, p, f->l3_off) &&
           !memcmp(f->buf + f->l3_off + addr, p + f->l3_off + addr, addr_len) && !memcmp(f->buf + f->l4_off, p + f->l4_off, 4);
}

static bool is_plain_data(const uint8_t *p, const struct pkt_layout *l)
{
    return l->l4 == PKT_L4_TCP && !l->fragment && l->l3_len_ok && !l->vlans && l->l3_end > l->payload_off &&
           (p[l->l4_off + 13] & ~TCP_PSH) == TCP_ACK && l->l4_off - l->l3_off == (l->l3 == PKT_L3_IP4 ? 20 : 40);
}

/* Can @p be put behind what @f holds so that cutting gives both back? */
static bool extends(const struct coalesce_flow *f, const uint8_t *p, const struct pkt_layout *l)
{
    size_t n = l->l3_end - l->payload_off;
    const uint8_t *a = f->buf, *ip = p + l->l3_off;
    size_t o3 = f->l3_off, o4 = f->l4_off;

    if (f->closed || f->payload_off != l->payload_off || n > f->mss || f->len + n > COALESCE_BYTES || ld_be32(p + o4 + 4) != f->next_seq ||
        memcmp(a + o4 + 20, p + o4 + 20, f->payload_off - o4 - 20)) {
        return false;                                       /* TCP options must be equal, time stamps too */
    }
    if (f->ip6) {
        return !memcmp(a + o3, ip, 4) && a[o3 + 7] == ip[7];                            /* class and label, hop limit */
    }
    return a[o3 + 1] == ip[1] && a[o3 + 8] == ip[8] && (a[o3 + 6] & 0x40) == (ip[6] & 0x40);    /* TOS, TTL, DF */
}

static void start_flow(struct coalesce_flow *f, const uint8_t *p, const struct pkt_layout *l)
{
    f->len = l->l3_end;
    memcpy(f->buf, p, f->len);
    f->l3_off = l->l3_off;
    f->l4_off = l->l4_off;
    f->payload_off = l->payload_off;
    f->ip6 = l->l3 == PKT_L3_IP6;
    f->mss = (uint16_t)(l->l3_end - l->payload_off);
    f->segs = 1;
    f->next_seq = ld_be32(p + l->l4_off + 4) + f->mss;
    f->closed = p[l->l4_off + 13] & TCP_PSH;
}

static void extend_flow(struct coalesce_flow *f, const uint8_t *p, const struct pkt_layout *l)
{
    size_t n = l->l3_end - l->payload_off;

    memcpy(f->buf + f->len, p + l->payload_off, n);
    f->len += n;
    f->segs++;
    f->next_seq += (uint32_t)n;
    memcpy(f->buf + f->l4_off + 8, p + l->l4_off + 8, 4);           /* newest acknowledgement */
    memcpy(f->buf + f->l4_off + 14, p + l->l4_off + 14, 2);         /* and window */
    f->buf[f->l4_off + 13] |= p[l->l4_off + 13] & TCP_PSH;
    f->closed = n < f->mss || (p[l->l4_off + 13] & TCP_PSH);
}

static struct coalesce_flow *free_slot(struct coalesce *c)
{
    struct coalesce_flow *f = NULL;

    for (unsigned i = 0; i < COALESCE_FLOWS && !f; i++) {
        f = c->flow[i].len ? NULL : &c->flow[i];
    }
    if (!f) {
        f = &c->flow[c->victim++ % COALESCE_FLOWS];
        flow_emit(c, f);
    }
    if (!f->buf) {
        f->buf = malloc(COALESCE_BYTES);
    }
    return f->buf ? f : NULL;
}

void coalesce_add(struct coalesce *c, const uint8_t *p, size_t len)
{
    struct coalesce_flow *f = NULL;
    struct pkt_layout l;

    pkt_parse(p, len, len, &l);
    if (l.l4 != PKT_L4_TCP) {
        if (l.fragment) {
            coalesce_flush(c);                              /* may be a piece of any flow */
        }
        c->emit(c->opaque, p, len, 1, 0, l.l3 == PKT_L3_IP6, 0);
        return;
    }
    for (unsigned i = 0; i < COALESCE_FLOWS && !f; i++) {
        f = same_flow(&c->flow[i], p, &l) ? &c->flow[i] : NULL;
    }
    if (f && is_plain_data(p, &l) && extends(f, p, &l)) {
        extend_flow(f, p, &l);
        return;
    }
    if (f) {
        flow_emit(c, f);
    }
    if (len <= COALESCE_BYTES && is_plain_data(p, &l)) {
        f = f ? f : free_slot(c);
        if (f) {
            start_flow(f, p, &l);
            return;
        }
    }
    c->emit(c->opaque, p, len, 1, 0, l.l3 == PKT_L3_IP6, 0);
}
