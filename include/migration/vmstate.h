/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * migration/vmstate.h - tables that say what of an object the guest can see, and the functions that walk them
 *
 * A device writes down its guest-visible state as one const table a struct; saving, loading, every check of a hostile
 * stream and the fuzzer walk that table. What can be computed from other state is not in a table: post_load()
 * recomputes it with the same function that a register write uses, and fails when that one refuses.
 *
 *     static const struct vmstate vmstate_toy = {
 *         .name = "toy", .version = 2, .post_load = toy_post_load,
 *         .fields = (const struct vmstate_field[]){
 *             VMS(struct toy, mode, .max = TOY_MODES - 1),            kind and size come from the member's type
 *             VMS(struct toy, speed, .since = 2),                     streams of version 1 do not have it
 *             VMS_ARRAY(struct toy, filter, .mask = 0x0FFF),          u8/u16/u32/u64/bool/i32/i64, checked one by one
 *             VMS(struct toy, nkeys, .max = TOY_KEYS),
 *             VMS_VARRAY(struct toy, keys, nkeys, TOY_KEYS),          the first nkeys of at most TOY_KEYS
 *             VMS_TIMER(struct toy, tick),
 *             VMS_STRUCT(struct toy, phy, vmstate_mii),
 *             VMS_END,
 *         },
 *         .subsections = (const struct vmstate *const[]){ &vmstate_toy_packet, NULL },
 *     };
 *     and in the type: const struct device_type toy_type = { ..., .vmsd = &vmstate_toy };
 *
 * A table belongs to a type of the chain (pci-device, then toy): a device is saved as one section a type, root first.
 *
 * On the wire everything names itself, so that a mismatch can say what it met (little-endian; name: u8 length, bytes):
 *     section  u8 'S', name, u16 version, u32 length, then length bytes: fields in table order, then subsections
 *     field    u8 'F', name, u8 kind, u32 count, u32 length, then length bytes: count values, or count sections
 *
 * A load first walks the whole section without storing anything: framing, names, versions, kinds, counts and ranges.
 * Only then are values stored, codecs run and post_load() called; so a stream that fails the first walk has changed
 * nothing, and one that fails later leaves an object whose integers are all within their ranges: reset it. Nothing is
 * allocated from a length in the stream, and the depth of the walk is the table's, not the stream's.
 *
 * Precondition of a load: the object is realized and has been reset. Machine lock held throughout.
 */
#ifndef MIGRATION_VMSTATE_H
#define MIGRATION_VMSTATE_H

#include "core/timer.h"
#include "lib/error.h"

#include <stddef.h>

struct vmstate;
struct vmstate_field;

enum vmstate_kind {             /* as on the wire: do not renumber */
    VMS_KIND_NONE,
    VMS_U8, VMS_U16, VMS_U32, VMS_U64,
    VMS_BOOL,                   /* a byte, 0 or 1 */
    VMS_I32, VMS_I64,
    VMS_BUFFER,                 /* bytes without a meaning here; count is their number */
    VMS_SECTION,                /* nested struct(s) */
    VMS_DEADLINE,               /* struct timer: i64, ns on its clock; -1: not armed */
    VMS_SKIP,                   /* bytes that nobody reads any more */
    VMS_CODEC,                  /* what struct vmstate_codec makes of it; count is the number of bytes */
    VMS_KINDS,
};

enum {                          /* vmstate_field.flags */
    VMF_POINTER = 1 << 0,       /* the member points at the values; memory for .num of them is there */
    VMF_VARRAY  = 1 << 1,       /* as many values as the integer at .num_offset says, at most .num */
};

/* For what is no list of integers. Both get the member's address. */
struct vmstate_codec {
    void (*save)(const void *field, const struct vmstate_field *f, GByteArray *out);
    /* @buf has exactly @len bytes from a stranger; false: *errp says why, without section and field */
    bool (*load)(void *field, const struct vmstate_field *f, const uint8_t *buf, size_t len, Error **errp);
};

struct vmstate_field {
    const char *name;           /* NULL ends the table */
    size_t offset;
    size_t size;                /* bytes of one value in memory */
    uint32_t num;               /* values; with VMF_VARRAY the maximum */
    size_t num_offset;
    uint8_t kind;               /* enum vmstate_kind */
    uint8_t num_kind;           /* VMS_U8..VMS_U64 */
    uint8_t flags;
    uint16_t since;             /* first version that has the field; 0: all. Older streams leave the member alone */
    int64_t min, max;           /* both 0: any value; max 0 with a min above 0: no upper limit */
    uint64_t mask;              /* 0: any; else bits that may be set */
    const struct vmstate *vmsd; /* VMS_SECTION */
    const struct vmstate_codec *codec;
    const void *arg;            /* for the codec */
};

