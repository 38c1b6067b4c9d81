/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/test-jit-x87.c - x87 and MMX as the engines run them in hot code: the state between the host's registers
 * and memory with TOP anywhere, faults with it live (docs/devel/engine, pitfall 18), last-instruction pointers by CPU
 * model (pitfall 16), control words that unmask an exception (pitfall 17)
 *
 * Each program loops until it is translated, on the interpreter and on the translator, and both must leave the same x87
 * state, registers and memory, beside what the test itself expects.
 */
#include "tests/lib/x86vm.h"
#include "target/x86/excp.h"
#include "target/x86/fp.h"
#include "target/x86/interp/fpu_host.h"

#define CODE 0x10000
#define DATA 0x20000
#define OUT 0x30000
#define OUT_SIZE 0x1000
#define HANDLER 0x8000
#define HOLE 0x40000        /* a page that is not present behind one that is */

#define PROGRAM(name, text) \
    __asm__(".section .rodata\n.intel_syntax noprefix\n.globl " #name ", " #name "_end\n" #name ":\n" text "hlt\n" \
            #name "_end:\n.att_syntax\n.text\n"); \
    extern const uint8_t name[], name##_end[]

/* TOP goes round, the stack has holes, CPUID is never translated, so state goes out and in again; flags live across */
PROGRAM(turns,
        "mov r9d, 80\n"
        "xor r8d, r8d\n"
        "fld dword ptr [rsi]\n"
        "fld1\n"
        "1: fldpi\n"
        "fadd st(0), st(1)\n"
        "xor eax, eax\n"
        "cpuid\n"
        "fmul qword ptr [rsi + 8]\n"
        "fxch st(1)\n"
        "fincstp\n"
        "ffree st(6)\n"
        "fincstp\n"
        "fld tbyte ptr [rsi + 32]\n"
        "fchs\n"
        "cmp r9d, 40\n"
        "fcomi st(1)\n"
        "setb al\n"
        "cmp r9d, 40\n"
        "fcmovb st(0), st(1)\n"         /* first x87 instruction behind CPUID is not always this one */
        "adc r8d, 0\n"
        "fstp qword ptr [rdi + r9 * 8]\n"
        "mov eax, 0\n"
        "cmp r9d, 20\n"
        "cpuid\n"
        "fcmovnb st(0), st(1)\n"
        "fst dword ptr [rdi + r9 * 4 + 0x300]\n"
        "fxam\n"
        "fnstsw ax\n"
        "mov [rdi + r9 * 2 + 0x500], ax\n"
        "fnstsw [rdi + r9 * 2 + 0x600]\n"
        "dec r9d\n"
        "jnz 1b\n"
        "fnsave [rdi + 0x800]\n");

/* Flags live across the load of the state, x87 memory operands and a control word */
PROGRAM(flags,
        "mov r9d, 40\n"
        "xor r8d, r8d\n"
        "fnstcw [rdi + 0x400]\n"
        "fldz\n"
        "fld1\n"
        "1: xor eax, eax\n"
        "cpuid\n"
        "cmp r9d, 20\n"
        "fld st(0)\n"
        "fcmovb st(0), st(2)\n"
        "fldcw [rdi + 0x400]\n"
        "fistp dword ptr [rdi + r9 * 4]\n"
        "adc r8d, 0\n"
        "mov eax, r9d\n"
        "and eax, 3\n"
        "mov [rdi + 0x404], eax\n"
        "xor eax, eax\n"
        "cpuid\n"
        "fild dword ptr [rdi + 0x404]\n"
        "fucomip st(0), st(1)\n"
        "seta al\n"
        "mov [rdi + r9 + 0x200], al\n"
        "dec r9d\n"
        "jnz 1b\n");

/* float to int by way of the control word, as compilers do it */
PROGRAM(rounding,
        "mov r9d, 60\n"
        "fnstcw [rdi]\n"
        "movzx eax, word ptr [rdi]\n"
        "mov [rdi + 4], ax\n"
        "or eax, 0xC00\n"
        "mov [rdi + 2], ax\n"
        "1: fld qword ptr [rsi + 16]\n"
        "fimul dword ptr [rdi + 8]\n"
        "fldcw [rdi + 2]\n"
        "fist dword ptr [rdi + 12]\n"
        "fnstcw [rdi + 6]\n"
        "fldcw [rdi + 4]\n"
        "fistp qword ptr [rdi + 16]\n"
        "add dword ptr [rdi + 8], 1\n"
        "dec r9d\n"
        "jnz 1b\n");

/* st(0) would be popped by a store to a page that is not there; then the same across its edge */
PROGRAM(hole,
        "mov ecx, 64\n"
        "fldpi\n"
        "fld1\n"
        "1: fst qword ptr [rbx]\n"
        "fld st(1)\n"
        ".globl hole_pf\nhole_pf: fstp tbyte ptr [rbx + 16]\n"
        "add rbx, 48\n"
        "dec ecx\n"
        "jnz 1b\n");

/* ZE is unmasked in the middle of hot code; the next waiting instruction raises #MF */
PROGRAM(unmask,
        "mov r9d, 60\n"
        "1: mov eax, 0x37F\n"
        "mov edx, 0x37B\n"
        "cmp r9d, 10\n"
        "cmove eax, edx\n"
        "mov [rdi], ax\n"
        "fldcw [rdi]\n"
        "fld1\n"
        "fldz\n"
        "fdivp st(1), st(0)\n"
        ".globl unmask_mf\nunmask_mf: fstp qword ptr [rdi + 8]\n"
        "fnclex\n"
        "dec r9d\n"
        "jnz 1b\n");

PROGRAM(pointers,
        "mov r9d, 60\n"
        "1: fld1\n"
        ".globl pointers_fdp\npointers_fdp: fadd dword ptr [rsi + r9 * 4]\n"
        "fsqrt\n"
        "fxch st(0)\n"
        ".globl pointers_fip\npointers_fip: fabs\n"
        "fxsave64 [rdi]\n"
        "fstp st(0)\n"
        "fld qword ptr [rsi + 16]\n"
        "fincstp\n"
        "fninit\n"
        "fxsave64 [rdi + 0x200]\n"
        ".globl pointers_last\npointers_last: fld qword ptr [rsi + 24]\n"
        "fnstcw [rdi + 0x400]\n"
        "fwait\n"
        "fxsave64 [rdi + 0x600]\n"
        "fninit\n"
        "dec r9d\n"
        "jnz 1b\n");

PROGRAM(mmx,
        "mov r9d, 40\n"
        "1: fninit\n"
        "fld1\n"
        "fldpi\n"
        "movq mm0, [rsi]\n"
        "movd mm1, r9d\n"
        "movd mm7, r14d\n"
        "paddb mm0, [rsi + 8]\n"
        "punpcklbw mm1, mm0\n"
        "psllw mm1, 3\n"
        "pinsrw mm2, r13d, 2\n"
        "pextrw r12d, mm1, 1\n"
        "pmovmskb r14d, mm0\n"
        "pshufb mm0, mm1\n"
        "cmp r9d, 20\n"
        "movq2dq xmm3, mm1\n"
        "cvtpi2ps xmm4, mm1\n"
        "movdq2q mm5, xmm3\n"
        "cvttps2pi mm6, xmm4\n"
        "adc r15d, 0\n"
        "movq [rdi + r9 * 8], mm0\n"
        "movd [rdi + r9 * 4 + 0x200], mm1\n"
        "movntq [rdi + 0x400], mm6\n"
        "movups [rdi + 0x410], xmm3\n"
        "movups [rdi + 0x420], xmm4\n"
        "fnstsw [rdi + 0x430]\n"
        "fxsave64 [rdi + 0x600]\n"
        "cmp r9d, 1\n"
        "je 2f\n"
        "emms\n"
        "fldl2e\n"
        "2: dec r9d\n"
        "jnz 1b\n");
extern const uint8_t hole_pf[], unmask_mf[], pointers_fdp[], pointers_fip[], pointers_last[];

/* An exception's handler: error code in R13 (#PF), RIP in R14, the x87 state at the time */
PROGRAM(handler_error, "pop r13\npop r14\nfnsave [rdi + 0x800]\n");
PROGRAM(handler_plain, "mov r13d, 77\npop r14\nfnstsw [rdi + 0x400]\nfnsave [rdi + 0x800]\n");

static struct x86vm *start(bool jit, const uint8_t *code, const uint8_t *end)
{
    struct x86_engine_opts o = { .jit = true, .hot = 4, .tb_size = 4 };
    struct x86vm *vm = vm_new(16 << 20);
    static const float third = 1.0f / 3;
    static const double d[3] = { 1.0625, -2.7, 1e300 };
    static const long double big = 1.5L;
    Error *err = NULL;

    if (jit) {
        g_assert_true(x86_cpu_set_engine(vm->cpu, &o, &err));
    }
    for (unsigned i = 0; i < 0x1000; i++) {
        vm->ram->host[DATA + i] = (uint8_t)(i * 7 + (i >> 8) * 13 + 1);
    }
    memcpy(vm->ram->host + DATA, &third, sizeof(third));
    memcpy(vm->ram->host + DATA + 8, d, sizeof(d));
    memcpy(vm->ram->host + DATA + 32, &big, 10);
    vm_load(vm, CODE, code, (size_t)(end - code));
    vm_long(vm, CODE);
    vm_load(vm, HANDLER, handler_error, (size_t)(handler_error_end - handler_error));
    vm_load(vm, HANDLER + 0x100, handler_plain, (size_t)(handler_plain_end - handler_plain));
    vm_gate64(vm, EXC_PF, HANDLER);
    vm_gate64(vm, EXC_MF, HANDLER + 0x100);
    vm->cpu->cr0 |= CR0_NE | CR0_MP;
    vm->cpu->cr4 |= CR4_OSFXSR;
    vm->cpu->fpu.fcw = 0x37F;
    vm->cpu->fpu.ftw = 0;
    vm->cpu->fpu.ptr_rule = 0;
    x86_mode_update(vm->cpu);
    vm->cpu->regs[R_SI] = DATA;
    vm->cpu->regs[R_DI] = OUT;
    return vm;
}

static void run(struct x86vm *vm)
{
    g_assert_cmpint(vm_run(vm), ==, X86_EXIT_HALT);
}

/* A program on both engines */
struct pair {
    struct x86vm *vm[2];        /* interpreter, translator */
};

static struct pair both(const uint8_t *code, const uint8_t *end)
{
    return (struct pair){ { start(false, code, end), start(true, code, end) } };
}

static void same(const struct pair *p)
{
    const struct x86_cpu *a = p->vm[0]->cpu, *b = p->vm[1]->cpu;

    run(p->vm[0]);
    run(p->vm[1]);
    g_assert_cmpmem(a->regs, 16 * 8, b->regs, 16 * 8);
    g_assert_cmpmem(p->vm[0]->ram->host + OUT, OUT_SIZE, p->vm[1]->ram->host + OUT, OUT_SIZE);
    g_assert_cmphex(a->fpu.fcw, ==, b->fpu.fcw);
    g_assert_cmphex(a->fpu.fsw, ==, b->fpu.fsw);
    g_assert_cmphex(a->fpu.top, ==, b->fpu.top);
    g_assert_cmphex(a->fpu.ftw, ==, b->fpu.ftw);
    for (unsigned i = 0; i < 8; i++) {
        g_assert_cmphex(a->fpu.r[i].m, ==, b->fpu.r[i].m);
        g_assert_cmphex(a->fpu.r[i].se, ==, b->fpu.r[i].se);
    }
}

static void done(struct pair *p)
{
    vm_free(p->vm[0]);
    vm_free(p->vm[1]);
}

static uint64_t get(const struct x86vm *vm, unsigned at, unsigned len)
{
    uint64_t v = 0;

    memcpy(&v, vm->ram->host + at, len);
    return v;
}

static void test_turns(void)
{
    struct pair p = both(turns, turns_end);

    same(&p);
    g_assert_cmphex(get(p.vm[1], OUT + 0x604, 2) >> 11 & 7, !=, get(p.vm[1], OUT + 0x606, 2) >> 11 & 7);
    g_assert_cmpuint(p.vm[1]->cpu->regs[8], ==, 39);
    done(&p);
}

static void test_flags(void)
{
    struct pair p = both(flags, flags_end);

    same(&p);
    g_assert_cmpuint(p.vm[1]->cpu->regs[8], ==, 19);
    for (unsigned i = 1; i <= 40; i++) {
        g_assert_cmpuint(get(p.vm[1], OUT + 4 * i, 4), ==, i >= 20);
        g_assert_cmpuint(get(p.vm[1], OUT + 0x200 + i, 1), ==, (i & 3) > 1);
    }
    done(&p);
}

static void test_rounding(void)
{
    struct pair p = both(rounding, rounding_end);

    same(&p);
    for (unsigned i = 0; i < 2; i++) {
        g_assert_cmpint((int32_t)get(p.vm[i], OUT + 12, 4), ==, (int32_t)(-2.7 * 59));
        g_assert_cmpint((int64_t)get(p.vm[i], OUT + 16, 8), ==, -159);
        g_assert_cmphex(get(p.vm[i], OUT + 6, 2), ==, 0xF7F);
        g_assert_cmphex(p.vm[i]->cpu->fpu.fcw, ==, 0x37F);
    }
    done(&p);
}

/* @first: address of the first store; where the fault comes depends on it */
static void hole_at(uint64_t first, uint64_t cr2)
{
    struct pair p = both(hole, hole_end);

    for (unsigned i = 0; i < 2; i++) {
        *vm_pte(p.vm[i], HOLE) = HOLE | 7;
        *vm_pte(p.vm[i], HOLE + 0x1000) = 0;
        x86_tlb_flush_all(p.vm[i]->cpu);
        p.vm[i]->cpu->regs[R_BX] = first;
    }
    same(&p);
    for (unsigned i = 0; i < 2; i++) {
        g_assert_cmphex(p.vm[i]->cpu->cr2, ==, cr2);
        g_assert_cmphex(p.vm[i]->cpu->regs[13], ==, 2);
        g_assert_cmphex(p.vm[i]->cpu->regs[14], ==, CODE + (uint64_t)(hole_pf - hole));
        g_assert_cmphex(get(p.vm[i], OUT + 0x804, 2), ==, 5 << 11);     /* not popped */
        g_assert_cmphex(get(p.vm[i], OUT + 0x808, 2), ==, 0x03FF);
        g_assert_cmphex(get(p.vm[i], OUT + 0x81C, 8), ==, 0xC90FDAA22168C235);
    }
    done(&p);
}

static void test_hole(void)
{
    hole_at(HOLE + 0x1000 - 16 - 48 * 40, HOLE + 0x1000);
    hole_at(HOLE + 0x1000 - 24 - 48 * 40, HOLE + 0x1000);       /* its last two bytes */
}

static void test_unmask(void)
{
    struct pair p = both(unmask, unmask_end);

    same(&p);
    for (unsigned i = 0; i < 2; i++) {
        g_assert_cmphex(p.vm[i]->cpu->regs[13], ==, 77);
        g_assert_cmphex(p.vm[i]->cpu->regs[14], ==, CODE + (uint64_t)(unmask_mf - unmask));
        g_assert_cmphex(p.vm[i]->cpu->regs[9], ==, 10);
        g_assert_cmphex(get(p.vm[i], OUT + 0x400, 2), ==, FSW_ZE | FSW_ES | FSW_B | 6 << 11);
        g_assert_cmphex(get(p.vm[i], OUT + 8, 8), ==, 0x7FF0000000000000);
    }
    done(&p);
}

static void test_pointers(void)
{
    for (unsigned rule = 0; rule < 4; rule++) {
        struct pair p = both(pointers, pointers_end);
        uint64_t fip = CODE + (uint64_t)(pointers_fip - pointers), last = CODE + (uint64_t)(pointers_last - pointers);

        p.vm[0]->cpu->fpu.ptr_rule = p.vm[1]->cpu->fpu.ptr_rule = (uint8_t)rule;
        same(&p);
        for (unsigned i = 0; i < 2; i++) {
            g_assert_cmphex(get(p.vm[i], OUT + 8, 8), ==, rule & X87_FIP_ALWAYS ? fip : 0);
            g_assert_cmphex(get(p.vm[i], OUT + 16, 8), ==, rule & X87_FDP_ALWAYS ? DATA + 4 : 0);
            g_assert_cmphex(get(p.vm[i], OUT + 0x208, 8) | get(p.vm[i], OUT + 0x210, 8), ==, 0);
            g_assert_cmphex(get(p.vm[i], OUT + 0x608, 8), ==, rule & X87_FIP_ALWAYS ? last : 0);
            g_assert_cmphex(get(p.vm[i], OUT + 0x610, 8), ==, rule & X87_FDP_ALWAYS ? DATA + 24 : 0);
        }
        done(&p);
    }
}

static void test_mmx(void)
{
    struct pair p = both(mmx, mmx_end);

    same(&p);
    g_assert_cmphex(get(p.vm[1], OUT + 0x430, 2) >> 11 & 7, ==, 0);
    g_assert_cmphex(p.vm[1]->cpu->fpu.ftw, ==, 0xFF);
    g_assert_cmphex(p.vm[1]->cpu->fpu.r[1].se, ==, 0xFFFF);
    g_assert_cmphex(p.vm[1]->cpu->regs[15], ==, 19);
    done(&p);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/jit-x87/turns", test_turns);
    g_test_add_func("/jit-x87/flags", test_flags);
    g_test_add_func("/jit-x87/rounding", test_rounding);
    g_test_add_func("/jit-x87/hole", test_hole);
    g_test_add_func("/jit-x87/unmask", test_unmask);
    g_test_add_func("/jit-x87/pointers", test_pointers);
    g_test_add_func("/jit-x87/mmx", test_mmx);
    return g_test_run();
}
