/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/test-sysrun.c - small guest programs that the run loop executes: mode switches, system calls, single step,
 * interrupt shadows, NMI, breakpoints
 *
 * The programs are assembled into this binary (position-independent: only relative branches, addresses are numbers) and
 * copied to 0x8000. They end with HLT with interrupts off. A host whose assembler is no x86 one takes their bytes from
 * sysrun-code.h; /sysrun/bytes says when that is out of date: test-sysrun --bytes >sysrun-code.h
 */
#include "x86-rig.h"
#include "tests/unit/sysrun-code.h"
#include "target/x86/debug.h"

enum { AT = 0x8000, OUT = 0x5000 };     /* program, results */

#if defined(__x86_64__)
#define PROGRAM(name, code)                                                                     \
    extern const uint8_t name##_start[], name##_end[];                                          \
    __asm__(".pushsection .rodata\n" #name "_start:\n" code "\n" #name "_end:\n.code64\n.popsection\n")
#define LOAD(g, name) memcpy((g)->ram->host + AT, name##_start, (size_t)(name##_end - name##_start))
#else
#define PROGRAM(name, code) extern const int name##_is_in_sysrun_code_h
#define LOAD(g, name) memcpy((g)->ram->host + AT, name##_bytes, sizeof(name##_bytes))
#define breakpoints_l2 breakpoints_l2_words
#define prot_l prot_l_words
#endif

/* Run until HLT; -1: something else came */
static int run(struct rig *g)
{
    for (unsigned i = 0; i < 20; i++) {
        enum x86_exit why = x86_cpu_run(g->cpu);

        if (why != X86_EXIT_KICK) {
            return why == X86_EXIT_HALT ? 0 : -1;
        }
    }
    return -1;
}

static uint16_t out16(struct rig *g, unsigned n)
{
    return (uint16_t)peek32(g, OUT + 2 * n);
}

static void start_real(struct rig *g, const char *model)
{
    rig_new(g, model);
    seg_set_real(g->cpu, SEG_CS, 0);
    for (unsigned i = 0; i < 6; i++) {
        if (i != SEG_CS) {
            seg_set_real(g->cpu, i, 0);
        }
    }
    g->cpu->regs[REG_RIP] = AT;
    g->cpu->regs[R_SP] = 0x7000;
    x86_mode_update(g->cpu);
}

/* --- real mode to long mode, SYSCALL, SYSRET ---------------------------------------------------------------------- */

PROGRAM(boot,
    ".code16\n"
    "  cli\n"
    "  lgdtl 0x600\n"
    "  movl %cr0, %eax\n  orb $1, %al\n  movl %eax, %cr0\n"
    "  .byte 0x66, 0xEA\n  .long 0x8000 + (1f - boot_start)\n  .word 0x08\n"
    ".code32\n"
    "1: movw $0x10, %ax\n  movw %ax, %ds\n  movw %ax, %ss\n  movw %ax, %es\n"
    "  movl $0x7000, %esp\n"
    "  movl %cr4, %eax\n  orl $0x20, %eax\n  movl %eax, %cr4\n"
    "  movl $0x100000, %eax\n  movl %eax, %cr3\n"
    "  movl $0xC0000080, %ecx\n  rdmsr\n  orl $0x101, %eax\n  wrmsr\n"
    "  movl %cr0, %eax\n  orl $0x80000000, %eax\n  movl %eax, %cr0\n"
    "  .byte 0xEA\n  .long 0x8000 + (2f - boot_start)\n  .word 0x18\n"
    ".code64\n"
    /* STAR: kernel 18, user 23 */
    "2: movl $0xC0000081, %ecx\n  xorl %eax, %eax\n  movl $0x00230018, %edx\n  wrmsr\n"
    "  movl $0xC0000082, %ecx\n  leaq 4f(%rip), %rax\n  xorl %edx, %edx\n  wrmsr\n"         /* LSTAR */
    "  movl $0xC0000084, %ecx\n  movl $0x200, %eax\n  wrmsr\n"                              /* FMASK: IF */
    "  xorl %ebx, %ebx\n"
    "  leaq 3f(%rip), %rcx\n  movl $0x202, %r11d\n  sysretq\n"
    "3: incl %ebx\n  movw %cs, %si\n  syscall\n  incl %ebx\n  pushfq\n  popq %r8\n  syscall\n  ud2\n"
    "4: movw %cs, %di\n  movw %ss, %dx\n  cmpl $2, %ebx\n  je 5f\n  sysretq\n"
    "5: cli\n  hlt\n");

static void test_boot(void)
{
    struct rig g;

    start_real(&g, "max");
    LOAD(&g, boot);
    poke32(&g, 0x600, 0x47 | 0x800u << 16);
    poke32(&g, 0x604, 0);
    poke64(&g, 0x808, 0x00CF9A000000FFFF);
    poke64(&g, 0x810, 0x00CF92000000FFFF);
    poke64(&g, 0x818, 0x00AF9A000000FFFF);
    poke64(&g, 0x100000, 0x101007);
    poke64(&g, 0x101000, 0x102007);
    poke64(&g, 0x102000, 0x87);
    g_assert_cmpint(run(&g), ==, 0);
    g_assert_cmpuint(g.cpu->regs[R_BX], ==, 2);
    g_assert_cmphex(g.cpu->regs[R_SI] & 0xFFFF, ==, 0x33);      /* user CS: 23 + 16, RPL 3 */
    g_assert_cmphex(g.cpu->regs[R_DI] & 0xFFFF, ==, 0x18);
    g_assert_cmphex(g.cpu->regs[R_DX] & 0xFFFF, ==, 0x20);
    g_assert_cmphex(g.cpu->regs[8] & FL_IF, ==, FL_IF);         /* the user ran with interrupts on */
    g_assert_cmpuint(g.cpu->cpl, ==, 0);
    g_assert_cmphex(g.cpu->mode & (MODE_64 | MODE_LMA), ==, MODE_64 | MODE_LMA);
    rig_free(&g);
}

/* --- single step -------------------------------------------------------------------------------------------------- */

/* INT 1 notes the IP of each trap; INT 6 stops the program */
PROGRAM(step,
    ".code16\n"
    "  movw $0x5000, %di\n"
    "  pushf\n  popw %ax\n  orw $0x100, %ax\n  pushw %ax\n  popf\n"     /* 8003 8004 8005 8008 8009 */
    "  nop\n"                                                           /* 800A: first trap after this, IP 800B */
    "  incw %bx\n"                                                      /* 800B -> 800C */
    "  movw %ss, %cx\n"                                                 /* 800C -> 800E */
    "  movw %cx, %ss\n"                                                 /* 800E: no trap behind MOV SS */
    "  nop\n"                                                           /* 8010 -> 8011 */
    "  movw $2, %cx\n"                                                  /* 8011 -> 8014 */
    "  xorw %si, %si\n"                                                 /* 8014 -> 8016 */
    "  rep lodsb\n"                                                     /* 8016: after each iteration: 8016, 8018 */
    "  jmp 1f\n"                                                        /* 8018 -> 801B */
    "  ud2\n"
    "  .byte 0x90\n"
    /* the last trap is before POPF takes effect... */
    "1: pushf\n  popw %ax\n  andw $0xFEFF, %ax\n  pushw %ax\n  popf\n"
    "  nop\n  ud2\n"
    ".org step_start + 0x100\n"
    "  pushw %bp\n  movw %sp, %bp\n  pushw %ax\n  movw 2(%bp), %ax\n  stosw\n  popw %ax\n  popw %bp\n  iret\n"
    ".org step_start + 0x180\n"
    "  cli\n  hlt\n");

static void test_step(void)
{
    static const uint16_t want[] = { 0x800B, 0x800C, 0x800E, 0x8011, 0x8014, 0x8016, 0x8016, 0x8018, 0x801D,
                                     0x801E, 0x801F, 0x8022, 0x8023, 0x8024, 0 };
    struct rig g;

    start_real(&g, "max");
    memset(g.ram->host + AT, 0xF4, 0x200);
    LOAD(&g, step);
    poke32(&g, 4 * 1, AT + 0x100);
    poke32(&g, 4 * 6, AT + 0x180);
    g_assert_cmpint(run(&g), ==, 0);
    for (unsigned i = 0; i < ARRAY_LEN(want); i++) {
        g_test_message("trap %u at %x", i, out16(&g, i));
        g_assert_cmphex(out16(&g, i), ==, want[i]);
    }
    g_assert_cmphex(g.cpu->dr[6] & DR6_BS, ==, DR6_BS);
    rig_free(&g);
}

/* --- shadows ------------------------------------------------------------------------------------------------------ */

PROGRAM(sti_shadow,
    ".code16\n"
    "  xorw %ax, %ax\n  xorw %bx, %bx\n"
    "  sti\n  incw %ax\n  incw %bx\n  cli\n  hlt\n"
    ".org sti_shadow_start + 0x100\n"
    "  movw %ax, 0x5000\n  movw %bx, 0x5002\n  movw $1, 0x5004\n  iret\n");

static void test_sti_shadow(void)
{
    struct rig g;

    start_real(&g, "max");
    LOAD(&g, sti_shadow);
    poke32(&g, 4 * 0x20, AT + 0x100);
    g.vector = 0x20;
    x86_cpu_set_intr(g.cpu, true);
    g_assert_cmpint(run(&g), ==, 0);
    g_assert_cmpuint(out16(&g, 2), ==, 1);
    g_assert_cmpuint(out16(&g, 0), ==, 1);      /* one instruction behind STI */
    g_assert_cmpuint(out16(&g, 1), ==, 0);
    g_assert_cmpuint(g.cpu->regs[R_BX], ==, 1);
    rig_free(&g);
}

/* STI; CLI leaves no window; MOV SS keeps an interrupt off for one more instruction */
PROGRAM(ss_shadow,
    ".code16\n"
    "  sti\n  cli\n"
    "  xorw %ax, %ax\n  movw %ss, %cx\n  xorw %bx, %bx\n"
    "  sti\n  movw %cx, %ss\n  incw %ax\n  incw %bx\n  cli\n  hlt\n"
    ".org ss_shadow_start + 0x100\n"
    "  movw %ax, 0x5000\n  movw %bx, 0x5002\n  incw 0x5004\n  iret\n");

static void test_ss_shadow(void)
{
    struct rig g;

    start_real(&g, "max");
    LOAD(&g, ss_shadow);
    poke32(&g, 4 * 0x20, AT + 0x100);
    g.vector = 0x20;
    x86_cpu_set_intr(g.cpu, true);
    g.cpu->regs[R_AX] = 0x77;
    g_assert_cmpint(run(&g), ==, 0);
    g_assert_cmpuint(out16(&g, 2), ==, 1);
    g_assert_cmpuint(out16(&g, 0), ==, 1);
    g_assert_cmpuint(out16(&g, 1), ==, 0);
    rig_free(&g);
}

/* STI; HLT with an interrupt pending: HLT is run, the interrupt wakes it, the frame points behind it */
PROGRAM(sti_hlt,
    ".code16\n"
    "  sti\n  hlt\n  movw $7, 0x5002\n  cli\n  hlt\n"
    ".org sti_hlt_start + 0x100\n"
    "  popw %ax\n  movw %ax, 0x5000\n  pushw %ax\n  iret\n");

static void test_sti_hlt(void)
{
    struct rig g;

    start_real(&g, "max");
    LOAD(&g, sti_hlt);
    poke32(&g, 4 * 0x20, AT + 0x100);
    g.vector = 0x20;
    x86_cpu_set_intr(g.cpu, true);
    g_assert_cmpint(run(&g), ==, 0);
    g_assert_cmphex(out16(&g, 0), ==, AT + 2);
    g_assert_cmphex(out16(&g, 1), ==, 7);
    /* and without one: it stays halted until it comes */
    g.cpu->regs[REG_RIP] = AT;
    poke32(&g, OUT, 0);
    g.cpu->halted = false;
    g_assert_cmpint(run(&g), ==, 0);
    g_assert_true(x86_cpu_halted(g.cpu) && !x86_cpu_has_work(g.cpu));
    g_assert_cmphex(out16(&g, 1), ==, 0);
    x86_cpu_set_intr(g.cpu, true);
    g_assert_true(x86_cpu_has_work(g.cpu));
    g_assert_cmpint(run(&g), ==, 0);
    g_assert_cmphex(out16(&g, 1), ==, 7);
    rig_free(&g);
}

/* --- NMI ---------------------------------------------------------------------------------------------------------- */

PROGRAM(nmi,
    ".code16\n"
    "  movb $2, %al\n  outb %al, $0x80\n  jmp 1f\n1: nop\n  jmp 2f\n2: cli\n  hlt\n"
    ".org nmi_start + 0x100\n"
    "  incw 0x5000\n  cmpw $1, 0x5000\n  jne 3f\n"
    "  movb $2, %al\n  outb %al, $0x80\n  jmp 4f\n4: nop\n  jmp 5f\n5: movw 0x5000, %bx\n"    /* blocked: still 1 */
    "  movw %bx, 0x5002\n"
    "3: iret\n");

static void test_nmi(void)
{
    struct rig g;

    start_real(&g, "max");
    LOAD(&g, nmi);
    poke32(&g, 4 * 2, AT + 0x100);
    g_assert_cmpint(run(&g), ==, 0);
    g_assert_cmpuint(out16(&g, 1), ==, 1);
    g_assert_cmpuint(out16(&g, 0), ==, 2);      /* the second one came after IRET */
    g_assert_false(g.cpu->nmi_blocked);
    rig_free(&g);
}

/* --- breakpoints -------------------------------------------------------------------------------------------------- */

PROGRAM(breakpoints,
    ".code16\n"
    "  movl $0x5100, %eax\n  movl %eax, %db0\n"
    "  movl $0x8000 + (1f - breakpoints_start), %eax\n  movl %eax, %db1\n"
    "  movl $0x000D0405, %eax\n  movl %eax, %db7\n"     /* DR0: 4 bytes written; DR1: execution */
    "  movw $0x5000, %di\n"
    "  movw 0x5100, %ax\n"                              /* a read: nothing */
    "  movb $1, 0x5103\n"                               /* hit, trap behind it */
    "2: nop\n"
    "1: nop\n"                                          /* execution: fault before it, once */
    "  nop\n  movl $0x400, %eax\n  movl %eax, %db7\n  movb $1, 0x5103\n  cli\n  hlt\n"
    ".org breakpoints_start + 0x100\n"
    "  pushw %bp\n  movw %sp, %bp\n  pushl %eax\n  movw 2(%bp), %ax\n  stosw\n  movl %db6, %eax\n  stosw\n"
    "  orw $0, 6(%bp)\n  popl %eax\n  popw %bp\n"
    /* return with RF set: 32-bit IRET */
    "  pushw %bp\n  movw %sp, %bp\n  pushl %eax\n"
    "  movzwl 6(%bp), %eax\n  orl $0x10000, %eax\n  movl %eax, 0x5200\n"
    "  movzwl 4(%bp), %eax\n  movl %eax, 0x5204\n  movzwl 2(%bp), %eax\n  movl %eax, 0x5208\n"
    "  popl %eax\n  popw %bp\n  addw $6, %sp\n"
    "  pushl 0x5200\n  pushl 0x5204\n  pushl 0x5208\n  iretl\n"
    "breakpoints_l2: .word 2b - breakpoints_start, 1b - breakpoints_start\n");
#if defined(__x86_64__)
extern const uint16_t breakpoints_l2[];
#endif

static void test_breakpoints(void)
{
    struct rig g;

    start_real(&g, "max");
    LOAD(&g, breakpoints);
    poke32(&g, 4 * 1, AT + 0x100);
    g_assert_cmpint(run(&g), ==, 0);
    g_assert_cmphex(out16(&g, 0), ==, AT + breakpoints_l2[0]);
    g_assert_cmphex(out16(&g, 1) & 0xF, ==, 1);
    g_assert_cmphex(out16(&g, 2), ==, AT + breakpoints_l2[1]);
    g_assert_cmphex(out16(&g, 3) & 0xF, ==, 2);
    g_assert_cmphex(out16(&g, 4), ==, 0);
    rig_free(&g);
}

/* --- descriptor and flag instructions in protected mode ----------------------------------------------------------- */

PROGRAM(prot,
    ".code32\n"
    "  movl $0x08, %eax\n  larl %eax, %ebx\n  setz 0x5000\n  lsll %eax, %ecx\n"
    "  movl $0x33, %eax\n  larl %eax, %edx\n  setz 0x5001\n"           /* beyond the table */
    "  movw $0x10, %ax\n  verw %ax\n  setz 0x5002\n  movw $0x08, %ax\n  verw %ax\n  setz 0x5003\n"
    "  verr %ax\n  setz 0x5004\n"
    "  movw $0x10, %si\n  movw $0x13, %di\n  arpl %di, %si\n  setz 0x5005\n"
    "  smsw %ebp\n"
    "  sgdt 0x5010\n  sidt 0x5018\n"
    "  pushfl\n  xorl $0x200000, (%esp)\n  popfl\n  pushfl\n  popl 0x5020\n"     /* ID can be toggled */
    "  pushw %ds\n  popw %es\n  pushl %ds\n  popl %fs\n"
    "  movl $5, 0x5030\n  movl $9, 0x5034\n  movl $7, %eax\n  .byte 0x62, 0x05\n  .long 0x5030\n"
    "  movl $10, %eax\n"
    "1: .byte 0x62, 0x05\n  .long 0x5030\n"
    "  ud2\n"
    ".org prot_start + 0x100\n"
    "  popl 0x5040\n  cli\n  hlt\n"
    "prot_l: .word 1b - prot_start\n");
#if defined(__x86_64__)
extern const uint16_t prot_l[];
#endif

static void test_prot(void)
{
    struct rig g;
    struct x86_cpu *cpu;

    rig_new(&g, "max");
    cpu = g.cpu;
    LOAD(&g, prot);
    poke64(&g, 0x808, 0x00CF9B000000FFFF);
    poke64(&g, 0x810, 0x00CF93000000FFFF);
    poke64(&g, 0x2000 + 8 * EXC_BR, 0x00008E0000080000ULL | (AT + 0x100));
    cpu->gdt.base = 0x800;
    cpu->gdt.limit = 0x17;
    cpu->idt.base = 0x2000;
    cpu->idt.limit = 0x7F;
    cpu->cr0 = CR0_PE | CR0_ET;
    rig_flat(&g, 0);
    cpu->regs[REG_RIP] = AT;
    cpu->regs[R_SP] = 0x7000;
    g_assert_cmpint(run(&g), ==, 0);
    g_assert_cmphex(peek64(&g, OUT) & 0xFFFFFFFFFFFF, ==, 0x010100010001 | 0x010000000000);
    g_assert_cmphex(cpu->regs[R_BX] & 0xF0FF00, ==, 0xC09B00);
    g_assert_cmphex(cpu->regs[R_CX], ==, 0xFFFFFFFF);
    g_assert_cmphex(cpu->regs[R_SI] & 0xFFFF, ==, 0x13);
    g_assert_cmphex(cpu->regs[R_BP] & 0xFFFF, ==, 0x11);
    g_assert_cmphex(peek64(&g, OUT + 0x10) & 0xFFFFFFFFFFFF, ==, 0x000008000017);
    g_assert_cmphex(peek64(&g, OUT + 0x18) & 0xFFFFFFFFFFFF, ==, 0x00002000007F);
    g_assert_cmphex(peek32(&g, OUT + 0x20) & FL_ID, ==, FL_ID);
    g_assert_cmphex(cpu->seg[SEG_FS].sel, ==, 0x10);
    g_assert_cmphex(peek32(&g, OUT + 0x40), ==, AT + prot_l[0]);
    rig_free(&g);
}

/* --- triple fault, kick, PIO -------------------------------------------------------------------------------------- */

PROGRAM(triple, ".code16\n  lidtl 0x600\n  ud2\n");

static void test_triple(void)
{
    struct rig g;

    start_real(&g, "max");
    LOAD(&g, triple);
    g_assert_cmpint(x86_cpu_run(g.cpu), ==, X86_EXIT_SHUTDOWN);
    g_assert_cmpint(x86_cpu_run(g.cpu), ==, X86_EXIT_SHUTDOWN);
    x86_cpu_reset(g.cpu);
    g_assert_false(g.cpu->shutdown);
    g_assert_cmphex(x86_cpu_pc(g.cpu), ==, 0xFFFFFFF0);
    rig_free(&g);
}

PROGRAM(kick, ".code16\n  inb $0x80, %al\n  movb %al, %bl\n  movb $3, %al\n  outb %al, $0x80\n1: jmp 1b\n");

static void test_kick(void)
{
    struct rig g;

    start_real(&g, "max");
    LOAD(&g, kick);
    g_assert_cmpint(x86_cpu_run(g.cpu), ==, X86_EXIT_KICK);
    g_assert_cmphex(g.cpu->regs[R_BX] & 0xFF, ==, 0x80);
    g_assert_cmphex(g.cpu->regs[REG_RIP], ==, AT + 8);
    rig_free(&g);
}

/*
 * sysrun-code.h
 */
#if defined(__x86_64__)
static void print_bytes(const char *name, const uint8_t *p, size_t n)
{
    g_print("static const uint8_t %s_bytes[] = {", name);
    for (size_t i = 0; i < n; i++) {
        g_print("%s0x%02X,", i % 16 ? " " : "\n    ", p[i]);
    }
    g_print("\n};\n");
}

#define EACH_PROGRAM(X)                                                                                                \
    X(boot) X(step) X(sti_shadow) X(ss_shadow) X(sti_hlt) X(nmi) X(breakpoints) X(prot) X(triple) X(kick)

static void print_header(void)
{
    g_print("/* SPDX-License-Identifier: BSD-2-Clause */\n"
            "/* tests/unit/sysrun-code.h - the programs of test-sysrun.c, which wrote it (--bytes) */\n"
            "#ifndef TESTS_UNIT_SYSRUN_CODE_H\n#define TESTS_UNIT_SYSRUN_CODE_H\n\n#include <stdint.h>\n\n");
#define PRINT(name) print_bytes(#name, name##_start, (size_t)(name##_end - name##_start));
    EACH_PROGRAM(PRINT)
    g_print("static const uint16_t breakpoints_l2_words[] = { 0x%04X, 0x%04X };\n", breakpoints_l2[0],
            breakpoints_l2[1]);
    g_print("static const uint16_t prot_l_words[] = { 0x%04X };\n\n#endif\n", prot_l[0]);
}

static void test_bytes(void)
{
#define SAME(name) g_assert_cmpmem(name##_start, name##_end - name##_start, name##_bytes, sizeof(name##_bytes));
    EACH_PROGRAM(SAME)
    g_assert_cmpmem(breakpoints_l2, 4, breakpoints_l2_words, 4);
    g_assert_cmpmem(prot_l, 2, prot_l_words, 2);
}
#endif

int main(int argc, char **argv)
{
#if defined(__x86_64__)
    if (argc == 2 && strcmp(argv[1], "--bytes") == 0) {
        print_header();
        return 0;
    }
#endif
    g_test_init(&argc, &argv, NULL);
#if defined(__x86_64__)
    g_test_add_func("/sysrun/bytes", test_bytes);
#endif
    g_test_add_func("/sysrun/boot", test_boot);
    g_test_add_func("/sysrun/step", test_step);
    g_test_add_func("/sysrun/sti-shadow", test_sti_shadow);
    g_test_add_func("/sysrun/ss-shadow", test_ss_shadow);
    g_test_add_func("/sysrun/sti-hlt", test_sti_hlt);
    g_test_add_func("/sysrun/nmi", test_nmi);
    g_test_add_func("/sysrun/breakpoints", test_breakpoints);
    g_test_add_func("/sysrun/prot", test_prot);
    g_test_add_func("/sysrun/triple", test_triple);
    g_test_add_func("/sysrun/kick", test_kick);
    return g_test_run();
}
