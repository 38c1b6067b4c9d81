/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/test-jit-path.c - ways through translated code that a program takes seldom or never elsewhere: stacks on a page edge, sums that
 * wrap, single string instructions, blocks one behind the other, translation while the CPU halts
 *
 * Each test runs as /path/interp/NAME and /path/jit/NAME. What the interpreter was asked to do for translated code, "info jit" tells.
 */
#include "engine-rig.h"
#include <inttypes.h>
#include <stdlib.h>

enum { ROUNDS = 200, EDGE = 0x35000, FROM = 0x34000, TO = 0x36000 };

/* How often the interpreter has run records of operation @op for translated code; few kinds of them run in a test, so all are listed */
static unsigned long stepped(struct rig *g, const char *op)
{
    g_autoptr(GString) s = g_string_new(NULL);
    g_autofree char *word = g_strdup_printf(" %s ", op);
    const char *line, *at;

    x86_cpu_print_stats(g->cpu, s);
    line = strstr(s->str, "\nrecords");
    at = line ? strstr(line, word) : NULL;
    return at && at < strchr(line + 1, '\n') ? strtoul(at + strlen(word), NULL, 10) : 0;
}

static unsigned long stat_of(struct rig *g, const char *name)
{
    g_autoptr(GString) s = g_string_new(NULL);
    const char *at;

    x86_cpu_print_stats(g->cpu, s);
    at = strstr(s->str, name);
    return at ? strtoul(at + strlen(name), NULL, 10) : 0;
}

static bool translating(struct rig *g)
{
    g_autoptr(GString) s = g_string_new(NULL);

    x86_cpu_print_stats(g->cpu, s);
    return strstr(s->str, "\ntranslated") != NULL;
}

/* Registers go to the stack and come back in another order; RDI is the stack pointer, RCX counts */
PROGRAM(edge64,
        "1: movq %rdi, %rsp\n  addq $1, %rbx\n  pushq %rbx\n  pushq %rbp\n  pushq %r12\n  pushq %r13\n  pushq %rsi\n"
        "  popq %rbx\n  popq %rbp\n  popq %r12\n  popq %r13\n  popq %rsi\n  decl %ecx\n  jnz 1b\n  hlt\n");
PROGRAM(edge32,
        ".code32\n1: movl %edi, %esp\n  addl $1, %ebx\n  pushl %ebx\n  pushl %ebp\n  pushl %esi\n  pushl %edx\n"
        "  popl %ebx\n  popl %ebp\n  popl %esi\n  popl %edx\n  decl %ecx\n  jnz 1b\n  hlt\n");

static void turn(uint64_t *v, unsigned n)
{
    v[0]++;
    for (unsigned i = 0; i < n / 2; i++) {      /* what is pushed first is popped last */
        uint64_t x = v[i];

        v[i] = v[n - 1 - i];
        v[n - 1 - i] = x;
    }
}

static void check_edge(struct rig *g, bool wide, const uint8_t *regs, unsigned n)
{
    for (unsigned sp = EDGE - 16; sp <= EDGE + 64; sp += wide ? 8 : 4) {
        uint64_t v[5];

        for (unsigned i = 0; i < n; i++) {
            v[i] = g->cpu->regs[regs[i]] = 0x1000 * (i + 1);
        }
        g->cpu->regs[R_DI] = sp;
        g->cpu->regs[R_CX] = ROUNDS + 1;
        g_assert_cmpint(er_run(g, ER_AT), ==, ER_OK);
        for (unsigned i = 0; i <= ROUNDS; i++) {
            turn(v, n);
        }
        for (unsigned i = 0; i < n; i++) {
            g_assert_cmphex(g->cpu->regs[regs[i]], ==, v[i]);
        }
    }
    g_assert_cmpuint(stepped(g, "PUSH") + stepped(g, "POP"), <, 100);
}

static void test_edge64(struct rig *g)
{
    static const uint8_t regs[] = { R_BX, R_BP, 12, 13, R_SI };

    er_long(g);
    LOAD(g, ER_AT, edge64);
    check_edge(g, true, regs, 5);
}

static void test_edge32(struct rig *g)
{
    static const uint8_t regs[] = { R_BX, R_BP, R_SI, R_DX };

    er_flat32(g);
    LOAD(g, ER_AT, edge32);
    check_edge(g, false, regs, 4);
}

/* One of the two pages of the stack goes away: what was pushed before stays, RSP and the flags are those of the fault */
PROGRAM(fault, "1: movq %rdi, %rsp\n  cmpl $7, %ecx\n  pushq %rbx\n  pushq %rbp\n  pushq %rsi\n  popq %rsi\n  popq %rbp\n  popq %rbx\n  decl %ecx\n  jnz 1b\n  hlt\n");

