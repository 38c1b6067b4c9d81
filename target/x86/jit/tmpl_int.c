/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/jit/tmpl_int.c - templates: moves, two-operand arithmetic, INC, DEC, NEG, NOT, LEA, conditions,
 * multiplication
 *
 * Mostly the guest's own instruction with other registers. A 32-bit result for a register that lives in memory goes
 * through a scratch register: 64 bits have to be stored. Where the flags can be seen, see recipe.c for what is
 * emitted beside.
 */
#include "target/x86/jit/operand.h"

static bool is_imm(const struct x86_rec *r)
{
    return r->form == FORM_RM_I || r->form == FORM_R_I;
}

/*
 * Two-operand arithmetic
 */
static int alu_index(unsigned op)
{
    switch (op) {
    case OP_ADD: return X_ADD;
    case OP_OR: return X_OR;
    case OP_ADC: return X_ADC;
    case OP_SBB: return X_SBB;
    case OP_AND: return X_AND;
    case OP_SUB: return X_SUB;
    case OP_XOR: return X_XOR;
    case OP_CMP: return X_CMP;
    default: return -1;
    }
}
#define ALU_TEST 8

static unsigned alu_kind(int a, unsigned size)
{
    return (a == X_ADD ? CC_ADD8 : a == X_SUB || a == X_CMP ? CC_SUB8 : CC_LOGIC8) + size;
}

static bool alu_logic(int a)
{
    return a == X_AND || a == X_OR || a == X_XOR || a == ALU_TEST;
}

static bool alu_carry(int a)
{
    return a == X_ADC || a == X_SBB;
}

static bool alu_writes(int a)
{
    return a != X_CMP && a != ALU_TEST;
}

/* d <- d op host register s */
static void alu_rr(struct jit_tr *t, int a, unsigned size, struct x64_rm d, unsigned s, unsigned extra)
{
    x64_op(&t->h, sized(a == ALU_TEST ? 0x84 : (unsigned)a << 3, size) | extra, s, d);
}

/* d <- d op immediate */
static void alu_ri(struct jit_tr *t, int a, unsigned size, struct x64_rm d, uint64_t v, unsigned extra)
{
    if (a == ALU_TEST) {
        x64_op(&t->h, sized(0xF6, size) | extra, 0, d);
        imm(t, size, v);
    } else if (size && (int64_t)v == (int8_t)v) {
        x64_op(&t->h, (sized(0x80, size) | 2) | extra, (unsigned)a, d);     /* 83 */
        x64_b1(&t->h, (uint8_t)v);
    } else {
        x64_op(&t->h, sized(0x80, size) | extra, (unsigned)a, d);
        imm(t, size, v);
    }
}

/*
 * Result and operands in registers: describe the flags if their registers live on, else store. @s: offset of the source
 * register, or ~0u: an immediate. Called behind the operation
 */
static void alu_flags_regs(struct jit_tr *t, const struct x86_rec *r, int a, unsigned d, unsigned s)
{
    unsigned size = r->size, kind = alu_kind(a, size);
    bool small = s == ~0u && (int64_t)r->imm == (int8_t)r->imm;
    unsigned mode = s != ~0u ? JB_REG : small ? JB_IMM : JB_MEM, b = s != ~0u ? s : (uint8_t)r->imm;
    unsigned form = a == X_CMP ? JD_CMP : a == ALU_TEST ? JD_TEST : JD_RES;
    uint32_t desc;

    if (alu_logic(a) && form == JD_RES) {
        mode = JB_IMM;
        b = 0;
    } else if (a == X_SUB && s == d) {
        kind = CC_LOGIC8 + size;
        mode = JB_IMM;
        b = 0;
    }
    desc = jit_desc(form, kind, d, mode, b);
    if (!t->ri[t->i].vis_out) {
        jit_fl_set(t, 0);
    } else if (alu_carry(a) || (a == X_ADD && s == d)) {
        jit_fl_pushf(t);
    } else if (jit_desc_fits(t, desc, 0)) {
        if (mode == JB_MEM) {
            jit_cc_store_imm(t, (int32_t)r->imm);
        }
        jit_fl_set(t, desc);
    } else if (form == JD_RES && size >= 2 && kind != CC_LOGIC8 + size) {
        if (s == ~0u) {
            jit_cc_store_imm(t, (int32_t)r->imm);
        } else {
            jit_cc_store(t, false, jit_src(t, s, size, JT0), size, JT0);
        }
        jit_cc_store(t, true, jit_src(t, d, size, JT0), size, JT0);
        jit_fl_set(t, kind);
    } else if (form == JD_RES && size >= 2) {
        jit_cc_store(t, true, jit_src(t, d, size, JT0), size, JT0);
        jit_fl_set(t, kind);
    } else {
        jit_fl_pushf(t);
    }
}

