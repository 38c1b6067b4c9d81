/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * softmmu/cli/machine_types.c - see cli/machine_types.h
 *
 * "none" is no board: no CPU, RAM or bus, only backends, monitors and QMP. Management programs start it to ask what the
 * program can do, people to let backends talk to each other (a hub, a relay). See softmmu/none.h.
 */
#include "cli/machine_types.h"
#include "hw/i386/pc.h"

#include <string.h>

const struct machine_type machine_types[] = {
    { PC_MACHINE_NAME, "pc", PC_MACHINE_DESC, "pc", true, true, PC_CPUS_MAX, "qemu64", "pc.ram" },
    { "none", NULL, "empty machine", "none", false, false, 1, NULL, NULL },
    { NULL },
};

/* The board does not differ between these; command lines that were written down name them. */
static const char *const older_pc[] = {
    "pc-i440fx-11.0", "pc-i440fx-10.2", "pc-i440fx-10.1", "pc-i440fx-10.0", "pc-i440fx-9.2", "pc-i440fx-9.0",
    "pc-i440fx-8.2", "pc-i440fx-8.0", "pc-i440fx-7.2", NULL
};

const struct machine_type *machine_type_find(const char *name)
{
    for (const struct machine_type *t = machine_types; t->name; t++) {
        if (!strcmp(t->name, name) || !g_strcmp0(t->alias, name)) {
            return t;
        }
    }
    return g_strv_contains(older_pc, name) ? &machine_types[0] : NULL;
}

char *machine_types_help(void)
{
    GString *s = g_string_new("Supported machines are:\n");

    for (const struct machine_type *t = machine_types; t->name; t++) {
        if (t->alias) {
            g_string_append_printf(s, "%-20s %s (alias of %s)\n", t->alias, t->desc, t->name);
        }
        g_string_append_printf(s, "%-20s %s%s\n", t->name, t->desc, t->is_default ? " (default)" : "");
    }
    return g_string_free(s, FALSE);
}
