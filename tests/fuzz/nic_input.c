/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/fuzz/nic_input.c - see nic_input.h */
#include "nic_input.h"

#include "migration/devices.h"
#include "net/offload/csum.h"

#include <stdlib.h>
#include <string.h>

uint64_t take(struct input *in, unsigned n)
{
    uint64_t v = 0;

    n = (unsigned)MIN(n, in->left);
    memcpy(&v, in->p, n);
    in->p += n;
    in->left -= n;
    return v;
}

/* ---- frames ---- */

enum { HEAD = 128 };                    /* the bytes that mean something, at most */

static void spoil(struct input *in, uint8_t *buf, unsigned how)
{
    for (unsigned n = how == 3 ? 12 : how == 2 ? 3 : how; n; n--) {
        unsigned at = (unsigned)take(in, 1) & (HEAD - 1);

        buf[at] ^= (uint8_t)take(in, 1);
    }
}

/* PTP version 2 in @p, sequence and identity from the pattern */
static void ptp(uint8_t *p, unsigned msg)
{
    p[0] = msg & 0xF;
    p[1] = msg & 0x10 ? 1 : 2;
    p[32] = msg >> 5;
}

static void shape(uint8_t *buf, unsigned sel, size_t payload, uint8_t extra)
{
    switch (sel & 7) {
    case 0:
        rig_tcp4(buf, payload, true);
        break;
    case 1:
        rig_udp4(buf, payload, true);
        break;
    case 2:
        rig_tcp6(buf, payload, true);
        break;
    case 3:                             /* over Ethernet: IEEE 1588 annex F */
        rig_eth(buf, HEAD, rig_mac, 0x88F7, 1);
        ptp(buf + 14, extra);
        break;
    case 4:                             /* over UDP, the event port */
        rig_udp4(buf, MAX(payload, 44), false);
        st_be16(buf + 36, 319);
        ptp(buf + 42, extra);
        break;
    case 5:                             /* a pause frame: 802.3 31B */
        memcpy(buf, (uint8_t[]){ 1, 0x80, 0xC2, 0, 0, 1 }, 6);
        st_be16(buf + 12, 0x8808);
        st_be16(buf + 14, 1);
        st_be16(buf + 16, extra);
        break;
    case 6:                             /* a fragment */
        rig_udp4(buf, payload, true);
        st_be16(buf + 20, (uint16_t)(extra & 1 ? 0x2000 : 0x2000 | extra));
        csum_ip4_header(buf + 14, 20);
        break;
    default:
        rig_eth(buf, HEAD, rig_mac, (uint16_t)(extra << 8), extra);
        break;
    }
}

static void destination(uint8_t *buf, unsigned sel)
{
    static const uint8_t group[6] = { 0x33, 0x33, 0, 0, 0, 1 };

    switch (sel & 7) {
    case 1: memcpy(buf, rig_broadcast, 6); break;
    case 2: memcpy(buf, group, 6); break;
    case 3: memcpy(buf, rig_other, 6); break;
    case 4: memset(buf, 2, 6); break;
    default: break;
    }
}

static size_t tag(uint8_t *buf, size_t len, uint8_t tci)
{
    memmove(buf + 16, buf + 12, HEAD);
    st_be16(buf + 12, tci & 0x80 ? 0x88A8 : 0x8100);
    st_be16(buf + 14, (uint16_t)(tci & 0x0F) | (uint16_t)(tci & 0x70) << 8);
    return MIN(len + 4, FRAME_MAX);
}

/* Layout: length (two bytes; bit 15: a large one), shape, destination and what follows, one byte of the shape's own */
void wire_frame(struct rig *g, struct input *in)
{
    static uint8_t buf[FRAME_MAX + 2 * HEAD];
    struct pkt_meta m = { 0 };
    size_t len = take(in, 2);
    unsigned sel = (unsigned)take(in, 1), how = (unsigned)take(in, 1);
    uint8_t extra = (uint8_t)take(in, 1);

    len = len & 0x8000 ? MIN((len & 0x7FFF) * 2 + 2, FRAME_MAX) : len & 0x7FF;
    memset(buf, 0x5A, MAX(len, 2 * HEAD));
    shape(buf, sel, sel & 8 && len > 74 ? MIN(len, FRAME_MAX - 14) - 74 : 60, extra);
    destination(buf, how);
    if (how & 8) {
        len = tag(buf, len, extra);
    }
    spoil(in, buf, how >> 4 & 3);
    if (how & 0x40) {
        m = (struct pkt_meta){ .flags = (uint8_t)take(in, 1) & 0x0F, .gso = (uint8_t)take(in, 1) % 6,
                               .gso_size = (uint16_t)take(in, 2), .csum_start = (uint16_t)take(in, 1),
                               .csum_off = (uint16_t)take(in, 1), .vlan_tci = 5 };
    } else if (how & 0x80) {
        m.flags = PKT_CSUM_VALID;
    }
    rig_rx_meta(g, buf, len, &m);
}

