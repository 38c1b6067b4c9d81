/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/bench/bench-interp.c - how fast the CPU engine runs small loops: millions of guest instructions a second
 *
 * Usage: bench-interp [NAME...]. Programs are 64-bit, hand-assembled, enter at offset 0 and end in HLT.
 */
#include "tests/lib/x86vm.h"
#include <stdio.h>

#define CODE 0x10000
#define DATA 0x20000
#define OUT 0x40000

static const uint8_t alu[] = {
    0xB9, 0x00, 0x2D, 0x31, 0x01,                /* mov ecx, 20000000 */
    0xB8, 0x01, 0x00, 0x00, 0x00,                /* mov eax, 1 */
    0xBB, 0x78, 0x56, 0x34, 0x12,                /* mov ebx, 0x12345678 */
    0x01, 0xD8,                                  /* l: add eax, ebx */
    0x31, 0xC2,                                  /* xor edx, eax */
    0x8D, 0x74, 0x50, 0x07,                      /* lea esi, [rax+rdx*2+7] */
    0x81, 0xE6, 0xFF, 0xFF, 0xFF, 0x00,          /* and esi, 0xFFFFFF */
    0x29, 0xF3,                                  /* sub ebx, esi */
    0x83, 0xCF, 0x01,                            /* or edi, 1 */
    0xC1, 0xE2, 0x03,                            /* shl edx, 3 */
    0x41, 0x89, 0xF8,                            /* mov r8d, edi */
    0xFF, 0xC9,                                  /* dec ecx */
    0x75, 0xE3,                                  /* jnz l */
    0xF4,                                        /* hlt */
};

static const uint8_t sum[] = {
    0x41, 0xB9, 0x20, 0x4E, 0x00, 0x00,          /* mov r9d, 20000 */
    0x31, 0xC9,                                  /* o: xor ecx, ecx */
    0x31, 0xC0,                                  /* xor eax, eax */
    0x48, 0x03, 0x04, 0xCE,                      /* l: add rax, [rsi+rcx*8] */
    0x48, 0xFF, 0xC1,                            /* inc rcx */
    0x48, 0x81, 0xF9, 0xE8, 0x03, 0x00, 0x00,    /* cmp rcx, 1000 */
    0x75, 0xF0,                                  /* jne l */
    0x41, 0xFF, 0xC9,                            /* dec r9d */
    0x75, 0xE7,                                  /* jnz o */
    0xF4,                                        /* hlt */
};

static const uint8_t fib[] = {
    0xBF, 0x20, 0x00, 0x00, 0x00,                /* mov edi, 32 */
    0xE8, 0x01, 0x00, 0x00, 0x00,                /* call f */
    0xF4,                                        /* hlt */
    0x53,                                        /* f: push rbx */
    0x89, 0xFB,                                  /* mov ebx, edi */
    0x89, 0xF8,                                  /* mov eax, edi */
    0x83, 0xFF, 0x02,                            /* cmp edi, 2 */
    0x72, 0x14,                                  /* jb d */
    0x8D, 0x7B, 0xFF,                            /* lea edi, [rbx-1] */
    0xE8, 0xEE, 0xFF, 0xFF, 0xFF,                /* call f */
    0x50,                                        /* push rax */
    0x8D, 0x7B, 0xFE,                            /* lea edi, [rbx-2] */
    0xE8, 0xE5, 0xFF, 0xFF, 0xFF,                /* call f */
    0x5A,                                        /* pop rdx */
    0x01, 0xD0,                                  /* add eax, edx */
    0x5B,                                        /* d: pop rbx */
    0xC3,                                        /* ret */
};

static const uint8_t crc[] = {
    0x41, 0xB9, 0x20, 0x4E, 0x00, 0x00,          /* mov r9d, 20000 */
    0xB8, 0xFF, 0xFF, 0xFF, 0xFF,                /* o: mov eax, -1 */
    0x31, 0xC9,                                  /* xor ecx, ecx */
    0x0F, 0xB6, 0x14, 0x0E,                      /* l: movzx edx, byte ptr [rsi+rcx] */
    0x30, 0xC2,                                  /* xor dl, al */
    0xC1, 0xE8, 0x08,                            /* shr eax, 8 */
    0x0F, 0xB6, 0xD2,                            /* movzx edx, dl */
    0x33, 0x04, 0x97,                            /* xor eax, [rdi+rdx*4] */
    0x48, 0xFF, 0xC1,                            /* inc rcx */
    0x48, 0x81, 0xF9, 0x00, 0x04, 0x00, 0x00,    /* cmp rcx, 1024 */
    0x72, 0xE5,                                  /* jb l */
    0x41, 0xFF, 0xC9,                            /* dec r9d */
    0x75, 0xD9,                                  /* jnz o */
    0xF4,                                        /* hlt */
};