/* CMP, TEST of registers with flags that outlive them: the result into scratch, stored with the operand */
static bool alu_compare_stored(struct jit_tr *t, const struct x86_rec *r, int a, unsigned d, unsigned s)
{
    unsigned size = r->size;
    int op = a == X_CMP ? X_SUB : X_AND;

    if (size < 2) {
        return false;
    }
    get(t, JT0, size, jit_gop(t, d, size));
    if (s == ~0u) {
        if (a == X_CMP) {
            jit_cc_store_imm(t, (int32_t)r->imm);
        }
        alu_ri(t, op, size, x64_r(JT0), r->imm, 0);
    } else {
        unsigned h = jit_src(t, s, size, JT1);

        if (a == X_CMP) {
            jit_cc_store(t, false, h, size, JT1);
            h = jit_src(t, s, size, JT1);
        }
        alu_rr(t, op, size, x64_r(JT0), h, 0);
    }
    jit_cc_store(t, true, JT0, size, JT0);
    jit_fl_set(t, alu_kind(a, size));
    return true;
}

/* No memory operand */
static bool alu_regs(struct jit_tr *t, const struct x86_rec *r, int a)
{
    unsigned size = r->size, d = r->form == FORM_R_RM ? r->reg : r->rm;
    unsigned s = is_imm(r) ? ~0u : r->form == FORM_R_RM ? r->rm : r->reg, legacy;
    struct x64_rm dst = jit_gop(t, d, size);
    bool through = dst.mem && size == 2 && alu_writes(a);

    if (!bytes_ok(size, d, s, &legacy) || (legacy && dst.mem && s != ~0u && in_memory(s))) {
        return false;
    }
    if (!alu_writes(a) && t->ri[t->i].vis_out && size >= 2) {
        unsigned small = (int64_t)r->imm == (int8_t)r->imm;
        uint32_t desc = jit_desc(a == X_CMP ? JD_CMP : JD_TEST, alu_kind(a, size), d,
                                 s != ~0u ? JB_REG : small ? JB_IMM : JB_MEM, s != ~0u ? s : (uint8_t)r->imm);

        if (!jit_desc_fits(t, desc, 0) && alu_compare_stored(t, r, a, d, s)) {
            return true;
        }
    }
    if (through) {
        x64_ld32(&t->h, JT1, dst);
        dst = x64_r(JT1);
    }
    if (s == ~0u) {
        alu_ri(t, a, size, dst, r->imm, legacy);
    } else if (!dst.mem && in_memory(s)) {
        if (a == ALU_TEST) {
            alu_rr(t, a, size, jit_gop(t, s, size), dst.reg, legacy);
        } else {
            x64_op(&t->h, (sized((unsigned)a << 3, size) | 2) | legacy, dst.reg, jit_gop(t, s, size));
        }
    } else if (in_memory(s)) {
        x64_ld(&t->h, JT0, jit_gop(t, s, 3));
        alu_rr(t, a, size, dst, JT0, 0);
    } else {
        alu_rr(t, a, size, dst, jit_high8(s) ? 4 + (s >> 3) : jit_greg(s >> 3), legacy);
    }
    if (through) {
        x64_st(&t->h, jit_gop(t, d, 3), JT1);
    }
    alu_flags_regs(t, r, a, d, s);
    return true;
}

