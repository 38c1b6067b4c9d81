/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/fuzz/fuzz-e1000.c - the gigabit models against a hostile guest and a hostile peer at once
 *
 * The first byte of the input chooses the model, the second what the peer takes, two more how a driver would have set
 * it up; the rest is a stream of operations: register accesses, descriptors, packets, RAM, frames from the wire, time,
 * configuration space, the MSI-X table, PHY and EEPROM, resets, saving and loading. Addresses are biased towards the
 * NIC's own BARs, ROM, holes and the ends of memory. After each input the device must still be there: it is reset and
 * has to send one frame.
 *
 * A machine is made once a model and used for every input, which is what makes this fast. Afterwards the pages that are
 * marked as dirty are wiped and the device is reset. A reset leaves EEPROM and packet memory alone: words written by
 * register are written back, and when an input may have done more, the state of the first day is loaded. That this is
 * complete is checked now and then (bench_check()), so a finding replays from its file alone.
 */
#include "nic_input.h"

#include "migration/devices.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OPS_MAX = 64, TX_RING = 0x10000, RX_RING = 0x20000, BUF = 0x100000, MSIX = RIG_MMIO + 3 * RIG_BAR_STEP,
       EECD = 0x10, EERD = 0x14, MDIC = 0x20, EEWR = 0x102C, PACKET_MEMORY = 0x10000, UNDO_MAX = 64, EEPROM_WORDS = 64,
       LARGE = 3000, RING_BYTES_MAX = 0x780, EECD_HARMLESS = 20 };      /* no command of the EEPROM takes fewer edges */

static const char *const models[] = { "e1000", "e1000e", "e1000-82544gc", "e1000-82545em" };
static struct bench benches[ARRAY_LEN(models)];
static uint16_t eeprom_words[ARRAY_LEN(models)][EEPROM_WORDS];      /* of the first day */
static unsigned model;                  /* of this input */
static struct {
    uint32_t reg, val;
} undo[UNDO_MAX];                       /* register writes that undo what the input wrote and a reset does not */
static unsigned undos;
static bool indelible;                  /* it has written more than that */
static bool slow;                       /* it may save, load and program the EEPROM, once: each takes as long as 64 operations */
static bool moved;                      /* it has moved BARs: what a fixed address means is not known here any more */
static unsigned eecd_writes;

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
                                     0xB600, 0xB604, 0xB608, 0xB610, 0xB614, 0xB61C, 0xB620, 0xB628, 0xB634, 0xB638,
                                     0x00EC, 0x5B00, 0x5804 };
    unsigned sel = take(in, 1);

    return sel & 0x80 ? take(in, 3) & 0x1FFFF : regs[sel % ARRAY_LEN(regs)];
}

static void note_write(uint32_t off, uint32_t val)
{
    uint32_t back = 0;

    off &= ~3u;
    eecd_writes += off == EECD;
    indelible |= eecd_writes >= EECD_HARMLESS;
    if (off == EEWR) {                  /* 82574 10.2.2.16: start, word, data */
        back = (val & 0xFD) | 1 | (uint32_t)eeprom_words[model][val >> 2 & (EEPROM_WORDS - 1)] << 16;
    } else if (off < PACKET_MEMORY) {
        return;
    }
    if (undos == UNDO_MAX) {
        indelible = true;
        return;
    }
    undo[undos].reg = off;
    undo[undos++].val = back;
}

/* A transmit ring of 65,535 descriptors with 64 KiB each is work for seconds, all of it in small runs: kept shorter here */
static uint32_t shortened(uint32_t off, uint32_t val)
{
    return (off & ~0x103u) == 0x3808 ? val & RING_BYTES_MAX : val;
}

static void write_reg(struct rig *g, uint32_t off, uint32_t val)
{
    note_write(off, val);
    w32(g, off, shortened(off, val));
}

