/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/backends/tcp_conn_out.c - what a connection sends, and when it does so unasked
 *
 * Bytes [snd_una, snd_una + tx.len) are in the ring, [snd_una, snd_nxt) of them on their way; a FIN follows the last one. After a time-out
 * snd_nxt goes back to snd_una and everything is sent again from there, as far as the congestion window permits; snd_max is the most that was
 * ever sent. Frames are as large as an IP datagram can be, in whole segments: net/caps.c cuts them for a NIC that wants them small.
 *
 * One timer does retransmission (RFC 6298 5) while something is on its way, and window probes (RFC 9293 3.8.6.1) while nothing is and something
 * wants to be.
 */
#include "net/backends/tcp_conn.h"
#include <glib.h>

#define PAYLOAD_MAX 65475u                  /* what an IP datagram can carry, in IPv4 and IPv6 */

void tcp_conn_close(struct tcp_conn *c, enum tcp_end why)
{
    c->state = TCPS_CLOSED;
    c->end = why;
    c->held = false;
    c->rtx_ns = c->deadline_ns = -1;
}

/* --- segments ---------------------------------------------------------------------------------------------------- */

/* The window field. Its right edge never moves back, and forward only by a good piece (RFC 9293 3.8.6.2.2). */
static uint16_t window(struct tcp_conn *c, bool syn)
{
    unsigned shift = c->scale && !syn ? TCP_WSCALE : 0;
    uint32_t known = c->rcv_adv - c->rcv_nxt, room = c->guest_eof ? known : (uint32_t)c->ops->room(c);

    room = MIN(room, TCP_RX_MAX);
    if (room < known || room - known < c->mss) {
        room = known;
    }
    room = MIN(room >> shift, 65535u);
    if ((room << shift) > known) {
        c->rcv_adv = c->rcv_nxt + (room << shift);
    }
    return (uint16_t)room;
}

static bool send(struct tcp_conn *c, uint32_t seq, uint32_t off, uint32_t len, uint8_t flags)
{
    struct tcp_out o = { .seq = seq, .ack = c->rcv_nxt, .payload = len, .flags = flags | TCP_ACK, .wscale = TCP_WSCALE_NONE };
    uint8_t hdr[TCP_HEADER_ROOM];
    struct iovec iov[2];
    unsigned n = tcp_ring_peek(&c->tx, off, len, iov);
    struct frame f;

    o.wnd = window(c, false);
    o.ip_id = c->ip_id;
    if (!frame_from_buf(&f, hdr, tcp_wire_header(hdr, c->guest_mac, c->our_mac, &c->key, &o))) {
        return false;
    }
    for (unsigned i = 0; i < n; i++) {
        if (!frame_append(&f, iov[i].iov_base, iov[i].iov_len)) {
            return false;
        }
    }
    tcp_wire_meta(&f.meta, &c->key, &o, c->mss);
    if (!c->ops->emit(c, &f)) {
        return false;
    }
    c->ip_id += (uint16_t)(1 + len / c->mss);
    c->ack_owed = false;
    return true;
}

static bool send_syn(struct tcp_conn *c)
{
    struct tcp_out o = {
        .seq = c->iss, .flags = TCP_SYN, .mss = (uint16_t)(1500 - TCP_HLEN - (c->key.six ? 40 : 20)), .ip_id = c->ip_id++,
        .wscale = c->state == TCPS_SYN_SENT || c->scale ? TCP_WSCALE : TCP_WSCALE_NONE,
    };
    uint8_t hdr[TCP_HEADER_ROOM];
    struct frame f;
    size_t len;

    if (c->state == TCPS_SYN_RECEIVED) {
        o.flags |= TCP_ACK;
        o.ack = c->rcv_nxt;
        o.wnd = window(c, true);
    } else {
        size_t room = c->ops->room(c);

        o.wnd = (uint16_t)MIN(room, 65535);
    }
    len = tcp_wire_header(hdr, c->guest_mac, c->our_mac, &c->key, &o);
    tcp_wire_finish(hdr, len, &c->key);
    frame_from_buf(&f, hdr, len);
    f.meta.flags = PKT_CSUM_VALID;
    return c->ops->emit(c, &f);
}

static void send_reset(struct tcp_conn *c, uint32_t seq, bool ack)
{
    struct tcp_out o = { .seq = seq, .flags = TCP_RST | (ack ? TCP_ACK : 0), .ack = ack ? c->rcv_nxt : 0, .wscale = TCP_WSCALE_NONE };
    uint8_t hdr[TCP_HEADER_ROOM];
    struct frame f;
    size_t len;

    len = tcp_wire_header(hdr, c->guest_mac, c->our_mac, &c->key, &o);
    tcp_wire_finish(hdr, len, &c->key);
    frame_from_buf(&f, hdr, len);
    f.meta.flags = PKT_CSUM_VALID;
    c->ops->emit_now(c, &f);
}

void tcp_conn_reset_reply(struct tcp_conn *c, uint32_t seq)
{
    send_reset(c, seq, false);
}

