/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/test-virtio-net-hostile.c - what broke virtio-net devices elsewhere, and what guests or peers could try
 *
 * Each test ends with a device that works, after a reset where the driver broke the rules of the ring itself.
 */
#include "tests/lib/vnet_rig.h"

#include "hw/virtio/virtio.h"
#include "net/offload/csum.h"

#define MRG BIT(15)
#define PACKED BIT(VIRTIO_F_RING_PACKED)

enum { HOLE = 0x80000000u };

static const uint64_t bad_places[] = {
    VNET_BAR4 + 0x3000, VNET_BAR4, VNET_BAR4 + 0x2000, VNET_BAR1, RIG_ROM_BASE, HOLE, RIG_RAM - 8,
    0xFFFFFFFFFFFFFFF0ull, 0xFFFFFFF8,
    0xFEE00000, 1ull << 52,
};

static void assert_alive(struct vnet *v, uint64_t features)
{
    struct vpacket *p = g_new(struct vpacket, 1);
    struct rig_frame *r;
    uint8_t f[100];

    v->g->peer->busy = false;
    vnet_start(v, features);
    rig_unblock(v->g);
    while ((r = rig_sent(v->g))) {
        g_free(r);
    }
    vnet_fill(v, 0, 8, 2000);
    rig_eth(f, sizeof(f), rig_mac, 0x88B5, 77);
    rig_rx(v->g, f, sizeof(f));
    g_assert_true(vnet_got(v, 0, p));
    g_assert_cmpmem(p->data, p->len, f, sizeof(f));
    g_assert_true(vnet_send(v, 1, NULL, f, sizeof(f), 2));
    r = rig_sent(v->g);
    g_assert_nonnull(r);
    g_assert_cmpmem(r->data, r->len, f, sizeof(f));
    g_free(r);
    g_free(p);
}

static bool needs_reset(struct vnet *v)
{
    return vc_read(v, VC_STATUS, 1) & 0x40;
}

/* ---- CVE-2014-0150, CVE-2016-5403, f47af0af ---- */

static void test_mac_count(void)
{
    static const uint32_t counts[] = { 0xFFFFFFFF, 0x80000000, 0x2AAAAAAB, 0x55555556, 65, 2 };
    struct vnet *v = vnet_new("virtio-net-pci", NULL);
    uint8_t d[20] = { 0 };

    vnet_start(v, BIT(17) | BIT(18));
    for (unsigned i = 0; i < ARRAY_LEN(counts); i++) {
        st_le32(d, counts[i]);
        st_le32(d + 4, 0);
        g_assert_cmpuint(vnet_ctrl_cmd(v, 1, 0, d, 4 + 6 + 4 - (counts[i] == 2)), ==, 1);
        st_le32(d, 0);                              /* the second table */
        st_le32(d + 4, counts[i]);
        g_assert_cmpuint(vnet_ctrl_cmd(v, 1, 0, d, 14), ==, 1);
    }
    assert_alive(v, 0);
    vnet_free(v);
}

static void test_avail_jump(void)
{
    struct vnet *v = vnet_new("virtio-net-pci", NULL);

    for (unsigned q = 0; q < 3; q++) {
        vnet_start(v, MRG | BIT(17));
        st_le16(rig_ram(v->g, v->q[q].driver + 2), 65535);
        vdq_kick_anyway(v, &v->q[q]);
        if (q == 0) {                               /* looked at when a frame comes */
            uint8_t f[60];

            rig_eth(f, sizeof(f), rig_mac, 0x88B5, 1);
            rig_rx(v->g, f, sizeof(f));
        }
        g_assert_true(needs_reset(v));
        vdq_kick_anyway(v, &v->q[q]);
    }
    assert_alive(v, MRG);
    vnet_free(v);
}

static void test_queue_select(void)
{
    struct vnet *v = vnet_new("virtio-net-pci", NULL);

    vnet_start(v, 0);
    for (unsigned q = 3; q < 0x10000; q = q * 2 + 1) {
        vc_write(v, VC_QUEUE_SELECT, q, 2);
        g_assert_cmpuint(vc_read(v, VC_QUEUE_SIZE, 2), ==, 0);
        vc_write(v, VC_QUEUE_SIZE, 256, 2);
        vc_write(v, VC_QUEUE_DESC, 0x100000, 4);
        vc_write(v, VC_QUEUE_ENABLE, 1, 2);
        g_assert_cmpuint(vc_read(v, VC_QUEUE_ENABLE, 2), ==, 0);
        vc_write(v, v->notify_off + v->notify_mult * q % 0x1000, q, 2);
    }
    assert_alive(v, 0);
    vnet_free(v);
}

