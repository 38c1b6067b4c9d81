/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/x86/seq.h - programs of many instructions: how the generator, the layout and the runner see one
 *
 * A program is an array of items, one instruction each. Addresses are left out until seq_layout() places the items, so
 * that a shrinking pass can mark any of them dead and lay out again. Registers have roles that last for the whole
 * program: some hold addresses in the arena, one a small index, some count loops; the others are data. Only the
 * generator's own snippets write to registers with a role, so accesses stay near the arena and loops end.
 */
#ifndef TESTS_X86_SEQ_H
#define TESTS_X86_SEQ_H

#include "tests/x86/gen.h"

#define SEQ_ITEMS   160
#define SEQ_ENTRIES 24          /* each program is entered so many times, with other registers */
#define SEQ_TABLES  4           /* of four code addresses, for indirect jumps */
#define SEQ_TABLE_AT 0x40u      /* offset in CODE; the program starts at 0x200 or later */
#define SEQ_START   0x200u

enum seq_kind {                 /* what comes next */
    SEQ_PLAIN,                  /* the item behind */
    SEQ_COND,                   /* that, or a target */
    SEQ_JUMP,                   /* one of the targets */
    SEQ_CALL,                   /* the target; later the item behind */
    SEQ_RET,                    /* the item behind some SEQ_CALL */
    SEQ_END,
};
enum seq_fix {                  /* which address goes into the bytes */
    FIX_NONE,
    FIX_REL,                    /* to[0], relative; the last bytes of the item */
    FIX_CODE,                   /* to[0] as an offset from CS */
    FIX_STORE,                  /* to[0] + delta as an offset from DS (flat) or ES (segmented): it will be written */
    FIX_TABLE,                  /* table `delta`; its slots hold to[] */
    FIX_RIP,                    /* RIP-relative: to[0] + delta */
};

struct seq_item {
    uint8_t b[16], len;
    uint8_t kind, fix, fix_at, fix_size, delta, nto;
    bool dead;
    bool alu;                   /* its opcode byte is rewritten with that of another two-operand operation */
    bool glued;                 /* dies with the item before it */
    bool needs_next;            /* dies with the item behind it: a branch into that one's bytes */
    int16_t to[4];
    const struct x86_row *row;  /* of the table, when it came from there */
    /* seq_layout() */
    uint16_t at;                /* offset in CODE */
    uint16_t rd, wr, undef;     /* flags read, surely written, left undefined */
    uint16_t open;              /* flags that are undefined before it */
    struct x86_rec rec;
};

struct seq_prog {
    enum ox_mode mode;
    uint16_t reserved;          /* registers with a role */
    uint8_t base[3], nbase, index, count[2], ncount;    /* index 16: none */
    uint16_t cross;             /* page edge that an item lies across, or 0 */
    uint8_t cross_item, cross_by;
    unsigned n;
    uint16_t bad;               /* seq_layout(): the item that reads undefined flags */
    struct seq_item item[SEQ_ITEMS];
    struct ox_prog image;
};

/** seq_tables_init() - sort the rows that this host and our CPU both have; once */
void seq_tables_init(const struct x86_features *feat);
/** seq_generate() - Return: false: nothing usable came out of this seed */
bool seq_generate(struct ox_rng *g, enum ox_mode mode, const struct x86_features *feat, struct seq_prog *p);
/** seq_entry() - registers for one run of the program */
void seq_entry(struct ox_rng *g, const struct seq_prog *p, struct ox_case *c);

/**
 * seq_layout() - place the items that live, fill in addresses, follow the flags
 * Return: false when they do not fit, do not decode, or one reads flags that are undefined (p->bad says which; else it
 * is SEQ_ITEMS)
 */
bool seq_layout(struct seq_prog *p, const struct x86_features *feat);
/** seq_insert() - make room for an item before @at; jumps to @at go to the new one */
struct seq_item *seq_insert(struct seq_prog *p, unsigned at);
/** seq_find() - the item at an address as RIP has it; SEQ_ITEMS: none */
unsigned seq_find(const struct seq_prog *p, uint64_t rip);
/** seq_print() - a line an item, with addresses */
void seq_print(const struct seq_prog *p, GString *out);

/* seq_asm.c: the encodings that snippets are made of. osz: operand size in bytes. Opcodes above FF have 0F before them */
static inline unsigned seq_word(enum ox_mode m)         /* stack and near branches */
{
    return m == OX_64 ? 8 : m == OX_16 ? 2 : 4;
}
struct seq_item *seq_add(struct seq_prog *p, enum seq_kind kind);
struct seq_item *seq_bytes(struct seq_prog *p, const void *b, unsigned n);
struct seq_item *seq_op(struct seq_prog *p, unsigned osz, unsigned opc);
struct seq_item *seq_rr(struct seq_prog *p, unsigned opc, unsigned osz, unsigned reg, unsigned rm);
struct seq_item *seq_rm(struct seq_prog *p, unsigned opc, unsigned osz, unsigned reg, unsigned base, int32_t disp);
/** seq_abs() - memory operand at an address that seq_layout() fills in; @seg: prefix byte or 0 */
struct seq_item *seq_abs(struct seq_prog *p, unsigned seg, unsigned opc, unsigned osz, unsigned reg, enum seq_fix fix);
struct seq_item *seq_ri(struct seq_prog *p, unsigned ext, unsigned osz, unsigned rm, int32_t imm);
struct seq_item *seq_mov_imm(struct seq_prog *p, unsigned osz, unsigned reg, uint32_t imm);
void seq_imm(struct seq_item *it, uint64_t v, unsigned bytes);
/** seq_jump() - conditional (@cc 0-15), or not (16): to item @to, which may be patched later */
struct seq_item *seq_jump(struct seq_prog *p, unsigned cc, int to);
struct seq_item *seq_call(struct seq_prog *p, int to);
struct seq_item *seq_ret(struct seq_prog *p);

#endif
