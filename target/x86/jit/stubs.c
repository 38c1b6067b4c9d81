/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/jit/stubs.c - the fixed pieces of host code: into translated code, out of it, and from it to C and back
 *
 * C is called with every guest register in cpu->regs, the vector and x87 registers in cpu->vec and cpu->fpu (pitfall
 * 18: C must not run with guest values on the x87 stack), and a stack that is aligned. C may raise: the siglongjmp()
 * then simply drops this host stack. JT2 survives calls: it may hold saved flags.
 */
#include "target/x86/jit/jit_int.h"
#include <inttypes.h>
#include <stddef.h>

static const uint8_t pinned[] = { R_AX, R_CX, R_DX, R_BX, R_SP, R_BP, R_SI, R_DI, 8, 9, 10, 11 };

void jit_spill(struct x86_cpu *cpu, struct x64_buf *b)
{
    for (unsigned i = 0; i < ARRAY_LEN(pinned); i++) {
        x64_st(b, x64_abs(&cpu->regs[pinned[i]]), jit_greg(pinned[i]));
    }
}

void jit_reload(struct x86_cpu *cpu, struct x64_buf *b)
{
    for (unsigned i = 0; i < ARRAY_LEN(pinned); i++) {
        x64_ld(b, jit_greg(pinned[i]), x64_abs(&cpu->regs[pinned[i]]));
    }
}

/* Long forward branch: the moves of 16 registers do not fit a short one */
static uint8_t *jump_z(struct x64_buf *b)
{
    return x64_jcc(b, X_Z, 0);
}

static void here(struct x64_buf *b, uint8_t *at)
{
    x64_patch(b, at, x64_pc(b));
}

/* Vector registers to memory; one of the two states is there */
static void vec_save(struct x86_cpu *cpu, const struct x86_jit *j, struct x64_buf *b)
{
    uint8_t *sse, *done = NULL;

    if (j->has_avx) {
        x64_alui(b, X_CMP, 0, x64_abs(&cpu->jf.vec_live), JV_SSE);
        sse = jump_z(b);
        for (unsigned i = 0; i < 16; i++) {
            x64_vex(b, 0x7F | X_0F | X_66 | X_VEXL, i, 0, x64_abs(&cpu->vec[i]));
        }
        x64_b1(b, 0xC5);        /* VZEROUPPER */
        x64_b1(b, 0xF8);
        x64_b1(b, 0x77);
        done = x64_jmp(b, 0);
        here(b, sse);
    }
    for (unsigned i = 0; i < 16; i++) {
        x64_op(b, 0x29 | X_0F, i, x64_abs(&cpu->vec[i]));
    }
    if (done) {
        here(b, done);
    }
    x64_st32i(b, x64_abs(&cpu->jf.vec_live), JV_NONE);
}

/* The same behind a test that skips it: the usual case is that nothing is live */
static void vec_state_save(struct x86_cpu *cpu, const struct x86_jit *j, struct x64_buf *b)
{
    uint8_t *skip;

    x64_alui(b, X_CMP, 0, x64_abs(&cpu->jf.vec_live), JV_NONE);
    skip = jump_z(b);
    vec_save(cpu, j, b);
    here(b, skip);
}

void jit_state_save(struct x86_cpu *cpu, const struct x86_jit *j, struct x64_buf *b)
{
    uint8_t *skip;

    vec_state_save(cpu, j, b);
    x64_alui(b, X_CMP, 0, x64_abs(&cpu->jf.x87_live), 0);
    skip = jump_z(b);
    jit_x87_save(cpu, b);
    x64_st32i(b, x64_abs(&cpu->jf.x87_live), 0);
    here(b, skip);
}

static uintptr_t stub_vec(struct x86_cpu *cpu, const struct x86_jit *j, struct x64_buf *b, unsigned kind)
{
    uintptr_t at = x64_pc(b);

    if (kind == JV_AVX && j->has_avx) {
        for (unsigned i = 0; i < 16; i++) {
            x64_vex(b, 0x6F | X_0F | X_66 | X_VEXL, i, 0, x64_abs(&cpu->vec[i]));
        }
    } else {
        for (unsigned i = 0; i < 16; i++) {
            x64_op(b, 0x28 | X_0F, i, x64_abs(&cpu->vec[i]));
        }
    }
    x64_st32i(b, x64_abs(&cpu->jf.vec_live), kind);
    x64_b1(b, 0xC3);
    return at;
}

