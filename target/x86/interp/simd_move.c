/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/interp/simd_move.c - SIMD moves: whole registers, halves, scalars, to and from general registers, masks
 *
 * Loads have FORM_R_RM (VEX merges: FORM_R_V_RM), stores FORM_RM_R (FORM_RM_V_R). Aligned moves check 16 bytes, or 32
 * with VEX.L.
 */
#include "target/x86/interp/simd.h"

/*
 * Whole registers
 */
#define LOAD_XMM(name, la)                                                                                             \
    static X86_OP(name)                                                                                                \
    {                                                                                                                  \
        LO(r->reg) = mem_ld128(cpu, r, la);                                                                            \
        X86_NEXT;                                                                                                      \
    }
#define STORE_XMM(name, la)                                                                                            \
    static X86_OP(name)                                                                                                \
    {                                                                                                                  \
        uint64_t a = la;                                                                                               \
                                                                                                                       \
        mem_st128(cpu, r, a, LO(r->reg));                                                                              \
        X86_NEXT;                                                                                                      \
    }
LOAD_XMM(mov_x_mu, rec_la(cpu, r, 16, false))
LOAD_XMM(mov_x_ma, simd_align(cpu, r, rec_la(cpu, r, 16, false), 16))
STORE_XMM(mov_mu_x, rec_la(cpu, r, 16, true))
STORE_XMM(mov_ma_x, simd_align(cpu, r, rec_la(cpu, r, 16, true), 16))

static X86_OP(mov_x_x)
{
    LO(r->reg) = LO(r->rm);
    X86_NEXT;
}

static X86_OP(mov_x_x_rev)
{
    LO(r->rm) = LO(r->reg);
    X86_NEXT;
}

SIMD_INLINE void vload(struct x86_cpu *cpu, const struct x86_rec *r, bool aligned)
{
    unsigned len = r->flags & REC_VEX_L ? 32 : 16;
    uint64_t la = rec_la(cpu, r, len, false);
    const v128_u *s = simd_host(cpu, r, aligned ? simd_align(cpu, r, la, len) : la, len);
    v128 hi = V128_ZERO;

    if (len == 32) {
        hi = s[1];
    }
    LO(r->reg) = s[0];
    HI(r->reg) = hi;
}

SIMD_INLINE void vstore(struct x86_cpu *cpu, const struct x86_rec *r, bool aligned)
{
    unsigned len = r->flags & REC_VEX_L ? 32 : 16;
    uint64_t la = rec_la(cpu, r, len, true);

    if (aligned) {
        simd_align(cpu, r, la, len);
    }
    if (len == 32) {
        mem_st256(cpu, r, la, LO(r->reg), HI(r->reg));
    } else {
        mem_st128(cpu, r, la, LO(r->reg));
    }
}

static X86_OP(vmov_x_mu) { vload(cpu, r, false); X86_NEXT; }
static X86_OP(vmov_x_ma) { vload(cpu, r, true); X86_NEXT; }
static X86_OP(vmov_mu_x) { vstore(cpu, r, false); X86_NEXT; }
static X86_OP(vmov_ma_x) { vstore(cpu, r, true); X86_NEXT; }

static X86_OP(vmov_x_x)
{
    v128 hi = V128_ZERO;

    if (r->flags & REC_VEX_L) {
        hi = HI(r->rm);
    }
    LO(r->reg) = LO(r->rm);
    HI(r->reg) = hi;
    X86_NEXT;
}

static X86_OP(vmov_x_x_rev)
{
    v128 hi = V128_ZERO;

    if (r->flags & REC_VEX_L) {
        hi = HI(r->reg);
    }
    LO(r->rm) = LO(r->reg);
    HI(r->rm) = hi;
    X86_NEXT;
}

static x86_handler *bind_whole(const struct x86_rec *r, bool aligned)
{
    bool store = r->form == FORM_RM_R;

    if (!(r->flags & REC_MEM)) {
        return r->flags & REC_VEX ? (store ? x86_vmov_x_x_rev : x86_vmov_x_x) : store ? x86_mov_x_x_rev : x86_mov_x_x;
    }
    if (r->flags & REC_VEX) {
        return store ? (aligned ? x86_vmov_ma_x : x86_vmov_mu_x) : aligned ? x86_vmov_x_ma : x86_vmov_x_mu;
    }
    return store ? (aligned ? x86_mov_ma_x : x86_mov_mu_x) : aligned ? x86_mov_x_ma : x86_mov_x_mu;
}

/*
 * Scalars. A load from memory zeroes the rest of the register; register to register keeps the rest of the first source.
 */
