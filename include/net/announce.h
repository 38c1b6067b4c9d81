/* SPDX-License-Identifier: BSD-2-Clause */
/* net/announce.h - tell switches where a MAC lives now: RARP broadcasts from every NIC (announce-self, end of migration) */
#ifndef NET_ANNOUNCE_H
#define NET_ANNOUNCE_H

#include <stdbool.h>
#include <stdint.h>

enum { ANNOUNCE_LEN = 60 };

/** announce_frame() - an RARP "reverse request" broadcast from @mac (RFC 903), padded */
void announce_frame(const uint8_t mac[6], uint8_t out[ANNOUNCE_LEN]);

struct announce_params {            /* milliseconds; as QMP announce-self */
    int64_t initial, max, rounds, step;
};
/** announce_start() - @interfaces: NIC names, NULL-terminated, or NULL for all; frees itself when the rounds are over */
void announce_start(const struct announce_params *p, const char *const *interfaces);

#endif
