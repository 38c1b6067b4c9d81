/* SPDX-License-Identifier: BSD-2-Clause */
/* tests/lib/nic_rig.c - see nic_rig.h */
#include "nic_rig.h"

#include "hw/net/nics.h"
#include "net/offload/csum.h"

#include <string.h>

const uint8_t rig_mac[6] = { 0x52, 0x54, 0x00, 0x12, 0x34, 0x56 };
const uint8_t rig_other[6] = { 0x52, 0x55, 0x0A, 0x00, 0x02, 0x02 };
const uint8_t rig_broadcast[6] = { 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF };

/* ---- the peer ---- */

static bool peer_open(struct net_client *c, const void *cfg, Error **errp)
{
    struct rig_peer *p = (struct rig_peer *)c;

    p->frames = g_ptr_array_new_with_free_func(g_free);
    p->keep_max = 4096;
    return true;
}

static enum net_tx peer_send(struct net_client *c, const struct frame *f)
{
    struct rig_peer *p = (struct rig_peer *)c;
    struct rig_frame *r;

    if (p->busy) {
        return NET_TX_BUSY;
    }
    p->total++;
    if (p->frames->len < p->keep_max) {
        r = g_malloc(sizeof(*r) + f->len);
        r->meta = f->meta;
        r->len = f->len;
        g_assert_cmpuint(frame_copy_out(f, 0, r->data, f->len), ==, f->len);
        g_ptr_array_add(p->frames, r);
    }
    return NET_TX_DONE;
}

static void peer_rx_enable(struct net_client *c, bool on)
{
}

static void peer_tx_ready(struct net_client *c)
{
}

static uint32_t peer_offloads(const struct net_client *c)
{
    return ((const struct rig_peer *)c)->caps;
}

static void peer_close(struct net_client *c)
{
    struct rig_peer *p = (struct rig_peer *)c;

    g_clear_pointer(&p->frames, g_ptr_array_unref);
}

static const struct net_backend_ops peer_ops = {
    .kind = "bench", .size = sizeof(struct rig_peer), .open = peer_open, .send = peer_send,
    .rx_enable = peer_rx_enable, .tx_ready = peer_tx_ready, .offloads = peer_offloads, .close = peer_close,
};

enum net_tx rig_rx_meta(struct rig *g, const void *p, size_t len, const struct pkt_meta *m)
{
    struct frame f;
    enum net_tx r;

    g_assert_true(frame_from_buf(&f, p, len));
    f.meta = *m;
    r = net_send_queued(&g->peer->c, &f);
    rig_run();
    return r;
}

enum net_tx rig_rx(struct rig *g, const void *p, size_t len)
{
    return rig_rx_meta(g, p, len, &(struct pkt_meta){ 0 });
}

struct rig_frame *rig_sent(struct rig *g)
{
    return g->peer->frames->len ? g_ptr_array_steal_index(g->peer->frames, 0) : NULL;
}

void rig_unblock(struct rig *g)
{
    g->peer->busy = false;
    net_client_flush(&g->peer->c);
    rig_run();
}

/* ---- the board ---- */

static int map_irq(void *opaque, struct pci_device *d, int pin)
{
    return (PCI_SLOT(d->devfn) + pin) & 3;
}

static void set_irq(void *opaque, int irq, bool level)
{
    struct rig *g = opaque;

    g->irq_line = irq;
    g->irq = level;
    g->irq_raises += level;
}

static bool message(void *opaque, struct pci_device *d, uint64_t addr, uint32_t data)
{
    struct rig *g = opaque;

    if (addr >> 20 != 0xFEE) {
        return false;
    }
    g->msi[g->msis++ % RIG_MSIS] = (struct rig_msi){ addr, data };
    return true;
}

static const struct pci_bus_ops bus_ops = { map_irq, set_irq, message };

void rig_init_once(void)
{
    static bool done;

    if (!done) {
        done = true;
        loop_init();
        clock_virtual_manual();
        hw_pci_register_types();
        hw_net_register_types();
    }
}

static void set_props(struct device *d, const char *props)
{
    g_auto(GStrv) list = g_strsplit(props ? props : "", ",", -1);
    Error *err = NULL;

    for (unsigned i = 0; list[i]; i++) {
        g_auto(GStrv) kv = g_strsplit(list[i], "=", 2);

        if (!device_set_prop(d, kv[0], kv[1], &err)) {
            g_error("%s: %s", list[i], error_text(err));
        }
    }
}

