/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/x86/guest.c - cases on our CPU
 *
 * A CPU with 4 MiB of RAM in 64-bit paging mode at CPL 3, or in compatibility mode. There is no guest code but the
 * case: registers and tables are put in place from outside. Each vector's handler is a HLT of its own, so
 * x86_cpu_run() comes back with RIP telling the vector, and the interrupt frame on the kernel stack telling the rest.
 */
#include "core/loop.h"
#include "lib/bits.h"
#include "target/x86/cpu.h"
#include "target/x86/flags.h"
#include "target/x86/mmu.h"
#include "tests/x86/oracle.h"
#include <string.h>

#define RAM_BYTES   0x400000u
#define CODE_SLOTS  64u                         /* places for the code pages: each program goes to the next */
#define KERNEL      0xFFFFFFFF80000000ULL       /* RAM as the supervisor sees it */

enum {                                          /* physical */
    AT_PML4 = 0x1000, AT_PDPT_LOW = 0x2000, AT_PDPT_HIGH = 0x3000, AT_PD_LOW = 0x4000, AT_PD_HIGH = 0x5000,
    AT_PT_CODE = 0x6000, AT_PT_ARENA = 0x7000, AT_IDT = 0x8000, AT_GDT = 0x9000, AT_TSS = 0xA000,
    AT_LDT = 0xB000, AT_STACK = 0x10000,
    AT_HANDLERS = 0x11000, AT_CODE = 0x100000, AT_ARENA = 0x200000,
};
enum { PTE_P = 1, PTE_RW = 2, PTE_US = 4, PTE_A = 0x20, PTE_D = 0x40, PTE_PS = 0x80 };
#define PTE_NX (1ULL << 63)

struct ox_guest {
    struct x86_cpu *cpu;
    struct region root, io, ram_region;
    struct addr_space mem_space, io_space;
    struct ram_block *ram;
    unsigned slot;
    uint64_t code_sum;                          /* of the program in the slot */
};

static int no_irq(void *opaque)
{
    return -1;
}

static bool no_rdmsr(void *opaque, uint32_t msr, uint64_t *val)
{
    return false;
}

static bool no_wrmsr(void *opaque, uint32_t msr, uint64_t val)
{
    return false;
}

static uint8_t zero_cr8(void *opaque)
{
    return 0;
}

static void ignore_cr8(void *opaque, uint8_t v)
{
}

static void no_ferr(void *opaque)
{
}

static void put64(struct ox_guest *g, unsigned at, uint64_t v)
{
    memcpy(g->ram->host + at, &v, 8);
}

static uint64_t code_at(const struct ox_guest *g)
{
    return AT_CODE + (uint64_t)g->slot * OX_CODE_BYTES;
}

static void map_code(struct ox_guest *g)
{
    for (unsigned i = 0; i < OX_CODE_BYTES / 4096; i++) {
        put64(g, AT_PT_CODE + 8 * i, (code_at(g) + 4096 * i) | PTE_P | PTE_US | PTE_A | PTE_D | PTE_RW);
        x86_tlb_flush_page(g->cpu, OX_CODE + 4096 * i);
    }
}

static void make_pages(struct ox_guest *g)
{
    uint64_t table = PTE_P | PTE_RW | PTE_US | PTE_A, page = PTE_P | PTE_US | PTE_A | PTE_D;

    put64(g, AT_PML4, AT_PDPT_LOW | table);
    put64(g, AT_PML4 + 8 * 511, AT_PDPT_HIGH | table);
    put64(g, AT_PDPT_LOW, AT_PD_LOW | table);
    put64(g, AT_PDPT_HIGH + 8 * 510, AT_PD_HIGH | table);
    put64(g, AT_PD_HIGH, PTE_P | PTE_RW | PTE_A | PTE_D | PTE_PS);
    put64(g, AT_PD_LOW + 8 * (OX_CODE >> 21), AT_PT_CODE | table);
    put64(g, AT_PD_LOW + 8 * (OX_ARENA >> 21), AT_PT_ARENA | table);
    map_code(g);
    for (unsigned i = 0; i < OX_IMAGE / 4096; i++) {
        put64(g, AT_PT_ARENA + 8 * i, (AT_ARENA + 4096 * i) | page | PTE_NX | (4096 * i < OX_RW ? PTE_RW : 0));
    }
}

