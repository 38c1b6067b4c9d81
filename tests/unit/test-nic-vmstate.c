/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/test-nic-vmstate.c - NICs stopped in the middle of random work, saved, loaded into a fresh device
 *
 * After the load everything that the guest can read must be equal, and the same work must then have the same results on
 * both. The machines follow one another: one bench exists at a time, with the guest's memory copied over.
 */
#include "hw/net/nics.h"
#include "migration/devices.h"
#include "tests/lib/nic_rig.h"

#include <stdlib.h>
#include <string.h>

enum { TX_RING = 0x10000, RX_RING = 0x20000, BUF = 0x100000, RING_DESCS = 32,
       RAM_USED = 0x200000 };

struct nic_kind {
    const char *type;
    const struct reg *(*rows)(unsigned *n);
    uint32_t mmio_size;
    unsigned io_bar;
    unsigned phy_pages;
    unsigned eerd_shift;                    /* 0: no EERD */
};

static const struct nic_kind kinds[] = {           /* with one receive and one transmit ring where the 8254x has them */
    { "e1000", e1000_regs, 0x20000, 1, 0, 8 },
    { "e1000-82544gc", e1000_regs, 0x20000, 1, 0, 0 },
    { "e1000e", e1000e_regs, 0x20000, 2, 8, 2 },
};

/* A machine taken apart: bytes of the device, and its RAM */
struct image {
    GByteArray *dev;
    uint8_t *ram;
};

static struct image take_apart(struct rig *g)
{
    struct image m = { g_byte_array_new(), g_malloc(RAM_USED) };

    rig_run();
    device_save(&g->dev->dev, m.dev);
    memcpy(m.ram, g->ram->host, RAM_USED);
    return m;
}

static void image_free(struct image *m)
{
    g_byte_array_unref(m->dev);
    g_free(m->ram);
}

static struct rig *put_together(const char *type, const struct image *m, bool busy)
{
    struct rig *g = rig_new(type);
    Error *err = NULL;

    memcpy(g->ram->host, m->ram, RAM_USED);
    g->peer->busy = busy;
    if (!device_load(&g->dev->dev, m->dev->data, m->dev->len, &err)) {
        g_error("%s: %s", type, error_text(err));
    }
    return g;
}

/* ---- random work ---- */

static void rings(struct rig *g)
{
    static const uint32_t set[][2] = {
        { 0x3800, TX_RING }, { 0x3808, RING_DESCS * 16 }, { 0x3810, 0 }, { 0x3818, 0 }, { 0x0400, 10 },
        { 0x2800, RX_RING }, { 0x2808, RING_DESCS * 16 }, { 0x2810, 0 }, { 0x2818, RING_DESCS - 1 }, { 0x0100, 0x801A },
        { 0x00D0, 0xFFFF },
    };

    for (unsigned i = 0; i < ARRAY_LEN(set); i++) {
        w32(g, set[i][0], set[i][1]);
    }
    for (unsigned i = 0; i < RING_DESCS; i++) {
        st_le64(rig_ram(g, RX_RING + i * 16), BUF + i * 2048);
        st_le64(rig_ram(g, RX_RING + i * 16 + 8), 0);
    }
}

/* A transmit descriptor: legacy, context or data, often in the middle of a packet */
static void tx_desc(struct rig *g, GRand *r, unsigned i)
{
    uint8_t *d = rig_ram(g, TX_RING + i % RING_DESCS * 16);
    uint32_t len = (uint32_t)g_rand_int_range(r, 1, 700), cmd = (uint32_t)g_rand_int(r) & 0x0B;

    st_le64(d, BUF + 0x10000 + (uint32_t)g_rand_int_range(r, 0, 4096));
    switch (g_rand_int_range(r, 0, 4)) {
    case 0:
        st_le64(d, (uint64_t)g_rand_int(r) << 32 | g_rand_int(r));
        st_le64(d + 8, (uint64_t)g_rand_int(r) << 32 | 0x20u << 24 | len);
        break;
    case 1:
        st_le64(d + 8, (uint64_t)(g_rand_int(r) & 0x300) << 32 | (0x20u | cmd) << 24 | 1 << 20 | len);
        break;
    default:
        st_le64(d + 8, (uint64_t)cmd << 24 | len);
        break;
    }
}

static void frame_in(struct rig *g, GRand *r)
{
    uint8_t buf[1600];
    size_t len = rig_tcp4(buf, (size_t)g_rand_int_range(r, 0, 1400), true);

    if (g_rand_boolean(r)) {
        memcpy(buf, rig_broadcast, 6);
    }
    rig_rx(g, buf, len);
}

/* Registers that a reset of the device or a sleep hangs on are left alone: the rest is fair */
static bool wild_register(const struct reg *r)
{
    return r->off != 0 && r->off != 4 && strcmp(r->name, "CTRL") != 0 && strcmp(r->name, "CTRL_DUP") != 0;
}

