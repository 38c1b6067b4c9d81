/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/lib/virtio_rig.c - see virtio_rig.h */
#include "tests/lib/virtio_rig.h"

/* ---- the toy ---- */

static struct toy *toy_of(struct virtio_device *v)
{
    return container_of(v, struct toy, v);
}

static uint64_t toy_features(struct virtio_device *v)
{
    return BIT(TOY_F_A) | BIT(TOY_F_NEEDS_A) | BIT(TOY_F_REFUSED) | BIT(TOY_F_FAR);
}

static bool toy_features_ok(struct virtio_device *v, uint64_t f)
{
    return !(f & BIT(TOY_F_REFUSED));
}

static void toy_features_set(struct virtio_device *v)
{
    g_string_append_printf(toy_of(v)->log, "features(%" G_GINT64_MODIFIER "x) ", v->features);
}

static void toy_config_read(struct virtio_device *v, uint8_t *cfg)
{
    memcpy(cfg, toy_of(v)->cfg, CONFIG_LEN);
}

static void toy_config_write(struct virtio_device *v, unsigned off, const uint8_t *bytes, unsigned len)
{
    for (unsigned i = 0; i < len; i++) {
        if (off + i < 4) {
            toy_of(v)->cfg[off + i] = bytes[i];
        }
    }
}

static void toy_status_changed(struct virtio_device *v, uint8_t old)
{
    g_string_append_printf(toy_of(v)->log, "status(%02x->%02x%s) ", old, v->status, v->broken ? " broken" : "");
}

static void toy_reset(struct virtio_device *v)
{
    g_string_append(toy_of(v)->log, "reset ");
}

static void toy_queue_started(struct virtio_device *v, struct virtio_queue *q)
{
    g_string_append_printf(toy_of(v)->log, "start(%u) ", q->vq.index);
}

static void toy_queue_stopped(struct virtio_device *v, struct virtio_queue *q)
{
    g_string_append_printf(toy_of(v)->log, "stop(%u) ", q->vq.index);
}

static void toy_queue_notify(struct virtio_device *v, struct virtio_queue *q)
{
    struct toy *t = toy_of(v);
    struct vq_elem e;
    unsigned n = t->budget;
    enum vq_status st = VQ_OK;

    if (t->break_it) {
        virtio_break(v, "as the test wished");
        return;
    }
    while (n && (st = vq_pop(&q->vq, &e, (vq_pieces_reset(&t->p), &t->p))) == VQ_OK) {
        uint8_t buf[4096];
        size_t len = iov_to_buf(e.out, e.out_cnt, 0, buf, MIN(sizeof(buf), e.in_len));

        for (size_t i = 0; i < len; i++) {
            buf[i]++;
        }
        iov_from_buf(e.in, e.in_cnt, 0, buf, len);
        vq_push(&q->vq, &e, len);
        n--;
    }
    virtio_notify(v, q);
    if (st == VQ_OK || vq_set_notify(&q->vq, true)) {
        virtio_queue_schedule(q);
    }
}

static const struct virtio_dep toy_deps[] = { { TOY_F_NEEDS_A, BIT(TOY_F_A) }, { 0, 0 } };
static const struct virtio_ops toy_ops = {
    .name = "toy", .id = TYPE_NET, .features = toy_features, .features_ok = toy_features_ok, .deps = toy_deps,
    .features_set = toy_features_set, .config_read = toy_config_read, .config_write = toy_config_write,
    .status_changed = toy_status_changed, .reset = toy_reset, .queue_started = toy_queue_started,
    .queue_stopped = toy_queue_stopped, .queue_notify = toy_queue_notify,
};

static bool toy_realize(struct device *d, Error **errp)
{
    struct toy *t = (struct toy *)d;

    t->log = g_string_new("");
    t->budget = 8;
    for (unsigned i = 0; i < CONFIG_LEN; i++) {
        t->cfg[i] = 0xA0 + i;
    }
    vq_pieces_init(&t->p, VQ_PIECES_MAX);
    virtio_init(&t->v, &toy_ops, &t->vp.conf, CONFIG_LEN, QUEUES, &t->vp.pci.dma);
    for (unsigned i = 0; i < QUEUES; i++) {
        virtio_set_queue_size(&t->v, i, QSIZE);
    }
    return virtio_pci_plug(&t->vp, &t->v, QUEUES + 1, errp);
}

