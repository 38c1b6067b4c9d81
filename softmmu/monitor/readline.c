/* SPDX-License-Identifier: BSD-2-Clause */
/* softmmu/monitor/readline.c - see readline.h; bytes above 0x7F are taken as they are (one column each) */
#include "readline.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum esc { ESC_NONE, ESC_SEEN, ESC_CSI, ESC_SS3 };

struct readline {
    const struct readline_ops *ops;
    void *opaque;
    char *prompt;
    GString *buf;
    size_t pos;                 /* cursor in buf */
    size_t shown;               /* where the terminal's cursor is, in bytes from the end of the prompt */
    char *last;                 /* the text on the terminal, to draw only what changed; NULL: nothing */
    enum esc esc;
    unsigned esc_arg;
    bool got_cr;                /* the LF of a CR LF is not a second Enter */
    GPtrArray *history;         /* oldest first */
    unsigned hist_pos;          /* == len: the new line */
    char *pending;              /* the new line while an old one is shown */
};

struct readline *readline_new(const struct readline_ops *ops, void *opaque, const char *prompt)
{
    struct readline *r = g_new0(struct readline, 1);

    r->ops = ops;
    r->opaque = opaque;
    r->prompt = g_strdup(prompt);
    r->buf = g_string_new(NULL);
    r->history = g_ptr_array_new_with_free_func(g_free);
    return r;
}

void readline_free(struct readline *r)
{
    if (r) {
        g_free(r->prompt);
        g_free(r->pending);
        g_free(r->last);
        g_string_free(r->buf, TRUE);
        g_ptr_array_unref(r->history);
        g_free(r);
    }
}

const char *readline_history(const struct readline *r, unsigned i)
{
    return i < r->history->len ? g_ptr_array_index(r->history, i) : NULL;
}

static void out(struct readline *r, const char *text)
{
    r->ops->print(r->opaque, text, strlen(text));
}

static void back(GString *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        g_string_append(s, "\033[D");
    }
}

/* Bring the terminal up to date. */
static void redraw(struct readline *r)
{
    GString *s = g_string_new(NULL);

    if (!r->last || strcmp(r->last, r->buf->str)) {
        back(s, r->shown);
        g_string_append_len(s, r->buf->str, (gssize)r->buf->len);
        g_string_append(s, "\033[K");
        r->shown = r->buf->len;
        g_free(r->last);
        r->last = g_strdup(r->buf->str);
    }
    if (r->shown > r->pos) {
        back(s, r->shown - r->pos);
    } else {
        for (size_t i = r->shown; i < r->pos; i++) {
            g_string_append(s, "\033[C");
        }
    }
    r->shown = r->pos;
    r->ops->print(r->opaque, s->str, s->len);
    g_string_free(s, TRUE);
}

void readline_prompt(struct readline *r)
{
    out(r, r->prompt);
    r->shown = 0;
    g_clear_pointer(&r->last, g_free);
    if (r->buf->len) {
        redraw(r);
    } else {
        r->last = g_strdup("");
    }
}

void readline_reset(struct readline *r)
{
    g_string_set_size(r->buf, 0);
    r->pos = r->shown = 0;
    g_clear_pointer(&r->last, g_free);
    g_clear_pointer(&r->pending, g_free);
    r->hist_pos = r->history->len;
    r->esc = ESC_NONE;
}

static void remember(struct readline *r)
{
    const char *newest = r->history->len ? g_ptr_array_index(r->history, r->history->len - 1) : NULL;

    if (!r->buf->len || (newest && !strcmp(newest, r->buf->str))) {
        return;
    }
    if (r->history->len == READLINE_HISTORY) {
        g_ptr_array_remove_index(r->history, 0);
    }
    g_ptr_array_add(r->history, g_strdup(r->buf->str));
}

static void enter(struct readline *r)
{
    char *line = g_strdup(r->buf->str);

    out(r, "\n");
    remember(r);
    readline_reset(r);
    r->ops->line(r->opaque, line);
    g_free(line);
}

static void insert(struct readline *r, char c)
{
    if (r->buf->len < READLINE_MAX) {
        g_string_insert_c(r->buf, (gssize)r->pos++, c);
    }
}

static void erase(struct readline *r, size_t from, size_t to)
{
    g_string_erase(r->buf, (gssize)from, (gssize)(to - from));
    r->pos = from;
}

static void history_go(struct readline *r, int by)
{
    int to = (int)r->hist_pos + by;

    if (to < 0 || to > (int)r->history->len) {
        return;
    }
    if (r->hist_pos == r->history->len) {
        g_free(r->pending);
        r->pending = g_strdup(r->buf->str);
    }
    r->hist_pos = (unsigned)to;
    g_string_assign(r->buf, (unsigned)to == r->history->len ? (r->pending ? r->pending : "") : readline_history(r,
            (unsigned)to));
    r->pos = r->buf->len;
}

static size_t word_start(const struct readline *r)
{
    size_t p = r->pos;

    while (p && r->buf->str[p - 1] == ' ') {
        p--;
    }
    while (p && r->buf->str[p - 1] != ' ') {
        p--;
    }
    return p;
}

/* ---- completion ---- */

static size_t common_len(const GPtrArray *c)
{
    const char *first = g_ptr_array_index(c, 0);
    size_t n = strlen(first);

    for (unsigned i = 1; i < c->len; i++) {
        const char *s = g_ptr_array_index(c, i);

        for (size_t j = 0; j < n; j++) {
            if (s[j] != first[j]) {
                n = j;
            }
        }
    }
    return n;
}

