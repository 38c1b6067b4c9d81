/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/models.c - CPU models and feature names as -cpu takes them
 *
 * Names are QEMU's ('_' and '.' count as '-'). A model lists what the real part has; what the engine cannot do is taken
 * out, with a warning that names it. feature_names[] is the one table of features, its last column the one place that
 * says what is implemented.
 */
#include "target/x86/cpuid.h"
#include "target/x86/cpu.h"
#include "lib/bits.h"
#include <glib.h>
#include <string.h>

static const struct feature_name {
    const char *name;
    uint16_t bit;
    bool have;                  /* implemented */
} feature_names[] = {
    { "fpu", X86_FEAT_FPU, true }, { "vme", X86_FEAT_VME, true }, { "de", X86_FEAT_DE, true },
    { "pse", X86_FEAT_PSE, true }, { "tsc", X86_FEAT_TSC, true }, { "msr", X86_FEAT_MSR, true },
    { "pae", X86_FEAT_PAE, true }, { "mce", X86_FEAT_MCE, true }, { "cx8", X86_FEAT_CX8, true },
    { "apic", X86_FEAT_APIC, true }, { "sep", X86_FEAT_SEP, true }, { "mtrr", X86_FEAT_MTRR, true },
    { "pge", X86_FEAT_PGE, true }, { "mca", X86_FEAT_MCA, true }, { "cmov", X86_FEAT_CMOV, true },
    { "pat", X86_FEAT_PAT, true }, { "pse36", X86_FEAT_PSE36, true }, { "pn", X86_FEAT_PN, false },
    { "clflush", X86_FEAT_CLFLUSH, true }, { "ds", X86_FEAT_DS, false }, { "acpi", X86_FEAT_ACPI, false },
    { "mmx", X86_FEAT_MMX, true }, { "fxsr", X86_FEAT_FXSR, true }, { "sse", X86_FEAT_SSE, true },
    { "sse2", X86_FEAT_SSE2, true }, { "ss", X86_FEAT_SS, true }, { "ht", X86_FEAT_HT, true },
    { "tm", X86_FEAT_TM, false },

    { "pni", X86_FEAT_SSE3, true }, { "sse3", X86_FEAT_SSE3, true }, { "pclmulqdq", X86_FEAT_PCLMULQDQ, true },
    { "pclmuldq", X86_FEAT_PCLMULQDQ, true }, { "dtes64", X86_FEAT_DTES64, false },
    { "monitor", X86_FEAT_MONITOR, true }, { "vmx", X86_FEAT_VMX, false }, { "ssse3", X86_FEAT_SSSE3, true },
    { "fma", X86_FEAT_FMA, true }, { "cx16", X86_FEAT_CX16, true }, { "pcid", X86_FEAT_PCID, true },
    { "sse4-1", X86_FEAT_SSE4_1, true }, { "sse4-2", X86_FEAT_SSE4_2, true }, { "x2apic", X86_FEAT_X2APIC, true },
    { "movbe", X86_FEAT_MOVBE, true }, { "popcnt", X86_FEAT_POPCNT, true },
    { "tsc-deadline", X86_FEAT_TSC_DEADLINE, true }, { "aes", X86_FEAT_AES, true }, { "xsave", X86_FEAT_XSAVE, true },
    { "avx", X86_FEAT_AVX, true }, { "f16c", X86_FEAT_F16C, true }, { "rdrand", X86_FEAT_RDRAND, true },
    { "hypervisor", X86_FEAT_HYPERVISOR, true },

    { "fsgsbase", X86_FEAT_FSGSBASE, true }, { "tsc-adjust", X86_FEAT_TSC_ADJUST, true },
    { "sgx", X86_FEAT_SGX, false },
    { "bmi1", X86_FEAT_BMI1, true }, { "hle", X86_FEAT_HLE, false }, { "avx2", X86_FEAT_AVX2, true },
    { "smep", X86_FEAT_SMEP, true }, { "bmi2", X86_FEAT_BMI2, true }, { "erms", X86_FEAT_ERMS, true },
    { "invpcid", X86_FEAT_INVPCID, true }, { "rtm", X86_FEAT_RTM, false }, { "mpx", X86_FEAT_MPX, false },
    { "rdseed", X86_FEAT_RDSEED, true }, { "adx", X86_FEAT_ADX, true }, { "smap", X86_FEAT_SMAP, true },
    { "clflushopt", X86_FEAT_CLFLUSHOPT, true }, { "clwb", X86_FEAT_CLWB, true }, { "sha-ni", X86_FEAT_SHA, true },
    { "umip", X86_FEAT_UMIP, true }, { "pku", X86_FEAT_PKU, false }, { "vaes", X86_FEAT_VAES, false },
    { "vpclmulqdq", X86_FEAT_VPCLMULQDQ, false }, { "la57", X86_FEAT_LA57, false }, { "rdpid", X86_FEAT_RDPID, true },
    { "movdiri", X86_FEAT_MOVDIRI, false }, { "movdir64b", X86_FEAT_MOVDIR64B, false }, { "fsrm", X86_FEAT_FSRM, true },
    { "md-clear", X86_FEAT_MD_CLEAR, true }, { "serialize", X86_FEAT_SERIALIZE, false },
    { "spec-ctrl", X86_FEAT_SPEC_CTRL, true }, { "stibp", X86_FEAT_STIBP, true },
    { "arch-capabilities", X86_FEAT_ARCH_CAPABILITIES, true }, { "ssbd", X86_FEAT_SSBD, true },

    { "syscall", X86_FEAT_SYSCALL, true }, { "nx", X86_FEAT_NX, true }, { "xd", X86_FEAT_NX, true },
    { "mmxext", X86_FEAT_MMXEXT, true }, { "fxsr-opt", X86_FEAT_FXSR_OPT, true }, { "ffxsr", X86_FEAT_FXSR_OPT, true },
    { "pdpe1gb", X86_FEAT_PDPE1GB, true }, { "rdtscp", X86_FEAT_RDTSCP, true }, { "lm", X86_FEAT_LM, true },
    { "i64", X86_FEAT_LM, true }, { "3dnowext", X86_FEAT_3DNOWEXT, false }, { "3dnow", X86_FEAT_3DNOW, false },
    { "lahf-lm", X86_FEAT_LAHF_LM, true }, { "cmp-legacy", X86_FEAT_CMP_LEGACY, true }, { "svm", X86_FEAT_SVM, false },
    { "extapic", X86_FEAT_EXTAPIC, false }, { "cr8legacy", X86_FEAT_CR8LEGACY, false }, { "abm", X86_FEAT_ABM, true },
    { "sse4a", X86_FEAT_SSE4A, false }, { "misalignsse", X86_FEAT_MISALIGNSSE, false },
    { "3dnowprefetch", X86_FEAT_3DNOWPREFETCH, true }, { "osvw", X86_FEAT_OSVW, false }, { "xop", X86_FEAT_XOP, false },
    { "fma4", X86_FEAT_FMA4, false }, { "tbm", X86_FEAT_TBM, false }, { "topoext", X86_FEAT_TOPOEXT, false },
    { "perfctr-core", X86_FEAT_PERFCTR_CORE, false },

    { "invtsc", X86_FEAT_INVTSC, true }, { "clzero", X86_FEAT_CLZERO, false },
    { "xsaveerptr", X86_FEAT_XSAVEERPTR, true }, { "wbnoinvd", X86_FEAT_WBNOINVD, true },
    { "ibpb", X86_FEAT_IBPB, true },
    { "arat", X86_FEAT_ARAT, true }, { "xsaveopt", X86_FEAT_XSAVEOPT, true }, { "xsavec", X86_FEAT_XSAVEC, true },
    { "xgetbv1", X86_FEAT_XGETBV1, true }, { "xsaves", X86_FEAT_XSAVES, true },

    { "kvm", X86_FEAT_KVM, true }, { "kvmclock", X86_FEAT_KVMCLOCK, true },
    { "kvm-nopiodelay", X86_FEAT_KVM_NOPIODELAY, true }, { "kvm-mmu", X86_FEATURE(FEAT_KVM, 2), false },
    { "kvm-asyncpf", X86_FEATURE(FEAT_KVM, 4), false }, { "kvm-steal-time", X86_FEATURE(FEAT_KVM, 5), false },
    { "kvm-pv-eoi", X86_FEAT_KVM_PV_EOI, true }, { "kvm-pv-unhalt", X86_FEATURE(FEAT_KVM, 7), false },
    { "kvm-pv-tlb-flush", X86_FEATURE(FEAT_KVM, 9), false },
    { "kvm-asyncpf-vmexit", X86_FEATURE(FEAT_KVM, 10), false }, { "kvm-pv-ipi", X86_FEATURE(FEAT_KVM, 11), false },
    { "kvm-poll-control", X86_FEATURE(FEAT_KVM, 12), false },
    { "kvm-pv-sched-yield", X86_FEATURE(FEAT_KVM, 13), false },
    { "kvm-asyncpf-int", X86_FEATURE(FEAT_KVM, 14), false },
    { "kvm-msi-ext-dest-id", X86_FEATURE(FEAT_KVM, 15), false },
    { "kvmclock-stable-bit", X86_FEAT_KVMCLOCK_STABLE, true },
};

