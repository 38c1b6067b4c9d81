/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/x86/gen.c - cases from rows of the instruction table
 *
 * An encoding is drawn within the row's selectors: prefixes, REX or VEX, ModRM, SIB, displacement, immediate. It is
 * then decoded, and the registers are chosen so that it does something: a memory operand is aimed into the arena by
 * computing its base register, branch registers at code, divisors and counts at sizes that matter. A wrong decoder
 * cannot hide behind this: silicon would go elsewhere.
 */
#include "tests/x86/gen.h"
#include <string.h>

uint64_t ox_rand(struct ox_rng *g)
{
    g->s ^= g->s << 13;
    g->s ^= g->s >> 7;
    g->s ^= g->s << 17;
    return g->s * 0x2545F4914F6CDD1DULL;
}

unsigned ox_below(struct ox_rng *g, unsigned n)
{
    return (unsigned)((ox_rand(g) >> 32) % n);
}

static bool chance(struct ox_rng *g, unsigned one_in)
{
    return ox_below(g, one_in) == 0;
}

/* 64 bits out of which all widths take something that carries, wraps, or changes sign */
static uint64_t number(struct ox_rng *g)
{
    static const uint64_t edge[] = {
        0, 1, 2, 3, 7, 8, 0x0F, 0x7F, 0x80, 0xFF, 0x100, 0x7FFF, 0x8000, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000,
        0xFFFFFFFF, 0x100000000, 0x7FFFFFFFFFFFFFFF, 0x8000000000000000, ~0ULL, ~1ULL, 0x5555555555555555,
        0x8080808080808080, 0x7F7F7F7F7F7F7F7F, 0x8000800080008000, 0x7FFF7FFF7FFF7FFF, 0x8000000080000000, 0x99, 0x9A,
    };

    switch (ox_below(g, 5)) {
    case 0:
        return edge[ox_below(g, sizeof(edge) / sizeof(edge[0]))];
    case 1:
        return ox_rand(g) >> ox_below(g, 64);
    case 2:
        return 1ULL << ox_below(g, 64);
    default:
        return ox_rand(g);
    }
}

static uint32_t float32(struct ox_rng *g)
{
    static const uint32_t edge[] = {
        0, 0x80000000, 0x3F800000, 0xBF800000, 0x7F800000, 0xFF800000, 0x7FC00000, 0xFFC00000, 0x7F800001, 0xFFBFFFFF,
        1, 0x80000001, 0x007FFFFF, 0x00800000, 0x7F7FFFFF, 0x4F000000, 0xCF000000, 0x5F000000, 0x3F000000, 0x40490FDB,
        0x4B000000, 0x4EFFFFFF, 0x3FC00000, 0x40200000, 0x34000000, 0x477FE000, 0x38800000, 0x33800000,
    };

    switch (ox_below(g, 4)) {
    case 0:
        return edge[ox_below(g, sizeof(edge) / sizeof(edge[0]))];
    case 1:
        return (uint32_t)ox_rand(g);
    default:        /* moderate exponents, so that sums and products do not all overflow */
        return ((uint32_t)ox_rand(g) & 0x807FFFFF) | (127 - 12 + ox_below(g, 24)) << 23;
    }
}

static uint64_t float64(struct ox_rng *g)
{
    static const uint64_t edge[] = {
        0, 0x8000000000000000, 0x3FF0000000000000, 0xBFF0000000000000, 0x7FF0000000000000, 0xFFF0000000000000,
        0x7FF8000000000000, 0xFFF8000000000000, 0x7FF0000000000001, 0xFFF7FFFFFFFFFFFF, 1, 0x8000000000000001,
        0x000FFFFFFFFFFFFF, 0x0010000000000000, 0x7FEFFFFFFFFFFFFF, 0x41DFFFFFFFC00000, 0x41E0000000000000,
        0xC1E0000000000000, 0x43E0000000000000, 0xC3E0000000000000, 0x3FE0000000000000, 0x4004000000000000,
        0x47EFFFFFE0000000, 0x36A0000000000000, 0x380FFFFFC0000000, 0x400921FB54442D18,
    };

    switch (ox_below(g, 4)) {
    case 0:
        return edge[ox_below(g, sizeof(edge) / sizeof(edge[0]))];
    case 1:
        return ox_rand(g);
    default:
        return (ox_rand(g) & 0x800FFFFFFFFFFFFF) | (uint64_t)(1023 - 30 + ox_below(g, 60)) << 52;
    }
}

