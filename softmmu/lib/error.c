/* SPDX-License-Identifier: BSD-2-Clause */
/* softmmu/lib/error.c - errors as values, and the three ways to tell a person something on stderr */
#include "lib/error.h"
#include <stdio.h>
#include <string.h>

struct Error {
    enum error_class cls;
    char *text;
    GString *hints;     /* NULL: none */
};

static char *program_name;

static void G_GNUC_PRINTF(4, 0) error_setv(Error **errp, enum error_class cls, int err, const char *fmt, va_list ap)
{
    Error *e;

    if (!errp || *errp) {
        return;         /* the first error is the cause */
    }
    e = g_new0(Error, 1);
    e->cls = cls;
    e->text = g_strdup_vprintf(fmt, ap);
    if (err) {
        char *t = g_strdup_printf("%s: %s", e->text, g_strerror(err));

        g_free(e->text);
        e->text = t;
    }
    *errp = e;
}

void error_setg(Error **errp, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    error_setv(errp, ERROR_GENERIC, 0, fmt, ap);
    va_end(ap);
}

void error_setg_errno(Error **errp, int err, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    error_setv(errp, ERROR_GENERIC, err, fmt, ap);
    va_end(ap);
}

void error_set(Error **errp, enum error_class cls, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    error_setv(errp, cls, 0, fmt, ap);
    va_end(ap);
}

void error_hint(Error **errp, const char *fmt, ...)
{
    va_list ap;

    if (!errp || !*errp) {
        return;
    }
    if (!(*errp)->hints) {
        (*errp)->hints = g_string_new(NULL);
    }
    va_start(ap, fmt);
    g_string_append_vprintf((*errp)->hints, fmt, ap);
    va_end(ap);
}

void error_prepend(Error **errp, const char *fmt, ...)
{
    va_list ap;
    char *head, *t;

    if (!errp || !*errp) {
        return;
    }
    va_start(ap, fmt);
    head = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    t = g_strconcat(head, (*errp)->text, NULL);
    g_free((*errp)->text);
    (*errp)->text = t;
    g_free(head);
}

void error_propagate(Error **errp, Error *err)
{
    if (errp && !*errp) {
        *errp = err;
    } else {
        error_free(err);
    }
}

const char *error_text(const Error *err)
{
    return err->text;
}

const char *error_hints(const Error *err)
{
    return err->hints ? err->hints->str : "";
}

enum error_class error_class(const Error *err)
{
    return err->cls;
}

const char *error_class_name(enum error_class cls)
{
    static const char *const names[] = {
        [ERROR_GENERIC] = "GenericError",
        [ERROR_COMMAND_NOT_FOUND] = "CommandNotFound",
        [ERROR_DEVICE_NOT_FOUND] = "DeviceNotFound",
        [ERROR_DEVICE_NOT_ACTIVE] = "DeviceNotActive",
        [ERROR_KVM_MISSING_CAP] = "KVMMissingCap",
    };

    return names[cls];
}

void error_free(Error *err)
{
    if (err) {
        g_free(err->text);
        if (err->hints) {
            g_string_free(err->hints, TRUE);
        }
        g_free(err);
    }
}

void error_set_program(const char *argv0)
{
    g_free(program_name);
    program_name = g_path_get_basename(argv0);
}

const char *error_program(void)
{
    return program_name ? program_name : "patchbay-system-x86_64";
}

static void G_GNUC_PRINTF(2, 0) report(const char *kind, const char *fmt, va_list ap)
{
    char *text = g_strdup_vprintf(fmt, ap);
    char *line = g_strdup_printf("%s: %s%s\n", error_program(), kind, text);

    /* one write, so that lines of several threads or processes do not mix */
    fputs(line, stderr);
    fflush(stderr);
    g_free(line);
    g_free(text);
}

void error_report(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    report("", fmt, ap);
    va_end(ap);
}

void warn_report(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    report("warning: ", fmt, ap);
    va_end(ap);
}

void info_report(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    report("info: ", fmt, ap);
    va_end(ap);
}

void error_report_err(Error *err)
{
    error_report("%s", error_text(err));
    fputs(error_hints(err), stderr);
    error_free(err);
}
