/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/interp/fpu_host.h - one x87 operation on the host
 *
 * All that depends on the host is here. Each call takes guest registers in memory (80-bit format), does one x87
 * instruction under the guest's control word (x86_fp_enter() has loaded it, masks and all) and returns the status
 * word, of which the caller uses exception flags, C0-C3, and TOP: 0 is an empty stack, 7 one register, 6 two.
 * Unmasked exceptions work too: only a waiting instruction would deliver them, and FNSTSW, FNCLEX do not wait. The
 * operation then leaves its operands as the architecture says, which is what ends up in the guest's registers.
 *
 * Elsewhere (no x86-64 host, or X86_PORTABLE) interp/fpu_soft.c does the same in integers, takes the control word
 * from @cw, and gives the same bits but for the transcendental functions. MXCSR then is a variable of the thread, as it
 * is a register of the host thread otherwise.
 */
#ifndef TARGET_X86_INTERP_FPU_HOST_H
#define TARGET_X86_INTERP_FPU_HOST_H

#include "target/x86/state.h"

enum {
    FSW_IE = 1 << 0, FSW_DE = 1 << 1, FSW_ZE = 1 << 2, FSW_OE = 1 << 3, FSW_UE = 1 << 4, FSW_PE = 1 << 5,
    FSW_SF = 1 << 6, FSW_ES = 1 << 7, FSW_C0 = 1 << 8, FSW_C1 = 1 << 9, FSW_C2 = 1 << 10, FSW_C3 = 1 << 14,
    FSW_B = 1 << 15, FSW_EXC = 0x3F, FSW_CC = FSW_C0 | FSW_C1 | FSW_C2 | FSW_C3, FSW_TOP = 7 << 11,
};

/* Two operands: x is replaced by x op y (operation names as in x86: FSUBR is y - x) */
enum fph_arith { FPH_ADD, FPH_MUL, FPH_SUB, FPH_SUBR, FPH_DIV, FPH_DIVR };
enum fph_mem { FPH_M32, FPH_M64, FPH_I16, FPH_I32 };
enum fph_unary { FPH_SQRT, FPH_RNDINT, FPH_2XM1, FPH_SIN, FPH_COS, FPH_TST, FPH_XAM };
/* x op y with x in ST(0), y in ST(1): PREM, PREM1, SCALE replace x; the others replace y and pop */
enum fph_binary { FPH_PREM, FPH_PREM1, FPH_SCALE, FPH_YL2X, FPH_YL2XP1, FPH_ATAN };
/* two results: x is replaced, the second is pushed */
enum fph_twin { FPH_PTAN, FPH_SINCOS, FPH_XTRACT };
enum fph_const { FPH_1, FPH_L2T, FPH_L2E, FPH_PI, FPH_LG2, FPH_LN2, FPH_Z };
enum fph_load { FPH_LD32, FPH_LD64, FPH_LDI16, FPH_LDI32, FPH_LDI64, FPH_LDBCD };
enum fph_store {
    FPH_ST32, FPH_ST64, FPH_STI16, FPH_STI32, FPH_STI64, FPH_STT16, FPH_STT32, FPH_STT64, FPH_STBCD,
};

/*
 * In integers, on any host (fpu_soft.c)
 */
uint16_t fps_arith(uint16_t cw, enum fph_arith op, struct x87_reg *x, const struct x87_reg *y);
uint16_t fps_arith_mem(uint16_t cw, enum fph_arith op, enum fph_mem kind, struct x87_reg *x, const void *p);
uint16_t fps_com(uint16_t cw, const struct x87_reg *x, const struct x87_reg *y, bool quiet);
uint16_t fps_com_mem(uint16_t cw, enum fph_mem kind, struct x87_reg *x, const void *p);
uint16_t fps_unary(uint16_t cw, enum fph_unary op, struct x87_reg *x);
uint16_t fps_binary(uint16_t cw, enum fph_binary op, struct x87_reg *x, struct x87_reg *y);
uint16_t fps_twin(uint16_t cw, enum fph_twin op, struct x87_reg *x, struct x87_reg *z);
void fps_const(uint16_t cw, enum fph_const k, struct x87_reg *x);
uint16_t fps_load(uint16_t cw, enum fph_load kind, struct x87_reg *x, const void *p);
uint16_t fps_store(uint16_t cw, enum fph_store kind, const struct x87_reg *x, void *p);

