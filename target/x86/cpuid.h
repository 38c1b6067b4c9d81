/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/cpuid.h - what CPUID offers
 *
 * A feature is numbered by where CPUID shows it: 32 * word + bit, with one word a register that is made of feature bits
 * (enum x86_feat_word). The decoder, the MMU and the control registers ask x86_feat(); nothing else says what the CPU
 * can do. models.c has the names, the models, and the one table of what is implemented.
 */
#ifndef TARGET_X86_CPUID_H
#define TARGET_X86_CPUID_H

#include <stdbool.h>
#include <stdint.h>

struct x86_cpu;

enum x86_feat_word {
    FEAT_1_EDX, FEAT_1_ECX, FEAT_7_EBX, FEAT_7_ECX, FEAT_7_EDX, FEAT_E1_EDX, FEAT_E1_ECX, FEAT_E7_EDX, FEAT_E8_EBX,
    FEAT_6_EAX, FEAT_D1_EAX, FEAT_KVM, FEAT_WORDS
};
#define X86_FEATURE(word, bit) ((word) * 32 + (bit))

/* SDM vol. 2A, CPUID; APM vol. 3, appendix E for the 8000_xxxxh leaves */
enum x86_feature {
    X86_FEAT_FPU = X86_FEATURE(FEAT_1_EDX, 0), X86_FEAT_VME, X86_FEAT_DE, X86_FEAT_PSE, X86_FEAT_TSC, X86_FEAT_MSR,
    X86_FEAT_PAE, X86_FEAT_MCE, X86_FEAT_CX8, X86_FEAT_APIC,
    X86_FEAT_SEP = X86_FEATURE(FEAT_1_EDX, 11), X86_FEAT_MTRR, X86_FEAT_PGE, X86_FEAT_MCA, X86_FEAT_CMOV, X86_FEAT_PAT,
    X86_FEAT_PSE36, X86_FEAT_PN, X86_FEAT_CLFLUSH,
    X86_FEAT_DS = X86_FEATURE(FEAT_1_EDX, 21), X86_FEAT_ACPI, X86_FEAT_MMX, X86_FEAT_FXSR, X86_FEAT_SSE, X86_FEAT_SSE2,
    X86_FEAT_SS, X86_FEAT_HT, X86_FEAT_TM,

    X86_FEAT_SSE3 = X86_FEATURE(FEAT_1_ECX, 0), X86_FEAT_PCLMULQDQ, X86_FEAT_DTES64, X86_FEAT_MONITOR,
    X86_FEAT_VMX = X86_FEATURE(FEAT_1_ECX, 5),
    X86_FEAT_SSSE3 = X86_FEATURE(FEAT_1_ECX, 9),
    X86_FEAT_FMA = X86_FEATURE(FEAT_1_ECX, 12), X86_FEAT_CX16,
    X86_FEAT_PCID = X86_FEATURE(FEAT_1_ECX, 17),
    X86_FEAT_SSE4_1 = X86_FEATURE(FEAT_1_ECX, 19), X86_FEAT_SSE4_2, X86_FEAT_X2APIC, X86_FEAT_MOVBE, X86_FEAT_POPCNT,
    X86_FEAT_TSC_DEADLINE, X86_FEAT_AES, X86_FEAT_XSAVE, X86_FEAT_OSXSAVE, X86_FEAT_AVX, X86_FEAT_F16C, X86_FEAT_RDRAND,
    X86_FEAT_HYPERVISOR,

    X86_FEAT_FSGSBASE = X86_FEATURE(FEAT_7_EBX, 0), X86_FEAT_TSC_ADJUST, X86_FEAT_SGX, X86_FEAT_BMI1, X86_FEAT_HLE,
    X86_FEAT_AVX2, X86_FEAT_FDP_EXCPTN_ONLY, X86_FEAT_SMEP, X86_FEAT_BMI2, X86_FEAT_ERMS, X86_FEAT_INVPCID,
    X86_FEAT_RTM,
    X86_FEAT_ZERO_FCS_FDS = X86_FEATURE(FEAT_7_EBX, 13), X86_FEAT_MPX,
    X86_FEAT_RDSEED = X86_FEATURE(FEAT_7_EBX, 18), X86_FEAT_ADX, X86_FEAT_SMAP,
    X86_FEAT_CLFLUSHOPT = X86_FEATURE(FEAT_7_EBX, 23), X86_FEAT_CLWB,
    X86_FEAT_SHA = X86_FEATURE(FEAT_7_EBX, 29),

    X86_FEAT_UMIP = X86_FEATURE(FEAT_7_ECX, 2), X86_FEAT_PKU,
    X86_FEAT_VAES = X86_FEATURE(FEAT_7_ECX, 9), X86_FEAT_VPCLMULQDQ,
    X86_FEAT_LA57 = X86_FEATURE(FEAT_7_ECX, 16),
    X86_FEAT_RDPID = X86_FEATURE(FEAT_7_ECX, 22),
    X86_FEAT_MOVDIRI = X86_FEATURE(FEAT_7_ECX, 27), X86_FEAT_MOVDIR64B,

