/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/interp/simd_fp_soft.c - see simd_fp_soft.h
 *
 * Most guest arithmetic rounds to nearest, on normal numbers, with PE set long ago: then nothing but the result can be
 * new, and the host's own float or double operation gives it (native() below). All else goes through softfp.c.
 */
#include "target/x86/interp/simd_fp_soft.h"
#include "target/x86/fp.h"
#include "target/x86/interp/fpu_host.h"
#include <math.h>
#include <string.h>

#if !FPU_X86_HOST
/* The guest's MXCSR while its thread is inside x86_cpu_run(), as the host's register is it on x86-64 (fp.h) */
_Thread_local uint32_t fps_mxcsr = MXCSR_RESET;
#endif

static struct sf_env begin(void)
{
    uint32_t mx = fph_mxcsr();

    return (struct sf_env){ .rc = mx >> 13 & 3, .masks = SF_ALL, .daz = mx & MXCSR_DAZ, .ftz = mx & MXCSR_FTZ };
}

static void end(const struct sf_env *e)
{
    uint32_t mx = fph_mxcsr();

    if (e->flags & ~mx) {
        fph_set_mxcsr(mx | e->flags);
    }
}

static uint64_t nan_bits(const struct sf_fmt *f, struct sf *a)
{
    a->cls = SF_QNAN;
    return sf_pack(f, a);
}

static uint64_t default_nan(struct sf_env *e, const struct sf_fmt *f)
{
    struct sf d = { .cls = SF_QNAN, .sign = true, .m = 3ull << 62 };

    e->flags |= SF_IE;
    return sf_pack(f, &d);
}

/* Return: one of the two is a NaN; *d is the result */
static bool nans(struct sf_env *e, const struct sf_fmt *f, struct sf *a, struct sf *b, uint64_t *d)
{
    if (!sf_is_nan(a) && !sf_is_nan(b)) {
        return false;
    }
    e->flags |= a->cls == SF_SNAN || b->cls == SF_SNAN ? SF_IE : 0;
    *d = nan_bits(f, sf_is_nan(a) ? a : b);
    return true;
}

/*
 * The host's arithmetic
 */
static bool normal(const struct sf_fmt *f, uint64_t a)
{
    return f->bits == 32 ? (a >> 23 & 0xFF) - 1 < 0xFE : (a >> 52 & 0x7FF) - 1 < 0x7FE;
}

static uint32_t native32(enum fpv_op op, uint32_t a, uint32_t b)
{
    float x, y, d;
    uint32_t r;

    memcpy(&x, &a, 4);
    memcpy(&y, &b, 4);
    d = op == FPV_ADD ? x + y : op == FPV_SUB ? x - y : op == FPV_MUL ? x * y : x / y;
    memcpy(&r, &d, 4);
    return r;
}

static uint64_t native64(enum fpv_op op, uint64_t a, uint64_t b)
{
    double x, y, d;
    uint64_t r;

    memcpy(&x, &a, 8);
    memcpy(&y, &b, 8);
    d = op == FPV_ADD ? x + y : op == FPV_SUB ? x - y : op == FPV_MUL ? x * y : x / y;
    memcpy(&r, &d, 8);
    return r;
}

/* Nothing but PE can come of it, and that is set already. Return: *d is the result */
static bool native(const struct sf_fmt *f, enum fpv_op op, uint64_t a, uint64_t b, uint64_t *d)
{
    if ((fph_mxcsr() & (MXCSR_PE | MXCSR_RC)) != MXCSR_PE || !normal(f, a) || !normal(f, b)) {
        return false;
    }
    *d = f->bits == 32 ? native32(op, (uint32_t)a, (uint32_t)b) : native64(op, a, b);
    return normal(f, *d);
}

/*
 * Operations
 */
uint64_t fpv_arith(const struct sf_fmt *f, enum fpv_op op, uint64_t a, uint64_t b)
{
    struct sf_env e;
    struct sf x, y, r;
    uint64_t d;
    bool ok;

    if (native(f, op, a, b, &d)) {
        return d;
    }
    e = begin();
    x = sf_unpack(&e, f, a);
    y = sf_unpack(&e, f, b);
    if (!nans(&e, f, &x, &y, &d)) {
        switch (op) {
        case FPV_ADD:
        case FPV_SUB:
            ok = sf_add(&e, f, &x, &y, op == FPV_SUB, &r);
            break;
        case FPV_MUL:
            ok = sf_mul(&e, f, &x, &y, &r);
            break;
        default:
            ok = sf_div(&e, f, &x, &y, &r);
            break;
        }
        d = ok ? sf_pack(f, &r) : default_nan(&e, f);
        e.flags |= ok && (x.denormal || y.denormal) && !(e.flags & SF_ZE) ? SF_DE : 0;
    }
    end(&e);
    return d;
}

uint64_t fpv_sqrt(const struct sf_fmt *f, uint64_t b)
{
    struct sf_env e = begin();
    struct sf y = sf_unpack(&e, f, b), r;
    uint64_t d;

    if (!nans(&e, f, &y, &y, &d)) {
        bool ok = sf_sqrt(&e, f, &y, &r);

        d = ok ? sf_pack(f, &r) : default_nan(&e, f);
        e.flags |= ok && y.denormal ? SF_DE : 0;
    }
    end(&e);
    return d;
}

