/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/interp/pairs.c - two frequent instructions in a row, run by one handler
 *
 * Half of an interpreter's time is going from handler to handler. The bodies below are the most frequent instructions
 * of compiled 64-bit code (moves, loads, stores, address arithmetic); every pair of them has a handler that runs both
 * records. A pair stays two records: when a body cannot do its work at once (TLB miss, code page, MMIO), it hands over
 * to the generic handler of its own record, which goes on from there by itself. A store that the first-level TLB lets
 * through is never to a page with code (mmu.h), so the second record is still valid after it.
 *
 * x86_bind_pairs() covers a block with the fewest handlers: from its end, best[i] is the number of handlers from record
 * i on.
 */
#include "target/x86/interp/fast.h"

/* Bodies: false when the generic handler must do it; nothing has changed then */
#define BODY(name) FAST bool body_##name(struct x86_cpu *cpu, const struct x86_rec *r)
#define LD(kind, size) char *p; if (unlikely(!tlb_rd(cpu, addr_of(cpu, r, kind), 1u << (size), &p))) { return false; }
#define ST(kind, size) char *p; if (unlikely(!tlb_wr(cpu, addr_of(cpu, r, kind), 1u << (size), &p))) { return false; }

BODY(mov2_rr)
{
    REG64(r->rm) = REG32(r->reg);
    return true;
}

BODY(mov3_rr)
{
    REG64(r->rm) = REG64(r->reg);
    return true;
}

BODY(mov2_i)
{
    REG64(r->rm) = (uint32_t)r->imm;
    return true;
}

BODY(zero)
{
    REG64(r->rm) = 0;
    cc_logic(cpu, 2, 0);
    return true;
}

BODY(ld2_B)
{
    LD(ADDR_B64, 2)
    REG64(r->reg) = host_ld(p, 2);
    return true;
}

BODY(ld3_B)
{
    LD(ADDR_B64, 3)
    REG64(r->reg) = host_ld(p, 3);
    return true;
}

BODY(ld3_X)
{
    LD(ADDR_X64, 3)
    REG64(r->reg) = host_ld(p, 3);
    return true;
}

BODY(st2_B)
{
    ST(ADDR_B64, 2)
    host_st(p, 2, REG64(r->reg));
    return true;
}

BODY(st3_B)
{
    ST(ADDR_B64, 3)
    host_st(p, 3, REG64(r->reg));
    return true;
}

BODY(st0_X)
{
    ST(ADDR_X64, 0)
    host_st(p, 0, REG8(r->reg));
    return true;
}

BODY(zx8_B)
{
    LD(ADDR_B64, 0)
    REG64(r->reg) = host_ld(p, 0);
    return true;
}

BODY(zx8_X)
{
    LD(ADDR_X64, 0)
    REG64(r->reg) = host_ld(p, 0);
    return true;
}

BODY(zx16_B)
{
    LD(ADDR_B64, 1)
    REG64(r->reg) = host_ld(p, 1);
    return true;
}

BODY(zx8_r)
{
    REG64(r->reg) = REG8(r->rm);
    return true;
}

BODY(sxd_r)
{
    REG64(r->reg) = (uint64_t)(int64_t)(int32_t)REG32(r->rm);
    return true;
}

BODY(lea_b)
{
    REG64(r->reg) = addr_of(cpu, r, ADDR_B64);
    return true;
}

BODY(lea_x)
{
    REG64(r->reg) = addr_of(cpu, r, ADDR_X64);
    return true;
}

BODY(add2_nf)
{
    REG64(r->rm) = (uint32_t)(REG32(r->rm) + REG32(r->reg));
    return true;
}

BODY(add3_nf)
{
    REG64(r->rm) += REG64(r->reg);
    return true;
}

BODY(add2_i_nf)
{
    REG64(r->rm) = (uint32_t)(REG32(r->rm) + (uint32_t)r->imm);
    return true;
}

BODY(add3_i_nf)
{
    REG64(r->rm) += r->imm;
    return true;
}