/* Also what no x87 produces: pseudo-denormals, unnormals, pseudo-infinities (SDM vol. 1, table 8-3) */
static void float80(struct ox_rng *g, uint8_t out[10])
{
    static const uint64_t mant[] = {
        0, 1ULL << 63, ~0ULL, 1, 0xC000000000000000, 0xBFFFFFFFFFFFFFFF, 0x8000000000000001, 0x7FFFFFFFFFFFFFFF,
        0xFFFFFFFF00000000, 0xC90FDAA22168C235,
    };
    static const uint16_t exps[] = { 0, 1, 0x3FFF, 0x7FFF, 0x7FFE, 0x4000, 0x3FFE, 0x403E, 0x403D, 0x3C00, 0x43FF };
    uint64_t m = ox_rand(g);
    uint16_t e = (uint16_t)(0x3FFF - 40 + ox_below(g, 80));

    if (chance(g, 4)) {
        m = mant[ox_below(g, 10)];
    }
    if (chance(g, 4)) {
        e = exps[ox_below(g, 11)];
    }
    if (e && !chance(g, 16)) {
        m |= 1ULL << 63;
    }
    if (chance(g, 40)) {
        e = (uint16_t)ox_rand(g) & 0x7FFF;
    }
    e |= (uint16_t)(ox_below(g, 2) << 15);
    memcpy(out, &m, 8);
    memcpy(out + 8, &e, 2);
}

static void vector16(struct ox_rng *g, uint8_t *out)
{
    unsigned kind = ox_below(g, 4);

    for (unsigned i = 0; i < 16; i += kind == 1 ? 4 : 8) {
        uint64_t v = kind == 1 ? float32(g) : kind == 2 ? float64(g) : number(g);

        memcpy(out + i, &v, kind == 1 ? 4 : 8);
    }
}

void ox_make_image(struct ox_rng *g, uint8_t image[OX_IMAGE])
{
    for (unsigned i = 0; i < OX_IMAGE; i += 16) {
        vector16(g, image + i);
        if (chance(g, 5)) {
            float80(g, image + i);
        }
        if (chance(g, 12)) {        /* packed decimal, and text for the string instructions */
            for (unsigned k = 0; k < 10; k++) {
                image[i + k] = (uint8_t)(ox_below(g, 10) << 4 | ox_below(g, 10));
            }
        }
        if (chance(g, 8)) {
            for (unsigned k = 0; k < 16; k++) {
                image[i + k] = (uint8_t)ox_below(g, 4);
            }
        }
    }
    for (unsigned i = 0; i < 32; i++) {
        uint64_t to = OX_CODE + 0x100 + ox_below(g, 0x600);

        memcpy(image + OX_TARGETS + 8 * i, &to, 8);
    }
}

/* An address to access: mostly inside, sometimes across an edge, read-only, unmapped, or not canonical */
uint64_t ox_address(struct ox_rng *g, bool mode32)
{
    unsigned k = ox_below(g, 100);

    if (k < 55) {
        return OX_ARENA + 0x100 + 32 * ox_below(g, (OX_RW - 0x200) / 32);
    } else if (k < 65) {
        return OX_ARENA + 0x100 + 16 * ox_below(g, (OX_RW - 0x200) / 16);
    } else if (k < 83) {
        return OX_ARENA + 0x100 + ox_below(g, OX_RW - 0x200);
    } else if (k < 89) {
        return OX_ARENA + 0x1000 - ox_below(g, 32);            /* across pages, both mapped */
    } else if (k < 92) {
        return OX_ARENA + OX_RW - ox_below(g, 32);             /* into the read-only page */
    } else if (k < 95) {
        return OX_ARENA + OX_RW + 0x100 + ox_below(g, 0x200);
    } else if (k < 97) {
        return OX_ARENA + OX_IMAGE - ox_below(g, 32);          /* off the end */
    } else if (k < 99 || mode32) {
        return OX_ARENA - ox_below(g, 32);
    }
    return 0x8000000000000000ULL + ox_rand(g) % 0x1000000;
}

