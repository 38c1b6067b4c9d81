/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/test-jit-sys.c - system instructions in hot code: EFLAGS and interrupts, system calls and returns, SMAP's AC, time, REP
 *
 * Each test runs as /sys/interp/NAME and /sys/jit/NAME; the programs loop or run again until the translator has them.
 */
#include "engine-rig.h"
#include "core/clock.h"

#define HOT 8
enum { HANDLER = 0x9000, KERNEL = 0x9400, USER = 0xA000, MARKS = 0x31000 };

#define OUT_INTR "  movb $1, %al\n  outb %al, $0x80\n"

/* Notes where it came in, in EBP's next place */
PROGRAM(note, "  pushq %rax\n  movq 8(%rsp), %rax\n  movl %eax, (%rbp)\n  addq $4, %rbp\n  popq %rax\n  iretq\n");

static void interrupts_noted(struct rig *g)
{
    er_long(g);
    LOAD(g, HANDLER, note);
    g->vector = 0x40;
    er_gate(g, 0x40, HANDLER);
}

/* Runs what is at ER_AT; every interrupt came in at @at bytes behind its start */
static void noted_at(struct rig *g, unsigned times, unsigned at)
{
    for (unsigned i = 0; i < HOT; i++) {
        g->cpu->regs[R_BP] = MARKS;
        g_assert_cmpint(er_run(g, ER_AT), ==, ER_OK);
        g_assert_cmpuint(g->cpu->regs[R_BP], ==, MARKS + 4 * times);
        for (unsigned k = 0; k < times; k++) {
            g_assert_cmphex(peek32(g, MARKS + 4 * k), ==, ER_AT + at);
        }
    }
}

/* --- interrupts and EFLAGS ---------------------------------------------------------------------------------------- */

PROGRAM(sti, "  movl $40, %ecx\n1: cli\n" OUT_INTR "  sti\n  incl %ebx\n  incl %edx\n  decl %ecx\n  jnz 1b\n  hlt\n");
/* The block behind STI is a loop, which looks at the exit word when it begins */
PROGRAM(sti_loop, "  movl $40, %ecx\n1: cli\n" OUT_INTR "  movl $3, %edx\n  sti\n2: incl %ebx\n  decl %edx\n  jnz 2b\n  decl %ecx\n  jnz 1b\n  hlt\n");
PROGRAM(sti_hlt, "  movl $40, %ecx\n1: cli\n" OUT_INTR "  sti\n  hlt\n  nop\n  decl %ecx\n  jnz 1b\n  cli\n  hlt\n");

static void test_sti(struct rig *g)
{
    interrupts_noted(g);
    LOAD(g, ER_AT, sti);
    noted_at(g, 40, 5 + 1 + 4 + 1 + 2);
    LOAD(g, ER_AT, sti_loop);
    noted_at(g, 40, 5 + 1 + 4 + 5 + 1 + 2);
    LOAD(g, ER_AT, sti_hlt);
    noted_at(g, 40, 5 + 1 + 4 + 1 + 1);
}

/* POPF has no shadow */
PROGRAM(popf_if, "  movl $40, %ecx\n1: cli\n" OUT_INTR "  pushfq\n  orl $0x200, (%rsp)\n  popfq\n  incl %ebx\n  decl %ecx\n  jnz 1b\n  hlt\n");

static void test_popf_if(struct rig *g)
{
    interrupts_noted(g);
    LOAD(g, ER_AT, popf_if);
    noted_at(g, 40, 5 + 1 + 4 + 1 + 7 + 1);
}

PROGRAM(popf_tf, "  pushfq\n  orl $0x100, (%rsp)\n  popfq\n  incl %ebx\n  nop\n  hlt\n");

static void test_popf_tf(struct rig *g)
{
    er_long(g);
    LOAD(g, ER_AT, popf_tf);
    for (unsigned i = 0; i < HOT; i++) {
        g->cpu->regs[R_BX] = 0;
        g_assert_cmpint(er_run(g, ER_AT), ==, EXC_DB);
        g_assert_cmphex(er_frame(g, EXC_DB, ER_RIP), ==, ER_AT + 1 + 7 + 1 + 2);
        g_assert_cmphex(g->cpu->regs[R_BX], ==, 1);
        g_assert_cmphex(er_frame(g, EXC_DB, ER_FLAGS) & FL_TF, ==, FL_TF);
    }
}

