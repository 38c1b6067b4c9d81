/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/unit/test-mmu.c - page walks in every paging mode, rights, A and D, flushes, slow accesses */
#include "x86-rig.h"
#include "target/x86/mmu_int.h"

/* Page tables from 0x100000 on */
enum { CR3_AT = 0x100000, PDPT_AT = 0x101000, PD_AT = 0x102000, PT_AT = 0x103000, PAGE_AT = 0x400000 };

enum paging { PG_LEGACY, PG_PAE, PG_LONG };

static void paging_on(struct rig *g, enum paging mode)
{
    struct x86_cpu *cpu = g->cpu;
    const uint64_t cr4 = CR4_PSE | CR4_PGE | (mode == PG_LEGACY ? 0 : CR4_PAE);

    cpu->cr0 = CR0_PE | CR0_ET;
    rig_flat(g, 0);
    g_assert_cmpint(CATCH(cpu, x86_cr4_write(cpu, cr4)), ==, NO_FAULT);
    if (mode == PG_LEGACY) {
        poke32(g, CR3_AT, PT_AT | 7);
    } else if (mode == PG_PAE) {
        poke64(g, CR3_AT, PD_AT | 1);
        poke64(g, PD_AT, PT_AT | 7);
    } else {
        poke64(g, CR3_AT, PDPT_AT | 7);
        poke64(g, PDPT_AT, PD_AT | 7);
        poke64(g, PD_AT, PT_AT | 7);
        g_assert_true(CATCH(cpu, cpu->efer |= EFER_LME) == NO_FAULT);
    }
    cpu->efer |= mode == PG_LEGACY ? 0 : EFER_NXE;
    cpu->cr3 = CR3_AT;
    g_assert_cmpint(CATCH(cpu, x86_cr0_write(cpu, cpu->cr0 | CR0_PG)), ==, NO_FAULT);
    rig_flat(g, 0);
}

/* Map 4 KiB page number @n (linear n << 12, the tables above) */
static void map(struct rig *g, enum paging mode, unsigned n, uint64_t pte)
{
    if (mode == PG_LEGACY) {
        poke32(g, PT_AT + 4 * n, (uint32_t)pte);
    } else {
        poke64(g, PT_AT + 8 * n, pte);
    }
}

static uint64_t pte_now(struct rig *g, enum paging mode, unsigned n)
{
    return mode == PG_LEGACY ? peek32(g, PT_AT + 4 * n) : peek64(g, PT_AT + 8 * n);
}

static const char *const mode_name[] = { "legacy", "pae", "long" };

static void fetch(struct x86_cpu *cpu, uint64_t la)
{
    struct fetch_slot s;

    x86_fetch_page(cpu, la, &s);
}

/* --- rights ------------------------------------------------------------------------------------------------------- */

