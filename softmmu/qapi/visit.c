/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * softmmu/qapi/visit.c - one visitor for every type of the schema
 *
 * qapi_parse() walks a type's descriptor beside the input tree: first every member the type knows, in schema order (a
 * missing mandatory one or a wrong value ends it), then every key of the input that no member took. So the first
 * error a user sees does not depend on the order of the words on the command line. Error texts are those that scripts
 * know:
 * features.md sections 4, 7 and 9.1 of our requirements; in QAPI_KEYVAL mode they speak of text, in QAPI_JSON of types.
 */
#include "keyval_internal.h"
#include "lib/strparse.h"
#include "qapi/visit.h"
#include <stdio.h>
#include <string.h>

#define MAX_NESTING 32      /* of the schema's own types; ours go 4 deep */

#define INT_TYPE(n, b, s)                                                                                              \
    const struct qapi_type qapi_type_##n = { .name = #n, .kind = QAPI_INT, .size = b, .is_signed = s }
INT_TYPE(int, 8, true);
INT_TYPE(int8, 1, true);
INT_TYPE(int16, 2, true);
INT_TYPE(int32, 4, true);
INT_TYPE(int64, 8, true);
INT_TYPE(uint8, 1, false);
INT_TYPE(uint16, 2, false);
INT_TYPE(uint32, 4, false);
INT_TYPE(uint64, 8, false);
const struct qapi_type qapi_type_str = { .name = "str", .kind = QAPI_STR, .size = sizeof(char *) };
const struct qapi_type qapi_type_path = { .name = "path", .kind = QAPI_PATH, .size = sizeof(char *) };
const struct qapi_type qapi_type_bool = { .name = "bool", .kind = QAPI_BOOL, .size = sizeof(bool) };
const struct qapi_type qapi_type_size = { .name = "size", .kind = QAPI_SIZE, .size = 8 };
const struct qapi_type qapi_type_number = { .name = "number", .kind = QAPI_NUMBER, .size = sizeof(double) };
const struct qapi_type qapi_type_any = { .name = "any", .kind = QAPI_ANY, .size = sizeof(void *) };
const struct qapi_type qapi_type_null = { .name = "null", .kind = QAPI_ANY, .size = sizeof(void *) };
const struct qapi_type qapi_type_String = { .name = "String", .kind = QAPI_STRING_OBJ, .size = sizeof(char *) };

/* Where we are in the input; lives on the C stack. */
struct at {
    const struct at *up;        /* NULL: the top, which has no name */
    const char *name;           /* a key, or NULL: element @index of the list above */
    unsigned index;
    enum qapi_mode mode;
    unsigned depth;
};

static void at_append(const struct at *a, GString *s)
{
    if (!a || !a->up) {
        return;
    }
    at_append(a->up, s);
    if (a->name) {
        g_string_append_printf(s, "%s%s", s->len ? "." : "", a->name);
    } else {
        g_string_append_printf(s, a->mode == QAPI_JSON ? "[%u]" : ".%u", a->index);
    }
}

/* Full name of the place; the caller frees. */
static char *at_text(const struct at *a)
{
    GString *s = g_string_new(NULL);

    at_append(a, s);
    return g_string_free(s, FALSE);
}

static bool wrong_type(const struct at *a, const char *expected, Error **errp)
{
    char *name = at_text(a);

    if (*name) {
        error_setg(errp, "Invalid parameter type for '%s', expected: %s", name, expected);
    } else {
        error_setg(errp, "Invalid type, expected: %s", expected);
    }
    g_free(name);
    return false;
}

static bool wrong_value(const struct at *a, const char *expects, Error **errp)
{
    char *name = at_text(a);

    error_setg(errp, "Parameter '%s' expects %s", name, expects);
    g_free(name);
    return false;
}

