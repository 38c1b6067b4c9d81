/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/interp/int_mov.c - moves of integers: MOV MOVZX MOVSX LEA XCHG CMOVcc SETcc BSWAP MOVBE CBW CWD XLAT, and
 * what does nothing
 *
 * A 32-bit result clears the upper half of its register, also when CMOVcc does not move (SDM vol. 1, 3.4.1.1).
 */
#include "target/x86/interp/fast.h"

/*
 * Generic
 */

/* A0-A3: the address is the immediate, of the address size */
static uint64_t moffs_la(struct x86_cpu *cpu, const struct x86_rec *r, bool write)
{
    uint64_t ea = zx(r->imm, r->asize);

    if (r->flags & (REC_FLAT64 | REC_FLAT32)) {
        return ea;
    }
    return seg_linear(cpu, r, r->seg, ea, 1u << r->size, write);
}

X86_OP(mov_any)
{
    unsigned size = r->size;

    switch (r->form) {
    case FORM_RM_R:
        rm_set(cpu, r, size, reg_get(cpu, r->reg, size));
        break;
    case FORM_R_RM:
        reg_set(cpu, r->reg, size, rm_get(cpu, r, size));
        break;
    case FORM_R_MOFFS:
        reg_set(cpu, R_AX * 8, size, mem_ld(cpu, r, moffs_la(cpu, r, false), size));
        break;
    case FORM_MOFFS_R:
        mem_st(cpu, r, moffs_la(cpu, r, true), size, reg_get(cpu, R_AX * 8, size));
        break;
    default:        /* FORM_RM_I, FORM_R_I */
        rm_set(cpu, r, size, r->imm);
        break;
    }
    X86_NEXT;
}

/* Size of the source of the extending moves, and whether the sign goes along */
static unsigned extend_from(unsigned op)
{
    return op == OP_MOVZX8 || op == OP_MOVSX8 ? 0 : op == OP_MOVSXD ? 2 : 1;
}

X86_OP(extend_any)
{
    unsigned from = extend_from(r->op);
    uint64_t v = rm_get(cpu, r, r->op == OP_MOVSXD && r->size < 2 ? r->size : from);

    if (r->op == OP_MOVSX8 || r->op == OP_MOVSX16 || r->op == OP_MOVSXD) {
        v = sx(v, from);
    }
    reg_set(cpu, r->reg, r->size, v);
    X86_NEXT;
}

static X86_OP(lea_any)
{
    reg_set(cpu, r->reg, r->size, rec_ea(cpu, r));
    X86_NEXT;
}

/* With memory it is locked, prefix or not (SDM vol. 2, XCHG) */
UNALIGNED_ATOMIC static uint64_t host_xchg(void *p, unsigned size, uint64_t v)
{
    switch (size) {
    case 0:
        return __atomic_exchange_n((uint8_t *)p, (uint8_t)v, __ATOMIC_SEQ_CST);
    case 1:
        return __atomic_exchange_n((uint16_t *)p, (uint16_t)v, __ATOMIC_SEQ_CST);
    case 2:
        return __atomic_exchange_n((uint32_t *)p, (uint32_t)v, __ATOMIC_SEQ_CST);
    default:
        return __atomic_exchange_n((uint64_t *)p, v, __ATOMIC_SEQ_CST);
    }
}

static X86_OP(xchg)
{
    unsigned size = r->size;
    uint64_t v = reg_get(cpu, r->reg, size), old;

    if (r->flags & REC_MEM) {
        void *p = mem_rmw_begin(cpu, r, rec_la(cpu, r, 1u << size, true), 1u << size);

        old = host_xchg(p, size, v);
        mem_rmw_end(cpu, r, p);
    } else {
        old = reg_get(cpu, r->rm, size);
        reg_set(cpu, r->rm, size, v);
    }
    reg_set(cpu, r->reg, size, old);
    X86_NEXT;
}

static X86_OP(setcc_any)
{
    rm_set(cpu, r, 0, flags_cond(cpu, r->op - OP_SETCC));
    X86_NEXT;
}

static X86_OP(cmovcc_any)
{
    uint64_t v = rm_get(cpu, r, r->size);

    reg_set(cpu, r->reg, r->size, flags_cond(cpu, r->op - OP_CMOVCC) ? v : reg_get(cpu, r->reg, r->size));
    X86_NEXT;
}

static uint64_t byte_swap(uint64_t v, unsigned size)
{
    return size == 1 ? __builtin_bswap16((uint16_t)v) : size == 2 ? __builtin_bswap32((uint32_t)v) :
           __builtin_bswap64(v);
}

