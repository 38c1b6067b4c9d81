/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/jit/emit_x64.h - an assembler for the host: one function for each way that an instruction is encoded
 *
 * An instruction is an opcode number with flag bits (X_*: prefixes, map, width), a register, and an operand that is a
 * register or memory (struct x64_rm). Memory is [base + index * scale + disp] or an absolute address below 2 GiB: the
 * CPU structure and the translator's own tables lie there, so they need no base register (SDM vol. 2, 2.2.1.3: SIB
 * with neither base nor index). Encodings: SDM vol. 2, chapter 2.
 */
#ifndef TARGET_X86_JIT_EMIT_X64_H
#define TARGET_X86_JIT_EMIT_X64_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum x64_reg {
    X_AX, X_CX, X_DX, X_BX, X_SP, X_BP, X_SI, X_DI, X_R8, X_R9, X_R10, X_R11, X_R12, X_R13, X_R14, X_R15, X_NONE = 0xFF,
};

/* Opcode word: bits 7:0 the opcode, then these */
enum x64_op {
    X_0F = 1 << 8, X_0F38 = 2 << 8, X_0F3A = 3 << 8, X_MAP = 3 << 8,
    X_66 = 1 << 10, X_F3 = 1 << 11, X_F2 = 1 << 12,
    X_W = 1 << 13,              /* REX.W */
    X_B8REG = 1 << 14,          /* the register operand is a byte register: SPL, BPL, SIL, DIL need REX */
    X_B8RM = 1 << 15,           /* the same for the rm operand */
    X_LOCK = 1 << 16,
    X_LEGACY8 = 1 << 17,        /* a high byte register (AH, CH, DH, BH as 4..7): no REX may be emitted */
    X_VEX = 1 << 18, X_VEXL = 1 << 19,
};

/* Where code goes. w is the writable alias of the byte that will run at rx. */
struct x64_buf {
    uint8_t *w, *end;           /* end: where emitting stops being allowed; overflow is set instead of writing behind it */
    intptr_t to_rx;             /* rx address = w + to_rx */
    bool overflow;
};

struct x64_rm {
    bool mem;
    uint8_t reg;                /* !mem */
    uint8_t base, index, scale; /* mem; X_NONE: none. Without base and index disp is an absolute address */
    int32_t disp;
};

static inline struct x64_rm x64_r(unsigned reg)
{
    return (struct x64_rm){ .reg = (uint8_t)reg };
}

static inline struct x64_rm x64_m(unsigned base, unsigned index, unsigned scale, int32_t disp)
{
    return (struct x64_rm){ .mem = true, .base = (uint8_t)base, .index = (uint8_t)index, .scale = (uint8_t)scale, .disp = disp };
}

static inline struct x64_rm x64_abs(const void *p)
{
    return x64_m(X_NONE, X_NONE, 0, (int32_t)(uintptr_t)p);
}

static inline uintptr_t x64_pc(const struct x64_buf *b)
{
    return (uintptr_t)b->w + (uintptr_t)b->to_rx;
}

static inline void x64_b1(struct x64_buf *b, unsigned v)
{
    if (b->w < b->end) {
        *b->w++ = (uint8_t)v;
    } else {
        b->overflow = true;
    }
}

static inline void x64_b4(struct x64_buf *b, uint32_t v)
{
    if (b->end - b->w >= 4) {
        memcpy(b->w, &v, 4);
        b->w += 4;
    } else {
        b->overflow = true;
    }
}

static inline void x64_b8(struct x64_buf *b, uint64_t v)
{
    x64_b4(b, (uint32_t)v);
    x64_b4(b, (uint32_t)(v >> 32));
}

/* ModRM, SIB, displacement */
static inline void x64_modrm(struct x64_buf *b, unsigned reg, const struct x64_rm *rm)
{
    unsigned r = (reg & 7) << 3, mod;

    if (!rm->mem) {
        x64_b1(b, 0xC0 | r | (rm->reg & 7));
        return;
    }
    if (rm->base == X_NONE) {           /* absolute, or index * scale + disp32 */
        x64_b1(b, r | 4);
        x64_b1(b, (unsigned)rm->scale << 6 | (rm->index == X_NONE ? 4u : rm->index & 7u) << 3 | 5);
        x64_b4(b, (uint32_t)rm->disp);
        return;
    }
    mod = rm->disp == 0 && (rm->base & 7) != X_BP ? 0 : rm->disp == (int8_t)rm->disp ? 1 : 2;
    if (rm->index != X_NONE || (rm->base & 7) == X_SP) {
        x64_b1(b, mod << 6 | r | 4);
        x64_b1(b, (unsigned)rm->scale << 6 | (rm->index == X_NONE ? 4u : rm->index & 7u) << 3 | (rm->base & 7u));
    } else {
        x64_b1(b, mod << 6 | r | (rm->base & 7u));
    }
    if (mod == 1) {
        x64_b1(b, (uint8_t)rm->disp);
    } else if (mod == 2) {
        x64_b4(b, (uint32_t)rm->disp);
    }
}

