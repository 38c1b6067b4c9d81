/* SPDX-License-Identifier: BSD-2-Clause */
/* softmmu/qapi/keyval_internal.h - what keyval.c and visit.c agree on */
#ifndef QAPI_KEYVAL_INTERNAL_H
#define QAPI_KEYVAL_INTERNAL_H

/* The value of a bare word. It has a control character in it that argv could only carry on purpose; it then reads as "on". */
#define KEYVAL_SWITCH_ON "\001on"

#endif
