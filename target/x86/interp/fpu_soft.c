/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/interp/fpu_soft.c - x87 operations for hosts that are not x86-64 (fpu_host.h says what it leaves out)
 *
 * A register becomes a long double and comes back rounded to the precision of the control word. Flags come from
 * <fenv.h>, under the rounding of the control word; the environment of the caller (which holds the guest's MXCSR) is
 * put back afterwards.
 */
#include "target/x86/interp/fpu_host.h"

#if !FPU_X86_HOST
#include <fenv.h>
#include <math.h>
#include <string.h>

#define QUIET (1ull << 62)
#define INTEGER (1ull << 63)

static const struct x87_reg indefinite = { 0xC000000000000000ull, 0xFFFF, { 0 } };

static bool is_nan(const struct x87_reg *x)
{
    return (x->se & 0x7FFF) == 0x7FFF && x->m << 1;
}

static bool is_snan(const struct x87_reg *x)
{
    return is_nan(x) && !(x->m & QUIET);
}

static int round_mode(unsigned rc)
{
    static const int modes[4] = { FE_TONEAREST, FE_DOWNWARD, FE_UPWARD, FE_TOWARDZERO };

    return modes[rc & 3];
}

/* Everything between these two runs in an environment of its own */
static void begin(fenv_t *env, uint16_t cw)
{
    feholdexcept(env);
    fesetround(round_mode(cw >> 10));
}

static uint16_t end(const fenv_t *env)
{
    int fe = fetestexcept(FE_ALL_EXCEPT);

    fesetenv(env);
    return (fe & FE_INVALID ? FSW_IE : 0) | (fe & FE_DIVBYZERO ? FSW_ZE : 0) | (fe & FE_OVERFLOW ? FSW_OE : 0) |
           (fe & FE_UNDERFLOW ? FSW_UE : 0) | (fe & FE_INEXACT ? FSW_PE : 0);
}

static long double value(const struct x87_reg *x)
{
    int exp = x->se & 0x7FFF;
    long double v;

    if (exp == 0x7FFF) {
        v = x->m << 1 ? (long double)NAN : (long double)INFINITY;
    } else {
        v = ldexpl((long double)x->m, (exp ? exp : 1) - 16383 - 63);
    }
    return x->se & 0x8000 ? -v : v;
}

/* Significand to the bits that precision control allows: 24, 53 or 64 */
static void round_to(struct x87_reg *x, uint16_t cw)
{
    unsigned drop = (cw >> 8 & 3) == 0 ? 40 : (cw >> 8 & 3) == 2 ? 11 : 0;
    uint64_t rest = drop ? x->m & ((1ull << drop) - 1) : 0, half = drop ? 1ull << (drop - 1) : 0;
    bool odd = drop && (x->m >> drop & 1), neg = x->se & 0x8000, up;

    if (!rest) {
        return;
    }
    feraiseexcept(FE_INEXACT);
    switch (cw >> 10 & 3) {
    case 0:
        up = rest > half || (rest == half && odd);
        break;
    case 1:
        up = neg;
        break;
    case 2:
        up = !neg;
        break;
    default:
        up = false;
        break;
    }
    x->m -= rest;
    if (up && (x->m += 1ull << drop) == 0) {
        x->m = INTEGER;
        x->se++;
    }
}

static void pack(struct x87_reg *x, long double v, uint16_t cw)
{
    int exp;
    long double f;

    if (v != v) {
        *x = indefinite;
        return;
    }
    x->se = signbit(v) ? 0x8000 : 0;
    if (isinf(v)) {
        x->m = INTEGER;
        x->se |= 0x7FFF;
        return;
    }
    f = frexpl(fabsl(v), &exp);             /* v = f * 2^exp, f in [0.5, 1) */
    if (f == 0) {
        x->m = 0;
        return;
    }
    if (exp + 16382 >= 0x7FFF) {
        feraiseexcept(FE_OVERFLOW | FE_INEXACT);
        x->m = INTEGER;
        x->se |= 0x7FFF;
        return;
    }
    if (exp + 16382 <= 0) {                 /* denormal */
        x->m = (uint64_t)rintl(ldexpl(f, 64 + exp + 16381));
        return;
    }
    x->m = (uint64_t)ldexpl(f, 64);
    x->se |= exp + 16382;
    round_to(x, cw);
}

/* NaN operands: the larger significand wins, quieted. Return: there was one */
static bool nan_result(struct x87_reg *d, const struct x87_reg *a, const struct x87_reg *b)
{
    const struct x87_reg *pick;

    if (!is_nan(a) && !is_nan(b)) {
        return false;
    }
    if (is_snan(a) || is_snan(b)) {
        feraiseexcept(FE_INVALID);
    }
    pick = !is_nan(b) || (is_nan(a) && (a->m | QUIET) >= (b->m | QUIET)) ? a : b;
    *d = *pick;
    d->m |= QUIET;
    return true;
}

uint16_t fph_arith(uint16_t cw, enum fph_arith op, struct x87_reg *x, const struct x87_reg *y)
{
    fenv_t env;

    begin(&env, cw);
    if (!nan_result(x, x, y)) {
        long double a = value(x), b = value(y), v;

        switch (op) {
        case FPH_ADD:
            v = a + b;
            break;
        case FPH_MUL:
            v = a * b;
            break;
        case FPH_SUB:
            v = a - b;
            break;
        case FPH_SUBR:
            v = b - a;
            break;
        case FPH_DIV:
            v = a / b;
            break;
        default:
            v = b / a;
            break;
        }
        pack(x, v, cw);
    }
    return end(&env);
}

uint16_t fph_load(uint16_t cw, enum fph_load kind, struct x87_reg *x, const void *p)
{
    enum { EXT = 0x37F };
    uint8_t raw[16] = { 0 };
    fenv_t env;
    uint16_t sw;
    uint64_t v;

    memcpy(raw, p, kind == FPH_LDBCD ? 10 : kind == FPH_LD32 || kind == FPH_LDI32 ? 4 : kind == FPH_LDI16 ? 2 : 8);
    memcpy(&v, raw, 8);
    begin(&env, EXT);
    switch (kind) {
    case FPH_LD32:
        x->se = (uint16_t)(v >> 16 & 0x8000);
        if ((v & 0x7F800000) == 0x7F800000) {
            x->se |= 0x7FFF;
            x->m = INTEGER | (v & 0x7FFFFF) << 40;
        } else {
            float f;

            memcpy(&f, &v, 4);
            pack(x, (long double)f, EXT);
        }
        break;
    case FPH_LD64:
        x->se = (uint16_t)(v >> 48 & 0x8000);
        if ((v >> 52 & 0x7FF) == 0x7FF) {
            x->se |= 0x7FFF;
            x->m = INTEGER | v << 12 >> 1;
        } else {
            double f;

            memcpy(&f, &v, 8);
            pack(x, (long double)f, EXT);
        }
        break;
    case FPH_LDI16:
        pack(x, (int16_t)v, EXT);
        break;
    case FPH_LDI32:
        pack(x, (int32_t)v, EXT);
        break;
    case FPH_LDI64:
        pack(x, (long double)(int64_t)v, EXT);
        break;
    default: {
        long double sum = 0;

        for (int i = 8; i >= 0; i--) {
            sum = sum * 100 + (raw[i] >> 4) * 10 + (raw[i] & 15);
        }
        pack(x, raw[9] & 0x80 ? -sum : sum, EXT);
        break;
    }
    }
    if (is_snan(x)) {
        feraiseexcept(FE_INVALID);
        x->m |= QUIET;
    }
    sw = end(&env);
    return sw | 7 << 11;
}

/* A memory operand as a register: exact, so the operation rounds once */
static uint16_t widen(enum fph_mem kind, struct x87_reg *y, const void *p)
{
    static const uint8_t load[] = {
        [FPH_M32] = FPH_LD32, [FPH_M64] = FPH_LD64, [FPH_I16] = FPH_LDI16, [FPH_I32] = FPH_LDI32,
    };

    memset(y, 0, sizeof(*y));
    return fph_load(0x37F, (enum fph_load)load[kind], y, p) & ~FSW_TOP;
}

uint16_t fph_arith_mem(uint16_t cw, enum fph_arith op, enum fph_mem kind, struct x87_reg *x, const void *p)
{
    struct x87_reg y;
    uint16_t sw = widen(kind, &y, p);

    return sw | fph_arith(cw, op, x, &y);
}

uint16_t fph_com(uint16_t cw, const struct x87_reg *x, const struct x87_reg *y, bool quiet)
{
    long double a, b;

    if (is_nan(x) || is_nan(y)) {
        return FSW_C0 | FSW_C2 | FSW_C3 | (!quiet || is_snan(x) || is_snan(y) ? FSW_IE : 0);
    }
    a = value(x);
    b = value(y);
    return a < b ? FSW_C0 : a == b ? FSW_C3 : 0;
}

uint16_t fph_com_mem(uint16_t cw, enum fph_mem kind, struct x87_reg *x, const void *p)
{
    struct x87_reg y;
    uint16_t sw = widen(kind, &y, p);

    return sw | fph_com(cw, x, &y, false);
}

static uint16_t xam(const struct x87_reg *x)
{
    unsigned exp = x->se & 0x7FFF;
    uint16_t cc = x->se & 0x8000 ? FSW_C1 : 0;

    if (exp == 0x7FFF) {
        return cc | FSW_C0 | (x->m << 1 ? 0 : FSW_C2);
    }
    if (exp == 0) {
        return cc | FSW_C3 | (x->m ? FSW_C2 : 0);
    }
    return cc | (x->m & INTEGER ? FSW_C2 : 0);
}

uint16_t fph_unary(uint16_t cw, enum fph_unary op, struct x87_reg *x)
{
    static const struct x87_reg zero;
    long double v = value(x);
    fenv_t env;

    if (op == FPH_XAM) {
        return xam(x);
    }
    if (op == FPH_TST) {
        return fph_com(cw, x, &zero, false);
    }
    if ((op == FPH_SIN || op == FPH_COS) && !isinf(v) && fabsl(v) >= 0x1p63L) {
        return FSW_C2;
    }
    begin(&env, cw);
    if (!nan_result(x, x, x)) {
        switch (op) {
        case FPH_SQRT:
            v = sqrtl(v);
            break;
        case FPH_RNDINT:
            v = rintl(v);
            break;
        case FPH_2XM1:
            v = expm1l(v * 0.693147180559945309417232121458176568L);
            break;
        case FPH_SIN:
            v = sinl(v);
            break;
        default:
            v = cosl(v);
            break;
        }
        pack(x, v, op == FPH_SQRT ? cw : 0x37F);
    }
    return end(&env);
}

/* FPREM, FPREM1: quotient bits 2, 1, 0 to C0, C3, C1. Reduced in one step, so C2 is clear */
static uint16_t remainder_of(struct x87_reg *x, const struct x87_reg *y, bool ieee)
{
    long double a = value(x), b = value(y), v;
    int q = 0;

    if (isinf(a) || b == 0) {
        feraiseexcept(FE_INVALID);
        *x = indefinite;
        return 0;
    }
    v = remquol(a, b, &q);
    q = q < 0 ? -q : q;
    if (!ieee && v != 0 && signbit(v) != signbit(a)) {      /* toward zero: one less */
        v += signbit(v) == signbit(b) ? -b : b;
        q--;
    }
    pack(x, v == 0 ? copysignl(v, a) : v, 0x37F);
    return (q & 4 ? FSW_C0 : 0) | (q & 2 ? FSW_C3 : 0) | (q & 1 ? FSW_C1 : 0);
}

uint16_t fph_binary(uint16_t cw, enum fph_binary op, struct x87_reg *x, struct x87_reg *y)
{
    struct x87_reg *d = op >= FPH_YL2X ? y : x;
    long double a = value(x), b = value(y);
    uint16_t cc = 0;
    fenv_t env;

    begin(&env, cw);
    if (!nan_result(d, x, y)) {
        switch (op) {
        case FPH_PREM:
        case FPH_PREM1:
            cc = remainder_of(x, y, op == FPH_PREM1);
            break;
        case FPH_SCALE:
            if (isinf(b)) {
                pack(x, b > 0 ? a * INFINITY : a * 0.0L, cw);
            } else {
                pack(x, ldexpl(a, b > 65536 ? 65536 : b < -65536 ? -65536 : (int)b), 0x37F);
            }
            break;
        case FPH_YL2X:
            pack(y, b * log2l(a), 0x37F);
            break;
        case FPH_YL2XP1:
            pack(y, b * log1pl(a) * 1.442695040888963407359924681001892137L, 0x37F);
            break;
        default:
            pack(y, atan2l(b, a), 0x37F);
            break;
        }
    }
    return end(&env) | cc | (op >= FPH_YL2X ? 7 : 6) << 11;
}

uint16_t fph_twin(uint16_t cw, enum fph_twin op, struct x87_reg *x, struct x87_reg *z)
{
    long double v = value(x);
    fenv_t env;

    if (op != FPH_XTRACT && !isinf(v) && fabsl(v) >= 0x1p63L) {
        return FSW_C2 | 7 << 11;
    }
    begin(&env, cw);
    if (nan_result(x, x, x)) {
        *z = *x;
    } else if (op == FPH_PTAN) {
        pack(x, tanl(v), 0x37F);
        pack(z, isinf(v) ? (long double)NAN : 1, 0x37F);
    } else if (op == FPH_SINCOS) {
        pack(x, sinl(v), 0x37F);
        pack(z, cosl(v), 0x37F);
    } else if (v == 0) {
        feraiseexcept(FE_DIVBYZERO);
        *z = *x;
        pack(x, -(long double)INFINITY, 0x37F);
    } else if (isinf(v)) {
        *z = *x;
        pack(x, INFINITY, 0x37F);
    } else {
        int exp;

        pack(z, 2 * frexpl(v, &exp), 0x37F);
        pack(x, exp - 1, 0x37F);
    }
    return end(&env) | 6 << 11;
}

/* Each constant truncated, and what rounding adds (SDM vol. 2, FLD1) */
void fph_const(uint16_t cw, enum fph_const k, struct x87_reg *x)
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
    if (k != FPH_1 && k != FPH_Z && (rc == 2 || (rc == 0 && c[k].nearest))) {
        x->m++;
    }
}

