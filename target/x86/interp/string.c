/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/interp/string.c - MOVS STOS LODS SCAS CMPS INS OUTS, with REP (SDM vol. 2, REP; vol. 1, 7.3.9)
 *
 * A repeated instruction goes by chunks: as many elements as lie in the same pages, before any wrap of the address size
 * and inside the segment limit, are done on host memory at once. Where there is no chunk (TLB miss, MMIO, a page with
 * code, an element across two pages, alignment checks) one element goes the ordinary way, which also brings the page
 * into the TLB or raises the fault. rCX, rSI and rDI are exact after every chunk, so that a fault and an interrupt find
 * the instruction restartable.
 *
 * Overlap. MOVS copies element by element: a destination a little ahead of the source repeats a pattern. Host memory
 * decides, so two mappings of one page are seen too. memmove() does all other cases.
 */
#include "target/x86/interp/fast.h"
#include "target/x86/seg.h"

struct str {
    struct x86_cpu *cpu;
    const struct x86_rec *r;
    unsigned size, asize;
    bool down, rep;
    uint64_t step;              /* added to rSI, rDI for each element */
    uint64_t count;
};

static struct str str_init(struct x86_cpu *cpu, const struct x86_rec *r)
{
    struct str s = {
        .cpu = cpu, .r = r, .size = r->size, .asize = r->asize, .down = cpu->eflags & FL_DF,
        .rep = r->flags & (REC_REP | REC_REPNE),
    };

    s.step = s.down ? 0 - (1ULL << s.size) : 1ULL << s.size;
    s.count = s.rep ? reg_get(cpu, R_CX * 8, s.asize) : 1;
    return s;
}

/* @n elements are done: those of the registers in use move */
static void str_done(struct str *s, uint64_t n, bool si, bool di)
{
    struct x86_cpu *cpu = s->cpu;

    if (si) {
        reg_set(cpu, R_SI * 8, s->asize, cpu->regs[R_SI] + n * s->step);
    }
    if (di) {
        reg_set(cpu, R_DI * 8, s->asize, cpu->regs[R_DI] + n * s->step);
    }
    s->count -= n;
    if (s->rep) {
        reg_set(cpu, R_CX * 8, s->asize, s->count);
    }
}

/* After a chunk: go on, or let go of the CPU (also after each element when single-stepping)? */
static bool str_pause(const struct str *s)
{
    return s->count && (exit_asked(s->cpu) || s->cpu->mode & MODE_STEP);
}

/*
 * The two operands
 */
struct side {
    uint64_t ea, la;
    bool flat;
    unsigned seg;
};

static struct side side_src(const struct str *s)
{
    struct side a = { .ea = reg_get(s->cpu, R_SI * 8, s->asize), .seg = s->r->seg };

    a.flat = s->r->flags & (REC_FLAT64 | REC_FLAT32);
    a.la = a.flat ? a.ea : seg_linear(s->cpu, s->r, a.seg, a.ea, 1u << s->size, false);
    return a;
}

static struct side side_dst(const struct str *s, bool write)
{
    struct side a = { .ea = reg_get(s->cpu, R_DI * 8, s->asize), .seg = SEG_ES };

    a.flat = s->cpu->mode & MODE_64 || (s->cpu->mode & MODE_FLAT_ES && s->asize == 2);
    a.la = a.flat ? a.ea : seg_linear(s->cpu, s->r, a.seg, a.ea, 1u << s->size, write);
    return a;
}

/* How many elements from here on are in the page, do not wrap, and are inside the limit; 0: not even one whole */
static uint64_t side_room(const struct str *s, const struct side *a)
{
    uint64_t in = a->la & 0xFFF, len = 1ULL << s->size, n, max;
    const struct x86_seg *seg = &s->cpu->seg[a->seg];

    if (in + len > 0x1000) {
        return 0;
    }
    n = s->down ? (in >> s->size) + 1 : (0x1000 - in) >> s->size;
    if (s->asize < 3) {
        max = s->asize == 1 ? 0x10000 : 0x100000000ULL;
        n = MIN(n, s->down ? (a->ea >> s->size) + 1 : (max - a->ea) >> s->size);
    }
    if (!a->flat && !(s->cpu->mode & MODE_64)) {
        if ((seg->attr & (SEGA_CODE | SEGA_CONF_EXPDOWN)) == SEGA_CONF_EXPDOWN || a->ea + len - 1 > seg->limit) {
            return 0;
        }
        n = s->down ? n : MIN(n, (seg->limit - a->ea + 1) >> s->size);
    }
    return n;
}

