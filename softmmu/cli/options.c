/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * softmmu/cli/options.c - from argv to struct vm_options
 *
 * The table of options is the schema's (softmmu/qapi/options.json): names, arguments, help. One function an option,
 * opt_NAME(), takes its argument. One or two dashes are the same. An error is prefixed here, once, with the option and
 * its argument as typed.
 */
#include "cli_internal.h"
#include "config-host.h"
#include "lib/log.h"
#include "qapi/qapi-option-thunks.h"
#include <stdio.h>
#include <string.h>

const char *cli_version_text(void)
{
    return "Patchbay emulator version " PATCHBAY_VERSION " (speaks the command line and QMP of QEMU 11.1)";
}

void opt_prefix(const struct opt_item *it, Error **errp)
{
    if (it->arg) {
        error_prepend(errp, "%s %s: ", it->opt, it->arg);
    } else {
        error_prepend(errp, "%s: ", it->opt);
    }
}

void opt_print_help(struct vm_options *o, const char *text)
{
    fputs(text, stdout);
    o->exit_now = true;
}

void opt_list_add(GPtrArray *list, const char *opt, const char *arg)
{
    struct opt_item *it = g_new0(struct opt_item, 1);

    it->opt = g_strdup(opt);
    it->arg = g_strdup(arg);
    g_ptr_array_add(list, it);
}

static void opt_item_free(void *p)
{
    struct opt_item *it = p;

    g_free(it->opt);
    g_free(it->arg);
    g_free(it);
}

bool opt_wants_help(const char *arg)
{
    return !strcmp(arg, "help") || !strcmp(arg, "?");
}

void opt_replace(char **s, const char *v)
{
    char *n = g_strdup(v);

    g_free(*s);
    *s = n;
}

static bool has_name(const struct qapi_option *q, const char *name)
{
    for (unsigned i = 0; q->aliases && q->aliases[i]; i++) {
        if (!strcmp(q->aliases[i], name)) {
            return true;
        }
    }
    return !strcmp(q->name, name);
}

static const struct qapi_option *find_option(const char *name)
{
    for (const struct qapi_option *q = qapi_options; q->name; q++) {
        if (has_name(q, name)) {
            return q;
        }
    }
    return NULL;
}

static const char *nearest_option(const char *name)
{
    unsigned best = strlen(name) > 4 ? 3 : 2;
    const char *found = NULL;

    for (const struct qapi_option *q = qapi_options; q->name && strlen(name) > 2; q++) {
        unsigned d = q->unbuilt || q->removed ? 99 : qapi_word_distance(q->name, name);

        if (d < best) {
            best = d;
            found = q->name;
        }
    }
    return found;
}

static bool unknown_option(const char *typed, const char *name, Error **errp)
{
    const char *near = nearest_option(name);

    error_setg(errp, "%s: invalid option", typed);
    if (near) {
        error_hint(errp, "Did you mean '-%s'?\n", near);
    }
    return false;
}

static bool run_option(const struct qapi_option *q, const char *arg, struct vm_options *o, Error **errp)
{
    if (q->removed) {
        error_setg(errp, "invalid option");
        error_hint(errp, "It was removed long ago; write %s\n", q->removed);
        return false;
    }
    if (q->unbuilt) {
        error_setg(errp, "not built yet");
        return false;
    }
    return opt_fns[q - qapi_options](o, arg, errp);
}

/* The option at argv[*i]; moves *i on past its argument. */
static bool one_option(int argc, char **argv, int *i, struct vm_options *o, Error **errp)
{
    char *typed = argv[*i];
    const char *name = typed + 1 + (typed[1] == '-');
    const struct qapi_option *q = find_option(name);
    struct opt_item it = { .opt = typed };

    if (!q) {
        return unknown_option(typed, name, errp);
    }
    if (q->arg && !q->removed) {
        if (*i + 1 >= argc) {
            error_setg(errp, "%s: requires an argument", typed);
            return false;
        }
        it.arg = argv[++*i];
    }
    if (!run_option(q, it.arg, o, errp)) {
        opt_prefix(&it, errp);
        return false;
    }
    return true;
}

