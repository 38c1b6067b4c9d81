/* SPDX-License-Identifier: BSD-2-Clause */
/* softmmu/core/reset.c - the machine's reset: the device tree, then what was registered */
#include "core/reset.h"
#include "core/device.h"
#include <glib.h>

struct entry {
    reset_fn *fn;
    void *opaque;
};

static GList *entries;      /* of struct entry, in order of registration; machine lock */

void reset_register(reset_fn *fn, void *opaque)
{
    struct entry *e = g_new(struct entry, 1);

    *e = (struct entry){ fn, opaque };
    entries = g_list_append(entries, e);
}

void reset_unregister(reset_fn *fn, void *opaque)
{
    for (GList *l = entries; l; l = l->next) {
        struct entry *e = l->data;

        if (e->fn == fn && e->opaque == opaque) {
            entries = g_list_delete_link(entries, l);
            g_free(e);
            return;
        }
    }
}

void reset_run(void)
{
    device_reset_all();
    for (GList *l = entries; l; l = l->next) {
        struct entry *e = l->data;

        e->fn(e->opaque);
    }
}
