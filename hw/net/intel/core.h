/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/net/intel/core.h - what the gigabit generations share
 *
 * A model is a const struct intel_model: ids, register table, PHY, numbers of queues, features. A device is a struct
 * intel_nic. Files:
 *   core.c    life, MMIO and I/O windows, CTRL, STATUS, link     intr.c    causes, mask, throttling, delay timers
 *   txq.c     transmit ring to frames                            msix.c    the 82574's vectors
 *   txsend.c  one gathered packet: checksums, TSO, tag, send     nvm.c     EEPROM and its access methods
 *   rx.c      a frame arrives: what the guest is told about it   phy.c     MDIC, Marvell registers
 *   rxq.c     ... and where it goes: descriptors and buffers     stats.c   counters
 *   filter.c  which frames are for the guest                     tsync.c   time stamps (IEEE 1588)
 *   vmstate.c what a saved machine holds of it                   e1000.c, e1000e.c   the models' tables
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
#include "hw/pci/msi.h"
#include "hw/pci/pci.h"
#include "mem/region.h"
#include "net/nic.h"
#include "net/offload/parse.h"

struct intel_nic;

enum intel_feature {
    INTEL_EERD  = 1 << 0,           /* 13.4.4: not on the 82544 */
    INTEL_PCIE  = 1 << 1,           /* EERD and EEWR, STATUS, master disable, semaphores of the PCIe parts */
    INTEL_RXEXT = 1 << 2,           /* extended and packet split descriptors, RSS: 82574 7.1 */
    INTEL_MSIX  = 1 << 3,           /* ICR rules, auto-mask, vectors: 82574 7.4 */
    INTEL_TSYNC = 1 << 4,           /* 82574 7.7 */
};

enum { INTEL_QUEUES_MAX = 2, INTEL_VECTORS_MAX = 5 };

struct intel_model {
    const char *name;               /* "e1000" */
    const struct reg *regs;
    unsigned nregs;
    uint32_t mmio_size, io_size;
    const struct mii_model *phy;
    const struct phy_page_reg *phy_pages;   /* registers 16.. of pages other than 0; NULL: no pages */
    unsigned nphy_pages;
    enum eeprom93_chip eeprom;
    uint32_t features;              /* enum intel_feature */
    unsigned rx_queues, tx_queues, vectors;
    uint16_t device_id;             /* goes into the EEPROM too */
};

/* Interrupts, intr.c, msix.c */
struct intel_vector {
    struct intel_nic *nic;
    struct timer itr;               /* armed: a message is held back until it fires */
    int64_t next_ns;                /* earliest time of the next one */
    bool waiting;
};

struct intel_intr {
    struct timer itr;               /* armed: a raise is held back until it fires */
    struct timer tidv, tadv, rdtr, radv;
    uint32_t tx_late, rx_late;      /* ICR_TXQ*, ICR_RXQ* of queues that the delay timers wait for */
    int64_t next_ns;                /* earliest time of the next raise */
    bool line;
    struct intel_vector vec[INTEL_VECTORS_MAX];
};

/* A packet being put together from descriptors, txq.c */
struct tx_packet {
    bool open;                      /* a first descriptor has been seen, no last one */
    bool bad;                       /* forget it at its end; the reason has been counted */
    uint8_t kind;                   /* enum tx_kind of its first descriptor */
    bool ifcs, vle, ic, tse, stamp;
    uint8_t popts, cso, css;
    uint16_t special;
    struct tx_ctx ctx;              /* as it was at the first descriptor */
    struct frame frame;             /* pieces of guest memory, or of fifo */
};

enum { TX_WRITE_BACKS = 64, TX_BYTES_MAX = 256 * 1024, TX_FIFO_SIZE = FRAME_MAX + 64 /* a tag, padding */ };

struct txq {
    struct intel_nic *nic;
    unsigned idx;
    uint32_t regs;                  /* offset of TDBAL */
    uint64_t door;                  /* atomic: TDT as last written, with DOOR_RUNG, until intel_doors() has it */
    struct desc_ring ring;
    bool ring_taken;                /* ring agrees with the registers */
    bool looking;                   /* txq_run() is taking the doorbells: no need to schedule it */
    struct bh bh;
    struct tx_ctx ctx[2];           /* last context descriptor without and with TSE (3.3.6) */
    struct tx_packet pkt;
    uint8_t *fifo;                  /* TX_FIFO_SIZE bytes, made when first needed */
    uint32_t fifo_len;              /* bytes of pkt.frame that are in fifo */
    bool held;                      /* pkt is complete and waits in fifo for the peer */
    bool done_now, done_late;       /* this run has reported descriptors, with IDE only: late */
    unsigned wbs;
    struct {
        uint32_t idx;
        uint8_t sts;
        bool ide;
    } wb[TX_WRITE_BACKS];           /* descriptors to report (RS) once the packet has left guest memory */
};