uint64_t fpv_rcp(const struct sf_fmt *f, uint64_t b, bool root)
{
    struct sf_env e = { .masks = SF_ALL, .daz = true, .ftz = true };
    struct sf y = sf_unpack(&e, f, b), one = sf_from_int(1), r;
    uint64_t d;

    if (nans(&e, f, &y, &y, &d)) {
        return d;
    }
    if (root && !sf_sqrt(&e, f, &y, &y)) {
        return default_nan(&e, f);
    }
    sf_div(&e, f, &one, &y, &r);
    return sf_pack(f, &r);
}

uint64_t fpv_pick(const struct sf_fmt *f, uint64_t a, uint64_t b, bool max)
{
    struct sf_env e = begin();
    struct sf x = sf_unpack(&e, f, a), y = sf_unpack(&e, f, b), *r = &y;
    int order;

    if (sf_is_nan(&x) || sf_is_nan(&y)) {
        e.flags |= SF_IE;
        end(&e);
        return sf_is_nan(&y) || y.cls != SF_ZERO ? b : sf_pack(f, &y);
    }
    order = sf_cmp(&x, &y);
    if (max ? order > 0 : order < 0) {
        r = &x;
    }
    e.flags |= x.denormal || y.denormal ? SF_DE : 0;
    end(&e);
    return r->cls == SF_ZERO ? sf_pack(f, r) : r == &x ? a : b;
}

uint64_t fpv_fma(const struct sf_fmt *f, uint64_t a, uint64_t b, uint64_t c, bool np, bool nc)
{
    struct sf_env e = begin();
    struct sf x = sf_unpack(&e, f, a), y = sf_unpack(&e, f, b), z = sf_unpack(&e, f, c), r;
    uint64_t d;

    if (sf_is_nan(&x) || sf_is_nan(&y) || sf_is_nan(&z)) {
        e.flags |= x.cls == SF_SNAN || y.cls == SF_SNAN || z.cls == SF_SNAN ? SF_IE : 0;
        d = nan_bits(f, sf_is_nan(&x) ? &x : sf_is_nan(&y) ? &y : &z);
    } else {
        bool ok;

        x.sign ^= np;
        z.sign ^= nc;
        ok = sf_fma(&e, f, &x, &y, &z, &r);
        d = ok ? sf_pack(f, &r) : default_nan(&e, f);
        e.flags |= ok && (x.denormal || y.denormal || z.denormal) ? SF_DE : 0;
    }
    end(&e);
    return d;
}

unsigned fpv_cmp(const struct sf_fmt *f, uint64_t a, uint64_t b, bool quiet)
{
    struct sf_env e = begin();
    struct sf x = sf_unpack(&e, f, a), y = sf_unpack(&e, f, b);
    int order;

    if (sf_is_nan(&x) || sf_is_nan(&y)) {
        e.flags |= !quiet || x.cls == SF_SNAN || y.cls == SF_SNAN ? SF_IE : 0;
        end(&e);
        return FPV_UN;
    }
    e.flags |= x.denormal || y.denormal ? SF_DE : 0;
    end(&e);
    order = sf_cmp(&x, &y);
    return order < 0 ? FPV_LT : order > 0 ? FPV_GT : FPV_EQ;
}

static uint64_t convert(struct sf_env *e, const struct sf_fmt *to, const struct sf_fmt *from, uint64_t a)
{
    struct sf x = sf_unpack(e, from, a), r;
    uint64_t d;

    if (nans(e, to, &x, &x, &d)) {
        return d;
    }
    r = sf_fit(e, to, &x);
    e->flags |= x.denormal ? SF_DE : 0;
    return sf_pack(to, &r);
}

uint64_t fpv_convert(const struct sf_fmt *to, const struct sf_fmt *from, uint64_t a)
{
    struct sf_env e = begin();
    uint64_t d;

    if (from == &sf_f16) {
        e.daz = false;
    }
    d = convert(&e, to, from, a);
    if (from == &sf_f16) {
        e.flags &= ~(unsigned)SF_DE;
    }
    end(&e);
    return d;
}

uint16_t fpv_to_half(uint32_t a, unsigned imm)
{
    struct sf_env e = begin();
    uint64_t d;

    e.rc = imm & 4 ? e.rc : imm & 3;
    e.ftz = false;
    d = convert(&e, &sf_f16, &sf_f32, a);
    end(&e);
    return (uint16_t)d;
}

int64_t fpv_to_int(const struct sf_fmt *f, uint64_t a, unsigned bits, bool trunc)
{
    struct sf_env e = begin();
    struct sf x = sf_unpack(&e, f, a);
    int64_t v;

    if (!sf_to_int(&e, &x, trunc ? SF_TO_ZERO : e.rc, bits, &v)) {
        e.flags |= SF_IE;
        v = (int64_t)-(1ull << (bits - 1));
    }
    end(&e);
    return v;
}

uint64_t fpv_from_int(const struct sf_fmt *f, int64_t v)
{
    struct sf_env e = begin();
    struct sf x = sf_from_int(v), r = sf_fit(&e, f, &x);

    end(&e);
    return sf_pack(f, &r);
}

uint64_t fpv_round(const struct sf_fmt *f, uint64_t a, unsigned imm)
{
    struct sf_env e = begin();
    struct sf x = sf_unpack(&e, f, a), r;
    uint64_t d;

    if (!nans(&e, f, &x, &x, &d)) {
        r = sf_integral(&e, &x, imm & 4 ? e.rc : imm & 3);
        e.flags &= imm & 8 ? ~(unsigned)SF_PE : ~0u;
        d = sf_pack(f, &r);
    }
    end(&e);
    return d;
}
