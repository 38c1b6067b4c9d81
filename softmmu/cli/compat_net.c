/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * softmmu/cli/compat_net.c - -nic and -net: a NIC and its backend in one word, and the old hub
 *
 *   -nic TYPE,...        a backend and a NIC on it
 *   -net nic,...         a NIC on hub 0, or with netdev=ID on that one
 *   -net TYPE,...        a backend on hub 0
 *   neither, nor -netdev the board's default NIC and a user-mode stack, on hub 0
 *   none                 nothing, but no default either
 *
 * Here the backends and hub ports are made and the NICs noted down; cli_create_nics() makes them once the board exists.
 * All -nic come before all -net; together they make at most CLI_MAX_NICS NICs.
 */
#include "cli/device_opt.h"
#include "cli_internal.h"
#include "core/device.h"
#include "lib/strparse.h"
#include "net/hub.h"
#include "net/macaddr.h"
#include <stdio.h>
#include <string.h>

/* ---- help ---- */

static bool print_kinds_and_models(struct vm_options *o)
{
    char *models = nic_models_help();

    union_help(o, &qapi_type_Netdev, "help", "Available netdev backend types:", netdev_type_built);
    opt_print_help(o, models);
    g_free(models);
    return true;
}

/* true: something was printed */
bool net_option_help(struct vm_options *o, const char *opt, const char *arg, Error **errp)
{
    bool help = false;
    struct jval *tree;
    const char *model;
    char *text;

    if (opts_is_json(arg)) {
        return false;
    }
    if (opt_wants_help(arg)) {
        return print_kinds_and_models(o);
    }
    tree = keyval_parse(arg, "type", &help, NULL);
    if (!tree) {
        return false;
    }
    model = jval_get_str(tree, "model");
    if (model && opt_wants_help(model)) {
        text = nic_models_help();
        opt_print_help(o, text);
        g_free(text);
        help = true;
    } else if (help && !g_strcmp0(jval_get_str(tree, "type"), "nic")) {
        text = qapi_help(&qapi_type_NicOptions, -1);
        opt_print_help(o, text);
        g_free(text);
    } else if (help) {
        help = union_help(o, &qapi_type_Netdev, arg, "", netdev_type_built);
    }
    jval_free(tree);
    return help;
}

/* ---- notes about NICs to come ---- */

static struct vm_nic *nic_note(struct vm_options *o, const struct opt_item *it, Error **errp)
{
    struct vm_nic *n;

    if (o->nnics == CLI_MAX_NICS) {
        error_setg(errp, it && !strcmp(it->opt, "-nic") ? "no more on-board/default NIC slots available" :
                   "too many NICs");
        return NULL;
    }
    n = o->nic[o->nnics++] = g_new0(struct vm_nic, 1);
    n->opt = g_strdup(it ? it->opt : "default NIC");
    n->arg = g_strdup(it ? it->arg : NULL);
    return n;
}

/* The value of a key that is ours, not the backend's; last one wins. The caller frees; NULL: not there. */
static char *take_str(struct jval *tree, const char *key)
{
    struct jval *v = jval_steal(tree, key);
    char *s = v ? g_strdup(jval_str_of(jval_repeated(v) ? jval_at(v, jval_len(v) - 1) : v)) : NULL;

    jval_free(v);
    return s;
}

static bool set_mac(struct vm_nic *n, const char *text, bool legacy, Error **errp)
{
    if (text && !mac_parse_cli(text, legacy, n->mac, errp)) {
        return false;
    }
    n->has_mac = text != NULL;
    return true;
}

/* ---- -nic ---- */

static bool nic_from_tree(struct vm_options *o, struct jval *tree, enum qapi_mode mode, const struct opt_item *it,
                          Error **errp)
{
    char *model = take_str(tree, "model"), *mac = take_str(tree, "mac");
    struct jval *props = jval_steal(tree, "nic");
    struct vm_nic *n = NULL;
    struct net_client *c;
    Netdev *nd;
    bool ok = false;

    if (!jval_get(tree, "type")) {
        jval_set_str(tree, "type", "user");
    }
    nd = netdev_from_tree(tree, mode, false, errp);
    if (nd) {
        n = nic_note(o, it, errp);
    }
    if (n) {
        n->model = g_steal_pointer(&model);
        n->props = g_steal_pointer(&props);
        c = set_mac(n, mac, false, errp) ? netdev_new(nd, errp) : NULL;
        ok = c != NULL;
        n->netdev = ok ? g_strdup(c->name) : NULL;
    }
    qapi_free_Netdev(nd);
    jval_free(props);
    g_free(model);
    g_free(mac);
    return ok;
}

