/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/lib/virtio_rig.h - a toy virtio device on a PCI bus, and a driver of both interfaces
 *
 * The toy answers each chain with its readable bytes plus one, and logs what the device core tells it. The driver finds
 * everything through configuration space, as a guest does. Every access drains the bottom halves.
 */
#ifndef TESTS_VIRTIO_RIG_H
#define TESTS_VIRTIO_RIG_H

#include "core/loop.h"
#include "hw/pci/msi.h"
#include "hw/virtio/virtio_pci.h"
#include "lib/iov.h"
#include "mem/space.h"
#include "tests/lib/vq_driver.h"

#include <string.h>

enum { TOY_F_A = 0, TOY_F_NEEDS_A = 1, TOY_F_REFUSED = 2, TOY_F_FAR = 55, CONFIG_LEN = 10, QUEUES = 3, QSIZE = 16 };
enum { TYPE_NET = 1 };

struct toy {
    struct virtio_pci vp;               /* first member */
    struct virtio_device v;
    struct vq_pieces p;
    uint8_t cfg[CONFIG_LEN];
    GString *log;
    unsigned budget;                    /* chains a call */
    bool break_it;
};

enum { RAM = 0x100000, MEM_AT = 0xE0000000, MSIX_AT = 0xE0100000, IO_AT = 0xC000, PIO_AT = 0xC100, RING = 0x10000,
       RING_STEP = 0x20000, DATA = 0xC0000, REPLY = 0xD0000 };

struct cap {
    unsigned at;                        /* in configuration space; 0: none */
    unsigned bar;
    uint32_t offset, length, extra;
};

struct bench {
    struct region root, io_root, ram_r;
    struct ram_block *ram;
    struct addr_space as, io_as;
    struct pci_bus bus;
    struct toy *t;
    struct pci_device *d;
    bool intx;
    unsigned msis;
    uint32_t last_msi;
    struct cap caps[6];                 /* by type */
    struct vqd q[QUEUES];
    bool legacy;
};

/** rig_init() - loop and types "toy", "toy-transitional", "toy-non-transitional"; at the start of main() */
void rig_init(void);
/** bench_make() - with properties "a=b,c=d" (or NULL); *errp: realize failed, only bench_free() may follow */
struct bench *bench_make(const char *type, const char *props, Error **errp);
/** bench_new() - the same, must work; BARs placed, decoding and bus mastering on, log empty */
struct bench *bench_new(const char *type, const char *props);
void bench_free(struct bench *b);
/** run() - bottom halves until none is ready */
void run(void);
/** expect_log() - what the toy was told since the last one */
void expect_log(struct bench *b, const char *want);
/* configuration space */
uint32_t cfg(struct bench *b, unsigned off, unsigned n);
void cfgw(struct bench *b, unsigned off, uint32_t v, unsigned n);

/* ---- a 1.x driver ---- */

/* Fields of the common configuration */
enum { C_DFSEL = 0, C_DF = 4, C_GFSEL = 8, C_GF = 12, C_VECTOR = 16, C_NQ = 18, C_STATUS = 20, C_GEN = 21, C_QSEL = 22,
       C_QSIZE = 24, C_QVECTOR = 26, C_QENABLE = 28, C_QNOFF = 30, C_QDESC = 32, C_QDRIVER = 40, C_QDEVICE = 48,
       C_QDATA = 56, C_QRESET = 58 };

#define V1 BIT(VIRTIO_F_VERSION_1)

/** place() - address of offset @off in the structure of capability @type (1 common, 2 notifications, 3 ISR, 4 device) */
uint64_t place(struct bench *b, unsigned type, unsigned off);
/** rd(), wr() - the common configuration */
uint32_t rd(struct bench *b, unsigned off, unsigned n);
void wr(struct bench *b, unsigned off, uint32_t v, unsigned n);
uint8_t isr(struct bench *b);
uint64_t device_features(struct bench *b);
void driver_features(struct bench *b, uint64_t f);
/** negotiate() - up to FEATURES_OK; Return: accepted */
bool negotiate(struct bench *b, uint64_t f);
void queue_setup(struct bench *b, unsigned n, uint16_t vector);
/** start() - negotiate @f and VERSION_1, enable all queues without vectors, DRIVER_OK; the log is empty then */
void start(struct bench *b, uint64_t f);
/** offer() - a chain of @len bytes each way on queue @n; kick() - notify; expect_echo() - the answer; echo() - all three */
void offer(struct bench *b, unsigned n, unsigned len);
void kick(struct bench *b, unsigned n);
void expect_echo(struct bench *b, unsigned n, unsigned len);
void echo(struct bench *b, unsigned n);
/** msix_on() - vector i sends 0x40 + i; @masked: one that is masked, or none such */
void msix_on(struct bench *b, unsigned masked);

/* ---- a legacy driver ---- */

uint32_t lr(struct bench *b, unsigned off, unsigned n);
void lw(struct bench *b, unsigned off, uint32_t v, unsigned n);
void legacy_queue(struct bench *b, unsigned n);
/** legacy_start() - reset, acknowledge @f, three queues, DRIVER_OK */
void legacy_start(struct bench *b, uint32_t f);

#endif
