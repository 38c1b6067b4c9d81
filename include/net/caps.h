/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/caps.h - what a frame needs and what its receiver takes; the difference is done in software, once
 *
 * A sender never asks what the peer can do: it describes the frame (struct pkt_meta) and sends. Between the two, caps_adapt() finishes
 * checksums, puts tags in and cuts large frames, exactly as far as the receiver's PKT_CAP_* do not cover.
 */
#ifndef NET_CAPS_H
#define NET_CAPS_H

#include "net/frame.h"

enum {
    PKT_CAP_CSUM = 1 << 0,          /* takes PKT_NEEDS_CSUM */
    PKT_CAP_TSO4 = 1 << 1,          /* takes PKT_GSO_TCP4, whole (implies CSUM) */
    PKT_CAP_TSO6 = 1 << 2,
    PKT_CAP_USO  = 1 << 3,          /* takes PKT_GSO_UDP */
    PKT_CAP_ECN  = 1 << 4,          /* takes GSO frames with PKT_ECN */
    PKT_CAP_VLAN = 1 << 5,          /* takes the tag beside the frame (PKT_VLAN) */
    PKT_CAP_UFO  = 1 << 6,          /* takes PKT_GSO_UFO */
    PKT_CAP_ALL  = (1 << 7) - 1,
};

/** caps_needed() - the PKT_CAP_* that a receiver must have to take a frame with this meta as it is */
uint32_t caps_needed(const struct pkt_meta *m);

enum caps_result {
    CAPS_OK,
    CAPS_BAD_META,                  /* the meta contradicts the frame (guest's fault): drop */
    CAPS_STOPPED,                   /* emit() returned false */
};

/** caps_emit_fn - takes one finished frame, which is valid during the call only; false: stop */
typedef bool caps_emit_fn(void *opaque, const struct frame *f);

/**
 * caps_adapt() - hand @f to @emit as one or more frames that a receiver with @caps takes
 *
 * A large frame that the receiver takes whole is normalised on the way: IP length and checksum right, L4 checksum field
 * holding the pseudo header's sum, csum_start, csum_off and hdr_len exact.
 */
enum caps_result caps_adapt(const struct frame *f, uint32_t caps, caps_emit_fn *emit, void *opaque);

#endif