/* Flags of this block, of one before, INC's that leave CF, flags in registers that are changed meanwhile */
PROGRAM(pushf,
    "  movl $40, %ecx\n"
    "1: movl $1, %eax\n  cmpl $2, %eax\n  pushfq\n  popq %r8\n"
    "  cmpl $2, %eax\n  call 3f\n  movq %rbx, %r9\n"
    "  stc\n  movl $-1, %eax\n  incl %eax\n  call 3f\n  movq %rbx, %r10\n"
    "  movl $0x80000000, %edx\n  addl %edx, %edx\n  movl $7, %edx\n  jmp 2f\n2: pushfq\n  popq %r11\n"
    "  std\n  xorl %eax, %eax\n  pushfq\n  cld\n  popq %r13\n"
    "  loop 1b\n  hlt\n"
    "3: nop\n  pushfq\n  popq %rbx\n  ret\n");

static void test_pushf(struct rig *g)
{
    er_long(g);
    LOAD(g, ER_AT, pushf);
    for (unsigned i = 0; i < HOT; i++) {
        g_assert_cmpint(er_run(g, ER_AT), ==, ER_OK);
        g_assert_cmphex(g->cpu->regs[8], ==, FL_1 | FL_CF | FL_PF | FL_AF | FL_SF);
        g_assert_cmphex(g->cpu->regs[9], ==, FL_1 | FL_CF | FL_PF | FL_AF | FL_SF);
        g_assert_cmphex(g->cpu->regs[10], ==, FL_1 | FL_CF | FL_PF | FL_AF | FL_ZF);
        g_assert_cmphex(g->cpu->regs[11], ==, FL_1 | FL_CF | FL_PF | FL_ZF | FL_OF);
        g_assert_cmphex(g->cpu->regs[13] & ~(uint64_t)FL_AF, ==, FL_1 | FL_PF | FL_ZF | FL_DF);
    }
}

/* --- into the kernel and back ------------------------------------------------------------------------------------- */

/* EAX says what the kernel does: 0 back, 1 stop, 2 to R9 by SYSRET, 3 IRETQ to R9, 4 a plain RET to where the user would go */
PROGRAM(kernel,
    "  cmpl $1, %eax\n  je 1f\n  cmpl $2, %eax\n  je 2f\n  cmpl $3, %eax\n  je 3f\n  cmpl $4, %eax\n  je 4f\n"
    "  call 5f\n  sysretq\n"
    "1: hlt\n"
    "2: movq %r9, %rcx\n  sysretq\n"
    "3: movq %rsp, %rdx\n  pushq $0x23\n  pushq %rdx\n  pushq %r11\n  pushq $0x2B\n  pushq %r9\n  iretq\n"
    "4: ret\n"
    "5: incl %r12d\n  ret\n");
PROGRAM(enter_user, "  movl $0xA000, %ecx\n  movl $0x202, %r11d\n  sysretq\n");
/* Each way is gone often enough; R8 at last */
PROGRAM(user,
    "  movl $40, %r15d\n"
    "1: call 2f\n  cmpl $0, %eax\n  decl %r15d\n  jnz 1b\n"
    "  movq %r8, %rax\n  syscall\n  nop\n  hlt\n"
    "2: xorl %eax, %eax\n  stc\n  syscall\n  adcl $0, %ebx\n"
    "  leaq 3f(%rip), %r9\n  movl $2, %eax\n  syscall\n"
    "3: leaq 4f(%rip), %r9\n  movl $3, %eax\n  syscall\n"
    "4: ret\n");

static void calls(struct rig *g)
{
    er_long(g);
    LOAD(g, ER_AT, enter_user);
    LOAD(g, KERNEL, kernel);
    LOAD(g, USER, user);
    g->cpu->star = 0x18ULL << 48 | 0x08ULL << 32;
    g->cpu->lstar = KERNEL;
    g->cpu->fmask = FL_IF | FL_TF;
}

