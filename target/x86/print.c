/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/print.c - what monitors show: "info registers", "info mem", registers by name, memory as the CPU sees it
 *
 * The CPU is stopped. Nothing here raises or sets accessed bits.
 */
#include "target/x86/flags.h"
#include "target/x86/engine.h"
#include "target/x86/mmu.h"
#include "target/x86/seg.h"
#include "lib/bits.h"
#include <inttypes.h>

static const char reg64_name[16][4] = {
    "RAX", "RCX", "RDX", "RBX", "RSP", "RBP", "RSI", "RDI", "R8 ", "R9 ", "R10", "R11", "R12", "R13", "R14", "R15",
};
static const uint8_t print_order[16] = { 0, 3, 1, 2, 6, 7, 5, 4, 8, 9, 10, 11, 12, 13, 14, 15 };
static const char seg_name[8][4] = { "ES", "CS", "SS", "DS", "FS", "GS", "LDT", "TR" };

static void print_seg(const struct x86_cpu *cpu, unsigned i, bool wide, GString *out)
{
    static const char *const sys_name[16] = {
        "Reserved", "TSS16-avl", "LDT", "TSS16-busy", "CallGate16", "TaskGate", "IntGate16", "TrapGate16",
        "Reserved", "TSS32-avl", "Reserved", "TSS32-busy", "CallGate32", "Reserved", "IntGate32", "TrapGate32",
    };
    const struct x86_seg *s = &cpu->seg[i];
    unsigned a = s->attr;
    uint32_t limit_field = a & SEGA_G ? s->limit >> 12 : s->limit;

    g_string_append_printf(out, "%-3s=%04x %0*" PRIx64 " %08x %08x", seg_name[i], s->sel, wide ? 16 : 8,
                           s->base, s->limit,
                           ((uint32_t)s->base & 0xFF000000) | (a << 8 & 0xF0FF00) | (limit_field & 0xF0000) |
                           ((uint32_t)s->base >> 16 & 0xFF));
    if (a & SEGA_P) {
        g_string_append_printf(out, " DPL=%u ", (a & SEGA_DPL) >> 5);
        if (!(a & SEGA_S)) {
            g_string_append(out, cpu->mode & MODE_LMA && (a & 15) == SYS_TSS_BUSY ? "TSS64-busy" : sys_name[a & 15]);
        } else if (a & SEGA_CODE) {
            g_string_append_printf(out, "%s [%c%c%c]", a & SEGA_L ? "CS64" : a & SEGA_DB ? "CS32" : "CS16",
                                   a & SEGA_CONF_EXPDOWN ? 'C' : '-', a & SEGA_RW ? 'R' : '-',
                                   a & SEGA_ACCESSED ? 'A' : '-');
        } else {
            g_string_append_printf(out, "%s [%c%c%c]", a & SEGA_DB || cpu->mode & MODE_LMA ? "DS  " : "DS16",
                                   a & SEGA_CONF_EXPDOWN ? 'E' : '-', a & SEGA_RW ? 'W' : '-',
                                   a & SEGA_ACCESSED ? 'A' : '-');
        }
    }
    g_string_append_c(out, '\n');
}

static void print_general(const struct x86_cpu *cpu, bool wide, GString *out)
{
    unsigned n = wide ? 16 : 8;
    uint32_t fl = flags_get(cpu);

    for (unsigned i = 0; i < n; i++) {
        unsigned r = print_order[i];

        if (wide) {
            g_string_append_printf(out, "%s=%016" PRIx64, reg64_name[r], cpu->regs[r]);
        } else {
            g_string_append_printf(out, "E%s=%08x", reg64_name[r] + 1, (uint32_t)cpu->regs[r]);
        }
        g_string_append_c(out, i % 4 == 3 ? '\n' : ' ');
    }
    g_string_append_printf(out, "%s=%0*" PRIx64 " %s=%08x [%c%c%c%c%c%c%c] CPL=%u II=%u A20=%u SMM=0 HLT=%u\n",
                           wide ? "RIP" : "EIP", wide ? 16 : 8, cpu->regs[REG_RIP], wide ? "RFL" : "EFL", fl,
                           fl & FL_DF ? 'D' : '-', fl & FL_OF ? 'O' : '-', fl & FL_SF ? 'S' : '-',
                           fl & FL_ZF ? 'Z' : '-',
                           fl & FL_AF ? 'A' : '-', fl & FL_PF ? 'P' : '-', fl & FL_CF ? 'C' : '-', cpu->cpl,
                           cpu->shadow != 0, cpu->a20_mask_low >> 20 & 1, cpu->halted);
}

