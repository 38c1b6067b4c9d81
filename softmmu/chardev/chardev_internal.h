/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * softmmu/chardev/chardev_internal.h - what a kind of character device is made of
 *
 * A kind is a struct chardev_ops; its instance starts with a struct chardev. Kinds that live on descriptors use
 * struct fdio, which owns the read watch (on only while the front end can read), the bounded output queue and what was
 * read when the peer hung up.
 */
#ifndef CHARDEV_INTERNAL_H
#define CHARDEV_INTERNAL_H

#include "chardev/mux.h"
#include "core/loop.h"
#include "qapi/qapi-types.h"

#define CHARDEV_QUEUE_MAX (1u << 20)

struct mux;

/* All members are set. */
struct chardev_ops {
    const char *kind;
    size_t size;
    bool (*open)(struct chardev *c, const ChardevOptions *o, Error **errp);
    /* bytes taken; all when nobody is connected */
    size_t (*write)(struct chardev *c, const uint8_t *buf, size_t len);
    size_t (*queued)(const struct chardev *c);
    void (*read_update)(struct chardev *c);         /* the front end changed, or can read (again) */
    char *(*describe)(const struct chardev *c);
    void (*close)(struct chardev *c);               /* also after a failed open */
};

struct chardev {
    const struct chardev_ops *ops;
    char *id;
    const struct chardev_fe_ops *fe;                /* NULL: nobody attached (a mux has its own list) */
    void *fe_opaque;
    struct mux *mux;                                /* or NULL */
    bool connected;
    bool delivering;                                /* inside fe->read: no nested delivery */
    int log_fd;                                     /* -1: none */
    GQueue fds;                                     /* received with SCM_RIGHTS, of GINT_TO_POINTER(fd + 1) */
};

extern const struct chardev_ops chardev_null_ops, chardev_ringbuf_ops, chardev_stdio_ops, chardev_file_ops,
    chardev_pipe_ops,
    chardev_serial_ops, chardev_pty_ops, chardev_socket_ops, chardev_udp_ops;

/* For the kinds. */
/** chardev_be_can_read() - bytes that the front end takes now */
size_t chardev_be_can_read(struct chardev *c);
/** chardev_be_read() - give input to the front end; Return: bytes it took, in order from the start */
size_t chardev_be_read(struct chardev *c, const uint8_t *buf, size_t len);
void chardev_be_event(struct chardev *c, enum chardev_event ev);
/** chardev_be_writable() - the queue has room again */
void chardev_be_writable(struct chardev *c);
/** chardev_be_set_connected() - with the event that tells the front end */
void chardev_be_set_connected(struct chardev *c, bool on);
size_t chardev_nothing_queued(const struct chardev *c);
void chardev_no_read_update(struct chardev *c);
struct chardev *chardev_new_from(const ChardevOptions *o, Error **errp);

/* mux.c */
bool mux_attach(struct chardev *c, const struct chardev_fe_ops *ops, void *opaque, bool yields, Error **errp);
void mux_detach(struct chardev *c, void *opaque);
size_t mux_can_read(struct chardev *c);
size_t mux_read(struct chardev *c, const uint8_t *buf, size_t len);
void mux_event(struct chardev *c, enum chardev_event ev);
void mux_writable(struct chardev *c);
void mux_flush(struct chardev *c);     /* a front end can read again */
size_t mux_write(struct chardev *c, const uint8_t *buf, size_t len);
void mux_free(struct chardev *c);

/* fdio.c */
struct fdio {
    struct chardev *c;
    int in_fd, out_fd;                              /* -1: none */
    bool own_in, own_out;                           /* closed by fdio_close() */
    struct loop_watch in, out;
    GByteArray *outq;
    GByteArray *pending;                            /* read, but the front end could not take it */
    bool full;                                      /* a write was cut short: somebody waits for room */
    bool watch_hup;                                 /* a socket: its end is noticed also while reading is paused */
    bool packets;                                   /* datagrams: read whole, give what fits */
    uint64_t lost;                                  /* bytes that could not be written (disk full, gone) */
    /* Bytes as they came: decode in place (telnet), return how many are left; NULL: as they are */
    size_t (*decode)(struct fdio *f, uint8_t *buf, size_t len);
    ssize_t (*recv)(struct fdio *f, void *buf, size_t len);     /* NULL: read() */
    void (*hangup)(struct fdio *f);                 /* end of file or error; NULL: input is over, output goes on */
};

void fdio_init(struct fdio *f, struct chardev *c, int in_fd, int out_fd, bool own);
/** fdio_close() - watches gone, queue dropped, descriptors closed if owned; init may follow */
void fdio_close(struct fdio *f);
size_t fdio_write(struct fdio *f, const uint8_t *buf, size_t len);
size_t fdio_queued(const struct fdio *f);
void fdio_read_update(struct fdio *f);

#endif
