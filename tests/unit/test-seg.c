/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/unit/test-seg.c - descriptor loads, far transfers, interrupt delivery, task switches, CPUID, MSRs */
#include "x86-rig.h"
#include "target/x86/control.h"
#include "target/x86/debug.h"

enum {
    GDT = 0x800, IDT = 0x2000, TSS = 0x3000, TSS2 = 0x3800, LDT = 0x4000, STACK = 0x9000, STACK0 = 0xA000,
    CODE = 0x10000,
};

enum { /* selectors */
    S_CODE0 = 0x08, S_DATA0 = 0x10, S_CODE3 = 0x18, S_DATA3 = 0x20, S_RO = 0x28, S_XO = 0x30, S_CONF = 0x38,
    S_NP = 0x40, S_TSS = 0x48, S_LDT = 0x58, S_CODE64 = 0x68, S_GATE = 0x70, S_GATE64 = 0x80, S_TASK = 0x90,
    S_TSS2 = 0x98, S_DATA0_NP = 0xA0, S_CODE64_3 = 0xA8, S_CODE16 = 0xB0, S_LIMIT = 0xB8, S_END = 0xC0,
};

static uint64_t descriptor(uint32_t base, uint32_t limit, unsigned access, unsigned flags)
{
    return (limit & 0xFFFF) | (uint64_t)(base & 0xFFFFFF) << 16 | (uint64_t)access << 40 |
           (uint64_t)(limit >> 16 & 15) << 48 | (uint64_t)flags << 52 | (uint64_t)(base >> 24) << 56;
}

static uint64_t gate(uint16_t sel, uint32_t off, unsigned access, unsigned param)
{
    return (off & 0xFFFF) | (uint64_t)sel << 16 | (uint64_t)param << 32 | (uint64_t)access << 40 |
           (uint64_t)(off >> 16) << 48;
}

static void gdt(struct rig *g, unsigned sel, uint64_t v)
{
    poke64(g, GDT + (sel & ~7u), v);
}

static void setup(struct rig *g, const char *model)
{
    struct x86_cpu *cpu;

    rig_new(g, model);
    cpu = g->cpu;
    gdt(g, S_CODE0, descriptor(0, 0xFFFFF, 0x9A, 0xC));
    gdt(g, S_DATA0, descriptor(0, 0xFFFFF, 0x92, 0xC));
    gdt(g, S_CODE3, descriptor(0, 0xFFFFF, 0xFA, 0xC));
    gdt(g, S_DATA3, descriptor(0, 0xFFFFF, 0xF2, 0xC));
    gdt(g, S_RO, descriptor(0, 0xFFFFF, 0x90, 0xC));
    gdt(g, S_XO, descriptor(0, 0xFFFFF, 0x98, 0xC));
    gdt(g, S_CONF, descriptor(0, 0xFFFFF, 0x9E, 0xC));
    gdt(g, S_NP, descriptor(0, 0xFFFFF, 0x72, 0xC));
    gdt(g, S_DATA0_NP, descriptor(0, 0xFFFFF, 0x12, 0xC));
    gdt(g, S_TSS, descriptor(TSS, 0x7FF, 0x89, 0));
    gdt(g, S_LDT, descriptor(LDT, 0xF, 0x82, 0));
    gdt(g, S_CODE64, descriptor(0, 0xFFFFF, 0x9A, 0xA));
    gdt(g, S_CODE64_3, descriptor(0, 0xFFFFF, 0xFA, 0xA));
    gdt(g, S_CODE16, descriptor(0, 0xFFFF, 0x9A, 0));
    gdt(g, S_GATE, gate(S_CODE0, CODE + 0x100, 0xEC, 2));
    gdt(g, S_TASK, gate(S_TSS2, 0, 0xE5, 0));
    gdt(g, S_TSS2, descriptor(TSS2, 0x67, 0x89, 0));
    gdt(g, S_LIMIT, descriptor(0, 0x10, 0x9A, 0x4));
    poke64(g, LDT + 8, descriptor(0x1234, 0xFFFF, 0x92, 0));
    cpu->gdt.base = GDT;
    cpu->gdt.limit = S_END - 1;
    cpu->idt.base = IDT;
    cpu->idt.limit = 0x7FF;
    cpu->cr0 = CR0_PE | CR0_ET;
    rig_flat(g, 0);
    cpu->regs[R_SP] = STACK;
    cpu->regs[REG_RIP] = CODE;
    seg_load_tr(cpu, S_TSS);
    seg_load_ldt(cpu, S_LDT);
    poke32(g, TSS + 4, STACK0);
    poke32(g, TSS + 8, S_DATA0);
}

static void to_long(struct rig *g)
{
    struct x86_cpu *cpu = g->cpu;

    poke64(g, 0x100000, 0x101007);
    poke64(g, 0x101000, 0x102007);
    for (unsigned i = 0; i < 8; i++) {
        poke64(g, 0x102000 + 8 * i, i << 21 | 0x87);
    }
    cpu->cr4 = CR4_PAE | CR4_OSFXSR;
    cpu->efer = EFER_LME | EFER_SCE;
    cpu->cr3 = 0x100000;
    x86_cr0_write(cpu, cpu->cr0 | CR0_PG);
    rig_flat(g, 0);
    cpu->seg[SEG_CS].sel = S_CODE64;
}

/* --- segment loads ------------------------------------------------------------------------------------------------ */

