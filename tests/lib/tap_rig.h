/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/lib/tap_rig.h - a backend on a real interface, between a played NIC and a packet socket of the host
 *
 * All in a network namespace of the test's process. The packet socket has vnet headers (packet(7), PACKET_VNET_HDR), so that large frames and
 * open checksums are seen as they cross the interface. One guest at a time, named "test.0".
 */
#ifndef TESTS_TAP_RIG_H
#define TESTS_TAP_RIG_H

#include "core/loop.h"
#include "lib/bits.h"
#include "net/nic.h"

enum { TAP_RIG_BIG = 60000, TAP_RIG_MSS = 1000, TAP_RIG_DEADLINE_MS = 20000 };

struct got {                        /* a frame that arrived */
    struct pkt_meta meta;
    size_t len;
    uint8_t data[];
};

struct tap_guest {
    struct nic *nic;
    struct nic_conf conf;
    GPtrArray *rx;                  /* of struct got, frames that a test sent only */
    uint32_t caps;
    bool full, link, ready;         /* says BUSY; sees a link; was told that it may send again */
    unsigned refused;
};
extern struct tap_guest guest;
extern char *rig_dir;               /* for scripts and logs */

/** tap_rig_run() - set up, run the tests that @add adds, clean up; skips them all, with a reason, where it cannot be done */
int tap_rig_run(int *argc, char ***argv, void (*add)(void));

void *dup_bytes(const void *p, size_t n);
/** ip() - run ip(8) */
void ip(const char *fmt, ...) G_GNUC_PRINTF(1, 2);
/** script() - an executable shell script in rig_dir; its path, caller frees */
char *script(const char *name, const char *body);
/** slurp() - a file's text, "" when it is not there; caller frees */
char *slurp(const char *path);
/** own_tap() - a descriptor as a launcher opens it */
int own_tap(const char *name, unsigned flags);

struct net_client *open_netdev(const char *opts, Error **errp);
/** expect_fail() - the error text matches the glob @pattern */
void expect_fail(const char *opts, const char *pattern);
/** plugged() - open it and plug the guest in; unplug() - the other way, @id NULL: the netdev has gone already */
struct net_client *plugged(const char *opts);
void unplug(const char *id);

/** assert_idle() - the loop comes to rest: nothing is ready again and again */
void assert_idle(void);
int packet_socket(const char *ifname);
void host_send(int fd, const uint8_t *frame, size_t len, const struct pkt_meta *m);
/** host_wait() - the next frame of the guest; caller frees */
struct got *host_wait(int fd);
/** guest_send() - in pieces, as NICs give it */
enum net_tx guest_send(const uint8_t *frame, size_t len, const struct pkt_meta *m);
/** plain() - a broadcast frame of a local Ethertype; @len */
size_t plain(uint8_t *p, size_t len, bool from_guest, unsigned seed);
/** big_frame() - TAP_RIG_BIG bytes of TCP or UDP with the checksum left open, and what says so */
size_t big_frame(uint8_t *p, bool from_guest, bool ip6, enum pkt_gso gso, struct pkt_meta *m);
bool csum_right(const uint8_t *p, size_t len);

/* Run the loop until @cond or the deadline */
#define WAIT(cond)                                                                                                     \
    do {                                                                                                               \
        int64_t end_ = g_get_monotonic_time() + TAP_RIG_DEADLINE_MS * 1000LL;                                          \
                                                                                                                       \
        while (!(cond) && g_get_monotonic_time() < end_) {                                                             \
            if (!loop_iterate(false)) {                                                                                \
                g_usleep(200);                                                                                         \
            }                                                                                                          \
        }                                                                                                              \
        g_assert_true(cond);                                                                                           \
    } while (0)

#endif
