/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/unit/simd-lanes.c - see simd-lanes.h; LANES is the function to make */
#include "tests/unit/simd-lanes.h"
#include "target/x86/interp/simd_crypto_host.h"
#include "target/x86/interp/simd_fp_host.h"

#ifdef X86_SIMD_PORTABLE
const char *const lanes_name[LANES_COUNT] = {
#define NAME(n) [LANE_##n] = #n,
    LANES_INT(NAME)
    LANES_FP(NAME)
};
#endif

void LANES(unsigned op, const uint64_t *a, const uint64_t *b, unsigned imm, uint64_t *out)
{
    v128 va = *(const v128_u *)a, vb = *(const v128_u *)b, d = va;

    switch (op) {
#define CASE(n)                                                                                                        \
    case LANE_##n:                                                                                                     \
        d = pv_##n(va, vb, imm);                                                                                       \
        break;
    LANES_INT(CASE)
    LANES_FP(CASE)
    }
    *(v128_u *)out = d;
}
