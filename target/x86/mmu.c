/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/mmu.c - the slow paths of access.h: translation with rights, bank fills, accesses that are not plain
 *
 * Second level: entries hold the page's raw rights (U, W, X, D, G), so one entry serves all banks and CR0.WP, SMEP,
 * SMAP and EFLAGS.AC take effect when a bank entry is made from it. An access that an entry does not allow, or a write
 * through one that is not dirty yet, walks again: a stale entry never causes a fault.
 *
 * Bank entries. rtag is withheld for I/O, for pages with data breakpoints and while alignment checks are on; wtag also
 * for ROM and for pages with decoded code. Giving out a wtag marks the page RAM_DIRTY, as the stores that follow
 * cannot be seen.
 *
 * Order within one access: every page is translated (and faults) before the first byte moves; I/O is done by one access
 * of the instruction's size, or byte by byte where a page edge is inside.
 */
#include "target/x86/fp.h"
#include "target/x86/access.h"
#include "target/x86/mmu_int.h"
#include "target/x86/ops.h"
#include "target/x86/undo.h"
#include <glib.h>
#include "target/x86/debug.h"
#include "target/x86/excp.h"
#include "target/x86/engine.h"
#include "core/loop.h"

static inline unsigned bank_in_use(const struct x86_cpu *cpu)
{
    return (unsigned)((cpu->tlb - &cpu->tlb_bank[0][0]) / TLB_SIZE);
}

/* --- second level ------------------------------------------------------------------------------------------------- */

static struct tlb2 *tlb2_find(struct x86_mmu *m, uint64_t page)
{
    struct tlb2 *set = m->set[mmu_hash(page >> 12) & (TLB2_SETS - 1)];

    for (unsigned i = 0; i < TLB2_WAYS; i++) {
        if (set[i].tag == page && (set[i].gen == m->as_gen || set[i].gen == m->global_gen)) {
            return &set[i];
        }
    }
    return NULL;
}

/* Without PCIDs an entry of another generation is dead; with them it may belong to an address space that comes back */
static struct tlb2 *tlb2_slot(struct x86_cpu *cpu, uint64_t page)
{
    struct x86_mmu *m = cpu->mmu;
    struct tlb2 *set = m->set[mmu_hash(page >> 12) & (TLB2_SETS - 1)];
    bool pcid = cpu->cr4 & CR4_PCIDE;

    for (unsigned i = 0; i < TLB2_WAYS; i++) {
        if (!set[i].gen || (!pcid && set[i].gen != m->as_gen && set[i].gen != m->global_gen)) {
            return &set[i];
        }
    }
    return &set[m->victim++ % TLB2_WAYS];
}

static struct tlb2 *tlb2_enter(struct x86_cpu *cpu, uint64_t page, const struct walk *w)
{
    struct x86_mmu *m = cpu->mmu;
    struct tlb2 *t = tlb2_find(m, page);

    if (!t) {
        t = tlb2_slot(cpu, page);
    }
    t->tag = page;
    t->gen = w->rights & PR_G ? m->global_gen : m->as_gen;
    t->rights = w->rights;
    t->p = *mmu_phys(cpu, mmu_a20(cpu, w->phys));
    t->rom = t->p.rom;
    if (w->rights & PR_BIG) {
        mmu_map_set(m->big_map, sizeof(m->big_map), page >> 22);
    }
    if (w->rights & PR_HUGE) {
        mmu_map_set(m->huge_map, sizeof(m->huge_map), page >> 30);
    }
    return t;
}

/* --- rights ------------------------------------------------------------------------------------------------------- */

