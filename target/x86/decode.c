/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/decode.c - bytes to records (SDM vol. 2, chapter 2)
 *
 * One pass: prefixes, opcode, ModRM, row of the table (optable.h), operands by the row's pattern, checks. What differs
 * between instructions is in the table; what is here is the encoding scheme itself and the rules that no column holds
 * (refuse()).
 *
 * Every byte comes from fetch8() and friends, which stop at `lim`, the smaller of 15 and what the caller has. A read
 * past it sets `over`, yields zero, and the result is thrown away at the end, so no path needs a check of its own.
 */
#include "target/x86/optable.h"
#include "lib/bits.h"
#include <string.h>

struct dec {
    const uint8_t *p;
    unsigned pos, lim;
    uint32_t mode;
    uint8_t rex;                /* 0x40 | WRXB, or 0: none (byte registers 4-7 are AH..BH). VEX: WRXB without 0x40 */
    bool opsize, adsize, lock, over;
    uint8_t rep;                /* 0, F2 or F3: the last of them */
    uint8_t seg;                /* override, or SEG_NONE */
    bool vex;
    uint8_t vex_l, vvvv, vex_pp;
    uint8_t opc, modrm;
    bool is64;
};
enum { REX_B = 1, REX_X = 2, REX_R = 4, REX_W = 8, SEG_NONE = 0xF };

static inline unsigned fetch8(struct dec *d)
{
    if (unlikely(d->pos >= d->lim)) {
        d->over = true;
        return 0;
    }
    return d->p[d->pos++];
}

static inline uint64_t fetch(struct dec *d, unsigned n)
{
    uint64_t v = 0;

    if (unlikely(d->pos + n > d->lim)) {
        d->over = true;
        return 0;
    }
    memcpy(&v, d->p + d->pos, n);       /* little-endian hosts only, as the rest of the engine */
    d->pos += n;
    return v;
}

/* 0x00: no prefix; otherwise what it does. REX is handled apart: it must be the last one. */
enum { PFX_SEG = 1, PFX_OP, PFX_AD, PFX_LOCK, PFX_REP, PFX_REX };
static const uint8_t prefix_kind[256] = {
    [0x26] = PFX_SEG, [0x2E] = PFX_SEG, [0x36] = PFX_SEG, [0x3E] = PFX_SEG, [0x64] = PFX_SEG, [0x65] = PFX_SEG,
    [0x66] = PFX_OP, [0x67] = PFX_AD, [0xF0] = PFX_LOCK, [0xF2] = PFX_REP, [0xF3] = PFX_REP,
    [0x40 ... 0x4F] = PFX_REX,
};

static unsigned seg_of_prefix(unsigned byte)
{
    return byte < 0x40 ? (byte >> 3) & 3 : byte == 0x64 ? SEG_FS : SEG_GS;
}

/* Return: the first byte of the opcode */
static inline unsigned take_prefixes(struct dec *d)
{
    for (;;) {
        unsigned b = fetch8(d), kind = prefix_kind[b];

        if (likely(!kind) || d->over) {
            return b;
        }
        if (kind == PFX_REX) {
            if (!d->is64) {
                return b;
            }
            d->rex = b;
            continue;
        }
        d->rex = 0;             /* a REX that is not last is ignored: 2.2.1 */
        switch (kind) {
        case PFX_SEG:
            if (!d->is64 || b >= 0x60) {
                d->seg = seg_of_prefix(b);
            }
            break;
        case PFX_OP:
            d->opsize = true;
            break;
        case PFX_AD:
            d->adsize = true;
            break;
        case PFX_LOCK:
            d->lock = true;
            break;
        case PFX_REP:
            d->rep = b;
            break;
        }
    }
}

/*
 * VEX, 2.3.5: C5 RvvvvLpp, C4 RXBmmmmm WvvvvLpp. Outside 64-bit mode C4 and C5 are LES and LDS unless the next byte
 * would be a ModRM with mod 11; then R and X are 1 (inverted 0), B and the top bit of vvvv do not count.
 */
