/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/test-interp.c - the CPU engine runs hand-assembled programs: results, precise faults, self-modifying code,
 * strings that fault half-way, interrupt shadows, single step, in real, protected and 64-bit mode
 */
#include "tests/lib/x86vm.h"
#include "target/x86/interp/engine.h"

#define CODE 0x10000

static const uint8_t int64[] = {
    0x48, 0xB8, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22, 0x11, /* mov rax, 0x1122334455667788 */
    0xB4, 0x99,                                  /* mov ah, 0x99 */
    0x48, 0x89, 0xC3,                            /* mov rbx, rax */
    0x89, 0xDB,                                  /* mov ebx, ebx */
    0x48, 0x0F, 0xCB,                            /* bswap rbx */
    0x31, 0xC9,                                  /* xor ecx, ecx */
    0x80, 0xE9, 0x01,                            /* sub cl, 1 */
    0x80, 0xD5, 0x00,                            /* adc ch, 0 */
    0xBA, 0xFF, 0xFF, 0xFF, 0xFF,                /* mov edx, -1 */
    0x83, 0xC2, 0x01,                            /* add edx, 1 */
    0x48, 0x19, 0xF6,                            /* sbb rsi, rsi */
    0xBF, 0x64, 0x00, 0x00, 0x00,                /* mov edi, 100 */
    0x41, 0xB8, 0x07, 0x00, 0x00, 0x00,          /* mov r8d, 7 */
    0x89, 0xF8,                                  /* mov eax, edi */
    0x99,                                        /* cdq */
    0x41, 0xF7, 0xF8,                            /* idiv r8d */
    0x41, 0x89, 0xD1,                            /* mov r9d, edx */
    0x48, 0xC1, 0xE0, 0x3C,                      /* shl rax, 60 */
    0x48, 0xC1, 0xF8, 0x3E,                      /* sar rax, 62 */
    0x49, 0xBA, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x80, /* mov r10, 0x8000000000000001 */
    0x49, 0xD1, 0xC2,                            /* rol r10, 1 */
    0x4F, 0x8D, 0x5C, 0x92, 0xFD,                /* lea r11, [r10+r10*4-3] */
    0x41, 0x53,                                  /* push r11 */
    0x41, 0x5C,                                  /* pop r12 */
    0x49, 0x0F, 0xBA, 0xE3, 0x02,                /* bt r11, 2 */
    0x41, 0x0F, 0x92, 0xC5,                      /* setc r13b */
    0x4C, 0x0F, 0xBE, 0xF1,                      /* movsx r14, cl */
    0x49, 0x83, 0xFE, 0x00,                      /* cmp r14, 0 */
    0x44, 0x0F, 0x4C, 0xFF,                      /* cmovl r15d, edi */
    0x49, 0x6B, 0xEE, 0xFB,                      /* imul rbp, r14, -5 */
    0xF4,                                        /* hlt */
};

static const uint8_t real16[] = {
    0xB8, 0x00, 0x10,                            /* mov ax, 0x1000 */
    0x8E, 0xD8,                                  /* mov ds, ax */
    0x8E, 0xC0,                                  /* mov es, ax */
    0xBE, 0xF0, 0xFF,                            /* mov si, 0xFFF0 */
    0xBF, 0x00, 0x80,                            /* mov di, 0x8000 */
    0xB9, 0x20, 0x00,                            /* mov cx, 32 */
    0xFC,                                        /* cld */
    0xF3, 0xA4,                                  /* rep movsb */
    0x89, 0xE3,                                  /* mov bx, sp */
    0x50,                                        /* push ax */
    0x5A,                                        /* pop dx */
    0xB8, 0x21, 0x43,                            /* mov ax, 0x4321 */
    0xA3, 0x00, 0x01,                            /* mov word ptr [0x100], ax */
    0x31, 0xC9,                                  /* xor cx, cx */
    0xB1, 0x0A,                                  /* mov cl, 10 */
    0x31, 0xED,                                  /* xor bp, bp */
    0x01, 0xCD,                                  /* l: add bp, cx */
    0xE2, 0xFC,                                  /* loop l */
    0xCD, 0x21,                                  /* int 0x21 */
    0xF4,                                        /* hlt */
};

static const uint8_t prot32[] = {
    0xBC, 0x00, 0x00, 0x09, 0x00,                /* mov esp, 0x90000 */
    0xB8, 0x0C, 0x00, 0x00, 0x00,                /* mov eax, 12 */
    0xE8, 0x1F, 0x00, 0x00, 0x00,                /* call f */
    0x89, 0xC6,                                  /* mov esi, eax */
    0x6A, 0x05,                                  /* push 5 */
    0x6A, 0x06,                                  /* push 6 */
    0xFF, 0x15, 0x56, 0x00, 0x01, 0x00,          /* call [0x10000+fp] */
    0x83, 0xC4, 0x08,                            /* add esp, 8 */
    0xB9, 0x03, 0x00, 0x00, 0x00,                /* mov ecx, 3 */
    0x49,                                        /* z: dec ecx */
    0x75, 0xFD,                                  /* jnz z */
    0xE3, 0x05,                                  /* jecxz out */
    0xBE, 0x00, 0x00, 0x00, 0x00,                /* mov esi, 0 */
    0xF4,                                        /* out: hlt */
    0x53,                                        /* f: push ebx */
    0x89, 0xC3,                                  /* mov ebx, eax */
    0x83, 0xF8, 0x02,                            /* cmp eax, 2 */
    0x72, 0x14,                                  /* jb d */
    0x8D, 0x43, 0xFF,                            /* lea eax, [ebx-1] */
    0xE8, 0xF0, 0xFF, 0xFF, 0xFF,                /* call f */
    0x50,                                        /* push eax */
    0x8D, 0x43, 0xFE,                            /* lea eax, [ebx-2] */
    0xE8, 0xE7, 0xFF, 0xFF, 0xFF,                /* call f */
    0x5A,                                        /* pop edx */
    0x01, 0xD0,                                  /* add eax, edx */
    0x5B,                                        /* d: pop ebx */
    0xC3,                                        /* ret */
    0x8B, 0x7C, 0x24, 0x04,                      /* g: mov edi, [esp+4] */
    0x0F, 0xAF, 0x7C, 0x24, 0x08,                /* imul edi, [esp+8] */
    0xC3,                                        /* ret */
    0x4C, 0x00, 0x01, 0x00,                      /* fp: .long 0x10000+g */
};

