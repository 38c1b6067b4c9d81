/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/backends/tcp_conn.h - one TCP connection with the guest (RFC 9293), and nothing else
 *
 * Segments go in, frames and the guest's bytes come out through struct tcp_conn_ops; the host's bytes are put into conn.tx, where they stay until
 * the guest has acknowledged them. No sockets, no clock: whoever owns it gives the time, and keeps a timer for conn.deadline_ns.
 *
 * Nothing is sent by tcp_conn_input() but resets: it notes what is owed, and tcp_conn_output() sends it, once for all that came in a batch.
 *
 * Left out, because the wire is virtual, short and keeps order: selective acknowledgement, time stamps, ECN, delayed acknowledgements (a batch has
 * one), the Nagle algorithm, a queue for what comes out of order (RFC 9293 3.10.7.4 permits to drop it). See docs/devel/user-tcp.rst.
 */
#ifndef NET_BACKENDS_TCP_CONN_H
#define NET_BACKENDS_TCP_CONN_H

#include "net/backends/tcp_ring.h"
#include "net/backends/tcp_wire.h"

enum tcp_state {                        /* RFC 9293 3.3.2, without LISTEN */
    TCPS_CLOSED, TCPS_SYN_SENT, TCPS_SYN_RECEIVED, TCPS_ESTABLISHED, TCPS_CLOSE_WAIT, TCPS_FIN_WAIT_1, TCPS_CLOSING, TCPS_LAST_ACK, TCPS_FIN_WAIT_2,
    TCPS_TIME_WAIT,
    TCPS_STATES,
};
const char *tcp_state_name(enum tcp_state s);

/* Why it is closed. */
enum tcp_end { TCP_END_NONE, TCP_END_DONE, TCP_END_RESET, TCP_END_TIMEOUT };    /* RESET: by the guest */

enum {
    TCP_TX_MAX = 1024 * 1024,           /* bytes that wait for the guest's acknowledgement */
    TCP_RX_MAX = 1024 * 1024,           /* bytes that wait for the host: the largest window */
    TCP_WSCALE = 5,                     /* so that the window fits its 16 bits */
    TCP_MSS_MIN = 64,                   /* smaller ones that a guest asks for would be work without bound */
    TCP_RETRIES = 15, TCP_SYN_RETRIES = 6, TCP_KEEP_PROBES = 9,
};
#define TCP_RTO_MIN_NS    200000000LL
#define TCP_RTO_FIRST_NS  1000000000LL  /* RFC 6298 2.1 */
#define TCP_RTO_MAX_NS    60000000000LL
#define TCP_TIME_WAIT_NS  2000000000LL
#define TCP_KEEP_NS       7200000000000LL   /* RFC 9293 3.8.4: two hours */
#define TCP_KEEP_HALF_NS  60000000000LL     /* in FIN-WAIT-2: is the guest still there? */
#define TCP_KEEP_STEP_NS  75000000000LL

struct tcp_conn;
struct tcp_conn_ops {
    /* A frame to the guest, not kept; false: not now. tcp_conn_output() is to be called again then. */
    bool (*emit)(struct tcp_conn *c, const struct frame *f);
    /* A reset, also from inside tcp_conn_input(): at once, or lost. */
    void (*emit_now)(struct tcp_conn *c, const struct frame *f);
    /* Bytes [skip, skip + len) of the segment's payload are the next in order; Return: how many are taken. */
    size_t (*deliver)(struct tcp_conn *c, const struct tcp_seg *s, size_t skip, size_t len);
    /* Bytes that deliver() would take now: the window. */
    size_t (*room)(struct tcp_conn *c);
};

