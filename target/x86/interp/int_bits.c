/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/interp/int_bits.c - BT BTS BTR BTC, bit scans and counts, CRC32, BMI1, BMI2, ADX (SDM vol. 2)
 *
 * BT and its kin with a register offset and a memory operand address a bit string: the offset is signed and as wide as
 * the operand size, and moves the address by whole operands.
 */
#include "target/x86/interp/fast.h"

static void set_cf(struct x86_cpu *cpu, uint64_t c)
{
    flags_set_arith(cpu, (flags_arith(cpu) & ~(uint32_t)FL_CF) | (c ? FL_CF : 0));
}

static uint64_t bit_apply(unsigned op, uint64_t v, uint64_t bit)
{
    return op == OP_BTS ? v | bit : op == OP_BTR ? v & ~bit : op == OP_BTC ? v ^ bit : v;
}

/* Linear address of the operand that bit @pos of the string at the memory operand is in */
static uint64_t bit_la(struct x86_cpu *cpu, const struct x86_rec *r, int64_t pos, bool write)
{
    unsigned size = r->size;
    uint64_t ea = cpu->regs[r->base] + (cpu->regs[r->index] << r->scale) + (uint64_t)(int64_t)r->disp;

    ea = zx(ea + ((uint64_t)(pos >> (3 + size)) << size), r->asize);
    if (r->flags & (REC_FLAT64 | REC_FLAT32)) {
        return ea;
    }
    return seg_linear(cpu, r, r->seg, ea, 1u << size, write);
}

/* Set, reset or flip in host memory: the value before */
UNALIGNED_ATOMIC static uint64_t bit_host(const struct x86_rec *r, void *p, uint64_t bit)
{
    uint64_t v;

    if (r->flags & REC_LOCK && r->size == 3) {
        return r->op == OP_BTS ? __atomic_fetch_or((uint64_t *)p, bit, __ATOMIC_SEQ_CST) :
               r->op == OP_BTR ? __atomic_fetch_and((uint64_t *)p, ~bit, __ATOMIC_SEQ_CST) :
               __atomic_fetch_xor((uint64_t *)p, bit, __ATOMIC_SEQ_CST);
    }
    if (r->flags & REC_LOCK && r->size == 2) {
        return r->op == OP_BTS ? __atomic_fetch_or((uint32_t *)p, (uint32_t)bit, __ATOMIC_SEQ_CST) :
               r->op == OP_BTR ? __atomic_fetch_and((uint32_t *)p, (uint32_t)~bit, __ATOMIC_SEQ_CST) :
               __atomic_fetch_xor((uint32_t *)p, (uint32_t)bit, __ATOMIC_SEQ_CST);
    }
    if (r->flags & REC_LOCK) {
        return r->op == OP_BTS ? __atomic_fetch_or((uint16_t *)p, (uint16_t)bit, __ATOMIC_SEQ_CST) :
               r->op == OP_BTR ? __atomic_fetch_and((uint16_t *)p, (uint16_t)~bit, __ATOMIC_SEQ_CST) :
               __atomic_fetch_xor((uint16_t *)p, (uint16_t)bit, __ATOMIC_SEQ_CST);
    }
    v = host_ld(p, r->size);
    host_st(p, r->size, bit_apply(r->op, v, bit));
    return v;
}

static X86_OP(bt_any)
{
    unsigned size = r->size, w = 8u << size;
    bool imm = r->form == FORM_RM_I;
    int64_t pos = imm ? (int64_t)(r->imm & (w - 1)) : (int64_t)sx(reg_get(cpu, r->reg, size), size);
    uint64_t bit = 1ULL << (pos & (w - 1)), v;

    if (!(r->flags & REC_MEM)) {
        v = reg_get(cpu, r->rm, size);
        if (r->op != OP_BT) {
            reg_set(cpu, r->rm, size, bit_apply(r->op, v, bit));
        }
    } else if (r->op == OP_BT) {
        v = mem_ld(cpu, r, bit_la(cpu, r, pos, false), size);
    } else {
        void *p = mem_rmw_begin(cpu, r, bit_la(cpu, r, pos, true), 1u << size);

        v = bit_host(r, p, bit);
        mem_rmw_end(cpu, r, p);
    }
    set_cf(cpu, v & bit);
    X86_NEXT;
}