static const uint8_t copy[] = {
    0x41, 0xB9, 0x20, 0x4E, 0x00, 0x00,          /* mov r9d, 20000 */
    0x49, 0x89, 0xF2,                            /* o: mov r10, rsi */
    0x49, 0x89, 0xFB,                            /* mov r11, rdi */
    0x41, 0x8A, 0x02,                            /* l: mov al, [r10] */
    0x41, 0x88, 0x03,                            /* mov [r11], al */
    0x49, 0xFF, 0xC2,                            /* inc r10 */
    0x49, 0xFF, 0xC3,                            /* inc r11 */
    0x84, 0xC0,                                  /* test al, al */
    0x75, 0xF0,                                  /* jnz l */
    0x41, 0xFF, 0xC9,                            /* dec r9d */
    0x75, 0xE5,                                  /* jnz o */
    0xF4,                                        /* hlt */
};

static const uint8_t sort[] = {
    0x41, 0xB9, 0xC8, 0x00, 0x00, 0x00,          /* mov r9d, 200 */
    0xB9, 0xC8, 0x00, 0x00, 0x00,                /* o: mov ecx, 200 */
    0x8D, 0x51, 0xFF,                            /* i: lea edx, [rcx-1] */
    0x49, 0x89, 0xF0,                            /* mov r8, rsi */
    0x41, 0x8B, 0x00,                            /* n: mov eax, [r8] */
    0x41, 0x8B, 0x58, 0x04,                      /* mov ebx, [r8+4] */
    0x69, 0xC0, 0x6D, 0x4E, 0xC6, 0x41,          /* imul eax, eax, 1103515245 */
    0x05, 0x39, 0x30, 0x00, 0x00,                /* add eax, 12345 */
    0x39, 0xD8,                                  /* cmp eax, ebx */
    0x7E, 0x07,                                  /* jle s */
    0x41, 0x89, 0x18,                            /* mov [r8], ebx */
    0x41, 0x89, 0x40, 0x04,                      /* mov [r8+4], eax */
    0x49, 0x83, 0xC0, 0x04,                      /* s: add r8, 4 */
    0xFF, 0xCA,                                  /* dec edx */
    0x75, 0xDB,                                  /* jnz n */
    0xFF, 0xC9,                                  /* dec ecx */
    0x83, 0xF9, 0x01,                            /* cmp ecx, 1 */
    0x77, 0xCE,                                  /* ja i */
    0x41, 0xFF, 0xC9,                            /* dec r9d */
    0x75, 0xC4,                                  /* jnz o */
    0xF4,                                        /* hlt */
};

static const uint8_t repmovs[] = {
    0x41, 0xB9, 0x40, 0x0D, 0x03, 0x00,          /* mov r9d, 200000 */
    0x49, 0x89, 0xF2,                            /* mov r10, rsi */
    0x49, 0x89, 0xFB,                            /* mov r11, rdi */
    0x4C, 0x89, 0xD6,                            /* o: mov rsi, r10 */
    0x4C, 0x89, 0xDF,                            /* mov rdi, r11 */
    0xB9, 0xA0, 0x0F, 0x00, 0x00,                /* mov ecx, 4000 */
    0xF3, 0xA4,                                  /* rep movsb */
    0x41, 0xFF, 0xC9,                            /* dec r9d */
    0x75, 0xEE,                                  /* jnz o */
    0xF4,                                        /* hlt */
};

