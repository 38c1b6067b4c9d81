/* SPDX-License-Identifier: BSD-2-Clause */
/* softmmu/chardev/telnet.h - the little of RFC 854 that terminal programs need: character mode, break, doubled 0xFF */
#ifndef CHARDEV_TELNET_H
#define CHARDEV_TELNET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TELNET_IAC 0xFF
#define TELNET_GREETING_LEN 12

/* What clients look for at once: WILL ECHO, WILL SUPPRESS-GO-AHEAD, WILL BINARY, DO BINARY */
extern const uint8_t telnet_greeting[TELNET_GREETING_LEN];

struct telnet;
struct telnet *telnet_new(void);
void telnet_free(struct telnet *t);
void telnet_reset(struct telnet *t);
/** telnet_decode() - take the protocol out of @buf in place; *brk: a break was in it; Return: bytes left */
size_t telnet_decode(struct telnet *t, uint8_t *buf, size_t len, bool *brk);

#endif
