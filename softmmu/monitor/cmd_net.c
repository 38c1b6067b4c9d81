/* SPDX-License-Identifier: BSD-2-Clause */
/* softmmu/monitor/cmd_net.c - the network: backends, links, port forwarding, what it looks like */
#include "hmp.h"
#include "lib/strparse.h"
#include "net/announce.h"
#include "net/client.h"
#include "net/info.h"
#include "net/nic.h"
#include "net/switch.h"
#include "net/user.h"
#include "qapi/keyval.h"
#include "qapi/schema.h"
#include "qmp.h"
#include <stdio.h>
#include <string.h>

/* ---- backends ---- */

static bool check_id(const char *id, Error **errp)
{
    if (!id_wellformed(id)) {
        error_setg(errp, "Parameter 'id' expects an identifier");
        error_hint(errp, "Identifiers consist of letters, digits, '-', '.', '_', starting with a letter.\n");
        return false;
    }
    return true;
}

bool qmp_netdev_add(struct qmp_call *call, const Netdev *args, struct jval **ret, Error **errp)
{
    return check_id(args->id, errp) && netdev_new(args, errp) != NULL;
}

bool qmp_netdev_del(struct qmp_call *call, const qmp_netdev_del_args *args, struct jval **ret, Error **errp)
{
    return netdev_del(args->id, errp);
}

void hmp_netdev_add(struct hmp *h, const struct jval *args)
{
    Error *err = NULL;
    const char *text = jval_get_str(args, "netdev");
    Netdev *n = opts_parse(&qapi_type_Netdev, text ? text : "", "type", &err);

    if (n && check_id(n->id, &err)) {
        netdev_new(n, &err);
    }
    qapi_free_Netdev(n);
    hmp_error(h, err);
}

void hmp_netdev_del(struct hmp *h, const struct jval *args)
{
    Error *err = NULL;

    netdev_del(jval_get_str(args, "id"), &err);
    hmp_error(h, err);
}

/* ---- links ---- */

bool qmp_set_link(struct qmp_call *call, const qmp_set_link_args *args, struct jval **ret, Error **errp)
{
    return net_set_link(args->name, args->up, errp);
}

void hmp_set_link(struct hmp *h, const struct jval *args)
{
    Error *err = NULL;

    net_set_link(jval_get_str(args, "name"), jval_bool_of(jval_get(args, "up")), &err);
    hmp_error(h, err);
}

bool qmp_nic_connect(struct qmp_call *call, const qmp_nic_connect_args *args, struct jval **ret, Error **errp)
{
    return netdev_swap(args->nic, args->netdev, errp);
}

void hmp_netdev_swap(struct hmp *h, const struct jval *args)
{
    Error *err = NULL;

    netdev_swap(jval_get_str(args, "nic"), jval_get_str(args, "netdev"), &err);
    hmp_error(h, err);
}

/* ---- port forwarding ---- */

static void hostfwd_event(enum qapi_event ev, const char *id, const char *rule)
{
    struct jval *data = jval_dict();

    if (id) {
        jval_set_str(data, "netdev-id", id);
    }
    jval_set_str(data, "rule", rule);
    qapi_event_emit(ev, data);
}

static bool hostfwd_add(const char *id, const char *rule, Error **errp)
{
    if (!net_hostfwd_add(id, rule, errp)) {
        return false;
    }
    hostfwd_event(QAPI_EVENT_HOSTFWD_ADDED, id, rule);
    return true;
}

/* As net_hostfwd_remove(); *text has no newline */
static bool hostfwd_remove(const char *id, const char *rule, char **text, Error **errp)
{
    if (!net_hostfwd_remove(id, rule, text, errp)) {
        return false;
    }
    if (g_str_has_suffix(g_strchomp(*text), "removed")) {
        hostfwd_event(QAPI_EVENT_HOSTFWD_REMOVED, id, rule);
    }
    return true;
}

/* Host port of a rule "tcp:ADDR:PORT-..."; 0: any, or a path */
static unsigned rule_port(const char *rule)
{
    const char *colon, *p = rule, *dash = strstr(rule, "-");
    char text[8];
    uint64_t v;

    for (colon = NULL; *p && p != dash; p++) {
        colon = *p == ':' ? p : colon;
    }
    if (!colon || p - colon - 1 <= 0 || p - colon - 1 >= (ptrdiff_t)sizeof(text)) {
        return 0;
    }
    snprintf(text, sizeof(text), "%.*s", (int)(p - colon - 1), colon + 1);
    return parse_u64(text, 65535, &v) ? (unsigned)v : 0;
}

