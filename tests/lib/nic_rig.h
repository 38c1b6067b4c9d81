/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/lib/nic_rig.h - a PCI NIC on a bench: RAM, a bus, the NIC, and a cable whose other end the test holds
 *
 * No CPU, no executable: registers are reached through the address space that the BARs are placed in, rings lie in the
 * bench's RAM, virtual time moves when told. Every access drains the bottom halves, as the test server does.
 */
#ifndef TESTS_NIC_RIG_H
#define TESTS_NIC_RIG_H

#include "core/loop.h"
#include "core/timer.h"
#include "hw/pci/host.h"
#include "lib/bits.h"
#include "net/nic.h"

enum { RIG_RAM = 0x1000000, RIG_ROM_BASE = 0xF0000, RIG_MMIO = 0xE0000000, RIG_IO = 0xC000, RIG_MSIS = 64,
       RIG_BAR_STEP = 0x1000000 };

struct rig_frame {
    struct pkt_meta meta;
    size_t len;
    uint8_t data[];
};

/* The other end of the cable */
struct rig_peer {
    struct net_client c;                /* first member */
    GPtrArray *frames;                  /* of struct rig_frame: what the NIC sent */
    uint32_t caps;
    bool busy;
    unsigned keep_max;                  /* frames kept, the rest is only counted */
    unsigned total;
};

struct rig_msi {
    uint64_t addr;
    uint32_t data;
};

struct rig {
    struct region root, io_root, ram_r, rom_r;
    struct ram_block *ram, *rom;
    struct addr_space as, io_as;
    struct pci_bus bus;
    struct pci_host host;
    struct pci_device *dev;
    struct rig_peer *peer;
    int irq_line;                       /* bus line as last driven, and which one */
    bool irq;
    unsigned irq_raises;
    unsigned writes;                    /* by w32() */
    struct rig_msi msi[RIG_MSIS];       /* interrupt messages (address 0xFEExxxxx), the n-th at n % RIG_MSIS */
    unsigned msis;                      /* how many came */
};

/** rig_init_once() - loop, clock, types; any number of times */
void rig_init_once(void);
/** rig_new() - a bench with one NIC of @type at 00:04.0, MAC 52:54:00:12:34:56, BARs placed and decoding on */
struct rig *rig_new(const char *type);
/** rig_new_with() - as rig_new(), with properties "a=b,c=d" (or NULL) */
struct rig *rig_new_with(const char *type, const char *props);
void rig_free(struct rig *g);
/** rig_place_bars() - memory BAR n at RIG_MMIO + n * RIG_BAR_STEP, the I/O BAR at RIG_IO; rig_new() has done it */
void rig_place_bars(struct rig *g);

uint32_t r32(struct rig *g, uint32_t off);                 /* BAR0 */
void w32(struct rig *g, uint32_t off, uint32_t val);
uint32_t rig_config(struct rig *g, unsigned off, unsigned len);
void rig_config_set(struct rig *g, unsigned off, uint32_t val, unsigned len);
/** rig_run() - bottom halves until none is ready (bounded) */
void rig_run(void);
/** rig_step() - virtual time moves by @ns */
void rig_step(int64_t ns);
/**
 * rig_ram() - a byte of guest memory; the page that it lies in, and the next one, count as written
 * rig_ram_span() - as rig_ram() for the @len bytes that are written there
 * rig_wipe() - memory reads as zeros again: what is marked as dirty does, by the device or by the two above
 * rig_is_wiped() - all of it does: nothing wrote to memory and did not say so
 */
uint8_t *rig_ram(struct rig *g, uint64_t addr);
uint8_t *rig_ram_span(struct rig *g, uint64_t addr, uint64_t len);
void rig_wipe(struct rig *g);
bool rig_is_wiped(const struct rig *g);

/** rig_rx() - the peer sends @len bytes; what net_send() said */
enum net_tx rig_rx(struct rig *g, const void *p, size_t len);
enum net_tx rig_rx_meta(struct rig *g, const void *p, size_t len, const struct pkt_meta *m);
/** rig_sent() - the oldest frame that the NIC sent, taken off (free with g_free); NULL: none */
struct rig_frame *rig_sent(struct rig *g);
/** rig_unblock() - the peer takes frames again */
void rig_unblock(struct rig *g);

/** rig_eth() - @len bytes of a frame: addresses, type and a pattern that depends on @seed */
void rig_eth(uint8_t *p, size_t len, const uint8_t dst[6], uint16_t ethertype, unsigned seed);
/** rig_tcp4()/rig_tcp6()/rig_udp4() - Ethernet, IP and L4 header, @payload bytes behind; checksums right when @csum */
size_t rig_tcp4(uint8_t *p, size_t payload, bool csum);
size_t rig_tcp6(uint8_t *p, size_t payload, bool csum);
size_t rig_udp4(uint8_t *p, size_t payload, bool csum);

extern const uint8_t rig_mac[6], rig_other[6], rig_broadcast[6];

#endif