/* SDM vol. 3, 4.6.1. The accesses (bit (1 << ACC_*)) that page rights @pr allow in @bank */
static unsigned allowed(const struct x86_cpu *cpu, unsigned bank, uint32_t pr)
{
    unsigned can;

    if (bank == TLB_USER) {
        if (!(pr & PR_U)) {
            return 0;
        }
        can = 1 << ACC_READ | (pr & PR_W ? 1 << ACC_WRITE : 0);
        return can | (pr & PR_X ? 1 << ACC_FETCH : 0);
    }
    can = (pr & PR_X) && !((pr & PR_U) && (cpu->cr4 & CR4_SMEP)) ? 1 << ACC_FETCH : 0;
    if (!((pr & PR_U) && bank == TLB_KERNEL && (cpu->cr4 & CR4_SMAP))) {
        can |= 1 << ACC_READ | ((pr & PR_W) || !(cpu->cr0 & CR0_WP) ? 1 << ACC_WRITE : 0);
    }
    return can;
}

static void __attribute__((noreturn)) page_fault(struct x86_cpu *cpu, const struct x86_rec *r, unsigned bank,
                                                 uint64_t la, enum mmu_access acc, uint32_t why)
{
    uint32_t err = why | (acc == ACC_WRITE ? PF_W : 0) | (bank == TLB_USER ? PF_U : 0);

    if (acc == ACC_FETCH && ((cpu->cr4 & CR4_SMEP) || ((cpu->cr4 & CR4_PAE) && (cpu->efer & EFER_NXE)))) {
        err |= PF_I;
    }
    x86_raise_pf(cpu, r, la, err);
}

/* The translation of the page of @la for one access, or a page fault. The pointer is good until the next call. */
static struct tlb2 *translate(struct x86_cpu *cpu, const struct x86_rec *r, unsigned bank, uint64_t la,
                              enum mmu_access acc)
{
    uint64_t page = la & ~PAGE_MASK;
    struct tlb2 *t = tlb2_find(cpu->mmu, page);
    struct walk w;

    if (likely(t && (allowed(cpu, bank, t->rights) & 1 << acc) && (acc != ACC_WRITE || (t->rights & PR_D)))) {
        return t;
    }
    cpu->mmu->stats.walks++;
    mmu_walk(cpu, page, false, &w);
    if (!w.ok) {
        page_fault(cpu, r, bank, la, acc, w.fault);
    }
    if (!(allowed(cpu, bank, w.rights) & 1 << acc)) {
        page_fault(cpu, r, bank, la, acc, PF_P);
    }
    mmu_walk_mark(cpu, &w, PTE_A | (acc == ACC_WRITE ? PTE_D : 0));
    if (acc == ACC_WRITE) {
        w.rights |= PR_D;
    }
    return tlb2_enter(cpu, page, &w);
}

/* --- first level -------------------------------------------------------------------------------------------------- */

static inline uint8_t *page_flags(const struct tlb2 *t)
{
    return &t->p.ram->page_flags[t->p.ram_off >> RAM_PAGE_BITS];
}

static void mark_dirty(const struct tlb2 *t)
{
    if (!(__atomic_load_n(page_flags(t), __ATOMIC_RELAXED) & RAM_DIRTY)) {
        __atomic_fetch_or(page_flags(t), RAM_DIRTY, __ATOMIC_SEQ_CST);
    }
}

static bool plain_writes(const struct tlb2 *t)
{
    return t->p.host && !t->rom && !(__atomic_load_n(page_flags(t), __ATOMIC_RELAXED) & RAM_CODE);
}

