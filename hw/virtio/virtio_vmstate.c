/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/virtio/virtio_vmstate.c - what migrates of a virtio device, whatever its type
 *
 * Of a queue: what the driver wrote, and one position, that of the oldest chain which is not in the used ring. Chains
 * that the device had popped and not finished are popped again after the load; so a device with chains in flight
 * finishes them in order (network cards do) or before the machine is saved. Rings themselves are in guest memory.
 * A load takes the same road as the driver: negotiation, then each queue is set up with all its checks.
 */
#include "hw/virtio/virtio.h"
#include "lib/bytes.h"
#include "migration/vmstate.h"

/* ---- queues: as many as the device has ---- */

struct queue_wire {
    le64 desc, driver, device;
    le16 size, vector, pos;
    uint8_t flags, reserved;
};
static_assert(sizeof(struct queue_wire) == 32, "migration format");

enum { Q_ENABLED = 1, Q_LEGACY_PFN = 2, Q_WRAP = 4 };

static void queues_save(const void *field, const struct vmstate_field *f, GByteArray *out)
{
    const struct virtio_device *v = field;

    for (unsigned i = 0; i < v->nqueues; i++) {
        const struct virtio_queue *q = &v->queues[i];
        struct queue_wire w = {
            .desc = le64_of(q->desc), .driver = le64_of(q->driver), .device = le64_of(q->device),
            .size = le16_of(q->size), .vector = le16_of(q->vector), .pos = le16_of(q->vq.used),
            .flags = (q->enabled ? Q_ENABLED : 0) | (q->legacy_pfn ? Q_LEGACY_PFN : 0) |
                     (q->vq.used_wrap ? Q_WRAP : 0),
        };

        g_byte_array_append(out, (const guint8 *)&w, sizeof(w));
    }
}

static bool queue_load(struct virtio_device *v, struct virtio_queue *q, const struct queue_wire *w, Error **errp)
{
    q->desc = le64_get(w->desc);
    q->driver = le64_get(w->driver);
    q->device = le64_get(w->device);
    q->size = le16_get(w->size);
    q->vector = le16_get(w->vector);
    q->enabled = w->flags & Q_ENABLED;
    q->legacy_pfn = w->flags & Q_LEGACY_PFN;
    q->load_pos = le16_get(w->pos);
    q->load_wrap = w->flags & Q_WRAP;
    if (!q->size || q->size > q->size_max || w->flags & ~(Q_ENABLED | Q_LEGACY_PFN | Q_WRAP)) {
        error_setg(errp, "queue %u: size %u, at most %u, flags 0x%x", q->vq.index, q->size, q->size_max, w->flags);
        return false;
    }
    return true;
}

static bool queues_load(void *field, const struct vmstate_field *f, const uint8_t *buf, size_t len, Error **errp)
{
    struct virtio_device *v = field;

    if (len != v->nqueues * sizeof(struct queue_wire)) {
        error_setg(errp, "%zu queues, this device has %u", len / sizeof(struct queue_wire), v->nqueues);
        return false;
    }
    for (unsigned i = 0; i < v->nqueues; i++) {
        struct queue_wire w;

        memcpy(&w, buf + i * sizeof(w), sizeof(w));
        if (!queue_load(v, &v->queues[i], &w, errp)) {
            return false;
        }
    }
    return true;
}

static const struct vmstate_codec queues_codec = { queues_save, queues_load };

static bool virtio_post_load(void *opaque, Error **errp)
{
    return virtio_resume(opaque, errp);
}

const struct vmstate vmstate_virtio = {
    .name = "virtio", .version = 1, .post_load = virtio_post_load,
    .fields = (const struct vmstate_field[]){
        VMS(struct virtio_device, status),
        VMS(struct virtio_device, generation),
        VMS(struct virtio_device, isr, .mask = VIRTIO_ISR_QUEUE | VIRTIO_ISR_CONFIG),
        VMS(struct virtio_device, broken),
        VMS(struct virtio_device, negotiated),
        VMS(struct virtio_device, config_vector),
        VMS(struct virtio_device, driver_features),
        VMS(struct virtio_device, features),
        VMS_WHOLE("queues", queues_codec, VIRTIO_QUEUES_MAX * sizeof(struct queue_wire)),
        VMS_END,
    },
};
