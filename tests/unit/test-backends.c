/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/test-backends.c - one conformance test over all backends: what a NIC may rely on, whatever is at the other end of its cable
 *
 * Each rig (tests/lib/backend_rig.h) goes through the same cases with a played NIC: every frame size, order under backpressure both ways, the
 * other end closing in mid-flight, coming back, and dying in every state of the NIC, deletion under traffic, 1,000 cycles. What a kind of
 * backend cannot do (a datagram socket cannot see its peer die) is said by the rig's flags, not by the cases.
 */
#include "backend_rig.h"
#include "core/clock.h"
#include "core/runstate.h"
#include "lib/bits.h"
#include "lib/bytes.h"
#include "net/info.h"
#include "net/nic.h"
#include "qapi/keyval.h"
#include "qapi/qapi-types.h"
#include "qapi/schema.h"
#include <dirent.h>
#include <fcntl.h>
#include <malloc.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <net/if.h>
#include <unistd.h>

enum { DEADLINE_S = 20 };

#ifdef __SANITIZE_ADDRESS__
enum { KEEPS_FREED = true };            /* for a while, to see uses of it */
#else
enum { KEEPS_FREED = false };
#endif

struct bench {
    struct outside o;
    struct nic *nic;
    struct nic_conf conf;
    GQueue rx;                          /* of GBytes: what the NIC got */
    bool busy;                          /* the NIC has no buffers */
    bool waiting;                       /* told BUSY: tx_ready() will come */
    bool arp;
    unsigned got;
    uint32_t next_in, next_out;         /* numbers of frames */
    int connected;                      /* events: CONNECTED minus DISCONNECTED */
    unsigned events;
};

static struct bench *cur;               /* for events */
static uint8_t scratch[RIG_ROOM], expected[RIG_ROOM];

/* --- the NIC ----------------------------------------------------------------------------------------------------- */

static enum net_tx receive(void *opaque, const struct frame *f)
{
    struct bench *b = opaque;
    uint8_t *p;

    if (b->busy) {
        return NET_TX_BUSY;
    }
    p = g_malloc(MAX(f->len, RIG_HDR));
    frame_copy_out(f, 0, p, f->len);
    g_assert_false(rig_is(b->o.rig, p, f->len, RIG_OUT));       /* our own frame came back */
    if (rig_guest_got(&b->o, p, f->len) && rig_is(b->o.rig, p, f->len, RIG_IN)) {
        g_queue_push_tail(&b->rx, g_bytes_new_take(p, f->len));
        b->got++;
    } else {
        g_free(p);
    }
    return NET_TX_DONE;
}

static void link_changed(void *opaque, bool up)
{
}

static void tx_ready(void *opaque)
{
    ((struct bench *)opaque)->waiting = false;
}

static uint32_t offloads(void *opaque)
{
    return 0;
}

static const struct nic_ops nic_ops = { .receive = receive, .link_changed = link_changed, .tx_ready = tx_ready, .offloads = offloads };

static void sink(void *opaque, enum qapi_event ev, struct jval *data)
{
    if (cur && (ev == QAPI_EVENT_NETDEV_STREAM_CONNECTED || ev == QAPI_EVENT_NETDEV_STREAM_DISCONNECTED)) {
        g_assert_cmpstr(jval_get_str(data, "netdev-id"), ==, "x");
        cur->connected += ev == QAPI_EVENT_NETDEV_STREAM_CONNECTED ? 1 : -1;
        cur->events++;
    }
    jval_free(data);
}

static enum net_tx nic_tx(struct bench *b, const void *p, size_t len)
{
    struct frame f;
    enum net_tx r;

    if (!frame_from_buf(&f, p, len)) {
        return NET_TX_DROP;             /* no NIC can send this */
    }
    r = nic_send(b->nic, &f);
    b->waiting |= r == NET_TX_BUSY;
    return r;
}

/* --- time -------------------------------------------------------------------------------------------------------- */