/* With a source of zero the destination stays (what processors do, and AMD's manual says) */
static X86_OP(bsf)
{
    uint64_t v = rm_get(cpu, r, r->size);

    cc_logic(cpu, r->size, v);
    if (v) {
        reg_set(cpu, r->reg, r->size, (unsigned)__builtin_ctzll(v));
    }
    X86_NEXT;
}

static X86_OP(bsr)
{
    uint64_t v = rm_get(cpu, r, r->size);

    cc_logic(cpu, r->size, v);
    if (v) {
        reg_set(cpu, r->reg, r->size, 63u - (unsigned)__builtin_clzll(v));
    }
    X86_NEXT;
}

static X86_OP(tzcnt)
{
    uint64_t v = rm_get(cpu, r, r->size);
    unsigned n = v ? (unsigned)__builtin_ctzll(v) : 8u << r->size;

    flags_set_arith(cpu, (v ? 0 : FL_CF) | (n ? 0 : FL_ZF));
    reg_set(cpu, r->reg, r->size, n);
    X86_NEXT;
}

static X86_OP(lzcnt)
{
    unsigned w = 8u << r->size;
    uint64_t v = rm_get(cpu, r, r->size);
    unsigned n = v ? (unsigned)__builtin_clzll(v) - (64 - w) : w;

    flags_set_arith(cpu, (v ? 0 : FL_CF) | (n ? 0 : FL_ZF));
    reg_set(cpu, r->reg, r->size, n);
    X86_NEXT;
}

static X86_OP(popcnt)
{
    uint64_t v = rm_get(cpu, r, r->size);

    flags_set_arith(cpu, v ? 0 : FL_ZF);
    reg_set(cpu, r->reg, r->size, (unsigned)__builtin_popcountll(v));
    X86_NEXT;
}

/* CRC-32C (polynomial 11EDC6F41h, reflected), four bits at a time */
static uint32_t crc32c(uint32_t crc, uint64_t v, unsigned bytes)
{
    static const uint32_t step[16] = {
        0x00000000, 0x105EC76F, 0x20BD8EDE, 0x30E349B1, 0x417B1DBC, 0x5125DAD3, 0x61C69362, 0x7198540D,
        0x82F63B78, 0x92A8FC17, 0xA24BB5A6, 0xB21572C9, 0xC38D26C4, 0xD3D3E1AB, 0xE330A81A, 0xF36E6F75,
    };

    while (bytes--) {
        crc ^= (uint8_t)v;
        crc = crc >> 4 ^ step[crc & 15];
        crc = crc >> 4 ^ step[crc & 15];
        v >>= 8;
    }
    return crc;
}

static X86_OP(crc32)
{
    uint64_t v = rm_get(cpu, r, r->size);

    REG64(r->reg) = crc32c(REG32(r->reg), v, 1u << r->size);
    X86_NEXT;
}

/*
 * BMI1, BMI2
 */
static X86_OP(andn)
{
    uint64_t v = ~cpu->regs[r->vvvv] & rm_get(cpu, r, r->size);

    cc_logic(cpu, r->size, v);
    reg_set(cpu, r->reg, r->size, v);
    X86_NEXT;
}

static uint32_t flags_sz(uint64_t v, unsigned size)
{
    return (sx(v, size) >> 63 ? FL_SF : 0) | (zx(v, size) ? 0 : FL_ZF);
}

/* BLSR, BLSMSK, BLSI: vvvv <- rm */
static X86_OP(bls)
{
    uint64_t s = rm_get(cpu, r, r->size);
    uint64_t v = r->op == OP_BLSR ? s & (s - 1) : r->op == OP_BLSMSK ? s ^ (s - 1) : s & -s;
    bool c = r->op == OP_BLSI ? s != 0 : s == 0;

    flags_set_arith(cpu, flags_sz(v, r->size) | (c ? FL_CF : 0));
    reg_set(cpu, r->vvvv * 8u, r->size, v);
    X86_NEXT;
}

static X86_OP(bzhi)
{
    uint64_t v = rm_get(cpu, r, r->size);
    unsigned n = (uint8_t)cpu->regs[r->vvvv], w = 8u << r->size;

    v = n < w ? v & bits_mask(n) : v;
    flags_set_arith(cpu, flags_sz(v, r->size) | (n >= w ? FL_CF : 0));
    reg_set(cpu, r->reg, r->size, v);
    X86_NEXT;
}

