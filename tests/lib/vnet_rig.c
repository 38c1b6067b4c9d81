/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/lib/vnet_rig.c - see vnet_rig.h */
#include "vnet_rig.h"

#include "hw/virtio/virtio.h"

#include <stdlib.h>
#include <string.h>

enum { RINGS = 0x100000, RING_STEP = 0x10000, DRIVER_OFF = 0x4000, DEVICE_OFF = 0x8000, BUFFERS = 0x300000 };
enum { D_NEXT = 1, D_WRITE = 2, D_AVAIL = 1 << 7, D_USED = 1 << 15 };

/* ---- device ---- */

uint32_t vc_read(struct vnet *v, unsigned off, unsigned len)
{
    uint32_t x = (uint32_t)space_read(&v->g->as, VNET_BAR4 + off, len);

    rig_run();
    return x;
}

void vc_write(struct vnet *v, unsigned off, uint32_t val, unsigned len)
{
    space_write(&v->g->as, VNET_BAR4 + off, val, len);
    rig_run();
}

uint32_t vnet_cfg(struct vnet *v, unsigned off, unsigned len)
{
    return vc_read(v, 0x2000 + off, len);
}

/* 4.1.4: where notifications go */
static void read_caps(struct vnet *v)
{
    unsigned off = rig_config(v->g, PCI_CAP_POINTER, 1);

    for (unsigned n = 0; off && n < 32; n++) {
        if (rig_config(v->g, off, 1) == 9 && rig_config(v->g, off + 3, 1) == 2) {
            g_assert_cmpuint(rig_config(v->g, off + 4, 1), ==, 4);
            v->notify_off = rig_config(v->g, off + 8, 4);
            v->notify_mult = rig_config(v->g, off + 16, 4);
        }
        off = rig_config(v->g, off + 1, 1);
    }
}

struct vnet *vnet_new(const char *type, const char *props)
{
    struct vnet *v = g_new0(struct vnet, 1);

    v->g = rig_new_with(type, props);
    v->bump = BUFFERS;
    read_caps(v);
    return v;
}

void vnet_free(struct vnet *v)
{
    rig_free(v->g);
    g_free(v);
}

uint64_t vnet_alloc(struct vnet *v, size_t len)
{
    uint64_t a = v->bump;

    v->bump += (len + 63) & ~63ull;
    g_assert_cmpuint(v->bump, <, RIG_RAM);
    return a;
}

uint64_t vnet_offered(struct vnet *v)
{
    uint64_t f;

    vc_write(v, VC_DEV_FEATURE_SELECT, 0, 4);
    f = vc_read(v, VC_DEV_FEATURE, 4);
    vc_write(v, VC_DEV_FEATURE_SELECT, 1, 4);
    return f | (uint64_t)vc_read(v, VC_DEV_FEATURE, 4) << 32;
}

bool vnet_negotiate(struct vnet *v, uint64_t want)
{
    vc_write(v, VC_STATUS, 0, 1);
    g_assert_cmphex(vc_read(v, VC_STATUS, 1), ==, 0);
    v->bump = BUFFERS;
    vc_write(v, VC_STATUS, 1, 1);
    vc_write(v, VC_STATUS, 3, 1);
    vc_write(v, VC_DRV_FEATURE_SELECT, 0, 4);
    vc_write(v, VC_DRV_FEATURE, (uint32_t)want, 4);
    vc_write(v, VC_DRV_FEATURE_SELECT, 1, 4);
    vc_write(v, VC_DRV_FEATURE, (uint32_t)(want >> 32), 4);
    vc_write(v, VC_STATUS, 11, 1);
    v->features = want;
    v->hdr_len = want >> 57 & 1 ? 20 : want >> 32 & 1 || want >> 15 & 1 ? 12 : 10;
    return vc_read(v, VC_STATUS, 1) == 11;
}

static void write64(struct vnet *v, unsigned off, uint64_t val)
{
    vc_write(v, off, (uint32_t)val, 4);
    vc_write(v, off + 4, (uint32_t)(val >> 32), 4);
}

