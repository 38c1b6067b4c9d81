/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/jit/run.c - the C side of translated code: entering it, what it calls, and where it leaves to
 */
#include "core/fence.h"
#include "target/x86/jit/check.h"
#include "target/x86/jit/jit_int.h"
#include "target/x86/jit/link.h"
#include "target/x86/interp/fast.h"
#include "target/x86/mmu_int.h"
#include <inttypes.h>
#include <unistd.h>

#define HOT_DEFAULT 16

/*
 * While C runs, regs[REG_RIP] is the block's start, as the interpreter wants it
 */
static void flags_here(struct x86_cpu *cpu, uint32_t desc, uint32_t part)
{
    if (desc) {
        cpu->cc_op = desc;
        cpu->cc_part = 0;
    }
    if (part) {
        cpu->cc_part = jit_part_merge(cpu->cc_part, part);
    }
    if (cpu->cc_op & CCD_DESC || cpu->cc_part) {
        x86_cc_normalise(cpu);
    }
}

/*
 * What memory says of the flags, as translated code left it. It goes on with what was pending still pending, so it
 * must find that again when C has made the flags plain meanwhile (that overwrites cc_src and cc_dst), unless the
 * record has written flags.
 */
struct cc_state {
    uint64_t dst, src;
    uint32_t op, part;
};

static struct cc_state cc_save(const struct x86_cpu *cpu)
{
    return (struct cc_state){ cpu->cc_dst, cpu->cc_src, cpu->cc_op, cpu->cc_part };
}

static void cc_restore(struct x86_cpu *cpu, const struct cc_state *s)
{
    cpu->cc_dst = s->dst;
    cpu->cc_src = s->src;
    cpu->cc_op = s->op;
    cpu->cc_part = s->part;
}

static void rip_add(struct x86_cpu *cpu, int32_t off)
{
    cpu->regs[REG_RIP] += (uint64_t)(int64_t)off;
    if (!(cpu->mode & MODE_64)) {
        cpu->regs[REG_RIP] = (uint32_t)cpu->regs[REG_RIP];
    }
}

/* Stands behind the one record that is run: a handler goes on to the record behind its own, and ends up here */
static const struct x86_rec *stepped(struct x86_cpu *cpu, const struct x86_rec *r)
{
    return r;
}

/*
 * One record, not the last. Return: false: it has not been completed (a repeated string instruction that makes room
 * for an interrupt) or left the sequence; RIP says where to go on
 */
static bool step_record(struct x86_cpu *cpu, const struct x86_rec *r, x86_handler *fn)
{
    struct x86_rec *two = cpu->jit->step;

    two[0] = two[1] = *r;
    two[1].fn = stepped;
    return fn(cpu, two) == &two[1];
}

struct jit_exit *jit_c_step(struct x86_cpu *cpu, struct jit_site *s)
{
    struct x86_block *b = s->b;
    const struct x86_rec *r = &b->recs[s->rec];
    struct x86_jit *j = cpu->jit;
    struct cc_state was = cc_save(cpu);

    flags_here(cpu, s->desc, s->part);
    if (r->flags & REC_LAST) {
        return b->jit->interp;
    }
    rip_add(cpu, (int32_t)b->jit->page_off);
    j->n_steps++;
    j->op_steps[r->op]++;
    if (!step_record(cpu, r, s->rec ? r->fn : b->jit->fn0)) {
        return &j->leave;
    }
    if (unlikely(b->flags & BLOCK_DEAD || cpu->mode != b->mode)) {
        rip_add(cpu, r->off + r->len);
        return &j->leave;
    }
    rip_add(cpu, -(int32_t)b->jit->page_off);
    if (s->keep_cc) {
        cc_restore(cpu, &was);
    }
    return NULL;
}

/*
 * Last records that are no branches. The handler ends with x86_leave() or x86_leave_to(), which says nothing while
 * jf.stay is set; where to go on is found here. When somebody wants to look first, jit_run() and x86_leave_to() do it
 * all over.
 */