static X86_OP(bextr)
{
    uint64_t v = rm_get(cpu, r, r->size);
    unsigned start = (uint8_t)cpu->regs[r->vvvv], n = (uint8_t)(cpu->regs[r->vvvv] >> 8);

    v = start < 64 ? v >> start & bits_mask(n) : 0;
    cc_logic(cpu, r->size, v);
    reg_set(cpu, r->reg, r->size, v);
    X86_NEXT;
}

static X86_OP(pdep)
{
    uint64_t mask = rm_get(cpu, r, r->size), s = cpu->regs[r->vvvv], v = 0;

    for (; mask; mask &= mask - 1, s >>= 1) {
        v |= s & 1 ? mask & -mask : 0;
    }
    reg_set(cpu, r->reg, r->size, v);
    X86_NEXT;
}

static X86_OP(pext)
{
    uint64_t mask = rm_get(cpu, r, r->size), s = cpu->regs[r->vvvv], v = 0;

    for (unsigned i = 0; mask; mask &= mask - 1, i++) {
        v |= s & mask & -mask ? 1ULL << i : 0;
    }
    reg_set(cpu, r->reg, r->size, v);
    X86_NEXT;
}

/* reg:vvvv = rDX * rm; the high half wins when both are the same register */
static X86_OP(mulx)
{
    unsigned __int128 p = (unsigned __int128)reg_get(cpu, R_DX * 8, r->size) * rm_get(cpu, r, r->size);

    reg_set(cpu, r->vvvv * 8u, r->size, (uint64_t)p);
    reg_set(cpu, r->reg, r->size, (uint64_t)(p >> (8u << r->size)));
    X86_NEXT;
}

static X86_OP(rorx)
{
    unsigned w = 8u << r->size, n = r->imm32 & (w - 1);
    uint64_t v = rm_get(cpu, r, r->size);

    reg_set(cpu, r->reg, r->size, n ? v >> n | v << (w - n) : v);
    X86_NEXT;
}

static X86_OP(shiftx)
{
    uint64_t v = rm_get(cpu, r, r->size);
    unsigned n = (unsigned)cpu->regs[r->vvvv] & ((8u << r->size) - 1);

    v = r->op == OP_SHLX ? v << n : r->op == OP_SHRX ? v >> n : (uint64_t)((int64_t)sx(v, r->size) >> n);
    reg_set(cpu, r->reg, r->size, v);
    X86_NEXT;
}

/* ADCX carries in CF, ADOX in OF; nothing else changes */
static X86_OP(adx)
{
    uint32_t f = flags_arith(cpu), bit = r->op == OP_ADCX ? FL_CF : FL_OF;
    uint64_t a = reg_get(cpu, r->reg, r->size), b = rm_get(cpu, r, r->size);
    unsigned __int128 s = (unsigned __int128)a + b + (f & bit ? 1 : 0);

    flags_set_arith(cpu, (f & ~bit) | (s >> (8u << r->size) ? bit : 0));
    reg_set(cpu, r->reg, r->size, (uint64_t)s);
    X86_NEXT;
}

x86_handler *x86_bind_bits(const struct x86_rec *r, uint32_t mode)
{
    (void)mode;
    switch (r->op) {
    case OP_BT:
    case OP_BTS:
    case OP_BTR:
    case OP_BTC:
        return x86_bt_any;
    case OP_BSF:
        return x86_bsf;
    case OP_BSR:
        return x86_bsr;
    case OP_TZCNT:
        return x86_tzcnt;
    case OP_LZCNT:
        return x86_lzcnt;
    case OP_POPCNT:
        return x86_popcnt;
    case OP_CRC32:
        return x86_crc32;
    case OP_ANDN:
        return x86_andn;
    case OP_BLSR:
    case OP_BLSMSK:
    case OP_BLSI:
        return x86_bls;
    case OP_BZHI:
        return x86_bzhi;
    case OP_BEXTR:
        return x86_bextr;
    case OP_PDEP:
        return x86_pdep;
    case OP_PEXT:
        return x86_pext;
    case OP_MULX:
        return x86_mulx;
    case OP_RORX:
        return x86_rorx;
    case OP_SARX:
    case OP_SHLX:
    case OP_SHRX:
        return x86_shiftx;
    case OP_ADCX:
    case OP_ADOX:
        return x86_adx;
    default:
        return NULL;
    }
}
