/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/unit/test-rx-merge.c - frames from the host, merged for guests that take large ones: what is merged, and what must not be */
#include "wire-rig.h"
#include "pkt.h"

enum { MSS = 1000, HEADERS = 54 };

static struct bench *merging(int *peer, uint32_t caps)
{
    g_autofree char *opts = NULL;
    struct bench *b;
    int sv[2];

    g_assert_cmpint(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv), ==, 0);
    opts = g_strdup_printf("stream,id=st0,addr.type=fd,addr.str=%d", sv[0]);
    b = bench_new(opts);
    b->caps = caps;
    *peer = sv[1];
    return b;
}

/* Segment of the flow to @port with @n bytes from @seq, behind its length */
static size_t segment(uint8_t *p, uint16_t port, uint32_t seq, size_t n, bool spoiled)
{
    uint8_t *ip = pkt_eth(p + 4, pkt_guest_mac, pkt_host_mac, 0x0800), *tcp = pkt_ip4(ip, pkt_host_ip, pkt_guest_ip, 6, 20 + n);

    framing_put_header(p, (uint32_t)(HEADERS + n));
    pkt_tcp(tcp, 80, port, seq, 0, 0x10);
    for (size_t i = 0; i < n; i++) {
        tcp[20 + i] = (uint8_t)(seq + i);
    }
    pkt_l4_csum(p + 4, HEADERS + n);
    tcp[20] ^= spoiled;
    return 4 + HEADERS + n;
}

/* All at once: one read */
static void send_all(struct bench *b, int fd, const uint8_t *p, size_t len, unsigned frames)
{
    peer_write(fd, p, len);
    WAIT(b->got == frames);
    while (loop_iterate(false)) {
    }
    g_assert_cmpuint(b->got, ==, frames);
}

static void test_merged(void)
{
    static uint8_t buf[65536];
    size_t len = 0, size;
    const uint8_t *f;
    int fd;
    struct bench *b = merging(&fd, PKT_CAP_ALL);

    for (unsigned i = 0; i < 30; i++) {
        len += segment(buf + len, 5000, 100 + i * MSS, MSS, false);
    }
    send_all(b, fd, buf, len, 1);
    f = g_bytes_get_data(b->frames->pdata[0], &size);
    g_assert_cmpuint(size, ==, HEADERS + 30 * MSS);
    for (unsigned i = 0; i < 30 * MSS; i++) {
        g_assert_cmpuint(f[HEADERS + i], ==, (uint8_t)(100 + i));
    }
    g_assert_cmpuint(b->meta[0].gso, ==, PKT_GSO_TCP4);
    g_assert_cmpuint(b->meta[0].gso_size, ==, MSS);
    g_assert_cmpuint(b->meta[0].csum_start, ==, 34);
    g_assert_true(b->meta[0].flags & PKT_NEEDS_CSUM);
    close(fd);
    bench_free(b);
}

/* A guest that does not take large frames: each as it came. */
static void test_not_merged(void)
{
    static uint8_t buf[65536];
    size_t len = 0;
    int fd;
    struct bench *b = merging(&fd, 0);

    for (unsigned i = 0; i < 30; i++) {
        len += segment(buf + len, 5000, 100 + i * MSS, MSS, false);
    }
    send_all(b, fd, buf, len, 30);
    g_assert_cmpuint(b->meta[0].gso, ==, PKT_GSO_NONE);
    close(fd);
    bench_free(b);
}

/* A wrong checksum is the guest's to find: that segment goes as it is, in its place, and nothing says it were right. */
static void test_spoiled(void)
{
    static uint8_t buf[65536];
    size_t len = 0;
    int fd;
    struct bench *b = merging(&fd, PKT_CAP_ALL);

    for (unsigned i = 0; i < 9; i++) {
        len += segment(buf + len, 5000, 100 + i * MSS, MSS, i == 4);
    }
    send_all(b, fd, buf, len, 3);
    g_assert_cmpuint(g_bytes_get_size(b->frames->pdata[0]), ==, HEADERS + 4 * MSS);
    g_assert_cmpuint(g_bytes_get_size(b->frames->pdata[1]), ==, HEADERS + MSS);
    g_assert_cmpuint(g_bytes_get_size(b->frames->pdata[2]), ==, HEADERS + 4 * MSS);
    g_assert_cmpuint(b->meta[1].flags, ==, 0);
    g_assert_cmpmem(g_bytes_get_data(b->frames->pdata[1], NULL), HEADERS + MSS, buf + 4 * (4 + HEADERS + MSS) + 4, HEADERS + MSS);
    close(fd);
    bench_free(b);
}