/* The text of a scalar in keyval mode; NULL and *errp: it is none, or a bare word. */
static const char *keyval_text(const struct at *a, const struct jval *v, Error **errp)
{
    if (jval_type(v) != JVAL_STR) {
        char *name = at_text(a);

        error_setg(errp, "Parameters '%s.*' are unexpected", name);
        g_free(name);
        return NULL;
    }
    if (!strcmp(jval_str_of(v), KEYVAL_SWITCH_ON)) {
        char *name = at_text(a);

        error_setg(errp, "Expected '=' after parameter '%s'", name);
        g_free(name);
        return NULL;
    }
    return jval_str_of(v);
}

static char *expand_home(const char *s)
{
    return s[0] == '~' && s[1] == '/' ? g_strconcat(g_get_home_dir(), s + 1, NULL) : g_strdup(s);
}

static bool parse_str(const struct qapi_type *t, const struct at *a, const struct jval *v, char **out, Error **errp)
{
    const char *s;

    if (a->mode == QAPI_JSON && jval_type(v) != JVAL_STR) {
        return wrong_type(a, "string", errp);
    }
    s = a->mode == QAPI_JSON ? jval_str_of(v) : keyval_text(a, v, errp);
    if (!s) {
        return false;
    }
    *out = t->kind == QAPI_PATH ? expand_home(s) : g_strdup(s);
    return true;
}

static bool parse_bool_val(const struct at *a, const struct jval *v, bool *out, Error **errp)
{
    if (a->mode == QAPI_JSON) {
        if (jval_type(v) != JVAL_BOOL) {
            return wrong_type(a, "boolean", errp);
        }
        *out = jval_bool_of(v);
        return true;
    }
    if (jval_type(v) == JVAL_STR && !strcmp(jval_str_of(v), KEYVAL_SWITCH_ON)) {
        *out = true;
        return true;
    }
    if (jval_type(v) != JVAL_STR || !parse_bool(jval_str_of(v), out)) {
        return wrong_value(a, "'on' or 'off'", errp);
    }
    return true;
}

static void store_int(void *out, size_t size, uint64_t v)
{
    switch (size) {
    case 1:
        *(uint8_t *)out = (uint8_t)v;
        break;
    case 2:
        *(uint16_t *)out = (uint16_t)v;
        break;
    case 4:
        *(uint32_t *)out = (uint32_t)v;
        break;
    default:
        *(uint64_t *)out = v;
    }
}

static bool parse_int(const struct qapi_type *t, const struct at *a, const struct jval *v, void *out, Error **errp)
{
    unsigned bits = (unsigned)t->size * 8;
    int64_t max = (int64_t)(UINT64_MAX >> (65 - bits)), min = -max - 1, i = 0;
    uint64_t umax = UINT64_MAX >> (64 - bits), u = 0;
    bool ok, big = t->size == 8;
    char expects[32];

    if (a->mode == QAPI_JSON) {
        if (jval_type(v) != JVAL_INT && jval_type(v) != JVAL_UINT && !(jval_type(v) == JVAL_DOUBLE && jval_int_of(v,
                &i))) {
            return wrong_type(a, "integer", errp);
        }
        ok = t->is_signed ? jval_int_of(v, &i) && i >= min && i <= max : jval_uint_of(v, &u) && u <= umax;
    } else {
        const char *s = keyval_text(a, v, errp);

        if (!s) {
            return false;
        }
        ok = t->is_signed ? parse_i64(s, min, max, &i) : parse_u64(s, umax, &u);
    }
    if (!ok) {
        if (t->is_signed && big) {
            return wrong_value(a, "an int64 value", errp);
        }
        snprintf(expects, sizeof(expects), "%sint%u_t", t->is_signed ? "" : "u", bits);
        return wrong_value(a, expects, errp);
    }
    store_int(out, t->size, t->is_signed ? (uint64_t)i : u);
    return true;
}

static bool parse_size_val(const struct at *a, const struct jval *v, uint64_t *out, Error **errp)
{
    const char *s;

    if (a->mode == QAPI_JSON) {
        return jval_uint_of(v, out) || wrong_type(a, "integer", errp);
    }
    s = keyval_text(a, v, errp);
    if (!s) {
        return false;
    }
    return parse_size(s, 1, out) || wrong_value(a, "a size value", errp);
}

