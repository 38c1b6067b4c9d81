/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * softmmu/monitor/qmp.c - a QMP session
 *
 *   NEGOTIATING --qmp_capabilities--> COMMANDS       a new connection starts again
 *
 * Requests are parsed as they come and wait in a queue; a bottom half carries them out one after the other while the
 * client reads its replies. Nothing more is read while the queue is not empty or the output is full, so one chunk of
 * input is the most that can wait. With the capability "oob" reading goes on up to OOB_QUEUE requests, and "exec-oob"
 * is carried out at once.
 */
#include "qmp.h"
#include "core/loop.h"
#include "session.h"
#include <string.h>
#include <unistd.h>

#define READ_CHUNK 4096
#define OOB_QUEUE  8
#define LINE_END   "\r\n"

struct request {
    struct jval *id;            /* or NULL */
    struct jval *v;             /* NULL: broken, see err */
    Error *err;
};

struct qmp_session {
    struct session s;
    struct jparser *parser;
    bool open;                  /* somebody is connected and has been greeted */
    bool negotiated, oob, pretty;
    GQueue queue;               /* of struct request */
    struct bh bh;
};

static void send_value(struct qmp_session *q, const struct jval *v)
{
    char *text = jval_to_text(v, q->pretty), *line = g_strconcat(text, LINE_END, NULL);

    session_put(&q->s, line, strlen(line));
    g_free(line);
    g_free(text);
}

static void send_greeting(struct qmp_session *q)
{
    struct jval *g = jval_dict(), *m = jval_dict(), *ver = NULL, *caps = jval_list();
    struct qmp_call call = { q };

    qmp_query_version(&call, NULL, &ver, NULL);
    jval_set(m, "version", ver);
    jval_append(caps, jval_str("oob"));
    jval_set(m, "capabilities", caps);
    jval_set(g, "QMP", m);
    send_value(q, g);
    jval_free(g);
}

/* Takes @ret and @err; @id is borrowed. */
static void send_reply(struct qmp_session *q, struct jval *ret, Error *err, const struct jval *id)
{
    struct jval *r = jval_dict();

    if (err) {
        struct jval *e = jval_dict();

        jval_set_str(e, "class", error_class_name(error_class(err)));
        jval_set_str(e, "desc", error_text(err));
        jval_set(r, "error", e);
        error_free(err);
    } else {
        jval_set(r, "return", ret);
    }
    if (id) {
        jval_set(r, "id", jval_copy(id));
    }
    send_value(q, r);
    jval_free(r);
}

/* The command's name if the request is well-formed; *oob says how it is to be run. */
static const char *check_request(struct qmp_session *q, const struct jval *v, const struct jval **args, bool *oob,
                                 Error **errp)
{
    const struct jval *name = NULL;

    *args = NULL;
    *oob = false;
    if (jval_type(v) != JVAL_DICT) {
        error_setg(errp, "QMP input must be a JSON object");
        return NULL;
    }
    for (unsigned i = 0; i < jval_len(v); i++) {
        const char *key = jval_key_at(v, i);
        const struct jval *m = jval_at(v, i);

        if (!strcmp(key, "execute") || (!strcmp(key, "exec-oob") && q->oob)) {
            if (jval_type(m) != JVAL_STR) {
                error_setg(errp, "QMP input member '%s' must be a string", key);
                return NULL;
            }
            if (name) {
                error_setg(errp, "QMP input member '%s' clashes with '%s'", key, *oob ? "exec-oob" : "execute");
                return NULL;
            }
            name = m;
            *oob = key[4] == '-';
        } else if (!strcmp(key, "arguments")) {
            if (jval_type(m) != JVAL_DICT) {
                error_setg(errp, "QMP input member 'arguments' must be an object");
                return NULL;
            }
            *args = m;
        } else if (strcmp(key, "id")) {
            error_setg(errp, "QMP input member '%s' is unexpected", key);
            return NULL;
        }
    }
    if (!name) {
        error_setg(errp, "QMP input lacks member 'execute'");
        return NULL;
    }
    return jval_str_of(name);
}

static bool may_run(struct qmp_session *q, const char *name, Error **errp)
{
    bool negotiates = !strcmp(name, "qmp_capabilities");

    if (!q->negotiated && !negotiates) {
        error_set(errp, ERROR_COMMAND_NOT_FOUND, "Expecting capabilities negotiation with 'qmp_capabilities'");
        return false;
    }
    if (q->negotiated && negotiates) {
        error_set(errp, ERROR_COMMAND_NOT_FOUND, "Capabilities negotiation is already complete, command ignored");
        return false;
    }
    return true;
}

static void execute(struct qmp_session *q, const struct jval *v, Error *broken)
{
    const struct jval *args = NULL, *id = v ? jval_get(v, "id") : NULL;
    struct qmp_call call = { q };
    Error *err = broken;
    struct jval *ret = NULL;
    const char *name;
    bool oob;

    if (v) {
        name = check_request(q, v, &args, &oob, &err);
        if (name && may_run(q, name, &err)) {
            ret = qmp_dispatch(&call, name, args, oob, &err);
        }
    }
    send_reply(q, ret, err, id);
}

