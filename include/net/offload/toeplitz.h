/* SPDX-License-Identifier: BSD-2-Clause */
/* net/offload/toeplitz.h - the receive-side scaling hash, and which fields of a packet go into it ("Verifying the RSS hash calculation") */
#ifndef NET_OFFLOAD_TOEPLITZ_H
#define NET_OFFLOAD_TOEPLITZ_H

#include "net/offload/parse.h"

enum { TOEPLITZ_KEY_LEN = 40, RSS_INPUT_MAX = 36 };

/** toeplitz_hash() - @len up to RSS_INPUT_MAX bytes under a 40-byte key */
uint32_t toeplitz_hash(const uint8_t key[TOEPLITZ_KEY_LEN], const uint8_t *data, size_t len);

enum {                              /* RSS hash types (bits), numbered as virtio 5.1.6.4.3 numbers them */
    RSS_IP4 = 1 << 0, RSS_TCP4 = 1 << 1, RSS_UDP4 = 1 << 2,
    RSS_IP6 = 1 << 3, RSS_TCP6 = 1 << 4, RSS_UDP6 = 1 << 5,
    RSS_IP6_EX = 1 << 6, RSS_TCP6_EX = 1 << 7, RSS_UDP6_EX = 1 << 8,    /* only for packets with extension headers; they go first there */
    RSS_TYPES = (1 << 9) - 1,
};
/**
 * rss_input() - collect the hash input of a packet
 * @types: those the guest asked for
 * Return: the one type that applies (addresses and ports before addresses alone), 0: none; *len bytes are in @out
 */
unsigned rss_input(const uint8_t *hdr, const struct pkt_layout *l, unsigned types, uint8_t out[RSS_INPUT_MAX], size_t *len);

#endif