/* BSWAP of a 16-bit register is undefined; processors store zero */
static X86_OP(bswap)
{
    reg_set(cpu, r->rm, r->size, r->size == 1 ? 0 : byte_swap(reg_get(cpu, r->rm, r->size), r->size));
    X86_NEXT;
}

static X86_OP(movbe)
{
    if (r->form == FORM_R_RM) {
        reg_set(cpu, r->reg, r->size, byte_swap(rm_get(cpu, r, r->size), r->size));
    } else {
        rm_set(cpu, r, r->size, byte_swap(reg_get(cpu, r->reg, r->size), r->size));
    }
    X86_NEXT;
}

/* CBW, CWDE, CDQE by size */
static X86_OP(cbw)
{
    reg_set(cpu, R_AX * 8, r->size, sx(cpu->regs[R_AX], r->size - 1u));
    X86_NEXT;
}

/* CWD, CDQ, CQO */
static X86_OP(cwd)
{
    reg_set(cpu, R_DX * 8, r->size, (uint64_t)((int64_t)sx(cpu->regs[R_AX], r->size) >> 63));
    X86_NEXT;
}

/* AL = [seg: rBX + AL] */
static X86_OP(xlat)
{
    uint64_t ea = zx(cpu->regs[R_BX] + (uint8_t)cpu->regs[R_AX], r->asize);

    if (!(r->flags & (REC_FLAT64 | REC_FLAT32))) {
        ea = seg_linear(cpu, r, r->seg, ea, 1, false);
    }
    REG8(R_AX * 8) = mem_ld8(cpu, r, ea);
    X86_NEXT;
}

static X86_OP(nop)
{
    X86_NEXT;
}

static X86_OP(fence)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    X86_NEXT;
}

static X86_OP(pause)
{
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
    X86_NEXT;
}

/*
 * Specialised: moves
 */
FAST const struct x86_rec *mov_load(struct x86_cpu *cpu, const struct x86_rec *r, unsigned size, unsigned kind)
{
    char *p;

    if (unlikely(!tlb_rd(cpu, addr_of(cpu, r, kind), 1u << size, &p))) {
        return x86_mov_any(cpu, r);
    }
    reg_set(cpu, r->reg, size, host_ld(p, size));
    X86_NEXT;
}

FAST const struct x86_rec *mov_store(struct x86_cpu *cpu, const struct x86_rec *r, unsigned size, unsigned kind,
                                     bool imm)
{
    char *p;

    if (unlikely(!tlb_wr(cpu, addr_of(cpu, r, kind), 1u << size, &p))) {
        return x86_mov_any(cpu, r);
    }
    host_st(p, size, imm ? r->imm : reg_get(cpu, r->reg, size));
    X86_NEXT;
}

FAST const struct x86_rec *extend_load(struct x86_cpu *cpu, const struct x86_rec *r, unsigned from, bool sign,
                                       unsigned size, unsigned kind)
{
    uint64_t v;
    char *p;

    if (unlikely(!tlb_rd(cpu, addr_of(cpu, r, kind), 1u << from, &p))) {
        return x86_extend_any(cpu, r);
    }
    v = host_ld(p, from);
    reg_set(cpu, r->reg, size, sign ? sx(v, from) : v);
    X86_NEXT;
}

FAST void extend_reg(struct x86_cpu *cpu, const struct x86_rec *r, unsigned from, bool sign, unsigned size)
{
    uint64_t v = reg_get(cpu, r->rm, from);

    reg_set(cpu, r->reg, size, sign ? sx(v, from) : v);
}