/** x64_op() - one instruction in legacy encoding; an immediate follows by x64_b1() or x64_b4() */
static inline void x64_op(struct x64_buf *b, unsigned op, unsigned reg, struct x64_rm rm)
{
    unsigned rex = op & X_W ? 8 : 0;

    rex |= reg & 8 ? 4 : 0;
    if (rm.mem) {
        rex |= rm.index != X_NONE && rm.index & 8 ? 2 : 0;
        rex |= rm.base != X_NONE && rm.base & 8 ? 1 : 0;
    } else {
        rex |= rm.reg & 8 ? 1 : 0;
    }
    if (((op & X_B8REG) && reg >= 4 && reg < 8) || ((op & X_B8RM) && !rm.mem && rm.reg >= 4 && rm.reg < 8)) {
        rex |= 0x40;
    }
    if (op & X_LOCK) {
        x64_b1(b, 0xF0);
    }
    if (op & X_66) {
        x64_b1(b, 0x66);
    }
    if (op & (X_F3 | X_F2)) {
        x64_b1(b, op & X_F3 ? 0xF3 : 0xF2);
    }
    if (rex && !(op & X_LEGACY8)) {
        x64_b1(b, 0x40 | rex);
    }
    if (op & X_MAP) {
        x64_b1(b, 0x0F);
        if ((op & X_MAP) != X_0F) {
            x64_b1(b, (op & X_MAP) == X_0F38 ? 0x38 : 0x3A);
        }
    }
    x64_b1(b, op & 0xFF);
    x64_modrm(b, reg, &rm);
}

/** x64_vex() - one instruction in VEX encoding: X_W, X_VEXL, the map and one of the prefixes are taken from @op */
static inline void x64_vex(struct x64_buf *b, unsigned op, unsigned reg, unsigned vvvv, struct x64_rm rm)
{
    unsigned map = (op & X_MAP) >> 8, pp = op & X_66 ? 1 : op & X_F3 ? 2 : op & X_F2 ? 3 : 0;
    unsigned r = reg & 8 ? 0 : 0x80, x = rm.mem && rm.index != X_NONE && rm.index & 8 ? 0 : 0x40;
    unsigned bb = (rm.mem ? rm.base != X_NONE && rm.base & 8 : rm.reg & 8) ? 0 : 0x20;
    unsigned last = (~vvvv & 15) << 3 | (op & X_VEXL ? 4u : 0) | pp;

    if (map == 1 && x && bb && !(op & X_W)) {           /* the short form */
        x64_b1(b, 0xC5);
        x64_b1(b, r | last);
    } else {
        x64_b1(b, 0xC4);
        x64_b1(b, r | x | bb | map);
        x64_b1(b, (op & X_W ? 0x80u : 0) | last);
    }
    x64_b1(b, op & 0xFF);
    x64_modrm(b, reg, &rm);
}

/*
 * The few that everything uses. 64 bits unless the name says 32
 */
static inline void x64_ld(struct x64_buf *b, unsigned reg, struct x64_rm rm)
{
    x64_op(b, 0x8B | X_W, reg, rm);
}

static inline void x64_ld32(struct x64_buf *b, unsigned reg, struct x64_rm rm)
{
    x64_op(b, 0x8B, reg, rm);
}

static inline void x64_st(struct x64_buf *b, struct x64_rm rm, unsigned reg)
{
    x64_op(b, 0x89 | X_W, reg, rm);
}

static inline void x64_st32(struct x64_buf *b, struct x64_rm rm, unsigned reg)
{
    x64_op(b, 0x89, reg, rm);
}

static inline void x64_lea(struct x64_buf *b, unsigned reg, struct x64_rm rm)
{
    x64_op(b, 0x8D | X_W, reg, rm);
}

