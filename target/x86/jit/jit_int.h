/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/jit/jit_int.h - what the translator's files share
 *
 * Host registers while translated code runs. Guest RAX RCX RDX RBX RBP RSI RDI R8-R11 are in the registers of their
 * name, guest RSP in R12; guest R12-R15 stay in cpu->regs. R13, R14, R15 are scratch (JT0, JT1, JT2). The host's
 * stack is the C stack; guest CALLs push pairs of guest and host return address on it (tmpl_flow.c). The CPU
 * structure has an absolute address below 2 GiB. Guest xmm/ymm registers are in the host's while jf.vec_live says so
 * (JV_*), the x87 registers while jf.x87_live does.
 *
 * regs[REG_RIP] is RIP minus the offset of RIP's linear address in its page ("page base"): blocks are translated once
 * and run at any linear address. C code gets an ordinary regs[REG_RIP] before anything can look at it.
 *
 * Arithmetic flags are in the host's flags where a later record of the block wants them ("native"), and, where the
 * guest could see them at a fault, an exit or in another block, they follow from memory: cc_op, cc_part (state.h,
 * recipe.c).
 */
#ifndef TARGET_X86_JIT_JIT_INT_H
#define TARGET_X86_JIT_JIT_INT_H

#include "target/x86/interp/engine.h"
#include "target/x86/interp/handler.h"
#include "target/x86/jit/emit_x64.h"
#include "target/x86/jit/jit.h"
#include "target/x86/mmu_int.h"
#include <stdio.h>

enum { JT0 = X_R13, JT1 = X_R14, JT2 = X_R15, JSP = X_R12 };

struct jit_exit;
struct jit_site;

/* Host code of a block; x86_block.jit */
struct x86_jblock {
    uintptr_t entry;            /* flags in memory */
    uintptr_t entry_nat;        /* flags also in the host's; = entry where the block does not look */
    uintptr_t entry_ind;        /* from the jump cache: checks the mode first */
    uintptr_t entry_past;       /* = entry without the test of the exit word: its first instruction is in an interrupt shadow. 0: none */
    uintptr_t dead;             /* where all of them lead when the block has died */
    x86_handler *fn0;           /* of its first record */
    struct jit_exit *in;        /* exits that are linked to it */
    struct jit_exit *interp;    /* its last record goes on in the interpreter */
    struct x86_block *b;
    uint32_t needs;             /* GPRs (bit per number) that a descriptor of the flags on entry must not use */
    bool entry_vis;             /* the flags on entry can be seen before they are overwritten */
    uint8_t *guard;             /* reaches into a second page: the imm32 that is compared on entry */
    uint32_t page_off;
    uint32_t host_bytes;
    uint64_t checks;            /* check=on: runs */
};

enum jit_exit_kind {
    JX_DIRECT,                  /* to a known place: RIP = page base + off */
    JX_INDIRECT,                /* regs[REG_RIP] is RIP, to be cached */
    JX_INTERP,                  /* record `which` of the block goes on in the interpreter */
    JX_LEAVE,                   /* RIP = page base + off; mode, mapping or the code itself may have changed */
};
struct jit_exit {
    struct x86_block *b;
    uint8_t kind, which;
    bool native;                /* the host's flags are the guest's on the edge */
    bool linked;
    bool cross;                 /* to another page: guarded by the generation of the mapping */
    bool shadow;                /* behind STI: the first instruction there comes before any interrupt */
    bool jump;                  /* a JMP, which is a NOP while the target lies behind it */
    uint32_t mode;              /* of what it leads to */
    uint8_t vis;                /* the flags were not made visible on the edge: only to blocks that do not show them */
    uint32_t regs;              /* GPRs that the descriptor left in cc_op uses */
    int32_t off;                /* RIP of the target minus page base */
    uint32_t desc, part;        /* flags when leaving here: 0: as memory says */
    uintptr_t cold;             /* where the unlinked branch goes */
    uint8_t *rel;               /* its rel32 (writable alias) */
    /* cross: */
    uint32_t gen;               /* of the mapping that the link was found good for; 0: not linked */
    uint32_t entry;             /* where the link leads, 0: ask C when the mapping has changed */
    uint64_t phys;              /* page of the target: x86_block.phys >> 12 */
    int32_t page;               /* page base of the target minus ours */
    struct x86_block *to;
    struct jit_exit *next_in;
};

