/* SPDX-License-Identifier: BSD-2-Clause */
/* softmmu/chardev/udp.c - datagrams: each write is one, each one received is read as far as the front end can */
#include "chardev_internal.h"
#include "core/channel.h"

struct udp_chr {
    struct chardev c;
    struct fdio io;
    char *text;
};

static bool udp_open(struct chardev *c, const ChardevOptions *o, Error **errp)
{
    struct udp_chr *u = (struct udp_chr *)c;
    const ChardevUdp *uo = &o->u.udp;
    int fd = channel_udp(uo->localaddr, uo->localport, uo->host, uo->port, uo->has_ipv4 && uo->ipv4, uo->has_ipv6 &&
                         uo->ipv6, errp);
    char *local;

    if (fd < 0) {
        return false;
    }
    fdio_init(&u->io, c, fd, fd, true);
    u->io.packets = true;
    local = channel_name(fd, false);
    u->text = g_strdup_printf("udp:%s:%s@%s", uo->host ? uo->host : "127.0.0.1", uo->port, local);
    g_free(local);
    c->connected = true;
    return true;
}

static size_t udp_write(struct chardev *c, const uint8_t *buf, size_t len)
{
    return fdio_write(&((struct udp_chr *)c)->io, buf, len);
}

static void udp_read_update(struct chardev *c)
{
    fdio_read_update(&((struct udp_chr *)c)->io);
}

static char *udp_describe(const struct chardev *c)
{
    return g_strdup(((const struct udp_chr *)c)->text);
}

static void udp_close(struct chardev *c)
{
    struct udp_chr *u = (struct udp_chr *)c;

    fdio_close(&u->io);
    g_free(u->text);
}

const struct chardev_ops chardev_udp_ops = {
    .kind = "udp",
    .size = sizeof(struct udp_chr),
    .open = udp_open,
    .write = udp_write,
    .queued = chardev_nothing_queued,
    .read_update = udp_read_update,
    .describe = udp_describe,
    .close = udp_close,
};
