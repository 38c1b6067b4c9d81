/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/test-pv.c - KVM's leaves, clock pages and hypercalls as a guest uses them (target/x86/pv.c), and that CPUID,
 * XCR0, XSAVE areas and MSRs of every model agree with each other
 */
#include "x86-rig.h"
#include "target/x86/control.h"
#include "target/x86/ops.h"
#include "target/x86/pv.h"
#include "core/clock.h"
#include "lib/bytes.h"

enum { PAGE = 0x4000, WALL = 0x5004 };
enum { VERSION = 0, TSC = 8, SYSTEM = 16, MUL = 24, SHIFT = 28, FLAGS = 29 };

/* The time as Linux' pvclock_read computes it */
static uint64_t guest_time(struct rig *g, uint64_t tsc)
{
    const uint8_t *p = g->ram->host + PAGE;
    uint64_t delta = tsc - ld_le64(p + TSC);
    int8_t shift = (int8_t)p[SHIFT];

    g_assert_cmpuint(ld_le32(p + VERSION) & 1, ==, 0);
    delta = shift < 0 ? delta >> -shift : delta << shift;
    return ld_le64(p + SYSTEM) + (uint64_t)((unsigned __int128)delta * ld_le32(p + MUL) >> 32);
}

static void assert_near(uint64_t a, uint64_t b)
{
    g_assert_cmpint(llabs((int64_t)(a - b)), <, 2 * NS_PER_SEC);
}

static void test_leaves(void)
{
    struct x86_cpuid_regs r;
    struct rig g;

    rig_new(&g, "qemu64");
    r = x86_cpuid(g.cpu, 0x40000000, 0);
    g_assert_cmphex(r.eax, ==, 0x40000010);
    g_assert_cmpmem(&r.ebx, 4, "KVMK", 4);
    g_assert_cmpmem(&r.ecx, 4, "VMKV", 4);
    g_assert_cmpmem(&r.edx, 4, "M\0\0\0", 4);
    r = x86_cpuid(g.cpu, 0x40000001, 0);
    g_assert_cmphex(r.eax, ==, 1u << 0 | 1u << 1 | 1u << 3 | 1u << 6 | 1u << 24);
    g_assert_cmphex(r.ebx | r.ecx | r.edx, ==, 0);
    r = x86_cpuid(g.cpu, 0x40000010, 0);
    g_assert_cmpuint(r.eax, ==, 1000000);
    g_assert_cmpuint(r.ebx, ==, 1000000);
    r = x86_cpuid(g.cpu, 0x40000002, 0);
    g_assert_cmphex(r.eax | r.ebx | r.ecx | r.edx, ==, 0);
    rig_free(&g);
}

/* Names as in -cpu, and what is left of the rest when one goes */
static void test_names(void)
{
    static const struct { const char *spec; uint32_t features; const char *ebx; bool hv; } rows[] = {
        { "qemu64,kvmclock=off", 1u << 1 | 1u << 6, "KVMK", true },
        { "qemu64,-kvm-pv-eoi", 1u << 0 | 1u << 1 | 1u << 3 | 1u << 24, "KVMK", true },
        { "qemu64,kvm_nopiodelay=off,kvmclock-stable-bit=off", 1u << 0 | 1u << 3 | 1u << 6, "KVMK", true },
        { "qemu64,-apic", 1u << 0 | 1u << 1 | 1u << 3 | 1u << 24, "KVMK", true },
        { "qemu64,kvm=off", 0, "Patc", true },
        { "qemu64,kvm=off,kvmclock=on", 0, "Patc", true },
        { "qemu64,hypervisor=off", 0, NULL, false },
        { "base", 0, "Patc", true },
        { "qemu64,hv_relaxed,hv-vapic=on,hv-time", 1u << 0 | 1u << 1 | 1u << 3 | 1u << 6 | 1u << 24, "KVMK", true },
        { "max", 1u << 0 | 1u << 1 | 1u << 3 | 1u << 6 | 1u << 24, "KVMK", true },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct x86_cpuid_regs r;
        struct rig g;

        rig_new(&g, rows[i].spec);
        g_assert_cmpint(x86_cpuid(g.cpu, 1, 0).ecx >> 31, ==, rows[i].hv);
        r = x86_cpuid(g.cpu, 0x40000000, 0);
        if (rows[i].ebx) {
            g_assert_cmpmem(&r.ebx, 4, rows[i].ebx, 4);
        }
        g_assert_cmphex(x86_cpuid(g.cpu, 0x40000001, 0).eax, ==, rows[i].hv && *rows[i].ebx == 'K' ? rows[i].features :
                        x86_cpuid(g.cpu, 0x40000002, 0).eax);
        rig_free(&g);
    }
}

