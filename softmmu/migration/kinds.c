/* SPDX-License-Identifier: BSD-2-Clause */
/* softmmu/migration/kinds.c - the kinds of field: size on the wire, access in memory, which values are allowed */
#include "internal.h"
#include "lib/bits.h"
#include "lib/bytes.h"

#include <inttypes.h>

static const struct {
    const char *name;
    uint8_t wire;           /* bytes a value */
    bool is_signed;
} kinds[VMS_KINDS] = {
    [VMS_U8]  = { "u8", 1 },        [VMS_U16] = { "u16", 2 },       [VMS_U32] = { "u32", 4 },
    [VMS_U64] = { "u64", 8 },       [VMS_BOOL] = { "bool", 1 },     [VMS_I32] = { "i32", 4, true },
    [VMS_I64] = { "i64", 8, true }, [VMS_BUFFER] = { "buffer", 1 }, [VMS_SECTION] = { "struct", 0 },
    [VMS_DEADLINE] = { "timer", 8, true }, [VMS_SKIP] = { "unused", 1 }, [VMS_CODEC] = { "coded", 1 },
};

unsigned vms_kind_size(unsigned kind)
{
    return kind < VMS_KINDS ? kinds[kind].wire : 0;
}

const char *vms_kind_name(unsigned kind)
{
    return kind < VMS_KINDS && kinds[kind].name ? kinds[kind].name : "unknown kind";
}

uint64_t vms_member_get(const void *p, unsigned kind)
{
    uint64_t v = 0;

    switch (kind) {
    case VMS_U8: case VMS_BOOL:
        return *(const uint8_t *)p;
    case VMS_U16:
        return *(const uint16_t *)p;
    case VMS_U32:
        return *(const uint32_t *)p;
    case VMS_I32:
        return (uint64_t)(int64_t)*(const int32_t *)p;
    case VMS_U64: case VMS_I64:
        return *(const uint64_t *)p;
    default:
        return v;
    }
}

void vms_member_set(void *p, unsigned kind, uint64_t v)
{
    switch (kind) {
    case VMS_U8: case VMS_BOOL:
        *(uint8_t *)p = (uint8_t)v;
        break;
    case VMS_U16:
        *(uint16_t *)p = (uint16_t)v;
        break;
    case VMS_U32: case VMS_I32:
        *(uint32_t *)p = (uint32_t)v;
        break;
    case VMS_U64: case VMS_I64:
        *(uint64_t *)p = v;
        break;
    default:
        break;
    }
}

void *vms_member_base(const struct vmstate_field *f, const void *opaque)
{
    char *p = (char *)(uintptr_t)opaque + f->offset;

    return f->flags & VMF_POINTER ? *(void **)p : p;
}

static bool within(const struct vmstate_field *f, uint64_t v, bool is_signed)
{
    if (!f->min && !f->max) {
        return true;
    }
    if (is_signed) {
        return (int64_t)v >= f->min && (f->max == 0 && f->min > 0 ? true : (int64_t)v <= f->max);
    }
    if (f->min > 0 && v < (uint64_t)f->min) {
        return false;
    }
    return f->max == 0 || v <= (uint64_t)f->max;
}

bool vms_value_ok(const struct vmstate_field *f, uint64_t v, GString *why)
{
    bool is_signed = kinds[f->kind].is_signed;

    if (f->kind == VMS_BOOL && v > 1) {
        g_string_printf(why, "%" PRIu64 " is no bool", v);
    } else if (f->kind == VMS_DEADLINE && (int64_t)v < -1) {
        g_string_printf(why, "%" PRIi64 " is no time", (int64_t)v);
    } else if (f->kind == VMS_DEADLINE) {
        return true;
    } else if (!within(f, v, is_signed) && !f->max && f->min > 0) {
        g_string_printf(why, "%" PRIi64 " is below %" PRIi64, (int64_t)v, f->min);
    } else if (!within(f, v, is_signed)) {
        g_string_printf(why, is_signed ? "%" PRIi64 " is not within %" PRIi64 "..%" PRIi64 :
                        "%" PRIu64 " is not within %" PRIi64 "..%" PRIi64, v, f->min, f->max);
    } else if (f->mask && v & ~f->mask) {
        g_string_printf(why, "0x%" PRIx64 " has bits outside 0x%" PRIx64, v, f->mask);
    } else {
        return true;
    }
    return false;
}
