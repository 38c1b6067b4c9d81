/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/net/intel/core.h - what the gigabit generations share
 *
 * A model is a const struct intel_model: ids, register table, PHY. A device is a struct intel_nic. Files:
 *   core.c    life, MMIO and I/O windows, CTRL, STATUS, link     intr.c    causes, mask, throttling, delay timers
 *   txq.c     transmit ring to frames                            nvm.c     EEPROM and its two access methods
 *   txsend.c  one gathered packet: checksums, TSO, tag, send     phy.c     MDIC, M88E1000 registers
 *   rxq.c     frames to the receive ring                         stats.c   counters
 *   filter.c  which frames are for the guest
 * Everything runs with the machine lock held. Register hooks run in the CPU's thread: they change registers and
 * schedule; ring work is done by bottom halves and by the net layer's receive call, in the main loop.
 */
#ifndef HW_NET_INTEL_CORE_H
#define HW_NET_INTEL_CORE_H

#include "desc.h"
#include "regs.h"

#include "core/loop.h"
#include "core/timer.h"
#include "hw/net/drops.h"
#include "hw/net/eeprom93.h"
#include "hw/net/mii.h"
#include "hw/net/regs.h"
#include "hw/net/ring.h"
#include "hw/pci/pci.h"
#include "mem/region.h"
#include "net/nic.h"
#include "net/offload/parse.h"

struct intel_nic;

struct intel_model {
    const char *name;               /* "e1000" */
    const struct reg *regs;
    unsigned nregs;
    uint32_t mmio_size, io_size;
    const struct mii_model *phy;
    enum eeprom93_chip eeprom;
    bool has_eerd;                  /* 13.4.4: not on the 82544 */
    uint16_t device_id;             /* goes into the EEPROM too */
};

/* Interrupts, intr.c */
struct intel_intr {
    struct timer itr;               /* armed: a raise is held back until it fires */
    struct timer tidv, tadv, rdtr, radv;
    int64_t next_ns;                /* earliest time of the next raise */
    bool line;
};

/* A packet being put together from descriptors, txq.c */
struct tx_packet {
    bool open;                      /* a first descriptor has been seen, no last one */
    bool bad;                       /* forget it at its end; the reason has been counted */
    uint8_t kind;                   /* enum tx_kind of its first descriptor */
    bool ifcs, vle, ic, tse;
    uint8_t popts, cso, css;
    uint16_t special;
    struct tx_ctx ctx;              /* as it was at the first descriptor */
    struct frame frame;             /* pieces of guest memory, or of fifo */
};

enum { TX_WRITE_BACKS = 64, TX_BYTES_MAX = 256 * 1024 };

struct txq {
    struct intel_nic *nic;
    uint32_t regs;                  /* offset of TDBAL */
    struct desc_ring ring;
    bool ring_taken;                /* ring agrees with the registers */
    struct bh bh;
    struct tx_ctx ctx[2];           /* last context descriptor without and with TSE (3.3.6) */
    struct tx_packet pkt;
    uint8_t *fifo;                  /* FRAME_MAX bytes and room for a tag and padding, made when first needed */
    size_t fifo_len;                /* bytes of pkt.frame that are in fifo */
    bool held;                      /* pkt is complete and waits in fifo for the peer */
    unsigned wbs;
    struct {
        uint32_t idx;
        uint8_t sts;
        bool ide;
    } wb[TX_WRITE_BACKS];           /* descriptors to report (RS) once the packet has left guest memory */
};

enum { RX_DESCS_MAX = 320 };        /* 16 KiB in 256-byte buffers, and empty descriptors between them */

struct rxq {
    struct intel_nic *nic;
    uint32_t regs;                  /* offset of RDBAL */
    struct desc_ring ring;
    bool ring_taken;
    uint32_t idx[RX_DESCS_MAX];     /* descriptors fetched for the frame at hand */
    struct rx_wire desc[RX_DESCS_MAX];
};

struct intel_nic {
    struct pci_device pci;          /* first member */
    const struct intel_model *model;
    struct nic_conf conf;
    struct nic *nic;
    struct regfile regs;
    struct region mmio, io;
    uint32_t io_addr;               /* IOADDR, 13.2.2 */
    struct intel_intr intr;
    struct txq txq;
    struct rxq rxq;
    struct eeprom93 eeprom;
    struct mii phy;
    struct nic_drops drops;
    bool link;                      /* STATUS.LU as last reported */
    bool compat[8];                 /* properties that are accepted without effect */
};

