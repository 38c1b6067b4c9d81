/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * softmmu/chardev/stdio.c - the terminal this program was started in
 *
 * On a terminal the line discipline is switched to raw, and back at exit, also at exit(). With signal=off Ctrl-C and
 * Ctrl-Z reach the guest. Descriptors 0 and 1 are shared with the shell and with stderr, so they are not made
 * non-blocking:
 * where the
 * host allows it a second open file description of the same terminal or FIFO is used instead.
 */
#include "chardev_internal.h"
#include "core/channel.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

struct stdio_chr {
    struct chardev c;
    struct fdio io;
};

static struct termios saved;
static bool have_saved, in_use;
static int saved_flags[2] = { -1, -1 };

static void restore(void)
{
    if (have_saved) {
        tcsetattr(0, TCSANOW, &saved);
    }
    for (int fd = 0; fd < 2; fd++) {
        if (saved_flags[fd] >= 0) {
            fcntl(fd, F_SETFL, saved_flags[fd]);
            saved_flags[fd] = -1;
        }
    }
}

static void make_raw(bool signals)
{
    struct termios t;

    if (tcgetattr(0, &t) < 0) {
        return;                 /* not a terminal */
    }
    if (!have_saved) {
        saved = t;
        have_saved = true;
        atexit(restore);
    }
    t.c_iflag &= ~(tcflag_t)(IGNBRK | BRKINT | PARMRK | ISTRIP | INLCR | IGNCR | ICRNL | IXON);
    t.c_oflag |= OPOST;
    t.c_lflag &= ~(tcflag_t)(ECHO | ECHONL | ICANON | IEXTEN);
    if (!signals) {
        t.c_lflag &= ~(tcflag_t)ISIG;
    }
    t.c_cflag &= ~(tcflag_t)(CSIZE | PARENB);
    t.c_cflag |= CS8;
    t.c_cc[VMIN] = 1;
    t.c_cc[VTIME] = 0;
    tcsetattr(0, TCSANOW, &t);
}

/* A descriptor for the same thing as @fd that may be non-blocking without anybody else noticing. */
static int private_fd(int fd, int mode, bool *own)
{
    struct stat st;
    char path[32];
    int n;

    *own = false;
    if (fstat(fd, &st) < 0) {
        return -1;
    }
    if (S_ISREG(st.st_mode) || S_ISBLK(st.st_mode)) {
        return fd;              /* never blocks, and a new description would start at offset 0 */
    }
    if (S_ISCHR(st.st_mode) || S_ISFIFO(st.st_mode)) {
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        n = open(path, mode | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
        if (n >= 0) {
            *own = true;
            return n;
        }
    }
    saved_flags[fd] = fcntl(fd, F_GETFL);
    if (saved_flags[fd] >= 0) {
        fcntl(fd, F_SETFL, saved_flags[fd] | O_NONBLOCK);
        atexit(restore);
    }
    return fd;
}

static bool stdio_open(struct chardev *c, const ChardevOptions *o, Error **errp)
{
    struct stdio_chr *s = (struct stdio_chr *)c;
    bool own_in, own_out;
    int in, out;

    if (in_use) {
        error_setg(errp, "cannot use stdio by multiple character devices");
        return false;
    }
    in = private_fd(0, O_RDONLY, &own_in);
    out = private_fd(1, O_WRONLY, &own_out);
    fdio_init(&s->io, c, in, out, false);
    s->io.own_in = own_in;
    s->io.own_out = own_out;
    in_use = true;
    make_raw(o->u.stdio.has_signal ? o->u.stdio.signal : true);
    c->connected = true;
    return true;
}

static size_t stdio_write(struct chardev *c, const uint8_t *buf, size_t len)
{
    return fdio_write(&((struct stdio_chr *)c)->io, buf, len);
}

static size_t stdio_queued(const struct chardev *c)
{
    return fdio_queued(&((const struct stdio_chr *)c)->io);
}

static void stdio_read_update(struct chardev *c)
{
    fdio_read_update(&((struct stdio_chr *)c)->io);
}

static char *stdio_describe(const struct chardev *c)
{
    return g_strdup("stdio");
}

static void stdio_close(struct chardev *c)
{
    struct stdio_chr *s = (struct stdio_chr *)c;

    if (s->io.outq) {
        fdio_close(&s->io);
        restore();
        in_use = false;
    }
}

const struct chardev_ops chardev_stdio_ops = {
    .kind = "stdio",
    .size = sizeof(struct stdio_chr),
    .open = stdio_open,
    .write = stdio_write,
    .queued = stdio_queued,
    .read_update = stdio_read_update,
    .describe = stdio_describe,
    .close = stdio_close,
};
