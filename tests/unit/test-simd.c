/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/test-simd.c - x87, MMX, SSE and AVX state and operations
 *
 * Three kinds of test: lane operations, the portable definition against the host's instructions (simd-lanes.c is
 * built both ways); short programs on the interpreter (each ends in HLT, exception handlers are HLTs too); and, on
 * x86-64 hosts, x87 programs against the same instructions in inline assembly, under all control words.
 * Whole-instruction comparison with silicon is in tests/x86.
 */
#include "tests/lib/x86vm.h"
#include "target/x86/interp/fpu_host.h"
#include "target/x86/interp/simd_crypto_host.h"
#include "tests/unit/simd-lanes.h"

#define CODE 0x10000u
#define DATA 0x40000u
#define HANDLERS 0x20000u       /* one HLT a vector */
enum { NONE = -1 };

static const uint8_t overflow[] = {
    0xDB, 0xE3,                                     /* fninit */
    0xD9, 0xE8,                                     /* fld1 */
    0xD9, 0xE8,                                     /* fld1 */
    0xD9, 0xE8,                                     /* fld1 */
    0xD9, 0xE8,                                     /* fld1 */
    0xD9, 0xE8,                                     /* fld1 */
    0xD9, 0xE8,                                     /* fld1 */
    0xD9, 0xE8,                                     /* fld1 */
    0xD9, 0xE8,                                     /* fld1 */
    0xD9, 0xE8,                                     /* fld1 */
    0xDF, 0xE0,                                     /* fnstsw ax */
};
static const uint8_t underflow[] = {
    0xDB, 0xE3,                                     /* fninit */
    0xD8, 0xC0,                                     /* fadd st,st(0) */
    0xDF, 0xE0,                                     /* fnstsw ax */
};
static const uint8_t sqrt_neg[] = {
    0xDB, 0xE3,                                     /* fninit */
    0xD9, 0x2B,                                     /* fldcw word [rbx] */
    0xD9, 0xE8,                                     /* fld1 */
    0xD9, 0xE0,                                     /* fchs */
    0xD9, 0xFA,                                     /* fsqrt */
    0xDF, 0xE0,                                     /* fnstsw ax */
    0x90,                                           /* nop */
    0x9B,                                           /* fwait */
    0x90,                                           /* nop */
};
static const uint8_t env[] = {
    0xDB, 0xE3,                                     /* fninit */
    0xD9, 0xE8,                                     /* fld1 */
    0xD9, 0xEE,                                     /* fldz */
    0xDB, 0x6B, 0x10,                               /* fld tbyte [rbx+0x10] */
    0xD9, 0x73, 0x40,                               /* fnstenv [rbx+0x40] */
    0xD9, 0x7B, 0x02,                               /* fnstcw word [rbx+0x2] */
};
static const uint8_t env16[] = {
    0xDB, 0xE3,                                     /* fninit */
    0xD9, 0xE8,                                     /* fld1 */
    0xD9, 0xEE,                                     /* fldz */
    0x66, 0xD9, 0x73, 0x40,                         /* fnstenvw [rbx+0x40] */
    0xD9, 0x7B, 0x02,                               /* fnstcw word [rbx+0x2] */
};
static const uint8_t free_st[] = {
    0xDB, 0xE3,                                     /* fninit */
    0xD9, 0xE8,                                     /* fld1 */
    0xD9, 0xE8,                                     /* fld1 */
    0xDD, 0xC1,                                     /* ffree st(1) */
    0xD9, 0xF7,                                     /* fincstp */
    0xDF, 0xE0,                                     /* fnstsw ax */
};
static const uint8_t xam[] = {
    0xDB, 0xE3,                                     /* fninit */
    0xD9, 0xE8,                                     /* fld1 */
    0xD9, 0xE0,                                     /* fchs */
    0xD9, 0xE5,                                     /* fxam */
    0xDF, 0xE0,                                     /* fnstsw ax */
};
#if FPU_X86_HOST
static const uint8_t two_ops[] = {
    0xDB, 0xE3,                                     /* fninit */
    0xD9, 0x2B,                                     /* fldcw word [rbx] */
    0xDB, 0x6B, 0x10,                               /* fld tbyte [rbx+0x10] */
    0xDB, 0x6B, 0x20,                               /* fld tbyte [rbx+0x20] */
    0x90,                                           /* nop */
    0x90,                                           /* nop */
    0xDD, 0x7B, 0x30,                               /* fnstsw word [rbx+0x30] */
    0xDB, 0x7B, 0x40,                               /* fstp tbyte [rbx+0x40] */
};
#endif
static const uint8_t mmx[] = {
    0xDB, 0xE3,                                     /* fninit */
    0xD9, 0xE8,                                     /* fld1 */
    0xD9, 0xE8,                                     /* fld1 */
    0x0F, 0x6F, 0x1B,                               /* movq mm3,qword [rbx] */
    0xDF, 0xE0,                                     /* fnstsw ax */
    0x0F, 0xAE, 0x83, 0x00, 0x01, 0x00, 0x00,       /* fxsave [rbx+0x100] */
    0x0F, 0x77,                                     /* emms */
    0x0F, 0xAE, 0x83, 0x00, 0x03, 0x00, 0x00,       /* fxsave [rbx+0x300] */
};
static const uint8_t mmx_mf[] = {
    0xDB, 0xE3,                                     /* fninit */
    0xD9, 0x2B,                                     /* fldcw word [rbx] */
    0xD9, 0xEE,                                     /* fldz */
    0xD9, 0xE8,                                     /* fld1 */
    0xD8, 0xF1,                                     /* fdiv st,st(1) */
    0x0F, 0x6F, 0xC1,                               /* movq mm0,mm1 */
};
static const uint8_t addps_m[] = {
    0x0F, 0x58, 0x43, 0x04,                         /* addps xmm0,xmmword [rbx+0x4] */
};
static const uint8_t movups_m[] = {
    0x0F, 0x10, 0x43, 0x04,                         /* movups xmm0,xmmword [rbx+0x4] */
};
static const uint8_t vaddps_m[] = {
    0xC5, 0xF8, 0x58, 0x43, 0x04,                   /* vaddps xmm0,xmm0,xmmword [rbx+0x4] */
};
static const uint8_t movaps_m[] = {
    0x0F, 0x29, 0x43, 0x08,                         /* movaps xmmword [rbx+0x8],xmm0 */
};
static const uint8_t vmovaps_m[] = {
    0xC5, 0xFC, 0x28, 0x43, 0x10,                   /* vmovaps ymm0,ymmword [rbx+0x10] */
};
static const uint8_t divps[] = {
    0x0F, 0xAE, 0x13,                               /* ldmxcsr dword [rbx] */
    0x0F, 0x5E, 0xC1,                               /* divps xmm0,xmm1 */
    0x0F, 0xAE, 0x5B, 0x04,                         /* stmxcsr dword [rbx+0x4] */
};
static const uint8_t stmxcsr[] = {
    0x0F, 0xAE, 0x5B, 0x04,                         /* stmxcsr dword [rbx+0x4] */
};
static const uint8_t ldmxcsr[] = {
    0x0F, 0xAE, 0x13,                               /* ldmxcsr dword [rbx] */
};
static const uint8_t addsd[] = {
    0x0F, 0xAE, 0x13,                               /* ldmxcsr dword [rbx] */
    0xF2, 0x0F, 0x58, 0xC1,                         /* addsd xmm0,xmm1 */
    0x0F, 0xAE, 0x5B, 0x04,                         /* stmxcsr dword [rbx+0x4] */
};
static const uint8_t cross[] = {
    0x0F, 0x10, 0x03,                               /* movups xmm0,xmmword [rbx] */
    0x0F, 0x11, 0x83, 0x00, 0x10, 0x00, 0x00,       /* movups xmmword [rbx+0x1000],xmm0 */
    0xC5, 0xFE, 0x6F, 0x53, 0xF8,                   /* vmovdqu ymm2,ymmword [rbx-0x8] */
    0xC5, 0xFE, 0x7F, 0x93, 0xF0, 0x0F, 0x00, 0x00, /* vmovdqu ymmword [rbx+0xff0],ymm2 */
};
static const uint8_t upper[] = {
    0x66, 0x0F, 0xFC, 0xC1,                         /* paddb xmm0,xmm1 */
    0xC5, 0xE9, 0xFC, 0xD1,                         /* vpaddb xmm2,xmm2,xmm1 */
    0xC5, 0xE5, 0xFC, 0xD9,                         /* vpaddb ymm3,ymm3,ymm1 */
    0xC5, 0xF8, 0x77,                               /* vzeroupper */
};
static const uint8_t fxsave[] = {
    0x0F, 0xAE, 0x03,                               /* fxsave [rbx] */
};
static const uint8_t fxsave64[] = {
    0x48, 0x0F, 0xAE, 0x03,                         /* fxsave64 [rbx] */
};
static const uint8_t fxrstor64[] = {
    0x48, 0x0F, 0xAE, 0x0B,                         /* fxrstor64 [rbx] */
};
static const uint8_t xsave[] = {
    0x48, 0x0F, 0xAE, 0x23,                         /* xsave64 [rbx] */
};
static const uint8_t xsaveopt[] = {
    0x48, 0x0F, 0xAE, 0x33,                         /* xsaveopt64 [rbx] */
};
static const uint8_t xsavec[] = {
    0x48, 0x0F, 0xC7, 0x23,                         /* xsavec64 [rbx] */
};
static const uint8_t xrstor[] = {
    0x48, 0x0F, 0xAE, 0x2B,                         /* xrstor64 [rbx] */
};
static const uint8_t pcmpistri[] = {
    0x66, 0x0F, 0x3A, 0x63, 0xC1, 0x0C,             /* pcmpistri xmm0,xmm1,0xc */
};

