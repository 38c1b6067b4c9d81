/* SPDX-License-Identifier: BSD-2-Clause */
/* softmmu/monitor/cmd_run.c - run, stop, reset, power, end */
#include "hmp.h"
#include "qmp.h"
#include "core/runstate.h"
#include <string.h>

bool qmp_query_status(struct qmp_call *call, const void *args, struct jval **ret, Error **errp)
{
    *ret = jval_dict();
    jval_set_bool(*ret, "running", runstate_running());
    jval_set_str(*ret, "status", runstate_name(runstate_get()));
    return true;
}

bool qmp_stop(struct qmp_call *call, const void *args, struct jval **ret, Error **errp)
{
    if (runstate_running()) {
        runstate_set(RUN_STATE_PAUSED);
    }
    return true;
}

bool qmp_cont(struct qmp_call *call, const void *args, struct jval **ret, Error **errp)
{
    enum run_state s = runstate_get();

    if (s == RUN_STATE_SHUTDOWN || s == RUN_STATE_INTERNAL_ERROR) {
        error_setg(errp, "Resetting the Virtual Machine is required");
        return false;
    }
    runstate_set(RUN_STATE_RUNNING);
    return true;
}

bool qmp_system_reset(struct qmp_call *call, const void *args, struct jval **ret, Error **errp)
{
    runstate_request_reset(SHUTDOWN_HOST_QMP_SYSTEM_RESET);
    return true;
}

bool qmp_system_powerdown(struct qmp_call *call, const void *args, struct jval **ret, Error **errp)
{
    runstate_request_powerdown();
    return true;
}

bool qmp_quit(struct qmp_call *call, const void *args, struct jval **ret, Error **errp)
{
    runstate_request_shutdown(SHUTDOWN_HOST_QMP_QUIT);
    return true;
}

static void by_qmp(struct hmp *h, bool (*fn)(struct qmp_call *, const void *, struct jval **, Error **))
{
    struct qmp_call call = { NULL };
    struct jval *ret = NULL;
    Error *err = NULL;

    fn(&call, NULL, &ret, &err);
    jval_free(ret);
    hmp_error(h, err);
}

void hmp_stop(struct hmp *h, const struct jval *args)
{
    by_qmp(h, qmp_stop);
}

void hmp_cont(struct hmp *h, const struct jval *args)
{
    by_qmp(h, qmp_cont);
}

void hmp_system_reset(struct hmp *h, const struct jval *args)
{
    by_qmp(h, qmp_system_reset);
}

void hmp_system_powerdown(struct hmp *h, const struct jval *args)
{
    by_qmp(h, qmp_system_powerdown);
}

void hmp_quit(struct hmp *h, const struct jval *args)
{
    by_qmp(h, qmp_quit);
}

void hmp_info_status(struct hmp *h, const struct jval *args)
{
    enum run_state s = runstate_get();

    hmp_printf(h, "VM status: %s", s == RUN_STATE_RUNNING ? "running" : "paused");
    if (s != RUN_STATE_RUNNING && s != RUN_STATE_PAUSED) {
        hmp_printf(h, " (%s)", runstate_name(s));
    }
    hmp_printf(h, "\n");
}
