/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/framing.h - frames in a byte stream: each behind its length, 4 bytes big-endian
 *
 *      +---------------+---------------- - - ------+---------------+--- -
 *      | length 31..0  | that many bytes           | length 31..0  |
 *      +---------------+---------------- - - ------+---------------+--- -
 *
 * Spoken by -netdev socket (TCP), -netdev stream, filter-mirror and passt. No I/O in here: the owner reads into framing_room(), then takes
 * frame after frame, where they lie. Memory is one frame and one large read, whatever comes in.
 *
 * A length above @max: the stream cannot be trusted any more, so that is said as soon as the four bytes are there (FRAMING_TOO_LONG), and said
 * again until framing_reset(). A length below @min: that frame is skipped and counted, the stream goes on.
 */
#ifndef NET_FRAMING_H
#define NET_FRAMING_H

#include "lib/bytes.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FRAMING_HEADER = 4,
    FRAMING_MAX    = 69632,             /* longest frame that other emulators send or take: 68 KiB */
    FRAMING_READ   = 65536,             /* what framing_room() offers at least, between frames */
};

enum framing_status {
    FRAMING_MORE,                       /* no whole frame there: read */
    FRAMING_FRAME,
    FRAMING_TOO_LONG,                   /* give up this stream */
};

/* All fields are read-only for the owner. */
struct framing {
    uint8_t *buf;                       /* owner's; framing_bytes(max) */
    uint32_t min, max;
    size_t start, end;                  /* what is in the buffer and not yet taken */
    uint64_t short_frames;              /* skipped */
};

/** framing_bytes() - size of the buffer for frames of up to @max bytes */
static inline size_t framing_bytes(uint32_t max)
{
    return FRAMING_HEADER + (size_t)max + FRAMING_READ;
}

/** framing_init() - @buf is borrowed until the last call */
void framing_init(struct framing *p, uint8_t *buf, uint32_t min, uint32_t max);
/** framing_reset() - forget half a frame: a new stream begins */
void framing_reset(struct framing *p);

/**
 * framing_room() - where to read to
 * @room: how much; at least FRAMING_READ after FRAMING_MORE
 * Frames seen before are no longer there. Then framing_filled().
 */
uint8_t *framing_room(struct framing *p, size_t *room);
/** framing_filled() - @n bytes, at most the room, have been put there */
void framing_filled(struct framing *p, size_t n);

/**
 * framing_peek() - the next frame, which stays; or, with FRAMING_TOO_LONG, its announced length in *len
 * The pointer is good until framing_room() or framing_reset().
 */
enum framing_status framing_peek(struct framing *p, const uint8_t **frame, size_t *len);
/** framing_take() - the frame that framing_peek() has shown is done with */
void framing_take(struct framing *p);

/** framing_put_header() - what goes in front of a frame of @len bytes */
static inline void framing_put_header(uint8_t out[FRAMING_HEADER], uint32_t len)
{
    st_be32(out, len);
}

#endif