/*
 * Running a few instructions
 */
static unsigned ferrs;

static void count_ferr(void *opaque)
{
    ferrs++;
}

static struct x86vm *simd_vm(void)
{
    struct x86vm *vm = vm_new(4 * MiB);

    vm_long(vm, CODE);
    vm->cpu->plat.ferr = count_ferr;
    vm->cpu->cr0 |= CR0_NE;
    vm->cpu->cr4 |= CR4_OSXSAVE | CR4_OSXMMEXCPT;
    vm->cpu->xcr0 = XCR0_X87 | XCR0_SSE | XCR0_AVX;
    x86_mode_update(vm->cpu);
    memset(vm->ram->host + HANDLERS, 0xF4, 32);
    for (unsigned i = 0; i < 32; i++) {
        vm_gate64(vm, i, HANDLERS + i);
    }
    return vm;
}

/* Return: the vector that stopped it, or NONE for the HLT behind the program. RBX points at DATA. */
static int run(struct x86vm *vm, const uint8_t *code, size_t n)
{
    struct x86_cpu *cpu = vm->cpu;
    static const uint8_t hlt = 0xF4;

    vm_load(vm, CODE, code, n);
    vm_load(vm, CODE + n, &hlt, 1);
    cpu->regs[REG_RIP] = CODE;
    cpu->regs[R_SP] = VM_STACK;
    cpu->regs[R_BX] = DATA;
    cpu->halted = false;
    g_assert_cmpint(x86_cpu_run(cpu), ==, X86_EXIT_HALT);
    if (cpu->regs[REG_RIP] > HANDLERS && cpu->regs[REG_RIP] <= HANDLERS + 32) {
        return (int)(cpu->regs[REG_RIP] - HANDLERS - 1);
    }
    g_assert_cmphex(cpu->regs[REG_RIP], ==, CODE + n + 1);
    return NONE;
}
#define RUN(vm, code) run(vm, code, sizeof(code))

