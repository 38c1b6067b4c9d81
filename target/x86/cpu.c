/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/cpu.c - making, resetting and poking a CPU (SDM vol. 3, 9.1)
 *
 * Pins: the caller's thread sets a bit in pending, then exit_request, then calls the wake hook. The run loop clears
 * exit_request before it reads pending, so nothing is lost.
 */
#include "target/x86/control.h"
#include "target/x86/debug.h"
#include "target/x86/fp.h"
#include "target/x86/interp/engine.h"
#include "target/x86/jit/jit.h"
#include "target/x86/mmu.h"
#include "target/x86/pv.h"
#include "target/x86/seg.h"
#include "target/x86/trace_log.h"

/* --- reset -------------------------------------------------------------------------------------------------------- */

static const struct x86_seg reset_data = {
    .limit = 0xFFFF, .attr = SEGA_P | SEGA_S | SEGA_RW | SEGA_ACCESSED,
};

/* What RESET and INIT have in common (SDM vol. 3, table 9-1) */
static void reset_common(struct x86_cpu *cpu)
{
    memset(cpu->regs, 0, sizeof(cpu->regs));
    cpu->regs[REG_RIP] = 0xFFF0;
    cpu->regs[R_DX] = x86_cpuid(cpu, 0x80000001, 0).eax ? x86_cpuid(cpu, 0x80000001, 0).eax : 0x600;
    cpu->cc_op = CC_FLAGS;
    cpu->cc_src = 0;
    cpu->eflags = FL_1;
    for (unsigned i = 0; i < 6; i++) {
        cpu->seg[i] = reset_data;
    }
    cpu->seg[SEG_CS].sel = 0xF000;
    cpu->seg[SEG_CS].base = 0xFFFF0000;
    cpu->seg[SEG_CS].attr |= SEGA_CODE;
    cpu->seg[SEG_LDT] = (struct x86_seg){ .limit = 0xFFFF, .attr = SEGA_P | SYS_LDT };
    cpu->seg[SEG_TR] = (struct x86_seg){ .limit = 0xFFFF, .attr = SEGA_P | SYS_TSS_BUSY };
    cpu->gdt.base = cpu->idt.base = 0;
    cpu->gdt.limit = cpu->idt.limit = 0xFFFF;
    cpu->cr2 = cpu->cr3 = cpu->cr4 = 0;
    cpu->efer = 0;
    memset(cpu->dr, 0, sizeof(cpu->dr));
    cpu->dr[6] = DR6_FIXED;
    cpu->dr[7] = DR7_FIXED;
    cpu->cpl = 0;
    cpu->halted = cpu->nmi_blocked = cpu->shutdown = false;
    cpu->wait_sipi = cpu->index != 0;
    cpu->shadow = 0;
    cpu->db_hit = 0;
    cpu->exc_old = -1;
    cpu->exc_ext = 0;
    cpu->cur = NULL;
    x86_mode_update(cpu);
    x86_tlb_flush_all(cpu);
}

void x86_cpu_reset(struct x86_cpu *cpu)
{
    if (x86_logs(cpu, X86_LOG_CPU_RESET)) {
        x86_log_reset(cpu);
    }
    cpu->cr0 = CR0_ET | CR0_NW | CR0_CD;
    reset_common(cpu);
    x86_fpu_reset(cpu);
    cpu->xcr0 = XCR0_X87;
    x86_mode_update(cpu);
    cpu->star = cpu->lstar = cpu->cstar = cpu->fmask = cpu->kernel_gs_base = cpu->tsc_aux = 0;
    cpu->pat = 0x0007040600070406;
    cpu->misc_enable = 1;
    cpu->spec_ctrl = cpu->xss = 0;
    cpu->sysenter_cs = cpu->sysenter_esp = cpu->sysenter_eip = 0;
    cpu->mtrr_def_type = 0;
    memset(cpu->mtrr_fixed, 0, sizeof(cpu->mtrr_fixed));
    memset(cpu->mtrr_var, 0, sizeof(cpu->mtrr_var));
    cpu->mcg_status = 0;
    cpu->mcg_ctl = ~0ULL;
    memset(cpu->mc_bank, 0, sizeof(cpu->mc_bank));
    for (unsigned i = 0; i < ARRAY_LEN(cpu->mc_bank); i += 4) {
        cpu->mc_bank[i] = ~0ULL;
    }
    cpu->tsc_offset = -x86_tsc(cpu) + cpu->tsc_offset;
    cpu->tsc_adjust = 0;
    x86_pv_reset(cpu);
    /* events of the processor go; what the host has to tell the engine stays */
    __atomic_fetch_and(&cpu->pending, ~(uint32_t)(PEND_NMI | PEND_INIT | PEND_SIPI), __ATOMIC_SEQ_CST);
}

