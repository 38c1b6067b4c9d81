/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/x86/seq_flow.c - place a program's items, and follow the flags along its edges
 *
 * Short branches grow until all reach. Then every item is decoded from its final bytes; what the decoder's table says
 * of flags, and rules.c of undefined ones, goes forward over the edges until nothing changes: `open` is what may be
 * undefined before an item. An item that reads such a flag makes the program useless: silicon may do anything.
 */
#include "tests/x86/seq.h"
#include <string.h>

static unsigned next_live(const struct seq_prog *p, unsigned i)
{
    while (i < p->n - 1 && p->item[i].dead) {
        i++;
    }
    return i;
}

static unsigned target(const struct seq_prog *p, const struct seq_item *it, unsigned k)
{
    return next_live(p, (unsigned)it->to[k]);
}

/* Jcc and JMP have a long form, LOOP and JCXZ have none: false, and the item dies */
static bool grow(struct seq_prog *p, struct seq_item *it)
{
    unsigned size = p->mode == OX_16 ? 2 : 4;
    uint8_t op = it->b[0];

    if (op == 0xEB) {
        it->b[0] = 0xE9;
    } else if ((op & 0xF0) == 0x70) {
        it->b[0] = 0x0F;
        it->b[1] = op + 0x10;
    } else {
        it->dead = true;
        return false;
    }
    it->fix_at = op == 0xEB ? 1 : 2;
    it->fix_size = (uint8_t)size;
    it->len = (uint8_t)(it->fix_at + size);
    return true;
}

static int32_t distance(const struct seq_prog *p, const struct seq_item *it)
{
    return (int32_t)p->item[target(p, it, 0)].at - (it->at + it->len);
}

static void assign(struct seq_prog *p)
{
    unsigned off = 0, start = 0x400;

    for (unsigned i = 0; i < p->n; i++) {
        p->item[i].at = (uint16_t)off;
        off += p->item[i].dead ? 0 : p->item[i].len;
    }
    if (p->cross) {
        const struct seq_item *it = &p->item[next_live(p, p->cross_item)];
        unsigned back = it->at + (it->len > 1 ? 1 + p->cross_by % (it->len - 1u) : 0);

        start = p->cross - back < SEQ_START ? SEQ_START : p->cross - back;
    }
    for (unsigned i = 0; i < p->n; i++) {
        p->item[i].at = (uint16_t)(p->item[i].at + start);
    }
}

static bool place(struct seq_prog *p)
{
    for (unsigned round = 0; round < 40; round++) {
        bool again = false;

        assign(p);
        for (unsigned i = 0; i < p->n; i++) {
            struct seq_item *it = &p->item[i];

            if (!it->dead && it->fix == FIX_REL && it->fix_size == 1 &&
                (distance(p, it) < -128 || distance(p, it) > 127)) {
                grow(p, it);
                again = true;
            }
        }
        if (!again) {
            return p->item[p->n - 1].at + 16u < OX_CODE_BYTES || p->cross == OX_CODE_BYTES;
        }
    }
    return false;
}

/* What depends on an item that is no more dies too */
static void bury(struct seq_prog *p)
{
    for (unsigned i = 0; i < p->n; i++) {
        struct seq_item *it = &p->item[i];

        it->dead |= it->glued && i && p->item[i - 1].dead;
        it->dead |= it->needs_next && p->item[i + 1].dead;
        it->dead |= (it->fix == FIX_STORE || it->fix == FIX_RIP) && p->item[it->to[0]].dead;
    }
}

static uint64_t address(const struct seq_prog *p, const struct seq_item *it)
{
    bool segmented = p->mode >= OX_SEG32;
    uint64_t cs = segmented ? 0 : OX_CODE;

    switch (it->fix) {
    case FIX_REL:
        return (uint64_t)(int64_t)distance(p, it);
    case FIX_CODE:
        return cs + p->item[target(p, it, 0)].at;
    case FIX_STORE:
        return OX_CODE - (segmented ? OX_ARENA : 0) + p->item[it->to[0]].at + it->delta;
    case FIX_RIP:
        return (uint64_t)((int64_t)p->item[it->to[0]].at + it->delta - it->at - it->len);
    case FIX_TABLE:
        return cs + SEQ_TABLE_AT + 32u * it->delta;
    }
    return 0;
}

static void fill_table(struct seq_prog *p, const struct seq_item *it)
{
    for (unsigned k = 0; k < it->nto; k++) {
        uint64_t to = (p->mode >= OX_SEG32 ? 0 : OX_CODE) + p->item[target(p, it, k)].at;

        memcpy(p->image.code + SEQ_TABLE_AT + 32u * it->delta + 8 * k, &to, 8);
    }
}

static bool write_image(struct seq_prog *p, const struct x86_features *feat)
{
    memset(p->image.code, 0xCC, sizeof(p->image.code));
    for (unsigned i = 0; i < p->n; i++) {
        struct seq_item *it = &p->item[i];
        uint64_t v = address(p, it);

        if (it->dead) {
            continue;
        }
        memcpy(it->b + it->fix_at, &v, it->fix_size);
        if (it->fix == FIX_TABLE) {
            fill_table(p, it);
        }
        if (it->at < OX_CODE_BYTES) {
            memcpy(p->image.code + it->at, it->b, MIN(it->len, OX_CODE_BYTES - it->at));
        }
        if (x86_decode(it->b, it->len, ox_mode_bits(p->mode), 0, feat, &it->rec) != it->len) {
            return false;
        }
    }
    return true;
}

/* --- flags -------------------------------------------------------------------------------------------------------- */

