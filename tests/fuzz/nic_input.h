/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/fuzz/nic_input.h - what the targets of NICs share: reading the input, frames from the wire, and the way back to
 * the first day
 */
#ifndef TESTS_FUZZ_NIC_INPUT_H
#define TESTS_FUZZ_NIC_INPUT_H

#include "tests/lib/nic_rig.h"

struct input {
    const uint8_t *p;
    size_t left;
};

/** take() - the next @n bytes (1..8) as a number; zeros when the input is at its end */
uint64_t take(struct input *in, unsigned n);

/** wire_frame() - the peer sends a frame that the input describes: a shape, a length, and some bytes of it changed */
void wire_frame(struct rig *g, struct input *in);
/** wire_train() - segments of one TCP connection, as they come in a row; some are spoiled */
void wire_train(struct rig *g, struct input *in);

/* One bench, used for input after input */
struct bench {
    struct rig *g;
    GByteArray *first_day;              /* saved state; .mask: bytes of it that follow the clock are 0 */
    GByteArray *mask;
    unsigned inputs;
};
/**
 * bench_first_day() - remember the state of @b, to which @restore brings it back after each input
 * bench_check() - abort when something is left of an input: in RAM or ROM, or in the device's saved state. Takes a
 * millisecond, so that it looks only after the first inputs and each 1024th; after each with FUZZ_CHECK_ALL set.
 */
void bench_first_day(struct bench *b, void (*restore)(struct bench *b));
void bench_check(struct bench *b);
/** bench_fini() - of the first day; the rig stays the caller's */
void bench_fini(struct bench *b);

#endif