bool jit_end_by_c(unsigned op)
{
    switch (op) {
    case OP_SYSCALL: case OP_SYSRET: case OP_SYSENTER: case OP_SYSEXIT: case OP_IRET: case OP_INT: case OP_INT3:
    case OP_STI: case OP_POPF: case OP_CLAC: case OP_STAC: case OP_MOV_TO_CR: case OP_CLTS: case OP_INVLPG: case OP_INVPCID:
    case OP_WRMSR: case OP_MOV_TO_SREG: case OP_POP_SREG: case OP_RETF: case OP_CALLF: case OP_JMPF:
        return true;
    default:
        return false;
    }
}

/* The generation that the translation of the code at @la hangs on; 0: not one that links can follow */
static uint32_t code_gen(struct x86_cpu *cpu, uint64_t la, const struct x86_rec *r)
{
    const struct x86_jc_entry *e = &cpu->eng->jc[x86_jc_hash(la)];

    return e->la == la && e->to == r && e->mode == cpu->mode ? x86_code_gen(cpu, e->gen) : 0;
}

/* Code for the place where the CPU is; 0: none, or not yet */
static uintptr_t code_here(struct x86_cpu *cpu)
{
    uint64_t la = x86_rip_linear(cpu);
    const struct x86_jit_jc *e = jit_jc_at(cpu, la);
    const struct x86_block *to;
    const struct x86_rec *r;
    uint32_t gen;

    if (e->la == la && e->gen == cpu->jf.gen[cpu->mode & MODE_USER ? 1 : 0] && !x86_logs(cpu, ENTER_LOGS)) {
        return e->code;
    }
    r = x86_block_at(cpu, cpu->mode);
    to = container_of(r, struct x86_block, recs);
    if (!to->jit || to->jit->guard) {
        return 0;
    }
    gen = code_gen(cpu, la, r);
    if (gen) {
        jit_jc_fill(cpu, la, gen, to->jit->entry_ind);
    }
    return to->jit->entry_ind;
}

struct jit_way jit_c_end(struct x86_cpu *cpu, struct jit_site *s)
{
    struct x86_block *b = s->b;
    const struct x86_rec *r = &b->recs[s->rec];
    unsigned user = cpu->mode & MODE_USER ? 1 : 0;
    uint32_t mode = cpu->mode, gen = cpu->jf.gen[user];
    struct jit_way way = { 0 };

    cpu->jit->n_ends++;
    cpu->jit->op_on[r->op]++;
    flags_here(cpu, s->desc, s->part);
    rip_add(cpu, (int32_t)b->jit->page_off);
    cpu->jf.stay = true;
    (s->rec ? r->fn : b->jit->fn0)(cpu, r);
    cpu->jf.stay = false;
    if (unlikely(x86_must_look(cpu) || cpu->shadow) || !(cpu->mode & (MODE_64 | MODE_FLAT_CS))) {
        return way;
    }
    way.code = code_here(cpu);
    if (way.code) {
        way.drop = cpu->mode != mode || cpu->jf.gen[user] != gen;
        cpu->regs[REG_RIP] &= ~(uint64_t)(RAM_PAGE_SIZE - 1);
    }
    return way;
}

uint64_t jit_c_tsc(struct x86_cpu *cpu)
{
    return x86_tsc(cpu);
}

/* The flags are plain in memory then, and hang on no register */
uint32_t jit_c_eflags(struct x86_cpu *cpu)
{
    flags_here(cpu, 0, 0);
    return flags_arith(cpu);
}

/* Host memory of a byte, by the first level of the TLB. NULL: not plain, or it has to be looked at */
static uint8_t *host_byte(struct x86_cpu *cpu, uint64_t la, bool write)
{
    const struct x86_tlb_entry *e = mem_tlb(cpu, la);

    return (write ? e->wtag : e->rtag) == (la & ~PAGE_MASK) ? (uint8_t *)(uintptr_t)(la + e->addend) : NULL;
}

/* A plain move to memory: *v is what it stores */
static bool plain_store(const struct x86_cpu *cpu, const struct x86_rec *r, uint64_t *v)
{
    if (r->op != OP_MOV || (r->form != FORM_RM_I && (r->form != FORM_RM_R || jit_high8(r->reg)))) {
        return false;
    }
    *v = r->form == FORM_RM_I ? r->imm : cpu->regs[r->reg >> 3];
    return true;
}

