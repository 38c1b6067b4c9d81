/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/backends/framing.c - frames in a byte stream
 *
 * Invariants: start <= end <= framing_bytes(max). After FRAMING_MORE less than one header and frame is left, so moving it to the front makes
 * room for a whole read.
 */
#include "net/framing.h"
#include <string.h>

void framing_init(struct framing *p, uint8_t *buf, uint32_t min, uint32_t max)
{
    *p = (struct framing){ .buf = buf, .min = min, .max = max };
}

void framing_reset(struct framing *p)
{
    p->start = p->end = 0;
}

uint8_t *framing_room(struct framing *p, size_t *room)
{
    if (p->start) {
        memmove(p->buf, p->buf + p->start, p->end - p->start);
        p->end -= p->start;
        p->start = 0;
    }
    *room = framing_bytes(p->max) - p->end;
    return p->buf + p->end;
}

void framing_filled(struct framing *p, size_t n)
{
    size_t room = framing_bytes(p->max) - p->end;

    p->end += n < room ? n : room;
}

enum framing_status framing_peek(struct framing *p, const uint8_t **frame, size_t *len)
{
    while (p->end - p->start >= FRAMING_HEADER) {
        uint32_t n = ld_be32(p->buf + p->start);

        *len = n;
        if (n > p->max) {
            return FRAMING_TOO_LONG;
        }
        if (p->end - p->start - FRAMING_HEADER < n) {
            return FRAMING_MORE;
        }
        if (n >= p->min) {
            *frame = p->buf + p->start + FRAMING_HEADER;
            return FRAMING_FRAME;
        }
        p->start += FRAMING_HEADER + n;
        p->short_frames++;
    }
    return FRAMING_MORE;
}

void framing_take(struct framing *p)
{
    p->start += FRAMING_HEADER + ld_be32(p->buf + p->start);
}
