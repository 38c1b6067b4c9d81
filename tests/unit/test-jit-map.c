/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/test-jit-map.c - what translated code remembers of mappings, against CR3 writes, INVLPG and stores to code
 *
 * Each test runs as /map/interp/NAME and /map/jit/NAME. Programs change address spaces by themselves and count what they
 * met; the sums tell whether an old mapping was used, or a new one missed.
 */
#include "engine-rig.h"

enum { FAR_PAGE = 0x9000, OTHER = 0x31000, DATA = 0x34000, DATA2 = 0x36000, ROUNDS = 20, TURNS = 50 };
#define GLOBAL (1u << 8)

/*
 * A loop over two pages, TURNS times, then the other address space, ROUNDS times in all. The far page is another one in
 * each, the near one the same: edges to the far page must not be followed by what was found out in the other address
 * space, nor, where there are two, by what the first of them has found out in this one
 */
PROGRAM(near_code,
        "1: jmp . + 0x1000\n  .org near_code_start + 0x40\n  jmp . + 0x1000\n  .org near_code_start + 0x80\n"
        "  decl %ecx\n  jnz 1b\n  movq %rbx, %cr3\n  xchgq %rbx, %rdx\n  movl $50, %ecx\n  decl %esi\n  jnz 1b\n  hlt\n");
PROGRAM(far_1, "  addl $1, %eax\n  jmp . + 0x40 - 0x1000 - 3\n  .org far_1_start + 0x40\n  addl $1, %eax\n  jmp . + 0x40 - 0x1000 - 3\n");
PROGRAM(far_1000,
        "  addl $1000, %eax\n  jmp . + 0x40 - 0x1000 - 5\n  .org far_1000_start + 0x40\n  addl $1000, %eax\n  jmp . + 0x40 - 0x1000 - 5\n");

static void two_spaces(struct rig *g)
{
    er_long(g);
    er_tables(g, ER_TABLES2);
    g->cpu->regs[R_BX] = ER_TABLES2;
    g->cpu->regs[R_DX] = ER_TABLES;
    g->cpu->regs[R_CX] = TURNS;
    g->cpu->regs[R_SI] = ROUNDS;
    g->cpu->regs[R_AX] = 0;
}

static void test_far_edges(struct rig *g)
{
    two_spaces(g);
    LOAD(g, ER_AT, near_code);
    LOAD(g, FAR_PAGE, far_1);
    LOAD(g, OTHER, far_1000);
    *er_pte(g, ER_TABLES2, FAR_PAGE) = OTHER | ER_ALL;
    g_assert_cmpint(er_run(g, ER_AT), ==, ER_OK);
    g_assert_cmpuint(g->cpu->regs[R_AX], ==, (uint64_t)ROUNDS / 2 * TURNS * 2 * 1001);
}

/* The same loop where only the address space changes, and what is behind the pages does not */
static void test_same_pages(struct rig *g)
{
    two_spaces(g);
    LOAD(g, ER_AT, near_code);
    LOAD(g, FAR_PAGE, far_1);
    g_assert_cmpint(er_run(g, ER_AT), ==, ER_OK);
    g_assert_cmpuint(g->cpu->regs[R_AX], ==, (uint64_t)ROUNDS * TURNS * 2);
}

/* Data: a page of each address space's own, and a global one that is the same in both */
PROGRAM(count,
        "1: addl $1, 0x34000\n  movl 0x36000, %eax\n  addl $2, 0x36000\n  decl %ecx\n  jnz 1b\n"
        "  movq %rbx, %cr3\n  xchgq %rbx, %rdx\n  movl $50, %ecx\n  decl %esi\n  jnz 1b\n  hlt\n");

static void test_data(struct rig *g)
{
    two_spaces(g);
    LOAD(g, ER_AT, count);
    *er_pte(g, ER_TABLES2, DATA) = OTHER | ER_ALL;
    *er_pte(g, ER_TABLES, DATA2) |= GLOBAL;
    *er_pte(g, ER_TABLES2, DATA2) |= GLOBAL;
    g_assert_cmpint(er_run(g, ER_AT), ==, ER_OK);
    g_assert_cmpuint(peek32(g, DATA), ==, ROUNDS / 2 * TURNS);
    g_assert_cmpuint(peek32(g, OTHER), ==, ROUNDS / 2 * TURNS);
    g_assert_cmpuint(peek32(g, DATA2), ==, 2 * ROUNDS * TURNS);
    /* slots that have held a global translation hold local ones now: a CR3 write takes those away */
    *er_pte(g, ER_TABLES, DATA2) = OTHER | ER_ALL;
    *er_pte(g, ER_TABLES2, DATA2) = DATA2 | ER_ALL;
    x86_tlb_flush_all(g->cpu);
    g->cpu->regs[R_SI] = ROUNDS;
    g->cpu->regs[R_CX] = TURNS;
    poke64(g, DATA2, 0);
    poke64(g, OTHER, 0);
    g_assert_cmpint(er_run(g, ER_AT), ==, ER_OK);
    g_assert_cmpuint(peek32(g, DATA2), ==, ROUNDS / 2 * TURNS * 2);
    g_assert_cmpuint(peek32(g, OTHER), ==, ROUNDS / 2 * TURNS * 3);
}

