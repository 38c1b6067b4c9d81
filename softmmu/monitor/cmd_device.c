/* SPDX-License-Identifier: BSD-2-Clause */
/* softmmu/monitor/cmd_device.c - types, objects and devices: lists, properties, hot plug, PCI */
#include "board.h"
#include "cli/device_opt.h"
#include "core/device.h"
#include "hmp.h"
#include "hw/pci/pci.h"
#include "qapi/keyval.h"
#include "qmp.h"
#include "session.h"
#include <stdio.h>
#include <string.h>

/* ---- types ---- */

/* What is no device. Only what works is listed: clients take a name as a promise. */
static const struct {
    const char *name, *parent;
    bool abstract;
} other_types[] = {
    { "object", NULL, true }, { "device", "object", true }, { "accel", "object", true }, { "machine", "object", true },
    { "container", "object", false },
    { "tcg-accel", "accel", false }, { "qtest-accel", "accel", false },
    { "none-machine", "machine", false }, { "generic-pc-machine", "machine", true }, { "pc-i440fx-machine",
                                                                                       "generic-pc-machine", true },
    { "pc-i440fx-11.1-machine", "pc-i440fx-machine", false },
    { "monitor-hmp", "object", false }, { "monitor-qmp", "object", false }, { "secret", "object", false },
};

static const char *parent_of(const char *name)
{
    const struct device_type *t = device_type_find(name);

    if (t) {
        return t->parent ? t->parent->name : "device";
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(other_types); i++) {
        if (!strcmp(other_types[i].name, name)) {
            return other_types[i].parent;
        }
    }
    return NULL;
}

static bool implements(const char *name, const char *ancestor)
{
    for (unsigned depth = 0; name && depth < 16; depth++, name = parent_of(name)) {
        if (!strcmp(name, ancestor)) {
            return true;
        }
    }
    return false;
}

static void add_type(struct jval *list, const char *name, bool abstract, const qmp_qom_list_types_args *a)
{
    struct jval *d;

    if ((abstract && !(a->has_abstract && a->abstract)) || (a->implements && !implements(name, a->implements))) {
        return;
    }
    d = jval_dict();
    jval_set_str(d, "name", name);
    if (abstract) {
        jval_set_bool(d, "abstract", true);
    }
    if (parent_of(name)) {
        jval_set_str(d, "parent", parent_of(name));
    }
    jval_append(list, d);
}

bool qmp_qom_list_types(struct qmp_call *call, const qmp_qom_list_types_args *args, struct jval **ret, Error **errp)
{
    const struct device_type **types = device_type_list();

    *ret = jval_list();
    for (unsigned i = 0; types[i]; i++) {
        add_type(*ret, types[i]->name, types[i]->abstract, args);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(other_types); i++) {
        add_type(*ret, other_types[i].name, other_types[i].abstract, args);
    }
    g_free(types);
    return true;
}

/* ---- properties ---- */

static struct jval *prop_info(const struct property *p)
{
    struct jval *d = jval_dict();

    jval_set_str(d, "name", p->name);
    jval_set_str(d, "type", p->kind->name);
    if (p->desc) {
        jval_set_str(d, "description", p->desc);
    }
    return d;
}

static struct jval *props_of(const struct device_type *t)
{
    struct jval *list = jval_list();

    for (; t; t = t->parent) {
        for (const struct property *p = t->props; p && p->name; p++) {
            jval_append(list, prop_info(p));
        }
    }
    return list;
}

bool qmp_device_list_properties(struct qmp_call *call, const qmp_device_list_properties_args *args, struct jval **ret,
                                Error **errp)
{
    const struct device_type *t = device_type_find(args->typename);

    if (!t) {
        error_set(errp, ERROR_DEVICE_NOT_FOUND, "Device '%s' not found", args->typename);
        return false;
    }
    *ret = props_of(t);
    return true;
}

