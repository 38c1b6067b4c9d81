/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * softmmu/qapi/jparse.c - JSON by the byte (RFC 8259, and strings in single quotes)
 *
 * Two machines: a lexer that keeps at most one token, and a parser with an explicit stack of open lists and objects, so
 * input depth costs no C stack. Whoever writes the input is hostile: depth, bytes and tokens of a value are bounded.
 *
 * Recovery. A client must get exactly one error for one broken message and be understood again at once:
 *   - a token in the wrong place: the tree built so far goes, brackets are still counted, the error is reported when
 *     they balance (or at once when they cannot: "[ }");
 *   - a byte that starts no token, or a broken string or limit: reported at once, then input is skipped up to a blank,
 *     a control character or a '{', whichever comes first. So 0xFF resets the parser whatever its state.
 */
#include "qapi/jval.h"
#include <errno.h>
#include <string.h>

enum lex { LEX_START, LEX_STRING, LEX_ESCAPE, LEX_HEX, LEX_NUMBER, LEX_WORD, LEX_SKIP };
enum want { WANT_VALUE, WANT_VALUE_OR_END, WANT_KEY, WANT_KEY_OR_END, WANT_COLON, WANT_COMMA_OR_END };

struct frame {
    bool dict;
    enum want want;
    char *key;
    struct jval *v;             /* NULL once the message is known to be broken */
};

struct jparser {
    jparser_fn *fn;
    void *opaque;
    enum lex lex;
    char quote;
    unsigned hex_left;
    uint32_t hex, surrogate;    /* surrogate: a high half that waits for its low half, 0: none */
    GString *token;
    GArray *stack;              /* of struct frame */
    char *error;                /* the message is broken: why; brackets are still counted */
    size_t bytes;
    unsigned tokens;
    unsigned line, col;         /* of the next byte */
    unsigned tok_line, tok_col; /* where the token, then the report, is */
};

struct jparser *jparser_new(jparser_fn *fn, void *opaque)
{
    struct jparser *p = g_new0(struct jparser, 1);

    p->fn = fn;
    p->opaque = opaque;
    p->token = g_string_new(NULL);
    p->stack = g_array_new(FALSE, TRUE, sizeof(struct frame));
    p->line = p->col = p->tok_line = p->tok_col = 1;
    return p;
}

static struct frame *top(struct jparser *p)
{
    return p->stack->len ? &g_array_index(p->stack, struct frame, p->stack->len - 1) : NULL;
}

/* Values live in the bottom frame's tree; the others are borrowed from it. */
static void drop_tree(struct jparser *p)
{
    for (unsigned i = 0; i < p->stack->len; i++) {
        struct frame *f = &g_array_index(p->stack, struct frame, i);

        if (i == 0) {
            jval_free(f->v);
        }
        f->v = NULL;
        g_clear_pointer(&f->key, g_free);
    }
}

static void reset(struct jparser *p)
{
    drop_tree(p);
    g_array_set_size(p->stack, 0);
    g_clear_pointer(&p->error, g_free);
    g_string_set_size(p->token, 0);
    p->bytes = p->tokens = 0;
    p->surrogate = 0;
    p->lex = LEX_START;
}

void jparser_free(struct jparser *p)
{
    if (p) {
        reset(p);
        g_array_free(p->stack, TRUE);
        g_string_free(p->token, TRUE);
        g_free(p);
    }
}

void jparser_pos(const struct jparser *p, unsigned *line, unsigned *col)
{
    *line = p->tok_line;
    *col = p->tok_col;
}

/* Report and forget the message; @why is a constant or p->error. */
static void report(struct jparser *p, const char *why)
{
    char *text = g_strdup_printf("JSON parse error, %s", why);

    reset(p);
    p->fn(p->opaque, NULL, text);
    g_free(text);
}

static void lexical_error(struct jparser *p, const char *why)
{
    p->tok_line = p->line;
    p->tok_col = p->col;
    report(p, p->error ? p->error : why);
    p->lex = LEX_SKIP;
}

/* A limit: its text has no "JSON parse error" in front. */
static void limit_error(struct jparser *p, const char *why)
{
    reset(p);
    p->fn(p->opaque, NULL, why);
    p->lex = LEX_SKIP;
}

static void syntax_error(struct jparser *p, const char *why)
{
    if (p->error) {
        return;
    }
    if (!p->stack->len) {
        report(p, why);
        return;
    }
    p->error = g_strdup(why);
    drop_tree(p);
}