static const uint8_t smcnext[] = {
    0xB9, 0x01, 0x00, 0x00, 0x00,                /* mov ecx, 1 */
    0xC6, 0x05, 0x02, 0x00, 0x00, 0x00, 0x07,    /* mov byte ptr [rip+p+1], 7 */
    0x90,                                        /* nop */
    0xB0, 0x03,                                  /* p: mov al, 3 */
    0xF4,                                        /* hlt */
};

static const uint8_t smcalias[] = {
    0xC6, 0x03, 0x09,                            /* mov byte ptr [rbx], 9 */
    0xB0, 0x03,                                  /* p: mov al, 3 */
    0xF4,                                        /* hlt */
};

static const uint8_t smcloop[] = {
    0xB9, 0xE8, 0x03, 0x00, 0x00,                /* mov ecx, 1000 */
    0x31, 0xDB,                                  /* xor ebx, ebx */
    0x89, 0x0D, 0x01, 0x00, 0x00, 0x00,          /* l: mov dword ptr [rip+p+1], ecx */
    0xB8, 0x00, 0x00, 0x00, 0x00,                /* p: mov eax, 0 */
    0x48, 0x01, 0xC3,                            /* add rbx, rax */
    0xFF, 0xC9,                                  /* dec ecx */
    0x75, 0xEE,                                  /* jnz l */
    0xF4,                                        /* hlt */
};

static const uint8_t neardata[] = {
    0xB9, 0xE8, 0x03, 0x00, 0x00,                /* mov ecx, 1000 */
    0xFF, 0x05, 0x0B, 0x00, 0x00, 0x00,          /* l: inc dword ptr [rip+v] */
    0xFF, 0xC9,                                  /* dec ecx */
    0x75, 0xF6,                                  /* jnz l */
    0x8B, 0x05, 0x01, 0x00, 0x00, 0x00,          /* mov eax, [rip+v] */
    0xF4,                                        /* hlt */
    0x00, 0x00, 0x00, 0x00,                      /* v: .long 0 */
};

static const uint8_t pf64[] = {
    0x48, 0xC7, 0xC0, 0x34, 0x12, 0x00, 0x00,    /* mov rax, 0x1234 */
    0x48, 0xC7, 0xC2, 0x77, 0x00, 0x00, 0x00,    /* mov rdx, 0x77 */
    0x48, 0x83, 0xC2, 0x01,                      /* add rdx, 1 */
    0x48, 0x01, 0x03,                            /* add [rbx], rax */
    0x48, 0xC7, 0xC2, 0x00, 0x00, 0x00, 0x00,    /* mov rdx, 0 */
    0xF4,                                        /* hlt */
};

static const uint8_t repf[] = {
    0xFC,                                        /* cld */
    0xF3, 0xA4,                                  /* rep movsb */
    0xF4,                                        /* hlt */
};

static const uint8_t pfhandler[] = {
    0x41, 0x0F, 0x20, 0xD0,                      /* mov r8, cr2 */
    0x4C, 0x8B, 0x0C, 0x24,                      /* mov r9, [rsp] */
    0x4C, 0x8B, 0x54, 0x24, 0x08,                /* mov r10, [rsp+8] */
    0x49, 0x89, 0xCC,                            /* mov r12, rcx */
    0x49, 0x89, 0xF5,                            /* mov r13, rsi */
    0x49, 0x89, 0xFE,                            /* mov r14, rdi */
    0x4C, 0x8B, 0x7C, 0x24, 0x18,                /* mov r15, [rsp+24] */
    0x49, 0xFF, 0xC3,                            /* inc r11 */
    0x48, 0x83, 0x00, 0x03,                      /* add qword ptr [rax], 3 */
    0x41, 0x0F, 0x01, 0x38,                      /* invlpg [r8] */
    0x48, 0x83, 0xC4, 0x08,                      /* add rsp, 8 */
    0x48, 0xCF,                                  /* iretq */
};

static const uint8_t pfhalt[] = {
    0x41, 0x0F, 0x20, 0xD0,                      /* mov r8, cr2 */
    0x4C, 0x8B, 0x0C, 0x24,                      /* mov r9, [rsp] */
    0x4C, 0x8B, 0x54, 0x24, 0x08,                /* mov r10, [rsp+8] */
    0x4C, 0x8B, 0x7C, 0x24, 0x18,                /* mov r15, [rsp+24] */
    0xF4,                                        /* hlt */
};

static const uint8_t overlap[] = {
    0xFC,                                        /* cld */
    0xB9, 0x0A, 0x00, 0x00, 0x00,                /* mov ecx, 10 */
    0xF3, 0xA4,                                  /* rep movsb */
    0xFD,                                        /* std */
    0x48, 0x89, 0xDE,                            /* mov rsi, rbx */
    0x48, 0x8D, 0x7B, 0x02,                      /* lea rdi, [rbx+2] */
    0xB9, 0x08, 0x00, 0x00, 0x00,                /* mov ecx, 8 */
    0xF3, 0xA4,                                  /* rep movsb */
    0xFC,                                        /* cld */
    0xF4,                                        /* hlt */
};

static const uint8_t sti[] = {
    0x90,                                        /* nop */
    0xFB,                                        /* sti */
    0xB8, 0x01, 0x00, 0x00, 0x00,                /* mov eax, 1 */
    0xB8, 0x02, 0x00, 0x00, 0x00,                /* mov eax, 2 */
    0xB8, 0x03, 0x00, 0x00, 0x00,                /* mov eax, 3 */
    0xF4,                                        /* hlt */
};

static const uint8_t movss[] = {
    0xB9, 0x10, 0x00, 0x00, 0x00,                /* mov ecx, 16 */
    0xFB,                                        /* sti */
    0x90,                                        /* nop */
    0x8E, 0xD1,                                  /* mov ss, ecx */
    0xB8, 0x01, 0x00, 0x00, 0x00,                /* mov eax, 1 */
    0xB8, 0x02, 0x00, 0x00, 0x00,                /* mov eax, 2 */
    0xF4,                                        /* hlt */
};

