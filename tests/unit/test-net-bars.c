/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/test-net-bars.c - security bars of the net layer by their ids: Q1, Q3, Q4, Q5, P1, X4, L2 (docs/devel/security-tests.rst)
 *
 * Real core, hub, user stack and stream wires; the far ends are socketpairs in this process, or a forked reader that can be stopped. Q: what
 * another emulator does wrong, step by step. Frames carry their number, so loss and order show.
 */
#include "wire-rig.h"
#include "config-host.h"
#include "lib/bits.h"
#include "net/hub.h"
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#ifdef __SANITIZE_ADDRESS__
enum { SLOW_HOST = 10 };
#else
enum { SLOW_HOST = 1 };
#endif

static char *dir;

/* --- wires --------------------------------------------------------------------------------------------------------- */

static struct net_client *pair_netdev(const char *id, int *peer)
{
    g_autofree char *opts = NULL;
    g_autoptr(Error) err = NULL;
    struct net_client *c;
    int sv[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv), ==, 0);
    opts = g_strdup_printf("stream,id=%s,addr.type=fd,addr.str=%d", id, sv[0]);
    c = rig_netdev(opts, &err);
    g_assert_nonnull(c);
    *peer = sv[1];
    return c;
}

/* A NIC on a new port of hub @hub */
static struct bench *station_new(unsigned hub)
{
    struct bench *b = g_new0(struct bench, 1);

    b->frames = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    b->c = net_hub_add_port(hub, NULL, NULL, NULL);
    b->conf.netdev = b->c;
    b->nic = nic_new(&rig_nic_ops, &b->conf, "rig", NULL, b, NULL);
    return b;
}

static void client_free(struct net_client *c)
{
    if (c) {
        net_client_free(c);
    }
}

static void quiet(void)
{
    for (unsigned idle = 0; idle < 20; idle = loop_iterate(false) ? 0 : idle + 1) {
    }
}

static void send_length(int fd, uint32_t len)
{
    uint8_t h[4];

    framing_put_header(h, len);
    peer_write(fd, h, 4);
}

/* A far end that reads without waiting. */
struct reader {
    int fd;
    uint8_t buf[1 << 18];
    size_t len, at;
};

static bool reader_more(struct reader *r)
{
    ssize_t n;

    memmove(r->buf, r->buf + r->at, r->len - r->at);
    r->len -= r->at;
    r->at = 0;
    n = recv(r->fd, r->buf + r->len, sizeof(r->buf) - r->len, MSG_DONTWAIT);
    r->len += n > 0 ? (size_t)n : 0;
    return n > 0;
}

/* The next whole frame, until the next call; NULL: none there */
static const uint8_t *reader_frame(struct reader *r, size_t *len)
{
    for (unsigned i = 0; i < 2; i++) {
        if (r->len - r->at >= 4 && r->len - r->at - 4 >= (*len = ld_be32(r->buf + r->at))) {
            const uint8_t *p = r->buf + r->at + 4;

            r->at += 4 + *len;
            return p;
        }
        if (i || !reader_more(r)) {
            break;
        }
    }
    return NULL;
}

/* --- Q1: one zero-length frame ------------------------------------------------------------------------------------- */

