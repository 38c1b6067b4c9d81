/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/optable.h - the instruction table: one row an instruction
 *
 * The rows are in optable_*.inc, one file a map (one-byte, 0F, 0F 38, 0F 3A, x87, VEX), sorted by opcode:
 *
 *     R(first, last opcode, selectors, operation, operand pattern, size rule, class, CPUID feature)
 *
 * Opcode and selectors find the row. A selector limits one dimension (prefix, ModRM.reg, memory or register form,
 * mode...); a dimension that a row does not name is open. Several rows may stand under one opcode: the LAST one that
 * fits wins, and a row whose feature is not offered does not fit (so F3 0F BD is LZCNT or, on older CPUs, BSR with an
 * ignored prefix). No row: #UD.
 *
 * The decoder, the disassembler's names and the test generator (tests/x86) read this table.
 * SDM vol. 2, appendix A (opcode maps) and the instruction pages.
 */
#ifndef TARGET_X86_OPTABLE_H
#define TARGET_X86_OPTABLE_H

#include "target/x86/cpuid.h"
#include "target/x86/ops.h"
#include "target/x86/rec.h"

/* Selectors: one bit for each value of each dimension. */
#define SEL_NP      (1u << 0)       /* mandatory prefix: none, 66, F3, F2 (F3 and F2 win over 66) */
#define SEL_66      (1u << 1)
#define SEL_F3      (1u << 2)
#define SEL_F2      (1u << 3)
#define SEL_MEM     (1u << 4)       /* ModRM.mod */
#define SEL_REG     (1u << 5)
#define SEL_NO64    (1u << 6)
#define SEL_64      (1u << 7)
#define SEL_REAL    (1u << 8)       /* real or virtual-8086 mode */
#define SEL_PROT    (1u << 9)
#define SEL_W0      (1u << 10)      /* REX.W, VEX.W */
#define SEL_W1      (1u << 11)
#define SEL_L0      (1u << 12)      /* VEX.L */
#define SEL_L1      (1u << 13)
#define SEL_OP(n)   (1u << (14 + (n)))      /* ModRM.reg */
#define SEL_RM(n)   (1u << (22 + (n)))      /* ModRM.rm */
#define SEL_NP66    (SEL_NP | SEL_66)
#define SEL_OPEN(x, dim) (((x) & (dim)) ? 0u : (dim))
#define SEL_FULL(x) \
    ((x) | SEL_OPEN(x, 0xFu) | SEL_OPEN(x, 0x30u) | SEL_OPEN(x, 0xC0u) | SEL_OPEN(x, 0x300u) | SEL_OPEN(x, 0xC00u) | \
     SEL_OPEN(x, 0x3000u) | SEL_OPEN(x, 0xFFu << 14) | SEL_OPEN(x, 0xFFu << 22))

/* What a field of ModRM, VEX.vvvv or the opcode names. KIND_G: a byte register when the row's size rule is SIZE_B. */
enum x86_kind { KIND_NONE, KIND_G, KIND_GB, KIND_GW, KIND_X, KIND_Q, KIND_SREG, KIND_CR, KIND_DR, KIND_ST, KIND_OP };

enum x86_imm {
    IMM_NONE, IMM_B, IMM_BS, IMM_W, IMM_Z, IMM_V, IMM_JB, IMM_JZ, IMM_FAR, IMM_ENTER, IMM_MOFFS, IMM_ONE, IMM_R4,
};

/*
 * Operand patterns: form, what reg is, what rm is, immediate, ModRM, VEX.vvvv in use. Letters: E and G general
 * registers by ModRM.rm and .reg, Z register in the opcode, A accumulator, X vector (MMX or XMM by size), M MMX where
 * the size says XMM, V VEX.vvvv.
 */