/* RIP that the exception saved, from the start of the program (errors: no error code on the stack) */
static uint64_t fault_off(struct x86vm *vm)
{
    uint64_t rip;

    memcpy(&rip, vm->ram->host + vm->cpu->regs[R_SP], 8);
    return rip - CODE;
}

static void *data(struct x86vm *vm, unsigned off)
{
    return vm->ram->host + DATA + off;
}

static void put16(struct x86vm *vm, unsigned off, uint16_t v) { memcpy(data(vm, off), &v, 2); }
static void put32(struct x86vm *vm, unsigned off, uint32_t v) { memcpy(data(vm, off), &v, 4); }
static void put64(struct x86vm *vm, unsigned off, uint64_t v) { memcpy(data(vm, off), &v, 8); }
static uint16_t get16(struct x86vm *vm, unsigned off) { uint16_t v; memcpy(&v, data(vm, off), 2); return v; }
static uint32_t get32(struct x86vm *vm, unsigned off) { uint32_t v; memcpy(&v, data(vm, off), 4); return v; }
static uint64_t get64(struct x86vm *vm, unsigned off) { uint64_t v; memcpy(&v, data(vm, off), 8); return v; }

static uint64_t rng_state = 0x9E3779B97F4A7C15ull;

static uint64_t rng(void)
{
    rng_state ^= rng_state << 13;
    rng_state ^= rng_state >> 7;
    rng_state ^= rng_state << 17;
    return rng_state;
}

/*
 * Lane operations: portable definition and host
 */
static uint64_t special(bool floats)
{
    static const uint64_t ints[] = {
        0, ~0ull, 0x8000800080008000ull, 0x7FFF7FFF7FFF7FFFull, 0x8000000080000000ull, 0x7FFFFFFF7FFFFFFFull,
        0x8000000000000000ull, 0x0102040810204080ull, 0x00FF00FF00FF00FFull, 7, 16, 31, 63, 64,
    };
    /* doubles, and pairs of singles: NaNs of both kinds, infinities, zeros, small, large, denormal */
    static const uint64_t fps[] = {
        0x3FF0000000000000ull, 0xBFF8000000000000ull, 0x7FF0000000000000ull, 0xFFF0000000000000ull,
        0x8000000000000000ull, 0x7FF8000000001234ull, 0xFFF0000000005678ull, 0x41DFFFFFFFC00000ull,
        0xC3E0000000000000ull, 0x4059000000000000ull, 0x3F800000BF800000ull, 0x7F800000FF800000ull,
        0x7FC00123FFA00456ull, 0x4F00000042C80000ull, 0x3EAAAAAB40490FDBull, 0x000FFFFFFFFFFFFFull,
        0x8000000000000001ull, 0x0010000000000000ull, 0x7FEFFFFFFFFFFFFFull, 0x00000001807FFFFFull,
        0x008000007F7FFFFFull, 0x3810000000000000ull, 0x380FFFFFFFFFFFFFull, 0x36A0000000000000ull,
        0x0020000000000000ull, 0x1E60000000000000ull, 0x1FE00000203FFFFFull, 0x3880000033000000ull,
        0x387FC00133800001ull, 0x477FEFFF477FF000ull, 0x03FF7C01FC007E00ull,
    };

    return floats ? fps[rng() % ARRAY_LEN(fps)] : ints[rng() % ARRAY_LEN(ints)];
}

static uint64_t lane_word(bool floats)
{
    uint64_t v;

    if (rng() % 3 == 0) {
        return special(floats);
    }
    v = rng();
    if (floats) {           /* middling exponents in both views */
        v = (v & 0x800FFFFF807FFFFFull) | 0x3F00000000000000ull | (0x30ull + rng() % 0x80) << 23 | (rng() & 0x1F) << 52;
    }
    return v;
}

/* Random rounding, DAZ, FTZ and flags; every exception masked */
static uint32_t random_mxcsr(void)
{
    switch (rng() % 4) {
    case 0:
        return 0x1F80;
    case 1:
        return 0x1FA0;              /* PE is there already */
    default:
        return 0x1F80 | (rng() & 0xE060);
    }
}

static void check_lanes(unsigned from, unsigned to, bool floats)
{
    for (unsigned op = from; op < to; op++) {
        for (unsigned i = 0; i < 3000; i++) {
            uint64_t a[2] = { lane_word(floats), lane_word(floats) }, b[2] = { lane_word(floats), lane_word(floats) };
            uint64_t host[2] = { lane_word(floats), lane_word(floats) }, soft[2] = { host[0], host[1] };
            uint64_t c[2] = { host[0], host[1] };
            unsigned imm = rng() & 0xFF;
            uint32_t mxcsr = floats ? random_mxcsr() : 0x1F80, host_mx, soft_mx;

            fph_set_mxcsr(mxcsr);
            lanes_host(op, a, b, imm, host);
            host_mx = fph_mxcsr();
            fph_set_mxcsr(mxcsr);
            lanes_portable(op, a, b, imm, soft);
            soft_mx = fph_mxcsr();
            fph_set_mxcsr(0x1F80);
            if (memcmp(host, soft, 16) || host_mx != soft_mx) {
                g_error("%s imm %x mxcsr %x: a %016" G_GINT64_MODIFIER "x%016" G_GINT64_MODIFIER "x b %016"
                        G_GINT64_MODIFIER "x%016" G_GINT64_MODIFIER "x c %016" G_GINT64_MODIFIER "x%016"
                        G_GINT64_MODIFIER "x host %x %016" G_GINT64_MODIFIER "x%016" G_GINT64_MODIFIER
                        "x portable %x %016" G_GINT64_MODIFIER "x%016" G_GINT64_MODIFIER "x",
                        lanes_name[op], imm, mxcsr, a[1], a[0], b[1], b[0], c[1], c[0], host_mx, host[1], host[0],
                        soft_mx, soft[1], soft[0]);
            }
        }
    }
}

