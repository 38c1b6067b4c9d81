/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/test-virtio-vmstate.c - virtio-net moved to a fresh device in the middle of its work; bad streams
 *
 * The driver of vnet_rig.h goes on as if nothing had happened: same rings in the same RAM, another device behind them.
 * Every packet has a number, so what is lost, doubled or overtaken is seen.
 */
#include "tests/lib/vnet_rig.h"

#include "migration/devices.h"

#include <string.h>

#define PROPS "queues=2,mq=on,rss=on,hash=on,packed=on,in_order=on"

enum { F_MAC = 5, F_MRG = 15, F_STATUS = 16, F_CTRL = 17, F_RX = 18, F_VLAN = 19, F_MQ = 22, F_EVENT = 29,
       F_INDIRECT = 28, F_PACKED = 34, F_IN_ORDER = 35, F_RSS = 60 };
enum { CTRL_MQ = 4, HDR_PEEK = 60, RAM_USED = 0x500000 };

static const uint64_t base_features = BIT(F_MAC) | BIT(F_STATUS) | BIT(F_CTRL) | BIT(F_RX) | BIT(F_VLAN) | BIT(F_MQ) |
                                      BIT(F_RSS) | BIT(F_INDIRECT);

static const uint64_t ring_kinds[] = {
    0, BIT(F_EVENT), BIT(F_PACKED), BIT(F_PACKED) | BIT(F_EVENT), BIT(F_IN_ORDER),
    BIT(F_PACKED) | BIT(F_IN_ORDER) | BIT(F_MRG),
};

static GByteArray *stream_of(struct vnet *v)
{
    GByteArray *s = g_byte_array_new();

    rig_run();
    device_save(&v->g->dev->dev, s);
    return s;
}

/* Another device behind the same rings */
static void move(struct vnet *v, const char *type, const char *props)
{
    g_autoptr(GByteArray) s = stream_of(v);
    g_autofree uint8_t *ram = g_memdup2(v->g->ram->host, RAM_USED);
    bool busy = v->g->peer->busy;
    Error *err = NULL;

    rig_free(v->g);
    v->g = rig_new_with(type, props);
    memcpy(v->g->ram->host, ram, RAM_USED);
    v->g->peer->busy = busy;
    if (!device_load(&v->g->dev->dev, s->data, s->len, &err)) {
        g_error("%s", error_text(err));
    }
    g_autoptr(GByteArray) again = g_byte_array_new();
    device_save(&v->g->dev->dev, again);
    g_assert_cmpmem(again->data, again->len, s->data, s->len);
    rig_run();
}

/* ---- what the driver can read ---- */

static GByteArray *look(struct vnet *v)
{
    GByteArray *out = g_byte_array_new();
    unsigned nqueues = vc_read(v, VC_NUM_QUEUES, 2), select = vc_read(v, VC_QUEUE_SELECT, 2);

    for (unsigned off = 0; off < PCI_CONFIG_SIZE; off += 4) {
        uint32_t x = rig_config(v->g, off, 4);

        g_byte_array_append(out, (const guint8 *)&x, 4);
    }
    for (unsigned off = 0; off < 0x40; off += 4) {
        uint32_t x[2] = { vc_read(v, off, 4), vnet_cfg(v, off, 4) };

        g_byte_array_append(out, (const guint8 *)x, 8);
    }
    for (unsigned q = 0; q < nqueues; q++) {
        vc_write(v, VC_QUEUE_SELECT, q, 2);
        for (unsigned off = VC_QUEUE_SELECT; off < 0x40; off += 2) {
            uint32_t x = vc_read(v, off, 2);

            g_byte_array_append(out, (const guint8 *)&x, 4);
        }
    }
    vc_write(v, VC_QUEUE_SELECT, select, 2);
    for (unsigned i = 0; i < 5 * 16; i += 4) {                      /* MSI-X table */
        uint32_t x = (uint32_t)space_read(&v->g->as, VNET_BAR1 + i, 4);

        g_byte_array_append(out, (const guint8 *)&x, 4);
    }
    return out;
}

