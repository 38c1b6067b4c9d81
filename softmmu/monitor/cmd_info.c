/* SPDX-License-Identifier: BSD-2-Clause */
/* softmmu/monitor/cmd_info.c - who and what we are: version, name, commands, options, chardevs, boards, CPUs */
#include "board.h"
#include "chardev/chardev.h"
#include "config-host.h"
#include "core/runstate.h"
#include "hmp.h"
#include "lib/log.h"
#include "qmp.h"
#include "session.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define NO_UUID "00000000-0000-0000-0000-000000000000"

/* ---- version and protocol ---- */

bool qmp_query_version(struct qmp_call *call, const void *args, struct jval **ret, Error **errp)
{
    struct jval *v = jval_dict();

    jval_set_int(v, "micro", 3);        /* of the QEMU whose protocol this is: clients choose their words by it */
    jval_set_int(v, "minor", 1);
    jval_set_int(v, "major", 11);
    *ret = jval_dict();
    jval_set(*ret, "qemu", v);
    jval_set_str(*ret, "package", "Patchbay " PATCHBAY_VERSION);
    return true;
}

void hmp_info_version(struct hmp *h, const struct jval *args)
{
    hmp_printf(h, "11.1.3 (Patchbay " PATCHBAY_VERSION ")\n");
}

bool qmp_qmp_capabilities(struct qmp_call *call, const qmp_qmp_capabilities_args *args, struct jval **ret, Error **errp)
{
    bool oob = false;

    for (unsigned i = 0; args->enable && args->enable[i]; i++) {
        oob = true;                     /* the only one there is; the schema has checked it */
    }
    return qmp_session_negotiate(call->session, oob, errp);
}

bool qmp_query_commands(struct qmp_call *call, const void *args, struct jval **ret, Error **errp)
{
    *ret = jval_list();
    for (const struct qapi_command *c = qapi_commands; c->name; c++) {
        struct jval *d = jval_dict();

        jval_set_str(d, "name", c->name);
        jval_append(*ret, d);
    }
    return true;
}

bool qmp_query_qmp_schema(struct qmp_call *call, const void *args, struct jval **ret, Error **errp)
{
    *ret = jval_parse(qapi_schema_json, errp);
    return *ret != NULL;
}

static struct jval *option_params(const struct qapi_type *t)
{
    struct jval *list = jval_list();

    for (const struct qapi_member *m = t && !t->discriminator ? t->members : NULL; m && m->name; m++) {
        struct jval *p = jval_dict();
        enum qapi_kind k = m->type->kind;

        jval_set_str(p, "name", m->name);
        jval_set_str(p, "type", k == QAPI_BOOL ? "boolean" : k == QAPI_INT ? "number" : k == QAPI_SIZE ? "size" :
                     "string");
        if (m->doc) {
            jval_set_str(p, "help", m->doc);
        }
        jval_append(list, p);
    }
    return list;
}

bool qmp_query_command_line_options(struct qmp_call *call, const qmp_query_command_line_options_args *args,
                                    struct jval **ret,
                                    Error **errp)
{
    struct jval *list = jval_list();

    for (const struct qapi_option *q = qapi_options; q->name; q++) {
        struct jval *d;

        if (q->unbuilt || q->removed || !q->arg || (args->option && strcmp(args->option, q->name))) {
            continue;
        }
        if (!strcmp(q->name, "sandbox")) {
            continue;                   /* clients would ask for it */
        }
        d = jval_dict();
        jval_set_str(d, "option", q->name);
        jval_set(d, "parameters", option_params(q->type));
        jval_append(list, d);
    }
    if (args->option && !jval_len(list)) {
        error_setg(errp, "invalid option name: %s", args->option);
        jval_free(list);
        return false;
    }
    *ret = list;
    return true;
}

