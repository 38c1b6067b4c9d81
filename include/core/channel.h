/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * core/channel.h - stream sockets by address: TCP, UNIX (also abstract), inherited descriptors
 *
 * Every descriptor that comes from here is non-blocking and close-on-exec. Nothing here waits, with one exception
 * that the caller asks for: names (not numeric addresses) are resolved on the spot. channel_lookup() is the way around it.
 */
#ifndef CORE_CHANNEL_H
#define CORE_CHANNEL_H

#include "lib/error.h"
#include <stdint.h>
#include <sys/socket.h>

enum channel_kind { CHANNEL_INET, CHANNEL_UNIX, CHANNEL_FD };

struct channel_addr {
    enum channel_kind kind;
    const char *host;           /* INET: NULL or "" is all addresses to listen on, this host to connect to */
    const char *port;           /* number or service name */
    uint16_t to;                /* to listen on the first free port up to this one; 0: only port */
    bool only4, only6;
    bool numeric;               /* host and port are numbers: no name server is asked */
    bool keep_alive;            /* TCP keep-alive; the three below: 0 is the kernel's default */
    uint32_t keep_alive_count;  /* probes without answer */
    uint32_t keep_alive_idle, keep_alive_interval;  /* seconds */
    bool mptcp;                 /* multipath TCP */
    int backlog;                /* connections that may wait for channel_accept(); 0: 16 */
    const char *path;           /* UNIX */
    bool abstract;              /* path is a name in the abstract namespace */
    bool loose;                 /* abstract: the name is padded with zeros (tight=off) */
    int fd;                     /* FD: a stream socket; it is taken */
};

/**
 * channel_fd_parse() - a descriptor number as users write it, checked to be open: "Invalid file descriptor number
 * 'abc'". In a monitor command also a name that getfd gave, which is the caller's then: "File descriptor named 'nosuch' has not been found"
 */
bool channel_fd_parse(const char *s, int *fd, Error **errp);
/** channel_nonblock() - O_NONBLOCK and FD_CLOEXEC; false: errno is set */
bool channel_nonblock(int fd);

/** channel_listen() - a listening socket, or -1: "Failed to bind socket to 'ADDR': Address already in use" */
int channel_listen(const struct channel_addr *a, Error **errp);
/** channel_accept() - a new connection, or -1 (errno) */
int channel_accept(int listen_fd);
/**
 * channel_connect() - begin to connect
 * @pending: set to true when the connection is not there yet: wait for the descriptor to be writable, then call
 *           channel_connect_done()
 * Return: the socket, or -1: "Failed to connect to 'ADDR': Connection refused"
 */
int channel_connect(const struct channel_addr *a, bool *pending, Error **errp);
/** channel_connect_done() - 0, or the error number with which the attempt failed */
int channel_connect_done(int fd);

/*
 * Asking a name server takes as long as it takes: here a thread does, and the main loop goes on.
 */
struct channel_targets {
    unsigned n;
    struct channel_target {
        int family;
        socklen_t len;
        struct sockaddr_storage ss;
    } at[];
};
struct channel_lookup;
/** channel_lookup_fn - @t: the caller's (g_free), in the order to try; NULL: @error says why. Main loop */
typedef void channel_lookup_fn(void *opaque, struct channel_targets *t, const char *error);
/** channel_targets_numeric() - of an INET address that needs no name server; NULL: it does, or it is wrong (*errp is set) */
struct channel_targets *channel_targets_numeric(const struct channel_addr *a, Error **errp);
/** channel_targets_find() - as channel_targets_numeric(), asking as getaddrinfo() does with AI_* @flags: may wait */
struct channel_targets *channel_targets_find(const struct channel_addr *a, int flags, Error **errp);
/** channel_lookup() - begin; @fn is called once, later, unless channel_lookup_cancel() comes first */
struct channel_lookup *channel_lookup(const struct channel_addr *a, channel_lookup_fn *fn, void *opaque);
/** channel_lookup_cancel() - @fn will not be called; NULL is fine */
void channel_lookup_cancel(struct channel_lookup *l);
/** channel_connect_target() - begin to connect to one of them, with @a's socket options; as channel_connect(), -1: errno is set */
int channel_connect_target(const struct channel_addr *a, const struct channel_target *t, bool *pending);

/** channel_addr_text() - "127.0.0.1:80", "[::1]:80", "/path", "fd=3"; caller frees */
char *channel_addr_text(const struct channel_addr *a);
/**
 * channel_name() - local or remote address of a socket: "127.0.0.1:80", "/path", "" for a nameless one; caller
 * frees
 */
char *channel_name(int fd, bool remote);
/** channel_port() - local port of a TCP or UDP socket, 0 for others */
uint16_t channel_port(int fd);
/** channel_is_unix() - descriptors can travel over it */
bool channel_is_unix(int fd);

/** channel_udp() - a datagram socket bound to local and connected to remote; -1: *errp is set */
int channel_udp(const char *local_host, const char *local_port, const char *host, const char *port, bool only4,
                bool only6,
                Error **errp);

#endif