/* ---- CVE-2015-7295, CVE-2021-3748, CVE-2022-26353: receive buffers that cannot take a frame ---- */

static void test_rx_bad_buffers(void)
{
    struct vpacket *p = g_new(struct vpacket, 1);
    uint8_t f[1514];

    for (unsigned k = 0; k < 2; k++) {
        struct vnet *v = vnet_new("virtio-net-pci", k ? "packed=on" : NULL);

        for (unsigned i = 0; i < ARRAY_LEN(bad_places); i++) {
            struct vbuf b = { bad_places[i], 2000 }, two[2];
            unsigned id;
            uint32_t len;

            vnet_start(v, MRG | (k ? PACKED : 0));
            two[0] = (struct vbuf){ vnet_alloc(v, 512), 512 };
            two[1] = b;
            vdq_add(v, &v->q[0], NULL, 0, &b, 1);           /* first of a packet; */
            vdq_add(v, &v->q[0], NULL, 0, two, 2);          /* in a chain with a good one; */
            vdq_kick(v, &v->q[0]);
            rig_eth(f, sizeof(f), rig_mac, 0x88B5, i);
            rig_rx(v->g, f, sizeof(f));
            g_assert_true(vdq_get(v, &v->q[0], &id, &len));
            g_assert_cmpuint(len, ==, 0);
            g_assert_true(vdq_get(v, &v->q[0], &id, &len));
            g_assert_cmpuint(len, ==, 0);
            g_assert_false(vdq_get(v, &v->q[0], &id, &len));
            g_assert_false(needs_reset(v));
            vnet_fill(v, 0, 4, 2000);                       /* the frame has not been lost */
            g_assert_true(vnet_got(v, 0, p));
            g_assert_cmpmem(p->data, p->len, f, sizeof(f));
        }
        assert_alive(v, MRG | (k ? PACKED : 0));
        vnet_free(v);
    }
    g_free(p);
}

/* Buffers smaller than a header, than a frame, 65536 times: nothing leaks, each frame is dropped or delivered */
static void test_rx_small_65536(void)
{
    struct vnet *v = vnet_new("virtio-net-pci", NULL);
    uint8_t f[1514];
    unsigned dropped = 0;

    vnet_start(v, 0);                               /* one buffer a frame */
    vnet_fill(v, 0, 256, 100);
    rig_eth(f, sizeof(f), rig_mac, 0x88B5, 1);
    for (unsigned i = 0; i < 65536; i++) {
        rig_rx(v->g, f, sizeof(f));
    }
    dropped = (unsigned)vnet_drops(v, "rx-no-room");
    g_assert_cmpuint(dropped, ==, 65536);
    vnet_start(v, MRG);
    for (unsigned i = 0; i < 65536; i++) {
        unsigned id;
        uint32_t len;

        if (i % 256 == 0) {
            v->bump = 0x300000;
            vnet_fill(v, 0, 256, 11);
            rig_rx(v->g, f, 60);
        }
        g_assert_true(vdq_get(v, &v->q[0], &id, &len));
        g_assert_cmpuint(len, ==, 0);
    }
    assert_alive(v, MRG);
    vnet_free(v);
}

/* ---- CVE-2023-6693: header longer than its place; 2c3e4e2d: chains shorter than the header ---- */

