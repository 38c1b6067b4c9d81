/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/interp/fast.h - the pieces that specialised integer handlers are made of
 *
 * Everything here is inlined with constant arguments (size, addressing kind, condition), so that a handler comes out as
 * a few loads, the operation, and one jump. Such a handler has no stack frame: what it cannot do at once (a TLB miss, a
 * rare flag state) it leaves to the generic handler of its instruction, which it enters by a tail call before it has
 * changed anything. Generic handlers look at op, size and form at run time.
 */
#ifndef TARGET_X86_INTERP_FAST_H
#define TARGET_X86_INTERP_FAST_H

#include "target/x86/interp/engine.h"
#include "target/x86/interp/handler.h"

#define FAST static inline __attribute__((always_inline))
/* Guests lock unaligned operands too: fine with the hosts that we run on, as long as it is one instruction */
#define UNALIGNED_ATOMIC __attribute__((no_sanitize("alignment")))

/*
 * Registers by byte offset, operand size as log2 of bytes
 */
FAST uint64_t reg_get(const struct x86_cpu *cpu, unsigned o, unsigned size)
{
    switch (size) {
    case 0:
        return REG8(o);
    case 1:
        return REG16(o);
    case 2:
        return REG32(o);
    default:
        return REG64(o);
    }
}

FAST void reg_set(struct x86_cpu *cpu, unsigned o, unsigned size, uint64_t v)
{
    switch (size) {
    case 0:
        REG8(o) = (uint8_t)v;
        break;
    case 1:
        REG16(o) = (uint16_t)v;
        break;
    case 2:
        REG64(o) = (uint32_t)v;
        break;
    default:
        REG64(o) = v;
        break;
    }
}

/* Sign extension from an operand size */
FAST uint64_t sx(uint64_t v, unsigned size)
{
    switch (size) {
    case 0:
        return (uint64_t)(int64_t)(int8_t)v;
    case 1:
        return (uint64_t)(int64_t)(int16_t)v;
    case 2:
        return (uint64_t)(int64_t)(int32_t)v;
    default:
        return v;
    }
}

FAST uint64_t zx(uint64_t v, unsigned size)
{
    return size == 3 ? v : v & ((1ULL << (8 << size)) - 1);
}

/*
 * Memory operands. Kinds of addressing that have handlers of their own; everything else goes to the generic handler.
 */
enum addr_kind {
    ADDR_B64,       /* flat 64-bit: base + disp */
    ADDR_X64,       /* flat 64-bit: base + index * scale + disp */
    ADDR_F32,       /* flat 32-bit */
    ADDR_S64,       /* 64-bit mode, FS or GS */
    ADDR_KINDS,
    ADDR_OTHER = ADDR_KINDS,
};

static inline unsigned addr_kind(const struct x86_rec *r, uint32_t mode)
{
    if (!(r->flags & REC_MEM)) {
        return ADDR_OTHER;
    }
    if (r->flags & REC_FLAT64) {
        return r->index == REG_ZERO ? ADDR_B64 : ADDR_X64;
    }
    if (r->flags & REC_FLAT32) {
        return ADDR_F32;
    }
    return mode & MODE_64 && r->asize == 3 && (r->seg == SEG_FS || r->seg == SEG_GS) ? ADDR_S64 : ADDR_OTHER;
}

FAST uint64_t addr_of(const struct x86_cpu *cpu, const struct x86_rec *r, unsigned kind)
{
    uint64_t a = cpu->regs[r->base] + (uint64_t)(int64_t)r->disp;

    switch (kind) {
    case ADDR_B64:
        return a;
    case ADDR_X64:
        return a + (cpu->regs[r->index] << r->scale);
    case ADDR_F32:
        return (uint32_t)(a + (cpu->regs[r->index] << r->scale));
    default:
        return a + (cpu->regs[r->index] << r->scale) + cpu->seg[r->seg].base;
    }
}

