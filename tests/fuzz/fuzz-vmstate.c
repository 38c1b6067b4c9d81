/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/fuzz/fuzz-vmstate.c - device state streams of a stranger, loaded into a NIC that is then used
 *
 * Byte 0 chooses the device, byte 1 what the rest is: with 0xFF the stream itself, else one to four edits of a good
 * one. Most edits set the values of a named field or register, so that ranges and relations are met and not only the
 * framing. What a load accepts has to survive the guest's and the peer's next steps; and a reset brings back a NIC that
 * works, always.
 */
#include "migration/devices.h"
#include "tests/lib/vnet_rig.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TX_RING = 0x10000, RX_RING = 0x20000, BUF = 0x100000 };

struct input {
    const uint8_t *p;
    size_t left;
};

static uint64_t take(struct input *in, unsigned n)
{
    uint64_t v = 0;

    n = MIN(n, in->left);
    memcpy(&v, in->p, n);
    in->p += n;
    in->left -= n;
    return v;
}

/* ---- a device with something in it ---- */

struct bench {
    struct rig *g;
    struct vnet *v;                         /* the same as a virtio driver sees it, or NULL */
};

static void broadcast(struct rig *g)
{
    rig_rx(g, (const uint8_t[64]){ 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF }, 64);
}

static void intel_rings(struct rig *g)
{
    static const uint32_t set[][2] = { { 0x3800, TX_RING }, { 0x3808, 512 }, { 0x3810, 0 }, { 0x3818, 0 },
                                       { 0x0400, 10 }, { 0x2800, RX_RING }, { 0x2808, 512 }, { 0x2810, 0 },
                                       { 0x2818, 31 }, { 0x0100, 0x801A }, { 0x00D0, 0xFFFF } };

    for (unsigned i = 0; i < ARRAY_LEN(set); i++) {
        w32(g, set[i][0], set[i][1]);
    }
    for (unsigned i = 0; i < 32; i++) {
        st_le64(rig_ram(g, RX_RING + i * 16), BUF + i * 2048);
    }
}

/* An open packet, delay timers that run */
static void intel_busy(struct bench *b, const char *type)
{
    struct rig *g = b->g = rig_new(type);

    intel_rings(g);
    w32(g, 0x2820, 1000);
    w32(g, 0x00C4, 100);
    st_le64(rig_ram(g, TX_RING), BUF);
    st_le64(rig_ram(g, TX_RING + 8), 100 | 0x02000000);
    w32(g, 0x3818, 1);
    broadcast(g);
}

static void intel_use(struct bench *b)
{
    struct rig *g = b->g;

    for (unsigned i = 0; i < 4; i++) {
        broadcast(g);
        w32(g, 0x3818, (r32(g, 0x3818) + 1) & 31);
        rig_step(200000);
        r32(g, 0x00C0);
        w32(g, 0x0020, 2u << 26 | 1 << 21 | i << 16);
        w32(g, 0x0010, 0x40 | (i & 7));
    }
}

static void intel_send(struct bench *b)
{
    struct rig *g = b->g;

    rig_config_set(g, PCI_BAR0, RIG_MMIO, 4);
    rig_config_set(g, PCI_COMMAND, 7, 2);
    rig_step(NS_PER_SEC);
    intel_rings(g);
    st_le64(rig_ram(g, TX_RING), BUF);
    st_le64(rig_ram(g, TX_RING + 8), 100 | 0x0B000000);
    w32(g, 0x3818, 1);
}

/* RSS over two pairs, packets on their way in both directions */
static void vnet_busy(struct bench *b, const char *type)
{
    uint8_t f[64] = { 0x52 }, rss[8 + 4 + 3 + 40] = { 7, [4] = 1, [10] = 1, [12] = 2, [14] = 40 };

    b->v = vnet_new(type, "queues=2,mq=on,rss=on,packed=on");
    b->g = b->v->g;
    vnet_start(b->v, BIT(5) | BIT(16) | BIT(17) | BIT(18) | BIT(22) | BIT(60));
    vnet_ctrl_cmd(b->v, 4, 1, rss, sizeof(rss));
    vnet_fill(b->v, 0, 4, 2000);
    broadcast(b->g);
    b->g->peer->busy = true;
    vnet_send(b->v, 1, NULL, f, sizeof(f), 1);
    vnet_send(b->v, 1, NULL, f, sizeof(f), 1);
}

