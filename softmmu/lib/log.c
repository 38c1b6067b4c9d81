/* SPDX-License-Identifier: BSD-2-Clause */
/* softmmu/lib/log.c - the -d log, with a bound on what a guest can make it write */
#include "lib/log.h"
#include "lib/bits.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define GUEST_BYTES_PER_MINUTE (64 * KiB)

uint32_t log_mask;

static GMutex log_lock;         /* guards everything below */
static FILE *log_file;          /* NULL: stderr */
static int64_t guest_window_us; /* start of the present minute */
static uint64_t guest_bytes;    /* written in it by log_guest() */
static uint64_t guest_lost;     /* lines not written in it */

/* -dfilter; set before any thread that logs */
#define FILTERS_MAX 32
static struct log_range { uint64_t first, last; } filters[FILTERS_MAX];
static unsigned n_filters;

static const struct { const char *word; uint32_t mask; const char *help; } cats[] = {
    { "out_asm",     LOG_OUT_ASM,     "host code of each translated block" },
    { "in_asm",      LOG_IN_ASM,      "guest instructions of each block when it is decoded" },
    { "op",          LOG_OP,          "decoded records of each block" },
    { "op_opt",      LOG_OP,          "the same: a record is written as the passes leave it" },
    { "int",         LOG_INT,         "exceptions and interrupts" },
    { "exec",        LOG_EXEC,        "each block that is entered by way of the engine (slow)" },
    { "cpu",         LOG_CPU,         "CPU registers before each block (slow)" },
    { "fpu",         0,               "nothing more: cpu has all registers" },
    { "mmu",         LOG_MMU,         "page faults and TLB flushes" },
    { "pcall",       LOG_PCALL,       "far calls, returns and task switches in protected mode" },
    { "cpu_reset",   LOG_CPU_RESET,   "CPU registers at each reset" },
    { "unimp",       LOG_UNIMP,       "what the guest asked for and is not implemented" },
    { "guest_errors", LOG_GUEST_ERROR, "invalid operations of the guest" },
    { "nochain",     LOG_NOCHAIN,     "blocks go through the engine, so that exec and cpu see each of them" },
    { "trace",       LOG_TRACE,       "device events" },
    { "net",         LOG_STRACE_NET,  "each frame at the network clients" },
};

bool log_parse(const char *words, uint32_t *mask, const char **bad)
{
    g_auto(GStrv) w = g_strsplit(words, ",", 0);

    *mask = 0;
    for (unsigned i = 0; w[i]; i++) {
        unsigned k;

        if (!strcmp(w[i], "all")) {
            *mask |= ~(uint32_t)LOG_NOCHAIN;
            continue;
        }
        if (!strcmp(w[i], "none")) {
            continue;
        }
        for (k = 0; k < ARRAY_LEN(cats) && strcmp(cats[k].word, w[i]); k++) {
        }
        if (k == ARRAY_LEN(cats)) {
            *bad = strstr(words, w[i]);
            return false;
        }
        *mask |= cats[k].mask;
    }
    return true;
}

char *log_help(void)
{
    GString *s = g_string_new("Log items (comma separated):\n");

    for (unsigned k = 0; k < ARRAY_LEN(cats); k++) {
        g_string_append_printf(s, "%-15s %s\n", cats[k].word, cats[k].help);
    }
    return g_string_free(s, FALSE);
}

/* --- -dfilter ------------------------------------------------------------------------------------------------------- */