static void test_tx_short(void)
{
    static const struct {
        const char *props;
        uint64_t features;
        unsigned hdr;
    } t[] = { { NULL, 0, 12 }, { NULL, MRG, 12 }, { "hash=on,packed=on", BIT(57) | BIT(17) | PACKED, 20 } };

    for (unsigned i = 0; i < ARRAY_LEN(t); i++) {
        struct vnet *v = vnet_new("virtio-net-pci", t[i].props);

        vnet_start(v, t[i].features);
        for (unsigned len = 1; len < t[i].hdr + 14; len++) {
            struct vbuf b = { vnet_alloc(v, 64), len };
            unsigned id;
            uint32_t got;

            memset(rig_ram(v->g, b.addr), 0xFF, 64);
            vdq_add(v, &v->q[1], &b, 1, NULL, 0);
            vdq_kick(v, &v->q[1]);
            g_assert_true(vdq_get(v, &v->q[1], &id, &got));
            g_assert_null(rig_sent(v->g));
        }
        g_assert_cmpuint(vnet_drops(v, "tx-too-short"), ==, t[i].hdr + 13);
        {                                           /* writable only: nothing to send */
            struct vbuf b = { vnet_alloc(v, 2000), 2000 };
            unsigned id;
            uint32_t got;

            vdq_add(v, &v->q[1], NULL, 0, &b, 1);
            vdq_kick(v, &v->q[1]);
            g_assert_true(vdq_get(v, &v->q[1], &id, &got));
            g_assert_cmpuint(got, ==, 0);
        }
        assert_alive(v, t[i].features);
        vnet_free(v);
    }
}

/* test-server.md 5.6: 65 descriptors of about 69 KiB, and of about 4 GiB, come back */
static void test_tx_huge(void)
{
    struct vnet *v = vnet_new("virtio-net-pci", NULL);
    struct vbuf b[65];
    unsigned id;
    uint32_t len;

    vnet_start(v, 0);
    for (unsigned k = 0; k < 2; k++) {
        for (unsigned i = 0; i < 65; i++) {
            b[i] = (struct vbuf){ k ? 0 : 0x300000 + 4096 * i, k ? 0x03F00000 : 1088 };
        }
        vdq_add(v, &v->q[1], b, 65, NULL, 0);
        vdq_kick(v, &v->q[1]);
        g_assert_true(vdq_get(v, &v->q[1], &id, &len));
        g_assert_cmpuint(len, ==, 0);
        g_assert_null(rig_sent(v->g));
    }
    g_assert_cmpuint(vnet_drops(v, "tx-too-long"), ==, 1);
    g_assert_cmpuint(vnet_drops(v, "bad-dma"), ==, 1);
    assert_alive(v, 0);
    vnet_free(v);
}

/* ---- CVE-2024-3446, CVE-2026-66022: descriptors that point at the device itself; the self-DMA matrix (security.md G3)
 * ---- */

static void test_self_dma(void)
{
    for (unsigned k = 0; k < 2; k++) {
        struct vnet *v = vnet_new("virtio-net-pci", k ? "packed=on" : NULL);
        uint64_t features = MRG | BIT(17) | BIT(18) | (k ? PACKED : 0);

        for (unsigned i = 0; i < ARRAY_LEN(bad_places); i++) {
            struct vbuf bad = { bad_places[i], 100 }, good, out[2];
            int64_t start = g_get_monotonic_time();
            unsigned id;
            uint32_t len;

            vnet_start(v, features);
            good = (struct vbuf){ vnet_alloc(v, 100), 100 };
            out[0] = good;
            out[1] = bad;
            vdq_add(v, &v->q[1], &bad, 1, NULL, 0);
            vdq_add(v, &v->q[1], out, 2, NULL, 0);
            vdq_kick(v, &v->q[1]);
            for (unsigned n = 0; n < 2; n++) {
                g_assert_true(vdq_get(v, &v->q[1], &id, &len));
            }
            g_assert_cmpuint(v->g->peer->frames->len, ==,
                             bad_places[i] == RIG_ROM_BASE ? 2 : 0);     /* ROM may be read */
            g_ptr_array_set_size(v->g->peer->frames, 0);
            vdq_add(v, &v->q[2], &bad, 1, &good, 1);        /* control command there, */
            vdq_add(v, &v->q[2], &good, 1, &bad, 1);        /* answer there */
            vdq_kick(v, &v->q[2]);
            for (unsigned n = 0; n < 2; n++) {
                g_assert_true(vdq_get(v, &v->q[2], &id, &len));
            }
            g_assert_false(needs_reset(v));
            g_assert_cmpint(g_get_monotonic_time() - start, <, 200000);
        }
        for (unsigned i = 0; i < ARRAY_LEN(bad_places); i++) {      /* the rings themselves */
            for (unsigned part = 0; part < 3; part++) {
                vnet_start(v, features);
                vc_write(v, VC_STATUS, 0, 1);
                g_assert_true(vnet_negotiate(v, features | BIT(32)));
                vdq_setup(v, 0, 64);
                vdq_setup(v, 1, 64);
                vc_write(v, VC_QUEUE_SELECT, 2, 2);
                vc_write(v, VC_QUEUE_SIZE, 64, 2);
                for (unsigned n = 0; n < 3; n++) {
                    uint64_t at = n == part ? bad_places[i] & ~15ull : 0x200000 + 0x4000 * n;

                    vc_write(v, VC_QUEUE_DESC + 8 * n, (uint32_t)at, 4);
                    vc_write(v, VC_QUEUE_DESC + 8 * n + 4, (uint32_t)(at >> 32), 4);
                }
                vc_write(v, VC_QUEUE_ENABLE, 1, 2);
                vc_write(v, VC_STATUS, 15, 1);
                vdq_kick_anyway(v, &v->q[2]);
                vc_read(v, VC_STATUS, 1);
            }
        }
        assert_alive(v, features);
        vnet_free(v);
    }
}

