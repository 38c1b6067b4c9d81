/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/virtio/virtio.h - what every virtio device has, whatever its transport (VIRTIO 1.3 chapters 2 and 3)
 *
 *   transport (virtio_pci.h)            struct virtio_device                  the device (virtio-net...)
 *   status, features, queue registers -> negotiation, status, queues       -> struct virtio_ops
 *   interrupts, vectors               <- virtio_notify(), virtio_config_changed()
 *
 * A device embeds a struct virtio_device, calls virtio_init() and virtio_add_queue() in its realize, then gives it to a
 * transport. The driver's notification only schedules the queue's bottom half; queue_notify() is called from there, in
 * the main loop, and never while the queue is stopped or the device is broken. It works with a budget and calls
 * virtio_queue_schedule() when there is more to do.
 *
 * A queue runs when the driver has enabled it and DRIVER_OK is set. When the device is reset, or the queue is, the
 * device's queue_stopped() is called while elements are still its own: it drops them.
 * A broken ring makes the device stop all its queues and, for a 1.x driver, say so: DEVICE_NEEDS_RESET and a
 * configuration interrupt (2.1.2). Only a reset ends that.
 * Machine lock held throughout.
 */
#ifndef HW_VIRTIO_VIRTIO_H
#define HW_VIRTIO_VIRTIO_H

#include "core/loop.h"
#include "core/property.h"
#include "hw/virtio/virtqueue.h"
#include "lib/bits.h"

enum {                                  /* device status, 2.1 */
    VIRTIO_S_ACKNOWLEDGE = 1,
    VIRTIO_S_DRIVER      = 2,
    VIRTIO_S_DRIVER_OK   = 4,
    VIRTIO_S_FEATURES_OK = 8,
    VIRTIO_S_NEEDS_RESET = 64,
    VIRTIO_S_FAILED      = 128,
};

enum virtio_feature {                   /* bit numbers of the reserved features, chapter 6 and 6.3 */
    VIRTIO_F_NOTIFY_ON_EMPTY   = 24,
    VIRTIO_F_ANY_LAYOUT        = 27,
    VIRTIO_F_INDIRECT_DESC     = 28,
    VIRTIO_F_EVENT_IDX         = 29,
    VIRTIO_F_BAD_FEATURE       = 30,    /* legacy: drivers that ack this have a known bug */
    VIRTIO_F_VERSION_1         = 32,
    VIRTIO_F_ACCESS_PLATFORM   = 33,
    VIRTIO_F_RING_PACKED       = 34,
    VIRTIO_F_IN_ORDER          = 35,
    VIRTIO_F_ORDER_PLATFORM    = 36,
    VIRTIO_F_SR_IOV            = 37,
    VIRTIO_F_NOTIFICATION_DATA = 38,
    VIRTIO_F_RING_RESET        = 40,
};

enum { VIRTIO_NO_VECTOR = 0xFFFF, VIRTIO_QUEUES_MAX = 1024, VIRTIO_CONFIG_MAX = 256 };

/* ISR bits, 4.1.4.5 */
enum { VIRTIO_ISR_QUEUE = 1, VIRTIO_ISR_CONFIG = 2 };

/* The user's part that is the same for all devices; in the transport's struct, filled by VIRTIO_CONF_PROPS */
struct virtio_conf {
    bool indirect_desc, event_idx, packed, in_order, any_layout, notify_on_empty, queue_reset;
    bool iommu_platform;
    bool use_started, use_disabled_flag, x_disable_legacy_check;    /* accepted, without effect here */
};

#define VIRTIO_CONF_PROPS(type, f)                                                                                     \
    { "indirect_desc", &prop_bool, offsetof(type, f.indirect_desc), "on", "on/off", 0 },                               \
    { "event_idx", &prop_bool, offsetof(type, f.event_idx), "on", "on/off", 0 },                                       \
    { "notify_on_empty", &prop_bool, offsetof(type, f.notify_on_empty), "on", "on/off", 0 },                           \
    { "any_layout", &prop_bool, offsetof(type, f.any_layout), "on", "on/off", 0 },                                     \
    { "iommu_platform", &prop_bool, offsetof(type, f.iommu_platform), "off", "on/off", 0 },                            \
    { "packed", &prop_bool, offsetof(type, f.packed), "off", "on/off", 0 },                                            \
    { "queue_reset", &prop_bool, offsetof(type, f.queue_reset), "on", "on/off", 0 },                                   \
    { "in_order", &prop_bool, offsetof(type, f.in_order), "off", "on/off", 0 },                                        \
    { "use-started", &prop_bool, offsetof(type, f.use_started), "on", NULL, 0 },                                       \
    { "use-disabled-flag", &prop_bool, offsetof(type, f.use_disabled_flag), "on", NULL, 0 },                           \
    { "x-disable-legacy-check", &prop_bool, offsetof(type, f.x_disable_legacy_check), "off", NULL, 0 }