static void vectors_on(struct vnet *v)
{
    unsigned cap = pci_find_cap(v->g->dev, 0x11);

    rig_config_set(v->g, cap + 2, 0x8000, 2);
    for (unsigned i = 0; i < 3; i++) {
        space_write(&v->g->as, VNET_BAR1 + i * 16, 0xFEE00000, 4);
        space_write(&v->g->as, VNET_BAR1 + i * 16 + 8, 0x50 + i, 4);
        space_write(&v->g->as, VNET_BAR1 + i * 16 + 12, 0, 4);
    }
    vc_write(v, VC_CONFIG_VECTOR, 0, 2);
    vc_write(v, VC_QUEUE_SELECT, 0, 2);
    vc_write(v, VC_QUEUE_VECTOR, 1, 2);
    vc_write(v, VC_QUEUE_SELECT, 1, 2);
    vc_write(v, VC_QUEUE_VECTOR, 2, 2);
}

static void test_registers(void)
{
    struct vnet *v = vnet_new("virtio-net-pci", PROPS);

    vnet_start(v, base_features | BIT(F_PACKED));
    vectors_on(v);
    vnet_fill(v, 0, 8, 2000);
    net_set_link("nic", false, NULL);                               /* two generations of the configuration */
    net_set_link("nic", true, NULL);
    g_assert_cmpuint(vc_read(v, VC_GENERATION, 1), ==, 2);
    vc_write(v, VC_DEV_FEATURE_SELECT, 1, 4);
    vc_write(v, VC_DRV_FEATURE_SELECT, 1, 4);
    vc_write(v, VC_QUEUE_SELECT, 3, 2);
    g_autoptr(GByteArray) before = look(v);
    move(v, "virtio-net-pci", PROPS);
    g_autoptr(GByteArray) after = look(v);
    g_assert_cmpmem(after->data, after->len, before->data, before->len);
    g_assert_cmpuint(v->g->msis, ==, 0);
    vnet_free(v);
}

/* A device that the driver has not found yet, and one in the middle of negotiation */
static void test_not_running(void)
{
    for (unsigned stage = 0; stage < 3; stage++) {
        struct vnet *v = vnet_new("virtio-net-pci", PROPS);

        if (stage >= 1) {
            vc_write(v, VC_STATUS, 3, 1);
            vc_write(v, VC_DRV_FEATURE, BIT(F_MAC), 4);
        }
        if (stage == 2) {
            g_assert_true(vnet_negotiate(v, BIT(32) | BIT(F_MAC)));
            vdq_setup(v, 0, 128);
        }
        g_autoptr(GByteArray) before = look(v);
        move(v, "virtio-net-pci", PROPS);
        g_autoptr(GByteArray) after = look(v);
        g_assert_cmpmem(after->data, after->len, before->data, before->len);
        vnet_start(v, base_features);
        vnet_fill(v, 0, 4, 2000);
        vnet_free(v);
    }
}

/* ---- traffic across moves ---- */

struct traffic {
    struct vnet *v;
    unsigned tx_next, rx_next, tx_seen, rx_seen;
    struct vpacket p;
};

static void numbered(uint8_t *f, const uint8_t *dst, unsigned n)
{
    rig_eth(f, HDR_PEEK, dst, 0x88B5, n);
    st_le32(f + 14, n);
}

static void check_out(struct traffic *t)
{
    struct rig_frame *f;

    while ((f = rig_sent(t->v->g))) {
        g_assert_cmpuint(ld_le32(f->data + 14), ==, t->tx_seen);
        t->tx_seen++;
        g_free(f);
    }
}

static void check_in(struct traffic *t)
{
    while (vnet_got(t->v, 0, &t->p)) {
        g_assert_cmpuint(ld_le32(t->p.data + 14), ==, t->rx_seen);
        t->rx_seen++;
    }
}

