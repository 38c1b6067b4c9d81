/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/interp/int_shift.c - SHL SHR SAR ROL ROR RCL RCR SHLD SHRD (SDM vol. 2)
 *
 * Counts are taken modulo 32 (64 for 64-bit operands); a count of zero leaves the flags alone. Rotates change CF and OF
 * only. Where the manual says undefined (OF of counts above one, counts beyond the width) the formula of count one goes
 * on.
 */
#include "target/x86/interp/fast.h"

static unsigned width(unsigned size)
{
    return 8u << size;
}

static uint64_t top(uint64_t v, unsigned size)
{
    return v >> (width(size) - 1) & 1;
}

static void set_co(struct x86_cpu *cpu, uint64_t c, uint64_t o)
{
    flags_set_arith(cpu, (flags_arith(cpu) & ~(uint32_t)(FL_CF | FL_OF)) | (c ? FL_CF : 0) | (o ? FL_OF : 0));
}

static uint64_t rotate(struct x86_cpu *cpu, unsigned op, unsigned size, uint64_t a, unsigned count)
{
    unsigned w = width(size), n = count & (w - 1);
    uint64_t v = a;

    if (op == OP_ROL) {
        v = n ? zx(a << n | a >> (w - n), size) : a;
        set_co(cpu, v & 1, top(v, size) ^ (v & 1));
    } else {
        v = n ? zx(a >> n | a << (w - n), size) : a;
        set_co(cpu, top(v, size), top(v, size) ^ (v >> (w - 2) & 1));
    }
    return v;
}

/* Through carry: a register of width + 1 bits */
static uint64_t rotate_carry(struct x86_cpu *cpu, unsigned op, unsigned size, uint64_t a, unsigned count)
{
    unsigned w = width(size), n = size < 2 ? count % (w + 1) : count;
    uint64_t c = flags_cond(cpu, 2), out;

    if (!n) {
        return a;
    }
    while (n--) {
        if (op == OP_RCL) {
            out = top(a, size);
            a = zx(a << 1, size) | c;
        } else {
            out = a & 1;
            a = a >> 1 | c << (w - 1);
        }
        c = out;
    }
    set_co(cpu, c, op == OP_RCL ? top(a, size) ^ c : top(a, size) ^ (a >> (w - 2) & 1));
    return a;
}

/* @count is masked and not zero; @a zero-extended */
static uint64_t shift(struct x86_cpu *cpu, unsigned op, unsigned size, uint64_t a, unsigned count)
{
    uint64_t before;

    switch (op) {
    case OP_ROL:
    case OP_ROR:
        return rotate(cpu, op, size, a, count);
    case OP_RCL:
    case OP_RCR:
        return rotate_carry(cpu, op, size, a, count);
    case OP_SHL:
        before = a << (count - 1);
        cc_set(cpu, CC_SHL8, size, before << 1, before);
        return before << 1;
    case OP_SHR:
        before = a >> (count - 1);
        cc_set(cpu, CC_SAR8, size, before >> 1, before);
        return before >> 1;
    default:            /* OP_SAR */
        before = (uint64_t)((int64_t)sx(a, size) >> (count - 1));
        cc_set(cpu, CC_SAR8, size, (uint64_t)((int64_t)before >> 1), before);
        return (uint64_t)((int64_t)before >> 1);
    }
}

/* Double precision: bits come in from @b. A 16-bit operand with a count above 16 goes on with its own bits */
static uint64_t shift_double(struct x86_cpu *cpu, bool left, unsigned size, uint64_t a, uint64_t b, unsigned count)
{
    unsigned w = width(size);
    uint64_t before, v;

    if (size == 1) {
        uint64_t all = a << 32 | b << 16 | a;       /* left: from the top; right: from the bottom */

        before = left ? all << (count - 1) >> 32 : all >> (count - 1);
        v = left ? all << count >> 32 : all >> count;
    } else if (left) {
        before = count == 1 ? a : a << (count - 1) | b >> (w - count + 1);
        v = a << count | b >> (w - count);
    } else {
        before = count == 1 ? a : a >> (count - 1) | b << (w - count + 1);
        v = a >> count | b << (w - count);
    }
    cc_set(cpu, left ? CC_SHL8 : CC_SAR8, size, v, before);
    return v;
}

