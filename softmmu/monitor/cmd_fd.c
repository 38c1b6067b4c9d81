/* SPDX-License-Identifier: BSD-2-Clause */
/* softmmu/monitor/cmd_fd.c - descriptors that a client passes along with a command on a UNIX socket (SCM_RIGHTS) */
#include "core/fdname.h"
#include "hmp.h"
#include "qmp.h"
#include "session.h"
#include <string.h>

static bool received(int fd, Error **errp)
{
    if (fd < 0) {
        error_setg(errp, "No file descriptor supplied via SCM_RIGHTS");
    }
    return fd >= 0;
}

bool qmp_getfd(struct qmp_call *call, const qmp_getfd_args *args, struct jval **ret, Error **errp)
{
    int fd = qmp_session_recv_fd(call->session);

    return received(fd, errp) && fdname_put(args->fdname, fd, errp);
}

bool qmp_closefd(struct qmp_call *call, const qmp_closefd_args *args, struct jval **ret, Error **errp)
{
    return fdname_close(args->fdname, errp);
}

void hmp_getfd(struct hmp *h, const struct jval *args)
{
    struct session *s = h->session;
    int fd = s && s->chr ? chardev_recv_fd(s->chr) : -1;
    Error *err = NULL;

    if (received(fd, &err)) {
        fdname_put(jval_get_str(args, "fdname"), fd, &err);
    }
    hmp_error(h, err);
}

void hmp_closefd(struct hmp *h, const struct jval *args)
{
    Error *err = NULL;

    fdname_close(jval_get_str(args, "fdname"), &err);
    hmp_error(h, err);
}

/* ---- sets ---- */

bool qmp_add_fd(struct qmp_call *call, const qmp_add_fd_args *args, struct jval **ret, Error **errp)
{
    int fd = qmp_session_recv_fd(call->session);
    int64_t id = args->has_fdset_id ? args->fdset_id : -1;

    if (!received(fd, errp) || !fdset_add(&id, fd, args->opaque, errp)) {
        return false;
    }
    *ret = jval_dict();
    jval_set_int(*ret, "fdset-id", id);
    jval_set_int(*ret, "fd", fd);
    return true;
}

bool qmp_remove_fd(struct qmp_call *call, const qmp_remove_fd_args *args, struct jval **ret, Error **errp)
{
    return fdset_remove(args->fdset_id, args->has_fd && args->fd >= 0 && args->fd <= INT32_MAX ? (int)args->fd : -1, errp);
}

struct listing {
    struct jval *sets, *fds;
    int64_t id;
};

static void list_one(void *arg, int64_t id, int fd, const char *opaque)
{
    struct listing *l = arg;
    struct jval *f = jval_dict();

    if (!l->fds || l->id != id) {
        struct jval *set = jval_dict();

        l->id = id;
        l->fds = jval_list();
        jval_set_int(set, "fdset-id", id);
        jval_set(set, "fds", l->fds);
        jval_append(l->sets, set);
    }
    jval_set_int(f, "fd", fd);
    if (opaque) {
        jval_set_str(f, "opaque", opaque);
    }
    jval_append(l->fds, f);
}

bool qmp_query_fdsets(struct qmp_call *call, const void *args, struct jval **ret, Error **errp)
{
    struct listing l = { .sets = jval_list() };

    fdset_foreach(list_one, &l);
    *ret = l.sets;
    return true;
}