static bool take_vex(struct dec *d, unsigned b, enum x86_map_id *map)
{
    unsigned next = d->pos < d->lim ? d->p[d->pos] : 0, last, mmmmm = 1;

    if (!d->is64 && (next < 0xC0 || !(d->mode & MODE_PE) || (d->mode & MODE_VM))) {
        return false;
    }
    if (d->pos >= d->lim) {
        d->over = true;
        return true;
    }
    if (d->rex || d->opsize || d->rep || d->lock) {
        *map = MAP_COUNT;       /* #UD */
    }
    d->vex = true;
    d->rex = (~fetch8(d) >> 5) & 7;
    if (b == 0xC5) {
        d->rex &= REX_R;
        last = next;
    } else {
        mmmmm = next & 0x1F;
        last = fetch8(d);
        d->rex |= last & 0x80 ? REX_W : 0;
    }
    d->vvvv = (~last >> 3) & 15;
    if (!d->is64) {
        d->rex &= REX_W;
        d->vvvv &= 7;
    }
    d->vex_l = last >> 2 & 1;
    d->vex_pp = last & 3;
    if (*map != MAP_COUNT) {
        *map = mmmmm >= 1 && mmmmm <= 3 ? MAP_VEX1 + mmmmm - 1 : MAP_COUNT;
    }
    d->opc = fetch8(d);
    return true;
}

/* Return: the map, MAP_COUNT for none. The opcode goes to d->opc. */
static inline enum x86_map_id take_opcode(struct dec *d)
{
    unsigned b = take_prefixes(d);
    enum x86_map_id map = MAP_ONE;

    d->opc = b;
    if (likely(b != 0x0F)) {
        if (unlikely((b & 0xFE) == 0xC4) && take_vex(d, b, &map)) {
            return map;
        }
        return (b & 0xF8) == 0xD8 ? MAP_X87 : MAP_ONE;
    }
    d->opc = fetch8(d);
    if (d->opc == 0x38 || d->opc == 0x3A) {
        map = d->opc == 0x38 ? MAP_0F38 : MAP_0F3A;
        d->opc = fetch8(d);
        return map;
    }
    return MAP_0F;
}

/* What this instruction has, one bit in each dimension of the selectors */
static inline uint32_t selectors(const struct dec *d, bool modrm)
{
    static const uint8_t vex_sel[4] = { SEL_NP, SEL_66, SEL_F3, SEL_F2 };
    uint32_t s;

    if (d->vex) {
        s = vex_sel[d->vex_pp] | (d->vex_l ? SEL_L1 : SEL_L0);
    } else {
        s = d->rep ? (d->rep == 0xF3 ? SEL_F3 : SEL_F2) : d->opsize ? SEL_66 : SEL_NP;
        s |= SEL_L0;
    }
    s |= d->is64 ? SEL_64 : SEL_NO64;
    s |= (d->mode & (MODE_PE | MODE_VM)) == MODE_PE ? SEL_PROT : SEL_REAL;
    s |= d->rex & REX_W ? SEL_W1 : SEL_W0;
    if (modrm) {
        s |= d->modrm >= 0xC0 ? SEL_REG : SEL_MEM;
        s |= SEL_OP(d->modrm >> 3 & 7) | SEL_RM(d->modrm & 7);
    } else {
        s |= SEL_REG | SEL_OP(0) | SEL_RM(0);
    }
    return s;
}

static inline bool offered(const struct x86_row *row, const struct dec *d, const struct x86_features *feat)
{
    if (likely(row->feat == X86_FEAT_ALWAYS)) {
        return true;
    }
    return x86_feat(feat, row->feat != X86_FEAT_AVX12 ? row->feat : d->vex_l ? X86_FEAT_AVX2 : X86_FEAT_AVX);
}

