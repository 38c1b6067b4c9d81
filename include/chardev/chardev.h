/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * chardev/chardev.h - byte streams between the machine and the outside: stdio, sockets, ptys, files, and a mux of several users on one
 *
 * A backend (struct chardev) has one front end at a time (or several through a mux). Main loop, machine lock held.
 * Writes never block and never lose what was accepted: chardev_write() queues up to a bound and says how much it took.
 */
#ifndef CHARDEV_CHARDEV_H
#define CHARDEV_CHARDEV_H

#include "lib/error.h"
#include <stddef.h>
#include <stdint.h>

struct chardev;

enum chardev_event { CHARDEV_OPENED, CHARDEV_CLOSED, CHARDEV_BREAK, CHARDEV_MUX_IN, CHARDEV_MUX_OUT };

struct chardev_fe_ops {
    size_t (*can_read)(void *opaque);                               /* bytes that read() will take now */
    void (*read)(void *opaque, const uint8_t *buf, size_t len);     /* len <= what can_read said */
    void (*event)(void *opaque, enum chardev_event ev);             /* may be NULL */
    void (*writable)(void *opaque);                                 /* the queue has room again; may be NULL */
};

/** chardev_new() - -chardev "BACKEND,id=ID,k=v..." (also JSON) */
struct chardev *chardev_new(const char *opts, Error **errp);
/**
 * chardev_new_compat() - what -serial, -monitor, -qmp, guestfwd take: "stdio", "mon:stdio", "null", "none", "pty", "vc",
 * "file:PATH", "pipe:PATH", "unix:PATH[,server=on][,wait=off]", "tcp:[HOST]:PORT[,server=on][,wait=off]", "telnet:...",
 * "udp:...", "chardev:ID", "fd:..."
 * Return: the chardev; NULL without error for "none"
 */
struct chardev *chardev_new_compat(const char *id, const char *spec, Error **errp);
struct chardev *chardev_find(const char *id);
void chardev_free(struct chardev *c);
void chardev_free_all(void);
const char *chardev_id(const struct chardev *c);
/** chardev_describe() - file name as "info chardev" shows it ("unix:/tmp/s,server=on"); caller frees */
char *chardev_describe(const struct chardev *c);
void chardev_foreach(void (*fn)(struct chardev *c, void *opaque), void *opaque);

/** chardev_attach() - become the front end (the next one, for a mux); fails when somebody else is: "chardev 'c' is already in use" */
bool chardev_attach(struct chardev *c, const struct chardev_fe_ops *ops, void *opaque, Error **errp);
void chardev_detach(struct chardev *c, void *opaque);
bool chardev_connected(const struct chardev *c);
/** chardev_accept_input() - the front end can read again */
void chardev_accept_input(struct chardev *c);
/** chardev_write() - Return: bytes accepted (queued or sent), less than @len when the queue (1 MiB) is full; all of it when nobody is connected */
size_t chardev_write(struct chardev *c, const void *buf, size_t len);
/** chardev_queued() - bytes accepted and not yet sent */
size_t chardev_queued(const struct chardev *c);
/** chardev_recv_fd() - take the oldest descriptor that came with SCM_RIGHTS on a unix socket; -1: none */
int chardev_recv_fd(struct chardev *c);

#endif
