/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/virtio/virtio.c - the virtio device: negotiation, status, queues, configuration (VIRTIO 1.3 chapters 2, 3 and 6)
 *
 *   reset --ACKNOWLEDGE, DRIVER--> --FEATURES_OK--> --DRIVER_OK--> running --broken ring--> NEEDS_RESET
 *                                   negotiated       queues run                               only 0 (reset) helps
 *
 * FEATURES_OK is the driver's wish; it reads as 1 only if what the driver wrote is on offer and consistent. A driver
 * that came through a legacy interface has no such step: its features are cut to what is on offer at DRIVER_OK.
 *
 * Invariants: q->started implies DRIVER_OK and q->enabled; v->features != 0 implies v->negotiated.
 */
#include "hw/virtio/virtio.h"
#include "lib/bytes.h"
#include "lib/log.h"

#include <inttypes.h>

#define F(bit) (1ULL << VIRTIO_F_##bit)

/* Bits that describe the ring or transport; all others belong to the device type (2.2) */
#define CORE_BITS (bits_mask(26) << 24)
/* Need a 1.x driver, 2.2.1 and chapter 6 */
#define NEED_VERSION_1                                                                                                 \
    (F(RING_PACKED) | F(IN_ORDER) | F(ORDER_PLATFORM) | F(SR_IOV) | F(NOTIFICATION_DATA) | F(RING_RESET) |             \
     F(ACCESS_PLATFORM))

/* ---- features ---- */

uint64_t virtio_feature_deps(const struct virtio_dep *deps, uint64_t f)
{
    uint64_t before;

    do {
        before = f;
        for (const struct virtio_dep *d = deps; d && d->needs; d++) {
            if (f >> d->bit & 1 && !(f & d->needs)) {
                f &= ~(1ULL << d->bit);
            }
        }
    } while (f != before);
    return f;
}

static void offer_compute(struct virtio_device *v)
{
    const struct virtio_conf *c = v->conf;
    uint64_t f = v->ops->features(v) & ~CORE_BITS;

    f |= (c->indirect_desc ? F(INDIRECT_DESC) : 0) | (c->event_idx ? F(EVENT_IDX) : 0) |
         (c->any_layout ? F(ANY_LAYOUT) : 0) | (c->notify_on_empty ? F(NOTIFY_ON_EMPTY) : 0) |
         (c->packed ? F(RING_PACKED) : 0) | (c->in_order ? F(IN_ORDER) : 0) | (c->queue_reset ? F(RING_RESET) : 0) |
         (c->iommu_platform ? F(ACCESS_PLATFORM) : 0);
    f |= v->offer;
    if (!(f & F(VERSION_1))) {
        f &= bits_mask(32);
    }
    v->host_features = virtio_feature_deps(v->ops->deps, f & ~v->hide);
}

static bool is_legacy(const struct virtio_device *v)
{
    return v->transport && v->transport->legacy_driver(v->transport_opaque);
}

static bool wish_ok(struct virtio_device *v, uint64_t f)
{
    if (f & ~v->host_features || !(f & F(VERSION_1)) ||
        (v->host_features & F(ACCESS_PLATFORM) && !(f & F(ACCESS_PLATFORM)))) {
        return false;
    }
    return virtio_feature_deps(v->ops->deps, f) == f && (!v->ops->features_ok || v->ops->features_ok(v, f));
}

static void negotiated(struct virtio_device *v, uint64_t f)
{
    v->features = f;
    v->negotiated = true;
    v->ops->features_set(v);
}

/* A legacy driver cannot be refused: it gets the part of its wish that is possible */
static uint64_t legacy_cut(struct virtio_device *v)
{
    uint64_t f = v->driver_features & v->host_features & bits_mask(32);

    f = virtio_feature_deps(v->ops->deps, f);
    return v->ops->features_ok && !v->ops->features_ok(v, f) ? f & CORE_BITS : f;
}

void virtio_set_features(struct virtio_device *v, unsigned sel, uint32_t bits)
{
    if (sel > 1 || v->negotiated) {
        return;
    }
    v->driver_features = bits_put(v->driver_features, 32 * sel, 32, bits);
}

/* ---- queues ---- */

