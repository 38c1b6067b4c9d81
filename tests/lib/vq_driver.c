/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/lib/vq_driver.c - a well-behaved driver of split and packed virtqueues (VIRTIO 1.3, 2.7 and 2.8) */
#include "tests/lib/vq_driver.h"

#include "lib/bits.h"
#include "lib/bytes.h"

#include <glib.h>

enum { F_NEXT = 1, F_WRITE = 2, F_INDIRECT = 4, F_AVAIL = 0x80, F_USED = 0x8000 };

static uint64_t rings_bytes(uint16_t size)
{
    return align_up(16ull * size + 6 + 2ull * size, 4096) + align_up(8ull * size + 6, 4096);
}

uint64_t vqd_bytes(uint16_t size)
{
    return rings_bytes(size) + 16ull * VQD_TABLE_MAX * size;
}

void vqd_init(struct vqd *d, uint8_t *ram, uint64_t base, uint16_t size, bool packed, bool event_idx)
{
    *d = (struct vqd){ .ram = ram, .packed = packed, .event_idx = event_idx, .size = size, .free = size,
                       .desc = base, .driver = base + 16ull * size, .avail_wrap = true, .used_wrap = true };
    d->device = align_up(d->driver + 6 + 2ull * size, 4096);
    d->tables = base + rings_bytes(size);
    memset(ram + base, 0, rings_bytes(size));
    for (unsigned i = 0; i < size; i++) {
        d->free_list[d->nfree_list++] = size - 1 - i;
    }
}

uint8_t *vqd_desc(struct vqd *d, unsigned i)
{
    return d->ram + d->desc + 16ull * i;
}

uint8_t *vqd_avail_entry(struct vqd *d, unsigned i)
{
    return d->ram + d->driver + 4 + 2ull * (i % d->size);
}

static void put(uint8_t *p, uint64_t addr, uint32_t len, uint16_t a, uint16_t b)
{
    st_le64(p, addr);
    st_le32(p + 8, len);
    st_le16(p + 12, a);
    st_le16(p + 14, b);
}

/* The two formats differ in where flags and next or id are */
static void put_desc(struct vqd *d, uint8_t *p, uint64_t addr, uint32_t len, uint16_t flags, uint16_t last)
{
    put(p, addr, len, d->packed ? last : flags, d->packed ? flags : last);
}

void vqd_put_desc(struct vqd *d, unsigned i, uint64_t addr, uint32_t len, uint16_t flags, uint16_t last)
{
    put_desc(d, vqd_desc(d, i), addr, len, flags, last);
}

void vqd_put_avail(struct vqd *d, uint16_t head)
{
    if (d->packed) {
        uint8_t *p = vqd_desc(d, head) + 14;

        st_le16(p, (ld_le16(p) & ~(F_AVAIL | F_USED)) | (d->avail_wrap ? F_AVAIL : F_USED));
    } else {
        st_le16(vqd_avail_entry(d, d->avail), head);
        st_le16(d->ram + d->driver + 2, ++d->avail);
    }
    d->added++;
}

static unsigned table(struct vqd *d, uint64_t at, const struct vqd_buf *b, unsigned out, unsigned in)
{
    for (unsigned i = 0; i < out + in; i++) {
        uint16_t flags = i >= out ? F_WRITE : 0;

        if (!d->packed && i + 1 < out + in) {
            flags |= F_NEXT;
        }
        put_desc(d, d->ram + at + 16ull * i, b[i].addr, b[i].len, flags, d->packed ? 0 : i + 1);
    }
    return 16 * (out + in);
}

static bool add_split(struct vqd *d, const struct vqd_buf *b, unsigned out, unsigned in, bool indirect, void *token)
{
    unsigned n = indirect ? 1 : out + in;
    uint16_t head = d->free_list[d->nfree_list - 1], idx = head;

    if (indirect) {
        uint64_t at = d->tables + 16ull * VQD_TABLE_MAX * head;

        vqd_put_desc(d, head, at, table(d, at, b, out, in), F_INDIRECT, 0);
    } else {
        for (unsigned i = 0; i < n; i++) {
            uint16_t next = i + 1 < n ? d->free_list[d->nfree_list - 2 - i] : 0;

            vqd_put_desc(d, idx, b[i].addr, b[i].len, (i >= out ? F_WRITE : 0) | (i + 1 < n ? F_NEXT : 0), next);
            idx = next;
        }
    }
    d->nfree_list -= n;
    d->free -= n;
    d->slot[head] = (struct vqd_slot){ true, n, token };
    vqd_put_avail(d, head);
    return true;
}

