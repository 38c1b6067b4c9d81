/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/msr.c - model-specific registers (SDM vol. 4; APM vol. 2, appendix A)
 *
 * Plain registers are rows: where the value lives, which bits can be written, which feature brings them. What does more
 * has a case. A register that is not here is #GP(0) and a line in the log (-d unimp).
 */
#include "target/x86/control.h"
#include "target/x86/mmu.h"
#include "target/x86/pv.h"
#include "core/clock.h"
#include "core/loop.h"
#include "lib/bits.h"
#include "lib/log.h"
#include <inttypes.h>
#include <sys/random.h>

enum {
    MSR_TSC = 0x10, MSR_PLATFORM_ID = 0x17, MSR_APIC_BASE = 0x1B, MSR_EBL_CR_POWERON = 0x2A, MSR_SMI_COUNT = 0x34,
    MSR_TSC_ADJUST = 0x3B, MSR_SPEC_CTRL = 0x48, MSR_PRED_CMD = 0x49, MSR_UCODE_WRITE = 0x79, MSR_UCODE_REV = 0x8B,
    MSR_PLATFORM_INFO = 0xCE, MSR_MTRRCAP = 0xFE, MSR_ARCH_CAPABILITIES = 0x10A, MSR_BBL_CR_CTL3 = 0x11E,
    MSR_SYSENTER_CS = 0x174, MSR_SYSENTER_ESP = 0x175, MSR_SYSENTER_EIP = 0x176, MSR_MCG_CAP = 0x179,
    MSR_MCG_STATUS = 0x17A, MSR_MCG_CTL = 0x17B, MSR_PERF_STATUS = 0x198, MSR_PERF_CTL = 0x199, MSR_MISC_ENABLE = 0x1A0,
    MSR_DEBUGCTL = 0x1D9, MSR_LBR_FIRST = 0x1DB, MSR_LBR_LAST = 0x1DE, MSR_MTRR_VAR = 0x200, MSR_MTRR_VAR_END = 0x20F,
    MSR_MTRR_FIX64K = 0x250, MSR_MTRR_FIX16K = 0x258, MSR_MTRR_FIX4K = 0x268, MSR_PAT = 0x277, MSR_MTRR_DEF = 0x2FF,
    MSR_MC_BANK = 0x400, MSR_TSC_DEADLINE = 0x6E0, MSR_X2APIC = 0x800, MSR_X2APIC_END = 0x8FF, MSR_XSS = 0xDA0,
    MC_BANKS = 10,
};
#define MSR_EFER            0xC0000080u
#define MSR_STAR            0xC0000081u
#define MSR_LSTAR           0xC0000082u
#define MSR_CSTAR           0xC0000083u
#define MSR_FMASK           0xC0000084u
#define MSR_FS_BASE         0xC0000100u
#define MSR_GS_BASE         0xC0000101u
#define MSR_KERNEL_GS_BASE  0xC0000102u
#define MSR_TSC_AUX         0xC0000103u

/*
 * IA32_ARCH_CAPABILITIES, SDM vol. 4: nothing to mitigate in the guest. RDCL_NO, IBRS_ALL, SKIP_L1DFL_VMENTRY, SSB_NO,
 * MDS_NO, IF_PSCHANGE_MC_NO, TAA_NO, SBDR_SSDP_NO, FBSDP_NO, PSDP_NO, BHI_NO, PBRSB_NO, GDS_NO, RFDS_NO. With IBRS_ALL
 * Linux does without retpolines.
 */
#define ARCH_CAPABILITIES (1u << 0 | 1u << 1 | 1u << 3 | 1u << 4 | 1u << 5 | 1u << 6 | 1u << 8 | 1u << 13 | 1u << 14 |  \
                           1u << 15 | 1u << 20 | 1u << 24 | 1u << 26 | 1u << 27)

/* --- time and chance ---------------------------------------------------------------------------------------------- */

uint64_t x86_tsc(struct x86_cpu *cpu)
{
    return (uint64_t)clock_get_ns(CLOCK_VIRTUAL) + cpu->tsc_offset;
}

static void tsc_shift(struct x86_cpu *cpu, uint64_t delta)
{
    cpu->tsc_offset += delta;
    cpu->tsc_adjust += delta;
    x86_pv_tsc_changed(cpu);
    if (x86_feat(cpu->feat, X86_FEAT_TSC_DEADLINE)) {       /* a deadline is a value of the TSC: the timer is set anew */
        uint64_t deadline;

        machine_lock();
        if (cpu->plat.rdmsr(cpu->plat.opaque, MSR_TSC_DEADLINE, &deadline) && deadline) {
            cpu->plat.wrmsr(cpu->plat.opaque, MSR_TSC_DEADLINE, deadline);
        }
        machine_unlock();
    }
}