BODY(sub2_nf)
{
    REG64(r->rm) = (uint32_t)(REG32(r->rm) - REG32(r->reg));
    return true;
}

BODY(and2_i_nf)
{
    REG64(r->rm) = REG32(r->rm) & (uint32_t)r->imm;
    return true;
}

BODY(xor2_nf)
{
    REG64(r->rm) = REG32(r->rm) ^ REG32(r->reg);
    return true;
}

BODY(shr2_nf)
{
    REG64(r->rm) = REG32(r->rm) >> (r->imm & 31);
    return true;
}

BODY(shr3_nf)
{
    REG64(r->rm) >>= r->imm & 63;
    return true;
}

BODY(shl3_nf)
{
    REG64(r->rm) <<= r->imm & 63;
    return true;
}

BODY(add2)
{
    uint32_t b = REG32(r->reg), v = REG32(r->rm) + b;

    cc_set(cpu, CC_ADD8, 2, v, b);
    REG64(r->rm) = v;
    return true;
}

BODY(add3)
{
    uint64_t b = REG64(r->reg), v = REG64(r->rm) + b;

    cc_set(cpu, CC_ADD8, 3, v, b);
    REG64(r->rm) = v;
    return true;
}

BODY(add2_i)
{
    uint32_t b = (uint32_t)r->imm, v = REG32(r->rm) + b;

    cc_set(cpu, CC_ADD8, 2, v, b);
    REG64(r->rm) = v;
    return true;
}

BODY(add3_i)
{
    uint64_t b = r->imm, v = REG64(r->rm) + b;

    cc_set(cpu, CC_ADD8, 3, v, b);
    REG64(r->rm) = v;
    return true;
}

BODY(sub2)
{
    uint32_t b = REG32(r->reg), v = REG32(r->rm) - b;

    cc_set(cpu, CC_SUB8, 2, v, b);
    REG64(r->rm) = v;
    return true;
}

BODY(cmp3)
{
    uint64_t b = REG64(r->reg);

    cc_set(cpu, CC_SUB8, 3, REG64(r->rm) - b, b);
    return true;
}

BODY(push)
{
    uint64_t sp = cpu->regs[R_SP] - 8;
    char *p;

    if (unlikely(!tlb_wr(cpu, sp, 8, &p))) {
        return false;
    }
    host_st(p, 3, REG64(r->rm));
    cpu->regs[R_SP] = sp;
    return true;
}

BODY(pop)
{
    uint64_t sp = cpu->regs[R_SP];
    char *p;

    if (unlikely(!tlb_rd(cpu, sp, 8, &p))) {
        return false;
    }
    cpu->regs[R_SP] = sp + 8;
    REG64(r->rm) = host_ld(p, 3);
    return true;
}

/*
 * Name of the body, and whose *_any handler does it the slow way. Twice, because a macro does not expand inside itself
 */
#define FIRSTS(X) \
    X(mov2_rr, mov) X(mov3_rr, mov) X(mov2_i, mov) X(zero, mov) X(ld2_B, mov) X(ld3_B, mov) X(ld3_X, mov) \
    X(st2_B, mov) X(st3_B, mov) X(st0_X, mov) X(zx8_B, extend) X(zx8_X, extend) X(zx16_B, extend) X(zx8_r, extend) \
    X(sxd_r, extend) X(lea_b, mov) X(lea_x, mov) X(add2_nf, alu) X(add3_nf, alu) X(add2_i_nf, alu) \
    X(add3_i_nf, alu) X(sub2_nf, alu) X(and2_i_nf, alu) X(xor2_nf, alu) X(shr2_nf, mov) X(shr3_nf, mov) \
    X(shl3_nf, mov) X(add2, alu) X(add3, alu) X(add2_i, alu) X(add3_i, alu) X(sub2, alu) X(cmp3, alu) X(push, push) \
    X(pop, pop)
