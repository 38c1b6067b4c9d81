/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/unit/test-virtio-pci.c - the PCI transport, its 1.x interface, and the device core, with a toy device behind them */
#include "tests/lib/virtio_rig.h"

/* ---- identity ---- */

static void test_identity(void)
{
    static const struct {
        const char *type, *props;
        uint16_t device, sub;
        uint8_t rev;
        bool legacy, modern, msix;
    } t[] = {
        { "toy", NULL, 0x1000, 1, 0, true, true, true },
        { "toy", "disable-legacy=off", 0x1000, 1, 0, true, true, true },
        { "toy", "disable-legacy=on", 0x1041, 0x1100, 1, false, true, true },
        { "toy", "disable-modern=on", 0x1000, 1, 0, true, false, true },
        { "toy", "vectors=0", 0x1000, 1, 0, true, true, false },
        { "toy-transitional", NULL, 0x1000, 1, 0, true, true, true },
        { "toy-non-transitional", NULL, 0x1041, 0x1100, 1, false, true, true },
    };

    for (unsigned i = 0; i < ARRAY_LEN(t); i++) {
        struct bench *b = bench_new(t[i].type, t[i].props);

        g_assert_cmphex(cfg(b, 0, 4), ==, 0x1AF4u | (uint32_t)t[i].device << 16);
        g_assert_cmphex(cfg(b, PCI_SUBSYSTEM_VENDOR_ID, 4), ==, 0x1AF4u | (uint32_t)t[i].sub << 16);
        g_assert_cmphex(cfg(b, PCI_REVISION_ID, 1), ==, t[i].rev);
        g_assert_cmphex(cfg(b, PCI_INTERRUPT_PIN, 1), ==, 1);
        g_assert_cmpuint(b->d->bars[0].size, ==, t[i].legacy ? 64 : 0);     /* 24 + 10 bytes */
        g_assert_cmpuint(b->d->bars[1].size, ==, t[i].msix ? 4096 : 0);
        g_assert_cmpuint(b->d->bars[4].size, ==, t[i].modern ? 16384 : 0);
        if (t[i].modern) {
            g_assert_cmphex(b->d->bars[4].type, ==, PCI_BAR_MEM64 | PCI_BAR_PREFETCH);
        }
        for (unsigned c = 1; c <= 5; c++) {
            g_assert_cmpint(!!b->caps[c].at, ==, t[i].modern);
        }
        g_assert_cmpuint(msix_vectors(b->d), ==, t[i].msix ? QUEUES + 1 : 0);
        bench_free(b);
    }
}

static void test_bad_properties(void)
{
    static const struct { const char *props, *text; } t[] = {
        { "disable-legacy=on,disable-modern=on", "device cannot work as neither modern nor legacy mode is enabled" },
        { "iommu_platform=on", "VIRTIO_F_IOMMU_PLATFORM was supported by neither legacy nor transitional device" },
        { "vectors=4000", "" },
    };
    Error *err = NULL;

    for (unsigned i = 0; i < ARRAY_LEN(t); i++) {
        struct bench *b = bench_make("toy", t[i].props, &err);

        g_assert_nonnull(err);
        g_assert_nonnull(strstr(error_text(err), t[i].text));
        error_free(g_steal_pointer(&err));
        bench_free(b);
    }
    struct device *d = device_new(device_type_find("toy"), NULL);

    g_assert_false(device_set_prop(d, "disable-legacy", "maybe", &err));
    g_assert_cmpstr(error_text(err), ==, "Property 'toy.disable-legacy' doesn't take value 'maybe'");
    error_free(g_steal_pointer(&err));
    device_free(d);
    d = device_new(device_type_find("toy-transitional"), NULL);
    g_assert_false(device_set_prop(d, "disable-modern", "on", &err));
    g_assert_cmpstr(error_text(err), ==, "Property 'toy-transitional.disable-modern' not found");
    error_free(err);
    device_free(d);
}

/* ---- negotiation ---- */

