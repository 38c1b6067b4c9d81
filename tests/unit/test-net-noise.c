/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/test-net-noise.c - security bar P2: 100,000 random frames of each protocol from a hostile peer
 *
 * The peer writes them to a stream wire; behind it is a hub with the user-mode stack, an e1000 or a virtio-net, each with the receiver on for
 * everything. For each kind: CPU seconds of the main loop and of the devices (not of making the frames), the longest turn of the loop, growth of
 * the process. Then a good frame gets through at once. As root all of it happens in a network namespace without a way out; else the stack is
 * restricted.
 */
#include "wire-rig.h"
#include "config-host.h"
#include "lib/bits.h"
#include "net/hub.h"
#include "net/offload/csum.h"
#include "tests/lib/e1000_bench.h"
#include "tests/lib/vnet_rig.h"
#include <sched.h>
#include <time.h>

#ifdef __SANITIZE_ADDRESS__
enum { FRAMES = 5000, BAR_MS = 5000 };
#else
enum { FRAMES = 100000, BAR_MS = 2000 };        /* the bar is 500 ms on a quiet machine */
#endif
enum { LONGEST = 1514, BATCH = 256, GROWTH_KIB = 4096, TURN_MS = 250 };

/* --- frames ------------------------------------------------------------------------------------------------------- */

enum kind { ARP, IP4_TCP, IP4_UDP, IP4_ICMP, IP4_PIECES, IP6_TCP, IP6_UDP, IP6_ICMP, IP6_EXT, VLAN, LLC, ANY_TYPE, TRUNCATED, KINDS };
static const char *const kinds[KINDS] = {
    "ARP", "IPv4 TCP", "IPv4 UDP", "IPv4 ICMP", "IPv4 fragments", "IPv6 TCP", "IPv6 UDP", "IPv6 ICMP", "IPv6 extension headers", "VLAN", "LLC",
    "random EtherType", "truncated",
};

static uint64_t seed = 0x9E3779B97F4A7C15;

static uint64_t rnd(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed;
}

static void noise(uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i += 8) {
        uint64_t v = rnd();

        memcpy(p + i, &v, MIN(8, len - i));
    }
}

/* Header fields that would end it at the first check otherwise: most of the time right */
static void tidy(uint8_t *l4, size_t len, unsigned proto)
{
    uint64_t r = rnd();

    if (proto == 17 && r & 7) {
        st_be16(l4 + 4, (uint16_t)len);
    } else if (proto == 6 && r & 7) {
        l4[12] = (uint8_t)(0x50 + (r & 0x30));
        l4[13] = (r >> 8) & 1 ? 2 : (uint8_t)(r >> 16);         /* SYN, or anything */
    }
}

/* The whole of @p is random; this makes it a header of IPv4 with lengths and checksums that are right more often than not. */
static void ip4(uint8_t *p, size_t len, unsigned proto, bool pieces)
{
    uint64_t r = rnd();
    unsigned ihl = r & 7 ? 5 : (r >> 3) & 15;

    p[0] = (uint8_t)(0x40 | ihl);
    st_be16(p + 2, (uint16_t)((r >> 8) & 7 ? len : r >> 16));
    if (!pieces) {
        st_be16(p + 6, 0);
    }
    p[9] = (uint8_t)proto;
    memcpy(p + 12, (uint8_t[4]){ 10, 0, 2, 15 }, (r >> 32) & 3 ? 4 : 2);
    memcpy(p + 16, (uint8_t[4]){ 10, 0, 2, 2 }, (r >> 34) & 1 ? 4 : (r >> 35) & 1 ? 3 : 0);
    if (((r >> 40) & 7) == 0 || ihl * 4 > len || ihl < 5) {
        return;
    }
    csum_ip4_header(p, ihl * 4);
    if (!pieces && ihl == 5 && proto != 1 && len > 40) {
        size_t at = proto == 6 ? 16 : 6;

        tidy(p + 20, len - 20, proto);
        st_be16(p + 20 + at, 0);
        csum_store(p + 20 + at, csum_add(csum_pseudo(p, PKT_L3_IP4, (uint8_t)proto, (uint32_t)(len - 20)), p + 20, len - 20));
    } else if (!pieces && ihl == 5 && len > 28) {
        st_be16(p + 22, 0);
        csum_store(p + 22, csum_add(0, p + 20, len - 20));
    }
}

