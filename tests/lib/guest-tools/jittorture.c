/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * jittorture - what programs do that is hard on a translator; linked statically, runs on a stock kernel and on the host
 *
 * Each part prints a checksum that does not depend on where it runs: strings across pages in both directions, code
 * that changes itself (also by another mapping), signals in the middle of floating-point code, faults with live
 * flags, exceptions of the FPU, deep recursion that a longjmp leaves, and contexts that swap stacks.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

enum { PAGE = 4096 };

static uint64_t mix(uint64_t h, uint64_t v)
{
    return (h ^ v) * 0x100000001B3ULL;
}

static uint64_t sum(const void *p, size_t n)
{
    const uint8_t *b = p;
    uint64_t h = 0xCBF29CE484222325ULL;

    for (size_t i = 0; i < n; i++) {
        h = mix(h, b[i]);
    }
    return h;
}

static void *pages(size_t n, int prot)
{
    void *p = mmap(NULL, n * PAGE, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (p == MAP_FAILED) {
        perror("mmap");
        exit(1);
    }
    return p;
}

static void show(const char *name, uint64_t v)
{
    printf("TORTURE %s %016llx\n", name, (unsigned long long)v);
    fflush(stdout);
}

/*
 * Strings
 */
static uint32_t seed = 1;

static uint32_t rnd(uint32_t below)
{
    seed = seed * 1664525 + 1013904223;
    return (uint32_t)((uint64_t)seed * below >> 32);
}

#define REP(ins, width)                                                                         \
    __asm__ volatile("test %3, %3; jz 1f; std; 1: rep " ins "; cld"                             \
                     : "+D"(d), "+S"(s), "+c"(n) : "r"(down), "a"(v) : "memory", "cc")
#define FIND(ins)                                                                               \
    __asm__ volatile("test %3, %3; jz 1f; std; 1: cmp %%al, %%al; " ins "; setz %%al; cld"      \
                     : "+D"(d), "+S"(s), "+c"(n), "+r"(down), "+a"(v) : : "memory", "cc")

static void strings(void)
{
    uint8_t *p = pages(16, PROT_READ | PROT_WRITE);
    uint64_t h = 0;

    for (unsigned i = 0; i < 16 * PAGE; i++) {
        p[i] = (uint8_t)(rnd(3) ? i >> 5 : rnd(256));
    }
    for (unsigned i = 0; i < 4000; i++) {
        unsigned w = 1u << rnd(4), max = rnd(4) ? 3 * PAGE : 64;
        uint64_t n = rnd(max / w), down = rnd(4) == 0, v = rnd(256) * 0x0101010101010101ULL;
        uint8_t *d = p + 4 * PAGE + rnd(8 * PAGE), *s = rnd(3) ? p + 4 * PAGE + rnd(8 * PAGE) : d + rnd(64) - 32;

        switch (rnd(4) * 4 + (w == 1 ? 0 : w == 2 ? 1 : w == 4 ? 2 : 3)) {
        case 0: REP("movsb", 1); break;
        case 1: REP("movsw", 2); break;
        case 2: REP("movsl", 4); break;
        case 3: REP("movsq", 8); break;
        case 4: REP("stosb", 1); break;
        case 5: REP("stosw", 2); break;
        case 6: REP("stosl", 4); break;
        case 7: REP("stosq", 8); break;
        case 8: FIND("repe cmpsb"); break;
        case 9: FIND("repe cmpsw"); break;
        case 10: FIND("repe cmpsl"); break;
        case 11: FIND("repne cmpsq"); break;
        case 12: FIND("repne scasb"); break;
        case 13: FIND("repne scasw"); break;
        case 14: FIND("repe scasl"); break;
        default: FIND("repe scasq"); break;
        }
        h = mix(mix(mix(mix(h, (uint64_t)(d - p)), (uint64_t)(s - p)), n), v);
    }
    show("strings", mix(h, sum(p, 16 * PAGE)));
}

/*
 * Code that is written while it runs
 */
static uint64_t run(const void *code, uint64_t v)
{
    __asm__ volatile("sub $128, %%rsp; call *%1; add $128, %%rsp" : "+a"(v) : "r"(code) : "memory", "cc");
    return v;
}

static void rewritten(void)
{
    /* ADD EAX, imm32; RET at many places of one page, their constants changed every so often; data beside them */
    uint8_t *p = pages(1, PROT_READ | PROT_WRITE | PROT_EXEC);
    uint64_t h = 0;

    for (unsigned i = 0; i < 64; i++) {
        memcpy(p + 64 * i, "\x05\0\0\0\0\xC3", 6);
    }
    for (uint32_t i = 0; i < 60000; i++) {
        uint8_t *f = p + 64 * rnd(i & 1 ? 64 : 4);

        if (rnd(i < 20000 ? 2 : 100) == 0) {
            memcpy(f + 1, &i, 4);
        }
        f[32] = (uint8_t)i;
        h = mix(h, run(f, h));
    }
    show("rewritten", mix(h, sum(p, PAGE)));
}

static void next_instruction(void)
{
    /* MOV BYTE [RIP + 1], CL; MOV AL, imm8; RET: the store is into the instruction that comes next */
    static const uint8_t code[] = { 0x88, 0x0D, 0x01, 0, 0, 0, 0xB0, 0xFF, 0xC3 };
    uint8_t *p = pages(2, PROT_READ | PROT_WRITE | PROT_EXEC);
    uint64_t h = 0;

    memcpy(p, code, sizeof(code));
    memcpy(p + PAGE - 7, code, sizeof(code));       /* the constant is the first byte of the next page */
    for (uint32_t i = 0; i < 5000; i++) {
        uint8_t *f = i & 1 ? p : p + PAGE - 7;
        uint64_t v = 0;

        __asm__ volatile("sub $128, %%rsp; call *%1; add $128, %%rsp"
                         : "+a"(v) : "r"(f), "c"(i * 7) : "memory", "cc");
        h = mix(h, v);
    }
    show("next-instruction", h);
}

static void by_alias(void)
{
    int fd = memfd_create("alias", 0);
    uint8_t *w, *x;
    uint64_t h = 0;

    if (fd < 0 || ftruncate(fd, PAGE)) {
        perror("memfd");
        exit(1);
    }
    w = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    x = mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
    memcpy(w + 100, "\x48\x8D\x44\x00\x05\xC3", 6);         /* LEA RAX, [RAX + RAX + 5]; RET */
    for (uint32_t i = 0; i < 20000; i++) {
        w[104] = (uint8_t)(i / 50);
        h = mix(h, run(x + 100, i));
    }
    show("alias", h);
}

/*
 * Signals in floating-point code
 */
static volatile sig_atomic_t ticks;
static volatile double sink;

static void on_tick(int sig)
{
    double d = sink + 1.5;
    long double e = (long double)d * 3.25L;

    ticks++;
    for (int i = 0; i < 20; i++) {
        d = d * 1.0000001 + 0.25;
        e = e / 1.0000001L + 1.0L;
    }
    __asm__ volatile("pxor %%xmm0, %%xmm0; pcmpeqd %%xmm1, %%xmm1; movaps %%xmm1, %%xmm7; movaps %%xmm1, %%xmm15; emms"
                     : : : "xmm0", "xmm1", "xmm7", "xmm15");
    sink = d + (double)e;
}

static uint64_t numbers(unsigned rounds)
{
    double a[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
    long double x = 1.0L;
    float f = 1.0f;
    uint64_t bits, h = 0;

    for (unsigned i = 0; i < rounds; i++) {
        for (unsigned k = 0; k < 8; k++) {
            a[k] = a[k] * 1.0009765625 + a[(k + 3) & 7] * 0.5;
            a[k] -= (double)(int64_t)(a[k] / 1024) * 1024;
        }
        x = x * 1.5L + 1.0L / (x + 1.0L);
        x = x > 1e6L ? x / 1e6L : x;
        f = f * 1.1f + (float)a[i & 7];
        f = f > 1e6f ? 1.0f : f;
    }
    for (unsigned k = 0; k < 8; k++) {
        memcpy(&bits, &a[k], 8);
        h = mix(h, bits);
    }
    memcpy(&bits, &x, 8);
    return mix(mix(h, bits), (uint64_t)f);
}

static void signals(void)
{
    struct itimerval every = { { 0, 1000 }, { 0, 1000 } }, off = { { 0, 0 }, { 0, 0 } };
    struct sigaction sa = { .sa_handler = on_tick };
    uint64_t h = 0;

    sigaction(SIGALRM, &sa, NULL);
    setitimer(ITIMER_REAL, &every, NULL);
    for (unsigned i = 0; ticks < 100; i++) {        /* so many of them, wherever it runs; each round gives the same */
        uint64_t v = numbers(2000);

        if (i && v != h) {
            h = 0;
            break;
        }
        h = v;
    }
    setitimer(ITIMER_REAL, &off, NULL);
    show("signals", h);
}

/*
 * Faults: the handler looks at the flags and mends the page
 */
static volatile uint64_t seen;

static void on_fault(int sig, siginfo_t *si, void *uc)
{
    const ucontext_t *u = uc;

    seen = mix(seen, (uint64_t)u->uc_mcontext.gregs[REG_EFL] & 0x8D5);
    seen = mix(seen, (uint64_t)u->uc_mcontext.gregs[REG_RAX]);
    mprotect((void *)((uintptr_t)si->si_addr & -(uintptr_t)PAGE), PAGE, PROT_READ | PROT_WRITE);
}

static void faults(void)
{
    struct sigaction sa = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
    uint8_t *p = pages(4, PROT_NONE);
    uint64_t h = 0;

    sigaction(SIGSEGV, &sa, NULL);
    for (uint64_t i = 0; i < 3000; i++) {
        uint64_t a = i * 0x9E3779B97F4A7C15ULL, b = a >> 17, c = i;

        if (i % 3 == 0) {
            mprotect(p, 4 * PAGE, PROT_NONE);
        }
        /* flags that the next addition overwrites, seen by the handler alone; and ones that live across the fault */
        __asm__ volatile("sub %1, %0; mov %2, (%3); add %1, %0; cmp %1, %0; mov 8(%3), %2; adc %0, %2; "
                         "setl %%cl; inc %%cl; rol $3, %0"
                         : "+a"(a), "+r"(b), "+&r"(c) : "r"(p + (i % 4) * PAGE - (i % 4 ? i % 9 : 0))
                         : "rcx", "memory", "cc");
        h = mix(mix(h, a), c);
    }
    show("faults", mix(h, seen));
}

/* Division by zero, unmasked: SSE and x87. The handler jumps out */
static sigjmp_buf out;

static void on_fpe(int sig, siginfo_t *si, void *uc)
{
    seen = mix(seen, (uint64_t)si->si_code);
    siglongjmp(out, 1);
}

static void fpu_exceptions(void)
{
    struct sigaction sa = { .sa_sigaction = on_fpe, .sa_flags = SA_SIGINFO };
    const uint32_t mxcsr = 0x1F80, strict = 0x1F80 & ~0x200u;
    const uint16_t cw = 0x37F, strict_cw = 0x37F & ~4u;
    volatile unsigned n = 0;

    seen = 0;
    sigaction(SIGFPE, &sa, NULL);
    for (volatile unsigned i = 0; i < 400; i++) {
        double one = 1.0, d = i % 4 == 0 ? 0.0 : (double)i;

        if (sigsetjmp(out, 1)) {
            n += 1000;
        } else if (i & 1 || i % 8 == 0) {
            __asm__ volatile("ldmxcsr %2; divsd %1, %0" : "+x"(one) : "x"(d), "m"(strict));
            n++;
        } else {
            __asm__ volatile("fninit; fldcw %2; fldl %1; fldl %0; fdivp; fstpl %0; fwait"
                             : "+m"(one) : "m"(d), "m"(strict_cw));
            n++;
        }
        __asm__ volatile("ldmxcsr %0; fninit; fldcw %1" : : "m"(mxcsr), "m"(cw));
    }
    show("fpu-exceptions", mix(seen, n));
}

/*
 * Deep recursion, left by longjmp; other stacks
 */
enum { DEPTH = 100000 };
static jmp_buf top;
static uint64_t acc;

static __attribute__((noinline)) uint64_t deep(unsigned n, uint64_t v)
{
    if (n == 0) {
        acc = v;
        if (v & 1) {
            longjmp(top, 1);
        }
        return v;
    }
    return mix(deep(n - 1, v * 3 + n), n);
}

static ucontext_t main_uc, uc[4];
static uint64_t box;

static void worker(int id)
{
    for (unsigned i = 0; ; i++) {
        box = mix(box, (uint64_t)id * 1000 + i);
        swapcontext(&uc[id], i % 3 ? &uc[(id + 1) % 3] : &main_uc);
    }
}

static void recursion(void)
{
    volatile uint64_t h = 0;

    for (volatile unsigned i = 0; i < 12; i++) {
        if (setjmp(top)) {
            h = mix(h, acc);
        } else {
            h = mix(h, deep(DEPTH + i, i));
        }
    }
    box = h;
    swapcontext(&uc[3], &main_uc);
}

static void stacks(void)
{
    static const size_t size[4] = { 16, 16, 16, 16384 };

    for (int i = 0; i < 4; i++) {
        getcontext(&uc[i]);
        uc[i].uc_stack.ss_sp = pages(size[i], PROT_READ | PROT_WRITE);
        uc[i].uc_stack.ss_size = size[i] * PAGE;
        if (i == 3) {
            makecontext(&uc[i], recursion, 0);
        } else {
            makecontext(&uc[i], (void (*)(void))worker, 1, i);
        }
    }
    swapcontext(&main_uc, &uc[3]);
    show("recursion", box);
    for (unsigned i = 0; i < 3000; i++) {
        swapcontext(&main_uc, &uc[i % 3]);
    }
    show("contexts", box);
}

int main(void)
{
    strings();
    rewritten();
    next_instruction();
    by_alias();
    faults();
    fpu_exceptions();
    signals();
    stacks();
    puts("TORTURE-END");
    return 0;
}