/* Ports of the HOST_FORWARD rows of "info usernet" */
static GHashTable *forwarded_ports(void)
{
    GHashTable *set = g_hash_table_new(NULL, NULL);
    GString *text = g_string_new(NULL);
    char **lines;

    net_user_print_info(text);
    lines = g_strsplit(text->str, "\n", -1);
    for (unsigned i = 0; lines[i]; i++) {
        unsigned port;
        const char *row = strstr(lines[i], "[HOST_FORWARD]");

        if (row && sscanf(row + 14, " %*d %*s %u", &port) == 1) {
            g_hash_table_add(set, GUINT_TO_POINTER(port));
        }
    }
    g_strfreev(lines);
    g_string_free(text, TRUE);
    return set;
}

static unsigned new_port(GHashTable *before)
{
    GHashTable *after = forwarded_ports();
    GHashTableIter it;
    gpointer port, found = NULL;

    g_hash_table_iter_init(&it, after);
    while (g_hash_table_iter_next(&it, &port, NULL)) {
        if (!g_hash_table_contains(before, port)) {
            found = port;
        }
    }
    g_hash_table_unref(after);
    return GPOINTER_TO_UINT(found);
}

bool qmp_hostfwd_add(struct qmp_call *call, const qmp_hostfwd_add_args *args, struct jval **ret, Error **errp)
{
    GHashTable *before = forwarded_ports();
    bool ok = hostfwd_add(args->id, args->rule, errp);
    unsigned port;

    if (ok) {
        port = rule_port(args->rule);
        port = port ? port : new_port(before);
        *ret = jval_dict();
        jval_set_str(*ret, "rule", args->rule);
        if (port) {
            jval_set_int(*ret, "port", port);
        }
    }
    g_hash_table_unref(before);
    return ok;
}

bool qmp_hostfwd_remove(struct qmp_call *call, const qmp_hostfwd_remove_args *args, struct jval **ret, Error **errp)
{
    char *text = NULL;
    bool ok = hostfwd_remove(args->id, args->rule, &text, errp);

    if (ok && !g_str_has_suffix(text, "removed")) {
        error_setg(errp, "%s", text);
        ok = false;
    }
    g_free(text);
    return ok;
}

void hmp_hostfwd_add(struct hmp *h, const struct jval *args)
{
    const char *a = jval_get_str(args, "arg1"), *b = jval_get_str(args, "arg2");
    Error *err = NULL;

    if (!hostfwd_add(b ? a : NULL, b ? b : a, &err)) {
        hmp_printf(h, "%s\n", error_text(err));
        error_free(err);
    }
}

void hmp_hostfwd_remove(struct hmp *h, const struct jval *args)
{
    const char *a = jval_get_str(args, "arg1"), *b = jval_get_str(args, "arg2");
    Error *err = NULL;
    char *text = NULL;

    if (hostfwd_remove(b ? a : NULL, b ? b : a, &text, &err)) {
        hmp_printf(h, "%s\n", text);
    } else {
        hmp_printf(h, "%s\n", error_text(err));
        error_free(err);
    }
    g_free(text);
}

/* ---- announcements ---- */

#define ANNOUNCE_DEFAULTS { 50, 550, 5, 100 }

static bool announce_range(const char *name, int64_t v, int64_t max, Error **errp)
{
    if (v < 0 || v > max) {
        error_setg(errp, "Option announce-%s expects a value between 0 and %d", name, (int)max);
        return false;
    }
    return true;
}

bool qmp_announce_self(struct qmp_call *call, const qmp_announce_self_args *args, struct jval **ret, Error **errp)
{
    struct announce_params p = { args->initial, args->max, args->rounds, args->step };

    if (!announce_range("initial", p.initial, 100000, errp) || !announce_range("max", p.max, 100000, errp) ||
        !announce_range("rounds", p.rounds, 1000, errp) || !announce_range("step", p.step, 10000, errp)) {
        return false;
    }
    announce_start(&p, (const char *const *)args->interfaces);
    return true;
}

void hmp_announce_self(struct hmp *h, const struct jval *args)
{
    struct announce_params p = ANNOUNCE_DEFAULTS;
    const char *list = jval_get_str(args, "interfaces");
    char **names = list && *list ? g_strsplit(list, ",", -1) : NULL;

    announce_start(&p, (const char *const *)names);
    g_strfreev(names);
}

/* ---- what it looks like ---- */

