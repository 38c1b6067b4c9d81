/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/dump.c - a record as one line of text, for logs and tests
 *
 * Intel's order, the op's name with our suffixes, operands by form: "add eax, [rbx+rcx*4+0x10]". Branch targets are
 * absolute. It prints what the record says, not what the bytes said: two encodings of one instruction look the same.
 */
#include "target/x86/ops.h"
#include "target/x86/rec.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

struct out {
    char *buf;
    unsigned size, len;
    bool first;
};

static void put(struct out *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void put(struct out *o, const char *fmt, ...)
{
    va_list ap;
    int n;

    if (o->len + 1 >= o->size) {
        return;
    }
    va_start(ap, fmt);
    n = vsnprintf(o->buf + o->len, o->size - o->len, fmt, ap);
    va_end(ap);
    if (n > 0) {
        o->len = o->len + (unsigned)n < o->size ? o->len + (unsigned)n : o->size - 1;
    }
}

static void comma(struct out *o)
{
    put(o, o->first ? " " : ", ");
    o->first = false;
}

static void put_gpr(struct out *o, unsigned offset, unsigned size)
{
    static const char *const low[8] = { "ax", "cx", "dx", "bx", "sp", "bp", "si", "di" };
    static const char *const byte[8] = { "al", "cl", "dl", "bl", "spl", "bpl", "sil", "dil" };
    static const char *const high[4] = { "ah", "ch", "dh", "bh" };
    unsigned n = offset / 8;

    if (offset & 1) {
        put(o, "%s", high[n & 3]);
    } else if (n >= 8) {
        put(o, "r%u%s", n, size == 0 ? "b" : size == 1 ? "w" : size == 2 ? "d" : "");
    } else if (size == 0) {
        put(o, "%s", byte[n]);
    } else {
        put(o, "%s%s", size == 1 ? "" : size == 2 ? "e" : "r", low[n]);
    }
}

static void put_vec(struct out *o, unsigned n, unsigned size)
{
    put(o, "%s%u", size == 3 ? "mm" : size == 5 ? "ymm" : "xmm", n);
}

/* Which side of a SIMD instruction is a general register, or an MMX register among XMM ones */
enum side { SIDE_VEC, SIDE_GPR, SIDE_MMX };

static enum side simd_side(unsigned op, bool rm)
{
    switch (op) {
    case OP_MOVD: case OP_MOVQ_GPR: case OP_PINSRB: case OP_PINSRW: case OP_PINSRD: case OP_PINSRQ: case OP_PEXTRB:
    case OP_PEXTRD: case OP_PEXTRQ: case OP_EXTRACTPS: case OP_CVTSI2SS: case OP_CVTSI2SD:
        return rm ? SIDE_GPR : SIDE_VEC;
    case OP_MOVMSKPS: case OP_MOVMSKPD: case OP_PMOVMSKB: case OP_CVTSS2SI: case OP_CVTSD2SI: case OP_CVTTSS2SI:
    case OP_CVTTSD2SI:
        return rm ? SIDE_VEC : SIDE_GPR;
    case OP_CVTPI2PS: case OP_CVTPI2PD: case OP_MOVQ2DQ:
        return rm ? SIDE_MMX : SIDE_VEC;
    case OP_CVTPS2PI: case OP_CVTPD2PI: case OP_CVTTPS2PI: case OP_CVTTPD2PI: case OP_MOVDQ2Q:
        return rm ? SIDE_VEC : SIDE_MMX;
    }
    return SIDE_VEC;
}

static void put_reg(struct out *o, const struct x86_rec *r, unsigned n, bool rm)
{
    static const char seg[8][3] = { "es", "cs", "ss", "ds", "fs", "gs", "?", "?" };
    unsigned attr = x86_op_info[r->op].attr, size = r->size;
    enum side side;

    comma(o);
    switch (r->op) {
    case OP_MOV_FROM_SREG: case OP_MOV_TO_SREG:
        if (!rm) {
            put(o, "%s", seg[n & 7]);
            return;
        }
        break;
    case OP_MOV_TO_CR: case OP_MOV_FROM_CR: case OP_MOV_TO_DR: case OP_MOV_FROM_DR:
        if (!rm) {
            put(o, "%s%u", r->op == OP_MOV_TO_CR || r->op == OP_MOV_FROM_CR ? "cr" : "dr", n);
            return;
        }
        break;
    case OP_MOVZX8: case OP_MOVSX8:
        size = rm ? 0 : size;
        break;
    case OP_MOVZX16: case OP_MOVSX16:
        size = rm ? 1 : size;
        break;
    case OP_MOVSXD:
        size = rm && size == 3 ? 2 : size;
        break;
    case OP_CRC32:
        size = rm ? size : r->flags & REC_REXW ? 3 : 2;
        break;
    }
    if (attr & XA_FPU) {
        put(o, "st%u", n);
    } else if (attr & XA_SIMD) {
        side = simd_side(r->op, rm);
        if (r->op == OP_PEXTRW) {
            side = rm == (r->form == FORM_RM_R_I) ? SIDE_GPR : SIDE_VEC;
        }
        if (side == SIDE_GPR) {
            put_gpr(o, n, (r->flags & REC_REXW) || r->op == OP_MOVQ_GPR ? 3 : 2);
        } else {
            put_vec(o, n, side == SIDE_MMX ? 3 : size);
        }
    } else {
        put_gpr(o, n, size > 3 ? 3 : size);
    }
}

static void put_plain(struct out *o, unsigned n, unsigned size, unsigned asize)
{
    if (n == REG_RIP) {
        put(o, asize == 3 ? "block" : "block32");
    } else {
        put_gpr(o, 8 * n, size);
    }
}

static void put_mem(struct out *o, const struct x86_rec *r)
{
    static const char seg[16][4] = { "es:", "cs:", "ss:", "ds:", "fs:", "gs:" };
    bool any = false;

    comma(o);
    if (r->form == FORM_R_MOFFS || r->form == FORM_MOFFS_R) {
        put(o, "%s[0x%" PRIx64 "]", r->seg != SEG_DS ? seg[r->seg] : "", r->imm);
        return;
    }
    put(o, "%s[", r->seg != SEG_DS && !(r->seg == SEG_SS && (r->base == R_SP || r->base == R_BP)) ? seg[r->seg] : "");
    if (r->base != REG_ZERO) {
        put_plain(o, r->base, r->asize, r->asize);
        any = true;
    }
    if (r->index != REG_ZERO) {
        put(o, any ? "+" : "");
        if (r->op >= OP_VGATHERDPS && r->op <= OP_VPGATHERQQ) {
            put(o, "xmm%u", r->index);
        } else {
            put_plain(o, r->index, r->asize, r->asize);
        }
        if (r->scale) {
            put(o, "*%u", 1u << r->scale);
        }
        any = true;
    }
    if (!any) {
        put(o, "0x%x", (unsigned)r->disp);
    } else if (r->disp) {
        put(o, "%c0x%x", r->disp < 0 ? '-' : '+', r->disp < 0 ? 0u - (unsigned)r->disp : (unsigned)r->disp);
    }
    put(o, "]");
}

static void put_rm(struct out *o, const struct x86_rec *r)
{
    if (r->flags & REC_MEM) {
        put_mem(o, r);
    } else {
        put_reg(o, r, r->rm, true);
    }
}

static void put_v(struct out *o, const struct x86_rec *r)
{
    comma(o);
    if (x86_op_info[r->op].attr & XA_SIMD) {
        put_vec(o, r->vvvv, r->size);
    } else {
        put_gpr(o, 8 * r->vvvv, r->size);
    }
}

static void put_imm(struct out *o, const struct x86_rec *r)
{
    int64_t v = (int64_t)(r->flags & REC_VEX ? r->imm32 : r->imm);

    comma(o);
    if (v < 0) {
        put(o, "-0x%" PRIx64, -(uint64_t)v);
    } else {
        put(o, "0x%" PRIx64, (uint64_t)v);
    }
}

static bool is_branch(unsigned op)
{
    return (op >= OP_JCC && op < OP_JCC + 16) || op == OP_JMP || op == OP_CALL || op == OP_LOOP || op == OP_LOOPE ||
           op == OP_LOOPNE || op == OP_JCXZ;
}

/* One letter an operand, in order: r reg, m rm, v vvvv, i immediate, o moffs */
static const char form_letters[][5] = {
    [FORM_NONE] = "",        [FORM_RM_R] = "mr",       [FORM_R_RM] = "rm",       [FORM_RM_I] = "mi",
    [FORM_R_RM_I] = "rmi",   [FORM_RM_R_I] = "mri",    [FORM_RM] = "m",          [FORM_R] = "m",
    [FORM_R_I] = "mi",       [FORM_I] = "i",           [FORM_RM_CL] = "mc",      [FORM_RM_1] = "mi",
    [FORM_R_MOFFS] = "ao",   [FORM_MOFFS_R] = "oa",    [FORM_R_V_RM] = "rvm",    [FORM_R_V_RM_I] = "rvmi",
    [FORM_R_RM_V] = "rmv",   [FORM_V_RM] = "vm",       [FORM_V_RM_I] = "vmi",    [FORM_R_V_RM_R4] = "rvm4",
    [FORM_RM_V_R] = "mvr",   [FORM_FAR] = "f",         [FORM_I16_I8] = "e",
};

static void put_operand(struct out *o, const struct x86_rec *r, char kind)
{
    switch (kind) {
    case 'r':
        put_reg(o, r, r->reg, false);
        break;
    case 'm':
        put_rm(o, r);
        break;
    case 'o':
        put_mem(o, r);
        break;
    case 'a':
        comma(o);
        put_gpr(o, 0, r->size);
        break;
    case 'v':
        put_v(o, r);
        break;
    case 'i':
        put_imm(o, r);
        break;
    case 'c':
        comma(o);
        put(o, "cl");
        break;
    case '4':
        comma(o);
        put_vec(o, r->imm32 >> 4 & 15, r->size);
        break;
    case 'f':
        comma(o);
        put(o, "0x%x:0x%x", (unsigned)(r->imm >> 32 & 0xFFFF), r->imm32);
        break;
    case 'e':
        comma(o);
        put(o, "0x%x, 0x%x", r->imm32 & 0xFFFF, r->imm32 >> 16 & 0xFF);
        break;
    }
}

static void put_name(struct out *o, const struct x86_rec *r)
{
    const char *name = x86_op_info[r->op].name;
    static const char size_letter[4] = { 'b', 'w', 'd', 'q' };

    put(o, "%s%s", r->flags & REC_LOCK ? "lock " : r->flags & REC_REP ? "rep " : r->flags & REC_REPNE ? "repne " : "",
        (r->flags & REC_VEX) && (x86_op_info[r->op].attr & XA_SIMD) && name[0] != 'V' ? "v" : "");
    for (; *name; name++) {
        put(o, "%c", *name >= 'A' && *name <= 'Z' ? *name + 32 : *name);
    }
    if (x86_op_info[r->op].attr & XA_STR) {
        put(o, "%c", size_letter[r->size & 3]);
    }
}

void x86_rec_print(const struct x86_rec *r, uint64_t ip, char *buf, unsigned size)
{
    struct out o = { .buf = buf, .size = size, .first = true };

    if (!size) {
        return;
    }
    buf[0] = '\0';
    if (r->op >= OP_COUNT || r->form >= sizeof(form_letters) / sizeof(form_letters[0])) {
        put(&o, "(bad record)");
        return;
    }
    put_name(&o, r);
    if (is_branch(r->op)) {
        uint64_t target = ip + r->len + r->imm;

        put(&o, " 0x%" PRIx64, r->size == 3 ? target : r->size == 2 ? (uint32_t)target : (uint16_t)target);
        return;
    }
    for (const char *f = form_letters[r->form]; *f; f++) {
        put_operand(&o, r, *f);
    }
}
