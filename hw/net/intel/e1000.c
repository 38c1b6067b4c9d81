/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/net/intel/e1000.c - 82540EM, 82544GC, 82545EM: register table and device types
 *
 * "PCI/PCI-X Family of Gigabit Ethernet Controllers Software Developer's Manual" (317453), chapter 13; the third column
 * of comments is the section. Masks are those that Linux's register self-test expects, too.
 */
#include "core.h"
#include "rows.h"

#include "hw/net/nics.h"

static const struct reg regs_8254x[] = {
    { "CTRL",     R_CTRL,     .rw = 0xFBFFFFFF, .reset = CTRL_FD | CTRL_SLU | CTRL_SPEED_1000,
                              .after = ctrl_written },                                              /* 13.4.1 */
    { "CTRL_DUP", R_CTRL_DUP, .rw = 0xFBFFFFFF, .flags = REG_ALIAS, .store = R_CTRL, .after = ctrl_written },
    { "STATUS",   R_STATUS,   .reset = STATUS_MTXCKOK, .read = status_read },                     /* 13.4.2 */
    { "EECD",     R_EECD,     .rw = 0x77, .reset = 0x10, .read = eecd_read, .after = eecd_written },/* 13.4.3 */
    { "EERD",     R_EERD,     .rw = ~0u, .after = eerd_written },                                   /* 13.4.4 */
    { "CTRL_EXT", R_CTRL_EXT, .rw = 0x07FFDFFF, .after = ctrl_ext_written },                        /* 13.4.5 */
    { "MDIC",     R_MDIC,     .rw = 0x2FFFFFFF, .reset = MDIC_READY, .hw = MDIC_ERROR,
                              .after = mdic_written },                                              /* 13.4.6 */
    { "FCAL",     R_FCAL,     .rw = 0xFFFFFFFF, .reset = 0x00C28001 },                              /* 13.4.7 */
    { "FCAH",     R_FCAH,     .rw = 0x0000FFFF, .reset = 0x00000100 },                              /* 13.4.8 */
    { "FCT",      R_FCT,      .rw = 0x0000FFFF, .reset = 0x00008808 },                              /* 13.4.9 */
    { "VET",      R_VET,      .rw = 0x0000FFFF, .reset = 0x00008100 },                              /* 13.4.10 */
    { "FCTTV",    R_FCTTV,    .rw = 0x0000FFFF },                                                   /* 13.4.11 */
    { "TXCW",     R_TXCW,     .rw = 0xC000FFFF },                                                   /* 13.4.12 */
    { "RXCW",     R_RXCW      },                                                                    /* 13.4.13 */
    { "LEDCTL",   R_LEDCTL,   .rw = 0xCFCFCFCF, .reset = 0x07068302 },                              /* 13.4.15 */
    { "PBA",      R_PBA,      .rw = 0x0000FFFF, .reset = 0x00100030 },                              /* 13.4.16 */

    { "ICR",      R_ICR,      .w1c = ~0u, .clear_on_read = ~0u, .after = intr_written },            /* 13.4.17 */
    { "ITR",      R_ITR,      .rw = 0x0000FFFF },                                                   /* 13.4.18 */
    { "ICS",      R_ICS,      .flags = REG_WO | REG_ALIAS, .store = R_ICR, .w1s = ICR_ALL,
                              .after = intr_written },                                              /* 13.4.19 */
    { "IMS",      R_IMS,      .w1s = ICR_ALL, .after = intr_written },                              /* 13.4.20 */
    { "IMC",      R_IMC,      .flags = REG_WO | REG_ALIAS, .store = R_IMS, .w1c = ~0u,
                              .after = intr_written },                                              /* 13.4.21 */

    { "RCTL",     R_RCTL,     .rw = 0x06DFB3FE, .after = rctl_written },                            /* 13.4.22 */
    { "FCRTL",    R_FCRTL,    .rw = 0x8000FFF8 },                                                   /* 13.4.23 */
    { "FCRTH",    R_FCRTH,    .rw = 0x0000FFF8 },                                                   /* 13.4.24 */
    RING_REGS("RD", R_RDBAL, rx_ring_written, rx_tail_written),                                     /* 13.4.25-29 */
    { "RDTR",     R_RDTR,     .rw = 0x0000FFFF, .after = rdtr_written },                            /* 13.4.30 */
    { "RXDCTL",   R_RXDCTL,   .rw = 0x013F3F3F, .reset = 0x01010000 },                              /* 13.4.31 */
    { "RADV",     R_RADV,     .rw = 0x0000FFFF },
    { "RSRPD",    R_RSRPD,    .rw = 0x00000FFF },
    { "RXCSUM",   R_RXCSUM,   .rw = 0x000007FF },                                                   /* 13.4.32 */

    { "TCTL",     R_TCTL,     .rw = 0x037FFFFA, .after = tctl_written },                            /* 13.4.33 */
    { "TIPG",     R_TIPG,     .rw = 0x3FFFFFFF, .reset = 0x00602008 },                              /* 13.4.34 */
    { "AIT",      R_AIT,      .rw = 0x0000FFFF },                                                   /* 13.4.35 */
    RING_REGS("TD", R_TDBAL, tx_ring_written, tx_tail_written),                                     /* 13.4.36-40 */
    { "TIDV",     R_TIDV,     .rw = 0x0000FFFF },                                                   /* 13.4.41 */
    { "TXDMAC",   R_TXDMAC,   .rw = 0x00000001 },                                                   /* 13.4.42 */
    { "TXDCTL",   R_TXDCTL,   .rw = 0xFF3F3F3F },                                                   /* 13.4.43 */
    { "TADV",     R_TADV,     .rw = 0x0000FFFF },                                                   /* 13.4.44 */
    { "TSPMT",    R_TSPMT,    .rw = 0xFFFFFFFF, .reset = 0x01000400 },                              /* 13.4.45 */

    { "MTA",      R_MTA,      .rw = ~0u, .count = 128 },                                            /* 13.5.1 */
    { "RAL",      R_RAL,      .rw = ~0u, .count = 16, .stride = 8, .after = ra_written },           /* 13.5.2 */
    { "RAH",      R_RAH,      .rw = 0x8003FFFF, .count = 16, .stride = 8, .after = ra_written },    /* 13.5.3 */
    { "VFTA",     R_VFTA,     .rw = ~0u, .count = 128 },                                            /* 13.5.4 */

    { "WUC",      R_WUC,      .rw = 0x0000000D, .w1c = 0x2 },                                       /* 13.6.1 */
    { "WUFC",     R_WUFC,     .rw = 0x000F80FF },                                                   /* 13.6.2 */
    { "WUS",      R_WUS,      .w1c = ~0u },                                                         /* 13.6.3 */
    { "MANC",     R_MANC,     .rw = 0x0007E3FF },
    { "IPAV",     0x5838,     .rw = 0x0001000F },                                                   /* 13.6.4 */
    { "IP4AT",    0x5840,     .rw = ~0u, .count = 4, .stride = 8 },                                 /* 13.6.5 */
    { "IP6AT",    0x5880,     .rw = ~0u, .count = 4 },                                              /* 13.6.6 */
    { "WUPL",     0x5900      },                                                                    /* 13.6.7 */
    { "WUPM",     0x5A00,     .count = 32 },                                                        /* 13.6.8 */
    { "FFLT",     0x5F00,     .rw = 0x7FF, .count = 4, .stride = 8 },                               /* 13.6.9 */
    { "FFMT",     0x9000,     .rw = 0xF, .count = 128, .stride = 8 },                               /* 13.6.10 */
    { "FFVT",     0x9800,     .rw = ~0u, .count = 128, .stride = 8 },                               /* 13.6.11 */

    { "RDFH",     0x2410,     .rw = 0x1FFF }, { "RDFT",  0x2418, .rw = 0x1FFF },                    /* 13.8 */
    { "RDFHS",    0x2420,     .rw = 0x1FFF }, { "RDFTS", 0x2428, .rw = 0x1FFF }, { "RDFPC", 0x2430, .rw = 0x1FFF },
    { "TDFH",     0x3410,     .rw = 0x07FF }, { "TDFT",  0x3418, .rw = 0x07FF },
    { "TDFHS",    0x3420,     .rw = 0x07FF }, { "TDFTS", 0x3428, .rw = 0x07FF }, { "TDFPC", 0x3430, .rw = 0x1FFF },
    { "PBM",      0x10000,    .rw = ~0u, .count = 16384, .flags = REG_KEEP },

    STATS_REGS,                                                                                     /* 13.7 */
};