static bool create_nic_option(struct vm_options *o, const struct opt_item *it, Error **errp)
{
    enum qapi_mode mode;
    struct jval *tree;
    bool ok;

    if (!strcmp(it->arg, "none")) {
        return true;
    }
    tree = opts_tree(it->arg, "type", &mode, NULL, errp);
    ok = tree && nic_from_tree(o, tree, mode, it, errp);
    jval_free(tree);
    return ok;
}

/* ---- -net ---- */

static bool find_backend(const char *id, Error **errp)
{
    if (!net_client_find(id)) {
        error_setg(errp, "netdev '%s' not found", id);
        return false;
    }
    return true;
}

static bool net_nic(struct vm_options *o, struct jval *tree, enum qapi_mode mode, unsigned hub,
                    const struct opt_item *it, Error **errp)
{
    NicOptions *no;
    struct vm_nic *n = NULL;
    struct net_client *port;
    bool ok;

    jval_free(jval_steal(tree, "type"));
    jval_free(jval_steal(tree, "id"));      /* "-net nic,id=foo" never named anything */
    no = qapi_parse(&qapi_type_NicOptions, tree, mode, errp);
    ok = no && (!no->netdev || find_backend(no->netdev, errp)) && (n = nic_note(o, it, errp)) && set_mac(n,
            no->macaddr, true, errp);
    if (ok && no->netdev) {
        n->netdev = g_strdup(no->netdev);
    } else if (ok) {
        port = net_hub_add_port(hub, NULL, NULL, errp);
        ok = port != NULL;
        n->netdev = ok ? g_strdup(port->name) : NULL;
    }
    if (ok) {
        n->model = g_strdup(no->model);
        n->addr = g_strdup(no->addr);
        n->vectors = no->has_vectors ? g_strdup_printf("%u", no->vectors) : NULL;
    }
    if (ok && no->name) {
        n->props = jval_dict();
        jval_set_str(n->props, "id", no->name);
    }
    qapi_free_NicOptions(no);
    return ok;
}

static bool net_backend(struct jval *tree, enum qapi_mode mode, unsigned hub, Error **errp)
{
    const char *type = jval_get_str(tree, "type");
    char *name;
    Netdev *nd;
    bool ok;

    if (type && !strcmp(type, "hubport")) {
        error_setg(errp, "network backend 'hubport' is only supported with -netdev/-nic");
        return false;
    }
    if (type && (!strcmp(type, "dump") || !strcmp(type, "channel"))) {
        error_setg(errp, "Parameter 'type' does not accept value '%s'", type);
        error_hint(errp, "It was removed long ago; write %s\n",
                   *type == 'd' ? "-object filter-dump,id=ID,netdev=ID,file=FILE" : "-netdev user,id=ID,guestfwd=...");
        return false;
    }
    name = take_str(tree, "name");
    if (name && !jval_get(tree, "id")) {
        jval_set_str(tree, "id", name);
    }
    g_free(name);
    nd = netdev_from_tree(tree, mode, false, errp);
    ok = nd && netdev_create_on_hub(nd, hub, errp);
    qapi_free_Netdev(nd);
    return ok;
}

/* vlan=N: what a hub was called until 2017 */
static bool take_vlan(struct jval *tree, unsigned *hub, Error **errp)
{
    char *s = take_str(tree, "vlan");
    uint64_t v = 0;
    bool ok = !s || parse_u64(s, UINT32_MAX, &v);

    if (!ok) {
        error_setg(errp, "Parameter 'vlan' expects uint32_t");
    } else if (s) {
        warn_report("-net ...,vlan=%s is deprecated: it is hub %s now (-netdev hubport,hubid=%s)", s, s, s);
    }
    *hub = (unsigned)v;
    g_free(s);
    return ok;
}

