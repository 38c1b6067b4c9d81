/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/test-virtio-net.c - virtio-net without its data path: ids, features, configuration, link, control queue,
 * filter, RSS, state (section numbers: VIRTIO 1.2)
 */
#include "tests/lib/vnet_rig.h"

#include "hw/net/nics.h"
#include "migration/devices.h"
#include "net/announce.h"
#include "net/offload/toeplitz.h"
#include "qapi/schema.h"

#define BITS(...) bits_of((const unsigned[]){ __VA_ARGS__, 999 })

static uint64_t bits_of(const unsigned *b)
{
    uint64_t f = 0;

    for (; *b != 999; b++) {
        f |= BIT(*b);
    }
    return f;
}

enum { CTRL_RX = 0, CTRL_MAC = 1, CTRL_VLAN = 2, CTRL_ANNOUNCE = 3, CTRL_MQ = 4, CTRL_OFFLOADS = 5 };
enum { OK = 0, ERR = 1 };

#define CTRL_ALL BITS(16, 17, 18, 19, 20, 23)

static bool flag_cmd(struct vnet *v, unsigned cmd, uint8_t on)
{
    return vnet_ctrl_cmd(v, CTRL_RX, cmd, &on, 1) == OK;
}

/* ---- 4.1.2, 5.1.1 ---- */

static void test_ids(void)
{
    static const struct {
        const char *type;
        uint16_t id, sub;
        bool io;
    } t[] = {
        { "virtio-net-pci", 0x1000, 1, true }, { "virtio-net-pci-transitional", 0x1000, 1, true },
        { "virtio-net-pci-non-transitional", 0x1041, 0x1100, false },
    };

    for (unsigned i = 0; i < ARRAY_LEN(t); i++) {
        struct rig *g = rig_new(t[i].type);

        g_assert_cmphex(rig_config(g, 0, 4), ==, (uint32_t)t[i].id << 16 | 0x1AF4);
        g_assert_cmphex(rig_config(g, 8, 4) >> 8, ==, 0x020000);
        g_assert_cmphex(rig_config(g, 0x2C, 2), ==, 0x1AF4);
        g_assert_cmphex(rig_config(g, 0x2E, 2), ==, t[i].sub);
        rig_config_set(g, PCI_BAR0, ~0u, 4);
        g_assert_cmphex(rig_config(g, PCI_BAR0, 4), ==, t[i].io ? 0xFFFFFFE1 : 0);       /* 32 bytes of I/O */
        rig_free(g);
    }
    g_assert_true(device_type_find("virtio-net") == device_type_find("virtio-net-pci"));
}

/* ---- 5.1.3 ---- */

enum { RING_BITS_SHIFT = 24 };

/* Device-type bits only */
static uint64_t offered(const char *props)
{
    struct vnet *v = vnet_new("virtio-net-pci", props);
    uint64_t f = vnet_offered(v);

    vnet_free(v);
    return f & 0xFFF0000000FFFFFFull;
}

static void test_offered(void)
{
    uint64_t all = BITS(0, 1, 2, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 23, 54, 55, 56);
    static const struct {
        const char *prop;
        uint8_t gone[12];           /* bits, 0xFF ends */
    } t[] = {
        { "csum=off", { 0, 11, 12, 13, 14, 56, 0xFF } },            /* and what needs it: 5.1.3.1 */
        { "guest_csum=off", { 1, 7, 8, 9, 10, 54, 55, 0xFF } },
        { "host_tso4=off", { 11, 0xFF } }, { "host_tso6=off", { 12, 0xFF } }, { "host_ecn=off", { 13, 0xFF } },
        { "host_ufo=off", { 14, 0xFF } }, { "host_uso=off", { 56, 0xFF } },
        { "guest_tso4=off", { 7, 0xFF } }, { "guest_tso6=off", { 8, 0xFF } }, { "guest_ecn=off", { 9, 0xFF } },
        { "guest_ufo=off", { 10, 0xFF } }, { "guest_uso4=off", { 54, 0xFF } }, { "guest_uso6=off", { 55, 0xFF } },
        { "guest_tso4=off,guest_tso6=off", { 7, 8, 9, 0xFF } },
        { "mrg_rxbuf=off", { 15, 0xFF } }, { "status=off", { 16, 0xFF } },
        { "ctrl_vq=off", { 17, 18, 19, 20, 21, 23, 2, 0xFF } },
        { "ctrl_rx=off", { 18, 0xFF } }, { "ctrl_vlan=off", { 19, 0xFF } }, { "ctrl_rx_extra=off", { 20, 0xFF } },
        { "guest_announce=off", { 21, 0xFF } }, { "ctrl_mac_addr=off", { 23, 0xFF } },
        { "ctrl_guest_offloads=off", { 2, 0xFF } },
    };
    static const struct {
        const char *prop;
        uint64_t more;
    } on[] = {
        { "mq=on", 0 }, { "queues=4", 0 }, { "queues=4,mq=on", 1ull << 22 }, { "rss=on", 1ull << 60 },
        { "hash=on", 1ull << 57 },
        { "guest_rsc_ext=on", 1ull << 61 }, { "failover=on", 1ull << 62 }, { "host_mtu=1400", 1ull << 3 },
        { "speed=1000", 1ull << 63 },
        { "duplex=full", 1ull << 63 },
    };

    g_assert_cmphex(offered(NULL) & ~BIT(6), ==, all);              /* bit 6: legacy's, may be there */
    for (unsigned i = 0; i < ARRAY_LEN(t); i++) {
        uint64_t want = all;

        for (unsigned k = 0; t[i].gone[k] != 0xFF; k++) {
            want &= ~BIT(t[i].gone[k]);
        }
        g_test_message("%s", t[i].prop);
        g_assert_cmphex(offered(t[i].prop) & ~BIT(6), ==, want);
    }
    for (unsigned i = 0; i < ARRAY_LEN(on); i++) {
        g_test_message("%s", on[i].prop);
        g_assert_cmphex(offered(on[i].prop) & ~BIT(6), ==, all | on[i].more);
    }
}