static void work(struct rig *g, const struct nic_kind *k, GRand *r, unsigned ops)
{
    unsigned nrows, tail = r32(g, 0x3818) % RING_DESCS;
    const struct reg *rows = k->rows(&nrows);

    while (ops--) {
        const struct reg *row = &rows[g_rand_int_range(r, 0, (gint32)nrows)];
        uint32_t off = reg_off(row, (unsigned)g_rand_int_range(r, 0, (gint32)reg_count(row)));

        switch (g_rand_int_range(r, 0, 14)) {
        case 0: case 1:
            if (wild_register(row)) {
                w32(g, off, g_rand_int(r));
            }
            break;
        case 2:
            r32(g, off);
            break;
        case 3: case 4: case 5:
            tx_desc(g, r, tail++);
            w32(g, 0x3818, tail % RING_DESCS);
            break;
        case 6: case 7:
            frame_in(g, r);
            break;
        case 8:
            rig_step(g_rand_int_range(r, 1, 2000000));
            break;
        case 9:
            g->peer->busy = !g->peer->busy;
            if (!g->peer->busy) {
                rig_unblock(g);
            }
            break;
        case 10:
            w32(g, 0x2818, g_rand_int(r) % RING_DESCS);
            break;
        case 11:                                                    /* the PHY */
            w32(g, 0x0020, 1u << 26 | 1 << 21 | (g_rand_int(r) & 0x1F) << 16 | (g_rand_int(r) & 0x3FFF));
            break;
        case 12:                                                    /* bits into the EEPROM, the I/O window */
            w32(g, 0x0010, 0x40 | (g_rand_int(r) & 7));
            if (pci_bar_addr(g->dev, k->io_bar) != PCI_UNMAPPED) {
                space_write(&g->io_as, pci_bar_addr(g->dev, k->io_bar), g_rand_int(r) & 0xFFFC, 4);
            }
            break;
        default:
            rings(g);
            tail = 0;
            break;
        }
    }
}

static void note(GArray *out, uint32_t v)
{
    g_array_append_val(out, v);
}

static void look_phy(struct rig *g, const struct nic_kind *k, GArray *out)
{
    enum { MDIC = 0x20, WRITE = 1 << 26 | 1 << 21, READ = 2 << 26 | 1 << 21, PAGE_SELECT = 22 };

    for (unsigned page = 0; page <= k->phy_pages; page++) {
        for (unsigned reg = 0; reg < 32; reg++) {
            w32(g, MDIC, READ | reg << 16);                 /* page 0 of the loop: as the guest left it */
            note(out, r32(g, MDIC));
        }
        w32(g, MDIC, WRITE | PAGE_SELECT << 16 | (page + 1));
    }
}

static void look_eeprom(struct rig *g, const struct nic_kind *k, GArray *out)
{
    enum { EERD = 0x14 };

    for (unsigned word = 0; k->eerd_shift && word < 64; word++) {
        w32(g, EERD, word << k->eerd_shift | 1);
        note(out, r32(g, EERD));
    }
}

enum { LOOK_MMIO = PCI_CONFIG_SIZE / 4 };

/* All that the guest can read; reading has side effects, so once a machine */
static GArray *look(struct rig *g, const struct nic_kind *k)
{
    GArray *out = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    uint64_t io = pci_bar_addr(g->dev, k->io_bar);

    for (unsigned off = 0; off < PCI_CONFIG_SIZE; off += 4) {
        note(out, rig_config(g, off, 4));
    }
    for (uint32_t off = 0; off < k->mmio_size; off += 4) {
        note(out, r32(g, off));
    }
    if (io != PCI_UNMAPPED) {
        note(out, (uint32_t)space_read(&g->io_as, io, 4));
    }
    look_phy(g, k, out);
    look_eeprom(g, k, out);
    return out;
}

static void same(GArray *a, GArray *b, unsigned seed, const char *type)
{
    for (guint i = 0; i < a->len; i++) {
        uint32_t x = g_array_index(a, uint32_t, i), y = g_array_index(b, uint32_t, i);

        if (x != y) {
            g_error("%s, seed %u: %s 0x%x is 0x%x, was 0x%x", type, seed, i < LOOK_MMIO ? "config" : "register",
                    (i < LOOK_MMIO ? i : i - LOOK_MMIO) * 4, y, x);
        }
    }
}

/* Frames that went out, as one run of bytes */
static GByteArray *sent(struct rig *g)
{
    GByteArray *out = g_byte_array_new();
    struct rig_frame *f;

    while ((f = rig_sent(g))) {
        g_byte_array_append(out, (const guint8 *)&f->meta, sizeof(f->meta));
        g_byte_array_append(out, f->data, (guint)f->len);
        g_free(f);
    }
    return out;
}

/* The rest of the story: the peer takes frames again, packets are finished, a frame comes in. No time passes */
static GByteArray *finish(struct rig *g)
{
    uint32_t tail = r32(g, 0x3818) % RING_DESCS;
    uint8_t buf[1600], *d = rig_ram(g, TX_RING + tail * 16);
    size_t len = rig_tcp4(buf, 1000, true);
    GByteArray *out;

    rig_unblock(g);
    st_le64(d, BUF + 0x10000);
    st_le64(d + 8, 0x0Bull << 24 | 200);
    w32(g, 0x3818, (tail + 1) % RING_DESCS);
    w32(g, 0x0400, 0x0000000A);
    memcpy(buf, rig_broadcast, 6);
    w32(g, 0x2818, (r32(g, 0x2810) + RING_DESCS - 1) % RING_DESCS);
    rig_rx(g, buf, len);
    out = sent(g);
    g_byte_array_append(out, g->ram->host, RAM_USED);
    return out;
}