static void one_move(uint64_t kind, unsigned seed)
{
    g_autoptr(GRand) r = g_rand_new_with_seed(seed);
    struct traffic *t = g_new0(struct traffic, 1);
    struct vnet *v = t->v = vnet_new("virtio-net-pci", PROPS);
    uint8_t f[HDR_PEEK];
    uint32_t len;
    unsigned id;

    vnet_start(v, base_features | kind);
    vnet_fill(v, 0, 16, 2000);
    for (unsigned i = 0; i < 120; i++) {
        switch (g_rand_int_range(r, 0, 8)) {
        case 0: case 1: case 2:
            if (v->q[1].nfree > 8) {
                numbered(f, rig_other, t->tx_next++);
                vnet_send(v, 1, NULL, f, sizeof(f), (unsigned)g_rand_int_range(r, 1, 4));
                v->bump = MAX(v->bump, 0x400000);
                v->bump = v->bump > 0x4F0000 ? 0x400000 : v->bump + 4096;
            }
            break;
        case 3: case 4:
            if (t->rx_next - t->rx_seen < 12) {
                numbered(f, rig_mac, t->rx_next++);
                rig_rx(v->g, f, sizeof(f));
            }
            break;
        case 5:
            check_in(t);
            break;
        case 6:
            while (vdq_get(v, &v->q[1], &id, &len)) {
            }
            check_out(t);
            break;
        default:
            check_out(t);
            move(v, "virtio-net-pci", PROPS);
            break;
        }
    }
    check_in(t);
    check_out(t);
    g_assert_cmpuint(t->rx_seen, ==, t->rx_next);
    g_assert_cmpuint(t->tx_seen, ==, t->tx_next);
    vnet_free(v);
    g_free(t);
}

static void test_traffic(void)
{
    for (unsigned k = 0; k < ARRAY_LEN(ring_kinds); k++) {
        for (unsigned seed = 1; seed <= 2; seed++) {
            one_move(ring_kinds[k], seed);
        }
    }
}

/* Packets that the peer did not take yet leave from the other device, in order, once */
static void test_blocked(void)
{
    for (unsigned k = 0; k < ARRAY_LEN(ring_kinds); k++) {
        struct vnet *v = vnet_new("virtio-net-pci", PROPS);
        uint8_t f[HDR_PEEK];
        unsigned n, first, id;
        struct rig_frame *out;
        uint32_t len;

        vnet_start(v, base_features | ring_kinds[k]);
        v->g->peer->busy = true;
        for (n = 0; n < 20; n++) {
            numbered(f, rig_other, n);
            v->bump += 4096;
            vnet_send(v, 1, NULL, f, sizeof(f), 2);
        }
        move(v, "virtio-net-pci", PROPS);
        g_assert_cmpuint(v->g->peer->total, ==, 0);
        rig_unblock(v->g);
        out = rig_sent(v->g);
        g_assert_nonnull(out);
        first = ld_le32(out->data + 14);
        g_assert_cmpuint(first, <=, 2);         /* the net layer there had taken the first of them */
        g_free(out);
        for (n = first + 1; n < 20; n++) {
            out = rig_sent(v->g);
            g_assert_nonnull(out);
            g_assert_cmpuint(ld_le32(out->data + 14), ==, n);
            g_free(out);
        }
        g_assert_null(rig_sent(v->g));
        for (n = 0; vdq_get(v, &v->q[1], &id, &len); n++) {
        }
        g_assert_cmpuint(v->q[1].nfree, ==, v->q[1].size);          /* every buffer is the driver's again */
        vnet_free(v);
    }
}

/* A line that is up stays up until the ISR is read */
static void test_intx(void)
{
    struct vnet *v = vnet_new("virtio-net-pci", PROPS);
    uint8_t f[HDR_PEEK];

    vnet_start(v, base_features);
    vnet_fill(v, 0, 4, 2000);
    numbered(f, rig_mac, 0);
    rig_rx(v->g, f, sizeof(f));
    g_assert_true(v->g->irq);
    move(v, "virtio-net-pci", PROPS);
    g_assert_true(v->g->irq);
    g_assert_cmphex(vc_read(v, 0x1000, 1), ==, 1);
    g_assert_false(v->g->irq);
    vnet_free(v);
}

