/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * softmmu/chardev/pty.c - a new pseudo-terminal
 *
 * We hold the master. While nobody has the slave open the master reports a hang-up, which cannot be waited for the
 * other way round: so it is looked at once a second, and output is dropped meanwhile.
 */
#include "chardev_internal.h"
#include "core/channel.h"
#include "core/timer.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

struct pty_chr {
    struct chardev c;
    struct fdio io;
    int master;
    char *name;
    char *link;             /* symbolic link to name, or NULL */
    struct timer poll_timer;
};

static void pty_gone(struct fdio *f);

static bool slave_open(int master)
{
    struct pollfd p = { .fd = master, .events = POLLOUT };

    return poll(&p, 1, 0) >= 0 && !(p.revents & POLLHUP);
}

static void pty_poll(void *opaque)
{
    struct pty_chr *p = opaque;

    if (!p->c.connected && slave_open(p->master)) {
        fdio_init(&p->io, &p->c, p->master, p->master, false);
        p->io.watch_hup = true;
        p->io.hangup = pty_gone;
        chardev_be_set_connected(&p->c, true);
        fdio_read_update(&p->io);
    } else if (!p->c.connected) {
        timer_arm(&p->poll_timer, clock_get_ns(CLOCK_RT) + NS_PER_SEC);
    }
}

static void pty_gone(struct fdio *f)
{
    struct pty_chr *p = (struct pty_chr *)f->c;

    loop_watch_del(&f->in);
    loop_watch_del(&f->out);
    f->in_fd = f->out_fd = -1;
    g_byte_array_set_size(f->outq, 0);
    timer_arm(&p->poll_timer, clock_get_ns(CLOCK_RT) + NS_PER_SEC);
    chardev_be_set_connected(&p->c, false);
}

static bool pty_open(struct chardev *c, const ChardevOptions *o, Error **errp)
{
    struct pty_chr *p = (struct pty_chr *)c;
    struct termios t;
    int slave;

    timer_setup(&p->poll_timer, CLOCK_RT, pty_poll, p);
    p->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (p->master < 0 || grantpt(p->master) < 0 || unlockpt(p->master) < 0 || !ptsname(p->master)) {
        error_setg_errno(errp, errno, "Failed to create PTY");
        return false;
    }
    p->name = g_strdup(ptsname(p->master));
    slave = open(p->name, O_RDWR | O_NOCTTY | O_CLOEXEC);
    if (slave >= 0) {
        if (tcgetattr(slave, &t) == 0) {
            cfmakeraw(&t);
            tcsetattr(slave, TCSAFLUSH, &t);
        }
        close(slave);           /* opened and closed once: from now on "nobody there" reads as a hang-up */
    }
    channel_nonblock(p->master);
    if (o->u.pty.path) {
        if (symlink(p->name, o->u.pty.path) < 0) {
            error_setg_errno(errp, errno, "Failed to create PTY symlink '%s'", o->u.pty.path);
            return false;
        }
        p->link = g_strdup(o->u.pty.path);
    }
    printf("char device redirected to %s (label %s)\n", p->name, c->id);
    fflush(stdout);
    pty_poll(p);
    return true;
}

static size_t pty_write(struct chardev *c, const uint8_t *buf, size_t len)
{
    struct pty_chr *p = (struct pty_chr *)c;

    if (!c->connected) {
        pty_poll(p);
    }
    return c->connected ? fdio_write(&p->io, buf, len) : len;
}

static size_t pty_queued(const struct chardev *c)
{
    return fdio_queued(&((const struct pty_chr *)c)->io);
}

static void pty_read_update(struct chardev *c)
{
    fdio_read_update(&((struct pty_chr *)c)->io);
}

static char *pty_describe(const struct chardev *c)
{
    return g_strdup_printf("%spty:%s", c->connected ? "" : "disconnected:", ((const struct pty_chr *)c)->name);
}

static void pty_close(struct chardev *c)
{
    struct pty_chr *p = (struct pty_chr *)c;

    timer_fini(&p->poll_timer);
    fdio_close(&p->io);
    if (p->link) {
        unlink(p->link);
        g_free(p->link);
    }
    if (p->master >= 0) {
        close(p->master);
    }
    g_free(p->name);
}

const struct chardev_ops chardev_pty_ops = {
    .kind = "pty",
    .size = sizeof(struct pty_chr),
    .open = pty_open,
    .write = pty_write,
    .queued = pty_queued,
    .read_update = pty_read_update,
    .describe = pty_describe,
    .close = pty_close,
};
