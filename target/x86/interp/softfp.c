/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/interp/softfp.c - see softfp.h
 *
 * A value on its way to rounding is hi:lo, 128 bits with the leading one at bit 127 after normalisation, and bit 0 of
 * lo sticky. That is room enough for every operation here: products of two 64-bit significands are exact, a quotient
 * or a root has 64 bits, a rounding bit and a sticky one, and a sum that loses bits to the sticky one cannot cancel
 * by more than one place.
 */
#include "target/x86/interp/softfp.h"

typedef unsigned __int128 u128;

#define TOP_BIT (1ull << 63)

const struct sf_fmt sf_f16 = { 11, 16, -14, 15 };
const struct sf_fmt sf_f32 = { 24, 32, -126, 127 };
const struct sf_fmt sf_f64 = { 53, 64, -1022, 1023 };
/* an x87 register under the three settings of precision control: the range is the register's */
const struct sf_fmt sf_x24 = { 24, 80, -16382, 16383 };
const struct sf_fmt sf_x53 = { 53, 80, -16382, 16383 };
const struct sf_fmt sf_x64 = { 64, 80, -16382, 16383 };

enum { WRAP = 24576 };      /* SDM vol. 1, 8.5.4: what an unmasked overflow or underflow moves the exponent by */

static uint64_t low_bits(unsigned n)
{
    return n < 64 ? (1ull << n) - 1 : ~0ull;
}

static u128 shr_jam(u128 v, unsigned n)
{
    if (n > 127) {
        return v != 0;
    }
    return v >> n | ((v & (((u128)1 << n) - 1)) != 0);
}

/*
 * Encodings
 */
struct sf sf_unpack(const struct sf_env *e, const struct sf_fmt *f, uint64_t raw)
{
    unsigned frac_bits = f->prec - 1u, shift = 64u - f->prec;
    uint64_t frac = raw & low_bits(frac_bits);
    unsigned field = (unsigned)(raw >> frac_bits & low_bits(f->bits - f->prec));
    struct sf a = { .sign = raw >> (f->bits - 1) & 1, .m = TOP_BIT | frac << shift };

    if (field == low_bits(f->bits - f->prec)) {
        a.cls = !frac ? SF_INF : a.m & 1ull << 62 ? SF_QNAN : SF_SNAN;
    } else if (field) {
        a.cls = SF_NUM;
        a.exp = (int)field - f->emax;
    } else if (frac && !(e && e->daz)) {
        unsigned n;

        a.m = frac << shift;
        n = (unsigned)__builtin_clzll(a.m);
        a.m <<= n;
        a.exp = f->emin - (int)n;
        a.cls = SF_NUM;
        a.denormal = true;
    } else {
        a.cls = SF_ZERO;
    }
    return a;
}

uint64_t sf_pack(const struct sf_fmt *f, const struct sf *a)
{
    unsigned frac_bits = f->prec - 1u, shift = 64u - f->prec;
    uint64_t frac = (a->m & ~TOP_BIT) >> shift, sign = (uint64_t)a->sign << (f->bits - 1), field;

    switch (a->cls) {
    case SF_ZERO:
        return sign;
    case SF_NUM:
        field = a->m & TOP_BIT ? (uint64_t)(a->exp + f->emax) : 0;
        return sign | field << frac_bits | frac;
    case SF_INF:
        frac = 0;
        break;
    default:
        frac |= 1ull << (frac_bits - 1);
        break;
    }
    return sign | low_bits(f->bits - f->prec) << frac_bits | frac;
}

struct sf sf_from_int(int64_t v)
{
    uint64_t m = v < 0 ? -(uint64_t)v : (uint64_t)v;
    unsigned n;

    if (!m) {
        return sf_zero(false);
    }
    n = (unsigned)__builtin_clzll(m);
    return (struct sf){ .cls = SF_NUM, .sign = v < 0, .m = m << n, .exp = 63 - (int)n };
}

/*
 * Rounding
 */
static bool goes_up(unsigned rc, bool sign, bool odd, bool half, bool sticky)
{
    switch (rc) {
    case SF_NEAREST:
        return half && (sticky || odd);
    case SF_DOWN:
        return sign && (half || sticky);
    case SF_UP:
        return !sign && (half || sticky);
    default:
        return false;
    }
}

