/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/io.c - the right to use ports, and port accesses (SDM vol. 1, 18.5)
 *
 * The permission bitmap is read as two bytes, always, so its last byte may not be the last of the segment.
 */
#include "target/x86/fp.h"
#include "target/x86/debug.h"
#include "target/x86/excp.h"
#include "target/x86/mmu_int.h"
#include "target/x86/seg.h"
#include "target/x86/undo.h"
#include "core/loop.h"

void x86_io_check(struct x86_cpu *cpu, const struct x86_rec *r, uint16_t port, unsigned len)
{
    const struct x86_seg *tr = &cpu->seg[SEG_TR];
    uint32_t at, bits;

    x86_db_io(cpu, port, len);
    if (!(cpu->cr0 & CR0_PE) || (!(cpu->eflags & FL_VM) && cpu->cpl <= (cpu->eflags & FL_IOPL) >> 12)) {
        return;
    }
    if (r) {
        cpu->cur = r;
    }
    if (!(tr->attr & SEGA_P) || !(tr->attr & 8) || tr->limit < 103) {
        x86_raise_err(cpu, NULL, EXC_GP, 0);
    }
    at = (uint32_t)sys_ld(cpu, tr->base + 102, 2) + port / 8;
    if (at + 1 > tr->limit) {
        x86_raise_err(cpu, NULL, EXC_GP, 0);
    }
    bits = (uint32_t)sys_ld(cpu, tr->base + at, 2) >> (port & 7);
    if (bits & ((1u << len) - 1)) {
        x86_raise_err(cpu, NULL, EXC_GP, 0);
    }
}

uint32_t x86_io_in(struct x86_cpu *cpu, uint16_t port, unsigned len)
{
    struct x86_fp_host fp;
    uint64_t v;

    x86_undo_cannot(cpu);
    x86_fp_device_begin(&fp);
    machine_lock();
    v = space_read(cpu->io, port, len);
    machine_unlock();
    x86_fp_device_end(&fp);
    mmu_sync(cpu);
    return (uint32_t)(v & bits_mask(8 * len));
}

void x86_io_out(struct x86_cpu *cpu, uint16_t port, uint32_t v, unsigned len)
{
    struct x86_fp_host fp;

    x86_undo_cannot(cpu);
    x86_fp_device_begin(&fp);
    if (space_write_posted(cpu->io, port, v, len)) {
        x86_fp_device_end(&fp);
        return;
    }
    machine_lock();
    space_write(cpu->io, port, v & bits_mask(8 * len), len);
    machine_unlock();
    x86_fp_device_end(&fp);
    mmu_sync(cpu);
}
