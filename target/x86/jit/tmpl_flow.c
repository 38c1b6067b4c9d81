/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/jit/tmpl_flow.c - the last record of a block: branches, calls, returns
 *
 * An edge to a known place is a host jump whose target is patched when the other block is there (link.c). Within the
 * page nothing is checked: source and target are mapped together. To another page the generation of the mapping is
 * compared first. The exit word is tested at the start of every block with an edge back (or on that edge), and by
 * indirect jumps and returns: so each cycle has a test.
 *
 * Returns. A CALL pushes the guest's return address on the host's stack and then is a host CALL; a RET compares the
 * address that it has popped with the one there and is a host RET: the host's return predictor does the rest.
 * Whatever changes mode or mapping leaves translated code, and that drops all pairs, so a match needs no other check.
 * See s_ret_miss for the rest.
 */
#include "target/x86/jit/jit_int.h"

static void end_interp(struct jit_tr *t)
{
    jit_fl_flush(t, &t->h);
    x64_movi32(&t->h, JT0, (uint32_t)(uintptr_t)t->jb->interp);
    x64_jmp(&t->h, t->j->s_exit);
}

static void patch(struct x64_buf *b, uint8_t *at, uintptr_t to)
{
    if (!b->overflow) {
        x64_patch(b, at, to);
    }
}

/* By its handler, called from here: what follows is found without a way out (run.c, jit_c_end()) */
static void end_by_c(struct jit_tr *t, struct x64_buf *b)
{
    struct jit_site *s = jit_site(t);

    x64_movi32(b, JT0, (uint32_t)(uintptr_t)s);
    x64_jmp(b, t->j->s_end);
}

/* What the host's branch at @at leaves to the handler */
static void to_handler(struct jit_tr *t, uint8_t *at)
{
    patch(&t->h, at, x64_pc(&t->c));
    end_by_c(t, &t->c);
}

/* The flags on the block's edges */
struct out {
    uint32_t desc, part, regs;
    bool stored;                /* the descriptor is in memory */
};

/* A descriptor that cannot be stored is no longer about any flag then (jit_desc_fits()): all of them are in the part */
static bool must_store(const struct jit_edge *e, const struct out *o)
{
    return e->vis && jit_desc_regs(o->desc, 0) & e->needs && jit_desc_storable(o->desc, 0);
}

/* Before the edges: a descriptor goes to memory if a successor can show the flags, and leaves its registers alone meanwhile */
static struct out edges_begin(struct jit_tr *t)
{
    struct out o = { .desc = t->desc, .part = t->part, .regs = jit_desc_regs(t->desc, t->part) | t->mem_regs };

    for (unsigned i = 0; i < 2; i++) {
        o.stored |= t->edge[i].there && t->edge[i].vis && !must_store(&t->edge[i], &o);
    }
    if (o.stored) {
        jit_fl_flush(t, &t->h);
        t->desc = t->part = 0;
    }
    return o;
}

/* @o NULL: memory says, and not by registers */
static struct jit_exit *edge_new(struct jit_tr *t, unsigned i, const struct out *o)
{
    const struct x86_tail *tail = x86_block_tail(t->b);
    struct jit_exit *x = jit_exit_new(t, JX_DIRECT);

    x->off = (int32_t)t->jb->page_off + tail->delta[i];
    x->cross = !tail->linkable[i];
    x->native = t->nat && !t->nat_part;
    x->vis = o && !o->stored;
    x->regs = o ? o->regs : 0;
    x->which = (uint8_t)i;
    if (x->cross && !(o && must_store(&t->edge[i], o))) {   /* else the flags there are not as on the edge */
        x->page = x->off & ~(int32_t)(RAM_PAGE_SIZE - 1);
        jit_cold_exit(t, x, t->j->s_cross[t->mode & MODE_USER ? 1 : 0][t->mode & MODE_64 ? 1 : 0]);
    } else {
        jit_cold_exit(t, x, t->j->s_exit);
    }
    return x;
}