/* ---- CVE-2026-63320, -63321, -66900, a8575f7f: short frames from peers that do not pad, with everything switched on
 * ---- */

static void test_rx_short_frames(void)
{
    static const uint64_t sets[] = { 0, MRG, MRG | BIT(1) | BIT(7) | BIT(8), MRG | BIT(1) | BIT(7) | BIT(8) | BIT(61),
                                     MRG | BIT(17) | BIT(18) | BIT(19) | BIT(20), MRG | BIT(1) | BIT(7) | BIT(17) |
                                     BIT(57) | BIT(60) | BIT(61) };
    struct vpacket *p = g_new(struct vpacket, 1);

    for (unsigned i = 0; i < ARRAY_LEN(sets); i++) {
        struct vnet *v = vnet_new("virtio-net-pci", "guest_rsc_ext=on,hash=on,rss=on,queues=2");
        static const uint16_t types[] = { 0x0800, 0x86DD, 0x8100, 0x88A8, 0x0806 };
        unsigned want = 0, got = 0, queues = sets[i] >> 60 & 1 ? 4 : 2;

        vnet_start(v, sets[i]);
        for (unsigned q = 0; q < queues; q += 2) {
            vnet_fill(v, q, 32, 2000);
        }
        if (sets[i] >> 57 & 1) {
            uint8_t d[4 + 4 + 2 + 2 + 1 + 40] = { 0 };

            st_le32(d, 0x1FF);
            st_le16(d + 10, 2);
            d[12] = 40;
            g_assert_cmpuint(vnet_ctrl_cmd(v, 4, 1, d, sizeof(d)), ==, 0);
        }
        if (sets[i] >> 18 & 1) {
            g_assert_cmpuint(vnet_ctrl_cmd(v, 0, 0, "\0", 1), ==, 0);
        }
        for (unsigned t = 0; t < ARRAY_LEN(types); t++) {
            for (size_t len = 0; len <= 60; len++) {
                g_autofree uint8_t *f = g_malloc(len);          /* exactly: a read past it is seen by the sanitizer */
                uint8_t whole[60];

                rig_eth(whole, sizeof(whole), rig_mac, types[t], 1);
                whole[14] = t == 1 ? 0x60 : 0x45;
                whole[23] = 6;
                if (len) {
                    memcpy(f, whole, len);
                }
                rig_rx(v->g, f, len);
                want += len >= 14 && (types[t] != 0x8100 || !(sets[i] >> 19 & 1) || len < 18);
                rig_step(400000);
                loop_iterate(false);
                rig_run();
                for (unsigned q = 0; q < queues; q += 2) {
                    while (vnet_got(v, q, p)) {
                        g_assert_cmpmem(p->data, p->len, f, len);
                        got++;
                    }
                }
            }
        }
        g_assert_cmpuint(got, ==, want);
        vnet_free(v);
    }
    g_free(p);
}

