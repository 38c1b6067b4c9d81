/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/test-switch.c - the learning switch: who gets which frame with which tag
 *
 * Stations a, b, c, ... are NICs on ports p0, p1, p2, ...; a frame says who sent it; what each got is compared as text:
 * "b:SENDER" or "b:SENDER.VLAN" where it was tagged.
 */
#include "lib/bits.h"
#include "lib/bytes.h"
#include "net/info.h"
#include "net/nic.h"
#include "net/switch.h"
#include "net/switch_table.h"
#include "qapi/qapi-types.h"
#include "core/clock.h"
#include <glib.h>
#include <string.h>

enum { STATIONS = 6 };

struct station {
    struct nic *nic;
    struct nic_conf conf;
    uint32_t caps;
    struct pkt_meta meta;
    size_t len;
    unsigned pieces;
    uint8_t bytes[256];
};

static GString *seen;
static struct station st[STATIONS];

static enum net_tx receive(void *opaque, const struct frame *f)
{
    struct station *s = opaque;
    uint8_t *b = s->bytes;
    int tag = -1;

    s->meta = f->meta;
    s->len = f->len;
    s->pieces = f->iovcnt;
    memset(b, 0, sizeof(s->bytes));
    frame_copy_out(f, 0, b, sizeof(s->bytes));
    if (f->meta.flags & PKT_VLAN) {
        tag = f->meta.vlan_tci;
    } else if (ld_be16(b + 12) == 0x8100) {
        tag = ld_be16(b + 14);
    }
    g_string_append_printf(seen, tag < 0 ? "%s%c:%c" : "%s%c:%c.%d", seen->len ? " " : "", (char)('a' + (s - st)), b[11], tag);
    return NET_TX_DONE;
}

static void link_changed(void *opaque, bool up)
{
}

static void tx_ready(void *opaque)
{
}

static uint32_t offloads(void *opaque)
{
    return ((struct station *)opaque)->caps;
}

static const struct nic_ops ops = { .receive = receive, .link_changed = link_changed, .tx_ready = tx_ready, .offloads = offloads, .min_len = 0 };

static bool add_port(const char *name, NetdevSwitch o, Error **errp)
{
    Netdev cfg = { .id = (char *)(uintptr_t)name, .type = NETDEV_DRIVER_SWITCH, .u.q_switch = o };

    cfg.u.q_switch.switchid = 3;
    return netdev_create(&cfg, errp);
}

/* Station number @i on a new port */
static void plug(unsigned i, NetdevSwitch o)
{
    char name[8];
    Error *err = NULL;

    g_snprintf(name, sizeof(name), "p%u", i);
    add_port(name, o, &err);
    g_assert_null(err);
    st[i] = (struct station){ .conf.netdev = net_client_find(name) };
    name[0] = (char)('a' + i);
    name[1] = 0;
    st[i].nic = nic_new(&ops, &st[i].conf, "m", name, &st[i], NULL);
}

static void plug_plain(unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        plug(i, (NetdevSwitch){ 0 });
    }
}

static void unplug_all(void)
{
    g_autoptr(GString) out = g_string_new(NULL);

    for (unsigned i = 0; i < STATIONS; i++) {
        nic_free(g_steal_pointer(&st[i].nic));
    }
    net_cleanup();
    net_switch_print_info(out);
    g_assert_cmpstr(out->str, ==, "");
}

/* 52:54:00:00:00:'a' and so on; '*' broadcast, '+' a multicast group, '#' STP's group */
static void put_mac(uint8_t *p, char who)
{
    static const uint8_t group[6] = { 0x33, 0x33, 0, 0, 0, '+' }, stp[6] = { 0x01, 0x80, 0xC2, 0, 0, 0 };

    if (who == '*') {
        memset(p, 0xFF, 6);
    } else if (who == '+' || who == '#') {
        memcpy(p, who == '+' ? group : stp, 6);
    } else {
        memcpy(p, "\x52\x54\0\0\0", 5);
        p[5] = (uint8_t)who;
    }
}

