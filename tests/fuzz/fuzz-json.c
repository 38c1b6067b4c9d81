/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/fuzz/fuzz-json.c - hostile QMP bytes
 *
 * The bytes go through the parser at once and one by one: both must report the same values and errors. A value that
 * was accepted prints to text that parses to the same text. After 0xFF and a newline the parser understands a fresh
 * message.
 */
#include "qapi/jval.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void promise(bool kept)
{
    if (!kept) {
        abort();
    }
}

static void note(void *opaque, struct jval *v, const char *error)
{
    GString *log = opaque;

    promise(!v == !!error);
    if (v) {
        char *text = jval_to_text(v, false), *again;
        struct jval *copy = jval_parse(text, NULL);

        promise(copy != NULL);
        again = jval_to_text(copy, false);
        promise(!strcmp(text, again));
        g_string_append(log, text);
        jval_free(copy);
        g_free(again);
        g_free(text);
    } else {
        g_string_append(log, error);
    }
    g_string_append_c(log, '\n');
    jval_free(v);
}

/* Make random bytes look like JSON more often than they do. */
static uint8_t spice(uint8_t b)
{
    static const char common[] = "{}[]:,\"'\\ \n0123456789-+.eEtruefalsn\"\"{}[],,::uabc";

    return b < 0xE0 ? (uint8_t)common[b % (sizeof(common) - 1)] : b;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    GString *a = g_string_new(NULL), *b = g_string_new(NULL);
    uint8_t *buf = g_malloc(size + 1);
    struct jparser *p;
    bool spicy = size && data[0] & 1;

    for (size_t i = 0; i < size; i++) {
        buf[i] = spicy ? spice(data[i]) : data[i];
    }
    p = jparser_new(note, a);
    jparser_feed(p, buf, size);
    jparser_feed(p, "\xff\n", 2);
    g_string_truncate(a, a->len);
    jparser_feed(p, "{\"ok\":1}", 8);
    promise(g_str_has_suffix(a->str, "{\"ok\": 1}\n"));
    jparser_free(p);
    p = jparser_new(note, b);
    for (size_t i = 0; i < size; i++) {
        jparser_feed(p, buf + i, 1);
    }
    jparser_feed(p, "\xff\n{\"ok\":1}", 10);
    promise(!strcmp(a->str, b->str));
    jparser_free(p);
    g_string_free(a, TRUE);
    g_string_free(b, TRUE);
    g_free(buf);
    return 0;
}
