/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/bench/cpu/calc.c - integer programs whose time goes into arithmetic, and odd kinds of memory access
 *
 * What C cannot say (adc, rcl, lock prefixes) is inline assembly, the same text for both widths: %k operands and
 * `long`.
 */
#include "bench.h"

/* ---- sha256c: FIPS 180-4, 6.2 in C; the shani test gives the same digest ---- */

extern const uint32_t sha256_k[64];

static inline uint32_t ror(uint32_t v, int n)
{
    return v >> n | v << (32 - n);
}

static NOINLINE void sha256_block(uint32_t *st, const uint8_t *p)
{
    uint32_t w[64], a = st[0], b = st[1], c = st[2], d = st[3], e = st[4], f = st[5], g = st[6], h = st[7];

    for (int i = 0; i < 16; i++, p += 4) {
        w[i] = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
    }
    for (int i = 16; i < 64; i++) {
        uint32_t s0 = ror(w[i - 15], 7) ^ ror(w[i - 15], 18) ^ w[i - 15] >> 3;
        uint32_t s1 = ror(w[i - 2], 17) ^ ror(w[i - 2], 19) ^ w[i - 2] >> 10;

        w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    for (int i = 0; i < 64; i++) {
        uint32_t t1 = h + (ror(e, 6) ^ ror(e, 11) ^ ror(e, 25)) + ((e & f) ^ (~e & g)) + sha256_k[i] + w[i];
        uint32_t t2 = (ror(a, 2) ^ ror(a, 13) ^ ror(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));

        h = g;
        g = f;
        f = e;
        e = d + t1;
        d = c;
        c = b;
        b = a;
        a = t1 + t2;
    }
    st[0] += a;
    st[1] += b;
    st[2] += c;
    st[3] += d;
    st[4] += e;
    st[5] += f;
    st[6] += g;
    st[7] += h;
}

static uint64_t run_sha256(uint64_t n)
{
    uint32_t st[8] = { 0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19 };
    uint8_t data[64];

    for (unsigned i = 0; i < 64; i++) {
        data[i] = (uint8_t)(i * 7);
    }
    for (uint64_t i = 0; i < n * 256; i++) {
        sha256_block(st, data);
        data[0]++;
    }
    return mix_bytes(0, st, sizeof(st));
}

/* ---- bigmul: schoolbook product of 1024-bit numbers ---- */

#ifdef __x86_64__
typedef unsigned __int128 dlimb;
#else
typedef uint64_t dlimb;
#endif
typedef unsigned long limb;
#define LIMBS (128 / sizeof(limb))

static NOINLINE void mul(limb *r, const limb *a, const limb *b)
{
    for (unsigned i = 0; i < 2 * LIMBS; i++) {
        r[i] = 0;
    }
    for (unsigned i = 0; i < LIMBS; i++) {
        limb carry = 0;

        for (unsigned k = 0; k < LIMBS; k++) {
            dlimb v = (dlimb)a[i] * b[k] + r[i + k] + carry;

            r[i + k] = (limb)v;
            carry = (limb)(v >> (8 * sizeof(limb)));
        }
        r[i + LIMBS] = carry;
    }
}

static uint64_t run_bigmul(uint64_t n)
{
    limb a[LIMBS], b[LIMBS], r[2 * LIMBS];
    uint32_t s = 17;

    for (unsigned i = 0; i < 32; i++) {
        uint32_t v = rnd32(&s) | 1;

        __builtin_memcpy((uint8_t *)a + 4 * i, &v, 4);
        __builtin_memcpy((uint8_t *)b + 4 * i, &v, 4);
    }
    for (uint64_t i = 0; i < n * 64; i++) {
        mul(r, a, b);
        a[i % LIMBS] ^= r[LIMBS];
        b[i % LIMBS] ^= r[LIMBS + 3];
    }
    return mix_bytes(0, r, sizeof(r));
}

/* ---- div: unsigned and signed division, 32 and (long) bits ---- */

static uint64_t run_div(uint64_t n)
{
    uint32_t s = 19;
    unsigned long sum = 0;
    long d = 1;

    for (uint64_t i = 0; i < n * 1024; i++) {
        uint32_t v = rnd32(&s);

        d = d % 9973 + 3;
        sum += v / (uint32_t)d + v % ((v >> 20) + 1);
        sum ^= (unsigned long)((long)(sum >> 1) / d);
        d += (long)(sum & 0xFFF);
    }
    return sum;
}

/* ---- collatz: unpredictable branches, no memory ---- */

static uint64_t run_collatz(uint64_t n)
{
    uint64_t steps = 0;

    for (unsigned long start = 1; start <= n * 128; start++) {
        unsigned long v = start;
        unsigned count = 0;

        while (v != 1) {
            v = v & 1 ? v * 3 + 1 : v / 2;
            count++;
        }
        steps += count;
    }
    return steps;
}

/* ---- flags: carries across instructions, setcc, cmov, rotates through carry ---- */

static uint64_t run_flags(uint64_t n)
{
    unsigned long a = 0x12345679, b = 0x9ABCDEF1, c = 0x0F1E2D3C, d = 3;

    for (uint64_t i = 0; i < n * 1024; i++) {
        __asm__ volatile("add %[d], %[a]\n\t"
                         "adc %[c], %[b]\n\t"
                         "adc $0, %[c]\n\t"
                         "rcl $1, %[d]\n\t"
                         "sbb %[a], %[c]\n\t"
                         "setc %b[d]\n\t"
                         "cmp %[b], %[a]\n\t"
                         "cmovb %[c], %[a]\n\t"
                         "adc %[b], %[d]\n\t"
                         "bt $3, %[d]\n\t"
                         "adc $1, %[b]\n\t"
                         "rcr $1, %[c]"
                         : [a] "+r"(a), [b] "+r"(b), [c] "+r"(c), [d] "+q"(d) : : "cc");
    }
    return mix(mix(mix(a, b), c), d);
}

/* ---- unaligned: loads and stores at odd addresses; pagecross: all of them over the end of a page ---- */

#define PAGE 4096
#define PAGES 32

static uint8_t odd_buf[PAGES * PAGE] __attribute__((aligned(PAGE)));

static void setup_odd(uint64_t n)
{
    uint32_t s = 23;

    (void)n;
    for (unsigned i = 0; i < sizeof(odd_buf); i++) {
        odd_buf[i] = (uint8_t)rnd32(&s);
    }
}

static uint64_t run_unaligned(uint64_t n)
{
    unsigned long sum = 0, v;

    while (n--) {
        for (unsigned at = 1; at + 64 < 4 * PAGE; at += 7) {
            __builtin_memcpy(&v, odd_buf + at, sizeof(v));
            sum = (sum ^ v) + at;
            __builtin_memcpy(odd_buf + 4 * PAGE + at, &sum, sizeof(sum));     /* elsewhere: no load waits for a store */
        }
    }
    return mix_bytes(sum, odd_buf, 8 * PAGE);
}

static uint64_t run_pagecross(uint64_t n)
{
    unsigned long sum = 0, v;

    while (n--) {
        for (unsigned at = PAGE; at < sizeof(odd_buf); at += PAGE) {
            __builtin_memcpy(&v, odd_buf + at - 2, sizeof(v));
            sum = (sum ^ v) + at;
            __builtin_memcpy(odd_buf + at - 3, &sum, sizeof(sum));
        }
    }
    return mix_bytes(sum, odd_buf, sizeof(odd_buf));
}

/* ---- atomic: locked read-modify-writes ---- */

static uint64_t run_atomic(uint64_t n)
{
    static unsigned long cells[64];
    unsigned long sum = 0;

    for (unsigned i = 0; i < 64; i++) {
        cells[i] = i;
    }
    for (uint64_t i = 0; i < n * 1024; i++) {
        unsigned long *p = &cells[i & 63], old = *p;

        sum += __atomic_fetch_add(p, i, __ATOMIC_SEQ_CST);
        __atomic_compare_exchange_n(p, &old, sum, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
        sum ^= __atomic_exchange_n(&cells[(i + 7) & 63], sum, __ATOMIC_SEQ_CST);
    }
    return mix_bytes(sum, cells, sizeof(cells));
}

const struct bench calc_tests[] = {
    { "sha256c",   700,  run_sha256,    NULL,      0 },
    { "bigmul",    3000, run_bigmul,    NULL,      0 },
    { "div",       12000, run_div,       NULL,      0 },
    { "collatz",   3000, run_collatz,   NULL,      0 },
    { "flags",     6000, run_flags,     NULL,      0 },
    { "unaligned", 20000, run_unaligned, setup_odd, 0 },
    { "pagecross", 150000, run_pagecross, setup_odd, 0 },
    { "atomic",    12000, run_atomic,    NULL,      0 },
    { NULL, 0, NULL, NULL, 0 },
};