struct vmstate {
    const char *name;           /* 1..VMSTATE_NAME_MAX characters */
    uint16_t version;           /* what we write; newer streams are refused */
    uint16_t minimum;           /* oldest version that we read; 0: all, with the help of .since */
    const struct vmstate_field *fields;
    const struct vmstate *const *subsections;   /* NULL, or ends with NULL; each at most once in a stream */
    bool (*needed)(const void *opaque);         /* of a subsection: not saved when false; NULL: always saved */
    void (*pre_save)(void *opaque);             /* bring plain members up to date; changes nothing the guest can see */
    bool (*pre_load)(void *opaque, Error **errp);   /* second walk, before the first store: make room */
    bool (*post_load)(void *opaque, Error **errp);  /* after fields and subsections: check relations, recompute */
};

enum { VMSTATE_NAME_MAX = 63 };

/** vmstate_save() - append one section with all of @opaque to @out */
void vmstate_save(const struct vmstate *vmsd, void *opaque, GByteArray *out);
/**
 * vmstate_load() - the reverse, from exactly @len bytes
 * Errors name section, field and reason: "toy.phy.regs[3]: 0x10000 has bits outside 0xffff",
 * "toy: version 3, this program reads 1 to 2", "toy.keys: 9 values, at most 8".
 */
bool vmstate_load(const struct vmstate *vmsd, void *opaque, const uint8_t *buf, size_t len, Error **errp);

/* ---- writing tables. @s: the struct's type; @m: its member; ...: further members of struct vmstate_field ---- */

#define VMS_KIND_OF(x)                                                                                                 \
    _Generic((x), uint8_t: VMS_U8, uint16_t: VMS_U16, uint32_t: VMS_U32, uint64_t: VMS_U64, bool: VMS_BOOL,            \
             int32_t: VMS_I32, int64_t: VMS_I64)
#define VMS_OF(s, m) (((s *)0)->m)

/** VMS() - one integer or bool */
#define VMS(s, m, ...)                                                                                                 \
    { .name = #m, .offset = offsetof(s, m), .size = sizeof(VMS_OF(s, m)), .num = 1, .kind = VMS_KIND_OF(VMS_OF(s, m)), \
      __VA_ARGS__ }
/** VMS_ARRAY() - all elements of an array of them */
#define VMS_ARRAY(s, m, ...)                                                                                           \
    { .name = #m, .offset = offsetof(s, m), .size = sizeof(VMS_OF(s, m)[0]),                                           \
      .num = sizeof(VMS_OF(s, m)) / sizeof(VMS_OF(s, m)[0]), .kind = VMS_KIND_OF(VMS_OF(s, m)[0]), __VA_ARGS__ }
/** VMS_VARRAY() - the first @n (a member, in the table before this one, with its own .max) of at most @maximum */
#define VMS_VARRAY(s, m, n, maximum, ...)                                                                              \
    { .name = #m, .offset = offsetof(s, m), .size = sizeof(VMS_OF(s, m)[0]), .num = (maximum),                         \
      .kind = VMS_KIND_OF(VMS_OF(s, m)[0]), .flags = VMF_VARRAY, .num_offset = offsetof(s, n),                         \
      .num_kind = VMS_KIND_OF(VMS_OF(s, n)), __VA_ARGS__ }
/** VMS_VARRAY_PTR() - the same behind a pointer; pre_load() or realize has made room for @maximum */
#define VMS_VARRAY_PTR(s, m, n, maximum, ...)                                                                          \
    { .name = #m, .offset = offsetof(s, m), .size = sizeof(VMS_OF(s, m)[0]), .num = (maximum),                         \
      .kind = VMS_KIND_OF(VMS_OF(s, m)[0]), .flags = VMF_VARRAY | VMF_POINTER, .num_offset = offsetof(s, n),           \
      .num_kind = VMS_KIND_OF(VMS_OF(s, n)), __VA_ARGS__ }