/* Properties of a QEMU CPU that are accepted and mean nothing here */
static const char *const ignored[] = { "pmu", "migratable", "host-phys-bits", "l3-cache", "check", "tcg-cpuid",
                                       "host-cache-info", "legacy-cache", "kvm-no-smi-migration", "kvm-hint-dedicated",
                                       "kvm-pv-enforce-cpuid", "vmware-cpuid-freq" };

#define PPRO "fpu,de,pse,tsc,msr,mce,cx8,pge,cmov,pat,fxsr,mmx,sse,sse2,pae,sep,apic"
#define CORE PPRO ",vme,clflush,pse36,mca,mtrr,pni,cx16,lm,syscall,nx,lahf-lm"
#define NEHALEM CORE ",ssse3,sse4-1,sse4-2,popcnt"
#define WESTMERE NEHALEM ",aes,pclmulqdq,arat"
#define SANDYBRIDGE WESTMERE ",avx,xsave,xsaveopt,tsc-deadline,x2apic,rdtscp"
#define IVYBRIDGE SANDYBRIDGE ",f16c,rdrand,fsgsbase,smep,erms"
#define HASWELL IVYBRIDGE ",fma,movbe,pcid,invpcid,bmi1,bmi2,avx2,abm"
#define BROADWELL HASWELL ",rdseed,adx,smap,3dnowprefetch"
#define SKYLAKE BROADWELL ",xsavec,xgetbv1"
#define EPYC CORE ",ssse3,sse4-1,sse4-2,popcnt,aes,pclmulqdq,arat,avx,xsave,xsaveopt,xsavec,xgetbv1,rdtscp,f16c," \
    "rdrand,fsgsbase,smep,fma,movbe,bmi1,bmi2,avx2,abm,rdseed,adx,smap,3dnowprefetch,clflushopt,sha-ni," \
    "mmxext,fxsr-opt,pdpe1gb,cr8legacy,sse4a,misalignsse,osvw,topoext,ibpb"

