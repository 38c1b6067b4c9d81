/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/state.h - the CPU: architectural state first, then what the engine keeps beside it
 *
 * Owned by the vCPU thread, except the members under "other threads", which are atomic.
 */
#ifndef TARGET_X86_STATE_H
#define TARGET_X86_STATE_H

#include "target/x86/cpu.h"
#include "target/x86/rec.h"
#include "target/x86/cpuid.h"
#include <setjmp.h>

/* EFLAGS, SDM vol. 1, 3.4.3 */
enum {
    FL_CF = 1 << 0, FL_1 = 1 << 1, FL_PF = 1 << 2, FL_AF = 1 << 4, FL_ZF = 1 << 6, FL_SF = 1 << 7, FL_TF = 1 << 8,
    FL_IF = 1 << 9, FL_DF = 1 << 10, FL_OF = 1 << 11, FL_IOPL = 3 << 12, FL_NT = 1 << 14, FL_RF = 1 << 16,
    FL_VM = 1 << 17, FL_AC = 1 << 18, FL_VIF = 1 << 19, FL_VIP = 1 << 20, FL_ID = 1 << 21,
    FL_ARITH = FL_CF | FL_PF | FL_AF | FL_ZF | FL_SF | FL_OF,
};

enum {
    CR0_PE = 1 << 0, CR0_MP = 1 << 1, CR0_EM = 1 << 2, CR0_TS = 1 << 3, CR0_ET = 1 << 4, CR0_NE = 1 << 5,
    CR0_WP = 1 << 16, CR0_AM = 1 << 18, CR0_NW = 1 << 29, CR0_CD = 1 << 30,
};
#define CR0_PG (1u << 31)
enum {
    CR4_VME = 1 << 0, CR4_PVI = 1 << 1, CR4_TSD = 1 << 2, CR4_DE = 1 << 3, CR4_PSE = 1 << 4, CR4_PAE = 1 << 5,
    CR4_MCE = 1 << 6, CR4_PGE = 1 << 7, CR4_PCE = 1 << 8, CR4_OSFXSR = 1 << 9, CR4_OSXMMEXCPT = 1 << 10,
    CR4_UMIP = 1 << 11, CR4_LA57 = 1 << 12, CR4_FSGSBASE = 1 << 16, CR4_PCIDE = 1 << 17, CR4_OSXSAVE = 1 << 18,
    CR4_SMEP = 1 << 20, CR4_SMAP = 1 << 21,
};
enum { EFER_SCE = 1 << 0, EFER_LME = 1 << 8, EFER_LMA = 1 << 10, EFER_NXE = 1 << 11, EFER_FFXSR = 1 << 14 };

enum { XCR0_X87 = 1 << 0, XCR0_SSE = 1 << 1, XCR0_AVX = 1 << 2 };

/* Exceptions, SDM vol. 3, table 6-1 */
enum {
    EXC_DE = 0, EXC_DB = 1, EXC_NMI = 2, EXC_BP = 3, EXC_OF = 4, EXC_BR = 5, EXC_UD = 6, EXC_NM = 7, EXC_DF = 8,
    EXC_TS = 10, EXC_NP = 11, EXC_SS = 12, EXC_GP = 13, EXC_PF = 14, EXC_MF = 16, EXC_AC = 17, EXC_MC = 18, EXC_XM = 19,
};

/* Segment register: selector and the hidden descriptor. attr = descriptor bits 40..55 (SDM vol. 3, fig. 3-8), limit bits cleared */
enum {
    SEGA_TYPE = 0xF, SEGA_S = 1 << 4, SEGA_DPL = 3 << 5, SEGA_P = 1 << 7, SEGA_AVL = 1 << 12, SEGA_L = 1 << 13,
    SEGA_DB = 1 << 14, SEGA_G = 1 << 15,
    SEGA_CODE = 1 << 3, SEGA_CONF_EXPDOWN = 1 << 2, SEGA_RW = 1 << 1, SEGA_ACCESSED = 1 << 0,
};
struct x86_seg {
    uint64_t base;
    uint32_t limit;         /* in bytes, granularity applied */
    uint16_t sel;
    uint16_t attr;          /* 0: null selector (unusable) */
};

