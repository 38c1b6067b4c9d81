/* SPDX-License-Identifier: BSD-2-Clause */
/* net/backends/user_int.h - the parts of one user-mode stack, shared by user*.c */
#ifndef NET_BACKENDS_USER_INT_H
#define NET_BACKENDS_USER_INT_H

#include "core/timer.h"
#include "net/backends/airlock.h"
#include "net/backends.h"
#include "net/client.h"
#include "net/offload/coalesce.h"
#include "qapi/qapi-types.h"
#include <netinet/in.h>
#include <slirp/libslirp.h>

/* user_cfg.c: the addresses of the virtual network, checked and with defaults filled in */
struct user_config {
    bool ipv4, ipv6, restricted;
    struct in_addr net, mask, host, dns, dhcp;
    struct in6_addr prefix, host6, dns6;
    uint8_t prefix_len;
};
bool user_config_parse(struct user_config *u, const NetdevUser *o, Error **errp);
bool user_in_prefix(const struct user_config *u, const struct in6_addr *a);

struct user_poll;
struct user_tcp;

struct user {
    struct net_client c;
    struct user_config cfg;
    Slirp *slirp;
    struct airlock air;
    uint8_t *txbuf;                 /* FRAME_MAX bytes: the private copy of the guest's frame */
    struct user_poll *poll;
    struct user_tcp *tcp;           /* the relay for the guest's TCP; NULL: fast-tcp=off, or restrict=on */
    struct coalesce merge;
    bool merging;                   /* collect TCP segments until the end of this or the next poll round */
    bool hostonly;                  /* -netdev hostonly: nothing but this host */
    bool closing;
    bool no_ping;                   /* this process may not open ICMP sockets */
    GPtrArray *hostfwd;             /* of struct hostfwd * */
    GPtrArray *guestfwd;            /* of struct guestfwd * */
    struct bh notify_bh;
    GArray *fd_kind;                /* of uint8_t, by fd: enum user_fd */
    guint log_handler;
    int64_t log_ns;                 /* start of the minute whose messages are counted */
    unsigned log_lines;
};

enum user_fd { USER_FD_NONE, USER_FD_TCP, USER_FD_UDP, USER_FD_ICMP };

/* user.c: the steps and the behaviour that -netdev user and hostonly share */
void user_prepare(struct user *u);                  /* first step of open() */
bool user_start(struct user *u, const NetdevUser *o, Error **errp);
enum net_tx user_send(struct net_client *c, const struct frame *f);
void user_rx_enable(struct net_client *c, bool on);
void user_tx_ready(struct net_client *c);
uint32_t user_offloads(const struct net_client *c);
void user_close(struct net_client *c);
/* the stack behind a client, NULL: it has none */
static inline struct user *user_of(struct net_client *c)
{
    return c->ops == &net_backend_user || c->ops == &net_backend_hostonly ? (struct user *)c : NULL;
}
void user_to_guest(struct user *u, const uint8_t *frame, size_t len);
/* the NIC at the other end takes large TCP frames */
bool user_wants_merged(const struct user *u);

/* hostonly.c */
/* may this frame of the guest go to the stack? */
bool hostonly_passes(const struct user *u, const uint8_t *frame, size_t len);
/* take router and name server out of a DHCP reply; false: it is none */
bool hostonly_hides(uint8_t *frame, size_t len);

/* user_poll.c: the stack's sockets in the main loop, through one epoll descriptor */
struct user_poll *user_poll_new(struct user *u, Error **errp);
void user_poll_free(struct user_poll *p);
/* the stack may want other events or another time-out now */
void user_poll_kick(struct user_poll *p);
/* stop and go on reading from the host */
void user_poll_pause(struct user_poll *p, bool pause);
/* @fd is about to be closed, or is new */
void user_poll_forget(struct user_poll *p, int fd);

/* user_fwd.c */
bool user_hostfwd_add(struct user *u, const char *rule, Error **errp);
bool user_guestfwd_add(struct user *u, const char *rule, Error **errp);
void user_fwd_free(struct user *u);
/* unix by path, inet by address and port */
bool user_same_address(const struct sockaddr *a, const struct sockaddr *b);
/* connections of the guest to this address and port go to a device or command */
bool user_is_guestfwd(const struct user *u, struct in_addr addr, uint16_t port);
/* guest side has room again */
void user_guestfwd_resume(struct user *u);

/* user_ping.c: answers that the stack does not give. true: answered, the frame is done with */
bool user_answer(struct user *u, const uint8_t *frame, size_t len);
/* a TCP SYN that cannot be served: RST, so that the guest need not wait */
void user_refuse(struct user *u, const uint8_t *frame, size_t len);
/* may this process send ICMP echo requests? */
bool user_ping_allowed(void);

#endif
