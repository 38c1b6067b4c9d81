/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/unit/test-readline.c - keys in, lines out, and what a terminal shows (a small one is emulated here) */
#include "softmmu/monitor/readline.h"
#include <string.h>

#define COLS 8192

struct term {
    char row[COLS];         /* the current line */
    size_t col;
    int esc;                /* 1: ESC, 2: CSI */
    GString *lines;         /* lines given to the program */
};

static void term_put(struct term *t, char c)
{
    if (t->esc == 1) {
        t->esc = c == '[' ? 2 : 0;
    } else if (t->esc == 2) {
        if (g_ascii_isalpha(c)) {
            t->esc = 0;
            if (c == 'D' && t->col) {
                t->col--;
            } else if (c == 'C') {
                t->col++;
            } else if (c == 'K') {
                memset(t->row + t->col, 0, COLS - t->col);
            }
        }
    } else if (c == 27) {
        t->esc = 1;
    } else if (c == '\n') {
        memset(t->row, 0, COLS);
        t->col = 0;
    } else {
        g_assert_cmpuint(t->col, <, COLS - 1);
        t->row[t->col++] = c;
    }
}

static void print(void *opaque, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        term_put(opaque, text[i]);
    }
}

static void line(void *opaque, const char *text)
{
    struct term *t = opaque;

    g_string_append_printf(t->lines, "<%s>", text);
}

static void complete(void *opaque, const char *head, GPtrArray *out)
{
    static const char *const words[] = { "status", "stop", "network", NULL };
    const char *last = strrchr(head, ' ') ? strrchr(head, ' ') + 1 : head;

    for (unsigned i = 0; words[i]; i++) {
        if (g_str_has_prefix(words[i], last)) {
            g_ptr_array_add(out, g_strdup(words[i]));
        }
    }
}

static const struct readline_ops ops = { print, line, complete };

static void test_keys(void)
{
    static const struct {
        /* row: what is on the line with the prompt; column is checked by further typing */
        const char *keys, *lines, *row;
    } t[] = {
        { "abc\n", "<abc>", "" },
        { "abc\r\n", "<abc>", "" },
        { "\n\n", "<><>", "" },
        { "abc", "", "> abc" },
        { "abc\177d", "", "> abd" },
        { "abc\b\b\b\b", "", "> " },
        { "ac\033[Db", "", "> abc" },
        { "bc\001a", "", "> abc" },
        { "bc\033[Ha\033[Fd", "", "> abcd" },
        { "bc\033[1~a\033[4~d", "", "> abcd" },
        { "bc\033OHa", "", "> abc" },
        { "abc\033[D\033[D\033[3~", "", "> ac" },
        { "abc\001\004", "", "> bc" },
        { "abc\002\002\013", "", "> a" },
        { "one two\027", "", "> one " },
        { "one two  \027x", "", "> one x" },
        { "abc\002\025", "", "> c" },
        { "ab\024", "", "> ba" },
        { "abc\003x", "", "> x" },
        { "first\nsecond\n\033[A\033[A", "<first><second>", "first" },
        { "first\nsecond\nnew\020\020\016\016", "<first><second>", "new" },
        { "first\n\020\020\020\n", "<first><first>", "" },
        { "a\033[99;5Zb", "", "> ab" },
        { "\t", "", "> " },
        { "net\t", "", "> network " },
        { "info sta\t", "", "> info status " },
        { "st\t", "", "> st" },
        { "x st\033[D\t", "", "> x stt" },
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(t); i++) {
        struct term term = { .lines = g_string_new(NULL) };
        struct readline *r = readline_new(&ops, &term, "> ");

        readline_prompt(r);
        for (const char *k = t[i].keys; *k; k++) {
            readline_key(r, (unsigned char)*k);
        }
        g_assert_cmpstr(term.lines->str, ==, t[i].lines);
        if (*t[i].row) {
            g_assert_cmpstr(term.row, ==, t[i].row);
        }
        readline_free(r);
        g_string_free(term.lines, TRUE);
    }
}

/* Random keys: the terminal always shows the line that Enter will give. */
static void test_random(void)
{
    struct term term = { .lines = g_string_new(NULL) };
    struct readline *r = readline_new(&ops, &term, "");

    for (unsigned i = 0; i < 20000; i++) {
        static const char keys[] = "abcdefg  \001\002\004\005\006\010\013\024\025\027\016\020\033[ABCDHF~3";
        char shown[COLS];

        if (g_test_rand_int_range(0, 50)) {
            readline_key(r, (unsigned char)keys[g_test_rand_int_range(0, sizeof(keys) - 1)]);
            continue;
        }
        readline_key(r, 'x');       /* end a half-typed escape sequence */
        readline_key(r, 5);
        memcpy(shown, term.row, COLS);
        g_string_truncate(term.lines, 0);
        readline_key(r, '\n');
        g_assert_cmpuint(term.lines->len, >=, 2);
        g_string_truncate(term.lines, term.lines->len - 1);
        g_assert_cmpstr(term.lines->str + 1, ==, shown);
        readline_prompt(r);
    }
    readline_free(r);
    g_string_free(term.lines, TRUE);
}

static void test_limits(void)
{
    struct term term = { .lines = g_string_new(NULL) };
    struct readline *r = readline_new(&ops, &term, "");

    for (unsigned i = 0; i < READLINE_MAX + 100; i++) {
        readline_key(r, 'x');
    }
    readline_key(r, '\n');
    g_assert_cmpuint(term.lines->len, ==, READLINE_MAX + 2);
    for (unsigned i = 0; i < READLINE_HISTORY + 10; i++) {
        readline_key(r, '0' + i % 10);
        readline_key(r, '\n');
    }
    g_assert_nonnull(readline_history(r, READLINE_HISTORY - 1));
    g_assert_null(readline_history(r, READLINE_HISTORY));
    readline_free(r);
    g_string_free(term.lines, TRUE);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/readline/keys", test_keys);
    g_test_add_func("/readline/random", test_random);
    g_test_add_func("/readline/limits", test_limits);
    return g_test_run();
}
