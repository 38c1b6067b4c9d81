/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/interp/fpu_soft.c - x87 operations in integers (fpu_host.h: what each does)
 *
 * For hosts that are not x86-64: bit for bit what silicon gives, with DE, C1, precision control, and what an unmasked
 * exception holds back. Compiled everywhere, so that tests/unit/test-softfp.c can compare it with an x86 host;
 * fpu_soft_trans.c has the transcendental functions, whose last bits are each processor's own.
 *
 * Every operation: unpack; unsupported operands and NaNs (SDM vol. 1, table 4-7: the larger significand wins); the
 * operation, rounded once; then done() decides whether the destination changes. IE, DE and ZE unmasked leave it alone
 * (SDM vol. 1, 8.5), OE and UE unmasked do so only for stores.
 */
#include "target/x86/interp/fpu_soft.h"
#include <string.h>

#define INTEGER (1ull << 63)
#define QUIET (1ull << 62)

static const struct sf default_nan = { .cls = SF_QNAN, .sign = true, .m = INTEGER | QUIET };

struct sf fps_get(const struct x87_reg *r)
{
    struct sf a = { .m = r->m, .sign = r->se >> 15, .exp = (r->se & 0x7FFF) - 16383 };

    if (a.exp == 16384) {
        a.cls = !(a.m & INTEGER) ? SF_BAD : !(a.m << 1) ? SF_INF : a.m & QUIET ? SF_QNAN : SF_SNAN;
    } else if (a.exp != -16383) {
        a.cls = a.m & INTEGER ? SF_NUM : SF_BAD;
    } else if (a.m) {                       /* denormal or pseudo-denormal */
        unsigned n = (unsigned)__builtin_clzll(a.m);

        a.cls = SF_NUM;
        a.m <<= n;
        a.exp = -16382 - (int)n;
        a.denormal = true;
    } else {
        a.cls = SF_ZERO;
    }
    return a;
}

void fps_put(struct x87_reg *r, const struct sf *a)
{
    uint16_t sign = a->sign ? 0x8000 : 0;

    switch (a->cls) {
    case SF_ZERO:
        r->m = 0;
        r->se = sign;
        break;
    case SF_NUM:
        r->m = a->m;
        r->se = sign | (a->m & INTEGER ? (uint16_t)(a->exp + 16383) : 0);
        break;
    case SF_INF:
        r->m = INTEGER;
        r->se = sign | 0x7FFF;
        break;
    default:
        r->m = a->m | INTEGER | QUIET;
        r->se = sign | 0x7FFF;
        break;
    }
}

struct sf_env fps_env(uint16_t cw)
{
    return (struct sf_env){ .rc = cw >> 10 & 3, .masks = cw & SF_ALL };
}

static const struct sf_fmt *precision(uint16_t cw)
{
    switch (cw >> 8 & 3) {
    case 0:
        return &sf_x24;
    case 2:
        return &sf_x53;
    default:
        return &sf_x64;
    }
}

uint16_t fps_status(const struct sf_env *e)
{
    if (e->flags & ~e->masks & FPS_PRE) {
        return e->flags & FPS_PRE;          /* what comes after the operation did not come about */
    }
    return e->flags | (e->up ? FSW_C1 : 0);
}

/* The result is @d unless an unmasked exception came first */
static uint16_t done(const struct sf_env *e, struct x87_reg *x, const struct sf *d)
{
    if (!(e->flags & ~e->masks & FPS_PRE)) {
        fps_put(x, d);
    }
    return fps_status(e);
}

bool fps_nans(struct sf_env *e, const struct sf *a, const struct sf *b, struct sf *d)
{
    if (a->cls == SF_BAD || b->cls == SF_BAD) {
        e->flags |= SF_IE;
        *d = default_nan;
        return true;
    }
    if (!sf_is_nan(a) && !sf_is_nan(b)) {
        return false;
    }
    if (a->cls == SF_SNAN || b->cls == SF_SNAN) {
        e->flags |= SF_IE;
    }
    if (!sf_is_nan(b)) {
        *d = *a;
    } else if (!sf_is_nan(a)) {
        *d = *b;
    } else if (a->cls != b->cls) {
        *d = a->cls == SF_QNAN ? *a : *b;
    } else if (a->m != b->m) {
        *d = a->m > b->m ? *a : *b;
    } else {
        *d = a->sign ? *b : *a;
    }
    return true;
}