bool qmp_human_monitor_command(struct qmp_call *call, const qmp_human_monitor_command_args *args, struct jval **ret,
                               Error **errp)
{
    if (args->has_cpu_index && (args->cpu_index < 0 || args->cpu_index >= (int64_t)board_cpus())) {
        error_setg(errp, "Invalid parameter value for 'cpu-index', expected: a CPU number");
        return false;
    }
    *ret = jval_str_take(monitor_hmp(args->command_line));
    return true;
}

/* ---- the machine's names ---- */

bool qmp_query_name(struct qmp_call *call, const void *args, struct jval **ret, Error **errp)
{
    const struct vm_options *o = monitor_options();

    *ret = jval_dict();
    if (o && o->name) {
        jval_set_str(*ret, "name", o->name);
    }
    return true;
}

void hmp_info_name(struct hmp *h, const struct jval *args)
{
    const struct vm_options *o = monitor_options();

    if (o && o->name) {
        hmp_printf(h, "%s\n", o->name);
    }
}

static const char *uuid(void)
{
    const struct vm_options *o = monitor_options();

    return o && o->uuid ? o->uuid : NO_UUID;
}

bool qmp_query_uuid(struct qmp_call *call, const void *args, struct jval **ret, Error **errp)
{
    *ret = jval_dict();
    jval_set_str(*ret, "UUID", uuid());
    return true;
}

void hmp_info_uuid(struct hmp *h, const struct jval *args)
{
    hmp_printf(h, "%s\n", uuid());
}

/* ---- engine, board, CPUs ---- */

bool qmp_query_kvm(struct qmp_call *call, const void *args, struct jval **ret, Error **errp)
{
    *ret = jval_dict();
    jval_set_bool(*ret, "enabled", false);
    jval_set_bool(*ret, "present", false);
    return true;
}

void hmp_info_kvm(struct hmp *h, const struct jval *args)
{
    hmp_printf(h, "kvm support: not compiled\n");
}

bool qmp_query_accelerators(struct qmp_call *call, const void *args, struct jval **ret, Error **errp)
{
    const struct vm_options *o = monitor_options();
    bool qtest = o && o->accel && !strcmp(o->accel, "qtest");
    struct jval *present = jval_list();

    jval_append(present, jval_str("qtest"));
    jval_append(present, jval_str("tcg"));
    *ret = jval_dict();
    jval_set_str(*ret, "enabled", qtest ? "qtest" : "tcg");
    jval_set(*ret, "present", present);
    return true;
}

bool qmp_query_target(struct qmp_call *call, const void *args, struct jval **ret, Error **errp)
{
    *ret = jval_dict();
    jval_set_str(*ret, "arch", "x86_64");
    return true;
}

bool qmp_query_machines(struct qmp_call *call, const qmp_query_machines_args *args, struct jval **ret, Error **errp)
{
    *ret = board_types();
    return true;
}

bool qmp_query_cpus_fast(struct qmp_call *call, const void *args, struct jval **ret, Error **errp)
{
    *ret = jval_list();
    for (unsigned i = 0; i < board_cpus(); i++) {
        struct jval *c = jval_dict(), *props = jval_dict();
        char path[64];

        snprintf(path, sizeof(path), "/machine/unattached/device[%u]", i);
        jval_set_int(props, "core-id", 0);
        jval_set_int(props, "socket-id", i);
        jval_set_int(props, "thread-id", 0);
        jval_set_int(c, "cpu-index", i);
        jval_set_str(c, "qom-path", path);
        jval_set_int(c, "thread-id", board_thread_id(i));
        jval_set(c, "props", props);
        jval_set_str(c, "target", "x86_64");
        jval_append(*ret, c);
    }
    return true;
}

void hmp_info_cpus(struct hmp *h, const struct jval *args)
{
    for (unsigned i = 0; i < board_cpus(); i++) {
        hmp_printf(h, "%c CPU #%u: thread_id=%d%s\n", i == h->cpu ? '*' : ' ', i, board_thread_id(i),
                   board_halted(i) ? " (halted)" : "");
    }
}