static void emit(struct jparser *p, struct jval *v)
{
    reset(p);
    p->fn(p->opaque, v, NULL);
}

static bool count_token(struct jparser *p, size_t bytes)
{
    p->bytes += bytes;
    if (++p->tokens > JPARSE_MAX_TOKENS) {
        limit_error(p, "JSON token count limit exceeded");
        return false;
    }
    if (p->bytes > JPARSE_MAX_BYTES) {
        limit_error(p, "JSON token size limit exceeded");
        return false;
    }
    return true;
}

/* Put a value where one is wanted; false: nothing wants one (v is freed). */
static bool place(struct jparser *p, struct jval *v)
{
    struct frame *f = top(p);

    if (f->want != WANT_VALUE && f->want != WANT_VALUE_OR_END) {
        jval_free(v);
        syntax_error(p, f->want == WANT_COLON ? "missing : in object pair" :
                        f->want == WANT_COMMA_OR_END ? (f->dict ? "expected separator in dict" :
                                                        "expected separator in list") :
                        "key is not a string in object");
        return false;
    }
    if (f->dict) {
        jval_set(f->v, f->key, v);
        g_clear_pointer(&f->key, g_free);
    } else {
        jval_append(f->v, v);
    }
    f->want = WANT_COMMA_OR_END;
    return true;
}

static void on_value(struct jparser *p, struct jval *v)
{
    if (!count_token(p, p->token->len)) {
        jval_free(v);
    } else if (p->error) {
        jval_free(v);
    } else if (!p->stack->len) {
        emit(p, v);
    } else {
        place(p, v);
    }
}

static void on_string(struct jparser *p)
{
    struct frame *f = top(p);

    if (!g_utf8_validate(p->token->str, (gssize)p->token->len, NULL)) {
        lexical_error(p, "invalid UTF-8 sequence in string");
        return;
    }
    if (!p->error && f && (f->want == WANT_KEY || f->want == WANT_KEY_OR_END)) {
        if (!count_token(p, p->token->len)) {
            return;
        }
        if (jval_get(f->v, p->token->str)) {
            syntax_error(p, "duplicate key");
            return;
        }
        f->key = g_strndup(p->token->str, p->token->len);
        f->want = WANT_COLON;
        return;
    }
    on_value(p, jval_str(p->token->str));
}

static void on_open(struct jparser *p, char c)
{
    struct frame nf = { .dict = c == '{', .want = c == '{' ? WANT_KEY_OR_END : WANT_VALUE_OR_END };

    if (!count_token(p, 1)) {
        return;
    }
    if (p->stack->len >= JPARSE_MAX_DEPTH) {
        limit_error(p, "JSON nesting depth limit exceeded");
        return;
    }
    if (!p->error) {
        struct jval *v = nf.dict ? jval_dict() : jval_list();

        if (!p->stack->len || place(p, v)) {
            nf.v = v;
        }
    }
    g_array_append_val(p->stack, nf);
}

static void on_close(struct jparser *p, char c)
{
    struct frame *f = top(p);
    struct jval *v;

    if (!count_token(p, 1)) {
        return;
    }
    if (!f || f->dict != (c == '}')) {
        /* cannot balance any more */
        if (!p->error) {
            p->error = g_strdup_printf("unexpected '%c'", c);
        }
        report(p, p->error);
        return;
    }
    if (!p->error && f->want != WANT_COMMA_OR_END && f->want != WANT_KEY_OR_END && f->want != WANT_VALUE_OR_END) {
        syntax_error(p, f->want == WANT_COLON ? "missing : in object pair" : f->want == WANT_VALUE ? "expecting value" :
                        "key is not a string in object");
    }
    v = f->v;
    g_clear_pointer(&f->key, g_free);
    if (p->stack->len > 1) {
        g_array_set_size(p->stack, p->stack->len - 1);
        return;
    }
    if (p->error) {
        report(p, p->error);
        return;
    }
    f->v = NULL;
    emit(p, v);
}

static void on_punct(struct jparser *p, char c)
{
    struct frame *f = top(p);

    if (!count_token(p, 1) || p->error) {
        return;
    }
    if (f && c == ':' && f->want == WANT_COLON) {
        f->want = WANT_VALUE;
    } else if (f && c == ',' && f->want == WANT_COMMA_OR_END) {
        f->want = f->dict ? WANT_KEY : WANT_VALUE;
    } else if (f && f->want == WANT_COLON) {
        syntax_error(p, "missing : in object pair");
    } else {
        syntax_error(p, "expecting value");
    }
}