static bool add_packed(struct vqd *d, const struct vqd_buf *b, unsigned out, unsigned in, bool indirect, void *token)
{
    unsigned n = indirect ? 1 : out + in;
    uint16_t id = d->free_list[--d->nfree_list], pos = d->avail, first_flags = 0, first = d->avail;
    uint64_t at = d->tables + 16ull * VQD_TABLE_MAX * id;
    unsigned len = indirect ? table(d, at, b, out, in) : 0;

    for (unsigned i = 0; i < n; i++) {
        uint16_t flags = indirect ? F_INDIRECT : (i >= out ? F_WRITE : 0) | (i + 1 < n ? F_NEXT : 0);

        flags |= d->avail_wrap ? F_AVAIL : F_USED;
        if (i == 0) {
            first_flags = flags;
            flags = ld_le16(vqd_desc(d, pos) + 14);     /* not yet */
        }
        vqd_put_desc(d, pos, indirect ? at : b[i].addr, indirect ? len : b[i].len, flags, id);
        if (++pos == d->size) {
            pos = 0;
            d->avail_wrap = !d->avail_wrap;
        }
    }
    st_le16(vqd_desc(d, first) + 14, first_flags);
    d->avail = pos;
    d->free -= n;
    d->added += n;
    d->slot[id] = (struct vqd_slot){ true, n, token };
    return true;
}

bool vqd_add(struct vqd *d, const struct vqd_buf *b, unsigned out, unsigned in, bool indirect, void *token)
{
    unsigned n = indirect ? 1 : out + in;

    if (n > d->free || !d->nfree_list || (indirect && out + in > VQD_TABLE_MAX)) {
        return false;
    }
    return (d->packed ? add_packed : add_split)(d, b, out, in, indirect, token);
}

static bool need_event(uint16_t event, uint16_t new, uint16_t old)
{
    return (uint16_t)(new - event - 1) < (uint16_t)(new - old);
}

bool vqd_kick_needed(struct vqd *d)
{
    uint16_t added = d->added, event;
    uint8_t *dev = d->ram + d->device;

    d->added = 0;
    if (!added) {
        return false;
    }
    if (!d->packed) {
        return d->event_idx ? need_event(ld_le16(dev + 4 + 8ull * d->size), d->avail, d->avail - added)
                            : !(ld_le16(dev) & 1);
    }
    switch (ld_le16(dev + 2) & 3) {
    case 0:
        return true;
    case 2:
        event = ld_le16(dev) & 0x7FFF;
        if ((ld_le16(dev) >> 15) != d->avail_wrap) {
            event -= d->size;
        }
        return need_event(event, d->avail, d->avail - added);
    default:
        return false;
    }
}

static bool is_used(struct vqd *d)
{
    uint16_t f;

    if (!d->packed) {
        return ld_le16(d->ram + d->device + 2) != d->used;
    }
    f = ld_le16(vqd_desc(d, d->used) + 14);
    return !!(f & F_AVAIL) == d->used_wrap && !!(f & F_USED) == d->used_wrap;
}

void *vqd_get(struct vqd *d, uint32_t *len, uint16_t *idp)
{
    uint16_t id;
    struct vqd_slot *s;

    if (!is_used(d)) {
        return NULL;
    }
    if (d->packed) {
        uint8_t *p = vqd_desc(d, d->used);

        id = ld_le16(p + 12);
        *len = ld_le32(p + 8);
    } else {
        uint8_t *p = d->ram + d->device + 4 + 8ull * (d->used % d->size);

        id = ld_le32(p);
        *len = ld_le32(p + 4);
    }
    g_assert_cmpuint(id, <, d->size);
    s = &d->slot[id];
    g_assert_true(s->live);
    s->live = false;
    d->free += s->ndesc;
    if (d->packed) {
        d->free_list[d->nfree_list++] = id;
        d->used += s->ndesc;
        if (d->used >= d->size) {
            d->used -= d->size;
            d->used_wrap = !d->used_wrap;
        }
    } else {
        uint16_t idx = id;

        for (unsigned i = 0; i < s->ndesc; i++) {
            d->free_list[d->nfree_list++] = idx;
            idx = ld_le16(vqd_desc(d, idx) + 14);
        }
        d->used++;
    }
    if (idp) {
        *idp = id;
    }
    return s->token;
}

bool vqd_callbacks(struct vqd *d, bool on)
{
    uint8_t *drv = d->ram + d->driver;

    if (d->packed) {
        st_le16(drv, d->used | d->used_wrap << 15);
        st_le16(drv + 2, !on ? 1 : d->event_idx ? 2 : 0);
    } else if (d->event_idx) {
        if (on) {
            st_le16(drv + 4 + 2ull * d->size, d->used);
        }
    } else {
        st_le16(drv, !on);
    }
    return on && is_used(d);
}
