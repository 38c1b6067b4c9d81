/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/jit/liveness.c - who looks at the arithmetic flags, and which registers change meanwhile
 *
 * Two questions for every record, answered backwards through the block. Which of the flags behind it does a later
 * record read ("native": they must be in the host's flags)? Which could be seen from outside ("visible": at a fault,
 * by a record that the interpreter runs, in another block)? Only visible flags have to follow from memory or from a
 * descriptor, and a descriptor is good while the registers that it names do not change: the window.
 */
#include "target/x86/jit/jit_int.h"
#include "target/x86/mmu_int.h"

static bool is_shift(unsigned op)
{
    return op == OP_SHL || op == OP_SHR || op == OP_SAR || op == OP_ROL || op == OP_ROR || op == OP_SHLD || op == OP_SHRD;
}

/* Flags that are certainly overwritten */
static unsigned kills(const struct x86_rec *r)
{
    const struct x86_op_info *info = &x86_op_info[r->op];

    if (info->attr & XA_COND && r->op != OP_BSF && r->op != OP_BSR) {
        bool imm = r->form == FORM_RM_I || r->form == FORM_RM_1 || r->form == FORM_RM_R_I;

        if (!is_shift(r->op) || !imm || !(r->imm & (r->size == 3 ? 63 : 31))) {
            return 0;
        }
    }
    return info->wr;
}

/* Operations on registers that always have a template, and that nobody can look into */
static bool pure_op(unsigned op)
{
    if ((op >= OP_SETCC && op < OP_SETCC + 16) || (op >= OP_CMOVCC && op < OP_CMOVCC + 16)) {
        return true;
    }
    switch (op) {
    case OP_MOV: case OP_MOVZX8: case OP_MOVZX16: case OP_MOVSX8: case OP_MOVSX16: case OP_MOVSXD: case OP_NOP:
    case OP_ADD: case OP_SUB: case OP_ADC: case OP_SBB: case OP_AND: case OP_OR: case OP_XOR: case OP_CMP: case OP_TEST:
    case OP_INC: case OP_DEC: case OP_NEG: case OP_NOT: case OP_IMUL_R: case OP_MUL: case OP_IMUL: case OP_BSWAP:
    case OP_CBW: case OP_CWD: case OP_SHL: case OP_SHR: case OP_SAR: case OP_ROL: case OP_ROR: case OP_XCHG:
    case OP_BSF: case OP_BSR: case OP_TZCNT: case OP_LZCNT: case OP_POPCNT: case OP_SHLD: case OP_SHRD: case OP_BT:
    case OP_BTS: case OP_BTR: case OP_BTC: case OP_CLC: case OP_STC: case OP_CMC: case OP_ANDN: case OP_BLSR:
    case OP_BLSMSK: case OP_BLSI: case OP_BZHI: case OP_BEXTR: case OP_PDEP: case OP_PEXT: case OP_MULX: case OP_RORX:
    case OP_SARX: case OP_SHLX: case OP_SHRX: case OP_CRC32: case OP_ADCX: case OP_ADOX: case OP_XADD:
    case OP_RCL: case OP_RCR: case OP_SHLD_CL: case OP_SHRD_CL: case OP_CMPXCHG: case OP_LAHF: case OP_SAHF: case OP_FENCE:
    case OP_CLD: case OP_STD:
        return true;
    default:
        return false;
    }
}

static bool is_site(const struct x86_rec *r)
{
    if (r->op == OP_LEA || r->op == OP_NOP || r->op == OP_PREFETCH || r->op == OP_PAUSE) {
        return false;
    }
    return r->flags & REC_MEM || (!pure_op(r->op) && !jit_simd_pure(r) && !jit_x87_pure(r));
}

static uint32_t reg_bit(unsigned off)
{
    return 1u << (off >> 3);
}

