/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/bench/cpu/bench.h - what the CPU benchmark programs share
 *
 * A test is a row: it does n units of fixed work and returns a checksum of all that it computed, which has to be the
 * same on every machine that runs the same binary. Nothing a checksum covers may depend on an address, a process id or
 * the time.
 */
#ifndef BENCH_CPU_BENCH_H
#define BENCH_CPU_BENCH_H

#include <stddef.h>
#include <stdint.h>

/* CPUID features that a test may need; main.c asks for them */
enum {
    NEED_SSE42 = 1 << 0, NEED_AVX2 = 1 << 1, NEED_FMA = 1 << 2, NEED_AES = 1 << 3, NEED_SHA = 1 << 4,
    NEED_CLMUL = 1 << 5,
    NEED_BUSYBOX = 1 << 6,                  /* not of the CPU: the -b option */
};

struct bench {
    const char *name;
    uint64_t n;                             /* units of work at scale 1: up to 0.3 s on the bare host, 3 s under QEMU */
    uint64_t (*run)(uint64_t n);
    void (*setup)(uint64_t n);              /* before each repetition, not timed; or NULL */
    unsigned needs;                         /* NEED_* */
};

/* tables end with a row without a name */
extern const struct bench data_tests[], calc_tests[], call_tests[], fp_tests[], simd_tests[], crypto_tests[];
extern const struct bench mem_tests[], sys_tests[], smc_tests[], app_tests[];

extern const char *bench_self;              /* path of this program, to exec it again */
extern const char *bench_busybox;           /* -b, or NULL */
extern const char *bench_dir;               /* -d: a folder for files */

#define NOINLINE __attribute__((noinline, noclone))

/* keeps a value in memory or a register that the compiler cannot see through */
#define OPAQUE(v) __asm__ volatile("" : "+r"(v))

static inline uint32_t rnd32(uint32_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 17;
    *s ^= *s << 5;
    return *s;
}

static inline uint64_t mix(uint64_t h, uint64_t v)
{
    return (h ^ v) * 0x100000001B3ull;      /* FNV-1a by words */
}

static inline uint64_t mix_bytes(uint64_t h, const void *p, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        h = mix(h, ((const uint8_t *)p)[i]);
    }
    return h;
}

static inline uint64_t mix_double(uint64_t h, double d)
{
    union { double d; uint64_t u; } v = { .d = d };

    return mix(h, v.u);
}

void bench_fail(const char *what);          /* prints it with errno and ends this test */

#endif