/* Attributes: SDM vol. 3, figure 3-8; native.c makes the same descriptors */
static const struct x86_seg ldt[] = {
    [OX_LDT_CODE16] = { OX_CODE, OX_CODE_BYTES - 1, OX_LDT_SEL(OX_LDT_CODE16), 0x00FB },
    [OX_LDT_CODE32] = { OX_CODE, OX_CODE_BYTES - 1, OX_LDT_SEL(OX_LDT_CODE32), 0x40FB },
    [OX_LDT_DS] = { OX_ARENA, 0x2FFF, OX_LDT_SEL(OX_LDT_DS), 0x40F3 },
    [OX_LDT_SS16] = { OX_ARENA, 0x2FFF, OX_LDT_SEL(OX_LDT_SS16), 0x00F3 },
    [OX_LDT_ES] = { OX_ARENA, 0xFFF, OX_LDT_SEL(OX_LDT_ES), 0x40F7 },
    [OX_LDT_GS] = { OX_ARENA, 0x2FFF, OX_LDT_SEL(OX_LDT_GS), 0x40F1 },
};

static void make_ldt(struct ox_guest *g)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(ldt); i++) {
        const struct x86_seg *s = &ldt[i];

        put64(g, AT_LDT + 8 * i,
              (s->limit & 0xFFFF) | (s->base & 0xFFFFFF) << 16 | (uint64_t)(s->attr & 0xF0FF) << 40 |
              (uint64_t)(s->limit >> 16 & 15) << 48 | (s->base >> 24 & 0xFF) << 56);
    }
}

/* The descriptors that Linux shows to its programs */
static void make_tables(struct ox_guest *g)
{
    put64(g, AT_GDT + 0x08, 0x00CF9B000000FFFF);
    put64(g, AT_GDT + 0x10, 0x00AF9B000000FFFF);
    put64(g, AT_GDT + 0x18, 0x00CF93000000FFFF);
    put64(g, AT_GDT + 0x20, 0x00CFFB000000FFFF);
    put64(g, AT_GDT + 0x28, 0x00CFF3000000FFFF);
    put64(g, AT_GDT + 0x30, 0x00AFFB000000FFFF);
    put64(g, AT_GDT + 0x40, 0x0000890000000067 | (uint64_t)AT_TSS << 16 | (KERNEL & 0xFF000000) << 32);
    put64(g, AT_GDT + 0x48, KERNEL >> 32);
    put64(g, AT_TSS + 4, KERNEL + AT_STACK);
    put64(g, AT_TSS + 0x60, 0xFFFFULL << 48);       /* no I/O bitmap */
    for (unsigned i = 0; i < 32; i++) {
        uint64_t to = KERNEL + AT_HANDLERS + 16 * i;
        unsigned dpl = i == 3 || i == 4 ? 3 : 0;

        put64(g, AT_IDT + 16 * i,
              (to & 0xFFFF) | 0x10 << 16 | (uint64_t)(0x8E00 | dpl << 13) << 32 | (to >> 16 & 0xFFFF) << 48);
        put64(g, AT_IDT + 16 * i + 8, to >> 32);
        g->ram->host[AT_HANDLERS + 16 * i] = 0xF4;
    }
    memset(g->ram->host + AT_CODE, 0xCC, CODE_SLOTS * OX_CODE_BYTES);
    make_ldt(g);
}

static struct x86_seg seg(uint16_t sel, uint16_t attr)
{
    return (struct x86_seg){ .limit = 0xFFFFFFFF, .sel = sel, .attr = attr };
}

static void segments(struct x86_cpu *cpu, enum ox_mode mode)
{
    cpu->seg[SEG_CS] = mode == OX_64 ? seg(OX_SEL_CODE64, 0xA0FB) : seg(OX_SEL_CODE32, 0xC0FB);
    cpu->seg[SEG_SS] = cpu->seg[SEG_DS] = cpu->seg[SEG_ES] = seg(OX_SEL_DATA, 0xC0F3);
    cpu->seg[SEG_FS] = cpu->seg[SEG_GS] = cpu->seg[SEG_LDT] = seg(0, 0);
    if (mode >= OX_SEG32) {
        cpu->seg[SEG_CS] = ldt[mode == OX_16 ? OX_LDT_CODE16 : OX_LDT_CODE32];
        cpu->seg[SEG_SS] = ldt[mode == OX_16 ? OX_LDT_SS16 : OX_LDT_DS];
        cpu->seg[SEG_DS] = ldt[OX_LDT_DS];
        cpu->seg[SEG_ES] = ldt[OX_LDT_ES];
        cpu->seg[SEG_GS] = ldt[OX_LDT_GS];
        cpu->seg[SEG_LDT] = (struct x86_seg){
            .base = KERNEL + AT_LDT, .limit = sizeof(ldt) / sizeof(ldt[0]) * 8 - 1, .sel = 0x38, .attr = 0x82,
        };
    }
}