static bool parse_number(const struct at *a, const struct jval *v, double *out, Error **errp)
{
    const char *s;
    char *end;

    if (a->mode == QAPI_JSON) {
        if (jval_type(v) != JVAL_INT && jval_type(v) != JVAL_UINT && jval_type(v) != JVAL_DOUBLE) {
            return wrong_type(a, "number", errp);
        }
        *out = jval_double_of(v);
        return true;
    }
    s = keyval_text(a, v, errp);
    if (!s) {
        return false;
    }
    *out = g_ascii_strtod(s, &end);
    return (end != s && !*end) || wrong_value(a, "a number", errp);
}

static bool parse_enum(const struct qapi_type *t, const struct at *a, const struct jval *v, int *out, Error **errp)
{
    const char *s;
    int i;

    if (a->mode == QAPI_JSON && jval_type(v) != JVAL_STR) {
        return wrong_type(a, "string", errp);
    }
    s = a->mode == QAPI_JSON ? jval_str_of(v) : keyval_text(a, v, errp);
    if (!s) {
        return false;
    }
    i = qapi_enum_parse(t, s);
    if (i < 0) {
        error_setg(errp, "Parameter '%s' does not accept value '%s'", a->name ? a->name : "value", s);
        return false;
    }
    *out = i;
    return true;
}

static bool parse_into(const struct qapi_type *t, const struct at *a, const struct jval *v, void *out, Error **errp);
static void free_members(const struct qapi_type *t, void *obj);
static void free_member(const struct qapi_member *m, void *obj);

/* ---- lists ---- */

/* Elements of a list, or of a dict "0", "1"... from dotted keys; in keyval mode a lone value is a list of one. */
static struct jval *list_item(const struct jval *v, unsigned i)
{
    char key[16];

    switch (jval_type(v)) {
    case JVAL_LIST:
        return jval_at(v, i);
    case JVAL_DICT:
        snprintf(key, sizeof(key), "%u", i);
        return jval_get(v, key);
    default:
        return i ? NULL : (struct jval *)v;
    }
}

/* Element of a list as it is kept in C: a pointer, whatever the type. */
static void *parse_item(const struct qapi_type *t, const struct at *a, const struct jval *v, Error **errp)
{
    uint64_t scratch[2];
    char *s = NULL;

    switch (t->kind) {
    case QAPI_STR:
    case QAPI_PATH:
        return parse_str(t, a, v, &s, errp) ? s : NULL;
    case QAPI_STRING_OBJ:
        if (jval_type(v) == JVAL_DICT) {
            struct at sub = { a, "str", 0, a->mode, a->depth + 1 };
            struct jval *str = jval_get(v, "str");

            if (!str || jval_len(v) != 1) {
                char *name = at_text(&sub);

                error_setg(errp, str ? "Parameter '%s' has unexpected companions" : "Parameter '%s' is missing", name);
                g_free(name);
                return NULL;
            }
            return parse_str(&qapi_type_str, &sub, str, &s, errp) ? s : NULL;
        }
        if (a->mode == QAPI_JSON) {
            wrong_type(a, "object", errp);
            return NULL;
        }
        return parse_str(&qapi_type_str, a, v, &s, errp) ? s : NULL;
    case QAPI_STRUCT: {
        void *obj = NULL;

        return parse_into(t, a, v, &obj, errp) ? obj : NULL;
    }
    case QAPI_ANY:
        return jval_copy(v);
    default:
        return parse_into(t, a, v, scratch, errp) ? jval_copy(v) : NULL;
    }
}

static void free_item(const struct qapi_type *t, void *item)
{
    switch (t->kind) {
    case QAPI_STR:
    case QAPI_PATH:
    case QAPI_STRING_OBJ:
        g_free(item);
        break;
    case QAPI_STRUCT:
        qapi_free(t, item);
        break;
    default:
        jval_free(item);
    }
}