static void test_features(void)
{
    struct bench *b = bench_new("toy", "packed=on,in_order=on");
    uint64_t all = BIT(TOY_F_A) | BIT(TOY_F_NEEDS_A) | BIT(TOY_F_REFUSED) | BIT(TOY_F_FAR) | V1 |
                   BIT(VIRTIO_F_INDIRECT_DESC) | BIT(VIRTIO_F_EVENT_IDX) | BIT(VIRTIO_F_RING_PACKED) |
                   BIT(VIRTIO_F_IN_ORDER) | BIT(VIRTIO_F_RING_RESET);
    static const struct { uint64_t f; bool ok; } t[] = {
        { V1, true },
        { 0, false },                                           /* no 1.x driver */
        { V1 | BIT(TOY_F_A) | BIT(TOY_F_NEEDS_A), true },
        { V1 | BIT(TOY_F_NEEDS_A), false },                     /* dependency */
        { V1 | BIT(TOY_F_REFUSED), false },                     /* the device says no */
        { V1 | BIT(20), false },                                /* not on offer */
        { V1 | BIT(VIRTIO_F_ANY_LAYOUT), true },                /* legacy bit, harmless */
        { V1 | BIT(VIRTIO_F_SR_IOV), false },
        { V1 | BIT(63), false },
    };

    g_assert_cmphex(device_features(b), ==, all);
    g_assert_cmphex(space_read(&b->io_as, IO_AT, 4), ==,
                    (uint32_t)all | BIT(VIRTIO_F_ANY_LAYOUT) | BIT(VIRTIO_F_NOTIFY_ON_EMPTY));
    for (unsigned i = 0; i < ARRAY_LEN(t); i++) {
        g_assert_cmpint(negotiate(b, t[i].f), ==, t[i].ok);
        g_assert_cmphex(b->t->v.features, ==, t[i].ok ? t[i].f : 0);
        wr(b, C_STATUS, 15, 1);
        g_assert_cmpint(!!(rd(b, C_STATUS, 1) & VIRTIO_S_DRIVER_OK), ==, t[i].ok);
        driver_features(b, 0xFFFFFFFF);                         /* too late */
        g_assert_cmphex(b->t->v.features, ==, t[i].ok ? t[i].f : 0);
        wr(b, C_STATUS, 0, 1);
        g_assert_cmphex(rd(b, C_STATUS, 1), ==, 0);
        g_assert_cmphex(b->t->v.features, ==, 0);
    }
    bench_free(b);

    b = bench_new("toy", "indirect_desc=off,event_idx=off,queue_reset=off,disable-legacy=on,iommu_platform=on");
    g_assert_cmphex(device_features(b), ==, BIT(TOY_F_A) | BIT(TOY_F_NEEDS_A) | BIT(TOY_F_REFUSED) | BIT(TOY_F_FAR) |
                    V1 | BIT(VIRTIO_F_ACCESS_PLATFORM));
    g_assert_false(negotiate(b, V1));                           /* it must take it */
    wr(b, C_STATUS, 0, 1);
    g_assert_true(negotiate(b, V1 | BIT(VIRTIO_F_ACCESS_PLATFORM)));
    bench_free(b);

    b = bench_new("toy", "disable-modern=on,packed=on");        /* nothing of 1.x is left */
    g_assert_cmphex(b->t->v.host_features >> 32, ==, 0);
    bench_free(b);
}

static void test_life(void)
{
    struct bench *b = bench_new("toy", NULL);

    g_assert_true(negotiate(b, V1 | BIT(TOY_F_A)));
    expect_log(b, "features(100000001) ");
    queue_setup(b, 0, VIRTIO_NO_VECTOR);
    queue_setup(b, 2, VIRTIO_NO_VECTOR);
    expect_log(b, "");
    wr(b, C_STATUS, 15, 1);
    expect_log(b, "status(0b->0f) start(0) start(2) ");
    wr(b, C_STATUS, 15, 1);
    expect_log(b, "");
    echo(b, 0);
    echo(b, 2);
    queue_setup(b, 1, VIRTIO_NO_VECTOR);
    expect_log(b, "start(1) ");
    echo(b, 1);
    wr(b, C_STATUS, 0, 1);
    expect_log(b, "stop(0) stop(1) stop(2) status(0f->00) reset ");
    wr(b, C_QSEL, 0, 2);
    g_assert_cmpuint(rd(b, C_QENABLE, 2), ==, 0);
    g_assert_cmpuint(rd(b, C_QDESC, 4), ==, 0);
    kick(b, 0);                                                 /* nobody there */
    start(b, 0);
    echo(b, 1);
    device_reset(&b->d->dev);
    g_assert_cmphex(b->t->v.status, ==, 0);
    expect_log(b, "stop(0) stop(1) stop(2) status(0f->00) reset ");
    bench_free(b);
}