static const struct {
    unsigned seg;
    uint16_t sel;
    unsigned cpl;
    int vec;
    uint32_t err;
} loads[] = {
    { SEG_DS, 0, 0, NO_FAULT, 0 }, { SEG_DS, 3, 3, NO_FAULT, 0 }, { SEG_DS, S_DATA0, 0, NO_FAULT, 0 },
    { SEG_DS, S_DATA0, 3, EXC_GP, S_DATA0 }, { SEG_DS, S_DATA0 | 3, 0, EXC_GP, S_DATA0 },
    { SEG_DS, S_DATA3 | 3, 3, NO_FAULT, 0 }, { SEG_DS, S_DATA3 | 3, 0, NO_FAULT, 0 }, { SEG_DS, S_RO, 0, NO_FAULT, 0 },
    { SEG_DS, S_XO, 0, EXC_GP, S_XO }, { SEG_DS, S_CODE0, 0, NO_FAULT, 0 }, { SEG_DS, S_CONF | 3, 3, NO_FAULT, 0 },
    { SEG_DS, S_TSS, 0, EXC_GP, S_TSS }, { SEG_DS, S_END, 0, EXC_GP, S_END }, { SEG_DS, S_NP | 3, 0, EXC_NP, S_NP },
    { SEG_DS, 0xC, 0, NO_FAULT, 0 }, { SEG_DS, 0x14, 0, EXC_GP, 0x14 },
    { SEG_SS, 0, 0, EXC_GP, 0 }, { SEG_SS, S_DATA0, 0, NO_FAULT, 0 }, { SEG_SS, S_DATA0 | 3, 0, EXC_GP, S_DATA0 },
    { SEG_SS, S_DATA3 | 3, 0, EXC_GP, S_DATA3 }, { SEG_SS, S_DATA3 | 3, 3, NO_FAULT, 0 },
    { SEG_SS, S_RO, 0, EXC_GP, S_RO },
    { SEG_SS, S_CODE0, 0, EXC_GP, S_CODE0 }, { SEG_SS, S_DATA0_NP, 0, EXC_SS, S_DATA0_NP },
};

static void test_loads(void)
{
    struct rig g;

    setup(&g, "max");
    for (unsigned i = 0; i < ARRAY_LEN(loads); i++) {
        struct x86_seg old;

        rig_flat(&g, loads[i].cpl);
        old = g.cpu->seg[loads[i].seg];
        g_test_message("row %u", i);
        g_assert_cmpint(CATCH(g.cpu, seg_load(g.cpu, loads[i].seg, loads[i].sel)), ==, loads[i].vec);
        if (loads[i].vec != NO_FAULT) {
            g_assert_cmphex(g.cpu->exc.err, ==, loads[i].err);
            g_assert_cmpmem(&old, sizeof(old), &g.cpu->seg[loads[i].seg], sizeof(old));
        } else {
            g_assert_cmphex(g.cpu->seg[loads[i].seg].sel, ==, loads[i].sel);
        }
    }
    g_assert_cmphex(peek64(&g, GDT + S_RO) >> 40 & 1, ==, 1);       /* accessed */
    g_assert_cmphex(peek64(&g, GDT + S_XO) >> 40 & 1, ==, 0);
    g_assert_cmphex(g.cpu->seg[SEG_DS].attr, !=, 0);
    g_assert_cmphex(peek64(&g, GDT + S_TSS) >> 40 & 15, ==, 11);    /* busy */
    g_assert_cmpint(CATCH(g.cpu, seg_load_tr(g.cpu, S_TSS)), ==, EXC_GP);
    g_assert_cmpint(CATCH(g.cpu, seg_load_ldt(g.cpu, S_DATA0)), ==, EXC_GP);
    rig_free(&g);
}

static void test_limits(void)
{
    struct rig g;
    struct x86_seg *ds;
    struct x86_cpu *cpu;

    setup(&g, "max");
    cpu = g.cpu;
    ds = &cpu->seg[SEG_DS];
    *ds = (struct x86_seg){ .base = 0x1000, .limit = 0xFFF, .sel = S_DATA0, .attr = SEGA_P | SEGA_S | SEGA_RW };
    x86_mode_update(cpu);
    g_assert_cmphex(cpu->mode & MODE_FLAT_DS, ==, 0);
    g_assert_cmphex(seg_linear(cpu, NULL, SEG_DS, 0xFFC, 4, true), ==, 0x1FFC);
    g_assert_cmpint(CATCH(cpu, seg_linear(cpu, NULL, SEG_DS, 0xFFD, 4, false)), ==, EXC_GP);
    ds->attr |= SEGA_CONF_EXPDOWN;      /* expand-down, 16-bit: 1000..FFFF */
    g_assert_cmpint(CATCH(cpu, seg_linear(cpu, NULL, SEG_DS, 0xFFF, 1, false)), ==, EXC_GP);
    g_assert_cmpint(CATCH(cpu, seg_linear(cpu, NULL, SEG_DS, 0x1000, 1, false)), ==, NO_FAULT);
    g_assert_cmpint(CATCH(cpu, seg_linear(cpu, NULL, SEG_DS, 0xFFFF, 2, false)), ==, EXC_GP);
    ds->attr = SEGA_P | SEGA_S;         /* read-only */
    g_assert_cmpint(CATCH(cpu, seg_linear(cpu, NULL, SEG_DS, 0, 1, false)), ==, NO_FAULT);
    g_assert_cmpint(CATCH(cpu, seg_linear(cpu, NULL, SEG_DS, 0, 1, true)), ==, EXC_GP);
    g_assert_cmpint(CATCH(cpu, seg_linear(cpu, NULL, SEG_CS, 0, 1, true)), ==, EXC_GP);
    seg_set_null(cpu, SEG_ES, 0);
    g_assert_cmpint(CATCH(cpu, seg_linear(cpu, NULL, SEG_ES, 0, 1, false)), ==, EXC_GP);
    cpu->seg[SEG_SS].limit = 0xFFF;
    g_assert_cmpint(CATCH(cpu, seg_linear(cpu, NULL, SEG_SS, 0x1000, 1, false)), ==, EXC_SS);
    rig_free(&g);
}

/* --- far transfers ------------------------------------------------------------------------------------------------ */

