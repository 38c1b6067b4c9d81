/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/seg.h - segmentation, gates, task switches (SDM vol. 3, chapters 3, 5, 6, 7)
 *
 * All of these raise what the processor raises, with cpu->cur as the instruction at fault; whoever calls them has set
 * it. Nothing architectural changes before the last check of the operation is passed, except where the SDM says
 * otherwise (task switches past the commit point). Far transfers end with regs[REG_RIP] and CS set and
 * x86_mode_update() called.
 */
#ifndef TARGET_X86_SEG_H
#define TARGET_X86_SEG_H

#include "target/x86/mmu.h"

/* A descriptor as it is in memory */
struct x86_desc {
    uint32_t lo, hi;
    uint32_t base_hi;           /* bits 63:32 of the base or offset, from 16-byte descriptors */
    uint64_t la;                /* where it was read */
};

enum { /* system descriptor types, SDM vol. 3, table 3-2 */
    SYS_TSS16 = 1, SYS_LDT = 2, SYS_TSS16_BUSY = 3, SYS_CALL16 = 4, SYS_TASK = 5, SYS_INT16 = 6, SYS_TRAP16 = 7,
    SYS_TSS = 9, SYS_TSS_BUSY = 11, SYS_CALL = 12, SYS_INT = 14, SYS_TRAP = 15,
};

static inline unsigned desc_type(const struct x86_desc *d) { return d->hi >> 8 & 15; }
static inline bool desc_s(const struct x86_desc *d) { return d->hi >> 12 & 1; }
static inline unsigned desc_dpl(const struct x86_desc *d) { return d->hi >> 13 & 3; }
static inline bool desc_p(const struct x86_desc *d) { return d->hi >> 15 & 1; }
static inline bool desc_l(const struct x86_desc *d) { return d->hi >> 21 & 1; }
static inline bool desc_db(const struct x86_desc *d) { return d->hi >> 22 & 1; }
static inline bool desc_is_code(const struct x86_desc *d) { return desc_s(d) && (desc_type(d) & 8); }
static inline bool desc_is_conforming(const struct x86_desc *d) { return (desc_type(d) & 12) == 12; }
static inline bool desc_is_data_rw(const struct x86_desc *d) { return desc_s(d) && (desc_type(d) & 10) == 2; }

static inline uint32_t desc_base(const struct x86_desc *d)
{
    return d->lo >> 16 | (d->hi & 0xFF) << 16 | (d->hi & 0xFF000000);
}
static inline uint32_t desc_limit(const struct x86_desc *d)
{
    uint32_t l = (d->lo & 0xFFFF) | (d->hi & 0xF0000);

    return d->hi & 1 << 23 ? l << 12 | 0xFFF : l;
}

/* Real-address or virtual-8086 mode: a selector is a paragraph number */
static inline bool seg_is_real(const struct x86_cpu *cpu)
{
    return !(cpu->cr0 & CR0_PE) || (cpu->eflags & FL_VM);
}

/** desc_read() - the 8 bytes that @sel names; false: null, outside its table, or no LDT */
bool desc_read(struct x86_cpu *cpu, uint16_t sel, struct x86_desc *d);
/**
 * desc_read16() - the second half of a 16-byte descriptor; raises #GP(@sel) when it does not fit or its type field is
 * not 0
 */
