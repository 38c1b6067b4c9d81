/* SPDX-License-Identifier: BSD-2-Clause */
/* lib/bits.h - bit fields, alignment, population: pure functions and constants */
#ifndef LIB_BITS_H
#define LIB_BITS_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BIT(n)          (1ULL << (n))
#define ARRAY_LEN(a)    (sizeof(a) / sizeof((a)[0]))
#define KiB             1024ULL
#define MiB             (1024ULL * KiB)
#define GiB             (1024ULL * MiB)

#ifndef likely
#define likely(x)   __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#endif

#define container_of(ptr, type, member) ((type *)((char *)(ptr) - offsetof(type, member)))

/** bits_mask() - the low @n bits set; n is 0..64 */
static inline uint64_t bits_mask(unsigned n)
{
    return n >= 64 ? ~0ULL : (1ULL << n) - 1;
}

/** bits_get() - the @n bits of @v that start at bit @lo */
static inline uint64_t bits_get(uint64_t v, unsigned lo, unsigned n)
{
    return (v >> lo) & bits_mask(n);
}

/** bits_put() - @v with the @n bits from @lo replaced by the low bits of @x */
static inline uint64_t bits_put(uint64_t v, unsigned lo, unsigned n, uint64_t x)
{
    uint64_t m = bits_mask(n) << lo;

    return (v & ~m) | ((x << lo) & m);
}

/** sign_extend() - the low @n bits of @v as a signed number; n is 1..64 */
static inline int64_t sign_extend(uint64_t v, unsigned n)
{
    return (int64_t)(v << (64 - n)) >> (64 - n);
}

static inline bool is_pow2(uint64_t v)
{
    return v && !(v & (v - 1));
}

static inline uint64_t align_down(uint64_t v, uint64_t a)
{
    return v & ~(a - 1);
}

static inline uint64_t align_up(uint64_t v, uint64_t a)
{
    return (v + a - 1) & ~(a - 1);
}

#endif