static void ip6(uint8_t *p, size_t len, unsigned next)
{
    uint64_t r = rnd();

    p[0] = 0x60;
    st_be16(p + 4, (uint16_t)(r & 7 ? len - 40 : r >> 8));
    p[6] = (uint8_t)next;
    p[7] = r & 56 ? 255 : p[7];
    memcpy(p + 8, (uint8_t[16]){ 0xFE, (r >> 24) & 1 ? 0xC0 : 0x80, [15] = 0x15 }, (r >> 32) & 3 ? 16 : 8);
    if ((r >> 25) & 3) {
        memcpy(p + 24, (uint8_t[8]){ 0xFE, (r >> 27) & 1 ? 0xC0 : 0x80 }, 8);       /* a neighbour nobody has */
    }
    if (next == 58 && (r >> 36) & 1) {          /* neighbour solicitation or advertisement, router solicitation, echo; no options */
        p[40] = ((uint8_t[]){ 135, 136, 133, 128 })[(r >> 38) & 3];
        p[41] = 0;
        st_be16(p + 4, 24);
        len = 64;
    }
    if ((r >> 28) & 7 && len >= 64 && (next == 6 || next == 17 || next == 58)) {
        size_t at = 40 + (next == 6 ? 16 : next == 17 ? 6 : 2);

        tidy(p + 40, len - 40, next);
        st_be16(p + at, 0);
        csum_store(p + at, csum_add(csum_pseudo(p, PKT_L3_IP6, (uint8_t)next, (uint32_t)(len - 40)), p + 40, len - 40));
    }
}

/* Return: length of a frame of @k; below 14 only for TRUNCATED */
static size_t make(enum kind k, uint8_t *p)
{
    static const uint16_t types[] = { 0x0800, 0x0806, 0x86DD, 0x8100, 0x88A8, 0x8863, 0x8847, 0x88F8 };
    static const uint8_t protocols[] = { 1, 6, 17, 2 }, extensions[] = { 0, 43, 44, 60, 51, 59, 135, 139 };
    uint64_t r = rnd();
    size_t len = r & 31 ? 74 + (r >> 8) % 80 : 60 + (r >> 8) % (LONGEST - 59);

    noise(p, len);
    switch ((r >> 40) & 7) {
    case 0:
        memset(p, 0xFF, 6);
        break;
    case 1:
        memcpy(p, (uint8_t[2]){ 0x33, 0x33 }, 2);
        break;
    case 2: case 3:
        memcpy(p, rig_mac, 6);
        break;
    case 4: case 5: case 6:
        memcpy(p, (uint8_t[6]){ 0x52, 0x55, 10, 0, 2, 2 }, 6);
        break;
    }
    p[6] &= 0xFE;
    switch (k) {
    case ARP:
        st_be16(p + 12, 0x0806);
        memcpy(p + 14, (uint8_t[8]){ 0, 1, 8, 0, 6, 4, 0, 1 + ((r >> 48) & 1) }, (r >> 49) & 3 ? 8 : 0);
        memcpy(p + 28, (uint8_t[2]){ 10, 0 }, 2);
        memcpy(p + 38, (uint8_t[3]){ 10, 0, 2 }, 3);
        return (r >> 52) & 1 ? 42 : 60;
    case IP4_TCP: case IP4_UDP: case IP4_ICMP: case IP4_PIECES:
        st_be16(p + 12, 0x0800);
        ip4(p + 14, len - 14, k == IP4_TCP ? 6 : k == IP4_UDP ? 17 : k == IP4_ICMP ? 1 : protocols[(r >> 48) & 3], k == IP4_PIECES);
        return len;
    case IP6_TCP: case IP6_UDP: case IP6_ICMP: case IP6_EXT:
        st_be16(p + 12, 0x86DD);
        ip6(p + 14, len - 14, k == IP6_TCP ? 6 : k == IP6_UDP ? 17 : k == IP6_ICMP ? 58 : extensions[(r >> 48) & 7]);
        return len;
    case VLAN:
        st_be16(p + 12, (r >> 48) & 1 ? 0x8100 : 0x88A8);
        st_be16(p + 16, types[(r >> 49) & 7]);
        return len;
    case LLC:
        st_be16(p + 12, (uint16_t)((r >> 48) % 1536));
        return len;
    case ANY_TYPE:
        return len;
    case TRUNCATED:
        st_be16(p + 12, types[(r >> 48) & 7]);
        return (r >> 52) % 60;
    case KINDS:
        break;
    }
    g_assert_not_reached();
}

/* --- what is measured --------------------------------------------------------------------------------------------- */

