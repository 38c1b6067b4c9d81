/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * qapi/keyval.h - "k=v,k=v" to a tree, and from there, or from JSON, to a typed struct
 *
 * Grammar: pairs separated by ','; ",," in a value is a comma. A key is fragments separated by '.': "addr.type=unix"
 * makes {"addr":{"type":"unix"}}. The first word without '=' is the value of the implied key. Later bare words are
 * switches:
 * "server" is server=on and, where no such name exists, "nowait" is wait=off. A key given several times keeps all its
 * values, in order (jval_repeated()): lists take all, scalars the last. Empty parts are ignored ("a=b,").
 */
#ifndef QAPI_KEYVAL_H
#define QAPI_KEYVAL_H

#include "qapi/visit.h"

/**
 * keyval_parse() - text to tree
 * @implied: key of the first bare word, or NULL
 * @help: set to true when one of the words is "help" or "?" (which is not stored); may be NULL
 */
struct jval *keyval_parse(const char *text, const char *implied, bool *help, Error **errp);

/** opts_is_json() - the text starts with '{' */
bool opts_is_json(const char *text);
/** opts_tree() - keyval or JSON by its first character; *mode says which it was */
struct jval *opts_tree(const char *text, const char *implied, enum qapi_mode *mode, bool *help, Error **errp);
/** opts_parse() - opts_tree() and qapi_parse(): a new struct of @t, to be freed with qapi_free() */
void *opts_parse(const struct qapi_type *t, const char *text, const char *implied, Error **errp);

#endif
