/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/interp/simd_misc.c - inserts, extracts, blends by a register mask, PTEST, EMMS
 */
#include "target/x86/interp/simd.h"

/* EMMS: all x87 registers empty, TOP 0 (SDM vol. 1, table 9-2) */
static X86_OP(emms)
{
    mmx_wait(cpu, r);
    cpu->fpu.top = 0;
    cpu->fpu.ftw = 0;
    X86_NEXT;
}

/*
 * PINSRx: an element from a general register or memory; the rest from the first source
 */
#define PINSR(n, bits, e, count, REG)                                                                                  \
    static X86_OP(n)                                                                                                   \
    {                                                                                                                  \
        uint##bits##_t v = r->flags & REC_MEM ? mem_ld##bits(cpu, r, rec_la(cpu, r, bits / 8, false)) : REG;           \
                                                                                                                       \
        simd_put(cpu, r, simd_src1(cpu, r));                                                                           \
        cpu->vec[r->reg].e[SIMD_IMM & ((count) - 1)] = v;                                                              \
        X86_NEXT;                                                                                                      \
    }
PINSR(pinsrb, 8, b, 16, (uint8_t)REG32(r->rm))
PINSR(pinsrw, 16, w, 8, (uint16_t)REG32(r->rm))
PINSR(pinsrd, 32, d, 4, REG32(r->rm))
PINSR(pinsrq, 64, q, 2, REG64(r->rm))

static X86_OP(pinsrw_mmx)
{
    unsigned sh = 16 * (SIMD_IMM & 3);
    uint64_t v;

    mmx_wait(cpu, r);
    v = r->flags & REC_MEM ? mem_ld16(cpu, r, rec_la(cpu, r, 2, false)) : (uint16_t)REG32(r->rm);
    mmx_put(cpu, r->reg, (MMX(r->reg) & ~(0xFFFFull << sh)) | v << sh);
    X86_NEXT;
}

/*
 * PEXTRx: to a general register (zero extended) or memory
 */
#define PEXTR(n, bits, e, count)                                                                                       \
    static X86_OP(n)                                                                                                   \
    {                                                                                                                  \
        uint##bits##_t v = cpu->vec[r->reg].e[SIMD_IMM & ((count) - 1)];                                               \
                                                                                                                       \
        if (r->flags & REC_MEM) {                                                                                      \
            mem_st##bits(cpu, r, rec_la(cpu, r, bits / 8, true), v);                                                   \
        } else {                                                                                                       \
            REG64(r->rm) = v;                                                                                          \
        }                                                                                                              \
        X86_NEXT;                                                                                                      \
    }
PEXTR(pextrb, 8, b, 16)
PEXTR(pextrw, 16, w, 8)
PEXTR(pextrd, 32, d, 4)
PEXTR(pextrq, 64, q, 2)

/* PEXTRW 0F C5: the vector register is rm */
static X86_OP(pextrw_reg)
{
    REG64(r->reg) = cpu->vec[r->rm].w[SIMD_IMM & 7];
    X86_NEXT;
}

static X86_OP(pextrw_mmx)
{
    mmx_wait(cpu, r);
    REG64(r->reg) = MMX(r->rm) >> (16 * (SIMD_IMM & 3)) & 0xFFFF;
    mmx_use(cpu);
    X86_NEXT;
}

/* INSERTPS: imm 7:6 source element (a memory operand is one element), 5:4 destination, 3:0 zero mask */
static X86_OP(insertps)
{
    uint32_t v = r->flags & REC_MEM ? mem_ld32(cpu, r, rec_la(cpu, r, 4, false)) : cpu->vec[r->rm].d[SIMD_IMM >> 6];

    simd_put(cpu, r, simd_src1(cpu, r));
    cpu->vec[r->reg].d[SIMD_IMM >> 4 & 3] = v;
    LO(r->reg) &= ~imm_mask_d(SIMD_IMM);
    X86_NEXT;
}

/*
 * Blends by the signs of a register: XMM0, or the fourth register of the VEX form
 */
