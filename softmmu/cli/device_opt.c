/* SPDX-License-Identifier: BSD-2-Clause */
/* softmmu/cli/device_opt.c - a device from its options, and the listings of types and properties */
#include "cli/device_opt.h"
#include "core/device.h"
#include "lib/strparse.h"
#include <stdio.h>
#include <string.h>

struct global {
    char *driver, *prop, *value;
};

static GList *globals;      /* of struct global, in order */

bool device_global_add(const char *text, Error **errp)
{
    const char *eq = strchr(text, '='), *dot = eq ? memchr(text, '.', (size_t)(eq - text)) : NULL;
    struct global *g;
    char *driver;

    if (!dot || dot == text || eq == dot + 1) {
        error_setg(errp, "Invalid 'global' option, DRIVER.PROP=VALUE expected");
        return false;
    }
    driver = g_strndup(text, (gsize)(dot - text));
    if (!device_type_find(driver)) {
        warn_report("global %.*s has invalid class name", (int)(eq - text), text);
        g_free(driver);
        return true;
    }
    g = g_new0(struct global, 1);
    g->driver = driver;
    g->prop = g_strndup(dot + 1, (gsize)(eq - dot - 1));
    g->value = g_strdup(eq + 1);
    globals = g_list_append(globals, g);
    return true;
}

static bool apply_globals(struct device *d, Error **errp)
{
    for (GList *l = globals; l; l = l->next) {
        struct global *g = l->data;
        const struct device_type *t = device_type_find(g->driver);

        if (t && device_type_is(d->type, t) && !device_set_prop(d, g->prop, g->value, errp)) {
            error_prepend(errp, "can't apply global %s.%s=%s: ", g->driver, g->prop, g->value);
            return false;
        }
    }
    return true;
}

/* A property's value as text, whatever its JSON type; the caller frees. NULL: a list or an object. */
static char *value_text(const struct jval *v)
{
    if (jval_repeated(v)) {
        v = jval_at(v, jval_len(v) - 1);
    }
    switch (jval_type(v)) {
    case JVAL_STR:
        return g_strdup(jval_str_of(v)[0] == '\001' ? "on" : jval_str_of(v));   /* a bare word of keyval_parse() */
    case JVAL_BOOL:
        return g_strdup(jval_bool_of(v) ? "on" : "off");
    case JVAL_INT:
    case JVAL_UINT:
    case JVAL_DOUBLE:
        return jval_to_text(v, false);
    default:
        return NULL;
    }
}

static bool set_props(struct device *d, const struct jval *tree, Error **errp)
{
    for (unsigned i = 0; i < jval_len(tree); i++) {
        const char *key = jval_key_at(tree, i);
        char *text;
        bool ok;

        if (!strcmp(key, "driver") || !strcmp(key, "id") || !strcmp(key, "bus")) {
            continue;
        }
        text = value_text(jval_at(tree, i));
        if (!text) {
            error_setg(errp, "Invalid parameter type for '%s', expected: string", key);
            return false;
        }
        ok = device_set_prop(d, key, text, errp);
        g_free(text);
        if (!ok) {
            return false;
        }
    }
    return true;
}

/* A text key; the last one wins. true and *out NULL: absent */
static bool text_key(const struct jval *tree, const char *key, const char **out, Error **errp)
{
    const struct jval *v = jval_get(tree, key);

    *out = NULL;
    if (v && jval_repeated(v)) {
        v = jval_at(v, jval_len(v) - 1);
    }
    if (v && jval_type(v) != JVAL_STR) {
        error_setg(errp, "Invalid parameter type for '%s', expected: string", key);
        return false;
    }
    *out = v ? jval_str_of(v) : NULL;
    return true;
}

static const struct device_type *find_type(const char *driver, bool hotplug, Error **errp)
{
    const struct device_type *t = device_type_find(driver);

    if (!t) {
        const char *near = device_nearest(driver);

        error_setg(errp, "'%s' is not a valid device model name", driver);
        if (near) {
            error_hint(errp, "Did you mean '%s'?\n", near);
        }
        return NULL;
    }
    if (t->abstract || !t->user_creatable) {
        error_setg(errp, t->abstract ? "Parameter 'driver' expects a non-abstract device type" :
                   "Parameter 'driver' expects a pluggable device type");
        return NULL;
    }
    if (hotplug && !t->hotpluggable) {
        error_setg(errp, "Device '%s' does not support hotplugging", t->name);
        return NULL;
    }
    return t;
}

static bool find_bus(const struct device_type *t, const char *name, bool hotplug, struct bus **out, Error **errp)
{
    struct bus *b = bus_find(name ? NULL : t->bus, name);

    if (!b && name) {
        error_setg(errp, "Bus '%s' not found", name);
        return false;
    }
    if (!b) {
        error_setg(errp, "No '%s' bus found for device '%s'", t->bus, t->name);
        return false;
    }
    if (strcmp(b->kind, t->bus)) {
        error_setg(errp, "Device '%s' can't go on %s bus", t->name, b->kind);
        return false;
    }
    if (hotplug && !b->hotplug) {
        error_setg(errp, "Bus '%s' does not support hotplugging", b->name);
        return false;
    }
    *out = b;
    return true;
}

