/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * softmmu/mem/space.c - address spaces: flattening the region tree, lookup and access
 *
 * A view is a sorted array of disjoint ranges. It is made by "painting" the tree, highest priority first: a range is
 * added only where nothing was painted before. Readers take a reference under a short per-space mutex; the last one frees the view.
 */
#include "mem/space.h"
#include "lib/bits.h"
#include "lib/bytes.h"
#include "softmmu/mem/space_internal.h"
#include <string.h>

struct range {
    uint64_t first, last;       /* inclusive, so that 2^64 - 1 is no special case */
    struct region *region;      /* never an alias or container */
    uint64_t off;               /* of first, in the region */
    bool readonly;
};

struct flatview {
    gint refs;
    unsigned n;
    struct range *r;
};

struct listener {
    space_listener *fn;
    void *opaque;
};

static GSList *all_spaces;      /* of struct addr_space; machine lock */

/* ---- building ---- */

static void paint_free_parts(GArray *view, struct range add)
{
    unsigned i = 0;

    while (i < view->len && g_array_index(view, struct range, i).last < add.first) {
        i++;
    }
    for (;;) {
        struct range *have = i < view->len ? &g_array_index(view, struct range, i) : NULL;
        struct range part = add;

        if (!have || have->first > add.last) {
            g_array_insert_val(view, i, part);
            return;
        }
        if (have->first > add.first) {
            uint64_t next_last = have->last;

            part.last = have->first - 1;
            g_array_insert_val(view, i, part);
            i++;                                /* "have" moved up by one */
            if (next_last >= add.last) {
                return;
            }
            add.off += next_last + 1 - add.first;
            add.first = next_last + 1;
            i++;
            continue;
        }
        if (have->last >= add.last) {
            return;
        }
        add.off += have->last + 1 - add.first;
        add.first = have->last + 1;
        i++;
    }
}

/*
 * Paint region @r, whose offset 0 would lie at @base (modulo 2^64), clipped to [first, last].
 * @depth bounds aliases of aliases.
 */
static void paint(GArray *view, struct region *r, uint64_t base, uint64_t first, uint64_t last, bool readonly, int depth)
{
    uint64_t rlast;

    if (!r->enabled || depth > 16) {
        return;
    }
    rlast = r->size ? base + r->size - 1 : ~0ULL;
    if (rlast < base) {                         /* starts below zero after an alias offset: seen modulo 2^64 */
        if (first <= rlast) {
            last = MIN(last, rlast);
        } else {
            first = MAX(first, base);
        }
    } else {
        first = MAX(first, base);
        last = MIN(last, rlast);
    }
    if (first > last) {
        return;
    }
    if (r->kind == REGION_ALIAS) {
        paint(view, r->alias, base - r->alias_off, first, last, readonly, depth + 1);
        return;
    }
    for (GList *l = r->children.head; l; l = l->next) {
        struct region *c = l->data;

        paint(view, c, base + c->addr, first, last, readonly, depth + 1);
    }
    if (r->kind != REGION_CONTAINER) {
        struct range add = { first, last, r, first - base, readonly || r->kind == REGION_ROM };

        paint_free_parts(view, add);
    }
}

static struct flatview *view_build(struct region *root)
{
    GArray *a = g_array_new(FALSE, FALSE, sizeof(struct range));
    struct flatview *v = g_new0(struct flatview, 1);

    paint(a, root, 0, 0, root->size ? root->size - 1 : ~0ULL, false, 0);
    v->refs = 1;
    v->n = a->len;
    v->r = (struct range *)(void *)g_array_free(a, FALSE);
    return v;
}

static struct flatview *view_get(struct addr_space *as)
{
    struct flatview *v;

    g_mutex_lock(&as->view_lock);
    v = as->view;
    v->refs++;
    g_mutex_unlock(&as->view_lock);
    return v;
}

static void view_put(struct addr_space *as, struct flatview *v)
{
    bool last;

    g_mutex_lock(&as->view_lock);
    last = --v->refs == 0;
    g_mutex_unlock(&as->view_lock);
    if (last) {
        g_free(v->r);
        g_free(v);
    }
}

static bool view_equal(const struct flatview *a, const struct flatview *b)
{
    if (!a || a->n != b->n) {
        return false;
    }
    for (unsigned i = 0; i < a->n; i++) {
        const struct range *x = &a->r[i], *y = &b->r[i];

        if (x->first != y->first || x->last != y->last || x->region != y->region || x->off != y->off ||
            x->readonly != y->readonly) {
            return false;
        }
    }
    return true;
}

