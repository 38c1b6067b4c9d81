/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/mmu.h - translation for the rest of the engine: code fetch, flushes, system accesses
 *
 * Three levels. The banks in struct x86_cpu (access.h compares their tags in line), a 4-way table that keeps raw page
 * rights (mmu.c), and the page walk (mmu_walk.c). Entries of the second level carry the generation of their address
 * space (one a PCID, one for global pages), so that a CR3 write changes a number instead of clearing a table.
 *
 * Generations for code. cpu->map_gen[MAP_AS] names the present mapping of non-global pages for instruction
 * fetch, cpu->map_gen[MAP_GLOBAL] that of global ones. A cache that goes from linear address to block keeps
 * fetch_slot.gen beside its entry: the entry is good while that number equals either of the two. Numbers are never used
 * twice; with PCIDs a number comes back when the guest goes back to an address space that was not flushed meanwhile.
 */
#ifndef TARGET_X86_MMU_H
#define TARGET_X86_MMU_H

#include "target/x86/state.h"

struct x86_mmu;

/** x86_mmu_new() - belongs to the CPU: second level, caches of the walk, generations */
struct x86_mmu *x86_mmu_new(void);
void x86_mmu_free(struct x86_mmu *m);

/* Where the bytes at a linear address are */
struct fetch_slot {
    uint64_t phys;              /* guest-physical address of the byte, A20 applied */
    const uint8_t *host;        /* the byte; readable up to the page end. NULL: MMIO or nothing there */
    struct ram_block *ram;      /* with host (RAM and ROM): the block and the byte's offset in it */
    uint64_t ram_off;
    unsigned len;               /* bytes to the end of the page, 1..4096 */
    uint64_t gen;               /* cpu->map_gen[] this translation hangs on */
    bool readonly;              /* ROM: no store can change it (but region changes and loaders can) */
};

/**
 * x86_fetch_page() - look up the code page at @la (linear, CS base added) with execute rights of the present CPL
 * Raises #PF (I/D bit as SDM vol. 3, 4.7 says), or #GP(0) when not canonical; the saved RIP is then cpu->regs[REG_RIP]
 * as it stands (cpu->cur is set to NULL): it must be the start of the instruction, also when @la is its second page.
 * Return: false when there is no memory (out->host NULL): run the bytes from x86_fetch_io()
 */
bool x86_fetch_page(struct x86_cpu *cpu, uint64_t la, struct fetch_slot *out);
/** x86_fetch_io() - @len bytes of code at physical @phys that is not memory; takes the machine lock */
void x86_fetch_io(struct x86_cpu *cpu, uint64_t phys, uint8_t *buf, unsigned len);

/**
 * x86_tlb_code_page() - decoded code now exists of the page at @off: later stores must take the slow path. Set RAM_CODE
 * first
 */
void x86_tlb_code_page(struct x86_cpu *cpu, struct ram_block *ram, uint64_t off);
/**
 * x86_tlb_flush_all() - everything, global pages and caches of physical memory too (memory map, A20, CR0.PG changed)
 */
void x86_tlb_flush_all(struct x86_cpu *cpu);
/** x86_tlb_flush_page() - INVLPG */
void x86_tlb_flush_page(struct x86_cpu *cpu, uint64_t la);
/** x86_tlb_flush_banks() - first level only: rights are looked at afresh (CR0.WP, CR4.SMEP, data breakpoints) */
void x86_tlb_flush_banks(struct x86_cpu *cpu);
/** x86_tlb_flush_context() - non-global entries of the present address space (@global: all of them) */
void x86_tlb_flush_context(struct x86_cpu *cpu, bool global);
/** x86_tlb_flush_pcid() - INVPCID types 0 and 1; @la is used when @one_page */
void x86_tlb_flush_pcid(struct x86_cpu *cpu, unsigned pcid, bool one_page, uint64_t la);
/** x86_tlb_switch() - CR3 (or CR4.PCIDE) has a new value; @flush: its non-global entries go */
void x86_tlb_switch(struct x86_cpu *cpu, bool flush);

/*
 * Register writes with their checks and flushes (control.c). They raise #GP(0) for what the processor refuses, and call
 * x86_mode_update() themselves.
 */
void x86_cr0_write(struct x86_cpu *cpu, uint64_t v);
void x86_cr3_write(struct x86_cpu *cpu, uint64_t v);
void x86_cr4_write(struct x86_cpu *cpu, uint64_t v);
/** x86_pdpte_load() - PAE without long mode: read and check the four entries at CR3 (raises #GP(0)) */
void x86_pdpte_load(struct x86_cpu *cpu, uint64_t cr3);

/*
 * System accesses: descriptor tables, TSS, interrupt frames. Always with supervisor rights, whatever the CPL; cpu->cur
 * is the record they are for.
 */
uint64_t sys_ld(struct x86_cpu *cpu, uint64_t la, unsigned size);
void sys_st(struct x86_cpu *cpu, uint64_t la, uint64_t v, unsigned size);
/** sys_probe() - would a supervisor (@user: user) access of @len bytes (up to 4096) work; raises as it would */
void sys_probe(struct x86_cpu *cpu, uint64_t la, unsigned len, bool write, bool user);

/**
 * mmu_ld()/mmu_st() - with the rights of @bank (TLB_*), for frames on a stack whose privilege differs from the present
 * one
 */
uint64_t mmu_ld(struct x86_cpu *cpu, const struct x86_rec *r, unsigned bank, uint64_t la, unsigned size);
void mmu_st(struct x86_cpu *cpu, const struct x86_rec *r, unsigned bank, uint64_t la, uint64_t v, unsigned size);

/**
 * x86_translate_debug() - what @la maps to, without side effects and faults; false: not mapped. @rights: PTE bits P,
 * RW, US, NX
 */
bool x86_translate_debug(struct x86_cpu *cpu, uint64_t la, uint64_t *phys, uint64_t *rights);

/**
 * x86_code_gen() - what translated code compares for a block whose translation hangs on fetch generation @gen: it is
 * good while jf.gen of the CPU's privilege is the value returned; 0: it cannot be told so
 */
uint32_t x86_code_gen(struct x86_cpu *cpu, uint64_t gen);

/** x86_canonical() - is @la a 48-bit sign-extended address */
static inline bool x86_canonical(uint64_t la)
{
    return (uint64_t)((int64_t)(la << 16) >> 16) == la;
}

/** x86_mmu_stats() - lookups that went past the banks, walks, flushes */
struct x86_mmu_stats {
    uint64_t fills, walks, flushes, flush_pages, slow_loads, slow_stores, mmio;
};
const struct x86_mmu_stats *x86_mmu_stats(const struct x86_cpu *cpu);

#endif
