/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/fuzz/driver.c - runs a fuzz target without a fuzzer: files given as arguments, else -runs=N random inputs
 *
 * For replaying findings and for a short run in every check (compilers without libFuzzer). Prints TAP. The generator is
 * seeded with 1 or -seed=S: a run can be repeated.
 */
#include <glib.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main(int argc, char **argv)
{
    unsigned long runs = 1000, seed = 1, files = 0;
    uint8_t buf[1024];

    for (int i = 1; i < argc; i++) {
        char *data;
        gsize len;

        if (sscanf(argv[i], "-runs=%lu", &runs) == 1 || sscanf(argv[i], "-seed=%lu", &seed) == 1) {
            continue;
        }
        if (!g_file_get_contents(argv[i], &data, &len, NULL)) {
            fprintf(stderr, "cannot read '%s'\n", argv[i]);
            return 1;
        }
        LLVMFuzzerTestOneInput((const uint8_t *)data, len);
        g_free(data);
        files++;
    }
    g_autoptr(GRand) r = g_rand_new_with_seed((guint32)seed);

    for (unsigned long n = 0; !files && n < runs; n++) {
        size_t len = (size_t)g_rand_int_range(r, 1, sizeof(buf));

        for (size_t i = 0; i < len; i++) {
            buf[i] = (uint8_t)g_rand_int(r);
        }
        LLVMFuzzerTestOneInput(buf, len);
    }
    printf("ok 1 %lu inputs survived\n1..1\n", files ? files : runs);
    return 0;
}
