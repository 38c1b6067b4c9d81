/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/jit/tmpl_shift.c - templates: shifts, rotates, bit tests; CLC STC CMC LAHF SAHF
 *
 * Flags that can be seen behind them. A shift by an immediate leaves its operand shifted by one less in cc_src (kinds
 * CC_SHL, CC_SAR).
 * Rotates and bit tests store CF and OF by SETcc and say so in cc_part, on top of whatever it is that has the other
 * flags. A count in CL may be zero, and then all flags stay: a branch around both the operation and its flags. (RCL
 * and RCR by CL are left to the interpreter then.)
 */
#include "target/x86/jit/operand.h"

/* One shift to be emitted: by immediate, by one, by CL */
struct shift {
    unsigned op8;               /* of the byte form, or, without one (SHLD), all of it */
    unsigned reg;               /* digit, or the register whose bits come in */
    unsigned size;
    unsigned legacy;
    bool is_double, by_imm;
    uint8_t imm;
};

static void shift_emit(struct jit_tr *t, const struct shift *s, struct x64_rm d)
{
    unsigned op = s->is_double ? s->op8 | X_0F | wide(s->size) : (sized(s->op8, s->size) & ~(unsigned)X_B8REG) | s->legacy;

    x64_op(&t->h, op, s->reg, d);
    if (s->by_imm) {
        x64_b1(&t->h, s->imm);
    }
}

static unsigned count_mask(const struct x86_rec *r)
{
    return r->size == 3 ? 63 : 31;
}

static bool rotates(unsigned op)
{
    return op == OP_ROL || op == OP_ROR || op == OP_RCL || op == OP_RCR;
}

/* Behind a count that was not zero: what it wrote goes to memory. Nothing is pending */
static void cl_flags(struct jit_tr *t, const struct x86_rec *r)
{
    if (rotates(r->op)) {
        x64_op(&t->h, 0x92 | X_0F, 0, JF(t->cpu, cc_co[0]));
        x64_op(&t->h, 0x90 | X_0F, 0, JF(t->cpu, cc_co[1]));
        jit_fl_part_now(t, JPART_CF | JPART_OF);
    } else {
        jit_fl_image(t, JT0);
        x64_st64i(&t->h, JF(t->cpu, cc_op), (int32_t)jit_desc(JD_IMAGE, 0, 0, JB_REG, 0));
    }
}

/* By CL, with flags that can be seen. @d is memory, or a register */
static void shift_cl(struct jit_tr *t, const struct x86_rec *r, const struct shift *s, struct x64_rm d)
{
    bool keep = t->ri[t->i].nat_out != 0;
    uint8_t *zero, *end;

    jit_fl_early(t);
    if (!d.mem && r->size == 2) {
        x64_ld32(&t->h, d.reg, d);                      /* the upper half goes with a count of zero too */
    }
    if (keep) {
        jit_flags_save(&t->h);
    }
    x64_op(&t->h, 0xF6, 0, x64_r(X_CX));                /* TEST CL, mask */
    x64_b1(&t->h, count_mask(r));
    zero = x64_jcc8(&t->h, X_Z);
    if (keep && rotates(r->op)) {                       /* the others are to stay */
        jit_flags_restore(&t->h);
    }
    shift_emit(t, s, d);
    cl_flags(t, r);
    if (keep) {
        end = x64_jmp8(&t->h);
        x64_here8(&t->h, zero);
        jit_flags_restore(&t->h);
        x64_here8(&t->h, end);
    } else {
        x64_here8(&t->h, zero);
        t->nat = false;
    }
}

/* SHL, SHR, SAR of a 32 or 64-bit register by an immediate, with flags that can be seen */
static void shift_described(struct jit_tr *t, const struct x86_rec *r, const struct shift *s, struct x64_rm d)
{
    unsigned size = r->size, n = r->imm & count_mask(r), kind = (r->op == OP_SHL ? CC_SHL8 : CC_SAR8) + size;
    struct shift less = { .op8 = 0xC0, .reg = s->reg, .size = size, .by_imm = true, .imm = (uint8_t)(n - 1) };
    uint32_t desc = jit_desc(JD_RES, kind, r->rm, JB_MEM, 0);

    if (n == 1 && !d.mem) {
        jit_cc_store(t, false, d.reg, size, JT1);
    } else {
        get(t, JT1, size, d);
        if (n > 1) {
            shift_emit(t, &less, x64_r(JT1));
        }
        jit_cc_store(t, false, JT1, size, JT1);
    }
    if (d.mem) {
        get(t, JT0, size, d);
        shift_emit(t, s, x64_r(JT0));
        x64_st(&t->h, d, JT0);
    } else {
        shift_emit(t, s, d);
    }
    if (jit_desc_fits(t, desc, 0)) {
        jit_fl_set(t, desc);
        return;
    }
    jit_cc_store(t, true, d.mem ? JT0 : d.reg, size, JT0);
    jit_fl_set(t, kind);
}