struct right {
    uint64_t pte;           /* W, U, NX besides P; ~0: not present */
    unsigned cpl;
    char acc;               /* r w x */
    unsigned with;          /* WITH_* */
    int err;                /* -1: works, else the error code */
};
enum { WITH_WP = 1, WITH_SMEP = 2, WITH_SMAP = 4, WITH_AC = 8 };
#define NOT_PRESENT 0
static const struct right rights[] = {
    { NOT_PRESENT, 0, 'r', 0, 0 }, { NOT_PRESENT, 0, 'w', 0, 2 }, { NOT_PRESENT, 3, 'r', 0, 4 },
    { NOT_PRESENT, 3, 'w', 0, 6 }, { NOT_PRESENT, 3, 'x', 0, 0x14 }, { NOT_PRESENT, 0, 'x', 0, 0x10 },
    { PTE_P, 0, 'r', 0, -1 }, { PTE_P, 0, 'x', 0, -1 }, { PTE_P, 0, 'w', 0, -1 }, { PTE_P, 0, 'w', WITH_WP, 3 },
    { PTE_P, 3, 'r', 0, 5 }, { PTE_P, 3, 'w', 0, 7 }, { PTE_P, 3, 'x', 0, 0x15 },
    { PTE_P | PTE_W, 0, 'w', WITH_WP, -1 }, { PTE_P | PTE_W, 3, 'w', 0, 7 },
    { PTE_P | PTE_U, 3, 'r', 0, -1 }, { PTE_P | PTE_U, 3, 'w', 0, 7 }, { PTE_P | PTE_U, 3, 'x', 0, -1 },
    { PTE_P | PTE_U, 0, 'w', 0, -1 }, { PTE_P | PTE_U, 0, 'w', WITH_WP, 3 },
    { PTE_P | PTE_U | PTE_W, 3, 'w', 0, -1 },
    { PTE_P | PTE_U | PTE_W | PTE_NX, 3, 'x', 0, 0x15 }, { PTE_P | PTE_U | PTE_W | PTE_NX, 3, 'w', 0, -1 },
    { PTE_P | PTE_NX, 0, 'x', 0, 0x11 }, { PTE_P | PTE_NX, 0, 'r', 0, -1 },
    { PTE_P | PTE_U, 0, 'x', WITH_SMEP, 0x11 }, { PTE_P, 0, 'x', WITH_SMEP, -1 },
    { PTE_P | PTE_U, 3, 'x', WITH_SMEP, -1 },
    { PTE_P | PTE_U, 0, 'r', WITH_SMAP, 1 }, { PTE_P | PTE_U | PTE_W, 0, 'w', WITH_SMAP, 3 },
    { PTE_P | PTE_U, 0, 'r', WITH_SMAP | WITH_AC, -1 }, { PTE_P | PTE_U | PTE_W, 0, 'w', WITH_SMAP | WITH_AC, -1 },
    { PTE_P | PTE_U, 0, 'w', WITH_SMAP | WITH_AC | WITH_WP, 3 },
    { PTE_P | PTE_U, 3, 'r', WITH_SMAP, -1 }, { PTE_P, 0, 'r', WITH_SMAP, -1 },
    { PTE_P | PTE_U, 0, 'x', WITH_SMAP, -1 },
};

static void try_right(struct rig *g, enum paging mode, const struct right *t, uint64_t la)
{
    struct x86_cpu *cpu = g->cpu;
    int vec;

    if (t->acc == 'x') {
        vec = CATCH(cpu, fetch(cpu, la));
    } else if (t->acc == 'w') {
        vec = CATCH(cpu, mem_st32(cpu, NULL, la, 0x12345678));
    } else {
        vec = CATCH(cpu, mem_ld32(cpu, NULL, la));
    }
    if (t->err < 0) {
        g_assert_cmpint(vec, ==, NO_FAULT);
        g_assert_cmphex(pte_now(g, mode, 5) & PTE_A, ==, PTE_A);
        g_assert_cmphex(pte_now(g, mode, 5) & PTE_D, ==, t->acc == 'w' ? PTE_D : 0);
        return;
    }
    g_assert_cmpint(vec, ==, EXC_PF);
    /* without NX and SMEP the processor does not tell fetches from reads */
    g_assert_cmphex(cpu->exc.err, ==, (uint32_t)t->err & ~(mode == PG_LEGACY && !(t->with & WITH_SMEP) ? 0x10u : 0));
    g_assert_cmphex(cpu->cr2, ==, la);
    g_assert_cmphex(pte_now(g, mode, 5) & (PTE_A | PTE_D), ==, 0);
}

static void test_rights(gconstpointer data)
{
    enum paging mode = (enum paging)GPOINTER_TO_UINT(data);
    struct rig g;

    rig_new(&g, "max");
    paging_on(&g, mode);
    for (unsigned i = 0; i < ARRAY_LEN(rights); i++) {
        const struct right *t = &rights[i];
        struct x86_cpu *cpu = g.cpu;

        if (mode == PG_LEGACY && (t->pte & PTE_NX)) {
            continue;
        }
        map(&g, mode, 5, t->pte == NOT_PRESENT ? 0 : t->pte | PAGE_AT);
        cpu->cr0 = (cpu->cr0 & ~(uint64_t)CR0_WP) | (t->with & WITH_WP ? CR0_WP : 0);
        cpu->cr4 = (cpu->cr4 & ~(uint64_t)(CR4_SMEP | CR4_SMAP)) | (t->with & WITH_SMEP ? CR4_SMEP : 0) |
                   (t->with & WITH_SMAP ? CR4_SMAP : 0);
        cpu->eflags = FL_1 | (t->with & WITH_AC ? FL_AC : 0);
        rig_flat(&g, t->cpl);
        x86_tlb_flush_all(cpu);
        g_test_message("%s row %u", mode_name[mode], i);
        try_right(&g, mode, t, 0x5010);
        if (t->err < 0) {       /* again, from the TLB, and right after a flush of the first level */
            try_right(&g, mode, t, 0x5010);
            x86_tlb_flush_banks(cpu);
            try_right(&g, mode, t, 0x5010);
        }
    }
    rig_free(&g);
}

