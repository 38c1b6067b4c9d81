/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/x86/test-sequences.c - random programs on the host's processor, our interpreter and our translator
 *
 *     test-sequences [--engine interp|jit] [--seed N] [--count N] [--mode 64|32|seg32|16] [--only N] [--minimise]
 *                    [--hot N] [--no-chain] [--one-insn] [--no-slots] [--print]
 *
 * Each program is entered SEQ_ENTRIES times with other registers and the same memory; a run ends at an INT3 or at a
 * fault, where all registers, flags and memory are compared (compare.c). With the translator the code stays in place
 * between the runs, so blocks become hot, are chained and used again; there, it is compared with silicon and with the
 * interpreter. A program that does not end is dropped and counted. Program N of a seed is the same whatever the count.
 *
 * --minimise takes instructions away as long as something differs, and prints what is left.
 */
#include "core/loop.h"
#include "target/x86/flags.h"
#include "tests/x86/seq.h"
#include <signal.h>
#include <string.h>
#include <sys/time.h>

#define BATCH 8                                 /* programs a native child */
#define RUNS  (BATCH * SEQ_ENTRIES)

static struct {
    char *engine, *mode;
    gint64 seed, only;
    int count, max, hot;
    gboolean minimise, no_chain, one_insn, no_slots, check, print;
} opt = { .seed = 1, .only = -1, .count = 0, .max = 5, .hot = 1 };

static const char *const mode_name[OX_MODES] = { "64", "32", "seg32", "16" };

struct entry_set {
    struct ox_case c[SEQ_ENTRIES];
    struct ox_result interp[SEQ_ENTRIES];
};

static struct {
    bool translate;
    struct ox_guest *interp, *jit, *running;
    struct x86_features both;
    struct x86_engine_opts jit_opts;
    uint8_t image[OX_IMAGE];
    struct seq_prog prog[BATCH];
    uint64_t number[BATCH];
    struct entry_set set[BATCH];
    struct ox_case cases[RUNS];
    struct ox_result native[RUNS];
    uint64_t insns;
    unsigned made, dropped, runs, bad, lost, ends[32];      /* ends: by vector */
} t;

/* --- running ------------------------------------------------------------------------------------------------------ */

static void on_alarm(int sig)
{
    if (t.running) {
        ox_guest_kick(t.running);
    }
}

static void run_guest(struct ox_guest *g, const struct ox_case *c, struct ox_result *out)
{
    t.running = g;
    ox_guest_run(g, c, t.image, out);
    t.running = NULL;
}

/* A timer that ticks all the time: it kicks a run that takes longer; ox_guest_run() has patience for three kicks */
static void start_timer(void)
{
    const struct itimerval tick = { .it_interval.tv_usec = 60000, .it_value.tv_usec = 60000 };

    signal(SIGALRM, on_alarm);
    setitimer(ITIMER_REAL, &tick, NULL);
}

static bool run_interp(struct ox_guest *g, struct entry_set *s)
{
    for (unsigned i = 0; i < SEQ_ENTRIES; i++) {
        run_guest(g, &s->c[i], &s->interp[i]);
        if (s->interp[i].vec < 0) {
            return false;
        }
    }
    return true;
}

/*
 * What is known of the instruction that ended a run decides which rules hold for it, against silicon. Our engines have
 * to agree in everything but flags that are undefined.
 */
static GString *differences(const struct seq_prog *p, const struct ox_case *c, const char *const who[2],
                            const struct ox_result *want, const struct ox_result *got)
{
    static struct ox_case at;
    unsigned i = seq_find(p, want->out.rip - (want->vec == EXC_BP));
    uint32_t open = XF_ALL;

    at = *c;
    at.rec = (struct x86_rec){ .op = OP_NOP };
    at.row = NULL;
    if (i < SEQ_ITEMS) {
        open = p->item[i].open;
    }
    if (i < SEQ_ITEMS && strcmp(who[0], "silicon") == 0) {
        at.rec = p->item[i].rec;
        at.row = p->item[i].row;
    } else if (want->vec == EXC_GP && i == SEQ_ITEMS) {
        at.rec.op = OP_RET;                     /* a target that is not canonical */
    }
    return ox_compare(&at, open, t.image, who, want, got);
}

/* --- reports ------------------------------------------------------------------------------------------------------ */