static void test_clock(void)
{
    static const uint32_t numbers[] = { MSR_KVM_SYSTEM_TIME, MSR_KVM_SYSTEM_TIME_OLD };

    for (unsigned i = 0; i < 2; i++) {
        uint64_t v, now;
        uint32_t version;
        struct rig g;

        rig_new(&g, "qemu64");
        memset(g.ram->host + PAGE, 0xEE, 64);
        st_le32(g.ram->host + PAGE, 7);                 /* as if a writer had been interrupted */
        g_assert_true(x86_wrmsr(g.cpu, numbers[i], PAGE | 1));
        g_assert_true(x86_rdmsr(g.cpu, numbers[i], &v));
        g_assert_cmphex(v, ==, PAGE | 1);
        g_assert_cmpuint(ld_le32(g.ram->host + PAGE + VERSION), ==, 10);
        g_assert_cmphex(ld_le32(g.ram->host + PAGE + MUL), ==, 1u << 31);
        g_assert_cmpint(g.ram->host[PAGE + SHIFT], ==, 1);
        g_assert_cmphex(g.ram->host[PAGE + FLAGS], ==, 1);
        g_assert_cmphex(g.ram->host[PAGE + 32], ==, 0xEE);
        now = (uint64_t)clock_get_ns(CLOCK_VIRTUAL);
        g_assert_cmpint(llabs((int64_t)(guest_time(&g, now + g.cpu->tsc_offset) - now)), ==, 0);

        /* the guest moves its counter: the page follows, time does not jump */
        version = ld_le32(g.ram->host + PAGE + VERSION);
        g_assert_true(x86_wrmsr(g.cpu, 0x10, 0x123456789ABCDEFULL));
        g_assert_cmpuint(ld_le32(g.ram->host + PAGE + VERSION), ==, version + 2);
        g_assert_cmphex(ld_le64(g.ram->host + PAGE + TSC), >=, 0x123456789ABCDEFULL);
        now = (uint64_t)clock_get_ns(CLOCK_VIRTUAL);
        g_assert_cmpuint(guest_time(&g, now + g.cpu->tsc_offset), ==, now);

        /* off: nobody writes any more; nor after a reset */
        g_assert_true(x86_wrmsr(g.cpu, numbers[i], PAGE));
        version = ld_le32(g.ram->host + PAGE + VERSION);
        g_assert_true(x86_wrmsr(g.cpu, 0x10, 0));
        g_assert_cmpuint(ld_le32(g.ram->host + PAGE + VERSION), ==, version);
        g_assert_true(x86_wrmsr(g.cpu, numbers[i], PAGE | 1));
        x86_cpu_reset(g.cpu);
        version = ld_le32(g.ram->host + PAGE + VERSION);
        g_assert_true(x86_wrmsr(g.cpu, 0x10, 0));
        g_assert_cmpuint(ld_le32(g.ram->host + PAGE + VERSION), ==, version);
        g_assert_true(x86_rdmsr(g.cpu, numbers[i], &v));
        g_assert_cmphex(v, ==, 0);
        rig_free(&g);
    }
}

static uint64_t deadline, deadline_writes;