static uint64_t inside(struct ox_rng *g)
{
    return OX_ARENA + 0x400 + 8 * ox_below(g, (OX_RW - 0x800) / 8);
}

static void add(struct ox_bytes *o, unsigned v)
{
    o->b[o->n++] = (uint8_t)v;
}

static unsigned pick_bit(struct ox_rng *g, uint32_t mask, unsigned shift)
{
    unsigned k;

    do {
        k = ox_below(g, 8);
    } while (!(mask >> (shift + k) & 1));
    return k;
}

/* Which prefix class: 0 none, 1 66, 2 F3, 3 F2 */
static unsigned pick_prefix(struct ox_rng *g, const struct x86_row *row)
{
    unsigned open = row->sel & 0xF, k;

    if (open == 0xF) {
        if (x86_op_info[row->op].attr & XA_STR) {
            k = ox_below(g, 6);
            return k < 2 ? 2 : k < 4 ? 3 : 0;
        }
        k = ox_below(g, 40);
        return k < 10 ? 1 : k == 10 ? 2 : k == 11 ? 3 : 0;
    }
    do {
        k = ox_below(g, 4);
    } while (!(open >> k & 1));
    return k;
}

static void put_prefixes(struct ox_rng *g, struct ox_bytes *o, const struct x86_row *row, bool mode32, bool w1,
                         bool mem)
{
    static const uint8_t byte[4] = { 0, 0x66, 0xF3, 0xF2 };
    unsigned k = pick_prefix(g, row);

    if (chance(g, 24)) {
        add(o, chance(g, 2) ? 0x3E : 0x65);
    }
    if (chance(g, mode32 ? 60 : 12)) {
        add(o, 0x67);
    }
    if (k >= 2 && chance(g, 4)) {
        add(o, 0x66);
    }
    if (((x86_op_info[row->op].attr & XA_LOCK) && mem) ? chance(g, 6) : chance(g, 200)) {
        add(o, 0xF0);
    }
    if (k) {
        add(o, byte[k]);
    }
    if (!mode32 && (w1 || !chance(g, 3))) {
        unsigned rex = 0x40 | ox_below(g, 8) | (w1 ? 8 : 0);

        if (rex != 0x40 || chance(g, 2)) {
            add(o, rex);
        }
    }
}

static void put_vex(struct ox_rng *g, struct ox_bytes *o, enum x86_map_id map, const struct x86_row *row, bool mode32,
                    bool w1)
{
    unsigned pp = pick_prefix(g, row), l = pick_bit(g, (row->sel >> 12 & 3) | 0, 0), rxb = 7, mm = map - MAP_VEX1 + 1;
    unsigned vvvv = x86_patterns[row->pat].vvvv || chance(g, 100) ? ox_below(g, mode32 ? 8 : 16) : 0;

    if (!mode32) {
        rxb = ox_below(g, 8);
    }
    if (mm == 1 && !w1 && (rxb & 3) == 3 && chance(g, 2)) {
        add(o, 0xC5);
        add(o, (rxb & 4) << 5 | (~vvvv & 15) << 3 | l << 2 | pp);
        return;
    }
    add(o, 0xC4);
    add(o, rxb << 5 | mm);
    add(o, (w1 ? 0x80u : 0) | (~vvvv & 15) << 3 | l << 2 | pp);
}

