/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/x86/compare.c - two results of one case: what differs, and what may
 *
 * Everything is compared bit for bit, except what the manual leaves open: the flags that the caller names, and what
 * the rules below say of single instructions that fault.
 */
#include "target/x86/state.h"
#include "tests/x86/oracle.h"
#include <inttypes.h>
#include <string.h>


struct diff {
    GString *s;
    const char *const *who;
};

static void hex(GString *s, const uint8_t *p, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        g_string_append_printf(s, "%02x", p[n - 1 - i]);
    }
}

static void diff64(struct diff *d, const char *name, uint64_t in, uint64_t want, uint64_t got)
{
    if (want != got) {
        g_string_append_printf(d->s, "#     %s: %" PRIx64 " -> %s %" PRIx64 ", %s %" PRIx64 "\n", name, in, d->who[0],
                               want, d->who[1], got);
    }
}

static void diff_bytes(struct diff *d, const char *name, unsigned i, const uint8_t *in, const uint8_t *want,
                       const uint8_t *got, unsigned n)
{
    if (memcmp(want, got, n)) {
        g_string_append_printf(d->s, "#     %s%u: ", name, i);
        hex(d->s, in, n);
        g_string_append_printf(d->s, "\n#       %-11s ", d->who[0]);
        hex(d->s, want, n);
        g_string_append_printf(d->s, "\n#       %-11s ", d->who[1]);
        hex(d->s, got, n);
        g_string_append_c(d->s, '\n');
    }
}

static void diff_mem(struct diff *d, const uint8_t *image, const struct ox_result *want, const struct ox_result *got)
{
    unsigned shown = 0;

    for (unsigned i = 0; i < OX_RW && shown < 4; i += 8) {
        if (memcmp(want->mem + i, got->mem + i, 8)) {
            uint64_t a, b, m;
            char name[16];

            memcpy(&a, want->mem + i, 8);
            memcpy(&b, got->mem + i, 8);
            memcpy(&m, image + i, 8);
            g_snprintf(name, sizeof(name), "mem[%x]", i);
            diff64(d, name, m, a, b);
            shown++;
        }
    }
}

static void diff_x87(struct diff *d, const struct ox_case *c, const struct ox_state *want, const struct ox_state *got)
{
    diff64(d, "fcw", c->in.fcw, want->fcw, got->fcw);
    diff64(d, "fsw", c->in.fsw, want->fsw, got->fsw);
    diff64(d, "ftw", c->in.ftw, want->ftw, got->ftw);
    for (unsigned i = 0; i < 8; i++) {
        diff_bytes(d, "st", i, c->in.st[i], want->st[i], got->st[i], 10);
    }
}

/* Linux hides what is mapped in its half, and in the last page of ours: there P is always set in the error code */
static uint32_t error_code(const struct ox_result *r)
{
    return r->vec == EXC_PF && r->addr >= 0x7FFFFFFFF000 ? r->err | 1 : r->err;
}

/*
 * An MMX instruction that faults on its memory operand, or raises #XM, may have switched the x87 state to MMX (TOP 0,
 * all in use) already. SDM vol. 3, 12.2 does not say.
 */
static bool x87_unknown(const struct ox_case *c, const struct ox_result *r)
{
    bool mmx = c->row && (c->row->cls == CLS_MMX || (c->row->cls == CLS_MX && c->rec.size == 3) ||
                          c->rec.op == OP_CVTPI2PS || c->rec.op == OP_CVTPS2PI || c->rec.op == OP_CVTTPS2PI ||
                          c->rec.op == OP_CVTPD2PI || c->rec.op == OP_CVTTPD2PI || c->rec.op == OP_CVTPI2PD);

    return mmx && r->vec != EXC_BP && r->vec != EXC_UD;
}

/*
 * When an element faults (#XM), the flags of the others need not be there: hardware that works on halves stops at the
 * first
 */
static uint32_t mxcsr_known(const struct ox_case *c, const struct ox_result *r)
{
    bool parts = (c->rec.flags & REC_VEX) || c->rec.op == OP_DPPS || c->rec.op == OP_DPPD;

    if (r->vec != EXC_XM) {
        return ~0u;
    }
    return parts ? ~0x3Fu : ~0x20u;         /* PE beside an unmasked OE or UE: of the result with unbounded exponent */
}

