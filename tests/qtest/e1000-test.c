/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tests/qtest/e1000-test.c - the gigabit models in the whole machine: PCI, registers, interrupt routing, messages, and a
 * conversation with the user-mode network (section numbers: 8254x SDM)
 */
#include "tests/qtest/lib/qtest.h"

#include <string.h>

enum {
    CTRL = 0x0000, STATUS = 0x0008, EERD = 0x0014, MDIC = 0x0020, ICR = 0x00C0, ICS = 0x00C8, IMS = 0x00D0,
    IMC = 0x00D8, RCTL = 0x0100, TCTL = 0x0400, RDBAL = 0x2800, RDLEN = 0x2808, RDH = 0x2810, RDT = 0x2818,
    TDBAL = 0x3800, TDLEN = 0x3808, TDH = 0x3810, TDT = 0x3818, RAL = 0x5400, RAH = 0x5404,
};
enum { TX_RING = 0x100000, RX_RING = 0x101000, TX_BUF = 0x110000, RX_BUF = 0x120000, N = 16 };

static const struct model {
    const char *type;
    uint16_t id;
    uint32_t subsystem, phy;
    unsigned io_bar, eerd_shift, eerd_done;     /* EERD_DONE 0: no such register */
} models[] = {
    { "e1000", 0x100E, 0x11001AF4, 0x01410C20, 1, 8, 0x10 },
    { "e1000-82544gc", 0x100C, 0x11001AF4, 0x01410C30, 1, 8, 0 },
    { "e1000-82545em", 0x100F, 0x11001AF4, 0x01410C20, 1, 8, 0x10 },
    { "e1000e", 0x10D3, 0x00008086, 0x01410CB1, 2, 2, 0x02 },
};

struct nic {
    struct qtest *q;
    unsigned devfn;
    uint64_t mmio, io;
    unsigned tx_tail;
};

static uint32_t rd(struct nic *n, unsigned off) { return (uint32_t)qtest_readl(n->q, n->mmio + off); }
static void wr(struct nic *n, unsigned off, uint32_t v) { qtest_writel(n->q, n->mmio + off, v); }

static struct nic start(const struct model *m)
{
    g_autofree char *args = g_strdup_printf("-nodefaults -netdev user,id=n0 -device %s,netdev=n0,addr=04.0,"
                                            "mac=52:54:00:12:34:56", m->type);
    struct nic n = { .q = qtest_start(args) };

    n.devfn = qpci_find(n.q, 0x8086, m->id);
    g_assert_cmphex(n.devfn, ==, 0x20);
    n.mmio = qpci_place(n.q, n.devfn, 0);
    n.io = qpci_place(n.q, n.devfn, m->io_bar);
    qpci_enable(n.q, n.devfn);
    return n;
}

static void put_le(uint8_t *p, uint64_t v, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++) {
        p[i] = (uint8_t)(v >> (8 * i));
    }
}

static void rings(struct nic *n, uint32_t rctl)
{
    uint8_t d[N * 16] = { 0 };

    qtest_memwrite(n->q, TX_RING, d, sizeof(d));
    for (unsigned i = 0; i < N; i++) {
        put_le(d + 16 * i, RX_BUF + i * 2048, 8);
    }
    qtest_memwrite(n->q, RX_RING, d, sizeof(d));
    wr(n, TDBAL, TX_RING);
    wr(n, TDLEN, N * 16);
    wr(n, TCTL, 2);
    wr(n, RDBAL, RX_RING);
    wr(n, RDLEN, N * 16);
    wr(n, RDT, N - 1);
    wr(n, RCTL, 2 | 1 << 15 | rctl);
    n->tx_tail = 0;
}

static void transmit(struct nic *n, const void *p, size_t len)
{
    uint8_t d[16];

    qtest_memwrite(n->q, TX_BUF, p, len);
    put_le(d, TX_BUF, 8);
    put_le(d + 8, len | 0x0B000000, 8);             /* EOP, IFCS, RS */
    qtest_memwrite(n->q, TX_RING + 16 * n->tx_tail, d, 16);
    n->tx_tail = (n->tx_tail + 1) % N;
    wr(n, TDT, n->tx_tail);
    qtest_memread(n->q, TX_RING + 16 * ((n->tx_tail + N - 1) % N), d, 16);
    g_assert_cmphex(d[12] & 1, ==, 1);              /* DD: done when the register write was answered */
}