/* Where translated code calls C for one record: a TLB miss, or a record without a template */
struct jit_site {
    struct x86_block *b;
    struct x86_jit_slot *slot;
    uint32_t desc, part;        /* flags here, when not as memory says */
    uint32_t after;             /* rx address behind the record */
    uint16_t rec;
    uint8_t len, write;         /* of the access */
    uint8_t vec, x87;           /* reload these before going on */
    uint8_t align;              /* address bits that must be zero */
    uint8_t keep_cc;            /* the record writes no flags: what memory says stays as it was */
    bool hashable;              /* JT2 is free at the compare */
    uint32_t hot, cold, resume; /* rx: the compare, the code for a miss, behind the load of the addend */
    struct x64_rm la;           /* the address, where JT1 has not got it */
};
#define JIT_SITE_MISSES 256

/* Per record: liveness.c */
struct jit_ri {
    uint16_t nat_in, nat_out;   /* XF_*: flags that a later record of the block reads natively */
    uint16_t vis_out;           /* flags that can be seen from outside after this record */
    uint32_t window;            /* GPRs that change while the flags this record writes can be seen */
    bool partly;                /* a later record overwrites some of the flags, and others not */
    bool to_exit;               /* they can still be seen when the block is left */
};

enum { JV_NONE, JV_SSE, JV_AVX };

/* A successor that is reached directly, as far as it is known when the block is translated */
struct jit_edge {
    uint32_t needs;             /* GPRs that a descriptor must not use there */
    bool there;
    bool vis;                   /* it can show the flags before it overwrites them */
    bool reads;                 /* it reads them */
};

struct jit_tr {
    struct x64_buf h, c;        /* hot and cold code */
    struct x86_cpu *cpu;
    struct x86_jit *j;
    struct x86_block *b;
    struct x86_jblock *jb;
    uint32_t mode;
    unsigned n, i;              /* records; the one being translated */
    struct jit_ri ri[BLOCK_MAX_RECS + 1];
    bool site[BLOCK_MAX_RECS + 1];          /* the flags before the record may be seen */
    bool force_site[BLOCK_MAX_RECS + 1];    /* it turned out that a record has no template after all */
    struct jit_edge edge[2];
    uint32_t exit_needs;        /* GPRs that a descriptor must not use on the way out, where there are no edges */
    bool nat;                   /* host flags are the guest's */
    bool nat_part;              /* not all of them: those that a later record of the block reads */
    uint32_t desc, part;        /* flags as the guest sees them, where memory does not say it yet */
    uint32_t mem_regs;          /* GPRs of a descriptor that this block has put into memory already */
    uint8_t vec, x87;           /* JV_*: known to be loaded */
    uint8_t align;              /* jit_mem_aligned() at work */
    bool check_entry;           /* the exit word is tested at the block's start */
    bool restart;               /* force_site has a new entry: once more from the start */
    bool failed;                /* out of space for sites */
    bool hashable;              /* see jit_site */
    struct jit_site *open[4];   /* sites of the record being translated: where they go on is not known yet */
    unsigned n_open;
    bool saved;                 /* native flags are in JT2 at those sites */
    struct x86_jit_slot *slot_of[X86_NREGS];
    int32_t slot_disp[X86_NREGS];
    bool swap;                  /* the last record is a Jcc whose taken edge is to come last */
    struct jit_exit *last;      /* the exit whose jump has been emitted last */
};

