/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * softmmu/migration/load.c - from a stranger's bytes to an object, or an error that names section, field and reason
 *
 * One recursive walk over table and stream together, run twice: first it only looks (store == false), then it stores.
 * Recursion follows the tables, lengths are compared with what is left of the enclosing section before they are used,
 * and counts with the table before anything is multiplied by them.
 */
#include "internal.h"
#include "lib/bits.h"

#include <inttypes.h>
#include <string.h>

/* Where the walk is: a chain on the C stack, innermost first */
struct where {
    const struct where *up;
    const char *name;
    int64_t idx;            /* -1: no array */
};

static void where_print(const struct where *w, GString *out)
{
    if (w->up) {
        where_print(w->up, out);
        g_string_append_c(out, '.');
    }
    g_string_append(out, w->name);
    if (w->idx >= 0) {
        g_string_append_printf(out, "[%" PRIi64 "]", w->idx);
    }
}

static bool G_GNUC_PRINTF(3, 4) fail(Error **errp, const struct where *w, const char *fmt, ...)
{
    g_autoptr(GString) s = g_string_new(NULL);
    va_list ap;

    where_print(w, s);
    g_string_append(s, ": ");
    va_start(ap, fmt);
    g_string_append_vprintf(s, fmt, ap);
    va_end(ap);
    error_setg(errp, "%s", s->str);
    return false;
}

/* A hook has refused: its text behind ours */
static bool fail_hook(Error **errp, const struct where *w, Error *err)
{
    fail(errp, w, "%s", err ? error_text(err) : "refused");
    error_free(err);
    return false;
}

static bool load_section(const struct vmstate *v, void *opaque, struct vms_reader *r, bool store,
                         const struct where *at, Error **errp);

/* ---- fields ---- */

struct field_header {
    uint8_t kind;
    uint32_t count, len;
    struct vms_reader body;     /* @len bytes, only with ok set */
};

static bool get_field_header(const struct vmstate_field *f, struct vms_reader *r, struct field_header *h,
                             const struct where *at, Error **errp)
{
    char name[VMSTATE_NAME_MAX + 1];

    if (!r->left) {
        return fail(errp, at, "is missing");
    }
    if (vms_get(r, 1) != VMS_TAG_FIELD || !vms_get_name(r, name, sizeof(name))) {
        return fail(errp, at, "the stream has no field here");
    }
    if (strcmp(name, f->name) != 0) {
        return fail(errp, at, "the stream has '%s' here", name);
    }
    h->kind = (uint8_t)vms_get(r, 1);
    h->count = (uint32_t)vms_get(r, 4);
    h->len = (uint32_t)vms_get(r, 4);
    if (!r->ok) {
        return fail(errp, at, "is cut off");
    }
    if (h->kind != f->kind) {
        return fail(errp, at, "is %s (%u) in the stream, %s here", vms_kind_name(h->kind), h->kind,
                    vms_kind_name(f->kind));
    }
    if (h->len > r->left) {
        return fail(errp, at, "%u bytes, only %zu left", h->len, r->left);
    }
    h->body = vms_reader_of(vms_get_bytes(r, h->len), h->len);
    return true;
}

static bool check_counts(const struct vmstate_field *f, const struct field_header *h, void *opaque, bool store,
                         const struct where *at, Error **errp)
{
    unsigned wire = vms_kind_size(f->kind);
    bool variable = f->flags & VMF_VARRAY;

    if (h->count > f->num) {
        return fail(errp, at, "%u values, at most %u", h->count, f->num);
    }
    if (h->count != f->num && !variable && f->kind != VMS_CODEC) {
        return fail(errp, at, "%u values, %u expected", h->count, f->num);
    }
    if (wire && h->len != (uint64_t)h->count * wire) {
        return fail(errp, at, "%u bytes for %u values", h->len, h->count);
    }
    if (store && variable && vms_member_count(f, opaque) != h->count) {
        return fail(errp, at, "%u values, but its count says %" PRIu64, h->count, vms_member_count(f, opaque));
    }
    if (store && h->count && f->kind != VMS_SKIP && !vms_member_base(f, opaque)) {
        return fail(errp, at, "there is no room for it in this device");
    }
    return true;
}

static bool load_integer(const struct vmstate_field *f, char *p, struct vms_reader *r, bool store,
                         const struct where *at, Error **errp)
{
    uint64_t v = vms_get(r, vms_kind_size(f->kind));
    g_autoptr(GString) why = NULL;

    if (f->kind == VMS_I32) {
        v = (uint64_t)(int64_t)(int32_t)v;
    }
    if (!store) {
        why = g_string_new(NULL);
        return vms_value_ok(f, v, why) || fail(errp, at, "%s", why->str);
    }
    if (f->kind != VMS_DEADLINE) {
        vms_member_set(p, f->kind, v);
    } else if ((int64_t)v < 0) {
        timer_disarm((struct timer *)(void *)p);
    } else {
        timer_arm((struct timer *)(void *)p, (int64_t)v);
    }
    return true;
}

static bool load_codec(const struct vmstate_field *f, void *base, struct field_header *h, const struct where *at,
                       Error **errp)
{
    Error *err = NULL;

    return f->codec->load(base, f, h->body.p, h->len, &err) || fail_hook(errp, at, err);
}

