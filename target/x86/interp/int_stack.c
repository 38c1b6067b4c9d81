/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/interp/int_stack.c - PUSH POP PUSHA POPA ENTER LEAVE, and the flag instructions LAHF SAHF CLC STC CMC CLD
 * STD SALC
 *
 * The stack pointer is as wide as SS.B says (64 bits in 64-bit mode); what is pushed is as wide as the operand size
 * (SDM vol. 1, 6.2.3). Registers change after the last access: instructions with several accesses probe all of them
 * first.
 */
#include "target/x86/interp/fast.h"

static uint64_t sp_get(const struct x86_cpu *cpu)
{
    return reg_get(cpu, R_SP * 8, stack_size(cpu));
}

static void sp_set(struct x86_cpu *cpu, uint64_t sp)
{
    reg_set(cpu, R_SP * 8, stack_size(cpu), sp);
}

/* sp + n in the stack's width */
static uint64_t sp_add(const struct x86_cpu *cpu, uint64_t sp, int64_t n)
{
    return zx(sp + (uint64_t)n, stack_size(cpu));
}

X86_OP(push_any)
{
    unsigned n = 1u << r->size;
    uint64_t v = r->form == FORM_I ? r->imm : rm_get(cpu, r, r->size), sp = sp_add(cpu, sp_get(cpu), -(int64_t)n);

    mem_st(cpu, r, stack_la(cpu, r, sp, n, true), r->size, v);
    sp_set(cpu, sp);
    X86_NEXT;
}

/* An address with rSP as base counts from the incremented rSP (SDM vol. 2, POP) */
static uint64_t pop_la(struct x86_cpu *cpu, const struct x86_rec *r)
{
    uint64_t ea = cpu->regs[r->base] + (cpu->regs[r->index] << r->scale) + (uint64_t)(int64_t)r->disp;

    if (r->base == R_SP) {
        ea += 1u << r->size;
    }
    ea = zx(ea, r->asize);
    if (r->flags & (REC_FLAT64 | REC_FLAT32)) {
        return ea;
    }
    return seg_linear(cpu, r, r->seg, ea, 1u << r->size, true);
}

X86_OP(pop_any)
{
    unsigned n = 1u << r->size;
    uint64_t sp = sp_get(cpu), v = mem_ld(cpu, r, stack_la(cpu, r, sp, n, false), r->size);

    if (r->flags & REC_MEM) {
        mem_st(cpu, r, pop_la(cpu, r), r->size, v);
        sp_set(cpu, sp_add(cpu, sp, n));
    } else {
        sp_set(cpu, sp_add(cpu, sp, n));
        reg_set(cpu, r->rm, r->size, v);
    }
    X86_NEXT;
}

/* All eight, AX first; the SP pushed is the one before */
static X86_OP(pusha)
{
    unsigned n = 1u << r->size;
    uint64_t sp = sp_get(cpu);

    for (unsigned i = 0; i < 8; i++) {
        mem_probe(cpu, r, stack_la(cpu, r, sp_add(cpu, sp, -(int64_t)(n * (i + 1))), n, true), n, true);
    }
    for (unsigned i = 0; i < 8; i++) {
        mem_st(cpu, r, stack_la(cpu, r, sp_add(cpu, sp, -(int64_t)(n * (i + 1))), n, true), r->size, cpu->regs[i]);
    }
    sp_set(cpu, sp_add(cpu, sp, -(int64_t)(n * 8)));
    X86_NEXT;
}

static __attribute__((noinline)) void do_popa(struct x86_cpu *cpu, const struct x86_rec *r)
{
    unsigned n = 1u << r->size;
    uint64_t sp = sp_get(cpu), v[8];

    for (unsigned i = 0; i < 8; i++) {
        v[7 - i] = mem_ld(cpu, r, stack_la(cpu, r, sp_add(cpu, sp, n * i), n, false), r->size);
    }
    for (unsigned i = 0; i < 8; i++) {
        if (i != R_SP) {
            reg_set(cpu, i * 8, r->size, v[i]);
        }
    }
    sp_set(cpu, sp_add(cpu, sp, n * 8));
}

static X86_OP(popa)
{
    do_popa(cpu, r);
    X86_NEXT;
}

/* SDM vol. 2, ENTER: level - 1 frame pointers are copied, then the new one; at last the frame is checked for writing */
static X86_OP(enter)
{
    unsigned size = r->size, n = 1u << size, level = (unsigned)(r->imm >> 16) & 31, alloc = (uint16_t)r->imm;
    uint64_t sp = sp_get(cpu), bp = reg_get(cpu, R_BP * 8, stack_size(cpu)), frame, end, v;

    frame = sp_add(cpu, sp, -(int64_t)n);
    end = sp_add(cpu, frame, -(int64_t)(level * n + alloc));
    mem_st(cpu, r, stack_la(cpu, r, frame, n, true), size, cpu->regs[R_BP]);
    sp = frame;
    for (unsigned i = 1; i < level; i++) {
        bp = sp_add(cpu, bp, -(int64_t)n);
        v = mem_ld(cpu, r, stack_la(cpu, r, bp, n, false), size);
        sp = sp_add(cpu, sp, -(int64_t)n);
        mem_st(cpu, r, stack_la(cpu, r, sp, n, true), size, v);
    }
    if (level) {
        sp = sp_add(cpu, sp, -(int64_t)n);
        mem_st(cpu, r, stack_la(cpu, r, sp, n, true), size, frame);
    }
    mem_probe(cpu, r, stack_la(cpu, r, end, n, true), n, true);
    reg_set(cpu, R_BP * 8, size, frame);
    sp_set(cpu, end);
    X86_NEXT;
}