static uintptr_t stub_x87(struct x86_cpu *cpu, struct x64_buf *b)
{
    uintptr_t at = x64_pc(b);

    jit_x87_load(cpu, b);
    x64_st32i(b, x64_abs(&cpu->jf.x87_live), 1);
    x64_b1(b, 0xC3);
    return at;
}

/*
 * Into translated code. A frame for the C side, then the sentinel of the return pairs: a guest address that is not
 * canonical.
 * A RET that goes there all the same finds a host address that puts the stack back and takes the long way.
 */
#define SENTINEL 0x8000000000000001ULL
#define RETURN_PAIRS (32 * 1024)
/* Return: where code leaves that has spilled already and has the exit in RAX */
static uintptr_t stub_enter(struct x86_cpu *cpu, struct x86_jit *j, struct x64_buf *b)
{
    static const uint8_t callee[] = { X_BX, X_BP, X_R12, X_R13, X_R14, X_R15 };
    uintptr_t leave;

    j->enter = (struct jit_exit *(*)(struct x86_cpu *, uintptr_t))x64_pc(b);
    for (unsigned i = 0; i < ARRAY_LEN(callee); i++) {
        x64_push(b, callee[i]);
    }
    x64_alui(b, X_SUB, X_W, x64_r(X_SP), 8);
    x64_st(b, x64_abs(&cpu->jf.c_sp), X_SP);
    x64_mov(b, JT0, X_SI);
    x64_b1(b, 0x48);                                    /* MOV RAX, imm64 */
    x64_b1(b, 0xB8);
    x64_b8(b, SENTINEL);
    x64_push(b, X_AX);
    x64_op(b, 0xFF, 6, x64_abs(&cpu->jf.sentinel));
    x64_st(b, x64_abs(&cpu->jf.js_base), X_SP);
    x64_lea(b, X_AX, x64_m(X_SP, X_NONE, 0, -RETURN_PAIRS));
    x64_st(b, x64_abs(&cpu->jf.js_limit), X_AX);
    jit_reload(cpu, b);
    x64_op(b, 0xFF, 4, x64_r(JT0));

    /* out again */
    j->s_exit = x64_pc(b);
    jit_spill(cpu, b);
    jit_state_save(cpu, j, b);
    x64_mov(b, X_AX, JT0);
    leave = x64_pc(b);
    x64_ld(b, X_SP, x64_abs(&cpu->jf.c_sp));
    x64_alui(b, X_ADD, X_W, x64_r(X_SP), 8);
    for (unsigned i = ARRAY_LEN(callee); i-- > 0; ) {
        x64_pop(b, callee[i]);
    }
    x64_b1(b, 0xC3);
    return leave;
}

/* CALL fn (a C function anywhere), stack aligned. RBX keeps the stack pointer: the guest's RBX is in memory by now */
void jit_call_c(struct x64_buf *b, const void *fn)
{
    x64_mov(b, X_BX, X_SP);
    x64_alui(b, X_AND, X_W, x64_r(X_SP), -16);
    x64_b1(b, 0x48);
    x64_b1(b, 0xB8);
    x64_b8(b, (uint64_t)(uintptr_t)fn);
    x64_op(b, 0xFF, 2, x64_r(X_AX));
    x64_mov(b, X_SP, X_BX);
}