static void bank_fill(struct x86_cpu *cpu, unsigned bank, uint64_t la, const struct tlb2 *t, enum mmu_access acc)
{
    uint64_t page = la & ~PAGE_MASK;
    unsigned idx = (la >> 12) & (TLB_SIZE - 1), can = allowed(cpu, bank, t->rights);
    struct x86_tlb_entry *e = &cpu->tlb_bank[bank][idx];
    unsigned global = t->gen == cpu->mmu->global_gen ? AUX_GLOBAL : 0;
    struct bank_log *log = &cpu->mmu->log[bank][global ? LOG_GLOBAL : LOG_LOCAL];

    if (!t->p.host || (bank == TLB_USER && (cpu->mode & MODE_AC)) || x86_db_page(cpu, page)) {
        return;
    }
    cpu->mmu->stats.fills++;
    if ((e->rtag == TLB_NONE && e->wtag == TLB_NONE) || (e->aux & AUX_GLOBAL) != global) {
        if (log->n < BANK_LOG) {
            log->idx[log->n] = (uint16_t)idx;
        }
        log->n += log->n <= BANK_LOG;
    }
    e->rtag = can & 1 << ACC_READ ? page : TLB_NONE;
    e->wtag = TLB_NONE;
    if ((can & 1 << ACC_WRITE) && (t->rights & PR_D) && plain_writes(t) && !cpu->undo) {
        /* a page that was never written stays without a tag until it is: RAM_DIRTY means something */
        if (acc == ACC_WRITE || (__atomic_load_n(page_flags(t), __ATOMIC_RELAXED) & RAM_DIRTY)) {
            mark_dirty(t);
            mmu_map_set(cpu->mmu->wtag_map, sizeof(cpu->mmu->wtag_map), (uintptr_t)t->p.host >> 12);
            e->wtag = page;
            if (unlikely(cpu->mmu->wtags && cpu->mmu->n_wtags < MMU_WTAGS)) {
                cpu->mmu->wtags[cpu->mmu->n_wtags++] = e;
            }
        }
    }
    e->addend = (uintptr_t)t->p.host - (uintptr_t)page;
    e->aux = global | t->p.page;
}

bool mmu_fill(struct x86_cpu *cpu, const struct x86_rec *r, uint64_t la, unsigned len, bool write)
{
    enum mmu_access acc = write ? ACC_WRITE : ACC_READ;

    if ((cpu->mode & MODE_64 ? !x86_canonical(la) : la >> 32) || cpu->mode & MODE_AC) {
        return false;
    }
    bank_fill(cpu, bank_in_use(cpu), la, translate(cpu, r, bank_in_use(cpu), la, acc), acc);
    return true;
}

uint8_t *mmu_code_byte(struct x86_cpu *cpu, uint64_t la, struct ram_block **ram, uint64_t *off)
{
    const struct tlb2 *t = tlb2_find(cpu->mmu, la & ~PAGE_MASK);

    if (!t || !t->p.host || t->rom || !(allowed(cpu, bank_in_use(cpu), t->rights) & 1 << ACC_WRITE) || !(t->rights & PR_D) ||
        !(__atomic_load_n(page_flags(t), __ATOMIC_RELAXED) & RAM_CODE) || cpu->mode & MODE_AC ||
        x86_db_page(cpu, la & ~PAGE_MASK)) {
        return NULL;
    }
    mark_dirty(t);
    *ram = t->p.ram;
    *off = t->p.ram_off + (la & PAGE_MASK);
    return t->p.host + (la & PAGE_MASK);
}

void mmu_sync(struct x86_cpu *cpu)
{
    if (unlikely(__atomic_load_n(&cpu->pending, __ATOMIC_RELAXED) & PEND_FLUSH)) {
        __atomic_fetch_and(&cpu->pending, ~(uint32_t)PEND_FLUSH, __ATOMIC_SEQ_CST);
        x86_tlb_flush_all(cpu);
    }
}

/* --- moving bytes ------------------------------------------------------------------------------------------------- */

/* A copy of constant size is one load or store */
static uint64_t host_ld(const uint8_t *p, unsigned size)
{
    uint64_t v = 0;
    uint32_t v32;
    uint16_t v16;

    switch (size) {
    case 1:
        return *p;
    case 2:
        memcpy(&v16, p, 2);
        return v16;
    case 4:
        memcpy(&v32, p, 4);
        return v32;
    case 8:
        memcpy(&v, p, 8);
        return v;
    default:
        memcpy(&v, p, size & 7);
        return v;
    }
}

static void host_st(uint8_t *p, uint64_t v, unsigned size)
{
    switch (size) {
    case 1:
        memcpy(p, &v, 1);
        break;
    case 2:
        memcpy(p, &v, 2);
        break;
    case 4:
        memcpy(p, &v, 4);
        break;
    case 8:
        memcpy(p, &v, 8);
        break;
    default:
        memcpy(p, &v, size & 7);
    }
}