/* To @stale when somebody wants to look first, or when the mapping is not the one that the link was found good for; page base of the target */
static void edge_look(struct jit_tr *t, struct x64_buf *b, struct jit_exit *x, bool look, uintptr_t stale)
{
    int32_t page = x->off & ~(int32_t)(RAM_PAGE_SIZE - 1);

    if (look) {
        x64_alui(b, X_CMP, 0, JF(t->cpu, exit_request), 0);
        x64_jcc(b, X_NZ, stale);
        x->native = false;
    }
    if (x->cross) {
        x64_ld32(b, JT0, x64_abs(&x->gen));
        x64_alu(b, X_CMP, 0, JT0, JF(t->cpu, jf.gen[t->mode & MODE_USER ? 1 : 0]));
        x64_jcc(b, X_NZ, stale);
        x64_alui(b, X_ADD, t->mode & MODE_64 ? X_W : 0, JF(t->cpu, regs[REG_RIP]), page);
        x->native = false;
    }
}

/* The way to a linked block with everything that has to be looked at, in @b */
static void edge_code(struct jit_tr *t, struct x64_buf *b, struct jit_exit *x, const struct out *o, bool look)
{
    if (o && must_store(&t->edge[x->which], o)) {
        uint32_t desc = t->desc, part = t->part;

        jit_fl_store(t, b, o->desc);
        t->desc = 0;
        t->part = o->part;
        jit_fl_flush(t, b);
        t->desc = desc;
        t->part = part;
        x->native = false;
        x->vis = 0;
        x->regs = jit_desc_regs(0, o->part);
    }
    edge_look(t, b, x, look, x->cold);
    x->jump = true;
    x->rel = x64_jmp(b, x->cold);
    t->last = b == &t->h ? x : t->last;
}

static bool needs_look(const struct jit_tr *t, const struct jit_exit *x)
{
    return !t->check_entry && x->off <= (int32_t)t->jb->page_off;
}

/* Taken when @cc holds */
static void edge_cc(struct jit_tr *t, unsigned i, unsigned cc, const struct out *o)
{
    struct jit_exit *x = edge_new(t, i, o);
    bool look = needs_look(t, x);

    if (!look && !x->cross && !must_store(&t->edge[i], o)) {
        x->rel = x64_jcc(&t->h, cc, x->cold);
        return;
    }
    x64_jcc(&t->h, cc, x64_pc(&t->c));
    edge_code(t, &t->c, x, o, look);
}

static void edge(struct jit_tr *t, unsigned i, const struct out *o)
{
    struct jit_exit *x = edge_new(t, i, o);

    edge_code(t, &t->h, x, o, needs_look(t, x));
}

/* The guest's address behind the record, in @to. Changes flags */
static void return_address(struct jit_tr *t, const struct x86_rec *r, unsigned to)
{
    int32_t off = (int32_t)t->jb->page_off + r->off + r->len;

    if (t->mode & MODE_64) {
        x64_ld(&t->h, to, JF(t->cpu, regs[REG_RIP]));
        x64_alui(&t->h, X_ADD, X_W, x64_r(to), off);
    } else {
        x64_ld32(&t->h, to, JF(t->cpu, regs[REG_RIP]));
        x64_alui(&t->h, X_ADD, 0, x64_r(to), off);
    }
}

static void sp_add(struct jit_tr *t, int32_t n)
{
    x64_op(&t->h, 0x8D | (t->mode & MODE_64 ? X_W : 0), JSP, x64_m(JSP, X_NONE, 0, n));
}

/* Push the return address, which goes to JT1; the stack operand has been checked */
static void push_return(struct jit_tr *t, const struct x86_rec *r, struct x64_rm m)
{
    bool m64 = t->mode & MODE_64;

    return_address(t, r, JT1);
    x64_op(&t->h, 0x89 | (m64 ? X_W : 0), JT1, m);
    sp_add(t, m64 ? -8 : -4);
}

/* The guest half of a return pair, from JT1. A host CALL follows, then the landing */
static void pair_begin(struct jit_tr *t)
{
    uint8_t *full;

    x64_alu(&t->h, X_CMP, X_W, X_SP, JF(t->cpu, jf.js_limit));
    full = x64_jcc(&t->h, X_B, 0);
    patch(&t->h, full, x64_pc(&t->c));
    x64_call(&t->c, t->j->s_call_reset);
    x64_jmp(&t->c, x64_pc(&t->h));
    x64_push(&t->h, JT1);
}

