/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/x86/test-oracle.c - every user-mode instruction against the host's own processor
 *
 *     test-oracle [--engine interp|jit] [--group G] [--op NAME] [--seed N] [--count N] [--max N] [--list] [--coverage]
 *
 * With the translator, every case runs twice from the same state: the engine translates at the second visit, and both
 * runs must agree with silicon.
 * One TAP line a group. A difference prints the instruction, what differs, and the seed; --count is cases per row and
 * mode (more where a group has few rows), --max how many differences are printed for each row. Deterministic for a
 * seed and count on one host.
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
    char *group, *op, *engine;
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

static bool translate;
static struct ox_guest *guest;
static struct x86_features host, both;
static struct ox_case cases[BATCH];
static struct ox_result native[BATCH];
static uint8_t image[OX_IMAGE];

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

/* Return: what differs in any of the runs */
static GString *run_case(const struct ox_case *c, const struct ox_result *want)
{
    static const char *const interp[2] = { "silicon", "ours" }, *const jit[2] = { "silicon", "translated" };
    static struct ox_result ours;
    uint32_t open = c->row && (want->vec == EXC_BP || want->vec == EXC_DB) ? ox_undefined_flags(c) : 0;
    GString *diff = NULL;

    for (unsigned run = 0; run < (translate ? 2 : 1); run++) {
        alarm(2);
        ox_guest_run(guest, c, image, &ours);
        alarm(0);
        diff = ox_compare(c, open, image, translate ? jit : interp, want, &ours);
        if (diff->len || run == (translate ? 1 : 0)) {
            break;
        }
        g_string_free(diff, TRUE);
    }
    return diff;
}

static void run_batch(unsigned n, struct tally *t, unsigned *row_bad)
{
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
        diff = run_case(&cases[i], &native[i]);
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
    const struct x86_engine_opts jit = { .jit = true, .hot = 1 };
    const struct x86_features *ours;

    signal(SIGALRM, on_alarm);
    loop_init();
    machine_unlock();
    ox_native_features(&host);
    guest = ox_guest_new("max", opt.all ? &host : NULL, translate ? &jit : NULL);
    ours = ox_guest_features(guest);
    both = host;
    for (unsigned i = 0; i < FEAT_WORDS; i++) {
        both.word[i] &= ours->word[i];
    }
}

int main(int argc, char **argv)
{
    const GOptionEntry entries[] = {
        { "engine", 'e', 0, G_OPTION_ARG_STRING, &opt.engine, "interp (default) or jit", "E" },
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
    Error *err = NULL;

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
    translate = g_strcmp0(opt.engine, "jit") == 0;
    if (translate && !x86_jit_works(&err)) {
        g_print("1..0 # SKIP %s\n", error_text(err));
        error_free(err);
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