#define SECONDS(X, ...) \
    X(mov2_rr, mov, __VA_ARGS__) X(mov3_rr, mov, __VA_ARGS__) X(mov2_i, mov, __VA_ARGS__) X(zero, mov, __VA_ARGS__) \
    X(ld2_B, mov, __VA_ARGS__) X(ld3_B, mov, __VA_ARGS__) X(ld3_X, mov, __VA_ARGS__) X(st2_B, mov, __VA_ARGS__) \
    X(st3_B, mov, __VA_ARGS__) X(st0_X, mov, __VA_ARGS__) X(zx8_B, extend, __VA_ARGS__) \
    X(zx8_X, extend, __VA_ARGS__) X(zx16_B, extend, __VA_ARGS__) X(zx8_r, extend, __VA_ARGS__) \
    X(sxd_r, extend, __VA_ARGS__) X(lea_b, mov, __VA_ARGS__) X(lea_x, mov, __VA_ARGS__) \
    X(add2_nf, alu, __VA_ARGS__) X(add3_nf, alu, __VA_ARGS__) X(add2_i_nf, alu, __VA_ARGS__) \
    X(add3_i_nf, alu, __VA_ARGS__) X(sub2_nf, alu, __VA_ARGS__) X(and2_i_nf, alu, __VA_ARGS__) \
    X(xor2_nf, alu, __VA_ARGS__) X(shr2_nf, mov, __VA_ARGS__) X(shr3_nf, mov, __VA_ARGS__) \
    X(shl3_nf, mov, __VA_ARGS__) X(add2, alu, __VA_ARGS__) X(add3, alu, __VA_ARGS__) X(add2_i, alu, __VA_ARGS__) \
    X(add3_i, alu, __VA_ARGS__) X(sub2, alu, __VA_ARGS__) X(cmp3, alu, __VA_ARGS__) X(push, push, __VA_ARGS__) \
    X(pop, pop, __VA_ARGS__)

enum body_id {
#define X(name, slow) B_##name,
    FIRSTS(X)
#undef X
    BODIES
};