static const uint8_t irq[] = {
    0x4C, 0x8B, 0x0C, 0x24,                      /* mov r9, [rsp] */
    0x49, 0x89, 0xC2,                            /* mov r10, rax */
    0xF4,                                        /* hlt */
};

static const uint8_t tf[] = {
    0x9C,                                        /* pushfq */
    0x81, 0x0C, 0x24, 0x00, 0x01, 0x00, 0x00,    /* or dword ptr [rsp], 0x100 */
    0x9D,                                        /* popfq */
    0xB8, 0x01, 0x00, 0x00, 0x00,                /* mov eax, 1 */
    0xB9, 0x03, 0x00, 0x00, 0x00,                /* mov ecx, 3 */
    0xF3, 0xAA,                                  /* rep stosb */
    0x83, 0xC0, 0x01,                            /* add eax, 1 */
    0xEB, 0x01,                                  /* jmp n */
    0x90,                                        /* nop */
    0x9C,                                        /* n: pushfq */
    0x81, 0x24, 0x24, 0xFF, 0xFE, 0xFF, 0xFF,    /* and dword ptr [rsp], 0xFFFFFEFF */
    0x9D,                                        /* popfq */
    0x90,                                        /* nop */
    0xF4,                                        /* hlt */
};

static const uint8_t dbh[] = {
    0x50,                                        /* push rax */
    0x48, 0x8B, 0x44, 0x24, 0x08,                /* mov rax, [rsp+8] */
    0x48, 0x89, 0x03,                            /* mov [rbx], rax */
    0x48, 0x83, 0xC3, 0x08,                      /* add rbx, 8 */
    0x58,                                        /* pop rax */
    0x48, 0xCF,                                  /* iretq */
};

static const uint8_t spin[] = {
    0x48, 0xFF, 0xC0,                            /* l: inc rax */
    0xEB, 0xFB,                                  /* jmp l */
};

static const uint8_t strs[] = {
    0xB0, 0x55,                                  /* mov al, 0x55 */
    0xB9, 0x64, 0x00, 0x00, 0x00,                /* mov ecx, 100 */
    0xF2, 0xAE,                                  /* repne scasb */
    0x49, 0x89, 0xC8,                            /* mov r8, rcx */
    0x49, 0x89, 0xF9,                            /* mov r9, rdi */
    0x41, 0x0F, 0x94, 0xC2,                      /* sete r10b */
    0x48, 0x89, 0xDE,                            /* mov rsi, rbx */
    0x48, 0x8D, 0xBB, 0x00, 0x01, 0x00, 0x00,    /* lea rdi, [rbx+0x100] */
    0xB9, 0x40, 0x00, 0x00, 0x00,                /* mov ecx, 64 */
    0xF3, 0xA7,                                  /* repe cmpsd */
    0x49, 0x89, 0xCB,                            /* mov r11, rcx */
    0x41, 0x0F, 0x92, 0xC4,                      /* setb r12b */
    0x48, 0x89, 0xDF,                            /* mov rdi, rbx */
    0xB8, 0x04, 0x03, 0x02, 0x01,                /* mov eax, 0x01020304 */
    0xB9, 0x03, 0x00, 0x00, 0x00,                /* mov ecx, 3 */
    0xF3, 0xAB,                                  /* rep stosd */
    0x31, 0xC9,                                  /* xor ecx, ecx */
    0x48, 0x89, 0xDE,                            /* mov rsi, rbx */
    0xF3, 0xAC,                                  /* rep lodsb */
    0x3C, 0x04,                                  /* cmp al, 4 */
    0xB9, 0x00, 0x00, 0x00, 0x00,                /* mov ecx, 0 */
    0xF3, 0xA6,                                  /* repe cmpsb */
    0x41, 0x0F, 0x94, 0xC5,                      /* sete r13b */
    0xF4,                                        /* hlt */
};

static const uint8_t atomic[] = {
    0xB8, 0x05, 0x00, 0x00, 0x00,                /* mov eax, 5 */
    0xB9, 0x09, 0x00, 0x00, 0x00,                /* mov ecx, 9 */
    0xF0, 0x0F, 0xB1, 0x0B,                      /* lock cmpxchg [rbx], ecx */
    0x41, 0x0F, 0x94, 0xC0,                      /* sete r8b */
    0xF0, 0x0F, 0xC1, 0x0B,                      /* lock xadd [rbx], ecx */
    0xF0, 0xFF, 0x03,                            /* lock inc dword ptr [rbx] */
    0x87, 0x13,                                  /* xchg [rbx], edx */
    0xF0, 0x0F, 0xBA, 0x2B, 0x28,                /* lock bts dword ptr [rbx], 40 */
    0x41, 0x0F, 0x92, 0xC1,                      /* setc r9b */
    0xB8, 0x01, 0x00, 0x00, 0x00,                /* mov eax, 1 */
    0x31, 0xD2,                                  /* xor edx, edx */
    0x48, 0x89, 0xDE,                            /* mov rsi, rbx */
    0xBB, 0x11, 0x11, 0x11, 0x11,                /* mov ebx, 0x11111111 */
    0xB9, 0x22, 0x22, 0x22, 0x22,                /* mov ecx, 0x22222222 */
    0xF0, 0x0F, 0xC7, 0x4E, 0x08,                /* lock cmpxchg8b [rsi+8] */
    0x41, 0x0F, 0x94, 0xC2,                      /* setz r10b */
    0xF4,                                        /* hlt */
};

#define LOAD(vm, addr, prog) vm_load(vm, addr, prog, sizeof(prog))
#define REG(n) (vm->cpu->regs[n])

static struct x86vm *long_vm(const uint8_t *code, size_t n)
{
    struct x86vm *vm = vm_new(4 << 20);

    vm_load(vm, CODE, code, n);
    vm_long(vm, CODE);
    return vm;
}
#define LONG_VM(prog) long_vm(prog, sizeof(prog))

