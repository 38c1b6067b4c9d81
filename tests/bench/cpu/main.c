/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/bench/cpu/main.c - times CPU benchmarks: one static program for the bare host and for guests
 *
 *   cpubench [-s SCALE] [-r REPEATS] [-t SECONDS] [-b BUSYBOX] [-d DIR] [-l] [CLASS|TEST...]
 *
 * One line a test on stdout, of one of three kinds:
 *   BENCH class name seconds units checksum      minimum of the repetitions, on CLOCK_MONOTONIC
 *   ABSENT class name what                       the CPU has no such instructions
 *   FAILED class name why
 * A test runs in a child of its own, so that one that dies or hangs spoils nothing. Repetitions stop early once they
 * took
 */
#include "bench.h"

#include <cpuid.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TEST_LIMIT_S 120

struct bench_class {
    const char *name;
    const struct bench *tests;
};

static const struct bench_class classes[] = {
    { "int", data_tests }, { "int", calc_tests }, { "int", call_tests },
    { "fp", fp_tests }, { "simd", simd_tests }, { "crypto", crypto_tests }, { "mem", mem_tests },
    { "sys", sys_tests }, { "smc", smc_tests }, { "app", app_tests }, { NULL, NULL },
};

static const struct { unsigned bit; const char *name; } feature_names[] = {
    { NEED_SSE42, "SSE4.2" }, { NEED_AVX2, "AVX2" }, { NEED_FMA, "FMA" }, { NEED_AES, "AES-NI" },
    { NEED_SHA, "SHA-NI" }, { NEED_CLMUL, "PCLMULQDQ" }, { NEED_BUSYBOX, "busybox" },
};

const char *bench_self, *bench_busybox, *bench_dir = "/tmp";

static struct {
    double scale, budget_s;
    unsigned repeats;
} opt = { 1, 1.2, 3 };

/* SDM vol. 1, 14.3: AVX is usable when the operating system has switched its state on in XCR0 */
static int os_has_avx(void)
{
    uint32_t lo, hi;

    __asm__ volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
    return (lo & 6) == 6;
}

static unsigned features(void)
{
    unsigned a, b, c, d, have = bench_busybox ? NEED_BUSYBOX : 0;

    if (!__get_cpuid(1, &a, &b, &c, &d)) {
        return have;
    }
    have |= c & bit_SSE4_2 ? NEED_SSE42 : 0;
    have |= c & bit_AES ? NEED_AES : 0;
    have |= c & bit_PCLMUL ? NEED_CLMUL : 0;
    int avx = (c & bit_OSXSAVE) && (c & bit_AVX) && os_has_avx();
    have |= avx && (c & bit_FMA) ? NEED_FMA : 0;
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d)) {
        have |= avx && (b & bit_AVX2) ? NEED_AVX2 : 0;
        have |= b & bit_SHA ? NEED_SHA : 0;
    }
    return have;
}

static const char *missing(unsigned needs)
{
    unsigned lack = needs & ~features();

    for (size_t i = 0; i < sizeof(feature_names) / sizeof(feature_names[0]); i++) {
        if (lack & feature_names[i].bit) {
            return feature_names[i].name;
        }
    }
    return NULL;
}

void bench_fail(const char *what)
{
    fprintf(stderr, "cpubench: %s: %s\n", what, strerror(errno));
    exit(3);
}

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

/* the child: repetitions, then the line */
static int measure(const struct bench_class *k, const struct bench *t)
{
    uint64_t n = (uint64_t)((double)t->n * opt.scale), sum = 0;
    double best = 1e9, all = 0;

    n = n ? n : 1;
    for (unsigned i = 0; i < opt.repeats && (!i || all < opt.budget_s); i++) {
        if (t->setup) {
            t->setup(n);
        }
        double start = now();
        uint64_t s = t->run(n);
        double took = now() - start;

        if (i && s != sum) {
            return 4;
        }
        sum = s;
        all += took;
        best = took < best ? took : best;
    }
    printf("BENCH %s %s %.6f %llu %016llx\n", k->name, t->name, best, (unsigned long long)n, (unsigned long long)sum);
    fflush(stdout);
    return 0;
}

static int one(const struct bench_class *k, const struct bench *t)
{
    const char *lack = missing(t->needs);
    int status;

    if (lack) {
        printf("ABSENT %s %s %s\n", k->name, t->name, lack);
        fflush(stdout);
        return 0;
    }
    pid_t pid = fork();
    if (pid < 0) {
        bench_fail("fork");
    }
    if (!pid) {
        alarm(TEST_LIMIT_S);
        _exit(measure(k, t));
    }
    if (waitpid(pid, &status, 0) != pid) {
        bench_fail("waitpid");
    }
    if (!status) {
        return 0;
    }
    if (WIFSIGNALED(status)) {
        printf("FAILED %s %s %s\n", k->name, t->name,
               WTERMSIG(status) == SIGALRM ? "timeout" : strsignal(WTERMSIG(status)));
    } else {
        printf("FAILED %s %s %s\n", k->name, t->name,
               WEXITSTATUS(status) == 4 ? "two repetitions differ in their checksums" : "it gave up");
    }
    fflush(stdout);
    return 1;
}

static int wanted(char *const *names, int count, const char *class, const char *test)
{
    int yes = !count;

    for (int i = 0; i < count; i++) {
        yes |= !strcmp(names[i], class) || !strcmp(names[i], test);
    }
    return yes;
}

int main(int argc, char **argv)
{
    int c, list = 0, failed = 0;

    bench_self = argv[0];
    if (argc == 2 && !strcmp(argv[1], "nop")) {     /* what the exec test starts */
        return 7;
    }
    while ((c = getopt(argc, argv, "s:r:t:b:d:l")) != -1) {
        switch (c) {
        case 's': opt.scale = atof(optarg); break;
        case 'r': opt.repeats = (unsigned)atoi(optarg); break;
        case 't': opt.budget_s = atof(optarg); break;
        case 'b': bench_busybox = optarg; break;
        case 'd': bench_dir = optarg; break;
        case 'l': list = 1; break;
        default: return 2;
        }
    }
    if (!(opt.scale > 0) || !opt.repeats) {
        fprintf(stderr, "cpubench: the scale and the repetitions have to be positive\n");
        return 2;
    }
    for (const struct bench_class *k = classes; k->name; k++) {
        for (const struct bench *t = k->tests; t->name; t++) {
            if (!wanted(argv + optind, argc - optind, k->name, t->name)) {
                continue;
            }
            if (list) {
                printf("%s %s\n", k->name, t->name);
            } else {
                failed += one(k, t);
            }
        }
    }
    return failed != 0;
}