void vdq_setup(struct vnet *v, unsigned n, unsigned size)
{
    struct vdq *q = &v->q[n];
    uint64_t at = RINGS + (uint64_t)n * RING_STEP;

    g_assert_cmpuint(size, <=, ARRAY_LEN(q->free));
    memset(q, 0, offsetof(struct vdq, free));
    memset(q->chain, 0, size * sizeof(q->chain[0]));
    memset(q->next, 0, size * sizeof(q->next[0]));
    memset(rig_ram_span(v->g, at, 16 * size), 0, 16 * size);
    memset(rig_ram_span(v->g, at + DRIVER_OFF, 8 + 2 * size), 0, 8 + 2 * size);
    memset(rig_ram_span(v->g, at + DEVICE_OFF, 8 + 8 * size), 0, 8 + 8 * size);
    q->index = n;
    q->size = size;
    q->desc = at;
    q->driver = at + DRIVER_OFF;
    q->device = at + DEVICE_OFF;
    q->packed = v->features >> VIRTIO_F_RING_PACKED & 1;
    q->avail_wrap = q->used_wrap = q->kicked_wrap = true;
    q->nfree = (uint16_t)size;
    for (unsigned i = 0; i < size; i++) {
        q->free[i] = (uint16_t)(size - 1 - i);
    }
    vc_write(v, VC_QUEUE_SELECT, n, 2);
    vc_write(v, VC_QUEUE_SIZE, size, 2);
    write64(v, VC_QUEUE_DESC, q->desc);
    write64(v, VC_QUEUE_DRIVER, q->driver);
    write64(v, VC_QUEUE_DEVICE, q->device);
    vc_write(v, VC_QUEUE_ENABLE, 1, 2);
}

void vnet_start(struct vnet *v, uint64_t want)
{
    want |= BIT(VIRTIO_F_VERSION_1);
    g_assert_cmphex(want & ~vnet_offered(v), ==, 0);
    g_assert_true(vnet_negotiate(v, want));
    v->nqueues = vc_read(v, VC_NUM_QUEUES, 2);
    g_assert_cmpuint(v->nqueues, <=, VNET_QUEUES);
    for (unsigned i = 0; i < v->nqueues; i++) {
        vc_write(v, VC_QUEUE_SELECT, i, 2);
        vdq_setup(v, i, vc_read(v, VC_QUEUE_SIZE, 2));
    }
    vc_write(v, VC_STATUS, 15, 1);
    g_assert_cmphex(vc_read(v, VC_STATUS, 1), ==, 15);
}

/* ---- rings ---- */

static void put_desc(struct vnet *v, struct vdq *q, unsigned slot, struct vbuf b, unsigned flags, unsigned next_or_id)
{
    uint8_t *p = rig_ram(v->g, q->desc + 16ull * slot);

    st_le64(p, b.addr);
    st_le32(p + 8, b.len);
    if (q->packed) {
        st_le16(p + 12, (uint16_t)next_or_id);
        st_le16(p + 14, (uint16_t)flags);
    } else {
        st_le16(p + 12, (uint16_t)flags);
        st_le16(p + 14, (uint16_t)next_or_id);
    }
}

static unsigned add_split(struct vnet *v, struct vdq *q, const struct vbuf *b, unsigned nout, unsigned n)
{
    unsigned head = 0, slot, next = q->free[--q->nfree];
    uint8_t *avail = rig_ram(v->g, q->driver);

    for (unsigned i = 0; i < n; i++) {
        slot = next;
        head = i ? head : slot;
        next = i + 1 < n ? q->free[--q->nfree] : 0;
        q->next[slot] = (uint16_t)next;
        put_desc(v, q, slot, b[i], (i + 1 < n ? D_NEXT : 0) | (i >= nout ? D_WRITE : 0), next);
    }
    q->chain[head] = (uint16_t)n;
    st_le16(avail + 4 + 2 * (q->avail % q->size), (uint16_t)head);
    st_le16(avail + 2, ++q->avail);
    return head;
}

static unsigned add_packed(struct vnet *v, struct vdq *q, const struct vbuf *b, unsigned nout, unsigned n)
{
    unsigned id = q->free[--q->nfree], first = q->avail, first_flags = 0;

    for (unsigned i = 0; i < n; i++) {
        unsigned f = (i + 1 < n ? D_NEXT : 0) | (i >= nout ? D_WRITE : 0) | (q->avail_wrap ? D_AVAIL : D_USED);

        put_desc(v, q, q->avail, b[i], i ? f : f ^ D_AVAIL ^ D_USED, id);
        first_flags = i ? first_flags : f;
        if (++q->avail == q->size) {
            q->avail = 0;
            q->avail_wrap = !q->avail_wrap;
        }
    }
    q->chain[id] = (uint16_t)n;
    st_le16(rig_ram(v->g, q->desc + 16ull * first + 14), (uint16_t)first_flags);
    return id;
}

