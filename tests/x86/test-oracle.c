/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/x86/test-oracle.c - every user-mode instruction against the host's own processor
 *
 *     test-oracle [--group G] [--op NAME] [--seed N] [--count N] [--max N] [--list] [--coverage]
 *
 * One TAP line a group. A difference prints the instruction, what differs, and the seed; --count is cases per row and
 * mode (more where a group has few rows), --max how many differences are printed for each row. Deterministic for a seed and count on one host.
 */
#include "core/loop.h"
#include "target/x86/state.h"
#include "tests/x86/oracle.h"
#include <glib.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define BATCH 128

static struct {
    char *group, *op;
    gint64 seed;
    int count, max;
    gboolean list, coverage, verbose, all;
} opt = { .seed = 1, .count = 60, .max = 2 };

static const char *const groups[] = {
    "alu",   "shift", "muldiv", "bit",   "mov",    "stack", "string", "branch", "flags", "bcd32", "cmpxchg",
    "priv",  "bmi",   "x87",    "block", "far",    "seg32", "code16", "mmx",    "sse",   "sse2",  "sse3",
    "ssse3", "sse41", "sse42",  "aes",   "pclmul", "sha",   "avx",    "avxint", "avx2",  "fma",   "f16c",
};

struct tally {
    unsigned cases, bad, rows, lost;
};

static struct ox_guest *guest;
static struct x86_features host, both;
static struct ox_case cases[BATCH];
static struct ox_result native[BATCH];
static uint8_t image[OX_IMAGE];

static void hex(GString *s, const uint8_t *p, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        g_string_append_printf(s, "%02x", p[n - 1 - i]);
    }
}

static void diff64(GString *s, const char *name, uint64_t in, uint64_t want, uint64_t got)
{
    if (want != got) {
        g_string_append_printf(
            s, "#     %s: %" G_GINT64_MODIFIER "x -> silicon %" G_GINT64_MODIFIER "x, ours %" G_GINT64_MODIFIER "x\n",
            name, in, want, got);
    }
}

static void diff_bytes(GString *s, const char *name, unsigned i, const uint8_t *in, const uint8_t *want,
                       const uint8_t *got, unsigned n)
{
    if (memcmp(want, got, n)) {
        g_string_append_printf(s, "#     %s%u: ", name, i);
        hex(s, in, n);
        g_string_append(s, "\n#       silicon ");
        hex(s, want, n);
        g_string_append(s, "\n#       ours    ");
        hex(s, got, n);
        g_string_append_c(s, '\n');
    }
}

static void diff_mem(GString *s, const struct ox_result *want, const struct ox_result *got)
{
    unsigned shown = 0;

    for (unsigned i = 0; i < OX_RW && shown < 4; i += 8) {
        if (memcmp(want->mem + i, got->mem + i, 8)) {
            uint64_t a, b, m;

            memcpy(&a, want->mem + i, 8);
            memcpy(&b, got->mem + i, 8);
            memcpy(&m, image + i, 8);
            g_string_append_printf(s,
                                   "#     mem[%x]: %" G_GINT64_MODIFIER "x -> silicon %" G_GINT64_MODIFIER
                                   "x, ours %" G_GINT64_MODIFIER "x\n",
                                   i, m, a, b);
            shown++;
        }
    }
}

static void diff_flags(GString *s, const struct ox_case *c, const struct ox_result *want, const struct ox_result *got)
{
    uint32_t mask = XF_ALL | FL_DF | FL_TF | FL_IF | FL_AC | FL_NT | FL_ID;

    if (c->row && (want->vec == EXC_BP || want->vec == EXC_DB)) {
        mask &= ~ox_undefined_flags(c);
    }
    diff64(s, "eflags", c->in.eflags & mask, want->out.eflags & mask, got->out.eflags & mask);
}

static void diff_x87(GString *s, const struct ox_case *c, const struct ox_state *want, const struct ox_state *got)
{
    diff64(s, "fcw", c->in.fcw, want->fcw, got->fcw);
    diff64(s, "fsw", c->in.fsw, want->fsw, got->fsw);
    diff64(s, "ftw", c->in.ftw, want->ftw, got->ftw);
    for (unsigned i = 0; i < 8; i++) {
        diff_bytes(s, "st", i, c->in.st[i], want->st[i], got->st[i], 10);
    }
}