static X86_OP(movss_load)
{
    uint32_t v = mem_ld32(cpu, r, rec_la(cpu, r, 4, false));

    simd_put(cpu, r, (v128){ v, 0 });
    X86_NEXT;
}

static X86_OP(movsd_load)
{
    uint64_t v = mem_ld64(cpu, r, rec_la(cpu, r, 8, false));

    simd_put(cpu, r, (v128){ v, 0 });
    X86_NEXT;
}

static X86_OP(movss_store)
{
    mem_st32(cpu, r, rec_la(cpu, r, 4, true), cpu->vec[r->reg].d[0]);
    X86_NEXT;
}

static X86_OP(movsd_store)
{
    mem_st64(cpu, r, rec_la(cpu, r, 8, true), cpu->vec[r->reg].q[0]);
    X86_NEXT;
}

static X86_OP(movss_reg)
{
    cpu->vec[r->reg].d[0] = cpu->vec[r->rm].d[0];
    X86_NEXT;
}

static X86_OP(movss_reg_rev)
{
    cpu->vec[r->rm].d[0] = cpu->vec[r->reg].d[0];
    X86_NEXT;
}

static X86_OP(movsd_reg)
{
    cpu->vec[r->reg].q[0] = cpu->vec[r->rm].q[0];
    X86_NEXT;
}

static X86_OP(movsd_reg_rev)
{
    cpu->vec[r->rm].q[0] = cpu->vec[r->reg].q[0];
    X86_NEXT;
}

/* VEX register forms: FORM_R_V_RM writes reg from rm, FORM_RM_V_R writes rm from reg; the rest comes from vvvv */
SIMD_INLINE void vmov_scalar(struct x86_cpu *cpu, const struct x86_rec *r, unsigned dst, unsigned src, uint64_t mask)
{
    v128 d = LO(r->vvvv);

    d[0] = (d[0] & ~mask) | (LO(src)[0] & mask);
    LO(dst) = d;
    HI(dst) = V128_ZERO;
}

static X86_OP(vmovss_reg) { vmov_scalar(cpu, r, r->reg, r->rm, 0xFFFFFFFF); X86_NEXT; }
static X86_OP(vmovss_reg_rev) { vmov_scalar(cpu, r, r->rm, r->reg, 0xFFFFFFFF); X86_NEXT; }
static X86_OP(vmovsd_reg) { vmov_scalar(cpu, r, r->reg, r->rm, ~0ull); X86_NEXT; }
static X86_OP(vmovsd_reg_rev) { vmov_scalar(cpu, r, r->rm, r->reg, ~0ull); X86_NEXT; }

static x86_handler *bind_scalar(const struct x86_rec *r, bool d)
{
    bool store = r->form == FORM_RM_R || r->form == FORM_RM_V_R;

    if (r->flags & REC_MEM) {
        return store ? (d ? x86_movsd_store : x86_movss_store) : d ? x86_movsd_load : x86_movss_load;
    }
    if (r->flags & REC_VEX) {
        return store ? (d ? x86_vmovsd_reg_rev : x86_vmovss_reg_rev) : d ? x86_vmovsd_reg : x86_vmovss_reg;
    }
    return store ? (d ? x86_movsd_reg_rev : x86_movss_reg_rev) : d ? x86_movsd_reg : x86_movss_reg;
}

/*
 * Halves: the other half comes from the first source
 */
static X86_OP(movlps_load)
{
    uint64_t v = mem_ld64(cpu, r, rec_la(cpu, r, 8, false));

    simd_put(cpu, r, (v128){ v, simd_src1(cpu, r)[1] });
    X86_NEXT;
}

static X86_OP(movhps_load)
{
    uint64_t v = mem_ld64(cpu, r, rec_la(cpu, r, 8, false));

    simd_put(cpu, r, (v128){ simd_src1(cpu, r)[0], v });
    X86_NEXT;
}

static X86_OP(movhps_store)
{
    mem_st64(cpu, r, rec_la(cpu, r, 8, true), cpu->vec[r->reg].q[1]);
    X86_NEXT;
}

static X86_OP(movhlps)
{
    simd_put(cpu, r, (v128){ LO(r->rm)[1], simd_src1(cpu, r)[1] });
    X86_NEXT;
}

static X86_OP(movlhps)
{
    simd_put(cpu, r, (v128){ simd_src1(cpu, r)[0], LO(r->rm)[0] });
    X86_NEXT;
}

/*
 * MOVQ: XMM and m64 or XMM, upper part zeroed; MMX and m64 or MMX
 */
static X86_OP(movq_x_x)
{
    simd_put(cpu, r, (v128){ LO(r->rm)[0], 0 });
    X86_NEXT;
}

