/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/interp/fpu_move.c - x87 loads, stores, constants, exchanges, conditional moves, stack control
 *
 * A push with ST(7) in use is a stack overflow (C1 set): masked, the default NaN is pushed. A store is converted on
 * the host first, then written; the status word changes only after the write, so that a page fault leaves no trace.
 */
#include "target/x86/interp/fpu.h"

/*
 * Loads
 */
static void push_or_fault(struct x86_cpu *cpu, const struct x86_rec *r, const struct x87_reg *v, uint16_t sw)
{
    fpu_flags(cpu, r, sw);
    fpu_push(cpu, v);
}

/** Return: there is room; otherwise the fault has been dealt with */
static bool push_room(struct x86_cpu *cpu, const struct x86_rec *r)
{
    if (likely(fpu_empty(cpu, 7))) {
        return true;
    }
    if (fpu_stack_fault(cpu, r, true)) {
        fpu_push(cpu, &x87_indefinite);
    }
    return false;
}

/*
 * A number that is neither zero, denormal, infinite nor NaN needs no host instruction: exponent rebiased, leading bit
 * made explicit. Return: done
 */
static bool load_normal(struct x87_reg *x, enum fph_load kind, uint64_t v)
{
    unsigned exp;

    if (kind == FPH_LD64 && (exp = v >> 52 & 0x7FF) - 1 < 0x7FE) {
        x->m = 1ull << 63 | v << 11;
        x->se = (uint16_t)((v >> 48 & 0x8000) | (exp + 16383 - 1023));
        return true;
    }
    if (kind == FPH_LD32 && (exp = v >> 23 & 0xFF) - 1 < 0xFE) {
        x->m = 1ull << 63 | v << 40;
        x->se = (uint16_t)((v >> 16 & 0x8000) | (exp + 16383 - 127));
        return true;
    }
    return false;
}

static inline __attribute__((always_inline)) void load(struct x86_cpu *cpu, const struct x86_rec *r,
                                                       enum fph_load kind, unsigned len)
{
    struct x87_reg *x = fpu_st(cpu, 7);
    uint16_t sw = 0;
    uint64_t la, v;

    fpu_wait(cpu, r);
    la = rec_la(cpu, r, len, false);
    v = len == 2 ? mem_ld16(cpu, r, la) : len == 4 ? mem_ld32(cpu, r, la) : mem_ld64(cpu, r, la);
    if (!push_room(cpu, r)) {
        return;
    }
    if (!load_normal(x, kind, v)) {
        sw = fph_load(cpu->fpu.fcw, kind, x, &v);
        if ((sw & FSW_TOP) == 0) {          /* held back by an unmasked exception */
            fpu_flags(cpu, r, sw);
            return;
        }
    }
    fpu_flags(cpu, r, sw);
    fpu_push_done(cpu);
}

X87(fld_m32) { load(cpu, r, FPH_LD32, 4); }
X87(fld_m64) { load(cpu, r, FPH_LD64, 8); }
X87(fild_m16) { load(cpu, r, FPH_LDI16, 2); }
X87(fild_m32) { load(cpu, r, FPH_LDI32, 4); }
X87(fild_m64) { load(cpu, r, FPH_LDI64, 8); }

X87(fbld)
{
    uint8_t buf[10];

    fpu_wait(cpu, r);
    mem_ld_bytes(cpu, r, rec_la(cpu, r, 10, false), buf, 10);
    if (push_room(cpu, r)) {
        fpu_flags(cpu, r, fph_load(cpu->fpu.fcw, FPH_LDBCD, fpu_st(cpu, 7), buf));
        fpu_push_done(cpu);
    }
}

X87(fld_m80)
{
    struct x87_reg x = { 0 };
    uint64_t la;

    fpu_wait(cpu, r);
    la = rec_la(cpu, r, 10, false);
    if (likely((la & 0xFFF) <= 0xFF6)) {
        x.m = mem_ld64(cpu, r, la);
        x.se = mem_ld16(cpu, r, la + 8);
    } else {
        mem_ld_bytes(cpu, r, la, &x, 10);
    }
    if (push_room(cpu, r)) {
        push_or_fault(cpu, r, &x, 0);
    }
}