/* On a wire at a hub with a user stack, at nothing, at a NIC that takes frames and at one that does not: it goes on, and its end is seen. */
static void test_q1(void)
{
    for (unsigned where = 0; where < 4; where++) {
        struct net_client *c, *user = NULL, *ports[2] = { NULL };
        struct bench *b = NULL;
        unsigned gone = events_of("NETDEV_STREAM_DISCONNECTED");
        int fd;

        c = pair_netdev("q1", &fd);
        if (where == 0) {
            ports[0] = net_hub_add_port(1, NULL, c, NULL);
#ifdef HAVE_SLIRP
            user = rig_netdev("user,id=u,restrict=on", NULL);
            ports[1] = net_hub_add_port(1, NULL, user, NULL);
#endif
            b = station_new(1);
        } else if (where >= 2) {
            b = g_new0(struct bench, 1);
            b->frames = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
            b->conf.netdev = c;
            b->nic = nic_new(&rig_nic_ops, &b->conf, "rig", NULL, b, NULL);
            b->busy = where == 3;
        }
        quiet();
        send_length(fd, 0);
        quiet();
        for (unsigned i = 0; i < 50; i++) {
            send_length(fd, i % 14);
            peer_write(fd, "0123456789abc", i % 14);
            peer_send(fd, i, 100, 100);
        }
        if (where == 3) {
            quiet();
            b->busy = false;
            nic_rx_ready(b->nic);
        }
        if (b) {
            WAIT(b->got == 50);
            bench_check(b, 49, 49, 100);
        }
        close(fd);
        WAIT(events_of("NETDEV_STREAM_DISCONNECTED") == gone + 1);
        if (b) {
            nic_free(b->nic);
            client_free(b->c);
            g_ptr_array_free(b->frames, TRUE);
            g_free(b);
        }
        client_free(ports[0]);
        client_free(ports[1]);
        client_free(user);
        net_client_free(c);
        quiet();
    }
}

/* --- Q3: a frame while the hub has one port ------------------------------------------------------------------------- */

static void test_q3(void)
{
    struct net_client *c, *port;
    uint32_t n = 0;
    int fd;

    c = pair_netdev("q3", &fd);
    port = net_hub_add_port(3, NULL, c, NULL);
    for (unsigned round = 0; round < 50; round++) {
        struct bench *b;

        for (unsigned i = 0; i < 200; i++) {        /* nobody is there to get them */
            peer_send(fd, n++, 1000, 1000);
            loop_iterate(false);
        }
        quiet();
        b = station_new(3);
        for (unsigned i = 0; i < 20; i++) {
            peer_send(fd, n + i, 100, 100);
        }
        WAIT(b->got == 20);
        bench_check(b, 0, n, 100);
        bench_check(b, 19, n + 19, 100);
        g_assert_cmpint(bench_send(b, round, 200), ==, NET_TX_DONE);
        peer_expect(fd, round, 200);
        peer_send(fd, n, 1000, 1000);               /* one is on its way while the port goes */
        bench_free(b);
    }
    quiet();
    g_assert_cmpuint(c->stats.tx_frames, >=, 50 * 220);      /* all were read */
    close(fd);
    net_client_free(port);
    net_client_free(c);
}

/* --- Q4: order on a hub of stream ports ------------------------------------------------------------------------------ */

