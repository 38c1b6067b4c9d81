/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/test-engine.c - where emulators of x86 go wrong, one test each, on the interpreter and on the translator
 *
 * docs/devel/pitfalls.rst numbers the pitfalls and says which test covers which. Each test runs as
 * /engine/interp/NAME and /engine/jit/NAME; programs run several times over, so that the translator has them hot before
 * the thing under test happens.
 */
#include "engine-rig.h"

#define HOT 4           /* runs before and after */

static void all_well(struct rig *g)
{
    for (unsigned i = 0; i < HOT; i++) {
        g_assert_cmpint(er_run(g, ER_AT), ==, ER_OK);
    }
}

static void unmap(struct rig *g, uint64_t la)
{
    *er_pte(g, ER_TABLES, la) = 0;
    x86_tlb_flush_page(g->cpu, la);
}

static void map(struct rig *g, uint64_t la, uint64_t to)
{
    *er_pte(g, ER_TABLES, la) = to;
    x86_tlb_flush_page(g->cpu, la);
}

/* --- 1: an instruction on two pages ------------------------------------------------------------------------------- */

static void test_second_page(struct rig *g)
{
    static const uint8_t first[] = { 0xB8, 0x44 }, rest[] = { 0x33, 0x22, 0x11, 0xF4 }, other[] = { 0x77, 0x66, 0x55, 0xF4 };

    er_long(g);
    er_load(g, 0x8FFE, first, 2);
    er_load(g, 0x9000, rest, 4);
    er_load(g, 0x40000, other, 4);
    for (unsigned i = 0; i < HOT; i++) {
        g_assert_cmpint(er_run(g, 0x8FFE), ==, ER_OK);
        g_assert_cmphex(g->cpu->regs[R_AX], ==, 0x11223344);
    }
    unmap(g, 0x9000);
    g_assert_cmpint(er_run(g, 0x8FFE), ==, EXC_PF);
    g_assert_cmphex(g->cpu->cr2, ==, 0x9000);
    g_assert_cmphex(er_frame(g, EXC_PF, ER_RIP), ==, 0x8FFE);
    g_assert_cmphex(er_frame(g, EXC_PF, ER_ERR), ==, 0x10);
    map(g, 0x9000, 0x40000 | ER_ALL);
    for (unsigned i = 0; i < HOT; i++) {
        g_assert_cmpint(er_run(g, 0x8FFE), ==, ER_OK);
        g_assert_cmphex(g->cpu->regs[R_AX], ==, 0x55667744);
    }
    er_load(g, 0x40000, rest, 4);
    g_assert_cmpint(er_run(g, 0x8FFE), ==, ER_OK);
    g_assert_cmphex(g->cpu->regs[R_AX], ==, 0x11223344);
}

/* Fifteen bytes are the most: #GP, also when the sixteenth is on another page */
static void test_too_long(struct rig *g)
{
    uint8_t code[17];

    er_long(g);
    memset(code, 0x66, sizeof(code));
    code[14] = 0x90;
    code[15] = 0xF4;
    for (unsigned i = 0; i < HOT; i++) {
        er_load(g, 0x8FF4, code, 16);
        g_assert_cmpint(er_run(g, 0x8FF4), ==, ER_OK);
        er_load(g, 0x8FF3, code, 1);
        g_assert_cmpint(er_run(g, 0x8FF3), ==, EXC_GP);
        g_assert_cmphex(er_frame(g, EXC_GP, ER_RIP), ==, 0x8FF3);
        g_assert_cmphex(er_frame(g, EXC_GP, ER_ERR), ==, 0);
    }
}

/* --- 2: A20 ------------------------------------------------------------------------------------------------------- */

PROGRAM(a20_low, ".code32\n  movl $1, %eax\n  addl 0x40000, %eax\n  hlt\n");
PROGRAM(a20_high, ".code32\n  movl $2, %eax\n  addl 0x140000, %eax\n  hlt\n");

static void test_a20(struct rig *g)
{
    er_flat32(g);
    LOAD(g, 0x8000, a20_low);
    LOAD(g, 0x108000, a20_high);
    poke32(g, 0x40000, 0x10);
    poke32(g, 0x140000, 0x20);
    for (unsigned i = 0; i < 6; i++) {
        bool on = !(i & 1);

        x86_cpu_set_a20(g->cpu, on);
        for (unsigned k = 0; k < HOT; k++) {
            g_assert_cmpint(er_run(g, 0x108000), ==, ER_OK);
            g_assert_cmphex(g->cpu->regs[R_AX], ==, on ? 0x22 : 0x11);
        }
    }
}

/* --- 3, 4, 5: segments, wraps, stack width ------------------------------------------------------------------------ */

PROGRAM(swapgs,
    "  swapgs\n  movl %gs:0, %eax\n  movl %gs:4, %ecx\n  swapgs\n  movl %gs:0, %ebx\n  hlt\n");
PROGRAM(bad_base, "  movl $0xC0000101, %ecx\n  xorl %eax, %eax\n  movl $0x00008000, %edx\n1: wrmsr\n  hlt\n");

static void test_swapgs(struct rig *g)
{
    er_long(g);
    LOAD(g, ER_AT, swapgs);
    poke64(g, ER_DATA, 0x0000000200000001);
    poke64(g, ER_DATA + 0x1000, 0x4);
    g->cpu->kernel_gs_base = ER_DATA;
    g->cpu->seg[SEG_GS].base = ER_DATA + 0x1000;
    for (unsigned i = 0; i < HOT; i++) {
        uint16_t attr = g->cpu->seg[SEG_GS].attr, sel = g->cpu->seg[SEG_GS].sel;

        g_assert_cmpint(er_run(g, ER_AT), ==, ER_OK);
        g_assert_cmphex(g->cpu->regs[R_AX], ==, 1);
        g_assert_cmphex(g->cpu->regs[R_CX], ==, 2);
        g_assert_cmphex(g->cpu->regs[R_BX], ==, 4);
        g_assert_cmphex(g->cpu->seg[SEG_GS].base, ==, ER_DATA + 0x1000);
        g_assert_cmphex(g->cpu->seg[SEG_GS].attr, ==, attr);
        g_assert_cmphex(g->cpu->seg[SEG_GS].sel, ==, sel);
    }
    LOAD(g, ER_AT, bad_base);
    g_assert_cmpint(er_run(g, ER_AT), ==, EXC_GP);
    g_assert_cmphex(g->cpu->seg[SEG_GS].base, ==, ER_DATA + 0x1000);
}

PROGRAM(wraps,
    ".code32\n"
    "  movl $0xFFFFFFF0, %ebx\n  movl $0xFFFF9000, %edx\n"
    "  movl (%ebx), %eax\n"                     /* FFFFFFF0 + base wraps */
    "  movl 0x30(%ebx), %ecx\n"                 /* the effective address wraps before the base comes to it */
    "  movl 0x10(%edx), %esi\n"
    "  movl $0xFFF0, %edi\n  addr16 movl 0x40(%di), %ebp\n"                 /* 16-bit address: 30 */
    "  movl %ecx, 0x34(%ebx)\n"
    "  hlt\n");