void rig_place_bars(struct rig *g)
{
    for (unsigned n = 0; n < PCI_BARS; n++) {
        const struct pci_bar *b = &g->dev->bars[n];

        if (b->region) {
            rig_config_set(g, PCI_BAR0 + 4 * n, b->type & PCI_BAR_IO ? RIG_IO : RIG_MMIO + n * RIG_BAR_STEP, 4);
        }
    }
}

struct rig *rig_new(const char *type)
{
    return rig_new_with(type, NULL);
}

struct rig *rig_new_with(const char *type, const char *props)
{
    struct rig *g = g_new0(struct rig, 1);
    char nic[16] = "nic", peer[16] = "bench";
    Error *err = NULL;

    rig_init_once();
    for (unsigned n = 2; net_client_find(peer); n++) {          /* several benches may live at a time */
        g_snprintf(nic, sizeof(nic), "nic%u", n);
        g_snprintf(peer, sizeof(peer), "bench%u", n);
    }
    g->ram = ram_new("ram", RIG_RAM, NULL);
    g->rom = ram_new("rom", 0x10000, NULL);
    region_init(&g->root, "memory", 0);
    region_init(&g->io_root, "io", 0x10000);
    region_init_ram(&g->ram_r, "ram", g->ram, false);
    region_init_ram(&g->rom_r, "rom", g->rom, true);
    region_add(&g->root, 0, &g->ram_r, 0);
    region_add(&g->root, RIG_ROM_BASE, &g->rom_r, 1);
    space_init(&g->as, "memory", &g->root);
    space_init(&g->io_as, "io", &g->io_root);
    pci_bus_init(&g->bus, "pci.0", NULL, &bus_ops, g, 4, &g->root, &g->io_root, &g->as);
    pci_host_init(&g->host, &g->bus, &g->io_root);
    g->peer = (struct rig_peer *)net_client_new(&peer_ops, peer, NULL, &err);
    g_assert_nonnull(g->peer);