static void report(const struct seq_prog *p, uint64_t number, unsigned entry, const struct ox_case *c,
                   const struct ox_result *end, const GString *diff)
{
    g_autoptr(GString) s = g_string_new(NULL);
    unsigned n = 0;

    for (unsigned i = 0; i < p->n; i++) {
        n += !p->item[i].dead;
    }
    g_string_append_printf(s, "# seed %" G_GINT64_FORMAT ", program %" G_GUINT64_FORMAT " (%s-bit), entry %u, ",
                           opt.seed, number, mode_name[p->mode], entry);
    g_string_append_printf(s, "%u instructions:\n", n);
    seq_print(p, s);
    for (unsigned i = 0; i < (c->mode32 ? 8 : 16); i++) {
        g_string_append_printf(s, "%s%u=%" G_GINT64_MODIFIER "x", i % 8 ? " " : "#     ", i, c->in.gpr[i]);
        g_string_append(s, i % 8 == 7 ? "\n" : "");
    }
    g_string_append_printf(s, "#     eflags %x mxcsr %x fcw %x fsw %x ftw %x\n", c->in.eflags, c->in.mxcsr, c->in.fcw,
                           c->in.fsw, c->in.ftw);
    g_string_append_printf(s, "#     ended by exception %d at %" G_GINT64_MODIFIER "x (item %u)\n", end->vec,
                           end->out.rip,
                           seq_find(p, end->out.rip - (end->vec == EXC_BP)));
    g_print("%s%s", s->str, diff->str);
}

/* --- shrinking ---------------------------------------------------------------------------------------------------- */

/* Return: what differs in the first entry that does; NULL: nothing does, or the program is no good */
static GString *try_program(struct seq_prog *p, struct entry_set *s, unsigned *entry)
{
    static const char *const versus[3][2] = {
        { "silicon", "interpreter" }, { "silicon", "translated" }, { "interpreter", "translated" },
    };
    struct ox_guest *interp, *jit = NULL;
    static struct ox_result native[SEQ_ENTRIES], got;
    GString *diff = NULL;

    if (!seq_layout(p, &t.both)) {
        return NULL;
    }
    for (unsigned i = 0; i < SEQ_ENTRIES; i++) {
        s->c[i].prog = &p->image;
        s->c[i].in.rip = (p->mode >= OX_SEG32 ? 0 : OX_CODE) + p->item[0].at;
    }
    interp = ox_guest_new("max", NULL, NULL);
    if (t.translate) {
        jit = ox_guest_new("max", NULL, &t.jit_opts);
    }
    if (run_interp(interp, s) && ox_native_run(s->c, SEQ_ENTRIES, t.image, native)) {
        for (unsigned i = 0; i < SEQ_ENTRIES && !diff; i++) {
            if (jit) {
                run_guest(jit, &s->c[i], &got);
            }
            for (unsigned k = 0; k < (jit ? 3 : 1) && !diff; k++) {
                const struct ox_result *a = k < 2 ? &native[i] : &s->interp[i], *b = k ? &got : &s->interp[i];

                diff = a->vec == -1 ? NULL : differences(p, &s->c[i], versus[k], a, b);
                if (diff && !diff->len) {
                    g_string_free(diff, TRUE);
                    diff = NULL;
                }
            }
            *entry = i;
        }
    }
    ox_guest_free(interp);
    if (jit) {
        ox_guest_free(jit);
    }
    return diff;
}

static bool still_differs(struct seq_prog *p, struct entry_set *s)
{
    unsigned entry;
    GString *diff = try_program(p, s, &entry);

    if (diff) {
        g_string_free(diff, TRUE);
    }
    return diff != NULL;
}

static void minimise(const struct seq_prog *from, uint64_t number, const struct entry_set *set)
{
    g_autofree struct seq_prog *p = g_memdup2(from, sizeof(*from)), *less = g_new(struct seq_prog, 1);
    g_autofree struct entry_set *s = g_memdup2(set, sizeof(*set));
    unsigned entry = 0;
    GString *diff;

    for (unsigned chunk = 16; chunk; chunk /= 2) {
        for (unsigned at = 0; at + 1 < p->n; at += chunk) {
            unsigned killed = 0;

            *less = *p;
            for (unsigned i = at; i < at + chunk && i + 1 < p->n; i++) {
                if (less->item[i].kind != SEQ_END && !less->item[i].dead) {
                    less->item[i].dead = true;
                    killed++;
                }
            }
            if (killed && still_differs(less, s)) {
                *p = *less;
            }
        }
    }
    diff = try_program(p, s, &entry);
    if (diff) {
        g_print("# shrunk:\n");
        report(p, number, entry, &s->c[entry], &s->interp[entry], diff);
        g_string_free(diff, TRUE);
    } else {
        g_print("# alone, in a fresh machine, the program does not differ\n");
    }
}

/* --- a batch ------------------------------------------------------------------------------------------------------ */