struct target {
    const char *name;
    int fd;                         /* the peer's end */
    uint64_t cpu_ns, worst_ns, slowest_ns;
    bool deaf;                      /* answers are read and forgotten */
    void (*work)(struct target *t);         /* the guest's driver */
    uint64_t (*seen)(struct target *t);     /* frames that the target got */
    uint64_t (*accepted)(struct target *t); /* or NULL: ... and let further in */
    void (*alive)(struct target *t);
    void *opaque;
};

static uint64_t cpu_now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static bool turn(struct target *t)
{
    uint64_t start = cpu_now(), took;
    bool did = loop_iterate(false);

    t->work(t);
    took = cpu_now() - start;
    t->cpu_ns += took;
    t->worst_ns = MAX(t->worst_ns, took);
    if (t->deaf) {
        uint8_t answers[16384];

        while (recv(t->fd, answers, sizeof(answers), MSG_DONTWAIT) > 0) {
        }
    }
    return did;
}

static void write_all(struct target *t, const uint8_t *p, size_t len)
{
    int64_t end = g_get_monotonic_time() + DEADLINE_US;
    size_t at = 0;

    while (at < len) {
        ssize_t n = send(t->fd, p + at, len - at, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (n > 0) {
            at += (size_t)n;
            end = g_get_monotonic_time() + DEADLINE_US;
        }
        g_assert_true(n > 0 || errno == EAGAIN);
        g_assert_cmpint(g_get_monotonic_time(), <, end);
        turn(t);
    }
}

static uint64_t taken(void)
{
    const struct net_client *c = net_client_find("st0");

    return c->stats.tx_frames + c->peer->stats.drops[NET_DROP_RUNT];
}

static void flood(struct target *t, enum kind k, unsigned frames)
{
    static uint8_t buf[BATCH * (LONGEST + 4)];
    uint64_t want = taken() + frames;
    int64_t end;

    for (unsigned i = 0; i < frames; i += BATCH) {
        size_t len = 0;

        for (unsigned n = 0; n < MIN(BATCH, frames - i); n++) {
            size_t one = make(k, buf + len + 4);

            framing_put_header(buf + len, (uint32_t)one);
            len += 4 + one;
        }
        write_all(t, buf, len);
    }
    end = g_get_monotonic_time() + DEADLINE_US;
    while (turn(t) || taken() < want) {
        g_assert_cmpint(g_get_monotonic_time(), <, end);
    }
}

static void storm(struct target *t, enum kind k)
{
    uint64_t rss = rss_kib(), in = t->accepted ? t->accepted(t) : 0, before = t->seen(t);

    t->cpu_ns = t->worst_ns = 0;
    t->deaf = true;
    flood(t, k, FRAMES);
    t->deaf = false;
    g_test_message("P2 %s, %s: %.0f ms CPU for %u frames, longest turn %.1f ms, %+d KiB", t->name, kinds[k], (double)t->cpu_ns / 1e6, FRAMES,
                   (double)t->worst_ns / 1e6, (int)(rss_kib() - rss));
    if (t->accepted) {
        g_test_message("the stack got %u of them", (unsigned)(t->accepted(t) - in));
    }
    g_assert_cmpuint(t->cpu_ns / 1000000, <=, BAR_MS);
    g_assert_cmpuint(t->worst_ns / 1000000, <=, TURN_MS);
    g_assert_cmpuint(t->seen(t), >=, before + FRAMES / 2);          /* they did reach it */
    g_assert_cmpuint(rss_kib(), <=, rss + GROWTH_KIB);
    t->slowest_ns = MAX(t->slowest_ns, t->cpu_ns);
    t->alive(t);
}

static void summary(const struct target *t, uint64_t rss)
{
    g_test_message("P2 %s: slowest kind %.0f ms CPU, all kinds %+d KiB", t->name, (double)t->slowest_ns / 1e6, (int)(rss_kib() - rss));
    g_assert_cmpuint(rss_kib(), <=, rss + GROWTH_KIB);
}

static void storms(struct target *t)
{
    uint64_t rss = rss_kib();

    for (enum kind k = 0; k < KINDS; k++) {
        storm(t, k);
    }
    summary(t, rss);
}

static struct net_client *wire(int *peer)
{
    g_autofree char *opts = NULL;
    g_autoptr(Error) err = NULL;
    struct net_client *c;
    int sv[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv), ==, 0);
    opts = g_strdup_printf("stream,id=st0,addr.type=fd,addr.str=%d", sv[0]);
    c = rig_netdev(opts, &err);
    g_assert_nonnull(c);
    *peer = sv[1];
    return c;
}

static void send_one(struct target *t, const uint8_t *p, size_t len)
{
    uint8_t buf[4 + LONGEST];

    framing_put_header(buf, (uint32_t)len);
    memcpy(buf + 4, p, len);
    write_all(t, buf, 4 + len);
}