/* 5.1.3.1: a driver that takes a feature without what it needs does not get FEATURES_OK */
static void test_dependencies(void)
{
    static const uint8_t t[][2] = { { 11, 0 }, { 12, 0 }, { 14, 0 }, { 56, 0 }, { 7, 1 }, { 8, 1 }, { 10, 1 },
                                    { 54, 1 }, { 55, 1 },
                                    { 18, 17 }, { 19, 17 }, { 20, 17 }, { 21, 17 }, { 23, 17 } };
    struct vnet *v = vnet_new("virtio-net-pci", NULL);

    for (unsigned i = 0; i < ARRAY_LEN(t); i++) {
        g_assert_false(vnet_negotiate(v, BITS(32, t[i][0])));
        g_assert_true(vnet_negotiate(v, BITS(32, t[i][0], t[i][1])));
    }
    g_assert_false(vnet_negotiate(v, BITS(32, 1, 9)));              /* ECN needs TSO */
    g_assert_true(vnet_negotiate(v, BITS(32, 1, 8, 9)));
    g_assert_false(vnet_negotiate(v, BITS(32, 0, 13)));
    g_assert_true(vnet_negotiate(v, BITS(32, 0, 12, 13)));
    vnet_free(v);
}

/* ---- 5.1.4 ---- */

static void test_config(void)
{
    struct vnet *v = vnet_new("virtio-net-pci",
                              "queues=3,mq=on,host_mtu=1400,speed=10000,duplex=full,rss=on,hash-udp6ex=off");

    vnet_start(v, BITS(5, 16, 17, 22, 60));
    for (unsigned i = 0; i < 6; i++) {
        g_assert_cmphex(vnet_cfg(v, i, 1), ==, rig_mac[i]);
    }
    g_assert_cmpuint(vnet_cfg(v, 6, 2), ==, 1);                     /* link is up */
    g_assert_cmpuint(vnet_cfg(v, 8, 2), ==, 3);
    g_assert_cmpuint(vnet_cfg(v, 10, 2), ==, 1400);
    g_assert_cmpuint(vnet_cfg(v, 12, 4), ==, 10000);
    g_assert_cmpuint(vnet_cfg(v, 16, 1), ==, 1);
    g_assert_cmpuint(vnet_cfg(v, 17, 1), ==, 40);                   /* RSS key */
    g_assert_cmpuint(vnet_cfg(v, 18, 2), ==, 128);
    g_assert_cmphex(vnet_cfg(v, 20, 4), ==, 0xFF);
    g_assert_cmpuint(v->nqueues, ==, 7);
    vnet_free(v);

    v = vnet_new("virtio-net-pci", "duplex=half");
    vnet_start(v, BITS(5, 16));
    g_assert_cmphex(vnet_cfg(v, 12, 4), ==, 0xFFFFFFFF);            /* unknown */
    g_assert_cmpuint(vnet_cfg(v, 16, 1), ==, 0);
    g_assert_cmpuint(v->nqueues, ==, 3);
    for (unsigned i = 0; i < 3; i++) {
        g_assert_cmpuint(v->q[i].size, ==, i == 2 ? 64 : 256);
    }
    for (unsigned i = 0; i < 6; i++) {                              /* a 1.x driver cannot write the address here */
        space_write(&v->g->as, VNET_BAR4 + 0x2000 + i, 0x02, 1);
        g_assert_cmphex(vnet_cfg(v, i, 1), ==, rig_mac[i]);
    }
    vnet_free(v);
}

/* 5.1.4.3: a legacy driver sets its address in the configuration structure: behind 20 bytes of I/O registers */
static void test_legacy_mac(void)
{
    static const uint8_t mac[6] = { 0x52, 0x54, 0, 9, 8, 7 };
    struct vnet *v = vnet_new("virtio-net-pci", "ctrl_mac_addr=off,vectors=0");
    struct addr_space *io = &v->g->io_as;
    struct nic_rx_filter f;

    space_write(io, RIG_IO + 0x12, 0, 1);
    space_write(io, RIG_IO + 0x12, 3, 1);
    space_write(io, RIG_IO + 4, BIT(5), 4);
    for (unsigned i = 0; i < 6; i++) {
        space_write(io, RIG_IO + 20 + i, mac[i], 1);
    }
    space_write(io, RIG_IO + 0x12, 7, 1);
    rig_run();
    for (unsigned i = 0; i < 6; i++) {
        g_assert_cmphex(space_read(io, RIG_IO + 20 + i, 1), ==, mac[i]);
    }
    g_assert_true(nic_query_rx_filter("nic", &f, NULL));
    g_assert_cmpmem(f.main_mac, 6, mac, 6);
    nic_rx_filter_fini(&f);
    vnet_free(v);
}

/* ---- link: 5.1.4.2 ---- */

static void test_link(void)
{
    struct vnet *v = vnet_new("virtio-net-pci", "vectors=0");
    unsigned gen;

    vnet_start(v, BITS(5, 16));
    gen = vc_read(v, VC_GENERATION, 1);
    g_assert_cmpuint(vnet_cfg(v, 6, 2), ==, 1);
    g_assert_true(net_set_link("nic", false, NULL));
    rig_run();
    g_assert_true(v->g->irq);
    g_assert_cmphex(vc_read(v, 0x1000, 1), ==, 2);                  /* ISR: configuration; cleared by the read */
    g_assert_false(v->g->irq);
    g_assert_cmpuint(vnet_cfg(v, 6, 2), ==, 0);
    g_assert_cmpuint(vc_read(v, VC_GENERATION, 1), !=, gen);
    g_assert_true(net_set_link("nic", true, NULL));
    rig_run();
    g_assert_cmphex(vc_read(v, 0x1000, 1), ==, 2);
    g_assert_cmpuint(vnet_cfg(v, 6, 2), ==, 1);
    g_assert_true(net_set_link("bench", false, NULL));              /* the far end counts */
    rig_run();
    g_assert_cmpuint(vnet_cfg(v, 6, 2), ==, 0);
    g_assert_cmphex(vc_read(v, 0x1000, 1), ==, 2);
    vnet_start(v, BITS(5));                                         /* STATUS not negotiated: no interrupt */
    vc_read(v, 0x1000, 1);
    g_assert_true(net_set_link("bench", true, NULL));
    rig_run();
    g_assert_cmphex(vc_read(v, 0x1000, 1), ==, 0);
    vnet_free(v);
}