static void test_wraps(struct rig *g)
{
    struct x86_cpu *cpu = g->cpu;

    er_flat32(g);
    cpu->seg[SEG_DS].base = 0x10000;
    x86_mode_update(cpu);
    LOAD(g, ER_AT, wraps);
    poke32(g, 0xFFF0, 0x11);
    poke32(g, 0x10020, 0x22);
    poke32(g, 0x9010, 0x33);
    for (unsigned i = 0; i < HOT; i++) {
        poke32(g, 0x10030, 0x44);
        poke32(g, 0x10024, 0);
        g_assert_cmpint(er_run(g, ER_AT), ==, ER_OK);
        g_assert_cmphex(cpu->regs[R_AX], ==, 0x11);
        g_assert_cmphex(cpu->regs[R_CX], ==, 0x22);
        g_assert_cmphex(cpu->regs[R_BP], ==, 0x44);
        g_assert_cmphex(peek32(g, 0x10024), ==, 0x22);
        g_assert_cmphex(cpu->regs[R_SI], ==, 0x33);
    }
}

PROGRAM(narrow,
    ".code32\n"
    "  movl $0xABCD0000, %esp\n  pushl $0x12345678\n  movl %esp, %eax\n  popl %ecx\n  movl %esp, %edx\n"
    "  movl $0xABCD0006, %esp\n  call 1f\n  hlt\n"
    "1: movl %esp, %ebx\n  ret\n");

/* SS.B = 0 below 32-bit code: SP wraps at 64 KiB, the upper half of ESP stays */
static void test_stack_width(struct rig *g)
{
    struct x86_cpu *cpu = g->cpu;

    er_flat32(g);
    cpu->seg[SEG_SS] = (struct x86_seg){ .base = 0x20000, .limit = 0xFFFF, .sel = 16, .attr = 0x93 };
    x86_mode_update(cpu);
    LOAD(g, ER_AT, narrow);
    for (unsigned i = 0; i < HOT; i++) {
        g_assert_cmpint(er_run(g, ER_AT), ==, ER_OK);
        g_assert_cmphex(cpu->regs[R_AX], ==, 0xABCDFFFC);
        g_assert_cmphex(cpu->regs[R_DX], ==, 0xABCD0000);
        g_assert_cmphex(cpu->regs[R_CX], ==, 0x12345678);
        g_assert_cmphex(cpu->regs[R_BX], ==, 0xABCD0002);
        g_assert_cmphex(cpu->regs[R_SP], ==, 0xABCD0006);
        g_assert_cmphex(peek32(g, 0x2FFFC), ==, 0x12345678);
    }
}

/* --- 6: shadows --------------------------------------------------------------------------------------------------- */

PROGRAM(sti_sti, "  xorl %eax, %eax\n  sti\n  sti\n  incl %eax\n  incl %eax\n  cli\n  hlt\n");
PROGRAM(ss_fault, "  movl $16, %eax\n  movl %eax, %ss\n1: ud2\n");

static void test_shadow(struct rig *g)
{
    er_long(g);
    LOAD(g, ER_AT, sti_sti);
    all_well(g);
    g->vector = 0x40;
    x86_cpu_set_intr(g->cpu, true);
    g_assert_cmpint(er_run(g, ER_AT), ==, 0x40);
    g_assert_cmphex(g->cpu->regs[R_AX], ==, 0);         /* behind the second STI: it does not begin another shadow */
    g->cpu->eflags &= ~(uint32_t)FL_IF;
    LOAD(g, ER_AT, ss_fault);
    for (unsigned i = 0; i < HOT; i++) {
        g_assert_cmpint(er_run(g, ER_AT), ==, EXC_UD);
        g_assert_cmpuint(g->cpu->shadow, ==, 0);
    }
}

/* --- 7, 8: TF and RF ---------------------------------------------------------------------------------------------- */

PROGRAM(tf_on,
    "  movl $0, %ebx\n  pushfq\n  orl $0x100, (%rsp)\n  testl %edi, %edi\n  jnz 1f\n  andl $~0x100, (%rsp)\n"
    "1: popfq\n  incl %ebx\n2: incl %ebx\n  hlt\n"
    "tf_on_l: .quad 2b - tf_on_start\n");
extern const uint64_t tf_on_l;

/* POPF sets TF in code that has been run without: the trap comes behind the next instruction, with BS */
static void test_tf(struct rig *g)
{
    er_long(g);
    LOAD(g, ER_AT, tf_on);
    g->cpu->regs[R_DI] = 0;
    all_well(g);
    g->cpu->regs[R_DI] = 1;
    for (unsigned i = 0; i < HOT; i++) {
        g->cpu->dr[6] = 0xFFFF0FF0;
        g_assert_cmpint(er_run(g, ER_AT), ==, EXC_DB);
        g_assert_cmphex(er_frame(g, EXC_DB, ER_RIP), ==, ER_AT + tf_on_l);
        g_assert_cmphex(g->cpu->dr[6] & 1 << 14, ==, 1 << 14);
        g_assert_cmphex(g->cpu->regs[R_BX], ==, 1);
        g->cpu->eflags &= ~(uint32_t)FL_TF;
        x86_mode_update(g->cpu);
    }
}

PROGRAM(rf_ud, "  ud2\n");
PROGRAM(rf_int, "  int $0x50\n");
PROGRAM(rf_pf, "  movl $0x30000, %ebx\n  movl (%rbx), %eax\n  hlt\n");
PROGRAM(rf_rep,
    "  sti\n  movl $0x30000, %esi\n  movl $5, %ecx\n  movl $0x80, %edx\n1: rep outsb\n  cli\n  hlt\n"
    "rf_rep_l: .quad 1b - rf_rep_start\n");
extern const uint64_t rf_rep_l;

/* Set in the frame of a fault and of a string instruction that is interrupted; clear for a software interrupt */
static void test_rf(struct rig *g)
{
    er_long(g);
    LOAD(g, ER_AT, rf_pf);
    all_well(g);
    unmap(g, ER_DATA);
    g_assert_cmpint(er_run(g, ER_AT), ==, EXC_PF);
    g_assert_cmphex(er_frame(g, EXC_PF, ER_FLAGS) & FL_RF, ==, FL_RF);
    map(g, ER_DATA, ER_DATA | ER_ALL);
    for (unsigned i = 0; i < HOT; i++) {
        LOAD(g, ER_AT, rf_ud);
        g_assert_cmpint(er_run(g, ER_AT), ==, EXC_UD);
        g_assert_cmphex(er_frame(g, EXC_UD, ER_FLAGS) & FL_RF, ==, FL_RF);
        LOAD(g, ER_AT, rf_int);
        g_assert_cmpint(er_run(g, ER_AT), ==, 0x50);
        g_assert_cmphex(er_frame(g, 0x50, ER_FLAGS) & FL_RF, ==, 0);
    }
}