static void test_calls(struct rig *g)
{
    calls(g);
    for (unsigned i = 0; i < HOT; i++) {
        g->cpu->regs[8] = 1;
        g->cpu->regs[R_BX] = g->cpu->regs[12] = 0;
        rig_flat(g, 0);
        g_assert_cmpint(er_run(g, ER_AT), ==, ER_OK);
        g_assert_cmphex(g->cpu->regs[REG_RIP], >, KERNEL);
        g_assert_cmphex(g->cpu->regs[R_BX], ==, 40);        /* the flags came back */
        g_assert_cmphex(g->cpu->regs[12], ==, 40);
        g_assert_cmphex(g->cpu->seg[SEG_CS].sel, ==, 8);
        g_assert_cmphex(g->cpu->seg[SEG_SS].sel, ==, 16);
        g_assert_cmphex(g->cpu->regs[11] & FL_IF, ==, FL_IF);
        g_assert_cmphex(g->cpu->eflags & FL_IF, ==, 0);
    }
}

/* The last call with @how to @to. Return: vector */
static int last_call(struct rig *g, unsigned how, uint64_t to)
{
    static const uint8_t mov[] = { 0x49, 0xB9 };        /* movq $imm64, %r9 */
    uint8_t code[] = { 0xB8, (uint8_t)how, 0, 0, 0, 0x0F, 0x05, 0xF4 };

    er_load(g, USER + 0x800, mov, 2);
    er_load(g, USER + 0x802, &to, 8);
    er_load(g, USER + 0x80A, code, sizeof(code));
    poke64(g, ER_DATA, USER + 0x800);
    rig_flat(g, 0);
    return er_run(g, ER_AT);
}

PROGRAM(user_to_it,
    "  movl $40, %r15d\n"
    "1: leaq 3f(%rip), %r9\n  movl $2, %eax\n  syscall\n"
    "3: leaq 4f(%rip), %r9\n  movl $3, %eax\n  syscall\n"
    "4: decl %r15d\n  jnz 1b\n  jmpq *0x30000\n");

static void test_bad_targets(struct rig *g)
{
    const uint64_t nowhere = 0x8000000000000000, hole = 0x50000;
    unsigned sysret = KERNEL + 5 * 4 + 5 + 3 + 1 + 3, iret = sysret + 3 + 3 + 2 + 1 + 2 + 2 + 2;

    calls(g);
    LOAD(g, USER, user_to_it);
    *er_pte(g, ER_TABLES, hole) = 0;
    x86_tlb_flush_page(g->cpu, hole);
    for (unsigned i = 0; i < HOT; i++) {
        g_assert_cmpint(last_call(g, 2, nowhere), ==, EXC_GP);
        g_assert_cmphex(er_frame(g, EXC_GP, ER_RIP), ==, sysret);
        g_assert_cmphex(er_frame(g, EXC_GP, ER_CS), ==, 8);
        g_assert_cmpint(last_call(g, 3, nowhere), ==, EXC_GP);
        g_assert_cmphex(er_frame(g, EXC_GP, ER_RIP), ==, iret);
        g_assert_cmphex(er_frame(g, EXC_GP, ER_CS), ==, 8);
        for (unsigned how = 2; how <= 3; how++) {
            g_assert_cmpint(last_call(g, how, hole + 5), ==, EXC_PF);
            g_assert_cmphex(g->cpu->cr2, ==, hole + 5);
            g_assert_cmphex(er_frame(g, EXC_PF, ER_RIP), ==, hole + 5);
            g_assert_cmphex(er_frame(g, EXC_PF, ER_ERR), ==, 0x14);
            g_assert_cmphex(er_frame(g, EXC_PF, ER_CS), ==, 0x2B);
        }
    }
}

/*
 * A RET of the kernel's to what a CALL of the user's has pushed: the same address, not the same privilege. What the
 * load there may read is the kernel's then, and at last once more the user's
 */
PROGRAM(user_pair,
    "  movl $40, %r15d\n"
    "1: movl $0x30000, %r13d\n  xorl %r14d, %r14d\n  testl $1, %r15d\n  jz 5f\n"
    "  movl $0x40000, %r13d\n  movl $4, %r14d\n"                        /* every other time by the kernel's RET */
    "5: call 2f\n  movl (%r13), %edx\n  movl %cs, %ebx\n  movl %ebx, (%rbp)\n  addq $4, %rbp\n"
    "  testl $3, %ebx\n  jnz 4f\n  leaq 4f(%rip), %rcx\n  movl $0x202, %r11d\n  sysretq\n"
    "2: movl %r14d, %eax\n  syscall\n  ret\n"
    "4: decl %r15d\n  jnz 1b\n  movl $0x40000, %r13d\n  xorl %r14d, %r14d\n  jmp 5b\n");

