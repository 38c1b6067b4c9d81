/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/fuzz/fuzz-airlock.c - guest frames into the airlock: nothing crashes, and what passes keeps the promises the stack relies on
 *
 * Input: records { control, length, bytes }. Control bits spare the fuzzer what it cannot guess: MAC and EtherType, lengths that add up, a
 * source address in the network; it is still free to break each of them.
 */
#include "lib/bits.h"
#include "lib/bytes.h"
#include "net/backends/airlock.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FIX_L2 = 1, SIX = 2, ARP = 4, FIX_LEN = 8, FIX_ADDR = 16, TO_US = 32, FRAGMENT = 64, LATER = 128 };

static void promise(bool kept)
{
    if (!kept) {
        abort();
    }
}

static void fix(uint8_t *f, size_t len, uint8_t ctl)
{
    static const uint8_t dst[6] = { 0x52, 0x55, 10, 0, 2, 2 };

    if (!(ctl & FIX_L2) || len < 60) {
        return;
    }
    memcpy(f, dst, 6);
    st_be16(f + 12, ctl & ARP ? 0x0806 : ctl & SIX ? 0x86DD : 0x0800);
    if (ctl & ARP) {
        return;
    }
    if (ctl & SIX) {
        f[14] = 0x60;
        f[20] = (uint8_t[]){ 6, 17, 58, f[20] }[f[20] & 3];
        if (ctl & FIX_LEN) {
            st_be16(f + 18, (uint16_t)(len - 54));
        }
        if (ctl & FIX_ADDR) {
            memset(f + 22, 0, 15);
            f[22] = 0xFE;
            f[23] = 0xC0;
        }
        return;
    }
    f[14] = (uint8_t)(0x40 | (f[14] & 15));
    f[14] |= f[14] & 8 ? 0 : 5;
    f[23] = (uint8_t[]){ 1, 6, 17, f[23] }[f[23] & 3];
    if (ctl & FIX_LEN) {
        st_be16(f + 16, (uint16_t)(len - 14));
    }
    if (ctl & FIX_ADDR) {
        memcpy(f + 26, (uint8_t[]){ 10, 0, 2, 15 }, 4);
    }
    if (ctl & TO_US) {
        memcpy(f + 30, (uint8_t[]){ 10, 0, 2, 2 }, 4);
    }
    f[20] &= ctl & FRAGMENT ? 0x3F : 0;
    f[21] = ctl & FRAGMENT ? f[21] : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct airlock_cfg cfg = {
        .tftp = true, .net4 = { 10, 0, 2, 0 }, .mask4 = { 255, 255, 255, 0 }, .host4 = { 10, 0, 2, 2 }, .dns4 = { 10, 0, 2, 3 },
        .host6 = { 0xFE, 0xC0, [15] = 2 }, .dns6 = { 0xFE, 0xC0, [15] = 3 },
    };
    int64_t now = 1;
    struct airlock a;

    airlock_init(&a, &cfg);
    while (size >= 2) {
        uint8_t ctl = data[0], *exact, *frame;
        size_t len = data[1] * 2u, given;
        struct pkt_layout l;

        data += 2;
        size -= 2;
        len = len > size ? size : len;
        given = len;
        exact = frame = malloc(len ? len : 1);          /* ends where the frame ends */
        memcpy(exact, data, len);
        fix(exact, len, ctl);
        data += len;
        size -= len;
        now += ctl & LATER ? AIR_FRAG_NS / 3 : 1000;
        if (airlock_check(&a, now, &frame, &len) == AIRLOCK_PASS) {
            promise(frame != exact || len <= given);
            pkt_parse(frame, len, len, &l);
            promise(l.vlans == 0);
            promise(l.ethertype == ETHERTYPE_ARP ? len >= 42 : l.l3 != PKT_L3_NONE && l.l3_len_ok && l.l3_end == len && !l.fragment);
            promise(l.l4 != PKT_L4_TCP || !(frame[l.l4_off + 13] & 0x20));
            promise(l.ethertype == ETHERTYPE_ARP || l.proto != IPPROTO_NR_UDP ||
                    (ld_be16(frame + l.l4_off + 4) >= 8 && ld_be16(frame + l.l4_off + 4) <= len - l.l4_off));
        }
        promise(a.frag_bytes <= AIR_FRAG_BYTES);
        free(exact);
    }
    airlock_fini(&a);
    return 0;
}
