/* SPDX-License-Identifier: BSD-2-Clause */
/* softmmu/chardev/chardev.c - the list of character devices, and the seam between them and their front ends */
#include "chardev_internal.h"
#include "qapi/keyval.h"
#include "lib/strparse.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* In order of creation. One process, one set of names. */
static GList *chardevs;

static const struct chardev_ops *ops_of(ChardevBackendKind kind)
{
    static const struct chardev_ops *const table[CHARDEV_BACKEND_KIND__MAX] = {
        [CHARDEV_BACKEND_KIND_FILE] = &chardev_file_ops,
        [CHARDEV_BACKEND_KIND_MEMORY] = &chardev_ringbuf_ops,
        [CHARDEV_BACKEND_KIND_NULL] = &chardev_null_ops,
        [CHARDEV_BACKEND_KIND_PIPE] = &chardev_pipe_ops,
        [CHARDEV_BACKEND_KIND_PTY] = &chardev_pty_ops,
        [CHARDEV_BACKEND_KIND_RINGBUF] = &chardev_ringbuf_ops,
        [CHARDEV_BACKEND_KIND_SERIAL] = &chardev_serial_ops,
        [CHARDEV_BACKEND_KIND_SOCKET] = &chardev_socket_ops,
        [CHARDEV_BACKEND_KIND_STDIO] = &chardev_stdio_ops,
        [CHARDEV_BACKEND_KIND_UDP] = &chardev_udp_ops,
    };

    return table[kind];
}

static bool open_log(struct chardev *c, const ChardevOptions *o, Error **errp)
{
    if (!o->logfile) {
        return true;
    }
    c->log_fd = open(o->logfile, O_WRONLY | O_CREAT | O_CLOEXEC | (o->logappend ? O_APPEND : O_TRUNC), 0666);
    if (c->log_fd < 0) {
        error_setg_errno(errp, errno, "Unable to open logfile %s", o->logfile);
        return false;
    }
    return true;
}

struct chardev *chardev_new_from(const ChardevOptions *o, Error **errp)
{
    const struct chardev_ops *ops = ops_of(o->backend);
    struct chardev *c;

    if (chardev_find(o->id)) {
        error_setg(errp, "Chardev with id '%s' already exists", o->id);
        return NULL;
    }
    c = g_malloc0(ops->size);
    c->ops = ops;
    c->id = g_strdup(o->id);
    c->log_fd = -1;
    g_queue_init(&c->fds);
    chardevs = g_list_append(chardevs, c);
    if (!open_log(c, o, errp) || !ops->open(c, o, errp)) {
        chardev_free(c);
        return NULL;
    }
    if (o->has_mux && o->mux) {
        chardev_make_mux(c);
    }
    return c;
}

struct chardev *chardev_new(const char *opts, Error **errp)
{
    ChardevOptions *o = opts_parse(&qapi_type_ChardevOptions, opts, "backend", errp);
    struct chardev *c = NULL;

    if (!o) {
        return NULL;
    }
    if (!id_wellformed(o->id)) {
        error_setg(errp, "Parameter 'id' expects an identifier");
        error_hint(errp, "Identifiers consist of letters, digits, '-', '.', '_', starting with a letter.\n");
    } else {
        c = chardev_new_from(o, errp);
    }
    qapi_free_ChardevOptions(o);
    return c;
}

struct chardev *chardev_find(const char *id)
{
    for (GList *l = chardevs; l; l = l->next) {
        struct chardev *c = l->data;

        if (!strcmp(c->id, id)) {
            return c;
        }
    }
    return NULL;
}

void chardev_free(struct chardev *c)
{
    gpointer fd;

    if (!c) {
        return;
    }
    chardevs = g_list_remove(chardevs, c);
    c->fe = NULL;
    c->ops->close(c);
    mux_free(c);
    if (c->log_fd >= 0) {
        close(c->log_fd);
    }
    while ((fd = g_queue_pop_head(&c->fds))) {
        close(GPOINTER_TO_INT(fd) - 1);
    }
    g_free(c->id);
    g_free(c);
}

void chardev_free_all(void)
{
    while (chardevs) {
        chardev_free(g_list_last(chardevs)->data);
    }
}

const char *chardev_id(const struct chardev *c)
{
    return c->id;
}

