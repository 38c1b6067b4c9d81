/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/x86/test-golden.c - the interpreter here against the interpreter on the x86-64 host that agreed with silicon
 *
 *     test-golden golden.txt             one TAP line a group: its results are those that were recorded
 *     test-golden --record >golden.txt   after a change of the generator, of a row or of a result; test-oracle first
 *     test-golden --dump GROUP           a line a case, to be compared with that of another build
 *
 * test-oracle needs the processor that it asks. This test needs none: it runs the same generator's cases, of a fixed
 * seed, and compares a sum over all that they leave behind (registers, flags, vectors, x87, memory, exceptions) with
 * the one in golden.txt. So a build for another kind of host, with other compilers and no x86 instruction to lean on,
 * is compared bit for bit. What the manual leaves undefined is not in the sum.
 *
 * Left out, because each processor has its own last bits: the x87 transcendental functions, RCPxx and RSQRTxx.
 */
#include "core/loop.h"
#include "target/x86/state.h"
#include "tests/x86/oracle.h"
#include <glib.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MODEL "Skylake-Client,+sha-ni"
#define ROW_CASES 20            /* a row and mode */
#define GROUP_CASES 600         /* about, of a group of few rows */
#define BLOCK_CASES 1500

static const char *const groups[] = {
    "alu",   "shift", "muldiv", "bit",   "mov",    "stack", "string", "branch", "flags", "bcd32", "cmpxchg",
    "priv",  "bmi",   "x87",    "block", "far",    "seg32", "code16", "mmx",    "sse",   "sse2",  "sse3",
    "ssse3", "sse41", "sse42",  "aes",   "pclmul", "sha",   "avx",    "avxint", "avx2",  "fma",   "f16c",
};

struct sum {
    uint64_t h;
    unsigned cases;
    bool dump;
};

static struct ox_guest *guest;
static uint8_t image[OX_IMAGE];

static void add(uint64_t *h, uint64_t v)
{
    *h = (*h ^ v) * 0x9E3779B97F4A7C15ULL;
    *h ^= *h >> 29;
}

static void add_bytes(uint64_t *h, const uint8_t *p, unsigned n)
{
    for (unsigned i = 0; i < n; i += 8) {
        uint64_t v = 0;

        memcpy(&v, p + i, n - i < 8 ? n - i : 8);
        add(h, v);
    }
}

/* Memory: only what has changed */
static void add_memory(uint64_t *h, const uint8_t *mem)
{
    for (unsigned i = 0; i < OX_RW; i += 8) {
        if (memcmp(mem + i, image + i, 8)) {
            add(h, i);
            add_bytes(h, mem + i, 8);
        }
    }
}

static void add_state(uint64_t *h, const struct ox_case *c, const struct ox_state *s, uint32_t open_flags)
{
    unsigned regs = c->mode32 ? 8 : 16;

    add(h, s->rip);
    for (unsigned i = 0; i < regs; i++) {
        add(h, c->mode32 ? (uint32_t)s->gpr[i] : s->gpr[i]);
        add_bytes(h, s->vec[i], 32);
    }
    add(h, s->eflags & ~open_flags);
    add(h, s->mxcsr | (uint64_t)s->fcw << 32 | (uint64_t)s->fsw << 48);
    add(h, s->ftw);
    for (unsigned i = 0; i < 8; i++) {
        add_bytes(h, s->st[i], 10);
    }
    for (unsigned i = 0; i < 4; i++) {
        add(h, s->sel[i]);
    }
}