static void vnet_use(struct bench *b)
{
    for (unsigned i = 0; i < 4; i++) {
        broadcast(b->g);
        for (unsigned q = 0; q < 5; q++) {
            vc_write(b->v, b->v->notify_off + b->v->notify_mult * q, q, 2);
        }
        rig_step(200000);
        vc_read(b->v, 0x1000, 1);
        vnet_cfg(b->v, i * 4, 4);
        vc_write(b->v, VC_QUEUE_SELECT, i, 2);
        vc_read(b->v, VC_QUEUE_DESC, 4);
    }
}

static void vnet_send_one(struct bench *b)
{
    uint8_t f[64] = { 0x52 };

    rig_config_set(b->g, PCI_BAR0 + 4, VNET_BAR1, 4);
    rig_config_set(b->g, PCI_BAR0 + 16, VNET_BAR4, 4);
    rig_config_set(b->g, PCI_BAR0 + 20, 0, 4);
    rig_config_set(b->g, PCI_COMMAND, 7, 2);
    vnet_start(b->v, BIT(5));
    b->g->peer->total = 0;                  /* what had waited for the peer has gone by now */
    vnet_send(b->v, 1, NULL, f, sizeof(f), 1);
}

static const struct subject {
    const char *type;
    void (*busy)(struct bench *b, const char *type);
    void (*use)(struct bench *b);
    void (*send)(struct bench *b);          /* one frame, after a reset */
} subjects[] = {
    { "e1000", intel_busy, intel_use, intel_send },
    { "e1000e", intel_busy, intel_use, intel_send },
    { "virtio-net-pci", vnet_busy, vnet_use, vnet_send_one },
};

static void bench_free(struct bench *b)
{
    if (b->v) {
        vnet_free(b->v);
    } else {
        rig_free(b->g);
    }
}

/* ---- spoiling a stream ---- */

/* Where the n-th field's or register's values may begin: behind a name, somewhere */
static size_t nth_name(const GByteArray *s, unsigned n)
{
    size_t at = 0;

    for (size_t i = 0; i + 16 < s->len; i++) {
        uint8_t len = s->data[i];
        bool name = len >= 2 && len < 40 && i + 1 + len + 9 < s->len;

        for (unsigned k = 0; name && k < len; k++) {
            name = g_ascii_isgraph(s->data[i + 1 + k]);
        }
        if (name) {
            at = i + 1 + len;
            if (!n--) {
                break;
            }
            i += len;
        }
    }
    return at;
}

static void edit(GByteArray *s, struct input *in)
{
    unsigned kind = take(in, 1), n;
    size_t at;
    uint64_t v;

    switch (kind & 15) {
    case 0: case 1:                         /* anywhere */
        at = take(in, 2) % s->len;
        s->data[at] = take(in, 1);
        break;
    case 2:                                 /* cut, lengths as they are */
        g_byte_array_set_size(s, s->len - take(in, 1) % s->len);
        break;
    default:                                /* values of a field (behind kind, count, length) or of a register */
        at = nth_name(s, take(in, 1)) + (kind & 16 ? 2 : 9) + (kind & 32 ? take(in, 1) : 0);
        n = 1u << (kind >> 6);
        v = take(in, n);
        for (unsigned i = 0; i < n && at + i < s->len; i++) {
            s->data[at + i] = (uint8_t)(v >> (8 * i));
        }
        break;
    }
}

/* Load the spoiled stream and use what there is then */
static void attack(struct bench *b, const struct subject *subj, struct input *in)
{
    uint8_t how = (uint8_t)take(in, 1);
    g_autoptr(GByteArray) s = g_byte_array_new();
    g_autoptr(Error) err = NULL;
    bool ok;

    device_save(&b->g->dev->dev, s);
    if (!device_load(&b->g->dev->dev, s->data, s->len, NULL)) {
        abort();                            /* what we write we read */
    }
    if (how == 0xFF) {
        ok = device_load(&b->g->dev->dev, in->p, in->left, &err);
    } else {
        for (unsigned i = 0; i <= (how & 3u) && in->left && s->len; i++) {
            edit(s, in);
        }
        ok = device_load(&b->g->dev->dev, s->data, s->len, &err);
    }
    if (ok != !err) {
        abort();
    }
    rig_run();
    subj->use(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = { data, size };
    const struct subject *subj = &subjects[take(&in, 1) % ARRAY_LEN(subjects)];
    struct bench b = { NULL, NULL };

    subj->busy(&b, subj->type);
    b.g->peer->keep_max = 0;
    attack(&b, subj, &in);
    b.g->peer->busy = false;
    net_client_flush(&b.g->peer->c);
    rig_run();
    device_reset(&b.g->dev->dev);
    b.g->peer->total = 0;
    subj->send(&b);
    if (b.g->peer->total != 1) {
        abort();
    }
    bench_free(&b);
    return 0;
}
