/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * core/device.h - devices, their types and the buses they sit on
 *
 * Life: device_new() -> device_set_prop()* -> device_realize() (puts it on a bus, checks, creates regions) -> resets ->
 * device_unrealize() (undoes realize backwards) -> device_free(). Machine lock held throughout.
 * A type is a const table; types are registered once at start-up by each layer's register function.
 */
#ifndef CORE_DEVICE_H
#define CORE_DEVICE_H

#include "core/property.h"
#include <stdbool.h>

struct bus;
struct vmstate;

enum device_category {          /* headings of -device help */
    DEVICE_CAT_BRIDGE, DEVICE_CAT_USB, DEVICE_CAT_STORAGE, DEVICE_CAT_NETWORK, DEVICE_CAT_INPUT, DEVICE_CAT_DISPLAY,
    DEVICE_CAT_SOUND, DEVICE_CAT_MISC, DEVICE_CAT_CPU, DEVICE_CATS,
};

struct device_type {
    const char *name;           /* "e1000" */
    const char *alias;          /* or NULL: "e1000-82540em" */
    const char *desc;           /* "Intel Gigabit Ethernet" */
    const char *bus;            /* kind of bus: "PCI", "ISA", "System" */
    const struct device_type *parent;   /* NULL, or an abstract type: its hooks run first, its properties come after ours */
    size_t size;                /* bytes of an instance; its first member is a struct device (or something starting with one) */
    const struct property *props;       /* NULL or a table ending with a NULL name */
    enum device_category category;
    bool abstract;
    bool user_creatable;        /* by -device and device_add */
    bool hotpluggable;
    bool (*realize)(struct device *d, Error **errp);    /* parent's first */
    void (*unrealize)(struct device *d);                /* ours first, then the parent's; also after a failed realize of ours */
    void (*reset)(struct device *d);                    /* parent's first */
    void (*describe)(struct device *d, GString *out, unsigned indent);  /* extra lines of "info qtree"; may be NULL */
    const struct vmstate *vmsd; /* what of it the guest can see (migration/vmstate.h), or NULL: nothing of its own */
    const void *cls;            /* what the bus wants to know of the type: const struct pci_class_info * for PCI */
};

struct device {
    const struct device_type *type;
    char *id;                   /* user's id, or NULL */
    struct bus *bus;            /* NULL until realized */
    bool realized;
    GList *child_buses;         /* of struct bus: buses that this device provides */
    char *path;                 /* /machine/peripheral/ID or /machine/unattached/device[N]; set at realize */
};

/* A bus. Embedded in the device that provides it (or in the board). */
struct bus {
    char *name;                 /* "pci.0" */
    const char *kind;           /* "PCI", "ISA", "System" */
    struct device *parent;      /* or NULL */
    GList *devices;             /* of struct device, in order of creation */
    bool hotplug;
};

void bus_init(struct bus *b, const char *kind, const char *name, struct device *parent);
void bus_fini(struct bus *b);
/** bus_find() - by name among all buses; NULL name: the first one of that kind */
struct bus *bus_find(const char *kind, const char *name);
/** bus_main() - the root of the tree ("main-system-bus") */
struct bus *bus_main(void);

void device_type_register(const struct device_type *type);
/** device_type_find() - by name or alias; NULL: none */
const struct device_type *device_type_find(const char *name);
/** device_type_list() - all types in order of registration, NULL-terminated; caller frees the array only */
const struct device_type **device_type_list(void);
/** device_type_prop() - own or inherited property by name */
const struct property *device_type_prop(const struct device_type *type, const char *name);
/** device_type_is() - type is @ancestor or derives from it */
bool device_type_is(const struct device_type *type, const struct device_type *ancestor);

/** device_new() - instance with default property values; @id may be NULL (copied) */
struct device *device_new(const struct device_type *type, const char *id);
/** device_set_prop() - before realize; errors: "Property 'e1000.bogus' not found", "Property 'e1000.mac' doesn't take value 'zz'" */
bool device_set_prop(struct device *d, const char *name, const char *value, Error **errp);
char *device_get_prop(struct device *d, const char *name, Error **errp);
/** device_realize() - on @bus (may be NULL: the main system bus); on failure the device is as before and still the caller's */
bool device_realize(struct device *d, struct bus *bus, Error **errp);
void device_unrealize(struct device *d);
/** device_free() - unrealizes first if need be */
void device_free(struct device *d);
/** device_find() - by id; NULL: none */
struct device *device_find(const char *id);
void device_reset(struct device *d);
/** device_reset_all() - every realized device, parents before children */
void device_reset_all(void);
void device_foreach(void (*fn)(struct device *d, void *opaque), void *opaque);
/** device_print_tree() - "info qtree" */
void device_print_tree(GString *out);
/** device_free_all() - at exit: everything, last created first */
void device_free_all(void);

#endif