static bool parse_list(const struct qapi_member *m, const struct at *a, const struct jval *v, void ***out, Error **errp)
{
    GPtrArray *items;
    unsigned n = jval_type(v) == JVAL_LIST || jval_type(v) == JVAL_DICT ? jval_len(v) : 1;
    bool ok = true;

    if (a->mode == QAPI_JSON && jval_type(v) != JVAL_LIST) {
        return wrong_type(a, "array", errp);
    }
    items = g_ptr_array_new();
    for (unsigned i = 0; ok && i < n; i++) {
        struct at sub = { a, NULL, i, a->mode, a->depth + 1 };
        struct jval *e = list_item(v, i);
        void *item = NULL;

        if (!e) {
            char *name = at_text(&sub);

            error_setg(errp, "Parameter '%s' is missing", name);
            g_free(name);
        } else {
            item = parse_item(m->type, &sub, e, errp);
        }
        ok = item != NULL;
        if (ok) {
            g_ptr_array_add(items, item);
        }
    }
    g_ptr_array_add(items, NULL);
    *out = g_ptr_array_free(items, FALSE);      /* also half done: free_member() takes it apart */
    return ok;
}

/* ---- structs ---- */

static const struct qapi_member *find_in(const struct qapi_member *m, const char *name)
{
    for (; m && m->name; m++) {
        if (!strcmp(m->name, name)) {
            return m;
        }
    }
    return NULL;
}

/* "nowait" for wait=off */
static bool switched_off(const struct qapi_member *m, const struct jval *dict, const struct at *a)
{
    char key[64];
    const char *s;

    if (a->mode != QAPI_KEYVAL || m->type->kind != QAPI_BOOL || m->list) {
        return false;
    }
    snprintf(key, sizeof(key), "no%s", m->name);
    s = jval_get_str(dict, key);
    return s && !strcmp(s, KEYVAL_SWITCH_ON);
}

static bool parse_member(const struct qapi_member *m, const struct at *a, const struct jval *dict, void *obj,
                         Error **errp)
{
    struct at sub = { a, m->name, 0, a->mode, a->depth + 1 };
    const struct jval *v = jval_get(dict, m->name);
    char *field = (char *)obj + m->offset;

    if (!v) {
        if (switched_off(m, dict, a)) {
            if (m->has_offset != QAPI_NO_HAS) {
                *((bool *)((char *)obj + m->has_offset)) = true;
            }
            return true;        /* zeroed: off */
        }
        if (!m->optional) {
            char *name = at_text(&sub);

            error_setg(errp, "Parameter '%s' is missing", name);
            g_free(name);
            return false;
        }
        return true;
    }
    if (m->list) {
        return parse_list(m, &sub, v, (void ***)field, errp);
    }
    if (jval_repeated(v)) {
        v = jval_at(v, jval_len(v) - 1);
    }
    if (!parse_into(m->type, &sub, v, field, errp)) {
        return false;
    }
    if (m->has_offset != QAPI_NO_HAS) {
        *((bool *)((char *)obj + m->has_offset)) = true;
    }
    return true;
}

static bool parse_members(const struct qapi_type *t, const struct at *a, const struct jval *dict, void *obj,
                          Error **errp)
{
    for (const struct qapi_member *m = t->members; m->name; m++) {
        if (!parse_member(m, a, dict, obj, errp)) {
            return false;
        }
    }
    return true;
}

static const struct qapi_type *branch_of(const struct qapi_type *t, const void *obj)
{
    const struct qapi_member *m;

    if (!t->discriminator) {
        return NULL;
    }
    m = find_in(t->members, t->discriminator);
    return t->branches[*(const int *)((const char *)obj + m->offset)];
}

static const struct qapi_member *known(const struct qapi_type *t, const struct qapi_type *branch, const char *key)
{
    const struct qapi_member *m = find_in(t->members, key);

    return m || !branch ? m : find_in(branch->members, key);
}

