/* SPDX-License-Identifier: BSD-2-Clause */
/* softmmu/monitor/monitor.c - the list of monitors, how they come from options, and their bounded output */
#include "monitor/monitor.h"
#include "chardev/mux.h"
#include "core/runstate.h"
#include "qapi/keyval.h"
#include "session.h"
#include <string.h>

static GList *sessions;
static struct vm_options *options;

const struct vm_options *monitor_options(void)
{
    return options;
}

/* ---- output ---- */

void session_init(struct session *s, const struct session_ops *ops, struct chardev *chr)
{
    s->ops = ops;
    s->chr = chr;
    s->out = g_string_new(NULL);
}

void session_fini(struct session *s)
{
    g_string_free(s->out, TRUE);
}

void session_flush(struct session *s)
{
    size_t n;

    if (s->out->len && s->chr) {
        n = chardev_write(s->chr, s->out->str, s->out->len);
        g_string_erase(s->out, 0, (gssize)n);
    }
}

void session_put(struct session *s, const char *text, size_t len)
{
    g_string_append_len(s->out, text, (gssize)len);
    session_flush(s);
}

bool session_room(const struct session *s)
{
    return s->out->len + (s->chr ? chardev_queued(s->chr) : 0) < MONITOR_OUT_MAX;
}

bool session_list_add(struct session *s, Error **errp)
{
    if (g_list_length(sessions) >= MONITOR_MAX) {
        error_setg(errp, "too many monitors (maximum is %d)", MONITOR_MAX);
        return false;
    }
    if (!sessions) {
        events_init();
    }
    sessions = g_list_append(sessions, s);
    return true;
}

void events_deliver(enum qapi_event ev, const char *json_line)
{
    for (GList *l = sessions; l; l = l->next) {
        struct session *s = l->data;

        if (!s->ops->event) {
            continue;
        }
        if (session_room(s)) {
            s->ops->event(s, ev, json_line);
        } else {
            s->dropped++;
        }
    }
}

void monitor_cleanup(void)
{
    if (sessions) {
        events_fini();
    }
    while (sessions) {
        struct session *s = sessions->data;

        sessions = g_list_delete_link(sessions, sessions);
        session_flush(s);
        s->ops->free(s);
    }
    options = NULL;
}

/* ---- from options ---- */

static void quit_from_mux(void)
{
    runstate_request_shutdown(SHUTDOWN_HOST_UI);
}

static bool on_spec(const char *spec, unsigned n, bool control, bool pretty, Error **errp)
{
    char *id = g_strdup_printf("compat_monitor%u", n);
    Error *err = NULL;
    struct chardev *c = chardev_new_compat(id, spec, &err);

    g_free(id);
    if (err) {
        error_propagate(errp, err);
        return false;
    }
    return !c || (control ? monitor_new_qmp(c, pretty, errp) : monitor_new_hmp(c, errp));
}

static struct chardev *find_chardev(const char *id, Error **errp)
{
    struct chardev *c = chardev_find(id);

    if (!c) {
        error_setg(errp, "chardev \"%s\" not found", id);
    }
    return c;
}

static bool from_mon(const char *arg, Error **errp)
{
    MonitorOptions *m = opts_parse(&qapi_type_MonitorOptions, arg, "chardev", errp);
    struct chardev *c = m ? find_chardev(m->chardev, errp) : NULL;
    bool control = m && m->has_mode && m->mode == MONITOR_MODE_CONTROL, ok;

    if (c && m->has_pretty && !control) {
        error_setg(errp, "'pretty' is not compatible with HMP monitors");
        c = NULL;
    }
    ok = c && (control ? monitor_new_qmp(c, m->pretty, errp) : monitor_new_hmp(c, errp));
    qapi_free_MonitorOptions(m);
    return ok;
}

static bool from_item(const struct opt_item *it, unsigned *n, Error **errp)
{
    if (!strcmp(it->opt, "mux")) {
        struct chardev *c = chardev_find(it->arg);

        return !c || monitor_new_hmp(c, errp);
    }
    if (!strcmp(it->opt, "-mon")) {
        return from_mon(it->arg, errp);
    }
    return on_spec(it->arg, (*n)++, strcmp(it->opt, "-monitor") != 0, !strcmp(it->opt, "-qmp-pretty"), errp);
}

static bool from_object(const char *arg, Error **errp)
{
    ObjectOptions *o = opts_parse(&qapi_type_ObjectOptions, arg, "qom-type", NULL);
    struct chardev *c;
    bool ok = true;

    if (o && o->qom_type == SCHEMA_OBJECT_TYPE_MONITOR_QMP) {
        c = find_chardev(o->u.monitor_qmp.chardev, errp);
        ok = c && monitor_new_qmp(c, o->u.monitor_qmp.pretty, errp);
    } else if (o && o->qom_type == SCHEMA_OBJECT_TYPE_MONITOR_HMP) {
        c = find_chardev(o->u.monitor_hmp.chardev, errp);
        ok = c && monitor_new_hmp(c, errp);
    }
    qapi_free_ObjectOptions(o);     /* a malformed object is reported by cli_create_backends() */
    return ok;
}

static void prefix(const struct opt_item *it, Error **errp)
{
    error_prepend(errp, "%s %s: ", strcmp(it->opt, "mux") ? it->opt : "-serial", it->arg);
}

bool monitor_create_all(struct vm_options *o, Error **errp)
{
    unsigned n = 0;

    options = o;
    chardev_mux_set_quit(quit_from_mux);
    for (unsigned i = 0; i < o->monitors->len; i++) {
        struct opt_item *it = g_ptr_array_index(o->monitors, i);

        if (!from_item(it, &n, errp)) {
            prefix(it, errp);
            return false;
        }
    }
    for (unsigned i = 0; i < o->objects->len; i++) {
        struct opt_item *it = g_ptr_array_index(o->objects, i);

        if (!from_object(it->arg, errp)) {
            prefix(it, errp);
            return false;
        }
    }
    return true;
}
