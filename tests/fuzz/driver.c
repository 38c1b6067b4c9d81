/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/fuzz/driver.c - runs a fuzz target without a fuzzer: files given as arguments, else a corpus and random inputs
 *
 *     fuzz-x FILE...                              replay these inputs
 *     fuzz-x [-corpus=FILE] [-runs=N] [-seed=S]   replay the corpus, then N random inputs (1000)
 *
 * For replaying findings, and for every check (compilers without libFuzzer). Prints TAP. The generator is seeded with 1
 * or -seed=S: a run can be repeated.
 *
 * A corpus is one file: a line "patchbay-fuzz-corpus 1 INPUTS SHA256", then of each input its length, two bytes,
 * little-endian, and its bytes. The sum is of all that follows the line. A corpus that is damaged or empty is an error:
 * a check that replays nothing must not pass. scripts/fuzz_corpus.py packs and unpacks it.
 */
#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Of its own allocation, so that ASan sees where it ends */
static void run_one(const uint8_t *data, size_t len)
{
    g_autofree uint8_t *copy = g_malloc(MAX(len, 1));

    if (len) {
        memcpy(copy, data, len);
    }
    LLVMFuzzerTestOneInput(copy, len);
}

/* Return: inputs replayed; 0: *why says what is wrong with the file */
static unsigned long replay(const uint8_t *p, size_t left, const char **why)
{
    const uint8_t *end = memchr(p, '\n', MIN(left, 128));
    g_autofree char *line = end ? g_strndup((const char *)p, (size_t)(end - p)) : NULL, *sum = NULL;
    unsigned long inputs, n = 0;
    char want[65];

    *why = "it does not begin as a corpus does";
    if (!line || sscanf(line, "patchbay-fuzz-corpus 1 %lu %64[0-9a-f]", &inputs, want) != 2) {
        return 0;
    }
    left -= (size_t)(end + 1 - p);
    p = end + 1;
    sum = g_compute_checksum_for_data(G_CHECKSUM_SHA256, p, left);
    *why = "its bytes do not have the sum that it names";
    if (strcmp(sum, want) != 0) {
        return 0;
    }
    for (; left; n++) {
        size_t len = left >= 2 ? p[0] | (size_t)p[1] << 8 : 0;

        if (left < 2 || len > left - 2) {
            *why = "an input is cut off";
            return 0;
        }
        run_one(p + 2, len);
        p += 2 + len;
        left -= 2 + len;
    }
    *why = n ? "it holds another number of inputs than it says" : "it is empty";
    return n == inputs ? n : 0;
}

static bool corpus(const char *file, unsigned long *n)
{
    g_autofree char *data = NULL;
    const char *why = NULL;
    gsize len;

    if (!g_file_get_contents(file, &data, &len, NULL)) {
        fprintf(stderr, "cannot read '%s'\n", file);
        return false;
    }
    *n = replay((const uint8_t *)data, len, &why);
    if (!*n) {
        printf("not ok 1 %s: %s\n1..1\n", file, why);
    }
    return *n != 0;
}

static bool file(const char *name)
{
    g_autofree char *data = NULL;
    gsize len;

    if (!g_file_get_contents(name, &data, &len, NULL)) {
        fprintf(stderr, "cannot read '%s'\n", name);
        return false;
    }
    run_one((const uint8_t *)data, len);
    return true;
}

static void random_inputs(unsigned long runs, unsigned long seed)
{
    g_autoptr(GRand) r = g_rand_new_with_seed((guint32)seed);
    uint8_t buf[1024];

    for (unsigned long n = 0; n < runs; n++) {
        size_t len = (size_t)g_rand_int_range(r, 1, sizeof(buf));

        for (size_t i = 0; i < len; i++) {
            buf[i] = (uint8_t)g_rand_int(r);
        }
        LLVMFuzzerTestOneInput(buf, len);
    }
}

int main(int argc, char **argv)
{
    unsigned long runs = 1000, seed = 1, files = 0, replayed = 0;

    for (int i = 1; i < argc; i++) {
        if (sscanf(argv[i], "-runs=%lu", &runs) == 1 || sscanf(argv[i], "-seed=%lu", &seed) == 1) {
            continue;
        }
        if (g_str_has_prefix(argv[i], "-corpus=") ? !corpus(argv[i] + strlen("-corpus="), &replayed) : !file(argv[i])) {
            return 1;
        }
        files += !g_str_has_prefix(argv[i], "-corpus=");
    }
    if (files) {
        printf("ok 1 %lu inputs survived\n1..1\n", files);
        return 0;
    }
    random_inputs(runs, seed);
    printf("ok 1 %lu inputs of the corpus and %lu random ones survived\n1..1\n", replayed, runs);
    return 0;
}