static bool shift_all(struct jit_tr *t, const struct x86_rec *r, const struct shift *s)
{
    unsigned size = r->size, vis = t->ri[t->i].vis_out & x86_op_info[r->op].wr;
    bool mem = r->flags & REC_MEM, cl = !s->by_imm && r->form != FORM_RM_1;
    bool none = !cl && !(r->imm & count_mask(r));
    struct x64_rm m = mem ? jit_mem(t, 1u << size, JA_RMW) : jit_gop(t, r->rm, size), d = m;
    bool through = !mem && m.mem && (size == 2 || s->is_double);
    struct shift by = *s;

    if (s->is_double) {
        by.reg = jit_src(t, r->reg, 3, mem ? JT2 : JT1);
    }
    if (!none && !cl && vis && !mem && size >= 2 && !s->is_double && !rotates(r->op)) {
        shift_described(t, r, s, m);
        return true;
    }
    if (through) {
        d = x64_r(s->is_double ? JT2 : JT1);            /* see tmpl_double(), shift_cl() for the others */
        x64_op(&t->h, size == 2 ? 0x8B : 0x8B | X_W, d.reg, m);
    }
    if (cl && vis) {
        shift_cl(t, r, &by, d);
    } else {
        shift_emit(t, &by, d);
    }
    if (through) {
        x64_st(&t->h, m, d.reg);
    }
    if (none || cl) {
        if (mem) {
            jit_fl_part_now(t, 0);
        }
        return true;
    }
    if (rotates(r->op)) {
        jit_fl_co(t, true, true);
    } else {
        jit_fl_pushf(t);
    }
    return true;
}

static bool operands_ok(struct jit_tr *t, const struct x86_rec *r, unsigned *legacy)
{
    *legacy = 0;
    return r->flags & REC_MEM ? jit_mem_ok(t, r) : bytes_ok(r->size, r->rm, ~0u, legacy);
}

static bool tmpl_shift(struct jit_tr *t, const struct x86_rec *r)
{
    static const uint8_t digit[] = { [OP_ROL - OP_ROL] = 0, [OP_ROR - OP_ROL] = 1, [OP_RCL - OP_ROL] = 2,
                                     [OP_RCR - OP_ROL] = 3, [OP_SHL - OP_ROL] = 4, [OP_SHR - OP_ROL] = 5, [OP_SAR - OP_ROL] = 7 };
    struct shift s = { .op8 = r->form == FORM_RM_I ? 0xC0 : r->form == FORM_RM_1 ? 0xD0 : 0xD2, .reg = digit[r->op - OP_ROL],
                       .size = r->size, .by_imm = r->form == FORM_RM_I, .imm = (uint8_t)r->imm };
    bool carry = r->op == OP_RCL || r->op == OP_RCR;

    if (!operands_ok(t, r, &s.legacy) || (carry && !t->nat)) {
        return false;
    }
    if (carry && r->form == FORM_RM_CL && t->ri[t->i].vis_out & XF_CO) {
        return false;
    }
    return shift_all(t, r, &s);
}

static bool tmpl_double(struct jit_tr *t, const struct x86_rec *r)
{
    bool left = r->op == OP_SHLD || r->op == OP_SHLD_CL, cl = r->op == OP_SHLD_CL || r->op == OP_SHRD_CL;
    struct shift s = { .op8 = (left ? 0xA4u : 0xACu) + cl, .size = r->size, .is_double = true, .by_imm = !cl, .imm = (uint8_t)r->imm };

    if (r->flags & REC_MEM && !jit_mem_ok(t, r)) {
        return false;
    }
    /* JT2 cannot hold the flags and an operand */
    if (cl && t->ri[t->i].nat_out && t->ri[t->i].vis_out && (in_memory(r->reg) || in_memory(r->rm))) {
        return false;
    }
    return shift_all(t, r, &s);
}

/*
 * BT, BTS, BTR, BTC
 */
static unsigned bit_digit(unsigned op)
{
    return op == OP_BT ? 4 : op == OP_BTS ? 5 : op == OP_BTR ? 6 : 7;
}

/* Opcode of the form with a register: A3 AB B3 BB */
static unsigned bit_op(const struct x86_rec *r)
{
    return (0x83 + bit_digit(r->op) * 8) | X_0F | wide(r->size);
}

static bool bit_regs(struct jit_tr *t, const struct x86_rec *r)
{
    struct x64_rm d = jit_gop(t, r->rm, r->size);
    bool through = d.mem;

    if (through) {
        x64_ld(&t->h, JT0, d);
        d = x64_r(JT0);
    }
    if (r->form == FORM_RM_I) {
        x64_op(&t->h, 0xBA | X_0F | wide(r->size), bit_digit(r->op), d);
        x64_b1(&t->h, (uint8_t)r->imm);
    } else {
        x64_op(&t->h, bit_op(r), jit_src(t, r->reg, 3, JT1), d);
    }
    if (through && r->op != OP_BT) {
        x64_st(&t->h, jit_gop(t, r->rm, 3), JT0);
    }
    jit_fl_co(t, true, false);
    return true;
}

