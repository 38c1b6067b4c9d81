/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/jit/translate.c - a block of records becomes host code
 *
 * One pass over the records after liveness.c has looked at them. Each is given to the templates; what none of them
 * takes, the interpreter does from inside the code (jit_fallback). Records that look pure to liveness.c but turn out
 * to have no template are marked, and the block is started again.
 *
 * Blocks that follow each other lie one behind the other where that can be had: a jump taken at the end of every block costs programs that do not
 * fit the host's caches a tenth of their time. So when a block has become hot, the successor that is likelier by the runs so far is translated with
 * it, if it has not been yet, then that one's, and so on (run.c); the jump between them becomes a NOP. Whoever comes to such a block
 * from elsewhere comes by way of its entries, some of which are in the cold code.
 */
#include "target/x86/jit/jit_int.h"
#include "target/x86/trace_log.h"
#include <inttypes.h>

#define HOT_MAX (BLOCK_MAX_RECS * 160u)
#define COLD_MAX (BLOCK_MAX_RECS * 200u)
#define META_MAX (BLOCK_MAX_RECS * 256u)

struct jit_exit *jit_exit_new(struct jit_tr *t, enum jit_exit_kind kind)
{
    struct jit_exit *x = jit_meta(t->j, sizeof(*x));

    if (!x) {
        t->failed = true;
        return memset(&t->j->no_exit, 0, sizeof(*x));
    }
    x->b = t->b;
    x->kind = (uint8_t)kind;
    x->mode = t->mode;
    return x;
}

void jit_cold_exit(struct jit_tr *t, struct jit_exit *x, uintptr_t stub)
{
    x->cold = x64_pc(&t->c);
    jit_fl_flush(t, &t->c);
    x64_movi32(&t->c, JT0, (uint32_t)(uintptr_t)x);
    x64_jmp(&t->c, stub);
}

void jit_fallback(struct jit_tr *t)
{
    const struct x86_rec *r = &t->b->recs[t->i];
    const struct jit_ri *ri = &t->ri[t->i];
    bool keep = t->nat && ri->nat_out && !(x86_op_info[r->op].wr & ri->nat_out);
    struct jit_site *s;

    if (keep) {
        jit_flags_save(&t->h);
    }
    t->vec = t->x87 = 0;
    s = jit_site(t);
    x64_movi32(&t->h, JT0, (uint32_t)(uintptr_t)s);
    x64_call(&t->h, t->j->s_step);
    t->desc = t->part = 0;
    t->nat = false;
    if (keep) {
        jit_flags_restore(&t->h);
        t->nat = true;
        t->nat_part |= x86_op_info[r->op].wr != 0;
    } else if (ri->nat_out) {
        x64_call(&t->h, t->j->s_flags);
        t->nat = true;
        t->nat_part = false;
    }
}

static bool templates(struct jit_tr *t, const struct x86_rec *r)
{
    return jit_tmpl_int(t, r) || jit_tmpl_shift(t, r) || jit_tmpl_bits(t, r) || jit_tmpl_stack(t, r) || jit_tmpl_simd(t, r) ||
           jit_tmpl_x87(t, r) || jit_tmpl_sys(t, r) || jit_tmpl_string(t, r);
}

/* Where the sites of the record go on when the interpreter has done it */
static void close_sites(struct jit_tr *t)
{
    const struct x86_rec *r = &t->b->recs[t->i];
    const struct jit_ri *ri = &t->ri[t->i];
    uintptr_t go_on = x64_pc(&t->h);

    if (t->n_open && ri->nat_out) {
        uintptr_t hot = go_on;

        go_on = x64_pc(&t->c);
        if (x86_op_info[r->op].wr & ri->nat_out) {
            x64_call(&t->c, t->j->s_flags);
            if (t->vec) {
                x64_call(&t->c, t->j->s_vec[t->vec]);
            }
            if (t->x87) {
                jit_flags_save(&t->c);
                x64_call(&t->c, t->j->s_x87);
                jit_flags_restore(&t->c);
            }
        } else {
            jit_flags_restore(&t->c);
        }
        x64_jmp(&t->c, hot);
    }
    for (unsigned i = 0; i < t->n_open; i++) {
        t->open[i]->after = (uint32_t)go_on;
        t->open[i]->keep_cc = !x86_op_info[r->op].wr;
        t->open[i]->vec = t->vec;
        t->open[i]->x87 = t->x87;
    }
    if (t->n_open && x86_op_info[r->op].wr) {   /* by way of the interpreter the host has no more flags than the block itself wants */
        t->nat = t->nat && ri->nat_out;
        t->nat_part |= !(x86_op_info[r->op].wr & ri->nat_out);
    }
    t->n_open = 0;
    t->saved = false;
}

