/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/lib/pci_rig.h - a PCI device "toy" with whatever capabilities a test gives it, on a bus that logs its messages
 *
 * BAR 0 of the toy is 64 KiB of memory at BAR_AT; a byte at @off reads as 0x40 + @off. 64 KiB of RAM at 0.
 */
#ifndef TESTS_PCI_RIG_H
#define TESTS_PCI_RIG_H

#include "core/loop.h"
#include "hw/pci/caps.h"
#include "hw/pci/msi.h"
#include "lib/bits.h"
#include "mem/ram.h"
#include "mem/space.h"

#include <string.h>

enum { BAR_AT = 0xE0000000, CFG_AT = 0x40, RAM_SIZE = 0x10000, MSI_AT = 0xFEE00000 };
enum { BUS_MASTER = PCI_COMMAND_MASTER | PCI_COMMAND_MEMORY };

struct toy {
    struct pci_device pci;              /* first member */
    struct region bar0;
    unsigned resets;
    char hooks[128];                    /* msi_changed: "* " switched, "N " vector N */
};

/* What a test adds at the end of realize */
typedef bool toy_make(struct toy *t, Error **errp);

struct bench {
    struct region root, io_root, ram_r;
    struct ram_block *ram;
    struct addr_space as, io_as;
    struct pci_bus bus;
    struct toy *t;                      /* the last one that was added */
    struct pci_device *d;
    bool intx;
    unsigned n;                         /* messages to 0xFEExxxxx or 0x12345678xxxxxxxx since the last one() */
    uint64_t addr;
    uint32_t data;
};

/** bench_once() - at the start of main() */
void bench_once(void);
/** bench_new() - with one toy at 04.0, BAR 0 placed, bus mastering on */
struct bench *bench_new(toy_make *make);
void bench_free(struct bench *b);
/** bench_add() - another one; false with *errp set */
bool bench_add(struct bench *b, toy_make *make, int devfn, bool multifunction, Error **errp);

/** none(), one() - no message came since the last one(); exactly this one did */
void none(struct bench *b);
void one(struct bench *b, uint64_t addr, uint32_t data);
/** hooks() - what msi_changed was told since the last hooks() */
void hooks(struct bench *b, const char *want);
/** expect_error() - and free it */
void expect_error(Error *err, const char *text);

static inline uint32_t cfg(struct bench *b, unsigned off, unsigned n) { return pci_config_read(b->d, off, n); }
static inline void cfgw(struct bench *b, unsigned off, uint32_t v, unsigned n) { pci_config_write(b->d, off, v, n); }
/* BAR_AT + @off */
static inline uint64_t rd(struct bench *b, uint64_t off, unsigned n) { return space_read(&b->as, BAR_AT + off, n); }
static inline void wr(struct bench *b, uint64_t off, uint64_t v, unsigned n)
{
    space_write(&b->as, BAR_AT + off, v, n);
}

#endif
