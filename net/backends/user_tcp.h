/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * net/backends/user_tcp.h - the TCP relay of the user-mode network: each connection of the guest is a socket of this process
 *
 * It takes the guest's TCP before libslirp sees it, but for what only libslirp can serve (user_tcp_input() says which). Main loop or CPU thread,
 * with the machine lock. How it works, and why it is there: docs/devel/user-tcp.rst.
 */
#ifndef NET_BACKENDS_USER_TCP_H
#define NET_BACKENDS_USER_TCP_H

#include "core/timer.h"
#include "lib/error.h"
#include "net/backends/tcp_conn.h"
#include "net/client.h"
#include <netinet/in.h>
#include <sys/socket.h>

struct user;
struct user_tcp;

/* --- for user*.c ---------------------------------------------------------------------------------------------------- */

/** user_tcp_new() - NULL: *errp is set */
struct user_tcp *user_tcp_new(struct user *u, Error **errp);
/** user_tcp_free() - every connection ends at once; NULL is fine */
void user_tcp_free(struct user_tcp *t);
/**
 * user_tcp_input() - a frame of the guest that passed the airlock
 * @frame: a private copy; @flags: PKT_* of its meta
 * Return: true: it was a segment for the relay, and is done with; false: it is libslirp's
 */
bool user_tcp_input(struct user_tcp *t, const uint8_t *frame, size_t len, uint8_t flags);
/**
 * user_tcp_fast() - a frame of the guest as it comes, in front of the airlock: the payload goes from the guest's memory to the socket
 * Return: true: it is a sound data segment of a connection that the relay has, and is done with; false: take the long way
 */
bool user_tcp_fast(struct user_tcp *t, const struct frame *f);
/** user_tcp_ready() - the guest's NIC takes frames again, or its link has changed */
void user_tcp_ready(struct user_tcp *t);
/** user_tcp_listen() - connections to @host go to @guest; false: errno */
bool user_tcp_listen(struct user_tcp *t, const struct sockaddr *host, socklen_t len, const struct sockaddr_in *guest);
/** user_tcp_unlisten() - by address as it was given, or as it is bound; false: there is none */
bool user_tcp_unlisten(struct user_tcp *t, const struct sockaddr *host);
/** user_tcp_print() - rows of "info usernet" */
void user_tcp_print(const struct user_tcp *t, GString *out);
/** user_tcp_memory() - bytes in rings, and how many connections there are in whatever state (tests) */
size_t user_tcp_memory(const struct user_tcp *t, unsigned *flows);

/* --- inside the relay: user_tcp*.c ------------------------------------------------------------------------------------ */

enum {
    TCP_HASH_SIZE = 4096,
    TCP_TIME_WAITS = 1024,              /* connections in TIME-WAIT; then the oldest goes early */
    TCP_NEIGHBOURS = 64,
    TCP_MEMORY = 64 * 1024 * 1024,      /* of all rings together */
    TCP_MEMORY_EASY = TCP_MEMORY / 4,   /* below this empty rings are kept for the next byte */
};

enum { TCP_GOT_IN = 1, TCP_GOT_OUT = 2, TCP_GOT_HUP = 4, TCP_GOT_ERR = 8 };

/* A descriptor in the epoll set. Edges: what has come stays noted in got until a call says EAGAIN. */
struct tcp_source {
    int fd;
    bool listener;
    uint8_t got;                        /* TCP_GOT_* */
};

struct tcp_flow {
    struct tcp_source s;                /* fd -1: the host's side is over */
    struct tcp_conn c;
    struct user_tcp *t;
    struct tcp_ring rx;                 /* from the guest, not taken by the socket yet */
    struct timer timer;
    struct tcp_flow *next_hash;
    bool hashed;
    bool counted;                       /* in airlock.tcp_flows */
    bool connecting;
    bool shut;                          /* our FIN to the host */
    bool dead;                          /* the host's side has failed */
    bool starved;                       /* there was no memory for it */
    bool incoming;                      /* through a listener */
    bool mac_known;
    GQueue *queue;                      /* that has work in it: active, blocked, or NULL */
    GList work;                         /* data: the flow */
    GList all;
    GList wait;                         /* in time_waits, or in no_mac */
    GQueue *wait_queue;
};

struct tcp_listener {
    struct tcp_source s;
    struct sockaddr_storage given;
    struct sockaddr_in guest;
};

struct tcp_neighbour {
    uint32_t ip;
    uint8_t mac[6];
};

enum { TCP_DROP_CHECKSUM, TCP_DROP_MEMORY, TCP_DROPS };

struct user_tcp {
    struct user *u;
    struct tcp_flow *bucket[TCP_HASH_SIZE];
    uint64_t key[2], iss_key[2];
    GQueue all, active, blocked;        /* blocked: the NIC is behind */
    GQueue time_waits, no_mac;          /* no_mac: the guest's MAC is not known yet */
    struct bh bh;
    bool stalled;                       /* the NIC said BUSY */
    bool accept_again;                  /* there was no descriptor for a connection that waits */
    struct tcp_budget budget;
    int epfd;
    struct loop_watch watch;
    GPtrArray *listeners;
    struct tcp_neighbour neighbour[TCP_NEIGHBOURS];
    unsigned neighbours, next_neighbour;
    uint16_t next_port;
    uint64_t drops[TCP_DROPS];
};

/* user_tcp.c */
struct tcp_flow *user_tcp_flow_new(struct user_tcp *t, const struct tcp_key *key, const uint8_t *guest_mac, int fd);
void user_tcp_flow_free(struct tcp_flow *f);
/* there is something to do for it */
void user_tcp_mark(struct tcp_flow *f);
/* move its queue link to @q, NULL: to none */
void user_tcp_wait(struct tcp_flow *f, GQueue *q);

/* user_tcp_hash.c */
uint64_t user_tcp_siphash(const uint64_t key[2], const void *p, size_t n);
struct tcp_flow *user_tcp_find(const struct user_tcp *t, const struct tcp_key *key);
void user_tcp_insert(struct tcp_flow *f);
void user_tcp_remove(struct tcp_flow *f);

/* user_tcp_sock.c */
bool user_tcp_epoll_add(struct user_tcp *t, struct tcp_source *s);
/* Return: a socket that is connected or on its way, *pending; -1: errno */
int user_tcp_connect(struct user_tcp *t, const struct tcp_key *key, bool *pending);
/* what each TCP socket of the relay has */
void user_tcp_sock_options(int fd);
/* guest to host: as much of the pieces as the socket takes */
size_t user_tcp_sock_send(struct tcp_flow *f, const struct iovec *iov, unsigned cnt);
/* what waits in rx; then, if nothing comes after it, our FIN */
void user_tcp_sock_flush(struct tcp_flow *f);
/* host to guest: into c.tx; Return: bytes */
size_t user_tcp_sock_read(struct tcp_flow *f);
/* connect() is through; Return: 0 or an errno */
int user_tcp_sock_error(const struct tcp_flow *f);

/* user_tcp_fwd.c */
void user_tcp_accept(struct user_tcp *t, struct tcp_listener *l);
void user_tcp_accept_all(struct user_tcp *t);
void user_tcp_listeners_free(struct user_tcp *t);
/* where @ip is, as the guest's ARP said */
const uint8_t *user_tcp_mac_of(const struct user_tcp *t, uint32_t ip);
void user_tcp_learn(struct user_tcp *t, uint32_t ip, const uint8_t mac[6]);
uint32_t user_tcp_guest_ip(const struct tcp_flow *f);
/* ask for the MAC of a flow's guest */
void user_tcp_ask_mac(struct tcp_flow *f);

#endif
