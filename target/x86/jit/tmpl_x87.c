/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/jit/tmpl_x87.c - templates: x87 on the host's own stack
 *
 * While jf.x87_live is set, guest ST(i) is the host's ST(i), and TOP, tags and status word are the host's too; else
 * they are in cpu->fpu and the host's stack is empty. The host's control word is the guest's either way. The first x87
 * or MMX instruction of a block loads the state if it is not live yet (jit_x87_need); what calls C saves it first
 * (stubs.c). FNSAVE and FRSTOR do that: unlike FXRSTOR they leave the vector registers alone, and XSAVE with XRSTOR
 * would be only 30 of 250 cycles faster.
 *
 * The instruction itself is the guest's: a record keeps the last-instruction opcode (FOP), which holds all of opcode
 * and ModRM.
 *
 * Only with all exceptions masked, as they are in all but a few programs. Then no flag in the status word can make an
 * exception pending (fpu_update_es() after everything that loads a status or control word), nothing has to wait, and
 * flags just gather in the host. With one unmasked (MODE_XF, a bit of the mode that blocks are keyed by) the
 * interpreter does all of it.
 *
 * The host's instruction and operand pointers are never shown. Where the CPU model records the guest's at every
 * instruction (fp.h, X87_*_ALWAYS), they are stored behind each one, but for those that the next one overwrites unseen.
 */
#include "target/x86/jit/jit_int.h"
#include "target/x86/fp.h"
#include <stddef.h>

/*
 * The state between host and cpu->fpu. FNSAVE image, 32-bit protected-mode format (SDM vol. 1, figure 8-9); ST(0) comes
 * first
 */
enum { IMG_CW = 0, IMG_SW = 4, IMG_TAG = 8, IMG_ST = 28, IMG_ST_SIZE = 10 };

static struct x64_rm image(struct x86_cpu *cpu, unsigned off)
{
    return x64_abs(cpu->jf.x87_image + off);
}

static void ld16(struct x64_buf *b, unsigned reg, struct x64_rm m)
{
    x64_op(b, 0xB7 | X_0F, reg, m);                     /* MOVZX */
}

static void st16(struct x64_buf *b, struct x64_rm m, unsigned reg)
{
    x64_op(b, 0x89 | X_66, reg, m);
}

static void st16i(struct x64_buf *b, struct x64_rm m, unsigned v)
{
    x64_op(b, 0xC7 | X_66, 0, m);
    x64_b1(b, v & 0xFF);
    x64_b1(b, v >> 8);
}

enum { SHL = 4, SHR = 5 };
static void shift(struct x64_buf *b, unsigned how, unsigned reg, unsigned n)
{
    x64_op(b, 0xC1, how, x64_r(reg));
    x64_b1(b, n);
}

static void mov32(struct x64_buf *b, unsigned to, unsigned from)
{
    x64_op(b, 0x8B, to, x64_r(from));
}

static void not32(struct x64_buf *b, unsigned reg)
{
    x64_op(b, 0xF7, 2, x64_r(reg));
}

/* EAX = (EAX | EAX << n or >> n) & mask; EDX is lost */
static void fold(struct x64_buf *b, unsigned how, unsigned n, uint32_t mask)
{
    mov32(b, X_DX, X_AX);
    shift(b, how, X_DX, n);
    x64_alu(b, X_OR, 0, X_AX, x64_r(X_DX));
    x64_alui(b, X_AND, 0, x64_r(X_AX), (int32_t)mask);
}

/* ECX = TOP: the registers in stack order to or from the image; EAX, ECX, EDX are lost */
static void copy_regs(struct x86_cpu *cpu, struct x64_buf *b, bool save)
{
    struct x64_rm m = x64_m(X_CX, X_NONE, 0, (int32_t)(uintptr_t)&cpu->fpu.r[0].m);
    struct x64_rm se = x64_m(X_CX, X_NONE, 0, (int32_t)(uintptr_t)&cpu->fpu.r[0].se);

    static_assert(sizeof(struct x87_reg) == 16, "TOP << 4");
    shift(b, SHL, X_CX, 4);
    for (unsigned i = 0; i < 8; i++) {
        struct x64_rm im = image(cpu, IMG_ST + i * IMG_ST_SIZE), ise = image(cpu, IMG_ST + i * IMG_ST_SIZE + 8);

        x64_ld(b, X_AX, save ? im : m);
        ld16(b, X_DX, save ? ise : se);
        x64_st(b, save ? m : im, X_AX);
        st16(b, save ? se : ise, X_DX);
        x64_alui(b, X_ADD, 0, x64_r(X_CX), 16);
        x64_alui(b, X_AND, 0, x64_r(X_CX), 0x70);
    }
}

