/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/i386/fw_cfg.c - configuration channel, as Linux' qemu_fw_cfg driver and PC firmware use it
 *
 *   0x510 (16 bits, w) selector         0x511 (8 bits, r) next byte of the item; zeroes past its end
 *   0x514 (64 bits, big-endian, w) address of a DMA request; the write of the low half starts it
 *   0x514 (r) "QEMU CFG"                all numbers in items little-endian, in directory and DMA requests big-endian
 *
 * DMA request: control (15:0 bit 0 error, 1 read, 2 skip, 3 select, 4 write; 31:16 item), length, address. The
 * device clears control when done, or leaves only the error bit. Nothing is writable, so a write fails. Zeroes
 * past the end of an item are delivered up to ZERO_MAX bytes a request.
 */
#include "hw/i386/fw_cfg.h"
#include "lib/bits.h"
#include "lib/bytes.h"
#include <string.h>

enum { PORT_BASE = 0x510, PORT_DMA = 0x514 };
enum { ID_TRADITIONAL = 1 << 0, ID_DMA = 1 << 1 };
enum { DMA_ERROR = 1 << 0, DMA_READ = 1 << 1, DMA_SKIP = 1 << 2, DMA_SELECT = 1 << 3, DMA_WRITE = 1 << 4 };
#define ZERO_MAX (1 * MiB)

struct dma_request_wire { be32 control; be32 length; be32 addr_high; be32 addr_low; };
static_assert(sizeof(struct dma_request_wire) == 16, "guest-visible layout");

struct dir_entry_wire { be32 size; be16 select; be16 reserved; char name[FW_CFG_NAME_MAX]; };
static_assert(sizeof(struct dir_entry_wire) == 64, "guest-visible layout");

/* ---- items ---- */

void fw_cfg_set(struct fw_cfg *s, uint16_t key, const void *data, uint32_t len)
{
    if (key < FW_CFG_ITEMS) {
        g_free(s->item[key].data);
        s->item[key].data = g_memdup2(data, len);
        s->item[key].len = len;
    }
}

void fw_cfg_set_u16(struct fw_cfg *s, uint16_t key, uint16_t v)
{
    le16 w = le16_of(v);

    fw_cfg_set(s, key, &w, sizeof(w));
}

void fw_cfg_set_u32(struct fw_cfg *s, uint16_t key, uint32_t v)
{
    le32 w = le32_of(v);

    fw_cfg_set(s, key, &w, sizeof(w));
}

void fw_cfg_set_u64(struct fw_cfg *s, uint16_t key, uint64_t v)
{
    le64 w = le64_of(v);

    fw_cfg_set(s, key, &w, sizeof(w));
}

static void make_directory(struct fw_cfg *s)
{
    g_autoptr(GByteArray) dir = g_byte_array_new();
    be32 count = be32_of(s->nfiles);

    g_byte_array_append(dir, (const uint8_t *)&count, sizeof(count));
    for (unsigned i = 0; i < s->nfiles; i++) {
        const struct fw_cfg_item *f = &s->item[FW_CFG_FILE_FIRST + i];
        struct dir_entry_wire e = { .size = be32_of(f->len), .select = be16_of(FW_CFG_FILE_FIRST + i) };

        g_strlcpy(e.name, f->name, sizeof(e.name));
        g_byte_array_append(dir, (const uint8_t *)&e, sizeof(e));
    }
    fw_cfg_set(s, FW_CFG_FILE_DIR, dir->data, dir->len);
}

/* Files are kept in order of name, so that their numbers depend on what there is and not on who came first. */
bool fw_cfg_set_file(struct fw_cfg *s, const char *name, const void *data, uint32_t len, Error **errp)
{
    struct fw_cfg_item *files = &s->item[FW_CFG_FILE_FIRST];
    unsigned i = 0;

    if (strlen(name) >= FW_CFG_NAME_MAX) {
        error_setg(errp, "fw_cfg: file name '%s' is longer than %d characters", name, FW_CFG_NAME_MAX - 1);
        return false;
    }
    while (i < s->nfiles && strcmp(files[i].name, name) < 0) {
        i++;
    }
    if (i == s->nfiles || strcmp(files[i].name, name)) {
        if (s->nfiles == FW_CFG_FILES_MAX) {
            error_setg(errp, "fw_cfg: no room for file '%s', there are %d", name, FW_CFG_FILES_MAX);
            return false;
        }
        memmove(&files[i + 1], &files[i], (s->nfiles - i) * sizeof(files[0]));
        files[i] = (struct fw_cfg_item){ .name = g_strdup(name) };
        s->nfiles++;
    }
    fw_cfg_set(s, FW_CFG_FILE_FIRST + i, data, len);
    make_directory(s);
    return true;
}

/* ---- reading ---- */

static void select_item(struct fw_cfg *s, uint16_t key)
{
    s->sel = key;
    s->pos = 0;
}

/* Bytes left of the selected item; 0 for an item that does not exist */
static uint32_t left(const struct fw_cfg *s)
{
    uint32_t len = s->sel < FW_CFG_ITEMS ? s->item[s->sel].len : 0;

    return len - MIN(s->pos, len);
}