#if defined(__x86_64__) && !defined(X86_PORTABLE)
#define FPU_X86_HOST 1

/* status word to %0; an unmasked exception must not stay pending on the host */
#define FPH_SW "fnstsw %%ax\n\ttestb $0x80, %%al\n\tjz 1f\n\tfnclex\n1:\n\t"
/* after FPH_SW: TOP bit 0 is in bit 3 of AH: clear for zero or two registers on the stack */
#define FPH_OP2(op)                                                                                                    \
    __asm__ volatile("fldt %[y]\n\tfldt %[x]\n\t" op " %%st(1), %%st\n\t" FPH_SW "fstpt %[x]\n\tfstp %%st(0)"          \
                     : "=&a"(sw), [x] "+m"(*x) : [y] "m"(*y) : "cc", "memory")

static inline uint16_t fph_arith(uint16_t cw, enum fph_arith op, struct x87_reg *x, const struct x87_reg *y)
{
    uint16_t sw;

    switch (op) {
    case FPH_ADD: FPH_OP2("fadd"); break;
    case FPH_MUL: FPH_OP2("fmul"); break;
    case FPH_SUB: FPH_OP2("fsub"); break;
    case FPH_SUBR: FPH_OP2("fsubr"); break;
    case FPH_DIV: FPH_OP2("fdiv"); break;
    default: FPH_OP2("fdivr"); break;
    }
    return sw;
}

#define FPH_MEM1(op)                                                                                                   \
    __asm__ volatile("fldt %[x]\n\t" op " (%[p])\n\t" FPH_SW "fstpt %[x]"                                              \
                     : "=&a"(sw), [x] "+m"(*x) : [p] "r"(p) : "cc", "memory")
#define FPH_MEM_KINDS(f32, i16)                                                                                        \
    switch (kind) {                                                                                                    \
    case FPH_M32: FPH_MEM1(f32 "s"); break;                                                                            \
    case FPH_M64: FPH_MEM1(f32 "l"); break;                                                                            \
    case FPH_I16: FPH_MEM1(i16 "s"); break;                                                                            \
    default: FPH_MEM1(i16 "l"); break;                                                                                 \
    }

/** fph_arith_mem() - x op the number of @kind at @p */
static inline uint16_t fph_arith_mem(uint16_t cw, enum fph_arith op, enum fph_mem kind, struct x87_reg *x,
                                     const void *p)
{
    uint16_t sw;

    switch (op) {
    case FPH_ADD: FPH_MEM_KINDS("fadd", "fiadd") break;
    case FPH_MUL: FPH_MEM_KINDS("fmul", "fimul") break;
    case FPH_SUB: FPH_MEM_KINDS("fsub", "fisub") break;
    case FPH_SUBR: FPH_MEM_KINDS("fsubr", "fisubr") break;
    case FPH_DIV: FPH_MEM_KINDS("fdiv", "fidiv") break;
    default: FPH_MEM_KINDS("fdivr", "fidivr") break;
    }
    return sw;
}

/** fph_com() - C0, C2, C3 of x compared with y; @quiet: FUCOM */
static inline uint16_t fph_com(uint16_t cw, const struct x87_reg *x, const struct x87_reg *y, bool quiet)
{
    uint16_t sw;

#define FPH_COM(op)                                                                                                    \
    __asm__ volatile("fldt %[y]\n\tfldt %[x]\n\t" op " %%st(1)\n\t" FPH_SW "fstp %%st(0)\n\tfstp %%st(0)"              \
                     : "=&a"(sw) : [x] "m"(*x), [y] "m"(*y) : "cc", "memory")
    if (quiet) {
        FPH_COM("fucom");
    } else {
        FPH_COM("fcom");
    }
    return sw;
}

static inline uint16_t fph_com_mem(uint16_t cw, enum fph_mem kind, struct x87_reg *x, const void *p)
{
    uint16_t sw;

    FPH_MEM_KINDS("fcom", "ficom")
    return sw;
}