/* Host memory of the lowest of @n elements; NULL: not by the first-level TLB */
static char *side_host(const struct str *s, const struct side *a, uint64_t n, bool write)
{
    const struct x86_tlb_entry *e = mem_tlb(s->cpu, a->la);
    uint64_t low = s->down ? a->la - ((n - 1) << s->size) : a->la;

    if ((write ? e->wtag : e->rtag) != (a->la & ~0xFFFULL)) {
        return NULL;
    }
    host_before_store();
    return (char *)(uintptr_t)(low + e->addend);
}

static bool str_single(const struct str *s)
{
    return !s->rep || s->cpu->mode & (MODE_STEP | MODE_AC);
}

/*
 * MOVS
 */
static void copy_pattern(char *d, const char *p, uint64_t n, unsigned size, bool down)
{
    for (uint64_t i = 0; i < n; i++) {
        uint64_t k = (down ? n - 1 - i : i) << size;

        host_st(d + k, size, host_ld(p + k, size));
    }
}

static uint64_t movs_chunk(const struct str *s, const struct side *src, const struct side *dst)
{
    uint64_t n = MIN(s->count, MIN(side_room(s, src), side_room(s, dst))), len = n << s->size;
    char *p, *d;

    if (!n || str_single(s)) {
        return 0;
    }
    p = side_host(s, src, n, false);
    d = side_host(s, dst, n, true);
    if (!p || !d) {
        return 0;
    }
    if (s->down ? d < p && d + len > p : p < d && p + len > d) {
        copy_pattern(d, p, n, s->size, s->down);
    } else {
        memmove(d, p, len);
    }
    return n;
}

static bool do_movs(struct str *s)
{
    while (s->count) {
        struct side src = side_src(s), dst = side_dst(s, true);
        uint64_t n = movs_chunk(s, &src, &dst);

        if (!n) {
            mem_st(s->cpu, s->r, dst.la, s->size, mem_ld(s->cpu, s->r, src.la, s->size));
            n = 1;
        }
        str_done(s, n, true, true);
        if (str_pause(s)) {
            return false;
        }
    }
    return true;
}

/*
 * STOS
 */
static void fill(char *d, uint64_t n, unsigned size, uint64_t v)
{
    char pattern[64];

    if (size == 0 || zx(v, size) == zx((v & 0xFF) * 0x0101010101010101ULL, size)) {
        memset(d, (int)(v & 0xFF), n << size);
        return;
    }
    for (unsigned i = 0; i < sizeof(pattern); i += 1u << size) {
        host_st(pattern + i, size, v);
    }
    for (; n >= sizeof(pattern) >> size; n -= sizeof(pattern) >> size, d += sizeof(pattern)) {
        memcpy(d, pattern, sizeof(pattern));
    }
    memcpy(d, pattern, n << size);
}

static bool do_stos(struct str *s)
{
    uint64_t v = s->cpu->regs[R_AX];

    while (s->count) {
        struct side dst = side_dst(s, true);
        uint64_t n = MIN(s->count, side_room(s, &dst));
        char *d = n && !str_single(s) ? side_host(s, &dst, n, true) : NULL;

        if (d) {
            fill(d, n, s->size, v);
        } else {
            mem_st(s->cpu, s->r, dst.la, s->size, v);
            n = 1;
        }
        str_done(s, n, false, true);
        if (str_pause(s)) {
            return false;
        }
    }
    return true;
}

/*
 * LODS
 */
static bool do_lods(struct str *s)
{
    while (s->count) {
        struct side src = side_src(s);

        reg_set(s->cpu, R_AX * 8, s->size, mem_ld(s->cpu, s->r, src.la, s->size));
        str_done(s, 1, true, false);
        if (str_pause(s)) {
            return false;
        }
    }
    return true;
}

/*
 * SCAS, CMPS: compare until ZF says stop. The flags are written when all is over: a fault on the way shows those of
 * before (SDM vol. 2, REP). With both operands of CMPS at fault, ES:rDI is reported.
 */
static bool str_stop(const struct str *s, uint64_t a, uint64_t b)
{
    return s->r->flags & REC_REPNE ? a == b : s->rep && a != b;
}

