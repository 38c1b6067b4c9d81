/* SPDX-License-Identifier: BSD-2-Clause */
/* hw/char/isa_debug.c - debug console port and exit port: no chip has these; emulated machines do by convention */
#include "hw/char/isa_debug.h"
#include "chardev/chardev.h"
#include "core/runstate.h"
#include "hw/isa/isa.h"
#include "lib/bits.h"

/* ---- isa-debugcon ---- */

struct debugcon {
    struct device dev;          /* first member */
    struct region io;
    struct chardev *chr;
    uint32_t iobase, readback;
    char *chardev;
    unsigned long dropped;      /* bytes the back end had no room for: a debug port has no flow control */
};

static uint64_t con_read(void *opaque, uint64_t off, unsigned size)
{
    return ((struct debugcon *)opaque)->readback;
}

static void con_write(void *opaque, uint64_t off, uint64_t val, unsigned size)
{
    struct debugcon *s = opaque;
    uint8_t c = val;

    if (s->chr && !chardev_write(s->chr, &c, 1)) {
        s->dropped++;
    }
}

static const struct region_ops con_ops = { con_read, con_write, 1, 1 };

static size_t no_input(void *opaque)
{
    return 0;
}

static void ignore_input(void *opaque, const uint8_t *buf, size_t len)
{
}

static const struct chardev_fe_ops con_fe = { .can_read = no_input, .read = ignore_input };

static bool con_realize(struct device *d, Error **errp)
{
    struct debugcon *s = (struct debugcon *)d;
    struct chardev *chr = s->chardev ? chardev_find(s->chardev) : NULL;

    if (!s->chardev) {
        error_setg(errp, "Can't create debugcon device, empty char device");
        return false;
    }
    if (!chr) {
        error_setg(errp, "Property 'isa-debugcon.chardev' can't find value '%s'", s->chardev);
        return false;
    }
    if (s->iobase > 0xFFFF) {
        error_setg(errp, "isa-debugcon: iobase 0x%x is no port", s->iobase);
        return false;
    }
    if (!chardev_attach(chr, &con_fe, s, errp)) {
        return false;
    }
    s->chr = chr;
    region_init_io(&s->io, "debugcon", 1, &con_ops, s);
    isa_io_add(d, s->iobase, &s->io);
    return true;
}

static void con_unrealize(struct device *d)
{
    struct debugcon *s = (struct debugcon *)d;

    region_fini(&s->io);
    if (s->chr) {
        chardev_detach(s->chr, s);
        s->chr = NULL;
    }
}

static const struct property con_props[] = {
    { "iobase", &prop_uint32, offsetof(struct debugcon, iobase), "0xe9", "I/O port" },
    { "readback", &prop_uint32, offsetof(struct debugcon, readback), "0xe9", "what a read of the port returns" },
    { "chardev", &prop_str, offsetof(struct debugcon, chardev), NULL, "ID of a chardev to use as a backend" },
    { NULL },
};

const struct device_type isa_debugcon_type = {
    .name = "isa-debugcon",
    .desc = "Debug console port",
    .bus = "ISA",
    .size = sizeof(struct debugcon),
    .props = con_props,
    .category = DEVICE_CAT_MISC,
    .user_creatable = true,
    .realize = con_realize,
    .unrealize = con_unrealize,
};

/* ---- isa-debug-exit ---- */

struct debug_exit {
    struct device dev;          /* first member */
    struct region io;
    uint32_t iobase, iosize;
};

static uint64_t exit_read(void *opaque, uint64_t off, unsigned size)
{
    return 0;
}

static void exit_write(void *opaque, uint64_t off, uint64_t val, unsigned size)
{
    runstate_set_exit_status((int)((val << 1 | 1) & 0xFF));
    runstate_request_shutdown(SHUTDOWN_GUEST_SHUTDOWN);
}

static const struct region_ops exit_ops = { exit_read, exit_write, 1, 4 };

static bool exit_realize(struct device *d, Error **errp)
{
    struct debug_exit *s = (struct debug_exit *)d;

    if (!s->iosize || s->iosize > 4 || s->iobase > 0x10000 - s->iosize) {
        error_setg(errp, "isa-debug-exit: no such place: iobase 0x%x, iosize 0x%x (1 to 4)", s->iobase, s->iosize);
        return false;
    }
    region_init_io(&s->io, "isa-debug-exit", s->iosize, &exit_ops, s);
    isa_io_add(d, s->iobase, &s->io);
    return true;
}

static void exit_unrealize(struct device *d)
{
    region_fini(&((struct debug_exit *)d)->io);
}

static const struct property exit_props[] = {
    { "iobase", &prop_uint32, offsetof(struct debug_exit, iobase), "0x501", "I/O port" },
    { "iosize", &prop_uint32, offsetof(struct debug_exit, iosize), "0x2", "number of ports" },
    { NULL },
};

const struct device_type isa_debug_exit_type = {
    .name = "isa-debug-exit",
    .desc = "Port that ends the emulator",
    .bus = "ISA",
    .size = sizeof(struct debug_exit),
    .props = exit_props,
    .category = DEVICE_CAT_MISC,
    .user_creatable = true,
    .realize = exit_realize,
    .unrealize = exit_unrealize,
};
