/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * softmmu/monitor/session.h - what every monitor has: a chardev and a bounded output
 */
#ifndef MONITOR_SESSION_H
#define MONITOR_SESSION_H

#include "chardev/chardev.h"
#include "monitor/monitor.h"
#include "qapi/schema.h"

struct session;

struct session_ops {
    void (*event)(struct session *s, enum qapi_event ev, const char *json_line);    /* NULL: does not care */
    void (*free)(struct session *s);
};

struct session {
    const struct session_ops *ops;
    struct chardev *chr;
    GString *out;               /* not yet taken by the chardev */
    uint64_t dropped;           /* events that found no room */
};

void session_init(struct session *s, const struct session_ops *ops, struct chardev *chr);
void session_fini(struct session *s);
/** session_put() - queue and send as far as it goes */
void session_put(struct session *s, const char *text, size_t len);
void session_flush(struct session *s);
/** session_room() - the client reads: requests may be taken */
bool session_room(const struct session *s);
/** session_list_add() - false: there are MONITOR_MAX already */
bool session_list_add(struct session *s, Error **errp);

/** monitor_options() - the command line of this process; NULL in tests */
const struct vm_options *monitor_options(void);

/* events.c */
void events_init(void);
void events_fini(void);
/** events_deliver() - monitor.c: a finished line to every session */
void events_deliver(enum qapi_event ev, const char *json_line);

#endif
