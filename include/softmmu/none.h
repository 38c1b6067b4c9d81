/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * softmmu/none.h - machine type "none": address spaces in which nothing answers
 *
 * Reads give ones, writes go nowhere. That is all there is of it; the test server needs something to talk to.
 */
#ifndef SOFTMMU_NONE_H
#define SOFTMMU_NONE_H

#include "mem/space.h"

struct none_machine {
    struct region mem_root, io_root;
    struct addr_space mem, io;
};

struct none_machine *none_new(void);
/** none_free() - NULL is fine */
void none_free(struct none_machine *m);

#endif