void hmp_info_network(struct hmp *h, const struct jval *args)
{
    net_print_info(h->out);
    if (jval_get(args, "stats")) {
        net_print_stats(h->out);
        net_user_print_limits(h->out);
    }
}

void hmp_info_usernet(struct hmp *h, const struct jval *args)
{
    net_user_print_info(h->out);
}

void hmp_info_switch(struct hmp *h, const struct jval *args)
{
    net_switch_print_info(h->out);
}

static void add_drop(struct jval *drops, const char *reason, uint64_t frames)
{
    struct jval *d;

    if (frames) {
        d = jval_dict();
        jval_set_str(d, "reason", reason);
        jval_set_int(d, "frames", (int64_t)frames);
        jval_append(drops, d);
    }
}

static struct jval *stats_of(const struct net_client *c)
{
    struct jval *s = jval_dict(), *drops = jval_list();

    jval_set_int(s, "tx-frames", (int64_t)c->stats.tx_frames);
    jval_set_int(s, "tx-bytes", (int64_t)c->stats.tx_bytes);
    jval_set_int(s, "rx-frames", (int64_t)c->stats.rx_frames);
    jval_set_int(s, "rx-bytes", (int64_t)c->stats.rx_bytes);
    for (unsigned i = 0; i < NET_DROPS; i++) {
        add_drop(drops, net_drop_name((enum net_drop)i), c->stats.drops[i]);
    }
    for (unsigned i = 0; i < c->n_own_drops; i++) {
        add_drop(drops, c->own_drop_names[i], c->own_drops[i]);
    }
    jval_set(s, "drops", drops);
    return s;
}

struct query {
    struct jval *list;
    bool stats;
};

static void add_client(struct net_client *c, void *opaque)
{
    struct query *q = opaque;
    struct jval *d = jval_dict();

    jval_set_str(d, "name", c->name);
    jval_set_str(d, "type", net_client_kind(c));
    jval_set_int(d, "index", c->index);
    jval_set_str(d, "info", c->info ? c->info->str : "");
    if (c->peer) {
        jval_set_str(d, "peer", c->peer->name);
    }
    jval_set_bool(d, "link", net_client_link_up(c));
    if (q->stats) {
        jval_set(d, "stats", stats_of(c));
    }
    jval_append(q->list, d);
}

bool qmp_query_netdev(struct qmp_call *call, const qmp_query_netdev_args *args, struct jval **ret, Error **errp)
{
    struct query q = { jval_list(), args->stats };

    net_client_foreach(add_client, &q);
    *ret = q.list;
    return true;
}

bool qmp_query_usernet(struct qmp_call *call, const void *args, struct jval **ret, Error **errp)
{
    GString *s = g_string_new(NULL);

    net_user_print_info(s);
    *ret = jval_dict();
    jval_set_str(*ret, "text", s->str);
    g_string_free(s, TRUE);
    return true;
}

/* ---- switches ---- */

struct switches {
    struct jval *list, *ports, *macs;   /* all switches; lists of the newest */
};

static void add_switch(void *opaque, const struct net_switch_info *s)
{
    struct switches *q = opaque;
    struct jval *d = jval_dict();

    jval_set_int(d, "switchid", s->id);
    jval_set_int(d, "max-macs", s->max_macs);
    jval_set_int(d, "ageing", s->ageing_s);
    jval_set_bool(d, "forward-reserved", s->forward_reserved);
    jval_set_int(d, "moved", (int64_t)s->moved);
    jval_set_int(d, "not-learned", (int64_t)s->not_learned);
    jval_set(d, "ports", q->ports = jval_list());
    jval_set(d, "macs", q->macs = jval_list());
    jval_append(q->list, d);
}

static void add_switch_port(void *opaque, const struct net_client *port, unsigned vlan, const char *trunk)
{
    struct switches *q = opaque;
    struct jval *d = jval_dict();

    jval_set_str(d, "name", port->name);
    jval_set_int(d, "vlan", vlan);
    if (trunk) {
        jval_set_str(d, "trunk", trunk);
    }
    jval_append(q->ports, d);
}

static void add_switch_mac(void *opaque, const struct net_switch_mac *m)
{
    struct switches *q = opaque;
    struct jval *d = jval_dict();
    char text[MAC_STR_LEN];

    jval_set_int(d, "vlan", m->vlan);
    jval_set_str(d, "mac", mac_format(m->mac, text));
    jval_set_str(d, "port", m->port->name);
    jval_set_int(d, "age", m->age_s);
    jval_append(q->macs, d);
}

