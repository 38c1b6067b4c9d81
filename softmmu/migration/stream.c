/* SPDX-License-Identifier: BSD-2-Clause */
/* softmmu/migration/stream.c - the bytes of a state stream, read with a cursor that fails short */
#include "migration/stream.h"

#include "lib/bytes.h"

#include <string.h>

const uint8_t *vms_get_bytes(struct vms_reader *r, size_t n)
{
    const uint8_t *p = r->p;

    if (!r->ok || n > r->left) {
        r->ok = false;
        r->left = 0;
        return NULL;
    }
    r->p += n;
    r->left -= n;
    return p;
}

uint64_t vms_get(struct vms_reader *r, unsigned n)
{
    const uint8_t *p = vms_get_bytes(r, n);

    return p ? ld_le_n(p, n) : 0;
}

bool vms_get_name(struct vms_reader *r, char *out, size_t size)
{
    size_t len = vms_get(r, 1);
    const uint8_t *p = vms_get_bytes(r, len);
    bool ok = p && len && len < size;

    out[0] = '\0';
    for (size_t i = 0; ok && i < len; i++) {
        ok = g_ascii_isgraph(p[i]);
    }
    if (!ok) {
        r->ok = false;
        return false;
    }
    memcpy(out, p, len);
    out[len] = '\0';
    return true;
}

void vms_put(GByteArray *out, uint64_t v, unsigned n)
{
    uint8_t b[8];

    st_le_n(b, v, n);
    g_byte_array_append(out, b, n);
}

void vms_put_name(GByteArray *out, const char *name)
{
    size_t len = MIN(strlen(name), UINT8_MAX);

    vms_put(out, len, 1);
    g_byte_array_append(out, (const guint8 *)name, (guint)len);
}

guint vms_put_length(GByteArray *out)
{
    vms_put(out, 0, 4);
    return out->len;
}

void vms_end_length(GByteArray *out, guint mark)
{
    st_le32(out->data + mark - 4, out->len - mark);
}
