/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/lib/x86vm.h - a CPU, some RAM and nothing else, for tests of hand-assembled programs
 *
 * Page tables for 64-bit mode lie at VM_TABLES: the first 2 MiB identity-mapped by 4 KiB pages (vm_pte() gives the
 * entry of one), the rest of the first GiB by 2 MiB pages. Programs end in HLT.
 */
#ifndef TESTS_LIB_X86VM_H
#define TESTS_LIB_X86VM_H

#include "core/loop.h"
#include "target/x86/cpu.h"
#include "target/x86/flags.h"
#include "target/x86/mmu.h"
#include "target/x86/state.h"
#include "tests/lib/x86engine.h"
#include <glib.h>
#include <string.h>

#define VM_TABLES 0x100000u     /* PML4, PDPT, PD, PT */
#define VM_GDT 0x105000u
#define VM_IDT 0x106000u
#define VM_STACK 0x90000u

struct x86vm {
    struct ram_block *ram;
    struct region root, low, io_root;
    struct addr_space mem, io;
    struct x86_cpu *cpu;
    int vector;                 /* what an interrupt acknowledge gives */
    unsigned acks;
};

static inline int vm_ack(void *opaque)
{
    struct x86vm *vm = opaque;
    int v = vm->vector;

    vm->acks++;
    vm->vector = -1;
    x86_cpu_set_intr(vm->cpu, false);
    return v;
}

static inline bool vm_rdmsr(void *opaque, uint32_t msr, uint64_t *val)
{
    return false;
}

static inline bool vm_wrmsr(void *opaque, uint32_t msr, uint64_t val)
{
    return false;
}

static inline uint8_t vm_cr8_get(void *opaque)
{
    return 0;
}

static inline void vm_cr8_set(void *opaque, uint8_t v)
{
}

static inline void vm_ferr(void *opaque)
{
}

static inline struct x86vm *vm_new(uint64_t ram_size)
{
    struct x86vm *vm = g_new0(struct x86vm, 1);
    Error *err = NULL;
    struct x86_platform plat = {
        .opaque = vm, .ack_irq = vm_ack, .rdmsr = vm_rdmsr, .wrmsr = vm_wrmsr, .cr8_get = vm_cr8_get,
        .cr8_set = vm_cr8_set, .ferr = vm_ferr,
    };

    machine_lock();
    vm->ram = ram_new("ram", ram_size, &err);
    g_assert_nonnull(vm->ram);
    region_init(&vm->root, "root", 0);
    region_init_ram(&vm->low, "ram", vm->ram, false);
    region_add(&vm->root, 0, &vm->low, 0);
    region_init(&vm->io_root, "io", 0x10000);
    space_init(&vm->mem, "mem", &vm->root);
    space_init(&vm->io, "io", &vm->io_root);
    vm->cpu = x86_cpu_new(x86_features_parse("max", &err), &vm->mem, &vm->io, &plat, &err);
    g_assert_nonnull(vm->cpu);
    test_engine(vm->cpu);
    vm->vector = -1;
    machine_unlock();
    return vm;
}

static inline void vm_free(struct x86vm *vm)
{
    machine_lock();
    x86_cpu_free(vm->cpu);
    space_fini(&vm->io);
    space_fini(&vm->mem);
    region_fini(&vm->low);
    region_fini(&vm->root);
    region_fini(&vm->io_root);
    ram_free(vm->ram);
    machine_unlock();
    g_free(vm);
}

static inline void vm_load(struct x86vm *vm, uint64_t addr, const void *p, size_t n)
{
    memcpy(vm->ram->host + addr, p, n);
    ram_written(vm->ram, addr, n);
}

static inline uint64_t *vm_pte(struct x86vm *vm, uint64_t la)
{
    return (uint64_t *)(void *)(vm->ram->host + VM_TABLES + 0x3000) + (la >> 12);
}

static inline void vm_gate64(struct x86vm *vm, unsigned vec, uint64_t handler)
{
    uint64_t *g = (uint64_t *)(void *)(vm->ram->host + VM_IDT + 16 * vec);

    g[0] = (handler & 0xFFFF) | 0x08 << 16 | 0x8E00ULL << 32 | (handler >> 16 & 0xFFFF) << 48;
    g[1] = handler >> 32;
}

/* Until the CPU halts or shuts down: which of the two */
static inline enum x86_exit vm_run(struct x86vm *vm)
{
    enum x86_exit why;

    do {
        why = x86_cpu_run(vm->cpu);
    } while (why == X86_EXIT_KICK);
    return why;
}

/* 64-bit mode, CPL 0, interrupts off */
static inline void vm_long(struct x86vm *vm, uint64_t rip)
{
    struct x86_cpu *cpu = vm->cpu;
    uint64_t *t = (uint64_t *)(void *)(vm->ram->host + VM_TABLES), *gdt = (uint64_t *)(void *)(vm->ram->host + VM_GDT);

    memset(t, 0, 0x3000);
    t[0] = (VM_TABLES + 0x1000) | 7;
    t[512] = (VM_TABLES + 0x2000) | 7;
    t[1024] = (VM_TABLES + 0x3000) | 7;
    for (uint64_t i = 0; i < 512; i++) {
        t[1024 + i] = i ? i << 21 | 0x87 : t[1024];
        t[1536 + i] = i << 12 | 7;
    }
    gdt[0] = 0;
    gdt[1] = 0x00AF9B000000FFFF;
    gdt[2] = 0x00CF93000000FFFF;
    x86_cpu_start_flat32(cpu, (uint32_t)rip, 0, 0, 0, VM_GDT, 0x17, 8, 16);
    cpu->idt.base = VM_IDT;
    cpu->idt.limit = 0xFFF;
    cpu->cr3 = VM_TABLES;
    cpu->cr4 = CR4_PAE | CR4_OSFXSR | CR4_PGE;
    cpu->efer = EFER_LME | EFER_LMA | EFER_NXE;
    cpu->cr0 |= CR0_PG | CR0_WP;
    cpu->seg[SEG_CS].attr = (uint16_t)((cpu->seg[SEG_CS].attr & ~SEGA_DB) | SEGA_L);
    cpu->regs[REG_RIP] = rip;
    cpu->regs[R_SP] = VM_STACK;
    x86_mode_update(cpu);
    x86_tlb_flush_all(cpu);
}

#endif