PROGRAM(xlat, "  movl $0x30000, %ebx\n  movl $0x7FFFFFFF, %eax\n  incl %eax\n  xlat\n  cmpl %ebx, %ebx\n  hlt\n");

/* Flags that the next instruction overwrites are seen all the same when the one between faults; XLAT has no ModRM */
static void test_flags_at_fault(struct rig *g)
{
    er_long(g);
    LOAD(g, ER_AT, xlat);
    for (unsigned i = 0; i < HOT; i++) {
        map(g, ER_DATA, ER_DATA | ER_ALL);
        g_assert_cmpint(er_run(g, ER_AT), ==, ER_OK);
        unmap(g, ER_DATA);
        g_assert_cmpint(er_run(g, ER_AT), ==, EXC_PF);
        g_assert_cmphex(er_frame(g, EXC_PF, ER_FLAGS) & FL_ARITH, ==, FL_OF | FL_SF | FL_AF | FL_PF);
    }
}

/* --- 9: strings --------------------------------------------------------------------------------------------------- */

/* The third byte that goes out raises an interrupt: two are left, RIP is the instruction's, RF is set */
static void test_rep_interrupt(struct rig *g)
{
    static const uint8_t none[5] = { 0x10, 0x10, 0x10, 0x10, 0x10 }, third[5] = { 0x10, 0x10, 1, 0x10, 0x10 };

    er_long(g);
    LOAD(g, ER_AT, rf_rep);
    memcpy(g->ram->host + ER_DATA, none, 5);
    for (unsigned i = 0; i < HOT; i++) {
        g_assert_cmpint(er_run(g, ER_AT), ==, ER_OK);
        g_assert_cmphex(g->cpu->regs[R_CX], ==, 0);
    }
    memcpy(g->ram->host + ER_DATA, third, 5);
    g->vector = 0x41;
    g_assert_cmpint(er_run(g, ER_AT), ==, 0x41);
    g_assert_cmphex(g->cpu->regs[R_CX], ==, 2);
    g_assert_cmphex(g->cpu->regs[R_SI], ==, ER_DATA + 3);
    g_assert_cmphex(er_frame(g, 0x41, ER_RIP), ==, ER_AT + rf_rep_l);
    g_assert_cmphex(er_frame(g, 0x41, ER_FLAGS) & FL_RF, ==, FL_RF);
    g->cpu->eflags &= ~(uint32_t)FL_IF;
}

PROGRAM(rep_none,
    "  movabsq $0x8000000000000000, %rsi\n  movq %rsi, %rdi\n  xorl %ecx, %ecx\n"
    "  movl $5, %eax\n  cmpl $6, %eax\n"
    "  rep movsb\n  rep stosq\n  repe cmpsb\n  repne scasw\n  rep lodsl\n"
    "  pushfq\n  popq %rbx\n  hlt\n");

/* A count of zero: no access, no flags */
static void test_rep_zero(struct rig *g)
{
    er_long(g);
    LOAD(g, ER_AT, rep_none);
    for (unsigned i = 0; i < HOT; i++) {
        g_assert_cmpint(er_run(g, ER_AT), ==, ER_OK);
        g_assert_cmphex(g->cpu->regs[R_SI], ==, 1ULL << 63);
        g_assert_cmphex(g->cpu->regs[R_DI], ==, 1ULL << 63);
        g_assert_cmphex(g->cpu->regs[R_BX] & FL_ARITH, ==, FL_CF | FL_SF | FL_AF | FL_PF);
    }
}

/* --- 10: code through an alias ------------------------------------------------------------------------------------ */

PROGRAM(alias, "  movl %edi, (%rbx)\n  movl $0, %eax\n  hlt\n");

/* Every run stores another immediate into the instruction behind, by another linear address of the page */
static void test_alias(struct rig *g)
{
    er_long(g);
    LOAD(g, ER_AT, alias);
    map(g, 0x50000, ER_AT | ER_ALL);
    for (unsigned i = 0; i < 40; i++) {
        g->cpu->regs[R_DI] = 0x1000 + i;
        g->cpu->regs[R_BX] = 0x50003;
        g_assert_cmpint(er_run(g, ER_AT), ==, ER_OK);
        g_assert_cmphex(g->cpu->regs[R_AX], ==, 0x1000 + i);
    }
}

/* --- 12, 27: address spaces --------------------------------------------------------------------------------------- */

PROGRAM(space_main,
    "  xorl %eax, %eax\n  movl $20, %ecx\n"
    "1: movq %rsi, %cr3\n  call 0x50000 - 0x8000 + space_main_start\n"
    "  movq %rdi, %cr3\n  call 0x50000 - 0x8000 + space_main_start\n"
    "  decl %ecx\n  jnz 1b\n  hlt\n");
PROGRAM(space_one, "  addl $1, %eax\n  addl 0x51000, %eax\n  ret\n");
PROGRAM(space_two, "  addl $0x100, %eax\n  addl 0x51000, %eax\n  ret\n");

/* One linear address, two spaces with other code and data behind it; then the same with PCIDs that are not flushed */
static void test_cr3(struct rig *g)
{
    er_long(g);
    er_tables(g, ER_TABLES2);
    LOAD(g, ER_AT, space_main);
    LOAD(g, 0x60000, space_one);
    LOAD(g, 0x62000, space_two);
    poke32(g, 0x61000, 0x10000);
    poke32(g, 0x63000, 0x1000000);
    for (unsigned i = 0; i < 2; i++) {
        *er_pte(g, ER_TABLES, 0x50000 + 0x1000 * i) = (0x60000 + 0x1000 * i) | ER_ALL;
        *er_pte(g, ER_TABLES2, 0x50000 + 0x1000 * i) = (0x62000 + 0x1000 * i) | ER_ALL;
    }
    for (unsigned pcid = 0; pcid < 2; pcid++) {
        g_assert_cmpint(CATCH(g->cpu, x86_cr3_write(g->cpu, ER_TABLES)), ==, NO_FAULT);
        if (pcid) {
            g_assert_cmpint(CATCH(g->cpu, x86_cr4_write(g->cpu, g->cpu->cr4 | CR4_PCIDE)), ==, NO_FAULT);
        }
        for (unsigned i = 0; i < HOT; i++) {
            g->cpu->regs[R_SI] = ER_TABLES | (pcid ? 1ULL << 63 | 1 : 0);
            g->cpu->regs[R_DI] = ER_TABLES2 | (pcid ? 1ULL << 63 | 2 : 0);
            g_assert_cmpint(er_run(g, ER_AT), ==, ER_OK);
            g_assert_cmphex(g->cpu->regs[R_AX], ==, 20 * 0x1010101);
        }
    }
}

