/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/fuzz/fuzz-virtio-net.c - virtio-net against a hostile guest and a hostile peer at once
 *
 * The first byte of the input chooses the device, then come features and what the peer takes; the rest is a stream of
 * operations: registers of either interface, descriptors and indices written into the rings, well-formed packets with
 * arbitrary headers, control commands, frames from the wire, time, configuration space, MSI-X vectors, resets, saving
 * and loading. Addresses are biased towards the device's own BARs, ROM, holes and the ends of memory. After each input
 * the device must still be there: it is reset, negotiates, and has to send one frame and receive one.
 *
 * A bench is made once a device and used for every input. Afterwards the pages that are marked as dirty are wiped and
 * the device is reset; that this is complete is checked now and then (bench_check()), so a finding replays from its file
 * alone.
 */
#include "nic_input.h"

#include "hw/virtio/virtio.h"
#include "migration/devices.h"
#include "tests/lib/vnet_rig.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OPS_MAX = 64, QUEUE_SIZE = 64 };
enum { HEADER = 0x400000, COMMAND = 0x480000, BUFFERS = 0x500000, BUFFER_STEP = 8192, PIECES = 0x600000 };
enum { CAP_MSIX = 0x11, MSIX_ENABLE = 0x8000 };

static const struct {
    const char *type, *props;
} devices[] = {
    { "virtio-net-pci", NULL },
    { "virtio-net-pci", "packed=on,in_order=on" },
    { "virtio-net-pci", "queues=4,mq=on,rss=on,hash=on,guest_rsc_ext=on,speed=1000,duplex=full" },
    { "virtio-net-pci", "packed=on,queues=2,mq=on,rss=on,guest_rsc_ext=on,host_mtu=1500" },
    { "virtio-net-pci", "mrg_rxbuf=off,event_idx=off" },
    { "virtio-net-pci-transitional", "ctrl_mac_addr=off,queues=2,mq=on" },
    { "virtio-net-pci-non-transitional", "packed=on,hash=on" },
};
static struct vbench {
    struct bench b;                 /* first member */
    struct vnet *v;
    unsigned msix;                  /* offset of the capability */
    bool slow;                      /* this input may save and load, once: it takes as long as 64 operations */
} benches[ARRAY_LEN(devices)];

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

/* A packet as a driver would send it, but for what its header says; in two pieces or in many */
static void packet(struct vnet *v, struct input *in)
{
    struct vdq *q = &v->q[1 + 2 * (take(in, 1) % MAX(v->nqueues / 2, 1))];
    uint8_t *mem = rig_ram(v->g, HEADER);
    size_t len = 54 + take(in, 2) % 3000;
    unsigned kind = (unsigned)take(in, 1), head = (unsigned)take(in, 1), n = 2;
    struct vbuf b[48] = { { HEADER, v->hdr_len }, { HEADER + v->hdr_len, (uint32_t)len } };

    if (q->size && q->nfree < ARRAY_LEN(b)) {
        vdq_setup(v, q->index, q->size);
    }
    if (!q->size || q->nfree < ARRAY_LEN(b)) {
        return;
    }
    for (unsigned i = 0; i < 10; i++) {
        mem[i] = (uint8_t)(head & 0x40 ? 0 : i < 2 ? take(in, 1) : i & 1 ? take(in, 1) & 1 : take(in, 1));
    }
    mem += v->hdr_len;
    memset(mem, 0x5A, len);
    switch (kind & 3) {
    case 0: rig_tcp4(mem, len - 54, kind & 4); break;
    case 1: rig_udp4(mem, len - 42, kind & 4); break;
    case 2: rig_tcp6(mem, MAX(len, 74) - 74, kind & 4); break;
    default: rig_eth(mem, len, rig_other, 0x8100, kind); break;
    }
    for (unsigned i = 0; i < (head & 0x1F); i++) {
        mem[12 + take(in, 1) % 70] ^= (uint8_t)take(in, 1);
    }
    if (kind & 0x80) {                          /* pieces that cannot be joined */
        for (n = 1 + (kind >> 3 & 15) * 3; n > 1; n--) {
            b[n - 1] = (struct vbuf){ PIECES + 64 * n, 1 + (n & 7) };
        }
        n = 1 + (kind >> 3 & 15) * 3;
    }
    vdq_add(v, q, b, n, NULL, 0);
    vdq_kick_anyway(v, q);
}

