/* SPDX-License-Identifier: BSD-2-Clause */
/* target/x86/mmu_int.h - what mmu.c, mmu_walk.c and mmu_flush.c share */
#ifndef TARGET_X86_MMU_INT_H
#define TARGET_X86_MMU_INT_H

#include "target/x86/mmu.h"

#define PAGE_MASK   0xFFFULL
#define PAGE_SIZE_4K 4096u

/* Page table entry bits, SDM vol. 3, 4.5 */
#define PTE_P       (1ULL << 0)
#define PTE_W       (1ULL << 1)
#define PTE_U       (1ULL << 2)
#define PTE_A       (1ULL << 5)
#define PTE_D       (1ULL << 6)
#define PTE_PS      (1ULL << 7)
#define PTE_G       (1ULL << 8)
#define PTE_NX      (1ULL << 63)
#define PTE_ADDR    0x000FFFFFFFFFF000ULL

/* Page fault error code, SDM vol. 3, 4.7 */
enum { PF_P = 1 << 0, PF_W = 1 << 1, PF_U = 1 << 2, PF_RSVD = 1 << 3, PF_I = 1 << 4 };

/* Rights of a page: what all levels of the walk allow together, before CR0.WP, SMEP and SMAP are looked at */
enum { PR_W = 1 << 0, PR_U = 1 << 1, PR_X = 1 << 2, PR_D = 1 << 3, PR_G = 1 << 4, PR_BIG = 1 << 5, PR_HUGE = 1 << 6 };

enum mmu_access { ACC_READ, ACC_WRITE, ACC_FETCH };

/* What is behind a page of physical addresses. host NULL: I/O, nothing, or memory that does not fill the page */
struct phys_page {
    uint64_t page;              /* physical address, A20 applied; TLB_NONE: empty */
    uint8_t *host;
    struct ram_block *ram;
    uint64_t ram_off;
    bool rom;
};
#define PHYS_SIZE 512

/* Second level. Valid while gen is the present one of the address space or of global pages. */
struct tlb2 {
    uint64_t tag;               /* linear page */
    uint64_t gen;
    uint32_t rights;            /* PR_* */
    uint32_t rom;
    struct phys_page p;
};
#define TLB2_SETS 1024
#define TLB2_WAYS 4

/* Upper levels of the walk, for the last table: key is the linear address without the bits that index it */
struct pde_cache {
    uint64_t key, gen, epoch;
    uint64_t table;             /* physical address of the last-level table */
    uint32_t rights;
};
#define PDE_SIZE 256

#define MMU_WTAGS (2 * TLB_BANKS * TLB_SIZE)
#define BANK_LOG 1024
struct bank_log {               /* entries that may be filled; n > BANK_LOG: any */
    unsigned n;
    uint16_t idx[BANK_LOG];
};
enum { LOG_LOCAL, LOG_GLOBAL, BANK_LOGS };      /* what a CR3 write takes away, what it does not */

struct mmu_context { uint64_t gen, code_gen; };    /* of a PCID; 0: never used */

struct x86_mmu {
    uint64_t next_gen;          /* numbers given out so far */
    uint64_t as_gen, global_gen;
    uint64_t pde_epoch;
    unsigned victim;
    struct bank_log log[TLB_BANKS][BANK_LOGS];
    struct phys_page phys[PHYS_SIZE];
    struct pde_cache pde[PDE_SIZE];
    struct tlb2 set[TLB2_SETS][TLB2_WAYS];
    struct mmu_context pcid[4096];
    uint8_t exec_map[2][4096];  /* MAP_*, hashed by page: code was fetched from there */
    uint8_t big_map[4096];      /* hashed by 4 MiB: fragments of large pages were entered */
    uint8_t huge_map[128];      /* the same by 1 GiB */
    uint8_t wtag_map[8192];     /* hashed by page of host memory: a write tag was given out */
    struct x86_tlb_entry **wtags;   /* check=on: entries that have got a write tag since this was emptied; else NULL */
    unsigned n_wtags;
    struct tlb2 rmw[2];         /* pages of the read-modify-write under way */
    struct x86_mmu_stats stats;
};

static inline uint64_t mmu_la_mask(const struct x86_cpu *cpu)
{
    return cpu->mode & MODE_LMA ? ~0ULL : 0xFFFFFFFFULL;
}

