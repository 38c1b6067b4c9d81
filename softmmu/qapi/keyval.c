/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * softmmu/qapi/keyval.c - "k=v,k=v" to a tree of strings
 *
 * The tree knows nothing of the schema: what is a list, a number or a switch is decided by qapi_parse(). Only bare
 * words need a mark, since "nowait" may be a switch of its own or wait=off: they are stored as the value SWITCH_ON,
 * which no text can produce, and resolved there.
 */
#include "keyval_internal.h"
#include "qapi/keyval.h"
#include <string.h>

#define MAX_FRAGMENTS 16            /* "a.b.c": deeper keys are an error */
#define MAX_PAIRS     4096

static bool fragment_ok(const char *s, size_t len)
{
    if (!len) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (!g_ascii_isalnum(s[i]) && s[i] != '-' && s[i] != '_') {
            return false;
        }
    }
    return true;
}

/*
 * The dict that holds the last fragment of @key; NULL and *errp when the key is malformed or used as a value
 * elsewhere.
 */
static struct jval *descend(struct jval *tree, const char *key, const char **last, Error **errp)
{
    const char *s = key;

    for (unsigned n = 0; ; n++) {
        size_t len = strcspn(s, ".");
        char *frag;
        struct jval *next;

        if (!fragment_ok(s, len) || n >= MAX_FRAGMENTS) {
            error_setg(errp, "Invalid parameter '%s'", key);
            return NULL;
        }
        if (!s[len]) {
            *last = s;
            return tree;
        }
        frag = g_strndup(s, len);
        next = jval_get(tree, frag);
        if (!next) {
            next = jval_dict();
            jval_set(tree, frag, next);
        } else if (jval_type(next) != JVAL_DICT) {
            error_setg(errp, "Parameters '%s.*' used inconsistently", frag);
            next = NULL;
        }
        g_free(frag);
        if (!next) {
            return NULL;
        }
        tree = next;
        s += len + 1;
    }
}

static bool store(struct jval *tree, const char *key, struct jval *v, Error **errp)
{
    const char *last;
    struct jval *dict = descend(tree, key, &last, errp);
    struct jval *old;

    if (!dict) {
        jval_free(v);
        return false;
    }
    old = jval_get(dict, last);
    if (!old) {
        jval_set(dict, last, v);
    } else if (jval_type(old) == JVAL_DICT) {
        error_setg(errp, "Parameters '%s.*' used inconsistently", last);
        jval_free(v);
        return false;
    } else if (jval_repeated(old)) {
        jval_append(old, v);
    } else {
        struct jval *list = jval_list();

        jval_mark_repeated(list);
        jval_append(list, jval_copy(old));
        jval_append(list, v);
        jval_set(dict, last, list);
    }
    return true;
}

/* Copy up to the next lone ',' ("" is the end), with ",," made ','. */
static char *take_value(const char **s)
{
    GString *v = g_string_new(NULL);

    while (**s) {
        if (**s == ',') {
            if ((*s)[1] != ',') {
                break;
            }
            (*s)++;
        }
        g_string_append_c(v, *(*s)++);
    }
    return g_string_free(v, FALSE);
}

static bool take_pair(struct jval *tree, const char **s, const char *implied, bool *help, Error **errp)
{
    size_t klen = strcspn(*s, "=,");
    char *key = NULL, *val = NULL;
    bool ok = true;

    if ((*s)[klen] == '=') {
        key = g_strndup(*s, klen);
        *s += klen + 1;
        val = take_value(s);
        ok = store(tree, key, jval_str(val), errp);
    } else if (implied) {
        val = take_value(s);
        if (help && (!strcmp(val, "help") || !strcmp(val, "?"))) {
            *help = true;
        } else {
            ok = store(tree, implied, jval_str(val), errp);
        }
    } else {
        key = g_strndup(*s, klen);
        *s += klen;
        if (help && (!strcmp(key, "help") || !strcmp(key, "?"))) {
            *help = true;
        } else {
            ok = store(tree, key, jval_str(KEYVAL_SWITCH_ON), errp);
        }
    }
    g_free(key);
    g_free(val);
    return ok;
}

struct jval *keyval_parse(const char *text, const char *implied, bool *help, Error **errp)
{
    struct jval *tree = jval_dict();
    const char *s = text;
    unsigned n = 0;

    while (*s) {
        if (*s == ',') {
            s++;
            implied = NULL;
            continue;
        }
        if (++n > MAX_PAIRS) {
            error_setg(errp, "too many parameters");
            jval_free(tree);
            return NULL;
        }
        if (!take_pair(tree, &s, implied, help, errp)) {
            jval_free(tree);
            return NULL;
        }
        implied = NULL;
    }
    return tree;
}

bool opts_is_json(const char *text)
{
    return text[0] == '{';
}

struct jval *opts_tree(const char *text, const char *implied, enum qapi_mode *mode, bool *help, Error **errp)
{
    struct jval *v;

    if (!opts_is_json(text)) {
        *mode = QAPI_KEYVAL;
        return keyval_parse(text, implied, help, errp);
    }
    *mode = QAPI_JSON;
    v = jval_parse(text, errp);
    if (v && jval_type(v) != JVAL_DICT) {
        error_setg(errp, "JSON object expected");
        g_clear_pointer(&v, jval_free);
    }
    return v;
}

void *opts_parse(const struct qapi_type *t, const char *text, const char *implied, Error **errp)
{
    enum qapi_mode mode;
    struct jval *v = opts_tree(text, implied, &mode, NULL, errp);
    void *obj = v ? qapi_parse(t, v, mode, errp) : NULL;

    jval_free(v);
    return obj;
}
