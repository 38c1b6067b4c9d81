/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/x86/seq_snip.c - the parts of a program that mean something together
 *
 * A snippet appends a few items. Jumps go forward to an item that is still to come (struct seq_gen, pending), or back
 * to the head of a loop whose counter only this file touches; a function calls only later ones. So every program ends,
 * unless it overwrites a saved counter; the runner drops those that do not.
 */
#include "tests/x86/seq_gen.h"
#include <string.h>

static unsigned data(struct seq_gen *s)
{
    unsigned r;

    do {
        r = seq_below(s, s->p->mode == OX_64 ? 16 : 8);
    } while (s->p->reserved >> r & 1);
    return r;
}

static bool is_free(const struct seq_gen *s, unsigned reg)
{
    return !(s->p->reserved >> reg & 1);
}

static unsigned base(struct seq_gen *s)
{
    return s->p->base[seq_below(s, s->p->nbase)];
}

/* Operand sizes of ordinary arithmetic; addresses take the whole register */
static unsigned osz(struct seq_gen *s)
{
    static const uint8_t any[4] = { 4, 4, 2, 8 };

    return s->p->mode == OX_64 ? any[seq_below(s, 4)] : any[seq_below(s, 3)];
}

static unsigned address_size(const struct seq_gen *s)
{
    return s->p->mode == OX_64 ? 8 : 4;
}

static void plains(struct seq_gen *s, unsigned n)
{
    while (n--) {
        seq_plain(s);
    }
}

/* --- jumps -------------------------------------------------------------------------------------------------------- */

/* Item @item's target @slot will be what stands @left snippets from here */
static void later(struct seq_gen *s, int item, unsigned slot, unsigned left)
{
    s->p->item[item].to[slot] = (int16_t)item;
    if (s->npending < SEQ_PENDING) {
        s->pending[s->npending].item = item;
        s->pending[s->npending].slot = (uint8_t)slot;
        s->pending[s->npending++].left = (uint8_t)left;
    }
}

static void resolve(struct seq_gen *s, bool all)
{
    for (unsigned i = 0; i < s->npending;) {
        if (all || s->pending[i].left-- == 0) {
            s->p->item[s->pending[i].item].to[s->pending[i].slot] = (int16_t)s->p->n;
            s->pending[i] = s->pending[--s->npending];
        } else {
            i++;
        }
    }
}

static bool room(const struct seq_gen *s, unsigned n)
{
    return s->npending + n <= SEQ_PENDING;
}

static int last(const struct seq_gen *s)
{
    return (int)s->p->n - 1;
}

/* cmp; ja; je: branches in a row on the same flags */
static void snip_branch(struct seq_gen *s)
{
    unsigned n = 1 + seq_below(s, 3);

    if (seq_below(s, 2)) {
        seq_rr(s->p, seq_below(s, 3) ? 0x39 : 0x85, osz(s), data(s), seq_below(s, 8));
    }
    while (n-- && room(s, 1)) {
        seq_jump(s->p, seq_below(s, 16), 0);
        later(s, last(s), 0, seq_below(s, 7));
        if (!seq_below(s, 3)) {
            seq_rm(s->p, 0x8B, osz(s), data(s), base(s), seq_disp(s, false));      /* a load between the two */
        }
    }
}

static void snip_jump(struct seq_gen *s)
{
    unsigned left = seq_below(s, 5), r = data(s), w = s->p->mode == OX_16 ? 2 : 4;
    struct seq_item *it;

    if (!room(s, 2)) {
        return;
    }
    if (seq_below(s, 2)) {
        seq_jump(s->p, 16, 0);
        later(s, last(s), 0, left);
        return;
    }
    it = seq_mov_imm(s->p, w, r, 0);
    it->fix = FIX_CODE;
    it->fix_size = (uint8_t)w;
    it->fix_at = (uint8_t)(it->len - w);
    it->nto = 1;
    later(s, last(s), 0, left);
    it = seq_rr(s->p, 0xFF, w, 4, r);
    it->kind = SEQ_JUMP;
    it->glued = true;
    it->nto = 1;
    later(s, last(s), 0, left);
}

