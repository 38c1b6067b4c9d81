/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/test-softfp.c - the x87 in integers (interp/fpu_soft.c) against the host's own
 *
 * Every operation, under random control words (masks and precision control too), on operands of every class. On an
 * x86-64 host results, exceptions, condition codes and what is held back are the same; elsewhere there is nothing to
 * compare with, and tests/x86/test-golden.c compares with what an x86 host has recorded.
 */
#include "target/x86/interp/fpu_soft.h"
#include "lib/bits.h"
#include <glib.h>
#include <string.h>

#if FPU_X86_HOST

static uint64_t rng_state;

static uint64_t rng(void)
{
    rng_state ^= rng_state << 13;
    rng_state ^= rng_state >> 7;
    rng_state ^= rng_state << 17;
    return rng_state * 0x2545F4914F6CDD1Dull;
}

static unsigned below(unsigned n)
{
    return (unsigned)((rng() >> 33) % n);
}

/* Significands with long runs of ones and zeros, so that rounding has ties and carries */
static uint64_t mantissa(void)
{
    uint64_t m = rng();

    switch (below(6)) {
    case 0:
        return 0;
    case 1:
        return ~0ull << below(64);
    case 2:
        return (~0ull >> below(64)) ^ (rng() & 3);
    case 3:
        return m & (~0ull << below(64));
    case 4:
        return 1ull << below(64) | 1ull << below(64);
    default:
        return m;
    }
}

static struct x87_reg number(void)
{
    static const uint16_t exps[] = {
        0, 1, 2, 0x7FFF, 0x7FFE, 0x3FFF, 0x3FFE, 0x4000, 0x3F81, 0x407E, 0x3C01, 0x43FE, 64, 32,
    };
    struct x87_reg r = { .m = mantissa() };

    r.se = (uint16_t)(0x3FFF - 70 + below(140));
    if (below(4) == 0) {
        r.se = exps[below(ARRAY_LEN(exps))];
    } else if (below(12) == 0) {
        r.se = rng() & 0x7FFF;
    } else if (below(30) == 0) {
        r.se = (uint16_t)(0x3F6A + below(40));          /* around the smallest floats */
    }
    if (r.se && below(16)) {
        r.m |= 1ull << 63;
    }
    r.se |= below(2) << 15;
    return r;
}

/* What is seldom drawn by chance: tiny numbers, powers of two, zero */
static struct x87_reg corner(void)
{
    static const struct x87_reg some[] = {
        { 0, 0, { 0 } }, { 1, 0, { 0 } }, { 1ull << 63, 0, { 0 } }, { 1ull << 62, 0, { 0 } }, { ~0ull, 0, { 0 } },
        { 0x1234567ull << 20, 0, { 0 } }, { 1ull << 63, 1, { 0 } }, { ~0ull, 0x7FFE, { 0 } },
        { 1ull << 63, 0x3FFF, { 0 } }, { 1ull << 63, 0x3FFE, { 0 } }, { 3ull << 62, 0x400C, { 0 } }, { 3ull << 62, 0x4000, { 0 } },
        { 0xFFFEull << 48, 0x400D, { 0 } }, { 1ull << 63, 0x7FFF, { 0 } }, { 3ull << 62, 0x400E, { 0 } },
        { 3ull << 62, 0x400F, { 0 } }, { 1ull << 63, 0x4010, { 0 } }, { 1ull << 63, 0x4011, { 0 } },
        { 1ull << 63, 0x4012, { 0 } },
    };
    struct x87_reg r = some[below(ARRAY_LEN(some))];

    r.se |= below(2) << 15;
    return r;
}

static uint16_t control(void)
{
    static const uint16_t pc[4] = { 0x300, 0x300, 0x200, 0 };
    uint16_t cw = (uint16_t)(0x40 | pc[below(4)] | below(4) << 10);

    return cw | (below(2) ? 0x3F : below(64));
}

struct outcome {
    uint16_t sw;
    struct x87_reg x, y;
    uint8_t mem[16];
};