/* reg <- reg op memory; CMP reg, memory; TEST has its memory operand as rm */
static bool alu_load(struct jit_tr *t, const struct x86_rec *r, int a)
{
    unsigned size = r->size, d = r->reg;
    struct x64_rm m, dst = jit_gop(t, d, size);
    bool vis = t->ri[t->i].vis_out;
    uint32_t desc;

    if (jit_high8(d)) {
        return false;
    }
    m = jit_mem(t, 1u << size, JA_LD);
    if (!vis && !dst.mem) {
        x64_op(&t->h, sized((unsigned)a << 3, size) | 2, dst.reg, m);
        jit_fl_set(t, 0);
        return true;
    }
    get(t, JT0, size, m);
    if (alu_carry(a)) {
        vis = false;
    }
    if (dst.mem && size == 2 && alu_writes(a)) {
        x64_ld32(&t->h, JT1, dst);
        alu_rr(t, a, size, x64_r(JT1), JT0, 0);
        x64_st(&t->h, dst, JT1);
    } else if (a == X_CMP && vis) {
        get(t, JT1, size, dst);
        alu_rr(t, X_SUB, size, x64_r(JT1), JT0, 0);
    } else {
        alu_rr(t, a, size, dst, JT0, 0);
    }
    if (!vis) {
        if (alu_carry(a)) {
            jit_fl_pushf(t);
        } else {
            jit_fl_set(t, 0);
        }
        return true;
    }
    if (!alu_logic(a)) {
        jit_cc_store(t, false, JT0, size, JT0);
    }
    desc = jit_desc(a == X_CMP ? JD_CMP : JD_RES, alu_kind(a, size), d, alu_logic(a) ? JB_IMM : JB_MEM, 0);
    if (jit_desc_fits(t, desc, 0)) {
        jit_fl_set(t, desc);
        return true;
    }
    if (a == X_CMP) {
        jit_cc_store(t, true, JT1, size, JT1);
    } else {
        get(t, JT0, size, dst);
        jit_cc_store(t, true, JT0, size, JT0);
    }
    x64_st64i(&t->h, JF(t->cpu, cc_op), (int32_t)alu_kind(a, size));
    jit_fl_set(t, 0);
    return true;
}

/*
 * The source beside a memory destination, in a host register; @tmp may be taken for it. A high byte register goes through
 * memory: what addresses guest memory needs REX, and a shift would change flags
 */
static unsigned store_src(struct jit_tr *t, unsigned reg, unsigned tmp)
{
    if (!jit_high8(reg)) {
        return jit_src(t, reg, 3, tmp);
    }
    x64_st32(&t->h, JF(t->cpu, rmw_la), jit_greg(reg >> 3));
    x64_op(&t->h, 0xB6 | X_0F, tmp, x64_abs((const char *)&t->cpu->rmw_la + 1));
    return tmp;
}

