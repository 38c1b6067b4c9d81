/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/fuzz/fuzz-virtio-net.c - virtio-net against a hostile guest and a hostile peer at once
 *
 * The first byte of the input chooses the device, then come features and what the peer takes; the rest is a stream of
 * operations: registers, descriptors and indices written into the rings, well-formed packets with arbitrary headers,
 * control commands, frames from the wire, time, configuration space, resets, saving and loading. Addresses are biased
 * towards the device's own BARs, ROM, holes and the ends of memory. After each input the device must still be there: it
 * is reset, negotiates, and has to send one frame and receive one.
 *
 * A bench is made once a device and used for every input; a reset undoes all that an input can do, and RAM is given
 * back in between.
 */
#include "hw/virtio/virtio.h"
#include "migration/devices.h"
#include "tests/lib/vnet_rig.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OPS_MAX = 64 };

struct input {
    const uint8_t *p;
    size_t left;
};

static const char *const devices[] = {
    NULL, "packed=on,in_order=on", "queues=4,mq=on,rss=on,hash=on,guest_rsc_ext=on",
    "packed=on,queues=2,mq=on,rss=on,guest_rsc_ext=on",
    "mrg_rxbuf=off,event_idx=off",
};
static struct vnet *bench[ARRAY_LEN(devices)];

static uint64_t take(struct input *in, unsigned n)
{
    uint64_t v = 0;

    n = (unsigned)MIN(n, in->left);
    memcpy(&v, in->p, n);
    in->p += n;
    in->left -= n;
    return v;
}

static uint64_t address(struct input *in)
{
    static const uint64_t bases[] = { 0x300000, 0x300400, 0x310000, 0x100000, 0x110000, 0x120000, VNET_BAR4,
                                      VNET_BAR4 + 0x3000, VNET_BAR1,
                                      RIG_ROM_BASE, RIG_RAM - 16, 0xFFFFFFF0, 0x80000000, UINT64_MAX - 63, 0xFEE00000 };
    unsigned sel = (unsigned)take(in, 1);

    return sel & 0x80 ? take(in, 8) : bases[sel % ARRAY_LEN(bases)] + (sel & 0x40 ? take(in, 1) : 0);
}

static struct vdq *queue(struct vnet *v, struct input *in)
{
    return &v->q[take(in, 1) % MAX(v->nqueues, 1)];
}

static void descriptor(struct vnet *v, struct input *in)
{
    struct vdq *q = queue(v, in);
    uint8_t *d;

    if (!q->size) {
        return;
    }
    d = rig_ram(v->g, q->desc + 16 * (take(in, 1) % q->size));
    st_le64(d, address(in));
    st_le32(d + 8, (uint32_t)take(in, take(in, 1) & 1 ? 2 : 4));
    st_le32(d + 12, (uint32_t)take(in, 4));
}

static void ring_word(struct vnet *v, struct input *in)
{
    struct vdq *q = queue(v, in);

    if (q->size) {
        st_le16(rig_ram(v->g, q->driver + (take(in, 1) * 2)), (uint16_t)take(in, 2));
    }
}

/* A packet as a driver would send it, but for what its header says */
static void packet(struct vnet *v, struct input *in)
{
    struct vdq *q = &v->q[1];
    uint8_t *mem = rig_ram(v->g, 0x400000);
    size_t len = 54 + take(in, 2) % 3000;
    unsigned kind = (unsigned)take(in, 1), head = (unsigned)take(in, 1) & 31;
    struct vbuf b[2] = { { 0x400000, v->hdr_len }, { 0x400000 + v->hdr_len, (uint32_t)len } };

    if (q->size && q->nfree < 2) {
        vdq_setup(v, 1, q->size);
    }
    if (!q->size || q->nfree < 2) {
        return;
    }
    for (unsigned i = 0; i < 10; i++) {
        mem[i] = (uint8_t)(i < 2 ? take(in, 1) : i & 1 ? take(in, 1) & 1 : take(in, 1));
    }
    mem += v->hdr_len;
    memset(mem, 0x5A, len);
    switch (kind & 3) {
    case 0: rig_tcp4(mem, len - 54, kind & 4); break;
    case 1: rig_udp4(mem, len - 42, kind & 4); break;
    case 2: rig_tcp6(mem, MAX(len, 74) - 74, kind & 4); break;
    default: rig_eth(mem, len, rig_other, 0x8100, kind); break;
    }
    for (unsigned i = 0; i < head; i++) {
        mem[12 + take(in, 1) % 70] ^= (uint8_t)take(in, 1);
    }
    vdq_add(v, q, b, 2, NULL, 0);
    vdq_kick_anyway(v, q);
}

