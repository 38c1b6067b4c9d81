/* SPDX-License-Identifier: BSD-2-Clause */
/* target/x86/debug.c - breakpoints and single step; target/x86/debug.h has how it fits into the engine */
#include "target/x86/debug.h"
#include "target/x86/excp.h"
#include "target/x86/mmu.h"

enum { BP_EXEC, BP_WRITE, BP_IO, BP_RW };

static bool bp_on(const struct x86_cpu *cpu, unsigned i)
{
    return cpu->dr[7] >> (2 * i) & 3;
}

static unsigned bp_type(const struct x86_cpu *cpu, unsigned i)
{
    return bits_get(cpu->dr[7], 16 + 4 * i, 2);
}

static unsigned bp_len(const struct x86_cpu *cpu, unsigned i)
{
    static const uint8_t len[4] = { 1, 2, 8, 4 };

    return len[bits_get(cpu->dr[7], 18 + 4 * i, 2)];
}

/* The breakpoint's range, aligned to its length, against [la, la + len) */
static bool bp_overlaps(const struct x86_cpu *cpu, unsigned i, uint64_t la, unsigned len)
{
    uint64_t start = align_down(cpu->dr[i], bp_len(cpu, i));

    return la < start + bp_len(cpu, i) && start < la + len;
}

bool x86_db_page_slow(const struct x86_cpu *cpu, uint64_t page)
{
    for (unsigned i = 0; i < 4; i++) {
        if (bp_on(cpu, i) && (bp_type(cpu, i) & 1) && (cpu->dr[i] & ~0xFFFULL) == page) {
            return true;
        }
    }
    return false;
}

void x86_db_access_slow(struct x86_cpu *cpu, uint64_t la, unsigned len, bool write)
{
    for (unsigned i = 0; i < 4; i++) {
        unsigned t = bp_type(cpu, i);

        if (bp_on(cpu, i) && (t == BP_RW || (t == BP_WRITE && write)) && bp_overlaps(cpu, i, la, len)) {
            cpu->db_hit |= (uint8_t)(1 << i);
        }
    }
}

void x86_db_io(struct x86_cpu *cpu, uint16_t port, unsigned len)
{
    if (likely(!(cpu->dr[7] & DR7_ENABLE)) || !(cpu->cr4 & CR4_DE)) {
        return;
    }
    for (unsigned i = 0; i < 4; i++) {
        if (bp_on(cpu, i) && bp_type(cpu, i) == BP_IO && bp_overlaps(cpu, i, port, len)) {
            cpu->db_hit |= (uint8_t)(1 << i);
        }
    }
}

void x86_step_before(struct x86_cpu *cpu)
{
    uint64_t la = cpu->regs[REG_RIP] + (cpu->mode & MODE_64 ? 0 : cpu->seg[SEG_CS].base);
    unsigned hit = 0;

    cpu->db_hit = 0;
    if (cpu->eflags & FL_RF) {
        cpu->eflags &= ~(uint32_t)FL_RF;
        return;
    }
    if (likely(!(cpu->dr[7] & DR7_ENABLE)) || (cpu->shadow & SHADOW_MOVSS)) {
        return;
    }
    if (!(cpu->mode & MODE_64)) {
        la = (uint32_t)la;
    }
    for (unsigned i = 0; i < 4; i++) {
        if (bp_on(cpu, i) && bp_type(cpu, i) == BP_EXEC && cpu->dr[i] == la) {
            hit |= 1 << i;
        }
    }
    if (hit) {
        cpu->dr[6] = (cpu->dr[6] & ~0xFULL) | hit;
        cpu->cur = NULL;
        x86_raise(cpu, NULL, EXC_DB);
    }
}

void x86_step_after(struct x86_cpu *cpu, bool tf)
{
    unsigned hit = cpu->db_hit;

    if ((!tf && !hit) || (cpu->shadow & SHADOW_MOVSS)) {
        return;
    }
    cpu->db_hit = 0;
    cpu->dr[6] = (cpu->dr[6] & ~0xFULL) | hit | (tf ? DR6_BS : 0);
    cpu->cur = NULL;
    x86_deliver(cpu, EXC_DB, false, 0, DELIVER_EXC);
}

void x86_dr_write(struct x86_cpu *cpu, unsigned n, uint64_t v)
{
    if (n == 6) {
        v = (v & 0xE00F) | DR6_FIXED;
    } else if (n == 7) {
        v = (v & 0xFFFF2BFF) | DR7_FIXED;
    }
    cpu->dr[n] = v;
    if (n < 4 || n == 7) {
        x86_tlb_flush_banks(cpu);
        x86_mode_update(cpu);
    }
}