uint64_t x86_random(struct x86_cpu *cpu)
{
    uint64_t v;

    if (cpu->rand_left < sizeof(v)) {
        if (getrandom(cpu->rand_buf, sizeof(cpu->rand_buf), 0) != (ssize_t)sizeof(cpu->rand_buf)) {
            return 0;   /* cannot happen: at most 256 bytes are never cut short (getrandom(2)) */
        }
        cpu->rand_left = sizeof(cpu->rand_buf);
    }
    cpu->rand_left -= sizeof(v);
    memcpy(&v, cpu->rand_buf + cpu->rand_left, sizeof(v));
    memset(cpu->rand_buf + cpu->rand_left, 0, sizeof(v));
    return v;
}

/* --- tables ------------------------------------------------------------------------------------------------------- */

#define AT(member) offsetof(struct x86_cpu, member)
#define CANONICAL (~0ULL)       /* as writable bits: any canonical address */

static const struct msr_plain {
    uint32_t msr;
    uint32_t at;
    uint64_t writable;          /* others must be zero */
    uint16_t feat;
    bool canonical;
} msr_plain[] = {
    { MSR_SYSENTER_CS, AT(sysenter_cs), 0xFFFFFFFF, X86_FEAT_SEP, false },
    { MSR_SYSENTER_ESP, AT(sysenter_esp), CANONICAL, X86_FEAT_SEP, true },
    { MSR_SYSENTER_EIP, AT(sysenter_eip), CANONICAL, X86_FEAT_SEP, true },
    { MSR_STAR, AT(star), ~0ULL, X86_FEAT_SYSCALL, false },
    { MSR_LSTAR, AT(lstar), CANONICAL, X86_FEAT_LM, true },
    { MSR_CSTAR, AT(cstar), CANONICAL, X86_FEAT_LM, true },
    { MSR_FMASK, AT(fmask), 0xFFFFFFFF, X86_FEAT_LM, false },
    { MSR_FS_BASE, AT(seg[SEG_FS].base), CANONICAL, X86_FEAT_LM, true },
    { MSR_GS_BASE, AT(seg[SEG_GS].base), CANONICAL, X86_FEAT_LM, true },
    { MSR_KERNEL_GS_BASE, AT(kernel_gs_base), CANONICAL, X86_FEAT_LM, true },
    { MSR_TSC_AUX, AT(tsc_aux), 0xFFFFFFFF, X86_FEAT_RDTSCP, false },
    { MSR_MTRR_DEF, AT(mtrr_def_type), 0xCFF, X86_FEAT_MTRR, false },
    { MSR_MISC_ENABLE, AT(misc_enable), ~0ULL, X86_FEAT_MSR, false },
    { MSR_MCG_STATUS, AT(mcg_status), ~0ULL, X86_FEAT_MCA, false },
    { MSR_MCG_CTL, AT(mcg_ctl), ~0ULL, X86_FEAT_MCA, false },
    { MSR_SPEC_CTRL, AT(spec_ctrl), 7, X86_FEAT_SPEC_CTRL, false },
    { MSR_XSS, AT(xss), 0, X86_FEAT_XSAVES, false },
};

/*
 * Read as a constant, writes ignored. Vendor: what the other one's guests never ask for is #GP there, as on the real
 * part. The 1 GHz of the TSC is ratio 10 of a 100 MHz bus.
 */
enum { INTEL = 1, AMD = 2, BOTH = 3 };
static const struct msr_const {
    uint32_t first, last;
    uint64_t value;
    uint8_t vendor;
} msr_const[] = {
    { MSR_PLATFORM_ID, MSR_PLATFORM_ID, 0, INTEL },
    { MSR_EBL_CR_POWERON, MSR_EBL_CR_POWERON, 0, INTEL },
    { MSR_SMI_COUNT, MSR_SMI_COUNT, 0, INTEL },
    { MSR_UCODE_WRITE, MSR_UCODE_WRITE, 0, INTEL },
    { MSR_PLATFORM_INFO, MSR_PLATFORM_INFO, 10 << 8 | 10ULL << 40, INTEL },
    { MSR_BBL_CR_CTL3, MSR_BBL_CR_CTL3, 0xBE702111, INTEL },
    { MSR_PERF_STATUS, MSR_PERF_CTL, 10 << 8, INTEL },
    { MSR_DEBUGCTL, MSR_DEBUGCTL, 0, BOTH },
    { MSR_LBR_FIRST, MSR_LBR_LAST, 0, BOTH },
    { 0xC0010000, 0xC0010007, 0, AMD },         /* K7 performance counters */
    { 0xC0010010, 0xC0010010, 0, AMD },         /* SYSCFG */
    { 0xC0010015, 0xC0010015, 0, AMD },         /* HWCR */
    { 0xC001001A, 0xC001001A, 0x40000000, AMD },/* TOP_MEM */
    { 0xC001001D, 0xC001001D, 0, AMD },         /* TOP_MEM2 */
    { 0xC001001F, 0xC0010020, 0, AMD },         /* NB_CFG, patch loader */
    { 0xC0010055, 0xC0010058, 0, AMD },         /* interrupt pending, MMIO configuration base */
    { 0xC0010111, 0xC0010114, 0, AMD },         /* SMM base, address, mask; VM_CR */
    { 0xC0010140, 0xC0010141, 0, AMD },         /* OS visible work-arounds: none */
    { 0xC0011004, 0xC0011005, 0, AMD },
    { 0xC001100C, 0xC001100C, 0, AMD },
    { 0xC0011020, 0xC001102F, 0, AMD },         /* LS_CFG, IC_CFG, DC_CFG, BU_CFG ... */
};