static bool check_unexpected(const struct qapi_type *t, const struct qapi_type *branch, const struct at *a,
                             const struct jval *dict, Error **errp)
{
    for (unsigned i = 0; i < jval_len(dict); i++) {
        const char *key = jval_key_at(dict, i), *near;
        struct at sub = { a, key, 0, a->mode, a->depth + 1 };
        const struct qapi_member *m = known(t, branch, key);
        char *name;

        if (m) {
            continue;
        }
        if (g_str_has_prefix(key, "no") && (m = known(t, branch, key + 2)) && switched_off(m, dict, a)) {
            continue;
        }
        name = at_text(&sub);
        error_setg(errp, a->mode == QAPI_JSON ? "Parameter '%s' is unexpected" : "Invalid parameter '%s'", name);
        near = qapi_nearest_in(t, branch, key);
        if (near) {
            error_hint(errp, "Did you mean '%s'?\n", near);
        }
        g_free(name);
        return false;
    }
    return true;
}

static bool parse_struct(const struct qapi_type *t, const struct at *a, const struct jval *v, void **out, Error **errp)
{
    const struct qapi_type *branch;
    void *obj;
    bool ok;

    if (jval_type(v) != JVAL_DICT) {
        if (a->mode == QAPI_KEYVAL && a->up) {
            char *name = at_text(a);

            error_setg(errp, "Parameter '%s' is missing", name);    /* "addr=x" where addr.* is wanted */
            g_free(name);
            return false;
        }
        return wrong_type(a, "object", errp);
    }
    if (a->depth > MAX_NESTING) {
        return wrong_type(a, "less nesting", errp);
    }
    obj = g_malloc0(t->size);
    ok = parse_members(t, a, v, obj, errp);
    branch = ok ? branch_of(t, obj) : NULL;
    ok = ok && (!branch || parse_members(branch, a, v, (char *)obj + t->u_offset, errp));
    ok = ok && check_unexpected(t, branch, a, v, errp);
    if (!ok) {
        qapi_free(t, obj);
        return false;
    }
    *out = obj;
    return true;
}

static bool parse_into(const struct qapi_type *t, const struct at *a, const struct jval *v, void *out, Error **errp)
{
    switch (t->kind) {
    case QAPI_STR:
    case QAPI_PATH:
        return parse_str(t, a, v, out, errp);
    case QAPI_BOOL:
        return parse_bool_val(a, v, out, errp);
    case QAPI_INT:
        return parse_int(t, a, v, out, errp);
    case QAPI_SIZE:
        return parse_size_val(a, v, out, errp);
    case QAPI_NUMBER:
        return parse_number(a, v, out, errp);
    case QAPI_ENUM:
        return parse_enum(t, a, v, out, errp);
    case QAPI_STRUCT:
        return parse_struct(t, a, v, out, errp);
    case QAPI_STRING_OBJ:
        *(void **)out = parse_item(t, a, v, errp);
        return *(void **)out != NULL;
    case QAPI_ANY:
        *(struct jval **)out = jval_copy(v);
        return true;
    }
    return false;
}

void *qapi_parse(const struct qapi_type *t, const struct jval *v, enum qapi_mode mode, Error **errp)
{
    struct at a = { .mode = mode };
    void *obj = NULL;

    return parse_struct(t, &a, v, &obj, errp) ? obj : NULL;
}

bool qapi_check(const struct qapi_type *t, bool list, const struct jval *v, Error **errp)
{
    struct at a = { .mode = QAPI_JSON };
    struct qapi_member m = { .type = t };
    uint64_t scratch[2] = { 0 };
    void **items = NULL;
    bool ok;

    if (list) {
        ok = parse_list(&m, &a, v, &items, errp);
        for (unsigned i = 0; items && items[i]; i++) {
            free_item(t, items[i]);
        }
        g_free(items);
        return ok;
    }
    ok = parse_into(t, &a, v, scratch, errp);
    if (ok) {
        m.has_offset = QAPI_NO_HAS;
        free_member(&m, scratch);
    }
    return ok;
}

/* ---- taking apart and printing ---- */

