/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/wire-rig.h - a backend with a NIC plugged in, as the command line would make it; the test is the guest and the other end
 *
 * Frames of the tests carry a number, so that loss and order show. Waiting is for a condition, with a deadline.
 */
#ifndef TESTS_WIRE_RIG_H
#define TESTS_WIRE_RIG_H

#include "core/channel.h"
#include "lib/bytes.h"
#include "net/framing.h"
#include "net/info.h"
#include "net/nic.h"
#include "qapi/jval.h"
#include "qapi/keyval.h"
#include "qapi/qapi-types.h"
#include "qapi/schema.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define DEADLINE_US (20 * G_USEC_PER_SEC)
#define WAIT(cond)                                                                                                     \
    do {                                                                                                               \
        int64_t end_ = g_get_monotonic_time() + DEADLINE_US;                                                           \
        while (!(cond)) {                                                                                              \
            g_assert_cmpint(g_get_monotonic_time(), <, end_);                                                          \
            if (!loop_iterate(false)) {                                                                                \
                g_usleep(50);                                                                                          \
            }                                                                                                          \
        }                                                                                                              \
    } while (0)

/* On a free port */
static inline int loopback_listener(void)
{
    const struct channel_addr any = { .kind = CHANNEL_INET, .host = "127.0.0.1", .port = "0" };
    int fd = channel_listen(&any, NULL);

    g_assert_cmpint(fd, >=, 0);
    return fd;
}

struct bench {
    struct net_client *c;
    struct nic *nic;
    struct nic_conf conf;
    bool busy;                      /* the guest's ring is full */
    bool count_only;
    unsigned got;                   /* frames from the backend */
    uint64_t bytes;
    GPtrArray *frames;              /* of GBytes *, the first KEEP of them */
    struct pkt_meta meta[16];       /* of the first of them */
    uint32_t caps;                  /* PKT_CAP_* that the guest takes */
    unsigned tx_ready;
    bool link;
};
enum { KEEP = 4096 };

static GPtrArray *rig_events;       /* of char *: "NAME {data}" */

static inline enum net_tx rig_receive(void *opaque, const struct frame *f)
{
    struct bench *b = opaque;

    if (b->busy) {
        return NET_TX_BUSY;
    }
    if (b->got < 16) {
        b->meta[b->got] = f->meta;
    }
    b->got++;
    b->bytes += f->len;
    if (!b->count_only && b->frames->len < KEEP) {
        uint8_t *copy = g_malloc(f->len);

        frame_copy_out(f, 0, copy, f->len);
        g_ptr_array_add(b->frames, g_bytes_new_take(copy, f->len));
    }
    return NET_TX_DONE;
}

static inline void rig_link(void *opaque, bool up)
{
    ((struct bench *)opaque)->link = up;
}

static inline void rig_tx_ready(void *opaque)
{
    ((struct bench *)opaque)->tx_ready++;
}

static inline uint32_t rig_offloads(void *opaque)
{
    return ((struct bench *)opaque)->caps;
}

static const struct nic_ops rig_nic_ops = { .receive = rig_receive, .link_changed = rig_link, .tx_ready = rig_tx_ready,
                                            .offloads = rig_offloads, .min_len = 0 };

static inline struct net_client *rig_netdev(const char *opts, Error **errp)
{
    Netdev *n = opts_parse(&qapi_type_Netdev, opts, "type", errp);
    struct net_client *c = n ? netdev_new(n, errp) : NULL;

    qapi_free(&qapi_type_Netdev, n);
    return c;
}

/* @opts: as after -netdev */
static inline struct bench *bench_new(const char *opts)
{
    struct bench *b = g_new0(struct bench, 1);
    g_autoptr(Error) err = NULL;

    b->frames = g_ptr_array_new_with_free_func((GDestroyNotify)g_bytes_unref);
    b->c = rig_netdev(opts, &err);
    if (!b->c) {
        g_error("%s: %s", opts, error_text(err));
    }
    b->conf.netdev = b->c;
    b->nic = nic_new(&rig_nic_ops, &b->conf, "rig", NULL, b, NULL);
    b->link = nic_link_up(b->nic);
    return b;
}

static inline void bench_free(struct bench *b)
{
    nic_free(b->nic);
    net_client_free(b->c);
    g_ptr_array_free(b->frames, TRUE);
    g_free(b);
}

static inline void rig_refused(const char *opts, const char *text)
{
    g_autoptr(Error) err = NULL;

    if (rig_netdev(opts, &err)) {
        g_error("%s: was accepted", opts);
    }
    g_assert_cmpstr(error_text(err), ==, text);
}

/* A frame with number @n; at least 18 bytes. */
static inline void rig_frame(uint8_t *p, size_t len, uint32_t n)
{
    for (size_t i = 0; i < len; i++) {
        p[i] = (uint8_t)(n + i);
    }
    p[0] = 0x52;
    st_be16(p + 12, 0x88B5);
    st_be32(p + 14, n);
}