/* SDM vol. 2, 3.1.1.1: operand size by 66, REX.W and the code segment */
static inline unsigned operand_size(const struct dec *d, unsigned rule)
{
    bool w = d->rex & REX_W;
    unsigned v = (d->is64 || (d->mode & MODE_CS32)) != d->opsize ? 2 : 1;

    switch (rule) {
    case SIZE_B:
        return 0;
    case SIZE_W:
        return 1;
    case SIZE_D:
        return 2;
    case SIZE_Q:
    case SIZE_MM:
        return 3;
    case SIZE_V:
        return w ? 3 : v;
    case SIZE_Z:
        return w ? 2 : v;
    case SIZE_S:
        return !d->is64 ? v : d->opsize && !w ? 1 : 3;
    case SIZE_N:
        return d->is64 ? 3 : v;
    case SIZE_M:
        return d->is64 ? 3 : v;
    case SIZE_C:
        return d->is64 ? 3 : 2;
    case SIZE_Y:
        return w && d->is64 ? 3 : 2;
    case SIZE_MX:
        return d->opsize ? 4 : 3;
    case SIZE_X:
        return 4;
    case SIZE_L:
        return 4 + d->vex_l;
    default:
        return 0;
    }
}

static inline unsigned byte_reg(const struct dec *d, unsigned n)
{
    return n >= 4 && n < 8 && !d->rex && !d->vex ? 8 * (n - 4) + 1 : 8 * n;
}

/* @n: three bits of the encoding; @ext: 8 when REX extends them */
static inline unsigned reg_operand(const struct dec *d, unsigned kind, unsigned size, unsigned n, unsigned ext)
{
    switch (kind) {
    case KIND_G:
        return size ? 8 * (n | ext) : byte_reg(d, n | ext);
    case KIND_GB:
        return byte_reg(d, n | ext);
    case KIND_GW:
        return 8 * (n | ext);
    case KIND_X:
        return size == 3 ? n : n | ext;
    case KIND_CR:
    case KIND_DR:
        return n | ext;
    case KIND_Q:
    case KIND_SREG:
    case KIND_ST:
        return n;
    default:
        return 0;
    }
}

/* 16-bit addressing, table 2-1 */
static void mem16(struct dec *d, struct x86_rec *r)
{
    static const uint8_t base[8] = { R_BX, R_BX, R_BP, R_BP, R_SI, R_DI, R_BP, R_BX };
    static const uint8_t index[8] = { R_SI, R_DI, R_SI, R_DI, REG_ZERO, REG_ZERO, REG_ZERO, REG_ZERO };
    unsigned mod = d->modrm >> 6, rm = d->modrm & 7;

    r->base = base[rm];
    r->index = index[rm];
    r->seg = base[rm] == R_BP ? SEG_SS : SEG_DS;
    if (mod == 0 && rm == 6) {
        r->base = REG_ZERO;
        r->seg = SEG_DS;
        r->disp = (uint16_t)fetch(d, 2);
    } else if (mod == 1) {
        r->disp = (int8_t)fetch8(d);
    } else if (mod == 2) {
        r->disp = (int16_t)fetch(d, 2);
    }
}

/* 32- and 64-bit addressing, tables 2-2 and 2-3; @vsib: the index is a vector register, and there must be a SIB */
static inline bool mem32(struct dec *d, struct x86_rec *r, bool vsib)
{
    unsigned mod = d->modrm >> 6, rm = d->modrm & 7, base = rm, ext = d->rex & REX_B ? 8 : 0;

    if (rm == 4) {
        unsigned sib = fetch8(d);
        unsigned index = (sib >> 3 & 7) | (d->rex & REX_X ? 8 : 0);

        r->scale = sib >> 6;
        base = sib & 7;
        if (index != 4 || vsib) {
            r->index = index;
        }
    } else if (vsib) {
        return false;
    }
    if (mod == 0 && base == 5) {
        r->disp = (int32_t)fetch(d, 4);
        if (rm == 5 && d->is64) {
            r->base = REG_RIP;          /* made relative to the block when the length is known */
        }
        return true;
    }
    r->base = base | ext;
    if (r->base == R_SP || r->base == R_BP) {
        r->seg = SEG_SS;
    }
    if (mod == 1) {
        r->disp = (int8_t)fetch8(d);
    } else if (mod == 2) {
        r->disp = (int32_t)fetch(d, 4);
    }
    return true;
}