/* CMP, TEST memory, x with visible flags; memory <- memory op x */
static bool alu_store(struct jit_tr *t, const struct x86_rec *r, int a)
{
    unsigned size = r->size, s = is_imm(r) ? ~0u : r->reg;
    bool vis = t->ri[t->i].vis_out && !alu_carry(a) && !(r->flags & REC_LOCK);
    int op = a == X_CMP ? X_SUB : a == ALU_TEST ? X_AND : a;
    struct x64_rm m;

    if (s != ~0u && jit_high8(s) && vis && alu_writes(a)) {
        return false;
    }
    m = jit_mem(t, 1u << size, alu_writes(a) ? JA_RMW : JA_LD);
    if (!vis) {
        unsigned lock = r->flags & REC_LOCK ? X_LOCK : 0;

        if (s == ~0u) {
            alu_ri(t, a, size, m, r->imm, lock);
        } else {
            alu_rr(t, a, size, m, store_src(t, r->reg, JT2), lock);
        }
        jit_fl_pushf(t);
        return true;
    }
    get(t, JT2, size, m);
    if (s == ~0u && !alu_writes(a) && (int64_t)r->imm == (int8_t)r->imm) {      /* the loaded value tells all */
        alu_ri(t, a, size, x64_r(JT2), r->imm, 0);
        x64_st(&t->h, JF(t->cpu, cc_dst), JT2);
        x64_st64i(&t->h, JF(t->cpu, cc_op), (int32_t)jit_desc(a == X_CMP ? JD_CMP : JD_TEST, alu_kind(a, size), JD_IN_MEMORY,
                                                              JB_IMM, (uint8_t)r->imm));
        jit_fl_set(t, 0);
        return true;
    }
    if (s == ~0u) {
        alu_ri(t, op, size, x64_r(JT2), r->imm, 0);
    } else if (jit_high8(s)) {
        alu_rr(t, op, size, x64_r(JT2), store_src(t, s, JT0), 0);
    } else if (in_memory(s)) {
        x64_op(&t->h, sized((unsigned)op << 3, size) | 2, JT2, jit_gop(t, s, size));
    } else {
        alu_rr(t, op, size, x64_r(JT2), jit_greg(s >> 3), 0);
    }
    if (alu_writes(a)) {
        x64_op(&t->h, sized(0x88, size), JT2, m);
    }
    jit_cc_store(t, true, JT2, size, JT2);
    if (!alu_logic(a)) {
        if (s == ~0u) {
            jit_cc_store_imm(t, (int32_t)r->imm);
        } else {
            jit_cc_store(t, false, store_src(t, s, JT0), size, JT0);
        }
    }
    x64_st64i(&t->h, JF(t->cpu, cc_op), (int32_t)alu_kind(a, size));
    jit_fl_set(t, 0);
    return true;
}

static bool tmpl_alu(struct jit_tr *t, const struct x86_rec *r)
{
    int a = r->op == OP_TEST ? ALU_TEST : alu_index(r->op);

    if (a < 0) {
        return false;
    }
    if (!(r->flags & REC_MEM)) {
        return alu_regs(t, r, a);
    }
    if (!jit_mem_ok(t, r)) {
        return false;
    }
    return r->form == FORM_R_RM && a != ALU_TEST ? alu_load(t, r, a) : alu_store(t, r, a);
}

/*
 * INC, DEC: CF stays. NEG, NOT
 */
static bool tmpl_incdec(struct jit_tr *t, const struct x86_rec *r)
{
    unsigned size = r->size, digit = r->op == OP_DEC, legacy, op;
    bool vis = t->ri[t->i].vis_out, lock = r->flags & REC_LOCK;
    struct x64_rm d;
    uint32_t part;

    if (r->flags & REC_MEM) {
        if (!jit_mem_ok(t, r) || (vis && lock)) {
            return false;
        }
        d = jit_mem(t, 1u << size, JA_RMW);
        if (!vis) {
            x64_op(&t->h, sized(0xFE, size) | (lock ? X_LOCK : 0), digit, d);
            jit_fl_some(t);
            return true;
        }
        get(t, JT2, size, d);
        x64_op(&t->h, sized(0xFE, size), digit, x64_r(JT2));
        x64_op(&t->h, sized(0x88, size), JT2, d);
        x64_st(&t->h, JF(t->cpu, cc_pdst), JT2);
        jit_fl_part_now(t, jit_part(digit, size, true, 0));
        jit_fl_some(t);
        return true;
    }
    if (!bytes_ok(size, r->rm, ~0u, &legacy)) {
        return false;
    }
    d = jit_gop(t, r->rm, size);
    op = sized(0xFE, size) | legacy;
    part = jit_part(digit, size, false, r->rm);
    if (vis && !jit_desc_fits(t, 0, part) && jit_high8(r->rm)) {
        return false;
    }
    if (d.mem && size == 2) {
        x64_ld32(&t->h, JT0, d);
        x64_op(&t->h, op, digit, x64_r(JT0));
        x64_st(&t->h, d, JT0);
    } else {
        x64_op(&t->h, op, digit, d);
    }
    jit_fl_some(t);
    if (!vis) {
        return true;
    }
    if (jit_desc_fits(t, 0, part)) {
        jit_fl_set_part(t, part);
        return true;
    }
    x64_st(&t->h, JF(t->cpu, cc_pdst), jit_src(t, r->rm, 3, JT0));
    jit_fl_set_part(t, jit_part(digit, size, true, 0));
    return true;
}