#define REGS_ALL 0xFFFFu
uint32_t jit_writes(const struct x86_rec *r)
{
    bool mem = r->flags & REC_MEM;

    if ((r->op >= OP_SETCC && r->op < OP_SETCC + 16)) {
        return mem ? 0 : reg_bit(r->rm);
    }
    if (r->op >= OP_CMOVCC && r->op < OP_CMOVCC + 16) {
        return reg_bit(r->reg);
    }
    if (r->op >= OP_JCC && r->op < OP_JCC + 16) {
        return 0;
    }
    if (x86_op_info[r->op].attr & XA_SIMD) {
        return jit_simd_writes(r);
    }
    if (x86_op_info[r->op].attr & XA_FPU) {
        return r->op == OP_FNSTSW_AX ? reg_bit(0) : 0;
    }
    switch (r->op) {
    case OP_CMP: case OP_TEST: case OP_BT: case OP_NOP: case OP_BLOCK_END: case OP_JMP: case OP_PREFETCH: case OP_PAUSE:
    case OP_CLC: case OP_STC: case OP_CMC: case OP_CLD: case OP_STD: case OP_SAHF:
        return 0;
    case OP_LAHF:
        return reg_bit(0);
    case OP_MOV: case OP_ADD: case OP_SUB: case OP_ADC: case OP_SBB: case OP_AND: case OP_OR: case OP_XOR:
    case OP_MOVZX8: case OP_MOVZX16: case OP_MOVSX8: case OP_MOVSX16: case OP_MOVSXD: case OP_LEA: case OP_IMUL_R:
    case OP_INC: case OP_DEC: case OP_NEG: case OP_NOT: case OP_SHL: case OP_SHR: case OP_SAR: case OP_ROL: case OP_ROR:
    case OP_BSWAP: case OP_SHLD: case OP_SHRD: case OP_BSF: case OP_BSR: case OP_TZCNT: case OP_LZCNT: case OP_POPCNT:
    case OP_BTS: case OP_BTR: case OP_BTC: case OP_CRC32:
        switch (r->form) {
        case FORM_R_RM:
        case FORM_R_RM_I:
            return reg_bit(r->reg);
        case FORM_R_MOFFS:
            return reg_bit(0);
        case FORM_MOFFS_R:
            return 0;
        default:
            return mem ? 0 : reg_bit(r->rm);
        }
    case OP_LDMXCSR: case OP_STMXCSR:
        return 0;
    case OP_RCL: case OP_RCR: case OP_SHLD_CL: case OP_SHRD_CL: case OP_MOV_FROM_SREG: case OP_MOVNTI: case OP_MOVBE:
    case OP_RDFSBASE: case OP_RDGSBASE: case OP_MOV_FROM_CR: case OP_MOV_FROM_DR:
        return r->form == FORM_R_RM ? reg_bit(r->reg) : mem ? 0 : reg_bit(r->rm);
    case OP_ANDN: case OP_BZHI: case OP_BEXTR: case OP_PDEP: case OP_PEXT: case OP_RORX: case OP_SARX: case OP_SHLX:
    case OP_SHRX: case OP_ADCX: case OP_ADOX:
        return reg_bit(r->reg);
    case OP_BLSR: case OP_BLSMSK: case OP_BLSI:
        return 1u << r->vvvv;
    case OP_MULX:
        return reg_bit(r->reg) | 1u << r->vvvv;
    case OP_XADD: case OP_XCHG:
        return reg_bit(r->reg) | (mem ? 0 : reg_bit(r->rm));
    case OP_CMPXCHG:
        return 1u << R_AX | (mem ? 0 : reg_bit(r->rm));
    case OP_CMPXCHG8B: case OP_CMPXCHG16B: case OP_RDTSC: case OP_RDMSR: case OP_XGETBV:
        return 1u << R_AX | 1u << R_DX;
    case OP_RDTSCP:
        return 1u << R_AX | 1u << R_DX | 1u << R_CX;
    case OP_MOVS: case OP_CMPS:
        return 1u << R_SI | 1u << R_DI | 1u << R_CX;
    case OP_STOS: case OP_SCAS:
        return 1u << R_DI | 1u << R_CX;
    case OP_LODS:
        return 1u << R_AX | 1u << R_SI | 1u << R_CX;
    case OP_CLI: case OP_FENCE: case OP_SWAPGS: case OP_WRFSBASE: case OP_WRGSBASE: case OP_CLFLUSH: case OP_OUT:
        return 0;
    case OP_CBW: case OP_IN:
        return reg_bit(0);
    case OP_CWD:
        return 1u << R_DX;
    case OP_MUL: case OP_IMUL: case OP_DIV: case OP_IDIV:
        return 1u << R_AX | 1u << R_DX;
    case OP_LEAVE:
        return 1u << R_SP | 1u << R_BP;
    case OP_PUSH: case OP_PUSHF: case OP_CALL: case OP_CALL_RM: case OP_RET:
        return 1u << R_SP;
    case OP_POP:
        return 1u << R_SP | (mem ? 0 : reg_bit(r->rm));
    case OP_LOOP: case OP_LOOPE: case OP_LOOPNE:
        return 1u << R_CX;
    default:
        return REGS_ALL;
    }
}