/* Linux hides what is mapped in its half: there P is always set in the error code */
static uint32_t error_code(const struct ox_result *r)
{
    return r->vec == EXC_PF && r->addr >> 47 ? r->err | 1 : r->err;
}

/*
 * An MMX instruction that faults on its memory operand, or raises #XM, may have switched the x87 state to MMX (TOP 0,
 * all in use) already. SDM vol. 3, 12.2 does not say.
 */
static bool x87_unknown(const struct ox_case *c, const struct ox_result *r)
{
    bool mmx = c->row && (c->row->cls == CLS_MMX || (c->row->cls == CLS_MX && c->rec.size == 3) ||
                          c->rec.op == OP_CVTPI2PS || c->rec.op == OP_CVTPS2PI || c->rec.op == OP_CVTTPS2PI ||
                          c->rec.op == OP_CVTPD2PI || c->rec.op == OP_CVTTPD2PI || c->rec.op == OP_CVTPI2PD);

    return mmx && r->vec != EXC_BP && r->vec != EXC_UD;
}

/*
 * When an element faults (#XM), the flags of the others need not be there: hardware that works on halves stops at the
 * first
 */
static uint32_t mxcsr_known(const struct ox_case *c, const struct ox_result *r)
{
    bool parts = (c->rec.flags & REC_VEX) || c->rec.op == OP_DPPS || c->rec.op == OP_DPPD;

    if (r->vec != EXC_XM) {
        return ~0u;
    }
    return parts ? ~0x3Fu : ~0x20u;         /* PE beside an unmasked OE or UE: of the result with unbounded exponent */
}

/*
 * Which of several bytes or chunks is reported is the processor's choice; its page is not, unless the operand crosses
 * one
 */
static bool one_access(const struct ox_case *c)
{
    switch (c->rec.op) {
    case OP_FLDENV: case OP_FNSTENV: case OP_FRSTOR: case OP_FNSAVE: case OP_FXSAVE: case OP_FXRSTOR:
    case OP_VMASKMOVPS: case OP_VMASKMOVPD: case OP_VPMASKMOVD: case OP_VPMASKMOVQ:
    case OP_FLD_M80: case OP_FSTP_M80: case OP_FBLD: case OP_FBSTP:
        return false;
    }
    return true;
}

/*
 * FXSAVE: #AC or #GP varies with the implementation. With a mask of zeros, faults are implementation-dependent (SDM
 * vol. 2, MASKMOVDQU); and which of two pages is reported
 */
static bool maskmov_fault(const struct ox_case *c, const struct ox_result *r)
{
    return (c->rec.op == OP_MASKMOVQ || c->rec.op == OP_MASKMOVDQU) &&
           (r->vec == EXC_PF || r->vec == EXC_GP || r->vec == EXC_AC);
}

/*
 * A branch to an address that is not canonical: Intel faults on the branch, AMD on the target; calls have pushed
 * already
 */
static bool branch_fault(const struct ox_case *c, const struct ox_result *r)
{
    return r->vec == EXC_GP && (c->rec.op == OP_JMP_RM || c->rec.op == OP_CALL_RM || c->rec.op == OP_RET ||
                                c->rec.op == OP_CALLF || c->rec.op == OP_CALL);
}

/*
 * Of several faults of one instruction it is open which comes first: a vector operand misaligned and beyond the
 * limit, a masked move whose elements or whole operand are checked, an operand in several accesses or two of them.
 */
static bool segment_fault(const struct ox_case *c, const struct ox_result *want, const struct ox_result *got)
{
    bool simd = x86_op_info[c->rec.op].attr & XA_SIMD;

    if (c->mode >= OX_SEG32 && want->vec != EXC_BP && got->vec != EXC_BP &&
        (!one_access(c) || c->rec.op == OP_MOVS || c->rec.op == OP_CMPS)) {
        return true;
    }
    return c->mode >= OX_SEG32 && simd && (want->vec == EXC_GP || want->vec == EXC_SS) &&
           (got->vec == EXC_GP || got->vec == EXC_SS || (c->rec.op >= OP_VMASKMOVPS && c->rec.op <= OP_VPMASKMOVQ));
}

