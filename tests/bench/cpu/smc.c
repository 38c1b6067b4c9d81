/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/bench/cpu/smc.c - code that is written while it runs, as a guest's own translators do
 *
 * The function written is f(x) = x * A + B: 64-bit "imul $A,%edi,%eax; add $B,%eax; ret", 32-bit with x from the stack.
 */
#include "bench.h"

#include <sys/mman.h>

#define AREA 65536
#define SLOT 64

typedef uint32_t (*code_fn)(uint32_t x);

static uint8_t *area;

static void setup_smc(uint64_t n)
{
    (void)n;
    if (!area) {
        area = mmap(NULL, AREA, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (area == MAP_FAILED) {
            bench_fail("mmap of a page that is writable and executable");
        }
    }
    for (unsigned i = 0; i < AREA; i++) {
        area[i] = 0;
    }
}

/* Returns the length; the immediate B is the four bytes before the last one. */
static unsigned emit(volatile uint8_t *p, uint32_t a, uint32_t b)
{
#ifdef __x86_64__
    static const uint8_t head[] = { 0x69, 0xC7 };                           /* imul $A, %edi, %eax */
#else
    static const uint8_t head[] = { 0x69, 0x44, 0x24, 0x04 };               /* imul $A, 4(%esp), %eax */
#endif
    unsigned o = 0;

    for (; o < sizeof(head); o++) {
        p[o] = head[o];
    }
    *(volatile uint32_t *)(p + o) = a;
    p[o + 4] = 0x05;                                                        /* add $B, %eax */
    *(volatile uint32_t *)(p + o + 5) = b;
    p[o + 9] = 0xC3;
    return o + 10;
}

static uint32_t call(const uint8_t *p, uint32_t x)
{
    union { const uint8_t *p; code_fn f; } u = { .p = p };

    OPAQUE(u.p);
    return u.f(x);
}

static uint64_t run_newfunc(uint64_t n)
{
    uint32_t v = 1;

    for (uint64_t i = 0; i < n * 64; i++) {
        uint8_t *p = area + i * SLOT % AREA;

        emit(p, (uint32_t)i * 2 + 1, v);
        v = call(p, v ^ (uint32_t)i);
        v = call(p, v);
    }
    return v;
}

static uint64_t run_patch(uint64_t n)
{
    unsigned len = emit(area, 31, 0);
    uint32_t v = 1;

    for (uint64_t i = 0; i < n * 64; i++) {
        *(volatile uint32_t *)(area + len - 5) = (uint32_t)i;
        v = call(area, v);
    }
    return v;
}

static uint64_t run_datacode(uint64_t n)
{
    volatile uint32_t *data = (volatile uint32_t *)(area + 2048);
    uint32_t v = 1;

    emit(area, 31, 7);
    for (uint64_t i = 0; i < n * 64; i++) {
        v = call(area, v);
        data[i & 255] += v;
    }
    return mix_bytes(v, area + 2048, 1024);
}

const struct bench smc_tests[] = {
    { "newfunc",  1000,  run_newfunc,  setup_smc, 0 },
    { "patch",    1000,  run_patch,    setup_smc, 0 },
    { "datacode", 30000, run_datacode, setup_smc, 0 },
    { NULL, 0, NULL, NULL, 0 },
};