/* A jump table with four ways */
static void snip_table(struct seq_gen *s)
{
    unsigned r = data(s);
    struct seq_item *it;

    if (!room(s, 4) || s->tables == SEQ_TABLES || r == R_SP) {
        return;
    }
    seq_rr(s->p, 0x89, 4, data(s), r);
    seq_ri(s->p, 4, 4, r, 3)->glued = true;
    it = seq_add(s->p, SEQ_JUMP);
    it->glued = true;
    if (s->p->mode >= OX_SEG32) {
        seq_imm(it, 0x2E, 1);
    }
    if (s->p->mode == OX_16) {
        seq_imm(it, 0x67, 1);
    }
    if (r > 7) {
        seq_imm(it, 0x42, 1);
    }
    seq_imm(it, 0x24FF, 2);
    seq_imm(it, 0xC5 | (r & 7) << 3, 1);
    it->fix = FIX_TABLE;
    it->fix_at = it->len;
    it->fix_size = 4;
    it->delta = (uint8_t)s->tables++;
    it->nto = 4;
    seq_imm(it, 0, 4);
    for (unsigned k = 0; k < 4; k++) {
        later(s, last(s), k, seq_below(s, 5));
    }
}

static void note_call(struct seq_gen *s, unsigned f)
{
    s->calls[f].item[s->calls[f].n++] = last(s);
}

static void snip_call(struct seq_gen *s)
{
    unsigned first = (unsigned)(s->function + 1), f = first + seq_below(s, SEQ_FUNCS), r = data(s);
    unsigned w = s->p->mode == OX_16 ? 2 : 4;
    struct seq_item *it;

    if (f >= SEQ_FUNCS || s->calls[f].n + 2 > G_N_ELEMENTS(s->calls[f].item)) {
        return;
    }
    switch (seq_below(s, 4)) {
    case 0:
        it = seq_mov_imm(s->p, w, r, 0);
        it->fix = FIX_CODE;
        it->fix_size = (uint8_t)w;
        it->fix_at = (uint8_t)(it->len - w);
        it->nto = 1;
        note_call(s, f);
        it = seq_rr(s->p, 0xFF, w, 2, r);
        it->kind = SEQ_CALL;
        it->glued = true;
        it->nto = 1;
        break;
    case 1:
        if (s->tables < SEQ_TABLES) {
            it = seq_abs(s->p, s->p->mode >= OX_SEG32 ? 0x2E : 0, 0xFF, w, 2, FIX_TABLE);
            it->delta = (uint8_t)s->tables++;
            it->kind = SEQ_CALL;
            it->nto = 1;
            break;
        }
        /* fall through */
    default:
        seq_call(s->p, 0);
    }
    note_call(s, f);
}

/* --- loops -------------------------------------------------------------------------------------------------------- */

static void snip_loop(struct seq_gen *s)
{
    for (unsigned i = 0; i < s->p->ncount && s->function < 0; i++) {
        if (!s->loop[i].open) {
            resolve(s, true);                   /* nobody jumps past the counter's start */
            s->loop[i].reg = s->p->count[i];
            s->loop[i].set = seq_below(s, 4);
            if (s->loop[i].set) {
                seq_mov_imm(s->p, 4, s->loop[i].reg, 1 + seq_below(s, i ? 3 : 6));
            }
            s->loop[i].open = true;
            s->loop[i].head = (int)s->p->n;
            s->loop[i].left = 2 + seq_below(s, 10);
            return;
        }
    }
}