static void run_case(struct sum *t, const struct ox_case *c, const char *name)
{
    static struct ox_result r;
    uint64_t h = 0;

    alarm(60);
    ox_guest_run(guest, c, image, &r);
    alarm(0);
    add(&h, (uint64_t)r.vec);
    add(&h, r.err);
    add(&h, r.addr);
    if (!c->row || !ox_undefined_result(c)) {
        add_state(&h, c, &r.out, c->row ? ox_undefined_flags(c) : 0);
        add_memory(&h, r.mem);
    }
    if (t->dump) {
        g_print("%u %s mode %d vec %d sum %016" PRIx64 " fsw %04x fcw %04x mxcsr %04x code ", t->cases, name, c->mode,
                r.vec, h, r.out.fsw, r.out.fcw, r.out.mxcsr);
        for (unsigned i = 0; i < c->len; i++) {
            g_print("%02x", c->code[i]);
        }
        g_print("\n");
    }
    add(&t->h, h);
    t->cases++;
}

/* A processor's own last bits */
static bool inexact(uint16_t op)
{
    switch (op) {
    case OP_FSIN: case OP_FCOS: case OP_FSINCOS: case OP_FPTAN: case OP_FPATAN: case OP_F2XM1: case OP_FYL2X:
    case OP_FYL2XP1: case OP_RCPPS: case OP_RCPSS: case OP_RSQRTPS: case OP_RSQRTSS:
        return true;
    }
    return false;
}

static bool row_offered(const struct x86_row *row)
{
    const struct x86_features *f = ox_guest_features(guest);

    return row->feat == X86_FEAT_ALWAYS || x86_feat(f, row->feat == X86_FEAT_AVX12 ? X86_FEAT_AVX : row->feat);
}

/* The groups "seg32" and "code16" take every row once more, except those about descriptors */
static bool in_group(enum x86_map_id map, const struct x86_row *row, const char *group, enum ox_mode only)
{
    const char *why, *own = ox_group(map, row, &why);

    if (!own || !row_offered(row) || inexact(row->op)) {
        return false;
    }
    if (only != OX_64) {
        return !ox_is_far(row->op) && strcmp(own, "priv");
    }
    return strcmp(own, group) == 0;
}

/* A row's cases do not depend on its place in the table */
static struct ox_rng row_rng(enum x86_map_id map, const struct x86_row *row, enum ox_mode mode)
{
    uint64_t h = 0x5EED;
    const char *name = x86_op_info[row->op].name;

    for (unsigned i = 0; name[i]; i++) {
        add(&h, (uint8_t)name[i]);
    }
    add(&h, map);
    add(&h, row->first);
    add(&h, row->sel);
    add(&h, mode);
    return (struct ox_rng){ .s = h | 1 };
}

static void run_row(struct sum *t, enum x86_map_id map, const struct x86_row *row, enum ox_mode mode, unsigned want)
{
    const struct x86_features *f = ox_guest_features(guest);
    struct ox_rng rng = row_rng(map, row, mode);
    struct ox_case c;

    ox_make_image(&rng, image);
    for (unsigned tries = 0; want && tries < 2000; tries++) {
        if (ox_is_far(row->op) ? ox_make_far(&rng, map, row, mode != OX_64, f, &c)
                               : ox_make_case(&rng, map, row, mode, f, image, &c)) {
            if (!inexact(c.rec.op)) {
                run_case(t, &c, x86_op_info[row->op].name);
            }
            want--;
        }
    }
}

static void run_blocks(struct sum *t)
{
    struct ox_rng rng = { .s = 0xB10CB10C };
    struct ox_case c;

    for (unsigned i = 0; i < BLOCK_CASES; i++) {
        if (i % 64 == 0) {
            ox_make_image(&rng, image);
        }
        ox_make_block(&rng, i & 1, ox_guest_features(guest), &c);
        run_case(t, &c, "block");
    }
}

static void run_rows(struct sum *t, const char *group, unsigned count)
{
    enum ox_mode only = strcmp(group, "seg32") == 0 ? OX_SEG32 : strcmp(group, "code16") == 0 ? OX_16 : OX_64;

    for (unsigned map = 0; map < MAP_COUNT; map++) {
        for (unsigned i = 1; i < x86_maps[map].nrows; i++) {
            const struct x86_row *row = &x86_maps[map].rows[i];

            if (!in_group(map, row, group, only)) {
                continue;
            }
            if (only != OX_64) {
                if (row->sel & SEL_NO64) {
                    run_row(t, map, row, only, ROW_CASES / 2);
                }
                continue;
            }
            for (enum ox_mode mode = OX_64; mode <= OX_32; mode++) {
                if (row->sel & (mode == OX_64 ? SEL_64 : SEL_NO64)) {
                    run_row(t, map, row, mode, count);
                }
            }
        }
    }
}

