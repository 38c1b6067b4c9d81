/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/jit/mem.c - operands: general registers, effective addresses, and the inline TLB check
 *
 *     lea JT0, [address]      and JT0, -4096 | 7      cmp JT0, slot.tag      jne cold      mov JT0, slot.addend
 *     op [JT0 + address]
 *
 * A slot is one TLB entry shared by the accesses of a block off one base register; the stack has one for all blocks
 * of a bank. The compare keeps the bits that an aligned address has clear, so whatever hits lies in the page as a
 * whole. The rest, what is not aligned too, looks in the hashed TLB (stubs.c), where the tag is that of the last
 * byte: an access across a page edge, or one that is not canonical, misses by construction (pitfalls 4, 15) and ends
 * in C. Sites that miss often get the hashed look-up inline.
 */
#include "target/x86/jit/jit_int.h"
#include <stddef.h>

struct x64_rm jit_gop(const struct jit_tr *t, unsigned off, unsigned size)
{
    unsigned g = off >> 3, h;

    if (jit_high8(off)) {
        return x64_r(4 + g);
    }
    h = jit_greg(g);
    return h == X_NONE ? x64_abs(&t->cpu->regs[g]) : x64_r(h);
}

unsigned jit_src(struct jit_tr *t, unsigned off, unsigned size, unsigned tmp)
{
    unsigned h = jit_greg(off >> 3);

    if (h != X_NONE) {
        return h;
    }
    if (size == 3) {
        x64_ld(&t->h, tmp, x64_abs(&t->cpu->regs[off >> 3]));
    } else {
        x64_ld32(&t->h, tmp, x64_abs(&t->cpu->regs[off >> 3]));
    }
    return tmp;
}

void jit_flags_save(struct x64_buf *b)
{
    x64_mov(b, JT2, X_AX);
    x64_b1(b, 0x9F);                                    /* LAHF */
    x64_op(b, 0x90 | X_0F, 0, x64_r(X_AX));             /* SETO AL */
    x64_op(b, 0x87 | X_W, X_AX, x64_r(JT2));            /* XCHG */
}

void jit_flags_restore(struct x64_buf *b)
{
    x64_op(b, 0x87 | X_W, X_AX, x64_r(JT2));
    x64_b1(b, 0x04);                                    /* ADD AL, 127: overflows when AL is 1 */
    x64_b1(b, 0x7F);
    x64_b1(b, 0x9E);                                    /* SAHF */
    x64_mov(b, X_AX, JT2);
}

struct jit_site *jit_site(struct jit_tr *t)
{
    struct jit_site *s = jit_meta(t->j, sizeof(*s));

    if (!s) {
        t->failed = true;
        return memset(&t->j->no_site, 0, sizeof(*s));
    }
    s->b = t->b;
    s->rec = (uint16_t)t->i;
    s->desc = t->desc;
    s->part = t->part;
    s->vec = t->vec;
    s->x87 = t->x87;
    return s;
}

static struct x86_jit_slot *slot_new(struct jit_tr *t)
{
    struct x86_jit_slot *s = &t->cpu->jf.slot[TLB_BANKS + t->j->next_slot++ % (JIT_SLOTS - TLB_BANKS)];

    jit_slot_init(s);
    return s;
}

/* Accesses off one register share a slot while their displacements are near each other: fields of a structure, not different arrays */
#define SLOT_SPAN 1024
static struct x86_jit_slot *slot_for(struct jit_tr *t, unsigned base, bool index, int32_t disp)
{
    int64_t d;

    if (index || base >= X86_NREGS) {
        return slot_new(t);
    }
    if (base == R_SP && disp > -4096 && disp < 4096) {
        return &t->cpu->jf.slot[jit_bank(t->mode)];
    }
    d = (int64_t)disp - t->slot_disp[base];
    if (!t->slot_of[base] || d > SLOT_SPAN || d < -SLOT_SPAN) {
        t->slot_of[base] = slot_new(t);
        t->slot_disp[base] = disp;
    }
    return t->slot_of[base];
}

