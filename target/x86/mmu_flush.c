/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/mmu_flush.c - what takes translations away: INVLPG, CR3 writes, INVPCID, map changes, code pages
 *
 * The second level is flushed by giving its address space (or global pages) a new generation number. The banks have no
 * generations (a tag compare must stay one compare), so their entries are cleared; a bank remembers which ones it has
 * filled since, up to BANK_LOG, so that a flush costs what was used. Global entries are remembered apart: a CR3 write
 * does not even look at them. The slots of translated code are listed likewise (state.h).
 *
 * A large page is entered as 4 KiB fragments. INVLPG of any address in it must drop all of them, so two hashed bitmaps
 * remember where fragments were made; a false hit costs a scan, never correctness. exec_map does the same for pages
 * that code was fetched from, global ones apart: INVLPG of a page that never held code leaves the fetch generations
 * alone, and one of a program's leaves the kernel's code alone.
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
    g_free(m->wtags);
    g_free(m);
}

const struct x86_mmu_stats *x86_mmu_stats(const struct x86_cpu *cpu)
{
    return &cpu->mmu->stats;
}

/*
 * Translated code's copies of entries. A slot is on a list for each kind of content that it has had since that list was
 * last emptied, so its content is looked at again.
 */
static inline struct x86_jit_slot *slot_at(const struct x86_cpu *cpu, unsigned list, unsigned i)
{
    return (struct x86_jit_slot *)(uintptr_t)cpu->jf.used[list][i];
}

static void slots_clear(struct x86_cpu *cpu, bool keep_global)
{
    if (!keep_global) {
        memset(cpu->jf.held[1], 0, sizeof(cpu->jf.held[1]));
    }
    for (unsigned l = 0; l < (keep_global ? JIT_USED_GLOBAL : JIT_USED_LISTS); l++) {
        for (unsigned i = 0; i < cpu->jf.used_n[l]; i++) {
            struct x86_jit_slot *s = slot_at(cpu, l, i);

            s->rtag = s->wtag = TLB_NONE;
            s->listed &= ~(1u << l);
        }
        cpu->jf.used_n[l] = 0;
    }
}

/* INVLPG. Slots of global pages are many, and stay for long; most pages that a guest invalidates are not among them */
static void slots_clear_page(struct x86_cpu *cpu, uint64_t page)
{
    bool global = cpu->jf.held[1][page >> 12 & (TLB_SIZE - 1)];

    for (unsigned l = page >> 12 & (JIT_USED_PAGES - 1); l < (global ? JIT_USED_LISTS : JIT_USED_GLOBAL); l += JIT_USED_GLOBAL) {
        for (unsigned i = 0; i < cpu->jf.used_n[l]; i++) {
            struct x86_jit_slot *s = slot_at(cpu, l, i);

            if (s->rtag == page || s->wtag == page) {
                s->rtag = s->wtag = TLB_NONE;
            }
        }
    }
}

/* A page of host memory is not for plain writes any more */
static void slots_clear_writes(struct x86_cpu *cpu, uintptr_t host)
{
    for (unsigned l = 0; l < JIT_USED_LISTS; l++) {
        for (unsigned i = 0; i < cpu->jf.used_n[l]; i++) {
            struct x86_jit_slot *s = slot_at(cpu, l, i);

            if (s->wtag != TLB_NONE && s->wtag + s->addend == host) {
                s->wtag = TLB_NONE;
            }
        }
    }
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

static void entry_clear(struct x86_tlb_entry *e, void *opaque)
{
    e->rtag = e->wtag = TLB_NONE;
}

static void entry_clear_local(struct x86_tlb_entry *e, void *opaque)
{
    if (!(e->aux & AUX_GLOBAL)) {
        e->rtag = e->wtag = TLB_NONE;
    }
}

static void banks_clear(struct x86_cpu *cpu, bool keep_global)
{
    struct x86_mmu *m = cpu->mmu;

    if (!keep_global) {
        mmu_banks_foreach(cpu, entry_clear, NULL);
        memset(m->wtag_map, 0, sizeof(m->wtag_map));
    }
    for (unsigned b = 0; b < TLB_BANKS; b++) {
        if (keep_global) {
            mmu_log_foreach(cpu, b, LOG_LOCAL, entry_clear_local, NULL);
        } else {
            m->log[b][LOG_GLOBAL].n = 0;
        }
        m->log[b][LOG_LOCAL].n = 0;
    }
    slots_clear(cpu, keep_global);
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

struct scan {
    uint64_t la;
    unsigned shift;
};

static void entry_scan(struct x86_tlb_entry *e, void *opaque)
{
    const struct scan *s = opaque;

    if ((e->rtag != TLB_NONE && (e->rtag ^ s->la) >> s->shift == 0) ||
        (e->wtag != TLB_NONE && (e->wtag ^ s->la) >> s->shift == 0)) {
        e->rtag = e->wtag = TLB_NONE;
    }
}

static void code_changed(struct x86_cpu *cpu, bool local, bool global)
{
    struct x86_mmu *m = cpu->mmu;

    if (local) {
        cpu->map_gen[MAP_AS] = m->pcid[context_id(cpu)].code_gen = ++m->next_gen;
    }
    if (global) {
        cpu->map_gen[MAP_GLOBAL] = ++m->next_gen;
    }
    gens_changed(cpu);
}

static bool was_fetched(const struct x86_mmu *m, unsigned map, uint64_t la)
{
    return mmu_map_test(m->exec_map[map], sizeof(m->exec_map[map]), la >> 12);
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
    if (unlikely(big || huge)) {
        struct scan s = { la, huge ? 30 : 22 };

        tlb2_scan(m, la, s.shift);
        mmu_banks_foreach(cpu, entry_scan, &s);
        slots_clear(cpu, false);
        code_changed(cpu, true, true);
        return;
    }
    slots_clear_page(cpu, page);
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
    if (was_fetched(m, MAP_AS, la) || was_fetched(m, MAP_GLOBAL, la)) {
        code_changed(cpu, was_fetched(m, MAP_AS, la), was_fetched(m, MAP_GLOBAL, la));
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

static void entry_no_writes(struct x86_tlb_entry *e, void *opaque)
{
    if (e->wtag != TLB_NONE && e->wtag + e->addend == *(const uintptr_t *)opaque) {
        e->wtag = TLB_NONE;
    }
}

void x86_tlb_code_page(struct x86_cpu *cpu, struct ram_block *ram, uint64_t off)
{
    uintptr_t host = (uintptr_t)ram->host + (off & ~PAGE_MASK);

    if (mmu_map_test(cpu->mmu->wtag_map, sizeof(cpu->mmu->wtag_map), host >> 12)) {
        slots_clear_writes(cpu, host);
        mmu_banks_foreach(cpu, entry_no_writes, &host);
    }
}
