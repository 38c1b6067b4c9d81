/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/cpu.h - an x86 CPU as the rest of the machine sees it
 *
 * One vCPU thread owns a CPU and calls x86_cpu_run(). Other threads may call only what is marked "any thread". The
 * engine takes the machine lock itself for MMIO, port I/O and the platform hooks, and holds it nowhere else.
 */
#ifndef TARGET_X86_CPU_H
#define TARGET_X86_CPU_H

#include "lib/error.h"
#include "mem/space.h"
#include <stdint.h>

struct x86_cpu;
struct x86_features;        /* what CPUID shows; target/x86/cpuid.h */

/* What the board supplies. Every hook is called from the vCPU thread with the machine lock held. None may be NULL. */
struct x86_platform {
    void *opaque;
    /* INTR acknowledge cycle: the vector of the highest pending interrupt (LAPIC or 8259), -1 when it went away */
    int (*ack_irq)(void *opaque);
    /* MSRs that live in the local APIC: IA32_APIC_BASE, IA32_TSC_DEADLINE, 0x800-0x8FF; false: #GP(0) */
    bool (*rdmsr)(void *opaque, uint32_t msr, uint64_t *val);
    bool (*wrmsr)(void *opaque, uint32_t msr, uint64_t val);
    /* CR8 = task priority bits 7:4 of the local APIC */
    uint8_t (*cr8_get)(void *opaque);
    void (*cr8_set)(void *opaque, uint8_t v);
    /* FERR#: an x87 exception with CR0.NE = 0 (IRQ 13) */
    void (*ferr)(void *opaque);
    /* A20 gate state is pushed with x86_cpu_set_a20() */
};

/**
 * x86_features_parse() - "MODEL[,+feat|,-feat|,feat=on|off...]" as in -cpu
 * Return: features, freed with x86_features_free(); NULL with *errp naming the unknown model or feature
 */
struct x86_features *x86_features_parse(const char *spec, Error **errp);
void x86_features_free(struct x86_features *f);
/** x86_features_help() - what "-cpu help" prints; caller frees */
char *x86_features_help(void);

/** x86_cpu_new() - in reset state; @mem and @io outlive the CPU; takes @f */
struct x86_cpu *x86_cpu_new(struct x86_features *f, struct addr_space *mem, struct addr_space *io,
                            const struct x86_platform *platform, Error **errp);
void x86_cpu_free(struct x86_cpu *cpu);

/* How a CPU is emulated. All zero: the interpreter. The switches below `check` take the translator apart to find a fault in it. */
struct x86_engine_opts {
    bool jit;               /* translate hot blocks into host code (x86-64 hosts) */
    bool check;             /* run translated blocks in the interpreter too, and compare */
    bool no_chain;          /* blocks never jump to each other */
    bool one_insn;          /* blocks of one instruction */
    bool keep_lock;         /* LOCK is LOCK with one CPU too: somebody shares guest memory who does not call fence_all() */
    bool no_slots;          /* no one-entry TLB slots: every access looks in the hashed TLB */
    bool perf_map;          /* write /tmp/perf-PID.map */
    uint32_t tb_size;       /* MiB of host code; 0: the default */
    uint32_t hot;           /* runs before a block is translated; 0: the default */
    uint64_t interp_from, interp_to;    /* blocks that start in this range of RIP stay with the interpreter; equal: none */
    uint32_t log;           /* X86_LOG_* */
};
enum {
    X86_LOG_IN_ASM = 1 << 0, X86_LOG_OP = 1 << 1, X86_LOG_OUT_ASM = 1 << 2, X86_LOG_EXEC = 1 << 3, X86_LOG_INT = 1 << 4,
    X86_LOG_CPU = 1 << 5, X86_LOG_CPU_RESET = 1 << 6, X86_LOG_PCALL = 1 << 7, X86_LOG_MMU = 1 << 8,
    X86_LOG_NOCHAIN = 1 << 9,   /* no item: as no_chain, while it is set */
};

/** x86_jit_works() - can this host run translated code? false: *errp says why not */
bool x86_jit_works(Error **errp);
/** x86_cpu_set_engine() - before the first run. Return: false: *errp says what cannot be had; the interpreter stays */
bool x86_cpu_set_engine(struct x86_cpu *cpu, const struct x86_engine_opts *o, Error **errp);

/** x86_log_bits() - LOG_* of lib/log.h to X86_LOG_* */
uint32_t x86_log_bits(uint32_t log_mask);
/** x86_cpu_set_log() - X86_LOG_* from now on; any thread. The lines go to lib/log.h, whose mask has to agree */
void x86_cpu_set_log(struct x86_cpu *cpu, uint32_t bits);

/** x86_cpu_reset() - INIT/RESET state (SDM vol. 3, table 10-1); the CPU must not be running */
void x86_cpu_reset(struct x86_cpu *cpu);
/**
 * x86_cpu_start_flat32() - protected mode, flat 4 GiB segments, paging off, interrupts off: what Linux' 32-bit boot
 * protocol, multiboot and PVH all start with. The GDT is the caller's business (gdt_base, limit point at it).
 */