#define BLENDV(n, mask)                                                                                                \
    static X86_OP(n)                                                                                                   \
    {                                                                                                                  \
        v128 s = simd_rm(cpu, r, 16, true);                                                                            \
                                                                                                                       \
        LO(r->reg) = lane_blend(LO(r->reg), s, mask(LO(0)));                                                           \
        X86_NEXT;                                                                                                      \
    }                                                                                                                  \
    static X86_OP(v##n)                                                                                                \
    {                                                                                                                  \
        const v128_u *s = simd_src(cpu, r, r->flags & REC_VEX_L ? 32 : 16);                                            \
        unsigned m = r->imm32 >> 4 & 15;                                                                               \
        v128 hi = V128_ZERO;                                                                                           \
        v128 lo = lane_blend(LO(r->vvvv), s[0], mask(LO(m)));                                                          \
                                                                                                                       \
        if (r->flags & REC_VEX_L) {                                                                                    \
            hi = lane_blend(HI(r->vvvv), s[1], mask(HI(m)));                                                           \
        }                                                                                                              \
        LO(r->reg) = lo;                                                                                               \
        HI(r->reg) = hi;                                                                                               \
        X86_NEXT;                                                                                                      \
    }
BLENDV(pblendvb, mask_b)
BLENDV(blendvps, mask_d)
BLENDV(blendvpd, mask_q)

/*
 * PTEST, VTESTPx: ZF: no bit in both; CF: no bit of the source outside the destination. The others are cleared.
 */
SIMD_INLINE v128 all_bits(v128 v) { return v; }
#define TEST(n, pick)                                                                                                  \
    static X86_OP(n)                                                                                                   \
    {                                                                                                                  \
        v128 a = LO(r->reg), s, both, only;                                                                            \
                                                                                                                       \
        if (r->flags & REC_VEX_L) {                                                                                    \
            const v128_u *p = simd_src(cpu, r, 32);                                                                    \
            v128 ah = HI(r->reg), sl = p[0], sh = p[1];                                                                \
                                                                                                                       \
            both = pick(sl & a) | pick(sh & ah);                                                                       \
            only = pick(sl & ~a) | pick(sh & ~ah);                                                                     \
        } else {                                                                                                       \
            s = simd_rm(cpu, r, 16, true);                                                                             \
            both = pick(s & a);                                                                                        \
            only = pick(s & ~a);                                                                                       \
        }                                                                                                              \
        flags_set_arith(cpu, (both[0] | both[1] ? 0 : FL_ZF) | (only[0] | only[1] ? 0 : FL_CF));                       \
        X86_NEXT;                                                                                                      \
    }
TEST(ptest, all_bits)
TEST(vtestps, mask_d)
TEST(vtestpd, mask_q)

x86_handler *simd_bind_misc(const struct x86_rec *r)
{
    bool mmx = r->size == 3 && !(r->flags & REC_VEX);

    switch (r->op) {
    case OP_EMMS:
        return x86_emms;
    case OP_PINSRB:
        return x86_pinsrb;
    case OP_PINSRW:
        return mmx ? x86_pinsrw_mmx : x86_pinsrw;
    case OP_PINSRD:
        return x86_pinsrd;
    case OP_PINSRQ:
        return x86_pinsrq;
    case OP_PEXTRB:
        return x86_pextrb;
    case OP_PEXTRW:
        return mmx ? x86_pextrw_mmx : r->form == FORM_R_RM_I ? x86_pextrw_reg : x86_pextrw;
    case OP_PEXTRD: case OP_EXTRACTPS:
        return x86_pextrd;
    case OP_PEXTRQ:
        return x86_pextrq;
    case OP_INSERTPS:
        return x86_insertps;
    case OP_PBLENDVB:
        return x86_pblendvb;
    case OP_BLENDVPS:
        return x86_blendvps;
    case OP_BLENDVPD:
        return x86_blendvpd;
    case OP_VPBLENDVB:
        return x86_vpblendvb;
    case OP_VBLENDVPS:
        return x86_vblendvps;
    case OP_VBLENDVPD:
        return x86_vblendvpd;
    case OP_PTEST:
        return x86_ptest;
    case OP_VTESTPS:
        return x86_vtestps;
    case OP_VTESTPD:
        return x86_vtestpd;
    default:
        return NULL;
    }
}
