/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/interp/fuse.c - an arithmetic instruction and the conditional jump behind it, run by one handler
 *
 * Most blocks end this way. The flags are stored as ever (the successor may read them), but the condition is computed
 * from the operands at once. On a TLB miss the first record's generic handler takes over and goes on to the jump's own
 * handler: a fused pair stays two records. Only for flat code, as x86_follow() asks for; never for a store, which may
 * hit the running block.
 */
#include "target/x86/interp/fast.h"

/* The jump is the record behind @r */
FAST const struct x86_rec *branch(struct x86_cpu *cpu, const struct x86_rec *r, bool taken)
{
    if (taken) {
        return x86_follow(cpu, tail_of(r + 1), 0);
    }
    return x86_follow(cpu, tail_of(r + 1), 1);
}

FAST const struct x86_rec *cmp_jcc(struct x86_cpu *cpu, const struct x86_rec *r, uint64_t a, uint64_t b, unsigned size,
                                   unsigned cc)
{
    cc_set(cpu, CC_SUB8, size, a - b, b);
    return branch(cpu, r, cond_cmp(a, b, size, cc));
}

FAST const struct x86_rec *test_jcc(struct x86_cpu *cpu, const struct x86_rec *r, uint64_t v, unsigned size,
                                    unsigned cc)
{
    cc_logic(cpu, size, v);
    return branch(cpu, r, cond_logic(v, size, cc));
}

enum cmp_mem { CMP_LOAD, CMP_MEM_REG, CMP_MEM_IMM };

FAST const struct x86_rec *cmp_mem_jcc(struct x86_cpu *cpu, const struct x86_rec *r, enum cmp_mem how, unsigned kind,
                                       unsigned size, unsigned cc)
{
    uint64_t a, b;
    char *p;

    if (unlikely(!tlb_rd(cpu, addr_of(cpu, r, kind), 1u << size, &p))) {
        return x86_alu_any(cpu, r);
    }
    a = host_ld(p, size);
    b = how == CMP_MEM_IMM ? zx(r->imm, size) : reg_get(cpu, r->reg, size);
    return how == CMP_LOAD ? cmp_jcc(cpu, r, b, a, size, cc) : cmp_jcc(cpu, r, a, b, size, cc);
}

FAST const struct x86_rec *test_mem_jcc(struct x86_cpu *cpu, const struct x86_rec *r, unsigned kind, unsigned size,
                                        unsigned cc)
{
    char *p;

    if (unlikely(!tlb_rd(cpu, addr_of(cpu, r, kind), 1u << size, &p))) {
        return x86_alu_any(cpu, r);
    }
    return test_jcc(cpu, r, host_ld(p, size) & zx(r->imm, size), size, cc);
}

/* INC and DEC of a register: ZF and SF only, CF is kept */
FAST const struct x86_rec *count_jcc(struct x86_cpu *cpu, const struct x86_rec *r, bool dec, unsigned size, unsigned cc)
{
    uint64_t v = reg_get(cpu, r->rm, size) + (dec ? -1ULL : 1);
    int cf = cf_fast(cpu);

    if (unlikely(cf < 0)) {
        return x86_alu_any(cpu, r);
    }
    cc_set(cpu, dec ? CC_DEC8 : CC_INC8, size, v, (unsigned)cf);
    reg_set(cpu, r->rm, size, v);
    return branch(cpu, r, cond_logic(v, size, cc));
}

/* ADD, SUB, AND, OR of a register */
FAST const struct x86_rec *alu_jcc(struct x86_cpu *cpu, const struct x86_rec *r, unsigned op, unsigned d, uint64_t b,
                                   unsigned size, unsigned cc)
{
    uint64_t a = reg_get(cpu, d, size), v = op == OP_ADD ? a + b : op == OP_SUB ? a - b : op == OP_AND ? a & b : a | b;

    reg_set(cpu, d, size, v);
    if (op == OP_SUB) {
        return cmp_jcc(cpu, r, a, b, size, cc);
    }
    if (op != OP_ADD) {
        return test_jcc(cpu, r, v, size, cc);
    }
    cc_set(cpu, CC_ADD8, size, v, b);
    return branch(cpu, r, cc >> 1 == 1 ? (zx(v, size) < b) ^ (cc & 1) : cond_logic(v, size, cc));
}

