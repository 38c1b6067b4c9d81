/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/backends/tcp_conn.c - a segment of the guest arrives (RFC 9293 3.10.7), with the checks of RFC 5961 against blind attacks
 *
 * The order is that of the RFC: is it in the window, RST, SYN, ACK, payload, FIN. Congestion control on acknowledgements is RFC 5681 and
 * RFC 6582 (NewReno). Bytes acknowledged count, not acknowledgements (RFC 3465), and without its limit of two segments: a guest acknowledges a
 * large frame once.
 */
#include "net/backends/tcp_conn.h"
#include <glib.h>
#include <string.h>

enum { DUP_ACKS = 3, DUP_OWED_MAX = 3, WINDOW_FIRST = 64 * 1024, MTU = 1500, CLOCK_NS = 1000000 };

const char *tcp_state_name(enum tcp_state s)
{
    static const char *const names[TCPS_STATES] = {
        [TCPS_CLOSED] = "CLOSED", [TCPS_SYN_SENT] = "SYN_SENT", [TCPS_SYN_RECEIVED] = "SYN_RCVD", [TCPS_ESTABLISHED] = "ESTABLISHED",
        [TCPS_CLOSE_WAIT] = "CLOSE_WAIT", [TCPS_FIN_WAIT_1] = "FIN_WAIT_1", [TCPS_CLOSING] = "CLOSING", [TCPS_LAST_ACK] = "LAST_ACK",
        [TCPS_FIN_WAIT_2] = "FIN_WAIT_2", [TCPS_TIME_WAIT] = "TIME_WAIT",
    };

    return (unsigned)s < TCPS_STATES ? names[s] : "?";
}

/* --- life ------------------------------------------------------------------------------------------------------- */

void tcp_conn_init(struct tcp_conn *c, const struct tcp_conn_ops *ops, uint32_t iss, int64_t now_ns)
{
    c->ops = ops;
    c->iss = c->snd_una = c->snd_nxt = c->snd_max = c->recover = iss;
    c->mss = (uint16_t)(MTU - TCP_HLEN - (c->key.six ? 40 : 20));
    c->rto_ns = TCP_RTO_FIRST_NS;
    c->heard_ns = now_ns;
    c->rtx_ns = c->deadline_ns = -1;
}

void tcp_conn_fini(struct tcp_conn *c)
{
    tcp_ring_fini(&c->tx);
}

/*
 * The options of the guest's SYN: RFC 9293 3.7.1, RFC 7323 2.2. A guest that names no segment size gets full frames, not 536 bytes: it is at the
 * other end of this cable, no router is between, and libslirp has always done so.
 */
static void take_syn(struct tcp_conn *c, const struct tcp_seg *s)
{
    c->irs = s->seq;
    c->rcv_nxt = c->rcv_adv = s->seq + 1;
    c->mss = s->mss ? MIN(c->mss, MAX(s->mss, TCP_MSS_MIN)) : c->mss;
    c->scale = s->wscale >= 0;
    c->snd_scale = c->scale ? s->wscale : 0;
    c->snd_wnd = c->max_wnd = s->wnd;                       /* never scaled in a SYN */
    c->snd_wl1 = s->seq;
    c->snd_wl2 = s->ack;
    c->cwnd = WINDOW_FIRST;                                 /* RFC 6928 permits 10 segments; this wire is a copy in memory */
    c->ssthresh = TCP_TX_MAX;
}

void tcp_conn_passive(struct tcp_conn *c, const struct tcp_seg *s)
{
    take_syn(c, s);
    c->state = TCPS_SYN_RECEIVED;
    c->held = true;
}

void tcp_conn_accept(struct tcp_conn *c)
{
    c->held = false;
}

void tcp_conn_active(struct tcp_conn *c)
{
    c->state = TCPS_SYN_SENT;
}

void tcp_conn_again(struct tcp_conn *c)
{
    if (c->state == TCPS_SYN_SENT) {
        c->snd_nxt = c->iss;
    }
}

static void enter_time_wait(struct tcp_conn *c, int64_t now_ns)
{
    c->state = TCPS_TIME_WAIT;
    c->rtx_ns = -1;
    c->heard_ns = now_ns;
    tcp_conn_deadline(c, now_ns);
}

