/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/fuzz/fuzz-options.c - hostile command lines: parsed and cleared again, nothing is opened
 *
 * Input: words separated by newlines; a byte below 0x60 at the start of a word chooses an option by number. Either
 * the parser is content or it says why, naming the option; and it never crashes, leaks or runs on.
 */
#include "cli/options.h"
#include "qapi/schema.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_WORDS 16

static unsigned option_count(void)
{
    unsigned n = 0;

    while (qapi_options[n].name) {
        n++;
    }
    return n;
}

static char *word(const uint8_t *p, size_t len)
{
    GString *s = g_string_new(NULL);
    size_t i = 0;

    if (len && p[0] < 0x60) {
        /* not -help, not -version */
        g_string_append_printf(s, "-%s", qapi_options[p[0] * 2u % (option_count() - 2) + 2].name);
        i = len;        /* an option is a word of its own */
    }
    for (; i < len; i++) {
        g_string_append_c(s, (char)(p[i] ? p[i] : '?'));
    }
    return g_string_free(s, FALSE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *argv[MAX_WORDS + 2] = { (char *)"fuzz" };
    int argc = 1;
    struct vm_options o;
    Error *err = NULL;

    while (size && argc <= MAX_WORDS) {
        const uint8_t *nl = memchr(data, '\n', size);
        size_t len = nl ? (size_t)(nl - data) : size;

        argv[argc++] = word(data, len);
        data += len + (nl != NULL);
        size -= len + (nl != NULL);
    }
    if (!cli_parse(argc, argv, &o, &err)) {
        if (!err || !*error_text(err)) {
            abort();
        }
        error_free(err);
    }
    vm_options_clear(&o);
    for (int i = 1; i < argc; i++) {
        g_free(argv[i]);
    }
    return 0;
}
