/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/fuzz/fuzz-e1000.c - the gigabit models against a hostile guest and a hostile peer at once
 *
 * The first byte of the input chooses the model, the second what the peer takes; the rest is a stream of operations:
 * register accesses, descriptors, RAM, frames from the wire, time, configuration space, the MSI-X table, resets, saving
 * and loading. Addresses are biased towards the NIC's own BARs, ROM, holes and the ends of memory. After each input the
 * device must still be there: it is reset and has to send one frame.
 *
 * A machine is made once a model and used for every input, which is what makes this fast: afterwards RAM is given back
 * to the host (it reads as zeros again, and only what was touched costs anything) and the device is reset. The EEPROM,
 * which a reset leaves alone, is restored by loading the state of the first day when an input has written there; so a
 * finding replays from its file alone.
 */
#include "migration/devices.h"
#include "tests/lib/nic_rig.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OPS_MAX = 64, TX_RING = 0x10000, RX_RING = 0x20000, BUF = 0x100000, MSIX = RIG_MMIO + 3 * RIG_BAR_STEP };

struct input {
    const uint8_t *p;
    size_t left;
};

static const char *const models[] = { "e1000", "e1000e", "e1000-82544gc", "e1000-82545em" };
static struct bench {
    struct rig *g;
    GByteArray *first_day;
    bool indelible;                 /* this input wrote what a reset does not undo */
} benches[ARRAY_LEN(models)];
static struct bench *bench;         /* the one in use */

static uint64_t take(struct input *in, unsigned n)
{
    uint64_t v = 0;

    n = MIN(n, in->left);
    memcpy(&v, in->p, n);
    in->p += n;
    in->left -= n;
    return v;
}

static uint64_t address(struct input *in)
{
    static const uint64_t bases[] = { BUF, TX_RING, RX_RING, 0, RIG_MMIO, RIG_MMIO + 0x3818, RIG_MMIO + 0x100,
                                      RIG_ROM_BASE, RIG_RAM - 16, 0xFFFFFFF0, 0x80000000, UINT64_MAX - 63,
                                      0xFEE00000, BUF + 0x8000, MSIX };
    unsigned sel = take(in, 1);

    return sel & 0x80 ? take(in, 8) : bases[sel % ARRAY_LEN(bases)] + (sel & 0x40 ? take(in, 1) : 0);
}

/* What drivers use; queue registers of both queues; the rest of the space by number */
static uint32_t reg(struct input *in)
{
    static const uint16_t regs[] = { 0x0000, 0x0010, 0x0014, 0x0018, 0x0020, 0x0038, 0x00C0, 0x00C4, 0x00C8, 0x00D0,
                                     0x00D8, 0x0100, 0x0400, 0x2800, 0x2804, 0x2808, 0x2810, 0x2818, 0x2820, 0x282C,
                                     0x2C00, 0x3800, 0x3804, 0x3808, 0x3810, 0x3818, 0x3820, 0x3828, 0x382C, 0x5000,
                                     0x5200, 0x5400, 0x5404, 0x5600, 0x4088, 0x408C, 0x00DC, 0x00E0, 0x00E4, 0x00E8,
                                     0x00F8, 0x102C, 0x2170, 0x2900, 0x2908, 0x2910, 0x2918, 0x3840, 0x3900, 0x3908,
                                     0x3910, 0x3918, 0x3940, 0x5008, 0x5818, 0x5B50, 0x5C00, 0x5C7C, 0x5C80, 0x5CA4,
                                     0xB600, 0xB604, 0xB608, 0xB610, 0xB614, 0xB61C, 0xB620, 0xB628, 0xB634, 0xB638 };
    unsigned sel = take(in, 1);

    return sel & 0x80 ? take(in, 3) & 0x1FFFF : regs[sel % ARRAY_LEN(regs)];
}

static void write_reg(struct rig *g, uint32_t off, uint32_t val)
{
    bench->indelible |= off == 0x0010 || off == 0x102C;
    w32(g, off, val);
}

/* The I/O window: address, then data */
static void window(struct rig *g, unsigned off, uint32_t val)
{
    uint32_t addr = space_read(&g->io_as, RIG_IO, 4);

    bench->indelible |= off == 4 && (addr == 0x0010 || addr == 0x102C);
    space_write(&g->io_as, RIG_IO + off, off ? val : val & 0x1FFFC, 4);
    rig_run();
}

static void descriptor(struct rig *g, struct input *in)
{
    unsigned sel = take(in, 1);
    uint8_t *d = rig_ram(g, (sel & 1 ? RX_RING : TX_RING) + (sel >> 1 & 31) * 16);

    st_le64(d, sel & 0x40 ? take(in, 8) : address(in));
    st_le64(d + 8, take(in, 8));
}