/* ---- announcement: 5.1.6.5.4 ---- */

static void test_announce(void)
{
    struct announce_params p = { 50, 550, 1, 100 };
    struct vnet *v = vnet_new("virtio-net-pci", "vectors=0");
    struct rig_frame *f;

    vnet_start(v, BITS(5, 16, 17, 21));
    g_assert_cmpuint(vnet_ctrl_cmd(v, CTRL_ANNOUNCE, 0, NULL, 0), ==, ERR);     /* nothing to acknowledge */
    vc_read(v, 0x1000, 1);
    announce_start(&p, NULL);
    rig_run();
    f = rig_sent(v->g);                                             /* our RARP, and the guest is asked for more */
    g_assert_nonnull(f);
    g_assert_cmphex(ld_be16(f->data + 12), ==, 0x8035);
    g_free(f);
    g_assert_cmpuint(vnet_cfg(v, 6, 2), ==, 3);
    g_assert_cmphex(vc_read(v, 0x1000, 1), ==, 2);
    g_assert_cmpuint(vnet_ctrl_cmd(v, CTRL_ANNOUNCE, 0, NULL, 0), ==, OK);
    g_assert_cmpuint(vnet_cfg(v, 6, 2), ==, 1);
    vnet_start(v, BITS(5, 16, 17));                                 /* not negotiated */
    announce_start(&p, NULL);
    rig_run();
    g_assert_cmpuint(vnet_cfg(v, 6, 2), ==, 1);
    vnet_free(v);
}

/* ---- properties ---- */

static void expect_refused_id(const char *id, const char *prop, const char *value, const char *text)
{
    struct rig *g = rig_new("e1000");
    struct pci_device *d = pci_new("virtio-net-pci", id, PCI_DEVFN(5, 0), NULL);
    Error *err = NULL;

    g_assert_true(device_set_prop(&d->dev, prop, value, &err));
    g_assert_false(device_realize(&d->dev, &g->bus.bus, &err));
    g_assert_cmpstr(error_text(err), ==, text);
    error_free(err);
    device_free(&d->dev);
    rig_free(g);
}

static void expect_refused(const char *prop, const char *value, const char *text)
{
    expect_refused_id(NULL, prop, value, text);
}

static void test_bad_properties(void)
{
    static const char rx[] = "Invalid rx_queue_size (= 100), must be a power of 2 between 256 and 1024.";

    expect_refused("rx_queue_size", "100", rx);
    expect_refused("rx_queue_size", "2048",
                   "Invalid rx_queue_size (= 2048), must be a power of 2 between 256 and 1024.");
    expect_refused("rx_queue_size", "300", "Invalid rx_queue_size (= 300), must be a power of 2 between 256 and 1024.");
    expect_refused("tx_queue_size", "512", "Invalid tx_queue_size (= 512), must be a power of 2 between 256 and 256");
    expect_refused("speed", "-2", "'speed' must be between 0 and INT_MAX");
    expect_refused("duplex", "double", "'duplex' must be 'half' or 'full'");
    expect_refused("failover_pair_id", "n1", "Device with failover_pair_id needs to have id");
    expect_refused_id("n2", "failover_pair_id", "n1", "failover primary device must be on PCIExpress bus");
}

/* Accepted as people write them, without or with effect */
static void test_good_properties(void)
{
    struct vnet *v = vnet_new("virtio-net-pci",
                              "rx_queue_size=1024,tx_queue_size=256,tx=timer,x-txtimer=100,x-txburst=8,"
                              "host_tunnel=off,guest_tunnel_csum=on,host_mtu=1500,gso=on,any_layout=on,event_idx=off,"
                              "indirect_desc=on,rsc_interval=1000,"
                              "bootindex=3,vectors=6,ioeventfd=off");

    vnet_start(v, BITS(5, 16));
    g_assert_cmpuint(v->q[0].size, ==, 1024);
    g_assert_cmpuint(v->q[1].size, ==, 256);
    g_assert_cmphex(vnet_offered(v) >> 29 & 1, ==, 0);
    vnet_free(v);
}

/* ---- control queue: 5.1.6.5 ---- */

static void test_ctrl_rx_modes(void)
{
    static const uint8_t self[6] = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 }, other[6] = { 2, 0, 0, 0, 0, 1 },
                         multi[6] = { 1, 0, 0x5E, 0, 0, 1 },
                         bcast[6] = { 255, 255, 255, 255, 255, 255 };
    static const struct {
        unsigned modes;             /* bit n: command n on */
        bool self, other, multi, bcast;
    } t[] = {
        { 0x00, true,  false, false, true },
        { 0x01, true,  true,  true,  true },        /* promiscuous: everything, whatever else is set */
        { 0x02, true,  false, true,  true },
        { 0x04, true,  true,  false, true },
        { 0x0A, true,  false, false, true },        /* no multicast wins over all multicast */
        { 0x14, false, false, false, true },
        { 0x20, true,  false, false, false },
        { 0x38, false, false, false, false },
        { 0x39, true,  true,  true,  true },
    };
    struct vnet *v = vnet_new("virtio-net-pci", NULL);
    struct vpacket *p = g_new(struct vpacket, 1);
    uint8_t f[60];

    vnet_start(v, CTRL_ALL);
    vnet_fill(v, 0, 16, 2000);
    for (unsigned i = 0; i < ARRAY_LEN(t); i++) {
        const struct { const uint8_t *dst; bool want; } c[] = {
            { self, t[i].self }, { other, t[i].other }, { multi, t[i].multi }, { bcast, t[i].bcast },
        };

        for (unsigned m = 0; m < 6; m++) {
            g_assert_true(flag_cmd(v, m, t[i].modes >> m & 1));
        }
        for (unsigned k = 0; k < 4; k++) {
            rig_eth(f, sizeof(f), c[k].dst, 0x88B5, i);
            rig_rx(v->g, f, sizeof(f));
            g_assert_cmpint(vnet_got(v, 0, p), ==, c[k].want);
        }
    }
    g_assert_cmpuint(vnet_drops(v, "rx-filter"), ==, 16);
    g_assert_false(flag_cmd(v, 6, 1));                              /* no such command */
    g_assert_cmpuint(vnet_ctrl_cmd(v, CTRL_RX, 0, NULL, 0), ==, ERR);
    vnet_start(v, BITS(5, 17, 18));                                 /* without RX_EXTRA */
    g_assert_true(flag_cmd(v, 1, 1));
    g_assert_false(flag_cmd(v, 2, 1));
    vnet_start(v, BITS(5, 17));
    g_assert_false(flag_cmd(v, 0, 1));
    vnet_free(v);
    g_free(p);
}

