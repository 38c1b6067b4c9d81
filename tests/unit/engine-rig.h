/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/engine-rig.h - guest programs in long mode (or flat 32-bit), on either engine, whose faults stop them
 *
 * The first 2 MiB are mapped by 4 KiB pages (pte()), the rest of the first GiB by 2 MiB pages, all to themselves. Every
 * vector's handler is a HLT, so er_run() returns the vector, and the interrupt frame is still on the stack.
 */
#ifndef TESTS_UNIT_ENGINE_RIG_H
#define TESTS_UNIT_ENGINE_RIG_H

#include "x86-rig.h"

enum {
    ER_GDT = 0x800, ER_AT = 0x8000, ER_IDT = 0x2000, ER_HANDLERS = 0x3000, ER_TSS = 0x4000, ER_STACK = 0x7000,
    ER_DATA = 0x30000, ER_TABLES = 0x100000, ER_TABLES2 = 0x108000,
};
enum { ER_OK = -1, ER_LOST = -2 };      /* er_run(): the program's own HLT; something else */
enum { ER_P = 1, ER_W = 2, ER_U = 4, ER_A = 0x20, ER_D = 0x40, ER_PS = 0x80, ER_ALL = 7 };

#define PROGRAM(name, code)                                                                     \
    extern const uint8_t name##_start[], name##_end[];                                          \
    __asm__(".pushsection .rodata\n" #name "_start:\n" code "\n" #name "_end:\n.code64\n.popsection\n")
#define LOAD(g, at, name) er_load(g, at, name##_start, (size_t)(name##_end - name##_start))

static inline void er_load(struct rig *g, uint64_t at, const void *p, size_t n)
{
    memcpy(g->ram->host + at, p, n);
    ram_written(g->ram, at, n);
}

/* Page table entry of a linear address below 2 MiB; @tables: ER_TABLES or ER_TABLES2 */
static inline uint64_t *er_pte(struct rig *g, unsigned tables, uint64_t la)
{
    return (uint64_t *)(void *)(g->ram->host + tables + 0x3000) + (la >> 12);
}

static inline void er_tables(struct rig *g, unsigned at)
{
    uint64_t *t = (uint64_t *)(void *)(g->ram->host + at);

    memset(t, 0, 0x3000);
    t[0] = (at + 0x1000) | ER_ALL;
    t[512] = (at + 0x2000) | ER_ALL;
    t[1024] = (at + 0x3000) | ER_ALL;
    for (uint64_t i = 0; i < 512; i++) {
        t[1024 + i] = i ? i << 21 | ER_ALL | ER_PS : t[1024];
        t[1536 + i] = i << 12 | ER_ALL;
    }
}

static inline void er_gate(struct rig *g, unsigned vec, uint64_t to)
{
    poke64(g, ER_IDT + 16 * vec, (to & 0xFFFF) | 0x08 << 16 | 0x8E00ULL << 32 | (to >> 16 & 0xFFFF) << 48);
    poke64(g, ER_IDT + 16 * vec + 8, to >> 32);
}

/* 64-bit mode, CPL 0, everything that a kernel turns on */
static inline void er_long(struct rig *g)
{
    static const uint64_t gdt[] = {
        0, 0x00AF9B000000FFFF, 0x00CF93000000FFFF, 0x00CFFB000000FFFF, 0x00CFF3000000FFFF, 0x00AFFB000000FFFF,
    };
    struct x86_cpu *cpu = g->cpu;

    er_tables(g, ER_TABLES);
    memcpy(g->ram->host + ER_GDT, gdt, sizeof(gdt));
    for (unsigned i = 0; i < 256; i++) {
        er_gate(g, i, ER_HANDLERS + 8 * i);
        g->ram->host[ER_HANDLERS + 8 * i] = 0xF4;
    }
    cpu->gdt.base = ER_GDT;
    cpu->gdt.limit = sizeof(gdt) - 1;
    cpu->idt.base = ER_IDT;
    cpu->idt.limit = 0xFFF;
    cpu->seg[SEG_TR] = (struct x86_seg){ .base = ER_TSS, .limit = 0x67, .sel = 0x30, .attr = 0x8B };
    poke64(g, ER_TSS + 4, ER_STACK - 0x800);
    cpu->efer = EFER_LME | EFER_LMA | EFER_NXE | EFER_SCE;
    cpu->cr3 = ER_TABLES;
    cpu->cr4 = CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_PGE | CR4_OSXSAVE;
    cpu->cr0 = CR0_PE | CR0_PG | CR0_WP | CR0_NE | CR0_ET | CR0_MP;
    cpu->xcr0 = XCR0_X87 | XCR0_SSE | XCR0_AVX;
    rig_flat(g, 0);
    x86_tlb_flush_all(cpu);
    x86_tlb_switch(cpu, true);
}

/* Flat 32-bit protected mode without paging; gates as above are not there: only programs that do not fault */
static inline void er_flat32(struct rig *g)
{
    g->cpu->cr0 = CR0_PE | CR0_ET;
    rig_flat(g, 0);
    x86_tlb_flush_all(g->cpu);
}

/* Return: a vector, ER_OK or ER_LOST */
static inline int er_run(struct rig *g, uint64_t at)
{
    uint64_t ip;

    g->cpu->regs[REG_RIP] = at;
    g->cpu->regs[R_SP] = ER_STACK;
    g->cpu->halted = false;
    for (unsigned i = 0; i < 20; i++) {
        enum x86_exit why = x86_cpu_run(g->cpu);

        if (why == X86_EXIT_HALT) {
            break;
        }
        if (why == X86_EXIT_SHUTDOWN || i == 19) {
            return ER_LOST;
        }
    }
    ip = g->cpu->regs[REG_RIP] - 1;
    return ip >= ER_HANDLERS && ip < ER_HANDLERS + 8 * 256 ? (int)(ip - ER_HANDLERS) / 8 : ER_OK;
}

/* Word @n of the interrupt frame, from the error code (0; only where there is one): RIP is 1 */
static inline uint64_t er_frame(struct rig *g, int vec, unsigned n)
{
    bool err = vec == 8 || (vec >= 10 && vec <= 14) || vec == 17;

    return peek64(g, g->cpu->regs[R_SP] + 8 * (n - !err));
}
enum { ER_ERR, ER_RIP, ER_CS, ER_FLAGS, ER_RSP };

/*
 * A test that runs on both engines, as /PREFIX/interp/NAME and /PREFIX/jit/NAME; model NULL: er_main()'s. @need_jit: a host
 * where the translator cannot run fails, instead of being skipped
 */
struct er_test {
    const char *name, *model;
    void (*test)(struct rig *g);
    unsigned hot;                       /* runs before a block is translated; 0: one */
    bool jit, need_jit;                 /* er_main() sets them */
};

static inline void er_test_run(const void *data)
{
    const struct x86_engine_opts o = { .jit = true, .hot = ((const struct er_test *)data)->hot, .tb_size = 4 };
    const struct er_test *t = data;
    struct rig g;
    Error *err = NULL;

    if (t->jit && !t->need_jit && !x86_jit_works(&err)) {
        g_test_skip(error_text(err));
        error_free(err);
        return;
    }
    rig_new(&g, t->model);
    if (t->jit && !x86_cpu_set_engine(g.cpu, &o, &err)) {
        g_error("%s", error_text(err));
    }
    t->test(&g);
    rig_free(&g);
}

static inline int er_main(int argc, char **argv, const char *prefix, const char *model, bool need_jit,
                          const struct er_test *tests, unsigned n)
{
    g_autofree struct er_test *all = g_new(struct er_test, 2 * n);

    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < 2 * n; i++) {
        g_autofree char *path = NULL;

        all[i] = tests[i % n];
        all[i].jit = i >= n;
        all[i].hot = MAX(all[i].hot, 1);
        all[i].need_jit = need_jit;
        all[i].model = all[i].model ? all[i].model : model;
        path = g_strdup_printf("/%s/%s/%s", prefix, all[i].jit ? "jit" : "interp", all[i].name);
        g_test_add_data_func(path, &all[i], er_test_run);
    }
    return g_test_run();
}

#endif
