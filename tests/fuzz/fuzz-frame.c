/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/fuzz/fuzz-frame.c - hostile frames with hostile offload requests through parser, checksums, segmentation, hash and coalescing
 *
 * Input: 16 bytes of request (flags, GSO kind and size, offsets, receiver's caps), then the frame. The bytes are split in pieces as the
 * request says. Whatever comes out is bounded and complete: no frame over FRAME_MAX, no more pieces than allowed, all payload there.
 */
#include "lib/bits.h"
#include "lib/bytes.h"
#include "net/caps.h"
#include "net/offload/coalesce.h"
#include "net/offload/csum.h"
#include "net/offload/segment.h"
#include "net/offload/toeplitz.h"
#include "net/offload/vlan.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void promise(bool kept)
{
    if (!kept) {
        abort();
    }
}

struct sink {
    unsigned frames;
    uint32_t caps;
    uint8_t *buf;
};

static bool emit(void *opaque, const struct frame *f)
{
    struct sink *s = opaque;

    s->frames++;
    promise(f->len <= FRAME_MAX && f->iovcnt <= FRAME_IOV_MAX);
    promise(!(caps_needed(&f->meta) & ~s->caps));
    promise(frame_copy_out(f, 0, s->buf, FRAME_MAX) == f->len);
    promise(!(f->meta.flags & PKT_NEEDS_CSUM) || (size_t)f->meta.csum_start + f->meta.csum_off + 2 <= f->len);
    return true;
}

static void merged(void *opaque, const uint8_t *frame, size_t len, unsigned segs, uint16_t mss, bool ip6, uint16_t l4_off)
{
    promise(len <= FRAME_MAX && (segs < 2 || (mss && l4_off < len)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t key[TOEPLITZ_KEY_LEN] = { 0x6d, 0x5a };
    struct sink s = { .buf = NULL };
    uint8_t in[RSS_INPUT_MAX], *exact;
    struct coalesce c;
    struct pkt_layout l;
    struct frame f;
    struct iovec one;
    uint16_t tci;
    size_t n, step;

    if (size < 16) {
        return 0;
    }
    n = size - 16;
    exact = malloc(n ? n : 1);
    memcpy(exact, data + 16, n);
    s.buf = malloc(FRAME_MAX);
    pkt_parse(exact, n, n, &l);
    promise(l.payload_off <= n && l.l3_end <= n);
    one = (struct iovec){ exact, n };
    if (l.l3 == PKT_L3_IP4) {
        csum_check_ip4(exact, &l);
    }
    csum_check_l4(&one, 1, exact, &l);
    if (rss_input(exact, &l, data[15], in, &n)) {
        toeplitz_hash(key, in, n);
    }
    n = size - 16;
    vlan_get(exact, n, 0x8100, &tci);
    coalesce_init(&c, merged, NULL);
    coalesce_add(&c, exact, n);
    coalesce_add(&c, exact, n);
    coalesce_flush(&c);
    coalesce_fini(&c);

    frame_init(&f);
    step = data[14] ? data[14] : 1;
    for (size_t i = 0; i < n; i += step) {
        frame_append(&f, exact + i, n - i < step ? n - i : step);
    }
    f.meta = (struct pkt_meta){
        .flags = data[0] & 0x3F, .gso = data[1] & 7, .gso_size = ld_le16(data + 2), .hdr_len = ld_le16(data + 4),
        .csum_start = ld_le16(data + 6), .csum_off = ld_le16(data + 8), .vlan_tci = ld_le16(data + 10),
    };
    if (data[0] & 0x40) {                               /* what a good driver asks */
        f.meta.csum_start = l.l4_off;
        f.meta.csum_off = l.l4 == PKT_L4_UDP ? 6 : 16;
        f.meta.gso = l.l4 == PKT_L4_UDP ? data[1] & 8 ? PKT_GSO_UFO : PKT_GSO_UDP : l.l3 == PKT_L3_IP6 ? PKT_GSO_TCP6 : PKT_GSO_TCP4;
    }
    s.caps = data[12] & PKT_CAP_ALL;
    caps_adapt(&f, s.caps, emit, &s);
    promise(s.frames <= SEG_PIECES_MAX);
    free(s.buf);
    free(exact);
    return 0;
}
