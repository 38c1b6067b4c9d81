/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/net/regs.c - walks register tables
 *
 * Values lie in one array by offset; row_of[] finds the row of an offset in one step. Both arrays are zero pages of the
 * host until touched, so a sparse register space costs little. Registers hold 32 bits; narrower accesses were widened
 * by the region.
 */
#include "hw/net/regs.h"
#include "lib/log.h"

#include <string.h>

void regfile_init(struct regfile *f, const char *dev, const struct reg *rows, unsigned nrows, uint32_t size,
                  void *opaque)
{
    g_return_if_fail(nrows < UINT16_MAX);
    *f = (struct regfile){ .dev = dev, .rows = rows, .nrows = nrows, .size = size, .opaque = opaque };
    f->val = g_new0(uint32_t, size / 4);
    f->row_of = g_new0(uint16_t, size / 4);
    for (unsigned i = 0; i < nrows; i++) {
        for (unsigned n = 0; n < reg_count(&rows[i]); n++) {
            g_return_if_fail(reg_off(&rows[i], n) < size);
            f->row_of[reg_off(&rows[i], n) / 4] = i + 1;
        }
    }
    regfile_reset(f);
}

void regfile_fini(struct regfile *f)
{
    g_clear_pointer(&f->val, g_free);
    g_clear_pointer(&f->row_of, g_free);
}

/* Most copies are of one row, packet memory, and side by side: those are compared with each other, which is memcmp()'s */
bool regfile_row_at_reset(const struct regfile *f, const struct reg *r)
{
    const uint32_t *v = &f->val[r->off / 4];
    unsigned n = reg_count(r), i;

    if (!r->stride || r->stride == 4) {
        return v[0] == r->reset && memcmp(v, v + 1, (n - 1) * sizeof(*v)) == 0;
    }
    for (i = 0; i < n && v[i * r->stride / 4] == r->reset; i++) {
    }
    return i == n;
}

void regfile_row_reset(struct regfile *f, const struct reg *r)
{
    if (regfile_row_at_reset(f, r)) {       /* do not touch host pages that are zero already */
        return;
    }
    for (unsigned n = 0; n < reg_count(r); n++) {
        f->val[reg_off(r, n) / 4] = r->reset;
    }
}

void regfile_reset(struct regfile *f)
{
    for (unsigned i = 0; i < f->nrows; i++) {
        if (!(f->rows[i].flags & (REG_ALIAS | REG_KEEP))) {
            regfile_row_reset(f, &f->rows[i]);
        }
    }
}

/* Row and copy number at @off; false: no register */
static bool reg_find(struct regfile *f, uint32_t off, struct reg_access *a)
{
    unsigned row = off < f->size ? f->row_of[off / 4] : 0;

    if (!row) {
        f->unknown++;
        return false;
    }
    a->reg = &f->rows[row - 1];
    a->idx = (off - a->reg->off) / (a->reg->stride ? a->reg->stride : 4);
    return true;
}

static uint32_t *reg_store(struct regfile *f, const struct reg_access *a)
{
    uint32_t off = a->reg->flags & REG_ALIAS ? a->reg->store : reg_off(a->reg, a->idx);

    return &f->val[off / 4];
}

static void reg_trace(const struct regfile *f, const struct reg_access *a, const char *what)
{
    if (log_on(LOG_TRACE)) {
        log_guest(LOG_TRACE, "%s: %s %s[%u] 0x%08x", f->dev, what, a->reg->name, a->idx, a->val);
    }
}

uint32_t regfile_read(struct regfile *f, uint32_t off)
{
    struct reg_access a = { .is_read = true };
    uint32_t *s, clear;

    off &= ~3u;
    if (!reg_find(f, off, &a)) {
        return 0;
    }
    s = reg_store(f, &a);
    a.old = a.val = *s;
    if (a.reg->read) {
        a.val = a.reg->read(f->opaque, &a);
    }
    if (a.reg->flags & REG_WO) {
        a.val = 0;
    }
    clear = *s & a.reg->clear_on_read;
    *s &= ~clear;
    if (clear && a.reg->after) {
        a.reg->after(f->opaque, &a);
    }
    reg_trace(f, &a, "read");
    return a.val;
}

void regfile_write(struct regfile *f, uint32_t off, uint32_t val)
{
    struct reg_access a = { .val = val };
    uint32_t *s, v;

    off &= ~3u;
    if (!reg_find(f, off, &a)) {
        return;
    }
    reg_trace(f, &a, "write");
    s = reg_store(f, &a);
    a.old = *s;
    v = (*s & ~a.reg->rw) | (val & a.reg->rw);
    v &= ~(val & a.reg->w1c);
    *s = v | (val & a.reg->w1s);
    if (a.reg->after) {
        a.reg->after(f->opaque, &a);
    }
}

void regfile_dump(const struct regfile *f, GString *out, unsigned indent)
{
    for (unsigned i = 0; i < f->nrows; i++) {
        const struct reg *r = &f->rows[i];

        if (r->flags & REG_ALIAS) {
            continue;
        }
        for (unsigned n = 0; n < reg_count(r); n++) {
            uint32_t v = f->val[reg_off(r, n) / 4];

            if (reg_count(r) == 1) {
                g_string_append_printf(out, "%*s%s 0x%08x\n", indent, "", r->name, v);
            } else if (v != r->reset) {
                g_string_append_printf(out, "%*s%s[%u] 0x%08x\n", indent, "", r->name, n, v);
            }
        }
    }
}