static void print_fpu(const struct x86_cpu *cpu, GString *out)
{
    const struct x86_fpu *f = &cpu->fpu;

    g_string_append_printf(out, "FCW=%04x FSW=%04x [ST=%u] FTW=%02x MXCSR=%08x\n", f->fcw, f->fsw | f->top << 11,
                           f->top, f->ftw, f->mxcsr);
    for (unsigned i = 0; i < 8; i++) {
        g_string_append_printf(out, "FPR%u=%016" PRIx64 " %04x%c", i, f->r[i].m, f->r[i].se, i & 1 ? '\n' : ' ');
    }
    for (unsigned i = 0; i < (cpu->mode & MODE_64 ? 16u : 8u); i++) {
        g_string_append_printf(out, "XMM%02u=%016" PRIx64 "%016" PRIx64 "%c", i, cpu->vec[i].q[1], cpu->vec[i].q[0],
                               i & 1 ? '\n' : ' ');
    }
}

void x86_cpu_print_regs(struct x86_cpu *cpu, GString *out)
{
    bool wide = cpu->mode & MODE_64;

    print_general(cpu, wide, out);
    for (unsigned i = 0; i < 8; i++) {
        print_seg(cpu, i, cpu->mode & MODE_LMA, out);
    }
    g_string_append_printf(out, "GDT=     %0*" PRIx64 " %08x\n", cpu->mode & MODE_LMA ? 16 : 8, cpu->gdt.base,
                           cpu->gdt.limit);
    g_string_append_printf(out, "IDT=     %0*" PRIx64 " %08x\n", cpu->mode & MODE_LMA ? 16 : 8, cpu->idt.base,
                           cpu->idt.limit);
    g_string_append_printf(out, "CR0=%08x CR2=%0*" PRIx64 " CR3=%0*" PRIx64 " CR4=%08x\n", (uint32_t)cpu->cr0,
                           wide ? 16 : 8, cpu->cr2, wide ? 16 : 8, cpu->cr3, (uint32_t)cpu->cr4);
    for (unsigned i = 0; i < 4; i++) {
        g_string_append_printf(out, "DR%u=%016" PRIx64 "%c", i, cpu->dr[i], i == 3 ? '\n' : ' ');
    }
    g_string_append_printf(out, "DR6=%016" PRIx64 " DR7=%016" PRIx64 "\nEFER=%016" PRIx64 "\n", cpu->dr[6], cpu->dr[7],
                           cpu->efer);
    print_fpu(cpu, out);
}

/* --- info mem ----------------------------------------------------------------------------------------------------- */

/* A run of pages with the same rights */
struct run {
    uint64_t start, end, rights;
    bool open;
    unsigned tables;            /* looked at so far: a guest can make its tables refer to themselves */
};
#define MEM_TABLES_MAX 65536u

static void run_close(struct run *r, unsigned digits, GString *out)
{
    if (r->open) {
        g_string_append_printf(out, "%0*" PRIx64 "-%0*" PRIx64 " %0*" PRIx64 " %c%c%c\n", digits, r->start, digits,
                               r->end, digits, r->end - r->start, r->rights & 4 ? 'u' : '-', 'r',
                               r->rights & 2 ? 'w' : '-');
        r->open = false;
    }
}

static void run_add(struct run *r, uint64_t la, uint64_t size, uint64_t rights, unsigned digits, GString *out)
{
    if (r->open && r->end == la && r->rights == rights) {
        r->end += size;
        return;
    }
    run_close(r, digits, out);
    *r = (struct run){ la, la + size, rights, true, r->tables };
}

static bool phys_read(struct x86_cpu *cpu, uint64_t phys, void *buf, size_t len)
{
    struct space_slot s;

    if (!space_lookup(cpu->mem, phys, &s) || !s.host || s.len < len) {
        return false;
    }
    memcpy(buf, s.host, len);
    return true;
}