/* Return: what differs, a line each; empty when nothing does */
static GString *compare(const struct ox_case *c, const struct ox_result *want, const struct ox_result *got)
{
    static const char *const name[16] = {
        "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
    };
    GString *s = g_string_new(NULL);

    if (maskmov_fault(c, want) || segment_fault(c, want, got) ||
        (c->in.eflags & FL_AC && (c->rec.op == OP_FXSAVE || c->rec.op == OP_FXRSTOR))) {
        return s;
    }
    if (want->vec != got->vec) {
        g_string_append_printf(s,
                               "#     exception: silicon %d (error %x, address %" G_GINT64_MODIFIER
                               "x), ours %d (%x, %" G_GINT64_MODIFIER "x)\n",
                               want->vec, want->err, want->addr, got->vec, got->err, got->addr);
        return s;
    }
    if (!one_access(c)) {
        diff64(s, "fault page", 0, want->addr >> 12, got->addr >> 12);
    } else {
        diff64(s, "error code", 0, error_code(want), error_code(got));
        diff64(s, "fault address", 0, want->addr, got->addr);
    }
    if ((c->row && ox_undefined_result(c)) || branch_fault(c, want)) {
        return s;
    }
    diff64(s, "rip", c->in.rip, want->out.rip, got->out.rip);
    for (unsigned i = 0; i < (c->mode32 ? 8 : 16); i++) {
        /*
         * a string instruction with 32-bit addresses that faults or has nothing to do: some processors clear bits
         * 63:32
         */
        bool string = (x86_op_info[c->rec.op].attr & XA_STR) && c->rec.asize == 2 &&
                      (want->vec != EXC_BP || !(uint32_t)c->in.gpr[R_CX]);
        uint64_t mask = c->mode32 || (string && (i == R_SI || i == R_DI || i == R_CX)) ? 0xFFFFFFFF : ~0ULL;

        diff64(s, name[i], c->in.gpr[i], want->out.gpr[i] & mask, got->out.gpr[i] & mask);
    }
    diff_flags(s, c, want, got);
    for (unsigned i = 0; i < 4; i++) {
        static const char *const sel[4] = { "es", "cs", "ss", "ds" };

        uint16_t a = want->out.sel[i], b = got->out.sel[i];

        diff64(s, sel[i], 0, a < 4 ? 0 : a,
               b < 4 ? 0 : b); /* Linux' IRET to the handler turns null selectors 1-3 into 0 */
    }
    diff64(s, "mxcsr", c->in.mxcsr, want->out.mxcsr & mxcsr_known(c, want), got->out.mxcsr & mxcsr_known(c, want));
    if (!x87_unknown(c, want)) {
        diff_x87(s, c, &want->out, &got->out);
    }
    for (unsigned i = 0; i < (c->mode32 ? 8 : 16); i++) {
        diff_bytes(s, "ymm", i, c->in.vec[i], want->out.vec[i], got->out.vec[i], 32);
    }
    diff_mem(s, want, got);
    return s;
}

static const char *const mode_name[OX_MODES] = { "64", "32", "segmented 32", "16" };

static void report(const struct ox_case *c, const GString *diff)
{
    g_autoptr(GString) s = g_string_new(NULL);
    char text[128];

    if (opt.verbose) {
        for (unsigned i = 0; i < 16; i++) {
            g_print("# %x=%" G_GINT64_MODIFIER "x%s", i, c->in.gpr[i], i == 15 ? "\n" : " ");
        }
    }
    for (unsigned pos = 0; pos < c->len;) {
        struct x86_rec r = { 0 };
        unsigned len = x86_decode(c->code + pos, c->len - pos, ox_mode_bits(c->mode), pos, &both, &r);

        x86_rec_print(&r, c->in.rip + pos, text, sizeof(text));
        g_string_append_printf(s, "#   %s-bit:", mode_name[c->mode]);
        for (unsigned i = 0; i < len; i++) {
            g_string_append_printf(s, " %02x", c->code[pos + i]);
        }
        g_string_append_printf(s, "   %s\n", text);
        pos += len ? len : 1;
    }
    g_print("%s#     (eflags %x mxcsr %x fcw %x fsw %x)\n%s", s->str, c->in.eflags, c->in.mxcsr, c->in.fcw, c->in.fsw,
            diff->str);
}

/* A guest that runs for ever is kicked out of x86_cpu_run(), and shows as a difference */
static void on_alarm(int sig)
{
    ox_guest_kick(guest);
    alarm(1);
}

