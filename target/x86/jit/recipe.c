/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/jit/recipe.c - the guest's arithmetic flags where no instruction stores them
 *
 * Flags that are overwritten before the program looks at them can still be seen, by a fault handler say. To store
 * them for that would cost a seventh of all speed. Instead the translator notes how they follow from what is there
 * anyway: a descriptor. It names the kind of the last producer and the registers that still hold its result and
 * operand, or memory cells (cc_dst, cc_src) where one of them would be lost. At a site in the block the descriptor is
 * data beside the code (jit_site) and costs nothing; on the way out of a block it is one store to cc_op, and only
 * blocks that leave its registers alone until the flags are overwritten may be entered that way (x86_jblock.needs,
 * link.c).
 *
 * cc_op with CCD_DESC:
 *     29:28 form: RES  the destination register holds the result
 *                 CMP  result = register a - operand b
 *                 TEST result = register a & operand b
 *                 IMAGE: cc_src is AX as LAHF and SETO AL leave it; the rest is zero
 *     27:22 cc kind (enum x86_cc)
 *     21:17 destination or a: register number, 16..19 AH CH DH BH, 31 cc_dst
 *     16:15 b: 0 register in 12:8, 1 signed imm8 in 7:0, 2 cc_src, 3 minus the result (NEG)
 * cc_part, a byte each: what came on top of that
 *     7:0   INC, DEC: they left CF alone. 1 + (where the result is << 3 | DEC << 2 | size); where: as above, 20: in
 *     cc_pdst
 *     15:8  1: OF is cc_co[1] (rotates)
 *     23:16 1: CF is cc_co[0] (rotates, bit tests, CLC...)
 * In that order: an INC makes an OF of before void, not a CF. So INC writes the lower two bytes and a rotate the
 * upper two, each without a look at what is there.
 */
#include "target/x86/jit/jit_int.h"

enum { FORM_SHIFT = 28, KIND_SHIFT = 22, DST_SHIFT = 17, B_SHIFT = 15 };
enum { B_REG, B_IMM, B_MEM, B_NEG };
enum { PART_INC = 0xFF, PART_OF = JPART_OF, PART_CF = JPART_CF, PART_MEM = 20 };

#define LOC_MEM 31          /* the first operand itself is in cc_dst, upper bits anything */

static unsigned loc(unsigned off)
{
    return off == JD_IN_MEMORY ? LOC_MEM : off & 1 ? 16 + (off >> 3) : off >> 3;
}

static uint32_t loc_bit(unsigned l)
{
    return l == LOC_MEM ? 0 : 1u << (l < 16 ? l : l - 16);
}

uint32_t jit_desc(unsigned form, unsigned kind, unsigned dst, unsigned bmode, unsigned b)
{
    uint32_t v = CCD_DESC | form << FORM_SHIFT | kind << KIND_SHIFT | loc(dst) << DST_SHIFT | bmode << B_SHIFT;

    return v | (bmode == B_REG ? loc(b) << 8 : bmode == B_IMM ? b & 0xFF : 0);
}

uint32_t jit_part(bool dec, unsigned size, bool mem, unsigned reg)
{
    return 1 + ((mem ? PART_MEM : loc(reg)) << 3 | (dec ? 4u : 0) | size);
}

/* @part on top of what @old says */
uint32_t jit_part_merge(uint32_t old, uint32_t part)
{
    if (part & PART_INC) {
        old &= ~(uint32_t)(PART_INC | PART_OF);
    }
    return old | part;
}

uint32_t jit_desc_regs(uint32_t desc, uint32_t part)
{
    uint32_t m = 0;

    if (desc & CCD_DESC && (desc >> FORM_SHIFT & 3) != JD_IMAGE) {
        m |= loc_bit(desc >> DST_SHIFT & 31);
        m |= (desc >> B_SHIFT & 3) == B_REG ? loc_bit(desc >> 8 & 31) : 0;
    }
    if (part & PART_INC && ((part & PART_INC) - 1) >> 3 != PART_MEM) {
        m |= loc_bit(((part & PART_INC) - 1) >> 3);
    }
    return m;
}

/*
 * At run time, in C
 */
static uint64_t loc_get(const struct x86_cpu *cpu, unsigned l, unsigned size)
{
    uint64_t v = l == LOC_MEM ? cpu->cc_dst : l < 16 ? cpu->regs[l] : cpu->regs[l - 16] >> 8;

    return size == 0 ? (uint64_t)(int64_t)(int8_t)v : size == 1 ? (uint64_t)(int64_t)(int16_t)v :
           size == 2 ? (uint64_t)(int64_t)(int32_t)v : v;
}

static uint64_t sext(uint64_t v, unsigned size)
{
    return size == 3 ? v : (uint64_t)((int64_t)(v << (64 - (8u << size))) >> (64 - (8u << size)));
}

