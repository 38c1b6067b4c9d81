/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * softmmu/cli/opt_lists.c - options that create something: remembered in order, carried out later, once all are known
 *
 * Only their help is answered here. That needs the device types: they are registered before cli_parse() is called.
 */
#include "cli/device_opt.h"
#include "cli_internal.h"
#include "net/client.h"
#include <string.h>

bool union_help(struct vm_options *o, const struct qapi_type *t, const char *arg, const char *heading, bool (*built)(int branch))
{
    const struct qapi_type *kinds = qapi_find_member(t, t->discriminator)->type;
    bool help = false;
    struct jval *tree;
    int branch;
    char *text;

    if (opts_is_json(arg)) {
        return false;
    }
    if (opt_wants_help(arg)) {
        GString *s = g_string_new(heading);

        for (unsigned i = 0; kinds->values[i]; i++) {
            if (!built || built((int)i)) {
                g_string_append_printf(s, "\n%s", kinds->values[i]);
            }
        }
        g_string_append_c(s, '\n');
        opt_print_help(o, s->str);
        g_string_free(s, TRUE);
        return true;
    }
    tree = keyval_parse(arg, t->discriminator, &help, NULL);
    branch = tree && jval_get_str(tree, t->discriminator) ? qapi_enum_parse(kinds, jval_get_str(tree,
                                                                                                t->discriminator)) : -1;
    jval_free(tree);
    if (!help || branch < 0) {
        return false;
    }
    text = qapi_help(t, branch);
    opt_print_help(o, text);
    g_free(text);
    return true;
}

bool opt_netdev(struct vm_options *o, const char *arg, Error **errp)
{
    if (!union_help(o, &qapi_type_Netdev, arg, "Available netdev backend types:", netdev_type_built)) {
        opt_list_add(o->netdevs, "-netdev", arg);
    }
    return true;
}

bool opt_nic(struct vm_options *o, const char *arg, Error **errp)
{
    if (!net_option_help(o, "-nic", arg, errp)) {
        opt_list_add(o->nics, "-nic", arg);
    }
    return true;
}

bool opt_net(struct vm_options *o, const char *arg, Error **errp)
{
    if (!net_option_help(o, "-net", arg, errp)) {
        opt_list_add(o->nets, "-net", arg);
    }
    return true;
}

bool opt_chardev(struct vm_options *o, const char *arg, Error **errp)
{
    if (!union_help(o, &qapi_type_ChardevOptions, arg, "Available chardev backend types:", NULL)) {
        opt_list_add(o->chardevs, "-chardev", arg);
    }
    return true;
}

bool opt_object(struct vm_options *o, const char *arg, Error **errp)
{
    if (!union_help(o, &qapi_type_ObjectOptions, arg, "List of user creatable objects:", NULL)) {
        opt_list_add(o->objects, "-object", arg);
    }
    return true;
}

bool opt_device(struct vm_options *o, const char *arg, Error **errp)
{
    bool help = false;
    struct jval *tree;
    char *text;

    if (opt_wants_help(arg)) {
        text = device_help();
        opt_print_help(o, text);
        g_free(text);
        return true;
    }
    tree = opts_is_json(arg) ? NULL : keyval_parse(arg, "driver", &help, NULL);
    if (help && jval_get_str(tree, "driver")) {
        text = device_props_help(jval_get_str(tree, "driver"), errp);
        jval_free(tree);
        if (!text) {
            return false;
        }
        opt_print_help(o, text);
        g_free(text);
        return true;
    }
    jval_free(tree);
    opt_list_add(o->devices, "-device", arg);
    return true;
}

bool opt_global(struct vm_options *o, const char *arg, Error **errp)
{
    opt_list_add(o->globals, "-global", arg);
    return true;
}

bool opt_serial(struct vm_options *o, const char *arg, Error **errp)
{
    if (o->serials->len == CLI_MAX_SERIAL) {
        error_setg(errp, "too many serial ports (the machine has %d)", CLI_MAX_SERIAL);
        return false;
    }
    opt_list_add(o->serials, "-serial", arg);
    return true;
}

bool opt_parallel(struct vm_options *o, const char *arg, Error **errp)
{
    if (strcmp(arg, "none")) {
        error_setg(errp, "parallel ports are not built yet");
        return false;
    }
    opt_list_add(o->parallels, "-parallel", arg);
    return true;
}

bool opt_monitor(struct vm_options *o, const char *arg, Error **errp)
{
    opt_list_add(o->monitors, "-monitor", arg);
    return true;
}

bool opt_qmp(struct vm_options *o, const char *arg, Error **errp)
{
    opt_list_add(o->monitors, "-qmp", arg);
    return true;
}

bool opt_qmp_pretty(struct vm_options *o, const char *arg, Error **errp)
{
    opt_list_add(o->monitors, "-qmp-pretty", arg);
    return true;
}

bool opt_mon(struct vm_options *o, const char *arg, Error **errp)
{
    opt_list_add(o->monitors, "-mon", arg);
    return true;
}