static bool tmpl_negnot(struct jit_tr *t, const struct x86_rec *r)
{
    unsigned size = r->size, digit = r->op == OP_NEG ? 3 : 2, legacy = 0;
    struct x64_rm d;

    if (r->flags & REC_MEM) {
        if (!jit_mem_ok(t, r)) {
            return false;
        }
        d = jit_mem(t, 1u << size, JA_RMW);
        x64_op(&t->h, sized(0xF6, size) | (r->flags & REC_LOCK ? X_LOCK : 0), digit, d);
        if (r->op == OP_NEG) {
            jit_fl_pushf(t);
        }
        return true;
    }
    if (!bytes_ok(size, r->rm, ~0u, &legacy)) {
        return false;
    }
    d = jit_gop(t, r->rm, size);
    if (d.mem && size == 2) {
        x64_ld32(&t->h, JT0, d);
        x64_op(&t->h, sized(0xF6, size), digit, x64_r(JT0));
        x64_st(&t->h, d, JT0);
    } else {
        x64_op(&t->h, sized(0xF6, size) | legacy, digit, d);
    }
    if (r->op == OP_NEG) {
        uint32_t desc = jit_desc(JD_RES, CC_SUB8 + size, r->rm, JB_NEG, 0);

        if (t->ri[t->i].vis_out && !jit_desc_fits(t, desc, 0)) {
            jit_fl_pushf(t);
        } else {
            jit_fl_set(t, t->ri[t->i].vis_out ? desc : 0);
        }
    }
    return true;
}

/*
 * Moves
 */
static bool mov_imm(struct jit_tr *t, const struct x86_rec *r)
{
    unsigned size = r->size, legacy;
    struct x64_rm d;

    if (r->flags & REC_MEM) {
        if (!jit_mem_ok(t, r)) {
            return false;
        }
        d = jit_mem(t, 1u << size, JA_ST);
        x64_op(&t->h, sized(0xC6, size), 0, d);
        imm(t, size, r->imm);
        return true;
    }
    if (!bytes_ok(size, r->rm, ~0u, &legacy)) {
        return false;
    }
    d = jit_gop(t, r->rm, size);
    if (size < 2) {
        x64_op(&t->h, sized(0xC6, size) | legacy, 0, d);
        imm(t, size, r->imm);
    } else if (size == 2 || r->imm == (uint32_t)r->imm) {
        x64_movi32(&t->h, d.mem ? JT0 : d.reg, (uint32_t)r->imm);
        if (d.mem) {
            x64_st(&t->h, d, JT0);
        }
    } else if ((int64_t)r->imm == (int32_t)r->imm) {
        x64_st64i(&t->h, d, (int32_t)r->imm);
    } else {
        unsigned h = d.mem ? JT0 : d.reg;

        x64_b1(&t->h, 0x48 | (h & 8 ? 1 : 0));
        x64_b1(&t->h, 0xB8 | (h & 7));
        x64_b8(&t->h, r->imm);
        if (d.mem) {
            x64_st(&t->h, d, JT0);
        }
    }
    return true;
}