/* The low @drop bits (0..63) of hi and all of lo go. Return: the carry out of bit 63 */
static bool cut(unsigned rc, bool sign, unsigned drop, uint64_t *hi, uint64_t lo, bool *inexact, bool *up)
{
    bool half = drop ? *hi >> (drop - 1) & 1 : lo >> 63;
    bool sticky = drop ? (*hi & low_bits(drop - 1)) || lo : lo << 1 != 0;

    *inexact = half || sticky;
    *up = goes_up(rc, sign, *hi >> drop & 1, half, sticky);
    *hi &= ~low_bits(drop);
    return *up && (*hi += 1ull << drop) == 0;
}

static struct sf overflow(struct sf_env *e, const struct sf_fmt *f, bool sign)
{
    bool to_inf = e->rc == SF_NEAREST || e->rc == (sign ? SF_DOWN : SF_UP);

    e->flags |= SF_OE | SF_PE;
    e->up = to_inf;
    if (to_inf) {
        return sf_inf(sign);
    }
    return (struct sf){ .cls = SF_NUM, .sign = sign, .exp = f->emax, .m = ~low_bits(64u - f->prec) };
}

/* Below the smallest normal number, underflow masked */
static struct sf denormal(struct sf_env *e, const struct sf_fmt *f, bool sign, int exp, u128 v, bool tiny)
{
    struct sf d = { .cls = SF_NUM, .sign = sign, .exp = f->emin };
    bool inexact;

    if (tiny && e->ftz) {
        e->flags |= SF_UE | SF_PE;
        return sf_zero(sign);
    }
    v = shr_jam(v, (unsigned)(f->emin - exp));
    d.m = (uint64_t)(v >> 64);
    cut(e->rc, sign, 64u - f->prec, &d.m, (uint64_t)v, &inexact, &e->up);
    if (inexact) {
        e->flags |= SF_PE | (tiny ? SF_UE : 0);
    }
    d.cls = d.m ? SF_NUM : SF_ZERO;
    return d;
}

struct sf sf_round(struct sf_env *e, const struct sf_fmt *f, bool sign, int exp, uint64_t hi, uint64_t lo)
{
    unsigned drop = 64u - f->prec, n;
    u128 v = (u128)hi << 64 | lo;
    struct sf d = { .cls = SF_NUM, .sign = sign };
    bool inexact;

    n = hi ? (unsigned)__builtin_clzll(hi) : 64 + (unsigned)__builtin_clzll(lo);
    v <<= n;
    exp -= (int)n;
    d.m = (uint64_t)(v >> 64);
    d.exp = exp;
    if (cut(e->rc, sign, drop, &d.m, (uint64_t)v, &inexact, &e->up)) {
        d.m = TOP_BIT;
        d.exp++;
    }
    if (exp < f->emin) {
        bool tiny = d.exp < f->emin;

        if (!tiny || e->masks & SF_UE) {
            return denormal(e, f, sign, exp, v, tiny);
        }
        e->flags |= SF_UE;
        d.exp += WRAP;
        if (d.exp < f->emin) {          /* FSCALE only: further down than the wrap reaches */
            e->flags |= SF_PE;
            e->up = false;
            return sf_zero(sign);
        }
    } else if (d.exp > f->emax) {
        if (e->masks & SF_OE) {
            return overflow(e, f, sign);
        }
        e->flags |= SF_OE;
        d.exp -= WRAP;
        if (d.exp > f->emax) {
            e->flags |= SF_PE;
            e->up = true;
            return sf_inf(sign);
        }
    }
    e->flags |= inexact ? SF_PE : 0;
    return d;
}

struct sf sf_fit(struct sf_env *e, const struct sf_fmt *f, const struct sf *a)
{
    e->up = false;
    return a->cls == SF_NUM ? sf_round(e, f, a->sign, a->exp, a->m, 0) : *a;
}

/*
 * Arithmetic
 */
int sf_cmp(const struct sf *a, const struct sf *b)
{
    int below = a->sign ? 1 : -1;           /* when |a| < |b| and the signs are the same */

    if (a->cls == SF_ZERO || b->cls == SF_ZERO) {
        return a->cls != SF_ZERO ? -below : b->cls != SF_ZERO ? (b->sign ? 1 : -1) : 0;
    }
    if (a->sign != b->sign) {
        return below > 0 ? -1 : 1;
    }
    if (a->cls == SF_INF || b->cls == SF_INF) {
        return a->cls == b->cls ? 0 : a->cls == SF_INF ? -below : below;
    }
    if (a->exp != b->exp) {
        return a->exp < b->exp ? below : -below;
    }
    return a->m == b->m ? 0 : a->m < b->m ? below : -below;
}