static void wire(struct rig *g, struct input *in)
{
    static uint8_t buf[FRAME_MAX];
    struct pkt_meta m = { 0 };
    size_t len = take(in, 2), head = MIN(take(in, 1), 80);

    len = len & 0x8000 ? MIN((len & 0x7FFF) * 2 + 2, FRAME_MAX) : len & 0x7FF;
    memset(buf, 0x5A, MAX(len, 80));
    rig_tcp4(buf, 60, head & 1);
    if (head > 70) {                /* a PTP message, over Ethernet or UDP */
        rig_udp4(buf, 60, true);
        st_be16(buf + (head & 1 ? 12 : 36), head & 1 ? 0x88F7 : 319);
        buf[head & 1 ? 15 : 43] = 1 + (len & 1);
        head = 4;
    }
    for (size_t i = 0; i < head; i++) {
        buf[i] ^= take(in, 1);
    }
    rig_rx_meta(g, buf, len, &m);
}

/* A driver's way to start: @how: 1 extended, 2 packet split, 4 MSI-X, 8 RSS, 16 the second queue too */
static void ring_setup(struct rig *g, unsigned how)
{
    static const uint32_t set[][2] = { { 0x3800, TX_RING }, { 0x3808, 512 }, { 0x3810, 0 }, { 0x3818, 0 },
                                       { 0x0400, 10 }, { 0x2800, RX_RING }, { 0x2808, 512 }, { 0x2810, 0 },
                                       { 0x2818, 31 }, { 0x00E4, 0x800CBA98 }, { 0x00D0, ~0u } };
    unsigned size = how & 2 ? 8 : 16;

    for (unsigned i = 0; i < ARRAY_LEN(set); i++) {
        uint32_t off = set[i][0];

        w32(g, off, set[i][1]);
        if (how & 16 && (off >> 8 == 0x38 || off >> 8 == 0x28)) {
            w32(g, off + 0x100, set[i][1]);
        }
    }
    w32(g, 0x5008, how & 3 ? 0x8000 : 0);
    w32(g, 0x5818, how & 8 ? 0x001F0001 : 0);
    w32(g, 0x5C00, 0x80008000);
    w32(g, 0x0100, 0x801A | (how & 2 ? 0x400 : 0));
    for (unsigned i = 0; i < 32; i++) {
        st_le64(rig_ram(g, RX_RING + i * size), BUF + i * 2048);
    }
    if (how & 4 && g->dev->msix) {
        for (unsigned v = 0; v < 5; v++) {
            space_write(&g->as, MSIX + 16 * v, 0xFEE00000, 4);
            space_write(&g->as, MSIX + 16 * v + 12, 0, 4);
        }
        rig_config_set(g, 0xA2, 0x8000, 2);
    }
}

/* What a driver would send: a context, then data in one or two pieces; any field may be wrong */
static void packet(struct rig *g, struct input *in)
{
    unsigned how = take(in, 1), spoil = take(in, 1), tail = r32(g, 0x3818) & 31;
    uint8_t *ring = rig_ram(g, TX_RING), context[16] = { 14, 24, 33, 0, 34, 50, 0, 0, 0, 8, 0, 0x20, 0, 54, 0xB4, 5 };
    uint32_t cmd = (how & 1 ? 0x04 : 0) | 0x20 | 2 | (how & 2 ? 8 : 0) | (how & 4 ? 0x40 : 0) | (how & 8 ? 0x80 : 0);
    unsigned len = how & 1 ? 3000 : 300, first = how & 16 ? 60 : len;

    rig_tcp4(rig_ram(g, BUF), 4000, false);
    context[11] |= (how & 1 ? 4 : 0) | (how & 0x60) >> 5;
    if (spoil & 0x80) {
        context[spoil & 15] = take(in, 1);
    }
    memcpy(ring + 16 * tail, context, 16);
    for (unsigned at = 0; at < len; at += first) {
        unsigned n = at ? len - at : first;

        tail = (tail + 1) & 31;
        st_le64(ring + 16 * tail, BUF + at);
        st_le64(ring + 16 * tail + 8, n | 1u << 20 | (uint64_t)(cmd | (at + n == len)) << 24 |
                (uint64_t)(how & 0x80 ? 0x10 : 0) << 32 | (uint64_t)(spoil & 3) << 40 | 5ull << 48);
        if (at) {
            break;
        }
    }
    w32(g, 0x3818, (tail + 1) & 31);
}