static bool mov_regs(struct jit_tr *t, unsigned to, unsigned from, unsigned size)
{
    struct x64_rm d = jit_gop(t, to, size), s = jit_gop(t, from, size);
    unsigned legacy;

    if (!bytes_ok(size, to, from, &legacy) || (legacy && d.mem && s.mem)) {
        return false;
    }
    if (d.mem && (s.mem || size == 2)) {
        get(t, JT0, size, s);
        put(t, to, size, JT0);
    } else if (d.mem) {
        x64_op(&t->h, sized(0x88, size) | legacy, s.reg, d);
    } else {
        x64_op(&t->h, (sized(0x88, size) | 2) | legacy, d.reg, s);
    }
    return true;
}

/* Load from memory into a general register, with zero or sign extension: opcode of the form "r32, m" */
static void load_reg(struct jit_tr *t, unsigned op, unsigned to, unsigned size, struct x64_rm m)
{
    struct x64_rm d = jit_gop(t, to, size);

    op |= size == 1 ? X_66 : size == 3 ? X_W : 0;
    x64_op(&t->h, op, d.mem ? JT0 : d.reg, m);
    if (d.mem) {
        put(t, to, size, JT0);
    }
}

static bool tmpl_mov(struct jit_tr *t, const struct x86_rec *r)
{
    unsigned size = r->size;

    switch (r->form) {
    case FORM_RM_I:
    case FORM_R_I:
        return mov_imm(t, r);
    case FORM_RM_R:
    case FORM_MOFFS_R:
        if (!(r->flags & REC_MEM) && r->form == FORM_RM_R) {
            return mov_regs(t, r->rm, r->reg, size);
        }
        if (!jit_mem_ok(t, r)) {
            return false;
        }
        {
            struct x64_rm m = jit_mem(t, 1u << size, JA_ST);
            unsigned s = store_src(t, r->form == FORM_RM_R ? r->reg : 0, JT2);

            x64_op(&t->h, sized(0x88, size), s, m);
        }
        return true;
    case FORM_R_RM:
    case FORM_R_MOFFS:
        if (!(r->flags & REC_MEM) && r->form == FORM_R_RM) {
            return mov_regs(t, r->reg, r->rm, size);
        }
        if (!jit_mem_ok(t, r) || jit_high8(r->reg)) {
            return false;
        }
        {
            struct x64_rm m = jit_mem(t, 1u << size, JA_LD);
            unsigned to = r->form == FORM_R_RM ? r->reg : 0;

            if (size == 0 && !in_memory(to)) {
                x64_op(&t->h, 0x8A | X_B8REG, jit_greg(to >> 3), m);
            } else if (size == 0) {
                x64_op(&t->h, 0xB6 | X_0F, JT0, m);
                put(t, to, 0, JT0);
            } else {
                load_reg(t, 0x8B, to, size, m);
            }
        }
        return true;
    default:
        return false;
    }
}

static bool tmpl_extend(struct jit_tr *t, const struct x86_rec *r)
{
    bool from8 = r->op == OP_MOVZX8 || r->op == OP_MOVSX8, sign = r->op == OP_MOVSX8 || r->op == OP_MOVSX16;
    unsigned op = X_0F | (sign ? 0xBE : 0xB6) | !from8, size = r->size;
    struct x64_rm s;

    if (r->op == OP_MOVSXD) {
        if (size < 2) {
            return false;
        }
        op = size == 3 ? 0x63 : 0x8B;
    }
    if (r->flags & REC_MEM) {
        if (!jit_mem_ok(t, r)) {
            return false;
        }
        load_reg(t, op, r->reg, size, jit_mem(t, r->op == OP_MOVSXD ? 4 : from8 ? 1 : 2, JA_LD));
        return true;
    }
    s = jit_gop(t, r->rm, 0);
    if (from8 && jit_high8(r->rm)) {
        unsigned h = jit_greg(r->reg >> 3);

        if (h >= 8 || (sign && size == 3)) {
            return false;
        }
        x64_op(&t->h, op | (size == 1 ? X_66 : 0) | X_LEGACY8, h, s);
        return true;
    }
    load_reg(t, op | (from8 ? X_B8RM : 0), r->reg, size, s);
    return true;
}

