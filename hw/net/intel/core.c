/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/net/intel/core.c - life, register windows, CTRL and STATUS, link of the gigabit family
 *
 * One BAR is the register space. Another is a window of two registers: IOADDR chooses, IODATA reads and writes the
 * register chosen (8254x SDM 13.2.2); Linux resets the older chips through it. The PCIe parts have a flash and an MSI-X
 * BAR too.
 *
 * The link has three parts: the cable (net layer), the PHY (mii.c) and CTRL.SLU. STATUS.LU is the end of the chain;
 * intel_link_update() compares it with what it was and raises LSC. Reset restores registers and EEPROM values; only
 * power-on touches the PHY.
 */
#include "core.h"

#include "hw/pci/caps.h"
#include "lib/log.h"

/* ---- link ---- */

static bool link_now(const struct intel_nic *s)
{
    return mii_link_up(&s->phy) && rd(s, R_CTRL) & CTRL_SLU && !(rd(s, R_CTRL) & CTRL_PHY_RST);
}

void intel_link_update(struct intel_nic *s)
{
    bool up = link_now(s);

    if (up == s->link) {
        return;
    }
    s->link = up;
    intr_cause(s, ICR_LSC);
    if (up) {
        nic_rx_ready(s->nic);
    }
}

static void link_changed(void *opaque, bool up)
{
    struct intel_nic *s = opaque;

    mii_set_cable(&s->phy, up);
}

/* 13.4.2. Speed and duplex are the PHY's unless CTRL forces them; the bits of a->val are what each model stores */
uint32_t status_read(void *opaque, const struct reg_access *a)
{
    struct intel_nic *s = opaque;
    uint32_t ctrl = rd(s, R_CTRL), speed;
    bool full;
    unsigned mbit = mii_speed(&s->phy, &full), asdv = mbit == 1000 ? SPEED_1000 : mbit == 100 ? SPEED_100 : SPEED_10;

    speed = ctrl & CTRL_FRCSPD ? MIN(bits_get(ctrl, 8, 2), SPEED_1000) : asdv;
    if (ctrl & CTRL_FRCDPLX) {
        full = ctrl & CTRL_FD;
    }
    return (full ? STATUS_FD : 0) | (s->link ? STATUS_LU : 0) | speed << STATUS_SPEED_SHIFT |
           asdv << STATUS_ASDV_SHIFT | a->val |
           (intel_has(s, INTEL_PCIE) && !(ctrl & CTRL_GIO_DISABLE) ? STATUS_GIO_MASTER : 0);
}

/* 82574 10.2.8: reading SMBI takes the semaphore */
uint32_t swsm_read(void *opaque, const struct reg_access *a)
{
    struct intel_nic *s = opaque;

    reg_or(&s->regs, R_SWSM, SWSM_SMBI);
    return a->val;
}

/* ---- reset ---- */

static void registers_reset(struct intel_nic *s)
{
    intr_reset(s);
    regfile_reset(&s->regs);
    for (unsigned i = 0; i < s->model->tx_queues; i++) {
        txq_reset(&s->txq[i]);
    }
    for (unsigned i = 0; i < s->model->rx_queues; i++) {
        rxq_reset(&s->rxq[i]);
    }
    tsync_reset(s);
    eeprom93_reset(&s->eeprom);
    nvm_load(s);
    s->io_addr = 0;
    s->link = link_now(s);
}

/* 13.4.1 */
void ctrl_written(void *opaque, const struct reg_access *a)
{
    struct intel_nic *s = opaque;

    if (a->val & ~a->old & CTRL_PHY_RST) {  /* iPXE sets both bits at once */
        phy_pages_reset(s);
        mii_reset(&s->phy);
    }
    if (a->val & CTRL_RST) {                /* 14.6: all but PCI configuration and PHY */
        registers_reset(s);
        nic_purge(s->nic);
    } else {
        intel_link_update(s);
        if (a->old & ~a->val & CTRL_GIO_DISABLE) {
            tctl_written(s, a);
            rctl_written(s, a);
        }
    }
}

void intel_reset(struct intel_nic *s)
{
    mii_power_on(&s->phy, nic_link_up(s->nic));
    phy_pages_reset(s);
    registers_reset(s);
    nic_purge(s->nic);
}

/* ---- doorbells ---- */