/* 8 ports, 7,000 frames each, one reader ten times slower than the others: 0 out of order, none lost at those that keep up. */
static void test_q4(void)
{
    enum { PORTS = 8, EACH = 7000 / SLOW_HOST };
    static struct reader r[PORTS];
    struct net_client *c[PORTS], *port[PORTS];
    uint32_t next[PORTS][PORTS] = { 0 }, sent[PORTS] = { 0 }, got[PORTS] = { 0 }, disorder = 0, lost_fast = 0, lost_slow;
    int64_t end = g_get_monotonic_time() + 3 * DEADLINE_US;
    unsigned idle = 0;

    for (unsigned i = 0; i < PORTS; i++) {
        g_autofree char *id = g_strdup_printf("q4%u", i);

        c[i] = pair_netdev(id, &r[i].fd);
        port[i] = net_hub_add_port(4, NULL, c[i], NULL);
    }
    for (unsigned turn = 0; idle < 50; turn++) {
        bool did = false;

        g_assert_cmpint(g_get_monotonic_time(), <, end);
        for (unsigned i = 0; i < PORTS; i++) {
            uint8_t f[4 + 200];

            for (unsigned k = 0; k < 4 && sent[i] < EACH && turn % 2; k++) {
                framing_put_header(f, 200);
                rig_frame(f + 4, 200, i << 24 | sent[i]);
                if (send(r[i].fd, f, sizeof(f), MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)sizeof(f)) {
                    break;          /* whole or not at all: it is shorter than what a socket with room has */
                }
                sent[i]++;
                did = true;
            }
        }
        did |= loop_iterate(false);
        for (unsigned i = 0; i < PORTS; i++) {
            const uint8_t *p;
            size_t len;

            for (unsigned budget = i ? 1000 : 2; budget && (p = reader_frame(&r[i], &len)); budget--) {
                uint32_t v = ld_be32(p + 14), from = v >> 24, n = v & 0xFFFFFF;

                g_assert_cmpuint(len, ==, 200);
                g_assert_cmpuint(from, <, PORTS);
                g_assert_cmpuint(from, !=, i);
                disorder += n < next[i][from];
                next[i][from] = n + 1;
                got[i]++;
                did = true;
            }
        }
        idle = did ? 0 : idle + 1;
    }
    for (unsigned i = 1; i < PORTS; i++) {
        lost_fast += (PORTS - 1) * EACH - got[i];
    }
    lost_slow = (uint32_t)c[0]->stats.drops[NET_DROP_QUEUE_FULL];
    g_test_message("Q4 %u frames on %u ports: %u out of order, %u lost at ports that keep up, %u at the slow one (counted)", PORTS * EACH, PORTS,
                   disorder, lost_fast, lost_slow);
    g_assert_cmpuint(disorder, ==, 0);
    g_assert_cmpuint(lost_fast, ==, 0);
    g_assert_cmpuint(got[0] + lost_slow, ==, (PORTS - 1) * EACH);
    for (unsigned i = 0; i < PORTS; i++) {
        g_assert_cmpuint(sent[i], ==, EACH);
        net_client_free(port[i]);
        net_client_free(c[i]);
        close(r[i].fd);
        r[i] = (struct reader){ 0 };
    }
}

/* --- Q5, P1: lengths ------------------------------------------------------------------------------------------------ */

static struct bench *server(char **path)
{
    g_autofree char *opts = NULL;

    *path = g_strdup_printf("%s/s", dir);
    opts = g_strdup_printf("stream,id=st0,server=on,addr.type=unix,addr.path=%s", *path);
    return bench_new(opts);
}

static void write_some(int fd, size_t len)
{
    static const uint8_t zeros[4096];

    while (len) {
        ssize_t n = send(fd, zeros, MIN(len, sizeof(zeros)), MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n < 0 && errno != EAGAIN) {
            return;                                 /* it has been thrown out: that is the point */
        }
        len -= n > 0 ? (size_t)n : 0;
        loop_iterate(false);
    }
}

/* A length that no frame has, and less than 68 KiB behind it: thrown out at the header, told, and the next peer works. */
static void test_q5(void)
{
    static const uint32_t lengths[] = { 0x80000000, 0xFFFFFFFF, FRAMING_MAX + 1, 0x7FFFFFFF };
    g_autofree char *path = NULL;
    struct bench *b = server(&path);
    int64_t worst = 0;

    for (unsigned i = 0; i < ARRAY_LEN(lengths); i++) {
        unsigned gone = events_of("NETDEV_STREAM_DISCONNECTED");
        int fd = peer_connect_unix(path);
        int64_t start;

        WAIT(b->link);
        start = g_get_monotonic_time();
        send_length(fd, lengths[i]);
        WAIT(events_of("NETDEV_STREAM_DISCONNECTED") == gone + 1);  /* before a byte of the frame is there */
        worst = MAX(worst, g_get_monotonic_time() - start);
        write_some(fd, 60000);
        close(fd);
        fd = peer_connect_unix(path);
        WAIT(b->link);
        peer_send(fd, i, 100, 100);
        WAIT(b->got == i + 1);
        bench_check(b, i, i, 100);
        close(fd);
        WAIT(!b->link);
    }
    g_test_message("Q5 longest time from the header to the event: %.2f ms", (double)worst / 1e3);
    g_assert_cmpuint(b->c->own_drops[0], ==, ARRAY_LEN(lengths));
    bench_free(b);
}