/* --- a hub with a user stack -------------------------------------------------------------------------------------- */

#ifdef HAVE_SLIRP
static bool own_net;

static void no_work(struct target *t)
{
}

static uint64_t user_seen(struct target *t)
{
    const struct net_client *u = t->opaque;

    return u->stats.rx_frames + u->stats.drops[NET_DROP_REFUSED];       /* what the airlock keeps out counts as refused */
}

static uint64_t user_accepted(struct target *t)
{
    return ((const struct net_client *)t->opaque)->stats.rx_frames;
}

/* "Who has 10.0.2.2?" is answered, soon. */
static void user_alive(struct target *t)
{
    static const uint8_t ask[42] = { 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x52, 0x54, 0, 0x12, 0x34, 0x56, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1,
                                     0x52, 0x54, 0, 0x12, 0x34, 0x56, 10, 0, 2, 15, 0, 0, 0, 0, 0, 0, 10, 0, 2, 2 };
    int64_t start, end, asked;
    uint8_t buf[FRAMING_MAX];
    bool answered = false;

    t->deaf = true;
    for (unsigned idle = 0; idle < 50; idle = turn(t) ? 0 : idle + 1) {     /* up to the end of a frame */
    }
    t->deaf = false;
    start = g_get_monotonic_time();
    end = start + DEADLINE_US;
    send_one(t, ask, sizeof(ask));
    asked = start;
    while (!answered) {
        uint8_t h[4];
        size_t len;

        g_assert_cmpint(g_get_monotonic_time(), <, end);
        turn(t);
        if (g_get_monotonic_time() - asked > 150000) {      /* guests ask again; the flood may have used up what new stations may ask */
            asked = g_get_monotonic_time();
            send_one(t, ask, sizeof(ask));
        }
        if (recv(t->fd, h, 4, MSG_DONTWAIT | MSG_PEEK) != 4) {
            continue;
        }
        peer_read(t->fd, h, 4);
        len = ld_be32(h);
        g_assert_cmpuint(len, <=, sizeof(buf));
        peer_read(t->fd, buf, len);
        answered = len >= 42 && ld_be16(buf + 12) == 0x0806 && buf[21] == 2 && !memcmp(buf + 28, (uint8_t[4]){ 10, 0, 2, 2 }, 4);
    }
    g_test_message("ARP answered after %.1f ms", (double)(g_get_monotonic_time() - start) / 1e3);
    g_assert_cmpint(g_get_monotonic_time() - start, <, G_USEC_PER_SEC);
}

/* fec0::15 and fe80::15, which most IPv6 frames come from, are known to the stack: a neighbour advertisement each (RFC 4861 4.4) */
static void announce6(struct target *t)
{
    for (unsigned i = 0; i < 2; i++) {
        uint8_t p[86] = { 0x33, 0x33, 0, 0, 0, 1, 0x52, 0x54, 0, 0x12, 0x34, 0x56, 0x86, 0xDD, 0x60, [19] = 32, 58, 255 };

        memcpy(p + 22, (uint8_t[16]){ 0xFE, i ? 0xC0 : 0x80, [15] = 0x15 }, 16);
        memcpy(p + 38, (uint8_t[16]){ 0xFF, 2, [15] = 1 }, 16);
        p[54] = 136;
        p[58] = 0x20;
        memcpy(p + 62, p + 22, 16);
        memcpy(p + 78, (uint8_t[8]){ 2, 1, 0x52, 0x54, 0, 0x12, 0x34, 0x56 }, 8);
        csum_store(p + 56, csum_add(csum_pseudo(p + 14, PKT_L3_IP6, 58, 32), p + 54, 32));
        send_one(t, p, sizeof(p));
    }
}

/* A stack of its own for each kind: what one has left behind does not keep the next one out. */
static void test_user(void)
{
    struct target t = { .name = "hub + user", .work = no_work, .seen = user_seen, .accepted = user_accepted, .alive = user_alive };
    uint64_t rss = 0;

    for (enum kind k = 0; k < KINDS; k++) {
        struct net_client *st = wire(&t.fd), *u = rig_netdev(own_net ? "user,id=u" : "user,id=u,restrict=on", NULL), *a, *b;

        a = net_hub_add_port(1, NULL, st, NULL);
        b = net_hub_add_port(1, NULL, u, NULL);
        t.opaque = u;
        user_alive(&t);
        announce6(&t);
        rss = rss ? rss : rss_kib();
        storm(&t, k);
        net_client_free(a);
        net_client_free(b);
        net_client_free(u);
        net_client_free(st);
        close(t.fd);
        while (loop_iterate(false)) {
        }
    }
    summary(&t, rss);
}
#endif

