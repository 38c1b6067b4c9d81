/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/unit/test-vmstate-parts.c - state tables of what NICs share: register files, rings, EEPROMs, PHYs, PCI
 *
 * Each part is stopped in the middle of something, saved, loaded into a fresh one, and both go on: they must not
 * differ. Then the streams that must be refused.
 */
#include "core/loop.h"
#include "hw/net/eeprom93.h"
#include "hw/net/mii.h"
#include "hw/net/regs.h"
#include "hw/net/vmstate.h"
#include "hw/pci/caps.h"
#include "hw/pci/msi.h"
#include "lib/bits.h"
#include "mem/ram.h"
#include "mem/space.h"
#include "migration/devices.h"
#include "migration/stream.h"

#include <string.h>

static GByteArray *saved(const struct vmstate *v, void *opaque)
{
    GByteArray *b = g_byte_array_new();

    vmstate_save(v, opaque, b);
    return b;
}

static void loads(const struct vmstate *v, void *opaque, const GByteArray *b)
{
    Error *err = NULL;

    if (!vmstate_load(v, opaque, b->data, b->len, &err)) {
        g_error("%s", error_text(err));
    }
}

static void refused(const struct vmstate *v, void *opaque, const GByteArray *b, const char *text)
{
    g_autoptr(Error) err = NULL;

    g_assert_false(vmstate_load(v, opaque, b->data, b->len, &err));
    g_assert_cmpstr(error_text(err), ==, text);
}

/* The @n bytes @old in @b become @new */
static void patch(GByteArray *b, const void *old, const void *new, size_t n)
{
    for (guint i = 0; i + n <= b->len; i++) {
        if (memcmp(b->data + i, old, n) == 0) {
            memcpy(b->data + i, new, n);
            return;
        }
    }
    g_assert_not_reached();
}

/* Where the values of field @name begin */
static guint payload(const GByteArray *b, const char *name)
{
    size_t n = strlen(name);

    for (guint i = 0; i + n < b->len; i++) {
        if (b->data[i] == n && memcmp(b->data + i + 1, name, n) == 0) {
            return i + 1 + (guint)n + 9;
        }
    }
    g_assert_not_reached();
}

/* ---- register files ---- */

struct regs_part {
    struct regfile regs;
};

static const struct vmstate vms_regs = {
    .name = "nic", .version = 1,
    .fields = (const struct vmstate_field[]){
        VMS_CODED(struct regs_part, regs, vmstate_regfile, REGFILE_STREAM_MAX), VMS_END,
    },
};

static const struct reg rows[] = {
    { "PLAIN",  0x00, .rw = 0x0000FF00, .reset = 0x12345678 },
    { "CAUSE",  0x04, .w1c = 0xF },
    { "SET",    0x08, .w1s = 0xFF0, .flags = REG_ALIAS | REG_WO, .store = 0x04 },
    { "MODEL",  0x0C, .hw = 0x30 },
    { "COUNT",  0x10, .clear_on_read = 0xFFFF },
    { "ARRAY",  0x40, .rw = 0xFF, .count = 4, .stride = 16, .reset = 7 },
    { "MEMORY", 0x80, .rw = ~0u, .count = 2, .flags = REG_KEEP },
};

static void regs_init(struct regs_part *p)
{
    regfile_init(&p->regs, "nic", rows, ARRAY_LEN(rows), 0x100, NULL);
}

static GByteArray *regs_stream(void)
{
    struct regs_part p;
    GByteArray *b;

    regs_init(&p);
    regfile_write(&p.regs, 0x00, 0xFFFFABFF);
    regfile_write(&p.regs, 0x08, 0xFFF);
    reg_set(&p.regs, 0x0C, 0x20);
    regfile_write(&p.regs, 0x50, 9);
    regfile_write(&p.regs, 0x84, 0xDEADBEEF);
    b = saved(&vms_regs, &p);
    regfile_fini(&p.regs);
    return b;
}