char *chardev_describe(const struct chardev *c)
{
    return c->ops->describe(c);
}

void chardev_foreach(void (*fn)(struct chardev *c, void *opaque), void *opaque)
{
    GList *next;

    for (GList *l = chardevs; l; l = next) {
        next = l->next;
        fn(l->data, opaque);
    }
}

/* ---- the front end's side ---- */

static bool attach(struct chardev *c, const struct chardev_fe_ops *ops, void *opaque, bool background, Error **errp)
{
    if (!c->mux && c->fe) {
        error_setg(errp, "chardev '%s' is already in use", c->id);
        return false;
    }
    if (c->mux && !mux_attach(c, ops, opaque, background, errp)) {
        return false;
    }
    if (!c->mux) {
        c->fe = ops;
        c->fe_opaque = opaque;
        if (c->connected && ops->event) {
            ops->event(opaque, CHARDEV_OPENED);
        }
    }
    c->ops->read_update(c);
    return true;
}

bool chardev_attach(struct chardev *c, const struct chardev_fe_ops *ops, void *opaque, Error **errp)
{
    return attach(c, ops, opaque, false, errp);
}

bool chardev_attach_background(struct chardev *c, const struct chardev_fe_ops *ops, void *opaque, Error **errp)
{
    return attach(c, ops, opaque, true, errp);
}

void chardev_detach(struct chardev *c, void *opaque)
{
    if (c->mux) {
        mux_detach(c, opaque);
    } else if (c->fe_opaque == opaque) {
        c->fe = NULL;
        c->fe_opaque = NULL;
    }
    c->ops->read_update(c);
}

bool chardev_connected(const struct chardev *c)
{
    return c->connected;
}

void chardev_accept_input(struct chardev *c)
{
    if (!c->delivering) {       /* else the reader looks again by itself */
        if (c->mux) {
            mux_flush(c);
        }
        c->ops->read_update(c);
    }
}

size_t chardev_write(struct chardev *c, const void *buf, size_t len)
{
    size_t n = c->mux ? mux_write(c, buf, len) : c->ops->write(c, buf, len);

    if (c->log_fd >= 0 && n && write(c->log_fd, buf, n) < 0) {
        close(c->log_fd);       /* disk full: the log ends, the machine does not */
        c->log_fd = -1;
    }
    return n;
}

size_t chardev_queued(const struct chardev *c)
{
    return c->ops->queued(c);
}

int chardev_recv_fd(struct chardev *c)
{
    return GPOINTER_TO_INT(g_queue_pop_head(&c->fds)) - 1;
}

/* ---- the kinds' side ---- */

size_t chardev_be_can_read(struct chardev *c)
{
    if (c->mux) {
        return mux_can_read(c);
    }
    return c->fe ? c->fe->can_read(c->fe_opaque) : 0;
}

size_t chardev_be_read(struct chardev *c, const uint8_t *buf, size_t len)
{
    size_t done = 0;

    if (c->delivering) {
        return 0;
    }
    c->delivering = true;
    if (c->mux) {
        done = mux_read(c, buf, len);
    }
    while (!c->mux && done < len && c->fe) {
        size_t n = MIN(c->fe->can_read(c->fe_opaque), len - done);

        if (!n) {
            break;
        }
        c->fe->read(c->fe_opaque, buf + done, n);
        done += n;
    }
    c->delivering = false;
    return done;
}

void chardev_be_event(struct chardev *c, enum chardev_event ev)
{
    if (c->mux) {
        mux_event(c, ev);
    } else if (c->fe && c->fe->event) {
        c->fe->event(c->fe_opaque, ev);
    }
}

void chardev_be_writable(struct chardev *c)
{
    if (c->mux) {
        mux_writable(c);
    } else if (c->fe && c->fe->writable) {
        c->fe->writable(c->fe_opaque);
    }
}

void chardev_be_set_connected(struct chardev *c, bool on)
{
    if (c->connected != on) {
        c->connected = on;
        chardev_be_event(c, on ? CHARDEV_OPENED : CHARDEV_CLOSED);
    }
}

size_t chardev_nothing_queued(const struct chardev *c)
{
    return 0;
}

void chardev_no_read_update(struct chardev *c)
{
}
