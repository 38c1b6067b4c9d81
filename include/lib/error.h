/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lib/error.h - errors as values: which thing, which value, why
 *
 * A function that can fail takes `Error **errp` last and returns bool (or a pointer): false (NULL) <=> *errp is set.
 * errp may be NULL when the caller does not want the text. Only main() and the monitors print.
 */
#ifndef LIB_ERROR_H
#define LIB_ERROR_H

#include <glib.h>
#include <stdarg.h>
#include <stdbool.h>

typedef struct Error Error;

/* The class word that QMP clients see; everything else is GenericError. */
enum error_class {
    ERROR_GENERIC,          /* GenericError */
    ERROR_COMMAND_NOT_FOUND,/* CommandNotFound */
    ERROR_DEVICE_NOT_FOUND, /* DeviceNotFound */
    ERROR_DEVICE_NOT_ACTIVE,/* DeviceNotActive */
    ERROR_KVM_MISSING_CAP,  /* KVMMissingCap */
};

/** error_setg() - set *errp to a new error; the text has no prefix and no final full stop or newline */
void error_setg(Error **errp, const char *fmt, ...) G_GNUC_PRINTF(2, 3);
/** error_setg_errno() - as error_setg(), with ": strerror(err)" appended */
void error_setg_errno(Error **errp, int err, const char *fmt, ...) G_GNUC_PRINTF(3, 4);
/** error_set() - as error_setg(), with a class of its own */
void error_set(Error **errp, enum error_class cls, const char *fmt, ...) G_GNUC_PRINTF(3, 4);
/** error_hint() - append lines that help a person (printed below the message, not sent over QMP) */
void error_hint(Error **errp, const char *fmt, ...) G_GNUC_PRINTF(2, 3);
/** error_prepend() - put text before the message of *errp; nothing happens when errp or *errp is NULL */
void error_prepend(Error **errp, const char *fmt, ...) G_GNUC_PRINTF(2, 3);
/** error_propagate() - move @err (may be NULL) to *errp, or free it when errp is NULL or already set */
void error_propagate(Error **errp, Error *err);

const char *error_text(const Error *err);
/** error_hints() - the hint lines, or "" */
const char *error_hints(const Error *err);
enum error_class error_class(const Error *err);
/** error_class_name() - as QMP spells it */
const char *error_class_name(enum error_class cls);
void error_free(Error *err);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Error, error_free)

/* Messages to a person on stderr: "PROGRAM: text", "PROGRAM: warning: text". PROGRAM is set once by main(). */
void error_set_program(const char *argv0);
const char *error_program(void);
void error_report(const char *fmt, ...) G_GNUC_PRINTF(1, 2);
void warn_report(const char *fmt, ...) G_GNUC_PRINTF(1, 2);
void info_report(const char *fmt, ...) G_GNUC_PRINTF(1, 2);
/** error_report_err() - print @err with its hints and free it */
void error_report_err(Error *err);

#endif