/* Guest registers are in memory already; scratch registers (JT*) keep their values */
void jit_x87_save(struct x86_cpu *cpu, struct x64_buf *b)
{
    x64_op(b, 0xDD, 6, image(cpu, 0));                  /* FNSAVE */
    x64_op(b, 0xD9, 5, JF(cpu, fpu.fcw));               /* FLDCW */
    ld16(b, X_AX, image(cpu, IMG_TAG));                 /* 3: empty; two bits each to one */
    mov32(b, X_DX, X_AX);
    shift(b, SHR, X_DX, 1);
    x64_alu(b, X_AND, 0, X_AX, x64_r(X_DX));
    not32(b, X_AX);
    x64_alui(b, X_AND, 0, x64_r(X_AX), 0x5555);
    fold(b, SHR, 1, 0x3333);
    fold(b, SHR, 2, 0x0F0F);
    fold(b, SHR, 4, 0xFF);
    x64_op(b, 0x88, X_AX, JF(cpu, fpu.ftw));
    ld16(b, X_AX, image(cpu, IMG_SW));
    mov32(b, X_CX, X_AX);
    shift(b, SHR, X_CX, 11);
    x64_alui(b, X_AND, 0, x64_r(X_CX), 7);
    x64_op(b, 0x88, X_CX, JF(cpu, fpu.top));
    x64_alui(b, X_AND, 0, x64_r(X_AX), ~(7 << 11));
    st16(b, JF(cpu, fpu.fsw), X_AX);
    copy_regs(cpu, b, true);
}

/* Guest registers are live; host flags are lost */
void jit_x87_load(struct x86_cpu *cpu, struct x64_buf *b)
{
    static const uint8_t used[3] = { X_AX, X_CX, X_DX };

    for (unsigned i = 0; i < 3; i++) {
        x64_st(b, JF(cpu, jf.x87_tmp[i]), used[i]);
    }
    ld16(b, X_AX, JF(cpu, fpu.fcw));
    st16(b, image(cpu, IMG_CW), X_AX);
    x64_op(b, 0xB6 | X_0F, X_AX, JF(cpu, fpu.ftw));     /* MOVZX; one bit each to two, 3: empty */
    not32(b, X_AX);
    x64_alui(b, X_AND, 0, x64_r(X_AX), 0xFF);
    fold(b, SHL, 4, 0x0F0F);
    fold(b, SHL, 2, 0x3333);
    fold(b, SHL, 1, 0x5555);
    x64_op(b, 0x8D, X_AX, x64_m(X_AX, X_AX, 1, 0));     /* LEA: times 3 */
    st16(b, image(cpu, IMG_TAG), X_AX);
    x64_op(b, 0xB6 | X_0F, X_CX, JF(cpu, fpu.top));
    ld16(b, X_AX, JF(cpu, fpu.fsw));
    mov32(b, X_DX, X_CX);
    shift(b, SHL, X_DX, 11);
    x64_alu(b, X_OR, 0, X_AX, x64_r(X_DX));
    st16(b, image(cpu, IMG_SW), X_AX);
    copy_regs(cpu, b, false);
    x64_op(b, 0xDD, 4, image(cpu, 0));                  /* FRSTOR */
    for (unsigned i = 0; i < 3; i++) {
        x64_ld(b, used[i], JF(cpu, jf.x87_tmp[i]));
    }
}

void jit_x87_need(struct jit_tr *t)
{
    bool keep = t->nat && t->ri[t->i].nat_in;
    uint8_t *cold;

    if (t->x87) {
        return;
    }
    t->x87 = 1;
    if (keep) {
        jit_flags_save(&t->h);
    } else {
        t->nat = false;
    }
    x64_alui(&t->h, X_CMP, 0, JF(t->cpu, jf.x87_live), 0);
    cold = x64_jcc(&t->h, X_Z, 0);
    if (!t->h.overflow) {
        x64_patch(&t->h, cold, x64_pc(&t->c));
    }
    x64_call(&t->c, t->j->s_x87);
    x64_jmp(&t->c, x64_pc(&t->h));
    if (keep) {
        jit_flags_restore(&t->h);
    }
}

