/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/unit/test-msi.c - MSI and MSI-X rule by rule (PCI 3.0 section 6.8), and accesses that break the rules */
#include "tests/lib/pci_rig.h"

/* ---- MSI ---- */

static bool make_msi(struct toy *t, Error **errp) { return msi_init(&t->pci, CFG_AT, 8, true, true, errp); }
static bool make_msi_32(struct toy *t, Error **errp) { return msi_init(&t->pci, 0, 1, false, false, errp); }
static bool make_msi_64(struct toy *t, Error **errp) { return msi_init(&t->pci, 0, 32, true, false, errp); }
static bool make_msi_32m(struct toy *t, Error **errp) { return msi_init(&t->pci, 0, 4, false, true, errp); }

/* 6.8.1: where the fields are in the four formats, and which bits of them can be written */
static void test_msi_layout(void)
{
    static const struct {
        toy_make *make;
        unsigned control, size;
        uint32_t ones[6];               /* read back after all ones were written, from +0 */
    } t[] = {
        { make_msi_32, 0x0000, 0xC, { 0x00710005, 0xFFFFFFFC, 0x0000FFFF } },
        { make_msi_64, 0x008A, 0x10, { 0x00FB0005, 0xFFFFFFFC, 0xFFFFFFFF, 0x0000FFFF } },
        { make_msi_32m, 0x0104, 0x14, { 0x01750005, 0xFFFFFFFC, 0x0000FFFF, 0x0000000F, 0 } },
        { make_msi, 0x0186, 0x18, { 0x01F70005, 0xFFFFFFFC, 0xFFFFFFFF, 0x0000FFFF, 0x000000FF, 0 } },
    };

    for (unsigned i = 0; i < ARRAY_LEN(t); i++) {
        struct bench *b = bench_new(t[i].make);

        g_assert_cmphex(pci_find_cap(b->d, PCI_CAP_MSI), ==, CFG_AT);
        g_assert_cmphex(cfg(b, CFG_AT + 2, 2), ==, t[i].control);
        for (unsigned off = 4; off < t[i].size; off += 4) {
            g_assert_cmphex(cfg(b, CFG_AT + off, 4), ==, 0);
        }
        g_assert_false(msi_enabled(b->d));
        for (unsigned off = 0; off < t[i].size; off += 4) {
            cfgw(b, CFG_AT + off, ~0u, 4);
            g_assert_cmphex(cfg(b, CFG_AT + off, 4), ==, t[i].ones[off / 4]);
        }
        g_assert_true(msi_enabled(b->d));
        g_assert_cmphex(cfg(b, CFG_AT + t[i].size, 4), ==, 0);
        device_reset(&b->d->dev);
        g_assert_cmphex(cfg(b, CFG_AT + 2, 2), ==, t[i].control);
        for (unsigned off = 4; off < t[i].size; off += 4) {
            g_assert_cmphex(cfg(b, CFG_AT + off, 4), ==, 0);
        }
        bench_free(b);
    }
}

static void msi_program(struct bench *b, unsigned mme, uint64_t addr, uint32_t data)
{
    cfgw(b, CFG_AT + 4, (uint32_t)addr, 4);
    cfgw(b, CFG_AT + 8, (uint32_t)(addr >> 32), 4);
    cfgw(b, CFG_AT + 0xC, data, 2);
    cfgw(b, CFG_AT + 2, 1 | mme << 4, 2);
    b->n = 0;
}