static void check(const char *what, unsigned op, uint16_t cw, const struct outcome *in, uint16_t mask,
                  const struct outcome *host, const struct outcome *soft)
{
    if ((host->sw & mask) == (soft->sw & mask) && host->x.m == soft->x.m && host->x.se == soft->x.se &&
        host->y.m == soft->y.m && host->y.se == soft->y.se && memcmp(host->mem, soft->mem, 16) == 0) {
        return;
    }
#define SHOW(o) (o)->sw & mask, (o)->x.se, (o)->x.m, (o)->y.se, (o)->y.m
#define REGS "sw %04x x %04x:%016" G_GINT64_MODIFIER "x y %04x:%016" G_GINT64_MODIFIER "x"
    g_test_message("%s %u cw %04x\n   in " REGS "\n host " REGS "\n soft " REGS, what, op, cw, SHOW(in), SHOW(host),
                   SHOW(soft));
    for (unsigned i = 0; i < 16; i += 8) {
        g_test_message("  mem in %016" G_GINT64_MODIFIER "x host %016" G_GINT64_MODIFIER "x soft %016" G_GINT64_MODIFIER
                       "x",
                       *(const uint64_t *)(in->mem + i), *(const uint64_t *)(host->mem + i),
                       *(const uint64_t *)(soft->mem + i));
    }
    g_test_fail();
}

enum { COUNT = 40000 };
enum { FLAGS = FSW_EXC | FSW_C1 };

/* One operation on both: CALL(prefix, outcome) */
#define BOTH(what, op, mask, CALL)                                                                                     \
    do {                                                                                                               \
        struct outcome host = in, soft = in;                                                                           \
                                                                                                                       \
        fph_init(cw);                                                                                                  \
        host.sw = CALL(fph, host);                                                                                     \
        fph_init(0x37F);                                                                                               \
        soft.sw = CALL(fps, soft);                                                                                     \
        check(what, op, cw, &in, mask, &host, &soft);                                                                  \
    } while (0)

static struct outcome operands(void)
{
    struct outcome in = { .x = number(), .y = number() };
    uint64_t m[2] = { mantissa(), mantissa() };

    if (below(8) == 0) {
        in.x = corner();
    }
    if (below(8) == 0) {
        in.y = corner();
    }
    if (below(12) == 0) {
        in.y.m = in.x.m;
    }
    if (below(12) == 0) {
        in.y.se = in.x.se ^ (below(2) << 15);
    }
    if (below(2)) {
        m[0] = (m[0] & 0x800FFFFFFFFFFFFF) | (uint64_t)below(2048) << 52;
    }
    memcpy(in.mem, m, 16);
    return in;
}

static void test_arith(void)
{
    for (unsigned i = 0; i < COUNT; i++) {
        struct outcome in = operands();
        uint16_t cw = control();

        for (unsigned op = FPH_ADD; op <= FPH_DIVR; op++) {
#define ARITH(p, o) p##_arith(cw, (enum fph_arith)op, &o.x, &o.y)
            BOTH("arith", op, FLAGS, ARITH);
        }
    }
}

static void test_arith_mem(void)
{
    for (unsigned i = 0; i < COUNT; i++) {
        struct outcome in = operands();
        uint16_t cw = control();

        for (unsigned k = 0; k < 4; k++) {
            for (unsigned op = FPH_ADD; op <= FPH_DIVR; op++) {
#define ARITH_MEM(p, o) p##_arith_mem(cw, (enum fph_arith)op, (enum fph_mem)k, &o.x, o.mem)
                BOTH("arith mem", 10 * k + op, FLAGS, ARITH_MEM);
            }
#define COM_MEM(p, o) p##_com_mem(cw, (enum fph_mem)k, &o.x, o.mem)
            BOTH("com mem", k, FSW_EXC | FSW_CC, COM_MEM);
        }
    }
}

static void test_compare(void)
{
    for (unsigned i = 0; i < COUNT; i++) {
        struct outcome in = operands();
        uint16_t cw = control();

        for (unsigned quiet = 0; quiet < 2; quiet++) {
#define COM(p, o) p##_com(cw, &o.x, &o.y, quiet)
            BOTH("com", quiet, FSW_EXC | FSW_CC, COM);
        }
#define UNARY(p, o) p##_unary(cw, (enum fph_unary)op, &o.x)
        for (unsigned op = FPH_TST; op <= FPH_XAM; op++) {
            BOTH("class", op, FSW_EXC | FSW_CC, UNARY);
        }
        for (unsigned op = FPH_SQRT; op <= FPH_RNDINT; op++) {
            BOTH("unary", op, FLAGS, UNARY);
        }
    }
}