static uint64_t mem64(struct x86vm *vm, uint64_t a)
{
    uint64_t v;

    memcpy(&v, vm->ram->host + a, 8);
    return v;
}

/* Final registers as a processor leaves them */
static void test_int64(void)
{
    static const uint64_t want[16] = {
        0xffffffffffffffff, 0x1ff, 0x2, 0x8899665500000000, VM_STACK, 0x5, 0xffffffffffffffff, 0x64,
        0x7, 0x2, 0x3, 0xc, 0xc, 0x1, 0xffffffffffffffff, 0x64,
    };
    struct x86vm *vm = LONG_VM(int64);

    g_assert_cmpint(vm_run(vm), ==, X86_EXIT_HALT);
    for (unsigned i = 0; i < 16; i++) {
        g_assert_cmphex(REG(i), ==, want[i]);
    }
    g_assert_cmpuint(x86_cpu_instructions(vm->cpu), ==, 31);
    vm_free(vm);
}

static void test_real16(void)
{
    struct x86vm *vm = vm_new(4 << 20);
    struct x86_cpu *cpu = vm->cpu;

    for (unsigned i = 0; i < 32; i++) {
        vm->ram->host[0x10000 + ((0xFFF0 + i) & 0xFFFF)] = (uint8_t)(i + 1);
    }
    LOAD(vm, 0x7C00, real16);
    vm->ram->host[0x7E00] = 0xF4;
    memcpy(vm->ram->host + 4 * 0x21, "\x00\x7E\x00\x00", 4);
    cpu->seg[SEG_CS].base = 0;
    cpu->seg[SEG_CS].sel = 0;
    cpu->regs[REG_RIP] = 0x7C00;
    cpu->regs[R_SP] = 0x12340002;       /* pushes wrap at 64 KiB and keep the upper half */
    x86_mode_update(cpu);
    g_assert_cmpint(vm_run(vm), ==, X86_EXIT_HALT);
    for (unsigned i = 0; i < 32; i++) {
        g_assert_cmpuint(vm->ram->host[0x18000 + i], ==, i + 1);
    }
    g_assert_cmphex(REG(R_SI), ==, 0x0010);
    g_assert_cmphex(REG(R_DI), ==, 0x8020);
    g_assert_cmphex(REG(R_BP), ==, 55);
    g_assert_cmphex(REG(R_DX) & 0xFFFF, ==, 0x1000);
    g_assert_cmphex(vm->ram->host[0x10101], ==, 0x43);
    g_assert_cmphex(REG(R_SP), ==, 0x1234FFFC);     /* FLAGS, CS, IP */
    g_assert_cmphex(vm->ram->host[0xFFFC], ==, (uint8_t)(0x7C00 + sizeof(real16) - 1));
    vm_free(vm);
}

static void test_prot32(void)
{
    struct x86vm *vm = vm_new(4 << 20);

    LOAD(vm, CODE, prot32);
    x86_cpu_start_flat32(vm->cpu, CODE, 0, 0, 0, 0, 0, 8, 16);
    g_assert_cmpint(vm_run(vm), ==, X86_EXIT_HALT);
    g_assert_cmphex(REG(R_SI), ==, 144);
    g_assert_cmphex(REG(R_DI), ==, 30);
    g_assert_cmphex(REG(R_SP), ==, 0x90000);
    vm_free(vm);
}

/*
 * Self-modifying code
 */
static void test_smc(void)
{
    struct x86vm *vm = LONG_VM(smcnext);

    g_assert_cmpint(vm_run(vm), ==, X86_EXIT_HALT);
    g_assert_cmphex(REG(R_AX) & 0xFF, ==, 7);
    vm_free(vm);

    /* the same page by another linear address */
    vm = LONG_VM(smcalias);
    *vm_pte(vm, 0x50000) = CODE | 7;
    REG(R_BX) = 0x50004;
    g_assert_cmpint(vm_run(vm), ==, X86_EXIT_HALT);
    g_assert_cmphex(REG(R_AX) & 0xFF, ==, 9);
    vm_free(vm);

    vm = LONG_VM(smcloop);
    g_assert_cmpint(vm_run(vm), ==, X86_EXIT_HALT);
    g_assert_cmpuint(REG(R_BX), ==, 500500);
    vm_free(vm);
}

/* Data beside code: no block dies for it */
static void test_smc_data(void)
{
    struct x86vm *vm = LONG_VM(neardata);

    g_assert_cmpint(vm_run(vm), ==, X86_EXIT_HALT);
    g_assert_cmpuint(REG(R_AX), ==, 1000);
    g_assert_cmpuint(vm->cpu->eng->smc_hits, ==, 0);
    g_assert_cmpuint(vm->cpu->eng->smc_stores, >=, 1000);
    vm_free(vm);
}

/* Writes from outside: reported by ram_written() */
static void test_dma(void)
{
    static const uint8_t one[] = { 0xB0, 0x01, 0xF4 }, two[] = { 0xB0, 0x02, 0xF4 };
    struct x86vm *vm = LONG_VM(one);

    g_assert_cmpint(vm_run(vm), ==, X86_EXIT_HALT);
    g_assert_cmphex(REG(R_AX), ==, 1);
    g_assert_true(vm->ram->page_flags[CODE >> 12] & RAM_CODE);
    LOAD(vm, CODE, two);
    vm->cpu->halted = false;
    REG(REG_RIP) = CODE;
    g_assert_cmpint(vm_run(vm), ==, X86_EXIT_HALT);
    g_assert_cmphex(REG(R_AX), ==, 2);
    vm_free(vm);
}

