/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/intc/ioapic.c - 82093AA I/O APIC (Intel 290566)
 *
 * Redirection table entry (3.2.4):
 *   63:56 destination   16 mask   15 level   14 remote IRR (ro)   13 active low   12 delivery status (ro)
 *   11 logical          10:8 delivery mode   7:0 vector
 *
 * Edge: a rising input sends a message if the entry is unmasked; masked edges are lost, as the data sheet says.
 * Level: while the input is asserted, unmasked and remote IRR is clear, a message goes out and sets remote IRR; the
 * EOI of that vector clears it and the input is looked at again. Delivery is instant, so delivery status reads 0.
 */
#include "hw/intc/ioapic.h"
#include "hw/intc/apic.h"
#include "lib/bits.h"

enum { REG_ID = 0x00, REG_VERSION = 0x01, REG_ARB = 0x02, REG_TABLE = 0x10 };
enum { VERSION = 0x11 };
enum {
    RTE_VECTOR = 0xFF, RTE_LOGICAL = 1 << 11, RTE_STATUS = 1 << 12, RTE_REMOTE_IRR = 1 << 14, RTE_LEVEL = 1 << 15,
    RTE_MASKED = 1 << 16, RTE_RO = RTE_STATUS | RTE_REMOTE_IRR, RTE_LOW_WRITABLE = 0x1FFFF & ~RTE_RO,
};

static void send(struct ioapic *s, unsigned n)
{
    uint64_t e = s->rte[n];
    struct apic_msg m = {
        .dest = e >> 56, .logical = e & RTE_LOGICAL, .mode = bits_get(e, 8, 3), .vector = e & RTE_VECTOR,
        .level = e & RTE_LEVEL,
    };
    bool lasting = m.mode == APIC_DM_FIXED || m.mode == APIC_DM_LOWEST;

    if (lasting && m.level) {
        s->rte[n] |= RTE_REMOTE_IRR;        /* before delivery: an EOI may come out of it */
    }
    apic_bus_deliver(s->apics, &m);
}

/* Look at a level input. */
static void level_service(struct ioapic *s, unsigned n)
{
    uint64_t e = s->rte[n];

    if ((s->lines & BIT(n)) && (e & RTE_LEVEL) && !(e & (RTE_MASKED | RTE_REMOTE_IRR))) {
        send(s, n);
    }
}

static void input(void *opaque, unsigned n, bool level)
{
    struct ioapic *s = opaque;
    bool was = s->lines & BIT(n);

    s->lines = level ? s->lines | BIT(n) : s->lines & ~BIT(n);
    if (s->rte[n] & RTE_LEVEL) {
        level_service(s, n);
    } else if (level && !was && !(s->rte[n] & RTE_MASKED)) {
        send(s, n);
    }
}

void ioapic_eoi(struct ioapic *s, uint8_t vector)
{
    for (unsigned n = 0; n < IOAPIC_PINS; n++) {
        uint64_t e = s->rte[n];

        if ((e & RTE_REMOTE_IRR) && (e & RTE_VECTOR) == vector) {
            s->rte[n] &= ~(uint64_t)RTE_REMOTE_IRR;
            level_service(s, n);
        }
    }
}

static void table_write(struct ioapic *s, unsigned i, uint32_t v)
{
    unsigned n = i / 2;

    if (i & 1) {
        s->rte[n] = bits_put(s->rte[n], 32, 32, v & 0xFF000000);
        return;
    }
    s->rte[n] = (s->rte[n] & (0xFFFFFFFF00000000 | RTE_RO)) | (v & RTE_LOW_WRITABLE);
    if (!(v & RTE_LEVEL)) {
        /* undefined for edge; drivers clear a stuck entry by going through edge */
        s->rte[n] &= ~(uint64_t)RTE_REMOTE_IRR;
    }
    level_service(s, n);
}

static uint32_t reg_read(const struct ioapic *s, uint8_t reg)
{
    switch (reg) {
    case REG_ID:
    case REG_ARB:
        return (uint32_t)s->id << 24;
    case REG_VERSION:
        return (IOAPIC_PINS - 1) << 16 | VERSION;
    default:
        if (reg >= REG_TABLE && reg < REG_TABLE + 2 * IOAPIC_PINS) {
            return s->rte[(reg - REG_TABLE) / 2] >> (reg & 1 ? 32 : 0);
        }
        return 0;
    }
}

static uint64_t mmio_read(void *opaque, uint64_t off, unsigned size)
{
    const struct ioapic *s = opaque;

    switch (off & 0xFC) {
    case 0x00:
        return s->select;
    case 0x10:
        return reg_read(s, s->select);
    default:
        return 0;
    }
}

static void mmio_write(void *opaque, uint64_t off, uint64_t val, unsigned size)
{
    struct ioapic *s = opaque;

    switch (off & 0xFC) {
    case 0x00:
        s->select = val;
        break;
    case 0x10:
        if (s->select == REG_ID) {
            s->id = bits_get(val, 24, 4);
        } else if (s->select >= REG_TABLE && s->select < REG_TABLE + 2 * IOAPIC_PINS) {
            table_write(s, s->select - REG_TABLE, val);
        }
        break;
    default:
        break;
    }
}

static const struct region_ops mmio_ops = { mmio_read, mmio_write, 4, 4 };

static bool ioapic_realize(struct device *d, Error **errp)
{
    struct ioapic *s = (struct ioapic *)d;

    for (unsigned i = 0; i < IOAPIC_PINS; i++) {
        irq_init(&s->in[i], input, s, i);
    }
    region_init_io(&s->io, "ioapic", 0x1000, &mmio_ops, s);
    region_add(s->mem, IOAPIC_BASE, &s->io, 0);
    return true;
}

static void ioapic_unrealize(struct device *d)
{
    struct ioapic *s = (struct ioapic *)d;

    region_fini(&s->io);
}

static void ioapic_reset(struct device *d)
{
    struct ioapic *s = (struct ioapic *)d;

    s->select = s->id = 0;
    for (unsigned i = 0; i < IOAPIC_PINS; i++) {
        s->rte[i] = RTE_MASKED;
    }
}

void ioapic_print(const struct ioapic *s, GString *out)
{
    static const char *const modes[] = { "fixed", "lowest", "SMI", "-", "NMI", "INIT", "-", "ExtINT" };

    g_string_append_printf(out, "ioapic0: ver=0x%x id=0x%02x sel=0x%02x\n", VERSION, s->id, s->select);
    for (unsigned i = 0; i < IOAPIC_PINS; i++) {
        uint64_t e = s->rte[i];

        g_string_append_printf(out, "  pin %-2u 0x%016" G_GINT64_MODIFIER "x dest=%u vec=%-3u %s %s %s%s%s%s\n", i, e,
                               (unsigned)(e >> 56), (unsigned)(e & RTE_VECTOR), modes[bits_get(e, 8, 3)],
                               e & RTE_LEVEL ? "level" : "edge", e & RTE_LOGICAL ? "logical" : "physical",
                               e & RTE_MASKED ? " masked" : "", e & RTE_REMOTE_IRR ? " remote-irr" : "",
                               s->lines & BIT(i) ? " asserted" : "");
    }
}

const struct device_type ioapic_type = {
    .name = TYPE_IOAPIC,
    .desc = "82093AA I/O APIC",
    .bus = "System",
    .size = sizeof(struct ioapic),
    .category = DEVICE_CAT_MISC,
    .realize = ioapic_realize,
    .unrealize = ioapic_unrealize,
    .reset = ioapic_reset,
};