static uint64_t io_ld(struct x86_cpu *cpu, uint64_t phys, unsigned size)
{
    struct x86_fp_host fp;
    uint64_t v = 0;

    x86_undo_cannot(cpu);
    cpu->mmu->stats.mmio++;
    x86_fp_device_begin(&fp);
    machine_lock();
    if (is_pow2(size)) {
        v = space_read(cpu->mem, phys, size);
    } else {
        for (unsigned i = 0; i < size; i++) {
            v |= (space_read(cpu->mem, phys + i, 1) & 0xFF) << 8 * i;
        }
    }
    machine_unlock();
    x86_fp_device_end(&fp);
    mmu_sync(cpu);
    return v & bits_mask(8 * size);
}

static void io_st(struct x86_cpu *cpu, uint64_t phys, uint64_t v, unsigned size)
{
    struct x86_fp_host fp;

    x86_undo_cannot(cpu);
    cpu->mmu->stats.mmio++;
    x86_fp_device_begin(&fp);
    if (is_pow2(size) && space_write_posted(cpu->mem, phys, v, size)) {
        x86_fp_device_end(&fp);
        return;
    }
    machine_lock();
    if (is_pow2(size)) {
        space_write(cpu->mem, phys, v & bits_mask(8 * size), size);
    } else {
        for (unsigned i = 0; i < size; i++) {
            space_write(cpu->mem, phys + i, v >> 8 * i & 0xFF, 1);
        }
    }
    machine_unlock();
    x86_fp_device_end(&fp);
    mmu_sync(cpu);
}

/* Within one page, translated: @size 1..8 bytes at page offset @off */
static uint64_t page_ld(struct x86_cpu *cpu, const struct tlb2 *t, unsigned off, unsigned size)
{
    host_before_load();
    return likely(t->p.host) ? host_ld(t->p.host + off, size) : io_ld(cpu, t->p.page | off, size);
}

static void wrote(struct x86_cpu *cpu, const struct tlb2 *t, unsigned off, unsigned len)
{
    mark_dirty(t);
    if (__atomic_load_n(page_flags(t), __ATOMIC_RELAXED) & RAM_CODE) {
        x86_smc_store(cpu, t->p.ram, t->p.ram_off + off, len);
    }
}

static void page_st(struct x86_cpu *cpu, const struct tlb2 *t, unsigned off, uint64_t v, unsigned size)
{
    if (likely(t->p.host && !t->rom)) {
        x86_undo_store(cpu, t->p.host + off, size);
        host_before_store();
        host_st(t->p.host + off, v, size);
        wrote(cpu, t, off, size);
    } else {
        io_st(cpu, t->p.page | off, v, size);
    }
}

static void page_copy_in(struct x86_cpu *cpu, const struct tlb2 *t, unsigned off, uint8_t *buf, unsigned len)
{
    if (likely(t->p.host)) {
        host_before_load();
        memcpy(buf, t->p.host + off, len);
        return;
    }
    while (len) {
        unsigned n = len >= 8 && !(off & 7) ? 8 : len >= 4 && !(off & 3) ? 4 : len >= 2 && !(off & 1) ? 2 : 1;

        host_st(buf, io_ld(cpu, t->p.page | off, n), n);
        buf += n;
        off += n;
        len -= n;
    }
}

static void page_copy_out(struct x86_cpu *cpu, const struct tlb2 *t, unsigned off, const uint8_t *buf, unsigned len)
{
    if (likely(t->p.host && !t->rom)) {
        x86_undo_store(cpu, t->p.host + off, len);
        host_before_store();
        memcpy(t->p.host + off, buf, len);
        wrote(cpu, t, off, len);
        return;
    }
    while (len) {
        unsigned n = len >= 8 && !(off & 7) ? 8 : len >= 4 && !(off & 3) ? 4 : len >= 2 && !(off & 1) ? 2 : 1;

        io_st(cpu, t->p.page | off, host_ld(buf, n), n);
        buf += n;
        off += n;
        len -= n;
    }
}