/* An instruction across two pages: its second page gets another mapping, then other bytes */
static void test_crossing(void)
{
    static const uint8_t head[] = { 0x90, 0xB8, 0x11, 0x22 };
    static const uint8_t tail[] = { 0x33, 0x44, 0xF4 }, tail2[] = { 0x55, 0x66, 0xF4 };
    struct x86vm *vm = vm_new(4 << 20);

    vm_load(vm, 0x10FFC, head, sizeof(head));
    vm_load(vm, 0x11000, tail, sizeof(tail));
    vm_load(vm, 0x20000, tail2, sizeof(tail2));
    vm_long(vm, 0x10FFC);
    g_assert_cmpint(vm_run(vm), ==, X86_EXIT_HALT);
    g_assert_cmphex(REG(R_AX), ==, 0x44332211);

    *vm_pte(vm, 0x11000) = 0x20000 | 7;
    x86_tlb_flush_page(vm->cpu, 0x11000);
    vm->cpu->halted = false;
    REG(REG_RIP) = 0x10FFC;
    g_assert_cmpint(vm_run(vm), ==, X86_EXIT_HALT);
    g_assert_cmphex(REG(R_AX), ==, 0x66552211);

    vm_load(vm, 0x20000, tail, sizeof(tail));
    vm->cpu->halted = false;
    REG(REG_RIP) = 0x10FFC;
    g_assert_cmpint(vm_run(vm), ==, X86_EXIT_HALT);
    g_assert_cmphex(REG(R_AX), ==, 0x44332211);

    /* not there: the fault is the instruction's, the address the second page's */
    LOAD(vm, 0x30000, pfhalt);
    vm_gate64(vm, EXC_PF, 0x30000);
    *vm_pte(vm, 0x11000) = 0;
    x86_tlb_flush_page(vm->cpu, 0x11000);
    vm->cpu->halted = false;
    REG(REG_RIP) = 0x10FFC;
    g_assert_cmpint(vm_run(vm), ==, X86_EXIT_HALT);
    g_assert_cmphex(REG(8), ==, 0x11000);
    g_assert_cmphex(REG(10), ==, 0x10FFD);
    vm_free(vm);
}

/*
 * Faults
 */
static void test_fault(void)
{
    struct x86vm *vm = LONG_VM(pf64);

    LOAD(vm, 0x30000, pfhalt);
    vm_gate64(vm, EXC_PF, 0x30000);
    *vm_pte(vm, 0x41000) = 0x41000 | 5;         /* read-only */
    REG(R_BX) = 0x41008;
    g_assert_cmpint(vm_run(vm), ==, X86_EXIT_HALT);
    g_assert_cmphex(REG(8), ==, 0x41008);
    g_assert_cmphex(REG(9), ==, 3);             /* present, write */
    g_assert_cmphex(REG(10), ==, CODE + 18);
    g_assert_cmphex(REG(R_DX), ==, 0x78);       /* before it: done; behind it: not */
    g_assert_cmphex(REG(15) & FL_ARITH, ==, FL_PF); /* flags of the addition before */
    g_assert_cmphex(mem64(vm, 0x41008), ==, 0);
    vm_free(vm);
}

/* REP MOVSB into a page that is missing: exact registers in the handler, which maps it and returns */
static void test_rep_fault(void)
{
    struct x86vm *vm = LONG_VM(repf);

    LOAD(vm, 0x30000, pfhandler);
    vm_gate64(vm, EXC_PF, 0x30000);
    for (unsigned i = 0; i < 0x3000; i++) {
        vm->ram->host[0x50000 + i] = (uint8_t)(i * 7);
    }
    *vm_pte(vm, 0x62000) = 0x62000;             /* the handler adds P and RW */
    REG(R_AX) = VM_TABLES + 0x3000 + 8 * 0x62;
    REG(R_SI) = 0x50010;
    REG(R_DI) = 0x61000;
    REG(R_CX) = 0x1800;
    g_assert_cmpint(vm_run(vm), ==, X86_EXIT_HALT);
    g_assert_cmphex(REG(11), ==, 1);
    g_assert_cmphex(REG(8), ==, 0x62000);
    g_assert_cmphex(REG(9), ==, 2);
    g_assert_cmphex(REG(10), ==, CODE + 1);
    g_assert_cmphex(REG(12), ==, 0x800);
    g_assert_cmphex(REG(13), ==, 0x51010);
    g_assert_cmphex(REG(14), ==, 0x62000);
    g_assert_cmphex(REG(R_CX), ==, 0);
    g_assert_cmpmem(vm->ram->host + 0x61000, 0x1800, vm->ram->host + 0x50010, 0x1800);
    vm_free(vm);
}

static void test_overlap(void)
{
    struct x86vm *vm = LONG_VM(overlap);
    uint8_t *m = vm->ram->host + 0x50000;

    memcpy(m, "abcdefghijklmnop", 16);
    REG(R_SI) = 0x50000;
    REG(R_DI) = 0x50002;
    REG(R_BX) = 0x50005;        /* then downwards from 0x50005 to 0x50007: not a pattern */
    g_assert_cmpint(vm_run(vm), ==, X86_EXIT_HALT);
    /* upwards: ab ab ab...; then downwards from what was there, with two zeroes from below */
    g_assert_cmpmem(m, 16, "\0\0abababababmnop", 16);
    g_assert_cmphex(REG(R_SI), ==, 0x4FFFD);
    vm_free(vm);
}

static void test_strings(void)
{
    struct x86vm *vm = LONG_VM(strs);
    uint8_t *m = vm->ram->host + 0x50000;

    vm->ram->host[0x40000 + 41] = 0x55;
    memcpy(m, "0123456789abcdef0123456789abcdef", 32);
    memcpy(m + 0x100, "0123456789abcdef0123456789abzdef", 32);
    REG(R_DI) = 0x40000;
    REG(R_BX) = 0x50000;
    g_assert_cmpint(vm_run(vm), ==, X86_EXIT_HALT);
    g_assert_cmphex(REG(8), ==, 58);
    g_assert_cmphex(REG(9), ==, 0x4002A);
    g_assert_cmphex(REG(10) & 0xFF, ==, 1);
    g_assert_cmphex(REG(11), ==, 64 - 8);       /* words 0..6 agree, word 7 does not */
    g_assert_cmphex(REG(12) & 0xFF, ==, 1);     /* source below destination */
    g_assert_cmphex(mem64(vm, 0x50000), ==, 0x0102030401020304);
    g_assert_cmphex(mem64(vm, 0x50008) & 0xFFFFFFFF, ==, 0x01020304);
    g_assert_cmphex(REG(13) & 0xFF, ==, 1);     /* REPE CMPSB with rCX = 0: flags of the CMP before */
    vm_free(vm);
}