static void request_free(void *p)
{
    struct request *r = p;

    jval_free(r->v);
    error_free(r->err);
    g_free(r);
}

/* One request a run, so that other work of the main loop gets its turn. */
static void run_queue(void *opaque)
{
    struct qmp_session *q = opaque;
    struct request *r;

    if (!session_room(&q->s) || !(r = g_queue_pop_head(&q->queue))) {
        return;
    }
    execute(q, r->v, g_steal_pointer(&r->err));
    request_free(r);
    if (q->queue.length) {
        bh_schedule(&q->bh);
    }
    chardev_accept_input(q->s.chr);
}

static bool is_oob(const struct qmp_session *q, const struct jval *v)
{
    return q->oob && v && jval_get(v, "exec-oob");
}

static void on_value(void *opaque, struct jval *v, const char *error)
{
    struct qmp_session *q = opaque;
    struct request *r;

    if (is_oob(q, v)) {
        execute(q, v, NULL);
        jval_free(v);
        return;
    }
    r = g_new0(struct request, 1);
    r->v = v;
    if (error) {
        error_setg(&r->err, "%s", error);
    }
    g_queue_push_tail(&q->queue, r);
    bh_schedule(&q->bh);
}

/* ---- chardev ---- */

static size_t can_read(void *opaque)
{
    struct qmp_session *q = opaque;
    unsigned limit = q->oob ? OOB_QUEUE : 1;

    return q->queue.length < limit && session_room(&q->s) ? READ_CHUNK : 0;
}

static void on_read(void *opaque, const uint8_t *buf, size_t len)
{
    jparser_feed(((struct qmp_session *)opaque)->parser, buf, len);
}

static void reset(struct qmp_session *q)
{
    int fd;

    while ((fd = chardev_recv_fd(q->s.chr)) >= 0) {         /* of the client before */
        close(fd);
    }
    g_queue_clear_full(&q->queue, request_free);
    jparser_free(q->parser);
    q->parser = jparser_new(on_value, q);
    g_string_set_size(q->s.out, 0);
    q->negotiated = q->oob = false;
}

static void on_chr_event(void *opaque, enum chardev_event ev)
{
    struct qmp_session *q = opaque;

    if (ev == CHARDEV_OPENED) {
        reset(q);
        q->open = true;
        send_greeting(q);
    } else if (ev == CHARDEV_CLOSED) {
        q->open = false;
        /* requests that came before the hang-up are still carried out ("echo ... | nc"); replies go nowhere */
    }
}

static void on_writable(void *opaque)
{
    struct qmp_session *q = opaque;

    session_flush(&q->s);
    if (q->queue.length && session_room(&q->s)) {
        bh_schedule(&q->bh);
    }
    chardev_accept_input(q->s.chr);
}

static const struct chardev_fe_ops fe_ops = {
    .can_read = can_read,
    .read = on_read,
    .event = on_chr_event,
    .writable = on_writable,
};

/* ---- the session ---- */

static void on_event(struct session *s, enum qapi_event ev, const char *json_line)
{
    struct qmp_session *q = (struct qmp_session *)s;

    if (!q->open || !q->negotiated) {
        return;
    }
    if (q->pretty) {
        struct jval *v = jval_parse(json_line, NULL);

        send_value(q, v);
        jval_free(v);
    } else {
        char *line = g_strconcat(json_line, LINE_END, NULL);

        session_put(s, line, strlen(line));
        g_free(line);
    }
}

static void qmp_free(struct session *s)
{
    struct qmp_session *q = (struct qmp_session *)s;

    chardev_detach(s->chr, q);
    bh_fini(&q->bh);
    g_queue_clear_full(&q->queue, request_free);
    jparser_free(q->parser);
    session_fini(s);
    g_free(q);
}

static const struct session_ops ops = { .event = on_event, .free = qmp_free };

bool monitor_new_qmp(struct chardev *c, bool pretty, Error **errp)
{
    struct qmp_session *q = g_new0(struct qmp_session, 1);

    session_init(&q->s, &ops, c);
    q->pretty = pretty;
    q->parser = jparser_new(on_value, q);
    g_queue_init(&q->queue);
    bh_init(&q->bh, "qmp", run_queue, q);
    if (!session_list_add(&q->s, errp)) {
        qmp_free(&q->s);
        return false;
    }
    /* if not: the program ends, monitor_cleanup() frees what is in the list */
    return chardev_attach(c, &fe_ops, q, errp);
}

bool qmp_session_negotiate(struct qmp_session *q, bool oob, Error **errp)
{
    if (q) {
        q->negotiated = true;
        q->oob = oob;
    }
    return true;
}

int qmp_session_recv_fd(struct qmp_session *q)
{
    return q ? chardev_recv_fd(q->s.chr) : -1;
}
