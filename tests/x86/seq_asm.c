/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/x86/seq_asm.c - the encodings that snippets are made of, in all three code sizes
 *
 * 16-bit code reaches memory with 32-bit addresses (67) here; rows of the table bring the 16-bit forms.
 * SDM vol. 2, chapter 2.
 */
#include "tests/x86/seq.h"
#include <string.h>

static void put(struct seq_item *it, unsigned v)
{
    if (it->len < sizeof(it->b)) {
        it->b[it->len++] = (uint8_t)v;
    }
}

void seq_imm(struct seq_item *it, uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        put(it, (unsigned)(v >> 8 * i & 0xFF));
    }
}

struct seq_item *seq_add(struct seq_prog *p, enum seq_kind kind)
{
    struct seq_item *it = &p->item[p->n < SEQ_ITEMS - 1 ? p->n++ : p->n];

    memset(it, 0, sizeof(*it));
    it->kind = (uint8_t)kind;
    return it;
}

struct seq_item *seq_bytes(struct seq_prog *p, const void *b, unsigned n)
{
    struct seq_item *it = seq_add(p, SEQ_PLAIN);

    memcpy(it->b, b, n);
    it->len = (uint8_t)n;
    return it;
}

static void prefixes(struct seq_item *it, enum ox_mode m, unsigned osz, unsigned reg, unsigned base)
{
    unsigned rex = (osz == 8 ? 8 : 0) | (reg >> 3) << 2 | base >> 3;

    if (osz == (m == OX_16 ? 4 : 2)) {
        put(it, 0x66);
    }
    if (m == OX_64 && (rex || (osz == 1 && (reg > 3 || base > 3)))) {
        put(it, 0x40 | rex);
    }
}

static void opcode(struct seq_item *it, unsigned opc)
{
    if (opc > 0xFF) {
        put(it, 0x0F);
    }
    put(it, opc & 0xFF);
}

struct seq_item *seq_op(struct seq_prog *p, unsigned osz, unsigned opc)
{
    struct seq_item *it = seq_add(p, SEQ_PLAIN);

    prefixes(it, p->mode, osz, 0, 0);
    opcode(it, opc);
    return it;
}

struct seq_item *seq_rr(struct seq_prog *p, unsigned opc, unsigned osz, unsigned reg, unsigned rm)
{
    struct seq_item *it = seq_add(p, SEQ_PLAIN);

    prefixes(it, p->mode, osz, reg, rm);
    opcode(it, opc);
    put(it, 0xC0 | (reg & 7) << 3 | (rm & 7));
    return it;
}

struct seq_item *seq_rm(struct seq_prog *p, unsigned opc, unsigned osz, unsigned reg, unsigned base, int32_t disp)
{
    struct seq_item *it = seq_add(p, SEQ_PLAIN);
    bool small = disp >= -128 && disp < 128;

    if (p->mode == OX_16) {
        put(it, 0x67);
    }
    prefixes(it, p->mode, osz, reg, base);
    opcode(it, opc);
    put(it, (small ? 0x40 : 0x80) | (reg & 7) << 3 | (base & 7));
    if ((base & 7) == R_SP) {
        put(it, 0x24);
    }
    seq_imm(it, (uint32_t)disp, small ? 1 : 4);
    return it;
}

struct seq_item *seq_abs(struct seq_prog *p, unsigned seg, unsigned opc, unsigned osz, unsigned reg, enum seq_fix fix)
{
    struct seq_item *it = seq_add(p, SEQ_PLAIN);
    bool rip = fix == FIX_RIP;

    if (seg) {
        put(it, seg);
    }
    if (p->mode == OX_16) {
        put(it, 0x67);
    }
    prefixes(it, p->mode, osz, reg, 0);
    opcode(it, opc);
    if (p->mode == OX_64 && !rip) {
        put(it, 0x04 | (reg & 7) << 3);
        put(it, 0x25);
    } else {
        put(it, 0x05 | (reg & 7) << 3);
    }
    it->fix = (uint8_t)fix;
    it->fix_at = it->len;
    it->fix_size = 4;
    seq_imm(it, 0, 4);
    return it;
}

struct seq_item *seq_ri(struct seq_prog *p, unsigned ext, unsigned osz, unsigned rm, int32_t imm)
{
    bool small = imm >= -128 && imm < 128;
    struct seq_item *it = seq_rr(p, osz == 1 ? 0x80 : small ? 0x83 : 0x81, osz, ext, rm);

    seq_imm(it, (uint32_t)imm, osz == 1 || small ? 1 : osz == 2 ? 2 : 4);
    return it;
}

struct seq_item *seq_mov_imm(struct seq_prog *p, unsigned osz, unsigned reg, uint32_t imm)
{
    struct seq_item *it = seq_add(p, SEQ_PLAIN);

    prefixes(it, p->mode, osz, 0, reg);
    put(it, 0xB8 | (reg & 7));
    seq_imm(it, imm, osz == 2 ? 2 : 4);
    return it;
}

struct seq_item *seq_jump(struct seq_prog *p, unsigned cc, int to)
{
    struct seq_item *it = seq_add(p, cc < 16 ? SEQ_COND : SEQ_JUMP);

    put(it, cc < 16 ? 0x70 | cc : 0xEB);
    put(it, 0);
    it->fix = FIX_REL;
    it->fix_at = it->fix_size = 1;
    it->nto = 1;
    it->to[0] = (int16_t)to;
    return it;
}

struct seq_item *seq_call(struct seq_prog *p, int to)
{
    struct seq_item *it = seq_add(p, SEQ_CALL);

    put(it, 0xE8);
    it->fix = FIX_REL;
    it->fix_at = 1;
    it->fix_size = p->mode == OX_16 ? 2 : 4;
    seq_imm(it, 0, it->fix_size);
    it->nto = 1;
    it->to[0] = (int16_t)to;
    return it;
}

struct seq_item *seq_ret(struct seq_prog *p)
{
    struct seq_item *it = seq_add(p, SEQ_RET);

    put(it, 0xC3);
    return it;
}