/* All of these end for a counter that is zero, too, but LOOP: nothing jumps around its start */
static void close_loop(struct seq_gen *s, unsigned i)
{
    unsigned r = s->loop[i].reg, size = s->p->mode == OX_64 && seq_below(s, 2) ? 8 : 4;
    struct seq_item *it;

    s->loop[i].open = false;
    if (r == R_CX && s->loop[i].set && seq_below(s, 2)) {
        it = seq_add(s->p, SEQ_COND);
        seq_imm(it, seq_below(s, 3) ? 0xE2 : 0xE0 + seq_below(s, 2), 1);
        seq_imm(it, 0, 1);
        it->fix = FIX_REL;
        it->fix_at = it->fix_size = 1;
        it->nto = 1;
        it->to[0] = (int16_t)s->loop[i].head;
        return;
    }
    switch (seq_below(s, 3)) {
    case 0:
        seq_rr(s->p, 0xFF, size, 1, r);                                         /* DEC, CF lives on */
        seq_jump(s->p, 15, s->loop[i].head)->glued = true;
        break;
    case 1:
        seq_ri(s->p, 5, size, r, 1);
        seq_jump(s->p, 7, s->loop[i].head)->glued = true;
        break;
    default:
        seq_rm(s->p, 0x8D, address_size(s), r, r, -1);
        if (seq_below(s, 2)) {
            seq_rr(s->p, 0x85, size, r, r)->glued = true;
        } else {
            seq_ri(s->p, 7, size, r, 0)->glued = true;
        }
        seq_jump(s->p, 15, s->loop[i].head)->glued = true;
    }
}

static void tick(struct seq_gen *s, bool all)
{
    resolve(s, false);
    for (unsigned i = 2; i-- > 0;) {
        if (s->loop[i].open && (all || s->loop[i].left-- == 0)) {
            for (unsigned k = i + 1; k < 2; k++) {
                if (s->loop[k].open) {
                    close_loop(s, k);           /* the inner one first */
                }
            }
            close_loop(s, i);
        }
    }
}

/* --- stack -------------------------------------------------------------------------------------------------------- */

static unsigned push_size(struct seq_gen *s)
{
    unsigned w = s->p->mode == OX_16 ? 2 : 4;

    return seq_below(s, 6) ? w : 6 - w;
}

static void push_something(struct seq_gen *s, unsigned w)
{
    switch (seq_below(s, 5)) {
    case 0:
        seq_imm(seq_op(s->p, w, 0x6A), seq_below(s, 256), 1);
        break;
    case 1:
        seq_rm(s->p, 0xFF, w, 6, seq_below(s, 4) ? base(s) : R_SP, seq_disp(s, true));
        break;
    default:
        seq_rr(s->p, 0xFF, w, 6, seq_below(s, 8));
    }
}

static void pop_something(struct seq_gen *s, unsigned w)
{
    unsigned k = seq_below(s, 6);

    if (k == 0) {
        seq_rm(s->p, 0x8F, w, 0, base(s), seq_disp(s, true));
    } else if (k == 1) {
        seq_rm(s->p, 0x8F, w, 0, R_SP, 8 * (int32_t)seq_below(s, 4));
    } else {
        seq_rr(s->p, 0x8F, w, 0, data(s));
    }
}

static void snip_push_pop(struct seq_gen *s)
{
    unsigned w = push_size(s);

    push_something(s, w);
    plains(s, seq_below(s, 3));
    if (!seq_below(s, 4)) {
        seq_rm(s->p, seq_below(s, 2) ? 0x87 : 0x01, address_size(s), data(s), R_SP, 0);
    }
    if (s->function >= 0 || seq_below(s, 3)) {
        pop_something(s, w);
    }
}

/* PUSHF shows all flags; POPF back with some of them turned, or with TF: a trap behind the next instruction */
static void snip_flags_word(struct seq_gen *s)
{
    static const uint8_t turn[] = { 0x01, 0x40, 0x80, 0x04, 0x10, 0x41, 0x15 };
    unsigned r = data(s), w = s->p->mode == OX_16 ? 2 : 4, wr = seq_word(s->p->mode);

    seq_op(s->p, w, 0x9C);
    seq_rr(s->p, 0x8F, w, 0, r);
    if (seq_below(s, 2)) {
        return;
    }
    if (!seq_below(s, 24)) {
        seq_ri(s->p, 1, wr, r, 0x100);
    } else {
        seq_ri(s->p, 6, wr, r, (int8_t)turn[seq_below(s, sizeof(turn))]);
    }
    seq_rr(s->p, 0xFF, w, 6, r)->glued = true;
    seq_op(s->p, w, 0x9D)->glued = true;
}