/* The I/O window: address, then data */
static void window(struct rig *g, unsigned off, uint32_t val)
{
    if (off >= 4) {
        uint32_t reg = space_read(&g->io_as, RIG_IO, 4);

        note_write(reg, val);
        val = shortened(reg, val);
    }
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

/* PHY register or page, behind MDIC */
static void phy(struct rig *g, struct input *in)
{
    static const uint16_t pages[] = { 0, 2, 3, 769, 776, 800, 1, 31 };
    unsigned sel = take(in, 1), val = take(in, 2);

    if ((sel & 31) == 22 && sel & 0x20) {
        val = pages[val & 7];
    }
    w32(g, MDIC, val | (sel & 31) << 16 | 1u << 21 | (sel & 0x20 ? 1u : 2u) << 26 | (sel & 0x40 ? 1u << 29 : 0));
}

/* A command of the serial EEPROM, and what follows it, bit by bit: 93C46 */
static void eeprom(struct rig *g, struct input *in)
{
    unsigned sel = take(in, 1), command = 1u << 8 | (sel & 3) << 6 | (unsigned)(take(in, 1) & 63);
    unsigned n = 9 + (sel & 0x7C) / 2;
    uint64_t bits = (uint64_t)command << 55 | take(in, 4) << 23;

    indelible = true;
    w32(g, EECD, 0x40);
    w32(g, EECD, 0x42);
    for (unsigned i = 0; i < n; i++, bits <<= 1) {
        uint32_t v = 0x42 | (bits >> 63 ? 4 : 0);

        w32(g, EECD, v);
        w32(g, EECD, v | 1);
    }
    r32(g, EECD);
    w32(g, EECD, sel & 0x80 ? 0x42 : 0x40);
}

/*
 * A driver's way to start. @how: 1 extended, 2 packet split, 4 MSI-X, 8 RSS, 16 the second queue too, 32 filters on,
 * 64 moderation, 128 time stamps, bits 8-10 which of them, 0x800 VLAN filter, 0x1000 large packets, 0x2000 loop-back;
 * 0xC000, in the input's head only: slow operations are allowed
 */
static void ring_setup(struct rig *g, unsigned how)
{
    static const uint32_t set[][2] = { { 0x3800, TX_RING }, { 0x3808, 512 }, { 0x3810, 0 }, { 0x3818, 0 },
                                       { 0x0400, 10 }, { 0x2800, RX_RING }, { 0x2808, 512 }, { 0x2810, 0 },
                                       { 0x2818, 31 }, { 0x00E4, 0x800CBA98 }, { 0x00D0, ~0u } };
    static const uint16_t delays[] = { 0x2820, 0x282C, 0x3820, 0x382C, 0x00C4, 0x00E8, 0x00EC };
    unsigned size = how & 2 ? 8 : 16;
    uint8_t *ring;

    for (unsigned i = 0; i < ARRAY_LEN(set); i++) {
        uint32_t off = set[i][0];

        w32(g, off, set[i][1]);
        if (how & 16 && (off >> 8 == 0x38 || off >> 8 == 0x28)) {
            w32(g, off + 0x100, set[i][1]);
        }
    }
    for (unsigned i = 0; how & 64 && i < ARRAY_LEN(delays); i++) {
        w32(g, delays[i], 100 + i);
    }
    w32(g, 0x5008, how & 3 ? 0x8000 : 0);
    w32(g, 0x5818, how & 8 ? 0x001F0001 : 0);
    w32(g, 0x5C00, 0x80008000);
    if (how & 128) {
        w32(g, 0xB608, 0x04000010);
        w32(g, 0xB614, 0x10);
        w32(g, 0xB620, 0x10 | (how >> 8 & 7) << 1);
    }
    w32(g, 0x0100, 0x8002 | (how & 32 ? 0 : 0x18) | (how & 2 ? 0x400 : 0) | (how & 0x800 ? 0x40000 : 0) |
        (how & 0x1000 ? 0x20 : 0) | (how & 0x2000 ? 0x40 : 0));
    ring = rig_ram(g, RX_RING);
    for (unsigned i = 0; i < 32; i++) {
        st_le64(ring + i * size, BUF + i * 2048);
    }
    if (how & 4 && g->dev->msix && !moved) {
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
    static uint8_t data[LARGE];
    unsigned how = take(in, 1), spoil = take(in, 1), tail = r32(g, 0x3818) & 31;
    uint8_t *ring = rig_ram(g, TX_RING), context[16] = { 14, 24, 33, 0, 34, 50, 0, 0, 0, 8, 0, 0x20, 0, 54, 0xB4, 5 };
    uint32_t cmd = (how & 1 ? 0x04 : 0) | 0x20 | 2 | (how & 2 ? 8 : 0) | (how & 4 ? 0x40 : 0) | (how & 8 ? 0x80 : 0);
    unsigned len = how & 1 ? LARGE : 300, first = how & 16 ? 60 : len;

    if (!data[0]) {
        rig_tcp4(data, LARGE - 54, false);
    }
    memcpy(rig_ram(g, BUF), data, len);
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
    indelible = true;
    device_load(&g->dev->dev, b->data, b->len, NULL);
    rig_run();
}

/* What is seldom done because it takes as long as ten of the others */
static void rarely(struct rig *g, struct input *in)
{
    g_autoptr(GString) text = NULL;

    unsigned what = take(in, 1) & 0x1F;

    switch (what) {
    case 0: case 1: case 3:
        if (!slow) {
            break;
        }
        slow = false;
        if (what == 0) {
            save_and_load(g);
        } else if (what == 1) {
            damaged_load(g, in);
        } else {
            eeprom(g, in);
        }
        break;
    case 2:
        text = g_string_new(NULL);
        g->dev->dev.type->describe(&g->dev->dev, text, 0);
        break;
    case 4: case 5: case 6: case 7:
        device_reset(&g->dev->dev);
        break;
    default:
        net_set_link(g->dev->dev.id, take(in, 1) & 1, NULL);
        break;
    }
}

static void config_write(struct rig *g, struct input *in)
{
    unsigned off = take(in, 1), val = take(in, 4);

    moved |= off >= PCI_BAR0 - 3 && off < PCI_BAR0 + 4 * PCI_BARS;
    rig_config_set(g, off, val, 1u << (take(in, 1) % 3));
}

static void one(struct rig *g, struct input *in)
{
    uint32_t off, val;

    switch (take(in, 1) % 20) {
    case 0: case 1: case 2:
        off = reg(in);
        write_reg(g, off, take(in, 4));
        break;
    case 3:
        r32(g, reg(in));
        break;
    case 4: case 5:
        descriptor(g, in);
        break;
    case 6:
        phy(g, in);
        break;
    case 7:
        w32(g, 0x3818 + (take(in, 1) & 1) * 0x100, take(in, 1) & 31);
        break;
    case 8:
        w32(g, 0x2818 + (take(in, 1) & 1) * 0x100, take(in, 1) & 31);
        break;
    case 9: case 18:
        wire_frame(g, in);
        break;
    case 10:
        rig_step(take(in, 3));
        break;
    case 11:
        config_write(g, in);
        break;
    case 12:
        off = take(in, 1) & 0x3C;
        val = take(in, 4);
        if (!moved) {
            window(g, off, val);
        }
        break;
    case 13:
        g->peer->busy = !g->peer->busy;
        if (!g->peer->busy) {
            rig_unblock(g);
        }
        break;
    case 14:
        ring_setup(g, take(in, 2));
        break;
    case 15:
        off = take(in, 1) & 0x7C;
        val = take(in, 4);
        if (!moved) {
            space_write(&g->as, MSIX + off, val, 4);
            rig_run();
        }
        break;
    case 16:
        rarely(g, in);
        break;
    case 17:
        packet(g, in);
        break;
    default:
        write_reg(g, reg(in), 1u << (take(in, 1) & 31));
        break;
    }
}

/* Still there: one frame goes out. So does the next input find the same device, the first one too. */
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
    rig_wipe(g);
    g->writes = g->msis = 0;
}

static void power_on(struct rig *g)
{
    device_reset(&g->dev->dev);
    rig_place_bars(g);
    rig_config_set(g, PCI_COMMAND, 7, 2);
}

/* Back to the first day */
static void restore(struct bench *b)
{
    struct rig *g = b->g;

    g->peer->busy = false;
    net_client_flush(&g->peer->c);
    rig_run();
    net_set_link(g->dev->dev.id, true, NULL);
    if (undos) {                        /* an input may have moved the BARs, or put the device to sleep */
        power_on(g);
        while (undos) {
            undos--;
            w32(g, undo[undos].reg, undo[undos].val);
        }
    }
    if (indelible && !device_load(&g->dev->dev, b->first_day->data, b->first_day->len, NULL)) {
        abort();
    }
    indelible = moved = false;
    eecd_writes = 0;
    power_on(g);
    rig_step(NS_PER_SEC);
    rig_wipe(g);
    check_alive(g);
    bench_check(b);
}

static void at_end(void)
{
    for (unsigned i = 0; i < ARRAY_LEN(models); i++) {
        if (benches[i].g) {
            rig_free(benches[i].g);
            bench_fini(&benches[i]);
        }
    }
}

static struct bench *bench_take(void)
{
    static bool once;
    struct rig *g;

    if (!once) {
        once = true;
        atexit(at_end);
    }
    if (!benches[model].g) {
        g = rig_new(models[model]);
        g->peer->keep_max = 0;
        benches[model].g = g;
        bench_first_day(&benches[model], restore);
        for (unsigned i = 0; i < EEPROM_WORDS; i++) {       /* used for the 82574 only: 10.2.2.4 */
            w32(g, EERD, i << 2 | 1);
            eeprom_words[model][i] = r32(g, EERD) >> 16;
        }
        restore(&benches[model]);
    }
    return &benches[model];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = { data, size };
    struct bench *b;
    unsigned how;

    model = take(&in, 1) % ARRAY_LEN(models);
    b = bench_take();
    b->g->peer->caps = take(&in, 1) & PKT_CAP_ALL;
    how = take(&in, 2);
    slow = (how & 0xC000) == 0xC000;
    ring_setup(b->g, how);
    for (unsigned i = 0; in.left && i < OPS_MAX; i++) {
        one(b->g, &in);
    }
    restore(b);
    return 0;
}