/* What was made available, and notified, before DRIVER_OK is found; the driver's status bits stay */
static void test_before_driver_ok(void)
{
    struct bench *b = bench_new("toy", NULL);

    g_assert_true(negotiate(b, V1));
    queue_setup(b, 0, VIRTIO_NO_VECTOR);
    offer(b, 0, 50);
    kick(b, 0);
    g_assert_cmpuint(b->t->v.queues[0].vq.popped, ==, 0);
    wr(b, C_STATUS, 15, 1);
    expect_echo(b, 0, 50);
    bench_free(b);
}

/* ---- all kinds of ring through the transport; notifications only schedule ---- */

static void test_rings(void)
{
    static const uint64_t f[] = { 0, BIT(VIRTIO_F_EVENT_IDX), BIT(VIRTIO_F_INDIRECT_DESC), BIT(VIRTIO_F_RING_PACKED),
                                  BIT(VIRTIO_F_RING_PACKED) | BIT(VIRTIO_F_EVENT_IDX) | BIT(VIRTIO_F_INDIRECT_DESC),
                                  BIT(VIRTIO_F_IN_ORDER) };

    for (unsigned i = 0; i < ARRAY_LEN(f); i++) {
        struct bench *b = bench_new("toy", "packed=on,in_order=on");

        start(b, f[i]);
        for (unsigned n = 0; n < 100; n++) {
            echo(b, n % QUEUES);
        }
        bench_free(b);
    }
}

static void test_notification_does_no_work(void)
{
    struct bench *b = bench_new("toy", NULL);

    start(b, 0);
    b->t->budget = 1;
    offer(b, 1, 10);
    offer(b, 1, 10);
    offer(b, 1, 10);
    space_write(&b->as, place(b, 2, 1 * b->caps[2].extra), 1, 2);
    g_assert_cmpuint(b->t->v.queues[1].vq.popped, ==, 0);
    run();                              /* with its budget of one, it comes three times */
    g_assert_cmpuint(b->t->v.queues[1].vq.popped, ==, 3);
    g_assert_cmpuint(b->t->v.queues[1].kicks, ==, 1);
    space_write(&b->as, place(b, 2, 3 * b->caps[2].extra), 3, 2);       /* no such queue */
    space_write(&b->as, place(b, 2, 0xFFC), 0xFFFF, 2);
    run();
    bench_free(b);
}

static void test_page_per_vq(void)
{
    struct bench *b = bench_new("toy", "page-per-vq=on");

    g_assert_cmpuint(b->caps[2].extra, ==, 4096);
    g_assert_cmpuint(b->caps[2].length, ==, 3 * 4096);
    g_assert_cmpuint(b->d->bars[4].size, ==, 32768);
    start(b, 0);
    echo(b, 0);
    echo(b, 2);
    g_assert_cmpuint(b->t->v.queues[2].kicks, ==, 1);
    bench_free(b);
}

static void test_pio_notify(void)
{
    struct bench *b = bench_new("toy", "modern-pio-notify=on");

    g_assert_cmpuint(b->caps[2].bar, ==, 2);
    g_assert_cmpuint(b->caps[2].extra, ==, 0);
    g_assert_cmpuint(b->d->bars[2].size, ==, 4);
    start(b, 0);
    echo(b, 1);
    bench_free(b);
}

/* ---- queue registers ---- */