/*
 * What every model has beyond the real part, because its guests run better for it (docs/devel/engine.rst, "What a guest
 * is offered"). Each can be switched off by name, all of KVM's by kvm=off
 */
#define NO_MITIGATION "spec-ctrl,arch-capabilities"     /* leaf 7 */
#define VIRTUAL "tsc-deadline,kvm,kvmclock,kvmclock-stable-bit,kvm-nopiodelay,kvm-pv-eoi"

/* Family, model and stepping: vendors' specification updates and revision guides */
static const struct cpu_model {
    const char *name, *vendor, *brand;
    uint8_t family, model, stepping;
    uint32_t level, xlevel;
    const char *features;       /* NULL: all that is implemented */
} models[] = {
    { "qemu64", "AuthenticAMD", "Patchbay Virtual CPU version 1.0", 15, 107, 1, 0xD, 0x8000000A,
      PPRO ",mtrr,clflush,mca,pse36,pni,cx16,lm,syscall,nx,lahf-lm" },
    { "max", "AuthenticAMD", "Patchbay Virtual CPU max", 15, 107, 1, 0xD, 0x8000000A, NULL },
    { "base", "AuthenticAMD", "Patchbay Virtual CPU base", 15, 107, 1, 0xD, 0x8000000A, "" },
    { "kvm64", "GenuineIntel", "Common 64-bit processor", 15, 6, 1, 0xD, 0x80000008,
      PPRO ",vme,mtrr,clflush,mca,pse36,pni,cx16,lm,syscall,nx" },
    { "qemu32", "GenuineIntel", "Patchbay Virtual CPU version 1.0", 6, 6, 3, 4, 0x80000004, PPRO ",pni" },
    { "pentium3", "GenuineIntel", "", 6, 8, 3, 3, 0,
      "fpu,vme,de,pse,tsc,msr,pae,mce,cx8,apic,sep,mtrr,pge,mca,cmov,pat,pse36,mmx,fxsr,sse" },
    { "Nehalem", "GenuineIntel", "Intel Core i7 9xx (Nehalem Class Core i7)", 6, 26, 3, 11, 0x80000008, NEHALEM },
    { "Westmere", "GenuineIntel", "Westmere E56xx/L56xx/X56xx (Nehalem-C)", 6, 44, 1, 11, 0x80000008, WESTMERE },
    { "SandyBridge", "GenuineIntel", "Intel Xeon E312xx (Sandy Bridge)", 6, 42, 1, 0xD, 0x80000008, SANDYBRIDGE },
    { "IvyBridge", "GenuineIntel", "Intel Xeon E3-12xx v2 (Ivy Bridge)", 6, 58, 9, 0xD, 0x80000008, IVYBRIDGE },
    { "Haswell", "GenuineIntel", "Intel Core Processor (Haswell)", 6, 60, 4, 0xD, 0x80000008, HASWELL },
    { "Broadwell", "GenuineIntel", "Intel Core Processor (Broadwell)", 6, 61, 2, 0xD, 0x80000008, BROADWELL },
    { "Skylake-Client", "GenuineIntel", "Intel Core Processor (Skylake)", 6, 94, 3, 0x16, 0x80000008, SKYLAKE },
    { "EPYC", "AuthenticAMD", "AMD EPYC Processor", 23, 1, 2, 0xD, 0x8000001E, EPYC },
};

