/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/net/intel/rows.h - register rows that stand alike in every model's table (8254x SDM 13.4.25-40, 13.7; 82574 10.2.5-7)
 */
#ifndef HW_NET_INTEL_ROWS_H
#define HW_NET_INTEL_ROWS_H

/* A descriptor ring; behind the hooks: count and stride, where there is more than one queue */
#define RING_REGS(q, base, ring_hook, tail_hook, ...)                                                                  \
    { q "BAL", base + Q_BAL,  .rw = 0xFFFFFFF0, .after = ring_hook, __VA_ARGS__ },                                     \
    { q "BAH", base + Q_BAH,  .rw = 0xFFFFFFFF, .after = ring_hook, __VA_ARGS__ },                                     \
    { q "LEN", base + Q_LEN,  .rw = 0x000FFF80, .after = ring_hook, __VA_ARGS__ },                                     \
    { q "H",   base + Q_HEAD, .rw = 0x0000FFFF, .after = ring_hook, __VA_ARGS__ },                                     \
    { q "T",   base + Q_TAIL, .rw = 0x0000FFFF, .after = tail_hook, __VA_ARGS__ }

#define STAT(name, off)  { name, off, .clear_on_read = ~0u }
/* Low half stays until the high half is read */
#define STAT64(name, off) { name "L", off, .hw = ~0u }, { name "H", (off) + 4, .clear_on_read = ~0u, .read = stats_high_read }

#define STATS_REGS                                                                                                     \
    STAT("CRCERRS", 0x4000), STAT("ALGNERRC", 0x4004), STAT("SYMERRS", 0x4008), STAT("RXERRC", 0x400C),                \
    STAT("MPC", 0x4010), STAT("SCC", 0x4014), STAT("ECOL", 0x4018), STAT("MCC", 0x401C), STAT("LATECOL", 0x4020),      \
    STAT("COLC", 0x4028), STAT("DC", 0x4030), STAT("TNCRS", 0x4034), STAT("SEC", 0x4038), STAT("CEXTERR", 0x403C),     \
    STAT("RLEC", 0x4040), STAT("XONRXC", 0x4048), STAT("XONTXC", 0x404C), STAT("XOFFRXC", 0x4050),                     \
    STAT("XOFFTXC", 0x4054), STAT("FCRUC", 0x4058),                                                                    \
    STAT("PRC64", 0x405C), STAT("PRC127", 0x4060), STAT("PRC255", 0x4064), STAT("PRC511", 0x4068),                     \
    STAT("PRC1023", 0x406C), STAT("PRC1522", 0x4070), STAT("GPRC", 0x4074), STAT("BPRC", 0x4078),                      \
    STAT("MPRC", 0x407C), STAT("GPTC", 0x4080), STAT64("GORC", 0x4088), STAT64("GOTC", 0x4090),                        \
    STAT("RNBC", 0x40A0), STAT("RUC", 0x40A4), STAT("RFC", 0x40A8), STAT("ROC", 0x40AC), STAT("RJC", 0x40B0),          \
    STAT("MGTPRC", 0x40B4), STAT("MGTPDC", 0x40B8), STAT("MGTPTC", 0x40BC), STAT64("TOR", 0x40C0),                     \
    STAT64("TOT", 0x40C8), STAT("TPR", 0x40D0), STAT("TPT", 0x40D4),                                                   \
    STAT("PTC64", 0x40D8), STAT("PTC127", 0x40DC), STAT("PTC255", 0x40E0), STAT("PTC511", 0x40E4),                     \
    STAT("PTC1023", 0x40E8), STAT("PTC1522", 0x40EC), STAT("MPTC", 0x40F0), STAT("BPTC", 0x40F4),                      \
    STAT("TSCTC", 0x40F8), STAT("TSCTFC", 0x40FC)

#endif
