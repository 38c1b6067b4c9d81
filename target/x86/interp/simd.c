/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/interp/simd.c - SIMD handlers: slow paths, exceptions, and which handler a record gets
 */
#include "target/x86/interp/simd.h"
#include "target/x86/interp/fpu.h"

const void *simd_ld_slow(struct x86_cpu *cpu, const struct x86_rec *r, uint64_t la, unsigned len)
{
    mem_ld_bytes(cpu, r, la, cpu->rmw_buf, len);
    return cpu->rmw_buf;
}

void simd_st_slow(struct x86_cpu *cpu, const struct x86_rec *r, uint64_t la, unsigned len, v128 lo, v128 hi)
{
    *(v128 *)cpu->rmw_buf = lo;
    *(v128 *)(cpu->rmw_buf + 16) = hi;
    mem_st_bytes(cpu, r, la, cpu->rmw_buf, len);
}

void simd_gp(struct x86_cpu *cpu, const struct x86_rec *r)
{
    x86_raise_err(cpu, r, EXC_GP, 0);
}

void simd_mmx_mf(struct x86_cpu *cpu, const struct x86_rec *r)
{
    fpu_pending(cpu, r);
}

/*
 * Which instructions can underflow, and the type of their result: 4 or 8 bytes, + ONE for the low element only
 */
enum { ONE = 0x80 };
static unsigned result_type(unsigned op)
{
    switch (op) {
    case OP_ADDPS: case OP_SUBPS: case OP_MULPS: case OP_DIVPS: case OP_ADDSUBPS: case OP_HADDPS: case OP_HSUBPS:
    case OP_DPPS: case OP_CVTPD2PS:
        return 4;
    case OP_ADDPD: case OP_SUBPD: case OP_MULPD: case OP_DIVPD: case OP_ADDSUBPD: case OP_HADDPD: case OP_HSUBPD:
    case OP_DPPD:
        return 8;
    case OP_ADDSS: case OP_SUBSS: case OP_MULSS: case OP_DIVSS: case OP_CVTSD2SS:
        return 4 | ONE;
    case OP_ADDSD: case OP_SUBSD: case OP_MULSD: case OP_DIVSD:
        return 8 | ONE;
    default:
        break;
    }
    if (op >= OP_VFMADD132PS && op <= OP_VFNMSUB231SD) {        /* PS PD SS SD in turn */
        static const uint8_t fma[4] = { 4, 8, 4 | ONE, 8 | ONE };

        return fma[(op - OP_VFMADD132PS) & 3];
    }
    if (op >= OP_VFMADDSUB132PS && op <= OP_VFMSUBADD231PD) {
        return (op - OP_VFMADDSUB132PS) & 1 ? 8 : 4;
    }
    return 0;
}

static bool tiny(const void *v, unsigned bytes, unsigned size)
{
    for (unsigned i = 0; i < bytes; i += size) {
        uint64_t q = 0;

        memcpy(&q, (const char *)v + i, size);
        if (size == 4 ? (q & 0x7F800000) == 0 && q & 0x7FFFFF : (q << 1 >> 53) == 0 && q << 12) {
            return true;
        }
    }
    return false;
}

/* Unmasked, underflow needs no loss of accuracy: an exact denormal result is one (SDM vol. 1, 4.9.1.5) */
static bool exact_underflow(const struct x86_rec *r, v128 lo, v128 hi)
{
    unsigned type = result_type(r->op), size = type & ~(unsigned)ONE;

    if (!type) {
        return false;
    }
    return tiny(&lo, type & ONE ? size : 16, size) ||
           (r->flags & REC_VEX_L && r->op != OP_CVTPD2PS && tiny(&hi, 16, size));
}

/*
 * The host's flags are those of this instruction (fp.h). When an exception found before the computation (IE, DE, ZE)
 * is unmasked, the ones found after it do not come about (SDM vol. 1, 11.5.3). Known gap: with unmasked OE or UE,
 * silicon takes PE from the result before it was denormalised or replaced by infinity; we report the masked result's.
 */
void simd_fp_unmasked(struct x86_cpu *cpu, const struct x86_rec *r, v128 lo, v128 hi)
{
    const uint32_t pre = MXCSR_IE | MXCSR_DE | MXCSR_ZE;
    uint32_t old = cpu->fpu.mxcsr, fresh, open;

    cpu->fpu.mxcsr &= ~(uint32_t)MXCSR_FLAGS;
    x86_fp_sync(cpu);
    fresh = cpu->fpu.mxcsr & MXCSR_FLAGS;
    x86_mxcsr_set(cpu, old);                /* clears the host's */
    if (!(old & MXCSR_UE << 7) && exact_underflow(r, lo, hi)) {
        fresh |= MXCSR_UE;
    }
    open = fresh & ~(old >> 7);
    if (open & pre) {
        fresh &= pre;
    }
    cpu->fpu.mxcsr = old | fresh;
    if (open) {
        x86_raise(cpu, r, cpu->cr4 & CR4_OSXMMEXCPT ? EXC_XM : EXC_UD);
    }
}

x86_handler *simd_bind_row(const struct simd_row *rows, unsigned n, const struct x86_rec *r)
{
    for (unsigned i = 0; i < n; i++) {
        if (rows[i].op == r->op) {
            if (r->flags & REC_VEX) {
                return rows[i].vex;
            }
            if (r->size == 3) {
                return rows[i].mmx;
            }
            return r->flags & REC_MEM ? rows[i].mem : rows[i].reg;
        }
    }
    return NULL;
}

x86_handler *x86_bind_simd(const struct x86_rec *r, uint32_t mode)
{
    static x86_handler *(*const binders[])(const struct x86_rec *) = {
        simd_bind_move, simd_bind_int, simd_bind_fp, simd_bind_cvt, simd_bind_misc, simd_bind_str, simd_bind_crypto,
        simd_bind_avx, simd_bind_avxmem,
    };

    for (unsigned i = 0; i < ARRAY_LEN(binders); i++) {
        x86_handler *h = binders[i](r);

        if (h) {
            return h;
        }
    }
    return NULL;
}