static size_t mac_table(uint8_t *out, unsigned uni, unsigned multi)
{
    size_t n = 0;

    st_le32(out, uni);
    n = 4;
    for (unsigned i = 0; i < uni; i++, n += 6) {
        memcpy(out + n, (const uint8_t[6]){ 2, 0, 0, 0, (uint8_t)(i >> 8), (uint8_t)i }, 6);
    }
    st_le32(out + n, multi);
    n += 4;
    for (unsigned i = 0; i < multi; i++, n += 6) {
        memcpy(out + n, (const uint8_t[6]){ 1, 0, 0x5E, 0, (uint8_t)(i >> 8), (uint8_t)i }, 6);
    }
    return n;
}

static bool passes(struct vnet *v, const uint8_t dst[6])
{
    struct vpacket *p = g_new(struct vpacket, 1);
    uint8_t f[60];
    bool got;

    rig_eth(f, sizeof(f), dst, 0x88B5, 1);
    rig_rx(v->g, f, sizeof(f));
    got = vnet_got(v, 0, p);
    g_free(p);
    return got;
}

static void test_ctrl_mac_table(void)
{
    static const uint8_t u0[6] = { 2, 0, 0, 0, 0, 0 }, u63[6] = { 2, 0, 0, 0, 0, 63 }, m0[6] = { 1, 0, 0x5E, 0, 0, 0 },
                         m9[6] = { 1, 0, 0x5E, 0, 0, 9 };
    struct vnet *v = vnet_new("virtio-net-pci", NULL);
    uint8_t data[5000];
    struct nic_rx_filter f;
    size_t n;

    vnet_start(v, CTRL_ALL);
    vnet_fill(v, 0, 16, 2000);
    g_assert_true(flag_cmd(v, 0, 0));
    n = mac_table(data, 2, 3);
    g_assert_cmpuint(vnet_ctrl_cmd(v, CTRL_MAC, 0, data, n), ==, OK);
    g_assert_true(passes(v, u0));
    g_assert_true(passes(v, m0));
    g_assert_false(passes(v, u63));
    g_assert_false(passes(v, m9));
    g_assert_true(nic_query_rx_filter("nic", &f, NULL));
    g_assert_cmpuint(f.unicast_table->len, ==, 2);
    g_assert_cmpuint(f.multicast_table->len, ==, 3);
    g_assert_false(f.promiscuous);
    g_assert_cmpint(f.unicast, ==, NIC_RX_NORMAL);
    nic_rx_filter_fini(&f);

    n = mac_table(data, 64, 0);                     /* just fits */
    g_assert_cmpuint(vnet_ctrl_cmd(v, CTRL_MAC, 0, data, n), ==, OK);
    g_assert_true(passes(v, u63));
    g_assert_false(passes(v, m0));
    n = mac_table(data, 64, 1);                     /* multicast overflows: all of it passes */
    g_assert_cmpuint(vnet_ctrl_cmd(v, CTRL_MAC, 0, data, n), ==, OK);
    g_assert_true(passes(v, m9));
    g_assert_false(passes(v, rig_other));
    n = mac_table(data, 65, 3);
    g_assert_cmpuint(vnet_ctrl_cmd(v, CTRL_MAC, 0, data, n), ==, OK);
    g_assert_true(passes(v, rig_other));
    g_assert_true(nic_query_rx_filter("nic", &f, NULL));
    g_assert_true(f.unicast_overflow);
    g_assert_false(f.multicast_overflow);
    g_assert_cmpuint(f.unicast_table->len, ==, 0);
    g_assert_cmpuint(f.multicast_table->len, ==, 3);
    nic_rx_filter_fini(&f);

    n = mac_table(data, 1, 1);                      /* cut short anywhere: refused, nothing changes */
    for (size_t cut = 0; cut < n; cut++) {
        g_assert_cmpuint(vnet_ctrl_cmd(v, CTRL_MAC, 0, data, cut), ==, ERR);
    }
    g_assert_true(nic_query_rx_filter("nic", &f, NULL));
    g_assert_true(f.unicast_overflow);
    nic_rx_filter_fini(&f);
    vnet_free(v);
}

static void test_ctrl_mac_addr(void)
{
    static const uint8_t mac[6] = { 0x52, 0x54, 0, 1, 2, 3 };
    struct vnet *v = vnet_new("virtio-net-pci", NULL);

    vnet_start(v, CTRL_ALL | BITS(5));
    vnet_fill(v, 0, 4, 2000);
    flag_cmd(v, 0, 0);
    g_assert_cmpuint(vnet_ctrl_cmd(v, CTRL_MAC, 1, mac, 5), ==, ERR);
    g_assert_cmpuint(vnet_ctrl_cmd(v, CTRL_MAC, 1, mac, 6), ==, OK);
    g_assert_true(passes(v, mac));
    g_assert_false(passes(v, rig_mac));
    for (unsigned i = 0; i < 6; i++) {
        g_assert_cmphex(vnet_cfg(v, i, 1), ==, mac[i]);
    }
    g_assert_nonnull(strstr(net_client_find("nic")->info->str, "macaddr=52:54:00:01:02:03"));
    vc_write(v, VC_STATUS, 0, 1);                   /* reset: the user's again */
    for (unsigned i = 0; i < 6; i++) {
        g_assert_cmphex(vnet_cfg(v, i, 1), ==, rig_mac[i]);
    }
    vnet_free(v);
}

