/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * softmmu/cli/backends.c - carry out -chardev, -serial, -object, -netdev, then -nic and -net
 *
 * Order, whatever the order on the command line: chardevs, serial ports, objects, netdevs given as JSON (and stream
 * and dgram ones, which are as modern), the other netdevs, -nic, -net.
 */
#include "chardev/mux.h"
#include "cli/device_opt.h"
#include "cli_internal.h"
#include "lib/strparse.h"
#include "net/client.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- serial ports and the monitor that nobody asked for ---- */

static bool stdio_taken(const struct vm_options *o)
{
    const GPtrArray *lists[] = { o->chardevs, o->serials, o->monitors };

    for (unsigned l = 0; l < G_N_ELEMENTS(lists); l++) {
        for (unsigned i = 0; i < lists[l]->len; i++) {
            const char *arg = ((struct opt_item *)g_ptr_array_index(lists[l], i))->arg;

            if (g_str_has_prefix(arg, "stdio") || g_str_has_prefix(arg, "mon:stdio")) {
                return true;
            }
        }
    }
    return false;
}

static bool serial_has_mon(const struct vm_options *o)
{
    for (unsigned i = 0; i < o->serials->len; i++) {
        if (g_str_has_prefix(((struct opt_item *)g_ptr_array_index(o->serials, i))->arg, "mon:")) {
            return true;
        }
    }
    return false;
}

/* -nographic, and a terminal without any word about display, serial port or monitor: the terminal gets both. */
static void add_defaults(struct vm_options *o)
{
    bool no_serial = !o->serials->len, no_mon = !o->monitors->len && !serial_has_mon(o), terminal = o->nographic;

    if (o->nodefaults) {
        return;
    }
    if (!terminal && !o->display_none && !o->daemonize && no_serial && no_mon && isatty(0) && isatty(1)) {
        terminal = true;
    }
    if (!terminal || stdio_taken(o)) {
        if (no_serial) {
            opt_list_add(o->serials, "-serial", "null");
        }
    } else if (no_serial && no_mon) {
        opt_list_add(o->serials, "-serial", "mon:stdio");
    } else if (no_serial) {
        opt_list_add(o->serials, "-serial", "stdio");
    } else if (no_mon) {
        opt_list_add(o->monitors, "-monitor", "stdio");
    }
}

static bool open_serial(struct vm_options *o, unsigned i, Error **errp)
{
    struct opt_item *it = g_ptr_array_index(o->serials, i);
    char *id = g_strdup_printf("serial%u", i);
    Error *err = NULL;

    o->serial[i] = chardev_new_compat(id, it->arg, &err);
    g_free(id);
    if (err) {
        opt_prefix(it, &err);
        error_propagate(errp, err);
        return false;
    }
    o->serial_port[i] = strcmp(it->arg, "none") != 0;
    if (g_str_has_prefix(it->arg, "mon:")) {
        opt_list_add(o->monitors, "mux", chardev_id(o->serial[i]));
    }
    return true;
}

bool cli_create_chardevs(struct vm_options *o, Error **errp)
{
    for (unsigned i = 0; i < o->chardevs->len; i++) {
        struct opt_item *it = g_ptr_array_index(o->chardevs, i);

        if (!chardev_new(it->arg, errp)) {
            opt_prefix(it, errp);
            return false;
        }
    }
    add_defaults(o);
    for (unsigned i = 0; i < o->serials->len; i++) {
        if (!open_serial(o, i, errp)) {
            return false;
        }
    }
    return true;
}

/* ---- objects ---- */

static bool check_memory_backend(const struct vm_options *o, const ObjectOptions *obj, Error **errp)
{
    const MemoryBackendProperties *m = &obj->u.memory_backend_ram;

    if (m->size != o->ram_size) {
        error_setg(errp, "size (0x%" PRIx64 ") should equal RAM size (0x%" PRIx64 ")", m->size, o->ram_size);
        return false;
    }
    return true;
}

/* Monitors are made by monitor_create_all(); the rest is checked and remembered by being on the command line. */
static bool create_object(struct vm_options *o, const char *arg, Error **errp)
{
    ObjectOptions *obj = opts_parse(&qapi_type_ObjectOptions, arg, "qom-type", errp);
    bool ok = obj != NULL;

    if (ok && !id_wellformed(obj->id)) {
        error_setg(errp, "Parameter 'id' expects an identifier");
        error_hint(errp, "Identifiers consist of letters, digits, '-', '.', '_', starting with a letter.\n");
        ok = false;
    }
    if (ok && obj->qom_type == SCHEMA_OBJECT_TYPE_MEMORY_BACKEND_RAM) {
        ok = check_memory_backend(o, obj, errp);
    }
    qapi_free_ObjectOptions(obj);
    return ok;
}

/* ---- netdevs ---- */