static void turn(struct bench *b)
{
    uint8_t arp[60];

    if (!loop_iterate(false)) {
        g_usleep(50);
    }
    if (b->o.answer_arp && b->nic) {
        b->o.answer_arp = false;
        nic_tx(b, arp, rig_arp_reply(arp));
    }
}

static void turns(struct bench *b, unsigned n)
{
    while (n--) {
        turn(b);
    }
}

#define WAIT_FOR(b, cond)                                                                                              \
    do {                                                                                                               \
        gint64 wait_end = g_get_monotonic_time() + DEADLINE_S * G_USEC_PER_SEC;                                       \
        while (!(cond)) {                                                                                              \
            if (g_get_monotonic_time() > wait_end) {                                                                   \
                g_autoptr(GString) wait_text = g_string_new(NULL);                                                     \
                net_print_info(wait_text);                                                                             \
                net_print_stats(wait_text);                                                                            \
                g_error("%s: not within %d s: %s\n%s", (b)->o.rig->name, DEADLINE_S, #cond, wait_text->str);           \
            }                                                                                                          \
            turn(b);                                                                                                   \
        }                                                                                                              \
    } while (0)

/* --- building and tearing down ----------------------------------------------------------------------------------- */

static bool make(const char *opts, Error **errp)
{
    Netdev *cfg = opts_parse(&qapi_type_Netdev, opts, "type", errp);
    bool ok = cfg && netdev_create(cfg, errp);

    qapi_free_Netdev(cfg);
    return ok;
}

static void add_netdev(struct bench *b)
{
    Error *err = NULL;

    if (!make(b->o.opts, &err)) {
        g_error("%s: %s", b->o.opts, error_text(err));
    }
}

static void add_nic(struct bench *b)
{
    b->conf = (struct nic_conf){ .mac = { 0x52, 0x54, 0, 0x12, 0x34, 0x56 }, .netdev = net_client_find("x") };
    g_assert_nonnull(b->conf.netdev);
    b->nic = nic_new(&nic_ops, &b->conf, "m", "n", b, NULL);
    g_assert_nonnull(b->nic);
}

static void connect_both(struct bench *b)
{
    WAIT_FOR(b, rig_open(&b->o));
    if (b->o.rig->flags & RIG_SEES_DEATH) {
        WAIT_FOR(b, net_client_link_up(net_client_find("x")));
    }
    if (b->o.rig->flags & RIG_EVENTS) {
        WAIT_FOR(b, b->connected == 1);
    }
}

/* false: cannot be tested here, and the test is marked as skipped */
static bool setup_parts(struct bench *b, const struct rig *r)
{
    *b = (struct bench){ 0 };
    cur = b;
    if (!rig_prepare(&b->o, r)) {
        g_test_skip(b->o.skip);
        rig_fini(&b->o);
        return false;
    }
    return true;
}

static bool setup(struct bench *b, const struct rig *r)
{
    if (!setup_parts(b, r)) {
        return false;
    }
    add_netdev(b);
    add_nic(b);
    connect_both(b);
    return true;
}

static void forget_received(struct bench *b)
{
    GBytes *x;

    while ((x = g_queue_pop_head(&b->rx))) {
        g_bytes_unref(x);
    }
}

static void teardown(struct bench *b)
{
    nic_free(g_steal_pointer(&b->nic));
    if (net_client_find("x")) {
        g_assert_true(netdev_del("x", NULL));
    }
    rig_fini(&b->o);
    turns(b, 3);
    forget_received(b);
    g_assert_null(net_client_find("x"));
    cur = NULL;
}

/* --- frames ------------------------------------------------------------------------------------------------------ */

static void outside_sends(struct bench *b, size_t len)
{
    rig_fill(b->o.rig, scratch, len, RIG_IN, b->next_in++);
    WAIT_FOR(b, rig_send(&b->o, scratch, len));
}

static enum net_tx nic_sends(struct bench *b, size_t len)
{
    enum net_tx r;

    rig_fill(b->o.rig, scratch, len, RIG_OUT, b->next_out);
    rig_dress(&b->o, scratch, len);
    r = nic_tx(b, scratch, len);
    b->next_out += r != NET_TX_BUSY;
    return r;
}

/* The next frame at the NIC is number @seq, @len bytes, every byte right. */
static void expect_in(struct bench *b, uint32_t seq, size_t len)
{
    GBytes *x;

    WAIT_FOR(b, !g_queue_is_empty(&b->rx));
    x = g_queue_pop_head(&b->rx);
    rig_fill(b->o.rig, expected, len, RIG_IN, seq);
    g_assert_cmpuint(g_bytes_get_size(x), ==, len);
    g_assert_true(!memcmp(g_bytes_get_data(x, NULL), expected, len));
    g_bytes_unref(x);
}

static void expect_out(struct bench *b, uint32_t seq, size_t len)
{
    ssize_t n;

    WAIT_FOR(b, (n = rig_recv(&b->o, scratch, sizeof(scratch))) >= 0);
    rig_fill(b->o.rig, expected, len, RIG_OUT, seq);
    g_assert_cmpint(n, ==, (ssize_t)len);
    g_assert_true(!memcmp(scratch, expected, len));
}

/* A frame each way. Datagrams may be lost when a peer comes or goes: then another one does. */
static void check_works(struct bench *b)
{
    gint64 end = g_get_monotonic_time() + DEADLINE_S * G_USEC_PER_SEC;
    bool in = false, out = false;
    unsigned n = 0;

    forget_received(b);
    while (!in || !out) {
        ssize_t len;

        g_assert_cmpint(g_get_monotonic_time(), <, end);
        if (n++ % 256 == 0) {
            nic_sends(b, 100);
            rig_fill(b->o.rig, scratch, 101, RIG_IN, b->next_in++);
            rig_send(&b->o, scratch, 101);
        }
        turn(b);
        while ((len = rig_recv(&b->o, scratch, sizeof(scratch))) >= 0) {
            out |= rig_seq(scratch) + 1 == b->next_out;
        }
        while (!g_queue_is_empty(&b->rx)) {
            GBytes *x = g_queue_pop_head(&b->rx);

            in |= g_bytes_get_size(x) >= RIG_SEQ && rig_seq(g_bytes_get_data(x, NULL)) + 1 == b->next_in;
            g_bytes_unref(x);
        }
    }
}

/* --- sizes ------------------------------------------------------------------------------------------------------- */

/*
 * One frame of @len bytes and one of 100 behind it, each way. What is within the backend's limits arrives, and every byte of it is right; what
 * is not may arrive (right) or not; the frame behind it always does.
 */
static void one_size(struct bench *b, size_t len)
{
    const struct rig *r = b->o.rig;
    uint32_t seq = b->next_in;
    ssize_t n;

    if (len <= RIG_FRAME_MAX || !(r->flags & RIG_SEES_DEATH)) {     /* too long for a stream: the peer is thrown out, as it should be */
        outside_sends(b, len);
        outside_sends(b, 100);
        if (len >= r->min_in && len <= r->max_in) {
            expect_in(b, seq, len);
        }
        WAIT_FOR(b, !g_queue_is_empty(&b->rx));
        if (g_bytes_get_size(g_queue_peek_head(&b->rx)) != 100 && r->flags & RIG_CUTS) {
            g_assert_cmpuint(len, >, r->max_in);
            g_bytes_unref(g_queue_pop_head(&b->rx));
        } else if (g_bytes_get_size(g_queue_peek_head(&b->rx)) != 100) {
            expect_in(b, seq, len);
        }
        expect_in(b, seq + 1, 100);
    }
    if (r->flags & RIG_ROUTED && len > 14 + 65535) {
        return;                         /* no IP packet */
    }
    seq = b->next_out;
    WAIT_FOR(b, !b->waiting && nic_sends(b, len) != NET_TX_BUSY);
    WAIT_FOR(b, !b->waiting && nic_sends(b, 100) != NET_TX_BUSY);
    if (len >= r->min_in && len <= r->max_out) {
        expect_out(b, seq, len);
    }
    WAIT_FOR(b, (n = rig_recv(&b->o, scratch, sizeof(scratch))) >= 0);
    if (n != 100) {
        g_assert_true(n == (ssize_t)len || (r->flags & RIG_CUTS && len > r->max_out));
        g_assert_cmpuint(len, >=, 14);
        WAIT_FOR(b, (n = rig_recv(&b->o, scratch, sizeof(scratch))) >= 0);
    }
    g_assert_cmpint(n, ==, 100);
    g_assert_cmpuint(rig_seq(scratch), ==, seq + 1);
}

static void test_sizes(gconstpointer r)
{
    static const unsigned sizes[] = { 0, 1, 13, 14, 15, 59, 60, 61, 64, 1513, 1514, 1515, 1518, 1522, 4096, 9018, 16384, 32768, 65507, 65508, 65535,
                                      65536, 65550, 65599, 65600, 65601, 66000, 69632 };
    struct bench b;

    if (!setup(&b, r)) {
        return;
    }
    check_works(&b);
    for (unsigned i = 0; i < ARRAY_LEN(sizes); i++) {
        if (sizes[i] != 100) {
            one_size(&b, sizes[i]);
        }
    }
    for (unsigned i = 0; i < 200; i++) {
        unsigned len = (unsigned)g_test_rand_int_range(0, i % 4 ? 1600 : RIG_FRAME_MAX + 1);

        one_size(&b, len == 100 ? 101 : len);
    }
    teardown(&b);
}

/* --- order and backpressure -------------------------------------------------------------------------------------- */

/* The NIC has no buffers for a while: what a lossless backend has accepted arrives, nothing overtakes. */
static void test_order_in(gconstpointer rp)
{
    const struct rig *r = rp;
    struct bench b;
    uint32_t next = 0;
    unsigned sent = 0;

    if (!setup(&b, r)) {
        return;
    }
    check_works(&b);
    b.next_in = 0;
    for (unsigned round = 0; round < 10; round++) {
        b.busy = true;
        for (unsigned i = 0; i < 300; i++) {
            size_t len = (size_t)g_test_rand_int_range(60, 1514);

            rig_fill(r, scratch, len, RIG_IN, b.next_in);
            if (rig_send(&b.o, scratch, len)) {
                b.next_in++;
                sent++;
            }
            if (i % 16 == 0) {
                turn(&b);
            }
        }
        b.busy = false;
        nic_rx_ready(b.nic);
        for (unsigned i = 0; i < 100 || (r->flags & RIG_LOSSLESS_IN && b.rx.length < sent); i++) {
            turn(&b);
            rig_raw(&b.o, "", 0);               /* what the outside still holds back */
            g_assert_cmpuint(i, <, 400000);
        }
        while (!g_queue_is_empty(&b.rx)) {
            GBytes *x = g_queue_pop_head(&b.rx);
            uint32_t seq = rig_seq(g_bytes_get_data(x, NULL));

            g_assert_cmpuint(seq, >=, next);
            g_assert_true(!(r->flags & RIG_LOSSLESS_IN) || seq == next);
            next = seq + 1;
            g_bytes_unref(x);
        }
        sent = 0;
    }
    check_works(&b);
    teardown(&b);
}

/* The outside does not read: the NIC is told to wait, or frames are lost and counted; what arrives is in order. */
static void test_order_out(gconstpointer rp)
{
    const struct rig *r = rp;
    struct bench b;
    uint32_t next = 0;

    if (!setup(&b, r)) {
        return;
    }
    check_works(&b);
    b.next_out = 0;
    for (unsigned round = 0; round < 10; round++) {
        unsigned idle = 0;

        for (unsigned i = 0; i < 4000 && !b.waiting; i++) {
            size_t len = (size_t)g_test_rand_int_range(60, 1514);

            nic_sends(&b, len);
            if (i % 16 == 0) {
                turn(&b);
            }
        }
        while (idle < 100 || (r->flags & RIG_LOSSLESS_OUT && next != b.next_out)) {
            ssize_t n = rig_recv(&b.o, scratch, sizeof(scratch));

            idle = n < 0 ? idle + 1 : 0;
            g_assert_cmpuint(idle, <, 100000);
            if (n < 0) {
                turn(&b);
                continue;
            }
            g_assert_cmpuint(rig_seq(scratch), >=, next);
            g_assert_true(!(r->flags & RIG_LOSSLESS_OUT) || rig_seq(scratch) == next);
            next = rig_seq(scratch) + 1;
        }
        WAIT_FOR(&b, !b.waiting);
    }
    check_works(&b);
    teardown(&b);
}

/* --- the other end goes and comes -------------------------------------------------------------------------------- */

static void fill_both_ways(struct bench *b)
{
    for (unsigned i = 0; i < 200; i++) {
        if (!b->waiting) {
            nic_sends(b, 1000);
        }
        rig_fill(b->o.rig, scratch, 1000, RIG_IN, b->next_in++);
        rig_send(&b->o, scratch, 1000);
    }
}

static void expect_gone(struct bench *b)
{
    if (b->o.rig->flags & RIG_SEES_DEATH) {
        WAIT_FOR(b, !net_client_link_up(net_client_find("x")));
    }
    if (b->o.rig->flags & RIG_EVENTS) {
        WAIT_FOR(b, b->connected == 0);
    }
    turns(b, 20);
    WAIT_FOR(b, !b->waiting);           /* nobody waits for somebody who is not there */
}

/* Half a header, half a frame, and a lot of whole ones are on the way when the other end goes; then it comes back. */
static void test_close_in_flight(gconstpointer rp)
{
    const struct rig *r = rp;
    struct bench b;

    if (!setup(&b, r)) {
        return;
    }
    for (unsigned i = 0; i < 8; i++) {
        check_works(&b);
        if (i % 4) {
            rig_raw(&b.o, "\0\0\1\0abcdefgh", i % 4 == 1 ? 2 : i % 4 == 2 ? 4 : 9);
        }
        if (i >= 4) {
            fill_both_ways(&b);
        }
        turns(&b, i % 3);
        rig_close(&b.o);
        expect_gone(&b);
        if (!(r->flags & RIG_REOPENS)) {
            break;
        }
        connect_both(&b);
    }
    if (r->flags & RIG_REOPENS) {
        check_works(&b);
    }
    teardown(&b);
}

enum nic_state { RX_ON, RX_OFF, RX_OFF_QUEUED, LINK_OFF, STOPPED, UNPLUGGED, NIC_STATES };

static void enter(struct bench *b, enum nic_state s)
{
    switch (s) {
    case RX_ON:
        break;
    case RX_OFF_QUEUED:
    case RX_OFF:
        b->busy = true;
        if (s == RX_OFF_QUEUED) {       /* far beyond what queues and socket buffers hold */
            for (unsigned i = 0; i < 3000; i++) {
                rig_fill(b->o.rig, scratch, 1400, RIG_IN, b->next_in++);
                if (!rig_send(&b->o, scratch, 1400)) {
                    turn(b);
                }
            }
        } else {
            outside_sends(b, 200);
        }
        turns(b, 10);
        break;
    case LINK_OFF:
        g_assert_true(net_set_link("n", false, NULL));
        break;
    case STOPPED:
        runstate_set(RUN_STATE_PAUSED);
        outside_sends(b, 200);
        turns(b, 10);
        break;
    case UNPLUGGED:
        nic_free(g_steal_pointer(&b->nic));
        break;
    case NIC_STATES:
        break;
    }
}

static void leave(struct bench *b, enum nic_state s)
{
    b->busy = false;
    net_set_link("n", true, NULL);
    runstate_set(RUN_STATE_RUNNING);
    if (s == UNPLUGGED) {
        add_nic(b);
    }
    nic_rx_ready(b->nic);
    turns(b, 10);
}

/* Q2: a peer's death is noticed whatever the NIC does, and when the NIC works again, so does the wire. */
static void test_death(gconstpointer rp)
{
    const struct rig *r = rp;
    struct bench b;

    for (enum nic_state s = 0; s < NIC_STATES; s++) {
        if (!setup(&b, r)) {
            return;
        }
        check_works(&b);
        enter(&b, s);
        (s == RX_OFF_QUEUED ? rig_abort : rig_close)(&b.o);
        if (r->flags & RIG_SEES_DEATH) {
            WAIT_FOR(&b, net_client_find("x")->no_carrier);
        }
        if (r->flags & RIG_EVENTS) {
            WAIT_FOR(&b, b.connected == 0);
        }
        turns(&b, 20);
        if (r->flags & RIG_REOPENS) {
            WAIT_FOR(&b, rig_open(&b.o));
            if (r->flags & RIG_EVENTS) {
                WAIT_FOR(&b, b.connected == 1);
            }
            leave(&b, s);
            if (r->flags & RIG_SEES_DEATH) {
                WAIT_FOR(&b, nic_link_up(b.nic));
            }
            check_works(&b);
        } else {
            leave(&b, s);
        }
        teardown(&b);
    }
}

/* --- deletion ---------------------------------------------------------------------------------------------------- */

/* netdev_del and unplug while frames are on the way both ways, in both orders. */
static void test_delete_under_traffic(gconstpointer rp)
{
    const struct rig *r = rp;
    struct bench b;

    if (KEEPS_FREED && r->flags & RIG_ROUTED) {
        g_test_skip("a libslirp that frees packets which wait for ARP when it ends: LeakSanitizer sees them");
        return;
    }
    for (unsigned i = 0; i < 12; i++) {
        if (!setup(&b, r)) {
            return;
        }
        b.busy = i % 3 == 1;
        fill_both_ways(&b);
        turns(&b, i / 4);
        if (i % 2) {
            g_assert_true(netdev_del("x", NULL));
            g_assert_false(nic_link_up(b.nic));
            g_assert_cmpint(nic_sends(&b, 100), ==, NET_TX_DROP);
            turns(&b, 5);
            g_assert_false(b.waiting && b.nic && nic_client(b.nic)->tx_waiting);
        } else {
            nic_free(g_steal_pointer(&b.nic));
            turns(&b, 5);
        }
        teardown(&b);
    }
}

static unsigned count_fds(void)
{
    DIR *d = opendir("/proc/self/fd");
    unsigned n = 0;

    while (readdir(d)) {
        n++;
    }
    closedir(d);
    return n;
}

static long rss_kib(void)
{
    g_autofree char *text = NULL;
    long size, rss;

    malloc_trim(0);
    g_assert_true(g_file_get_contents("/proc/self/statm", &text, NULL, NULL));
    g_assert_cmpint(sscanf(text, "%ld %ld", &size, &rss), ==, 2);
    return rss * (sysconf(_SC_PAGESIZE) / 1024);
}

/* Descriptors, memory and heap stay where they are over 1,000 netdev_add and netdev_del, with traffic in some. */
static void test_cycles(gconstpointer rp)
{
    const struct rig *r = rp;
    unsigned fds = 0, cycles = r->flags & RIG_SLOW_START ? 60 : 1000, warm = cycles / 5;
    size_t heap = 0;
    long rss = 0;
    struct bench b;

    for (unsigned i = 0; i < cycles; i++) {
        if (i == warm) {
            fds = count_fds();
            rss = rss_kib();
            heap = mallinfo2().uordblks;
        }
        if (!setup_parts(&b, r)) {
            return;
        }
        add_netdev(&b);
        add_nic(&b);
        if (i % 4) {
            connect_both(&b);
        }
        if (i % 4 == 2) {
            nic_sends(&b, 1000);
            outside_sends(&b, 1000);
        }
        if (i % 4 == 3) {
            rig_close(&b.o);
        }
        teardown(&b);
    }
    g_assert_cmpuint(count_fds(), ==, fds);
    if (!KEEPS_FREED) {
        g_assert_cmpint(rss_kib(), <=, rss + 1024);
        g_assert_cmpuint(mallinfo2().uordblks, <=, heap + 32 * 1024);
    }
}

/* --- bad options ------------------------------------------------------------------------------------------------- */

static const struct {
    const char *opts, *error;
} bad[] = {
    { "user,id=x,net=zz", NULL },
    { "user,id=x,nosuch=1", "Invalid parameter 'nosuch'" },
    { "nosuch,id=x", "Parameter 'type' does not accept value 'nosuch'" },
    { "user", "Parameter 'id' is missing" },
    { "user,id=x,link=zz", "Parameter 'link' does not accept value 'zz'" },
    { "hubport,id=x", "Parameter 'hubid' is missing" },
    { "hubport,id=x,hubid=-1", "Parameter 'hubid' expects uint32_t" },
    { "hubport,id=x,hubid=9,netdev=zz", "netdev 'zz' not found" },
    { "switch,id=x", "Parameter 'switchid' is missing" },
    { "switch,id=x,switchid=9,vlan=65536", "Parameter 'vlan' expects uint16_t" },
    { "switch,id=x,switchid=9,vlan=4095", "Parameter 'vlan' expects a value between 1 and 4094" },
    { "switch,id=x,switchid=9,trunk=10-4095", "Parameter 'trunk' expects VLANs between 1 and 4094 as in 1:2:10-20, or 'all'" },
    { "switch,id=x,switchid=9,netdev=zz", "netdev 'zz' not found" },
    { "socket,id=x", "exactly one of listen=, connect=, mcast= or udp= is required" },
    { "socket,id=x,listen=:1,connect=:2", "exactly one of listen=, connect=, mcast= or udp= is required" },
    { "socket,id=x,listen=:1,localaddr=127.0.0.1", "localaddr= is only valid with mcast= or udp=" },
    { "socket,id=x,udp=127.0.0.1:1", "localaddr= is mandatory with udp=" },
    { "socket,id=x,listen=1234", "host address '1234' doesn't contain ':' separating host from port" },
    { "socket,id=x,connect=127.0.0.1:abc", "port number 'abc' is invalid" },
    { "socket,id=x,mcast=1.2.3.4:5", "specified mcastaddr 1.2.3.4 (0x01020304) does not contain a multicast address" },
    { "socket,id=x,mcast=230.0.0.1:1234,localaddr=zz", "localaddr 'zz' is not a valid IPv4 address" },
    { "socket,id=x,listen=1.2.3.4:5", "can't bind ip=1.2.3.4 to socket: Cannot assign requested address" },
    { "socket,id=x,fd=999", NULL },
    { "socket,id=x,fd=0", "can't get socket option SO_TYPE: Socket operation on non-socket" },
    { "stream,id=x", "Parameter 'addr' is missing" },
    { "stream,id=x,addr.type=zz", "Parameter 'type' does not accept value 'zz'" },
    { "stream,id=x,addr.type=unix", "Parameter 'addr.path' is missing" },
    { "stream,id=x,server=on,reconnect-ms=5,addr.type=unix,addr.path=/zz", "'reconnect-ms' option is incompatible with socket in server mode" },
    { "stream,id=x,reconnect=1,reconnect-ms=5,addr.type=unix,addr.path=/zz", "'reconnect' and 'reconnect-ms' are mutually exclusive" },
    { "stream,id=x,addr.type=fd,addr.str=zz", NULL },
    { "dgram,id=x", "dgram requires local= parameter" },
    { "dgram,id=x,local.type=inet,local.host=127.0.0.1,local.port=1", "type=inet or type=unix requires remote parameter" },
    { "dgram,id=x,local.type=inet,local.host=127.0.0.1,local.port=1,remote.type=unix,remote.path=/zz",
      "remote and local types must be the same" },
    { "dgram,id=x,local.type=fd,local.str=0,remote.type=unix,remote.path=/zz", "don't set remote with local.fd" },
    { "dgram,id=x,remote.type=unix,remote.path=/zz", "multicast only support inet type" },
    { "dgram,id=x,remote.type=inet,remote.host=230.0.0.1,remote.port=1,local.type=unix,local.path=/zz", "only support inet or fd type for local" },
    { "l2tpv3,id=x,src=127.0.0.1", "Parameter 'dst' is missing" },
    { "l2tpv3,id=x,src=127.0.0.1,dst=127.0.0.1", "Parameter 'txsession' is missing" },
    { "l2tpv3,id=x,src=127.0.0.1,dst=127.0.0.1,txsession=1,udp=on", "need both src and dst port for udp" },
    { "l2tpv3,id=x,src=127.0.0.1,dst=127.0.0.1,txsession=1,udp=on,srcport=1,dstport=2,offset=256", "offset must be less than 256 bytes" },
    { "l2tpv3,id=x,src=127.0.0.1,dst=127.0.0.1,txsession=1,udp=on,srcport=1,dstport=2,rxcookie=1",
      "require both 'rxcookie' and 'txcookie' or neither" },
    { "vde,id=x,port=70000", "Parameter 'port' expects uint16_t" },
    { "tap,id=x,fd=7,ifname=zz", NULL },
    { "tap,id=x,queues=0", NULL },
    { "tap,id=x,ifname=a-name-that-is-too-long", NULL },
};

static void test_bad_options(void)
{
    unsigned fds = count_fds();

    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        Error *err = NULL;

        g_assert_false(make(bad[i].opts, &err));
        g_assert_nonnull(err);
        g_test_message("%s: %s", bad[i].opts, error_text(err));
        if (bad[i].error && strcmp(error_text(err), bad[i].error)) {
            g_test_message("expected: %s", bad[i].error);
            g_test_fail();
        }
        error_free(err);
        g_assert_null(net_client_find("x"));
        g_assert_cmpuint(count_fds(), ==, fds);
    }
}

