/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/jit/stubs_sys.c - stubs of system instructions: last records that C does, time, EFLAGS, REP MOVS and STOS
 *
 * REP on host memory goes page by page with the host's own REP instruction, which has the same rules for overlapping
 * operands. Before each page both addresses are looked up in the hashed TLB, and RCX, RSI and RDI are the guest's
 * between two of them: whatever the stub cannot do, the interpreter goes on with from there.
 */
#include "target/x86/jit/jit_int.h"
#include <stddef.h>

static void mov_imm64(struct x64_buf *b, unsigned reg, const void *p)
{
    x64_b1(b, 0x48 | (reg & 8 ? 1 : 0));
    x64_b1(b, 0xB8 | (reg & 7));
    x64_b8(b, (uint64_t)(uintptr_t)p);
}

/* JT0: site. Where the record leads to is not known before: straight into that code, without going out */
static void stub_end(struct x86_cpu *cpu, struct x86_jit *j, struct x64_buf *b, uintptr_t leave)
{
    uint8_t *out, *keep;

    j->s_end = x64_pc(b);
    jit_spill(cpu, b);
    jit_state_save(cpu, j, b);
    x64_movi32(b, X_DI, (uint32_t)(uintptr_t)cpu);
    x64_mov(b, X_SI, JT0);
    jit_call_c(b, jit_c_end);
    x64_op(b, 0x85 | X_W, X_AX, x64_r(X_AX));
    out = x64_jcc8(b, X_Z);
    x64_mov(b, JT0, X_AX);
    x64_op(b, 0x85, X_DX, x64_r(X_DX));
    keep = x64_jcc8(b, X_Z);
    x64_ld(b, X_SP, x64_abs(&cpu->jf.js_base));
    x64_here8(b, keep);
    jit_reload(cpu, b);
    x64_op(b, 0xFF, 4, x64_r(JT0));
    x64_here8(b, out);
    mov_imm64(b, X_AX, &j->leave);
    x64_jmp(b, leave);
}

/* What C code may change and translated code wants back; RBX is the stack pointer meanwhile (jit_call_c) */
static const uint8_t clobbered[] = { R_CX, R_BX, R_SI, R_DI, 8, 9, 10, 11 };

static void stub_tsc(struct x86_cpu *cpu, struct x86_jit *j, struct x64_buf *b)
{
    j->s_tsc = x64_pc(b);
    for (unsigned i = 0; i < ARRAY_LEN(clobbered); i++) {
        x64_st(b, x64_abs(&cpu->regs[clobbered[i]]), clobbered[i]);
    }
    jit_state_save(cpu, j, b);
    x64_movi32(b, X_DI, (uint32_t)(uintptr_t)cpu);
    jit_call_c(b, jit_c_tsc);
    for (unsigned i = 0; i < ARRAY_LEN(clobbered); i++) {
        x64_ld(b, clobbered[i], x64_abs(&cpu->regs[clobbered[i]]));
    }
    x64_b1(b, 0xC3);
}

/* All registers go to memory: descriptors of flags name them */
static void stub_eflags(struct x86_cpu *cpu, struct x86_jit *j, struct x64_buf *b)
{
    j->s_eflags = x64_pc(b);
    jit_spill(cpu, b);
    jit_state_save(cpu, j, b);
    x64_movi32(b, X_DI, (uint32_t)(uintptr_t)cpu);
    jit_call_c(b, jit_c_eflags);
    x64_mov(b, JT2, X_AX);
    for (unsigned i = 0; i < ARRAY_LEN(clobbered); i++) {
        x64_ld(b, clobbered[i], x64_abs(&cpu->regs[clobbered[i]]));
    }
    x64_ld(b, X_AX, x64_abs(&cpu->regs[R_AX]));
    x64_ld(b, X_DX, x64_abs(&cpu->regs[R_DX]));
    x64_b1(b, 0xC3);
}

/* Addend of the page of guest register @la to @to; RDX is free. Return: the branch taken when it is not in the TLB */
static uint8_t *look_up(struct x86_cpu *cpu, struct x64_buf *b, unsigned bank, bool write, unsigned la, unsigned to)
{
    const struct x86_tlb_entry *e = cpu->tlb_bank[bank];
    uint8_t *miss;

    x64_mov(b, to, la);
    x64_op(b, 0xC1 | X_W, 5, x64_r(to));                /* SHR: page number * 32 */
    x64_b1(b, 7);
    x64_alui(b, X_AND, 0, x64_r(to), (TLB_SIZE - 1) << 5);
    x64_mov(b, X_DX, la);
    x64_alui(b, X_AND, X_W, x64_r(X_DX), -4096);
    x64_alu(b, X_CMP, X_W, X_DX, x64_m(to, X_NONE, 0, (int32_t)(uintptr_t)(write ? &e->wtag : &e->rtag)));
    miss = x64_jcc(b, X_NZ, 0);
    x64_ld(b, to, x64_m(to, X_NONE, 0, (int32_t)(uintptr_t)&e->addend));
    return miss;
}

