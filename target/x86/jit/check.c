/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * target/x86/jit/check.c - check=on: what a translated block does against what the interpreter does
 *
 * With it on no block is linked to another, so each run of one begins and ends in run.c. The first CHECK_ALL runs of
 * a block, and then every CHECK_EVERY-th, go like this: the CPU's state is put aside; the interpreter runs the
 * block's records, one by one, with every store noted (target/x86/undo.h); its end state and the bytes that it wrote
 * are put aside; memory and CPU go back to what they were; the translation runs; the two are compared. What goes on
 * is the translation's work.
 *
 * Compared are the general, segment, system, x87 and vector registers, RIP, the flags without those that the manual
 * leaves undefined, the bytes that the interpreter wrote, and for a fault its vector, error code, CR2 and RIP. (A
 * store of the translation to a place where the interpreter did not store is not seen at once, but by whoever reads
 * it.) The last record is run and compared when it is an ordinary branch; SYSCALL, HLT and the like stay with the
 * interpreter anyway, and the state before them is compared. A translation may also stop before an ordinary branch
 * and leave that to the interpreter. Flags that are dead when a block begins (x86_jblock.entry_vis) are turned round
 * before its translation runs: what linked blocks may leave there is tried like that. Links themselves, the return
 * pairs and the jump cache are not in use here; the tests of instruction sequences compare those.
 *
 * Not compared: what cannot be done twice (device accesses, page table entries that change, time, random numbers), a
 * block that overwrites itself or changes the mode, runs with an interrupt coming in, more than one CPU, data
 * breakpoints. A device that writes to memory that the block reads between the two runs makes a difference too: so a
 * difference counts only when it comes back.
 */
#include "target/x86/jit/check.h"
#include "target/x86/control.h"
#include "target/x86/fp.h"
#include "target/x86/interp/fast.h"
#include "target/x86/mmu_int.h"
#include "target/x86/undo.h"
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#define CHECK_ALL 64
#define CHECK_EVERY 1024
#define CHECK_TRIES 3

/* How the interpreter's run ended */
enum how { HOW_END, HOW_LAST, HOW_FAULT, HOW_CANNOT };      /* HOW_LAST: before the last record, which is not an ordinary branch */

struct hidden {
    struct x86_tlb_entry *e;
    uint64_t wtag;
    uintptr_t addend;
};

struct written {
    uint8_t b[UNDO_CHUNK];
};

struct jit_check {
    sigjmp_buf jmp;                     /* the run loop's, while cpu->jmp is ours */
    struct x86_undo undo;
    /* up to `jmp`: before the block; the interpreter before the last record, and behind it (or at the fault) */
    struct x86_cpu was, at_last, end;
    struct x86_rec step[2];
    unsigned n_last;                    /* stores before the last record */
    struct written by_last[UNDO_MAX], by_end[UNDO_MAX];
    unsigned done;                      /* records that the interpreter has completed */
    uint64_t fault_ip;
    struct { uint8_t vec; bool has_err; uint32_t err; } fault;
    struct hidden hidden[TLB_BANKS * TLB_SIZE];
    unsigned n_hidden;
    bool asked;                         /* exit word before the interpreter's last record */
    uint64_t n_checked, n_cannot, n_cut, n_again;
};

struct jit_check *jit_check_new(void)
{
    return x86_cpu_alloc(sizeof(struct jit_check));     /* its CPU structures want to be aligned */
}

void jit_check_free(struct jit_check *c)
{
    if (c) {
        x86_cpu_dealloc(c, sizeof(*c));
    }
}

void jit_check_print_stats(const struct jit_check *c, GString *out)
{
    g_string_append_printf(out, "compared        %" PRIu64 " runs of blocks; %" PRIu64 " not comparable, %" PRIu64 " cut short, %" PRIu64
                           " different once only\n", c->n_checked, c->n_cannot, c->n_cut, c->n_again);
}