static void buffers(struct vnet *v, struct input *in)
{
    struct vdq *q = &v->q[2 * (take(in, 1) % MAX(v->nqueues / 2, 1))];
    unsigned n = (unsigned)take(in, 1) & 63;
    uint32_t len = 1 + (uint32_t)take(in, 2) % BUFFER_STEP;

    for (; q->size && n && q->nfree; n--) {
        struct vbuf b = { BUFFERS + BUFFER_STEP * n, len };

        vdq_add(v, q, NULL, 0, &b, 1);
    }
    if (q->size) {
        vdq_kick_anyway(v, q);
    }
}

/* ---- control commands ---- */

static size_t mac_tables(uint8_t *p, struct input *in)
{
    unsigned uni = (unsigned)take(in, 1) & 15, multi = (unsigned)take(in, 1) & 127;
    uint8_t *at = p + 4;

    memset(p, 0, 8 + 6 * (15 + 127));
    st_le32(p, uni);
    for (unsigned i = 0; i < uni; i++, at += 6) {
        memcpy(at, i ? rig_mac : rig_other, 6);
    }
    st_le32(at, multi);
    at += 4;
    for (unsigned i = 0; i < multi; i++, at += 6) {
        memcpy(at, (uint8_t[]){ 0x33, 0x33, 0, 0, 0, 1 }, 6);
    }
    return (size_t)(at - p);
}

/* Receive side scaling, or hashes only: 5.1.6.5.6.4, 5.1.6.5.7 */
static size_t hash_config(uint8_t *p, struct input *in, bool rss)
{
    unsigned sel = (unsigned)take(in, 1), n = rss ? 1u << (sel & 7) : 4;
    uint8_t *at = p + 8;

    st_le32(p, (uint32_t)take(in, 2) & 0x1FF);
    st_le16(p + 4, (uint16_t)(rss ? n - 1 : 0));
    st_le16(p + 6, (uint16_t)(sel >> 3 & 1));
    for (unsigned i = 0; i < n; i++, at += 2) {
        st_le16(at, (uint16_t)(rss ? sel >> 3 & i & 1 : 0));
    }
    if (rss) {
        st_le16(at, (uint16_t)(1 + (sel >> 4 & 1)));
        at += 2;
    } else {
        at = p + 12;
    }
    *at++ = sel & 0x80 ? 40 : 16;
    memset(at, 0x6D, 40);
    return (size_t)(at - p) + at[-1];
}

static size_t command(uint8_t *p, struct input *in, unsigned *class, unsigned *number)
{
    static const uint8_t commands[][2] = { { 0, 0 }, { 0, 1 }, { 0, 2 }, { 0, 3 }, { 0, 4 }, { 0, 5 }, { 1, 0 }, { 1, 1 },
                                           { 2, 0 }, { 2, 1 }, { 3, 0 }, { 4, 0 }, { 4, 1 }, { 4, 2 }, { 5, 0 }, { 6, 0 } };
    unsigned sel = (unsigned)take(in, 1) & 15;

    *class = commands[sel][0];
    *number = commands[sel][1];
    switch (sel) {
    case 6:
        return mac_tables(p, in);
    case 7:
        memcpy(p, rig_other, 6);
        return 6;
    case 8: case 9:
        st_le16(p, (uint16_t)take(in, 1) & 0x0F);
        return 2;
    case 10:
        return 0;
    case 11:
        st_le16(p, (uint16_t)take(in, 1) & 7);
        return 2;
    case 12: case 13:
        return hash_config(p, in, sel == 12);
    case 14:
        st_le64(p, take(in, 8));
        return 8;
    default:
        p[0] = (uint8_t)take(in, 1) & 1;
        return 1;
    }
}

