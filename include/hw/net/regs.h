/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/net/regs.h - 32-bit register files: one row a register, and the functions that walk the rows
 *
 * A NIC writes down its registers as a const table of struct reg, straight from the manual. Reading, writing, reset,
 * the monitor's dump, the trace line and the generic register test all use that table; a model's code only has hooks.
 */
#ifndef HW_NET_REGS_H
#define HW_NET_REGS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct reg;

/* What the guest just did, for hooks */
struct reg_access {
    const struct reg *reg;
    unsigned idx;               /* 0..count-1 */
    uint32_t old;               /* stored value before */
    uint32_t val;               /* as written; on a read, as read */
    bool is_read;
};

enum {                          /* reg.flags */
    REG_WO    = 1 << 0,         /* reads as 0 */
    REG_ALIAS = 1 << 1,         /* .store is where its bits live: another register's offset */
    REG_KEEP  = 1 << 2,         /* a reset leaves it alone: memory, not state */
};

/*
 * A write of v changes the stored value s, in this order: s = s & ~rw | v & rw; s &= ~(v & w1c); s |= v & w1s.
 * Bits in none of these masks are read-only: only the model sets them (.hw). A read returns s (through .read) and then clears
 * clear_on_read.
 */
struct reg {
    const char *name;
    uint32_t off;               /* bytes, a multiple of 4 */
    uint32_t reset;
    uint32_t rw, w1c, w1s;
    uint32_t clear_on_read;
    uint32_t hw;                /* bits that the model changes; bits in no mask at all keep their reset value for ever */
    uint16_t count;             /* copies; 0 and 1: one */
    uint16_t stride;            /* bytes between them; 0: 4 */
    uint8_t flags;
    uint32_t store;
    /* a->val is what is stored; returns what is read. NULL: that */
    uint32_t (*read)(void *opaque, const struct reg_access *a);
    /* after a write, and after a read that cleared bits. NULL: nothing to do */
    void (*after)(void *opaque, const struct reg_access *a);
};

struct regfile {
    const char *dev;            /* for traces */
    const struct reg *rows;
    unsigned nrows;
    uint32_t size;              /* bytes of register space */
    uint32_t *val;              /* by offset / 4 */
    uint16_t *row_of;           /* row + 1 by offset / 4; 0: no register there */
    void *opaque;               /* for hooks */
    uint64_t unknown;           /* accesses to offsets without a register */
};

/** regfile_init() - @rows stays the caller's and const; all values are at reset */
void regfile_init(struct regfile *f, const char *dev, const struct reg *rows, unsigned nrows, uint32_t size,
                  void *opaque);
void regfile_fini(struct regfile *f);
/** regfile_reset() - every register (but REG_KEEP) to its reset value; no hook runs */
void regfile_reset(struct regfile *f);

/** regfile_row_at_reset() - all copies of row @r are at its reset value; regfile_row_reset() puts them there */
bool regfile_row_at_reset(const struct regfile *f, const struct reg *r);
void regfile_row_reset(struct regfile *f, const struct reg *r);

/** regfile_read()/_write() - a guest's access; any offset (rounded down to 4); no register: reads 0, writes nothing */
uint32_t regfile_read(struct regfile *f, uint32_t off);
void regfile_write(struct regfile *f, uint32_t off, uint32_t val);

/** regfile_dump() - "NAME value" lines; of arrays only what differs from reset */
void regfile_dump(const struct regfile *f, GString *out, unsigned indent);

/* The model's own access: no hooks, no masks. @off must be a register's. */
static inline uint32_t reg_get(const struct regfile *f, uint32_t off)
{
    return f->val[off / 4];
}
static inline void reg_set(struct regfile *f, uint32_t off, uint32_t val)
{
    f->val[off / 4] = val;
}
static inline void reg_or(struct regfile *f, uint32_t off, uint32_t bits)
{
    f->val[off / 4] |= bits;
}
static inline void reg_clear(struct regfile *f, uint32_t off, uint32_t bits)
{
    f->val[off / 4] &= ~bits;
}

/** reg_off() - offset of copy @idx of a row */
static inline uint32_t reg_off(const struct reg *r, unsigned idx)
{
    return r->off + idx * (r->stride ? r->stride : 4);
}
static inline unsigned reg_count(const struct reg *r)
{
    return r->count ? r->count : 1;
}

#endif