/* --- formats ------------------------------------------------------------------------------------------------------ */

static void test_large_legacy(void)
{
    struct rig g;

    rig_new(&g, "max");
    paging_on(&g, PG_LEGACY);
    poke32(&g, CR3_AT + 4 * 1, 0x00C00000 | PTE_PS | 7);        /* 4 MiB page at 4 MiB -> 12 MiB */
    poke32(&g, 0xC12344, 0xCAFE0001);
    g_assert_cmpint(CATCH(g.cpu, g_assert_cmphex(mem_ld32(g.cpu, NULL, 0x412344), ==, 0xCAFE0001)), ==, NO_FAULT);
    g_assert_cmphex(peek32(&g, CR3_AT + 4) & (PTE_A | PTE_D), ==, PTE_A);
    poke32(&g, CR3_AT + 4 * 2, 0x00C00000 | PTE_PS | 7 | 1 << 21);      /* reserved bit */
    g_assert_cmpint(CATCH(g.cpu, mem_ld32(g.cpu, NULL, 0x812344)), ==, EXC_PF);
    g_assert_cmphex(g.cpu->exc.err, ==, 9);
    rig_free(&g);
}

static void test_large_long(void)
{
    struct rig g;

    rig_new(&g, "max");
    paging_on(&g, PG_LONG);
    poke64(&g, PD_AT + 8 * 3, 0x00A00000 | PTE_PS | 7);         /* 2 MiB at 6 MiB -> 10 MiB */
    poke64(&g, PDPT_AT + 8 * 1, PTE_PS | 7);                    /* 1 GiB at 1 GiB -> 0 */
    poke32(&g, 0xA12344, 0xCAFE0002);
    g_assert_cmpint(CATCH(g.cpu, {
        g_assert_cmphex(mem_ld32(g.cpu, NULL, 0x612344), ==, 0xCAFE0002);
        g_assert_cmphex(mem_ld32(g.cpu, NULL, 0x40A12344), ==, 0xCAFE0002);
        mem_st32(g.cpu, NULL, 0x40A12348, 7);
    }), ==, NO_FAULT);
    g_assert_cmphex(peek32(&g, 0xA12348), ==, 7);
    g_assert_cmphex(peek64(&g, PDPT_AT + 8) & PTE_D, ==, PTE_D);
    poke64(&g, PD_AT + 8 * 4, 0x00A00000 | PTE_PS | 7 | 1 << 13);
    g_assert_cmpint(CATCH(g.cpu, mem_ld32(g.cpu, NULL, 0x812344)), ==, EXC_PF);
    g_assert_cmphex(g.cpu->exc.err, ==, 9);
    poke64(&g, PD_AT + 8 * 5, PT_AT | 7 | 1ULL << 45);          /* beyond 40 physical bits */
    g_assert_cmpint(CATCH(g.cpu, mem_st32(g.cpu, NULL, 0xA00000, 1)), ==, EXC_PF);
    g_assert_cmphex(g.cpu->exc.err, ==, 0xB);
    rig_free(&g);
}

static void test_upper_rights(void)
{
    struct rig g;

    rig_new(&g, "max");
    paging_on(&g, PG_LONG);
    map(&g, PG_LONG, 5, PAGE_AT | 7);
    poke64(&g, PD_AT, PT_AT | 5);       /* no W in the directory */
    rig_flat(&g, 3);
    g_assert_cmpint(CATCH(g.cpu, mem_ld8(g.cpu, NULL, 0x5000)), ==, NO_FAULT);
    g_assert_cmpint(CATCH(g.cpu, mem_st8(g.cpu, NULL, 0x5000, 1)), ==, EXC_PF);
    g_assert_cmphex(g.cpu->exc.err, ==, 7);
    poke64(&g, PDPT_AT, PD_AT | 7 | PTE_NX);
    x86_tlb_flush_all(g.cpu);
    g_assert_cmpint(CATCH(g.cpu, fetch(g.cpu, 0x5000)), ==, EXC_PF);
    g_assert_cmphex(g.cpu->exc.err, ==, 0x15);
    rig_free(&g);
}