static X86_OP(movq_x_x_rev)
{
    LO(r->rm) = (v128){ LO(r->reg)[0], 0 };
    if (r->flags & REC_VEX) {
        HI(r->rm) = V128_ZERO;
    }
    X86_NEXT;
}

static X86_OP(movq_mmx_load)
{
    uint64_t s;

    mmx_wait(cpu, r);
    s = mmx_rm(cpu, r, 8);
    mmx_put(cpu, r->reg, s);
    X86_NEXT;
}

static X86_OP(movq_mmx_store)
{
    mmx_wait(cpu, r);
    if (r->flags & REC_MEM) {
        mem_st64(cpu, r, rec_la(cpu, r, 8, true), MMX(r->reg));
        mmx_use(cpu);
    } else {
        mmx_put(cpu, r->rm, MMX(r->reg));
    }
    X86_NEXT;
}

static x86_handler *bind_movq(const struct x86_rec *r)
{
    bool store = r->form == FORM_RM_R;

    if (r->size == 3 && !(r->flags & REC_VEX)) {
        return store ? x86_movq_mmx_store : x86_movq_mmx_load;
    }
    if (r->flags & REC_MEM) {
        return store ? x86_movsd_store : x86_movsd_load;
    }
    return store ? x86_movq_x_x_rev : x86_movq_x_x;
}

/*
 * MOVD (32 bits), MOVQ_GPR (64 bits): general register or memory
 */