static void test_vectors(void)
{
    struct vnet *v = vnet_new("virtio-net-pci", PROPS);
    uint8_t f[HDR_PEEK];

    vnet_start(v, base_features);
    vectors_on(v);
    vnet_fill(v, 0, 4, 2000);
    move(v, "virtio-net-pci", PROPS);
    numbered(f, rig_mac, 0);
    rig_rx(v->g, f, sizeof(f));
    g_assert_cmpuint(v->g->msis, ==, 1);
    g_assert_cmphex(v->g->msi[0].data, ==, 0x51);
    g_assert_false(v->g->irq);
    net_set_link("nic", false, NULL);
    rig_run();
    g_assert_cmpuint(v->g->msis, ==, 2);
    g_assert_cmphex(v->g->msi[1].data, ==, 0x50);
    vnet_free(v);
}

/* 4.1.4.10: a driver of 0.9.5, by the I/O BAR */
static void test_legacy(void)
{
    enum { FEATURES = 4, PFN = 8, SIZE = 12, SELECT = 14, NOTIFY = 16, STATUS = 18, RING = 0x200000, BUF = 0x300000 };
    struct vnet *v = vnet_new("virtio-net-pci-transitional", NULL);
    struct rig *g = v->g;
    unsigned size;
    uint8_t *p;

    rig_config_set(g, PCI_COMMAND, PCI_COMMAND_IO, 2);          /* as Linux before 2.6.34: never a bus master */
    space_write(&g->io_as, RIG_IO + STATUS, 3, 1);
    space_write(&g->io_as, RIG_IO + FEATURES, BIT(F_MAC), 4);
    space_write(&g->io_as, RIG_IO + SELECT, 1, 2);
    size = (unsigned)space_read(&g->io_as, RIG_IO + SIZE, 2);
    space_write(&g->io_as, RIG_IO + PFN, RING >> 12, 4);
    space_write(&g->io_as, RIG_IO + STATUS, 7, 1);
    rig_run();
    move(v, "virtio-net-pci-transitional", NULL);
    g = v->g;
    g_assert_cmphex(space_read(&g->io_as, RIG_IO + STATUS, 1), ==, 7);
    g_assert_cmphex(space_read(&g->io_as, RIG_IO + FEATURES, 4), ==, BIT(F_MAC));
    g_assert_cmphex(space_read(&g->io_as, RIG_IO + PFN, 4), ==, RING >> 12);

    rig_eth(rig_ram(g, BUF + 10), HDR_PEEK, rig_other, 0x88B5, 3);
    p = rig_ram(g, RING);
    st_le64(p, BUF);
    st_le32(p + 8, 10 + HDR_PEEK);
    st_le16(rig_ram(g, RING + 16 * size + 2), 1);
    space_write(&g->io_as, RIG_IO + NOTIFY, 1, 2);
    rig_run();
    g_assert_cmpuint(g->peer->total, ==, 1);
    vnet_free(v);
}

/* ---- streams that must be refused ---- */

struct bench {
    struct vnet *v;
    GByteArray *s;
};

/* A device at work, its stream, and a fresh device */
static struct bench bench_new(uint64_t features)
{
    struct bench b = { .v = vnet_new("virtio-net-pci", PROPS) };
    uint8_t f[HDR_PEEK];

    vnet_start(b.v, base_features | features);
    vnet_fill(b.v, 0, 8, 2000);
    numbered(f, rig_mac, 0);
    rig_rx(b.v->g, f, sizeof(f));
    vnet_send(b.v, 1, NULL, f, sizeof(f), 1);
    b.s = stream_of(b.v);
    return b;
}

