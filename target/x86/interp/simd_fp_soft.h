/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/interp/simd_fp_soft.h - one element of an SSE or AVX floating-point operation, in integers
 *
 * What simd_fp_host.h uses where the host has no such instruction. Numbers are bits, f says of which format. Rounding,
 * DAZ and FTZ come from the MXCSR of this thread (fph_mxcsr()) and flags go there; exceptions are all masked, as on
 * the host's (fp.h). NaNs: SDM vol. 1, table 4-7: the first operand's, else the second's, quieted.
 */
#ifndef TARGET_X86_INTERP_SIMD_FP_SOFT_H
#define TARGET_X86_INTERP_SIMD_FP_SOFT_H

#include "target/x86/interp/softfp.h"

enum fpv_op { FPV_ADD, FPV_SUB, FPV_MUL, FPV_DIV };
enum { FPV_LT = 1, FPV_EQ = 2, FPV_GT = 4, FPV_UN = 8 };

uint64_t fpv_arith(const struct sf_fmt *f, enum fpv_op op, uint64_t a, uint64_t b);
uint64_t fpv_sqrt(const struct sf_fmt *f, uint64_t b);
/** fpv_rcp() - RCPxx and, with @root, RSQRTxx: correctly rounded, where processors give 12 bits of their own */
uint64_t fpv_rcp(const struct sf_fmt *f, uint64_t b, bool root);
/** fpv_pick() - MINxx, MAXxx: the second operand when the two are equal or unordered */
uint64_t fpv_pick(const struct sf_fmt *f, uint64_t a, uint64_t b, bool max);
/** fpv_fma() - a * b + c; @np, @nc: product, c negated (not when they are NaNs) */
uint64_t fpv_fma(const struct sf_fmt *f, uint64_t a, uint64_t b, uint64_t c, bool np, bool nc);
/** fpv_cmp() - FPV_*; @quiet: IE for signalling NaNs only */
unsigned fpv_cmp(const struct sf_fmt *f, uint64_t a, uint64_t b, bool quiet);
/** fpv_convert() - between formats. Half precision knows neither FTZ, nor DE when it is widened */
uint64_t fpv_convert(const struct sf_fmt *to, const struct sf_fmt *from, uint64_t a);
/** fpv_to_half() - VCVTPS2PH; @imm: bits 1:0 rounding, bit 2: by MXCSR */
uint16_t fpv_to_half(uint32_t a, unsigned imm);
/** fpv_to_int() - to @bits (32, 64); @trunc: towards zero, else by MXCSR. What does not fit: the indefinite, and IE */
int64_t fpv_to_int(const struct sf_fmt *f, uint64_t a, unsigned bits, bool trunc);
uint64_t fpv_from_int(const struct sf_fmt *f, int64_t v);
/** fpv_round() - ROUNDxx; @imm: bits 1:0 rounding, bit 2 by MXCSR, bit 3 no PE */
uint64_t fpv_round(const struct sf_fmt *f, uint64_t a, unsigned imm);

#endif