/* Segments with padding behind the datagram are merged without it */
static void test_rsc_padded(void)
{
    struct vnet *v = vnet_new("virtio-net-pci", "guest_rsc_ext=on");
    struct vpacket *p = g_new(struct vpacket, 1);
    uint8_t f[80];

    vnet_start(v, MRG | BIT(1) | BIT(7) | BIT(61));
    vnet_fill(v, 0, 32, 2000);
    for (unsigned i = 0; i < 3; i++) {
        uint64_t sum;

        memset(f, 0xEE, sizeof(f));
        rig_tcp4(f, 2, false);
        st_be32(f + 38, 100 + 2 * i);
        f[47] = i == 2 ? 0x18 : 0x10;
        csum_ip4_header(f + 14, 20);
        st_be16(f + 50, 0);
        sum = csum_pseudo(f + 14, PKT_L3_IP4, 6, 22);
        csum_store(f + 50, csum_add(sum, f + 34, 22));
        rig_rx(v->g, f, 60);                        /* 56 bytes and 4 of padding */
    }
    rig_step(1000000);
    loop_iterate(false);
    rig_run();
    g_assert_true(vnet_got(v, 0, p));
    g_assert_cmpuint(p->len, ==, 60);               /* 54 + 3 * 2 */
    for (unsigned i = 54; i < 60; i++) {
        g_assert_cmphex(p->data[i], !=, 0xEE);
    }
    g_assert_cmpuint(ld_le16(p->hdr + 6), ==, 3);
    vnet_free(v);
    g_free(p);
}

/* ---- CVE-2026-16457, CVE-2026-50626, d4f471eb: broken rings ---- */

static void test_broken_rings(void)
{
    for (unsigned k = 0; k < 2; k++) {
        struct vnet *v = vnet_new("virtio-net-pci", k ? "packed=on" : NULL);
        uint64_t features = MRG | (k ? PACKED : 0);

        for (unsigned flags = 0; flags < 0x10000; flags += 0x1001) {
            uint8_t *d;

            vnet_start(v, features);
            d = rig_ram(v->g, v->q[1].desc);
            for (unsigned i = 0; i < 256; i++) {    /* all alike, each pointing at itself or the next */
                st_le64(d + 16 * i, 0x300000);
                st_le32(d + 16 * i + 8, 100);
                st_le16(d + 16 * i + 12, (uint16_t)(k ? 0xFFFF : flags));
                st_le16(d + 16 * i + 14, (uint16_t)(k ? flags : i));
            }
            st_le16(rig_ram(v->g, v->q[1].driver + 2), 256);
            vdq_kick_anyway(v, &v->q[1]);
            vc_read(v, VC_STATUS, 1);
        }
        vnet_negotiate(v, features | BIT(32));      /* a size beyond the device's */
        for (unsigned size = 0; size <= 0x8000; size = size ? size * 2 : 1) {
            vc_write(v, VC_QUEUE_SELECT, 1, 2);
            vc_write(v, VC_QUEUE_SIZE, size, 2);
            g_assert_cmpuint(vc_read(v, VC_QUEUE_SIZE, 2), <=, 256);
        }
        assert_alive(v, features);
        vnet_free(v);
    }
}

/* ---- control commands of every length and shape ---- */

static void test_ctrl_random(void)
{
    struct vnet *v = vnet_new("virtio-net-pci", "queues=3,mq=on,rss=on,hash=on,guest_rsc_ext=on");
    uint64_t features = BIT(1) | BIT(2) | BIT(7) | BIT(16) | BIT(17) | BIT(18) | BIT(19) | BIT(20) | BIT(21) | BIT(22) |
                        BIT(23) | BIT(57) | BIT(60) | BIT(61);
    uint8_t d[400];

    vnet_start(v, features);
    for (unsigned i = 0; i < 20000; i++) {
        size_t len = (size_t)g_test_rand_int_range(0, i % 5 ? 20 : 400);
        uint8_t r;

        for (size_t k = 0; k < len; k++) {
            d[k] = i % 3 ? (uint8_t)g_test_rand_int_range(0, 4) : (uint8_t)g_test_rand_int();
        }
        r = vnet_ctrl_cmd(v, (unsigned)g_test_rand_int_range(0, 8), (unsigned)g_test_rand_int_range(0, 8), d, len);
        g_assert_cmpuint(r, <=, 1);
    }
    g_assert_false(needs_reset(v));
    vnet_start(v, features);
    {                                               /* no room for the answer: the protocol is broken */
        struct vbuf b = { vnet_alloc(v, 16), 16 };

        vdq_add(v, &v->q[6], &b, 1, NULL, 0);
        vdq_kick(v, &v->q[6]);
        g_assert_true(needs_reset(v));
    }
    assert_alive(v, MRG);
    vnet_free(v);
}