static bool same_name(const char *a, const char *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char c = a[i] == '_' || a[i] == '.' ? '-' : a[i];

        if (c != b[i]) {
            return false;
        }
    }
    return !b[n];
}

static const struct feature_name *find_feature(const char *name, size_t n)
{
    for (unsigned i = 0; i < ARRAY_LEN(feature_names); i++) {
        if (same_name(name, feature_names[i].name, n)) {
            return &feature_names[i];
        }
    }
    return NULL;
}

int x86_feature_by_name(const char *name)
{
    const struct feature_name *f = find_feature(name, strlen(name));

    return f ? f->bit : -1;
}

static void set_bit(struct x86_features *f, unsigned bit, bool on)
{
    uint32_t m = 1u << bit % 32;

    f->word[bit / 32] = on ? f->word[bit / 32] | m : f->word[bit / 32] & ~m;
}

/* Switch a feature; one that is not implemented goes to @missing instead */
static void want(struct x86_features *f, const struct feature_name *n, bool on, GString *missing)
{
    if (on && !n->have) {
        g_string_append_printf(missing, "%s%s", missing->len ? ", " : "", n->name);
        return;
    }
    set_bit(f, n->bit, on);
}

static void want_list(struct x86_features *f, const char *list, GString *missing)
{
    while (*list) {
        size_t n = strcspn(list, ",");
        const struct feature_name *fn = find_feature(list, n);

        if (fn) {
            want(f, fn, true, missing);
        }
        list += n + (list[n] == ',');
    }
}

