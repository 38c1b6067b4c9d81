/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/fuzz/fuzz-keyval.c - hostile option strings into every option type of the schema
 *
 * Either a struct comes out, and then its JSON form is accepted again and gives the same JSON; or an error with a text.
 */
#include "qapi/keyval.h"
#include "qapi/schema.h"
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void promise(bool kept)
{
    if (!kept) {
        abort();
    }
}

/* Words of the schema itself, so that random bytes get past the first key. */
static void append_word(GString *s, uint8_t b)
{
    static const char *const words[] = { "user", "id=", "a", ",", "=", "hostfwd=", "on", "off", "restrict=", "net=",
                                         "hubid=", "1",
                                         ".", "0", "str", "socket", "path=", "server", "nowait", "type=", "no",
                                             "size=", "-", "{", "}",
                                         "\"", ":", "[", "]", "hubport", "backend=", "mux", ",,",
                                             "99999999999999999999", "~/" };

    if (b < 0xC0) {
        g_string_append(s, words[b % G_N_ELEMENTS(words)]);
    } else {
        g_string_append_c(s, (char)(b & 0x7F ? b & 0x7F : 1));
    }
}

static void one(const struct qapi_type *t, const char *implied, const char *text)
{
    Error *err = NULL;
    void *obj = opts_parse(t, text, implied, &err), *again;
    struct jval *v, *w;
    char *a, *b;

    promise(!obj == !!err);
    if (!obj) {
        promise(error_text(err)[0] != '\0');
        error_free(err);
        return;
    }
    v = qapi_to_jval(t, obj);
    again = qapi_parse(t, v, QAPI_JSON, &err);
    promise(again != NULL);
    w = qapi_to_jval(t, again);
    a = jval_to_text(v, false);
    b = jval_to_text(w, false);
    promise(!strcmp(a, b));
    g_free(a);
    g_free(b);
    jval_free(v);
    jval_free(w);
    qapi_free(t, obj);
    qapi_free(t, again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    GString *s = g_string_new(NULL);
    bool words = size && data[0] & 1;

    for (size_t i = 1; i < size; i++) {
        if (words) {
            append_word(s, data[i]);
        } else if (data[i]) {
            g_string_append_c(s, (char)data[i]);
        }
    }
    for (const struct qapi_option *q = qapi_options; q->name; q++) {
        if (q->type) {
            one(q->type, q->implied, s->str);
        }
    }
    g_string_free(s, TRUE);
    return 0;
}