static void test_atomic(void)
{
    struct x86vm *vm = LONG_VM(atomic);
    uint8_t *m = vm->ram->host + 0x50000;

    memcpy(m, "\x05\0\0\0\xF0\0\0\0\x01\0\0\0\0\0\0\0", 16);
    REG(R_BX) = 0x50000;
    REG(R_DX) = 0x200;
    g_assert_cmpint(vm_run(vm), ==, X86_EXIT_HALT);
    g_assert_cmphex(REG(8) & 0xFF, ==, 1);
    g_assert_cmphex(REG(9) & 0xFF, ==, 0);
    g_assert_cmphex(REG(10) & 0xFF, ==, 1);
    g_assert_cmphex(mem64(vm, 0x50000), ==, 0x000000F0ULL << 32 | 0x200 | 1 << 8);
    g_assert_cmphex(mem64(vm, 0x50008), ==, 0x2222222211111111);
    vm_free(vm);
}

/*
 * Events
 */
static void shadow(const uint8_t *code, size_t n, uint64_t rip)
{
    struct x86vm *vm = long_vm(code, n);

    LOAD(vm, 0x30000, irq);
    vm_gate64(vm, 0x40, 0x30000);
    vm->vector = 0x40;
    x86_cpu_set_intr(vm->cpu, true);
    g_assert_cmpint(vm_run(vm), ==, X86_EXIT_HALT);
    g_assert_cmpuint(vm->acks, ==, 1);
    g_assert_cmphex(REG(9), ==, rip);
    vm_free(vm);
}

static void test_shadow(void)
{
    shadow(sti, sizeof(sti), CODE + 7);         /* behind the first MOV */
    shadow(movss, sizeof(movss), CODE + 7);     /* STI, NOP, then at once */
}

/* MOV SS holds off what comes while it runs: here the interrupt is raised by hand in between */
static void test_movss(void)
{
    static const uint8_t code[] = { 0x8E, 0xD1, 0xB8, 0x01, 0x00, 0x00, 0x00, 0xB8, 0x02, 0x00, 0x00, 0x00, 0xF4 };
    struct x86vm *vm = LONG_VM(code);

    LOAD(vm, 0x30000, irq);
    vm_gate64(vm, 0x40, 0x30000);
    REG(R_CX) = 16;
    vm->vector = 0x40;
    vm->cpu->eflags |= FL_IF;
    vm->cpu->shadow = SHADOW_STI;               /* as if STI had just run: MOV SS is in its shadow, and casts one */
    x86_cpu_set_intr(vm->cpu, true);
    g_assert_cmpint(vm_run(vm), ==, X86_EXIT_HALT);
    g_assert_cmphex(REG(9), ==, CODE + 7);
    vm_free(vm);
}

/*
 * One #DB behind each instruction, three for REP STOSB; none behind the POPF that sets TF, one behind the one that
 * clears it
 */
static void test_tf(void)
{
    struct x86vm *vm = LONG_VM(tf);
    unsigned n;
    static const uint16_t want[] = { 14, 19, 19, 19, 21, 24, 27, 28, 35, 36 };

    LOAD(vm, 0x30000, dbh);
    vm_gate64(vm, EXC_DB, 0x30000);
    REG(R_BX) = 0x50000;
    REG(R_DI) = 0x60000;
    g_assert_cmpint(vm_run(vm), ==, X86_EXIT_HALT);
    n = (unsigned)(REG(R_BX) - 0x50000) / 8;
    for (unsigned i = 0; i < n; i++) {
        g_test_message("#DB at +%u", (unsigned)(mem64(vm, 0x50000 + 8 * i) - CODE));
    }
    g_assert_cmpuint(n, ==, G_N_ELEMENTS(want));
    for (unsigned i = 0; i < n; i++) {
        g_assert_cmphex(mem64(vm, 0x50000 + 8 * i), ==, CODE + want[i]);
    }
    vm_free(vm);
}

/* A second CPU on the same memory stores into what the first has decoded */
static void test_smp_code(void)
{
    static const uint8_t one[] = { 0xB0, 0x01, 0xF4 };                      /* mov al, 1; hlt */
    static const uint8_t store[] = { 0xC6, 0x03, 0x02, 0xF4 };              /* mov byte ptr [rbx], 2; hlt */
    struct x86vm *vm = LONG_VM(one), other;
    struct x86_platform plat = vm->cpu->plat;
    Error *err = NULL;

    machine_lock();
    other = *vm;
    other.cpu = x86_cpu_new(x86_features_parse("max", &err), &vm->mem, &vm->io, &plat, &err);
    machine_unlock();
    x86_cpu_join(vm->cpu, other.cpu);
    vm_load(vm, 0x18000, store, sizeof(store));
    vm_long(&other, 0x18000);
    other.cpu->regs[R_BX] = CODE + 1;
    *(vm->ram->host + CODE + 1) = 0;            /* the other CPU has a write tag before the page gets code */
    g_assert_cmpint(vm_run(&other), ==, X86_EXIT_HALT);
    g_assert_cmpint(vm_run(vm), ==, X86_EXIT_HALT);
    g_assert_cmphex(REG(R_AX), ==, 2);
    *(vm->ram->host + CODE + 1) = 7;
    x86_cpu_wrote_ram(other.cpu, vm->ram, CODE + 1, 1);     /* reaches all of the ring */
    for (unsigned i = 0; i < 2; i++) {
        vm->cpu->halted = other.cpu->halted = false;
        REG(REG_RIP) = CODE;
        g_assert_cmpint(vm_run(vm), ==, X86_EXIT_HALT);
        g_assert_cmphex(REG(R_AX), ==, i ? 2 : 7);
        other.cpu->regs[REG_RIP] = 0x18000;
        g_assert_cmpint(vm_run(&other), ==, X86_EXIT_HALT);
    }
    machine_lock();
    x86_cpu_free(other.cpu);
    machine_unlock();
    vm_free(vm);
}