static bool once_only(const struct x86_rec *r)
{
    switch (r->op) {
    case OP_IN: case OP_OUT: case OP_INS: case OP_OUTS: case OP_RDTSC: case OP_RDTSCP: case OP_RDPMC: case OP_RDRAND: case OP_RDSEED:
    case OP_RDMSR: case OP_MONITOR: case OP_VMCALL: case OP_MOV_FROM_CR:
        return true;
    }
    return false;
}

static unsigned records(const struct x86_block *b)
{
    return b->nrec + (b->flags & BLOCK_HAS_END ? 1u : 0);
}

bool jit_check_due(struct x86_cpu *cpu, struct x86_block *b)
{
    uint64_t k = b->jit->checks++;

    return (k < CHECK_ALL || k % CHECK_EVERY == 0) && !exit_asked(cpu) && !(cpu->dr[7] & 0xFF) && cpu->eng->ring == cpu->eng;
}

/*
 * State
 */
static void state_copy(struct x86_cpu *to, const struct x86_cpu *from)
{
    /* other threads write the one between */
    size_t before = offsetof(struct x86_cpu, exit_request), behind = offsetof(struct x86_cpu, cur);

    memcpy(to, from, before);
    memcpy((uint8_t *)to + behind, (const uint8_t *)from + behind, offsetof(struct x86_cpu, jmp) - behind);
    to->feat = from->feat;
}

static void state_back(struct x86_cpu *cpu, const struct jit_check *c)
{
    state_copy(cpu, &c->was);
    x86_fp_enter(cpu);
}

static void memory_back(struct jit_check *c)
{
    for (unsigned i = c->undo.n; i-- > 0; ) {
        memcpy(c->undo.e[i].host, c->undo.e[i].old, c->undo.e[i].len);
    }
}

static void memory_see(const struct jit_check *c, struct written *w, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        memcpy(w[i].b, c->undo.e[i].host, c->undo.e[i].len);
    }
}

static void tag_hide(struct x86_tlb_entry *e, void *opaque)
{
    struct jit_check *c = opaque;

    if (e->wtag != TLB_NONE) {
        c->hidden[c->n_hidden++] = (struct hidden){ e, e->wtag, e->addend };
        e->wtag = TLB_NONE;
    }
}

/*
 * The write tags of the first level, away and (where nothing else has come there) back again. The MMU lists who got one:
 * what is hidden now is what is listed the next time.
 */
static void tags_hide(struct x86_cpu *cpu, struct jit_check *c)
{
    struct x86_mmu *m = cpu->mmu;

    c->n_hidden = 0;
    if (m->wtags && m->n_wtags < MMU_WTAGS) {
        for (unsigned i = 0; i < m->n_wtags; i++) {
            tag_hide(m->wtags[i], c);
        }
    } else {
        m->wtags = m->wtags ? m->wtags : g_new(struct x86_tlb_entry *, MMU_WTAGS);
        mmu_banks_foreach(cpu, tag_hide, c);
    }
    for (m->n_wtags = 0; m->n_wtags < c->n_hidden; m->n_wtags++) {
        m->wtags[m->n_wtags] = c->hidden[m->n_wtags].e;
    }
}

static void tags_back(struct jit_check *c)
{
    for (unsigned i = 0; i < c->n_hidden; i++) {
        const struct hidden *h = &c->hidden[i];

        if (h->e->rtag == h->wtag && h->e->addend == h->addend) {
            h->e->wtag = h->wtag;
        }
    }
}

/*
 * The interpreter's run
 */
static const struct x86_rec *stepped(struct x86_cpu *cpu, const struct x86_rec *r)
{
    return r;
}

static bool plain_branch(const struct x86_rec *r)
{
    return (r->op >= OP_JCC && r->op < OP_JCC + 16) || r->op == OP_JMP || r->op == OP_CALL || r->op == OP_JMP_RM || r->op == OP_CALL_RM ||
           r->op == OP_RET || (r->op >= OP_LOOP && r->op <= OP_JCXZ) || r->op == OP_BLOCK_END;
}