/* --- acknowledgements ----------------------------------------------------------------------------------------------- */

/* RFC 6298 2 */
static void rtt_sample(struct tcp_conn *c, int64_t rtt)
{
    if (!c->srtt_ns) {
        c->srtt_ns = MAX(rtt, 1);
        c->rttvar_ns = rtt / 2;
    } else {
        c->rttvar_ns += ((rtt > c->srtt_ns ? rtt - c->srtt_ns : c->srtt_ns - rtt) - c->rttvar_ns) / 4;
        c->srtt_ns = MAX(c->srtt_ns + (rtt - c->srtt_ns) / 8, 1);
    }
}

static void rto_reset(struct tcp_conn *c)
{
    int64_t rto = c->srtt_ns ? c->srtt_ns + MAX(CLOCK_NS, 4 * c->rttvar_ns) : TCP_RTO_FIRST_NS;

    c->rto_ns = CLAMP(rto, TCP_RTO_MIN_NS, TCP_RTO_MAX_NS);
}

static void cwnd_grow(struct tcp_conn *c, uint32_t n)
{
    if (c->cwnd < c->ssthresh) {
        c->cwnd += n;                                       /* slow start */
    } else {
        c->acked += n;
        if (c->acked >= c->cwnd) {                          /* congestion avoidance: a segment a window */
            c->acked -= c->cwnd;
            c->cwnd += c->mss;
        }
    }
    c->cwnd = MIN(c->cwnd, TCP_TX_MAX);
}

/* RFC 6582 3.2: an acknowledgement of new data during fast recovery */
static void recovery_ack(struct tcp_conn *c, uint32_t ack, uint32_t n)
{
    if (seq_lt(ack, c->recover)) {                          /* partial: the next hole goes at once */
        c->resend = true;
        c->cwnd -= MIN(n, c->cwnd);
        c->cwnd = MAX(c->cwnd + c->mss, 2u * c->mss);
        return;
    }
    c->cwnd = MAX(MIN(c->ssthresh, c->snd_max - ack + c->mss), 2u * c->mss);
    c->recovering = false;
}

static void fin_acked(struct tcp_conn *c, int64_t now_ns)
{
    switch (c->state) {
    case TCPS_FIN_WAIT_1:
        c->state = TCPS_FIN_WAIT_2;
        break;
    case TCPS_CLOSING:
        enter_time_wait(c, now_ns);
        break;
    case TCPS_LAST_ACK:
        tcp_conn_close(c, TCP_END_DONE);
        break;
    }
}

static void new_ack(struct tcp_conn *c, uint32_t ack, int64_t now_ns)
{
    uint32_t n = ack - c->snd_una;
    bool fin = n > c->tx.len;                               /* not beyond snd_max: so the FIN has been sent */

    tcp_ring_consume(&c->tx, MIN(n, c->tx.len));
    c->snd_una = ack;
    if (seq_lt(c->snd_nxt, ack)) {
        c->snd_nxt = ack;
    }
    if (c->timing && seq_lt(c->rtt_seq, ack)) {
        c->timing = false;
        rtt_sample(c, now_ns - c->rtt_start_ns);
    }
    rto_reset(c);
    c->retries = 0;
    c->dup_acks = 0;
    c->resend = false;
    if (c->recovering) {
        recovery_ack(c, ack, n);
    } else {
        cwnd_grow(c, n);
    }
    c->rtx_ns = c->snd_una == c->snd_max ? -1 : now_ns + c->rto_ns;
    if (fin) {
        fin_acked(c, now_ns);
    }
}

/* RFC 5681 3.2, RFC 6582 3.2 */
static void dup_ack(struct tcp_conn *c)
{
    if (c->recovering) {
        c->cwnd = MIN(c->cwnd + c->mss, TCP_TX_MAX);
        return;
    }
    if (c->dup_acks < 255 && ++c->dup_acks != DUP_ACKS) {
        return;
    }
    if (c->dup_acks != DUP_ACKS || seq_lt(c->snd_una, c->recover)) {
        return;                                             /* of a window that a time-out sends again already */
    }
    c->ssthresh = MAX((c->snd_max - c->snd_una) / 2, 2u * c->mss);
    c->recover = c->snd_max;
    c->cwnd = c->ssthresh + DUP_ACKS * c->mss;
    c->recovering = c->resend = true;
    c->timing = false;
}

