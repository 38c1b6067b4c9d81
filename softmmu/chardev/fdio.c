/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * softmmu/chardev/fdio.c - input and output of character devices that live on descriptors
 *
 * Reading: the watch is on only while the front end can read, so the kernel's buffer is the back pressure. On a
 * socket the watch then still waits for the hang-up; what is in the kernel at that moment (up to PENDING_MAX) is kept
 * and handed over first.
 * Writing: at once as far as it goes, then queued up to CHARDEV_QUEUE_MAX; the front end hears when half of that is
 * free again.
 */
#include "chardev_internal.h"
#include <errno.h>
#include <unistd.h>

#define READ_CHUNK  4096
#define PENDING_MAX 65536

static void on_in(void *opaque, GIOCondition ev);
static void on_out(void *opaque, GIOCondition ev);

void fdio_init(struct fdio *f, struct chardev *c, int in_fd, int out_fd, bool own)
{
    f->c = c;
    f->in_fd = in_fd;
    f->out_fd = out_fd;
    f->own_in = f->own_out = own;
    f->full = false;
    if (!f->outq) {
        f->outq = g_byte_array_new();
        f->pending = g_byte_array_new();
    }
}

static void close_fds(struct fdio *f)
{
    loop_watch_del(&f->in);
    loop_watch_del(&f->out);
    if (f->own_in && f->in_fd >= 0) {
        close(f->in_fd);
    }
    if (f->own_out && f->out_fd >= 0 && f->out_fd != f->in_fd) {
        close(f->out_fd);
    }
    f->in_fd = f->out_fd = -1;
}

void fdio_close(struct fdio *f)
{
    if (!f->outq) {
        return;         /* never initialised */
    }
    close_fds(f);
    g_clear_pointer(&f->outq, g_byte_array_unref);
    g_clear_pointer(&f->pending, g_byte_array_unref);
}

static void deliver_pending(struct fdio *f)
{
    size_t n;

    if (f->pending && f->pending->len) {
        n = chardev_be_read(f->c, f->pending->data, f->pending->len);
        if (f->pending && n) {
            g_byte_array_remove_range(f->pending, 0, (guint)n);
        }
    }
}

void fdio_read_update(struct fdio *f)
{
    GIOCondition want = 0;

    if (f->pending && f->pending->len && !f->c->delivering) {
        deliver_pending(f);
    }
    if (!f->outq || f->in_fd < 0) {
        return;
    }
    if (chardev_be_can_read(f->c) && !f->pending->len) {
        want = G_IO_IN;
    } else if (f->watch_hup) {
        want = G_IO_PRI;        /* never comes; keeps the watch active for the hang-up */
    }
    loop_watch_set(&f->in, f->in_fd, want, on_in, f);
}

static ssize_t do_read(struct fdio *f, void *buf, size_t len)
{
    ssize_t n;

    do {
        n = f->recv ? f->recv(f, buf, len) : read(f->in_fd, buf, len);
    } while (n < 0 && errno == EINTR);
    return n;
}

/* Put input in the hands of the front end, or aside. */
static void take_input(struct fdio *f, uint8_t *buf, size_t n)
{
    size_t done;

    if (f->decode) {
        n = f->decode(f, buf, n);
    }
    done = f->pending->len ? 0 : chardev_be_read(f->c, buf, n);
    if (f->pending && done < n && !f->packets) {
        g_byte_array_append(f->pending, buf + done, (guint)(n - done));
    }
}

static void hangup(struct fdio *f)
{
    if (f->hangup) {
        f->hangup(f);
        return;
    }
    loop_watch_del(&f->in);
    if (f->own_in && f->in_fd != f->out_fd) {
        close(f->in_fd);
    }
    f->in_fd = -1;
    chardev_be_event(f->c, CHARDEV_CLOSED);
}

/* The peer is gone while the front end does not read: save what it had sent. */
static void drain(struct fdio *f)
{
    uint8_t buf[READ_CHUNK];

    while (f->pending->len < PENDING_MAX) {
        ssize_t n = do_read(f, buf, sizeof(buf));

        if (n <= 0) {
            break;
        }
        n = f->decode ? (ssize_t)f->decode(f, buf, (size_t)n) : n;
        g_byte_array_append(f->pending, buf, (guint)n);
    }
}

static void on_in(void *opaque, GIOCondition ev)
{
    struct fdio *f = opaque;
    uint8_t buf[READ_CHUNK];
    size_t room = chardev_be_can_read(f->c);
    ssize_t n;

    if (!room || f->pending->len) {
        if (ev & (G_IO_HUP | G_IO_ERR | G_IO_NVAL)) {
            drain(f);
            hangup(f);
        } else {
            fdio_read_update(f);
        }
        return;
    }
    n = do_read(f, buf, f->packets ? sizeof(buf) : MIN(room, sizeof(buf)));
    if (n > 0 || (n == 0 && f->packets)) {
        take_input(f, buf, (size_t)n);
        if (f->outq) {
            fdio_read_update(f);
        }
    } else if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK) && !(ev & (G_IO_ERR | G_IO_NVAL))) {
        return;
    } else if (!(n < 0 && errno == ECONNREFUSED && f->packets)) {
        hangup(f);
    }
}

size_t fdio_queued(const struct fdio *f)
{
    return f->outq ? f->outq->len : 0;
}

/* Return: bytes written; on an error everything counts as written (and lost). */
static size_t write_now(struct fdio *f, const uint8_t *buf, size_t len)
{
    size_t done = 0;

    while (done < len) {
        ssize_t n = write(f->out_fd, buf + done, len - done);

        if (n > 0) {
            done += (size_t)n;
        } else if (n < 0 && errno == EINTR) {
            continue;
        } else if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            break;
        } else {
            f->lost += len - done;
            /* full disk, closed pipe: the machine goes on; a socket's end comes through its watch */
            return len;
        }
    }
    return done;
}

size_t fdio_write(struct fdio *f, const uint8_t *buf, size_t len)
{
    size_t done = 0, room, n;

    if (!f->outq || f->out_fd < 0) {
        return len;
    }
    if (!f->outq->len) {
        done = write_now(f, buf, len);
        if (f->packets) {
            return len;         /* a datagram is sent or not, never queued */
        }
    }
    room = f->outq->len >= CHARDEV_QUEUE_MAX ? 0 : CHARDEV_QUEUE_MAX - f->outq->len;
    n = MIN(len - done, room);
    if (n) {
        g_byte_array_append(f->outq, buf + done, (guint)n);
        loop_watch_set(&f->out, f->out_fd, G_IO_OUT, on_out, f);
    }
    done += n;
    f->full |= done < len;
    return done;
}

static void on_out(void *opaque, GIOCondition ev)
{
    struct fdio *f = opaque;
    size_t n = write_now(f, f->outq->data, f->outq->len);

    if (n) {
        g_byte_array_remove_range(f->outq, 0, (guint)n);
    }
    if (!f->outq->len) {
        loop_watch_del(&f->out);
    }
    if (f->full && f->outq->len <= CHARDEV_QUEUE_MAX / 2) {
        f->full = false;
        chardev_be_writable(f->c);
    }
}