static void control(struct vnet *v, struct input *in)
{
    struct vdq *q = &v->q[v->features & (BIT(22) | BIT(60)) && v->nqueues ? v->nqueues - 1 : 2];
    uint8_t *mem = rig_ram(v->g, COMMAND);
    unsigned class, number, how = (unsigned)take(in, 1);
    struct vbuf out = { COMMAND, 0 }, ack = { COMMAND - 16, how % 8 != 0 };

    if (q->size && q->nfree < 2) {
        vdq_setup(v, q->index, q->size);
    }
    if (!v->nqueues || !q->size || q->nfree < 2) {
        return;
    }
    out.len = 2 + (uint32_t)command(mem + 2, in, &class, &number);
    mem[0] = (uint8_t)class;
    mem[1] = (uint8_t)number;
    for (unsigned n = how >> 4 & 3; n; n--) {
        mem[(unsigned)take(in, 1) & 0x3F] ^= (uint8_t)take(in, 1);
    }
    if (how & 0x80) {
        out.len = 1 + (uint32_t)take(in, 1) % out.len;
    }
    vdq_add(v, q, &out, 1, &ack, ack.len);
    vdq_kick_anyway(v, q);
}

/* ---- the rest of the device ---- */

/* One register of the legacy interface: 4.1.4.10 */
static void legacy(struct vnet *v, struct input *in)
{
    unsigned off = (unsigned)take(in, 1) & 0x3F, size = 1u << (take(in, 1) % 3);

    if (off & 0x20) {
        space_read(&v->g->io_as, RIG_IO + (off & 0x1F), size);
    } else {
        space_write(&v->g->io_as, RIG_IO + off, take(in, 4), size);
    }
    rig_run();
}

/* A legacy driver's way to start: rings of the device's size, one behind the other in a page-aligned stretch */
static void legacy_start(struct vnet *v, struct input *in)
{
    struct addr_space *as = &v->g->io_as;
    uint32_t offered = (uint32_t)space_read(as, RIG_IO, 4);
    unsigned n = 0, size;

    space_write(as, RIG_IO + 18, 0, 1);
    space_write(as, RIG_IO + 18, 3, 1);
    space_write(as, RIG_IO + 4, offered & (take(in, 4) | BIT(17)), 4);
    v->features = offered & BIT(22);
    v->hdr_len = 10;
    for (; n < VNET_QUEUES; n++) {
        space_write(as, RIG_IO + 14, n, 2);
        size = (unsigned)space_read(as, RIG_IO + 12, 2);
        if (!size || size > 256) {
            break;
        }
        vdq_setup(v, n, size);                  /* its writes go to the modern registers: undone by the page */
        v->q[n].driver = v->q[n].desc + 16 * size;
        v->q[n].device = v->q[n].desc + 0x2000;
        memset(rig_ram_span(v->g, v->q[n].desc, 0x4000), 0, 0x4000);
        space_write(as, RIG_IO + 8, v->q[n].desc >> 12, 4);
    }
    v->nqueues = n;
    space_write(as, RIG_IO + 18, 7, 1);
    rig_run();
}

static void vectors(struct vbench *b, struct input *in)
{
    struct vnet *v = b->v;
    unsigned sel = (unsigned)take(in, 1);

    if (sel & 0x80) {
        rig_config_set(v->g, b->msix + 2, sel & 1 ? MSIX_ENABLE : 0, 2);
        vc_write(v, VC_CONFIG_VECTOR, sel >> 1 & 3, 2);
        vc_write(v, VC_QUEUE_SELECT, sel >> 3 & 3, 2);
        vc_write(v, VC_QUEUE_VECTOR, sel >> 5 & 3, 2);
    } else {
        space_write(&v->g->as, VNET_BAR1 + (sel & 0x7C), sel & 1 ? 0xFEE00000 : take(in, 4), 4);
        rig_run();
    }
}