/* The flags on entry: until they are overwritten */
uint32_t jit_entry_needs(const struct x86_rec *recs, unsigned n, const bool *site, bool *vis, bool *reads)
{
    unsigned live = XF_ALL;
    uint32_t changed = 0, needs = 0;

    *vis = *reads = false;
    for (unsigned i = 0; i < n; i++) {
        const struct x86_rec *r = &recs[i];

        if ((site ? site[i] : is_site(r)) || r->flags & REC_LAST) {
            *vis = true;
            needs |= changed | jit_string_early(r);
        }
        if (x86_op_info[r->op].rd & live) {     /* an edge that does not keep the host's flags has them made from memory */
            *vis = *reads = true;
        }
        if (r->flags & REC_LAST) {
            break;
        }
        live &= ~kills(r);
        if (!live) {
            return needs;
        }
        changed |= jit_writes(r);
    }
    *vis = true;
    return REGS_ALL;
}

/* Flags that its template wants in the host's flags, beside those that the instruction reads: what is visible behind it is stored whole */
static unsigned also_reads(const struct x86_rec *r, unsigned vis)
{
    switch (r->op) {
    case OP_SAHF:
        return vis & XF_O;
    case OP_CMPXCHG8B:
    case OP_CMPXCHG16B:
        return vis ? XF_ALL & ~XF_Z : 0;
    default:
        return 0;
    }
}

/*
 * The first instructions at @delta from the block's start, decoded here and now: a loop is translated before it has
 * ever been left, so one of its successors has not been seen yet. What is found out only has to be right often: links
 * check again
 */
#define PEEK_MAX 12
static unsigned peek(struct jit_tr *t, int32_t delta, struct x86_rec *recs)
{
    struct x86_cpu *cpu = t->cpu;
    uint64_t phys = t->b->phys + (uint64_t)(int64_t)delta;
    const struct phys_page *p;
    unsigned n = 0, off;

    if (phys >> RAM_PAGE_BITS != t->b->phys >> RAM_PAGE_BITS) {
        uint64_t la = x86_rip_linear(cpu) + (phys - t->j->rip_phys);

        if (t->j->rip_phys == ~0ULL || !x86_translate_debug(cpu, t->mode & MODE_64 ? la : (uint32_t)la, &phys, NULL)) {
            return 0;
        }
    }
    p = mmu_phys(cpu, phys);
    off = (unsigned)(phys & (RAM_PAGE_SIZE - 1));
    while (p->host && n < PEEK_MAX && off < RAM_PAGE_SIZE) {
        unsigned len = x86_decode(p->host + off, MIN(RAM_PAGE_SIZE - off, 15u), t->mode, 0, cpu->feat, &recs[n]);

        if (!len) {
            break;
        }
        off += len;
        n++;
        if (recs[n - 1].flags & REC_LAST) {
            break;
        }
    }
    return n;
}