/*
 * An access across a page edge. A load is put together in a buffer that the code then loads from; of stores only
 * plain moves are done here. Return: done, JT0's value is *addend (loads), or the record is over (stores)
 */
static bool crossing(struct x86_cpu *cpu, const struct jit_site *s, uint64_t la, uintptr_t *addend)
{
    const struct x86_rec *r = &s->b->recs[s->rec];
    uint64_t edge = (la | PAGE_MASK) + 1;
    unsigned first = (unsigned)(edge - la);
    uint8_t *lo = host_byte(cpu, la, s->write), *hi = host_byte(cpu, edge, s->write);
    uint64_t v;

    if (!lo || !hi || la & s->align || s->len > sizeof(cpu->jf.bounce)) {
        return false;
    }
    if (!s->write) {
        memcpy(cpu->jf.bounce, lo, first);
        memcpy(cpu->jf.bounce + first, hi, s->len - first);
        *addend = (uintptr_t)cpu->jf.bounce - la;
        return true;
    }
    if (!plain_store(cpu, r, &v)) {
        return false;
    }
    memcpy(lo, &v, first);
    memcpy(hi, (const uint8_t *)&v + first, s->len - first);
    return true;
}

/*
 * A store to a page that code was decoded from. To data beside the code: the addend is told for this access only, and
 * the code goes on. A program that writes programs: plain moves are done here. Return: 0: go on with *addend; 1: done;
 * NOT_CODE; else the exit to take, because the running block has died
 */
#define NOT_CODE ((uintptr_t)-1)
static uintptr_t store_to_code(struct x86_cpu *cpu, const struct jit_site *s, uint64_t la, uintptr_t *addend)
{
    const struct x86_rec *r = &s->b->recs[s->rec];
    struct ram_block *ram;
    uint64_t off, v;
    uint8_t *p = la & s->align ? NULL : mmu_code_byte(cpu, la, &ram, &off);

    if (!p) {
        return NOT_CODE;
    }
    if (likely(x86_smc_beside(cpu, ram, off, s->len))) {
        *addend = (uintptr_t)p - la;
        return 0;
    }
    if (!plain_store(cpu, r, &v)) {
        return NOT_CODE;
    }
    memcpy(p, &v, s->len);
    if (likely(!x86_smc_store(cpu, ram, off, s->len) || !(s->b->flags & BLOCK_DEAD))) {
        return 1;
    }
    flags_here(cpu, s->desc, s->part);
    rip_add(cpu, (int32_t)s->b->jit->page_off + r->off + r->len);
    return (uintptr_t)&cpu->jit->leave;
}

/* The code reads the addend from its slot: for this access only */
static void slot_once(struct x86_jit_slot *slot, uintptr_t addend)
{
    slot->rtag = slot->wtag = TLB_NONE;
    slot->addend = addend;
}

uintptr_t jit_c_miss(struct x86_cpu *cpu, struct jit_site *s, uint64_t la)
{
    struct x86_jit_slot *slot = s->slot;
    const struct x86_tlb_entry *e = mem_tlb(cpu, la);
    uint64_t tag = (la + s->len - 1) & ~PAGE_MASK;
    bool crosses = (la & ~PAGE_MASK) != tag;
    struct jit_exit *x;
    struct cc_state was;
    uintptr_t addend = 0;

    if (unlikely(la >> 32 && !(cpu->mode & MODE_64))) {     /* a sum that wraps: flat_sum() in mem.c */
        x = jit_c_step(cpu, s);
        return x ? (uintptr_t)x : 1;
    }
    if (crosses && (cpu->mode & MODE_64 || !(tag >> 32)) && crossing(cpu, s, la, &addend)) {
        if (s->write) {
            return 1;
        }
        slot_once(slot, addend);
        return 0;
    }
    if (s->write && !crosses) {
        uintptr_t done = store_to_code(cpu, s, la, &addend);

        if (!done) {
            slot_once(slot, addend);
        }
        if (done != NOT_CODE) {
            return done;
        }
    }
    was = cc_save(cpu);
    cpu->jit->n_misses++;
    flags_here(cpu, s->desc, s->part);
    if (!crosses && !(la & s->align)) {
        struct x86_block *b = s->b;

        /* a fault is raised from here: as from the record itself */
        rip_add(cpu, (int32_t)b->jit->page_off);
        if (mmu_fill(cpu, &b->recs[s->rec], la, s->len, s->write) && (s->write ? e->wtag : e->rtag) == tag) {
            jit_slot_fill(cpu, slot, e, tag);
            rip_add(cpu, -(int32_t)b->jit->page_off);
            cc_restore(cpu, &was);
            return 0;
        }
        rip_add(cpu, -(int32_t)b->jit->page_off);
    }
    cc_restore(cpu, &was);
    x = jit_c_step(cpu, s);
    return x ? (uintptr_t)x : 1;
}

