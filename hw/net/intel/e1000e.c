/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/net/intel/e1000e.c - 82574L: register table and device type
 *
 * "82574 GbE Controller Family Datasheet", chapter 10; the third column of comments is the section. Masks are those that
 * Linux's register self-test (ethtool -t) expects, too.
 */
#include "core.h"
#include "rows.h"

#include "hw/net/nics.h"

#define QUEUES .count = 2, .stride = Q_STRIDE
static const struct reg regs_82574[] = {
    { "CTRL",     R_CTRL,     .rw = 0xFBFFFFFF, .reset = CTRL_FD | CTRL_SLU | CTRL_SPEED_1000 | 1u << 20,
                              .after = ctrl_written },                                              /* 10.2.2.1 */
    { "CTRL_DUP", R_CTRL_DUP, .rw = 0xFBFFFFFF, .flags = REG_ALIAS, .store = R_CTRL, .after = ctrl_written },
    { "STATUS",   R_STATUS,   .rw = STATUS_PHYRA, .reset = STATUS_PHYRA, .read = status_read },     /* 10.2.2.2 */
    { "EEC",      R_EECD,     .rw = 0x77, .read = eecd_read, .after = eecd_written },               /* 10.2.2.3 */
    { "EERD",     R_EERD,     .rw = ~0u, .reset = EERW_DONE, .after = eerd_pcie_written },          /* 10.2.2.4 */
    { "CTRL_EXT", R_CTRL_EXT, .rw = 0xFFFFDFFF, .after = ctrl_ext_written },                        /* 10.2.2.5 */
    { "FLA",      R_FLA,      .rw = 0x0000002F },                                                   /* 10.2.2.6 */
    { "MDIC",     R_MDIC,     .rw = 0x2FFFFFFF, .reset = MDIC_READY, .hw = MDIC_ERROR,
                              .after = mdic_written },                                              /* 10.2.2.7 */
    { "FCAL",     R_FCAL,     .rw = 0xFFFFFFFF, .reset = 0x00C28001 },                              /* 10.2.2.8 */
    { "FCAH",     R_FCAH,     .rw = 0x0000FFFF, .reset = 0x00000100 },                              /* 10.2.2.9 */
    { "FCT",      R_FCT,      .rw = 0x0000FFFF, .reset = 0x00008808 },                              /* 10.2.2.10 */
    { "VET",      R_VET,      .rw = 0x0000FFFF, .reset = 0x00008100 },                              /* 10.2.2.11 */
    { "FCTTV",    R_FCTTV,    .rw = 0x0000FFFF },                                                   /* 10.2.2.12 */
    { "FCRTV",    0x5F40,     .rw = 0x0000FFFF },                                                   /* 10.2.2.13 */
    { "TXCW",     R_TXCW,     .rw = 0xC000FFFF },
    { "LEDCTL",   R_LEDCTL,   .rw = 0xCFCFCFCF, .reset = 0x07068302 },                              /* 10.2.2.14 */
    { "EXTCNF_CTRL", R_EXTCNF_CTRL, .rw = 0x0FFF0029, .reset = 0x00000008 },                        /* 10.2.2.15 */
    { "EXTCNF_SIZE", 0x0F08,  .rw = 0x00FFFFFF, .reset = 0x00000001 },
    { "POEMB",    0x0F10,     .rw = 0x000000FF },
    { "PBA",      R_PBA,      .rw = 0x0000FFFF, .reset = 0x00140014 },                              /* 10.2.2.17 */
    { "EEMNGCTL", R_EEMNGCTL, .reset = 0x80040000 },                                                /* 10.2.2.18 */
    { "EEARBC",   0x1024,     .rw = 0x1 },
    { "FLASHT",   0x1028,     .rw = 0x000000FF, .reset = 0x2 },
    { "EEWR",     R_EEWR,     .rw = ~0u, .reset = EERW_DONE, .after = eewr_written },               /* 10.2.2.16 */
    { "FLOP",     0x103C,     .rw = 0x0000FFFF },

    { "GCR",      R_GCR,      .rw = 0xFFFFFFFF },                                                   /* 10.2.3.1 */
    { "GSCL_1",   0x5B10,     .rw = 0xC0003FFF },
    { "GSCL_2",   0x5B14,     .rw = 0xFFFFFFFF },
    { "GSCL_3",   0x5B18,     .rw = 0x0FFF0FFF },
    { "GSCL_4",   0x5B1C,     .rw = 0x0FFF0FFF },
    { "FACTPS",   0x5B30,     .rw = 0x80000000 },
    { "GIOANACTL", 0x5B34,    .rw = 0x0000FFFF, .count = 4 },
    { "GCR2",     0x5B64,     .rw = 0x00000001 },
    { "PBACLR",   0x5B68,     .rw = 0x0000001F },
    { "SWSM",     R_SWSM,     .rw = 0x0000000F, .read = swsm_read },                                /* 10.2.8 */
    { "FWSM",     R_FWSM,     },
    { "SWSM2",    0x5B58,     .rw = 0x00000002 },
    { "SW_FW_SYNC", 0x5B5C,   .rw = 0xFFFFFFFF },

    { "ICR",      R_ICR,      .w1c = ~0u, .read = icr_read, .after = icr_written },                 /* 10.2.4.1 */
    { "ITR",      R_ITR,      .rw = 0x0000FFFF },                                                   /* 10.2.4.2 */
    { "ICS",      R_ICS,      .flags = REG_WO | REG_ALIAS, .store = R_ICR, .w1s = ICR_ALL_82574,
                              .after = ics_written },                                               /* 10.2.4.3 */
    { "IMS",      R_IMS,      .w1s = ICR_ALL_82574, .after = ims_written },                         /* 10.2.4.4 */
    { "IMC",      R_IMC,      .flags = REG_WO | REG_ALIAS, .store = R_IMS, .w1c = ~0u,
                              .after = imc_written },                                               /* 10.2.4.5 */
    { "EIAC",     R_EIAC,     .rw = ICR_QUEUES },                                                   /* 10.2.4.7 */
    { "IAM",      R_IAM,      .rw = ICR_ALL_82574 },                                                /* 10.2.4.8 */
    { "IVAR",     R_IVAR,     .rw = 0x800FFFFF },                                                   /* 10.2.4.9 */
    { "EITR",     R_EITR,     .rw = 0x0000FFFF, .count = INTEL_VECTORS_MAX },                       /* 10.2.4.10 */

    { "RCTL",     R_RCTL,     .rw = 0x7EDFBFFE, .after = rctl_written },                            /* 10.2.5.1 */
    { "PSRCTL",   R_PSRCTL,   .rw = 0x3F3F3F7F, .reset = 0x00040402 },                              /* 10.2.5.2 */
    { "FCRTL",    R_FCRTL,    .rw = 0x8000FFF8 },                                                   /* 10.2.5.3 */
    { "FCRTH",    R_FCRTH,    .rw = 0x0000FFF8 },                                                   /* 10.2.5.4 */
    RING_REGS("RD", R_RDBAL, rx_ring_written, rx_tail_written, QUEUES),                             /* 10.2.5.5-9 */
    { "RDTR",     R_RDTR,     .rw = 0x0000FFFF, .after = rdtr_written },                            /* 10.2.5.10 */
    { "RXDCTL",   R_RXDCTL,   .rw = 0x013F3F3F, .reset = 0x00010000, QUEUES },                      /* 10.2.5.11 */
    { "RADV",     R_RADV,     .rw = 0x0000FFFF },                                                   /* 10.2.5.12 */
    { "RSRPD",    R_RSRPD,    .rw = 0x00000FFF },                                                   /* 10.2.5.13 */
    { "RAID",     R_RAID,     .rw = 0x0000FFFF },                                                   /* 10.2.5.14 */
    { "CPUVEC",   0x2C10,     .rw = 0x001F001F },                                                   /* 10.2.5.15 */
    { "RXCSUM",   R_RXCSUM,   .rw = 0x000033FF },                                                   /* 10.2.5.19 */
    { "RFCTL",    R_RFCTL,    .rw = 0x0003FFFF, .after = rctl_written },                            /* 10.2.5.20 */
    { "MTA",      R_MTA,      .rw = ~0u, .count = 128 },                                            /* 10.2.5.16 */
    { "RAL",      R_RAL,      .rw = ~0u, .count = 16, .stride = 8, .after = ra_written },           /* 10.2.5.17 */
    { "RAH",      R_RAH,      .rw = 0x8003FFFF, .count = 16, .stride = 8, .after = ra_written },
    { "VFTA",     R_VFTA,     .rw = ~0u, .count = 128 },                                            /* 10.2.5.18 */
    { "MRQC",     R_MRQC,     .rw = 0x001F0003 },                                                   /* 10.2.5.22 */
    { "RSSIM",    0x5864,     .rw = 0xFFFFFFFF },                                                   /* 10.2.5.23 */
    { "RSSIR",    0x5868,     .rw = 0x00000001 },
    { "RETA",     R_RETA,     .rw = ~0u, .count = 32 },                                             /* 10.2.5.25 */
    { "RSSRK",    R_RSSRK,    .rw = ~0u, .count = 10 },                                             /* 10.2.5.26 */

    { "TCTL",     R_TCTL,     .rw = 0x7FFFFFFA, .after = tctl_written },                            /* 10.2.6.1 */
    { "TIPG",     R_TIPG,     .rw = 0x3FFFFFFF, .reset = 0x00602008 },                              /* 10.2.6.2 */
    { "AIT",      R_AIT,      .rw = 0x0000FFFF },                                                   /* 10.2.6.3 */
    RING_REGS("TD", R_TDBAL, tx_ring_written, tx_tail_written, QUEUES),                             /* 10.2.6.4-8 */
    { "TIDV",     R_TIDV,     .rw = 0x0000FFFF },                                                   /* 10.2.6.12 */
    { "TXDCTL",   R_TXDCTL,   .rw = 0xFF7F3F3F, QUEUES },                                           /* 10.2.6.9 */
    { "TADV",     R_TADV,     .rw = 0x0000FFFF },                                                   /* 10.2.6.13 */
    { "TARC",     R_TARC,     .rw = 0x7FFFFFFF, .reset = 0x00000403, QUEUES, .after = tctl_written },   /* 10.2.6.14 */

    { "WUC",      R_WUC,      .rw = 0x0000001D, .w1c = 0x2 },                                       /* 10.2.9 */
    { "WUFC",     R_WUFC,     .rw = 0x000F80FF },
    { "WUS",      R_WUS,      .w1c = ~0u },
    { "IPAV",     0x5838,     .rw = 0x0001000F },
    { "IP4AT",    0x5840,     .rw = ~0u, .count = 4, .stride = 8 },
    { "IP6AT",    0x5880,     .rw = ~0u, .count = 4 },
    { "WUPL",     0x5900      },
    { "WUPM",     0x5A00,     .count = 32 },
    { "FFLT",     0x5F00,     .rw = 0x7FF, .count = 4, .stride = 8 },
    { "FFMT",     0x9000,     .rw = 0xF, .count = 128, .stride = 8 },
    { "FFVT",     0x9800,     .rw = ~0u, .count = 128, .stride = 8 },
    { "FTFT",     0x9400,     .rw = ~0u, .count = 256 },
    { "MANC",     R_MANC,     .rw = 0x00FFFFFF },
    { "MFVAL",    0x5824,     .rw = ~0u }, { "MFUTP01", 0x5828, .rw = ~0u }, { "MFUTP23", 0x5830, .rw = ~0u },
    { "MANC2H",   0x5860,     .rw = 0x000000FF },
    { "MDEF",     0x5890,     .rw = ~0u, .count = 8 },

    { "SYSTIML",  R_SYSTIML,  .rw = ~0u, .read = systim_read, .after = systim_written },            /* 10.2.10 */
    { "SYSTIMH",  R_SYSTIMH,  .rw = ~0u, .read = systim_read, .after = systim_written },
    { "TIMINCA",  R_TIMINCA,  .rw = ~0u, .after = systim_written },
    { "TIMADJL",  R_TIMADJL,  .rw = ~0u },
    { "TIMADJH",  R_TIMADJH,  .rw = ~0u, .after = systim_written },
    { "TSYNCTXCTL", R_TSYNCTXCTL, .rw = TSYNC_EN, .hw = TSYNC_VALID },
    { "TXSTMPL",  R_TXSTMPL,  .hw = ~0u }, { "TXSTMPH", R_TXSTMPH, .hw = ~0u, .read = stamp_high_read },
    { "TSYNCRXCTL", R_TSYNCRXCTL, .rw = 0x1E, .hw = TSYNC_VALID },
    { "RXSTMPL",  R_RXSTMPL,  .hw = ~0u }, { "RXSTMPH", R_RXSTMPH, .hw = ~0u, .read = stamp_high_read },
    { "RXSATRL",  R_RXSATRL,  .hw = ~0u }, { "RXSATRH", R_RXSATRH, .hw = ~0u },
    { "RXCFGL",   R_RXCFGL,   .rw = ~0u, .reset = 0x000088F7 },
    { "RXUDP",    R_RXUDP,    .rw = 0x0000FFFF, .reset = 0x00003F01 },

    { "RDFH",     0x2410,     .rw = 0x1FFF }, { "RDFT",  0x2418, .rw = 0x1FFF },                    /* 10.2.11 */
    { "RDFHS",    0x2420,     .rw = 0x1FFF }, { "RDFTS", 0x2428, .rw = 0x1FFF }, { "RDFPC", 0x2430, .rw = 0x1FFF },
    { "TDFH",     0x3410,     .rw = 0x1FFF }, { "TDFT",  0x3418, .rw = 0x1FFF },
    { "TDFHS",    0x3420,     .rw = 0x1FFF }, { "TDFTS", 0x3428, .rw = 0x1FFF }, { "TDFPC", 0x3430, .rw = 0x1FFF },
    { "PBM",      0x10000,    .rw = ~0u, .count = 10240, .flags = REG_KEEP },

    STATS_REGS,                                                                                     /* 10.2.7 */
    STAT("IAC", S_IAC), STAT("ICRXPTC", 0x4104),
    STAT("ICRXATC", 0x4108), STAT("ICTXPTC", 0x410C), STAT("ICTXATC", 0x4110), STAT("ICTXQEC", 0x4118),
    STAT("ICTXQMTC", 0x411C), STAT("ICRXDMTC", 0x4120), STAT("ICRXOC", 0x4124),
};