static void snip_frame(struct seq_gen *s)
{
    uint16_t before = s->p->reserved;
    struct seq_item *it;

    if (!is_free(s, R_BP)) {
        return;
    }
    s->p->reserved |= 1 << R_BP;
    if (seq_below(s, 2)) {
        it = seq_op(s->p, s->p->mode == OX_16 ? 2 : 4, 0xC8);
        seq_imm(it, 8 * seq_below(s, 5), 2);
        seq_imm(it, seq_below(s, 4) ? 0 : seq_below(s, 4), 1);
    } else {
        seq_rr(s->p, 0xFF, s->p->mode == OX_16 ? 2 : 4, 6, R_BP);
        seq_rr(s->p, 0x89, address_size(s), R_SP, R_BP)->glued = true;
        seq_ri(s->p, 5, address_size(s), R_SP, 32);
    }
    plains(s, 1 + seq_below(s, 3));
    seq_rm(s->p, 0x89, osz(s), data(s), R_BP, -16);
    seq_op(s->p, s->p->mode == OX_16 ? 2 : 4, 0xC9);
    s->p->reserved = before;
}

static void snip_all_registers(struct seq_gen *s)
{
    if (s->p->mode == OX_64) {
        snip_push_pop(s);
        return;
    }
    seq_op(s->p, s->p->mode == OX_16 ? 2 : 4, 0x60);
    plains(s, seq_below(s, 3));
    seq_op(s->p, s->p->mode == OX_16 ? 2 : 4, 0x61)->glued = true;
}

/* --- flags -------------------------------------------------------------------------------------------------------- */

static void carry_step(struct seq_gen *s, unsigned size)
{
    static const uint8_t ops[] = { 0x11, 0x19, 0x13, 0x1B };

    switch (seq_below(s, 9)) {
    case 0:
        seq_rm(s->p, seq_below(s, 2) ? 0x11 : 0x19, size, data(s), base(s), seq_disp(s, false));
        break;
    case 1:
        seq_rm(s->p, 0x13, size, data(s), base(s), seq_disp(s, false));
        break;
    case 2:
        seq_rr(s->p, 0xFF, size, seq_below(s, 2), data(s));                     /* INC, DEC keep CF */
        break;
    case 3:
        seq_rm(s->p, seq_below(s, 2) ? 0x8B : 0x89, size, data(s), base(s), seq_disp(s, false));
        break;
    case 4:
        seq_rr(s->p, 0x190 + seq_below(s, 16), 1, 0, data(s));
        break;
    case 5:
        seq_rr(s->p, 0x140 + seq_below(s, 16), size, data(s), seq_below(s, 8));
        break;
    case 6:
        seq_ri(s->p, seq_below(s, 2) ? 2 : 3, size, data(s), (int32_t)seq_below(s, 400) - 200);
        break;
    default:
        seq_rr(s->p, ops[seq_below(s, 4)], size, data(s), data(s));
    }
}

static bool setcc_hits_role(const struct seq_gen *s, const struct seq_item *it)
{
    unsigned n = it->len, rm = it->b[n - 1] & 7;

    return n >= 3 && (it->b[n - 2] & 0xF0) == 0x90 && it->b[n - 3] == 0x0F && s->p->mode != OX_64 && rm > 3 &&
           !is_free(s, rm - 4);                 /* AH..BH: part of a register with a role */
}

static void snip_carry(struct seq_gen *s)
{
    unsigned size = osz(s), n = 2 + seq_below(s, 5);

    seq_rr(s->p, seq_below(s, 2) ? 0x01 : 0x29, size, data(s), data(s));
    while (n--) {
        carry_step(s, size);
        if (setcc_hits_role(s, &s->p->item[last(s)])) {
            s->p->n--;
        }
    }
}

/* --- strings ------------------------------------------------------------------------------------------------------ */

