/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hw/net/vmstate.h - state tables of the parts that NICs share, to be nested in a NIC's own table
 *
 *     VMS_CODED(struct mynic, regs, vmstate_regfile, REGFILE_STREAM_MAX),
 *     VMS_STRUCT(struct mynic, eeprom, vmstate_eeprom93),
 *     VMS_STRUCT(struct mynic, phy, vmstate_mii),
 *
 * A descriptor ring has no table: base, length, head and tail are the guest's registers. After a load the NIC calls
 * ring_setup() with those, as it does when the guest writes them, and, if descriptors had been fetched that are not
 * published yet, ring_resume() with the one number that registers do not have.
 */
#ifndef HW_NET_VMSTATE_H
#define HW_NET_VMSTATE_H

#include "hw/net/ring.h"
#include "migration/vmstate.h"

/*
 * struct regfile, row by row, by name; rows that are at their reset values are left out. A value is refused when it
 * differs from reset in bits that no mask of the register (or of its aliases) covers and that .hw does not name. The
 * model's hooks do not run.
 */
extern const struct vmstate_codec vmstate_regfile;
enum { REGFILE_STREAM_MAX = 1 << 20 };

/* struct eeprom93: contents and interface. The chip (size) must be the same */
extern const struct vmstate vmstate_eeprom93;

/*
 * struct mii: registers, state, autonegotiation. The PHY model must be the same: read-only bits are compared. What is
 * plugged in is the destination's: the NIC calls mii_set_cable(nic_link_up()) in its post_load().
 */
extern const struct vmstate vmstate_mii;

/**
 * ring_resume() - after ring_setup(): the descriptors from head up to @next (exclusive) have been fetched already
 * Return: false: @next is not between head and tail; the ring is stopped.
 */
bool ring_resume(struct desc_ring *r, uint32_t next);

#endif