/* Back to code that counts on vector and x87 registers: JT0 is the site */
static void state_reload(struct x86_jit *j, struct x64_buf *b)
{
    uint8_t *skip;

    x64_op(b, 0x80, X_CMP, x64_m(JT0, X_NONE, 0, offsetof(struct jit_site, vec)));
    x64_b1(b, JV_SSE);
    skip = x64_jcc8(b, X_NZ);
    x64_call(b, j->s_vec[JV_SSE]);
    x64_here8(b, skip);
    x64_op(b, 0x80, X_CMP, x64_m(JT0, X_NONE, 0, offsetof(struct jit_site, vec)));
    x64_b1(b, JV_AVX);
    skip = x64_jcc8(b, X_NZ);
    x64_call(b, j->s_vec[JV_AVX]);
    x64_here8(b, skip);
    x64_op(b, 0x80, X_CMP, x64_m(JT0, X_NONE, 0, offsetof(struct jit_site, x87)));
    x64_b1(b, 0);
    skip = x64_jcc8(b, X_Z);
    x64_call(b, j->s_x87);
    x64_here8(b, skip);
}

/* fn(cpu, site in JT0, linear address in JT1) with the guest's state in memory. Back: back_from_c() */
static void site_to_c(struct x86_cpu *cpu, const struct x86_jit *j, struct x64_buf *b, const void *fn)
{
    jit_spill(cpu, b);
    jit_state_save(cpu, j, b);
    x64_movi32(b, X_DI, (uint32_t)(uintptr_t)cpu);
    x64_mov(b, X_SI, JT0);
    x64_mov(b, X_DX, JT1);
    jit_call_c(b, fn);
}

static void back_from_c(struct x86_cpu *cpu, struct x86_jit *j, struct x64_buf *b)
{
    state_reload(j, b);
    jit_reload(cpu, b);
}

static void stub_step(struct x86_cpu *cpu, struct x86_jit *j, struct x64_buf *b, uintptr_t leave)
{
    j->s_step = x64_pc(b);
    site_to_c(cpu, j, b, jit_c_step);
    x64_op(b, 0x85 | X_W, X_AX, x64_r(X_AX));
    x64_jcc(b, X_NZ, leave);
    back_from_c(cpu, j, b);
    x64_b1(b, 0xC3);
}