X87(fld_sti)
{
    unsigned i = r->rm & 7;
    struct x87_reg x = fpu_get(cpu, i);

    fpu_wait(cpu, r);
    if (fpu_empty(cpu, i)) {
        if (fpu_stack_fault(cpu, r, false)) {
            fpu_push(cpu, &x87_indefinite);
        }
    } else if (push_room(cpu, r)) {
        push_or_fault(cpu, r, &x, 0);
    }
}

X87(fld_const)
{
    struct x87_reg x = { 0 };

    fpu_wait(cpu, r);
    if (push_room(cpu, r)) {
        fph_const(cpu->fpu.fcw, (enum fph_const)(r->op - OP_FLD1), &x);
        push_or_fault(cpu, r, &x, 0);
    }
}

/*
 * Stores
 */
static const uint8_t store_len[] = {
    [FPH_ST32] = 4, [FPH_ST64] = 8, [FPH_STI16] = 2, [FPH_STI32] = 4, [FPH_STI64] = 8,
    [FPH_STT16] = 2, [FPH_STT32] = 4, [FPH_STT64] = 8, [FPH_STBCD] = 10,
};

/* What a masked stack underflow stores: the default NaN, the integer indefinite, the packed decimal indefinite */
static void indefinite(enum fph_store kind, uint8_t *buf)
{
    static const uint8_t bcd[10] = { 0, 0, 0, 0, 0, 0, 0, 0xC0, 0xFF, 0xFF };
    uint64_t v;

    switch (kind) {
    case FPH_STBCD:
        memcpy(buf, bcd, sizeof(bcd));
        return;
    case FPH_ST32:
        v = 0xFFC00000;
        break;
    case FPH_ST64:
        v = 0xFFF8ull << 48;
        break;
    default:
        v = 1ull << (8 * store_len[kind] - 1);
        break;
    }
    memcpy(buf, &v, 8);
}

/* Ten bytes are two stores, as on silicon: the first stays when the second faults */
static void store10(struct x86_cpu *cpu, const struct x86_rec *r, uint64_t la, uint64_t lo, uint16_t hi)
{
    mem_st64(cpu, r, la, lo);
    mem_st16(cpu, r, la + 8, hi);
}

static void put(struct x86_cpu *cpu, const struct x86_rec *r, uint64_t la, const uint8_t *buf, unsigned len)
{
    uint64_t v;

    memcpy(&v, buf, 8);
    switch (len) {
    case 2:
        mem_st16(cpu, r, la, (uint16_t)v);
        break;
    case 4:
        mem_st32(cpu, r, la, (uint32_t)v);
        break;
    case 8:
        mem_st64(cpu, r, la, v);
        break;
    default:
        store10(cpu, r, la, v, (uint16_t)(buf[8] | buf[9] << 8));
        break;
    }
}

static void store(struct x86_cpu *cpu, const struct x86_rec *r, enum fph_store kind, bool pop)
{
    unsigned len = store_len[kind];
    uint8_t buf[16];
    uint16_t sw;

    fpu_wait(cpu, r);
    if (unlikely(fpu_empty(cpu, 0))) {
        if (!(cpu->fpu.fcw & FSW_IE)) {
            fpu_stack_fault(cpu, r, false);
            return;
        }
        indefinite(kind, buf);
        put(cpu, r, rec_la(cpu, r, len, true), buf, len);
        fpu_stack_fault(cpu, r, false);
    } else {
        sw = fph_store(cpu->fpu.fcw, kind, fpu_st(cpu, 0), buf);
        if (unlikely(sw & ~cpu->fpu.fsw & FSW_EXC)) {
            fph_clear();                    /* not committed yet: see above */
        }
        if ((sw & FSW_TOP) == 7 << 11) {    /* held back: memory is not even looked at */
            fpu_flags(cpu, r, sw);
            return;
        }
        put(cpu, r, rec_la(cpu, r, len, true), buf, len);
        fpu_flags(cpu, r, sw);
    }
    if (pop) {
        fpu_pop(cpu);
    }
}

