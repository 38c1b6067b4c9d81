/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/interp/flow.c - branches, calls, returns, and the end of a block that does not branch
 *
 * Two kinds of handlers. The fast ones are for flat code (64-bit mode, or CS with base 0 and limit 4 GiB) and operand
 * sizes that do not cut RIP. The *_any ones do everything: IP wrap at 16 bits, CS limit (#GP(0) at the branch, SDM vol.
 * 2, JMP), one-instruction blocks. A target that is not canonical is found by the fetch there (x86_fetch_page): RIP is
 * the target's then, as on AMD processors.
 */
#include "target/x86/interp/fast.h"

/*
 * Generic
 */

/* To @ip, which is successor @i of the block (-1: an indirect one), with every check that may be needed */
static const struct x86_rec *go_any(struct x86_cpu *cpu, const struct x86_rec *r, int i, uint64_t ip)
{
    struct x86_tail *t = tail_of(r);
    const struct x86_rec *n = i >= 0 ? t->to[i] : NULL;
    bool no_wrap = i >= 0 && ip == cpu->regs[REG_RIP] + (uint64_t)(int64_t)t->delta[i];

    cpu->icount += t->n;
    cpu->regs[REG_RIP] = ip;
    if (t->step || exit_asked(cpu)) {
        return NULL;
    }
    if (!no_wrap) {
        return x86_goto(cpu);
    }
    if (!n) {
        return x86_follow_slow(cpu, t, (unsigned)i);
    }
    if (!(cpu->mode & (MODE_64 | MODE_FLAT_CS)) &&
        ip + container_of(n, struct x86_block, recs)->bytes - 1 > cpu->seg[SEG_CS].limit) {
        return x86_goto(cpu);
    }
    X86_GO(cpu, n);
}

/* RIP cut to the operand size, and against the limit */
static uint64_t target_any(struct x86_cpu *cpu, const struct x86_rec *r, uint64_t ip)
{
    if (cpu->mode & MODE_64) {
        return ip;
    }
    ip = r->size == 1 ? (uint16_t)ip : (uint32_t)ip;
    if (ip > cpu->seg[SEG_CS].limit) {
        x86_raise_err(cpu, r, EXC_GP, 0);
    }
    return ip;
}

static uint64_t next_ip(struct x86_cpu *cpu, const struct x86_rec *r)
{
    uint64_t ip = cpu->regs[REG_RIP] + r->off + r->len;

    return cpu->mode & MODE_64 ? ip : (uint32_t)ip;
}

static const struct x86_rec *branch_any(struct x86_cpu *cpu, const struct x86_rec *r, bool taken)
{
    uint64_t ip = next_ip(cpu, r);

    return taken ? go_any(cpu, r, 0, target_any(cpu, r, ip + r->imm)) : go_any(cpu, r, 1, ip);
}

static X86_OP(block_end_any)
{
    return go_any(cpu, r, 1, next_ip(cpu, r));
}

static X86_OP(jcc_any)
{
    return branch_any(cpu, r, flags_cond(cpu, r->op - OP_JCC));
}

static X86_OP(jmp_any)
{
    return branch_any(cpu, r, true);
}

static X86_OP(jmp_rm_any)
{
    return go_any(cpu, r, -1, target_any(cpu, r, rm_get(cpu, r, r->size)));
}

/* LOOP, LOOPE, LOOPNE, JCXZ: the counter has the address size */
static uint64_t count_get(struct x86_cpu *cpu, const struct x86_rec *r)
{
    return reg_get(cpu, R_CX * 8, r->asize);
}

static X86_OP(loop_any)
{
    uint64_t c = zx(count_get(cpu, r) - 1, r->asize);
    bool taken = c != 0;

    if (r->op != OP_LOOP) {
        taken = taken && flags_cond(cpu, r->op == OP_LOOPE ? 4 : 5);
    }
    if (taken) {
        target_any(cpu, r, next_ip(cpu, r) + r->imm);       /* faults with rCX as it was */
    }
    reg_set(cpu, R_CX * 8, r->asize, c);
    return branch_any(cpu, r, taken);
}

static X86_OP(jcxz_any)
{
    return branch_any(cpu, r, count_get(cpu, r) == 0);
}

static void push_ip(struct x86_cpu *cpu, const struct x86_rec *r, uint64_t ip)
{
    unsigned ss = stack_size(cpu);
    uint64_t sp = zx(reg_get(cpu, R_SP * 8, ss) - (1u << r->size), ss);

    mem_st(cpu, r, stack_la(cpu, r, sp, 1u << r->size, true), r->size, ip);
    reg_set(cpu, R_SP * 8, ss, sp);
}

