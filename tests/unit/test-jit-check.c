/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/test-jit-check.c - check=on: right translations pass, also across faults, stores and the stack, with their stores done
 * once; a wrong one is reported and ends the program
 */
#include "tests/lib/x86vm.h"
#include "target/x86/excp.h"
#include "target/x86/jit/jit_int.h"

#define CODE 0x10000
#define DATA 0x20000
#define HANDLER 0x8000
#define HOLE 0x40000        /* a page that is not present */

#define PROGRAM(name, text) \
    __asm__(".section .rodata\n.intel_syntax noprefix\n.globl " #name ", " #name "_end\n" #name ":\n" text "hlt\n" \
            #name "_end:\n.att_syntax\n.text\n"); \
    extern const uint8_t name[], name##_end[]

/* Stores that add up, calls, flags across blocks, a vector register, a read-modify-write, a string */
PROGRAM(work,
        "1: add qword ptr [rsi], 0x12345678\n"
        "mov rax, [rsi]\n"
        "imul rax, rcx\n"
        "push rax\n"
        "call 2f\n"
        "pop rdx\n"
        "xor rdx, rax\n"
        "mov [rsi + rcx * 8 + 16], rdx\n"
        "lock inc dword ptr [rsi + 8]\n"
        "movdqu xmm1, [rsi]\n"
        "paddd xmm0, xmm1\n"
        "movdqu [rsi + 0x800], xmm0\n"
        "lea rdi, [rsi + 0xa00]\n"
        "push rcx\n"
        "mov ecx, 5\n"
        "rep stosd\n"
        "pop rcx\n"
        "dec rcx\n"
        "jnz 1b\n"
        "hlt\n"
        "2: ror rax, 7\n"
        "cmp rax, rcx\n"
        "adc rax, 0x11\n"
        "ret\n");

/* Each turn faults behind a store; the handler maps the page for one turn */
PROGRAM(faults,
        "1: mov [rsi], rcx\n"
        "add rbx, 3\n"
        "cmp rbx, rcx\n"
        "mov rax, [rdi]\n"
        "adc rbx, rax\n"
        "mov [rsi + 8], rbx\n"
        "xor edx, edx\n"
        "mov [r8], dl\n"                /* the page goes again */
        "invlpg [rdi]\n"
        "dec rcx\n"
        "jnz 1b\n");

PROGRAM(handler,
        "mov byte ptr [r8], 0x63\n"
        "inc r9\n"
        "add rsp, 8\n"
        "iretq\n");

/* The block changes its own last constant, each turn */
PROGRAM(selfmod,
        "1: inc dword ptr [rip + 2f + 2]\n"
        "lea rbx, [rbx + 1]\n"
        "2: add edx, 0x1000\n"
        "dec rcx\n"
        "jnz 1b\n");

static struct x86vm *start_hot(uint32_t hot)
{
    const struct x86_engine_opts o = { .jit = true, .check = true, .hot = hot, .tb_size = 4 };
    struct x86vm *vm = vm_new(4 << 20);
    Error *err = NULL;

    x86_jit_free(vm->cpu->jit);
    g_assert_true(x86_cpu_set_engine(vm->cpu, &o, &err));
    vm_long(vm, CODE);
    vm_load(vm, HANDLER, handler, (size_t)(handler_end - handler));
    vm_gate64(vm, EXC_PF, HANDLER);
    return vm;
}

static struct x86vm *start(void)
{
    return start_hot(2);
}

static void run(struct x86vm *vm, uint64_t n)
{
    struct x86_cpu *cpu = vm->cpu;

    cpu->regs[REG_RIP] = CODE;
    cpu->regs[R_SP] = VM_STACK;
    cpu->regs[R_SI] = DATA;
    cpu->regs[R_DI] = HOLE;
    cpu->regs[R_CX] = n;
    cpu->regs[R_BX] = cpu->regs[9] = 0;
    cpu->regs[8] = VM_TABLES + 0x3000 + (HOLE >> 12) * 8;
    cpu->halted = false;
    g_assert_cmpint(x86_cpu_run(cpu), ==, X86_EXIT_HALT);
}

/* The number behind "compared" in "info jit" */
static uint64_t compared(struct x86vm *vm)
{
    g_autoptr(GString) s = g_string_new(NULL);
    const char *p;

    x86_cpu_print_stats(vm->cpu, s);
    p = strstr(s->str, "compared ");
    g_assert_nonnull(p);
    return g_ascii_strtoull(p + strlen("compared "), NULL, 10);
}

static void test_clean(void)
{
    struct x86vm *vm = start();

    vm_load(vm, CODE, work, (size_t)(work_end - work));
    run(vm, 200);
    g_assert_cmphex(*(uint64_t *)(void *)(vm->ram->host + DATA), ==, 200ULL * 0x12345678);
    g_assert_cmpuint(*(uint32_t *)(void *)(vm->ram->host + DATA + 8), ==, 200);
    g_assert_cmpuint(compared(vm), >=, 120);
    vm_free(vm);
}

static void test_faults(void)
{
    struct x86vm *vm = start();

    *vm_pte(vm, HOLE) = 0;
    *(uint64_t *)(void *)(vm->ram->host + HOLE) = 5;
    vm_load(vm, CODE, faults, (size_t)(faults_end - faults));
    run(vm, 30);
    g_assert_cmpuint(vm->cpu->regs[9], ==, 30);
    g_assert_cmpuint(compared(vm), >=, 30);
    g_assert_cmpuint(*(uint64_t *)(void *)(vm->ram->host + DATA), ==, 1);
    vm_free(vm);
}

static void test_selfmod(void)
{
    struct x86vm *vm = start_hot(1);

    vm_load(vm, CODE, selfmod, (size_t)(selfmod_end - selfmod));
    vm->cpu->regs[R_DX] = 0;
    run(vm, 100);
    g_assert_cmphex(vm->cpu->regs[R_DX], ==, 100 * 0x1000 + 100 * 101 / 2);
    g_assert_cmpuint(vm->cpu->regs[R_BX], ==, 100);
    vm_free(vm);
}

/* One bit of the constant in the host code becomes another */
static void plant(struct x86vm *vm)
{
    static const uint8_t imm[] = { 0x78, 0x56, 0x34, 0x12 };
    struct x86_jit *j = vm->cpu->jit;
    unsigned n = 0;

    for (size_t i = 0; i + sizeof(imm) <= j->hot_used; i++) {
        if (!memcmp(j->rw + i, imm, sizeof(imm))) {
            j->rw[i] ^= 1;
            n++;
        }
    }
    g_assert_cmpuint(n, >=, 1);
}

static void test_planted_child(void)
{
    struct x86vm *vm = start();

    vm_load(vm, CODE, work, (size_t)(work_end - work));
    run(vm, 10);
    plant(vm);
    run(vm, 10);
    vm_free(vm);
}

static void test_planted(void)
{
    g_test_trap_subprocess("/jit-check/planted-child/subprocess", 0, 0);
    g_test_trap_assert_failed();
    g_test_trap_assert_stderr("*differs from the interpreter*store 0: interpreter*host code at*");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/jit-check/clean", test_clean);
    g_test_add_func("/jit-check/faults", test_faults);
    g_test_add_func("/jit-check/selfmod", test_selfmod);
    g_test_add_func("/jit-check/planted", test_planted);
    g_test_add_func("/jit-check/planted-child/subprocess", test_planted_child);
    return g_test_run();
}