/* Program @number: its own generator, so that it can be had again alone */
static bool make(uint64_t number, struct seq_prog *p, struct entry_set *s)
{
    static const uint8_t modes[8] = { OX_64, OX_64, OX_64, OX_64, OX_32, OX_32, OX_SEG32, OX_16 };
    struct ox_rng rng = { .s = ((uint64_t)opt.seed * 0x9E3779B97F4A7C15ULL) ^ (number + 1) * 0xD1B54A32D192ED03ULL };
    enum ox_mode mode = modes[number / BATCH % 8];      /* of a whole batch: the child makes an LDT or none */

    for (unsigned i = 0; opt.mode && i < OX_MODES; i++) {
        mode = strcmp(opt.mode, mode_name[i]) == 0 ? (enum ox_mode)i : mode;
    }
    for (unsigned tries = 0; tries < 20; tries++) {
        if (!seq_generate(&rng, mode, &t.both, p)) {
            continue;
        }
        for (unsigned i = 0; i < SEQ_ENTRIES; i++) {
            seq_entry(&rng, p, &s->c[i]);
        }
        return true;
    }
    return false;
}

static void check(unsigned k, unsigned first)
{
    static const char *const versus[2] = { "silicon", "interpreter" }, *const with_jit[2][2] = {
        { "silicon", "translated" }, { "interpreter", "translated" },
    };
    struct seq_prog *p = &t.prog[k];
    static struct ox_result got;

    for (unsigned i = 0; i < SEQ_ENTRIES; i++) {
        const struct ox_result *native = &t.native[first + i], *interp = &t.set[k].interp[i];
        GString *diff = NULL;

        t.runs++;
        t.ends[native->vec & 31]++;
        t.lost += native->vec == -1;
        if (native->vec != -1) {
            diff = differences(p, &t.set[k].c[i], versus, native, interp);
        }
        if (t.translate) {
            run_guest(t.jit, &t.set[k].c[i], &got);
            for (unsigned v = native->vec == -1; v < 2 && (!diff || !diff->len); v++) {
                if (diff) {
                    g_string_free(diff, TRUE);
                }
                diff = differences(p, &t.set[k].c[i], with_jit[v], v ? interp : native, &got);
            }
        }
        if (diff && diff->len) {
            if (t.bad++ < (unsigned)opt.max) {
                report(p, t.number[k], i, &t.set[k].c[i], interp, diff);
                if (opt.minimise) {
                    minimise(p, t.number[k], &t.set[k]);
                }
            }
            g_string_free(diff, TRUE);
            return;
        }
        if (diff) {
            g_string_free(diff, TRUE);
        }
    }
}

static bool run_batch(uint64_t number, unsigned n)
{
    struct ox_rng rng = {
        .s = (uint64_t)opt.seed * 0x9E3779B97F4A7C15ULL ^ (number / BATCH + 1) * 0xA0761D6478BD642FULL,
    };
    uint64_t before;
    unsigned k = 0;

    ox_make_image(&rng, t.image);
    for (unsigned i = 0; i < n; i++) {
        if (opt.only >= 0 && (gint64)(number + i) != opt.only) {
            continue;
        }
        if (!make(number + i, &t.prog[k], &t.set[k])) {
            continue;
        }
        t.made++;
        t.number[k] = number + i;
        if (opt.print) {
            g_autoptr(GString) s = g_string_new(NULL);

            seq_print(&t.prog[k], s);
            g_print("# program %" G_GUINT64_FORMAT " (%s-bit)\n%s", number + i, mode_name[t.prog[k].mode], s->str);
        }
        before = x86_cpu_instructions(ox_guest_cpu(t.interp));
        if (!run_interp(t.interp, &t.set[k])) {
            t.dropped++;
            continue;
        }
        t.insns += x86_cpu_instructions(ox_guest_cpu(t.interp)) - before;
        memcpy(&t.cases[k * SEQ_ENTRIES], t.set[k].c, sizeof(t.set[k].c));
        k++;
    }
    if (k && !ox_native_run(t.cases, k * SEQ_ENTRIES, t.image, t.native)) {
        return false;
    }
    for (unsigned i = 0; i < k; i++) {
        check(i, i * SEQ_ENTRIES);
    }
    return true;
}

/* --- the program -------------------------------------------------------------------------------------------------- */