static void test_lanes_int(void)
{
    g_assert_cmpuint(LANES_FIRST_FP, >, 100);
    check_lanes(0, LANES_FIRST_FP, false);
}

static void test_lanes_fp(void)
{
    check_lanes(LANES_FIRST_FP, LANES_COUNT, true);
}

/* FIPS 197 appendix B, FIPS 180-4: one block of "abc" */
static void test_crypto(void)
{
    static const uint8_t key[16] = {
        0x2B, 0x7E, 0x15, 0x16, 0x28, 0xAE, 0xD2, 0xA6, 0xAB, 0xF7, 0x15, 0x88, 0x09, 0xCF, 0x4F, 0x3C,
    };
    static const uint8_t in[16] = {
        0x32, 0x43, 0xF6, 0xA8, 0x88, 0x5A, 0x30, 0x8D, 0x31, 0x31, 0x98, 0xA2, 0xE0, 0x37, 0x07, 0x34,
    };
    static const uint8_t want[16] = {
        0x39, 0x25, 0x84, 0x1D, 0x02, 0xDC, 0x09, 0xFB, 0xDC, 0x11, 0x85, 0x97, 0x19, 0x6A, 0x0B, 0x32,
    };
    static const uint32_t k256[64] = {
        0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98,
        0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786,
        0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8,
        0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13,
        0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819,
        0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a,
        0x5b9cca4f, 0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
        0xc67178f2,
    };
    union lane rk, st, w[16], cdgh, abef, in0, in1;

    /* AES-128, the key schedule by AESKEYGENASSIST */
    memcpy(&rk, key, 16);
    memcpy(&st, in, 16);
    st.v ^= rk.v;
    for (unsigned i = 0, rcon = 1; i < 10; i++, rcon = rcon << 1 ^ (rcon >> 7) * 0x11B) {
        uint32_t t = ((union lane){ .v = pv_aeskeygenassist(rk.v, rk.v, rcon) }).d[3];

        for (unsigned j = 0; j < 4; j++) {
            t = rk.d[j] ^= t;
        }
        st.v = i < 9 ? pv_aesenc(st.v, rk.v, 0) : pv_aesenclast(st.v, rk.v, 0);
    }
    g_assert_cmpmem(&st, 16, want, 16);

    /* SHA-256 */
    memset(w, 0, sizeof(w));
    w[0].d[0] = 0x61626380;
    w[3].d[3] = 24;
    for (unsigned i = 4; i < 16; i++) {     /* msg1, the word in the middle, msg2 */
        union lane t = { .v = pv_sha256msg1(w[i - 4].v, w[i - 3].v, 0) };

        t.v = pv_paddd(t.v, pv_palignr(w[i - 1].v, w[i - 2].v, 4), 0);
        w[i].v = pv_sha256msg2(t.v, w[i - 1].v, 0);
    }
    in0 = abef = (union lane){ .d = { 0x9b05688c, 0x510e527f, 0xbb67ae85, 0x6a09e667 } };
    in1 = cdgh = (union lane){ .d = { 0x5be0cd19, 0x1f83d9ab, 0xa54ff53a, 0x3c6ef372 } };
    for (unsigned i = 0; i < 64; i += 2) {
        uint32_t wk0 = k256[i] + w[i / 4].d[i & 3], wk1 = k256[i + 1] + w[i / 4].d[(i & 3) + 1];
        v128 wk = { (uint64_t)wk1 << 32 | wk0, 0 };
        union lane next = { .v = sha256_rnds2(cdgh.v, abef.v, wk) };

        cdgh = abef;
        abef = next;
    }
    g_assert_cmphex(abef.d[3] + in0.d[3], ==, 0xba7816bf);
    g_assert_cmphex(abef.d[2] + in0.d[2], ==, 0x8f01cfea);
    g_assert_cmphex(cdgh.d[3] + in1.d[3], ==, 0x414140de);
    g_assert_cmphex(cdgh.d[0] + in1.d[0], ==, 0xf20015ad);
}

/*
 * x87
 */
static void test_stack(void)
{
    struct x86vm *vm = simd_vm();
    struct x86_fpu *f = &vm->cpu->fpu;

    g_assert_cmpint(RUN(vm, overflow), ==, NONE);
    g_assert_cmphex(vm->cpu->regs[R_AX] & 0xFFFF, ==, 0x3A41);      /* TOP 7, C1, SF, IE */
    g_assert_cmphex(f->r[7].se, ==, 0xFFFF);
    g_assert_cmphex(f->r[7].m, ==, 0xC000000000000000ull);
    g_assert_cmphex(f->ftw, ==, 0xFF);
    g_assert_cmpint(RUN(vm, underflow), ==, NONE);
    g_assert_cmphex(vm->cpu->regs[R_AX] & 0xFFFF, ==, 0x41);
    g_assert_cmphex(f->ftw, ==, 1);
    g_assert_cmpint(RUN(vm, free_st), ==, NONE);
    g_assert_cmphex(vm->cpu->regs[R_AX] & 0xFFFF, ==, 7 << 11);
    g_assert_cmphex(f->ftw, ==, 1 << 6);                            /* the first is free, FINCSTP frees nothing */
    g_assert_cmpint(RUN(vm, xam), ==, NONE);
    g_assert_cmphex(vm->cpu->regs[R_AX] & 0x4700, ==, 0x0600);      /* normal, negative */
    vm_free(vm);
}