static void buffers(struct vnet *v, struct input *in)
{
    struct vdq *q = &v->q[take(in, 1) % 2 * 2 % MAX(v->nqueues, 1)];
    unsigned n = (unsigned)take(in, 1) & 31;
    uint32_t len = 1 + (uint32_t)take(in, 2) % 8192;

    for (; q->size && n && q->nfree; n--) {
        struct vbuf b = { 0x500000 + 8192 * n, len };

        vdq_add(v, q, NULL, 0, &b, 1);
    }
    if (q->size) {
        vdq_kick_anyway(v, q);
    }
}

static void control(struct vnet *v, struct input *in)
{
    struct vdq *q = &v->q[v->features & (BIT(22) | BIT(60)) && v->nqueues ? v->nqueues - 1 : 2];
    uint8_t *mem = rig_ram(v->g, 0x480000);
    unsigned len = (unsigned)take(in, 1) & 0x7F;
    struct vbuf out = { 0x480000, len + 2 }, ack = { 0x47FFF0, (uint32_t)(take(in, 1) % 8 != 0) };

    if (!v->nqueues || !q->size || q->nfree < 2) {
        return;
    }
    mem[0] = (uint8_t)take(in, 1) & 7;
    mem[1] = (uint8_t)take(in, 1) & 3;
    for (unsigned i = 0; i < len; i++) {
        mem[2 + i] = (uint8_t)take(in, 1);
    }
    vdq_add(v, q, &out, 1, &ack, ack.len);
    vdq_kick_anyway(v, q);
}

static void wire(struct vnet *v, struct input *in)
{
    static uint8_t buf[FRAME_MAX];
    struct pkt_meta m = { 0 };
    size_t len = take(in, 2), head = MIN(take(in, 1), 80);
    unsigned sel = (unsigned)take(in, 1);

    len = len & 0x8000 ? MIN((len & 0x7FFF) * 2 + 2, FRAME_MAX) : len & 0x7FF;
    memset(buf, 0x5A, MAX(len, 80));
    rig_tcp4(buf, sel & 8 ? MAX(len, 54) - 54 : 20, true);
    st_be32(buf + 38, (uint32_t)take(in, 1) * 100);
    for (size_t i = 0; i < head; i++) {
        buf[i] ^= (uint8_t)take(in, 1);
    }
    if (sel & 4) {
        m = (struct pkt_meta){ .flags = (uint8_t)take(in, 1) & 0x0F, .gso = sel & 3 ? (uint8_t)take(in, 1) % 6 : 0,
                               .gso_size = (uint16_t)take(in, 2),
                               .csum_start = (uint16_t)take(in, 1), .csum_off = (uint16_t)take(in, 1), .vlan_tci = 5 };
    } else if (sel & 2) {
        m.flags = PKT_CSUM_VALID;
    }
    rig_rx_meta(v->g, buf, len, &m);
}

static void save_and_load(struct vnet *v, struct input *in)
{
    g_autoptr(GByteArray) b = g_byte_array_new();
    unsigned damage = (unsigned)take(in, 1) & 3;
    Error *err = NULL;

    device_save(&v->g->dev->dev, b);
    for (unsigned n = damage; n && b->len; n--) {
        b->data[take(in, 2) % b->len] ^= (uint8_t)(1u << (take(in, 1) & 7));
    }
    if (!device_load(&v->g->dev->dev, b->data, b->len, &err)) {
        if (!damage && !strstr(error_text(err), "available")) {     /* a guest may spoil its ring: that is refused */
            g_error("what was saved cannot be loaded: %s", error_text(err));
        }
        error_free(err);
    }
    rig_run();
}

