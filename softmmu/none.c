/* SPDX-License-Identifier: BSD-2-Clause */
/* softmmu/none.c - see softmmu/none.h */
#include "softmmu/none.h"

struct none_machine *none_new(void)
{
    struct none_machine *m = g_new0(struct none_machine, 1);

    region_init(&m->mem_root, "system", 0);
    region_init(&m->io_root, "io", 0x10000);
    space_init(&m->mem, "memory", &m->mem_root);
    space_init(&m->io, "I/O", &m->io_root);
    return m;
}

void none_free(struct none_machine *m)
{
    if (m) {
        space_fini(&m->io);
        space_fini(&m->mem);
        region_fini(&m->io_root);
        region_fini(&m->mem_root);
        g_free(m);
    }
}
