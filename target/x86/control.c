/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/control.c - CR0, CR3, CR4, EFER, and the mode word made from them (SDM vol. 3, 2.5)
 *
 * Every write checks first (reserved bits, illegal combinations: #GP(0)), then flushes what the change makes stale,
 * then updates the mode.
 */
#include "target/x86/control.h"
#include "target/x86/excp.h"
#include "target/x86/fp.h"
#include "target/x86/mmu.h"
#include "target/x86/seg.h"
#include "lib/bits.h"

static void __attribute__((noreturn)) gp0(struct x86_cpu *cpu)
{
    x86_raise_err(cpu, NULL, EXC_GP, 0);
}

/* --- mode --------------------------------------------------------------------------------------------------------- */

/* Base 0, limit 4 GiB, and everything allowed that data segments allow (@code: reading is enough) */
static bool is_flat(const struct x86_seg *s, bool code)
{
    unsigned a = s->attr;

    if (s->base || s->limit != 0xFFFFFFFF || !(a & SEGA_P) || !(a & SEGA_RW)) {
        return false;
    }
    return code || !(a & (SEGA_CODE | SEGA_CONF_EXPDOWN));
}

/* In 64-bit mode nobody asks what these registers hold: a kernel that was entered by an interrupt (SS null) runs the same blocks as by SYSCALL */
static uint32_t segment_mode(const struct x86_cpu *cpu)
{
    uint32_t m = cpu->seg[SEG_SS].attr & SEGA_DB ? MODE_SS32 : 0;

    m |= is_flat(&cpu->seg[SEG_DS], false) ? MODE_FLAT_DS : 0;
    m |= is_flat(&cpu->seg[SEG_ES], false) ? MODE_FLAT_ES : 0;
    m |= is_flat(&cpu->seg[SEG_SS], false) ? MODE_FLAT_SS : 0;
    return m | (is_flat(&cpu->seg[SEG_CS], true) ? MODE_FLAT_CS : 0);
}

/* Outside 64-bit mode translated code checks limits of plain data segments itself: present, writable, expanding upwards */
static uint64_t seg_top(const struct x86_seg *s)
{
    bool plain = (s->attr & (SEGA_P | SEGA_S | SEGA_RW | SEGA_CODE | SEGA_CONF_EXPDOWN)) == (SEGA_P | SEGA_S | SEGA_RW);

    return plain ? (uint64_t)s->limit + 1 : 0;
}

void x86_mode_update(struct x86_cpu *cpu)
{
    const struct x86_seg *cs = &cpu->seg[SEG_CS];
    uint32_t m = 0, old = cpu->mode;
    bool ac = cpu->eflags & FL_AC;
    unsigned bank = TLB_KERNEL;

    m |= cpu->efer & EFER_LMA ? MODE_LMA | (cs->attr & SEGA_L ? MODE_64 : 0) : 0;
    m |= !(m & MODE_64) && (cs->attr & SEGA_DB) ? MODE_CS32 : 0;
    m |= cpu->cr0 & CR0_PE ? MODE_PE : 0;
    m |= cpu->eflags & FL_VM ? MODE_VM : 0;
    m |= m & MODE_64 ? MODE_FLAT_DS | MODE_FLAT_ES | MODE_FLAT_SS | MODE_FLAT_CS : segment_mode(cpu);
    m |= cpu->cr0 & CR0_TS ? MODE_TS : 0;
    m |= cpu->cr0 & CR0_EM ? MODE_EM : 0;
    m |= cpu->cr0 & CR0_MP ? MODE_MP : 0;
    m |= cpu->cr4 & CR4_OSFXSR ? MODE_OSFXSR : 0;
    if (cpu->cr4 & CR4_OSXSAVE) {
        m |= MODE_OSXSAVE | ((cpu->xcr0 & (XCR0_SSE | XCR0_AVX)) == (XCR0_SSE | XCR0_AVX) ? MODE_AVX : 0);
    }
    m |= x86_fp_mode(cpu);
    m |= (cpu->eflags & FL_TF) || (cpu->dr[7] & 0xFF) ? MODE_STEP : 0;
    if (cpu->cpl == 3) {
        m |= MODE_USER | (ac && (cpu->cr0 & CR0_AM) ? MODE_AC : 0);
        bank = TLB_USER;
    } else if (ac && (cpu->cr4 & CR4_SMAP)) {
        bank = TLB_KERNEL_AC;
        m |= MODE_SMAP_AC;
    }
    if (old & ~m & MODE_64) {       /* upper halves are undefined outside (SDM vol. 1, 3.4.1.1); translated code counts on their being zero */
        for (unsigned i = 0; i < 8; i++) {
            cpu->regs[i] = (uint32_t)cpu->regs[i];
        }
    }
    if (!(m & MODE_64)) {
        for (unsigned i = SEG_ES; i <= SEG_GS; i++) {
            cpu->jf.seg_top[i] = seg_top(&cpu->seg[i]);
        }
    }
    cpu->mode = m;
    cpu->tlb = cpu->tlb_bank[bank];
    if (unlikely((old ^ m) & MODE_AC)) {
        x86_tlb_flush_banks(cpu);
    }
}

/* --- control registers -------------------------------------------------------------------------------------------- */

void x86_cr0_write(struct x86_cpu *cpu, uint64_t v)
{
    const uint64_t valid = CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_NW | CR0_CD |
                           CR0_PG;
    uint64_t old = cpu->cr0, change;

    if (v >> 32 || ((v & CR0_PG) && !(v & CR0_PE)) || ((v & CR0_NW) && !(v & CR0_CD))) {
        gp0(cpu);
    }
    v = (v & valid) | CR0_ET;
    change = old ^ v;
    if (change & v & CR0_PG) {
        if (cpu->efer & EFER_LME) {
            if (!(cpu->cr4 & CR4_PAE) || (cpu->seg[SEG_CS].attr & SEGA_L)) {
                gp0(cpu);
            }
        } else if (cpu->cr4 & CR4_PAE) {
            x86_pdpte_load(cpu, cpu->cr3);
        }
    }
    if ((change & CR0_PG) && !(v & CR0_PG) && ((cpu->mode & MODE_64) || (cpu->cr4 & CR4_PCIDE))) {
        gp0(cpu);
    }
    cpu->cr0 = v;
    if (change & CR0_PG) {
        cpu->efer &= ~(uint64_t)EFER_LMA;
        cpu->efer |= (v & CR0_PG) && (cpu->efer & EFER_LME) ? EFER_LMA : 0;
        x86_tlb_flush_all(cpu);
    } else if (change & CR0_WP) {
        x86_tlb_flush_banks(cpu);
    }
    x86_mode_update(cpu);
}

void x86_cr3_write(struct x86_cpu *cpu, uint64_t v)
{
    bool keep = false;

    if (cpu->cr4 & CR4_PCIDE) {
        keep = v >> 63;
        v &= ~(1ULL << 63);
    }
    if (cpu->mode & MODE_LMA) {
        if (v & ~bits_mask(cpu->feat->phys_bits)) {
            gp0(cpu);
        }
    } else {
        v = (uint32_t)v;
        if ((cpu->cr0 & CR0_PG) && (cpu->cr4 & CR4_PAE)) {
            x86_pdpte_load(cpu, v);
        }
    }
    cpu->cr3 = v;
    x86_tlb_switch(cpu, !keep);
}

/* CR4 bits that come with a feature */
static uint64_t cr4_valid(const struct x86_features *f)
{
    static const struct { uint16_t feat; uint32_t bits; } rows[] = {
        { X86_FEAT_VME, CR4_VME | CR4_PVI }, { X86_FEAT_TSC, CR4_TSD }, { X86_FEAT_DE, CR4_DE },
        { X86_FEAT_PSE, CR4_PSE }, { X86_FEAT_PAE, CR4_PAE }, { X86_FEAT_MCE, CR4_MCE },
        { X86_FEAT_PGE, CR4_PGE }, { X86_FEAT_FXSR, CR4_OSFXSR },
        { X86_FEAT_SSE, CR4_OSXMMEXCPT }, { X86_FEAT_UMIP, CR4_UMIP }, { X86_FEAT_FSGSBASE, CR4_FSGSBASE },
        { X86_FEAT_PCID, CR4_PCIDE }, { X86_FEAT_XSAVE, CR4_OSXSAVE }, { X86_FEAT_SMEP, CR4_SMEP },
        { X86_FEAT_SMAP, CR4_SMAP },
    };
    uint64_t v = CR4_PCE;

    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        v |= x86_feat(f, rows[i].feat) ? rows[i].bits : 0;
    }
    return v;
}