/* --- all of it --------------------------------------------------------------------------------------------------- */

/* Root gets a network of its own, with a loopback that takes multicast. */
static void own_network(void)
{
    struct ifreq r = { .ifr_name = "lo" };
    int fd;

    if (geteuid() || unshare(CLONE_NEWNET)) {
        return;
    }
    fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    r.ifr_flags = IFF_UP | IFF_LOOPBACK | IFF_MULTICAST;
    g_assert_cmpint(ioctl(fd, SIOCSIFFLAGS, &r), ==, 0);
    close(fd);
    fd = open("/proc/sys/net/ipv6/conf/default/disable_ipv6", O_WRONLY | O_CLOEXEC);   /* no frames of the kernel's own on taps */
    if (fd >= 0) {
        g_assert_cmpint(write(fd, "1", 1), ==, 1);
        close(fd);
    }
}

static void add_cases(const struct rig *r)
{
    static const struct {
        const char *name;
        void (*fn)(gconstpointer r);
        unsigned needs;                 /* RIG_* */
    } cases[] = {
        { "sizes", test_sizes }, { "order-in", test_order_in }, { "order-out", test_order_out },
        { "close-in-flight", test_close_in_flight, RIG_CLOSES }, { "death", test_death, RIG_CLOSES }, { "delete-under-traffic", test_delete_under_traffic }, { "cycles", test_cycles },
    };

    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        g_autofree char *path = g_strdup_printf("/backends/%s/%s", r->name, cases[i].name);

        if ((r->flags & cases[i].needs) == cases[i].needs) {
            g_test_add_data_func(path, r, cases[i].fn);
        }
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    own_network();
    loop_init();
    runstate_set(RUN_STATE_RUNNING);
    qapi_event_set_sink(sink, NULL);
    g_test_add_func("/backends/bad-options", test_bad_options);
    for (unsigned i = 0; rigs[i]; i++) {
        add_cases(rigs[i]);
    }
    return g_test_run();
}
