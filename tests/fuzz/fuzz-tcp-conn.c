/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/fuzz/fuzz-tcp-conn.c - segments, time, a slow host and a full NIC in any order: a connection keeps its invariants
 *
 * Input: one byte of how to open, then records { action, argument, argument }. Sequence numbers are relative to what the connection expects, so
 * that the fuzzer need not guess 32 bits; it may still be off by anything.
 */
#include "lib/bits.h"
#include "lib/bytes.h"
#include "net/backends/tcp_conn.h"
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
    struct tcp_conn c;
    struct tcp_budget budget;
    uint32_t emitted_edge;              /* the guest may never be told less */
    size_t room;
    bool busy;
};

static void promise(bool kept)
{
    if (!kept) {
        abort();
    }
}

static bool emit(struct tcp_conn *c, const struct frame *f)
{
    struct world *w = container_of(c, struct world, c);
    size_t sum = 0;

    promise(f->iovcnt >= 1 && f->iovcnt <= 3 && f->len <= FRAME_MAX);
    for (unsigned i = 0; i < f->iovcnt; i++) {
        sum += f->iov[i].iov_len;
        promise(((volatile uint8_t *)f->iov[i].iov_base)[0] + ((volatile uint8_t *)f->iov[i].iov_base)[f->iov[i].iov_len - 1] >= 0);
    }
    promise(sum == f->len);
    return !w->busy;
}

static void emit_now(struct tcp_conn *c, const struct frame *f)
{
    emit(c, f);
}

static size_t deliver(struct tcp_conn *c, const struct tcp_seg *s, size_t skip, size_t len)
{
    struct world *w = container_of(c, struct world, c);
    size_t n = len < w->room ? len : w->room;

    promise(len > 0 && skip + len <= s->len);
    w->room -= n;
    return n;
}

static size_t room(struct tcp_conn *c)
{
    return container_of(c, struct world, c)->room;
}

static void check(const struct world *w)
{
    const struct tcp_conn *c = &w->c;

    if (c->state == TCPS_CLOSED) {
        promise(c->deadline_ns == -1);
        return;
    }
    promise(seq_le(c->snd_una, c->snd_nxt) && seq_le(c->snd_nxt, c->snd_max));
    promise(c->snd_max - c->snd_una <= c->tx.len + 2);                      /* SYN or FIN beside the bytes */
    promise(c->state < TCPS_ESTABLISHED || c->cwnd >= c->mss);
    promise(c->cwnd <= TCP_TX_MAX + 65535 * 4u);
    promise(c->tx.cap <= TCP_TX_MAX && w->budget.used == c->tx.cap);
    promise(c->state <= TCPS_SYN_RECEIVED || c->rcv_adv - c->rcv_nxt <= TCP_RX_MAX + 65535u);
    promise(c->guest_eof == (c->state == TCPS_CLOSE_WAIT || c->state == TCPS_CLOSING || c->state == TCPS_LAST_ACK || c->state == TCPS_TIME_WAIT));
}

static void segment(struct world *w, uint8_t how, const uint8_t arg[2], int64_t now)
{
    static uint8_t payload[4096];
    struct iovec iov = { payload, sizeof(payload) };
    struct tcp_conn *c = &w->c;
    struct tcp_seg s = {
        .seq = c->rcv_nxt, .ack = c->snd_una, .flags = arg[0] & 0x1F, .wnd = (uint16_t)(arg[1] << 8 | arg[0]), .wscale = (int8_t)(how & 7) - 1,
        .mss = (uint16_t)(arg[1] * 8), .iov = &iov, .iovcnt = 1,
    };

    s.flags |= how & 8 ? 0 : TCP_ACK;
    s.ack = how & 0x10 ? c->snd_max : how & 0x20 ? c->snd_una + arg[1] * 64u : c->snd_nxt;
    s.seq += how & 0x40 ? (uint32_t)(int8_t)arg[1] * 33u : 0;
    s.len = how & 0x80 ? arg[1] * 16u : 0;
    tcp_conn_input(c, &s, now);
}

static void host_sends(struct world *w, size_t n)
{
    struct iovec iov[2];
    unsigned cnt;

    if (!tcp_conn_may_read(&w->c)) {
        return;
    }
    tcp_ring_room(&w->c.tx, n, TCP_TX_MAX);
    cnt = tcp_ring_space(&w->c.tx, n, iov);
    for (unsigned i = 0; i < cnt; i++) {
        memset(iov[i].iov_base, 0x55, iov[i].iov_len);
        tcp_ring_commit(&w->c.tx, iov[i].iov_len);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct tcp_conn_ops ops = { .emit = emit, .emit_now = emit_now, .deliver = deliver, .room = room };
    struct world w = { .budget.max = 4 * TCP_TX_MAX, .room = TCP_RX_MAX };
    int64_t now = 1;

    if (!size) {
        return 0;
    }
    w.c.tx.budget = &w.budget;
    w.c.key.six = data[0] & 1;
    tcp_conn_init(&w.c, &ops, data[0] & 2 ? 0xFFFFFFF0u : 77, now);
    if (data[0] & 4) {
        tcp_conn_active(&w.c);
    } else {
        struct tcp_seg syn = { .seq = 0xFFFFFF00u, .flags = TCP_SYN, .wnd = 60000, .mss = 1460, .wscale = (int8_t)(data[0] >> 4) - 1 };

        tcp_conn_passive(&w.c, &syn);
        if (data[0] & 8) {
            tcp_conn_accept(&w.c);
        }
    }
    for (data++, size--; size >= 3; data += 3, size -= 3) {
        switch (data[0] % 8) {
        case 0:
        case 1:
        case 2:
            segment(&w, data[0] >> 3 | (data[0] & 1) << 7, data + 1, now);
            break;
        case 3:
            host_sends(&w, (size_t)data[1] * data[2]);
            break;
        case 4:
            now = data[1] & 1 && w.c.deadline_ns > now ? w.c.deadline_ns : now + data[2] * 1000000;
            tcp_conn_timer(&w.c, now);
            break;
        case 5:
            w.busy = data[1] & 1;
            w.room = w.room + data[2] * 256u > TCP_RX_MAX ? TCP_RX_MAX : w.room + data[2] * 256u;
            break;
        case 6:
            w.room = data[1] & 7 ? w.room / 2 : 0;
            break;
        default:
            if (data[1] == 255) {
                tcp_conn_abort(&w.c);
            } else if (data[1] > 200) {
                tcp_conn_eof(&w.c);
            } else {
                tcp_conn_accept(&w.c);
            }
        }
        check(&w);
        tcp_conn_output(&w.c, data[2] * 1024u, now);
        check(&w);
    }
    tcp_conn_fini(&w.c);
    promise(w.budget.used == 0);
    return 0;
}
