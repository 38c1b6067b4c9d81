/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/test-trace-log.c - what -d shows of the engine, and the switches that change how it runs
 *
 * A program of a few blocks runs with an item on, into a file; the file's text is the result.
 */
#include "x86-rig.h"
#include "target/x86/trace_log.h"
#include "lib/log.h"
#include <glib/gstdio.h>
#include <unistd.h>

enum { AT = 0x8000 };

#define PROGRAM(name, code)                                                                     \
    extern const uint8_t name##_start[], name##_end[];                                          \
    __asm__(".pushsection .rodata\n" #name "_start:\n" code "\n" #name "_end:\n.code64\n.popsection\n")

static char *path;

static char *take_log(void)
{
    char *text = NULL;

    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    return text;
}

static unsigned count(const char *text, const char *word)
{
    unsigned n = 0;

    for (const char *p = text; (p = strstr(p, word)); p += strlen(word)) {
        n++;
    }
    return n;
}

/* Run in real mode at AT until HLT, with @items logged. Return: the log */
static char *run_logged(struct rig *g, const struct x86_engine_opts *o, const uint8_t *code, size_t len, const char *items)
{
    struct x86_engine_opts opts = *o;
    const char *bad;
    uint32_t mask;

    g_assert_true(log_parse(items, &mask, &bad));
    g_assert_true(log_set(mask, path));
    opts.log = x86_log_bits(mask);
    rig_new(g, "max");
    g_assert_true(x86_cpu_set_engine(g->cpu, &opts, NULL));
    for (unsigned i = 0; i < 6; i++) {
        seg_set_real(g->cpu, i, 0);
    }
    g->cpu->regs[REG_RIP] = AT;
    g->cpu->regs[R_SP] = 0x7000;
    x86_mode_update(g->cpu);
    memcpy(g->ram->host + AT, code, len);
    poke32(g, 4 * 0x21, 0x9000);        /* INT 21h, INT 0 and INT 6: IRET, or HLT with interrupts off */
    poke32(g, 4 * 6, 0x9001);
    g->ram->host[0x9000] = 0xCF;
    g->ram->host[0x9001] = 0xF4;
    g_assert_cmpint(x86_cpu_run(g->cpu), ==, X86_EXIT_HALT);
    log_set(0, NULL);
    return take_log();
}

/* A loop of ten: two blocks, of which the second runs again and again */
PROGRAM(loop,
    ".code16\n"
    "  cli\n  movw $10, %cx\n"
    "1: incw %ax\n  decw %cx\n  jnz 1b\n"
    "  hlt\n");
/* Three events: a software interrupt, an exception, and what comes from outside is asked for by a port */
PROGRAM(events,
    ".code16\n"
    "  movw $0x1234, %ax\n"
    "  int $0x21\n"
    "  ud2\n");

#define RUN(g, o, name, items) run_logged(g, o, name##_start, (size_t)(name##_end - name##_start), items)

static const struct x86_engine_opts plain;

static void test_in_asm(void)
{
    g_autofree char *t = NULL;
    struct rig g;

    t = RUN(&g, &plain, loop, "in_asm");
    g_assert_cmpuint(count(t, "IN:\n"), ==, 3);
    g_assert_nonnull(strstr(t, "0x00008000:  fa "));
    g_assert_nonnull(strstr(t, "cli\n"));
    g_assert_nonnull(strstr(t, "0x00008001:  b9 0a 00 "));
    g_assert_nonnull(strstr(t, "mov cx, 0xa\n"));
    g_assert_nonnull(strstr(t, "jne 0x8004\n") ?: strstr(t, "jnz 0x8004\n"));
    g_assert_null(strstr(t, "OP:"));
    rig_free(&g);
}

static void test_op(void)
{
    g_autofree char *t = NULL;
    struct rig g;

    t = RUN(&g, &plain, loop, "op");
    g_assert_cmpuint(count(t, "OP: 0x"), ==, 3);
    g_assert_nonnull(strstr(t, "   1: MOV          len=3 size=2"));
    g_assert_nonnull(strstr(t, "imm=0xa"));
    g_assert_cmpuint(count(t, " last"), >=, 2);
    g_assert_null(strstr(t, "IN:"));
    rig_free(&g);
}

/* Blocks follow each other without the engine, unless nochain says otherwise */
static void test_exec(void)
{
    const struct x86_engine_opts no_chain = { .no_chain = true }, one = { .one_insn = true };
    char *t;
    struct rig g;

    t = RUN(&g, &plain, loop, "exec");
    g_assert_cmpuint(count(t, "Trace 0: [00000000/0000000000008000/"), ==, 1);
    g_assert_cmpuint(count(t, "/0000000000008004/"), <, 10);
    g_free(t);
    rig_free(&g);
    t = RUN(&g, &plain, loop, "exec,nochain");
    g_assert_cmpuint(count(t, "/0000000000008004/"), ==, 9);    /* the first time it is part of the block before */
    g_assert_cmpuint(g.cpu->regs[R_AX] & 0xFFFF, ==, 10);
    g_free(t);
    rig_free(&g);
    t = RUN(&g, &no_chain, loop, "exec");
    g_assert_cmpuint(count(t, "/0000000000008004/"), ==, 9);
    g_free(t);
    rig_free(&g);
    t = RUN(&g, &one, loop, "exec,nochain");
    g_assert_cmpuint(count(t, "Trace 0:"), ==, 2 + 3 * 10 + 1);
    g_free(t);
    rig_free(&g);
}

static void test_filter(void)
{
    g_autofree char *t = NULL;
    struct rig g;

    g_assert_true(log_set_filter("0x8004..0x8005,0x100+0x10", NULL));
    t = RUN(&g, &plain, loop, "exec,nochain,in_asm");
    g_assert_cmpuint(count(t, "Trace 0:"), ==, 9);
    g_assert_cmpuint(count(t, "IN:\n"), ==, 1);
    g_assert_null(strstr(t, "/0000000000008000/"));
    rig_free(&g);
    g_assert_false(log_filter(0x8003));
    g_assert_true(log_filter(0x8005));
    g_assert_false(log_filter(0x8006));
    g_assert_true(log_filter(0x10F));
    g_assert_false(log_filter(0x110));
    g_assert_true(log_set_filter("0x20-0x10", NULL));
    g_assert_true(log_filter(0x11));
    g_assert_false(log_filter(0x10));
    g_assert_true(log_set_filter("0..0xffffffffffffffff", NULL));
}

static void test_cpu(void)
{
    g_autofree char *t = NULL;
    struct rig g;

    t = RUN(&g, &plain, loop, "cpu,nochain");
    g_assert_cmpuint(count(t, "EIP=00008004"), ==, 9);
    g_assert_nonnull(strstr(t, "ECX=00000003"));
    rig_free(&g);
}

static void test_int(void)
{
    g_autofree char *t = NULL;
    struct rig g;

    t = RUN(&g, &plain, events, "int");
    g_assert_cmpuint(count(t, "CPU 0: v="), ==, 2);
    g_assert_nonnull(strstr(t, "v=21 e=0000 i=1 cpl=0 IP=0000:0000000000008005 pc=0000000000008005 SP=0000:0000000000007000 "
                               "EAX=0000000000001234\n"));
    g_assert_nonnull(strstr(t, "v=06 e=0000 i=0 cpl=0 IP=0000:0000000000008005"));
    rig_free(&g);
}

static void test_page_fault(void)
{
    g_autofree char *t = NULL;
    struct rig g;
    int vec;

    g_assert_true(log_set(LOG_INT | LOG_MMU, path));
    rig_new(&g, "max");
    rig_flat(&g, 0);
    x86_cpu_set_log(g.cpu, x86_log_bits(LOG_INT | LOG_MMU));
    vec = CATCH(g.cpu, x86_raise_pf(g.cpu, NULL, 0x12345, 6));
    g_assert_cmpint(vec, ==, EXC_PF);
    (void)CATCH(g.cpu, g.cpu->exc.err = 6; x86_deliver_raised(g.cpu));   /* CATCH() clears it */
    vec = CATCH(g.cpu, x86_deliver(g.cpu, 0x30, false, 0, DELIVER_HW));
    log_set(0, NULL);
    t = take_log();
    g_assert_nonnull(strstr(t, "CPU 0: page fault 0000000000012345 e=0006\n"));
    g_assert_nonnull(strstr(t, "v=0e e=0006 i=0 cpl=0"));
    g_assert_nonnull(strstr(t, " CR2=0000000000012345\n"));
    g_assert_nonnull(strstr(t, "v=30 e=0000 i=0 hw cpl=0"));
    rig_free(&g);
}

static void test_reset_and_out(void)
{
    const uint8_t host[18] = { 0x90, 0xC3, [17] = 0x5A };
    g_autofree char *t = NULL;
    struct rig g;

    g_assert_true(log_set(LOG_CPU_RESET | LOG_OUT_ASM, path));
    rig_new(&g, "max");
    x86_cpu_set_log(g.cpu, x86_log_bits(LOG_CPU_RESET | LOG_OUT_ASM));
    g.cpu->regs[R_BX] = 0xBADCAFE;
    x86_cpu_reset(g.cpu);
    x86_log_out_asm(g.cpu, host, sizeof(host), 0x401000);
    log_set(0, NULL);
    t = take_log();
    g_assert_nonnull(strstr(t, "CPU Reset (CPU 0)\n"));
    g_assert_nonnull(strstr(t, "EBX=0badcafe"));
    g_assert_nonnull(strstr(t, "OUT: 0x00401000 [size=18]\n"));
    g_assert_nonnull(strstr(t, ":  90 c3 00 00 00 00 00 00 00 00 00 00 00 00 00 00\n"));
    g_assert_nonnull(strstr(t, ":  00 5a\n"));
    rig_free(&g);
}

/* What is switched on later sees blocks that were there before */
static void test_later(void)
{
    struct rig g;
    char *t = RUN(&g, &plain, loop, "none");

    g_assert_cmpstr(t, ==, "");
    g_free(t);
    g_assert_true(log_set(LOG_IN_ASM, path));
    x86_cpu_set_log(g.cpu, x86_log_bits(LOG_IN_ASM));
    g.cpu->regs[REG_RIP] = AT;
    g.cpu->halted = false;
    g_assert_cmpint(x86_cpu_run(g.cpu), ==, X86_EXIT_HALT);
    log_set(0, NULL);
    t = take_log();
    g_assert_cmpuint(count(t, "IN:\n"), ==, 3);
    g_free(t);
    rig_free(&g);
}

static void test_bits(void)
{
    g_assert_cmphex(x86_log_bits(0), ==, 0);
    g_assert_cmphex(x86_log_bits(LOG_UNIMP | LOG_STRACE_NET), ==, 0);
    g_assert_cmphex(x86_log_bits(LOG_EXEC | LOG_NOCHAIN), ==, X86_LOG_EXEC | X86_LOG_NOCHAIN);
    g_assert_cmphex(x86_log_bits(~0u), ==, X86_LOG_NOCHAIN * 2 - 1);
}

int main(int argc, char **argv)
{
    int status;

    g_test_init(&argc, &argv, NULL);
    loop_init();
    machine_unlock();
    path = g_strdup_printf("%s/patchbay-trace-%d", g_get_tmp_dir(), (int)getpid());
    g_test_add_func("/trace-log/in_asm", test_in_asm);
    g_test_add_func("/trace-log/op", test_op);
    g_test_add_func("/trace-log/exec", test_exec);
    g_test_add_func("/trace-log/cpu", test_cpu);
    g_test_add_func("/trace-log/int", test_int);
    g_test_add_func("/trace-log/page-fault", test_page_fault);
    g_test_add_func("/trace-log/reset-out_asm", test_reset_and_out);
    g_test_add_func("/trace-log/later", test_later);
    g_test_add_func("/trace-log/bits", test_bits);
    g_test_add_func("/trace-log/filter", test_filter);
    status = g_test_run();
    g_unlink(path);
    g_free(path);
    return status;
}
