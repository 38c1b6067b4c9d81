/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/bench/cpu/mem.c - string instructions and plain copies
 */
#include "bench.h"

#include <emmintrin.h>

#define BLOCK 65536

static uint8_t from[BLOCK + 64] __attribute__((aligned(4096))), to[BLOCK + 64] __attribute__((aligned(4096)));

static void setup_mem(uint64_t n)
{
    uint32_t s = 53;

    (void)n;
    for (unsigned i = 0; i < sizeof(from); i++) {
        from[i] = (uint8_t)(rnd32(&s) | 1);
        to[i] = 0;
    }
}

static void rep_movsb(void *d, const void *s, size_t n)
{
    __asm__ volatile("rep movsb" : "+D"(d), "+S"(s), "+c"(n) : : "memory");
}

static uint64_t run_movsb64k(uint64_t n)
{
    while (n--) {
        rep_movsb(to + (n & 7), from, BLOCK);
        from[n % BLOCK]++;
    }
    return mix_bytes(0, to, sizeof(to));
}

static uint64_t run_movsb40(uint64_t n)
{
    while (n--) {
        for (unsigned i = 0; i < 1024; i++) {
            rep_movsb(to + i * 48, from + i * 56, 40);
        }
        from[n % BLOCK]++;
    }
    return mix_bytes(0, to, sizeof(to));
}

static uint64_t run_stosl(uint64_t n)
{
    while (n--) {
        void *d = to + (n & 3) * 4;
        size_t c = BLOCK / 4;

        __asm__ volatile("rep stosl" : "+D"(d), "+c"(c) : "a"((uint32_t)n * 0x9E3779B1u) : "memory");
    }
    return mix_bytes(0, to, sizeof(to));
}

/* the byte 0 is nowhere in from[] but where each round puts it */
static uint64_t run_scasb(uint64_t n)
{
    uint64_t sum = 0;

    while (n--) {
        const uint8_t *p = from;
        size_t c = BLOCK, end = 1000 + n * 37 % 30000;
        uint8_t old = from[end];

        from[end] = 0;
        __asm__ volatile("repne scasb" : "+D"(p), "+c"(c) : "a"(0) : "memory", "cc");
        from[end] = old;
        sum += c + (size_t)(p - from);
    }
    return sum;
}

static uint64_t run_copy_sse(uint64_t n)
{
    while (n--) {
        for (unsigned i = 0; i < BLOCK; i += 64) {
            const __m128i *s = (const __m128i *)(from + i);
            __m128i a = _mm_load_si128(s), b = _mm_load_si128(s + 1);
            __m128i c = _mm_load_si128(s + 2), d = _mm_load_si128(s + 3);

            _mm_storeu_si128((__m128i *)(to + i + 1), a);
            _mm_storeu_si128((__m128i *)(to + i + 17), b);
            _mm_storeu_si128((__m128i *)(to + i + 33), c);
            _mm_storeu_si128((__m128i *)(to + i + 49), d);
        }
        from[n % BLOCK]++;
    }
    return mix_bytes(0, to, sizeof(to));
}

static uint64_t run_copy_long(uint64_t n)
{
    while (n--) {
        const unsigned long *s = (const unsigned long *)from;
        unsigned long *d = (unsigned long *)to;

        for (unsigned i = 0; i < BLOCK / sizeof(long); i++) {
            d[i] = s[i];
        }
        from[n % BLOCK]++;
    }
    return mix_bytes(0, to, sizeof(to));
}

const struct bench mem_tests[] = {
    { "movsb64k",  3000,  run_movsb64k,  setup_mem, 0 },
    { "movsb40",   4500,  run_movsb40,   setup_mem, 0 },
    { "stosl",     20000,  run_stosl,     setup_mem, 0 },
    { "scasb",     16000,  run_scasb,     setup_mem, 0 },
    { "copy_sse",  12000,  run_copy_sse,  setup_mem, 0 },
    { "copy_long", 24000,  run_copy_long, setup_mem, 0 },
    { NULL, 0, NULL, NULL, 0 },
};