unsigned vdq_add(struct vnet *v, struct vdq *q, const struct vbuf *out, unsigned nout, const struct vbuf *in,
                 unsigned nin)
{
    struct vbuf b[300];

    g_assert_cmpuint(nout + nin, <=, ARRAY_LEN(b));
    g_assert_cmpuint(nout + nin, <=, q->nfree);
    if (nout) {
        memcpy(b, out, nout * sizeof(*b));
    }
    if (nin) {
        memcpy(b + nout, in, nin * sizeof(*b));
    }
    return q->packed ? add_packed(v, q, b, nout, nout + nin) : add_split(v, q, b, nout, nout + nin);
}

static bool wanted_split(struct vnet *v, struct vdq *q)
{
    const uint8_t *used = rig_ram(v->g, q->device);
    uint16_t old = q->kicked;

    q->kicked = q->avail;
    if (v->features >> VIRTIO_F_EVENT_IDX & 1) {
        return (uint16_t)(q->avail - ld_le16(used + 4 + 8 * q->size) - 1) < (uint16_t)(q->avail - old);
    }
    return !(ld_le16(used) & 1);
}

static bool wanted_packed(struct vnet *v, struct vdq *q)
{
    const uint8_t *e = rig_ram(v->g, q->device);
    uint16_t flags = ld_le16(e + 2), off = ld_le16(e) & 0x7FFF, old = q->kicked, event, now = q->avail;

    q->kicked = q->avail;
    if (flags < 2) {
        q->kicked_wrap = q->avail_wrap;
        return flags == 0;
    }
    event = off;
    if ((ld_le16(e) >> 15 & 1) != q->avail_wrap) {
        event = (uint16_t)(event - q->size);
    }
    if (q->kicked_wrap != q->avail_wrap) {
        old = (uint16_t)(old - q->size);
    }
    q->kicked_wrap = q->avail_wrap;
    return (uint16_t)(now - event - 1) < (uint16_t)(now - old);
}

void vdq_kick(struct vnet *v, struct vdq *q)
{
    if (q->packed ? wanted_packed(v, q) : wanted_split(v, q)) {
        vdq_kick_anyway(v, q);
    } else {
        rig_run();
    }
}

void vdq_kick_anyway(struct vnet *v, struct vdq *q)
{
    vc_write(v, VC_QUEUE_SELECT, q->index, 2);
    vc_write(v, v->notify_off + v->notify_mult * vc_read(v, VC_QUEUE_NOTIFY_OFF, 2), q->index, 2);
}

static bool get_split(struct vnet *v, struct vdq *q, unsigned *id, uint32_t *len)
{
    const uint8_t *used = rig_ram(v->g, q->device), *e = used + 4 + 8 * (q->used % q->size);
    unsigned slot;

    if (ld_le16(used + 2) == q->used) {
        return false;
    }
    *id = ld_le32(e);
    *len = ld_le32(e + 4);
    g_assert_cmpuint(*id, <, q->size);
    slot = *id;
    for (unsigned i = 0; i < q->chain[*id]; i++) {
        q->free[q->nfree++] = (uint16_t)slot;
        slot = q->next[slot];
    }
    q->used++;
    return true;
}

static bool get_packed(struct vnet *v, struct vdq *q, unsigned *id, uint32_t *len)
{
    const uint8_t *p = rig_ram(v->g, q->desc + 16ull * q->used);
    unsigned f = ld_le16(p + 14);

    if (!!(f & D_AVAIL) != q->used_wrap || !!(f & D_USED) != q->used_wrap) {
        return false;
    }
    *len = ld_le32(p + 8);
    *id = ld_le16(p + 12);
    g_assert_cmpuint(*id, <, q->size);
    q->free[q->nfree++] = (uint16_t)*id;
    q->used = (uint16_t)(q->used + q->chain[*id]);
    if (q->used >= q->size) {
        q->used = (uint16_t)(q->used - q->size);
        q->used_wrap = !q->used_wrap;
    }
    return true;
}

bool vdq_get(struct vnet *v, struct vdq *q, unsigned *id, uint32_t *len)
{
    return q->packed ? get_packed(v, q, id, len) : get_split(v, q, id, len);
}

/* ---- packets ---- */

static void post(struct vnet *v, struct vdq *q, uint64_t addr, uint32_t len)
{
    struct vbuf b = { addr, len };
    unsigned id = vdq_add(v, q, NULL, 0, &b, 1);

    q->buf[id] = addr;
    q->buf_len[id] = len;
}

