/* SPDX-License-Identifier: BSD-2-Clause */
/* softmmu/monitor/hmp.c - a session of the human monitor: line editor in, command out, text back */
#include "hmp.h"
#include "core/fdname.h"
#include "chardev/mux.h"
#include "cli/options.h"
#include "readline.h"
#include "session.h"
#include <stdio.h>
#include <string.h>

#define PROMPT     "(qemu) "
#define READ_CHUNK 4096

struct hmp_session {
    struct session s;
    struct hmp h;
    struct readline *rl;
    bool greeted;               /* this connection has seen the banner */
    bool shown;                 /* has the focus of its mux, or is alone */
};

/* ---- lines ---- */

void hmp_printf(struct hmp *h, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    g_string_append_vprintf(h->out, fmt, ap);
    va_end(ap);
}

void hmp_error(struct hmp *h, Error *err)
{
    if (err) {
        hmp_printf(h, "Error: %s\n%s", error_text(err), error_hints(err));
        error_free(err);
    }
}

/* "quit|q" */
static bool name_is(const struct hmp_cmd *c, const char *word, size_t len)
{
    const char *s = c->name;

    for (;;) {
        size_t n = strcspn(s, "|");

        if (n == len && !strncmp(s, word, len)) {
            return true;
        }
        if (!s[n]) {
            return false;
        }
        s += n + 1;
    }
}

static const struct hmp_cmd *find(const struct hmp_cmd *table, const char *word, size_t len)
{
    for (const struct hmp_cmd *c = table; c->name; c++) {
        if (len && name_is(c, word, len)) {
            return c;
        }
    }
    return NULL;
}

/* Split off the first word. "x/4xw" is "x" and "/4xw". */
static const char *first_word(const char **s, size_t *len)
{
    const char *w;

    while (g_ascii_isspace(**s)) {
        ++*s;
    }
    w = *s;
    *len = strcspn(w, " \t/");
    *s = w + *len;
    return w;
}

static void run_from(struct hmp *h, const struct hmp_cmd *table, const char *prefix, const char *line)
{
    const char *rest = line, *word;
    const struct hmp_cmd *c;
    struct jval *args;
    Error *err = NULL;
    char *name;
    size_t len;

    word = first_word(&rest, &len);
    if (!len && !*word) {
        return;
    }
    c = find(table, word, len);
    if (!c) {
        hmp_printf(h, "unknown command: '%s%.*s'\n", prefix, (int)(len ? len : strcspn(word, " ")), word);
        return;
    }
    name = g_strdup_printf("%s%.*s", prefix, (int)strcspn(c->name, "|"), c->name);
    args = hmp_args_parse(h, c->args, name, rest, &err);
    if (args) {
        c->fn(h, args);
        jval_free(args);
    } else {
        hmp_printf(h, "%s\nTry \"help %s\" for more information\n", error_text(err), name);
        error_free(err);
    }
    g_free(name);
}

void hmp_run(struct hmp *h, const char *line)
{
    fdname_enter();
    run_from(h, hmp_commands, "", line);
    fdname_leave();
}

static void help_lines(struct hmp *h, const struct hmp_cmd *table, const char *prefix, const char *word)
{
    for (const struct hmp_cmd *c = table; c->name; c++) {
        if (!word || name_is(c, word, strlen(word))) {
            hmp_printf(h, "%s%s %s -- %s\n", prefix, c->name, c->params, c->help);
        }
    }
}

void hmp_help(struct hmp *h, const struct jval *args)
{
    const char *name = jval_get_str(args, "name");
    size_t before = h->out->len;

    if (!name) {
        help_lines(h, hmp_commands, "", NULL);
        return;
    }
    if (!strcmp(name, "info")) {
        help_lines(h, hmp_info_commands, "info ", NULL);
    } else if (g_str_has_prefix(name, "info ")) {
        help_lines(h, hmp_info_commands, "info ", name + 5);
    } else {
        help_lines(h, hmp_commands, "", name);
    }
    if (h->out->len == before) {
        hmp_printf(h, "unknown command: '%s'\n", name);
    }
}

void hmp_info(struct hmp *h, const struct jval *args)
{
    const char *item = jval_get_str(args, "item");

    if (!item) {
        help_lines(h, hmp_info_commands, "info ", NULL);
    } else {
        run_from(h, hmp_info_commands, "info ", item);
    }
}

void hmp_history(struct hmp *h, const struct jval *args)
{
    struct hmp_session *m = h->session;
    const char *line;

    for (unsigned i = 0; m && (line = readline_history(m->rl, i)); i++) {
        hmp_printf(h, "%u: '%s'\n", i, line);
    }
}

/* ---- completion ---- */

void hmp_add_candidate(GPtrArray *out, const char *word, const char *name)
{
    if (g_str_has_prefix(name, word)) {
        g_ptr_array_add(out, g_strdup(name));
    }
}