static void test_pdpte(void)
{
    struct rig g;

    rig_new(&g, "max");
    paging_on(&g, PG_PAE);
    poke64(&g, CR3_AT, PD_AT | 1 | 2);  /* RW is reserved in a PDPTE */
    g_assert_cmpint(CATCH(g.cpu, x86_cr3_write(g.cpu, CR3_AT)), ==, EXC_GP);
    poke64(&g, CR3_AT, 0);              /* not loaded yet: the old one is in force */
    map(&g, PG_PAE, 5, PAGE_AT | 7);
    g_assert_cmpint(CATCH(g.cpu, mem_ld8(g.cpu, NULL, 0x5000)), ==, NO_FAULT);
    g_assert_cmpint(CATCH(g.cpu, x86_cr3_write(g.cpu, CR3_AT)), ==, NO_FAULT);
    g_assert_cmpint(CATCH(g.cpu, mem_ld8(g.cpu, NULL, 0x5000)), ==, EXC_PF);
    rig_free(&g);
}

/* --- flushes ------------------------------------------------------------------------------------------------------ */

static uint32_t ld(struct rig *g, uint64_t la)
{
    volatile uint32_t v = 0;

    g_assert_cmpint(CATCH(g->cpu, v = mem_ld32(g->cpu, NULL, la)), ==, NO_FAULT);
    return v;
}

static void test_stale(void)
{
    struct rig g;

    rig_new(&g, "max");
    paging_on(&g, PG_LONG);
    for (unsigned i = 0; i < 16; i++) {
        poke32(&g, PAGE_AT + i * 4096, 0x1000 + i);
    }
    map(&g, PG_LONG, 5, PAGE_AT | 7);
    map(&g, PG_LONG, 6, (PAGE_AT + 4096) | 7 | PTE_G);
    g_assert_cmphex(ld(&g, 0x5000), ==, 0x1000);
    g_assert_cmphex(ld(&g, 0x6000), ==, 0x1001);
    map(&g, PG_LONG, 5, (PAGE_AT + 2 * 4096) | 7);
    map(&g, PG_LONG, 6, (PAGE_AT + 3 * 4096) | 7 | PTE_G);
    g_assert_cmphex(ld(&g, 0x5000), ==, 0x1000);    /* still cached */
    x86_tlb_flush_page(g.cpu, 0x5123);
    g_assert_cmphex(ld(&g, 0x5000), ==, 0x1002);
    g_assert_cmphex(ld(&g, 0x6000), ==, 0x1001);
    map(&g, PG_LONG, 5, (PAGE_AT + 4 * 4096) | 7);
    g_assert_cmpint(CATCH(g.cpu, x86_cr3_write(g.cpu, CR3_AT)), ==, NO_FAULT);
    g_assert_cmphex(ld(&g, 0x5000), ==, 0x1004);    /* CR3: gone */
    g_assert_cmphex(ld(&g, 0x6000), ==, 0x1001);    /* global: kept */
    g_assert_cmpint(CATCH(g.cpu, x86_cr4_write(g.cpu, g.cpu->cr4 & ~(uint64_t)CR4_PGE)), ==, NO_FAULT);
    g_assert_cmphex(ld(&g, 0x6000), ==, 0x1003);    /* CR4.PGE: everything */
    rig_free(&g);
}

static void test_invlpg_large(void)
{
    struct rig g;

    rig_new(&g, "max");
    paging_on(&g, PG_LONG);
    poke32(&g, 0xA12000, 1);
    poke32(&g, 0x812000, 2);
    poke64(&g, PD_AT + 8 * 3, 0x00A00000 | PTE_PS | 7);
    g_assert_cmphex(ld(&g, 0x612000), ==, 1);
    poke64(&g, PD_AT + 8 * 3, 0x00800000 | PTE_PS | 7);
    x86_tlb_flush_page(g.cpu, 0x7FF000);            /* another 4 KiB of the same large page */
    g_assert_cmphex(ld(&g, 0x612000), ==, 2);
    rig_free(&g);
}