    g->dev = pci_new(type, nic, PCI_DEVFN(4, 0), &err);
    g_assert_nonnull(g->dev);
    g_assert_true(device_set_prop(&g->dev->dev, "mac", "52:54:00:12:34:56", &err));
    g_assert_true(device_set_prop(&g->dev->dev, "netdev", peer, &err));
    set_props(&g->dev->dev, props);
    if (!device_realize(&g->dev->dev, &g->bus.bus, &err)) {
        g_error("realize: %s", error_text(err));
    }
    rig_place_bars(g);
    rig_config_set(g, PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
    rig_run();
    return g;
}

void rig_free(struct rig *g)
{
    device_free(&g->dev->dev);
    net_client_free(&g->peer->c);
    rig_run();
    pci_host_fini(&g->host);
    pci_bus_fini(&g->bus);
    region_fini(&g->rom_r);
    region_fini(&g->ram_r);
    space_fini(&g->io_as);
    space_fini(&g->as);
    region_fini(&g->io_root);
    region_fini(&g->root);
    ram_free(g->rom);
    ram_free(g->ram);
    g_free(g);
}

/* ---- access ---- */

/* A ring has 65,535 descriptors at most, and a run handles one at least */
void rig_run(void)
{
    g_assert_true(bh_drain(100000));
}

void rig_step(int64_t ns)
{
    clock_virtual_set(clock_get_ns(CLOCK_VIRTUAL) + ns);
    rig_run();
}

uint32_t r32(struct rig *g, uint32_t off)
{
    uint32_t v = space_read(&g->as, pci_bar_addr(g->dev, 0) + off, 4);

    rig_run();
    return v;
}

void w32(struct rig *g, uint32_t off, uint32_t val)
{
    /* every other one as a CPU does: doorbells without the machine lock */
    if (g->writes++ % 2 || !space_write_posted(&g->as, pci_bar_addr(g->dev, 0) + off, val, 4)) {
        space_write(&g->as, pci_bar_addr(g->dev, 0) + off, val, 4);
    }
    rig_run();
}

uint32_t rig_config(struct rig *g, unsigned off, unsigned len)
{
    space_write(&g->io_as, 0xCF8, 0x80000000u | g->dev->devfn << 8 | (off & 0xFC), 4);
    return space_read(&g->io_as, 0xCFC + (off & 3), len);
}

void rig_config_set(struct rig *g, unsigned off, uint32_t val, unsigned len)
{
    space_write(&g->io_as, 0xCF8, 0x80000000u | g->dev->devfn << 8 | (off & 0xFC), 4);
    space_write(&g->io_as, 0xCFC + (off & 3), val, len);
    rig_run();
}

uint8_t *rig_ram(struct rig *g, uint64_t addr)
{
    g_assert_cmpuint(addr, <, RIG_RAM);
    return rig_ram_span(g, addr, MIN(RAM_PAGE_SIZE + 1, RIG_RAM - addr));
}

uint8_t *rig_ram_span(struct rig *g, uint64_t addr, uint64_t len)
{
    g_assert_true(addr <= RIG_RAM && len <= RIG_RAM - addr);
    ram_written(g->ram, addr, len);
    return g->ram->host + addr;
}

enum { PAGES_A_WORD = 8 };                  /* of page flags */

void rig_wipe(struct rig *g)
{
    for (unsigned n = 0; n < RIG_RAM >> RAM_PAGE_BITS; n += PAGES_A_WORD) {
        uint8_t *flags = &g->ram->page_flags[n];

        for (unsigned i = 0; ld_le64(flags) && i < PAGES_A_WORD; i++) {
            if (flags[i] & RAM_DIRTY) {
                memset(g->ram->host + ((size_t)(n + i) << RAM_PAGE_BITS), 0, RAM_PAGE_SIZE);
                flags[i] = 0;
            }
        }
    }
}

static bool all_zero(const struct ram_block *b)
{
    return !b->host[0] && memcmp(b->host, b->host + 1, b->size - 1) == 0;
}

bool rig_is_wiped(const struct rig *g)
{
    return all_zero(g->ram) && all_zero(g->rom);
}

/* ---- frames ---- */

void rig_eth(uint8_t *p, size_t len, const uint8_t dst[6], uint16_t ethertype, unsigned seed)
{
    memcpy(p, dst, 6);
    memcpy(p + 6, rig_other, 6);
    st_be16(p + 12, ethertype);
    for (size_t i = 14; i < len; i++) {
        p[i] = (uint8_t)(i * 7 + seed * 31 + (i >> 8));
    }
}

static void l4_finish(uint8_t *p, size_t l4, enum pkt_l3 l3, uint8_t proto, size_t len, size_t field, bool csum)
{
    uint64_t sum = csum_pseudo(p + 14, l3, proto, len - l4);

    st_le16(p + l4 + field, 0);
    if (csum) {
        csum_store(p + l4 + field, csum_add(sum, p + l4, len - l4));
    } else {
        uint16_t pseudo = csum_fold(sum);       /* as drivers leave it for the hardware */

        memcpy(p + l4 + field, &pseudo, 2);
    }
}

static void ip4_header(uint8_t *p, size_t len, uint8_t proto, bool csum)
{
    static const uint8_t ip[20] = { 0x45, 0, 0, 0, 0x12, 0x34, 0x40, 0, 64, 0, 0, 0, 10, 0, 2, 15, 10, 0, 2, 2 };

    memcpy(p + 14, ip, 20);
    st_be16(p + 16, len - 14);
    p[23] = proto;
    if (csum) {
        csum_ip4_header(p + 14, 20);
    }
}

static void tcp_header(uint8_t *p)
{
    static const uint8_t tcp[20] = { 0x04, 0xD2, 0x00, 0x50, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x50, 0x18,
                                     0x20, 0x00 };

    memcpy(p, tcp, 20);
}

size_t rig_tcp4(uint8_t *p, size_t payload, bool csum)
{
    size_t len = 54 + payload;

    rig_eth(p, len, rig_mac, 0x0800, 1);
    ip4_header(p, len, 6, csum);
    tcp_header(p + 34);
    l4_finish(p, 34, PKT_L3_IP4, 6, len, 16, csum);
    return len;
}

size_t rig_udp4(uint8_t *p, size_t payload, bool csum)
{
    size_t len = 42 + payload;

    rig_eth(p, len, rig_mac, 0x0800, 2);
    ip4_header(p, len, 17, csum);
    st_be16(p + 34, 1234);
    st_be16(p + 36, 53);
    st_be16(p + 38, 8 + payload);
    l4_finish(p, 34, PKT_L3_IP4, 17, len, 6, csum);
    return len;
}

size_t rig_tcp6(uint8_t *p, size_t payload, bool csum)
{
    size_t len = 74 + payload;

    rig_eth(p, len, rig_mac, 0x86DD, 3);
    memset(p + 14, 0, 40);
    p[14] = 0x60;
    st_be16(p + 18, 20 + payload);
    p[20] = 6;
    p[21] = 64;
    p[22] = 0xFE;
    p[37] = 1;
    p[38] = 0xFE;
    p[53] = 2;
    tcp_header(p + 54);
    l4_finish(p, 54, PKT_L3_IP6, 6, len, 16, csum);
    return len;
}