bool qmp_qom_list_properties(struct qmp_call *call, const qmp_qom_list_properties_args *args, struct jval **ret,
                             Error **errp)
{
    const struct device_type *t = device_type_find(args->typename);

    if (!t && !parent_of(args->typename) && strcmp(args->typename, "object")) {
        error_set(errp, ERROR_DEVICE_NOT_FOUND, "Class '%s' not found", args->typename);
        return false;
    }
    *ret = t ? props_of(t) : jval_list();
    return true;
}

static void add_objects(struct jval *list);

/* ---- paths ---- */

struct walk {
    const char *path;           /* "/machine/peripheral" */
    struct jval *list;          /* its children */
    struct device *exact;       /* the device that is there */
    struct device *partial;     /* the device whose path ends like it */
};

static void add_child(struct jval *list, const char *name, const char *type)
{
    struct jval *d = jval_dict();
    char *t = g_strdup_printf("child<%s>", type);

    jval_set_str(d, "name", name);
    jval_set_str(d, "type", t);
    jval_append(list, d);
    g_free(t);
}

static void visit(struct device *d, void *opaque)
{
    struct walk *w = opaque;
    size_t len = strlen(w->path);

    if (!d->path) {
        return;
    }
    if (!strcmp(d->path, w->path)) {
        w->exact = d;
    }
    if (w->path[0] != '/' && g_str_has_suffix(d->path, w->path) && strlen(d->path) > len &&
        d->path[strlen(d->path) - len - 1] == '/') {
        w->partial = d;
    }
    if (w->list && !strncmp(d->path, w->path, len) && d->path[len] == '/' && !strchr(d->path + len + 1, '/')) {
        add_child(w->list, d->path + len + 1, d->type->name);
    }
}

static struct device *find_device(const char *path)
{
    struct walk w = { .path = path };

    device_foreach(visit, &w);
    return w.exact ? w.exact : w.partial;
}

static void not_found(const char *path, Error **errp)
{
    error_set(errp, ERROR_DEVICE_NOT_FOUND, "Device '%s' not found", path);
}

bool qmp_qom_list(struct qmp_call *call, const qmp_qom_list_args *args, struct jval **ret, Error **errp)
{
    static const char *const containers[] = {
        "/machine/peripheral", "/machine/peripheral-anon", "/machine/unattached", "/chardevs", NULL
    };
    struct walk w = { .path = args->path, .list = jval_list() };
    struct device *d;

    if (!strcmp(args->path, "/")) {
        add_child(w.list, "machine", "pc-i440fx-11.1-machine");
        add_child(w.list, "objects", "container");
        add_child(w.list, "chardevs", "container");
    } else if (!strcmp(args->path, "/machine") || !strcmp(args->path, "machine")) {
        add_child(w.list, "peripheral", "container");
        add_child(w.list, "peripheral-anon", "container");
        add_child(w.list, "unattached", "container");
    } else if (!strcmp(args->path, "/objects")) {
        add_objects(w.list);
    } else if (g_strv_contains(containers, args->path)) {
        device_foreach(visit, &w);
    } else if ((d = find_device(args->path))) {
        jval_free(w.list);
        w.list = props_of(d->type);
    } else {
        jval_free(w.list);
        not_found(args->path, errp);
        return false;
    }
    *ret = w.list;
    return true;
}

/* A property's text with its JSON type */
static struct jval *typed(const char *kind, const char *text)
{
    gint64 i;

    if (!strcmp(kind, "bool")) {
        return jval_bool(!strcmp(text, "on") || !strcmp(text, "true"));
    }
    if ((g_str_has_prefix(kind, "uint") || g_str_has_prefix(kind, "int") || !strcmp(kind, "size")) &&
        g_ascii_string_to_signed(text, 10, INT64_MIN, INT64_MAX, &i, NULL)) {
        return jval_int(i);
    }
    return jval_str(text);
}

