/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/net/intel/regs.h - register offsets and bits of the gigabit family
 *
 * "PCI/PCI-X Family of Gigabit Ethernet Controllers Software Developer's Manual" (317453), chapter 13; section numbers
 * in comments are of that manual. What only the 82574 has is from the "82574 GbE Controller Family Datasheet", chapter
 * 10, and its section numbers say so.
 */
#ifndef HW_NET_INTEL_REGS_H
#define HW_NET_INTEL_REGS_H

enum {
    R_CTRL = 0x0000, R_CTRL_DUP = 0x0004, R_STATUS = 0x0008, R_EECD = 0x0010, R_EERD = 0x0014, R_CTRL_EXT = 0x0018,
    R_MDIC = 0x0020, R_FCAL = 0x0028, R_FCAH = 0x002C, R_FCT = 0x0030, R_VET = 0x0038,
    R_ICR = 0x00C0, R_ITR = 0x00C4, R_ICS = 0x00C8, R_IMS = 0x00D0, R_IMC = 0x00D8,
    R_RCTL = 0x0100, R_FCTTV = 0x0170, R_TXCW = 0x0178, R_RXCW = 0x0180,
    R_TCTL = 0x0400, R_TIPG = 0x0410, R_AIT = 0x0458, R_LEDCTL = 0x0E00, R_PBA = 0x1000,
    R_FCRTL = 0x2160, R_FCRTH = 0x2168,
    R_RDBAL = 0x2800, R_RDTR = 0x2820, R_RXDCTL = 0x2828, R_RADV = 0x282C, R_RSRPD = 0x2C00,
    R_TXDMAC = 0x3000, R_TDBAL = 0x3800, R_TIDV = 0x3820, R_TXDCTL = 0x3828, R_TADV = 0x382C, R_TSPMT = 0x3830,
    R_RXCSUM = 0x5000, R_MTA = 0x5200, R_RAL = 0x5400, R_RAH = 0x5404, R_VFTA = 0x5600,
    R_WUC = 0x5800, R_WUFC = 0x5808, R_WUS = 0x5810, R_MANC = 0x5820,
};

enum {                                          /* 82574 10.2 */
    R_FLA = 0x001C, R_EIAC = 0x00DC, R_IAM = 0x00E0, R_IVAR = 0x00E4, R_EITR = 0x00E8,
    R_EXTCNF_CTRL = 0x0F00, R_EEMNGCTL = 0x1010, R_EEWR = 0x102C, R_PSRCTL = 0x2170, R_RAID = 0x2C08,
    R_TARC = 0x3840, R_RFCTL = 0x5008, R_MRQC = 0x5818, R_GCR = 0x5B00, R_SWSM = 0x5B50, R_FWSM = 0x5B54,
    R_RETA = 0x5C00, R_RSSRK = 0x5C80,
    R_SYSTIML = 0xB600, R_SYSTIMH = 0xB604, R_TIMINCA = 0xB608, R_TIMADJL = 0xB60C, R_TIMADJH = 0xB610,
    R_TSYNCTXCTL = 0xB614, R_TXSTMPL = 0xB618, R_TXSTMPH = 0xB61C, R_TSYNCRXCTL = 0xB620, R_RXSTMPL = 0xB624,
    R_RXSTMPH = 0xB628, R_RXSATRL = 0xB62C, R_RXSATRH = 0xB630, R_RXCFGL = 0xB634, R_RXUDP = 0xB638,
};

enum { Q_STRIDE = 0x100 };                      /* from a queue's registers to the next one's */

/* A queue's registers, from its xDBAL */
enum { Q_BAL = 0x00, Q_BAH = 0x04, Q_LEN = 0x08, Q_HEAD = 0x10, Q_TAIL = 0x18 };