static void test_far(void)
{
    struct rig g;
    struct x86_cpu *cpu;

    setup(&g, "max");
    cpu = g.cpu;
    g_assert_cmpint(CATCH(cpu, x86_far_jmp(cpu, 0, 0, 2, 0)), ==, EXC_GP);
    g_assert_cmpint(CATCH(cpu, x86_far_jmp(cpu, S_DATA0, 0, 2, 0)), ==, EXC_GP);
    g_assert_cmphex(cpu->exc.err, ==, S_DATA0);
    g_assert_cmpint(CATCH(cpu, x86_far_jmp(cpu, S_LIMIT, 0x11, 2, 0)), ==, EXC_GP);
    g_assert_cmphex(cpu->exc.err, ==, 0);
    g_assert_cmpint(CATCH(cpu, x86_far_jmp(cpu, S_CODE0, 0x123456, 1, 0)), ==, NO_FAULT);
    g_assert_cmphex(cpu->regs[REG_RIP], ==, 0x3456);
    g_assert_cmpint(CATCH(cpu, x86_far_call(cpu, S_CODE0, CODE, 2, 0x77)), ==, NO_FAULT);
    g_assert_cmphex(cpu->regs[R_SP], ==, STACK - 8);
    g_assert_cmphex(peek32(&g, STACK - 8), ==, 0x77);
    g_assert_cmpint(CATCH(cpu, x86_far_ret(cpu, 2, 0)), ==, NO_FAULT);
    g_assert_cmphex(cpu->regs[REG_RIP], ==, 0x77);
    /* CPL 3 through a gate with two parameters and back */
    rig_flat(&g, 3);
    cpu->seg[SEG_SS].sel = S_DATA3 | 3;
    cpu->seg[SEG_DS].sel = S_DATA3 | 3;
    cpu->seg[SEG_CS].sel = S_CODE3 | 3;
    cpu->regs[R_SP] = STACK - 8;
    poke32(&g, STACK - 8, 0x1111);
    poke32(&g, STACK - 4, 0x2222);
    g_assert_cmpint(CATCH(cpu, x86_far_jmp(cpu, S_CODE0, CODE, 2, 0)), ==, EXC_GP);
    g_assert_cmpint(CATCH(cpu, x86_far_jmp(cpu, S_GATE, 0, 2, 0)), ==, EXC_GP);
    g_assert_cmphex(cpu->exc.err, ==, S_CODE0);
    g_assert_cmpint(CATCH(cpu, x86_far_call(cpu, S_GATE | 3, 0xDEAD, 2, 0x55)), ==, NO_FAULT);
    g_assert_cmphex(cpu->regs[REG_RIP], ==, CODE + 0x100);
    g_assert_cmphex(cpu->seg[SEG_CS].sel, ==, S_CODE0);
    g_assert_cmphex(cpu->seg[SEG_SS].sel, ==, S_DATA0);
    g_assert_cmpuint(cpu->cpl, ==, 0);
    g_assert_cmphex(cpu->regs[R_SP], ==, STACK0 - 24);
    g_assert_cmphex(peek32(&g, STACK0 - 24), ==, 0x55);
    g_assert_cmphex(peek32(&g, STACK0 - 20), ==, S_CODE3 | 3);
    g_assert_cmphex(peek32(&g, STACK0 - 16), ==, 0x1111);
    g_assert_cmphex(peek32(&g, STACK0 - 12), ==, 0x2222);
    g_assert_cmphex(peek32(&g, STACK0 - 8), ==, STACK - 8);
    g_assert_cmphex(peek32(&g, STACK0 - 4), ==, S_DATA3 | 3);
    g_assert_cmpint(CATCH(cpu, seg_load(cpu, SEG_ES, S_DATA0)), ==, NO_FAULT);
    g_assert_cmpint(CATCH(cpu, x86_far_ret(cpu, 2, 8)), ==, NO_FAULT);
    g_assert_cmpuint(cpu->cpl, ==, 3);
    g_assert_cmphex(cpu->regs[R_SP], ==, STACK);
    g_assert_cmphex(cpu->seg[SEG_ES].attr, ==, 0);      /* inner data segment dropped */
    g_assert_cmphex(cpu->seg[SEG_DS].sel, ==, S_DATA3 | 3);
    rig_free(&g);
}

/* --- interrupts --------------------------------------------------------------------------------------------------- */

static void idt(struct rig *g, unsigned vec, uint64_t v)
{
    poke64(g, IDT + 8 * vec, v);
}

/*
 * Raise vec as an instruction would, then deliver until nothing more is raised. Return: vector of the last delivery, -2
 * shutdown
 */
static int take(struct rig *g, unsigned vec, uint32_t err)
{
    struct x86_cpu *cpu = g->cpu;
    volatile unsigned rounds = 0;

    if (!sigsetjmp(cpu->jmp, 0)) {
        cpu->cur = NULL;
        if (vec == EXC_PF) {
            x86_raise_pf(cpu, NULL, 0x1234, err);
        } else if (vec == EXC_UD || vec == EXC_DE) {
            x86_raise(cpu, NULL, vec);
        } else {
            x86_raise_err(cpu, NULL, vec, err);
        }
    }
    g_assert_cmpuint(rounds++, <, 5);
    x86_deliver_raised(cpu);
    return cpu->shutdown ? -2 : cpu->exc.vec;
}

