/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/cpuid.c - the CPUID instruction (SDM vol. 2A, CPUID; APM vol. 3, appendix E)
 *
 * One package; each CPU is a core of it with one thread. Caches are of a plausible size; nothing models them.
 */
#include "target/x86/pv.h"
#include "core/loop.h"
#include "lib/bits.h"
#include <string.h>

typedef struct x86_cpuid_regs regs;

/* Leaf 4000_0000h: EBX, ECX, EDX. KVM's says that its clock and hypercalls are there (pv.c) */
#define HV_SIGNATURE "PatchbayVMM "
#define KVM_SIGNATURE "KVMKVMKVM\0\0\0"

static uint32_t word4(const char *s)
{
    uint32_t v;

    memcpy(&v, s, 4);
    return v;
}

static uint32_t signature(const struct x86_features *f)
{
    uint32_t v = f->stepping | (uint32_t)(f->model_id & 15) << 4 | (uint32_t)(f->model_id >> 4) << 16;

    return v | (f->family > 15 ? 15u << 8 | (uint32_t)(f->family - 15) << 20 : (uint32_t)f->family << 8);
}

uint64_t x86_xcr0_valid(const struct x86_features *f)
{
    return XCR0_X87 | XCR0_SSE | (x86_feat(f, X86_FEAT_AVX) ? XCR0_AVX : 0);
}

uint32_t x86_xsave_size(uint64_t xcr0)
{
    return xcr0 & XCR0_AVX ? 576 + 256 : 576;
}

/* The APIC bit follows the global enable in IA32_APIC_BASE */
static bool apic_enabled(struct x86_cpu *cpu)
{
    uint64_t base = 0;
    bool ok;

    machine_lock();
    ok = cpu->plat.rdmsr(cpu->plat.opaque, 0x1B, &base);
    machine_unlock();
    return !ok || (base & 1 << 11);
}

static unsigned cores(const struct x86_cpu *cpu)
{
    return cpu->cores ? cpu->cores : 1;
}

/* Bits of the APIC id that number the cores */
static unsigned core_bits(const struct x86_cpu *cpu)
{
    unsigned n = 0;

    while (1u << n < cores(cpu)) {
        n++;
    }
    return n;
}

static regs leaf_1(struct x86_cpu *cpu)
{
    const struct x86_features *f = cpu->feat;
    regs r = { signature(f), 8 << 8 | cores(cpu) << 16 | (uint32_t)cpu->index << 24, f->word[FEAT_1_ECX],
               f->word[FEAT_1_EDX] };

    if (cores(cpu) > 1) {
        r.edx |= 1u << X86_FEAT_HT % 32;
    }

    if (x86_feat(f, X86_FEAT_XSAVE) && (cpu->cr4 & CR4_OSXSAVE)) {
        r.ecx |= 1u << X86_FEAT_OSXSAVE % 32;
    }
    if (x86_feat(f, X86_FEAT_APIC) && !apic_enabled(cpu)) {
        r.edx &= ~(1u << X86_FEAT_APIC % 32);
    }
    return r;
}

/* Deterministic cache parameters: type, level, ways, sets of 64-byte lines */
static regs leaf_4(const struct x86_cpu *cpu, uint32_t sub)
{
    static const struct { uint8_t type, level, ways; uint16_t sets; } cache[] = {
        { 1, 1, 8, 64 }, { 2, 1, 8, 64 }, { 3, 2, 16, 4096 }, { 3, 3, 16, 16384 },
    };
    uint32_t shared;

    if (sub >= ARRAY_LEN(cache)) {
        return (regs){ 0 };
    }
    shared = cache[sub].level == 3 ? (1u << core_bits(cpu)) - 1 : 0;
    return (regs){ cache[sub].type | cache[sub].level << 5 | 1 << 8 | shared << 14 | ((1u << core_bits(cpu)) - 1) << 26,
                   (cache[sub].ways - 1u) << 22 | 63, cache[sub].sets - 1u, 1 };
}

static regs leaf_b(const struct x86_cpu *cpu, uint32_t sub)
{
    switch (sub) {
    case 0:         /* SMT */
        return (regs){ 0, 1, 1 << 8, cpu->index };
    case 1:         /* core */
        return (regs){ core_bits(cpu), cores(cpu), 2 << 8 | 1, cpu->index };
    default:
        return (regs){ 0, 0, sub & 0xFF, cpu->index };
    }
}

static regs leaf_d(struct x86_cpu *cpu, uint32_t sub)
{
    const struct x86_features *f = cpu->feat;
    uint64_t all = x86_xcr0_valid(f);

    if (!x86_feat(f, X86_FEAT_XSAVE)) {
        return (regs){ 0 };
    }
    switch (sub) {
    case 0:
        return (regs){ (uint32_t)all, x86_xsave_size(cpu->xcr0), x86_xsave_size(all), 0 };
    case 1:
        return (regs){ f->word[FEAT_D1_EAX], x86_feat(f, X86_FEAT_XSAVEC) ? x86_xsave_size(cpu->xcr0) : 0, 0, 0 };
    case 2:
        return all & XCR0_AVX ? (regs){ 256, 576, 0, 0 } : (regs){ 0 };
    default:
        return (regs){ 0 };
    }
}