/* The device works after it: reset and negotiated anew, a packet each way */
static void bench_free(struct bench *b)
{
    struct vnet *v = b->v;
    struct vpacket *p = g_new(struct vpacket, 1);
    uint8_t f[HDR_PEEK];

    rig_run();
    device_reset(&v->g->dev->dev);
    rig_config_set(v->g, PCI_BAR0, RIG_IO, 4);
    rig_config_set(v->g, PCI_BAR0 + 4, VNET_BAR1, 4);
    rig_config_set(v->g, PCI_BAR0 + 16, VNET_BAR4, 4);
    rig_config_set(v->g, PCI_BAR0 + 20, 0, 4);
    rig_config_set(v->g, PCI_COMMAND, 7, 2);
    vnet_start(v, base_features);
    vnet_fill(v, 0, 4, 2000);
    numbered(f, rig_mac, 1);
    rig_rx(v->g, f, sizeof(f));
    g_assert_true(vnet_got(v, 0, p));
    v->g->peer->total = 0;
    g_assert_true(vnet_send(v, 1, NULL, f, sizeof(f), 1));
    g_assert_cmpuint(v->g->peer->total, ==, 1);
    vnet_free(v);
    g_byte_array_unref(b->s);
    g_free(p);
}

/* Where the values of the last field @name begin */
static guint payload(const GByteArray *b, const char *name)
{
    size_t n = strlen(name);

    for (guint i = b->len - (guint)n - 1; i > 0; i--) {
        if (b->data[i] == n && memcmp(b->data + i + 1, name, n) == 0) {
            return i + 1 + (guint)n + 9;
        }
    }
    g_assert_not_reached();
}

/* NULL @text: it is taken */
static void load(struct bench *b, const char *text)
{
    g_autoptr(Error) err = NULL;
    bool ok = device_load(&b->v->g->dev->dev, b->s->data, b->s->len, &err);

    g_assert_true(ok == !err);
    g_assert_cmpstr(err ? error_text(err) : NULL, ==, text);
}

enum { QUEUE = 32, Q_DESC = 0, Q_SIZE = 24, Q_VECTOR = 26, Q_POS = 28, Q_FLAGS = 30 };

/* CVE-2013-4149..4151, -6399: positions and sizes of queues */
static void test_virtqueue_indices(void)
{
    static const struct {
        unsigned queue, off, size;
        uint64_t val;
        const char *packed, *split;
    } cases[] = {
        { 0, Q_POS, 2, 256, "virtqueue 0: position 256 is beyond its size 256", NULL },
        { 0, Q_POS, 2, 0xFFFF, "virtqueue 0: position 65535 is beyond its size 256", NULL },
        { 1, Q_POS, 2, 0x8000, "virtqueue 1: position 32768 is beyond its size 256", NULL },
        { 0, Q_SIZE, 2, 3, NULL, "virtqueue 0: size 3 or addresses are not possible" },
        { 2, Q_DESC, 8, 7, "virtqueue 2: size 256 or addresses are not possible",
          "virtqueue 2: size 256 or addresses are not possible" },
        { 3, Q_DESC, 8, UINT64_MAX - 15, "virtqueue 3: size 256 or addresses are not possible",
          "virtqueue 3: size 256 or addresses are not possible" },
    };

    for (unsigned packed = 0; packed < 2; packed++) {
        for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
            struct bench b = bench_new(packed ? BIT(F_PACKED) : 0);
            const char *why = packed ? cases[i].packed : cases[i].split;
            g_autofree char *text = why ? g_strdup_printf("virtio-pci.device: %s", why) : NULL;
            uint8_t f[HDR_PEEK];

            st_le_n(b.s->data + payload(b.s, "queues") + cases[i].queue * QUEUE + cases[i].off, cases[i].val,
                    cases[i].size);
            load(&b, text);
            numbered(f, rig_mac, 1);
            rig_rx(b.v->g, f, sizeof(f));                           /* taken: the ring may break, nothing else */
            rig_run();
            bench_free(&b);
        }
    }
}

static void test_queue_sizes(void)
{
    static const struct {
        uint16_t size;
        const char *text;
    } cases[] = {
        { 0, "virtio-pci.device.queues: queue 0: size 0, at most 256, flags 0x5" },
        { 257, "virtio-pci.device.queues: queue 0: size 257, at most 256, flags 0x5" },
        { 32768, "virtio-pci.device.queues: queue 0: size 32768, at most 256, flags 0x5" },
    };

    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct bench b = bench_new(0);

        st_le16(b.s->data + payload(b.s, "queues") + Q_SIZE, cases[i].size);
        load(&b, cases[i].text);
        bench_free(&b);
    }
}