void x86_cpu_do_init(struct x86_cpu *cpu)
{
    cpu->cr0 = (cpu->cr0 & (CR0_NW | CR0_CD)) | CR0_ET;
    reset_common(cpu);
}

void x86_cpu_do_sipi(struct x86_cpu *cpu, uint8_t vector)
{
    cpu->wait_sipi = false;
    seg_set_real(cpu, SEG_CS, (uint16_t)(vector << 8));
    cpu->regs[REG_RIP] = 0;
    x86_mode_update(cpu);
}

/* Everything write-back but the VGA window: what the boot protocols take for granted (SDM vol. 3, 12.11.2) */
static void mtrr_as_firmware(struct x86_cpu *cpu)
{
    enum { ENABLED = 1 << 11, FIXED_ENABLED = 1 << 10, WB = 6, FIX16K_A0000 = 2 };

    cpu->mtrr_def_type = ENABLED | FIXED_ENABLED | WB;
    for (unsigned i = 0; i < ARRAY_LEN(cpu->mtrr_fixed); i++) {
        cpu->mtrr_fixed[i] = i == FIX16K_A0000 ? 0 : WB * 0x0101010101010101ULL;
    }
}

void x86_cpu_start_flat32(struct x86_cpu *cpu, uint32_t eip, uint32_t eax, uint32_t ebx, uint32_t esi,
                          uint64_t gdt_base, uint16_t gdt_limit, uint16_t cs_sel, uint16_t ds_sel)
{
    static const uint8_t data[] = { SEG_ES, SEG_SS, SEG_DS, SEG_FS, SEG_GS };
    const uint16_t rights = SEGA_G | SEGA_DB | SEGA_P | SEGA_S | SEGA_RW | SEGA_ACCESSED;

    x86_cpu_reset(cpu);
    mtrr_as_firmware(cpu);
    cpu->cr0 = CR0_PE | CR0_ET;
    cpu->seg[SEG_CS] = (struct x86_seg){ .limit = 0xFFFFFFFF, .sel = cs_sel, .attr = rights | SEGA_CODE };
    for (unsigned i = 0; i < ARRAY_LEN(data); i++) {
        cpu->seg[data[i]] = (struct x86_seg){ .limit = 0xFFFFFFFF, .sel = ds_sel, .attr = rights };
    }
    cpu->gdt.base = gdt_base;
    cpu->gdt.limit = gdt_limit;
    cpu->regs[REG_RIP] = eip;
    cpu->regs[R_AX] = eax;
    cpu->regs[R_BX] = ebx;
    cpu->regs[R_SI] = esi;
    cpu->regs[R_DX] = 0;
    x86_mode_update(cpu);
}

/* --- engine ------------------------------------------------------------------------------------------------------- */

#if !defined(__x86_64__) || defined(X86_PORTABLE)
void *x86_cpu_alloc(size_t size)
{
    return g_aligned_alloc0(1, size, 64);
}

void x86_cpu_dealloc(void *p, size_t size)
{
    g_aligned_free(p);
}

bool x86_jit_works(Error **errp)
{
    error_setg(errp, "the translator is for x86-64 hosts");
    return false;
}

static struct x86_jit *x86_jit_new(struct x86_cpu *cpu, const struct x86_engine_opts *o, Error **errp)
{
    x86_jit_works(errp);
    return NULL;
}
#endif

bool x86_cpu_set_engine(struct x86_cpu *cpu, const struct x86_engine_opts *o, Error **errp)
{
    cpu->eng->cpu = cpu;
    cpu->eng->one_insn = o->one_insn;
    if (o->jit) {
        cpu->jit = x86_jit_new(cpu, o, errp);
        if (!cpu->jit) {
            return false;
        }
    }
    cpu->opts = *o;
    x86_cpu_set_log(cpu, o->log);
    return true;
}

/* --- life --------------------------------------------------------------------------------------------------------- */

static void poke(struct x86_cpu *cpu, uint32_t bit)
{
    __atomic_fetch_or(&cpu->pending, bit, __ATOMIC_SEQ_CST);
    __atomic_store_n(&cpu->exit_request, 1, __ATOMIC_SEQ_CST);
    if (cpu->wake) {
        cpu->wake(cpu->wake_opaque);
    }
}

static void map_changed(void *opaque)
{
    poke(opaque, PEND_FLUSH);
}

static void code_written(void *opaque, struct ram_block *b, uint64_t off, uint64_t len)
{
    x86_cpu_wrote_ram(opaque, b, off, len);
}