/* Elements compared up to and including the one that stops; *a, *b are the last two */
static uint64_t compare_host(const struct str *s, const char *p, const char *d, uint64_t n, uint64_t *a, uint64_t *b)
{
    uint64_t i = 0;

    if (!s->down && !p && s->size == 0 && s->r->flags & REC_REPNE) {    /* strlen, memchr */
        const char *at = memchr(d, (int)(uint8_t)*a, n);

        i = at ? (uint64_t)(at - d) : n - 1;
    } else if (!s->down && p && s->r->flags & REC_REP) {                /* memcmp: what is equal goes by eight bytes */
        while ((i << s->size) + 8 < n << s->size && host_ld(p + (i << s->size), 3) == host_ld(d + (i << s->size), 3)) {
            i += 8u >> s->size;
        }
    }
    while (i < n) {
        uint64_t k = (s->down ? n - 1 - i : i) << s->size;

        i++;
        *a = p ? host_ld(p + k, s->size) : *a;
        *b = host_ld(d + k, s->size);
        if (str_stop(s, *a, *b)) {
            break;
        }
    }
    return i;
}

static bool do_compare(struct str *s, bool cmps)
{
    struct x86_cpu *cpu = s->cpu;
    uint64_t a = reg_get(cpu, R_AX * 8, s->size), b = 0;
    bool any = false, done = true;

    while (s->count) {
        struct side dst, src = { 0 };
        uint64_t n = s->count;
        char *p = NULL, *d = NULL;

        dst = side_dst(s, false);
        n = MIN(n, side_room(s, &dst));
        if (cmps) {
            src = side_src(s);
            n = MIN(n, side_room(s, &src));
        }
        if (n && !str_single(s)) {
            p = cmps ? side_host(s, &src, n, false) : NULL;
            d = side_host(s, &dst, n, false);
        }
        if (d && (p || !cmps)) {
            n = compare_host(s, p, d, n, &a, &b);
        } else {
            b = mem_ld(cpu, s->r, dst.la, s->size);
            a = cmps ? mem_ld(cpu, s->r, src.la, s->size) : a;
            n = 1;
        }
        any = true;
        str_done(s, n, cmps, true);
        if (str_stop(s, a, b)) {
            break;
        }
        if (str_pause(s)) {
            done = false;
            break;
        }
    }
    if (any) {
        cc_set(cpu, CC_SUB8, s->size, a - b, b);
    }
    return done;
}

/*
 * INS, OUTS: one element at a time, the device may do anything in between
 */
static bool do_ins(struct str *s)
{
    struct x86_cpu *cpu = s->cpu;
    uint16_t port = (uint16_t)cpu->regs[R_DX];

    x86_io_check(cpu, s->r, port, 1u << s->size);
    while (s->count) {
        struct side dst = side_dst(s, true);

        mem_probe(cpu, s->r, dst.la, 1u << s->size, true);  /* no input is lost to a fault */
        mem_st(cpu, s->r, dst.la, s->size, x86_io_in(cpu, port, 1u << s->size));
        str_done(s, 1, false, true);
        if (str_pause(s)) {
            return false;
        }
    }
    return true;
}

static bool do_outs(struct str *s)
{
    struct x86_cpu *cpu = s->cpu;
    uint16_t port = (uint16_t)cpu->regs[R_DX];

    x86_io_check(cpu, s->r, port, 1u << s->size);
    while (s->count) {
        struct side src = side_src(s);

        x86_io_out(cpu, port, (uint32_t)mem_ld(cpu, s->r, src.la, s->size), 1u << s->size);
        str_done(s, 1, true, false);
        if (str_pause(s)) {
            return false;
        }
    }
    return true;
}

/* In a function of its own: struct str has its address taken, and a handler must have no frame (handler.h) */
static __attribute__((noinline)) bool str_run(struct x86_cpu *cpu, const struct x86_rec *r)
{
    struct str s = str_init(cpu, r);

    switch (r->op) {
    case OP_MOVS:
        return do_movs(&s);
    case OP_STOS:
        return do_stos(&s);
    case OP_LODS:
        return do_lods(&s);
    case OP_SCAS:
        return do_compare(&s, false);
    case OP_CMPS:
        return do_compare(&s, true);
    case OP_INS:
        return do_ins(&s);
    default:
        return do_outs(&s);
    }
}

static X86_OP(string)
{
    if (unlikely(!str_run(cpu, r))) {
        cpu->regs[REG_RIP] = x86_ip(cpu, r);
        cpu->eflags |= FL_RF;       /* what interrupts it, finds it set (SDM vol. 3, 17.3.1.1) */
        return x86_leave_to(cpu);
    }
    X86_NEXT;
}

x86_handler *x86_bind_string(const struct x86_rec *r, uint32_t mode)
{
    (void)mode;
    switch (r->op) {
    case OP_MOVS:
    case OP_STOS:
    case OP_LODS:
    case OP_SCAS:
    case OP_CMPS:
    case OP_INS:
    case OP_OUTS:
        return x86_string;
    default:
        return NULL;
    }
}
