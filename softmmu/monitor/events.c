/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * softmmu/monitor/events.c - events on their way to the clients
 *
 * The sink of qapi_event_emit(), and the translation of run state changes. An event with a rate limit (its schema
 * entry) goes out at once when none went within that time; else the newest one waits for a timer, one for each event
 * and "id" or "name", so that neither a guest nor a peer can flood a client, and the last state always arrives.
 */
#include "core/runstate.h"
#include "core/timer.h"
#include "session.h"
#include <string.h>

#define THROTTLE_MAX 256        /* keys remembered; beyond that, events of unknown keys pass unlimited */

struct throttle {
    char *key;
    enum qapi_event ev;
    int64_t last_ns;
    struct jval *waiting;       /* NULL: none */
    struct timer timer;
};

static GHashTable *throttles;

static void throttle_free(void *p)
{
    struct throttle *t = p;

    timer_fini(&t->timer);
    jval_free(t->waiting);
    g_free(t->key);
    g_free(t);
}

/* Takes @data. */
static void send(enum qapi_event ev, struct jval *data)
{
    struct jval *e = jval_dict(), *ts = jval_dict();
    gint64 now = g_get_real_time();
    char *text;

    jval_set_int(ts, "seconds", now / 1000000);
    jval_set_int(ts, "microseconds", now % 1000000);
    jval_set(e, "timestamp", ts);
    jval_set_str(e, "event", qapi_events[ev].name);
    if (data) {
        jval_set(e, "data", data);
    }
    text = jval_to_text(e, false);
    events_deliver(ev, text);
    g_free(text);
    jval_free(e);
}

static void on_timer(void *opaque)
{
    struct throttle *t = opaque;
    struct jval *data = t->waiting;

    t->waiting = NULL;
    t->last_ns = clock_get_ns(CLOCK_RT);
    send(t->ev, data);
}

static char *throttle_key(enum qapi_event ev, const struct jval *data)
{
    const char *id = jval_get_str(data, "id");

    id = id ? id : jval_get_str(data, "name");
    return g_strdup_printf("%d %s", (int)ev, id ? id : "");
}

static struct throttle *throttle_for(enum qapi_event ev, const struct jval *data)
{
    char *key = throttle_key(ev, data);
    struct throttle *t = g_hash_table_lookup(throttles, key);

    if (!t && g_hash_table_size(throttles) < THROTTLE_MAX) {
        t = g_new0(struct throttle, 1);
        t->key = g_steal_pointer(&key);
        t->ev = ev;
        t->last_ns = INT64_MIN / 2;
        timer_setup(&t->timer, CLOCK_RT, on_timer, t);
        g_hash_table_insert(throttles, t->key, t);
    }
    g_free(key);
    return t;
}

static void sink(void *opaque, enum qapi_event ev, struct jval *data)
{
    int64_t limit = (int64_t)qapi_events[ev].rate_ms * NS_PER_MS, now;
    struct throttle *t = limit ? throttle_for(ev, data) : NULL;

    if (!t) {
        send(ev, data);
        return;
    }
    now = clock_get_ns(CLOCK_RT);
    if (timer_armed(&t->timer)) {
        jval_free(t->waiting);
        t->waiting = data;
    } else if (now - t->last_ns >= limit) {
        t->last_ns = now;
        send(ev, data);
    } else {
        t->waiting = data;
        timer_arm(&t->timer, t->last_ns + limit);
    }
}

static bool by_guest(enum shutdown_cause c)
{
    return c == SHUTDOWN_GUEST_SHUTDOWN || c == SHUTDOWN_GUEST_RESET || c == SHUTDOWN_GUEST_PANIC;
}

static struct jval *cause_data(enum shutdown_cause c)
{
    struct jval *d = jval_dict();

    jval_set_bool(d, "guest", by_guest(c));
    jval_set_str(d, "reason", shutdown_cause_name(c));
    return d;
}

static void on_run_event(void *opaque, enum run_event ev, enum run_state state, enum shutdown_cause cause)
{
    static bool was_running;

    switch (ev) {
    case RUN_EVENT_STATE:
        if ((state == RUN_STATE_RUNNING) != was_running) {
            was_running = !was_running;
            qapi_event_emit(was_running ? QAPI_EVENT_RESUME : QAPI_EVENT_STOP, NULL);
        }
        break;
    case RUN_EVENT_RESET:
        qapi_event_emit(QAPI_EVENT_RESET, cause_data(cause));
        break;
    case RUN_EVENT_SHUTDOWN:
        qapi_event_emit(QAPI_EVENT_SHUTDOWN, cause_data(cause));
        break;
    case RUN_EVENT_POWERDOWN:
        qapi_event_emit(QAPI_EVENT_POWERDOWN, NULL);
        break;
    }
}

void events_init(void)
{
    throttles = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, throttle_free);
    qapi_event_set_sink(sink, NULL);
    runstate_add_listener(on_run_event, NULL);
}

void events_fini(void)
{
    runstate_del_listener(on_run_event, NULL);
    qapi_event_set_sink(NULL, NULL);
    g_clear_pointer(&throttles, g_hash_table_unref);
}