/* Send from port @at a frame of @from to @to, with these tags in the frame (-1: none) */
static void send_tagged(unsigned at, char from, char to, int tag, int inner)
{
    uint8_t buf[64] = { 0 };
    struct frame f;
    size_t n = 12;

    put_mac(buf, to);
    put_mac(buf + 6, from);
    for (int k = 0; k < 2; k++) {
        if ((k ? inner : tag) >= 0) {
            st_be16(buf + n, 0x8100);
            st_be16(buf + n + 2, (uint16_t)(k ? inner : tag));
            n += 4;
        }
    }
    st_be16(buf + n, 0x88B5);
    frame_from_buf(&f, buf, sizeof(buf));
    nic_send(st[at].nic, &f);
    bh_drain(100);
}

static void expect(const char *text)
{
    g_assert_cmpstr(seen->str, ==, text);
    g_string_truncate(seen, 0);
}

static void send_plain(char from, char to)
{
    send_tagged((unsigned)(from - 'a'), from, to, -1, -1);
}

/* Unknown addresses and groups are flooded, known ones are not; a station that moves is found again. */
static void test_learning(void)
{
    plug_plain(4);
    send_plain('a', 'b');
    expect("b:a c:a d:a");
    send_plain('b', 'a');
    expect("a:b");
    send_plain('a', 'b');
    expect("b:a");
    send_plain('b', '*');
    expect("a:b c:b d:b");
    send_plain('a', '+');
    expect("b:a c:a d:a");
    send_tagged(3, 'a', '*', -1, -1);           /* a moves to the port of d */
    expect("a:a b:a c:a");
    send_plain('b', 'a');
    expect("d:b");
    send_tagged(3, 'd', 'a', -1, -1);           /* both behind one port: the switch keeps out of it */
    expect("");
    send_tagged(1, '+', 'c', -1, -1);           /* a group as a source is not learned */
    expect("a:+ c:+ d:+");
    send_plain('a', '+');
    expect("b:a c:a d:a");
    unplug_all();
}

/* What was behind a port is forgotten with its link and with the port. */
static void test_forgets(void)
{
    plug_plain(3);
    send_plain('a', '*');
    send_plain('b', 'a');
    expect("b:a c:a a:b");
    net_set_link("a", false, NULL);
    net_set_link("a", true, NULL);
    send_plain('b', 'a');
    expect("a:b c:b");
    send_plain('a', 'b');
    expect("b:a");
    netdev_del("p0", NULL);
    send_plain('b', 'a');
    expect("c:b");
    plug_plain(0);
    netdev_del("p1", NULL);
    netdev_del("p2", NULL);
    unplug_all();
}

/* Access ports of two VLANs and a trunk: frames stay in their VLAN, tags appear and vanish as they should. */
static void test_vlans(void)
{
    plug(0, (NetdevSwitch){ .has_vlan = true, .vlan = 10 });
    plug(1, (NetdevSwitch){ .has_vlan = true, .vlan = 10 });
    plug(2, (NetdevSwitch){ .has_vlan = true, .vlan = 20 });
    plug(3, (NetdevSwitch){ .has_vlan = true, .vlan = 10, .trunk = (char *)"20,30-32" });   /* 10 is native */
    plug(4, (NetdevSwitch){ .trunk = (char *)"all" });                                      /* native 1 */
    send_plain('a', '*');
    expect("b:a d:a e:a.10");
    send_plain('c', '*');
    expect("d:c.20 e:c.20");
    send_tagged(3, 'd', '*', 20 | 5 << 13, -1);             /* priority stays where there is a tag */
    expect("c:d e:d.40980");
    send_tagged(3, 'd', '*', 30, -1);
    expect("e:d.30");
    send_tagged(3, 'd', '*', 33, -1);                       /* not on this trunk */
    expect("");
    send_tagged(4, 'e', '*', 33, -1);
    expect("");
    send_plain('d', '*');
    expect("a:d b:d e:d.10");
    send_plain('e', '*');                                   /* VLAN 1: nobody else */
    expect("");
    send_tagged(0, 'a', '*', 20, -1);                       /* access ports take no foreign tags ... */
    send_tagged(0, 'a', '*', 10, -1);
    expect("");
    send_tagged(0, 'a', '*', 3 << 13, -1);                  /* ... but priorities */
    expect("b:a d:a e:a.24586");
    send_tagged(4, 'e', '*', 4095, -1);                     /* reserved VLAN */
    expect("");
    /* one address in two VLANs is two stations */
    send_tagged(3, 'x', '*', 20, -1);
    expect("c:x e:x.20");
    send_plain('b', 'x');
    expect("a:b d:b e:b.10");
    send_plain('c', 'x');
    expect("d:c.20");
    g_assert_cmpuint(net_client_find("p0")->own_drops[0], ==, 2);
    unplug_all();
}

