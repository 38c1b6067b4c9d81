/* SPDX-License-Identifier: BSD-2-Clause */
/* net/backends/user_none.c - in place of user*.c where libslirp was not found */
#include "net/info.h"
#include "net/user.h"

void net_user_print_info(GString *out)
{
}

void net_user_print_limits(GString *out)
{
}

bool net_hostfwd_add(const char *id, const char *rule, Error **errp)
{
    error_setg(errp, "user mode network stack not in use");
    return false;
}

bool net_hostfwd_remove(const char *id, const char *rule, char **result, Error **errp)
{
    error_setg(errp, "user mode network stack not in use");
    return false;
}
