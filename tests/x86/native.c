/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/x86/native.c - cases on silicon
 *
 * A forked child maps the two regions and raises a signal on itself. From then on it lives in its signal handler:
 * each sigreturn loads the registers of the next case (general registers, flags, CS, x87, SSE and AVX state are all
 * in the signal frame), and the exception that ends the case brings it back with the registers as they are then. CS
 * in the frame chooses between 64-bit and compatibility mode. Results go through shared memory; when the child dies,
 * a new one goes on behind the case that killed it.
 *
 * SDM vol. 1, 13.4 (XSAVE area); Linux: struct _fpstate, _xstate.
 */
#include "tests/x86/oracle.h"
#include <asm/ldt.h>
#include <cpuid.h>
#include <glib.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#if !defined(__x86_64__)
#error "the native oracle needs an x86-64 host"
#endif

/* Numbers of ucontext's gregs[]; the enumerators are hidden by rec.h's macros */
enum {
    G_R8 = 0,
    G_RDI = 8,
    G_RSI,
    G_RBP,
    G_RBX,
    G_RDX,
    G_RAX,
    G_RCX,
    G_RSP,
    G_RIP,
    G_EFL,
    G_CSGSFS,
    G_ERR,
    G_TRAPNO,
    G_OLDMASK,
    G_CR2
};
static const uint8_t greg_of[16] = {
    G_RAX, G_RCX, G_RDX, G_RBX, G_RSP, G_RBP, G_RSI, G_RDI, 0, 1, 2, 3, 4, 5, 6, 7,
};

struct shared {
    unsigned done;              /* cases finished */
    unsigned started;
};

/* What the handler works on: one child, one thread */
static struct {
    struct shared *sh;
    const struct ox_case *cases;
    unsigned n;
    const uint8_t *image;
    struct ox_result *out;
} job;

struct fx {                     /* SDM vol. 1, table 10-2 */
    uint16_t fcw, fsw;
    uint8_t ftw, pad;
    uint16_t fop;
    uint64_t fip, fdp;
    uint32_t mxcsr, mxcsr_mask;
    uint8_t st[8][16];
    uint8_t xmm[16][16];
    uint8_t rest[96];
    uint64_t xstate_bv, xcomp_bv;
    uint64_t hdr[6];
    uint8_t ymmh[16][16];       /* component 2 of the standard format is always at 576 */
};

static const uint16_t cs_of[OX_MODES] = {
    OX_SEL_CODE64, OX_SEL_CODE32, OX_LDT_SEL(OX_LDT_CODE32), OX_LDT_SEL(OX_LDT_CODE16),
};
static const uint16_t ss_of[OX_MODES] = {
    OX_SEL_DATA, OX_SEL_DATA, OX_LDT_SEL(OX_LDT_DS), OX_LDT_SEL(OX_LDT_SS16),
};

static void load(ucontext_t *uc, const struct ox_case *c)
{
    greg_t *g = uc->uc_mcontext.gregs;
    struct fx *fx = (struct fx *)uc->uc_mcontext.fpregs;
    const struct ox_state *s = &c->in;

    for (unsigned i = 0; i < 16; i++) {
        g[greg_of[i]] = (greg_t)s->gpr[i];
    }
    g[G_RIP] = (greg_t)s->rip;
    g[G_EFL] = s->eflags;
    /* CS, GS, FS, SS: 16 bits each; DS, ES, GS are not restored from here: see ox_native_handler() */
    g[G_CSGSFS] = (greg_t)((uint64_t)cs_of[c->mode] | (uint64_t)ss_of[c->mode] << 48);
    fx->fcw = s->fcw;
    fx->fsw = s->fsw;
    fx->ftw = s->ftw;
    fx->fop = 0;
    fx->fip = fx->fdp = 0;
    fx->mxcsr = s->mxcsr;
    memcpy(fx->st, s->st, sizeof(fx->st));
    for (unsigned i = 0; i < 16; i++) {
        memcpy(fx->xmm[i], s->vec[i], 16);
        memcpy(fx->ymmh[i], s->vec[i] + 16, 16);
    }
    fx->xstate_bv |= 7;
}