/* RFC 8259 section 6: -? (0 | [1-9][0-9]*) (. [0-9]+)? ([eE] [+-]? [0-9]+)? */
static bool number_wellformed(const char *s, bool *integral)
{
    s += *s == '-';
    if (!g_ascii_isdigit(*s) || (*s == '0' && g_ascii_isdigit(s[1]))) {
        return false;
    }
    while (g_ascii_isdigit(*s)) {
        s++;
    }
    *integral = *s == '\0';
    if (*s == '.') {
        if (!g_ascii_isdigit(*++s)) {
            return false;
        }
        while (g_ascii_isdigit(*s)) {
            s++;
        }
    }
    if (*s == 'e' || *s == 'E') {
        s++;
        s += *s == '+' || *s == '-';
        if (!g_ascii_isdigit(*s)) {
            return false;
        }
        while (g_ascii_isdigit(*s)) {
            s++;
        }
    }
    return *s == '\0';
}

static void on_number(struct jparser *p)
{
    const char *s = p->token->str;
    bool integral;

    if (!number_wellformed(s, &integral)) {
        lexical_error(p, "invalid number");
        return;
    }
    if (integral) {
        gint64 i;
        guint64 u;

        errno = 0;
        i = g_ascii_strtoll(s, NULL, 10);
        if (!errno) {
            on_value(p, jval_int(i));
            return;
        }
        errno = 0;
        u = g_ascii_strtoull(s, NULL, 10);
        if (*s != '-' && !errno) {
            on_value(p, jval_uint(u));
            return;
        }
    }
    on_value(p, jval_double(g_ascii_strtod(s, NULL)));
}

static void on_word(struct jparser *p)
{
    const char *s = p->token->str;

    if (!strcmp(s, "true") || !strcmp(s, "false")) {
        on_value(p, jval_bool(*s == 't'));
    } else if (!strcmp(s, "null")) {
        on_value(p, jval_null());
    } else {
        char *why = g_strdup_printf("invalid keyword '%.40s'", s);

        if (count_token(p, p->token->len)) {
            syntax_error(p, why);
        }
        g_free(why);
    }
}

static void finish_token(struct jparser *p)
{
    enum lex l = p->lex;

    p->lex = LEX_START;
    if (l == LEX_NUMBER) {
        on_number(p);
    } else {
        on_word(p);
    }
    g_string_set_size(p->token, 0);
}

static void lex_start(struct jparser *p, char c)
{
    p->tok_line = p->line;
    p->tok_col = p->col;
    g_string_set_size(p->token, 0);
    switch (c) {
    case ' ': case '\t': case '\r': case '\n':
        return;
    case '{': case '[':
        on_open(p, c);
        return;
    case '}': case ']':
        on_close(p, c);
        return;
    case ':': case ',':
        on_punct(p, c);
        return;
    case '"': case '\'':
        p->quote = c;
        p->surrogate = 0;
        p->lex = LEX_STRING;
        return;
    default:
        if (g_ascii_isdigit(c) || c == '-') {
            p->lex = LEX_NUMBER;
            g_string_append_c(p->token, c);
        } else if (g_ascii_isalpha(c) || c == '_') {
            p->lex = LEX_WORD;
            g_string_append_c(p->token, c);
        } else {
            lexical_error(p, "stray character");
        }
    }
}

static void lex_string(struct jparser *p, char c)
{
    if ((guchar)c < 0x20) {
        lexical_error(p, "control character in string");
    } else if (c == '\\') {
        p->lex = LEX_ESCAPE;
    } else if (p->surrogate) {
        lexical_error(p, "invalid surrogate in string");
    } else if (c == p->quote) {
        p->lex = LEX_START;
        on_string(p);
        g_string_set_size(p->token, 0);
    } else if ((guchar)c >= 0xFE || (guchar)c == 0xC0 || (guchar)c == 0xC1) {
        lexical_error(p, "invalid UTF-8 sequence in string");   /* in no UTF-8: 0xFF must reset at once */
    } else if (p->bytes + p->token->len >= JPARSE_MAX_BYTES) {
        limit_error(p, "JSON token size limit exceeded");
    } else {
        g_string_append_c(p->token, c);
    }
}

