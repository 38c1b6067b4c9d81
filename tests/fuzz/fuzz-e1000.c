/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/fuzz/fuzz-e1000.c - the 8254x model against a hostile guest and a hostile peer at once
 *
 * The input is a stream of operations: register accesses, descriptors, RAM, frames from the wire, time, configuration
 * space, resets. Addresses are biased towards the NIC's own BARs, ROM, holes and the ends of memory. After each input
 * the device must still be there: it is reset and has to send one frame.
 */
#include "tests/lib/nic_rig.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OPS_MAX = 256, TX_RING = 0x10000, RX_RING = 0x20000, BUF = 0x100000 };

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

static uint64_t address(struct input *in)
{
    static const uint64_t bases[] = { BUF, TX_RING, RX_RING, 0, RIG_MMIO, RIG_MMIO + 0x3818, RIG_MMIO + 0x100,
                                      RIG_ROM_BASE, RIG_RAM - 16, 0xFFFFFFF0, 0x80000000, UINT64_MAX - 63,
                                      0xFEE00000, BUF + 0x8000 };
    unsigned sel = take(in, 1);

    return sel & 0x80 ? take(in, 8) : bases[sel % ARRAY_LEN(bases)] + (sel & 0x40 ? take(in, 1) : 0);
}

static uint32_t reg(struct input *in)
{
    static const uint16_t regs[] = { 0x0000, 0x0010, 0x0014, 0x0018, 0x0020, 0x0038, 0x00C0, 0x00C4, 0x00C8, 0x00D0,
                                     0x00D8, 0x0100, 0x0400, 0x2800, 0x2804, 0x2808, 0x2810, 0x2818, 0x2820, 0x282C,
                                     0x2C00, 0x3800, 0x3804, 0x3808, 0x3810, 0x3818, 0x3820, 0x3828, 0x382C, 0x5000,
                                     0x5200, 0x5400, 0x5404, 0x5600, 0x4088, 0x408C };
    unsigned sel = take(in, 1);

    return sel & 0x80 ? take(in, 3) & 0x1FFFF : regs[sel % ARRAY_LEN(regs)];
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
    for (size_t i = 0; i < head; i++) {
        buf[i] ^= take(in, 1);
    }
    rig_rx_meta(g, buf, len, &m);
}

static void ring_setup(struct rig *g)
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

static void one(struct rig *g, struct input *in)
{
    switch (take(in, 1) % 16) {
    case 0: case 1: case 2: {
        uint32_t r = reg(in);

        w32(g, r, take(in, 4));
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
        space_write(&g->io_as, RIG_IO + (take(in, 1) & 63), take(in, 4), 4);
        rig_run();
        break;
    case 13:
        g->peer->busy = !g->peer->busy;
        if (!g->peer->busy) {
            rig_unblock(g);
        }
        break;
    case 14:
        ring_setup(g);
        break;
    default:
        if (take(in, 1) & 1) {
            net_set_link("nic", take(in, 1) & 1, NULL);
        } else {
            device_reset(&g->dev->dev);
        }
        break;
    }
}

static void check_alive(struct rig *g)
{
    g->peer->busy = false;
    net_client_flush(&g->peer->c);
    rig_run();
    net_set_link("nic", true, NULL);
    device_reset(&g->dev->dev);
    rig_config_set(g, PCI_BAR0, RIG_MMIO, 4);
    rig_config_set(g, PCI_COMMAND, 7, 2);
    rig_step(NS_PER_SEC);
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
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = { data, size };
    struct rig *g = rig_new("e1000");

    g->peer->keep_max = 0;
    g->peer->caps = take(&in, 1) & PKT_CAP_ALL;
    ring_setup(g);
    for (unsigned i = 0; in.left && i < OPS_MAX; i++) {
        one(g, &in);
    }
    check_alive(g);
    rig_free(g);
    return 0;
}