void desc_read16(struct x86_cpu *cpu, uint16_t sel, struct x86_desc *d);
/** desc_accessed() - set the accessed bit in memory */
void desc_accessed(struct x86_cpu *cpu, struct x86_desc *d);
/** seg_set() - fill a segment register from a descriptor */
void seg_set(struct x86_cpu *cpu, unsigned seg, uint16_t sel, const struct x86_desc *d);
void seg_set_null(struct x86_cpu *cpu, unsigned seg, uint16_t sel);
/** seg_set_real() - real-address and virtual-8086 mode */
void seg_set_real(struct x86_cpu *cpu, unsigned seg, uint16_t sel);
/** seg_set_vm86() - as an IRET to virtual-8086 mode leaves them */
void seg_set_vm86(struct x86_cpu *cpu, unsigned seg, uint16_t sel);
/** seg_load() - MOV to segment register, POP, LDS...: any but CS, in any mode. Call x86_mode_update() afterwards */
void seg_load(struct x86_cpu *cpu, unsigned seg, uint16_t sel);
void seg_load_ldt(struct x86_cpu *cpu, uint16_t sel);
void seg_load_tr(struct x86_cpu *cpu, uint16_t sel);
/** seg_check_ip() - #GP(0) when @ip is not in the code segment @d describes */
void seg_check_ip(struct x86_cpu *cpu, const struct x86_desc *d, uint64_t ip);
/** seg_drop_data() - on a return to an outer level: data segments that it may not use become null */
void seg_drop_data(struct x86_cpu *cpu, unsigned cpl);

/* A stack being pushed to or popped from, before any register changes */
struct x86_stack {
    const struct x86_seg *ss;   /* NULL: flat 64-bit */
    uint64_t sp, mask;
    unsigned bank;
    uint32_t err;               /* error code of #SS */
};
/** stack_init() - the present one */
void stack_init(struct x86_cpu *cpu, struct x86_stack *s);
/** stack_init_new() - one for @cpl (with @ss NULL in long mode) */
void stack_init_new(struct x86_cpu *cpu, struct x86_stack *s, const struct x86_seg *ss, uint64_t sp, unsigned cpl);
void stack_push(struct x86_cpu *cpu, struct x86_stack *s, uint64_t v, unsigned size);
uint64_t stack_pop(struct x86_cpu *cpu, struct x86_stack *s, unsigned size);
/** stack_commit() - RSP, ESP or SP becomes s->sp */
void stack_commit(struct x86_cpu *cpu, const struct x86_stack *s);

/** tss_stack() - stack for privilege level @cpl from the TSS, checked (#TS, #SS); not in long mode */
void tss_stack(struct x86_cpu *cpu, unsigned cpl, struct x86_seg *ss, uint32_t *sp);
/** tss_stack64() - RSPn, or IST @ist (1..7) */
uint64_t tss_stack64(struct x86_cpu *cpu, unsigned cpl, unsigned ist);

/* @size: log2 of the operand size. @next: RIP behind the instruction */
void x86_far_jmp(struct x86_cpu *cpu, uint16_t sel, uint64_t off, unsigned size, uint64_t next);
void x86_far_call(struct x86_cpu *cpu, uint16_t sel, uint64_t off, unsigned size, uint64_t next);
void x86_far_ret(struct x86_cpu *cpu, unsigned size, unsigned pop);
void x86_iret(struct x86_cpu *cpu, unsigned size, uint64_t next);

enum task_why { TASK_JMP, TASK_CALL, TASK_INT, TASK_IRET };
/**
 * x86_task_switch() - to the TSS @d that @sel names; the caller has checked type (but for TASK_IRET) and privilege
 * @next: RIP saved in the old TSS. @push_err: an error code goes on the new task's stack
 */
void x86_task_switch(struct x86_cpu *cpu, uint16_t sel, struct x86_desc *d, enum task_why why, uint64_t next,
                     bool push_err, uint32_t err);

/**
 * x86_io_check() - may this code use ports [port, port + len): IOPL, TSS bitmap; raises #GP(0). Also I/O breakpoints
 */
void x86_io_check(struct x86_cpu *cpu, const struct x86_rec *r, uint16_t port, unsigned len);
/** x86_io_in()/x86_io_out() - the access itself (machine lock taken inside); @len 1, 2, 4 */
uint32_t x86_io_in(struct x86_cpu *cpu, uint16_t port, unsigned len);
void x86_io_out(struct x86_cpu *cpu, uint16_t port, uint32_t v, unsigned len);

/** x86_flags_load() - write EFLAGS bits in @mask from @v, then x86_mode_update() */
void x86_flags_load(struct x86_cpu *cpu, uint32_t v, uint32_t mask);

#endif
