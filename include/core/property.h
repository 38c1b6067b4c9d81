/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * core/property.h - what -device NAME,prop=value may set: a table per device type
 *
 * A kind of property (bool, uint32, MAC address, netdev...) is a struct prop_kind: text to value and back. Kinds that need a layer
 * above (netdev, chardev, mac) are defined there.
 */
#ifndef CORE_PROPERTY_H
#define CORE_PROPERTY_H

#include "lib/error.h"
#include <stdint.h>

struct device;
struct property;

struct prop_kind {
    const char *name;           /* as help shows it: "bool", "uint32", "str" */
    /* @field points into the device. Errors read: Property 'TYPE.NAME' doesn't take value 'VALUE' (prop_error_value() says so) */
    bool (*set)(struct device *d, const struct property *p, void *field, const char *value, Error **errp);
    char *(*get)(struct device *d, const struct property *p, const void *field);    /* caller frees; never NULL */
    void (*release)(struct device *d, const struct property *p, void *field);       /* may be NULL: nothing to free */
};

struct property {
    const char *name;           /* NULL ends a table */
    const struct prop_kind *kind;
    size_t offset;              /* of the field in the instance */
    const char *defval;         /* as typed by a user; NULL: the zeroed field stays */
    const char *desc;           /* for help; may be NULL */
    uint64_t max;               /* integers: largest value, 0: as the kind allows */
};

extern const struct prop_kind prop_bool;    /* bool */
extern const struct prop_kind prop_uint8, prop_uint16, prop_uint32, prop_uint64;
extern const struct prop_kind prop_int32;
extern const struct prop_kind prop_str;     /* char *, g_malloc'ed */
extern const struct prop_kind prop_size;    /* uint64_t: 4k, 1G */

/** prop_error_value() - Property 'e1000.mac' doesn't take value 'zz' */
void prop_error_value(Error **errp, struct device *d, const struct property *p, const char *value);

#endif