#define DOOR_RUNG (1ULL << 32)

enum { RX_DESCS_MAX = 320 };        /* 16 KiB in 256-byte buffers, and empty descriptors between them */
enum rx_format { RX_LEGACY, RX_EXT, RX_SPLIT };

struct rxq {
    struct intel_nic *nic;
    unsigned idx;
    uint32_t regs;                  /* offset of RDBAL */
    uint64_t door;                  /* atomic: RDT, likewise */
    struct desc_ring ring;
    bool ring_taken;
    uint8_t format;                 /* enum rx_format that the ring was taken for */
    uint32_t at[RX_DESCS_MAX];      /* descriptors fetched for the frame at hand */
    struct rx_read desc[RX_DESCS_MAX];
};

/* A frame on its way to the guest: rx.c fills it in, rxq.c writes it */
struct rx_data {
    struct iovec v[FRAME_IOV_MAX + 3];      /* what will be written */
    unsigned cnt, at;                       /* where its next byte is: off in v[at] */
    size_t off, len;
    uint8_t macs[12];
    uint8_t fcs[FCS_LEN];
    uint8_t hdr[FRAME_HDR_MAX];             /* copy of the first bytes: what decisions are made on */
    size_t hdr_len;
    struct pkt_layout l;                    /* of hdr */
    /* for the write-back */
    uint32_t status;                        /* RXS_*, without DD and EOP */
    uint8_t errors, rss_type;
    uint16_t csum, ip_id, vlan;             /* csum as it lies in memory */
    uint32_t hash;
    size_t split;                           /* bytes that are header to packet split, 0: it cannot tell */
};

enum { PHY_PAGED_MAX = 16, FLASH_SIZE = 128 * 1024, MSIX_BAR_SIZE = 16 * 1024, MSIX_PBA = 0x2000 };

struct intel_nic {
    struct pci_device pci;          /* first member */
    const struct intel_model *model;
    struct nic_conf conf;
    struct nic *nic;
    struct regfile regs;
    struct region mmio, io, flash, msix;
    uint32_t io_addr;               /* IOADDR, 13.2.2 */
    struct intel_intr intr;
    struct txq txq[INTEL_QUEUES_MAX];
    struct rxq rxq[INTEL_QUEUES_MAX];
    bool rx_starved;                /* atomic: a frame waits for descriptors: whoever writes RDT wakes us */
    struct bh door_bh;
    struct eeprom93 eeprom;
    struct mii phy;
    uint16_t phy_page, phy_paged[PHY_PAGED_MAX];    /* page select; registers of model->phy_pages */
    uint64_t systim;                /* tsync.c: SYSTIM at systim_ns */
    int64_t systim_ns;
    struct nic_drops drops;
    bool link;                      /* STATUS.LU as last reported */
    bool compat[8];                 /* properties that are accepted without effect */
    uint16_t subsys, subsys_ven;    /* properties */
};