PROGRAM(leave_space, "  movq %rsi, %cr3\n  ret\n");
PROGRAM(back_one, "  call 0x8000 - 0x50000 + back_one_start\n  movl $1, %eax\n  hlt\n");
PROGRAM(back_two, "  ud2\n  .byte 0x90, 0x90, 0x90\n  movl $2, %eax\n  hlt\n");

/* The call comes from one space, the return goes to the same address in another */
static void test_return_cr3(struct rig *g)
{
    er_long(g);
    er_tables(g, ER_TABLES2);
    LOAD(g, ER_AT, leave_space);
    LOAD(g, 0x60000, back_one);
    LOAD(g, 0x61000, back_two);
    *er_pte(g, ER_TABLES, 0x50000) = 0x60000 | ER_ALL;
    *er_pte(g, ER_TABLES2, 0x50000) = 0x61000 | ER_ALL;
    for (unsigned i = 0; i < 3 * HOT; i++) {
        bool other = i % 3 == 2;

        g_assert_cmpint(CATCH(g->cpu, x86_cr3_write(g->cpu, ER_TABLES)), ==, NO_FAULT);
        g->cpu->regs[R_SI] = other ? ER_TABLES2 : ER_TABLES;
        g_assert_cmpint(er_run(g, 0x50000), ==, ER_OK);
        g_assert_cmphex(g->cpu->regs[R_AX], ==, other ? 2 : 1);
    }
}

PROGRAM(store, "  movl $0x30000, %ebx\n  movl %edi, 8(%rbx)\n  addl %edi, 8(%rbx)\n  hlt\n");
PROGRAM(wp_on, "  movq %cr0, %rax\n  orl $0x10000, %eax\n  movq %rax, %cr0\n  hlt\n");
PROGRAM(wp_off, "  movq %cr0, %rax\n  andl $~0x10000, %eax\n  movq %rax, %cr0\n  hlt\n");

/* CR0.WP changes what a supervisor may write, at once */
static void test_wp(struct rig *g)
{
    er_long(g);
    LOAD(g, ER_AT, store);
    LOAD(g, 0xA000, wp_on);
    LOAD(g, 0xB000, wp_off);
    map(g, ER_DATA, ER_DATA | ER_P | ER_U);
    for (unsigned i = 0; i < HOT; i++) {
        g_assert_cmpint(er_run(g, 0xB000), ==, ER_OK);
        all_well(g);
        g_assert_cmpint(er_run(g, 0xA000), ==, ER_OK);
        g_assert_cmpint(er_run(g, ER_AT), ==, EXC_PF);
        g_assert_cmphex(er_frame(g, EXC_PF, ER_ERR), ==, 3);
        g_assert_cmphex(g->cpu->cr2, ==, ER_DATA + 8);
    }
}

/* --- 13: accessed and dirty bits ---------------------------------------------------------------------------------- */

PROGRAM(two_loads, "  movl $0x30000, %esi\n  movl (%rsi), %eax\n  movl 0x1000(%rsi), %ebx\n  cmpl %eax, 0x1010(%rsi)\n  hlt\n");
PROGRAM(two_stores, "  movl $0x30000, %esi\n  movl (%rsi), %eax\n  movl %ebx, 0x1000(%rsi)\n  hlt\n");

static unsigned bits(struct rig *g, uint64_t la)
{
    return (unsigned)*er_pte(g, ER_TABLES, la) & (ER_A | ER_D);
}

/* Only accesses that happen set them: not those behind one that faults, however they are grouped; reads set no D */
static void test_accessed(struct rig *g)
{
    er_long(g);
    for (unsigned store = 0; store < 2; store++) {
        if (store) {
            LOAD(g, ER_AT, two_stores);
        } else {
            LOAD(g, ER_AT, two_loads);
        }
        map(g, ER_DATA, ER_DATA | ER_ALL);
        map(g, ER_DATA + 0x1000, (ER_DATA + 0x1000) | ER_ALL);
        all_well(g);
        g_assert_cmphex(bits(g, ER_DATA), ==, ER_A);
        g_assert_cmphex(bits(g, ER_DATA + 0x1000), ==, store ? ER_A | ER_D : ER_A);
        map(g, ER_DATA + 0x1000, (ER_DATA + 0x1000) | ER_ALL);
        unmap(g, ER_DATA);
        g_assert_cmpint(er_run(g, ER_AT), ==, EXC_PF);
        g_assert_cmphex(g->cpu->cr2, ==, ER_DATA);
        g_assert_cmphex(bits(g, ER_DATA + 0x1000), ==, 0);
    }
}

/* --- 14, 17: the FPU ---------------------------------------------------------------------------------------------- */

PROGRAM(lazy_sse, "  movabsq $0x8000000000000000, %rbx\n  movaps (%rbx), %xmm0\n  hlt\n");
PROGRAM(lazy_x87, "  movabsq $0x8000000000000000, %rbx\n  fldl (%rbx)\n  hlt\n");
PROGRAM(lazy_clts, "  movl $0x30000, %ebx\n  clts\n  movaps (%rbx), %xmm0\n  fninit\n  fld1\n  fstp %st(0)\n  hlt\n");

static void set_cr0(struct rig *g, uint64_t set, uint64_t clear)
{
    g_assert_cmpint(CATCH(g->cpu, x86_cr0_write(g->cpu, (g->cpu->cr0 & ~clear) | set)), ==, NO_FAULT);
}

/* #NM comes before the operand is looked at; CLTS counts from the next instruction */
static void test_lazy_fpu(struct rig *g)
{
    er_long(g);
    LOAD(g, 0xA000, lazy_sse);
    LOAD(g, 0xB000, lazy_x87);
    LOAD(g, ER_AT, lazy_clts);
    for (unsigned i = 0; i < HOT; i++) {
        set_cr0(g, 0, CR0_TS | CR0_EM);
        g_assert_cmpint(er_run(g, 0xA000), ==, EXC_GP);
        g_assert_cmpint(er_run(g, 0xB000), ==, EXC_GP);
        set_cr0(g, CR0_TS, 0);
        g_assert_cmpint(er_run(g, 0xA000), ==, EXC_NM);
        g_assert_cmpint(er_run(g, 0xB000), ==, EXC_NM);
        g_assert_cmpint(er_run(g, ER_AT), ==, ER_OK);
        set_cr0(g, CR0_EM, CR0_TS);
        g_assert_cmpint(er_run(g, 0xA000), ==, EXC_UD);
        g_assert_cmpint(er_run(g, 0xB000), ==, EXC_NM);
    }
}

PROGRAM(x87_late,
    "  fninit\n  movw $0x37B, 0x30000\n  fldcw 0x30000\n  fld1\n  fldz\n  fdivrp\n"      /* unmasked 1 / 0 */
    "  incl %ebx\n  fnstsw %ax\n1: fld1\n  hlt\n"
    "x87_late_l: .quad 1b - x87_late_start\n");