static X86_OP(call_any)
{
    uint64_t ip = target_any(cpu, r, next_ip(cpu, r) + r->imm);

    push_ip(cpu, r, next_ip(cpu, r));
    return go_any(cpu, r, 0, ip);
}

static X86_OP(call_rm_any)
{
    uint64_t ip = target_any(cpu, r, rm_get(cpu, r, r->size));

    push_ip(cpu, r, next_ip(cpu, r));
    return go_any(cpu, r, -1, ip);
}

static X86_OP(ret_any)
{
    unsigned ss = stack_size(cpu);
    uint64_t sp = reg_get(cpu, R_SP * 8, ss);
    uint64_t ip = mem_ld(cpu, r, stack_la(cpu, r, sp, 1u << r->size, false), r->size);

    ip = target_any(cpu, r, ip);
    reg_set(cpu, R_SP * 8, ss, sp + (1u << r->size) + (uint16_t)r->imm);
    return go_any(cpu, r, -1, ip);
}

/*
 * Fast
 */
static X86_OP(block_end)
{
    return x86_follow(cpu, tail_of(r), 1);
}

static X86_OP(jmp)
{
    return x86_follow(cpu, tail_of(r), 0);
}

FAST const struct x86_rec *jcc(struct x86_cpu *cpu, const struct x86_rec *r, unsigned cc)
{
    int c = cond_fast(cpu, cc);

    if (unlikely(c < 0)) {
        return x86_jcc_any(cpu, r);
    }
    if (c) {
        return x86_follow(cpu, tail_of(r), 0);
    }
    return x86_follow(cpu, tail_of(r), 1);
}

#define CONDS(X) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(12) X(13) X(14) X(15)
#define X(cc) static X86_OP(jcc_##cc) { return jcc(cpu, r, cc); }
CONDS(X)
#undef X

static x86_handler *const jcc_tab[16] = {
#define X(cc) [cc] = x86_jcc_##cc,
    CONDS(X)
#undef X
};

/* 64-bit stack, or a flat 32-bit one */
FAST const struct x86_rec *call(struct x86_cpu *cpu, const struct x86_rec *r, unsigned size)
{
    uint64_t sp = cpu->regs[R_SP] - (1u << size);
    char *p;

    sp = zx(sp, size);
    if (unlikely(!tlb_wr(cpu, sp, 1u << size, &p))) {
        return x86_call_any(cpu, r);
    }
    host_st(p, size, cpu->regs[REG_RIP] + r->off + r->len);
    cpu->regs[R_SP] = sp;
    return x86_follow(cpu, tail_of(r), 0);
}

FAST const struct x86_rec *call_reg(struct x86_cpu *cpu, const struct x86_rec *r, unsigned size)
{
    uint64_t sp = zx(cpu->regs[R_SP] - (1u << size), size), ip = reg_get(cpu, r->rm, size);
    char *p;

    if (unlikely(!tlb_wr(cpu, sp, 1u << size, &p))) {
        return x86_call_rm_any(cpu, r);
    }
    host_st(p, size, cpu->regs[REG_RIP] + r->off + r->len);
    cpu->regs[R_SP] = sp;
    return x86_jump(cpu, tail_of(r), ip);
}

FAST const struct x86_rec *call_mem(struct x86_cpu *cpu, const struct x86_rec *r, unsigned kind, unsigned size)
{
    uint64_t sp = zx(cpu->regs[R_SP] - (1u << size), size), ip;
    char *p, *q;

    if (unlikely(!tlb_rd(cpu, addr_of(cpu, r, kind), 1u << size, &q)) ||
        unlikely(!tlb_wr(cpu, sp, 1u << size, &p))) {
        return x86_call_rm_any(cpu, r);
    }
    ip = host_ld(q, size);
    host_st(p, size, cpu->regs[REG_RIP] + r->off + r->len);
    cpu->regs[R_SP] = sp;
    return x86_jump(cpu, tail_of(r), ip);
}

FAST const struct x86_rec *jmp_mem(struct x86_cpu *cpu, const struct x86_rec *r, unsigned kind, unsigned size)
{
    char *p;

    if (unlikely(!tlb_rd(cpu, addr_of(cpu, r, kind), 1u << size, &p))) {
        return x86_jmp_rm_any(cpu, r);
    }
    return x86_jump(cpu, tail_of(r), host_ld(p, size));
}

