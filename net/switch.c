/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/switch.c - learning switches that know VLANs (IEEE 802.1Q-2018, shared parts of 802.1D)
 *
 * A frame's VLAN is that of its tag where the port is a trunk and lets that VLAN pass, else the port's own. The station that sent it is noted
 * (MAC, VLAN, port); the frame goes to the port where the destination was heard, or to all ports of the VLAN. Inside, every frame is untagged
 * with its VLAN and priority beside it: each way out has it tagged or not, and the core puts the tag in where the receiver needs it there.
 *
 * The first 18 bytes are read once, and what was read is what leaves: a guest that rewrites its buffer meanwhile cannot get into another VLAN.
 * No spanning tree: a ring of switches is a storm, as with hubs, bounded by the queues.
 */
#include "net/switch.h"
#include "core/clock.h"
#include "lib/bits.h"
#include "lib/bytes.h"
#include "lib/strparse.h"
#include "net/backends.h"
#include "net/macaddr.h"
#include "net/segment.h"
#include "net/switch_table.h"
#include "qapi/qapi-types.h"
#include <inttypes.h>
#include <string.h>

enum {
    TPID = 0x8100, VID_MASK = 0xFFF, VID_MAX = 4094, HDR = 14, TAG = 4,
    DEFAULT_VLAN = 1, DEFAULT_MACS = 4096, DEFAULT_AGEING_S = 300, MAX_MACS = 1 << 20, MAX_AGEING_S = 1000000,
};

struct net_switch {
    struct segment seg;             /* first member */
    struct mac_table table;
    uint64_t moved, not_learned;
    bool forward_reserved;
    bool reserved_set, macs_set, ageing_set;    /* by a port, in so many words */
};

enum switch_drop { DROP_VLAN, DROP_RESERVED, SWITCH_DROPS };
static const char *const drop_names[SWITCH_DROPS] = { [DROP_VLAN] = "wrong-vlan", [DROP_RESERVED] = "reserved" };

struct switch_port {
    struct segment_port p;          /* first member */
    uint16_t pvid;
    bool trunk;
    uint64_t members[(VID_MAX + 64) / 64];      /* trunk: VLANs that pass tagged */
    uint64_t drops[SWITCH_DROPS];               /* of frames that came in here */
};

static struct net_switch *switch_of(const struct switch_port *sp)
{
    return container_of(sp->p.seg, struct net_switch, seg);
}

static struct switch_port *port_of(struct net_client *c)
{
    return container_of(c, struct switch_port, p.c);
}

/* --- VLANs ------------------------------------------------------------------------------------------------------- */

static bool passes_tagged(const struct switch_port *sp, unsigned vid)
{
    return sp->trunk && vid <= VID_MAX && (sp->members[vid / 64] >> (vid % 64) & 1);
}

static bool is_member(const struct switch_port *sp, unsigned vid)
{
    return vid == sp->pvid || passes_tagged(sp, vid);
}

static bool add_range(struct switch_port *sp, const char *text)
{
    g_auto(GStrv) ends = g_strsplit(text, "-", 2);
    uint64_t lo, hi;

    if (!ends[0] || !parse_u64(ends[0], VID_MAX, &lo) || (ends[1] && !parse_u64(ends[1], VID_MAX, &hi))) {
        return false;
    }
    hi = ends[1] ? hi : lo;
    for (uint64_t v = lo; v <= hi; v++) {
        sp->members[v / 64] |= BIT(v % 64);
    }
    return lo >= 1 && lo <= hi;
}

/* "1,2,10-20", "1:2:10-20" (a comma has to be doubled on the command line) or "all" */
static bool parse_trunk(struct switch_port *sp, const char *text, Error **errp)
{
    g_auto(GStrv) parts = g_strsplit_set(strcmp(text, "all") ? text : "1-4094", ",:", -1);
    bool ok = parts[0] != NULL;

    for (unsigned i = 0; ok && parts[i]; i++) {
        ok = add_range(sp, parts[i]);
    }
    if (!ok) {
        error_setg(errp, "Parameter 'trunk' expects VLANs between 1 and %d as in 1:2:10-20, or 'all'", VID_MAX);
    }
    sp->trunk = true;
    return ok;
}

