/* SPDX-License-Identifier: BSD-2-Clause */
/* softmmu/migration/internal.h - between the files of softmmu/migration */
#ifndef MIGRATION_INTERNAL_H
#define MIGRATION_INTERNAL_H

#include "migration/stream.h"
#include "migration/vmstate.h"

enum { VMS_TAG_SECTION = 'S', VMS_TAG_FIELD = 'F', VMS_TAG_DEVICE = 'D' };

/* kinds.c: bytes of one value on the wire, 0: no fixed size; its name in errors */
unsigned vms_kind_size(unsigned kind);
const char *vms_kind_name(unsigned kind);
/* kinds.c: an integer member (VMS_U8..VMS_I64, VMS_BOOL) as a 64-bit number (signed ones sign-extended), and back */
uint64_t vms_member_get(const void *p, unsigned kind);
void vms_member_set(void *p, unsigned kind, uint64_t v);
/* kinds.c: is the value, as read from the wire, one that the field may have? */
bool vms_value_ok(const struct vmstate_field *f, uint64_t v, GString *why);
/* kinds.c: values that a VARRAY has now */
static inline uint64_t vms_member_count(const struct vmstate_field *f, const void *opaque)
{
    return vms_member_get((const char *)opaque + f->num_offset, f->num_kind);
}
/* kinds.c: where the values lie; NULL: behind a pointer that is not set */
void *vms_member_base(const struct vmstate_field *f, const void *opaque);

/* load.c: the next section of @r; @store false: only look at it */
bool vmstate_load_next(const struct vmstate *vmsd, void *opaque, struct vms_reader *r, bool store, Error **errp);

#endif
