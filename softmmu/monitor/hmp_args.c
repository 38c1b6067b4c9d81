/* SPDX-License-Identifier: BSD-2-Clause */
/* softmmu/monitor/hmp_args.c - the words behind a command, by its description in the table (hmp.h), and expressions */
#include "board.h"
#include "hmp.h"
#include "lib/strparse.h"
#include <errno.h>
#include <string.h>

#define MAX_NESTING 16

/*
 * ---- expressions:  sum = prod (+|-|&|||^ prod)*   prod = unary (*|/|% unary)*   unary = [-+~] unary | ( sum ) |
 * $reg | number ----
 */

struct expr {
    struct hmp *h;
    const char *s;
    unsigned depth;
    Error **errp;
};

static bool sum(struct expr *e, uint64_t *v);

static void blanks(struct expr *e)
{
    while (g_ascii_isspace(*e->s)) {
        e->s++;
    }
}

static bool reg(struct expr *e, uint64_t *v)
{
    size_t len = 0;
    char *name;
    bool ok;

    e->s++;
    while (g_ascii_isalnum(e->s[len]) || e->s[len] == '_') {
        len++;
    }
    name = g_strndup(e->s, len);
    e->s += len;
    ok = board_reg(e->h->cpu, name, v);
    if (!ok) {
        error_setg(e->errp, "unknown register");
    }
    g_free(name);
    return ok;
}

static bool unary(struct expr *e, uint64_t *v)
{
    char *end;
    bool ok;

    blanks(e);
    if (++e->depth > MAX_NESTING) {
        error_setg(e->errp, "expression too complex");
        return false;
    }
    switch (*e->s) {
    case '+': case '-': case '~': {
        char op = *e->s++;

        ok = unary(e, v);
        *v = op == '-' ? -*v : op == '~' ? ~*v : *v;
        break;
    }
    case '(':
        e->s++;
        ok = sum(e, v);
        if (ok && *e->s != ')') {
            error_setg(e->errp, "')' expected");
            ok = false;
        }
        e->s += ok;
        break;
    case '$':
        ok = reg(e, v);
        break;
    default:
        errno = 0;
        *v = g_ascii_strtoull(e->s, &end, 0);
        ok = end != e->s && !errno && g_ascii_isdigit(*e->s);
        if (!ok) {
            error_setg(e->errp, errno == ERANGE ? "number too large" : "invalid char '%c' in expression", *e->s ?
                       *e->s : ' ');
        }
        e->s = end;
    }
    e->depth--;
    blanks(e);
    return ok;
}

static bool prod(struct expr *e, uint64_t *v)
{
    uint64_t w;

    if (!unary(e, v)) {
        return false;
    }
    while (*e->s == '*' || *e->s == '/' || *e->s == '%') {
        char op = *e->s++;

        if (!unary(e, &w)) {
            return false;
        }
        if (op != '*' && !w) {
            error_setg(e->errp, "division by zero");
            return false;
        }
        *v = op == '*' ? *v * w : op == '/' ? *v / w : *v % w;
    }
    return true;
}

static bool sum(struct expr *e, uint64_t *v)
{
    uint64_t w;

    if (!prod(e, v)) {
        return false;
    }
    while (*e->s && strchr("+-&|^", *e->s)) {
        char op = *e->s++;

        if (!prod(e, &w)) {
            return false;
        }
        *v = op == '+' ? *v + w : op == '-' ? *v - w : op == '&' ? (*v & w) : op == '|' ? (*v | w) : (*v ^ w);
    }
    return true;
}

bool hmp_expr(struct hmp *h, const char *text, const char **end, uint64_t *val, Error **errp)
{
    struct expr e = { h, text, 0, errp };

    if (!sum(&e, val)) {
        return false;
    }
    *end = e.s;
    return true;
}

/* ---- words ---- */

static const char *skip_blanks(const char *s)
{
    while (g_ascii_isspace(*s)) {
        s++;
    }
    return s;
}

/* A word, or "..." with \n \r \\ \" \' inside; NULL: quote not closed */
static char *take_word(const char **s)
{
    GString *w = g_string_new(NULL);
    const char *p = *s;

    if (*p != '"') {
        while (*p && !g_ascii_isspace(*p)) {
            g_string_append_c(w, *p++);
        }
    } else {
        for (p++; *p && *p != '"'; p++) {
            if (*p == '\\' && p[1]) {
                p++;
                g_string_append_c(w, *p == 'n' ? '\n' : *p == 'r' ? '\r' : *p);
            } else {
                g_string_append_c(w, *p);
            }
        }
        if (*p++ != '"') {
            g_string_free(w, TRUE);
            return NULL;
        }
    }
    *s = p;
    return g_string_free(w, FALSE);
}

