/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/mmu_walk.c - page walks (SDM vol. 3, chapter 4): none, 32-bit, PAE, 4-level
 *
 * All three formats are one loop over levels: a level is where its index sits in the linear address, how many bits it
 * has, whether an entry may end the walk there, and which bits are reserved. Accessed bits of the upper levels are set
 * on the way down (as processors since the P6 do); those of the leaf only when the access is allowed, by a host atomic
 * OR.
 *
 * The last table of a recent walk is remembered with the rights so far, so most walks read one entry. That
 * cache is keyed by the generation of the address space and dropped by every INVLPG, as the paging-structure caches
 * are.
 */
#include "target/x86/mmu_int.h"
#include "target/x86/undo.h"
#include "target/x86/excp.h"
#include "target/x86/engine.h"
#include "core/loop.h"
#include "lib/bits.h"

const struct phys_page *mmu_phys(struct x86_cpu *cpu, uint64_t phys)
{
    uint64_t page = phys & ~PAGE_MASK;
    struct phys_page *p = &cpu->mmu->phys[(page >> 12) & (PHYS_SIZE - 1)];
    struct space_slot s;

    if (likely(p->page == page)) {
        return p;
    }
    *p = (struct phys_page){ .page = page };
    if (space_lookup(cpu->mem, page, &s) && s.host && s.len >= PAGE_SIZE_4K && !(s.ram_off & PAGE_MASK)) {
        p->host = s.host;
        p->ram = s.ram;
        p->ram_off = s.ram_off;
        p->rom = s.readonly;
    }
    return p;
}

uint64_t mmu_entry(struct x86_cpu *cpu, uint64_t phys, unsigned size)
{
    const struct phys_page *p;
    uint64_t v;

    phys = mmu_a20(cpu, phys);
    p = mmu_phys(cpu, phys);
    if (likely(p->host)) {
        const void *at = p->host + (phys & PAGE_MASK);

        return size == 8 ? __atomic_load_n((const uint64_t *)at, __ATOMIC_RELAXED)
                         : __atomic_load_n((const uint32_t *)at, __ATOMIC_RELAXED);
    }
    if (machine_locked()) {     /* a monitor looks */
        return space_read(cpu->mem, phys, size);
    }
    machine_lock();
    v = space_read(cpu->mem, phys, size);
    machine_unlock();
    return v;
}

static void entry_or(struct x86_cpu *cpu, uint64_t phys, unsigned size, uint64_t bits)
{
    const struct phys_page *p;

    x86_undo_cannot(cpu);
    phys = mmu_a20(cpu, phys);
    p = mmu_phys(cpu, phys);
    if (likely(p->host && !p->rom)) {
        uint8_t *flags = &p->ram->page_flags[p->ram_off >> RAM_PAGE_BITS];

        /* bits 5 and 6 are in the low byte whatever the size */
        __atomic_fetch_or(p->host + (phys & PAGE_MASK), (uint8_t)bits, __ATOMIC_SEQ_CST);
        if (unlikely(__atomic_load_n(flags, __ATOMIC_RELAXED) & RAM_CODE)) {
            x86_smc_store(cpu, p->ram, p->ram_off + (phys & PAGE_MASK), 1);
        }
        return;
    }
    if (!p->host) {
        machine_lock();
        space_write(cpu->mem, phys, space_read(cpu->mem, phys, size) | bits, size);
        machine_unlock();
    }
}

void mmu_walk_mark(struct x86_cpu *cpu, struct walk *w, uint64_t bits)
{
    if (w->entry_size && (w->entry & bits) != bits) {
        entry_or(cpu, w->leaf, w->entry_size, bits);
        w->entry |= bits;
    }
}

/* One paging mode */
struct walk_mode {
    uint8_t levels;
    uint8_t entry_size;
    uint8_t bits;               /* index bits a level */
    uint8_t last_shift;         /* linear address bits below which the last table is found */
};
static const struct walk_mode walk_legacy = { 2, 4, 10, 22 };
static const struct walk_mode walk_pae = { 2, 8, 9, 21 };       /* below the PDPTE registers */
static const struct walk_mode walk_long = { 4, 8, 9, 21 };

/* Bits that must be zero in an entry of level @level (1 = page table) */
static uint64_t reserved_bits(const struct x86_cpu *cpu, const struct walk_mode *m, unsigned level, uint64_t e)
{
    uint64_t rsvd;
    unsigned phys_bits = cpu->feat->phys_bits;

    if (m == &walk_legacy) {
        if (level == 2 && (e & PTE_PS) && (cpu->cr4 & CR4_PSE)) {
            return x86_feat(cpu->feat, X86_FEAT_PSE36) ? 1u << 21 : 0x3FE000;
        }
        return 0;
    }
    rsvd = PTE_ADDR & ~bits_mask(phys_bits);
    if (!(cpu->efer & EFER_NXE)) {
        rsvd |= PTE_NX;
    }
    if (m == &walk_pae) {
        rsvd |= 0x7FF0000000000000ULL;
    }
    switch (level) {
    case 4:
        return rsvd | PTE_PS;
    case 3:
        if (e & PTE_PS) {
            return rsvd | (x86_feat(cpu->feat, X86_FEAT_PDPE1GB) ? 0x3FFFE000 : PTE_PS);
        }
        return rsvd;
    case 2:
        return e & PTE_PS ? rsvd | 0x1FE000 : rsvd;
    default:
        return rsvd;
    }
}

