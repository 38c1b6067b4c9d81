/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/interp/seg_ops.c - segment registers, descriptor queries, descriptor tables, EFLAGS on the stack
 *
 * MOV SS and POP SS hold off interrupts and debug traps for one instruction.
 */
#include "target/x86/interp/sysops.h"

/* --- segment registers -------------------------------------------------------------------------------------------- */

static const struct x86_rec *seg_loaded(struct x86_cpu *cpu, const struct x86_rec *r, unsigned seg)
{
    x86_mode_update(cpu);
    if (seg == SEG_SS) {
        cpu->shadow = SHADOW_MOVSS;
    }
    return x86_leave(cpu, r);
}

static X86_OP(mov_to_sreg)
{
    uint16_t sel = op_ld16(cpu, r);

    cpu->cur = r;
    seg_load(cpu, r->reg, sel);
    return seg_loaded(cpu, r, r->reg);
}

static X86_OP(mov_from_sreg)
{
    op_st16(cpu, r, cpu->seg[r->reg].sel);
    X86_NEXT;
}

/* A selector is written as 16 bits even where 32 are reserved on the stack, as processors since the Pentium do */
static OUT_OF_LINE void do_push_sreg(struct x86_cpu *cpu, const struct x86_rec *r)
{
    unsigned bytes = 1u << r->size;
    struct x86_stack st;

    cpu->cur = r;
    stack_init(cpu, &st);
    if (bytes == 4) {
        st.sp -= 2;
        stack_push(cpu, &st, cpu->seg[r->reg].sel, 2);
    } else {
        stack_push(cpu, &st, cpu->seg[r->reg].sel, bytes);
    }
    stack_commit(cpu, &st);
}

static X86_OP(push_sreg)
{
    do_push_sreg(cpu, r);
    X86_NEXT;
}

static OUT_OF_LINE void do_pop_sreg(struct x86_cpu *cpu, const struct x86_rec *r)
{
    struct x86_stack st;
    uint16_t sel;

    cpu->cur = r;
    stack_init(cpu, &st);
    sel = (uint16_t)stack_pop(cpu, &st, 1u << r->size);
    seg_load(cpu, r->reg, sel);
    stack_commit(cpu, &st);
}

static X86_OP(pop_sreg)
{
    do_pop_sreg(cpu, r);
    return seg_loaded(cpu, r, r->reg);
}

/* LES, LDS, LSS, LFS, LGS */
static X86_OP(load_far)
{
    static const uint8_t seg_of[] = { SEG_ES, SEG_DS, SEG_SS, SEG_FS, SEG_GS };
    unsigned seg = seg_of[r->op - OP_LES], bytes = 1u << r->size;
    uint64_t la = rec_la(cpu, r, bytes + 2, false);
    uint64_t off = bytes == 2 ? mem_ld16(cpu, r, la) : bytes == 4 ? mem_ld32(cpu, r, la) : mem_ld64(cpu, r, la);
    uint16_t sel = mem_ld16(cpu, r, la + bytes);

    cpu->cur = r;
    seg_load(cpu, seg, sel);
    reg_set(cpu, r->reg, r->size, off);
    x86_mode_update(cpu);
    return x86_leave(cpu, r);
}

/* --- queries ------------------------------------------------------------------------------------------------------ */

static void set_zf(struct x86_cpu *cpu, bool on)
{
    flags_set_arith(cpu, (flags_arith(cpu) & ~(uint32_t)FL_ZF) | (on ? FL_ZF : 0));
}

static void need_prot(struct x86_cpu *cpu, const struct x86_rec *r)
{
    cpu->cur = r;
    if (seg_is_real(cpu)) {
        x86_raise(cpu, r, EXC_UD);
    }
}

/* May a descriptor be looked at from here: privilege, but for conforming code */
static bool visible(const struct x86_cpu *cpu, uint16_t sel, const struct x86_desc *d)
{
    return (desc_is_code(d) && desc_is_conforming(d)) || (cpu->cpl <= desc_dpl(d) && (sel & 3u) <= desc_dpl(d));
}