/* --- one access --------------------------------------------------------------------------------------------------- */

/* One or two pages, translated. n1 bytes are on the second. */
struct span {
    struct tlb2 t[2];
    unsigned off, n0, n1;
};

/*
 * Is the access one to the stack? Decides between #SS and #GP. Records of PUSH, LEAVE and the like have SEG_SS; CALL
 * [mem] has both.
 */
static bool stack_access(const struct x86_cpu *cpu, const struct x86_rec *r, uint64_t la)
{
    if (!r) {
        return false;
    }
    return r->seg == SEG_SS || la - cpu->regs[R_SP] + 256 < 512;
}

/* Alignment that #AC asks for: SDM vol. 3, table 6-7; accesses by element have none */
static unsigned ac_align(const struct x86_rec *r, unsigned len)
{
    switch (r ? r->op : OP_COUNT) {
    case OP_VMASKMOVPS: case OP_VMASKMOVPD: case OP_VPMASKMOVD: case OP_VPMASKMOVQ: case OP_MASKMOVQ:
    case OP_MASKMOVDQU: case OP_VCVTPH2PS: case OP_VCVTPS2PH:
    case OP_VGATHERDPS: case OP_VGATHERDPD: case OP_VGATHERQPS: case OP_VGATHERQPD:
    case OP_VPGATHERDD: case OP_VPGATHERDQ: case OP_VPGATHERQD: case OP_VPGATHERQQ:
        return 1;
    case OP_FLD_M80: case OP_FBLD: case OP_FBSTP:
        return 8;
    case OP_FLDENV: case OP_FNSTENV: case OP_FRSTOR: case OP_FNSAVE:
        return len == 14 || len == 94 ? 2 : 4;
    }
    return len <= 8 && is_pow2(len) ? len : 1;
}

static void check_address(struct x86_cpu *cpu, const struct x86_rec *r, unsigned bank, uint64_t la, unsigned len)
{
    if (unlikely((cpu->mode & MODE_LMA) && (!x86_canonical(la) || !x86_canonical(la + len - 1)))) {
        x86_raise_err(cpu, r, stack_access(cpu, r, la) ? EXC_SS : EXC_GP, 0);
    }
    if (unlikely((cpu->mode & MODE_AC) && bank == TLB_USER && (la & (ac_align(r, len) - 1)))) {
        x86_raise_err(cpu, r, EXC_AC, 0);
    }
}

static void span_translate(struct x86_cpu *cpu, const struct x86_rec *r, unsigned bank, uint64_t la, unsigned len,
                           enum mmu_access acc, struct span *s)
{
    const struct tlb2 *t;
    uint64_t second;

    la &= mmu_la_mask(cpu);
    check_address(cpu, r, bank, la, len);
    s->off = la & PAGE_MASK;
    s->n0 = MIN(len, PAGE_SIZE_4K - s->off);
    s->n1 = len - s->n0;
    t = translate(cpu, r, bank, la, acc);
    bank_fill(cpu, bank, la, t, acc);
    s->t[0] = *t;
    if (unlikely(s->n1)) {
        second = (la + s->n0) & mmu_la_mask(cpu);
        t = translate(cpu, r, bank, second, acc);
        bank_fill(cpu, bank, second, t, acc);
        s->t[1] = *t;
    }
    x86_db_access(cpu, la, len, acc == ACC_WRITE);
}