static void test_regfile(void)
{
    g_autoptr(GByteArray) b = regs_stream();
    struct regs_part p;

    regs_init(&p);
    reg_set(&p.regs, 0x10, 5);                      /* not in the stream: at reset there */
    reg_set(&p.regs, 0x80, 5);                      /* memory, too */
    loads(&vms_regs, &p, b);
    g_assert_cmphex(regfile_read(&p.regs, 0x00), ==, 0x1234AB78);
    g_assert_cmphex(regfile_read(&p.regs, 0x04), ==, 0xFF0);
    g_assert_cmphex(regfile_read(&p.regs, 0x0C), ==, 0x20);
    g_assert_cmphex(regfile_read(&p.regs, 0x10), ==, 0);
    g_assert_cmphex(regfile_read(&p.regs, 0x40), ==, 7);
    g_assert_cmphex(regfile_read(&p.regs, 0x50), ==, 9);
    g_assert_cmphex(regfile_read(&p.regs, 0x80), ==, 0);
    g_assert_cmphex(regfile_read(&p.regs, 0x84), ==, 0xDEADBEEF);

    g_autoptr(GByteArray) again = saved(&vms_regs, &p);
    g_assert_cmpmem(again->data, again->len, b->data, b->len);
    regfile_fini(&p.regs);
}

static void test_regfile_refused(void)
{
    static const struct {
        uint32_t old, new;
        const char *text;
    } cases[] = {
        { 0x1234AB78, 0x1235AB78, "nic.regs: PLAIN[0]: 0x1235ab78: bits 0x10000 never change" },
        { 0x1234AB78, 0x1234AB79, "nic.regs: PLAIN[0]: 0x1234ab79: bits 0x1 never change" },
        { 0x00000FF0, 0x00001FF0, "nic.regs: CAUSE[0]: 0x1ff0: bits 0x1000 never change" },
        { 0x00000020, 0x00000060, "nic.regs: MODEL[0]: 0x60: bits 0x40 never change" },
        { 0x00000009, 0x00000109, "nic.regs: ARRAY[1]: 0x109: bits 0x100 never change" },
    };
    struct regs_part p;

    regs_init(&p);
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        g_autoptr(GByteArray) b = regs_stream();

        patch(b, &cases[i].old, &cases[i].new, 4);
        refused(&vms_regs, &p, b, cases[i].text);
    }
    g_autoptr(GByteArray) b = regs_stream();

    patch(b, "CAUSE", "CAUSX", 5);
    refused(&vms_regs, &p, b, "nic.regs: unknown, doubled or misplaced register 'CAUSX'");
    patch(b, "CAUSX", "PLAIN", 5);
    refused(&vms_regs, &p, b, "nic.regs: unknown, doubled or misplaced register 'PLAIN'");
    /* an alias has no value of its own */
    patch(b, "PLAIN\1\0\x78\xAB\x34\x12\5PLAIN", "PLAIN\1\0\x78\xAB\x34\x12\3SET\1\0", 17);
    refused(&vms_regs, &p, b, "nic.regs: unknown, doubled or misplaced register 'SET'");

    g_byte_array_unref(b);
    b = regs_stream();
    patch(b, "ARRAY\4", "ARRAY\5", 6);
    refused(&vms_regs, &p, b, "nic.regs: ARRAY: 5 copies, 4 expected");
    patch(b, "ARRAY\5", "ARRAY\4", 6);
    patch(b, "\6MEMORY\2", "\6MEMORY\3", 8);
    refused(&vms_regs, &p, b, "nic.regs: MEMORY: 3 copies, 2 expected");
    regfile_fini(&p.regs);
}

/* The last row cut at each byte, all lengths adjusted */
static void test_regfile_truncated(void)
{
    struct regs_part p;

    regs_init(&p);
    for (guint cut = 1; cut <= 16; cut++) {
        g_autoptr(GByteArray) b = regs_stream();
        g_autoptr(Error) err = NULL;
        guint body = payload(b, "regs");

        g_byte_array_set_size(b, b->len - cut);
        st_le32(b->data + 7, b->len - 11);
        st_le32(b->data + body - 4, b->len - body);
        st_le32(b->data + body - 8, b->len - body);
        g_assert_false(vmstate_load(&vms_regs, &p, b->data, b->len, &err));
        g_assert_true(g_str_has_prefix(error_text(err), "nic.regs: "));
    }
    regfile_fini(&p.regs);
}