/* Every length of the list: whole, and cut in header and frame; after each a good frame arrives, on this connection or on the next. */
static void test_p1(void)
{
    static const uint32_t lengths[] = { 0, 1, 13, 14, 1514, 65550, FRAME_MAX, FRAME_MAX + 1, FRAMING_MAX, FRAMING_MAX + 1, 0x80000000, 0xFFFFFFFF };
    g_autofree char *path = NULL;
    struct bench *b = server(&path);
    unsigned dropped = 0;
    uint32_t n = 1000;
    uint64_t rss = 0;

    b->count_only = true;
    for (unsigned i = 0; i < 4 * ARRAY_LEN(lengths); i++) {
        uint32_t len = lengths[i / 4];
        bool bad = len > FRAMING_MAX;
        int fd = peer_connect_unix(path);
        unsigned had;
        uint8_t h[4];

        WAIT(b->link);
        framing_put_header(h, len);
        switch (i % 4) {
        case 0:                                     /* whole */
            peer_write(fd, h, 4);
            write_some(fd, bad ? 1000 : len);
            break;
        case 1:                                     /* a byte at a time */
            for (unsigned k = 0; k < 4; k++) {
                peer_write(fd, h + k, 1);
                quiet();
            }
            for (unsigned k = 0; k < MIN(len, 300) && !bad; k++) {
                peer_write(fd, "x", 1);
                loop_iterate(false);
            }
            write_some(fd, bad ? 0 : len - MIN(len, 300));
            break;
        case 2:                                     /* half a header */
            peer_write(fd, h, 2);
            break;
        case 3:                                     /* half a frame */
            peer_write(fd, h, 4);
            write_some(fd, bad ? 10 : len / 2);
            break;
        }
        if (i % 4 >= 2 || bad) {
            quiet();
            close(fd);
            WAIT(!b->link);
            dropped += bad && i % 4 != 2;
            fd = peer_connect_unix(path);
            WAIT(b->link);
        } else {
            quiet();
            g_assert_false(peer_closed(fd));
        }
        had = b->got;
        peer_send(fd, n++, 64, 64);
        WAIT(b->got > had);
        close(fd);
        WAIT(!b->link);
        rss = i == ARRAY_LEN(lengths) ? rss_kib() : rss;
    }
    g_assert_cmpuint(b->c->own_drops[0], ==, dropped);
    g_assert_cmpuint(rss_kib(), <=, rss + 512);
    g_test_message("P1 %zu cases, %u peers thrown out at the header", 4 * ARRAY_LEN(lengths), dropped);
    bench_free(b);
}

/* --- X4: who does not read ------------------------------------------------------------------------------------------- */

struct tally {
    uint64_t frames, disorder, bad;
};

/* MSG_WAITALL does not wait for all when the process is stopped meanwhile */
static bool read_whole(int fd, uint8_t *p, size_t len)
{
    while (len) {
        ssize_t n = recv(fd, p, len, 0);

        if (n <= 0) {
            return false;
        }
        p += n;
        len -= (size_t)n;
    }
    return true;
}

/* The other process: reads until the end, then says what it has seen. */
static void read_for_ever(int fd, int report, bool datagrams)
{
    static uint8_t buf[70000];
    struct tally t = { 0 };
    uint32_t next = 0;

    for (;;) {
        uint8_t *p = buf;
        ssize_t n;

        if (datagrams) {
            n = recv(fd, buf, sizeof(buf), 0);
        } else {
            n = read_whole(fd, buf, 4) && ld_be32(buf) <= sizeof(buf) ? (ssize_t)ld_be32(buf) : -1;
            n = n > 0 && read_whole(fd, buf, (size_t)n) ? n : -1;
        }
        if (n < 18 || (n == 18 && datagrams)) {     /* closed, or the last datagram */
            break;
        }
        t.disorder += ld_be32(p + 14) < next;
        t.bad += p[n - 1] != (uint8_t)(ld_be32(p + 14) + (size_t)n - 1);
        next = ld_be32(p + 14) + 1;
        t.frames++;
    }
    _exit(write(report, &t, sizeof(t)) != sizeof(t));
}