uint64_t mmu_ld(struct x86_cpu *cpu, const struct x86_rec *r, unsigned bank, uint64_t la, unsigned size)
{
    const struct x86_tlb_entry *e = &cpu->tlb_bank[bank][(la >> 12) & (TLB_SIZE - 1)];
    struct span s;
    uint64_t v;

    if (e->rtag == ((la + size - 1) & ~PAGE_MASK)) {
        host_before_load();
        return host_ld((const uint8_t *)(uintptr_t)(la + e->addend), size);
    }
    cpu->mmu->stats.slow_loads++;
    span_translate(cpu, r, bank, la, size, ACC_READ, &s);
    v = page_ld(cpu, &s.t[0], s.off, s.n0);
    if (unlikely(s.n1)) {
        v |= page_ld(cpu, &s.t[1], 0, s.n1) << 8 * s.n0;
    }
    return v;
}

void mmu_st(struct x86_cpu *cpu, const struct x86_rec *r, unsigned bank, uint64_t la, uint64_t v, unsigned size)
{
    const struct x86_tlb_entry *e = &cpu->tlb_bank[bank][(la >> 12) & (TLB_SIZE - 1)];
    struct span s;

    if (e->wtag == ((la + size - 1) & ~PAGE_MASK)) {
        host_before_store();
        host_st((uint8_t *)(uintptr_t)(la + e->addend), v, size);
        return;
    }
    cpu->mmu->stats.slow_stores++;
    span_translate(cpu, r, bank, la, size, ACC_WRITE, &s);
    page_st(cpu, &s.t[0], s.off, v, s.n0);
    if (unlikely(s.n1)) {
        page_st(cpu, &s.t[1], 0, v >> 8 * s.n0, s.n1);
    }
}

uint64_t mem_ld_slow(struct x86_cpu *cpu, const struct x86_rec *r, uint64_t la, unsigned size)
{
    return mmu_ld(cpu, r, bank_in_use(cpu), la, size);
}

void mem_st_slow(struct x86_cpu *cpu, const struct x86_rec *r, uint64_t la, uint64_t val, unsigned size)
{
    mmu_st(cpu, r, bank_in_use(cpu), la, val, size);
}

void mem_ld_bytes(struct x86_cpu *cpu, const struct x86_rec *r, uint64_t la, void *buf, unsigned len)
{
    const struct x86_tlb_entry *e = mem_tlb(cpu, la);
    struct span s;

    if (likely(e->rtag == ((la + len - 1) & ~PAGE_MASK))) {
        host_before_load();
        memcpy(buf, (const void *)(uintptr_t)(la + e->addend), len);
        return;
    }
    span_translate(cpu, r, bank_in_use(cpu), la, len, ACC_READ, &s);
    page_copy_in(cpu, &s.t[0], s.off, buf, s.n0);
    if (s.n1) {
        page_copy_in(cpu, &s.t[1], 0, (uint8_t *)buf + s.n0, s.n1);
    }
}

void mem_st_bytes(struct x86_cpu *cpu, const struct x86_rec *r, uint64_t la, const void *buf, unsigned len)
{
    const struct x86_tlb_entry *e = mem_tlb(cpu, la);
    struct span s;

    if (likely(e->wtag == ((la + len - 1) & ~PAGE_MASK))) {
        host_before_store();
        memcpy((void *)(uintptr_t)(la + e->addend), buf, len);
        return;
    }
    span_translate(cpu, r, bank_in_use(cpu), la, len, ACC_WRITE, &s);
    page_copy_out(cpu, &s.t[0], s.off, buf, s.n0);
    if (s.n1) {
        page_copy_out(cpu, &s.t[1], 0, (const uint8_t *)buf + s.n0, s.n1);
    }
}

static void probe(struct x86_cpu *cpu, const struct x86_rec *r, unsigned bank, uint64_t la, unsigned len, bool write)
{
    enum mmu_access acc = write ? ACC_WRITE : ACC_READ;

    la &= mmu_la_mask(cpu);
    check_address(cpu, r, bank, la, len);
    translate(cpu, r, bank, la, acc);
    if ((la & PAGE_MASK) + len > PAGE_SIZE_4K) {
        translate(cpu, r, bank, (la + len - 1) & mmu_la_mask(cpu) & ~PAGE_MASK, acc);
    }
}