/* A second tag does not carry a frame into another VLAN: a native frame with a tag inside leaves a trunk with both. */
static void test_vlan_hopping(void)
{
    plug(0, (NetdevSwitch){ 0 });
    plug(1, (NetdevSwitch){ .trunk = (char *)"20" });
    plug(2, (NetdevSwitch){ .has_vlan = true, .vlan = 20 });
    send_tagged(0, 'a', '*', 1, 20);
    expect("");
    send_tagged(0, 'a', '*', 0, 20);
    expect("b:a.1");
    g_assert_cmphex(ld_be16(st[1].bytes + 16), ==, 0x8100);
    g_assert_cmphex(ld_be16(st[1].bytes + 18), ==, 20);
    unplug_all();
}

static void test_reserved(void)
{
    plug_plain(2);
    send_plain('a', '#');
    expect("");
    g_assert_cmpuint(net_client_find("p0")->own_drops[1], ==, 1);
    unplug_all();
    plug(0, (NetdevSwitch){ 0 });
    plug(1, (NetdevSwitch){ .has_forward_reserved = true, .forward_reserved = true });
    send_plain('a', '#');
    expect("b:a");
    unplug_all();
}

/* Offload requests survive: positions move with the tag, large frames are cut only where needed, many pieces are no obstacle. */
static void test_offloads(void)
{
    static uint8_t bytes[4096];
    struct frame f;

    plug(0, (NetdevSwitch){ .trunk = (char *)"7" });
    plug(1, (NetdevSwitch){ .has_vlan = true, .vlan = 7 });
    plug(2, (NetdevSwitch){ .trunk = (char *)"7" });
    st[1].caps = PKT_CAP_CSUM;
    st[2].caps = PKT_CAP_CSUM | PKT_CAP_VLAN;
    put_mac(bytes, '*');
    put_mac(bytes + 6, 'a');
    st_be16(bytes + 12, 0x8100);
    st_be16(bytes + 14, 7);
    st_be16(bytes + 16, 0x0800);
    for (unsigned i = 18; i < 200; i++) {
        bytes[i] = (uint8_t)i;
    }
    frame_from_buf(&f, bytes, 200);
    f.meta = (struct pkt_meta){ .flags = PKT_NEEDS_CSUM, .csum_start = 38, .csum_off = 6 };
    nic_send(st[0].nic, &f);
    expect("b:a c:a.7");
    g_assert_cmpuint(st[1].len, ==, 196);
    g_assert_cmpuint(st[1].meta.csum_start, ==, 34);
    g_assert_cmpmem(st[1].bytes + 14, 100, bytes + 18, 100);
    g_assert_cmpuint(st[2].len, ==, 196);
    g_assert_cmpint(st[2].meta.flags & PKT_VLAN, !=, 0);
    st[2].caps = 0;                                         /* tag and checksum in software */
    nic_send(st[0].nic, &f);
    expect("b:a c:a.7");
    g_assert_cmpuint(st[2].len, ==, 200);
    g_assert_cmpmem(st[2].bytes, 38, bytes, 38);
    g_assert_cmpint(st[2].meta.flags & PKT_NEEDS_CSUM, ==, 0);
    f.meta.csum_start = 15;                                 /* nonsense: inside the tag */
    nic_send(st[0].nic, &f);
    expect("");
    frame_init(&f);
    for (unsigned i = 0; i < FRAME_IOV_MAX; i++) {
        g_assert_true(frame_append(&f, bytes + 3 * i, i ? 2 : 18));
    }
    g_assert_cmpuint(f.iovcnt, ==, FRAME_IOV_MAX);
    nic_send(st[0].nic, &f);
    expect("b:a c:a.7");
    g_assert_cmpuint(st[1].len, ==, 14 + 2 * (FRAME_IOV_MAX - 1));
    for (unsigned i = 1; i < FRAME_IOV_MAX; i++) {
        g_assert_cmpmem(st[1].bytes + 14 + 2 * (i - 1), 2, bytes + 3 * i, 2);
    }
    for (size_t n = 14; n < 18; n++) {                      /* half a tag */
        frame_from_buf(&f, bytes, n);
        nic_send(st[0].nic, &f);
    }
    expect("");
    unplug_all();
}