/* One range, see log_set_filter(). What QEMU says about a wrong one */
static bool parse_range(const char *s, struct log_range *r, Error **errp)
{
    static const char *const ops[] = { "..", "+", "-" };
    uint64_t a, b;
    char *end, *rest;
    unsigned op;

    a = g_ascii_strtoull(s, &end, 0);
    for (op = 0; op < ARRAY_LEN(ops) && !g_str_has_prefix(end, ops[op]); op++) {
    }
    if (!g_ascii_isdigit(*s) || op == ARRAY_LEN(ops)) {
        error_setg(errp, "Bad range specifier");
        return false;
    }
    end += strlen(ops[op]);
    b = g_ascii_strtoull(end, &rest, 0);
    if (!g_ascii_isdigit(*end) || *rest) {
        error_setg(errp, "Invalid number to the right of %s", ops[op]);
        return false;
    }
    if (op == 0) {
        *r = (struct log_range){ a, b };
    } else if (op == 1) {
        *r = (struct log_range){ a, b ? a + b - 1 : a - 1 };
    } else {
        *r = (struct log_range){ b ? a - (b - 1) : a + 1, a };
    }
    if (r->first > r->last) {
        error_setg(errp, "Invalid range");
        return false;
    }
    return true;
}

bool log_set_filter(const char *ranges, Error **errp)
{
    g_auto(GStrv) w = g_strsplit(ranges, ",", 0);
    struct log_range r;

    n_filters = 0;
    for (unsigned i = 0; w[i]; i++) {
        if (n_filters == FILTERS_MAX) {
            error_setg(errp, "more than %d ranges", FILTERS_MAX);
            return false;
        }
        if (!parse_range(w[i], &r, errp)) {
            return false;
        }
        filters[n_filters++] = r;
    }
    return true;
}

bool log_filter(uint64_t addr)
{
    for (unsigned i = 0; i < n_filters; i++) {
        if (addr >= filters[i].first && addr <= filters[i].last) {
            return true;
        }
    }
    return !n_filters;
}

/* --- output --------------------------------------------------------------------------------------------------------- */

/* "%d" in the name is the process id, as for QEMU: a log each of many machines started alike. Anything else stands for itself */
static FILE *open_log(const char *path)
{
    const char *pid = strstr(path, "%d");
    g_autofree char *name = pid ? g_strdup_printf("%.*s%d%s", (int)(pid - path), path, (int)getpid(), pid + 2) :
                            g_strdup(path);

    return fopen(name, "we");
}

bool log_set(uint32_t mask, const char *path)
{
    if (path) {
        FILE *f = open_log(path);

        if (!f) {
            return false;
        }
        setvbuf(f, NULL, _IOLBF, 0);
        g_mutex_lock(&log_lock);
        if (log_file) {
            fclose(log_file);
        }
        log_file = f;
        g_mutex_unlock(&log_lock);
    }
    __atomic_store_n(&log_mask, mask, __ATOMIC_RELAXED);
    return true;
}

static void G_GNUC_PRINTF(1, 0) put_line(const char *fmt, va_list ap, bool limited)
{
    char *text = g_strdup_vprintf(fmt, ap);
    size_t len = strlen(text);
    FILE *f;

    g_mutex_lock(&log_lock);
    f = log_file ? log_file : stderr;
    if (limited) {
        int64_t now = g_get_monotonic_time();

        if (now - guest_window_us >= G_USEC_PER_SEC * 60) {
            if (guest_lost) {
                fprintf(f, "(%" G_GUINT64_FORMAT " lines about the guest were not written)\n", guest_lost);
            }
            guest_window_us = now;
            guest_bytes = guest_lost = 0;
        }
        if (guest_bytes + len > GUEST_BYTES_PER_MINUTE) {
            guest_lost++;
            g_mutex_unlock(&log_lock);
            g_free(text);
            return;
        }
        guest_bytes += len + 1;
    }
    fputs(text, f);
    if (!len || text[len - 1] != '\n') {
        fputc('\n', f);
    }
    g_mutex_unlock(&log_lock);
    g_free(text);
}

void log_line(uint32_t cat, const char *fmt, ...)
{
    va_list ap;

    if (log_on(cat)) {
        va_start(ap, fmt);
        put_line(fmt, ap, false);
        va_end(ap);
    }
}

void log_guest(uint32_t cat, const char *fmt, ...)
{
    va_list ap;

    if (log_on(cat)) {
        va_start(ap, fmt);
        put_line(fmt, ap, true);
        va_end(ap);
    }
}