static void toy_unrealize(struct device *d)
{
    struct toy *t = (struct toy *)d;

    virtio_pci_unplug(&t->vp);
    virtio_fini(&t->v);
    vq_pieces_fini(&t->p);
    g_string_free(t->log, TRUE);
}

static const struct property generic_props[] = { VIRTIO_PCI_VARIANT_PROPS(struct toy, vp), { NULL } };
static const struct virtio_pci_class generic = VIRTIO_PCI_CLASS(PCI_CLASS_ETHERNET, 0x1000, VIRTIO_PCI_GENERIC);
static const struct virtio_pci_class trans = VIRTIO_PCI_CLASS(PCI_CLASS_ETHERNET, 0x1000, VIRTIO_PCI_TRANSITIONAL);
static const struct virtio_pci_class non_trans = VIRTIO_PCI_CLASS(PCI_CLASS_ETHERNET, 0x1000, VIRTIO_PCI_NON_TRANSITIONAL);

#define TOY(n, class_, ...)                                                                                            \
    { .name = n, .bus = "PCI", .parent = &virtio_pci_type, .size = sizeof(struct toy), .realize = toy_realize,         \
      .unrealize = toy_unrealize, .cls = &(class_).pci, __VA_ARGS__ }
static const struct device_type toy_types[] = {
    TOY("toy", generic, .props = generic_props), TOY("toy-transitional", trans), TOY("toy-non-transitional", non_trans),
};

/* ---- the bench ---- */

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
    struct bench *b = opaque;

    if (addr >> 20 != 0xFEE) {
        return false;
    }
    b->msis++;
    b->last_msi = data;
    return true;
}

static const struct pci_bus_ops bus_ops = { map_irq, set_irq, message };

void run(void)
{
    g_assert_true(bh_drain(1000));
}

uint32_t cfg(struct bench *b, unsigned off, unsigned n)
{
    return pci_config_read(b->d, off, n);
}

void cfgw(struct bench *b, unsigned off, uint32_t v, unsigned n)
{
    pci_config_write(b->d, off, v, n);
}

static void find_caps(struct bench *b)
{
    for (unsigned at = cfg(b, PCI_CAP_POINTER, 1); at; at = cfg(b, at + 1, 1)) {
        unsigned type = cfg(b, at + 3, 1);

        if (cfg(b, at, 1) != 9) {
            continue;
        }
        g_assert_cmpuint(type, >=, 1);
        g_assert_cmpuint(type, <=, 5);
        g_assert_cmpuint(cfg(b, at + 2, 1), ==, type == 2 || type == 5 ? 20 : 16);
        if (!b->caps[type].at) {                /* the first one counts */
            b->caps[type] = (struct cap){ at, cfg(b, at + 4, 1), cfg(b, at + 8, 4), cfg(b, at + 12, 4),
                                          type == 2 ? cfg(b, at + 16, 4) : 0 };
        }
    }
}

struct bench *bench_make(const char *type, const char *props, Error **errp)
{
    struct bench *b = g_new0(struct bench, 1);
    g_auto(GStrv) kv = g_strsplit(props ? props : "", ",", -1);

    b->ram = ram_new("ram", RAM, NULL);
    region_init(&b->root, "memory", 0);
    region_init(&b->io_root, "io", 0x10000);
    region_init_ram(&b->ram_r, "ram", b->ram, false);
    region_add(&b->root, 0, &b->ram_r, 0);
    space_init(&b->as, "memory", &b->root);
    space_init(&b->io_as, "io", &b->io_root);
    pci_bus_init(&b->bus, "pci.0", NULL, &bus_ops, b, 4, &b->root, &b->io_root, &b->as);
    b->t = (struct toy *)pci_new(type, NULL, 0x20, NULL);
    b->d = &b->t->vp.pci;
    for (unsigned i = 0; kv[i]; i++) {
        char *eq = strchr(kv[i], '=');

        *eq = '\0';
        g_assert_true(device_set_prop(&b->d->dev, kv[i], eq + 1, errp));
    }
    if (!device_realize(&b->d->dev, &b->bus.bus, errp)) {
        return b;
    }
    cfgw(b, PCI_BAR0, IO_AT, 4);
    cfgw(b, PCI_BAR0 + 4, MSIX_AT, 4);
    cfgw(b, PCI_BAR0 + 8, PIO_AT, 4);
    cfgw(b, PCI_BAR0 + 16, MEM_AT, 4);
    cfgw(b, PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
    find_caps(b);
    g_string_truncate(b->t->log, 0);
    return b;
}

struct bench *bench_new(const char *type, const char *props)
{
    Error *err = NULL;
    struct bench *b = bench_make(type, props, &err);