struct x86_cpu *x86_cpu_new(struct x86_features *f, struct addr_space *mem, struct addr_space *io,
                            const struct x86_platform *platform, Error **errp)
{
    struct x86_cpu *cpu = x86_cpu_alloc(sizeof(*cpu));

    cpu->feat = f;
    cpu->mem = mem;
    cpu->io = io;
    cpu->plat = *platform;
    x86_cpu_set_wall_clock(cpu, NULL, NULL);
    cpu->a20_mask_low = 0xFFFFFFFF;
    cpu->a20_next = true;
    for (unsigned b = 0; b < TLB_BANKS; b++) {
        for (unsigned i = 0; i < TLB_SIZE; i++) {
            cpu->tlb_bank[b][i].rtag = cpu->tlb_bank[b][i].wtag = TLB_NONE;
        }
    }
    cpu->mmu = x86_mmu_new();
    cpu->eng = x86_engine_new();
    if (!cpu->eng) {
        error_setg(errp, "cannot get memory for decoded code");
        x86_mmu_free(cpu->mmu);
        x86_features_free(f);
        x86_cpu_dealloc(cpu, sizeof(*cpu));
        return NULL;
    }
    space_add_listener(mem, map_changed, cpu);
    ram_set_code_hook(code_written, cpu);
    x86_cpu_reset(cpu);
    return cpu;
}

void x86_cpu_free(struct x86_cpu *cpu)
{
    if (!cpu) {
        return;
    }
    ram_set_code_hook(NULL, NULL);
    space_del_listener(cpu->mem, map_changed, cpu);
    x86_jit_free(cpu->jit);
    x86_engine_free(cpu->eng);
    x86_mmu_free(cpu->mmu);
    x86_features_free(cpu->feat);
    x86_cpu_dealloc(cpu, sizeof(*cpu));
}

/* --- pins --------------------------------------------------------------------------------------------------------- */

void x86_cpu_set_topology(struct x86_cpu *cpu, unsigned index, unsigned total)
{
    cpu->index = (uint8_t)index;
    cpu->cores = (uint8_t)total;
    cpu->wait_sipi = index != 0;
}

void x86_cpu_set_wake(struct x86_cpu *cpu, void (*wake)(void *opaque), void *opaque)
{
    cpu->wake = wake;
    cpu->wake_opaque = opaque;
}

void x86_cpu_kick(struct x86_cpu *cpu)
{
    poke(cpu, PEND_KICK);
}

void x86_cpu_set_intr(struct x86_cpu *cpu, bool level)
{
    if (level) {
        poke(cpu, PEND_INTR);
    } else {
        __atomic_fetch_and(&cpu->pending, ~(uint32_t)PEND_INTR, __ATOMIC_SEQ_CST);
    }
}

void x86_cpu_nmi(struct x86_cpu *cpu)
{
    poke(cpu, PEND_NMI);
}

void x86_cpu_init(struct x86_cpu *cpu)
{
    __atomic_fetch_and(&cpu->pending, ~(uint32_t)PEND_SIPI, __ATOMIC_SEQ_CST);   /* one that comes later counts */
    poke(cpu, PEND_INIT);
}

void x86_cpu_sipi(struct x86_cpu *cpu, uint8_t vector)
{
    __atomic_store_n(&cpu->sipi_vector, vector, __ATOMIC_SEQ_CST);
    poke(cpu, PEND_SIPI);
}

void x86_cpu_set_a20(struct x86_cpu *cpu, bool on)
{
    __atomic_store_n(&cpu->a20_next, on, __ATOMIC_SEQ_CST);
    poke(cpu, PEND_A20);
}

bool x86_cpu_has_work(struct x86_cpu *cpu)
{
    uint32_t p = __atomic_load_n(&cpu->pending, __ATOMIC_SEQ_CST);
    uint32_t eflags = __atomic_load_n(&cpu->eflags, __ATOMIC_RELAXED);

    if (cpu->wait_sipi) {
        return p & (PEND_SIPI | PEND_INIT | PEND_KICK);
    }
    return (p & (PEND_INIT | PEND_KICK)) || ((p & PEND_NMI) && !cpu->nmi_blocked) ||
           ((p & PEND_INTR) && (eflags & FL_IF));
}

bool x86_cpu_halted(struct x86_cpu *cpu)
{
    return cpu->halted || cpu->wait_sipi;
}

uint64_t x86_cpu_instructions(struct x86_cpu *cpu)
{
    return __atomic_load_n(&cpu->icount, __ATOMIC_RELAXED);
}

bool x86_cpu_has_feature(struct x86_cpu *cpu, const char *name)
{
    int bit = x86_feature_by_name(name);

    return bit >= 0 && x86_feat(cpu->feat, (unsigned)bit);
}