/* queue_select = max+1 then enable (CVE-2014-0150's neighbour), sizes 0, 3, 32768 */
static void test_queue_registers_hostile(void)
{
    static const uint16_t sel[] = { QUEUES, QUEUES + 1, 0x7FFF, 0xFFFF }, sizes[] = { 0, 3, QSIZE * 2, 32768, 65535 };
    struct bench *b = bench_new("toy", NULL);

    g_assert_true(negotiate(b, V1));
    for (unsigned i = 0; i < ARRAY_LEN(sel); i++) {
        wr(b, C_QSEL, sel[i], 2);
        g_assert_cmphex(rd(b, C_QSEL, 2), ==, sel[i]);
        wr(b, C_QSIZE, 8, 2);
        wr(b, C_QVECTOR, 1, 2);
        wr(b, C_QDESC, 0x1000, 4);
        wr(b, C_QENABLE, 1, 2);
        wr(b, C_QRESET, 1, 2);
        g_assert_cmphex(rd(b, C_QSIZE, 2), ==, 0);
        g_assert_cmphex(rd(b, C_QENABLE, 2), ==, 0);
        g_assert_cmphex(rd(b, C_QVECTOR, 2), ==, VIRTIO_NO_VECTOR);
        g_assert_cmphex(rd(b, C_QDESC, 4), ==, 0);
        g_assert_cmphex(rd(b, C_QNOFF, 2), ==, 0);
    }
    wr(b, C_QSEL, 1, 2);
    for (unsigned i = 0; i < ARRAY_LEN(sizes); i++) {
        wr(b, C_QSIZE, sizes[i], 2);
        g_assert_cmpuint(rd(b, C_QSIZE, 2), ==, QSIZE);
    }
    wr(b, C_QSIZE, 4, 2);
    g_assert_cmpuint(rd(b, C_QSIZE, 2), ==, 4);
    wr(b, C_QENABLE, 0, 2);
    g_assert_cmpuint(rd(b, C_QENABLE, 2), ==, 0);
    wr(b, C_QVECTOR, 4, 2);                                     /* there are 0..3 */
    g_assert_cmphex(rd(b, C_QVECTOR, 2), ==, VIRTIO_NO_VECTOR);
    wr(b, C_QVECTOR, 3, 2);
    g_assert_cmphex(rd(b, C_QVECTOR, 2), ==, 3);
    wr(b, C_VECTOR, 0x1234, 2);
    g_assert_cmphex(rd(b, C_VECTOR, 2), ==, VIRTIO_NO_VECTOR);
    wr(b, C_QDESC, 0x1008, 4);                                  /* not aligned: found when it starts */
    wr(b, C_QENABLE, 1, 2);
    wr(b, C_QSIZE, 16, 2);                                      /* too late for these */
    wr(b, C_QDESC, 0x2000, 4);
    g_assert_cmpuint(rd(b, C_QSIZE, 2), ==, 4);
    g_assert_cmphex(rd(b, C_QDESC, 4), ==, 0x1008);
    wr(b, C_STATUS, 15, 1);
    g_assert_cmphex(rd(b, C_STATUS, 1), ==, 15 | VIRTIO_S_NEEDS_RESET);
    g_assert_cmpuint(b->t->v.faults[VQ_FAULT_SETUP], ==, 1);
    wr(b, C_STATUS, 0, 1);
    start(b, 0);
    echo(b, 1);
    bench_free(b);
}

static void test_queue_reset(void)
{
    struct bench *b = bench_new("toy", NULL);

    start(b, BIT(VIRTIO_F_RING_RESET));
    echo(b, 1);
    wr(b, C_QSEL, 1, 2);
    wr(b, C_QRESET, 1, 2);
    expect_log(b, "stop(1) ");
    g_assert_cmpuint(rd(b, C_QRESET, 2), ==, 0);
    g_assert_cmpuint(rd(b, C_QENABLE, 2), ==, 0);
    offer(b, 1, 10);
    kick(b, 1);
    g_assert_cmpuint(b->t->v.queues[1].vq.popped, ==, 1);
    echo(b, 0);                                                 /* the others go on */
    queue_setup(b, 1, VIRTIO_NO_VECTOR);
    expect_log(b, "start(1) ");
    echo(b, 1);
    wr(b, C_STATUS, 0, 1);

    start(b, 0);                                                /* not negotiated: no effect */
    wr(b, C_QSEL, 1, 2);
    wr(b, C_QRESET, 1, 2);
    g_assert_cmpuint(rd(b, C_QENABLE, 2), ==, 1);
    echo(b, 1);
    bench_free(b);
}

/* ---- interrupts ---- */

