/* SPDX-License-Identifier: BSD-2-Clause */
/* net/backends/dgram_int.h - between dgram_wire.c, dgram_rx.c and dgram_tx.c */
#ifndef NET_BACKENDS_DGRAM_INT_H
#define NET_BACKENDS_DGRAM_INT_H

#include "net/backends/dgram_wire.h"

void dgram_rx_new(struct dgram_wire *w);
void dgram_rx_free(struct dgram_wire *w);
/* One batch from the socket, and to the peer as far as it takes it. */
void dgram_rx_run(struct dgram_wire *w);
/* What was left over; true: nothing is left. */
bool dgram_rx_deliver(struct dgram_wire *w);
/* Forget what was left over. */
void dgram_rx_forget(struct dgram_wire *w);
/* What lies in the socket is of no use any more: the cable was cut when it came. */
void dgram_rx_discard(struct dgram_wire *w);

void dgram_tx_new(struct dgram_wire *w);
void dgram_tx_free(struct dgram_wire *w);
/* As much as the socket takes; false: it is full, and somebody will call again. */
bool dgram_tx_flush(struct dgram_wire *w);
/* The last flush of its life: nobody is told anything. */
void dgram_tx_last(struct dgram_wire *w);
/* Waiting is over. */
void dgram_tx_resume(struct dgram_wire *w);

/* An error number that comes and goes with the network or the peer; the socket works on. */
bool dgram_error_passes(int err);
/* ... and that ICMP brings */
bool dgram_error_is_icmp(int err);
/* The descriptor is useless: stop using it, tell the world. */
void dgram_wire_break(struct dgram_wire *w, int err);
/** dgram_wire_rest() - no reading for a moment */
void dgram_wire_rest(struct dgram_wire *w);

#endif