PROGRAM(sse_now, "  ldmxcsr 0x30010\n  movaps 0x30020, %xmm1\n1: divps 0x30030, %xmm1\n  hlt\n"
    "sse_now_l: .quad 1b - sse_now_start\n");
extern const uint64_t x87_late_l, sse_now_l;

/* x87 faults on the next waiting instruction, SSE on the one that does it, with its destination as it was */
static void test_fp_faults(struct rig *g)
{
    er_long(g);
    LOAD(g, 0xA000, x87_late);
    LOAD(g, ER_AT, sse_now);
    for (unsigned i = 0; i < 4; i++) {
        poke32(g, ER_DATA + 0x20 + 4 * i, 0x3F800000);
        poke32(g, ER_DATA + 0x30 + 4 * i, 0);
    }
    for (unsigned i = 0; i < HOT; i++) {
        g->cpu->regs[R_BX] = 0;
        g_assert_cmpint(er_run(g, 0xA000), ==, EXC_MF);
        g_assert_cmphex(g->cpu->regs[R_BX], ==, 1);
        g_assert_cmphex(g->cpu->regs[R_AX] & 0x84, ==, 0x84);
        g_assert_cmphex(er_frame(g, EXC_MF, ER_RIP), ==, 0xA000 + x87_late_l);
        poke32(g, ER_DATA + 0x10, 0x1F80);
        g_assert_cmpint(er_run(g, ER_AT), ==, ER_OK);
        g_assert_cmphex(g->cpu->vec[1].d[0], ==, 0x7F800000);
        poke32(g, ER_DATA + 0x10, 0x1F80 & ~0x200);
        g_assert_cmpint(er_run(g, ER_AT), ==, EXC_XM);
        g_assert_cmphex(er_frame(g, EXC_XM, ER_RIP), ==, ER_AT + sse_now_l);
        g_assert_cmphex(g->cpu->vec[1].d[0], ==, 0x3F800000);
        poke32(g, ER_DATA + 0x10, 0x11F80);
        g_assert_cmpint(er_run(g, ER_AT), ==, EXC_GP);
    }
}

/* --- 15: canonical addresses -------------------------------------------------------------------------------------- */

static const struct {
    uint8_t code[8], n;
    int vec;
    bool target;                /* RIP is the target, not the instruction: either is right */
} canonical[] = {
    { { 0x8B, 0x03 }, 2, EXC_GP },                      /* mov eax, [rbx] */
    { { 0x8B, 0x45, 0x00 }, 3, EXC_SS },                /* mov eax, [rbp] */
    { { 0x01, 0x03 }, 2, EXC_GP },                      /* add [rbx], eax */
    { { 0x48, 0x8B, 0x02 }, 3, EXC_GP },                /* mov rax, [rdx]: across the edge */
    { { 0x48, 0x89, 0x44, 0x25, 0x00 }, 5, EXC_SS },    /* mov [rbp], rax */
    { { 0xFF, 0xE3 }, 2, EXC_GP, true },                /* jmp rbx */
    { { 0x53, 0xC3 }, 2, EXC_GP, true },                /* push rbx; ret */
    { { 0xFF, 0xD3 }, 2, EXC_GP, true },                /* call rbx */
};

static void test_canonical(struct rig *g)
{
    er_long(g);
    for (unsigned i = 0; i < ARRAY_LEN(canonical); i++) {
        uint8_t code[16] = { 0 };

        memcpy(code, canonical[i].code, canonical[i].n);
        code[canonical[i].n] = 0xF4;
        er_load(g, ER_AT, code, 16);
        for (unsigned k = 0; k < 2 * HOT; k++) {
            bool bad = k & 1 || canonical[i].target;

            g->cpu->regs[R_BX] = g->cpu->regs[R_BP] = bad ? 1ULL << 47 : ER_DATA;
            g->cpu->regs[R_DX] = bad ? (1ULL << 47) - 4 : ER_DATA;
            g_assert_cmpint(er_run(g, ER_AT), ==, bad ? canonical[i].vec : ER_OK);
            g_assert_cmphex(bad ? er_frame(g, canonical[i].vec, ER_ERR) : 0, ==, 0);
            if (bad && !canonical[i].target) {
                g_assert_cmphex(er_frame(g, canonical[i].vec, ER_RIP), ==, ER_AT);
            }
        }
    }
}

/* --- 18: what device code finds ----------------------------------------------------------------------------------- */

static struct {
    uint32_t mxcsr;
    uint16_t env[14];
    uint64_t flags;
    unsigned n;
} found;

static void probe_write(void *opaque, uint64_t off, uint64_t val, unsigned size)
{
    uint16_t cw;

    __asm__ volatile("stmxcsr %0\n\tfnstenv %1\n\tfldenv %1\n\tpushfq\n\tpopq %2"
                     : "=m"(found.mxcsr), "+m"(found.env), "=r"(found.flags));
    __asm__ volatile("fnstcw %0" : "=m"(cw));
    found.n++;
}

static uint64_t probe_read(void *opaque, uint64_t off, unsigned size)
{
    probe_write(opaque, off, 0, size);
    return 0;
}

static const struct region_ops probe_ops = { probe_read, probe_write, 1, 4 };

PROGRAM(wild_state,
    "  ldmxcsr 0x30000\n  fninit\n  fldcw 0x30004\n  fld1\n  fldpi\n  fldz\n  std\n"
    "  pushfq\n  orl $0x40000, (%rsp)\n  popfq\n"
    "  movl $0x90, %edx\n  outb %al, %dx\n  movl %eax, 0x30000 + 0x2FE0000\n"
    "  fnstcw 0x30008\n  stmxcsr 0x3000C\n  fnstsw %ax\n  pushfq\n  popq %rbx\n"
    "  pushfq\n  andl $~0x40000, (%rsp)\n  popfq\n  cld\n  hlt\n");

/* Devices (and all other C code) run with the state that the ABI promises, and the guest gets its own back */
static void test_host_state(struct rig *g)
{
    struct region port, page;

    region_init_io(&port, "probe-port", 4, &probe_ops, NULL);
    region_init_io(&page, "probe-page", 0x1000, &probe_ops, NULL);
    machine_lock();
    region_add(&g->ports, 0x90, &port, 0);
    region_add(&g->root, 0x3010000, &page, 0);
    machine_unlock();
    er_long(g);
    LOAD(g, ER_AT, wild_state);
    poke32(g, ER_DATA, 0xFF80);                 /* truncate, flush to zero, denormals are zero */
    poke32(g, ER_DATA + 4, 0x0C7F);             /* 24 bits, truncate */
    for (unsigned i = 0; i < HOT; i++) {
        found.n = 0;
        g_assert_cmpint(er_run(g, ER_AT), ==, ER_OK);
        g_assert_cmpuint(found.n, ==, 2);
        g_assert_cmphex(found.mxcsr & ~0x3Fu, ==, 0x1F80);
        g_assert_cmphex(found.env[0] & 0x1F3F, ==, 0x33F);
        g_assert_cmphex(found.env[4], ==, 0xFFFF);                  /* every x87 register is empty */
        g_assert_cmphex(found.flags & (FL_DF | FL_AC | FL_TF), ==, 0);
        g_assert_cmphex(peek32(g, ER_DATA + 8) & 0xFFFF, ==, 0x0C7F);
        g_assert_cmphex(peek32(g, ER_DATA + 12), ==, 0xFF80);
        g_assert_cmphex(g->cpu->regs[R_BX] & (FL_DF | FL_AC), ==, FL_DF | FL_AC);
        g_assert_cmphex(g->cpu->regs[R_AX] >> 11 & 7, ==, 5);
    }
    machine_lock();
    region_del(&port);
    region_del(&page);
    machine_unlock();
    region_fini(&port);
    region_fini(&page);
}

