/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * softmmu/migration/save.c - from tables to bytes
 *
 * The object is ours, so nothing is checked here but counts, which bound what is read.
 */
#include "internal.h"
#include "lib/bits.h"

#include <string.h>

static void save_section(const struct vmstate *v, void *opaque, GByteArray *out);

static void save_values(const struct vmstate_field *f, char *base, uint32_t count, GByteArray *out)
{
    unsigned wire = vms_kind_size(f->kind);

    switch (f->kind) {
    case VMS_BUFFER:
        g_byte_array_append(out, (const guint8 *)base, count);
        break;
    case VMS_SKIP:
        for (uint32_t i = 0; i < count; i++) {
            vms_put(out, 0, 1);
        }
        break;
    case VMS_SECTION:
        for (uint32_t i = 0; i < count; i++) {
            save_section(f->vmsd, base + i * f->size, out);
        }
        break;
    case VMS_DEADLINE:
        vms_put(out, (uint64_t)((const struct timer *)(const void *)base)->expire_ns, wire);
        break;
    default:
        for (uint32_t i = 0; i < count; i++) {
            vms_put(out, vms_member_get(base + i * f->size, f->kind), wire);
        }
        break;
    }
}

static void save_field(const struct vmstate_field *f, void *opaque, GByteArray *out)
{
    char *base = vms_member_base(f, opaque);
    uint32_t count = f->num;
    guint mark, at;

    if (f->flags & VMF_VARRAY) {
        count = base ? (uint32_t)MIN(vms_member_count(f, opaque), f->num) : 0;
    }
    vms_put(out, VMS_TAG_FIELD, 1);
    vms_put_name(out, f->name);
    vms_put(out, f->kind, 1);
    at = out->len;
    vms_put(out, count, 4);
    mark = vms_put_length(out);
    if (f->kind == VMS_CODEC) {
        f->codec->save(base, f, out);
        memcpy(out->data + at, (uint32_t[]){ GUINT32_TO_LE(out->len - mark) }, 4);
    } else if (count) {
        save_values(f, base, count, out);
    }
    vms_end_length(out, mark);
}

static void save_section(const struct vmstate *v, void *opaque, GByteArray *out)
{
    guint mark;

    if (v->pre_save) {
        v->pre_save(opaque);
    }
    vms_put(out, VMS_TAG_SECTION, 1);
    vms_put_name(out, v->name);
    vms_put(out, v->version, 2);
    mark = vms_put_length(out);
    for (const struct vmstate_field *f = v->fields; f && f->name; f++) {
        save_field(f, opaque, out);
    }
    for (unsigned i = 0; v->subsections && v->subsections[i]; i++) {
        const struct vmstate *sub = v->subsections[i];

        if (!sub->needed || sub->needed(opaque)) {
            save_section(sub, opaque, out);
        }
    }
    vms_end_length(out, mark);
}

void vmstate_save(const struct vmstate *vmsd, void *opaque, GByteArray *out)
{
    save_section(vmsd, opaque, out);
}