static void one_seed(const struct nic_kind *k, unsigned seed)
{
    g_autoptr(GRand) r = g_rand_new_with_seed(seed);
    struct rig *g = rig_new(k->type);
    struct image m;
    bool busy, irq;

    rings(g);
    work(g, k, r, 60);
    w32(g, 0x3818, r32(g, 0x3818));     /* no ring that was set up and waits for its kick: a load kicks all */
    busy = g->peer->busy;
    g_byte_array_unref(sent(g));
    m = take_apart(g);
    irq = g->irq;
    g_autoptr(GArray) before = look(g, k);
    g_autoptr(GByteArray) end = finish(g);
    rig_free(g);

    g = put_together(k->type, &m, busy);
    g_assert_true(g->irq == irq);
    g_autoptr(GByteArray) again = g_byte_array_new();
    device_save(&g->dev->dev, again);
    g_assert_cmpmem(again->data, again->len, m.dev->data, m.dev->len);
    rig_run();
    g_autoptr(GArray) after = look(g, k);
    if (!busy) {                        /* else it goes on: the net layer's queue here is empty */
        same(before, after, seed, k->type);
    }
    g_autoptr(GByteArray) end_again = finish(g);
    g_assert_cmpuint(end_again->len, <=, end->len);         /* what the net layer had taken already is not the NIC's */
    g_assert_true(busy || end_again->len == end->len);
    g_assert_true(memcmp(end_again->data, end->data + end->len - end_again->len, end_again->len) == 0);
    rig_free(g);
    image_free(&m);
}

static void test_registers(void)
{
    for (unsigned i = 0; i < ARRAY_LEN(kinds); i++) {
        for (unsigned seed = 1; seed <= 25; seed++) {
            one_seed(&kinds[i], seed);
        }
    }
}

/* ---- by hand: the states that random work seldom meets ---- */

static void tx(struct rig *g, unsigned i, uint64_t addr, uint32_t cmd_len)
{
    st_le64(rig_ram(g, TX_RING + i * 16), addr);
    st_le32(rig_ram(g, TX_RING + i * 16 + 8), cmd_len);     /* options stay */
    w32(g, 0x3818, i + 1);
}

enum { EOP = 0x01 << 24, IFCS = 0x02 << 24, RS = 0x08 << 24 };

/* Half a packet, saved; the other half is sent by the other machine */
static void test_half_packet(void)
{
    for (unsigned i = 0; i < ARRAY_LEN(kinds); i++) {
        struct rig *g = rig_new(kinds[i].type);
        struct image m;
        struct rig_frame *f;

        rings(g);
        rig_eth(rig_ram(g, BUF + 0x10000), 300, rig_other, 0x1234, 7);
        tx(g, 0, BUF + 0x10000, 100 | IFCS | RS);
        g_assert_cmpuint(r32(g, 0x3810), ==, 1);            /* the first half is in the chip */
        m = take_apart(g);
        rig_free(g);

        g = put_together(kinds[i].type, &m, false);
        memset(rig_ram(g, BUF + 0x10000), 0xEE, 100);       /* it needs that memory no more */
        tx(g, 1, BUF + 0x10000 + 100, 200 | EOP | IFCS | RS);
        f = rig_sent(g);
        g_assert_nonnull(f);
        g_assert_cmpuint(f->len, ==, 300);
        rig_eth(rig_ram(g, BUF), 300, rig_other, 0x1234, 7);
        g_assert_cmpmem(f->data, f->len, rig_ram(g, BUF), 300);
        g_assert_cmphex(*rig_ram(g, TX_RING + 16 + 12), ==, 1);     /* DD */
        g_free(f);
        rig_free(g);
        image_free(&m);
    }
}

/*
 * A packet that waits for a busy peer: TSO or a checksum, with a tag to insert. It goes out, of this machine or of the
 * one it moved to, once, from bytes that are no longer in the guest's memory.
 */
static struct rig_frame *held_frame(const char *type, bool tso, bool moves)
{
    enum { TSE = 0x04 << 24, VLE = 0x40 << 24, TAG = 0x2123, PAYLOAD = 1300 };
    struct rig *g = rig_new(type);
    struct rig_frame *f;
    uint8_t *p;
    size_t len;

    g->peer->caps = PKT_CAP_ALL;
    rings(g);
    w32(g, 0x0000, r32(g, 0x0000) | 1 << 30);               /* CTRL.VME */
    len = rig_tcp4(rig_ram(g, BUF + 0x10000), PAYLOAD, false);
    g->peer->busy = true;
    tx(g, 0, BUF + 0x20000, 60 | EOP | IFCS | RS);          /* the net layer keeps this one, and takes no other */
    p = rig_ram(g, TX_RING + 16);                           /* context: IP at 14, TCP at 34, MSS 1000, header 54 */
    st_le64(p, 14 | 24 << 8 | 33 << 16 | 34ull << 32 | 50ull << 40);
    st_le64(p + 8, PAYLOAD | (tso ? 0x27u : 0x23u) << 24 | 54ull << 40 | 1000ull << 48);
    st_le32(rig_ram(g, TX_RING + 32 + 12), 3 << 8 | TAG << 16);
    tx(g, 2, BUF + 0x10000, (uint32_t)len | 1 << 20 | 0x20u << 24 | (tso ? TSE : 0) | VLE | EOP | IFCS | RS);
    g_assert_cmpuint(g->peer->total, ==, 0);
    if (moves) {
        struct image m = take_apart(g);

        rig_free(g);
        g = put_together(type, &m, true);
        g->peer->caps = PKT_CAP_ALL;
        image_free(&m);
    }
    memset(rig_ram(g, BUF + 0x10000), 0xEE, len);
    rig_run();
    g_assert_cmpuint(g->peer->total, ==, 0);
    rig_unblock(g);
    w32(g, 0x0400, 0x0000000A);
    rig_step(NS_PER_SEC);
    g_assert_cmpuint(g->peer->total, ==, moves ? 1 : 2);
    if (!moves) {
        g_free(rig_sent(g));
    }
    f = rig_sent(g);
    rig_free(g);
    return f;
}