static void test_binary(void)
{
    for (unsigned i = 0; i < COUNT; i++) {
        struct outcome in = operands();
        uint16_t cw = control();

        if (below(2)) {
            in.y.se = (uint16_t)(0x3FFF + below(18)) | below(2) << 15;         /* FSCALE by something sensible */
        }
        for (unsigned op = FPH_PREM; op <= FPH_SCALE; op++) {
#define BINARY(p, o) p##_binary(cw, (enum fph_binary)op, &o.x, &o.y)
            BOTH("binary", op, FSW_EXC | FSW_TOP | (op == FPH_SCALE ? FSW_C1 : FSW_CC), BINARY);
        }
#define TWIN(p, o) p##_twin(cw, FPH_XTRACT, &o.x, &o.y)
        BOTH("xtract", 0, FLAGS | FSW_TOP, TWIN);
    }
}

/* The transcendental functions: only special operands and exceptions that come before the operation */
static void test_special(void)
{
    static const struct x87_reg some[] = {
        { 0, 0, { 0 } }, { 0, 0x8000, { 0 } }, { 1ull << 63, 0x7FFF, { 0 } }, { 1ull << 63, 0xFFFF, { 0 } },
        { 0xC000000000001234ull, 0x7FFF, { 0 } }, { 0xA000000000001234ull, 0xFFFF, { 0 } }, { 5, 0x3FFF, { 0 } },
        { 0xC000000000000000ull, 0x4040, { 0 } },
    };

    for (unsigned i = 0; i < ARRAY_LEN(some); i++) {
        for (unsigned k = 0; k < ARRAY_LEN(some); k++) {
            for (uint16_t cw = 0x37E; cw <= 0x37F; cw++) {
                struct outcome in = { .x = some[i], .y = some[k] };

                if (k + 1 == ARRAY_LEN(some) || i + 1 == ARRAY_LEN(some)) {
                    continue;
                }
                for (unsigned op = FPH_YL2X; op <= FPH_ATAN; op++) {
                    BOTH("special", op, FSW_EXC & ~FSW_PE, BINARY);
                }
            }
        }
        for (uint16_t cw = 0x37E; cw <= 0x37F; cw++) {
            struct outcome in = { .x = some[i] };

            for (unsigned op = FPH_SIN; op <= FPH_COS; op++) {
                BOTH("special", op, (FSW_EXC & ~FSW_PE) | FSW_C2, UNARY);
            }
            for (unsigned op = FPH_PTAN; op <= FPH_SINCOS; op++) {
#define TWINS(p, o) p##_twin(cw, (enum fph_twin)op, &o.x, &o.y)
                BOTH("special", op, (FSW_EXC & ~FSW_PE) | FSW_C2 | FSW_TOP, TWINS);
            }
        }
    }
}

static void test_load_store(void)
{
    for (unsigned i = 0; i < COUNT; i++) {
        struct outcome in = operands();
        uint16_t cw = control();

        for (unsigned k = FPH_LD32; k <= FPH_LDI64; k++) {
#define LOAD(p, o) p##_load(cw, (enum fph_load)k, &o.x, o.mem)
            BOTH("load", k, FLAGS | FSW_TOP, LOAD);
        }
        for (unsigned k = FPH_ST32; k <= FPH_STBCD; k++) {
#define STORE(p, o) p##_store(cw, (enum fph_store)k, &o.x, o.mem)
            BOTH("store", k, FLAGS | FSW_TOP, STORE);
        }
        for (unsigned k = 0; k < 9; k++) {
            in.mem[k] = (uint8_t)(below(10) << 4 | below(10));
        }
        {
            const enum fph_load k = FPH_LDBCD;

            BOTH("load", k, FLAGS | FSW_TOP, LOAD);
        }
        for (unsigned k = FPH_1; k <= FPH_Z; k++) {
            struct x87_reg a = { 0 }, b = { 0 };

            fph_init(cw);
            fph_const(cw, (enum fph_const)k, &a);
            fph_init(0x37F);
            fps_const(cw, (enum fph_const)k, &b);
            g_assert_cmphex(a.m, ==, b.m);
            g_assert_cmphex(a.se, ==, b.se);
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    rng_state = 0x9E3779B97F4A7C15ull;
    g_test_add_func("/softfp/arith", test_arith);
    g_test_add_func("/softfp/arith_mem", test_arith_mem);
    g_test_add_func("/softfp/compare", test_compare);
    g_test_add_func("/softfp/binary", test_binary);
    g_test_add_func("/softfp/special", test_special);
    g_test_add_func("/softfp/load_store", test_load_store);
    return g_test_run();
}

#else

static void test_nothing(void)
{
    g_test_skip("no x87 here to compare with");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/softfp/host", test_nothing);
    return g_test_run();
}
#endif
