/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/unit/test-nic-parts.c - what NICs share, by itself: register tables, rings, serial EEPROMs, drop counters */
#include "core/loop.h"
#include "hw/net/drops.h"
#include "hw/net/eeprom93.h"
#include "hw/net/regs.h"
#include "hw/net/ring.h"
#include "lib/bits.h"
#include "lib/bytes.h"
#include "mem/ram.h"

#include <string.h>

/* ---- registers ---- */

static unsigned hook_calls;
static struct reg_access hook_last;

static void after(void *opaque, const struct reg_access *a)
{
    hook_calls++;
    hook_last = *a;
}

static uint32_t inverted(void *opaque, const struct reg_access *a)
{
    return ~a->val;
}

static const struct reg rows[] = {
    { "PLAIN",  0x00, .rw = 0x0000FF00, .reset = 0x12345678, .after = after },
    { "CAUSE",  0x04, .w1c = ~0u, .clear_on_read = 0xFFFF, .after = after },
    { "SET",    0x08, .w1s = 0xFF, .flags = REG_ALIAS | REG_WO, .store = 0x04 },
    { "MASK",   0x0C, .w1s = 0xFF },
    { "UNMASK", 0x10, .w1c = ~0u, .flags = REG_ALIAS | REG_WO, .store = 0x0C },
    { "INV",    0x14, .rw = ~0u, .read = inverted },
    { "ARRAY",  0x40, .rw = ~0u, .count = 4, .stride = 16, .reset = 7, .after = after },
    { "MEMORY", 0x80, .rw = ~0u, .count = 2, .flags = REG_KEEP },
};

static void test_regs(void)
{
    struct regfile f;
    g_autoptr(GString) dump = g_string_new(NULL);

    regfile_init(&f, "test", rows, ARRAY_LEN(rows), 0x100, NULL);
    g_assert_cmphex(regfile_read(&f, 0), ==, 0x12345678);
    regfile_write(&f, 0, 0xFFFFFFFF);
    g_assert_cmphex(regfile_read(&f, 3), ==, 0x1234FF78);       /* any byte of it */
    g_assert_cmpuint(hook_calls, ==, 1);
    g_assert_cmphex(hook_last.old, ==, 0x12345678);
    g_assert_cmphex(hook_last.val, ==, 0xFFFFFFFF);

    regfile_write(&f, 0x08, 0x1FF);                             /* through the alias, under its own mask */
    reg_or(&f, 0x04, 0x50000);
    g_assert_cmphex(regfile_read(&f, 0x08), ==, 0);
    regfile_write(&f, 0x04, 0x0F);
    hook_calls = 0;
    g_assert_cmphex(regfile_read(&f, 0x04), ==, 0x500F0);
    g_assert_cmpuint(hook_calls, ==, 1);
    g_assert_true(hook_last.is_read);
    g_assert_cmphex(regfile_read(&f, 0x04), ==, 0x50000);       /* the upper half does not clear */
    g_assert_cmpuint(hook_calls, ==, 1);                        /* nothing changed: no hook */

    regfile_write(&f, 0x0C, 0x0F);
    regfile_write(&f, 0x0C, 0xF0);
    regfile_write(&f, 0x10, 0x3C);
    g_assert_cmphex(regfile_read(&f, 0x0C), ==, 0xC3);
    regfile_write(&f, 0x14, 5);
    g_assert_cmphex(regfile_read(&f, 0x14), ==, ~5u);

    regfile_write(&f, 0x60, 9);
    g_assert_cmpuint(hook_last.idx, ==, 2);
    g_assert_cmphex(regfile_read(&f, 0x50), ==, 7);
    g_assert_cmphex(regfile_read(&f, 0x44), ==, 0);             /* between two copies */
    regfile_write(&f, 0x84, 11);
    g_assert_cmphex(regfile_read(&f, 0xFC), ==, 0);
    g_assert_cmphex(regfile_read(&f, 0x100), ==, 0);
    regfile_write(&f, 0xFFFFFFFF, 1);
    g_assert_cmpuint(f.unknown, ==, 4);

    regfile_dump(&f, dump, 2);
    g_assert_cmpstr(dump->str, ==, "  PLAIN 0x1234ff78\n  CAUSE 0x00050000\n  MASK 0x000000c3\n  INV 0x00000005\n"
                                   "  ARRAY[2] 0x00000009\n  MEMORY[1] 0x0000000b\n");
    regfile_reset(&f);
    g_assert_cmphex(regfile_read(&f, 0), ==, 0x12345678);
    g_assert_cmphex(regfile_read(&f, 0x60), ==, 7);
    g_assert_cmphex(regfile_read(&f, 0x0C), ==, 0);
    g_assert_cmphex(regfile_read(&f, 0x84), ==, 11);
    regfile_fini(&f);
    regfile_fini(&f);
}