/* One table; @level 1 is the last */
static void walk_table(struct x86_cpu *cpu, uint64_t table, unsigned level, uint64_t la, uint64_t rights, struct run *r,
                       GString *out)
{
    bool legacy = !(cpu->cr4 & CR4_PAE);
    unsigned esize = legacy ? 4 : 8, n = legacy ? 1024 : 512, shift = 12 + (level - 1) * (legacy ? 10 : 9);
    uint8_t buf[4096];

    if (r->tables >= MEM_TABLES_MAX || out->len > 1 << 20 || !phys_read(cpu, table, buf, sizeof(buf))) {
        return;
    }
    r->tables++;
    for (unsigned i = 0; i < n; i++) {
        uint64_t e = 0, at = la + ((uint64_t)i << shift);

        memcpy(&e, buf + i * esize, esize);
        if (level == 4) {
            at = (uint64_t)((int64_t)(at << 16) >> 16);
        }
        if (!(e & 1)) {
            continue;
        }
        if (level == 1 || (level < 4 && (e & 0x80) && (!legacy || (cpu->cr4 & CR4_PSE)))) {
            run_add(r, at, 1ULL << shift, rights & e & 6, cpu->mode & MODE_LMA ? 16 : 8, out);
        } else {
            walk_table(cpu, e & (legacy ? 0xFFFFF000 : 0x000FFFFFFFFFF000), level - 1, at, rights & e, r, out);
        }
    }
}

void x86_cpu_print_mem(struct x86_cpu *cpu, GString *out)
{
    struct run r = { 0 };

    if (!(cpu->cr0 & CR0_PG)) {
        g_string_append(out, "PG disabled\n");
        return;
    }
    if (cpu->efer & EFER_LMA) {
        walk_table(cpu, cpu->cr3 & 0x000FFFFFFFFFF000, 4, 0, 6, &r, out);
    } else if (cpu->cr4 & CR4_PAE) {
        for (unsigned i = 0; i < 4; i++) {
            if (cpu->pdpte[i] & 1) {
                walk_table(cpu, cpu->pdpte[i] & 0x000FFFFFFFFFF000, 2, (uint64_t)i << 30, 6, &r, out);
            }
        }
    } else {
        walk_table(cpu, cpu->cr3 & 0xFFFFF000, 2, 0, 6, &r, out);
    }
    run_close(&r, cpu->mode & MODE_LMA ? 16 : 8, out);
    if (r.tables >= MEM_TABLES_MAX) {
        g_string_append(out, "(there are more page tables)\n");
    }
}

/* --- by name and address ------------------------------------------------------------------------------------------ */

bool x86_cpu_debug_read(struct x86_cpu *cpu, uint64_t la, void *buf, size_t len)
{
    uint8_t *p = buf;

    while (len) {
        size_t n = MIN(len, 4096 - (la & 4095));
        uint64_t phys;

        if (!x86_translate_debug(cpu, la, &phys, NULL) || !phys_read(cpu, phys, p, n)) {
            return false;
        }
        p += n;
        la += n;
        len -= n;
    }
    return true;
}

uint64_t x86_cpu_pc(struct x86_cpu *cpu)
{
    if (cpu->mode & MODE_64) {
        return cpu->regs[REG_RIP];
    }
    return (uint32_t)(cpu->seg[SEG_CS].base + cpu->regs[REG_RIP]);
}

static bool general_reg(const struct x86_cpu *cpu, const char *name, uint64_t *val)
{
    for (unsigned i = 0; i < 16; i++) {
        g_autofree char *full = g_strchomp(g_ascii_strdown(reg64_name[i], -1));

        if (!strcmp(name, full)) {
            *val = cpu->regs[i];
            return true;
        }
        if (i < 8 && name[0] == 'e' && !strcmp(name + 1, full + 1)) {
            *val = (uint32_t)cpu->regs[i];
            return true;
        }
        if (i < 8 && !strcmp(name, full + 1)) {
            *val = (uint16_t)cpu->regs[i];
            return true;
        }
    }
    return false;
}