void tcp_conn_abort(struct tcp_conn *c)
{
    if (c->state == TCPS_CLOSED) {
        return;
    }
    if (c->state == TCPS_SYN_SENT) {
        if (c->snd_max != c->iss) {
            send_reset(c, c->snd_max, false);
        }
    } else if (c->state != TCPS_TIME_WAIT) {
        send_reset(c, c->held ? 0 : c->snd_nxt, true);      /* held: nothing of ours is known to the guest yet */
    }
    tcp_conn_close(c, TCP_END_DONE);
}

void tcp_conn_eof(struct tcp_conn *c)
{
    c->eof = true;
}

/* --- output -------------------------------------------------------------------------------------------------------- */

static void sent(struct tcp_conn *c, uint32_t n, int64_t now_ns)
{
    if (!c->timing && c->snd_nxt == c->snd_max) {           /* never of what is sent again (Karn, RFC 6298 3) */
        c->timing = true;
        c->rtt_seq = c->snd_nxt;
        c->rtt_start_ns = now_ns;
    }
    c->snd_nxt += n;
    if (seq_lt(c->snd_max, c->snd_nxt)) {
        c->snd_max = c->snd_nxt;
    }
    if (c->rtx_ns < 0) {
        c->rtx_ns = now_ns + c->rto_ns;
    }
}

static bool output_syn(struct tcp_conn *c, int64_t now_ns)
{
    if (c->snd_nxt != c->iss) {
        return false;
    }
    if (!send_syn(c)) {
        return true;
    }
    c->snd_nxt = c->snd_max = c->iss + 1;
    c->rtx_ns = now_ns + c->rto_ns;
    return false;
}

/* Some state after the handshake in which we may send data. */
static bool may_send(const struct tcp_conn *c)
{
    return c->state >= TCPS_ESTABLISHED && c->state <= TCPS_LAST_ACK;
}

static void fin_sent(struct tcp_conn *c)
{
    if (c->state == TCPS_ESTABLISHED) {
        c->state = TCPS_FIN_WAIT_1;
    } else if (c->state == TCPS_CLOSE_WAIT) {
        c->state = TCPS_LAST_ACK;
    }
}

/* What is left: bytes that were not sent (or have to be sent again), and whether a FIN is */
static uint32_t unsent(const struct tcp_conn *c, bool *fin)
{
    uint32_t flight = c->snd_nxt - c->snd_una;

    *fin = c->eof && flight <= c->tx.len;
    return flight < c->tx.len ? (uint32_t)c->tx.len - flight : 0;
}

/* How much of @left may go now: RFC 9293 3.8.6.2.1, without Nagle's part */
static uint32_t permitted(const struct tcp_conn *c, uint32_t left, uint32_t *usable)
{
    uint32_t flight = c->snd_nxt - c->snd_una, wnd = MIN(c->snd_wnd, c->cwnd), max = PAYLOAD_MAX / c->mss * (uint32_t)c->mss, n;

    *usable = wnd > flight ? wnd - flight : 0;
    n = MIN(MIN(left, *usable), max);
    if (n == left) {
        return n;
    }
    if (n >= c->mss) {
        return n - n % c->mss;
    }
    return n >= c->max_wnd / 2 ? n : 0;
}

/* Return: more could go now */
static bool output_data(struct tcp_conn *c, size_t budget, int64_t now_ns)
{
    for (size_t done = 0; may_send(c);) {
        bool fin;
        uint32_t left = unsent(c, &fin), usable, n = permitted(c, left, &usable);

        fin = fin && n == left && usable > n;
        if (!n && !fin) {
            if ((left || (c->eof && c->snd_nxt - c->snd_una <= c->tx.len)) && c->snd_nxt == c->snd_una && c->rtx_ns < 0) {
                c->rtx_ns = now_ns + c->rto_ns;             /* the window is closed: probe it */
            }
            return false;
        }
        if (done >= budget ||
            !send(c, c->snd_nxt, c->snd_nxt - c->snd_una, n, (uint8_t)((n && n == left ? TCP_PSH : 0) | (fin ? TCP_FIN : 0)))) {
            return true;
        }
        sent(c, n + fin, now_ns);
        if (fin) {
            fin_sent(c);
        }
        done += n + TCP_HLEN;
    }
    return false;
}

/* Fast retransmission: the first segment again, at once. Return: emit() said no */
static bool output_resend(struct tcp_conn *c)
{
    uint32_t n = (uint32_t)MIN(c->tx.len, c->mss);
    bool fin = c->eof && n == c->tx.len && seq_lt(c->snd_una + n, c->snd_max);

    if (c->snd_una != c->snd_max && may_send(c) && !send(c, c->snd_una, 0, n, fin ? TCP_FIN : 0)) {
        return true;
    }
    c->resend = false;
    return false;
}

/*
 * The guest has to answer this: what the window permits though it is little, or a segment in front of the window, which is also what a
 * keep-alive is (RFC 9293 3.8.4). Without a byte of data: one beyond the window would make the guest drop our acknowledgements behind it.
 */