/* In a short time, is the question: a site that misses now and then is better off with its slot */
#define OFTEN_US 500
void jit_c_often(struct x86_cpu *cpu, struct jit_site *s)
{
    int64_t now = g_get_monotonic_time(), *since = &cpu->jit->slot_since[s->slot - cpu->jf.slot];

    s->slot->left = JIT_SITE_MISSES;
    if (s->hashable && now - *since < OFTEN_US && !cpu->jit->o.no_slots) {
        jit_site_hash(cpu, s);
    }
    *since = now;
}

/* For LAHF's and SETO's image in AX */
void jit_c_flags(struct x86_cpu *cpu)
{
    uint32_t f;

    flags_here(cpu, 0, 0);
    f = flags_arith(cpu);
    cpu->jf.flags = (f & 0xFF) << 8 | 2 << 8 | (f & FL_OF ? 1 : 0);
}

/*
 * The dispatcher
 */

static const struct x86_rec *go(struct x86_cpu *cpu, const struct x86_rec *r)
{
    X86_GO(cpu, r);
}

/*
 * A block whose only instruction reaches into a second page compares the mapping's generation when it is entered:
 * tell it the present one. x86_block_at() has just looked at the second page. Return: false: there is nothing to
 * compare
 */
static bool second_page(struct x86_cpu *cpu, struct x86_block *b)
{
    uint64_t la2 = (x86_rip_linear(cpu) | (RAM_PAGE_SIZE - 1)) + 1;
    struct fetch_slot s1, s2;
    uint32_t gen;

    if (!b->jit->guard) {
        return true;
    }
    x86_fetch_page(cpu, x86_rip_linear(cpu), &s1);
    x86_fetch_page(cpu, cpu->mode & MODE_64 ? la2 : (uint32_t)la2, &s2);
    gen = s1.gen == s2.gen ? x86_code_gen(cpu, s2.gen) : 0;
    memcpy(b->jit->guard, &gen, 4);
    return gen;
}

struct jit_exit *jit_enter_block(struct x86_cpu *cpu, struct x86_block *b)
{
    struct x86_jit *j = cpu->jit;
    struct jit_exit *x;

    rip_add(cpu, -(int32_t)b->jit->page_off);
    j->n_enters++;
    x = j->enter(cpu, b->jit->entry);
    j->n_exits[x->kind]++;
    flags_here(cpu, 0, 0);
    return x;
}

/* What lies behind the code of a block that has just been translated: see translate.c */
#define PLACE_MAX 16
static void place(struct x86_cpu *cpu)
{
    struct x86_jit *j = cpu->jit;

    for (unsigned n = 0; n < PLACE_MAX && j->tail && !j->o.no_chain && !j->check; n++) {
        struct jit_exit *x = j->tail;
        struct x86_block *b = jit_untranslated(cpu, x->b, x->which);

        j->behind = x;
        b = b ? x86_block_promote(cpu, b) : NULL;
        j->behind = NULL;
        if (!b) {
            break;
        }
        jit_link(cpu, x, b, x->gen);
    }
}

/* @b is translated, and what goes behind it. @rip_phys: see struct x86_jit. NULL: not now */
static struct x86_block *promote(struct x86_cpu *cpu, struct x86_block *b, uint64_t rip_phys)
{
    struct x86_block *hot;

    cpu->jit->rip_phys = rip_phys;
    cpu->jit->tail = NULL;
    hot = x86_block_promote(cpu, b);
    if (hot) {
        place(cpu);
    }
    return hot;
}