X87(fst_m32) { store(cpu, r, FPH_ST32, false); }
X87(fst_m64) { store(cpu, r, FPH_ST64, false); }
X87(fstp_m32) { store(cpu, r, FPH_ST32, true); }
X87(fstp_m64) { store(cpu, r, FPH_ST64, true); }
X87(fist_m16) { store(cpu, r, FPH_STI16, false); }
X87(fist_m32) { store(cpu, r, FPH_STI32, false); }
X87(fistp_m16) { store(cpu, r, FPH_STI16, true); }
X87(fistp_m32) { store(cpu, r, FPH_STI32, true); }
X87(fistp_m64) { store(cpu, r, FPH_STI64, true); }
X87(fisttp_m16) { store(cpu, r, FPH_STT16, true); }
X87(fisttp_m32) { store(cpu, r, FPH_STT32, true); }
X87(fisttp_m64) { store(cpu, r, FPH_STT64, true); }
X87(fbstp) { store(cpu, r, FPH_STBCD, true); }

X87(fstp_m80)
{
    struct x87_reg x = fpu_get(cpu, 0);

    fpu_wait(cpu, r);
    if (unlikely(fpu_empty(cpu, 0))) {
        x = x87_indefinite;
        if (!(cpu->fpu.fcw & FSW_IE)) {
            fpu_stack_fault(cpu, r, false);
            return;
        }
    }
    store10(cpu, r, rec_la(cpu, r, 10, true), x.m, x.se);
    if (unlikely(fpu_empty(cpu, 0))) {
        fpu_stack_fault(cpu, r, false);
    } else {
        fpu_flags(cpu, r, 0);
    }
    fpu_pop(cpu);
}

/*
 * Register to register
 */
static void st_sti(struct x86_cpu *cpu, const struct x86_rec *r, bool pop)
{
    struct x87_reg x = fpu_get(cpu, 0);

    fpu_wait(cpu, r);
    if (unlikely(fpu_empty(cpu, 0))) {
        if (!fpu_stack_fault(cpu, r, false)) {
            return;
        }
        x = x87_indefinite;
    } else {
        fpu_flags(cpu, r, 0);
    }
    fpu_set_st(cpu, r->rm & 7, &x);
    if (pop) {
        fpu_pop(cpu);
    }
}

/* D9 D8+i, which no manual lists: an empty register is no fault, it just does not move */
X87(fstpnce)
{
    struct x87_reg x = fpu_get(cpu, 0);

    fpu_wait(cpu, r);
    if (!fpu_empty(cpu, 0)) {
        fpu_set_st(cpu, r->rm & 7, &x);
    }
    fpu_flags(cpu, r, 0);
    fpu_pop(cpu);
}

X87(fst_sti) { st_sti(cpu, r, false); }
X87(fstp_sti) { st_sti(cpu, r, true); }

/* Empty registers take the default NaN first (masked) */
X87(fxch)
{
    unsigned i = r->rm & 7;
    struct x87_reg a = fpu_get(cpu, 0), b = fpu_get(cpu, i);

    fpu_wait(cpu, r);
    if (unlikely(fpu_empty(cpu, 0) || fpu_empty(cpu, i))) {
        if (!fpu_stack_fault(cpu, r, false)) {
            return;
        }
        a = fpu_empty(cpu, 0) ? x87_indefinite : a;
        b = fpu_empty(cpu, i) ? x87_indefinite : b;
    } else {
        fpu_flags(cpu, r, 0);
    }
    fpu_set_st(cpu, i, &a);
    fpu_set_st(cpu, 0, &b);
}

X87(fcmov)
{
    /* B E BE U and their opposites as condition codes: 2 4 6 10, 3 5 7 11 */
    static const uint8_t cc[8] = { 2, 4, 6, 10, 3, 5, 7, 11 };
    unsigned i = r->rm & 7;
    struct x87_reg x = fpu_get(cpu, i);

    fpu_wait(cpu, r);
    if (unlikely(fpu_empty(cpu, 0) || fpu_empty(cpu, i))) {
        if (!fpu_stack_fault(cpu, r, false)) {
            return;
        }
        fpu_set_st(cpu, 0, &x87_indefinite);
        return;
    }
    fpu_ptrs(cpu, r, false);
    if (flags_cond(cpu, cc[r->op - OP_FCMOVB])) {
        fpu_set_st(cpu, 0, &x);
    }
}