/* What the successors that can be reached directly make of the flags */
static void successors(struct jit_tr *t)
{
    const struct x86_tail *tail = x86_block_tail(t->b);
    const struct x86_rec *last = &t->b->recs[t->n - 1];
    bool jcc = last->op >= OP_JCC && last->op < OP_JCC + 16, call = last->op == OP_CALL;
    bool taken = jcc || last->op == OP_JMP || call, next = jcc || last->op == OP_BLOCK_END || last->op == OP_STI;

    memset(t->edge, 0, sizeof(t->edge));
    t->exit_needs = taken || next ? 0 : REGS_ALL;
    for (unsigned i = 0; i < 2; i++) {
        const struct x86_rec *to = tail->to[i];
        const struct x86_block *b = to ? container_of(to, struct x86_block, recs) : NULL;
        struct jit_edge *e = &t->edge[i];

        if (!(i == 0 ? taken : next)) {
            continue;
        }
        *e = (struct jit_edge){ .needs = REGS_ALL, .there = true, .vis = true, .reads = true };
        if (b && !(b->flags & BLOCK_DEAD)) {
            e->needs = jit_entry_needs(b->recs, b->nrec + (b->flags & BLOCK_HAS_END ? 1u : 0), NULL, &e->vis, &e->reads);
        } else if (t->mode & (MODE_64 | MODE_FLAT_CS)) {
            struct x86_rec recs[PEEK_MAX];

            e->needs = jit_entry_needs(recs, peek(t, tail->delta[i], recs), NULL, &e->vis, &e->reads);
        }
    }
}

/* The registers that change while the flags of record @i can be seen */
static void window(struct jit_tr *t, unsigned i)
{
    struct jit_ri *ri = &t->ri[i];
    unsigned live = x86_op_info[t->b->recs[i].op].wr & ri->vis_out;
    uint32_t changed = 0;

    ri->window = 0;
    ri->to_exit = ri->partly = false;
    for (unsigned k = i + 1; live && k < t->n; k++) {
        const struct x86_rec *r = &t->b->recs[k];

        if (t->site[k]) {
            ri->window |= changed | jit_string_early(r);
        }
        ri->partly |= x86_op_info[r->op].wr & ~kills(r) || (live & kills(r) && live & ~kills(r));
        live &= ~kills(r);
        changed |= jit_writes(r);
    }
    if (live) {
        ri->window |= changed;
        ri->to_exit = true;
    }
}

void jit_liveness(struct jit_tr *t)
{
    unsigned nat = 0, vis;

    successors(t);
    vis = XF_ALL;               /* an exit that is not linked, or that is taken for an interrupt, shows them in any case */
    for (unsigned i = t->n; i-- > 0; ) {
        const struct x86_rec *r = &t->b->recs[i];
        const struct x86_op_info *info = &x86_op_info[r->op];
        unsigned k = kills(r);

        t->site[i] = t->force_site[i] || is_site(r) || (t->mode & MODE_XM && jit_simd_raises(r)) ||
                     (t->mode & MODE_XF && jit_x87_pure(r)) ||
                     r->flags & REC_LAST;
        t->ri[i].nat_out = (uint16_t)nat;
        t->ri[i].vis_out = (uint16_t)vis;
        nat = (nat & ~k) | (r->op == OP_PUSHF ? 0 : info->rd) | also_reads(r, vis);      /* PUSHF: tmpl_sys.c */
        if (r->flags & REC_LAST && !(r->op >= OP_JCC && r->op < OP_JCC + 16)) {
            nat = 0;                /* the interpreter reads them from memory */
        }
        t->ri[i].nat_in = (uint16_t)nat;
        vis &= ~k;
        if (t->site[i]) {
            vis = XF_ALL;
        }
    }
    for (unsigned i = 0; i < t->n; i++) {
        window(t, i);
    }
}