static void queue_bh(void *opaque)
{
    struct virtio_queue *q = opaque;

    if (q->started && q->vq.running && !q->dev->broken) {
        q->dev->ops->queue_notify(q->dev, q);
    }
}

static void queue_layout(const struct virtio_queue *q, struct vq_layout *l)
{
    const struct virtio_device *v = q->dev;

    *l = (struct vq_layout){
        .desc = q->desc, .driver = q->driver, .device = q->device, .size = q->size,
        .packed = virtio_has(v, VIRTIO_F_RING_PACKED), .event_idx = virtio_has(v, VIRTIO_F_EVENT_IDX),
        .indirect = virtio_has(v, VIRTIO_F_INDIRECT_DESC), .in_order = virtio_has(v, VIRTIO_F_IN_ORDER),
        .notify_on_empty = virtio_has(v, VIRTIO_F_NOTIFY_ON_EMPTY) && !virtio_modern(v),
    };
    if (q->legacy_pfn) {
        vq_legacy_layout(l, q->desc);
    }
}

static void queue_start(struct virtio_queue *q)
{
    struct vq_layout l;

    if (q->started || !q->enabled || !virtio_running(q->dev)) {
        return;
    }
    queue_layout(q, &l);
    if (vq_setup(&q->vq, &l)) {
        q->started = true;
        q->dev->ops->queue_started(q->dev, q);
        bh_schedule(&q->bh);                    /* what was made available before */
    }
}

static void queue_stop(struct virtio_queue *q)
{
    if (q->started) {
        q->started = false;
        q->dev->ops->queue_stopped(q->dev, q);
    }
    vq_stop(&q->vq);
}

static void queue_clear(struct virtio_queue *q)
{
    queue_stop(q);
    q->vector = VIRTIO_NO_VECTOR;
    q->size = q->size_max;
    q->desc = q->driver = q->device = 0;
    q->enabled = q->legacy_pfn = false;
}

void virtio_queue_enable(struct virtio_queue *q)
{
    q->enabled = true;
    queue_start(q);
}

void virtio_queue_reset(struct virtio_queue *q)
{
    queue_clear(q);
}

void virtio_kick(struct virtio_device *v, unsigned queue)
{
    struct virtio_queue *q = virtio_queue(v, queue);

    if (q && q->started) {
        __atomic_fetch_add(&q->kicks, 1, __ATOMIC_RELAXED);
        bh_schedule(&q->bh);
    }
}

void virtio_queue_schedule(struct virtio_queue *q)
{
    bh_schedule(&q->bh);
}

/* ---- interrupts, faults ---- */

void virtio_notify(struct virtio_device *v, struct virtio_queue *q)
{
    vq_flush(&q->vq);
    if (vq_should_notify(&q->vq) && v->transport) {
        v->transport->interrupt(v->transport_opaque, q->vector, VIRTIO_ISR_QUEUE);
    }
}

static void config_interrupt(struct virtio_device *v)
{
    if (v->status & VIRTIO_S_DRIVER_OK && v->transport) {
        v->transport->interrupt(v->transport_opaque, v->config_vector, VIRTIO_ISR_CONFIG);
    }
}

void virtio_config_changed(struct virtio_device *v)
{
    v->generation++;
    config_interrupt(v);
}

static void broken_bh(void *opaque)
{
    struct virtio_device *v = opaque;

    if (v->broken) {
        v->ops->status_changed(v, v->status);
    }
}

/* 2.1.2: NEEDS_RESET exists in 1.x only; a legacy driver finds its queues silent */
static void device_broken(struct virtio_device *v)
{
    if (v->broken) {
        return;
    }
    v->broken = true;
    if (virtio_modern(v)) {
        v->status |= VIRTIO_S_NEEDS_RESET;
        config_interrupt(v);
    }
    bh_schedule(&v->broken_bh);
}

static void queue_broken(void *opaque, struct virtqueue *vq)
{
    struct virtio_device *v = opaque;

    v->faults[vq->fault]++;
    log_guest(LOG_GUEST_ERROR, "%s: queue %u is broken: %s", v->ops->name, vq->index, vq_fault_name(vq->fault));
    device_broken(v);
}

void virtio_break(struct virtio_device *v, const char *why)
{
    log_guest(LOG_GUEST_ERROR, "%s: driver error: %s", v->ops->name, why);
    device_broken(v);
}