/* ModRM, SIB and displacement; the address itself comes out of aim() later */
static void put_modrm(struct ox_rng *g, struct ox_bytes *o, const struct x86_row *row, bool mem, bool mode32)
{
    unsigned reg = pick_bit(g, row->sel, 14), rm = pick_bit(g, row->sel, 22), mod = mem ? ox_below(g, 3) : 3;
    bool sib = rm == 4 && mod != 3;
    unsigned disp = mod == 1 ? 1 : mod == 2 || (mod == 0 && rm == 5) ? 4 : 0;

    if (mem && rm == 5 && mod == 0 && !mode32) { /* RIP-relative: only displacements into the arena are useful */
        mod = 1;
        disp = 1;
    }
    if (row->op >= OP_VGATHERDPS && row->op <= OP_VPGATHERQQ && !sib) {
        rm = 4;
        sib = true;
        disp = mod == 1 ? 1 : mod == 2 ? 4 : 0;
    }
    add(o, mod << 6 | reg << 3 | rm);
    if (sib) {
        unsigned s = ox_below(g, 256);

        if (mod == 0 && (s & 7) == 5) {
            disp = 4;
        }
        add(o, s);
    }
    if (disp == 1) {
        add(o, ox_below(g, 256));
    } else if (disp == 4) {
        uint32_t d = chance(g, 2) ? (uint32_t)OX_ARENA + 0x100 + 16 * ox_below(g, 0x180)
                                  : (uint32_t)ox_below(g, 0x4000) - 0x2000;

        for (unsigned i = 0; i < 4; i++) {
            add(o, d >> 8 * i);
        }
    }
}

static void put_imm(struct ox_rng *g, struct ox_bytes *o, const struct x86_row *row, bool mode32)
{
    unsigned kind = x86_patterns[row->pat & ~PAT_CC].imm;
    uint64_t v = number(g);

    if (kind == IMM_JB) {
        v = ox_below(g, 100);
    } else if (kind == IMM_JZ) {
        v = chance(g, 10) ? ox_rand(g) : ox_below(g, 0x600);
    } else if (kind == IMM_MOFFS) {
        v = ox_address(g, mode32);
    } else if (row->op == OP_INT) {
        static const uint8_t vec[] = { 0, 1, 3, 4, 5, 6, 13, 14, 0x20, 0x7F, 0xFF };

        v = vec[ox_below(g, sizeof(vec))];
    } else if (row->op == OP_ENTER) {
        v = ox_below(g, 64) | ox_below(g, chance(g, 10) ? 256 : 5) << 16;
    } else if (row->op == OP_RET) {
        v = ox_below(g, 64);
    }
    for (unsigned i = 0; i < 8; i++) {
        add(o, (unsigned)(v >> 8 * i));
    }
}

void ox_encode(struct ox_rng *g, struct ox_bytes *o, enum x86_map_id map, const struct x86_row *row, bool mode32)
{
    const struct x86_pattern_info *pat = &x86_patterns[row->pat & ~PAT_CC];
    bool mem = (row->sel & (SEL_MEM | SEL_REG)) == SEL_REG ? false :
               (row->sel & (SEL_MEM | SEL_REG)) == SEL_MEM ? !chance(g, 50) : chance(g, 2);
    bool w1 = (row->sel & (SEL_W0 | SEL_W1)) == SEL_W1 ? true : (row->sel & SEL_W1) && chance(g, 3);
    unsigned opc = row->first + ox_below(g, row->last - row->first + 1u);

    if (map >= MAP_VEX1) {
        put_vex(g, o, map, row, mode32, w1);
    } else {
        put_prefixes(g, o, row, mode32, w1 && !mode32, mem && pat->modrm);
        if (map == MAP_0F || map == MAP_0F38 || map == MAP_0F3A) {
            add(o, 0x0F);
        }
        if (map == MAP_0F38 || map == MAP_0F3A) {
            add(o, map == MAP_0F38 ? 0x38 : 0x3A);
        }
    }
    add(o, map == MAP_X87 ? 0xD8 | opc >> 3 : opc);
    if (pat->modrm || map == MAP_X87) {
        put_modrm(g, o, row, mem, mode32);
        if (map == MAP_X87) {
            unsigned at = 1;

            while ((o->b[at - 1] & 0xF8) != 0xD8) {
                at++;
            }
            o->b[at] = (uint8_t)((o->b[at] & 0xC7) | (opc & 7) << 3);
        }
    }
    put_imm(g, o, row, mode32);
}