static regs brand(const struct x86_features *f, uint32_t leaf)
{
    const char *s = f->brand + 16 * (leaf - 0x80000002);

    return (regs){ word4(s), word4(s + 4), word4(s + 8), word4(s + 12) };
}

static regs basic_leaf(struct x86_cpu *cpu, uint32_t leaf, uint32_t sub)
{
    const struct x86_features *f = cpu->feat;

    switch (leaf) {
    case 0:
        return (regs){ f->level, word4(f->vendor), word4(f->vendor + 8), word4(f->vendor + 4) };
    case 1:
        return leaf_1(cpu);
    case 2:     /* 7D: 2 MiB L2; 30, 2C: 32 KiB L1; 4D: 16 MiB L3 */
        return f->intel ? (regs){ 0x00000001, 0, 0x0000004D, 0x002C307D } : (regs){ 0 };
    case 4:
        return f->intel ? leaf_4(cpu, sub) : (regs){ 0 };
    case 5:
        return x86_feat(f, X86_FEAT_MONITOR) ? (regs){ 64, 64, 3, 0 } : (regs){ 0 };
    case 6:
        return (regs){ f->word[FEAT_6_EAX], 0, 0, 0 };
    case 7:
        return sub ? (regs){ 0 } : (regs){ 0, f->word[FEAT_7_EBX], f->word[FEAT_7_ECX], f->word[FEAT_7_EDX] };
    case 0xB:
        return leaf_b(cpu, sub);
    case 0xD:
        return leaf_d(cpu, sub);
    case 0x15:
        return f->intel ? (regs){ 1, 1, X86_TSC_HZ, 0 } : (regs){ 0 };
    case 0x16:
        return f->intel ? (regs){ 1000, 1000, 100, 0 } : (regs){ 0 };
    default:
        return (regs){ 0 };
    }
}

static regs extended_leaf(struct x86_cpu *cpu, uint32_t leaf)
{
    const struct x86_features *f = cpu->feat;

    switch (leaf) {
    case 0x80000000:
        return f->intel ? (regs){ f->xlevel, 0, 0, 0 }
                        : (regs){ f->xlevel, word4(f->vendor), word4(f->vendor + 8), word4(f->vendor + 4) };
    case 0x80000001:
        return (regs){ signature(f), 0, f->word[FEAT_E1_ECX] | (!f->intel && cores(cpu) > 1 ? 2 : 0),
                       f->word[FEAT_E1_EDX] };     /* bit 1: CMP_LEGACY */
    case 0x80000002: case 0x80000003: case 0x80000004:
        return brand(f, leaf);
    case 0x80000005:    /* L1: TLBs, 64 KiB 2-way data and instruction */
        return f->intel ? (regs){ 0 } : (regs){ 0x01FF01FF, 0x01FF01FF, 0x40020140, 0x40020140 };
    case 0x80000006:    /* L2: 512 KiB 16-way, L3: 16 MiB 16-way */
        return (regs){ 0, f->intel ? 0 : 0x42004200, 0x02008140, f->intel ? 0 : 0x00808140 };
    case 0x80000007:
        return (regs){ 0, 0, 0, f->word[FEAT_E7_EDX] };
    case 0x80000008:
        return (regs){ f->phys_bits | (x86_feat(f, X86_FEAT_LM) ? 48u : 32u) << 8, f->word[FEAT_E8_EBX],
                       cores(cpu) > 1 ? (cores(cpu) - 1) | core_bits(cpu) << 12 : 0, 0 };
    default:
        return (regs){ 0 };
    }
}

regs x86_cpuid(struct x86_cpu *cpu, uint32_t leaf, uint32_t sub)
{
    const struct x86_features *f = cpu->feat;

    if (leaf >> 28 == 4 && x86_feat(f, X86_FEAT_HYPERVISOR)) {
        if (x86_feat(f, X86_FEAT_KVM)) {
            return leaf == 0x40000000 ? (regs){ 0x40000010, word4(KVM_SIGNATURE), word4(&KVM_SIGNATURE[4]),
                                                word4(&KVM_SIGNATURE[8]) } : x86_pv_leaf(cpu, leaf);
        }
        if (leaf == 0x40000000) {
            return (regs){ leaf, word4(HV_SIGNATURE), word4(&HV_SIGNATURE[4]), word4(&HV_SIGNATURE[8]) };
        }
        return (regs){ 0 };
    }
    if (leaf >= 0x80000000 && leaf <= f->xlevel) {
        return extended_leaf(cpu, leaf);
    }
    if (leaf > f->level) {      /* Intel: data of the highest basic leaf; AMD: zeroes */
        return f->intel ? basic_leaf(cpu, f->level, sub) : (regs){ 0 };
    }
    return basic_leaf(cpu, leaf, sub);
}
