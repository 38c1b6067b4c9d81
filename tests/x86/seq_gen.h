/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/x86/seq_gen.h - a program in the making: what seq_gen.c and seq_snip.c share */
#ifndef TESTS_X86_SEQ_GEN_H
#define TESTS_X86_SEQ_GEN_H

#include "tests/x86/seq.h"

#define SEQ_PENDING 12
#define SEQ_FUNCS   3u

struct seq_gen {
    struct ox_rng *g;
    struct seq_prog *p;
    const struct x86_features *feat;
    uint8_t flavour;                    /* more integer, SIMD or x87 */
    int32_t disp[6];                    /* displacements that accesses share */
    struct { int item; uint8_t slot, left; } pending[SEQ_PENDING];      /* forward jumps whose target is still to come */
    unsigned npending;
    struct { int head; unsigned left; uint8_t reg; bool open, set; } loop[2];
    struct { int item[8]; unsigned n; } calls[SEQ_FUNCS];               /* items that call this function */
    unsigned tables;
    int function;                       /* being made, or -1 */
    int patchable;                      /* an item behind which a store may rewrite, or -1 */
};

static inline unsigned seq_below(struct seq_gen *s, unsigned n)
{
    return ox_below(s->g, n);
}
bool seq_is_base(const struct seq_prog *p, unsigned reg);
int32_t seq_disp(struct seq_gen *s, bool aligned);
/** seq_plain() - one instruction from the table */
void seq_plain(struct seq_gen *s);
/** seq_body() - @want items or a little more, the end, and the functions behind it */
void seq_body(struct seq_gen *s, unsigned want);

#endif