/* First-level TLB; false: miss. The host address otherwise */
FAST bool tlb_rd(struct x86_cpu *cpu, uint64_t la, unsigned len, char **p)
{
    const struct x86_tlb_entry *e = mem_tlb(cpu, la);

    *p = (char *)(uintptr_t)(la + e->addend);
    host_before_load();
    return likely(e->rtag == ((la + len - 1) & ~0xFFFULL));
}

FAST bool tlb_wr(struct x86_cpu *cpu, uint64_t la, unsigned len, char **p)
{
    const struct x86_tlb_entry *e = mem_tlb(cpu, la);

    *p = (char *)(uintptr_t)(la + e->addend);
    host_before_store();
    return likely(e->wtag == ((la + len - 1) & ~0xFFFULL));
}

FAST uint64_t host_ld(const void *p, unsigned size)
{
    uint8_t v8;
    uint16_t v16;
    uint32_t v32;
    uint64_t v64;

    switch (size) {
    case 0:
        memcpy(&v8, p, 1);
        return v8;
    case 1:
        memcpy(&v16, p, 2);
        return v16;
    case 2:
        memcpy(&v32, p, 4);
        return v32;
    default:
        memcpy(&v64, p, 8);
        return v64;
    }
}

FAST void host_st(void *p, unsigned size, uint64_t v)
{
    switch (size) {
    case 0:
        memcpy(p, &(uint8_t){ (uint8_t)v }, 1);
        break;
    case 1:
        memcpy(p, &(uint16_t){ (uint16_t)v }, 2);
        break;
    case 2:
        memcpy(p, &(uint32_t){ (uint32_t)v }, 4);
        break;
    default:
        memcpy(p, &v, 8);
        break;
    }
}

/* Any size at run time, for generic handlers */
static inline uint64_t mem_ld(struct x86_cpu *cpu, const struct x86_rec *r, uint64_t la, unsigned size)
{
    switch (size) {
    case 0:
        return mem_ld8(cpu, r, la);
    case 1:
        return mem_ld16(cpu, r, la);
    case 2:
        return mem_ld32(cpu, r, la);
    default:
        return mem_ld64(cpu, r, la);
    }
}

static inline void mem_st(struct x86_cpu *cpu, const struct x86_rec *r, uint64_t la, unsigned size, uint64_t v)
{
    switch (size) {
    case 0:
        mem_st8(cpu, r, la, (uint8_t)v);
        break;
    case 1:
        mem_st16(cpu, r, la, (uint16_t)v);
        break;
    case 2:
        mem_st32(cpu, r, la, (uint32_t)v);
        break;
    default:
        mem_st64(cpu, r, la, v);
        break;
    }
}

/* The rm operand as a source, as a plain destination (not read) */
static inline uint64_t rm_get(struct x86_cpu *cpu, const struct x86_rec *r, unsigned size)
{
    return r->flags & REC_MEM ? mem_ld(cpu, r, rec_la(cpu, r, 1u << size, false), size) : reg_get(cpu, r->rm, size);
}

static inline void rm_set(struct x86_cpu *cpu, const struct x86_rec *r, unsigned size, uint64_t v)
{
    if (r->flags & REC_MEM) {
        mem_st(cpu, r, rec_la(cpu, r, 1u << size, true), size, v);
    } else {
        reg_set(cpu, r->rm, size, v);
    }
}

/* Width of the stack pointer as a size: SS.B, not the operand size (SDM vol. 1, 6.2.3) */
static inline unsigned stack_size(const struct x86_cpu *cpu)
{
    return cpu->mode & MODE_64 ? 3 : cpu->mode & MODE_SS32 ? 2 : 1;
}

static inline uint64_t stack_la(struct x86_cpu *cpu, const struct x86_rec *r, uint64_t sp, unsigned len, bool write)
{
    if (cpu->mode & MODE_64) {
        return sp;
    }
    return cpu->mode & MODE_FLAT_SS ? (uint32_t)sp : seg_linear(cpu, r, SEG_SS, sp, len, write);
}

/*
 * Flags. cc_dst and cc_src are sign-extended (flags.c)
 */
