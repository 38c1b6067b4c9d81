/* SPDX-License-Identifier: BSD-2-Clause */
/* cli/machine_types.h - the machine types: what -machine takes and lists, and query-machines tells */
#ifndef CLI_MACHINE_TYPES_H
#define CLI_MACHINE_TYPES_H

#include <stdbool.h>

struct machine_type {
    const char *name, *alias, *desc;    /* alias: NULL without one */
    const char *board;                  /* what builds it: "pc", "none" */
    bool is_default, acpi;
    unsigned cpu_max;
    const char *default_cpu, *default_ram_id;   /* NULL: it has no CPU, no RAM */
};

/** machine_types - ends with a NULL name */
extern const struct machine_type machine_types[];
/** machine_type_find() - by name or alias, or by the name of an older version of it; NULL: none */
const struct machine_type *machine_type_find(const char *name);
/** machine_types_help() - "-machine help"; the caller frees */
char *machine_types_help(void);

#endif
