/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/test-json.c - the JSON parser that reads from hostile clients: values, errors, recovery, limits; and
 * the printer
 */
#include "qapi/jval.h"
#include <string.h>

struct log {
    GString *s;         /* values as JSON and errors as "!text", one a line */
};

static void note(void *opaque, struct jval *v, const char *error)
{
    struct log *l = opaque;

    if (error) {
        g_string_append_printf(l->s, "!%s\n", error);
        g_assert_null(v);
    } else {
        char *t = jval_to_text(v, false);

        g_string_append_printf(l->s, "%s\n", t);
        g_free(t);
        jval_free(v);
    }
}

/* What comes out of @text, fed in pieces of @step bytes. */
static char *feed(const char *text, size_t len, size_t step)
{
    struct log l = { g_string_new(NULL) };
    struct jparser *p = jparser_new(note, &l);

    for (size_t i = 0; i < len; i += step) {
        jparser_feed(p, text + i, MIN(step, len - i));
    }
    jparser_end(p);
    jparser_free(p);
    return g_string_free(l.s, FALSE);
}

#define E "!JSON parse error, "

static void test_stream(void)
{
    static const struct {
        const char *in, *out;
    } t[] = {
        { "{}", "{}\n" },
        { " [ ] ", "[]\n" },
        { "{\"a\":1}{\"b\":[true,false,null]}", "{\"a\": 1}\n{\"b\": [true, false, null]}\n" },
        { "{'a': 'it\\'s \"x\"'}", "{\"a\": \"it's \\\"x\\\"\"}\n" },
        { "1 -2 3.5 1e2", "1\n-2\n3.5\n100\n" },
        { "9223372036854775807 18446744073709551615 -9223372036854775808",
          "9223372036854775807\n18446744073709551615\n-9223372036854775808\n" },
        { "18446744073709551616 ", "1.8446744073709552e+19\n" },
        { "\"\\u00e9\\ud83d\\ude00\\n\"", "\"\\u00E9\\uD83D\\uDE00\\n\"\n" },
        { "{\"a\":{\"b\":{\"c\":[[[1]]]}}}", "{\"a\": {\"b\": {\"c\": [[[1]]]}}}\n" },
        /* one error for a broken message, and the next one is understood */
        { "{\"a\" 1}{}", E "missing : in object pair\n{}\n" },
        { "{\"a\":1 \"b\":2}{}", E "expected separator in dict\n{}\n" },
        { "[1 2 [3] {}][]", E "expected separator in list\n[]\n" },
        { "{1:2}{}", E "key is not a string in object\n{}\n" },
        { "{\"a\":}{}", E "expecting value\n{}\n" },
        { "{\"a\":1,}{}", E "key is not a string in object\n{}\n" },
        { "[,]{}", E "expecting value\n{}\n" },
        { "{\"a\":1,\"a\":2}{}", E "duplicate key\n{}\n" },
        { "{ xyz }{}", E "invalid keyword 'xyz'\n{}\n" },
        { "[ } {}", E "unexpected '}'\n{}\n" },
        { "} {}", E "unexpected '}'\n{}\n" },
        { ", {}", E "expecting value\n{}\n" },
        { "{\"a\": 01}\n{}", E "invalid number\n{}\n" },
        { "-\n{}", E "invalid number\n{}\n" },
        { "{'\\q'}\n{}", E "invalid escape sequence in string\n{}\n" },
        { "'\\u00g0'\n{}", E "invalid hex escape in string\n{}\n" },
        { "'\\u0000'\n{}", E "invalid hex escape in string\n{}\n" },
        { "'\\ud800x'\n{}", E "invalid surrogate in string\n{}\n" },
        { "'a\001{}", E "control character in string\n{}\n" },
        { "'abc\xff{}", E "invalid UTF-8 sequence in string\n{}\n" },
        { "\xff\xff\xff{}", E "stray character\n{}\n" },
        { "{\"a\": [1, \xff {}", E "stray character\n{}\n" },
        { "'\xc3('\n{}", E "invalid UTF-8 sequence in string\n{}\n" },
        { "{\"a\":", E "premature end of input\n" },
        { "'abc", E "premature end of input\n" },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(t); i++) {
        for (size_t step = 1; step <= 64; step *= 4) {
            char *out = feed(t[i].in, strlen(t[i].in), step);

            g_assert_cmpstr(out, ==, t[i].out);
            g_free(out);
        }
    }
}

