/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/interp/xsave.c - FXSAVE, FXRSTOR, the XSAVE family, LDMXCSR, STMXCSR (SDM vol. 1, 10.5 and chapter 13)
 *
 *     0    legacy region (FXSAVE image): FCW FSW FTW 0 FOP FIP FDP, MXCSR and its mask at 24,
 *          ST(0)..ST(7) at 32 + 16 i, XMM0..15 at 160 + 16 i
 *     512  header: XSTATE_BV, XCOMP_BV, zero to 575
 *     576  upper halves of YMM0..15 (the compacted form has them there too: AVX is the only extended component)
 *
 * Only the bytes of the components asked for are written. An image is made or read in a local buffer, so that a page
 * fault changes nothing.
 */
#include "target/x86/interp/fpu.h"
#include "target/x86/interp/simd.h"

enum {
    FX_MXCSR = 24, FX_ST = 32, FX_XMM = 160, FX_END = 416, FX_SIZE = 512,
    XS_BV = 512, XS_COMP = 520, XS_RESERVED = 528, XS_AVX = 576, XS_SIZE = 832,
};
#define XCOMP_COMPACTED (1ull << 63)

static unsigned vec_count(const struct x86_cpu *cpu)
{
    return cpu->mode & MODE_64 ? 16 : 8;
}

static void put16(uint8_t *p, uint16_t v) { memcpy(p, &v, 2); }
static void put32(uint8_t *p, uint32_t v) { memcpy(p, &v, 4); }
static void put64(uint8_t *p, uint64_t v) { memcpy(p, &v, 8); }
static uint16_t get16(const uint8_t *p) { uint16_t v; memcpy(&v, p, 2); return v; }
static uint32_t get32(const uint8_t *p) { uint32_t v; memcpy(&v, p, 4); return v; }
static uint64_t get64(const uint8_t *p) { uint64_t v; memcpy(&v, p, 8); return v; }

/*
 * The parts of an image
 */
static void x87_make(struct x86_cpu *cpu, const struct x86_rec *r, uint8_t *buf)
{
    const struct x86_fpu *f = &cpu->fpu;

    put16(buf, f->fcw);
    put16(buf + 2, (f->fsw & ~FSW_TOP) | f->top << 11);
    buf[4] = f->ftw;
    buf[5] = 0;
    put16(buf + 6, f->fop);
    if (r->flags & REC_REXW) {
        put64(buf + 8, f->fip);
        put64(buf + 16, f->fdp);
    } else {
        put32(buf + 8, (uint32_t)f->fip);
        put32(buf + 12, f->fcs);
        put32(buf + 16, (uint32_t)f->fdp);
        put32(buf + 20, f->fds);
    }
    for (unsigned i = 0; i < 8; i++) {
        memset(buf + FX_ST + 16 * i, 0, 16);
        memcpy(buf + FX_ST + 16 * i, fpu_st(cpu, i), 10);
    }
}

static void x87_load(struct x86_cpu *cpu, const struct x86_rec *r, const uint8_t *buf)
{
    struct x86_fpu *f = &cpu->fpu;
    uint16_t sw = get16(buf + 2);
    bool sel = !(f->ptr_rule & X87_NO_SELECTORS);

    f->fsw = sw & ~FSW_TOP;
    f->top = sw >> 11 & 7;
    f->ftw = buf[4];
    f->fop = get16(buf + 6) & 0x7FF;
    f->fcs = f->fds = 0;
    if (r->flags & REC_REXW) {
        f->fip = get64(buf + 8);
        f->fdp = get64(buf + 16);
    } else {
        f->fip = get32(buf + 8);
        f->fdp = get32(buf + 16);
        f->fcs = sel ? get16(buf + 12) : 0;
        f->fds = sel ? get16(buf + 20) : 0;
    }
    for (unsigned i = 0; i < 8; i++) {
        struct x87_reg *st = fpu_st(cpu, i);

        memset(st, 0, sizeof(*st));
        memcpy(st, buf + FX_ST + 16 * i, 10);
    }
    fpu_set_cw(cpu, get16(buf));
}