bool qmp_qom_get(struct qmp_call *call, const qmp_qom_get_args *args, struct jval **ret, Error **errp)
{
    struct device *d = find_device(args->path);
    const struct property *p;
    char *text;

    if (!d) {
        not_found(args->path, errp);
        return false;
    }
    if (!strcmp(args->property, "type")) {
        *ret = jval_str(d->type->name);
        return true;
    }
    if (!strcmp(args->property, "realized")) {
        *ret = jval_bool(d->realized);
        return true;
    }
    p = device_type_prop(d->type, args->property);
    if (!p) {
        error_setg(errp, "Property '%s.%s' not found", d->type->name, args->property);
        return false;
    }
    text = device_get_prop(d, args->property, errp);
    *ret = text ? typed(p->kind->name, text) : NULL;
    g_free(text);
    return *ret != NULL;
}

/* ---- hot plug ---- */

bool qmp_device_add(struct qmp_call *call, const struct jval *args, struct jval **ret, Error **errp)
{
    return device_create(args, QAPI_JSON, true, errp) != NULL;
}

bool qmp_device_del(struct qmp_call *call, const qmp_device_del_args *args, struct jval **ret, Error **errp)
{
    struct device *d = device_find(args->id);

    d = d ? d : args->id[0] == '/' ? find_device(args->id) : NULL;
    if (!d) {
        not_found(args->id, errp);
        return false;
    }
    if (!d->bus || !d->bus->hotplug) {
        error_setg(errp, "Bus '%s' does not support hotplugging", d->bus ? d->bus->name : "none");
        return false;
    }
    error_setg(errp, "Device '%s' does not support hotplugging", d->type->name);
    return false;
}

void hmp_device_add(struct hmp *h, const struct jval *args)
{
    const char *text = jval_get_str(args, "device");
    bool help = false;
    enum qapi_mode mode;
    Error *err = NULL;
    struct jval *tree = opts_tree(text ? text : "", "driver", &mode, &help, &err);
    char *out = NULL;

    if (help) {
        out = jval_get_str(tree, "driver") ? device_props_help(jval_get_str(tree, "driver"), &err) : device_help();
        hmp_printf(h, "%s", out ? out : "");
    } else if (tree) {
        device_create(tree, mode, true, &err);
    }
    g_free(out);
    jval_free(tree);
    hmp_error(h, err);
}

void hmp_device_del(struct hmp *h, const struct jval *args)
{
    qmp_device_del_args a = { .id = (char *)jval_get_str(args, "id") };
    struct qmp_call call = { NULL };
    struct jval *ret = NULL;
    Error *err = NULL;

    qmp_device_del(&call, &a, &ret, &err);
    hmp_error(h, err);
}

/* ---- objects: secrets and random sources, which today are only remembered ---- */

static GHashTable *objects;     /* id -> type name; those of the command line too */

static void objects_load(void)
{
    const struct vm_options *o = monitor_options();

    if (objects) {
        return;
    }
    objects = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (unsigned i = 0; o && i < o->objects->len; i++) {
        const struct opt_item *it = g_ptr_array_index(o->objects, i);
        ObjectOptions *obj = opts_parse(&qapi_type_ObjectOptions, it->arg, "qom-type", NULL);

        if (obj) {
            g_hash_table_insert(objects, g_strdup(obj->id), (gpointer)qapi_name_SchemaObjectType(obj->qom_type));
        }
        qapi_free_ObjectOptions(obj);
    }
}

static void add_objects(struct jval *list)
{
    GHashTableIter it;
    gpointer id, type;

    objects_load();
    g_hash_table_iter_init(&it, objects);
    while (g_hash_table_iter_next(&it, &id, &type)) {
        add_child(list, id, type);
    }
}

bool qmp_object_add(struct qmp_call *call, const ObjectOptions *args, struct jval **ret, Error **errp)
{
    const char *type = qapi_name_SchemaObjectType(args->qom_type);

    objects_load();
    if (g_hash_table_contains(objects, args->id)) {
        error_setg(errp, "attempt to add duplicate property '%s' to object (type 'container')", args->id);
        return false;
    }
    if (args->qom_type != SCHEMA_OBJECT_TYPE_SECRET && args->qom_type != SCHEMA_OBJECT_TYPE_RNG_RANDOM) {
        error_setg(errp, "object type '%s' cannot be added while the program runs", type);
        return false;
    }
    g_hash_table_insert(objects, g_strdup(args->id), (gpointer)type);
    return true;
}

