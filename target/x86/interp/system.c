/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/interp/system.c - HLT and waiting, CPUID, time, random numbers, FS and GS bases, cache instructions
 *
 * Caches are not modelled: flushing instructions only check that they are allowed and that the address may be read.
 */
#include "target/x86/pv.h"
#include "target/x86/interp/sysops.h"

static void need_64(struct x86_cpu *cpu, const struct x86_rec *r, bool ok)
{
    if (!(cpu->mode & MODE_64) || !ok) {
        x86_raise(cpu, r, EXC_UD);
    }
}

static X86_OP(hlt)
{
    need_cpl0(cpu, r);
    cpu->halted = true;
    return x86_leave(cpu, r);
}

static X86_OP(monitor)
{
    if (cpu->cpl) {
        x86_raise(cpu, r, EXC_UD);
    }
    if (cpu->regs[R_CX]) {
        op_gp0(cpu, r);
    }
    X86_NEXT;
}

/* The monitored line is not watched: go on at once (a wake-up without cause is legal, SDM vol. 2B, MWAIT) */
static X86_OP(mwait)
{
    if (cpu->cpl) {
        x86_raise(cpu, r, EXC_UD);
    }
    if (cpu->regs[R_CX] > 1) {
        op_gp0(cpu, r);
    }
    return x86_leave(cpu, r);
}

/* Privileged and without effect */
static X86_OP(priv_nop)
{
    need_cpl0(cpu, r);
    X86_NEXT;
}

static X86_OP(clflush)
{
    mem_probe(cpu, r, rec_la(cpu, r, 1, false), 1, false);
    X86_NEXT;
}

static OUT_OF_LINE void do_cpuid(struct x86_cpu *cpu)
{
    struct x86_cpuid_regs v = x86_cpuid(cpu, (uint32_t)cpu->regs[R_AX], (uint32_t)cpu->regs[R_CX]);

    cpu->regs[R_AX] = v.eax;
    cpu->regs[R_BX] = v.ebx;
    cpu->regs[R_CX] = v.ecx;
    cpu->regs[R_DX] = v.edx;
}

static X86_OP(cpuid_op)
{
    do_cpuid(cpu);
    X86_NEXT;
}

static void need_tsc(struct x86_cpu *cpu, const struct x86_rec *r)
{
    if ((cpu->cr4 & CR4_TSD) && cpu->cpl) {
        op_gp0(cpu, r);
    }
}

static X86_OP(rdtsc)
{
    uint64_t v;

    need_tsc(cpu, r);
    v = x86_tsc(cpu);
    cpu->regs[R_AX] = (uint32_t)v;
    cpu->regs[R_DX] = v >> 32;
    X86_NEXT;
}

static X86_OP(rdtscp)
{
    uint64_t v;

    need_tsc(cpu, r);
    v = x86_tsc(cpu);
    cpu->regs[R_AX] = (uint32_t)v;
    cpu->regs[R_DX] = v >> 32;
    cpu->regs[R_CX] = (uint32_t)cpu->tsc_aux;
    X86_NEXT;
}

static X86_OP(rdpid)
{
    reg_set(cpu, r->rm, cpu->mode & MODE_64 ? 3 : 2, (uint32_t)cpu->tsc_aux);
    X86_NEXT;
}

/* No counters: every index is refused */
static X86_OP(rdpmc)
{
    op_gp0(cpu, r);
}

static X86_OP(rdrand)
{
    reg_set(cpu, r->rm, r->size, x86_random(cpu));
    flags_set_arith(cpu, FL_CF);
    X86_NEXT;
}

static X86_OP(swapgs)
{
    uint64_t base;

    need_64(cpu, r, true);
    need_cpl0(cpu, r);
    base = cpu->seg[SEG_GS].base;
    cpu->seg[SEG_GS].base = cpu->kernel_gs_base;
    cpu->kernel_gs_base = base;
    X86_NEXT;
}

static X86_OP(rd_base)
{
    need_64(cpu, r, cpu->cr4 & CR4_FSGSBASE);
    reg_set(cpu, r->rm, r->size, cpu->seg[r->op == OP_RDFSBASE ? SEG_FS : SEG_GS].base);
    X86_NEXT;
}

static X86_OP(wr_base)
{
    uint64_t v = r->size == 3 ? REG64(r->rm) : REG32(r->rm);

    need_64(cpu, r, cpu->cr4 & CR4_FSGSBASE);
    if (!x86_canonical(v)) {
        op_gp0(cpu, r);
    }
    cpu->seg[r->op == OP_WRFSBASE ? SEG_FS : SEG_GS].base = v;
    X86_NEXT;
}

/* With CR4.SMAP, EFLAGS.AC chooses the TLB bank, which is part of the mode */
static X86_OP(clac_stac)
{
    if (cpu->cpl || (cpu->mode & MODE_VM)) {
        x86_raise(cpu, r, EXC_UD);
    }
    cpu->eflags = r->op == OP_STAC ? cpu->eflags | FL_AC : cpu->eflags & ~(uint32_t)FL_AC;
    x86_mode_update(cpu);
    return x86_leave(cpu, r);
}

/* VMCALL and VMMCALL alike: guests patch in one or the other by the vendor they see */
static X86_OP(vmcall)
{
    cpu->regs[R_AX] = x86_pv_hypercall(cpu, cpu->regs[R_AX]);
    X86_NEXT;
}

x86_handler *x86_bind_system_misc(const struct x86_rec *r)
{
    static const struct { uint16_t op; x86_handler *fn; } rows[] = {
        { OP_HLT, x86_hlt }, { OP_MONITOR, x86_monitor }, { OP_MWAIT, x86_mwait }, { OP_INVD, x86_priv_nop },
        { OP_WBINVD, x86_priv_nop }, { OP_CLFLUSH, x86_clflush }, { OP_CLFLUSHOPT, x86_clflush },
        { OP_CLWB, x86_clflush }, { OP_CPUID, x86_cpuid_op }, { OP_RDTSC, x86_rdtsc }, { OP_RDTSCP, x86_rdtscp },
        { OP_RDPID, x86_rdpid }, { OP_RDPMC, x86_rdpmc }, { OP_RDRAND, x86_rdrand }, { OP_RDSEED, x86_rdrand },
        { OP_SWAPGS, x86_swapgs }, { OP_RDFSBASE, x86_rd_base }, { OP_RDGSBASE, x86_rd_base },
        { OP_WRFSBASE, x86_wr_base }, { OP_WRGSBASE, x86_wr_base }, { OP_CLAC, x86_clac_stac },
        { OP_STAC, x86_clac_stac }, { OP_VMCALL, x86_vmcall },
    };

    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].op == r->op) {
            return rows[i].fn;
        }
    }
    return NULL;
}

x86_handler *x86_bind_system(const struct x86_rec *r, uint32_t mode)
{
    x86_handler *fn = x86_bind_system_misc(r);

    fn = fn ? fn : x86_bind_control(r);
    fn = fn ? fn : x86_bind_seg(r);
    fn = fn ? fn : x86_bind_far(r);
    return fn ? fn : x86_bind_io(r);
}