union x86_vec {             /* YMM: the XMM part is the low half */
    uint8_t b[32];
    uint16_t w[16];
    uint32_t d[8];
    uint64_t q[4];
    int8_t sb[32];
    int16_t sw[16];
    int32_t sd[8];
    int64_t sq[4];
    float s[8];
    double f[4];
} __attribute__((aligned(32)));

/* An x87 register in its memory format: 64-bit significand, sign and 15-bit exponent. MMX registers are the significands. */
struct x87_reg {
    uint64_t m;
    uint16_t se;
    uint16_t pad[3];
};

struct x86_fpu {
    struct x87_reg r[8];    /* physical registers; ST(i) is r[(top + i) & 7]; MMi is r[i] */
    uint16_t fcw, fsw;      /* fsw without TOP, which is in top */
    uint8_t top;
    uint8_t ftw;            /* abridged tag word as in FXSAVE: bit i set = r[i] is not empty */
    uint8_t ptr_rule;       /* X87_*: which instructions record fop, fip, fdp (target/x86/fp.h) */
    uint16_t fop;
    uint64_t fip, fdp;
    uint16_t fcs, fds;
    uint32_t mxcsr;
};

/*
 * Lazy arithmetic flags. The last flag-writing instruction leaves its kind, result and an operand; target/x86/flags.h
 * computes the flags when somebody looks. cc_op CC_FLAGS: cc_src holds the six flags themselves.
 */
enum x86_cc {
    CC_FLAGS,
    CC_ADD8, CC_ADD16, CC_ADD32, CC_ADD64,      /* dst = a + b, src = b */
    CC_ADC8, CC_ADC16, CC_ADC32, CC_ADC64,      /* dst = a + b + 1, src = b (with carry in; without it is CC_ADD) */
    CC_SUB8, CC_SUB16, CC_SUB32, CC_SUB64,      /* dst = a - b, src = b */
    CC_SBB8, CC_SBB16, CC_SBB32, CC_SBB64,      /* dst = a - b - 1, src = b */
    CC_LOGIC8, CC_LOGIC16, CC_LOGIC32, CC_LOGIC64,
    CC_INC8, CC_INC16, CC_INC32, CC_INC64,      /* dst = result, src = CF as it was (0 or 1) */
    CC_DEC8, CC_DEC16, CC_DEC32, CC_DEC64,
    CC_SHL8, CC_SHL16, CC_SHL32, CC_SHL64,      /* dst = result, src = operand shifted by count - 1 */
    CC_SAR8, CC_SAR16, CC_SAR32, CC_SAR64,      /* SHR and SAR: the same */
    CC_COUNT
};

/* Software TLB entry: the page of the LAST byte of an access is compared, so that a crossing access misses by construction. */
struct x86_tlb_entry {
    uint64_t rtag;          /* linear page address, or TLB_NONE */
    uint64_t wtag;          /* the same for plain writes; withheld for ROM, code pages, clean pages, MMIO */
    uintptr_t addend;       /* host address = linear + addend */
    uint64_t aux;           /* engine's own: physical page and rights */
};
#define TLB_BITS 14
#define TLB_SIZE (1u << TLB_BITS)
#define TLB_NONE (~0ULL)
enum { TLB_KERNEL, TLB_KERNEL_AC, TLB_USER, TLB_BANKS };    /* TLB_KERNEL_AC: EFLAGS.AC set, SMAP lifted */

/*
 * What translated code addresses directly (jit/). The CPU structure then lies below 2 GiB.
 */
#define JIT_SLOT_BITS 14
#define JIT_SLOTS (1u << JIT_SLOT_BITS)
struct x86_jit_slot {                   /* one-entry TLB of a few access sites: as x86_tlb_entry */
    uint64_t rtag, wtag;
    uintptr_t addend;
    uint32_t listed;                    /* a bit for each of jf.used that it is in */
    uint32_t left;                      /* misses until somebody looks whether the site should be hashed */
};
/*
 * Slots that may hold something, listed by what takes it away: a CR3 write takes what is not global, INVLPG one page.
 * List number: low bits of the page number, and JIT_USED_GLOBAL
 */