#define DEF_MOV(s) \
    static X86_OP(mov##s##_rm_r) { reg_set(cpu, r->rm, s, reg_get(cpu, r->reg, s)); X86_NEXT; } \
    static X86_OP(mov##s##_r_rm) { reg_set(cpu, r->reg, s, reg_get(cpu, r->rm, s)); X86_NEXT; } \
    static X86_OP(mov##s##_i) { reg_set(cpu, r->rm, s, r->imm); X86_NEXT; } \
    DEF_MOV_MEM(s, B64) DEF_MOV_MEM(s, X64) DEF_MOV_MEM(s, F32) DEF_MOV_MEM(s, S64)
#define DEF_MOV_MEM(s, k) \
    static X86_OP(mov##s##_ld_##k) { return mov_load(cpu, r, s, ADDR_##k); } \
    static X86_OP(mov##s##_st_##k) { return mov_store(cpu, r, s, ADDR_##k, false); } \
    static X86_OP(mov##s##_si_##k) { return mov_store(cpu, r, s, ADDR_##k, true); }
DEF_MOV(0)
DEF_MOV(1)
DEF_MOV(2)
DEF_MOV(3)

struct mov_row {
    x86_handler *rm_r, *r_rm, *i;
    struct { x86_handler *ld, *st, *si; } mem[ADDR_KINDS];
};
#define MOV_MEM(s, k) [ADDR_##k] = { x86_mov##s##_ld_##k, x86_mov##s##_st_##k, x86_mov##s##_si_##k }
#define MOV_ROW(s) { x86_mov##s##_rm_r, x86_mov##s##_r_rm, x86_mov##s##_i, \
                     { MOV_MEM(s, B64), MOV_MEM(s, X64), MOV_MEM(s, F32), MOV_MEM(s, S64) } }
static const struct mov_row mov_rows[4] = { MOV_ROW(0), MOV_ROW(1), MOV_ROW(2), MOV_ROW(3) };

/* From 8 or 16 bits (0, 1), zero or sign (z, s), to 16, 32 or 64 bits */
#define DEF_EXT(f, sg, sign, s) \
    static X86_OP(ext##f##sg##s##_r) { extend_reg(cpu, r, f, sign, s); X86_NEXT; } \
    static X86_OP(ext##f##sg##s##_B64) { return extend_load(cpu, r, f, sign, s, ADDR_B64); } \
    static X86_OP(ext##f##sg##s##_X64) { return extend_load(cpu, r, f, sign, s, ADDR_X64); } \
    static X86_OP(ext##f##sg##s##_F32) { return extend_load(cpu, r, f, sign, s, ADDR_F32); } \
    static X86_OP(ext##f##sg##s##_S64) { return extend_load(cpu, r, f, sign, s, ADDR_S64); }
#define EXT_ROW(f, sg, s) { x86_ext##f##sg##s##_B64, x86_ext##f##sg##s##_X64, x86_ext##f##sg##s##_F32, \
                            x86_ext##f##sg##s##_S64, x86_ext##f##sg##s##_r }
DEF_EXT(0, z, false, 2)
DEF_EXT(0, s, true, 2)
DEF_EXT(0, s, true, 3)
DEF_EXT(1, z, false, 2)
DEF_EXT(1, s, true, 2)
DEF_EXT(1, s, true, 3)
DEF_EXT(2, s, true, 3)

/* The last column is the register form */
static x86_handler *const ext_z8[] = EXT_ROW(0, z, 2), *const ext_z16[] = EXT_ROW(1, z, 2),
                   *const ext_s8[2][5] = { EXT_ROW(0, s, 2), EXT_ROW(0, s, 3) },
                   *const ext_s16[2][5] = { EXT_ROW(1, s, 2), EXT_ROW(1, s, 3) },
                   *const ext_sxd[] = EXT_ROW(2, s, 3);

/*
 * Specialised: LEA, conditional moves and sets
 */
static X86_OP(lea64_b)
{
    REG64(r->reg) = cpu->regs[r->base] + (uint64_t)(int64_t)r->disp;
    X86_NEXT;
}

static X86_OP(lea64_x)
{
    REG64(r->reg) = cpu->regs[r->base] + (cpu->regs[r->index] << r->scale) + (uint64_t)(int64_t)r->disp;
    X86_NEXT;
}

static X86_OP(lea32_b)
{
    REG64(r->reg) = (uint32_t)(cpu->regs[r->base] + (uint64_t)(int64_t)r->disp);
    X86_NEXT;
}

static X86_OP(lea32_x)
{
    REG64(r->reg) = (uint32_t)(cpu->regs[r->base] + (cpu->regs[r->index] << r->scale) + (uint64_t)(int64_t)r->disp);
    X86_NEXT;
}

FAST const struct x86_rec *setcc(struct x86_cpu *cpu, const struct x86_rec *r, unsigned cc)
{
    int c = cond_fast(cpu, cc);

    if (unlikely(c < 0)) {
        return x86_setcc_any(cpu, r);
    }
    REG8(r->rm) = (uint8_t)c;
    X86_NEXT;
}

FAST const struct x86_rec *cmovcc(struct x86_cpu *cpu, const struct x86_rec *r, unsigned cc, unsigned size)
{
    int c = cond_fast(cpu, cc);
    uint64_t a, b;

    if (unlikely(c < 0)) {
        return x86_cmovcc_any(cpu, r);
    }
    a = reg_get(cpu, r->reg, size);
    b = reg_get(cpu, r->rm, size);
    REG64(r->reg) = c ? b : a;
    X86_NEXT;
}

#define CONDS(X) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(12) X(13) X(14) X(15)
#define X(cc) \
    static X86_OP(setcc_##cc) { return setcc(cpu, r, cc); } \
    static X86_OP(cmov_##cc##_32) { return cmovcc(cpu, r, cc, 2); } \
    static X86_OP(cmov_##cc##_64) { return cmovcc(cpu, r, cc, 3); }
CONDS(X)
#undef X

static x86_handler *const setcc_tab[16] = {
#define X(cc) [cc] = x86_setcc_##cc,
    CONDS(X)
#undef X
};
static x86_handler *const cmov_tab[16][2] = {
#define X(cc) [cc] = { x86_cmov_##cc##_32, x86_cmov_##cc##_64 },
    CONDS(X)
#undef X
};

/*
 * Binding
 */
static x86_handler *bind_mov(const struct x86_rec *r, uint32_t mode)
{
    const struct mov_row *row = &mov_rows[r->size];
    unsigned kind = addr_kind(r, mode);

    if (r->form == FORM_R_MOFFS || r->form == FORM_MOFFS_R) {
        return x86_mov_any;
    }
    if (!(r->flags & REC_MEM)) {
        return r->form == FORM_RM_R ? row->rm_r : r->form == FORM_R_RM ? row->r_rm : row->i;
    }
    if (kind == ADDR_OTHER) {
        return x86_mov_any;
    }
    return r->form == FORM_RM_R ? row->mem[kind].st : r->form == FORM_R_RM ? row->mem[kind].ld : row->mem[kind].si;
}

/* Zero extension to 64 bits is the same as to 32 */
static x86_handler *bind_extend(const struct x86_rec *r, uint32_t mode)
{
    bool mem = r->flags & REC_MEM;
    unsigned kind = mem ? addr_kind(r, mode) : 4;

    if (r->size < 2 || (mem && kind == ADDR_OTHER) || (r->op == OP_MOVSXD && r->size != 3)) {
        return x86_extend_any;
    }
    switch (r->op) {
    case OP_MOVZX8:
        return ext_z8[kind];
    case OP_MOVZX16:
        return ext_z16[kind];
    case OP_MOVSX8:
        return ext_s8[r->size - 2][kind];
    case OP_MOVSX16:
        return ext_s16[r->size - 2][kind];
    default:
        return ext_sxd[kind];
    }
}

static x86_handler *bind_lea(const struct x86_rec *r)
{
    bool b = r->index == REG_ZERO;

    if (r->size == 3 && r->asize == 3) {
        return b ? x86_lea64_b : x86_lea64_x;
    }
    if (r->size == 2 && r->asize >= 2) {
        return b ? x86_lea32_b : x86_lea32_x;
    }
    return x86_lea_any;
}

static x86_handler *bind_cond(const struct x86_rec *r)
{
    x86_handler *fn;

    if (r->op >= OP_SETCC && r->op < OP_SETCC + 16) {
        fn = r->flags & REC_MEM ? NULL : setcc_tab[r->op - OP_SETCC];
        return fn ? fn : x86_setcc_any;
    }
    if (r->op >= OP_CMOVCC && r->op < OP_CMOVCC + 16) {
        fn = r->flags & REC_MEM || r->size < 2 ? NULL : cmov_tab[r->op - OP_CMOVCC][r->size - 2];
        return fn ? fn : x86_cmovcc_any;
    }
    return NULL;
}

x86_handler *x86_bind_mov(const struct x86_rec *r, uint32_t mode)
{
    switch (r->op) {
    case OP_MOV:
    case OP_MOVNTI:
        return bind_mov(r, mode);
    case OP_MOVZX8:
    case OP_MOVZX16:
    case OP_MOVSX8:
    case OP_MOVSX16:
    case OP_MOVSXD:
        return bind_extend(r, mode);
    case OP_LEA:
        return bind_lea(r);
    case OP_XCHG:
        return x86_xchg;
    case OP_BSWAP:
        return x86_bswap;
    case OP_MOVBE:
        return x86_movbe;
    case OP_CBW:
        return x86_cbw;
    case OP_CWD:
        return x86_cwd;
    case OP_XLAT:
        return x86_xlat;
    case OP_NOP:
    case OP_PREFETCH:
        return x86_nop;
    case OP_PAUSE:
        return x86_pause;
    case OP_FENCE:
        return x86_fence;
    default:
        return bind_cond(r);
    }
}
