/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * softmmu/migration/devices.c - the sections of one device and the records of all
 *
 * The walk order of a load is ours (order of realize, so parents first), not the stream's: records are found by path.
 * Three passes: match records with devices, look at every section, then reset everything and store.
 */
#include "migration/devices.h"
#include "internal.h"

#include <string.h>

enum { CHAIN_MAX = 8, FORMAT = 1, PATH_MAX_LEN = 256 };
static const char magic[] = "PBDEV";        /* with its NUL */

/* Types of the chain that have a table, root first */
static unsigned tables_of(const struct device *d, const struct vmstate *out[CHAIN_MAX])
{
    unsigned n = 0;

    for (const struct device_type *t = d->type; t; t = t->parent) {
        if (t->vmsd && n < CHAIN_MAX) {
            memmove(out + 1, out, n * sizeof(*out));
            out[0] = t->vmsd;
            n++;
        }
    }
    return n;
}

bool device_has_state(const struct device *d)
{
    const struct vmstate *v[CHAIN_MAX];

    return tables_of(d, v) > 0;
}

/* ---- one ---- */

void device_save(struct device *d, GByteArray *out)
{
    const struct vmstate *v[CHAIN_MAX];
    unsigned n = tables_of(d, v);

    for (unsigned i = 0; i < n; i++) {
        vmstate_save(v[i], d, out);
    }
}

static bool load_sections(struct device *d, const uint8_t *buf, size_t len, bool store, Error **errp)
{
    const struct vmstate *v[CHAIN_MAX];
    unsigned n = tables_of(d, v);
    struct vms_reader r = vms_reader_of(buf, len);

    for (unsigned i = 0; i < n; i++) {
        if (!vmstate_load_next(v[i], d, &r, store, errp)) {
            return false;
        }
    }
    if (r.left) {
        error_setg(errp, "%s: %zu bytes left over", d->type->name, r.left);
        return false;
    }
    return true;
}

bool device_load(struct device *d, const uint8_t *buf, size_t len, Error **errp)
{
    if (!load_sections(d, buf, len, false, errp)) {
        return false;
    }
    device_reset(d);
    if (!load_sections(d, buf, len, true, errp)) {
        device_reset(d);
        return false;
    }
    return true;
}

/* ---- all ---- */

static void collect(struct device *d, void *opaque)
{
    if (device_has_state(d)) {
        g_ptr_array_add(opaque, d);
    }
}

static GPtrArray *devices_with_state(void)
{
    GPtrArray *all = g_ptr_array_new();

    device_foreach(collect, all);
    return all;
}

void device_save_all(GByteArray *out)
{
    g_autoptr(GPtrArray) all = devices_with_state();

    g_byte_array_append(out, (const guint8 *)magic, sizeof(magic));
    vms_put(out, FORMAT, 2);
    vms_put(out, all->len, 4);
    for (guint i = 0; i < all->len; i++) {
        struct device *d = g_ptr_array_index(all, i);
        guint mark;

        vms_put(out, VMS_TAG_DEVICE, 1);
        vms_put_name(out, d->path);
        vms_put_name(out, d->type->name);
        mark = vms_put_length(out);
        device_save(d, out);
        vms_end_length(out, mark);
    }
}

/* One record, matched with a device */
struct record {
    struct device *dev;
    const uint8_t *buf;     /* NULL: not met in the stream so far */
    size_t len;
};

static struct record *record_of(GArray *records, const char *path)
{
    for (guint i = 0; i < records->len; i++) {
        struct record *rec = &g_array_index(records, struct record, i);

        if (strcmp(rec->dev->path, path) == 0) {
            return rec;
        }
    }
    return NULL;
}

static bool get_record(struct vms_reader *r, GArray *records, Error **errp)
{
    char path[PATH_MAX_LEN], type[PATH_MAX_LEN];
    struct record *rec;

    if (vms_get(r, 1) != VMS_TAG_DEVICE || !vms_get_name(r, path, sizeof(path)) ||
        !vms_get_name(r, type, sizeof(type))) {
        error_setg(errp, "device state: the stream has no device here");
        return false;
    }
    rec = record_of(records, path);
    if (!rec) {
        error_setg(errp, "device state: this machine has no '%s' (%s)", path, type);
        return false;
    }
    if (strcmp(rec->dev->type->name, type) != 0) {
        error_setg(errp, "device state: '%s' is '%s' in the stream, '%s' here", path, type, rec->dev->type->name);
        return false;
    }
    if (rec->buf) {
        error_setg(errp, "device state: '%s' comes twice", path);
        return false;
    }
    rec->len = vms_get(r, 4);
    rec->buf = vms_get_bytes(r, rec->len);
    if (!rec->buf) {
        error_setg(errp, "device state: '%s' is cut off", path);
        return false;
    }
    return true;
}

/* Every device has its record, and the stream nothing else */
static bool match_records(const uint8_t *buf, size_t len, GArray *records, Error **errp)
{
    struct vms_reader r = vms_reader_of(buf, len);
    const uint8_t *m = vms_get_bytes(&r, sizeof(magic));
    uint16_t format = (uint16_t)vms_get(&r, 2);
    uint32_t n = (uint32_t)vms_get(&r, 4);

    if (!m || !r.ok || memcmp(m, magic, sizeof(magic)) != 0 || format != FORMAT) {
        error_setg(errp, "device state: not a stream of format %u", FORMAT);
        return false;
    }
    for (uint32_t i = 0; i < n; i++) {          /* ends with the stream, or with a device that comes twice */
        if (!get_record(&r, records, errp)) {
            return false;
        }
    }
    if (r.left) {
        error_setg(errp, "device state: %zu bytes left over", r.left);
        return false;
    }
    for (guint i = 0; i < records->len; i++) {
        const struct record *rec = &g_array_index(records, struct record, i);

        if (!rec->buf) {
            error_setg(errp, "device state: the stream has no '%s' (%s)", rec->dev->path, rec->dev->type->name);
            return false;
        }
    }
    return true;
}

static bool load_records(GArray *records, bool store, Error **errp)
{
    for (guint i = 0; i < records->len; i++) {
        const struct record *rec = &g_array_index(records, struct record, i);

        if (!load_sections(rec->dev, rec->buf, rec->len, store, errp)) {
            error_prepend(errp, "%s: ", rec->dev->path);
            return false;
        }
    }
    return true;
}

bool device_load_all(const uint8_t *buf, size_t len, Error **errp)
{
    g_autoptr(GPtrArray) all = devices_with_state();
    g_autoptr(GArray) records = g_array_new(FALSE, FALSE, sizeof(struct record));

    for (guint i = 0; i < all->len; i++) {
        struct record rec = { .dev = g_ptr_array_index(all, i) };

        g_array_append_val(records, rec);
    }
    if (!match_records(buf, len, records, errp) || !load_records(records, false, errp)) {
        return false;
    }
    device_reset_all();
    if (!load_records(records, true, errp)) {
        device_reset_all();
        return false;
    }
    return true;
}