static unsigned shift_count(const struct x86_cpu *cpu, const struct x86_rec *r)
{
    uint64_t n = r->form == FORM_RM_CL || r->op == OP_SHLD_CL || r->op == OP_SHRD_CL ? cpu->regs[R_CX] : r->imm;

    return (unsigned)n & (r->size == 3 ? 63 : 31);
}

static bool is_double(unsigned op)
{
    return op == OP_SHLD || op == OP_SHRD || op == OP_SHLD_CL || op == OP_SHRD_CL;
}

static uint64_t shift_any_value(struct x86_cpu *cpu, const struct x86_rec *r, uint64_t a, unsigned count)
{
    if (is_double(r->op)) {
        return shift_double(cpu, r->op == OP_SHLD || r->op == OP_SHLD_CL, r->size, a, reg_get(cpu, r->reg, r->size),
                            count);
    }
    return shift(cpu, r->op, r->size, a, count);
}

static X86_OP(shift_any)
{
    unsigned count = shift_count(cpu, r), size = r->size;

    if (r->flags & REC_MEM) {
        void *p = mem_rmw_begin(cpu, r, rec_la(cpu, r, 1u << size, true), 1u << size);

        if (count) {
            host_st(p, size, shift_any_value(cpu, r, host_ld(p, size), count));
        }
        mem_rmw_end(cpu, r, p);
    } else {
        uint64_t a = reg_get(cpu, r->rm, size);

        reg_set(cpu, r->rm, size, count ? shift_any_value(cpu, r, a, count) : a);
    }
    X86_NEXT;
}

/*
 * Specialised: SHL, SHR, SAR. Where the count is an immediate it is not zero (bind)
 */
FAST uint64_t shift_do(struct x86_cpu *cpu, unsigned op, unsigned size, bool nf, uint64_t a, unsigned count)
{
    uint64_t before, v;

    if (op == OP_SHL) {
        before = a << (count - 1);
        v = before << 1;
    } else if (op == OP_SHR) {
        before = a >> (count - 1);
        v = before >> 1;
    } else {
        before = (uint64_t)((int64_t)sx(a, size) >> (count - 1));
        v = (uint64_t)((int64_t)before >> 1);
    }
    if (!nf) {
        cc_set(cpu, op == OP_SHL ? CC_SHL8 : CC_SAR8, size, v, before);
    }
    return v;
}

FAST const struct x86_rec *shift_reg(struct x86_cpu *cpu, const struct x86_rec *r, unsigned op, unsigned size, bool nf,
                                     bool cl)
{
    unsigned count = (unsigned)(cl ? cpu->regs[R_CX] : r->imm) & (size == 3 ? 63 : 31);

    if (cl && unlikely(!count)) {
        return x86_shift_any(cpu, r);
    }
    reg_set(cpu, r->rm, size, shift_do(cpu, op, size, nf, reg_get(cpu, r->rm, size), count));
    X86_NEXT;
}

FAST const struct x86_rec *shift_mem(struct x86_cpu *cpu, const struct x86_rec *r, unsigned op, unsigned size,
                                     unsigned kind)
{
    char *p;

    if (unlikely(!tlb_wr(cpu, addr_of(cpu, r, kind), 1u << size, &p))) {
        return x86_shift_any(cpu, r);
    }
    host_st(p, size, shift_do(cpu, op, size, false, host_ld(p, size), (unsigned)r->imm & (size == 3 ? 63 : 31)));
    X86_NEXT;
}

