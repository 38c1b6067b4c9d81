/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/i386/pc_devices.c - the chips of the pc board and the wires between them
 *
 *   PIT, RTC -> HPET -> GSI 0, 8          serial, keyboard, mouse, SCI -> GSI 4, 3, 1, 12, 9
 *   PCI INTx -> PIRQ (pin + slot - 1) mod 4 -> PIIX3 router -> GSI 5, 10 or 11
 *   GSI n -> 8259 input n (n < 16) and I/O APIC pin n (GSI 0: pin 2)
 *   8259 INTR -> LINT0 of the local APICs
 *   PCI messages (MSI, MSI-X) to 0xFEExxxxx -> local APICs
 */
#include "core/runstate.h"
#include "hw/char/isa_debug.h"
#include "hw/i386/pc_internal.h"
#include "lib/bits.h"
#include <time.h>

enum { SLOT_HOST = 0, SLOT_SOUTH = 1, FN_PM = 3, SLOT_VGA = 2 };

/* ---- wires ---- */

static void gsi_set(void *opaque, unsigned n, bool level)
{
    struct pc *pc = opaque;

    if (!(pc->gsi_level & BIT(n)) == !level) {
        return;
    }
    pc->gsi_level = level ? pc->gsi_level | BIT(n) : pc->gsi_level & ~BIT(n);
    if (n < ARRAY_LEN(pc->pic->in)) {
        irq_set(&pc->pic->in[n], level);
    }
    irq_set(&pc->ioapic->in[n ? n : 2], level);
}

static void intr_set(void *opaque, unsigned n, bool level)
{
    apic_bus_set_pic(&((struct pc *)opaque)->apics, level);
}

/* ---- PCI ---- */

static int map_irq(void *opaque, struct pci_device *d, int pin)
{
    return (pin + PCI_SLOT(d->devfn) + 3) % PIRQS;
}

static void set_irq(void *opaque, int irq, bool level)
{
    struct pc *pc = opaque;

    if (pc->piix3) {
        piix3_set_pirq(pc->piix3, (unsigned)irq, level);
    }
}

static bool message(void *opaque, struct pci_device *d, uint64_t addr, uint32_t data)
{
    return apic_bus_msi(&((struct pc *)opaque)->apics, addr, data);
}

static const struct pci_bus_ops bus_ops = { map_irq, set_irq, message };

static bool host_realize(struct device *d, Error **errp)
{
    struct pc_host *h = (struct pc_host *)d;
    struct pc *pc = h->pc;

    pci_bus_init(&h->bus, "pci.0", d, &bus_ops, pc, PIRQS, &pc->pci_mem, &pc->io_root, &pc->mem);
    pci_host_init(&h->host, &h->bus, &pc->io_root);
    return true;
}

static void host_unrealize(struct device *d)
{
    struct pc_host *h = (struct pc_host *)d;

    pci_host_fini(&h->host);
    pci_bus_fini(&h->bus);
}

static void host_reset(struct device *d)
{
    pci_host_reset(&((struct pc_host *)d)->host);
}

const struct device_type pc_host_bridge_type = {
    .name = "i440FX-pcihost",
    .desc = "Host bridge and PCI bus",
    .bus = "System",
    .size = sizeof(struct pc_host),
    .category = DEVICE_CAT_BRIDGE,
    .realize = host_realize,
    .unrealize = host_unrealize,
    .reset = host_reset,
};

/* ---- ports without a chip of their own ---- */

/* 0x80-0x8F: POST code and the DMA page registers; kernels write 0x80 to wait a microsecond */
static uint64_t port80_read(void *opaque, uint64_t off, unsigned size)
{
    return ((struct pc *)opaque)->post_code[off & 15];
}

static void port80_write(void *opaque, uint64_t off, uint64_t val, unsigned size)
{
    ((struct pc *)opaque)->post_code[off & 15] = val;
}

/* 0xF0: clears FERR#'s interrupt (PIIX3 2.5.8.3) */
static uint64_t port_f0_read(void *opaque, uint64_t off, unsigned size)
{
    return 0xFF;
}

static void port_f0_write(void *opaque, uint64_t off, uint64_t val, unsigned size)
{
    irq_lower(&((struct pc *)opaque)->gsi[13]);
}

static const struct region_ops port80_ops = { port80_read, port80_write, 1, 1 };
static const struct region_ops port_f0_ops = { port_f0_read, port_f0_write, 1, 1 };

static void add_ports(struct pc *pc)
{
    region_init_io(&pc->port80, "port80", 16, &port80_ops, pc);
    region_init_io(&pc->port_f0, "portF0", 1, &port_f0_ops, pc);
    region_add(&pc->io_root, 0x80, &pc->port80, -1);
    region_add(&pc->io_root, 0xF0, &pc->port_f0, 0);
}