/* --- NICs --------------------------------------------------------------------------------------------------------- */

static struct net_client *plug(struct rig *g, struct net_client *st)
{
    struct net_client *nic = g->peer->c.peer;

    g->peer->c.prop_field = NULL;           /* the NIC's property does not name it any more */
    net_disconnect(nic);
    net_connect(nic, st);
    rig_run();
    return nic;
}

static uint64_t nic_seen(struct target *t)
{
    const struct net_client *nic = net_client_find("st0")->peer;

    return nic->stats.rx_frames + nic->stats.drops[NET_DROP_RUNT];
}

/* The driver takes what is there and gives the buffers back. */
static void e1000_work(struct target *t)
{
    struct rig *g = t->opaque;
    uint32_t head = r32(g, RDH);

    if (head != (r32(g, RDT) + 1) % RING_LEN) {
        w32(g, RDT, (head + RING_LEN - 1) % RING_LEN);
    }
}

static void e1000_alive(struct target *t)
{
    struct rig *g = t->opaque;
    unsigned at = r32(g, RDH);
    uint8_t p[100];
    struct rxd d;

    rig_eth(p, sizeof(p), rig_mac, 0x88B5, 5);
    send_one(t, p, sizeof(p));
    WAIT((turn(t), r32(g, RDH) != at));
    d = rx_desc(g, at);
    g_assert_cmpmem(d.data, 100, p, 100);
}

static void test_e1000(void)
{
    struct rig *g = rig_new("e1000");
    struct target t = { .name = "e1000", .work = e1000_work, .seen = nic_seen, .alive = e1000_alive, .opaque = g };
    struct net_client *st = wire(&t.fd), *nic = plug(g, st);

    rx_start(g, RCTL_UPE | RCTL_MPE | RCTL_BAM);
    e1000_alive(&t);
    storms(&t);
    net_disconnect(nic);
    net_client_free(st);
    close(t.fd);
    rig_free(g);
}

struct vnet_target {
    struct vnet *v;
    struct vpacket next;
    uint8_t last[2048];
    size_t last_len;
    uint64_t got;
};

static void vnet_work(struct target *t)
{
    struct vnet_target *n = t->opaque;

    while (vnet_got(n->v, 0, &n->next)) {
        n->got++;
        n->last_len = MIN(n->next.len, sizeof(n->last));
        memcpy(n->last, n->next.data, n->last_len);
    }
}

static void vnet_alive(struct target *t)
{
    struct vnet_target *n = t->opaque;
    uint64_t had = n->got;
    uint8_t p[100];

    rig_eth(p, sizeof(p), rig_mac, 0x88B5, 5);
    send_one(t, p, sizeof(p));
    WAIT((turn(t), n->got > had));
    g_assert_cmpmem(n->last, n->last_len, p, 100);
}

static void test_virtio(void)
{
    enum { MRG = 15, CTRL_VQ = 17, CTRL_RX = 18 };
    g_autofree struct vnet_target *n = g_new0(struct vnet_target, 1);
    struct target t = { .name = "virtio-net", .work = vnet_work, .seen = nic_seen, .alive = vnet_alive, .opaque = n };
    struct net_client *st, *nic;

    n->v = vnet_new("virtio-net-pci", NULL);
    st = wire(&t.fd);
    nic = plug(n->v->g, st);
    vnet_start(n->v, BIT(MRG) | BIT(CTRL_VQ) | BIT(CTRL_RX));
    g_assert_cmpuint(vnet_ctrl_cmd(n->v, 0, 0, "\1", 1), ==, 0);        /* promiscuous */
    vnet_fill(n->v, 0, 200, 2048);
    vnet_alive(&t);
    storms(&t);
    net_disconnect(nic);
    net_client_free(st);
    close(t.fd);
    vnet_free(n->v);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_log_set_always_fatal(G_LOG_LEVEL_ERROR);          /* what libslirp says about the frames is no failure */
    rig_init_once();
    rig_events = g_ptr_array_new_with_free_func(g_free);
    qapi_event_set_sink(rig_event, NULL);
#ifdef HAVE_SLIRP
    own_net = !geteuid() && !unshare(CLONE_NEWNET);
    g_test_add_func("/net/noise/P2-hub-user", test_user);
#endif
    g_test_add_func("/net/noise/P2-e1000", test_e1000);
    g_test_add_func("/net/noise/P2-virtio-net", test_virtio);
    return g_test_run();
}