#define DEF(op, s) \
    static X86_OP(op##s##_i) { return shift_reg(cpu, r, OP_##op, s, false, false); } \
    static X86_OP(op##s##_i_nf) { return shift_reg(cpu, r, OP_##op, s, true, false); } \
    static X86_OP(op##s##_cl) { return shift_reg(cpu, r, OP_##op, s, false, true); } \
    static X86_OP(op##s##_cl_nf) { return shift_reg(cpu, r, OP_##op, s, true, true); } \
    static X86_OP(op##s##_B64) { return shift_mem(cpu, r, OP_##op, s, ADDR_B64); } \
    static X86_OP(op##s##_X64) { return shift_mem(cpu, r, OP_##op, s, ADDR_X64); } \
    static X86_OP(op##s##_F32) { return shift_mem(cpu, r, OP_##op, s, ADDR_F32); }
#define DEF_SIZES(op) DEF(op, 0) DEF(op, 1) DEF(op, 2) DEF(op, 3)
DEF_SIZES(SHL)
DEF_SIZES(SHR)
DEF_SIZES(SAR)

struct shift_row {
    x86_handler *reg[2][2];     /* [count in CL][flags dead] */
    x86_handler *mem[3];        /* ADDR_B64, ADDR_X64, ADDR_F32 */
};
#define ROW(op, s) { { { x86_##op##s##_i, x86_##op##s##_i_nf }, { x86_##op##s##_cl, x86_##op##s##_cl_nf } }, \
                     { x86_##op##s##_B64, x86_##op##s##_X64, x86_##op##s##_F32 } }
static const struct shift_row shift_rows[3][4] = {
    [OP_SHL - OP_SHL] = { ROW(SHL, 0), ROW(SHL, 1), ROW(SHL, 2), ROW(SHL, 3) },
    [OP_SHR - OP_SHL] = { ROW(SHR, 0), ROW(SHR, 1), ROW(SHR, 2), ROW(SHR, 3) },
    [OP_SAR - OP_SHL] = { ROW(SAR, 0), ROW(SAR, 1), ROW(SAR, 2), ROW(SAR, 3) },
};

/* Rotates by an immediate whose flags nobody sees: hashes and ciphers */
static X86_OP(rol32_nf)
{
    uint32_t a = REG32(r->rm);

    REG64(r->rm) = (uint32_t)(a << (r->imm & 31) | a >> (-r->imm & 31));
    X86_NEXT;
}

static X86_OP(ror32_nf)
{
    uint32_t a = REG32(r->rm);

    REG64(r->rm) = (uint32_t)(a >> (r->imm & 31) | a << (-r->imm & 31));
    X86_NEXT;
}

static X86_OP(rol64_nf)
{
    uint64_t a = REG64(r->rm);

    REG64(r->rm) = a << (r->imm & 63) | a >> (-r->imm & 63);
    X86_NEXT;
}

static X86_OP(ror64_nf)
{
    uint64_t a = REG64(r->rm);

    REG64(r->rm) = a >> (r->imm & 63) | a << (-r->imm & 63);
    X86_NEXT;
}

x86_handler *x86_bind_shift(const struct x86_rec *r, uint32_t mode)
{
    bool imm = r->form == FORM_RM_I || r->form == FORM_RM_1, nf = r->flags & REC_NF, ror = r->op == OP_ROR;
    bool zero = imm && !(r->imm & (r->size == 3 ? 63 : 31));
    unsigned kind;

    if (is_double(r->op)) {
        return x86_shift_any;
    }
    if (r->op < OP_ROL || r->op > OP_SAR) {
        return NULL;
    }
    if (zero) {
        return x86_shift_any;
    }
    if (r->op >= OP_SHL && r->flags & REC_MEM) {
        kind = addr_kind(r, mode);
        return imm && kind <= ADDR_F32 ? shift_rows[r->op - OP_SHL][r->size].mem[kind] : x86_shift_any;
    }
    if (r->op >= OP_SHL) {
        return shift_rows[r->op - OP_SHL][r->size].reg[!imm][nf];
    }
    if (r->flags & REC_MEM || r->size < 2) {
        return x86_shift_any;
    }
    if (imm && nf && (ror || r->op == OP_ROL)) {
        return r->size == 2 ? (ror ? x86_ror32_nf : x86_rol32_nf) : ror ? x86_ror64_nf : x86_rol64_nf;
    }
    return x86_shift_any;
}
