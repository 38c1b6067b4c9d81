/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * core/channel.h - stream sockets by address: TCP, UNIX (also abstract), inherited descriptors
 *
 * Every descriptor that comes from here is non-blocking and close-on-exec. Nothing here waits, with one exception
 * that the caller asks for: names (not numeric addresses) are resolved on the spot.
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
    const char *path;           /* UNIX */
    bool abstract;              /* path is a name in the abstract namespace */
    bool loose;                 /* abstract: the name is padded with zeros (tight=off) */
    int fd;                     /* FD: a stream socket; it is taken */
};

/**
 * channel_fd_parse() - a descriptor number as users write it, checked to be open: "Invalid file descriptor number
 * 'abc'"
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