/* ---- rings ---- */

static void test_ring(void)
{
    static const struct {
        uint32_t head, tail, next;
        bool ok;
    } cases[] = {
        { 2, 6, 2, true },  { 2, 6, 4, true },  { 2, 6, 6, true },  { 2, 6, 7, false },  { 2, 6, 1, false },
        { 6, 2, 6, true },  { 6, 2, 7, true },  { 6, 2, 0, true },  { 6, 2, 2, true },   { 6, 2, 3, false },
        { 6, 2, 5, false }, { 3, 3, 3, true },  { 3, 3, 4, false }, { 2, 6, 8, false },  { 2, 6, 0xFFFFFFFF, false },
        { 0, 7, 0x80000000, false },            { 9, 3, 3, false },
    };

    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct dma dma = { 0 };
        struct desc_ring r = { 0 };

        ring_setup(&r, &dma, 0x1000, 8 * 16, 16, cases[i].head, cases[i].tail);
        g_assert_true(ring_resume(&r, cases[i].next) == cases[i].ok);
        g_assert_true(r.running == cases[i].ok);
        g_assert_true(!cases[i].ok || (r.next == cases[i].next && r.head == cases[i].head));
    }
}

/* ---- EEPROM ---- */

static void clock_bits(struct eeprom93 *ee, uint32_t bits, unsigned n)
{
    while (n--) {
        eeprom93_set(ee, true, false, bits >> n & 1);
        eeprom93_set(ee, true, true, bits >> n & 1);
    }
}

/* Stopped at each clock of a read and of a write */
static void test_eeprom(void)
{
    for (unsigned op = 1; op <= 2; op++) {
        for (unsigned stop = 0; stop <= 25; stop++) {
            struct eeprom93 a, b;
            uint64_t cmd = (uint64_t)(op == 2 ? 6 : 5) << 22 | 3 << 16 | 0xA55A;    /* start, opcode, address 3, data */

            eeprom93_init(&a, EEPROM_93C46);
            eeprom93_init(&b, EEPROM_93C46);
            eeprom93_reset(&a);
            eeprom93_reset(&b);
            a.words[3] = 0x1234;
            a.writable = true;
            eeprom93_set(&a, true, false, false);
            clock_bits(&a, (uint32_t)(cmd >> (25 - stop)), stop);
            g_autoptr(GByteArray) s = saved(&vmstate_eeprom93, &a);
            loads(&vmstate_eeprom93, &b, s);
            for (unsigned n = stop; n < 25; n++) {
                clock_bits(&a, (uint32_t)(cmd >> (24 - n)), 1);
                clock_bits(&b, (uint32_t)(cmd >> (24 - n)), 1);
                g_assert_true(eeprom93_do(&a) == eeprom93_do(&b));
            }
            eeprom93_set(&b, false, false, false);
            g_assert_cmphex(b.words[3], ==, op == 1 ? 0xA55A : 0x1234);
        }
    }
}

static void test_eeprom_refused(void)
{
    static const struct {
        const char *field;
        uint8_t val;
        const char *text;
    } cases[] = {
        { "state", 7, "eeprom93.state: 7 is not within 0..6" },
        { "op", 4, "eeprom93.op: 0x4 has bits outside 0x3" },
        { "bits", 1, "eeprom93: 1 bits in state 0" },
        { "cs", 2, "eeprom93.cs: 2 is no bool" },
    };
    struct eeprom93 a, big;

    eeprom93_init(&a, EEPROM_93C46);
    eeprom93_init(&big, EEPROM_93C66);
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        g_autoptr(GByteArray) s = saved(&vmstate_eeprom93, &a);

        s->data[payload(s, cases[i].field)] = cases[i].val;
        refused(&vmstate_eeprom93, &a, s, cases[i].text);
    }
    g_autoptr(GByteArray) s = saved(&vmstate_eeprom93, &a);
    refused(&vmstate_eeprom93, &big, s, "eeprom93.words: 64 values, but its count says 256");
    g_autoptr(GByteArray) s2 = saved(&vmstate_eeprom93, &big);
    refused(&vmstate_eeprom93, &a, s2, "eeprom93.words: 256 values, but its count says 64");
}