static void list_candidates(struct readline *r, const GPtrArray *c)
{
    GString *s = g_string_new("\n");
    unsigned col = 0;

    for (unsigned i = 0; i < c->len; i++) {
        g_string_append_printf(s, "%-20s", (char *)g_ptr_array_index(c, i));
        if (++col == 4 || i + 1 == c->len) {
            g_string_append_c(s, '\n');
            col = 0;
        }
    }
    r->ops->print(r->opaque, s->str, s->len);
    g_string_free(s, TRUE);
    readline_prompt(r);
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void complete(struct readline *r)
{
    char *head = g_strndup(r->buf->str, r->pos);
    GPtrArray *c = g_ptr_array_new_with_free_func(g_free);
    size_t start = r->pos, n;

    while (start && head[start - 1] != ' ') {
        start--;
    }
    r->ops->complete(r->opaque, head, c);
    if (c->len) {
        g_ptr_array_sort(c, compare);
        n = common_len(c);
        if (n > r->pos - start || c->len == 1) {
            const char *first = g_ptr_array_index(c, 0);

            erase(r, start, r->pos);
            for (size_t i = 0; i < n; i++) {
                insert(r, first[i]);
            }
            if (c->len == 1) {
                insert(r, ' ');
            }
        } else {
            list_candidates(r, c);
        }
    }
    g_ptr_array_unref(c);
    g_free(head);
}

/* ---- keys ---- */

static void left(struct readline *r)
{
    r->pos -= r->pos > 0;
}

static void right(struct readline *r)
{
    r->pos += r->pos < r->buf->len;
}

static void delete_here(struct readline *r)
{
    if (r->pos < r->buf->len) {
        erase(r, r->pos, r->pos + 1);
    }
}

static void transpose(struct readline *r)
{
    if (r->pos && r->buf->len > 1) {
        char *s = r->buf->str, t;

        r->pos -= r->pos == r->buf->len;
        t = s[r->pos];
        s[r->pos] = s[r->pos - 1];
        s[r->pos - 1] = t;
        r->pos++;
    }
}

static void control_key(struct readline *r, unsigned char c)
{
    switch (c) {
    case 0x01:                          /* Ctrl-A */
        r->pos = 0;
        break;
    case 0x02:
        left(r);
        break;
    case 0x03:                          /* Ctrl-C: drop the line */
        readline_reset(r);
        out(r, "\n");
        readline_prompt(r);
        return;
    case 0x04:
        delete_here(r);
        break;
    case 0x05:
        r->pos = r->buf->len;
        break;
    case 0x06:
        right(r);
        break;
    case 0x08: case 0x7F:
        if (r->pos) {
            erase(r, r->pos - 1, r->pos);
        }
        break;
    case '\t':
        complete(r);
        break;
    case 0x0B:                          /* Ctrl-K */
        g_string_truncate(r->buf, r->pos);
        break;
    case 0x0C:                          /* Ctrl-L */
        out(r, "\033[2J\033[1;1H");
        readline_prompt(r);
        return;
    case 0x0E:
        history_go(r, 1);
        break;
    case 0x10:
        history_go(r, -1);
        break;
    case 0x14:
        transpose(r);
        break;
    case 0x15:                          /* Ctrl-U */
        erase(r, 0, r->pos);
        break;
    case 0x17:                          /* Ctrl-W */
        erase(r, word_start(r), r->pos);
        break;
    default:
        return;
    }
    redraw(r);
}

static void csi_key(struct readline *r, unsigned char c)
{
    switch (c) {
    case 'A':
        history_go(r, -1);
        break;
    case 'B':
        history_go(r, 1);
        break;
    case 'C':
        right(r);
        break;
    case 'D':
        left(r);
        break;
    case 'H':
        r->pos = 0;
        break;
    case 'F':
        r->pos = r->buf->len;
        break;
    case '~':
        if (r->esc_arg == 1 || r->esc_arg == 7) {
            r->pos = 0;
        } else if (r->esc_arg == 4 || r->esc_arg == 8) {
            r->pos = r->buf->len;
        } else if (r->esc_arg == 3) {
            delete_here(r);
        }
        break;
    default:
        break;
    }
    redraw(r);
}

void readline_key(struct readline *r, unsigned char c)
{
    switch (r->esc) {
    case ESC_SEEN:
        r->esc = c == '[' ? ESC_CSI : c == 'O' ? ESC_SS3 : ESC_NONE;
        r->esc_arg = 0;
        return;
    case ESC_CSI:
        if (g_ascii_isdigit(c)) {
            r->esc_arg = (r->esc_arg * 10 + (c - '0')) % 1000;
            return;
        }
        if (c == ';') {
            r->esc_arg = 0;
            return;
        }
        r->esc = ESC_NONE;
        csi_key(r, c);
        return;
    case ESC_SS3:
        r->esc = ESC_NONE;
        csi_key(r, c);
        return;
    case ESC_NONE:
        break;
    }
    if (c == '\n' && r->got_cr) {
        r->got_cr = false;
        return;
    }
    r->got_cr = c == '\r';
    if (c == '\n' || c == '\r') {
        enter(r);
    } else if (c == 0x1B) {
        r->esc = ESC_SEEN;
    } else if (c < 0x20 || c == 0x7F) {
        control_key(r, c);
    } else {
        insert(r, (char)c);
        redraw(r);
    }
}