/*
 * What an operation is beside its encoding
 */
static bool is_control(unsigned op)
{
    switch (op) {
    case OP_FLDCW: case OP_FNSTCW: case OP_FNSTSW_M: case OP_FNSTSW_AX: case OP_FNCLEX: case OP_FNINIT: case OP_FWAIT:
    case OP_FLDENV: case OP_FNSTENV: case OP_FNSAVE: case OP_FRSTOR:
        return true;
    default:
        return false;
    }
}

bool jit_x87_pure(const struct x86_rec *r)
{
    return !(r->flags & REC_MEM) && (x86_op_info[r->op].attr & XA_FPU || jit_mmx_pure(r));
}

/* Memory operand: @len bytes of what the D8-DF group of opcode and ModRM.reg says (SDM vol. 2, tables) */
static unsigned mem_len(const struct x86_rec *r, enum jit_acc *acc)
{
    static const uint8_t store[8] = {       /* by opcode, a bit for each ModRM.reg */
        [1] = 1 << 2 | 1 << 3, [3] = 1 << 1 | 1 << 2 | 1 << 3 | 1 << 7, [5] = 1 << 1 | 1 << 2 | 1 << 3 | 1 << 7,
        [7] = 1 << 1 | 1 << 2 | 1 << 3 | 1 << 6 | 1 << 7,
    };
    static const uint8_t len[8] = { 4, 4, 4, 4, 8, 8, 2, 2 };
    unsigned opc = r->imm32 >> 8 & 7, reg = r->imm32 >> 3 & 7;

    *acc = store[opc] >> reg & 1 ? JA_ST : JA_LD;
    switch (opc << 3 | reg) {
    case 3 << 3 | 5: case 3 << 3 | 7:       /* FLD, FSTP m80 */
    case 7 << 3 | 4: case 7 << 3 | 6:       /* FBLD, FBSTP */
        return 10;
    case 7 << 3 | 5: case 7 << 3 | 7:       /* FILD, FISTP m64 */
        return 8;
    case 5 << 3 | 7:                        /* FNSTSW m16 */
        return 2;
    default:
        return len[opc];
    }
}

/*
 * Pointers: fpu_ptrs() of the interpreter, without an unmasked exception
 */
static void store_sel(struct jit_tr *t, struct x64_rm to, unsigned seg)
{
    if (t->cpu->fpu.ptr_rule & X87_NO_SELECTORS || t->mode & MODE_64) {
        st16i(&t->h, to, 0);
        return;
    }
    ld16(&t->h, JT2, JF(t->cpu, seg[seg].sel));
    st16(&t->h, to, JT2);
}

/* Does the next record overwrite FIP before anybody can look? */
static bool fip_dead(const struct jit_tr *t)
{
    const struct x86_rec *next = &t->b->recs[t->i + 1];

    return t->i + 1 < t->n && !t->site[t->i + 1] && x86_op_info[next->op].attr & XA_FPU && !(next->flags & REC_MEM) &&
           !is_control(next->op);
}

/* Behind the instruction; changes no flags */
static void pointers(struct jit_tr *t, const struct x86_rec *r)
{
    unsigned rule = t->cpu->fpu.ptr_rule;

    if (rule & X87_FIP_ALWAYS && !fip_dead(t)) {
        x64_ld(&t->h, JT2, JF(t->cpu, regs[REG_RIP]));
        x64_op(&t->h, 0x8D | (t->mode & MODE_64 ? X_W : 0), JT2,
               x64_m(JT2, X_NONE, 0, (int32_t)t->jb->page_off + (int32_t)r->off));
        x64_st(&t->h, JF(t->cpu, fpu.fip), JT2);
        store_sel(t, JF(t->cpu, fpu.fcs), SEG_CS);
    }
    if (rule & X87_FDP_ALWAYS && r->flags & REC_MEM) {
        jit_lea(t, JT2);
        x64_st(&t->h, JF(t->cpu, fpu.fdp), JT2);
        store_sel(t, JF(t->cpu, fpu.fds), r->seg);
    }
}

