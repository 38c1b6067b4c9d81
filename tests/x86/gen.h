/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/x86/gen.h - what the generators of cases (gen.c, gen_block.c, gen_far.c) share */
#ifndef TESTS_X86_GEN_H
#define TESTS_X86_GEN_H

#include "tests/x86/oracle.h"

struct ox_bytes {
    uint8_t b[32];
    unsigned n;
};

/** ox_below() - 0 .. n - 1 */
unsigned ox_below(struct ox_rng *g, unsigned n);
/** ox_address() - something to access: inside the arena, at its edges, or wild */
uint64_t ox_address(struct ox_rng *g, bool mode32);
/** ox_encode() - a random encoding of the row, followed by immediate bytes (some too many) */
void ox_encode(struct ox_rng *g, struct ox_bytes *o, enum x86_map_id map, const struct x86_row *row, bool mode32);
void ox_random_state(struct ox_rng *g, struct ox_state *s, bool mode32);

#endif