/* Return: REC_FLAT64, REC_FLAT32 or 0 for the record's segment and address size */
static inline unsigned flat_flag(const struct dec *d, const struct x86_rec *r)
{
    static const uint16_t flat_bit[16] = {
        [SEG_ES] = MODE_FLAT_ES, [SEG_CS] = MODE_FLAT_CS, [SEG_SS] = MODE_FLAT_SS, [SEG_DS] = MODE_FLAT_DS,
    };

    if (d->is64) {
        return r->seg == SEG_FS || r->seg == SEG_GS ? 0 : r->asize == 3 ? REC_FLAT64 : REC_FLAT32;
    }
    return r->asize == 2 && (d->mode & flat_bit[r->seg]) ? REC_FLAT32 : 0;
}

static void take_imm(struct dec *d, struct x86_rec *r, unsigned kind)
{
    unsigned n = r->size == 0 ? 1 : r->size == 1 ? 2 : 4;

    switch (kind) {
    case IMM_B:
        r->imm = fetch8(d);
        break;
    case IMM_R4:
        r->imm = fetch8(d) & (d->is64 ? 0xFF : 0x7F); /* the register's top bit does not count outside 64-bit mode */
        break;
    case IMM_BS:
    case IMM_JB:
        r->imm = (uint64_t)(int64_t)(int8_t)fetch8(d);
        break;
    case IMM_W:
        r->imm = fetch(d, 2);
        break;
    case IMM_V:
        n = 1u << r->size;
        __attribute__((fallthrough));
    case IMM_Z:
    case IMM_JZ:
        r->imm = fetch(d, n);
        r->imm = (uint64_t)((int64_t)(r->imm << (64 - 8 * n)) >> (64 - 8 * n));
        break;
    case IMM_FAR:
        r->imm = fetch(d, r->size == 1 ? 2 : 4);
        r->imm |= fetch(d, 2) << 32;
        break;
    case IMM_ENTER:
        r->imm = fetch(d, 3);
        break;
    case IMM_MOFFS:
        r->imm = fetch(d, 1u << r->asize);
        r->flags |= REC_MEM;
        break;
    case IMM_ONE:
        r->imm = 1;
        break;
    }
}

static void become(struct x86_rec *r, unsigned op)
{
    r->op = op;
    r->form = FORM_NONE;
    r->flags = (r->flags & REC_MODRM) | REC_LAST;
    r->base = r->reg = 0;
    r->index = REG_ZERO;
}

/* #UD and #NM by mode: optable.h, enum x86_class. Return: OP_UD, OP_NM, or 0 when nobody objects */
static unsigned class_refuses(const struct dec *d, unsigned cls)
{
    uint32_t m = d->mode;
    bool sse = cls == CLS_SSE || (cls == CLS_MX && d->opsize);

    switch (cls) {
    case CLS_X87:
    case CLS_FX:
        return m & (MODE_EM | MODE_TS) ? OP_NM : 0;
    case CLS_WAIT:
        return (m & (MODE_MP | MODE_TS)) == (MODE_MP | MODE_TS) ? OP_NM : 0;
    case CLS_MMX:
    case CLS_SSE:
    case CLS_MX:
        if ((m & MODE_EM) || (sse && !(m & MODE_OSFXSR))) {
            return OP_UD;
        }
        return m & MODE_TS ? OP_NM : 0;
    case CLS_OSX:
        return m & MODE_OSXSAVE ? 0 : OP_UD;
    case CLS_AVX:
        if (!(m & MODE_AVX)) {
            return OP_UD;
        }
        __attribute__((fallthrough));
    case CLS_XS:
        return !(m & MODE_OSXSAVE) ? OP_UD : m & MODE_TS ? OP_NM : 0;
    default:
        return 0;
    }
}

static bool lock_legal(const struct x86_rec *r)
{
    return (r->flags & REC_MEM) && (x86_op_info[r->op].attr & XA_LOCK) &&
           (r->form == FORM_RM_R || r->form == FORM_RM_I || r->form == FORM_RM);
}

