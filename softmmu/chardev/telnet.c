/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * softmmu/chardev/telnet.c - telnet, receiving side
 *
 * Options are announced once (telnet_greeting) and answers are skipped, so no negotiation loop can start. A
 * subnegotiation is skipped to its IAC SE. CR NUL and CR LF from clients that are not in binary mode become CR.
 */
#include "telnet.h"
#include <glib.h>

enum { SE = 240, BREAK = 243, IP = 244, SB = 250, WILL = 251, DONT = 254 };
enum state { DATA, GOT_IAC, GOT_VERB, IN_SB, IN_SB_IAC };

struct telnet {
    enum state state;
    bool got_cr;
};

const uint8_t telnet_greeting[TELNET_GREETING_LEN] = {
    0xFF, 0xFB, 0x01, 0xFF, 0xFB, 0x03, 0xFF, 0xFB, 0x00, 0xFF, 0xFD, 0x00,
};

struct telnet *telnet_new(void)
{
    return g_new0(struct telnet, 1);
}

void telnet_free(struct telnet *t)
{
    g_free(t);
}

void telnet_reset(struct telnet *t)
{
    *t = (struct telnet){ 0 };
}

/* false: the byte is part of the protocol */
static bool step(struct telnet *t, uint8_t b, bool *brk)
{
    switch (t->state) {
    case DATA:
        if (b == TELNET_IAC) {
            t->state = GOT_IAC;
            return false;
        }
        if (t->got_cr && (b == '\n' || b == '\0')) {
            t->got_cr = false;
            return false;
        }
        t->got_cr = b == '\r';
        return true;
    case GOT_IAC:
        t->state = b == SB ? IN_SB : b >= WILL && b <= DONT ? GOT_VERB : DATA;
        *brk |= b == BREAK || b == IP;
        return b == TELNET_IAC;
    case GOT_VERB:
        t->state = DATA;
        return false;
    case IN_SB:
        t->state = b == TELNET_IAC ? IN_SB_IAC : IN_SB;
        return false;
    case IN_SB_IAC:
        t->state = b == SE ? DATA : IN_SB;
        return false;
    }
    return false;
}

size_t telnet_decode(struct telnet *t, uint8_t *buf, size_t len, bool *brk)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        if (step(t, buf[i], brk)) {
            buf[n++] = buf[i];
        }
    }
    return n;
}
