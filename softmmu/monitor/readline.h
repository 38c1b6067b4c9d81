/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * softmmu/monitor/readline.h - a line editor for terminals at the other end of a byte stream
 *
 * Keys: arrows, Home, End, Delete, Backspace, Ctrl-A B D E F H K L N P T U W, Tab (completion), Ctrl-C (drop the
 * line). Every change redraws the line from its start: back to the start, the whole text, erase to the end; programs
 * that look for what they typed in the echo find it in one piece.
 */
#ifndef MONITOR_READLINE_H
#define MONITOR_READLINE_H

#include <glib.h>
#include <stdbool.h>

#define READLINE_MAX     4096       /* bytes of a line */
#define READLINE_HISTORY 64

struct readline;

struct readline_ops {
    void (*print)(void *opaque, const char *text, size_t len);
    void (*line)(void *opaque, const char *line);                   /* Enter was pressed */
    /* add candidates for the last word of @head (text before the cursor) to @out; they replace the whole word */
    void (*complete)(void *opaque, const char *head, GPtrArray *out);
};

struct readline *readline_new(const struct readline_ops *ops, void *opaque, const char *prompt);
void readline_free(struct readline *r);
/** readline_prompt() - show the prompt (and what has been typed) */
void readline_prompt(struct readline *r);
/** readline_reset() - forget a half-typed line */
void readline_reset(struct readline *r);
void readline_key(struct readline *r, unsigned char c);
/** readline_history() - entry @i, 0 the oldest; NULL: none */
const char *readline_history(const struct readline *r, unsigned i);

#endif
