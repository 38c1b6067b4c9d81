/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * softmmu/core/device.c - device types and instances
 *
 * Types form short chains (e1000 -> pci-device): realize and reset run from the root down, unrealize from the leaf up. A
 * realize that fails half-way is undone for the links of the chain that had succeeded, and for the one that failed.
 */
#include "core/device.h"
#include "lib/bits.h"
#include <string.h>

#define CHAIN_MAX 8

static GPtrArray *types;        /* of const struct device_type */
static GList *devices;          /* realized, in order of realize; machine lock */
static unsigned unattached;     /* for /machine/unattached/device[N] */

/* ---- types ---- */

void device_type_register(const struct device_type *type)
{
    if (!types) {
        types = g_ptr_array_new();
    }
    g_ptr_array_add(types, (gpointer)(uintptr_t)type);
}

const struct device_type *device_type_find(const char *name)
{
    for (unsigned i = 0; types && i < types->len; i++) {
        const struct device_type *t = g_ptr_array_index(types, i);

        if (!strcmp(t->name, name) || (t->alias && !strcmp(t->alias, name))) {
            return t;
        }
    }
    return NULL;
}

const struct device_type **device_type_list(void)
{
    unsigned n = types ? types->len : 0;
    const struct device_type **list = g_new0(const struct device_type *, n + 1);

    for (unsigned i = 0; i < n; i++) {
        list[i] = g_ptr_array_index(types, i);
    }
    return list;
}

const struct property *device_type_prop(const struct device_type *type, const char *name)
{
    for (; type; type = type->parent) {
        for (const struct property *p = type->props; p && p->name; p++) {
            if (!strcmp(p->name, name)) {
                return p;
            }
        }
    }
    return NULL;
}

bool device_type_is(const struct device_type *type, const struct device_type *ancestor)
{
    for (; type; type = type->parent) {
        if (type == ancestor) {
            return true;
        }
    }
    return false;
}

/* Root first. */
static unsigned type_chain(const struct device_type *type, const struct device_type *chain[CHAIN_MAX])
{
    unsigned n = 0, depth = 0;

    for (const struct device_type *t = type; t; t = t->parent) {
        depth++;
    }
    for (const struct device_type *t = type; t; t = t->parent) {
        chain[depth - 1 - n++] = t;
    }
    return depth;
}

/* ---- instances ---- */

static void *prop_field(struct device *d, const struct property *p)
{
    return (char *)d + p->offset;
}

struct device *device_new(const struct device_type *type, const char *id)
{
    struct device *d = g_malloc0(type->size);
    const struct device_type *chain[CHAIN_MAX];
    unsigned n = type_chain(type, chain);

    d->type = type;
    d->id = g_strdup(id);
    for (unsigned i = 0; i < n; i++) {
        for (const struct property *p = chain[i]->props; p && p->name; p++) {
            if (p->defval) {
                p->kind->set(d, p, prop_field(d, p), p->defval, NULL);
            }
        }
    }
    return d;
}

static const struct property *find_prop(struct device *d, const char *name, Error **errp)
{
    const struct property *p = device_type_prop(d->type, name);

    if (!p) {
        error_setg(errp, "Property '%s.%s' not found", d->type->name, name);
    }
    return p;
}

bool device_set_prop(struct device *d, const char *name, const char *value, Error **errp)
{
    const struct property *p = find_prop(d, name, errp);

    return p && p->kind->set(d, p, prop_field(d, p), value, errp);
}

char *device_get_prop(struct device *d, const char *name, Error **errp)
{
    const struct property *p = find_prop(d, name, errp);

    return p ? p->kind->get(d, p, prop_field(d, p)) : NULL;
}