static bool check_id(const char *id, Error **errp)
{
    if (id && !id_wellformed(id)) {
        error_setg(errp, "Parameter 'id' expects an identifier");
        error_hint(errp, "Identifiers consist of letters, digits, '-', '.', '_', starting with a letter.\n");
        return false;
    }
    if (id && device_find(id)) {
        error_setg(errp, "Duplicate device ID '%s'", id);
        return false;
    }
    return true;
}

struct device *device_create(const struct jval *tree, enum qapi_mode mode, bool hotplug, Error **errp)
{
    const char *driver, *id, *busname;
    const struct device_type *t;
    struct bus *bus;
    struct device *d;

    if (!text_key(tree, "driver", &driver, errp) || !text_key(tree, "id", &id, errp) || !text_key(tree, "bus",
                                                                                                  &busname, errp)) {
        return NULL;
    }
    if (!driver) {
        error_setg(errp, "Parameter 'driver' is missing");
        return NULL;
    }
    t = find_type(driver, hotplug, errp);
    if (!t || !check_id(id, errp) || !find_bus(t, busname, hotplug, &bus, errp)) {
        return NULL;
    }
    d = device_new(t, id);
    if (!apply_globals(d, errp) || !set_props(d, tree, errp) || !device_realize(d, bus, errp)) {
        device_free(d);
        return NULL;
    }
    return d;
}

/* ---- listings ---- */

static const char *const headings[DEVICE_CATS] = {
    [DEVICE_CAT_BRIDGE] = "Controller/Bridge/Hub", [DEVICE_CAT_USB] = "USB", [DEVICE_CAT_STORAGE] = "Storage",
    [DEVICE_CAT_NETWORK] = "Network", [DEVICE_CAT_INPUT] = "Input", [DEVICE_CAT_DISPLAY] = "Display",
        [DEVICE_CAT_SOUND] = "Sound",
    [DEVICE_CAT_MISC] = "Misc", [DEVICE_CAT_CPU] = "CPU",
};

static int by_name(const void *a, const void *b)
{
    const struct device_type *const *x = a, *const *y = b;

    return strcmp((*x)->name, (*y)->name);
}

/* All types, sorted; the caller frees the array. */
static const struct device_type **sorted_types(unsigned *n)
{
    const struct device_type **l = device_type_list();

    for (*n = 0; l[*n]; ) {
        ++*n;
    }
    qsort(l, *n, sizeof(*l), by_name);
    return l;
}

static void type_line(GString *out, const struct device_type *t)
{
    g_string_append_printf(out, "name \"%s\"", t->name);
    if (t->bus) {
        g_string_append_printf(out, ", bus %s", t->bus);
    }
    if (t->alias) {
        g_string_append_printf(out, ", alias \"%s\"", t->alias);
    }
    if (t->desc) {
        g_string_append_printf(out, ", desc \"%s\"", t->desc);
    }
    g_string_append_c(out, '\n');
}

char *device_help(void)
{
    GString *out = g_string_new(NULL);
    unsigned n;
    const struct device_type **l = sorted_types(&n);

    for (unsigned cat = 0; cat < DEVICE_CATS; cat++) {
        bool first = true;

        for (unsigned i = 0; i < n; i++) {
            if (l[i]->category != cat || l[i]->abstract || !l[i]->user_creatable) {
                continue;
            }
            if (first) {
                g_string_append_printf(out, "%s%s devices:\n", out->len ? "\n" : "", headings[cat]);
                first = false;
            }
            type_line(out, l[i]);
        }
    }
    g_free(l);
    return g_string_free(out, FALSE);
}

char *device_props_help(const char *driver, Error **errp)
{
    const struct device_type *t = find_type(driver, false, errp);
    GString *out;

    if (!t) {
        return NULL;
    }
    out = g_string_new(NULL);
    g_string_append_printf(out, "%s options:\n", t->name);
    for (; t; t = t->parent) {
        for (const struct property *p = t->props; p && p->name; p++) {
            char *left = g_strdup_printf("%s=<%s>", p->name, p->kind->name);

            g_string_append_printf(out, p->desc || p->defval ? "  %-22s - %s%s%s%s\n" : "  %s\n", left, p->desc ?
                                   p->desc : "",
                                   p->defval ? (p->desc ? " (default: " : "(default: ") : "", p->defval ? p->defval :
                                       "",
                                   p->defval ? ")" : "");
            g_free(left);
        }
    }
    return g_string_free(out, FALSE);
}

char *nic_models_help(void)
{
    GString *out = g_string_new("Available NIC models for this configuration:\n");
    unsigned n;
    const struct device_type **l = sorted_types(&n);

    for (unsigned i = 0; i < n; i++) {
        if (l[i]->category == DEVICE_CAT_NETWORK && !l[i]->abstract && l[i]->user_creatable) {
            g_string_append_printf(out, "%s%s\n", l[i]->name, !strcmp(l[i]->name, "virtio-net-pci") ?
                                   " (aka virtio)" : "");
        }
    }
    g_free(l);
    return g_string_free(out, FALSE);
}

const char *device_nearest(const char *name)
{
    unsigned best = strlen(name) > 4 ? 3 : 2, n;
    const struct device_type **l = sorted_types(&n);
    const char *found = NULL;

    for (unsigned i = 0; i < n; i++) {
        unsigned d = l[i]->abstract || !l[i]->user_creatable ? 99 : qapi_word_distance(l[i]->name, name);

        if (d < best) {
            best = d;
            found = l[i]->name;
        }
    }
    g_free(l);
    return found;
}
