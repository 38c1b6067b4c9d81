/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * migration/stream.h - reading bytes of a stranger, and writing ours: little-endian, every step checked
 *
 * A reader fails short and stays failed: after the first read past the end all further ones return 0 and ok is false,
 * so a parser may read a whole header and look once.
 */
#ifndef MIGRATION_STREAM_H
#define MIGRATION_STREAM_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct vms_reader {
    const uint8_t *p;
    size_t left;
    bool ok;
};

static inline struct vms_reader vms_reader_of(const void *buf, size_t len)
{
    return (struct vms_reader){ (const uint8_t *)buf, len, true };
}
/** vms_get() - the next @n (1, 2, 4, 8) bytes as a number */
uint64_t vms_get(struct vms_reader *r, unsigned n);
/** vms_get_bytes() - the next @n bytes where they lie, or NULL */
const uint8_t *vms_get_bytes(struct vms_reader *r, size_t n);
/** vms_get_name() - u8 length and that many bytes into @out, with a NUL; false: too long, empty, not printable ASCII */
bool vms_get_name(struct vms_reader *r, char *out, size_t size);

void vms_put(GByteArray *out, uint64_t v, unsigned n);
void vms_put_name(GByteArray *out, const char *name);
/** vms_put_length() - room for a u32 length; vms_end_length() fills in how much was appended since. Return: a mark */
guint vms_put_length(GByteArray *out);
void vms_end_length(GByteArray *out, guint mark);

#endif