#define MODEL_8254X .regs = regs_8254x, .nregs = ARRAY_LEN(regs_8254x), .mmio_size = 128 * 1024, .io_size = 64,        \
                    .eeprom = EEPROM_93C46, .rx_queues = 1, .tx_queues = 1

static const struct intel_model model_82540em = {
    MODEL_8254X, .name = "e1000", .phy = &phy_m88e1011, .features = INTEL_EERD, .device_id = 0x100E,
};
static const struct intel_model model_82544gc = {
    MODEL_8254X, .name = "e1000-82544gc", .phy = &phy_m88e1000, .device_id = 0x100C,
};
static const struct intel_model model_82545em = {
    MODEL_8254X, .name = "e1000-82545em", .phy = &phy_m88e1011, .features = INTEL_EERD, .device_id = 0x100F,
};

static bool realize_82540em(struct device *d, Error **errp)
{
    return intel_realize((struct intel_nic *)d, &model_82540em, errp);
}

static bool realize_82544gc(struct device *d, Error **errp)
{
    return intel_realize((struct intel_nic *)d, &model_82544gc, errp);
}

static bool realize_82545em(struct device *d, Error **errp)
{
    return intel_realize((struct intel_nic *)d, &model_82545em, errp);
}

static void e1000_unrealize(struct device *d)
{
    intel_unrealize((struct intel_nic *)d);
}