/* Two flows and other frames between them: each flow in order, what is no TCP untouched; nothing is held back. */
static void test_mixed(void)
{
    static uint8_t buf[65536];
    size_t len = 0, total = 0;
    uint32_t next[2] = { 1, 1 };
    unsigned others = 0;
    int fd;
    struct bench *b = merging(&fd, PKT_CAP_ALL);

    for (unsigned i = 0; i < 20; i++) {
        len += segment(buf + len, 5000, 1 + i * MSS, MSS, false);
        len += segment(buf + len, 5001, 1 + i * 100, 100, false);
        framing_put_header(buf + len, 60);
        rig_frame(buf + len + 4, 60, i);
        len += 64;
    }
    peer_write(fd, buf, len);
    WAIT(b->bytes >= 2 * HEADERS + 20 * (MSS + 100 + 60));
    while (loop_iterate(false)) {
    }
    for (unsigned i = 0; i < b->frames->len; i++) {
        const uint8_t *f = g_bytes_get_data(b->frames->pdata[i], &total);

        if (ld_be16(f + 12) != 0x0800) {
            bench_check(b, i, others++, 60);
            continue;
        }
        g_assert_cmpuint(ld_be32(f + 38), ==, next[ld_be16(f + 36) - 5000]);
        next[ld_be16(f + 36) - 5000] += (uint32_t)(total - HEADERS);
    }
    g_assert_cmpuint(others, ==, 20);
    g_assert_cmpuint(next[0], ==, 1 + 20 * MSS);
    g_assert_cmpuint(next[1], ==, 1 + 20 * 100);
    g_assert_cmpuint(b->got, <, 60);
    close(fd);
    bench_free(b);
}

/* The guest is behind while segments are held: none is lost, none comes twice. */
static void test_guest_behind(void)
{
    static uint8_t buf[3000 * (4 + HEADERS + MSS)];
    size_t len = 0, at = 0, size;
    uint32_t next = 1;
    int fd;
    struct bench *b = merging(&fd, PKT_CAP_ALL);

    for (unsigned i = 0; i < 3000; i++) {
        len += segment(buf + len, 5000, 1 + i * MSS, MSS, false);
    }
    for (unsigned turn = 0; at < len || b->bytes < b->got * HEADERS + 3000 * MSS; turn++) {
        ssize_t w = at < len ? send(fd, buf + at, len - at, MSG_DONTWAIT | MSG_NOSIGNAL) : 0;

        at += w > 0 ? (size_t)w : 0;
        b->busy = turn % 7 != 0;
        if (!b->busy) {
            nic_rx_ready(b->nic);
        }
        loop_iterate(false);
        g_assert_cmpuint(turn, <, 1000000);
    }
    for (unsigned i = 0; i < b->frames->len; i++) {
        const uint8_t *f = g_bytes_get_data(b->frames->pdata[i], &size);

        g_assert_cmpuint(ld_be32(f + 38), ==, next);
        next += (uint32_t)(size - HEADERS);
    }
    g_assert_cmpuint(next, ==, 1 + 3000 * MSS);
    g_assert_cmpuint(nic_client(b->nic)->stats.drops[NET_DROP_QUEUE_FULL], ==, 0);
    close(fd);
    bench_free(b);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    rig_setup();
    g_test_add_func("/net/rx-merge/merged", test_merged);
    g_test_add_func("/net/rx-merge/not-merged", test_not_merged);
    g_test_add_func("/net/rx-merge/spoiled", test_spoiled);
    g_test_add_func("/net/rx-merge/mixed", test_mixed);
    g_test_add_func("/net/rx-merge/guest-behind", test_guest_behind);
    return g_test_run();
}