static bool deadline_rdmsr(void *o, uint32_t msr, uint64_t *v)
{
    *v = msr == 0x1B ? 0xFEE00900 : deadline;
    return true;
}

static bool deadline_wrmsr(void *o, uint32_t msr, uint64_t v)
{
    g_assert_cmphex(msr, ==, 0x6E0);
    g_assert_cmphex(v, ==, deadline);
    deadline_writes++;
    return true;
}

/* SDM vol. 4, IA32_ARCH_CAPABILITIES: RDCL_NO and IBRS_ALL, so that Linux does without page table isolation and retpolines */
static void test_no_mitigation(void)
{
    struct rig g;
    uint64_t v;

    rig_new(&g, "qemu64");
    g_assert_true(x86_feat(g.cpu->feat, X86_FEAT_ARCH_CAPABILITIES));
    g_assert_true(x86_feat(g.cpu->feat, X86_FEAT_SPEC_CTRL));
    g_assert_true(x86_rdmsr(g.cpu, 0x10A, &v));
    g_assert_cmphex(v & 3, ==, 3);
    g_assert_false(x86_wrmsr(g.cpu, 0x10A, v));
    rig_free(&g);
    rig_new(&g, "pentium3");                            /* has no leaf 7 */
    g_assert_false(x86_feat(g.cpu->feat, X86_FEAT_ARCH_CAPABILITIES));
    g_assert_false(x86_rdmsr(g.cpu, 0x10A, &v));
    rig_free(&g);
}

/* A deadline that is waited for comes sooner or later when the guest moves its TSC */
static void test_deadline_follows(void)
{
    struct rig g;

    rig_new(&g, "qemu64");
    g_assert_true(x86_feat(g.cpu->feat, X86_FEAT_TSC_DEADLINE));
    g.cpu->plat.rdmsr = deadline_rdmsr;
    g.cpu->plat.wrmsr = deadline_wrmsr;
    g_assert_true(x86_wrmsr(g.cpu, 0x10, 5));
    g_assert_cmpuint(deadline_writes, ==, 0);           /* none is set: writing 0 would be no harm, but is no need */
    deadline = 0x1234;
    g_assert_true(x86_wrmsr(g.cpu, 0x10, 6));
    g_assert_cmpuint(deadline_writes, ==, 1);
    rig_free(&g);
}

static int64_t year_2006(void *opaque)
{
    ++*(unsigned *)opaque;
    return 1150560081 * NS_PER_SEC + clock_get_ns(CLOCK_VIRTUAL);
}

static void test_wall(void)
{
    const uint8_t *p;
    unsigned calls = 0;
    struct rig g;

    rig_new(&g, "qemu64");
    p = g.ram->host + WALL;
    g_assert_true(x86_wrmsr(g.cpu, MSR_KVM_WALL_CLOCK, WALL));
    g_assert_cmpuint(ld_le32(p), ==, 2);
    assert_near((uint64_t)ld_le32(p + 4) * NS_PER_SEC + ld_le32(p + 8) + (uint64_t)clock_get_ns(CLOCK_VIRTUAL),
                (uint64_t)g_get_real_time() * 1000);
    x86_cpu_set_wall_clock(g.cpu, year_2006, &calls);
    g_assert_true(x86_wrmsr(g.cpu, MSR_KVM_WALL_CLOCK_OLD, WALL));
    g_assert_cmpuint(calls, ==, 1);
    g_assert_cmpuint(ld_le32(p), ==, 4);
    assert_near((uint64_t)ld_le32(p + 4) * NS_PER_SEC, 1150560081 * NS_PER_SEC);
    g_assert_true(x86_wrmsr(g.cpu, MSR_KVM_WALL_CLOCK, WALL + 1));      /* not aligned */
    g_assert_cmpuint(calls, ==, 1);
    rig_free(&g);
}