static void complete_table(const struct hmp_cmd *table, const char *word, GPtrArray *out)
{
    for (const struct hmp_cmd *c = table; c->name; c++) {
        char **names = g_strsplit(c->name, "|", -1);

        for (unsigned i = 0; names[i]; i++) {
            hmp_add_candidate(out, word, names[i]);
        }
        g_strfreev(names);
    }
}

void complete_info(unsigned argno, const char *word, GPtrArray *out)
{
    if (argno == 1) {
        complete_table(hmp_info_commands, word, out);
    }
}

void complete_commands(unsigned argno, const char *word, GPtrArray *out)
{
    if (argno == 1) {
        complete_table(hmp_commands, word, out);
    }
}

void hmp_complete(const char *head, GPtrArray *out)
{
    char **words = g_strsplit(head, " ", -1);
    unsigned n = g_strv_length(words);
    const struct hmp_cmd *c;

    if (n <= 1) {
        complete_table(hmp_commands, n ? words[0] : "", out);
    } else {
        c = find(hmp_commands, words[0], strlen(words[0]));
        if (c && c->complete) {
            c->complete(n - 1, words[n - 1], out);
        }
    }
    g_strfreev(words);
}

/* ---- the session ---- */

/* LF becomes CR LF */
static void put_text(struct hmp_session *m, const char *text, size_t len)
{
    GString *s = g_string_sized_new(len + 16);

    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\n') {
            g_string_append_c(s, '\r');
        }
        g_string_append_c(s, text[i]);
    }
    session_put(&m->s, s->str, s->len);
    g_string_free(s, TRUE);
}

static void rl_print(void *opaque, const char *text, size_t len)
{
    put_text(opaque, text, len);
}

static void rl_line(void *opaque, const char *line)
{
    struct hmp_session *m = opaque;

    m->h.out = g_string_new(NULL);
    hmp_run(&m->h, line);
    put_text(m, m->h.out->str, m->h.out->len);
    g_string_free(m->h.out, TRUE);
    m->h.out = NULL;
    readline_prompt(m->rl);
}

static void rl_complete(void *opaque, const char *head, GPtrArray *out)
{
    hmp_complete(head, out);
}

static const struct readline_ops rl_ops = { .print = rl_print, .line = rl_line, .complete = rl_complete };

static void greet(struct hmp_session *m)
{
    static const char text[] = "Patchbay monitor - type 'help' for more information\n";

    if (!m->greeted) {
        m->greeted = true;
        put_text(m, text, strlen(text));
    } else {
        put_text(m, "\n", 1);
    }
    readline_prompt(m->rl);
}

static size_t can_read(void *opaque)
{
    return session_room(&((struct hmp_session *)opaque)->s) ? READ_CHUNK : 0;
}

static void on_read(void *opaque, const uint8_t *buf, size_t len)
{
    struct hmp_session *m = opaque;

    for (size_t i = 0; i < len; i++) {
        readline_key(m->rl, buf[i]);
    }
}

static void on_chr_event(void *opaque, enum chardev_event ev)
{
    struct hmp_session *m = opaque;

    switch (ev) {
    case CHARDEV_OPENED:
        readline_reset(m->rl);
        m->greeted = false;
        m->h.cpu = 0;
        if (m->shown) {
            greet(m);
        }
        break;
    case CHARDEV_MUX_IN:
        m->shown = true;
        greet(m);
        break;
    case CHARDEV_MUX_OUT:
        m->shown = false;
        put_text(m, "\n", 1);
        break;
    default:
        break;
    }
}

static void on_writable(void *opaque)
{
    struct hmp_session *m = opaque;

    session_flush(&m->s);
    chardev_accept_input(m->s.chr);
}

static const struct chardev_fe_ops fe_ops = {
    .can_read = can_read,
    .read = on_read,
    .event = on_chr_event,
    .writable = on_writable,
};

static void hmp_free(struct session *s)
{
    struct hmp_session *m = (struct hmp_session *)s;

    chardev_detach(s->chr, m);
    readline_free(m->rl);
    session_fini(s);
    g_free(m);
}

static const struct session_ops ops = { .event = NULL, .free = hmp_free };

bool monitor_new_hmp(struct chardev *c, Error **errp)
{
    struct hmp_session *m = g_new0(struct hmp_session, 1);

    session_init(&m->s, &ops, c);
    m->h.session = m;
    m->rl = readline_new(&rl_ops, m, PROMPT);
    m->shown = !chardev_is_mux(c);
    if (!session_list_add(&m->s, errp)) {
        hmp_free(&m->s);
        return false;
    }
    return chardev_attach_background(c, &fe_ops, m, errp);     /* if not: the program ends, monitor_cleanup() frees */
}

char *monitor_hmp(const char *line)
{
    struct hmp h = { .out = g_string_new(NULL) };
    GString *s = g_string_new(NULL);

    hmp_run(&h, line);
    for (size_t i = 0; i < h.out->len; i++) {
        if (h.out->str[i] == '\n') {
            g_string_append_c(s, '\r');
        }
        g_string_append_c(s, h.out->str[i]);
    }
    g_string_free(h.out, TRUE);
    return g_string_free(s, FALSE);
}