void x86_cpu_start_flat32(struct x86_cpu *cpu, uint32_t eip, uint32_t eax, uint32_t ebx, uint32_t esi,
                          uint64_t gdt_base, uint16_t gdt_limit, uint16_t cs_sel, uint16_t ds_sel);

enum x86_exit {
    X86_EXIT_KICK,      /* x86_cpu_kick() or a change that the caller wants to look at */
    X86_EXIT_HALT,      /* HLT with nothing to do: wait until x86_cpu_has_work() */
    X86_EXIT_SHUTDOWN,  /* triple fault */
};

/** x86_cpu_run() - run guest code; vCPU thread, machine lock not held */
enum x86_exit x86_cpu_run(struct x86_cpu *cpu);
/** x86_cpu_kick() - make x86_cpu_run() return soon; any thread, also before the run starts (it then returns at once) */
void x86_cpu_kick(struct x86_cpu *cpu);
/** x86_cpu_has_work() - would a halted CPU wake up now? any thread */
bool x86_cpu_has_work(struct x86_cpu *cpu);

/** x86_cpu_set_wake() - called (any thread) whenever a halted CPU may have to wake; set before the first run */
void x86_cpu_set_wake(struct x86_cpu *cpu, void (*wake)(void *opaque), void *opaque);

/* Pins; any thread. INTR is level sensitive and stays until the platform lowers it. */
void x86_cpu_set_intr(struct x86_cpu *cpu, bool level);
void x86_cpu_nmi(struct x86_cpu *cpu);
void x86_cpu_init(struct x86_cpu *cpu);
void x86_cpu_sipi(struct x86_cpu *cpu, uint8_t vector);
void x86_cpu_set_a20(struct x86_cpu *cpu, bool on);

/** x86_cpu_wrote_ram() - see ram_set_code_hook(): @len bytes of a page with decoded code changed; any thread */
void x86_cpu_wrote_ram(struct x86_cpu *cpu, struct ram_block *b, uint64_t off, uint64_t len);

/**
 * x86_cpu_set_wall_clock() - what date the guest's kvmclock shows (nanoseconds since 1970); NULL, as at first: the
 * host's. @wall_ns is called from the vCPU thread without the machine lock
 */
void x86_cpu_set_wall_clock(struct x86_cpu *cpu, int64_t (*wall_ns)(void *opaque), void *opaque);

/** x86_tsc() - the time stamp counter now: nanoseconds of CLOCK_VIRTUAL plus what the guest wrote; vCPU thread or machine lock */
uint64_t x86_tsc(struct x86_cpu *cpu);

/**
 * x86_cpu_join() - @cpu runs on the same memory as @first (SMP): each learns what the other writes to code it has
 * decoded. Before either runs; x86_cpu_wrote_ram() of one then reaches all.
 */
void x86_cpu_join(struct x86_cpu *first, struct x86_cpu *cpu);
/**
 * x86_cpu_set_topology() - CPU @index of @total cores in one package; the index is the APIC id. Before the first run.
 * CPU 0 is the boot processor; after a reset or INIT the others wait for a start-up IPI
 */
void x86_cpu_set_topology(struct x86_cpu *cpu, unsigned index, unsigned total);

/* For monitors: the CPU must be stopped (not inside x86_cpu_run). */
void x86_cpu_print_regs(struct x86_cpu *cpu, GString *out);     /* "info registers" */
void x86_cpu_print_mem(struct x86_cpu *cpu, GString *out);      /* "info mem": mapped ranges with their rights */
void x86_cpu_print_stats(struct x86_cpu *cpu, GString *out);    /* "info jit": blocks, TLB, instructions */
void x86_cpu_print_ops(struct x86_cpu *cpu, GString *out);      /* "info opcount": what the blocks at hand are made of */
/** x86_cpu_debug_read() - copy from a linear address as the CPU would see it; false when not mapped */
bool x86_cpu_debug_read(struct x86_cpu *cpu, uint64_t la, void *buf, size_t len);
/**
 * x86_disas() - one line of assembly-like text for the instruction at @bytes, decoded as @cpu's present mode would
 * @ip: its address, for branch targets; Return: its length, 0: more than @avail bytes are needed
 */
unsigned x86_disas(struct x86_cpu *cpu, uint64_t ip, const uint8_t *bytes, unsigned avail, char *text, unsigned size);
bool x86_cpu_halted(struct x86_cpu *cpu);
uint64_t x86_cpu_pc(struct x86_cpu *cpu);       /* CS base + RIP */
/** x86_cpu_reg() - value of a register by name (rax, eip, cs, cr3, eflags...); false: no such register */
bool x86_cpu_reg(struct x86_cpu *cpu, const char *name, uint64_t *val);
/** x86_cpu_instructions() - instructions retired since reset (approximate while running); any thread */
uint64_t x86_cpu_instructions(struct x86_cpu *cpu);
/** x86_cpu_feature_flag() - is a CPUID bit set that the board must agree with, by QEMU's name ("apic", "x2apic") */
bool x86_cpu_has_feature(struct x86_cpu *cpu, const char *name);

#endif