static void test_intx(void)
{
    struct bench *b = bench_new("toy", NULL);

    start(b, 0);
    g_assert_false(b->intx);
    echo(b, 0);
    g_assert_true(b->intx);
    g_assert_cmphex(isr(b), ==, VIRTIO_ISR_QUEUE);
    g_assert_false(b->intx);
    g_assert_cmphex(isr(b), ==, 0);
    virtio_config_changed(&b->t->v);
    g_assert_cmphex(rd(b, C_GEN, 1), ==, 1);
    g_assert_true(b->intx);
    echo(b, 0);
    g_assert_cmphex(isr(b), ==, VIRTIO_ISR_QUEUE | VIRTIO_ISR_CONFIG);
    vqd_callbacks(&b->q[0], false);
    echo(b, 0);
    g_assert_false(b->intx);
    vqd_callbacks(&b->q[0], true);
    echo(b, 0);
    g_assert_true(b->intx);
    wr(b, C_STATUS, 0, 1);                                      /* a reset takes the line down */
    g_assert_false(b->intx);
    virtio_config_changed(&b->t->v);                            /* nobody to tell */
    g_assert_false(b->intx);
    bench_free(b);
}

static void test_msix(void)
{
    struct bench *b = bench_new("toy", NULL);

    msix_on(b, 3);
    start(b, 0);
    for (unsigned i = 0; i < QUEUES; i++) {
        wr(b, C_QSEL, i, 2);
        wr(b, C_QVECTOR, i + 1, 2);
    }
    wr(b, C_VECTOR, 0, 2);
    echo(b, 0);
    g_assert_cmpuint(b->msis, ==, 1);
    g_assert_cmphex(b->last_msi, ==, 0x41);
    g_assert_false(b->intx);
    g_assert_cmphex(isr(b), ==, 0);
    echo(b, 1);
    g_assert_cmphex(b->last_msi, ==, 0x42);
    virtio_config_changed(&b->t->v);
    g_assert_cmpuint(b->msis, ==, 3);
    g_assert_cmphex(b->last_msi, ==, 0x40);
    echo(b, 2);                                                 /* masked: waits in the pending bits */
    g_assert_cmpuint(b->msis, ==, 3);
    g_assert_true(msix_pending(b->d, 3));
    space_write(&b->as, MSIX_AT + 16 * 3 + 12, 0, 4);
    g_assert_cmpuint(b->msis, ==, 4);
    g_assert_cmphex(b->last_msi, ==, 0x43);
    wr(b, C_QSEL, 0, 2);
    wr(b, C_QVECTOR, VIRTIO_NO_VECTOR, 2);
    echo(b, 0);
    g_assert_cmpuint(b->msis, ==, 4);
    /* an address that is RAM: the data are written there (test server facts, section 5) */
    wr(b, C_QVECTOR, 1, 2);
    space_write(&b->as, MSIX_AT + 16, 0x8000, 4);
    echo(b, 0);
    g_assert_cmphex(space_read(&b->as, 0x8000, 4), ==, 0x41);
    bench_free(b);
}

/* ---- broken rings ---- */

static void test_needs_reset(void)
{
    struct bench *b = bench_new("toy", NULL);

    msix_on(b, 99);
    start(b, 0);
    wr(b, C_VECTOR, 0, 2);
    wr(b, C_QSEL, 0, 2);
    wr(b, C_QVECTOR, 1, 2);
    vqd_put_avail(&b->q[1], 0xFFFF);
    kick(b, 1);
    expect_log(b, "status(4f->4f broken) ");
    g_assert_cmphex(rd(b, C_STATUS, 1), ==, 15 | VIRTIO_S_NEEDS_RESET);
    g_assert_cmpuint(b->msis, ==, 1);
    g_assert_cmphex(b->last_msi, ==, 0x40);
    g_assert_cmpuint(b->t->v.faults[VQ_FAULT_HEAD], ==, 1);
    offer(b, 0, 10);                                            /* the whole device stands still */
    kick(b, 0);
    g_assert_cmpuint(b->t->v.queues[0].vq.popped, ==, 0);
    wr(b, C_STATUS, 15, 1);                                     /* the bit is not the driver's to clear */
    g_assert_cmphex(rd(b, C_STATUS, 1), ==, 15 | VIRTIO_S_NEEDS_RESET);
    wr(b, C_STATUS, 0, 1);
    g_assert_cmphex(rd(b, C_STATUS, 1), ==, 0);
    start(b, 0);
    echo(b, 1);
    b->t->break_it = true;                                      /* the device's own protocol */
    offer(b, 1, 10);
    kick(b, 1);
    g_assert_cmphex(rd(b, C_STATUS, 1), ==, 15 | VIRTIO_S_NEEDS_RESET);
    bench_free(b);
}