static char *trunk_text(const struct switch_port *sp)
{
    GString *s;

    if (!sp->trunk) {
        return NULL;
    }
    s = g_string_new(NULL);
    for (unsigned v = 1, end; v <= VID_MAX; v = end + 1) {
        for (end = v; passes_tagged(sp, v) && passes_tagged(sp, end + 1); end++) {
        }
        if (passes_tagged(sp, v)) {
            g_string_append_printf(s, end > v ? "%s%u-%u" : "%s%u", s->len ? "," : "", v, end);
        }
    }
    return g_string_free(s, FALSE);
}

/* --- frames ------------------------------------------------------------------------------------------------------ */

/* A frame inside the switch. */
struct passing {
    uint8_t hdr[HDR + TAG];         /* as read; the inner EtherType is at 12 */
    uint16_t vid, prio;             /* prio: the rest of the tag, in place */
    struct frame f;                 /* hdr and the rest of the original, untagged */
    uint8_t *flat;                  /* copy of a frame in too many pieces, or NULL */
};

/* IEEE 802.1Q 8.6.1, ingress filtering; false: not for this VLAN, or not a frame */
static bool classify(const struct switch_port *sp, struct passing *g, bool tagged, uint16_t tci)
{
    unsigned vid = tagged ? tci & VID_MASK : 0;

    g->prio = tagged ? tci & (uint16_t)~VID_MASK : 0;
    g->vid = vid ? (uint16_t)vid : sp->pvid;        /* a tag with VLAN 0 says the priority only */
    return !vid || (sp->trunk && is_member(sp, vid));
}

static bool take_in(const struct switch_port *sp, const struct frame *f, struct passing *g)
{
    size_t n = frame_copy_out(f, 0, g->hdr, sizeof(g->hdr)), skip = HDR;
    bool beside = f->meta.flags & PKT_VLAN, inside = !beside && n >= HDR && ld_be16(g->hdr + 12) == TPID;
    struct pkt_meta m = f->meta;

    if (n < HDR || (inside && n < HDR + TAG) || !classify(sp, g, beside || inside, inside ? ld_be16(g->hdr + 14) : m.vlan_tci)) {
        return false;
    }
    if (inside) {
        if ((m.flags & PKT_NEEDS_CSUM) && m.csum_start < HDR + TAG) {
            return false;
        }
        memmove(g->hdr + 12, g->hdr + 16, 2);
        skip += TAG;
        m.csum_start = (uint16_t)(m.flags & PKT_NEEDS_CSUM ? m.csum_start - TAG : m.csum_start);
        m.hdr_len = 0;                              /* a hint only */
    }
    m.flags &= (uint8_t)~PKT_VLAN;
    if (!frame_compose(&g->f, g->hdr, HDR, f, skip, f->len - skip)) {
        size_t len = f->len - skip;

        g->flat = g_malloc(len);
        frame_copy_out(f, skip, g->flat, len);
        frame_from_buf(&g->f, g->hdr, HDR);
        frame_append(&g->f, g->flat, len);
    }
    g->f.meta = m;
    return true;
}

static void send_out(struct switch_port *to, struct passing *g)
{
    /* Native frames of a trunk leave untagged, but not if the next switch would take an inner tag for the VLAN. */
    bool tagged = to->trunk && (g->vid != to->pvid || ld_be16(g->hdr + 12) == TPID);

    g->f.meta.flags = (uint8_t)(tagged ? g->f.meta.flags | PKT_VLAN : g->f.meta.flags & ~PKT_VLAN);
    g->f.meta.vlan_tci = (uint16_t)(tagged ? g->prio | g->vid : 0);
    net_send_queued(&to->p.c, &g->f);
}

static void send_to_vlan(const struct switch_port *from, struct passing *g)
{
    const GPtrArray *ports = from->p.seg->ports;

    for (unsigned i = 0; i < ports->len; i++) {
        struct switch_port *to = ports->pdata[i];

        if (to != from && to->p.c.peer && is_member(to, g->vid)) {
            send_out(to, g);
        }
    }
}

/* Table 8-1: addresses that a bridge does not forward */
static bool is_reserved(const uint8_t mac[6])
{
    static const uint8_t prefix[5] = { 0x01, 0x80, 0xC2, 0, 0 };

    return !memcmp(mac, prefix, sizeof(prefix)) && mac[5] <= 0x0F;
}

static void learn(struct net_switch *s, struct switch_port *from, const struct passing *g, int64_t now)
{
    const uint8_t *src = g->hdr + 6;

    if (mac_is_multicast(src) || mac_is_zero(src)) {
        return;
    }
    switch (mac_table_learn(&s->table, mac_key(g->vid, src), from, now)) {
    case MAC_MOVED:
        s->moved++;
        break;
    case MAC_TABLE_FULL:
        s->not_learned++;
        break;
    case MAC_KNOWN:
    case MAC_NEW:
        break;
    }
}