static bool known_elsewhere(const char *type)
{
    static const char *const names[] = { "socket", "stream", "dgram", "tap", "passt", "l2tpv3", "vde", "bridge",
                                         "netmap", "af-xdp",
                                         "vhost-user", "vhost-vdpa", "user", "hubport", NULL };

    return g_strv_contains(names, type) && qapi_enum_parse(&qapi_type_NetdevDriver, type) < 0;
}

/* ipv6-net=PREFIX[/LEN] is short for ipv6-prefix= and ipv6-prefixlen= */
static bool expand_ipv6_net(struct jval *tree, Error **errp)
{
    struct jval *v = jval_steal(tree, "ipv6-net");
    const char *s, *slash;
    bool ok = true;
    int64_t len;

    if (!v) {
        return true;
    }
    s = jval_str_of(jval_repeated(v) ? jval_at(v, jval_len(v) - 1) : v);
    slash = strchr(s, '/');
    if (slash && !parse_i64(slash + 1, INT64_MIN, INT64_MAX, &len)) {
        error_setg(errp, "parameter 'ipv6-net' expects a number after '/'");
        ok = false;
    } else {
        char *prefix = slash ? g_strndup(s, (gsize)(slash - s)) : g_strdup(s);

        jval_set(tree, "ipv6-prefix", jval_str_take(prefix));
        if (slash) {
            jval_set_str(tree, "ipv6-prefixlen", slash + 1);
        }
    }
    jval_free(v);
    return ok;
}

Netdev *netdev_from_tree(struct jval *tree, enum qapi_mode mode, bool need_id, Error **errp)
{
    const char *type = jval_get_str(tree, "type");
    bool no_id = !need_id && !jval_get(tree, "id");
    Netdev *n;

    if (type && known_elsewhere(type)) {
        error_setg(errp, "network backend '%s' is not compiled into this binary", type);
        return NULL;
    }
    if (mode == QAPI_KEYVAL && !expand_ipv6_net(tree, errp)) {
        return NULL;
    }
    if (no_id) {
        jval_set_str(tree, "id", "");
    }
    n = qapi_parse(&qapi_type_Netdev, tree, mode, errp);
    if (n && no_id) {
        g_clear_pointer(&n->id, g_free);
    } else if (n && !id_wellformed(n->id)) {
        error_setg(errp, "Parameter 'id' expects an identifier");
        error_hint(errp, "Identifiers consist of letters, digits, '-', '.', '_', starting with a letter.\n");
        g_clear_pointer(&n, qapi_free_Netdev);
    }
    return n;
}

/* Which of the two rounds: JSON, stream and dgram come before the others. */
static bool is_modern(const char *arg)
{
    return opts_is_json(arg) || g_str_has_prefix(arg, "stream,") || g_str_has_prefix(arg, "dgram,") || strstr(arg,
            "type=stream") ||
           strstr(arg, "type=dgram");
}

static bool create_netdev(const char *arg, GHashTable *seen, Error **errp)
{
    enum qapi_mode mode;
    struct jval *tree = opts_tree(arg, "type", &mode, NULL, errp);
    Netdev *n = tree ? netdev_from_tree(tree, mode, true, errp) : NULL;
    bool ok = n != NULL;

    if (ok && !g_hash_table_add(seen, g_strdup(n->id))) {
        error_setg(errp, "Duplicate ID '%s' for netdev", n->id);
        ok = false;
    }
    ok = ok && netdev_new(n, errp);
    qapi_free_Netdev(n);
    jval_free(tree);
    return ok;
}

static bool create_netdevs(struct vm_options *o, Error **errp)
{
    GHashTable *seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    bool ok = true;

    for (unsigned round = 0; round < 2 && ok; round++) {
        for (unsigned i = 0; i < o->netdevs->len && ok; i++) {
            struct opt_item *it = g_ptr_array_index(o->netdevs, i);

            if (is_modern(it->arg) == (round == 0)) {
                ok = create_netdev(it->arg, seen, errp);
                if (!ok) {
                    opt_prefix(it, errp);
                }
            }
        }
    }
    g_hash_table_unref(seen);
    return ok;
}

bool cli_create_backends(struct vm_options *o, Error **errp)
{
    for (unsigned i = 0; i < o->objects->len; i++) {
        struct opt_item *it = g_ptr_array_index(o->objects, i);

        if (!create_object(o, it->arg, errp)) {
            opt_prefix(it, errp);
            return false;
        }
    }
    return create_netdevs(o, errp) && compat_net_create(o, errp);
}

/* ---- devices ---- */

bool cli_create_devices(struct vm_options *o, Error **errp)
{
    for (unsigned i = 0; i < o->devices->len; i++) {
        struct opt_item *it = g_ptr_array_index(o->devices, i);
        enum qapi_mode mode;
        struct jval *tree = opts_tree(it->arg, "driver", &mode, NULL, errp);
        bool ok = tree && device_create(tree, mode, false, errp);

        jval_free(tree);
        if (!ok) {
            opt_prefix(it, errp);
            return false;
        }
    }
    return true;
}

void cli_check_network(const struct vm_options *o)
{
    if (!o->default_net) {
        net_check_clients();
    }
}