/* Rules of single instructions that the columns do not express. Return: true for #UD */
static bool refuse(const struct dec *d, const struct x86_rec *r, const struct x86_pattern_info *pat)
{
    if (d->vex && !pat->vvvv && d->vvvv) {
        return true;            /* vvvv must be 1111b (stored inverted) */
    }
    switch (pat->reg) {
    case KIND_SREG:
        return r->reg > SEG_GS || (r->op == OP_MOV_TO_SREG && r->reg == SEG_CS);
    case KIND_CR:
        return !(r->reg <= 4 || r->reg == 8) || r->reg == 1;
    case KIND_DR:
        return r->reg > 7;
    }
    if (r->op >= OP_VGATHERDPS && r->op <= OP_VPGATHERQQ) {
        return r->reg == d->vvvv || r->reg == r->index || r->index == d->vvvv;
    }
    return false;
}

/* The few whose record needs a last touch */
static inline void finish_special(const struct dec *d, struct x86_rec *r)
{
    switch (r->op) {
    case OP_XCHG:
        if (d->opc == 0x90 && (!r->rm || d->rep == 0xF3)) {        /* F3 90 is PAUSE, whatever REX.B says */
            become(r, d->rep == 0xF3 ? OP_PAUSE : OP_NOP);
            r->flags &= ~REC_LAST;
        } else if (r->flags & REC_MEM) {
            r->flags |= REC_LOCK;
        }
        break;
    case OP_PUSH_SREG:
    case OP_POP_SREG:
        r->reg = d->opc >> 3 & 7;           /* 06 0E 16 1E, 0F A0 0F A8: bits 5:3 are the register */
        __attribute__((fallthrough));
    case OP_PUSH: case OP_POP: case OP_PUSHA: case OP_POPA: case OP_PUSHF: case OP_POPF: case OP_ENTER: case OP_LEAVE:
    case OP_CALL: case OP_CALL_RM: case OP_RET: case OP_CALLF: case OP_RETF: case OP_IRET:
        r->seg = r->flags & REC_MEM ? r->seg : SEG_SS;      /* of the implied operand: #SS or #GP (rec.h) */
        break;
    }
    if (x86_op_info[r->op].attr & XA_FPU) {
        r->imm = (d->opc & 7u) << 8 | d->modrm;         /* FOP */
    }
}

static const struct x86_row *find_row(const struct dec *d, const struct x86_map *map, unsigned key, uint32_t sel,
                                      const struct x86_features *feat)
{
    const struct x86_row *row = &map->rows[map->index[key]];

    for (; row > map->rows && row->first <= key && key <= row->last; row--) {
        if (likely(!(sel & ~row->sel)) && offered(row, d, feat)) {
            return row;
        }
    }
    return NULL;
}

/* ModRM.rm as a memory operand. MOV CR and DR never have one: mod is ignored. */
static inline bool take_operands(struct dec *d, struct x86_rec *r, const struct x86_pattern_info *pat)
{
    unsigned reg = d->modrm >> 3 & 7, rex_r = d->rex & REX_R ? 8 : 0, rex_b = d->rex & REX_B ? 8 : 0;

    r->reg = reg_operand(d, pat->reg, r->size, reg, rex_r);
    if (d->modrm >= 0xC0 || pat->reg == KIND_CR || pat->reg == KIND_DR) {
        r->rm = reg_operand(d, pat->rm, r->size, d->modrm & 7, rex_b);
        return true;
    }
    r->flags |= REC_MEM;
    r->base = REG_ZERO;
    if (r->asize == 1) {
        mem16(d, r);
        return true;
    }
    return mem32(d, r, false);
}

static bool is_gather(unsigned op)
{
    return op >= OP_VGATHERDPS && op <= OP_VPGATHERQQ;
}

static bool take_vsib(struct dec *d, struct x86_rec *r)
{
    r->reg = (d->modrm >> 3 & 7) | (d->rex & REX_R ? 8 : 0);
    r->flags |= REC_MEM;
    r->base = REG_ZERO;
    return r->asize != 1 && mem32(d, r, true);
}