static bool vlan_passes(struct vnet *v, unsigned tci)
{
    struct vpacket *p = g_new(struct vpacket, 1);
    uint8_t f[64];
    bool got;

    rig_eth(f, sizeof(f), rig_mac, 0x8100, 1);
    st_be16(f + 14, (uint16_t)tci);
    rig_rx(v->g, f, sizeof(f));
    got = vnet_got(v, 0, p);
    g_free(p);
    return got;
}

static uint8_t vlan_cmd(struct vnet *v, unsigned cmd, unsigned vid)
{
    uint8_t d[2];

    st_le16(d, (uint16_t)vid);
    return vnet_ctrl_cmd(v, CTRL_VLAN, cmd, d, 2);
}

static void test_ctrl_vlan(void)
{
    struct vnet *v = vnet_new("virtio-net-pci", NULL);
    struct nic_rx_filter f;

    vnet_start(v, CTRL_ALL);
    vnet_fill(v, 0, 4, 2000);
    g_assert_true(vlan_passes(v, 5));               /* promiscuous */
    flag_cmd(v, 0, 0);
    g_assert_false(vlan_passes(v, 5));
    g_assert_true(vlan_passes(v, 0xE000));          /* priority only */
    g_assert_true(passes(v, rig_mac));
    g_assert_cmpuint(vlan_cmd(v, 0, 5), ==, OK);
    g_assert_cmpuint(vlan_cmd(v, 0, 4095), ==, OK);
    g_assert_true(vlan_passes(v, 5));
    g_assert_true(vlan_passes(v, 0xA005));
    g_assert_true(vlan_passes(v, 4095));
    g_assert_false(vlan_passes(v, 37));
    g_assert_true(nic_query_rx_filter("nic", &f, NULL));
    g_assert_cmpint(f.vlan, ==, NIC_RX_NORMAL);
    g_assert_cmpuint(f.vlan_table->len, ==, 2);
    g_assert_cmpuint(g_array_index(f.vlan_table, uint16_t, 1), ==, 4095);
    nic_rx_filter_fini(&f);
    g_assert_cmpuint(vlan_cmd(v, 1, 5), ==, OK);
    g_assert_false(vlan_passes(v, 5));
    g_assert_cmpuint(vlan_cmd(v, 0, 4096), ==, ERR);
    g_assert_cmpuint(vlan_cmd(v, 2, 5), ==, ERR);
    vnet_start(v, BITS(5, 17, 18));                 /* no VLAN filter: all pass */
    vnet_fill(v, 0, 4, 2000);
    flag_cmd(v, 0, 0);
    g_assert_true(vlan_passes(v, 77));
    g_assert_cmpuint(vlan_cmd(v, 0, 5), ==, ERR);
    g_assert_true(nic_query_rx_filter("nic", &f, NULL));
    g_assert_cmpint(f.vlan, ==, NIC_RX_ALL);
    nic_rx_filter_fini(&f);
    vnet_free(v);
}

/* 5.1.6.5.8 */
static void test_ctrl_guest_offloads(void)
{
    struct vnet *v = vnet_new("virtio-net-pci", NULL);
    uint8_t d[8];
    static const struct {
        unsigned bits[4];
        uint8_t want;
        uint32_t caps;
    } t[] = {
        { { 1, 7, 8, 999 }, OK, PKT_CAP_CSUM | PKT_CAP_TSO4 | PKT_CAP_TSO6 }, { { 1, 999 }, OK, PKT_CAP_CSUM },
        { { 999 }, OK, 0 },
        { { 1, 10, 999 }, ERR, 0 },                 /* UFO: not negotiated */
        { { 1, 0, 999 }, ERR, 0 },                  /* no guest offload */
        { { 7, 999 }, OK, 0 },                      /* large frames need open checksums */
    };

    vnet_start(v, BITS(1, 2, 7, 8, 17));
    g_assert_cmphex(net_client_find("nic")->ops->offloads(net_client_find("nic")), ==,
                    PKT_CAP_CSUM | PKT_CAP_TSO4 | PKT_CAP_TSO6);
    for (unsigned i = 0; i < ARRAY_LEN(t); i++) {
        st_le64(d, bits_of(t[i].bits));
        g_assert_cmpuint(vnet_ctrl_cmd(v, CTRL_OFFLOADS, 0, d, 8), ==, t[i].want);
        g_assert_cmphex(net_client_find("nic")->ops->offloads(net_client_find("nic")), ==, t[i].caps);
    }
    g_assert_cmpuint(vnet_ctrl_cmd(v, CTRL_OFFLOADS, 0, d, 7), ==, ERR);
    g_assert_cmpuint(vnet_ctrl_cmd(v, CTRL_OFFLOADS, 1, d, 8), ==, ERR);
    g_assert_cmpuint(vnet_ctrl_cmd(v, 6, 0, d, 8), ==, ERR);
    g_assert_cmpuint(vnet_drops(v, "bad-ctrl"), ==, 5);
    vnet_free(v);
}

/* ---- multiqueue: 5.1.6.5.5 ---- */

static uint8_t pairs_cmd(struct vnet *v, unsigned n)
{
    uint8_t d[2];

    st_le16(d, (uint16_t)n);
    return vnet_ctrl_cmd(v, CTRL_MQ, 0, d, 2);
}

static void flow(uint8_t f[60], unsigned sport, unsigned dport, bool from_guest)
{
    rig_udp4(f, 18, true);
    if (from_guest) {
        memcpy(f + 26, (const uint8_t[8]){ 10, 0, 2, 2, 10, 0, 2, 15 }, 8);
    }
    st_be16(f + 34, (uint16_t)sport);
    st_be16(f + 36, (uint16_t)dport);
}