void x86_cr4_write(struct x86_cpu *cpu, uint64_t v)
{
    uint64_t change = cpu->cr4 ^ v;

    if ((v & ~cr4_valid(cpu->feat)) || ((cpu->mode & MODE_LMA) && !(v & CR4_PAE))) {
        gp0(cpu);
    }
    if ((change & v & CR4_PCIDE) && (!(cpu->mode & MODE_LMA) || (cpu->cr3 & 0xFFF))) {
        gp0(cpu);
    }
    if ((change & (CR4_PGE | CR4_PSE | CR4_PAE | CR4_SMEP)) && (v & CR4_PAE) && (cpu->cr0 & CR0_PG) &&
        !(cpu->mode & MODE_LMA)) {
        x86_pdpte_load(cpu, cpu->cr3);
    }
    cpu->cr4 = v;
    if (change & (CR4_PGE | CR4_PSE | CR4_PAE | CR4_SMEP | CR4_PCIDE)) {
        x86_tlb_flush_context(cpu, true);
    } else if (change & CR4_SMAP) {
        x86_tlb_flush_banks(cpu);
    }
    x86_mode_update(cpu);
}

bool x86_efer_write(struct x86_cpu *cpu, uint64_t v)
{
    const struct x86_features *f = cpu->feat;
    uint64_t valid = EFER_SCE | EFER_LMA;

    valid |= x86_feat(f, X86_FEAT_LM) ? EFER_LME : 0;
    valid |= x86_feat(f, X86_FEAT_NX) ? EFER_NXE : 0;
    valid |= x86_feat(f, X86_FEAT_FXSR_OPT) ? EFER_FFXSR : 0;
    if ((v & ~valid) || (((v ^ cpu->efer) & EFER_LME) && (cpu->cr0 & CR0_PG))) {
        return false;
    }
    v = (v & ~(uint64_t)EFER_LMA) | (cpu->efer & EFER_LMA);
    if ((v ^ cpu->efer) & EFER_NXE) {
        x86_tlb_flush_context(cpu, true);
    }
    cpu->efer = v;
    x86_mode_update(cpu);
    return true;
}