static void test_basics(gconstpointer data)
{
    const struct model *m = data;
    struct nic n = start(m);
    uint32_t id = 0;

    g_assert_cmphex(qpci_read(n.q, n.devfn, 0x2C, 4), ==, m->subsystem);
    g_assert_cmphex(rd(&n, RAL), ==, 0x12005452);
    g_assert_cmphex(rd(&n, RAH), ==, 0x80005634);
    g_assert_cmphex(rd(&n, STATUS) & 3, ==, 3);
    if (m->eerd_done) {                             /* 13.4.4 */
        uint16_t sum = 0;

        for (unsigned i = 0; i < 64; i++) {
            wr(&n, EERD, i << m->eerd_shift | 1);
            g_assert_cmphex(rd(&n, EERD) & m->eerd_done, ==, m->eerd_done);
            sum += (uint16_t)(rd(&n, EERD) >> 16);
        }
        g_assert_cmphex(sum, ==, 0xBABA);
    }
    for (unsigned i = 2; i < 4; i++) {              /* 13.4.6 */
        wr(&n, MDIC, 2u << 26 | 1u << 21 | i << 16);
        id = id << 16 | (rd(&n, MDIC) & 0xFFFF);
    }
    g_assert_cmphex(id, ==, m->phy);
    wr(&n, MDIC, 1u << 26 | 1u << 21 | 0x1340);     /* autonegotiation takes virtual time */
    g_assert_cmphex(rd(&n, STATUS) & 2, ==, 0);
    qtest_clock_step(n.q, 500000000);
    g_assert_cmphex(rd(&n, STATUS) & 2, ==, 2);
    qtest_out(n.q, (unsigned)n.io, 0, 4);           /* reset through the I/O window */
    qtest_out(n.q, (unsigned)n.io + 4, 1u << 26, 4);
    g_assert_cmphex(rd(&n, CTRL) & 1u << 26, ==, 0);
    qtest_quit(n.q);
}

/* Who has 10.0.2.2? The gateway answers; the frame is in the ring when it has come back from the network */
static void test_arp(gconstpointer data)
{
    static const uint8_t arp[60] = {
        0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x52, 0x54, 0x00, 0x12, 0x34, 0x56, 0x08, 0x06, 0, 1, 8, 0, 6, 4, 0, 1,
        0x52, 0x54, 0x00, 0x12, 0x34, 0x56, 10, 0, 2, 15, 0, 0, 0, 0, 0, 0, 10, 0, 2, 2,
    };
    struct nic n = start(data);
    uint8_t d[16], f[64];

    rings(&n, 0);
    transmit(&n, arp, sizeof(arp));
    for (unsigned i = 0; i < 100 && rd(&n, RDH) == 0; i++) {
        g_usleep(10000);
    }
    qtest_memread(n.q, RX_RING, d, 16);
    g_assert_cmphex(d[12] & 3, ==, 3);
    qtest_memread(n.q, RX_BUF, f, sizeof(f));
    g_assert_cmpmem(f, 6, arp + 6, 6);
    g_assert_cmphex(f[12] << 8 | f[13], ==, 0x0806);
    g_assert_cmphex(f[21], ==, 2);                  /* reply */
    g_assert_cmpmem(f + 28, 4, "\x0a\x00\x02\x02", 4);
    qtest_quit(n.q);
}

/* INTA# of slot 4 reaches the I/O APIC and follows ICR and IMS */
static void test_irq(gconstpointer data)
{
    struct nic n = start(data);

    g_free(qtest_cmd(n.q, "irq_intercept_in ioapic"));
    qpci_write(n.q, 1 << 3, 0x60, 0x0B0B0B0B, 4);   /* what firmware does: PIIX3 routes all four PIRQs to IRQ 11 */
    wr(&n, IMS, 4);
    wr(&n, ICS, 4);
    g_assert_true(qtest_irq(n.q, 11));
    g_assert_cmphex(rd(&n, ICR) & 4, ==, 4);
    g_assert_false(qtest_irq(n.q, 11));
    wr(&n, ICS, 4);
    g_assert_true(qtest_irq(n.q, 11));
    wr(&n, IMC, 4);
    g_assert_false(qtest_irq(n.q, 11));
    qtest_quit(n.q);
}