/*
 * JT0 is the linear address (JT1 too, unless @la says how to compute it): compare with the slot, and go on with the
 * addend in JT0
 *
 * A slot is not indexed by the address, so both ends of the access have to be in its page: the compare includes the
 * low bits that an aligned address has clear. What is not aligned goes on in the cold code, which looks at the last
 * byte's page in the hashed TLB; where alignment is demanded (t->align) it keeps the low bits, misses there too, and
 * ends in the interpreter.
 */
static void check(struct jit_tr *t, struct x86_jit_slot *slot, const struct x64_rm *la, unsigned len, enum jit_acc acc)
{
    struct jit_site *s = jit_site(t);
    bool write = acc != JA_LD;
    int32_t low = t->align ? t->align : len > 32 ? 63 : len > 16 ? 31 : len > 8 ? 15 : len > 4 ? 7 : len > 2 ? 3 : (int32_t)len - 1;
    uint8_t *miss;
    uintptr_t resume;

    s->slot = slot;
    s->len = (uint8_t)len;
    s->write = write;
    s->align = t->align;
    s->hot = (uint32_t)x64_pc(&t->h);
    x64_alui(&t->h, X_AND, X_W, x64_r(JT0), -4096 | low);
    if (t->j->o.no_slots) {
        miss = x64_jmp(&t->h, 0);
    } else {
        x64_alu(&t->h, X_CMP, X_W, JT0, x64_abs(write ? &slot->wtag : &slot->rtag));
        miss = x64_jcc(&t->h, X_NZ, 0);
    }
    resume = x64_pc(&t->h);
    x64_ld(&t->h, JT0, x64_abs(&slot->addend));

    if (!t->h.overflow) {
        x64_patch(&t->h, miss, x64_pc(&t->c));
    }
    s->cold = (uint32_t)x64_pc(&t->c);
    if (la) {
        x64_lea(&t->c, JT1, *la);
        s->la = *la;
    }
    if (!t->align) {
        x64_lea(&t->c, JT0, x64_m(JT1, X_NONE, 0, (int32_t)len - 1));
        x64_alui(&t->c, X_AND, X_W, x64_r(JT0), -4096);
    }
    x64_b1(&t->c, 0x68);                                /* PUSH imm32 */
    x64_b4(&t->c, (uint32_t)(uintptr_t)slot);
    x64_b1(&t->c, 0x68);
    x64_b4(&t->c, (uint32_t)(uintptr_t)s);
    x64_call(&t->c, t->j->s_miss[jit_bank(t->mode)][write]);
    x64_lea(&t->c, X_SP, x64_m(X_SP, X_NONE, 0, 16));
    x64_jmp(&t->c, resume);
    s->resume = (uint32_t)x64_pc(&t->h);
    s->hashable = t->hashable && !t->saved;
    if (t->n_open < ARRAY_LEN(t->open)) {
        t->open[t->n_open++] = s;
    } else {
        t->failed = true;
    }
}

/*
 * A site whose addresses keep leaving its slot's page gets the look-up in the hashed TLB inline, behind a jump over its
 * compare. JT2 must be free there
 */
