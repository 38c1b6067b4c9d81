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
    LANES_FMA(NAME)
    LANES_TO_GPR(NAME)
    LANES_COMI(NAME)
    LANES_FROM_GPR(NAME)
};
#endif

void LANES(unsigned op, const uint64_t *a, const uint64_t *b, unsigned imm, uint64_t *out)
{
    v128 va = *(const v128_u *)a, vb = *(const v128_u *)b, vc = *(const v128_u *)out, d = va;

    switch (op) {
#define CASE(n)                                                                                                        \
    case LANE_##n:                                                                                                     \
        d = pv_##n(va, vb, imm);                                                                                       \
        break;
    LANES_INT(CASE)
    LANES_FP(CASE)
#define CASE3(n)                                                                                                       \
    case LANE_##n:                                                                                                     \
        d = pv_##n(va, vb, vc);                                                                                        \
        break;
    LANES_FMA(CASE3)
#define CASE_GPR(n)                                                                                                    \
    case LANE_##n:                                                                                                     \
        d = (v128){ (uint64_t)pv_##n(vb), 0 };                                                                         \
        break;
    LANES_TO_GPR(CASE_GPR)
#define CASE_COMI(n)                                                                                                   \
    case LANE_##n:                                                                                                     \
        d = (v128){ pv_##n(va, vb), 0 };                                                                               \
        break;
    LANES_COMI(CASE_COMI)
    case LANE_cvtsi2ss32:
        d = pv_cvtsi2ss32(va, (int32_t)b[0]);
        break;
    case LANE_cvtsi2ss64:
        d = pv_cvtsi2ss64(va, (int64_t)b[0]);
        break;
    case LANE_cvtsi2sd32:
        d = pv_cvtsi2sd32(va, (int32_t)b[0]);
        break;
    case LANE_cvtsi2sd64:
        d = pv_cvtsi2sd64(va, (int64_t)b[0]);
        break;
    }
    *(v128_u *)out = d;
}
