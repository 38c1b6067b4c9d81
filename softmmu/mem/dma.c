/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * softmmu/mem/dma.c - a device's access to guest memory: RAM only, all or nothing
 *
 * dma_walk() first finds every piece; only when all of them are RAM does anything move.
 */
#include "mem/dma.h"
#include "lib/bits.h"
#include <string.h>

#define MAX_PIECES 16   /* a range crosses few borders between RAM blocks or windows */

struct piece {
    struct ram_block *ram;
    uint64_t off, len;
};

/* Return: pieces, 0 when some byte is not RAM (or, with @write, ROM) */
static unsigned dma_walk(struct dma *d, uint64_t addr, size_t len, bool write, struct piece *p)
{
    unsigned n = 0;

    if (!d->enabled || !len || addr + len - 1 < addr) {
        d->faults++;
        return 0;
    }
    while (len) {
        struct space_slot s;

        if (n == MAX_PIECES || !space_lookup(d->as, addr, &s) || !s.host || (write && s.readonly)) {
            d->faults++;
            return 0;
        }
        p[n] = (struct piece){ s.ram, s.ram_off, MIN(s.len, len) };
        addr += p[n].len;
        len -= p[n].len;
        n++;
    }
    return n;
}

bool dma_read(struct dma *d, uint64_t addr, void *buf, size_t len)
{
    struct piece p[MAX_PIECES];
    unsigned n = dma_walk(d, addr, len, false, p);

    for (unsigned i = 0; i < n; i++) {
        memcpy(buf, p[i].ram->host + p[i].off, p[i].len);
        buf = (char *)buf + p[i].len;
    }
    return n || !len;
}

bool dma_write(struct dma *d, uint64_t addr, const void *buf, size_t len)
{
    struct piece p[MAX_PIECES];
    unsigned n = dma_walk(d, addr, len, true, p);

    for (unsigned i = 0; i < n; i++) {
        memcpy(p[i].ram->host + p[i].off, buf, p[i].len);
        ram_written(p[i].ram, p[i].off, p[i].len);
        buf = (const char *)buf + p[i].len;
    }
    return n || !len;
}

unsigned dma_map(struct dma *d, uint64_t addr, size_t len, struct iovec *iov, unsigned iov_max)
{
    struct piece p[MAX_PIECES];
    unsigned n = dma_walk(d, addr, len, true, p);

    if (n > iov_max) {
        return 0;
    }
    for (unsigned i = 0; i < n; i++) {
        iov[i] = (struct iovec){ p[i].ram->host + p[i].off, p[i].len };
    }
    return n;
}

void dma_written(struct dma *d, uint64_t addr, size_t len)
{
    struct piece p[MAX_PIECES];
    unsigned n = dma_walk(d, addr, len, true, p);

    for (unsigned i = 0; i < n; i++) {
        ram_written(p[i].ram, p[i].off, p[i].len);
    }
}