/* A descriptor that points at the device's own registers: nothing is entered twice, the chain comes back (CVE-2024-3446) */
static void test_self_dma(void)
{
    static const uint64_t at[] = { MEM_AT, MEM_AT + 0x1000, MEM_AT + 0x3000, MSIX_AT, 0xFEE00000, UINT64_MAX - 3 };
    struct bench *b = bench_new("toy", NULL);
    uint32_t len;

    start(b, 0);
    for (unsigned i = 0; i < ARRAY_LEN(at); i++) {
        struct vqd_buf v[2] = { { DATA, 8 }, { at[i], 8 } };

        g_assert_true(vqd_add(&b->q[0], v, 1, 1, false, b));
        kick(b, 0);
        g_assert_true(vqd_get(&b->q[0], &len, NULL) == b);
        g_assert_cmpuint(len, ==, 0);
    }
    g_assert_cmpuint(b->t->v.queues[0].vq.bad, ==, ARRAY_LEN(at));
    echo(b, 0);
    /* rings in the BAR */
    wr(b, C_STATUS, 0, 1);
    g_assert_true(negotiate(b, V1));
    queue_setup(b, 0, VIRTIO_NO_VECTOR);
    wr(b, C_QSEL, 1, 2);
    wr(b, C_QDESC, MEM_AT, 4);
    wr(b, C_QDRIVER, MEM_AT + 0x1000, 4);
    wr(b, C_QDEVICE, MEM_AT + 0x3000, 4);
    wr(b, C_QENABLE, 1, 2);
    wr(b, C_STATUS, 15, 1);
    g_assert_cmphex(rd(b, C_STATUS, 1), ==, 15 | VIRTIO_S_NEEDS_RESET);
    g_assert_cmpuint(b->t->v.faults[VQ_FAULT_RING_DMA], ==, 1);
    bench_free(b);
}

static void test_bus_master(void)
{
    struct bench *b = bench_new("toy", NULL);

    start(b, 0);
    cfgw(b, PCI_COMMAND, 3, 2);
    offer(b, 0, 10);
    kick(b, 0);
    g_assert_cmpuint(b->t->v.queues[0].vq.popped, ==, 0);
    cfgw(b, PCI_COMMAND, 7, 2);                                 /* no second notification needed */
    run();
    expect_echo(b, 0, 10);
    bench_free(b);
}

/* ---- device configuration ---- */

static void test_config(void)
{
    struct bench *b = bench_new("toy", NULL);
    uint64_t at = place(b, 4, 0);

    g_assert_cmphex(space_read(&b->as, at, 4), ==, 0xA3A2A1A0);
    g_assert_cmphex(space_read(&b->as, at + 1, 2), ==, 0xA2A1);
    g_assert_cmphex(space_read(&b->as, at + 8, 4), ==, 0xA9A8);     /* two bytes beyond the end: zeroes */
    g_assert_cmphex(space_read(&b->as, at + CONFIG_LEN, 4), ==, 0);
    g_assert_cmphex(space_read(&b->as, at + 0xFFC, 4), ==, 0);
    space_write(&b->as, at + 2, 0x11223344, 4);                     /* read-only from 4 on */
    space_write(&b->as, at + 8, 0x11223344, 4);
    space_write(&b->as, at + 0x800, 0x11223344, 4);
    g_assert_cmphex(space_read(&b->as, at, 8), ==, 0xA7A6A5A43344A1A0);
    bench_free(b);
}