/* Addresses that a hostile guest may give: no RAM, its last bytes, the end of the world, code */
static void test_hostile(void)
{
    static const uint64_t at[] = { RIG_ROM, RIG_IO, 16 * MiB, 16 * MiB - 16, ~0ULL << 12, ~3ULL, 1ULL << 51, 0xFFFFFFF0 };
    static const uint8_t code[] = { 0xB8, 0x01, 0x00, 0xF4 };           /* mov ax, 1; hlt */
    struct rig g;
    uint8_t rom[64], end[16];

    rig_new(&g, "qemu64");
    memcpy(rom, g.rom->host, sizeof(rom));
    memcpy(end, g.ram->host + 16 * MiB - 16, sizeof(end));
    for (unsigned i = 0; i < G_N_ELEMENTS(at); i++) {
        g_assert_true(x86_wrmsr(g.cpu, MSR_KVM_SYSTEM_TIME, at[i] | 1));
        g_assert_true(x86_wrmsr(g.cpu, MSR_KVM_WALL_CLOCK, at[i]));
        g_assert_true(x86_wrmsr(g.cpu, 0x10, i));
    }
    g_assert_cmpmem(rom, sizeof(rom), g.rom->host, sizeof(rom));
    g_assert_cmpuint(g.io_writes, ==, 0);
    g_assert_cmpuint(ld_le32(g.ram->host + 16 * MiB - 16) - ld_le32(end), ==, 2);   /* only the wall clock fits there */
    g_assert_cmpmem(end + 12, 4, g.ram->host + 16 * MiB - 4, 4);

    g_assert_true(x86_wrmsr(g.cpu, MSR_KVM_SYSTEM_TIME, 0));
    for (unsigned i = 0; i < 6; i++) {
        seg_set_real(g.cpu, i, 0);
    }
    x86_mode_update(g.cpu);
    memcpy(g.ram->host + 0x8000, code, sizeof(code));
    g.cpu->regs[REG_RIP] = 0x8000;
    g_assert_cmpint(x86_cpu_run(g.cpu), ==, X86_EXIT_HALT);
    g_assert_true(x86_wrmsr(g.cpu, MSR_KVM_WALL_CLOCK, 0x8000));        /* over code that has been decoded */
    g_assert_cmphex(ld_le32(g.ram->host + 0x8000), ==, 0xF40001BA);
    g.ram->host[0x8003] = 0xF4;
    g.cpu->halted = false;
    g.cpu->regs[REG_RIP] = 0x8000;
    g.cpu->regs[R_AX] = 0;
    g_assert_cmpint(x86_cpu_run(g.cpu), ==, X86_EXIT_HALT);
    g_assert_cmphex(g.cpu->regs[R_DX] & 0xFFFF, ==, 1);                 /* BA 01 00: mov dx, 1 */
    rig_free(&g);
}

static void test_not_offered(void)
{
    static const uint32_t all[] = { MSR_KVM_WALL_CLOCK, MSR_KVM_SYSTEM_TIME, MSR_KVM_WALL_CLOCK_OLD,
                                    MSR_KVM_SYSTEM_TIME_OLD };
    static const char *const specs[] = { "qemu64,kvm=off", "qemu64,kvmclock=off", "qemu64,hypervisor=off", "base" };
    uint64_t v;
    struct rig g;

    for (unsigned k = 0; k < G_N_ELEMENTS(specs); k++) {
        rig_new(&g, specs[k]);
        for (unsigned i = 0; i < G_N_ELEMENTS(all); i++) {
            g_assert_false(x86_wrmsr(g.cpu, all[i], PAGE | 1));
            g_assert_false(x86_rdmsr(g.cpu, all[i], &v));
        }
        g_assert_cmpint(x86_rdmsr(g.cpu, MSR_KVM_PV_EOI, &v), ==, k == 1);
        rig_free(&g);
    }
}

/* --- hypercalls ----------------------------------------------------------------------------------------------------- */