static void test_options(void)
{
    static const struct {
        NetdevSwitch o;
        const char *error;
    } rows[] = {
        { { .has_vlan = true, .vlan = 0 }, "Parameter 'vlan' expects a value between 1 and 4094" },
        { { .has_vlan = true, .vlan = 4095 }, "Parameter 'vlan' expects a value between 1 and 4094" },
        { { .trunk = (char *)"" }, "Parameter 'trunk' expects VLANs between 1 and 4094 as in 1:2:10-20, or 'all'" },
        { { .trunk = (char *)"0" }, "Parameter 'trunk' expects VLANs between 1 and 4094 as in 1:2:10-20, or 'all'" },
        { { .trunk = (char *)"1,4095" }, "Parameter 'trunk' expects VLANs between 1 and 4094 as in 1:2:10-20, or 'all'" },
        { { .trunk = (char *)"20-10" }, "Parameter 'trunk' expects VLANs between 1 and 4094 as in 1:2:10-20, or 'all'" },
        { { .trunk = (char *)"1,,2" }, "Parameter 'trunk' expects VLANs between 1 and 4094 as in 1:2:10-20, or 'all'" },
        { { .trunk = (char *)"1-2-3" }, "Parameter 'trunk' expects VLANs between 1 and 4094 as in 1:2:10-20, or 'all'" },
        { { .has_max_macs = true, .max_macs = 0 }, "Parameter 'max-macs' expects a value between 1 and 1048576" },
        { { .has_ageing = true, .ageing = 0 }, "Parameter 'ageing' expects a value between 1 and 1000000" },
        { { .has_max_macs = true, .max_macs = 6 }, "switch 3: max-macs=6 contradicts another port's 5" },
        { { .has_ageing = true, .ageing = 6 }, "switch 3: ageing=6 contradicts another port's 7" },
        { { .has_forward_reserved = true, .forward_reserved = true }, "switch 3: forward-reserved=1 contradicts another port's 0" },
        { { .netdev = (char *)"zz" }, "netdev 'zz' not found" },
        { { .netdev = (char *)"new" }, "netdev 'new' not found" },
    };
    g_autoptr(GString) out = g_string_new(NULL);

    plug(0, (NetdevSwitch){ .has_max_macs = true, .max_macs = 5, .has_ageing = true, .ageing = 7, .has_forward_reserved = true });
    for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
        Error *err = NULL;

        g_assert_false(add_port("new", rows[i].o, &err));
        g_assert_cmpstr(error_text(err), ==, rows[i].error);
        error_free(err);
        g_assert_null(net_client_find("new"));
    }
    plug(1, (NetdevSwitch){ .trunk = (char *)"5:1:2,3:10-20", .has_max_macs = true, .max_macs = 5 });
    send_plain('a', '*');
    expect("b:a");
    net_print_info(out);
    g_assert_cmpstr(out->str, ==,
                    "switch 3\n"
                    " \\ p1: b: index=0,type=nic,model=m,macaddr=52:54:00:12:34:57\n"
                    " \\ p0: a: index=0,type=nic,model=m,macaddr=52:54:00:12:34:56\n");
    g_string_truncate(out, 0);
    net_switch_print_info(out);
    g_assert_cmpstr(out->str, ==,
                    "switch 3: 1 of 5 addresses, ageing 7 s, forward-reserved off, 0 moved, 0 not learned\n"
                    "  p0: vlan 1\n"
                    "  p1: vlan 1, trunk 1-3,5,10-20\n"
                    "    vlan 1    52:54:00:00:00:61 at p0, 0 s ago\n");
    unplug_all();
}

/* --- the table by itself ----------------------------------------------------------------------------------------- */

