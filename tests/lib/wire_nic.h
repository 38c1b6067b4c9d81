/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/lib/wire_nic.h - a NIC without a device on a backend that is given as text, for tests of one wire
 *
 * What arrives is kept (or only counted, beyond keep_max); the NIC says BUSY while full is set. Waiting is for events, 20 seconds at most.
 */
#ifndef TESTS_WIRE_NIC_H
#define TESTS_WIRE_NIC_H

#include "net/client.h"
#include "net/nic.h"
#include <glib.h>

struct wire_nic {
    struct nic *nic;
    struct nic_conf conf;
    struct net_client *net;
    GPtrArray *frames;              /* of GBytes */
    unsigned keep_max, total;
    unsigned wakes;                 /* tx_ready() calls */
    uint32_t caps;
    uint32_t last;                  /* number of the newest numbered frame; each must be newer than the one before */
    bool full, link, numbered;
};

/** wire_nic_open() - backend and NIC; @opts as behind -netdev, without id=. false: *errp is set */
bool wire_nic_open(struct wire_nic *w, const char *opts, Error **errp);
/** wire_nic_open_ok() - must work */
void wire_nic_open_ok(struct wire_nic *w, const char *opts);
/** wire_nic_fails() - the text of the error that @opts ends in; caller frees */
char *wire_nic_fails(const char *opts);
void wire_nic_close(struct wire_nic *w);
/** wire_nic_send() - a frame of @len bytes that carries @seq at byte 14 (when it is long enough) and a pattern */
enum net_tx wire_nic_send(struct wire_nic *w, size_t len, uint32_t seq);
/** wire_nic_send_raw() - these bytes */
enum net_tx wire_nic_send_raw(struct wire_nic *w, const void *p, size_t len);
/** wire_frame() - fill @p as wire_nic_send() does */
void wire_frame(uint8_t *p, size_t len, uint32_t seq);
/** wire_nic_unblock() - full is over */
void wire_nic_unblock(struct wire_nic *w);
/** wire_nic_take() - the oldest kept frame; free with g_bytes_unref */
GBytes *wire_nic_take(struct wire_nic *w);
/** wire_nic_expect() - wait for the next frame: it is the one that wire_frame(len, seq) makes */
void wire_nic_expect(struct wire_nic *w, size_t len, uint32_t seq);
/** wire_nic_drops() - a counter of the backend by name ("wrong-source"); fails for a name that there is not */
uint64_t wire_nic_drops(const struct wire_nic *w, const char *name);

#define WIRE_WAIT_TOTAL(w, n) do { while ((w)->total < (n)) { wire_turn(); } wire_turn_end(); } while (0)
#define WIRE_WAIT(expr) do { while (!(expr)) { wire_turn(); } wire_turn_end(); } while (0)
/** wire_turn() - one round of the main loop, 10 ms at most; aborts the test when 20 s have passed since the last wire_turn_end() */
void wire_turn(void);
void wire_turn_end(void);
/** wire_settle() - until nothing has happened in the main loop for @ms */
void wire_settle(unsigned ms);

#endif
