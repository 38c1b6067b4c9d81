/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/seg.c - descriptors, segment registers, segmented addresses
 *
 * A null selector leaves attr 0, so "present" is also "usable". In real-address mode a load changes selector and base
 * only: limit and rights stay, which is what "unreal" mode lives on.
 */
#include "target/x86/access.h"
#include "target/x86/excp.h"
#include "target/x86/seg.h"

static void __attribute__((noreturn)) gp(struct x86_cpu *cpu, uint32_t err)
{
    x86_raise_err(cpu, NULL, EXC_GP, err & 0xFFFC);
}

/* --- addresses ---------------------------------------------------------------------------------------------------- */

/* Is [ea, ea + len) inside the limit? */
static bool limit_ok(const struct x86_seg *s, uint32_t ea, unsigned len)
{
    uint64_t last = (uint64_t)ea + len - 1;

    if ((s->attr & (SEGA_S | SEGA_CODE | SEGA_CONF_EXPDOWN)) == (SEGA_S | SEGA_CONF_EXPDOWN)) {
        return ea > s->limit && last <= (s->attr & SEGA_DB ? 0xFFFFFFFF : 0xFFFF);
    }
    return last <= s->limit || s->limit == 0xFFFFFFFF;
}

static bool type_ok(const struct x86_seg *s, bool write)
{
    if (!(s->attr & SEGA_P)) {
        return false;
    }
    return write ? (s->attr & (SEGA_CODE | SEGA_RW)) == SEGA_RW : (s->attr & (SEGA_CODE | SEGA_RW)) != SEGA_CODE;
}

uint64_t seg_linear(struct x86_cpu *cpu, const struct x86_rec *r, unsigned seg, uint64_t ea, unsigned len, bool write)
{
    const struct x86_seg *s = &cpu->seg[seg];

    if (cpu->mode & MODE_64) {
        return seg >= SEG_FS ? s->base + ea : ea;
    }
    if (unlikely(!limit_ok(s, (uint32_t)ea, len) || (!seg_is_real(cpu) && !type_ok(s, write)))) {
        x86_raise_err(cpu, r, seg == SEG_SS ? EXC_SS : EXC_GP, 0);
    }
    return (uint32_t)(s->base + ea);
}

/* --- descriptors -------------------------------------------------------------------------------------------------- */

bool desc_read(struct x86_cpu *cpu, uint16_t sel, struct x86_desc *d)
{
    uint64_t base = cpu->gdt.base, v;
    uint32_t limit = cpu->gdt.limit;

    if (!(sel & ~3)) {
        return false;
    }
    if (sel & 4) {
        if (!cpu->seg[SEG_LDT].attr) {
            return false;
        }
        base = cpu->seg[SEG_LDT].base;
        limit = cpu->seg[SEG_LDT].limit;
    }
    if ((sel & ~7u) + 7 > limit) {
        return false;
    }
    d->la = base + (sel & ~7u);
    v = sys_ld(cpu, d->la, 8);
    d->lo = (uint32_t)v;
    d->hi = (uint32_t)(v >> 32);
    d->base_hi = 0;
    return true;
}

void desc_read16(struct x86_cpu *cpu, uint16_t sel, struct x86_desc *d)
{
    uint32_t limit = sel & 4 ? cpu->seg[SEG_LDT].limit : cpu->gdt.limit;
    uint64_t v;

    if ((sel & ~7u) + 15 > limit) {
        gp(cpu, sel);
    }
    v = sys_ld(cpu, d->la + 8, 8);
    if (v >> 40 & 0x1F) {
        gp(cpu, sel);
    }
    d->base_hi = (uint32_t)v;
}

void desc_accessed(struct x86_cpu *cpu, struct x86_desc *d)
{
    if (!(d->hi & 1 << 8)) {
        d->hi |= 1 << 8;
        sys_st(cpu, d->la + 5, d->hi >> 8 & 0xFF, 1);
    }
}

void seg_set(struct x86_cpu *cpu, unsigned seg, uint16_t sel, const struct x86_desc *d)
{
    cpu->seg[seg] = (struct x86_seg){
        .base = desc_base(d) | (uint64_t)d->base_hi << 32,
        .limit = desc_limit(d),
        .sel = sel,
        .attr = d->hi >> 8 & 0xF0FF,
    };
}

void seg_set_null(struct x86_cpu *cpu, unsigned seg, uint16_t sel)
{
    cpu->seg[seg] = (struct x86_seg){ .sel = sel };
}