#define FPH_UN(op)                                                                                                     \
    __asm__ volatile("fldt %[x]\n\t" op "\n\t" FPH_SW "fstpt %[x]" : "=&a"(sw), [x] "+m"(*x) : : "cc", "memory")
static inline uint16_t fph_unary(uint16_t cw, enum fph_unary op, struct x87_reg *x)
{
    uint16_t sw;

    switch (op) {
    case FPH_SQRT: FPH_UN("fsqrt"); break;
    case FPH_RNDINT: FPH_UN("frndint"); break;
    case FPH_2XM1: FPH_UN("f2xm1"); break;
    case FPH_SIN: FPH_UN("fsin"); break;
    case FPH_COS: FPH_UN("fcos"); break;
    case FPH_TST: FPH_UN("ftst"); break;
    default: FPH_UN("fxam"); break;
    }
    return sw;
}

#define FPH_BIN(op)                                                                                                    \
    __asm__ volatile("fldt %[y]\n\tfldt %[x]\n\t" op "\n\t" FPH_SW "fstpt %[x]\n\tfstp %%st(0)"                        \
                     : "=&a"(sw), [x] "+m"(*x) : [y] "m"(*y) : "cc", "memory")
#define FPH_BINP(op)                                                                                                   \
    __asm__ volatile("fldt %[y]\n\tfldt %[x]\n\t" op "\n\t" FPH_SW "testb $8, %%ah\n\tjnz 2f\n\tfstp %%st(0)\n2:\n\t"  \
                     "fstpt %[y]" : "=&a"(sw), [y] "+m"(*y) : [x] "m"(*x) : "cc", "memory")
/** fph_binary() - TOP of the result tells whether a popping operation popped (7) or was held back (6) */
static inline uint16_t fph_binary(uint16_t cw, enum fph_binary op, struct x87_reg *x, struct x87_reg *y)
{
    uint16_t sw;

    switch (op) {
    case FPH_PREM: FPH_BIN("fprem"); break;
    case FPH_PREM1: FPH_BIN("fprem1"); break;
    case FPH_SCALE: FPH_BIN("fscale"); break;
    case FPH_YL2X: FPH_BINP("fyl2x"); break;
    case FPH_YL2XP1: FPH_BINP("fyl2xp1"); break;
    default: FPH_BINP("fpatan"); break;
    }
    return sw;
}

#define FPH_TWIN(op)                                                                                                   \
    __asm__ volatile("fldt %[x]\n\t" op "\n\t" FPH_SW "testb $8, %%ah\n\tjnz 2f\n\tfstpt %[z]\n2:\n\tfstpt %[x]"       \
                     : "=&a"(sw), [x] "+m"(*x), [z] "+m"(*z) : : "cc", "memory")
/** fph_twin() - TOP of the result is 6 when @z was pushed */
static inline uint16_t fph_twin(uint16_t cw, enum fph_twin op, struct x87_reg *x, struct x87_reg *z)
{
    uint16_t sw;

    switch (op) {
    case FPH_PTAN: FPH_TWIN("fptan"); break;
    case FPH_SINCOS: FPH_TWIN("fsincos"); break;
    default: FPH_TWIN("fxtract"); break;
    }
    return sw;
}

#define FPH_CONST(op) __asm__ volatile(op "\n\tfstpt %[x]" : [x] "=m"(*x) : : "memory")
static inline void fph_const(uint16_t cw, enum fph_const k, struct x87_reg *x)
{
    switch (k) {
    case FPH_1: FPH_CONST("fld1"); break;
    case FPH_L2T: FPH_CONST("fldl2t"); break;
    case FPH_L2E: FPH_CONST("fldl2e"); break;
    case FPH_PI: FPH_CONST("fldpi"); break;
    case FPH_LG2: FPH_CONST("fldlg2"); break;
    case FPH_LN2: FPH_CONST("fldln2"); break;
    default: FPH_CONST("fldz"); break;
    }
}

/* TOP 0: held back by an unmasked exception, @x is not written */
#define FPH_LOAD(op)                                                                                                   \
    __asm__ volatile(op " (%[p])\n\t" FPH_SW "testb $8, %%ah\n\tjz 2f\n\tfstpt %[x]\n2:"                               \
                     : "=&a"(sw), [x] "+m"(*x) : [p] "r"(p) : "cc", "memory")