static bool is_leaf(const struct x86_cpu *cpu, const struct walk_mode *m, unsigned level, uint64_t e)
{
    return level == 1 || (level <= 3 && (e & PTE_PS) && (m != &walk_legacy || (cpu->cr4 & CR4_PSE)));
}

/* Physical address of the 4 KiB page of @la in the page that leaf @e maps */
static uint64_t leaf_phys(const struct walk_mode *m, unsigned level, uint64_t e, uint64_t la)
{
    unsigned shift = 12 + (level - 1) * m->bits;

    if (m == &walk_legacy && level == 2) {
        return (e & 0xFFC00000) | bits_get(e, 13, 8) << 32 | (la & 0x3FF000);   /* PSE-36 */
    }
    return (e & PTE_ADDR & ~bits_mask(shift)) | (la & bits_mask(shift) & ~PAGE_MASK);
}

static const struct walk_mode *walk_start(struct x86_cpu *cpu, uint64_t la, uint64_t *table)
{
    if (cpu->efer & EFER_LMA) {
        *table = cpu->cr3 & PTE_ADDR;
        return &walk_long;
    }
    if (cpu->cr4 & CR4_PAE) {
        uint64_t e = cpu->pdpte[(la >> 30) & 3];

        *table = e & PTE_ADDR;
        return e & PTE_P ? &walk_pae : NULL;
    }
    *table = cpu->cr3 & 0xFFFFF000;
    return &walk_legacy;
}

void mmu_walk(struct x86_cpu *cpu, uint64_t la, bool quiet, struct walk *w)
{
    struct x86_mmu *mmu = cpu->mmu;
    const struct walk_mode *m;
    struct pde_cache *pc;
    uint64_t table, key;
    uint32_t rights = PR_W | PR_U | PR_X;
    unsigned level;

    memset(w, 0, sizeof(*w));
    if (!(cpu->cr0 & CR0_PG)) {
        w->phys = la & ~PAGE_MASK;
        w->rights = PR_W | PR_U | PR_X | PR_D;
        w->ok = true;
        return;
    }
    m = walk_start(cpu, la, &table);
    if (!m) {
        return;
    }
    level = m->levels;
    key = la >> m->last_shift;
    pc = &mmu->pde[mmu_hash(key) & (PDE_SIZE - 1)];
    if (pc->key == key && pc->gen == mmu->as_gen && pc->epoch == mmu->pde_epoch) {
        table = pc->table;
        rights = pc->rights;
        level = 1;
    }
    for (;; level--) {
        uint64_t at = table + bits_get(la, 12 + (level - 1) * m->bits, m->bits) * m->entry_size;
        uint64_t e = mmu_entry(cpu, at, m->entry_size);

        if (!(e & PTE_P)) {
            return;
        }
        if (e & reserved_bits(cpu, m, level, e)) {
            w->fault = PF_P | PF_RSVD;
            return;
        }
        rights &= (e & PTE_W ? PR_W : 0) | (e & PTE_U ? PR_U : 0) | (e & PTE_NX ? 0 : PR_X);
        if (is_leaf(cpu, m, level, e)) {
            w->phys = leaf_phys(m, level, e, la);
            w->rights = rights | (e & PTE_D ? PR_D : 0) | (level > 1 ? PR_BIG : 0) | (level > 2 ? PR_HUGE : 0);
            if ((e & PTE_G) && (cpu->cr4 & CR4_PGE)) {
                w->rights |= PR_G;
            }
            w->leaf = at;
            w->entry = e;
            w->entry_size = m->entry_size;
            w->ok = true;
            return;
        }
        if (!(e & PTE_A) && !quiet) {
            entry_or(cpu, at, m->entry_size, PTE_A);
        }
        table = e & (m == &walk_legacy ? 0xFFFFF000 : PTE_ADDR);
        if (level == 2 && !quiet) {
            *pc = (struct pde_cache){ key, mmu->as_gen, mmu->pde_epoch, table, rights };
        }
    }
}

void x86_pdpte_load(struct x86_cpu *cpu, uint64_t cr3)
{
    uint64_t e[4], rsvd = (PTE_ADDR & ~bits_mask(cpu->feat->phys_bits)) | 0xFFF00000000001E6ULL;

    for (unsigned i = 0; i < 4; i++) {
        e[i] = mmu_entry(cpu, (cr3 & 0xFFFFFFE0) + 8 * i, 8);
        if ((e[i] & PTE_P) && (e[i] & rsvd)) {
            x86_raise_err(cpu, NULL, EXC_GP, 0);
        }
    }
    memcpy(cpu->pdpte, e, sizeof(e));
}

bool x86_translate_debug(struct x86_cpu *cpu, uint64_t la, uint64_t *phys, uint64_t *rights)
{
    struct walk w;

    if (cpu->mode & MODE_LMA ? !x86_canonical(la) : la > 0xFFFFFFFF) {
        return false;
    }
    mmu_walk(cpu, la, true, &w);
    if (!w.ok) {
        return false;
    }
    *phys = mmu_a20(cpu, w.phys | (la & PAGE_MASK));
    if (rights) {
        *rights = PTE_P | (w.rights & PR_W ? PTE_W : 0) | (w.rights & PR_U ? PTE_U : 0) |
                  (w.rights & PR_X ? 0 : PTE_NX);
    }
    return true;
}