void ox_random_state(struct ox_rng *g, struct ox_state *s, bool mode32)
{
    static const uint16_t round[4] = { 0x0000, 0x0400, 0x0800, 0x0C00 }, prec[4] = { 0x300, 0x300, 0x200, 0x000 };
    uint8_t top = (uint8_t)ox_below(g, 8);

    memset(s, 0, sizeof(*s));
    for (unsigned i = 0; i < 16; i++) {
        s->gpr[i] = number(g);
        vector16(g, s->vec[i]);
        vector16(g, s->vec[i] + 16);
        if (mode32) {
            s->gpr[i] = i < 8 ? (uint32_t)s->gpr[i] : 0;
        }
    }
    s->gpr[R_SP] = inside(g);
    s->rip = OX_ENTRY;
    s->eflags = 0x202 | ((uint32_t)ox_rand(g) & XF_ALL) | (chance(g, 8) ? 0x400 : 0);
    s->eflags |= chance(g, 16) ? 0x40000 : 0;           /* AC: alignment checks */
    s->mxcsr = 0x1F80;
    if (chance(g, 3)) {
        s->mxcsr = 0x1F80 | ((uint32_t)ox_rand(g) & 0xE07F);
        s->mxcsr &= chance(g, 3) ? ~((uint32_t)ox_rand(g) & 0x1780) : ~0u;     /* UM stays set: see ox_make_case() */
    }
    s->fcw = 0x37F;
    if (chance(g, 2)) {
        s->fcw = (uint16_t)(0x7F | round[ox_below(g, 4)] | prec[ox_below(g, 4)]);
    }
    if (chance(g, 8)) {
        s->fcw &= (uint16_t)~(ox_below(g, 64));
    }
    s->fsw = (uint16_t)(top << 11 | (ox_below(g, 16) & 7) << 8 | ox_below(g, 2) << 14);
    if (chance(g, 6)) {
        s->fsw |= (uint16_t)ox_below(g, 128);
    }
    if (s->fsw & ~s->fcw & 0x3F) {
        s->fsw |= 0x8080;
    }
    s->ftw = chance(g, 4) ? (uint8_t)ox_rand(g) : 0xFF;
    for (unsigned i = 0; i < 8; i++) {
        float80(g, s->st[i]);
    }
}

uint32_t ox_mode_bits(enum ox_mode mode)
{
    static const uint32_t bits[OX_MODES] = { OX_MODE64, OX_MODE32, OX_MODE16 | MODE_CS32 | MODE_SS32, OX_MODE16 };

    return bits[mode];
}

/* Segmented modes: what was chosen as a linear address becomes an offset */
static void relocate(struct ox_case *c)
{
    for (unsigned i = 0; i < 8; i++) {
        uint64_t *v = &c->in.gpr[i];

        if (*v - (OX_ARENA - 0x100) < OX_IMAGE + 0x200) {
            *v = (uint32_t)(*v - OX_ARENA);
        } else if (*v - OX_CODE < 0x1000) {
            *v -= OX_CODE;
        }
    }
    c->in.rip -= OX_CODE;
}

/* Give the base register what makes the effective address @to */
static void aim(struct ox_rng *g, struct ox_case *c, uint64_t to)
{
    const struct x86_rec *r = &c->rec;
    uint64_t index = 0;

    if (r->op >= OP_VGATHERDPS && r->op <= OP_VPGATHERQQ) {
        bool qword =
            r->op == OP_VGATHERQPS || r->op == OP_VGATHERQPD || r->op == OP_VPGATHERQD || r->op == OP_VPGATHERQQ;

        for (unsigned i = 0; i < 32; i += qword ? 8 : 4) {
            int64_t v = (int)ox_below(g, 400) - 200;

            memcpy(&c->in.vec[r->index][i], &v, qword ? 8 : 4);
        }
    } else if (r->index != REG_ZERO) {
        if (chance(g, 2) && r->index != R_SP) {
            c->in.gpr[r->index] = ox_below(g, 0x1000);
        }
        index = c->in.gpr[r->index];
    }
    if (r->base < 16 && r->base != r->index) {
        c->in.gpr[r->base] = to - (index << r->scale) - (uint64_t)(int64_t)r->disp;
        if (c->mode32) {
            c->in.gpr[r->base] = (uint32_t)c->in.gpr[r->base];
        }
    } else if (r->base < 16 && r->index == r->base) {
        c->in.gpr[r->base] = (to - (uint64_t)(int64_t)r->disp) / (1 + (1u << r->scale));
    }
}

static uint64_t target(struct ox_rng *g)
{
    return chance(g, 12) ? ox_address(g, false) : OX_CODE + 0x100 + ox_below(g, 0x600);
}