struct virtio_device;
struct virtio_queue;

/* What a device is. Members marked "may be NULL" say what their absence means; all others are set. */
struct virtio_ops {
    const char *name;                   /* for the log: "virtio-net" */
    uint16_t id;                        /* device type, chapter 5: 1 network card */

    /** features() - device-type bits on offer (0-23, 50-63); the ring and transport bits are the core's */
    uint64_t (*features)(struct virtio_device *v);
    /**
     * features_ok() - the driver wants @f, a subset of what is on offer (with the core's bits)
     * Return: false: not possible (a 1.x driver sees FEATURES_OK stay 0; a legacy driver, which cannot be refused, gets
     * none of the device-type bits). May be NULL: whatever .deps allows is fine.
     */
    bool (*features_ok)(struct virtio_device *v, uint64_t f);
    const struct virtio_dep *deps;      /* comes before features_ok() (legacy: cuts); ends with .needs 0; NULL: none */
    /** features_set() - negotiation is over: v->features is final until the reset. Before any queue runs */
    void (*features_set)(struct virtio_device *v);

    /** config_read() - the whole configuration structure, v->config_len bytes, as the driver would read it now */
    void (*config_read)(struct virtio_device *v, uint8_t *cfg);
    /** config_write() - the driver wrote @len bytes at @off (within the structure). Ignores read-only fields */
    void (*config_write)(struct virtio_device *v, unsigned off, const uint8_t *bytes, unsigned len);

    /** status_changed() - v->status was @old. DRIVER_OK came or went, or (v->broken) all stopped. Queues follow */
    void (*status_changed)(struct virtio_device *v, uint8_t old);
    /** reset() - back to power-on: after every queue was stopped; v->status and v->features are 0 already */
    void (*reset)(struct virtio_device *v);

    /** queue_started() - @q may be popped from now on (DRIVER_OK and enabled). Nothing need be done */
    void (*queue_started)(struct virtio_device *v, struct virtio_queue *q);
    /** queue_stopped() - forget every element of @q: its memory is the guest's again. Follows each queue_started() */
    void (*queue_stopped)(struct virtio_device *v, struct virtio_queue *q);
    /** queue_notify() - the driver has notified @q, or virtio_queue_schedule() was called: bottom half, main loop */
    void (*queue_notify)(struct virtio_device *v, struct virtio_queue *q);
};

/* Feature @bit may only be accepted together with at least one bit of @needs */
struct virtio_dep {
    uint8_t bit;
    uint64_t needs;
};

/** virtio_feature_deps() - @f without the bits whose needs are not met (transitively); equal to @f: all is well */
uint64_t virtio_feature_deps(const struct virtio_dep *deps, uint64_t f);

/* What the transport does for the device */
struct virtio_transport_ops {
    /** interrupt() - where messages are on, send @vector (VIRTIO_NO_VECTOR: none); else set @isr_bits, and the line */
    void (*interrupt)(void *transport, uint16_t vector, uint8_t isr_bits);
    /** legacy_driver() - the driver came through a legacy interface: it does not know FEATURES_OK */
    bool (*legacy_driver)(void *transport);
};

struct virtio_queue {
    struct virtqueue vq;                /* first member */
    struct virtio_device *dev;
    struct bh bh;
    uint16_t size_max;
    bool started;                       /* between queue_started() and queue_stopped() */
    uint16_t vector;                    /* MSI-X, or VIRTIO_NO_VECTOR */
    /* as the driver wrote them; taken over when the queue is enabled */
    uint16_t size;
    uint64_t desc, driver, device;
    bool enabled;                       /* by the driver */
    bool legacy_pfn;                    /* areas come from a legacy page number */
    uint64_t kicks;                     /* notifications seen */
    uint16_t load_pos;                  /* from a migration stream, until virtio_resume() */
    bool load_wrap;
};

struct virtio_device {
    const struct virtio_ops *ops;
    const struct virtio_conf *conf;
    const struct virtio_transport_ops *transport;   /* NULL: not plugged in */
    void *transport_opaque;
    struct vq_mem mem;

    uint64_t offer, hide;               /* the transport's part of it */
    uint64_t host_features;             /* on offer; computed again at each reset */
    uint64_t driver_features;           /* as written by the driver */
    uint64_t features;                  /* as negotiated: valid from FEATURES_OK (legacy: DRIVER_OK) to the reset */
    bool negotiated;
    uint8_t status;
    uint8_t generation;                 /* of the configuration structure, 2.5.1 */
    uint8_t isr;
    uint16_t config_vector;
    uint16_t config_len;                /* bytes of the configuration structure */
    bool broken;                        /* until the reset */
    struct bh broken_bh;                /* tells the device of it, outside of its own ring work */

