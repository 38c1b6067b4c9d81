/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/net/intel/desc.h - descriptors of the 8254x: layout on the wire and decoded (8254x SDM 3.2.3, 3.3.3, 3.3.6, 3.3.7)
 *
 *             63        48 47    40 39    36 35    32 31       24 23  20 19       0
 *   legacy    special      CSS      RSV      STA      CMD         CSO    length(16)
 *   context   MSS          HDRLEN   RSV      STA      TUCMD       DTYP 0 PAYLEN      (first quadword: six offsets)
 *   data      special      POPTS    RSV      STA      DCMD        DTYP 1 DTALEN
 *
 * DEXT (bit 5 of the command) tells legacy from the other two. The 82574 has the same transmit descriptors, and three
 * kinds for receiving (82574 7.1.4, 7.1.5); RFCTL.EXSTEN and RCTL.DTYP say which.
 */
#ifndef HW_NET_INTEL_DESC_H
#define HW_NET_INTEL_DESC_H

#include "lib/bits.h"
#include "lib/bytes.h"

struct tx_wire {
    le64 addr;
    le32 cmd_len;
    le32 sts_opts;
};
static_assert(sizeof(struct tx_wire) == 16, "guest-visible layout");
enum { TX_STATUS_OFF = 12, TX_STATUS_DD = 1 << 0 };

struct rx_wire {
    le64 addr;
    le16 length, csum;
    uint8_t status, errors;
    le16 special;
};
static_assert(sizeof(struct rx_wire) == 16, "guest-visible layout");
enum { RX_WRITE_BACK_OFF = 8 };

enum { RX_BUFS = 4 };

/* Any receive descriptor as the guest posts it: a packet split one uses all four addresses, the others the first */
struct rx_read {
    le64 addr[RX_BUFS];
};

/* Written back over the first 16 bytes of an extended or packet split descriptor */
struct rx_ext_wb {
    le32 mrq;                       /* 3:0 RSS type, 12:8 queue */
    le32 hash;                      /* RSS hash, or 15:0 IP identification, 31:16 checksum */
    le32 status_error;              /* 19:0 status, 31:24 errors */
    le16 length;                    /* of buffer 0 */
    le16 vlan;
};
static_assert(sizeof(struct rx_ext_wb) == 16, "guest-visible layout");

struct rx_split_wb {
    struct rx_ext_wb ext;
    le16 hdr_status;                /* 9:0 header length, 15 HDRSP */
    le16 length[RX_BUFS - 1];       /* of buffers 1 to 3 */
    le64 rsv;
};
static_assert(sizeof(struct rx_split_wb) == 32 && sizeof(struct rx_read) == 32, "guest-visible layout");
enum { RXH_LEN_MAX = 0x3FF, RXH_SPLIT = 1 << 15 };

enum {                              /* rx_wire.status, 3.2.3.2 */
    RXS_DD = 1 << 0, RXS_EOP = 1 << 1, RXS_IXSM = 1 << 2, RXS_VP = 1 << 3, RXS_TCPCS = 1 << 5, RXS_IPCS = 1 << 6,
    RXS_PIF = 1 << 7,
    RXS_UDPCS = 1 << 4, RXS_TST = 1 << 8, RXS_IPIDV = 1 << 9, RXS_UDPV = 1 << 10, RXS_ACK = 1 << 15,  /* 82574 7.1.4.2 */
};
enum { RSS_NONE, RSS_TYPE_TCP4, RSS_TYPE_IP4, RSS_TYPE_TCP6, RSS_TYPE_IP6_EX, RSS_TYPE_IP6 };      /* 82574 7.1.4.2.1 */
enum { RXE_TCPE = 1 << 5, RXE_IPE = 1 << 6 };       /* rx_wire.errors, 3.2.3.3 */

enum tx_kind { TX_LEGACY, TX_CONTEXT, TX_DATA, TX_UNKNOWN };

/* Any transmit descriptor, in host order. What a kind does not have is 0. */
struct tx_desc {
    enum tx_kind kind;
    uint64_t addr;
    uint32_t len;                   /* legacy: 16 bits, data: 20 bits, context: PAYLEN */
    bool eop, ifcs, rs, vle, ide;
    bool ic;                        /* legacy: insert checksum at cso over css..end */
    bool tse;                       /* data, context */
    uint8_t cso, css;
    uint8_t popts;                  /* data: TX_POPT_* */
    uint8_t sts;                    /* status byte as read; 7:4 are the extended command: TX_EXT_TS */
    uint16_t special;               /* tag control */
};
enum { TX_POPT_IXSM = 1 << 0, TX_POPT_TXSM = 1 << 1 };
enum { TX_EXT_TS = 1 << 4 };        /* 82574 7.2.7: note the time of its transmission */

/* What a context descriptor sets up. Offsets count from the start of the packet; an end of 0: to the end */
struct tx_ctx {
    uint8_t ipcss, ipcso, tucss, tucso;
    uint16_t ipcse, tucse;
    uint32_t paylen;
    uint8_t hdr_len;
    uint16_t mss;
    bool tcp, ip4, tse;
};

enum {                              /* command byte */
    TXC_EOP = 1 << 0, TXC_IFCS = 1 << 1, TXC_IC = 1 << 2, TXC_RS = 1 << 3, TXC_DEXT = 1 << 5, TXC_VLE = 1 << 6,
    TXC_IDE = 1 << 7,
    TXC_TSE = 1 << 2,               /* context, data */
    TXC_TCP = 1 << 0, TXC_IP = 1 << 1,  /* context */
};

static inline struct tx_desc tx_decode(const struct tx_wire *w)
{
    uint32_t lo = le32_get(w->cmd_len), hi = le32_get(w->sts_opts);
    uint8_t cmd = lo >> 24;
    struct tx_desc d = { .addr = le64_get(w->addr), .rs = cmd & TXC_RS, .ide = cmd & TXC_IDE, .sts = hi };

    if (!(cmd & TXC_DEXT)) {
        d.kind = TX_LEGACY;
        d.len = lo & 0xFFFF;
        d.cso = lo >> 16;
        d.css = hi >> 8;
        d.ic = cmd & TXC_IC;
    } else {
        unsigned dtyp = bits_get(lo, 20, 4);

        d.kind = dtyp == 0 ? TX_CONTEXT : dtyp == 1 ? TX_DATA : TX_UNKNOWN;
        d.len = lo & 0xFFFFF;
        d.tse = cmd & TXC_TSE;
        d.popts = hi >> 8;
    }
    if (d.kind != TX_CONTEXT) {
        d.eop = cmd & TXC_EOP;
        d.ifcs = cmd & TXC_IFCS;
        d.vle = cmd & TXC_VLE;
        d.special = hi >> 16;
    }
    return d;
}

static inline struct tx_ctx tx_ctx_decode(const struct tx_wire *w)
{
    uint64_t off = le64_get(w->addr);
    uint32_t lo = le32_get(w->cmd_len), hi = le32_get(w->sts_opts);
    uint8_t cmd = lo >> 24;

    return (struct tx_ctx){
        .ipcss = off, .ipcso = off >> 8, .ipcse = off >> 16, .tucss = off >> 32, .tucso = off >> 40, .tucse = off >> 48,
        .paylen = lo & 0xFFFFF, .hdr_len = hi >> 8, .mss = hi >> 16,
        .tcp = cmd & TXC_TCP, .ip4 = cmd & TXC_IP, .tse = cmd & TXC_TSE,
    };
}

#endif