    X86_FEAT_FSRM = X86_FEATURE(FEAT_7_EDX, 4),
    X86_FEAT_MD_CLEAR = X86_FEATURE(FEAT_7_EDX, 10),
    X86_FEAT_SERIALIZE = X86_FEATURE(FEAT_7_EDX, 14),
    X86_FEAT_SPEC_CTRL = X86_FEATURE(FEAT_7_EDX, 26), X86_FEAT_STIBP,
    X86_FEAT_ARCH_CAPABILITIES = X86_FEATURE(FEAT_7_EDX, 29), X86_FEAT_CORE_CAPABILITY, X86_FEAT_SSBD,

    X86_FEAT_SYSCALL = X86_FEATURE(FEAT_E1_EDX, 11),
    X86_FEAT_NX = X86_FEATURE(FEAT_E1_EDX, 20),
    X86_FEAT_MMXEXT = X86_FEATURE(FEAT_E1_EDX, 22),
    X86_FEAT_FXSR_OPT = X86_FEATURE(FEAT_E1_EDX, 25), X86_FEAT_PDPE1GB, X86_FEAT_RDTSCP,
    X86_FEAT_LM = X86_FEATURE(FEAT_E1_EDX, 29), X86_FEAT_3DNOWEXT, X86_FEAT_3DNOW,

    X86_FEAT_LAHF_LM = X86_FEATURE(FEAT_E1_ECX, 0), X86_FEAT_CMP_LEGACY, X86_FEAT_SVM, X86_FEAT_EXTAPIC,
    X86_FEAT_CR8LEGACY, X86_FEAT_ABM, X86_FEAT_SSE4A, X86_FEAT_MISALIGNSSE, X86_FEAT_3DNOWPREFETCH, X86_FEAT_OSVW,
    X86_FEAT_XOP = X86_FEATURE(FEAT_E1_ECX, 11),
    X86_FEAT_FMA4 = X86_FEATURE(FEAT_E1_ECX, 16),
    X86_FEAT_TBM = X86_FEATURE(FEAT_E1_ECX, 21), X86_FEAT_TOPOEXT, X86_FEAT_PERFCTR_CORE,

    X86_FEAT_INVTSC = X86_FEATURE(FEAT_E7_EDX, 8),
    X86_FEAT_CLZERO = X86_FEATURE(FEAT_E8_EBX, 0),
    X86_FEAT_XSAVEERPTR = X86_FEATURE(FEAT_E8_EBX, 2),
    X86_FEAT_WBNOINVD = X86_FEATURE(FEAT_E8_EBX, 9),
    X86_FEAT_IBPB = X86_FEATURE(FEAT_E8_EBX, 12),
    X86_FEAT_ARAT = X86_FEATURE(FEAT_6_EAX, 2),
    X86_FEAT_XSAVEOPT = X86_FEATURE(FEAT_D1_EAX, 0), X86_FEAT_XSAVEC, X86_FEAT_XGETBV1, X86_FEAT_XSAVES,

    /* 4000_0001h EAX, as KVM numbers them; the last bit stands for KVM's signature itself and is not shown */
    X86_FEAT_KVMCLOCK = X86_FEATURE(FEAT_KVM, 0), X86_FEAT_KVM_NOPIODELAY,
    X86_FEAT_KVMCLOCK2 = X86_FEATURE(FEAT_KVM, 3),
    X86_FEAT_KVM_PV_EOI = X86_FEATURE(FEAT_KVM, 6),
    X86_FEAT_KVMCLOCK_STABLE = X86_FEATURE(FEAT_KVM, 24),
    X86_FEAT_KVM = X86_FEATURE(FEAT_KVM, 31),

    X86_FEAT_LZCNT = X86_FEAT_ABM,      /* the same bit, by its instruction */
    X86_FEAT_TZCNT = X86_FEAT_BMI1,
};

struct x86_features {
    uint32_t word[FEAT_WORDS];
    const char *model;          /* as in -cpu */
    char vendor[13];
    char brand[49];             /* leaves 8000_0002h-4h */
    uint8_t family, model_id, stepping;
    uint32_t level, xlevel;     /* highest basic and extended leaf */
    uint8_t phys_bits;
    bool intel;                 /* vendor rules: leaf 4 and 15h, SYSCALL in compatibility mode, x87 pointers */
};

/** x86_feat() - is @bit (enum x86_feature) offered */
static inline bool x86_feat(const struct x86_features *f, unsigned bit)
{
    return f->word[bit / 32] >> (bit % 32) & 1;
}

struct x86_cpuid_regs {
    uint32_t eax, ebx, ecx, edx;
};
/** x86_cpuid() - the CPUID instruction; depends on CR4.OSXSAVE, XCR0 and the APIC base besides the features */
struct x86_cpuid_regs x86_cpuid(struct x86_cpu *cpu, uint32_t leaf, uint32_t sub);

/** x86_feature_by_name() - QEMU's name to enum x86_feature, -1 when unknown */
int x86_feature_by_name(const char *name);
/** x86_xcr0_valid() - the XCR0 bits that may be set */
uint64_t x86_xcr0_valid(const struct x86_features *f);
/** x86_xsave_size() - bytes of the standard XSAVE area for the state components in @xcr0 */
uint32_t x86_xsave_size(uint64_t xcr0);

#define X86_TSC_HZ 1000000000u      /* the TSC counts CLOCK_VIRTUAL nanoseconds */
#define X86_APIC_HZ 1000000000u     /* and so does the timer of the local APIC (hw/intc/apic_timer.c) */

#endif