/* Queue that a frame came out of, -1: none */
static int rx_queue_of(struct vnet *v, const uint8_t *f, size_t len)
{
    struct vpacket *p = g_new(struct vpacket, 1);
    int got = -1;

    rig_rx(v->g, f, len);
    for (unsigned q = 0; q + 1 < v->nqueues; q += 2) {
        if (vnet_got(v, q, p)) {
            g_assert_cmpint(got, ==, -1);
            got = (int)q;
        }
    }
    g_free(p);
    return got;
}

static void test_mq(void)
{
    struct vnet *v = vnet_new("virtio-net-pci", "queues=4,mq=on");
    unsigned hits[4] = { 0 };
    uint8_t f[60];

    vnet_start(v, BITS(5, 17, 22));
    for (unsigned q = 0; q < 8; q += 2) {
        vnet_fill(v, q, 32, 2000);
    }
    for (unsigned i = 0; i < 64; i++) {             /* one pair after the reset */
        flow(f, 1000 + i, 53, false);
        g_assert_cmpint(rx_queue_of(v, f, sizeof(f)), ==, 0);
    }
    g_assert_cmpuint(pairs_cmd(v, 0), ==, ERR);
    g_assert_cmpuint(pairs_cmd(v, 5), ==, ERR);
    g_assert_cmpuint(pairs_cmd(v, 4), ==, OK);
    for (unsigned i = 0; i < 256; i++) {
        flow(f, 1000 + i, 53, false);
        hits[rx_queue_of(v, f, sizeof(f)) / 2]++;
    }
    for (unsigned q = 0; q < 4; q++) {
        g_assert_cmpuint(hits[q], >, 30);
    }
    for (unsigned i = 0; i < 4; i++) {              /* answers come where the flow was sent */
        flow(f, 4000, 7000 + i, true);
        g_assert_true(vnet_send(v, 2 * i + 1, NULL, f, sizeof(f), 1));
        g_free(rig_sent(v->g));
        flow(f, 7000 + i, 4000, false);
        g_assert_cmpint(rx_queue_of(v, f, sizeof(f)), ==, (int)(2 * i));
    }
    g_assert_cmpuint(pairs_cmd(v, 2), ==, OK);
    for (unsigned i = 0; i < 64; i++) {
        flow(f, 1000 + i, 53, false);
        g_assert_cmpint(rx_queue_of(v, f, sizeof(f)), <, 4);
    }
    flow(f, 1, 2, true);
    g_assert_true(vnet_send(v, 7, NULL, f, sizeof(f), 1));  /* beyond those in use: served all the same (see _tx.c) */
    g_free(rig_sent(v->g));
    g_assert_cmpuint(v->g->peer->total, ==, 5);
    vnet_start(v, BITS(5, 17));                     /* MQ not taken: queue 2 is the control queue (5.1.2) */
    g_assert_cmpuint(vnet_ctrl_cmd(v, CTRL_MQ, 0, "\1", 2), ==, ERR);
    g_assert_cmpuint(vnet_ctrl_cmd(v, CTRL_MAC, 7, NULL, 0), ==, ERR);
    vnet_free(v);
}

/* ---- RSS: 5.1.6.4.3, 5.1.6.5.6, 5.1.6.5.7 ---- */

static const uint8_t ms_key[40] = {                 /* "Verifying the RSS hash calculation" */
    0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3, 0x8f, 0xb0,
    0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3, 0x80, 0x30, 0xf2, 0x0c,
    0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
};

struct rss_cmd {
    uint32_t types;
    uint16_t mask, unclassified, table[130], max_tx;
    unsigned key_len;
};

static size_t rss_bytes(uint8_t *d, const struct rss_cmd *c)
{
    size_t n = 8;

    st_le32(d, c->types);
    st_le16(d + 4, c->mask);
    st_le16(d + 6, c->unclassified);
    for (unsigned i = 0; i <= c->mask && i < ARRAY_LEN(c->table); i++, n += 2) {
        st_le16(d + n, c->table[i]);
    }
    st_le16(d + n, c->max_tx);
    d[n + 2] = (uint8_t)c->key_len;
    memcpy(d + n + 3, ms_key, MIN(c->key_len, 40));
    return n + 3 + c->key_len;
}

static uint8_t rss_cmd(struct vnet *v, const struct rss_cmd *c)
{
    uint8_t d[800] = { 0 };

    return vnet_ctrl_cmd(v, CTRL_MQ, 1, d, rss_bytes(d, c));
}