/* Everything that a case may have changed, and that is not in struct ox_state */
static void system_state(struct x86_cpu *cpu, enum ox_mode mode)
{
    cpu->cpl = 3;
    cpu->halted = false;
    cpu->shutdown = false;
    cpu->nmi_blocked = false;
    cpu->shadow = 0;
    cpu->exc_old = -1;
    segments(cpu, mode);
    cpu->seg[SEG_TR] = (struct x86_seg){ .base = KERNEL + AT_TSS, .limit = 0x67, .sel = 0x40, .attr = 0x8B };
    cpu->gdt.base = KERNEL + AT_GDT;
    cpu->gdt.limit = 0x4F;
    cpu->idt.base = KERNEL + AT_IDT;
    cpu->idt.limit = 0x1FF;
    cpu->cr0 = CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_AM | CR0_PG;
    cpu->cr3 = AT_PML4;
    cpu->cr4 = CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_OSXSAVE | CR4_FSGSBASE;
    cpu->efer = EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE;
    cpu->xcr0 = XCR0_X87 | XCR0_SSE | XCR0_AVX;
    cpu->fpu.fop = 0;
    cpu->fpu.fip = cpu->fpu.fdp = 0;
    cpu->fpu.fcs = cpu->fpu.fds = 0;
}

static void load_state(struct x86_cpu *cpu, const struct ox_state *s)
{
    memcpy(cpu->regs, s->gpr, sizeof(s->gpr));
    cpu->regs[REG_RIP] = s->rip;
    cpu->regs[REG_ZERO] = 0;
    flags_set(cpu, s->eflags);
    cpu->fpu.mxcsr = s->mxcsr;
    cpu->fpu.fcw = s->fcw;
    cpu->fpu.fsw = s->fsw & ~0x3800u;
    cpu->fpu.top = s->fsw >> 11 & 7;
    cpu->fpu.ftw = s->ftw;
    for (unsigned i = 0; i < 8; i++) {
        struct x87_reg *r = &cpu->fpu.r[(cpu->fpu.top + i) & 7];

        memcpy(&r->m, s->st[i], 8);
        memcpy(&r->se, s->st[i] + 8, 2);
    }
    for (unsigned i = 0; i < 16; i++) {
        memcpy(cpu->vec[i].b, s->vec[i], 32);
    }
    x86_mode_update(cpu);
}

static void save_state(struct x86_cpu *cpu, struct ox_state *s)
{
    memset(s, 0, sizeof(*s));
    s->sel[SEG_ES] = cpu->seg[SEG_ES].sel;
    s->sel[SEG_DS] = cpu->seg[SEG_DS].sel;
    memcpy(s->gpr, cpu->regs, sizeof(s->gpr));
    s->mxcsr = cpu->fpu.mxcsr;
    s->fcw = cpu->fpu.fcw;
    s->fsw = (cpu->fpu.fsw & ~0x3800u) | cpu->fpu.top << 11;
    s->ftw = cpu->fpu.ftw;
    for (unsigned i = 0; i < 8; i++) {
        const struct x87_reg *r = &cpu->fpu.r[(cpu->fpu.top + i) & 7];

        memcpy(s->st[i], &r->m, 8);
        memcpy(s->st[i] + 8, &r->se, 2);
    }
    for (unsigned i = 0; i < 16; i++) {
        memcpy(s->vec[i], cpu->vec[i].b, 32);
    }
}

static bool has_error_code(unsigned vec)
{
    return vec == 8 || (vec >= 10 && vec <= 14) || vec == 17;
}

/* The interrupt frame: SDM vol. 3, figure 6-9 */
static void read_frame(struct ox_guest *g, struct ox_result *r)
{
    uint64_t at = g->cpu->regs[R_SP] - KERNEL, frame[6] = { 0 };
    unsigned skip;

    r->vec = (int)(g->cpu->regs[REG_RIP] - KERNEL - AT_HANDLERS) / 16;
    skip = has_error_code((unsigned)r->vec) ? 0 : 1;
    if (r->vec < 0 || r->vec > 31 || at > AT_STACK - 8 * (6 - skip)) {
        r->vec = -2;
        return;
    }
    memcpy(frame + skip, g->ram->host + at, 8 * (6 - skip));
    r->err = (uint32_t)frame[0];
    r->addr = r->vec == 14 ? g->cpu->cr2 : 0;
    r->out.rip = frame[1];
    r->out.sel[SEG_CS] = (uint16_t)frame[2];
    r->out.sel[SEG_SS] = (uint16_t)frame[5];
    r->out.eflags = (uint32_t)frame[3];
    r->out.gpr[R_SP] = frame[4];
}

uint64_t ox_sum(const void *p, unsigned n)
{
    const uint8_t *b = p;
    uint64_t sum = n, v;

    for (unsigned i = 0; i < n; i += 8) {
        memcpy(&v, b + i, 8);
        sum = (sum ^ v) * 0x9E3779B97F4A7C15ULL;
        sum ^= sum >> 29;
    }
    return sum;
}

