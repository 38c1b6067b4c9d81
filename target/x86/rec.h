/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/rec.h - decoded records and blocks: what the decoder makes, the interpreter runs, the translator re-emits
 *
 * An instruction becomes one 32-byte record. It says everything that the bytes said (no consumer looks at bytes again);
 * nothing in it depends on where the block is mapped: a block is cached by physical address and mode, and may run at
 * several linear addresses.
 *
 * Register operands. `reg` is ModRM.reg (or the opcode's register), `rm` is ModRM.rm. For general registers both hold
 * the BYTE OFFSET into x86_cpu.regs: 8 * n, or 8 * (n - 4) + 1 for AH, CH, DH, BH. For every other register file
 * (xmm, mmx, st, sreg, cr, dr) they hold the plain number.
 *
 * Memory operands (REC_MEM). effective address = regs[base] + (regs[index] << scale) + disp, cut to the address size;
 * base and index are plain indices into x86_cpu.regs, where regs[16] is RIP (of the block's first instruction) and
 * regs[17] is always zero ("no register"). A RIP-relative operand has base 16 and disp already counts from
 * there (disp + off + len). For a 64-bit moffs operand (A0-A3) the address is in imm.
 */
#ifndef TARGET_X86_REC_H
#define TARGET_X86_REC_H

#include <assert.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

struct x86_cpu;
struct x86_rec;
struct x86_block;

/*
 * A handler runs one record and goes on to the next one: it ends with X86_NEXT(cpu, r + 1). Optimised builds turn
 * that into a jump (threaded dispatch by sibling calls); others return the next record to a loop. It leaves the
 * engine by returning NULL (only block terminators do) or by x86_raise() (target/x86/excp.h).
 */
typedef const struct x86_rec *x86_handler(struct x86_cpu *cpu, const struct x86_rec *r);

/* <signal.h> (by way of glib) has an enumerator REG_RIP with _GNU_SOURCE: let it come first, and put a macro over it. */
#undef REG_RIP
#define REG_RIP 16
enum { REG_ZERO = 17, X86_NREGS = 18 };
enum { R_AX, R_CX, R_DX, R_BX, R_SP, R_BP, R_SI, R_DI };
enum { SEG_ES, SEG_CS, SEG_SS, SEG_DS, SEG_FS, SEG_GS, SEG_LDT, SEG_TR };

/* Operand order. The destination comes first, as in Intel's syntax. */
enum x86_form {
    FORM_NONE,      /* no explicit operand, or only what the handler knows (string, fixed registers) */
    FORM_RM_R,      /* rm or memory <- op, reg */
    FORM_R_RM,      /* reg <- op, rm or memory */
    FORM_RM_I,      /* rm or memory <- op, imm */
    FORM_R_RM_I,    /* reg <- rm op imm (IMUL, PSHUFD, SHLD has FORM_RM_R_I) */
    FORM_RM_R_I,
    FORM_RM,        /* one operand, register or memory (INC, NOT, CALL r/m, PUSH r/m) */
    FORM_R,         /* one operand, register in the opcode: it is in rm */
    FORM_R_I,       /* register in the opcode (in rm) or accumulator, immediate */
    FORM_I,         /* immediate only (PUSH imm, INT n, Jcc: sign-extended displacement in imm) */
    FORM_RM_CL,     /* shift by CL */
    FORM_RM_1,      /* shift by one: imm is 1 too */
    FORM_R_MOFFS,   /* accumulator <- [imm] */
    FORM_MOFFS_R,
    FORM_R_V_RM,    /* VEX: reg <- vvvv op rm */
    FORM_R_V_RM_I,
    FORM_R_RM_V,    /* VEX: reg <- rm op vvvv (BMI2 shifts, BEXTR) */
    FORM_V_RM,      /* VEX: vvvv <- op rm (BLSR, shifts by immediate have FORM_V_RM_I) */
    FORM_V_RM_I,
    FORM_R_V_RM_R4, /* VEX: fourth register in imm >> 4 */
    FORM_RM_V_R,    /* VEX stores with mask: memory <- vvvv mask, reg */
    FORM_FAR,       /* far pointer: offset in imm bits 31:0, selector in imm bits 47:32 */
    FORM_I16_I8,    /* ENTER: size in imm bits 15:0, level in imm bits 23:16 */
};

enum x86_rec_flags {
    REC_MEM     = 1 << 0,   /* rm is a memory operand */
    REC_LOCK    = 1 << 1,   /* F0 prefix (legal: the decoder has checked) or implied by XCHG with memory */
    REC_REP     = 1 << 2,   /* F3 before a string instruction */
    REC_REPNE   = 1 << 3,   /* F2 before a string instruction */
    REC_FLAT64  = 1 << 4,   /* memory operand: 64-bit address size and a segment without base: linear = effective */
    REC_FLAT32  = 1 << 5,   /* memory operand: 32-bit address size, base 0 and limit 4 GiB known from the mode: linear = (uint32_t)effective */
    REC_VEX     = 1 << 6,
    REC_VEX_L   = 1 << 7,   /* 256 bit */
    REC_NF      = 1 << 8,   /* the arithmetic flags that it writes are dead: written again in this block before any read, fault or exit can show them */
    REC_OSIZE   = 1 << 9,   /* 66 prefix present (for the few that care) */
    REC_LAST    = 1 << 10,  /* ends the block */
    REC_X2      = 1 << 11,  /* fused with the record after it (CMP+Jcc): the handler runs both */
    REC_REXW    = 1 << 12,
    REC_MODRM   = 1 << 13,  /* has a ModRM byte */
};

struct x86_rec {
    x86_handler *fn;
    union {
        uint64_t imm;           /* sign-extended to 64 bits */
        struct {
            uint32_t imm32;
            uint8_t vvvv;       /* VEX.vvvv: plain register number, for FORM_*V*; imm8 is the low byte of imm32 */
            uint8_t pad[3];
        };
    };
    int32_t disp;
    uint16_t op;                /* enum x86_op, target/x86/ops.h */
    uint16_t off;               /* of its first byte from the block's first byte */
    uint8_t len  : 4;           /* bytes, 1..15 */
    uint8_t size : 4;           /* log2 of the operand size in bytes: 0..3 general, 3 MMX, 4 XMM, 5 YMM; the memory size where that differs is the row's */
    uint8_t form;               /* enum x86_form */
    uint8_t reg;
    union {
        uint8_t rm;             /* without REC_MEM */
        uint8_t base;           /* with REC_MEM */
    };
    uint8_t index;              /* REG_ZERO: none */
    uint8_t scale : 2;
    uint8_t asize : 2;          /* address size: 1 = 16, 2 = 32, 3 = 64 bits */
    uint8_t seg   : 4;          /* SEG_*: of the memory operand, override applied; SEG_SS for implied stack operands */
    uint16_t flags;             /* REC_* */
};
static_assert(sizeof(struct x86_rec) == 32, "two records a cache line");

/*
 * The mode word: everything about the CPU's state that the meaning of bytes depends on. Part of a block's key.
 * MODE_FLAT_x: the segment has base 0, limit 4 GiB, is present, and may be read and written (CS: read).
 */
enum x86_mode {
    MODE_CS32    = 1 << 0,      /* CS.D (not in 64-bit mode) */
    MODE_64      = 1 << 1,      /* EFER.LMA and CS.L */
    MODE_SS32    = 1 << 2,      /* SS.B */
    MODE_PE      = 1 << 3,      /* CR0.PE */
    MODE_VM      = 1 << 4,      /* EFLAGS.VM */
    MODE_USER    = 1 << 5,      /* CPL 3 */
    MODE_FLAT_DS = 1 << 6,
    MODE_FLAT_ES = 1 << 7,
    MODE_FLAT_SS = 1 << 8,
    MODE_FLAT_CS = 1 << 9,
    MODE_TS      = 1 << 10,     /* CR0.TS: SSE and x87 records become #NM */
    MODE_EM      = 1 << 11,     /* CR0.EM */
    MODE_MP      = 1 << 12,     /* CR0.MP */
    MODE_OSFXSR  = 1 << 13,
    MODE_OSXSAVE = 1 << 14,
    MODE_LMA     = 1 << 15,     /* EFER.LMA (compatibility mode: set, MODE_64 clear) */
    MODE_STEP    = 1 << 16,     /* one-instruction blocks: TF, interrupt shadow, debugging */
    MODE_AC      = 1 << 17,     /* alignment checks are on (CPL 3, CR0.AM, EFLAGS.AC) */
    MODE_AVX     = 1 << 18,     /* XCR0 has SSE and AVX */
    MODE_SMAP_AC = 1 << 19,     /* CPL < 3, CR4.SMAP, EFLAGS.AC: the TLB bank in use is TLB_KERNEL_AC */
    MODE_XM      = 1 << 20,     /* MXCSR has an unmasked exception: SSE arithmetic may fault */
    MODE_XF      = 1 << 21,     /* the x87 control word has one */
};

#define BLOCK_MAX_RECS 64

struct x86_block {
    uint64_t phys;              /* ram id and offset of the first byte (ram_block.id << 40 | offset) */
    uint32_t mode;
    uint16_t nrec;              /* without the terminator */
    uint16_t bytes;             /* guest bytes covered */
    uint64_t phys2;             /* the same for the first byte in a second page, or ~0 */
    struct x86_block *hash_next;
    struct x86_block *page_next[2];     /* list of blocks of a page, for invalidation */
    uint32_t flags;             /* BLOCK_* of the engine */
    uint32_t runs;              /* until it is translated */
    x86_handler *fn0;           /* while it counts: the first record's own handler */
    struct x86_jblock *jit;     /* its translation */
    struct x86_rec recs[];      /* nrec records, then one terminator (OP_BLOCK_END when the last record is no branch) */
};

/**
 * x86_decode() - one instruction
 * @p, @avail:  bytes; the decoder reads no more than @avail (15 are enough for any instruction)
 * @mode:       MODE_* bits
 * @off:        of the first byte in the block (for RIP-relative operands)
 * @feat:       what CPUID offers (LZCNT/TZCNT, MOVBE and so on decode otherwise without it)
 * @r:          filled in except fn
 *
 * Return: the length; 0 when the instruction goes past @avail (the caller gives more bytes or raises the page fault).
 * What the CPU would refuse becomes a record of its own, with the length consumed so far: OP_UD (#UD), OP_NM (#NM),
 * OP_GP0 (#GP(0): longer than 15 bytes).
 */
struct x86_features;
unsigned x86_decode(const uint8_t *p, unsigned avail, uint32_t mode, unsigned off, const struct x86_features *feat,
                    struct x86_rec *r);

/** x86_rec_print() - one line of assembly-like text: mnemonic and operands (the -d in_asm log) */
void x86_rec_print(const struct x86_rec *r, uint64_t ip, char *buf, unsigned size);

/**
 * x86_block_finish() - passes over a freshly decoded block: flag liveness (REC_NF), fusing (REC_X2)
 * The last record has REC_LAST. Pure function of the records.
 */
void x86_block_finish(struct x86_rec *recs, unsigned n, uint32_t mode);

/** x86_bind() - give a record its interpreter handler (specialised by op, form, size, addressing) */
void x86_bind(struct x86_rec *r, uint32_t mode);
/** x86_bind_one() - the same, never a handler that runs the next record too */
void x86_bind_one(struct x86_rec *r, uint32_t mode);

#endif