struct tcp_conn {
    const struct tcp_conn_ops *ops;
    struct tcp_key key;
    uint8_t guest_mac[6], our_mac[6];
    uint8_t state;                      /* enum tcp_state */
    uint8_t end;                        /* enum tcp_end */
    bool held;                          /* SYN-RECEIVED: the SYN is not answered until tcp_conn_accept() */
    bool eof;                           /* no more bytes come into tx: a FIN follows them */
    bool guest_eof;                     /* the guest's FIN has come, all its bytes were delivered */
    bool ack_owed;                      /* tcp_conn_output() has to send one, if nothing else carries it */
    bool timing;                        /* an RTT sample is being taken */
    bool recovering;                    /* fast recovery, RFC 6582 */
    bool resend;                        /* the segment at snd_una is to go again */
    bool probe;                         /* a window or keep-alive probe is due */
    bool scale;                         /* both ends do window scaling */
    int8_t snd_scale;                   /* the guest's shift */
    uint16_t mss, ip_id;
    uint8_t dup_acks;                   /* in a row */
    uint8_t dup_owed;                   /* acknowledgements of out-of-order segments, beyond the one of ack_owed */
    uint8_t retries;
    /* send, RFC 9293 3.3.1 */
    uint32_t iss, snd_una, snd_nxt, snd_max, snd_wnd, snd_wl1, snd_wl2, max_wnd;
    uint32_t cwnd, ssthresh, recover, acked;
    struct tcp_ring tx;                 /* its first byte has sequence number snd_una (before the SYN is acknowledged: iss + 1) */
    /* receive */
    uint32_t irs, rcv_nxt, rcv_adv;     /* adv: the right edge of the window that the guest knows */
    /* time */
    int64_t srtt_ns, rttvar_ns, rto_ns, rtt_start_ns, heard_ns;
    uint32_t rtt_seq;
    int64_t rtx_ns;                     /* retransmission or persist, -1: neither */
    int64_t deadline_ns;                /* when tcp_conn_timer() is to be called, -1: never */
};

/** tcp_conn_init() - @c is zeroed but for tx.budget; addresses and MACs are filled in */
void tcp_conn_init(struct tcp_conn *c, const struct tcp_conn_ops *ops, uint32_t iss, int64_t now_ns);
/** tcp_conn_fini() - the memory goes */
void tcp_conn_fini(struct tcp_conn *c);

/** tcp_conn_passive() - the guest's SYN @s: SYN-RECEIVED, not answered before tcp_conn_accept() */
void tcp_conn_passive(struct tcp_conn *c, const struct tcp_seg *s);
void tcp_conn_accept(struct tcp_conn *c);
/** tcp_conn_active() - SYN-SENT: tcp_conn_output() sends a SYN */
void tcp_conn_active(struct tcp_conn *c);
/** tcp_conn_again() - the SYN could not arrive before, but now it can: tcp_conn_output() sends it again */
void tcp_conn_again(struct tcp_conn *c);

/** tcp_conn_input() - a segment of this connection whose checksum is right */
void tcp_conn_input(struct tcp_conn *c, const struct tcp_seg *s, int64_t now_ns);
/**
 * tcp_conn_output() - send what is owed and what the windows permit, up to about @budget bytes
 * Return: there is more to send now: the budget is used up, or emit() said no
 */
bool tcp_conn_output(struct tcp_conn *c, size_t budget, int64_t now_ns);
/** tcp_conn_timer() - at deadline_ns, or at any other time; tcp_conn_output() is due afterwards */
void tcp_conn_timer(struct tcp_conn *c, int64_t now_ns);
/** tcp_conn_eof() - the host sends no more; what is in tx goes first */
void tcp_conn_eof(struct tcp_conn *c);
/** tcp_conn_abort() - RST to the guest, closed (RFC 9293 3.10.5) */
void tcp_conn_abort(struct tcp_conn *c);
/** tcp_conn_may_read() - is there any use in bytes from the host? */
static inline bool tcp_conn_may_read(const struct tcp_conn *c)
{
    return (c->state == TCPS_ESTABLISHED || c->state == TCPS_CLOSE_WAIT) && !c->eof;
}
/** tcp_conn_can_grow() - everything in tx is on its way, and the guest would take more */
static inline bool tcp_conn_can_grow(const struct tcp_conn *c)
{
    uint32_t flight = c->snd_nxt - c->snd_una;

    return flight >= c->tx.len && flight < c->snd_wnd && flight < c->cwnd;
}

/* tcp_conn_out.c, for tcp_conn.c */
void tcp_conn_close(struct tcp_conn *c, enum tcp_end why);
void tcp_conn_reset_reply(struct tcp_conn *c, uint32_t seq);
void tcp_conn_deadline(struct tcp_conn *c, int64_t now_ns);

#endif