static void one_record(struct jit_tr *t)
{
    const struct x86_rec *r = &t->b->recs[t->i];

    if (r->flags & REC_LAST) {
        jit_tmpl_end(t, r);
        return;
    }
    if (jit_stack_run(t)) {
        return;
    }
    if (!templates(t, r)) {
        if (!t->site[t->i]) {
            t->force_site[t->i] = true;
            t->restart = true;
            return;
        }
        jit_fallback(t);
    }
    close_sites(t);
}

/* The exit word, and the second page of an instruction that reaches there */
static void entry_checks(struct jit_tr *t, uintptr_t out)
{
    struct x86_jblock *jb = t->jb;

    if (t->b->phys2 != ~0ULL) {
        x64_op(&t->h, 0x81, X_CMP, JF(t->cpu, jf.gen[t->mode & MODE_USER ? 1 : 0]));
        jb->guard = t->h.w;
        x64_b4(&t->h, 0);
        x64_jcc(&t->h, X_NZ, out);
    }
    jb->entry_past = x64_pc(&t->h);
    if (t->check_entry) {
        x64_alui(&t->h, X_CMP, 0, JF(t->cpu, exit_request), 0);
        x64_jcc(&t->h, X_NZ, out);
        jb->entry_past = jb->guard ? 0 : x64_pc(&t->h);
    }
}

static void jit_entries(struct jit_tr *t)
{
    struct x86_jblock *jb = t->jb;
    const struct jit_exit *behind = t->j->behind;
    struct jit_exit *dead = jit_exit_new(t, JX_DIRECT);
    struct x64_buf *first = behind ? &t->c : &t->h;     /* what nobody who comes from the block before wants to pass */
    bool native = t->ri[0].nat_in != 0, early = behind && behind->native && native;

    jb->interp = jit_exit_new(t, JX_INTERP);
    jb->interp->which = (uint8_t)(t->n - 1);
    jb->guard = NULL;

    dead->off = (int32_t)jb->page_off;
    dead->linked = true;                /* never */
    jit_cold_exit(t, dead, t->j->s_exit);
    jb->dead = dead->cold;
    jb->entry_ind = x64_pc(first);
    x64_alui(first, X_CMP, 0, JF(t->cpu, mode), (int32_t)t->mode);
    x64_jcc(first, X_NZ, dead->cold);
    jb->entry = x64_pc(early ? first : &t->h);
    if (behind && !early) {
        x64_jmp(first, jb->entry);
    }
    if (!early) {
        entry_checks(t, dead->cold);
    }
    if (native) {
        x64_call(early ? first : &t->h, t->j->s_flags);
        t->nat = true;
    }
    if (early) {
        x64_jmp(first, x64_pc(&t->h));
        jb->entry_past = jb->entry;
    }
    jb->entry_nat = native ? x64_pc(&t->h) : jb->entry;
}

/* Is there an edge back (or out of sight): then the block looks at the exit word when it begins */
static bool loops(const struct jit_tr *t)
{
    const struct x86_tail *tail = x86_block_tail(t->b);
    const struct x86_rec *last = &t->b->recs[t->n - 1];
    bool direct = (last->op >= OP_JCC && last->op < OP_JCC + 16) || last->op == OP_JMP || last->op == OP_CALL ||
                  (last->op >= OP_LOOP && last->op <= OP_JCXZ);

    if (last->op == OP_STI || last->op == OP_BLOCK_END) {       /* STI looks by itself */
        return false;
    }
    return !direct || tail->delta[0] <= 0;
}

static void attempt(struct jit_tr *t)
{
    struct x86_jit *j = t->j;
    size_t at = j->behind ? j->tail_at : j->hot_used;

    t->last = NULL;
    t->h = (struct x64_buf){ .w = j->rw + at, .end = j->rw + j->hot_used + HOT_MAX, .to_rx = j->rx - j->rw };
    t->c = (struct x64_buf){ .w = j->rw + j->size / 2 + j->cold_used, .end = j->rw + j->size / 2 + j->cold_used + COLD_MAX,
                             .to_rx = j->rx - j->rw };
    memset(t->slot_of, 0, sizeof(t->slot_of));
    t->nat = t->nat_part = t->restart = t->saved = false;
    t->desc = t->part = t->mem_regs = 0;
    t->vec = t->x87 = 0;
    t->n_open = 0;
    jit_liveness(t);
    t->check_entry = !t->ri[0].nat_in && loops(t);
    jit_entries(t);
    for (t->i = 0; t->i < t->n && !t->restart; t->i++) {
        one_record(t);
    }
}

