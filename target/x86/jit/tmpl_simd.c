/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/jit/tmpl_simd.c - templates: SSE to SSE4.2, AVX, AVX2, FMA, F16C, AES, PCLMULQDQ, SHA
 *
 * Guest register xmm n or ymm n is the host's of the same number, and the guest's MXCSR (exceptions masked) is in
 * the host (fp.h), so an instruction is just encoded again: the decoder's own table (optable.h) is read backwards,
 * from operation and form to opcode, prefix and operand kinds. What the table does not say is how much memory an
 * instruction touches: mem_len().
 *
 * Registers become live in the host at the first instruction of a block that wants them (jit_vec_need): XMM halves
 * only for legacy SSE, all of YMM for VEX. While only the halves are live the upper ones are in cpu->vec, where a
 * legacy instruction leaves them alone, and the host's own are zero (the engine's C code keeps to the ABI), so that
 * there is no penalty for mixing.
 *
 * A legacy 16-byte operand must be aligned, #GP otherwise. That costs nothing: the check of the TLB tag compares
 * the low address bits too (jit_mem_aligned), and C tells a misaligned address from a TLB miss. A host address is
 * aligned as the guest's is.
 *
 * Left to the interpreter: MMX, masked moves and gathers (faults by element), arithmetic while the guest has
 * unmasked an exception (MODE_XM: #XM wants the flags of one instruction), LDMXCSR and the state instructions.
 */
#include "target/x86/jit/jit_int.h"
#include "target/x86/optable.h"

static void host_cpuid(uint32_t leaf, uint32_t *a, uint32_t *b, uint32_t *c)
{
    uint32_t d;

    __asm__ volatile("cpuid" : "=a"(*a), "=b"(*b), "=c"(*c), "=d"(d) : "a"(leaf), "c"(0));
}

void jit_simd_host(struct x86_jit *j)
{
    uint32_t top, a, b, c;

    j->has_avx = __builtin_cpu_supports("avx");     /* the host's kernel has a say too */
    host_cpuid(0, &top, &b, &c);
    host_cpuid(1, &a, &b, &j->host_1_ecx);
    if (top >= 7) {
        host_cpuid(7, &a, &j->host_7_ebx, &c);
    }
}

/* Has the host what the row asks for? The guest's CPUID does not go beyond the host, but a test's may */
static bool host_has(const struct x86_jit *j, const struct x86_rec *r, unsigned feat)
{
    if (r->flags & REC_VEX && !j->has_avx) {
        return false;
    }
    if (feat == X86_FEAT_AVX12) {
        feat = r->flags & REC_VEX_L ? X86_FEAT_AVX2 : X86_FEAT_AVX;
    }
    switch (feat / 32) {
    case X86_FEAT_AVX / 32:
        return j->host_1_ecx >> (feat % 32) & 1;
    case X86_FEAT_AVX2 / 32:
        return j->host_7_ebx >> (feat % 32) & 1;
    default:
        return feat == X86_FEAT_SSE || feat == X86_FEAT_SSE2 || feat == X86_FEAT_MMX;
    }
}

/*
 * Register state
 */
void jit_vec_need(struct jit_tr *t, unsigned kind)
{
    bool keep = t->nat && t->ri[t->i].nat_in;
    uint8_t *cold;

    if (t->vec >= kind) {
        return;
    }
    t->vec = (uint8_t)kind;
    if (keep) {
        jit_flags_save(&t->h);
    } else {
        t->nat = false;
    }
    x64_alui(&t->h, X_CMP, 0, JF(t->cpu, jf.vec_live), (int32_t)kind);
    cold = x64_jcc(&t->h, X_B, 0);
    if (!t->h.overflow) {
        x64_patch(&t->h, cold, x64_pc(&t->c));
    }
    x64_call(&t->c, kind == JV_AVX ? t->j->s_vec_widen : t->j->s_vec[kind]);
    x64_jmp(&t->c, x64_pc(&t->h));
    if (keep) {
        jit_flags_restore(&t->h);
    }
}

/* call: YMM live from whatever was. With XMM live the halves in the host are newer than those in memory */
uintptr_t jit_stub_widen(struct x86_cpu *cpu, const struct x86_jit *j, struct x64_buf *b)
{
    uintptr_t at = x64_pc(b);

    if (!j->has_avx) {
        return j->s_vec[JV_SSE];
    }
    x64_alui(b, X_CMP, 0, x64_abs(&cpu->jf.vec_live), JV_SSE);
    x64_jcc(b, X_B, j->s_vec[JV_AVX]);
    for (unsigned i = 0; i < 16; i++) {
        x64_vex(b, 0x18 | X_0F3A | X_66 | X_VEXL, i, i, x64_abs(&cpu->vec[i].q[2]));    /* VINSERTF128 */
        x64_b1(b, 1);
    }
    x64_st32i(b, x64_abs(&cpu->jf.vec_live), JV_AVX);
    x64_b1(b, 0xC3);
    return at;
}

/*
 * What an operation does beside its encoding
 */

/* No template at all, whatever the operands */
static bool excluded(const struct x86_rec *r)
{
    if (r->size == 3 && !(r->flags & REC_VEX)) {
        return true;
    }
    if ((r->op >= OP_VGATHERDPS && r->op <= OP_VPGATHERQQ) || (r->op >= OP_CVTPI2PS && r->op <= OP_CVTTPD2PI) ||
        (r->op >= OP_VMASKMOVPS && r->op <= OP_VPMASKMOVQ)) {
        return true;
    }
    return r->op == OP_MASKMOVDQU || r->op == OP_MASKMOVQ || r->op == OP_MOVDQ2Q || r->op == OP_MOVQ2DQ ||
           r->op == OP_EMMS;
}

/* May it set a flag in MXCSR? (CVTDQ2PD and the like cannot; nobody cares) */
static bool may_raise(unsigned op)
{
    return (op >= OP_ADDPS && op <= OP_CMPSD) || (op >= OP_ADDSUBPS && op <= OP_DPPD) || op >= OP_VFMADD132PS ||
           op == OP_VCVTPH2PS || op == OP_VCVTPS2PH;
}

bool jit_simd_pure(const struct x86_rec *r)
{
    return x86_op_info[r->op].attr & XA_SIMD && !(r->flags & REC_MEM) && !excluded(r);
}

bool jit_simd_raises(const struct x86_rec *r)
{
    return x86_op_info[r->op].attr & XA_SIMD && may_raise(r->op);
}

/* Forms whose rm is the destination */
static bool is_store(const struct x86_rec *r)
{
    return r->form == FORM_RM_R || r->form == FORM_RM_R_I || r->form == FORM_RM_V_R;
}

uint32_t jit_simd_writes(const struct x86_rec *r)
{
    switch (r->op) {
    case OP_MOVMSKPS: case OP_MOVMSKPD: case OP_PMOVMSKB: case OP_CVTSS2SI: case OP_CVTSD2SI: case OP_CVTTSS2SI:
    case OP_CVTTSD2SI:
        return 1u << (r->reg >> 3);
    case OP_MOVD: case OP_MOVQ_GPR: case OP_PEXTRB: case OP_PEXTRW: case OP_PEXTRD: case OP_PEXTRQ: case OP_EXTRACTPS:
        if (r->form == FORM_R_RM_I) {
            return 1u << (r->reg >> 3);             /* PEXTRW, 0F C5 */
        }
        return is_store(r) && !(r->flags & REC_MEM) ? 1u << (r->rm >> 3) : 0;
    case OP_PCMPESTRI: case OP_PCMPISTRI:
        return 1u << R_CX;
    default:
        return 0;
    }
}

/* Bytes of a memory operand */
static unsigned mem_len(const struct x86_rec *r)
{
    unsigned whole = r->flags & REC_VEX_L ? 32 : 16;

    if (r->op >= OP_VFMADD132PS && r->op <= OP_VFNMSUB231SD) {              /* PS PD SS SD in turn */
        static const uint8_t scalar[4] = { 0, 0, 4, 8 };
        unsigned n = scalar[(r->op - OP_VFMADD132PS) & 3];

        return n ? n : whole;
    }
    switch (r->op) {
    case OP_PINSRB: case OP_PEXTRB: case OP_VPBROADCASTB:
        return 1;
    case OP_PINSRW: case OP_PEXTRW: case OP_VPBROADCASTW:
        return 2;
    case OP_MOVD: case OP_MOVSS: case OP_PINSRD: case OP_PEXTRD: case OP_EXTRACTPS: case OP_INSERTPS: case OP_ADDSS:
    case OP_SUBSS: case OP_MULSS: case OP_DIVSS: case OP_MINSS: case OP_MAXSS: case OP_SQRTSS: case OP_CMPSS:
    case OP_RCPSS: case OP_RSQRTSS: case OP_ROUNDSS: case OP_COMISS: case OP_UCOMISS: case OP_CVTSS2SI:
    case OP_CVTTSS2SI: case OP_CVTSS2SD: case OP_VBROADCASTSS: case OP_VPBROADCASTD:
        return 4;
    case OP_MOVQ: case OP_MOVQ_GPR: case OP_MOVSD: case OP_MOVLPS: case OP_MOVLPD: case OP_MOVHPS: case OP_MOVHPD:
    case OP_PINSRQ: case OP_PEXTRQ: case OP_ADDSD: case OP_SUBSD: case OP_MULSD: case OP_DIVSD: case OP_MINSD:
    case OP_MAXSD: case OP_SQRTSD: case OP_CMPSD: case OP_ROUNDSD: case OP_COMISD: case OP_UCOMISD: case OP_CVTSD2SI:
    case OP_CVTTSD2SI: case OP_CVTSD2SS: case OP_VBROADCASTSD: case OP_VPBROADCASTQ:
        return 8;
    case OP_CVTSI2SS: case OP_CVTSI2SD:
        return r->flags & REC_REXW ? 8 : 4;
    case OP_MOVDDUP:
        return r->flags & REC_VEX_L ? 32 : 8;
    case OP_VBROADCASTF128: case OP_VBROADCASTI128: case OP_VINSERTF128: case OP_VINSERTI128: case OP_VEXTRACTF128:
    case OP_VEXTRACTI128: case OP_PSLLW: case OP_PSLLD: case OP_PSLLQ: case OP_PSRLW: case OP_PSRLD: case OP_PSRLQ:
    case OP_PSRAW: case OP_PSRAD:
        return 16;
    case OP_CVTPS2PD: case OP_CVTDQ2PD: case OP_VCVTPH2PS: case OP_VCVTPS2PH: case OP_PMOVSXBW: case OP_PMOVSXWD:
    case OP_PMOVSXDQ: case OP_PMOVZXBW: case OP_PMOVZXWD: case OP_PMOVZXDQ:
        return whole / 2;
    case OP_PMOVSXBD: case OP_PMOVSXWQ: case OP_PMOVZXBD: case OP_PMOVZXWQ:
        return whole / 4;
    case OP_PMOVSXBQ: case OP_PMOVZXBQ:
        return whole / 8;
    default:
        return whole;
    }
}

/* SDM vol. 2, table 2-21 and vol. 1, 14.9: VEX operands may lie anywhere, but for the moves that say so */
static bool must_align(const struct x86_rec *r, unsigned len)
{
    switch (r->op) {
    case OP_MOVAPS: case OP_MOVAPD: case OP_MOVDQA: case OP_MOVNTDQ: case OP_MOVNTDQA: case OP_MOVNTPS: case OP_MOVNTPD:
        return true;
    case OP_MOVUPS: case OP_MOVUPD: case OP_MOVDQU: case OP_LDDQU:
    case OP_PCMPESTRI: case OP_PCMPESTRM: case OP_PCMPISTRI: case OP_PCMPISTRM:
        return false;
    default:
        return !(r->flags & REC_VEX) && len == 16;
    }
}

/*
 * Encoding
 */

/* The row that the decoder made the record from */
static const struct x86_row *row_of(const struct x86_rec *r)
{
    uint32_t want = (r->flags & REC_MEM ? SEL_MEM : SEL_REG) | (r->flags & REC_VEX_L ? SEL_L1 : SEL_L0);
    enum x86_map_id first = r->flags & REC_VEX ? MAP_VEX1 : MAP_0F;

    static_assert(MAP_0F38 == MAP_0F + 1 && MAP_0F3A == MAP_0F + 2 && MAP_VEX3 == MAP_VEX1 + 2, "three maps in a row");
    for (unsigned m = first; m < first + 3u; m++) {
        const struct x86_map *map = &x86_maps[m];

        for (unsigned i = 1; i < map->nrows; i++) {
            const struct x86_row *row = &map->rows[i];

            if (row->op == r->op && row->size != SIZE_MM && x86_patterns[row->pat].form == r->form &&
                !(want & ~row->sel)) {
                return row;
            }
        }
    }
    return NULL;
}

/* Opcode word of emit_x64.h */
static unsigned op_word(const struct x86_row *row, const struct x86_rec *r)
{
    const struct x86_row *base = x86_maps[r->flags & REC_VEX ? MAP_VEX1 : MAP_0F].rows;
    unsigned op = row->first, w = row->sel & (SEL_W0 | SEL_W1), map = 1;

    for (unsigned m = r->flags & REC_VEX ? MAP_VEX1 : MAP_0F; !(row >= base && row < base + x86_maps[m].nrows); map++) {
        base = x86_maps[++m].rows;
    }
    op |= map * X_0F;
    if (row->size == SIZE_MX || row->sel & SEL_66) {
        op |= X_66;
    }
    op |= row->sel & SEL_F3 ? X_F3 : row->sel & SEL_F2 ? X_F2 : 0;
    if (w == SEL_W1 || (w == (SEL_W0 | SEL_W1) && r->flags & REC_REXW)) {
        op |= X_W;
    }
    return op | (row->size == SIZE_L && r->flags & REC_VEX_L ? X_VEXL : 0);
}

/* ModRM.reg as a part of the opcode: its number */
static unsigned digit(const struct x86_row *row)
{
    return (unsigned)__builtin_ctz(row->sel >> 14 & 0xFF);
}

/*
 * ModRM.reg and .rm in host terms. JT0 stands for a general register that is written and lives in memory: *put is its
 * place then
 */
static unsigned reg_field(struct jit_tr *t, const struct x86_rec *r, const struct x86_row *row, struct x64_rm *put)
{
    const struct x86_pattern_info *pat = &x86_patterns[row->pat];
    unsigned h;

    if (pat->reg == KIND_X) {
        return r->reg;
    }
    if (pat->reg == KIND_NONE) {
        return digit(row);
    }
    h = jit_greg(r->reg >> 3);
    if (h == X_NONE) {
        *put = x64_abs(&t->cpu->regs[r->reg >> 3]);
        h = JT0;
    }
    return h;
}

static struct x64_rm rm_field(struct jit_tr *t, const struct x86_rec *r, const struct x86_row *row, struct x64_rm *put)
{
    struct x64_rm m;

    if (r->flags & REC_MEM) {
        unsigned len = mem_len(r);

        return must_align(r, len) ? jit_mem_aligned(t, len, is_store(r) ? JA_ST : JA_LD) :
                                    jit_mem(t, len, is_store(r) ? JA_ST : JA_LD);
    }
    if (x86_patterns[row->pat].rm == KIND_X) {
        return x64_r(r->rm);
    }
    m = jit_gop(t, r->rm, 3);
    if (m.mem && is_store(r)) {
        *put = m;
        return x64_r(JT0);
    }
    return m;                   /* a source may as well be read from where it lives */
}

static void encode(struct jit_tr *t, const struct x86_rec *r, const struct x86_row *row)
{
    const struct x86_pattern_info *pat = &x86_patterns[row->pat];
    struct x64_rm put = { .mem = false }, rm = rm_field(t, r, row, &put);
    unsigned reg = reg_field(t, r, row, &put), op = op_word(row, r);

    if (r->flags & REC_VEX) {
        x64_vex(&t->h, op, reg, pat->vvvv ? r->vvvv : 0, rm);
    } else {
        x64_op(&t->h, op, reg, rm);
    }
    if (pat->imm != IMM_NONE) {
        x64_b1(&t->h, r->imm32 & 0xFF);
    }
    if (put.mem) {
        x64_st(&t->h, put, JT0);        /* the instruction has zero-extended it */
    }
}

/* Outside 64-bit mode only eight registers count: VEX.128 moves and logic do the same to one each */
static void zero_upper(struct jit_tr *t, bool all)
{
    if (t->mode & MODE_64) {
        x64_b1(&t->h, 0xC5);
        x64_b1(&t->h, all ? 0xFC : 0xF8);
        x64_b1(&t->h, 0x77);
        return;
    }
    for (unsigned i = 0; i < 8; i++) {
        if (all) {
            x64_vex(&t->h, 0xEF | X_0F | X_66, i, i, x64_r(i));         /* VPXOR */
        } else {
            x64_vex(&t->h, 0x28 | X_0F, i, 0, x64_r(i));                /* VMOVAPS */
        }
    }
}

static bool tmpl_vec(struct jit_tr *t, const struct x86_rec *r)
{
    const struct x86_row *row = row_of(r);

    if (!row || !host_has(t->j, r, row->feat) || (t->mode & MODE_XM && may_raise(r->op)) ||
        (r->flags & REC_MEM && !jit_mem_ok(t, r))) {
        return false;
    }
    jit_vec_need(t, r->flags & REC_VEX ? JV_AVX : JV_SSE);
    if (r->op == OP_VZEROUPPER || r->op == OP_VZEROALL) {
        zero_upper(t, r->op == OP_VZEROALL);
        return true;
    }
    if (r->op == OP_VCVTPS2PH && r->flags & REC_MEM) {
        /* its flags stay set when the store faults: convert once for them alone */
        x64_vex(&t->h, op_word(row, r), r->reg, 0, x64_abs(t->cpu->rmw_buf));
        x64_b1(&t->h, r->imm32 & 0xFF);
    }
    encode(t, r, row);
    if (x86_op_info[r->op].wr) {
        jit_fl_pushf(t);
    }
    return true;
}

bool jit_tmpl_simd(struct jit_tr *t, const struct x86_rec *r)
{
    return x86_op_info[r->op].attr & XA_SIMD && !excluded(r) && tmpl_vec(t, r);
}