#define JIT_USED_PAGES 8
#define JIT_USED_GLOBAL JIT_USED_PAGES
#define JIT_USED_LISTS (2 * JIT_USED_PAGES)
#define JIT_JC_BITS 12
struct x86_jit_jc {                     /* linear address to host code */
    uint64_t la;
    uint32_t gen;                       /* jf.gen of its kind when it was entered; 0: empty */
    uint32_t code;
};
struct x86_jit_fetch {                  /* what translated code may know of the mapping of a page of code */
    uint64_t page;                      /* linear */
    uint64_t phys;                      /* x86_block.phys >> 12 */
    uint32_t gen;                       /* jf.gen of its kind when this was found; 0: empty */
    uint32_t pad[3];
};
#define JIT_FETCH 256
struct x86_jit_frame {
    uint64_t c_sp;                      /* host stack of the C code that entered */
    uint64_t sentinel;                  /* host half of the pair below all others */
    uint64_t js_base, js_limit;         /* return pairs: where they start, how deep they may go */
    uint32_t vec_live, x87_live;        /* JV_*: guest registers that are in the host's */
    uint32_t gen[2];                    /* kernel, user: generation of the mapping (mmu.h) that links and the jump cache hang on */
    uint8_t bounce[64];                 /* a load across a page edge (jit/run.c) */
    bool kernel_local;                  /* kernel code was fetched from a page that is not global */
    bool stay;                          /* x86_leave_to() is not to run what follows: jit_c_end() does that */
    uint64_t flags;                     /* host's flags as LAHF and SETO AL leave them in AX */
    uint8_t x87_image[112] __attribute__((aligned(16)));    /* FNSAVE image, and registers meanwhile (jit/tmpl_x87.c) */
    uint64_t x87_tmp[3];
    uint64_t seg_top[8];                /* not 64-bit mode: limit + 1 of plain data segments, 0: ask seg_linear() */
    /* [1]: by page number, low bits: some slot may hold a global page like that, since all of them were cleared. [0] is written and never read */
    uint8_t held[2][TLB_SIZE];
    uint32_t used_n[JIT_USED_LISTS];
    uint32_t used[JIT_USED_LISTS][JIT_SLOTS];   /* addresses */
    struct x86_jit_slot slot[JIT_SLOTS];
    struct x86_jit_fetch fetch[JIT_FETCH];      /* by page number */
    struct x86_jit_jc jc[1u << JIT_JC_BITS];
};

struct x86_jit;
struct x86_undo;
struct x86_engine;          /* block cache, jump cache, second-level TLB, statistics: target/x86/interp/engine.h */

struct x86_cpu {
    uint64_t regs[X86_NREGS];           /* RAX RCX RDX RBX RSP RBP RSI RDI R8..R15, RIP of the block's first instruction, zero */
    uint64_t cc_dst, cc_src;
    uint32_t cc_op;
    uint32_t cc_part;                   /* translated code only: what came on top of cc_op (jit/recipe.c); beside cc_op */
    uint64_t cc_pdst;
    uint8_t cc_co[2];                   /* CF, OF, as cc_part says */
    uint32_t eflags;                    /* without FL_ARITH; read it with flags_get() */
    struct x86_tlb_entry *tlb;          /* bank in use */
    uint32_t mode;                      /* MODE_*; x86_mode_update() after any change of what it is made from */
    uint32_t exit_request;              /* other threads: non-zero makes the engine leave at the next block edge */
    const struct x86_rec *cur;          /* the record that a slow path or exception is about */
    uint64_t icount;                    /* instructions retired, counted a block at a time */
    uint64_t tsc_offset, tsc_adjust;

    struct x86_seg seg[8];              /* SEG_* */
    struct { uint64_t base; uint32_t limit; } gdt, idt;
    uint64_t cr0, cr2, cr3, cr4, xcr0;
    uint64_t dr[8];
    uint64_t efer, star, lstar, cstar, fmask, kernel_gs_base, tsc_aux, pat, misc_enable, spec_ctrl;
    uint64_t sysenter_cs, sysenter_esp, sysenter_eip;
    uint64_t mtrr_def_type, mtrr_fixed[11], mtrr_var[16];
    uint64_t mcg_status, mcg_ctl, mc_bank[4 * 10], xss;
    uint8_t cpl;
    bool halted;
    bool nmi_blocked;                   /* until IRET */
    uint8_t shadow;                     /* SHADOW_*: STI or MOV SS just before */
    uint32_t a20_mask_low;              /* 0xFFFFFFFF, or 0xFFEFFFFF with A20 masked */

