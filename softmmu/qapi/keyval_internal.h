/* SPDX-License-Identifier: BSD-2-Clause */
/* softmmu/qapi/keyval_internal.h - what keyval.c, visit.c and names.c agree on */
#ifndef QAPI_KEYVAL_INTERNAL_H
#define QAPI_KEYVAL_INTERNAL_H

/*
 * The value of a bare word. It has a control character in it that argv could only carry on purpose; it then reads
 * as "on".
 */
#define KEYVAL_SWITCH_ON "\001on"

struct qapi_type;
/** qapi_nearest_in() - member of @t, or of @branch (may be NULL), whose name is closest to @name; NULL: none is near */
const char *qapi_nearest_in(const struct qapi_type *t, const struct qapi_type *branch, const char *name);

#endif