static void test_held_packet(void)
{
    for (unsigned n = 0; n < 2 * ARRAY_LEN(kinds); n++) {
        const char *type = kinds[n / 2].type;
        bool tso = n & 1;
        g_autofree struct rig_frame *want = held_frame(type, tso, false), *got = held_frame(type, tso, true);

        g_assert_cmpuint(want->meta.gso, ==, tso ? PKT_GSO_TCP4 : PKT_GSO_NONE);
        g_assert_true(want->meta.flags & PKT_NEEDS_CSUM);
        g_assert_cmphex(want->meta.vlan_tci, ==, 0x2123);
        g_assert_cmpmem(&got->meta, sizeof(got->meta), &want->meta, sizeof(want->meta));
        g_assert_cmpmem(got->data, got->len, want->data, want->len);
    }
}

/* 82574 7.7: a first half that asks for a time stamp, and the second half on the other machine */
static void test_half_packet_with_stamp(void)
{
    enum { TSYNCTXCTL = 0xB614, EN = 1 << 4, VALID = 1, DATA = 1 << 20 | 0x20 << 24 };
    struct rig *g = rig_new("e1000e");
    struct image m;

    rings(g);
    w32(g, TSYNCTXCTL, EN);
    st_le32(rig_ram(g, TX_RING + 12), 1 << 4);
    tx(g, 0, BUF, 100 | DATA | IFCS);
    m = take_apart(g);
    rig_free(g);
    g = put_together("e1000e", &m, false);
    g_assert_cmphex(r32(g, TSYNCTXCTL) & VALID, ==, 0);
    tx(g, 1, BUF, 100 | DATA | IFCS | EOP);
    g_assert_cmpuint(g->peer->total, ==, 1);
    g_assert_cmphex(r32(g, TSYNCTXCTL) & VALID, ==, VALID);
    rig_free(g);
    image_free(&m);
}

/*
 * Contexts: a packet's descriptors are context, first half, second half; the machine moves after descriptor @at (0:
 * never). What leaves must be the same, wherever that was.
 */
struct ctx_case {
    size_t (*packet)(uint8_t *p, size_t payload, bool csum);
    uint64_t ctx[2];
    uint64_t opts;                                          /* POPTS */
    uint32_t cmd;
};

static GByteArray *sent_by_context(const struct ctx_case *c, bool caps, unsigned at)
{
    enum { FIRST = 700 };
    struct rig *g = rig_new("e1000");
    GByteArray *out;
    size_t len;

    g->peer->caps = caps ? PKT_CAP_ALL : 0;
    rings(g);
    len = c->packet(rig_ram(g, BUF + 0x10000), 1000, false);
    for (unsigned i = 0; i < 3; i++) {
        uint8_t *d = rig_ram(g, TX_RING + i * 16);

        if (i == 0) {
            st_le64(d, c->ctx[0]);
            st_le64(d + 8, c->ctx[1]);
        } else {
            st_le64(d, BUF + 0x10000 + (i == 2 ? FIRST : 0));
            st_le64(d + 8, c->opts << 40 | (i == 2 ? (len - FIRST) | EOP : FIRST) | 1 << 20 | 0x20u << 24 | c->cmd |
                    IFCS | RS);
        }
        w32(g, 0x3818, i + 1);
        if (i + 1 == at) {
            struct image m = take_apart(g);

            rig_free(g);
            g = put_together("e1000", &m, false);
            g->peer->caps = caps ? PKT_CAP_ALL : 0;
            image_free(&m);
        }
    }
    out = sent(g);
    rig_free(g);
    return out;
}