static void one(struct vnet *v, struct input *in)
{
    unsigned n, off;

    switch (take(in, 1) % 17) {
    case 0: case 1:
        off = (unsigned)take(in, 1) & 0x3F;
        vc_write(v, off, (uint32_t)take(in, 4), 1u << (take(in, 1) % 3));
        break;
    case 2:
        vc_read(v, (unsigned)take(in, 2) & 0x3FFF, 4);
        break;
    case 3: case 4: case 5:
        descriptor(v, in);
        break;
    case 6:
        ring_word(v, in);
        break;
    case 7:
        n = (unsigned)take(in, 2);
        vc_write(v, v->notify_off + (n & 0xF) * v->notify_mult, n & 0xF, 2);
        break;
    case 8: case 9:
        packet(v, in);
        break;
    case 10:
        buffers(v, in);
        break;
    case 11:
        control(v, in);
        break;
    case 12: case 13:
        wire(v, in);
        break;
    case 14:
        rig_step((int64_t)take(in, 3));
        loop_iterate(false);
        rig_run();
        break;
    case 15:
        v->g->peer->busy = !v->g->peer->busy;
        if (!v->g->peer->busy) {
            rig_unblock(v->g);
        }
        break;
    default:
        n = (unsigned)take(in, 1);
        if (n < 8) {
            save_and_load(v, in);
        } else if (n < 16) {
            device_reset(&v->g->dev->dev);
        } else if (n < 64) {
            net_set_link(v->g->dev->dev.id, n & 1, NULL);
        } else {
            rig_config_set(v->g, (unsigned)take(in, 1), (uint32_t)take(in, 4), 1u << (take(in, 1) % 3));
        }
        break;
    }
}

static void restore(struct vnet *v)
{
    v->g->peer->busy = false;
    net_client_flush(&v->g->peer->c);
    rig_run();
    net_set_link(v->g->dev->dev.id, true, NULL);
    device_reset(&v->g->dev->dev);
    rig_place_bars(v->g);
    rig_config_set(v->g, PCI_COMMAND, 7, 2);
    rig_step(NS_PER_SEC);
    loop_iterate(false);
    rig_run();
}

static void check_alive(struct vnet *v)
{
    static struct vpacket p;
    uint8_t f[60];

    vnet_start(v, vnet_offered(v) & BIT(VIRTIO_F_RING_PACKED));
    v->g->peer->total = 0;
    rig_eth(f, sizeof(f), rig_mac, 0x88B5, 1);
    if (!vnet_send(v, 1, NULL, f, sizeof(f), 2) || v->g->peer->total != 1) {
        abort();
    }
    vnet_fill(v, 0, 1, 2000);
    rig_rx(v->g, f, sizeof(f));
    if (!vnet_got(v, 0, &p) || p.len != sizeof(f)) {
        abort();
    }
    device_reset(&v->g->dev->dev);
    rig_place_bars(v->g);
    rig_config_set(v->g, PCI_COMMAND, 7, 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = { data, size };
    unsigned which = (unsigned)take(&in, 1) % ARRAY_LEN(devices);
    uint64_t features;
    struct vnet *v;

    if (!bench[which]) {
        bench[which] = vnet_new("virtio-net-pci", devices[which]);
    }
    v = bench[which];
    v->g->peer->keep_max = 0;
    v->g->peer->caps = (uint32_t)take(&in, 1) & PKT_CAP_ALL;
    features = vnet_offered(v) & (take(&in, 8) | BIT(32) | BIT(17));
    v->nqueues = 0;
    if (vnet_negotiate(v, features)) {
        v->nqueues = vc_read(v, VC_NUM_QUEUES, 2);
        for (unsigned i = 0; i < v->nqueues; i++) {
            vdq_setup(v, i, 64);
        }
        vc_write(v, VC_STATUS, 15, 1);
    }
    for (unsigned i = 0; in.left && i < OPS_MAX; i++) {
        one(v, &in);
    }
    restore(v);
    check_alive(v);
    madvise(v->g->ram->host, RIG_RAM, MADV_DONTNEED);
    return 0;
}