/* ---- headers of every kind over frames of every kind: nothing that was not sent gets on the wire, sizes add up ----
 */

static void test_header_random(void)
{
    struct vnet *v = vnet_new("virtio-net-pci", NULL);
    g_autofree uint8_t *f = g_malloc(3000);
    static const uint8_t gso[] = { 0, 1, 3, 4, 5, 0x81, 0x84, 2, 0xFF };

    vnet_start(v, BIT(0) | BIT(11) | BIT(12) | BIT(13) | BIT(14) | BIT(56));
    for (unsigned i = 0; i < 30000; i++) {
        size_t len = (size_t)g_test_rand_int_range(14, i % 7 ? 200 : 2000), total = 0;
        uint8_t h[20] = { 0 };
        struct rig_frame *r;

        switch (i % 4) {
        case 0: rig_tcp4(f, 2000, i & 8); break;
        case 1: rig_tcp6(f, 2000, i & 8); break;
        case 2: rig_udp4(f, 2000, i & 8); break;
        default: rig_eth(f, 2000, rig_other, (uint16_t)g_test_rand_int(), i);
        }
        for (unsigned n = i % 3; n; n--) {
            f[g_test_rand_int_range(12, 80)] = (uint8_t)g_test_rand_int();
        }
        h[0] = (uint8_t)(i % 5 ? 1 : g_test_rand_int());
        h[1] = gso[g_test_rand_int_range(0, ARRAY_LEN(gso))];
        st_le16(h + 2, (uint16_t)g_test_rand_int_range(0, 200));
        st_le16(h + 4, (uint16_t)g_test_rand_int_range(0, i % 11 ? 1500 : 4));
        st_le16(h + 6, (uint16_t)g_test_rand_int_range(0, i % 13 ? 80 : 65536));
        st_le16(h + 8, (uint16_t)g_test_rand_int_range(0, i % 13 ? 20 : 65536));
        v->g->peer->caps = i & 16 ? PKT_CAP_ALL : (uint32_t)(i >> 5) & PKT_CAP_ALL;
        g_assert_true(vnet_send(v, 1, h, f, len, 1 + i % 3));
        while ((r = rig_sent(v->g))) {
            total += r->len;
            g_assert_cmpuint(r->len, <=, len + 8);
            g_free(r);
        }
        g_assert_cmpuint(total, <=, (len + 1) * 260);   /* 1 byte a segment, each with its headers */
    }
    assert_alive(v, 0);
    vnet_free(v);
}

/* Large frames and checksum requests from a peer for a guest that was not asked: 5.1.6.4 */
static void test_peer_offloads(void)
{
    struct vpacket *p = g_new(struct vpacket, 1);
    g_autofree uint8_t *f = g_malloc(70000);

    for (unsigned i = 0; i < 64; i++) {
        struct vnet *v = vnet_new("virtio-net-pci", NULL);
        uint64_t features = (i & 1 ? MRG : 0) | (i & 2 ? BIT(1) : 0) | ((i & 6) == 6 ? BIT(7) : 0) |
                            ((i & 10) == 10 ? BIT(8) : 0);

        vnet_start(v, features);
        vnet_fill(v, 0, 60, i & 1 ? 1526 : 70000);
        for (unsigned k = 0; k < 40; k++) {
            struct pkt_meta m = { .flags = PKT_NEEDS_CSUM, .gso = (uint8_t)(k % 6), .gso_size = (uint16_t)(k * 97),
                                  .csum_start = (uint16_t)(k * 11),
                                  .csum_off = (uint16_t)(k % 3 ? 16 : 6) };
            size_t len = k & 1 ? rig_tcp4(f, 10000, false) : rig_tcp6(f, 300, false);

            rig_rx_meta(v->g, f, len, &m);
            while (vnet_got(v, 0, p)) {
                g_assert_true(features & BIT(1) || p->hdr[0] == 0);
                g_assert_true(features & (BIT(7) | BIT(8)) || p->hdr[1] == 0);
                if (p->hdr[0] & 1) {
                    g_assert_cmpuint(ld_le16(p->hdr + 6) + ld_le16(p->hdr + 8) + 2u, <=, p->len);
                }
            }
        }
        vnet_free(v);
    }
    g_free(p);
}