static void store(const ucontext_t *uc, struct ox_result *r)
{
    const greg_t *g = uc->uc_mcontext.gregs;
    const struct fx *fx = (const struct fx *)uc->uc_mcontext.fpregs;
    struct ox_state *s = &r->out;

    memset(s, 0, sizeof(*s));
    for (unsigned i = 0; i < 16; i++) {
        s->gpr[i] = (uint64_t)g[greg_of[i]];
    }
    s->rip = (uint64_t)g[G_RIP];
    s->eflags = (uint32_t)g[G_EFL];
    s->sel[SEG_CS] = (uint16_t)g[G_CSGSFS];
    s->sel[SEG_SS] = (uint16_t)((uint64_t)g[G_CSGSFS] >> 48);
    __asm__ volatile("mov %%ds, %0; mov %%es, %1" : "=r"(s->sel[SEG_DS]), "=r"(s->sel[SEG_ES]));
    r->vec = (int)g[G_TRAPNO];
    r->err = (uint32_t)g[G_ERR];
    r->addr = r->vec == 14 ? (uint64_t)g[G_CR2] : 0;
    s->fcw = 0x37F;
    s->mxcsr = fx->mxcsr;
    if (fx->xstate_bv & 1) {
        s->fcw = fx->fcw;
        s->fsw = fx->fsw;
        s->ftw = fx->ftw;
        for (unsigned i = 0; i < 8; i++) {
            memcpy(s->st[i], fx->st[i], 10);
        }
    }
    for (unsigned i = 0; i < 16; i++) {
        if (fx->xstate_bv & 2) {
            memcpy(s->vec[i], fx->xmm[i], 16);
        }
        if (fx->xstate_bv & 4) {
            memcpy(s->vec[i] + 16, fx->ymmh[i], 16);
        }
    }
}

static void load_data_segments(bool ldt)
{
    unsigned ds = ldt ? OX_LDT_SEL(OX_LDT_DS) : OX_SEL_DATA, es = ldt ? OX_LDT_SEL(OX_LDT_ES) : OX_SEL_DATA;
    unsigned gs = ldt ? OX_LDT_SEL(OX_LDT_GS) : 0;

    __asm__ volatile("mov %0, %%ds; mov %1, %%es; mov %2, %%gs" : : "r"(ds), "r"(es), "r"(gs));
}

void ox_native_handler(int sig, siginfo_t *info, void *ctx);
void ox_native_handler(int sig, siginfo_t *info, void *ctx)
{
    ucontext_t *uc = ctx;
    unsigned i = job.sh->done;

    if (sig != SIGUSR1) {
        store(uc, &job.out[i]);
        memcpy(job.out[i].mem, (void *)OX_ARENA, OX_RW);
        if (job.cases[i].prog) {
            job.out[i].code_sum = ox_sum((void *)OX_CODE, OX_CODE_BYTES);
        } else {
            memset((void *)OX_CODE, 0xCC, OX_CODE_BYTES);
        }
        job.sh->done = ++i;
    }
    if (i == job.n) {
        _exit(0);
    }
    job.sh->started = i + 1;
    memcpy((void *)OX_ARENA, job.image, OX_RW);
    memcpy((char *)OX_ARENA + job.cases[i].patch_at, job.cases[i].patch, job.cases[i].patch_len);
    if (job.cases[i].prog) {
        memcpy((void *)OX_CODE, job.cases[i].prog->code, OX_CODE_BYTES);
    } else {
        memcpy((void *)OX_ENTRY, job.cases[i].code, job.cases[i].len);
    }
    load_data_segments(job.cases[i].mode >= OX_SEG32);
    load(uc, &job.cases[i]);
}

/*
 * The case may have left with AC, ID or NT set, which the kernel neither clears for handlers nor takes from the frame
 * at sigreturn (ID, NT): clear them before any C code runs.
 */
void ox_native_entry(int sig, siginfo_t *info, void *ctx);
__asm__(".text\n.globl ox_native_entry\nox_native_entry:\n"
        "endbr64\n"
        "pushfq\n"
        "andq $~0x244000, (%rsp)\n"
        "popfq\n"
        "jmp ox_native_handler\n"
        ".section .note.GNU-stack,\"\",@progbits\n.text\n");

/*
 * A translator may keep its code below 4 GiB, shared with the parent. Cases must find nothing there but what both sides
 * have; the child itself needs nothing of it
 */
static void drop_low_memory(void)
{
#ifdef __SANITIZE_ADDRESS__
    const uintptr_t end = 0x7FFF7000;   /* the sanitizer's shadow begins there */
#else
    const uintptr_t end = 1ULL << 32;
#endif

    munmap((void *)0x10000, OX_CODE - 0x10000);
    munmap((void *)(OX_CODE + OX_CODE_BYTES), OX_ARENA - OX_CODE - OX_CODE_BYTES);
    munmap((void *)(OX_ARENA + OX_IMAGE), end - OX_ARENA - OX_IMAGE);
}

