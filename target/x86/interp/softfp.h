/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/interp/softfp.h - binary floating point in integers, with x86's exceptions
 *
 * For hosts that have no x86 instructions, and for the few instructions that an old x86 host lacks: the same bits and
 * the same flags as silicon. A number is unpacked into struct sf (NaN payloads and denormals too), operated on with
 * 128 bits of significand, and rounded once by sf_round(), which knows precision, range, masks, FTZ and C1. fpu_soft.c
 * (x87) and simd_fp_soft.c (SSE, AVX) put the rules about NaNs and about what a pending exception holds back on top.
 *
 * Rounding modes are those of x86 (0 nearest, 1 down, 2 up, 3 to zero); exception bits are those of FSW and MXCSR.
 * Spec: IEEE 754-2008; SDM vol. 1, 4.8, 4.9 (tininess is detected after rounding), 8.5, 11.5.
 */
#ifndef TARGET_X86_INTERP_SOFTFP_H
#define TARGET_X86_INTERP_SOFTFP_H

#include <stdbool.h>
#include <stdint.h>

enum { SF_IE = 1, SF_DE = 2, SF_ZE = 4, SF_OE = 8, SF_UE = 16, SF_PE = 32, SF_ALL = 0x3F };
enum sf_rc { SF_NEAREST, SF_DOWN, SF_UP, SF_TO_ZERO };
/* SF_BAD: an x87 encoding that no x87 makes (unnormal, pseudo-infinity, pseudo-NaN) */
enum sf_class { SF_ZERO, SF_NUM, SF_INF, SF_QNAN, SF_SNAN, SF_BAD };

/* What an operation runs under, and what it leaves */
struct sf_env {
    uint8_t rc;
    uint8_t masks;          /* SF_* set: masked. Only OE and UE matter here: unmasked, the exponent is wrapped */
    uint8_t flags;          /* gathered */
    bool daz, ftz;
    bool up;                /* the last rounding was away from zero: C1 */
};

/* SF_NUM: m / 2^63 * 2^exp. Unpacked ones have bit 63 of m set; sf_round() gives denormals without it, exp = emin */
struct sf {
    uint64_t m;             /* NaN: bit 62 quiet, payload below, as in an x87 register */
    int32_t exp;
    uint8_t cls;
    bool sign, denormal;    /* denormal: the operand was one (and DAZ clear) */
};

struct sf_fmt {
    uint8_t prec, bits;     /* significand with its leading bit; size of the encoding */
    int16_t emin, emax;
};
extern const struct sf_fmt sf_f16, sf_f32, sf_f64, sf_x24, sf_x53, sf_x64;

static inline bool sf_is_nan(const struct sf *a)
{
    return a->cls == SF_QNAN || a->cls == SF_SNAN;
}

/** sf_unpack() - 16, 32 or 64 bits; @e: DAZ, or NULL */
struct sf sf_unpack(const struct sf_env *e, const struct sf_fmt *f, uint64_t raw);
/** sf_pack() - what sf_round() made, or a NaN, as bits */
uint64_t sf_pack(const struct sf_fmt *f, const struct sf *a);
/** sf_from_int() - exact */
struct sf sf_from_int(int64_t v);
/**
 * sf_round() - the value (hi + lo / 2^64) / 2^63 * 2^exp in the format
 * @lo:  bit 0 set also stands for anything below
 * hi:lo is not zero; need not be normalised. Sets OE, UE, PE and e->up.
 */
struct sf sf_round(struct sf_env *e, const struct sf_fmt *f, bool sign, int exp, uint64_t hi, uint64_t lo);
/** sf_fit() - @a (no NaN) rounded to the format */
struct sf sf_fit(struct sf_env *e, const struct sf_fmt *f, const struct sf *a);

/*
 * Arithmetic on numbers that are no NaNs. Return: false when the operation is invalid (*d is then not set, nor is IE)
 */
bool sf_add(struct sf_env *e, const struct sf_fmt *f, const struct sf *a, const struct sf *b, bool minus, struct sf *d);
bool sf_mul(struct sf_env *e, const struct sf_fmt *f, const struct sf *a, const struct sf *b, struct sf *d);
/** sf_div() - sets ZE */
bool sf_div(struct sf_env *e, const struct sf_fmt *f, const struct sf *a, const struct sf *b, struct sf *d);
bool sf_sqrt(struct sf_env *e, const struct sf_fmt *f, const struct sf *a, struct sf *d);
/** sf_fma() - a * b + c, rounded once */
bool sf_fma(struct sf_env *e, const struct sf_fmt *f, const struct sf *a, const struct sf *b, const struct sf *c,
            struct sf *d);
/** sf_cmp() - -1, 0, 1 */
int sf_cmp(const struct sf *a, const struct sf *b);
/**
 * sf_to_int() - a rounded by @rc to a signed integer of @bits (at most 64)
 * Return: false when it does not fit; sets PE and e->up otherwise
 */
bool sf_to_int(struct sf_env *e, const struct sf *a, unsigned rc, unsigned bits, int64_t *v);
/** sf_integral() - a rounded by @rc to an integral value; sets PE and e->up */
struct sf sf_integral(struct sf_env *e, const struct sf *a, unsigned rc);

static inline struct sf sf_zero(bool sign)
{
    return (struct sf){ .cls = SF_ZERO, .sign = sign };
}

static inline struct sf sf_inf(bool sign)
{
    return (struct sf){ .cls = SF_INF, .sign = sign };
}

#endif