static uint64_t ports_read(void *opaque, uint64_t off, unsigned size)
{
    struct fw_cfg *s = opaque;
    uint8_t v = 0;

    if (off == 1 && size == 1 && left(s)) {
        v = s->item[s->sel].data[s->pos++];
    }
    return v;
}

static void ports_write(void *opaque, uint64_t off, uint64_t val, unsigned size)
{
    if (off == 0 && size == 2) {
        select_item(opaque, val);
    }
}

static const struct region_ops ports_ops = { ports_read, ports_write, 1, 2 };

/* ---- DMA ---- */

/* @len bytes of the item, then zeroes; false: not RAM, or too many zeroes asked for */
static bool dma_transfer(struct fw_cfg *s, uint64_t addr, uint32_t len)
{
    static const uint8_t zeroes[4096];
    uint32_t n = MIN(left(s), len), pad = len - n;

    if (pad > ZERO_MAX || (n && !dma_write(&s->dma, addr, s->item[s->sel].data + s->pos, n))) {
        return false;
    }
    s->pos += n;
    for (addr += n; pad; addr += n, pad -= n) {
        n = MIN(pad, sizeof(zeroes));
        if (!dma_write(&s->dma, addr, zeroes, n)) {
            return false;
        }
    }
    return true;
}

static void dma_run(struct fw_cfg *s, uint64_t at)
{
    struct dma_request_wire w;
    uint32_t control, len;
    be32 result;
    bool ok = true;

    if (!dma_read(&s->dma, at, &w, sizeof(w))) {
        s->dma_errors++;
        return;
    }
    control = be32_get(w.control);
    len = be32_get(w.length);
    if (control & DMA_SELECT) {
        select_item(s, control >> 16);
    }
    if (control & DMA_READ) {
        ok = dma_transfer(s, (uint64_t)be32_get(w.addr_high) << 32 | be32_get(w.addr_low), len);
    } else if (control & DMA_WRITE) {
        ok = false;
    } else if (control & DMA_SKIP) {
        s->pos += MIN(left(s), len);
    }
    s->dma_errors += !ok;
    result = be32_of(ok ? 0 : DMA_ERROR);
    if (!dma_write(&s->dma, at, &result, sizeof(result))) {
        s->dma_errors++;
    }
}

static uint64_t dma_ports_read(void *opaque, uint64_t off, unsigned size)
{
    return ld_le_n(&"QEMU CFG"[off & 7], MIN(size, 8 - (off & 7)));
}

static void dma_ports_write(void *opaque, uint64_t off, uint64_t val, unsigned size)
{
    struct fw_cfg *s = opaque;

    if (size != 4) {
        return;
    }
    if (off == 0) {
        s->dma_addr = (uint64_t)GUINT32_SWAP_LE_BE((uint32_t)val) << 32;
    } else if (off == 4) {
        uint64_t at = s->dma_addr | GUINT32_SWAP_LE_BE((uint32_t)val);

        s->dma_addr = 0;
        dma_run(s, at);
    }
}

static const struct region_ops dma_ports_ops = { dma_ports_read, dma_ports_write, 1, 4 };

/* ---- device ---- */

static bool fw_cfg_realize(struct device *d, Error **errp)
{
    struct fw_cfg *s = (struct fw_cfg *)d;

    s->dma = (struct dma){ .as = s->dma_as, .enabled = s->dma_as != NULL };
    fw_cfg_set(s, FW_CFG_SIGNATURE, "QEMU", 4);
    fw_cfg_set_u32(s, FW_CFG_ID, ID_TRADITIONAL | (s->dma_as ? ID_DMA : 0));
    make_directory(s);
    region_init_io(&s->ports, "fwcfg", 2, &ports_ops, s);
    region_add(s->io, PORT_BASE, &s->ports, 0);
    if (s->dma_as) {
        region_init_io(&s->dma_ports, "fwcfg.dma", 8, &dma_ports_ops, s);
        region_add(s->io, PORT_DMA, &s->dma_ports, 0);
    }
    return true;
}

static void fw_cfg_unrealize(struct device *d)
{
    struct fw_cfg *s = (struct fw_cfg *)d;

    region_fini(&s->ports);
    region_fini(&s->dma_ports);
    for (unsigned i = 0; i < FW_CFG_ITEMS; i++) {
        g_free(s->item[i].data);
        g_free(s->item[i].name);
        s->item[i] = (struct fw_cfg_item){ 0 };
    }
    s->nfiles = 0;
}

static void fw_cfg_reset(struct device *d)
{
    struct fw_cfg *s = (struct fw_cfg *)d;

    select_item(s, 0);
    s->dma_addr = 0;
}

const struct device_type fw_cfg_type = {
    .name = TYPE_FW_CFG,
    .desc = "Configuration channel",
    .bus = "System",
    .size = sizeof(struct fw_cfg),
    .category = DEVICE_CAT_MISC,
    .realize = fw_cfg_realize,
    .unrealize = fw_cfg_unrealize,
    .reset = fw_cfg_reset,
};
