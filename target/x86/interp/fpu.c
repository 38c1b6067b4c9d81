/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/interp/fpu.c - x87 status, exceptions and pointers; the floating-point environment of a vCPU thread (fp.h)
 */
#include "target/x86/interp/fpu.h"
#include "core/loop.h"

/*
 * CR0.NE clear: FERR# goes to the board (IRQ 13) and the instruction goes on, as it would with IGNNE# asserted. Real
 * hardware freezes until the interrupt; it arrives here at the next block edge.
 */
void fpu_pending(struct x86_cpu *cpu, const struct x86_rec *r)
{
    if (cpu->cr0 & CR0_NE) {
        x86_raise(cpu, r, EXC_MF);
    }
    cpu->cur = r;
    if (cpu->plat.ferr) {
        machine_lock();
        cpu->plat.ferr(cpu->plat.opaque);
        machine_unlock();
    }
}

void fpu_update_es(struct x86_cpu *cpu)
{
    if (cpu->fpu.fsw & ~cpu->fpu.fcw & FSW_EXC) {
        cpu->fpu.fsw |= FSW_ES | FSW_B;
    } else {
        cpu->fpu.fsw &= ~(FSW_ES | FSW_B);
    }
}

/* Which exceptions are masked is part of the mode (rec.h) */
static void fp_mode_check(struct x86_cpu *cpu)
{
    if (unlikely((cpu->mode & (MODE_XM | MODE_XF)) != x86_fp_mode(cpu))) {
        x86_mode_update(cpu);
    }
}

void fpu_set_cw(struct x86_cpu *cpu, uint16_t cw)
{
    cpu->fpu.fcw = (cw & 0x1F7F) | 0x40;
    fph_set_cw(cpu->fpu.fcw);
    fp_mode_check(cpu);
    fpu_update_es(cpu);
}

void fpu_ptrs(struct x86_cpu *cpu, const struct x86_rec *r, bool fault)
{
    struct x86_fpu *f = &cpu->fpu;
    bool sel = !(f->ptr_rule & X87_NO_SELECTORS);

    if (fault || (f->ptr_rule & X87_FIP_ALWAYS)) {
        f->fip = x86_ip(cpu, r);
        f->fcs = sel && !(cpu->mode & MODE_64) ? cpu->seg[SEG_CS].sel : 0;
    }
    if (fault) {
        f->fop = r->imm32 & 0x7FF;
    }
    if (r->flags & REC_MEM && (fault || (f->ptr_rule & X87_FDP_ALWAYS))) {
        f->fdp = rec_ea(cpu, r);
        f->fds = sel && !(cpu->mode & MODE_64) ? cpu->seg[r->seg].sel : 0;
    }
}

void fpu_fault(struct x86_cpu *cpu, const struct x86_rec *r)
{
    cpu->fpu.fsw |= FSW_ES | FSW_B;
    fpu_ptrs(cpu, r, true);
}

bool fpu_stack_fault(struct x86_cpu *cpu, const struct x86_rec *r, bool overflow)
{
    cpu->fpu.fsw |= FSW_SF;
    fpu_flags(cpu, r, FSW_IE | (overflow ? FSW_C1 : 0));
    return cpu->fpu.fcw & FSW_IE;
}

void fpu_init(struct x86_cpu *cpu)
{
    struct x86_fpu *f = &cpu->fpu;

    f->fsw = 0;
    f->top = 0;
    f->ftw = 0;
    f->fop = 0;
    f->fip = f->fdp = 0;
    f->fcs = f->fds = 0;
    fpu_set_cw(cpu, 0x37F);
}

/* SDM vol. 1, figure 8-7: 0 valid, 1 zero, 2 special, 3 empty */
static unsigned tag_of(const struct x87_reg *v)
{
    unsigned exp = v->se & 0x7FFF;

    if (exp == 0) {
        return v->m ? 2 : 1;
    }
    return exp == 0x7FFF || !(v->m >> 63) ? 2 : 0;
}

uint16_t fpu_tag_word(const struct x86_fpu *f)
{
    uint16_t w = 0;

    for (unsigned i = 0; i < 8; i++) {
        w |= (f->ftw >> i & 1 ? tag_of(&f->r[i]) : 3u) << (2 * i);
    }
    return w;
}

void fpu_set_tag_word(struct x86_fpu *f, uint16_t tags)
{
    f->ftw = 0;
    for (unsigned i = 0; i < 8; i++) {
        f->ftw |= ((tags >> (2 * i) & 3) != 3) << i;
    }
}

/*
 * fp.h
 */
void x86_fp_enter(struct x86_cpu *cpu)
{
    fph_init(cpu->fpu.fcw);
    fph_set_mxcsr((cpu->fpu.mxcsr & ~(uint32_t)MXCSR_FLAGS) | MXCSR_MASKS);
}

void x86_fp_sync(struct x86_cpu *cpu)
{
    cpu->fpu.mxcsr |= fph_mxcsr() & MXCSR_FLAGS;
}

void x86_fp_leave(struct x86_cpu *cpu)
{
    x86_fp_sync(cpu);
    fph_set_mxcsr(MXCSR_RESET);
    fph_init(0x37F);
}

void x86_mxcsr_set(struct x86_cpu *cpu, uint32_t v)
{
    cpu->fpu.mxcsr = v;
    fph_set_mxcsr((v & ~(uint32_t)MXCSR_FLAGS) | MXCSR_MASKS);
    fp_mode_check(cpu);
}

/* SDM vol. 3, table 10-1: power-up state of the x87 is not that of FNINIT (control word 0x40, tags valid, zero) */
void x86_fpu_reset(struct x86_cpu *cpu)
{
    const struct x86_features *feat = cpu->feat;

    memset(&cpu->fpu, 0, sizeof(cpu->fpu));
    memset(cpu->vec, 0, sizeof(cpu->vec));
    cpu->fpu.fcw = 0x40;
    cpu->fpu.ftw = 0xFF;
    cpu->fpu.mxcsr = MXCSR_RESET;
    if (!feat || feat->intel) {
        cpu->fpu.ptr_rule = X87_FIP_ALWAYS;
        if (!feat || !x86_feat(feat, X86_FEAT_FDP_EXCPTN_ONLY)) {
            cpu->fpu.ptr_rule |= X87_FDP_ALWAYS;
        }
    }
    if (feat && x86_feat(feat, X86_FEAT_ZERO_FCS_FDS)) {
        cpu->fpu.ptr_rule |= X87_NO_SELECTORS;
    }
}

x86_handler *x86_bind_fpu(const struct x86_rec *r, uint32_t mode)
{
    x86_handler *h = fpu_bind_arith(r);

    if (!h) {
        h = fpu_bind_move(r);
    }
    if (!h) {
        h = fpu_bind_env(r);
    }
    return h ? h : fpu_bind_xsave(r);
}