static const struct intel_model model_82574l = {
    .name = "e1000e", .regs = regs_82574, .nregs = ARRAY_LEN(regs_82574), .mmio_size = 128 * 1024, .io_size = 32,
    .phy = &phy_bm, .phy_pages = phy_bm_pages, .nphy_pages = PHY_BM_PAGED, .eeprom = EEPROM_93C46,
    .features = INTEL_PCIE | INTEL_RXEXT | INTEL_MSIX | INTEL_TSYNC,
    .rx_queues = 2, .tx_queues = 2, .vectors = 5, .device_id = 0x10D3,
};

static bool e1000e_realize(struct device *d, Error **errp)
{
    struct intel_nic *s = (struct intel_nic *)d;

    st_le16(s->pci.config + PCI_SUBSYSTEM_VENDOR_ID, s->subsys_ven);
    st_le16(s->pci.config + PCI_SUBSYSTEM_ID, s->subsys);
    return intel_realize(s, &model_82574l, errp);
}

static void e1000e_unrealize(struct device *d)
{
    intel_unrealize((struct intel_nic *)d);
}

static void e1000e_reset(struct device *d)
{
    intel_reset((struct intel_nic *)d);
}

#define COMPAT(name, n, dflt) { name, &prop_bool, offsetof(struct intel_nic, compat[n]), dflt, "on/off" }
static const struct property e1000e_props[] = {
    NIC_PROPS(struct intel_nic, conf),
    COMPAT("disable_vnet_hdr", 0, "off"),
    { "subsys_ven", &prop_uint16, offsetof(struct intel_nic, subsys_ven), "32902", "PCI device Subsystem Vendor ID" },
    { "subsys", &prop_uint16, offsetof(struct intel_nic, subsys), "0", "PCI device Subsystem ID" },
    COMPAT("init-vet", 1, "on"), COMPAT("migrate-timadj", 2, "on"),
    { NULL },
};

static const struct pci_class_info class_82574l = {
    .vendor = 0x8086, .device = 0x10D3, .subvendor = 0x8086, .class = PCI_CLASS_ETHERNET, .pin = 1,
    .config_written = intel_config_written, .msi_changed = intel_msi_changed,
};

static const struct device_type e1000e_type = {
    .name = "e1000e", .desc = "Intel 82574L GbE Controller", .bus = "PCI", .parent = &pci_device_type,
    .size = sizeof(struct intel_nic), .props = e1000e_props, .category = DEVICE_CAT_NETWORK, .user_creatable = true,
    .hotpluggable = true, .cls = &class_82574l, .realize = e1000e_realize, .unrealize = e1000e_unrealize,
    .reset = e1000e_reset, .describe = intel_describe, .vmsd = &vmstate_intel,
};

void e1000e_register_types(void)
{
    device_type_register(&e1000e_type);
}

const struct reg *e1000e_regs(unsigned *n)
{
    *n = ARRAY_LEN(regs_82574);
    return regs_82574;
}