static void run_batch(unsigned n, struct tally *t, unsigned *row_bad)
{
    static struct ox_result ours;

    if (!ox_native_run(cases, n, image, native)) {
        g_print("Bail out! cannot run native code\n");
        exit(1);
    }
    for (unsigned i = 0; i < n; i++) {
        GString *diff;

        t->cases++;
        if (native[i].vec < 0) {
            t->lost++;
            continue;
        }
        alarm(2);
        ox_guest_run(guest, &cases[i], image, &ours);
        alarm(0);
        diff = compare(&cases[i], &native[i], &ours);
        if (diff->len) {
            t->bad++;
            if ((*row_bad)++ < (unsigned)opt.max) {
                report(&cases[i], diff);
            }
        }
        g_string_free(diff, TRUE);
    }
}

static bool row_offered(const struct x86_row *row)
{
    return row->feat == X86_FEAT_ALWAYS || x86_feat(&both, row->feat == X86_FEAT_AVX12 ? X86_FEAT_AVX : row->feat);
}

static void run_row(enum x86_map_id map, const struct x86_row *row, enum ox_mode mode, unsigned want, struct tally *t)
{
    struct ox_rng rng = {.s = ((uint64_t)opt.seed * 0x9E3779B97F4A7C15ULL) ^ ((uint64_t)map << 40) ^
                              ((uint64_t)mode << 50) ^ ((uint64_t)(row - x86_maps[map].rows) << 20) ^ 0x1234567};
    unsigned bad = 0;

    want *= row->last - row->first >= 15 ? 3 : 1;
    for (unsigned left = want, tries = 0; left && tries < 100;) {
        unsigned n = 0;

        ox_make_image(&rng, image);
        for (unsigned k = 0; k < 4 * BATCH && n < BATCH && n < left; k++) {
            if (ox_is_far(row->op)) {
                n += ox_make_far(&rng, map, row, mode != OX_64, &both, &cases[n]);
            } else {
                n += ox_make_case(&rng, map, row, mode, &both, image, &cases[n]);
            }
        }
        if (n) {
            run_batch(n, t, &bad);
        }
        left -= n;
        tries += n == 0;
    }
    if (bad > (unsigned)opt.max) {
        g_print("#   ... %u differences in this row (%s)\n", bad, x86_op_info[row->op].name);
    }
}

#define GROUP_MIN 2500      /* cases, about */

static void run_blocks(struct tally *t)
{
    struct ox_rng rng = { .s = (uint64_t)opt.seed * 0x9E3779B97F4A7C15ULL ^ 0xB10C };
    unsigned bad = 0;

    for (int left = opt.count * 100; left > 0; left -= BATCH) {
        ox_make_image(&rng, image);
        for (unsigned i = 0; i < BATCH; i++) {
            ox_make_block(&rng, i & 1, &both, &cases[i]);
        }
        run_batch(BATCH, t, &bad);
    }
}

static bool op_wanted(const struct x86_row *row)
{
    return !opt.op || g_ascii_strcasecmp(opt.op, x86_op_info[row->op].name) == 0;
}

/* The groups "seg32" and "code16" take every row once more, except those about descriptors */
static bool in_group(enum x86_map_id map, const struct x86_row *row, const char *group, enum ox_mode only)
{
    const char *why, *own = ox_group(map, row, &why);

    if (only != OX_64) {
        return own && !ox_is_far(row->op) && strcmp(own, "priv");
    }
    return g_strcmp0(own, group) == 0;
}

/* Cases a row and mode: a group of few rows is still tested thousands of times */
static unsigned cases_per_row(const char *group, enum ox_mode only)
{
    unsigned rows = 0;

    for (unsigned map = 0; map < MAP_COUNT; map++) {
        for (unsigned i = 1; i < x86_maps[map].nrows; i++) {
            rows += in_group(map, &x86_maps[map].rows[i], group, only) && row_offered(&x86_maps[map].rows[i]);
        }
    }
    return rows ? MAX((unsigned)opt.count, GROUP_MIN / rows) : (unsigned)opt.count;
}

static struct tally run_group(const char *group)
{
    enum ox_mode only = strcmp(group, "seg32") == 0 ? OX_SEG32 : strcmp(group, "code16") == 0 ? OX_16 : OX_64;
    unsigned count = cases_per_row(group, only);
    struct tally t = { 0 };