/*
 * Which of several bytes or chunks is reported is the processor's choice; its page is not, unless the operand crosses
 * one
 */
static bool one_access(const struct ox_case *c)
{
    switch (c->rec.op) {
    case OP_FLDENV: case OP_FNSTENV: case OP_FRSTOR: case OP_FNSAVE: case OP_FXSAVE: case OP_FXRSTOR:
    case OP_VMASKMOVPS: case OP_VMASKMOVPD: case OP_VPMASKMOVD: case OP_VPMASKMOVQ:
    case OP_FLD_M80: case OP_FSTP_M80: case OP_FBLD: case OP_FBSTP:
        return false;
    }
    return true;
}

/*
 * FXSAVE: #AC or #GP varies with the implementation. With a mask of zeros, faults are implementation-dependent (SDM
 * vol. 2, MASKMOVDQU); and which of two pages is reported
 */
static bool maskmov_fault(const struct ox_case *c, const struct ox_result *r)
{
    if (c->rec.op >= OP_VMASKMOVPS && c->rec.op <= OP_VPMASKMOVQ && r->vec == EXC_GP) {
        return true;            /* across the edge of the canonical addresses: whole, or by element */
    }
    return (c->rec.op == OP_MASKMOVQ || c->rec.op == OP_MASKMOVDQU) &&
           (r->vec == EXC_PF || r->vec == EXC_GP || r->vec == EXC_AC);
}

/*
 * A branch to an address that is not canonical: Intel faults on the branch, AMD on the target; calls have pushed
 * already
 */
static bool branch_fault(const struct ox_case *c, const struct ox_result *r)
{
    return r->vec == EXC_GP && (c->rec.op == OP_JMP_RM || c->rec.op == OP_CALL_RM || c->rec.op == OP_RET ||
                                c->rec.op == OP_CALLF || c->rec.op == OP_CALL);
}

/*
 * Of several faults of one instruction it is open which comes first: a vector operand misaligned and beyond the
 * limit, a masked move whose elements or whole operand are checked, an operand in several accesses or two of them.
 */
static bool segment_fault(const struct ox_case *c, const struct ox_result *want, const struct ox_result *got)
{
    bool simd = x86_op_info[c->rec.op].attr & XA_SIMD;

    if (c->mode >= OX_SEG32 && want->vec != EXC_BP && got->vec != EXC_BP &&
        (!one_access(c) || c->rec.op == OP_MOVS || c->rec.op == OP_CMPS)) {
        return true;
    }
    return c->mode >= OX_SEG32 && simd && (want->vec == EXC_GP || want->vec == EXC_SS) &&
           (got->vec == EXC_GP || got->vec == EXC_SS || (c->rec.op >= OP_VMASKMOVPS && c->rec.op <= OP_VPMASKMOVQ));
}

/* A call beyond the limit of CS whose push faults, too: Intel looks at the target first, AMD at the stack */
static bool call_fault(const struct ox_case *c, const struct ox_result *want, const struct ox_result *got)
{
    return c->mode >= OX_SEG32 && (c->rec.op == OP_CALL || c->rec.op == OP_CALL_RM) &&
           (want->vec == EXC_PF || want->vec == EXC_SS || want->vec == EXC_AC) && got->vec == EXC_GP;
}

/* Not aligned, with the checks on, and across the edge of the canonical addresses: #GP goes first, or #AC */
static bool align_fault(const struct ox_case *c, const struct ox_result *want, const struct ox_result *got)
{
    return c->mode == OX_64 && want->vec == EXC_AC && (got->vec == EXC_GP || got->vec == EXC_SS) && !got->err;
}

/* How much of it is on the stack when one of several stores faults, is open (SDM vol. 3, 6.5: such faults restart) */
static bool several_stores(const struct ox_case *c, const struct ox_result *r)
{
    return r->vec != EXC_BP && (c->rec.op == OP_PUSHA || c->rec.op == OP_ENTER || c->rec.op == OP_CALLF);
}

