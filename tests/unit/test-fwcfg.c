/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/unit/test-fwcfg.c - configuration channel: items, directory, DMA with hostile requests */
#include "hw/i386/fw_cfg.h"
#include "lib/bits.h"
#include "lib/bytes.h"
#include "tests/lib/isa_rig.h"
#include <string.h>

static struct isa_rig rig;
static struct fw_cfg *fw;
static struct ram_block *ram;
static struct region ram_region;

enum { REQ = 0x1000, BUF = 0x4000, RAM = 8 << 20 };
enum { ERROR = 1, READ = 2, SKIP = 4, SELECT = 8, WRITE = 16 };

static void setup(void)
{
    isa_rig_init(&rig);
    ram = ram_new("ram", RAM, NULL);
    region_init_ram(&ram_region, "ram", ram, false);
    region_add(&rig.mem, 0, &ram_region, 0);
    fw = (struct fw_cfg *)device_new(&fw_cfg_type, NULL);
    fw->io = &rig.io;
    fw->dma_as = &rig.mem_as;
    isa_rig_realize(&rig, &fw->dev, false);
}

static void teardown(void)
{
    device_free_all();
    region_fini(&ram_region);
    isa_rig_fini(&rig);
    ram_free(ram);
}

static void read_item(uint16_t key, void *buf, unsigned len)
{
    isa_rig_out(&rig, 0x510, key, 2);
    for (unsigned i = 0; i < len; i++) {
        ((uint8_t *)buf)[i] = in8(&rig, 0x511);
    }
}

static uint32_t request(uint32_t control, uint32_t len, uint64_t addr)
{
    uint8_t *r = ram->host + REQ;

    st_be32(r, control);
    st_be32(r + 4, len);
    st_be64(r + 8, addr);
    isa_rig_out(&rig, 0x514, 0, 4);
    isa_rig_out(&rig, 0x518, GUINT32_SWAP_LE_BE((uint32_t)REQ), 4);
    return ld_be32(r);
}

static void test_items(void)
{
    uint8_t b[12];

    setup();
    read_item(FW_CFG_SIGNATURE, b, 6);
    g_assert_cmpmem(b, 6, "QEMU\0\0", 6);       /* zeroes past the end */
    read_item(FW_CFG_ID, b, 4);
    g_assert_cmphex(ld_le32(b), ==, 3);
    fw_cfg_set_u64(fw, FW_CFG_RAM_SIZE, 0x123456789ull);
    read_item(FW_CFG_RAM_SIZE, b, 8);
    g_assert_cmphex(ld_le64(b), ==, 0x123456789ull);
    read_item(0x7FFF, b, 4);                    /* no such item */
    g_assert_cmphex(ld_le32(b), ==, 0);
    g_assert_cmphex(isa_rig_in(&rig, 0x514, 4), ==, 0x554D4551);
    g_assert_cmphex(isa_rig_in(&rig, 0x518, 4), ==, 0x47464320);
    teardown();
}

static void test_directory(void)
{
    static const char *const names[] = { "opt/b", "bootorder", "etc/e820", "opt/a" };
    static const char *const sorted[] = { "bootorder", "etc/e820", "opt/a", "opt/b" };
    g_autofree char *longname = g_strnfill(56, 'x');
    uint8_t dir[4 + 4 * 64], b[8];
    Error *err = NULL;

    setup();
    for (unsigned i = 0; i < 4; i++) {
        g_assert_true(fw_cfg_set_file(fw, names[i], names[i], strlen(names[i]), NULL));
    }
    g_assert_true(fw_cfg_set_file(fw, "opt/a", "new", 3, NULL));
    read_item(FW_CFG_FILE_DIR, dir, sizeof(dir));
    g_assert_cmpuint(ld_be32(dir), ==, 4);
    for (unsigned i = 0; i < 4; i++) {
        const uint8_t *e = dir + 4 + 64 * i;

        g_assert_cmpstr((const char *)e + 8, ==, sorted[i]);
        g_assert_cmphex(ld_be16(e + 4), ==, FW_CFG_FILE_FIRST + i);
        g_assert_cmpuint(ld_be32(e), ==, i == 2 ? 3 : strlen(sorted[i]));
    }
    read_item(FW_CFG_FILE_FIRST + 2, b, 4);
    g_assert_cmpmem(b, 4, "new\0", 4);
    g_assert_false(fw_cfg_set_file(fw, longname, "", 0, &err));
    g_assert_nonnull(strstr(error_text(err), longname));
    error_free(err);
    for (unsigned i = 0; i < FW_CFG_FILES_MAX - 4; i++) {
        g_autofree char *n = g_strdup_printf("f%u", i);

        g_assert_true(fw_cfg_set_file(fw, n, n, 1, NULL));
    }
    g_assert_false(fw_cfg_set_file(fw, "one-more", "", 0, NULL));
    teardown();
}

static void test_dma(void)
{
    setup();
    memset(ram->host + BUF, 0xEE, 16);
    g_assert_cmphex(request((uint32_t)FW_CFG_SIGNATURE << 16 | SELECT | READ, 6, BUF), ==, 0);
    g_assert_cmpmem(ram->host + BUF, 7, "QEMU\0\0\xEE", 7);
    g_assert_cmphex(request(SELECT | (uint32_t)FW_CFG_SIGNATURE << 16 | SKIP, 2, 0), ==, 0);
    g_assert_cmphex(request(READ, 2, BUF), ==, 0);
    g_assert_cmpmem(ram->host + BUF, 2, "MU", 2);
    teardown();
}

static void test_dma_hostile(void)
{
    static const struct { uint32_t control, len; uint64_t addr; } rows[] = {
        { SELECT | READ, 16, 0xFFFFFFFFFFFFFFF0ull }, { SELECT | READ, 16, RAM - 2 },
        { SELECT | READ, 0xFFFFFFFF, BUF },
        { WRITE, 4, BUF }, { SELECT | READ, 4, 1ull << 40 },
    };

    setup();
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_assert_cmphex(request(rows[i].control, rows[i].len, rows[i].addr), ==, ERROR);
        g_assert_cmpuint(fw->dma_errors, ==, i + 1);
    }
    isa_rig_out(&rig, 0x514, 0xFFFFFFFF, 4);    /* the request itself out of RAM */
    isa_rig_out(&rig, 0x518, 0xFFFFFFFF, 4);
    g_assert_cmpuint(fw->dma_errors, ==, G_N_ELEMENTS(rows) + 1);
    teardown();
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    isa_rig_once();
    g_test_add_func("/fw-cfg/items", test_items);
    g_test_add_func("/fw-cfg/directory", test_directory);
    g_test_add_func("/fw-cfg/dma", test_dma);
    g_test_add_func("/fw-cfg/dma-hostile", test_dma_hostile);
    return g_test_run();
}
