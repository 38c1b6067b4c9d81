/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/interp/fpu.h - what x87 handlers are made of
 *
 * Order of an instruction: pending exception (#MF), memory operand, stack faults, the operation on the host, then the
 * commit: result, flags, pop. cpu->fpu.fsw has no TOP; ES and B are kept in it: an exception flag that is set and
 * unmasked. x87 handlers are plain calls (X87 below): they may use locals freely.
 */
#ifndef TARGET_X86_INTERP_FPU_H
#define TARGET_X86_INTERP_FPU_H

#include "target/x86/fp.h"
#include "target/x86/interp/fpu_host.h"
#include "target/x86/interp/handler.h"

/** fpu_pending() - ES is set and a waiting instruction comes: #MF (does not return), or with CR0.NE clear FERR# */
void fpu_pending(struct x86_cpu *cpu, const struct x86_rec *r);
/** fpu_update_es() - recompute ES and B from flags and masks */
void fpu_update_es(struct x86_cpu *cpu);
/** fpu_set_cw() - FLDCW and everything that loads a control word; host included. ES follows */
void fpu_set_cw(struct x86_cpu *cpu, uint16_t cw);
/** fpu_ptrs() - record FOP, FIP, FDP of @r as the CPU model does; @fault: it has raised an unmasked exception */
void fpu_ptrs(struct x86_cpu *cpu, const struct x86_rec *r, bool fault);
/** fpu_fault() - an unmasked exception: ES, B, pointers */
void fpu_fault(struct x86_cpu *cpu, const struct x86_rec *r) __attribute__((cold));
/** fpu_stack_fault() - stack overflow or underflow. Return: masked, the caller goes on with the default NaN */
bool fpu_stack_fault(struct x86_cpu *cpu, const struct x86_rec *r, bool overflow);
/** fpu_init() - FNINIT */
void fpu_init(struct x86_cpu *cpu);
/** fpu_tag_word() - the full tag word as FNSTENV stores it */
uint16_t fpu_tag_word(const struct x86_fpu *f);
/** fpu_set_tag_word() - the abridged one from it */
void fpu_set_tag_word(struct x86_fpu *f, uint16_t tags);

static inline void fpu_wait(struct x86_cpu *cpu, const struct x86_rec *r)
{
    if (unlikely(cpu->fpu.fsw & FSW_ES)) {
        fpu_pending(cpu, r);
    }
}

/** fpu_flags() - exception flags of @sw (host status word) become sticky; C1 from @sw; ES, pointers */
static inline void fpu_flags(struct x86_cpu *cpu, const struct x86_rec *r, uint16_t sw)
{
    struct x86_fpu *f = &cpu->fpu;

    f->fsw = (f->fsw & ~FSW_C1) | (sw & (FSW_EXC | FSW_C1));
    if (unlikely(sw & ~f->fcw & FSW_EXC)) {
        fpu_fault(cpu, r);
    } else if (f->ptr_rule & (X87_FIP_ALWAYS | X87_FDP_ALWAYS)) {
        fpu_ptrs(cpu, r, false);
    }
}

static inline unsigned fpu_phys(const struct x86_cpu *cpu, unsigned i)
{
    return (cpu->fpu.top + i) & 7;
}

static inline struct x87_reg *fpu_st(struct x86_cpu *cpu, unsigned i)
{
    return &cpu->fpu.r[fpu_phys(cpu, i)];
}

static inline bool fpu_empty(const struct x86_cpu *cpu, unsigned i)
{
    return !(cpu->fpu.ftw >> fpu_phys(cpu, i) & 1);
}

/*
 * Registers are copied as 8 and 2 bytes: the host's FSTP m80 writes them so, and one 16-byte load would wait for both
 * stores
 */
static inline struct x87_reg fpu_get(struct x86_cpu *cpu, unsigned i)
{
    const struct x87_reg *r = fpu_st(cpu, i);

    return (struct x87_reg){ .m = r->m, .se = r->se };
}

static inline void fpu_pop(struct x86_cpu *cpu)
{
    cpu->fpu.ftw &= ~(1u << cpu->fpu.top);
    cpu->fpu.top = (cpu->fpu.top + 1) & 7;
}

static inline void fpu_set_st(struct x86_cpu *cpu, unsigned i, const struct x87_reg *v)
{
    struct x87_reg *r = fpu_st(cpu, i);

    cpu->fpu.ftw |= 1u << fpu_phys(cpu, i);
    r->m = v->m;
    r->se = v->se;
}

/** fpu_push() - @v becomes ST(0); the caller has looked for overflow */
static inline void fpu_push(struct x86_cpu *cpu, const struct x87_reg *v)
{
    cpu->fpu.top = (cpu->fpu.top - 1) & 7;
    fpu_set_st(cpu, 0, v);
}

/** fpu_push_done() - what is in ST(7) becomes ST(0) */
static inline void fpu_push_done(struct x86_cpu *cpu)
{
    cpu->fpu.top = (cpu->fpu.top - 1) & 7;
    cpu->fpu.ftw |= 1u << cpu->fpu.top;
}

/** fpu_open() - exceptions of @sw that are unmasked, of those in @which */
static inline bool fpu_open(const struct x86_cpu *cpu, uint16_t sw, unsigned which)
{
    return sw & ~cpu->fpu.fcw & which;
}

static const struct x87_reg x87_indefinite = { 0xC000000000000000ull, 0xFFFF, { 0 } };

/* X87(name) { ... }: a handler whose body is a call of its own, so that the sibling call at its end stays one */
#define X87(name)                                                                                                      \
    static void f_##name(struct x86_cpu *cpu, const struct x86_rec *r);                                                \
    static X86_OP(name)                                                                                                \
    {                                                                                                                  \
        f_##name(cpu, r);                                                                                              \
        X86_NEXT;                                                                                                      \
    }                                                                                                                  \
    static __attribute__((noinline)) void f_##name(struct x86_cpu *cpu, const struct x86_rec *r)

x86_handler *fpu_bind_arith(const struct x86_rec *r);   /* interp/fpu_arith.c */
x86_handler *fpu_bind_move(const struct x86_rec *r);    /* interp/fpu_move.c */
x86_handler *fpu_bind_env(const struct x86_rec *r);     /* interp/fpu_env.c */
x86_handler *fpu_bind_xsave(const struct x86_rec *r);   /* interp/xsave.c */

#endif