/* 0xCF9 lies within CONFIG_ADDRESS, whose owner passes byte accesses on */
static uint8_t rcr_read(void *opaque)
{
    struct pc *pc = opaque;

    return pc->piix3 ? piix3_rcr_read(pc->piix3) : 0xFF;
}

static void rcr_write(void *opaque, uint8_t v)
{
    struct pc *pc = opaque;

    if (pc->piix3) {
        piix3_rcr_write(pc->piix3, v);
    }
}

/* ---- making the chips ---- */

/* Realize @d or free it. */
static bool add(struct device *d, struct bus *bus, Error **errp)
{
    if (!device_realize(d, bus, errp)) {
        device_free(d);
        return false;
    }
    return true;
}

static bool add_interrupt_controllers(struct pc *pc, Error **errp)
{
    struct ioapic *io = (struct ioapic *)device_new(&ioapic_type, NULL);

    io->apics = &pc->apics;
    io->mem = &pc->mem_root;
    if (!add(&io->dev, NULL, errp)) {
        return false;
    }
    pc->ioapic = io;
    pc->apics.ioapic = io;
    return true;
}

static bool add_hpet(struct pc *pc, Error **errp)
{
    struct hpet *h = (struct hpet *)device_new(&hpet_type, NULL);

    h->mem = &pc->mem_root;
    for (unsigned i = 0; i < PC_GSIS; i++) {
        h->out[i] = &pc->gsi[i];
    }
    if (!add(&h->dev, NULL, errp)) {
        return false;
    }
    pc->hpet = h;
    return true;
}

static bool add_host(struct pc *pc, bool vga, Error **errp)
{
    struct pc_host *h = (struct pc_host *)device_new(&pc_host_bridge_type, NULL);

    h->pc = pc;
    if (!add(&h->dev, NULL, errp)) {
        return false;
    }
    h->host.rcr_read = rcr_read;
    h->host.rcr_write = rcr_write;
    h->host.rcr_opaque = pc;
    h->bus.first_slot = SLOT_VGA + vga;     /* slot 2 is where people expect a VGA, not a NIC */
    pc->host = h;
    return true;
}

static bool add_pci(struct pc *pc, Error **errp)
{
    struct bus *bus = &pc->host->bus.bus;
    struct i440fx *fx = (struct i440fx *)pci_new(TYPE_I440FX, NULL, PCI_DEVFN(SLOT_HOST, 0), errp);
    struct piix3 *piix3;
    struct piix4_pm *pm;

    if (!fx) {
        return false;
    }
    fx->pam_changed = pc_pam_changed;
    fx->opaque = pc;
    if (!add(&fx->pci.dev, bus, errp)) {
        return false;
    }
    pc->i440fx = fx;
    piix3 = (struct piix3 *)pci_new(TYPE_PIIX3, NULL, PCI_DEVFN(SLOT_SOUTH, 0), errp);
    if (!piix3) {
        return false;
    }
    piix3->pci.multifunction = true;
    for (unsigned i = 0; i < ISA_IRQS; i++) {
        piix3->isa_irq[i] = i == 2 ? NULL : &pc->gsi[i];
    }
    if (!add(&piix3->pci.dev, bus, errp)) {
        return false;
    }
    pc->piix3 = piix3;
    pm = (struct piix4_pm *)pci_new(TYPE_PIIX4_PM, NULL, PCI_DEVFN(SLOT_SOUTH, FN_PM), errp);
    if (!pm) {
        return false;
    }
    pm->sci = &pc->gsi[PM_SCI_IRQ];
    if (!add(&pm->pci.dev, bus, errp)) {
        return false;
    }
    pc->pm = pm;
    return true;
}

/* What to add to @clock so that it shows the date asked for */
static int64_t rtc_offset_ns(const struct pc_config *cfg, enum clock_type clock)
{
    int64_t host_ns = clock_get_ns(CLOCK_HOST), shown_ns = host_ns;

    if (cfg->rtc_date >= 0) {
        shown_ns = cfg->rtc_date * NS_PER_SEC;
    } else if (cfg->rtc_localtime) {
        time_t t = (time_t)(host_ns / NS_PER_SEC);
        struct tm tm;

        shown_ns += localtime_r(&t, &tm) ? tm.tm_gmtoff * NS_PER_SEC : 0;
    }
    return shown_ns - (clock == CLOCK_HOST ? host_ns : clock_get_ns(clock));
}