/* ---- status ---- */

void virtio_reset(struct virtio_device *v)
{
    uint8_t old = v->status;

    v->broken = false;
    for (unsigned i = 0; i < v->nqueues; i++) {
        queue_clear(&v->queues[i]);
    }
    v->status = 0;
    v->features = v->driver_features = 0;
    v->negotiated = false;
    v->isr = 0;
    v->config_vector = VIRTIO_NO_VECTOR;
    v->generation = 0;
    if (old) {
        v->ops->status_changed(v, old);
    }
    v->ops->reset(v);
    offer_compute(v);
}

/* What of the new status stands */
static uint8_t accept_status(struct virtio_device *v, uint8_t status)
{
    uint8_t fresh = status & ~v->status;
    bool legacy = is_legacy(v);

    status |= v->status & VIRTIO_S_NEEDS_RESET;
    if (fresh & VIRTIO_S_FEATURES_OK && !legacy && !v->negotiated) {
        if (wish_ok(v, v->driver_features)) {
            negotiated(v, v->driver_features);
        } else {
            log_guest(LOG_GUEST_ERROR, "%s: features %" PRIx64 " refused, on offer are %" PRIx64, v->ops->name,
                      v->driver_features, v->host_features);
            status &= ~VIRTIO_S_FEATURES_OK;
        }
    }
    if (fresh & VIRTIO_S_DRIVER_OK && !v->negotiated) {
        if (legacy) {
            negotiated(v, legacy_cut(v));
        } else {
            log_guest(LOG_GUEST_ERROR, "%s: DRIVER_OK without FEATURES_OK ignored", v->ops->name);
            status &= ~VIRTIO_S_DRIVER_OK;
        }
    }
    return status;
}

void virtio_set_status(struct virtio_device *v, uint8_t status)
{
    uint8_t old = v->status;

    if (!status) {
        virtio_reset(v);
        return;
    }
    v->status = accept_status(v, status);
    if (!((v->status ^ old) & VIRTIO_S_DRIVER_OK)) {
        return;
    }
    v->ops->status_changed(v, old);
    for (unsigned i = 0; i < v->nqueues; i++) {
        if (virtio_running(v)) {
            queue_start(&v->queues[i]);
        } else {
            queue_stop(&v->queues[i]);
        }
    }
}

/* ---- migration ---- */

static bool queue_resume(struct virtio_queue *q, Error **errp)
{
    struct vq_layout l;

    queue_layout(q, &l);
    if (!vq_restore(&q->vq, &l, q->load_pos, q->load_wrap, errp)) {
        return false;
    }
    q->started = true;
    q->dev->ops->queue_started(q->dev, q);
    bh_schedule(&q->bh);
    return true;
}

static bool resume_check(const struct virtio_device *v, Error **errp)
{
    uint64_t f = v->features;

    if (v->negotiated ? f & ~v->host_features || virtio_feature_deps(v->ops->deps, f) != f : f != 0) {
        error_setg(errp, "%s: features 0x%" PRIx64 " of 0x%" PRIx64 " on offer are not possible", v->ops->name, f,
                   v->host_features);
        return false;
    }
    if (v->status & VIRTIO_S_DRIVER_OK && !v->negotiated) {
        error_setg(errp, "%s: status 0x%x without negotiation", v->ops->name, v->status);
        return false;
    }
    return true;
}

bool virtio_resume(struct virtio_device *v, Error **errp)
{
    if (!resume_check(v, errp)) {
        return false;
    }
    if (v->negotiated) {
        v->ops->features_set(v);
    }
    if (v->status & VIRTIO_S_DRIVER_OK) {
        v->ops->status_changed(v, v->status & ~VIRTIO_S_DRIVER_OK);
    }
    for (unsigned i = 0; i < v->nqueues && virtio_running(v); i++) {
        if (v->queues[i].enabled && !queue_resume(&v->queues[i], errp)) {
            return false;
        }
    }
    return true;
}

/* ---- configuration structure ---- */