static void test_pcid(void)
{
    struct rig g;

    rig_new(&g, "max");
    paging_on(&g, PG_LONG);
    g_assert_cmpint(CATCH(g.cpu, x86_cr4_write(g.cpu, g.cpu->cr4 | CR4_PCIDE)), ==, NO_FAULT);
    poke32(&g, PAGE_AT, 1);
    poke32(&g, PAGE_AT + 4096, 2);
    map(&g, PG_LONG, 5, PAGE_AT | 7);
    g_assert_cmphex(ld(&g, 0x5000), ==, 1);
    uint64_t gen0 = g.cpu->map_gen[MAP_AS];
    map(&g, PG_LONG, 5, (PAGE_AT + 4096) | 7);
    g_assert_cmpint(CATCH(g.cpu, x86_cr3_write(g.cpu, CR3_AT | 1)), ==, NO_FAULT);
    g_assert_cmphex(ld(&g, 0x5000), ==, 2);         /* another context: its own entry */
    g_assert_cmpint(CATCH(g.cpu, x86_cr3_write(g.cpu, CR3_AT | 1ULL << 63)), ==, NO_FAULT);
    g_assert_cmphex(ld(&g, 0x5000), ==, 1);         /* back without flush: the old one */
    g_assert_cmphex(g.cpu->map_gen[MAP_AS], ==, gen0);
    x86_tlb_flush_pcid(g.cpu, 0, false, 0);
    g_assert_cmphex(ld(&g, 0x5000), ==, 2);
    g_assert_cmphex(g.cpu->map_gen[MAP_AS], !=, gen0);
    g_assert_cmpint(CATCH(g.cpu, x86_cr0_write(g.cpu, g.cpu->cr0 & ~(uint64_t)CR0_PG)), ==, EXC_GP);
    rig_free(&g);
}

/* --- accesses ----------------------------------------------------------------------------------------------------- */

static void test_crossing(void)
{
    struct rig g;
    struct x86_cpu *cpu;

    rig_new(&g, "max");
    cpu = g.cpu;
    paging_on(&g, PG_LONG);
    map(&g, PG_LONG, 5, PAGE_AT | 7);
    map(&g, PG_LONG, 6, (PAGE_AT + 0x8000) | 7);
    g_assert_cmpint(CATCH(cpu, mem_st64(cpu, NULL, 0x5FFD, 0x1122334455667788)), ==, NO_FAULT);
    g_assert_cmphex(peek32(&g, PAGE_AT + 0xFFD) & 0xFFFFFF, ==, 0x667788);
    g_assert_cmphex(peek64(&g, PAGE_AT + 0x8000) & 0xFFFFFFFFFF, ==, 0x1122334455);
    g_assert_cmphex(ld(&g, 0x5FFE), ==, 0x44556677);
    /* second page missing: nothing is written, CR2 is the second page */
    map(&g, PG_LONG, 6, 0);
    x86_tlb_flush_page(cpu, 0x6000);
    g_assert_cmpint(CATCH(cpu, mem_st64(cpu, NULL, 0x5FFD, ~0ULL)), ==, EXC_PF);
    g_assert_cmphex(cpu->cr2, ==, 0x6000);
    g_assert_cmphex(peek32(&g, PAGE_AT + 0xFFD) & 0xFFFFFF, ==, 0x667788);
    /* read-modify-write: a write fault even though it reads first */
    g_assert_cmpint(CATCH(cpu, mem_rmw_begin(cpu, NULL, 0x6010, 4)), ==, EXC_PF);
    g_assert_cmphex(cpu->exc.err, ==, 2);
    map(&g, PG_LONG, 6, (PAGE_AT + 0x8000) | 7);
    g_assert_cmpint(CATCH(cpu, {
        uint32_t *p = mem_rmw_begin(cpu, NULL, 0x5FFE, 4);
        g_assert_true((void *)p == (void *)cpu->rmw_buf);
        *p += 0x01010101;
        mem_rmw_end(cpu, NULL, p);
    }), ==, NO_FAULT);
    g_assert_cmphex(ld(&g, 0x5FFE), ==, 0x45566778);
    /* long copies */
    uint8_t buf[4096];
    memset(buf, 0x5A, sizeof(buf));
    g_assert_cmpint(CATCH(cpu, mem_st_bytes(cpu, NULL, 0x5801, buf, 4096)), ==, NO_FAULT);
    g_assert_cmphex(g.ram->host[PAGE_AT + 0x801], ==, 0x5A);
    g_assert_cmphex(g.ram->host[PAGE_AT + 0x8800], ==, 0x5A);
    g_assert_cmphex(g.ram->host[PAGE_AT + 0x8801], ==, 0);
    rig_free(&g);
}