static void test_edge_fault(struct rig *g)
{
    er_long(g);
    LOAD(g, ER_AT, fault);
    g->cpu->seg[SEG_TR].base = ER_TSS;
    g->cpu->regs[R_DI] = EDGE + 8;
    g->cpu->regs[R_CX] = ROUNDS;
    g_assert_cmpint(er_run(g, ER_AT), ==, ER_OK);
    for (unsigned i = 0; i < 14; i++) {         /* the gate's IST: a stack of its own */
        poke64(g, ER_TSS + 36, ER_STACK - 0x400);
        poke64(g, ER_IDT + 16 * 14, peek64(g, ER_IDT + 16 * 14) | 1ULL << 32);
    }
    *er_pte(g, ER_TABLES, EDGE - 1) = 0;
    x86_tlb_flush_page(g->cpu, EDGE - 1);
    g->cpu->regs[R_DI] = EDGE + 8;
    g->cpu->regs[R_CX] = 7;
    g->cpu->regs[R_BX] = 0x1234;
    poke64(g, EDGE, 0);
    g_assert_cmpint(er_run(g, ER_AT), ==, 14);
    g_assert_cmphex(g->cpu->cr2, ==, EDGE - 8);
    g_assert_cmphex(peek64(g, EDGE), ==, 0x1234);
    g_assert_cmphex(er_frame(g, 14, 4), ==, EDGE);
    g_assert_cmphex(er_frame(g, 14, 3) & FL_ARITH, ==, FL_ZF | FL_PF);
}

/* Base and displacement that wrap at 4 GiB, and upper halves of registers from before */
PROGRAM(wraps, ".code32\n1: addl $1, 0x34010(%ebx)\n  movl -0x10(%esi), %eax\n  addl %eax, %edx\n  decl %ecx\n  jnz 1b\n  hlt\n");

static void test_wraps(struct rig *g)
{
    er_flat32(g);
    LOAD(g, ER_AT, wraps);
    poke64(g, FROM, 0);
    g->cpu->regs[R_BX] = 0xFFFFFFF0;
    g->cpu->regs[R_SI] = FROM + 0x10;
    g->cpu->regs[R_DX] = 0;
    g->cpu->regs[R_CX] = ROUNDS;
    g_assert_cmpint(er_run(g, ER_AT), ==, ER_OK);
    g_assert_cmpuint(peek32(g, FROM), ==, ROUNDS);
    g_assert_cmpuint(g->cpu->regs[R_DX], ==, ROUNDS * (ROUNDS + 1) / 2);
}

/* A far jump to 32-bit code from 64-bit code: what bits 63:32 of a register held there plays no part */
PROGRAM(narrow, ".code32\n1: addl $1, (%ebx)\n  decl %ecx\n  jnz 1b\n  hlt\n");

static void test_narrow(struct rig *g)
{
    static const uint8_t jump[] = { 0x48, 0xBB, 0, 0x40, 3, 0, 0x77, 0, 0, 0, 0xFF, 0x2C, 0x25, 0, 0x80, 3, 0 };    /* LJMP m16:32 at 38000h */

    er_long(g);
    er_load(g, ER_AT, jump, sizeof(jump));
    LOAD(g, ER_AT + 0x100, narrow);
    poke64(g, 0x38000, (ER_AT + 0x100) | 0x30ULL << 32);
    poke64(g, ER_GDT + 0x30, 0x00CF9B000000FFFF);
    g->cpu->gdt.limit = 0x37;
    g->cpu->seg[SEG_TR].sel = 0x40;
    poke64(g, FROM, 0);
    g->cpu->regs[R_CX] = ROUNDS;
    g_assert_cmpint(er_run(g, ER_AT), ==, ER_OK);
    g_assert_cmpuint(peek32(g, FROM), ==, ROUNDS);
    g_assert_cmpuint(stepped(g, "ADD"), <, 100);
}

/* Elements of all sizes, across pages; flags of before live on over CLD */
PROGRAM(strings,
        "1: xorl %eax, %eax\n  cmpl $100, %ecx\n  cld\n  adcl $0, %edx\n"
        "  movsb\n  movsw\n  movsl\n  movsq\n  lodsb\n  stosb\n  lodsw\n  stosw\n  lodsl\n  stosl\n  lodsq\n  stosq\n  decl %ecx\n  jnz 1b\n  hlt\n");