static void init(struct vm_options *o)
{
    GPtrArray **lists[] = { &o->chardevs, &o->serials, &o->parallels, &o->monitors, &o->objects, &o->netdevs,
                            &o->nics, &o->nets,
                            &o->devices, &o->globals, &o->accels };

    memset(o, 0, sizeof(*o));
    for (unsigned i = 0; i < G_N_ELEMENTS(lists); i++) {
        *lists[i] = g_ptr_array_new_with_free_func(opt_item_free);
    }
    o->data_dirs = g_ptr_array_new_with_free_func(g_free);
    o->machine_props = jval_dict();
    o->ram_size = 128ULL << 20;
    o->smp_cpus = 1;
}

bool cli_parse(int argc, char **argv, struct vm_options *o, Error **errp)
{
    init(o);
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] != '-' || !argv[i][1]) {
            error_setg(errp, "%s: disk images are not built yet", argv[i]);
            return false;
        }
        if (!one_option(argc, argv, &i, o, errp)) {
            return false;
        }
        if (o->exit_now) {
            return true;
        }
    }
    return machine_finish(o, errp);
}

static void nic_free(struct vm_nic *n)
{
    g_free(n->opt);
    g_free(n->arg);
    g_free(n->model);
    g_free(n->netdev);
    g_free(n->addr);
    g_free(n->vectors);
    jval_free(n->props);
    g_free(n);
}

void vm_options_clear(struct vm_options *o)
{
    GPtrArray *lists[] = { o->chardevs, o->serials, o->parallels, o->monitors, o->objects, o->netdevs, o->nics,
                           o->nets, o->devices,
                           o->globals, o->accels, o->data_dirs };
    char *strings[] = { o->machine, o->machine_name, o->cpu, o->accel, o->kernel, o->initrd, o->append, o->name,
                        o->uuid, o->boot_order,
                        o->vga, o->pidfile, o->log_file, o->qtest, o->qtest_log, o->mon_default };

    for (unsigned i = 0; i < G_N_ELEMENTS(lists); i++) {
        if (lists[i]) {
            g_ptr_array_unref(lists[i]);
        }
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(strings); i++) {
        g_free(strings[i]);
    }
    for (unsigned i = 0; i < o->nnics; i++) {
        nic_free(o->nic[i]);
    }
    jval_free(o->machine_props);
    memset(o, 0, sizeof(*o));
}

/* ---- help and version ---- */

bool opt_version(struct vm_options *o, const char *arg, Error **errp)
{
    printf("%s\n", cli_version_text());
    o->exit_now = true;
    return true;
}

static void help_line(const struct qapi_option *q)
{
    char *left = q->arg ? g_strdup_printf("-%s %s", q->name, q->arg) : g_strdup_printf("-%s", q->name);

    for (unsigned i = 0; q->aliases && q->aliases[i]; i++) {
        char *more = g_strdup_printf("-%s%s%s or %s", q->aliases[i], q->arg ? " " : "", q->arg ? q->arg : "", left);

        g_free(left);
        left = q->arg ? g_strdup_printf("-%s, %s", q->aliases[i], strstr(more, " or ") + 4) : g_strdup(more);
        g_free(more);
    }
    if (!q->doc) {
        printf("%s\n", left);
    } else if (strlen(left) < 16) {
        printf("%-16s%s\n", left, q->doc);
    } else {
        printf("%s\n                %s\n", left, q->doc);
    }
    g_free(left);
}

bool opt_help(struct vm_options *o, const char *arg, Error **errp)
{
    printf("%s\nusage: %s [options]\n", cli_version_text(), error_program());
    for (const struct qapi_option *q = qapi_options; q->name && !q->unbuilt; q++) {
        if (q->group) {
            printf("\n%s:\n", q->group);
        }
        help_line(q);
    }
    printf("\nDuring -nographic: Ctrl-a h prints the keys, Ctrl-a x exits, Ctrl-a c switches between console and monitor.\n");
    o->exit_now = true;
    return true;
}