static bool tmpl_lea(struct jit_tr *t, const struct x86_rec *r)
{
    struct x64_rm d = jit_gop(t, r->reg, 3);

    if (r->size == 3 || (r->size == 2 && r->asize <= 2)) {
        jit_lea(t, d.mem ? JT0 : d.reg);
        if (d.mem) {
            x64_st(&t->h, d, JT0);
        }
        return true;
    }
    jit_lea(t, JT0);
    if (r->size == 2) {
        x64_op(&t->h, 0x8B, JT0, x64_r(JT0));
    }
    put(t, r->reg, r->size, JT0);
    return true;
}

static bool tmpl_xchg(struct jit_tr *t, const struct x86_rec *r)
{
    unsigned size = r->size;

    if (jit_high8(r->reg) || (!(r->flags & REC_MEM) && jit_high8(r->rm))) {
        return false;
    }
    if (r->flags & REC_MEM) {
        struct x64_rm m;

        if (!jit_mem_ok(t, r)) {
            return false;
        }
        m = jit_mem(t, 1u << size, JA_RMW);
        if (in_memory(r->reg)) {
            get(t, JT2, size, jit_gop(t, r->reg, size));
            x64_op(&t->h, sized(0x86, size), JT2, m);
            put(t, r->reg, size, JT2);
        } else if (!(r->flags & REC_LOCK)) {        /* the host's XCHG would lock all the same */
            get(t, JT2, size, m);
            x64_op(&t->h, sized(0x88, size), jit_greg(r->reg >> 3), m);
            put(t, r->reg, size, JT2);
        } else {
            x64_op(&t->h, sized(0x86, size), jit_greg(r->reg >> 3), m);
        }
        return true;
    }
    get(t, JT0, size ? size : 3, jit_gop(t, r->reg, 3));        /* a byte register may need REX that it has not got */
    get(t, JT1, size ? size : 3, jit_gop(t, r->rm, 3));
    put(t, r->rm, size, JT0);
    put(t, r->reg, size, JT1);
    return true;
}

/*
 * Conditions
 */
static bool tmpl_setcc(struct jit_tr *t, const struct x86_rec *r)
{
    unsigned legacy = 0;
    struct x64_rm d;

    if (!t->nat) {
        return false;
    }
    if (r->flags & REC_MEM) {
        if (!jit_mem_ok(t, r)) {
            return false;
        }
        d = jit_mem(t, 1, JA_ST);
    } else {
        if (!bytes_ok(0, r->rm, ~0u, &legacy)) {
            return false;
        }
        d = jit_gop(t, r->rm, 0);
    }
    x64_op(&t->h, (0x90 + (r->op - OP_SETCC)) | X_0F | X_B8RM | legacy, 0, d);
    return true;
}

static bool tmpl_cmov(struct jit_tr *t, const struct x86_rec *r)
{
    unsigned op = (0x40 + (r->op - OP_CMOVCC)) | X_0F, size = r->size;
    struct x64_rm s, d = jit_gop(t, r->reg, size);

    if (!t->nat || (r->flags & REC_MEM && !jit_mem_ok(t, r))) {
        return false;
    }
    s = r->flags & REC_MEM ? jit_mem(t, 1u << size, JA_LD) : jit_gop(t, r->rm, size);
    op |= size == 1 ? X_66 : size == 3 ? X_W : 0;
    if (d.mem) {
        x64_ld(&t->h, JT2, d);
        x64_op(&t->h, op, JT2, s);
        put(t, r->reg, size, JT2);
    } else {
        x64_op(&t->h, op, d.reg, s);
    }
    return true;
}

/*
 * Multiplication
 */