void jit_site_hash(struct x86_cpu *cpu, struct jit_site *s)
{
    struct x86_jit *j = cpu->jit;
    struct x64_buf c = { .w = j->rw + j->size / 2 + j->cold_used, .to_rx = j->rx - j->rw };
    struct x64_buf h = { .w = j->rw + (s->hot - (uint32_t)(uintptr_t)j->rx), .to_rx = c.to_rx };
    const struct x86_tlb_entry *tlb = cpu->tlb_bank[jit_bank(s->b->mode)];
    int32_t tag = (int32_t)((uintptr_t)tlb + (s->write ? offsetof(struct x86_tlb_entry, wtag) : offsetof(struct x86_tlb_entry, rtag)));
    uint8_t *start = c.w;

    if (!jit_space(j, 0, 256, 0)) {
        return;
    }
    c.end = c.w + 256;
    h.end = h.w + 5;
    if (s->la.mem) {
        x64_lea(&c, JT1, s->la);
    }
    if (!s->align) {
        x64_lea(&c, JT0, x64_m(JT1, X_NONE, 0, s->len - 1));
    }
    x64_alui(&c, X_AND, X_W, x64_r(JT0), -4096 | s->align);
    x64_mov(&c, JT2, JT1);
    x64_op(&c, 0xC1 | X_W, 5, x64_r(JT2));              /* SHR */
    x64_b1(&c, 7);
    x64_alui(&c, X_AND, 0, x64_r(JT2), (TLB_SIZE - 1) << 5);
    x64_alu(&c, X_CMP, X_W, JT0, x64_m(JT2, X_NONE, 0, tag));
    x64_jcc(&c, X_NZ, s->cold);
    x64_ld(&c, JT0, x64_m(JT2, X_NONE, 0, (int32_t)((uintptr_t)tlb + offsetof(struct x86_tlb_entry, addend))));
    x64_jmp(&c, s->resume);
    x64_jmp(&h, (uintptr_t)start + (uintptr_t)c.to_rx);
    j->cold_used += (size_t)(c.w - start);
    j->n_hashed++;
}

/* Straight to the interpreter, from a branch whose rel32 is at @at: what the inline code cannot judge */
void jit_check_out(struct jit_tr *t, uint8_t *at)
{
    struct jit_site *s = jit_site(t);

    if (!t->h.overflow) {
        x64_patch(&t->h, at, x64_pc(&t->c));
    }
    x64_movi32(&t->c, JT0, (uint32_t)(uintptr_t)s);
    x64_call(&t->c, t->j->s_step);
    x64_movi32(&t->c, JT0, (uint32_t)(uintptr_t)&s->after);
    x64_ld32(&t->c, JT0, x64_m(JT0, X_NONE, 0, 0));
    x64_op(&t->c, 0xFF, 4, x64_r(JT0));
    if (t->n_open < ARRAY_LEN(t->open)) {
        t->open[t->n_open++] = s;
    } else {
        t->failed = true;
    }
}

static void before(struct jit_tr *t)
{
    if (t->nat && t->ri[t->i].nat_in) {
        jit_flags_save(&t->h);
        t->saved = true;
    }
}

static void behind(struct jit_tr *t)
{
    if (t->nat && t->ri[t->i].nat_in) {
        jit_flags_restore(&t->h);
    } else {
        t->nat = false;
    }
}

/*
 * Effective address
 */

/* base + index * scale + disp with registers in the host's; loads what is in memory into JT1 (base) and JT0 (index) */
static struct x64_rm ea_rm(struct jit_tr *t, const struct x86_rec *r, unsigned to)
{
    unsigned base = X_NONE, index = X_NONE;
    int32_t disp = r->disp;

    if (r->base == REG_RIP) {
        x64_ld(&t->h, to, JF(t->cpu, regs[REG_RIP]));
        base = to;
        disp += (int32_t)t->jb->page_off;
    } else if (r->base != REG_ZERO) {
        base = jit_greg(r->base);
        if (base == X_NONE) {
            x64_ld(&t->h, to, x64_abs(&t->cpu->regs[r->base]));
            base = to;
        }
    }
    if (r->index != REG_ZERO) {
        index = jit_greg(r->index);
        if (index == X_NONE) {
            unsigned tmp = to == JT0 ? JT1 : JT0;

            x64_ld(&t->h, tmp, x64_abs(&t->cpu->regs[r->index]));
            index = tmp;
        }
    }
    return x64_m(base, index, r->scale, disp);
}

static bool has_moffs(const struct x86_rec *r)
{
    return r->form == FORM_R_MOFFS || r->form == FORM_MOFFS_R;
}