    if (strcmp(group, "block") == 0) {
        run_blocks(&t);
    }
    for (unsigned map = 0; map < MAP_COUNT; map++) {
        for (unsigned i = 1; i < x86_maps[map].nrows; i++) {
            const struct x86_row *row = &x86_maps[map].rows[i];

            if (!in_group(map, row, group, only) || !row_offered(row) || !op_wanted(row)) {
                continue;
            }
            t.rows++;
            if (only != OX_64) {
                if (row->sel & SEL_NO64) {
                    run_row(map, row, only, count / 3 + 1, &t);
                }
                continue;
            }
            for (enum ox_mode mode = OX_64; mode <= OX_32; mode++) {
                if (row->sel & (mode == OX_64 ? SEL_64 : SEL_NO64)) {
                    run_row(map, row, mode, count, &t);
                }
            }
        }
    }
    return t;
}

static void print_coverage(void)
{
    for (unsigned map = 0; map < MAP_COUNT; map++) {
        for (unsigned i = 1; i < x86_maps[map].nrows; i++) {
            const struct x86_row *row = &x86_maps[map].rows[i];
            const char *why, *group = ox_group(map, row, &why);

            g_print("%s %02x %s: %s%s%s\n", x86_maps[map].name, row->first, x86_op_info[row->op].name,
                    group ? group : "not tested: ", group ? "" : why, row_offered(row) ? "" : " (not offered)");
        }
    }
}

static void set_up(void)
{
    const struct x86_features *ours;

    signal(SIGALRM, on_alarm);
    loop_init();
    machine_unlock();
    ox_native_features(&host);
    guest = ox_guest_new("max", opt.all ? &host : NULL);
    ours = ox_guest_features(guest);
    both = host;
    for (unsigned i = 0; i < FEAT_WORDS; i++) {
        both.word[i] &= ours->word[i];
    }
}

int main(int argc, char **argv)
{
    const GOptionEntry entries[] = {
        { "group", 'g', 0, G_OPTION_ARG_STRING, &opt.group, "only this group", "G" },
        { "op", 'o', 0, G_OPTION_ARG_STRING, &opt.op, "only this operation (ops.h)", "NAME" },
        { "seed", 's', 0, G_OPTION_ARG_INT64, &opt.seed, "seed", "N" },
        { "count", 'n', 0, G_OPTION_ARG_INT, &opt.count, "cases a row and mode", "N" },
        { "max", 'm', 0, G_OPTION_ARG_INT, &opt.max, "differences printed a row", "N" },
        { "list", 'l', 0, G_OPTION_ARG_NONE, &opt.list, "list the groups", NULL },
        { "coverage", 0, 0, G_OPTION_ARG_NONE, &opt.coverage, "list rows and where they are tested", NULL },
        { "all", 'a', 0, G_OPTION_ARG_NONE, &opt.all, "also what the model does not offer (yet)", NULL },
        { "verbose", 'v', 0, G_OPTION_ARG_NONE, &opt.verbose, "registers with each difference", NULL },
        { NULL },
    };
    g_autoptr(GOptionContext) ctx = g_option_context_new(NULL);
    unsigned n = 0, failed = 0;

    g_option_context_add_main_entries(ctx, entries, NULL);
    if (!g_option_context_parse(ctx, &argc, &argv, NULL)) {
        return 2;
    }
    for (unsigned i = 0; opt.list && i < G_N_ELEMENTS(groups); i++) {
        g_print("%s\n", groups[i]);
    }
    if (opt.list) {
        return 0;
    }
    set_up();
    if (opt.coverage) {
        print_coverage();
        return 0;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(groups); i++) {
        struct tally t;

        if (opt.group && strcmp(opt.group, groups[i])) {
            continue;
        }
        t = run_group(groups[i]);
        failed += t.bad != 0;
        if (!t.cases) {
            g_print("ok %u - %s # SKIP the host or the CPU model does not have it\n", ++n, groups[i]);
            continue;
        }
        g_print("%s %u - %s # %u rows, %u cases, %u differ, %u lost\n", t.bad ? "not ok" : "ok", ++n, groups[i], t.rows,
                t.cases, t.bad, t.lost);
    }
    g_print("1..%u\n", n);
    ox_guest_free(guest);
    return failed ? 1 : 0;
}