static void x87_reset(struct x86_cpu *cpu)
{
    memset(cpu->fpu.r, 0, sizeof(cpu->fpu.r));
    fpu_init(cpu);
}

static bool x87_in_use(const struct x86_cpu *cpu)
{
    const struct x86_fpu *f = &cpu->fpu;
    uint64_t any = f->fip | f->fdp | f->fop | f->fcs | f->fds | f->fsw | f->top | f->ftw | (f->fcw ^ 0x37F);

    for (unsigned i = 0; i < 8; i++) {
        any |= f->r[i].m | f->r[i].se;
    }
    return any;
}

static bool vec_in_use(const struct x86_cpu *cpu, unsigned lane)
{
    uint64_t any = 0;

    for (unsigned i = 0; i < 16; i++) {
        any |= cpu->vec[i].q[2 * lane] | cpu->vec[i].q[2 * lane + 1];
    }
    return any;
}

static void vec_make(const struct x86_cpu *cpu, uint8_t *buf, unsigned lane)
{
    for (unsigned i = 0; i < vec_count(cpu); i++) {
        memcpy(buf + 16 * i, &cpu->vec[i].q[2 * lane], 16);
    }
}

/* NULL: the initial state, zero */
static void vec_load(struct x86_cpu *cpu, const uint8_t *buf, unsigned lane)
{
    for (unsigned i = 0; i < vec_count(cpu); i++) {
        if (buf) {
            memcpy(&cpu->vec[i].q[2 * lane], buf + 16 * i, 16);
        } else {
            memset(&cpu->vec[i].q[2 * lane], 0, 16);
        }
    }
}

static void mxcsr_make(struct x86_cpu *cpu, uint8_t *buf)
{
    x86_fp_sync(cpu);
    put32(buf + FX_MXCSR, cpu->fpu.mxcsr);
    put32(buf + FX_MXCSR + 4, MXCSR_VALID);
}

/*
 * Alignment: #GP(0), or #AC with alignment checks on; but a non-canonical address goes first: #SS(0) for a stack
 * operand
 */
static void check_align(struct x86_cpu *cpu, const struct x86_rec *r, uint64_t la, unsigned n)
{
    if (la & (n - 1)) {
        if (cpu->mode & MODE_64 && (la + (1ull << 47)) >> 48) {
            mem_probe(cpu, r, la, 1, false);
        }
        if (cpu->mode & MODE_AC) {
            x86_raise_err(cpu, r, EXC_AC, 0);
        }
        simd_gp(cpu, r);
    }
}

static void check(struct x86_cpu *cpu, const struct x86_rec *r, bool ok)
{
    if (!ok) {
        x86_raise_err(cpu, r, EXC_GP, 0);
    }
}

/*
 * FXSAVE, FXRSTOR. EFER.FFXSR: CPL 0 code in 64-bit mode leaves XMM out (APM vol. 2, 11.4.4).
 */
static bool fx_fast(const struct x86_cpu *cpu)
{
    return cpu->efer & EFER_FFXSR && cpu->cpl == 0 && cpu->mode & MODE_64;
}

X87(fxsave)
{
    uint64_t la = rec_la(cpu, r, FX_SIZE, true);
    unsigned len = fx_fast(cpu) ? FX_XMM : FX_XMM + 16 * vec_count(cpu);
    uint8_t buf[FX_SIZE];

    check_align(cpu, r, la, 16);
    mem_probe(cpu, r, la + FX_SIZE - 1, 1, true);       /* of two bad pages, silicon reports the second */
    x87_make(cpu, r, buf);
    mxcsr_make(cpu, buf);
    vec_make(cpu, buf + FX_XMM, 0);
    mem_probe(cpu, r, la, FX_SIZE, true);
    mem_st_bytes(cpu, r, la, buf, len);
}

