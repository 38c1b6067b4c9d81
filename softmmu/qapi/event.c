/* SPDX-License-Identifier: BSD-2-Clause */
/* softmmu/qapi/event.c - from whoever knows to whoever listens: the one sink of events; and the search for a command */
#include "qapi/schema.h"
#include <string.h>

static qapi_event_sink *sink;
static void *sink_opaque;

void qapi_event_set_sink(qapi_event_sink *fn, void *opaque)
{
    sink = fn;
    sink_opaque = opaque;
}

void qapi_event_emit(enum qapi_event ev, struct jval *data)
{
    if (sink) {
        sink(sink_opaque, ev, data);
    } else {
        jval_free(data);
    }
}

const struct qapi_command *qapi_find_command(const char *name)
{
    for (const struct qapi_command *c = qapi_commands; c->name; c++) {
        if (!strcmp(c->name, name)) {
            return c;
        }
    }
    return NULL;
}