/*
 * Templates
 */

/* The control word: cpu->fpu.fcw and the host's. One that unmasks an exception is for the interpreter */
static bool tmpl_fldcw(struct jit_tr *t, const struct x86_rec *r)
{
    bool keep;

    if (!jit_mem_ok(t, r)) {
        return false;
    }
    ld16(&t->h, JT0, jit_mem(t, 2, JA_LD));
    keep = t->nat && t->ri[t->i].nat_in;
    if (keep) {
        jit_flags_save(&t->h);
    } else {
        t->nat = false;
    }
    x64_alui(&t->h, X_AND, 0, x64_r(JT0), 0x1F7F);
    x64_alui(&t->h, X_OR, 0, x64_r(JT0), 0x40);
    mov32(&t->h, JT1, JT0);
    not32(&t->h, JT1);
    x64_op(&t->h, 0xF7, 0, x64_r(JT1));                 /* TEST */
    x64_b4(&t->h, 0x3F);
    jit_check_out(t, x64_jcc(&t->h, X_NZ, 0));
    st16(&t->h, JF(t->cpu, fpu.fcw), JT0);
    x64_op(&t->h, 0xD9, 5, JF(t->cpu, fpu.fcw));
    if (keep) {
        jit_flags_restore(&t->h);
    }
    return true;
}

static bool tmpl_fnstcw(struct jit_tr *t, const struct x86_rec *r)
{
    struct x64_rm m;

    if (!jit_mem_ok(t, r)) {
        return false;
    }
    m = jit_mem(t, 2, JA_ST);
    ld16(&t->h, JT2, JF(t->cpu, fpu.fcw));
    st16(&t->h, m, JT2);
    return true;
}

static bool tmpl_fninit(struct jit_tr *t)
{
    static_assert(offsetof(struct x86_fpu, fds) == offsetof(struct x86_fpu, fcs) + 2, "both at once");
    jit_x87_need(t);
    x64_b1(&t->h, 0xDB);
    x64_b1(&t->h, 0xE3);
    st16i(&t->h, JF(t->cpu, fpu.fcw), 0x37F);
    st16i(&t->h, JF(t->cpu, fpu.fop), 0);
    x64_st64i(&t->h, JF(t->cpu, fpu.fip), 0);
    x64_st64i(&t->h, JF(t->cpu, fpu.fdp), 0);
    x64_st32i(&t->h, JF(t->cpu, fpu.fcs), 0);
    return true;
}

/* The instruction as it is, on memory or registers */
static bool tmpl_same(struct jit_tr *t, const struct x86_rec *r)
{
    unsigned opc = 0xD8 | (r->imm32 >> 8 & 7), modrm = r->imm32 & 0xFF;

    if (r->flags & REC_MEM) {
        enum jit_acc acc;
        unsigned len = mem_len(r, &acc);

        if (!jit_mem_ok(t, r)) {
            return false;
        }
        jit_x87_need(t);
        x64_op(&t->h, opc, modrm >> 3 & 7, jit_mem(t, len, acc));
    } else {
        if (x86_op_info[r->op].rd && !t->nat) {         /* FCMOVcc */
            return false;
        }
        jit_x87_need(t);
        x64_b1(&t->h, opc);
        x64_b1(&t->h, modrm);
    }
    if (!is_control(r->op)) {
        pointers(t, r);
    }
    if (x86_op_info[r->op].wr) {                        /* FCOMI and its kin */
        jit_fl_pushf(t);
    }
    return true;
}

bool jit_tmpl_x87(struct jit_tr *t, const struct x86_rec *r)
{
    if (t->mode & MODE_XF) {
        return false;
    }
    if (!(x86_op_info[r->op].attr & XA_FPU)) {
        return jit_tmpl_mmx(t, r);
    }
    switch (r->op) {
    case OP_FLDENV:
    case OP_FNSTENV:
    case OP_FNSAVE:
    case OP_FRSTOR:
        return false;
    case OP_FWAIT:
        return true;
    case OP_FLDCW:
        return tmpl_fldcw(t, r);
    case OP_FNSTCW:
        return tmpl_fnstcw(t, r);
    case OP_FNINIT:
        return tmpl_fninit(t);
    default:
        return tmpl_same(t, r);
    }
}