static void space_rebuild(struct addr_space *as)
{
    struct flatview *v = view_build(as->root), *old = as->view;

    if (view_equal(old, v)) {
        g_free(v->r);
        g_free(v);
        return;
    }
    g_mutex_lock(&as->view_lock);
    as->view = v;
    g_mutex_unlock(&as->view_lock);
    if (old) {
        view_put(as, old);
    }
    for (GSList *l = as->listeners; l; l = l->next) {
        struct listener *li = l->data;

        li->fn(li->opaque);
    }
}

void spaces_rebuild(void)
{
    for (GSList *l = all_spaces; l; l = l->next) {
        space_rebuild(l->data);
    }
}

void space_init(struct addr_space *as, const char *name, struct region *root)
{
    *as = (struct addr_space){ .name = name, .root = root };
    g_mutex_init(&as->view_lock);
    root->space = as;
    all_spaces = g_slist_append(all_spaces, as);
    space_rebuild(as);
}

void space_fini(struct addr_space *as)
{
    all_spaces = g_slist_remove(all_spaces, as);
    view_put(as, as->view);
    g_slist_free_full(as->listeners, g_free);
    g_mutex_clear(&as->view_lock);
    as->root->space = NULL;
}

void space_add_listener(struct addr_space *as, space_listener *fn, void *opaque)
{
    struct listener *l = g_new(struct listener, 1);

    *l = (struct listener){ fn, opaque };
    as->listeners = g_slist_append(as->listeners, l);
}

void space_del_listener(struct addr_space *as, space_listener *fn, void *opaque)
{
    for (GSList *l = as->listeners; l; l = l->next) {
        struct listener *li = l->data;

        if (li->fn == fn && li->opaque == opaque) {
            as->listeners = g_slist_delete_link(as->listeners, l);
            g_free(li);
            return;
        }
    }
}

/* ---- lookup and access ---- */

/* The first range that ends at or after addr, or NULL. */
static const struct range *view_find(const struct flatview *v, uint64_t addr)
{
    unsigned lo = 0, hi = v->n;

    while (lo < hi) {
        unsigned mid = (lo + hi) / 2;

        if (v->r[mid].last < addr) {
            lo = mid + 1;
        } else {
            hi = mid;
        }
    }
    return lo < v->n ? &v->r[lo] : NULL;
}

bool space_lookup(struct addr_space *as, uint64_t addr, struct space_slot *slot)
{
    struct flatview *v = view_get(as);
    const struct range *r = view_find(v, addr);
    bool found = r && r->first <= addr;

    *slot = (struct space_slot){ 0 };
    if (found) {
        slot->region = r->region;
        slot->off = r->off + (addr - r->first);
        slot->len = r->last - addr == ~0ULL ? ~0ULL : r->last - addr + 1;
        slot->readonly = r->readonly;
        if (r->region->ram) {
            slot->ram = r->region->ram;
            slot->ram_off = slot->off;
            slot->host = slot->ram->host + slot->off;
        }
    } else {
        slot->len = r ? r->first - addr : ~addr ? ~addr : 1;
    }
    view_put(as, v);
    return found;
}

static unsigned ops_min(const struct region_ops *ops)
{
    return ops->min ? ops->min : 1;
}

static unsigned ops_max(const struct region_ops *ops)
{
    return ops->max ? ops->max : 4;
}

uint64_t region_io_read(struct region *r, uint64_t off, unsigned size)
{
    unsigned min = ops_min(r->ops), max = ops_max(r->ops);
    uint64_t v = 0;

    if (size < min) {
        uint64_t base = align_down(off, min);

        v = r->ops->read(r->opaque, base, min) >> (8 * (off - base));
    } else if (size > max) {
        for (unsigned i = 0; i < size; i += max) {
            v |= (r->ops->read(r->opaque, off + i, max) & bits_mask(8 * max)) << (8 * i);
        }
    } else {
        v = r->ops->read(r->opaque, off, size);
    }
    return v & bits_mask(8 * size);
}