/* "/20xw": count, format and size, each optional */
static bool take_format(const char **s, struct jval *out, Error **errp)
{
    const char *p = *s;
    gint64 count = 1;

    if (*p == '/') {
        p++;
        if (g_ascii_isdigit(*p)) {
            char *end;

            count = g_ascii_strtoll(p, &end, 10);
            p = end;
        }
        for (; *p && !g_ascii_isspace(*p); p++) {
            char text[2] = { *p, 0 };

            if (strchr("xduoicos", *p)) {
                jval_set_str(out, "format", text);
            } else if (strchr("bhwgL", *p)) {
                jval_set_int(out, "size", *p == 'b' ? 1 : *p == 'h' ? 2 : *p == 'w' ? 4 : 8);
            } else {
                error_setg(errp, "invalid char in format: '%c'", *p);
                return false;
            }
        }
    }
    if (count < 0 || count > 1 << 20) {
        error_setg(errp, "count too large");
        return false;
    }
    jval_set_int(out, "count", count);
    *s = p;
    return true;
}

static bool take_arg(struct hmp *h, char kind, const char *name, const char *cmd, const char **s, struct jval *out,
                     Error **errp)
{
    uint64_t v;
    bool on;
    char *w;

    switch (kind) {
    case 'S': case 'o':
        jval_set(out, name, jval_str_take(g_strchomp(g_strdup(*s))));
        *s += strlen(*s);
        return true;
    case 'l':
        if (!hmp_expr(h, *s, s, &v, errp)) {
            return false;
        }
        jval_set(out, name, jval_uint(v));
        return true;
    default:
        break;
    }
    w = take_word(s);
    if (!w) {
        error_setg(errp, "unterminated string literal");
        return false;
    }
    if (kind == 'b') {
        if (!parse_bool(w, &on) || (strcmp(w, "on") && strcmp(w, "off"))) {
            error_setg(errp, "Expected 'on' or 'off'");
            g_free(w);
            return false;
        }
        jval_set_bool(out, name, on);
    } else if (kind == 'i') {
        if (!parse_u64(w, INT64_MAX, &v)) {
            error_setg(errp, "integer expected");
            g_free(w);
            return false;
        }
        jval_set(out, name, jval_uint(v));
    } else {
        jval_set_str(out, name, w);
    }
    g_free(w);
    return true;
}

static void missing(char kind, const char *cmd, Error **errp)
{
    if (kind == 'b') {
        error_setg(errp, "Expected 'on' or 'off'");
    } else {
        error_setg(errp, "%s: %s expected", cmd, kind == 'i' || kind == 'l' ? "integer" : "string");
    }
}

/* One "name:kind?" of the description. */
static bool one_arg(struct hmp *h, const char *item, const char *cmd, const char **s, struct jval *out, Error **errp)
{
    const char *colon = strchr(item, ':');
    char *name = g_strndup(item, (gsize)(colon - item));
    char kind = colon[1];
    bool ok = true;

    *s = skip_blanks(*s);
    if (kind == '-') {
        if ((*s)[0] == '-' && (*s)[1] == colon[2] && (!(*s)[2] || g_ascii_isspace((*s)[2]))) {
            jval_set_bool(out, name, true);
            *s += 2;
        }
    } else if (kind == 'f') {
        ok = take_format(s, out, errp);
    } else if (!**s) {
        if (colon[2] != '?') {
            missing(kind, cmd, errp);
            ok = false;
        }
    } else {
        ok = take_arg(h, kind, name, cmd, s, out, errp);
    }
    g_free(name);
    return ok;
}

struct jval *hmp_args_parse(struct hmp *h, const char *spec, const char *cmd, const char *text, Error **errp)
{
    struct jval *out = jval_dict();
    char **items = g_strsplit(spec, ",", -1);
    bool ok = true;

    for (unsigned i = 0; ok && items[i]; i++) {
        ok = one_arg(h, items[i], cmd, &text, out, errp);
    }
    g_strfreev(items);
    if (ok && *skip_blanks(text)) {
        error_setg(errp, "%s: extraneous characters at the end of line", cmd);
        ok = false;
    }
    if (!ok) {
        g_clear_pointer(&out, jval_free);
    }
    return out;
}