static void test_deliver_prot(void)
{
    struct rig g;
    struct x86_cpu *cpu;

    setup(&g, "max");
    cpu = g.cpu;
    idt(&g, EXC_GP, gate(S_CODE0, 0xD000, 0x8E, 0));
    idt(&g, EXC_UD, gate(S_CODE0, 0xE000, 0x8F, 0));
    idt(&g, 0x80, gate(S_CODE0, 0xF000, 0xEE, 0));
    idt(&g, 0x81, gate(S_CODE0, 0xF100, 0x8E, 0));
    rig_flat(&g, 3);
    cpu->seg[SEG_SS].sel = S_DATA3 | 3;
    cpu->seg[SEG_CS].sel = S_CODE3 | 3;
    cpu->regs[R_SP] = STACK;
    cpu->regs[REG_RIP] = CODE;
    flags_set(cpu, FL_IF | FL_CF | FL_NT | FL_1);
    g_assert_cmpint(take(&g, EXC_GP, 0x18), ==, EXC_GP);
    g_assert_cmphex(cpu->regs[REG_RIP], ==, 0xD000);
    g_assert_cmphex(cpu->regs[R_SP], ==, STACK0 - 24);
    g_assert_cmphex(peek32(&g, STACK0 - 24), ==, 0x18);
    g_assert_cmphex(peek32(&g, STACK0 - 20), ==, CODE);
    g_assert_cmphex(peek32(&g, STACK0 - 16), ==, S_CODE3 | 3);
    g_assert_cmphex(peek32(&g, STACK0 - 12), ==, FL_IF | FL_CF | FL_NT | FL_RF | FL_1);
    g_assert_cmphex(peek32(&g, STACK0 - 8), ==, STACK);
    g_assert_cmphex(peek32(&g, STACK0 - 4), ==, S_DATA3 | 3);
    g_assert_cmphex(cpu->eflags & (FL_IF | FL_NT | FL_TF), ==, 0);
    cpu->regs[R_SP] += 4;
    g_assert_cmpint(CATCH(cpu, x86_iret(cpu, 2, 0)), ==, NO_FAULT);
    g_assert_cmpuint(cpu->cpl, ==, 3);
    g_assert_cmphex(cpu->regs[R_SP], ==, STACK);
    g_assert_cmphex(flags_get(cpu), ==, FL_IF | FL_CF | FL_NT | FL_1);
    /* software interrupts: DPL counts, a fault is at the instruction, no EXT */
    struct x86_rec r = { .off = 4, .len = 2 };
    g_assert_cmpint(CATCH(cpu, x86_soft_int(cpu, &r, 0x81, true)), ==, EXC_GP);
    g_assert_cmphex(cpu->exc.err, ==, 0x81 * 8 + 2);
    g_assert_cmphex(x86_ip(cpu, cpu->cur), ==, CODE + 4);
    g_assert_cmpint(CATCH(cpu, x86_soft_int(cpu, &r, 0x90, true)), ==, EXC_GP);     /* no gate */
    g_assert_cmpint(CATCH(cpu, x86_soft_int(cpu, &r, 0x80, true)), ==, NO_FAULT);
    g_assert_cmphex(cpu->regs[REG_RIP], ==, 0xF000);
    g_assert_cmphex(peek32(&g, (uint32_t)cpu->regs[R_SP]), ==, CODE + 6);
    /* a hardware interrupt without a gate: #GP with EXT, in turn delivered */
    cpu->regs[REG_RIP] = CODE;
    g_assert_cmpint(CATCH(cpu, x86_deliver(cpu, 0x91, false, 0, DELIVER_HW)), ==, EXC_GP);
    g_assert_cmphex(cpu->exc.err, ==, 0x91 * 8 + 3);
    x86_deliver_raised(cpu);
    g_assert_cmphex(cpu->regs[REG_RIP], ==, 0xD000);
    g_assert_cmphex(peek32(&g, (uint32_t)cpu->regs[R_SP]), ==, 0x91 * 8 + 3);
    /* trap gate leaves IF */
    cpu->eflags |= FL_IF;
    g_assert_cmpint(take(&g, EXC_UD, 0), ==, EXC_UD);
    g_assert_cmphex(cpu->eflags & FL_IF, ==, FL_IF);
    rig_free(&g);
}

static void test_double(void)
{
    struct rig g;
    struct x86_cpu *cpu;

    setup(&g, "max");
    cpu = g.cpu;
    idt(&g, EXC_DF, gate(S_CODE0, 0xDF00, 0x8E, 0));
    g_assert_cmpint(take(&g, EXC_GP, 0), ==, EXC_DF);       /* #GP, its gate is missing: #GP again: #DF */
    g_assert_cmphex(cpu->regs[REG_RIP], ==, 0xDF00);
    g_assert_cmphex(peek32(&g, (uint32_t)cpu->regs[R_SP]), ==, 0);
    g_assert_cmphex(peek32(&g, (uint32_t)cpu->regs[R_SP] + 4), ==, CODE);
    idt(&g, EXC_GP, gate(S_CODE0, 0xD000, 0x8E, 0));
    cpu->regs[REG_RIP] = CODE;
    g_assert_cmpint(take(&g, EXC_UD, 0), ==, EXC_GP);       /* #UD is benign: just #GP for its missing gate */
    g_assert_cmphex(peek32(&g, (uint32_t)cpu->regs[R_SP]), ==, EXC_UD * 8 + 3);
    idt(&g, EXC_GP, 0);
    idt(&g, EXC_DF, 0);
    g_assert_cmpint(take(&g, EXC_PF, 0), ==, -2);           /* triple */
    g_assert_true(cpu->shutdown);
    rig_free(&g);
}

static void test_real(void)
{
    struct rig g;
    struct x86_cpu *cpu;

    rig_new(&g, "qemu64");
    cpu = g.cpu;
    poke32(&g, 0x21 * 4, 0x12345678);
    seg_load(cpu, SEG_SS, 0x900);
    g_assert_cmphex(cpu->seg[SEG_SS].base, ==, 0x9000);
    g_assert_cmpint(CATCH(cpu, x86_far_jmp(cpu, 0x1000, 0x10, 1, 0)), ==, NO_FAULT);
    cpu->regs[R_SP] = 0xFFFF0100;
    flags_set(cpu, FL_IF | FL_ZF | FL_1);
    g_assert_cmpint(CATCH(cpu, x86_deliver(cpu, 0x21, false, 0, DELIVER_HW)), ==, NO_FAULT);
    g_assert_cmphex(cpu->regs[R_SP], ==, 0xFFFF00FA);       /* SP only */
    g_assert_cmphex(cpu->seg[SEG_CS].base, ==, 0x12340);
    g_assert_cmphex(cpu->regs[REG_RIP], ==, 0x5678);
    g_assert_cmphex(peek64(&g, 0x90FA) & 0xFFFFFFFFFFFF, ==, 0x024210000010);
    g_assert_cmphex(cpu->eflags & FL_IF, ==, 0);
    g_assert_cmpint(CATCH(cpu, x86_iret(cpu, 1, 0)), ==, NO_FAULT);
    g_assert_cmphex(cpu->regs[REG_RIP], ==, 0x10);
    g_assert_cmphex(flags_get(cpu), ==, FL_IF | FL_ZF | FL_1);
    rig_free(&g);
}