/* The sanitizer's shadow begins below 2 GiB: the native run finds memory there */
static bool sanitizer_memory(const struct ox_result *got)
{
#ifdef __SANITIZE_ADDRESS__
    return got->vec == EXC_PF && got->addr >= 0x7FFF7000 && got->addr < 0x10007FFF8000;
#else
    return false;
#endif
}

GString *ox_compare(const struct ox_case *c, uint32_t open, const uint8_t *image, const char *const who[2],
                    const struct ox_result *want, const struct ox_result *got)
{
    static const char *const name[16] = {
        "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
    };
    const uint32_t shown = XF_ALL | FL_DF | FL_TF | FL_IF | FL_AC | FL_NT | FL_ID;
    struct diff diff = { g_string_new(NULL), who }, *d = &diff;
    GString *s = d->s;

    if (maskmov_fault(c, want) || segment_fault(c, want, got) || call_fault(c, want, got) ||
        align_fault(c, want, got) || sanitizer_memory(got) ||
        (c->in.eflags & FL_AC && (c->rec.op == OP_FXSAVE || c->rec.op == OP_FXRSTOR))) {
        return s;
    }
    if (want->vec != got->vec) {
        g_string_append_printf(s, "#     exception: %s %d (error %x, address %" PRIx64 "), %s %d (%x, %" PRIx64 ")\n",
                               who[0], want->vec, want->err, want->addr, who[1], got->vec, got->err, got->addr);
        diff64(d, "rip", c->in.rip, want->out.rip, got->out.rip);
        return s;
    }
    if (!one_access(c)) {
        diff64(d, "fault page", 0, want->addr >> 12, got->addr >> 12);
    } else {
        diff64(d, "error code", 0, error_code(want), error_code(got));
        diff64(d, "fault address", 0, want->addr, got->addr);
    }
    if ((c->row && ox_undefined_result(c)) || branch_fault(c, want)) {
        return s;
    }
    diff64(d, "rip", c->in.rip, want->out.rip, got->out.rip);
    for (unsigned i = 0; i < (c->mode32 ? 8 : 16); i++) {
        /* from 64-bit code to 32-bit code: upper halves are undefined then (SDM vol. 1, 3.4.1.1) */
        bool narrowed = i < 8 && (want->out.sel[1] & ~3) == (OX_SEL_CODE32 & ~3);
        /*
         * a string instruction with 32-bit addresses that faults or has nothing to do: some processors clear bits
         * 63:32
         */
        bool string = (x86_op_info[c->rec.op].attr & XA_STR) && c->rec.asize == 2 &&
                      (want->vec != EXC_BP || !(uint32_t)c->in.gpr[R_CX]);
        uint64_t mask = c->mode32 || narrowed || (string && (i == R_SI || i == R_DI || i == R_CX)) ? 0xFFFFFFFF : ~0ULL;

        diff64(d, name[i], c->in.gpr[i], want->out.gpr[i] & mask, got->out.gpr[i] & mask);
    }
    diff64(d, "eflags", c->in.eflags & shown & ~open, want->out.eflags & shown & ~open,
           got->out.eflags & shown & ~open);
    for (unsigned i = 0; i < 4; i++) {
        static const char *const sel[4] = { "es", "cs", "ss", "ds" };

        uint16_t a = want->out.sel[i], b = got->out.sel[i];

        diff64(d, sel[i], 0, a < 4 ? 0 : a,
               b < 4 ? 0 : b); /* Linux' IRET to the handler turns null selectors 1-3 into 0 */
    }
    diff64(d, "mxcsr", c->in.mxcsr, want->out.mxcsr & mxcsr_known(c, want), got->out.mxcsr & mxcsr_known(c, want));
    if (!x87_unknown(c, want)) {
        diff_x87(d, c, &want->out, &got->out);
    }
    for (unsigned i = 0; i < (c->mode32 ? 8 : 16); i++) {
        diff_bytes(d, "ymm", i, c->in.vec[i], want->out.vec[i], got->out.vec[i], 32);
    }
    if (!several_stores(c, want)) {
        diff_mem(d, image, want, got);
    }
    diff64(d, "code (sum)", 0, want->code_sum, got->code_sum);
    return s;
}

