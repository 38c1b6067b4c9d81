/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/jit/operand.h - what the templates of integer instructions share: operand sizes, byte registers,
 * registers in memory
 */
#ifndef TARGET_X86_JIT_OPERAND_H
#define TARGET_X86_JIT_OPERAND_H

#include "target/x86/jit/jit_int.h"

/* Opcode of the byte form made one of the record's size: opcode | 1, 66, REX.W */
static inline unsigned sized(unsigned op8, unsigned size)
{
    return size == 0 ? op8 | X_B8REG | X_B8RM : size == 1 ? (op8 | 1) | X_66 : size == 2 ? op8 | 1 : (op8 | 1) | X_W;
}

static inline bool in_memory(unsigned off)
{
    return !jit_high8(off) && jit_greg(off >> 3) == X_NONE;
}

/* Legal without REX beside a high byte register? */
static inline bool no_rex(unsigned off)
{
    unsigned h = jit_greg(off >> 3);

    return jit_high8(off) || h == X_NONE || h < 4;
}

/* May @a (and @b; ~0u: none) be operands of one byte instruction; *legacy: without REX */
static inline bool bytes_ok(unsigned size, unsigned a, unsigned b, unsigned *legacy)
{
    bool high = jit_high8(a) || (b != ~0u && jit_high8(b));

    *legacy = 0;
    if (size || !high) {
        return true;
    }
    *legacy = X_LEGACY8;
    return no_rex(a) && (b == ~0u || no_rex(b));
}

/* Write scratch @tmp to general register @off, by operand size; changes no flags */
static inline void put(struct jit_tr *t, unsigned off, unsigned size, unsigned tmp)
{
    struct x64_rm d = jit_gop(t, off, size);

    if (size == 2 && d.mem) {
        x64_st(&t->h, d, tmp);          /* the upper half is zero already */
    } else {
        x64_op(&t->h, sized(0x88, size), tmp, d);
    }
}

/* Load an operand of @size into scratch @tmp; small ones zero-extended */
static inline void get(struct jit_tr *t, unsigned tmp, unsigned size, struct x64_rm m)
{
    switch (size) {
    case 0:
        x64_op(&t->h, 0xB6 | X_0F, tmp, m);
        break;
    case 1:
        x64_op(&t->h, 0xB7 | X_0F, tmp, m);
        break;
    case 2:
        x64_ld32(&t->h, tmp, m);
        break;
    default:
        x64_ld(&t->h, tmp, m);
        break;
    }
}

static inline void imm(struct jit_tr *t, unsigned size, uint64_t v)
{
    if (size == 0) {
        x64_b1(&t->h, (uint8_t)v);
    } else if (size == 1) {
        x64_b1(&t->h, (uint8_t)v);
        x64_b1(&t->h, (uint8_t)(v >> 8));
    } else {
        x64_b4(&t->h, (uint32_t)v);
    }
}

/* The rm operand in a form that an instruction can read: checked memory, or a register (which may be in memory too) */
static inline struct x64_rm rm_read(struct jit_tr *t, const struct x86_rec *r, unsigned size)
{
    return r->flags & REC_MEM ? jit_mem(t, 1u << size, JA_LD) : jit_gop(t, r->rm, size);
}

/* Do host flags that a later record needs live across the record being translated? */
static inline bool flags_live(const struct jit_tr *t)
{
    return t->nat && t->ri[t->i].nat_in;
}

/* Operand size as prefixes, for opcodes without a byte form */
static inline unsigned wide(unsigned size)
{
    return size == 1 ? X_66 : size == 3 ? X_W : 0;
}

#endif