void seg_set_real(struct x86_cpu *cpu, unsigned seg, uint16_t sel)
{
    struct x86_seg *s = &cpu->seg[seg];

    if (cpu->eflags & FL_VM) {
        seg_set_vm86(cpu, seg, sel);
        return;
    }
    s->sel = sel;
    s->base = (uint32_t)sel << 4;
    if (seg == SEG_CS) {
        s->attr = SEGA_P | SEGA_S | SEGA_RW | SEGA_ACCESSED;    /* written through CS, as data */
    }
}

void seg_set_vm86(struct x86_cpu *cpu, unsigned seg, uint16_t sel)
{
    cpu->seg[seg] = (struct x86_seg){
        .base = (uint32_t)sel << 4, .limit = 0xFFFF, .sel = sel,
        .attr = SEGA_P | SEGA_DPL | SEGA_S | SEGA_RW | SEGA_ACCESSED,
    };
}

/* --- loads -------------------------------------------------------------------------------------------------------- */

static void load_ss(struct x86_cpu *cpu, uint16_t sel)
{
    struct x86_desc d;

    if (!(sel & ~3)) {
        if (!(cpu->mode & MODE_64) || cpu->cpl == 3 || (sel & 3) != cpu->cpl) {
            gp(cpu, 0);
        }
        seg_set_null(cpu, SEG_SS, sel);
        return;
    }
    if (!desc_read(cpu, sel, &d) || (sel & 3) != cpu->cpl || !desc_is_data_rw(&d) || desc_dpl(&d) != cpu->cpl) {
        gp(cpu, sel);
    }
    if (!desc_p(&d)) {
        x86_raise_err(cpu, NULL, EXC_SS, sel & 0xFFFC);
    }
    desc_accessed(cpu, &d);
    seg_set(cpu, SEG_SS, sel, &d);
}

void seg_load(struct x86_cpu *cpu, unsigned seg, uint16_t sel)
{
    struct x86_desc d;

    if (seg_is_real(cpu)) {
        seg_set_real(cpu, seg, sel);
        return;
    }
    if (seg == SEG_SS) {
        load_ss(cpu, sel);
        return;
    }
    if (!(sel & ~3)) {
        seg_set_null(cpu, seg, sel);
        return;
    }
    if (!desc_read(cpu, sel, &d) || !desc_s(&d) || (desc_type(&d) & 10) == 8) {
        gp(cpu, sel);
    }
    if (!desc_is_conforming(&d) && ((sel & 3u) > desc_dpl(&d) || cpu->cpl > desc_dpl(&d))) {
        gp(cpu, sel);
    }
    if (!desc_p(&d)) {
        x86_raise_err(cpu, NULL, EXC_NP, sel & 0xFFFC);
    }
    desc_accessed(cpu, &d);
    seg_set(cpu, seg, sel, &d);
}

void seg_load_ldt(struct x86_cpu *cpu, uint16_t sel)
{
    struct x86_desc d;

    if (!(sel & ~3)) {
        seg_set_null(cpu, SEG_LDT, sel);
        return;
    }
    if ((sel & 4) || !desc_read(cpu, sel, &d) || desc_s(&d) || desc_type(&d) != SYS_LDT) {
        gp(cpu, sel);
    }
    if (cpu->mode & MODE_LMA) {
        desc_read16(cpu, sel, &d);
    }
    if (!desc_p(&d)) {
        x86_raise_err(cpu, NULL, EXC_NP, sel & 0xFFFC);
    }
    if ((cpu->mode & MODE_LMA) && !x86_canonical(desc_base(&d) | (uint64_t)d.base_hi << 32)) {
        gp(cpu, sel);
    }
    seg_set(cpu, SEG_LDT, sel, &d);
}

void seg_load_tr(struct x86_cpu *cpu, uint16_t sel)
{
    struct x86_desc d;
    unsigned type;

    if (!(sel & ~3)) {
        gp(cpu, 0);
    }
    if ((sel & 4) || !desc_read(cpu, sel, &d)) {
        gp(cpu, sel);
    }
    type = desc_type(&d);
    if (desc_s(&d) || (type != SYS_TSS && (type != SYS_TSS16 || (cpu->mode & MODE_LMA)))) {
        gp(cpu, sel);
    }
    if (cpu->mode & MODE_LMA) {
        desc_read16(cpu, sel, &d);
    }
    if (!desc_p(&d)) {
        x86_raise_err(cpu, NULL, EXC_NP, sel & 0xFFFC);
    }
    if ((cpu->mode & MODE_LMA) && !x86_canonical(desc_base(&d) | (uint64_t)d.base_hi << 32)) {
        gp(cpu, sel);
    }
    d.hi |= 2 << 8;
    sys_st(cpu, d.la + 5, d.hi >> 8 & 0xFF, 1);
    seg_set(cpu, SEG_TR, sel, &d);
}