/* The window in configuration space reaches the same registers */
static void test_cfg_window(void)
{
    struct bench *b = bench_new("toy", NULL);
    unsigned cap = b->caps[5].at;

    cfgw(b, cap + 4, 4, 1);
    cfgw(b, cap + 8, VIRTIO_PCI_DEVICE, 4);
    cfgw(b, cap + 12, 4, 4);
    g_assert_cmphex(cfg(b, cap + 16, 4), ==, 0xA3A2A1A0);
    cfgw(b, cap + 16, 0x55667788, 4);
    g_assert_cmphex(b->t->cfg[0], ==, 0x88);
    cfgw(b, cap + 8, C_STATUS, 4);
    cfgw(b, cap + 12, 1, 4);
    cfgw(b, cap + 16, 3, 1);
    g_assert_cmphex(b->t->v.status, ==, 3);
    g_assert_cmphex(cfg(b, cap + 16, 1), ==, 3);
    cfgw(b, cap + 4, 0, 1);                                         /* through the I/O BAR */
    cfgw(b, cap + 8, 18, 4);
    g_assert_cmphex(cfg(b, cap + 16, 1), ==, 3);
    static const struct { uint8_t bar; uint32_t off, len; } bad[] = {
        { 4, C_STATUS, 3 }, { 4, C_STATUS, 0 }, { 4, C_STATUS, 8 }, { 4, 1, 2 }, { 4, 16384, 4 }, { 4, 0xFFFFFFFC, 4 },
        { 1, 0, 4 }, { 2, 0, 4 }, { 3, 0, 4 }, { 5, 0, 4 }, { 6, 0, 4 }, { 255, 0, 4 }, { 0, 64, 4 },
    };
    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        cfgw(b, cap + 4, bad[i].bar, 1);
        cfgw(b, cap + 8, bad[i].off, 4);
        cfgw(b, cap + 12, bad[i].len, 4);
        cfgw(b, cap + 16, 0, 4);
        cfg(b, cap + 16, 4);
        g_assert_cmphex(b->t->v.status, ==, 3);
    }
    cfgw(b, cap + 4, 4, 1);                                         /* a reset of the function does not write through it */
    cfgw(b, cap + 8, VIRTIO_PCI_DEVICE, 4);
    cfgw(b, cap + 12, 4, 4);
    memset(b->t->cfg, 0x77, 4);
    device_reset(&b->d->dev);
    g_assert_cmphex(b->t->cfg[0], ==, 0x77);
    bench_free(b);
}

/* Every offset of every BAR with every size, reads and writes of several values, running and not: alive after it */
static void test_walk(gconstpointer type)
{
    static const uint64_t vals[] = { 0, ~0ull, 1, 0x0102030405060708 };
    struct bench *b = bench_new(type, strcmp(type, "toy") ? NULL : "modern-pio-notify=on");

    for (unsigned pass = 0; pass < 2; pass++) {
        for (unsigned size = 1; size <= 8; size *= 2) {
            for (unsigned off = 0; off < 0x4000; off += off < 0x50 || (off & 0xFFF) < 0x20 ? 1 : 61) {
                space_read(&b->as, MEM_AT + off, size);
                for (unsigned i = 0; i < ARRAY_LEN(vals); i++) {
                    space_write(&b->as, MEM_AT + off, vals[i], size);
                    run();
                }
            }
            for (unsigned off = 0; off < 64; off++) {
                space_read(&b->io_as, IO_AT + off, size);
                space_read(&b->io_as, PIO_AT + off, size);
                for (unsigned i = 0; i < ARRAY_LEN(vals); i++) {
                    space_write(&b->io_as, IO_AT + off, vals[i], size);
                    space_write(&b->io_as, PIO_AT + off, vals[i], size);
                    run();
                }
            }
        }
        wr(b, C_STATUS, 0, 1);
        g_assert_cmphex(rd(b, C_STATUS, 1), ==, 0);
        start(b, 0);
        echo(b, pass);
    }
    bench_free(b);
}