FAST void cc_set(struct x86_cpu *cpu, unsigned op8, unsigned size, uint64_t dst, uint64_t src)
{
    cpu->cc_op = op8 + size;
    cpu->cc_dst = sx(dst, size);
    __asm__ volatile("" ::: "memory");      /* two plain stores: put together in a vector register they take longer */
    cpu->cc_src = sx(src, size);
}

FAST void cc_logic(struct x86_cpu *cpu, unsigned size, uint64_t dst)
{
    cpu->cc_op = CC_LOGIC8 + size;
    cpu->cc_dst = sx(dst, size);
}

/* Is cc_op of the family whose 8-bit member is @op8; then *n gets the bits above the operand */
FAST bool cc_is(const struct x86_cpu *cpu, unsigned op8, unsigned *n)
{
    unsigned d = cpu->cc_op - op8;

    *n = 64 - (8u << (d & 3));
    return d < 4;
}

/* CF from the common states; -1: ask flags_cond() */
FAST int cf_fast(const struct x86_cpu *cpu)
{
    unsigned n;

    if (cc_is(cpu, CC_SUB8, &n)) {
        return (cpu->cc_dst + cpu->cc_src) << n < cpu->cc_src << n;
    }
    if (cc_is(cpu, CC_LOGIC8, &n)) {
        return 0;
    }
    if (cc_is(cpu, CC_ADD8, &n)) {
        return cpu->cc_dst << n < cpu->cc_src << n;
    }
    if (cpu->cc_op == CC_FLAGS || cpu->cc_op - CC_INC8 < 8) {
        return cpu->cc_src & FL_CF;
    }
    return -1;
}

/* A condition from the common states: 0, 1, or -1: ask flags_cond(). @cc is a constant */
FAST int cond_fast(const struct x86_cpu *cpu, unsigned cc)
{
    unsigned n, no = cc & 1;
    int c;

    switch (cc >> 1) {
    case 1:             /* B */
        c = cf_fast(cpu);
        return c < 0 ? c : c ^ (int)no;
    case 2:             /* Z */
        if (unlikely(cpu->cc_op == CC_FLAGS)) {
            return (cpu->cc_src >> 6 & 1) ^ no;
        }
        return (cpu->cc_dst == 0) ^ no;
    case 3:             /* BE */
        if (cc_is(cpu, CC_SUB8, &n)) {
            return ((cpu->cc_dst + cpu->cc_src) << n <= cpu->cc_src << n) ^ no;
        }
        if (cc_is(cpu, CC_LOGIC8, &n)) {
            return (cpu->cc_dst == 0) ^ no;
        }
        return -1;
    case 4:             /* S */
        if (unlikely(cpu->cc_op == CC_FLAGS)) {
            return (cpu->cc_src >> 7 & 1) ^ no;
        }
        return ((int64_t)cpu->cc_dst < 0) ^ no;
    case 6:             /* L */
        if (cc_is(cpu, CC_SUB8, &n)) {
            return ((int64_t)((cpu->cc_dst + cpu->cc_src) << n) < (int64_t)(cpu->cc_src << n)) ^ no;
        }
        if (cc_is(cpu, CC_LOGIC8, &n)) {
            return ((int64_t)cpu->cc_dst < 0) ^ no;
        }
        return -1;
    case 7:             /* LE */
        if (cc_is(cpu, CC_SUB8, &n)) {
            return ((int64_t)((cpu->cc_dst + cpu->cc_src) << n) <= (int64_t)(cpu->cc_src << n)) ^ no;
        }
        if (cc_is(cpu, CC_LOGIC8, &n)) {
            return ((int64_t)cpu->cc_dst <= 0) ^ no;
        }
        return -1;
    default:            /* O, P */
        return -1;
    }
}

/* A condition right after comparing @a with @b; both zero-extended */
FAST bool cond_cmp(uint64_t a, uint64_t b, unsigned size, unsigned cc)
{
    int64_t sa = (int64_t)sx(a, size), sb = (int64_t)sx(b, size);
    bool v;

    switch (cc >> 1) {
    case 1:
        v = a < b;
        break;
    case 2:
        v = a == b;
        break;
    case 3:
        v = a <= b;
        break;
    case 4:
        v = (int64_t)sx(a - b, size) < 0;
        break;
    case 6:
        v = sa < sb;
        break;
    default:
        v = sa <= sb;
        break;
    }
    return v ^ (cc & 1);
}