static X86_OP(leave_any)
{
    unsigned n = 1u << r->size;
    uint64_t sp = reg_get(cpu, R_BP * 8, stack_size(cpu));
    uint64_t v = mem_ld(cpu, r, stack_la(cpu, r, sp, n, false), r->size);

    sp_set(cpu, sp_add(cpu, sp, n));
    reg_set(cpu, R_BP * 8, r->size, v);
    X86_NEXT;
}

/*
 * Specialised: 64-bit stack, flat 32-bit stack
 */
FAST const struct x86_rec *push(struct x86_cpu *cpu, const struct x86_rec *r, unsigned size, bool imm)
{
    uint64_t sp = zx(cpu->regs[R_SP] - (1u << size), size);
    char *p;

    if (unlikely(!tlb_wr(cpu, sp, 1u << size, &p))) {
        return x86_push_any(cpu, r);
    }
    host_st(p, size, imm ? r->imm : reg_get(cpu, r->rm, size));
    cpu->regs[R_SP] = sp;
    X86_NEXT;
}

FAST const struct x86_rec *pop(struct x86_cpu *cpu, const struct x86_rec *r, unsigned size)
{
    uint64_t sp = zx(cpu->regs[R_SP], size);
    char *p;

    if (unlikely(!tlb_rd(cpu, sp, 1u << size, &p))) {
        return x86_pop_any(cpu, r);
    }
    cpu->regs[R_SP] = zx(sp + (1u << size), size);
    REG64(r->rm) = host_ld(p, size);
    X86_NEXT;
}

FAST const struct x86_rec *leave(struct x86_cpu *cpu, const struct x86_rec *r, unsigned size)
{
    uint64_t sp = zx(cpu->regs[R_BP], size);
    char *p;

    if (unlikely(!tlb_rd(cpu, sp, 1u << size, &p))) {
        return x86_leave_any(cpu, r);
    }
    cpu->regs[R_SP] = zx(sp + (1u << size), size);
    cpu->regs[R_BP] = host_ld(p, size);
    X86_NEXT;
}

static X86_OP(push64) { return push(cpu, r, 3, false); }
static X86_OP(push64_i) { return push(cpu, r, 3, true); }
static X86_OP(push32) { return push(cpu, r, 2, false); }
static X86_OP(push32_i) { return push(cpu, r, 2, true); }
static X86_OP(pop64) { return pop(cpu, r, 3); }
static X86_OP(pop32) { return pop(cpu, r, 2); }
static X86_OP(leave64) { return leave(cpu, r, 3); }
static X86_OP(leave32) { return leave(cpu, r, 2); }

/*
 * Flags
 */
static X86_OP(lahf)
{
    REG8(1) = (uint8_t)((flags_arith(cpu) & 0xFF) | FL_1);
    X86_NEXT;
}

static X86_OP(sahf)
{
    flags_set_arith(cpu, (flags_arith(cpu) & FL_OF) | REG8(1));
    X86_NEXT;
}

static X86_OP(salc)
{
    REG8(0) = flags_arith(cpu) & FL_CF ? 0xFF : 0;
    X86_NEXT;
}

/* CLC, STC, CMC */
static X86_OP(carry)
{
    uint32_t f = flags_arith(cpu);

    f = r->op == OP_CMC ? f ^ FL_CF : r->op == OP_STC ? f | FL_CF : f & ~(uint32_t)FL_CF;
    flags_set_arith(cpu, f);
    X86_NEXT;
}

static X86_OP(cld)
{
    cpu->eflags &= ~(uint32_t)FL_DF;
    X86_NEXT;
}

static X86_OP(std)
{
    cpu->eflags |= FL_DF;
    X86_NEXT;
}

x86_handler *x86_bind_stack(const struct x86_rec *r, uint32_t mode)
{
    bool m64 = mode & MODE_64 && r->size == 3, mem = r->flags & REC_MEM;
    bool m32 = !(mode & MODE_64) && r->size == 2 &&
               (mode & (MODE_SS32 | MODE_FLAT_SS)) == (MODE_SS32 | MODE_FLAT_SS);

    switch (r->op) {
    case OP_PUSH:
        if (mem || (!m64 && !m32)) {
            return x86_push_any;
        }
        return r->form == FORM_I ? (m64 ? x86_push64_i : x86_push32_i) : m64 ? x86_push64 : x86_push32;
    case OP_POP:
        return mem || (!m64 && !m32) ? x86_pop_any : m64 ? x86_pop64 : x86_pop32;
    case OP_PUSHA:
        return x86_pusha;
    case OP_POPA:
        return x86_popa;
    case OP_ENTER:
        return x86_enter;
    case OP_LEAVE:
        return m64 ? x86_leave64 : m32 ? x86_leave32 : x86_leave_any;
    case OP_LAHF:
        return x86_lahf;
    case OP_SAHF:
        return x86_sahf;
    case OP_SALC:
        return x86_salc;
    case OP_CLC:
    case OP_STC:
    case OP_CMC:
        return x86_carry;
    case OP_CLD:
        return x86_cld;
    case OP_STD:
        return x86_std;
    default:
        return NULL;
    }
}