static void test_io_rom(void)
{
    struct rig g;
    struct x86_cpu *cpu;

    rig_new(&g, "max");
    cpu = g.cpu;
    rig_flat(&g, 0);
    cpu->cr0 = CR0_PE;
    x86_mode_update(cpu);
    g_assert_cmphex(ld(&g, RIG_IO + 0x10), ==, 0x10);
    g_assert_cmpuint(g.io_reads, ==, 1);
    g_assert_cmphex(ld(&g, RIG_IO + 0x10), ==, 0x10);
    g_assert_cmpuint(g.io_reads, ==, 2);            /* never cached */
    g_assert_cmpint(CATCH(cpu, {
        uint16_t *p = mem_rmw_begin(cpu, NULL, RIG_IO + 0x20, 2);
        *p |= 0x8000;
        mem_rmw_end(cpu, NULL, p);
    }), ==, NO_FAULT);
    g_assert_cmpuint(g.io_reads, ==, 3);
    g_assert_cmpuint(g.io_writes, ==, 1);
    g_assert_cmphex(g.io_last, ==, 0x8020);
    g_assert_cmpuint(g.io_last_size, ==, 2);
    g_assert_cmphex(ld(&g, RIG_ROM + 4), ==, 0xA5A5A5A5);
    g_assert_cmpint(CATCH(cpu, mem_st32(cpu, NULL, RIG_ROM + 4, 0)), ==, NO_FAULT);
    g_assert_cmphex(ld(&g, RIG_ROM + 4), ==, 0xA5A5A5A5);
    g_assert_cmphex(ld(&g, 0x5000000), ==, 0xFFFFFFFF);     /* nothing there */
    /* the memory map changes: the TLB must follow */
    machine_lock();
    region_set_addr(&g.rom_r, 0x2100000);
    machine_unlock();
    g_assert_cmphex(cpu->pending & PEND_FLUSH, ==, PEND_FLUSH);
    mmu_sync(cpu);
    g_assert_cmphex(ld(&g, 0x2100000), ==, 0xA5A5A5A5);
    g_assert_cmphex(ld(&g, RIG_ROM + 4), ==, 0xFFFFFFFF);
    rig_free(&g);
}

static void test_code_page(void)
{
    struct rig g;
    struct x86_cpu *cpu;
    struct fetch_slot s;

    rig_new(&g, "max");
    cpu = g.cpu;
    cpu->cr0 = CR0_PE;
    rig_flat(&g, 0);
    g_assert_cmpint(CATCH(cpu, mem_st32(cpu, NULL, 0x5000, 1)), ==, NO_FAULT);
    g_assert_cmphex(mem_tlb(cpu, 0x5000)->wtag, ==, 0x5000);
    g_assert_cmphex(g.ram->page_flags[5] & RAM_DIRTY, ==, RAM_DIRTY);
    g.ram->page_flags[5] |= RAM_CODE;
    x86_tlb_code_page(cpu, g.ram, 0x5010);
    g_assert_cmphex(mem_tlb(cpu, 0x5000)->wtag, ==, TLB_NONE);
    g_assert_cmphex(mem_tlb(cpu, 0x5000)->rtag, ==, 0x5000);
    g.ram->page_flags[5] &= (uint8_t)~RAM_CODE;
    g_assert_true(CATCH(cpu, g_assert_true(x86_fetch_page(cpu, 0x5010, &s))) == NO_FAULT);
    g_assert_true(s.host == g.ram->host + 0x5010 && s.ram == g.ram && s.ram_off == 0x5010 && s.len == 0xFF0);
    g_assert_true(s.gen == cpu->map_gen[MAP_AS]);
    g_assert_true(CATCH(cpu, g_assert_true(x86_fetch_page(cpu, RIG_ROM, &s))) == NO_FAULT);
    g_assert_true(s.readonly);
    g_assert_true(CATCH(cpu, g_assert_false(x86_fetch_page(cpu, RIG_IO + 4, &s))) == NO_FAULT);
    uint8_t b[2];
    x86_fetch_io(cpu, s.phys, b, 2);
    g_assert_cmphex(b[0] | b[1] << 8, ==, 0x0504);
    /* INVLPG moves the fetch generation only for pages that held code */
    uint64_t gen = cpu->map_gen[MAP_AS];
    x86_tlb_flush_page(cpu, 0x77000);
    g_assert_cmphex(cpu->map_gen[MAP_AS], ==, gen);
    x86_tlb_flush_page(cpu, 0x5000);
    g_assert_cmphex(cpu->map_gen[MAP_AS], !=, gen);
    rig_free(&g);
}