/*
 * Stack control
 */
X87(fincstp)
{
    fpu_wait(cpu, r);
    cpu->fpu.top = (cpu->fpu.top + 1) & 7;
    fpu_flags(cpu, r, 0);
}

X87(fdecstp)
{
    fpu_wait(cpu, r);
    cpu->fpu.top = (cpu->fpu.top - 1) & 7;
    fpu_flags(cpu, r, 0);
}

X87(ffree)
{
    fpu_wait(cpu, r);
    cpu->fpu.ftw &= ~(1u << fpu_phys(cpu, r->rm & 7));
    fpu_flags(cpu, r, 0);
}

X87(ffreep)
{
    fpu_wait(cpu, r);
    cpu->fpu.ftw &= ~(1u << fpu_phys(cpu, r->rm & 7));
    fpu_pop(cpu);
    fpu_flags(cpu, r, 0);
}

/* FNENI, FNDISI, FNSETPM (DB E0, E1, E4) are FNOP too, but do not wait */
X87(fnop)
{
    if ((r->imm32 >> 8 & 7) != 3) {
        fpu_wait(cpu, r);
    }
    fpu_ptrs(cpu, r, false);
}

X87(fwait)
{
    fpu_wait(cpu, r);
}

static const struct {
    uint16_t op;
    x86_handler *fn;
} rows[] = {
    { OP_FLD_M32, x86_fld_m32 }, { OP_FLD_M64, x86_fld_m64 }, { OP_FLD_M80, x86_fld_m80 }, { OP_FLD_STI, x86_fld_sti },
    { OP_FILD_M16, x86_fild_m16 }, { OP_FILD_M32, x86_fild_m32 }, { OP_FILD_M64, x86_fild_m64 }, { OP_FBLD, x86_fbld },
    { OP_FST_M32, x86_fst_m32 }, { OP_FST_M64, x86_fst_m64 }, { OP_FST_STI, x86_fst_sti },
    { OP_FSTP_M32, x86_fstp_m32 }, { OP_FSTP_M64, x86_fstp_m64 }, { OP_FSTP_M80, x86_fstp_m80 },
    { OP_FSTP_STI, x86_fstp_sti }, { OP_FIST_M16, x86_fist_m16 }, { OP_FIST_M32, x86_fist_m32 },
    { OP_FISTP_M16, x86_fistp_m16 }, { OP_FISTP_M32, x86_fistp_m32 }, { OP_FISTP_M64, x86_fistp_m64 },
    { OP_FISTTP_M16, x86_fisttp_m16 }, { OP_FISTTP_M32, x86_fisttp_m32 }, { OP_FISTTP_M64, x86_fisttp_m64 },
    { OP_FBSTP, x86_fbstp }, { OP_FXCH, x86_fxch }, { OP_FINCSTP, x86_fincstp }, { OP_FDECSTP, x86_fdecstp },
    { OP_FFREE, x86_ffree }, { OP_FFREEP, x86_ffreep }, { OP_FNOP, x86_fnop }, { OP_FWAIT, x86_fwait },
};

x86_handler *fpu_bind_move(const struct x86_rec *r)
{
    static_assert(OP_FLDZ - OP_FLD1 == FPH_Z && OP_FLDL2T - OP_FLD1 == FPH_L2T && OP_FLDLG2 - OP_FLD1 == FPH_LG2,
                  "constants in opcode order");
    static_assert(OP_FCMOVNU - OP_FCMOVB == 7 && OP_FCMOVNB - OP_FCMOVB == 4, "conditions in opcode order");
    if (r->op == OP_FSTP_STI && (r->imm32 >> 8 & 7) == 1) {
        return x86_fstpnce;
    }
    if (r->op >= OP_FLD1 && r->op <= OP_FLDZ) {
        return x86_fld_const;
    }
    if (r->op >= OP_FCMOVB && r->op <= OP_FCMOVNU) {
        return x86_fcmov;
    }
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].op == r->op) {
            return rows[i].fn;
        }
    }
    return NULL;
}