/* Into a fresh device; what comes out must go in again */
static void save_and_load(struct rig *g)
{
    g_autoptr(GByteArray) b = g_byte_array_new();
    Error *err = NULL;

    device_save(&g->dev->dev, b);
    if (!device_load(&g->dev->dev, b->data, b->len, &err)) {
        g_error("what was saved cannot be loaded: %s", error_text(err));
    }
    rig_run();
}

static void damaged_load(struct rig *g, struct input *in)
{
    g_autoptr(GByteArray) b = g_byte_array_new();

    device_save(&g->dev->dev, b);
    for (unsigned n = take(in, 1) & 7; n && b->len; n--) {
        b->data[take(in, 2) % b->len] ^= 1u << (take(in, 1) & 7);
    }
    bench->indelible = true;
    device_load(&g->dev->dev, b->data, b->len, NULL);
    rig_run();
}

static void one(struct rig *g, struct input *in)
{
    switch (take(in, 1) % 20) {
    case 0: case 1: case 2: {
        uint32_t r = reg(in);

        write_reg(g, r, take(in, 4));
        break;
    }
    case 3:
        r32(g, reg(in));
        break;
    case 4: case 5: case 6:
        descriptor(g, in);
        break;
    case 7:
        w32(g, 0x3818, take(in, 1) & 31);
        break;
    case 8:
        w32(g, 0x2818, take(in, 1) & 31);
        break;
    case 9:
        wire(g, in);
        break;
    case 10:
        rig_step(take(in, 3));
        break;
    case 11:
        rig_config_set(g, take(in, 1), take(in, 4), 1u << (take(in, 1) % 3));
        break;
    case 12:
        window(g, take(in, 1) & 0x3C, take(in, 4));
        break;
    case 13:
        g->peer->busy = !g->peer->busy;
        if (!g->peer->busy) {
            rig_unblock(g);
        }
        break;
    case 14:
        ring_setup(g, take(in, 1));
        break;
    case 15:
        space_write(&g->as, MSIX + (take(in, 1) & 0x7C), take(in, 4), 4);
        rig_run();
        break;
    case 17:
        packet(g, in);
        break;
    case 16:                            /* seldom: it takes as long as a hundred of the others */
        switch (take(in, 1) & 0x3F) {
        case 0:
            save_and_load(g);
            break;
        case 1:
            damaged_load(g, in);
            break;
        default:
            break;
        }
        break;
    default:
        if (take(in, 1) & 1) {
            net_set_link(g->dev->dev.id, take(in, 1) & 1, NULL);
        } else {
            device_reset(&g->dev->dev);
        }
        break;
    }
}

/* Back to the first day */
static void restore(struct rig *g)
{
    g->peer->busy = false;
    net_client_flush(&g->peer->c);
    rig_run();
    net_set_link(g->dev->dev.id, true, NULL);
    if (bench->indelible) {
        if (!device_load(&g->dev->dev, bench->first_day->data, bench->first_day->len, NULL)) {
            abort();
        }
        bench->indelible = false;
    } else {
        device_reset(&g->dev->dev);
    }
    rig_place_bars(g);
    rig_config_set(g, PCI_COMMAND, 7, 2);
    rig_step(NS_PER_SEC);
    g->msis = 0;
}

static void check_alive(struct rig *g)
{
    w32(g, 0x3800, TX_RING);
    w32(g, 0x3808, 128);
    w32(g, 0x0400, 2);
    st_le64(rig_ram(g, TX_RING), BUF);
    st_le64(rig_ram(g, TX_RING + 8), 100 | 0x0B000000);
    g->peer->total = 0;
    w32(g, 0x3818, 1);
    if (g->peer->total != 1) {
        abort();
    }
    device_reset(&g->dev->dev);
    rig_place_bars(g);
    rig_config_set(g, PCI_COMMAND, 7, 2);
}

static struct rig *bench_take(unsigned model)
{
    bench = &benches[model];
    if (!bench->g) {
        bench->g = rig_new(models[model]);
        bench->first_day = g_byte_array_new();
        device_save(&bench->g->dev->dev, bench->first_day);
    }
    return bench->g;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = { data, size };
    struct rig *g = bench_take(take(&in, 1) % ARRAY_LEN(models));

    g->peer->keep_max = 0;
    g->peer->caps = take(&in, 1) & PKT_CAP_ALL;
    ring_setup(g, take(&in, 1));
    for (unsigned i = 0; in.left && i < OPS_MAX; i++) {
        one(g, &in);
    }
    restore(g);
    check_alive(g);
    madvise(g->ram->host, RIG_RAM, MADV_DONTNEED);
    return 0;
}
