/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * softmmu/qapi/names.c - names of enum values and members, help texts made of them, and the nearest name to a
 * misspelt one
 */
#include "keyval_internal.h"
#include "qapi/visit.h"
#include <string.h>

static const struct qapi_member *find_in(const struct qapi_member *m, const char *name)
{
    for (; m && m->name; m++) {
        if (!strcmp(m->name, name)) {
            return m;
        }
    }
    return NULL;
}

const char *qapi_enum_name(const struct qapi_type *t, int value)
{
    for (int i = 0; t->values[i]; i++) {
        if (i == value) {
            return t->values[i];
        }
    }
    return "?";
}

int qapi_enum_parse(const struct qapi_type *t, const char *name)
{
    for (int i = 0; t->values[i]; i++) {
        if (!strcmp(t->values[i], name)) {
            return i;
        }
    }
    return -1;
}

const struct qapi_member *qapi_find_member(const struct qapi_type *t, const char *name)
{
    return find_in(t->members, name);
}

char *qapi_type_word(const struct qapi_type *t)
{
    switch (t->kind) {
    case QAPI_BOOL:
        return g_strdup("on|off");
    case QAPI_ENUM:
        return g_strjoinv("|", (char **)t->values);
    case QAPI_STRING_OBJ:
        return g_strdup("str");
    default:
        return g_strdup(t->name);
    }
}

static void help_members(GString *out, const char *prefix, const struct qapi_type *t, const char *skip)
{
    for (const struct qapi_member *m = t->members; m->name; m++) {
        char *word, *left;

        if (skip && !strcmp(m->name, skip)) {
            continue;
        }
        if (m->type->kind == QAPI_STRUCT && !m->list) {
            char *sub = g_strdup_printf("%s%s.", prefix, m->name);

            help_members(out, sub, m->type, NULL);
            for (int b = 0; m->type->discriminator && find_in(m->type->members,
                                                              m->type->discriminator)->type->values[b]; b++) {
                if (m->type->branches[b]) {
                    help_members(out, sub, m->type->branches[b], NULL);
                }
            }
            g_free(sub);
            continue;
        }
        word = qapi_type_word(m->type);
        left = g_strdup_printf("%s%s=<%s>%s", prefix, m->name, word, m->list ? "..." : "");
        if (m->doc) {
            g_string_append_printf(out, "  %-30s - %s\n", left, m->doc);
        } else {
            g_string_append_printf(out, "  %s\n", left);
        }
        g_free(left);
        g_free(word);
    }
}

char *qapi_help(const struct qapi_type *t, int branch)
{
    GString *out = g_string_new(NULL);

    help_members(out, "", t, branch >= 0 ? t->discriminator : NULL);
    if (branch >= 0 && t->discriminator && t->branches[branch]) {
        help_members(out, "", t->branches[branch], NULL);
    }
    return g_string_free(out, FALSE);
}

/* Edits (insert, delete, replace, swap neighbours) between two short words; more than the limit counts as 99. */
unsigned qapi_word_distance(const char *a, const char *b)
{
    enum { MAX = 32 };
    unsigned d[MAX + 1][MAX + 1];
    size_t la = strlen(a), lb = strlen(b);

    if (la > MAX || lb > MAX) {
        return 99;
    }
    for (size_t i = 0; i <= la; i++) {
        for (size_t j = 0; j <= lb; j++) {
            unsigned best;

            if (!i || !j) {
                d[i][j] = (unsigned)(i + j);
                continue;
            }
            best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            best = MIN(best, MIN(d[i - 1][j], d[i][j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                best = MIN(best, d[i - 2][j - 2] + 1);
            }
            d[i][j] = best;
        }
    }
    return d[la][lb];
}

static void nearest_in(const struct qapi_type *t, const char *name, const char **best, unsigned *dist)
{
    for (const struct qapi_member *m = t->members; m && m->name; m++) {
        unsigned d = qapi_word_distance(m->name, name);

        if (d < *dist) {
            *dist = d;
            *best = m->name;
        }
    }
}

const char *qapi_nearest_in(const struct qapi_type *t, const struct qapi_type *branch, const char *name)
{
    unsigned dist = strlen(name) > 4 ? 3 : 2;       /* less than this many edits */
    const char *best = NULL;

    nearest_in(t, name, &best, &dist);
    if (branch) {
        nearest_in(branch, name, &best, &dist);
    }
    return best;
}

const char *qapi_nearest(const struct qapi_type *t, const char *name)
{
    return qapi_nearest_in(t, NULL, name);
}