static void e1000_reset(struct device *d)
{
    intel_reset((struct intel_nic *)d);
}

#define COMPAT(name, n) { name, &prop_bool, offsetof(struct intel_nic, compat[n]), "on", "on/off" }
static const struct property e1000_props[] = {
    NIC_PROPS(struct intel_nic, conf),
    COMPAT("init-vet", 0), COMPAT("migrate_tso_props", 1), COMPAT("extra_mac_registers", 2),
    COMPAT("autonegotiation", 3), COMPAT("mitigation", 4),
    { NULL },
};

#define CLASS_8254X(id) {                                                                                              \
    .vendor = 0x8086, .device = id, .class = PCI_CLASS_ETHERNET, .revision = 3, .pin = 1,                              \
    .config_written = intel_config_written,                                                                            \
}
static const struct pci_class_info class_82540em = CLASS_8254X(0x100E);
static const struct pci_class_info class_82544gc = CLASS_8254X(0x100C);
static const struct pci_class_info class_82545em = CLASS_8254X(0x100F);

#define TYPE_8254X .desc = "Intel Gigabit Ethernet", .bus = "PCI", .parent = &pci_device_type,                         \
    .size = sizeof(struct intel_nic), .props = e1000_props, .category = DEVICE_CAT_NETWORK, .user_creatable = true,    \
    .hotpluggable = true, .unrealize = e1000_unrealize, .reset = e1000_reset, .describe = intel_describe,             \
    .vmsd = &vmstate_intel

static const struct device_type e1000_types[] = {
    { TYPE_8254X, .name = "e1000", .alias = "e1000-82540em", .realize = realize_82540em, .cls = &class_82540em },
    { TYPE_8254X, .name = "e1000-82544gc", .realize = realize_82544gc, .cls = &class_82544gc },
    { TYPE_8254X, .name = "e1000-82545em", .realize = realize_82545em, .cls = &class_82545em },
};

void e1000_register_types(void)
{
    for (unsigned i = 0; i < ARRAY_LEN(e1000_types); i++) {
        device_type_register(&e1000_types[i]);
    }
}

const struct reg *e1000_regs(unsigned *n)
{
    *n = ARRAY_LEN(regs_8254x);
    return regs_8254x;
}