static void test_vm86(void)
{
    struct rig g;
    struct x86_cpu *cpu;
    struct x86_rec r = { .len = 2, .size = 1 };

    setup(&g, "max");
    cpu = g.cpu;
    idt(&g, EXC_GP, gate(S_CODE0, 0xD000, 0x8E, 0));
    cpu->regs[R_SP] = STACK - 36;
    static const uint32_t frame[] = { 0x100, 0x1000, FL_VM | FL_IF | FL_1, 0x200, 0x900, 0x11, 0x22, 0x33, 0x44 };
    memcpy(g.ram->host + STACK - 36, frame, sizeof(frame));
    g_assert_cmpint(CATCH(cpu, x86_iret(cpu, 2, 0)), ==, NO_FAULT);
    g_assert_cmphex(cpu->mode & (MODE_VM | MODE_USER), ==, MODE_VM | MODE_USER);
    g_assert_cmphex(cpu->seg[SEG_CS].base, ==, 0x10000);
    g_assert_cmphex(cpu->seg[SEG_GS].sel, ==, 0x44);
    /* IOPL 0: INT n is #GP(0) */
    g_assert_cmpint(CATCH(cpu, x86_soft_int(cpu, &r, 0x21, true)), ==, EXC_GP);
    g_assert_cmphex(cpu->exc.err, ==, 0);
    x86_deliver_raised(cpu);
    g_assert_cmphex(cpu->regs[REG_RIP], ==, 0xD000);
    g_assert_cmphex(cpu->mode & MODE_VM, ==, 0);
    g_assert_cmphex(cpu->seg[SEG_GS].attr, ==, 0);
    g_assert_cmphex(peek32(&g, STACK0 - 4), ==, 0x44);      /* GS, FS, DS, ES, SS, ESP, ... */
    g_assert_cmphex(peek32(&g, STACK0 - 16), ==, 0x11);
    g_assert_cmphex(peek32(&g, STACK0 - 24), ==, 0x200);
    g_assert_cmphex(peek32(&g, STACK0 - 28) & FL_VM, ==, FL_VM);
    cpu->regs[R_SP] += 4;
    g_assert_cmpint(CATCH(cpu, x86_iret(cpu, 2, 0)), ==, NO_FAULT);
    g_assert_cmphex(cpu->regs[R_SP], ==, 0x200);
    g_assert_cmphex(cpu->regs[REG_RIP], ==, 0x100);
    /* CR4.VME and a clear redirection bit: through the real-mode table, with VIF for IF */
    cpu->cr4 |= CR4_VME;
    poke32(&g, TSS + 100, 0x88u << 16);
    poke32(&g, 0x21 * 4, 0x20000300);
    g_assert_cmpint(CATCH(cpu, x86_soft_int(cpu, &r, 0x21, true)), ==, NO_FAULT);
    g_assert_cmphex(cpu->seg[SEG_CS].sel, ==, 0x2000);
    g_assert_cmphex(cpu->regs[REG_RIP], ==, 0x300);
    g_assert_cmphex(peek32(&g, 0x91FA + 4) & 0xFFFF, ==, FL_IOPL | FL_1);
    rig_free(&g);
}

static void test_deliver_long(void)
{
    struct rig g;
    struct x86_cpu *cpu;

    setup(&g, "max");
    cpu = g.cpu;
    to_long(&g);
    poke64(&g, TSS + 4, STACK0 + 8);            /* RSP0, not aligned */
    poke64(&g, TSS + 36, 0xB000);               /* IST1 */
    poke64(&g, IDT + 16 * EXC_PF, gate(S_CODE64, 0xD000, 0x8E, 0));
    poke64(&g, IDT + 16 * EXC_PF + 8, 0);
    poke64(&g, IDT + 16 * EXC_DF, gate(S_CODE64, 0xDF00, 0x8E, 1));
    poke64(&g, IDT + 16 * EXC_DF + 8, 0);
    poke64(&g, IDT + 16 * EXC_UD, gate(S_CODE0, 0xD000, 0x8E, 0));      /* 32-bit handler: refused */
    rig_flat(&g, 3);
    cpu->seg[SEG_CS].sel = S_CODE64_3 | 3;
    cpu->seg[SEG_SS].sel = S_DATA3 | 3;
    cpu->regs[R_SP] = 0x123456789;
    cpu->regs[REG_RIP] = 0x11223344;
    flags_set(cpu, FL_IF | FL_1);
    g_assert_cmpint(take(&g, EXC_PF, 6), ==, EXC_PF);
    g_assert_cmphex(cpu->regs[R_SP], ==, STACK0 - 48);
    g_assert_cmphex(peek64(&g, STACK0 - 48), ==, 6);
    g_assert_cmphex(peek64(&g, STACK0 - 40), ==, 0x11223344);
    g_assert_cmphex(peek64(&g, STACK0 - 16), ==, 0x123456789);
    g_assert_cmphex(peek64(&g, STACK0 - 8), ==, S_DATA3 | 3);
    g_assert_cmphex(cpu->seg[SEG_SS].sel, ==, 0);
    g_assert_cmphex(cpu->cr2, ==, 0x1234);
    g_assert_cmphex(cpu->mode & (MODE_64 | MODE_USER), ==, MODE_64);
    cpu->regs[R_SP] += 8;
    g_assert_cmpint(CATCH(cpu, x86_iret(cpu, 3, 0)), ==, NO_FAULT);
    g_assert_cmphex(cpu->regs[R_SP], ==, 0x123456789);
    g_assert_cmpuint(cpu->cpl, ==, 3);
    /* IRET to a non-canonical RIP */
    rig_flat(&g, 0);
    cpu->regs[R_SP] = STACK;
    poke64(&g, STACK, 0x800000000000);
    poke64(&g, STACK + 8, S_CODE64);
    poke64(&g, STACK + 16, FL_1);
    poke64(&g, STACK + 24, STACK);
    poke64(&g, STACK + 32, 0);
    g_assert_cmpint(CATCH(cpu, x86_iret(cpu, 3, 0)), ==, EXC_GP);
    g_assert_cmphex(cpu->exc.err, ==, 0);
    poke64(&g, STACK, CODE);
    g_assert_cmpint(CATCH(cpu, x86_iret(cpu, 3, 0)), ==, NO_FAULT);     /* null SS at CPL 0 */
    /* #UD cannot be delivered: #GP(CS) + missing gate = #DF on its own stack */
    cpu->regs[REG_RIP] = CODE;
    g_assert_cmpint(take(&g, EXC_UD, 0), ==, EXC_DF);
    g_assert_cmphex(cpu->regs[R_SP], ==, 0xB000 - 48);
    g_assert_cmphex(cpu->regs[REG_RIP], ==, 0xDF00);
    /* to compatibility mode and back by far jumps */
    rig_flat(&g, 0);
    g_assert_cmpint(CATCH(cpu, x86_far_jmp(cpu, S_CODE0, CODE, 2, 0)), ==, NO_FAULT);
    g_assert_cmphex(cpu->mode & (MODE_64 | MODE_LMA | MODE_CS32), ==, MODE_LMA | MODE_CS32);
    /* gates are 16 bytes, to 64-bit code */
    g_assert_cmpint(CATCH(cpu, x86_far_jmp(cpu, S_GATE, CODE, 2, 0)), ==, EXC_GP);
    g_assert_cmpint(CATCH(cpu, x86_far_jmp(cpu, S_CODE64, CODE, 2, 0)), ==, NO_FAULT);
    g_assert_cmphex(cpu->mode & MODE_64, ==, MODE_64);
    rig_free(&g);
}