static void take_window(struct tcp_conn *c, const struct tcp_seg *s, uint32_t wnd)
{
    if (seq_lt(c->snd_wl1, s->seq) || (c->snd_wl1 == s->seq && seq_le(c->snd_wl2, s->ack))) {
        if (wnd > c->snd_wnd && c->snd_nxt == c->snd_una) {
            c->rtx_ns = -1;                                 /* it opens: no probe */
            rto_reset(c);
        }
        c->snd_wnd = wnd;
        c->snd_wl1 = s->seq;
        c->snd_wl2 = s->ack;
        c->max_wnd = MAX(c->max_wnd, wnd);
    }
}

/* RFC 9293 3.10.7.4, fifth. Return: the rest of the segment counts */
static bool process_ack(struct tcp_conn *c, const struct tcp_seg *s, int64_t now_ns)
{
    uint32_t wnd = (uint32_t)s->wnd << c->snd_scale;

    if (c->state == TCPS_SYN_RECEIVED) {
        if (s->ack != c->iss + 1 || c->snd_max == c->iss) {
            tcp_conn_reset_reply(c, s->ack);
            return false;
        }
        c->state = TCPS_ESTABLISHED;
        c->snd_una = c->snd_nxt = s->ack;
        c->snd_wl1 = s->seq - 1;                            /* this window counts */
        c->rtx_ns = -1;
        c->retries = 0;
        rto_reset(c);
    }
    if (seq_lt(c->snd_max, s->ack) || seq_lt(s->ack, c->snd_una - c->max_wnd)) {
        c->ack_owed = true;                                 /* RFC 5961 5.2 */
        return false;
    }
    if (seq_lt(c->snd_una, s->ack)) {
        new_ack(c, s->ack, now_ns);
    } else if (s->ack == c->snd_una && c->snd_nxt != c->snd_una && !s->len && !(s->flags & TCP_FIN) && wnd == c->snd_wnd && wnd) {
        dup_ack(c);
    }
    if (seq_le(c->snd_una, s->ack)) {
        take_window(c, s, wnd);
    }
    return true;
}

/* --- payload ---------------------------------------------------------------------------------------------------------- */

static void take_fin(struct tcp_conn *c, int64_t now_ns)
{
    c->rcv_nxt++;
    c->guest_eof = true;
    c->ack_owed = true;
    switch (c->state) {
    case TCPS_ESTABLISHED:
        c->state = TCPS_CLOSE_WAIT;
        break;
    case TCPS_FIN_WAIT_1:
        c->state = TCPS_CLOSING;
        break;
    case TCPS_FIN_WAIT_2:
        enter_time_wait(c, now_ns);
        break;
    }
}

static void process_payload(struct tcp_conn *c, const struct tcp_seg *s, int64_t now_ns)
{
    uint32_t skip = c->rcv_nxt - s->seq, wnd = c->rcv_adv - c->rcv_nxt, n, taken;

    if (c->guest_eof || (!s->len && !(s->flags & TCP_FIN))) {
        return;
    }
    if (seq_lt(c->rcv_nxt, s->seq)) {                       /* a hole in front of it: say what is wanted, once for each (RFC 5681 3.2) */
        c->dup_owed = (uint8_t)MIN(c->dup_owed + c->ack_owed, DUP_OWED_MAX);
        c->ack_owed = true;
        return;
    }
    if (skip > s->len) {
        return;
    }
    n = MIN(s->len - skip, wnd);
    taken = n ? (uint32_t)c->ops->deliver(c, s, skip, n) : 0;
    c->rcv_nxt += taken;
    c->ack_owed = true;
    if ((s->flags & TCP_FIN) && skip + taken == s->len && c->rcv_nxt != c->rcv_adv) {
        take_fin(c, now_ns);
    }
}

/* --- the segment --------------------------------------------------------------------------------------------------------- */