static void landing(struct jit_tr *t)
{
    const struct x86_tail *tail = x86_block_tail(t->b);
    int32_t off = (int32_t)t->jb->page_off + tail->delta[1];
    bool m64 = t->mode & MODE_64;
    struct jit_exit *x;

    x64_lea(&t->h, X_SP, x64_m(X_SP, X_NONE, 0, 8));
    x64_alui(&t->h, X_SUB, m64 ? X_W : 0, x64_r(JT0), off);     /* page base of this block */
    x64_st(&t->h, JF(t->cpu, regs[REG_RIP]), JT0);
    t->nat = false;
    t->desc = t->part = 0;          /* memory says, and not by registers: a block that ends with RET has stored all (liveness.c) */
    x = edge_new(t, 1, NULL);
    edge_code(t, &t->h, x, NULL, false);
}

static void end_call(struct jit_tr *t, const struct x86_rec *r)
{
    bool m64 = t->mode & MODE_64;
    struct x64_rm m = jit_stack(t, m64 ? -8 : -4, m64 ? 8 : 4, JA_ST);
    struct jit_exit *x;
    struct out o;

    push_return(t, r, m);
    o = edges_begin(t);
    t->nat = false;
    pair_begin(t);
    x = edge_new(t, 0, &o);
    if (must_store(&t->edge[0], &o)) {
        x64_call(&t->h, x64_pc(&t->c));
        edge_code(t, &t->c, x, &o, needs_look(t, x));
    } else {
        uintptr_t stale = x64_pc(&t->c);

        edge_look(t, &t->h, x, needs_look(t, x), stale);
        x->rel = x64_call(&t->h, x->cold);
        x64_call(&t->c, x->cold);
        x64_jmp(&t->c, x64_pc(&t->h));
    }
    landing(t);
}

static void rm_target(struct jit_tr *t, const struct x86_rec *r)
{
    bool m64 = t->mode & MODE_64;

    if (r->flags & REC_MEM) {
        struct x64_rm m = jit_mem(t, m64 ? 8 : 4, JA_LD);

        x64_op(&t->h, 0x8B | (m64 ? X_W : 0), JT2, m);
    } else {
        x64_op(&t->h, 0x8B | (m64 ? X_W : 0), JT2, jit_gop(t, r->rm, 3));
    }
}

static void look_indirect(struct jit_tr *t)
{
    struct jit_exit *x = jit_exit_new(t, JX_INDIRECT);
    uint8_t *at;

    x64_alui(&t->h, X_CMP, 0, JF(t->cpu, exit_request), 0);
    at = x64_jcc(&t->h, X_NZ, 0);
    patch(&t->h, at, x64_pc(&t->c));
    x64_st(&t->c, JF(t->cpu, regs[REG_RIP]), JT0);
    x64_movi32(&t->c, JT0, (uint32_t)(uintptr_t)x);
    x64_jmp(&t->c, t->j->s_exit);
}

static void end_call_rm(struct jit_tr *t, const struct x86_rec *r)
{
    bool m64 = t->mode & MODE_64;
    struct x64_rm m;

    rm_target(t, r);
    m = jit_stack(t, m64 ? -8 : -4, m64 ? 8 : 4, JA_ST);
    push_return(t, r, m);
    jit_fl_flush(t, &t->h);
    t->desc = t->part = 0;
    t->nat = false;
    x64_mov(&t->h, JT0, JT2);
    look_indirect(t);
    pair_begin(t);
    x64_call(&t->h, x64_pc(&t->c));
    jit_indirect(t->cpu, &t->c, t->mode & MODE_USER, t->j->s_unknown);
    landing(t);
}

static void end_jmp_rm(struct jit_tr *t, const struct x86_rec *r)
{
    rm_target(t, r);
    jit_fl_flush(t, &t->h);
    x64_mov(&t->h, JT0, JT2);
    look_indirect(t);
    jit_indirect(t->cpu, &t->h, t->mode & MODE_USER, t->j->s_unknown);
}