static void want_all(struct x86_features *f)
{
    for (unsigned i = 0; i < ARRAY_LEN(feature_names); i++) {
        if (feature_names[i].have) {
            set_bit(f, feature_names[i].bit, true);
        }
    }
}

/* A feature that needs another one goes with it (SDM vol. 1, 13.2 and 14.3) */
static void settle(struct x86_features *f)
{
    static const uint16_t needs[][2] = {
        { X86_FEAT_AVX, X86_FEAT_XSAVE }, { X86_FEAT_AVX2, X86_FEAT_AVX }, { X86_FEAT_FMA, X86_FEAT_AVX },
        { X86_FEAT_F16C, X86_FEAT_AVX }, { X86_FEAT_XSAVEOPT, X86_FEAT_XSAVE }, { X86_FEAT_XSAVEC, X86_FEAT_XSAVE },
        { X86_FEAT_XGETBV1, X86_FEAT_XSAVE }, { X86_FEAT_XSAVES, X86_FEAT_XSAVEC }, { X86_FEAT_XSAVE, X86_FEAT_FXSR },
        { X86_FEAT_SSE, X86_FEAT_FXSR }, { X86_FEAT_SSE2, X86_FEAT_SSE }, { X86_FEAT_SSE3, X86_FEAT_SSE2 },
        { X86_FEAT_SSSE3, X86_FEAT_SSE3 }, { X86_FEAT_SSE4_1, X86_FEAT_SSSE3 }, { X86_FEAT_SSE4_2, X86_FEAT_SSE4_1 },
        { X86_FEAT_LM, X86_FEAT_PAE }, { X86_FEAT_PCID, X86_FEAT_LM }, { X86_FEAT_X2APIC, X86_FEAT_APIC },
        { X86_FEAT_KVM, X86_FEAT_HYPERVISOR }, { X86_FEAT_KVMCLOCK, X86_FEAT_KVM },
        { X86_FEAT_KVMCLOCK, X86_FEAT_TSC }, { X86_FEAT_KVMCLOCK_STABLE, X86_FEAT_KVMCLOCK },
        { X86_FEAT_KVM_NOPIODELAY, X86_FEAT_KVM }, { X86_FEAT_KVM_PV_EOI, X86_FEAT_KVM },
        { X86_FEAT_KVM_PV_EOI, X86_FEAT_APIC }, { X86_FEAT_TSC_DEADLINE, X86_FEAT_APIC }, { X86_FEAT_NX, X86_FEAT_PAE }, { X86_FEAT_RDTSCP, X86_FEAT_TSC },
    };
    /* bits of leaf 1 that AMD repeats in 8000_0001h EDX (APM vol. 3, E.4.2) */
    const uint32_t amd_alias = 0x0183F3FF;

    for (unsigned i = 0; i < ARRAY_LEN(needs); i++) {
        if (!x86_feat(f, needs[i][1])) {
            set_bit(f, needs[i][0], false);
        }
    }
    set_bit(f, X86_FEAT_KVMCLOCK2, x86_feat(f, X86_FEAT_KVMCLOCK));    /* one feature, two sets of numbers */
    f->intel = !strcmp(f->vendor, "GenuineIntel");
    f->word[FEAT_E1_EDX] &= ~amd_alias;
    if (!f->intel) {
        f->word[FEAT_E1_EDX] |= f->word[FEAT_1_EDX] & amd_alias;
    }
    if (f->word[FEAT_7_EBX] | f->word[FEAT_7_ECX] | f->word[FEAT_7_EDX]) {
        f->level = MAX(f->level, 7);
    }
    if (x86_feat(f, X86_FEAT_XSAVE)) {
        f->level = MAX(f->level, 0xD);
    }
    if (f->intel && f->level >= 0xB) {
        f->level = MAX(f->level, 0x16);     /* 15h tells the TSC frequency */
    }
    if (x86_feat(f, X86_FEAT_LM)) {
        f->xlevel = MAX(f->xlevel, 0x80000008);
    }
}

