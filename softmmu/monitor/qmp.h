/* SPDX-License-Identifier: BSD-2-Clause */
/* softmmu/monitor/qmp.h - a command on its way from a session to the function that carries it out */
#ifndef MONITOR_QMP_H
#define MONITOR_QMP_H

#include "qapi/qapi-handlers.h"
#include "qapi/schema.h"

struct qmp_session;

/* What a handler may know of its caller. */
struct qmp_call {
    struct qmp_session *session;    /* NULL: not from a QMP client */
};

typedef bool qmp_fn(struct qmp_call *c, const void *args, struct jval **ret, Error **errp);

/**
 * qmp_dispatch() - find, check arguments, run
 * @args: dict or NULL
 * Return: the value for "return"; NULL: *errp is set
 */
struct jval *qmp_dispatch(struct qmp_call *c, const char *name, const struct jval *args, bool oob, Error **errp);

/** qmp_session_negotiate() - qmp_capabilities */
bool qmp_session_negotiate(struct qmp_session *s, bool oob, Error **errp);
/** qmp_session_recv_fd() - descriptor that came with the command; -1: none */
int qmp_session_recv_fd(struct qmp_session *s);

#endif