/* ---- rings ---- */

static void test_ring(void)
{
    static const struct {
        uint32_t bytes, head, tail;
        bool ok;
    } t[] = { { 128, 0, 0, true }, { 128, 7, 7, true }, { 128, 8, 0, false }, { 128, 0, 8, false }, { 0, 0, 0, false },
              { 15, 0, 0, false }, { 16, 0, 0, true }, { 128, 0xFFFF, 1, false },
              { 128, UINT32_MAX, UINT32_MAX, false } };
    struct ram_block *ram = ram_new("ram", 0x2000, NULL);
    struct region root, r;
    struct addr_space as;
    struct dma dma = { .as = &as, .enabled = true };
    struct desc_ring ring;
    uint32_t d[4];

    region_init(&root, "root", 0);
    region_init_ram(&r, "ram", ram, false);
    region_add(&root, 0x1000, &r, 0);
    space_init(&as, "test", &root);
    for (unsigned i = 0; i < ARRAY_LEN(t); i++) {
        g_assert_cmpint(ring_setup(&ring, &dma, 0x1000, t[i].bytes, 16, t[i].head, t[i].tail), ==, t[i].ok);
        g_assert_cmpint(ring_pop(&ring, d), ==, t[i].ok ? RING_EMPTY : RING_FAULT);
        g_assert_cmpuint(ring_ready(&ring), ==, 0);
    }
    for (unsigned i = 0; i < 8; i++) {
        st_le32(ram->host + 16 * i, i);
    }
    g_assert_true(ring_setup(&ring, &dma, 0x1000, 128, 16, 6, 2));      /* over the end */
    g_assert_cmpuint(ring_ready(&ring), ==, 4);
    g_assert_cmpuint(ring_budget(&ring), ==, 16);
    for (unsigned i = 0; i < 4; i++) {
        g_assert_cmpint(ring_pop(&ring, d), ==, RING_OK);
        g_assert_cmpuint(d[0], ==, (6 + i) % 8);
        g_assert_cmpuint(ring_last(&ring), ==, (6 + i) % 8);
    }
    g_assert_cmpint(ring_pop(&ring, d), ==, RING_EMPTY);
    g_assert_cmpuint(ring.head, ==, 6);                                 /* not published yet */
    ring_unpop(&ring);
    g_assert_cmpuint(ring_ready(&ring), ==, 4);
    g_assert_cmpint(ring_pop(&ring, d), ==, RING_OK);
    ring_publish(&ring);
    g_assert_cmpuint(ring.head, ==, 7);
    g_assert_true(ring_put(&ring, 7, 12, "ab", 2));
    g_assert_cmpmem(ram->host + 7 * 16 + 12, 2, "ab", 2);
    g_assert_false(ring_put(&ring, 8, 0, "ab", 2));                     /* outside: refused, and it stops */
    g_assert_cmpint(ring_pop(&ring, d), ==, RING_FAULT);

    g_assert_true(ring_setup(&ring, &dma, 0x1000, 128, 16, 0, 4));
    g_assert_false(ring_set_tail(&ring, 8));
    g_assert_cmpint(ring_pop(&ring, d), ==, RING_FAULT);
    g_assert_true(ring_setup(&ring, &dma, 0x2FF8, 128, 16, 0, 4));      /* memory ends in the first descriptor */
    g_assert_cmpint(ring_pop(&ring, d), ==, RING_FAULT);
    g_assert_cmpuint(ring_ready(&ring), ==, 0);
    g_assert_true(ring_setup(&ring, &dma, UINT64_MAX - 20, 128, 16, 1, 4));
    g_assert_cmpint(ring_pop(&ring, d), ==, RING_FAULT);
    g_assert_true(ring_setup(&ring, &dma, 0x1000, 0xFFF80, 16, 0, 4));
    g_assert_cmpuint(ring_budget(&ring), ==, RING_BUDGET_MAX);
    region_fini(&r);
    space_fini(&as);
    region_fini(&root);
    ram_free(ram);
}

/* ---- EEPROM ---- */

static bool clock_bit(struct eeprom93 *ee, bool di)
{
    bool out;

    eeprom93_set(ee, true, false, di);
    eeprom93_set(ee, true, true, di);
    out = eeprom93_do(ee);
    eeprom93_set(ee, true, false, di);
    return out;
}