static bool add_clocks(struct pc *pc, const struct pc_config *cfg, Error **errp)
{
    struct bus *isa = &pc->piix3->isa.bus;
    struct i8254 *pit = (struct i8254 *)device_new(&i8254_type, NULL);
    struct mc146818rtc *rtc;

    pit->irq = pc->hpet ? &pc->hpet->in[HPET_PIT] : &pc->gsi[0];
    if (!add(&pit->dev, isa, errp)) {
        return false;
    }
    pc->pit = pit;
    rtc = (struct mc146818rtc *)device_new(&mc146818rtc_type, NULL);
    rtc->irq = pc->hpet ? &pc->hpet->in[HPET_RTC] : &pc->gsi[8];
    rtc->clock = cfg->rtc_virtual ? CLOCK_VIRTUAL : CLOCK_HOST;
    rtc->offset_ns = rtc_offset_ns(cfg, rtc->clock);
    pc->rtc_localtime = cfg->rtc_localtime && cfg->rtc_date < 0;
    if (!add(&rtc->dev, isa, errp)) {
        return false;
    }
    pc->rtc = rtc;
    rtc_set_memory(rtc, pc->below_4g, pc->above_4g);
    return true;
}

static bool add_input(struct pc *pc, Error **errp)
{
    struct i8042 *k = (struct i8042 *)device_new(&i8042_type, NULL);

    k->irq_kbd = &pc->gsi[1];
    k->irq_aux = &pc->gsi[12];
    k->a20 = pc_set_a20;
    k->a20_opaque = pc;
    if (!add(&k->dev, &pc->piix3->isa.bus, errp)) {
        return false;
    }
    pc->kbc = k;
    return true;
}

static bool add_serial(struct pc *pc, const struct pc_config *cfg, Error **errp)
{
    for (unsigned i = 0; i < PC_SERIALS; i++) {
        struct isa_serial *s;

        if (!cfg->serial[i] && !cfg->serial_port[i]) {
            continue;
        }
        s = (struct isa_serial *)device_new(&isa_serial_type, NULL);
        s->index = i;
        s->uart.chr = cfg->serial[i];
        if (!add(&s->dev, &pc->piix3->isa.bus, errp)) {
            return false;
        }
        pc->serial_mask |= BIT(i);
    }
    return true;
}

static bool add_vga(struct pc *pc, Error **errp)
{
    struct vga *v = (struct vga *)device_new(&vga_type, NULL);

    if (!add(&v->dev, &pc->piix3->isa.bus, errp)) {
        return false;
    }
    pc->vga = v;
    return true;
}

static bool add_fw_cfg(struct pc *pc, Error **errp)
{
    struct fw_cfg *f = (struct fw_cfg *)device_new(&fw_cfg_type, NULL);

    f->io = &pc->io_root;
    f->dma_as = &pc->mem;
    if (!add(&f->dev, NULL, errp)) {
        return false;
    }
    pc->fw_cfg = f;
    return true;
}

static bool add_pic(struct pc *pc, Error **errp)
{
    struct i8259 *p = (struct i8259 *)device_new(&i8259_type, NULL);

    p->intr = &pc->intr;
    if (!add(&p->dev, &pc->piix3->isa.bus, errp)) {
        return false;
    }
    pc->pic = p;
    return true;
}

/* The power button of RUN_EVENT_POWERDOWN */
static void run_event(void *opaque, enum run_event ev, enum run_state state, enum shutdown_cause cause)
{
    struct pc *pc = opaque;

    if (ev == RUN_EVENT_POWERDOWN) {
        piix4_pm_power_button(pc->pm);
    }
}

bool pc_devices_init(struct pc *pc, const struct pc_config *cfg, Error **errp)
{
    /* wires lead nowhere until both interrupt controllers are there */
    for (unsigned i = 0; i < PC_GSIS; i++) {
        irq_init(&pc->gsi[i], NULL, pc, i);
    }
    irq_init(&pc->intr, intr_set, pc, 0);
    add_ports(pc);
    if (!add_interrupt_controllers(pc, errp) || (!cfg->no_hpet && !add_hpet(pc, errp)) || !add_fw_cfg(pc, errp) ||
        !add_host(pc, cfg->default_vga, errp) || !add_pci(pc, errp) || !add_pic(pc, errp)) {
        return false;
    }
    for (unsigned i = 0; i < PC_GSIS; i++) {
        pc->gsi[i].fn = gsi_set;
    }
    if (!add_clocks(pc, cfg, errp) || !add_input(pc, errp) || !add_serial(pc, cfg, errp) ||
        (cfg->default_vga && !add_vga(pc, errp))) {
        return false;
    }
    runstate_add_listener(run_event, pc);
    return true;
}

/* The devices themselves are gone. */
void pc_devices_fini(struct pc *pc)
{
    runstate_del_listener(run_event, pc);
    region_fini(&pc->port_f0);
    region_fini(&pc->port80);
}

void hw_board_register_types(void)
{
    static const struct device_type *const types[] = {
        &pc_host_bridge_type, &piix3_type, &piix4_pm_type, &fw_cfg_type, &apic_type, &ioapic_type, &i8259_type,
        &i8254_type, &mc146818rtc_type, &hpet_type, &i8042_type, &isa_serial_type, &isa_debugcon_type,
        &isa_debug_exit_type, &vga_type,
    };

    for (unsigned i = 0; i < ARRAY_LEN(types); i++) {
        device_type_register(types[i]);
    }
}