static void test_x87_exception(void)
{
    struct x86vm *vm = simd_vm();

    put16(vm, 0, 0x37E);
    g_assert_cmpint(RUN(vm, sqrt_neg), ==, EXC_MF);                 /* at FWAIT, not at FSQRT or FNSTSW */
    g_assert_cmpuint(fault_off(vm), ==, 13);
    g_assert_cmphex(vm->cpu->regs[R_AX] & 0x80FF, ==, 0x8081);
    if (SIMD_X86_HOST) {                                            /* fpu_host.h: elsewhere nothing is held back */
        g_assert_cmphex(vm->cpu->fpu.r[7].se, ==, 0xBFFF);          /* still -1 */
    }
    g_assert_cmphex(vm->cpu->fpu.fip, ==, CODE + 8);
    vm->cpu->cr0 &= ~(uint64_t)CR0_NE;
    ferrs = 0;
    g_assert_cmpint(RUN(vm, sqrt_neg), ==, NONE);
    g_assert_cmpuint(ferrs, ==, 1);
    vm->cpu->cr0 |= CR0_NE;
    put16(vm, 0, 0x37B);                                            /* ZM clear */
    g_assert_cmpint(RUN(vm, mmx_mf), ==, EXC_MF);
    g_assert_cmpuint(fault_off(vm), ==, 10);                        /* MMX waits too */
    vm_free(vm);
}

static void test_env(void)
{
    struct x86vm *vm = simd_vm();

    put64(vm, 0x10, 0xC000000000000001ull);
    put16(vm, 0x18, 0x7FFF);
    g_assert_cmpint(RUN(vm, env), ==, NONE);
    g_assert_cmphex(get32(vm, 0x40), ==, 0xFFFF037F);
    g_assert_cmphex(get32(vm, 0x44), ==, 0xFFFF2800);               /* TOP 5 */
    g_assert_cmphex(get32(vm, 0x48), ==, 0xFFFF1BFF);               /* 1.0 valid, zero, special, the rest empty */
    g_assert_cmphex(get32(vm, 0x58) >> 16, ==, 0xFFFF);
    g_assert_cmphex(get16(vm, 2), ==, 0x37F);
    g_assert_cmpint(RUN(vm, env16), ==, NONE);
    g_assert_cmphex(get16(vm, 0x40), ==, 0x037F);
    g_assert_cmphex(get16(vm, 0x42), ==, 6 << 11);
    g_assert_cmphex(get16(vm, 0x44), ==, 0x1FFF);
    vm_free(vm);
}

#if SIMD_X86_HOST
static void random_x87(uint8_t *p)
{
    static const uint16_t exps[] = {
        0, 1, 0x3FFF, 0x3FFE, 0x4000, 0x401E, 0x403E, 0x3FBF, 0x7FFE, 0x7FFF, 0x3F80, 0x3C01,
    };
    uint64_t m = rng() | 1ull << 63;
    uint16_t se = exps[rng() % ARRAY_LEN(exps)] | (rng() & 0x8000);

    if (rng() % 4 == 0) {
        m = rng() & 1 ? 1ull << 63 : 0xC000000000000000ull;
    }
    if ((se & 0x7FFF) == 0) {
        m &= rng() & 1 ? 0 : ~(1ull << 63);
    }
    memcpy(p, &m, 8);
    memcpy(p + 8, &se, 2);
}

/* Return: status word; the result goes to @out */
#define NATIVE(op)                                                                                                     \
    __asm__ volatile("fninit\n\tfldcw %[cw]\n\tfldt %[y]\n\tfldt %[x]\n\t" op "\n\tfnstsw %[sw]\n\tfnclex\n\t"         \
                     "fstpt %[out]\n\tfninit"                                                                          \
                     : [sw] "=m"(sw), [out] "=m"(*(uint8_t (*)[10])out)                                                \
                     : [cw] "m"(cw), [y] "m"(*(const uint8_t (*)[10])y), [x] "m"(*(const uint8_t (*)[10])x))
static uint16_t native(unsigned op, uint16_t cw, const uint8_t *y, const uint8_t *x, uint8_t *out)
{
    uint16_t sw = 0;

    switch (op) {
    case 0: NATIVE("fadd %%st(1), %%st"); break;
    case 1: NATIVE("fmul %%st(1), %%st"); break;
    case 2: NATIVE("fsub %%st(1), %%st"); break;
    case 3: NATIVE("fdivr %%st(1), %%st"); break;
    case 4: NATIVE("fscale"); break;
    case 5: NATIVE("fprem"); break;
    case 6: NATIVE("fpatan"); break;
    case 7: NATIVE("fyl2x"); break;
    case 8: NATIVE("fsqrt"); break;
    case 9: NATIVE("frndint"); break;
    case 10: NATIVE("f2xm1"); break;
    case 11: NATIVE("fsin"); break;
    default: NATIVE("fcos"); break;
    }
    return sw;
}

static void test_x87_native(void)
{
    static const uint8_t ops[][2] = {
        { 0xD8, 0xC1 }, { 0xD8, 0xC9 }, { 0xD8, 0xE1 }, { 0xD8, 0xF9 }, { 0xD9, 0xFD }, { 0xD9, 0xF8 }, { 0xD9, 0xF3 },
        { 0xD9, 0xF1 }, { 0xD9, 0xFA }, { 0xD9, 0xFC }, { 0xD9, 0xF0 }, { 0xD9, 0xFE }, { 0xD9, 0xFF },
    };
    struct x86vm *vm = simd_vm();

    for (unsigned i = 0; i < 13 * 300; i++) {
        unsigned op = i % ARRAY_LEN(ops);
        uint16_t cw = 0x40 | (rng() & 0xF3F), want_sw, got_sw;
        uint8_t code[sizeof(two_ops)], x[10], y[10], want[10];

        if ((cw >> 8 & 3) == 1) {
            cw |= 0x300;                        /* precision 1 is reserved */
        }
        if (rng() & 1) {
            cw |= 0x3F;
        }
        random_x87(x);
        random_x87(y);
        if (op == 10) {
            x[9] = 0x3F;                        /* F2XM1 is defined from -1 to 1 */
            x[8] &= 0xFE;
        }
        memcpy(code, two_ops, sizeof(code));
        memcpy(code + 10, ops[op], 2);
        put16(vm, 0, cw);
        memcpy(data(vm, 0x10), y, 10);
        memcpy(data(vm, 0x20), x, 10);
        memset(data(vm, 0x40), 0, 10);
        want_sw = native(op, cw, y, x, want);
        run(vm, code, sizeof(code));
        got_sw = get16(vm, 0x30);
        g_assert_cmphex(want_sw & 0x38FF, ==, got_sw & 0x38FF);
        if (!(want_sw & 0x80)) {                /* else FSTP has raised #MF */
            g_assert_cmphex(want_sw & 0x0200, ==, got_sw & 0x0200);
            g_assert_cmpmem(want, 10, data(vm, 0x40), 10);
        }
    }
    vm_free(vm);
}
#endif