/** fph_load() - the number at @p; TOP of the result is 0 when an unmasked exception held it back */
static inline uint16_t fph_load(uint16_t cw, enum fph_load kind, struct x87_reg *x, const void *p)
{
    uint16_t sw;

    switch (kind) {
    case FPH_LD32: FPH_LOAD("flds"); break;
    case FPH_LD64: FPH_LOAD("fldl"); break;
    case FPH_LDI16: FPH_LOAD("filds"); break;
    case FPH_LDI32: FPH_LOAD("fildl"); break;
    case FPH_LDI64: FPH_LOAD("fildll"); break;
    default: FPH_LOAD("fbld"); break;
    }
    return sw;
}

/* All store forms here pop; TOP 7: held back */
#define FPH_STORE(op)                                                                                                  \
    __asm__ volatile("fldt %[x]\n\t" op " (%[p])\n\t" FPH_SW "testb $8, %%ah\n\tjz 2f\n\tfstp %%st(0)\n2:"             \
                     : "=&a"(sw) : [x] "m"(*x), [p] "r"(p) : "cc", "memory")
/** fph_store() - @x rounded to @kind at @p (up to 10 bytes); TOP of the result is 7 when held back */
static inline uint16_t fph_store(uint16_t cw, enum fph_store kind, const struct x87_reg *x, void *p)
{
    uint16_t sw;

    switch (kind) {
    case FPH_ST32: FPH_STORE("fstps"); break;
    case FPH_ST64: FPH_STORE("fstpl"); break;
    case FPH_STI16: FPH_STORE("fistps"); break;
    case FPH_STI32: FPH_STORE("fistpl"); break;
    case FPH_STI64: FPH_STORE("fistpll"); break;
    case FPH_STT16: FPH_STORE("fisttps"); break;
    case FPH_STT32: FPH_STORE("fisttpl"); break;
    case FPH_STT64: FPH_STORE("fisttpll"); break;
    default: FPH_STORE("fbstp"); break;
    }
    return sw;
}

/** fph_clear() - drop the host's exception flags */
static inline void fph_clear(void)
{
    __asm__ volatile("fnclex" : : : "memory");
}

/** fph_set_cw() - control word for what follows; drops the flags first, so that none becomes pending */
static inline void fph_set_cw(uint16_t cw)
{
    __asm__ volatile("fnclex\n\tfldcw %0" : : "m"(cw) : "memory");
}

/** fph_init() - empty stack, TOP 0, control word @cw */
static inline void fph_init(uint16_t cw)
{
    __asm__ volatile("fninit\n\tfldcw %0" : : "m"(cw) : "memory");
}

static inline uint32_t fph_mxcsr(void)
{
    uint32_t v;

    __asm__ volatile("stmxcsr %0" : "=m"(v));
    return v;
}

static inline void fph_set_mxcsr(uint32_t v)
{
    __asm__ volatile("ldmxcsr %0" : : "m"(v) : "memory");
}

#else
#define FPU_X86_HOST 0

#define fph_arith(...) fps_arith(__VA_ARGS__)
#define fph_arith_mem(...) fps_arith_mem(__VA_ARGS__)
#define fph_com(...) fps_com(__VA_ARGS__)
#define fph_com_mem(...) fps_com_mem(__VA_ARGS__)
#define fph_unary(...) fps_unary(__VA_ARGS__)
#define fph_binary(...) fps_binary(__VA_ARGS__)
#define fph_twin(...) fps_twin(__VA_ARGS__)
#define fph_const(...) fps_const(__VA_ARGS__)
#define fph_load(...) fps_load(__VA_ARGS__)
#define fph_store(...) fps_store(__VA_ARGS__)

/* The control word comes with each call; flags do not stay */
static inline void fph_clear(void) { }
static inline void fph_set_cw(uint16_t cw) { }
static inline void fph_init(uint16_t cw) { }

extern _Thread_local uint32_t fps_mxcsr;        /* interp/simd_fp_soft.c */

static inline uint32_t fph_mxcsr(void)
{
    return fps_mxcsr;
}

static inline void fph_set_mxcsr(uint32_t v)
{
    fps_mxcsr = v;
}
#endif

#endif
