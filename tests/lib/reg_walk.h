/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/lib/reg_walk.h - the generic test of a register table (hw/net/regs.h) through a NIC's BAR 0
 *
 * Every row: reset value, masks, read-only bits; then a reset puts all of it back. Rows with hooks that give them a life
 * of their own (@special: offsets, 0 ends) and rows that a read or write changes are left to the tests of their features.
 */
#ifndef TESTS_REG_WALK_H
#define TESTS_REG_WALK_H

#include "hw/net/regs.h"
#include "tests/lib/nic_rig.h"

static inline bool reg_is_special(const struct reg *r, const uint32_t *special)
{
    for (unsigned i = 0; special[i] != UINT32_MAX; i++) {
        if (special[i] == r->off) {
            return true;
        }
    }
    return false;
}

/* Return: rows (and copies) that were written and read back */
static inline unsigned reg_walk(struct rig *g, const struct reg *rows, unsigned n, const uint32_t *special)
{
    static const uint32_t patterns[] = { 0x5A5A5A5A, 0xA5A5A5A5, 0x00000000, 0xFFFFFFFF };
    unsigned tested = 0;

    for (unsigned i = 0; i < n; i++) {
        const struct reg *r = &rows[i];

        for (unsigned k = 0; k < reg_count(r); k += r->count > 1000 ? 997 : 1) {
            uint32_t off = reg_off(r, k), fixed = r->reset & ~(r->rw | r->w1c | r->w1s);

            if (r->flags & REG_ALIAS || r->read || (k == 0 && reg_is_special(r, special))) {
                continue;
            }
            g_assert_cmphex(r32(g, off), ==, r->reset);
            if (r->flags & REG_WO || r->clear_on_read || r->w1c || r->w1s) {
                continue;
            }
            for (unsigned p = 0; p < ARRAY_LEN(patterns); p++) {
                w32(g, off, patterns[p]);
                g_assert_cmphex(r32(g, off), ==, (patterns[p] & r->rw) | fixed);
            }
            if (r->rw) {
                w32(g, off, ~r->reset);
            }
            tested++;
        }
    }
    device_reset(&g->dev->dev);
    rig_place_bars(g);
    rig_config_set(g, PCI_COMMAND, 7, 2);
    for (unsigned i = 0; i < n; i++) {
        const struct reg *r = &rows[i];

        if (!(r->flags & (REG_ALIAS | REG_KEEP)) && !r->read && !reg_is_special(r, special)) {
            g_assert_cmphex(r32(g, reg_off(r, reg_count(r) - 1)), ==, r->reset);
        }
    }
    return tested;
}

#endif