/* --- tasks -------------------------------------------------------------------------------------------------------- */

static void test_tasks(void)
{
    struct rig g;
    struct x86_cpu *cpu;

    setup(&g, "max");
    cpu = g.cpu;
    /* from offset 28: CR3 EIP EFLAGS EAX ECX EDX EBX ESP EBP ESI EDI ES CS SS DS FS GS LDT */
    static const uint32_t t[] = {
        0, 0x20000, FL_1 | FL_CF, 1, 2, 3, 4, 0xC000, 6, 7, 8, S_DATA0, S_CODE0, S_DATA0, S_RO, 0, 0, S_LDT,
    };
    memcpy(g.ram->host + TSS2 + 28, t, sizeof(t));
    cpu->regs[R_AX] = 0xAAAA;
    g_assert_cmpint(CATCH(cpu, x86_far_call(cpu, S_TASK, 0, 2, 0x777)), ==, NO_FAULT);
    g_assert_cmphex(cpu->regs[REG_RIP], ==, 0x20000);
    g_assert_cmphex(cpu->regs[R_SP], ==, 0xC000);
    g_assert_cmphex(cpu->regs[R_DI], ==, 8);
    g_assert_cmphex(cpu->seg[SEG_DS].sel, ==, S_RO);
    g_assert_cmphex(cpu->seg[SEG_TR].sel, ==, S_TSS2);
    g_assert_cmphex(flags_get(cpu), ==, FL_1 | FL_CF | FL_NT);
    g_assert_cmphex(cpu->cr0 & CR0_TS, ==, CR0_TS);
    g_assert_cmphex(peek32(&g, TSS2), ==, S_TSS);           /* back link */
    g_assert_cmphex(peek32(&g, TSS + 32), ==, 0x777);
    g_assert_cmphex(peek32(&g, TSS + 40), ==, 0xAAAA);
    g_assert_cmphex(peek64(&g, GDT + S_TSS) >> 40 & 15, ==, 11);
    g_assert_cmphex(peek64(&g, GDT + S_TSS2) >> 40 & 15, ==, 11);
    g_assert_cmpint(CATCH(cpu, x86_far_jmp(cpu, S_TASK, 0, 2, 0)), ==, EXC_GP);     /* busy: not re-entrant */
    g_assert_cmpint(CATCH(cpu, x86_iret(cpu, 2, 0x888)), ==, NO_FAULT);
    g_assert_cmphex(cpu->regs[REG_RIP], ==, 0x777);
    g_assert_cmphex(cpu->regs[R_AX], ==, 0xAAAA);
    g_assert_cmphex(cpu->seg[SEG_TR].sel, ==, S_TSS);
    g_assert_cmphex(peek32(&g, TSS2 + 32), ==, 0x888);
    g_assert_cmphex(peek64(&g, GDT + S_TSS2) >> 40 & 15, ==, 9);
    /* an exception through a task gate, with its error code */
    idt(&g, EXC_GP, gate(S_TSS2, 0, 0x85, 0));
    poke32(&g, TSS2 + 36, FL_1);
    g_assert_cmpint(take(&g, EXC_GP, 0x40), ==, EXC_GP);
    g_assert_cmphex(cpu->seg[SEG_TR].sel, ==, S_TSS2);
    g_assert_cmphex(peek32(&g, (uint32_t)cpu->regs[R_SP]), ==, 0x40);
    rig_free(&g);
}

/* --- I/O rights --------------------------------------------------------------------------------------------------- */

static void test_io_bitmap(void)
{
    struct rig g;
    struct x86_cpu *cpu;

    setup(&g, "max");
    cpu = g.cpu;
    poke32(&g, TSS + 100, 0x68u << 16);
    memset(g.ram->host + TSS + 0x68, 0, 0x100);
    g.ram->host[TSS + 0x68 + 1] = 0x01;     /* port 8 */
    rig_flat(&g, 3);
    g_assert_cmpint(CATCH(cpu, x86_io_check(cpu, NULL, 7, 1)), ==, NO_FAULT);
    g_assert_cmpint(CATCH(cpu, x86_io_check(cpu, NULL, 7, 2)), ==, EXC_GP);
    g_assert_cmpint(CATCH(cpu, x86_io_check(cpu, NULL, 8, 1)), ==, EXC_GP);
    g_assert_cmpint(CATCH(cpu, x86_io_check(cpu, NULL, 0x3CB7, 1)), ==, NO_FAULT);
    /* second byte beyond the limit 0x7FF */
    g_assert_cmpint(CATCH(cpu, x86_io_check(cpu, NULL, 0x3CB8, 1)), ==, EXC_GP);
    cpu->eflags |= FL_IOPL;
    g_assert_cmpint(CATCH(cpu, x86_io_check(cpu, NULL, 8, 1)), ==, NO_FAULT);
    rig_free(&g);
}

/* --- CPUID, MSRs, control registers ------------------------------------------------------------------------------- */