static void end_ret(struct jit_tr *t, const struct x86_rec *r)
{
    bool m64 = t->mode & MODE_64;
    struct x64_rm m = jit_stack(t, 0, m64 ? 8 : 4, JA_LD);

    x64_op(&t->h, 0x8B | (m64 ? X_W : 0), JT0, m);
    sp_add(t, (m64 ? 8 : 4) + (uint16_t)r->imm);
    jit_fl_flush(t, &t->h);
    look_indirect(t);
    x64_alu(&t->h, X_CMP, X_W, JT0, x64_m(X_SP, X_NONE, 0, 8));
    x64_jcc(&t->h, X_NZ, t->j->s_ret_miss);
    x64_b1(&t->h, 0xC3);
}

static void end_loop(struct jit_tr *t, const struct x86_rec *r)
{
    unsigned w = r->asize == 3 ? X_W : 0;
    struct out o = edges_begin(t);

    if (r->op == OP_LOOP) {
        x64_alui(&t->h, X_SUB, w, x64_r(X_CX), 1);
    } else {
        x64_op(&t->h, 0x85 | w, X_CX, x64_r(X_CX));
    }
    t->nat = false;
    edge_cc(t, 0, r->op == OP_LOOP ? X_NZ : X_Z, &o);
    edge(t, 1, &o);
}

/*
 * STI. When nothing waits, no interrupt can come before the exit word is looked at again, and the next block is entered
 * behind its look: so its first instruction is in the shadow. Otherwise the handler and the run loop do it step by step
 */
static void end_sti(struct jit_tr *t)
{
    struct jit_exit *x;
    struct out o;

    x64_op(&t->h, 0xB6 | X_0F, JT0, JF(t->cpu, cpl));   /* MOVZX */
    x64_alu(&t->h, X_OR, 0, JT0, JF(t->cpu, exit_request));
    x64_alu(&t->h, X_OR, 0, JT0, JF(t->cpu, pending));
    to_handler(t, x64_jcc(&t->h, X_NZ, 0));
    t->nat = false;
    x64_alui(&t->h, X_OR, 0, JF(t->cpu, eflags), FL_IF);
    o = edges_begin(t);
    x = edge_new(t, 1, &o);
    x->shadow = true;
    edge_code(t, &t->h, x, &o, false);
}

void jit_tmpl_end(struct jit_tr *t, const struct x86_rec *r)
{
    bool m64 = t->mode & MODE_64, flat = t->mode & (MODE_64 | MODE_FLAT_CS), full = r->size == (m64 ? 3 : 2);
    struct out o;

    if (t->j->o.no_chain && (r->op == OP_RET || r->op == OP_CALL || r->op == OP_CALL_RM)) {
        flat = false;
    }
    if (jit_end_by_c(r->op) && !t->j->o.no_chain && !t->j->check) {
        if (r->op == OP_STI && flat && !(t->mode & (MODE_USER | MODE_VM))) {
            end_sti(t);
        } else {
            end_by_c(t, &t->h);
        }
        t->n_open = 0;
        return;
    }
    if (flat && r->op == OP_BLOCK_END) {
        o = edges_begin(t);
        edge(t, 1, &o);
    } else if (flat && full && r->op >= OP_JCC && r->op < OP_JCC + 16 && t->nat) {
        o = edges_begin(t);
        edge_cc(t, t->swap, (r->op - OP_JCC) ^ t->swap, &o);
        edge(t, !t->swap, &o);
    } else if (flat && full && r->op == OP_JMP) {
        o = edges_begin(t);
        edge(t, 0, &o);
    } else if (flat && full && r->op == OP_CALL && jit_stack_ok(t)) {
        end_call(t, r);
    } else if (flat && full && r->op == OP_CALL_RM && jit_stack_ok(t) && (!(r->flags & REC_MEM) || jit_mem_ok(t, r))) {
        end_call_rm(t, r);
    } else if (flat && full && r->op == OP_JMP_RM && (!(r->flags & REC_MEM) || jit_mem_ok(t, r))) {
        end_jmp_rm(t, r);
    } else if (flat && full && r->op == OP_RET && jit_stack_ok(t)) {
        end_ret(t, r);
    } else if (flat && full && (r->op == OP_LOOP || r->op == OP_JCXZ) && r->asize >= 2 && jit_greg(R_CX) != X_NONE) {
        end_loop(t, r);
    } else {
        end_interp(t);
    }
    t->n_open = 0;
}