/* See jit_int.h. The hashed TLB first; a hit also fills the site's slot, and the caller takes the addend from there */
static void stub_miss(struct x86_cpu *cpu, struct x86_jit *j, struct x64_buf *b, unsigned bank, bool write, uintptr_t leave)
{
    const struct x86_tlb_entry *tlb = cpu->tlb_bank[bank];
    int32_t tag = (int32_t)((uintptr_t)tlb + (write ? offsetof(struct x86_tlb_entry, wtag) : offsetof(struct x86_tlb_entry, rtag)));
    uint8_t *miss, *listed, *filled, *often;

    static_assert(sizeof(struct x86_tlb_entry) == 32, "index is la >> 12 << 5");
    j->s_miss[bank][write] = x64_pc(b);
    x64_push(b, X_AX);
    x64_push(b, X_CX);
    x64_mov(b, X_AX, JT1);
    x64_op(b, 0xC1 | X_W, 5, x64_r(X_AX));              /* SHR RAX, 7 */
    x64_b1(b, 7);
    x64_alui(b, X_AND, 0, x64_r(X_AX), (TLB_SIZE - 1) << 5);
    x64_alu(b, X_CMP, X_W, JT0, x64_m(X_AX, X_NONE, 0, tag));
    miss = x64_jcc(b, X_NZ, 0);
    x64_ld(b, X_CX, x64_m(X_SP, X_NONE, 0, 32));
    for (unsigned o = 0; o < 24; o += 8) {
        x64_ld(b, JT0, x64_m(X_AX, X_NONE, 0, (int32_t)(uintptr_t)tlb + (int32_t)o));
        x64_st(b, x64_m(X_CX, X_NONE, 0, (int32_t)o), JT0);
    }
    /* jit_slot_fill() */
    x64_ld32(b, JT0, x64_m(X_AX, X_NONE, 0, (int32_t)((uintptr_t)tlb + offsetof(struct x86_tlb_entry, aux))));
    x64_alui(b, X_AND, 0, x64_r(JT0), AUX_GLOBAL);
    x64_op(b, 0xC1, 4, x64_r(JT0));                     /* SHL */
    x64_b1(b, (uint8_t)(__builtin_ctz(TLB_SIZE) - __builtin_ctz(AUX_GLOBAL)));
    x64_op(b, 0xC1, 5, x64_r(X_AX));                    /* SHR: page number */
    x64_b1(b, 5);
    x64_op(b, 0xC6, 0, x64_m(X_AX, JT0, 0, (int32_t)(uintptr_t)cpu->jf.held));
    x64_b1(b, 1);
    x64_op(b, 0xC1, 5, x64_r(JT0));
    x64_b1(b, (uint8_t)(__builtin_ctz(TLB_SIZE) - __builtin_ctz(JIT_USED_GLOBAL)));
    x64_alui(b, X_AND, 0, x64_r(X_AX), JIT_USED_PAGES - 1);
    x64_alu(b, X_OR, 0, JT0, x64_r(X_AX));
    x64_ld32(b, X_AX, x64_m(X_CX, X_NONE, 0, offsetof(struct x86_jit_slot, listed)));
    x64_op(b, 0xAB | X_0F, JT0, x64_r(X_AX));           /* BTS EAX, list */
    listed = x64_jcc8(b, X_B);
    x64_st32(b, x64_m(X_CX, X_NONE, 0, offsetof(struct x86_jit_slot, listed)), X_AX);
    x64_ld32(b, X_AX, x64_m(X_NONE, JT0, 2, (int32_t)(uintptr_t)cpu->jf.used_n));
    x64_alui(b, X_ADD, 0, x64_m(X_NONE, JT0, 2, (int32_t)(uintptr_t)cpu->jf.used_n), 1);
    x64_op(b, 0xC1, 4, x64_r(JT0));
    x64_b1(b, JIT_SLOT_BITS);
    x64_alu(b, X_ADD, 0, X_AX, x64_r(JT0));
    x64_st32(b, x64_m(X_NONE, X_AX, 2, (int32_t)(uintptr_t)cpu->jf.used), X_CX);
    x64_here8(b, listed);
    x64_alui(b, X_SUB, 0, x64_m(X_CX, X_NONE, 0, offsetof(struct x86_jit_slot, left)), 1);
    often = x64_jcc(b, X_Z, 0);
    x64_pop(b, X_CX);
    x64_pop(b, X_AX);
    x64_b1(b, 0xC3);

    here(b, often);
    x64_pop(b, X_CX);
    x64_pop(b, X_AX);
    x64_ld(b, JT0, x64_m(X_SP, X_NONE, 0, 8));
    site_to_c(cpu, j, b, jit_c_often);
    back_from_c(cpu, j, b);
    x64_b1(b, 0xC3);

    here(b, miss);
    x64_pop(b, X_CX);
    x64_pop(b, X_AX);
    x64_ld(b, JT0, x64_m(X_SP, X_NONE, 0, 8));
    site_to_c(cpu, j, b, jit_c_miss);
    x64_alui(b, X_CMP, X_W, x64_r(X_AX), 1);
    filled = x64_jcc(b, X_B, 0);
    x64_jcc(b, X_A, leave);
    x64_op(b, 0x83 | X_W, 0, x64_r(X_SP));              /* the record is done: drop return address, site and slot */
    x64_b1(b, 24);
    back_from_c(cpu, j, b);
    x64_ld32(b, JT0, x64_m(JT0, X_NONE, 0, offsetof(struct jit_site, after)));
    x64_op(b, 0xFF, 4, x64_r(JT0));
    here(b, filled);
    back_from_c(cpu, j, b);
    x64_b1(b, 0xC3);
}

/* See jit_int.h */
static void stub_stack(struct x86_cpu *cpu, struct x86_jit *j, struct x64_buf *b, unsigned bank, bool write)
{
    const struct x86_tlb_entry *tlb = cpu->tlb_bank[bank];
    int32_t tag = (int32_t)((uintptr_t)tlb + (write ? offsetof(struct x86_tlb_entry, wtag) : offsetof(struct x86_tlb_entry, rtag)));

    j->s_stack[bank][write] = x64_pc(b);
    x64_mov(b, JT1, JT0);
    x64_op(b, 0xC1 | X_W, 5, x64_r(JT1));               /* SHR */
    x64_b1(b, 7);
    x64_alui(b, X_AND, 0, x64_r(JT1), (TLB_SIZE - 1) << 5);
    x64_alu(b, X_CMP, X_W, JT0, x64_m(JT1, X_NONE, 0, tag));
    x64_ld(b, JT0, x64_m(JT1, X_NONE, 0, (int32_t)((uintptr_t)tlb + offsetof(struct x86_tlb_entry, addend))));
    x64_b1(b, 0xC3);
}

