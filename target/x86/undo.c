/* SPDX-License-Identifier: BSD-2-Clause */
/* target/x86/undo.c - see undo.h */
#include "target/x86/undo.h"
#include <glib.h>
#include <string.h>

void x86_undo_note(struct x86_cpu *cpu, uint8_t *host, unsigned len)
{
    struct x86_undo *u = cpu->undo;

    while (len) {
        struct x86_undo_entry *e = &u->e[u->n];
        unsigned n = MIN(len, UNDO_CHUNK);

        if (u->n == UNDO_MAX) {
            x86_undo_cannot(cpu);
        }
        e->host = host;
        e->len = (uint8_t)n;
        memcpy(e->old, host, n);
        u->n++;
        host += n;
        len -= n;
    }
}