/* SDM vol. 2A, tables 3-51 and 3-63: system types that LAR and LSL accept, bit n = type n */
enum { LAR_LEGACY = 0x1A3E, LAR_LONG = 0x1A04, LSL_LEGACY = 0x0A0E, LSL_LONG = 0x0A04 };

static bool query(struct x86_cpu *cpu, const struct x86_rec *r, unsigned legacy, unsigned lng, struct x86_desc *d)
{
    uint16_t sel = op_ld16(cpu, r);
    unsigned types = cpu->mode & MODE_LMA ? lng : legacy;

    need_prot(cpu, r);
    return desc_read(cpu, sel, d) && (desc_s(d) || (types >> desc_type(d) & 1)) && visible(cpu, sel, d);
}

static OUT_OF_LINE void do_lar_lsl(struct x86_cpu *cpu, const struct x86_rec *r)
{
    bool lar = r->op == OP_LAR;
    struct x86_desc d;
    bool ok = query(cpu, r, lar ? LAR_LEGACY : LSL_LEGACY, lar ? LAR_LONG : LSL_LONG, &d);

    if (ok) {
        reg_set(cpu, r->reg, r->size, lar ? d.hi & 0x00FFFF00 : desc_limit(&d));
    }
    set_zf(cpu, ok);
}

static X86_OP(lar_lsl)
{
    do_lar_lsl(cpu, r);
    X86_NEXT;
}

static OUT_OF_LINE void do_verify(struct x86_cpu *cpu, const struct x86_rec *r)
{
    struct x86_desc d;
    bool ok = query(cpu, r, 0, 0, &d);

    set_zf(cpu, ok && (r->op == OP_VERR ? (desc_type(&d) & 10) != 8 : desc_is_data_rw(&d)));
}

static X86_OP(verify)
{
    do_verify(cpu, r);
    X86_NEXT;
}

static X86_OP(arpl)
{
    uint16_t src = REG16(r->reg), dst;

    need_prot(cpu, r);
    if (r->flags & REC_MEM) {
        uint64_t la = rec_la(cpu, r, 2, true);

        mem_probe(cpu, r, la, 2, true);
        dst = mem_ld16(cpu, r, la);
        if ((dst & 3) < (src & 3)) {
            mem_st16(cpu, r, la, (uint16_t)((dst & ~3) | (src & 3)));
        }
    } else {
        dst = REG16(r->rm);
        if ((dst & 3) < (src & 3)) {
            REG16(r->rm) = (uint16_t)((dst & ~3) | (src & 3));
        }
    }
    set_zf(cpu, (dst & 3) < (src & 3));
    X86_NEXT;
}

static X86_OP(bound)
{
    unsigned bytes = 1u << r->size;
    uint64_t la = rec_la(cpu, r, 2 * bytes, false);
    int32_t lo, hi, v;

    v = bytes == 2 ? (int16_t)REG16(r->reg) : (int32_t)REG32(r->reg);
    lo = bytes == 2 ? (int16_t)mem_ld16(cpu, r, la) : (int32_t)mem_ld32(cpu, r, la);
    if (v < lo) {               /* the upper bound is not even read then */
        x86_raise(cpu, r, EXC_BR);
    }
    hi = bytes == 2 ? (int16_t)mem_ld16(cpu, r, la + 2) : (int32_t)mem_ld32(cpu, r, la + 4);
    if (v > hi) {
        x86_raise(cpu, r, EXC_BR);
    }
    X86_NEXT;
}

/* --- descriptor tables -------------------------------------------------------------------------------------------- */

static void umip(struct x86_cpu *cpu, const struct x86_rec *r)
{
    cpu->cur = r;
    if ((cpu->cr4 & CR4_UMIP) && cpu->cpl) {
        op_gp0(cpu, r);
    }
}