/*
 * The block @r in an interrupt shadow: its first instruction has to come before anybody looks at the exit word, as
 * translated code may do when it is entered. The interpreter does not; and for what is translated already, the run loop
 * has a block of one instruction
 */
const struct x86_rec *x86_jit_shadowed(struct x86_cpu *cpu, const struct x86_rec *r)
{
    struct x86_block *b = container_of(r, struct x86_block, recs);

    if (b->jit) {
        return NULL;
    }
    if (b->fn0 && b->runs <= 1) {
        b->runs = 1;
        if (!promote(cpu, b, b->phys) && !cpu->jit->want_flush) {
            b->runs = UINT32_MAX;
        }
        return NULL;
    }
    cpu->shadow = 0;
    if (!b->fn0) {
        return go(cpu, r);
    }
    b->runs--;
    return b->fn0(cpu, r);
}

/* Where the page of code is that the CPU is in, for stub_cross() */
static void fetch_noted(struct x86_cpu *cpu, const struct x86_block *to, uint32_t gen)
{
    uint64_t la = x86_rip_linear(cpu);

    cpu->jf.fetch[la >> 12 & (JIT_FETCH - 1)] =
        (struct x86_jit_fetch){ .page = la & ~PAGE_MASK, .phys = to->phys >> RAM_PAGE_BITS, .gen = gen };
}

static const struct x86_rec *jit_run(struct x86_cpu *cpu, struct x86_block *b)
{
    struct x86_jit *j = cpu->jit;

    for (;;) {
        const struct x86_rec *r;
        struct x86_block *to;
        struct jit_exit *x;
        uint32_t gen;

        if (unlikely(!second_page(cpu, b))) {
            return b->jit->fn0(cpu, b->recs);
        }
        x = NULL;
        if (unlikely(j->check && jit_check_due(cpu, b))) {
            x = jit_check_run(cpu, b);
            if (!x && b->flags & BLOCK_DEAD) {      /* it overwrites itself: one instruction, or it would never get past that */
                return go(cpu, x86_block_at(cpu, cpu->mode | MODE_STEP));
            }
        }
        if (!x) {
            x = jit_enter_block(cpu, b);
        }
        switch (x->kind) {
        case JX_INTERP:
            rip_add(cpu, (int32_t)x->b->jit->page_off);
            r = &x->b->recs[x->which];
            j->op_ends[r->op]++;
            if (x->which == 0) {
                return x->b->jit->fn0(cpu, r);
            }
            return go(cpu, r);
        case JX_LEAVE:
            return x86_leave_to(cpu);
        case JX_DIRECT:
            rip_add(cpu, x->off);
            break;
        default:
            break;
        }
        if ((exit_asked(cpu) && !x->shadow) || cpu->mode & MODE_STEP) {
            return NULL;
        }
        r = x86_block_at(cpu, cpu->mode);
        to = container_of(r, struct x86_block, recs);
        if (!to->jit) {
            cpu->shadow = x->shadow ? SHADOW_STI : 0;
            return x->shadow ? x86_jit_shadowed(cpu, r) : go(cpu, r);
        }
        gen = code_gen(cpu, x86_rip_linear(cpu), r);
        if (x->kind == JX_INDIRECT || !x->rel) {        /* or the jump cache has led to a block that is dead by now */
            if (gen && !j->o.no_chain && !j->check) {
                jit_jc_fill(cpu, x86_rip_linear(cpu), gen, to->jit->entry_ind);
            }
        } else {
            if (x->linked && x->to != to) {
                jit_relink(cpu, x);
            }
            if (!x->cross || gen) {
                jit_link(cpu, x, to, gen);
            }
            if (x->cross && gen) {
                fetch_noted(cpu, to, gen);
            }
        }
        if (x->shadow) {            /* by the link the next time */
            cpu->shadow = SHADOW_STI;
            return NULL;
        }
        b = to;
    }
}

const struct x86_rec *x86_jit_enter(struct x86_cpu *cpu, const struct x86_rec *r)
{
    struct x86_block *b = container_of(r, struct x86_block, recs);

    if (unlikely(cpu->mode != b->mode)) {
        return x86_goto(cpu);
    }
    return jit_run(cpu, b);
}