/* 6.8.1.3, 6.8.3.4: the data's low bits are the vector, as many as the guest enabled and the function has */
static void test_msi_vectors(void)
{
    static const struct {
        unsigned mme, count;
        uint32_t data, want[9];         /* by vector */
    } t[] = {
        { 0, 1, 0x4035, { 0x4035, 0x4035, 0x4035, 0x4035, 0x4035, 0x4035, 0x4035, 0x4035, 0x4035 } },
        { 1, 2, 0x4035, { 0x4034, 0x4035, 0x4034, 0x4035, 0x4034, 0x4035, 0x4034, 0x4035, 0x4034 } },
        { 2, 4, 0x4035, { 0x4034, 0x4035, 0x4036, 0x4037, 0x4034, 0x4035, 0x4036, 0x4037, 0x4034 } },
        { 3, 8, 0xFFFF, { 0xFFF8, 0xFFF9, 0xFFFA, 0xFFFB, 0xFFFC, 0xFFFD, 0xFFFE, 0xFFFF, 0xFFF8 } },
        { 5, 8, 0x0040, { 0x0040, 0x0041, 0x0042, 0x0043, 0x0044, 0x0045, 0x0046, 0x0047, 0x0040 } },   /* clipped */
        { 7, 8, 0x0040, { 0x0040, 0x0041, 0x0042, 0x0043, 0x0044, 0x0045, 0x0046, 0x0047, 0x0040 } },   /* reserved */
    };
    struct bench *b = bench_new(make_msi);

    msi_notify(b->d, 0);                        /* not enabled */
    none(b);
    g_assert_cmpuint(msi_vectors(b->d), ==, 0);
    for (unsigned i = 0; i < ARRAY_LEN(t); i++) {
        msi_program(b, t[i].mme, 0x12345678FEE01000, t[i].data);
        g_assert_cmpuint(msi_vectors(b->d), ==, t[i].count);
        for (unsigned v = 0; v < 9; v++) {
            msi_notify(b->d, v);
            one(b, 0x12345678FEE01000, t[i].want[v]);
        }
        msi_notify(b->d, ~0u);
        g_assert_cmpuint(b->n, ==, 1);
    }
    bench_free(b);

    b = bench_new(make_msi_32);                 /* 32-bit format: data at +8 */
    cfgw(b, CFG_AT + 4, 0xFEE12347, 4);
    cfgw(b, CFG_AT + 8, 0xDEADBEEF, 4);
    cfgw(b, CFG_AT + 2, 1, 2);
    msi_notify(b->d, 0);
    one(b, 0xFEE12344, 0xBEEF);
    bench_free(b);
}