static bool map_regions(const uint8_t *image)
{
    int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
    int code_prot = PROT_READ | PROT_WRITE | PROT_EXEC;

    if (mmap((void *)OX_CODE, OX_CODE_BYTES, code_prot, flags, -1, 0) != (void *)OX_CODE ||
        mmap((void *)OX_ARENA, OX_IMAGE, PROT_READ | PROT_WRITE, flags, -1, 0) != (void *)OX_ARENA) {
        return false;
    }
    memset((void *)OX_CODE, 0xCC, OX_CODE_BYTES);
    memcpy((void *)OX_ARENA, image, OX_IMAGE);
    return mprotect((void *)(OX_ARENA + OX_RW), OX_IMAGE - OX_RW, PROT_READ) == 0;
}

static bool make_ldt(void)
{
    static const struct user_desc ldt[] = {
        /* entry, base, limit, 32-bit, contents (0 data, 1 expand-down, 2 code), read-only */
        {.entry_number = OX_LDT_CODE16, .base_addr = OX_CODE, .limit = OX_CODE_BYTES - 1, .contents = 2, .useable = 1},
        {.entry_number = OX_LDT_CODE32,
         .base_addr = OX_CODE,
         .limit = OX_CODE_BYTES - 1,
         .seg_32bit = 1,
         .contents = 2,
         .useable = 1},
        {.entry_number = OX_LDT_DS, .base_addr = OX_ARENA, .limit = 0x2FFF, .seg_32bit = 1, .useable = 1},
        {.entry_number = OX_LDT_SS16, .base_addr = OX_ARENA, .limit = 0x2FFF, .useable = 1},
        {.entry_number = OX_LDT_ES, .base_addr = OX_ARENA, .limit = 0xFFF, .seg_32bit = 1, .contents = 1, .useable = 1},
        {.entry_number = OX_LDT_GS,
         .base_addr = OX_ARENA,
         .limit = 0x2FFF,
         .seg_32bit = 1,
         .read_exec_only = 1,
         .useable = 1},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(ldt); i++) {
        if (syscall(SYS_modify_ldt, 1, &ldt[i], sizeof(ldt[i]))) {
            return false;
        }
    }
    return true;
}

static void child_main(void)
{
    static const int signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGUSR1 };
    stack_t ss = { .ss_size = 1 << 18 };
    struct sigaction sa = { .sa_sigaction = ox_native_entry, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };

    drop_low_memory();
    ss.ss_sp = mmap(NULL, ss.ss_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (ss.ss_sp == MAP_FAILED || sigaltstack(&ss, NULL) || !map_regions(job.image)) {
        _exit(2);
    }
    if (job.cases[0].mode >= OX_SEG32 && !make_ldt()) {
        _exit(4);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(signals); i++) {
        sigaction(signals[i], &sa, NULL);
    }
    alarm(10);
    raise(SIGUSR1);
    _exit(3);
}

/* Return: false when the child could not even set itself up */
static bool run_child(void)
{
    int status;
    pid_t pid = fork();

    if (pid < 0) {
        return false;
    }
    if (pid == 0) {
        child_main();
    }
    if (waitpid(pid, &status, 0) != pid) {
        return false;
    }
    return !WIFEXITED(status) || WEXITSTATUS(status) == 0;
}

bool ox_native_run(const struct ox_case *cases, unsigned n, const uint8_t *image, struct ox_result *out)
{
    size_t size = sizeof(struct shared) + n * sizeof(*out);
    void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    bool ok = mem != MAP_FAILED;

    if (!ok) {
        return false;
    }
    job.sh = mem;
    job.cases = cases;
    job.n = n;
    job.image = image;
    job.out = (void *)(job.sh + 1);
    while (ok && job.sh->done < n) {
        ok = run_child();
        if (ok && job.sh->done < n) {
            if (job.sh->started == job.sh->done) {
                ok = false;                         /* it did not get as far as a case */
            } else {
                job.out[job.sh->done++].vec = -1;
            }
        }
    }
    memcpy(out, job.out, n * sizeof(*out));
    munmap(mem, size);
    return ok;
}

void ox_native_features(struct x86_features *f)
{
    unsigned a, b, c, d;

    memset(f, 0, sizeof(*f));
    f->intel = true;
    __cpuid(1, a, b, c, d);
    f->word[FEAT_1_EDX] = d;
    f->word[FEAT_1_ECX] = c;
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) {
        f->word[FEAT_7_EBX] = b;
        f->word[FEAT_7_ECX] = c;
        f->word[FEAT_7_EDX] = d;
    }
    if (__get_cpuid_count(0xD, 1, &a, &b, &c, &d)) {
        f->word[FEAT_D1_EAX] = a;
    }
    if (__get_cpuid(0x80000001, &a, &b, &c, &d)) {
        f->word[FEAT_E1_EDX] = d;
        f->word[FEAT_E1_ECX] = c;
    }
}