const struct x86_rec *x86_jit_moved(struct x86_cpu *cpu, const struct x86_rec *r)
{
    struct x86_block *hot = container_of(r, struct x86_block, recs)->jit->b;

    if (hot->flags & BLOCK_DEAD) {
        return x86_leave_to(cpu);
    }
    return x86_jit_enter(cpu, hot->recs);
}

/*
 * What runs now and then, like the way of a packet through an idle guest, would be the interpreter's for long, and who waits for the answer waits
 * for the interpreter. So a block that has run a few times is remembered, and translated when the CPU has nothing to do.
 */
#define WARM_RUNS 3
void x86_jit_idle(struct x86_cpu *cpu)
{
    struct x86_jit *j = cpu->jit;

    while (j->warm_got != j->warm_put && !j->want_flush && !x86_cpu_has_work(cpu)) {
        struct x86_block *b = j->warm[j->warm_got++ % JIT_WARM];

        if (b->recs[0].fn == x86_jit_count && b->runs < j->o.hot && b->phys2 == ~0ULL) {     /* neither dead nor translated since */
            if (!promote(cpu, b, ~0ULL)) {
                b->runs = UINT32_MAX;
            }
        }
    }
}

void x86_jit_forget(struct x86_cpu *cpu)
{
    if (cpu->jit) {
        cpu->jit->warm_got = cpu->jit->warm_put;
    }
}

static void remember(struct x86_jit *j, struct x86_block *b)
{
    j->warm[j->warm_put++ % JIT_WARM] = b;
    if (j->warm_put - j->warm_got > JIT_WARM) {
        j->warm_got = j->warm_put - JIT_WARM;       /* the oldest are overwritten */
    }
}

const struct x86_rec *x86_jit_count(struct x86_cpu *cpu, const struct x86_rec *r)
{
    struct x86_block *b = container_of(r, struct x86_block, recs);
    struct x86_block *hot;

    if (likely(--b->runs) || cpu->mode != b->mode) {
        b->runs += !b->runs;
        if (b->runs == cpu->jit->o.hot - WARM_RUNS) {
            remember(cpu->jit, b);
        }
        return b->fn0(cpu, r);
    }
    hot = promote(cpu, b, b->phys);
    if (hot) {
        return jit_run(cpu, hot);
    }
    if (cpu->jit->want_flush) {
        x86_engine_flush(cpu);
        return x86_goto(cpu);
    }
    b->runs = UINT32_MAX;
    return b->fn0(cpu, r);
}

void x86_jit_attach(struct x86_cpu *cpu, struct x86_block *b)
{
    const struct x86_engine_opts *o = &cpu->jit->o;

    if (o->interp_from != o->interp_to && cpu->regs[REG_RIP] >= o->interp_from && cpu->regs[REG_RIP] < o->interp_to) {
        return;
    }
    b->runs = o->hot;
    b->fn0 = b->recs[0].fn;
    b->recs[0].fn = x86_jit_count;
}

/*
 * The copy that lives as long as its code: records with handlers of their own, none for two. With one CPU nobody else does
 * read-modify-write on guest memory (devices load and store), and devices make the barrier for both sides where they tell the guest something
 * and then look what it did (core/fence.h), so LOCK can go.
 */
struct x86_block *x86_jit_make_hot(struct x86_cpu *cpu, const struct x86_block *b)
{
    struct x86_jit *j = cpu->jit;
    unsigned n = b->nrec + (b->flags & BLOCK_HAS_END ? 1u : 0);
    size_t size = sizeof(*b) + (n + 1) * sizeof(struct x86_rec);
    struct x86_block *hot = jit_meta(j, size);

    if (!hot) {
        j->want_flush = true;
        return NULL;
    }
    memcpy(hot, b, size);
    for (unsigned i = n; i-- > 0; ) {
        hot->recs[i].flags &= (uint16_t)~(REC_X2 | (j->no_lock ? REC_LOCK : 0));
        x86_bind_one(&hot->recs[i], b->mode);
    }
    if (!jit_translate(cpu, hot)) {
        return NULL;
    }
    hot->jit->fn0 = hot->recs[0].fn;
    hot->recs[0].fn = x86_jit_enter;
    hot->fn0 = NULL;
    return hot;
}

/*
 * Making and unmaking
 */