static enum net_tx drop(struct switch_port *from, struct passing *g, enum switch_drop why)
{
    from->drops[why]++;
    g_free(g->flat);
    return NET_TX_DROP;
}

static enum net_tx switch_send(struct net_client *c, const struct frame *f)
{
    struct switch_port *from = port_of(c), *to = NULL;
    struct net_switch *s = switch_of(from);
    int64_t now = clock_get_ns(CLOCK_RT);
    struct passing g;

    g.flat = NULL;
    if (!take_in(from, f, &g)) {
        return drop(from, &g, DROP_VLAN);
    }
    if (is_reserved(g.hdr) && !s->forward_reserved) {
        return drop(from, &g, DROP_RESERVED);
    }
    learn(s, from, &g, now);
    if (!mac_is_multicast(g.hdr)) {
        to = mac_table_find(&s->table, mac_key(g.vid, g.hdr), now);
    }
    if (!to) {
        send_to_vlan(from, &g);
    } else if (to != from) {
        send_out(to, &g);
    }
    g_free(g.flat);
    return NET_TX_DONE;
}

/* --- ports ------------------------------------------------------------------------------------------------------- */

static void switch_init(struct segment *seg)
{
    struct net_switch *s = container_of(seg, struct net_switch, seg);

    mac_table_init(&s->table, DEFAULT_MACS, DEFAULT_AGEING_S * NS_PER_SEC);
}

static void switch_fini(struct segment *seg)
{
    mac_table_fini(&container_of(seg, struct net_switch, seg)->table);
}

static bool in_range(const char *name, bool given, uint64_t v, uint64_t max, Error **errp)
{
    if (given && (v < 1 || v > max)) {
        error_setg(errp, "Parameter '%s' expects a value between 1 and %" PRIu64, name, max);
        return false;
    }
    return true;
}

/* What one port says of the whole switch must not contradict what another has said. */
static bool agree(const struct net_switch *s, const char *name, bool given, bool set, uint64_t have, uint64_t v, Error **errp)
{
    if (given && set && have != v) {
        error_setg(errp, "switch %u: %s=%" PRIu64 " contradicts another port's %" PRIu64, s->seg.id, name, v, have);
        return false;
    }
    return true;
}

static bool check_options(struct switch_port *sp, const NetdevSwitch *o, Error **errp)
{
    const struct segment *seg = segment_find(&segment_switch, o->switchid);
    const struct net_switch *s = seg ? container_of(seg, struct net_switch, seg) : NULL;

    if (!in_range("vlan", o->has_vlan, o->vlan, VID_MAX, errp) || (o->trunk && !parse_trunk(sp, o->trunk, errp)) ||
        !in_range("max-macs", o->has_max_macs, o->max_macs, MAX_MACS, errp) ||
        !in_range("ageing", o->has_ageing, o->ageing, MAX_AGEING_S, errp)) {
        return false;
    }
    sp->pvid = o->has_vlan ? o->vlan : DEFAULT_VLAN;
    return !s || (agree(s, "max-macs", o->has_max_macs, s->macs_set, s->table.max, o->max_macs, errp) &&
                  agree(s, "ageing", o->has_ageing, s->ageing_set, (uint64_t)(s->table.age_ns / NS_PER_SEC), o->ageing, errp) &&
                  agree(s, "forward-reserved", o->has_forward_reserved, s->reserved_set, s->forward_reserved, o->forward_reserved, errp));
}

static void set_options(struct net_switch *s, const NetdevSwitch *o)
{
    if (o->has_max_macs && !s->macs_set) {
        int64_t age_ns = s->table.age_ns;

        s->macs_set = true;
        mac_table_fini(&s->table);
        mac_table_init(&s->table, o->max_macs, age_ns);
    }
    if (o->has_ageing) {
        s->ageing_set = true;
        s->table.age_ns = o->ageing * NS_PER_SEC;
    }
    if (o->has_forward_reserved) {
        s->reserved_set = true;
        s->forward_reserved = o->forward_reserved;
    }
}