static void lex_escape(struct jparser *p, char c)
{
    static const char from[] = "\"'\\/bfnrt", to[] = "\"'\\/\b\f\n\r\t";
    const char *at = c ? strchr(from, c) : NULL;

    if (c == 'u') {
        p->hex = 0;
        p->hex_left = 4;
        p->lex = LEX_HEX;
    } else if (at && !p->surrogate) {
        g_string_append_c(p->token, to[at - from]);
        p->lex = LEX_STRING;
    } else {
        lexical_error(p, "invalid escape sequence in string");
    }
}

static void lex_hex(struct jparser *p, char c)
{
    uint32_t u;

    if (!g_ascii_isxdigit(c)) {
        lexical_error(p, "invalid hex escape in string");
        return;
    }
    p->hex = p->hex << 4 | (uint32_t)g_ascii_xdigit_value(c);
    if (--p->hex_left) {
        return;
    }
    p->lex = LEX_STRING;
    u = p->hex;
    if (p->surrogate) {
        if (u < 0xDC00 || u > 0xDFFF) {
            lexical_error(p, "invalid surrogate in string");
            return;
        }
        u = 0x10000 + ((p->surrogate - 0xD800) << 10) + (u - 0xDC00);
        p->surrogate = 0;
    } else if (u >= 0xD800 && u <= 0xDBFF) {
        p->surrogate = u;
        return;
    } else if (u == 0 || (u >= 0xDC00 && u <= 0xDFFF)) {
        lexical_error(p, "invalid hex escape in string");
        return;
    }
    g_string_append_unichar(p->token, u);
}

static bool continues(enum lex l, char c)
{
    return g_ascii_isalnum(c) || (l == LEX_NUMBER ? c == '.' || c == '+' || c == '-' : c == '_');
}

static void feed(struct jparser *p, char c)
{
    if (p->lex == LEX_NUMBER || p->lex == LEX_WORD) {
        if (continues(p->lex, c)) {
            if (p->bytes + p->token->len >= JPARSE_MAX_BYTES) {
                limit_error(p, "JSON token size limit exceeded");
            } else {
                g_string_append_c(p->token, c);
            }
            return;
        }
        finish_token(p);
    }
    if (p->lex == LEX_SKIP) {
        if ((guchar)c > 0x20 && c != '{') {
            return;
        }
        p->lex = LEX_START;
        if (c != '{') {
            return;
        }
    }
    switch (p->lex) {
    case LEX_STRING:
        lex_string(p, c);
        break;
    case LEX_ESCAPE:
        lex_escape(p, c);
        break;
    case LEX_HEX:
        lex_hex(p, c);
        break;
    default:
        lex_start(p, c);
    }
}

void jparser_feed(struct jparser *p, const void *buf, size_t len)
{
    const char *s = buf;

    for (size_t i = 0; i < len; i++) {
        feed(p, s[i]);
        if (s[i] == '\n') {
            p->line++;
            p->col = 1;
        } else {
            p->col++;
        }
    }
}

void jparser_end(struct jparser *p)
{
    if (p->lex == LEX_NUMBER || p->lex == LEX_WORD) {
        finish_token(p);
    }
    if (p->stack->len || p->lex == LEX_STRING || p->lex == LEX_ESCAPE || p->lex == LEX_HEX) {
        p->tok_line = p->line;
        p->tok_col = p->col;
        report(p, p->error ? p->error : "premature end of input");
    }
    reset(p);
}

/* ---- a whole text at once ---- */

struct whole {
    struct jparser *p;
    struct jval *v;
    Error **errp;
    bool failed;
};

static void whole_fn(void *opaque, struct jval *v, const char *error)
{
    struct whole *w = opaque;
    unsigned line, col;

    if (w->failed) {
        jval_free(v);
        return;
    }
    if (!error && w->v) {
        error = "JSON parse error, trailing characters";
        jval_free(v);
    }
    if (!error) {
        w->v = v;
        return;
    }
    w->failed = true;
    jparser_pos(w->p, &line, &col);
    error_setg(w->errp, "%u:%u: %s", line, col, error);
}

struct jval *jval_parse(const char *text, Error **errp)
{
    struct whole w = { .errp = errp };

    w.p = jparser_new(whole_fn, &w);
    jparser_feed(w.p, text, strlen(text));
    jparser_end(w.p);
    if (!w.v && !w.failed) {
        w.failed = true;
        error_setg(errp, "1:1: JSON parse error, expecting value");
    }
    jparser_free(w.p);
    if (w.failed) {
        g_clear_pointer(&w.v, jval_free);
    }
    return w.v;
}