static unsigned rows_of(const char *group)
{
    unsigned n = 0;

    for (unsigned map = 0; map < MAP_COUNT; map++) {
        for (unsigned i = 1; i < x86_maps[map].nrows; i++) {
            n += in_group(map, &x86_maps[map].rows[i], group, OX_64);
        }
    }
    return n;
}

static struct sum run_group(const char *group, bool dump)
{
    struct sum t = { .h = 0, .dump = dump };
    unsigned rows = rows_of(group);

    if (strcmp(group, "block") == 0) {
        run_blocks(&t);
    } else {
        run_rows(&t, group, rows ? MAX(ROW_CASES, GROUP_CASES / (2 * rows)) : ROW_CASES);
    }
    return t;
}

static void on_alarm(int sig)
{
    static const char text[] = "Bail out! a case does not end\n";

    if (write(STDOUT_FILENO, text, sizeof(text) - 1) < 0) {
        _exit(4);
    }
    _exit(3);
}

static void record(void)
{
    g_print("# SPDX-License-Identifier: BSD-2-Clause\n"
            "# What the interpreter's results add up to (test-golden.c): group, cases, sum. Written by\n"
            "#     build/tests/x86/test-golden --record >tests/x86/golden.txt\n"
            "# on an x86-64 host on which test-oracle has passed.\n");
    for (unsigned i = 0; i < G_N_ELEMENTS(groups); i++) {
        struct sum t = run_group(groups[i], false);

        g_print("%s %u %016" PRIx64 "\n", groups[i], t.cases, t.h);
    }
}

/* Return: the line of @group in the file, without its name; NULL: there is none */
static const char *recorded(char **lines, const char *group)
{
    size_t n = strlen(group);

    for (unsigned i = 0; lines[i]; i++) {
        if (strncmp(lines[i], group, n) == 0 && lines[i][n] == ' ') {
            return lines[i] + n + 1;
        }
    }
    return NULL;
}

static int check(const char *path)
{
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    int failed = 0;

    if (!g_file_get_contents(path, &text, NULL, NULL)) {
        g_print("Bail out! cannot read %s\n", path);
        return 2;
    }
    lines = g_strsplit(text, "\n", -1);
    g_print("1..%u\n", (unsigned)G_N_ELEMENTS(groups));
    for (unsigned i = 0; i < G_N_ELEMENTS(groups); i++) {
        struct sum t = run_group(groups[i], false);
        g_autofree char *got = g_strdup_printf("%u %016" PRIx64, t.cases, t.h);
        const char *want = recorded(lines, groups[i]);
        bool same = g_strcmp0(want, got) == 0 && t.cases;

        g_print("%s %u - %s # %u cases\n", same ? "ok" : "not ok", i + 1, groups[i], t.cases);
        if (!same) {
            g_print("# recorded %s, here %s\n", want ? want : "nothing", got);
            failed++;
        }
    }
    return failed ? 1 : 0;
}

int main(int argc, char **argv)
{
    int status = 2;

    signal(SIGALRM, on_alarm);
    loop_init();
    machine_unlock();
    guest = ox_guest_new(MODEL, NULL, NULL);
    if (argc == 2 && strcmp(argv[1], "--record") == 0) {
        record();
        status = 0;
    } else if (argc == 3 && strcmp(argv[1], "--dump") == 0) {
        run_group(argv[2], true);
        status = 0;
    } else if (argc == 2) {
        status = check(argv[1]);
    } else {
        fprintf(stderr, "usage: test-golden FILE | --record | --dump GROUP\n");
    }
    ox_guest_free(guest);
    return status;
}
