/* SPDX-License-Identifier: BSD-2-Clause */
/* target/x86/interp/fpu_soft.h - what fpu_soft.c and fpu_soft_trans.c share */
#ifndef TARGET_X86_INTERP_FPU_SOFT_H
#define TARGET_X86_INTERP_FPU_SOFT_H

#include "target/x86/interp/fpu_host.h"
#include "target/x86/interp/softfp.h"

enum { FPS_PRE = SF_IE | SF_DE | SF_ZE };       /* found before the operation: unmasked, there is no result */

/* Places that one FPREM reduces an exponent difference of @d (64 or more) by: as Intel's processors do */
#define FPS_PREM_STEP(d) (32 + ((d) & 31))

struct sf fps_get(const struct x87_reg *r);
void fps_put(struct x87_reg *r, const struct sf *a);
struct sf_env fps_env(uint16_t cw);
/** fps_status() - the status word of what @e has gathered */
uint16_t fps_status(const struct sf_env *e);
/** fps_nans() - Return: an operand is a NaN or unsupported; *d is the result, IE where due */
bool fps_nans(struct sf_env *e, const struct sf *a, const struct sf *b, struct sf *d);
/** fps_settle() - after an operation without NaNs: DE, or IE and the default NaN when it was not @valid */
void fps_settle(struct sf_env *e, const struct sf *a, const struct sf *b, bool valid, struct sf *d);

/* fpu_soft_trans.c */
uint16_t fps_trans1(uint16_t cw, enum fph_unary op, struct x87_reg *x);
uint16_t fps_trans2(uint16_t cw, enum fph_binary op, struct x87_reg *x, struct x87_reg *y);
uint16_t fps_trans_twin(uint16_t cw, enum fph_twin op, struct x87_reg *x, struct x87_reg *z);

#endif