static inline enum net_tx bench_send(struct bench *b, uint32_t n, size_t len)
{
    static uint8_t buf[FRAME_MAX];
    struct frame f;

    rig_frame(buf, len, n);
    frame_from_buf(&f, buf, len);
    return nic_send(b->nic, &f);
}

/* The @i-th frame that came is number @n of @len bytes, whole. */
static inline void bench_check(struct bench *b, unsigned i, uint32_t n, size_t len)
{
    g_autofree uint8_t *want = g_malloc(len);
    gsize size;
    const uint8_t *got = g_bytes_get_data(b->frames->pdata[i], &size);

    rig_frame(want, len, n);
    g_assert_cmpmem(got, size, want, len);
}

/* --- the other end ------------------------------------------------------------------------------------------------ */

static inline int peer_connect_unix(const char *path)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_strlcpy(un.sun_path, path, sizeof(un.sun_path));
    g_assert_cmpint(connect(fd, (void *)&un, sizeof(un)), ==, 0);
    return fd;
}

static inline int peer_listen_unix(const char *path)
{
    struct sockaddr_un un = { .sun_family = AF_UNIX };
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    unlink(path);
    g_strlcpy(un.sun_path, path, sizeof(un.sun_path));
    g_assert_cmpint(bind(fd, (void *)&un, sizeof(un)), ==, 0);
    g_assert_cmpint(listen(fd, 4), ==, 0);
    return fd;
}

static inline int peer_accept(int listener)
{
    int fd = -1;

    WAIT((fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0);
    return fd;
}

static inline void peer_write(int fd, const void *p, size_t len)
{
    g_assert_cmpint(send(fd, p, len, MSG_NOSIGNAL), ==, (ssize_t)len);
}

/* A header that says @len, and @have bytes of the frame @n */
static inline void peer_send(int fd, uint32_t n, uint32_t len, size_t have)
{
    g_autofree uint8_t *buf = g_malloc(have + 64);

    rig_frame(buf + 4, MAX(have, 18), n);
    framing_put_header(buf, len);
    peer_write(fd, buf, 4 + have);
}

static inline void peer_read(int fd, void *p, size_t len)
{
    size_t have = 0;

    while (have < len) {
        ssize_t n = -1;

        WAIT((n = recv(fd, (char *)p + have, len - have, MSG_DONTWAIT)) >= 0);
        g_assert_cmpint(n, >, 0);
        have += (size_t)n;
    }
}

/* The next frame from the backend is number @n of @len bytes. */
static inline void peer_expect(int fd, uint32_t n, size_t len)
{
    g_autofree uint8_t *got = g_malloc(len), *want = g_malloc(len);
    uint8_t h[4];

    peer_read(fd, h, 4);
    g_assert_cmpuint(ld_be32(h), ==, len);
    peer_read(fd, got, len);
    rig_frame(want, len, n);
    g_assert_cmpmem(got, len, want, len);
}

/* The backend has closed its end. */
static inline bool peer_closed(int fd)
{
    char c[256];
    ssize_t n = recv(fd, c, sizeof(c), MSG_DONTWAIT);

    return n == 0 || (n < 0 && errno == ECONNRESET);
}

/* --- what is told ------------------------------------------------------------------------------------------------- */

static inline void rig_event(void *opaque, enum qapi_event ev, struct jval *data)
{
    g_autofree char *text = data ? jval_to_text(data, false) : g_strdup("");

    g_ptr_array_add(rig_events, g_strdup_printf("%s %s", qapi_events[ev].name, text));
    jval_free(data);
}

static inline unsigned events_of(const char *name)
{
    unsigned n = 0;

    for (unsigned i = 0; i < rig_events->len; i++) {
        n += g_str_has_prefix(rig_events->pdata[i], name);
    }
    return n;
}

static inline const char *last_event(const char *name)
{
    for (unsigned i = rig_events->len; i-- > 0;) {
        if (g_str_has_prefix(rig_events->pdata[i], name)) {
            return rig_events->pdata[i];
        }
    }
    return "";
}

static inline unsigned open_fds(void)
{
    DIR *d = opendir("/proc/self/fd");
    unsigned n = 0;

    while (d && readdir(d)) {
        n++;
    }
    if (d) {
        closedir(d);
    }
    return n;
}

/* 0 under ASan, which keeps what was freed */
static inline uint64_t rss_kib(void)
{
#ifdef __SANITIZE_ADDRESS__
    return 0;
#endif
    g_autofree char *text = NULL;
    unsigned long pages = 0;

    g_file_get_contents("/proc/self/statm", &text, NULL, NULL);
    sscanf(text, "%*u %lu", &pages);
    return pages * 4;
}

static inline void rig_setup(void)
{
    loop_init();
    rig_events = g_ptr_array_new_with_free_func(g_free);
    qapi_event_set_sink(rig_event, NULL);
}

static inline bool info_is(const struct bench *b, const char *text)
{
    return !strcmp(b->c->info->str, text);
}

#endif
