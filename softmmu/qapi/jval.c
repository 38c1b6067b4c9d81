/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * softmmu/qapi/jval.c - JSON values and their text
 *
 * Why not json-glib: QMP needs input by the byte, single-quoted strings, limits on depth and size, 64-bit integers
 * of either sign and one error a broken message with the parser usable afterwards; json-glib reads whole documents and
 * brings GObject and GIO along. This file and jparse.c are what is left to do.
 *
 * A dict keeps its pairs in an array; from DICT_INDEX pairs on a hash table points into it, so a hostile object with a
 * million keys costs no more than its length.
 */
#include "qapi/jval.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define DICT_INDEX 16

struct container {
    struct jval **items;
    char **keys;            /* dict only */
    unsigned n, cap;
    GHashTable *index;      /* dict only: key -> position + 1; NULL while small */
    bool repeated;          /* list only */
};

struct jval {
    enum jval_type type;
    union {
        bool b;
        int64_t i;
        uint64_t u;
        double d;
        char *s;
        struct container *c;
    };
};

static struct jval *new_val(enum jval_type t)
{
    struct jval *v = g_new0(struct jval, 1);

    v->type = t;
    return v;
}

struct jval *jval_null(void)
{
    return new_val(JVAL_NULL);
}

struct jval *jval_bool(bool b)
{
    struct jval *v = new_val(JVAL_BOOL);

    v->b = b;
    return v;
}

struct jval *jval_int(int64_t i)
{
    struct jval *v = new_val(JVAL_INT);

    v->i = i;
    return v;
}

struct jval *jval_uint(uint64_t u)
{
    struct jval *v;

    if (u <= INT64_MAX) {
        return jval_int((int64_t)u);
    }
    v = new_val(JVAL_UINT);
    v->u = u;
    return v;
}

struct jval *jval_double(double d)
{
    struct jval *v = new_val(JVAL_DOUBLE);

    v->d = d;
    return v;
}

struct jval *jval_str(const char *s)
{
    return jval_str_take(g_strdup(s ? s : ""));
}

struct jval *jval_str_take(char *s)
{
    struct jval *v = new_val(JVAL_STR);

    v->s = s;
    return v;
}

struct jval *jval_list(void)
{
    struct jval *v = new_val(JVAL_LIST);

    v->c = g_new0(struct container, 1);
    return v;
}

struct jval *jval_dict(void)
{
    struct jval *v = new_val(JVAL_DICT);

    v->c = g_new0(struct container, 1);
    return v;
}

static bool is_container(const struct jval *v)
{
    return v->type == JVAL_LIST || v->type == JVAL_DICT;
}

struct jval *jval_copy(const struct jval *v)
{
    struct jval *n;

    if (v->type == JVAL_STR) {
        return jval_str(v->s);
    }
    if (!is_container(v)) {
        n = new_val(v->type);
        *n = *v;
        return n;
    }
    n = v->type == JVAL_LIST ? jval_list() : jval_dict();
    n->c->repeated = v->c->repeated;
    for (unsigned i = 0; i < v->c->n; i++) {
        if (v->type == JVAL_LIST) {
            jval_append(n, jval_copy(v->c->items[i]));
        } else {
            jval_set(n, v->c->keys[i], jval_copy(v->c->items[i]));
        }
    }
    return n;
}

/* Recursion is bounded: the parser stops at JPARSE_MAX_DEPTH, keyval.c at its own limit. */
void jval_free(struct jval *v)
{
    if (!v) {
        return;
    }
    if (v->type == JVAL_STR) {
        g_free(v->s);
    } else if (is_container(v)) {
        for (unsigned i = 0; i < v->c->n; i++) {
            jval_free(v->c->items[i]);
            if (v->c->keys) {
                g_free(v->c->keys[i]);
            }
        }
        g_clear_pointer(&v->c->index, g_hash_table_unref);
        g_free(v->c->items);
        g_free(v->c->keys);
        g_free(v->c);
    }
    g_free(v);
}

enum jval_type jval_type(const struct jval *v)
{
    return v->type;
}

bool jval_bool_of(const struct jval *v)
{
    return v->type == JVAL_BOOL && v->b;
}