static void set_up(void)
{
    struct x86_features host;
    const struct x86_features *ours;

    loop_init();
    machine_unlock();
    t.jit_opts = (struct x86_engine_opts){
        .jit = true, .hot = (uint32_t)opt.hot, .no_chain = opt.no_chain, .one_insn = opt.one_insn,
        .no_slots = opt.no_slots, .check = opt.check,
    };
    ox_native_features(&host);
    t.interp = ox_guest_new("max", NULL, NULL);
    if (t.translate) {
        t.jit = ox_guest_new("max", NULL, &t.jit_opts);
    }
    ours = ox_guest_features(t.interp);
    t.both = host;
    for (unsigned i = 0; i < FEAT_WORDS; i++) {
        t.both.word[i] &= ours->word[i];
    }
    seq_tables_init(&t.both);
    start_timer();
}

/* How the runs ended: most at the end, many in the middle by each kind of fault, or the tests are not worth much */
static void print_statistics(void)
{
    g_autoptr(GString) s = g_string_new(NULL);

    for (unsigned i = 0; i < 32; i++) {
        if (t.ends[i]) {
            g_string_append_printf(s, " %u: %u", i, t.ends[i]);
        }
    }
    g_print("# %" G_GUINT64_FORMAT " instructions; runs by the vector that ended them:%s\n", t.insns, s->str);
    if (t.jit) {
        g_string_truncate(s, 0);
        x86_cpu_print_stats(ox_guest_cpu(t.jit), s);
        for (char *line = strtok(s->str, "\n"); line; line = strtok(NULL, "\n")) {
            g_print("# %s\n", line);
        }
    }
}

static int run_all(void)
{
    for (uint64_t n = 0; n < (uint64_t)opt.count; n += BATCH) {
        if (opt.only >= 0 && (opt.only < (gint64)n || opt.only >= (gint64)n + BATCH)) {
            continue;
        }
        if (!run_batch(n, MIN(BATCH, (unsigned)((uint64_t)opt.count - n)))) {
            g_print("Bail out! cannot run native code\n");
            return 1;
        }
    }
    print_statistics();
    g_print("%s 1 - sequences # %u programs, %u runs, %u programs differ, %u dropped, %u runs lost\n",
            t.bad ? "not ok" : "ok", t.made, t.runs, t.bad, t.dropped, t.lost);
    g_print("%s 2 - few programs are dropped or lost\n1..2\n",
            (t.dropped + t.lost) * 20 > t.made + 20 ? "not ok" : "ok");
    return t.bad || (t.dropped + t.lost) * 20 > t.made + 20;
}

int main(int argc, char **argv)
{
    const GOptionEntry entries[] = {
        { "engine", 'e', 0, G_OPTION_ARG_STRING, &opt.engine, "interp (default) or jit", "E" },
        { "seed", 's', 0, G_OPTION_ARG_INT64, &opt.seed, "seed", "N" },
        { "count", 'n', 0, G_OPTION_ARG_INT, &opt.count, "programs (6000; 2000 in a quick check)", "N" },
        { "mode", 'm', 0, G_OPTION_ARG_STRING, &opt.mode, "only 64, 32, seg32 or 16", "M" },
        { "only", 'o', 0, G_OPTION_ARG_INT64, &opt.only, "only this program of the seed", "N" },
        { "max", 0, 0, G_OPTION_ARG_INT, &opt.max, "differences printed", "N" },
        { "minimise", 0, 0, G_OPTION_ARG_NONE, &opt.minimise, "shrink programs that differ", NULL },
        { "hot", 0, 0, G_OPTION_ARG_INT, &opt.hot, "runs before a block is translated", "N" },
        { "no-chain", 0, 0, G_OPTION_ARG_NONE, &opt.no_chain, "blocks never jump to each other", NULL },
        { "one-insn", 0, 0, G_OPTION_ARG_NONE, &opt.one_insn, "blocks of one instruction", NULL },
        { "no-slots", 0, 0, G_OPTION_ARG_NONE, &opt.no_slots, "no one-entry TLB slots", NULL },
        { "check", 0, 0, G_OPTION_ARG_NONE, &opt.check, "compare every translated block with the interpreter", NULL },
        { "print", 'p', 0, G_OPTION_ARG_NONE, &opt.print, "print every program", NULL },
        { NULL },
    };
    g_autoptr(GOptionContext) ctx = g_option_context_new(NULL);
    Error *err = NULL;

    g_option_context_add_main_entries(ctx, entries, NULL);
    if (!g_option_context_parse(ctx, &argc, &argv, NULL)) {
        return 2;
    }
    t.translate = g_strcmp0(opt.engine, "jit") == 0;
    if (t.translate && !x86_jit_works(&err)) {
        g_print("1..0 # SKIP %s\n", error_text(err));
        error_free(err);
        return 0;
    }
    if (!opt.count) {
        opt.count = g_getenv("PATCHBAY_TEST_QUICK") ? 2000 : 6000;
    }
    set_up();
    return run_all();
}
