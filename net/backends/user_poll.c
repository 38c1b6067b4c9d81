/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/backends/user_poll.c - thousands of sockets as one event source
 *
 * The stack lists the sockets it waits for (slirp_pollfds_fill) and is told later what happened to each. Handing them to glib one by one would
 * cost a list walk for each in every round; they live in an epoll set instead, of which glib sees one descriptor. The list is asked for only
 * when something has happened since (dirty), and only changes reach the kernel.
 *
 * Invariant: entry[fd].in_set == what the epoll set holds for fd. A descriptor that the stack closes or opens is forgotten first
 * (user_poll_forget), because its number may come back as another socket.
 */
#include "net/backends/user_int.h"
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { EVENTS_MAX = 512 };

struct entry {
    uint16_t in_set, want, got;     /* EPOLL* */
    bool listed;                    /* in active */
    uint32_t seen;                  /* round in which it was last listed */
};

struct user_poll {
    struct user *u;
    GSource *src;
    gpointer tag;
    int epfd;
    bool dirty;
    bool kicked;                    /* and run the stack in this round: it may hold frames back until then (neighbour lookup) */
    bool paused;                    /* the guest is behind: data stays in the sockets, only the stack's timers go on */
    int64_t deadline_us;            /* of the stack's time-out */
    uint32_t round;
    GArray *entry;                  /* of struct entry, by fd */
    GArray *active;                 /* of int: descriptors in the set, in any order */
};

struct poll_source {
    GSource src;
    struct user_poll *p;
};

static struct entry *entry_at(struct user_poll *p, int fd)
{
    if ((guint)fd >= p->entry->len) {
        g_array_set_size(p->entry, (guint)fd + 64);         /* zeroed */
    }
    return &g_array_index(p->entry, struct entry, fd);
}

static int add_poll(int fd, int events, void *opaque)
{
    struct user_poll *p = opaque;
    struct entry *e;

    if (fd < 0) {
        return -1;
    }
    e = entry_at(p, fd);
    e->want = (uint16_t)((events & SLIRP_POLL_IN ? EPOLLIN : 0) | (events & SLIRP_POLL_OUT ? EPOLLOUT : 0) |
                         (events & SLIRP_POLL_PRI ? EPOLLPRI : 0));
    e->seen = p->round;
    if (e->in_set != e->want || !e->in_set) {
        struct epoll_event ev = { .events = e->want, .data.fd = fd };

        if (!e->listed) {
            g_array_append_val(p->active, fd);
            e->listed = true;
        }
        if (epoll_ctl(p->epfd, e->in_set ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &ev) < 0 && (errno == ENOENT || errno == EEXIST)) {
            epoll_ctl(p->epfd, errno == ENOENT ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, fd, &ev);
        }
        e->in_set = e->want ? e->want : EPOLLERR;
    }
    return fd;
}

static int get_revents(int fd, void *opaque)
{
    struct user_poll *p = opaque;
    unsigned got;

    if (fd < 0 || (guint)fd >= p->entry->len) {
        return 0;
    }
    got = g_array_index(p->entry, struct entry, fd).got;
    return (got & EPOLLIN ? SLIRP_POLL_IN : 0) | (got & EPOLLOUT ? SLIRP_POLL_OUT : 0) | (got & EPOLLPRI ? SLIRP_POLL_PRI : 0) |
           (got & EPOLLERR ? SLIRP_POLL_ERR : 0) | (got & EPOLLHUP ? SLIRP_POLL_HUP : 0);
}

G_GNUC_BEGIN_IGNORE_DEPRECATIONS    /* newer libslirp prefers variants with another socket type; on Linux they are the same */
static void fill(struct user_poll *p)
{
    uint32_t timeout_ms = UINT32_MAX;

    p->round++;
    slirp_pollfds_fill(p->u->slirp, &timeout_ms, add_poll, p);
    for (guint i = 0; i < p->active->len;) {
        int fd = g_array_index(p->active, int, i);
        struct entry *e = &g_array_index(p->entry, struct entry, fd);

        if (e->seen == p->round && e->in_set) {
            i++;
            continue;
        }
        if (e->in_set) {
            epoll_ctl(p->epfd, EPOLL_CTL_DEL, fd, NULL);
            e->in_set = 0;
        }
        e->listed = false;
        g_array_remove_index_fast(p->active, i);
    }
    p->deadline_us = timeout_ms == UINT32_MAX ? INT64_MAX : g_get_monotonic_time() + timeout_ms * 1000LL;
    p->dirty = false;
}