static bool tmpl_imul_r(struct jit_tr *t, const struct x86_rec *r)
{
    unsigned size = r->size, w = size == 1 ? X_66 : size == 3 ? X_W : 0, d;
    struct x64_rm s, dst = jit_gop(t, r->reg, size);

    if (r->flags & REC_MEM && !jit_mem_ok(t, r)) {
        return false;
    }
    s = r->flags & REC_MEM ? jit_mem(t, 1u << size, JA_LD) : jit_gop(t, r->rm, size);
    d = dst.mem ? JT2 : dst.reg;
    if (r->form == FORM_R_RM_I) {
        bool small = (int64_t)r->imm == (int8_t)r->imm;

        x64_op(&t->h, (small ? 0x6B : 0x69) | w, d, s);
        imm(t, small ? 0 : size, r->imm);
    } else {
        if (dst.mem) {
            x64_ld(&t->h, JT2, dst);
        }
        x64_op(&t->h, 0xAF | X_0F | w, d, s);
    }
    if (dst.mem) {
        put(t, r->reg, size, JT2);
    }
    jit_fl_pushf(t);
    return true;
}

static bool tmpl_mul(struct jit_tr *t, const struct x86_rec *r)
{
    unsigned size = r->size, legacy = 0;
    struct x64_rm s;

    if (r->flags & REC_MEM) {
        if (!jit_mem_ok(t, r)) {
            return false;
        }
        s = jit_mem(t, 1u << size, JA_LD);
    } else {
        if (!bytes_ok(size, r->rm, ~0u, &legacy)) {
            return false;
        }
        s = jit_gop(t, r->rm, size);
    }
    x64_op(&t->h, sized(0xF6, size) | legacy, r->op == OP_MUL ? 4 : 5, s);
    jit_fl_pushf(t);
    return true;
}

/* CBW CWDE CDQE, CWD CDQ CQO: rAX and rDX are where they are */
static bool tmpl_widen(struct jit_tr *t, const struct x86_rec *r)
{
    if (r->size == 1) {
        x64_b1(&t->h, 0x66);
    } else if (r->size == 3) {
        x64_b1(&t->h, 0x48);
    }
    x64_b1(&t->h, r->op == OP_CBW ? 0x98 : 0x99);
    return true;
}

static bool tmpl_bswap(struct jit_tr *t, const struct x86_rec *r)
{
    struct x64_rm d = jit_gop(t, r->rm, r->size);
    unsigned h = d.mem ? JT0 : d.reg;

    if (r->size < 2) {
        return false;
    }
    if (d.mem) {
        get(t, JT0, r->size, d);
    }
    x64_b1(&t->h, 0x40 | (r->size == 3 ? 8 : 0) | (h >> 3));
    x64_b1(&t->h, 0x0F);
    x64_b1(&t->h, 0xC8 | (h & 7));
    if (d.mem) {
        x64_st(&t->h, d, JT0);
    }
    return true;
}

bool jit_tmpl_int(struct jit_tr *t, const struct x86_rec *r)
{
    if (r->op >= OP_SETCC && r->op < OP_SETCC + 16) {
        return tmpl_setcc(t, r);
    }
    if (r->op >= OP_CMOVCC && r->op < OP_CMOVCC + 16) {
        return tmpl_cmov(t, r);
    }
    switch (r->op) {
    case OP_NOP:
    case OP_PREFETCH:
        return true;
    case OP_MOV:
        return tmpl_mov(t, r);
    case OP_MOVZX8:
    case OP_MOVZX16:
    case OP_MOVSX8:
    case OP_MOVSX16:
    case OP_MOVSXD:
        return tmpl_extend(t, r);
    case OP_LEA:
        return tmpl_lea(t, r);
    case OP_XCHG:
        return tmpl_xchg(t, r);
    case OP_INC:
    case OP_DEC:
        return tmpl_incdec(t, r);
    case OP_NEG:
    case OP_NOT:
        return tmpl_negnot(t, r);
    case OP_IMUL_R:
        return tmpl_imul_r(t, r);
    case OP_MUL:
    case OP_IMUL:
        return tmpl_mul(t, r);
    case OP_CBW:
    case OP_CWD:
        return tmpl_widen(t, r);
    case OP_BSWAP:
        return tmpl_bswap(t, r);
    default:
        return tmpl_alu(t, r);
    }
}