/* For host profilers (perf's map file) and -d out_asm */
static void report(struct jit_tr *t)
{
    struct x86_jit *j = t->j;
    uintptr_t cold = (uintptr_t)j->rx + j->size / 2 + j->cold_used, hot = x64_pc(&t->h) - t->jb->host_bytes;
    size_t cold_bytes = (size_t)(t->c.w - (j->rw + j->size / 2 + j->cold_used));
    uint64_t ip = j->rip_phys == ~0ULL ? t->b->phys : t->cpu->regs[REG_RIP] + (t->b->phys - j->rip_phys);

    if (j->perf) {
        fprintf(j->perf, "%" PRIxPTR " %x guest_%" PRIx64 "_%s\n", hot, t->jb->host_bytes, ip,
                t->mode & MODE_USER ? "user" : "kernel");
        fprintf(j->perf, "%" PRIxPTR " %zx cold_%" PRIx64 "\n", cold, cold_bytes, ip);
        fflush(j->perf);
    }
    if (x86_logs(t->cpu, X86_LOG_OUT_ASM)) {
        x86_log_out_asm(t->cpu, (const void *)hot, t->jb->host_bytes, ip);
    }
}

struct x86_block *jit_untranslated(struct x86_cpu *cpu, struct x86_block *b, unsigned i)
{
    const struct x86_tail *tail = x86_block_tail(b);
    struct x86_block *c = tail->linkable[i] ? x86_block_near(cpu, b, tail->delta[i]) : NULL;

    return c && c->recs[0].fn == x86_jit_count && c->runs < cpu->jit->o.hot ? c : NULL;
}

/* Of a conditional branch: is the taken edge the likelier one of those that can still be placed behind? */
static bool taken_last(struct x86_cpu *cpu, struct x86_block *b, const struct x86_rec *last)
{
    const struct x86_block *taken, *next;

    if (last->op < OP_JCC || last->op >= OP_JCC + 16) {
        return false;
    }
    taken = jit_untranslated(cpu, b, 0);
    next = jit_untranslated(cpu, b, 1);
    return taken && (!next || taken->runs < next->runs);
}

struct x86_jblock *jit_translate(struct x86_cpu *cpu, struct x86_block *b)
{
    struct x86_jit *j = cpu->jit;
    struct jit_tr t;
    size_t meta = j->meta_used;
    bool reads;

    if (!jit_space(j, HOT_MAX, COLD_MAX, META_MAX)) {
        j->want_flush = true;
        return NULL;
    }
    memset(&t, 0, sizeof(t));
    t.cpu = cpu;
    t.j = j;
    t.b = b;
    t.mode = b->mode;
    t.n = b->nrec + (b->flags & BLOCK_HAS_END ? 1u : 0);
    t.jb = jit_meta(j, sizeof(*t.jb));
    t.jb->b = b;
    t.jb->page_off = (uint32_t)(b->phys & (RAM_PAGE_SIZE - 1));
    t.swap = taken_last(cpu, b, &b->recs[t.n - 1]);
    meta = j->meta_used;
    for (unsigned i = 0; i < 8; i++) {
        j->meta_used = meta;
        attempt(&t);
        if (!t.restart) {
            break;
        }
    }
    if (t.restart || t.failed || t.h.overflow || t.c.overflow) {
        j->n_failed++;
        return NULL;
    }
    t.jb->needs = jit_entry_needs(b->recs, t.n, t.site, &t.jb->entry_vis, &reads);
    t.jb->host_bytes = (uint32_t)(t.h.w - (j->rw + (j->behind ? j->tail_at : j->hot_used)));
    report(&t);
    j->tail = t.last && t.last->rel + 4 == t.h.w && !t.last->cross && !t.last->shadow ? t.last : NULL;
    j->tail_at = (size_t)(t.h.w - j->rw);
    j->hot_used = (size_t)(t.h.w - j->rw + 15) & ~(size_t)15;
    j->cold_used = (size_t)(t.c.w - (j->rw + j->size / 2));
    b->jit = t.jb;
    j->n_blocks++;
    j->n_insns += b->nrec;
    return t.jb;
}