static struct x4 {
    const char *name;
    struct bench *b;
    pid_t pid;
    int report, last;
    uint32_t sent;
    unsigned busy;
    uint64_t handed;
} x4s[3];

#pragma GCC diagnostic ignored "-Wformat-nonliteral"

static void x4_start(struct x4 *x, const char *name, int type, const char *fmt)
{
    g_autofree char *opts = NULL;
    int sv[2], report[2];

    *x = (struct x4){ .name = name };
    g_assert_cmpint(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, sv), ==, 0);
    g_assert_cmpint(pipe2(report, O_CLOEXEC), ==, 0);
    x->pid = fork();
    if (!x->pid) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        for (int fd = 3; fd < 200; fd++) {
            if (fd != sv[1] && fd != report[1]) {
                close(fd);
            }
        }
        read_for_ever(sv[1], report[1], type == SOCK_DGRAM);
    }
    close(report[1]);
    x->report = report[0];
    x->last = type == SOCK_DGRAM ? fcntl(sv[0], F_DUPFD_CLOEXEC, 0) : -1;
    close(sv[1]);
    opts = g_strdup_printf(fmt, name, sv[0]);
    x->b = bench_new(opts);
    if (type == SOCK_STREAM) {
        WAIT(x->b->link);
    }
}

/* The guest sends as much as it may. */
static void x4_flood(struct x4 *x)
{
    unsigned woken = x->b->tx_ready;

    if (x->busy && woken < x->busy) {
        return;                                     /* told to wait, and not yet woken */
    }
    for (unsigned i = 0; i < 64; i++) {
        enum net_tx r = bench_send(x->b, x->sent, 1000);

        if (r == NET_TX_BUSY) {
            x->busy = woken + 1;
            return;
        }
        g_assert_cmpint(r, ==, NET_TX_DONE);
        x->sent++;
    }
}

static void x4_finish(struct x4 *x)
{
    struct tally t;
    uint64_t lost;

    WAIT((x4_flood(x), x->sent > x->handed + 5000)); /* it goes on */
    quiet();
    for (unsigned idle = 0; idle < 200; idle++) {   /* what the backend has taken reaches the socket */
        idle = loop_iterate(false) ? 0 : idle;
        g_usleep(1000);
    }
    lost = x->b->c->stats.drops[NET_DROP_REFUSED] + x->b->c->stats.drops[NET_DROP_QUEUE_FULL];
    for (unsigned i = 0; i < x->b->c->n_own_drops; i++) {
        lost += x->b->c->own_drops[i];
    }
    bench_free(x->b);
    if (x->last >= 0) {
        g_assert_cmpint(send(x->last, "123456789012345678", 18, 0), ==, 18);
        close(x->last);
    }
    g_assert_cmpint(read(x->report, &t, sizeof(t)), ==, sizeof(t));
    g_test_message("X4 %s: %u frames sent, %u read, %u lost and counted, %u out of order", x->name, x->sent, (unsigned)t.frames, (unsigned)lost,
                   (unsigned)t.disorder);
    g_assert_cmpuint(t.frames + lost, ==, x->sent);
    g_assert_cmpuint(t.disorder, ==, 0);
    g_assert_cmpuint(t.bad, ==, 0);
    close(x->report);
    waitpid(x->pid, NULL, 0);
}