/* Devices come and go with frames on the way: nothing left behind (the sanitizer's leak check) */
static void test_unplug(void)
{
    for (unsigned i = 0; i < 50; i++) {
        struct vnet *v = vnet_new("virtio-net-pci", i & 1 ? "guest_rsc_ext=on,queues=4,mq=on" : "packed=on");
        uint8_t f[200];

        if (i % 5) {
            vnet_start(v, i & 1 ? MRG | BIT(1) | BIT(7) | BIT(61) : PACKED);
            v->g->peer->busy = i % 3 == 0;
            rig_rx(v->g, f, rig_tcp4(f, 100, true));
            vnet_send(v, 1, NULL, f, sizeof(f), 2);
            vnet_send(v, 1, NULL, f, sizeof(f), 2);
            vnet_fill(v, 0, i % 7, 1526);
        }
        vnet_free(v);
    }
}

/* security.md G4: the longest chain in every slot of the ring: a run ends after so many descriptors, not after so many chains */
static void test_tx_work(void)
{
    enum { CHAIN = 250, SLOTS = 256 };
    struct vnet *v = vnet_new("virtio-net-pci", NULL);
    struct vbuf b[CHAIN];
    struct vdq *q = &v->q[1];
    uint8_t *avail, *used;
    unsigned id, runs = 0;

    vnet_start(v, 0);
    for (unsigned i = 0; i < CHAIN; i++) {
        b[i] = (struct vbuf){ vnet_alloc(v, 16), 16 };
    }
    id = vdq_add(v, q, b, CHAIN, NULL, 0);
    avail = rig_ram(v->g, q->driver);
    used = rig_ram(v->g, q->device);
    for (unsigned i = 0; i < SLOTS; i++) {
        st_le16(avail + 4 + 2 * i, (uint16_t)id);
    }
    st_le16(avail + 2, SLOTS);
    g_assert_true(space_write_posted(&v->g->as, VNET_BAR4 + v->notify_off + v->notify_mult, 1, 2));
    for (uint16_t was = 0, now; was < SLOTS; was = now, runs++) {
        bh_drain(1);
        now = ld_le16(used + 2);
        g_assert_cmpuint(now, >, was);
        g_assert_cmpuint((uint16_t)(now - was) * CHAIN, <=, 2048 + CHAIN);
    }
    g_assert_cmpuint(runs, >=, 20);
    rig_run();
    g_assert_nonnull(rig_sent(v->g));
    vnet_free(v);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    rig_init_once();
    g_test_add_func("/virtio-net/CVE-2014-0150/mac-count", test_mac_count);
    g_test_add_func("/virtio-net/CVE-2016-5403/avail-jump", test_avail_jump);
    g_test_add_func("/virtio-net/f47af0af/queue-select", test_queue_select);
    g_test_add_func("/virtio-net/CVE-2021-3748/rx-bad-buffers", test_rx_bad_buffers);
    g_test_add_func("/virtio-net/CVE-2015-7295/rx-small-65536", test_rx_small_65536);
    g_test_add_func("/virtio-net/CVE-2023-6693/tx-short", test_tx_short);
    g_test_add_func("/virtio-net/tx-huge", test_tx_huge);
    g_test_add_func("/virtio-net/G4/tx-work", test_tx_work);
    g_test_add_func("/virtio-net/CVE-2024-3446/self-dma", test_self_dma);
    g_test_add_func("/virtio-net/CVE-2026-63320/rx-short-frames", test_rx_short_frames);
    g_test_add_func("/virtio-net/CVE-2026-66900/rsc-padded", test_rsc_padded);
    g_test_add_func("/virtio-net/CVE-2026-16457/broken-rings", test_broken_rings);
    g_test_add_func("/virtio-net/ctrl-random", test_ctrl_random);
    g_test_add_func("/virtio-net/header-random", test_header_random);
    g_test_add_func("/virtio-net/peer-offloads", test_peer_offloads);
    g_test_add_func("/virtio-net/unplug", test_unplug);
    return g_test_run();
}