static inline void x64_mov(struct x64_buf *b, unsigned to, unsigned from)
{
    x64_op(b, 0x8B | X_W, to, x64_r(from));
}

/* Store a constant: 32 bits, or 64 bits from a sign-extended one */
static inline void x64_st32i(struct x64_buf *b, struct x64_rm rm, uint32_t v)
{
    x64_op(b, 0xC7, 0, rm);
    x64_b4(b, v);
}

static inline void x64_st64i(struct x64_buf *b, struct x64_rm rm, int32_t v)
{
    x64_op(b, 0xC7 | X_W, 0, rm);
    x64_b4(b, (uint32_t)v);
}

static inline void x64_movi32(struct x64_buf *b, unsigned reg, uint32_t v)
{
    if (reg & 8) {
        x64_b1(b, 0x41);
    }
    x64_b1(b, 0xB8 | (reg & 7));
    x64_b4(b, v);
}

/* /digit of 80, 81, 83; the opcode's upper bits */
enum x64_alu { X_ADD, X_OR, X_ADC, X_SBB, X_AND, X_SUB, X_XOR, X_CMP };

static inline void x64_alui(struct x64_buf *b, enum x64_alu a, unsigned w, struct x64_rm rm, int32_t v)
{
    if (v == (int8_t)v) {
        x64_op(b, 0x83 | w, a, rm);
        x64_b1(b, (uint8_t)v);
    } else {
        x64_op(b, 0x81 | w, a, rm);
        x64_b4(b, (uint32_t)v);
    }
}

/* reg <- reg op rm */
static inline void x64_alu(struct x64_buf *b, enum x64_alu a, unsigned w, unsigned reg, struct x64_rm rm)
{
    x64_op(b, ((unsigned)a << 3 | 3) | w, reg, rm);
}

static inline void x64_push(struct x64_buf *b, unsigned reg)
{
    if (reg & 8) {
        x64_b1(b, 0x41);
    }
    x64_b1(b, 0x50 | (reg & 7));
}

static inline void x64_pop(struct x64_buf *b, unsigned reg)
{
    if (reg & 8) {
        x64_b1(b, 0x41);
    }
    x64_b1(b, 0x58 | (reg & 7));
}

/** x64_patch() - the rel32 at @at (writable alias) goes to @to (rx) */
static inline void x64_patch(const struct x64_buf *b, uint8_t *at, uintptr_t to)
{
    int32_t rel = (int32_t)(to - ((uintptr_t)at + (uintptr_t)b->to_rx + 4));

    memcpy(at, &rel, 4);
}

/* Branches to a known address; they return where the rel32 is, for x64_patch() */
static inline uint8_t *x64_rel(struct x64_buf *b, uintptr_t to)
{
    uint8_t *at = b->w;

    x64_b4(b, 0);
    if (!b->overflow) {
        x64_patch(b, at, to);
    }
    return at;
}

static inline uint8_t *x64_jmp(struct x64_buf *b, uintptr_t to)
{
    x64_b1(b, 0xE9);
    return x64_rel(b, to);
}

static inline uint8_t *x64_call(struct x64_buf *b, uintptr_t to)
{
    x64_b1(b, 0xE8);
    return x64_rel(b, to);
}

static inline uint8_t *x64_jcc(struct x64_buf *b, unsigned cc, uintptr_t to)
{
    x64_b1(b, 0x0F);
    x64_b1(b, 0x80 | cc);
    return x64_rel(b, to);
}

/* Short forward branch over a few instructions: x64_jcc8() ... x64_here8() */
static inline uint8_t *x64_jcc8(struct x64_buf *b, unsigned cc)
{
    x64_b1(b, 0x70 | cc);
    x64_b1(b, 0);
    return b->w - 1;
}

static inline uint8_t *x64_jmp8(struct x64_buf *b)
{
    x64_b1(b, 0xEB);
    x64_b1(b, 0);
    return b->w - 1;
}

static inline void x64_here8(struct x64_buf *b, uint8_t *at)
{
    if (b->w - at - 1 > 127) {
        b->overflow = true;             /* cannot be: all users are short */
    } else if (!b->overflow) {
        *at = (uint8_t)(b->w - at - 1);
    }
}

enum x64_cc { X_O, X_NO, X_B, X_AE, X_Z, X_NZ, X_BE, X_A, X_S, X_NS, X_P, X_NP, X_L, X_GE, X_LE, X_G };

#endif