/* More queues than the device has, or fewer; more pairs in use than were negotiated, or none */
static void test_queue_counts(void)
{
    static const struct {
        uint16_t pairs;
        const char *text;
    } cases[] = {
        { 0, "virtio-net-pci.net.pairs: 0 is not within 1..128" },
        { 3, "virtio-net-pci.net: 3 queue pairs in use, there are 2" },
        { 128, "virtio-net-pci.net: 128 queue pairs in use, there are 2" },
        { 129, "virtio-net-pci.net.pairs: 129 is not within 1..128" },
        { 0xFFFF, "virtio-net-pci.net.pairs: 65535 is not within 1..128" },
    };
    struct bench b;
    GByteArray *other;

    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        b = bench_new(0);
        st_le16(b.s->data + payload(b.s, "pairs"), cases[i].pairs);
        load(&b, cases[i].text);
        bench_free(&b);
    }
    b = bench_new(0);
    vnet_free(b.v);
    b.v = vnet_new("virtio-net-pci", PROPS ",vectors=8");
    g_byte_array_unref(b.s);
    other = stream_of(b.v);
    b.s = other;
    vnet_free(b.v);
    b.v = vnet_new("virtio-net-pci", "queues=4,mq=on,rss=on,hash=on,packed=on,in_order=on,vectors=8");
    load(&b, "virtio-pci.device.queues: 5 queues, this device has 9");
    b.s = stream_of(b.v);
    vnet_free(b.v);
    b.v = vnet_new("virtio-net-pci", PROPS ",vectors=8");
    load(&b, "virtio-pci.device.queues: 9 queues, this device has 5");
    g_byte_array_unref(other);
    bench_free(&b);
}

/* CVE-2024-6505, cd76e8fc, 32a90850: length and entries of the RSS table */
static void test_rss_table(void)
{
    static const struct {
        const char *field;
        unsigned off, size;
        uint64_t val;
        const char *text;
    } cases[] = {
        { "mask", 0, 2, 0xFFFF, "virtio-net-pci.net.rss.mask: 65535 is not within 0..127" },   /* length 0 */
        { "mask", 0, 2, 128, "virtio-net-pci.net.rss.mask: 128 is not within 0..127" },
        { "mask", 0, 2, 2, "virtio-net-pci.net: RSS configuration out of range" },
        { "table", 0, 2, 2, "virtio-net-pci.net: RSS configuration out of range" },
        { "table", 6, 2, 128, "virtio-net-pci.net.rss.table[3]: 128 is not within 0..127" },
        { "table", -8u, 4, 0, "virtio-net-pci.net.rss.table: 0 values, 128 expected" },
        { "unclassified", 0, 2, 2, "virtio-net-pci.net: RSS configuration out of range" },
        { "types", 0, 4, 0x80000000, "virtio-net-pci.net.rss.types: 0x80000000 has bits outside 0x1ff" },
        { "uni", 0, 1, 65, "virtio-net-pci.net.filter.uni: 65 is not within 0..64" },
        { "multi", 0, 1, 255, "virtio-net-pci.net.filter.multi: 255 is not within 0..64" },
    };

    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct bench b = bench_new(0);
        uint8_t cmd[8 + 8 + 3 + 40] = { 0 };

        st_le32(cmd, 7);                                            /* IPv4, TCPv4, UDPv4; four entries */
        st_le16(cmd + 4, 3);
        st_le16(cmd + 8, 1);
        st_le16(cmd + 16, 2);
        cmd[18] = 40;
        g_assert_cmpuint(vnet_ctrl_cmd(b.v, CTRL_MQ, 1, cmd, sizeof(cmd)), ==, 0);
        g_byte_array_unref(b.s);
        b.s = stream_of(b.v);
        st_le_n(b.s->data + payload(b.s, cases[i].field) + (int)cases[i].off, cases[i].val, cases[i].size);
        load(&b, cases[i].text);
        bench_free(&b);
    }
}