static int64_t hypercall(struct rig *g, uint8_t modrm, uint64_t nr)
{
    memcpy(g->ram->host + 0x8000, (uint8_t[]){ 0x0F, 0x01, modrm, 0xF4 }, 4);
    g->cpu->halted = false;
    g->cpu->regs[REG_RIP] = 0x8000;
    g->cpu->regs[R_AX] = nr;
    if (x86_cpu_run(g->cpu) != X86_EXIT_HALT) {
        return INT64_MIN;
    }
    return (int32_t)g->cpu->regs[R_AX];
}

static void test_hypercall(void)
{
    struct rig g;

    rig_new(&g, "qemu64");
    rig_flat(&g, 0);
    g.cpu->cr0 |= CR0_PE;
    x86_mode_update(g.cpu);
    g_assert_cmpint(hypercall(&g, 0xC1, 9), ==, -1000);         /* VMCALL, clock pairing: ENOSYS */
    g_assert_cmpint(hypercall(&g, 0xD9, 0x7FFFFFFF), ==, -1000);/* VMMCALL */
    g_assert_cmpint(hypercall(&g, 0xD9, 1), ==, 0);
    g.cpu->cpl = 3;
    g_assert_cmpint((int32_t)x86_pv_hypercall(g.cpu, 1), ==, -1);
    rig_free(&g);
}

static unsigned op_of(const char *spec, uint8_t modrm)
{
    const uint8_t code[16] = { 0x0F, 0x01, modrm };
    struct x86_features *f = x86_features_parse(spec, NULL);
    struct x86_rec r;

    g_assert_cmpuint(x86_decode(code, sizeof(code), MODE_PE | MODE_64 | MODE_LMA, 0, f, &r), ==, 3);
    x86_features_free(f);
    return r.op;
}

static void test_hypercall_absent(void)
{
    g_assert_cmpuint(op_of("qemu64", 0xC1), ==, OP_VMCALL);
    g_assert_cmpuint(op_of("qemu64", 0xD9), ==, OP_VMCALL);
    g_assert_cmpuint(op_of("qemu64,kvm=off", 0xC1), ==, OP_UD);
    g_assert_cmpuint(op_of("qemu64,kvm=off", 0xD9), ==, OP_UD);
    g_assert_cmpuint(op_of("qemu64", 0xC2), ==, OP_UD);         /* VMLAUNCH */
    g_assert_cmpuint(op_of("qemu64", 0xD8), ==, OP_UD);         /* VMRUN */
}

/* --- consistency ---------------------------------------------------------------------------------------------------- */

static bool has(struct x86_cpu *cpu, unsigned bit)
{
    return x86_feat(cpu->feat, bit);
}

/* Does a row of @bytes decode to something else than #UD */
static bool decodes(struct x86_cpu *cpu, const uint8_t *bytes, uint32_t more)
{
    uint8_t code[16] = { 0 };
    struct x86_rec r;

    memcpy(code, bytes, 8);
    return x86_decode(code, sizeof(code), MODE_PE | MODE_64 | MODE_LMA | MODE_OSFXSR | more, 0, cpu->feat, &r) && r.op != OP_UD;
}