/* x + y with exponents and signs; neither zero */
static struct sf sum(struct sf_env *e, const struct sf_fmt *f, bool xs, int xe, u128 x, bool ys, int ye, u128 y)
{
    bool carry = false;
    u128 v;

    if (xe < ye || (xe == ye && x < y)) {
        u128 t = x;
        int te = xe;
        bool ts = xs;

        x = y, xe = ye, xs = ys;
        y = t, ye = te, ys = ts;
    }
    y = shr_jam(y, (unsigned)(xe - ye));
    if (xs == ys) {
        v = x + y;
        carry = v < x;
        if (carry) {
            v = shr_jam(v, 1) | (u128)1 << 127;
        }
    } else {
        v = x - y;
        if (!v) {
            return sf_zero(e->rc == SF_DOWN);
        }
    }
    return sf_round(e, f, xs, xe + carry, (uint64_t)(v >> 64), (uint64_t)v);
}

bool sf_add(struct sf_env *e, const struct sf_fmt *f, const struct sf *a, const struct sf *b, bool minus, struct sf *d)
{
    bool bs = b->sign != minus;

    e->up = false;
    if (a->cls == SF_INF || b->cls == SF_INF) {
        if (a->cls == b->cls && a->sign != bs) {
            return false;
        }
        *d = sf_inf(a->cls == SF_INF ? a->sign : bs);
    } else if (b->cls == SF_ZERO) {
        *d = a->cls == SF_NUM ? sf_fit(e, f, a) : sf_zero(a->sign == bs ? bs : e->rc == SF_DOWN);
    } else if (a->cls == SF_ZERO) {
        *d = sf_round(e, f, bs, b->exp, b->m, 0);
    } else {
        *d = sum(e, f, a->sign, a->exp, (u128)a->m << 64, bs, b->exp, (u128)b->m << 64);
    }
    return true;
}

bool sf_mul(struct sf_env *e, const struct sf_fmt *f, const struct sf *a, const struct sf *b, struct sf *d)
{
    bool sign = a->sign != b->sign;
    u128 p;

    e->up = false;
    if (a->cls == SF_INF || b->cls == SF_INF) {
        if (a->cls == SF_ZERO || b->cls == SF_ZERO) {
            return false;
        }
        *d = sf_inf(sign);
        return true;
    }
    if (a->cls == SF_ZERO || b->cls == SF_ZERO) {
        *d = sf_zero(sign);
        return true;
    }
    p = (u128)a->m * b->m;                  /* 2^126 is one */
    *d = sf_round(e, f, sign, a->exp + b->exp + 1, (uint64_t)(p >> 64), (uint64_t)p);
    return true;
}

bool sf_div(struct sf_env *e, const struct sf_fmt *f, const struct sf *a, const struct sf *b, struct sf *d)
{
    bool sign = a->sign != b->sign, less;
    uint64_t q, r, lo;
    u128 n;

    e->up = false;
    if (a->cls == b->cls && a->cls != SF_NUM) {
        return false;
    }
    if (a->cls == SF_INF || b->cls == SF_ZERO) {
        e->flags |= a->cls == SF_INF ? 0 : SF_ZE;
        *d = sf_inf(sign);
        return true;
    }
    if (a->cls == SF_ZERO || b->cls == SF_INF) {
        *d = sf_zero(sign);
        return true;
    }
    less = a->m < b->m;
    n = (u128)a->m << (less ? 64 : 63);
    q = (uint64_t)(n / b->m);
    r = (uint64_t)(n % b->m);
    n = (u128)r << 64;
    lo = (uint64_t)(n / b->m);
    lo |= n % b->m != 0;
    *d = sf_round(e, f, sign, a->exp - b->exp - less, q, lo);
    return true;
}