    unsigned nqueues;
    struct virtio_queue *queues;        /* VIRTIO_QUEUES_MAX at most */
    uint64_t faults[VQ_FAULTS];         /* broken rings by reason, over the life of the device */
};

/**
 * virtio_init() - from the device's realize
 * @config_len: bytes of the configuration structure, at most VIRTIO_CONFIG_MAX
 * @nqueues:    all of them; their sizes come from virtio_add_queue()
 * @dma:        the transport's
 */
void virtio_init(struct virtio_device *v, const struct virtio_ops *ops, const struct virtio_conf *conf,
                 unsigned config_len, unsigned nqueues, struct dma *dma);
/** virtio_set_queue_size() - largest (and initial) size of queue @n: power of two, 2..VQ_SIZE_MAX; from realize */
void virtio_set_queue_size(struct virtio_device *v, unsigned n, uint16_t size);
/** virtio_fini() - stops everything; when it returns no callback of @v can come. Also after no init (zeroed) */
void virtio_fini(struct virtio_device *v);

/* ---- for devices ---- */

static inline bool virtio_has(const struct virtio_device *v, unsigned bit)
{
    return v->features >> bit & 1;
}
static inline bool virtio_running(const struct virtio_device *v)
{
    return v->status & VIRTIO_S_DRIVER_OK && !v->broken;
}
/** virtio_modern() - a 1.x driver: little-endian, long virtio-net header */
static inline bool virtio_modern(const struct virtio_device *v)
{
    return virtio_has(v, VIRTIO_F_VERSION_1);
}
static inline struct virtio_queue *virtio_queue_of(struct virtqueue *vq)
{
    return (struct virtio_queue *)vq;
}
/** virtio_queue() - NULL: no such queue */
static inline struct virtio_queue *virtio_queue(struct virtio_device *v, unsigned n)
{
    return n < v->nqueues ? &v->queues[n] : NULL;
}

/** virtio_notify() - what was flushed is worth an interrupt if the driver wants one; once a batch */
void virtio_notify(struct virtio_device *v, struct virtio_queue *q);
/** virtio_config_changed() - the configuration structure reads differently now: new generation, and interrupt */
void virtio_config_changed(struct virtio_device *v);
/** virtio_queue_schedule() - have queue_notify() called again from the main loop; any thread */
void virtio_queue_schedule(struct virtio_queue *q);
/** virtio_break() - the driver has broken the rules in the device's own protocol: as a broken ring; @why for the log */
void virtio_break(struct virtio_device *v, const char *why);
/** virtio_print_status() - lines for "info qtree" and "info virtio-status" */
void virtio_print_status(const struct virtio_device *v, GString *out, unsigned indent);

/* ---- for transports ---- */

/** virtio_plug() - computes host_features; @offer: bits of the transport's own, @hide: bits to take away */
void virtio_plug(struct virtio_device *v, const struct virtio_transport_ops *t, void *opaque, uint64_t offer,
                 uint64_t hide);
void virtio_reset(struct virtio_device *v);
/** virtio_set_status() - the driver wrote the status; 0 resets. Read v->status to see what was accepted */
void virtio_set_status(struct virtio_device *v, uint8_t status);
/** virtio_set_features() - half @sel (0: bits 31:0, 1: 63:32) of the driver's features; ignored once negotiated */
void virtio_set_features(struct virtio_device *v, unsigned sel, uint32_t bits);
/** virtio_config_load()/_store() - @len bytes at @off; beyond the structure: zeroes, dropped */
void virtio_config_load(struct virtio_device *v, unsigned off, void *buf, unsigned len);
void virtio_config_store(struct virtio_device *v, unsigned off, const void *buf, unsigned len);
/** virtio_queue_enable() - size and areas of @q are set; it starts now or with DRIVER_OK */
void virtio_queue_enable(struct virtio_queue *q);
/** virtio_queue_reset() - VIRTIO_F_RING_RESET (2.6.1), or a legacy page number of 0: back to not enabled */
void virtio_queue_reset(struct virtio_queue *q);
/** virtio_kick() - the driver's available-buffer notification: schedules, does no ring work */
void virtio_kick(struct virtio_device *v, unsigned queue);
/** virtio_isr_read() - and clear, as reading the ISR does */
uint8_t virtio_isr_read(struct virtio_device *v);

/* ---- migration ---- */

/**
 * virtio_resume() - status, features and queues were loaded: check them and set the queues going
 * Calls features_set(), queue_started() and status_changed() as the driver's own writes would have; a device loads the
 * rest of its state after that (its section follows the transport's). False: *errp is set, reset the device.
 */
bool virtio_resume(struct virtio_device *v, Error **errp);
struct vmstate;
/** vmstate_virtio - a transport nests it in its own table */
extern const struct vmstate vmstate_virtio;

#endif