static inline uint32_t rd(const struct intel_nic *s, uint32_t off)
{
    return reg_get(&s->regs, off);
}
static inline bool intel_has(const struct intel_nic *s, enum intel_feature f)
{
    return s->model->features & f;
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
/** intel_doors() - do what the guest has written to TDT and RDT meanwhile; at the start of whatever works on the device */
void intel_doors(struct intel_nic *s);
/** intel_rx_starved() - a frame has to wait for descriptors */
void intel_rx_starved(struct intel_nic *s);
static inline bool intel_link_up(const struct intel_nic *s)
{
    return s->link;
}
/* intel_loopback() - transmitted frames come back: MAC (RCTL.LBM) or PHY */
static inline bool intel_loopback(const struct intel_nic *s)
{
    return bits_get(rd(s, R_RCTL), RCTL_LBM_SHIFT, 2) || mii_loopback(&s->phy);
}
/* intel_may_dma() - bus mastering is on, for the bus and for the device (82574 5.6.2: CTRL bit 2) */
static inline bool intel_may_dma(const struct intel_nic *s)
{
    return s->pci.dma.enabled && !(intel_has(s, INTEL_PCIE) && rd(s, R_CTRL) & CTRL_GIO_DISABLE);
}
void ctrl_written(void *opaque, const struct reg_access *a);
uint32_t status_read(void *opaque, const struct reg_access *a);
uint32_t swsm_read(void *opaque, const struct reg_access *a);

/* intr.c */
void intr_init(struct intel_nic *s);
void intr_fini(struct intel_nic *s);
void intr_reset(struct intel_nic *s);
void intr_cause(struct intel_nic *s, uint32_t causes);
void intr_update(struct intel_nic *s);                      /* ICR, IMS or the way of delivery have changed */
void intr_tx_done(struct txq *q);                           /* end of a run: what done_now and done_late say */
void intr_rx_done(struct rxq *q, size_t len);
void intr_written(void *opaque, const struct reg_access *a);    /* after hook of ICR, ICS, IMS, IMC */
void rdtr_written(void *opaque, const struct reg_access *a);
/* 82574 */
uint32_t icr_read(void *opaque, const struct reg_access *a);
void icr_written(void *opaque, const struct reg_access *a);
void ics_written(void *opaque, const struct reg_access *a);
void ims_written(void *opaque, const struct reg_access *a);
void imc_written(void *opaque, const struct reg_access *a);

/* msix.c */
void vectors_init(struct intel_nic *s);
void vectors_fini(struct intel_nic *s);
void vectors_reset(struct intel_nic *s);
void vectors_cause(struct intel_nic *s, uint32_t causes);   /* these queue and other causes have happened (again) */
void vectors_unmasked(struct intel_nic *s, uint32_t bits);  /* IMS was written with these bits */
void intel_msi_changed(struct pci_device *d, int vector);

/* txq.c */
void txq_init(struct txq *q, struct intel_nic *s, unsigned idx);
void txq_fini(struct txq *q);
void txq_reset(struct txq *q);
void txq_fifo_make(struct txq *q);
void txq_spill(struct txq *q);                              /* the packet so far moves out of guest memory */
void tx_ring_written(void *opaque, const struct reg_access *a);
void tx_tail_written(void *opaque, const struct reg_access *a);
void tctl_written(void *opaque, const struct reg_access *a);

/* txsend.c: the packet is complete; Return: false: the peer is busy */
bool tx_finish(struct txq *q);
bool tx_resend(struct txq *q);

/* rx.c */
enum net_tx intel_receive(void *opaque, const struct frame *f);
void rx_ring_written(void *opaque, const struct reg_access *a);
void rx_tail_written(void *opaque, const struct reg_access *a);
void rctl_written(void *opaque, const struct reg_access *a);

/* rxq.c */
void rxq_init(struct rxq *q, struct intel_nic *s, unsigned idx);
void rxq_reset(struct rxq *q);
enum rx_format rx_format(const struct intel_nic *s);
bool rxq_set_tail(struct rxq *q);                           /* RDT was written; false: outside of the ring */
enum net_tx rxq_deliver(struct rxq *q, struct rx_data *r);

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
void eerd_pcie_written(void *opaque, const struct reg_access *a);
void eewr_written(void *opaque, const struct reg_access *a);
void ctrl_ext_written(void *opaque, const struct reg_access *a);

/* phy.c */
struct phy_page_reg {
    uint16_t page;
    uint8_t num;                    /* 16..31 */
    uint16_t reset, rw;
};
extern const struct mii_model phy_m88e1011, phy_m88e1000, phy_bm;
enum { PHY_BM_PAGED = 13 };
extern const struct phy_page_reg phy_bm_pages[PHY_BM_PAGED];
void phy_pages_reset(struct intel_nic *s);
void mdic_written(void *opaque, const struct reg_access *a);

/* stats.c */
void stats_tx(struct intel_nic *s, const struct frame *f, const uint8_t *dst);
void stats_rx(struct intel_nic *s, size_t len, const uint8_t *dst);
void stats_count(struct intel_nic *s, uint32_t off);
uint32_t stats_high_read(void *opaque, const struct reg_access *a);

/* tsync.c */
void tsync_reset(struct intel_nic *s);
void tsync_tx(struct intel_nic *s);                         /* a packet with TX_EXT_TS leaves */
bool tsync_rx(struct intel_nic *s, const struct rx_data *r);    /* true: its time has been taken */
uint32_t systim_read(void *opaque, const struct reg_access *a);
uint32_t stamp_high_read(void *opaque, const struct reg_access *a);
void systim_written(void *opaque, const struct reg_access *a);

/* vmstate.c */
struct vmstate;
extern const struct vmstate vmstate_intel;

#endif