static bool by_cl(const struct x86_rec *r)
{
    return r->form == FORM_RM_CL || r->op == OP_SHLD_CL || r->op == OP_SHRD_CL;
}

/* An instruction that may leave flags alone closes nothing; one that shifts by CL may do what any count does */
static void flags_of(struct seq_item *it, enum ox_mode mode)
{
    const struct x86_rec *r = &it->rec;
    struct ox_case c = { .rec = *r, .mode = mode };
    bool shift = r->op >= OP_ROL && r->op <= OP_SHRD_CL;
    unsigned count = (unsigned)r->imm & (r->size == 3 ? 63 : 31);

    it->rd = x86_op_info[r->op].rd;
    it->wr = x86_op_info[r->op].wr;
    it->undef = 0;
    for (unsigned n = 0; n < (by_cl(r) ? 64u : 1u); n++) {
        c.in.gpr[R_CX] = n;
        it->undef |= (uint16_t)ox_undefined_flags(&c);
    }
    if ((x86_op_info[r->op].attr & XA_COND) &&
        (!shift || by_cl(r) || !count || r->op == OP_RCL || r->op == OP_RCR)) {
        it->wr = 0;
    }
    if (it->alu) {
        it->rd |= XF_C;
    }
    if (it->kind == SEQ_RET) {
        it->rd = XF_ALL;        /* a return address that was overwritten leads anywhere */
    }
}

static bool pass_to(struct seq_prog *p, unsigned i, uint16_t open)
{
    struct seq_item *it = &p->item[next_live(p, i)];
    bool news = open & ~it->open;

    it->open |= open;
    return news;
}

static bool pass_on(struct seq_prog *p, unsigned i)
{
    struct seq_item *it = &p->item[i];
    uint16_t out = (uint16_t)((it->open & ~it->wr) | it->undef);
    bool news = false;

    if (it->kind == SEQ_PLAIN || it->kind == SEQ_COND) {
        news |= pass_to(p, i + 1, out);
    }
    if (it->kind == SEQ_COND || it->kind == SEQ_JUMP || it->kind == SEQ_CALL) {
        for (unsigned k = 0; k < it->nto; k++) {
            news |= pass_to(p, (unsigned)it->to[k], out);
        }
    }
    for (unsigned k = 0; it->kind == SEQ_RET && k < p->n - 1; k++) {
        if (p->item[k].kind == SEQ_CALL && !p->item[k].dead) {
            news |= pass_to(p, k + 1, out);
        }
    }
    return news;
}

static bool flags_defined(struct seq_prog *p)
{
    bool again = true;

    for (unsigned i = 0; i < p->n; i++) {
        p->item[i].open = 0;
        flags_of(&p->item[i], p->mode);
    }
    while (again) {
        again = false;
        for (unsigned i = 0; i < p->n; i++) {
            again |= !p->item[i].dead && pass_on(p, i);
        }
    }
    for (unsigned i = 0; i < p->n; i++) {
        const struct seq_item *it = &p->item[i];

        if (!it->dead && (it->open & it->rd) && it->kind != SEQ_END) {
            p->bad = (uint16_t)i;
            return false;
        }
    }
    return true;
}

bool seq_layout(struct seq_prog *p, const struct x86_features *feat)
{
    p->bad = SEQ_ITEMS;
    bury(p);
    return place(p) && write_image(p, feat) && flags_defined(p);
}

struct seq_item *seq_insert(struct seq_prog *p, unsigned at)
{
    if (p->n >= SEQ_ITEMS) {
        return NULL;
    }
    memmove(&p->item[at + 1], &p->item[at], (p->n - at) * sizeof(p->item[0]));
    memset(&p->item[at], 0, sizeof(p->item[at]));
    p->n++;
    for (unsigned i = 0; i < p->n; i++) {
        bool exact = p->item[i].fix == FIX_STORE || p->item[i].fix == FIX_RIP;      /* that instruction's bytes */

        for (unsigned k = 0; k < p->item[i].nto && i != at; k++) {
            p->item[i].to[k] = (int16_t)(p->item[i].to[k] + (p->item[i].to[k] > (int)at - exact));
        }
    }
    return &p->item[at];
}

unsigned seq_find(const struct seq_prog *p, uint64_t rip)
{
    uint64_t at = p->mode >= OX_SEG32 ? rip : rip - OX_CODE;

    for (unsigned i = 0; i < p->n; i++) {
        if (!p->item[i].dead && p->item[i].at == at) {
            return i;
        }
    }
    return SEQ_ITEMS;
}

void seq_print(const struct seq_prog *p, GString *out)
{
    for (unsigned i = 0; i < p->n; i++) {
        const struct seq_item *it = &p->item[i];
        uint64_t ip = (p->mode >= OX_SEG32 ? 0 : OX_CODE) + it->at;
        g_autoptr(GString) hex = g_string_new(NULL);
        char text[128];

        if (it->dead) {
            continue;
        }
        for (unsigned k = 0; k < it->len; k++) {
            g_string_append_printf(hex, "%02x ", it->b[k]);
        }
        x86_rec_print(&it->rec, ip, text, sizeof(text));
        g_string_append_printf(out, "#   %3u %8x: %-34s %s", i, (unsigned)ip, hex->str, text);
        for (unsigned k = 0; k < it->nto; k++) {
            g_string_append_printf(out, "%s%u", k ? ", " : "   -> ", target(p, it, k));
        }
        g_string_append(out, it->fix == FIX_STORE ? " (writes there)\n" : it->alu ? " (rewritten)\n" : "\n");
    }
}