static void free_member(const struct qapi_member *m, void *obj)
{
    void *field = (char *)obj + m->offset;
    void **items;

    if (m->list) {
        items = *(void ***)field;
        for (unsigned i = 0; items && items[i]; i++) {
            free_item(m->type, items[i]);
        }
        g_free(items);
        return;
    }
    switch (m->type->kind) {
    case QAPI_STR:
    case QAPI_PATH:
    case QAPI_STRING_OBJ:
    case QAPI_STRUCT:
    case QAPI_ANY:
        if (*(void **)field) {
            free_item(m->type, *(void **)field);
        }
        break;
    default:
        break;
    }
}

static void free_members(const struct qapi_type *t, void *obj)
{
    for (const struct qapi_member *m = t->members; m->name; m++) {
        free_member(m, obj);
    }
}

void qapi_free(const struct qapi_type *t, void *obj)
{
    const struct qapi_type *branch;

    if (!obj) {
        return;
    }
    branch = branch_of(t, obj);
    if (branch) {
        free_members(branch, (char *)obj + t->u_offset);
    }
    free_members(t, obj);
    g_free(obj);
}

static struct jval *item_to_jval(const struct qapi_type *t, void *item)
{
    switch (t->kind) {
    case QAPI_STR:
    case QAPI_PATH:
        return jval_str(item);
    case QAPI_STRING_OBJ: {
        struct jval *d = jval_dict();

        jval_set_str(d, "str", item);
        return d;
    }
    case QAPI_STRUCT:
        return qapi_to_jval(t, item);
    default:
        return jval_copy(item);
    }
}

static struct jval *int_to_jval(const struct qapi_type *t, const void *f)
{
    switch (t->size) {
    case 1:
        return jval_int(t->is_signed ? *(const int8_t *)f : *(const uint8_t *)f);
    case 2:
        return jval_int(t->is_signed ? *(const int16_t *)f : *(const uint16_t *)f);
    case 4:
        return jval_int(t->is_signed ? *(const int32_t *)f : (int64_t)*(const uint32_t *)f);
    default:
        return t->is_signed ? jval_int(*(const int64_t *)f) : jval_uint(*(const uint64_t *)f);
    }
}

/* NULL: absent */
static struct jval *member_to_jval(const struct qapi_member *m, const void *obj)
{
    const void *field = (const char *)obj + m->offset;

    if (m->list) {
        void *const *items = *(void *const *const *)field;
        struct jval *l = items ? jval_list() : NULL;

        for (unsigned i = 0; items && items[i]; i++) {
            jval_append(l, item_to_jval(m->type, items[i]));
        }
        return l;
    }
    if (m->has_offset != QAPI_NO_HAS && !*(const bool *)((const char *)obj + m->has_offset)) {
        return NULL;
    }
    switch (m->type->kind) {
    case QAPI_BOOL:
        return jval_bool(*(const bool *)field);
    case QAPI_INT:
        return int_to_jval(m->type, field);
    case QAPI_SIZE:
        return jval_uint(*(const uint64_t *)field);
    case QAPI_NUMBER:
        return jval_double(*(const double *)field);
    case QAPI_ENUM:
        return jval_str(qapi_enum_name(m->type, *(const int *)field));
    default:
        return *(void *const *)field ? item_to_jval(m->type, *(void *const *)field) : NULL;
    }
}

static void members_to_jval(const struct qapi_type *t, const void *obj, struct jval *dict)
{
    for (const struct qapi_member *m = t->members; m->name; m++) {
        struct jval *v = member_to_jval(m, obj);

        if (v) {
            jval_set(dict, m->name, v);
        }
    }
}

struct jval *qapi_to_jval(const struct qapi_type *t, const void *obj)
{
    struct jval *dict = jval_dict();
    const struct qapi_type *branch = branch_of(t, obj);

    members_to_jval(t, obj, dict);
    if (branch) {
        members_to_jval(branch, (const char *)obj + t->u_offset, dict);
    }
    return dict;
}