#define JIT_WARM 1024
struct x86_jit {
    struct x86_engine_opts o;
    uint8_t *rx, *rw;           /* host code, twice mapped */
    size_t size;
    size_t hot_used, cold_used; /* hot code grows from 0, cold code from size / 2 */
    size_t stubs_hot;           /* after the stubs: where a flush goes back to */
    uint8_t *meta;              /* sites, exits, hot blocks; below 2 GiB too */
    size_t meta_size, meta_used, meta_stubs;
    unsigned next_slot;
    int64_t slot_since[JIT_SLOTS];      /* when somebody looked at the slot's misses last, microseconds */
    bool has_avx;
    uint32_t has;               /* JH_* */
    uint32_t host_1_ecx, host_7_ebx;    /* CPUID: what tmpl_simd.c may emit */
    bool want_flush;
    uint64_t rip_phys;          /* of the byte that regs[REG_RIP] points to while blocks are translated; ~0: of none of them */
    struct x86_block *warm[JIT_WARM];   /* a ring of blocks that have run a few times: something to do for a CPU that is idle */
    unsigned warm_put, warm_got;
    struct jit_exit *behind;    /* the exit whose target is being translated, to lie behind its jump; or NULL */
    struct jit_exit *tail;      /* the exit whose jump is the end of the last translation, at hot offset tail_at; or NULL */
    size_t tail_at;
    struct jit_check *check;    /* check=on: check.h; nothing is linked then */
    FILE *perf;                 /* the perf map, or NULL */

    struct jit_exit *(*enter)(struct x86_cpu *cpu, uintptr_t code);
    bool no_lock;               /* LOCK is left out */
    uintptr_t s_exit;           /* JT0: jit_exit; leaves to C */
    uintptr_t s_cross[2][2];    /* user, 64-bit mode; the same for an edge to another page: first looks whether it still is the same page */
    uintptr_t s_step;           /* call; JT0: site; runs the record in the interpreter */
    uintptr_t s_miss[TLB_BANKS][2];     /* call; pushed: slot, site; JT1: linear address, JT0: tag */
    uintptr_t s_stack[TLB_BANKS][2];    /* call; JT0: page and low bits of a stack operand; addend, ZF when the hashed TLB has it. JT1 is lost */
    uintptr_t s_flags;          /* call: host flags from memory */
    uintptr_t s_indirect;       /* jmp; JT0: new RIP: jump cache, else leaves to C */
    uintptr_t s_unknown;        /* jmp; JT0: new RIP: leaves to C */
    uintptr_t s_ret_miss;       /* jmp; JT0: new RIP, which is not what the last CALL pushed */
    uintptr_t s_vec[3];         /* call: load xmm, ymm registers */
    uintptr_t s_vec_widen;      /* call: the same for ymm when xmm may be live already; host flags change */
    uintptr_t s_x87;            /* call: load the x87 */
    uintptr_t s_call_reset;     /* call: the stack of return pairs is full */
    uintptr_t s_end;            /* jmp; JT0: site: the interpreter's handler of a last record, and on to what follows */
    uintptr_t s_tsc;            /* call: RAX is the time stamp counter */
    uintptr_t s_eflags;         /* call: JT2 is the arithmetic flags as memory has them */
    uintptr_t s_string[2][TLB_BANKS][4];    /* call; [MOVS, STOS][bank][size]: REP on host memory; CF: C has to go on with it */

    uint64_t n_hashed, n_failed, n_blocks, n_insns, n_links, n_enters, n_steps, n_ends, n_misses, n_exits[4], n_flushes, n_killed;
    uint64_t op_steps[OP_COUNT];    /* records that the interpreter ran for translated code, by operation */
    uint64_t op_ends[OP_COUNT];     /* the same for last records of blocks: translated code is left */
    uint64_t op_on[OP_COUNT];       /* the same, but it is not: jit_c_end() */
    struct jit_exit leave;
    struct jit_site no_site;    /* what the translator writes to when there is no room: it gives up at the end of the record */
    struct jit_exit no_exit;
    struct x86_rec step[2];     /* run.c: the record that the interpreter runs for translated code; faults point to it */
};