#define PAIR(b, slow_b, a, slow_a) \
    static X86_OP(a##_##b) \
    { \
        if (unlikely(!body_##a(cpu, r))) { \
            return x86_##slow_a##_any(cpu, r); \
        } \
        if (unlikely(!body_##b(cpu, r + 1))) { \
            return x86_##slow_b##_any(cpu, r + 1); \
        } \
        X86_GO(cpu, r + 2); \
    }
#define PAIRS(a, slow_a) SECONDS(PAIR, a, slow_a)
FIRSTS(PAIRS)

#define ENTRY(b, slow_b, a, slow_a) [B_##b] = x86_##a##_##b,
#define ENTRIES(a, slow_a) [B_##a] = { SECONDS(ENTRY, a, slow_a) },
static x86_handler *const pairs[BODIES][BODIES] = { FIRSTS(ENTRIES) };

/*
 * Which body is a record; BODIES: none
 */
static enum body_id mov_body(const struct x86_rec *r, unsigned kind)
{
    if (!(r->flags & REC_MEM)) {
        if (r->form == FORM_RM_R) {
            return r->size == 2 ? B_mov2_rr : r->size == 3 ? B_mov3_rr : BODIES;
        }
        return r->size == 2 && (r->form == FORM_RM_I || r->form == FORM_R_I) ? B_mov2_i : BODIES;
    }
    if (r->form == FORM_R_RM) {
        return kind == ADDR_B64 && r->size >= 2 ? (r->size == 2 ? B_ld2_B : B_ld3_B) :
               kind == ADDR_X64 && r->size == 3 ? B_ld3_X : BODIES;
    }
    if (r->form == FORM_RM_R) {
        return kind == ADDR_B64 && r->size >= 2 ? (r->size == 2 ? B_st2_B : B_st3_B) :
               kind == ADDR_X64 && r->size == 0 ? B_st0_X : BODIES;
    }
    return BODIES;
}

static enum body_id extend_body(const struct x86_rec *r, unsigned kind)
{
    bool mem = r->flags & REC_MEM;

    if (r->size < 2) {
        return BODIES;
    }
    switch (r->op) {
    case OP_MOVZX8:
        return !mem ? B_zx8_r : kind == ADDR_B64 ? B_zx8_B : kind == ADDR_X64 ? B_zx8_X : BODIES;
    case OP_MOVZX16:
        return mem && kind == ADDR_B64 ? B_zx16_B : BODIES;
    default:
        return !mem && r->size == 3 ? B_sxd_r : BODIES;
    }
}

/* Registers and immediates of 32 and 64 bits */
static enum body_id alu_body(const struct x86_rec *r)
{
    bool nf = r->flags & REC_NF, imm = r->form == FORM_RM_I || r->form == FORM_R_I, w = r->size == 3;

    if (r->flags & REC_MEM || r->size < 2 || (!imm && r->form != FORM_RM_R)) {
        return BODIES;
    }
    switch (r->op) {
    case OP_ADD:
        if (imm) {
            return nf ? (w ? B_add3_i_nf : B_add2_i_nf) : w ? B_add3_i : B_add2_i;
        }
        return nf ? (w ? B_add3_nf : B_add2_nf) : w ? B_add3 : B_add2;
    case OP_SUB:
        return imm || w ? BODIES : nf ? B_sub2_nf : B_sub2;
    case OP_AND:
        return imm && nf && !w ? B_and2_i_nf : BODIES;
    case OP_XOR:
        return imm ? BODIES : r->rm == r->reg ? B_zero : nf && !w ? B_xor2_nf : BODIES;
    case OP_CMP:
        return imm || !w ? BODIES : B_cmp3;
    default:
        return BODIES;
    }
}

static enum body_id shift_body(const struct x86_rec *r)
{
    bool imm = r->form == FORM_RM_I || r->form == FORM_RM_1;

    if (r->flags & REC_MEM || !(r->flags & REC_NF) || !imm || r->size < 2) {
        return BODIES;
    }
    return r->op == OP_SHL ? (r->size == 3 ? B_shl3_nf : BODIES) : r->size == 3 ? B_shr3_nf : B_shr2_nf;
}

static enum body_id body_of(const struct x86_rec *r, uint32_t mode)
{
    unsigned kind = addr_kind(r, mode);

    switch (r->op) {
    case OP_MOV:
        return mov_body(r, kind);
    case OP_MOVZX8:
    case OP_MOVZX16:
    case OP_MOVSXD:
        return extend_body(r, kind);
    case OP_LEA:
        return r->size != 3 || r->asize != 3 ? BODIES : r->index == REG_ZERO ? B_lea_b : B_lea_x;
    case OP_ADD:
    case OP_SUB:
    case OP_AND:
    case OP_XOR:
    case OP_CMP:
        return alu_body(r);
    case OP_SHL:
    case OP_SHR:
        return shift_body(r);
    case OP_PUSH:
        return r->size != 3 || r->flags & REC_MEM || r->form == FORM_I ? BODIES : B_push;
    case OP_POP:
        return r->size != 3 || r->flags & REC_MEM ? BODIES : B_pop;
    default:
        return BODIES;
    }
}

void x86_bind_pairs(struct x86_rec *recs, unsigned n, uint32_t mode)
{
    uint8_t best[BLOCK_MAX_RECS + 3] = { 0 };
    enum body_id next = BODIES;

    if (!(mode & MODE_64) || mode & MODE_STEP) {
        return;
    }
    for (unsigned i = n; i-- > 0; ) {
        enum body_id id = recs[i].flags & REC_LAST ? BODIES : body_of(&recs[i], mode);

        best[i] = 1 + best[i + 1];
        if (i + 1 < n && !(recs[i].flags & REC_LAST) && x86_bind_fused(&recs[i], mode)) {
            best[i] = 1;
        } else if (id < BODIES && next < BODIES && 1 + best[i + 2] <= best[i]) {
            best[i] = (uint8_t)(1 + best[i + 2]);
            recs[i].fn = pairs[id][next];
        }
        next = id;
    }
}
