/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/test-jit-simd.c - vector instructions in hot code: register halves between legacy and VEX (pitfall 24
 * of docs/devel/pitfalls.rst), alignment and page edges (25), flags beside the first vector instruction of a block,
 * MXCSR's flags and #XM (17)
 *
 * Each program loops until it is translated. Every test runs on the interpreter and on the translator.
 */
#include "tests/lib/x86vm.h"
#include "target/x86/excp.h"
#include "target/x86/fp.h"

#define CODE 0x10000
#define DATA 0x20000
#define OUT 0x30000
#define HANDLER 0x8000
#define PAGE_A 0x40000      /* PAGE_A and the page behind it are mapped to RAM that is not adjacent */
#define RAM_A 0x60000
#define RAM_B 0x50000

#define PROGRAM(name, text) \
    __asm__(".section .rodata\n.intel_syntax noprefix\n.globl " #name ", " #name "_end\n" #name ":\n" text "hlt\n" \
            #name "_end:\n.att_syntax\n.text\n"); \
    extern const uint8_t name[], name##_end[]

/* CPUID is never translated: vector registers go to memory there */
PROGRAM(uppers,
        "mov r9d, 50\n"
        "1: vmovdqu ymm0, [rsi]\n"
        "vmovdqu ymm1, [rsi + 32]\n"
        "xor eax, eax\n"
        "cpuid\n"
        "paddd xmm0, xmm1\n"            /* the lower half is live now, the upper in memory */
        "vmovdqu [rdi], ymm0\n"         /* both */
        "xor eax, eax\n"
        "cpuid\n"
        "paddd xmm0, xmm1\n"
        "vpaddd xmm2, xmm0, xmm1\n"     /* upper half of 2 becomes zero, that of 0 stays */
        "vmovdqu [rdi + 32], ymm2\n"
        "vmovdqu [rdi + 64], ymm0\n"
        "xor eax, eax\n"
        "cpuid\n"
        "vzeroupper\n"
        "vmovdqu [rdi + 96], ymm0\n"
        "dec r9d\n"
        "jnz 1b\n");

PROGRAM(aligned,
        "mov ecx, 4096\n"
        "1: sub ecx, 16\n"
        "jz 2f\n"
        "movups xmm0, [rsi + rcx]\n"
        ".globl aligned_gp\naligned_gp: paddb xmm0, [rsi + rcx - 16]\n"
        "movntdq [rdi + rcx], xmm0\n"
        "jmp 1b\n"
        "2: mov ecx, 40\n"                 /* the same code once more, 8 bytes off */
        "jmp 1b\n");

/* rsi: the edge between two pages, the slot of rsi filled by either */
PROGRAM(edges,
        "mov r9d, 30\n"
        "1: movups xmm0, [rsi]\n"
        "movups xmm1, [rsi - 8]\n"
        "movups xmm2, [rsi - 16]\n"
        "movups xmm3, [rsi - 8]\n"
        "vmovups ymm4, [rsi - 31]\n"
        "mov rax, [rsi - 4]\n"
        "movhlps xmm0, xmm1\n"
        "movups [rsi - 3], xmm3\n"
        "mov [rsi - 5], eax\n"
        "movups xmm5, [rsi - 12]\n"
        "movups [rsi - 3], xmm1\n"
        "dec r9d\n"
        "jnz 1b\n");

PROGRAM(flags,
        "mov r9d, 40\n"
        "xor eax, eax\n"
        "xor r8d, r8d\n"
        "1: inc eax\n"
        "cmp eax, 20\n"
        "addps xmm0, xmm1\n"
        "setb bl\n"
        "cmovae edx, eax\n"
        "movzx ebx, bl\n"
        "add r8d, ebx\n"
        "ucomisd xmm2, xmm3\n"
        "jp 2f\n"
        "jne 2f\n"
        "inc r10d\n"
        "2: dec r9d\n"
        "jnz 1b\n"
        "movd r11d, xmm0\n");

PROGRAM(sticky,
        "mov r9d, 40\n"
        "1: movaps xmm0, [rsi]\n"
        "divps xmm0, xmm1\n"
        "dec r9d\n"
        "jnz 1b\n"
        "stmxcsr [rdi]\n"
        "mov dword ptr [rdi + 8], 0x1D80\n"             /* ZE unmasked */
        "ldmxcsr [rdi + 8]\n"
        "mov r9d, 40\n"
        "3: movaps xmm0, [rsi]\n"
        "mulps xmm0, xmm0\n"
        "dec r9d\n"
        "jnz 3b\n"
        "stmxcsr [rdi + 4]\n"
        "mov r9d, 40\n"
        "movaps xmm2, xmm0\n"
        "4: movaps xmm0, [rsi]\n"
        ".globl sticky_xm\nsticky_xm: divps xmm0, xmm2\n"
        "cmp r9d, 10\n"
        "jne 5f\n"
        "movaps xmm2, xmm1\n"
        "5: dec r9d\n"
        "jnz 4b\n");
extern const uint8_t aligned_gp[], sticky_xm[];

/* An exception's handler: error code (if any) in R13, its RIP in R14 */
PROGRAM(handler_error, "pop r13\npop r14\n");
PROGRAM(handler_plain, "mov r13d, 77\npop r14\n");

static struct x86vm *start(const void *engine, const uint8_t *code, const uint8_t *end)
{
    struct x86_engine_opts o = { .jit = true, .hot = 4, .tb_size = 4 };
    struct x86vm *vm = vm_new(16 << 20);
    Error *err = NULL;

    if (g_str_equal(engine, "jit")) {
        g_assert_true(x86_cpu_set_engine(vm->cpu, &o, &err));
    }
    for (unsigned i = 0; i < 0x2000; i++) {
        vm->ram->host[DATA + i] = (uint8_t)(i * 7 + (i >> 8) * 13 + 1);
    }
    vm_load(vm, CODE, code, (size_t)(end - code));
    vm_long(vm, CODE);
    vm_load(vm, HANDLER, handler_error, (size_t)(handler_error_end - handler_error));
    vm_load(vm, HANDLER + 0x100, handler_plain, (size_t)(handler_plain_end - handler_plain));
    vm_gate64(vm, EXC_GP, HANDLER);
    vm_gate64(vm, EXC_XM, HANDLER + 0x100);
    vm->cpu->cr4 |= CR4_OSXSAVE | CR4_OSXMMEXCPT;
    vm->cpu->xcr0 = 7;
    x86_mode_update(vm->cpu);
    vm->cpu->regs[R_SI] = DATA;
    vm->cpu->regs[R_DI] = OUT;
    return vm;
}

static void run(struct x86vm *vm)
{
    g_assert_cmpint(vm_run(vm), ==, X86_EXIT_HALT);
}

static bool host_has_avx(const struct x86vm *vm)
{
    if (!x86_feat(vm->cpu->feat, X86_FEAT_AVX2)) {
        g_test_skip("no AVX2");
        return false;
    }
    return true;
}

static uint32_t dword(const struct x86vm *vm, unsigned at)
{
    uint32_t v;

    memcpy(&v, vm->ram->host + at, 4);
    return v;
}

static void test_uppers(const void *engine)
{
    struct x86vm *vm = start(engine, uppers, uppers_end);

    if (host_has_avx(vm)) {
        run(vm);
        for (unsigned i = 0; i < 32; i += 4) {
            uint32_t a = dword(vm, DATA + i), b = dword(vm, DATA + 32 + i);
            bool low = i < 16;

            g_assert_cmphex(dword(vm, OUT + i), ==, low ? a + b : a);
            g_assert_cmphex(dword(vm, OUT + 32 + i), ==, low ? a + 3 * b : 0);
            g_assert_cmphex(dword(vm, OUT + 64 + i), ==, low ? a + 2 * b : a);
            g_assert_cmphex(dword(vm, OUT + 96 + i), ==, low ? a + 2 * b : 0);
        }
    }
    vm_free(vm);
}

static void test_aligned(const void *engine)
{
    struct x86vm *vm = start(engine, aligned, aligned_end);

    run(vm);
    for (unsigned i = 16; i < 4096; i++) {
        g_assert_cmphex(vm->ram->host[OUT + i], ==, (uint8_t)(vm->ram->host[DATA + i] + vm->ram->host[DATA + i - 16]));
    }
    g_assert_cmphex(vm->cpu->regs[13], ==, 0);
    g_assert_cmphex(vm->cpu->regs[14], ==, CODE + (uint64_t)(aligned_gp - aligned));
    vm_free(vm);
}

static void test_edges(const void *engine)
{
    struct x86vm *vm = start(engine, edges, edges_end);
    uint8_t want[64], got[64], edge3[16], edge1[16];
    uint32_t eax;

    if (!host_has_avx(vm)) {
        vm_free(vm);
        return;
    }
    *vm_pte(vm, PAGE_A) = RAM_A | 7;
    *vm_pte(vm, PAGE_A + 0x1000) = RAM_B | 7;
    for (unsigned i = 0; i < 32; i++) {
        want[i] = vm->ram->host[RAM_A + 0xFE0 + i] = (uint8_t)(0x10 + i);
        want[32 + i] = vm->ram->host[RAM_B + i] = (uint8_t)(0x80 + i);
    }
    x86_tlb_flush_all(vm->cpu);
    vm->cpu->regs[R_SI] = PAGE_A + 0x1000;
    run(vm);
    for (unsigned k = 0; k < 30; k++) {
        memcpy(edge1, want + 24, 16);
        memcpy(edge3, want + 24, 16);
        memcpy(&eax, want + 28, 4);
        memcpy(want + 29, edge3, 16);
        memcpy(want + 27, &eax, 4);
        memcpy(want + 29, edge1, 16);
    }
    memcpy(got, vm->ram->host + RAM_A + 0xFE0, 32);
    memcpy(got + 32, vm->ram->host + RAM_B, 32);
    g_assert_cmpmem(got, 64, want, 64);
    g_assert_cmphex(vm->cpu->vec[0].q[0], ==, vm->cpu->vec[1].q[1]);
    vm_free(vm);
}

static void test_flags(const void *engine)
{
    struct x86vm *vm = start(engine, flags, flags_end);
    float one = 1, sum;
    uint32_t bits;

    memcpy(&vm->cpu->vec[1].d[0], &one, 4);
    run(vm);
    g_assert_cmpuint(vm->cpu->regs[8], ==, 19);
    g_assert_cmpuint(vm->cpu->regs[R_DX], ==, 40);
    g_assert_cmpuint(vm->cpu->regs[10], ==, 40);
    bits = (uint32_t)vm->cpu->regs[11];
    memcpy(&sum, &bits, 4);
    g_assert_cmpfloat(sum, ==, 40);
    vm_free(vm);
}

static void test_sticky(const void *engine)
{
    struct x86vm *vm = start(engine, sticky, sticky_end);
    static const float v[4] = { 3, 5, 7, 9 };

    memcpy(vm->ram->host + DATA, v, 16);
    vm->cpu->vec[1].d[1] = vm->cpu->vec[1].d[2] = vm->cpu->vec[1].d[3] = 0x40400000;        /* 3.0; the first is 0 */
    run(vm);
    g_assert_cmphex(dword(vm, OUT), ==, MXCSR_RESET | MXCSR_ZE | MXCSR_PE);
    g_assert_cmphex(dword(vm, OUT + 4), ==, 0x1D80);
    g_assert_cmpuint(vm->cpu->regs[9], ==, 9);
    g_assert_cmpuint(vm->cpu->regs[13], ==, 77);
    g_assert_cmphex(vm->cpu->regs[14], ==, CODE + (uint64_t)(sticky_xm - sticky));
    g_assert_cmphex(vm->cpu->vec[0].d[3], ==, 0x41100000);                                  /* 9.0: not divided */
    vm_free(vm);
}

int main(int argc, char **argv)
{
    static const char *const engines[] = { "interp", "jit" };
    static const struct {
        const char *name;
        void (*fn)(const void *engine);
    } tests[] = {
        { "uppers", test_uppers }, { "aligned", test_aligned }, { "edges", test_edges }, { "flags", test_flags },
        { "sticky", test_sticky },
    };

    g_test_init(&argc, &argv, NULL);
    for (unsigned e = 0; e < G_N_ELEMENTS(engines); e++) {
        for (unsigned i = 0; i < G_N_ELEMENTS(tests); i++) {
            char *path = g_strdup_printf("/jit-simd/%s/%s", engines[e], tests[i].name);

            g_test_add_data_func(path, engines[e], tests[i].fn);
            g_free(path);
        }
    }
    return g_test_run();
}