/* What the host's CPU has, beyond x86-64 itself (tmpl_bits.c) */
enum {
    JH_BMI1 = 1 << 0, JH_BMI2 = 1 << 1, JH_ADX = 1 << 2, JH_LZCNT = 1 << 3, JH_POPCNT = 1 << 4, JH_CRC32 = 1 << 5,
    JH_MOVBE = 1 << 6,
};
uint32_t jit_host_has(void);

/* The frame: absolute operands */
#define JF(t_cpu, member) x64_abs(&(t_cpu)->member)

/* cache.c */
void *jit_meta(struct x86_jit *j, size_t size);
bool jit_space(const struct x86_jit *j, size_t hot, size_t cold, size_t meta);
bool jit_cache_open(struct x86_jit *j, uint32_t mib, Error **errp);
void jit_cache_close(struct x86_jit *j);

/* stubs.c */
void jit_stubs(struct x86_cpu *cpu, struct x86_jit *j);
/** jit_stubs_name() - into the perf map */
void jit_stubs_name(const struct x86_jit *j);

void jit_indirect(struct x86_cpu *cpu, struct x64_buf *b, bool user, uintptr_t miss);
/** jit_spill()/jit_reload() - pinned registers to cpu->regs and back */
void jit_spill(struct x86_cpu *cpu, struct x64_buf *b);
void jit_reload(struct x86_cpu *cpu, struct x64_buf *b);
/** jit_state_save() - vector and x87 registers that are live go to memory; changes host flags */
void jit_state_save(struct x86_cpu *cpu, const struct x86_jit *j, struct x64_buf *b);
/** jit_call_c() - CALL @fn, a C function anywhere, with the stack aligned. Guest registers that C may change are in memory by now, RBX too */
void jit_call_c(struct x64_buf *b, const void *fn);

/* stubs_sys.c. @leave: where code leaves that has spilled already and has the exit in RAX */
void jit_stubs_sys(struct x86_cpu *cpu, struct x86_jit *j, struct x64_buf *b, uintptr_t leave);

/* liveness.c */
void jit_liveness(struct jit_tr *t);
/** jit_entry_needs() - see x86_jblock.needs; *vis: entry_vis. @site: the block's own, NULL: by the look of the records */
uint32_t jit_entry_needs(const struct x86_rec *recs, unsigned n, const bool *site, bool *vis, bool *reads);
/** jit_writes() - GPRs that a record changes, a bit each */
uint32_t jit_writes(const struct x86_rec *r);

/* translate.c */
/** jit_untranslated() - the block at edge @i of @b, when it has run and is not translated; else NULL */
struct x86_block *jit_untranslated(struct x86_cpu *cpu, struct x86_block *b, unsigned i);
struct x86_jblock *jit_translate(struct x86_cpu *cpu, struct x86_block *b);
struct jit_site *jit_site(struct jit_tr *t);
struct jit_exit *jit_exit_new(struct jit_tr *t, enum jit_exit_kind kind);
/** jit_fallback() - the record by the interpreter */
void jit_fallback(struct jit_tr *t);
/** jit_cold_exit() - cold code that leaves by @x, with the flags in memory; @stub: s_exit or s_cross */
void jit_cold_exit(struct jit_tr *t, struct jit_exit *x, uintptr_t stub);

/* mem.c */
enum jit_acc { JA_LD, JA_ST, JA_RMW };
/**
 * jit_mem() - check the memory operand of the record being translated and give the host's operand for it
 * It is good until JT0 or JT1 change. Native flags live across it survive. What cannot be done on host memory never
 * comes back here: the interpreter has done the whole record then, and goes on behind it. So nothing visible may have
 * been changed before; a record with two accesses checks both first.
 */