/* A feature and an instruction of it: offered exactly when it decodes */
static void check_instructions(struct x86_cpu *cpu)
{
    static const struct { unsigned feat; uint8_t code[8]; } rows[] = {
        { X86_FEAT_SSE3, { 0xF2, 0x0F, 0xD0, 0xC1 } },                  /* ADDSUBPS */
        { X86_FEAT_SSSE3, { 0x66, 0x0F, 0x38, 0x00, 0xC1 } },           /* PSHUFB */
        { X86_FEAT_SSE4_1, { 0x66, 0x0F, 0x38, 0x10, 0xC1 } },          /* PBLENDVB */
        { X86_FEAT_SSE4_2, { 0x66, 0x0F, 0x3A, 0x63, 0xC1, 0 } },       /* PCMPISTRI */
        { X86_FEAT_SSE4_2, { 0xF2, 0x0F, 0x38, 0xF1, 0xC1 } },          /* CRC32 */
        { X86_FEAT_POPCNT, { 0xF3, 0x0F, 0xB8, 0xC1 } },
        { X86_FEAT_AES, { 0x66, 0x0F, 0x38, 0xDC, 0xC1 } },             /* AESENC */
        { X86_FEAT_PCLMULQDQ, { 0x66, 0x0F, 0x3A, 0x44, 0xC1, 0 } },
        { X86_FEAT_SHA, { 0x0F, 0x38, 0xCB, 0xC1 } },                   /* SHA256RNDS2 */
        { X86_FEAT_MOVBE, { 0x0F, 0x38, 0xF0, 0x00 } },
        { X86_FEAT_RDRAND, { 0x0F, 0xC7, 0xF0 } },
        { X86_FEAT_RDSEED, { 0x0F, 0xC7, 0xF8 } },
        { X86_FEAT_ADX, { 0x66, 0x0F, 0x38, 0xF6, 0xC1 } },             /* ADCX */
        { X86_FEAT_FSGSBASE, { 0xF3, 0x0F, 0xAE, 0xC0 } },              /* RDFSBASE */
        { X86_FEAT_RDPID, { 0xF3, 0x0F, 0xC7, 0xF8 } },
        { X86_FEAT_RDTSCP, { 0x0F, 0x01, 0xF9 } },
        { X86_FEAT_INVPCID, { 0x66, 0x0F, 0x38, 0x82, 0x00 } },
        { X86_FEAT_SMAP, { 0x0F, 0x01, 0xCB } },                        /* STAC */
        { X86_FEAT_CLFLUSHOPT, { 0x66, 0x0F, 0xAE, 0x38 } },
        { X86_FEAT_CX16, { 0x48, 0x0F, 0xC7, 0x08 } },
        { X86_FEAT_AVX, { 0xC5, 0xF8, 0x58, 0xC1 } },                   /* VADDPS */
        { X86_FEAT_AVX2, { 0xC5, 0xFD, 0xFE, 0xC1 } },                  /* VPADDD ymm */
        { X86_FEAT_FMA, { 0xC4, 0xE2, 0x71, 0x98, 0xC1 } },             /* VFMADD132PS */
        { X86_FEAT_F16C, { 0xC4, 0xE2, 0x79, 0x13, 0xC1 } },            /* VCVTPH2PS */
        { X86_FEAT_BMI1, { 0xC4, 0xE2, 0x70, 0xF2, 0xC1 } },            /* ANDN */
        { X86_FEAT_BMI2, { 0xC4, 0xE2, 0x71, 0xF7, 0xC1 } },            /* SHLX */
        { X86_FEAT_XSAVE, { 0x0F, 0xAE, 0x20 } },
        { X86_FEAT_XSAVEOPT, { 0x0F, 0xAE, 0x30 } },
        { X86_FEAT_XSAVEC, { 0x0F, 0xC7, 0x20 } },
        { X86_FEAT_KVM, { 0x0F, 0x01, 0xC1 } },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        bool on = has(cpu, rows[i].feat);

        if (decodes(cpu, rows[i].code, MODE_OSXSAVE | MODE_AVX) != on) {
            g_error("%s: feature %u, row %u: %s", cpu->feat->model, rows[i].feat, i, on ? "#UD" : "not #UD");
        }
    }
}

