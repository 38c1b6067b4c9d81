/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/unit/test-virtio-legacy.c - the legacy interface of the PCI transport; moving a device, of either interface */
#include "migration/vmstate.h"
#include "tests/lib/virtio_rig.h"

/* ---- the legacy interface ---- */

static void test_legacy(void)
{
    struct bench *b = bench_new("toy", "disable-modern=on");

    legacy_start(b, 0xFFFFFFFF);            /* takes what it gets: 2 is refused, the core's bits stay */
    g_assert_cmphex(b->t->v.features, ==, BIT(VIRTIO_F_ANY_LAYOUT) | BIT(VIRTIO_F_NOTIFY_ON_EMPTY) |
                    BIT(VIRTIO_F_INDIRECT_DESC) | BIT(VIRTIO_F_EVENT_IDX));
    for (unsigned i = 0; i < 50; i++) {
        echo(b, i % QUEUES);
    }
    g_assert_true(b->intx);
    g_assert_cmphex(lr(b, 19, 1), ==, VIRTIO_ISR_QUEUE);
    g_assert_false(b->intx);
    legacy_start(b, BIT(TOY_F_NEEDS_A));    /* cut by its dependency */
    g_assert_cmphex(b->t->v.features, ==, 0);
    legacy_start(b, BIT(TOY_F_A) | BIT(TOY_F_NEEDS_A));
    g_assert_cmphex(b->t->v.features, ==, BIT(TOY_F_A) | BIT(TOY_F_NEEDS_A));
    echo(b, 0);
    lw(b, 14, 0, 2);                        /* page 0 takes the queue away */
    lw(b, 8, 0, 4);
    g_assert_cmphex(lr(b, 8, 4), ==, 0);
    offer(b, 0, 10);
    kick(b, 0);
    g_assert_cmpuint(b->t->v.queues[0].vq.in_flight, ==, 0);
    echo(b, 1);
    lw(b, 14, 0xFFFF, 2);                   /* no such queue */
    g_assert_cmpuint(lr(b, 12, 2), ==, 0);
    lw(b, 8, 0x10, 4);
    g_assert_cmpuint(lr(b, 8, 4), ==, 0);
    bench_free(b);
}

/* The configuration structure moves when MSI-X is switched on */
static void test_legacy_msix(void)
{
    struct bench *b = bench_new("toy", NULL);

    g_assert_cmphex(lr(b, 20, 4), ==, 0xA3A2A1A0);
    g_assert_cmphex(lr(b, 20 + CONFIG_LEN, 4), ==, 0);
    lw(b, 20, 0x11, 1);
    g_assert_cmphex(b->t->cfg[0], ==, 0x11);
    msix_on(b, 99);
    g_assert_cmphex(lr(b, 20, 2), ==, VIRTIO_NO_VECTOR);
    g_assert_cmphex(lr(b, 24, 4), ==, 0xA3A2A111);
    lw(b, 24, 0x22, 1);
    g_assert_cmphex(b->t->cfg[0], ==, 0x22);
    b->legacy = true;
    lw(b, 18, 3, 1);
    lw(b, 20, 0, 2);
    lw(b, 14, 1, 2);
    lw(b, 22, 2, 2);
    g_assert_cmphex(lr(b, 22, 2), ==, 2);
    legacy_queue(b, 1);
    g_assert_cmphex(lr(b, 22, 2), ==, 2);
    lw(b, 22, 9, 2);
    g_assert_cmphex(lr(b, 22, 2), ==, VIRTIO_NO_VECTOR);
    lw(b, 22, 2, 2);
    lw(b, 18, 7, 1);
    echo(b, 1);
    g_assert_cmphex(b->last_msi, ==, 0x42);
    virtio_config_changed(&b->t->v);
    g_assert_cmphex(b->last_msi, ==, 0x40);
    bench_free(b);
}

/* A broken ring under a legacy driver: it has no NEEDS_RESET; the device is silent until the reset */
static void test_legacy_broken(void)
{
    struct bench *b = bench_new("toy", NULL);

    legacy_start(b, 0);
    vqd_put_avail(&b->q[0], 77);
    kick(b, 0);
    g_assert_cmphex(lr(b, 18, 1), ==, 7);
    g_assert_true(b->t->v.broken);
    offer(b, 1, 10);
    kick(b, 1);
    g_assert_cmpuint(b->t->v.queues[1].vq.popped, ==, 0);
    legacy_start(b, 0);
    echo(b, 1);
    bench_free(b);
}

/* Linux before 2.6.34 never enables bus mastering */
static void test_legacy_bus_master(void)
{
    struct bench *b = bench_new("toy", NULL);

    cfgw(b, PCI_COMMAND, 3, 2);
    legacy_start(b, 0);
    echo(b, 0);
    cfgw(b, PCI_INTERRUPT_LINE, 11, 1);
    cfgw(b, PCI_COMMAND, 3, 2);
    echo(b, 1);
    lw(b, 18, 0, 1);
    g_assert_false(b->d->dma.enabled);
    device_reset(&b->d->dev);
    g_assert_false(b->d->dma.enabled);
    bench_free(b);
}

