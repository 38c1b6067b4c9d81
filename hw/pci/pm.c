/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/pci/pm.c - the power management capability (PCI Bus Power Management Interface Specification 1.2)
 *
 *   +2 PMC, read-only    +4 PMCSR: 1:0 state, 3 no soft reset, 8 PME enable, 15 PME status (written 1 clears)
 *
 * The state is in PMCSR; bar.c, bus.c and pci.c ask pci_power_state(). Special are the transitions that a write may
 * make, and the reset on the way from D3hot to D0.
 */
#include "hw/pci/caps.h"
#include "hw/pci/internal.h"
#include "lib/bits.h"

enum { PMC = 2, PMCSR = 4, PM_SIZE = 8, D0 = 0, D1 = 1, D2 = 2, D3HOT = 3 };

static const uint16_t pme_any = PCI_PM_PME_D0 | PCI_PM_PME_D1 | PCI_PM_PME_D2 | PCI_PM_PME_D3HOT | PCI_PM_PME_D3COLD;
static const uint16_t pme_bits = PCI_PMCSR_PME_EN | PCI_PMCSR_PME_STATUS;

unsigned pci_power_state(const struct pci_device *d)
{
    return d->pm_cap ? d->config[d->pm_cap + PMCSR] & PCI_PMCSR_STATE : D0;
}

unsigned pci_add_pm(struct pci_device *d, unsigned off, uint16_t pmc, uint16_t pmcsr)
{
    unsigned cap = pci_add_cap(d, PCI_CAP_PM, off, PM_SIZE);

    if (!cap) {
        return 0;
    }
    d->pm_cap = (uint8_t)cap;
    st_le16(d->config + cap + PMC, pmc);
    st_le16(d->config + cap + PMCSR, pmcsr & PCI_PMCSR_NO_SOFT_RESET);
    st_le16(d->wmask + cap + PMCSR, PCI_PMCSR_STATE | (pmc & pme_any ? PCI_PMCSR_PME_EN : 0));
    st_le16(d->w1cmask + cap + PMCSR, pmc & pme_any ? PCI_PMCSR_PME_STATUS : 0);
    return cap;
}

/* PM 3.2.4: a state that is not there is not taken; PM 5.4: out of D3hot there is only D0. */
static bool transition_ok(const struct pci_device *d, unsigned from, unsigned to)
{
    uint16_t pmc = ld_le16(d->config + d->pm_cap + PMC);

    if (from == D3HOT) {
        return to == D0 || to == D3HOT;
    }
    return (to != D1 || pmc & PCI_PM_D1) && (to != D2 || pmc & PCI_PM_D2);
}

bool pci_pm_config_written(struct pci_device *d, unsigned old_state)
{
    unsigned state = pci_power_state(d);
    uint8_t *pmcsr = d->config + d->pm_cap + PMCSR;
    uint16_t pme;

    if (state == old_state) {
        return false;
    }
    if (!transition_ok(d, old_state, state)) {
        *pmcsr = (uint8_t)bits_put(*pmcsr, 0, 2, old_state);
        return false;
    }
    if (old_state != D3HOT || *pmcsr & PCI_PMCSR_NO_SOFT_RESET) {
        return false;
    }
    pme = ld_le16(pmcsr) & pme_bits;
    device_reset(&d->dev);
    st_le16(pmcsr, (ld_le16(pmcsr) & ~pme_bits) | pme);
    return true;
}