/* SDM vol. 1, 13.2: leaf D follows XCR0, and XSETBV takes what it shows */
static void check_xsave(struct x86_cpu *cpu)
{
    struct x86_cpuid_regs d0 = x86_cpuid(cpu, 0xD, 0), d1 = x86_cpuid(cpu, 0xD, 1);
    uint64_t all = d0.eax | (uint64_t)d0.edx << 32;
    uint32_t end = 576;

    if (!has(cpu, X86_FEAT_XSAVE)) {
        if (cpu->feat->level >= 0xD || !cpu->feat->intel) {     /* else Intel shows its highest leaf */
            g_assert_cmphex(d0.eax | d0.ebx | d0.ecx | d0.edx | d1.eax, ==, 0);
        }
        g_assert_false(has(cpu, X86_FEAT_AVX) || has(cpu, X86_FEAT_XSAVEC));
        return;
    }
    g_assert_cmphex(all, ==, x86_xcr0_valid(cpu->feat));
    g_assert_cmphex(all & 3, ==, 3);
    g_assert_cmpint(all >> 2 & 1, ==, has(cpu, X86_FEAT_AVX));
    g_assert_cmpint(all >> 5 & 7, ==, 0);                       /* AVX-512: the interpreter has none */
    for (unsigned i = 2; i < 63; i++) {
        struct x86_cpuid_regs r = x86_cpuid(cpu, 0xD, i);

        g_assert_cmpint(r.eax != 0, ==, (all >> i & 1));
        if (r.eax) {
            end = MAX(end, r.ebx + r.eax);
        }
    }
    g_assert_cmpuint(d0.ecx, ==, end);
    cpu->xcr0 = 1;
    g_assert_cmpuint(x86_cpuid(cpu, 0xD, 0).ebx, ==, 576);
    cpu->xcr0 = all;
    g_assert_cmpuint(x86_cpuid(cpu, 0xD, 0).ebx, ==, end);
    g_assert_cmpuint(x86_cpuid(cpu, 0xD, 1).ebx, ==, has(cpu, X86_FEAT_XSAVEC) ? end : 0);
    g_assert_cmphex(d1.eax & 0xF, ==, cpu->feat->word[FEAT_D1_EAX]);
}

/* CR4 bits, MSRs and leaves that come with a feature are there exactly with it */
static void check_registers(struct x86_cpu *cpu)
{
    static const struct { unsigned feat; uint32_t msr; } msrs[] = {
        { X86_FEAT_TSC_ADJUST, 0x3B }, { X86_FEAT_TSC_DEADLINE, 0x6E0 }, { X86_FEAT_RDTSCP, 0xC0000103 },
        { X86_FEAT_LM, 0xC0000102 }, { X86_FEAT_SPEC_CTRL, 0x48 }, { X86_FEAT_ARCH_CAPABILITIES, 0x10A },
        { X86_FEAT_KVMCLOCK, MSR_KVM_SYSTEM_TIME_OLD }, { X86_FEAT_KVMCLOCK2, MSR_KVM_SYSTEM_TIME },
        { X86_FEAT_KVM_PV_EOI, MSR_KVM_PV_EOI }, { X86_FEAT_XSAVES, 0xDA0 }, { X86_FEAT_PAT, 0x277 },
        { X86_FEAT_MTRR, 0x2FF },
    };
    static const struct { unsigned feat; uint64_t bit; } cr4[] = {
        { X86_FEAT_XSAVE, CR4_OSXSAVE }, { X86_FEAT_FSGSBASE, CR4_FSGSBASE }, { X86_FEAT_SMEP, CR4_SMEP },
        { X86_FEAT_SMAP, CR4_SMAP }, { X86_FEAT_UMIP, CR4_UMIP }, { X86_FEAT_PGE, CR4_PGE }, { X86_FEAT_PSE, CR4_PSE },
    };
    const struct x86_features *f = cpu->feat;
    uint64_t v;

    for (unsigned i = 0; i < G_N_ELEMENTS(msrs); i++) {
        if (x86_rdmsr(cpu, msrs[i].msr, &v) != has(cpu, msrs[i].feat)) {
            g_error("%s: MSR %x", f->model, msrs[i].msr);
        }
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(cr4); i++) {
        bool ok = CATCH(cpu, x86_cr4_write(cpu, cr4[i].bit)) == NO_FAULT;

        if (ok != has(cpu, cr4[i].feat)) {
            g_error("%s: CR4 bit %" G_GINT64_MODIFIER "x", f->model, cr4[i].bit);
        }
        (void)CATCH(cpu, x86_cr4_write(cpu, 0));
    }
    g_assert_cmpuint(x86_cpuid(cpu, 0, 0).eax, >=, f->word[FEAT_7_EBX] | f->word[FEAT_7_EDX] ? 7 : 1);
    if (f->intel && f->level >= 0x16) {                 /* the two ways to the frequency agree */
        struct x86_cpuid_regs r = x86_cpuid(cpu, 0x15, 0);

        g_assert_cmpuint((uint64_t)r.ecx * r.ebx / r.eax, ==, X86_TSC_HZ);
        g_assert_cmpuint(x86_cpuid(cpu, 0x16, 0).eax, ==, X86_TSC_HZ / 1000000);
    }
    g_assert_cmpint(x86_cpuid(cpu, 1, 0).ecx >> 27 & 1, ==, 0);     /* OSXSAVE follows CR4 */
    if (has(cpu, X86_FEAT_XSAVE)) {
        x86_cr4_write(cpu, CR4_OSXSAVE);
        g_assert_cmpint(x86_cpuid(cpu, 1, 0).ecx >> 27 & 1, ==, 1);
    }
}