static const struct msr_plain *find_plain(const struct x86_cpu *cpu, uint32_t msr)
{
    for (unsigned i = 0; i < ARRAY_LEN(msr_plain); i++) {
        if (msr_plain[i].msr == msr) {
            return x86_feat(cpu->feat, msr_plain[i].feat) ? &msr_plain[i] : NULL;
        }
    }
    return NULL;
}

static const struct msr_const *find_const(const struct x86_cpu *cpu, uint32_t msr)
{
    for (unsigned i = 0; i < ARRAY_LEN(msr_const); i++) {
        if (msr >= msr_const[i].first && msr <= msr_const[i].last) {
            return msr_const[i].vendor & (cpu->feat->intel ? INTEL : AMD) ? &msr_const[i] : NULL;
        }
    }
    return NULL;
}

static uint64_t *mtrr(struct x86_cpu *cpu, uint32_t msr)
{
    if (!x86_feat(cpu->feat, X86_FEAT_MTRR)) {
        return NULL;
    }
    if (msr >= MSR_MTRR_VAR && msr <= MSR_MTRR_VAR_END) {
        return &cpu->mtrr_var[msr - MSR_MTRR_VAR];
    }
    if (msr == MSR_MTRR_FIX64K) {
        return &cpu->mtrr_fixed[0];
    }
    if (msr >= MSR_MTRR_FIX16K && msr < MSR_MTRR_FIX16K + 2) {
        return &cpu->mtrr_fixed[1 + msr - MSR_MTRR_FIX16K];
    }
    if (msr >= MSR_MTRR_FIX4K && msr < MSR_MTRR_FIX4K + 8) {
        return &cpu->mtrr_fixed[3 + msr - MSR_MTRR_FIX4K];
    }
    return NULL;
}

/* Memory types 0 UC, 1 WC, 4 WT, 5 WP, 6 WB, and for the PAT 7 UC- (SDM vol. 3, 11.12.2) */
static bool pat_ok(uint64_t v)
{
    for (unsigned i = 0; i < 64; i += 8) {
        unsigned t = v >> i & 0xFF;

        if (t > 7 || t == 2 || t == 3) {
            return false;
        }
    }
    return true;
}

static bool is_apic(const struct x86_cpu *cpu, uint32_t msr)
{
    if (msr == MSR_TSC_DEADLINE) {
        return x86_feat(cpu->feat, X86_FEAT_TSC_DEADLINE);
    }
    if (msr >= MSR_X2APIC && msr <= MSR_X2APIC_END) {
        return x86_feat(cpu->feat, X86_FEAT_X2APIC);
    }
    if (msr == MSR_KVM_PV_EOI) {
        return x86_feat(cpu->feat, X86_FEAT_KVM_PV_EOI);
    }
    return msr == MSR_APIC_BASE && x86_feat(cpu->feat, X86_FEAT_APIC);
}

static bool is_mc_bank(const struct x86_cpu *cpu, uint32_t msr)
{
    return msr >= MSR_MC_BANK && msr < MSR_MC_BANK + 4 * MC_BANKS && x86_feat(cpu->feat, X86_FEAT_MCA);
}

/* --- access ------------------------------------------------------------------------------------------------------- */

