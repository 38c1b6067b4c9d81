/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/interp/fpu_soft_trans.c - x87 transcendental functions by the C library's long double
 *
 * No processor's last bit is another's (SDM vol. 1, 8.3.10: errors below one unit), and long double has 64 bits or
 * more on the hosts that matter. Special operands, exceptions and what these hold back are exact: SDM vol. 2, the
 * tables of FSIN, FPTAN, FPATAN, F2XM1, FYL2X, FYL2XP1. A result that is no special case sets PE.
 */
#include "target/x86/interp/fpu_soft.h"
#include <math.h>

static long double to_ld(const struct sf *a)
{
    long double v = a->cls == SF_ZERO ? 0 : a->cls == SF_INF ? (long double)INFINITY :
                    ldexpl((long double)a->m, a->exp - 63);

    return a->sign ? -v : v;
}

/* The value is taken to be inexact unless it is zero or infinite */
static struct sf from_ld(struct sf_env *e, long double v)
{
    bool sign = signbit(v);
    long double f;
    uint64_t hi;
    int exp;

    if (v == 0) {
        return sf_zero(sign);
    }
    if (isinf(v)) {
        return sf_inf(sign);
    }
    f = ldexpl(frexpl(fabsl(v), &exp), 64);
    hi = (uint64_t)f;
    return sf_round(e, &sf_x64, sign, exp - 1, hi, f > (long double)hi ? 3 : 1);
}

static bool too_big(const struct sf *a)
{
    return a->cls == SF_NUM && a->exp >= 63;
}

static uint16_t finish(const struct sf_env *e, struct x87_reg *x, const struct sf *d)
{
    if (!(e->flags & ~e->masks & FPS_PRE)) {
        fps_put(x, d);
    }
    return fps_status(e);
}

uint16_t fps_trans1(uint16_t cw, enum fph_unary op, struct x87_reg *x)
{
    const struct sf zero = sf_zero(false);
    struct sf_env e = fps_env(cw);
    struct sf a = fps_get(x), d = a;
    long double v = to_ld(&a);
    bool ok = true;

    if (fps_nans(&e, &a, &zero, &d)) {
        return finish(&e, x, &d);
    }
    if (op != FPH_2XM1 && too_big(&a)) {
        return FSW_C2;
    }
    switch (op) {
    case FPH_2XM1:
        if (a.cls == SF_INF) {
            d = a.sign ? sf_from_int(-1) : a;
        } else {
            d = from_ld(&e, expm1l(v * 0.693147180559945309417232121458176568L));
        }
        break;
    case FPH_SIN:
        ok = a.cls != SF_INF;
        d = ok ? from_ld(&e, sinl(v)) : d;
        break;
    default:
        ok = a.cls != SF_INF;
        d = !ok ? d : a.cls == SF_ZERO ? sf_from_int(1) : from_ld(&e, cosl(v));
        break;
    }
    fps_settle(&e, &a, &zero, ok, &d);
    return finish(&e, x, &d);
}

uint16_t fps_trans_twin(uint16_t cw, enum fph_twin op, struct x87_reg *x, struct x87_reg *z)
{
    const struct sf zero = sf_zero(false);
    struct sf_env e = fps_env(cw);
    struct sf a = fps_get(x), d, second = sf_from_int(1);
    bool ok = a.cls != SF_INF;
    long double v = to_ld(&a);

    if (fps_nans(&e, &a, &zero, &d)) {
        second = d;
    } else if (too_big(&a)) {
        return FSW_C2 | 7 << 11;
    } else {
        if (ok && op == FPH_PTAN) {
            d = from_ld(&e, tanl(v));
        } else if (ok) {
            second = a.cls == SF_ZERO ? second : from_ld(&e, cosl(v));
            d = from_ld(&e, sinl(v));
        }
        fps_settle(&e, &a, &zero, ok, &d);
        second = ok ? second : d;
    }
    if (e.flags & ~e.masks & FPS_PRE) {
        return fps_status(&e) | 7 << 11;
    }
    fps_put(x, &d);
    fps_put(z, &second);
    return fps_status(&e) | 6 << 11;
}

/* y * log2(x) */
static bool yl2x(struct sf_env *e, const struct sf *x, const struct sf *y, struct sf *d)
{
    long double l;

    if (x->cls == SF_ZERO) {
        if (y->cls == SF_ZERO) {
            return false;
        }
        e->flags |= y->cls == SF_INF ? 0 : SF_ZE;
        *d = sf_inf(!y->sign);
        return true;
    }
    if (x->sign) {
        return false;
    }
    if (x->cls == SF_INF) {
        *d = sf_inf(y->sign);
        return y->cls != SF_ZERO;
    }
    l = log2l(to_ld(x));
    if (l == 0 && y->cls == SF_INF) {
        return false;
    }
    *d = y->cls == SF_INF ? sf_inf(y->sign != (l < 0)) : l == 0 ? sf_zero(y->sign) : from_ld(e, to_ld(y) * l);
    return true;
}

/* y * log2(x + 1) */
static bool yl2xp1(struct sf_env *e, const struct sf *x, const struct sf *y, struct sf *d)
{
    long double v = to_ld(x);

    if ((x->cls == SF_ZERO && y->cls == SF_INF) || (x->cls == SF_INF && (x->sign || y->cls == SF_ZERO)) || v < -1) {
        return false;
    }
    if (x->cls == SF_INF || y->cls == SF_INF) {
        *d = sf_inf(x->sign != y->sign);
    } else {
        *d = from_ld(e, to_ld(y) * log1pl(v) * 1.442695040888963407359924681001892137L);
    }
    return true;
}

/* A popping operation: TOP 7 done, 6 held back */
uint16_t fps_trans2(uint16_t cw, enum fph_binary op, struct x87_reg *x, struct x87_reg *y)
{
    struct sf_env e = fps_env(cw);
    struct sf a = fps_get(x), b = fps_get(y), d;
    bool ok = true;

    if (!fps_nans(&e, &a, &b, &d)) {
        switch (op) {
        case FPH_YL2X:
            ok = yl2x(&e, &a, &b, &d);
            break;
        case FPH_YL2XP1:
            ok = yl2xp1(&e, &a, &b, &d);
            break;
        default:
            d = from_ld(&e, atan2l(to_ld(&b), to_ld(&a)));
            break;
        }
        fps_settle(&e, &a, &b, ok, &d);
    }
    return finish(&e, y, &d) | (e.flags & ~e.masks & FPS_PRE ? 6 : 7) << 11;
}