/* Statistics, 13.7 */
enum {
    S_CRCERRS = 0x4000, S_MPC = 0x4010, S_RLEC = 0x4040, S_XONRXC = 0x4048, S_XOFFRXC = 0x4050, S_FCRUC = 0x4058,
    S_PRC64 = 0x405C, S_GPRC = 0x4074, S_BPRC = 0x4078, S_MPRC = 0x407C, S_GPTC = 0x4080,
    S_GORCL = 0x4088, S_GORCH = 0x408C, S_GOTCL = 0x4090, S_GOTCH = 0x4094, S_RNBC = 0x40A0,
    S_RUC = 0x40A4, S_ROC = 0x40AC, S_TORL = 0x40C0, S_TORH = 0x40C4, S_TOTL = 0x40C8, S_TOTH = 0x40CC,
    S_TPR = 0x40D0, S_TPT = 0x40D4, S_PTC64 = 0x40D8, S_MPTC = 0x40F0, S_BPTC = 0x40F4, S_TSCTC = 0x40F8,
    S_IAC = 0x4100,                             /* 82574 10.2.7 */
};

enum {                                          /* CTRL, 13.4.1 */
    CTRL_FD = 1u << 0, CTRL_GIO_DISABLE = 1u << 2 /* 82574 */, CTRL_SLU = 1u << 6, CTRL_SPEED_1000 = 2u << 8, CTRL_FRCSPD = 1u << 11, CTRL_FRCDPLX = 1u << 12,
    CTRL_RST = 1u << 26, CTRL_RFCE = 1u << 27, CTRL_VME = 1u << 30,
};
#define CTRL_PHY_RST (1u << 31)

enum {                                          /* STATUS, 13.4.2 */
    STATUS_FD = 1u << 0, STATUS_LU = 1u << 1, STATUS_SPEED_SHIFT = 6, STATUS_ASDV_SHIFT = 8, STATUS_MTXCKOK = 1u << 10,
    STATUS_PHYRA = 1u << 10, STATUS_GIO_MASTER = 1u << 19,      /* 82574 10.2.2.2 */
};
enum { SPEED_10 = 0, SPEED_100 = 1, SPEED_1000 = 2 };

enum {                                          /* EECD, 13.4.3 */
    EECD_SK = 1 << 0, EECD_CS = 1 << 1, EECD_DI = 1 << 2, EECD_DO = 1 << 3, EECD_FWE = 3 << 4, EECD_REQ = 1 << 6,
    EECD_GNT = 1 << 7, EECD_PRES = 1 << 8, EECD_SIZE = 1 << 9,
    EECD_AUTO_RD = 1 << 9,                      /* 82574 10.2.2.3: the NVM has been read */
};
enum { EERD_START = 1 << 0, EERD_DONE = 1 << 4, EERD_ADDR_SHIFT = 8, EERD_DATA_SHIFT = 16 };    /* 13.4.4 */
enum {                                          /* 82574 10.2.2.4, 10.2.2.16: EERD, EEWR */
    EERW_START = 1 << 0, EERW_DONE = 1 << 1, EERW_ADDR_SHIFT = 2, EERW_ADDR_BITS = 14, EERW_DATA_SHIFT = 16,
};
enum { CTRL_EXT_EE_RST = 1 << 13 };             /* 13.4.5 */
#define CTRL_EXT_EIAME       (1u << 24)         /* 82574 10.2.2.5 */
#define CTRL_EXT_IAME        (1u << 27)
#define CTRL_EXT_TIMERS_CLR  (1u << 29)
#define CTRL_EXT_PBA_CLR     (1u << 31)
enum {                                          /* MDIC, 13.4.6 */
    MDIC_REG_SHIFT = 16, MDIC_PHY_SHIFT = 21, MDIC_OP_SHIFT = 26, MDIC_OP_WRITE = 1, MDIC_OP_READ = 2,
    MDIC_READY = 1 << 28, MDIC_INT_EN = 1 << 29, MDIC_ERROR = 1 << 30,
};