/* With no successor in the tail, and the exit word set, the branch goes nowhere but sets RIP */
static void run_last(struct x86_cpu *cpu, struct jit_check *c, struct x86_block *b, const struct x86_rec *r, x86_handler *fn)
{
    struct x86_tail tail = *x86_block_tail(b);

    memset(tail.to, 0, sizeof(tail.to));
    tail.linkable[0] = tail.linkable[1] = false;
    tail.step = true;
    c->step[0] = *r;
    memcpy(&c->step[1], &tail, sizeof(tail));
    c->asked = true;
    __atomic_store_n(&cpu->exit_request, 1, __ATOMIC_SEQ_CST);
    fn(cpu, c->step);
}

static enum how run_records(struct x86_cpu *cpu, struct jit_check *c, struct x86_block *b)
{
    unsigned n = records(b);

    for (c->done = 0; c->done < n; c->done++) {
        const struct x86_rec *r = &b->recs[c->done];
        x86_handler *fn = c->done ? r->fn : b->jit->fn0;

        if (once_only(r)) {
            return HOW_CANNOT;
        }
        if (r->flags & REC_LAST) {
            x86_fp_sync(cpu);
            state_copy(&c->at_last, cpu);
            c->n_last = c->undo.n;
            memory_see(c, c->by_last, c->n_last);
            if (!plain_branch(r)) {
                return HOW_LAST;
            }
            run_last(cpu, c, b, r, fn);
            return HOW_END;
        }
        c->step[0] = c->step[1] = *r;
        c->step[1].fn = stepped;
        if (fn(cpu, c->step) != &c->step[1] || b->flags & BLOCK_DEAD || cpu->mode != b->mode) {
            return HOW_CANNOT;
        }
    }
    return HOW_CANNOT;
}

static void note_fault(struct x86_cpu *cpu, struct jit_check *c)
{
    c->fault.vec = cpu->exc.vec;
    c->fault.has_err = cpu->exc.has_err;
    c->fault.err = cpu->exc.err;
    c->fault_ip = cpu->cur ? x86_ip(cpu, cpu->cur) : cpu->regs[REG_RIP];
}

/* Other threads set the exit word behind cpu->pending: that tells whether they have */
static void exit_word_back(struct x86_cpu *cpu, struct jit_check *c)
{
    if (c->asked) {
        c->asked = false;
        __atomic_store_n(&cpu->exit_request, 0, __ATOMIC_SEQ_CST);
        if (__atomic_load_n(&cpu->pending, __ATOMIC_SEQ_CST)) {
            __atomic_store_n(&cpu->exit_request, 1, __ATOMIC_SEQ_CST);
        }
    }
}

/* A frame of its own for each sigsetjmp(): what it needs behind the jump is in @c */
static enum how interpret_caught(struct x86_cpu *cpu, struct jit_check *c, struct x86_block *b)
{
    if (sigsetjmp(c->undo.out, 0)) {
        return HOW_CANNOT;
    }
    if (sigsetjmp(cpu->jmp, 0)) {
        note_fault(cpu, c);
        return HOW_FAULT;
    }
    return run_records(cpu, c, b);
}

static enum how interpret(struct x86_cpu *cpu, struct jit_check *c, struct x86_block *b)
{
    enum how how;

    c->undo.n = 0;
    c->asked = false;
    tags_hide(cpu, c);
    cpu->undo = &c->undo;
    how = interpret_caught(cpu, c, b);
    cpu->undo = NULL;
    exit_word_back(cpu, c);
    x86_fp_sync(cpu);
    state_copy(&c->end, cpu);
    memory_see(c, c->by_end, c->undo.n);
    memory_back(c);
    state_back(cpu, c);
    tags_back(c);
    return how;
}

/*
 * The translation's run
 */
static struct jit_exit *translated_caught(struct x86_cpu *cpu, struct x86_block *b)
{
    if (sigsetjmp(cpu->jmp, 0)) {
        return NULL;
    }
    return jit_enter_block(cpu, b);
}