/* Little room for decoded code: everything is dropped over and over */
static void test_arena(void)
{
    struct x86vm *vm = vm_new(4 << 20);

    LOAD(vm, CODE, prot32);
    vm->cpu->eng->arena_size = 3072;
    x86_cpu_start_flat32(vm->cpu, CODE, 0, 0, 0, 0, 0, 8, 16);
    g_assert_cmpint(vm_run(vm), ==, X86_EXIT_HALT);
    g_assert_cmphex(REG(R_SI), ==, 144);
    g_assert_cmphex(REG(R_DI), ==, 30);
    g_assert_cmpuint(vm->cpu->eng->flushes, >, 0);
    vm_free(vm);
}

/*
 * Two instructions by one handler: the second faults, the first has happened; and no fault in the first runs the second
 */
static void test_pair_fault(void)
{
    static const uint8_t loads[] = { 0x48, 0x8B, 0x03, 0x48, 0x8B, 0x0E, 0xF4 };    /* mov rax, [rbx]; mov rcx, [rsi] */
    static const uint8_t pushes[] = { 0x50, 0x51, 0xF4 };                           /* push rax; push rcx */
    struct x86vm *vm = LONG_VM(loads);

    LOAD(vm, 0x30000, pfhalt);
    vm_gate64(vm, EXC_PF, 0x30000);
    memcpy(vm->ram->host + 0x50000, "12345678", 8);
    *vm_pte(vm, 0x51000) = 0;
    REG(R_BX) = 0x50000;
    REG(R_SI) = 0x51000;
    REG(R_CX) = 5;
    g_assert_cmpint(vm_run(vm), ==, X86_EXIT_HALT);
    g_assert_cmphex(REG(8), ==, 0x51000);
    g_assert_cmphex(REG(10), ==, CODE + 3);
    g_assert_cmphex(REG(R_AX), ==, 0x3837363534333231);
    g_assert_cmphex(REG(R_CX), ==, 5);
    REG(REG_RIP) = CODE;
    REG(R_BX) = 0x51008;
    REG(R_AX) = 6;
    vm->cpu->halted = false;
    g_assert_cmpint(vm_run(vm), ==, X86_EXIT_HALT);
    g_assert_cmphex(REG(8), ==, 0x51008);
    g_assert_cmphex(REG(10), ==, CODE);
    g_assert_cmphex(REG(R_AX), ==, 6);
    vm_free(vm);

    /* the handler's stack is elsewhere: IST 1 */
    vm = LONG_VM(pushes);
    LOAD(vm, 0x30000, pfhalt);
    vm_gate64(vm, EXC_PF, 0x30000);
    vm->ram->host[VM_IDT + 16 * EXC_PF + 4] = 1;
    vm->cpu->seg[SEG_TR].base = 0x70000;
    vm->cpu->seg[SEG_TR].limit = 0x67;
    vm->cpu->seg[SEG_TR].attr = SEGA_P | 11;
    memcpy(vm->ram->host + 0x70024, "\0\0\x08\0\0\0\0\0", 8);
    *vm_pte(vm, 0x50000) = 0;
    REG(R_SP) = 0x51008;
    REG(R_AX) = 0x1234;
    g_assert_cmpint(vm_run(vm), ==, X86_EXIT_HALT);
    g_assert_cmphex(REG(8), ==, 0x50FF8);
    g_assert_cmphex(REG(10), ==, CODE + 1);
    g_assert_cmphex(mem64(vm, 0x51000), ==, 0x1234);
    g_assert_cmphex(mem64(vm, REG(R_SP) + 32), ==, 0x51000);
    vm_free(vm);
}

/*
 * Random blocks, run as blocks (specialised, fused and paired handlers, dead flags left out) and singly
 * (generic block ends, nothing fused): the same must come out.
 */
struct gen {
    GRand *rand;
    uint8_t buf[2048];
    unsigned n;
    bool silicon;       /* undefined flags are the host CPU's (translator): overwrite them */
};

static unsigned pick(struct gen *g, unsigned n)
{
    return (unsigned)g_rand_int_range(g->rand, 0, (gint32)n);
}

static void put(struct gen *g, unsigned v)
{
    g->buf[g->n++] = (uint8_t)v;
}

/* Any but RBX (the data) and RSP */
static unsigned any_reg(struct gen *g)
{
    static const uint8_t regs[] = { 0, 1, 2, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };

    return regs[pick(g, sizeof(regs))];
}

/* REX, opcode (two bytes when above 0xFF), ModRM: register, or memory near RBX */
static void modrm(struct gen *g, unsigned op, unsigned reg, bool wide, bool mem)
{
    unsigned rm = mem ? 3 : any_reg(g);

    put(g, 0x40 | (wide ? 8 : 0) | (reg & 8 ? 4 : 0) | (rm & 8 ? 1 : 0));
    if (op > 0xFF) {
        put(g, op >> 8);
    }
    put(g, op & 0xFF);
    put(g, (mem ? 0x40 : 0xC0) | (reg & 7) << 3 | (rm & 7));
    if (mem) {
        put(g, pick(g, 64));
    }
}

/* CMP of two registers behind what leaves flags undefined */
static void gen_defined(struct gen *g)
{
    if (g->silicon) {
        modrm(g, 0x39, any_reg(g), pick(g, 2), false);
    }
}