/*
 * MMX shares the x87 registers
 */
static void test_mmx(void)
{
    struct x86vm *vm = simd_vm();

    put64(vm, 0, 0x1122334455667788ull);
    g_assert_cmpint(RUN(vm, mmx), ==, NONE);
    g_assert_cmphex(vm->cpu->regs[R_AX] & 0xFFFF, ==, 0);           /* TOP 0 */
    g_assert_cmphex(*(uint8_t *)data(vm, 0x104), ==, 0xFF);
    g_assert_cmphex(get64(vm, 0x120 + 16 * 3), ==, 0x1122334455667788ull);
    g_assert_cmphex(get16(vm, 0x128 + 16 * 3), ==, 0xFFFF);
    g_assert_cmphex(get16(vm, 0x128 + 16 * 7), ==, 0x3FFF);         /* others keep their exponents */
    g_assert_cmphex(*(uint8_t *)data(vm, 0x304), ==, 0);
    vm_free(vm);
}

/*
 * SSE, AVX
 */
static void test_align(void)
{
    struct x86vm *vm = simd_vm();

    g_assert_cmpint(RUN(vm, addps_m), ==, EXC_GP);
    g_assert_cmpint(RUN(vm, movaps_m), ==, EXC_GP);
    g_assert_cmpint(RUN(vm, vmovaps_m), ==, EXC_GP);
    g_assert_cmpint(RUN(vm, movups_m), ==, NONE);
    g_assert_cmpint(RUN(vm, vaddps_m), ==, NONE);
    vm_free(vm);
}

/* Two linear pages that are not neighbours in RAM */
static void test_cross(void)
{
    struct x86vm *vm = simd_vm();
    uint8_t *a = vm->ram->host + 0x60000, *b = vm->ram->host + 0x70000;

    *vm_pte(vm, 0x50000) = 0x60000 | 7;
    *vm_pte(vm, 0x51000) = 0x70000 | 7;
    *vm_pte(vm, 0x52000) = 0x61000 | 7;
    x86_tlb_flush_all(vm->cpu);
    for (unsigned i = 0; i < 16; i++) {
        a[0xFF0 + i] = (uint8_t)(i + 1);
        b[i] = (uint8_t)(0x81 + i);
    }
    vm_load(vm, CODE, cross, sizeof(cross));
    vm->cpu->regs[R_BX] = 0x50FF8;
    vm_load(vm, CODE + sizeof(cross), "\xF4", 1);
    vm->cpu->regs[REG_RIP] = CODE;
    g_assert_cmpint(x86_cpu_run(vm->cpu), ==, X86_EXIT_HALT);
    g_assert_cmphex(vm->cpu->vec[0].q[0], ==, 0x100F0E0D0C0B0A09ull);
    g_assert_cmphex(vm->cpu->vec[0].q[1], ==, 0x8887868584838281ull);
    g_assert_cmphex(vm->cpu->vec[2].q[3], ==, 0x908F8E8D8C8B8A89ull);
    g_assert_cmphex(vm->cpu->vec[2].q[0], ==, 0x0807060504030201ull);
    g_assert_cmpmem(b + 0xFE8, 24, vm->cpu->vec[2].b, 24);          /* 0x51FE8: 24 bytes here, 8 there */
    g_assert_cmpmem(vm->ram->host + 0x61000, 8, vm->cpu->vec[2].b + 24, 8);
    vm_free(vm);
}

static void test_upper(void)
{
    struct x86vm *vm = simd_vm();
    union x86_vec *v = vm->cpu->vec;

    memset(v, 0x11, 4 * sizeof(*v));
    g_assert_cmpint(run(vm, upper, sizeof(upper) - 3), ==, NONE);
    g_assert_cmphex(v[0].q[0], ==, 0x2222222222222222ull);
    g_assert_cmphex(v[0].q[2], ==, 0x1111111111111111ull);          /* legacy keeps */
    g_assert_cmphex(v[2].q[1], ==, 0x2222222222222222ull);
    g_assert_cmphex(v[2].q[2] | v[2].q[3], ==, 0);                  /* VEX.128 clears */
    g_assert_cmphex(v[3].q[3], ==, 0x2222222222222222ull);
    memset(&v[15], 0x33, sizeof(*v));
    g_assert_cmpint(RUN(vm, upper), ==, NONE);
    g_assert_cmphex(v[15].q[2] | v[15].q[3] | v[3].q[2], ==, 0);
    g_assert_cmphex(v[15].q[1], ==, 0x3333333333333333ull);
    vm_free(vm);
}

/* DE, exact underflow, DAZ and FTZ, which the portable lane operations do not know */
static void denormal_flags(struct x86vm *vm, union x86_vec *v)
{
    v[1].q[0] = v[0].q[0] = 0x000FFFFFFFFFFFFFull;          /* an exact denormal sum: UE only when unmasked */
    put32(vm, 0, 0x1F80);
    g_assert_cmpint(RUN(vm, addsd), ==, NONE);
    g_assert_cmphex(get32(vm, 4), ==, 0x1F82);
    v[1].q[0] = v[0].q[0] = 1;
    put32(vm, 0, 0x1780);
    g_assert_cmpint(RUN(vm, addsd), ==, EXC_XM);
    g_assert_cmphex(vm->cpu->fpu.mxcsr & 0x3F, ==, 0x12);
    put32(vm, 0, 0x9FC0);                                   /* DAZ, FTZ: zero, and no flag */
    g_assert_cmpint(RUN(vm, addsd), ==, NONE);
    g_assert_cmphex(v[0].q[0], ==, 0);
    g_assert_cmphex(get32(vm, 4), ==, 0x9FC0);
}