void jit_lea(struct jit_tr *t, unsigned to)
{
    const struct x86_rec *r = &t->b->recs[t->i];
    struct x64_rm m;

    if (has_moffs(r)) {
        x64_b1(&t->h, 0x48 | (to & 8 ? 1 : 0));
        x64_b1(&t->h, 0xB8 | (to & 7));
        x64_b8(&t->h, r->asize == 3 ? r->imm : r->asize == 2 ? (uint32_t)r->imm : (uint16_t)r->imm);
        return;
    }
    m = ea_rm(t, r, to == JT0 ? JT0 : JT1);
    if (r->asize == 3) {
        x64_lea(&t->h, to, m);
    } else {
        x64_op(&t->h, 0x8D, to, m);
        if (r->asize == 1) {
            x64_op(&t->h, 0xB7 | X_0F, to, x64_r(to));
        }
    }
}

bool jit_mem_ok(const struct jit_tr *t, const struct x86_rec *r)
{
    if (!(r->flags & REC_MEM) && !has_moffs(r)) {
        return false;
    }
    return !(t->mode & MODE_AC);
}

/*
 * Outside 64-bit mode the sum is made with 64 bits all the same where it will hardly wrap: what does wrap lies in no page that there is, misses,
 * and is the interpreter's (jit_c_miss()). The upper halves of the registers are zero there.
 */
#define NEAR (1 << 20)
static bool flat_sum(const struct jit_tr *t, const struct x86_rec *r)
{
    if (t->mode & MODE_64) {
        return r->flags & REC_FLAT64;
    }
    return r->flags & REC_FLAT32 && (r->base == REG_ZERO ? r->disp >= 0 : r->disp > -NEAR && r->disp < NEAR);
}

/* Can the address be an operand as it is? */
static bool direct(const struct jit_tr *t, const struct x86_rec *r)
{
    return flat_sum(t, r) && !has_moffs(r) && r->index == REG_ZERO && r->base != REG_RIP &&
           (r->base == REG_ZERO || jit_greg(r->base) != X_NONE) && (int64_t)r->disp + 64 <= INT32_MAX;
}

/* Segment base and, outside 64-bit mode, limit: JT1 is the effective address, becomes linear */
static void segment(struct jit_tr *t, const struct x86_rec *r, unsigned len)
{
    if (t->mode & MODE_64) {
        x64_alu(&t->h, X_ADD, X_W, JT1, JF(t->cpu, seg[r->seg].base));
        return;
    }
    x64_lea(&t->h, JT0, x64_m(JT1, X_NONE, 0, (int32_t)len - 1));
    x64_alu(&t->h, X_CMP, X_W, JT0, JF(t->cpu, jf.seg_top[r->seg]));
    jit_check_out(t, x64_jcc(&t->h, X_AE, 0));
    x64_alu(&t->h, X_ADD, 0, JT1, JF(t->cpu, seg[r->seg].base));
}

struct x64_rm jit_mem(struct jit_tr *t, unsigned len, enum jit_acc acc)
{
    const struct x86_rec *r = &t->b->recs[t->i];
    struct x64_rm m;

    before(t);
    if (direct(t, r)) {
        unsigned base = r->base == REG_ZERO ? X_NONE : jit_greg(r->base);

        m = x64_m(base, X_NONE, 0, r->disp);
        if (r->disp || base == X_NONE) {
            x64_lea(&t->h, JT0, m);
        } else {
            x64_mov(&t->h, JT0, base);
        }
        t->hashable = r->op != OP_POP;
        check(t, slot_for(t, r->base, false, r->disp), &m, len, acc);
        behind(t);
        return base == X_NONE ? x64_m(JT0, X_NONE, 0, r->disp) : x64_m(JT0, base, 0, r->disp);
    }
    jit_lea(t, JT1);
    if (!(r->flags & (REC_FLAT64 | REC_FLAT32))) {
        segment(t, r, len);
    }
    x64_mov(&t->h, JT0, JT1);
    t->hashable = r->op != OP_POP;
    check(t, slot_for(t, has_moffs(r) ? X86_NREGS : r->base, r->index != REG_ZERO || has_moffs(r), r->disp), NULL, len, acc);
    behind(t);
    return x64_m(JT0, JT1, 0, 0);
}

struct x64_rm jit_mem_aligned(struct jit_tr *t, unsigned len, enum jit_acc acc)
{
    struct x64_rm m;

