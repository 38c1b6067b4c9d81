/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/lib/vq_rig.h - a virtqueue and its driver (vq_driver.h) over RAM of two blocks, with ROM, holes and I/O around
 *
 * I/O regions count their accesses; bench_free() fails the test when there was any: a device's DMA goes to RAM only.
 */
#ifndef TESTS_VQ_RIG_H
#define TESTS_VQ_RIG_H

#include "hw/virtio/virtqueue.h"
#include "lib/bits.h"
#include "lib/bytes.h"
#include "lib/iov.h"
#include "tests/lib/vq_driver.h"

#include <glib.h>
#include <string.h>

enum { F_NEXT = 1, F_WRITE = 2, F_INDIRECT = 4 };
enum { BLOCK = 0x400000, RAM = 2 * BLOCK, ROM = 0xF00000, MMIO = 0xE0000000, RING = 0x10000, SPLIT_RING = BLOCK - 0x2000,
       DATA = 0x200000 };

struct bench {
    struct region root, a, b, rom_r, io, toggle, cover;
    struct ram_block *ram[2], *rom;
    struct addr_space as;
    struct dma dma;
    struct vq_mem mem;
    struct virtqueue vq;
    struct vqd d;
    struct vq_pieces p;
    uint8_t *host;                      /* guest RAM seen by the driver: both blocks in one piece */
    unsigned broken;
    unsigned io_accesses;
};

/* A kind of queue, where its rings are, how long they are */
struct kind {
    const char *name;
    bool packed, event_idx, indirect, in_order;
    uint64_t base;
    uint16_t size;
};

/* Size 8, with event index and indirect descriptors; and without */
extern const struct kind split_k, packed_k, split_plain, packed_plain;

/** bench_new() - a queue of kind @k that runs */
struct bench *bench_new(const struct kind *k);
void bench_free(struct bench *t);
void layout_of(struct bench *t, const struct kind *k, struct vq_layout *l);
/** map_changes() - the memory map becomes another one, RAM stays */
void map_changes(struct bench *t);
/** warm_up() - @n chains of one buffer go there and back, so that the ring stands somewhere */
void warm_up(struct bench *t, unsigned n);

#endif