/* INVLPG of a page that translated code has at hand, global and not; R8 is its entry, R9 and R10 the values that take turns there */
PROGRAM(invlpg,
        "1: movl $30, %ecx\n2: addl $1, (%rdi)\n  decl %ecx\n  jnz 2b\n"
        "  movq %r9, (%r8)\n  invlpg (%rdi)\n  xchgq %r9, %r10\n  decl %esi\n  jnz 1b\n  hlt\n");

static void test_invlpg(struct rig *g)
{
    for (unsigned global = 0; global <= GLOBAL; global += GLOBAL) {
        er_long(g);
        LOAD(g, ER_AT, invlpg);
        *er_pte(g, ER_TABLES, DATA) = DATA | ER_ALL | global;
        g->cpu->regs[R_DI] = DATA;
        g->cpu->regs[8] = (uint64_t)((uint8_t *)er_pte(g, ER_TABLES, DATA) - g->ram->host);
        g->cpu->regs[9] = OTHER | ER_ALL | global;
        g->cpu->regs[10] = DATA | ER_ALL | global;
        g->cpu->regs[R_SI] = ROUNDS;
        poke64(g, DATA, 0);
        poke64(g, OTHER, 0);
        g_assert_cmpint(er_run(g, ER_AT), ==, ER_OK);
        g_assert_cmpuint(peek32(g, DATA), ==, ROUNDS / 2 * 30);
        g_assert_cmpuint(peek32(g, OTHER), ==, ROUNDS / 2 * 30);
    }
}

/* Data beside the code that runs: every kind of store, until the page is given up as one of code, and after it */
PROGRAM(beside,
        "1: addl $1, 0x8800\n  movb %cl, 0x8804\n  xchgl %eax, 0x8808\n  movq %rcx, 0x8810\n  movq %rcx, %xmm0\n  movdqu %xmm0, 0x8821\n"
        "  incl %eax\n  decl %ecx\n  jnz 1b\n  hlt\n");

static void test_beside(struct rig *g)
{
    enum { N = 5000 };
    g_autoptr(GString) s = g_string_new(NULL);

    er_long(g);
    LOAD(g, ER_AT, beside);
    for (unsigned i = 0; i < 3; i++) {
        g->cpu->regs[R_CX] = N;
        g_assert_cmpint(er_run(g, ER_AT), ==, ER_OK);
    }
    g_assert_cmpuint(peek32(g, 0x8800), ==, 3 * N);
    g_assert_cmpuint(peek64(g, 0x8810), ==, 1);
    g_assert_cmpuint(peek64(g, 0x8821), ==, 1);
    g_assert_cmpuint(g->ram->host[0x8804], ==, 1);
    x86_cpu_print_stats(g->cpu, s);
    g_assert_null(strstr(s->str, " 0 pages given up"));     /* otherwise each store costs a call for good */
    g_assert_nonnull(strstr(s->str, " of them hit, "));
}

/* What is overwritten beside the same stores is seen, before the page is given up and after it */
PROGRAM(patched,
        "1: movl %ecx, 2f + 1(%rip)\n  addl $1, 0x8800\n2: movl $0, %eax\n  addl %eax, %ebx\n  decl %ecx\n  jnz 1b\n  hlt\n");

static void test_patched(struct rig *g)
{
    enum { N = 3000 };

    er_long(g);
    LOAD(g, ER_AT, patched);
    g->cpu->regs[R_CX] = N;
    g->cpu->regs[R_BX] = 0;
    g_assert_cmpint(er_run(g, ER_AT), ==, ER_OK);
    g_assert_cmpuint(g->cpu->regs[R_BX], ==, (uint64_t)N * (N + 1) / 2);
    g_assert_cmpuint(peek32(g, 0x8800), ==, N);
}

int main(int argc, char **argv)
{
    static const struct er_test tests[] = {
        { "far-edges", NULL, test_far_edges }, { "same-pages", NULL, test_same_pages }, { "data", NULL, test_data }, { "invlpg", NULL, test_invlpg },
        { "beside", NULL, test_beside }, { "patched", NULL, test_patched },
    };

    return er_main(argc, argv, "map", "qemu64", true, tests, ARRAY_LEN(tests));
}
