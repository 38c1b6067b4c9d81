/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/i386/fw_cfg.h - the configuration channel that PC firmware and guest kernels read (ports 0x510-0x51B)
 *
 * Items are numbered blobs; those from FW_CFG_FILE_FIRST on are named files, listed by the directory item. Device
 * "fw_cfg_io" on the system bus. The board adds items; guests read them by port or by a DMA request. Machine lock held.
 */
#ifndef HW_I386_FW_CFG_H
#define HW_I386_FW_CFG_H

#include "core/device.h"
#include "mem/dma.h"
#include "mem/region.h"

#define TYPE_FW_CFG "fw_cfg_io"

enum {                          /* item numbers */
    FW_CFG_SIGNATURE = 0x00, FW_CFG_ID = 0x01, FW_CFG_UUID = 0x02, FW_CFG_RAM_SIZE = 0x03, FW_CFG_NOGRAPHIC = 0x04,
    FW_CFG_NB_CPUS = 0x05, FW_CFG_KERNEL_ADDR = 0x07, FW_CFG_KERNEL_SIZE = 0x08, FW_CFG_INITRD_ADDR = 0x0A,
    FW_CFG_INITRD_SIZE = 0x0B, FW_CFG_BOOT_DEVICE = 0x0C, FW_CFG_NUMA = 0x0D, FW_CFG_BOOT_MENU = 0x0E,
    FW_CFG_MAX_CPUS = 0x0F, FW_CFG_KERNEL_ENTRY = 0x10, FW_CFG_KERNEL_DATA = 0x11, FW_CFG_INITRD_DATA = 0x12,
    FW_CFG_CMDLINE_ADDR = 0x13, FW_CFG_CMDLINE_SIZE = 0x14, FW_CFG_CMDLINE_DATA = 0x15, FW_CFG_SETUP_ADDR = 0x16,
    FW_CFG_SETUP_SIZE = 0x17, FW_CFG_SETUP_DATA = 0x18, FW_CFG_FILE_DIR = 0x19, FW_CFG_FILE_FIRST = 0x20,
};
#define FW_CFG_FILES_MAX 0x60
#define FW_CFG_ITEMS     (FW_CFG_FILE_FIRST + FW_CFG_FILES_MAX)
#define FW_CFG_NAME_MAX  56     /* with the final NUL */

struct fw_cfg_item {
    uint8_t *data;
    uint32_t len;
    char *name;                 /* files only */
};

struct fw_cfg {
    struct device dev;          /* first member */
    struct region *io;          /* port space; set by the board */
    struct addr_space *dma_as;  /* set by the board; NULL: no DMA interface */
    struct region ports, dma_ports;
    struct fw_cfg_item item[FW_CFG_ITEMS];
    unsigned nfiles;
    uint16_t sel;
    uint32_t pos;
    uint64_t dma_addr;          /* high half waits for the low one */
    struct dma dma;
    unsigned long dma_errors;
};

/** fw_cfg_set() - give item @key a copy of @data, replacing what it had */
void fw_cfg_set(struct fw_cfg *s, uint16_t key, const void *data, uint32_t len);
void fw_cfg_set_u16(struct fw_cfg *s, uint16_t key, uint16_t v);
void fw_cfg_set_u32(struct fw_cfg *s, uint16_t key, uint32_t v);
void fw_cfg_set_u64(struct fw_cfg *s, uint16_t key, uint64_t v);
/** fw_cfg_set_file() - add or replace a named file; false: name too long, or no room for another */
bool fw_cfg_set_file(struct fw_cfg *s, const char *name, const void *data, uint32_t len, Error **errp);

extern const struct device_type fw_cfg_type;

#endif