/* SIGSTOP for seconds while the guest sends all it may: memory stays, the loop has nothing to do, nothing is lost unseen, and it goes on. */
static void test_x4(void)
{
    static const char stream[] = "stream,id=%s,addr.type=fd,addr.str=%d", socket[] = "socket,id=%s,fd=%d",
                      dgram[] = "dgram,id=%s,local.type=fd,local.str=%d";
    int64_t stop = (g_getenv("PATCHBAY_TEST_QUICK") ? 1 : 5) * G_USEC_PER_SEC, start;
    struct timespec t0, t1;
    uint64_t rss, taken = 0;
    double cpu;

    x4_start(&x4s[0], "x4stream", SOCK_STREAM, stream);
    x4_start(&x4s[1], "x4socket", SOCK_STREAM, socket);
    x4_start(&x4s[2], "x4dgram", SOCK_DGRAM, dgram);
    for (unsigned i = 0; i < ARRAY_LEN(x4s); i++) {
        WAIT((x4_flood(&x4s[i]), x4s[i].sent > 3000));
        kill(x4s[i].pid, SIGSTOP);
    }
    for (unsigned n = 0; n < 3000; n++) {           /* until all is full */
        for (unsigned i = 0; i < ARRAY_LEN(x4s); i++) {
            x4_flood(&x4s[i]);
        }
        loop_iterate(false);
    }
    for (unsigned i = 0; i < ARRAY_LEN(x4s); i++) {
        x4s[i].handed = x4s[i].sent;
    }
    rss = rss_kib();
    start = g_get_monotonic_time();
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t0);
    while (g_get_monotonic_time() - start < stop) {
        for (unsigned i = 0; i < ARRAY_LEN(x4s); i++) {
            x4_flood(&x4s[i]);
        }
        if (!loop_iterate(false)) {
            g_usleep(2000);
        }
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t1);
    cpu = (double)(t1.tv_sec - t0.tv_sec) + (double)(t1.tv_nsec - t0.tv_nsec) / 1e9;
    for (unsigned i = 0; i < ARRAY_LEN(x4s); i++) {
        taken += x4s[i].sent - x4s[i].handed;
        x4s[i].handed = x4s[i].sent;
    }
    g_test_message("X4 %d s without a reader: %+d KiB, %.3f s CPU, %u frames taken", (int)(stop / G_USEC_PER_SEC), (int)(rss_kib() - rss), cpu,
                   (unsigned)taken);
    g_assert_cmpuint(rss_kib(), <=, rss + 1024);
    g_assert_cmpfloat(cpu, <, 0.2 * (double)stop / G_USEC_PER_SEC * SLOW_HOST);
    g_assert_cmpuint(taken, <=, 100);
    for (unsigned i = 0; i < ARRAY_LEN(x4s); i++) {
        kill(x4s[i].pid, SIGCONT);
    }
    for (unsigned i = 0; i < ARRAY_LEN(x4s); i++) {
        x4_finish(&x4s[i]);
    }
}

/* --- L2: 64 ports ---------------------------------------------------------------------------------------------------- */

enum { L2_PORTS = 64, L2_TALKERS = 8, L2_STREAMS = 4, L2_MAX = 9000 };

struct l2 {
    struct bench *b;                /* a NIC, or ... */
    struct net_client *c, *port;    /* ... a stream with its far end here */
    struct reader r;
    uint32_t next[L2_TALKERS];
    uint64_t hash, frames;
};
static struct l2 *l2;
static uint64_t l2_disorder, l2_damaged;

static uint64_t hash_bytes(uint64_t h, const uint8_t *p, size_t n)
{
    for (; n >= 8; p += 8, n -= 8) {
        uint64_t v;

        memcpy(&v, p, 8);
        h = (h ^ v) * 0x9E3779B97F4A7C15;
        h ^= h >> 29;
    }
    while (n--) {
        h = (h ^ *p++) * 0x100000001B3;
    }
    return h;
}