#define MOV_GPR(name, bits, REG)                                                                                       \
    static X86_OP(name##_load)                                                                                         \
    {                                                                                                                  \
        uint##bits##_t v = r->flags & REC_MEM ? mem_ld##bits(cpu, r, rec_la(cpu, r, bits / 8, false)) : REG(r->rm);    \
                                                                                                                       \
        simd_put(cpu, r, (v128){ v, 0 });                                                                              \
        X86_NEXT;                                                                                                      \
    }                                                                                                                  \
    static X86_OP(name##_store)                                                                                        \
    {                                                                                                                  \
        uint##bits##_t v = (uint##bits##_t)LO(r->reg)[0];                                                              \
                                                                                                                       \
        if (r->flags & REC_MEM) {                                                                                      \
            mem_st##bits(cpu, r, rec_la(cpu, r, bits / 8, true), v);                                                   \
        } else {                                                                                                       \
            REG64(r->rm) = v;                                                                                          \
        }                                                                                                              \
        X86_NEXT;                                                                                                      \
    }                                                                                                                  \
    static X86_OP(name##_mmx_load)                                                                                     \
    {                                                                                                                  \
        uint##bits##_t v;                                                                                              \
                                                                                                                       \
        mmx_wait(cpu, r);                                                                                              \
        v = r->flags & REC_MEM ? mem_ld##bits(cpu, r, rec_la(cpu, r, bits / 8, false)) : REG(r->rm);                   \
        mmx_put(cpu, r->reg, v);                                                                                       \
        X86_NEXT;                                                                                                      \
    }                                                                                                                  \
    static X86_OP(name##_mmx_store)                                                                                    \
    {                                                                                                                  \
        uint##bits##_t v = (uint##bits##_t)MMX(r->reg);                                                                \
                                                                                                                       \
        mmx_wait(cpu, r);                                                                                              \
        if (r->flags & REC_MEM) {                                                                                      \
            mem_st##bits(cpu, r, rec_la(cpu, r, bits / 8, true), v);                                                   \
        } else {                                                                                                       \
            REG64(r->rm) = v;                                                                                          \
        }                                                                                                              \
        mmx_use(cpu);                                                                                                  \
        X86_NEXT;                                                                                                      \
    }
MOV_GPR(movd, 32, REG32)
MOV_GPR(movq_gpr, 64, REG64)

static x86_handler *bind_gpr(const struct x86_rec *r, bool q)
{
    bool store = r->form == FORM_RM_R;

    if (r->size == 3 && !(r->flags & REC_VEX)) {
        if (store) {
            return q ? x86_movq_gpr_mmx_store : x86_movd_mmx_store;
        }
        return q ? x86_movq_gpr_mmx_load : x86_movd_mmx_load;
    }
    return store ? (q ? x86_movq_gpr_store : x86_movd_store) : q ? x86_movq_gpr_load : x86_movd_load;
}

/*
 * Between MMX and XMM
 */
static X86_OP(movdq2q)
{
    mmx_wait(cpu, r);
    mmx_put(cpu, r->reg, LO(r->rm)[0]);
    X86_NEXT;
}

static X86_OP(movq2dq)
{
    mmx_wait(cpu, r);
    mmx_use(cpu);
    LO(r->reg) = (v128){ MMX(r->rm), 0 };
    X86_NEXT;
}

/*
 * Sign masks to a general register
 */
#define MOVMSK(name, fn, lane)                                                                                         \
    static X86_OP(name)                                                                                                \
    {                                                                                                                  \
        unsigned m = fn(LO(r->rm));                                                                                    \
                                                                                                                       \
        if (r->flags & REC_VEX_L) {                                                                                    \
            m |= fn(HI(r->rm)) << (lane);                                                                              \
        }                                                                                                              \
        REG64(r->reg) = m;                                                                                             \
        X86_NEXT;                                                                                                      \
    }
MOVMSK(movmskps, signs_d, 4)
MOVMSK(movmskpd, signs_q, 2)
MOVMSK(pmovmskb, signs_b, 16)

static X86_OP(pmovmskb_mmx)
{
    mmx_wait(cpu, r);
    REG64(r->reg) = signs_b((v128){ MMX(r->rm), 0 });
    mmx_use(cpu);
    X86_NEXT;
}

/*
 * MASKMOVQ, MASKMOVDQU: the bytes of reg whose mask byte in rm has its sign set go to seg:rDI. As on Intel's parts,
 * the whole operand must be writable once any byte is selected.
 */
static __attribute__((noinline)) void maskmov(struct x86_cpu *cpu, const struct x86_rec *r, const uint8_t *src,
                                              unsigned mask, unsigned len)
{
    uint64_t di = cpu->regs[R_DI], ea = r->asize == 3 ? di : r->asize == 2 ? (uint32_t)di : (uint16_t)di, la = ea;

    if (!mask) {
        return;
    }
    if (!(r->flags & (REC_FLAT64 | REC_FLAT32))) {
        la = seg_linear(cpu, r, r->seg, ea, len, true);
    }
    if (cpu->mode & MODE_AC && la & 7) {
        x86_raise_err(cpu, r, EXC_AC, 0);
    }
    mem_probe(cpu, r, la, len, true);
    for (unsigned i = 0; i < len; i++) {
        unsigned n = 0;

        while (i + n < len && mask >> (i + n) & 1) {
            n++;
        }
        if (n) {
            mem_st_bytes(cpu, r, la + i, src + i, n);
        }
        i += n;
    }
}

static X86_OP(maskmovq)
{
    mmx_wait(cpu, r);
    maskmov(cpu, r, (const uint8_t *)&MMX(r->reg), signs_b((v128){ MMX(r->rm), 0 }), 8);
    mmx_use(cpu);
    X86_NEXT;
}

static X86_OP(maskmovdqu)
{
    maskmov(cpu, r, cpu->vec[r->reg].b, signs_b(LO(r->rm)), 16);
    X86_NEXT;
}

x86_handler *simd_bind_move(const struct x86_rec *r)
{
    bool mmx = r->size == 3 && !(r->flags & REC_VEX);

    switch (r->op) {
    case OP_MOVAPS: case OP_MOVAPD: case OP_MOVDQA: case OP_MOVNTDQ: case OP_MOVNTPS: case OP_MOVNTPD: case OP_MOVNTDQA:
        return bind_whole(r, true);
    case OP_MOVUPS: case OP_MOVUPD: case OP_MOVDQU: case OP_LDDQU:
        return bind_whole(r, false);
    case OP_MOVSS: case OP_MOVSD:
        return bind_scalar(r, r->op == OP_MOVSD);
    case OP_MOVLPS: case OP_MOVLPD:
        return r->form == FORM_RM_R ? x86_movsd_store : x86_movlps_load;
    case OP_MOVHPS: case OP_MOVHPD:
        return r->form == FORM_RM_R ? x86_movhps_store : x86_movhps_load;
    case OP_MOVHLPS:
        return x86_movhlps;
    case OP_MOVLHPS:
        return x86_movlhps;
    case OP_MOVQ:
        return bind_movq(r);
    case OP_MOVNTQ:
        return x86_movq_mmx_store;
    case OP_MOVD: case OP_MOVQ_GPR:
        return bind_gpr(r, r->op == OP_MOVQ_GPR);
    case OP_MOVDQ2Q:
        return x86_movdq2q;
    case OP_MOVQ2DQ:
        return x86_movq2dq;
    case OP_MOVMSKPS:
        return x86_movmskps;
    case OP_MOVMSKPD:
        return x86_movmskpd;
    case OP_PMOVMSKB:
        return mmx ? x86_pmovmskb_mmx : x86_pmovmskb;
    case OP_MASKMOVQ:
        return x86_maskmovq;
    case OP_MASKMOVDQU:
        return x86_maskmovdqu;
    default:
        return NULL;
    }
}