static void part_normalise(struct x86_cpu *cpu)
{
    uint32_t p = cpu->cc_part, f;

    cpu->cc_part = 0;
    if (p & PART_INC) {
        unsigned v = (p & PART_INC) - 1, size = v & 3;

        f = flags_arith(cpu) & FL_CF;
        cpu->cc_dst = v >> 3 == PART_MEM ? sext(cpu->cc_pdst, size) : loc_get(cpu, v >> 3, size);
        cpu->cc_src = f;
        cpu->cc_op = (v & 4 ? CC_DEC8 : CC_INC8) + size;
    }
    if (p & (PART_CF | PART_OF)) {
        f = flags_arith(cpu);
        if (p & PART_CF) {
            f = (f & ~(uint32_t)FL_CF) | (cpu->cc_co[0] ? FL_CF : 0);
        }
        if (p & PART_OF) {
            f = (f & ~(uint32_t)FL_OF) | (cpu->cc_co[1] ? FL_OF : 0);
        }
        flags_set_arith(cpu, f);
    }
}

void x86_cc_normalise(struct x86_cpu *cpu)
{
    uint32_t d = cpu->cc_op;
    unsigned kind, size;

    if (d & CCD_DESC && (d >> FORM_SHIFT & 3) == JD_IMAGE) {
        flags_set_arith(cpu, (uint32_t)(cpu->cc_src >> 8 & 0xFF) | (cpu->cc_src & 1 ? FL_OF : 0));
    } else if (d & CCD_DESC) {
        uint64_t a, b;

        kind = d >> KIND_SHIFT & 63;
        size = (kind - 1) & 3;
        a = loc_get(cpu, d >> DST_SHIFT & 31, size);
        switch (d >> B_SHIFT & 3) {
        case B_REG:
            b = loc_get(cpu, d >> 8 & 31, size);
            break;
        case B_IMM:
            b = (uint64_t)(int64_t)(int8_t)d;
            break;
        case B_MEM:
            b = cpu->cc_src;
            break;
        default:
            b = sext(-a, size);
            break;
        }
        cpu->cc_op = kind;
        cpu->cc_dst = (d >> FORM_SHIFT & 3) == JD_RES ? a : (d >> FORM_SHIFT & 3) == JD_CMP ? sext(a - b, size) : a & b;
        cpu->cc_src = b;
    }
    if (cpu->cc_part) {
        part_normalise(cpu);
    }
}

/*
 * At translation time
 */

/* Sign-extend host register @reg to 64 bits into @tmp (which may be @reg); 64 bits: nothing. Return: where it is then */
static unsigned widen(struct x64_buf *b, unsigned reg, unsigned size, unsigned tmp)
{
    switch (size) {
    case 0:
        x64_op(b, 0xBE | X_0F | X_W, tmp, x64_r(reg));
        return tmp;
    case 1:
        x64_op(b, 0xBF | X_0F | X_W, tmp, x64_r(reg));
        return tmp;
    case 2:
        x64_op(b, 0x63 | X_W, tmp, x64_r(reg));
        return tmp;
    default:
        return reg;
    }
}

void jit_cc_store(struct jit_tr *t, bool dst, unsigned reg, unsigned size, unsigned tmp)
{
    x64_st(&t->h, dst ? JF(t->cpu, cc_dst) : JF(t->cpu, cc_src), widen(&t->h, reg, size, tmp));
}

void jit_cc_store_imm(struct jit_tr *t, int32_t v)
{
    x64_st64i(&t->h, JF(t->cpu, cc_src), v);
}

bool jit_desc_fits(const struct jit_tr *t, uint32_t desc, uint32_t part)
{
    const struct jit_ri *ri = &t->ri[t->i];
    uint32_t m = jit_desc_regs(desc, part);

    if (m & ri->window || (ri->to_exit && (m & t->exit_needs))) {
        return false;
    }
    for (unsigned i = 0; i < 2 && ri->to_exit; i++) {
        const struct jit_edge *e = &t->edge[i];

        if (e->there && e->vis && m & e->needs && (e->reads || ri->partly || !jit_desc_storable(desc, part))) {
            return false;
        }
    }
    return true;
}

bool jit_desc_storable(uint32_t desc, uint32_t part)
{
    unsigned kind = desc >> KIND_SHIFT & 63;

    return desc & CCD_DESC && !part && (desc >> FORM_SHIFT & 3) != JD_IMAGE && ((kind - 1) & 3) >= 2 &&
           (desc >> DST_SHIFT & 31) < 16 && ((desc >> B_SHIFT & 3) != B_REG || (desc >> 8 & 31) < 16);
}

/* Guest register @g to JT0, sign-extended from @size (2 or 3) */
static void ld_sx(struct jit_tr *t, struct x64_buf *b, unsigned g, unsigned size)
{
    x64_op(b, (size == 2 ? 0x63 : 0x8B) | X_W, JT0, jit_gop(t, g * 8, 3));
}