static void test_pairs(struct rig *g)
{
    calls(g);
    LOAD(g, USER, user_pair);
    *er_pte(g, ER_TABLES, 0x40000) &= ~(uint64_t)ER_U;
    x86_tlb_flush_page(g->cpu, 0x40000);
    for (unsigned i = 0; i < HOT; i++) {
        g->cpu->regs[R_BP] = MARKS;
        rig_flat(g, 0);
        g_assert_cmpint(er_run(g, ER_AT), ==, EXC_PF);
        g_assert_cmphex(g->cpu->cr2, ==, 0x40000);
        g_assert_cmphex(er_frame(g, EXC_PF, ER_CS), ==, 0x2B);
        g_assert_cmphex(g->cpu->regs[R_BP], ==, MARKS + 4 * 40);
        for (unsigned k = 0; k < 40; k++) {
            g_assert_cmphex(peek32(g, MARKS + 4 * k), ==, k & 1 ? 8 : 0x2B);
        }
    }
}

/*
 * The kernel leaves for user mode from inside a call; the program returns to where that call would have. It gets there by an
 * instruction fetch of its own, which the page does not allow, and not by the kernel's return pair
 */
PROGRAM(leaves_in_call,
    "  leaq 1f(%rip), %r15\n  xorl %r14d, %r14d\n  movl $20, %ebx\n"
    "0: call 2f\n1: addl $1, 0x31000\n  decl %ebx\n  jnz 0b\n  movl $1, %r14d\n  jmp 0b\n"
    "2: testl %r14d, %r14d\n  jnz 3f\n  ret\n"
    "3: pushq $0x23\n  pushq $0x6000\n  pushq $2\n  pushq $0x2B\n  pushq $0xA000\n  iretq\n");
PROGRAM(returns_to_kernel, "  pushq %r15\n  ret\n");

static void test_pair_rights(struct rig *g)
{
    er_long(g);
    LOAD(g, ER_AT, leaves_in_call);
    LOAD(g, USER, returns_to_kernel);
    *er_pte(g, ER_TABLES, ER_AT) &= ~(uint64_t)ER_U;
    *er_pte(g, ER_TABLES, MARKS) &= ~(uint64_t)ER_U;
    x86_tlb_flush_all(g->cpu);
    for (unsigned i = 0; i < HOT; i++) {
        poke64(g, MARKS, 0);
        rig_flat(g, 0);
        g_assert_cmpint(er_run(g, ER_AT), ==, EXC_PF);
        g_assert_cmphex(g->cpu->cr2, ==, g->cpu->regs[15]);
        g_assert_cmphex(er_frame(g, EXC_PF, ER_CS), ==, 0x2B);
        g_assert_cmphex(er_frame(g, EXC_PF, ER_RIP), ==, g->cpu->regs[15]);
        g_assert_cmpuint(peek32(g, MARKS), ==, 20);
    }
}

/* --- STAC, CLAC --------------------------------------------------------------------------------------------------- */

PROGRAM(smap,
    "  movl $40, %ecx\n"
    "1: stac\n  movl 0x30000, %eax\n  call 2f\n  addl 0x30000, %eax\n  clac\n  call 3f\n  decl %ecx\n  jnz 1b\n"
    "  movl 0x30000, %edx\n  hlt\n"
    "2: addl 0x30004, %eax\n  clac\n  nop\n  stac\n  ret\n"
    "3: stac\n  addl %eax, 0x30008\n  clac\n  ret\n");

static void test_smap(struct rig *g)
{
    er_long(g);
    LOAD(g, ER_AT, smap);
    for (unsigned i = 0; i < 512; i++) {
        if (i != ER_DATA >> 12) {
            *er_pte(g, ER_TABLES, i << 12) &= ~(uint64_t)ER_U;
        }
    }
    g->cpu->cr4 |= CR4_SMAP;
    x86_mode_update(g->cpu);
    x86_tlb_flush_all(g->cpu);
    for (unsigned i = 0; i < HOT; i++) {
        poke64(g, ER_DATA, 0x0000000200000001);
        poke32(g, ER_DATA + 8, 0);
        g_assert_cmpint(er_run(g, ER_AT), ==, EXC_PF);
        g_assert_cmphex(g->cpu->cr2, ==, ER_DATA);
        g_assert_cmphex(er_frame(g, EXC_PF, ER_ERR), ==, 1);
        g_assert_cmphex(er_frame(g, EXC_PF, ER_FLAGS) & FL_AC, ==, 0);
        g_assert_cmphex(peek32(g, ER_DATA + 8), ==, 40 * 4);
    }
}

