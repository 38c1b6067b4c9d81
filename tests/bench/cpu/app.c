/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/bench/cpu/app.c - programs as they are: busybox's sh, awk, sort, gzip, sha256sum, and starting them
 *
 * Each is a script for `busybox sh -c` with $B the busybox, $N the units of work and $F a text file of N lines that
 * setup makes. The checksum is over what the script prints.
 */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char input[256];

static void setup_text(uint64_t n)
{
    static const char *const words[] = { "alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel" };
    uint32_t s = 59;

    snprintf(input, sizeof(input), "%s/cpubench.txt", bench_dir);
    FILE *f = fopen(input, "w");
    if (!f) {
        bench_fail(input);
    }
    for (uint64_t i = 0; i < n; i++) {
        uint32_t a = rnd32(&s), b = rnd32(&s);

        fprintf(f, "%s %u %08x %s\n", words[a & 7], a >> 8 & 0xFFFF, b, words[b >> 7 & 7]);
    }
    fclose(f);
}

/* sh -c script; FNV over its output */
static uint64_t script(const char *text, uint64_t n)
{
    char count[32];
    uint8_t buf[4096];
    uint64_t h = 0;
    ssize_t got;
    int fd[2], status;

    snprintf(count, sizeof(count), "%llu", (unsigned long long)n);
    if (pipe(fd) < 0) {
        bench_fail("pipe");
    }
    pid_t pid = fork();
    if (!pid) {
        dup2(fd[1], 1);
        close(fd[0]);
        close(fd[1]);
        clearenv();
        setenv("B", bench_busybox, 1);
        setenv("N", count, 1);
        setenv("F", input, 1);
        setenv("LC_ALL", "C", 1);
        execl(bench_busybox, "busybox", "sh", "-c", text, (char *)NULL);
        _exit(99);
    }
    close(fd[1]);
    while ((got = read(fd[0], buf, sizeof(buf))) > 0) {
        h = mix_bytes(h, buf, (size_t)got);
    }
    close(fd[0]);
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status) {
        bench_fail("the script");
    }
    return h;
}

static uint64_t run_sh(uint64_t n)
{
    return script("i=0; s=1; while [ $i -lt $N ]; do s=$(( (s * 31 + i) % 65521 ));"
                  " case $s in *7) s=$((s + 1));; 12*) w=${s#12}x$i; s=$((s + ${#w}));; esac;"
                  " i=$((i + 1)); done; echo $s", n);
}

static uint64_t run_awk(uint64_t n)
{
    return script("$B awk '{ c[$1 $4]++; s += $2 * NR % 7; if ($3 ~ /^[a-f].*[0-4]$/) m++;"
                  " t = substr($3, 2, 4) t; t = substr(t, 1, 40) }"
                  " END { print c[\"alphaecho\"], s, m, t }' $F", n);
}

static uint64_t run_sort(uint64_t n)
{
    return script("$B sort $F; $B sort -n -k 2 $F", n);
}

static uint64_t run_gzip(uint64_t n)
{
    return script("$B gzip -c <$F | $B gunzip -c | $B tail -n 100; $B gzip -c <$F | $B wc -c", n);
}

static uint64_t run_sha256sum(uint64_t n)
{
    return script("$B sha256sum <$F", n);
}

static uint64_t run_execloop(uint64_t n)
{
    return script("i=0; while [ $i -lt $N ]; do $B true && i=$((i + 1)); done; echo $i", n);
}

const struct bench app_tests[] = {
    { "sh",        40000, run_sh,        NULL,       NEED_BUSYBOX },
    { "awk",       25000, run_awk,       setup_text, NEED_BUSYBOX },
    { "sort",      20000, run_sort,      setup_text, NEED_BUSYBOX },
    { "gzip",      50000, run_gzip,      setup_text, NEED_BUSYBOX },
    { "sha256sum", 1000000, run_sha256sum, setup_text, NEED_BUSYBOX },
    { "execloop",  300,   run_execloop,  NULL,       NEED_BUSYBOX },
    { NULL, 0, NULL, NULL, 0 },
};