static void test_legacy_then_modern(void)
{
    struct bench *b = bench_new("toy", NULL);

    legacy_start(b, 0);
    echo(b, 0);
    b->legacy = false;
    wr(b, C_STATUS, 0, 1);
    start(b, 0);
    echo(b, 0);
    g_assert_true(virtio_modern(&b->t->v));
    legacy_start(b, 0);
    g_assert_false(virtio_modern(&b->t->v));
    echo(b, 0);
    bench_free(b);
}

/* ---- migration ---- */

static void save(struct bench *b, GByteArray *out)
{
    vmstate_save(virtio_pci_type.vmsd, &b->t->vp, out);
}

static bool load(struct bench *b, const GByteArray *in, Error **errp)
{
    return vmstate_load(virtio_pci_type.vmsd, &b->t->vp, in->data, in->len, errp);
}

/* In the middle of work, to another device over the same memory; chains that were popped are popped again */
static void test_migrate(gconstpointer data)
{
    uint64_t f = GPOINTER_TO_SIZE(data) ? BIT(VIRTIO_F_RING_PACKED) | BIT(VIRTIO_F_EVENT_IDX) : BIT(VIRTIO_F_EVENT_IDX);
    struct bench *a = bench_new("toy", "packed=on"), *b = bench_new("toy", "packed=on");
    g_autoptr(GByteArray) s = g_byte_array_new(), s2 = g_byte_array_new();
    Error *err = NULL;
    struct vq_elem e;

    start(a, f);
    for (unsigned i = 0; i < 37; i++) {
        echo(a, i % QUEUES);
    }
    offer(a, 1, 64);
    vq_pieces_reset(&a->t->p);
    g_assert_cmpint(vq_pop(&a->t->v.queues[1].vq, &e, &a->t->p), ==, VQ_OK);    /* taken, not finished */
    save(a, s);
    memcpy(b->ram->host, a->ram->host, RAM);
    memcpy(b->q, a->q, sizeof(b->q));
    for (unsigned i = 0; i < QUEUES; i++) {
        b->q[i].ram = b->ram->host;
        for (unsigned j = 0; j < QSIZE; j++) {
            b->q[i].slot[j].token = b;
        }
    }
    g_assert_true(load(b, s, &err));
    save(b, s2);
    g_assert_cmpmem(s->data, s->len, s2->data, s2->len);
    run();
    expect_echo(b, 1, 64);
    for (unsigned i = 0; i < 37; i++) {
        echo(b, i % QUEUES);
    }
    g_assert_cmphex(b->t->v.features, ==, a->t->v.features);
    bench_free(a);
    bench_free(b);
}

/* A stream is hostile: each byte of the section changed in turn; refused or harmless, and never a wrong size or state */
static void test_migrate_hostile(void)
{
    struct bench *b = bench_new("toy", "packed=on");
    g_autoptr(GByteArray) s = g_byte_array_new();
    static const struct { const char *what; int delta; } t[] = { { "flip", 0xFF }, { "one", 1 }, { "top", 0x80 } };
    unsigned refused = 0, taken = 0;

    start(b, BIT(VIRTIO_F_EVENT_IDX));
    echo(b, 0);
    save(b, s);
    for (unsigned i = 0; i < s->len; i++) {
        for (unsigned j = 0; j < ARRAY_LEN(t); j++) {
            Error *err = NULL;

            device_reset(&b->d->dev);
            cfgw(b, PCI_COMMAND, 7, 2);
            cfgw(b, PCI_BAR0 + 16, MEM_AT, 4);
            s->data[i] ^= t[j].delta;
            if (load(b, s, &err)) {
                taken++;
                g_assert_null(err);
                g_assert_cmphex(b->t->v.features & ~b->t->v.host_features, ==, 0);
            } else {                                    /* whoever loads resets it then; here it goes on as it is */
                refused++;
                g_assert_nonnull(err);
                error_free(err);
            }
            s->data[i] ^= t[j].delta;
            run();
            for (unsigned k = 0; k < QUEUES; k++) {
                kick(b, k);
                g_assert_cmpuint(b->t->v.queues[k].vq.l.size, <=, QSIZE);
            }
        }
    }
    g_assert_cmpuint(refused, >, 100);
    g_assert_cmpuint(taken, >, 10);
    device_reset(&b->d->dev);
    cfgw(b, PCI_COMMAND, 7, 2);
    cfgw(b, PCI_BAR0 + 16, MEM_AT, 4);
    start(b, 0);
    echo(b, 2);
    bench_free(b);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    rig_init();
    g_test_add_func("/virtio-pci/legacy/works", test_legacy);
    g_test_add_func("/virtio-pci/legacy/msix", test_legacy_msix);
    g_test_add_func("/virtio-pci/legacy/broken", test_legacy_broken);
    g_test_add_func("/virtio-pci/legacy/bus-master", test_legacy_bus_master);
    g_test_add_func("/virtio-pci/legacy/then-modern", test_legacy_then_modern);
    g_test_add_data_func("/virtio-pci/migrate/split", GSIZE_TO_POINTER(0), test_migrate);
    g_test_add_data_func("/virtio-pci/migrate/packed", GSIZE_TO_POINTER(1), test_migrate);
    g_test_add_func("/virtio-pci/migrate/hostile", test_migrate_hostile);
    return g_test_run();
}