/*
 * Writes to TDT and RDT come without the machine lock (struct region_ops.post) and wait in q->door; bottom halves and everything else
 * that works on the device takes them from there first, so that the guest sees its writes in order.
 */
static void door_ring(uint64_t *door, uint64_t val)
{
    __atomic_store_n(door, DOOR_RUNG | (uint32_t)val, __ATOMIC_SEQ_CST);
}

static bool mmio_post(void *opaque, uint64_t off, uint64_t val, unsigned size)
{
    struct intel_nic *s = opaque;

    for (unsigned i = 0; i < s->model->tx_queues; i++) {
        if (off == s->txq[i].regs + Q_TAIL) {
            door_ring(&s->txq[i].door, val);
            bh_schedule(&s->txq[i].bh);
            return true;
        }
    }
    for (unsigned i = 0; i < s->model->rx_queues; i++) {
        if (off == s->rxq[i].regs + Q_TAIL) {
            door_ring(&s->rxq[i].door, val);
            if (__atomic_load_n(&s->rx_starved, __ATOMIC_SEQ_CST)) {
                bh_schedule(&s->door_bh);
            }
            return true;
        }
    }
    return false;
}

static void door_take(struct intel_nic *s, uint64_t *door, uint32_t reg)
{
    uint64_t v;

    if (__atomic_load_n(door, __ATOMIC_RELAXED)) {
        v = __atomic_exchange_n(door, 0, __ATOMIC_ACQ_REL);
        regfile_write(&s->regs, reg, (uint32_t)v);
    }
}

void intel_doors(struct intel_nic *s)
{
    for (unsigned i = 0; i < s->model->tx_queues; i++) {
        door_take(s, &s->txq[i].door, s->txq[i].regs + Q_TAIL);
    }
    for (unsigned i = 0; i < s->model->rx_queues; i++) {
        door_take(s, &s->rxq[i].door, s->rxq[i].regs + Q_TAIL);
    }
}

/* Whoever writes RDT from now on wakes us; has somebody done so in between? */
void intel_rx_starved(struct intel_nic *s)
{
    __atomic_store_n(&s->rx_starved, true, __ATOMIC_SEQ_CST);
    for (unsigned i = 0; i < s->model->rx_queues; i++) {
        if (__atomic_load_n(&s->rxq[i].door, __ATOMIC_SEQ_CST)) {
            bh_schedule(&s->door_bh);
        }
    }
}

static void doors_bh(void *opaque)
{
    intel_doors(opaque);
}

/* ---- windows ---- */

static uint64_t mmio_read(void *opaque, uint64_t off, unsigned size)
{
    struct intel_nic *s = opaque;

    intel_doors(s);
    return regfile_read(&s->regs, off);
}

static void mmio_write(void *opaque, uint64_t off, uint64_t val, unsigned size)
{
    struct intel_nic *s = opaque;

    intel_doors(s);
    regfile_write(&s->regs, off, val);
}

enum { IO_ADDR = 0, IO_DATA = 4 };

static uint64_t io_read(void *opaque, uint64_t off, unsigned size)
{
    struct intel_nic *s = opaque;

    intel_doors(s);
    return off == IO_ADDR ? s->io_addr : off == IO_DATA ? regfile_read(&s->regs, s->io_addr) : 0;
}

static void io_write(void *opaque, uint64_t off, uint64_t val, unsigned size)
{
    struct intel_nic *s = opaque;

    intel_doors(s);
    if (off == IO_ADDR) {
        s->io_addr = val;
    } else if (off == IO_DATA) {
        regfile_write(&s->regs, s->io_addr, val);
    }
}

/* 82574 10.2.1.2: no flash chip on the board: its window reads as an empty bus */
static uint64_t flash_read(void *opaque, uint64_t off, unsigned size)
{
    return UINT64_MAX;
}

static void flash_write(void *opaque, uint64_t off, uint64_t val, unsigned size)
{
}

static const struct region_ops flash_ops = { flash_read, flash_write, 1, 4 };
static const struct region_ops mmio_ops = { mmio_read, mmio_write, 4, 4, mmio_post };
static const struct region_ops io_ops = { io_read, io_write, 4, 4 };