/* 6.8.3.5: masked is pending, unmasking sends it, once */
static void test_msi_masks(void)
{
    enum { MASK = CFG_AT + 0x10, PENDING = CFG_AT + 0x14 };
    struct bench *b = bench_new(make_msi);

    msi_program(b, 3, MSI_AT, 0x40);
    hooks(b, "* ");
    cfgw(b, MASK, 0x0A, 4);
    hooks(b, "1 3 ");
    msi_notify(b->d, 1);
    msi_notify(b->d, 1);
    msi_notify(b->d, 3);
    none(b);
    g_assert_cmphex(cfg(b, PENDING, 4), ==, 0x0A);
    cfgw(b, PENDING, 0, 4);                     /* read-only */
    g_assert_cmphex(cfg(b, PENDING, 4), ==, 0x0A);
    msi_notify(b->d, 2);
    one(b, MSI_AT, 0x42);
    cfgw(b, MASK, 0x02, 1);
    one(b, MSI_AT, 0x43);
    hooks(b, "3 ");
    g_assert_cmphex(cfg(b, PENDING, 4), ==, 0x02);
    cfgw(b, CFG_AT + 2, 0x30, 2);               /* off: stays pending, unmasking sends nothing */
    cfgw(b, MASK, 0, 4);
    none(b);
    cfgw(b, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
    cfgw(b, CFG_AT + 2, 0x31, 2);               /* on, but may not master the bus */
    none(b);
    cfgw(b, PCI_COMMAND, BUS_MASTER, 2);
    one(b, MSI_AT, 0x41);
    g_assert_cmphex(cfg(b, PENDING, 4), ==, 0);
    cfgw(b, MASK, 0xFF, 4);
    msi_notify(b->d, 7);
    device_reset(&b->d->dev);
    g_assert_cmphex(cfg(b, PENDING, 4), ==, 0);
    msi_program(b, 3, MSI_AT, 0x40);
    none(b);
    bench_free(b);
}

/* 6.2.2: no bus mastering, no message; a message to RAM is a write, to a device's registers it is nothing */
static void test_msi_targets(void)
{
    struct bench *b = bench_new(make_msi);

    msi_program(b, 0, MSI_AT, 0x41);
    cfgw(b, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
    msi_notify(b->d, 0);
    none(b);
    g_assert_cmpuint(b->d->msi_lost, ==, 1);
    cfgw(b, PCI_COMMAND, BUS_MASTER, 2);
    none(b);                                    /* lost, not kept */
    msi_notify(b->d, 0);
    one(b, MSI_AT, 0x41);
    msi_program(b, 0, 0x1234, 0xABCD);
    memset(b->ram->host, 0xEE, RAM_SIZE);
    msi_notify(b->d, 0);
    none(b);
    g_assert_cmphex(ld_le64(b->ram->host + 0x1232), ==, 0xEEEE0000ABCDEEEE);
    g_assert_cmpuint(b->d->msi_sent, ==, 2);
    msi_program(b, 0, BAR_AT + 0x10, 0);        /* its own register, which would move the BAR */
    msi_notify(b->d, 0);
    g_assert_cmphex(pci_bar_addr(b->d, 0), ==, BAR_AT);
    msi_program(b, 0, 0xFFFFFFFFFFFFFFFC, 0);
    msi_notify(b->d, 0);
    none(b);
    g_assert_cmpuint(b->d->msi_lost, ==, 3);
    bench_free(b);
}

/* 6.8.3.3: no INTx while MSI or MSI-X is on */
static bool make_both(struct toy *t, Error **errp)
{
    return msi_init(&t->pci, CFG_AT, 1, true, false, errp) && msix_init_exclusive(&t->pci, 4, 1, errp);
}

static void test_intx(void)
{
    struct bench *b = bench_new(make_both);
    unsigned x = pci_find_cap(b->d, PCI_CAP_MSIX);

    pci_set_irq(b->d, true);
    g_assert_true(b->intx);
    cfgw(b, CFG_AT + 2, 1, 2);
    g_assert_false(b->intx);
    g_assert_cmphex(cfg(b, PCI_STATUS, 2) & PCI_STATUS_INTX, ==, PCI_STATUS_INTX);
    cfgw(b, x + 2, 0x8000, 2);
    cfgw(b, CFG_AT + 2, 0, 2);
    g_assert_false(b->intx);
    cfgw(b, x + 2, 0xC000, 2);                  /* masked is not off */
    g_assert_false(b->intx);
    pci_set_irq(b->d, false);
    pci_set_irq(b->d, true);
    g_assert_false(b->intx);
    cfgw(b, x + 2, 0x4000, 2);
    g_assert_true(b->intx);
    hooks(b, "* * * * * ");
    device_reset(&b->d->dev);
    g_assert_false(b->intx);
    hooks(b, "* ");                             /* the function mask went away */
    bench_free(b);
}

/* ---- MSI-X: 70 vectors in BAR 0, table at 0x2000, pending bits at 0x3000 ---- */

enum { NVEC = 70, TABLE = 0x2000, PBA = 0x3000, TABLE_SIZE = NVEC * 16, PBA_SIZE = 16 };

static bool make_msix(struct toy *t, Error **errp)
{
    return msix_init(&t->pci, NVEC, 0, TABLE, PBA, &t->bar0, CFG_AT, errp);
}

static void entry(struct bench *b, unsigned v, uint64_t addr, uint32_t data, unsigned mask)
{
    wr(b, TABLE + 16 * v, addr, 8);
    wr(b, TABLE + 16 * v + 8, data | (uint64_t)mask << 32, 8);
}

static void test_msix_layout(void)
{
    struct bench *b = bench_new(make_msix);

    g_assert_cmphex(pci_find_cap(b->d, PCI_CAP_MSIX), ==, CFG_AT);
    g_assert_cmphex(cfg(b, CFG_AT, 4), ==, 0x00450011);
    g_assert_cmphex(cfg(b, CFG_AT + 4, 4), ==, TABLE);
    g_assert_cmphex(cfg(b, CFG_AT + 8, 4), ==, PBA);
    cfgw(b, CFG_AT, 0x3FFFFFFF, 4);
    g_assert_cmphex(cfg(b, CFG_AT, 4), ==, 0x00450011);
    cfgw(b, CFG_AT + 2, 0xFFFF, 2);
    cfgw(b, CFG_AT + 4, ~0u, 4);
    cfgw(b, CFG_AT + 8, ~0u, 4);
    g_assert_cmphex(cfg(b, CFG_AT, 4), ==, 0xC0450011);
    g_assert_cmphex(cfg(b, CFG_AT + 4, 4), ==, TABLE);
    g_assert_cmphex(cfg(b, CFG_AT + 8, 4), ==, PBA);
    for (unsigned v = 0; v < NVEC; v++) {       /* 6.8.2.9: every vector masked */
        g_assert_cmphex(rd(b, TABLE + 16 * v, 8), ==, 0);
        g_assert_cmphex(rd(b, TABLE + 16 * v + 8, 8), ==, 1ULL << 32);
    }
    g_assert_cmphex(rd(b, TABLE - 4, 4), !=, 0);        /* the device's own registers lie around them */
    g_assert_cmphex(rd(b, TABLE + TABLE_SIZE, 4), ==, (0x40 + TABLE + TABLE_SIZE) & 0xFFFFFFFF);
    g_assert_cmphex(rd(b, PBA + PBA_SIZE, 4), ==, 0x40 + PBA + PBA_SIZE);
    device_reset(&b->d->dev);
    g_assert_cmphex(cfg(b, CFG_AT, 4), ==, 0x00450011);
    bench_free(b);
}

/* Address and data as written; the table survives disabling, not a reset */
static void test_msix_messages(void)
{
    struct bench *b = bench_new(make_msix);
    uint64_t addr;
    uint32_t data;

    msix_notify(b->d, 0);
    g_assert_false(msix_pending(b->d, 0));      /* not enabled: nothing at all */
    cfgw(b, CFG_AT + 2, 0x8000, 2);
    hooks(b, "* ");
    entry(b, 69, 0x12345678FEE01003, 0xDEADBEEF, 0);
    hooks(b, "69 ");
    entry(b, 0, 0xFEE0200C, 0x00004055, 0);
    g_assert_true(msix_vector_masked(b->d, 1));
    g_assert_false(msix_vector_masked(b->d, 69));
    g_assert_true(msix_vector_masked(b->d, NVEC));
    msix_notify(b->d, 69);
    one(b, 0x12345678FEE01003, 0xDEADBEEF);
    msix_notify(b->d, 0);
    one(b, 0xFEE0200C, 0x4055);
    msix_notify(b->d, NVEC);
    msix_notify(b->d, 0x80000000);
    none(b);
    cfgw(b, CFG_AT + 2, 0, 2);
    g_assert_true(msix_vector_masked(b->d, 0));
    msix_notify(b->d, 0);
    none(b);
    cfgw(b, CFG_AT + 2, 0x8000, 2);
    msix_notify(b->d, 0);
    one(b, 0xFEE0200C, 0x4055);
    g_assert_true(msix_message(b->d, 69, &addr, &data));
    g_assert_cmphex(addr, ==, 0x12345678FEE01003);
    g_assert_cmphex(data, ==, 0xDEADBEEF);
    g_assert_false(msix_message(b->d, NVEC, &addr, &data));
    entry(b, 0, 0x12345678FEE00000, 0x11223344, 3);     /* reserved bits of the control word read 0 */
    g_assert_cmphex(rd(b, TABLE, 8), ==, 0x12345678FEE00000);
    g_assert_cmphex(rd(b, TABLE + 8, 8), ==, 0x0000000111223344);
    wr(b, TABLE + 12, 0xFFFFFFFE, 4);
    g_assert_cmphex(rd(b, TABLE + 12, 4), ==, 0);
    device_reset(&b->d->dev);
    cfgw(b, PCI_BAR0, BAR_AT, 4);
    cfgw(b, PCI_COMMAND, BUS_MASTER, 2);
    g_assert_cmphex(rd(b, TABLE + 69 * 16, 8), ==, 0);
    g_assert_cmphex(rd(b, TABLE + 69 * 16 + 12, 4), ==, 1);
    bench_free(b);
}

/* 6.8.3.5: every way a vector is held back and let go */
static void test_msix_masks(void)
{
    struct bench *b = bench_new(make_msix);

    cfgw(b, CFG_AT + 2, 0x8000, 2);
    entry(b, 65, MSI_AT, 0x41, 1);
    hooks(b, "* ");                             /* it was masked and stays so */
    msix_notify(b->d, 65);
    msix_notify(b->d, 65);
    none(b);
    g_assert_cmphex(rd(b, PBA, 8), ==, 0);
    g_assert_cmphex(rd(b, PBA + 8, 8), ==, 2);
    g_assert_cmphex(rd(b, PBA + 8, 4), ==, 2);
    wr(b, PBA + 8, ~0ULL, 8);                   /* read-only */
    wr(b, PBA, ~0u, 4);
    g_assert_cmphex(rd(b, PBA + 8, 8), ==, 2);
    g_assert_cmphex(rd(b, PBA, 8), ==, 0);
    wr(b, TABLE + 65 * 16 + 12, 0, 4);
    one(b, MSI_AT, 0x41);
    hooks(b, "65 ");
    g_assert_cmphex(rd(b, PBA + 8, 8), ==, 0);
    wr(b, TABLE + 65 * 16 + 12, 0, 4);          /* once only */
    none(b);

    cfgw(b, CFG_AT + 2, 0xC000, 2);             /* function mask */
    hooks(b, "* ");
    entry(b, 3, MSI_AT + 0x1000, 0x33, 0);
    msix_notify(b->d, 65);
    msix_notify(b->d, 3);
    msix_notify(b->d, 4);                       /* masked by itself as well */
    none(b);
    g_assert_cmphex(rd(b, PBA, 8), ==, 0x18);
    wr(b, TABLE + 3 * 16 + 12, 1, 4);
    wr(b, TABLE + 3 * 16 + 12, 0, 4);
    none(b);
    wr(b, TABLE + 65 * 16 + 8, 0x100000044, 8); /* changed while masked: the new data counts */
    cfgw(b, CFG_AT + 2, 0x8000, 2);
    one(b, MSI_AT + 0x1000, 0x33);
    g_assert_cmphex(rd(b, PBA, 8), ==, 0x10);
    wr(b, TABLE + 65 * 16 + 8, 0x000000045, 8); /* data and unmasking in one write */
    one(b, MSI_AT, 0x45);
    msix_clear_pending(b->d, 4);                /* polled meanwhile */
    g_assert_false(msix_pending(b->d, 4));
    entry(b, 4, MSI_AT, 0x34, 0);
    none(b);

    cfgw(b, CFG_AT + 3, 0xC0, 1);               /* by byte; pending goes out when bus mastering comes on */
    msix_notify(b->d, 4);
    cfgw(b, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
    cfgw(b, CFG_AT + 3, 0x80, 1);
    none(b);
    wr(b, TABLE + 4 * 16 + 12, 1, 4);
    wr(b, TABLE + 4 * 16 + 12, 0, 4);
    none(b);
    g_assert_true(msix_pending(b->d, 4));
    cfgw(b, PCI_COMMAND, BUS_MASTER, 2);
    one(b, MSI_AT, 0x34);
    cfgw(b, PCI_COMMAND, PCI_COMMAND_MEMORY, 2);
    msix_notify(b->d, 4);                       /* not masked and no bus mastering: lost */
    g_assert_false(msix_pending(b->d, 4));
    g_assert_cmpuint(b->d->msi_lost, ==, 1);
    cfgw(b, PCI_COMMAND, BUS_MASTER, 2);
    none(b);

    cfgw(b, CFG_AT + 2, 0xC000, 2);
    msix_notify(b->d, 4);
    device_reset(&b->d->dev);
    g_assert_false(msix_pending(b->d, 4));
    bench_free(b);
}

/* All pending at once, each sent once, in order of vectors */
static void test_msix_storm(void)
{
    struct bench *b = bench_new(make_msix);

    cfgw(b, CFG_AT + 2, 0xC000, 2);
    for (unsigned v = 0; v < NVEC; v++) {
        entry(b, v, MSI_AT, v, 0);
        msix_notify(b->d, v);
    }
    none(b);
    g_assert_cmphex(rd(b, PBA, 8), ==, ~0ULL);
    g_assert_cmphex(rd(b, PBA + 8, 8), ==, 0x3F);
    cfgw(b, CFG_AT + 2, 0x8000, 2);
    g_assert_cmpuint(b->n, ==, NVEC);
    g_assert_cmpuint(b->data, ==, NVEC - 1);
    g_assert_cmphex(rd(b, PBA, 8) | rd(b, PBA + 8, 8), ==, 0);
    bench_free(b);
}

/* Every offset and size, of table and pending bits: a model of the table beside it agrees, nothing outside changes */
static void test_msix_hostile(void)
{
    struct bench *b = bench_new(make_msix);
    uint8_t model[TABLE_SIZE];
    uint64_t x = 0x123456789ABCDEFull;

    memset(model, 0, sizeof(model));
    for (unsigned v = 0; v < NVEC; v++) {
        model[16 * v + 12] = 1;
    }
    for (unsigned size = 1; size <= 8; size *= 2) {
        for (unsigned off = 0; off < TABLE_SIZE; off++) {
            x = x * 6364136223846793005ull + 1442695040888963407ull;
            if (off + size > TABLE_SIZE) {
                continue;                       /* the address space splits it; below with the region itself */
            }
            wr(b, TABLE + off, x, size);
            if (size >= 4 && off % size == 0) {
                st_le_n(model + off, x, size);
                for (unsigned i = off & ~3u; i < off + size; i += 4) {
                    if (i % 16 == 12) {
                        st_le32(model + i, ld_le32(model + i) & 1);
                    }
                }
            }
            g_assert_cmphex(rd(b, TABLE + off, size), ==, ld_le_n(model + off, size));
        }
    }
    for (unsigned off = 0; off < TABLE_SIZE; off += 4) {
        g_assert_cmphex(rd(b, TABLE + off, 4), ==, ld_le32(model + off));
    }
    for (unsigned size = 1; size <= 8; size *= 2) {
        for (unsigned off = 0; off + size <= PBA_SIZE; off++) {
            wr(b, PBA + off, ~0ULL, size);
            g_assert_cmphex(rd(b, PBA + off, size), ==, 0);
        }
    }
    for (unsigned i = 0; i < 2; i++) {          /* past the end, whatever the address space lets through */
        struct region *r = g_queue_peek_nth(&b->t->bar0.children, i);

        for (uint64_t off = r->size - 8; off < r->size + 16; off++) {
            for (unsigned size = 1; size <= 8; size *= 2) {
                r->ops->write(r->opaque, off, 0, size);
                r->ops->read(r->opaque, off, size);
            }
        }
        r->ops->write(r->opaque, UINT64_MAX - 3, 0, 4);
        r->ops->write(r->opaque, UINT64_MAX - 7, 0, 8);
        g_assert_cmphex(r->ops->read(r->opaque, UINT64_MAX - 7, 8), ==, 0);
    }
    g_assert_cmphex(rd(b, TABLE + TABLE_SIZE - 4, 8), ==,       /* half table, half register */
                    0xA3A2A1A0ull << 32 | rd(b, TABLE + TABLE_SIZE - 4, 4));
    none(b);
    bench_free(b);
}

/* Vectors that would fire into the device's own table or RAM while it is being unmasked */
static void test_msix_self(void)
{
    struct bench *b = bench_new(make_msix);

    cfgw(b, CFG_AT + 2, 0x8000, 2);
    entry(b, 0, BAR_AT + TABLE + 16 + 12, 0, 1);        /* would unmask vector 1 */
    entry(b, 1, MSI_AT, 1, 1);
    msix_notify(b->d, 0);
    msix_notify(b->d, 1);
    wr(b, TABLE + 12, 0, 4);
    none(b);
    g_assert_true(msix_pending(b->d, 1));
    g_assert_cmphex(rd(b, TABLE + 16 + 12, 4), ==, 1);
    g_assert_cmpuint(b->d->msi_lost, ==, 1);
    entry(b, 2, 0x800, 0xCAFEF00D, 0);
    msix_notify(b->d, 2);
    g_assert_cmphex(ld_le32(b->ram->host + 0x800), ==, 0xCAFEF00D);
    bench_free(b);
}

static unsigned exclusive_n;
static bool make_exclusive(struct toy *t, Error **errp)
{
    return msix_init_exclusive(&t->pci, exclusive_n, 2, errp);
}

static void test_msix_exclusive(void)
{
    static const struct {
        unsigned n, size, pba;
    } t[] = { { 1, 0x1000, 0x800 }, { 128, 0x1000, 0x800 }, { 129, 0x2000, 0x1000 }, { 2048, 0x10000, 0x8000 } };

    for (unsigned i = 0; i < ARRAY_LEN(t); i++) {
        struct bench *b;
        uint32_t last = 16 * (t[i].n - 1);

        exclusive_n = t[i].n;
        b = bench_new(make_exclusive);
        g_assert_cmphex(cfg(b, 0x44, 4), ==, 2);
        g_assert_cmphex(cfg(b, 0x48, 4), ==, t[i].pba | 2);
        cfgw(b, 0x18, ~0u, 4);
        g_assert_cmphex(cfg(b, 0x18, 4), ==, (uint32_t)-t[i].size);
        cfgw(b, 0x18, BAR_AT + 0x100000, 4);
        g_assert_cmphex(rd(b, 0x100000 + last + 12, 4), ==, 1);
        g_assert_cmphex(rd(b, 0x100000 + t[i].pba, 8), ==, 0);
        wr(b, 0x100000 + last, 0xFEE0100C, 8);
        wr(b, 0x100000 + last + 8, 0x77, 8);
        cfgw(b, 0x42, 0x8000, 2);
        msix_notify(b->d, t[i].n - 1);
        one(b, 0xFEE0100C, 0x77);
        g_assert_cmphex(rd(b, 0x100000 + t[i].size - 8, 8), ==, 0);
        msix_fini(b->d);                        /* before unrealize: the BAR goes */
        g_assert_cmphex(rd(b, 0x100000, 4), ==, 0xFFFFFFFF);
        g_assert_false(msix_enabled(b->d));
        g_assert_cmpuint(msix_vectors(b->d), ==, 0);
        msix_notify(b->d, 0);
        g_assert_true(msix_vector_masked(b->d, 0));
        bench_free(b);
    }
}

/* A device that forgets msi_fini() and msix_fini(): unrealize frees the state, and it can be realized again. */
static void test_again(void)
{
    struct bench *b = bench_new(make_both);
    unsigned cap = pci_find_cap(b->d, PCI_CAP_MSIX);

    for (unsigned i = 0; i < 3; i++) {
        cfgw(b, CFG_AT + 2, 1, 2);
        cfgw(b, cap + 2, 0x8000, 2);
        device_unrealize(&b->d->dev);
        g_assert_null(b->d->msi);
        g_assert_null(b->d->msix);
        msi_notify(b->d, 0);
        msix_notify(b->d, 0);
        none(b);
        g_assert_true(device_realize(&b->d->dev, &b->bus.bus, NULL));
        g_assert_false(msi_enabled(b->d) || msix_enabled(b->d));
        g_assert_cmphex(pci_find_cap(b->d, PCI_CAP_MSIX), ==, cap);
    }
    bench_free(b);
}

/* ---- mistakes of a device model ---- */

static bool bad_msi_3(struct toy *t, Error **errp) { return msi_init(&t->pci, 0, 3, true, true, errp); }
static bool bad_msi_64(struct toy *t, Error **errp) { return msi_init(&t->pci, 0, 64, true, true, errp); }
static bool bad_msi_full(struct toy *t, Error **errp) { return msi_init(&t->pci, 0xF8, 1, true, true, errp); }
static bool bad_msi_twice(struct toy *t, Error **errp) { return make_msi(t, errp) && make_msi_32(t, errp); }
static bool bad_msix_0(struct toy *t, Error **errp) { return msix_init_exclusive(&t->pci, 0, 1, errp); }
static bool bad_msix_2049(struct toy *t, Error **errp) { return msix_init_exclusive(&t->pci, 2049, 1, errp); }
static bool bad_msix_bar(struct toy *t, Error **errp) { return msix_init_exclusive(&t->pci, 4, 0, errp); }
static bool bad_msix_bar6(struct toy *t, Error **errp) { return msix_init_exclusive(&t->pci, 4, 6, errp); }
static bool bad_msix_twice(struct toy *t, Error **errp)
{
    return msix_init_exclusive(&t->pci, 4, 1, errp) && msix_init_exclusive(&t->pci, 4, 2, errp);
}
static bool bad_msix_end(struct toy *t, Error **errp)
{
    return msix_init(&t->pci, 2, 0, 0xFFF0, 0, &t->bar0, 0, errp);
}
static bool bad_msix_overlap(struct toy *t, Error **errp)
{
    return msix_init(&t->pci, 2, 0, 0, 0x18, &t->bar0, 0, errp);
}
static bool bad_msix_align(struct toy *t, Error **errp)
{
    return msix_init(&t->pci, 2, 0, 4, 0x800, &t->bar0, 0, errp);
}
static bool bad_msix_full(struct toy *t, Error **errp)
{
    return msix_init(&t->pci, 2, 0, 0, 0x800, &t->bar0, 0xF8, errp);
}

static void test_errors(void)
{
    static const struct {
        toy_make *make;
        const char *text;
    } t[] = {
        { bad_msi_3, "MSI: 3 vectors: must be 1, 2, 4, 8, 16 or 32" },
        { bad_msi_64, "MSI: 64 vectors: must be 1, 2, 4, 8, 16 or 32" },
        { bad_msi_full, "MSI: no room for the capability at 0xf8" },
        { bad_msi_twice, "MSI: 'toy' has it already" },
        { bad_msix_0, "MSI-X: 0 vectors: must be 1 to 2048" },
        { bad_msix_2049, "MSI-X: 2049 vectors: must be 1 to 2048" },
        { bad_msix_bar, "MSI-X: BAR 0 is in use" },
        { bad_msix_bar6, "MSI-X: table of 4 vectors at 0x0 and pending bits at 0x800 do not fit into BAR 6" },
        { bad_msix_twice, "MSI-X: 'toy' has it already" },
        { bad_msix_end, "MSI-X: table of 2 vectors at 0xfff0 and pending bits at 0x0 do not fit into BAR 0" },
        { bad_msix_overlap, "MSI-X: table of 2 vectors at 0x0 and pending bits at 0x18 do not fit into BAR 0" },
        { bad_msix_align, "MSI-X: table of 2 vectors at 0x4 and pending bits at 0x800 do not fit into BAR 0" },
        { bad_msix_full, "MSI-X: no room for the capability at 0xf8" },
    };
    struct bench *b = bench_new(NULL);

    for (unsigned i = 0; i < ARRAY_LEN(t); i++) {
        Error *err = NULL;

        g_assert_false(bench_add(b, t[i].make, -1, false, &err));
        expect_error(err, t[i].text);
    }
    msi_notify(b->bus.devices[0x20], 0);        /* a device without either */
    msix_notify(b->bus.devices[0x20], 0);
    none(b);
    bench_free(b);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    bench_once();
    g_test_add_func("/msi/layout", test_msi_layout);
    g_test_add_func("/msi/vectors", test_msi_vectors);
    g_test_add_func("/msi/masks", test_msi_masks);
    g_test_add_func("/msi/targets", test_msi_targets);
    g_test_add_func("/msi/intx", test_intx);
    g_test_add_func("/msix/layout", test_msix_layout);
    g_test_add_func("/msix/messages", test_msix_messages);
    g_test_add_func("/msix/masks", test_msix_masks);
    g_test_add_func("/msix/storm", test_msix_storm);
    g_test_add_func("/msix/hostile", test_msix_hostile);
    g_test_add_func("/msix/self", test_msix_self);
    g_test_add_func("/msix/exclusive", test_msix_exclusive);
    g_test_add_func("/msi/again", test_again);
    g_test_add_func("/msi/errors", test_errors);
    return g_test_run();
}