static void test_models(void)
{
    g_autofree char *help = x86_features_help();
    g_auto(GStrv) lines = g_strsplit(help, "\n", -1);
    unsigned n = 0;

    for (unsigned i = 1; lines[i] && g_str_has_prefix(lines[i], "  "); i++) {
        g_autofree char *name = g_strndup(lines[i] + 2, strcspn(lines[i] + 2, " "));
        struct rig g;

        g_test_message("model %s", name);
        rig_new(&g, name);
        check_instructions(g.cpu);
        check_xsave(g.cpu);
        check_registers(g.cpu);
        rig_free(&g);
        n++;
    }
    g_assert_cmpuint(n, >=, 14);
}

/* What "max" is for: everything that is there */
static void test_max(void)
{
    static const unsigned want[] = {
        X86_FEAT_ERMS, X86_FEAT_FSRM, X86_FEAT_AES, X86_FEAT_PCLMULQDQ, X86_FEAT_SSE4_2, X86_FEAT_POPCNT, X86_FEAT_AVX,
        X86_FEAT_AVX2, X86_FEAT_FMA, X86_FEAT_F16C, X86_FEAT_BMI1, X86_FEAT_BMI2, X86_FEAT_SHA, X86_FEAT_MOVBE,
        X86_FEAT_RDRAND, X86_FEAT_RDSEED, X86_FEAT_ADX, X86_FEAT_PCID, X86_FEAT_INVPCID, X86_FEAT_TSC_DEADLINE,
        X86_FEAT_X2APIC, X86_FEAT_KVMCLOCK, X86_FEAT_KVM_PV_EOI,
    };
    struct x86_features *f = x86_features_parse("max,enforce", NULL);

    g_assert_nonnull(f);
    for (unsigned i = 0; i < G_N_ELEMENTS(want); i++) {
        g_assert_true(x86_feat(f, want[i]));
    }
    x86_features_free(f);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    loop_init();
    machine_unlock();
    g_test_add_func("/pv/leaves", test_leaves);
    g_test_add_func("/pv/names", test_names);
    g_test_add_func("/pv/clock", test_clock);
    g_test_add_func("/pv/no-mitigation", test_no_mitigation);
    g_test_add_func("/pv/deadline", test_deadline_follows);
    g_test_add_func("/pv/wall", test_wall);
    g_test_add_func("/pv/hostile", test_hostile);
    g_test_add_func("/pv/not-offered", test_not_offered);
    g_test_add_func("/pv/hypercall", test_hypercall);
    g_test_add_func("/pv/hypercall-absent", test_hypercall_absent);
    g_test_add_func("/cpuid/models", test_models);
    g_test_add_func("/cpuid/max", test_max);
    return g_test_run();
}