void vnet_fill(struct vnet *v, unsigned qn, unsigned n, uint32_t len)
{
    for (unsigned i = 0; i < n; i++) {
        post(v, &v->q[qn], vnet_alloc(v, len), len);
    }
    vdq_kick(v, &v->q[qn]);
}

bool vnet_got(struct vnet *v, unsigned qn, struct vpacket *p)
{
    struct vdq *q = &v->q[qn];
    unsigned left = 1, id;
    uint32_t len;

    p->bufs = 0;
    p->len = 0;
    for (; left; left--) {
        const uint8_t *mem;

        if (!vdq_get(v, q, &id, &len)) {
            g_assert_cmpuint(p->bufs, ==, 0);           /* a packet comes whole */
            return false;
        }
        g_assert_cmpuint(len, <=, q->buf_len[id]);
        mem = rig_ram(v->g, q->buf[id]);
        if (!p->bufs) {
            g_assert_cmpuint(len, >=, v->hdr_len);
            memset(p->hdr, 0, sizeof(p->hdr));
            memcpy(p->hdr, mem, v->hdr_len);
            left = v->hdr_len > 10 ? ld_le16(mem + 10) : 1;
            g_assert_cmpuint(left, >=, 1);
            mem += v->hdr_len;
            len -= v->hdr_len;
        }
        g_assert_cmpuint(p->len + len, <=, sizeof(p->data));
        memcpy(p->data + p->len, mem, len);
        p->len += len;
        p->bufs++;
        post(v, q, q->buf[id], q->buf_len[id]);
    }
    vdq_kick(v, q);
    return true;
}

bool vnet_send(struct vnet *v, unsigned qn, const uint8_t *hdr, const void *p, size_t len, unsigned pieces)
{
    struct vdq *q = &v->q[qn];
    size_t total = v->hdr_len + len, off = 0;
    g_autofree uint8_t *all = g_malloc0(total);
    uint64_t bump = v->bump;
    struct vbuf b[256];
    unsigned id, got, n = 0;
    uint32_t got_len;

    if (hdr) {
        memcpy(all, hdr, v->hdr_len);
    }
    memcpy(all + v->hdr_len, p, len);
    for (unsigned i = 0; i < pieces && off < total; i++) {
        size_t cut = i + 1 == pieces ? total - off : MIN(total - off, MAX(1, total / pieces));

        /* no two pieces touch, so that none can be joined */
        b[n] = (struct vbuf){ vnet_alloc(v, cut + 64), (uint32_t)cut };
        memcpy(rig_ram_span(v->g, b[n].addr, cut), all + off, cut);
        n++;
        off += cut;
    }
    id = vdq_add(v, q, b, n, NULL, 0);
    vdq_kick(v, q);
    if (!vdq_get(v, q, &got, &got_len)) {
        return false;
    }
    g_assert_cmpuint(got, ==, id);
    v->bump = bump;
    return true;
}

uint8_t vnet_ctrl_cmd(struct vnet *v, unsigned class, unsigned cmd, const void *data, size_t len)
{
    bool mq = v->features & (BIT(22) | BIT(60));
    struct vdq *q = &v->q[mq ? v->nqueues - 1 : 2];
    uint64_t bump = v->bump, at = vnet_alloc(v, len + 16);
    uint8_t *p = rig_ram(v->g, at);
    struct vbuf out[2] = { { at + 8, 2 }, { at + 16, (uint32_t)len } }, in = { at, 1 };
    unsigned id, got;
    uint32_t got_len;

    p[0] = 0xFF;
    p[8] = (uint8_t)class;
    p[9] = (uint8_t)cmd;
    if (len) {
        memcpy(p + 16, data, len);
    }
    id = vdq_add(v, q, out, len ? 2 : 1, &in, 1);
    vdq_kick(v, q);
    if (vdq_get(v, q, &got, &got_len)) {
        g_assert_cmpuint(got, ==, id);
        g_assert_cmpuint(got_len, ==, 1);
    }
    v->bump = bump;
    return rig_ram(v->g, at)[0];
}

uint64_t vnet_drops(struct vnet *v, const char *reason)
{
    g_autoptr(GString) s = g_string_new(NULL);
    g_autofree char *word = g_strdup_printf("%s ", reason);
    const char *p;

    v->g->dev->dev.type->describe(&v->g->dev->dev, s, 0);
    p = strstr(s->str, "drops:");
    p = p ? strstr(p, word) : NULL;
    return p ? strtoull(p + strlen(word), NULL, 10) : 0;
}