/* Elements up to the nearer page end to EDX, at most RCX; 0: the next one crosses it. @movs: two addresses; EAX is free then */
static void room(struct x64_buf *b, bool movs, unsigned size)
{
    uint8_t *fits;

    x64_op(b, 0x8B, X_DX, x64_r(X_DI));
    x64_alui(b, X_AND, 0, x64_r(X_DX), 4095);
    if (movs) {
        x64_op(b, 0x8B, X_AX, x64_r(X_SI));
        x64_alui(b, X_AND, 0, x64_r(X_AX), 4095);
        x64_alu(b, X_CMP, 0, X_DX, x64_r(X_AX));
        x64_op(b, 0x42 | X_0F, X_DX, x64_r(X_AX));      /* CMOVB */
    }
    x64_op(b, 0xF7, 3, x64_r(X_DX));                    /* NEG */
    x64_alui(b, X_ADD, 0, x64_r(X_DX), 4096);
    if (size) {
        x64_op(b, 0xC1, 5, x64_r(X_DX));
        x64_b1(b, size);
    }
    x64_alu(b, X_CMP, X_W, X_DX, x64_r(X_CX));
    fits = x64_jcc8(b, X_BE);
    x64_op(b, 0x8B, X_DX, x64_r(X_CX));
    x64_here8(b, fits);
}

static void rep(struct x64_buf *b, bool movs, unsigned size)
{
    x64_b1(b, 0xF3);
    if (size == 1) {
        x64_b1(b, 0x66);
    } else if (size == 3) {
        x64_b1(b, 0x48);
    }
    x64_b1(b, (movs ? 0xA4 : 0xAA) | (size ? 1 : 0));
}

/* Not entered with RCX 0, or DF set. RAX (STOS: what is stored) and RDX are kept on the stack */
static uintptr_t stub_string(struct x86_cpu *cpu, struct x64_buf *b, bool movs, unsigned bank, unsigned size)
{
    uintptr_t at = x64_pc(b), again;
    uint8_t *out[4], *done, *asked;
    unsigned n = 0;

    x64_push(b, X_AX);
    x64_push(b, X_DX);
    again = x64_pc(b);
    if (movs) {
        out[n++] = look_up(cpu, b, bank, false, X_SI, JT0);
    }
    out[n++] = look_up(cpu, b, bank, true, X_DI, JT1);
    room(b, movs, size);
    x64_op(b, 0x85, X_DX, x64_r(X_DX));
    out[n++] = x64_jcc(b, X_Z, 0);
    x64_alu(b, X_SUB, X_W, X_CX, x64_r(X_DX));
    x64_op(b, 0x87 | X_W, X_CX, x64_r(X_DX));           /* XCHG: RDX is what stays for later */
    if (movs) {
        x64_alu(b, X_ADD, X_W, X_SI, x64_r(JT0));
    }
    x64_alu(b, X_ADD, X_W, X_DI, x64_r(JT1));
    rep(b, movs, size);
    if (movs) {
        x64_alu(b, X_SUB, X_W, X_SI, x64_r(JT0));
    }
    x64_alu(b, X_SUB, X_W, X_DI, x64_r(JT1));
    x64_op(b, 0x8B | X_W, X_CX, x64_r(X_DX));
    x64_op(b, 0x85 | X_W, X_CX, x64_r(X_CX));
    done = x64_jcc8(b, X_Z);
    x64_alui(b, X_CMP, 0, x64_abs(&cpu->exit_request), 0);
    asked = x64_jcc8(b, X_NZ);
    x64_jmp(b, again);

    for (unsigned i = 0; i < n; i++) {
        x64_patch(b, out[i], x64_pc(b));
    }
    x64_here8(b, asked);
    x64_pop(b, X_DX);
    x64_pop(b, X_AX);
    x64_b1(b, 0xF9);                                    /* STC */
    x64_b1(b, 0xC3);
    x64_here8(b, done);
    x64_pop(b, X_DX);
    x64_pop(b, X_AX);
    x64_b1(b, 0xF8);                                    /* CLC */
    x64_b1(b, 0xC3);
    return at;
}

void jit_stubs_sys(struct x86_cpu *cpu, struct x86_jit *j, struct x64_buf *b, uintptr_t leave)
{
    stub_end(cpu, j, b, leave);
    stub_tsc(cpu, j, b);
    stub_eflags(cpu, j, b);
    for (unsigned bank = 0; bank < TLB_BANKS; bank++) {
        for (unsigned size = 0; size < 4; size++) {
            j->s_string[0][bank][size] = stub_string(cpu, b, true, bank, size);
            j->s_string[1][bank][size] = stub_string(cpu, b, false, bank, size);
        }
    }
}