    t->align = (uint8_t)(len - 1);
    m = jit_mem(t, len, acc);
    t->align = 0;
    return m;
}

struct x64_rm jit_mem_reg(struct jit_tr *t, unsigned base, unsigned len, enum jit_acc acc)
{
    struct x64_rm m = x64_m(jit_greg(base), X_NONE, 0, 0);

    t->nat = false;
    x64_mov(&t->h, JT0, jit_greg(base));
    t->hashable = acc == JA_LD;
    check(t, slot_for(t, base, false, 0), &m, len, acc);
    return x64_m(JT0, jit_greg(base), 0, 0);
}

struct x64_rm jit_mem_ea(struct jit_tr *t, unsigned len, enum jit_acc acc)
{
    const struct x86_rec *r = &t->b->recs[t->i];

    t->nat = false;
    if (!(r->flags & (REC_FLAT64 | REC_FLAT32))) {
        segment(t, r, len);
    }
    x64_mov(&t->h, JT0, JT1);
    t->hashable = false;
    check(t, slot_new(t), NULL, len, acc);
    return x64_m(JT0, JT1, 0, 0);
}

/*
 * Stack
 */
bool jit_stack_ok(const struct jit_tr *t)
{
    return !(t->mode & MODE_AC) &&
           (t->mode & MODE_64 || (t->mode & (MODE_SS32 | MODE_FLAT_SS)) == (MODE_SS32 | MODE_FLAT_SS));
}

struct x64_rm jit_stack_at(struct jit_tr *t, unsigned base, int32_t disp, unsigned len, enum jit_acc acc)
{
    struct x86_jit_slot *slot = &t->cpu->jf.slot[jit_bank(t->mode)];
    struct x64_rm m = x64_m(base, X_NONE, 0, disp);

    before(t);
    t->hashable = false;
    x64_lea(&t->h, JT0, m);                             /* outside 64-bit mode: see flat_sum() */
    check(t, slot, &m, len, acc);
    behind(t);
    return x64_m(JT0, base, 0, disp);
}

struct x64_rm jit_stack(struct jit_tr *t, int32_t disp, unsigned len, enum jit_acc acc)
{
    return jit_stack_at(t, JSP, disp, len, acc);
}

/*
 * A run of PUSHes or POPs of registers: one check for the lowest and the highest, then plain moves. Where they are not in the slot's page both,
 * the cold code looks each of them up in the hashed TLB. When one is not there either, the interpreter does the records, from the first: what
 * has been moved is moved once more, and no register that the flags might follow from has changed, but by the last record.
 */
static unsigned run_length(const struct jit_tr *t)
{
    const struct x86_rec *r = &t->b->recs[t->i];
    unsigned n = 0;

    while (n < 8 && t->i + n < t->n && r[n].op == r->op && r[n].size == (t->mode & MODE_64 ? 3 : 2) && r[n].form == FORM_R &&
           !(r[n].flags & (REC_MEM | REC_LAST)) && r[n].rm != R_SP * 8) {
        n++;
    }
    return n;
}

static void step_cold(struct jit_tr *t, unsigned i)
{
    unsigned was = t->i;
    struct jit_site *s;

    t->i = i;
    s = jit_site(t);
    s->keep_cc = true;
    x64_movi32(&t->c, JT0, (uint32_t)(uintptr_t)s);
    x64_call(&t->c, t->j->s_step);
    t->i = was;
}

/* Where record @i of a run has its operand, relative to RSP before the run */
static int32_t run_disp(const struct jit_tr *t, bool push, unsigned i)
{
    int32_t w = t->mode & MODE_64 ? 8 : 4;

    return push ? -w * ((int32_t)i + 1) : w * (int32_t)i;
}