/* No NaNs: DE for denormals, and the default NaN for what is invalid */
void fps_settle(struct sf_env *e, const struct sf *a, const struct sf *b, bool valid, struct sf *d)
{
    if (!valid) {
        e->flags |= SF_IE;
        *d = default_nan;
    } else if ((a->denormal || b->denormal) && !(e->flags & SF_ZE)) {
        e->flags |= SF_DE;
    }
}

/*
 * Arithmetic
 */
static uint16_t arith(uint16_t cw, enum fph_arith op, struct x87_reg *x, const struct sf *y)
{
    struct sf_env e = fps_env(cw);
    const struct sf_fmt *f = precision(cw);
    bool reverse = op == FPH_SUBR || op == FPH_DIVR, ok;
    struct sf st = fps_get(x), d;
    const struct sf *a = reverse ? y : &st, *b = reverse ? &st : y;

    if (!fps_nans(&e, a, b, &d)) {
        switch (op) {
        case FPH_ADD:
            ok = sf_add(&e, f, a, b, false, &d);
            break;
        case FPH_MUL:
            ok = sf_mul(&e, f, a, b, &d);
            break;
        case FPH_SUB:
        case FPH_SUBR:
            ok = sf_add(&e, f, a, b, true, &d);
            break;
        default:
            ok = sf_div(&e, f, a, b, &d);
            break;
        }
        fps_settle(&e, a, b, ok, &d);
    }
    return done(&e, x, &d);
}

uint16_t fps_arith(uint16_t cw, enum fph_arith op, struct x87_reg *x, const struct x87_reg *y)
{
    struct sf b = fps_get(y);

    return arith(cw, op, x, &b);
}

static struct sf from_mem(enum fph_mem kind, const void *p)
{
    uint32_t d;
    uint64_t q;
    int16_t w;

    switch (kind) {
    case FPH_M32:
        memcpy(&d, p, 4);
        return sf_unpack(NULL, &sf_f32, d);
    case FPH_M64:
        memcpy(&q, p, 8);
        return sf_unpack(NULL, &sf_f64, q);
    case FPH_I16:
        memcpy(&w, p, 2);
        return sf_from_int(w);
    default:
        memcpy(&d, p, 4);
        return sf_from_int((int32_t)d);
    }
}

uint16_t fps_arith_mem(uint16_t cw, enum fph_arith op, enum fph_mem kind, struct x87_reg *x, const void *p)
{
    struct sf b = from_mem(kind, p);

    return arith(cw, op, x, &b);
}

/*
 * Comparisons
 */
static uint16_t compare(uint16_t cw, const struct x87_reg *x, const struct sf *b, bool quiet)
{
    struct sf_env e = fps_env(cw);
    struct sf a = fps_get(x), d;
    int order;

    if (fps_nans(&e, &a, b, &d)) {
        e.flags |= quiet ? 0 : SF_IE;
        return fps_status(&e) | FSW_C0 | FSW_C2 | FSW_C3;
    }
    e.flags |= a.denormal || b->denormal ? SF_DE : 0;
    order = sf_cmp(&a, b);
    return fps_status(&e) | (order < 0 ? FSW_C0 : order == 0 ? FSW_C3 : 0);
}

uint16_t fps_com(uint16_t cw, const struct x87_reg *x, const struct x87_reg *y, bool quiet)
{
    struct sf b = fps_get(y);

    return compare(cw, x, &b, quiet);
}

uint16_t fps_com_mem(uint16_t cw, enum fph_mem kind, struct x87_reg *x, const void *p)
{
    struct sf b = from_mem(kind, p);

    return compare(cw, x, &b, false);
}

static uint16_t xam(const struct x87_reg *x)
{
    static const uint16_t class[] = {
        [SF_ZERO] = FSW_C3, [SF_NUM] = FSW_C2, [SF_INF] = FSW_C2 | FSW_C0, [SF_QNAN] = FSW_C0, [SF_SNAN] = FSW_C0,
        [SF_BAD] = 0,
    };
    struct sf a = fps_get(x);

    return (a.sign ? FSW_C1 : 0) | (a.denormal ? FSW_C3 | FSW_C2 : class[a.cls]);
}

