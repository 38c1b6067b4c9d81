/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/bench/cpu/fp.c - floating point: matrices, bodies, fractals, conversions, x87
 *
 * IEEE 754 gives one result for + - * / sqrt and fma, so checksums cover every bit of them. The x87's sine and the like
 * are no such functions: x87trans rounds each result to 2^-20 first.
 */
#include "bench.h"

#include <immintrin.h>

/* ---- mm: 64 x 64 matrices, scalar double, packed float, packed double with FMA ---- */

#define MAT 64

static double da[MAT][MAT], db[MAT][MAT], dc[MAT][MAT];
static float fa[MAT][MAT] __attribute__((aligned(32))), fb[MAT][MAT] __attribute__((aligned(32)));
static float fc[MAT][MAT] __attribute__((aligned(32)));

static void setup_mm(uint64_t n)
{
    uint32_t s = 31;

    (void)n;
    for (int i = 0; i < MAT; i++) {
        for (int k = 0; k < MAT; k++) {
            da[i][k] = (double)(int32_t)rnd32(&s) / 2147483648.0;
            db[i][k] = (double)(int32_t)rnd32(&s) / 2147483648.0;
            fa[i][k] = (float)da[i][k];
            fb[i][k] = (float)db[i][k];
        }
    }
}

static uint64_t run_mm_scalar(uint64_t n)
{
    while (n--) {
        for (int i = 0; i < MAT; i++) {
            for (int j = 0; j < MAT; j++) {
                double sum = 0;

                for (int k = 0; k < MAT; k++) {
                    sum += da[i][k] * db[k][j];
                }
                dc[i][j] = sum;
            }
        }
        da[n % MAT][3] = dc[5][7] / 64;
    }
    return mix_bytes(0, dc, sizeof(dc));
}

static uint64_t run_mm_sse2(uint64_t n)
{
    while (n--) {
        for (int i = 0; i < MAT; i++) {
            for (int j = 0; j < MAT; j += 8) {
                __m128 s0 = _mm_setzero_ps(), s1 = s0;

                for (int k = 0; k < MAT; k++) {
                    __m128 a = _mm_set1_ps(fa[i][k]);

                    s0 = _mm_add_ps(s0, _mm_mul_ps(a, _mm_load_ps(&fb[k][j])));
                    s1 = _mm_add_ps(s1, _mm_mul_ps(a, _mm_load_ps(&fb[k][j + 4])));
                }
                _mm_store_ps(&fc[i][j], s0);
                _mm_store_ps(&fc[i][j + 4], s1);
            }
        }
        fa[n % MAT][3] = fc[5][7] / 64;
    }
    return mix_bytes(0, fc, sizeof(fc));
}

#ifdef __x86_64__
__attribute__((target("avx2,fma"))) static uint64_t run_mm_fma(uint64_t n)
{
    while (n--) {
        for (int i = 0; i < MAT; i++) {
            for (int j = 0; j < MAT; j += 8) {
                __m256d s0 = _mm256_setzero_pd(), s1 = s0;

                for (int k = 0; k < MAT; k++) {
                    __m256d a = _mm256_set1_pd(da[i][k]);

                    s0 = _mm256_fmadd_pd(a, _mm256_loadu_pd(&db[k][j]), s0);
                    s1 = _mm256_fmadd_pd(a, _mm256_loadu_pd(&db[k][j + 4]), s1);
                }
                _mm256_storeu_pd(&dc[i][j], s0);
                _mm256_storeu_pd(&dc[i][j + 4], s1);
            }
        }
        da[n % MAT][3] = dc[5][7] / 64;
    }
    _mm256_zeroupper();
    return mix_bytes(0, dc, sizeof(dc));
}
#endif

/* ---- nbody: five bodies, sqrt and division ---- */

struct body {
    double p[3], v[3], m;
};

static uint64_t run_nbody(uint64_t n)
{
    struct body b[5];
    uint32_t s = 37;

    for (int i = 0; i < 5; i++) {
        for (int k = 0; k < 3; k++) {
            b[i].p[k] = (double)(rnd32(&s) & 0xFFFF) / 4096.0 + i;
            b[i].v[k] = (double)(rnd32(&s) & 0xFFFF) / 65536.0 - 0.5;
        }
        b[i].m = 1.0 + i;
    }
    for (uint64_t step = 0; step < n * 64; step++) {
        for (int i = 0; i < 5; i++) {
            for (int j = i + 1; j < 5; j++) {
                double d[3], r2 = 0.01;

                for (int k = 0; k < 3; k++) {
                    d[k] = b[i].p[k] - b[j].p[k];
                    r2 += d[k] * d[k];
                }
                double f = 0.001 / (r2 * __builtin_sqrt(r2));
                for (int k = 0; k < 3; k++) {
                    b[i].v[k] -= d[k] * b[j].m * f;
                    b[j].v[k] += d[k] * b[i].m * f;
                }
            }
        }
        for (int i = 0; i < 5; i++) {
            for (int k = 0; k < 3; k++) {
                b[i].p[k] += 0.001 * b[i].v[k];
            }
        }
    }
    return mix_bytes(0, b, sizeof(b));
}