FAST const struct x86_rec *ret(struct x86_cpu *cpu, const struct x86_rec *r, unsigned size)
{
    uint64_t sp = zx(cpu->regs[R_SP], size);
    char *p;

    if (unlikely(!tlb_rd(cpu, sp, 1u << size, &p))) {
        return x86_ret_any(cpu, r);
    }
    cpu->regs[R_SP] = zx(sp + (1u << size) + (uint16_t)r->imm, size);
    return x86_jump(cpu, tail_of(r), host_ld(p, size));
}

static X86_OP(call64) { return call(cpu, r, 3); }
static X86_OP(call32) { return call(cpu, r, 2); }
static X86_OP(call_reg64) { return call_reg(cpu, r, 3); }
static X86_OP(call_reg32) { return call_reg(cpu, r, 2); }
static X86_OP(call_b64) { return call_mem(cpu, r, ADDR_B64, 3); }
static X86_OP(call_x64) { return call_mem(cpu, r, ADDR_X64, 3); }
static X86_OP(call_f32) { return call_mem(cpu, r, ADDR_F32, 2); }
static X86_OP(jmp_reg64) { return x86_jump(cpu, tail_of(r), REG64(r->rm)); }
static X86_OP(jmp_reg32) { return x86_jump(cpu, tail_of(r), REG32(r->rm)); }
static X86_OP(jmp_b64) { return jmp_mem(cpu, r, ADDR_B64, 3); }
static X86_OP(jmp_x64) { return jmp_mem(cpu, r, ADDR_X64, 3); }
static X86_OP(jmp_f32) { return jmp_mem(cpu, r, ADDR_F32, 2); }
static X86_OP(ret64) { return ret(cpu, r, 3); }
static X86_OP(ret32) { return ret(cpu, r, 2); }

/*
 * Binding
 */
static x86_handler *bind_any(const struct x86_rec *r)
{
    switch (r->op) {
    case OP_BLOCK_END:
        return x86_block_end_any;
    case OP_JMP:
        return x86_jmp_any;
    case OP_JMP_RM:
        return x86_jmp_rm_any;
    case OP_CALL:
        return x86_call_any;
    case OP_CALL_RM:
        return x86_call_rm_any;
    case OP_RET:
        return x86_ret_any;
    case OP_LOOP:
    case OP_LOOPE:
    case OP_LOOPNE:
        return x86_loop_any;
    case OP_JCXZ:
        return x86_jcxz_any;
    default:
        return r->op >= OP_JCC && r->op < OP_JCC + 16 ? x86_jcc_any : NULL;
    }
}

static x86_handler *bind_fast(const struct x86_rec *r, uint32_t mode)
{
    bool m64 = mode & MODE_64, stack32 = (mode & (MODE_SS32 | MODE_FLAT_SS)) == (MODE_SS32 | MODE_FLAT_SS);
    unsigned kind = addr_kind(r, mode);

    if (r->op >= OP_JCC && r->op < OP_JCC + 16) {
        return jcc_tab[r->op - OP_JCC];
    }
    switch (r->op) {
    case OP_BLOCK_END:
        return x86_block_end;
    case OP_JMP:
        return x86_jmp;
    case OP_JMP_RM:
        if (!(r->flags & REC_MEM)) {
            return m64 ? x86_jmp_reg64 : x86_jmp_reg32;
        }
        return kind == ADDR_F32 && !m64 ? x86_jmp_f32 : !m64 ? NULL : kind == ADDR_B64 ? x86_jmp_b64 :
               kind == ADDR_X64 ? x86_jmp_x64 : NULL;
    case OP_CALL:
        return m64 ? x86_call64 : stack32 ? x86_call32 : NULL;
    case OP_CALL_RM:
        if (!(r->flags & REC_MEM)) {
            return m64 ? x86_call_reg64 : stack32 ? x86_call_reg32 : NULL;
        }
        return kind == ADDR_F32 && !m64 && stack32 ? x86_call_f32 : !m64 ? NULL : kind == ADDR_B64 ? x86_call_b64 :
               kind == ADDR_X64 ? x86_call_x64 : NULL;
    case OP_RET:
        return m64 ? x86_ret64 : stack32 ? x86_ret32 : NULL;
    default:
        return NULL;
    }
}

x86_handler *x86_bind_flow(const struct x86_rec *r, uint32_t mode)
{
    x86_handler *any = bind_any(r), *fast = NULL;
    bool cut = !(mode & MODE_64) && r->size == 1 && r->op != OP_BLOCK_END;

    if (any && !(mode & MODE_STEP) && mode & (MODE_64 | MODE_FLAT_CS) && !cut) {
        fast = bind_fast(r, mode);
    }
    return fast ? fast : any;
}
