/* SPDX-License-Identifier: BSD-2-Clause */
/* softmmu/core/property.c - the kinds of property that need nothing but the lib layer */
#include "core/property.h"
#include "core/device.h"
#include "lib/strparse.h"
#include <stdint.h>

void prop_error_value(Error **errp, struct device *d, const struct property *p, const char *value)
{
    error_setg(errp, "Property '%s.%s' doesn't take value '%s'", d->type->name, p->name, value);
}

static bool set_bool(struct device *d, const struct property *p, void *field, const char *value, Error **errp)
{
    if (!parse_bool(value, field)) {
        error_setg(errp, "Property '%s.%s' expects 'on' or 'off', not '%s'", d->type->name, p->name, value);
        return false;
    }
    return true;
}

static char *get_bool(struct device *d, const struct property *p, const void *field)
{
    return g_strdup(*(const bool *)field ? "on" : "off");
}

const struct prop_kind prop_bool = { "bool", set_bool, get_bool, NULL };

static bool set_uint(struct device *d, const struct property *p, const char *value, uint64_t max, uint64_t *v, Error **errp)
{
    if (!parse_u64(value, p->max ? MIN(p->max, max) : max, v)) {
        prop_error_value(errp, d, p, value);
        return false;
    }
    return true;
}

#define UINT_KIND(bits, TYPE, MAX)                                                                                     \
    static bool set_uint##bits(struct device *d, const struct property *p, void *field, const char *value, Error **errp) \
    {                                                                                                                  \
        uint64_t v;                                                                                                    \
                                                                                                                       \
        if (!set_uint(d, p, value, MAX, &v, errp)) {                                                                   \
            return false;                                                                                              \
        }                                                                                                              \
        *(TYPE *)field = (TYPE)v;                                                                                      \
        return true;                                                                                                   \
    }                                                                                                                  \
    static char *get_uint##bits(struct device *d, const struct property *p, const void *field)                         \
    {                                                                                                                  \
        return g_strdup_printf("%" G_GUINT64_FORMAT, (uint64_t) * (const TYPE *)field);                                \
    }                                                                                                                  \
    const struct prop_kind prop_uint##bits = { "uint" #bits, set_uint##bits, get_uint##bits, NULL };

UINT_KIND(8, uint8_t, UINT8_MAX)
UINT_KIND(16, uint16_t, UINT16_MAX)
UINT_KIND(32, uint32_t, UINT32_MAX)
UINT_KIND(64, uint64_t, UINT64_MAX)

static bool set_int32(struct device *d, const struct property *p, void *field, const char *value, Error **errp)
{
    int64_t v;

    if (!parse_i64(value, INT32_MIN, INT32_MAX, &v)) {
        prop_error_value(errp, d, p, value);
        return false;
    }
    *(int32_t *)field = (int32_t)v;
    return true;
}

static char *get_int32(struct device *d, const struct property *p, const void *field)
{
    return g_strdup_printf("%d", *(const int32_t *)field);
}

const struct prop_kind prop_int32 = { "int32", set_int32, get_int32, NULL };

static bool set_str(struct device *d, const struct property *p, void *field, const char *value, Error **errp)
{
    g_free(*(char **)field);
    *(char **)field = g_strdup(value);
    return true;
}

static char *get_str(struct device *d, const struct property *p, const void *field)
{
    const char *s = *(char *const *)field;

    return g_strdup(s ? s : "");
}

static void release_str(struct device *d, const struct property *p, void *field)
{
    g_clear_pointer((char **)field, g_free);
}

const struct prop_kind prop_str = { "str", set_str, get_str, release_str };

static bool set_size(struct device *d, const struct property *p, void *field, const char *value, Error **errp)
{
    if (!parse_size(value, 1, field)) {
        prop_error_value(errp, d, p, value);
        return false;
    }
    return true;
}

const struct prop_kind prop_size = { "size", set_size, get_uint64, NULL };