/* Flags that are undefined when @n records have run */
static uint32_t undefined_flags(const struct x86_block *b, unsigned n)
{
    uint32_t open = 0;

    for (unsigned i = 0; i < n; i++) {
        const struct x86_rec *r = &b->recs[i];
        const struct x86_op_info *info = &x86_op_info[r->op];
        bool by_cl = r->form == FORM_RM_CL || r->op == OP_SHLD_CL || r->op == OP_SHRD_CL;
        unsigned count = (unsigned)r->imm & (r->size == 3 ? 63 : 31);
        uint32_t undef = 0;

        switch (r->op) {            /* SDM vol. 2, "Flags Affected" of each instruction */
        case OP_AND: case OP_OR: case OP_XOR: case OP_TEST:
            undef = XF_A;
            break;
        case OP_MUL: case OP_IMUL: case OP_IMUL_R:
            undef = XF_S | XF_Z | XF_A | XF_P;
            break;
        case OP_DIV: case OP_IDIV:
            undef = XF_ALL;
            break;
        case OP_ROL: case OP_ROR: case OP_RCL: case OP_RCR:
            undef = by_cl || count > 1 ? XF_O : 0;
            break;
        case OP_SHL: case OP_SHR: case OP_SAR:
            undef = by_cl ? XF_A | XF_O | (r->size < 2 ? XF_C : 0) :
                    !count ? 0 : XF_A | (count > 1 ? XF_O : 0) | (count >= 8u << r->size ? XF_C : 0);
            break;
        case OP_SHLD: case OP_SHRD: case OP_SHLD_CL: case OP_SHRD_CL:
            undef = r->size == 1 ? XF_ALL : XF_A | XF_O;
            break;
        case OP_BT: case OP_BTS: case OP_BTR: case OP_BTC:
            undef = XF_O | XF_S | XF_A | XF_P;
            break;
        case OP_BSF: case OP_BSR:
            undef = XF_ALL & ~XF_Z;
            break;
        case OP_TZCNT: case OP_LZCNT:
            undef = XF_O | XF_S | XF_P | XF_A;
            break;
        case OP_BZHI: case OP_BLSR: case OP_BLSMSK: case OP_BLSI: case OP_ANDN:
            undef = XF_A | XF_P;
            break;
        case OP_BEXTR:
            undef = XF_A | XF_S | XF_P;
            break;
        case OP_AAA: case OP_AAS:
            undef = XF_O | XF_S | XF_Z | XF_P;
            break;
        case OP_AAM: case OP_AAD:
            undef = XF_O | XF_A | XF_C;
            break;
        case OP_DAA: case OP_DAS:
            undef = XF_O;
            break;
        }
        open = (info->attr & XA_COND ? open : open & ~(uint32_t)info->wr) | undef;
    }
    return open;
}

/*
 * Comparing
 */
struct diff {
    GString *out;
    unsigned n;
};

static void differ(struct diff *d, const char *what, unsigned i, uint64_t interp, uint64_t jit)
{
    if (interp != jit) {
        d->n++;
        if (d->out) {
            g_string_append_printf(d->out, "  %s %u: interpreter %016" PRIx64 ", translated %016" PRIx64 "\n", what, i, interp, jit);
        }
    }
}

static void differ_mem(struct diff *d, const char *what, unsigned i, const void *a, const void *b, size_t len)
{
    if (memcmp(a, b, len)) {
        const uint8_t *p = a, *q = b;

        d->n++;
        if (d->out) {
            g_string_append_printf(d->out, "  %s %u: interpreter", what, i);
            for (size_t k = 0; k < MIN(len, 32u); k++) {
                g_string_append_printf(d->out, " %02x", p[k]);
            }
            g_string_append(d->out, ", translated");
            for (size_t k = 0; k < MIN(len, 32u); k++) {
                g_string_append_printf(d->out, " %02x", q[k]);
            }
            g_string_append_c(d->out, '\n');
        }
    }
}