static bool parse_number(const char *key, const char *val, uint64_t max, uint64_t *out, Error **errp)
{
    char *end;

    *out = g_ascii_strtoull(val, &end, 0);
    if (!*val || *end || *out > max) {
        error_setg(errp, "CPU property '%s': '%s' is no number up to %" G_GUINT64_FORMAT, key, val, max);
        return false;
    }
    return true;
}

/* "key=value" that is no feature. Return: 1 done, 0 not known, -1 *errp is set */
static int set_property(struct x86_features *f, const char *key, const char *val, Error **errp)
{
    uint64_t v;

    if (!strcmp(key, "vendor")) {
        if (strlen(val) != 12) {
            error_setg(errp, "CPU property 'vendor': '%s' must have 12 characters", val);
            return -1;
        }
        g_strlcpy(f->vendor, val, sizeof(f->vendor));
        return 1;
    }
    if (!strcmp(key, "model-id")) {
        g_strlcpy(f->brand, val, sizeof(f->brand));
        return 1;
    }
    static const struct { const char *key; uint64_t max; } numbers[] = {
        { "family", 255 }, { "model", 255 }, { "stepping", 15 }, { "level", 0x1F }, { "xlevel", 0x8000001F },
        { "phys-bits", 52 },
    };

    if (g_str_has_prefix(key, "hv-") || g_str_has_prefix(key, "hv_")) {
        return 1;       /* Hyper-V's interfaces: as with QEMU without KVM, the name is known and nothing comes of it */
    }
    for (unsigned i = 0; i < ARRAY_LEN(numbers); i++) {
        if (strcmp(key, numbers[i].key)) {
            continue;
        }
        if (!parse_number(key, val, numbers[i].max, &v, errp)) {
            return -1;
        }
        switch (i) {
        case 0: f->family = (uint8_t)v; break;
        case 1: f->model_id = (uint8_t)v; break;
        case 2: f->stepping = (uint8_t)v; break;
        case 3: f->level = (uint32_t)v; break;
        case 4: f->xlevel = (uint32_t)v; break;
        default: f->phys_bits = (uint8_t)MAX(v, 32); break;
        }
        return 1;
    }
    for (unsigned i = 0; i < ARRAY_LEN(ignored); i++) {
        if (!strcmp(key, ignored[i])) {
            return 1;
        }
    }
    return 0;
}

struct choice {
    struct x86_features *f;
    GString *missing;
    bool enforce;
};

static bool parse_item(struct choice *c, const char *item, Error **errp)
{
    const struct feature_name *fn;
    const char *eq = strchr(item, '='), *val = eq ? eq + 1 : "on";
    g_autofree char *key = NULL;
    bool on;
    int done;

    if (*item == '+' || *item == '-') {
        fn = find_feature(item + 1, strlen(item + 1));
        if (!fn) {
            error_setg(errp, "unknown CPU feature '%s'", item + 1);
            return false;
        }
        want(c->f, fn, *item == '+', c->missing);
        return true;
    }
    key = g_strndup(item, eq ? (size_t)(eq - item) : strlen(item));
    on = !strcmp(val, "on") || !strcmp(val, "yes") || !strcmp(val, "true");
    fn = find_feature(key, strlen(key));
    if (fn || !strcmp(key, "enforce")) {
        if (!on && strcmp(val, "off") && strcmp(val, "no") && strcmp(val, "false")) {
            error_setg(errp, "CPU feature '%s': '%s' is neither 'on' nor 'off'", key, val);
            return false;
        }
        if (fn) {
            want(c->f, fn, on, c->missing);
        } else {
            c->enforce = on;
        }
        return true;
    }
    done = set_property(c->f, key, val, errp);
    if (!done) {
        error_setg(errp, "unknown CPU feature '%s'", key);
    }
    return done == 1;
}