/* ---- mandel: four points at a time, packed float with compares and masks ---- */

static uint64_t run_mandel(uint64_t n)
{
    const __m128 four = _mm_set1_ps(4), one = _mm_set1_ps(1);
    uint64_t h = 0;

    for (uint64_t row = 0; row < n; row++) {
        __m128 ci = _mm_set1_ps((float)(row % 64) / 32 - 1);

        for (int x = 0; x < 64; x += 4) {
            __m128 at = _mm_add_ps(_mm_set1_ps((float)x), _mm_set_ps(0, 1, 2, 3));
            __m128 cr = _mm_sub_ps(_mm_div_ps(at, _mm_set1_ps(24)), _mm_set1_ps(2));
            __m128 zr = cr, zi = ci, count = _mm_setzero_ps();

            for (int i = 0; i < 64; i++) {
                __m128 r2 = _mm_mul_ps(zr, zr), i2 = _mm_mul_ps(zi, zi);
                __m128 in = _mm_cmplt_ps(_mm_add_ps(r2, i2), four);

                if (!_mm_movemask_ps(in)) {
                    break;
                }
                count = _mm_add_ps(count, _mm_and_ps(in, one));
                zi = _mm_and_ps(in, _mm_add_ps(_mm_mul_ps(_mm_add_ps(zr, zr), zi), ci));
                zr = _mm_or_ps(_mm_and_ps(in, _mm_add_ps(_mm_sub_ps(r2, i2), cr)), _mm_andnot_ps(in, four));
            }
            h = mix_bytes(h, &count, sizeof(count));
        }
    }
    return h;
}

/* ---- cvt: between integers, float and double, with truncation and with rounding ---- */

static uint64_t run_cvt(uint64_t n)
{
    uint32_t s = 41;
    int32_t sum = 0;
    double acc = 0.5;

    for (uint64_t i = 0; i < n * 1024; i++) {
        int32_t v = (int32_t)rnd32(&s);
        double d = (double)v * 0.37 + acc;
        float f = (float)d;

        sum ^= (int32_t)f / 2;
        sum += _mm_cvtsd_si32(_mm_set_sd(d * 0.5));
        acc = (double)f * 0.25 + (double)(sum & 0xFF);
        __m128i p = _mm_cvtps_epi32(_mm_cvtepi32_ps(_mm_set1_epi32(v >> 3)));
        sum ^= _mm_cvtsi128_si32(p);
    }
    return mix_double((uint32_t)sum, acc);
}

/* ---- x87: long double polynomial, division and square root ---- */

static uint64_t run_x87(uint64_t n)
{
    long double x = 0.7L, sum = 0;

    for (uint64_t i = 0; i < n * 1024; i++) {
        long double p = 1 + x * (0.5L + x * (0.25L + x * (0.125L + x * 0.0625L)));

        if ((i & 7) == 0) {
            p = __builtin_sqrtl(p) / (1 + x);
        }
        sum += p;
        x = p - (long double)(int)p;
    }
    union { long double v; uint8_t b[10]; } u = { .v = sum };
    return mix_bytes(0, u.b, 10);
}

/* ---- x87trans: fsin, fcos, fpatan, fyl2x, f2xm1 ---- */

static uint64_t run_x87trans(uint64_t n)
{
    uint32_t s = 43;
    int64_t h = 0;

    for (uint64_t i = 0; i < n * 256; i++) {
        long double x = (long double)(rnd32(&s) & 0xFFFFF) / 1048576, y, sn, cs, at, lg, ex;

        y = x + 1;
        __asm__("fsin" : "=t"(sn) : "0"(x));
        __asm__("fcos" : "=t"(cs) : "0"(x));
        __asm__("fpatan" : "=t"(at) : "0"(y), "u"(x) : "st(1)");
        __asm__("fyl2x" : "=t"(lg) : "0"(y), "u"(1.0L) : "st(1)");
        __asm__("f2xm1" : "=t"(ex) : "0"(x - 0.5L));
        h = h * 31 + __builtin_llrintl((sn + cs * 3 + at * 5 + lg * 7 + ex * 11) * 1048576);
    }
    return (uint64_t)h;
}

const struct bench fp_tests[] = {
    { "mm_sse2",     300,  run_mm_sse2,   setup_mm, 0 },
    { "mm_scalar",   120,   run_mm_scalar, setup_mm, 0 },
#ifdef __x86_64__
    { "mm_fma_avx2", 40,  run_mm_fma,    setup_mm, NEED_AVX2 | NEED_FMA },
#endif
    { "nbody",       5000,  run_nbody,     NULL,     0 },
    { "mandel",      12000, run_mandel,    NULL,     0 },
    { "cvt",         4500, run_cvt,       NULL,     0 },
    { "x87",         2500,  run_x87,       NULL,     0 },
    { "x87trans",    1200,  run_x87trans,  NULL,     0 },
    { NULL, 0, NULL, NULL, 0 },
};