static void test_rss(void)
{
    static const struct {                           /* the published vectors */
        uint8_t src[4], dst[4];
        uint16_t sport, dport;
        uint32_t tcp, ip;
    } t[] = {
        { { 66, 9, 149, 187 }, { 161, 142, 100, 80 }, 2794, 1766, 0x51ccc178, 0x323e8fc2 },
        { { 199, 92, 111, 2 }, { 65, 69, 140, 83 }, 14230, 4739, 0xc626b0ea, 0xd718262a },
        { { 24, 19, 198, 95 }, { 12, 22, 207, 184 }, 12898, 38024, 0x5c2b394a, 0xd2d0a5de },
        { { 38, 27, 205, 30 }, { 209, 142, 163, 6 }, 48228, 2217, 0xafc7327f, 0x82989176 },
        { { 153, 39, 163, 191 }, { 202, 188, 127, 2 }, 44251, 1303, 0x10e828a2, 0x5d1809c5 },
    };
    struct vnet *v = vnet_new("virtio-net-pci", "queues=4,mq=on,rss=on,hash=on");
    struct rss_cmd c = { .types = RSS_IP4 | RSS_TCP4, .mask = 127, .unclassified = 3, .max_tx = 4, .key_len = 40 };
    struct vpacket *p = g_new(struct vpacket, 1);
    uint8_t f[200];

    for (unsigned i = 0; i < 128; i++) {
        c.table[i] = (uint16_t)(i * 7 % 4);
    }
    vnet_start(v, BITS(5, 17, 22, 57, 60));
    for (unsigned q = 0; q < 8; q += 2) {
        vnet_fill(v, q, 8, 2000);
    }
    g_assert_cmpuint(rss_cmd(v, &c), ==, OK);
    for (unsigned i = 0; i < ARRAY_LEN(t); i++) {
        for (unsigned udp = 0; udp < 2; udp++) {    /* UDP is not asked for: addresses only */
            size_t len = udp ? rig_udp4(f, 50, true) : rig_tcp4(f, 50, true);
            uint32_t hash = udp ? t[i].ip : t[i].tcp;
            unsigned q = 2u * c.table[hash & 127];

            memcpy(f + 26, t[i].src, 4);
            memcpy(f + 30, t[i].dst, 4);
            st_be16(f + 34, t[i].sport);
            st_be16(f + 36, t[i].dport);
            rig_rx(v->g, f, len);
            g_assert_true(vnet_got(v, q, p));
            g_assert_cmphex(ld_le32(p->hdr + 12), ==, hash);
            g_assert_cmpuint(ld_le16(p->hdr + 16), ==, udp ? 1 : 2);        /* 5.1.6.4.3.5 */
        }
    }
    rig_eth(f, 60, rig_mac, 0x88B5, 1);
    g_assert_cmpint(rx_queue_of(v, f, 60), ==, 6);                  /* no hash type applies */

    {                                               /* 5.1.6.5.7: hash without steering */
        uint8_t d[4 + 8 + 1 + 40] = { 0 };

        g_assert_cmpuint(pairs_cmd(v, 1), ==, OK);
        st_le32(d, RSS_TCP4);
        d[12] = 40;
        memcpy(d + 13, ms_key, 40);
        g_assert_cmpuint(vnet_ctrl_cmd(v, CTRL_MQ, 2, d, sizeof(d)), ==, OK);
        rig_rx(v->g, f, rig_tcp4(f, 50, true));
        g_assert_true(vnet_got(v, 0, p));
        g_assert_cmpuint(ld_le16(p->hdr + 16), ==, 2);
        rig_rx(v->g, f, rig_udp4(f, 50, true));
        g_assert_true(vnet_got(v, 0, p));
        g_assert_cmpuint(ld_le16(p->hdr + 16), ==, 0);
        g_assert_cmphex(ld_le32(p->hdr + 12), ==, 0);
        d[12] = 41;
        g_assert_cmpuint(vnet_ctrl_cmd(v, CTRL_MQ, 2, d, sizeof(d)), ==, ERR);
        st_le32(d, 1u << 9);
        d[12] = 40;
        g_assert_cmpuint(vnet_ctrl_cmd(v, CTRL_MQ, 2, d, sizeof(d)), ==, ERR);
    }
    vnet_free(v);
    g_free(p);
}

/* CVE-2024-6505, cd76e8fc, 32a90850: table length and indices from the guest */
static void test_rss_hostile(void)
{
    struct vnet *v = vnet_new("virtio-net-pci", "queues=4,mq=on,rss=on");
    struct rss_cmd good = { .types = RSS_TCP4, .mask = 3, .unclassified = 0, .max_tx = 4, .key_len = 40 }, c;
    uint8_t d[800];
    size_t n;

    vnet_start(v, BITS(5, 17, 22, 60));
    g_assert_cmpuint(rss_cmd(v, &good), ==, OK);
    for (unsigned i = 0; i < 10; i++) {
        c = good;
        switch (i) {
        case 0: c.mask = 0xFFFF; break;
        case 1: c.mask = 128; break;
        case 2: c.mask = 255; break;
        case 3: c.mask = 2; break;                                  /* not 2^n - 1 */
        case 4: c.table[3] = 4; break;
        case 5: c.table[0] = 0xFFFF; break;
        case 6: c.unclassified = 4; break;
        case 7: c.max_tx = 0; break;
        case 8: c.max_tx = 5; break;
        case 9: c.types = 1u << 9; break;
        }
        g_assert_cmpuint(rss_cmd(v, &c), ==, ERR);
    }
    c = good;
    c.key_len = 41;
    g_assert_cmpuint(rss_cmd(v, &c), ==, ERR);
    n = rss_bytes(d, &good);
    for (size_t cut = 0; cut < n; cut++) {
        g_assert_cmpuint(vnet_ctrl_cmd(v, CTRL_MQ, 1, d, cut), ==, ERR);
    }
    for (unsigned q = 0; q < 8; q += 2) {
        vnet_fill(v, q, 4, 2000);
    }
    n = rig_tcp4(d, 40, true);
    g_assert_cmpint(rx_queue_of(v, d, n), ==, 0);                   /* the first command is still in force */
    vnet_free(v);
}

/* ---- events: NIC_RX_FILTER_CHANGED once until somebody asks; FAILOVER_NEGOTIATED ---- */

struct seen {
    unsigned filter, failover;
    char path[100], id[20];
};

static void on_event(void *opaque, enum qapi_event ev, struct jval *data)
{
    struct seen *s = opaque;

    if (ev == QAPI_EVENT_NIC_RX_FILTER_CHANGED) {
        s->filter++;
        g_strlcpy(s->path, jval_get_str(data, "path"), sizeof(s->path));
        g_assert_cmpstr(jval_get_str(data, "name"), ==, "nic");
    } else if (ev == QAPI_EVENT_FAILOVER_NEGOTIATED) {
        s->failover++;
        g_strlcpy(s->id, jval_get_str(data, "device-id"), sizeof(s->id));
    }
    jval_free(data);
}