/* IPCSS, IPCSO, IPCSE, TUCSS, TUCSO, TUCSE; PAYLEN, command, HDRLEN, MSS */
#define CTX(ips, ipo, ipe, tus, tuo, tue, paylen, cmd, hdr, mss)                                                       \
    { (ips) | (ipo) << 8 | (ipe) << 16 | (tus##ull) << 32 | (tuo##ull) << 40 | (tue##ull) << 48,                       \
      (paylen) | (0x20u | (cmd)) << 24 | (hdr##ull) << 40 | (mss##ull) << 48 }

static void test_contexts(void)
{
    enum { TSE = 0x04 << 24, TUCMD_TCP = 1, TUCMD_IP = 2, TUCMD_TSE = 4 };
    static const struct ctx_case cases[] = {
        { rig_tcp4, CTX(14, 24, 33, 34, 50, 0, 1000, TUCMD_TSE | TUCMD_IP | TUCMD_TCP, 54, 500), 3, TSE },
        { rig_tcp6, CTX(14, 0, 0, 54, 70, 0, 1000, TUCMD_TSE | TUCMD_TCP, 74, 500), 2, TSE },
        { rig_udp4, CTX(14, 24, 33, 34, 40, 0, 1000, TUCMD_TSE | TUCMD_IP, 42, 500), 3, TSE },
        { rig_tcp4, CTX(14, 24, 33, 34, 50, 0, 0, TUCMD_IP | TUCMD_TCP, 0, 0), 3, 0 },
        { rig_tcp4, CTX(20, 26, 53, 60, 62, 199, 0, TUCMD_TCP, 0, 0), 3, 0 },          /* over parts of it */
    };

    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        for (unsigned caps = 0; caps < 2; caps++) {
            g_autoptr(GByteArray) want = sent_by_context(&cases[i], caps, 0);

            g_assert_cmpuint(want->len, >, 1000);
            for (unsigned at = 1; at <= 2; at++) {
                g_autoptr(GByteArray) got = sent_by_context(&cases[i], caps, at);

                g_assert_cmpmem(got->data, got->len, want->data, want->len);
            }
        }
    }
}

/* An interrupt that ITR holds back comes at its time */
static void test_throttled_interrupt(void)
{
    struct rig *g = rig_new("e1000");
    struct image m;

    rings(g);
    w32(g, 0x00C4, 4000);                                   /* ITR: 1.024 ms */
    r32(g, 0x00C0);
    w32(g, 0x00C8, 0x10);                                   /* ICS */
    g_assert_true(g->irq);
    r32(g, 0x00C0);
    rig_step(100000);
    w32(g, 0x00C8, 0x10);
    g_assert_false(g->irq);
    m = take_apart(g);
    rig_free(g);
    g = put_together("e1000", &m, false);
    rig_run();
    g_assert_false(g->irq);
    rig_step(900000);
    g_assert_false(g->irq);
    rig_step(24000);
    g_assert_true(g->irq);
    rig_free(g);
    image_free(&m);
}

/* The gap that ITR asks for goes on, also when nothing waits for its end */
static void test_interrupt_gap(void)
{
    struct rig *g = rig_new("e1000");
    struct image m;

    rings(g);
    w32(g, 0x00C4, 4000);
    w32(g, 0x00C8, 0x10);
    r32(g, 0x00C0);
    rig_step(100000);
    m = take_apart(g);
    rig_free(g);
    g = put_together("e1000", &m, false);
    w32(g, 0x00C8, 0x10);
    g_assert_false(g->irq);
    rig_step(924000);
    g_assert_true(g->irq);
    rig_free(g);
    image_free(&m);
}

/* RDTR, RADV, TIDV, TADV: a delayed completion comes when its time is over, not at once and not from the beginning */
static void test_delays(void)
{
    enum { SHORT = 100, LONG = 5000, UNIT_NS = 1024, IDE = 0x80 << 24 };
    static const struct {
        uint32_t packet, absolute;
        bool tx;
    } cases[] = { { SHORT, 0, false }, { LONG, SHORT, false }, { SHORT, 0, true }, { LONG, SHORT, true } };

    for (unsigned k = 0; k < ARRAY_LEN(kinds); k++) {
        for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
            struct rig *g = rig_new(kinds[k].type);
            bool is_tx = cases[i].tx;
            struct image m;

            rings(g);
            w32(g, is_tx ? 0x3820 : 0x2820, cases[i].packet);
            w32(g, is_tx ? 0x382C : 0x282C, cases[i].absolute);
            w32(g, 0x00D8, ~0u);
            w32(g, 0x00D0, is_tx ? 0x01 : 0x80);
            r32(g, 0x00C0);
            if (is_tx) {
                tx(g, 0, BUF, 100 | EOP | IFCS | RS | IDE);
            } else {
                rig_rx(g, (const uint8_t[64]){ 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF }, 64);
            }
            rig_step(SHORT * UNIT_NS / 2);
            g_assert_false(g->irq);
            m = take_apart(g);
            rig_free(g);

            g = put_together(kinds[k].type, &m, false);
            rig_step(SHORT * UNIT_NS / 2 - 1);
            g_assert_false(g->irq);
            rig_step(1);
            g_assert_true(g->irq);
            rig_free(g);
            image_free(&m);
        }
    }
}

/* ---- 82574: vectors, pages of the PHY ---- */

enum { MSIX_CAP = 0xA0, RXQ0_CAUSE = 1 << 20, BROADCAST_LEN = 64 };

static void frame_now(struct rig *g)
{
    rig_rx(g, (const uint8_t[BROADCAST_LEN]){ 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF }, BROADCAST_LEN);
}

/* Receive queue 0 has vector 2, with messages 1.024 ms apart */
static struct rig *with_vectors(void)
{
    struct rig *g = rig_new("e1000e");
    uint64_t table = pci_bar_addr(g->dev, 3);

    g_assert_cmphex(table, !=, PCI_UNMAPPED);
    rings(g);
    rig_config_set(g, MSIX_CAP + 2, 0x8000, 2);
    for (unsigned v = 0; v < 5; v++) {
        space_write(&g->as, table + v * 16, 0xFEE00000, 4);
        space_write(&g->as, table + v * 16 + 8, 0x40 + v, 4);
        space_write(&g->as, table + v * 16 + 12, 0, 4);
    }
    w32(g, 0x00D8, ~0u);
    w32(g, 0x00E4, 8 | 2);                                  /* IVAR */
    w32(g, 0x00DC, RXQ0_CAUSE);                             /* EIAC: a message takes the cause out of ICR */
    w32(g, 0x00E8 + 2 * 4, 4000);                           /* EITR */
    w32(g, 0x00D0, RXQ0_CAUSE);
    return g;
}

static struct rig *moved(struct rig *g)
{
    struct image m = take_apart(g);

    rig_free(g);
    g = put_together("e1000e", &m, false);
    rig_run();
    g_assert_cmpuint(g->msis, ==, 0);
    image_free(&m);
    return g;
}

static void test_vectors(void)
{
    for (unsigned waits = 0; waits <= 1; waits++) {
        struct rig *g = with_vectors();

        frame_now(g);
        g_assert_cmpuint(g->msis, ==, 1);
        w32(g, 0x00D0, RXQ0_CAUSE);
        rig_step(100000);
        if (waits) {                    /* the second message is on hold when it is saved, or comes after */
            frame_now(g);
        }
        g_assert_cmpuint(g->msis, ==, 1);
        g = moved(g);
        if (!waits) {
            frame_now(g);
        }
        rig_step(923999);
        g_assert_cmpuint(g->msis, ==, 0);
        rig_step(1);
        g_assert_cmpuint(g->msis, ==, 1);
        g_assert_cmphex(g->msi[0].data, ==, 0x42);
        rig_free(g);
    }
}

/* Which queue's vector a delayed completion is for */
static void test_delayed_vector(void)
{
    struct rig *g = with_vectors();

    w32(g, 0x2820, 100);                                    /* RDTR */
    frame_now(g);
    g_assert_cmpuint(g->msis, ==, 0);
    g = moved(g);
    rig_step(100 * 1024);
    g_assert_cmpuint(g->msis, ==, 1);
    g_assert_cmphex(g->msi[0].data, ==, 0x42);
    rig_free(g);
}

static uint32_t phy_op(struct rig *g, uint32_t op, unsigned reg, uint16_t val)
{
    w32(g, 0x0020, op << 26 | 1 << 21 | reg << 16 | val);
    return r32(g, 0x0020) & 0xFFFF;
}

static void test_phy_pages(void)
{
    struct rig *g = rig_new("e1000e");
    struct image m;

    phy_op(g, 1, 22, 769);
    phy_op(g, 1, 17, 0x1234);
    m = take_apart(g);
    rig_free(g);
    g = put_together("e1000e", &m, false);
    g_assert_cmphex(phy_op(g, 2, 22, 0), ==, 769);
    g_assert_cmphex(phy_op(g, 2, 17, 0), ==, 0x1234);
    phy_op(g, 1, 22, 0);
    g_assert_cmphex(phy_op(g, 2, 17, 0), !=, 0x1234);
    rig_free(g);
    image_free(&m);
}

/* The cable is the destination's: the guest hears of a difference by LSC */
static void test_link_of_destination(void)
{
    struct rig *g = rig_new("e1000");
    struct image m;
    Error *err = NULL;

    rings(g);
    r32(g, 0x00C0);
    g_assert_cmphex(r32(g, 0x0008) & 2, ==, 2);
    m = take_apart(g);
    rig_free(g);
    g = rig_new("e1000");
    net_set_link("nic", false, NULL);
    rig_run();
    g_assert_true(device_load(&g->dev->dev, m.dev->data, m.dev->len, &err));
    rig_run();
    g_assert_cmphex(r32(g, 0x0008) & 2, ==, 0);
    g_assert_cmphex(r32(g, 0x00C0) & 4, ==, 4);
    rig_free(g);
    image_free(&m);
}

/* ---- streams that must be refused: security.md 1.2, rule R7 ---- */

/* Where the values of field @name begin */
static guint payload(const GByteArray *b, const char *name)
{
    size_t n = strlen(name);

    for (guint i = 0; i + n < b->len; i++) {
        if (b->data[i] == n && memcmp(b->data + i + 1, name, n) == 0) {
            return i + 1 + (guint)n + 9;
        }
    }
    g_assert_not_reached();
}

/* Values of register @name begin there */
static guint register_at(const GByteArray *b, const char *name)
{
    return payload(b, name) - 9 + 2;
}

/* It is refused with @text, and the device works after it */
static void refused(struct rig *g, const GByteArray *s, const char *text)
{
    g_autoptr(Error) err = NULL;

    g_assert_false(device_load(&g->dev->dev, s->data, s->len, &err));
    g_assert_cmpstr(error_text(err), ==, text);
}

static void works(struct rig *g)
{
    unsigned total;

    g->peer->busy = false;
    net_client_flush(&g->peer->c);
    rig_run();
    device_reset(&g->dev->dev);
    rig_config_set(g, PCI_BAR0, RIG_MMIO, 4);
    rig_config_set(g, PCI_COMMAND, 7, 2);
    rig_step(NS_PER_SEC);
    rings(g);
    total = g->peer->total;
    tx(g, 0, BUF, 100 | EOP | IFCS);
    g_assert_cmpuint(g->peer->total, ==, total + 1);
}

static GByteArray *good_stream(const char *type)
{
    struct rig *g = rig_new(type);
    GByteArray *s = g_byte_array_new();

    rings(g);
    tx(g, 0, BUF, 100 | IFCS);                              /* an open packet */
    rig_rx(g, (const uint8_t[64]){ 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF }, 64);
    device_save(&g->dev->dev, s);
    rig_free(g);
    return s;
}

/* e1000e b395a655: the size of a receive descriptor is derived; a stream has no place for it */
static void test_rx_desc_len(void)
{
    g_autoptr(GByteArray) s = good_stream("e1000e");
    struct rig *g;
    uint8_t buf[200];

    for (guint i = 0; i + 11 < s->len; i++) {
        g_assert_true(memcmp(s->data + i, "rx_desc_len", 11) != 0 && memcmp(s->data + i, "desc_size", 9) != 0);
    }
    /* the registers that it follows from may say anything: packet split with rings of 16-byte descriptors */
    g = rig_new("e1000e");
    g_assert_true(device_load(&g->dev->dev, s->data, s->len, NULL));
    w32(g, 0x5008, 0x8000);                                 /* RFCTL.EXSTEN */
    w32(g, 0x0100, 0x801A | 1 << 10);                       /* RCTL.DTYP: split */
    g_autoptr(GByteArray) split = g_byte_array_new();
    device_save(&g->dev->dev, split);
    rig_free(g);
    g = rig_new("e1000e");
    g_assert_true(device_load(&g->dev->dev, split->data, split->len, NULL));
    rig_eth(buf, sizeof(buf), rig_broadcast, 0x0800, 1);
    for (unsigned n = 0; n < 40; n++) {
        rig_rx(g, buf, sizeof(buf));
    }
    works(g);
    rig_free(g);
}

/* CVE-2013-4149..4151 and their like: head and tail outside of the ring, a ring of length 0 */
static void test_ring_indices(void)
{
    static const char *const regs[] = { "TDH", "TDT", "RDH", "RDT" };

    for (unsigned i = 0; i < ARRAY_LEN(regs); i++) {
        g_autoptr(GByteArray) s = good_stream("e1000");
        struct rig *g = rig_new("e1000");
        g_autofree char *text = g_strdup_printf("intel-gigabit.regs: %s[0]: 0x10000: bits 0x10000 never change",
                                                regs[i]);
        uint8_t buf[64] = { 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF };

        st_le32(s->data + register_at(s, regs[i]), 0x10000);
        refused(g, s, text);
        st_le32(s->data + register_at(s, regs[i]), 0xFFFF);
        g_assert_true(device_load(&g->dev->dev, s->data, s->len, NULL));
        rig_rx(g, buf, sizeof(buf));
        rig_run();
        works(g);
        rig_free(g);
    }
}

static void test_field_ranges(void)
{
    static const struct {
        const char *field;
        unsigned off, size;
        uint64_t val;
        const char *text;
    } cases[] = {
        { "state", 0, 1, 7, "intel-gigabit.eeprom.state: 7 is not within 0..6" },
        { "op", 0, 1, 9, "intel-gigabit.eeprom.op: 0x9 has bits outside 0x3" },
        { "pkt.kind", 0, 1, 4, "intel-gigabit.txq[0].packet.pkt.kind: 4 is not within 0..3" },
        { "pkt.frame.meta.gso", 0, 1, 5, "intel-gigabit.txq[0].packet.pkt.frame.meta.gso: 5 is not within 0..4" },
        { "fifo_len", 0, 4, 65601, "intel-gigabit.txq[0].packet.fifo_len: 65601 is not within 0..65600" },
        { "fifo_len", 0, 4, 65600, "intel-gigabit.txq[0].packet.fifo: 100 values, but its count says 65600" },
        { "fifo", -8u, 4, 0x7FFFFFFF, "intel-gigabit.txq[0].packet.fifo: 2147483647 values, at most 65600" },
        { "paylen", 0, 4, 0x100000, "intel-gigabit.txq[0].ctx[0].paylen: 0x100000 has bits outside 0xfffff" },
        { "link", 0, 1, 2, "intel-gigabit.link: 2 is no bool" },
        { "intr.tx_late", 0, 4, 1, "intel-gigabit.intr.tx_late: 0x1 has bits outside 0x1f00000" },
    };

    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        g_autoptr(GByteArray) s = good_stream("e1000");
        struct rig *g = rig_new("e1000");

        st_le_n(s->data + payload(s, cases[i].field) + (int)cases[i].off, cases[i].val, cases[i].size);
        refused(g, s, cases[i].text);
        works(g);
        rig_free(g);
    }
}