void region_io_write(struct region *r, uint64_t off, uint64_t val, unsigned size)
{
    unsigned min = ops_min(r->ops), max = ops_max(r->ops);

    val &= bits_mask(8 * size);
    if (size < min) {
        uint64_t base = align_down(off, min);

        r->ops->write(r->opaque, base, val << (8 * (off - base)), min);
    } else if (size > max) {
        for (unsigned i = 0; i < size; i += max) {
            r->ops->write(r->opaque, off + i, (val >> (8 * i)) & bits_mask(8 * max), max);
        }
    } else {
        r->ops->write(r->opaque, off, val, size);
    }
}

uint64_t space_read(struct addr_space *as, uint64_t addr, unsigned size)
{
    struct space_slot s;

    if (!space_lookup(as, addr, &s) || s.len < size) {
        uint64_t v = 0;

        if (s.len >= size) {
            return bits_mask(8 * size);         /* nothing there: the bus floats high */
        }
        for (unsigned i = 0; i < size; i++) {
            v |= space_read(as, addr + i, 1) << (8 * i);
        }
        return v;
    }
    if (s.host) {
        return ld_le_n(s.host, size);
    }
    return region_io_read(s.region, s.off, size);
}

bool space_write_posted(struct addr_space *as, uint64_t addr, uint64_t val, unsigned size)
{
    struct space_slot s;
    const struct region_ops *ops;

    if (!space_lookup(as, addr, &s) || s.len < size || s.host) {
        return false;
    }
    ops = s.region->ops;
    return ops->post && size >= ops_min(ops) && size <= ops_max(ops) && ops->post(s.region->opaque, s.off, val & bits_mask(8 * size), size);
}

void space_write(struct addr_space *as, uint64_t addr, uint64_t val, unsigned size)
{
    struct space_slot s;

    if (!space_lookup(as, addr, &s) || s.len < size) {
        if (s.len >= size) {
            return;
        }
        for (unsigned i = 0; i < size; i++) {
            space_write(as, addr + i, (val >> (8 * i)) & 0xFF, 1);
        }
        return;
    }
    if (s.host) {
        if (!s.readonly) {
            st_le_n(s.host, val, size);
            ram_written(s.ram, s.ram_off, size);
        }
        return;
    }
    region_io_write(s.region, s.off, val, size);
}

/* The widest naturally aligned access, up to 4 bytes, that starts at @addr and stays within @len. */
static unsigned io_width(uint64_t addr, uint64_t len)
{
    unsigned w = 4;

    while (w > 1 && ((addr & (w - 1)) || w > len)) {
        w >>= 1;
    }
    return w;
}

static bool copy(struct addr_space *as, uint64_t addr, uint8_t *buf, size_t len, bool is_write, bool rom_too)
{
    bool ok = true;

    while (len) {
        struct space_slot s;
        bool found = space_lookup(as, addr, &s);
        uint64_t n = MIN(s.len, len);

        if (!found) {
            if (!is_write) {
                memset(buf, 0xFF, n);
            }
            ok = false;
        } else if (s.host) {
            if (!is_write) {
                memcpy(buf, s.host, n);
            } else if (!s.readonly || rom_too) {
                memcpy(s.host, buf, n);
                ram_written(s.ram, s.ram_off, n);
            }
        } else {
            n = io_width(addr, n);
            if (is_write) {
                region_io_write(s.region, s.off, ld_le_n(buf, n), n);
            } else {
                st_le_n(buf, region_io_read(s.region, s.off, n), n);
            }
        }
        addr += n;
        buf += n;
        len -= n;
    }
    return ok;
}

bool space_rw(struct addr_space *as, uint64_t addr, void *buf, size_t len, bool is_write)
{
    return copy(as, addr, buf, len, is_write, false);
}

bool space_write_rom(struct addr_space *as, uint64_t addr, const void *buf, size_t len)
{
    return copy(as, addr, (uint8_t *)(uintptr_t)buf, len, true, true);
}

void space_print_flat(struct addr_space *as, GString *out)
{
    struct flatview *v = view_get(as);

    g_string_append_printf(out, "address space: %s\n", as->name);
    for (unsigned i = 0; i < v->n; i++) {
        const struct range *r = &v->r[i];
        const char *kind = r->region->ram ? (r->readonly ? "rom" : "ram") : "i/o";

        g_string_append_printf(out, "  %016" G_GINT64_MODIFIER "x-%016" G_GINT64_MODIFIER "x (%s): %s", r->first,
                               r->last, kind, r->region->name);
        g_string_append_printf(out, r->off ? " @%016" G_GINT64_MODIFIER "x\n" : "\n", r->off);
    }
    view_put(as, v);
}