/* Return: false for #UD */
static bool decode_body(struct dec *d, struct x86_rec *r, const struct x86_features *feat)
{
    enum x86_map_id id = take_opcode(d);
    const struct x86_map *map;
    const struct x86_pattern_info *pat;
    const struct x86_row *row;
    unsigned key = d->opc, cc, no;
    bool modrm;

    if (unlikely(id == MAP_COUNT)) {
        return false;
    }
    map = &x86_maps[id];
    modrm = id == MAP_X87 || x86_patterns[map->rows[map->index[key]].pat & ~PAT_CC].modrm;
    if (modrm) {
        d->modrm = fetch8(d);
        r->flags |= REC_MODRM;
        if (id == MAP_X87) {
            key = (d->opc & 7) << 3 | (d->modrm >> 3 & 7);
        }
    }
    row = find_row(d, map, key, selectors(d, modrm), feat);
    if (unlikely(!row) || row->op == OP_UD) {
        return false;
    }
    pat = &x86_patterns[row->pat & ~PAT_CC];
    cc = row->pat & PAT_CC ? d->opc & 15 : 0;
    r->op = row->op + cc;
    r->form = pat->form;
    r->size = operand_size(d, row->size);
    r->asize = d->is64 ? (d->adsize ? 2 : 3) : ((d->mode & MODE_CS32) != 0) != d->adsize ? 2 : 1;
    r->seg = SEG_DS;
    if (modrm && row->pat != PAT_MODRM) {
        if (unlikely(is_gather(r->op)) ? !take_vsib(d, r) : !take_operands(d, r, pat)) {
            return false;
        }
    } else if (pat->rm == KIND_OP) {
        r->rm = reg_operand(d, KIND_G, r->size, d->opc & 7, d->rex & REX_B ? 8 : 0);
    }
    if (r->op == OP_FENCE) {
        r->reg = d->modrm >> 3 & 7;
    }
    if (d->seg != SEG_NONE) {
        r->seg = d->seg;
    }
    take_imm(d, r, pat->imm);
    if (d->vex) {
        r->flags |= REC_VEX | (d->vex_l ? REC_VEX_L : 0);
        r->vvvv = d->vvvv;
    }
    r->flags |= (d->opsize ? REC_OSIZE : 0) | (d->rex & REX_W && d->is64 ? REC_REXW : 0);
    if (unlikely(refuse(d, r, pat))) {
        return false;
    }
    if (unlikely(d->lock)) {
        if (!lock_legal(r)) {
            return false;
        }
        r->flags |= REC_LOCK;
    }
    if (row->cls != CLS_GEN && (no = class_refuses(d, row->cls))) {
        become(r, no);
        return true;
    }
    if (x86_op_info[r->op].attr & (XA_STR | XA_END)) {
        r->flags |= x86_op_info[r->op].attr & XA_END ? REC_LAST : 0;
        if (x86_op_info[r->op].attr & XA_STR) {
            r->flags |= d->rep ? (d->rep == 0xF3 ? REC_REP : REC_REPNE) : 0;
        }
    }
    r->flags |= flat_flag(d, r);
    finish_special(d, r);
    return true;
}

unsigned x86_decode(const uint8_t *p, unsigned avail, uint32_t mode, unsigned off, const struct x86_features *feat,
                    struct x86_rec *r)
{
    struct dec d = { .p = p, .lim = avail < 15 ? avail : 15, .mode = mode, .seg = SEG_NONE, .is64 = mode & MODE_64 };
    x86_handler *fn = r->fn;

    memset(r, 0, sizeof(*r));
    r->fn = fn;
    r->index = REG_ZERO;
    r->off = off;
    if (unlikely(!decode_body(&d, r, feat)) && !d.over) {
        become(r, OP_UD);
    }
    if (unlikely(d.over)) {
        if (avail < 15) {
            return 0;
        }
        d.pos = 15;
        r->imm = 0;
        become(r, OP_GP0);
    }
    r->len = d.pos;
    if ((r->flags & REC_MEM) && r->base == REG_RIP) {
        r->disp += (int32_t)(off + d.pos);
    }
    return d.pos;
}