void mem_probe(struct x86_cpu *cpu, const struct x86_rec *r, uint64_t la, unsigned len, bool write)
{
    probe(cpu, r, bank_in_use(cpu), la, len, write);
}

void *mem_rmw_slow(struct x86_cpu *cpu, const struct x86_rec *r, uint64_t la, unsigned size)
{
    struct span s;

    span_translate(cpu, r, bank_in_use(cpu), la, size, ACC_WRITE, &s);
    if (!s.n1 && plain_writes(&s.t[0]) && HOST_RMW_OK(la, size)) {
        mark_dirty(&s.t[0]);
        x86_undo_store(cpu, s.t[0].p.host + s.off, size);
        host_before_store();
        return s.t[0].p.host + s.off;
    }
    cpu->rmw_la = la;
    cpu->rmw_size = size;
    cpu->mmu->rmw[0] = s.t[0];
    cpu->mmu->rmw[1] = s.t[1];
    page_copy_in(cpu, &s.t[0], s.off, cpu->rmw_buf, s.n0);
    if (s.n1) {
        page_copy_in(cpu, &s.t[1], 0, cpu->rmw_buf + s.n0, s.n1);
    }
    return cpu->rmw_buf;
}

void mem_rmw_end_slow(struct x86_cpu *cpu, const struct x86_rec *r)
{
    unsigned off = cpu->rmw_la & PAGE_MASK, n0 = MIN(cpu->rmw_size, PAGE_SIZE_4K - off);

    page_copy_out(cpu, &cpu->mmu->rmw[0], off, cpu->rmw_buf, n0);
    if (n0 < cpu->rmw_size) {
        page_copy_out(cpu, &cpu->mmu->rmw[1], 0, cpu->rmw_buf + n0, cpu->rmw_size - n0);
    }
}

/* --- system accesses ---------------------------------------------------------------------------------------------- */

uint64_t sys_ld(struct x86_cpu *cpu, uint64_t la, unsigned size)
{
    return mmu_ld(cpu, NULL, TLB_KERNEL, la, size);
}

void sys_st(struct x86_cpu *cpu, uint64_t la, uint64_t v, unsigned size)
{
    mmu_st(cpu, NULL, TLB_KERNEL, la, v, size);
}

void sys_probe(struct x86_cpu *cpu, uint64_t la, unsigned len, bool write, bool user)
{
    probe(cpu, NULL, user ? TLB_USER : TLB_KERNEL, la, len, write);
}

/* --- code --------------------------------------------------------------------------------------------------------- */

bool x86_fetch_page(struct x86_cpu *cpu, uint64_t la, struct fetch_slot *out)
{
    struct x86_mmu *m = cpu->mmu;
    unsigned off = la & PAGE_MASK;
    const struct tlb2 *t;
    unsigned map;

    cpu->cur = NULL;
    if (cpu->mode & MODE_64) {
        if (unlikely(!x86_canonical(la))) {
            x86_raise_err(cpu, NULL, EXC_GP, 0);
        }
    } else {
        la = (uint32_t)la;
    }
    t = translate(cpu, NULL, cpu->cpl == 3 ? TLB_USER : TLB_KERNEL, la, ACC_FETCH);
    map = t->gen == m->global_gen ? MAP_GLOBAL : MAP_AS;
    mmu_map_set(m->exec_map[map], sizeof(m->exec_map[map]), la >> 12);
    *out = (struct fetch_slot){
        .phys = t->p.page | off,
        .host = t->p.host ? t->p.host + off : NULL,
        .ram = t->p.ram,
        .ram_off = t->p.ram_off + off,
        .len = PAGE_SIZE_4K - off,
        .gen = cpu->map_gen[map],
        .readonly = t->rom,
    };
    return out->host != NULL;
}

void x86_fetch_io(struct x86_cpu *cpu, uint64_t phys, uint8_t *buf, unsigned len)
{
    for (unsigned i = 0; i < len; i++) {
        buf[i] = (uint8_t)io_ld(cpu, phys + i, 1);
    }
}