void hmp_cpu(struct hmp *h, const struct jval *args)
{
    int64_t n = 0;

    jval_int_of(jval_get(args, "index"), &n);
    if (n < 0 || n >= (int64_t)board_cpus()) {
        hmp_printf(h, "invalid CPU index\n");
    } else {
        h->cpu = (unsigned)n;
    }
}

void hmp_nmi(struct hmp *h, const struct jval *args)
{
    board_nmi(h->cpu);
}

/* ---- things that are not there yet, which clients ask for ---- */

static bool empty_list(struct jval **ret)
{
    *ret = jval_list();
    return true;
}

bool qmp_query_iothreads(struct qmp_call *call, const void *args, struct jval **ret, Error **errp)
{
    return empty_list(ret);
}

bool qmp_query_block(struct qmp_call *call, const qmp_query_block_args *args, struct jval **ret, Error **errp)
{
    return empty_list(ret);
}

bool qmp_query_named_block_nodes(struct qmp_call *call, const qmp_query_named_block_nodes_args *args,
                                 struct jval **ret, Error **errp)
{
    return empty_list(ret);
}

bool qmp_query_migrate_capabilities(struct qmp_call *call, const void *args, struct jval **ret, Error **errp)
{
    return empty_list(ret);
}

void hmp_info_block(struct hmp *h, const struct jval *args)
{
}

/* ---- chardevs ---- */

static void add_chardev(struct chardev *c, void *opaque)
{
    struct jval *d = jval_dict();
    char *file = chardev_describe(c);

    jval_set_str(d, "label", chardev_id(c));
    jval_set_str(d, "filename", file);
    jval_set_bool(d, "frontend-open", chardev_connected(c));
    jval_append(opaque, d);
    g_free(file);
}

bool qmp_query_chardev(struct qmp_call *call, const void *args, struct jval **ret, Error **errp)
{
    *ret = jval_list();
    chardev_foreach(add_chardev, *ret);
    return true;
}

static void print_chardev(struct chardev *c, void *opaque)
{
    char *file = chardev_describe(c);

    hmp_printf(opaque, "%s: filename=%s\n", chardev_id(c), file);
    g_free(file);
}

void hmp_info_chardev(struct hmp *h, const struct jval *args)
{
    chardev_foreach(print_chardev, h);
}

bool qmp_query_chardev_backends(struct qmp_call *call, const void *args, struct jval **ret, Error **errp)
{
    *ret = jval_list();
    for (unsigned i = 0; qapi_type_ChardevBackendKind.values[i]; i++) {
        struct jval *d = jval_dict();

        jval_set_str(d, "name", qapi_type_ChardevBackendKind.values[i]);
        jval_append(*ret, d);
    }
    return true;
}

/* ---- interrupts, logs ---- */

void hmp_info_irq(struct hmp *h, const struct jval *args)
{
    board_print_irq(h->out);
}

void hmp_info_pic(struct hmp *h, const struct jval *args)
{
    board_print_pic(h->out);
}

void hmp_info_lapic(struct hmp *h, const struct jval *args)
{
    board_pause(true);
    board_print_lapic(h->out);
    board_pause(false);
}

void hmp_log(struct hmp *h, const struct jval *args)
{
    const char *items = jval_get_str(args, "items"), *bad;
    uint32_t mask = 0;

    if (strcmp(items, "none") && !log_parse(items, &mask, &bad)) {
        char *text = log_help();

        hmp_printf(h, "Log items (comma separated):\nnone            remove all logs\n%s", strchr(text, '\n') + 1);
        g_free(text);
        return;
    }
    log_set(mask, NULL);
    board_set_log(mask);
}

void hmp_logfile(struct hmp *h, const struct jval *args)
{
    const char *name = jval_get_str(args, "filename");

    if (!log_set(log_mask, name)) {
        hmp_printf(h, "Error opening logfile %s: %s\n", name, g_strerror(errno));
    }
}