/* RFC 9293 3.10.7.3 */
static void input_syn_sent(struct tcp_conn *c, const struct tcp_seg *s, int64_t now_ns)
{
    bool ack_good = s->flags & TCP_ACK && c->snd_max != c->iss && s->ack == c->iss + 1;

    if (s->flags & TCP_ACK && !ack_good) {
        if (!(s->flags & TCP_RST)) {
            tcp_conn_reset_reply(c, s->ack);
        }
        return;
    }
    if (s->flags & TCP_RST) {
        if (ack_good) {
            tcp_conn_close(c, TCP_END_RESET);
        }
        return;
    }
    if (!(s->flags & TCP_SYN)) {
        return;
    }
    take_syn(c, s);
    c->heard_ns = now_ns;
    c->retries = 0;
    if (ack_good) {
        c->state = TCPS_ESTABLISHED;
        c->snd_una = c->snd_nxt = s->ack;
        c->rtx_ns = -1;
        rto_reset(c);
        c->ack_owed = true;
    } else {
        c->state = TCPS_SYN_RECEIVED;                        /* both ends open */
        c->snd_nxt = c->iss;
    }
}

/* RFC 9293 3.10.7.4, table 6 */
static bool acceptable(const struct tcp_conn *c, const struct tcp_seg *s)
{
    uint32_t len = s->len + !!(s->flags & TCP_SYN) + !!(s->flags & TCP_FIN), wnd = c->rcv_adv - c->rcv_nxt, first = s->seq - c->rcv_nxt;

    if (!wnd) {
        return !len && !first;
    }
    return first < wnd || (len && first + len - 1 < wnd);
}

static void not_acceptable(struct tcp_conn *c, const struct tcp_seg *s, int64_t now_ns)
{
    if (s->flags & TCP_RST) {
        if (s->seq == c->rcv_nxt) {
            tcp_conn_close(c, TCP_END_RESET);               /* the window is closed */
        }
        return;
    }
    c->ack_owed = true;
    if (c->state == TCPS_TIME_WAIT) {
        c->heard_ns = now_ns;                               /* its FIN again: our acknowledgement was lost */
    } else if (s->seq == c->rcv_nxt && s->flags & TCP_ACK && !(s->flags & TCP_SYN)) {
        process_ack(c, s, now_ns);                          /* "special allowance": only the data does not fit */
    }
}

static void input_synchronised(struct tcp_conn *c, const struct tcp_seg *s, int64_t now_ns)
{
    if (c->state == TCPS_SYN_RECEIVED && s->flags & TCP_SYN && !(s->flags & TCP_RST) && s->seq == c->irs) {
        c->snd_nxt = c->iss;                                /* our answer was lost */
        return;
    }
    if (!acceptable(c, s)) {
        not_acceptable(c, s, now_ns);
        return;
    }
    if (s->flags & TCP_RST) {
        if (s->seq == c->rcv_nxt) {
            tcp_conn_close(c, TCP_END_RESET);
        } else {
            c->ack_owed = true;                             /* RFC 5961 3.2: who really wants to will say it again, exactly */
        }
        return;
    }
    if (s->flags & TCP_SYN) {
        c->ack_owed = true;                                 /* RFC 5961 4.2 */
        return;
    }
    if (!(s->flags & TCP_ACK)) {
        return;
    }
    c->heard_ns = now_ns;
    if (c->snd_nxt == c->snd_una) {
        c->retries = 0;                                     /* probes are answered: it may stay like that (RFC 9293 3.8.6.1) */
    }
    if (process_ack(c, s, now_ns) && c->state != TCPS_CLOSED) {
        process_payload(c, s, now_ns);
    }
}

void tcp_conn_input(struct tcp_conn *c, const struct tcp_seg *s, int64_t now_ns)
{
    if (c->state == TCPS_CLOSED) {
        return;
    }
    if (c->held) {
        if (s->flags & TCP_RST && s->seq == c->rcv_nxt) {
            tcp_conn_close(c, TCP_END_RESET);
        }
        return;                                             /* the SYN again: the host has not answered yet */
    }
    if (c->state == TCPS_SYN_SENT) {
        input_syn_sent(c, s, now_ns);
    } else {
        input_synchronised(c, s, now_ns);
    }
}