/* --- time --------------------------------------------------------------------------------------------------------- */

/* R8: sum of the differences; also with flags that live across, and the other half of the registers */
PROGRAM(tsc,
    "  movl $40, %ecx\n  xorl %r8d, %r8d\n"
    "1: rdtsc\n  shlq $32, %rdx\n  orq %rdx, %rax\n  movq %rax, %rbx\n  movq %rcx, %rdi\n"
    "  cmpl $20, %ecx\n  rdtscp\n  adcl $0, %r9d\n  movl %ecx, %r10d\n  movq %rdi, %rcx\n"
    "  shlq $32, %rdx\n  orq %rdx, %rax\n  movq %rax, %r11\n  subq %rbx, %rax\n  addq %rax, %r8\n"
    "  decl %ecx\n  jnz 1b\n  hlt\n");

/* A clock that stands still shows the same time; moved, it shows that */
static void test_tsc(struct rig *g)
{
    er_long(g);
    LOAD(g, ER_AT, tsc);
    g->cpu->tsc_aux = 0x77;
    clock_virtual_manual();
    for (unsigned i = 0; i < HOT; i++) {
        clock_virtual_set(clock_get_ns(CLOCK_VIRTUAL) + 5000000123);
        g->cpu->regs[9] = 0;
        g_assert_cmpint(er_run(g, ER_AT), ==, ER_OK);
        g_assert_cmphex(g->cpu->regs[8], ==, 0);
        g_assert_cmphex(g->cpu->regs[9], ==, 19);
        g_assert_cmphex(g->cpu->regs[10], ==, 0x77);
        g_assert_cmphex(g->cpu->regs[11], ==, (uint64_t)clock_get_ns(CLOCK_VIRTUAL) + g->cpu->tsc_offset);
        g_assert_cmphex(g->cpu->regs[11], ==, x86_tsc(g->cpu));
    }
    g->cpu->cr4 |= CR4_TSD;
    g_assert_cmpint(er_run(g, ER_AT), ==, ER_OK);           /* CPL 0 may */
    rig_flat(g, 3);
    g_assert_cmpint(er_run(g, ER_AT), ==, EXC_GP);
    g_assert_cmphex(er_frame(g, EXC_GP, ER_RIP), ==, ER_AT + 5 + 3);
}

/* --- REP MOVS, REP STOS ------------------------------------------------------------------------------------------- */

PROGRAM(rep, "  cld\n  andl $0x3FFF, %ecx\n  rep movsb\n  testl %esp, %esp\n  hlt\n");
PROGRAM(rep_stos, "  cld\n  andl $0x3FFF, %ecx\n  rep stosl\n  testl %esp, %esp\n  hlt\n");

/* The second page of the destination is not there: the flags are those of the AND (nobody wants them otherwise), the registers the rest's */
static void test_rep_fault(struct rig *g)
{
    const uint64_t to = 0x4FFE0, from = ER_DATA + 0x123;

    er_long(g);
    *er_pte(g, ER_TABLES, 0x50000) = 0;
    x86_tlb_flush_page(g->cpu, 0x50000);
    for (unsigned i = 0; i < 2 * HOT; i++) {
        bool stos = i & 1;
        unsigned n = stos ? 0x20B : 0x23, done = stos ? 8 : 0x20;      /* odd parity; the rest's is even */

        if (stos) {
            LOAD(g, ER_AT, rep_stos);
        } else {
            LOAD(g, ER_AT, rep);
        }
        for (unsigned k = 0; k < HOT; k++) {
            g->cpu->regs[R_CX] = 0x18;
            g->cpu->regs[R_SI] = from;
            g->cpu->regs[R_DI] = ER_DATA + 0x2000;
            g_assert_cmpint(er_run(g, ER_AT), ==, ER_OK);
            g_assert_cmphex(g->cpu->regs[R_CX], ==, 0);
        }
        memset(g->ram->host + to, 0, 0x20);
        for (unsigned k = 0; k < n; k++) {
            g->ram->host[from + k] = (uint8_t)(k + 1);
        }
        g->cpu->regs[R_AX] = 0x44332211;
        g->cpu->regs[R_CX] = n;
        g->cpu->regs[R_SI] = from;
        g->cpu->regs[R_DI] = to;
        g_assert_cmpint(er_run(g, ER_AT), ==, EXC_PF);
        g_assert_cmphex(g->cpu->cr2, ==, 0x50000);
        g_assert_cmphex(er_frame(g, EXC_PF, ER_RIP), ==, ER_AT + 1 + 6);
        g_assert_cmphex(er_frame(g, EXC_PF, ER_FLAGS) & FL_ARITH, ==, 0);
        g_assert_cmphex(g->cpu->regs[R_CX], ==, n - done);
        g_assert_cmphex(g->cpu->regs[R_DI], ==, 0x50000);
        g_assert_cmphex(g->cpu->regs[R_SI], ==, stos ? from : from + done);
        for (unsigned k = 0; k < 0x20; k++) {
            g_assert_cmphex(g->ram->host[to + k], ==, stos ? 0x44332211 >> 8 * (k & 3) & 0xFF : k + 1);
        }
    }
}