static void set_reg(struct ox_case *c, unsigned offset, uint64_t v)
{
    c->in.gpr[offset >> 3 & 15] = c->mode32 ? (uint32_t)v : v;
}

static uint64_t image_at(const uint8_t *image, uint64_t la)
{
    uint64_t v = 0;

    if (la >= OX_ARENA && la + 16 < OX_ARENA + OX_IMAGE) {
        memcpy(&v, image + (la - OX_ARENA), 8);
    }
    return v;
}

/* Operands that are not in ModRM, and values that make the operation interesting */
static void special(struct ox_rng *g, struct ox_case *c, const uint8_t *image, uint64_t mem)
{
    const struct x86_rec *r = &c->rec;
    uint64_t *gpr = c->in.gpr;

    if (x86_op_info[r->op].attr & XA_STR) {
        gpr[R_SI] = ox_address(g, c->mode32);
        gpr[R_DI] = chance(g, 4) ? gpr[R_SI] + ox_below(g, 40) - 20 : ox_address(g, c->mode32);
        gpr[R_CX] = chance(g, 20) ? 0x2000 : ox_below(g, 40);
        return;
    }
    switch (r->op) {
    case OP_XLAT:
        gpr[R_BX] = ox_address(g, c->mode32) - (gpr[R_AX] & 0xFF);
        break;
    case OP_MASKMOVQ:
    case OP_MASKMOVDQU:
        gpr[R_DI] = ox_address(g, c->mode32);
        break;
    case OP_RET:
    case OP_POP:
    case OP_LEAVE:
    case OP_ENTER:
        if (r->op != OP_POP || !(r->flags & REC_MEM)) {
            gpr[R_SP] = r->op == OP_RET ? OX_ARENA + OX_TARGETS + 8 * ox_below(g, 28)
                        : chance(g, 12) ? ox_address(g, c->mode32)
                                        : gpr[R_SP];
            gpr[R_BP] = chance(g, 12) ? ox_address(g, c->mode32) : inside(g);
        }
        break;
    case OP_CALL_RM:
    case OP_JMP_RM:
        if (!(r->flags & REC_MEM)) {
            set_reg(c, r->rm, target(g));
        }
        break;
    case OP_LOOP:
    case OP_LOOPE:
    case OP_LOOPNE:
    case OP_JCXZ:
        gpr[R_CX] = chance(g, 2) ? ox_below(g, 3) : c->mode32 ? 0x10000 : 0x100000000ULL + ox_below(g, 2);
        break;
    case OP_BT:
    case OP_BTS:
    case OP_BTR:
    case OP_BTC:
        if (r->form == FORM_RM_R && (r->flags & REC_MEM) && r->reg >> 3 != r->base && r->reg >> 3 != r->index) {
            set_reg(c, r->reg, (uint64_t)(int64_t)((int)ox_below(g, 4096) - 2048));
        }
        break;
    case OP_CMPXCHG:
        if (chance(g, 2) && (r->flags & REC_MEM) && r->base != R_AX && r->index != R_AX) {
            set_reg(c, 0, image_at(image, mem));
        }
        break;
    case OP_CMPXCHG8B:
        if (chance(g, 2) && r->base != R_AX && r->index != R_AX && r->base != R_DX && r->index != R_DX) {
            gpr[R_AX] = (uint32_t)image_at(image, mem);
            gpr[R_DX] = image_at(image, mem) >> 32;
        }
        break;
    case OP_CMPXCHG16B:
        if (chance(g, 2) && r->base != R_AX && r->index != R_AX && r->base != R_DX && r->index != R_DX) {
            gpr[R_AX] = image_at(image, mem);
            gpr[R_DX] = image_at(image, mem + 8);
        }
        break;
    case OP_DIV:
    case OP_IDIV:
        if (chance(g, 2) && !((r->flags & REC_MEM) && (r->base == R_DX || r->index == R_DX))) {
            gpr[R_DX] = r->op == OP_IDIV && (gpr[R_AX] >> (c->mode32 ? 31 : 63)) ? (c->mode32 ? 0xFFFFFFFF : ~0ULL) : 0;
        }
        break;
    case OP_PCMPESTRI:
    case OP_PCMPESTRM:
        if (chance(g, 4)) {
            break;
        }
        if (!(r->flags & REC_MEM) || (r->base != R_AX && r->index != R_AX && r->base != R_DX && r->index != R_DX)) {
            set_reg(c, 0, (uint64_t)(int64_t)((int)ox_below(g, 40) - 20));
            set_reg(c, 16, (uint64_t)(int64_t)((int)ox_below(g, 40) - 20));
        }
        break;
    }
    if (r->op >= OP_PCMPESTRM && r->op <= OP_PCMPISTRI && chance(g, 2) && !(r->flags & REC_MEM)) {
        for (unsigned i = 0; i < 16; i++) {
            c->in.vec[r->reg][i] = (uint8_t)ox_below(g, 4);
            c->in.vec[r->rm & 15][i] = (uint8_t)ox_below(g, 4);
        }
    }
}