    if (err) {
        g_error("%s", error_text(err));
    }
    return b;
}

void bench_free(struct bench *b)
{
    device_free(&b->d->dev);
    run();
    pci_bus_fini(&b->bus);
    region_fini(&b->ram_r);
    space_fini(&b->io_as);
    space_fini(&b->as);
    region_fini(&b->io_root);
    region_fini(&b->root);
    ram_free(b->ram);
    g_free(b);
}

void expect_log(struct bench *b, const char *want)
{
    g_assert_cmpstr(b->t->log->str, ==, want);
    g_string_truncate(b->t->log, 0);
}

/* ---- a 1.x driver ---- */

uint64_t place(struct bench *b, unsigned type, unsigned off)
{
    g_assert_cmpuint(b->caps[type].bar, ==, 4);
    return MEM_AT + b->caps[type].offset + off;
}

uint32_t rd(struct bench *b, unsigned off, unsigned n) { return space_read(&b->as, place(b, 1, off), n); }
void wr(struct bench *b, unsigned off, uint32_t v, unsigned n)
{
    space_write(&b->as, place(b, 1, off), v, n);
    run();
}
uint8_t isr(struct bench *b) { return space_read(&b->as, place(b, 3, 0), 1); }

uint64_t device_features(struct bench *b)
{
    uint64_t f;

    wr(b, C_DFSEL, 0, 4);
    f = rd(b, C_DF, 4);
    wr(b, C_DFSEL, 1, 4);
    f |= (uint64_t)rd(b, C_DF, 4) << 32;
    wr(b, C_DFSEL, 2, 4);
    g_assert_cmphex(rd(b, C_DF, 4), ==, 0);
    return f;
}

void driver_features(struct bench *b, uint64_t f)
{
    wr(b, C_GFSEL, 0, 4);
    wr(b, C_GF, f, 4);
    wr(b, C_GFSEL, 1, 4);
    wr(b, C_GF, f >> 32, 4);
}

bool negotiate(struct bench *b, uint64_t f)
{
    wr(b, C_STATUS, 1, 1);
    wr(b, C_STATUS, 3, 1);
    driver_features(b, f);
    wr(b, C_STATUS, 11, 1);
    return rd(b, C_STATUS, 1) & VIRTIO_S_FEATURES_OK;
}

void queue_setup(struct bench *b, unsigned n, uint16_t vector)
{
    bool packed = b->t->v.features & BIT(VIRTIO_F_RING_PACKED), event = b->t->v.features & BIT(VIRTIO_F_EVENT_IDX);

    vqd_init(&b->q[n], b->ram->host, RING + n * RING_STEP, QSIZE, packed, event);
    wr(b, C_QSEL, n, 2);
    g_assert_cmpuint(rd(b, C_QSIZE, 2), ==, QSIZE);
    wr(b, C_QDESC, b->q[n].desc, 4);
    wr(b, C_QDESC + 4, 0, 4);
    wr(b, C_QDRIVER, b->q[n].driver, 4);
    wr(b, C_QDEVICE, b->q[n].device, 4);
    wr(b, C_QVECTOR, vector, 2);
    wr(b, C_QENABLE, 1, 2);
    g_assert_cmpuint(rd(b, C_QENABLE, 2), ==, 1);
}

void start(struct bench *b, uint64_t f)
{
    g_assert_true(negotiate(b, f | V1));
    for (unsigned i = 0; i < QUEUES; i++) {
        queue_setup(b, i, VIRTIO_NO_VECTOR);
    }
    wr(b, C_STATUS, 15, 1);
    g_assert_cmphex(rd(b, C_STATUS, 1), ==, 15);
    g_string_truncate(b->t->log, 0);
}

void offer(struct bench *b, unsigned n, unsigned len)
{
    struct vqd_buf v[2] = { { DATA + n * 0x1000, len }, { REPLY + n * 0x1000, len } };

    for (unsigned i = 0; i < len; i++) {
        b->ram->host[v[0].addr + i] = i + n;
    }
    g_assert_true(vqd_add(&b->q[n], v, 1, 1, false, b));
}

/* As a CPU does: without the machine lock, where the place is a doorbell (and it is) */
static void ring_bell(struct addr_space *as, uint64_t at, unsigned n)
{
    g_assert_true(space_write_posted(as, at, n, 2));
}

void kick(struct bench *b, unsigned n)
{
    if (b->legacy) {
        ring_bell(&b->io_as, IO_AT + 16, n);
    } else if (b->caps[2].bar == 2) {
        ring_bell(&b->io_as, PIO_AT + b->caps[2].offset, n);
    } else {
        wr(b, C_QSEL, n, 2);
        ring_bell(&b->as, place(b, 2, rd(b, C_QNOFF, 2) * b->caps[2].extra), n);
    }
    run();
}

void expect_echo(struct bench *b, unsigned n, unsigned len)
{
    uint32_t got;

    g_assert_true(vqd_get(&b->q[n], &got, NULL) == b);
    g_assert_cmpuint(got, ==, len);
    for (unsigned i = 0; i < len; i++) {
        g_assert_cmphex(b->ram->host[REPLY + n * 0x1000 + i], ==, (uint8_t)(i + n + 1));
    }
}

void echo(struct bench *b, unsigned n)
{
    offer(b, n, 100);
    kick(b, n);
    expect_echo(b, n, 100);
}

void msix_on(struct bench *b, unsigned masked)
{
    unsigned cap = pci_find_cap(b->d, PCI_CAP_MSIX);

    for (unsigned i = 0; i < QUEUES + 1; i++) {
        space_write(&b->as, MSIX_AT + 16 * i, 0xFEE00000, 4);
        space_write(&b->as, MSIX_AT + 16 * i + 8, 0x40 + i, 4);
        space_write(&b->as, MSIX_AT + 16 * i + 12, i == masked, 4);
    }
    cfgw(b, cap + 2, 0x8000, 2);
    g_assert_true(msix_enabled(b->d));
}

/* ---- a legacy driver ---- */

uint32_t lr(struct bench *b, unsigned off, unsigned n) { return space_read(&b->io_as, IO_AT + off, n); }
void lw(struct bench *b, unsigned off, uint32_t v, unsigned n)
{
    space_write(&b->io_as, IO_AT + off, v, n);
    run();
}

void legacy_queue(struct bench *b, unsigned n)
{
    vqd_init(&b->q[n], b->ram->host, RING + n * RING_STEP, QSIZE, false, b->t->v.driver_features & BIT(VIRTIO_F_EVENT_IDX));
    lw(b, 14, n, 2);
    g_assert_cmpuint(lr(b, 12, 2), ==, QSIZE);
    g_assert_cmphex(lr(b, 8, 4), ==, 0);
    lw(b, 8, (RING + n * RING_STEP) >> 12, 4);
    g_assert_cmphex(lr(b, 8, 4), ==, (RING + n * RING_STEP) >> 12);
}

void legacy_start(struct bench *b, uint32_t f)
{
    b->legacy = true;
    lw(b, 18, 0, 1);
    lw(b, 18, 1, 1);
    lw(b, 18, 3, 1);
    lw(b, 4, f, 4);
    for (unsigned i = 0; i < QUEUES; i++) {
        legacy_queue(b, i);
    }
    lw(b, 18, 7, 1);
    g_assert_cmphex(lr(b, 18, 1), ==, 7);
}

void rig_init(void)
{
    loop_init();
    hw_pci_register_types();
    device_type_register(&virtio_pci_type);
    for (unsigned i = 0; i < ARRAY_LEN(toy_types); i++) {
        device_type_register(&toy_types[i]);
    }
}