static const struct cpu_model *find_model(const char *name)
{
    for (unsigned i = 0; i < ARRAY_LEN(models); i++) {
        if (!g_ascii_strcasecmp(models[i].name, name)) {
            return &models[i];
        }
    }
    return NULL;
}

static struct x86_features *from_model(const struct cpu_model *m, GString *missing)
{
    struct x86_features *f = g_new0(struct x86_features, 1);

    f->model = m->name;
    f->family = m->family;
    f->model_id = m->model;
    f->stepping = m->stepping;
    f->level = m->level;
    f->xlevel = m->xlevel;
    f->phys_bits = 40;
    g_strlcpy(f->vendor, m->vendor, sizeof(f->vendor));
    g_strlcpy(f->brand, m->brand, sizeof(f->brand));
    if (m->features) {
        want_list(f, m->features, missing);
    } else {
        want_all(f);
        set_bit(f, X86_FEAT_MONITOR, false);    /* waits as HLT does, but keeps guests from knowing it */
    }
    set_bit(f, X86_FEAT_HYPERVISOR, true);
    if (!m->features || *m->features) {     /* all but "base" */
        want_list(f, VIRTUAL, missing);
        if (m->level >= 7) {
            want_list(f, NO_MITIGATION, missing);
        }
    }
    return f;
}

struct x86_features *x86_features_parse(const char *spec, Error **errp)
{
    g_auto(GStrv) parts = g_strsplit(spec, ",", -1);
    g_autoptr(GString) missing = g_string_new(NULL);
    const struct cpu_model *m = find_model(parts[0] ? parts[0] : "");
    struct choice c = { .missing = missing };

    if (!m) {
        error_setg(errp, "unable to find CPU model '%s'", parts[0] ? parts[0] : "");
        return NULL;
    }
    c.f = from_model(m, missing);
    for (unsigned i = 1; parts[i]; i++) {
        if (!parse_item(&c, parts[i], errp)) {
            x86_features_free(c.f);
            return NULL;
        }
    }
    settle(c.f);
    if (missing->len && c.enforce) {
        error_setg(errp, "CPU model '%s' needs features that are not implemented: %s", m->name, missing->str);
        x86_features_free(c.f);
        return NULL;
    }
    if (missing->len) {
        warn_report("CPU model '%s': not implemented, left out: %s", m->name, missing->str);
    }
    return c.f;
}

void x86_features_free(struct x86_features *f)
{
    g_free(f);
}

char *x86_features_help(void)
{
    GString *s = g_string_new("Available CPUs:\n");
    unsigned col = 0;

    for (unsigned i = 0; i < ARRAY_LEN(models); i++) {
        g_string_append_printf(s, "  %-16s %s\n", models[i].name, models[i].brand);
    }
    g_string_append(s, "\nRecognized CPUID flags:\n ");
    for (unsigned i = 0; i < ARRAY_LEN(feature_names); i++) {
        if (!feature_names[i].have) {
            continue;
        }
        if (col + strlen(feature_names[i].name) > 76) {
            g_string_append(s, "\n ");
            col = 0;
        }
        g_string_append_printf(s, " %s", feature_names[i].name);
        col += 1 + (unsigned)strlen(feature_names[i].name);
    }
    g_string_append_c(s, '\n');
    return g_string_free(s, FALSE);
}