/* Layout: 12 addresses, type, number, talker, hash of what follows, ... */
static void l2_got(struct l2 *me, const uint8_t *p, size_t len)
{
    uint32_t n = ld_be32(p + 14), from = p[18];

    g_assert_cmpuint(len, >=, 60);
    g_assert_cmpuint(from, <, L2_TALKERS);
    l2_disorder += n != me->next[from];
    me->next[from] = n + 1;
    me->frames++;
    if ((n + me->frames) % 16 == 0) {               /* whole frames: every sixteenth; heads and tails of all */
        l2_damaged += ld_be64(p + 20) != hash_bytes(n, p + 28, len - 28);
    }
    me->hash = hash_bytes(me->hash, p + 14, 14) ^ hash_bytes(len, p + len - 8, 8);
}

static enum net_tx l2_receive(void *opaque, const struct frame *f)
{
    static uint8_t flat[FRAME_MAX];

    if (f->iovcnt == 1) {
        l2_got(opaque, f->iov[0].iov_base, f->len);
    } else {
        frame_copy_out(f, 0, flat, f->len);
        l2_got(opaque, flat, f->len);
    }
    return NET_TX_DONE;
}

static void l2_link(void *opaque, bool up)
{
}

static void l2_tx_ready(void *opaque)
{
}

static uint32_t l2_offloads(void *opaque)
{
    return 0;
}

static size_t l2_frame(uint8_t *p, unsigned talker, uint32_t n, GRand *rand)
{
    size_t len = (size_t)(g_rand_int(rand) % 8 ? g_rand_int_range(rand, 60, 1515) : g_rand_int_range(rand, 60, L2_MAX + 1));
    uint64_t v = (uint64_t)n << 20 ^ talker ^ 0x5DEECE66D;

    memset(p, 0xFF, 6);
    memcpy(p + 6, (uint8_t[6]){ 0x52, 0, 0, 0, 0, (uint8_t)talker }, 6);
    st_be16(p + 12, 0x88B5);
    st_be32(p + 14, n);
    p[18] = (uint8_t)talker;
    p[19] = 0;
    for (size_t i = 28; i < len; i += 8) {
        v = v * 6364136223846793005 + 1442695040888963407;
        memcpy(p + i, &v, MIN(8, len - i));
    }
    st_be64(p + 20, hash_bytes(n, p + 28, len - 28));
    return len;
}

static void l2_read(void)
{
    for (unsigned i = 0; i < L2_STREAMS; i++) {
        const uint8_t *p;
        size_t len;

        while ((p = reader_frame(&l2[i].r, &len))) {
            l2_got(&l2[i], p, len);
        }
    }
}