static bool create_net_option(struct vm_options *o, const struct opt_item *it, Error **errp)
{
    enum qapi_mode mode;
    struct jval *tree;
    const char *type;
    unsigned hub;
    bool ok;

    if (!strcmp(it->arg, "none")) {
        return true;
    }
    tree = opts_tree(it->arg, "type", &mode, NULL, errp);
    ok = tree && take_vlan(tree, &hub, errp);
    if (ok) {
        type = jval_get_str(tree, "type");
        if (!type) {
            error_setg(errp, "Parameter 'type' is missing");
            ok = false;
        } else if (!strcmp(type, "nic")) {
            ok = net_nic(o, tree, mode, hub, it, errp);
        } else {
            ok = net_backend(tree, mode, hub, errp);
        }
    }
    jval_free(tree);
    return ok;
}

/* ---- all together ---- */

/* What a machine has when nobody says a word about the network. */
static bool create_default(struct vm_options *o, Error **errp)
{
    static const char *const words[] = { "nic", "user" };

    if (o->nodefaults || o->netdevs->len || o->nics->len || o->nets->len || !strcmp(o->machine, "none") ||
        qapi_enum_parse(&qapi_type_NetdevDriver, "user") < 0) {
        return true;
    }
    o->default_net = true;
    for (unsigned i = 0; i < G_N_ELEMENTS(words); i++) {
        struct opt_item it = { .opt = (char *)"default network", .arg = (char *)words[i] };

        if (!create_net_option(o, &it, errp)) {
            return false;
        }
    }
    o->nic[0]->is_default = true;
    return true;
}

static bool each(struct vm_options *o, GPtrArray *list, bool (*fn)(struct vm_options *, const struct opt_item *,
                                                                   Error **), Error **errp)
{
    for (unsigned i = 0; i < list->len; i++) {
        struct opt_item *it = g_ptr_array_index(list, i);

        if (!fn(o, it, errp)) {
            opt_prefix(it, errp);
            return false;
        }
    }
    return true;
}

bool compat_net_create(struct vm_options *o, Error **errp)
{
    return each(o, o->nics, create_nic_option, errp) && each(o, o->nets, create_net_option, errp) && create_default(o,
            errp);
}

static void nic_error(const struct vm_nic *n, Error **errp)
{
    struct opt_item it = { .opt = n->opt, .arg = n->arg };

    opt_prefix(&it, errp);
}

static void merge_props(struct jval *tree, const struct jval *props)
{
    for (unsigned i = 0; props && i < jval_len(props); i++) {
        jval_set(tree, jval_key_at(props, i), jval_copy(jval_at(props, i)));
    }
}

static bool create_one_nic(const struct vm_nic *n, const char *default_model, Error **errp)
{
    const char *model = n->model ? n->model : default_model;
    const struct device_type *t;
    struct jval *tree;
    char mac[MAC_STR_LEN];
    bool ok;

    if (!strcmp(model, "virtio")) {
        model = "virtio-net-pci";
    }
    t = device_type_find(model);
    if (!t || t->abstract || t->category != DEVICE_CAT_NETWORK) {
        const char *near = device_nearest(model);

        error_setg(errp, "requested NIC (anonymous, model %s) was not created (not supported by this machine?)", model);
        if (near) {
            error_hint(errp, "Did you mean '%s'?\n", near);
        }
        return false;
    }
    tree = jval_dict();
    jval_set_str(tree, "driver", model);
    if (n->netdev) {
        jval_set_str(tree, "netdev", n->netdev);
    }
    if (n->has_mac) {
        jval_set_str(tree, "mac", mac_format(n->mac, mac));
    }
    if (n->addr) {
        jval_set_str(tree, "addr", n->addr);
    }
    if (n->vectors && device_type_prop(t, "vectors")) {
        jval_set_str(tree, "vectors", n->vectors);
    }
    merge_props(tree, n->props);
    ok = device_create(tree, QAPI_KEYVAL, false, errp) != NULL;
    jval_free(tree);
    return ok;
}

bool cli_create_nics(struct vm_options *o, const char *default_model, Error **errp)
{
    for (unsigned i = 0; i < o->globals->len; i++) {
        struct opt_item *it = g_ptr_array_index(o->globals, i);

        if (!device_global_add(it->arg, errp)) {
            opt_prefix(it, errp);
            return false;
        }
    }
    for (unsigned i = 0; i < o->nnics; i++) {
        if (!o->nic[i]->model && !default_model) {
            if (!o->nic[i]->is_default) {
                warn_report("requested NIC (anonymous, model unspecified) was not created (not supported by this machine?)");
            }
            continue;
        }
        if (!create_one_nic(o->nic[i], default_model, errp)) {
            nic_error(o->nic[i], errp);
            return false;
        }
    }
    return true;
}