void virtio_config_load(struct virtio_device *v, unsigned off, void *buf, unsigned len)
{
    uint8_t cfg[VIRTIO_CONFIG_MAX] = { 0 };

    memset(buf, 0, len);
    if (off < v->config_len) {
        v->ops->config_read(v, cfg);
        memcpy(buf, cfg + off, MIN(len, v->config_len - off));
    }
}

void virtio_config_store(struct virtio_device *v, unsigned off, const void *buf, unsigned len)
{
    if (off < v->config_len) {
        v->ops->config_write(v, off, buf, MIN(len, v->config_len - off));
    }
}

uint8_t virtio_isr_read(struct virtio_device *v)
{
    uint8_t isr = v->isr;

    v->isr = 0;
    return isr;
}

/* ---- life ---- */

void virtio_init(struct virtio_device *v, const struct virtio_ops *ops, const struct virtio_conf *conf,
                 unsigned config_len, unsigned nqueues, struct dma *dma)
{
    *v = (struct virtio_device){ .ops = ops, .conf = conf, .config_len = MIN(config_len, VIRTIO_CONFIG_MAX),
                                 .config_vector = VIRTIO_NO_VECTOR, .nqueues = MIN(nqueues, VIRTIO_QUEUES_MAX) };
    vq_mem_init(&v->mem, dma);
    bh_init(&v->broken_bh, "virtio-broken", broken_bh, v);
    v->queues = g_new0(struct virtio_queue, v->nqueues);
    for (unsigned i = 0; i < v->nqueues; i++) {
        struct virtio_queue *q = &v->queues[i];

        q->dev = v;
        bh_init(&q->bh, ops->name, queue_bh, q);
        virtio_set_queue_size(v, i, 256);
        q->vector = VIRTIO_NO_VECTOR;
    }
}

void virtio_set_queue_size(struct virtio_device *v, unsigned n, uint16_t size)
{
    struct virtio_queue *q = virtio_queue(v, n);

    if (q) {
        q->size = q->size_max = size;
        vq_init(&q->vq, &v->mem, n, size, queue_broken, v);
    }
}

void virtio_fini(struct virtio_device *v)
{
    if (!v->ops) {
        return;
    }
    for (unsigned i = 0; i < v->nqueues; i++) {
        queue_stop(&v->queues[i]);
        bh_fini(&v->queues[i].bh);
        vq_fini(&v->queues[i].vq);
    }
    bh_fini(&v->broken_bh);
    g_free(g_steal_pointer(&v->queues));
    v->nqueues = 0;
    vq_mem_fini(&v->mem);
    v->transport = NULL;
    v->ops = NULL;
}

void virtio_plug(struct virtio_device *v, const struct virtio_transport_ops *t, void *opaque, uint64_t offer,
                 uint64_t hide)
{
    v->transport = t;
    v->transport_opaque = opaque;
    v->offer = offer & CORE_BITS;
    v->hide = hide | (offer & F(VERSION_1) ? 0 : NEED_VERSION_1);
    offer_compute(v);
}

void virtio_print_status(const struct virtio_device *v, GString *out, unsigned indent)
{
    g_string_append_printf(out, "%*sstatus 0x%02x%s, features 0x%" PRIx64 " of 0x%" PRIx64 "\n", (int)indent, "",
                           v->status, v->broken ? " (broken)" : "", v->features, v->host_features);
    for (unsigned i = 0; i < v->nqueues; i++) {
        const struct virtio_queue *q = &v->queues[i];

        if (q->enabled) {
            g_string_append_printf(out, "%*squeue %u: size %u, %" PRIu64 " taken, %" PRIu64 " used, %" PRIu64
                                   " bad, %" PRIu64 " notified, %" PRIu64 " interrupts, %" PRIu64 " suppressed%s%s\n",
                                   (int)indent, "", i, q->size, q->vq.popped, q->vq.pushed, q->vq.bad, q->kicks,
                                   q->vq.notified, q->vq.suppressed, q->vq.fault ? ", broken: " : "",
                                   q->vq.fault ? vq_fault_name(q->vq.fault) : "");
        }
    }
    for (unsigned f = 1; f < VQ_FAULTS; f++) {
        if (v->faults[f]) {
            g_string_append_printf(out, "%*sfault %s: %" PRIu64 "\n", (int)indent, "", vq_fault_name(f), v->faults[f]);
        }
    }
}