struct x86_jit *x86_jit_new(struct x86_cpu *cpu, const struct x86_engine_opts *o, Error **errp)
{
    struct x86_jit *j;

    if ((uintptr_t)cpu + sizeof(*cpu) > INT32_MAX) {
        error_setg(errp, "no memory below 2 GiB for the CPU");
        return NULL;
    }
    j = g_new0(struct x86_jit, 1);
    j->o = *o;
    j->o.hot = o->hot ? o->hot : HOT_DEFAULT;
    jit_simd_host(j);
    j->has = jit_host_has();
    j->leave.kind = JX_LEAVE;
    j->no_lock = !o->keep_lock && cpu->cores <= 1 && fence_all_rely();
    if (!jit_cache_open(j, o->tb_size, errp)) {
        g_free(j);
        return NULL;
    }
    for (unsigned i = 0; i < TLB_BANKS; i++) {
        jit_slot_init(&cpu->jf.slot[i]);
    }
    j->check = o->check ? jit_check_new() : NULL;
    jit_stubs(cpu, j);
    if (o->perf_map) {
        g_autofree char *name = g_strdup_printf("/tmp/perf-%d.map", (int)getpid());

        j->perf = fopen(name, "w");
        if (j->perf) {
            jit_stubs_name(j);
        }
    }
    j->meta_stubs = j->meta_used;
    return j;
}

void x86_jit_free(struct x86_jit *j)
{
    if (j) {
        if (j->perf) {
            fclose(j->perf);
        }
        jit_cache_close(j);
        jit_check_free(j->check);
        g_free(j);
    }
}

bool x86_jit_works(Error **errp)
{
    return true;
}

/* The operations with the highest counts: what has no template, or one that often gives up */
#define TOP 12
static void print_ops(GString *out, const char *what, const uint64_t *n)
{
    unsigned top[TOP], k = 0;

    for (unsigned op = 0; op < OP_COUNT; op++) {
        unsigned i;

        if (!n[op] || (k == TOP && n[op] <= n[top[TOP - 1]])) {
            continue;
        }
        k = MIN(k + 1, TOP);
        for (i = k - 1; i > 0 && n[top[i - 1]] < n[op]; i--) {
            top[i] = top[i - 1];
        }
        top[i] = op;
    }
    g_string_append_printf(out, "%s", what);
    for (unsigned i = 0; i < k; i++) {
        g_string_append_printf(out, " %s %" PRIu64, x86_op_info[top[i]].name, n[top[i]]);
    }
    g_string_append_c(out, '\n');
}

void x86_jit_print_stats(struct x86_cpu *cpu, GString *out)
{
    const struct x86_jit *j = cpu->jit;

    if (!j) {
        return;
    }
    g_string_append_printf(out, "translated      %" PRIu64 " blocks, %" PRIu64 " instructions, %" PRIu64 " dead, %" PRIu64 " failed\n",
                           j->n_blocks, j->n_insns, j->n_killed, j->n_failed);
    g_string_append_printf(out, "host code       %" PRIu64 " KiB hot, %" PRIu64 " KiB cold of %" PRIu64 " KiB, dropped %" PRIu64 " times\n",
                           (uint64_t)j->hot_used / 1024, (uint64_t)j->cold_used / 1024, (uint64_t)j->size / 1024, j->n_flushes);
    g_string_append_printf(out, "entered         %" PRIu64 ", links %" PRIu64 "\n", j->n_enters, j->n_links);
    g_string_append_printf(out, "left            %" PRIu64 " direct, %" PRIu64 " indirect, %" PRIu64 " interpreter, %" PRIu64 " changed\n",
                           j->n_exits[0], j->n_exits[1], j->n_exits[2], j->n_exits[3]);
    g_string_append_printf(out, "calls to C      %" PRIu64 " records, %" PRIu64 " ends, %" PRIu64 " TLB misses; %" PRIu64 " sites hashed\n",
                           j->n_steps, j->n_ends, j->n_misses, j->n_hashed);
    print_ops(out, "records        ", j->op_steps);
    print_ops(out, "ends           ", j->op_on);
    print_ops(out, "left at        ", j->op_ends);
    if (j->check) {
        jit_check_print_stats(j->check, out);
    }
}