static bool switch_open(struct net_client *c, const void *cfg, Error **errp)
{
    struct switch_port *sp = port_of(c);
    const NetdevSwitch *o = cfg;
    g_autofree char *trunk = NULL;

    if (!check_options(sp, o, errp) || !segment_join(&sp->p, &segment_switch, o->switchid, o->netdev, errp)) {
        return false;
    }
    set_options(switch_of(sp), o);
    c->own_drop_names = drop_names;
    c->own_drops = sp->drops;
    c->n_own_drops = SWITCH_DROPS;
    trunk = trunk_text(sp);
    net_client_set_info(c, "switchid=%u,vlan=%u%s%s", o->switchid, sp->pvid, trunk ? ",trunk=" : "", trunk ? trunk : "");
    return true;
}

static void forget_port(struct switch_port *sp)
{
    if (sp->p.seg) {
        mac_table_forget(&switch_of(sp)->table, sp);
    }
}

static void switch_close(struct net_client *c)
{
    forget_port(port_of(c));
    segment_leave(&port_of(c)->p);
}

/* Nobody is behind a port without link. */
static void switch_rx_enable(struct net_client *c, bool on)
{
    if (!on) {
        forget_port(port_of(c));
    }
}

const struct net_backend_ops net_backend_switch = {
    .kind = "switch", .size = sizeof(struct switch_port), .open = switch_open, .send = switch_send, .rx_enable = switch_rx_enable,
    .tx_ready = segment_tx_ready, .offloads = segment_offloads, .close = switch_close,
};

const struct segment_type segment_switch = {
    .kind = "switch", .port_ops = &net_backend_switch, .size = sizeof(struct net_switch), .init = switch_init, .fini = switch_fini,
};

/* --- what there is to see ---------------------------------------------------------------------------------------- */

static void visit(const struct net_switch *s, const struct net_switch_visitor *v, void *opaque)
{
    int64_t now = clock_get_ns(CLOCK_RT);
    struct net_switch_info info = {
        .id = s->seg.id, .max_macs = s->table.max, .ageing_s = (uint32_t)(s->table.age_ns / NS_PER_SEC), .forward_reserved = s->forward_reserved,
        .moved = s->moved, .not_learned = s->not_learned,
    };
    const struct mac_entry *e;

    for (uint32_t pos = 0; mac_table_next(&s->table, &pos, now);) {
        info.macs++;
    }
    v->each(opaque, &info);
    for (unsigned i = 0; i < s->seg.ports->len; i++) {
        const struct switch_port *sp = s->seg.ports->pdata[i];
        g_autofree char *trunk = trunk_text(sp);

        v->port(opaque, &sp->p.c, sp->pvid, trunk);
    }
    for (uint32_t pos = 0; (e = mac_table_next(&s->table, &pos, now));) {
        struct net_switch_mac m = { .vlan = (uint16_t)(e->key >> 48), .port = &((const struct switch_port *)e->owner)->p.c,
                                    .age_s = (unsigned)((now - e->seen_ns) / NS_PER_SEC) };

        for (unsigned i = 0; i < 6; i++) {
            m.mac[i] = (uint8_t)(e->key >> (40 - 8 * i));
        }
        v->mac(opaque, &m);
    }
}

void net_switch_visit(const struct net_switch_visitor *v, void *opaque)
{
    struct net *n = net_get();

    for (unsigned i = 0; i < n->segments->len; i++) {
        const struct segment *seg = n->segments->pdata[i];

        if (seg->type == &segment_switch) {
            visit(container_of(seg, struct net_switch, seg), v, opaque);
        }
    }
}

static void print_switch(void *opaque, const struct net_switch_info *s)
{
    g_string_append_printf(opaque, "switch %u: %u of %u addresses, ageing %u s, forward-reserved %s, %" PRIu64 " moved, %" PRIu64 " not learned\n",
                           s->id, s->macs, s->max_macs, s->ageing_s, s->forward_reserved ? "on" : "off", s->moved, s->not_learned);
}

static void print_port(void *opaque, const struct net_client *port, unsigned vlan, const char *trunk)
{
    g_string_append_printf(opaque, "  %s: vlan %u%s%s\n", port->name, vlan, trunk ? ", trunk " : "", trunk ? trunk : "");
}

static void print_mac(void *opaque, const struct net_switch_mac *m)
{
    char text[MAC_STR_LEN];

    g_string_append_printf(opaque, "    vlan %-4u %s at %s, %u s ago\n", m->vlan, mac_format(m->mac, text), m->port->name, m->age_s);
}

void net_switch_print_info(GString *out)
{
    static const struct net_switch_visitor printer = { print_switch, print_port, print_mac };

    net_switch_visit(&printer, out);
}
