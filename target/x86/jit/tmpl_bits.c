/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/jit/tmpl_bits.c - templates: bit scans and counts, BMI, ADX, CRC32, MOVBE, MOVNTI, exchange-and-add,
 * compare-and-exchange, division
 *
 * What the host's CPU lacks is left to the interpreter (JH_*). Division must not raise #DE on the host: operands for
 * which the quotient might not fit go to the interpreter, which raises it for the guest.
 */
#include "target/x86/jit/operand.h"

struct leaf {
    uint32_t a, b, c, d;
};

static struct leaf host_leaf(uint32_t n)
{
    struct leaf v;

    __asm__("cpuid" : "=a"(v.a), "=b"(v.b), "=c"(v.c), "=d"(v.d) : "0"(n), "2"(0));
    return v;
}

/* SDM vol. 2, table 3-17: leaf 1 ECX; leaf 7 EBX; AMD APM vol. 3, E.4.1: leaf 80000001 ECX */
uint32_t jit_host_has(void)
{
    struct leaf one = host_leaf(1), seven = { 0 }, amd = { 0 };

    if (host_leaf(0).a >= 7) {
        seven = host_leaf(7);
    }
    if (host_leaf(0x80000000).a >= 0x80000001) {
        amd = host_leaf(0x80000001);
    }
    return (one.c >> 20 & 1 ? JH_CRC32 : 0) | (one.c >> 22 & 1 ? JH_MOVBE : 0) | (one.c >> 23 & 1 ? JH_POPCNT : 0) |
           (seven.b >> 3 & 1 ? JH_BMI1 : 0) | (seven.b >> 8 & 1 ? JH_BMI2 : 0) | (seven.b >> 19 & 1 ? JH_ADX : 0) |
           (amd.c >> 5 & 1 ? JH_LZCNT : 0);
}

static bool mem_or_reg_ok(struct jit_tr *t, const struct x86_rec *r)
{
    return r->flags & REC_MEM ? jit_mem_ok(t, r) : !jit_high8(r->rm);
}

/*
 * reg <- op rm
 */

/* BSF and BSR leave the destination alone when the source is zero: so an old value is loaded in any case */
static bool scan(struct jit_tr *t, const struct x86_rec *r, unsigned op)
{
    struct x64_rm d = jit_gop(t, r->reg, 3), s;
    unsigned size = r->size;
    bool bs = r->op == OP_BSF || r->op == OP_BSR;
    uint32_t desc;

    if (!mem_or_reg_ok(t, r)) {
        return false;
    }
    s = rm_read(t, r, size);
    if (d.mem) {
        x64_ld(&t->h, JT2, d);
    }
    x64_op(&t->h, op | X_0F | wide(size), d.mem ? JT2 : d.reg, s);
    if (d.mem) {
        x64_st(&t->h, d, JT2);
    }
    desc = jit_desc(JD_TEST, CC_LOGIC8 + size, r->rm, JB_REG, r->rm);
    if (bs && !(r->flags & REC_MEM) && r->rm != r->reg && t->ri[t->i].vis_out && jit_desc_fits(t, desc, 0)) {
        jit_fl_set(t, desc);
    } else {
        jit_fl_pushf(t);
    }
    return true;
}

static bool tmpl_scan(struct jit_tr *t, const struct x86_rec *r)
{
    switch (r->op) {
    case OP_BSF:
        return scan(t, r, 0xBC);
    case OP_BSR:
        return scan(t, r, 0xBD);
    case OP_TZCNT:
        return t->j->has & JH_BMI1 && scan(t, r, 0xBC | X_F3);
    case OP_LZCNT:
        return t->j->has & JH_LZCNT && scan(t, r, 0xBD | X_F3);
    default:
        return t->j->has & JH_POPCNT && scan(t, r, 0xB8 | X_F3);
    }
}

/* `size` is the source's */
static bool tmpl_crc32(struct jit_tr *t, const struct x86_rec *r)
{
    struct x64_rm d = jit_gop(t, r->reg, 3), s;
    unsigned op = X_0F38 | X_F2 | 0xF0 | (r->size > 0) | wide(r->size) | (r->size == 0 ? X_B8RM : 0);

    if (!(t->j->has & JH_CRC32) || !mem_or_reg_ok(t, r)) {
        return false;
    }
    s = rm_read(t, r, r->size);
    if (d.mem) {
        x64_ld(&t->h, JT2, d);
    }
    x64_op(&t->h, op, d.mem ? JT2 : d.reg, s);
    if (d.mem) {
        x64_st(&t->h, d, JT2);
    }
    return true;
}