/* --- 19, 20: time, models ----------------------------------------------------------------------------------------- */

PROGRAM(tsc_loop,
    "  movl $1000, %edi\n  xorl %esi, %esi\n  xorl %r8d, %r8d\n"
    "1: rdtsc\n  shlq $32, %rdx\n  orq %rdx, %rax\n  cmpq %rsi, %rax\n  adcl $0, %r8d\n  movq %rax, %rsi\n"
    "  decl %edi\n  jnz 1b\n"
    "  movl $0x3B, %ecx\n  movl $0, %eax\n  movl $0x1000, %edx\n  wrmsr\n"
    "  rdtscp\n  movl %edx, %r9d\n  movl %ecx, %r10d\n"
    "  movl $0x3B, %ecx\n  xorl %eax, %eax\n  xorl %edx, %edx\n  wrmsr\n  hlt\n");

static void test_tsc(struct rig *g)
{
    er_long(g);
    LOAD(g, ER_AT, tsc_loop);
    g->cpu->tsc_aux = 0x77;
    for (unsigned i = 0; i < HOT; i++) {
        g_assert_cmpint(er_run(g, ER_AT), ==, ER_OK);
        g_assert_cmphex(g->cpu->regs[8], ==, 0);            /* never back */
        g_assert_cmphex(g->cpu->regs[9], >=, 0x1000);
        g_assert_cmphex(g->cpu->regs[10], ==, 0x77);
    }
}

static void test_lzcnt(struct rig *g)
{
    static const uint8_t code[] = { 0xF3, 0x0F, 0xBD, 0xC3, 0xF3, 0x0F, 0xBC, 0xCB, 0xF4 };     /* lzcnt, tzcnt */
    bool lzcnt = x86_feat(g->cpu->feat, X86_FEAT_ABM);

    er_long(g);
    er_load(g, ER_AT, code, sizeof(code));
    for (unsigned i = 0; i < HOT; i++) {
        g->cpu->regs[R_BX] = 0x00F0;
        g_assert_cmpint(er_run(g, ER_AT), ==, ER_OK);
        g_assert_cmphex(g->cpu->regs[R_AX], ==, lzcnt ? 24 : 7);        /* BSR where there is no LZCNT */
        g_assert_cmphex(g->cpu->regs[R_CX], ==, 4);
    }
}

/* --- 21, 30: LOCK, MMIO ------------------------------------------------------------------------------------------- */

PROGRAM(locked,
    "  movl $0x30FFD, %ebx\n  lock addl $0x01010101, (%rbx)\n  movl $1, %eax\n  lock xaddq %rax, 0x10(%rbx)\n"
    "  xorl %eax, %eax\n  movl $7, %ecx\n1: lock cmpxchgl %ecx, (%rdi)\n  hlt\n"
    "locked_l: .quad 1b - locked_start\n");
extern const uint64_t locked_l;

static void test_lock(struct rig *g)
{
    er_long(g);
    LOAD(g, ER_AT, locked);
    for (unsigned i = 0; i < 2 * HOT; i++) {
        bool readonly = i & 1;

        memset(g->ram->host + ER_DATA, 0, 0x3000);
        poke32(g, 0x30FFD, 0x01020304);
        poke32(g, 0x32000, 5);
        map(g, 0x32000, 0x32000 | ER_P | ER_U | (readonly ? 0 : ER_W));
        g->cpu->regs[R_DI] = 0x32000;
        g_assert_cmpint(er_run(g, ER_AT), ==, readonly ? EXC_PF : ER_OK);   /* CMPXCHG writes, even what it has read */
        g_assert_cmphex(peek32(g, 0x30FFD), ==, 0x02030405);
        g_assert_cmphex(peek64(g, 0x3100D), ==, 1);
        if (readonly) {
            g_assert_cmphex(er_frame(g, EXC_PF, ER_ERR), ==, 3);
            g_assert_cmphex(er_frame(g, EXC_PF, ER_RIP), ==, ER_AT + locked_l);
        } else {
            g_assert_cmphex(g->cpu->regs[R_AX], ==, 5);
        }
        g_assert_cmphex(peek32(g, 0x32000), ==, 5);
    }
}

static const struct {
    const char *name;
    uint8_t code[8], n, reads, writes, size;
} mmio[] = {
    { "add [rsi], eax", { 0x01, 0x06 }, 2, 1, 1, 4 },
    { "lock inc word [rsi]", { 0x66, 0xF0, 0xFF, 0x06 }, 4, 1, 1, 2 },
    { "xchg [rsi], al", { 0x86, 0x06 }, 2, 1, 1, 1 },
    { "bts dword [rsi], 3", { 0x0F, 0xBA, 0x2E, 0x03 }, 4, 1, 1, 4 },
    { "cmp [rsi], eax", { 0x39, 0x06 }, 2, 1, 0, 4 },
    { "mov [rsi], ax", { 0x66, 0x89, 0x06 }, 3, 0, 1, 2 },
    { "push qword [rsi]", { 0xFF, 0x36 }, 2, 1, 0, 8 },
    { "pop qword [rsi]", { 0x8F, 0x06 }, 2, 0, 1, 8 },
    { "movsb", { 0xA4 }, 1, 1, 0, 1 },
    { "movzx eax, byte [rsi]", { 0x0F, 0xB6, 0x06 }, 3, 1, 0, 1 },
    { "test byte [rsi], 1", { 0xF6, 0x06, 0x01 }, 3, 1, 0, 1 },
};