/* A held packet that is too short to be one */
static void test_held_runt(void)
{
    g_autoptr(GByteArray) s = good_stream("e1000");
    struct rig *g = rig_new("e1000");

    s->data[payload(s, "held")] = 1;
    g_assert_true(device_load(&g->dev->dev, s->data, s->len, NULL));
    s->data[payload(s, "pkt.bad")] = 1;
    refused(g, s, "intel-gigabit.txq[0].packet: a packet of 100 bytes cannot wait for its receiver");
    works(g);
    rig_free(g);
}

static void test_other_model(void)
{
    g_autoptr(GByteArray) s = good_stream("e1000");
    struct rig *g = rig_new("e1000-82545em");

    refused(g, s, "pci-device.config: byte 0x02 is 0x0e, here 0x0f: bits 0x01 never change");
    works(g);
    rig_free(g);
}

/* Cut at every 13th byte; a fifth of all bytes changed, one after the other: refused or taken, and it works after it */
static void test_damaged(void)
{
    for (unsigned i = 0; i < ARRAY_LEN(kinds); i++) {
        g_autoptr(GByteArray) s = good_stream(kinds[i].type);
        struct rig *g = rig_new(kinds[i].type);
        uint8_t buf[64] = { 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF };
        unsigned taken = 0;

        for (guint len = 0; len < s->len; len += 13) {
            g_autofree uint8_t *cut = g_memdup2(s->data, MAX(len, 1));
            g_autoptr(Error) err = NULL;

            g_assert_false(device_load(&g->dev->dev, cut, len, &err));
            g_assert_nonnull(err);
        }
        for (guint at = 0; at < s->len; at += 5) {
            uint8_t old = s->data[at];

            s->data[at] ^= 1u << (at % 8);
            if (device_load(&g->dev->dev, s->data, s->len, NULL)) {
                taken++;
                rig_run();
                rig_rx(g, buf, sizeof(buf));
                rig_step(10000);
            }
            s->data[at] = old;
        }
        g_assert_cmpuint(taken, >, 10);
        works(g);
        rig_free(g);
    }
}