static inline uint64_t mmu_a20(const struct x86_cpu *cpu, uint64_t phys)
{
    return phys & (0xFFFFFFFF00000000ULL | cpu->a20_mask_low);
}

/** mmu_phys() - look up a physical page (through a small cache) */
const struct phys_page *mmu_phys(struct x86_cpu *cpu, uint64_t phys);

struct walk {
    uint64_t phys;              /* of the 4 KiB page */
    uint32_t rights;
    uint32_t fault;             /* PF_P | PF_RSVD; with !ok */
    bool ok;
    uint64_t leaf;              /* physical address of the last entry, for mmu_walk_mark() */
    uint64_t entry;             /* its value */
    unsigned entry_size;        /* 4 or 8; 0: paging is off */
};
/** mmu_walk() - @quiet: no accessed bits are set. Accessed and dirty of the leaf are left to mmu_walk_mark() */
void mmu_walk(struct x86_cpu *cpu, uint64_t la, bool quiet, struct walk *w);
/** mmu_walk_mark() - set @bits (PTE_A, PTE_D) in the leaf, where missing */
void mmu_walk_mark(struct x86_cpu *cpu, struct walk *w, uint64_t bits);
/** mmu_entry() - a paging structure entry as it is in memory */
uint64_t mmu_entry(struct x86_cpu *cpu, uint64_t phys, unsigned size);

/**
 * mmu_fill() - bring the page of @la, all of the access in it, into the first level for record @r
 * Raises the page fault. Return: false: not an ordinary address; the tag may still be withheld
 */
bool mmu_fill(struct x86_cpu *cpu, const struct x86_rec *r, uint64_t la, unsigned len, bool write);

/**
 * mmu_code_byte() - host memory of @la, which may be written and has no write tag only because code was decoded from
 * its page
 * *ram, *off: where it is, for x86_smc_store() after the store. NULL: something else is the matter
 */
uint8_t *mmu_code_byte(struct x86_cpu *cpu, uint64_t la, struct ram_block **ram, uint64_t *off);

/** mmu_sync() - after a device access: the memory map may have changed under us */
void mmu_sync(struct x86_cpu *cpu);

/** mmu_log_foreach() - the entries of a bank that the log knows of: a superset, some more than once */
typedef void mmu_entry_fn(struct x86_tlb_entry *e, void *opaque);
static inline void mmu_log_foreach(struct x86_cpu *cpu, unsigned bank, unsigned log, mmu_entry_fn *fn, void *opaque)
{
    const struct bank_log *l = &cpu->mmu->log[bank][log];
    unsigned n = l->n <= BANK_LOG ? l->n : TLB_SIZE;

    for (unsigned i = 0; i < n; i++) {
        fn(&cpu->tlb_bank[bank][l->n <= BANK_LOG ? l->idx[i] : i], opaque);
    }
}
/** mmu_banks_foreach() - all entries that may be filled */
static inline void mmu_banks_foreach(struct x86_cpu *cpu, mmu_entry_fn *fn, void *opaque)
{
    for (unsigned b = 0; b < TLB_BANKS; b++) {
        bool all = cpu->mmu->log[b][LOG_LOCAL].n > BANK_LOG;

        mmu_log_foreach(cpu, b, LOG_LOCAL, fn, opaque);
        if (!all) {
            mmu_log_foreach(cpu, b, LOG_GLOBAL, fn, opaque);
        }
    }
}

static inline unsigned mmu_hash(uint64_t n)
{
    return (unsigned)((n * 0x9E3779B97F4A7C15ULL) >> 49);      /* 15 bits */
}
/* The first level's entries: aux */
enum { AUX_GLOBAL = 1 };

static inline bool mmu_map_test(const uint8_t *map, unsigned size, uint64_t n)
{
    unsigned h = mmu_hash(n) & (size * 8 - 1);

    return map[h >> 3] >> (h & 7) & 1;
}
static inline void mmu_map_set(uint8_t *map, unsigned size, uint64_t n)
{
    unsigned h = mmu_hash(n) & (size * 8 - 1);

    map[h >> 3] |= (uint8_t)(1 << (h & 7));
}

#endif