static void test_canonical_align(void)
{
    struct rig g;
    struct x86_cpu *cpu;
    struct x86_rec stack_op = { .flags = REC_MEM, .seg = SEG_SS }, data_op = { .flags = REC_MEM, .seg = SEG_DS };

    rig_new(&g, "max");
    cpu = g.cpu;
    paging_on(&g, PG_LONG);
    g_assert_cmpint(CATCH(cpu, mem_ld8(cpu, &data_op, 0x800000000000)), ==, EXC_GP);
    g_assert_cmpint(CATCH(cpu, mem_ld8(cpu, &stack_op, 0x800000000000)), ==, EXC_SS);
    g_assert_cmpint(CATCH(cpu, mem_ld64(cpu, &data_op, 0x7FFFFFFFFFFC)), ==, EXC_GP);
    g_assert_cmpint(CATCH(cpu, fetch(cpu, 0x800000000000)), ==, EXC_GP);
    map(&g, PG_LONG, 5, PAGE_AT | 7);
    rig_flat(&g, 3);
    g_assert_cmpint(CATCH(cpu, mem_ld32(cpu, &data_op, 0x5001)), ==, NO_FAULT);
    cpu->cr0 |= CR0_AM;
    cpu->eflags |= FL_AC;
    x86_mode_update(cpu);
    g_assert_cmpint(CATCH(cpu, mem_ld32(cpu, &data_op, 0x5001)), ==, EXC_AC);
    g_assert_cmpint(CATCH(cpu, mem_ld32(cpu, &data_op, 0x5004)), ==, NO_FAULT);
    g_assert_cmpint(CATCH(cpu, mem_st16(cpu, &data_op, 0x5005, 0)), ==, EXC_AC);
    cpu->eflags &= ~(uint32_t)FL_AC;
    x86_mode_update(cpu);
    g_assert_cmpint(CATCH(cpu, mem_ld32(cpu, &data_op, 0x5001)), ==, NO_FAULT);
    rig_free(&g);
}

static void test_a20(void)
{
    struct rig g;

    rig_new(&g, "qemu64");
    g.cpu->cr0 = CR0_PE;
    rig_flat(&g, 0);
    poke32(&g, 0x1000, 0x11);
    poke32(&g, 0x101000, 0x22);
    g_assert_cmphex(ld(&g, 0x101000), ==, 0x22);
    g.cpu->a20_mask_low = 0xFFEFFFFF;
    x86_tlb_flush_all(g.cpu);
    g_assert_cmphex(ld(&g, 0x101000), ==, 0x11);
    rig_free(&g);
}

