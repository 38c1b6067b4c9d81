/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/gen-regs.c - register tables of the NIC models as reStructuredText, from the tables that the models run on
 *
 *     gen-regs 8254x|82574              print the page
 *     gen-regs 8254x|82574 FILE         compare it with FILE (TAP): the pages in docs/devel/nics are made by this program
 */
#include "hw/net/nics.h"

#include <stdio.h>
#include <string.h>

static const char *access_of(const struct reg *r)
{
    if (r->flags & REG_WO) {
        return "WO";
    }
    if (r->clear_on_read) {
        return "RC";
    }
    if (r->w1s) {
        return "RW1S";
    }
    if (r->w1c) {
        return r->rw ? "RW, RW1C" : "RW1C";
    }
    return r->rw ? "RW" : "RO";
}

static GString *page(const char *title, const char *manual, const struct reg *rows, unsigned n)
{
    GString *s = g_string_new(".. SPDX-License-Identifier: BSD-2-Clause\n\n");

    g_string_append_printf(s, "%s\n", title);
    for (size_t i = 0; i < strlen(title); i++) {
        g_string_append_c(s, '=');
    }
    g_string_append_printf(s, "\n\n%s Made from the source by ``tests/unit/gen-regs``; sections are in the source.\n\n"
                              ".. list-table::\n   :header-rows: 1\n\n"
                              "   * - Offset\n     - Name\n     - Copies\n     - Access\n     - Reset\n     - Writable bits\n",
                           manual);
    for (unsigned i = 0; i < n; i++) {
        const struct reg *r = &rows[i];

        g_string_append_printf(s, "   * - 0x%05X\n     - %s\n     - ", r->off, r->name);
        if (reg_count(r) > 1) {
            g_string_append_printf(s, "%u, every 0x%X\n", reg_count(r), r->stride ? r->stride : 4);
        } else {
            g_string_append(s, "1\n");
        }
        g_string_append_printf(s, "     - %s\n     - 0x%08X\n     - 0x%08X\n", access_of(r), r->reset,
                               r->rw | r->w1c | r->w1s);
    }
    return s;
}

int main(int argc, char **argv)
{
    const struct reg *rows;
    unsigned n;
    bool new = argc > 1 && strcmp(argv[1], "82574") == 0;
    g_autofree char *have = NULL;

    if (argc < 2 || (!new && strcmp(argv[1], "8254x") != 0)) {
        fprintf(stderr, "usage: gen-regs 8254x|82574 [FILE]\n");
        return 2;
    }
    rows = new ? e1000e_regs(&n) : e1000_regs(&n);
    g_autoptr(GString) s = new ? page("82574 registers", "The ``e1000e`` model (82574 datasheet, chapter 10).", rows, n)
                               : page("8254x registers", "The ``e1000`` models (8254x SDM 317453, chapter 13).", rows, n);
    if (argc == 2) {
        fputs(s->str, stdout);
        return 0;
    }
    bool same = g_file_get_contents(argv[2], &have, NULL, NULL) && strcmp(have, s->str) == 0;

    printf("1..1\n%s 1 %s is what gen-regs %s prints\n", same ? "ok" : "not ok", argv[2], argv[1]);
    return !same;
}