static bool tmpl_adx(struct jit_tr *t, const struct x86_rec *r)
{
    struct x64_rm d = jit_gop(t, r->reg, 3), s;
    bool c = r->op == OP_ADCX;

    if (!(t->j->has & JH_ADX) || !t->nat || !mem_or_reg_ok(t, r)) {
        return false;
    }
    s = rm_read(t, r, r->size);
    if (d.mem) {
        x64_ld(&t->h, JT2, d);
    }
    x64_op(&t->h, 0xF6 | X_0F38 | (c ? X_66 : X_F3) | wide(r->size), d.mem ? JT2 : d.reg, s);
    if (d.mem) {
        x64_st(&t->h, d, JT2);
    }
    jit_fl_co(t, c, !c);
    return true;
}

/*
 * BMI1, BMI2
 */
struct bmi {
    unsigned op, has;
    int8_t digit;               /* BLS*: vvvv is the destination; else -1 */
    bool flags;
};

static bool bmi_row(unsigned op, struct bmi *b)
{
    static const struct { uint16_t op; struct bmi b; } rows[] = {
        { OP_ANDN, { 0xF2 | X_0F38, JH_BMI1, -1, true } },
        { OP_BLSR, { 0xF3 | X_0F38, JH_BMI1, 1, true } },
        { OP_BLSMSK, { 0xF3 | X_0F38, JH_BMI1, 2, true } },
        { OP_BLSI, { 0xF3 | X_0F38, JH_BMI1, 3, true } },
        { OP_BEXTR, { 0xF7 | X_0F38, JH_BMI1, -1, true } },
        { OP_BZHI, { 0xF5 | X_0F38, JH_BMI2, -1, true } },
        { OP_PDEP, { 0xF5 | X_0F38 | X_F2, JH_BMI2, -1, false } },
        { OP_PEXT, { 0xF5 | X_0F38 | X_F3, JH_BMI2, -1, false } },
        { OP_RORX, { 0xF0 | X_0F3A | X_F2, JH_BMI2, -1, false } },
        { OP_SHLX, { 0xF7 | X_0F38 | X_66, JH_BMI2, -1, false } },
        { OP_SHRX, { 0xF7 | X_0F38 | X_F2, JH_BMI2, -1, false } },
        { OP_SARX, { 0xF7 | X_0F38 | X_F3, JH_BMI2, -1, false } },
    };

    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].op == op) {
            *b = rows[i].b;
            return true;
        }
    }
    return false;
}

static bool tmpl_bmi(struct jit_tr *t, const struct x86_rec *r, const struct bmi *b)
{
    unsigned to = b->digit >= 0 ? r->vvvv * 8u : r->reg, h = jit_greg(to >> 3), v = 0;
    uint32_t desc = jit_desc(JD_RES, CC_LOGIC8 + r->size, to, JB_IMM, 0);
    struct x64_rm s;

    if ((t->j->has & b->has) != b->has || !mem_or_reg_ok(t, r)) {
        return false;
    }
    s = rm_read(t, r, r->size);
    h = h == X_NONE ? JT2 : h;
    if (b->digit >= 0) {
        x64_vex(&t->h, b->op | wide(r->size), (unsigned)b->digit, h, s);
    } else {
        if (r->op != OP_RORX) {
            v = jit_src(t, r->vvvv * 8u, 3, JT2);
        }
        x64_vex(&t->h, b->op | wide(r->size), h, v, s);
    }
    if (r->op == OP_RORX) {
        x64_b1(&t->h, (uint8_t)r->imm32);
    }
    if (h == JT2) {
        x64_st(&t->h, jit_gop(t, to, 3), JT2);
    }
    if (!b->flags) {
        return true;
    }
    if (r->op == OP_ANDN && t->ri[t->i].vis_out && jit_desc_fits(t, desc, 0)) {
        jit_fl_set(t, desc);
    } else {
        jit_fl_pushf(t);
    }
    return true;
}

/* The scratch registers may be the operand's address: it is read before they are written */
static bool tmpl_mulx(struct jit_tr *t, const struct x86_rec *r)
{
    unsigned hi = jit_greg(r->reg >> 3), lo = jit_greg(r->vvvv);
    bool hi_mem = hi == X_NONE, lo_mem = lo == X_NONE && r->vvvv != r->reg >> 3;
    struct x64_rm s;

    if (!(t->j->has & JH_BMI2) || !mem_or_reg_ok(t, r)) {
        return false;
    }
    s = rm_read(t, r, r->size);
    hi = hi_mem ? JT2 : hi;
    lo = lo_mem ? JT1 : lo == X_NONE ? hi : lo;
    x64_vex(&t->h, 0xF6 | X_0F38 | X_F2 | wide(r->size), hi, lo, s);
    if (hi_mem) {
        x64_st(&t->h, jit_gop(t, r->reg, 3), hi);
    }
    if (lo_mem) {
        x64_st(&t->h, jit_gop(t, r->vvvv * 8u, 3), lo);
    }
    return true;
}