bool qmp_object_del(struct qmp_call *call, const qmp_object_del_args *args, struct jval **ret, Error **errp)
{
    const char *type;

    objects_load();
    type = g_hash_table_lookup(objects, args->id);
    if (!type) {
        error_setg(errp, "object '%s' not found", args->id);
        return false;
    }
    if (strcmp(type, "secret") && strcmp(type, "rng-random")) {
        error_setg(errp, "object '%s' is in use, can not be deleted", args->id);
        return false;
    }
    g_hash_table_remove(objects, args->id);
    return true;
}

void complete_device_types(unsigned argno, const char *word, GPtrArray *out)
{
    const struct device_type **types = device_type_list();

    for (unsigned i = 0; argno == 1 && types[i]; i++) {
        if (!types[i]->abstract && types[i]->user_creatable) {
            hmp_add_candidate(out, word, types[i]->name);
        }
    }
    g_free(types);
}

void hmp_info_qtree(struct hmp *h, const struct jval *args)
{
    device_print_tree(h->out);
}

/* ---- PCI ---- */

static struct jval *pci_region(const struct pci_region_info *r)
{
    struct jval *d = jval_dict();

    jval_set_int(d, "bar", r->bar);
    jval_set_str(d, "type", r->io ? "io" : "memory");
    jval_set_int(d, "address", r->address == PCI_UNMAPPED ? -1 : (int64_t)r->address);
    jval_set_int(d, "size", (int64_t)r->size);
    if (!r->io) {
        jval_set_bool(d, "prefetch", r->prefetch);
        jval_set_bool(d, "mem_type_64", r->mem64);
    }
    return d;
}

static void add_pci(struct pci_device *dev, void *opaque)
{
    struct pci_device_info i;
    struct jval *d = jval_dict(), *class = jval_dict(), *id = jval_dict(), *regions = jval_list();

    pci_query(dev, &i);
    jval_set_int(class, "class", i.class);
    if (i.class_desc) {
        jval_set_str(class, "desc", i.class_desc);
    }
    jval_set_int(id, "vendor", i.vendor);
    jval_set_int(id, "device", i.device);
    if (i.subvendor || i.subdevice) {
        jval_set_int(id, "subsystem-vendor", i.subvendor);
        jval_set_int(id, "subsystem", i.subdevice);
    }
    for (unsigned n = 0; n < i.nregions; n++) {
        jval_append(regions, pci_region(&i.regions[n]));
    }
    jval_set_int(d, "bus", i.bus);
    jval_set_int(d, "slot", i.slot);
    jval_set_int(d, "function", i.function);
    jval_set(d, "class_info", class);
    jval_set(d, "id", id);
    if (i.pin) {
        jval_set_int(d, "irq", i.irq);
    }
    jval_set_int(d, "irq_pin", i.pin);
    jval_set_str(d, "qdev_id", i.id);
    jval_set(d, "regions", regions);
    jval_append(opaque, d);
}

bool qmp_query_pci(struct qmp_call *call, const void *args, struct jval **ret, Error **errp)
{
    struct pci_bus *b = board_pci();
    struct jval *bus, *devices;

    *ret = jval_list();
    if (b) {
        devices = jval_list();
        pci_foreach(b, add_pci, devices);
        bus = jval_dict();
        jval_set_int(bus, "bus", 0);
        jval_set(bus, "devices", devices);
        jval_append(*ret, bus);
    }
    return true;
}

void hmp_info_pci(struct hmp *h, const struct jval *args)
{
    struct pci_bus *b = board_pci();

    if (b) {
        pci_print_info(b, h->out);
    }
}