static void snip_string(struct seq_gen *s)
{
    static const uint8_t ops[] = { 0xA4, 0xA4, 0xAA, 0xAC, 0xA6, 0xAE };
    bool ready = seq_is_base(s->p, R_SI) && seq_is_base(s->p, R_DI) && is_free(s, R_CX) && is_free(s, R_AX);
    bool down = !seq_below(s, 6), rep = seq_below(s, 4);
    unsigned op = ops[seq_below(s, sizeof(ops))], size = osz(s), wide = s->p->mode == OX_16 ? 2 : 4;
    struct seq_item *it;

    if (!ready) {
        return;
    }
    if (rep) {
        seq_mov_imm(s->p, wide, R_CX, seq_below(s, 8) ? seq_below(s, 40) : seq_below(s, 0x200));
    }
    if (down) {
        seq_bytes(s->p, "\xFD", 1);
    }
    it = seq_add(s->p, SEQ_PLAIN);
    it->glued = rep && !down;
    if (size == (s->p->mode == OX_16 ? 4 : 2)) {
        seq_imm(it, 0x66, 1);
    }
    if (rep) {
        seq_imm(it, op >= 0xA6 && op != 0xAA && op != 0xAC && seq_below(s, 2) ? 0xF2 : 0xF3, 1);
    }
    if (size == 8) {
        seq_imm(it, 0x48, 1);
    }
    seq_imm(it, op | (size == 8 || seq_below(s, 2)), 1);
    if (down) {
        seq_bytes(s->p, "\xFC", 1);
    }
}

/* --- stores into code --------------------------------------------------------------------------------------------- */

static struct seq_item *code_store(struct seq_gen *s, unsigned opc, unsigned size, unsigned reg, int to, unsigned delta)
{
    struct seq_item *it = seq_abs(s->p, s->p->mode >= OX_SEG32 ? 0x26 : 0, opc, size, reg, FIX_STORE);

    it->to[0] = (int16_t)to;
    it->nto = 1;
    it->delta = (uint8_t)delta;
    return it;
}

/* An operation whose opcode will be another next time */
static void store_opcode(struct seq_gen *s, int to)
{
    static const uint8_t alu[] = { 0x01, 0x29, 0x11, 0x19, 0x39 };
    unsigned at = s->p->item[to].len - 2u;

    if (seq_below(s, 3)) {
        seq_imm(code_store(s, 0xC6, 1, 0, to, at), alu[seq_below(s, sizeof(alu))], 1);
    } else {
        seq_mov_imm(s->p, 4, R_AX, alu[seq_below(s, sizeof(alu))]);
        code_store(s, 0x88, 1, R_AX, to, at)->glued = true;
    }
}

/* An immediate operand that the program computes */
static void store_imm(struct seq_gen *s, int to)
{
    unsigned size = s->p->mode == OX_16 ? 2 : 4, at = s->p->item[to].len - size;
    struct seq_item *it;

    switch (seq_below(s, 4)) {
    case 0:
        code_store(s, 0x88, 1, seq_below(s, 4), to, at + seq_below(s, size));
        break;
    case 1:
        code_store(s, 0xFF, size, seq_below(s, 2), to, at);                     /* INC, DEC in place */
        break;
    case 2:
        if (s->p->mode == OX_64 || s->p->mode == OX_32) {
            unsigned r = data(s);

            it = seq_mov_imm(s->p, 4, r, 0);
            it->fix = FIX_STORE;
            it->fix_at = it->len - 4;
            it->fix_size = 4;
            it->nto = 1;
            it->to[0] = (int16_t)to;
            it->delta = (uint8_t)at;
            seq_rm(s->p, 0x89, 4, data(s), r, 0)->glued = true;
            break;
        }
        /* fall through */
    default:
        code_store(s, 0x89, size, data(s), to, at);
    }
}

/* The target is made right after the store (the same block, or the next), or is one that has been made before */
static void snip_patch(struct seq_gen *s)
{
    unsigned size = s->p->mode == OX_16 ? 2 : 4;
    bool opcode = seq_below(s, 2) && is_free(s, R_AX);
    int first = (int)s->p->n, now, stores;

    if (s->patchable >= 0 && s->p->item[s->patchable].alu == opcode && seq_below(s, 2)) {
        if (opcode) {
            store_opcode(s, s->patchable);
        } else {
            store_imm(s, s->patchable);
        }
        return;
    }
    if (opcode) {                               /* the length of the target has to be known: make it first */
        seq_rr(s->p, 0x01, osz(s), data(s), data(s))->alu = true;
    } else {
        seq_mov_imm(s->p, size, data(s), (uint32_t)ox_rand(s->g));
    }
    s->patchable = first;
    now = (int)s->p->n;
    if (opcode) {
        store_opcode(s, first);
    } else {
        store_imm(s, first);
    }
    stores = (int)s->p->n - now;
    if (seq_below(s, 3)) {                      /* turn them round: the store, then its target */
        struct seq_item target = s->p->item[first];

        memmove(&s->p->item[first], &s->p->item[now], (unsigned)stores * sizeof(target));
        s->p->item[first + stores] = target;
        for (int i = first; i < first + stores; i++) {
            if (s->p->item[i].fix == FIX_STORE) {
                s->p->item[i].to[0] = (int16_t)(first + stores);
            }
        }
        s->patchable = first + stores;
    }
}