X87(fxrstor)
{
    uint64_t la = rec_la(cpu, r, FX_SIZE, false);
    uint8_t buf[FX_SIZE];

    check_align(cpu, r, la, 16);
    mem_probe(cpu, r, la + FX_SIZE - 1, 1, false);
    mem_ld_bytes(cpu, r, la, buf, FX_SIZE);
    check(cpu, r, !(get32(buf + FX_MXCSR) & ~(uint32_t)MXCSR_VALID));
    x87_load(cpu, r, buf);
    x86_mxcsr_set(cpu, get32(buf + FX_MXCSR));
    if (!fx_fast(cpu)) {
        vec_load(cpu, buf + FX_XMM, 0);
    }
}

/*
 * XSAVE family. RFBM: requested by EDX:EAX and enabled in XCR0.
 */
static uint64_t requested(const struct x86_cpu *cpu)
{
    return ((uint32_t)cpu->regs[R_AX] | cpu->regs[R_DX] << 32) & cpu->xcr0;
}

static uint64_t in_use(struct x86_cpu *cpu)
{
    x86_fp_sync(cpu);
    return (x87_in_use(cpu) ? XCR0_X87 : 0) |
           (vec_in_use(cpu, 0) || cpu->fpu.mxcsr != MXCSR_RESET ? XCR0_SSE : 0) | (vec_in_use(cpu, 1) ? XCR0_AVX : 0);
}

static uint64_t xsave_addr(struct x86_cpu *cpu, const struct x86_rec *r, unsigned len, bool write)
{
    uint64_t la = rec_la(cpu, r, len, write);

    check_align(cpu, r, la, 64);
    return la;
}

/* Write the components of @which (MXCSR when @mxcsr) */
static void xsave_parts(struct x86_cpu *cpu, const struct x86_rec *r, uint64_t la, uint64_t which, bool mxcsr)
{
    uint8_t buf[FX_SIZE];

    if (which & XCR0_X87) {
        x87_make(cpu, r, buf);
        mem_st_bytes(cpu, r, la, buf, FX_MXCSR);
        mem_st_bytes(cpu, r, la + FX_ST, buf + FX_ST, FX_XMM - FX_ST);
    }
    if (mxcsr) {
        mxcsr_make(cpu, buf);
        mem_st_bytes(cpu, r, la + FX_MXCSR, buf + FX_MXCSR, 8);
    }
    if (which & XCR0_SSE) {
        vec_make(cpu, buf, 0);
        mem_st_bytes(cpu, r, la + FX_XMM, buf, 16 * vec_count(cpu));
    }
    if (which & XCR0_AVX) {
        vec_make(cpu, buf, 1);
        mem_st_bytes(cpu, r, la + XS_AVX, buf, 16 * vec_count(cpu));
    }
}

static void xsave(struct x86_cpu *cpu, const struct x86_rec *r, bool opt)
{
    uint64_t rfbm = requested(cpu), used = in_use(cpu), bv;
    unsigned len = rfbm & XCR0_AVX ? XS_SIZE : XS_AVX;
    uint64_t la = xsave_addr(cpu, r, len, true);

    mem_probe(cpu, r, la, len, true);
    bv = mem_ld64(cpu, r, la + XS_BV);
    xsave_parts(cpu, r, la, opt ? rfbm & used : rfbm, rfbm & (XCR0_SSE | XCR0_AVX));
    mem_st64(cpu, r, la + XS_BV, (bv & ~rfbm) | (rfbm & used));
}

X87(xsave) { xsave(cpu, r, false); }
X87(xsaveopt) { xsave(cpu, r, true); }

/* XSAVEC; XSAVES is the same at CPL 0, as there is no supervisor component */
X87(xsavec)
{
    uint64_t rfbm = requested(cpu), bv = rfbm & in_use(cpu), la, hdr[2] = { bv, rfbm | XCOMP_COMPACTED };
    unsigned len = rfbm & XCR0_AVX ? XS_SIZE : XS_AVX;

    check(cpu, r, r->op != OP_XSAVES || cpu->cpl == 0);
    la = xsave_addr(cpu, r, len, true);
    mem_probe(cpu, r, la, len, true);
    xsave_parts(cpu, r, la, bv, bv & XCR0_SSE);
    mem_st_bytes(cpu, r, la + XS_BV, hdr, sizeof(hdr));
}