static void differ_fpu(struct diff *d, const struct x86_fpu *a, const struct x86_fpu *b)
{
    differ(d, "x87 control word", 0, a->fcw, b->fcw);
    differ(d, "x87 status word", 0, a->fsw, b->fsw);
    differ(d, "x87 top", 0, a->top, b->top);
    differ(d, "x87 tags", 0, a->ftw, b->ftw);
    differ(d, "x87 FOP", 0, a->fop, b->fop);
    differ(d, "x87 FIP", 0, a->fip, b->fip);
    differ(d, "x87 FDP", 0, a->fdp, b->fdp);
    differ(d, "MXCSR", 0, a->mxcsr, b->mxcsr);
    for (unsigned i = 0; i < 8; i++) {
        differ(d, "x87 significand", i, a->r[i].m, b->r[i].m);
        differ(d, "x87 exponent", i, a->r[i].se, b->r[i].se);
    }
}

static void differ_state(struct diff *d, const struct x86_cpu *a, const struct x86_cpu *b, uint32_t undef)
{
    size_t sys = offsetof(struct x86_cpu, gdt);

    for (unsigned i = 0; i < 16; i++) {
        differ(d, "register", i, a->regs[i], b->regs[i]);
    }
    differ(d, "flags", 0, flags_get(a) & ~undef, flags_get(b) & ~undef);
    differ(d, "mode", 0, a->mode, b->mode);
    for (unsigned i = 0; i < 8; i++) {
        differ_mem(d, "segment", i, &a->seg[i], &b->seg[i], sizeof(a->seg[i]));
    }
    differ_mem(d, "system registers", 0, (const uint8_t *)a + sys, (const uint8_t *)b + sys, offsetof(struct x86_cpu, fpu) - sys);
    differ_fpu(d, &a->fpu, &b->fpu);
    for (unsigned i = 0; i < 16; i++) {
        differ_mem(d, "vector register", i, &a->vec[i], &b->vec[i], sizeof(a->vec[i]));
    }
}

static void differ_memory(struct diff *d, const struct jit_check *c, const struct written *w, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        differ_mem(d, "store", i, w[i].b, c->undo.e[i].host, c->undo.e[i].len);
    }
}

/* What the translation left, or the fault that it raised (@x NULL), against @how the interpreter ended */
static void compare(struct diff *d, const struct x86_cpu *cpu, const struct jit_check *c, const struct x86_block *b, enum how how,
                    const struct jit_exit *x)
{
    const struct x86_cpu *want = &c->end;
    const struct written *w = c->by_end;
    unsigned n = c->undo.n, done = records(b);
    uint64_t ip = c->end.regs[REG_RIP], got = cpu->regs[REG_RIP];

    if (how == HOW_FAULT && !x) {
        differ(d, "vector", 0, c->fault.vec, cpu->exc.vec);
        differ(d, "error code", 0, c->fault.err, cpu->exc.has_err ? cpu->exc.err : c->fault.err);
        ip = c->fault_ip;
        got = cpu->cur ? x86_ip(cpu, cpu->cur) : got;
        done = c->done;
    } else if (x && x->kind == JX_INTERP && c->done == records(b) - 1) {    /* it may be the last record that raises a fault */
        want = &c->at_last;
        w = c->by_last;
        n = c->n_last;
        ip = want->regs[REG_RIP];
        got += b->jit->page_off;
        done--;
    } else if (!x || how != HOW_END) {
        differ(d, "end (1 behind the block, 2 before the last record, 3 fault)", 0,
               how == HOW_END ? 1 : how == HOW_LAST ? 2 : 3, x ? 1 : 3);
    } else if (x->kind == JX_DIRECT) {
        got += (uint64_t)(int64_t)x->off;
    }
    if (!(cpu->mode & MODE_64)) {
        ip = (uint32_t)ip;
        got = (uint32_t)got;
    }
    differ(d, "RIP", 0, ip, got);
    differ_state(d, want, cpu, undefined_flags(b, done));
    differ_memory(d, c, w, n);
}