static OUT_OF_LINE void store_table(struct x86_cpu *cpu, const struct x86_rec *r, uint64_t base, uint32_t limit)
{
    uint8_t buf[10];
    unsigned len = cpu->mode & MODE_64 ? 10 : 6;

    umip(cpu, r);
    memcpy(buf, &limit, 2);
    memcpy(buf + 2, &base, 8);
    mem_st_bytes(cpu, r, rec_la(cpu, r, len, true), buf, len);
}

static X86_OP(sgdt)
{
    store_table(cpu, r, cpu->gdt.base, cpu->gdt.limit);
    X86_NEXT;
}

static X86_OP(sidt)
{
    store_table(cpu, r, cpu->idt.base, cpu->idt.limit);
    X86_NEXT;
}

static void load_table(struct x86_cpu *cpu, const struct x86_rec *r, uint64_t *base, uint32_t *limit)
{
    uint64_t la, v;
    uint32_t l;

    need_cpl0(cpu, r);
    la = rec_la(cpu, r, cpu->mode & MODE_64 ? 10 : 6, false);
    l = mem_ld16(cpu, r, la);
    if (cpu->mode & MODE_64) {
        v = mem_ld64(cpu, r, la + 2);
        if (!x86_canonical(v)) {
            op_gp0(cpu, r);
        }
    } else {
        v = mem_ld32(cpu, r, la + 2) & (r->size == 1 ? 0xFFFFFF : 0xFFFFFFFF);
    }
    *base = v;
    *limit = l;
}

static X86_OP(lgdt)
{
    load_table(cpu, r, &cpu->gdt.base, &cpu->gdt.limit);
    X86_NEXT;
}

static X86_OP(lidt)
{
    load_table(cpu, r, &cpu->idt.base, &cpu->idt.limit);
    X86_NEXT;
}

static X86_OP(sldt)
{
    need_prot(cpu, r);
    umip(cpu, r);
    op_st16(cpu, r, cpu->seg[SEG_LDT].sel);
    X86_NEXT;
}

static X86_OP(str)
{
    need_prot(cpu, r);
    umip(cpu, r);
    op_st16(cpu, r, cpu->seg[SEG_TR].sel);
    X86_NEXT;
}

static X86_OP(lldt)
{
    need_prot(cpu, r);
    need_cpl0(cpu, r);
    seg_load_ldt(cpu, op_ld16(cpu, r));
    X86_NEXT;
}

static X86_OP(ltr)
{
    need_prot(cpu, r);
    need_cpl0(cpu, r);
    seg_load_tr(cpu, op_ld16(cpu, r));
    X86_NEXT;
}

/* --- EFLAGS ------------------------------------------------------------------------------------------------------- */

static unsigned iopl(const struct x86_cpu *cpu)
{
    return (cpu->eflags & FL_IOPL) >> 12;
}

/* Virtual-8086 mode with IOPL < 3: true when CR4.VME lets IF stand for VIF, #GP(0) otherwise */
static bool vme(struct x86_cpu *cpu, const struct x86_rec *r)
{
    if (!(cpu->eflags & FL_VM) || iopl(cpu) == 3) {
        return false;
    }
    if (!(cpu->cr4 & CR4_VME) || r->size != 1) {
        op_gp0(cpu, r);
    }
    return true;
}

static OUT_OF_LINE void do_pushf(struct x86_cpu *cpu, const struct x86_rec *r)
{
    struct x86_stack st;
    uint32_t fl = flags_get(cpu) & ~(uint32_t)(FL_RF | FL_VM);

    cpu->cur = r;
    if (vme(cpu, r)) {
        fl = (fl & ~(uint32_t)FL_IF) | FL_IOPL | (fl & FL_VIF ? FL_IF : 0);
    }
    stack_init(cpu, &st);
    stack_push(cpu, &st, fl, 1u << r->size);
    stack_commit(cpu, &st);
}

static X86_OP(pushf)
{
    do_pushf(cpu, r);
    X86_NEXT;
}

