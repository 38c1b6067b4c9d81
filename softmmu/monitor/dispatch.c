/* SPDX-License-Identifier: BSD-2-Clause */
/* softmmu/monitor/dispatch.c - from the name of a command to its function, with checked, typed arguments */
#include "qmp.h"
#include "core/fdname.h"
#include "qapi/qapi-command-thunks.h"
#include <string.h>

static struct jval *run(const struct qapi_command *cmd, struct qmp_call *c, const struct jval *args, Error **errp)
{
    struct jval *ret = NULL;
    void *typed = NULL;
    bool ok;

    fdname_enter();
    if (cmd->raw) {
        ok = qmp_fns[cmd - qapi_commands](c, args, &ret, errp);
    } else if (cmd->arg) {
        typed = qapi_parse(cmd->arg, args, QAPI_JSON, errp);
        ok = typed && qmp_fns[cmd - qapi_commands](c, typed, &ret, errp);
        qapi_free(cmd->arg, typed);
    } else if (jval_len(args)) {
        error_setg(errp, "Parameter '%s' is unexpected", jval_key_at(args, 0));
        ok = false;
    } else {
        ok = qmp_fns[cmd - qapi_commands](c, NULL, &ret, errp);
    }
    fdname_leave();
    if (!ok) {
        jval_free(ret);
        return NULL;
    }
    return ret ? ret : jval_dict();
}

struct jval *qmp_dispatch(struct qmp_call *c, const char *name, const struct jval *args, bool oob, Error **errp)
{
    const struct qapi_command *cmd = qapi_find_command(name);
    struct jval *none, *ret;

    if (!cmd) {
        error_set(errp, ERROR_COMMAND_NOT_FOUND, "The command %s has not been found", name);
        return NULL;
    }
    if (oob && !cmd->allow_oob) {
        error_setg(errp, "The command %s does not support OOB", name);
        return NULL;
    }
    if (args) {
        return run(cmd, c, args, errp);
    }
    none = jval_dict();
    ret = run(cmd, c, none, errp);
    jval_free(none);
    return ret;
}