/* ---- PHY ---- */

static void link_changed(void *opaque, bool up)
{
    ++*(unsigned *)opaque;
}

static const struct mii_reg mii_rows[] = {
    { MII_BMCR, 0x1140, 0x7D40 }, { MII_BMSR, 0x7949, 0 }, { MII_PHYID1, 0x0141, 0 }, { MII_PHYID2, 0x0C20, 0 },
    { MII_ANAR, 0x0DE1, 0xBFFF }, { MII_GBCR, 0x0E00, 0xFF00 },
};
static const struct mii_reg other_rows[] = {
    { MII_BMCR, 0x1140, 0x7D40 }, { MII_BMSR, 0x7949, 0 }, { MII_PHYID1, 0x0141, 0 }, { MII_PHYID2, 0x0C30, 0 },
    { MII_ANAR, 0x0DE1, 0xBFFF }, { MII_GBCR, 0x0E00, 0xFF00 },
};
static const struct mii_model phy = {
    .regs = mii_rows, .nregs = ARRAY_LEN(mii_rows), .an_time_ns = 100 * NS_PER_MS, .link_changed = link_changed,
};
static const struct mii_model other_phy = {
    .regs = other_rows, .nregs = ARRAY_LEN(other_rows), .an_time_ns = 100 * NS_PER_MS, .link_changed = link_changed,
};

static void test_mii(void)
{
    struct mii a, b, c;
    unsigned changes = 0;

    mii_init(&a, &phy, &changes);
    mii_init(&b, &phy, &changes);
    mii_init(&c, &other_phy, &changes);
    mii_power_on(&a, true);
    mii_power_on(&b, false);
    mii_power_on(&c, true);
    mii_write(&a, MII_ANAR, 0x01E1);
    mii_write(&a, MII_BMCR, BMCR_AN_ENABLE | BMCR_AN_RESTART);
    clock_virtual_set(clock_get_ns(CLOCK_VIRTUAL) + 60 * NS_PER_MS);

    g_autoptr(GByteArray) s = saved(&vmstate_mii, &a);
    changes = 0;
    loads(&vmstate_mii, &b, s);
    g_assert_cmpuint(changes, ==, 0);                   /* a load is no event */
    for (unsigned r = 0; r < 32; r++) {
        g_assert_cmphex(b.regs[r], ==, a.regs[r]);
    }
    g_assert_false(mii_link_up(&b));
    timer_disarm(&a.an_timer);
    clock_virtual_set(clock_get_ns(CLOCK_VIRTUAL) + 39 * NS_PER_MS);
    g_assert_false(mii_link_up(&b));
    clock_virtual_set(clock_get_ns(CLOCK_VIRTUAL) + 1 * NS_PER_MS);
    g_assert_true(mii_link_up(&b));                     /* the rest of the 100 ms, not all of it again */
    g_assert_true(b.regs[MII_BMSR] & BMSR_AN_DONE);
    g_assert_cmpuint(changes, ==, 1);

    refused(&vmstate_mii, &c, s, "mii: register 3: 0xc20: bits 0x10 never change");
    st_le16(s->data + payload(s, "regs") + 2 * 20, 1);
    refused(&vmstate_mii, &b, s, "mii: register 20: 0x1: bits 0x1 never change");
    st_le16(s->data + payload(s, "regs") + 2 * 20, 0);
    s->data[payload(s, "state")] = MII_UP;
    refused(&vmstate_mii, &b, s, "mii: state 2 with a timer");
    s->data[payload(s, "state")] = 3;
    refused(&vmstate_mii, &b, s, "mii.state: 3 is not within 0..2");
    s->data[payload(s, "state")] = MII_NEGOTIATING;
    st_le64(s->data + payload(s, "an_timer"), UINT64_MAX);
    refused(&vmstate_mii, &b, s, "mii: state 1 without a timer");
    mii_fini(&a);
    mii_fini(&b);
    mii_fini(&c);
}