/*
 * Host flags from the guest's as memory has them. Nothing else changes, not even JT1. Integer code in C may use vector registers, but not the x87,
 * whose saving and loading would take longer than all the rest: it keeps the guest's values meanwhile.
 */
static void stub_flags(struct x86_cpu *cpu, struct x86_jit *j, struct x64_buf *b)
{
    j->s_flags = x64_pc(b);
    jit_spill(cpu, b);
    vec_state_save(cpu, j, b);
    x64_movi32(b, X_DI, (uint32_t)(uintptr_t)cpu);
    jit_call_c(b, jit_c_flags);
    jit_reload(cpu, b);
    x64_mov(b, JT2, X_AX);
    x64_ld(b, X_AX, x64_abs(&cpu->jf.flags));
    x64_b1(b, 0x04);                                    /* ADD AL, 127: OF */
    x64_b1(b, 0x7F);
    x64_b1(b, 0x9E);                                    /* SAHF */
    x64_mov(b, X_AX, JT2);
    x64_b1(b, 0xC3);
}

/*
 * To a place that only the jump cache knows. JT0: RIP (= linear: flat code only). Emitted at each indirect branch, so
 * that the host's predictor tells them apart
 */
void jit_indirect(struct x86_cpu *cpu, struct x64_buf *b, bool user, uintptr_t miss)
{
    x64_mov(b, JT1, JT0);
    x64_op(b, 0xC1, 5, x64_r(JT1));                     /* SHR r32, 12 */
    x64_b1(b, 12);
    x64_op(b, 0x33, JT1, x64_r(JT0));                   /* XOR r32 */
    x64_alui(b, X_AND, 0, x64_r(JT1), (1 << JIT_JC_BITS) - 1);
    x64_op(b, 0xC1, 4, x64_r(JT1));                     /* SHL r32, 4 */
    x64_b1(b, 4);
    x64_alu(b, X_CMP, X_W, JT0, x64_m(JT1, X_NONE, 0, (int32_t)(uintptr_t)cpu->jf.jc));
    x64_jcc(b, X_NZ, miss);
    x64_ld32(b, JT2, x64_m(JT1, X_NONE, 0, (int32_t)(uintptr_t)cpu->jf.jc + 8));
    x64_alu(b, X_CMP, 0, JT2, x64_abs(&cpu->jf.gen[user]));
    x64_jcc(b, X_NZ, miss);
    x64_ld32(b, JT2, x64_m(JT1, X_NONE, 0, (int32_t)(uintptr_t)cpu->jf.jc + 12));
    x64_alui(b, X_AND, X_W, x64_r(JT0), -4096);
    x64_st(b, x64_abs(&cpu->regs[REG_RIP]), JT0);
    x64_op(b, 0xFF, 4, x64_r(JT2));
}

/*
 * A RET that does not go where the last CALL said: a thread or stack switch, an unwinder, a retpoline. Drop one pair;
 * when the next one fits, all is well again. Otherwise drop them all.
 */
static void stub_ret_miss(struct x86_cpu *cpu, struct x86_jit *j, struct x64_buf *b)
{
    uint8_t *base, *again;

    j->s_ret_miss = x64_pc(b);
    x64_alu(b, X_CMP, X_W, X_SP, x64_abs(&cpu->jf.js_base));
    base = x64_jcc8(b, X_AE);
    x64_alui(b, X_ADD, X_W, x64_r(X_SP), 16);
    x64_alu(b, X_CMP, X_W, JT0, x64_m(X_SP, X_NONE, 0, 8));
    again = x64_jcc8(b, X_NZ);
    x64_b1(b, 0xC3);
    x64_here8(b, again);
    x64_ld(b, X_SP, x64_abs(&cpu->jf.js_base));
    x64_here8(b, base);
    x64_jmp(b, j->s_indirect);
}