#define X86_PATTERNS(P) \
    P(NONE,     FORM_NONE,      KIND_NONE, KIND_NONE, IMM_NONE,  0, 0) \
    P(MODRM,    FORM_NONE,      KIND_NONE, KIND_NONE, IMM_NONE,  1, 0)   /* ModRM is part of the opcode */ \
    P(E_G,      FORM_RM_R,      KIND_G,    KIND_G,    IMM_NONE,  1, 0) \
    P(G_E,      FORM_R_RM,      KIND_G,    KIND_G,    IMM_NONE,  1, 0) \
    P(G_EB,     FORM_R_RM,      KIND_G,    KIND_GB,   IMM_NONE,  1, 0) \
    P(GW_E,     FORM_R_RM,      KIND_GW,   KIND_G,    IMM_NONE,  1, 0)   /* CRC32: size is the source's */ \
    P(E_IZ,     FORM_RM_I,      KIND_NONE, KIND_G,    IMM_Z,     1, 0) \
    P(E_IB,     FORM_RM_I,      KIND_NONE, KIND_G,    IMM_B,     1, 0) \
    P(E_IS,     FORM_RM_I,      KIND_NONE, KIND_G,    IMM_BS,    1, 0) \
    P(G_E_IZ,   FORM_R_RM_I,    KIND_G,    KIND_G,    IMM_Z,     1, 0) \
    P(G_E_IS,   FORM_R_RM_I,    KIND_G,    KIND_G,    IMM_BS,    1, 0) \
    P(G_E_IB,   FORM_R_RM_I,    KIND_G,    KIND_G,    IMM_B,     1, 0) \
    P(E_G_IB,   FORM_RM_R_I,    KIND_G,    KIND_G,    IMM_B,     1, 0) \
    P(E,        FORM_RM,        KIND_NONE, KIND_G,    IMM_NONE,  1, 0) \
    P(Z,        FORM_R,         KIND_NONE, KIND_OP,   IMM_NONE,  0, 0) \
    P(Z_IV,     FORM_R_I,       KIND_NONE, KIND_OP,   IMM_V,     0, 0) \
    P(A_IZ,     FORM_R_I,       KIND_NONE, KIND_NONE, IMM_Z,     0, 0) \
    P(A_Z,      FORM_RM_R,      KIND_NONE, KIND_OP,   IMM_NONE,  0, 0) \
    P(IZ,       FORM_I,         KIND_NONE, KIND_NONE, IMM_Z,     0, 0) \
    P(IS,       FORM_I,         KIND_NONE, KIND_NONE, IMM_BS,    0, 0) \
    P(IB,       FORM_I,         KIND_NONE, KIND_NONE, IMM_B,     0, 0) \
    P(IW,       FORM_I,         KIND_NONE, KIND_NONE, IMM_W,     0, 0) \
    P(JB,       FORM_I,         KIND_NONE, KIND_NONE, IMM_JB,    0, 0) \
    P(JZ,       FORM_I,         KIND_NONE, KIND_NONE, IMM_JZ,    0, 0) \
    P(E_CL,     FORM_RM_CL,     KIND_NONE, KIND_G,    IMM_NONE,  1, 0) \
    P(E_1,      FORM_RM_1,      KIND_NONE, KIND_G,    IMM_ONE,   1, 0) \
    P(A_O,      FORM_R_MOFFS,   KIND_NONE, KIND_NONE, IMM_MOFFS, 0, 0) \
    P(O_A,      FORM_MOFFS_R,   KIND_NONE, KIND_NONE, IMM_MOFFS, 0, 0) \
    P(FAR,      FORM_FAR,       KIND_NONE, KIND_NONE, IMM_FAR,   0, 0) \
    P(IW_IB,    FORM_I16_I8,    KIND_NONE, KIND_NONE, IMM_ENTER, 0, 0) \
    P(E_S,      FORM_RM_R,      KIND_SREG, KIND_G,    IMM_NONE,  1, 0) \
    P(S_E,      FORM_R_RM,      KIND_SREG, KIND_G,    IMM_NONE,  1, 0) \
    P(E_C,      FORM_RM_R,      KIND_CR,   KIND_G,    IMM_NONE,  1, 0) \
    P(C_E,      FORM_R_RM,      KIND_CR,   KIND_G,    IMM_NONE,  1, 0) \
    P(E_D,      FORM_RM_R,      KIND_DR,   KIND_G,    IMM_NONE,  1, 0) \
    P(D_E,      FORM_R_RM,      KIND_DR,   KIND_G,    IMM_NONE,  1, 0) \
    P(F,        FORM_RM,        KIND_NONE, KIND_ST,   IMM_NONE,  1, 0) \
    P(F0,       FORM_NONE,      KIND_NONE, KIND_NONE, IMM_NONE,  1, 0) \
    P(X_X,      FORM_R_RM,      KIND_X,    KIND_X,    IMM_NONE,  1, 0) \
    P(XS,       FORM_RM_R,      KIND_X,    KIND_X,    IMM_NONE,  1, 0)   /* store */ \
    P(X_X_I,    FORM_R_RM_I,    KIND_X,    KIND_X,    IMM_B,     1, 0) \
    P(XS_I,     FORM_RM_R_I,    KIND_X,    KIND_X,    IMM_B,     1, 0) \
    P(X_I,      FORM_RM_I,      KIND_NONE, KIND_X,    IMM_B,     1, 0) \
    P(X_M,      FORM_R_RM,      KIND_X,    KIND_Q,    IMM_NONE,  1, 0) \
    P(M_X,      FORM_R_RM,      KIND_Q,    KIND_X,    IMM_NONE,  1, 0) \
    P(X_E,      FORM_R_RM,      KIND_X,    KIND_GW,   IMM_NONE,  1, 0) \
    P(E_X,      FORM_RM_R,      KIND_X,    KIND_GW,   IMM_NONE,  1, 0) \
    P(G_X,      FORM_R_RM,      KIND_GW,   KIND_X,    IMM_NONE,  1, 0) \
    P(X_E_I,    FORM_R_RM_I,    KIND_X,    KIND_GW,   IMM_B,     1, 0) \
    P(E_X_I,    FORM_RM_R_I,    KIND_X,    KIND_GW,   IMM_B,     1, 0) \
    P(G_X_I,    FORM_R_RM_I,    KIND_GW,   KIND_X,    IMM_B,     1, 0) \
    P(X_V_X,    FORM_R_V_RM,    KIND_X,    KIND_X,    IMM_NONE,  1, 1) \
    P(X_V_X_I,  FORM_R_V_RM_I,  KIND_X,    KIND_X,    IMM_B,     1, 1) \
    P(X_V_E,    FORM_R_V_RM,    KIND_X,    KIND_GW,   IMM_NONE,  1, 1) \
    P(X_V_E_I,  FORM_R_V_RM_I,  KIND_X,    KIND_GW,   IMM_B,     1, 1) \
    P(X_X_V,    FORM_R_RM_V,    KIND_X,    KIND_X,    IMM_NONE,  1, 1) \
    P(V_X_I,    FORM_V_RM_I,    KIND_NONE, KIND_X,    IMM_B,     1, 1) \
    P(X_V_X_R4, FORM_R_V_RM_R4, KIND_X,    KIND_X,    IMM_R4,    1, 1) \
    P(XS_V_X,   FORM_RM_V_R,    KIND_X,    KIND_X,    IMM_NONE,  1, 1) \
    P(G_V_E,    FORM_R_V_RM,    KIND_GW,   KIND_GW,   IMM_NONE,  1, 1) \
    P(G_E_V,    FORM_R_RM_V,    KIND_GW,   KIND_GW,   IMM_NONE,  1, 1) \
    P(V_E,      FORM_V_RM,      KIND_NONE, KIND_GW,   IMM_NONE,  1, 1)