/* A device sees each access once, as wide as it is */
static void test_mmio(struct rig *g)
{
    er_long(g);
    for (unsigned i = 0; i < ARRAY_LEN(mmio); i++) {
        uint8_t code[16] = { 0 };

        memcpy(code, mmio[i].code, mmio[i].n);
        code[mmio[i].n] = 0xF4;
        er_load(g, ER_AT, code, 16);
        for (unsigned k = 0; k < 2 * HOT; k++) {        /* RAM in between, so that the site has seen both */
            bool device = k & 1;

            g->io_reads = g->io_writes = 0;
            g->cpu->regs[R_SI] = device ? RIG_IO + 0x40 : ER_DATA;
            g->cpu->regs[R_DI] = ER_DATA + 0x100;
            g_test_message("%s, run %u", mmio[i].name, k);
            g_assert_cmpint(er_run(g, ER_AT), ==, ER_OK);
            g_assert_cmpuint(g->io_reads, ==, device ? mmio[i].reads : 0);
            g_assert_cmpuint(g->io_writes, ==, device ? mmio[i].writes : 0);
            g_assert_cmpuint(device ? g->io_last_size : mmio[i].size, ==, mmio[i].size);
        }
    }
}

static void move_write(void *opaque, uint64_t off, uint64_t val, unsigned size)
{
    struct rig *g = opaque;

    region_set_addr(&g->rom_r, val);
}

static uint64_t move_read(void *opaque, uint64_t off, unsigned size)
{
    return 0;
}

static const struct region_ops move_ops = { move_read, move_write, 1, 4 };

PROGRAM(bar,
    "  movl $0x2000000, %esi\n  movl $0x3010000, %ebx\n"
    "  movl $0x2100000, (%rbx)\n  jmp 1f\n1: movl (%rsi), %eax\n  movl 0x100000(%rsi), %ecx\n"
    "  movl $0x2000000, (%rbx)\n  jmp 2f\n2: movl (%rsi), %edx\n  hlt\n");

/* The store moves a region: what comes behind goes to the new place */
static void test_bar(struct rig *g)
{
    struct region page;

    region_init_io(&page, "mover", 0x1000, &move_ops, g);
    machine_lock();
    region_add(&g->root, 0x3010000, &page, 0);
    machine_unlock();
    er_long(g);
    LOAD(g, ER_AT, bar);
    for (unsigned i = 0; i < HOT; i++) {
        g_assert_cmpint(er_run(g, ER_AT), ==, ER_OK);
        g_assert_cmphex(g->cpu->regs[R_AX], ==, 0xFFFFFFFF);
        g_assert_cmphex(g->cpu->regs[R_CX], ==, 0xA5A5A5A5);
        g_assert_cmphex(g->cpu->regs[R_DX], ==, 0xA5A5A5A5);
    }
    machine_lock();
    region_del(&page);
    machine_unlock();
    region_fini(&page);
}

/* --- 23, 25, 26: registers, masks, stack -------------------------------------------------------------------------- */

PROGRAM(partial,
    "  movq $-1, %rax\n  movq $-1, %rcx\n  movq $-1, %rdx\n  movq $-1, %rbx\n  movq $-1, %r8\n"
    "  cmpl %eax, %eax\n  cmovnel %ecx, %eax\n"         /* does not move, and clears the upper half all the same */
    "  movb $0x12, %ch\n  movw $0x3456, %dx\n  xorl %ebx, %ebx\n  setnc %bh\n  movb $1, %r8b\n"
    "  xchgb %ch, %dl\n  hlt\n");

static void test_partial(struct rig *g)
{
    er_long(g);
    LOAD(g, ER_AT, partial);
    for (unsigned i = 0; i < HOT; i++) {
        g_assert_cmpint(er_run(g, ER_AT), ==, ER_OK);
        g_assert_cmphex(g->cpu->regs[R_AX], ==, 0xFFFFFFFF);
        g_assert_cmphex(g->cpu->regs[R_CX], ==, 0xFFFFFFFFFFFF56FF);
        g_assert_cmphex(g->cpu->regs[R_DX], ==, 0xFFFFFFFFFFFF3412);
        g_assert_cmphex(g->cpu->regs[R_BX], ==, 0x100);
        g_assert_cmphex(g->cpu->regs[8], ==, 0xFFFFFFFFFFFFFF01);
    }
}

/* vpcmpeqd xmm1, xmm1, xmm1; vpsrldq xmm1, xmm1, 8; vmaskmovps xmm0, xmm1, [rbx]; vmaskmovps [rbx], xmm1, xmm0; hlt */
static const uint8_t vmaskmov[] = {
    0xC5, 0xF1, 0x76, 0xC9, 0xC5, 0xF1, 0x73, 0xD9, 0x08, 0xC4, 0xE2, 0x71, 0x2C, 0x03, 0xC4, 0xE2, 0x71, 0x2E, 0x03, 0xF4,
};

/* The upper two elements are off, and on a page that is not there */
static void test_masked(struct rig *g)
{
    if (!x86_feat(g->cpu->feat, X86_FEAT_AVX)) {
        g_test_skip("the model has no AVX");
        return;
    }
    er_long(g);
    er_load(g, ER_AT, vmaskmov, sizeof(vmaskmov));
    for (unsigned i = 0; i < 2 * HOT; i++) {
        bool fault = i & 1;

        map(g, ER_DATA + 0x1000, (ER_DATA + 0x1000) | ER_ALL);
        poke64(g, ER_DATA + 0xFF8, 0x1122334455667788);
        g->cpu->regs[R_BX] = ER_DATA + (fault ? 0xFFC : 0xFF8);
        unmap(g, ER_DATA + 0x1000);
        g_assert_cmpint(er_run(g, ER_AT), ==, fault ? EXC_PF : ER_OK);
        if (fault) {
            g_assert_cmphex(g->cpu->cr2, ==, ER_DATA + 0x1000);
        } else {
            g_assert_cmphex(g->cpu->vec[0].q[0], ==, 0x1122334455667788);
            g_assert_cmphex(g->cpu->vec[0].q[1], ==, 0);
        }
    }
}

PROGRAM(pop_rsp, "  pushq $0x11\n  pushq $0x22\n  popq 8(%rsp)\n  popq %rax\n  pushq %rsp\n  popq %rbx\n  popq %rcx\n  hlt\n");
PROGRAM(pop_bad, "1: popq (%rdi)\n  hlt\n");
PROGRAM(enter_bad, "  movq %rdi, %rsp\n  movq %rdi, %rbp\n  enter $16, $3\n  hlt\n");

static void test_stack_ops(struct rig *g)
{
    er_long(g);
    LOAD(g, 0xA000, pop_rsp);
    LOAD(g, ER_AT, pop_bad);
    for (unsigned i = 0; i < HOT; i++) {
        poke64(g, ER_STACK, 0x33);
        g_assert_cmpint(er_run(g, 0xA000), ==, ER_OK);
        /* POP's own address is formed behind the increment: 22 went above 11 */
        g_assert_cmphex(g->cpu->regs[R_AX], ==, 0x11);
        g_assert_cmphex(peek64(g, ER_STACK), ==, 0x22);
        g_assert_cmphex(g->cpu->regs[R_CX], ==, 0x22);
        g_assert_cmphex(g->cpu->regs[R_BX], ==, ER_STACK);          /* PUSH RSP stores the old value */
        map(g, ER_DATA, ER_DATA | ER_ALL);
        g->cpu->regs[R_DI] = ER_DATA;
        g_assert_cmpint(er_run(g, ER_AT), ==, ER_OK);
        unmap(g, ER_DATA);
        g_assert_cmpint(er_run(g, ER_AT), ==, EXC_PF);
        g_assert_cmphex(er_frame(g, EXC_PF, ER_RSP), ==, ER_STACK); /* RSP is as before the instruction */
        g_assert_cmphex(er_frame(g, EXC_PF, ER_RIP), ==, ER_AT);
    }
}