uint16_t fps_unary(uint16_t cw, enum fph_unary op, struct x87_reg *x)
{
    const struct sf zero = sf_zero(false);
    struct sf_env e = fps_env(cw);
    struct sf a, d;
    bool ok = true;

    switch (op) {
    case FPH_XAM:
        return xam(x);
    case FPH_TST:
        return compare(cw, x, &zero, false);
    case FPH_SQRT:
    case FPH_RNDINT:
        break;
    default:
        return fps_trans1(cw, op, x);
    }
    a = fps_get(x);
    if (!fps_nans(&e, &a, &zero, &d)) {
        if (op == FPH_SQRT) {
            ok = sf_sqrt(&e, precision(cw), &a, &d);
        } else {
            d = sf_integral(&e, &a, e.rc);
        }
        fps_settle(&e, &a, &zero, ok, &d);
    }
    return done(&e, x, &d);
}

/*
 * FPREM, FPREM1. The quotient's bits 2, 1, 0 go to C0, C3, C1. An exponent difference of 64 and more is reduced in
 * steps, C2 set: by how much is the processor's choice (SDM vol. 2, FPREM: 32 to 63 places).
 */
static uint16_t divide(struct sf_env *e, const struct sf *a, const struct sf *b, bool nearest, struct sf *d)
{
    int diff = a->exp - b->exp, steps = diff, exp;
    unsigned __int128 r = a->m, q = 0;
    bool flip = false;
    uint16_t cc;

    if (diff < -1 || (diff < 0 && !nearest)) {
        *d = sf_fit(e, &sf_x64, a);
        return 0;
    }
    if (diff >= 64) {
        steps = FPS_PREM_STEP(diff);
    }
    exp = a->exp - (steps > 0 ? steps : 0); /* of r, when it is read as r / 2^63 */
    for (int i = steps; i >= 0; i--) {
        q <<= 1;
        if (r >= b->m) {
            r -= b->m;
            q |= 1;
        }
        if (i) {
            r <<= 1;
        }
    }
    if (diff >= 64) {
        cc = FSW_C2;
    } else {
        /* diff -1: r is still a, which is to be read one place lower than b */
        unsigned __int128 twice = diff < 0 ? r : r << 1, whole = diff < 0 ? (unsigned __int128)b->m << 1 : b->m;

        if (nearest && (twice > b->m || (twice == b->m && q & 1))) {
            r = whole - r;
            flip = true;
            q++;
        }
        cc = (q & 4 ? FSW_C0 : 0) | (q & 2 ? FSW_C3 : 0) | (q & 1 ? FSW_C1 : 0);
    }
    if (!r) {
        *d = sf_zero(a->sign);
    } else {
        *d = sf_round(e, &sf_x64, a->sign != flip, exp, (uint64_t)r, 0);
    }
    return cc;
}

static uint16_t remainder_of(uint16_t cw, bool nearest, struct x87_reg *x, const struct x87_reg *y)
{
    struct sf_env e = fps_env(cw), quiet = { .masks = SF_ALL };
    struct sf a = fps_get(x), b = fps_get(y), d;
    uint16_t cc = 0;
    bool ok;

    if (!fps_nans(&e, &a, &b, &d)) {
        ok = a.cls != SF_INF && b.cls != SF_ZERO;
        if (ok) {
            if (a.cls == SF_ZERO || b.cls == SF_INF) {
                d = sf_fit(&quiet, &sf_x64, &a);
            } else {
                cc = divide(&e, &a, &b, nearest, &d);
            }
        }
        fps_settle(&e, &a, &b, ok, &d);
    }
    if (e.flags & ~e.masks & FPS_PRE) {
        cc = 0;
    }
    return (done(&e, x, &d) & ~FSW_C1) | cc;
}