static void test_cpuid(void)
{
    static const char *const models[] = { "qemu64", "kvm64", "qemu32", "max", "Nehalem", "Westmere",
                                          "SandyBridge,enforce=off",
                                          "IvyBridge", "Haswell", "Broadwell", "Skylake-Client", "EPYC" };

    for (unsigned i = 0; i < ARRAY_LEN(models); i++) {
        struct rig g;
        struct x86_cpuid_regs r, r0;

        rig_new(&g, models[i]);
        r0 = x86_cpuid(g.cpu, 0, 0);
        g_assert_cmpuint(r0.eax, >=, 3);
        r = x86_cpuid(g.cpu, 1, 0);
        g_assert_cmphex(r.edx & 1, ==, 1);
        g_assert_cmphex(r.ecx >> 31, ==, 1);
        g_assert_cmphex(r.ecx >> 27 & 1, ==, 0);
        g_assert_cmphex(r.ecx >> 28 & 1, <=, r.ecx >> 26 & 1);      /* AVX needs XSAVE */
        if (r.ecx >> 26 & 1) {
            struct x86_cpuid_regs d = x86_cpuid(g.cpu, 0xD, 0);

            g_assert_cmphex(d.eax, ==, x86_xcr0_valid(g.cpu->feat));
            g_assert_cmphex(d.ecx, ==, x86_xsave_size(d.eax));
            g.cpu->cr0 |= CR0_PE;
            g_assert_cmpint(CATCH(g.cpu, x86_cr4_write(g.cpu, CR4_OSXSAVE)), ==, NO_FAULT);
            g_assert_cmphex(x86_cpuid(g.cpu, 1, 0).ecx >> 27 & 1, ==, 1);
        } else {
            g_assert_cmpint(CATCH(g.cpu, x86_cr4_write(g.cpu, CR4_OSXSAVE)), ==, EXC_GP);
        }
        if (!memcmp(&r0.ebx, "Genu", 4) && r0.eax >= 0x15) {
            r = x86_cpuid(g.cpu, 0x15, 0);
            g_assert_cmpuint((uint64_t)r.ecx * r.ebx / r.eax, ==, X86_TSC_HZ);
        }
        g_assert_cmphex(x86_cpuid(g.cpu, 0x40000000, 0).eax, ==, 0x40000010);
        rig_free(&g);
    }
}

static void test_features(void)
{
    Error *err = NULL;
    struct x86_features *f = x86_features_parse("qemu64,+sse4.2,-apic,xd=off,tsc_adjust=on", NULL);

    g_assert_nonnull(f);
    g_assert_false(x86_feat(f, X86_FEAT_SSE4_2));       /* its base, SSE4.1, is missing */
    g_assert_false(x86_feat(f, X86_FEAT_APIC));
    g_assert_false(x86_feat(f, X86_FEAT_NX));
    g_assert_true(x86_feat(f, X86_FEAT_TSC_ADJUST));
    g_assert_cmpuint(f->level, >=, 7);
    x86_features_free(f);
    g_assert_null(x86_features_parse("qemu65", &err));
    g_assert_nonnull(strstr(error_text(err), "qemu65"));
    g_clear_pointer(&err, error_free);
    g_assert_null(x86_features_parse("max,+nonsense", &err));
    g_assert_nonnull(strstr(error_text(err), "nonsense"));
    g_clear_pointer(&err, error_free);
    g_assert_null(x86_features_parse("max,family=999", &err));
    g_clear_pointer(&err, error_free);
    g_assert_null(x86_features_parse("Haswell,+svm,enforce", &err));
    g_assert_nonnull(strstr(error_text(err), "svm"));
    g_clear_pointer(&err, error_free);
    g_autofree char *help = x86_features_help();
    g_assert_nonnull(strstr(help, "qemu64"));
    g_assert_nonnull(strstr(help, " pcid"));
}

static void test_msr(void)
{
    struct rig g;
    struct x86_cpu *cpu;
    uint64_t v;

    rig_new(&g, "max");
    cpu = g.cpu;
    g_assert_true(x86_wrmsr(cpu, 0xC0000082, 0xFFFF800000001000));
    g_assert_true(x86_rdmsr(cpu, 0xC0000082, &v));
    g_assert_cmphex(v, ==, 0xFFFF800000001000);
    g_assert_false(x86_wrmsr(cpu, 0xC0000082, 0x0000800000001000));     /* not canonical */
    g_assert_false(x86_wrmsr(cpu, 0x277, 2));                           /* PAT type 2 */
    g_assert_true(x86_wrmsr(cpu, 0x277, 0x0606060606060601));
    g_assert_false(x86_wrmsr(cpu, 0xC0000080, 1 << 2));                 /* EFER reserved */
    g_assert_false(x86_rdmsr(cpu, 0x12345678, &v));
    g_assert_true(x86_wrmsr(cpu, 0x10, 1000000000000));
    g_assert_true(x86_rdmsr(cpu, 0x10, &v));
    g_assert_cmpuint(v - 1000000000000, <, 60000000000);
    g_assert_true(x86_rdmsr(cpu, 0x3B, &v));
    g_assert_cmpuint(v, !=, 0);
    g_assert_true(x86_wrmsr(cpu, 0x3B, 0));
    g_assert_true(x86_rdmsr(cpu, 0x10, &v));
    g_assert_cmpuint(v, <, 60000000000);
    g_assert_true(x86_rdmsr(cpu, 0x1B, &v));
    g_assert_cmphex(v, ==, 0xFEE00900);
    g_assert_true(x86_random(cpu) != x86_random(cpu));
    rig_free(&g);
}

static void test_reset(void)
{
    struct rig g;

    rig_new(&g, "qemu64");
    x86_cpu_nmi(g.cpu);
    x86_cpu_set_intr(g.cpu, true);
    x86_cpu_wrote_ram(g.cpu, g.ram, 0, 16);
    g.cpu->halted = true;
    x86_cpu_reset(g.cpu);
    g_assert_cmphex(g.cpu->pending, ==, PEND_INTR | PEND_CODE);     /* the wire, and what the loader wrote */
    g_assert_false(x86_cpu_halted(g.cpu));
    g_assert_cmphex(g.cpu->regs[R_DX], ==, 0x60FB1);                /* family 15, model 107, stepping 1 */
    g_assert_cmphex(g.cpu->cr0, ==, 0x60000010);
    rig_free(&g);
}