bool jval_int_of(const struct jval *v, int64_t *out)
{
    if (v->type == JVAL_INT) {
        *out = v->i;
        return true;
    }
    if (v->type == JVAL_DOUBLE && v->d >= -0x1p63 && v->d < 0x1p63 && v->d == floor(v->d)) {
        *out = (int64_t)v->d;
        return true;
    }
    return false;
}

bool jval_uint_of(const struct jval *v, uint64_t *out)
{
    int64_t i;

    if (v->type == JVAL_UINT) {
        *out = v->u;
        return true;
    }
    if (!jval_int_of(v, &i) || i < 0) {
        return false;
    }
    *out = (uint64_t)i;
    return true;
}

double jval_double_of(const struct jval *v)
{
    switch (v->type) {
    case JVAL_INT:
        return (double)v->i;
    case JVAL_UINT:
        return (double)v->u;
    case JVAL_DOUBLE:
        return v->d;
    default:
        return 0;
    }
}

const char *jval_str_of(const struct jval *v)
{
    return v->type == JVAL_STR ? v->s : "";
}

unsigned jval_len(const struct jval *v)
{
    return is_container(v) ? v->c->n : 0;
}

struct jval *jval_at(const struct jval *v, unsigned i)
{
    return i < jval_len(v) ? v->c->items[i] : NULL;
}

const char *jval_key_at(const struct jval *v, unsigned i)
{
    return v->type == JVAL_DICT && i < v->c->n ? v->c->keys[i] : NULL;
}

static void grow(struct container *c, bool keys)
{
    if (c->n < c->cap) {
        return;
    }
    c->cap = c->cap ? c->cap * 2 : 4;
    c->items = g_renew(struct jval *, c->items, c->cap);
    if (keys) {
        c->keys = g_renew(char *, c->keys, c->cap);
    }
}

void jval_append(struct jval *list, struct jval *v)
{
    grow(list->c, false);
    list->c->items[list->c->n++] = v;
}

static int dict_pos(const struct jval *dict, const char *key)
{
    struct container *c = dict->c;

    if (c->index) {
        return GPOINTER_TO_INT(g_hash_table_lookup(c->index, key)) - 1;
    }
    for (unsigned i = 0; i < c->n; i++) {
        if (!strcmp(c->keys[i], key)) {
            return (int)i;
        }
    }
    return -1;
}

struct jval *jval_get(const struct jval *dict, const char *key)
{
    int pos = dict && dict->type == JVAL_DICT ? dict_pos(dict, key) : -1;

    return pos < 0 ? NULL : dict->c->items[pos];
}

static void dict_index(struct container *c)
{
    c->index = g_hash_table_new(g_str_hash, g_str_equal);
    for (unsigned i = 0; i < c->n; i++) {
        g_hash_table_insert(c->index, c->keys[i], GINT_TO_POINTER((int)i + 1));
    }
}

void jval_set(struct jval *dict, const char *key, struct jval *v)
{
    struct container *c = dict->c;
    int pos = dict_pos(dict, key);

    if (pos >= 0) {
        jval_free(c->items[pos]);
        c->items[pos] = v;
        return;
    }
    grow(c, true);
    c->items[c->n] = v;
    c->keys[c->n++] = g_strdup(key);
    if (c->index) {
        g_hash_table_insert(c->index, c->keys[c->n - 1], GINT_TO_POINTER((int)c->n));
    } else if (c->n == DICT_INDEX) {
        dict_index(c);
    }
}

struct jval *jval_steal(struct jval *dict, const char *key)
{
    struct container *c = dict->c;
    int pos = dict_pos(dict, key);
    struct jval *v;

    if (pos < 0) {
        return NULL;
    }
    v = c->items[pos];
    g_clear_pointer(&c->index, g_hash_table_unref);
    g_free(c->keys[pos]);
    c->n--;
    memmove(c->items + pos, c->items + pos + 1, (c->n - (unsigned)pos) * sizeof(*c->items));
    memmove(c->keys + pos, c->keys + pos + 1, (c->n - (unsigned)pos) * sizeof(*c->keys));
    if (c->n >= DICT_INDEX) {
        dict_index(c);
    }
    return v;
}

void jval_set_str(struct jval *dict, const char *key, const char *s)
{
    jval_set(dict, key, jval_str(s));
}

