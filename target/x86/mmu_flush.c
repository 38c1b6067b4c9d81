/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/mmu_flush.c - what takes translations away: INVLPG, CR3 writes, INVPCID, map changes, code pages
 *
 * The second level is flushed by giving its address space (or global pages) a new generation number. The banks have no
 * generations (a tag compare must stay one compare), so their entries are cleared; a bank remembers which ones it has
 * filled since, up to BANK_LOG, so that a flush costs what was used.
 *
 * A large page is entered as 4 KiB fragments. INVLPG of any address in it must drop all of them, so two hashed bitmaps
 * remember where fragments were made; a false hit costs a scan, never correctness. exec_map does the same for pages
 * that code was fetched from: INVLPG of a page that never held code leaves the fetch generations alone.
 */
#include "target/x86/mmu_int.h"
#include "target/x86/trace_log.h"
#include "lib/bits.h"

struct x86_mmu *x86_mmu_new(void)
{
    struct x86_mmu *m = g_new0(struct x86_mmu, 1);

    for (unsigned i = 0; i < PHYS_SIZE; i++) {
        m->phys[i].page = TLB_NONE;
    }
    m->next_gen = 1;
    return m;
}

void x86_mmu_free(struct x86_mmu *m)
{
    g_free(m);
}

const struct x86_mmu_stats *x86_mmu_stats(const struct x86_cpu *cpu)
{
    return &cpu->mmu->stats;
}

static bool entry_drop(struct x86_tlb_entry *e, bool keep_global)
{
    if (keep_global && (e->aux & 1) && !(e->rtag == TLB_NONE && e->wtag == TLB_NONE)) {
        return false;
    }
    e->rtag = e->wtag = TLB_NONE;
    e->aux = 0;
    return true;
}

/* Translated code's copies of entries: refilled from the banks, so all of them go */
static void slots_clear(struct x86_cpu *cpu)
{
    for (unsigned i = 0; i < cpu->jf.used_n; i++) {
        struct x86_jit_slot *s = (struct x86_jit_slot *)(uintptr_t)cpu->jf.used[i];

        s->rtag = s->wtag = TLB_NONE;
        s->listed = 0;
    }
    cpu->jf.used_n = 0;
}

/*
 * What links between translated blocks hang on. Kernel code is on global pages, as a rule, and then a CR3 write
 * changes nothing;
 * once some was seen that is not, every change counts.
 */
static void gens_changed(struct x86_cpu *cpu)
{
    cpu->jf.gen[0] = (uint32_t)(cpu->jf.kernel_local ? ++cpu->mmu->next_gen : cpu->map_gen[MAP_GLOBAL]);
    cpu->jf.gen[1] = (uint32_t)cpu->map_gen[MAP_AS];
}

uint32_t x86_code_gen(struct x86_cpu *cpu, uint64_t gen)
{
    if (cpu->mode & MODE_USER) {
        return gen == cpu->map_gen[MAP_AS] ? cpu->jf.gen[1] : 0;
    }
    if (gen == cpu->map_gen[MAP_AS] && !cpu->jf.kernel_local) {
        cpu->jf.kernel_local = true;
        gens_changed(cpu);
    }
    return cpu->jf.gen[0];
}

static void bank_clear(struct x86_cpu *cpu, unsigned bank, bool keep_global)
{
    struct bank_log *log = &cpu->mmu->log[bank];
    struct x86_tlb_entry *tlb = cpu->tlb_bank[bank];
    unsigned kept = 0;

    if (log->n <= BANK_LOG) {
        for (unsigned i = 0; i < log->n; i++) {
            if (!entry_drop(&tlb[log->idx[i]], keep_global)) {
                log->idx[kept++] = log->idx[i];
            }
        }
    } else {
        for (unsigned i = 0; i < TLB_SIZE; i++) {
            if (!entry_drop(&tlb[i], keep_global)) {
                if (kept < BANK_LOG) {
                    log->idx[kept] = (uint16_t)i;
                }
                kept += kept <= BANK_LOG;
            }
        }
    }
    log->n = kept;
}

static void banks_clear(struct x86_cpu *cpu, bool keep_global)
{
    for (unsigned b = 0; b < TLB_BANKS; b++) {
        bank_clear(cpu, b, keep_global);
    }
    slots_clear(cpu);
}

void x86_tlb_flush_banks(struct x86_cpu *cpu)
{
    banks_clear(cpu, false);
}

static unsigned context_id(const struct x86_cpu *cpu)
{
    return cpu->cr4 & CR4_PCIDE ? cpu->cr3 & 0xFFF : 0;
}

static void context_load(struct x86_cpu *cpu, bool flush)
{
    struct x86_mmu *m = cpu->mmu;
    struct mmu_context *c = &m->pcid[context_id(cpu)];

    if (flush || !c->gen) {
        c->gen = ++m->next_gen;
        c->code_gen = ++m->next_gen;
    }
    m->as_gen = c->gen;
    cpu->map_gen[MAP_AS] = c->code_gen;
    gens_changed(cpu);
}

void x86_tlb_switch(struct x86_cpu *cpu, bool flush)
{
    cpu->mmu->stats.flushes++;
    if (x86_logs(cpu, X86_LOG_MMU)) {
        x86_log_mmu(cpu, flush ? "CR3, flush" : "CR3, keep", cpu->cr3, 0);
    }
    banks_clear(cpu, true);
    context_load(cpu, flush);
}