static bool rdmsr_special(struct x86_cpu *cpu, uint32_t msr, uint64_t *v)
{
    const struct x86_features *f = cpu->feat;

    switch (msr) {
    case MSR_TSC:
        *v = x86_tsc(cpu);
        return true;
    case MSR_TSC_ADJUST:
        *v = cpu->tsc_adjust;
        return x86_feat(f, X86_FEAT_TSC_ADJUST);
    case MSR_EFER:
        *v = cpu->efer;
        return true;
    case MSR_PAT:
        *v = cpu->pat;
        return x86_feat(f, X86_FEAT_PAT);
    case MSR_MTRRCAP:
        *v = 8 | 1 << 8 | 1 << 10;      /* 8 variable ranges, fixed ranges, write combining */
        return x86_feat(f, X86_FEAT_MTRR);
    case MSR_MCG_CAP:
        *v = MC_BANKS | 1 << 8;         /* MCG_CTL present */
        return x86_feat(f, X86_FEAT_MCA);
    case MSR_UCODE_REV:
        *v = f->intel ? 1ULL << 32 : 0x01000065;
        return true;
    case MSR_ARCH_CAPABILITIES:
        *v = ARCH_CAPABILITIES;
        return x86_feat(f, X86_FEAT_ARCH_CAPABILITIES);
    default:
        return x86_pv_rdmsr(cpu, msr, v);
    }
}

bool x86_rdmsr(struct x86_cpu *cpu, uint32_t msr, uint64_t *v)
{
    const struct msr_plain *p = find_plain(cpu, msr);
    const struct msr_const *c;
    const uint64_t *m;
    bool ok;

    if (p) {
        *v = *(uint64_t *)((char *)cpu + p->at);
        return true;
    }
    if (is_apic(cpu, msr)) {
        machine_lock();
        ok = cpu->plat.rdmsr(cpu->plat.opaque, msr, v);
        machine_unlock();
        return ok;
    }
    if (rdmsr_special(cpu, msr, v)) {
        return true;
    }
    if (is_mc_bank(cpu, msr)) {
        *v = cpu->mc_bank[msr - MSR_MC_BANK];
        return true;
    }
    if ((m = mtrr(cpu, msr)) != NULL) {
        *v = *m;
        return true;
    }
    if ((c = find_const(cpu, msr)) != NULL) {
        *v = c->value;
        return true;
    }
    log_guest(LOG_UNIMP, "RDMSR %08x at %016" PRIx64 ": no such register\n", msr, cpu->regs[REG_RIP]);
    return false;
}

/* Return: 1 done, 0 refused, -1 not one of these */
static int wrmsr_special(struct x86_cpu *cpu, uint32_t msr, uint64_t v)
{
    const struct x86_features *f = cpu->feat;

    switch (msr) {
    case MSR_TSC:
        tsc_shift(cpu, v - x86_tsc(cpu));
        return 1;
    case MSR_TSC_ADJUST:
        if (x86_feat(f, X86_FEAT_TSC_ADJUST)) {
            tsc_shift(cpu, v - cpu->tsc_adjust);
            return 1;
        }
        return -1;
    case MSR_EFER:
        return x86_efer_write(cpu, v);
    case MSR_PAT:
        if (!pat_ok(v)) {
            return 0;
        }
        cpu->pat = v;
        return 1;
    case MSR_PRED_CMD:
        return x86_feat(f, X86_FEAT_SPEC_CTRL) || x86_feat(f, X86_FEAT_IBPB) ? v <= 1 : -1;
    case MSR_UCODE_REV:
        return 1;
    case MSR_MTRRCAP: case MSR_MCG_CAP: case MSR_ARCH_CAPABILITIES:
        return 0;
    default:
        return x86_pv_wrmsr(cpu, msr, v) ? 1 : -1;
    }
}

static bool wrmsr_mc_bank(struct x86_cpu *cpu, uint32_t n, uint64_t v)
{
    if ((n & 3) && v) {         /* status, address, misc: only zero may be written; control: anything */
        return false;
    }
    cpu->mc_bank[n] = v;
    return true;
}

bool x86_wrmsr(struct x86_cpu *cpu, uint32_t msr, uint64_t v)
{
    const struct msr_plain *p = find_plain(cpu, msr);
    uint64_t *m;
    int done;
    bool ok;

    if (p) {
        if ((v & ~p->writable) || (p->canonical && !x86_canonical(v))) {
            return false;
        }
        *(uint64_t *)((char *)cpu + p->at) = v;
        return true;
    }
    if (is_apic(cpu, msr)) {
        machine_lock();
        ok = cpu->plat.wrmsr(cpu->plat.opaque, msr, v);
        machine_unlock();
        return ok;
    }
    done = wrmsr_special(cpu, msr, v);
    if (done >= 0) {
        return done;
    }
    if (is_mc_bank(cpu, msr)) {
        return wrmsr_mc_bank(cpu, msr - MSR_MC_BANK, v);
    }
    if ((m = mtrr(cpu, msr)) != NULL) {
        *m = v;
        return true;
    }
    if (find_const(cpu, msr)) {
        return true;
    }
    log_guest(LOG_UNIMP, "WRMSR %08x = %016" PRIx64 " at %016" PRIx64 ": no such register\n", msr, v,
              cpu->regs[REG_RIP]);
    return false;
}