/*
 * Moves
 */
static bool tmpl_movbe(struct jit_tr *t, const struct x86_rec *r)
{
    unsigned h = jit_greg(r->reg >> 3);
    struct x64_rm m;

    if (!(t->j->has & JH_MOVBE) || !(r->flags & REC_MEM) || !jit_mem_ok(t, r)) {
        return false;
    }
    if (r->form == FORM_RM_R) {
        m = jit_mem(t, 1u << r->size, JA_ST);
        x64_op(&t->h, 0xF1 | X_0F38 | wide(r->size), jit_src(t, r->reg, 3, JT2), m);
        return true;
    }
    m = jit_mem(t, 1u << r->size, JA_LD);
    x64_op(&t->h, 0xF0 | X_0F38 | wide(r->size), h == X_NONE ? JT2 : h, m);
    if (h == X_NONE) {
        put(t, r->reg, r->size, JT2);
    }
    return true;
}

/* A plain store: the host would order it otherwise than the guest's fences say, were one of them left out */
static bool tmpl_movnti(struct jit_tr *t, const struct x86_rec *r)
{
    struct x64_rm m;

    if (!jit_mem_ok(t, r)) {
        return false;
    }
    m = jit_mem(t, 1u << r->size, JA_ST);
    x64_op(&t->h, 0x89 | wide(r->size), jit_src(t, r->reg, 3, JT2), m);
    return true;
}

/*
 * XADD, CMPXCHG
 */
static unsigned lock(const struct x86_rec *r)
{
    return r->flags & REC_LOCK ? X_LOCK : 0;
}

static bool tmpl_xadd(struct jit_tr *t, const struct x86_rec *r)
{
    unsigned size = r->size, op = sized(0xC0, size) | X_0F;

    if (jit_high8(r->reg) || !mem_or_reg_ok(t, r)) {
        return false;
    }
    if (r->flags & REC_MEM) {
        struct x64_rm m = jit_mem(t, 1u << size, JA_RMW);
        unsigned h = jit_src(t, r->reg, 3, JT2);

        x64_op(&t->h, op | lock(r), h, m);
        if (h == JT2) {
            put(t, r->reg, size, JT2);
        }
    } else if (in_memory(r->reg) || in_memory(r->rm)) {
        x64_ld(&t->h, JT0, jit_gop(t, r->rm, 3));
        x64_ld(&t->h, JT1, jit_gop(t, r->reg, 3));
        x64_op(&t->h, op, JT1, x64_r(JT0));
        put(t, r->reg, size, JT1);
        put(t, r->rm, size, JT0);
    } else {
        x64_op(&t->h, op, jit_greg(r->reg >> 3), jit_gop(t, r->rm, size));
    }
    jit_fl_pushf(t);
    return true;
}

static bool tmpl_cmpxchg(struct jit_tr *t, const struct x86_rec *r)
{
    unsigned size = r->size, op = sized(0xB0, size) | X_0F;
    struct x64_rm d;

    if (jit_high8(r->reg) || !mem_or_reg_ok(t, r)) {
        return false;
    }
    if (r->flags & REC_MEM) {
        d = jit_mem(t, 1u << size, JA_RMW);
        x64_op(&t->h, op | lock(r), jit_src(t, r->reg, 3, JT2), d);
    } else if (in_memory(r->rm)) {
        d = jit_gop(t, r->rm, 3);
        x64_ld(&t->h, JT0, d);
        x64_op(&t->h, op, jit_src(t, r->reg, 3, JT1), x64_r(JT0));
        x64_st(&t->h, d, JT0);
    } else {
        d = jit_gop(t, r->rm, size);
        x64_op(&t->h, op, jit_src(t, r->reg, 3, JT1), d);
    }
    jit_fl_pushf(t);
    return true;
}