struct x64_rm jit_mem(struct jit_tr *t, unsigned len, enum jit_acc acc);
/** jit_mem_aligned() - the same for an operand of 16 or 32 bytes that raises #GP when it is not aligned */
struct x64_rm jit_mem_aligned(struct jit_tr *t, unsigned len, enum jit_acc acc);
/** jit_mem_ea() - the same for the effective address in JT1 (cut to the address size); the host's flags are lost */
struct x64_rm jit_mem_ea(struct jit_tr *t, unsigned len, enum jit_acc acc);
/** jit_mem_reg() - the same at guest register @base, flat; the host's flags are lost */
struct x64_rm jit_mem_reg(struct jit_tr *t, unsigned base, unsigned len, enum jit_acc acc);
/** jit_mem_ok() - can jit_mem() do this record's operand? */
bool jit_mem_ok(const struct jit_tr *t, const struct x86_rec *r);
/**
 * jit_check_out() - a branch whose rel32 is at @at leads to the interpreter, which does the whole record: what inline
 * code cannot judge Nothing visible may have been changed before; host flags are not kept.
 */
void jit_check_out(struct jit_tr *t, uint8_t *at);
/** jit_stack() - the same for @len bytes at guest RSP + @disp; JT0 only */
struct x64_rm jit_stack(struct jit_tr *t, int32_t disp, unsigned len, enum jit_acc acc);
/** jit_stack_at() - the same off another host register (LEAVE) */
struct x64_rm jit_stack_at(struct jit_tr *t, unsigned base, int32_t disp, unsigned len, enum jit_acc acc);
bool jit_stack_ok(const struct jit_tr *t);
/** jit_stack_run() - two or more PUSHes or POPs of registers at once: t->i is the last of them then. false: nothing emitted */
bool jit_stack_run(struct jit_tr *t);
/** jit_flags_save()/jit_flags_restore() - in JT2, around code that changes the host's flags */
void jit_flags_save(struct x64_buf *b);
void jit_flags_restore(struct x64_buf *b);
/** jit_bank() - the bank of the TLB that a block of @mode uses */
static inline unsigned jit_bank(uint32_t mode)
{
    return mode & MODE_USER ? TLB_USER : mode & MODE_SMAP_AC ? TLB_KERNEL_AC : TLB_KERNEL;
}
/** jit_slot_fill() - from the TLB entry of a page; the stub for misses does the same (stubs.c) */
static inline void jit_slot_fill(struct x86_cpu *cpu, struct x86_jit_slot *s, const struct x86_tlb_entry *e, uint64_t page)
{
    unsigned list = (page >> 12 & (JIT_USED_PAGES - 1)) | (e->aux & AUX_GLOBAL ? JIT_USED_GLOBAL : 0);

    s->rtag = e->rtag;
    s->wtag = e->wtag;
    s->addend = e->addend;
    cpu->jf.held[!!(e->aux & AUX_GLOBAL)][page >> 12 & (TLB_SIZE - 1)] = 1;
    if (!(s->listed & 1u << list)) {
        s->listed |= 1u << list;
        cpu->jf.used[list][cpu->jf.used_n[list]++] = (uint32_t)(uintptr_t)s;
    }
}
/** jit_slot_init() - nothing in it; it stays on the lists that it is on */
static inline void jit_slot_init(struct x86_jit_slot *s)
{
    s->rtag = s->wtag = TLB_NONE;
    s->left = JIT_SITE_MISSES;
}
/** jit_site_hash() - from now on @s looks in the hashed TLB inline */
void jit_site_hash(struct x86_cpu *cpu, struct jit_site *s);
/** jit_lea() - effective address of the memory operand into host register @to, cut to the address size, no segment base; no flags change */
void jit_lea(struct jit_tr *t, unsigned to);

/* operands (mem.c) */
static inline bool jit_high8(unsigned off) { return off & 1; }
/** jit_greg() - host register that holds guest register number @g, or X_NONE: it is in memory */
static inline unsigned jit_greg(unsigned g)
{
    return g == R_SP ? JSP : g < 12 ? g : X_NONE;
}
/** jit_gop() - guest general register by byte offset (rec.h) as a host operand; high byte registers are 4..7 */
struct x64_rm jit_gop(const struct jit_tr *t, unsigned off, unsigned size);
/** jit_src() - the same in a host register: loads it into @tmp where it lives in memory */
unsigned jit_src(struct jit_tr *t, unsigned off, unsigned size, unsigned tmp);