/* Bus mastering may have come on after the rings were set going */
void intel_config_written(struct pci_device *d, unsigned off, unsigned len)
{
    struct intel_nic *s = (struct intel_nic *)d;

    if (s->nic && off <= PCI_COMMAND && off + len > PCI_COMMAND) {
        intel_doors(s);
        tctl_written(s, NULL);
        rctl_written(s, NULL);
    }
}

/* ---- life ---- */

static void tx_ready(void *opaque)
{
    struct intel_nic *s = opaque;

    for (unsigned i = 0; i < s->model->tx_queues; i++) {
        bh_schedule(&s->txq[i].bh);
    }
}

static uint32_t offloads(void *opaque)
{
    return 0;
}

static const struct nic_ops nic_ops = {
    .receive = intel_receive, .link_changed = link_changed, .tx_ready = tx_ready, .offloads = offloads, .min_len = 60,
};

static void bars_conventional(struct intel_nic *s)
{
    st_le16(s->pci.config + PCI_STATUS, PCI_STATUS_66MHZ | PCI_STATUS_DEVSEL_MEDIUM);
    s->pci.config[PCI_MIN_GNT] = 0xFF;
    pci_bar(&s->pci, 0, PCI_BAR_MEM32, &s->mmio);
    pci_bar(&s->pci, 1, PCI_BAR_IO, &s->io);
}

/* 82574 9.1, 10.1: registers, flash, I/O, MSI-X; capabilities where the part has them */
static bool bars_pcie(struct intel_nic *s, Error **errp)
{
    struct pci_device *d = &s->pci;

    region_init_io(&s->flash, "intel-flash", FLASH_SIZE, &flash_ops, s);
    region_init(&s->msix, "intel-msix", MSIX_BAR_SIZE);
    pci_bar(d, 0, PCI_BAR_MEM32, &s->mmio);
    pci_bar(d, 1, PCI_BAR_MEM32, &s->flash);
    pci_bar(d, 2, PCI_BAR_IO, &s->io);
    pci_bar(d, 3, PCI_BAR_MEM32, &s->msix);
    if (!pci_add_pm(d, 0xC8, PCI_PM_VERSION_1_1 | PCI_PM_DSI | PCI_PM_PME_D0 | PCI_PM_PME_D3HOT, 0) ||
        !pcie_endpoint_cap(d, 0xE0, 1, 0)) {
        error_setg(errp, "%s: no room for a capability", s->model->name);
        return false;
    }
    return msi_init(d, 0xD0, 1, true, false, errp) &&
           msix_init(d, s->model->vectors, 3, 0, MSIX_PBA, &s->msix, 0xA0, errp);
}

bool intel_realize(struct intel_nic *s, const struct intel_model *m, Error **errp)
{
    s->model = m;
    s->drops.dev = m->name;
    regfile_init(&s->regs, m->name, m->regs, m->nregs, m->mmio_size, s);
    intr_init(s);
    bh_init(&s->door_bh, "intel-doors", doors_bh, s);
    mii_init(&s->phy, m->phy, s);
    for (unsigned i = 0; i < m->tx_queues; i++) {
        txq_init(&s->txq[i], s, i);
    }
    for (unsigned i = 0; i < m->rx_queues; i++) {
        rxq_init(&s->rxq[i], s, i);
    }
    s->nic = nic_new(&nic_ops, &s->conf, m->name, s->pci.dev.id, s, errp);
    if (!s->nic) {
        return false;
    }
    nvm_init(s);
    region_init_io(&s->mmio, "intel-mmio", m->mmio_size, &mmio_ops, s);
    region_init_io(&s->io, "intel-io", m->io_size, &io_ops, s);
    if (intel_has(s, INTEL_PCIE)) {
        return bars_pcie(s, errp);
    }
    bars_conventional(s);
    return true;
}

void intel_unrealize(struct intel_nic *s)
{
    bh_fini(&s->door_bh);
    for (unsigned i = 0; i < INTEL_QUEUES_MAX; i++) {
        txq_fini(&s->txq[i]);
    }
    nic_free(g_steal_pointer(&s->nic));
    mii_fini(&s->phy);
    if (s->model) {
        intr_fini(s);
    }
    regfile_fini(&s->regs);
    s->model = NULL;
}

void intel_describe(struct device *d, GString *out, unsigned indent)
{
    struct intel_nic *s = (struct intel_nic *)d;

    nic_drops_print(&s->drops, out, indent);
}