static void test_events(void)
{
    struct seen s = { 0 };
    struct vnet *v = vnet_new("virtio-net-pci", "failover=on");
    struct nic_rx_filter f;

    qapi_event_set_sink(on_event, &s);
    vnet_start(v, CTRL_ALL);
    g_assert_cmpuint(s.failover, ==, 0);
    flag_cmd(v, 0, 0);
    flag_cmd(v, 1, 1);
    g_assert_cmpuint(s.filter, ==, 1);
    g_assert_cmpstr(s.path, ==, "/machine/peripheral/nic/virtio-backend");
    g_assert_true(nic_query_rx_filter("nic", &f, NULL));
    nic_rx_filter_fini(&f);
    vlan_cmd(v, 0, 1);
    vlan_cmd(v, 0, 2);
    g_assert_cmpuint(s.filter, ==, 2);
    vnet_start(v, CTRL_ALL | BITS(62));
    g_assert_cmpuint(s.failover, ==, 1);
    g_assert_cmpstr(s.id, ==, "nic");
    qapi_event_set_sink(NULL, NULL);
    vnet_free(v);
}

/* ---- state ---- */

static void test_save_load(void)
{
    static const uint8_t mac[6] = { 0x52, 0x54, 0, 1, 2, 3 };
    struct vnet *v = vnet_new("virtio-net-pci", "queues=4,mq=on,rss=on");
    struct rss_cmd c = { .types = RSS_TCP4, .mask = 3, .table = { 3, 2, 1, 0 }, .unclassified = 2, .max_tx = 3,
                         .key_len = 40 };
    g_autoptr(GByteArray) state = g_byte_array_new(), again = g_byte_array_new();
    uint8_t f[100], data[100];
    struct nic_rx_filter rf;
    Error *err = NULL;

    vnet_start(v, CTRL_ALL | BITS(1, 2, 5, 15, 22, 60));
    for (unsigned q = 0; q < 8; q += 2) {
        vnet_fill(v, q, 8, 2000);
    }
    flag_cmd(v, 0, 0);
    flag_cmd(v, 1, 1);
    vlan_cmd(v, 0, 9);
    vnet_ctrl_cmd(v, CTRL_MAC, 0, data, mac_table(data, 2, 1));
    vnet_ctrl_cmd(v, CTRL_MAC, 1, mac, 6);
    g_assert_cmpuint(rss_cmd(v, &c), ==, OK);
    device_save(&v->g->dev->dev, state);
    if (!device_load(&v->g->dev->dev, state->data, state->len, &err)) {
        g_error("load: %s", error_text(err));
    }
    rig_run();
    device_save(&v->g->dev->dev, again);
    g_assert_cmpmem(state->data, state->len, again->data, again->len);
    g_assert_true(nic_query_rx_filter("nic", &rf, NULL));
    g_assert_cmpmem(rf.main_mac, 6, mac, 6);
    g_assert_cmpuint(rf.unicast_table->len, ==, 2);
    g_assert_cmpuint(rf.vlan_table->len, ==, 1);
    g_assert_cmpint(rf.multicast, ==, NIC_RX_ALL);
    nic_rx_filter_fini(&rf);
    rig_eth(f, 60, mac, 0x88B5, 1);
    g_assert_cmpint(rx_queue_of(v, f, 60), ==, 4);                  /* rings go on where they were */
    vnet_send(v, 1, NULL, f, 60, 1);
    g_assert_cmpuint(v->g->peer->total, ==, 1);
    vnet_free(v);
}

/* A stream is hostile: every byte of it turned over in turn; the device survives and works after a reset */
static void test_load_hostile(void)
{
    struct vnet *v = vnet_new("virtio-net-pci", "queues=2,mq=on,rss=on");
    g_autoptr(GByteArray) state = g_byte_array_new();
    unsigned refused = 0;
    uint8_t f[60];

    vnet_start(v, CTRL_ALL | BITS(5, 15, 22, 60));
    vnet_fill(v, 0, 8, 2000);
    device_save(&v->g->dev->dev, state);
    rig_eth(f, 60, rig_mac, 0x88B5, 1);
    for (unsigned i = 0; i < state->len; i++) {
        Error *err = NULL;

        state->data[i] ^= i & 1 ? 0xFF : 0x10;
        if (!device_load(&v->g->dev->dev, state->data, state->len, &err)) {
            g_assert_nonnull(err);
            error_free(err);
            refused++;
        }
        rig_run();
        rig_rx(v->g, f, sizeof(f));
        state->data[i] ^= i & 1 ? 0xFF : 0x10;
    }
    g_assert_cmpuint(refused, >, 0);
    rig_config_set(v->g, PCI_COMMAND, 7, 2);
    vnet_free(v);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    rig_init_once();
    g_test_add_func("/virtio-net/ids", test_ids);
    g_test_add_func("/virtio-net/features/offered", test_offered);
    g_test_add_func("/virtio-net/features/dependencies", test_dependencies);
    g_test_add_func("/virtio-net/config", test_config);
    g_test_add_func("/virtio-net/config/legacy-mac", test_legacy_mac);
    g_test_add_func("/virtio-net/link", test_link);
    g_test_add_func("/virtio-net/announce", test_announce);
    g_test_add_func("/virtio-net/properties/bad", test_bad_properties);
    g_test_add_func("/virtio-net/properties/good", test_good_properties);
    g_test_add_func("/virtio-net/ctrl/rx-modes", test_ctrl_rx_modes);
    g_test_add_func("/virtio-net/ctrl/mac-table", test_ctrl_mac_table);
    g_test_add_func("/virtio-net/ctrl/mac-addr", test_ctrl_mac_addr);
    g_test_add_func("/virtio-net/ctrl/vlan", test_ctrl_vlan);
    g_test_add_func("/virtio-net/ctrl/guest-offloads", test_ctrl_guest_offloads);
    g_test_add_func("/virtio-net/mq", test_mq);
    g_test_add_func("/virtio-net/rss", test_rss);
    g_test_add_func("/virtio-net/rss/CVE-2024-6505", test_rss_hostile);
    g_test_add_func("/virtio-net/events", test_events);
    g_test_add_func("/virtio-net/state/save-load", test_save_load);
    g_test_add_func("/virtio-net/state/hostile", test_load_hostile);
    return g_test_run();
}