/* The position, as a signed number of 64 bits, in JT2 */
static void bit_position(struct jit_tr *t, const struct x86_rec *r)
{
    struct x64_rm s = jit_gop(t, r->reg, r->size);

    if (r->size == 1) {
        x64_op(&t->h, 0xBF | X_0F | X_W, JT2, s);
    } else if (r->size == 2) {
        x64_op(&t->h, 0x63 | X_W, JT2, s);
    } else {
        x64_ld(&t->h, JT2, s);
    }
}

/* A bit string in memory: the position moves the address by whole operands */
static bool bit_string(struct jit_tr *t, const struct x86_rec *r)
{
    unsigned size = r->size;
    struct x64_rm m;

    if (!jit_mem_ok(t, r) || r->asize < 2 || flags_live(t)) {
        return false;
    }
    jit_lea(t, JT1);
    bit_position(t, r);
    x64_op(&t->h, 0xC1 | X_W, 7, x64_r(JT2));           /* SAR */
    x64_b1(&t->h, 3 + size);
    x64_op(&t->h, 0x8D | (r->asize == 3 ? X_W : 0), JT1, x64_m(JT1, JT2, size, 0));
    m = jit_mem_ea(t, 1u << size, r->op == OP_BT ? JA_LD : JA_RMW);
    if (r->op == OP_BT) {
        x64_op(&t->h, 0x8B | wide(size), JT2, m);
        x64_op(&t->h, bit_op(r), jit_src(t, r->reg, 3, JT0), x64_r(JT2));
    } else {
        bit_position(t, r);
        x64_alui(&t->h, X_AND, 0, x64_r(JT2), (8 << size) - 1);
        x64_op(&t->h, bit_op(r) | (r->flags & REC_LOCK ? X_LOCK : 0), JT2, m);
    }
    jit_fl_co(t, true, false);
    return true;
}

static bool tmpl_bit(struct jit_tr *t, const struct x86_rec *r)
{
    if (!(r->flags & REC_MEM)) {
        return bit_regs(t, r);
    }
    if (r->form != FORM_RM_I) {
        return bit_string(t, r);
    }
    if (!jit_mem_ok(t, r)) {
        return false;
    }
    x64_op(&t->h, 0xBA | X_0F | wide(r->size) | (r->flags & REC_LOCK ? X_LOCK : 0), bit_digit(r->op),
           jit_mem(t, 1u << r->size, r->op == OP_BT ? JA_LD : JA_RMW));
    x64_b1(&t->h, (uint8_t)(r->imm & ((8u << r->size) - 1)));
    jit_fl_co(t, true, false);
    return true;
}

/*
 * Flags by themselves
 */
static bool tmpl_carry(struct jit_tr *t, const struct x86_rec *r)
{
    if (r->op == OP_CMC && !t->nat) {
        return false;
    }
    x64_b1(&t->h, r->op == OP_CMC ? 0xF5 : r->op == OP_CLC ? 0xF8 : 0xF9);
    jit_fl_co(t, true, false);
    return true;
}

static bool tmpl_ah(struct jit_tr *t, const struct x86_rec *r)
{
    bool part = !t->nat || t->nat_part;

    if (r->op == OP_LAHF) {
        if (!t->nat) {
            return false;
        }
        x64_b1(&t->h, 0x9F);
        return true;
    }
    if (!t->nat && t->ri[t->i].vis_out & XF_O) {        /* liveness.c asks for it: also_reads() */
        return false;
    }
    x64_b1(&t->h, 0x9E);
    jit_fl_pushf(t);
    t->nat_part = part;
    return true;
}

bool jit_tmpl_shift(struct jit_tr *t, const struct x86_rec *r)
{
    switch (r->op) {
    case OP_ROL:
    case OP_ROR:
    case OP_RCL:
    case OP_RCR:
    case OP_SHL:
    case OP_SHR:
    case OP_SAR:
        return tmpl_shift(t, r);
    case OP_SHLD:
    case OP_SHRD:
    case OP_SHLD_CL:
    case OP_SHRD_CL:
        return tmpl_double(t, r);
    case OP_BT:
    case OP_BTS:
    case OP_BTR:
    case OP_BTC:
        return tmpl_bit(t, r);
    case OP_CLC:
    case OP_STC:
    case OP_CMC:
        return tmpl_carry(t, r);
    case OP_LAHF:
    case OP_SAHF:
        return tmpl_ah(t, r);
    default:
        return false;
    }
}
