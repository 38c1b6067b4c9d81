/* SPDX-License-Identifier: BSD-2-Clause */
/* softmmu/chardev/simple.c - null (nowhere) and ringbuf (the last bytes, in memory) */
#include "chardev_internal.h"
#include "lib/bits.h"
#include <string.h>

static bool null_open(struct chardev *c, const ChardevOptions *o, Error **errp)
{
    c->connected = true;
    return true;
}

static size_t null_write(struct chardev *c, const uint8_t *buf, size_t len)
{
    return len;
}

static char *null_describe(const struct chardev *c)
{
    return g_strdup("null");
}

static void null_close(struct chardev *c)
{
}

const struct chardev_ops chardev_null_ops = {
    .kind = "null",
    .size = sizeof(struct chardev),
    .open = null_open,
    .write = null_write,
    .queued = chardev_nothing_queued,
    .read_update = chardev_no_read_update,
    .describe = null_describe,
    .close = null_close,
};

#define RINGBUF_DEFAULT 65536u
#define RINGBUF_MAX     (1u << 26)

struct ringbuf {
    struct chardev c;
    uint8_t *buf;
    size_t size, prod;      /* prod counts all bytes ever written */
};

static bool ringbuf_open(struct chardev *c, const ChardevOptions *o, Error **errp)
{
    struct ringbuf *r = (struct ringbuf *)c;
    const ChardevRingbuf *ro = o->backend == CHARDEV_BACKEND_KIND_MEMORY ? &o->u.memory : &o->u.ringbuf;
    uint64_t size = ro->has_size ? ro->size : RINGBUF_DEFAULT;

    if (!is_pow2(size) || size > RINGBUF_MAX) {
        error_setg(errp, "size of ringbuf chardev must be power of two");
        return false;
    }
    r->buf = g_malloc0(size);
    r->size = size;
    c->connected = true;
    return true;
}

static size_t ringbuf_write(struct chardev *c, const uint8_t *buf, size_t len)
{
    struct ringbuf *r = (struct ringbuf *)c;

    for (size_t i = len > r->size ? len - r->size : 0; i < len; i++) {
        r->buf[(r->prod + i) & (r->size - 1)] = buf[i];
    }
    r->prod += len;
    return len;
}

static char *ringbuf_describe(const struct chardev *c)
{
    return g_strdup("ringbuf");
}

static void ringbuf_close(struct chardev *c)
{
    g_clear_pointer(&((struct ringbuf *)c)->buf, g_free);
}

const struct chardev_ops chardev_ringbuf_ops = {
    .kind = "ringbuf",
    .size = sizeof(struct ringbuf),
    .open = ringbuf_open,
    .write = ringbuf_write,
    .queued = chardev_nothing_queued,
    .read_update = chardev_no_read_update,
    .describe = ringbuf_describe,
    .close = ringbuf_close,
};