/** VMS_BYTES() - an array of bytes as it is */
#define VMS_BYTES(s, m, ...)                                                                                           \
    { .name = #m, .offset = offsetof(s, m), .size = 1, .num = sizeof(VMS_OF(s, m)), .kind = VMS_BUFFER, __VA_ARGS__ }
/** VMS_VBYTES_PTR() - the first @n of at most @maximum bytes behind a pointer */
#define VMS_VBYTES_PTR(s, m, n, maximum, ...)                                                                          \
    { .name = #m, .offset = offsetof(s, m), .size = 1, .num = (maximum), .kind = VMS_BUFFER,                           \
      .flags = VMF_VARRAY | VMF_POINTER, .num_offset = offsetof(s, n), .num_kind = VMS_KIND_OF(VMS_OF(s, n)),          \
      __VA_ARGS__ }
/** VMS_STRUCT() - a struct with a table of its own */
#define VMS_STRUCT(s, m, table, ...)                                                                                   \
    { .name = #m, .offset = offsetof(s, m), .size = sizeof(VMS_OF(s, m)), .num = 1, .kind = VMS_SECTION,               \
      .vmsd = &(table), __VA_ARGS__ }
/** VMS_STRUCT_PTR() - the same behind a pointer to @type that is set */
#define VMS_STRUCT_PTR(s, m, type, table, ...)                                                                         \
    { .name = #m, .offset = offsetof(s, m), .size = sizeof(type), .num = 1, .kind = VMS_SECTION, .flags = VMF_POINTER, \
      .vmsd = &(table), __VA_ARGS__ }
/** VMS_STRUCT_ARRAY() - an array of them */
#define VMS_STRUCT_ARRAY(s, m, table, ...)                                                                             \
    { .name = #m, .offset = offsetof(s, m), .size = sizeof(VMS_OF(s, m)[0]),                                           \
      .num = sizeof(VMS_OF(s, m)) / sizeof(VMS_OF(s, m)[0]), .kind = VMS_SECTION, .vmsd = &(table), __VA_ARGS__ }
/** VMS_STRUCT_VARRAY() - the first @n of at most @maximum of them; _PTR: behind a pointer */
#define VMS_STRUCT_VARRAY(s, m, n, maximum, table, ...)                                                                \
    { .name = #m, .offset = offsetof(s, m), .size = sizeof(VMS_OF(s, m)[0]), .num = (maximum), .kind = VMS_SECTION,    \
      .flags = VMF_VARRAY, .num_offset = offsetof(s, n), .num_kind = VMS_KIND_OF(VMS_OF(s, n)), .vmsd = &(table),      \
      __VA_ARGS__ }
#define VMS_STRUCT_VARRAY_PTR(s, m, n, maximum, table, ...)                                                            \
    { .name = #m, .offset = offsetof(s, m), .size = sizeof(VMS_OF(s, m)[0]), .num = (maximum), .kind = VMS_SECTION,    \
      .flags = VMF_VARRAY | VMF_POINTER, .num_offset = offsetof(s, n), .num_kind = VMS_KIND_OF(VMS_OF(s, n)),          \
      .vmsd = &(table), __VA_ARGS__ }
/** VMS_TIMER() - a struct timer: armed again for the same moment. timer_setup() has been called */
#define VMS_TIMER(s, m, ...)                                                                                           \
    { .name = #m, .offset = offsetof(s, m), .size = sizeof(struct timer), .num = 1, .kind = VMS_DEADLINE, __VA_ARGS__ }
/** VMS_UNUSED() - @bytes of a field that has gone: written as zeros, not looked at when read */
#define VMS_UNUSED(text, bytes, ...)                                                                                   \
    { .name = text, .size = 1, .num = (bytes), .kind = VMS_SKIP, __VA_ARGS__ }
/** VMS_CODED() - what a codec says; @maximum bytes on the wire */
#define VMS_CODED(s, m, codec_, maximum, ...)                                                                          \
    { .name = #m, .offset = offsetof(s, m), .size = 1, .num = (maximum), .kind = VMS_CODEC, .codec = &(codec_),        \
      __VA_ARGS__ }
/** VMS_WHOLE() - the same with the whole struct as what the codec gets */
#define VMS_WHOLE(text, codec_, maximum, ...)                                                                          \
    { .name = text, .size = 1, .num = (maximum), .kind = VMS_CODEC, .codec = &(codec_), __VA_ARGS__ }
#define VMS_END { .name = NULL }

#endif