#define ALL_CONDS(X, ...) X(2, __VA_ARGS__) X(3, __VA_ARGS__) X(4, __VA_ARGS__) X(5, __VA_ARGS__) X(6, __VA_ARGS__) \
    X(7, __VA_ARGS__) X(8, __VA_ARGS__) X(9, __VA_ARGS__) X(12, __VA_ARGS__) X(13, __VA_ARGS__) X(14, __VA_ARGS__) \
    X(15, __VA_ARGS__)
#define LOGIC_CONDS(X, ...) X(4, __VA_ARGS__) X(5, __VA_ARGS__) X(8, __VA_ARGS__) X(9, __VA_ARGS__) \
    X(14, __VA_ARGS__) X(15, __VA_ARGS__)
#define SIGN_CONDS(X, ...) X(4, __VA_ARGS__) X(5, __VA_ARGS__) X(8, __VA_ARGS__) X(9, __VA_ARGS__)
#define ADD_CONDS(X, ...) X(2, __VA_ARGS__) X(3, __VA_ARGS__) SIGN_CONDS(X, __VA_ARGS__)

/*
 * CMP and TEST
 */
#define DEF_CMP(cc, s) \
    static X86_OP(cmp##s##_rm_r_##cc) { \
        return cmp_jcc(cpu, r, reg_get(cpu, r->rm, s), reg_get(cpu, r->reg, s), s, cc); \
    } \
    static X86_OP(cmp##s##_r_rm_##cc) { \
        return cmp_jcc(cpu, r, reg_get(cpu, r->reg, s), reg_get(cpu, r->rm, s), s, cc); \
    } \
    static X86_OP(cmp##s##_i_##cc) { return cmp_jcc(cpu, r, reg_get(cpu, r->rm, s), zx(r->imm, s), s, cc); }
#define DEF_CMP_MEM(cc, s, k) \
    static X86_OP(cmp##s##_ld_##k##cc) { return cmp_mem_jcc(cpu, r, CMP_LOAD, ADDR_##k, s, cc); } \
    static X86_OP(cmp##s##_mr_##k##cc) { return cmp_mem_jcc(cpu, r, CMP_MEM_REG, ADDR_##k, s, cc); } \
    static X86_OP(cmp##s##_mi_##k##cc) { return cmp_mem_jcc(cpu, r, CMP_MEM_IMM, ADDR_##k, s, cc); }
#define DEF_TEST(cc, s) \
    static X86_OP(test##s##_r_##cc) { \
        return test_jcc(cpu, r, reg_get(cpu, r->rm, s) & reg_get(cpu, r->reg, s), s, cc); \
    } \
    static X86_OP(test##s##_i_##cc) { return test_jcc(cpu, r, reg_get(cpu, r->rm, s) & zx(r->imm, s), s, cc); }
#define DEF_TEST_MEM(cc, s, k) \
    static X86_OP(test##s##_mi_##k##cc) { return test_mem_jcc(cpu, r, ADDR_##k, s, cc); }

#define CMP_MEM_KINDS(s) ALL_CONDS(DEF_CMP_MEM, s, B64) ALL_CONDS(DEF_CMP_MEM, s, X64) ALL_CONDS(DEF_CMP_MEM, s, F32)
#define TEST_MEM_KINDS(s) SIGN_CONDS(DEF_TEST_MEM, s, B64) SIGN_CONDS(DEF_TEST_MEM, s, X64) \
    SIGN_CONDS(DEF_TEST_MEM, s, F32)

ALL_CONDS(DEF_CMP, 0)
ALL_CONDS(DEF_CMP, 1)
ALL_CONDS(DEF_CMP, 2)
ALL_CONDS(DEF_CMP, 3)
LOGIC_CONDS(DEF_TEST, 0)
LOGIC_CONDS(DEF_TEST, 1)
LOGIC_CONDS(DEF_TEST, 2)
LOGIC_CONDS(DEF_TEST, 3)
CMP_MEM_KINDS(0)
CMP_MEM_KINDS(1)
CMP_MEM_KINDS(2)
CMP_MEM_KINDS(3)
TEST_MEM_KINDS(0)
TEST_MEM_KINDS(1)
TEST_MEM_KINDS(2)
TEST_MEM_KINDS(3)

#define KINDS 3     /* ADDR_B64, ADDR_X64, ADDR_F32 */
struct cmp_row {
    x86_handler *rm_r[16], *r_rm[16], *i[16], *mem[3][KINDS][16];     /* mem: enum cmp_mem */
};
#define C_RM_R(cc, s) [cc] = x86_cmp##s##_rm_r_##cc,
#define C_R_RM(cc, s) [cc] = x86_cmp##s##_r_rm_##cc,
#define C_I(cc, s) [cc] = x86_cmp##s##_i_##cc,
#define C_MEM(cc, s, how, k) [cc] = x86_cmp##s##_##how##_##k##cc,
#define C_KINDS(s, how) { { ALL_CONDS(C_MEM, s, how, B64) }, { ALL_CONDS(C_MEM, s, how, X64) }, \
                          { ALL_CONDS(C_MEM, s, how, F32) } }
#define CMP_ROW(s) { { ALL_CONDS(C_RM_R, s) }, { ALL_CONDS(C_R_RM, s) }, { ALL_CONDS(C_I, s) }, \
                     { C_KINDS(s, ld), C_KINDS(s, mr), C_KINDS(s, mi) } }
static const struct cmp_row cmp_rows[4] = { CMP_ROW(0), CMP_ROW(1), CMP_ROW(2), CMP_ROW(3) };

struct test_row {
    x86_handler *r[16], *i[16], *mem[KINDS][16];
};
#define T_R(cc, s) [cc] = x86_test##s##_r_##cc,
#define T_I(cc, s) [cc] = x86_test##s##_i_##cc,
#define T_MEM(cc, s, k) [cc] = x86_test##s##_mi_##k##cc,
#define TEST_ROW(s) { { LOGIC_CONDS(T_R, s) }, { LOGIC_CONDS(T_I, s) }, \
                      { { SIGN_CONDS(T_MEM, s, B64) }, { SIGN_CONDS(T_MEM, s, X64) }, { SIGN_CONDS(T_MEM, s, F32) } } }
static const struct test_row test_rows[4] = { TEST_ROW(0), TEST_ROW(1), TEST_ROW(2), TEST_ROW(3) };

static x86_handler *bind_cmp(const struct x86_rec *r, unsigned cc, unsigned kind)
{
    const struct cmp_row *row = &cmp_rows[r->size];

    if (r->flags & REC_MEM) {
        return kind >= KINDS ? NULL :
               row->mem[r->form == FORM_R_RM ? CMP_LOAD : r->form == FORM_RM_R ? CMP_MEM_REG : CMP_MEM_IMM][kind][cc];
    }
    return r->form == FORM_RM_R ? row->rm_r[cc] : r->form == FORM_R_RM ? row->r_rm[cc] : row->i[cc];
}

static x86_handler *bind_test(const struct x86_rec *r, unsigned cc, unsigned kind)
{
    const struct test_row *row = &test_rows[r->size];

    if (r->flags & REC_MEM) {
        return kind >= KINDS || r->form != FORM_RM_I ? NULL : row->mem[kind][cc];
    }
    return r->form == FORM_RM_R || r->form == FORM_R_RM ? row->r[cc] : row->i[cc];
}

/*
 * Arithmetic with a result in a register
 */
#define DEF_COUNT(cc, s) \
    static X86_OP(inc##s##_##cc) { return count_jcc(cpu, r, false, s, cc); } \
    static X86_OP(dec##s##_##cc) { return count_jcc(cpu, r, true, s, cc); }
#define DEF_ALU(cc, op, s) \
    static X86_OP(op##s##_r_##cc) { return alu_jcc(cpu, r, OP_##op, r->rm, reg_get(cpu, r->reg, s), s, cc); } \
    static X86_OP(op##s##_i_##cc) { return alu_jcc(cpu, r, OP_##op, r->rm, zx(r->imm, s), s, cc); }

SIGN_CONDS(DEF_COUNT, 0)
SIGN_CONDS(DEF_COUNT, 1)
SIGN_CONDS(DEF_COUNT, 2)
SIGN_CONDS(DEF_COUNT, 3)
ADD_CONDS(DEF_ALU, ADD, 2)
ADD_CONDS(DEF_ALU, ADD, 3)
ALL_CONDS(DEF_ALU, SUB, 2)
ALL_CONDS(DEF_ALU, SUB, 3)
LOGIC_CONDS(DEF_ALU, AND, 2)
LOGIC_CONDS(DEF_ALU, AND, 3)
LOGIC_CONDS(DEF_ALU, OR, 2)
LOGIC_CONDS(DEF_ALU, OR, 3)

#define N_INC(cc, s) [cc] = x86_inc##s##_##cc,
#define N_DEC(cc, s) [cc] = x86_dec##s##_##cc,
#define A_R(cc, op, s) [cc] = x86_##op##s##_r_##cc,
#define A_I(cc, op, s) [cc] = x86_##op##s##_i_##cc,
static x86_handler *const inc_rows[4][16] = {
    { SIGN_CONDS(N_INC, 0) }, { SIGN_CONDS(N_INC, 1) }, { SIGN_CONDS(N_INC, 2) }, { SIGN_CONDS(N_INC, 3) },
};
static x86_handler *const dec_rows[4][16] = {
    { SIGN_CONDS(N_DEC, 0) }, { SIGN_CONDS(N_DEC, 1) }, { SIGN_CONDS(N_DEC, 2) }, { SIGN_CONDS(N_DEC, 3) },
};
/* [size - 2][immediate] */
#define ALU_TAB(conds, op) { { { conds(A_R, op, 2) }, { conds(A_I, op, 2) } }, \
                             { { conds(A_R, op, 3) }, { conds(A_I, op, 3) } } }
static x86_handler *const add_tab[2][2][16] = ALU_TAB(ADD_CONDS, ADD);
static x86_handler *const sub_tab[2][2][16] = ALU_TAB(ALL_CONDS, SUB);
static x86_handler *const and_tab[2][2][16] = ALU_TAB(LOGIC_CONDS, AND);
static x86_handler *const or_tab[2][2][16] = ALU_TAB(LOGIC_CONDS, OR);

static x86_handler *bind_alu(const struct x86_rec *r, unsigned cc)
{
    bool imm = r->form == FORM_RM_I || r->form == FORM_R_I;

    if (r->flags & REC_MEM || r->size < 2 || (!imm && r->form != FORM_RM_R)) {
        return NULL;
    }
    return r->op == OP_ADD ? add_tab[r->size - 2][imm][cc] : r->op == OP_SUB ? sub_tab[r->size - 2][imm][cc] :
           r->op == OP_AND ? and_tab[r->size - 2][imm][cc] : or_tab[r->size - 2][imm][cc];
}

x86_handler *x86_bind_fused(const struct x86_rec *r, uint32_t mode)
{
    const struct x86_rec *j = r + 1;
    unsigned cc = j->op - OP_JCC;

    if (j->op < OP_JCC || cc >= 16 || mode & MODE_STEP || !(mode & (MODE_64 | MODE_FLAT_CS)) ||
        (!(mode & MODE_64) && j->size == 1)) {
        return NULL;
    }
    switch (r->op) {
    case OP_CMP:
        return bind_cmp(r, cc, addr_kind(r, mode));
    case OP_TEST:
        return bind_test(r, cc, addr_kind(r, mode));
    case OP_INC:
        return r->flags & REC_MEM ? NULL : inc_rows[r->size][cc];
    case OP_DEC:
        return r->flags & REC_MEM ? NULL : dec_rows[r->size][cc];
    case OP_ADD:
    case OP_SUB:
    case OP_AND:
    case OP_OR:
        return bind_alu(r, cc);
    default:
        return NULL;
    }
}