enum x86_pattern {
#define X86_PAT_ENUM(name, ...) PAT_##name,
    X86_PATTERNS(X86_PAT_ENUM)
#undef X86_PAT_ENUM
    PAT_COUNT,
    PAT_CC = 0x80,          /* the low four opcode bits are a condition code: op + cc */
};

struct x86_pattern_info {
    uint8_t form, reg, rm, imm;
    bool modrm, vvvv;
};
extern const struct x86_pattern_info x86_patterns[PAT_COUNT];

enum x86_size {
    SIZE_0,         /* no matter */
    SIZE_B, SIZE_W, SIZE_D, SIZE_Q,
    SIZE_V,         /* 16, 32 or (REX.W) 64 bits */
    SIZE_Z,         /* 16 or 32 bits: REX.W counts as 32 */
    SIZE_S,         /* stack: 64 bits in 64-bit mode, 16 with 66 */
    SIZE_N,         /* near branch: 64 bits in 64-bit mode (66 is ignored there, as Intel does) */
    SIZE_M,         /* 64 bits in 64-bit mode, otherwise SIZE_Z (descriptor tables) */
    SIZE_C,         /* 64 bits in 64-bit mode, otherwise 32 (control registers) */
    SIZE_Y,         /* 32 or (W in 64-bit mode) 64 bits */
    SIZE_MX,        /* MMX without, XMM with 66 */
    SIZE_MM, SIZE_X,
    SIZE_L,         /* XMM or YMM by VEX.L */
};

/* Who may refuse it, beside the feature. SDM vol. 2, section 2.4 and 2.5; vol. 3, table 2-2, 13-1 */
enum x86_class {
    CLS_GEN,
    CLS_X87,        /* #NM: EM or TS */
    CLS_WAIT,       /* #NM: TS and MP */
    CLS_MMX,        /* #UD: EM; #NM: TS */
    CLS_SSE,        /* #UD: EM or no OSFXSR; #NM: TS */
    CLS_MX,         /* CLS_MMX without 66, CLS_SSE with it */
    CLS_FX,         /* FXSAVE: #NM: EM or TS */
    CLS_XS,         /* XSAVE: #UD: no OSXSAVE; #NM: TS */
    CLS_OSX,        /* XGETBV: #UD: no OSXSAVE */
    CLS_VEX,        /* VEX on general registers */
    CLS_AVX,        /* #UD: OSXSAVE or XCR0 lacks it; #NM: TS */
};

/* Feature column: X86_FEAT_x, or one of these */
enum { X86_FEAT_ALWAYS = 0xFFF, X86_FEAT_AVX12 = 0xFFE /* AVX with 128 bits, AVX2 with 256 */ };

struct x86_row {
    uint32_t sel;           /* SEL_*, every dimension filled in */
    uint16_t op, feat;
    uint8_t first, last;    /* opcodes; x87: (opcode & 7) << 3 | ModRM.reg */
    uint8_t pat, size, cls;
};

/* A map: row 0 is none; index[opcode] is the last row of the opcode, and rows of one opcode stand together. */
struct x86_map {
    const char *name;
    const struct x86_row *rows;
    unsigned nrows;
    const uint16_t *index;
};
enum x86_map_id { MAP_ONE, MAP_0F, MAP_0F38, MAP_0F3A, MAP_X87, MAP_VEX1, MAP_VEX2, MAP_VEX3, MAP_COUNT };
extern const struct x86_map x86_maps[MAP_COUNT];

#endif