static void test_position(void)
{
    static const struct {
        const char *in, *err;
    } t[] = {
        { "{\"type\":\"user\"", "1:15: JSON parse error, premature end of input" },
        { "{\n  \"a\": oops }", "2:8: JSON parse error, invalid keyword 'oops'" },
        { "", "1:1: JSON parse error, expecting value" },
        { "{} {}", "1:5: JSON parse error, trailing characters" },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(t); i++) {
        Error *err = NULL;

        g_assert_null(jval_parse(t[i].in, &err));
        if (i != 1 && i != 3) {
            g_assert_cmpstr(error_text(err), ==, t[i].err);
        } else {
            g_assert_nonnull(strstr(error_text(err), strchr(t[i].err, ' ')));
        }
        error_free(err);
    }
}

static void count(void *opaque, struct jval *v, const char *error)
{
    unsigned *n = opaque;

    n[error ? 1 : 0]++;
    jval_free(v);
}

static void test_limits(void)
{
    unsigned n[2] = { 0 };
    struct jparser *p = jparser_new(count, n);
    char *deep = g_strnfill(1 << 20, '[');
    GString *ok = g_string_new(NULL);
    gint64 t0 = g_get_monotonic_time();

    /* a megabyte of '[' is one error, at once, and cheap */
    jparser_feed(p, deep, 1 << 20);
    g_assert_cmpuint(n[1], ==, 1);
    g_assert_cmpint(g_get_monotonic_time() - t0, <, 1000000);
    jparser_feed(p, "\n{}", 3);
    g_assert_cmpuint(n[0], ==, 1);
    /* depth 1024 is fine, 1025 is not */
    for (unsigned i = 0; i < JPARSE_MAX_DEPTH; i++) {
        g_string_prepend_c(ok, '[');
        g_string_append_c(ok, ']');
    }
    jparser_feed(p, ok->str, ok->len);
    g_assert_cmpuint(n[0], ==, 2);
    jparser_feed(p, "[", 1);
    jparser_feed(p, ok->str, ok->len);
    g_assert_cmpuint(n[0], ==, 2);
    g_assert_cmpuint(n[1], ==, 2);
    jparser_feed(p, "\n", 1);
    /* tokens */
    jparser_feed(p, "[0", 2);
    for (unsigned i = 0; i < JPARSE_MAX_TOKENS && n[1] == 2; i++) {
        jparser_feed(p, ",1", 2);
    }
    g_assert_cmpuint(n[1], ==, 3);
    jparser_feed(p, "\n{}", 3);
    g_assert_cmpuint(n[0], ==, 3);
    g_free(deep);
    g_string_free(ok, TRUE);
    jparser_free(p);
}

static void test_long_string(void)
{
    unsigned n[2] = { 0 };
    struct jparser *p = jparser_new(count, n);
    char *chunk = g_strnfill(1 << 20, 'x');

    jparser_feed(p, "\"", 1);
    for (unsigned i = 0; i < 65; i++) {
        jparser_feed(p, chunk, 1 << 20);
    }
    g_assert_cmpuint(n[1], ==, 1);
    jparser_feed(p, "\n{}", 3);
    g_assert_cmpuint(n[0], ==, 1);
    jparser_free(p);
    g_free(chunk);
}

static void test_big_dict(void)
{
    struct jval *d = jval_dict(), *c;
    char key[16];

    for (int i = 0; i < 20000; i++) {
        g_snprintf(key, sizeof(key), "k%d", i);
        jval_set_int(d, key, i);
    }
    jval_set_int(d, "k77", 5);
    g_assert_cmpuint(jval_len(d), ==, 20000);
    jval_free(jval_steal(d, "k78"));
    g_assert_null(jval_get(d, "k78"));
    c = jval_copy(d);
    for (int i = 0; i < 20000; i++) {
        int64_t v = -1;

        g_snprintf(key, sizeof(key), "k%d", i);
        if (i == 78) {
            continue;
        }
        g_assert_true(jval_int_of(jval_get(c, key), &v));
        g_assert_cmpint(v, ==, i == 77 ? 5 : i);
    }
    jval_free(c);
    jval_free(d);
}

static void test_print(void)
{
    struct jval *v = jval_parse("{\"a\":[1,{\"b\":\"\\t\"}],\"c\":{},\"d\":[]}", NULL);
    char *t = jval_to_text(v, true);

    g_assert_cmpstr(t, ==,
            "{\n    \"a\": [\n        1,\n        {\n            \"b\": \"\\t\"\n        }\n    ],\n    \"c\": {},\n    \"d\": []\n}");
    g_free(t);
    jval_free(v);
    v = jval_str("bad \xff utf8");
    t = jval_to_text(v, false);
    g_assert_cmpstr(t, ==, "\"bad \\uFFFD utf8\"");
    g_free(t);
    jval_free(v);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/json/stream", test_stream);
    g_test_add_func("/json/position", test_position);
    g_test_add_func("/json/limits", test_limits);
    g_test_add_func("/json/long-string", test_long_string);
    g_test_add_func("/json/big-dict", test_big_dict);
    g_test_add_func("/json/print", test_print);
    return g_test_run();
}