/* --- others ------------------------------------------------------------------------------------------------------- */

static void snip_pointer(struct seq_gen *s)
{
    static const int8_t step[] = { 1, 2, 4, 8, 16, 32, 64, -8, -16, -4, 127 };
    unsigned r = base(s), a = address_size(s);
    int32_t by = step[seq_below(s, sizeof(step))];

    if (s->p->index < 16 && !seq_below(s, 3)) {
        seq_rr(s->p, seq_below(s, 2) ? 0x01 : 0x31, 4, data(s), s->p->index);
        seq_ri(s->p, 4, 4, s->p->index, 31)->glued = true;
        return;
    }
    switch (seq_below(s, 4)) {
    case 0:
        seq_ri(s->p, 0, a, r, by);
        break;
    case 1:
        seq_ri(s->p, 5, a, r, by);
        break;
    case 2:
        seq_rr(s->p, 0xFF, a, seq_below(s, 2), r);
        break;
    default:
        seq_rm(s->p, 0x8D, a, r, r, by);
    }
}

static void snip_divide(struct seq_gen *s)
{
    unsigned r = data(s), size = osz(s);

    if (!is_free(s, R_AX) || !is_free(s, R_DX) || r == R_AX || r == R_DX) {
        return;
    }
    if (seq_below(s, 3)) {
        seq_rr(s->p, 0x31, 4, R_DX, R_DX);
    } else {
        seq_op(s->p, size, 0x99);
    }
    seq_ri(s->p, 1, size, r, 1);
    seq_rr(s->p, 0xF7, size, 6 + seq_below(s, 2), r);
}

/* MXCSR and the x87 control word; MXCSR.UM stays set (gen.c says why) */
static void snip_control(struct seq_gen *s)
{
    unsigned b = base(s);
    int32_t d = seq_disp(s, true);
    uint32_t v = 0x1F80 | ((uint32_t)ox_rand(s->g) & 0xE07F);
    bool x87 = seq_below(s, 2);
    struct seq_item *it;

    if (x87) {
        v = 0x7F | (uint32_t)seq_below(s, 16) << 8;
        v &= seq_below(s, 4) ? ~0u : ~seq_below(s, 64);
    } else if (!seq_below(s, 4)) {
        v &= ~((uint32_t)ox_rand(s->g) & 0x1780);
    }
    it = seq_rm(s->p, 0xC7, 4, 0, b, d);
    seq_imm(it, v, 4);
    if (!x87) {
        seq_rm(s->p, 0x1AE, 4, 2, b, d)->glued = true;
    } else {
        seq_rm(s->p, 0xD9, s->p->mode == OX_16 ? 2 : 4, 5, b, d)->glued = true;
    }
}

/* ES again, or another: in the segmented modes the mode word changes under the program */
static void snip_segment(struct seq_gen *s)
{
    static const uint16_t sels[] = { OX_LDT_SEL(OX_LDT_DS), OX_LDT_SEL(OX_LDT_ES), OX_LDT_SEL(OX_LDT_ES), OX_SEL_DATA };
    unsigned r = data(s);
    uint16_t sel = s->p->mode >= OX_SEG32 ? sels[seq_below(s, 4)] : OX_SEL_DATA;

    seq_mov_imm(s->p, s->p->mode == OX_16 ? 2 : 4, r, sel);
    seq_rr(s->p, 0x8E, s->p->mode == OX_16 ? 2 : 4, SEG_ES, r)->glued = true;
}