PROGRAM(rep_sizes,
    "  cld\n"
    "  movl $0x30FF1, %esi\n  movl $0x32FED, %edi\n  movl $0x700, %ecx\n  rep movsw\n"     /* elements across pages */
    "  movl $0x30FF1, %esi\n  movl $0x34FF0, %edi\n  movl $0x300, %ecx\n  rep movsl\n"
    "  movl $0x30FF1, %esi\n  movl $0x36FF3, %edi\n  movl $0x180, %ecx\n  rep movsq\n"
    "  movl $0x31000, %esi\n  movl $0x31003, %edi\n  movl $0x1100, %ecx\n  rep movsb\n"     /* a pattern of three bytes */
    "  movl $0x39FFB, %edi\n  movl $0x5A5A1234, %eax\n  movl $0x280, %ecx\n  rep stosl\n"
    "  std\n  movl $0x3A3FF, %esi\n  movl $0x3B3FF, %edi\n  movl $0x400, %ecx\n  rep movsb\n  cld\n"
    "  xorl %ecx, %ecx\n  rep movsq\n  rep stosb\n  hlt\n");

static void test_rep_sizes(struct rig *g)
{
    g_autofree uint8_t *want = g_malloc(0x10000), *init = g_malloc(0x10000);

    er_long(g);
    LOAD(g, ER_AT, rep_sizes);
    for (unsigned i = 0; i < 0x10000; i++) {
        init[i] = (uint8_t)(i * 37 + (i >> 8));
    }
    memcpy(want, init, 0x10000);
    memcpy(want + 0x2FED, want + 0xFF1, 0xE00);
    memcpy(want + 0x4FF0, want + 0xFF1, 0xC00);
    memcpy(want + 0x6FF3, want + 0xFF1, 0xC00);
    for (unsigned i = 0; i < 0x1100; i++) {
        want[0x1003 + i] = want[0x1000 + i];
    }
    for (unsigned i = 0; i < 0x280; i++) {
        memcpy(want + 0x9FFB + 4 * i, &(uint32_t){ 0x5A5A1234 }, 4);
    }
    memcpy(want + 0xB000, want + 0xA000, 0x400);
    for (unsigned i = 0; i < HOT; i++) {
        memcpy(g->ram->host + ER_DATA, init, 0x10000);
        g_assert_cmpint(er_run(g, ER_AT), ==, ER_OK);
        g_assert_cmpmem(g->ram->host + ER_DATA, 0x10000, want, 0x10000);
        g_assert_cmphex(g->cpu->regs[R_SI], ==, 0x39FFF);
        g_assert_cmphex(g->cpu->regs[R_DI], ==, 0x3AFFF);
    }
}

/* --- each on both engines ----------------------------------------------------------------------------------------- */

int main(int argc, char **argv)
{
    static const struct er_test tests[] = {
        { "sti", NULL, test_sti }, { "popf-if", NULL, test_popf_if }, { "popf-tf", NULL, test_popf_tf }, { "pushf", NULL, test_pushf },
        { "calls", NULL, test_calls }, { "bad-targets", NULL, test_bad_targets }, { "pairs", NULL, test_pairs },
        { "pair-rights", NULL, test_pair_rights },
        { "smap", "max", test_smap }, { "tsc", "max", test_tsc }, { "rep-fault", NULL, test_rep_fault }, { "rep-sizes", NULL, test_rep_sizes },
    };

    return er_main(argc, argv, "sys", "qemu64", true, tests, ARRAY_LEN(tests));
}
