/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mem/dma.h - how a device reaches guest memory: RAM only, length checked, can fail
 *
 * A DMA access to anything but RAM (MMIO, ROM writes, holes, wrap past the end) fails as a whole before a byte moves
 * (rule R2: a device can never be made to write to its own or another device's registers). Any thread; RAM blocks
 * outlive the call. Callers copy a descriptor once and never look at guest memory twice (rule R4).
 */
#ifndef MEM_DMA_H
#define MEM_DMA_H

#include "mem/space.h"
#include <sys/uio.h>

/* One device's view of memory. Embedded in the device. */
struct dma {
    struct addr_space *as;
    bool enabled;           /* PCI bus master enable; off: every access fails */
    uint64_t faults;        /* accesses refused */
};

bool dma_read(struct dma *d, uint64_t addr, void *buf, size_t len);
bool dma_write(struct dma *d, uint64_t addr, const void *buf, size_t len);
/**
 * dma_map() - host memory behind guest bytes, without a copy
 * @iov, @iov_max: filled with one element a contiguous piece
 * Return: elements used, 0 when any byte is not RAM or more than @iov_max pieces would be needed. Reads through the
 * pointers see what the guest writes meanwhile: only payload may be reached this way, never anything that is checked.
 * After writing, call dma_written() for the same range.
 */
unsigned dma_map(struct dma *d, uint64_t addr, size_t len, struct iovec *iov, unsigned iov_max);
void dma_written(struct dma *d, uint64_t addr, size_t len);

#endif