void jit_fl_store(struct jit_tr *t, struct x64_buf *b, uint32_t desc)
{
    unsigned kind = desc >> KIND_SHIFT & 63, size = (kind - 1) & 3, form = desc >> FORM_SHIFT & 3, w = size == 3 ? X_W : 0;
    unsigned mode = desc >> B_SHIFT & 3, src = desc >> 8 & 31;

    if (mode == B_REG) {
        ld_sx(t, b, src, size);
        x64_st(b, JF(t->cpu, cc_src), JT0);
    } else if (mode == B_IMM) {
        x64_st64i(b, JF(t->cpu, cc_src), (int8_t)desc);
    }
    ld_sx(t, b, desc >> DST_SHIFT & 31, size);
    if (form != JD_RES) {
        x64_alu(b, form == JD_CMP ? X_SUB : X_AND, w, JT0, JF(t->cpu, cc_src));
        if (size == 2) {
            x64_op(b, 0x63 | X_W, JT0, x64_r(JT0));
        }
    }
    x64_st(b, JF(t->cpu, cc_dst), JT0);
    if (mode == B_NEG) {
        x64_op(b, 0xF7 | w, 3, x64_r(JT0));
        if (size == 2) {
            x64_op(b, 0x63 | X_W, JT0, x64_r(JT0));
        }
        x64_st(b, JF(t->cpu, cc_src), JT0);
    }
    x64_st64i(b, JF(t->cpu, cc_op), (int32_t)kind);
}

void jit_fl_set(struct jit_tr *t, uint32_t desc)
{
    t->nat = true;
    t->nat_part = false;
    t->desc = desc;
    t->part = t->mem_regs = 0;
}

void jit_fl_set_part(struct jit_tr *t, uint32_t part)
{
    t->part = jit_part_merge(t->part, part);
}

void jit_fl_some(struct jit_tr *t)
{
    t->nat_part |= !t->nat;
    t->nat = true;
}

/* 66 C7: two bytes of cc_part */
static void part_st16(struct jit_tr *t, struct x64_buf *b, unsigned at, unsigned v)
{
    x64_op(b, 0xC7 | X_66, 0, x64_abs((const char *)&t->cpu->cc_part + at));
    x64_b1(b, v & 0xFF);
    x64_b1(b, v >> 8);
}

static void part_st8(struct jit_tr *t, struct x64_buf *b, unsigned at, unsigned v)
{
    x64_op(b, 0xC6, 0, x64_abs((const char *)&t->cpu->cc_part + at));
    x64_b1(b, v);
}

/* @part on top of what memory says */
static void part_store(struct jit_tr *t, struct x64_buf *b, uint32_t part)
{
    if (part & PART_INC) {
        part_st16(t, b, 0, part & 0xFFFF);
        part &= ~0xFFFFu;
    }
    if ((part & (PART_OF | PART_CF)) == (PART_OF | PART_CF)) {
        part_st16(t, b, 1, 0x101);
    } else if (part) {
        part_st8(t, b, part & PART_CF ? 2 : 1, 1);
    }
}

void jit_fl_early(struct jit_tr *t)
{
    t->mem_regs |= jit_desc_regs(t->desc, t->part);
    jit_fl_flush(t, &t->h);
    t->desc = t->part = 0;
}

void jit_fl_part_now(struct jit_tr *t, uint32_t part)
{
    jit_fl_early(t);
    part_store(t, &t->h, part);
}

void jit_fl_co(struct jit_tr *t, bool c, bool o)
{
    unsigned vis = t->ri[t->i].vis_out;
    uint32_t part = 0;

    jit_fl_some(t);
    if (c && vis & XF_C) {
        x64_op(&t->h, 0x92 | X_0F, 0, JF(t->cpu, cc_co[0]));       /* SETB */
        part |= PART_CF;
    }
    if (o && vis & XF_O) {
        x64_op(&t->h, 0x90 | X_0F, 0, JF(t->cpu, cc_co[1]));       /* SETO */
        part |= PART_OF;
    }
    if (t->n_open && vis) {
        jit_fl_part_now(t, part);
    } else if (part) {
        jit_fl_set_part(t, part);
    }
}

void jit_fl_image(struct jit_tr *t, unsigned tmp)
{
    x64_mov(&t->h, tmp, X_AX);
    x64_b1(&t->h, 0x9F);                                    /* LAHF */
    x64_op(&t->h, 0x90 | X_0F, 0, x64_r(X_AX));             /* SETO AL */
    x64_st32(&t->h, JF(t->cpu, cc_src), X_AX);
    x64_mov(&t->h, X_AX, tmp);
}

void jit_fl_pushf(struct jit_tr *t)
{
    jit_fl_set(t, 0);
    if (!t->ri[t->i].vis_out) {
        return;
    }
    jit_fl_image(t, JT0);
    if (t->n_open) {                    /* the interpreter may have done it: then memory is right */
        x64_st64i(&t->h, JF(t->cpu, cc_op), (int32_t)jit_desc(JD_IMAGE, 0, 0, JB_REG, 0));
    } else {
        t->desc = jit_desc(JD_IMAGE, 0, 0, JB_REG, 0);
    }
}

void jit_fl_flush(struct jit_tr *t, struct x64_buf *b)
{
    if (t->desc && !t->part) {
        x64_st64i(b, JF(t->cpu, cc_op), (int32_t)t->desc);
    } else if (t->desc) {
        x64_st32i(b, JF(t->cpu, cc_op), t->desc);
        x64_st32i(b, JF(t->cpu, cc_part), t->part);
    } else if (t->part) {
        part_store(t, b, t->part);
    }
}