static inline uint32_t rd(const struct intel_nic *s, uint32_t off)
{
    return reg_get(&s->regs, off);
}

/* core.c */
bool intel_realize(struct intel_nic *s, const struct intel_model *m, Error **errp);
void intel_unrealize(struct intel_nic *s);
/* intel_reset() - power-on (PHY too) */
void intel_reset(struct intel_nic *s);
void intel_config_written(struct pci_device *d, unsigned off, unsigned len);
void intel_describe(struct device *d, GString *out, unsigned indent);
/* intel_link_update() - link or CTRL.SLU may have changed: LSC */
void intel_link_update(struct intel_nic *s);
static inline bool intel_link_up(const struct intel_nic *s)
{
    return s->link;
}
/* intel_loopback() - transmitted frames come back: MAC (RCTL.LBM) or PHY */
static inline bool intel_loopback(const struct intel_nic *s)
{
    return bits_get(rd(s, R_RCTL), RCTL_LBM_SHIFT, 2) || mii_loopback(&s->phy);
}
void ctrl_written(void *opaque, const struct reg_access *a);
uint32_t status_read(void *opaque, const struct reg_access *a);

/* intr.c */
void intr_init(struct intel_nic *s);
void intr_fini(struct intel_nic *s);
void intr_reset(struct intel_nic *s);
void intr_cause(struct intel_nic *s, uint32_t causes);
void intr_tx_done(struct intel_nic *s, bool delayed);       /* a descriptor was reported; delayed: its IDE bit */
void intr_rx_done(struct intel_nic *s, size_t len);
void intr_written(void *opaque, const struct reg_access *a);    /* after hook of ICR, ICS, IMS, IMC */
void rdtr_written(void *opaque, const struct reg_access *a);

/* txq.c */
void txq_init(struct txq *q, struct intel_nic *s, uint32_t regs);
void txq_fini(struct txq *q);
void txq_reset(struct txq *q);
void txq_spill(struct txq *q);                              /* the packet so far moves out of guest memory */
void tx_ring_written(void *opaque, const struct reg_access *a);
void tx_tail_written(void *opaque, const struct reg_access *a);
void tctl_written(void *opaque, const struct reg_access *a);

/* txsend.c: the packet is complete; Return: false: the peer is busy */
bool tx_finish(struct txq *q);
bool tx_resend(struct txq *q);

/* rxq.c */
void rxq_init(struct rxq *q, struct intel_nic *s, uint32_t regs);
void rxq_reset(struct rxq *q);
enum net_tx intel_receive(void *opaque, const struct frame *f);
void rx_ring_written(void *opaque, const struct reg_access *a);
void rx_tail_written(void *opaque, const struct reg_access *a);
void rctl_written(void *opaque, const struct reg_access *a);

/* filter.c */
bool rx_filter(struct intel_nic *s, const uint8_t *hdr, size_t len);
bool rx_length_ok(struct intel_nic *s, size_t len_with_fcs);
void ra_written(void *opaque, const struct reg_access *a);

/* nvm.c */
void nvm_init(struct intel_nic *s);
void nvm_load(struct intel_nic *s);                         /* station address from EEPROM to RAL0/RAH0 */
uint32_t eecd_read(void *opaque, const struct reg_access *a);
void eecd_written(void *opaque, const struct reg_access *a);
void eerd_written(void *opaque, const struct reg_access *a);
void ctrl_ext_written(void *opaque, const struct reg_access *a);

/* phy.c */
extern const struct mii_model phy_m88e1011, phy_m88e1000;
void mdic_written(void *opaque, const struct reg_access *a);

/* stats.c */
void stats_tx(struct intel_nic *s, const struct frame *f, const uint8_t *dst);
void stats_rx(struct intel_nic *s, size_t len, const uint8_t *dst);
void stats_count(struct intel_nic *s, uint32_t off);
uint32_t stats_high_read(void *opaque, const struct reg_access *a);

#endif