static void gen_one(struct gen *g)
{
    static const uint8_t two[] = {
        0x01, 0x03, 0x09, 0x0B, 0x11, 0x13, 0x19, 0x1B, 0x21, 0x23, 0x29, 0x2B, 0x31, 0x33, 0x39, 0x3B, 0x85, 0x00,
        0x02, 0x28, 0x2A, 0x30, 0x38, 0x3A, 0x84, 0x89, 0x8B, 0x88, 0x8A,
    };
    static const uint16_t ext[] = { 0x0FB6, 0x0FB7, 0x0FBE, 0x0FBF, 0x63, 0x0FAF, 0x0FBC };
    bool wide = pick(g, 2), mem = pick(g, 3) == 0;
    unsigned k;

    switch (pick(g, 12)) {
    case 0:
    case 1:
    case 2:
        modrm(g, two[pick(g, sizeof(two))], any_reg(g), wide, mem);
        break;
    case 3:
        modrm(g, 0x83, pick(g, 8), wide, mem);
        put(g, pick(g, 256));
        break;
    case 4:
        modrm(g, pick(g, 3) ? 0xC1 : 0xC0, (const uint8_t[]){ 4, 5, 7, 0, 1, 2 }[pick(g, 6)], wide, mem);
        k = pick(g, 40);
        put(g, g->silicon && k & 1 ? 1 : k);
        if (!(k & 1)) {
            gen_defined(g);
        }
        break;
    case 5:
        modrm(g, 0xD3, (const uint8_t[]){ 4, 5, 7 }[pick(g, 3)], wide, mem);
        gen_defined(g);
        break;
    case 6:
        modrm(g, 0xFF, pick(g, 2), wide, mem);
        break;
    case 7:
        k = pick(g, G_N_ELEMENTS(ext));
        modrm(g, ext[k], any_reg(g), wide, mem);
        if (k >= 5) {
            gen_defined(g);
        }
        break;
    case 8:
        modrm(g, 0x0F90 + pick(g, 16), 0, false, mem);
        break;
    case 9:
        modrm(g, 0x0F40 + pick(g, 16), any_reg(g), wide, mem);
        break;
    case 10:
        modrm(g, 0x8D, any_reg(g), wide, true);
        break;
    default:
        modrm(g, 0x89, any_reg(g), wide, false);
        break;
    }
}

static void gen_block(struct gen *g)
{
    g->n = 0;
    for (unsigned i = 0; i < 60; i++) {
        unsigned at;

        gen_one(g);
        if (pick(g, 4) == 0) {              /* a compare or test, then a jump over the next instruction */
            if (pick(g, 2)) {
                modrm(g, pick(g, 2) ? 0x39 : 0x85, any_reg(g), pick(g, 2), pick(g, 3) == 0);
            }
            put(g, 0x70 + pick(g, 16));
            at = g->n;
            put(g, 0);
            gen_one(g);
            g->buf[at] = (uint8_t)(g->n - at - 1);
        }
    }
    put(g, 0xF4);
}

static void run_block(struct x86vm *vm, struct gen *g, bool step)
{
    for (unsigned i = 0; i < 16; i++) {
        REG(i) = i * 0x123456789ABCDEFULL;
    }
    REG(3) = 0x50000;
    REG(R_SP) = VM_STACK;
    memset(vm->ram->host + 0x50000, 0x5A, 128);
    flags_set(vm->cpu, 0);
    vm->cpu->dr[0] = 0x123456;
    vm->cpu->dr[7] = step ? 0x402 : 0x400;      /* a breakpoint that is never met: one instruction at a time */
    x86_mode_update(vm->cpu);
    REG(REG_RIP) = CODE;
    vm->cpu->halted = false;
    g_assert_cmpint(vm_run(vm), ==, X86_EXIT_HALT);
}

static void test_random(void)
{
    struct x86vm *vm = vm_new(4 << 20);
    struct gen g = { .rand = g_rand_new_with_seed(20), .silicon = vm->cpu->jit };
    const uint32_t care = g.silicon ? ~(uint32_t)FL_AF : ~0u;

    vm_long(vm, CODE);
    for (unsigned i = 0; i < 3000; i++) {
        uint64_t regs[16];
        uint8_t mem[128];
        uint32_t flags;

        gen_block(&g);
        vm_load(vm, CODE, g.buf, g.n);
        run_block(vm, &g, false);
        memcpy(regs, vm->cpu->regs, sizeof(regs));
        memcpy(mem, vm->ram->host + 0x50000, sizeof(mem));
        flags = flags_arith(vm->cpu) & care;
        run_block(vm, &g, true);
        if (memcmp(regs, vm->cpu->regs, sizeof(regs)) || flags != (flags_arith(vm->cpu) & care)) {
            g_test_message("block %u", i);
        }
        g_assert_cmpmem(regs, sizeof(regs), vm->cpu->regs, sizeof(regs));
        g_assert_cmpmem(mem, sizeof(mem), vm->ram->host + 0x50000, sizeof(mem));
        g_assert_cmphex(flags, ==, flags_arith(vm->cpu) & care);
    }
    g_rand_free(g.rand);
    vm_free(vm);
}

static gpointer kicker(gpointer opaque)
{
    struct x86vm *vm = opaque;

    g_usleep(20000);
    x86_cpu_kick(vm->cpu);
    return NULL;
}

static void test_kick(void)
{
    struct x86vm *vm = LONG_VM(spin);
    GThread *t = g_thread_new("kick", kicker, vm);
    int64_t t0 = g_get_monotonic_time();

    g_assert_cmpint(x86_cpu_run(vm->cpu), ==, X86_EXIT_KICK);
    g_assert_cmpint(g_get_monotonic_time() - t0, <, 2000000);
    g_thread_join(t);
    g_assert_cmpuint(REG(R_AX), >, 1000);
    vm_free(vm);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/interp/int64", test_int64);
    g_test_add_func("/interp/real16", test_real16);
    g_test_add_func("/interp/prot32", test_prot32);
    g_test_add_func("/interp/smc", test_smc);
    g_test_add_func("/interp/smc-data", test_smc_data);
    g_test_add_func("/interp/dma", test_dma);
    g_test_add_func("/interp/crossing", test_crossing);
    g_test_add_func("/interp/fault", test_fault);
    g_test_add_func("/interp/rep-fault", test_rep_fault);
    g_test_add_func("/interp/overlap", test_overlap);
    g_test_add_func("/interp/strings", test_strings);
    g_test_add_func("/interp/atomic", test_atomic);
    g_test_add_func("/interp/shadow", test_shadow);
    g_test_add_func("/interp/movss", test_movss);
    g_test_add_func("/interp/tf", test_tf);
    g_test_add_func("/interp/smp-code", test_smp_code);
    g_test_add_func("/interp/arena", test_arena);
    g_test_add_func("/interp/pair-fault", test_pair_fault);
    g_test_add_func("/interp/random", test_random);
    g_test_add_func("/interp/kick", test_kick);
    return g_test_run();
}