void jval_set_int(struct jval *dict, const char *key, int64_t i)
{
    jval_set(dict, key, jval_int(i));
}

void jval_set_bool(struct jval *dict, const char *key, bool b)
{
    jval_set(dict, key, jval_bool(b));
}

const char *jval_get_str(const struct jval *dict, const char *key)
{
    struct jval *v = jval_get(dict, key);

    return v && v->type == JVAL_STR ? v->s : NULL;
}

void jval_mark_repeated(struct jval *list)
{
    list->c->repeated = true;
}

bool jval_repeated(const struct jval *v)
{
    return v->type == JVAL_LIST && v->c->repeated;
}

/* ---- text ---- */

static void put_str(GString *out, const char *s)
{
    g_string_append_c(out, '"');
    while (*s) {
        gunichar u = (guchar)*s < 0x80 ? (guchar)*s : g_utf8_get_char_validated(s, -1);

        /* not UTF-8: a replacement character, and on with the next byte */
        if (u == (gunichar)-1 || u == (gunichar)-2) {
            g_string_append(out, "\\uFFFD");
            s++;
            continue;
        }
        switch (u) {
        case '"':
            g_string_append(out, "\\\"");
            break;
        case '\\':
            g_string_append(out, "\\\\");
            break;
        case '\b':
            g_string_append(out, "\\b");
            break;
        case '\f':
            g_string_append(out, "\\f");
            break;
        case '\n':
            g_string_append(out, "\\n");
            break;
        case '\r':
            g_string_append(out, "\\r");
            break;
        case '\t':
            g_string_append(out, "\\t");
            break;
        default:
            if (u >= 0x20 && u < 0x7F) {
                g_string_append_c(out, (char)u);
            } else if (u < 0x10000) {
                g_string_append_printf(out, "\\u%04X", u);
            } else {
                g_string_append_printf(out, "\\u%04X\\u%04X", 0xD7C0 + (u >> 10), 0xDC00 + (u & 0x3FF));
            }
        }
        s = g_utf8_next_char(s);
    }
    g_string_append_c(out, '"');
}

static void put_double(GString *out, double d)
{
    char buf[G_ASCII_DTOSTR_BUF_SIZE];

    if (!isfinite(d)) {
        g_string_append(out, "null");   /* JSON has no word for it */
        return;
    }
    g_string_append(out, d == 0 && signbit(d) ? "-0.0" : g_ascii_dtostr(buf, sizeof(buf), d));
}

static void newline(GString *out, bool pretty, unsigned indent)
{
    if (pretty) {
        g_string_append_c(out, '\n');
        for (unsigned i = 0; i < indent; i++) {
            g_string_append(out, "    ");
        }
    }
}

static void put(GString *out, const struct jval *v, bool pretty, unsigned indent)
{
    bool dict = v->type == JVAL_DICT;

    switch (v->type) {
    case JVAL_NULL:
        g_string_append(out, "null");
        return;
    case JVAL_BOOL:
        g_string_append(out, v->b ? "true" : "false");
        return;
    case JVAL_INT:
        g_string_append_printf(out, "%" G_GINT64_FORMAT, (gint64)v->i);
        return;
    case JVAL_UINT:
        g_string_append_printf(out, "%" G_GUINT64_FORMAT, (guint64)v->u);
        return;
    case JVAL_DOUBLE:
        put_double(out, v->d);
        return;
    case JVAL_STR:
        put_str(out, v->s);
        return;
    case JVAL_LIST:
    case JVAL_DICT:
        break;
    }
    g_string_append_c(out, dict ? '{' : '[');
    for (unsigned i = 0; i < v->c->n; i++) {
        g_string_append(out, i ? (pretty ? "," : ", ") : "");
        newline(out, pretty, indent + 1);
        if (dict) {
            put_str(out, v->c->keys[i]);
            g_string_append(out, ": ");
        }
        put(out, v->c->items[i], pretty, indent + 1);
    }
    if (v->c->n) {
        newline(out, pretty, indent);
    }
    g_string_append_c(out, dict ? '}' : ']');
}

char *jval_to_text(const struct jval *v, bool pretty)
{
    GString *out = g_string_new(NULL);

    put(out, v, pretty, 0);
    return g_string_free(out, FALSE);
}