/* x * 2^y, y rounded to zero */
static uint16_t scale(uint16_t cw, struct x87_reg *x, const struct x87_reg *y)
{
    struct sf_env e = fps_env(cw), quiet = { .masks = SF_ALL };
    struct sf a = fps_get(x), b = fps_get(y), d;
    int64_t n;
    bool ok = true;

    if (!fps_nans(&e, &a, &b, &d)) {
        if (b.cls == SF_INF) {
            ok = a.cls != (b.sign ? SF_INF : SF_ZERO);
            d = b.sign ? sf_zero(a.sign) : sf_inf(a.sign);
        } else if (a.cls != SF_NUM) {
            d = a;
        } else if (b.cls == SF_ZERO) {      /* as it is: an unmasked UE does not see a denormal */
            d = sf_fit(&quiet, &sf_x64, &a);
        } else {
            if (!sf_to_int(&quiet, &b, SF_TO_ZERO, 18, &n)) {
                n = b.sign ? -0x20000 : 0x20000;
            }
            d = sf_round(&e, &sf_x64, a.sign, a.exp + (int)n, a.m, 0);
        }
        fps_settle(&e, &a, &b, ok, &d);
    }
    return done(&e, x, &d);
}

uint16_t fps_binary(uint16_t cw, enum fph_binary op, struct x87_reg *x, struct x87_reg *y)
{
    switch (op) {
    case FPH_PREM:
    case FPH_PREM1:
        return remainder_of(cw, op == FPH_PREM1, x, y) | 6 << 11;
    case FPH_SCALE:
        return scale(cw, x, y) | 6 << 11;
    default:
        return fps_trans2(cw, op, x, y);
    }
}

/* FXTRACT: the exponent replaces x, the significand is pushed */
static uint16_t extract(uint16_t cw, struct x87_reg *x, struct x87_reg *z)
{
    const struct sf zero = sf_zero(false);
    struct sf_env e = fps_env(cw);
    struct sf a = fps_get(x), d, sig;

    if (fps_nans(&e, &a, &zero, &d)) {
        sig = d;
    } else {
        sig = a;
        sig.exp = 0;
        d = a.cls == SF_INF ? sf_inf(false) : a.cls == SF_ZERO ? sf_inf(true) : sf_from_int(a.exp);
        e.flags |= a.cls == SF_ZERO ? SF_ZE : 0;
        fps_settle(&e, &a, &zero, true, &d);
    }
    if (e.flags & ~e.masks & FPS_PRE) {
        return fps_status(&e) | 7 << 11;
    }
    fps_put(x, &d);
    fps_put(z, &sig);
    return fps_status(&e) | 6 << 11;
}

uint16_t fps_twin(uint16_t cw, enum fph_twin op, struct x87_reg *x, struct x87_reg *z)
{
    return op == FPH_XTRACT ? extract(cw, x, z) : fps_trans_twin(cw, op, x, z);
}

/* Each constant truncated, and what rounding adds (SDM vol. 2, FLD1) */
void fps_const(uint16_t cw, enum fph_const k, struct x87_reg *x)
{
    static const struct {
        uint64_t m;
        uint16_t se;
        uint8_t nearest;        /* rounding to nearest goes up */
    } c[] = {
        [FPH_1] = { INTEGER, 0x3FFF, 0 }, [FPH_L2T] = { 0xD49A784BCD1B8AFEull, 0x4000, 0 },
        [FPH_L2E] = { 0xB8AA3B295C17F0BBull, 0x3FFF, 1 }, [FPH_PI] = { 0xC90FDAA22168C234ull, 0x4000, 1 },
        [FPH_LG2] = { 0x9A209A84FBCFF798ull, 0x3FFD, 1 }, [FPH_LN2] = { 0xB17217F7D1CF79ABull, 0x3FFE, 1 },
        [FPH_Z] = { 0, 0, 0 },
    };
    unsigned rc = cw >> 10 & 3;

    memset(x, 0, sizeof(*x));
    x->m = c[k].m;
    x->se = c[k].se;
    if (k != FPH_1 && k != FPH_Z && (rc == SF_UP || (rc == SF_NEAREST && c[k].nearest))) {
        x->m++;
    }
}

/*
 * Loads and stores
 */
static struct sf from_bcd(const uint8_t *p)
{
    int64_t sum = 0;
    struct sf a;

    for (int i = 8; i >= 0; i--) {
        sum = sum * 100 + (p[i] >> 4) * 10 + (p[i] & 15);
    }
    a = sf_from_int(sum);
    a.sign = p[9] >> 7;
    return a;
}

