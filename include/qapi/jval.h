/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * qapi/jval.h - JSON values, their text and a parser that is fed byte by byte
 *
 * A struct jval is a tree with one owner. Functions that store a value in another take it; the rest borrow.
 * Objects keep the order of their keys. Numbers stay integers as far as 64 bits go.
 */
#ifndef QAPI_JVAL_H
#define QAPI_JVAL_H

#include "lib/error.h"
#include <stddef.h>
#include <stdint.h>

enum jval_type { JVAL_NULL, JVAL_BOOL, JVAL_INT, JVAL_UINT, JVAL_DOUBLE, JVAL_STR, JVAL_LIST, JVAL_DICT };

struct jval;

struct jval *jval_null(void);
struct jval *jval_bool(bool b);
struct jval *jval_int(int64_t i);
/** jval_uint() - JVAL_INT when it fits, so that equal numbers have one form */
struct jval *jval_uint(uint64_t u);
struct jval *jval_double(double d);
/** jval_str() - a copy of @s; NULL gives "" */
struct jval *jval_str(const char *s);
struct jval *jval_str_take(char *s);
struct jval *jval_list(void);
struct jval *jval_dict(void);
struct jval *jval_copy(const struct jval *v);
/** jval_free() - NULL is fine */
void jval_free(struct jval *v);

enum jval_type jval_type(const struct jval *v);
/** jval_bool_of() ... - the type must be right */
bool jval_bool_of(const struct jval *v);
/** jval_int_of() - also from a double with an integral value; false: not an integer of 64 bits with sign */
bool jval_int_of(const struct jval *v, int64_t *out);
bool jval_uint_of(const struct jval *v, uint64_t *out);
double jval_double_of(const struct jval *v);
const char *jval_str_of(const struct jval *v);

/* Lists and dicts. */
unsigned jval_len(const struct jval *v);
struct jval *jval_at(const struct jval *v, unsigned i);
const char *jval_key_at(const struct jval *v, unsigned i);
void jval_append(struct jval *list, struct jval *v);
/** jval_get() - NULL: no such key, or not a dict */
struct jval *jval_get(const struct jval *dict, const char *key);
/** jval_set() - replaces */
void jval_set(struct jval *dict, const char *key, struct jval *v);
/** jval_steal() - take the value of @key out; NULL: no such key */
struct jval *jval_steal(struct jval *dict, const char *key);
void jval_set_str(struct jval *dict, const char *key, const char *s);
void jval_set_int(struct jval *dict, const char *key, int64_t i);
void jval_set_bool(struct jval *dict, const char *key, bool b);
/** jval_get_str() - NULL: no such key, or not a string */
const char *jval_get_str(const struct jval *dict, const char *key);

/* A list that came from a key given several times on a command line (keyval.c): a scalar member takes its last item. */
void jval_mark_repeated(struct jval *list);
bool jval_repeated(const struct jval *v);

/** jval_to_text() - ASCII only (the rest as \uXXXX), one line, or indented by four when @pretty; caller frees */
char *jval_to_text(const struct jval *v, bool pretty);

/**
 * jval_parse() - one value from a whole text
 * Strings may be in single quotes. Errors read "LINE:COLUMN: JSON parse error, REASON".
 */
struct jval *jval_parse(const char *text, Error **errp);

#define JPARSE_MAX_DEPTH  1024u
#define JPARSE_MAX_BYTES  (64u << 20)      /* of the tokens of one value */
#define JPARSE_MAX_TOKENS (2u << 20)       /* in one value */

struct jparser;
/** jparser_fn - one complete value (taken by the callee), or NULL and the text of an error ("JSON parse error, ...") */
typedef void jparser_fn(void *opaque, struct jval *v, const char *error);
struct jparser *jparser_new(jparser_fn *fn, void *opaque);
/** jparser_feed() - @fn runs for each value and error found; it must not free the parser */
void jparser_feed(struct jparser *p, const void *buf, size_t len);
/** jparser_end() - no more input: finishes a number or word at top level, reports an unfinished value */
void jparser_end(struct jparser *p);
/** jparser_pos() - line and column, from 1, of what was reported last */
void jparser_pos(const struct jparser *p, unsigned *line, unsigned *col);
void jparser_free(struct jparser *p);

#endif