/* ENTER with levels whose last push is on a missing page: RSP and RBP do not move. The fault goes to a stack of its own */
static void test_enter(struct rig *g)
{
    er_long(g);
    LOAD(g, 0xB000, enter_bad);
    poke64(g, ER_TSS + 0x24, ER_STACK);
    poke64(g, ER_IDT + 16 * EXC_PF, peek64(g, ER_IDT + 16 * EXC_PF) | 1ULL << 32);
    for (unsigned i = 0; i < 2 * HOT; i++) {
        bool fault = i & 1;

        g->cpu->regs[R_DI] = fault ? ER_DATA + 0x1010 : ER_DATA + 0x1800;
        map(g, ER_DATA, fault ? 0 : ER_DATA | ER_ALL);
        g_assert_cmpint(er_run(g, 0xB000), ==, fault ? EXC_PF : ER_OK);
        if (fault) {
            g_assert_cmphex(er_frame(g, EXC_PF, ER_RSP), ==, ER_DATA + 0x1010);
            g_assert_cmphex(g->cpu->regs[R_BP], ==, ER_DATA + 0x1010);
        }
    }
}

/* --- 29, 31, 32: NMI, watchpoints, dirty pages -------------------------------------------------------------------- */

PROGRAM(nmi_raise, "  movb $2, %al\n  outb %al, $0x80\n  jmp 1f\n1: nop\n  jmp 2f\n2: hlt\n");
PROGRAM(nmi_handler, "  movq $0x1233, 8(%rsp)\n  iretq\n");

/* An IRET that faults has unblocked NMIs */
static void test_nmi_iret(struct rig *g)
{
    er_long(g);
    LOAD(g, ER_AT, nmi_raise);
    LOAD(g, 0xA000, nmi_handler);
    er_gate(g, EXC_NMI, 0xA000);
    for (unsigned i = 0; i < HOT; i++) {
        g_assert_cmpint(er_run(g, ER_AT), ==, EXC_GP);
        g_assert_cmphex(er_frame(g, EXC_GP, ER_ERR), ==, 0x1230);
        g_assert_false(g->cpu->nmi_blocked);
    }
}

PROGRAM(watch_store, "  movl $100, %ecx\n1: movl %ecx, 0x30004\n2: decl %ecx\n  jnz 1b\n  hlt\n"
    "watch_store_l: .quad 2b - watch_store_start\n");
PROGRAM(watch_on, "  movl $0x30006, %eax\n  movq %rax, %db0\n  movl $0x50402, %eax\n  movq %rax, %db7\n  hlt\n");
PROGRAM(watch_off, "  movl $0x400, %eax\n  movq %rax, %db7\n  hlt\n");
extern const uint64_t watch_store_l;

/* DR0: two bytes in the middle of what a hot loop stores; the trap comes behind the store */
static void test_watch(struct rig *g)
{
    er_long(g);
    LOAD(g, ER_AT, watch_store);
    LOAD(g, 0xA000, watch_on);
    LOAD(g, 0xB000, watch_off);
    for (unsigned i = 0; i < HOT; i++) {
        all_well(g);
        g_assert_cmpint(er_run(g, 0xA000), ==, ER_OK);
        g->cpu->dr[6] = 0xFFFF0FF0;
        g_assert_cmpint(er_run(g, ER_AT), ==, EXC_DB);
        g_assert_cmphex(er_frame(g, EXC_DB, ER_RIP), ==, ER_AT + watch_store_l);
        g_assert_cmphex(g->cpu->dr[6] & 0xF, ==, 1);
        g_assert_cmphex(peek32(g, 0x30004), ==, 100);
        g_assert_cmpint(er_run(g, 0xB000), ==, ER_OK);
    }
}

/* Dirty flags that were cleared come back with the next store, however hot it is */
static void test_dirty(struct rig *g)
{
    er_long(g);
    LOAD(g, ER_AT, watch_store);
    for (unsigned i = 0; i < HOT; i++) {
        all_well(g);
        g_assert_cmphex(g->ram->page_flags[ER_DATA >> 12] & RAM_DIRTY, ==, RAM_DIRTY);
        g->ram->page_flags[ER_DATA >> 12] &= (uint8_t)~RAM_DIRTY;
        x86_tlb_flush_all(g->cpu);              /* as whoever clears the log must */
        g_assert_cmpint(er_run(g, ER_AT), ==, ER_OK);
        g_assert_cmphex(g->ram->page_flags[ER_DATA >> 12] & RAM_DIRTY, ==, RAM_DIRTY);
    }
}

/* --- each on both engines ----------------------------------------------------------------------------------------- */

int main(int argc, char **argv)
{
    static const struct er_test tests[] = {
        { "second-page", NULL, test_second_page }, { "too-long", NULL, test_too_long },
        { "a20", NULL, test_a20 }, { "swapgs", NULL, test_swapgs },
        { "wraps", NULL, test_wraps }, { "stack-width", NULL, test_stack_width }, { "shadow", NULL, test_shadow },
        { "tf", NULL, test_tf }, { "rf", NULL, test_rf }, { "flags-at-fault", NULL, test_flags_at_fault },
        { "rep-interrupt", NULL, test_rep_interrupt },
        { "rep-zero", NULL, test_rep_zero }, { "alias", NULL, test_alias }, { "cr3", NULL, test_cr3 },
        { "return-cr3", NULL, test_return_cr3 }, { "wp", NULL, test_wp }, { "accessed", NULL, test_accessed },
        { "lazy-fpu", NULL, test_lazy_fpu }, { "fp-faults", NULL, test_fp_faults },
        { "canonical", NULL, test_canonical }, { "host-state", NULL, test_host_state }, { "tsc", NULL, test_tsc },
        { "lzcnt", NULL, test_lzcnt }, { "no-lzcnt", "qemu64,-abm,-bmi1", test_lzcnt }, { "lock", NULL, test_lock },
        { "mmio", NULL, test_mmio }, { "bar", NULL, test_bar }, { "partial", NULL, test_partial },
        { "masked", NULL, test_masked }, { "stack-ops", NULL, test_stack_ops }, { "enter", NULL, test_enter },
        { "nmi-iret", NULL, test_nmi_iret }, { "watch", NULL, test_watch }, { "dirty", NULL, test_dirty },
    };

    return er_main(argc, argv, "engine", "max", false, tests, ARRAY_LEN(tests));
}