uint16_t fps_load(uint16_t cw, enum fph_load kind, struct x87_reg *x, const void *p)
{
    const struct sf zero = sf_zero(false);
    struct sf_env e = fps_env(cw);
    struct sf a, d;
    int64_t q;

    switch (kind) {
    case FPH_LD32:
        a = from_mem(FPH_M32, p);
        break;
    case FPH_LD64:
        a = from_mem(FPH_M64, p);
        break;
    case FPH_LDI16:
        a = from_mem(FPH_I16, p);
        break;
    case FPH_LDI32:
        a = from_mem(FPH_I32, p);
        break;
    case FPH_LDI64:
        memcpy(&q, p, 8);
        a = sf_from_int(q);
        break;
    default:
        a = from_bcd(p);
        break;
    }
    if (!fps_nans(&e, &a, &zero, &d)) {
        d = a;
        fps_settle(&e, &a, &zero, true, &d);
    }
    if (e.flags & ~e.masks & SF_IE) {
        return fps_status(&e);
    }
    fps_put(x, &d);                         /* an unmasked DE does not hold a load back */
    return fps_status(&e) | 7 << 11;
}

/* A float to memory: DE does not exist here, and overflow and underflow are held back too */
static uint16_t store_float(struct sf_env *e, const struct sf_fmt *f, const struct sf *a, void *p)
{
    struct sf zero = sf_zero(false), d;
    uint64_t raw;

    if (!fps_nans(e, a, &zero, &d)) {
        d = sf_fit(e, f, a);
    }
    if (e->flags & ~e->masks & (FPS_PRE | SF_OE | SF_UE)) {
        return (e->flags & (FPS_PRE | SF_OE | SF_UE)) | 7 << 11;
    }
    raw = sf_pack(f, &d);
    memcpy(p, &raw, f->bits / 8);
    return fps_status(e);
}

static void put_bcd(uint8_t *p, int64_t v, bool sign)
{
    uint64_t n = v < 0 ? -(uint64_t)v : (uint64_t)v;

    for (unsigned i = 0; i < 9; i++, n /= 100) {
        p[i] = (uint8_t)(n % 10 | n / 10 % 10 << 4);
    }
    p[9] = sign ? 0x80 : 0;
}

static uint16_t store_int(struct sf_env *e, unsigned rc, unsigned bits, const struct sf *a, void *p)
{
    int64_t v;

    if (!sf_to_int(e, a, rc, bits, &v)) {
        e->flags |= SF_IE;
        if (!(e->masks & SF_IE)) {
            return fps_status(e) | 7 << 11;
        }
        v = (int64_t)(1ull << (bits - 1));
    }
    memcpy(p, &v, bits / 8);
    return fps_status(e);
}

static uint16_t store_bcd(struct sf_env *e, const struct sf *a, void *p)
{
    static const uint8_t bad[10] = { 0, 0, 0, 0, 0, 0, 0, 0xC0, 0xFF, 0xFF };
    const int64_t limit = 1000000000000000000;
    struct sf_env before = *e;
    int64_t v;

    if (sf_to_int(e, a, e->rc, 64, &v) && v < limit && v > -limit) {
        put_bcd(p, v, a->sign);
        return fps_status(e);
    }
    *e = before;
    e->flags |= SF_IE;
    if (!(e->masks & SF_IE)) {
        return fps_status(e) | 7 << 11;
    }
    memcpy(p, bad, 10);
    return fps_status(e);
}

uint16_t fps_store(uint16_t cw, enum fph_store kind, const struct x87_reg *x, void *p)
{
    struct sf_env e = fps_env(cw);
    struct sf a = fps_get(x);

    switch (kind) {
    case FPH_ST32:
        return store_float(&e, &sf_f32, &a, p);
    case FPH_ST64:
        return store_float(&e, &sf_f64, &a, p);
    case FPH_STI16:
        return store_int(&e, e.rc, 16, &a, p);
    case FPH_STI32:
        return store_int(&e, e.rc, 32, &a, p);
    case FPH_STI64:
        return store_int(&e, e.rc, 64, &a, p);
    case FPH_STT16:
        return store_int(&e, SF_TO_ZERO, 16, &a, p);
    case FPH_STT32:
        return store_int(&e, SF_TO_ZERO, 32, &a, p);
    case FPH_STT64:
        return store_int(&e, SF_TO_ZERO, 64, &a, p);
    default:
        return store_bcd(&e, &a, p);
    }
}