static const uint8_t icall[] = {
    0x41, 0xB9, 0x40, 0x4B, 0x4C, 0x00,          /* mov r9d, 5000000 */
    0x48, 0x8D, 0x1D, 0x08, 0x00, 0x00, 0x00,    /* lea rbx, [rip+f] */
    0xFF, 0xD3,                                  /* o: call rbx */
    0x41, 0xFF, 0xC9,                            /* dec r9d */
    0x75, 0xF9,                                  /* jnz o */
    0xF4,                                        /* hlt */
    0x83, 0xC0, 0x01,                            /* f: add eax, 1 */
    0xC3,                                        /* ret */
};

static const uint8_t branchy[] = {
    0x41, 0xB9, 0x80, 0x96, 0x98, 0x00,          /* mov r9d, 10000000 */
    0xB8, 0x01, 0x00, 0x00, 0x00,                /* mov eax, 1 */
    0x89, 0xC2,                                  /* o: mov edx, eax */
    0xC1, 0xE2, 0x0D,                            /* shl edx, 13 */
    0x31, 0xD0,                                  /* xor eax, edx */
    0x89, 0xC2,                                  /* mov edx, eax */
    0xC1, 0xEA, 0x11,                            /* shr edx, 17 */
    0x31, 0xD0,                                  /* xor eax, edx */
    0x89, 0xC2,                                  /* mov edx, eax */
    0xC1, 0xE2, 0x05,                            /* shl edx, 5 */
    0x31, 0xD0,                                  /* xor eax, edx */
    0xA8, 0x01,                                  /* test al, 1 */
    0x74, 0x05,                                  /* jz a */
    0x41, 0xFF, 0xC2,                            /* inc r10d */
    0xEB, 0x03,                                  /* jmp b */
    0x41, 0xFF, 0xC3,                            /* a: inc r11d */
    0x3C, 0x80,                                  /* b: cmp al, 128 */
    0x72, 0x03,                                  /* jb c */
    0x41, 0x01, 0xC4,                            /* add r12d, eax */
    0x41, 0xFF, 0xC9,                            /* c: dec r9d */
    0x75, 0xD3,                                  /* jnz o */
    0xF4,                                        /* hlt */
};

static const struct prog {
    const char *name;
    const uint8_t *code;
    size_t len;
} progs[] = {
#define P(x) { #x, x, sizeof(x) }
    P(alu), P(sum), P(fib), P(crc), P(copy), P(sort), P(repmovs), P(icall), P(branchy),
#undef P
};

static void fill_data(struct x86vm *vm)
{
    uint32_t x = 1;

    for (unsigned i = 0; i < 0x8000; i++) {
        x = x * 1664525 + 1013904223;
        vm->ram->host[DATA + i] = (uint8_t)((x >> 24) | 1);
    }
    vm->ram->host[DATA + 1000] = 0;
}

static void run(const struct prog *p)
{
    struct x86vm *vm = vm_new(16 << 20);
    int64_t t0, t;
    double insns;
    enum x86_exit why;

    fill_data(vm);
    vm_load(vm, CODE, p->code, p->len);
    vm_long(vm, CODE);
    vm->cpu->regs[R_SI] = DATA;
    vm->cpu->regs[R_DI] = OUT;
    t0 = g_get_monotonic_time();
    why = vm_run(vm);
    t = g_get_monotonic_time() - t0;
    insns = (double)x86_cpu_instructions(vm->cpu);
    printf("%-10s %8.1f MIPS  (%.0f million in %.3f s, rax %016" G_GINT64_MODIFIER "x rcx %" G_GINT64_MODIFIER "x r10 %" G_GINT64_MODIFIER "x r12 %" G_GINT64_MODIFIER "x%s)\n", p->name,
           insns / (double)MAX(t, 1), insns / 1e6, (double)t / 1e6, vm->cpu->regs[R_AX], vm->cpu->regs[R_CX],
           vm->cpu->regs[10], vm->cpu->regs[12], why == X86_EXIT_HALT ? "" : ", not halted!");
    if (g_getenv("BENCH_STATS")) {
        GString *out = g_string_new("");

        x86_cpu_print_stats(vm->cpu, out);
        printf("%s", out->str);
        g_string_free(out, TRUE);
    }
    vm_free(vm);
}

int main(int argc, char **argv)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(progs); i++) {
        bool wanted = argc < 2;

        for (int k = 1; k < argc; k++) {
            wanted |= !strcmp(argv[k], progs[i].name);
        }
        if (wanted) {
            run(&progs[i]);
        }
    }
    return 0;
}