static void store_int(long double v, unsigned bits, void *p)
{
    long double limit = ldexpl(1, (int)bits - 1);
    int64_t n;

    if (!(v >= -limit && v < limit)) {
        feraiseexcept(FE_INVALID);
        n = (int64_t)(1ull << (bits - 1));
    } else {
        n = (int64_t)v;
    }
    memcpy(p, &n, bits / 8);
}

static void store_bcd(long double v, uint8_t *p)
{
    static const uint8_t bad[10] = { 0, 0, 0, 0, 0, 0, 0, 0xC0, 0xFF, 0xFF };
    uint64_t n;

    if (!(fabsl(v) < 1e18L)) {
        feraiseexcept(FE_INVALID);
        memcpy(p, bad, 10);
        return;
    }
    n = (uint64_t)fabsl(v);
    for (unsigned i = 0; i < 9; i++, n /= 100) {
        p[i] = (uint8_t)(n % 10 | n / 10 % 10 << 4);
    }
    p[9] = signbit(v) ? 0x80 : 0;
}

uint16_t fph_store(uint16_t cw, enum fph_store kind, const struct x87_reg *x, void *p)
{
    long double v = value(x), i;
    fenv_t env;

    begin(&env, cw);
    if (is_snan(x) && kind <= FPH_ST64) {
        feraiseexcept(FE_INVALID);
    }
    i = kind >= FPH_STT16 && kind <= FPH_STT64 ? truncl(v) : kind > FPH_ST64 ? rintl(v) : v;
    if (kind > FPH_ST64 && i != v && !isnan(v)) {
        feraiseexcept(FE_INEXACT);
    }
    switch (kind) {
    case FPH_ST32: {
        float f = (float)v;
        uint32_t b = (uint32_t)(x->se & 0x8000) << 16 | 0x7FC00000 | (uint32_t)(x->m << 1 >> 41);

        memcpy(p, is_nan(x) ? (void *)&b : (void *)&f, 4);
        break;
    }
    case FPH_ST64: {
        double f = (double)v;
        uint64_t b = (uint64_t)(x->se & 0x8000) << 48 | 0x7FF8ull << 48 | x->m << 1 >> 12;

        memcpy(p, is_nan(x) ? (void *)&b : (void *)&f, 8);
        break;
    }
    case FPH_STI16:
    case FPH_STT16:
        store_int(i, 16, p);
        break;
    case FPH_STI32:
    case FPH_STT32:
        store_int(i, 32, p);
        break;
    case FPH_STI64:
    case FPH_STT64:
        store_int(i, 64, p);
        break;
    default:
        store_bcd(i, p);
        break;
    }
    return end(&env);
}

/* The control word comes with each call; flags do not stay. MXCSR is the C environment's rounding and flags. */
void fph_clear(void) { }
void fph_set_cw(uint16_t cw) { }
void fph_init(uint16_t cw) { }

uint32_t fph_mxcsr(void)
{
    int fe = fetestexcept(FE_ALL_EXCEPT);

    return (fe & FE_INVALID ? FSW_IE : 0) | (fe & FE_DIVBYZERO ? FSW_ZE : 0) | (fe & FE_OVERFLOW ? FSW_OE : 0) |
           (fe & FE_UNDERFLOW ? FSW_UE : 0) | (fe & FE_INEXACT ? FSW_PE : 0);
}

void fph_set_mxcsr(uint32_t v)
{
    feclearexcept(FE_ALL_EXCEPT);
    fesetround(round_mode(v >> 13));
}
#endif