/*
 * Flags (recipe.c). A record whose flags can be seen (ri[i].vis_out) either is described by registers that outlive
 * the window (jit_desc, jit_desc_fits, jit_fl_set), or stores result and operand (jit_cc_store) and has the plain cc
 * kind for a descriptor, or stores the host's flags (jit_fl_pushf). One whose flags nobody can see just says
 * jit_fl_set(t, 0).
 */
enum { JD_RES, JD_CMP, JD_TEST, JD_IMAGE };
enum { JB_REG, JB_IMM, JB_MEM, JB_NEG };
#define JD_IN_MEMORY 0xFFFF     /* for @dst: the first operand was stored to cc_dst as it is */
enum { JPART_OF = 1 << 8, JPART_CF = 1 << 16 };       /* cc_part: the flag is in cc_co */
/** @dst, @b: byte offsets as in records; @bmode JB_*; with JB_IMM @b is the value */
uint32_t jit_desc(unsigned form, unsigned kind, unsigned dst, unsigned bmode, unsigned b);
uint32_t jit_part(bool dec, unsigned size, bool mem, unsigned reg);
/** jit_part_merge() - the parts that @old and then @part stand for, as one */
uint32_t jit_part_merge(uint32_t old, uint32_t part);
uint32_t jit_desc_regs(uint32_t desc, uint32_t part);
/** jit_desc_fits() - do the registers live as long as the flags of record t->i can be seen? */
bool jit_desc_fits(const struct jit_tr *t, uint32_t desc, uint32_t part);
/** jit_cc_store() - host register @reg, of @size, to cc_dst or cc_src; changes no flags; @tmp is used for sizes below 3 */
void jit_cc_store(struct jit_tr *t, bool dst, unsigned reg, unsigned size, unsigned tmp);
void jit_cc_store_imm(struct jit_tr *t, int32_t v);
/** jit_fl_set() - record t->i has written all flags: native now, visible by @desc */
void jit_fl_set(struct jit_tr *t, uint32_t desc);
/** jit_fl_set_part() - a part on top of the others, pending */
void jit_fl_set_part(struct jit_tr *t, uint32_t part);
/** jit_fl_part_now() - the same at once in memory, behind all that is pending: for records that the interpreter may have done */
void jit_fl_part_now(struct jit_tr *t, uint32_t part);
/** jit_fl_some() - record t->i has written some of the flags: native is what it wrote, and the rest where it was native before */
void jit_fl_some(struct jit_tr *t);
/** jit_fl_co() - it has written just CF, or OF, or both: also makes them visible */
void jit_fl_co(struct jit_tr *t, bool c, bool o);
/** jit_fl_image() - host flags to cc_src, for a JD_IMAGE descriptor. Changes no flags. RAX is kept in @tmp meanwhile */
void jit_fl_image(struct jit_tr *t, unsigned tmp);
/** jit_fl_pushf() - the same for any record that writes all flags, by storing the host's. Clobbers JT0 */
void jit_fl_pushf(struct jit_tr *t);
/**
 * jit_fl_store() - on an edge to a block that changes the registers of @desc: store what follows from them. Clobbers
 * JT0 and host flags. jit_desc_storable(): can it?
 */
void jit_fl_store(struct jit_tr *t, struct x64_buf *b, uint32_t desc);
bool jit_desc_storable(uint32_t desc, uint32_t part);
/** jit_fl_early() - the same in the middle of a block, before a part goes to memory */
void jit_fl_early(struct jit_tr *t);
/** jit_fl_flush() - what is only known to the translator goes to memory (at an exit). Changes no flags and no registers */
void jit_fl_flush(struct jit_tr *t, struct x64_buf *b);