/* ---- PCI function: BAR 0, MSI with masks, MSI-X in BAR 1, power management ---- */

enum { BAR_AT = 0xE0000000, MSIX_AT = 0xE0010000, VECTORS = 5, MSI_CAP = 0x50, MSIX_CAP = 0x68, PM_CAP = 0x80 };

struct pci_toy {
    struct pci_device pci;
    struct region bar0;
};

static uint64_t bar0_read(void *opaque, uint64_t off, unsigned size)
{
    return 0x40 + off;
}

static void bar0_write(void *opaque, uint64_t off, uint64_t val, unsigned size)
{
}

static const struct region_ops bar0_ops = { bar0_read, bar0_write, 1, 4 };

static bool pci_toy_realize(struct device *dev, Error **errp)
{
    struct pci_toy *t = (struct pci_toy *)dev;

    region_init_io(&t->bar0, "toy", 0x1000, &bar0_ops, t);
    pci_bar(&t->pci, 0, PCI_BAR_MEM32, &t->bar0);
    return msi_init(&t->pci, MSI_CAP, 4, true, true, errp) && msix_init_exclusive(&t->pci, VECTORS, 1, errp) &&
           pci_add_pm(&t->pci, PM_CAP, PCI_PM_D1, 0);
}

static const struct pci_class_info pci_toy_class = {
    .vendor = 0x1234, .device = 0x5678, .class = PCI_CLASS_ETHERNET, .pin = 1,
};
static const struct device_type pci_toy_type = {
    .name = "vm-toy", .bus = "PCI", .parent = &pci_device_type, .size = sizeof(struct pci_toy),
    .realize = pci_toy_realize, .cls = &pci_toy_class,
};

struct bench {
    struct region root, io_root;
    struct addr_space as, io_as;
    struct pci_bus bus;
    struct pci_device *d;
    unsigned messages, intx;
};

static int map_irq(void *opaque, struct pci_device *d, int pin)
{
    return pin;
}

static void set_irq(void *opaque, int irq, bool level)
{
    ((struct bench *)opaque)->intx = level;
}

static bool message(void *opaque, struct pci_device *d, uint64_t addr, uint32_t data)
{
    ((struct bench *)opaque)->messages++;
    return true;
}

static const struct pci_bus_ops ops = { map_irq, set_irq, message };

static struct bench *bench_new(void)
{
    struct bench *b = g_new0(struct bench, 1);

    region_init(&b->root, "memory", 0);
    region_init(&b->io_root, "io", 0x10000);
    space_init(&b->as, "memory", &b->root);
    space_init(&b->io_as, "io", &b->io_root);
    pci_bus_init(&b->bus, "pci.0", NULL, &ops, b, 4, &b->root, &b->io_root, &b->as);
    b->d = pci_new("vm-toy", NULL, PCI_DEVFN(3, 0), NULL);
    g_assert_true(device_realize(&b->d->dev, &b->bus.bus, NULL));
    return b;
}

static void bench_free(struct bench *b)
{
    device_free(&b->d->dev);
    pci_bus_fini(&b->bus);
    space_fini(&b->io_as);
    space_fini(&b->as);
    region_fini(&b->io_root);
    region_fini(&b->root);
    g_free(b);
}

static uint32_t mem(struct bench *b, uint64_t addr)
{
    return (uint32_t)space_read(&b->as, addr, 4);
}

