/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/bench/cpu/call.c - integer programs whose time goes into control flow: recursion, indirect calls, a bytecode
 * interpreter
 */
#include "bench.h"

/* ---- fib: calls and returns; the optimiser must not unroll the recursion ---- */

static NOINLINE unsigned fib(unsigned n)
{
    if (n < 2) {
        return n;
    }
    unsigned a = fib(n - 1);

    OPAQUE(a);
    return a + fib(n - 2);
}

static uint64_t run_fib(uint64_t n)
{
    uint64_t sum = 0;

    for (uint64_t i = 0; i < n; i++) {
        sum += fib(16 + (unsigned)(i & 3));
    }
    return sum;
}

/* ---- icall: eight targets in random order; icallmono: always the same one ---- */

static NOINLINE uint32_t op_add(uint32_t a, uint32_t b) { return a + b; }
static NOINLINE uint32_t op_sub(uint32_t a, uint32_t b) { return a - b; }
static NOINLINE uint32_t op_xor(uint32_t a, uint32_t b) { return a ^ b; }
static NOINLINE uint32_t op_mul(uint32_t a, uint32_t b) { return a * (b | 1); }
static NOINLINE uint32_t op_rol(uint32_t a, uint32_t b) { return (a << 7 | a >> 25) + b; }
static NOINLINE uint32_t op_or(uint32_t a, uint32_t b) { return (a | b) - 5; }
static NOINLINE uint32_t op_not(uint32_t a, uint32_t b) { return ~a + b; }
static NOINLINE uint32_t op_shr(uint32_t a, uint32_t b) { return (a >> 3) ^ b; }

typedef uint32_t (*op_fn)(uint32_t a, uint32_t b);

static op_fn ops[8];

static void setup_icall(uint64_t n)
{
    static const op_fn list[8] = { op_add, op_sub, op_xor, op_mul, op_rol, op_or, op_not, op_shr };

    (void)n;
    for (int i = 0; i < 8; i++) {
        ops[i] = list[i];
    }
}

static uint64_t run_icall(uint64_t n)
{
    uint32_t s = 29, v = 1;

    for (uint64_t i = 0; i < n * 1024; i++) {
        uint32_t r = rnd32(&s);

        v = ops[r >> 13 & 7](v, r);
    }
    return v;
}

static uint64_t run_icallmono(uint64_t n)
{
    op_fn f = ops[4];
    uint32_t v = 1;

    for (uint32_t i = 0; i < n * 1024; i++) {
        OPAQUE(f);
        v = f(v, i);
    }
    return v;
}

/* ---- vm: a register machine, one switch; op, then two or three operand bytes ---- */

enum { V_LI, V_MOV, V_ADD, V_SUB, V_MUL, V_XOR, V_SHR, V_LD, V_ST, V_ADDI, V_JLT, V_JNZ, V_END };

/* r0: outer count, r1: i, r2: limit, r3: sum, r4..r7: scratch; jumps are absolute */
static const uint8_t vm_code[] = {
    V_LI, 3, 1,             /*  0: sum = 1 */
    V_LI, 1, 0,             /*  3: i = 0 */
    V_LI, 2, 200,           /*  6: limit = 200 */
    V_MOV, 4, 3,            /*  9: loop: r4 = sum >> 5 ^ sum */
    V_SHR, 4, 5,            /* 12 */
    V_XOR, 4, 3,            /* 15 */
    V_LD, 5, 4,             /* 18: r5 = mem[r4 & 255] */
    V_ADD, 5, 1,            /* 21 */
    V_ST, 5, 1,             /* 24: mem[i & 255] = r5 */
    V_LI, 6, 31,            /* 27 */
    V_MUL, 3, 6,            /* 30: sum = sum * 31 + r5 */
    V_ADD, 3, 5,            /* 33 */
    V_ADDI, 1, 1,           /* 36 */
    V_JLT, 1, 2, 9,         /* 39: if (i < limit) goto loop */
    V_LI, 7, 1,             /* 43 */
    V_SUB, 0, 7,            /* 46 */
    V_JNZ, 0, 3,            /* 49 */
    V_END,
};

static NOINLINE uint32_t vm_run(const uint8_t *code, uint32_t outer)
{
    uint32_t r[8] = { outer }, mem[256] = { 0 };
    const uint8_t *pc = code;

    for (;;) {
        switch (pc[0]) {
        case V_LI: r[pc[1]] = pc[2]; pc += 3; break;
        case V_MOV: r[pc[1]] = r[pc[2]]; pc += 3; break;
        case V_ADD: r[pc[1]] += r[pc[2]]; pc += 3; break;
        case V_SUB: r[pc[1]] -= r[pc[2]]; pc += 3; break;
        case V_MUL: r[pc[1]] *= r[pc[2]]; pc += 3; break;
        case V_XOR: r[pc[1]] ^= r[pc[2]]; pc += 3; break;
        case V_SHR: r[pc[1]] >>= pc[2]; pc += 3; break;
        case V_LD: r[pc[1]] = mem[r[pc[2]] & 255]; pc += 3; break;
        case V_ST: mem[r[pc[2]] & 255] = r[pc[1]]; pc += 3; break;
        case V_ADDI: r[pc[1]] += pc[2]; pc += 3; break;
        case V_JLT: pc = r[pc[1]] < r[pc[2]] ? code + pc[3] : pc + 4; break;
        case V_JNZ: pc = r[pc[1]] ? code + pc[2] : pc + 3; break;
        default: return r[3];
        }
    }
}

static uint64_t run_vm(uint64_t n)
{
    uint64_t h = 0;

    for (uint64_t i = 0; i < n; i++) {
        h = mix(h, vm_run(vm_code, 32 + ((uint32_t)i & 1)));
    }
    return h;
}

const struct bench call_tests[] = {
    { "fib",       7500,  run_fib,       NULL,        0 },
    { "icall",     8000,  run_icall,     setup_icall, 0 },
    { "icallmono", 12000, run_icallmono, setup_icall, 0 },
    { "vm",        300,   run_vm,        NULL,        0 },
    { NULL, 0, NULL, NULL, 0 },
};