    struct x86_fpu fpu;
    union x86_vec vec[16];

    /* exception under way (target/x86/excp.c) */
    sigjmp_buf jmp;                     /* x86_raise() lands in x86_cpu_run() */
    struct { uint8_t vec; bool has_err; uint32_t err; uint64_t cr2; bool soft; } exc;
    int exc_old;                        /* for double fault: vector being delivered, or -1 */

    uint8_t rmw_buf[32] __attribute__((aligned(32)));   /* target/x86/access.h: mem_rmw_begin() off the fast path */
    uint64_t rmw_la;
    unsigned rmw_size;

    struct x86_engine *eng;
    struct x86_mmu *mmu;                /* second-level TLB: target/x86/mmu.h */
    uint64_t map_gen[2];                /* MAP_*: generation of the mapping as instruction fetch sees it (target/x86/mmu.h) */
    uint64_t pdpte[4];                  /* PAE without long mode: loaded at a CR3 write (SDM vol. 3, 4.4.1) */
    bool shutdown;                      /* triple fault: x86_cpu_run() returns X86_EXIT_SHUTDOWN until reset */
    bool wait_sipi;                     /* application processor after INIT */
    uint8_t index, cores;               /* x86_cpu_set_topology(); cores 0 counts as 1 */
    uint8_t exc_ext;                    /* delivery of an event under way: EXT bit of error codes */
    uint8_t db_hit;                     /* data breakpoints hit by this instruction: DR6 B0-B3 */
    uint32_t rand_left;                 /* RDRAND: bytes left in rand_buf */
    uint8_t rand_buf[256];
    struct x86_features *feat;
    struct addr_space *mem, *io;
    struct x86_platform plat;
    void (*wake)(void *opaque);
    void *wake_opaque;

    struct x86_engine_opts opts;        /* x86_cpu_set_engine() */
    uint64_t pv_time, pv_wall;          /* kvmclock's registers: target/x86/pv.h */
    int64_t (*wall_ns)(void *opaque);   /* the date, nanoseconds since 1970 */
    void *wall_opaque;

    /* other threads: atomic */
    uint32_t pending;                   /* PEND_* */
    uint32_t log_mask;                  /* X86_LOG_*: x86_cpu_set_log() */
    uint8_t sipi_vector;
    bool a20_next;

    struct x86_tlb_entry tlb_bank[TLB_BANKS][TLB_SIZE];
    struct x86_jit *jit;                /* NULL: interpreter only */
    struct x86_undo *undo;              /* a trial run is under way (undo.h) */
    struct x86_jit_frame jf;
};

enum { MAP_AS, MAP_GLOBAL };
enum { SHADOW_STI = 1, SHADOW_MOVSS = 2 };
enum {
    PEND_INTR = 1 << 0, PEND_NMI = 1 << 1, PEND_INIT = 1 << 2, PEND_SIPI = 1 << 3, PEND_KICK = 1 << 4,
    PEND_FLUSH = 1 << 5,    /* memory map changed: drop TLBs */
    PEND_CODE = 1 << 6,     /* DMA wrote to pages with code: engine has the list */
    PEND_A20 = 1 << 7,
    PEND_LOG = 1 << 8,      /* x86_cpu_set_log(): blocks are to be made anew */
};

/** x86_mode_update() - recompute cpu->mode and cpu->tlb after a change of segments, CR0, CR4, EFER, XCR0, CPL or EFLAGS (VM, AC, TF) */
void x86_mode_update(struct x86_cpu *cpu);

/** x86_ip() - RIP of the record being run */
static inline uint64_t x86_ip(const struct x86_cpu *cpu, const struct x86_rec *r)
{
    uint64_t ip = cpu->regs[REG_RIP] + r->off;

    return cpu->mode & MODE_64 ? ip : (uint32_t)ip;
}

#endif