/* 64 addresses of each kind is too many for one table */
static void test_filter_sum(void)
{
    struct bench b = bench_new(0);

    b.s->data[payload(b.s, "uni")] = 40;
    b.s->data[payload(b.s, "multi")] = 25;
    load(&b, "virtio-net-pci.net: 65 addresses in the filter, room for 64");
    bench_free(&b);
}

static void test_features_and_status(void)
{
    static const struct {
        const char *field;
        unsigned size;
        uint64_t val;
        const char *start;                                          /* of the error */
    } cases[] = {
        { "features", 8, UINT64_MAX, "virtio-pci.device: virtio-net: features 0xffffffffffffffff of 0x" },
        { "features", 8, BIT(F_RX), "virtio-pci.device: virtio-net: features 0x40000 of 0x" },      /* without F_CTRL */
        { "negotiated", 1, 0, "virtio-pci.device: virtio-net: features 0x" },
        { "isr", 1, 4, "virtio-pci.device.isr: 0x4 has bits outside 0x3" },
        { "config_vector", 2, 6, "virtio-pci: vector 6, this device has " },
        { "config_vector", 2, 0xFFFE, "virtio-pci: vector 65534, this device has " },
        { "broken", 1, 3, "virtio-pci.device.broken: 3 is no bool" },
        { "guest_offloads", 8, 1 << 1, "virtio-net-pci.net: offloads that were not negotiated" },
    };

    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct bench b = bench_new(0);
        g_autoptr(Error) err = NULL;

        st_le_n(b.s->data + payload(b.s, cases[i].field), cases[i].val, cases[i].size);
        g_assert_false(device_load(&b.v->g->dev->dev, b.s->data, b.s->len, &err));
        if (!g_str_has_prefix(error_text(err), cases[i].start)) {
            g_error("'%s', not '%s'", error_text(err), cases[i].start);
        }
        bench_free(&b);
    }
}

/* Cut at each 29th byte; every seventh byte changed, one after the other: refused or taken, and it works after it */
static void test_damaged(void)
{
    for (unsigned packed = 0; packed < 2; packed++) {
        struct bench b = bench_new(packed ? BIT(F_PACKED) : 0);
        uint8_t f[HDR_PEEK];
        unsigned taken = 0;

        for (guint len = 0; len < b.s->len; len += 29) {
            g_autofree uint8_t *cut = g_memdup2(b.s->data, MAX(len, 1));

            g_assert_false(device_load(&b.v->g->dev->dev, cut, len, NULL));
        }
        numbered(f, rig_mac, 1);
        for (guint at = packed; at < b.s->len; at += 7) {
            uint8_t old = b.s->data[at];

            b.s->data[at] ^= 1u << (at % 8);
            if (device_load(&b.v->g->dev->dev, b.s->data, b.s->len, NULL)) {
                taken++;
                rig_run();
                rig_rx(b.v->g, f, sizeof(f));
                rig_step(10000);
            }
            b.s->data[at] = old;
        }
        g_assert_cmpuint(taken, >, 10);
        bench_free(&b);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    rig_init_once();
    g_test_add_func("/virtio-vmstate/registers", test_registers);
    g_test_add_func("/virtio-vmstate/not-running", test_not_running);
    g_test_add_func("/virtio-vmstate/traffic", test_traffic);
    g_test_add_func("/virtio-vmstate/blocked", test_blocked);
    g_test_add_func("/virtio-vmstate/intx", test_intx);
    g_test_add_func("/virtio-vmstate/vectors", test_vectors);
    g_test_add_func("/virtio-vmstate/legacy", test_legacy);
    g_test_add_func("/virtio-vmstate/virtqueue-indices", test_virtqueue_indices);
    g_test_add_func("/virtio-vmstate/queue-sizes", test_queue_sizes);
    g_test_add_func("/virtio-vmstate/queue-counts", test_queue_counts);
    g_test_add_func("/virtio-vmstate/rss-table", test_rss_table);
    g_test_add_func("/virtio-vmstate/filter-sum", test_filter_sum);
    g_test_add_func("/virtio-vmstate/features-and-status", test_features_and_status);
    g_test_add_func("/virtio-vmstate/damaged", test_damaged);
    return g_test_run();
}