/*
 * Another program goes to other pages, so that no page gets known for being written all the time. Of one that is there,
 * only what differs is written: blocks of code that stays are run again, and become hot
 */
static void load_code(struct ox_guest *g, const uint8_t *want)
{
    uint64_t sum = ox_sum(want, OX_CODE_BYTES);
    uint8_t *have;

    if (sum != g->code_sum) {
        g->code_sum = sum;
        g->slot = (g->slot + 1) % CODE_SLOTS;
        map_code(g);
    }
    have = g->ram->host + code_at(g);

    for (unsigned i = 0; i < OX_CODE_BYTES; i += 16) {
        unsigned end = i;

        while (end < OX_CODE_BYTES && memcmp(have + end, want + end, 16)) {
            end += 16;
        }
        if (end > i) {
            memcpy(have + i, want + i, end - i);
            x86_cpu_wrote_ram(g->cpu, g->ram, code_at(g) + i, end - i);
            i = end;
        }
    }
}

void ox_guest_run(struct ox_guest *g, const struct ox_case *c, const uint8_t *image, struct ox_result *out)
{
    uint8_t page[OX_CODE_BYTES];

    memset(out, 0, sizeof(*out));
    if (c->prog) {
        load_code(g, c->prog->code);
    } else {
        memset(page, 0xCC, sizeof(page));
        memcpy(page + (OX_ENTRY - OX_CODE), c->code, c->len);
        load_code(g, page);
    }
    memcpy(g->ram->host + AT_ARENA, image, OX_IMAGE);
    memcpy(g->ram->host + AT_ARENA + c->patch_at, c->patch, c->patch_len);
    system_state(g->cpu, c->mode);
    load_state(g->cpu, &c->in);
    for (unsigned i = 0; i < 4; i++) {
        if (x86_cpu_run(g->cpu) != X86_EXIT_KICK) {
            break;
        }
    }
    save_state(g->cpu, &out->out);
    if (g->cpu->halted) {
        read_frame(g, out);
    } else {
        out->vec = -2;
    }
    memcpy(out->mem, g->ram->host + AT_ARENA, OX_RW);
    out->code_sum = c->prog ? ox_sum(g->ram->host + code_at(g), OX_CODE_BYTES) : 0;
}

void ox_guest_kick(struct ox_guest *g)
{
    x86_cpu_kick(g->cpu);
}

const struct x86_features *ox_guest_features(struct ox_guest *g)
{
    return g->cpu->feat;
}

struct x86_cpu *ox_guest_cpu(struct ox_guest *g)
{
    return g->cpu;
}

struct ox_guest *ox_guest_new(const char *model, const struct x86_features *extra,
                              const struct x86_engine_opts *opts)
{
    static const struct x86_platform plat = {
        .ack_irq = no_irq, .rdmsr = no_rdmsr, .wrmsr = no_wrmsr, .cr8_get = zero_cr8, .cr8_set = ignore_cr8,
        .ferr = no_ferr,
    };
    struct ox_guest *g = g_new0(struct ox_guest, 1);
    struct x86_features *f;
    Error *err = NULL;

    g->ram = ram_new("oracle", RAM_BYTES, NULL);
    f = x86_features_parse(model, &err);
    if (!g->ram || !f) {
        g_error("%s", err ? error_text(err) : "no memory");
    }
    for (unsigned i = 0; extra && i < FEAT_WORDS; i++) {
        f->word[i] |= extra->word[i];
    }
    region_init(&g->root, "root", 0);
    region_init(&g->io, "io", 0x10000);
    region_init_ram(&g->ram_region, "ram", g->ram, false);
    region_add(&g->root, 0, &g->ram_region, 0);
    space_init(&g->mem_space, "mem", &g->root);
    space_init(&g->io_space, "io", &g->io);
    g->cpu = x86_cpu_new(f, &g->mem_space, &g->io_space, &plat, &err);
    if (!g->cpu) {
        g_error("%s", error_text(err));
    }
    if (opts && !x86_cpu_set_engine(g->cpu, opts, &err)) {
        g_error("%s", error_text(err));
    }
    make_pages(g);
    make_tables(g);
    system_state(g->cpu, OX_64);
    flags_set(g->cpu, 2);
    x86_mode_update(g->cpu);
    x86_tlb_flush_all(g->cpu);
    x86_tlb_switch(g->cpu, true);
    return g;
}

void ox_guest_free(struct ox_guest *g)
{
    x86_cpu_free(g->cpu);
    space_fini(&g->io_space);
    space_fini(&g->mem_space);
    ram_free(g->ram);
    g_free(g);
}