static void bench_setup(struct bench *b)
{
    pci_config_write(b->d, PCI_BAR0, BAR_AT, 4);
    pci_config_write(b->d, PCI_BAR0 + 4, MSIX_AT, 4);
    pci_config_write(b->d, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
    pci_config_write(b->d, PCI_INTERRUPT_LINE, 11, 1);
}

/* Vector 2 has a message and is unmasked, 3 is masked and pending */
static void bench_msix(struct bench *b)
{
    pci_config_write(b->d, MSIX_CAP + 2, 0x8000, 2);
    for (unsigned v = 2; v <= 3; v++) {
        space_write(&b->as, MSIX_AT + v * 16, 0xFEE00000, 4);
        space_write(&b->as, MSIX_AT + v * 16 + 8, 0x40 + v, 4);
        space_write(&b->as, MSIX_AT + v * 16 + 12, v == 3, 4);
    }
    msix_notify(b->d, 3);
}

static GByteArray *bench_saved(struct bench *b)
{
    GByteArray *out = g_byte_array_new();

    device_save(&b->d->dev, out);
    bench_free(b);
    return out;
}

static struct bench *bench_loaded(const GByteArray *s)
{
    struct bench *b = bench_new();
    Error *err = NULL;

    if (!device_load(&b->d->dev, s->data, s->len, &err)) {
        g_error("%s", error_text(err));
    }
    return b;
}

static void test_pci(void)
{
    struct bench *b = bench_new();
    uint8_t config[PCI_CONFIG_SIZE];

    bench_setup(b);
    bench_msix(b);
    memcpy(config, b->d->config, sizeof(config));
    g_autoptr(GByteArray) s = bench_saved(b);

    b = bench_loaded(s);
    g_assert_cmpmem(b->d->config, PCI_CONFIG_SIZE, config, PCI_CONFIG_SIZE);
    g_assert_cmphex(pci_bar_addr(b->d, 0), ==, BAR_AT);         /* mapped, not only written */
    g_assert_cmphex(mem(b, BAR_AT + 4), ==, 0x44);
    g_assert_cmphex(mem(b, MSIX_AT + 2 * 16 + 8), ==, 0x42);
    g_assert_true(b->d->dma.enabled);
    g_assert_true(msix_enabled(b->d));
    g_assert_true(msix_pending(b->d, 3));
    g_assert_cmpuint(b->messages, ==, 0);                       /* loading sends nothing */
    msix_notify(b->d, 2);
    g_assert_cmpuint(b->messages, ==, 1);
    space_write(&b->as, MSIX_AT + 3 * 16 + 12, 0, 4);           /* what was pending comes after the load */
    g_assert_cmpuint(b->messages, ==, 2);
    bench_free(b);
}

static void test_pci_intx(void)
{
    struct bench *b = bench_new();

    bench_setup(b);
    pci_set_irq(b->d, true);
    g_autoptr(GByteArray) s = bench_saved(b);
    b = bench_loaded(s);
    g_assert_cmpuint(b->intx, ==, 1);
    g_assert_cmphex(b->d->config[PCI_STATUS] & PCI_STATUS_INTX, ==, PCI_STATUS_INTX);
    g_assert_cmpuint(b->bus.irq_count[0], ==, 1);
    pci_set_irq(b->d, false);
    g_assert_cmpuint(b->intx, ==, 0);
    pci_set_irq(b->d, true);
    pci_config_write(b->d, PCI_COMMAND, PCI_COMMAND_MEMORY | PCI_COMMAND_INTX_OFF, 2);
    g_autoptr(GByteArray) off = bench_saved(b);
    b = bench_loaded(off);
    g_assert_cmpuint(b->intx, ==, 0);                           /* wanted, but switched off */
    g_assert_true(b->d->irq_level);
    g_assert_cmpuint(b->bus.irq_count[0], ==, 0);
    bench_free(b);
}

/* MSI with a vector pending behind its mask; a sleeping function has no BARs */
static void test_pci_msi_and_power(void)
{
    struct bench *b = bench_new();

    bench_setup(b);
    pci_config_write(b->d, MSI_CAP + 4, 0xFEE00000, 4);
    pci_config_write(b->d, MSI_CAP + 0x10, 2, 4);
    pci_config_write(b->d, MSI_CAP + 2, 0x21, 2);
    msi_notify(b->d, 1);
    g_autoptr(GByteArray) s = bench_saved(b);
    b = bench_loaded(s);
    g_assert_cmpuint(b->messages, ==, 0);
    g_assert_cmphex(pci_config_read(b->d, MSI_CAP + 0x14, 4), ==, 2);
    pci_config_write(b->d, MSI_CAP + 0x10, 0, 4);
    g_assert_cmpuint(b->messages, ==, 1);
    pci_config_write(b->d, PM_CAP + 4, 3, 2);
    g_autoptr(GByteArray) asleep = bench_saved(b);
    b = bench_loaded(asleep);
    g_assert_cmpuint(pci_power_state(b->d), ==, 3);
    g_assert_cmphex(pci_bar_addr(b->d, 0), ==, PCI_UNMAPPED);
    g_assert_false(b->d->dma.enabled);
    bench_free(b);
}

static void pci_refused(struct bench *b, const GByteArray *s, const char *text)
{
    g_autoptr(Error) err = NULL;

    g_assert_false(device_load(&b->d->dev, s->data, s->len, &err));
    g_assert_cmpstr(error_text(err), ==, text);
    g_assert_cmphex(pci_bar_addr(b->d, 0), ==, PCI_UNMAPPED);
    g_assert_false(msix_enabled(b->d));
}

static void test_pci_refused(void)
{
    static const struct {
        unsigned off;
        uint8_t flip;
        const char *text;
    } cases[] = {
        { PCI_DEVICE_ID, 0x01, "byte 0x02 is 0x79, here 0x78: bits 0x01 never change" },
        { PCI_BAR0, 0x08, "byte 0x10 is 0x08, here 0x00: bits 0x08 never change" },
        { PCI_BAR0 + 1, 0x01, "byte 0x11 is 0x01, here 0x00: bits 0x01 never change" },
        { PCI_BAR0 + 8, 0x10, "byte 0x18 is 0x10, here 0x00: bits 0x10 never change" },
        { PCI_CAP_POINTER, 0x04, "byte 0x34 is 0x54, here 0x50: bits 0x04 never change" },
        { PCI_INTERRUPT_PIN, 0x03, "byte 0x3d is 0x02, here 0x01: bits 0x03 never change" },
        { MSI_CAP + 1, 0x80, "byte 0x51 is 0xe8, here 0x68: bits 0x80 never change" },
        { MSI_CAP + 0x14, 0x10, "byte 0x64 is 0x10, here 0x00: bits 0x10 never change" },
        { MSIX_CAP + 2, 0x40, "byte 0x6a is 0x44, here 0x04: bits 0x40 never change" },
    };
    struct bench *b = bench_new();

    bench_setup(b);
    bench_msix(b);
    g_autoptr(GByteArray) s = bench_saved(b);

    b = bench_new();
    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        g_autofree char *text = g_strdup_printf("pci-device.config: %s", cases[i].text);

        s->data[payload(s, "config") + cases[i].off] ^= cases[i].flip;
        pci_refused(b, s, text);
        s->data[payload(s, "config") + cases[i].off] ^= cases[i].flip;
    }
    s->data[payload(s, "table") + 3 * 16 + 12] = 3;
    pci_refused(b, s, "pci-device.msix.table: vector 3: control 0x3 has reserved bits");
    s->data[payload(s, "table") + 3 * 16 + 12] = 1;
    s->data[payload(s, "pending")] |= 1 << VECTORS;
    pci_refused(b, s, "pci-device.msix.pending: vector 5 is pending, this device has 5");
    bench_free(b);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    loop_init();
    clock_virtual_manual();
    hw_pci_register_types();
    device_type_register(&pci_toy_type);
    g_test_add_func("/vmstate-parts/regfile", test_regfile);
    g_test_add_func("/vmstate-parts/regfile-refused", test_regfile_refused);
    g_test_add_func("/vmstate-parts/regfile-truncated", test_regfile_truncated);
    g_test_add_func("/vmstate-parts/ring", test_ring);
    g_test_add_func("/vmstate-parts/eeprom", test_eeprom);
    g_test_add_func("/vmstate-parts/eeprom-refused", test_eeprom_refused);
    g_test_add_func("/vmstate-parts/mii", test_mii);
    g_test_add_func("/vmstate-parts/pci", test_pci);
    g_test_add_func("/vmstate-parts/pci-intx", test_pci_intx);
    g_test_add_func("/vmstate-parts/pci-msi-and-power", test_pci_msi_and_power);
    g_test_add_func("/vmstate-parts/pci-refused", test_pci_refused);
    return g_test_run();
}