static bool header_ok(const struct x86_cpu *cpu, const struct x86_rec *r, const uint8_t *buf)
{
    uint64_t bv = get64(buf + XS_BV), comp = get64(buf + XS_COMP);
    unsigned zeros = comp & XCOMP_COMPACTED ? 48 : 8;

    for (unsigned i = 0; i < zeros; i++) {
        if (buf[XS_RESERVED + i]) {
            return false;
        }
    }
    if (comp & XCOMP_COMPACTED) {
        bool offered = !cpu->feat || x86_feat(cpu->feat, X86_FEAT_XSAVEC);

        return offered && !(comp & ~XCOMP_COMPACTED & ~cpu->xcr0) && !(bv & ~comp);
    }
    return comp == 0 && !(bv & ~cpu->xcr0) && r->op != OP_XRSTORS;
}

X87(xrstor)
{
    uint64_t rfbm = requested(cpu), bv, la;
    bool compact, mxcsr;
    uint8_t buf[XS_SIZE];

    check(cpu, r, r->op != OP_XRSTORS || cpu->cpl == 0);
    la = xsave_addr(cpu, r, XS_AVX, false);
    mem_ld_bytes(cpu, r, la, buf, XS_AVX);
    check(cpu, r, header_ok(cpu, r, buf));
    bv = get64(buf + XS_BV);
    compact = get64(buf + XS_COMP) & XCOMP_COMPACTED;
    mxcsr = compact ? rfbm & bv & XCR0_SSE : rfbm & (XCR0_SSE | XCR0_AVX);
    check(cpu, r, !mxcsr || !(get32(buf + FX_MXCSR) & ~(uint32_t)MXCSR_VALID));
    if (rfbm & bv & XCR0_AVX) {
        mem_ld_bytes(cpu, r, la + XS_AVX, buf + XS_AVX, XS_SIZE - XS_AVX);
    }
    if (rfbm & XCR0_X87) {
        if (bv & XCR0_X87) {
            x87_load(cpu, r, buf);
        } else {
            x87_reset(cpu);
        }
    }
    if (mxcsr) {
        x86_mxcsr_set(cpu, get32(buf + FX_MXCSR));
    } else if (compact && rfbm & XCR0_SSE) {
        x86_mxcsr_set(cpu, MXCSR_RESET);
    }
    if (rfbm & XCR0_SSE) {
        vec_load(cpu, bv & XCR0_SSE ? buf + FX_XMM : NULL, 0);
    }
    if (rfbm & XCR0_AVX) {
        vec_load(cpu, bv & XCR0_AVX ? buf + XS_AVX : NULL, 1);
    }
}

X87(ldmxcsr)
{
    uint32_t v = mem_ld32(cpu, r, rec_la(cpu, r, 4, false));

    check(cpu, r, !(v & ~(uint32_t)MXCSR_VALID));
    x86_mxcsr_set(cpu, v);
}

X87(stmxcsr)
{
    x86_fp_sync(cpu);
    mem_st32(cpu, r, rec_la(cpu, r, 4, true), cpu->fpu.mxcsr);
}

x86_handler *fpu_bind_xsave(const struct x86_rec *r)
{
    switch (r->op) {
    case OP_FXSAVE:
        return x86_fxsave;
    case OP_FXRSTOR:
        return x86_fxrstor;
    case OP_XSAVE:
        return x86_xsave;
    case OP_XSAVEOPT:
        return x86_xsaveopt;
    case OP_XSAVEC: case OP_XSAVES:
        return x86_xsavec;
    case OP_XRSTOR: case OP_XRSTORS:
        return x86_xrstor;
    case OP_LDMXCSR:
        return x86_ldmxcsr;
    case OP_STMXCSR:
        return x86_stmxcsr;
    default:
        return NULL;
    }
}
