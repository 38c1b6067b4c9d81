/* SPDX-License-Identifier: BSD-2-Clause */
/* softmmu/lib/strparse.c - strict text to value */
#include "lib/strparse.h"
#include <errno.h>
#include <glib.h>
#include <math.h>
#include <string.h>

bool parse_u64(const char *s, uint64_t max, uint64_t *out)
{
    char *end;
    guint64 v;

    if (!g_ascii_isdigit(*s)) {
        return false;
    }
    errno = 0;
    v = g_ascii_strtoull(s, &end, 0);
    if (errno || *end || v > max) {
        return false;
    }
    *out = v;
    return true;
}

bool parse_i64(const char *s, int64_t min, int64_t max, int64_t *out)
{
    char *end;
    gint64 v;

    if (!g_ascii_isdigit(s[*s == '-' || *s == '+'])) {
        return false;
    }
    errno = 0;
    v = g_ascii_strtoll(s, &end, 0);
    if (errno || *end || v < min || v > max) {
        return false;
    }
    *out = v;
    return true;
}

bool parse_bool(const char *s, bool *out)
{
    static const char *const on[] = { "on", "yes", "true", "y", NULL };
    static const char *const off[] = { "off", "no", "false", "n", NULL };

    if (g_strv_contains(on, s)) {
        *out = true;
    } else if (g_strv_contains(off, s)) {
        *out = false;
    } else {
        return false;
    }
    return true;
}

bool parse_size(const char *s, uint64_t unit, uint64_t *out)
{
    static const char suffixes[] = "BKMGTPE";
    const char *suffix;
    double frac = 0;
    char *end;
    guint64 v;

    if (!g_ascii_isdigit(*s)) {
        return false;
    }
    errno = 0;
    v = g_ascii_strtoull(s, &end, g_str_has_prefix(s, "0x") ? 16 : 10);
    if (errno) {
        return false;
    }
    if (*end == '.' && !g_str_has_prefix(s, "0x")) {
        const char *f = end;

        frac = g_ascii_strtod(f, &end);
        if (end == f || !(frac >= 0 && frac < 1)) {
            return false;
        }
    }
    if (*end) {
        suffix = strchr(suffixes, g_ascii_toupper(*end));
        if (!suffix || end[1]) {
            return false;
        }
        unit = 1ULL << (10 * (suffix - suffixes));
    }
    if (__builtin_mul_overflow(v, unit, &v) || __builtin_add_overflow(v, (uint64_t)(frac * (double)unit), &v)) {
        return false;
    }
    *out = v;
    return true;
}

bool parse_mac(const char *s, bool strict, uint8_t mac[6])
{
    char sep = 0;

    for (int i = 0; i < 6; i++) {
        int v = 0, digits = 0;

        while (digits < 2 && g_ascii_isxdigit(*s)) {
            v = v * 16 + g_ascii_xdigit_value(*s++);
            digits++;
        }
        if (!digits || (strict && digits != 2)) {
            return false;
        }
        mac[i] = (uint8_t)v;
        if (i == 5) {
            break;
        }
        if ((*s != ':' && *s != '-') || (sep && *s != sep)) {
            return false;
        }
        sep = *s++;
    }
    return !*s;
}

bool id_wellformed(const char *s)
{
    if (!g_ascii_isalpha(*s)) {
        return false;
    }
    for (s++; *s; s++) {
        if (!g_ascii_isalnum(*s) && !strchr("-._", *s)) {
            return false;
        }
    }
    return true;
}
