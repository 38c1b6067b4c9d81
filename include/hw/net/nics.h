/* SPDX-License-Identifier: BSD-2-Clause */
/* hw/net/nics.h - the NIC models: registration, and their register tables for the generic test */
#ifndef HW_NET_NICS_H
#define HW_NET_NICS_H

#include "hw/net/regs.h"

/** hw_net_register_types() - all NIC types; once, at start-up, after hw_pci_register_types() */
void hw_net_register_types(void);

/* Called by hw_net_register_types(); a line a family */
void e1000_register_types(void);
void e1000e_register_types(void);
void virtio_net_register_types(void);

/** e1000_regs() - the 8254x register table, *@n rows (tests walk it) */
const struct reg *e1000_regs(unsigned *n);
/** e1000e_regs() - the 82574's */
const struct reg *e1000e_regs(unsigned *n);

#endif
