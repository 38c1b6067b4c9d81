/* SPDX-License-Identifier: BSD-2-Clause */
/* qapi/schema.h - tables of every command, event and option (made from softmmu/qapi/ *.json), and where events go */
#ifndef QAPI_SCHEMA_H
#define QAPI_SCHEMA_H

#include "qapi/qapi-types.h"

struct qapi_command {
    const char *name;               /* NULL ends the table, which is sorted by name */
    const struct qapi_type *arg;    /* NULL: takes no arguments */
    const struct qapi_type *ret;    /* NULL: returns an empty object */
    bool ret_list;
    bool allow_oob;
    bool raw;                       /* the handler gets the arguments as a dict, unchecked beyond that */
    const char *doc;
};

struct qapi_event_info {
    const char *name;
    const struct qapi_type *arg;
    /* at least this long between two of them (with the same "id" or "name"); 0: no limit */
    unsigned rate_ms;
};

struct qapi_option {
    const char *name;               /* without '-'; NULL ends the table */
    const char *arg;                /* what help shows after the name; NULL: takes no argument */
    const struct qapi_type *type;   /* of the argument, or NULL: plain text */
    const char *implied;            /* key of a first bare word */
    const char *const *aliases;     /* or NULL */
    const char *group;              /* heading in -help; NULL: as the one before */
    const char *doc;
    bool unbuilt;                   /* known, but this program cannot do it (yet) */
    const char *removed;            /* gone for long: what to write instead */
};

extern const struct qapi_command qapi_commands[];
extern const struct qapi_event_info qapi_events[];
extern const struct qapi_option qapi_options[];
/* the reply of query-qmp-schema */
extern const char qapi_schema_json[];

/** qapi_find_command() - NULL: none */
const struct qapi_command *qapi_find_command(const char *name);

/**
 * qapi_event_emit() - tell every management client
 * @data: taken; NULL for an event without data
 * Any layer; machine lock held. Nothing happens while no monitor has registered.
 */
void qapi_event_emit(enum qapi_event ev, struct jval *data);

typedef void qapi_event_sink(void *opaque, enum qapi_event ev, struct jval *data);
/** qapi_event_set_sink() - one sink (the monitor); it takes @data. NULL: none */
void qapi_event_set_sink(qapi_event_sink *fn, void *opaque);

#endif