bool device_realize(struct device *d, struct bus *bus, Error **errp)
{
    const struct device_type *chain[CHAIN_MAX];
    unsigned n = type_chain(d->type, chain), i;

    d->bus = bus ? bus : bus_main();
    d->path = d->id ? g_strdup_printf("/machine/peripheral/%s", d->id)
                    : g_strdup_printf("/machine/unattached/device[%u]", unattached);
    d->bus->devices = g_list_append(d->bus->devices, d);
    for (i = 0; i < n; i++) {
        if (chain[i]->realize && !chain[i]->realize(d, errp)) {
            break;
        }
    }
    if (i < n) {
        for (int k = (int)i; k >= 0; k--) {
            if (chain[k]->unrealize) {
                chain[k]->unrealize(d);
            }
        }
        d->bus->devices = g_list_remove(d->bus->devices, d);
        d->bus = NULL;
        g_clear_pointer(&d->path, g_free);
        return false;
    }
    unattached += !d->id;
    d->realized = true;
    devices = g_list_append(devices, d);
    device_reset(d);
    return true;
}

void device_unrealize(struct device *d)
{
    const struct device_type *chain[CHAIN_MAX];
    unsigned n = type_chain(d->type, chain);

    if (!d->realized) {
        return;
    }
    d->realized = false;
    devices = g_list_remove(devices, d);
    while (n--) {
        if (chain[n]->unrealize) {
            chain[n]->unrealize(d);
        }
    }
    d->bus->devices = g_list_remove(d->bus->devices, d);
    d->bus = NULL;
    g_clear_pointer(&d->path, g_free);
}

void device_free(struct device *d)
{
    if (!d) {
        return;
    }
    device_unrealize(d);
    for (const struct device_type *t = d->type; t; t = t->parent) {
        for (const struct property *p = t->props; p && p->name; p++) {
            if (p->kind->release) {
                p->kind->release(d, p, prop_field(d, p));
            }
        }
    }
    g_free(d->id);
    g_free(d);
}

struct device *device_find(const char *id)
{
    for (GList *l = devices; l; l = l->next) {
        struct device *d = l->data;

        if (d->id && !strcmp(d->id, id)) {
            return d;
        }
    }
    return NULL;
}

void device_reset(struct device *d)
{
    const struct device_type *chain[CHAIN_MAX];
    unsigned n = type_chain(d->type, chain);

    for (unsigned i = 0; i < n; i++) {
        if (chain[i]->reset) {
            chain[i]->reset(d);
        }
    }
}

void device_reset_all(void)
{
    /* in order of realize, so a bus provider before what sits on its bus */
    for (GList *l = devices; l; l = l->next) {
        device_reset(l->data);
    }
}

void device_foreach(void (*fn)(struct device *d, void *opaque), void *opaque)
{
    GList *next;

    for (GList *l = devices; l; l = next) {
        next = l->next;
        fn(l->data, opaque);
    }
}

void device_free_all(void)
{
    while (devices) {
        device_free(g_list_last(devices)->data);
    }
}

/* ---- info qtree ---- */

static void print_bus(struct bus *b, unsigned indent, GString *out);

static void print_device(struct device *d, unsigned indent, GString *out)
{
    g_string_append_printf(out, "%*sdev: %s, id \"%s\"\n", (int)indent, "", d->type->name, d->id ? d->id : "");
    for (const struct device_type *t = d->type; t; t = t->parent) {
        for (const struct property *p = t->props; p && p->name; p++) {
            g_autofree char *v = p->kind->get(d, p, prop_field(d, p));

            g_string_append_printf(out, "%*s%s = %s%s%s\n", (int)indent + 2, "", p->name,
                                   p->kind == &prop_str ? "\"" : "", v, p->kind == &prop_str ? "\"" : "");
        }
    }
    for (const struct device_type *t = d->type; t; t = t->parent) {
        if (t->describe) {
            t->describe(d, out, indent + 2);
        }
    }
    for (GList *l = d->child_buses; l; l = l->next) {
        print_bus(l->data, indent + 2, out);
    }
}

static void print_bus(struct bus *b, unsigned indent, GString *out)
{
    g_string_append_printf(out, "%*sbus: %s\n%*stype %s\n", (int)indent, "", b->name, (int)indent + 2, "", b->kind);
    for (GList *l = b->devices; l; l = l->next) {
        print_device(l->data, indent + 2, out);
    }
}

void device_print_tree(GString *out)
{
    print_bus(bus_main(), 0, out);
}