static void test_strings(struct rig *g)
{
    enum { N = 200, BYTES = N * 30 };

    er_long(g);
    LOAD(g, ER_AT, strings);
    for (unsigned i = 0; i < BYTES; i++) {
        g->ram->host[FROM + 0x20 + i] = (uint8_t)(i * 7 + i / 256);
    }
    memset(g->ram->host + TO + 3, 0, BYTES + 8);
    g->cpu->regs[R_SI] = FROM + 0x20;
    g->cpu->regs[R_DI] = TO + 3;
    g->cpu->regs[R_CX] = N;
    g->cpu->regs[R_DX] = 0;
    g_assert_cmpint(er_run(g, ER_AT), ==, ER_OK);
    g_assert_cmpmem(g->ram->host + FROM + 0x20, BYTES, g->ram->host + TO + 3, BYTES);
    g_assert_cmpuint(g->ram->host[TO + 3 + BYTES], ==, 0);
    g_assert_cmphex(g->cpu->regs[R_SI], ==, FROM + 0x20 + BYTES);
    g_assert_cmphex(g->cpu->regs[R_DI], ==, TO + 3 + BYTES);
    g_assert_cmpuint(g->cpu->regs[R_DX], ==, 99);
    g_assert_cmpuint(stepped(g, "MOVS") + stepped(g, "STOS") + stepped(g, "LODS") + stepped(g, "CLD"), <, 100);
}

/* Downwards, to the byte in front */
PROGRAM(down, "1: std\n  movsb\n  lodsb\n  stosb\n  decl %ecx\n  jnz 1b\n  cld\n  hlt\n");

static void test_down(struct rig *g)
{
    enum { N = 100 };

    er_long(g);
    LOAD(g, ER_AT, down);
    for (unsigned i = 0; i < 2 * N; i++) {
        g->ram->host[FROM + i] = (uint8_t)(i ^ 0x5A);
    }
    g->cpu->regs[R_SI] = FROM + 2 * N - 1;
    g->cpu->regs[R_DI] = TO + 2 * N - 1;
    g->cpu->regs[R_CX] = N;
    g_assert_cmpint(er_run(g, ER_AT), ==, ER_OK);
    g_assert_cmpmem(g->ram->host + FROM, 2 * N, g->ram->host + TO, 2 * N);
    g_assert_cmphex(g->cpu->regs[R_DI], ==, TO - 1);
}

/* Branches whose likely way changes after the blocks have been placed, and blocks that are overwritten where another one runs into them */
PROGRAM(placed,
        "1: testl $1, %ecx\n  jz 2f\n  addl $1, %eax\n2: cmpl %ecx, %edi\n  jb 3f\n  addl $1, %ebx\n3: addl $1, %edx\n  decl %ecx\n  jnz 1b\n"
        "  decl %esi\n  jz 4f\n  xorl $3, patch + 2 - placed_start + 0x8000\n  movl $100, %ecx\n  jmp patch\npatch: addl $1, %ebp\n  jmp 1b\n4: hlt\n");

static void test_placed(struct rig *g)
{
    er_long(g);
    LOAD(g, ER_AT, placed);
    g->cpu->regs[R_AX] = g->cpu->regs[R_BX] = g->cpu->regs[R_DX] = g->cpu->regs[R_BP] = 0;
    g->cpu->regs[R_CX] = 100;
    g->cpu->regs[R_DI] = 50;
    g->cpu->regs[R_SI] = 41;
    g_assert_cmpint(er_run(g, ER_AT), ==, ER_OK);
    g_assert_cmpuint(g->cpu->regs[R_AX], ==, 41 * 50);
    g_assert_cmpuint(g->cpu->regs[R_BX], ==, 41 * 50);
    g_assert_cmpuint(g->cpu->regs[R_DX], ==, 41 * 100);
    g_assert_cmpuint(g->cpu->regs[R_BP], ==, 20 * 2 + 20 * 1);
}

/* What has run a few times is translated while the CPU halts, and not before */
PROGRAM(idle, "1: addl $1, %eax\n  cmpl $5, %eax\n  jb 1b\n  hlt\n  jmp 1b\n");

static void test_idle(struct rig *g)
{
    unsigned long n;

    er_long(g);
    LOAD(g, ER_AT, idle);
    g->cpu->regs[R_AX] = 0;
    n = stat_of(g, "\ntranslated      ");
    g_assert_cmpint(er_run(g, ER_AT), ==, ER_OK);
    g_assert_cmpuint(g->cpu->regs[R_AX], ==, 5);
    if (translating(g)) {
        g_assert_cmpuint(stat_of(g, "\ntranslated      "), >, n);
    }
    g->cpu->regs[R_AX] = 0;
    g_assert_cmpint(er_run(g, ER_AT), ==, ER_OK);
    g_assert_cmpuint(g->cpu->regs[R_AX], ==, 5);
}

int main(int argc, char **argv)
{
    static const struct er_test tests[] = {
        { "edge64", NULL, test_edge64 }, { "edge32", NULL, test_edge32 }, { "edge-fault", NULL, test_edge_fault }, { "wraps", NULL, test_wraps },
        { "narrow", NULL, test_narrow }, { "strings", NULL, test_strings }, { "down", NULL, test_down }, { "placed", NULL, test_placed, 8 },
        { "idle", NULL, test_idle, 8 },
    };

    return er_main(argc, argv, "path", "qemu64", true, tests, ARRAY_LEN(tests));
}