/* Layout: how many and which kind, payload of each, then one byte a segment: what is wrong with it */
void wire_train(struct rig *g, struct input *in)
{
    static uint8_t buf[2048];
    unsigned sel = (unsigned)take(in, 1), payload = 1 + (unsigned)take(in, 2) % 1460, n = 2 + (sel & 7);
    size_t l4 = sel & 8 ? 54 : 34;
    uint32_t seq = 1000;

    for (unsigned i = 0; i < n; i++) {
        unsigned wrong = (unsigned)take(in, 1);
        size_t len = sel & 8 ? rig_tcp6(buf, payload, false) : rig_tcp4(buf, payload, false);

        buf[l4 + 13] = (uint8_t)(wrong & 1 ? 0x18 : 0x10);
        if (wrong & 0x80) {             /* another flow, flags, window, options... */
            buf[l4 + (wrong >> 1 & 15)] ^= (uint8_t)take(in, 1);
        }
        st_be32(buf + l4 + 4, wrong & 0x40 ? seq - payload : seq);
        seq += payload;
        rig_rx_meta(g, buf, len, &(struct pkt_meta){ .flags = PKT_CSUM_VALID });
    }
}

/* ---- the first day ---- */

static GByteArray *saved(struct bench *b)
{
    GByteArray *a = g_byte_array_new();

    device_save(&b->g->dev->dev, a);
    return a;
}

/* For a fuzzer a finding is abort(); GLib's own way to end is a breakpoint, which it does not count, or to go on */
static void on_message(const char *domain, GLogLevelFlags level, const char *text, void *opaque)
{
    g_printerr("%s\n", text);
    if (level & (G_LOG_LEVEL_ERROR | G_LOG_LEVEL_CRITICAL | G_LOG_LEVEL_WARNING)) {
        abort();
    }
}

/* Twice, with years in between: what differs is a time */
void bench_first_day(struct bench *b, void (*restore)(struct bench *b))
{
    g_log_set_default_handler(on_message, NULL);
    restore(b);
    b->first_day = saved(b);
    rig_step(0x0101010101010101);
    restore(b);
    b->mask = saved(b);
    g_assert_cmpuint(b->mask->len, ==, b->first_day->len);
    for (unsigned i = 0; i < b->mask->len; i++) {
        b->mask->data[i] = b->mask->data[i] == b->first_day->data[i] ? 0xFF : 0;
    }
}

static void check_state(struct bench *b)
{
    g_autoptr(GByteArray) now = saved(b);

    for (unsigned i = 0; i < MAX(now->len, b->mask->len); i++) {
        if (i >= now->len || i >= b->mask->len || (now->data[i] ^ b->first_day->data[i]) & b->mask->data[i]) {
            g_error("state that no reset undoes, of this or an earlier input (FUZZ_CHECK_ALL=1 tells): byte %u of %u (%u on the first day) is 0x%02x", i, now->len,
                    b->mask->len, i < now->len ? now->data[i] : 0);
        }
    }
}

void bench_check(struct bench *b)
{
    if (!b->mask || (b->inputs++ >= 16 && b->inputs % 1024 && !getenv("FUZZ_CHECK_ALL"))) {
        return;
    }
    if (!rig_is_wiped(b->g)) {
        g_error("guest memory was written and not marked as dirty");
    }
    check_state(b);
}

void bench_fini(struct bench *b)
{
    g_clear_pointer(&b->first_day, g_byte_array_unref);
    g_clear_pointer(&b->mask, g_byte_array_unref);
}