static void test_topology(void)
{
    struct rig g;

    rig_new(&g, "max");
    x86_cpu_set_topology(g.cpu, 2, 3);
    g_assert_cmphex(x86_cpuid(g.cpu, 1, 0).ebx >> 16, ==, 0x0203);
    g_assert_cmphex(x86_cpuid(g.cpu, 0xB, 1).eax, ==, 2);
    g_assert_cmphex(x86_cpuid(g.cpu, 0xB, 1).ebx, ==, 3);
    g_assert_cmphex(x86_cpuid(g.cpu, 0xB, 0).edx, ==, 2);
    g_assert_cmphex(x86_cpuid(g.cpu, 0x80000008, 0).ecx, ==, 0x2002);
    /* INIT and start-up IPI in quick succession, as Linux sends them */
    x86_cpu_reset(g.cpu);
    g_assert_cmpint(x86_cpu_run(g.cpu), ==, X86_EXIT_HALT);
    g_assert_true(x86_cpu_halted(g.cpu) && !x86_cpu_has_work(g.cpu));
    g.ram->host[0x9000] = 0xF4;
    x86_cpu_init(g.cpu);
    x86_cpu_sipi(g.cpu, 9);
    g_assert_true(x86_cpu_has_work(g.cpu));
    g_assert_cmpint(x86_cpu_run(g.cpu), ==, X86_EXIT_HALT);
    if (g.cpu->wait_sipi) {
        g_assert_cmpint(x86_cpu_run(g.cpu), ==, X86_EXIT_HALT);
    }
    g_assert_cmphex(x86_cpu_pc(g.cpu), ==, 0x9001);
    rig_free(&g);
}

static void test_control(void)
{
    struct rig g;
    struct x86_cpu *cpu;

    rig_new(&g, "qemu64");
    cpu = g.cpu;
    g_assert_cmpint(CATCH(cpu, x86_cr0_write(cpu, CR0_PG)), ==, EXC_GP);
    g_assert_cmpint(CATCH(cpu, x86_cr0_write(cpu, CR0_NW)), ==, EXC_GP);
    g_assert_cmpint(CATCH(cpu, x86_cr0_write(cpu, 1ULL << 32)), ==, EXC_GP);
    g_assert_cmpint(CATCH(cpu, x86_cr4_write(cpu, CR4_SMEP)), ==, EXC_GP);      /* not offered */
    g_assert_cmpint(CATCH(cpu, x86_cr4_write(cpu, CR4_PCIDE)), ==, EXC_GP);
    cpu->efer = EFER_LME;
    g_assert_cmpint(CATCH(cpu, x86_cr0_write(cpu, CR0_PG | CR0_PE)), ==, EXC_GP);       /* LME without PAE */
    g_assert_cmpint(CATCH(cpu, x86_cr4_write(cpu, CR4_PAE)), ==, NO_FAULT);
    g_assert_cmpint(CATCH(cpu, x86_cr0_write(cpu, CR0_PG | CR0_PE)), ==, NO_FAULT);
    g_assert_cmphex(cpu->efer, ==, EFER_LME | EFER_LMA);
    g_assert_cmpint(CATCH(cpu, x86_cr4_write(cpu, 0)), ==, EXC_GP);
    g_assert_false(x86_efer_write(cpu, 0));
    g_assert_cmpint(CATCH(cpu, x86_cr3_write(cpu, 1ULL << 45)), ==, EXC_GP);
    g_assert_cmpint(CATCH(cpu, x86_cr0_write(cpu, CR0_PE)), ==, NO_FAULT);
    g_assert_cmphex(cpu->efer, ==, EFER_LME);
    rig_free(&g);
}

static void test_monitor(void)
{
    struct rig g;
    g_autoptr(GString) s = g_string_new(NULL);
    uint64_t v;

    setup(&g, "max");
    to_long(&g);
    x86_cpu_print_regs(g.cpu, s);
    g_assert_nonnull(strstr(s->str, "RIP=0000000000010000"));
    g_assert_nonnull(strstr(s->str, "CR3=0000000000100000"));
    g_assert_true(x86_cpu_reg(g.cpu, "rsp", &v));
    g_assert_cmphex(v, ==, STACK);
    g_assert_true(x86_cpu_reg(g.cpu, "esp", &v) && x86_cpu_reg(g.cpu, "r8", &v));
    g_assert_false(x86_cpu_reg(g.cpu, "r99", &v));
    g_string_truncate(s, 0);
    x86_cpu_print_mem(g.cpu, s);
    g_assert_cmpstr(s->str, ==, "0000000000000000-0000000001000000 0000000001000000 urw\n");
    g_assert_true(x86_cpu_debug_read(g.cpu, GDT + S_CODE0, &v, 8));
    g_assert_false(x86_cpu_debug_read(g.cpu, 0x40000000, &v, 8));
    /* a hostile guest: every entry of the top table is the table itself */
    for (unsigned i = 0; i < 512; i++) {
        poke64(&g, 0x100000 + 8 * i, 0x100007);
    }
    x86_cpu_print_mem(g.cpu, s);
    g_assert_nonnull(strstr(s->str, "more page tables"));
    rig_free(&g);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/seg/loads", test_loads);
    g_test_add_func("/seg/limits", test_limits);
    g_test_add_func("/seg/far", test_far);
    g_test_add_func("/seg/deliver/protected", test_deliver_prot);
    g_test_add_func("/seg/deliver/double", test_double);
    g_test_add_func("/seg/deliver/real", test_real);
    g_test_add_func("/seg/deliver/vm86", test_vm86);
    g_test_add_func("/seg/deliver/long", test_deliver_long);
    g_test_add_func("/seg/tasks", test_tasks);
    g_test_add_func("/seg/io-bitmap", test_io_bitmap);
    g_test_add_func("/cpu/cpuid", test_cpuid);
    g_test_add_func("/cpu/features", test_features);
    g_test_add_func("/cpu/msr", test_msr);
    g_test_add_func("/cpu/reset", test_reset);
    g_test_add_func("/cpu/topology", test_topology);
    g_test_add_func("/cpu/control", test_control);
    g_test_add_func("/cpu/monitor", test_monitor);
    return g_test_run();
}