/*
 * From a cross-page edge whose generation is no longer the present one (JT0: the exit): another address space, as a rule,
 * with the same code at the same place. When jf.fetch says so, the link is good again.
 */
static void stub_cross(struct x86_cpu *cpu, struct x86_jit *j, struct x64_buf *b, bool user, bool m64)
{
    int32_t fetch = (int32_t)(uintptr_t)cpu->jf.fetch;
    uint8_t *gen, *phys;

    static_assert(sizeof(struct x86_jit_fetch) == 32, "index is page number << 5");
    j->s_cross[user][m64] = x64_pc(b);
    x64_alui(b, X_CMP, 0, x64_abs(&cpu->exit_request), 0);
    x64_jcc(b, X_NZ, j->s_exit);
    x64_alui(b, X_CMP, 0, x64_m(JT0, X_NONE, 0, offsetof(struct jit_exit, entry)), 0);
    x64_jcc(b, X_Z, j->s_exit);
    x64_ld(b, JT1, x64_abs(&cpu->regs[REG_RIP]));
    x64_op(b, 0x63 | X_W, JT2, x64_m(JT0, X_NONE, 0, offsetof(struct jit_exit, page)));
    x64_alu(b, X_ADD, m64 ? X_W : 0, JT1, x64_r(JT2));
    x64_mov(b, JT2, JT1);
    x64_op(b, 0xC1, 5, x64_r(JT2));                     /* SHR r32, 7 */
    x64_b1(b, 7);
    x64_alui(b, X_AND, 0, x64_r(JT2), (JIT_FETCH - 1) << 5);
    x64_alu(b, X_CMP, X_W, JT1, x64_m(JT2, X_NONE, 0, fetch + (int32_t)offsetof(struct x86_jit_fetch, page)));
    x64_jcc(b, X_NZ, j->s_exit);
    x64_push(b, X_AX);
    x64_ld32(b, X_AX, x64_m(JT2, X_NONE, 0, fetch + (int32_t)offsetof(struct x86_jit_fetch, gen)));
    x64_alu(b, X_CMP, 0, X_AX, x64_abs(&cpu->jf.gen[user]));
    gen = x64_jcc8(b, X_NZ);
    x64_st32(b, x64_m(JT0, X_NONE, 0, offsetof(struct jit_exit, gen)), X_AX);
    x64_ld(b, X_AX, x64_m(JT2, X_NONE, 0, fetch + (int32_t)offsetof(struct x86_jit_fetch, phys)));
    x64_alu(b, X_CMP, X_W, X_AX, x64_m(JT0, X_NONE, 0, offsetof(struct jit_exit, phys)));
    phys = x64_jcc8(b, X_NZ);
    x64_pop(b, X_AX);
    x64_st(b, x64_abs(&cpu->regs[REG_RIP]), JT1);
    x64_ld32(b, JT1, x64_m(JT0, X_NONE, 0, offsetof(struct jit_exit, entry)));
    x64_op(b, 0xFF, 4, x64_r(JT1));
    x64_here8(b, phys);
    x64_st32i(b, x64_m(JT0, X_NONE, 0, offsetof(struct jit_exit, gen)), 0);
    x64_here8(b, gen);
    x64_pop(b, X_AX);
    x64_jmp(b, j->s_exit);
}

static void stub_call_reset(struct x86_cpu *cpu, struct x86_jit *j, struct x64_buf *b)
{
    j->s_call_reset = x64_pc(b);
    x64_pop(b, JT2);
    x64_ld(b, X_SP, x64_abs(&cpu->jf.js_base));
    x64_op(b, 0xFF, 4, x64_r(JT2));
}