/* tmpl_*.c: true: emitted; false: nothing was emitted, the interpreter has to do it */
bool jit_tmpl_int(struct jit_tr *t, const struct x86_rec *r);
bool jit_tmpl_shift(struct jit_tr *t, const struct x86_rec *r);
bool jit_tmpl_bits(struct jit_tr *t, const struct x86_rec *r);
bool jit_tmpl_stack(struct jit_tr *t, const struct x86_rec *r);
bool jit_tmpl_sys(struct jit_tr *t, const struct x86_rec *r);
/** jit_tmpl_string() - REP MOVS, REP STOS (tmpl_string.c). jit_string_early(): GPRs that it changes before it may call C */
bool jit_tmpl_string(struct jit_tr *t, const struct x86_rec *r);
uint32_t jit_string_early(const struct x86_rec *r);
bool jit_tmpl_simd(struct jit_tr *t, const struct x86_rec *r);
bool jit_tmpl_x87(struct jit_tr *t, const struct x86_rec *r);
/** jit_tmpl_end() - the last record; always emits */
void jit_tmpl_end(struct jit_tr *t, const struct x86_rec *r);
/** jit_x87_save(), jit_x87_load() - emit code that moves the x87 state between host and cpu->fpu (stubs) */
void jit_x87_save(struct x86_cpu *cpu, struct x64_buf *b);
void jit_x87_load(struct x86_cpu *cpu, struct x64_buf *b);
/** jit_x87_need() - the x87 registers live in the host from here on. Before jit_mem() of the same record */
void jit_x87_need(struct jit_tr *t);
/** jit_x87_pure() - an x87 or MMX record without memory that always has a template, unless MODE_XF */
bool jit_x87_pure(const struct x86_rec *r);
/* tmpl_mmx.c */
bool jit_tmpl_mmx(struct jit_tr *t, const struct x86_rec *r);
bool jit_mmx_pure(const struct x86_rec *r);

/* tmpl_simd.c */
/** jit_simd_host() - what the host's CPUID says, for the templates; sets has_avx */
void jit_simd_host(struct x86_jit *j);
/** jit_vec_need() - vector registers live in the host from here on: JV_SSE or JV_AVX. Before jit_mem() of the same record */
void jit_vec_need(struct jit_tr *t, unsigned kind);
uintptr_t jit_stub_widen(struct x86_cpu *cpu, const struct x86_jit *j, struct x64_buf *b);
/** jit_simd_pure() - a vector record without memory that always has a template (unless MODE_XM and jit_simd_raises()) */
bool jit_simd_pure(const struct x86_rec *r);
bool jit_simd_raises(const struct x86_rec *r);
/** jit_simd_writes() - GPRs that a vector record changes */
uint32_t jit_simd_writes(const struct x86_rec *r);

/* run.c: called by stubs. Return: NULL: go on; else the exit to take (state is in cpu) */
struct jit_exit *jit_c_step(struct x86_cpu *cpu, struct jit_site *s);
/** jit_c_end() - runs a last record by its handler. Return: host code to go on with (0: leave), and whether the return pairs are void */
struct jit_way {
    uintptr_t code;
    uint64_t drop;
};
struct jit_way jit_c_end(struct x86_cpu *cpu, struct jit_site *s);
/** jit_end_by_c() - is @op one whose handler jit_c_end() may run: it ends with x86_leave() or x86_leave_to() */
bool jit_end_by_c(unsigned op);
uint64_t jit_c_tsc(struct x86_cpu *cpu);
uint32_t jit_c_eflags(struct x86_cpu *cpu);
/** jit_c_miss() - 0: the slot is filled; 1: the record is done; else an exit */
uintptr_t jit_c_miss(struct x86_cpu *cpu, struct jit_site *s, uint64_t la);
/** jit_c_often() - @s has missed its slot JIT_SITE_MISSES times */
void jit_c_often(struct x86_cpu *cpu, struct jit_site *s);
void jit_c_flags(struct x86_cpu *cpu);
/** jit_enter_block() - run the translation of @b, which is at regs[REG_RIP]. Return: how it left; the flags are plain */
struct jit_exit *jit_enter_block(struct x86_cpu *cpu, struct x86_block *b);
x86_handler x86_jit_count, x86_jit_enter;

#endif