bool qmp_query_switch(struct qmp_call *call, const void *args, struct jval **ret, Error **errp)
{
    static const struct net_switch_visitor v = { add_switch, add_switch_port, add_switch_mac };
    struct switches q = { .list = jval_list() };

    net_switch_visit(&v, &q);
    *ret = q.list;
    return true;
}

/* ---- receive filters ---- */

static struct jval *mac_list(const GArray *macs)
{
    struct jval *l = jval_list();
    char text[MAC_STR_LEN];

    for (unsigned i = 0; i < macs->len; i++) {
        jval_append(l, jval_str(mac_format((const uint8_t *)macs->data + 6 * i, text)));
    }
    return l;
}

/* "all" lists every VLAN there can be, as tools that copy the table to a switch want it */
static struct jval *vlan_list(const struct nic_rx_filter *f)
{
    struct jval *l = jval_list();

    for (unsigned i = 0; f->vlan == NIC_RX_ALL && i < 4096; i++) {
        jval_append(l, jval_int(i));
    }
    for (unsigned i = 0; f->vlan == NIC_RX_NORMAL && i < f->vlan_table->len; i++) {
        jval_append(l, jval_int(g_array_index(f->vlan_table, uint16_t, i)));
    }
    return l;
}

static struct jval *filter_of(const char *name, const struct nic_rx_filter *f)
{
    static const char *const modes[] = { [NIC_RX_NONE] = "none", [NIC_RX_NORMAL] = "normal", [NIC_RX_ALL] = "all" };
    struct jval *d = jval_dict();
    char mac[MAC_STR_LEN];

    jval_set_str(d, "name", name);
    jval_set_bool(d, "promiscuous", f->promiscuous);
    jval_set_str(d, "multicast", modes[f->multicast]);
    jval_set_str(d, "unicast", modes[f->unicast]);
    jval_set_str(d, "vlan", modes[f->vlan]);
    jval_set_bool(d, "broadcast-allowed", f->broadcast_allowed);
    jval_set_bool(d, "multicast-overflow", f->multicast_overflow);
    jval_set_bool(d, "unicast-overflow", f->unicast_overflow);
    jval_set_str(d, "main-mac", mac_format(f->main_mac, mac));
    jval_set(d, "vlan-table", vlan_list(f));
    jval_set(d, "unicast-table", mac_list(f->unicast_table));
    jval_set(d, "multicast-table", mac_list(f->multicast_table));
    return d;
}

static bool add_filter(struct jval *list, const char *name, Error **errp)
{
    struct nic_rx_filter f;

    if (!nic_query_rx_filter(name, &f, errp)) {
        return false;
    }
    jval_append(list, filter_of(name, &f));
    nic_rx_filter_fini(&f);
    return true;
}

static void add_filter_of_client(struct net_client *c, void *opaque)
{
    if (nic_of(c)) {
        add_filter(opaque, c->name, NULL);              /* those that cannot tell are left out */
    }
}

bool qmp_query_rx_filter(struct qmp_call *call, const qmp_query_rx_filter_args *args, struct jval **ret, Error **errp)
{
    struct jval *list = jval_list();

    if (!args->name) {
        net_client_foreach(add_filter_of_client, list);
    } else if (!add_filter(list, args->name, errp)) {
        jval_free(list);
        return false;
    }
    *ret = list;
    return true;
}

/* ---- completion ---- */

struct completion {
    const char *word;
    GPtrArray *out;
};

static void add_name(struct net_client *c, void *opaque)
{
    struct completion *k = opaque;

    hmp_add_candidate(k->out, k->word, c->name);
}

void complete_clients(unsigned argno, const char *word, GPtrArray *out)
{
    struct completion k = { word, out };

    if (argno == 1) {
        net_client_foreach(add_name, &k);
    }
}

void complete_netdev_swap(unsigned argno, const char *word, GPtrArray *out)
{
    complete_clients(argno == 2 ? 1 : argno, word, out);
}

void complete_set_link(unsigned argno, const char *word, GPtrArray *out)
{
    complete_clients(argno, word, out);
    if (argno == 2) {
        hmp_add_candidate(out, word, "on");
        hmp_add_candidate(out, word, "off");
    }
}

void complete_netdev_types(unsigned argno, const char *word, GPtrArray *out)
{
    for (int i = 0; argno == 1 && i < NETDEV_DRIVER__MAX; i++) {
        if (netdev_type_built(i)) {
            hmp_add_candidate(out, word, qapi_enum_name(&qapi_type_NetdevDriver, i));
        }
    }
}