static void command(struct eeprom93 *ee, unsigned op, unsigned addr)
{
    eeprom93_set(ee, false, false, false);
    eeprom93_set(ee, true, false, false);
    clock_bit(ee, false);                               /* zeros before the start bit do not matter */
    clock_bit(ee, true);
    for (int i = 1; i >= 0; i--) {
        clock_bit(ee, op >> i & 1);
    }
    for (int i = ee->addr_bits - 1; i >= 0; i--) {
        clock_bit(ee, addr >> i & 1);
    }
}

static uint16_t word_out(struct eeprom93 *ee)
{
    uint16_t v = 0;

    for (unsigned i = 0; i < 16; i++) {
        v = (uint16_t)(v << 1 | clock_bit(ee, false));
    }
    return v;
}

static void word_in(struct eeprom93 *ee, uint16_t v)
{
    for (int i = 15; i >= 0; i--) {
        clock_bit(ee, v >> i & 1);
    }
    eeprom93_set(ee, false, false, false);
}

static void test_eeprom93(void)
{
    static const struct {
        enum eeprom93_chip chip;
        unsigned words;
    } t[] = { { EEPROM_93C46, 64 }, { EEPROM_93C56, 128 }, { EEPROM_93C66, 256 } };
    struct eeprom93 ee;

    for (unsigned c = 0; c < ARRAY_LEN(t); c++) {
        unsigned top = 1u << (c ? 6 : 4);               /* the two upper address bits of an extended command */

        eeprom93_init(&ee, t[c].chip);
        g_assert_cmpuint(ee.nwords, ==, t[c].words);
        for (unsigned i = 0; i < t[c].words; i++) {
            ee.words[i] = (uint16_t)(i * 257 + 3);
        }
        command(&ee, 2, t[c].words - 1);
        g_assert_false(eeprom93_do(&ee));               /* dummy bit */
        g_assert_cmphex(word_out(&ee), ==, ee.words[t[c].words - 1]);
        g_assert_cmphex(word_out(&ee), ==, ee.words[0]);        /* sequential, around the end */
        g_assert_cmphex(word_out(&ee), ==, ee.words[1]);

        command(&ee, 1, 5);
        word_in(&ee, 0xBEEF);
        g_assert_cmphex(ee.words[5], ==, 5 * 257 + 3);  /* not enabled */
        command(&ee, 0, 3 * top);                       /* EWEN */
        command(&ee, 1, 5);
        word_in(&ee, 0xBEEF);
        g_assert_cmphex(ee.words[5], ==, 0xBEEF);
        eeprom93_set(&ee, true, false, false);
        g_assert_true(eeprom93_do(&ee));                /* ready */
        command(&ee, 1, 6);
        for (unsigned i = 0; i < 7; i++) {
            clock_bit(&ee, true);                       /* broken off */
        }
        eeprom93_set(&ee, false, false, false);
        g_assert_cmphex(ee.words[6], ==, 6 * 257 + 3);
        command(&ee, 3, 6);                             /* ERASE */
        eeprom93_set(&ee, false, false, false);
        g_assert_cmphex(ee.words[6], ==, 0xFFFF);
        g_assert_cmphex(ee.words[7], ==, 7 * 257 + 3);
        command(&ee, 0, 1 * top);                       /* WRAL */
        word_in(&ee, 0x1234);
        g_assert_cmphex(ee.words[0] & ee.words[t[c].words - 1], ==, 0x1234);
        command(&ee, 0, 2 * top);                       /* ERAL */
        eeprom93_set(&ee, false, false, false);
        g_assert_cmphex(ee.words[9], ==, 0xFFFF);
        command(&ee, 0, 0);                             /* EWDS */
        command(&ee, 1, 5);
        word_in(&ee, 0);
        g_assert_cmphex(ee.words[5], ==, 0xFFFF);
    }
}

static void test_drops(void)
{
    struct nic_drops d = { .dev = "test" };
    g_autoptr(GString) out = g_string_new(NULL);

    nic_drops_print(&d, out, 2);
    g_assert_cmpstr(out->str, ==, "");
    for (unsigned i = 0; i < NIC_DROPS; i++) {
        g_assert_nonnull(nic_drop_name(i));
    }
    nic_drop(&d, NIC_DROP_BAD_TSO);
    nic_drop(&d, NIC_DROP_RX_FILTER);
    nic_drop(&d, NIC_DROP_RX_FILTER);
    nic_drops_print(&d, out, 2);
    g_assert_cmpstr(out->str, ==, "  drops: bad-tso 1, rx-filter 2\n");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    loop_init();
    g_test_add_func("/nic-parts/regs", test_regs);
    g_test_add_func("/nic-parts/ring", test_ring);
    g_test_add_func("/nic-parts/eeprom93", test_eeprom93);
    g_test_add_func("/nic-parts/drops", test_drops);
    return g_test_run();
}