/* Registers read as their table says whatever the width: wider and narrower reads are made of the same bytes */
static void test_widths(void)
{
    struct bench *b = bench_new("toy", NULL);
    uint8_t bytes[0x40];

    g_assert_true(negotiate(b, V1 | BIT(TOY_F_A)));
    wr(b, C_QSEL, 1, 2);
    wr(b, C_QDESC, 0x12345670, 4);
    wr(b, C_QDRIVER + 4, 0x89, 4);
    for (unsigned i = 0; i < sizeof(bytes); i++) {
        bytes[i] = rd(b, i, 1);
    }
    g_assert_cmphex(bytes[C_QDESC + 3], ==, 0x12);
    g_assert_cmphex(bytes[C_NQ], ==, QUEUES);
    for (unsigned size = 2; size <= 8; size *= 2) {
        for (unsigned off = 0; off + size <= sizeof(bytes); off++) {
            g_assert_cmphex(space_read(&b->as, place(b, 1, off), size), ==, ld_le_n(bytes + off, size));
        }
    }
    wr(b, C_QDESC + 1, 0xAB, 1);                                    /* part of a register */
    g_assert_cmphex(rd(b, C_QDESC, 4), ==, 0x1234AB70);
    space_write(&b->as, place(b, 1, C_QDESC), 0x1122334455667780, 8);   /* 64 bits at once */
    g_assert_cmphex(rd(b, C_QDESC, 4), ==, 0x55667780);
    g_assert_cmphex(rd(b, C_QDESC + 4, 4), ==, 0x11223344);
    bench_free(b);
}

/* ---- the rest of the life ---- */

/* Unplugged at work: nothing is left behind */
static void test_unplug(void)
{
    for (unsigned i = 0; i < 20; i++) {
        struct bench *b = bench_new("toy", NULL);

        start(b, 0);
        offer(b, 0, 10);
        space_write(&b->as, place(b, 2, 0), 0, 2);      /* bottom half scheduled */
        bench_free(b);
    }
}

static void test_describe(void)
{
    struct bench *b = bench_new("toy", NULL);
    g_autoptr(GString) s = g_string_new("");

    start(b, 0);
    echo(b, 0);
    vqd_put_avail(&b->q[1], 77);
    kick(b, 1);
    virtio_print_status(&b->t->v, s, 2);
    g_assert_nonnull(strstr(s->str, "  status 0x4f (broken), features 0x100000000 of 0x"));
    g_assert_nonnull(strstr(s->str, "queue 0: size 16, 1 taken, 1 used, 0 bad, 1 notified, 1 interrupts, 0 suppressed\n"));
    g_assert_nonnull(strstr(s->str, ", broken: head\n"));
    g_assert_nonnull(strstr(s->str, "fault head: 1\n"));
    bench_free(b);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    rig_init();
    g_test_add_func("/virtio-pci/identity", test_identity);
    g_test_add_func("/virtio-pci/bad-properties", test_bad_properties);
    g_test_add_func("/virtio-pci/features", test_features);
    g_test_add_func("/virtio-pci/life", test_life);
    g_test_add_func("/virtio-pci/before-driver-ok", test_before_driver_ok);
    g_test_add_func("/virtio-pci/rings", test_rings);
    g_test_add_func("/virtio-pci/notification-does-no-work", test_notification_does_no_work);
    g_test_add_func("/virtio-pci/page-per-vq", test_page_per_vq);
    g_test_add_func("/virtio-pci/pio-notify", test_pio_notify);
    g_test_add_func("/virtio-pci/queue-registers-hostile", test_queue_registers_hostile);
    g_test_add_func("/virtio-pci/queue-reset", test_queue_reset);
    g_test_add_func("/virtio-pci/intx", test_intx);
    g_test_add_func("/virtio-pci/msix", test_msix);
    g_test_add_func("/virtio-pci/needs-reset", test_needs_reset);
    g_test_add_func("/virtio-pci/self-dma", test_self_dma);
    g_test_add_func("/virtio-pci/bus-master", test_bus_master);
    g_test_add_func("/virtio-pci/config", test_config);
    g_test_add_func("/virtio-pci/cfg-window", test_cfg_window);
    g_test_add_data_func("/virtio-pci/walk/generic", "toy", test_walk);
    g_test_add_data_func("/virtio-pci/walk/non-transitional", "toy-non-transitional", test_walk);
    g_test_add_func("/virtio-pci/widths", test_widths);
    g_test_add_func("/virtio-pci/unplug", test_unplug);
    g_test_add_func("/virtio-pci/describe", test_describe);
    return g_test_run();
}
