/* SPDX-License-Identifier: BSD-2-Clause */
/* hw/char/serial_isa.c - "isa-serial": a 16550A at one of the four places where software looks for COM1..COM4 */
#include "hw/char/serial.h"
#include "hw/isa/isa.h"
#include "lib/bits.h"

enum { PORTS = 4, INDEX_AUTO = 255 };

static const uint16_t iobases[PORTS] = { 0x3F8, 0x2F8, 0x3E8, 0x2E8 };
static const uint8_t irqs[PORTS] = { 4, 3, 4, 3 };

static bool index_taken(struct isa_serial *self, unsigned index)
{
    for (GList *l = self->dev.bus->devices; l; l = l->next) {
        struct device *d = l->data;

        if (d != &self->dev && d->type == &isa_serial_type && ((struct isa_serial *)d)->index == index) {
            return true;
        }
    }
    return false;
}

static bool pick_index(struct isa_serial *s, Error **errp)
{
    if (s->index == INDEX_AUTO) {
        for (s->index = 0; s->index < PORTS && index_taken(s, s->index); s->index++) {
        }
    }
    if (s->index >= PORTS) {
        error_setg(errp, "Max. supported number of ISA serial ports is %d.", PORTS);
        return false;
    }
    if (index_taken(s, s->index)) {
        error_setg(errp, "isa-serial: index %u is already in use", s->index);
        return false;
    }
    return true;
}

static bool find_chardev(struct isa_serial *s, Error **errp)
{
    if (s->chardev) {
        s->uart.chr = chardev_find(s->chardev);
        if (!s->uart.chr) {
            error_setg(errp, "Property 'isa-serial.chardev' can't find value '%s'", s->chardev);
            return false;
        }
    }
    return true;
}

static bool isa_serial_realize(struct device *d, Error **errp)
{
    struct isa_serial *s = (struct isa_serial *)d;
    unsigned irq;

    if (!pick_index(s, errp) || !find_chardev(s, errp)) {
        return false;
    }
    if (!s->iobase) {
        s->iobase = iobases[s->index];
    }
    irq = s->irq ? s->irq : irqs[s->index];
    if (s->iobase > 0xFFF8 || irq >= ISA_IRQS) {
        error_setg(errp, "isa-serial: no such place: iobase 0x%x, irq %u", s->iobase, irq);
        return false;
    }
    s->irq = irq;
    s->uart.irq = isa_irq(d, irq);
    if (!serial_init(&s->uart, errp)) {
        s->uart.chr = NULL;                 /* somebody else's */
        return false;
    }
    region_init_io(&s->io, "serial", 8, &serial_ops, &s->uart);
    isa_io_add(d, s->iobase, &s->io);
    return true;
}

static void isa_serial_unrealize(struct device *d)
{
    struct isa_serial *s = (struct isa_serial *)d;

    serial_fini(&s->uart);
    region_fini(&s->io);
}

static void isa_serial_reset(struct device *d)
{
    serial_reset(&((struct isa_serial *)d)->uart);
}

static const struct property isa_serial_props[] = {
    { "index", &prop_uint32, offsetof(struct isa_serial, index), "255", "0-3: COM1-COM4; 255: the next free one" },
    { "iobase", &prop_uint32, offsetof(struct isa_serial, iobase), NULL, "I/O port; 0: by index" },
    { "irq", &prop_uint32, offsetof(struct isa_serial, irq), NULL, "ISA interrupt; 0: by index" },
    { "chardev", &prop_str, offsetof(struct isa_serial, chardev), NULL, "ID of a chardev to use as a backend" },
    { NULL },
};

const struct device_type isa_serial_type = {
    .name = TYPE_ISA_SERIAL,
    .desc = "16550A serial port",
    .bus = "ISA",
    .size = sizeof(struct isa_serial),
    .props = isa_serial_props,
    .category = DEVICE_CAT_INPUT,
    .user_creatable = true,
    .realize = isa_serial_realize,
    .unrealize = isa_serial_unrealize,
    .reset = isa_serial_reset,
};