bool sf_sqrt(struct sf_env *e, const struct sf_fmt *f, const struct sf *a, struct sf *d)
{
    int exp;
    uint64_t root = 0;
    u128 n, rem;

    e->up = false;
    if (a->cls == SF_ZERO) {
        *d = *a;
        return true;
    }
    if (a->sign) {
        return false;
    }
    if (a->cls == SF_INF) {
        *d = *a;
        return true;
    }
    exp = a->exp & 1 ? a->exp - 1 : a->exp;
    n = (u128)a->m << (a->exp & 1 ? 64 : 63);       /* in [2^126, 2^128): its root in [2^63, 2^64) */
    for (uint64_t bit = TOP_BIT; bit; bit >>= 1) {
        uint64_t t = root | bit;

        if ((u128)t * t <= n) {
            root = t;
        }
    }
    rem = n - (u128)root * root;
    *d = sf_round(e, f, false, exp / 2, root, (rem > root ? TOP_BIT : 0) | (rem != 0));
    return true;
}

bool sf_fma(struct sf_env *e, const struct sf_fmt *f, const struct sf *a, const struct sf *b, const struct sf *c,
            struct sf *d)
{
    bool sign = a->sign != b->sign, inf = a->cls == SF_INF || b->cls == SF_INF;
    bool zero = a->cls == SF_ZERO || b->cls == SF_ZERO;
    u128 p;
    int exp;

    e->up = false;
    if (inf && (zero || (c->cls == SF_INF && c->sign != sign))) {
        return false;
    }
    if (inf || c->cls == SF_INF) {
        *d = sf_inf(inf ? sign : c->sign);
        return true;
    }
    if (zero) {
        struct sf z = sf_zero(sign);

        return sf_add(e, f, &z, c, false, d);
    }
    p = (u128)a->m * b->m;
    exp = a->exp + b->exp + 1;
    if (!(p >> 127)) {
        p <<= 1;
        exp--;
    }
    if (c->cls == SF_ZERO) {
        *d = sf_round(e, f, sign, exp, (uint64_t)(p >> 64), (uint64_t)p);
    } else {
        *d = sum(e, f, sign, exp, p, c->sign, c->exp, (u128)c->m << 64);
    }
    return true;
}

/*
 * Integers
 */

/* |a| rounded to an integer; it is below 2^65. Return: false when it is not even that */
static bool magnitude(struct sf_env *e, const struct sf *a, unsigned rc, u128 *v, bool *inexact)
{
    uint64_t hi = a->m, lo = 0, whole;
    bool half, sticky;

    e->up = *inexact = false;
    *v = 0;
    if (a->cls == SF_ZERO) {
        return true;
    }
    if (a->cls != SF_NUM || a->exp > 63) {
        return false;
    }
    if (a->exp == 63) {
        *v = hi;
        return true;
    }
    if (a->exp < -1) {                      /* below a half */
        whole = 0;
        half = false;
        sticky = true;
    } else {
        unsigned frac = 63u - (unsigned)(a->exp + 1);       /* bits below the half's */

        lo = hi & low_bits(frac);
        half = hi >> frac & 1;
        sticky = lo != 0;
        whole = a->exp < 0 ? 0 : hi >> (63 - a->exp);
    }
    e->up = goes_up(rc, a->sign, whole & 1, half, sticky);
    *inexact = half || sticky;
    *v = (u128)whole + e->up;
    return true;
}

bool sf_to_int(struct sf_env *e, const struct sf *a, unsigned rc, unsigned bits, int64_t *v)
{
    uint64_t limit = 1ull << (bits - 1);
    bool inexact;
    u128 n;

    if (!magnitude(e, a, rc, &n, &inexact) || n > limit || (n == limit && !a->sign)) {
        e->up = false;
        return false;
    }
    e->flags |= inexact ? SF_PE : 0;
    *v = (int64_t)(a->sign ? -(uint64_t)n : (uint64_t)n);
    return true;
}

struct sf sf_integral(struct sf_env *e, const struct sf *a, unsigned rc)
{
    struct sf d = *a;
    bool inexact;
    unsigned s;
    u128 n;

    e->up = false;
    if (a->cls != SF_NUM || a->exp >= 63) {
        return d;
    }
    magnitude(e, a, rc, &n, &inexact);
    e->flags |= inexact ? SF_PE : 0;
    if (!n) {
        return sf_zero(a->sign);
    }
    s = (unsigned)__builtin_clzll((uint64_t)n);     /* at most 2^63 */
    d.m = (uint64_t)n << s;
    d.exp = 63 - (int)s;
    d.denormal = false;
    return d;
}