/* A loop of frames in MAC loopback, then a machine reset in the middle of things */
static void test_loopback_reset(gconstpointer data)
{
    struct nic n = start(data);
    uint8_t f[100], d[16];

    memset(f, 0xFF, sizeof(f));
    rings(&n, 1 << 6);
    for (unsigned i = 0; i < 10; i++) {
        transmit(&n, f, sizeof(f));
    }
    g_assert_cmpuint(rd(&n, RDH), ==, 10);
    qtest_memread(n.q, RX_RING + 9 * 16, d, 16);
    g_assert_cmpuint(d[8], ==, 104);
    g_free(qtest_qmp(n.q, "{\"execute\": \"system_reset\"}"));
    for (unsigned i = 0; i < 100 && qpci_read(n.q, n.devfn, 4, 2) & 7; i++) {
        g_usleep(10000);
    }
    g_assert_cmphex(qpci_read(n.q, n.devfn, 4, 2) & 7, ==, 0);
    qpci_write(n.q, n.devfn, 0x10, (uint32_t)n.mmio, 4);
    qpci_enable(n.q, n.devfn);
    g_assert_cmpuint(rd(&n, RDH), ==, 0);
    g_assert_cmphex(rd(&n, RCTL), ==, 0);
    qtest_quit(n.q);
}

/* 82574 7.4: transmit and receive by IVAR to vectors whose messages go to RAM; time stands but for steps of 10 us */
static void test_msix(void)
{
    enum { MSIX_CAP = 0xA0, IVAR = 0xE4, MESSAGES = 0x130000, CTRL_EXT = 0x18, ENTRY = 16 };
    struct nic n = start(&models[3]);
    uint64_t table = qpci_place(n.q, n.devfn, 3);
    uint8_t f[100], m[4], d[16];

    memset(f, 0xFF, sizeof(f));
    wr(&n, CTRL, 1u << 26);
    g_assert_cmphex(rd(&n, STATUS) & 0x302, ==, 0x202);     /* up, 1000 */
    for (unsigned v = 0; v < 5; v++) {
        qtest_writel(n.q, table + ENTRY * v, MESSAGES + 4 * v);
        qtest_writel(n.q, table + ENTRY * v + 4, 0);
        qtest_writel(n.q, table + ENTRY * v + 8, 0x12345670 + v);
        qtest_writel(n.q, table + ENTRY * v + 12, 0);
    }
    qpci_write(n.q, n.devfn, MSIX_CAP + 2, 0x8000, 2);
    wr(&n, CTRL_EXT, 1u << 31 | 1u << 28);
    wr(&n, IVAR, 8 | (8 | 1) << 8 | (8 | 2) << 16 | 1u << 31);
    wr(&n, IMS, ~0u);
    rings(&n, 1 << 6);                                      /* MAC loopback: both at once */
    for (unsigned i = 0; i < 3; i++) {
        for (unsigned v = 0; v < 2; v++) {
            qtest_writel(n.q, MESSAGES + 4 * v, 0);
        }
        transmit(&n, f, sizeof(f));
        qtest_clock_step(n.q, 10000);
        for (unsigned v = 0; v < 2; v++) {
            qtest_memread(n.q, MESSAGES + 4 * v, m, 4);
            g_assert_cmphex(m[0] | m[1] << 8 | m[2] << 16 | (unsigned)m[3] << 24, ==, 0x12345670 + v);
        }
        qtest_memread(n.q, RX_RING + 16 * i, d, 16);
        g_assert_cmphex(d[12] & 3, ==, 3);
    }
    qtest_writel(n.q, table + 12, 1);                       /* masked: pending instead */
    qtest_writel(n.q, MESSAGES, 0);
    transmit(&n, f, sizeof(f));
    qtest_memread(n.q, MESSAGES, m, 4);
    g_assert_cmphex(m[0], ==, 0);
    g_assert_cmphex(qtest_readl(n.q, table + 0x2000) & 1, ==, 1);
    qtest_writel(n.q, table + 12, 0);
    qtest_memread(n.q, MESSAGES, m, 4);
    g_assert_cmphex(m[0], ==, 0x70);
    qtest_quit(n.q);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        GTestDataFunc fn;
    } tests[] = { { "basics", test_basics }, { "arp", test_arp }, { "irq", test_irq },
                  { "loopback-reset", test_loopback_reset } };

    g_test_init(&argc, &argv, NULL);
    for (unsigned i = 0; i < G_N_ELEMENTS(models); i++) {
        for (unsigned k = 0; k < G_N_ELEMENTS(tests); k++) {
            g_autofree char *path = g_strdup_printf("/%s/%s", models[i].type, tests[k].name);

            g_test_add_data_func(path, &models[i], tests[k].fn);
        }
    }
    g_test_add_func("/e1000e/msix", test_msix);
    return qtest_main();
}