static void test_debug_pages(void)
{
    struct rig g;
    struct x86_cpu *cpu;

    rig_new(&g, "qemu64");
    cpu = g.cpu;
    cpu->cr0 = CR0_PE;
    rig_flat(&g, 0);
    cpu->dr[0] = 0x5004;
    x86_tlb_flush_banks(cpu);
    cpu->dr[7] = 0x400 | 2 | 1 << 16 | 3 << 18;     /* DR0: 4 bytes, writes */
    ld(&g, 0x5004);
    g_assert_cmphex(cpu->db_hit, ==, 0);
    g_assert_cmpint(CATCH(cpu, mem_st8(cpu, NULL, 0x5003, 1)), ==, NO_FAULT);
    g_assert_cmphex(cpu->db_hit, ==, 0);
    g_assert_cmpint(CATCH(cpu, mem_st32(cpu, NULL, 0x5001, 1)), ==, NO_FAULT);
    g_assert_cmphex(cpu->db_hit, ==, 1);
    rig_free(&g);
}

/* Random remapping against a plain model: what is read is what the tables (or an allowed stale entry) say */
static void test_random(void)
{
    struct rig g;
    GRand *rnd = g_rand_new_with_seed(42);
    unsigned phys[64];

    rig_new(&g, "max");
    paging_on(&g, PG_LONG);
    for (unsigned i = 0; i < 64; i++) {
        poke32(&g, PAGE_AT + i * 4096, 0xABC000 + i);
        map(&g, PG_LONG, i + 64, (PAGE_AT + i * 4096) | 7 | (i & 1 ? PTE_G : 0));
        phys[i] = i;
    }
    for (unsigned n = 0; n < 200000; n++) {
        unsigned i = (unsigned)g_rand_int_range(rnd, 0, 64);

        switch (g_rand_int_range(rnd, 0, 20)) {
        case 0:
            phys[i] = (unsigned)g_rand_int_range(rnd, 0, 64);
            map(&g, PG_LONG, i + 64, (PAGE_AT + phys[i] * 4096) | 7 | (i & 1 ? PTE_G : 0));
            x86_tlb_flush_page(g.cpu, (i + 64) << 12);
            break;
        case 1:
            g_assert_cmpint(CATCH(g.cpu, x86_cr3_write(g.cpu, CR3_AT)), ==, NO_FAULT);
            break;
        default:
            g_assert_cmphex(ld(&g, (i + 64) << 12), ==, 0xABC000 + phys[i]);
        }
    }
    g_rand_free(rnd);
    rig_free(&g);
}

static void test_cr3_cost(void)
{
    struct rig g;
    gint64 t0;

    rig_new(&g, "max");
    paging_on(&g, PG_LONG);
    for (unsigned i = 0; i < 512; i++) {
        map(&g, PG_LONG, i, PAGE_AT | 7 | (i & 1 ? PTE_G : 0));
    }
    t0 = g_get_monotonic_time();
    for (unsigned n = 0; n < 10000; n++) {
        for (unsigned i = 0; i < 40; i++) {
            ld(&g, (uint64_t)(8 * i) << 12);
        }
        x86_cr3_write(g.cpu, CR3_AT);
    }
    g_test_message("40 pages and a CR3 write: %" G_GINT64_FORMAT " ns", (g_get_monotonic_time() - t0) / 10);
    rig_free(&g);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    for (unsigned m = 0; m < 3; m++) {
        g_autofree char *path = g_strdup_printf("/mmu/rights/%s", mode_name[m]);

        g_test_add_data_func(path, GUINT_TO_POINTER(m), test_rights);
    }
    g_test_add_func("/mmu/large/legacy", test_large_legacy);
    g_test_add_func("/mmu/large/long", test_large_long);
    g_test_add_func("/mmu/upper-rights", test_upper_rights);
    g_test_add_func("/mmu/pdpte", test_pdpte);
    g_test_add_func("/mmu/stale", test_stale);
    g_test_add_func("/mmu/invlpg-large", test_invlpg_large);
    g_test_add_func("/mmu/pcid", test_pcid);
    g_test_add_func("/mmu/crossing", test_crossing);
    g_test_add_func("/mmu/io-rom", test_io_rom);
    g_test_add_func("/mmu/code-page", test_code_page);
    g_test_add_func("/mmu/canonical-align", test_canonical_align);
    g_test_add_func("/mmu/a20", test_a20);
    g_test_add_func("/mmu/debug-pages", test_debug_pages);
    g_test_add_func("/mmu/random", test_random);
    g_test_add_func("/mmu/cr3-cost", test_cr3_cost);
    return g_test_run();
}
