/* SPDX-License-Identifier: BSD-2-Clause */
/* softmmu/core/bus.c - buses: named places that devices sit on */
#include "core/device.h"
#include <string.h>

static GList *buses;        /* of struct bus, in order of creation; machine lock */
static struct bus main_bus;

void bus_init(struct bus *b, const char *kind, const char *name, struct device *parent)
{
    *b = (struct bus){ .kind = kind, .name = g_strdup(name), .parent = parent };
    if (parent) {
        parent->child_buses = g_list_append(parent->child_buses, b);
    }
    buses = g_list_append(buses, b);
}

void bus_fini(struct bus *b)
{
    if (b->parent) {
        b->parent->child_buses = g_list_remove(b->parent->child_buses, b);
    }
    buses = g_list_remove(buses, b);
    g_clear_pointer(&b->name, g_free);
    g_clear_pointer(&b->devices, g_list_free);
}

struct bus *bus_find(const char *kind, const char *name)
{
    for (GList *l = buses; l; l = l->next) {
        struct bus *b = l->data;

        if ((!kind || !strcmp(b->kind, kind)) && (!name || !strcmp(b->name, name))) {
            return b;
        }
    }
    return NULL;
}

struct bus *bus_main(void)
{
    if (!main_bus.name) {
        bus_init(&main_bus, "System", "main-system-bus", NULL);
    }
    return &main_bus;
}