/* ---- what a reset leaves ---- */

static GByteArray *state_after_reset(struct rig *g)
{
    GByteArray *b = g_byte_array_new();

    device_reset(&g->dev->dev);
    rig_place_bars(g);
    rig_config_set(g, PCI_COMMAND, 7, 2);
    rig_step(NS_PER_SEC);
    device_save(&g->dev->dev, b);
    return b;
}

/*
 * A reset leaves no trace in what is saved: found by tests/fuzz/fuzz-e1000.c. The format that a receive ring was last
 * taken for stayed, and the bits that an EEPROM command had shifted in.
 */
static void test_reset_leaves_nothing(void)
{
    static const uint32_t eecd[] = { 0x40, 0x42, 0x46, 0x47, 0x46, 0x47, 0x42, 0x43, 0x46, 0x47, 0x46, 0x47 };

    for (unsigned k = 0; k < ARRAY_LEN(kinds); k++) {
        struct rig *g = rig_new(kinds[k].type);
        g_autoptr(GByteArray) before = state_after_reset(g), after = NULL;
        uint8_t frame[60];
        size_t time;

        for (unsigned i = 0; i < 64; i++) {
            st_le64(rig_ram(g, RX_RING + 8 * i), BUF + 2048 * i);
        }
        w32(g, 0x2800, RX_RING);
        w32(g, 0x2808, 512);
        w32(g, 0x2818, 8);
        w32(g, 0x5008, 0x8000);                                 /* extended descriptors, packet split */
        w32(g, 0x2170, 0x04040402);
        w32(g, 0x0100, 0x841A);
        rig_eth(frame, sizeof(frame), rig_mac, 0x88B5, 1);
        g_assert_cmpint(rig_rx(g, frame, sizeof(frame)), ==, NET_TX_DONE);
        for (unsigned i = 0; i < ARRAY_LEN(eecd); i++) {
            w32(g, 0x0010, eecd[i]);
        }
        g_assert_cmpuint(r32(g, 0x2810), !=, 0);                /* it was received */
        after = state_after_reset(g);
        g_assert_cmpuint(before->len, ==, after->len);
        time = (size_t)((uint8_t *)memmem(before->data, before->len, "systim_ns", 9) - before->data);
        g_assert_cmpmem(before->data, time, after->data, time);
        time += 9 + 1 + 4 + 4 + sizeof(int64_t);                /* name, kind, count, size, value: the clock goes on */
        g_assert_cmpmem(before->data + time, before->len - time, after->data + time, after->len - time);
        rig_free(g);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    rig_init_once();
    g_test_add_func("/nic-vmstate/intel/registers", test_registers);
    g_test_add_func("/nic-vmstate/intel/half-packet", test_half_packet);
    g_test_add_func("/nic-vmstate/intel/held-packet", test_held_packet);
    g_test_add_func("/nic-vmstate/intel/half-packet-with-stamp", test_half_packet_with_stamp);
    g_test_add_func("/nic-vmstate/intel/contexts", test_contexts);
    g_test_add_func("/nic-vmstate/intel/throttled-interrupt", test_throttled_interrupt);
    g_test_add_func("/nic-vmstate/intel/interrupt-gap", test_interrupt_gap);
    g_test_add_func("/nic-vmstate/intel/delays", test_delays);
    g_test_add_func("/nic-vmstate/intel/vectors", test_vectors);
    g_test_add_func("/nic-vmstate/intel/delayed-vector", test_delayed_vector);
    g_test_add_func("/nic-vmstate/intel/phy-pages", test_phy_pages);
    g_test_add_func("/nic-vmstate/intel/link-of-destination", test_link_of_destination);
    g_test_add_func("/nic-vmstate/intel/rx-desc-len", test_rx_desc_len);
    g_test_add_func("/nic-vmstate/intel/ring-indices", test_ring_indices);
    g_test_add_func("/nic-vmstate/intel/field-ranges", test_field_ranges);
    g_test_add_func("/nic-vmstate/intel/held-runt", test_held_runt);
    g_test_add_func("/nic-vmstate/intel/other-model", test_other_model);
    g_test_add_func("/nic-vmstate/intel/damaged", test_damaged);
    g_test_add_func("/nic-vmstate/intel/reset-leaves-nothing", test_reset_leaves_nothing);
    return g_test_run();
}