/* What the monitor asks */
static void describe(struct vnet *v)
{
    g_autoptr(GString) text = g_string_new(NULL);
    struct nic_rx_filter f;

    v->g->dev->dev.type->describe(&v->g->dev->dev, text, 0);
    if (nic_query_rx_filter(v->g->dev->dev.id, &f, NULL)) {
        nic_rx_filter_fini(&f);
    }
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

static void rarely(struct vbench *b, struct input *in)
{
    struct vnet *v = b->v;
    unsigned n = (unsigned)take(in, 1);

    switch (n & 0x1F) {
    case 0: case 1:
        if (b->slow) {
            b->slow = false;
            save_and_load(v, in);
        }
        break;
    case 2:
        device_reset(&v->g->dev->dev);
        break;
    case 3:
        describe(v);
        break;
    case 4:
        nic_announce(nic_of(net_client_find(v->g->dev->dev.id)));
        break;
    case 5: case 6: case 7: case 8:
        net_set_link(v->g->dev->dev.id, n & 0x20, NULL);
        break;
    case 9:
        legacy_start(v, in);
        break;
    default:
        rig_config_set(v->g, (unsigned)take(in, 1), (uint32_t)take(in, 4), 1u << (take(in, 1) % 3));
        break;
    }
}

static void one(struct vbench *b, struct input *in)
{
    struct vnet *v = b->v;
    unsigned n, off;

    switch (take(in, 1) % 19) {
    case 0:
        off = (unsigned)take(in, 1) & 0x3F;
        vc_write(v, off, (uint32_t)take(in, 4), 1u << (take(in, 1) % 3));
        break;
    case 1:
        legacy(v, in);
        break;
    case 2:
        vc_read(v, (unsigned)take(in, 2) & 0x3FFF, 4);
        break;
    case 3: case 4:
        descriptor(v, in);
        break;
    case 5:
        vectors(b, in);
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
    case 11: case 17:
        control(v, in);
        break;
    case 12:
        wire_frame(v->g, in);
        break;
    case 13:
        wire_train(v->g, in);
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
    case 16:
        rarely(b, in);
        break;
    default:
        wire_frame(v->g, in);
        break;
    }
}

/* Still there: it sends one frame and receives one, on rings that are set up anew. The first input comes after this, too. */
static void check_alive(struct vnet *v)
{
    static struct vpacket p;
    uint8_t f[60];

    if (!vnet_negotiate(v, BIT(32) | (vnet_offered(v) & BIT(VIRTIO_F_RING_PACKED)))) {
        abort();
    }
    vdq_setup(v, 0, QUEUE_SIZE);
    vdq_setup(v, 1, QUEUE_SIZE);
    vc_write(v, VC_STATUS, 15, 1);
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
    vc_write(v, VC_STATUS, 0, 1);
    rig_wipe(v->g);
    v->g->writes = v->g->msis = 0;
}

static void restore(struct bench *b)
{
    struct vnet *v = ((struct vbench *)b)->v;

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
    rig_wipe(v->g);
    check_alive(v);
    bench_check(b);
}

/* ---- life ---- */

static void at_end(void)
{
    for (unsigned i = 0; i < ARRAY_LEN(benches); i++) {
        if (benches[i].v) {
            vnet_free(benches[i].v);
            bench_fini(&benches[i].b);
        }
    }
}

static unsigned capability(struct rig *g, unsigned id)
{
    unsigned off = rig_config(g, PCI_CAP_POINTER, 1);

    for (unsigned n = 0; off && n < 32 && rig_config(g, off, 1) != id; n++) {
        off = rig_config(g, off + 1, 1);
    }
    return off;
}

static struct vbench *bench_take(unsigned which)
{
    struct vbench *b = &benches[which];
    static bool once;

    if (!once) {
        once = true;
        atexit(at_end);
    }
    if (!b->v) {
        b->v = vnet_new(devices[which].type, devices[which].props);
        b->b.g = b->v->g;
        b->msix = capability(b->v->g, CAP_MSIX);
        b->v->g->peer->keep_max = 0;
        bench_first_day(&b->b, restore);
    }
    return b;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = { data, size };
    struct vbench *b = bench_take((unsigned)take(&in, 1) % ARRAY_LEN(devices));
    struct vnet *v = b->v;
    unsigned caps = (unsigned)take(&in, 1);
    uint64_t features;

    v->g->peer->caps = caps & PKT_CAP_ALL;
    b->slow = caps & ~PKT_CAP_ALL;
    features = vnet_offered(v) & (take(&in, 8) | BIT(32) | BIT(17));
    v->nqueues = 0;
    if (vnet_negotiate(v, features)) {
        v->nqueues = MIN(vc_read(v, VC_NUM_QUEUES, 2), VNET_QUEUES);
        for (unsigned i = 0; i < v->nqueues; i++) {
            vdq_setup(v, i, QUEUE_SIZE);
        }
        vc_write(v, VC_STATUS, 15, 1);
    }
    for (unsigned i = 0; in.left && i < OPS_MAX; i++) {
        one(b, &in);
    }
    restore(&b->b);
    return 0;
}