static bool load_values(const struct vmstate_field *f, char *base, struct field_header *h, bool store,
                        const struct where *at, Error **errp)
{
    bool array = f->num > 1 || f->flags & VMF_VARRAY;

    for (uint32_t i = 0; i < h->count; i++) {
        struct where w = { at->up, at->name, array ? (int64_t)i : -1 };
        char *p = base ? base + i * f->size : NULL;
        bool ok = f->kind == VMS_SECTION ? load_section(f->vmsd, p, &h->body, store, &w, errp)
                                         : load_integer(f, p, &h->body, store, &w, errp);

        if (!ok) {
            return false;
        }
    }
    return !h->body.left || fail(errp, at, "%zu bytes left over", h->body.left);
}

static bool load_field(const struct vmstate_field *f, void *opaque, struct vms_reader *r, bool store,
                       const struct where *up, Error **errp)
{
    struct where at = { up, f->name, -1 };
    struct field_header h;
    char *base;

    if (!get_field_header(f, r, &h, &at, errp) || !check_counts(f, &h, opaque, store, &at, errp)) {
        return false;
    }
    base = store && f->kind != VMS_SKIP ? vms_member_base(f, opaque) : NULL;
    switch (f->kind) {
    case VMS_SKIP:
        return true;
    case VMS_BUFFER:
        if (store && h.len) {
            memcpy(base, h.body.p, h.len);
        }
        return true;
    case VMS_CODEC:
        return !store || load_codec(f, base, &h, &at, errp);
    default:
        return load_values(f, base, &h, store, &at, errp);
    }
}

/* ---- sections ---- */

struct section_header {
    char name[VMSTATE_NAME_MAX + 1];
    uint16_t version;
    struct vms_reader body;
};

static bool get_section_header(struct vms_reader *r, struct section_header *h, const struct where *at, Error **errp)
{
    uint32_t len;

    if (vms_get(r, 1) != VMS_TAG_SECTION || !vms_get_name(r, h->name, sizeof(h->name))) {
        return fail(errp, at, "the stream has no section here");
    }
    h->version = (uint16_t)vms_get(r, 2);
    len = (uint32_t)vms_get(r, 4);
    if (!r->ok) {
        return fail(errp, at, "section '%s' is cut off", h->name);
    }
    if (len > r->left) {
        return fail(errp, at, "section '%s' has %u bytes, only %zu left", h->name, len, r->left);
    }
    h->body = vms_reader_of(vms_get_bytes(r, len), len);
    return true;
}

static bool load_body(const struct vmstate *v, void *opaque, struct section_header *h, bool store,
                      const struct where *at, Error **errp);

/* Subsections come in table order, each at most once: what is unknown, doubled or out of order ends the load */
static bool load_subsections(const struct vmstate *v, void *opaque, struct vms_reader *r, bool store,
                             const struct where *up, Error **errp)
{
    unsigned next = 0;

    while (r->left) {
        struct section_header h;
        struct where at = { up, h.name, -1 };

        if (!get_section_header(r, &h, up, errp)) {
            return false;
        }
        while (v->subsections && v->subsections[next] && strcmp(v->subsections[next]->name, h.name) != 0) {
            next++;
        }
        if (!v->subsections || !v->subsections[next]) {
            return fail(errp, up, "unknown, doubled or misplaced subsection '%s'", h.name);
        }
        if (!load_body(v->subsections[next++], opaque, &h, store, &at, errp)) {
            return false;
        }
    }
    return true;
}

static bool run_hook(bool (*hook)(void *opaque, Error **errp), void *opaque, const struct where *at, Error **errp)
{
    Error *err = NULL;

    return !hook || hook(opaque, &err) || fail_hook(errp, at, err);
}

static bool load_body(const struct vmstate *v, void *opaque, struct section_header *h, bool store,
                      const struct where *at, Error **errp)
{
    if (h->version > v->version || h->version < v->minimum || !h->version) {
        return fail(errp, at, "version %u, this program reads %u to %u", h->version, MAX(v->minimum, 1), v->version);
    }
    if (store && !run_hook(v->pre_load, opaque, at, errp)) {
        return false;
    }
    for (const struct vmstate_field *f = v->fields; f && f->name; f++) {
        if (f->since <= h->version && !load_field(f, opaque, &h->body, store, at, errp)) {
            return false;
        }
    }
    return load_subsections(v, opaque, &h->body, store, at, errp) &&
           (!store || run_hook(v->post_load, opaque, at, errp));
}

static bool load_section(const struct vmstate *v, void *opaque, struct vms_reader *r, bool store,
                         const struct where *at, Error **errp)
{
    struct section_header h;

    if (!get_section_header(r, &h, at, errp)) {
        return false;
    }
    if (strcmp(h.name, v->name) != 0) {
        return fail(errp, at, "section '%s' where '%s' should be", h.name, v->name);
    }
    return load_body(v, opaque, &h, store, at, errp);
}

bool vmstate_load_next(const struct vmstate *vmsd, void *opaque, struct vms_reader *r, bool store, Error **errp)
{
    struct where at = { NULL, vmsd->name, -1 };

    return load_section(vmsd, opaque, r, store, &at, errp);
}

bool vmstate_load(const struct vmstate *vmsd, void *opaque, const uint8_t *buf, size_t len, Error **errp)
{
    for (unsigned walk = 0; walk < 2; walk++) {
        struct vms_reader r = vms_reader_of(buf, len);

        if (!vmstate_load_next(vmsd, opaque, &r, walk == 1, errp)) {
            return false;
        }
        if (r.left) {
            error_setg(errp, "%s: %zu bytes left over", vmsd->name, r.left);
            return false;
        }
    }
    return true;
}