static void print_block(const struct jit_check *c, const struct x86_block *b, GString *out)
{
    const uint8_t *code = (const uint8_t *)b->jit->entry_ind;
    char text[160];

    for (unsigned i = 0; i < records(b); i++) {
        uint64_t ip = c->was.regs[REG_RIP] + b->recs[i].off;

        x86_rec_print(&b->recs[i], ip, text, sizeof(text));
        g_string_append_printf(out, "  %016" PRIx64 "  %s\n", ip, text);
    }
    g_string_append_printf(out, "host code at %p:", (const void *)code);
    for (unsigned i = 0; i < b->jit->host_bytes; i++) {
        g_string_append_printf(out, "%s%02x", i % 32 ? " " : "\n  ", code[i]);
    }
    g_string_append_c(out, '\n');
}

static void __attribute__((noreturn)) report(struct x86_cpu *cpu, struct jit_check *c, struct x86_block *b, enum how how,
                                             const struct jit_exit *x)
{
    GString *s = g_string_new(NULL);
    struct diff d = { .out = s };

    g_string_append_printf(s, "check=on: translated block at %016" PRIx64 " (mode %06x, run %" PRIu64
                           ") differs from the interpreter:\n", c->was.regs[REG_RIP], b->mode, b->jit->checks);
    compare(&d, cpu, c, b, how, x);
    g_string_append_printf(s, "the translation left by way %d; the interpreter completed %u of %u records\n",
                           x ? x->kind : -1, c->done, records(b));
    print_block(c, b, s);
    g_string_append(s, "before:\n");
    x86_cpu_print_regs(&c->was, s);
    g_string_append(s, "interpreter:\n");
    x86_cpu_print_regs(&c->end, s);
    g_string_append(s, "translated:\n");
    x86_cpu_print_regs(cpu, s);
    if (x86_logs(cpu, X86_LOG_OUT_ASM)) {
        x86_log_out_asm(cpu, (const void *)b->jit->entry_ind, b->jit->host_bytes, c->was.regs[REG_RIP]);
    }
    fputs(s->str, stderr);
    fflush(stderr);
    abort();
}

/* Did the translation stop for a reason that has nothing to do with what it computes? */
static bool cut_short(const struct x86_cpu *cpu, const struct x86_block *b, const struct jit_exit *x)
{
    return exit_asked(cpu) || b->flags & BLOCK_DEAD || (x && (x->kind == JX_LEAVE || (x->kind == JX_DIRECT && !x->rel)));
}

/*
 * Linked edges leave flags that the block overwrites before anybody can see them as they happen to be (link.c): so
 * they may be anything here. Twice is as they were
 */
static void flags_scramble(struct x86_cpu *cpu, const struct x86_block *b)
{
    if (!b->jit->entry_vis) {
        flags_set_arith(cpu, flags_arith(cpu) ^ FL_ARITH);
    }
}

struct jit_exit *jit_check_run(struct x86_cpu *cpu, struct x86_block *b)
{
    struct jit_check *c = cpu->jit->check;
    struct jit_exit *x;
    enum how how;

    memcpy(&c->jmp, &cpu->jmp, sizeof(c->jmp));
    x86_fp_sync(cpu);
    state_copy(&c->was, cpu);
    for (unsigned i = 1; ; i++) {
        struct diff d = { 0 };

        how = interpret(cpu, c, b);
        if (how == HOW_CANNOT || exit_asked(cpu)) {
            c->n_cannot++;
            memcpy(&cpu->jmp, &c->jmp, sizeof(c->jmp));
            return NULL;
        }
        flags_scramble(cpu, b);
        x = translated_caught(cpu, b);
        x86_fp_sync(cpu);
        if (cut_short(cpu, b, x)) {
            if (x && x->kind == JX_DIRECT && !x->rel) {
                flags_scramble(cpu, b);       /* nothing has run */
            }
            c->n_cut++;
            break;
        }
        compare(&d, cpu, c, b, how, x);
        if (!d.n) {
            c->n_checked++;
            c->n_again += i > 1;
            break;
        }
        if (i == CHECK_TRIES) {
            report(cpu, c, b, how, x);
        }
        memory_back(c);
        state_back(cpu, c);
    }
    memcpy(&cpu->jmp, &c->jmp, sizeof(c->jmp));
    if (!x) {
        siglongjmp(cpu->jmp, 1);
    }
    return x;
}