static void test_mxcsr(void)
{
    struct x86vm *vm = simd_vm();
    union x86_vec *v = vm->cpu->vec, zero = { .q = { 0 } }, ones = { .d = { 0x3F800000, 0x40000000, 0, 0x40400000 } };

    put32(vm, 0, 0x10000);
    g_assert_cmpint(RUN(vm, ldmxcsr), ==, EXC_GP);
    v[0] = ones;                                            /* masked: infinities, flags stick over other runs */
    v[1] = zero;
    put32(vm, 0, 0x1F80);
    g_assert_cmpint(RUN(vm, divps), ==, NONE);
    g_assert_cmphex(v[0].d[0], ==, 0x7F800000);
    g_assert_cmphex(v[0].d[2], ==, 0xFFC00000);
    g_assert_cmphex(get32(vm, 4), ==, 0x1F85);
    g_assert_cmpint(RUN(vm, stmxcsr), ==, NONE);
    g_assert_cmphex(get32(vm, 4), ==, 0x1F85);
    v[0] = ones;                                            /* ZE unmasked: nothing is committed */
    v[0].d[2] = 0x3F800000;
    put32(vm, 0, 0x1D80);
    g_assert_cmpint(RUN(vm, divps), ==, EXC_XM);
    g_assert_cmpuint(fault_off(vm), ==, 3);
    g_assert_cmphex(v[0].d[0], ==, 0x3F800000);
    g_assert_cmphex(vm->cpu->fpu.mxcsr, ==, 0x1D84);
    vm->cpu->cr4 &= ~(uint64_t)CR4_OSXMMEXCPT;
    g_assert_cmpint(RUN(vm, divps), ==, EXC_UD);
    vm->cpu->cr4 |= CR4_OSXMMEXCPT;
    if (SIMD_X86_HOST) {
        denormal_flags(vm, v);
    }
    put32(vm, 0, 0x5F80);                                   /* rounding up: 1 + 2^-100 */
    v[0].q[0] = 0x3FF0000000000000ull;
    v[1].q[0] = 0x39B0000000000000ull;
    g_assert_cmpint(RUN(vm, addsd), ==, NONE);
    g_assert_cmphex(v[0].q[0], ==, 0x3FF0000000000001ull);
    vm_free(vm);
}

static void test_pcmpistri(void)
{
    struct x86vm *vm = simd_vm();

    memset(vm->cpu->vec, 0, 2 * sizeof(union x86_vec));
    memcpy(vm->cpu->vec[0].b, "bay", 3);
    memcpy(vm->cpu->vec[1].b, "a patchbay here", 15);
    g_assert_cmpint(RUN(vm, pcmpistri), ==, NONE);          /* unsigned bytes, equal ordered: strstr() */
    g_assert_cmpuint(vm->cpu->regs[R_CX], ==, 7);
    g_assert_cmphex(flags_get(vm->cpu) & FL_ARITH, ==, FL_CF | FL_ZF | FL_SF);
    memcpy(vm->cpu->vec[0].b, "bax", 3);
    g_assert_cmpint(RUN(vm, pcmpistri), ==, NONE);
    g_assert_cmpuint(vm->cpu->regs[R_CX], ==, 16);
    g_assert_cmphex(flags_get(vm->cpu) & FL_ARITH, ==, FL_ZF | FL_SF);
    vm_free(vm);
}

/*
 * State images
 */
static void fill_state(struct x86_cpu *cpu)
{
    struct x86_fpu *f = &cpu->fpu;

    for (unsigned i = 0; i < 16; i++) {
        memset(cpu->vec[i].b, (int)(0x10 + i), 16);
        memset(cpu->vec[i].b + 16, (int)(0xA0 + i), 16);
    }
    for (unsigned i = 0; i < 8; i++) {
        f->r[i] = (struct x87_reg){ 0x8000000000000000ull | i, (uint16_t)(0x4000 + i), { 0 } };
    }
    f->fcw = 0x27F;
    f->fsw = 0x4120;
    f->top = 6;
    f->ftw = 0xC3;
    f->fop = 0x5A5;
    f->fip = 0x123456789ABCull;
    f->fdp = 0xCBA987654321ull;
    f->mxcsr = 0x3FA5;
}

static void test_fxsave(void)
{
    struct x86vm *vm = simd_vm();
    uint8_t *p = data(vm, 0);

    memset(p, 0xEE, 512);
    fill_state(vm->cpu);
    g_assert_cmpint(RUN(vm, fxsave64), ==, NONE);
    g_assert_cmphex(get16(vm, 0), ==, 0x27F);
    g_assert_cmphex(get16(vm, 2), ==, 0x7120);              /* TOP put back */
    g_assert_cmphex(p[4], ==, 0xC3);
    g_assert_cmphex(get16(vm, 6), ==, 0x5A5);
    g_assert_cmphex(get64(vm, 8), ==, 0x123456789ABCull);
    g_assert_cmphex(get64(vm, 16), ==, 0xCBA987654321ull);
    g_assert_cmphex(get32(vm, 24), ==, 0x3FA5);
    g_assert_cmphex(get32(vm, 28), ==, 0xFFFF);
    g_assert_cmphex(get16(vm, 32 + 8), ==, 0x4006);         /* ST(0) is physical register 6 */
    g_assert_cmphex(get16(vm, 32 + 16 * 2 + 8), ==, 0x4000);
    g_assert_cmphex(get16(vm, 32 + 10), ==, 0);
    g_assert_cmphex(p[160 + 16 * 15], ==, 0x1F);
    g_assert_cmphex(p[416], ==, 0xEE);                      /* software's */
    g_assert_cmpint(RUN(vm, fxsave), ==, NONE);             /* without REX.W: 32-bit offsets */
    g_assert_cmphex(get32(vm, 8), ==, 0x56789ABC);
    p[160] = 0x77;
    p[4] = 0x01;
    g_assert_cmpint(RUN(vm, fxrstor64), ==, NONE);
    g_assert_cmphex(vm->cpu->vec[0].b[0], ==, 0x77);
    g_assert_cmphex(vm->cpu->vec[0].b[16], ==, 0xA0);       /* the upper half is not part of it */
    g_assert_cmphex(vm->cpu->fpu.ftw, ==, 1);
    put32(vm, 24, 0x12345678);
    g_assert_cmpint(RUN(vm, fxrstor64), ==, EXC_GP);
    vm_free(vm);
}