void x86_tlb_flush_context(struct x86_cpu *cpu, bool global)
{
    struct x86_mmu *m = cpu->mmu;

    m->stats.flushes++;
    if (x86_logs(cpu, X86_LOG_MMU)) {
        x86_log_mmu(cpu, global ? "flush, global too" : "flush", cpu->cr3, 0);
    }
    banks_clear(cpu, !global);
    if (global) {
        memset(m->pcid, 0, sizeof(m->pcid));
        m->global_gen = ++m->next_gen;
        cpu->map_gen[MAP_GLOBAL] = ++m->next_gen;
        memset(m->exec_map, 0, sizeof(m->exec_map));
        memset(m->big_map, 0, sizeof(m->big_map));
        memset(m->huge_map, 0, sizeof(m->huge_map));
        cpu->jf.kernel_local = false;
    }
    context_load(cpu, true);
}

void x86_tlb_flush_all(struct x86_cpu *cpu)
{
    struct x86_mmu *m = cpu->mmu;

    for (unsigned i = 0; i < PHYS_SIZE; i++) {
        m->phys[i].page = TLB_NONE;
    }
    /* entries of contexts that are not loaded hold host pointers too: no old generation may come back */
    x86_tlb_flush_context(cpu, true);
}

/* Drop second-level entries that agree with @la above @shift */
static void tlb2_scan(struct x86_mmu *m, uint64_t la, unsigned shift)
{
    for (unsigned s = 0; s < TLB2_SETS; s++) {
        for (unsigned w = 0; w < TLB2_WAYS; w++) {
            struct tlb2 *t = &m->set[s][w];

            if ((t->tag ^ la) >> shift == 0 && (t->gen == m->as_gen || t->gen == m->global_gen)) {
                t->gen = 0;
            }
        }
    }
}

static void bank_scan(struct x86_cpu *cpu, uint64_t la, unsigned shift)
{
    for (unsigned b = 0; b < TLB_BANKS; b++) {
        struct x86_tlb_entry *tlb = cpu->tlb_bank[b];

        for (unsigned i = 0; i < TLB_SIZE; i++) {
            if ((tlb[i].rtag != TLB_NONE && (tlb[i].rtag ^ la) >> shift == 0) ||
                (tlb[i].wtag != TLB_NONE && (tlb[i].wtag ^ la) >> shift == 0)) {
                tlb[i].rtag = tlb[i].wtag = TLB_NONE;
            }
        }
    }
}

static void code_changed(struct x86_cpu *cpu)
{
    struct x86_mmu *m = cpu->mmu;

    cpu->map_gen[MAP_AS] = m->pcid[context_id(cpu)].code_gen = ++m->next_gen;
    cpu->map_gen[MAP_GLOBAL] = ++m->next_gen;
    gens_changed(cpu);
}

void x86_tlb_flush_page(struct x86_cpu *cpu, uint64_t la)
{
    struct x86_mmu *m = cpu->mmu;
    uint64_t page = la & ~PAGE_MASK;
    struct tlb2 *set = m->set[mmu_hash(page >> 12) & (TLB2_SETS - 1)];
    bool big = mmu_map_test(m->big_map, sizeof(m->big_map), la >> 22);
    bool huge = mmu_map_test(m->huge_map, sizeof(m->huge_map), la >> 30);

    m->stats.flush_pages++;
    m->pde_epoch++;
    slots_clear(cpu);
    if (unlikely(big || huge)) {
        tlb2_scan(m, la, huge ? 30 : 22);
        bank_scan(cpu, la, huge ? 30 : 22);
        code_changed(cpu);
        return;
    }
    for (unsigned w = 0; w < TLB2_WAYS; w++) {
        if (set[w].tag == page && (set[w].gen == m->as_gen || set[w].gen == m->global_gen)) {
            set[w].gen = 0;
        }
    }
    for (unsigned b = 0; b < TLB_BANKS; b++) {
        struct x86_tlb_entry *e = &cpu->tlb_bank[b][(la >> 12) & (TLB_SIZE - 1)];

        if (e->rtag == page || e->wtag == page) {
            e->rtag = e->wtag = TLB_NONE;
        }
    }
    if (mmu_map_test(m->exec_map, sizeof(m->exec_map), la >> 12)) {
        code_changed(cpu);
    }
}

void x86_tlb_flush_pcid(struct x86_cpu *cpu, unsigned pcid, bool one_page, uint64_t la)
{
    struct x86_mmu *m = cpu->mmu;

    if (pcid != context_id(cpu)) {
        m->pcid[pcid & 0xFFF].gen = 0;      /* a single page of another context: dropping all of it is allowed */
    } else if (one_page) {
        x86_tlb_flush_page(cpu, la);
    } else {
        x86_tlb_flush_context(cpu, false);
    }
}

void x86_tlb_code_page(struct x86_cpu *cpu, struct ram_block *ram, uint64_t off)
{
    uintptr_t host = (uintptr_t)ram->host + (off & ~PAGE_MASK);

    slots_clear(cpu);
    for (unsigned b = 0; b < TLB_BANKS; b++) {
        const struct bank_log *log = &cpu->mmu->log[b];
        unsigned n = log->n <= BANK_LOG ? log->n : TLB_SIZE;

        for (unsigned i = 0; i < n; i++) {
            struct x86_tlb_entry *e = &cpu->tlb_bank[b][log->n <= BANK_LOG ? log->idx[i] : i];

            if (e->wtag != TLB_NONE && e->wtag + e->addend == host) {
                e->wtag = TLB_NONE;
            }
        }
    }
}
