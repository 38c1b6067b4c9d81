/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * qapi/visit.h - descriptors of the schema's types, and the one visitor that fills, frees and prints their C structs
 *
 * Conventions of the structs (qapi/qapi-types.h, made from softmmu/qapi/ *.json):
 *   optional number, bool, enum   bool has_x; T x;
 *   str                           char *x, NULL when absent
 *   struct, union                 T *x, NULL when absent
 *   list of str or String         char **x, ends with NULL; NULL when absent
 *   list of structs               T **x, ends with NULL; NULL when absent
 *   union                         the base's members, then .u.BRANCH of the value of the discriminator
 * '-' in a name becomes '_', a C keyword gets the prefix q_ (u.q_unix).
 */
#ifndef QAPI_VISIT_H
#define QAPI_VISIT_H

#include "qapi/jval.h"

enum qapi_kind {
    QAPI_STR, QAPI_PATH, QAPI_BOOL, QAPI_INT, QAPI_SIZE, QAPI_NUMBER, QAPI_ENUM, QAPI_STRUCT, QAPI_STRING_OBJ, QAPI_ANY,
};

struct qapi_type;

#define QAPI_NO_HAS ((size_t)-1)

struct qapi_member {
    const char *name;                       /* NULL ends a table */
    const struct qapi_type *type;
    size_t offset;
    size_t has_offset;                      /* of has_x, or QAPI_NO_HAS */
    bool optional, list;
    const char *doc;                        /* or NULL */
};

struct qapi_type {
    const char *name;
    enum qapi_kind kind;
    size_t size;                            /* of the C type */
    bool is_signed;                         /* QAPI_INT */
    const char *const *values;              /* QAPI_ENUM: names, NULL-terminated */
    const char *const *value_docs;          /* an element each, NULL: undocumented */
    const struct qapi_member *members;      /* QAPI_STRUCT: of the base too */
    const char *discriminator;              /* a union: name of the enum member... */
    const struct qapi_type *const *branches;/* ... and the struct in .u for each of its values; NULL: nothing more */
    size_t u_offset;
    const char *doc;
};

/* Where the input comes from decides what scalars look like and how errors read. */
enum qapi_mode {
    QAPI_JSON,      /* typed values */
    QAPI_KEYVAL,    /* a tree from keyval_parse(): every scalar is a string */
};

extern const struct qapi_type qapi_type_str, qapi_type_path, qapi_type_bool, qapi_type_size, qapi_type_number,
    qapi_type_any,
    qapi_type_null, qapi_type_String, qapi_type_int, qapi_type_int8, qapi_type_int16, qapi_type_int32, qapi_type_int64,
    qapi_type_uint8, qapi_type_uint16, qapi_type_uint32, qapi_type_uint64;

/** qapi_parse() - a new struct of @t filled from @v; NULL: *errp says which parameter and why */
void *qapi_parse(const struct qapi_type *t, const struct jval *v, enum qapi_mode mode, Error **errp);
/** qapi_free() - the struct and all it holds; NULL is fine */
void qapi_free(const struct qapi_type *t, void *obj);
/** qapi_to_jval() - the struct as JSON; absent members are left out */
struct jval *qapi_to_jval(const struct qapi_type *t, const void *obj);
/** qapi_check() - would qapi_parse() of @t (or of a list of them) take @v as JSON? */
bool qapi_check(const struct qapi_type *t, bool list, const struct jval *v, Error **errp);

const char *qapi_enum_name(const struct qapi_type *t, int value);
/** qapi_enum_parse() - -1: no such name */
int qapi_enum_parse(const struct qapi_type *t, const char *name);
/** qapi_find_member() - own member, or of the branch @branch (may be NULL) */
const struct qapi_member *qapi_find_member(const struct qapi_type *t, const char *name);
/** qapi_type_word() - as help shows it: "on|off", "int", "str", "size", "a|b|c"; caller frees */
char *qapi_type_word(const struct qapi_type *t);
/**
 * qapi_help() - "  name=<type>  - doc" lines of the members of @t and, for a union, of branch @branch (-1: none);
 * caller frees
 */
char *qapi_help(const struct qapi_type *t, int branch);
/**
 * qapi_nearest() - the member of @t (and of its branches) whose name is closest to a misspelt @name; NULL: none
 * is near
 */
const char *qapi_nearest(const struct qapi_type *t, const char *name);
/** qapi_word_distance() - edits between two words, for suggestions elsewhere (names of options and devices) */
unsigned qapi_word_distance(const char *a, const char *b);

#endif