/* A condition right after a logical operation (CF = OF = 0) with result @v */
FAST bool cond_logic(uint64_t v, unsigned size, unsigned cc)
{
    int64_t s = (int64_t)sx(v, size);
    bool c;

    switch (cc >> 1) {
    case 2:
    case 3:
        c = s == 0;
        break;
    case 4:
    case 6:
        c = s < 0;
        break;
    case 7:
        c = s <= 0;
        break;
    default:
        c = false;
        break;
    }
    return c ^ (cc & 1);
}

/*
 * From block to block
 */

/** x86_goto() - go on at regs[REG_RIP], in whatever block that is */
const struct x86_rec *x86_goto(struct x86_cpu *cpu);
/** x86_follow_slow() - x86_follow() without a link, or with the exit word set; RIP is already the target's */
const struct x86_rec *x86_follow_slow(struct x86_cpu *cpu, struct x86_tail *t, unsigned i);

FAST bool exit_asked(const struct x86_cpu *cpu)
{
    return unlikely(__atomic_load_n(&cpu->exit_request, __ATOMIC_RELAXED) != 0);
}

/* Behind an instruction that may have opened the way for an event: is there anything that the run loop has to see to? */
FAST bool x86_must_look(const struct x86_cpu *cpu)
{
    return exit_asked(cpu) || __atomic_load_n(&cpu->pending, __ATOMIC_RELAXED) || cpu->halted || cpu->shutdown || cpu->mode & MODE_STEP;
}

/*
 * Successor @i of the block that ends with tail @t: flat code only. What goes on forward needs no look at the exit word
 */
FAST const struct x86_rec *x86_follow(struct x86_cpu *cpu, struct x86_tail *t, unsigned i)
{
    const struct x86_rec *n = t->to[i];

    cpu->icount += t->n;
    cpu->regs[REG_RIP] += (uint64_t)(int64_t)t->delta[i];
    if (unlikely(!n) || (i == 0 && exit_asked(cpu))) {
        return x86_follow_slow(cpu, t, i);
    }
    X86_GO(cpu, n);
}

/* An indirect successor: @ip is the new RIP, flat code only */
FAST const struct x86_rec *x86_jump(struct x86_cpu *cpu, const struct x86_tail *t, uint64_t ip)
{
    const struct x86_rec *n = x86_jc_find(cpu, ip);

    cpu->icount += t->n;
    cpu->regs[REG_RIP] = ip;
    if (unlikely(!n) || exit_asked(cpu)) {
        return x86_goto(cpu);
    }
    X86_GO(cpu, n);
}

FAST struct x86_tail *tail_of(const struct x86_rec *r)
{
    return (struct x86_tail *)(r + 1);
}

/* Files of integer handlers: each binds its own ops (int.c asks them) */
x86_handler *x86_bind_alu(const struct x86_rec *r, uint32_t mode);
x86_handler *x86_bind_mov(const struct x86_rec *r, uint32_t mode);
x86_handler *x86_bind_shift(const struct x86_rec *r, uint32_t mode);
x86_handler *x86_bind_muldiv(const struct x86_rec *r, uint32_t mode);
x86_handler *x86_bind_bits(const struct x86_rec *r, uint32_t mode);
x86_handler *x86_bind_stack(const struct x86_rec *r, uint32_t mode);
/** x86_bind_fused() - two records by one handler (compare and branch); NULL: not such a pair. @r[1] is there */
x86_handler *x86_bind_fused(const struct x86_rec *r, uint32_t mode);

/** x86_bind_pairs() - replace handlers of a bound block by ones that run two records, where that is shorter */
void x86_bind_pairs(struct x86_rec *recs, unsigned n, uint32_t mode);

/* Generic handlers that fused ones fall back on */
X86_OP(alu_any);
X86_OP(mov_any);
X86_OP(extend_any);
X86_OP(push_any);
X86_OP(pop_any);

#endif
