/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/offload/coalesce.h - consecutive TCP segments of a flow become one large frame (receive side)
 *
 * Only what can be undone exactly is merged: same headers but for length, IPv4 id, sequence, ack, window and PSH; contiguous sequence;
 * equal sizes but for a smaller last one; no other flag, no IP options, no fragments. Frames of a flow leave in their order. Checksums are
 * trusted: feed only frames whose sender is (the user-mode stack).
 */
#ifndef NET_OFFLOAD_COALESCE_H
#define NET_OFFLOAD_COALESCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { COALESCE_FLOWS = 4, COALESCE_BYTES = 65000 };

/* @segs > 1: a large frame with segment size @mss and its checksum open (pseudo header's sum stored), TCP header at @l4_off */
typedef void coalesce_emit_fn(void *opaque, const uint8_t *frame, size_t len, unsigned segs, uint16_t mss, bool ip6, uint16_t l4_off);

struct coalesce_flow {
    uint8_t *buf;                   /* COALESCE_BYTES, made when first used */
    size_t len;                     /* 0: free */
    uint16_t l3_off, l4_off, payload_off;
    uint16_t mss;
    unsigned segs;
    uint32_t next_seq;
    bool ip6, closed;               /* closed: a short or pushed segment ended it */
};

struct coalesce {
    coalesce_emit_fn *emit;
    void *opaque;
    struct coalesce_flow flow[COALESCE_FLOWS];
    unsigned victim;
};

void coalesce_init(struct coalesce *c, coalesce_emit_fn *emit, void *opaque);
/** coalesce_add() - take a frame (copied); it comes out now or at the flush, never before older ones of its flow */
void coalesce_add(struct coalesce *c, const uint8_t *frame, size_t len);
/** coalesce_flush() - emit all that is held */
void coalesce_flush(struct coalesce *c);
/** coalesce_fini() - forget all that is held */
void coalesce_fini(struct coalesce *c);

#endif