/* Record @i of a run, with the addend in JT0 */
static void run_move(struct jit_tr *t, struct x64_buf *b, const struct x86_rec *r, unsigned i)
{
    bool push = r->op == OP_PUSH;
    unsigned w = t->mode & MODE_64 ? X_W : 0, reg = r[i].rm >> 3, h = jit_greg(reg);
    struct x64_rm m = x64_m(JT0, JSP, 0, run_disp(t, push, i)), frame = x64_abs(&t->cpu->regs[reg]);

    if (push && h == X_NONE) {
        x64_ld(b, JT1, frame);
    }
    x64_op(b, (push ? 0x89 : 0x8B) | w, h == X_NONE ? JT1 : h, m);
    if (!push && h == X_NONE) {
        x64_st(b, frame, JT1);
    }
}

/* RSP behind the run; no flags change */
static void run_sp(struct jit_tr *t, struct x64_buf *b, bool push, unsigned n)
{
    x64_op(b, 0x8D | (t->mode & MODE_64 ? X_W : 0), JSP, x64_m(JSP, X_NONE, 0, push ? run_disp(t, push, n - 1) : run_disp(t, push, n)));
}

static void run_cold(struct jit_tr *t, const struct x86_rec *r, unsigned n, struct jit_site *near, bool live)
{
    bool push = r->op == OP_PUSH;
    unsigned first = t->i;
    uint8_t *out[8];

    for (unsigned i = 0; i < n; i++) {
        x64_lea(&t->c, JT0, x64_m(JSP, X_NONE, 0, run_disp(t, push, i)));
        x64_alui(&t->c, X_AND, X_W, x64_r(JT0), -4096 | (t->mode & MODE_64 ? 7 : 3));
        x64_call(&t->c, t->j->s_stack[jit_bank(t->mode)][push]);
        out[i] = x64_jcc(&t->c, X_NZ, 0);
        run_move(t, &t->c, r, i);
    }
    run_sp(t, &t->c, push, n);
    if (live) {
        jit_flags_restore(&t->c);
    }
    x64_jmp(&t->c, x64_pc(&t->h));
    for (unsigned i = 0; i < n && !t->c.overflow; i++) {
        x64_patch(&t->c, out[i], x64_pc(&t->c));
    }
    step_cold(t, first);
    near->after = (uint32_t)x64_pc(&t->c);
    near->keep_cc = true;
    for (unsigned i = 1; i < n; i++) {
        step_cold(t, first + i);
    }
    if (live) {
        jit_flags_restore(&t->c);
    }
    x64_jmp(&t->c, x64_pc(&t->h));
}

bool jit_stack_run(struct jit_tr *t)
{
    const struct x86_rec *r = &t->b->recs[t->i];
    struct x86_jit_slot *slot = &t->cpu->jf.slot[jit_bank(t->mode)];
    bool push = r->op == OP_PUSH, live = t->nat && t->ri[t->i].nat_in;
    unsigned n = run_length(t), w = t->mode & MODE_64 ? 8 : 4;
    struct x64_rm near = x64_m(JSP, X_NONE, 0, run_disp(t, push, 0));
    struct jit_site *s;
    uint8_t *miss;

    if ((!push && r->op != OP_POP) || n < 2 || !jit_stack_ok(t) || t->j->o.no_slots) {
        return false;
    }
    before(t);
    t->hashable = false;
    x64_lea(&t->h, JT0, near);
    check(t, slot, &near, w, push ? JA_ST : JA_LD);
    if (!t->n_open) {
        return true;            /* out of room: the translation fails */
    }
    s = t->open[--t->n_open];
    x64_lea(&t->h, JT1, x64_m(JSP, X_NONE, 0, run_disp(t, push, n - 1)));
    x64_alui(&t->h, X_AND, X_W, x64_r(JT1), -4096 | (int32_t)(w - 1));
    x64_alu(&t->h, X_CMP, X_W, JT1, x64_abs(push ? &slot->wtag : &slot->rtag));
    miss = x64_jcc(&t->h, X_NZ, 0);
    behind(t);
    for (unsigned i = 0; i < n; i++) {
        run_move(t, &t->h, r, i);
    }
    run_sp(t, &t->h, push, n);
    if (!t->h.overflow) {
        x64_patch(&t->h, miss, x64_pc(&t->c));
    }
    run_cold(t, r, n, s, live);
    t->saved = false;
    t->i += n - 1;
    return true;
}