static void give_results(struct user_poll *p)
{
    slirp_pollfds_poll(p->u->slirp, 0, get_revents, p);
}
G_GNUC_END_IGNORE_DEPRECATIONS

void user_poll_pause(struct user_poll *p, bool pause)
{
    if (p && p->paused != pause) {
        p->paused = pause;
        g_source_modify_unix_fd(p->src, p->tag, pause ? 0 : G_IO_IN);
    }
}

static gboolean poll_prepare(GSource *s, gint *timeout)
{
    struct user_poll *p = ((struct poll_source *)s)->p;
    int64_t left;

    if (p->dirty) {
        fill(p);
    }
    if (p->kicked) {
        *timeout = 0;
        return TRUE;
    }
    left = p->deadline_us == INT64_MAX ? -1 : MAX(0, p->deadline_us - g_get_monotonic_time());
    *timeout = left < 0 ? -1 : (gint)((left + 999) / 1000);
    return left == 0;
}

static gboolean poll_check(GSource *s)
{
    struct user_poll *p = ((struct poll_source *)s)->p;
    struct epoll_event ev;

    return p->kicked || g_get_monotonic_time() >= p->deadline_us || (!p->paused && epoll_wait(p->epfd, &ev, 1, 0) > 0);
}

static gboolean poll_dispatch(GSource *s, GSourceFunc fn, gpointer data)
{
    struct user_poll *p = ((struct poll_source *)s)->p;
    struct epoll_event ev[EVENTS_MAX];
    struct user *u = p->u;
    int n;

    p->kicked = false;
    if (p->dirty) {
        fill(p);
    }
    n = p->paused ? 0 : epoll_wait(p->epfd, ev, EVENTS_MAX, 0);
    for (int i = 0; i < n; i++) {
        entry_at(p, ev[i].data.fd)->got = (uint16_t)ev[i].events;
    }
    u->merging = user_wants_merged(u);
    give_results(p);
    if (u->merging) {
        coalesce_flush(&u->merge);
        u->merging = false;
    }
    for (int i = 0; i < n; i++) {
        entry_at(p, ev[i].data.fd)->got = 0;
    }
    p->dirty = true;
    user_poll_pause(p, !net_can_send(&u->c));
    return G_SOURCE_CONTINUE;
}

void user_poll_kick(struct user_poll *p)
{
    if (p && !p->kicked) {
        p->dirty = p->kicked = true;
        if (!g_main_context_is_owner(g_main_context_default())) {
            loop_wakeup();
        }
    }
}

void user_poll_forget(struct user_poll *p, int fd)
{
    if (p && fd >= 0 && (guint)fd < p->entry->len) {
        struct entry *e = &g_array_index(p->entry, struct entry, fd);

        if (e->in_set) {
            epoll_ctl(p->epfd, EPOLL_CTL_DEL, fd, NULL);
            e->in_set = 0;
        }
        e->got = 0;
    }
    user_poll_kick(p);
}

struct user_poll *user_poll_new(struct user *u, Error **errp)
{
    static const GSourceFuncs funcs = { .prepare = poll_prepare, .check = poll_check, .dispatch = poll_dispatch };
    int epfd = epoll_create1(EPOLL_CLOEXEC);
    struct user_poll *p;

    if (epfd < 0) {
        error_setg_errno(errp, errno, "netdev '%s': cannot create an epoll set", u->c.name);
        return NULL;
    }
    p = g_new0(struct user_poll, 1);
    p->u = u;
    p->epfd = epfd;
    p->dirty = true;
    p->entry = g_array_new(FALSE, TRUE, sizeof(struct entry));
    p->active = g_array_new(FALSE, FALSE, sizeof(int));
    p->src = g_source_new((GSourceFuncs *)(uintptr_t)&funcs, sizeof(struct poll_source));
    ((struct poll_source *)p->src)->p = p;
    p->tag = g_source_add_unix_fd(p->src, epfd, G_IO_IN);
    g_source_attach(p->src, NULL);
    return p;
}

void user_poll_free(struct user_poll *p)
{
    if (!p) {
        return;
    }
    g_source_destroy(p->src);
    g_source_unref(p->src);
    close(p->epfd);
    g_array_free(p->entry, TRUE);
    g_array_free(p->active, TRUE);
    g_free(p);
}
