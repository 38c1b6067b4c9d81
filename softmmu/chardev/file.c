/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * softmmu/chardev/file.c - things with a name in the file system: file (written), pipe (a pair of FIFOs), serial
 * (a device)
 */
#include "chardev_internal.h"
#include "core/fdname.h"
#include "core/channel.h"
#include "lib/strparse.h"
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

struct file_chr {
    struct chardev c;
    struct fdio io;
    char *path;
};

static bool fail(const char *path, Error **errp)
{
    error_setg_errno(errp, errno, "Could not open '%s'", path);
    return false;
}

static bool file_open(struct chardev *c, const ChardevOptions *o, Error **errp)
{
    struct file_chr *f = (struct file_chr *)c;
    const ChardevFile *fo = &o->u.file;
    int in = -1, out;

    f->path = g_strdup(fo->path);
    out = fdset_open(fo->path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY | (fo->append ? O_APPEND : O_TRUNC), 0666);
    if (out < 0) {
        return fail(fo->path, errp);
    }
    if (fo->input_path) {
        in = fdset_open(fo->input_path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
        if (in < 0) {
            close(out);
            return fail(fo->input_path, errp);
        }
    }
    fdio_init(&f->io, c, in, out, true);
    c->connected = true;
    return true;
}

/*
 * PATH.in and PATH.out, named from the outside's point of view: we read what is written to .in; else PATH for
 * both ways.
 */
static bool pipe_open(struct chardev *c, const ChardevOptions *o, Error **errp)
{
    struct file_chr *f = (struct file_chr *)c;
    const char *path = o->u.pipe.path;
    char *in_path = g_strconcat(path, ".in", NULL), *out_path = g_strconcat(path, ".out", NULL);
    int in = open(in_path, O_RDWR | O_CLOEXEC | O_NONBLOCK), out = open(out_path, O_RDWR | O_CLOEXEC | O_NONBLOCK);

    g_free(in_path);
    g_free(out_path);
    f->path = g_strdup(path);
    if (in < 0 || out < 0) {
        if (in >= 0) {
            close(in);
        }
        if (out >= 0) {
            close(out);
        }
        in = out = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
        if (in < 0) {
            return fail(path, errp);
        }
    }
    fdio_init(&f->io, c, in, out, true);
    c->connected = true;
    return true;
}

static bool serial_open(struct chardev *c, const ChardevOptions *o, Error **errp)
{
    struct file_chr *f = (struct file_chr *)c;
    const char *path = o->u.serial.path;
    struct termios t;
    int fd = fdset_open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);

    f->path = g_strdup(path);
    if (fd < 0) {
        return fail(path, errp);
    }
    if (tcgetattr(fd, &t) == 0) {
        cfmakeraw(&t);
        tcsetattr(fd, TCSANOW, &t);
    }
    fdio_init(&f->io, c, fd, fd, true);
    c->connected = true;
    return true;
}

static size_t file_write(struct chardev *c, const uint8_t *buf, size_t len)
{
    return fdio_write(&((struct file_chr *)c)->io, buf, len);
}

static size_t file_queued(const struct chardev *c)
{
    return fdio_queued(&((const struct file_chr *)c)->io);
}

static void file_read_update(struct chardev *c)
{
    fdio_read_update(&((struct file_chr *)c)->io);
}

static char *file_describe(const struct chardev *c)
{
    return g_strdup_printf("%s:%s", c->ops->kind, ((const struct file_chr *)c)->path);
}

static void file_close(struct chardev *c)
{
    struct file_chr *f = (struct file_chr *)c;

    fdio_close(&f->io);
    g_free(f->path);
}

#define FILE_OPS(name, k)                                                                                              \
    const struct chardev_ops name = {                                                                                  \
        .kind = #k, .size = sizeof(struct file_chr), .open = k##_open, .write = file_write, .queued = file_queued,     \
        .read_update = file_read_update, .describe = file_describe, .close = file_close,                               \
    }
FILE_OPS(chardev_file_ops, file);
FILE_OPS(chardev_pipe_ops, pipe);
FILE_OPS(chardev_serial_ops, serial);