/* Instructions whose operands could hurt the child: they are tried only in shapes that stay inside it */
static bool dangerous(const struct ox_case *c)
{
    const struct x86_rec *r = &c->rec;

    switch (r->op) {
    case OP_INT:
        return r->imm == 0x80;
    case OP_JMP: case OP_LOOP: case OP_LOOPE: case OP_LOOPNE: case OP_JCXZ:
        return r->imm + r->len < r->len;                    /* onto itself */
    }
    if (r->op >= OP_JCC && r->op < OP_JCC + 16) {
        return r->imm + r->len < r->len;
    }
    if (r->op == OP_UD && c->row->op >= OP_SGDT && c->row->op <= OP_LIDT) {
        return true;                                        /* 0F 01 with a register: new instructions live there */
    }
    if (r->op == OP_CMPS && c->mode32 && r->seg == SEG_GS) {
        return true;                                        /* GS is null: which operand is looked at first, is open */
    }
    return r->seg == SEG_FS;
}

/*
 * Known gap: results that are tiny but exact raise an unmasked underflow exception on silicon, and none in our
 * interpreter, which computes with masked exceptions. So MXCSR.UM is always set here.
 */
bool ox_make_case(struct ox_rng *g, enum x86_map_id map, const struct x86_row *row, enum ox_mode mode,
                  const struct x86_features *feat, const uint8_t *image, struct ox_case *c)
{
    struct ox_bytes o = { .n = 0 };
    bool mode32 = mode != OX_64, segmented = mode >= OX_SEG32;
    uint64_t mem = ox_address(g, mode32);
    unsigned op;

    memset(c, 0, sizeof(*c));
    c->row = row;
    c->mode = mode;
    c->mode32 = mode32;
    ox_encode(g, &o, map, row, mode32);
    if (!x86_decode(o.b, o.n < 15 ? o.n : 15, ox_mode_bits(mode), 0, feat, &c->rec)) {
        return false;
    }
    c->len = c->rec.len;
    memcpy(c->code, o.b, c->len);
    op = row->pat & PAT_CC ? row->op : c->rec.op;
    if (op != row->op && c->rec.op != OP_UD && c->rec.op != OP_NOP && c->rec.op != OP_PAUSE) {
        return false;
    }
    if (dangerous(c)) {
        return false;
    }
    ox_random_state(g, &c->in, mode32);
    if (c->rec.flags & REC_MEM) {
        if (c->rec.op == OP_CALL_RM || c->rec.op == OP_JMP_RM) {
            mem = OX_ARENA + OX_TARGETS + 8 * ox_below(g, 28);
        }
        aim(g, c, segmented ? mem - OX_ARENA : mem);
    }
    special(g, c, image, mem);
    if (segmented) {
        relocate(c);
        if (c->rec.op == OP_RET || c->rec.op == OP_CALL_RM ||
            c->rec.op == OP_JMP_RM) { /* an offset for the image's address */
            uint32_t to = 0x100 + ox_below(g, 0x600);

            c->patch_at = (uint32_t)(c->rec.op == OP_RET ? c->in.gpr[R_SP] : mem - OX_ARENA);
            c->patch_len = c->patch_at < OX_RW - 8 ? 4 : 0;
            c->patch_at = c->patch_len ? c->patch_at : 0;
            memcpy(c->patch, &to, 4);
        }
    }
    return true;
}