static void test_table_bounds(void)
{
    int64_t now = 10 * NS_PER_SEC;
    unsigned full = 0, found = 0;
    struct mac_table t;
    uint32_t pos = 0;
    int a, b;

    mac_table_init(&t, 1000, 5 * NS_PER_SEC);
    g_assert_null(mac_table_find(&t, 1, now));
    for (unsigned i = 0; i < 100000; i++) {                 /* a flood of made-up addresses */
        full += mac_table_learn(&t, i * 7919ULL, &a, now) == MAC_TABLE_FULL;
    }
    g_assert_cmpuint(t.used, ==, 1000);
    g_assert_cmpuint(t.room, ==, 1000);
    g_assert_cmpuint(full, ==, 99000);
    for (unsigned i = 0; i < 1000; i++) {                   /* those who were there first stay */
        g_assert_true(mac_table_find(&t, i * 7919ULL, now) == &a);
    }
    g_assert_cmpint(mac_table_learn(&t, 0, &b, now), ==, MAC_MOVED);
    now += 4 * NS_PER_SEC;
    g_assert_cmpint(mac_table_learn(&t, 0, &b, now), ==, MAC_KNOWN);
    now += 2 * NS_PER_SEC;                                  /* the others are too old, and make room */
    g_assert_null(mac_table_find(&t, 7919, now));
    g_assert_true(mac_table_find(&t, 0, now) == &b);
    g_assert_cmpint(mac_table_learn(&t, 1, &a, now), ==, MAC_NEW);
    g_assert_cmpuint(t.used, ==, 2);
    while (mac_table_next(&t, &pos, now)) {
        found++;
    }
    g_assert_cmpuint(found, ==, 2);
    mac_table_forget(&t, &b);
    g_assert_null(mac_table_find(&t, 0, now));
    g_assert_true(mac_table_find(&t, 1, now) == &a);
    mac_table_fini(&t);
}

/* Random operations against a GHashTable */
static void test_table_model(void)
{
    g_autoptr(GHashTable) model = g_hash_table_new(g_int64_hash, g_int64_equal);
    static uint64_t keys[300];
    struct mac_table t;
    int owners[4];

    mac_table_init(&t, 200, NS_PER_SEC);
    for (unsigned i = 0; i < ARRAY_LEN(keys); i++) {
        keys[i] = (uint64_t)g_test_rand_int_range(0, 4096) << 48 | i;
    }
    for (unsigned n = 0; n < 200000; n++) {
        uint64_t *key = &keys[g_test_rand_int_range(0, ARRAY_LEN(keys))];
        int *owner = &owners[g_test_rand_int_range(0, 4)];
        bool known = g_hash_table_contains(model, key);

        if (n % 5000 == 0) {
            GHashTableIter it;
            gpointer o;

            mac_table_forget(&t, owner);
            g_hash_table_iter_init(&it, model);
            while (g_hash_table_iter_next(&it, NULL, &o)) {
                if (o == owner) {
                    g_hash_table_iter_remove(&it);
                }
            }
        }
        known = g_hash_table_contains(model, key);
        if (n % 2) {
            g_assert_true(mac_table_find(&t, *key, 5) == g_hash_table_lookup(model, key));
            continue;
        }
        switch (mac_table_learn(&t, *key, owner, 5)) {
        case MAC_TABLE_FULL:
            g_assert_false(known);
            g_assert_cmpuint(g_hash_table_size(model), ==, 200);
            continue;
        case MAC_NEW:
            g_assert_false(known);
            break;
        case MAC_KNOWN:
            g_assert_true(g_hash_table_lookup(model, key) == owner);
            break;
        case MAC_MOVED:
            g_assert_true(known && g_hash_table_lookup(model, key) != owner);
            break;
        }
        g_hash_table_insert(model, key, owner);
        g_assert_cmpuint(t.used, ==, g_hash_table_size(model));
    }
    mac_table_fini(&t);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    loop_init();
    seen = g_string_new(NULL);
    g_test_add_func("/net/switch/learning", test_learning);
    g_test_add_func("/net/switch/forgets", test_forgets);
    g_test_add_func("/net/switch/vlans", test_vlans);
    g_test_add_func("/net/switch/vlan-hopping", test_vlan_hopping);
    g_test_add_func("/net/switch/reserved", test_reserved);
    g_test_add_func("/net/switch/offloads", test_offloads);
    g_test_add_func("/net/switch/options", test_options);
    g_test_add_func("/net/switch/table-bounds", test_table_bounds);
    g_test_add_func("/net/switch/table-model", test_table_model);
    return g_test_run();
}