static bool output_probe(struct tcp_conn *c, int64_t now_ns)
{
    uint32_t flight = c->snd_nxt - c->snd_una, usable, left;
    bool fin;

    left = unsent(c, &fin);
    permitted(c, left, &usable);
    left = MIN(left, MIN(usable, c->mss));
    if (!send(c, left ? c->snd_nxt : c->snd_una - 1, left ? flight : 0, left, 0)) {
        return true;
    }
    if (left) {
        sent(c, left, now_ns);
    }
    c->probe = false;
    return false;
}

/* The window could be twice what the guest knows of, which may be waiting for that. Not at the start: it has all it needs. */
static bool window_opens(struct tcp_conn *c)
{
    uint32_t known = c->rcv_adv - c->rcv_nxt, limit = MIN(TCP_RX_MAX, 65535u << (c->scale ? TCP_WSCALE : 0)), room;

    if (c->guest_eof || known >= limit / 2 || c->rcv_nxt == c->irs + 1) {
        return false;
    }
    room = (uint32_t)c->ops->room(c);
    room = MIN(room, limit);
    return room >= known + 2u * c->mss && room / 2 >= known;
}

/* What nothing else has carried. */
static bool output_ack(struct tcp_conn *c)
{
    for (; c->dup_owed; c->dup_owed--) {
        if (!send(c, c->snd_max, 0, 0, 0)) {
            return true;
        }
        c->ack_owed = true;
    }
    return (c->ack_owed || window_opens(c)) && !send(c, c->snd_max, 0, 0, 0);
}

bool tcp_conn_output(struct tcp_conn *c, size_t budget, int64_t now_ns)
{
    bool more;

    if (c->state == TCPS_CLOSED || c->held) {
        return false;
    }
    if (c->state == TCPS_SYN_SENT || c->state == TCPS_SYN_RECEIVED) {
        more = output_syn(c, now_ns);
    } else {
        more = (c->resend && output_resend(c)) || output_data(c, budget, now_ns) || (c->probe && output_probe(c, now_ns));
        more = output_ack(c) || more;
    }
    tcp_conn_deadline(c, now_ns);
    return more;
}

/* --- time --------------------------------------------------------------------------------------------------------------- */

static int64_t keep_alive_ns(const struct tcp_conn *c)
{
    if (c->state != TCPS_ESTABLISHED && c->state != TCPS_CLOSE_WAIT && c->state != TCPS_FIN_WAIT_2) {
        return -1;
    }
    return c->heard_ns + (c->state == TCPS_FIN_WAIT_2 ? TCP_KEEP_HALF_NS : TCP_KEEP_NS) + c->retries * TCP_KEEP_STEP_NS;
}

void tcp_conn_deadline(struct tcp_conn *c, int64_t now_ns)
{
    c->deadline_ns = c->state == TCPS_TIME_WAIT ? c->heard_ns + TCP_TIME_WAIT_NS : c->rtx_ns >= 0 ? c->rtx_ns : keep_alive_ns(c);
}

/* RFC 6298 5.4 to 5.7, RFC 5681 3.1 */
static void retransmit(struct tcp_conn *c)
{
    if (!c->retries) {
        c->ssthresh = MAX((c->snd_max - c->snd_una) / 2, 2u * c->mss);
    }
    c->cwnd = c->mss;
    c->acked = 0;
    c->recover = c->snd_max;
    c->recovering = c->resend = c->timing = false;
    c->dup_acks = 0;
    c->snd_nxt = c->snd_una;
}

static void timeout(struct tcp_conn *c)
{
    bool syn = c->state == TCPS_SYN_SENT || c->state == TCPS_SYN_RECEIVED;

    c->rtx_ns = -1;
    if (c->retries >= (syn ? TCP_SYN_RETRIES : TCP_RETRIES)) {
        tcp_conn_abort(c);
        c->end = TCP_END_TIMEOUT;
        return;
    }
    if (syn) {
        c->snd_nxt = c->iss;
    } else if (c->snd_nxt == c->snd_una) {
        c->probe = true;
    } else {
        retransmit(c);
    }
    c->retries++;
    c->rto_ns = MIN(c->rto_ns * 2, TCP_RTO_MAX_NS);
}

void tcp_conn_timer(struct tcp_conn *c, int64_t now_ns)
{
    if (c->deadline_ns < 0 || now_ns < c->deadline_ns) {
        return;
    }
    tcp_conn_deadline(c, now_ns);
    if (c->deadline_ns < 0 || now_ns < c->deadline_ns) {
        return;                                             /* it has moved */
    }
    if (c->state == TCPS_TIME_WAIT) {
        tcp_conn_close(c, TCP_END_DONE);
    } else if (c->rtx_ns >= 0) {
        timeout(c);
        if (c->probe) {
            c->rtx_ns = now_ns + c->rto_ns;
        }
    } else if (c->retries >= TCP_KEEP_PROBES) {
        tcp_conn_abort(c);
        c->end = TCP_END_TIMEOUT;
    } else {
        c->retries++;
        c->probe = true;
    }
}