/*
 * A 64-bit offset with a 32-bit code segment (REX.W far transfers to compatibility mode): the upper half does not count
 */
void seg_check_ip(struct x86_cpu *cpu, const struct x86_desc *d, uint64_t ip)
{
    bool ok = (cpu->mode & MODE_LMA) && desc_l(d) ? x86_canonical(ip) : (uint32_t)ip <= desc_limit(d);

    if (!ok) {
        gp(cpu, 0);
    }
}

void seg_drop_data(struct x86_cpu *cpu, unsigned cpl)
{
    static const uint8_t data[] = { SEG_ES, SEG_DS, SEG_FS, SEG_GS };

    for (unsigned i = 0; i < ARRAY_LEN(data); i++) {
        struct x86_seg *s = &cpu->seg[data[i]];
        bool conforming = (s->attr & (SEGA_CODE | SEGA_CONF_EXPDOWN)) == (SEGA_CODE | SEGA_CONF_EXPDOWN);

        if (s->attr && !conforming && (unsigned)(s->attr & SEGA_DPL) >> 5 < cpl) {
            seg_set_null(cpu, data[i], 0);
        }
    }
}

/* --- stacks ------------------------------------------------------------------------------------------------------- */

static unsigned stack_bank(const struct x86_cpu *cpu, unsigned cpl)
{
    if (cpl == 3) {
        return TLB_USER;
    }
    return cpu->cpl < 3 ? (unsigned)((cpu->tlb - &cpu->tlb_bank[0][0]) / TLB_SIZE) : TLB_KERNEL;
}

void stack_init_new(struct x86_cpu *cpu, struct x86_stack *s, const struct x86_seg *ss, uint64_t sp, unsigned cpl)
{
    s->ss = ss;
    s->mask = !ss ? ~0ULL : ss->attr & SEGA_DB ? 0xFFFFFFFF : 0xFFFF;
    s->sp = sp;
    s->bank = stack_bank(cpu, cpl);
    s->err = ss && cpl != cpu->cpl ? ss->sel & 0xFFFC : 0;
}

void stack_init(struct x86_cpu *cpu, struct x86_stack *s)
{
    stack_init_new(cpu, s, cpu->mode & MODE_64 ? NULL : &cpu->seg[SEG_SS], cpu->regs[R_SP], cpu->cpl);
}

static uint64_t stack_la(struct x86_cpu *cpu, const struct x86_stack *s, unsigned size, bool write)
{
    uint64_t sp = s->sp & s->mask;

    if (!s->ss) {
        if (!x86_canonical(sp) || !x86_canonical(sp + size - 1)) {
            x86_raise_err(cpu, NULL, EXC_SS, s->err);
        }
        return sp;
    }
    if (!limit_ok(s->ss, (uint32_t)sp, size) || (!seg_is_real(cpu) && !type_ok(s->ss, write))) {
        x86_raise_err(cpu, NULL, EXC_SS, s->err);
    }
    return (uint32_t)(s->ss->base + sp);
}

void stack_push(struct x86_cpu *cpu, struct x86_stack *s, uint64_t v, unsigned size)
{
    s->sp -= size;
    mmu_st(cpu, cpu->cur, s->bank, stack_la(cpu, s, size, true), v, size);
}

uint64_t stack_pop(struct x86_cpu *cpu, struct x86_stack *s, unsigned size)
{
    uint64_t v = mmu_ld(cpu, cpu->cur, s->bank, stack_la(cpu, s, size, false), size);

    s->sp += size;
    return v;
}

void stack_commit(struct x86_cpu *cpu, const struct x86_stack *s)
{
    if (s->mask == 0xFFFF) {
        cpu->regs[R_SP] = (cpu->regs[R_SP] & ~0xFFFFULL) | (s->sp & 0xFFFF);
    } else {
        cpu->regs[R_SP] = s->sp & s->mask;
    }
}