static OUT_OF_LINE void do_popf(struct x86_cpu *cpu, const struct x86_rec *r)
{
    struct x86_stack st;
    uint32_t fl, mask = FL_ARITH | FL_TF | FL_DF | FL_NT | FL_AC | FL_ID;
    bool virt;

    cpu->cur = r;
    virt = vme(cpu, r);
    stack_init(cpu, &st);
    fl = (uint32_t)stack_pop(cpu, &st, 1u << r->size);
    if (virt) {
        if (((fl & FL_IF) && (cpu->eflags & FL_VIP)) || (fl & FL_TF)) {
            op_gp0(cpu, r);
        }
        fl = (fl & 0xFFFF) | (fl & FL_IF ? FL_VIF : 0);
        mask |= FL_VIF;
    } else {
        mask |= cpu->cpl <= iopl(cpu) ? FL_IF : 0;
        mask |= cpu->cpl == 0 ? FL_IOPL : 0;
    }
    if (r->size == 1) {
        mask &= 0xFFFF | (virt ? FL_VIF : 0);
    }
    stack_commit(cpu, &st);
    x86_flags_load(cpu, fl, mask);
}

static X86_OP(popf)
{
    do_popf(cpu, r);
    return x86_leave(cpu, r);
}

/* CLI and STI on VIF: virtual-8086 mode with CR4.VME, protected mode at CPL 3 with CR4.PVI (SDM vol. 3, 20.3, 20.4) */
static bool on_vif(struct x86_cpu *cpu, const struct x86_rec *r)
{
    if (!(cpu->cr0 & CR0_PE) || cpu->cpl <= iopl(cpu)) {
        return false;
    }
    if (cpu->eflags & FL_VM ? cpu->cr4 & CR4_VME : cpu->cpl == 3 && (cpu->cr4 & CR4_PVI)) {
        return true;
    }
    op_gp0(cpu, r);
}

static X86_OP(cli)
{
    cpu->eflags &= ~(uint32_t)(on_vif(cpu, r) ? FL_VIF : FL_IF);
    X86_NEXT;
}

static X86_OP(sti)
{
    if (on_vif(cpu, r)) {
        if (cpu->eflags & FL_VIP) {
            op_gp0(cpu, r);
        }
        cpu->eflags |= FL_VIF;
    } else if (!(cpu->eflags & FL_IF)) {
        cpu->eflags |= FL_IF;
        cpu->shadow = SHADOW_STI;
    }
    return x86_leave(cpu, r);
}

x86_handler *x86_bind_seg(const struct x86_rec *r)
{
    static const struct { uint16_t op; x86_handler *fn; } rows[] = {
        { OP_MOV_TO_SREG, x86_mov_to_sreg }, { OP_MOV_FROM_SREG, x86_mov_from_sreg }, { OP_PUSH_SREG, x86_push_sreg },
        { OP_POP_SREG, x86_pop_sreg }, { OP_LES, x86_load_far }, { OP_LDS, x86_load_far }, { OP_LSS, x86_load_far },
        { OP_LFS, x86_load_far }, { OP_LGS, x86_load_far }, { OP_LAR, x86_lar_lsl }, { OP_LSL, x86_lar_lsl },
        { OP_VERR, x86_verify }, { OP_VERW, x86_verify }, { OP_ARPL, x86_arpl }, { OP_BOUND, x86_bound },
        { OP_SGDT, x86_sgdt }, { OP_SIDT, x86_sidt }, { OP_LGDT, x86_lgdt }, { OP_LIDT, x86_lidt },
        { OP_SLDT, x86_sldt }, { OP_STR, x86_str }, { OP_LLDT, x86_lldt }, { OP_LTR, x86_ltr },
        { OP_PUSHF, x86_pushf }, { OP_POPF, x86_popf }, { OP_CLI, x86_cli }, { OP_STI, x86_sti },
    };

    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].op == r->op) {
            return rows[i].fn;
        }
    }
    return NULL;
}