/* Bytes of the program as data */
static void snip_read_code(struct seq_gen *s)
{
    struct seq_item *it;

    if (s->p->mode != OX_64 || s->p->n < 2) {
        return;
    }
    it = seq_abs(s->p, 0, seq_below(s, 2) ? 0x8B : 0x03, osz(s), data(s), FIX_RIP);
    it->nto = 1;
    it->to[0] = (int16_t)seq_below(s, s->p->n - 1);
}

/* A branch into the immediate of the instruction behind it: the same bytes are two programs */
static void snip_overlap(struct seq_gen *s)
{
    static const uint8_t inner[] = { 0x90, 0xF8, 0xF9, 0xFC };
    uint32_t imm = 0;
    struct seq_item *jcc, *mov;

    for (unsigned i = 0; i < 4; i++) {
        imm |= (uint32_t)inner[seq_below(s, sizeof(inner))] << 8 * i;
    }
    jcc = seq_add(s->p, SEQ_PLAIN);
    seq_imm(jcc, 0x70 | seq_below(s, 16), 1);
    mov = seq_mov_imm(s->p, 4, data(s), imm);
    mov->glued = true;
    jcc = &s->p->item[last(s) - 1];
    seq_imm(jcc, mov->len - 4u, 1);
    jcc->needs_next = true;
}

/* What ends the run on the spot */
static void snip_stop(struct seq_gen *s)
{
    static const char *const stops[] = { "\xCC", "\x0F\x0B", "\xF4", "\xFA", "\xF1" };
    const char *b = stops[seq_below(s, 5)];

    if (room(s, 1)) {
        seq_jump(s->p, seq_below(s, 16), 0);
        later(s, last(s), 0, 0);
        seq_bytes(s->p, b, (unsigned)strlen(b));
    }
}

static void snippet(struct seq_gen *s)
{
    static const struct { uint8_t weight; void (*make)(struct seq_gen *s); } all[] = {
        { 24, snip_branch }, { 4, snip_jump }, { 4, snip_table }, { 10, snip_call }, { 9, snip_loop },
        { 14, snip_push_pop }, { 6, snip_flags_word }, { 3, snip_frame }, { 2, snip_all_registers },
        { 14, snip_carry }, { 10, snip_string }, { 8, snip_patch }, { 12, snip_pointer }, { 3, snip_divide },
        { 4, snip_control }, { 2, snip_segment }, { 2, snip_read_code }, { 2, snip_overlap }, { 1, snip_stop },
    };
    unsigned k = seq_below(s, 134);

    for (unsigned i = 0; i < G_N_ELEMENTS(all); i++) {
        if (k < all[i].weight) {
            all[i].make(s);
            return;
        }
        k -= all[i].weight;
    }
}

static void make_function(struct seq_gen *s, unsigned f)
{
    unsigned n = 1 + seq_below(s, 6);

    for (unsigned i = 0; i < s->calls[f].n; i++) {
        for (unsigned k = 0; k < s->p->item[s->calls[f].item[i]].nto; k++) {
            s->p->item[s->calls[f].item[i]].to[k] = (int16_t)s->p->n;
        }
    }
    s->function = (int)f;
    for (unsigned i = 0; i < n; i++) {
        if (seq_below(s, 4)) {
            seq_plain(s);
        } else {
            snippet(s);
        }
        resolve(s, false);
    }
    resolve(s, true);
    seq_ret(s->p);
}

void seq_body(struct seq_gen *s, unsigned want)
{
    s->function = -1;
    s->patchable = -1;
    while (s->p->n < want) {
        if (seq_below(s, 3)) {
            seq_plain(s);
        } else {
            snippet(s);
        }
        tick(s, false);
    }
    tick(s, true);
    resolve(s, true);
    seq_imm(seq_add(s->p, SEQ_END), 0xCC, 1);
    for (unsigned f = 0; f < SEQ_FUNCS; f++) {
        if (s->calls[f].n) {
            make_function(s, f);
        }
    }
    seq_imm(seq_add(s->p, SEQ_END), 0xCC, 1);
}