bool x86_cpu_reg(struct x86_cpu *cpu, const char *name, uint64_t *val)
{
    const struct { const char *name; uint64_t v; } other[] = {
        { "rip", cpu->regs[REG_RIP] }, { "eip", (uint32_t)cpu->regs[REG_RIP] }, { "pc", x86_cpu_pc(cpu) },
        { "eflags", flags_get(cpu) }, { "rflags", flags_get(cpu) },
        { "cr0", cpu->cr0 }, { "cr2", cpu->cr2 }, { "cr3", cpu->cr3 }, { "cr4", cpu->cr4 }, { "efer", cpu->efer },
        { "cs", cpu->seg[SEG_CS].sel }, { "ds", cpu->seg[SEG_DS].sel }, { "es", cpu->seg[SEG_ES].sel },
        { "ss", cpu->seg[SEG_SS].sel }, { "fs", cpu->seg[SEG_FS].sel }, { "gs", cpu->seg[SEG_GS].sel },
        { "ldt", cpu->seg[SEG_LDT].sel }, { "tr", cpu->seg[SEG_TR].sel },
        { "cs.base", cpu->seg[SEG_CS].base }, { "ds.base", cpu->seg[SEG_DS].base },
        { "es.base", cpu->seg[SEG_ES].base }, { "ss.base", cpu->seg[SEG_SS].base },
        { "fs.base", cpu->seg[SEG_FS].base }, { "gs.base", cpu->seg[SEG_GS].base },
        { "fs_base", cpu->seg[SEG_FS].base }, { "gs_base", cpu->seg[SEG_GS].base },
        { "k_gs_base", cpu->kernel_gs_base },
        { "dr6", cpu->dr[6] }, { "dr7", cpu->dr[7] }, { "fctrl", cpu->fpu.fcw }, { "mxcsr", cpu->fpu.mxcsr },
    };

    if (general_reg(cpu, name, val)) {
        return true;
    }
    for (unsigned i = 0; i < ARRAY_LEN(other); i++) {
        if (!strcmp(name, other[i].name)) {
            *val = other[i].v;
            return true;
        }
    }
    return false;
}

static const char *on_off(bool on)
{
    return on ? "on" : "off";
}

/* What -accel asked for; the switches that take the engine apart only where they are not at rest */
static void print_settings(const struct x86_cpu *cpu, GString *out)
{
    const struct x86_engine_opts *o = &cpu->opts;

    g_string_append_printf(out, "Accelerator settings:\naccelerator     %s\none-insn-per-tb %s\n", o->jit ? "jit" : "interp",
                           on_off(o->one_insn));
    if (o->check) {
        g_string_append_printf(out, "check           on\n");
    }
    if (o->no_chain) {
        g_string_append_printf(out, "chain           off\n");
    }
    if (o->no_slots) {
        g_string_append_printf(out, "slots           off\n");
    }
    if (o->keep_lock) {
        g_string_append_printf(out, "lock            on\n");
    }
    if (o->interp_from < o->interp_to) {
        g_string_append_printf(out, "interpret       0x%" PRIx64 "-0x%" PRIx64 "\n", o->interp_from, o->interp_to);
    }
    if (o->hot) {
        g_string_append_printf(out, "hot             %u\n", o->hot);
    }
    if (o->tb_size) {
        g_string_append_printf(out, "tb-size         %u\n", o->tb_size);
    }
    if (o->perf_map) {
        g_string_append_printf(out, "perf-map        on\n");
    }
    g_string_append_printf(out, "\nState:\n");
}

void x86_cpu_print_stats(struct x86_cpu *cpu, GString *out)
{
    const struct x86_mmu_stats *m = x86_mmu_stats(cpu);

    print_settings(cpu, out);
    x86_engine_print_stats(cpu, out);
    g_string_append_printf(out, "TLB fills       %" PRIu64 ", page walks %" PRIu64 "\n", m->fills, m->walks);
    g_string_append_printf(out, "TLB flushes     %" PRIu64 ", of single pages %" PRIu64 "\n", m->flushes,
                           m->flush_pages);
    g_string_append_printf(out, "slow loads      %" PRIu64 ", slow stores %" PRIu64 ", MMIO %" PRIu64 "\n",
                           m->slow_loads,
                           m->slow_stores, m->mmio);
}

unsigned x86_disas(struct x86_cpu *cpu, uint64_t ip, const uint8_t *bytes, unsigned avail, char *text, unsigned size)
{
    struct x86_rec r;
    unsigned len = x86_decode(bytes, avail, cpu->mode & ~(uint32_t)(MODE_TS | MODE_EM), 0, cpu->feat, &r);

    if (len) {
        x86_rec_print(&r, ip, text, size);
    }
    return len;
}