enum {                                          /* ICR, 13.4.17 */
    ICR_TXDW = 1 << 0, ICR_TXQE = 1 << 1, ICR_LSC = 1 << 2, ICR_RXSEQ = 1 << 3, ICR_RXDMT0 = 1 << 4, ICR_RXO = 1 << 6,
    ICR_RXT0 = 1 << 7, ICR_MDAC = 1 << 9, ICR_RXCFG = 1 << 10, ICR_PHYINT = 1 << 12, ICR_TXD_LOW = 1 << 15,
    ICR_SRPD = 1 << 16,
    ICR_ALL = 0x0001FFFF,                       /* reserved causes can be set too: Linux's self-test does (ICS, IMS) */
    /* 82574 10.2.4.1 */
    ICR_ACK = 1 << 17, ICR_MNG = 1 << 18, ICR_RXQ0 = 1 << 20, ICR_TXQ0 = 1 << 22, ICR_OTHER = 1 << 24,
    ICR_QUEUES = 0x1F << 20, ICR_ALL_82574 = 0x01F7FFFF,
    ICR_OTHERS = ICR_LSC | ICR_RXO | ICR_MDAC | ICR_SRPD | ICR_ACK | ICR_MNG,
};
#define ICR_ASSERTED (1u << 31)
#define IVAR_TX_EVERY_WB (1u << 31)             /* 82574 10.2.4.9 */

enum {                                          /* RCTL, 13.4.22 */
    RCTL_EN = 1 << 1, RCTL_SBP = 1 << 2, RCTL_UPE = 1 << 3, RCTL_MPE = 1 << 4, RCTL_LPE = 1 << 5, RCTL_LBM_SHIFT = 6,
    RCTL_RDMTS_SHIFT = 8, RCTL_DTYP_SHIFT = 10 /* 82574 */, RCTL_MO_SHIFT = 12, RCTL_BAM = 1 << 15, RCTL_BSIZE_SHIFT = 16, RCTL_VFE = 1 << 18,
    RCTL_CFIEN = 1 << 19, RCTL_CFI = 1 << 20, RCTL_DPF = 1 << 22, RCTL_PMCF = 1 << 23, RCTL_BSEX = 1 << 25,
    RCTL_SECRC = 1 << 26, RCTL_FLXBUF_SHIFT = 27 /* 82574 */,
};
enum {                                          /* RFCTL, 82574 10.2.5.20 */
    RFCTL_IPV6_DIS = 1 << 10, RFCTL_IPV6_XSUM_DIS = 1 << 11, RFCTL_ACK_DIS = 1 << 12, RFCTL_IPFRSP_DIS = 1 << 14,
    RFCTL_EXSTEN = 1 << 15, RFCTL_IPV6_EX_DIS = 1 << 16,
};
enum { MRQC_RSS = 1, MRQC_FIELDS_SHIFT = 16 };  /* 82574 10.2.5.22 */
enum { TARC_ENABLE = 1 << 10 };                 /* 82574 10.2.6.14 */
enum { TSYNC_VALID = 1 << 0, TSYNC_TYPE_SHIFT = 1, TSYNC_EN = 1 << 4 };     /* 82574 10.2.10 */
enum { SWSM_SMBI = 1 << 0 };                    /* 82574 10.2.8 */
enum { TCTL_EN = 1 << 1, TCTL_PSP = 1 << 3 };   /* 13.4.33 */
enum { RXCSUM_PCSS = 0xFF, RXCSUM_IPOFL = 1 << 8, RXCSUM_TUOFL = 1 << 9, RXCSUM_IPV6OFL = 1 << 10,  /* 13.4.32 */
       RXCSUM_IPPCSE = 1 << 12, RXCSUM_PCSD = 1 << 13 };    /* 82574 10.2.5.19 */
#define RDTR_FPD (1u << 31)                     /* 13.4.30 */
#define RAH_AV   (1u << 31)                     /* 13.5.3 */

enum { FCS_LEN = 4, RX_LEN_MAX = 16384, RX_LEN_STD = 1522 };     /* with FCS; 13.4.22 LPE */

#endif
