/* SPDX-License-Identifier: BSD-2-Clause */
/* softmmu/cli/opt_run.c - how the program runs: display, start and end, logs, process attributes */
#include "cli_internal.h"
#include "core/fdname.h"
#include "lib/log.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

bool opt_nographic(struct vm_options *o, const char *arg, Error **errp)
{
    o->nographic = true;
    return true;
}

bool opt_display(struct vm_options *o, const char *arg, Error **errp)
{
    DisplayOptions *d;
    bool ok;

    if (opt_wants_help(arg)) {
        opt_print_help(o, "Available display backend types:\nnone\n");
        return true;
    }
    d = opts_parse(&qapi_type_DisplayOptions, arg, "type", errp);
    ok = d && !strcmp(d->type, "none");
    if (d && !ok) {
        error_setg(errp, "Parameter 'type' does not accept value '%s'", d->type);
    }
    qapi_free_DisplayOptions(d);
    o->display_none = ok;
    return ok;
}

bool opt_S(struct vm_options *o, const char *arg, Error **errp)
{
    o->paused = true;
    return true;
}

bool opt_no_reboot(struct vm_options *o, const char *arg, Error **errp)
{
    o->no_reboot = true;
    return true;
}

bool opt_no_shutdown(struct vm_options *o, const char *arg, Error **errp)
{
    o->no_shutdown = true;
    return true;
}

bool opt_action(struct vm_options *o, const char *arg, Error **errp)
{
    ActionOptions *a = opts_parse(&qapi_type_ActionOptions, arg, NULL, errp);

    if (!a) {
        return false;
    }
    if (a->has_reboot) {
        o->no_reboot = a->reboot == REBOOT_ACTION_SHUTDOWN;
    }
    if (a->has_shutdown) {
        o->no_shutdown = a->shutdown == SHUTDOWN_ACTION_PAUSE;
    }
    qapi_free_ActionOptions(a);
    return true;
}

bool opt_d(struct vm_options *o, const char *arg, Error **errp)
{
    const char *bad;
    uint32_t mask;

    if (opt_wants_help(arg)) {
        char *text = log_help();

        opt_print_help(o, text);
        g_free(text);
        return true;
    }
    if (!log_parse(arg, &mask, &bad)) {
        error_setg(errp, "unknown log item '%.*s'", (int)strcspn(bad, ","), bad);
        error_hint(errp, "Use -d help to list them\n");
        return false;
    }
    o->log_mask |= mask;
    return true;
}

bool opt_dfilter(struct vm_options *o, const char *arg, Error **errp)
{
    return log_set_filter(arg, errp);
}

bool opt_D(struct vm_options *o, const char *arg, Error **errp)
{
    opt_replace(&o->log_file, arg);
    return true;
}

bool opt_trace(struct vm_options *o, const char *arg, Error **errp)
{
    return true;
}

/* Options whose argument is checked and then has no effect. */
static bool accept_checked(const struct qapi_type *t, const char *arg, const char *implied, Error **errp)
{
    void *p = opts_parse(t, arg, implied, errp);

    qapi_free(t, p);
    return p != NULL;
}

bool opt_msg(struct vm_options *o, const char *arg, Error **errp)
{
    return accept_checked(&qapi_type_MsgOptions, arg, NULL, errp);
}

bool opt_overcommit(struct vm_options *o, const char *arg, Error **errp)
{
    return accept_checked(&qapi_type_OvercommitOptions, arg, NULL, errp);
}

bool opt_watchdog_action(struct vm_options *o, const char *arg, Error **errp)
{
    return true;
}

bool opt_nodefaults(struct vm_options *o, const char *arg, Error **errp)
{
    o->nodefaults = true;
    return true;
}

bool opt_no_user_config(struct vm_options *o, const char *arg, Error **errp)
{
    return true;
}

bool opt_daemonize(struct vm_options *o, const char *arg, Error **errp)
{
    o->daemonize = true;
    return true;
}

bool opt_pidfile(struct vm_options *o, const char *arg, Error **errp)
{
    opt_replace(&o->pidfile, arg);
    return true;
}

bool opt_add_fd(struct vm_options *o, const char *arg, Error **errp)
{
    AddFdOptions *a = opts_parse(&qapi_type_AddFdOptions, arg, NULL, errp);
    int64_t set = a ? a->set : 0;
    bool ok = false;
    int fd;

    if (a && (a->fd <= STDERR_FILENO || a->fd > INT32_MAX)) {
        error_setg(errp, "fd cannot be less than 3");
    } else if (a && set < 0) {
        error_setg(errp, "Parameter 'set' expects a non-negative value");
    } else if (a) {
        fd = fcntl((int)a->fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
        if (fd < 0) {
            error_setg_errno(errp, errno, "error duplicating fd");
        } else {
            close((int)a->fd);
            ok = fdset_add(&set, fd, a->opaque, errp);
        }
    }
    qapi_free_AddFdOptions(a);
    return ok;
}

bool opt_run_with(struct vm_options *o, const char *arg, Error **errp)
{
    RunWithOptions *r = opts_parse(&qapi_type_RunWithOptions, arg, NULL, errp);
    bool ok = r != NULL;

    if (ok && (r->user || r->chroot)) {
        error_setg(errp, "%s= is not built yet", r->user ? "user" : "chroot");
        ok = false;
    }
    if (ok && r->has_exit_with_parent) {
        o->exit_with_parent = r->exit_with_parent;
    }
    qapi_free_RunWithOptions(r);
    return ok;
}

bool opt_sandbox(struct vm_options *o, const char *arg, Error **errp)
{
    SandboxOptions *s = opts_parse(&qapi_type_SandboxOptions, arg, "enable", errp);
    bool ok = s && !s->enable;

    if (s && s->enable) {
        error_setg(errp, "the system call filter is not built yet");    /* never pretend to protect */
    }
    qapi_free_SandboxOptions(s);
    return ok;
}

bool opt_qtest(struct vm_options *o, const char *arg, Error **errp)
{
    opt_replace(&o->qtest, arg);
    return true;
}

bool opt_qtest_log(struct vm_options *o, const char *arg, Error **errp)
{
    opt_replace(&o->qtest_log, arg);
    return true;
}