/* By name: the last one that begins at or before each address */
void jit_stubs_name(const struct x86_jit *j)
{
    const struct {
        uintptr_t at;
        const char *name;
    } stub[] = {
        { j->s_vec[JV_SSE], "xmm" }, { j->s_vec[JV_AVX], "ymm" }, { j->s_vec_widen, "ymm_widen" }, { j->s_x87, "x87" },
        { (uintptr_t)j->enter, "enter" }, { j->s_exit, "exit" }, { j->s_step, "step" },
        { j->s_miss[0][0], "load_kernel" }, { j->s_miss[0][1], "store_kernel" }, { j->s_miss[1][0], "load_kernel_ac" },
        { j->s_miss[1][1], "store_kernel_ac" }, { j->s_miss[2][0], "load_user" }, { j->s_miss[2][1], "store_user" },
        { j->s_stack[0][0], "stack" }, { j->s_flags, "flags" }, { j->s_unknown, "indirect" }, { j->s_ret_miss, "ret_miss" }, { j->s_call_reset, "call_reset" },
        { j->s_cross[0][0], "cross" }, { j->s_end, "end" }, { j->s_tsc, "tsc" }, { j->s_eflags, "eflags" }, { j->s_string[0][0][0], "rep" },
        { (uintptr_t)j->rx + j->stubs_hot, NULL },
    };

    for (size_t i = 0; stub[i].name; i++) {
        uintptr_t end = stub[i + 1].at;

        fprintf(j->perf, "%" PRIxPTR " %" PRIxPTR " patchbay_%s\n", stub[i].at, end - stub[i].at, stub[i].name);
    }
}

void jit_stubs(struct x86_cpu *cpu, struct x86_jit *j)
{
    struct x64_buf b = { .w = j->rw, .end = j->rw + 64 * 1024, .to_rx = j->rx - j->rw };
    struct jit_exit *x = jit_meta(j, sizeof(*x));
    uintptr_t leave, user;

    x->kind = JX_INDIRECT;
    j->s_vec[JV_SSE] = stub_vec(cpu, j, &b, JV_SSE);
    j->s_vec[JV_AVX] = stub_vec(cpu, j, &b, JV_AVX);
    j->s_vec_widen = jit_stub_widen(cpu, j, &b);
    j->s_x87 = stub_x87(cpu, &b);
    leave = stub_enter(cpu, j, &b);
    stub_step(cpu, j, &b, leave);
    for (unsigned bank = 0; bank < TLB_BANKS; bank++) {
        stub_miss(cpu, j, &b, bank, false, leave);
        stub_miss(cpu, j, &b, bank, true, leave);
    }
    for (unsigned bank = 0; bank < TLB_BANKS; bank++) {
        stub_stack(cpu, j, &b, bank, false);
        stub_stack(cpu, j, &b, bank, true);
    }
    stub_flags(cpu, j, &b);
    j->s_unknown = x64_pc(&b);
    x64_st(&b, x64_abs(&cpu->regs[REG_RIP]), JT0);
    x64_movi32(&b, JT0, (uint32_t)(uintptr_t)x);
    x64_jmp(&b, j->s_exit);
    user = x64_pc(&b);
    jit_indirect(cpu, &b, true, j->s_unknown);
    j->s_indirect = x64_pc(&b);
    x64_op(&b, 0xF7, 0, x64_abs(&cpu->mode));           /* TEST mode, MODE_USER */
    x64_b4(&b, MODE_USER);
    x64_jcc(&b, X_NZ, user);
    jit_indirect(cpu, &b, false, j->s_unknown);
    cpu->jf.sentinel = x64_pc(&b);
    x64_alui(&b, X_SUB, X_W, x64_r(X_SP), 8);
    x64_jmp(&b, j->s_indirect);
    stub_ret_miss(cpu, j, &b);
    stub_call_reset(cpu, j, &b);
    for (unsigned i = 0; i < 4; i++) {
        stub_cross(cpu, j, &b, i & 1, i & 2);
    }
    jit_stubs_sys(cpu, j, &b, leave);
    if (b.overflow) {
        g_error("the translator's stubs have no room");
    }
    j->stubs_hot = j->hot_used = (size_t)(b.w - j->rw + 63) & ~(size_t)63;
}