/* CMPXCHG16B: #GP when the address is not aligned, before anything else about it */
static void check_aligned(struct jit_tr *t, const struct x86_rec *r)
{
    bool live = flags_live(t);

    if (live) {
        jit_flags_save(&t->h);
    }
    jit_lea(t, JT1);
    if (!(r->flags & (REC_FLAT64 | REC_FLAT32))) {
        x64_alu(&t->h, X_ADD, X_W, JT1, JF(t->cpu, seg[r->seg].base));
    }
    x64_op(&t->h, 0xF6 | X_B8RM, 0, x64_r(JT1));        /* TEST */
    x64_b1(&t->h, 15);
    jit_check_out(t, x64_jcc(&t->h, X_NZ, 0));
    if (live) {
        jit_flags_restore(&t->h);
    }
}

/* Only ZF changes. Where flags are visible behind it, the others are native before it too (also_reads() in liveness.c) */
static bool tmpl_cmpxchg_two(struct jit_tr *t, const struct x86_rec *r)
{
    bool vis = t->ri[t->i].vis_out, wide16 = r->op == OP_CMPXCHG16B;
    struct x64_rm m;

    if (!jit_mem_ok(t, r) || (vis && !t->nat)) {
        return false;
    }
    if (wide16) {
        check_aligned(t, r);
    }
    m = jit_mem(t, wide16 ? 16 : 8, JA_RMW);
    x64_op(&t->h, 0xC7 | X_0F | lock(r) | (wide16 ? X_W : 0), 1, m);
    if (vis) {
        jit_fl_pushf(t);
    } else {
        jit_fl_some(t);
    }
    return true;
}

/*
 * DIV, IDIV
 */

/* CMP rDX, divisor: the quotient fits when the upper half is less. A divisor of zero never is more */
static void div_check(struct jit_tr *t, unsigned w, unsigned s)
{
    x64_alu(&t->h, X_CMP, w, X_DX, x64_r(s));
    jit_check_out(t, x64_jcc(&t->h, X_AE, 0));
}

/* rDX:rAX must be a number of half that size, the divisor neither 0 nor -1 */
static void idiv_check(struct jit_tr *t, unsigned w, unsigned s)
{
    x64_op(&t->h, 0x8B | w, JT0, x64_r(X_AX));
    x64_op(&t->h, 0xC1 | w, 7, x64_r(JT0));             /* SAR */
    x64_b1(&t->h, w ? 63 : 31);
    x64_alu(&t->h, X_CMP, w, JT0, x64_r(X_DX));
    jit_check_out(t, x64_jcc(&t->h, X_NZ, 0));
    x64_op(&t->h, 0x8D | w, JT0, x64_m(s, X_NONE, 0, 1));
    x64_alui(&t->h, X_CMP, w, x64_r(JT0), 1);
    jit_check_out(t, x64_jcc(&t->h, X_BE, 0));
}

/* The divisor goes to a register: other CPUs may write to it in memory between check and division */
static bool tmpl_div(struct jit_tr *t, const struct x86_rec *r)
{
    unsigned size = r->size, s;
    bool sign = r->op == OP_IDIV;

    if (size < (sign ? 2 : 1) || !mem_or_reg_ok(t, r)) {
        return false;
    }
    if (r->flags & REC_MEM) {
        get(t, JT2, size, jit_mem(t, 1u << size, JA_LD));
        s = JT2;
    } else {
        s = jit_src(t, r->rm, 3, JT2);
    }
    if (sign) {
        idiv_check(t, wide(size), s);
    } else {
        div_check(t, wide(size), s);
    }
    x64_op(&t->h, 0xF7 | wide(size), sign ? 7 : 6, x64_r(s));
    jit_fl_pushf(t);
    return true;
}

bool jit_tmpl_bits(struct jit_tr *t, const struct x86_rec *r)
{
    struct bmi b;

    switch (r->op) {
    case OP_BSF:
    case OP_BSR:
    case OP_TZCNT:
    case OP_LZCNT:
    case OP_POPCNT:
        return tmpl_scan(t, r);
    case OP_CRC32:
        return tmpl_crc32(t, r);
    case OP_ADCX:
    case OP_ADOX:
        return tmpl_adx(t, r);
    case OP_MULX:
        return tmpl_mulx(t, r);
    case OP_MOVBE:
        return tmpl_movbe(t, r);
    case OP_MOVNTI:
        return tmpl_movnti(t, r);
    case OP_XADD:
        return tmpl_xadd(t, r);
    case OP_CMPXCHG:
        return tmpl_cmpxchg(t, r);
    case OP_CMPXCHG8B:
    case OP_CMPXCHG16B:
        return tmpl_cmpxchg_two(t, r);
    case OP_DIV:
    case OP_IDIV:
        return tmpl_div(t, r);
    default:
        return bmi_row(r->op, &b) && tmpl_bmi(t, r, &b);
    }
}