static void xrstor_all(struct x86vm *vm)
{
    vm->cpu->regs[R_AX] = 7;
    vm->cpu->regs[R_DX] = 0;
}

static void test_xsave(void)
{
    struct x86vm *vm = simd_vm();
    struct x86_cpu *cpu = vm->cpu;
    uint8_t *p = data(vm, 0);

    memset(p, 0xEE, 1024);
    put64(vm, 512, 0x7);
    fill_state(cpu);
    xrstor_all(vm);
    cpu->regs[R_AX] = XCR0_AVX;                             /* only AVX, and MXCSR with it */
    g_assert_cmpint(RUN(vm, xsave), ==, NONE);
    g_assert_cmphex(p[0], ==, 0xEE);
    g_assert_cmphex(p[160], ==, 0xEE);
    g_assert_cmphex(get32(vm, 24), ==, 0x3FA5);
    g_assert_cmphex(p[576], ==, 0xA0);
    g_assert_cmphex(p[576 + 255], ==, 0xAF);
    g_assert_cmphex(p[832], ==, 0xEE);
    g_assert_cmphex(get64(vm, 512), ==, 7);                 /* bits that were not asked for stay */
    xrstor_all(vm);
    g_assert_cmpint(RUN(vm, xsave), ==, NONE);
    g_assert_cmphex(p[160 + 16 * 3], ==, 0x13);
    g_assert_cmphex(get16(vm, 2), ==, 0x7120);

    memset(p + 512, 0, 64);                                 /* nothing in use: everything becomes initial */
    xrstor_all(vm);
    g_assert_cmpint(RUN(vm, xrstor), ==, NONE);
    g_assert_cmphex(cpu->fpu.fcw, ==, 0x37F);
    g_assert_cmphex(cpu->fpu.ftw, ==, 0);
    g_assert_cmphex(cpu->vec[3].q[0] | cpu->vec[3].q[2], ==, 0);
    g_assert_cmphex(cpu->fpu.mxcsr, ==, 0x3FA5);            /* MXCSR is loaded all the same */
    put32(vm, 24, 0x1F80);
    g_assert_cmpint(RUN(vm, xrstor), ==, NONE);
    memset(p, 0xEE, 512);
    put64(vm, 512, 0);
    g_assert_cmpint(RUN(vm, xsaveopt), ==, NONE);           /* initial state: only the header says so */
    g_assert_cmphex(get64(vm, 512), ==, 0);
    g_assert_cmphex(p[160], ==, 0xEE);

    cpu->vec[5].q[2] = 0x55;                                /* XSAVEC: in use only */
    memset(p, 0xEE, 1024);
    g_assert_cmpint(RUN(vm, xsavec), ==, NONE);
    g_assert_cmphex(get64(vm, 512), ==, XCR0_AVX);
    g_assert_cmphex(get64(vm, 520), ==, 7 | 1ull << 63);
    g_assert_cmphex(get64(vm, 576 + 16 * 5), ==, 0x55);
    g_assert_cmphex(p[160], ==, 0xEE);
    memset(p + 528, 0, 48);
    cpu->vec[5].q[2] = 0;
    cpu->vec[5].q[0] = 0x66;
    g_assert_cmpint(RUN(vm, xrstor), ==, NONE);             /* compacted */
    g_assert_cmphex(cpu->vec[5].q[2], ==, 0x55);
    g_assert_cmphex(cpu->vec[5].q[0], ==, 0);

    put64(vm, 520, 0);                                      /* header checks */
    put64(vm, 512, 8);
    g_assert_cmpint(RUN(vm, xrstor), ==, EXC_GP);
    put64(vm, 512, 7);
    put64(vm, 528, 1);
    g_assert_cmpint(RUN(vm, xrstor), ==, EXC_GP);
    put64(vm, 528, 0);
    put64(vm, 520, 1ull << 63 | 3);                         /* AVX present but not in the layout */
    g_assert_cmpint(RUN(vm, xrstor), ==, EXC_GP);
    vm_free(vm);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/simd/lanes/int", test_lanes_int);
    g_test_add_func("/simd/lanes/fp", test_lanes_fp);
    g_test_add_func("/simd/crypto", test_crypto);
    g_test_add_func("/x87/stack", test_stack);
    g_test_add_func("/x87/exception", test_x87_exception);
    g_test_add_func("/x87/env", test_env);
#if SIMD_X86_HOST
    g_test_add_func("/x87/native", test_x87_native);
#endif
    g_test_add_func("/mmx/state", test_mmx);
    g_test_add_func("/sse/align", test_align);
    g_test_add_func("/sse/cross", test_cross);
    g_test_add_func("/sse/upper", test_upper);
    g_test_add_func("/sse/mxcsr", test_mxcsr);
    g_test_add_func("/sse/pcmpistri", test_pcmpistri);
    g_test_add_func("/state/fxsave", test_fxsave);
    g_test_add_func("/state/xsave", test_xsave);
    return g_test_run();
}