/* 8 talkers, of them 4 behind stream wires, on a hub of 64 ports: nothing is lost below the bounds, nothing overtakes, all is whole. */
static void test_l2(void)
{
    static const struct nic_ops ops = { .receive = l2_receive, .link_changed = l2_link, .tx_ready = l2_tx_ready,
                                        .offloads = l2_offloads, .min_len = 60 };
    const char *env = g_getenv("PATCHBAY_TEST_L2_FRAMES");
    unsigned total = env ? (unsigned)atoi(env) : g_getenv("PATCHBAY_TEST_QUICK") || SLOW_HOST > 1 ? 8000 : 1000000;
    g_autoptr(GRand) rand = g_rand_new_with_seed(7);
    uint64_t deliveries = 0, lost = 0, expect = 0;
    uint32_t sent[L2_TALKERS] = { 0 };
    struct timespec t0, t1;
    double cpu;

    l2 = g_new0(struct l2, L2_PORTS);
    for (unsigned i = 0; i < L2_PORTS; i++) {
        struct l2 *s = &l2[i];

        if (i < L2_STREAMS) {
            g_autofree char *id = g_strdup_printf("l2s%u", i);

            s->c = pair_netdev(id, &s->r.fd);
            s->port = net_hub_add_port(64, NULL, s->c, NULL);
        } else {
            s->b = g_new0(struct bench, 1);
            s->port = s->b->conf.netdev = net_hub_add_port(64, NULL, NULL, NULL);
            s->b->nic = nic_new(&ops, &s->b->conf, "rig", NULL, s, NULL);
        }
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t0);
    for (unsigned n = 0; n < total; n++) {
        unsigned t = g_rand_int(rand) % L2_TALKERS;
        static uint8_t buf[4 + L2_MAX + 8];
        size_t len = l2_frame(buf + 4, t, sent[t]++, rand);

        if (t < L2_STREAMS) {
            framing_put_header(buf, (uint32_t)len);
            peer_write(l2[t].r.fd, buf, 4 + len);
        } else {
            struct frame f;

            frame_from_buf(&f, buf + 4, len);
            g_assert_cmpint(nic_send(l2[t].b->nic, &f), ==, NET_TX_DONE);
        }
        if (n % 16 == 15) {                         /* below the bounds: far ends read, queues are short */
            quiet();
            l2_read();
            quiet();
        }
    }
    for (unsigned i = 0; i < L2_PORTS; i++) {
        uint64_t want = total - (i < L2_TALKERS ? sent[i] : 0);

        WAIT((l2_read(), l2[i].frames >= want));
        g_assert_cmpuint(l2[i].frames, ==, want);
        lost += (i < L2_STREAMS ? l2[i].c : nic_client(l2[i].b->nic))->stats.drops[NET_DROP_QUEUE_FULL];
        deliveries += l2[i].frames;
        expect += want;
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t1);
    cpu = (double)(t1.tv_sec - t0.tv_sec) + (double)(t1.tv_nsec - t0.tv_nsec) / 1e9;
    for (unsigned i = L2_TALKERS + 1; i < L2_PORTS; i++) {
        g_assert_cmphex(l2[i].hash, ==, l2[L2_TALKERS].hash);       /* all listeners have seen the same, in the same order */
    }
    g_test_message("L2 %u frames to %d ports: %" G_GUINT64_FORMAT " deliveries, %" G_GUINT64_FORMAT " lost, %" G_GUINT64_FORMAT " out of order, %"
                   G_GUINT64_FORMAT " damaged, %.2f us CPU a delivery with both ends", total, L2_PORTS, deliveries, lost, l2_disorder, l2_damaged,
                   cpu * 1e6 / (double)deliveries);
    g_assert_cmpuint(deliveries, ==, expect);
    g_assert_cmpuint(lost, ==, 0);
    g_assert_cmpuint(l2_disorder, ==, 0);
    g_assert_cmpuint(l2_damaged, ==, 0);
    for (unsigned i = 0; i < L2_PORTS; i++) {
        struct l2 *s = &l2[i];

        nic_free(s->b ? s->b->nic : NULL);
        net_client_free(s->port);
        client_free(s->c);
        if (!s->b) {
            close(s->r.fd);
        }
        g_free(s->b);
    }
    g_free(l2);
}

int main(int argc, char **argv)
{
    int r;

    g_test_init(&argc, &argv, NULL);
    rig_setup();
    dir = g_dir_make_tmp("patchbay-bars-XXXXXX", NULL);
    g_test_add_func("/net/bars/Q1-zero-length", test_q1);
    g_test_add_func("/net/bars/Q3-hub-with-one-port", test_q3);
    g_test_add_func("/net/bars/Q4-order-on-hub", test_q4);
    g_test_add_func("/net/bars/Q5-bad-length", test_q5);
    g_test_add_func("/net/bars/P1-lengths", test_p1);
    g_test_add_func("/net/bars/X4-peer-stands-still", test_x4);
    g_test_add_func("/net/bars/L2-64-ports", test_l2);
    r = g_test_run();
    rmdir(dir);
    g_free(dir);
    return r;
}
